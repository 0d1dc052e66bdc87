//! Messages a second, and processor time for each, door by door.

use std::time::Duration;

use serde_json::{Value, json};
use testkit::process::until;
use tokio::time::Instant;

use super::door::{DoorKind, Shape};
use super::load::{Load, Pace, next_ring};
use super::node::{BenchNode, Moment};
use super::producer::UdpProducer;
use super::ring::{PACKET_BYTES, PARAMETERS};
use super::{BENCH, Intake};
use crate::figures::print;

/// Connections open and memory is touched for the first time.
const WARM_UP: Duration = Duration::from_secs(1);
/// Of datagrams: where the search for the highest rate begins, and how it goes on.
const UDP_FIRST_PER_S: f64 = 25_000.0;
const UDP_FACTOR: f64 = 1.4;
/// Share of datagrams that may be lost at a rate that counts as kept.
const UDP_LOST_MAX: f64 = 0.001;
const UDP_TICK: Duration = Duration::from_millis(1);
const SETTLED_WITHIN: Duration = Duration::from_secs(30);

/// What a figure was measured with.
pub(super) fn context(door: DoorKind, shape: Shape) -> Value {
    json!({ "door": door.word(), "messages_a_request": shape.messages, "connections": shape.connections,
        "in_flight": shape.in_flight, "packet_bytes": PACKET_BYTES, "parameters_per_packet": PARAMETERS,
        "path": "socket to journal, decoded and judged, no hub" })
}

/// All shapes of a door, on one node.
pub(super) async fn run(intake: &Intake, node: &mut BenchNode, door: DoorKind) -> anyhow::Result<()> {
    for shape in door.shapes() {
        if door == DoorKind::Udp {
            search_udp(intake, node, shape).await?;
        } else {
            saturate(intake, node, door, shape).await?;
        }
    }
    let counts = node.counts().await?;
    // What was lost is counted elsewhere; what came must be as it was sent.
    if door != DoorKind::Udp && (counts.found > 0 || counts.rejected > 0) {
        anyhow::bail!("the node found fault with packets that have none: {counts:?}");
    }
    Ok(())
}

async fn saturate(intake: &Intake, node: &mut BenchNode, door: DoorKind, shape: Shape) -> anyhow::Result<()> {
    let mut load = Load::start(door, node.address()?, shape, Pace::Saturating).await?;
    load.run_for(WARM_UP).await?;
    let not_shown = node.samples_not_shown().await?;
    let (before, first) = (node.moment()?, load.durable());
    load.run_for(Duration::from_secs(intake.seconds)).await?;
    let (after, last) = (node.moment()?, load.durable());
    let not_shown = node.samples_not_shown().await? - not_shown;
    load.stop().await?;
    let mut context = context(door, shape);
    context["seconds"] = json!(intake.seconds);
    tell(&context, last - first, before, after);
    let samples = (last - first) as f64 * PARAMETERS as f64;
    print(BENCH, "samples_not_shown", not_shown as f64 / samples, "share", &context);
    Ok(())
}

fn tell(context: &Value, messages: u64, before: Moment, after: Moment) {
    let seconds = after.at.duration_since(before.at).as_secs_f64();
    let each = |seconds: f64| seconds * 1e9 / messages.max(1) as f64;
    print(BENCH, "messages_per_second", messages as f64 / seconds, "1/s", context);
    print(BENCH, "cpu_per_message", each(after.node_s - before.node_s), "ns", context);
    print(BENCH, "load_cpu_per_message", each(after.load_s - before.load_s), "ns", context);
}

/// Nobody tells a producer of datagrams to wait: the figure is the highest rate of a ladder at which next to none is
/// lost.
async fn search_udp(intake: &Intake, node: &mut BenchNode, shape: Shape) -> anyhow::Result<()> {
    let producer = UdpProducer::connect(node.address()?).await?;
    let ring = next_ring(DoorKind::Udp, shape)?;
    let (mut serial, mut rate) = (0, UDP_FIRST_PER_S);
    let mut context = context(DoorKind::Udp, shape);
    context["lost_share_max"] = json!(UDP_LOST_MAX);
    let mut best = None;
    loop {
        let (before, first) = (node.moment()?, node.counts().await?);
        let (begun, mut sent) = (Instant::now(), 0);
        let mut ticks = tokio::time::interval(UDP_TICK);
        while begun.elapsed() < Duration::from_secs(intake.seconds).max(WARM_UP) {
            ticks.tick().await;
            let due = (begun.elapsed().as_secs_f64() * rate) as u64;
            while sent + shape.messages as u64 <= due {
                producer.send(ring.request(serial, shape.messages)).await?;
                serial += shape.messages as u64;
                sent += shape.messages as u64;
            }
        }
        let seconds = begun.elapsed().as_secs_f64();
        let after = node.moment()?;
        let durable = settled(node).await? - first.durable;
        let lost = 1.0 - durable as f64 / sent as f64;
        let is_kept = lost <= UDP_LOST_MAX && sent as f64 >= 0.95 * rate * seconds;
        context["offered_per_s"] = json!(rate.round());
        context["lost_share"] = json!((lost * 1e5).round() / 1e5);
        if !is_kept {
            print(BENCH, "messages_per_second_overrun", durable as f64 / seconds, "1/s", &context);
            break;
        }
        best = Some((context.clone(), durable, before, after));
        rate *= UDP_FACTOR;
    }
    if let Some((context, durable, before, after)) = best {
        tell(&context, durable, before, after);
    }
    Ok(())
}

/// Durable packets once no more become so.
async fn settled(node: &BenchNode) -> anyhow::Result<u64> {
    until("datagrams to be durable", SETTLED_WITHIN, async || {
        let before = node.counts().await?;
        tokio::time::sleep(Duration::from_millis(100)).await;
        let after = node.counts().await?;
        Ok((after.durable == after.taken && after.taken == before.taken).then_some(after.durable))
    })
    .await
}
