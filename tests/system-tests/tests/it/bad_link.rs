//! A station behind a link that loses, reorders, changes its address and goes dark: all of it is archived, once.

use anyhow::ensure;
use serde_json::Value;
use simulator::faults::{Cause, Direction, FaultProfile};
use testkit::configuration::Mission;
use testkit::process::until;

use crate::archive::load_in_ledger;
use crate::serials::Differences;
use crate::world::{NODE, RunningLoad, SOON, World};

const RUN: u32 = 0x4c49_4e4b;
const PACKETS_PER_SECOND: f64 = 1_000.0;

#[tokio::test(flavor = "multi_thread")]
async fn what_crosses_a_bad_link_is_archived_once() -> anyhow::Result<()> {
    let mut world = World::prepare(Mission::load(), &[NODE])?;
    world.ground.start_hub().await?;
    world.ground.enrol(NODE).await?;
    let link = world.ground.bad_link(NODE, 7, FaultProfile::lossy()).await?;
    world.ground.start_node(NODE).await?;

    let load = RunningLoad::start(world.ground.link(NODE)?, RUN, PACKETS_PER_SECOND);
    let archived = |packets: u64| move |node: &Value| node["archived_packets"].as_u64() > Some(packets);
    world.hub_says("packets over a lossy link", NODE, archived(1_000)).await?;
    link.cut();
    world.hub_says("packets from another address", NODE, archived(3_000)).await?;
    // Acknowledgements are lost meanwhile, so that what was committed is sent again.
    link.half_open(Direction::ToClient, true);
    until("answers that are lost", SOON, async || {
        let figures = link.statistics();
        Ok((figures.to_client.dropped_by(Cause::HalfOpen) > 3).then_some(()))
    })
    .await?;
    link.half_open(Direction::ToClient, false);
    link.blackhole(true);
    let waits = |node: &Value| node.pointer("/report/backlog/packets").and_then(Value::as_u64) > Some(5_000);
    world.node_says("a backlog in the dark", NODE, waits).await?;
    link.blackhole(false);
    world.hub_says("packets after the dark", NODE, archived(8_000)).await?;

    let report = load.stop().await?;
    world.drained(NODE).await?;
    let figures = link.statistics();
    println!("{} packets acknowledged; the link: {figures}", report.acknowledged_packets());
    for direction in Direction::ALL {
        ensure!(figures.direction(direction).dropped_by(Cause::Loss) > 0, "nothing was lost: {figures}");
        ensure!(figures.direction(direction).dropped_by(Cause::ProxyFull) == 0, "not asked for: {figures}");
    }
    let serials: Vec<u64> = load_in_ledger(&world, RUN).await?.iter().map(|packet| packet.serial).collect();
    ensure!(report.sent == report.acknowledged, "the node took everything: {report:?}");
    Differences::between(&report.sent, &report.acknowledged, &serials).assert_none()?;
    world.finish().await
}
