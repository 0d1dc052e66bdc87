//! The journal: where telemetry becomes durable at the station.
//!
//! [`Journal`] is the contract. [`BatchLog`] keeps it over an engine, and there are two of those: sled and plain
//! segment files. One thread owns the journal ([`start`]) and everybody else talks to it through a
//! [`JournalHandle`].

mod ballast;
mod batch_log;
mod carve;
mod envelope;
mod gaps;
mod handle;
mod open;
mod segments;
mod sled_engine;
mod sled_files;
mod store;
mod writer;

use std::collections::HashMap;

use delivery::{
    BatchSequence, ChainHash, Event, GapReason, Lane, Position, SealedBatch, SealedBody, StoreId,
};
use serde::{Deserialize, Serialize};

pub use batch_log::{BatchLog, LogOptions};
pub use envelope::{JournalKey, KeyError};
pub use handle::{Batches, JournalHandle, JournalLimits, JournalState, JournalStopped, ReadFailed, WhenFull};
pub use intake::{DurableCount, Receipt};
pub use open::{Engine, JournalOptions, OlderDirectory, Opened, Opening, open, open_older};
pub use segments::{SEGMENT_BYTES, SegmentJournal};
pub use sled_engine::SledJournal;
pub(crate) use writer::free_bytes;
pub use writer::{Opener, opener, start};

/// An unbroken run of missing batches.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct GapRecord {
    /// The oldest of them.
    pub first: BatchSequence,
    /// The newest of them.
    pub last: BatchSequence,
    /// Why they are missing.
    pub reason: GapReason,
}

/// What the journal has under a sequence.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Found {
    /// Pruned because the hub has it, or not written yet.
    Absent,
    /// The batch.
    Batch(Box<SealedBatch>),
    /// It will never be here.
    Missing {
        /// The newest batch that is missing with it: reading goes on behind it.
        until: BatchSequence,
        /// Why.
        reason: GapReason,
    },
}

/// An append-only log of sealed batches of one lane, pruned from its beginning.
///
/// What `commit` returned from survives a power cut. Positions have an order that always stands:
/// pruned ≤ appended, and at least the newest batch stays, so that the chain can be continued.
pub trait Journal: Send + 'static {
    /// Which journal this is.
    fn store(&self) -> StoreId;
    /// The lane of all its batches.
    fn lane(&self) -> Lane;
    /// The newest committed or appended batch, or the end of a gap behind it.
    fn head(&self) -> Position;
    /// The oldest batch still here; absent when the journal is empty.
    fn tail(&self) -> Option<BatchSequence>;
    /// Sealed bytes of the batches that are here.
    fn retained_bytes(&self) -> u64;
    /// Disk the engine holds and will fill before it asks for more: after a backlog its file stays long.
    fn reusable_bytes(&self) -> u64;
    /// Seals a body behind the newest batch. Not durable before `commit`; the receipts are kept with it or not at all.
    fn append(&mut self, body: SealedBody, receipts: &[Receipt]) -> Result<SealedBatch, JournalError>;
    /// Makes everything appended durable.
    fn commit(&mut self) -> Result<(), JournalError>;
    /// Forgets what was appended behind `committed` and never committed, so that its numbers are free again.
    fn discard_after(&mut self, committed: &Position) -> Result<(), JournalError>;
    /// Reads a batch. A damaged one is set aside when it is met, and is a gap from then on.
    fn read(&mut self, sequence: BatchSequence) -> Result<Found, JournalError>;
    /// Forgets batches up to and including `sequence`, but never the newest one.
    fn prune(&mut self, sequence: BatchSequence) -> Result<(), JournalError>;
    /// Gives up batches that the hub does not have: as `prune`, and what is lost becomes a gap.
    fn evict(&mut self, up_to: BatchSequence) -> Result<(), JournalError>;
    /// Remembers how far the hub has committed. A hint for the next start, durable with the next `commit`.
    fn remember_acknowledged(&mut self, sequence: BatchSequence) -> Result<(), JournalError>;
    /// What `remember_acknowledged` was last told.
    fn acknowledged(&self) -> Option<BatchSequence>;
    /// Gaps that the hub has not acknowledged yet, oldest first.
    fn gaps(&self) -> Vec<GapRecord>;
    /// Batches from `from` on that hold quarantined records, oldest first.
    fn quarantined(&self, from: BatchSequence, max: usize) -> Vec<BatchSequence>;
    /// Records in the journal for each request, of the newest 65,536 requests, as found when it was opened.
    /// Taken: the second call finds nothing.
    fn receipts_at_open(&mut self) -> HashMap<[u8; 16], u32>;
    /// What happened to the journal since it was asked last, to be recorded as events.
    fn take_events(&mut self) -> Vec<Event>;
    /// What the chain is at a number, as the hub was told or will be: of the empty lane for 0; of a batch that is here, or
    /// that the oldest one here follows; inside a gap what stands in for the missing batch, and at its end what a sound
    /// batch behind it follows. Absent for all that was pruned and all that was not written yet.
    fn chain_at(&mut self, number: u64) -> Result<Option<ChainHash>, JournalError> {
        let (store, lane, sequence) = (self.store(), self.lane(), BatchSequence(number));
        if number == 0 {
            return Ok(Some(ChainHash::of_store(store, lane)));
        }
        let tail = self.tail();
        let is_in_gap = self.gaps().iter().any(|gap| (gap.first..=gap.last).contains(&sequence));
        if !is_in_gap && tail.is_none_or(|tail| sequence < tail) {
            return match tail {
                Some(tail) if tail == sequence.next() => previous_of(self, tail),
                _ => Ok(None),
            };
        }
        Ok(match self.read(sequence)? {
            Found::Absent => None,
            Found::Batch(batch) => Some(batch.hash),
            Found::Missing { until, .. } => {
                let behind = if until == sequence { previous_of(self, sequence.next())? } else { None };
                behind.or(Some(ChainHash::after_gap(store, lane, sequence)))
            }
        })
    }
}

