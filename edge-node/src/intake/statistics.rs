//! What a link has counted since the node started.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use dashboard::contract::{Found, LinkContinuity, LinkReport, Rejected};
use dashboard::rfc3339;
use delivery::Verdicts;
use processing::Verdict;
use service::metric::Metric;
use space_packet::{ReceptionTime, TaiTime};

use crate::config::LinkConfig;
use crate::journal::DurableCount;

/// What a link has counted since the node started.
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
    continuity: Mutex<LinkContinuity>,
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
    pub fn new(config: LinkConfig) -> Self {
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
        Metric::EdgeIntakePackets.add_for("link", &self.config.name, records);
        Metric::EdgeIntakeBytes.add_for("link", &self.config.name, bytes);
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
    pub fn on_continuity(&self, continuity: LinkContinuity) {
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
        Metric::EdgeIntakeRejected.add_for("cause", cause, times);
        Metric::EdgeIntakeRejectedBytes.add_for("cause", cause, bytes);
    }

    /// Records handed over to the pipeline.
    pub fn records(&self) -> u64 {
        self.records.load(Ordering::Relaxed)
    }

    /// The counts as reported to people.
    pub fn report(&self) -> LinkReport {
        let last = self.last_reception.load(Ordering::Relaxed);
        let found = Verdict::ALL.iter().filter_map(|verdict| {
            let count = self.verdicts[*verdict as usize].load(Ordering::Relaxed);
            (count > 0).then(|| Found { verdict: verdict.code().to_owned(), count })
        });
        LinkReport {
            name: self.config.name.clone(),
            mission: self.config.mission.clone(),
            door: self.config.door.word().to_owned(),
            station: self.config.station.clone(),
            listen: lock(&self.listen).clone(),
            clients: self.clients.load(Ordering::Relaxed),
            packets: self.records(),
            durable: self.durable.packets(),
            bytes: self.bytes.load(Ordering::Relaxed),
            rejected: lock(&self.rejected)
                .iter()
                .map(|(cause, &(count, bytes))| Rejected { cause: (*cause).to_owned(), count, bytes })
                .collect(),
            quarantined: self.quarantined.load(Ordering::Relaxed),
            found: found.collect(),
            last_packet: (last != i64::MIN).then(|| rfc3339(TaiTime(last))),
            continuity: Some(*lock(&self.continuity)),
        }
    }
}
