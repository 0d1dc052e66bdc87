//! A real node without a hub, and what it says of itself.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::Context;
use serde_json::Value;
use testkit::client::Client;
use testkit::configuration::{Database, Mission};
use testkit::ground::{GroundPlan, GroundSegment, NodePlan};
use testkit::ports::Ports;

use super::door::DoorKind;
use crate::processes::cpu_seconds;

const NODE: &str = "bench";
/// More than any of these measurements writes, as nothing of it is ever forwarded.
const QUOTA: &str = "24 GiB";

/// A running node with one link.
pub(super) struct BenchNode {
    ground: GroundSegment,
    client: Client,
    directory: PathBuf,
    _ports: Ports,
}

/// What the node's link has counted.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct LinkCounts {
    /// Packets in the journal.
    pub(super) durable: u64,
    /// Packets handed to the pipeline.
    pub(super) taken: u64,
    /// Times something was rejected.
    pub(super) rejected: u64,
    /// Records something was found out about.
    pub(super) found: u64,
}

/// Processor time at a moment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    /// When.
    pub(super) at: Instant,
    /// Seconds the node has used.
    pub(super) node_s: f64,
    /// Seconds that we, who make the load, have used.
    pub(super) load_s: f64,
}

impl BenchNode {
    /// Starts a node in a directory of its own.
    pub(super) async fn start(directory: &Path, door: DoorKind) -> anyhow::Result<Self> {
        let mut plan = GroundPlan::new(directory).with_node(NodePlan::new(NODE));
        plan.mission = Mission::load();
        // No hub is ever started.
        plan.database = Database::Url(String::new());
        let mission = plan.mission.clone();
        let mut ground = GroundSegment::prepare(plan)?;
        let file = ground.node_file(NODE)?;
        file.journal = vec![("quota", QUOTA)];
        // With a port that the system chose the file would change once it is known, and the node follows its file:
        // it would close the link and open it again.
        let mut ports = Ports::claim()?;
        file.links = vec![door.link(&mission, ports.next_address()?)];
        ground.start_node(NODE).await?;
        let client = ground.node_client(NODE).await?;
        Ok(Self { ground, client, directory: directory.to_owned(), _ports: ports })
    }

    /// Stops it, and starts it again on what it has; the seconds until it was ready.
    pub(super) async fn restart(&mut self) -> anyhow::Result<f64> {
        let process = self.ground.node_process(NODE)?;
        process.stop(std::time::Duration::from_secs(45)).await?;
        let begun = Instant::now();
        self.ground.start_node(NODE).await?;
        let seconds = begun.elapsed().as_secs_f64();
        self.client = self.ground.node_client(NODE).await?;
        Ok(seconds)
    }

    /// Where its link listens.
    pub(super) fn address(&self) -> anyhow::Result<SocketAddr> {
        self.ground.link(NODE)
    }

    /// Its process number.
    pub(super) fn pid(&mut self) -> anyhow::Result<u32> {
        Ok(self.ground.node_process(NODE)?.id())
    }

    /// Processor time used so far.
    pub(super) fn moment(&mut self) -> anyhow::Result<Moment> {
        let node_s = cpu_seconds(self.pid()?)?;
        Ok(Moment { at: Instant::now(), node_s, load_s: cpu_seconds(std::process::id())? })
    }

    /// What its link has counted.
    pub(super) async fn counts(&self) -> anyhow::Result<LinkCounts> {
        let nodes = self.client.get("/api/v1/nodes").await?;
        let link = nodes.pointer("/nodes/0/report/links/0").context("the node reports its link")?;
        let number = |value: &Value| value.as_u64().unwrap_or(0);
        let sum =
            |list: &Value| list.as_array().into_iter().flatten().map(|each| number(&each["count"])).sum();
        Ok(LinkCounts {
            durable: number(&link["durable"]),
            taken: number(&link["packets"]),
            rejected: sum(&link["rejected"]),
            found: sum(&link["found"]),
        })
    }

    /// Samples that the page left out so far, because more came than it shows.
    pub(super) async fn samples_not_shown(&self) -> anyhow::Result<u64> {
        let page = self.client.text("/metrics").await?;
        let line = page.lines().find_map(|line| line.strip_prefix("edge_decode_skipped_samples_total"));
        Ok(line.and_then(|value| value.trim().parse::<f64>().ok()).unwrap_or(0.0) as u64)
    }

    /// Bytes of its files on disk.
    pub(super) fn disk_bytes(&self) -> u64 {
        folder_bytes(&self.directory.join(NODE).join("data"))
    }

    /// Stops it and removes what it wrote.
    pub(super) async fn stop(self) -> anyhow::Result<()> {
        self.ground.stop().await?;
        Ok(std::fs::remove_dir_all(&self.directory)?)
    }
}

fn folder_bytes(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let sizes = entries.map(|entry| match entry.metadata() {
        Ok(metadata) if metadata.is_dir() => folder_bytes(&entry.path()),
        Ok(metadata) => metadata.len(),
        Err(_) => 0,
    });
    sizes.sum()
}
