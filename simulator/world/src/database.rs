//! The database as far as delivery needs it: transactions with conditions, a replica that lags, answers that get lost,
//! failover, and an old backup.

use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;
use std::time::Duration;

use delivery::{BootId, ChainHash, Epoch, Lane, LogHead, Ranges, SealedBatch, SessionNumber, StoreId};

use crate::checks::Checks;
use crate::hub::Origin;
use crate::mutation::{DriverMutation, mutated};

/// A lane in the database.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(crate) struct LaneKey {
    pub node: usize,
    pub epoch: u32,
    pub lane: u8,
}

impl LaneKey {
    pub(crate) fn new(node: usize, epoch: Epoch, lane: Lane) -> Self {
        Self { node, epoch: epoch.0, lane: lane.into() }
    }
}

#[derive(Clone, Debug, Default)]
pub(crate) struct NodeRow {
    pub session: u64,
    pub boots: Vec<BootId>,
    pub epochs: u32,
    pub is_revoked: bool,
}

/// What the database holds.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tables {
    pub nodes: BTreeMap<usize, NodeRow>,
    pub stores: BTreeMap<(usize, StoreId), Epoch>,
    pub lanes: BTreeMap<LaneKey, Ranges>,
    /// By first number.
    pub ledger: BTreeMap<(LaneKey, u64), Rc<SealedBatch>>,
    /// By last number and hash.
    pub quarantine: BTreeMap<(LaneKey, u64, [u8; 16]), Rc<SealedBatch>>,
}

#[derive(Clone, Debug)]
enum Change {
    Apart(LaneKey, Rc<SealedBatch>),
    Lane(LaneKey, Ranges),
    Node(usize, NodeRow),
    Row(LaneKey, Rc<SealedBatch>),
    Store(usize, StoreId, Epoch),
}

impl Tables {
    fn apply(&mut self, change: Change) {
        match change {
            Change::Apart(key, batch) => {
                self.quarantine.insert((key, batch.header.sequence.0, batch.hash.0), batch);
            }
            Change::Lane(key, ranges) => {
                self.lanes.insert(key, ranges);
            }
            Change::Node(node, row) => {
                self.nodes.insert(node, row);
            }
            Change::Row(key, batch) => {
                self.ledger.insert((key, batch.header.first_sequence().0), batch);
            }
            Change::Store(node, store, epoch) => {
                self.stores.insert((node, store), epoch);
            }
        }
    }

    /// The row that covers a number.
    pub(crate) fn row(&self, key: LaneKey, number: u64) -> Option<&Rc<SealedBatch>> {
        let (_, row) = self.ledger.range((key, 0)..=(key, number)).next_back()?;
        (row.header.sequence.0 >= number).then_some(row)
    }

    /// Whether a batch is there, in the archive or apart from it.
    pub(crate) fn has(&self, key: LaneKey, batch: &SealedBatch) -> bool {
        let number = batch.header.sequence.0;
        self.row(key, number).is_some_and(|row| row.hash == batch.hash)
            || self.quarantine.contains_key(&(key, number, batch.hash.0))
    }
}

/// How a lane is to move: only where session and `before` are as the database has them.
#[derive(Clone, Debug)]
pub(crate) struct LaneMove {
    pub key: LaneKey,
    pub session: SessionNumber,
    pub before: Ranges,
    pub after: Ranges,
    pub rows: Vec<Rc<SealedBatch>>,
}

