//! Opens a journal after a power cut or a kill, and compares it with the ledger.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use delivery::{BatchSequence, SealedBatch, StoreId};
use edge_node::journal::Journal;

use crate::engine::{Engine, Journals, append, read};
use crate::ledger::{Content, Ledger};
use crate::workload::{body, records};

/// What takes longer hangs, on a disk that others write to as well; how long it takes is for measurements.
const OPEN_TIME_MAX: Duration = Duration::from_secs(20);
/// Appended to see that recording goes on.
const APPENDED: u64 = 3;
/// What a journal is called that had to begin anew.
const NEW_STORE: StoreId = StoreId([0xee; 16]);
/// Begins every message that says that an acknowledged batch is gone.
pub const LOST: &str = "lost: ";

/// Opens the journal, looks for everything acknowledged, goes on recording, and looks again after a restart.
///
/// Says how long the first opening took.
pub fn check(engine: Engine, directory: &Path, ledger: &Ledger) -> anyhow::Result<Duration> {
    let begun = Instant::now();
    let mut journals = engine.open_or_salvage(directory, NEW_STORE)?;
    let took = begun.elapsed();
    ensure!(took < OPEN_TIME_MAX, "opening took {took:?}");
    compare(&mut journals, ledger)?;
    // A journal that began anew counts from 1 again, in an epoch of its own.
    let is_anew = journals.salvaged.is_some();
    let nothing = Ledger::default();
    let appended = go_on(journals.own.as_mut(), if is_anew { &nothing } else { ledger })?;
    drop(journals);
    let mut journals = engine.open_or_salvage(directory, NEW_STORE).context("a second time")?;
    compare(&mut journals, ledger).context("after a restart")?;
    for (sequence, content) in appended {
        find(journals.own.as_mut(), sequence, content).context("after a restart")?;
    }
    Ok(took)
}

fn compare(journals: &mut Journals, ledger: &Ledger) -> anyhow::Result<()> {
    let journal = match &mut journals.salvaged {
        Some(salvaged) => salvaged.as_mut(),
        None => journals.own.as_mut(),
    };
    if let Some(store) = ledger.store {
        ensure!(
            journal.store() == store,
            "{LOST}all {} batches, the journal began anew",
            ledger.needed.len()
        );
    }
    for (number, content) in &ledger.needed {
        find(journal, BatchSequence(*number), *content)?;
    }
    let newest = ledger.newest.map_or(0, |newest| newest.0);
    let head = journal.head().number();
    ensure!(head >= newest, "{LOST}batch {newest} was acknowledged, the journal goes on behind {head}");
    ensure!(
        journal.acknowledged() <= ledger.told,
        "the hub is said to have {:?}, which it never said: {:?}",
        journal.acknowledged(),
        ledger.told
    );
    Ok(())
}

/// A batch is there, with the bytes that were acknowledged and the records that were put into it.
fn find(journal: &mut dyn Journal, sequence: BatchSequence, expected: Content) -> anyhow::Result<()> {
    let number = sequence.0;
    let batch = match read(journal, sequence) {
        Ok(Some(batch)) => batch,
        Ok(None) => bail!("{LOST}batch {number} is not there"),
        Err(failed) => bail!("{LOST}batch {number}: {failed:#}"),
    };
    let batch = SealedBatch::parse(batch.into_bytes()).with_context(|| format!("{LOST}batch {number}"))?;
    ensure!(
        batch.header.sequence == sequence,
        "{LOST}batch {number} calls itself {:?}",
        batch.header.sequence
    );
    ensure!(batch.hash == expected.hash, "{LOST}batch {number} is another one");
    let opened = batch.open().with_context(|| format!("{LOST}batch {number}"))?;
    let same = opened.packets().map(|(_, bytes)| bytes).eq(records(expected.seed).iter().map(Vec::as_slice));
    ensure!(same, "{LOST}batch {number} has other records");
    Ok(())
}

/// Appends and commits, under numbers that nobody was ever told.
fn go_on(journal: &mut dyn Journal, ledger: &Ledger) -> anyhow::Result<Vec<(BatchSequence, Content)>> {
    let mut appended = Vec::new();
    for seed in 0..APPENDED {
        let before = journal.head();
        let batch = append(journal, body(seed)?).context("recording does not go on")?;
        let sequence = batch.header.sequence;
        ensure!(Some(sequence) > ledger.newest, "number {} is used twice", sequence.0);
        ensure!(batch.previous == before.hash, "batch {} is not chained to the one before", sequence.0);
        appended.push((sequence, Content { hash: batch.hash, seed }));
    }
    journal.commit().context("recording does not go on")?;
    for (sequence, content) in &appended {
        find(journal, *sequence, *content)?;
    }
    Ok(appended)
}
