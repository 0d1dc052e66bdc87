//! Power cuts, as far as processes can have them: `kill -9` of every part under load, at any moment.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, ensure};
use rand::rngs::SmallRng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rustix::process::{Pid, Signal, kill_process};
use space_packet::TaiTime;
use testkit::configuration::Mission;
use testkit::process::until;

use crate::archive::{Archived, count, generation_time, load_in_ledger, samples};
use crate::serials::Differences;
use crate::world::{DRAINED_WITHIN, NODE, RunningLoad, SOON, World};

const RUN: u32 = 0x4b49_4c4c;
const NODE_RUN: u32 = 0x4e4f_4445;
const PACKETS_PER_SECOND: f64 = 20_000.0;
const KILLS_EACH: usize = 3;
/// Between the end of one restart and the next kill: short enough to hit recoveries too.
const PAUSE_MS: std::ops::Range<u64> = 500..7_000;
/// From a node's start to its next kill.
const NODE_ALIVE_MS: std::ops::Range<u64> = 10..1_500;
/// How often the node is killed in a usual run; recipes ask for more.
const NODE_KILLS: u64 = 5;
const ROUNDS_VARIABLE: &str = "STO_TEST_ROUNDS";
/// Less would mean that the load hardly ran between the kills.
const ACKNOWLEDGED_MIN: u64 = 20_000;
/// How much of the archive is read sample by sample.
const WINDOW: usize = 45_000;
/// Chooses order and moments; printed, so that a failure's can be given.
const SEED_VARIABLE: &str = "STO_TEST_SEED";

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Victim {
    Database,
    Edge,
    Hub,
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_under_load_is_archived_once_whoever_is_killed() -> anyhow::Result<()> {
    let seed = seed()?;
    let mut chance = SmallRng::seed_from_u64(seed);
    let mut world = World::start(Mission::load()).await?;
    let begun = Instant::now();
    let load = RunningLoad::start(world.ground.link(NODE)?, RUN, PACKETS_PER_SECOND);
    let mut victims = [Victim::Database, Victim::Edge, Victim::Hub].repeat(KILLS_EACH);
    victims.shuffle(&mut chance);
    println!("{SEED_VARIABLE}={seed}: {victims:?}");
    let mut postmaster = None;
    for victim in victims {
        // A moment is what is wanted here, not a state.
        tokio::time::sleep(Duration::from_millis(chance.random_range(PAUSE_MS))).await;
        println!("{:5.1} s: kill -9 {victim:?}", begun.elapsed().as_secs_f64());
        match victim {
            Victim::Database => postmaster = Some(kill_database(world.folder(), postmaster).await?),
            Victim::Edge => {
                world.ground.node_process(NODE)?.kill()?;
                world.ground.start_node(NODE).await?;
            }
            Victim::Hub => {
                world.ground.hub_process()?.kill()?;
                world.ground.start_hub().await?;
            }
        }
    }
    tokio::time::sleep(Duration::from_millis(chance.random_range(PAUSE_MS))).await;
    let report = load.stop().await?;
    let (sent, acknowledged) = (report.sent_packets(), report.acknowledged_packets());
    println!(
        "load: {sent} sent, {acknowledged} acknowledged over {} connections in {:.1} s",
        report.sent.len(),
        report.seconds
    );
    ensure!(acknowledged >= ACKNOWLEDGED_MIN, "only {acknowledged} packets were acknowledged");

    let waited = Instant::now();
    world.drained(NODE).await?;
    println!("drained {:.1} s after the load", waited.elapsed().as_secs_f64());
    let mut archived = load_in_ledger(&world, RUN).await?;
    let serials: Vec<u64> = archived.iter().map(|packet| packet.serial).collect();
    Differences::between(&report.sent, &report.acknowledged, &serials).assert_none()?;
    archived.sort_unstable();
    samples_are_those_of(&archived, &world, &mut chance).await?;
    world.finish().await
}

/// Only the node is killed, but often: also while it opens what the last kill left.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_node_acknowledged_is_archived_once_however_often_it_is_killed() -> anyhow::Result<()> {
    let (seed, rounds) = (seed()?, node_kills()?);
    println!("{SEED_VARIABLE}={seed}: {rounds} kills");
    let mut chance = SmallRng::seed_from_u64(seed);
    let mut world = World::start(Mission::load()).await?;
    let load = RunningLoad::start(world.ground.link(NODE)?, NODE_RUN, PACKETS_PER_SECOND);
    for _ in 0..rounds {
        // A moment is what is wanted here, not a state.
        tokio::time::sleep(Duration::from_millis(chance.random_range(NODE_ALIVE_MS))).await;
        world.ground.node_process(NODE)?.kill()?;
        world.ground.start_node(NODE).await?;
    }
    let some = |node: &serde_json::Value| node["archived_packets"].as_u64() > Some(0);
    world.hub_says("packets of the load", NODE, some).await?;
    let report = load.stop().await?;
    world.drained(NODE).await?;
    let archived = load_in_ledger(&world, NODE_RUN).await?;
    let serials: Vec<u64> = archived.iter().map(|packet| packet.serial).collect();
    println!("{} acknowledged, {} archived", report.acknowledged_packets(), serials.len());
    ensure!(report.acknowledged_packets() > 0, "nothing was acknowledged");
    Differences::between(&report.sent, &report.acknowledged, &serials).assert_none()?;
    world.finish().await
}

