//! A hub and nodes of a test's own: its folder, its ports, and waiting for what it says of itself.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use serde_json::Value;
use simulator::load::{Load, LoadReport};
use space_packet::UtcTime;
use tempfile::TempDir;
use testkit::client::Client;
use testkit::configuration::Mission;
use testkit::ground::{GroundPlan, GroundSegment, NodePlan};
use testkit::ports::Ports;
use testkit::postgres::TestDatabase;
use testkit::process::until;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// The node that every test has.
pub(crate) const NODE: &str = "svalbard";
/// Every wait ends by then, however busy the machine is.
pub(crate) const SOON: Duration = Duration::from_secs(30);
/// A backlog of a million packets, with programs that are not optimised.
pub(crate) const DRAINED_WITHIN: Duration = Duration::from_secs(150);
/// A node's figures are at most this old.
const FIGURES_AGE_NANOS: i64 = 2_500_000_000;

/// Processes of one test.
pub(crate) struct World {
    pub(crate) ground: GroundSegment,
    // Dropped behind the processes that live in it.
    folder: Folder,
    pub(crate) ports: Ports,
    /// The hub's database, when it is not its own.
    pub(crate) database: Option<TestDatabase>,
}

/// A test's files: kept for a look, unless it finished.
struct Folder {
    files: TempDir,
    finished: bool,
}

impl World {
    /// A hub and nodes that receive a mission; nothing runs yet.
    pub(crate) fn prepare(mission: Mission, nodes: &[&str]) -> anyhow::Result<Self> {
        let files = tempfile::Builder::new().prefix("sto-system-").tempdir()?;
        let mut ports = Ports::claim()?;
        let mut plan = GroundPlan::new(files.path());
        plan.mission = mission;
        plan.hub_http = ports.next_address()?;
        plan.reception = ports.next_address()?;
        for name in nodes {
            let mut node = NodePlan::new(name);
            node.http = ports.next_address()?;
            node.link = ports.next_address()?;
            plan = plan.with_node(node);
        }
        let folder = Folder { files, finished: false };
        Ok(Self { ground: GroundSegment::prepare(plan)?, folder, ports, database: None })
    }

    /// A running hub with one running, enrolled node.
    pub(crate) async fn start(mission: Mission) -> anyhow::Result<Self> {
        let mut world = Self::prepare(mission, &[NODE])?;
        world.run().await?;
        Ok(world)
    }

    /// Starts the hub and every node.
    pub(crate) async fn run(&mut self) -> anyhow::Result<()> {
        self.ground.start_hub().await?;
        for name in self.ground.node_names() {
            self.ground.enrol(&name).await?;
            self.ground.start_node(&name).await?;
        }
        Ok(())
    }

