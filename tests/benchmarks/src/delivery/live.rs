//! A backlog that drains while live data arrive: how fast it goes, and what live data notice of it.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use delivery::Way;
use futures_util::{SinkExt, StreamExt};
use hdrhistogram::Histogram;
use serde::Deserialize;
use serde_json::{Value, json};
use space_packet::{TaiTime, UtcTime};
use testkit::client::Client;
use tokio::sync::oneshot;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_util::sync::CancellationToken;

use super::profile::Profile;
use super::segment::Segment;
use super::{BENCH, PACKET_BYTES};
use crate::figures::print;

/// Connections open and memory is touched for the first time.
const WARM_UP: Duration = Duration::from_secs(3);
const BEFORE: Duration = Duration::from_secs(10);
/// What was sent during the drain gets so long to be seen.
const AFTERWARDS: Duration = Duration::from_secs(10);
/// Longest latency that is told apart from longer ones: a minute.
const LATENCY_MAX_US: u64 = 60_000_000;

/// A part of the measurement, by when a packet was made.
#[derive(Clone, Copy, Debug)]
struct Phase {
    name: &'static str,
    from: TaiTime,
    to: TaiTime,
}

/// A sample at a WebSocket client.
#[derive(Clone, Copy, Debug)]
struct Seen {
    made: TaiTime,
    latency_us: u64,
}

/// Measures, and ends the segment.
pub(super) async fn run(mut segment: Segment, packets: u64, live: f64) -> anyhow::Result<()> {
    segment.fill(packets).await?;
    let node = segment.first_node()?.to_owned();
    let (stop, stopped) = oneshot::channel::<()>();
    let load = tokio::spawn(segment.load(&node, live)?.run(async {
        // Nobody to stop it any more is a stop as well.
        let _ = stopped.await;
    }));
    tokio::time::sleep(WARM_UP).await;
    let (seen, enough) = (Mutex::new(Watched::default()), CancellationToken::new());
    let processes = segment.processes()?;
    let begun = simulator::clock::now();
    let (mut resumed, mut drained) = (begun, begun);
    let driving = async {
        tokio::time::sleep(BEFORE).await;
        let before = segment.archived().await?;
        let profile = Profile::begin(processes);
        resumed = simulator::clock::now();
        segment.resume().await?;
        let resumed_at = Instant::now();
        // Live data come in beside it: the backlog is over when its own count is.
        segment.backlog_is_empty(&node).await?;
        let seconds = resumed_at.elapsed().as_secs_f64();
        drained = simulator::clock::now();
        let archived = segment.archived().await?.saturating_sub(before);
        let context = json!({ "backlog_packets": packets, "packet_bytes": PACKET_BYTES, "live_packets_per_second": live,
            "parameters_per_packet": "20", "path": "journal to PostgreSQL commit" });
        print(BENCH, "drain_beside_live_packets_per_second", packets as f64 / seconds, "1/s", &context);
        profile.print(archived, &context);
        tokio::time::sleep(AFTERWARDS).await;
        enough.cancel();
        anyhow::Ok(())
    };
    tokio::try_join!(driving, watch(segment.client(), &seen, &enough))?;
    drop(stop);
    load.await?;
    let phases = [
        Phase { name: "before the drain", from: begun, to: resumed },
        Phase { name: "during the drain", from: resumed, to: drained },
    ];
    let watched = seen.into_inner().unwrap_or_default();
    for phase in phases {
        watched.print(phase, live)?;
        print_commits(&segment, phase, live).await?;
    }
    segment.stop().await
}

/// What a WebSocket client saw.
#[derive(Debug, Default)]
struct Watched {
    seen: Vec<Seen>,
    snapshots: u64,
}

