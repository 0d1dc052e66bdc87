//! What the torturer writes: batches whose records can be made again from a number.

use std::io::Write;
use std::path::PathBuf;

use anyhow::Context;
use delivery::{BatchBuilder, BatchSequence, SealedBody, StoreId};
use edge_node::journal::Journal;
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use space_packet::{ReceptionTime, TaiTime};

use crate::engine::{Engine, append};
use crate::ledger::{Content, Entry};

/// Batches that become durable together.
const GROUP: std::ops::RangeInclusive<usize> = 1..=8;
/// One batch in so many is as large as batches get.
const LARGE_ONE_IN: u32 = 24;
const SMALL_RECORDS: std::ops::RangeInclusive<usize> = 1..=48;
const SMALL_RECORD_BYTES: std::ops::RangeInclusive<usize> = 8..=160;
const LARGE_RECORD_BYTES: std::ops::RangeInclusive<usize> = 400..=1500;
/// After one commit in so many, the hub has taken some.
const ACKNOWLEDGE_ONE_IN: u32 = 6;
/// After one commit in so many, the journal is closed and opened again.
const REOPEN_ONE_IN: u32 = 60;
/// Batches that stay, so that there is something to look for.
const KEPT_BATCHES: u64 = 150;

/// Records of a batch, made from its number.
pub fn records(seed: u64) -> Vec<Vec<u8>> {
    let mut chance = SmallRng::seed_from_u64(seed);
    let (count, lengths) = if chance.random_ratio(1, LARGE_ONE_IN) {
        (1_000, LARGE_RECORD_BYTES)
    } else {
        (chance.random_range(SMALL_RECORDS), SMALL_RECORD_BYTES)
    };
    // Noise compresses badly, zeros well: batches of every length come out.
    let noisy = chance.random_range(0.0..1.0);
    let mut record = |index: usize| {
        let mut bytes = seed.wrapping_add(index as u64).to_be_bytes().to_vec();
        let length = chance.random_range(lengths.clone());
        bytes.resize_with(length, || if chance.random_bool(noisy) { chance.random() } else { 0 });
        bytes
    };
    let mut room = BatchBuilder::new("torture", "rack");
    let mut taken = Vec::new();
    for index in 0..count {
        let bytes = record(index);
        if !room.has_room_for(bytes.len()) {
            break;
        }
        room.push(ReceptionTime(TaiTime(0)), &bytes);
        taken.push(bytes);
    }
    taken
}

/// A body with the records of this number.
pub fn body(seed: u64) -> anyhow::Result<SealedBody> {
    let mut builder = BatchBuilder::new("torture", "rack");
    for (index, record) in records(seed).iter().enumerate() {
        builder.push(ReceptionTime(TaiTime(seed as i64 / 2 + index as i64)), record);
    }
    builder.pack().context("there is always a record")
}

/// What to write, and where to say so.
pub struct Plan {
    /// Which engine.
    pub engine: Engine,
    /// The journal's directory.
    pub directory: PathBuf,
    /// Everything that is left to chance follows from it.
    pub seed: u64,
    /// Commits until the end; `None` goes on for ever.
    pub commits: Option<u64>,
}

/// Writes until the end, and says in `ledger` what was acknowledged.
pub fn write(plan: &Plan, ledger: &mut impl Write) -> anyhow::Result<()> {
    let mut chance = SmallRng::seed_from_u64(plan.seed);
    let new_store = StoreId(chance.random());
    let mut journal = plan.engine.open(&plan.directory, new_store)?;
    let mut done = 0;
    while plan.commits.is_none_or(|commits| done < commits) {
        done += 1;
        commit_group(journal.as_mut(), ledger, &mut chance)?;
        if chance.random_ratio(1, ACKNOWLEDGE_ONE_IN) {
            acknowledge(journal.as_mut(), ledger, &mut chance)?;
        }
        if chance.random_ratio(1, REOPEN_ONE_IN) {
            drop(journal);
            journal = plan.engine.open(&plan.directory, new_store)?;
        }
    }
    Ok(())
}

fn commit_group(
    journal: &mut dyn Journal,
    ledger: &mut impl Write,
    chance: &mut SmallRng,
) -> anyhow::Result<()> {
    let mut lines = Entry::Store(journal.store()).line();
    for _ in 0..chance.random_range(GROUP) {
        let seed = chance.random();
        let batch = append(journal, body(seed)?)?;
        lines += &Entry::Acknowledged(batch.header.sequence, Content { hash: batch.hash, seed }).line();
    }
    journal.commit()?;
    say(ledger, &lines)
}

/// The hub has some; some of those may go. Said before it is done: from here on it may happen.
fn acknowledge(
    journal: &mut dyn Journal,
    ledger: &mut impl Write,
    chance: &mut SmallRng,
) -> anyhow::Result<()> {
    let head = journal.head().number();
    let tail = journal.tail().map_or(head, |tail| tail.0);
    let told = BatchSequence(chance.random_range(tail..=head));
    say(ledger, &Entry::Told(told).line())?;
    journal.remember_acknowledged(told)?;
    let unneeded = BatchSequence(told.0.min(head.saturating_sub(KEPT_BATCHES)));
    if unneeded.0 >= tail {
        say(ledger, &Entry::Unneeded(unneeded).line())?;
        journal.prune(unneeded)?;
    }
    Ok(())
}

/// In one call, so that it is said or not.
fn say(ledger: &mut impl Write, lines: &str) -> anyhow::Result<()> {
    ledger.write_all(lines.as_bytes())?;
    Ok(ledger.flush()?)
}
