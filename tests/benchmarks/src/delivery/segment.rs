//! A hub and nodes that are filled while it is away, and let go together.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use serde_json::Value;
use simulator::load::{Load, LoadReport};
use testkit::client::Client;
use testkit::configuration::Mission;
use testkit::ground::{GroundPlan, GroundSegment, NodePlan};
use testkit::process::{output, until};
use tokio::task::JoinSet;

use super::{DRAINED_WITHIN, PACKET_BYTES};

/// More than any backlog here takes.
const QUOTA: &str = "8 GiB";
const SOON: Duration = Duration::from_secs(60);
/// A hub that has just started gives each node's backlog a moment of its own within this time.
const STORM: Duration = Duration::from_secs(6);
/// What of live data waits for its acknowledgement when nothing else does.
const UNDER_WAY_MAX: u64 = 20_000;
/// More than a node takes: it shall be the limit, not the rate.
const AS_FAST_AS_TAKEN: f64 = 2_000_000.0;

/// Running processes.
pub(super) struct Segment {
    ground: GroundSegment,
    client: Client,
    names: Vec<String>,
    directory: PathBuf,
    /// Serials that were sent to each node so far, so that none is sent twice.
    sent: u64,
}

impl Segment {
    /// A hub and so many nodes, each with one link.
    pub(super) async fn start(directory: &Path, mission: Mission, nodes: usize) -> anyhow::Result<Self> {
        std::fs::create_dir_all(directory)?;
        let mut plan = GroundPlan::new(directory);
        plan.mission = mission;
        for number in 1..=nodes {
            let mut node = NodePlan::new(&format!("node-{number:02}"));
            node.journal = vec![("quota", QUOTA)];
            plan = plan.with_node(node);
        }
        let ground = plan.start().await?;
        let (client, names) = (ground.hub_client().await?, ground.node_names());
        Ok(Self { ground, client, names, directory: directory.to_owned(), sent: 0 })
    }

    pub(super) fn nodes(&self) -> usize {
        self.names.len()
    }

    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    /// Every process that was started, by what it is.
    pub(super) fn processes(&mut self) -> anyhow::Result<Vec<(&'static str, u32)>> {
        let mut all = vec![("hub", self.ground.hub_process()?.id())];
        for name in &self.names {
            all.push(("edge", self.ground.node_process(name)?.id()));
        }
        Ok(all)
    }

    /// Sends packets, shared among all nodes; returns when each is durable at its node.
    pub(super) async fn send(&mut self, packets: u64) -> anyhow::Result<()> {
        let each = packets / self.names.len() as u64;
        let mut loads = JoinSet::new();
        for name in &self.names {
            let mut load = self.load(name, AS_FAST_AS_TAKEN)?;
            load.packets_max = Some(each);
            loads.spawn(load.run(std::future::pending::<()>()));
        }
        self.sent += each;
        while let Some(report) = loads.join_next().await {
            let report: LoadReport = report?;
            ensure!(report.acknowledged_packets() == each, "a node did not take all packets");
        }
        Ok(())
    }

    /// A load on a node that goes on behind all that were sent before.
    pub(super) fn load(&self, name: &str, packets_per_second: f64) -> anyhow::Result<Load> {
        let mut load = Load::new(self.ground.link(name)?, std::process::id(), packets_per_second);
        load.first_serial = self.sent;
        load.packet_bytes = PACKET_BYTES;
        load.acknowledgement_timeout = DRAINED_WITHIN;
        Ok(load)
    }

    /// The first node.
    pub(super) fn first_node(&self) -> anyhow::Result<&str> {
        self.names.first().map(String::as_str).context("there is a node")
    }

    /// Fills the journals while the hub is away; then it is there, and every node connected and held back.
    pub(super) async fn fill(&mut self, packets: u64) -> anyhow::Result<()> {
        self.ground.hub_process()?.stop(SOON).await?;
        self.send(packets).await?;
        self.forward("pause").await?;
        self.ground.start_hub().await?;
        self.client = self.ground.hub_client().await?;
        until("all nodes to be connected", SOON, async || {
            let all = self.client.get("/api/v1/nodes").await?;
            let states = all["nodes"].as_array().into_iter().flatten().map(|node| &node["state"]);
            Ok((states.filter(|state| *state == "connected").count() == self.names.len()).then_some(()))
        })
        .await?;
        tokio::time::sleep(STORM).await;
        Ok(())
    }

