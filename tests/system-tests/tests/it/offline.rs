//! The hub is away for a while: stations go on, and afterwards nothing shows that it was.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, ensure};
use delivery::Way;
use simulator::spacecraft::Spacecraft;
use space_packet::TaiTime;
use testkit::configuration::{Acknowledgement, LinkEntry, Mission};
use testkit::process::until;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::archive::{count, database, generation_time, load_in_ledger, read_ledger, samples};
use crate::kill::serial_parameter;
use crate::serials::Differences;
use crate::world::{NODE, RunningLoad, SOON, World};

const RUN: u32 = 0x4f46_464c;
const PACKETS_PER_SECOND: f64 = 2_000.0;
const SPACECRAFT_LINK: &str = "spacecraft";
/// Long enough that the outage holds packets of every kind of the spacecraft.
const OUTAGE_PACKETS: u64 = 25_000;

#[tokio::test(flavor = "multi_thread")]
async fn what_came_in_while_the_hub_was_away_is_archived_without_a_gap() -> anyhow::Result<()> {
    let mut world = World::prepare(Mission::load(), &[NODE])?;
    world.ground.hub_file().missions.push(Mission::demo());
    let listen = world.ports.next_address()?;
    let file = world.ground.node_file(NODE)?;
    file.missions.push(Mission::demo());
    file.links.push(LinkEntry::new(SPACECRAFT_LINK, listen, "demo", Acknowledgement::Count));
    world.run().await?;

    let load = RunningLoad::start(world.ground.link(NODE)?, RUN, PACKETS_PER_SECOND);
    let (land, landed) = oneshot::channel();
    let spacecraft = tokio::spawn(fly(listen, landed));
    let some_archived = |node: &serde_json::Value| node["archived_packets"].as_u64() > Some(2_000);
    world.hub_says("packets archived before the outage", NODE, some_archived).await?;

    let outage_from = simulator::clock::now();
    world.stop_hub().await?;
    let waits = |node: &serde_json::Value| {
        node.pointer("/report/backlog/packets").and_then(serde_json::Value::as_u64) >= Some(OUTAGE_PACKETS)
    };
    let node = world.node_says("a backlog while the hub is away", NODE, waits).await?;
    ensure!(node["state"] == "disconnected", "the hub is away: {node}");
    let outage_to = simulator::clock::now();
    world.ground.start_hub().await?;

    let archived_more = |node: &serde_json::Value| node["archived_packets"].as_u64() > Some(OUTAGE_PACKETS);
    world.hub_says("packets of the outage", NODE, archived_more).await?;
    let report = load.stop().await?;
    let _ = land.send(());
    let sent = spacecraft.await??;
    world.drained(NODE).await?;

    let archived = load_in_ledger(&world, RUN).await?;
    let serials: Vec<u64> = archived.iter().map(|packet| packet.serial).collect();
    ensure!(report.sent == report.acknowledged, "the node took everything: {report:?}");
    Differences::between(&report.sent, &report.acknowledged, &serials).assert_none()?;
    println!(
        "load: {} acknowledged, {} in the ledger, outage of {:.1} s",
        report.acknowledged_packets(),
        serials.len(),
        outage_to.seconds_since(outage_from)
    );
    the_spacecraft_is_archived(&world, &sent).await?;
    let backlog = "SELECT coalesce(sum(records), 0)::bigint FROM ledger WHERE way = $1";
    let way = i16::from(u8::from(Way::Backfill));
    let backlog: i64 = database(&world).await?.query_one(backlog, &[&way]).await?.get(0);
    // Its first may have been committed without an answer that arrived.
    let most = (OUTAGE_PACKETS / 2).cast_signed();
    ensure!(backlog > most, "only {backlog} records of the outage went as backlog");

    let times: Vec<TaiTime> = archived.iter().map(|packet| packet.time).collect();
    let hub = world.ground.hub_client().await?;
    let parameter = serial_parameter(&hub).await?;
    the_outage_has_no_gap(&hub, ("load", &parameter), &times, outage_from..outage_to).await?;
    world.finish().await
}

/// A plot counts, and a page shows, what the ledger has of the outage and of the seconds around it.
async fn the_outage_has_no_gap(
    hub: &testkit::client::Client,
    (mission, parameter): (&str, &str),
    times: &[TaiTime],
    outage: std::ops::Range<TaiTime>,
) -> anyhow::Result<()> {
    let (from, to) = (outage.start.plus_nanos(-1_000_000_000), outage.end.plus_nanos(1_000_000_000));
    let expected: BTreeSet<TaiTime> =
        times.iter().copied().filter(|time| (from..to).contains(time)).collect();
    let longest = expected.iter().zip(expected.iter().skip(1)).map(|(a, b)| b.0 - a.0).max();
    ensure!(longest < Some(1_000_000_000), "the load itself paused for {longest:?} ns");
    let mut counted = 0;
    let complete = until("every sample of the outage", SOON, async || {
        counted = count(hub, mission, parameter, from, to).await?;
        Ok((counted == expected.len() as u64).then_some(()))
    });
    complete.await.with_context(|| format!("{counted} samples of {} packets", expected.len()))?;
    let mut shown = BTreeSet::new();
    for sample in samples(hub, mission, parameter, from, to).await? {
        let time = generation_time(&sample)?;
        ensure!(shown.insert(time), "{} is shown twice", time.to_utc());
    }
    ensure!(shown == expected, "{} samples shown, {} expected", shown.len(), expected.len());
    println!(
        "samples: {counted} around the outage, longest pause {:?} ms",
        longest.map(|nanos| nanos / 1_000_000)
    );
    Ok(())
}

/// Every packet that the spacecraft was told is safe is in the ledger once, byte for byte, and nothing else.
async fn the_spacecraft_is_archived(world: &World, sent: &[Vec<u8>]) -> anyhow::Result<()> {
    let mut archived = BTreeMap::<Vec<u8>, u32>::new();
    read_ledger(world, "demo", |packet| *archived.entry(packet.to_vec()).or_default() += 1).await?;
    let mut expected = BTreeMap::<Vec<u8>, u32>::new();
    sent.iter().for_each(|packet| *expected.entry(packet.clone()).or_default() += 1);
    println!("spacecraft: {} packets sent, {} in the ledger", sent.len(), archived.values().sum::<u32>());
    let wrong = expected.iter().filter(|(packet, count)| archived.get(*packet) != Some(count)).count();
    let more = archived.keys().filter(|packet| !expected.contains_key(*packet)).count();
    ensure!(wrong == 0 && more == 0, "{wrong} packets missing or doubled, {more} that nobody sent");
    Ok(())
}

/// The demo spacecraft in real time, until told to land; returns its packets, all of them acknowledged.
async fn fly(link: SocketAddr, mut landed: oneshot::Receiver<()>) -> anyhow::Result<Vec<Vec<u8>>> {
    let mut stream = TcpStream::connect(link).await?;
    let mut spacecraft = Spacecraft::new(7, simulator::clock::now());
    let mut sent = Vec::new();
    let mut rounds = interval(Duration::from_millis(50));
    rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while landed.try_recv().is_err() {
        rounds.tick().await;
        for packet in spacecraft.telemetry_due(simulator::clock::now()) {
            stream.write_all(&packet.bytes).await?;
            sent.push(packet.bytes);
        }
    }
    let all_safe = async {
        while stream.read_u64().await? < sent.len() as u64 {}
        anyhow::Ok(())
    };
    timeout(SOON, all_safe).await.context("the node did not say that the last packets are safe")??;
    Ok(sent)
}
