//! `edge-node`: reads arguments, reads the configuration, runs.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use edge_node::config::EdgeConfig;
use edge_node::{enrolment, node, sessions, status};

/// Takes telemetry in at a ground station, keeps it, shows it, and forwards it to the hub.
#[derive(Parser)]
#[command(version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Prints a one-time code for this node's own page.
    Console {
        /// Configuration file.
        #[arg(long, default_value = "/etc/edge-node/edge.toml")]
        config: PathBuf,
    },
    /// Looks at dictionaries.
    Dictionary {
        #[command(subcommand)]
        command: DictionaryCommand,
    },
    /// Makes this machine a node of a hub, with the token the hub made for it.
    Enroll {
        /// Configuration file.
        #[arg(long, default_value = "/etc/edge-node/edge.toml")]
        config: PathBuf,
        /// File with the token, or - for standard input.
        #[arg(long)]
        token_file: PathBuf,
        /// Give up the identity this machine already has.
        #[arg(long)]
        replace: bool,
    },
    /// Runs the node.
    Run {
        /// Configuration file.
        #[arg(long, default_value = "/etc/edge-node/edge.toml")]
        config: PathBuf,
    },
    /// Says how the running node is. Exit code 3 when something needs a look.
    Status {
        /// Configuration file.
        #[arg(long, default_value = "/etc/edge-node/edge.toml")]
        config: PathBuf,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Subcommand)]
enum DictionaryCommand {
    /// Loads an XTCE file and says what is in it, or where it breaks.
    Check {
        /// The file.
        file: PathBuf,
    },
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    link::install_crypto_provider();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("error: cannot start: {error}");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(run(arguments.command)) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Console { config } => {
            let config = EdgeConfig::read(&config)?;
            println!("{}", sessions::make_code(&config.data_directory)?);
            Ok(ExitCode::SUCCESS)
        }
        Command::Dictionary { command: DictionaryCommand::Check { file } } => {
            match service::mission::read(&file) {
                Ok((dictionary, _)) => {
                    println!(
                        "{}: {} parameters in {} containers",
                        dictionary.name(),
                        dictionary.parameters().len(),
                        dictionary.containers().len()
                    );
                    for unused in dictionary.unused() {
                        println!("  {}:{}: {} is not used", unused.line, unused.column, unused.element);
                    }
                    Ok(ExitCode::SUCCESS)
                }
                Err(problem) => anyhow::bail!("error[STO-DICTIONARY]: {problem}"),
            }
        }
        Command::Enroll { config, token_file, replace } => {
            let config = EdgeConfig::read(&config)?;
            enrolment::run(&config, &token_file, replace).await?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Run { config: file } => {
            service::logging::start();
            let config = EdgeConfig::read(&file)?;
            let ended_well = node::run(&file, config).await?;
            Ok(if ended_well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
        Command::Status { config, json } => {
            let config = EdgeConfig::read(&config)?;
            status::print(&config.data_directory, json)
        }
    }
}
