//! The station's own view: latest values, recent history and the page, with or without a hub.
//!
//! Showing runs on a thread of its own: beside the QUIC driver it would delay acknowledgements (measured).

mod own;

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use dashboard::access::Gate;
use dashboard::administration::{Administration, Answer};
use dashboard::alarms::Alarms;
use dashboard::contract::{Node, NodeKnowledge, Server, ServerKind};
use dashboard::dashboards::{DashboardStore, NoDashboards};
use dashboard::{Backend, LiveBatch, LiveMission, ProblemResponse, rfc3339};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use intake::Readers;
use mission_database::MissionDatabase;
use processing::{MissionDecoder, RangeAnswer, RangeQuery, RangeScan, Sample};
use service::logging::chain;
use service::metric::MetricsPage;
use service::mission::LoadedMission;
use tokio::sync::mpsc;

use crate::alarms::NodeAlarms;
use crate::dashboards::NodeDashboards;
use crate::history::History;
use crate::status::NodeStatus;

pub use own::Enrolled;

/// Submissions whose samples wait to be shown: many small ones bridge a pause. Beyond, the page misses some and counts
/// them.
pub const VIEWED_MAX: usize = 256;
/// Samples that wait to be shown, before more are made: 3 MiB, and half a MiB more when the last ones are of a full
/// read.
const WAITING_SAMPLES_MAX: usize = 32 * 1_024;
/// How far showing stands back, as `nice` counts.
pub(crate) const NICENESS: i32 = 10;

/// Samples that were decoded together.
pub struct Viewed {
    /// Index of their mission.
    pub mission: usize,
    /// The samples.
    pub samples: Vec<Sample>,
}

struct ViewedMission {
    live: Arc<LiveMission>,
    /// Replaced when the hub sends a document, and counted.
    decoder: RwLock<(u64, MissionDecoder)>,
    documents: AtomicU64,
    source: u32,
}

/// What the node shows of itself.
pub struct View {
    name: String,
    boot_id: String,
    missions: Vec<ViewedMission>,
    history: Arc<History>,
    waiting_samples: AtomicUsize,
    gate: Gate,
    status: Arc<NodeStatus>,
    metrics: MetricsPage,
    alarms: Option<Arc<NodeAlarms>>,
    enrolled: OnceLock<Enrolled>,
    dashboards: Option<NodeDashboards>,
}

impl View {
    /// A view of missions; nothing was received yet.
    pub fn new(
        name: &str,
        missions: &[LoadedMission],
        history: Arc<History>,
        gate: Gate,
        status: Arc<NodeStatus>,
        metrics: MetricsPage,
    ) -> Self {
        let missions = missions
            .iter()
            .map(|mission| {
                let database = mission.decoder.database().clone();
                let live = Arc::new(LiveMission::new(
                    &mission.name,
                    &mission.title,
                    database,
                    mission.problem.clone(),
                ));
                ViewedMission {
                    source: live.source(name),
                    live,
                    decoder: RwLock::new((0, mission.decoder.clone())),
                    documents: AtomicU64::default(),
                }
            })
            .collect();
        let boot_id = uuid::Uuid::new_v4().to_string();
        Self {
            name: name.to_owned(),
            boot_id,
            missions,
            history,
            waiting_samples: AtomicUsize::default(),
            gate,
            status,
            metrics,
            alarms: None,
            enrolled: OnceLock::new(),
            dashboards: None,
        }
    }

    /// The same with alarms to show.
    #[must_use]
    pub fn with_alarms(self, alarms: Arc<NodeAlarms>) -> Self {
        Self { alarms: Some(alarms), ..self }
    }

    /// Says as which node it is enrolled, once.
    pub fn tell_enrolled(&self, enrolled: Enrolled) {
        let _ = self.enrolled.set(enrolled);
    }

    /// The same with a place for dashboards.
    #[must_use]
    pub fn with_dashboards(self, dashboards: NodeDashboards) -> Self {
        Self { dashboards: Some(dashboards), ..self }
    }

    fn viewed(&self, mission: &str) -> Option<&ViewedMission> {
        self.missions.iter().find(|viewed| viewed.live.name() == mission)
    }

    /// What reads a mission's packets.
    pub fn database(&self, mission: &str) -> Option<MissionDatabase> {
        Some(self.viewed(mission)?.live.database())
    }

    /// What reads a mission's packets from now on, numbering the known parameters as before; and why that is not all
    /// it should be.
    pub fn use_documents(&self, mission: &str, database: MissionDatabase, problem: Option<String>) {
        let Some(viewed) = self.viewed(mission) else { return };
        // Described first: a sample that nobody can describe would be lost.
        viewed.live.replace(database.clone(), problem);
        let mut decoder = viewed.decoder.write().unwrap_or_else(PoisonError::into_inner);
        let (number, known) = &*decoder;
        *decoder = (number + 1, known.with_database(database.clone()));
        viewed.documents.store(decoder.0, Ordering::Release);
        drop(decoder);
        self.history.use_documents(mission, database);
    }

