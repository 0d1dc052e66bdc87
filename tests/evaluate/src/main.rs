//! `evaluate [SET…]`: a table for each set.

use std::process::ExitCode;

use clap::{Parser, ValueEnum};
use evaluate::{data, nab, opssat, skab, smap};

/// Scores the detectors on recordings with known anomalies, beside published and trivial figures.
#[derive(Parser)]
struct Arguments {
    /// Which sets; all when absent.
    #[arg(value_enum)]
    sets: Vec<Set>,
    #[command(flatten)]
    opssat: opssat::Options,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
enum Set {
    /// SMAP and MSL, spacecraft channels with commands.
    SmapMsl,
    /// The Numenta Anomaly Benchmark.
    Nab,
    /// A water pump with eight sensors.
    Skab,
    /// Segments of a CubeSat's telemetry.
    Opssat,
}

fn main() -> anyhow::Result<ExitCode> {
    let Some(folder) = data::shared_recordings() else {
        println!("no shared recordings here (STO_SHARED_DATA, shared/data/anomaly): nothing was evaluated");
        return Ok(ExitCode::SUCCESS);
    };
    let arguments = Arguments::parse();
    let asked = &arguments.sets;
    for set in Set::value_variants().iter().filter(|set| asked.is_empty() || asked.contains(set)) {
        match set {
            Set::SmapMsl => smap::run(&folder.join("smap_msl"))?,
            Set::Nab => nab::run(&folder.join("nab"))?,
            Set::Skab => skab::run(&folder.join("skab"))?,
            Set::Opssat => opssat::run(&folder.join("opssat_ad"), &arguments.opssat)?,
        }
    }
    Ok(ExitCode::SUCCESS)
}
