//! What a link has counted since it was opened.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use delivery::Verdicts;
use processing::Verdict;
use space_packet::{ReceptionTime, TaiTime};

use crate::config::LinkConfig;
use crate::{DurableCount, LinkMetrics};

/// What the sequence counts of a link's packets say, all APIDs and connections together.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Continuity {
    /// Packets that did not arrive.
    pub missing: u64,
    /// Gaps that they make up.
    pub gaps: u64,
    /// Packets that came twice, one right after the other.
    pub duplicates: u64,
    /// Packets that came after newer ones.
    pub late: u64,
    /// Counters that began anew.
    pub resets: u64,
    /// Idle packets.
    pub idle: u64,
}

/// A count of rejections of one cause.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct RejectedCount {
    /// Stable name of the cause.
    pub cause: &'static str,
    /// How often.
    pub count: u64,
    /// Bytes that were not taken.
    pub bytes: u64,
}

/// A link's counts at a moment.
#[derive(Clone, Debug)]
pub struct LinkCounts {
    /// Its configuration.
    pub config: LinkConfig,
    /// Where it listens in truth.
    pub listen: String,
    /// Clients that are there now.
    pub clients: u64,
    /// Records taken.
    pub records: u64,
    /// Of them, how many are durable.
    pub durable: u64,
    /// Bytes taken.
    pub bytes: u64,
    /// What was not taken, by cause.
    pub rejected: Vec<RejectedCount>,
    /// Records in quarantine.
    pub quarantined: u64,
    /// How often each verdict was found; only those that were.
    pub found: Vec<(Verdict, u64)>,
    /// When the newest record was received.
    pub last_reception: Option<TaiTime>,
    /// What the sequence counts say.
    pub continuity: Continuity,
}

/// What a link has counted since it was opened.
#[derive(Debug)]
pub struct LinkStatistics {
    /// Its configuration.
    pub config: LinkConfig,
    /// Records of this link that are durable.
    pub durable: Arc<DurableCount>,
    listen: Mutex<String>,
    clients: AtomicU64,
    records: AtomicU64,
    bytes: AtomicU64,
    last_reception: AtomicI64,
    rejected: Mutex<BTreeMap<&'static str, (u64, u64)>>,
    quarantined: AtomicU64,
    verdicts: [AtomicU64; 32],
    continuity: Mutex<Continuity>,
    metrics: &'static LinkMetrics,
}

/// A client of a link, counted as long as this lives.
pub struct ClientGuard(Arc<LinkStatistics>);

impl Drop for ClientGuard {
    fn drop(&mut self) {
        self.0.clients.fetch_sub(1, Ordering::Relaxed);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl LinkStatistics {
    /// Nothing counted yet.
    pub fn new(config: LinkConfig, metrics: &'static LinkMetrics) -> Self {
        Self {
            listen: Mutex::new(config.listen.to_string()),
            config,
            durable: Arc::default(),
            clients: AtomicU64::default(),
            records: AtomicU64::default(),
            bytes: AtomicU64::default(),
            last_reception: AtomicI64::new(i64::MIN),
            rejected: Mutex::default(),
            quarantined: AtomicU64::default(),
            verdicts: Default::default(),
            continuity: Mutex::default(),
            metrics,
        }
    }

    /// Where its door listens in truth: a configured port 0 becomes one that was free.
    pub fn on_listening(&self, address: &str) {
        address.clone_into(&mut lock(&self.listen));
    }

    /// Counts a client until the guard is dropped.
    pub fn client(self: &Arc<Self>) -> ClientGuard {
        self.clients.fetch_add(1, Ordering::Relaxed);
        ClientGuard(Arc::clone(self))
    }

    /// Records were handed over to the pipeline.
    pub fn on_taken(&self, records: usize, bytes: usize, reception: ReceptionTime) {
        let (records, bytes) = (records as u64, bytes as u64);
        self.records.fetch_add(records, Ordering::Relaxed);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        self.last_reception.fetch_max(reception.0.0, Ordering::Relaxed);
        self.metrics.records.add_for("link", &self.config.name, records);
        self.metrics.bytes.add_for("link", &self.config.name, bytes);
    }

    /// Something was found out about a record.
    pub fn on_verdicts(&self, verdicts: Verdicts, is_quarantined: bool) {
        let mut bits = verdicts.0;
        while bits != 0 {
            self.verdicts[bits.trailing_zeros() as usize].fetch_add(1, Ordering::Relaxed);
            bits &= bits - 1;
        }
        self.quarantined.fetch_add(u64::from(is_quarantined), Ordering::Relaxed);
    }

    /// What the sequence counts say by now, over all connections of the link.
    pub fn on_continuity(&self, continuity: Continuity) {
        *lock(&self.continuity) = continuity;
    }

    /// Something was not taken.
    pub fn rejected(&self, cause: &'static str, bytes: u64) {
        self.rejected_times(cause, 1, bytes);
    }

    /// Something was not taken, several times.
    pub fn rejected_times(&self, cause: &'static str, times: u64, bytes: u64) {
        let mut rejected = lock(&self.rejected);
        let (count, total) = rejected.entry(cause).or_default();
        *count += times;
        *total += bytes;
        self.metrics.rejected.add_for("cause", cause, times);
        self.metrics.rejected_bytes.add_for("cause", cause, bytes);
    }

    /// Records handed over to the pipeline.
    pub fn records(&self) -> u64 {
        self.records.load(Ordering::Relaxed)
    }

    /// The counts now.
    pub fn counts(&self) -> LinkCounts {
        let last = self.last_reception.load(Ordering::Relaxed);
        let found = Verdict::ALL.iter().filter_map(|&verdict| {
            let count = self.verdicts[verdict as usize].load(Ordering::Relaxed);
            (count > 0).then_some((verdict, count))
        });
        LinkCounts {
            config: self.config.clone(),
            listen: lock(&self.listen).clone(),
            clients: self.clients.load(Ordering::Relaxed),
            records: self.records(),
            durable: self.durable.packets(),
            bytes: self.bytes.load(Ordering::Relaxed),
            rejected: lock(&self.rejected)
                .iter()
                .map(|(cause, &(count, bytes))| RejectedCount { cause, count, bytes })
                .collect(),
            quarantined: self.quarantined.load(Ordering::Relaxed),
            found: found.collect(),
            last_reception: (last != i64::MIN).then_some(TaiTime(last)),
            continuity: *lock(&self.continuity),
        }
    }
}
