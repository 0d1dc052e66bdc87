//! From sending to the acknowledgement that it is durable.

use std::time::Duration;

use serde_json::json;

use super::door::DoorKind;
use super::load::{Load, Pace};
use super::node::BenchNode;
use super::throughput::context;
use super::{BENCH, Intake};
use crate::figures::print;

const PACKETS_PER_SECOND: f64 = 50_000.0;
const MESSAGES: usize = 100;
const WARM_UP: Duration = Duration::from_secs(1);

/// One door.
pub(super) async fn run(intake: &Intake, node: &BenchNode, door: DoorKind) -> anyhow::Result<()> {
    let shape = door.shape(MESSAGES);
    for seconds in [WARM_UP, Duration::from_secs(intake.seconds)] {
        let mut load = Load::start(door, node.address()?, shape, Pace::Steady(PACKETS_PER_SECOND)).await?;
        load.run_for(seconds).await?;
        let histogram = load.stop().await?;
        if seconds == WARM_UP {
            continue;
        }
        let mut context = context(door, shape);
        context["packets_per_second"] = json!(PACKETS_PER_SECOND);
        context["requests"] = json!(histogram.len());
        context["path"] = json!("send to durable acknowledgement");
        for (metric, quantile) in [("latency_p50", 0.5), ("latency_p99", 0.99)] {
            print(BENCH, metric, histogram.value_at_quantile(quantile) as f64 / 1e3, "ms", &context);
        }
    }
    Ok(())
}
