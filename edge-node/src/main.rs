//! `edge-node`: reads arguments, reads the configuration, runs.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use dashboard::access::{Grant, MissionScope, Role};
use edge_node::commands::carrying;
use edge_node::commands::{
    AlarmsCommand, EXIT_CODES, ForwardCommand, JournalCommand, Output, QuarantineCommand, SendArguments,
    exit_code,
};
use edge_node::config::EdgeConfig;
use edge_node::export::ExportArguments;
use edge_node::{enrolment, node, sessions, status};

/// Takes telemetry in at a ground station, keeps it, shows it, and forwards it to the hub.
#[derive(Parser)]
#[command(version, about, after_help = EXIT_CODES)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Lists open alarms, and says that you have seen one.
    Alarms {
        /// Configuration file.
        #[arg(long, global = true, default_value = "/etc/edge-node/edge.toml")]
        config: PathBuf,
        #[command(subcommand)]
        command: AlarmsCommand,
    },
    /// Prints a one-time code for this node's own page.
    Console {
        /// Configuration file.
        #[arg(long, default_value = "/etc/edge-node/edge.toml")]
        config: PathBuf,
        /// What the holder may do: `operator` everything there is, `viewer` read.
        #[arg(long, default_value = "operator")]
        role: Role,
        /// Mission the holder may know of, once for each; all when absent.
        #[arg(long = "mission", value_name = "MISSION")]
        missions: Vec<String>,
    },
    /// Decodes a recording with a dictionary, without any server.
    Decode(inspect::DecodeArguments),
    /// Runs the detectors over a recording in a table, causally and in one pass.
    Detect(inspect::DetectArguments),
    /// Looks at dictionaries.
    Dictionary {
        #[command(subcommand)]
        command: inspect::DictionaryCommand,
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
    /// Writes what the hub does not have yet into files that somebody carries there.
    Export {
        /// Configuration file.
        #[arg(long, default_value = "/etc/edge-node/edge.toml")]
        config: PathBuf,
        /// Output format.
        #[arg(long, value_enum, default_value_t)]
        output: Output,
        #[command(flatten)]
        arguments: ExportArguments,
    },
    /// Decides about what waits for the hub: pause, resume, limit, order.
    Forward {
        /// Configuration file.
        #[arg(long, global = true, default_value = "/etc/edge-node/edge.toml")]
        config: PathBuf,
        #[command(subcommand)]
        command: ForwardCommand,
    },
    /// Looks into the journal, whether the node runs or not.
    Journal {
        /// Configuration file.
        #[arg(long, global = true, default_value = "/etc/edge-node/edge.toml")]
        config: PathBuf,
        #[command(subcommand)]
        command: JournalCommand,
    },
    /// Says what is in a recording, without a dictionary.
    Packets(inspect::PacketsArguments),
    /// Looks at records that something was wrong with, and tries them again.
    Quarantine {
        /// Configuration file.
        #[arg(long, global = true, default_value = "/etc/edge-node/edge.toml")]
        config: PathBuf,
        #[command(subcommand)]
        command: QuarantineCommand,
    },
    /// Takes the hub's receipt for what was carried by hand: the journal may then forget it.
    Receipt {
        /// Configuration file.
        #[arg(long, default_value = "/etc/edge-node/edge.toml")]
        config: PathBuf,
        /// Output format.
        #[arg(long, value_enum, default_value_t)]
        output: Output,
        /// The receipt, as cloud-hub receipt wrote it.
        file: PathBuf,
    },
    /// Runs the node.
    Run {
        /// Configuration file.
        #[arg(long, default_value = "/etc/edge-node/edge.toml")]
        config: PathBuf,
    },
    /// Sends packets into a link of this node, to see that the way in is open.
    Send {
        /// Configuration file.
        #[arg(long, default_value = "/etc/edge-node/edge.toml")]
        config: PathBuf,
        #[command(flatten)]
        arguments: SendArguments,
    },
    /// Says how the running node is. Exit code 3 when something needs a look.
    Status {
        /// Configuration file.
        #[arg(long, default_value = "/etc/edge-node/edge.toml")]
        config: PathBuf,
        /// Output format.
        #[arg(long, value_enum, default_value_t)]
        output: Output,
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
            ExitCode::from(exit_code(&error))
        }
    }
}

async fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Console { config, role, missions } => {
            let config = EdgeConfig::read(&config)?;
            let missions = (!missions.is_empty()).then(|| missions.into_iter().collect());
            let grant = Grant { role, missions: MissionScope::from(missions) };
            println!("{}", sessions::make_code(&config.data_directory, grant)?);
            Ok(ExitCode::SUCCESS)
        }
        Command::Decode(arguments) => {
            arguments.run(service::clock::now())?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Detect(arguments) => {
            arguments.run()?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Dictionary { command } => {
            command.run()?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Enroll { config, token_file, replace } => {
            let config = EdgeConfig::read(&config)?;
            enrolment::run(&config, &token_file, replace).await
        }
        Command::Export { config, output, arguments } => carrying::export(&config, output, &arguments).await,
        Command::Alarms { config, command } => command.run(&config).await,
        Command::Forward { config, command } => command.run(&config).await,
        Command::Journal { config, command } => command.run(&config).await,
        Command::Quarantine { config, command } => command.run(&config).await,
        Command::Send { config, arguments } => {
            arguments.run(&config).await?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Packets(arguments) => {
            arguments.run()?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Receipt { config, output, file } => carrying::receipt(&config, output, &file).await,
        Command::Run { config: file } => {
            service::logging::start();
            let config = EdgeConfig::read(&file)?;
            let ended_well = node::run(&file, config).await?;
            Ok(if ended_well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
        Command::Status { config, output } => {
            let config = EdgeConfig::read(&config)?;
            status::print(&config.data_directory, output == Output::Json)
        }
    }
}