/// The API counts as many samples as the ledger has packets, and shows those of a random range, each once.
async fn samples_are_those_of(
    archived: &[Archived],
    world: &World,
    chance: &mut SmallRng,
) -> anyhow::Result<()> {
    let hub = world.ground.hub_client().await?;
    let serial = serial_parameter(&hub).await?;
    let (Some(first), Some(last)) = (archived.first(), archived.last()) else {
        anyhow::bail!("the ledger is empty");
    };
    let behind = last.time.plus_nanos(1);
    let mut counted = 0;
    // Decoding follows committing.
    until("every packet of the ledger as a sample", DRAINED_WITHIN, async || {
        counted = count(&hub, "load", &serial, first.time, behind).await?;
        ensure!(counted <= archived.len() as u64, "{counted} samples of {} packets", archived.len());
        Ok((counted == archived.len() as u64).then_some(()))
    })
    .await
    .with_context(|| format!("{counted} samples of {} packets", archived.len()))?;

    let begin = chance.random_range(0..archived.len().saturating_sub(WINDOW).max(1));
    let end = archived.get(begin + WINDOW).map_or(behind, |packet| packet.time);
    let (from, to): (TaiTime, TaiTime) = (archived[begin].time, end);
    let expected: Vec<(TaiTime, u64)> = archived
        .iter()
        .filter(|packet| (from..to).contains(&packet.time))
        .map(|packet| (packet.time, packet.serial))
        .collect();
    let mut found = Vec::with_capacity(expected.len());
    for sample in samples(&hub, "load", &serial, from, to).await? {
        let raw = sample["raw"].as_u64().with_context(|| format!("a serial is a number: {sample}"))?;
        found.push((generation_time(&sample)?, raw));
    }
    found.sort_unstable();
    println!("samples: {counted} counted, {} read from packet {begin} on", found.len());
    let differ = found.iter().zip(&expected).find(|(found, expected)| found != expected);
    ensure!(found == expected, "{} samples, {} expected, first: {differ:?}", found.len(), expected.len());
    Ok(())
}

/// The parameter that holds a load packet's serial.
pub(crate) async fn serial_parameter(hub: &testkit::client::Client) -> anyhow::Result<String> {
    let answer = hub.get("/api/v1/missions/load/parameters").await?;
    let all = answer["parameters"].as_array().context("a mission has parameters")?;
    let found = all.iter().find(|parameter| parameter["short_name"] == "serial");
    let name = found.and_then(|parameter| parameter["name"].as_str());
    Ok(name.context("load packets have a serial")?.to_owned())
}

/// Kills a postmaster that was not killed before: the supervisor may be busy with the last one.
pub(crate) async fn kill_database(folder: &Path, before: Option<Pid>) -> anyhow::Result<Pid> {
    let cluster = folder.join("hub/data/database/cluster");
    let pid = until("a living postmaster", SOON, async || {
        Ok(postmaster(&cluster).filter(|pid| Some(*pid) != before))
    })
    .await?;
    kill_process(pid, Signal::KILL)?;
    Ok(pid)
}

/// The running postmaster of this cluster: it works in its data directory.
fn postmaster(cluster: &Path) -> Option<Pid> {
    let lock = fs::read_to_string(cluster.join("postmaster.pid")).ok()?;
    let pid: i32 = lock.lines().next()?.trim().parse().ok()?;
    let works_in: PathBuf = fs::read_link(format!("/proc/{pid}/cwd")).ok()?;
    (works_in == cluster.canonicalize().ok()?).then(|| Pid::from_raw(pid))?
}

fn node_kills() -> anyhow::Result<u64> {
    match std::env::var(ROUNDS_VARIABLE) {
        Ok(text) => text.parse().with_context(|| format!("{ROUNDS_VARIABLE} must be a number, not {text:?}")),
        Err(_) => Ok(NODE_KILLS),
    }
}

pub(crate) fn seed() -> anyhow::Result<u64> {
    match std::env::var(SEED_VARIABLE) {
        Ok(text) => text.parse().with_context(|| format!("{SEED_VARIABLE} must be a number, not {text:?}")),
        Err(_) => Ok(SystemTime::now().duration_since(UNIX_EPOCH)?.subsec_nanos().into()),
    }
}
