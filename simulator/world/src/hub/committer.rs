//! The committer of a hub: one transaction at a time for whatever waits, of all sessions.

use std::collections::BTreeMap;
use std::rc::Rc;

use delivery::{CommitVerdict, Frame, LogNumber, Ranges, SealedBatch, SessionNumber, Way, judge_group};

use super::{Hub, RETRY};
use crate::context::{Context, Event};
use crate::database::{Apart, Database, LaneKey, LaneMove, Operation, Transaction};
use crate::mutation::{DriverMutation, mutated};

const GROUP_MAX: usize = 32;

/// What is to be done with a batch.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    Commit,
    Compare,
    Fork,
    Keep,
}

/// A batch that waits for the database.
#[derive(Clone, Debug)]
pub(super) struct Item {
    pub session: u64,
    pub number: SessionNumber,
    pub key: LaneKey,
    pub log: LogNumber,
    pub way: Way,
    pub kind: Kind,
    pub batch: Rc<SealedBatch>,
}

/// What is with the database.
#[derive(Debug)]
pub(super) struct Group {
    /// For each lane of the transaction.
    committing: Vec<Vec<Item>>,
    apart: Vec<Item>,
    transaction: Transaction,
    /// Its fate is not known.
    is_unknown: bool,
}

impl Group {
    fn items(&self) -> impl Iterator<Item = &Item> {
        self.committing.iter().flatten().chain(&self.apart)
    }
}

impl Hub {
    /// Bytes that wait, of sessions of a kind.
    pub(super) fn bytes_of(&self, counts: impl Fn(u64) -> bool) -> u64 {
        let group = self.group.iter().flat_map(Group::items);
        let items = self.queue.iter().chain(group).filter(|item| counts(item.session));
        items.map(|item| item.batch.bytes().len() as u64).sum()
    }

    /// Batches of a session that wait.
    pub(super) fn items_of(&self, key: u64) -> usize {
        let group = self.group.iter().flat_map(Group::items);
        self.queue.iter().chain(group).filter(|item| item.session == key).count()
    }

    /// The batch of a number that waits already.
    pub(super) fn pending_with(
        &self,
        key: u64,
        log: LogNumber,
        number: u64,
    ) -> Option<(u64, delivery::ChainHash)> {
        let group = self.group.iter().flat_map(Group::items);
        let mut items = self.queue.iter().chain(group);
        let is_it = |item: &&Item| {
            item.session == key
                && item.log == log
                && item.kind == Kind::Commit
                && item.batch.header.sequence.0 == number
        };
        items.find(is_it).map(|item| (number, item.batch.hash))
    }

    pub(super) fn enqueue(&mut self, context: &mut Context, item: Item) {
        self.queue.push_back(item);
        let waiting = self.bytes_of(|_| true);
        context.checks.on_queued(self.index, waiting, context.plan.hub_memory);
        self.schedule(context);
    }

    fn schedule(&mut self, context: &mut Context) {
        if self.group.is_none() && !self.is_group_due && !self.queue.is_empty() {
            self.is_group_due = true;
            let linger = context.random.millis(0, 5);
            context.after(linger, Event::Group { hub: self.index, run: self.run });
        }
    }

    /// Makes a transaction of what waits.
    pub(crate) fn on_group(&mut self, context: &mut Context, database: &Database) {
        self.is_group_due = false;
        if self.group.is_some() || self.queue.is_empty() {
            return;
        }
        let count = self.queue.len().min(GROUP_MAX);
        let (commits, apart): (Vec<Item>, Vec<Item>) =
            self.queue.drain(..count).partition(|item| item.kind == Kind::Commit);
        let judged = {
            let group: Vec<_> = commits.iter().map(|item| (item.key, item.number, &*item.batch)).collect();
            judge_group(&group, |lane, number| self.standing(lane, number, &commits))
        };
        let mut lanes: BTreeMap<LaneKey, (LaneMove, Vec<Item>)> = judged
            .lanes
            .into_iter()
            .map(|(key, change)| {
                let (session, before, after) = (change.session, change.before, change.after);
                (key, (LaneMove { key, session, before, after, rows: Vec::new() }, Vec::new()))
            })
            .collect();
        for (item, verdict) in commits.into_iter().zip(judged.verdicts) {
            match (verdict, lanes.get_mut(&item.key)) {
                (CommitVerdict::Commit, Some((moved, items))) => {
                    moved.rows.push(Rc::clone(&item.batch));
                    items.push(item);
                }
                _ => self.end(context, item.session, &format!("its batch is {verdict:?}"), 100),
            }
        }
        let (moves, committing): (Vec<_>, Vec<_>) = lanes.into_values().unzip();
        let keep = |item: &Item| Apart { key: item.key, session: item.number, batch: Rc::clone(&item.batch) };
        let transaction = Transaction { lanes: moves, apart: apart.iter().map(keep).collect() };
        if self.early_ack() {
            for (moved, items) in transaction.lanes.iter().zip(&committing) {
                self.acknowledge(context, database, items, &moved.after);
            }
        }
        let operation = Operation::Commit(transaction.clone());
        self.group = Some(Group { committing, apart, transaction, is_unknown: false });
        self.ask(context, database, operation);
    }

