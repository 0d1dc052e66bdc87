//! What must be true, checked where it can be broken. A failure names the invariant, and stays the first one.
//!
//! This knows everything that ever happened, which no node and no hub does.

mod finally;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use delivery::{Ack, BootId, ChainHash, RANGES_MAX, Ranges, SealedBatch, StoreId};

use crate::database::{Apart, Database, LaneKey, LaneMove};
use crate::hub::{HOSTILE, MISSION};
use crate::journal::Journal;

pub(crate) use finally::{Counts, check_all};

/// Something that must never be.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Failure {
    pub invariant: &'static str,
    pub what: String,
}

/// What became of a record.
#[derive(Clone, Debug)]
pub(crate) struct Fate {
    pub node: usize,
    pub store: StoreId,
    pub number: u64,
    pub hash: ChainHash,
    /// When its producer was told that it is safe.
    pub produced: Option<Duration>,
    /// The only copy went with a disk or with the archive: nothing can be asked of anybody.
    pub is_excused: bool,
}

#[derive(Clone, Copy, Debug, Default)]
struct StoreMarks {
    node: usize,
    committed: u64,
    replicated: u64,
}

/// The ghost of the world.
#[derive(Debug, Default)]
pub(crate) struct Checks {
    pub failure: Option<Failure>,
    pub records: BTreeMap<u64, Fate>,
    /// Records of each batch that was ever sealed.
    pub contents: BTreeMap<[u8; 16], Vec<u64>>,
    marks: BTreeMap<StoreId, StoreMarks>,
    /// Numbers ever committed of a store.
    committed: BTreeMap<StoreId, BTreeSet<u64>>,
    /// Batches that some replica had, by hash.
    replicated: BTreeSet<[u8; 16]>,
    /// Which store a lane belongs to, in each database there was.
    stores: BTreeMap<(u64, LaneKey), StoreId>,
    current: BTreeMap<LaneKey, StoreId>,
    sessions: BTreeMap<(u64, usize), (u64, bool)>,
    boots: BTreeMap<(u64, usize), Vec<BootId>>,
    timeline: u64,
    /// Nodes of which some disk is not what it was: forks are to be expected.
    pub may_fork: BTreeSet<usize>,
    /// Journals that were removed since the archive was last compared with them.
    pub removed: Vec<(usize, Journal)>,
    /// Alarms that must be at the hub by a time: store, number, when.
    pub alarms_due: Vec<(StoreId, u64, Duration)>,
    pub queued_max: u64,
}

impl Checks {
    pub(crate) fn fail(&mut self, invariant: &'static str, what: fmt::Arguments<'_>) {
        if self.failure.is_none() {
            self.failure = Some(Failure { invariant, what: what.to_string() });
        }
    }

    pub(crate) fn on_sealed(&mut self, node: usize, store: StoreId, batch: &SealedBatch, serials: &[u64]) {
        let (number, hash) = (batch.header.sequence.0, batch.hash);
        self.contents.insert(hash.0, serials.to_vec());
        self.marks.entry(store).or_default().node = node;
        for serial in serials {
            let fate = Fate { node, store, number, hash, produced: None, is_excused: false };
            self.records.insert(*serial, fate);
        }
    }

    /// Producers were told that their records are safe.
    pub(crate) fn on_produced(&mut self, serials: &[u64], now: Duration) {
        for serial in serials {
            if let Some(fate) = self.records.get_mut(serial) {
                fate.produced.get_or_insert(now);
            }
        }
    }

    /// A journal went as it was: the only copies of its batches may be gone, and with it what it knew of losses.
    /// `with_forgotten`: what it had forgotten may be gone at the hub too, and nobody is left to declare it.
    pub(crate) fn excuse_journal(&mut self, journal: &Journal, with_forgotten: bool) {
        self.excuse(journal.appended().map(|batch| &**batch));
        let of_it = self.records.values_mut().filter(|fate| fate.store == journal.store);
        for fate in of_it.filter(|fate| with_forgotten || journal.is_missing(fate.number)) {
            fate.is_excused = true;
        }
    }

