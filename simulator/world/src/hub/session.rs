//! One session of a hub: frames in, what was made safe, what is carried by hand, and what a hostile node sends.

use std::collections::VecDeque;
use std::rc::Rc;

use delivery::{
    Ack, BatchBuilder, Credit, Frame, Inbox, InboxVerdict, Lane, LogHead, LogNumber, OpenedLog, Position,
    Ranges, SealedBatch, SessionNumber, StoreId, TimeAnswer, Violation, Way,
};
use space_packet::{ReceptionTime, TaiTime};

use super::committer::{Item, Kind};
use super::{HOSTILE, Hub, Origin};
use crate::context::Context;
use crate::database::{Database, LaneKey, OpenedLane};
use crate::mutation::{DriverMutation, mutated};
use crate::network::{CONTROL, ConnectionId, Side};

/// The mission of all honest nodes.
pub(crate) const MISSION: &str = "demo";

#[derive(Debug)]
pub(super) struct SessionLog {
    pub key: LaneKey,
    pub store: StoreId,
    pub is_forked: bool,
    pub committed: Ranges,
    safe_told: u64,
}

/// A session.
#[derive(Debug)]
pub(super) struct Session {
    pub origin: Origin,
    pub node: usize,
    pub number: SessionNumber,
    pub logs: Vec<SessionLog>,
    pub inbox: Inbox,
    /// Compared or kept apart, and not safe yet.
    kept: VecDeque<(u64, LogNumber, Rc<SealedBatch>)>,
    /// Of what is carried by hand: what was not taken in yet.
    feed: VecDeque<(LogNumber, Rc<SealedBatch>)>,
    /// What it sent, and may send.
    sent: u64,
    /// All it brings was there before.
    brings_nothing: bool,
}

impl Session {
    pub(super) fn new(
        origin: Origin,
        node: usize,
        number: SessionNumber,
        lanes: &[OpenedLane],
        opened: Vec<(LogHead, OpenedLog)>,
        credit: Credit,
    ) -> Self {
        let logs = lanes.iter().zip(&opened).map(|(lane, (head, log))| SessionLog {
            key: lane.key,
            store: head.store,
            is_forked: head.is_forked,
            committed: log.committed.clone(),
            safe_told: log.safe,
        });
        Self {
            origin,
            node,
            number,
            logs: logs.collect(),
            inbox: Inbox::new(opened, credit),
            kept: VecDeque::new(),
            feed: VecDeque::new(),
            sent: 0,
            brings_nothing: false,
        }
    }

    /// A lane moved.
    pub(super) fn on_committed(
        &mut self,
        log: LogNumber,
        after: &Ranges,
        database: &Database,
    ) -> Option<Ack> {
        let known = &mut self.logs[usize::from(log.0)];
        known.committed = after.clone();
        let safe = database.safe(known.key, after);
        known.safe_told = safe;
        self.inbox.on_committed(log, after.clone(), safe)
    }

    /// A batch was compared, or kept apart, by a transaction.
    pub(super) fn on_kept(&mut self, log: LogNumber, batch: Rc<SealedBatch>, lsn: u64) {
        self.kept.push_back((lsn, log, batch));
    }

    /// What the replica has since it was looked at last, for the node to forget.
    pub(super) fn what_became_safe(&mut self, database: &Database) -> Vec<Ack> {
        let mut acks = Vec::new();
        // A forked journal is forgotten as a whole once all of it is acknowledged, so nothing is before it is safe.
        let is_early = mutated(DriverMutation::KeptBeforeReplicated);
        while let Some((lsn, log, batch)) = self.kept.front()
            && (*lsn <= database.replica_lsn || is_early)
        {
            acks.extend(self.inbox.on_kept(*log, batch, batch.header.sequence.0));
            self.kept.pop_front();
        }
        for (index, log) in self.logs.iter_mut().enumerate().filter(|(_, log)| !log.is_forked) {
            let safe = database.safe(log.key, &log.committed);
            if safe > log.safe_told {
                log.safe_told = safe;
                acks.extend(self.inbox.on_committed(LogNumber(index as u8), log.committed.clone(), safe));
            }
        }
        acks
    }
}

impl Hub {
    pub(crate) fn on_frame(
        &mut self,
        context: &mut Context,
        database: &Database,
        connection: ConnectionId,
        frame: Frame,
    ) {
        match frame {
            Frame::Hello(hello) => self.on_hello(context, database, Origin::Connection(connection), &hello),
            Frame::Batch { log, way, sealed } => {
                let Some(key) = self.session_of(connection) else { return };
                match SealedBatch::parse(sealed) {
                    Ok(batch) => self.on_batch(context, key, log, way, Rc::new(batch)),
                    Err(error) => {
                        context.checks.fail("I13", format_args!("an honest batch does not parse: {error}"));
                    }
                }
            }
            Frame::TimeAsk(asked) => {
                let time = self.time(context);
                let answer = TimeAnswer { asked, received: time, answered: time };
                context.send(connection, Side::Hub, CONTROL, &Frame::TimeAnswer(answer));
            }
            Frame::Goodbye(_) => self.on_lost(context, connection),
            other => context.checks.fail("I13", format_args!("a hub was sent {other:?}")),
        }
    }

