//! Two hubs on one database: the second sees what the first commits, with Redis and without, and takes over when it is gone or asleep.

use std::collections::HashMap;
use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use futures_util::{SinkExt, StreamExt};
use rustix::process::Signal;
use serde_json::{Value, json};
use testkit::client::Client;
use testkit::configuration::{Database, HubFile, Mission};
use testkit::ground::LINK;
use testkit::process::{Group, Process, output, until};
use testkit::redis::TestRedis;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use crate::archive::{count, load_in_ledger};
use crate::kill::serial_parameter;
use crate::serials::Differences;
use crate::world::{DRAINED_WITHIN, NODE, RunningLoad, SOON, World};

const RUN: u32 = 0x5457_4f48;
const PACKETS_PER_SECOND: f64 = 2_000.0;
/// A lease lasts half a minute; then the next hub takes it, and reads what it lacks.
const TAKEN_OVER_WITHIN: Duration = Duration::from_secs(90);
/// What is measured between the two streams.
const SAMPLES: usize = 5_000;

/// A hub beside the world's own, on the same database and with the same authority.
struct SecondHub {
    file: HubFile,
    config: PathBuf,
    process: Process,
}

impl SecondHub {
    /// Starts it and waits until it follows.
    async fn start(world: &mut World, http: SocketAddr, reception: SocketAddr) -> anyhow::Result<Self> {
        let folder = world.folder().join("second");
        let first = world.ground.hub_file().clone();
        let file = HubFile {
            authority_directory: Some(first.data_directory.join("authority")),
            data_directory: folder.join("data"),
            http,
            reception,
            ..first
        };
        fs::create_dir_all(&file.data_directory)?;
        let config = folder.join("hub.toml");
        fs::write(&config, file.to_toml())?;
        let arguments = ["run".to_owned(), "--config".to_owned(), config.to_string_lossy().into_owned()];
        let log = world.folder().join("logs/second.log");
        let process = Process::start("cloud-hub", &arguments, &log, Group::Shared)?;
        let mut second = Self { file, config, process };
        let ready = until("the second hub", SOON, async || second.ready()).await?;
        ensure!(ready["reception"].is_null(), "the first one leads: {ready}");
        Ok(second)
    }

    fn ready(&mut self) -> anyhow::Result<Option<Value>> {
        if !self.process.is_alive() {
            bail!("the second hub ended; its log ends:\n{}", self.process.log_tail());
        }
        let text = fs::read(self.file.data_directory.join("ready.json"));
        Ok(text.ok().and_then(|text| serde_json::from_slice(&text).ok()))
    }

    async fn client(&self) -> anyhow::Result<Client> {
        let arguments =
            ["login-code".to_owned(), "--config".to_owned(), self.config.to_string_lossy().into_owned()];
        Client::log_in(self.file.http, &output("cloud-hub", &arguments, SOON).await?).await
    }

    async fn leads(&mut self) -> anyhow::Result<()> {
        until("the second hub leads", TAKEN_OVER_WITHIN, async || {
            Ok(self.ready()?.filter(|ready| ready["reception"].is_string()).map(drop))
        })
        .await
    }
}

