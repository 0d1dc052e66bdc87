//! `intake`: what a node takes in alone, by each of its doors, and what that costs.
//!
//! Every packet is decoded, every parameter judged, and everything acknowledged is durable.

pub mod door;
mod journal;
mod latency;
mod load;
mod memory;
mod node;
mod producer;
mod ring;
mod throughput;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use door::DoorKind;
use node::BenchNode;

const BENCH: &str = "intake";
/// What a bench ends with that lacked something.
const INCOMPLETE: u8 = 2;

/// A part of the benchmark.
#[derive(Clone, Copy, Debug, Eq, PartialEq, clap::ValueEnum)]
pub enum Part {
    /// The journal's engines alone.
    Journal,
    /// From sending to acknowledgement.
    Latency,
    /// At a steady rate, and with records waiting.
    Memory,
    /// Messages a second and processor time.
    Throughput,
}

/// How long and what.
#[derive(Clone, Debug, clap::Args)]
pub struct Intake {
    /// Seconds of each measurement of throughput and latency.
    #[arg(long, default_value_t = 5)]
    pub seconds: u64,
    /// Minutes at 10,000 packets a second while memory is watched.
    #[arg(long, default_value_t = 1)]
    pub minutes: u64,
    /// Records to fill a journal with that no hub empties; 0 for none.
    #[arg(long, default_value_t = 0)]
    pub waiting: u64,
    /// Doors to measure; all when absent.
    #[arg(long, value_enum)]
    pub door: Vec<DoorKind>,
    /// Parts to run; all when absent.
    #[arg(long, value_enum)]
    pub part: Vec<Part>,
    /// Where nodes keep their data: on the disk to measure. The system's temporary directory when absent.
    #[arg(long)]
    pub directory: Option<PathBuf>,
}

impl Intake {
    /// Runs it.
    pub async fn run(self) -> anyhow::Result<ExitCode> {
        let parent = std::path::absolute(self.directory.clone().unwrap_or_else(std::env::temp_dir))?;
        let directory = parent.join(format!("sto-bench-{}", std::process::id()));
        let outcome = self.measure(&directory).await;
        let _ = std::fs::remove_dir_all(&directory);
        outcome
    }

    fn has(&self, part: Part) -> bool {
        self.part.is_empty() || self.part.contains(&part)
    }

    async fn measure(&self, directory: &Path) -> anyhow::Result<ExitCode> {
        if self.has(Part::Journal) {
            tokio::task::block_in_place(|| journal::run(directory))?;
        }
        let doors = if self.door.is_empty() { &DoorKind::ALL[..] } else { &self.door };
        let mut is_complete = true;
        for &door in doors {
            if !(self.has(Part::Throughput) || self.has(Part::Latency)) {
                break;
            }
            if let Err(problem) = self.measure_door(directory, door).await {
                eprintln!("figures of {} are missing: {problem:#}", door.word());
                is_complete = false;
            }
        }
        if self.has(Part::Memory) {
            let mut node = BenchNode::start(&directory.join("steady"), DoorKind::TcpPrefixed).await?;
            memory::steady(self, &mut node).await?;
            node.stop().await?;
            if self.waiting > 0 {
                let mut node = BenchNode::start(&directory.join("waiting"), DoorKind::TcpPrefixed).await?;
                memory::waiting(self.waiting, &mut node).await?;
                node.stop().await?;
            }
        }
        Ok(if is_complete { ExitCode::SUCCESS } else { ExitCode::from(INCOMPLETE) })
    }

    async fn measure_door(&self, directory: &Path, door: DoorKind) -> anyhow::Result<()> {
        let mut node = BenchNode::start(&directory.join(door.word()), door).await?;
        if self.has(Part::Throughput) {
            throughput::run(self, &mut node, door).await?;
        }
        // A producer of datagrams is told nothing.
        if self.has(Part::Latency) && door != DoorKind::Udp {
            latency::run(self, &node, door).await?;
        }
        node.stop().await
    }
}
