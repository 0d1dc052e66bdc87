//! Broken, slow and hostile senders on one link: the node stays small, says what it rejected, and the link beside
//! it does not notice. A dictionary that breaks does not stop a node either.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use serde_json::Value;
use simulator::abuse::{self, Outcome};
use simulator::load::{packet, serial_of};
use testkit::client::Client;
use testkit::configuration::{Acknowledgement, LinkEntry, Mission};
use testkit::process::until;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{interval, timeout};

use crate::archive::read_ledger;
use crate::serials::Differences;
use crate::world::{NODE, RunningLoad, SOON, World};

const RUN: u32 = 0x4241_4421;
/// Another run, so that the probe's packets are told from the load's.
const PROBE_RUN: u32 = 0x5052_4f42;
const PACKETS_PER_SECOND: f64 = 2_000.0;
const PROBE_EVERY: Duration = Duration::from_millis(10);
/// What a packet of the other link may take to be acknowledged, on a machine that also does other things.
const DELAY_MAX: Duration = SOON;
/// What is worth a line among those that say what was done meanwhile.
const DELAY_REMARKABLE: Duration = Duration::from_millis(250);
/// Memory of a node, at most, at any moment of all this, built without optimisation.
const MEMORY_MAX_KIB: u64 = 120 * 1_024;
const PACKET_TIMEOUT_S: u64 = 2;
const NARROW_BYTES_MAX: usize = 1_024;
const CONNECTIONS: usize = 1_000;
const HOLD: Duration = Duration::from_secs(3);
/// Connections that each begin a packet of the greatest length: together twice what a node holds of such.
const BEGINNERS: usize = 250;
const BEGUN_BYTES: usize = 60_000;

/// Links that are treated badly.
const ABUSED: &str = "abused";
const CROWDED: &str = "crowded";
const NARROW: &str = "narrow";

#[tokio::test(flavor = "multi_thread")]
async fn what_is_broken_is_counted_by_cause_and_other_links_go_on() -> anyhow::Result<()> {
    let mut world = World::prepare(Mission::load(), &[NODE])?;
    let mut links = BTreeMap::new();
    for name in [ABUSED, CROWDED, NARROW] {
        let listen = world.ports.next_address()?;
        links.insert(name, listen);
        let link = LinkEntry {
            packet_bytes_max: (name == NARROW).then_some(NARROW_BYTES_MAX),
            packet_timeout_s: Some(PACKET_TIMEOUT_S),
            ..LinkEntry::new(name, listen, "load", Acknowledgement::None)
        };
        world.ground.node_file(NODE)?.links.push(link);
    }
    world.run().await?;
    let load = RunningLoad::start(world.ground.link(NODE)?, RUN, PACKETS_PER_SECOND);
    let (stop, stopped) = watch::channel(false);
    let probe = tokio::spawn(probe(world.ground.link(NODE)?, stopped));

    let process = world.ground.node_process(NODE)?.id();
    let before = memory_peak_kib(process)?;
    let node = Node { client: world.ground.node_client(NODE).await?, links };
    node.take_each_alone().await?;
    node.take_too_many().await?;
    node.take_all_at_once().await?;
    the_hub_knows_what_the_node_rejected(&world, &node).await?;

    stop.send_replace(true);
    let probed = probe.await?.context("the other link")?;
    let report = load.stop().await?;
    let peak = memory_peak_kib(process)?;
    println!("memory of the node: {before} KiB at most before, {peak} KiB after");
    ensure!(peak < MEMORY_MAX_KIB, "the node took {peak} KiB, its bound is {MEMORY_MAX_KIB} KiB");
    ensure!(report.sent == report.acknowledged, "the other link took everything: {report:?}");
    ensure!(report.sent.len() == 1, "the other link's connection was never cut: {report:?}");

    world.drained(NODE).await?;
    let (mut load, mut probes) = (Vec::new(), Vec::new());
    read_ledger(&world, "load", |packet| match serial_of(packet) {
        Some((RUN, serial)) => load.push(serial),
        Some((PROBE_RUN, serial)) => probes.push(serial),
        _ => {}
    })
    .await?;
    println!("the other link: {} packets of the load and {} of the probe archived", load.len(), probes.len());
    Differences::between(&report.sent, &report.acknowledged, &load).assert_none()?;
    let probed = 0..probed;
    let probed = std::slice::from_ref(&probed);
    Differences::between(probed, probed, &probes).assert_none()?;
    world.finish().await
}

/// What a link says of itself.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Figures {
    clients: u64,
    pub(crate) packets: u64,
    bytes: u64,
    /// Count and bytes by cause.
    pub(crate) rejected: BTreeMap<String, (u64, u64)>,
}

