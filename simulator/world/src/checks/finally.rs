//! What is compared at the end, from what the databases and the disks hold: record by record.

use std::collections::{BTreeMap, BTreeSet};

use delivery::{ChainHash, GapReason, SealedBatch};

use super::{Checks, Fate};
use crate::database::{Database, LaneKey};
use crate::edge::Machine;
use crate::hub::HOSTILE;

/// What the end of a world counted.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    pub produced: u64,
    pub archived: u64,
    pub apart: u64,
    pub declared: u64,
    pub excused: u64,
    pub waiting: u64,
}

impl Counts {
    /// Adds another world's.
    pub(crate) fn add(&mut self, other: &Self) {
        self.produced += other.produced;
        self.archived += other.archived;
        self.apart += other.apart;
        self.declared += other.declared;
        self.excused += other.excused;
        self.waiting += other.waiting;
    }
}

/// I1, I2, I5 and I11. `is_converged` says that all that was to arrive has arrived.
pub(crate) fn check_all(
    checks: &mut Checks,
    database: &Database,
    machines: &[Machine],
    is_converged: bool,
) -> Counts {
    check_lanes(checks, database);
    let archived =
        records_of(checks, database.tables.ledger.iter().map(|((key, _), batch)| (*key, &**batch)));
    let apart =
        records_of(checks, database.tables.quarantine.iter().map(|((key, ..), batch)| (*key, &**batch)));
    for (serial, count) in &archived {
        if *count > 1 {
            checks.fail("I1", format_args!("record {serial:x} is in the archive {count} times"));
        }
    }
    let on_disk = records_on_disks(checks, machines);
    let mut counts = Counts::default();
    let mut lost = Vec::new();
    for (serial, fate) in checks.records.iter().filter(|(_, fate)| fate.produced.is_some()) {
        counts.produced += 1;
        let is_waiting = on_disk.contains(serial) || is_known_missing(machines, fate.store, fate.number);
        if archived.contains_key(serial) {
            counts.archived += 1;
        } else if apart.contains_key(serial) {
            counts.apart += 1;
        } else if is_declared(database, fate.node, fate.store, fate.number) {
            counts.declared += 1;
        } else if is_waiting && (!is_converged || is_switched_off(machines, fate)) {
            counts.waiting += 1;
        } else if fate.is_excused {
            counts.excused += 1;
        } else {
            lost.push((*serial, fate.clone(), is_waiting));
        }
    }
    if let Some((serial, fate, is_waiting)) = lost.first() {
        let (count, Fate { node, store, number, produced, .. }) = (lost.len(), fate);
        let place = if *is_waiting { "still at its node" } else { "nowhere" };
        let (at, what) = (produced.unwrap_or_default(), format!("batch {number} of journal {store:?}"));
        let text = format!("record {serial:x} of node {node}, acknowledged at {at:?}, {what}, is {place}");
        checks.fail("I1", format_args!("{count} records are not at the hub: {text}"));
    }
    let told = counts.archived + counts.apart + counts.declared + counts.waiting + counts.excused;
    if told + lost.len() as u64 != counts.produced {
        checks.fail("I11", format_args!("{counts:?} does not add up"));
    }
    counts
}

/// I2 and I11: rows tile their lane, the chain runs through them, and the lane's row says the same. I5: order.
fn check_lanes(checks: &mut Checks, database: &Database) {
    let may_fork = checks.may_fork.clone();
    let mut newest: BTreeMap<(LaneKey, u64), u64> = BTreeMap::new();
    let mut end: Option<(LaneKey, u64, ChainHash)> = None;
    let mut held: BTreeMap<LaneKey, u64> = BTreeMap::new();
    for ((key, first), row) in &database.tables.ledger {
        let last = row.header.sequence.0;
        *held.entry(*key).or_default() += last - first + 1;
        if let Some((known, number, hash)) = end.filter(|(known, ..)| known == key) {
            if *first <= number {
                checks.fail("I2", format_args!("{known:?} has {first} twice"));
            } else if *first == number + 1 && row.previous != hash {
                checks.fail("I11", format_args!("the chain of {key:?} breaks at {first}"));
            }
        }
        end = Some((*key, last, row.position().hash));
        for serial in serials(checks, row) {
            let newest = newest.entry((*key, serial >> 36)).or_default();
            // Where a journal is not what it was, two histories may lie in one lane, joined by a gap.
            if *newest >= serial && !may_fork.contains(&key.node) {
                let newest = *newest;
                checks.fail("I5", format_args!("{key:?} has record {serial:x} behind {newest:x}"));
            }
            *newest = serial;
        }
    }
    for (key, ranges) in &database.tables.lanes {
        let spans: u64 = ranges.spans().iter().map(|span| span.last - span.first + 1).sum();
        let (expected, found) = (ranges.watermark() + spans, held.get(key).copied().unwrap_or(0));
        if expected != found {
            checks.fail(
                "I11",
                format_args!("{key:?} says it holds {expected} numbers, the ledger has {found}"),
            );
        }
    }
}

