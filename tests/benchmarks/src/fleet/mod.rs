//! `fleet`: a thousand nodes at one hub, each with a QUIC connection, a certificate and a journal of its own: what the
//! hub pays for them, and how soon all of them are back after it was restarted.

pub(crate) mod load;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use serde_json::{Value, json};
use testkit::configuration::Mission;
use testkit::ground::{GroundPlan, GroundSegment};
use testkit::node_client::{Enroller, NodeClient, Pace};
use testkit::ports::Ports;

use crate::figures::print;
use crate::processes::{cpu_seconds, descendants, memory_mib, own_cpu_seconds};
use load::{Back, FleetLoad};

const BENCH: &str = "fleet";
/// Enrolments at once: each waits for disks, the node's and the database's.
const ENROLMENTS: usize = 32;
/// Until memory that was needed once is given back, and the first reports are in.
const SETTLE: Duration = Duration::from_secs(15);
pub(crate) const CONNECTED_WITHIN: Duration = Duration::from_secs(120);
const STOP_WITHIN: Duration = Duration::from_secs(45);
/// Of a batch: what a quiet spacecraft sends in a second.
const PACKETS: u64 = 10;
const PACKET_BYTES: usize = 92;
pub(crate) const IDLE: Pace = Pace { batch_every: None, packets: PACKETS, packet_bytes: PACKET_BYTES };
const STEADY: Pace = Pace { batch_every: Some(Duration::from_secs(1)), ..IDLE };

/// How many, and how long.
#[derive(Clone, Debug, clap::Args)]
pub struct Fleet {
    /// Nodes.
    #[arg(long, default_value_t = 1_000)]
    pub nodes: usize,
    /// Seconds of each measurement of processor time.
    #[arg(long, default_value_t = 20)]
    pub seconds: u64,
    /// Restarts of each kind.
    #[arg(long, default_value_t = 2)]
    pub restarts: usize,
    /// Where hub and nodes keep their data. The system's temporary directory when absent.
    #[arg(long)]
    pub directory: Option<PathBuf>,
}

/// How the hub ends.
#[derive(Clone, Copy, Debug)]
enum End {
    Kill,
    Stop,
}

/// Enrols nodes at a running hub, each by a token of its own. Where node N stands is called "node-N station".
pub(crate) async fn enrol(
    ground: &GroundSegment,
    directory: &Path,
    count: usize,
) -> anyhow::Result<Vec<NodeClient>> {
    let enroller = Enroller::of(ground, directory.join("nodes"))?;
    let names: Vec<String> = (0..count).map(|number| format!("node-{number}")).collect();
    let mut nodes = Vec::with_capacity(count);
    for names in names.chunks(ENROLMENTS) {
        let enrolled =
            futures_util::future::try_join_all(names.iter().map(|name| enroller.enrol(name))).await?;
        for identity in enrolled {
            nodes.push(NodeClient::new(identity)?);
        }
    }
    Ok(nodes)
}

impl Fleet {
    /// Runs it.
    pub async fn run(self) -> anyhow::Result<ExitCode> {
        let parent = std::path::absolute(self.directory.clone().unwrap_or_else(std::env::temp_dir))?;
        let directory = parent.join(format!("sto-bench-{}", std::process::id()));
        let outcome = self.measure(&directory).await;
        if outcome.is_ok() {
            let _ = std::fs::remove_dir_all(&directory);
        }
        outcome.with_context(|| format!("kept for a look: {}", directory.display()))?;
        Ok(ExitCode::SUCCESS)
    }

    async fn measure(&self, directory: &Path) -> anyhow::Result<()> {
        let mut ports = Ports::claim()?;
        let mut plan = GroundPlan::new(directory);
        plan.mission = Mission::load();
        plan.hub_http = ports.next_address()?;
        plan.reception = ports.next_address()?;
        let mut ground = GroundSegment::prepare(plan)?;
        ground.start_hub().await?;
        let nodes = self.enrol(&ground, directory).await?;
        // What enrolment took of the hub's memory must not hide what sessions take.
        ground.hub_process()?.stop(STOP_WITHIN).await?;
        ground.start_hub().await?;
        tokio::time::sleep(SETTLE).await;
        let pid = ground.hub_process()?.id();
        let empty_mib = memory_mib(pid)?.1;
        let none = self.cpu(&mut ground).await?;

        let fleet = FleetLoad::start(nodes, IDLE);
        let back = fleet.back(Instant::now(), CONNECTED_WITHIN, |node| node.opened).await?;
        print(BENCH, "all_connected", back.last_s, "s", &self.context("from none, after the hub's start"));
        tokio::time::sleep(SETTLE).await;
        self.tell_memory(pid, empty_mib, "idle")?;
        let idle = self.cpu(&mut ground).await?;
        self.tell_cpu("idle, a report a second each", idle, none);

        fleet.set_pace(STEADY);
        tokio::time::sleep(SETTLE).await;
        let before = fleet.acknowledged();
        let steady = self.cpu(&mut ground).await?;
        let batches = (fleet.acknowledged() - before) as f64 / self.seconds as f64;
        let context = "a report and a batch a second each";
        print(BENCH, "acknowledgements", batches, "1/s", &self.context(context));
        self.tell_cpu(context, steady, none);
        self.tell_memory(pid, empty_mib, context)?;

        for end in [End::Stop, End::Kill] {
            for _ in 0..self.restarts {
                self.restart(&mut ground, &fleet, end).await?;
            }
        }
        fleet.stop().await;
        ground.stop().await
    }

