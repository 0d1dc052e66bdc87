//! The command: run seeds, tell the story of one, look for bugs that were built in, count how a fleet comes back.

use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};

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
        #[cfg(feature = "mutations")]
        Command::Mutate { seeds, only } => mutate(seeds, only.as_deref()),
    }
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