    /// A batch whose bytes were checked arrived.
    pub(super) fn on_batch(
        &mut self,
        context: &mut Context,
        key: u64,
        log: LogNumber,
        way: Way,
        batch: Rc<SealedBatch>,
    ) {
        let Some(session) = self.sessions.get_mut(&key) else { return };
        let is_own = (batch.header.mission == MISSION) == (session.node < HOSTILE);
        let verdict = if is_own {
            session.inbox.on_batch(log, way, &batch).map_err(|found| found.to_string())
        } else {
            Err(format!("it sent a batch of mission {}", batch.header.mission))
        };
        let bytes = batch.bytes().len() as u64;
        let kind = match verdict {
            Ok(InboxVerdict::Commit) => Kind::Commit,
            Ok(InboxVerdict::Compare) => Kind::Compare,
            Ok(InboxVerdict::Fork) => Kind::Fork,
            Ok(InboxVerdict::KeepApart) => Kind::Keep,
            Ok(InboxVerdict::Duplicate) => {
                context.checks.on_duplicate(&batch, self.pending_with(key, log, batch.header.sequence.0));
                let Some(session) = self.sessions.get_mut(&key) else { return };
                session.inbox.on_done(way, bytes);
                let credit = session.inbox.credit();
                return self.tell(context, key, &Frame::Credit(credit));
            }
            Err(evidence) => {
                let (node, is_import) = (session.node, matches!(session.origin, Origin::Import(_)));
                // What is carried by hand may be in pieces, and leave too many holes.
                if node < HOSTILE && !(is_import && evidence == Violation::Holes.to_string()) {
                    context.checks.fail("H1", format_args!("honest node {node} was accused: {evidence}"));
                }
                return self.end(context, key, &evidence, 1_000);
            }
        };
        let session = &self.sessions[&key];
        if kind == Kind::Fork {
            context.checks.on_fork(session.node, session.logs[usize::from(log.0)].store);
            context.say(
                self.who(),
                format_args!(
                    "finds a fork of node {} at {}-{}",
                    session.node,
                    batch.header.first_sequence().0,
                    batch.header.sequence.0
                ),
            );
            self.tell(context, key, &Frame::Forked(log));
        }
        let session = &self.sessions[&key];
        let item = Item {
            session: key,
            number: session.number,
            key: session.logs[usize::from(log.0)].key,
            log,
            way,
            kind,
            batch,
        };
        self.enqueue(context, item);
    }

    /// Takes in what is carried by hand, as a session of its own.
    pub(super) fn begin_import(&mut self, context: &mut Context, key: u64, bundle: usize) {
        let Some(session) = self.sessions.get_mut(&key) else { return };
        let logs = std::mem::take(&mut self.imports[bundle].logs);
        let held = |index: usize, number: u64| session.logs[index].committed.holds(number);
        session.brings_nothing = logs.iter().enumerate().all(|(index, (head, batches))| {
            !head.is_forked && batches.iter().all(|batch| held(index, batch.header.sequence.0))
        });
        session.feed = logs
            .into_iter()
            .enumerate()
            .flat_map(|(index, (_, batches))| {
                batches.into_iter().map(move |batch| (LogNumber(index as u8), batch))
            })
            .collect();
        self.feed_import(context, key);
    }

    /// As much as there is credit for; the session ends when all of it is in.
    pub(super) fn feed_import(&mut self, context: &mut Context, key: u64) {
        while let Some(session) = self.sessions.get_mut(&key)
            && matches!(session.origin, Origin::Import(_))
        {
            if session.sent >= session.inbox.credit().telemetry_bytes {
                return;
            }
            let Some((log, batch)) = session.feed.pop_front() else {
                if self.items_of(key) == 0 {
                    self.end(context, key, "all of it was imported", 0);
                }
                return;
            };
            session.sent += batch.bytes().len() as u64;
            self.on_batch(context, key, log, Way::Import, batch);
        }
    }

    /// Whether an import session found everything at the hub already.
    pub(super) fn brings_nothing(&self, key: u64) -> bool {
        self.sessions.get(&key).is_some_and(|session| session.brings_nothing)
    }

    /// What a hostile node with a valid certificate sends, until it is thrown out.
    pub(super) fn attack(&mut self, context: &mut Context, key: u64) {
        let Some(session) = self.sessions.get(&key) else { return };
        let store = session.logs[0].store;
        let mut position = Position::start(store, Lane::Telemetry);
        position.sequence = Some(delivery::BatchSequence(context.random.between(1, 1_000)));
        let kind = context.random.below(4);
        for step in 0..80 {
            let mission = if kind == 0 && step == 5 { MISSION } else { "other" };
            let mut builder = BatchBuilder::new(mission, "antenna");
            let size = if kind == 1 { 900 } else { 8 };
            let filler: Vec<u8> = (0..size).map(|_| context.random.next() as u8).collect();
            builder.push(ReceptionTime(TaiTime(step)), &filler);
            let Some(body) = builder.pack() else { return };
            let batch = Rc::new(body.seal(Lane::Telemetry, &position));
            // Kind 2 leaves a hole behind each, kind 3 names a log that is not there.
            position = batch.position();
            if kind == 2 {
                position.sequence = position.sequence.map(delivery::BatchSequence::next);
            }
            let log = LogNumber(if kind == 3 && step == 9 { 7 } else { 0 });
            self.on_batch(context, key, log, Way::Live, batch);
        }
    }
}