    async fn enrol(&self, ground: &GroundSegment, directory: &Path) -> anyhow::Result<Vec<NodeClient>> {
        let began = Instant::now();
        let nodes = enrol(ground, directory, self.nodes).await?;
        let rate = self.nodes as f64 / began.elapsed().as_secs_f64();
        print(BENCH, "enrolments", rate, "1/s", &self.context("32 at once, each by a token of its own"));
        Ok(nodes)
    }

    /// Seconds of processor time a second: the hub's, and its PostgreSQL's.
    async fn cpu(&self, ground: &mut GroundSegment) -> anyhow::Result<(f64, f64)> {
        let pid = ground.hub_process()?.id();
        let used = || {
            let children = descendants(pid).into_iter().filter(|&child| child != pid);
            let hub = own_cpu_seconds(pid)?;
            anyhow::Ok((hub, children.filter_map(|child| cpu_seconds(child).ok()).sum::<f64>()))
        };
        let (began, before) = (Instant::now(), used()?);
        tokio::time::sleep(Duration::from_secs(self.seconds)).await;
        let (after, seconds) = (used()?, began.elapsed().as_secs_f64());
        Ok(((after.0 - before.0) / seconds, (after.1 - before.1) / seconds))
    }

    async fn restart(&self, ground: &mut GroundSegment, fleet: &FleetLoad, end: End) -> anyhow::Result<()> {
        fleet.back(Instant::now(), CONNECTED_WITHIN, |node| node.opened).await?;
        let ended = Instant::now();
        let how = match end {
            End::Kill => {
                ground.hub_process()?.kill()?;
                "SIGKILL"
            }
            End::Stop => {
                let status = ground.hub_process()?.stop(STOP_WITHIN).await?;
                ensure!(status.success(), "the hub stopped with {status}");
                "SIGTERM"
            }
        };
        fleet.forget();
        ground.start_hub().await?;
        let answers = Instant::now();
        let context = self.context(how);
        print(BENCH, "hub_answers", ended.elapsed().as_secs_f64(), "s", &context);
        let opened = fleet.back(answers, CONNECTED_WITHIN, |node| node.opened).await?;
        let acknowledged = fleet.back(answers, CONNECTED_WITHIN, |node| node.acknowledged).await?;
        let since_end = answers.duration_since(ended).as_secs_f64();
        let tell = |what: &str, Back { p50_s, p99_s, last_s }: Back| {
            for (metric, seconds) in [("p50", p50_s), ("p99", p99_s), ("all", last_s)] {
                print(BENCH, &format!("{what}_{metric}"), seconds, "s", &context);
            }
            print(BENCH, &format!("{what}_all_from_end"), last_s + since_end, "s", &context);
        };
        tell("sessions_back", opened);
        tell("first_acknowledgement", acknowledged);
        Ok(())
    }

    fn tell_memory(&self, pid: u32, empty_mib: f64, what: &str) -> anyhow::Result<()> {
        let present = memory_mib(pid)?.1;
        let mut context = self.context(what);
        context["hub_without_sessions_mib"] = json!(empty_mib);
        print(BENCH, "hub_memory", present, "MiB", &context);
        print(
            BENCH,
            "hub_memory_per_node",
            (present - empty_mib) * 1_024.0 / self.nodes as f64,
            "KiB",
            &context,
        );
        Ok(())
    }

    fn tell_cpu(&self, what: &str, (hub, database): (f64, f64), none: (f64, f64)) {
        let mut context = self.context(what);
        context["seconds"] = json!(self.seconds);
        for (process, seconds, without) in [("hub", hub, none.0), ("PostgreSQL", database, none.1)] {
            context["process"] = json!(process);
            context["without_sessions"] = json!(without);
            print(BENCH, "cpu", seconds, "core", &context);
        }
    }

    fn context(&self, what: &str) -> Value {
        json!({ "nodes": self.nodes, "what": what, "packets_per_batch": PACKETS, "packet_bytes": PACKET_BYTES })
    }
}