/// The records of a batch, from its bytes.
fn serials(checks: &mut Checks, batch: &SealedBatch) -> Vec<u64> {
    let open = match batch.open() {
        Ok(open) => open,
        Err(error) => {
            checks.fail("I11", format_args!("a row of the ledger does not open: {error}"));
            return Vec::new();
        }
    };
    let serial = |bytes: &[u8]| bytes.first_chunk().map(|bytes| u64::from_be_bytes(*bytes));
    open.records().filter_map(|record| serial(record.bytes)).collect()
}

/// How often each record of honest nodes is there.
fn records_of<'a>(
    checks: &mut Checks,
    rows: impl Iterator<Item = (LaneKey, &'a SealedBatch)>,
) -> BTreeMap<u64, u64> {
    let mut found: BTreeMap<u64, u64> = BTreeMap::new();
    for (_, row) in rows.filter(|(key, _)| key.node < HOSTILE) {
        for serial in serials(checks, row) {
            if !checks.records.contains_key(&serial) {
                checks.fail("I13", format_args!("the hub has record {serial:x}, which nobody made"));
            }
            *found.entry(serial).or_default() += 1;
        }
    }
    found
}

fn records_on_disks(checks: &Checks, machines: &[Machine]) -> BTreeSet<u64> {
    let journals = machines.iter().flat_map(|machine| &machine.disk);
    let batches = journals.flat_map(super::super::journal::Journal::appended);
    batches.filter_map(|batch| checks.contents.get(&batch.hash.0)).flatten().copied().collect()
}

/// Whether a batch lies on a machine that was taken away, or was known there to be missing.
fn is_switched_off(machines: &[Machine], fate: &Fate) -> bool {
    let off = machines.iter().filter(|machine| machine.is_removed);
    let mut journals = off.flat_map(|machine| &machine.disk).filter(|journal| journal.store == fate.store);
    journals.any(|journal| {
        journal.is_missing(fate.number) || journal.appended().any(|batch| batch.hash == fate.hash)
    })
}

/// Whether a journal knows that it has lost a batch, and will say so.
fn is_known_missing(machines: &[Machine], store: delivery::StoreId, number: u64) -> bool {
    let mut journals = machines.iter().flat_map(|machine| &machine.disk);
    journals
        .any(|journal| journal.store == store && (journal.is_missing(number) || number <= journal.pruned()))
}

/// Whether a number of a journal is declared to be missing, in the archive or apart from it.
fn is_declared(database: &Database, node: usize, store: delivery::StoreId, number: u64) -> bool {
    let tables = &database.tables;
    let Some(epoch) = tables.stores.get(&(node, store)) else { return false };
    let covers = |batch: &SealedBatch| {
        let range = batch.header.first_sequence().0..=batch.header.sequence.0;
        batch.header.gap.is_some_and(|gap| gap.reason != GapReason::NeverIssued) && range.contains(&number)
    };
    [delivery::Lane::Alarm, delivery::Lane::Telemetry].into_iter().any(|lane| {
        let key = LaneKey::new(node, *epoch, lane);
        let apart = tables.quarantine.range((key, number, [0; 16])..);
        let mut apart = apart.take_while(|((other, ..), _)| *other == key);
        tables.row(key, number).is_some_and(|row| covers(row)) || apart.any(|(_, batch)| covers(batch))
    })
}
