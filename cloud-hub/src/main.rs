//! `cloud-hub`: reads arguments, reads the configuration, runs.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use cloud_hub::commands::{self, TokenWish};
use cloud_hub::config::HubConfig;
use cloud_hub::hub;

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
    /// Prints a one-time code for the dashboard.
    LoginCode(Configured),
    /// Nodes: list, revoke.
    Node {
        #[command(subcommand)]
        command: NodeCommand,
    },
    /// Prints the OpenAPI document.
    Openapi,
    /// Runs the hub.
    Run(Configured),
    /// Tokens that make machines nodes.
    Token {
        #[command(subcommand)]
        command: TokenCommand,
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
        Command::LoginCode(configured) => commands::login_code(&HubConfig::read(&configured.config)?).await?,
        Command::Node { command: NodeCommand::Ls(configured) } => {
            commands::list_nodes(&HubConfig::read(&configured.config)?).await?;
        }
        Command::Node { command: NodeCommand::Revoke { name, configured } } => {
            commands::revoke_node(&HubConfig::read(&configured.config)?, &name).await?;
        }
        Command::Openapi => println!("{}", dashboard::openapi().to_pretty_json()?),
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