    /// What a session knows to be committed of a lane.
    fn standing(&self, lane: LaneKey, number: SessionNumber, items: &[Item]) -> Ranges {
        let item = items.iter().find(|item| item.key == lane && item.number == number);
        let known = item.and_then(|item| Some((self.sessions.get(&item.session)?, item.log)));
        let known = known.map(|(session, log)| session.logs[usize::from(log.0)].committed.clone());
        // Of a session that is over nothing is in the queue.
        known.unwrap_or_else(|| Ranges::up_to(u64::MAX, delivery::ChainHash([0; 16])))
    }

    /// Tells the node of a lane what is committed of it.
    fn acknowledge(&mut self, context: &mut Context, database: &Database, items: &[Item], after: &Ranges) {
        let Some(first) = items.first() else { return };
        let Some(session) = self.sessions.get_mut(&first.session) else { return };
        if let Some(ack) = session.on_committed(first.log, after, database) {
            self.tell(context, first.session, &Frame::Ack(ack));
        }
    }

    /// The transaction happened; each lane of it stood, or was fenced.
    pub(super) fn on_committed(
        &mut self,
        context: &mut Context,
        database: &Database,
        lanes: &[bool],
        apart: &[bool],
        lsn: u64,
    ) {
        let Some(group) = self.group.take() else { return };
        let mut done: Vec<Item> = Vec::new();
        for ((items, moved), stood) in group.committing.into_iter().zip(&group.transaction.lanes).zip(lanes) {
            if *stood {
                self.acknowledge(context, database, &items, &moved.after);
                let is_idle = items.first().is_some_and(|item| self.brings_nothing(item.session));
                if is_idle {
                    context
                        .checks
                        .fail("I16", format_args!("an import of what was there wrote {:?}", moved.key));
                }
                done.extend(items);
            } else if let Some(item) = items.first() {
                self.end(context, item.session, "it was fenced", 0);
            }
        }
        for (item, stood) in group.apart.into_iter().zip(apart) {
            if !*stood {
                self.end(context, item.session, "it was fenced", 0);
                continue;
            }
            context.checks.on_compared(database, item.key, &item.batch);
            if item.kind == Kind::Keep
                && let Some(session) = self.sessions.get_mut(&item.session)
            {
                session.on_kept(item.log, Rc::clone(&item.batch), lsn);
            }
            done.push(item);
        }
        self.give_credit(context, &done);
        self.schedule(context);
    }

    fn give_credit(&mut self, context: &mut Context, done: &[Item]) {
        let mut told: Vec<u64> = Vec::new();
        for item in done {
            let Some(session) = self.sessions.get_mut(&item.session) else { continue };
            session.inbox.on_done(item.way, item.batch.bytes().len() as u64);
            if !told.contains(&item.session) {
                told.push(item.session);
            }
        }
        for key in told {
            let credit = self.sessions[&key].inbox.credit();
            self.tell(context, key, &Frame::Credit(credit));
            self.feed_import(context, key);
        }
    }

    /// Nobody knows whether it happened: the rows tell.
    pub(super) fn on_unknown(&mut self, context: &mut Context, database: &Database) {
        let Some(group) = &mut self.group else { return };
        if mutated(DriverMutation::CommitUnknownGuessed) {
            let (lanes, apart) = (vec![true; group.committing.len()], vec![true; group.apart.len()]);
            return self.on_committed(context, database, &lanes, &apart, 0);
        }
        group.is_unknown = true;
        context.after(RETRY, Event::Retry { hub: self.index, run: self.run });
    }

    /// Asks again: what became of it, or the same once more.
    pub(crate) fn on_retry(&mut self, context: &mut Context, database: &Database) {
        let Some(group) = &self.group else { return };
        let operation = if group.is_unknown {
            Operation::Read(group.transaction.lanes.iter().map(|moved| moved.key).collect())
        } else {
            Operation::Commit(group.transaction.clone())
        };
        self.ask(context, database, operation);
    }

    /// How the lanes of a transaction stand whose answer was lost.
    pub(super) fn on_read(
        &mut self,
        context: &mut Context,
        database: &Database,
        rows: &[(u64, Option<Ranges>)],
    ) {
        let Some(mut group) = self.group.take() else { return };
        let mut again = Group {
            committing: Vec::new(),
            apart: Vec::new(),
            transaction: Transaction::default(),
            is_unknown: false,
        };
        let mut done = Vec::new();
        let lanes = group.transaction.lanes.drain(..).zip(group.committing.drain(..));
        for ((moved, items), (session, ranges)) in lanes.zip(rows) {
            let is_ours = *session == moved.session.0;
            let is_before = ranges.as_ref().map_or(moved.before.end() == 0, |ranges| *ranges == moved.before);
            if is_ours && ranges.as_ref() == Some(&moved.after) {
                self.acknowledge(context, database, &items, &moved.after);
                done.extend(items);
            } else if is_ours && is_before {
                again.transaction.lanes.push(moved);
                again.committing.push(items);
            } else if let Some(item) = items.first() {
                self.end(context, item.session, "it was fenced while the database was away", 0);
            }
        }
        // What is kept apart is the same whether it is written once or twice.
        again.transaction.apart = group.transaction.apart;
        again.apart = group.apart;
        self.give_credit(context, &done);
        if again.committing.is_empty() && again.apart.is_empty() {
            return self.schedule(context);
        }
        let operation = Operation::Commit(again.transaction.clone());
        self.group = Some(again);
        self.ask(context, database, operation);
    }
}