/// Two hubs on one database, perhaps with a Redis between them, and a node that knows both. Segments are cut every second.
async fn two_hubs(redis: Option<&TestRedis>) -> anyhow::Result<(World, SecondHub)> {
    let mut world = World::prepare(Mission::load(), &[NODE])?;
    let database = testkit::postgres::database().await;
    let file = world.ground.hub_file();
    file.database = Database::Url(database.connection_string());
    file.head_age_max_s = Some(1);
    file.redis = redis.map(TestRedis::url);
    let first = file.reception;
    world.database = Some(database);
    let (http, second) = (world.ports.next_address()?, world.ports.next_address()?);
    world.ground.node_file(NODE)?.hub = vec![first, second];
    world.run().await?;
    let second = SecondHub::start(&mut world, http, second).await?;
    Ok((world, second))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hub_that_follows_shows_what_the_leader_commits_and_takes_over_when_it_is_killed()
-> anyhow::Result<()> {
    let (mut world, mut second) = two_hubs(None).await?;
    let (leader, follower) = (world.ground.hub_client().await?, second.client().await?);
    ensure!(role(&leader).await? == "leader" && role(&follower).await? == "follower");
    ensure!(follower.text("/readyz").await? == "ready, follower\n");
    let load = RunningLoad::start(world.ground.link(NODE)?, RUN, PACKETS_PER_SECOND);
    compare_streams(&leader, &follower).await?;

    world.ground.hub_process()?.kill()?;
    let killed = Instant::now();
    second.leads().await?;
    println!("the second hub leads {:.1} s after the first was killed", killed.elapsed().as_secs_f64());
    ensure!(role(&follower).await? == "leader");
    nothing_is_lost_or_doubled(&world, &second, load).await?;
    finish(world, second).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_leader_does_that_was_asleep_while_another_took_over_changes_nothing() -> anyhow::Result<()> {
    let (mut world, mut second) = two_hubs(None).await?;
    let load = RunningLoad::start(world.ground.link(NODE)?, RUN, PACKETS_PER_SECOND);
    world.hub_says("packets", NODE, |node| node["archived_packets"].as_u64() > Some(10_000)).await?;
    world.ground.hub_process()?.signal(Signal::STOP)?;
    second.leads().await?;
    let client = second.client().await?;
    until("the node at the second hub", DRAINED_WITHIN, async || {
        let answer = client.get("/api/v1/nodes").await?;
        Ok((answer["nodes"][0]["state"] == "connected").then_some(()))
    })
    .await?;
    let first = world.ground.hub_process()?;
    first.signal(Signal::CONT)?;
    let status = first.wait(SOON * 2).await?;
    ensure!(!status.success(), "a hub that lost the lease says so: {status}");
    let log = fs::read_to_string(world.folder().join("logs/hub.log"))?;
    ensure!(log.contains("another hub leads"), "the log says nothing of it");
    nothing_is_lost_or_doubled(&world, &second, load).await?;
    finish(world, second).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hub_that_follows_has_from_redis_what_the_leader_commits_and_goes_on_when_redis_is_killed()
-> anyhow::Result<()> {
    let mut redis = TestRedis::start().await?;
    let (world, second) = two_hubs(Some(&redis)).await?;
    let (leader, follower) = (world.ground.hub_client().await?, second.client().await?);
    let load = RunningLoad::start(world.ground.link(NODE)?, RUN, PACKETS_PER_SECOND);
    compare_streams(&leader, &follower).await?;
    let (handed_over, read) = batches_of(&follower).await?;
    println!("the follower had {handed_over} batches from Redis, and read {read}");
    ensure!(handed_over > 0, "the follower read everything from the ledger");

    redis.kill()?;
    compare_streams(&leader, &follower).await?;
    nothing_is_lost_or_doubled(&world, &second, load).await?;
    let log = fs::read_to_string(world.folder().join("logs/second.log"))?;
    ensure!(log.matches("STO-REDIS-AWAY").count() == 1, "it is said once that Redis is away:\n{log}");
    finish(world, second).await
}

/// Batches that a follower took from Redis, and that it read.
async fn batches_of(follower: &Client) -> anyhow::Result<(u64, u64)> {
    let page = follower.text("/metrics").await?;
    let count = |name: &str| {
        let value = page.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok());
        value.unwrap_or(0)
    };
    Ok((count("hub_follow_handed_over_batches_total"), count("hub_follow_read_batches_total")))
}

async fn role(client: &Client) -> anyhow::Result<String> {
    let session = client.get("/api/v1/session").await?;
    let role = session["server"]["role"].as_str().with_context(|| format!("no role in {session}"))?;
    Ok(role.to_owned())
}

/// Ends the load; the ledger has each packet that was acknowledged once, and the hub that leads shows as many samples.
async fn nothing_is_lost_or_doubled(
    world: &World,
    second: &SecondHub,
    load: RunningLoad,
) -> anyhow::Result<()> {
    let report = load.stop().await?;
    world.drained(NODE).await?;
    let mut archived = load_in_ledger(world, RUN).await?;
    let serials: Vec<u64> = archived.iter().map(|packet| packet.serial).collect();
    println!("{} acknowledged over {LINK}, {} archived", report.acknowledged_packets(), serials.len());
    Differences::between(&report.sent, &report.acknowledged, &serials).assert_none()?;
    archived.sort_unstable();
    let (Some(first), Some(last)) = (archived.first(), archived.last()) else { bail!("the ledger is empty") };
    let hub = second.client().await?;
    let serial = serial_parameter(&hub).await?;
    let mut counted = 0;
    // Decoding follows committing.
    until("every packet of the ledger as a sample", DRAINED_WITHIN, async || {
        counted = count(&hub, "load", &serial, first.time, last.time.plus_nanos(1)).await?;
        ensure!(counted <= archived.len() as u64, "{counted} samples of {} packets", archived.len());
        Ok((counted == archived.len() as u64).then_some(()))
    })
    .await
    .with_context(|| format!("{counted} samples of {} packets", archived.len()))
}

/// The second hub stops in order, and before the rest: with the world goes the database both hubs are on.
async fn finish(world: World, mut second: SecondHub) -> anyhow::Result<()> {
    let status = second.process.stop(SOON).await?;
    ensure!(
        status.success(),
        "the second hub stopped with {status}; its log ends:\n{}",
        second.process.log_tail()
    );
    world.finish().await
}

type Seen = Arc<Mutex<HashMap<String, Instant>>>;

/// Prints how much later a sample is on the follower's stream than on the leader's.
async fn compare_streams(leader: &Client, follower: &Client) -> anyhow::Result<()> {
    let (at_leader, at_follower) = (Seen::default(), Seen::default());
    let watching =
        [watch(leader.clone(), Arc::clone(&at_leader)), watch(follower.clone(), Arc::clone(&at_follower))];
    let watching = watching.map(tokio::spawn);
    let mut delays = Vec::new();
    until("samples on both streams", DRAINED_WITHIN, async || {
        let (leader, follower) = (at_leader.lock().expect("sound"), at_follower.lock().expect("sound"));
        let both = leader.iter().filter_map(|(sample, at)| Some((*at, *follower.get(sample)?)));
        delays = both.map(|(first, then)| then.saturating_duration_since(first)).collect();
        Ok((delays.len() >= SAMPLES).then_some(()))
    })
    .await?;
    watching.iter().for_each(tokio::task::JoinHandle::abort);
    delays.sort_unstable();
    let at = |share: f64| delays[((delays.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e3;
    println!(
        "{} samples, follower behind leader: p50 {:.1} ms, p99 {:.1} ms, max {:.1} ms",
        delays.len(),
        at(0.5),
        at(0.99),
        at(1.0)
    );
    Ok(())
}

/// Writes down when each sample of one parameter came.
async fn watch(client: Client, seen: Seen) -> anyhow::Result<()> {
    let serial = serial_parameter(&client).await?;
    let mut request = format!("ws://{}/api/v1/live", client.server()).into_client_request()?;
    request.headers_mut().insert("cookie", client.cookie().parse()?);
    let (mut socket, _) = tokio_tungstenite::connect_async(request).await?;
    let subscribe = json!({ "kind": "subscribe", "mission": "load", "parameters": [serial] });
    socket.send(Message::text(subscribe.to_string())).await?;
    while let Some(message) = socket.next().await {
        let Message::Text(text) = message? else { continue };
        let (now, event) = (Instant::now(), serde_json::from_str::<Value>(&text)?);
        if event["kind"] != "values" {
            continue;
        }
        let mut seen = seen.lock().expect("sound");
        for sample in event["samples"].as_array().into_iter().flatten() {
            let made = sample["generation_time"].as_str().context("samples have a time")?;
            seen.entry(made.to_owned()).or_insert(now);
        }
    }
    bail!("the live stream ended")
}