    /// Where the test's files are.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.files.path()
    }

    /// Stops everything in order, and forgets it.
    pub(crate) async fn finish(mut self) -> anyhow::Result<()> {
        self.ground.stop().await.context("stopping at the end of the test")?;
        self.folder.finished = true;
        Ok(())
    }

    /// Stops the hub in order and starts it again.
    pub(crate) async fn restart_hub(&mut self) -> anyhow::Result<()> {
        self.stop_hub().await?;
        self.ground.start_hub().await
    }

    /// Stops the hub in order.
    pub(crate) async fn stop_hub(&mut self) -> anyhow::Result<()> {
        let status = self.ground.hub_process()?.stop(SOON).await?;
        anyhow::ensure!(status.success(), "the hub stopped with {status}");
        Ok(())
    }

    /// Stops a node in order.
    pub(crate) async fn stop_node(&mut self, name: &str) -> anyhow::Result<()> {
        let status = self.ground.node_process(name)?.stop(SOON).await?;
        anyhow::ensure!(status.success(), "{name} stopped with {status}");
        Ok(())
    }

    /// Waits until a node says that it is connected and that nothing waits, in figures younger than this call.
    pub(crate) async fn drained(&self, name: &str) -> anyhow::Result<()> {
        self.drained_within(name, DRAINED_WITHIN).await
    }

    /// The same of a backlog that takes longer.
    pub(crate) async fn drained_within(&self, name: &str, patience: Duration) -> anyhow::Result<()> {
        let client = self.ground.node_client(name).await?;
        let asked = simulator::clock::now().plus_nanos(FIGURES_AGE_NANOS);
        let mut last = Value::Null;
        let drained = until("nothing to wait for the hub", patience, async || {
            last = itself(&client).await?;
            let at = last.pointer("/report/at").and_then(Value::as_str).context("reports have a time")?;
            let empty = last.pointer("/report/backlog/batches").and_then(Value::as_u64) == Some(0);
            let is_new = UtcTime::parse(at)?.to_tai() > asked;
            Ok((is_new && empty && last["state"] == "connected").then_some(()))
        })
        .await;
        drained.with_context(|| format!("{name} says {last}"))
    }

    /// Waits until the hub says something of a node, and returns it all.
    pub(crate) async fn hub_says(
        &self,
        what: &str,
        name: &str,
        is_so: impl Fn(&Value) -> bool,
    ) -> anyhow::Result<Value> {
        self.hub_says_within(what, name, SOON, is_so).await
    }

    /// The same of what takes longer.
    pub(crate) async fn hub_says_within(
        &self,
        what: &str,
        name: &str,
        patience: Duration,
        is_so: impl Fn(&Value) -> bool,
    ) -> anyhow::Result<Value> {
        let client = self.ground.hub_client().await?;
        said(what, &client, name, patience, is_so).await
    }

    /// Waits until a node says something of itself, and returns it all.
    pub(crate) async fn node_says(
        &self,
        what: &str,
        name: &str,
        is_so: impl Fn(&Value) -> bool,
    ) -> anyhow::Result<Value> {
        let client = self.ground.node_client(name).await?;
        said(what, &client, name, SOON, is_so).await
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if self.finished {
            return;
        }
        self.files.disable_cleanup(true);
        eprintln!("kept for a look: {}", self.files.path().display());
        let logs = fs::read_dir(self.files.path().join("logs")).into_iter().flatten().flatten();
        for log in logs {
            let text = fs::read(log.path()).unwrap_or_default();
            let text = String::from_utf8_lossy(&text);
            let lines: Vec<&str> = text.lines().collect();
            let last = lines[lines.len().saturating_sub(25)..].join("\n");
            eprintln!("--- {} ends:\n{last}", log.file_name().display());
        }
    }
}

async fn itself(node: &Client) -> anyhow::Result<Value> {
    let answer = node.get("/api/v1/nodes").await?;
    answer.pointer("/nodes/0").cloned().context("a node knows itself")
}

async fn said(
    what: &str,
    client: &Client,
    name: &str,
    patience: Duration,
    is_so: impl Fn(&Value) -> bool,
) -> anyhow::Result<Value> {
    let mut last = Value::Null;
    let found = until(what, patience, async || {
        let answer = client.get("/api/v1/nodes").await?;
        let nodes = answer["nodes"].as_array().map_or(&[][..], Vec::as_slice);
        last = nodes.iter().find(|node| node["name"] == name).cloned().unwrap_or_default();
        Ok(is_so(&last).then(|| last.clone()))
    })
    .await;
    found.with_context(|| format!("the last answer was {last}"))
}

/// A load that runs beside the test.
pub(crate) struct RunningLoad {
    stop: oneshot::Sender<()>,
    report: JoinHandle<LoadReport>,
}

impl RunningLoad {
    /// Sends 92-byte packets to a link that acknowledges by count.
    pub(crate) fn start(link: SocketAddr, run_id: u32, packets_per_second: f64) -> Self {
        Self::of(Load::new(link, run_id, packets_per_second))
    }

    /// Sends what the load says, to a link that acknowledges by count.
    pub(crate) fn of(mut load: Load) -> Self {
        load.acknowledgement_timeout = SOON;
        let (stop, stopped) = oneshot::channel::<()>();
        let report = tokio::spawn(load.run(async {
            // Nobody to stop it any more is a stop as well.
            let _ = stopped.await;
        }));
        Self { stop, report }
    }

    /// Waits until it has sent all it was told to, and that was acknowledged.
    pub(crate) async fn finished(self) -> anyhow::Result<LoadReport> {
        let report = self.report.await?;
        drop(self.stop);
        Ok(report)
    }

    /// Ends it; what was sent last is waited for.
    pub(crate) async fn stop(self) -> anyhow::Result<LoadReport> {
        let _ = self.stop.send(());
        Ok(self.report.await?)
    }
}
