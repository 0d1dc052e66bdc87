//! `benchmarks NAME`.

use std::process::ExitCode;

use benchmarks::archive::Archive;
use benchmarks::browser::Browser;
use benchmarks::decode::{Decode, Instructions, Repeated, Which};
use benchmarks::delivery::Delivery;
use benchmarks::detect::Detect;
use benchmarks::fleet::Fleet;
use benchmarks::intake::Intake;
use benchmarks::latency::Latency;
use benchmarks::link_bytes;
use benchmarks::smoke::{self, Smoke};
use benchmarks::training::Training;
use benchmarks::yamcs_load::YamcsLoad;
use clap::{Parser, Subcommand};

/// Measures the whole system with real processes, and decoding alone; prints one JSON object a line.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    bench: Bench,
}

#[derive(Subcommand)]
enum Bench {
    /// 100 million samples and a year of one packet a second: room on disk, and how soon ranges of them are there, cold,
    /// warm and beside new ones; and a plain table in the same PostgreSQL. 20 GiB and half an hour.
    Archive(Archive),
    /// The dashboard in a real Chromium: 20 live plots before 10,000 parameters, 1,000 nodes on the map, a table of 100,000
    /// events, a plot of a year; 40 minutes and 6 GiB. Needs node and chromium.
    Browser(Browser),
    /// Packets to values on one core, and loading dictionaries; a minute. A real flight needs STO_SHARED_DATA or
    /// ../shared/data, and python3 with venv and pip for a comparison.
    Decode {
        /// Repetitions of each measurement.
        #[arg(long, default_value_t = 9)]
        repetitions: usize,
    },
    /// Instructions per decoded value, which no other load disturbs. Needs valgrind.
    DecodeInstructions,
    /// What decode-instructions looks at.
    #[command(hide = true)]
    DecodeRepeatedly { mission: Which, packets: usize },
    /// Journals to the hub's database: one node and many, a backlog beside live data, and NATS on the same packets; ten
    /// minutes. Needs nats-server on the path for the comparison.
    Delivery(Delivery),
    /// Each detector and the default suite: nanoseconds a sample on one core, bytes a parameter; half a minute.
    Detect {
        /// Repetitions of each measurement.
        #[arg(long, default_value_t = 9)]
        repetitions: usize,
    },
    /// A thousand nodes at one hub: memory, processor time, and when all are back after a restart; four minutes.
    Fleet(Fleet),
    /// A node alone: throughput, latency and memory of each door, and the journal beside a plain file; five minutes.
    Intake(Intake),
    /// From a station's socket to a WebSocket client at the hub, and to its commit, at three rates, counted from when a
    /// packet was due; two minutes.
    Latency(Latency),
    /// Bytes on the link for each packet of the demo spacecraft and of JPSS, raw = 100 %, and what sealing costs, by
    /// records in a batch: the format before beside today's, without and with the dictionary.
    LinkBytes,
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
    /// Makes a dictionary for small batches.
    #[command(hide = true)]
    TrainDictionary(Training),
    /// A published load of Yamcs from a station's socket to segments: 200 kinds of packets of 369 parameters, limits on
    /// all of them; steady, and as fast as it is taken. 9 GiB and two minutes.
    YamcsLoad(YamcsLoad),
}

fn main() -> anyhow::Result<ExitCode> {
    match Arguments::parse().bench {
        Bench::Archive(archive) => runtime()?.block_on(archive.run()),
        Bench::Browser(browser) => runtime()?.block_on(browser.run()),
        Bench::Decode { repetitions } => Decode { repetitions }.run(),
        Bench::DecodeInstructions => Instructions.run(),
        Bench::DecodeRepeatedly { mission, packets } => Repeated { mission, packets }.run(),
        Bench::Delivery(delivery) => runtime()?.block_on(delivery.run()),
        Bench::Detect { repetitions } => Detect { repetitions }.run(),
        Bench::Fleet(fleet) => runtime()?.block_on(fleet.run()),
        Bench::Intake(intake) => runtime()?.block_on(intake.run()),
        Bench::Latency(latency) => runtime()?.block_on(latency.run()),
        Bench::LinkBytes => link_bytes::run(),
        Bench::Smoke { seconds, steady, latency, saturating } => measure_smoke(Smoke {
            seconds,
            steady_packets_per_second: steady,
            latency_packets_per_second: latency,
            saturating_packets_per_second: saturating,
        }),
        Bench::TrainDictionary(training) => training.run().map(|()| ExitCode::SUCCESS),
        Bench::YamcsLoad(load) => runtime()?.block_on(load.run()),
    }
}

fn measure_smoke(smoke: Smoke) -> anyhow::Result<ExitCode> {
    runtime()?.block_on(smoke::run(smoke))?;
    Ok(ExitCode::SUCCESS)
}

fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()
}
