//! Writes to a journal until it is killed, checks what is left of one, or fills one to see how fast it opens.

use std::fs::{self, File};
use std::io::stdout;
use std::path::PathBuf;

use clap::Parser;
use power_cut::engine::Engine;
use power_cut::ledger::Ledger;
use power_cut::{check, fill, run, workload};

/// Tortures a journal.
#[derive(Parser)]
enum Arguments {
    /// Fills a journal of each engine in a temporary directory, opens it in another process, and prints figures.
    Backlog {
        /// How many records wait.
        #[arg(long)]
        records: u64,
    },
    /// Says how long a journal took to open that holds everything the ledger says, or what is wrong with it.
    Check {
        #[command(flatten)]
        journal: JournalArguments,
        /// What was acknowledged.
        #[arg(long)]
        ledger: PathBuf,
    },
    /// Fills a journal with small records.
    Fill {
        #[command(flatten)]
        journal: JournalArguments,
        /// How many.
        #[arg(long)]
        records: u64,
    },
    /// Prints figures of opening a journal that holds at least so many records.
    Open {
        #[command(flatten)]
        journal: JournalArguments,
        /// How many.
        #[arg(long)]
        records: u64,
    },
    /// Appends, commits, prunes and reopens.
    Write {
        #[command(flatten)]
        journal: JournalArguments,
        /// Where to say what was acknowledged; standard output without it.
        #[arg(long)]
        ledger: Option<PathBuf>,
        /// Everything that is left to chance follows from it.
        #[arg(long)]
        seed: u64,
        /// How many commits; without it there is no end.
        #[arg(long)]
        commits: Option<u64>,
    },
}

#[derive(clap::Args)]
struct JournalArguments {
    /// Which engine.
    #[arg(long, value_parser = |name: &str| Engine::named(name))]
    engine: Engine,
    /// The journal's directory.
    #[arg(long)]
    directory: PathBuf,
}

fn main() -> anyhow::Result<()> {
    // What the journal found goes to the failures' texts.
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_ansi(false).without_time().init();
    match Arguments::parse() {
        Arguments::Backlog { records } => run::backlog(&std::env::current_exe()?, records),
        Arguments::Check { journal, ledger } => {
            let ledger = Ledger::parse(&fs::read_to_string(ledger)?)?;
            let took = check::check(journal.engine, &journal.directory, &ledger)?;
            println!("{}", took.as_micros());
            Ok(())
        }
        Arguments::Fill { journal, records } => fill::fill(journal.engine, &journal.directory, records),
        Arguments::Open { journal, records } => fill::open(journal.engine, &journal.directory, records),
        Arguments::Write { journal, ledger, seed, commits } => {
            let JournalArguments { engine, directory } = journal;
            let plan = workload::Plan { engine, directory, seed, commits };
            match ledger {
                Some(path) => {
                    workload::write(&plan, &mut File::options().create(true).append(true).open(path)?)
                }
                None => workload::write(&plan, &mut stdout()),
            }
        }
    }
}