    /// Takes samples that were received before the node started into a mission's latest values.
    pub fn restore(&self, mission: &str, samples: &[Sample]) {
        if let Some(viewed) = self.viewed(mission) {
            viewed.live.restore(viewed.source, samples);
        }
    }

    /// What reads a mission's records now.
    pub fn decoder_of(&self, mission: &str) -> Option<MissionDecoder> {
        let decoder = &self.viewed(mission)?.decoder;
        Some(decoder.read().unwrap_or_else(PoisonError::into_inner).1.clone())
    }

    /// Whether more samples may wait to be shown.
    pub fn keeps_up(&self) -> bool {
        self.waiting_samples.load(Ordering::Relaxed) < WAITING_SAMPLES_MAX
    }

    /// So many more samples wait to be shown.
    pub fn on_waiting(&self, samples: usize) {
        self.waiting_samples.fetch_add(samples, Ordering::Relaxed);
    }

    /// Shows until all senders are gone. Blocks: run it on its own thread.
    pub fn show(&self, mut viewed: mpsc::Receiver<Viewed>) {
        // On Linux this is the thread's own. What the page misses is counted; what waits to be judged holds up
        // producers, and is never left out. Where it cannot be had, showing is as urgent as the rest.
        let _ = rustix::process::setpriority_process(None, NICENESS);
        while let Some(Viewed { mission, samples }) = viewed.blocking_recv() {
            self.waiting_samples.fetch_sub(samples.len(), Ordering::Relaxed);
            let mission = &self.missions[mission];
            // Shown before they are sealed, so that they have no place yet.
            let batch = LiveBatch { source: mission.source, position: None, samples, records: None };
            mission.live.publish(batch);
        }
    }
}

/// Of a view that was given none.
struct NoAlarms;

impl Alarms for NoAlarms {}

impl Readers for View {
    fn documents(&self, mission: usize) -> u64 {
        self.missions[mission].documents.load(Ordering::Acquire)
    }

    fn decoder(&self, mission: usize) -> (u64, MissionDecoder) {
        self.missions[mission].decoder.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// A node is administered at the hub, and says of itself what it knows.
impl Administration for View {
    fn node<'a>(&'a self, _: &'a str) -> Answer<'a, Option<NodeKnowledge>> {
        let (ends, days) = (self.status.certificate_ends(), self.status.report().certificate_days);
        let known = self.enrolled.get().map(Enrolled::knowledge).unwrap_or_default();
        let known = NodeKnowledge { certificate_ends: ends.map(rfc3339), certificate_days: days, ..known };
        async move { Ok(Some(known)) }.boxed()
    }
}

impl Backend for View {
    fn server(&self) -> Server {
        Server {
            kind: ServerKind::Edge,
            name: self.name.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            boot_id: self.boot_id.clone(),
            role: None,
        }
    }

    fn gate(&self) -> &Gate {
        &self.gate
    }

    fn missions(&self) -> Vec<Arc<LiveMission>> {
        self.missions.iter().map(|mission| Arc::clone(&mission.live)).collect()
    }

    fn nodes(&self) -> Vec<Node> {
        let id = self.enrolled.get().map(|enrolled| enrolled.node_id.to_string());
        vec![Node { id, ..self.status.node() }]
    }

    fn range<'a>(
        &'a self,
        mission: &'a LiveMission,
        query: RangeQuery,
    ) -> BoxFuture<'a, Result<RangeAnswer, ProblemResponse>> {
        async move {
            let Some(viewed) = self.viewed(mission.name()) else { return Ok(RangeScan::new(query).finish()) };
            let answer = self.history.range(mission.name(), viewed.source, query).await;
            answer.map_err(|failure| {
                ProblemResponse::unavailable(format!("{}; try again in a few seconds", chain(&failure)))
            })
        }
        .boxed()
    }

    fn administration(&self) -> &dyn Administration {
        self
    }

    fn alarms(&self) -> &dyn Alarms {
        match &self.alarms {
            Some(alarms) => &**alarms,
            None => &NoAlarms,
        }
    }

    fn dashboards(&self) -> &dyn DashboardStore {
        match &self.dashboards {
            Some(dashboards) => dashboards,
            None => &NoDashboards,
        }
    }

    fn ready(&self) -> Result<(), String> {
        Ok(())
    }

    fn metrics(&self) -> String {
        self.metrics.render()
    }
}
