//! `benchmarks NAME`.

use benchmarks::smoke::{self, Smoke};
use clap::{Parser, Subcommand};

/// Measures the whole system with real processes; prints one JSON object a line.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    bench: Bench,
}

#[derive(Subcommand)]
enum Bench {
    /// Throughput, latency, memory and size in about a minute.
    Smoke {
        /// Seconds of each measurement.
        #[arg(long, default_value_t = 10)]
        seconds: u64,
        /// Packets a second of the steady load.
        #[arg(long, default_value_t = 20_000.0)]
        steady: f64,
        /// Packets a second while latency is measured.
        #[arg(long, default_value_t = 5_000.0)]
        latency: f64,
        /// Packets a second meant to be too many.
        #[arg(long, default_value_t = 400_000.0)]
        saturating: f64,
    },
}

fn main() -> anyhow::Result<()> {
    let Bench::Smoke { seconds, steady, latency, saturating } = Arguments::parse().bench;
    let smoke = Smoke {
        seconds,
        steady_packets_per_second: steady,
        latency_packets_per_second: latency,
        saturating_packets_per_second: saturating,
    };
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(smoke::run(smoke))
}
