//! `delivery`: from journals of real nodes to the hub's database, each packet durable at both ends; and the same packets
//! through NATS in the same run.

mod live;
mod nats;
pub(crate) mod profile;
mod segment;

use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use serde_json::{Value, json};
use testkit::configuration::Mission;

use crate::figures::print;
use nats::{NatsRates, Syncing};
use profile::Profile;
use segment::Segment;

const BENCH: &str = "delivery";
const PACKET_BYTES: usize = 92;
/// However slow the machine is today, a drain that takes longer stands still.
const DRAINED_WITHIN: Duration = Duration::from_secs(900);

/// What to measure.
#[derive(Args, Clone, Copy, Debug)]
pub struct Delivery {
    /// Packets of the backlog that is drained beside live data; the other measurements take a fifth of it.
    #[arg(long, default_value_t = 5_000_000)]
    packets: u64,
    /// Nodes that drain at once, after one alone.
    #[arg(long, default_value_t = 16)]
    nodes: usize,
    /// Live packets a second beside the drain.
    #[arg(long, default_value_t = 20_000.0)]
    live: f64,
    /// Leaves the comparison out.
    #[arg(long)]
    without_nats: bool,
    /// Leaves everything but the comparison and the drain of one node out.
    #[arg(long)]
    short: bool,
}

/// Packets a second of ours that NATS is compared with.
#[derive(Clone, Copy, Debug)]
struct OurRates {
    from_socket: f64,
    drain: f64,
}

impl Delivery {
    /// Measures and prints.
    pub async fn run(self) -> anyhow::Result<ExitCode> {
        let directory = std::env::temp_dir().join(format!("sto-delivery-{}", std::process::id()));
        let outcome = self.measure(&directory).await;
        let _ = std::fs::remove_dir_all(&directory);
        outcome.map(|()| ExitCode::SUCCESS)
    }

    async fn measure(self, directory: &std::path::Path) -> anyhow::Result<()> {
        let fifth = self.packets / 5;
        // Its own file: what decoding costs the hub is the difference.
        let bare = segment::with_one_parameter(directory)?;
        let mut ours = OurRates { from_socket: 0.0, drain: 0.0 };
        let mut segment = Segment::start(&directory.join("one"), Mission::load(), 1).await?;
        ours.from_socket = from_socket(&mut segment, fifth).await?;
        ours.drain = drain(&mut segment, fifth, "20").await?;
        segment.stop().await?;
        if !self.short {
            let mut segment = Segment::start(&directory.join("bare"), bare, 1).await?;
            drain(&mut segment, fifth, "1").await?;
            segment.stop().await?;
            let mut segment = Segment::start(&directory.join("many"), Mission::load(), self.nodes).await?;
            drain(&mut segment, fifth, "20").await?;
            segment.stop().await?;
            let segment = Segment::start(&directory.join("live"), Mission::load(), 1).await?;
            live::run(segment, self.packets, self.live).await?;
        }
        if self.without_nats {
            return Ok(());
        }
        for syncing in [Syncing::Default, Syncing::Always] {
            // With an fsync for each, a twentieth as many take long enough.
            let packets = if syncing == Syncing::Always { fifth / 20 } else { fifth };
            let theirs = nats::measure(&directory.join(syncing.word()), syncing, packets).await?;
            compare(ours, theirs, syncing);
        }
        Ok(())
    }
}

/// Packets through one station's socket, until the hub has committed the last.
async fn from_socket(segment: &mut Segment, packets: u64) -> anyhow::Result<f64> {
    let before = segment.archived().await?;
    let profile = Profile::begin(segment.processes()?);
    let begun = std::time::Instant::now();
    segment.send(packets).await?;
    segment.archived_all(before + packets).await?;
    let seconds = begun.elapsed().as_secs_f64();
    let context = context(segment, packets, "20", "station socket to PostgreSQL commit");
    print(BENCH, "packets_per_second", packets as f64 / seconds, "1/s", &context);
    profile.print(packets, &context);
    Ok(packets as f64 / seconds)
}

/// Fills journals while the hub is away, and lets all nodes go at once when each of them is connected.
async fn drain(segment: &mut Segment, packets: u64, parameters: &str) -> anyhow::Result<f64> {
    segment.fill(packets).await?;
    let before = segment.archived().await?;
    let profile = Profile::begin(segment.processes()?);
    segment.resume().await?;
    let (counted, seconds) = segment.drained(before + packets).await?;
    let context = context(segment, packets, parameters, "journals to PostgreSQL commit");
    print(BENCH, "drain_packets_per_second", counted as f64 / seconds, "1/s", &context);
    profile.print(packets, &context);
    Ok(counted as f64 / seconds)
}

fn context(segment: &Segment, packets: u64, parameters: &str, path: &str) -> Value {
    json!({ "nodes": segment.nodes(), "packets": packets, "packet_bytes": PACKET_BYTES,
        "parameters_per_packet": parameters, "path": path })
}

fn compare(ours: OurRates, theirs: NatsRates, syncing: Syncing) {
    let context = json!({ "sync_interval": syncing.word(), "packet_bytes": PACKET_BYTES });
    // Its mirror falls behind at times: what its leaf acknowledges is the stricter peer.
    for (metric, ratio) in [
        ("from_socket_of_nats_acknowledged", ours.from_socket / theirs.acknowledged),
        ("from_socket_of_nats_published", ours.from_socket / theirs.published),
        ("drain_of_nats_acknowledged", ours.drain / theirs.acknowledged),
        ("drain_of_nats_catching_up", ours.drain / theirs.catching_up),
    ] {
        print(BENCH, metric, ratio, "ratio", &context);
    }
}
