//! The command: run seeds, tell the story of one, look for bugs that were built in, count how a fleet comes back.

use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use clap::{Parser, Subcommand};

/// Delivery in a world of its own, from one seed.
#[derive(Parser)]
#[command(name = "world", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run seeds and check what must always be true
    Run {
        /// How many seeds
        #[arg(long, default_value_t = 5_000)]
        seeds: u64,
        /// The first of them
        #[arg(long, default_value_t = 0)]
        from: u64,
        /// Only this one
        #[arg(long)]
        seed: Option<u64>,
        /// Tell its story
        #[arg(long, requires = "seed")]
        trace: bool,
    },
    /// A hub restarts and all its nodes come back: one line of JSON
    Fleet {
        /// How many nodes
        #[arg(long, default_value_t = 10_000)]
        nodes: u64,
        /// How long the hub is away, milliseconds
        #[arg(long, default_value_t = 2_000)]
        away_ms: u64,
        /// Handshakes at once
        #[arg(long, default_value_t = 200)]
        admitted: u64,
        /// Processors of the hub
        #[arg(long, default_value_t = 2)]
        cores: usize,
        /// Microseconds of one processor for a handshake; measured: 1,000 in one second on two, both ends
        #[arg(long, default_value_t = 1_000)]
        handshake_us: u64,
        /// Microseconds of one processor for a HELLO
        #[arg(long, default_value_t = 1_000)]
        hello_us: u64,
        /// There and back on a link, milliseconds
        #[arg(long, default_value_t = 40)]
        round_trip_ms: u64,
        /// Of all chance
        #[arg(long, default_value_t = 0)]
        seed: u64,
    },
    /// Build one bug after the other in, and see which check finds it after how many seeds
    #[cfg(feature = "mutations")]
    Mutate {
        /// How many seeds a bug may live through
        #[arg(long, default_value_t = 2_000)]
        seeds: u64,
        /// Only the bug of this name
        #[arg(long)]
        only: Option<String>,
    },
}

fn main() -> ExitCode {
    match Arguments::parse().command {
        Command::Run { seed: Some(seed), trace, .. } => run(seed, 1, trace),
        Command::Run { seeds, from, .. } => run(from, seeds, false),
        Command::Fleet { nodes, away_ms, admitted, cores, handshake_us, hello_us, round_trip_ms, seed } => {
            fleet(world::Fleet {
                nodes,
                away: Duration::from_millis(away_ms),
                admitted,
                cores,
                handshake: Duration::from_micros(handshake_us),
                hello: Duration::from_micros(hello_us),
                round_trip: Duration::from_millis(round_trip_ms),
                commit: Duration::from_millis(10),
                seed,
            })
        }
        #[cfg(feature = "mutations")]
        Command::Mutate { seeds, only } => mutate(seeds, only.as_deref()),
    }
}

fn fleet(fleet: world::Fleet) -> ExitCode {
    let storm = world::storm(fleet);
    let [p50, p99, all] = [50, 99, 100].map(|percent| storm.percentile(percent).as_secs_f64());
    println!(
        "{{\"nodes\":{},\"all_back_s\":{all:.2},\"first_ack_p50_s\":{p50:.2},\"first_ack_p99_s\":{p99:.2},\"refused\":{}}}",
        fleet.nodes, storm.refused
    );
    ExitCode::SUCCESS
}

fn run(first: u64, count: u64, trace: bool) -> ExitCode {
    if trace {
        let outcome = world::run_seed(first, true);
        println!("story {:016x}", outcome.hash);
    }
    let done = AtomicU64::new(0);
    let summary = world::run_many(first, count, |outcome| {
        let done = done.fetch_add(1, Ordering::Relaxed) + 1;
        if let Some(failure) = &outcome.failure {
            eprintln!("seed {}: {} is broken: {}", outcome.seed, failure.invariant, failure.what);
        }
        if done.is_multiple_of(500) {
            eprintln!("{done} seeds");
        }
    });
    println!("{}", summary.json());
    if summary.failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// One line of JSON for each bug; fails when one lives.
#[cfg(feature = "mutations")]
fn mutate(seeds: u64, only: Option<&str>) -> ExitCode {
    let mut living = 0;
    let bugs: Vec<world::Bug> = world::Bug::all();
    let bugs = bugs.into_iter().filter(|bug| only.is_none_or(|only| bug.name() == only));
    for bug in bugs {
        let name = bug.name();
        match world::find(bug, seeds) {
            Some((seed, failure)) => {
                let (invariant, what) = (failure.invariant, failure.what.replace(['"', '\\'], " "));
                println!(
                    "{{\"bug\":\"{name}\",\"seed\":{seed},\"found_by\":\"{invariant}\",\"what\":\"{what}\"}}"
                );
            }
            None => {
                living += 1;
                println!("{{\"bug\":\"{name}\",\"seed\":null,\"lived_through\":{seeds}}}");
            }
        }
    }
    if living == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
