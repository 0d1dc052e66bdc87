//! `cloud-hub`: reads arguments, reads the configuration, runs.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use cloud_hub::commands::completeness::CompletenessArguments;
use cloud_hub::commands::documents::{ImportArguments, LimitsArguments};
use cloud_hub::commands::reprocess::ReprocessArguments;
use cloud_hub::commands::{self, TokenWish, carrying, completeness, documents, reprocess};
use cloud_hub::config::HubConfig;
use cloud_hub::hub;
use service::documents::DocumentKind;

/// Commits what a mission's nodes forward, keeps it, and serves it.
#[derive(Parser)]
#[command(version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Args)]
struct Configured {
    /// Configuration file.
    #[arg(long, default_value = "/etc/cloud-hub/hub.toml")]
    config: PathBuf,
}

#[derive(Subcommand)]
enum Command {
    /// Says what came of what there was: live, later, waiting, lost and why.
    Completeness {
        #[command(flatten)]
        arguments: CompletenessArguments,
        #[command(flatten)]
        configured: Configured,
    },
    /// Decodes a recording with a dictionary, without any server.
    Decode(inspect::DecodeArguments),
    /// Dictionaries: look at files, import versions, list them.
    Dictionary {
        #[command(subcommand)]
        command: DictionaryCommand,
    },
    /// Imports files that edge-node export wrote; the running hub does it.
    Import {
        /// Files.
        #[arg(required = true)]
        files: Vec<PathBuf>,
        #[command(flatten)]
        configured: Configured,
    },
    /// Limits beside the dictionary: import versions, list them.
    Limits {
        #[command(subcommand)]
        command: LimitsCommand,
    },
    /// Prints a one-time code for the dashboard.
    LoginCode(Configured),
    /// Nodes: list, revoke.
    Node {
        #[command(subcommand)]
        command: NodeCommand,
    },
    /// Prints the OpenAPI document.
    Openapi,
    /// Says what is in a recording, without a dictionary.
    Packets(inspect::PacketsArguments),
    /// Writes what the hub has of a node's journals into a file for that node, which may then forget it.
    Receipt {
        /// The node's name.
        node: String,
        /// File to write; an existing one is never replaced.
        #[arg(long)]
        out: PathBuf,
        #[command(flatten)]
        configured: Configured,
    },
    /// Decodes what is archived again, with the versions in force now.
    Reprocess {
        #[command(flatten)]
        arguments: ReprocessArguments,
        #[command(flatten)]
        configured: Configured,
    },
    /// Runs the hub.
    Run(Configured),
    /// Tokens that make machines nodes.
    Token {
        #[command(subcommand)]
        command: TokenCommand,
    },
}

#[derive(Subcommand)]
enum DictionaryCommand {
    /// Imports a version of a mission's dictionary; the running hub and its nodes take it.
    Import {
        #[command(flatten)]
        arguments: ImportArguments,
        #[command(flatten)]
        configured: Configured,
    },
    #[command(flatten)]
    Inspect(inspect::DictionaryCommand),
    /// Lists the versions of a mission's dictionary.
    Ls {
        /// Mission, as `hub.toml` names it.
        mission: String,
        #[command(flatten)]
        configured: Configured,
    },
}

#[derive(Subcommand)]
enum LimitsCommand {
    /// Imports a version of a mission's limits, CSV or TOML.
    Import {
        #[command(flatten)]
        arguments: LimitsArguments,
        #[command(flatten)]
        configured: Configured,
    },
    /// Lists the versions of a mission's limits.
    Ls {
        /// Mission, as `hub.toml` names it.
        mission: String,
        #[command(flatten)]
        configured: Configured,
    },
}

#[derive(Subcommand)]
enum NodeCommand {
    /// Lists all nodes.
    Ls(Configured),
    /// Takes a node's right to forward away.
    Revoke {
        /// Its name.
        name: String,
        #[command(flatten)]
        configured: Configured,
    },
}

#[derive(Subcommand)]
enum TokenCommand {
    /// Makes a single-use token for one node.
    Create {
        #[command(flatten)]
        configured: Configured,
        /// What the node will be called.
        #[arg(long)]
        node: String,
        /// Where it stands.
        #[arg(long)]
        site: String,
        /// Hours it can be used for.
        #[arg(long, default_value_t = 24)]
        hours: u32,
        /// File to write it to, readable by its owner only; printed when absent.
        #[arg(long)]
        output: Option<PathBuf>,
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
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(command: Command) -> anyhow::Result<bool> {
    match command {
        Command::Completeness { arguments, configured } => {
            completeness::run(&HubConfig::read(&configured.config)?, arguments).await?;
        }
        Command::Decode(arguments) => arguments.run(service::clock::now())?,
        Command::Dictionary { command: DictionaryCommand::Inspect(command) } => command.run()?,
        Command::Dictionary { command: DictionaryCommand::Import { arguments, configured } } => {
            documents::import_dictionary(&HubConfig::read(&configured.config)?, arguments).await?;
        }
        Command::Dictionary { command: DictionaryCommand::Ls { mission, configured } } => {
            let config = HubConfig::read(&configured.config)?;
            documents::list(&config, &mission, DocumentKind::Dictionary).await?;
        }
        Command::Import { files, configured } => {
            return carrying::import(&HubConfig::read(&configured.config)?, &files).await;
        }
        Command::Limits { command: LimitsCommand::Import { arguments, configured } } => {
            documents::import_limits(&HubConfig::read(&configured.config)?, arguments).await?;
        }
        Command::Limits { command: LimitsCommand::Ls { mission, configured } } => {
            let config = HubConfig::read(&configured.config)?;
            documents::list(&config, &mission, DocumentKind::Limits).await?;
        }
        Command::LoginCode(configured) => commands::login_code(&HubConfig::read(&configured.config)?).await?,
        Command::Node { command: NodeCommand::Ls(configured) } => {
            commands::list_nodes(&HubConfig::read(&configured.config)?).await?;
        }
        Command::Node { command: NodeCommand::Revoke { name, configured } } => {
            commands::revoke_node(&HubConfig::read(&configured.config)?, &name).await?;
        }
        Command::Openapi => println!("{}", dashboard::openapi().to_pretty_json()?),
        Command::Packets(arguments) => arguments.run()?,
        Command::Receipt { node, out, configured } => {
            carrying::receipt(&HubConfig::read(&configured.config)?, &node, &out).await?;
        }
        Command::Reprocess { arguments, configured } => {
            reprocess::run(&HubConfig::read(&configured.config)?, arguments).await?;
        }
        Command::Run(configured) => {
            service::logging::start();
            return hub::run(&configured.config, HubConfig::read(&configured.config)?).await;
        }
        Command::Token { command: TokenCommand::Create { configured, node, site, hours, output } } => {
            let config = HubConfig::read(&configured.config)?;
            let wish = TokenWish { node, site, valid: Duration::from_secs(u64::from(hours) * 3_600) };
            commands::create_token(&config, wish, output.as_deref()).await?;
        }
    }
    Ok(true)
}
