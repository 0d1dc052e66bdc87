//! The same packets through NATS: JetStream in files at a leaf, and a mirror of its stream in files at a hub.

mod client;
mod server;

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use serde_json::{Value, json};
use testkit::ports::Ports;
use testkit::process::until;

use super::{BENCH, DRAINED_WITHIN, PACKET_BYTES};
use crate::figures::print;
use crate::processes::cpu_seconds;
use client::NatsClient;
use server::{Addresses, NatsServer, version, write_configs};

const SOON: Duration = Duration::from_secs(60);
const SUBJECT: &str = "telemetry";

/// When NATS writes through to the disk.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Syncing {
    /// Before it acknowledges.
    Always,
    /// Every two minutes: what it acknowledges is in the page cache.
    Default,
}

impl Syncing {
    /// As its configuration has it.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Always => "always",
            Self::Default => "default",
        }
    }
}

/// Packets a second.
#[derive(Clone, Copy, Debug)]
pub(super) struct NatsRates {
    /// Acknowledged at the leaf.
    pub(super) acknowledged: f64,
    /// Acknowledged at the leaf and in the hub's mirror.
    pub(super) published: f64,
    /// Into the mirror after the link was away.
    pub(super) catching_up: f64,
}

/// Publishes packets while the mirror follows; then as many while the hub is away, which the mirror catches up with.
pub(super) async fn measure(directory: &Path, syncing: Syncing, packets: u64) -> anyhow::Result<NatsRates> {
    let version = version()?;
    let mut ports = Ports::claim()?;
    let addresses = Addresses {
        hub: ports.next_address()?,
        leaf: ports.next_address()?,
        leaf_link: ports.next_address()?,
    };
    let (hub_file, leaf_file) = write_configs(directory, &addresses, syncing)?;
    let hub_server = NatsServer::start(&hub_file)?;
    let leaf_server = NatsServer::start(&leaf_file)?;
    let (mut hub, mut leaf) = (connect(addresses.hub).await?, connect(addresses.leaf).await?);
    make_streams(&mut hub, &mut leaf).await?;

    let context = json!({ "server": version, "sync_interval": syncing.word(), "packets": packets,
        "packet_bytes": PACKET_BYTES, "path": "leaf to mirror at the hub, TLS, a message each" });
    let cpu = |servers: &[u32]| servers.iter().filter_map(|&pid| cpu_seconds(pid).ok()).sum::<f64>();
    let pids = [hub_server.id(), leaf_server.id()];
    let cpu_before = cpu(&pids);
    let begun = Instant::now();
    leaf.publish(SUBJECT, &made(0, packets), PACKET_BYTES).await?;
    let acknowledged = packets as f64 / begun.elapsed().as_secs_f64();
    mirrored(&mut hub, packets).await?;
    let published = packets as f64 / begun.elapsed().as_secs_f64();
    let micros = (cpu(&pids) - cpu_before) * 1e6 / packets as f64;
    print(BENCH, "nats_acknowledged_per_second", acknowledged, "1/s", &context);
    print(BENCH, "nats_published_per_second", published, "1/s", &context);
    print(BENCH, "nats_cpu_per_packet", micros, "us", &context);

    drop((hub, hub_server));
    leaf.publish(SUBJECT, &made(packets, packets), PACKET_BYTES).await?;
    let _hub_server = NatsServer::start(&hub_file)?;
    let mut hub = connect(addresses.hub).await?;
    let first = until("a first packet in the mirror", SOON, async || {
        // It listens before its JetStream answers.
        let held = held(&mut hub).await.unwrap_or(0);
        Ok((held > packets).then_some(held))
    })
    .await?;
    let begun = Instant::now();
    mirrored(&mut hub, 2 * packets).await?;
    let catching_up = (2 * packets - first) as f64 / begun.elapsed().as_secs_f64();
    print(BENCH, "nats_catching_up_per_second", catching_up, "1/s", &context);
    Ok(NatsRates { acknowledged, published, catching_up })
}

/// The load's packets, as a station would send them.
fn made(first: u64, packets: u64) -> Vec<u8> {
    let (run, now) = (std::process::id(), simulator::clock::now());
    (first..first + packets)
        .flat_map(|serial| simulator::load::packet(run, serial, PACKET_BYTES, now))
        .collect()
}

async fn connect(address: std::net::SocketAddr) -> anyhow::Result<NatsClient> {
    until("a NATS server", SOON, async || Ok(NatsClient::connect(address).await.ok())).await
}

async fn make_streams(hub: &mut NatsClient, leaf: &mut NatsClient) -> anyhow::Result<()> {
    let stream = json!({ "name": "TELEMETRY", "subjects": [SUBJECT], "storage": "file", "retention": "limits",
        "max_msgs": -1, "max_bytes": -1, "num_replicas": 1 });
    created(&leaf.ask("$JS.API.STREAM.CREATE.TELEMETRY", &stream).await?)?;
    let mirror = json!({ "name": "MIRROR", "storage": "file", "num_replicas": 1,
        "mirror": { "name": "TELEMETRY", "external": { "api": "$JS.leaf.API" } } });
    created(&hub.ask("$JS.API.STREAM.CREATE.MIRROR", &mirror).await?)
}

fn created(answer: &Value) -> anyhow::Result<()> {
    ensure!(answer["error"].is_null(), "JetStream refused a stream: {answer}");
    Ok(())
}

/// Messages in the mirror.
async fn held(hub: &mut NatsClient) -> anyhow::Result<u64> {
    let info = hub.ask("$JS.API.STREAM.INFO.MIRROR", &Value::Null).await?;
    info["state"]["messages"].as_u64().with_context(|| format!("a stream counts its messages: {info}"))
}

async fn mirrored(hub: &mut NatsClient, packets: u64) -> anyhow::Result<()> {
    until("all packets in the mirror", DRAINED_WITHIN, async || {
        Ok((held(hub).await? >= packets).then_some(()))
    })
    .await
}
