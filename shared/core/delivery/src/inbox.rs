//! Decides what the hub does with a batch: commit it, acknowledge it again, or refuse the session.

use crate::{Ack, BatchHeader, BatchSequence, ChainHash, Lane, SealedBatch};

/// The receiving state of one lane of one session.
///
/// Its positions have an order that always stands: committed ≤ received.
#[derive(Debug)]
pub struct Inbox {
    lane: Lane,
    committed: u64,
    received: u64,
    received_hash: ChainHash,
}

/// What to do with a batch.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum InboxVerdict {
    /// Commit it, then tell `on_committed`.
    Commit,
    /// It is committed or about to be: nothing to do.
    Duplicate,
    /// It does not continue what is here, though its number does: end the session, somebody must look.
    Fork,
    /// Batches before it are missing; on an ordered stream that is the sender's fault. End the session.
    OutOfOrder {
        /// The number that was due.
        expected: BatchSequence,
    },
}

impl Inbox {
    /// A lane of which everything up to `watermark` is committed, ending in `hash`.
    pub fn new(lane: Lane, watermark: Option<BatchSequence>, hash: ChainHash) -> Self {
        let committed = watermark.map_or(0, |sequence| sequence.0);
        Self { lane, committed, received: committed, received_hash: hash }
    }

    /// Judges a batch that was checked for damage.
    pub fn on_batch(&mut self, batch: &SealedBatch) -> InboxVerdict {
        let BatchHeader { lane, sequence, .. } = batch.header;
        let expected = BatchSequence(self.received + 1);
        if lane == self.lane && sequence < expected {
            return InboxVerdict::Duplicate;
        }
        // A gap begins right behind what is here: its node was told where that ends.
        if lane != self.lane || batch.header.first_sequence() != expected {
            return InboxVerdict::OutOfOrder { expected };
        }
        if batch.previous != self.received_hash {
            return InboxVerdict::Fork;
        }
        self.received = sequence.0;
        self.received_hash = batch.position().hash;
        InboxVerdict::Commit
    }

    /// Batches up to `sequence` are committed; returns what to tell the node.
    pub fn on_committed(&mut self, sequence: BatchSequence) -> Ack {
        assert!(sequence.0 <= self.received, "only what was received is committed");
        self.committed = self.committed.max(sequence.0);
        let watermark = BatchSequence(self.committed);
        // One PostgreSQL: what is committed is as safe as it gets. Replicas will make `safe` lag behind.
        Ack { lane: self.lane, watermark, safe: watermark }
    }
}

#[cfg(test)]
mod tests;
