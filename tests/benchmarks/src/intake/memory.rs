//! Resident memory of a node: at a steady rate, and with much waiting for a hub.

use std::time::Duration;

use serde_json::json;

use super::door::DoorKind;
use super::load::{Load, Pace};
use super::node::BenchNode;
use super::throughput::context;
use super::{BENCH, Intake};
use crate::figures::print;
use crate::processes::memory_mib;
use crate::timing::Spread;

const DOOR: DoorKind = DoorKind::TcpPrefixed;
const PACKETS_PER_SECOND: f64 = 10_000.0;
const SAMPLE_EVERY: Duration = Duration::from_secs(1);

/// A steady rate for some minutes.
pub(super) async fn steady(intake: &Intake, node: &mut BenchNode) -> anyhow::Result<()> {
    let pid = node.pid()?;
    let shape = DOOR.shape(10);
    let mut load = Load::start(DOOR, node.address()?, shape, Pace::Steady(PACKETS_PER_SECOND)).await?;
    let mut resident = Vec::new();
    for _ in 0..intake.minutes * 60 {
        load.run_for(SAMPLE_EVERY).await?;
        resident.push(memory_mib(pid)?.1);
    }
    let waiting = load.durable();
    load.stop().await?;
    let mut context = context(DOOR, shape);
    context["packets_per_second"] = json!(PACKETS_PER_SECOND);
    context["minutes"] = json!(intake.minutes);
    context["records_waiting"] = json!(waiting);
    tell(pid, &resident, &context)
}

/// Many records that no hub takes, and the same after a new start.
pub(super) async fn waiting(records: u64, node: &mut BenchNode) -> anyhow::Result<()> {
    let pid = node.pid()?;
    let shape = DOOR.shape(1_000);
    let mut load = Load::start(DOOR, node.address()?, shape, Pace::Saturating).await?;
    let mut resident = Vec::new();
    while load.durable() < records {
        load.run_for(SAMPLE_EVERY).await?;
        resident.push(memory_mib(pid)?.1);
    }
    load.stop().await?;
    let mut context = context(DOOR, shape);
    context["records_waiting"] = json!(node.counts().await?.durable);
    context["journal"] = json!("sled");
    tell(pid, &resident, &context)?;
    print(BENCH, "disk_bytes", node.disk_bytes() as f64, "byte", &context);
    let seconds = node.restart().await?;
    print(BENCH, "start_with_records_waiting", seconds, "s", &context);
    let (peak, present) = memory_mib(node.pid()?)?;
    context["after"] = json!("a new start");
    print(BENCH, "memory_peak", peak, "MiB", &context);
    print(BENCH, "memory", present, "MiB", &context);
    Ok(())
}

fn tell(pid: u32, resident: &[f64], context: &serde_json::Value) -> anyhow::Result<()> {
    let (peak, present) = memory_mib(pid)?;
    print(BENCH, "memory_peak", peak, "MiB", context);
    print(BENCH, "memory_median", Spread::of(resident.iter().copied()).median, "MiB", context);
    print(BENCH, "memory", present, "MiB", context);
    Ok(())
}