/// A batch to be kept apart, unless the archive has it.
#[derive(Clone, Debug)]
pub(crate) struct Apart {
    pub key: LaneKey,
    pub session: SessionNumber,
    pub batch: Rc<SealedBatch>,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Transaction {
    pub lanes: Vec<LaneMove>,
    pub apart: Vec<Apart>,
}

/// What a hub asks for.
#[derive(Clone, Debug)]
pub(crate) enum Operation {
    Commit(Transaction),
    /// `boot` is absent for what is carried by hand.
    Hello {
        origin: Origin,
        node: usize,
        boot: Option<BootId>,
        logs: Vec<LogHead>,
    },
    Read(Vec<LaneKey>),
}

/// What became of it.
#[derive(Debug)]
pub(crate) enum Answer {
    /// For each lane and each batch apart, whether its session and its lane stood.
    Committed {
        lanes: Vec<bool>,
        apart: Vec<bool>,
        lsn: u64,
    },
    Duplicate(Origin),
    /// Another database answers under its name since.
    Failover,
    /// Of a HELLO: the answer did not come.
    HelloLost(Origin),
    Opened {
        origin: Origin,
        node: usize,
        session: SessionNumber,
        logs: Vec<OpenedLane>,
    },
    /// Session and ranges of each lane.
    Read(Vec<(u64, Option<Ranges>)>),
    Refused,
    Revoked(Origin),
    /// Perhaps it happened, perhaps not.
    Unknown,
}

#[derive(Debug)]
pub(crate) struct OpenedLane {
    pub head: LogHead,
    pub key: LaneKey,
    pub ranges: Ranges,
    pub safe: u64,
}

/// The database and its replica.
#[derive(Debug, Default)]
pub(crate) struct Database {
    pub tables: Tables,
    pub replica: Tables,
    /// Transactions the replica does not have, with when it will.
    pending: VecDeque<(Duration, Vec<Change>)>,
    lsn: u64,
    pub replica_lsn: u64,
    /// Which database it is; counted up by a failover.
    pub timeline: u64,
    pub refuses_until: Duration,
    pub slow_until: Duration,
    /// So many answers will get lost.
    pub unknown: u32,
    /// So many transactions will happen after everybody believed them lost.
    pub late: u32,
    backup: Option<(Tables, u64)>,
}

impl Database {
    /// Lets the replica have what it has by now.
    pub(crate) fn settle(&mut self, now: Duration, checks: &mut Checks) {
        while self.pending.front().is_some_and(|(due, _)| *due <= now) {
            let Some((_, changes)) = self.pending.pop_front() else { return };
            self.replica_lsn += 1;
            for change in changes {
                match &change {
                    Change::Lane(key, ranges) => checks.on_replicated(*key, ranges),
                    Change::Apart(_, batch) | Change::Row(_, batch) => checks.on_batch_replicated(batch),
                    Change::Node(..) | Change::Store(..) => {}
                }
                self.replica.apply(change);
            }
        }
    }

    fn write(&mut self, changes: Vec<Change>, due: Duration) {
        if changes.is_empty() {
            return;
        }
        changes.iter().for_each(|change| self.tables.apply(change.clone()));
        self.lsn += 1;
        self.pending.push_back((due, changes));
    }

    /// What the replica has of a lane, up to its watermark: that survives.
    pub(crate) fn safe(&self, key: LaneKey, committed: &Ranges) -> u64 {
        if mutated(DriverMutation::SafeIgnoresReplica) {
            return committed.watermark();
        }
        self.replica.lanes.get(&key).map_or(0, Ranges::watermark)
    }

    /// Does it; `due` is when the replica will have it.
    pub(crate) fn execute(&mut self, operation: &Operation, due: Duration, checks: &mut Checks) -> Answer {
        match operation {
            Operation::Commit(transaction) => self.commit(transaction, due, checks),
            Operation::Hello { origin, node, boot, logs } => {
                self.hello(*origin, *node, *boot, logs, due, checks)
            }
            Operation::Read(keys) => Answer::Read(
                keys.iter()
                    .map(|key| (self.session(key.node), self.tables.lanes.get(key).cloned()))
                    .collect(),
            ),
        }
    }

    fn session(&self, node: usize) -> u64 {
        self.tables.nodes.get(&node).map_or(0, |row| row.session)
    }

