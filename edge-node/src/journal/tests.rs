//! What every engine of the journal must do: one suite, run for each.

mod damage;
mod suite;

use std::path::{Path, PathBuf};

use delivery::{BatchBuilder, Lane};
use space_packet::{ReceptionTime, TaiTime};

use super::*;

pub(super) const STORE: StoreId = StoreId([5; 16]);
/// Small, so that a few dozen batches make several files.
const SEGMENT_BYTES: u64 = 2_000;

pub(super) fn body(number: u64) -> SealedBody {
    let mut builder = BatchBuilder::new("demo", "antenna");
    builder.push(ReceptionTime(TaiTime(number as i64)), &number.to_be_bytes());
    builder.pack().expect("one record")
}

/// An engine under test: how it is opened, and how its stored bytes are reached.
#[derive(Clone, Copy, Debug)]
enum Engine {
    Segments,
    Sled,
}

impl Engine {
    fn try_open(
        self,
        path: &Path,
        store: StoreId,
        key: Option<JournalKey>,
    ) -> Result<Box<dyn Journal>, JournalError> {
        Ok(match self {
            Self::Segments => Box::new(SegmentJournal::open(path, store, key, SEGMENT_BYTES)?),
            Self::Sled => Box::new(SledJournal::open(path, store, key)?),
        })
    }

    fn open(self, path: &Path) -> Box<dyn Journal> {
        self.try_open(path, STORE, None).expect("opens")
    }
}

pub(super) fn append(journal: &mut dyn Journal, count: u64) {
    for _ in 0..count {
        let number = journal.head().number() + 1;
        let batch = journal.append(body(number), &[]).expect("appended");
        assert_eq!(batch.header.sequence, BatchSequence(number));
    }
}

fn numbers(journal: &mut dyn Journal) -> Vec<u64> {
    let head = journal.head().number();
    (1..=head)
        .filter(|&number| matches!(journal.read(BatchSequence(number)).expect("reads"), Found::Batch(_)))
        .collect()
}

fn batch(journal: &mut dyn Journal, number: u64) -> SealedBatch {
    match journal.read(BatchSequence(number)).expect("reads") {
        Found::Batch(batch) => *batch,
        other => panic!("batch {number}: {other:?}"),
    }
}

/// Gaps as numbers and reasons.
fn gaps(journal: &dyn Journal) -> Vec<(u64, u64, GapReason)> {
    journal.gaps().iter().map(|gap| (gap.first.0, gap.last.0, gap.reason)).collect()
}

/// A journal with batches, committed and closed.
fn closed_journal(engine: Engine, batches: u64) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a directory");
    let path = folder.path().join("journal");
    let mut journal = engine.open(&path);
    append(&mut *journal, batches);
    journal.commit().expect("committed");
    (folder, path)
}
