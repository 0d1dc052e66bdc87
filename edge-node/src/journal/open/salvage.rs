//! What is sound in a damaged journal is copied, to be forwarded.
//!
//! ```text
//! *.damaged-N/salvage-done the salvage is finished; without it, it is made again at the next start
//! ```

use std::path::Path;

use delivery::{ChainHash, Event, Lane, Severity, StoreId};
use tracing::error;

use super::aside::{COMMITTED_FILE, damaged_in, salvaged_of, write_durably};
use crate::events::event;
use crate::journal::carve::{Carved, Newest};
use crate::journal::gaps::Gaps;
use crate::journal::segments::{self, SEGMENT_BYTES, SegmentStore};
use crate::journal::sled_engine::{self, sync_directory};
use crate::journal::store::{Store, fact};
use crate::journal::{GapReason, JournalError};

const DONE_FILE: &str = "salvage-done";

/// Salvages every damaged journal whose salvage was not finished. What fails is tried again at the next start:
/// recording goes on whatever becomes of it.
pub(super) fn salvage_unfinished(
    data: &Path,
    lane: Lane,
    new_store: &mut dyn FnMut() -> StoreId,
    events: &mut Vec<Event>,
) {
    for damaged in damaged_in(data, lane) {
        if damaged.join(DONE_FILE).exists() {
            continue;
        }
        let salvaged = salvaged_of(&damaged, lane);
        let known = sled_engine::id_in(&damaged).or_else(|| segments::id_in(&damaged));
        let named = (lane, known.unwrap_or_else(&mut *new_store));
        let result = salvage(&damaged, &salvaged, named);
        let marked = result.and_then(|batches| {
            mark_done(&damaged)?;
            Ok(batches)
        });
        match marked {
            Ok(0) => {}
            Ok(batches) => events.push(event(
                "STO-JOURNAL-SALVAGED",
                Severity::Warning,
                "Sound batches were found in the damaged journal; they wait to be forwarded.",
                &[("batches", batches.to_string()), ("id_known", known.is_some().to_string())],
            )),
            Err(error) => {
                let cause = service::logging::chain(&error);
                error!(cause, damaged = %damaged.display(), "the damaged journal is not salvaged yet");
                events.push(event(
                    "STO-JOURNAL-NOT-SALVAGED",
                    Severity::Error,
                    "The damaged journal was kept, but could not be salvaged; the next start tries again.",
                    &[("kept_in", damaged.display().to_string()), ("cause", cause)],
                ));
            }
        }
    }
}

fn mark_done(damaged: &Path) -> Result<(), JournalError> {
    let operation = "note that the salvage is finished";
    write_durably(&damaged.join(DONE_FILE), &[]).map_err(JournalError::io(operation))?;
    sync_directory(damaged)
}

fn committed_of(damaged: &Path) -> Option<Newest> {
    let bytes = std::fs::read(damaged.join(COMMITTED_FILE)).ok()?;
    let (number, hash) = bytes.split_first_chunk::<8>()?;
    Some(Newest { number: u64::from_be_bytes(*number), hash: ChainHash(hash.try_into().ok()?) })
}

/// Copies what is sound into a journal of segments, as it was stored; says how many batches.
fn salvage(damaged: &Path, salvaged: &Path, (lane, id): (Lane, StoreId)) -> Result<u64, JournalError> {
    if salvaged.exists() {
        // It was finished, and the node stopped before that was noted.
        return Ok(0);
    }
    // Written beside and renamed: a crash half-way leaves nothing that looks whole.
    let unfinished = salvaged.with_extension("salvaging");
    remove_if_there(&unfinished)?;
    let acknowledged = segments::acknowledged_in(damaged);
    let carved = Carved::from_directory(damaged, lane, acknowledged.unwrap_or(0), committed_of(damaged));
    if carved.numbers().next().is_none() {
        return Ok(0);
    }
    let copied = copy(&carved, acknowledged, &unfinished, id).and_then(|batches| {
        std::fs::rename(&unfinished, salvaged).map_err(JournalError::io("finish the salvage"))?;
        Ok(batches)
    });
    if copied.is_err() {
        // A full disk has the space back; what is left of it goes at the next start.
        drop(remove_if_there(&unfinished));
    }
    let batches = copied?;
    sync_directory(salvaged.parent().unwrap_or(salvaged))?;
    Ok(batches)
}

fn remove_if_there(directory: &Path) -> Result<(), JournalError> {
    match std::fs::remove_dir_all(directory) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(JournalError::io("begin the salvage anew")(error))
        }
        _ => Ok(()),
    }
}

fn copy(
    carved: &Carved,
    acknowledged: Option<u64>,
    directory: &Path,
    id: StoreId,
) -> Result<u64, JournalError> {
    let mut store = SegmentStore::open(directory, SEGMENT_BYTES)?;
    store.set_fact(fact::STORE_ID, &id.0)?;
    if let Some(acknowledged) = acknowledged {
        store.set_fact(fact::ACKNOWLEDGED, &acknowledged.to_be_bytes())?;
    }
    // Where the hub's watermark is not known, it is asked at the first session; what it has is passed over then.
    let (mut batches, mut gaps, mut newest) = (0, Gaps::default(), acknowledged.unwrap_or(0));
    for value in carved.values() {
        let (number, value) = value.map_err(JournalError::io("read a salvaged batch"))?;
        if newest + 1 < number {
            gaps.insert(newest + 1, number - 1, GapReason::Damaged);
        }
        store.put(number, &value, None)?;
        newest = number;
        batches += 1;
    }
    store.set_fact(fact::GAPS, &gaps.encode())?;
    store.flush()?;
    Ok(batches)
}
