//! `archive`: what the hub keeps of 100 million samples, how much room they take, and how soon a plot of them is there;
//! beside a plain table in the same PostgreSQL.

pub(crate) mod ask;
pub(crate) mod feed;
pub(crate) mod fill;
mod kill;
mod plain;
mod questions;
pub(crate) mod stored;
pub(crate) mod telemetry;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use serde_json::{Value, json};
use testkit::configuration::{Mission, Submilliseconds};
use testkit::ground::{GroundPlan, GroundSegment};
use testkit::node_client::{Enroller, NodeClient};
use testkit::ports::Ports;

use crate::figures::print;
use crate::processes::memory_mib;
use crate::scratch;
use feed::Feed;
use questions::Stock;
use telemetry::{Kind, Source};

const BENCH: &str = "archive";
pub(crate) const MISSION: &str = "bench";
const NODE: &str = "bench";
pub(crate) const SEED: u64 = 7;
/// Between two packets of one kind: 50,000 of them are a day and four hours.
const PERIOD_NANOS: i64 = 2_000_000_000;
const NANOS_PER_S: i64 = 1_000_000_000;
pub(crate) const SECONDS_PER_DAY: u32 = 86_400;
/// Packets sealed in memory before they are sent: 200 to 300 MB. What is more goes in several deliveries.
const SEALED_AT_ONCE: u64 = 6_000_000;
/// What is in memory goes into segments after so long, so that the end of a filling is not waited for.
pub(crate) const HEAD_AGE_MAX_S: u64 = 5;
/// However slow the machine is today, background work that takes longer stands still.
pub(crate) const PATIENCE: Duration = Duration::from_secs(3_600);
const STOP_WITHIN: Duration = Duration::from_secs(120);
/// Questions of each sort after each cold start, of other kinds of packets.
const COLD_QUESTIONS: u64 = 20;
/// Between two questions beside the load.
const ASK_EVERY: Duration = Duration::from_millis(20);
/// Bytes a sample that are put aside: ledger, segments and what merging leaves until it is cleared up.
pub(crate) const ROOM_PER_SAMPLE: u64 = 16;
/// The same of a row of the plain table with its index.
const ROOM_PER_ROW: u64 = 110;
/// Write-ahead log, and what else a cluster takes.
pub(crate) const ROOM_ASIDE: u64 = 4 << 30;

/// How much of what.
#[derive(Clone, Debug, clap::Args)]
pub struct Archive {
    /// Samples of all parameters together, in packets of 20 of them.
    #[arg(long, default_value_t = 100_000_000)]
    samples: u64,
    /// Parameters; a multiple of 20.
    #[arg(long, default_value_t = 2_000)]
    parameters: u32,
    /// Days of one more kind of packet, of 4 parameters, that came each second; 0 leaves the year out.
    #[arg(long, default_value_t = 365)]
    year: u32,
    /// Samples a second that come in while questions are asked; 0 leaves that out.
    #[arg(long, default_value_t = 250_000.0)]
    beside: f64,
    /// Seconds of questions beside that load.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Warm questions of each sort.
    #[arg(long, default_value_t = 400)]
    questions: u64,
    /// Cold starts for each sort of question.
    #[arg(long, default_value_t = 5)]
    cold: u64,
    /// Samples in memory only when the hub is killed; 0 leaves that out.
    #[arg(long, default_value_t = 10_000_000)]
    killed: u64,
    /// Leaves the plain table out.
    #[arg(long)]
    without_plain: bool,
    /// Where the database lies: on the disk to measure. The system's temporary directory when absent.
    #[arg(long)]
    directory: Option<PathBuf>,
}

/// What the archive's own figures are compared with.
#[derive(Clone, Copy, Debug, Default)]
struct Ours {
    durable_per_s: f64,
    segmented_per_s: f64,
    bytes_per_sample: f64,
}

