//! Three stations on bad links, a hub and PostgreSQL: everything is killed, cut, darkened and restarted at random, by one
//! seed; at the end all that was acknowledged is archived, once. `just soak --minutes 60` does it for an hour.

use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use rand::rngs::SmallRng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rustix::process::Pid;
use simulator::faults::{Direction, FaultProfile, FaultProxy};
use simulator::load::LoadReport;
use testkit::configuration::Mission;
use testkit::process::output;

use crate::archive::{database, gaps, loads_in_ledger};
use crate::kill::{kill_database, seed};
use crate::serials::Differences;
use crate::world::{DRAINED_WITHIN, RunningLoad, SOON, World};

/// Each with an engine of its own for its journal.
const NODES: [(&str, &str); 3] = [("inuvik", "segments"), ("kourou", "sled"), ("svalbard", "sled")];
const FIRST_RUN: u32 = 0x534f_414b;
const PACKETS_PER_SECOND: f64 = 1_000.0;
/// What CI has; recipes ask for more.
const USUAL: Duration = Duration::from_secs(45);
const MINUTES_VARIABLE: &str = "STO_TEST_MINUTES";
/// Between two faults.
const PAUSE_MS: std::ops::Range<u64> = 100..2_000;
/// How long a link stays dark or half-open, while other faults go on.
const DARK_MS: std::ops::Range<u64> = 500..12_000;
/// Less would mean that the load hardly ran between the faults.
const ACKNOWLEDGED_MIN: u64 = 10_000;

/// What happens to the world.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Fault {
    Blackhole,
    Cut,
    Decide(&'static str),
    HalfOpen(Direction),
    KillDatabase,
    KillEdge,
    KillHub,
    Profile(&'static str),
    RestartEdge,
    RestartHub,
}

impl Fault {
    /// Each kind as often as it shall happen among so many: links break often, processes now and then.
    fn deck(chance: &mut SmallRng) -> Vec<Self> {
        let counted = [
            (5, Self::Cut),
            (4, Self::Blackhole),
            (2, Self::HalfOpen(Direction::ToClient)),
            (2, Self::HalfOpen(Direction::ToUpstream)),
            (1, Self::Profile("clean")),
            (1, Self::Profile("lossy")),
            (1, Self::Profile("satcom")),
            (1, Self::Profile("broken")),
            (1, Self::Decide("pause")),
            (2, Self::Decide("resume")),
            (1, Self::Decide("newest-first")),
            (1, Self::Decide("oldest-first")),
            (4, Self::KillEdge),
            (2, Self::KillHub),
            (2, Self::KillDatabase),
            (1, Self::RestartEdge),
            (1, Self::RestartHub),
        ];
        let mut deck: Vec<Self> =
            counted.into_iter().flat_map(|(count, fault)| std::iter::repeat_n(fault, count)).collect();
        deck.shuffle(chance);
        deck
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Decide(word) => write!(formatter, "forward {word}"),
            Self::Profile(name) => write!(formatter, "profile {name}"),
            other => write!(formatter, "{other:?}"),
        }
    }
}

/// The way of a node to the hub.
struct Link {
    node: &'static str,
    proxy: FaultProxy,
    dark_until: Option<Instant>,
}

impl Link {
    fn heal(&mut self) {
        self.proxy.blackhole(false);
        Direction::ALL.into_iter().for_each(|direction| self.proxy.half_open(direction, false));
        self.dark_until = None;
    }
}

/// The world and what was done to it.
struct Soak {
    world: World,
    links: Vec<Link>,
    chance: SmallRng,
    deck: Vec<Fault>,
    postmaster: Option<Pid>,
    done: BTreeMap<String, u32>,
}

#[tokio::test(flavor = "multi_thread")]
async fn what_three_stations_acknowledged_through_all_faults_is_archived_once() -> anyhow::Result<()> {
    let (seed, lasting) = (seed()?, lasting()?);
    println!("STO_TEST_SEED={seed}: faults for {} s", lasting.as_secs());
    let mut soak = Soak::start(seed).await?;
    let mut loads = Vec::new();
    for ((name, _), run) in NODES.into_iter().zip(FIRST_RUN..) {
        loads.push(RunningLoad::start(soak.world.ground.link(name)?, run, PACKETS_PER_SECOND));
    }
    let begun = Instant::now();
    while begun.elapsed() < lasting {
        // A moment is what is wanted here, not a state.
        tokio::time::sleep(Duration::from_millis(soak.chance.random_range(PAUSE_MS))).await;
        soak.heal_links(Instant::now());
        soak.one_fault(begun).await?;
    }
    println!("faults: {:?}", soak.done);
    soak.end_faults().await?;
    let mut reports = Vec::new();
    for load in loads {
        reports.push(load.stop().await?);
    }
    let waited = Instant::now();
    for (name, _) in NODES {
        // Much of what came in may have been held back until now.
        soak.world.drained_within(name, DRAINED_WITHIN + lasting).await?;
    }
    println!("drained {:.1} s after the load", waited.elapsed().as_secs_f64());
    nothing_is_strange(&soak.world).await?;
    compare(&soak.world, &reports).await?;
    soak.world.finish().await
}