    /// Lets every backlog go.
    pub(super) async fn resume(&self) -> anyhow::Result<()> {
        self.forward("resume").await
    }

    async fn forward(&self, decision: &str) -> anyhow::Result<()> {
        let mut all = JoinSet::new();
        for name in &self.names {
            let config = self.ground.node_config(name).to_string_lossy().into_owned();
            let words = ["forward", decision, "--config"].map(str::to_owned).into_iter().chain([config]);
            let words: Vec<String> = words.collect();
            all.spawn(async move { output("edge-node", &words, SOON).await });
        }
        while let Some(done) = all.join_next().await {
            done??;
        }
        Ok(())
    }

    /// Packets that the hub has committed.
    pub(super) async fn archived(&self) -> anyhow::Result<u64> {
        let all = self.client.get("/api/v1/nodes").await?;
        let counts = all["nodes"].as_array().into_iter().flatten();
        Ok(counts.filter_map(|node: &Value| node["archived_packets"].as_u64()).sum())
    }

    /// Waits until so many packets are committed.
    pub(super) async fn archived_all(&self, packets: u64) -> anyhow::Result<()> {
        until("all packets committed", DRAINED_WITHIN, async || {
            Ok((self.archived().await? >= packets).then_some(()))
        })
        .await
    }

    /// Waits for the first commits, then until `packets` are committed: how many came in between, and the seconds.
    pub(super) async fn drained(&self, packets: u64) -> anyhow::Result<(u64, f64)> {
        let before = self.archived().await?;
        let first = until("a first commit", SOON, async || {
            let archived = self.archived().await?;
            Ok((archived > before || archived >= packets).then_some(archived))
        })
        .await?;
        let begun = Instant::now();
        self.archived_all(packets).await?;
        Ok((packets.saturating_sub(first), begun.elapsed().as_secs_f64()))
    }

    /// Waits until a node says that nothing waits at it.
    pub(super) async fn backlog_is_empty(&self, name: &str) -> anyhow::Result<()> {
        let client = self.ground.node_client(name).await?;
        until("the end of the backlog", DRAINED_WITHIN, async || {
            let all = client.get("/api/v1/nodes").await?;
            let waiting = all.pointer("/nodes/0/report/backlog/packets").and_then(Value::as_u64);
            // Live data are under way at any moment.
            Ok(waiting.is_some_and(|waiting| waiting < UNDER_WAY_MAX).then_some(()))
        })
        .await
    }

    /// A client of the hub's database; it works while the hub does.
    pub(super) async fn database(&self) -> anyhow::Result<tokio_postgres::Client> {
        crate::database::connect(&self.directory).await
    }

    /// Ends everything and removes it.
    pub(super) async fn stop(self) -> anyhow::Result<()> {
        self.ground.stop().await?;
        Ok(std::fs::remove_dir_all(&self.directory)?)
    }
}

/// The load's mission by a dictionary of one parameter in place of 20: what decoding costs is the difference.
pub(super) fn with_one_parameter(directory: &Path) -> anyhow::Result<Mission> {
    std::fs::create_dir_all(directory)?;
    let dictionary = directory.join("bare.xml");
    let text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
        <SpaceSystem xmlns=\"http://www.omg.org/spec/XTCE/20180204\" name=\"Load\"><TelemetryMetaData>\
        <ParameterTypeSet><IntegerParameterType name=\"Version\" signed=\"false\" sizeInBits=\"3\">\
        <IntegerDataEncoding sizeInBits=\"3\" encoding=\"unsigned\"/></IntegerParameterType></ParameterTypeSet>\
        <ParameterSet><Parameter name=\"packet_version\" parameterTypeRef=\"Version\"/></ParameterSet>\
        <ContainerSet><SequenceContainer name=\"Packet\"><EntryList>\
        <ParameterRefEntry parameterRef=\"packet_version\"/></EntryList></SequenceContainer></ContainerSet>\
        </TelemetryMetaData></SpaceSystem>\n";
    std::fs::write(&dictionary, text)?;
    Ok(Mission { dictionary, ..Mission::load() })
}