/// A hub that is filled, and what is known of it.
struct Filled {
    ground: GroundSegment,
    directory: PathBuf,
    stock: Stock,
    feed: Feed,
    sources: Vec<Source>,
    /// Samples that are in the archive.
    samples: u64,
}

/// The mission of so many kinds of packets and of the yearly one; its dictionary is written into a folder.
pub(crate) fn mission(folder: &Path, kinds: u16) -> anyhow::Result<Mission> {
    let dictionary = folder.join("bench.xml");
    std::fs::write(&dictionary, telemetry::dictionary(kinds))?;
    Ok(Mission {
        name: MISSION.to_owned(),
        title: "Bench".to_owned(),
        dictionary,
        alarms: None,
        detection: None,
        submilliseconds: Submilliseconds::Microseconds,
    })
}

impl Archive {
    /// Runs it.
    pub async fn run(self) -> anyhow::Result<ExitCode> {
        telemetry::kinds_of(self.parameters)?;
        let parent = self.directory.as_deref();
        let work = async |directory: PathBuf| self.measure(&directory).await;
        scratch::measure(BENCH, parent, self.room_bytes(), work).await
    }

    fn room_bytes(&self) -> u64 {
        let beside = (self.beside * self.seconds as f64) as u64;
        let samples =
            self.samples + self.year_packets() * Kind::Yearly.parameters() as u64 + beside + self.killed;
        let rows = if self.without_plain { 0 } else { self.samples + self.year_packets() };
        samples * ROOM_PER_SAMPLE + rows * ROOM_PER_ROW + ROOM_ASIDE
    }

    fn year_packets(&self) -> u64 {
        u64::from(self.year) * u64::from(SECONDS_PER_DAY)
    }

    async fn measure(&self, directory: &Path) -> anyhow::Result<()> {
        let mut filled = self.start(directory).await?;
        let mut ours = self.fill(&mut filled).await?;
        ours.bytes_per_sample = self.tell_sizes(&filled, "all but the year").await?;
        if self.year > 0 {
            self.fill_year(&mut filled).await?;
            self.tell_sizes(&filled, "all").await?;
        }
        if !self.without_plain {
            self.fill_plain(&filled, ours).await?;
        }
        self.ask_cold(&mut filled).await?;
        self.ask_warm(&filled).await?;
        if self.beside > 0.0 {
            self.ask_beside(&mut filled).await?;
        }
        if self.killed > 0 {
            self.ask_after_kill(&mut filled).await?;
        }
        let (peak, _) = memory_mib(filled.ground.hub_process()?.id())?;
        print(BENCH, "hub_memory_peak", peak, "MiB", &self.context("since its last start"));
        filled.ground.stop().await
    }

    async fn start(&self, directory: &Path) -> anyhow::Result<Filled> {
        let kinds = telemetry::kinds_of(self.parameters)?;
        let mut ports = Ports::claim()?;
        let mut plan = GroundPlan::new(directory);
        plan.mission = mission(directory, kinds)?;
        // The node finds the hub again after it was restarted.
        plan.hub_http = ports.next_address()?;
        plan.reception = ports.next_address()?;
        let mut ground = GroundSegment::prepare(plan)?;
        ground.hub_file().head_age_max_s = Some(HEAD_AGE_MAX_S);
        ground.start_hub().await?;
        let identity = Enroller::of(&ground, directory.join("nodes"))?.enrol(NODE).await?;
        let stock = Stock { kinds, end: simulator::clock::now(), year_days: self.year };
        let sources = (0..kinds).map(|kind| Source::new(Kind::Many(kind), SEED)).collect();
        let feed = Feed::new(NodeClient::new(identity)?);
        Ok(Filled { ground, directory: directory.to_owned(), stock, feed, sources, samples: 0 })
    }

    fn context(&self, path: &str) -> Value {
        json!({ "samples": self.samples, "parameters": self.parameters, "year_days": self.year,
            "parameters_per_packet": Kind::Many(0).parameters(), "packet_bytes": 64,
            "head_age_max_s": HEAD_AGE_MAX_S, "path": path })
    }
}
