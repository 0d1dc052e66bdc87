//! `smoke`: the whole way of a packet on one machine. First figures, meant to be beaten.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use futures_util::{SinkExt, StreamExt};
use hdrhistogram::Histogram;
use serde_json::{Value, json};
use simulator::connection::Target;
use simulator::load::{Load, LoadReport};
use space_packet::{TaiTime, UtcTime};
use testkit::client::Client;
use testkit::configuration::Mission;
use testkit::ground::{GroundPlan, GroundSegment, NodePlan};
use testkit::process::{binary, until};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use crate::figures::print;
use crate::processes::{cpu_seconds, descendants, memory_mib};

const BENCH: &str = "smoke";
const NODE: &str = "bench";
const PACKET_BYTES: usize = 92;
const ARCHIVED_WITHIN: Duration = Duration::from_secs(120);

/// How long and how hard.
#[derive(Clone, Copy, Debug)]
pub struct Smoke {
    /// Seconds of each measurement.
    pub seconds: u64,
    /// Rate of the steady load.
    pub steady_packets_per_second: f64,
    /// Rate at which latency is measured.
    pub latency_packets_per_second: f64,
    /// Rate of the load meant to be too much.
    pub saturating_packets_per_second: f64,
}

/// Runs it.
pub async fn run(smoke: Smoke) -> anyhow::Result<()> {
    for name in ["edge-node", "cloud-hub"] {
        let bytes = std::fs::metadata(binary(name)?)?.len();
        print(BENCH, "binary_size", bytes as f64 / f64::from(1 << 20), "MiB", &json!({ "binary": name }));
    }
    let directory = std::env::temp_dir().join(format!("sto-bench-{}", std::process::id()));
    let outcome = measure(smoke, &directory).await;
    let _ = std::fs::remove_dir_all(&directory);
    outcome
}

async fn measure(smoke: Smoke, directory: &Path) -> anyhow::Result<()> {
    let mut plan = GroundPlan::new(directory).with_node(NodePlan::new(NODE));
    plan.mission = Mission::load();
    let mut ground = plan.start().await?;
    latency(smoke, &ground).await?;
    throughput(smoke, &mut ground, "steady", smoke.steady_packets_per_second).await?;
    memory(&mut ground, "steady")?;
    throughput(smoke, &mut ground, "saturating", smoke.saturating_packets_per_second).await?;
    memory(&mut ground, "saturating")?;
    ground.stop().await
}

fn load(ground: &GroundSegment, rate: f64, seconds: u64) -> anyhow::Result<Load> {
    let run_id = u32::try_from(service_time().rem_euclid(1 << 31)).unwrap_or(1);
    let mut load = Load::new(Target::from(ground.link(NODE)?), run_id, rate);
    load.packet_bytes = PACKET_BYTES;
    load.packets_max = Some((rate * seconds as f64) as u64);
    load.acknowledgement_timeout = ARCHIVED_WITHIN;
    Ok(load)
}

fn service_time() -> i64 {
    simulator::clock::now().0 / 1_000_000
}

async fn throughput(smoke: Smoke, ground: &mut GroundSegment, kind: &str, rate: f64) -> anyhow::Result<()> {
    let client = ground.hub_client().await?;
    let before = archived(&client).await?;
    let pids = [
        ("edge", vec![ground.node_process(NODE)?.id()]),
        ("hub and PostgreSQL", descendants(ground.hub_process()?.id())),
    ];
    let cpu = |pids: &[u32]| pids.iter().filter_map(|&pid| cpu_seconds(pid).ok()).sum::<f64>();
    let cpu_before: Vec<f64> = pids.iter().map(|(_, pids)| cpu(pids)).collect();
    let begun = Instant::now();
    let report: LoadReport = load(ground, rate, smoke.seconds)?.run(std::future::pending::<()>()).await;
    let durable_s = begun.elapsed().as_secs_f64();
    let sent = report.sent_packets();
    until("all packets archived", ARCHIVED_WITHIN, async || {
        Ok((archived(&client).await? >= before + sent).then_some(()))
    })
    .await?;
    let archived_s = begun.elapsed().as_secs_f64();
    let context = json!({ "load": kind, "offered_per_s": rate, "packets": sent, "packet_bytes": PACKET_BYTES,
        "parameters_per_packet": 20, "path": "socket to PostgreSQL commit" });
    print(BENCH, "packets_per_second_acknowledged", sent as f64 / durable_s, "1/s", &context);
    print(BENCH, "packets_per_second_archived", sent as f64 / archived_s, "1/s", &context);
    for ((name, pids), before) in pids.iter().zip(cpu_before) {
        let nanos = (cpu(pids) - before) * 1e9 / sent as f64;
        print(
            BENCH,
            "cpu_per_packet",
            nanos,
            "ns",
            &json!({ "load": kind, "process": name, "packets": sent }),
        );
    }
    Ok(())
}