impl Figures {
    fn of(link: &Value) -> Self {
        let number = |value: &Value, key: &str| value[key].as_u64().unwrap_or_default();
        let rejected = link["rejected"].as_array().map_or(&[][..], Vec::as_slice).iter();
        let rejected = rejected.map(|entry| {
            let cause = entry["cause"].as_str().unwrap_or_default().to_owned();
            (cause, (number(entry, "count"), number(entry, "bytes")))
        });
        Self {
            clients: number(link, "clients"),
            packets: number(link, "packets"),
            bytes: number(link, "bytes"),
            rejected: rejected.collect(),
        }
    }

    fn since(&self, before: &Self) -> Self {
        let rejected = self.rejected.iter().map(|(cause, (count, bytes))| {
            let (count_before, bytes_before) = before.rejected.get(cause).copied().unwrap_or_default();
            (cause.clone(), (count - count_before, bytes - bytes_before))
        });
        Self {
            clients: self.clients,
            packets: self.packets - before.packets,
            bytes: self.bytes - before.bytes,
            rejected: rejected.filter(|(_, (count, _))| *count > 0).collect(),
        }
    }

    pub(crate) fn count(&self, cause: &str) -> u64 {
        self.rejected.get(cause).map_or(0, |(count, _)| *count)
    }

    /// Every byte is part of a packet or of a rejection.
    fn accounted_bytes(&self) -> u64 {
        self.bytes + self.rejected.values().map(|(_, bytes)| bytes).sum::<u64>()
    }
}

/// The links of a node's (or, through the hub, of the node's last) report.
pub(crate) fn links_of(node: &Value) -> BTreeMap<String, Figures> {
    let links = node.pointer("/report/links").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let named = links.iter().filter_map(|link| Some((link["name"].as_str()?.to_owned(), Figures::of(link))));
    named.collect()
}

struct Node {
    client: Client,
    links: BTreeMap<&'static str, SocketAddr>,
}

impl Node {
    fn link(&self, name: &str) -> anyhow::Result<SocketAddr> {
        self.links.get(name).copied().with_context(|| format!("no link {name}"))
    }

    async fn figures(&self, link: &str) -> anyhow::Result<Figures> {
        let answer = self.client.get("/api/v1/nodes").await?;
        let links = links_of(&answer["nodes"][0]);
        links.get(link).cloned().with_context(|| format!("no link {link} in {answer}"))
    }

    /// The figures of a link once its last connection has ended: then nothing is added to them any more.
    async fn quiet(&self, link: &str) -> anyhow::Result<Figures> {
        until("a link without connections", SOON, async || {
            Ok(Some(self.figures(link).await?).filter(|now| now.clients == 0))
        })
        .await
    }

    /// Waits until the link's figures, since `before`, are as wanted.
    async fn counts(
        &self,
        what: &str,
        link: &str,
        before: &Figures,
        is_so: impl Fn(&Figures) -> bool,
    ) -> anyhow::Result<Figures> {
        let mut last = Figures::default();
        let found = until(what, SOON, async || {
            last = self.figures(link).await?.since(before);
            Ok(is_so(&last).then(|| last.clone()))
        })
        .await;
        let found = found.with_context(|| format!("link {link} counted {last:?}"))?;
        println!("{what}: {found:?}");
        Ok(found)
    }

    /// One at a time, so that each rejection is known by its cause, and every byte is in a packet or rejected.
    async fn take_each_alone(&self) -> anyhow::Result<()> {
        let check = async |what, link, outcome: Outcome, before: &Figures, fits: fn(&Figures) -> bool| {
            let is_so = |now: &Figures| now.accounted_bytes() == outcome.bytes && fits(now);
            self.counts(what, link, before, is_so).await.map(drop)
        };
        let abused = self.link(ABUSED)?;
        let before = self.figures(ABUSED).await?;
        let outcome = abuse::truncated(abused).await?;
        check("a truncated packet", ABUSED, outcome, &before, |now| {
            (now.packets, now.count("truncated")) == (0, 1)
        })
        .await?;

        let before = self.figures(ABUSED).await?;
        // It would be silent for much longer than the node waits.
        let silent = tokio::spawn(abuse::oversized_then_silent(abused, SOON * 10));
        let given_up = |now: &Figures| now.rejected.get("truncated") == Some(&(1, 6));
        self.counts("length 0xFFFF, then silence", ABUSED, &before, given_up).await?;
        ensure!(!silent.is_finished(), "the node gave the packet up, and kept the connection");
        silent.abort();

        let before = self.figures(NARROW).await?;
        let outcome = abuse::oversized_then_silent(self.link(NARROW)?, Duration::ZERO).await?;
        check("a packet that is too long for its link", NARROW, outcome, &before, |now| {
            (now.packets, now.count("oversized")) == (0, 1)
        })
        .await?;

        let before = self.figures(ABUSED).await?;
        let outcome = abuse::wrong_versions(abused).await?;
        check("seven wrong versions, then a packet", ABUSED, outcome, &before, |now| {
            now.packets == 1 && now.count("garbage") > 0
        })
        .await?;

        for seed in 0..3 {
            let before = self.figures(ABUSED).await?;
            let outcome = abuse::random_bytes(abused, seed).await?;
            ensure!(outcome.bytes == 1_000_000, "the node took all of it: {outcome:?}");
            check("a million random bytes", ABUSED, outcome, &before, |now| now.count("garbage") > 0).await?;
        }

        let before = self.figures(ABUSED).await?;
        let patience = Duration::from_secs(2 * PACKET_TIMEOUT_S + 1);
        let outcome = abuse::one_byte_a_second(abused, patience).await?;
        check("a byte a second", ABUSED, outcome, &before, |now| {
            now.packets == 0 && now.count("truncated") >= 2
        })
        .await
    }

