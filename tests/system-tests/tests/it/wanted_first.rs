//! Backfill on request: what somebody at the hub wants first comes before the rest of the backlog, and all of it once.

use std::ops::Range;

use anyhow::{Context, ensure};
use delivery::Way;
use serde_json::{Value, json};
use space_packet::TaiTime;
use testkit::client::Client;
use testkit::configuration::Mission;
use testkit::process::{output, until};

use crate::archive::{database, load_in_ledger};
use crate::serials::Differences;
use crate::world::{NODE, RunningLoad, SOON, World};

const RUN: u32 = 0x5741_4e54;
const PACKETS_PER_SECOND: f64 = 1_000.0;
const REQUESTS: &str = "/api/v1/missions/load/backfill";

#[tokio::test(flavor = "multi_thread")]
async fn a_span_that_somebody_asks_for_comes_before_the_rest_of_the_backlog() -> anyhow::Result<()> {
    let mut world = World::start(Mission::load()).await?;
    let load = RunningLoad::start(world.ground.link(NODE)?, RUN, PACKETS_PER_SECOND);
    world
        .hub_says("packets before the outage", NODE, |node| node["archived_packets"].as_u64() > Some(500))
        .await?;
    world.stop_hub().await?;
    let outage = simulator::clock::now();
    let waits = |packets: u64| {
        move |node: &Value| node.pointer("/report/backlog/packets").and_then(Value::as_u64) > Some(packets)
    };
    world.node_says("a backlog", NODE, waits(3_000)).await?;
    let from = simulator::clock::now();
    world.node_says("more of a backlog", NODE, waits(6_000)).await?;
    let span = from..simulator::clock::now();
    world.node_says("a backlog behind that", NODE, waits(9_000)).await?;
    decide(&world, "pause").await?;
    world.ground.start_hub().await?;

    let hub = world.ground.hub_client().await?;
    let asked = ask(&hub, NODE, &span).await?;
    ensure!(ask(&hub, NODE, &span).await?["id"] == asked["id"], "the same is asked for once");
    let under_way = stands(&hub, "under-way").await?;
    ensure!(under_way["batches"].as_u64() > Some(0), "the node counts what waits: {under_way}");
    ensure!(under_way["asked_by"].is_string() && under_way["node"] == NODE, "{under_way}");
    decide(&world, "resume").await?;
    stands(&hub, "served").await?;
    let report = load.stop().await?;
    world.drained(NODE).await?;

    let serials: Vec<u64> = load_in_ledger(&world, RUN).await?.iter().map(|packet| packet.serial).collect();
    Differences::between(&report.sent, &report.acknowledged, &serials).assert_none()?;
    the_span_came_first(&world, &span, outage).await?;
    ask(&hub, NODE, &span).await?;
    stands(&hub, "nothing-waits").await?;
    ensure!(ask(&hub, "nobody", &span).await.is_err(), "there is no such node");
    world.finish().await
}

async fn ask(hub: &Client, node: &str, span: &Range<TaiTime>) -> anyhow::Result<Value> {
    let (from, to) = (span.start.to_utc().to_string(), span.end.to_utc().to_string());
    hub.post(REQUESTS, &json!({ "node": node, "from": from, "to": to })).await
}

/// Waits until the newest request stands so.
async fn stands(hub: &Client, state: &str) -> anyhow::Result<Value> {
    let mut last = Value::Null;
    let found = until(state, SOON, async || {
        last = hub.get(REQUESTS).await?["requests"][0].clone();
        Ok((last["state"] == state).then(|| last.clone()))
    });
    found.await.with_context(|| format!("the request is {last}"))
}

async fn decide(world: &World, word: &str) -> anyhow::Result<()> {
    let config = world.ground.node_config(NODE).to_string_lossy().into_owned();
    let words = ["forward", word, "--config"].map(str::to_owned).into_iter().chain([config]);
    output("edge-node", &words.collect::<Vec<_>>(), SOON).await.map(drop)
}

/// Of the outage's backlog no batch that has nothing of the span was committed before one that has. A slow machine has
/// a backlog before its outage too, which was committed before anybody asked.
async fn the_span_came_first(world: &World, span: &Range<TaiTime>, outage: TaiTime) -> anyhow::Result<()> {
    let sql = "SELECT count(*) FILTER (WHERE is_wanted), count(*) FILTER (WHERE NOT is_wanted),
                      max(ledger_id) FILTER (WHERE is_wanted), min(ledger_id) FILTER (WHERE NOT is_wanted)
               FROM (SELECT ledger_id, last_reception >= $2 AND first_reception < $3 AS is_wanted
                     FROM ledger WHERE way = $1 AND mission = 'load' AND first_reception >= $4) AS backlog";
    let way = i16::from(u8::from(Way::Backfill));
    let row = database(world).await?.query_one(sql, &[&way, &span.start.0, &span.end.0, &outage.0]).await?;
    let (wanted, others): (i64, i64) = (row.get(0), row.get(1));
    println!("{wanted} batches of the span, {others} others of the backlog");
    ensure!(wanted > 0 && others > 0, "both went as backlog: {wanted}, {others}");
    let (last_wanted, first_other): (i64, i64) = (row.get(2), row.get(3));
    ensure!(
        last_wanted < first_other,
        "row {first_other} came before row {last_wanted}, which was wanted first"
    );
    Ok(())
}