    /// The only copies of these batches may be gone.
    pub(crate) fn excuse<'a>(&mut self, batches: impl Iterator<Item = &'a SealedBatch>) {
        for batch in batches {
            for serial in self.contents.get(&batch.hash.0).into_iter().flatten() {
                if let Some(fate) = self.records.get_mut(serial) {
                    fate.is_excused = true;
                }
            }
        }
    }

    /// All of a journal went, in the archive and with its disk.
    pub(crate) fn excuse_store(&mut self, store: StoreId) {
        for fate in self.records.values_mut().filter(|fate| fate.store == store) {
            fate.is_excused = true;
        }
    }

    /// I8: a boot id that another one followed never comes back.
    pub(crate) fn on_boot(&mut self, timeline: u64, node: usize, boot: BootId) {
        let boots = self.boots.entry((timeline, node)).or_default();
        if boots.last() == Some(&boot) {
            return;
        }
        let is_back = boots.contains(&boot);
        boots.push(boot);
        if is_back && node < HOSTILE {
            self.fail(
                "I8",
                format_args!("node {node} was admitted with a boot id that another one had followed"),
            );
        }
    }

    /// I13: a revoked node opens no session.
    pub(crate) fn on_session(&mut self, timeline: u64, node: usize, session: u64, is_revoked: bool) {
        self.timeline = timeline;
        self.sessions.insert((timeline, node), (session, is_revoked));
        if is_revoked {
            self.fail("I13", format_args!("node {node} is revoked and was given session {session}"));
        }
    }

    pub(crate) fn on_epoch(&mut self, key: LaneKey, store: StoreId, timeline: u64) {
        let known = *self.stores.entry((timeline, key)).or_insert(store);
        self.current.insert(key, store);
        if known != store {
            self.fail("I2", format_args!("{key:?} was given to journal {store:?} and is {known:?}'s"));
        }
    }

    /// I2, I3, I8, I13 and I15, before a lane moves.
    pub(crate) fn on_commit(&mut self, database: &Database, moved: &LaneMove) {
        let key = moved.key;
        let node = database.tables.nodes.get(&key.node);
        let (open, is_revoked) = node.map_or((0, false), |row| (row.session, row.is_revoked));
        if open != moved.session.0 {
            let session = moved.session.0;
            self.fail(
                "I8",
                format_args!("session {session} of node {} commits where {open} is open", key.node),
            );
        }
        if is_revoked {
            self.fail("I13", format_args!("node {} is revoked and commits to {key:?}", key.node));
        }
        let before = database.tables.lanes.get(&key);
        if before.is_some_and(|before| moved.after.watermark() < before.watermark()) {
            self.fail(
                "I3",
                format_args!("the watermark of {key:?} goes back: {before:?}, {:?}", moved.after),
            );
        }
        if moved.after.spans().len() > RANGES_MAX {
            let spans = moved.after.spans().len();
            self.fail("I15", format_args!("{key:?} has {spans} spans where {RANGES_MAX} are allowed"));
        }
        let Some(store) = self.current.get(&key).copied() else { return };
        for row in &moved.rows {
            let (first, last) = (row.header.first_sequence().0, row.header.sequence.0);
            if let Some(known) = (first..=last).find_map(|number| database.tables.row(key, number)) {
                let known = known.header.sequence.0;
                self.fail("I2", format_args!("{key:?} {first}-{last} is written where {known} is already"));
            }
            if (row.header.mission == MISSION) != (key.node < HOSTILE) {
                self.fail("I13", format_args!("node {} wrote to mission {}", key.node, row.header.mission));
            }
            self.committed.entry(store).or_default().extend(first..=last);
        }
        let marks = self.marks.entry(store).or_default();
        marks.committed = marks.committed.max(moved.after.watermark());
    }

    /// I16: what the archive has is not kept apart as well.
    pub(crate) fn on_apart(&mut self, database: &Database, kept: &Apart) {
        let number = kept.batch.header.sequence.0;
        if database.tables.row(kept.key, number).is_some_and(|row| row.hash == kept.batch.hash) {
            self.fail("I16", format_args!("{:?} {number} is kept apart, and in the archive", kept.key));
        }
        if (kept.batch.header.mission == MISSION) != (kept.key.node < HOSTILE) {
            self.fail("I13", format_args!("node {} wrote to another mission", kept.key.node));
        }
    }

    /// I14: the hub says it is done with a batch that it did not commit: then it has that very one.
    pub(crate) fn on_compared(&mut self, database: &Database, key: LaneKey, batch: &SealedBatch) {
        if !database.tables.has(key, batch) {
            let (first, last) = (batch.header.first_sequence().0, batch.header.sequence.0);
            self.fail(
                "I14",
                format_args!("{key:?} {first}-{last} differs from what is there and was dropped"),
            );
        }
    }

    /// I14: what is called a duplicate of something under way is the same.
    pub(crate) fn on_duplicate(&mut self, batch: &SealedBatch, pending: Option<(u64, ChainHash)>) {
        if pending.is_none_or(|(_, hash)| hash != batch.hash) {
            let number = batch.header.sequence.0;
            self.fail("I14", format_args!("batch {number} was dropped as a duplicate of {pending:?}"));
        }
    }

    /// I3: what a node is told is committed was.
    pub(crate) fn on_ack(&mut self, store: StoreId, is_forked: bool, ack: &Ack) {
        let marks = self.marks.get(&store).copied().unwrap_or_default();
        if is_forked {
            return;
        }
        if ack.watermark > marks.committed {
            let committed = marks.committed;
            self.fail(
                "I3",
                format_args!("{store:?} is acknowledged up to {}, committed is {committed}", ack.watermark),
            );
        }
        let mut acked = ack.ranges.iter().flat_map(|&(first, last)| first..=last);
        let known = self.committed.get(&store);
        if let Some(number) = acked.find(|number| known.is_none_or(|known| !known.contains(number))) {
            self.fail("I3", format_args!("{store:?} {number} is acknowledged and was never committed"));
        }
    }

    /// I3 at the node, and I7: alarms that are due are there.
    pub(crate) fn on_acknowledged(&mut self, store: StoreId, watermark: u64, now: Duration) {
        let committed = self.marks.get(&store).map_or(0, |marks| marks.committed);
        if watermark > committed {
            self.fail(
                "I3",
                format_args!(
                    "a node takes {store:?} for committed up to {watermark}, it is up to {committed}"
                ),
            );
        }
        let late = |due: &&(StoreId, u64, Duration)| due.0 == store && due.1 <= watermark && due.2 < now;
        if let Some((_, number, due)) = self.alarms_due.iter().find(late).copied() {
            self.fail("I7", format_args!("alarm {number} was due at {due:?} and acknowledged at {now:?}"));
        }
        self.alarms_due.retain(|due| due.0 != store || due.1 > watermark);
    }

    pub(crate) fn on_replicated(&mut self, key: LaneKey, ranges: &Ranges) {
        if let Some(store) = self.current.get(&key) {
            let marks = self.marks.entry(*store).or_default();
            marks.replicated = marks.replicated.max(ranges.watermark());
        }
    }

    /// A batch that a failover does not lose.
    pub(crate) fn on_batch_replicated(&mut self, batch: &SealedBatch) {
        self.replicated.insert(batch.hash.0);
    }

    /// I4: what a node forgets, a failover does not lose.
    pub(crate) fn on_pruned(&mut self, store: StoreId, pruned: u64) {
        let replicated = self.marks.get(&store).map_or(0, |marks| marks.replicated);
        if pruned > replicated {
            self.fail("I4", format_args!("{store:?} was pruned up to {pruned}, safe is {replicated}"));
        }
    }

    /// A journal was removed as a whole: looked at as soon as the database is at hand.
    pub(crate) fn on_removed(&mut self, node: usize, journal: Journal) {
        self.removed.push((node, journal));
    }

    /// I4 for whole journals.
    pub(crate) fn check_removed(&mut self, database: &Database) {
        for (node, journal) in std::mem::take(&mut self.removed) {
            let epoch = database.replica.stores.get(&(node, journal.store));
            let key = epoch.map(|epoch| LaneKey::new(node, *epoch, journal.lane));
            let is_safe = |batch: &SealedBatch| key.is_some_and(|key| database.replica.has(key, batch));
            let lost = journal.sound().filter(|batch| !is_safe(batch));
            // An old backup may be all there is since, and the acknowledgement from before it was still under way.
            let unsafe_ever = lost.clone().find(|batch| !self.replicated.contains(&batch.hash.0));
            if let Some(number) = unsafe_ever.map(|batch| batch.header.sequence.0) {
                let store = journal.store;
                self.fail("I4", format_args!("{store:?} {number} went with its journal and is not safe"));
            }
            if lost.count() > 0 {
                self.excuse_journal(&journal, true);
            }
        }
    }

    /// H2: there is no fork where every disk is what it was.
    pub(crate) fn on_fork(&mut self, node: usize, store: StoreId) {
        if node < HOSTILE && !self.may_fork.contains(&node) {
            self.fail("H2", format_args!("journal {store:?} of node {node} is called a fork for no reason"));
        }
    }

    /// I6: what waits at a hub stays within its memory.
    pub(crate) fn on_queued(&mut self, hub: usize, bytes: u64, memory: u64) {
        self.queued_max = self.queued_max.max(bytes);
        if bytes > memory {
            self.fail("I6", format_args!("hub {hub} holds {bytes} bytes where {memory} are allowed"));
        }
    }
}
