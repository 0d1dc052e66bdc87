//! `decode-instructions`: how many instructions a value takes, as callgrind counts them. The same on every machine
//! and at every load, so that a small regression shows.

use std::hint::black_box;
use std::process::{Command, ExitCode};

use anyhow::{Context, bail, ensure};
use clap::ValueEnum;
use mission_database::DecodedPacket;
use serde_json::json;

use super::INCOMPLETE;
use super::missions::{Extent, Mission};
use crate::figures::print;

const BENCH: &str = "decode-instructions";
const PACKETS: usize = 16;

/// Counts the instructions of every mission.
#[derive(Clone, Copy, Debug)]
pub struct Instructions;

/// Decodes the packets of a mission so many times in all: what callgrind looks at.
#[derive(Clone, Copy, Debug)]
pub struct Repeated {
    /// Which.
    pub mission: Which,
    /// How many packets.
    pub packets: usize,
}

/// Which mission.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Which {
    /// 27 values of many sizes, without limits.
    Small,
    /// 369 values of 32 bits, all with limits.
    Wide,
}

impl Instructions {
    /// Runs it.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        if Command::new("valgrind").arg("--version").output().is_err() {
            eprintln!("needs valgrind: apt-get install valgrind");
            return Ok(ExitCode::from(INCOMPLETE));
        }
        for which in Which::value_variants() {
            // As many that what differs between two starts, such as the seeds of hash maps, is lost in it.
            let values_per_packet = which.mission().values_per_packet;
            let packets = 1_000_000 / values_per_packet;
            let [once, twice] = [packets, 2 * packets].map(|packets| count(*which, packets));
            let per_value = (twice? - once?) / (packets * values_per_packet) as f64;
            let context = json!({ "mission": which.name(), "values_per_packet": values_per_packet,
                "packets": packets, "counted_by": "callgrind, start-up excluded" });
            print(BENCH, "instructions_per_value", per_value, "1", &context);
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl Repeated {
    /// Runs it.
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let mission = self.mission.mission();
        let dictionary = mission.load()?;
        mission.check(&dictionary)?;
        let mut decoded = DecodedPacket::default();
        for packet in mission.packets.iter().cycle().take(self.packets) {
            // Checked before: all decode.
            let _ = black_box(dictionary.decode(packet, &mut decoded));
            black_box(&decoded);
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl Which {
    fn mission(self) -> Mission {
        match self {
            Which::Small => Mission::small(PACKETS),
            Which::Wide => Mission::of_extent(Extent { kinds: 1, parameters: 369 }, PACKETS),
        }
    }

    fn name(self) -> String {
        self.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
    }
}

/// Instructions of a whole process that decodes so many packets.
fn count(which: Which, packets: usize) -> anyhow::Result<f64> {
    let mut command = Command::new("valgrind");
    command.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]);
    command.arg(std::env::current_exe()?);
    command.args(["decode-repeatedly", &which.name(), &packets.to_string()]);
    let output = command.output().context("valgrind cannot run")?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{command:?} failed: {said}");
    let Some((_, collected)) = said.split_once("Collected : ") else {
        bail!("callgrind said no count: {said}")
    };
    let count = collected.split_whitespace().next().unwrap_or_default();
    count.parse().with_context(|| format!("callgrind counted {count:?}"))
}