    fn hello(
        &mut self,
        origin: Origin,
        node: usize,
        boot: Option<BootId>,
        logs: &[LogHead],
        due: Duration,
        checks: &mut Checks,
    ) -> Answer {
        let mut row = self.tables.nodes.get(&node).cloned().unwrap_or_default();
        if row.is_revoked && !mutated(DriverMutation::RevokedAdmitted) {
            return Answer::Revoked(origin);
        }
        if let Some(boot) = boot {
            let is_newest = row.boots.last() == Some(&boot);
            if !is_newest && row.boots.contains(&boot) && !mutated(DriverMutation::BootCheckOff) {
                return Answer::Duplicate(origin);
            }
            if !is_newest {
                row.boots.push(boot);
            }
            checks.on_boot(self.timeline, node, boot);
        }
        row.session += 1;
        checks.on_session(self.timeline, node, row.session, row.is_revoked);
        let mut changes = Vec::new();
        let mut opened = Vec::new();
        for head in logs {
            let epoch = self.tables.stores.get(&(node, head.store)).copied().unwrap_or_else(|| {
                if row.epochs == 0 || !mutated(DriverMutation::EpochReused) {
                    row.epochs += 1;
                }
                changes.push(Change::Store(node, head.store, Epoch(row.epochs)));
                Epoch(row.epochs)
            });
            let key = LaneKey::new(node, epoch, head.lane);
            checks.on_epoch(key, head.store, self.timeline);
            let empty = || Ranges::up_to(0, ChainHash::of_store(head.store, head.lane));
            let ranges = self.tables.lanes.get(&key).cloned().unwrap_or_else(empty);
            let safe = self.safe(key, &ranges);
            opened.push(OpenedLane { head: *head, key, ranges, safe });
        }
        let session = SessionNumber(row.session);
        changes.push(Change::Node(node, row));
        self.write(changes, due);
        Answer::Opened { origin, node, session, logs: opened }
    }

    fn commit(&mut self, transaction: &Transaction, due: Duration, checks: &mut Checks) -> Answer {
        let mut changes = Vec::new();
        let stands = |database: &Self, node: usize, session: SessionNumber| {
            database.session(node) == session.0 || mutated(DriverMutation::FenceSkipped)
        };
        let mut lanes = Vec::new();
        for moved in &transaction.lanes {
            let current = self.tables.lanes.get(&moved.key);
            let is_as_before = current.is_none_or(|current| *current == moved.before)
                && (current.is_some() || moved.before.end() == 0)
                || mutated(DriverMutation::BeforeNotCompared);
            let fits = stands(self, moved.key.node, moved.session) && is_as_before;
            if fits {
                checks.on_commit(self, moved);
                changes.extend(moved.rows.iter().map(|row| Change::Row(moved.key, Rc::clone(row))));
                changes.push(Change::Lane(moved.key, moved.after.clone()));
            }
            lanes.push(fits);
        }
        // What the same transaction writes counts.
        self.write(std::mem::take(&mut changes), due);
        let mut apart = Vec::new();
        for kept in &transaction.apart {
            let fits = stands(self, kept.key.node, kept.session);
            let is_dropped = mutated(DriverMutation::OtherHashDropped);
            if fits && !is_dropped && !self.tables.has(kept.key, &kept.batch) {
                checks.on_apart(self, kept);
                changes.push(Change::Apart(kept.key, Rc::clone(&kept.batch)));
            }
            apart.push(fits);
        }
        self.write(changes, due);
        Answer::Committed { lanes, apart, lsn: self.lsn }
    }

    /// Revokes a node, or takes it back; what it has open is fenced by the same transaction.
    pub(crate) fn set_revoked(&mut self, node: usize, is_revoked: bool, due: Duration) {
        let mut row = self.tables.nodes.get(&node).cloned().unwrap_or_default();
        row.is_revoked = is_revoked;
        row.session += 1;
        self.write(vec![Change::Node(node, row)], due);
    }

    /// The replica takes over: what it has not got is gone.
    pub(crate) fn fail_over(&mut self) {
        self.tables = self.replica.clone();
        self.pending.clear();
        self.lsn = self.replica_lsn;
        self.timeline += 1;
    }

    /// Makes a backup, or goes back to it; says whether it went back.
    pub(crate) fn back_up_or_restore(&mut self) -> bool {
        let Some((tables, lsn)) = self.backup.take() else {
            self.backup = Some((self.replica.clone(), self.replica_lsn));
            return false;
        };
        (self.tables, self.replica) = (tables.clone(), tables);
        (self.lsn, self.replica_lsn) = (lsn, lsn);
        self.pending.clear();
        self.timeline += 1;
        true
    }
}
