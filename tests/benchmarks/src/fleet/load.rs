//! The nodes, and when each of them was last heard of.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::bail;
use testkit::node_client::{Forwarding, NodeClient, NodeEvent, Pace};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

const LOOK_EVERY: Duration = Duration::from_millis(50);
const MISSION: &str = "load";

/// What a node has seen since it was last forgotten.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Seen {
    /// When its session that is open was opened.
    pub(crate) opened: Option<Instant>,
    /// The first acknowledgement.
    pub(super) acknowledged: Option<Instant>,
    acknowledgements: u64,
}

/// Running nodes.
pub(crate) struct FleetLoad {
    seen: Arc<Vec<Mutex<Seen>>>,
    pace: watch::Sender<Pace>,
    stop: CancellationToken,
    tasks: JoinSet<()>,
}

/// When nodes were back, in seconds from a moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Back {
    pub(super) p50_s: f64,
    pub(super) p99_s: f64,
    pub(super) last_s: f64,
}

impl FleetLoad {
    /// Starts all nodes at once.
    pub(crate) fn start(nodes: Vec<NodeClient>, pace: Pace) -> Self {
        let seen: Arc<Vec<Mutex<Seen>>> = Arc::new(nodes.iter().map(|_| Mutex::default()).collect());
        let (pace, paces) = watch::channel(pace);
        let (stop, mut tasks) = (CancellationToken::new(), JoinSet::new());
        for (place, node) in nodes.into_iter().enumerate() {
            let (seen, paces, stop) = (Arc::clone(&seen), paces.clone(), stop.clone());
            tasks.spawn(async move {
                let run_id = u32::try_from(place).unwrap_or(u32::MAX);
                let mut forwarding = Forwarding::new(node, MISSION, run_id);
                forwarding.run(paces, |event| lock(&seen[place]).on(&event), &stop).await;
            });
        }
        Self { seen, pace, stop, tasks }
    }

    /// From now on nodes have so much to say.
    pub(super) fn set_pace(&self, pace: Pace) {
        self.pace.send_replace(pace);
    }

    /// Acknowledgements of all nodes so far.
    pub(super) fn acknowledged(&self) -> u64 {
        self.seen.iter().map(|seen| lock(seen).acknowledgements).sum()
    }

    /// Nodes have seen nothing of the hub that comes.
    pub(super) fn forget(&self) {
        for seen in self.seen.iter() {
            let mut seen = lock(seen);
            (seen.opened, seen.acknowledged) = (None, None);
        }
    }

    /// Waits until something was seen by every node, and says when, from a moment on.
    pub(crate) async fn back(
        &self,
        from: Instant,
        patience: Duration,
        when: impl Fn(&Seen) -> Option<Instant>,
    ) -> anyhow::Result<Back> {
        let deadline = Instant::now() + patience;
        loop {
            let mut moments: Vec<Instant> = self.seen.iter().filter_map(|seen| when(&lock(seen))).collect();
            if moments.len() == self.seen.len() {
                moments.sort_unstable();
                let at = |share: f64| {
                    let place = ((moments.len() - 1) as f64 * share).ceil() as usize;
                    moments[place].saturating_duration_since(from).as_secs_f64()
                };
                return Ok(Back { p50_s: at(0.5), p99_s: at(0.99), last_s: at(1.0) });
            }
            if Instant::now() > deadline {
                bail!("{} of {} nodes are there after {patience:?}", moments.len(), self.seen.len());
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Stops all nodes.
    pub(crate) async fn stop(mut self) {
        self.stop.cancel();
        while self.tasks.join_next().await.is_some() {}
    }
}

impl Seen {
    fn on(&mut self, event: &NodeEvent) {
        let now = Instant::now();
        match event {
            NodeEvent::Acknowledged { .. } => {
                self.acknowledgements += 1;
                self.acknowledged.get_or_insert(now);
            }
            NodeEvent::Ended(_) => self.opened = None,
            NodeEvent::Opened => self.opened = Some(now),
            NodeEvent::Silent { .. } => {}
        }
    }
}

fn lock(seen: &Mutex<Seen>) -> MutexGuard<'_, Seen> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}
