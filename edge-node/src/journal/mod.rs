//! The journal: where telemetry becomes durable at the station.
//!
//! [`Journal`] is the contract an engine keeps; [`sled_engine`] is the one in use. One thread owns the engine
//! ([`writer`]) and everybody else talks to it through a [`JournalHandle`].

mod sled_engine;
mod writer;

use delivery::{BatchSequence, ChainHash, Position, SealedBatch, SealedBody, StoreId};

pub use sled_engine::SledJournal;
pub(crate) use writer::free_bytes;
pub use writer::{
    DurableCount, JournalHandle, JournalLimits, JournalState, JournalStopped, ReadFailed, start,
};

/// An append-only log of sealed batches of one lane, pruned from its beginning.
///
/// What `commit` returned from survives a power cut. Positions have an order that always stands:
/// pruned ≤ appended, and at least the newest batch stays, so that the chain can be continued.
pub trait Journal: Send + 'static {
    /// Which journal this is.
    fn store(&self) -> StoreId;
    /// The newest committed or appended batch.
    fn head(&self) -> Position;
    /// The oldest batch still here; absent when the journal is empty.
    fn tail(&self) -> Option<BatchSequence>;
    /// Sealed bytes of the batches that are here.
    fn retained_bytes(&self) -> u64;
    /// Disk the engine holds and will fill before it asks for more: after a backlog its file stays long.
    fn reusable_bytes(&self) -> u64;
    /// Seals a body behind the newest batch. Not durable before `commit`.
    fn append(&mut self, body: SealedBody) -> Result<SealedBatch, JournalError>;
    /// Makes everything appended durable.
    fn commit(&mut self) -> Result<(), JournalError>;
    /// Reads a batch; `None` when it is not here.
    fn read(&self, sequence: BatchSequence) -> Result<Option<SealedBatch>, JournalError>;
    /// Forgets batches up to and including `sequence`, but never the newest one.
    fn prune(&mut self, sequence: BatchSequence) -> Result<(), JournalError>;
    /// Remembers how far the hub has committed. A hint for the next start, durable with the next `commit`.
    fn remember_acknowledged(&mut self, sequence: BatchSequence) -> Result<(), JournalError>;
    /// What `remember_acknowledged` was last told.
    fn acknowledged(&self) -> Option<BatchSequence>;
    /// Hash of a batch that is here, or of the empty lane for `None`.
    fn hash_at(&self, sequence: Option<BatchSequence>) -> Result<Option<ChainHash>, JournalError> {
        match sequence {
            None => Ok(Some(ChainHash::of_store(self.store(), delivery::Lane::Telemetry))),
            Some(sequence) => Ok(self.read(sequence)?.map(|batch| batch.hash)),
        }
    }
}

/// Why the journal could not do something. Nothing that was acknowledged is affected.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The engine cannot make sense of its files.
    #[error("the journal's files are corrupt")]
    Corrupt(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A stored batch is not what was written.
    #[error("batch {sequence} is damaged on disk")]
    Damaged {
        /// Which.
        sequence: u64,
        /// How.
        #[source]
        source: delivery::BatchError,
    },
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
}

impl JournalError {
    pub(crate) fn engine<E: std::error::Error + Send + Sync + 'static>(
        operation: &'static str,
    ) -> impl FnOnce(E) -> Self {
        move |source| Self::Engine { operation, source: Box::new(source) }
    }
}

#[cfg(test)]
mod tests;