fn memory(ground: &mut GroundSegment, kind: &str) -> anyhow::Result<()> {
    let pids = [("edge-node", ground.node_process(NODE)?.id()), ("cloud-hub", ground.hub_process()?.id())];
    for (name, pid) in pids {
        let (peak, present) = memory_mib(pid)?;
        print(BENCH, "memory_peak", peak, "MiB", &json!({ "process": name, "after": kind }));
        print(BENCH, "memory", present, "MiB", &json!({ "process": name, "after": kind }));
    }
    Ok(())
}

async fn archived(client: &Client) -> anyhow::Result<u64> {
    let nodes = client.get("/api/v1/nodes").await?;
    nodes["nodes"][0]["archived_packets"].as_u64().context("the node has a count")
}

/// From the moment a packet was due to be written to the station's socket to its value in a WebSocket client.
async fn latency(smoke: Smoke, ground: &GroundSegment) -> anyhow::Result<()> {
    let client = ground.hub_client().await?;
    let mut request = format!("ws://{}/api/v1/live", client.server()).into_client_request()?;
    request.headers_mut().insert("cookie", client.cookie().parse()?);
    let (mut socket, _) = tokio_tungstenite::connect_async(request).await?;
    let parameters = client.get("/api/v1/missions/load/parameters").await?;
    let serial = parameters["parameters"]
        .as_array()
        .and_then(|list| list.iter().find(|parameter| parameter["short_name"] == "serial"))
        .and_then(|parameter| parameter["name"].as_str())
        .context("the load mission has a parameter named serial")?
        .to_owned();
    let subscribe = json!({ "kind": "subscribe", "mission": "load", "parameters": [serial] });
    socket.send(Message::text(subscribe.to_string())).await?;

    let rate = smoke.latency_packets_per_second;
    let running = tokio::spawn(load(ground, rate, smoke.seconds)?.run(std::future::pending::<()>()));
    let mut histogram = Histogram::<u64>::new(3)?;
    // The first second is left out: connections open and memory is touched for the first time.
    let warm_until = simulator::clock::now().plus_nanos(1_000_000_000);
    while !running.is_finished() {
        let next = tokio::time::timeout(Duration::from_secs(5), socket.next()).await;
        let Ok(Some(message)) = next else { bail!("the live stream ended") };
        let Message::Text(text) = message? else { continue };
        let now = simulator::clock::now();
        let event: Value = serde_json::from_str(&text)?;
        if event["kind"] != "values" {
            continue;
        }
        for sample in event["samples"].as_array().into_iter().flatten() {
            let made = sample["generation_time"].as_str().context("a sample has a time")?;
            let made: TaiTime = UtcTime::parse(made)?.to_tai();
            if made > warm_until {
                histogram.record(u64::try_from((now.0 - made.0) / 1_000).unwrap_or(0))?;
            }
        }
    }
    running.await?;
    let context = json!({ "packets_per_second": rate, "packet_bytes": PACKET_BYTES, "samples": histogram.len(),
        "path": "station socket to WebSocket client, committed first" });
    for (metric, quantile) in [("latency_p50", 0.5), ("latency_p99", 0.99)] {
        print(BENCH, metric, histogram.value_at_quantile(quantile) as f64 / 1e3, "ms", &context);
    }
    Ok(())
}
