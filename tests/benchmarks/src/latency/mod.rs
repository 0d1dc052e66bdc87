//! `latency`: from the moment a packet is due at a station's socket to a WebSocket client at the hub, and to the hub's
//! commit.
//!
//! Nothing is left out that was slow: a packet counts from when it was due, not from when it could be written, and those
//! that the stream leaves out of a burst count by the next one that came.

mod commits;
mod seen;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use hdrhistogram::Histogram;
use serde_json::{Value, json};
use simulator::load::Load;
use space_packet::TaiTime;
use testkit::client::Client;
use testkit::configuration::Mission;
use testkit::ground::{GroundPlan, NodePlan};
use testkit::process::until;
use tokio_util::sync::CancellationToken;

use crate::figures::print;
use crate::processes::Usage;
use crate::{database, scratch};
use commits::Commits;
use seen::Seen;

const BENCH: &str = "latency";
const NODE: &str = "bench";
const PACKET_BYTES: usize = 92;
const PARAMETERS: u64 = 20;
/// Connections open and memory is touched for the first time.
const WARM_UP: Duration = Duration::from_secs(3);
/// Longest latency that is told apart from longer ones.
const LATENCY_MAX_US: u64 = 600_000_000;
const COMMITTED_WITHIN: Duration = Duration::from_secs(600);
/// Journal, ledger and segments of a packet.
const ROOM_PER_PACKET: f64 = 400.0;
const ROOM_ASIDE: u64 = 3 << 30;

/// How fast and how long.
#[derive(Clone, Debug, clap::Args)]
pub struct Latency {
    /// Packets a second, one measurement each.
    #[arg(long, value_delimiter = ',', default_values_t = [1_000, 50_000, 250_000])]
    rates: Vec<u32>,
    /// Seconds of each.
    #[arg(long, default_value_t = 20)]
    seconds: u64,
    /// Where node and hub keep their data. The system's temporary directory when absent.
    #[arg(long)]
    directory: Option<PathBuf>,
}

/// A load that is being measured: packets by their serial, one after the other.
#[derive(Clone, Copy, Debug)]
struct Planned {
    packets_per_s: f64,
    /// Serials below are not measured.
    first: u64,
    packets: u64,
}

impl Planned {
    /// When a packet was due, by another one's time.
    fn due(self, serial: u64, (known, at): (u64, TaiTime)) -> TaiTime {
        let apart = serial as f64 - known as f64;
        at.plus_nanos((apart * 1e9 / self.packets_per_s) as i64)
    }
}

/// Latencies in microseconds.
struct Latencies(Histogram<u64>);

impl Latencies {
    fn new() -> anyhow::Result<Self> {
        Ok(Self(Histogram::new_with_max(LATENCY_MAX_US, 3)?))
    }

    fn record(&mut self, due: TaiTime, there: TaiTime) {
        self.0.saturating_record(u64::try_from((there.0 - due.0) / 1_000).unwrap_or(0));
    }

    fn print(&self, metric: &str, context: &Value) {
        let mut context = context.clone();
        context["packets_measured"] = json!(self.0.len());
        context["max_ms"] = json!(self.0.max() as f64 / 1e3);
        for (name, quantile) in [("p50", 0.5), ("p99", 0.99), ("p99_9", 0.999)] {
            let milliseconds = self.0.value_at_quantile(quantile) as f64 / 1e3;
            print(BENCH, &format!("{metric}_{name}"), milliseconds, "ms", &context);
        }
    }
}

impl Latency {
    /// Runs it.
    pub async fn run(self) -> anyhow::Result<ExitCode> {
        ensure!(self.rates.iter().all(|&rate| rate > 0), "a rate is above zero");
        let fastest = f64::from(self.rates.iter().copied().max().unwrap_or(0));
        let packets = fastest * (Duration::from_secs(self.seconds) + WARM_UP).as_secs_f64();
        let bytes = (packets * ROOM_PER_PACKET) as u64 + ROOM_ASIDE;
        let work = async |directory: PathBuf| {
            for &rate in &self.rates {
                // Each has a hub of its own: what one leaves to be merged does not disturb the next.
                let directory = directory.join(rate.to_string());
                let outcome = self.measure(&directory, f64::from(rate)).await;
                outcome.with_context(|| format!("at {rate} packets a second"))?;
                std::fs::remove_dir_all(&directory)?;
            }
            Ok(())
        };
        scratch::measure(BENCH, self.directory.as_deref(), bytes, work).await
    }

    async fn measure(&self, directory: &Path, packets_per_s: f64) -> anyhow::Result<()> {
        let mut plan = GroundPlan::new(directory).with_node(NodePlan::new(NODE));
        plan.mission = Mission::load();
        let mut ground = plan.start().await?;
        let client = ground.hub_client().await?;
        let (hub, node) = (ground.hub_process()?.id(), ground.node_process(NODE)?.id());
        let first = (packets_per_s * WARM_UP.as_secs_f64()) as u64;
        let packets = first + (packets_per_s * self.seconds as f64) as u64;
        let planned = Planned { packets_per_s, first, packets };
        let seen = Seen::subscribe(&client, "serial").await?;
        let stop = CancellationToken::new();
        let commits = tokio::spawn(Commits::watch(database::connect(directory).await?, stop.clone()));

        let mut load = Load::new(ground.link(NODE)?, std::process::id(), packets_per_s);
        load.packet_bytes = PACKET_BYTES;
        load.packets_max = Some(packets);
        load.acknowledgement_timeout = COMMITTED_WITHIN;
        let (begun, before) = (Instant::now(), Usage::of(hub, Some(node))?);
        let report = load.run(std::future::pending::<()>()).await;
        let acknowledged = report.acknowledged_packets();
        ensure!(
            acknowledged == packets && report.sent.len() == 1,
            "the node did not take all packets at once"
        );
        until("all packets to be committed", COMMITTED_WITHIN, async || {
            Ok((committed(&client).await? >= packets).then_some(()))
        })
        .await?;
        let seconds = begun.elapsed().as_secs_f64();
        let cpu = Usage::of(hub, Some(node))?.since(before);

        let mut context = json!({ "packets_offered_per_s": packets_per_s, "packet_bytes": PACKET_BYTES,
            "packets_acknowledged_per_s": (packets as f64 / report.seconds).round(),
            "packets_committed_per_s": (packets as f64 / seconds).round(),
            "parameters_per_packet": PARAMETERS, "seconds": self.seconds, "written_every_ms": 2 });
        let seen = seen.finish(planned).await?;
        stop.cancel();
        let commits = commits.await??;
        context["path"] = json!("due at the station's socket to a WebSocket client, committed first");
        context["samples_received"] = json!(seen.samples);
        context["snapshots_in_place_of_samples"] = json!(seen.snapshots);
        seen.latencies.print("latency", &context);
        for dropped in ["samples_received", "snapshots_in_place_of_samples"] {
            context.as_object_mut().map(|context| context.remove(dropped));
        }
        context["path"] = json!("due at the station's socket to the commit, as another connection sees it");
        context["looks_per_s"] = json!((commits.looks as f64 / seconds).round());
        let database = database::connect(directory).await?;
        commits.latencies(&database, planned).await?.print("commit_latency", &context);
        for (process, cpu_s) in cpu {
            context["process"] = json!(process);
            print(BENCH, "cpu", cpu_s / seconds, "core", &context);
        }
        ground.stop().await
    }
}

async fn committed(client: &Client) -> anyhow::Result<u64> {
    let nodes = client.get("/api/v1/nodes").await?;
    nodes["nodes"][0]["archived_packets"].as_u64().context("the node has a count")
}