/// What a sound batch says of the one before it.
fn previous_of<J: Journal + ?Sized>(
    journal: &mut J,
    sequence: BatchSequence,
) -> Result<Option<ChainHash>, JournalError> {
    Ok(match journal.read(sequence)? {
        Found::Batch(batch) => Some(batch.previous),
        Found::Absent | Found::Missing { .. } => None,
    })
}

/// Why the journal could not do something. Nothing that was acknowledged is affected.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// It is being opened again after a failure.
    #[error("the journal is closed after a failure and will be opened again")]
    Closed,
    /// The engine cannot make sense of its files.
    #[error("the journal's files are corrupt")]
    Corrupt(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The engine failed.
    #[error("failed to {operation}")]
    Engine {
        /// At what.
        operation: &'static str,
        /// How.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Another process has the journal open.
    #[error(
        "the journal in {path} is in use by another process; stop that one first (is edge-node running already?)"
    )]
    Locked {
        /// Where.
        path: String,
    },
    /// The disk is full.
    #[error("the disk is full, failed to {operation}")]
    NoSpace {
        /// At what.
        operation: &'static str,
        /// How.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// It is an older journal that only waits to be forwarded.
    #[error("the journal takes nothing new, it only waits to be forwarded")]
    ReadOnly,
    /// Batches are encrypted with another key.
    #[error(
        "batch {sequence} was encrypted with another key; give the node the key it was written with (the batch is sound and was left alone)"
    )]
    WrongKey {
        /// Which batch.
        sequence: u64,
    },
}

impl JournalError {
    pub(crate) fn engine<E: std::error::Error + Send + Sync + 'static>(
        operation: &'static str,
    ) -> impl FnOnce(E) -> Self {
        move |source| Self::Engine { operation, source: Box::new(source) }
    }

    /// What the system says of a file; a full disk is told apart, because it passes.
    pub(crate) fn io(operation: &'static str) -> impl FnOnce(std::io::Error) -> Self {
        move |source| match source.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => {
                Self::NoSpace { operation, source: Box::new(source) }
            }
            _ => Self::Engine { operation, source: Box::new(source) },
        }
    }
}

#[cfg(test)]
mod tests;