    /// More connections, and more unfinished packets, than the node has room for.
    async fn take_too_many(&self) -> anyhow::Result<()> {
        let before = self.figures(CROWDED).await?;
        let outcome = abuse::many_connections(self.link(CROWDED)?, CONNECTIONS, HOLD).await?;
        ensure!(outcome.connections == CONNECTIONS, "a connection was refused by the system: {outcome:?}");
        let each_told = |now: &Figures| {
            let refused = now.count("connection-limit");
            refused > 0 && now.packets + refused == CONNECTIONS as u64
        };
        let now = self.counts("a thousand connections", CROWDED, &before, each_told).await?;
        ensure!(outcome.closed_by_node as u64 == now.count("connection-limit"), "{outcome:?}, {now:?}");

        let before = self.quiet(ABUSED).await?;
        let mut beginners = JoinSet::new();
        for _ in 0..BEGINNERS {
            beginners.spawn(begin_a_long_packet(self.link(ABUSED)?));
        }
        while let Some(begun) = beginners.join_next().await {
            begun??;
        }
        let given_up = |now: &Figures| now.count("memory") > 0;
        self.counts("250 packets of 65,542 bytes begun", ABUSED, &before, given_up).await.map(drop)
    }

    /// Everything at the same time.
    async fn take_all_at_once(&self) -> anyhow::Result<()> {
        let (abused, crowded) = (self.link(ABUSED)?, self.link(CROWDED)?);
        let before = (self.quiet(ABUSED).await?, self.quiet(CROWDED).await?);
        let mut senders = JoinSet::new();
        senders.spawn(abuse::many_connections(crowded, CONNECTIONS, HOLD));
        for seed in 10..20 {
            senders.spawn(abuse::random_bytes(abused, seed));
            senders.spawn(abuse::truncated(abused));
            senders.spawn(abuse::wrong_versions(abused));
            senders.spawn(abuse::oversized_then_silent(abused, HOLD));
            senders.spawn(abuse::one_byte_a_second(abused, HOLD));
        }
        let mut bytes = 0;
        while let Some(outcome) = senders.join_next().await {
            let outcome = outcome??;
            bytes += if outcome.connections == 1 { outcome.bytes } else { 0 };
        }
        let accounted = |now: &Figures| now.accounted_bytes() == bytes;
        self.counts("all of it at once", ABUSED, &before.0, accounted).await?;
        let each_told = |now: &Figures| now.packets + now.count("connection-limit") == CONNECTIONS as u64;
        self.counts("a thousand connections beside it", CROWDED, &before.1, each_told).await.map(drop)
    }
}

/// Sends most of the longest packet there is, and waits until the node has given it up.
async fn begin_a_long_packet(link: SocketAddr) -> anyhow::Result<()> {
    let mut stream = TcpStream::connect(link).await?;
    let mut bytes = packet(0, 0, BEGUN_BYTES, simulator::clock::now());
    bytes[4..6].fill(0xFF);
    // A node that has had enough closes: the rest of the packet then has nowhere to go.
    if stream.write_all(&bytes).await.is_ok() {
        let _ = timeout(HOLD, stream.read_u8()).await;
    }
    Ok(())
}

async fn the_hub_knows_what_the_node_rejected(world: &World, node: &Node) -> anyhow::Result<()> {
    let mut own = BTreeMap::new();
    for name in [ABUSED, CROWDED, NARROW] {
        own.insert(name.to_owned(), node.quiet(name).await?);
    }
    let same = |node: &Value| {
        let mut known = links_of(node);
        known.retain(|name, _| own.contains_key(name));
        known == own
    };
    world.hub_says("the hub to know what was rejected", NODE, same).await.map(drop)
}

