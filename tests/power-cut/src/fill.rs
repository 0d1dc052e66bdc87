//! A journal with a long backlog, and how fast it opens.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use delivery::{BatchBuilder, BatchSequence, SealedBody, StoreId};
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use serde_json::json;
use space_packet::{ReceptionTime, TaiTime};

use crate::engine::{Engine, append, read};

/// A station is down while its journal opens.
const OPEN_TIME_MAX: Duration = Duration::from_secs(1);
/// As many as a batch of 92-byte packets has on a busy link.
const RECORDS_PER_BATCH: u64 = 256;
const RECORD_BYTES: usize = 92;
const BATCHES_PER_COMMIT: u64 = 64;
/// Bodies that are used again and again: packing is not what is measured.
const BODIES: u64 = 64;
const STORE: StoreId = StoreId([0xf1; 16]);

/// Fills a new journal with at least so many records that wait for the hub.
pub fn fill(engine: Engine, directory: &Path, records: u64) -> anyhow::Result<()> {
    let bodies: Vec<SealedBody> = (0..BODIES).map(body).collect::<anyhow::Result<_>>()?;
    let mut journal = engine.open(directory, STORE)?;
    for (number, body) in (1..=records.div_ceil(RECORDS_PER_BATCH)).zip(bodies.iter().cycle()) {
        append(journal.as_mut(), body.clone())?;
        if number % BATCHES_PER_COMMIT == 0 {
            journal.commit()?;
        }
    }
    Ok(journal.commit()?)
}

fn body(seed: u64) -> anyhow::Result<SealedBody> {
    let mut chance = SmallRng::seed_from_u64(seed);
    let mut builder = BatchBuilder::new("torture", "rack");
    for index in 0..RECORDS_PER_BATCH {
        let mut record = [0; RECORD_BYTES];
        // Half of a packet changes from one to the next.
        record[..RECORD_BYTES / 2].fill_with(|| chance.random());
        builder.push(ReceptionTime(TaiTime(index as i64)), &record);
    }
    builder.pack().context("there is always a record")
}

/// Opens a journal that was filled, and prints how long it took as a line of JSON.
pub fn open(engine: Engine, directory: &Path, records: u64) -> anyhow::Result<()> {
    let begun = Instant::now();
    let mut journal = engine.open(directory, StoreId([0; 16]))?;
    let took = begun.elapsed();
    let head = journal.head();
    ensure!(journal.store() == STORE, "the journal began anew");
    ensure!(head.records >= records, "{} records of {records}", head.records);
    ensure!(journal.tail() == Some(BatchSequence::FIRST), "the oldest batch is {:?}", journal.tail());
    for sequence in [BatchSequence::FIRST, BatchSequence(head.number())] {
        ensure!(read(journal.as_mut(), sequence)?.is_some(), "batch {} is not there", sequence.0);
    }
    let context = json!({
        "engine": engine.name,
        "records": head.records,
        "batches": head.number(),
        "sealed_bytes": head.bytes,
        "optimised": !cfg!(debug_assertions),
    });
    let value = took.as_secs_f64();
    let line = json!({
        "bench": "journal-open", "metric": "open_time", "value": value, "unit": "s", "context": context
    });
    println!("{line}");
    ensure!(took < OPEN_TIME_MAX, "opening took {took:?}");
    Ok(())
}
