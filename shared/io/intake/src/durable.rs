//! How far records are durable, told to whoever waits for it.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use tokio::sync::Notify;

/// Packets of one producer that are durable.
#[derive(Debug, Default)]
pub struct DurableCount {
    packets: AtomicU64,
    is_closed: AtomicBool,
    changed: Notify,
}

impl DurableCount {
    /// Packets made durable so far.
    pub fn packets(&self) -> u64 {
        self.packets.load(Ordering::Acquire)
    }

    /// The producer sends no more; whoever waits for changes is told.
    pub fn close(&self) {
        self.is_closed.store(true, Ordering::Release);
        self.changed.notify_one();
    }

    /// Whether the producer sends no more.
    pub fn is_closed(&self) -> bool {
        self.is_closed.load(Ordering::Acquire)
    }

    /// Waits for the next change after the last wait.
    pub async fn changed(&self) {
        self.changed.notified().await;
    }

    /// So many more are durable: only whoever made them so may say it, and only after it.
    pub fn add(&self, packets: u64) {
        self.packets.fetch_add(packets, Ordering::AcqRel);
        self.changed.notify_one();
    }
}

/// Of the request with this key, so many records are in the batches up to and including one.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Receipt {
    /// What the producer calls its request.
    pub key: [u8; 16],
    /// Records of the request up to and including the batch.
    pub records: u32,
}