impl Soak {
    async fn start(seed: u64) -> anyhow::Result<Self> {
        let mut world = World::prepare(Mission::load(), &NODES.map(|(name, _)| name))?;
        world.ground.start_hub().await?;
        let mut links = Vec::new();
        for ((node, engine), number) in NODES.into_iter().zip(0..) {
            world.ground.node_file(node)?.journal = vec![("engine", engine)];
            world.ground.enrol(node).await?;
            let proxy = world.ground.bad_link(node, seed ^ number, FaultProfile::lossy()).await?;
            world.ground.start_node(node).await?;
            links.push(Link { node, proxy, dark_until: None });
        }
        let chance = SmallRng::seed_from_u64(seed);
        Ok(Self { world, links, chance, deck: Vec::new(), postmaster: None, done: BTreeMap::new() })
    }

    fn heal_links(&mut self, now: Instant) {
        let is_over = |link: &&mut Link| link.dark_until.is_some_and(|until| now >= until);
        self.links.iter_mut().filter(is_over).for_each(Link::heal);
    }

    async fn one_fault(&mut self, begun: Instant) -> anyhow::Result<()> {
        if self.deck.is_empty() {
            self.deck = Fault::deck(&mut self.chance);
        }
        let fault = self.deck.pop().context("a deck has cards")?;
        let place = self.chance.random_range(0..self.links.len());
        let dark = Duration::from_millis(self.chance.random_range(DARK_MS));
        let node = self.links[place].node;
        println!("{:6.1} s: {node}: {fault}", begun.elapsed().as_secs_f64());
        *self.done.entry(fault.to_string()).or_default() += 1;
        let (world, link) = (&mut self.world, &mut self.links[place]);
        match fault {
            Fault::Blackhole => {
                link.proxy.blackhole(true);
                link.dark_until = Some(Instant::now() + dark);
            }
            Fault::Cut => link.proxy.cut(),
            Fault::Decide(word) => decide(world, node, word).await?,
            Fault::HalfOpen(direction) => {
                link.proxy.half_open(direction, true);
                link.dark_until = Some(Instant::now() + dark);
            }
            Fault::KillDatabase => {
                self.postmaster = Some(kill_database(world.folder(), self.postmaster).await?);
            }
            Fault::KillEdge => {
                world.ground.node_process(node)?.kill()?;
                world.ground.start_node(node).await?;
            }
            Fault::KillHub => {
                world.ground.hub_process()?.kill()?;
                world.ground.start_hub().await?;
            }
            Fault::Profile(name) => link.proxy.set(name.parse::<FaultProfile>()?),
            Fault::RestartEdge => {
                world.stop_node(node).await?;
                world.ground.start_node(node).await?;
            }
            Fault::RestartHub => world.restart_hub().await?,
        }
        Ok(())
    }

    /// From here on nothing goes wrong any more.
    async fn end_faults(&mut self) -> anyhow::Result<()> {
        for link in &mut self.links {
            link.heal();
            link.proxy.set(FaultProfile::clean());
            decide(&self.world, link.node, "resume").await?;
            println!("{}: {}", link.node, link.proxy.statistics());
        }
        Ok(())
    }
}

async fn decide(world: &World, node: &str, word: &str) -> anyhow::Result<()> {
    let config = world.ground.node_config(node).to_string_lossy().into_owned();
    let words = ["forward", word, "--config"].map(str::to_owned).into_iter().chain([config]);
    output("edge-node", &words.collect::<Vec<_>>(), SOON).await.map(drop)
}

/// None of these faults may look like a clone, a restored disk or a node that breaks the rules, and none loses a batch.
async fn nothing_is_strange(world: &World) -> anyhow::Result<()> {
    let client = database(world).await?;
    // What people did stands there too.
    let asked =
        "SELECT code || ': ' || text FROM hub_event WHERE code NOT LIKE 'STO-ADMIN-%' ORDER BY event_id";
    let events = client.query(asked, &[]).await?;
    let events: Vec<String> = events.iter().map(|row| row.get(0)).collect();
    ensure!(events.is_empty(), "the hub refused something: {events:#?}");
    let apart: i64 = client.query_one("SELECT count(*) FROM kept_apart", &[]).await?.get(0);
    ensure!(apart == 0, "{apart} batches are kept apart");
    let gaps = gaps(world).await?;
    ensure!(gaps.is_empty(), "gaps were declared: {gaps:?}");
    let open = client.query_one("SELECT count(*) FROM lane WHERE NOT isempty(ranges)", &[]).await?;
    ensure!(open.get::<_, i64>(0) == 0, "lanes have spans beyond their watermarks although all is there");
    Ok(())
}

async fn compare(world: &World, reports: &[LoadReport]) -> anyhow::Result<()> {
    let archived = loads_in_ledger(world).await?;
    let mut acknowledged = 0;
    for ((name, _), report) in NODES.into_iter().zip(reports) {
        let serials = archived.get(&report.run_id).map_or(&[][..], Vec::as_slice);
        println!(
            "{name}: {} sent, {} acknowledged over {} connections, {} archived",
            report.sent_packets(),
            report.acknowledged_packets(),
            report.sent.len(),
            serials.len()
        );
        acknowledged += report.acknowledged_packets();
        Differences::between(&report.sent, &report.acknowledged, serials).assert_none().context(name)?;
    }
    ensure!(archived.len() <= reports.len(), "the ledger has packets of runs that there were not");
    ensure!(acknowledged >= ACKNOWLEDGED_MIN, "only {acknowledged} packets were acknowledged");
    Ok(())
}

fn lasting() -> anyhow::Result<Duration> {
    let Ok(text) = std::env::var(MINUTES_VARIABLE) else { return Ok(USUAL) };
    let minutes: u64 =
        text.parse().with_context(|| format!("{MINUTES_VARIABLE} must be a number, not {text:?}"))?;
    Ok(Duration::from_secs(60 * minutes))
}
