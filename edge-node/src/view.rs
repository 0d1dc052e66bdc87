//! The station's own view: latest values, history and the page, with or without a hub.
//!
//! Decoding runs on a thread of its own: beside the QUIC driver it would delay acknowledgements (measured).

use std::sync::{Arc, PoisonError, RwLock};

use dashboard::access::Gate;
use dashboard::contract::{Node, Server, ServerKind};
use dashboard::{Backend, LiveBatch, LiveMission, ProblemResponse};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use mission_database::{DecodedPacket, MissionDatabase};
use processing::{MissionDecoder, PacketOutcome, RangeAnswer, RangeQuery, RangeScan, Sample};
use service::logging::chain;
use service::metric::{Metric, MetricsPage};
use service::mission::LoadedMission;
use tokio::sync::mpsc;

use crate::history::History;
use crate::intake::Chunk;
use crate::status::NodeStatus;

/// Chunks that wait to be decoded; beyond, the view skips some and counts them.
pub const CHUNKS_MAX: usize = 256;

struct ViewedMission {
    live: Arc<LiveMission>,
    /// Replaced when the hub sends a document.
    decoder: RwLock<MissionDecoder>,
    source: u32,
}

/// What the node shows of itself.
pub struct View {
    name: String,
    boot_id: String,
    missions: Vec<ViewedMission>,
    history: Arc<History>,
    gate: Gate,
    status: Arc<NodeStatus>,
    metrics: MetricsPage,
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
                    decoder: RwLock::new(mission.decoder.clone()),
                }
            })
            .collect();
        let boot_id = uuid::Uuid::new_v4().to_string();
        Self { name: name.to_owned(), boot_id, missions, history, gate, status, metrics }
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
        *decoder = decoder.with_database(database.clone());
        drop(decoder);
        self.history.use_documents(mission, database);
    }

    /// Takes samples that were received before the node started into a mission's latest values.
    pub fn restore(&self, mission: &str, samples: &[Sample]) {
        if let Some(viewed) = self.viewed(mission) {
            viewed.live.restore(viewed.source, samples);
        }
    }

    /// Decodes until all senders are gone. Blocks: run it on its own thread.
    pub fn decode(&self, mut chunks: mpsc::Receiver<Arc<Chunk>>) {
        while let Some(chunk) = chunks.blocking_recv() {
            let mission = &self.missions[chunk.mission];
            let (mut scratch, mut samples) = (DecodedPacket::default(), Vec::new());
            let decoder = mission.decoder.read().unwrap_or_else(PoisonError::into_inner).clone();
            for packet in chunk.packets() {
                // What does not decode is in the journal all the same.
                let outcome = decoder.decode(chunk.reception, packet, &mut scratch, &mut samples);
                if !matches!(outcome, PacketOutcome::Decoded | PacketOutcome::Idle) {
                    Metric::EdgeDecodeUndecodedPackets.add_for("outcome", outcome.word(), 1);
                }
            }
            mission.live.publish(LiveBatch { source: mission.source, samples });
        }
    }
}

impl Backend for View {
    fn server(&self) -> Server {
        Server {
            kind: ServerKind::Edge,
            name: self.name.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            boot_id: self.boot_id.clone(),
        }
    }

    fn gate(&self) -> &Gate {
        &self.gate
    }

    fn missions(&self) -> Vec<Arc<LiveMission>> {
        self.missions.iter().map(|mission| Arc::clone(&mission.live)).collect()
    }

    fn nodes(&self) -> Vec<Node> {
        vec![self.status.node()]
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

    fn ready(&self) -> Result<(), String> {
        Ok(())
    }

    fn metrics(&self) -> String {
        self.metrics.render()
    }
}