/// Sends a packet every few milliseconds, and fails when one is not acknowledged in time. Returns how many.
async fn probe(link: SocketAddr, mut stopped: watch::Receiver<bool>) -> anyhow::Result<u64> {
    let mut stream = TcpStream::connect(link).await?;
    stream.set_nodelay(true)?;
    let (mut serial, mut delays) = (0, Vec::new());
    let mut rounds = interval(PROBE_EVERY);
    while !*stopped.borrow_and_update() {
        rounds.tick().await;
        let begun = Instant::now();
        stream.write_all(&packet(PROBE_RUN, serial, 92, simulator::clock::now())).await?;
        serial += 1;
        let acknowledged = async {
            while stream.read_u64().await? < serial {}
            anyhow::Ok(())
        };
        timeout(DELAY_MAX, acknowledged)
            .await
            .with_context(|| format!("packet {serial} was not acknowledged within {DELAY_MAX:?}"))??;
        let delay = begun.elapsed();
        if delay > DELAY_REMARKABLE {
            println!("the other link: packet {serial} was acknowledged after {delay:?}");
        }
        delays.push(delay);
    }
    delays.sort_unstable();
    let part = |hundredths: usize| delays.get(delays.len() * hundredths / 100).copied().unwrap_or_default();
    let longest = delays.last().copied().unwrap_or_default();
    println!("acknowledged after: median {:?}, p99 {:?}, longest {longest:?}", part(50), part(99));
    Ok(serial)
}

/// The most memory that a process ever had.
pub(crate) fn memory_peak_kib(process: u32) -> anyhow::Result<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("no VmHWM")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dictionary_that_breaks_leaves_the_last_good_one_in_use_and_says_where() -> anyhow::Result<()> {
    let good = simulator::load::DICTIONARY;
    let mut world = World::prepare(Mission::load(), &[NODE])?;
    let file = world.folder().join("load.xml");
    fs::write(&file, good)?;
    world.ground.node_file(NODE)?.missions[0].dictionary.clone_from(&file);
    // A hub's own versions would count instead of the file.
    world.ground.start_node(NODE).await?;
    let mission = mission_of_node(&world).await?;
    ensure!(mission["dictionary_problem"] == Value::Null, "{mission}");
    let parameters = mission["parameter_count"].clone();

    let breaks = [
        // Not XML any more, and XML that is no dictionary.
        ("</ParameterTypeSet>", "</ParameterTypeSett>"),
        ("name=\"serial\" parameterTypeRef=\"Serial\"", "name=\"serial\" parameterTypeRef=\"Cereal\""),
    ];
    for (run, (whole, broken)) in (0..).zip(breaks) {
        let (before, _) = good.split_once(whole).with_context(|| format!("no {whole} in the dictionary"))?;
        let line = before.matches('\n').count() + 1;
        world.stop_node(NODE).await?;
        fs::write(&file, good.replacen(whole, broken, 1))?;
        world.ground.start_node(NODE).await?;
        let mission = mission_of_node(&world).await?;
        println!("{}", mission["dictionary_problem"]);
        let problem = mission["dictionary_problem"].as_str().context("the page says what is wrong")?;
        let place = problem.strip_prefix(&format!("load.xml:{line}:"));
        let column =
            place.and_then(|place| place.split_once(": ")).and_then(|(column, _)| column.parse().ok());
        ensure!(column > Some(0_u32), "load.xml:{line}:COLUMN: REASON is expected: {problem}");
        ensure!(mission["parameter_count"] == parameters, "the last good one is in use: {mission}");
        decodes(&world, run).await?;
    }

    world.stop_node(NODE).await?;
    fs::write(&file, good)?;
    world.ground.start_node(NODE).await?;
    let mission = mission_of_node(&world).await?;
    ensure!(mission["dictionary_problem"] == Value::Null, "it was mended: {mission}");
    world.finish().await
}

async fn mission_of_node(world: &World) -> anyhow::Result<Value> {
    let answer = world.ground.node_client(NODE).await?.get("/api/v1/missions").await?;
    answer.pointer("/missions/0").cloned().with_context(|| format!("a node has its mission: {answer}"))
}

/// Sends a packet, and waits until the node shows the values in it.
async fn decodes(world: &World, run: u32) -> anyhow::Result<()> {
    let mut stream = TcpStream::connect(world.ground.link(NODE)?).await?;
    stream.write_all(&packet(run, 4_711, 92, simulator::clock::now())).await?;
    ensure!(stream.read_u64().await? == 1, "the packet is safe");
    let client = world.ground.node_client(NODE).await?;
    until("the packet's values", SOON, async || {
        let latest = client.get("/api/v1/missions/load/latest").await?;
        let values = latest["values"].as_array().context("there are values")?;
        let raw = |name: &str| {
            let ends = |value: &&Value| value["parameter"].as_str().is_some_and(|path| path.ends_with(name));
            values.iter().find(ends).map(|value| value["raw"].clone())
        };
        Ok((raw("/serial") == Some(4_711.into()) && raw("/run") == Some(run.into())).then_some(()))
    })
    .await
}
