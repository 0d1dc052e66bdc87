//! Stopping in order: what a producer was told about outlives the process, on disk or at the hub.

use std::time::Instant;

use anyhow::ensure;
use testkit::configuration::Mission;

use crate::archive::load_in_ledger;
use crate::serials::Differences;
use crate::world::{NODE, RunningLoad, SOON, World};

const RUN: u32 = 0x5354_4f50;
const PACKETS_PER_SECOND: f64 = 20_000.0;
const RECEIVED_MIN: u64 = 40_000;

#[tokio::test(flavor = "multi_thread")]
async fn a_node_stopped_under_load_without_a_hub_keeps_all_it_acknowledged() -> anyhow::Result<()> {
    let mut world = World::start(Mission::load()).await?;
    // Without a hub, the journal is the only place where it can be.
    world.stop_hub().await?;
    let load = RunningLoad::start(world.ground.link(NODE)?, RUN, PACKETS_PER_SECOND);
    received(&world).await?;

    let begun = Instant::now();
    world.stop_node(NODE).await?;
    println!("the node stopped within {:.1} s", begun.elapsed().as_secs_f64());
    let report = load.stop().await?;
    let acknowledged = report.acknowledged_packets();
    ensure!(acknowledged >= RECEIVED_MIN / 2, "only {acknowledged} packets were acknowledged");

    world.ground.start_hub().await?;
    world.ground.start_node(NODE).await?;
    world.drained(NODE).await?;
    let archived = load_in_ledger(&world, RUN).await?;
    let serials: Vec<u64> = archived.iter().map(|packet| packet.serial).collect();
    println!("load: {} sent, {acknowledged} acknowledged", report.sent_packets());
    Differences::between(&report.sent, &report.acknowledged, &serials).assert_none()?;
    world.finish().await
}

#[tokio::test(flavor = "multi_thread")]
async fn node_and_hub_stopped_under_load_side_by_side_lose_and_double_nothing() -> anyhow::Result<()> {
    let mut world = World::start(Mission::load()).await?;
    let load = RunningLoad::start(world.ground.link(NODE)?, RUN, PACKETS_PER_SECOND);
    received(&world).await?;
    // Both at once: batches are under way between them.
    world.ground.hub_process()?.signal(rustix::process::Signal::TERM)?;
    world.ground.node_process(NODE)?.signal(rustix::process::Signal::TERM)?;
    let hub = world.ground.hub_process()?.wait(SOON).await?;
    let node = world.ground.node_process(NODE)?.wait(SOON).await?;
    ensure!(hub.success() && node.success(), "hub: {hub}, node: {node}");

    world.ground.start_hub().await?;
    world.ground.start_node(NODE).await?;
    let report = load.stop().await?;
    world.drained(NODE).await?;
    let archived = load_in_ledger(&world, RUN).await?;
    let serials: Vec<u64> = archived.iter().map(|packet| packet.serial).collect();
    println!("load: {} sent, {} acknowledged", report.sent_packets(), report.acknowledged_packets());
    Differences::between(&report.sent, &report.acknowledged, &serials).assert_none()?;
    world.finish().await
}

async fn received(world: &World) -> anyhow::Result<()> {
    let enough = |node: &serde_json::Value| {
        node.pointer("/report/packets_received").and_then(serde_json::Value::as_u64) >= Some(RECEIVED_MIN)
    };
    world.node_says("packets received", NODE, enough).await.map(drop)
}
