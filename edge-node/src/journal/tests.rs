//! What every engine of the journal must do, in every lane it is used for: one suite, run for each.

mod damage;
mod suite;

use std::path::{Path, PathBuf};

use delivery::BatchBuilder;
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

/// An engine in a lane under test: how it is opened, and how its stored bytes are reached.
#[derive(Clone, Copy, Debug)]
enum Engine {
    /// Segments, in the alarm lane.
    Alarms,
    Segments,
    Sled,
}

impl Engine {
    fn lane(self) -> Lane {
        match self {
            Self::Alarms => Lane::Alarm,
            Self::Segments | Self::Sled => Lane::Telemetry,
        }
    }

    fn try_open(
        self,
        path: &Path,
        store: StoreId,
        key: Option<JournalKey>,
    ) -> Result<Box<dyn Journal>, JournalError> {
        let options = LogOptions { lane: self.lane(), new_store: store, key };
        Ok(match self {
            Self::Alarms | Self::Segments => Box::new(SegmentJournal::open(path, options, SEGMENT_BYTES)?),
            Self::Sled => Box::new(SledJournal::open(path, options)?),
        })
    }

    fn open(self, path: &Path) -> Box<dyn Journal> {
        self.try_open(path, STORE, None).expect("opens")
    }
}

/// A log of telemetry that lies there plain.
fn telemetry() -> LogOptions {
    LogOptions { lane: Lane::Telemetry, new_store: STORE, key: None }
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