impl Watched {
    fn print(&self, phase: Phase, live: f64) -> anyhow::Result<()> {
        let mut histogram = Histogram::<u64>::new_with_max(LATENCY_MAX_US, 3)?;
        let seen = self.seen.iter().filter(|seen| (phase.from..phase.to).contains(&seen.made));
        seen.for_each(|seen| histogram.saturating_record(seen.latency_us));
        let context = json!({ "phase": phase.name, "live_packets_per_second": live, "packet_bytes": PACKET_BYTES,
            "samples": histogram.len(), "snapshots_in_place_of_samples": self.snapshots,
            "path": "station socket to WebSocket client, committed first" });
        print_quantiles(&histogram, &context);
        Ok(())
    }
}

fn print_quantiles(histogram: &Histogram<u64>, context: &Value) {
    for (metric, quantile) in [("live_latency_p50", 0.5), ("live_latency_p99", 0.99)] {
        print(BENCH, metric, histogram.value_at_quantile(quantile) as f64 / 1e3, "ms", context);
    }
}

/// What the client reads of an event; the rest is skipped.
#[derive(Deserialize)]
struct Event<'a> {
    kind: &'a str,
    #[serde(borrow, default)]
    samples: Vec<Told<'a>>,
}

#[derive(Deserialize)]
struct Told<'a> {
    #[serde(borrow)]
    generation_time: Option<&'a str>,
}

/// Looks at one parameter until there is enough. Samples of the backlog are there too; their time tells them apart.
async fn watch(client: &Client, seen: &Mutex<Watched>, enough: &CancellationToken) -> anyhow::Result<()> {
    let mut request = format!("ws://{}/api/v1/live", client.server()).into_client_request()?;
    request.headers_mut().insert("cookie", client.cookie().parse()?);
    let (mut socket, _) = tokio_tungstenite::connect_async(request).await?;
    let parameters = client.get("/api/v1/missions/load/parameters").await?;
    let serial = parameters["parameters"]
        .as_array()
        .and_then(|list| list.iter().find(|parameter| parameter["short_name"] == "serial"))
        .and_then(|parameter| parameter["name"].as_str())
        .context("the load mission has a parameter named serial")?;
    let subscribe = json!({ "kind": "subscribe", "mission": "load", "parameters": [serial] });
    socket.send(Message::text(subscribe.to_string())).await?;
    loop {
        let message = tokio::select! {
            () = enough.cancelled() => return Ok(()),
            message = socket.next() => message,
        };
        let Some(message) = message else { bail!("the live stream ended") };
        let Message::Text(text) = message? else { continue };
        let now = simulator::clock::now();
        let event: Event<'_> = serde_json::from_str(&text)?;
        let mut watched = seen.lock().expect("nobody panics while it is held");
        match event.kind {
            "snapshot" => watched.snapshots += 1,
            "values" => {
                for made in event.samples.iter().filter_map(|sample| sample.generation_time) {
                    let made = UtcTime::parse(made)?.to_tai();
                    let latency_us = u64::try_from((now.0 - made.0) / 1_000).unwrap_or(0);
                    watched.seen.push(Seen { made, latency_us });
                }
            }
            _ => {}
        }
    }
}

/// The same from the database's side: nobody looks on, and every batch counts, by its oldest record. The group's commit
/// itself is not in it: rows say when it was asked for.
async fn print_commits(segment: &Segment, phase: Phase, live: f64) -> anyhow::Result<()> {
    let database = segment.database().await?;
    let way = i16::from(u8::from(Way::Live));
    let rows = database
        .query(
            "SELECT (committed_at - first_reception) / 1000, records FROM ledger
             WHERE way = $1 AND first_reception >= $2 AND first_reception < $3",
            &[&way, &phase.from.0, &phase.to.0],
        )
        .await?;
    let mut histogram = Histogram::<u64>::new_with_max(LATENCY_MAX_US, 3)?;
    for row in rows {
        let (micros, records): (i64, i32) = (row.get(0), row.get(1));
        for _ in 0..records {
            histogram.saturating_record(u64::try_from(micros).unwrap_or(0));
        }
    }
    let context = json!({ "phase": phase.name, "live_packets_per_second": live, "packet_bytes": PACKET_BYTES,
        "packets": histogram.len(), "path": "station reception to the hub's commit" });
    print_quantiles(&histogram, &context);
    Ok(())
}
