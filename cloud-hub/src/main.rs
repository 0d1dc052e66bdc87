//! `cloud-hub`: reads arguments, reads the configuration, runs.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use cloud_hub::commands::access::{AddTokenArguments, LoginCodeArguments};
use cloud_hub::commands::archive::ArchiveCommand;
use cloud_hub::commands::completeness::CompletenessArguments;
use cloud_hub::commands::database::DatabaseCommand;
use cloud_hub::commands::documents::{ImportArguments, LimitsArguments, VersionsCommand};
use cloud_hub::commands::export::ExportArguments;
use cloud_hub::commands::model::ModelCommand;
use cloud_hub::commands::orbits::{ElementsCommand, PlaceCommand};
use cloud_hub::commands::reprocess::ReprocessArguments;
use cloud_hub::commands::{
    self, Configured, TokenWish, access, archive, carrying, completeness, documents, evidence, export, lists,
    nodes, reprocess,
};
use cloud_hub::config::HubConfig;
use service::documents::DocumentKind;

/// Commits what a mission's nodes forward, keeps it, and serves it.
#[derive(Parser)]
#[command(version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Tokens of programs: add, list, revoke.
    ApiToken {
        #[command(subcommand)]
        command: ApiTokenCommand,
    },
    /// Batches that are kept out of the archive: list, save.
    Apart {
        #[command(subcommand)]
        command: ApartCommand,
    },
    /// Rules of alarms: import versions, list them.
    AlarmRules {
        #[command(subcommand)]
        command: VersionsCommand,
    },
    /// The archive: how long it is kept, and whether its parts agree.
    Archive {
        #[command(subcommand)]
        command: ArchiveCommand,
        #[command(flatten)]
        configured: Configured,
    },
    /// Says what came of what there was: live, later, waiting, lost and why.
    Completeness {
        #[command(flatten)]
        arguments: CompletenessArguments,
        #[command(flatten)]
        configured: Configured,
    },
    /// The database: status, check, backup, restore, readers.
    Db {
        #[command(subcommand)]
        command: DatabaseCommand,
    },
    /// Decodes a recording with a dictionary, without any server.
    Decode(inspect::DecodeArguments),
    /// Rules of detection: import versions, list them.
    DetectionRules {
        #[command(subcommand)]
        command: VersionsCommand,
    },
    /// Dictionaries: look at files, import versions, list them.
    Dictionary {
        #[command(subcommand)]
        command: DictionaryCommand,
    },
    /// Elements of spacecraft, from which passes are computed: import versions, list them.
    Elements {
        #[command(subcommand)]
        command: ElementsCommand,
    },
    /// The hubs nodes may turn to: list, set.
    Endpoints {
        #[command(subcommand)]
        command: EndpointsCommand,
    },
    /// Lists what the hub refused and what somebody should know of, newest first.
    Events {
        /// How many.
        #[arg(long, default_value_t = 50)]
        count: u32,
        #[command(flatten)]
        listed: Listed,
    },
    /// Writes samples or packets of a span into a file; the running hub gives them out.
    Export {
        #[command(flatten)]
        arguments: ExportArguments,
        #[command(flatten)]
        configured: Configured,
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
    LoginCode {
        #[command(flatten)]
        arguments: LoginCodeArguments,
        #[command(flatten)]
        configured: Configured,
    },
    /// Models of what is usual: train.
    Model {
        #[command(subcommand)]
        command: ModelCommand,
    },
    /// Nodes: list, revoke.
    Node {
        #[command(subcommand)]
        command: NodeCommand,
    },
    /// Prints the OpenAPI document.
    Openapi,
    /// Says what is in a recording, without a dictionary.
    Packets(inspect::PacketsArguments),
    /// Places of sites, from which spacecraft are heard: set, list.
    Place {
        #[command(subcommand)]
        command: PlaceCommand,
    },
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
    /// The authorities nodes and this hub trust: list, add, remove.
    Trust {
        #[command(subcommand)]
        command: TrustCommand,
    },
}

#[derive(Args)]
struct Listed {
    #[command(flatten)]
    configured: Configured,
    /// As JSON, for programs.
    #[arg(long)]
    json: bool,
}

#[derive(Subcommand)]
enum ApiTokenCommand {
    /// Makes a token and prints it, once: the hub keeps its hash only.
    Add {
        #[command(flatten)]
        arguments: AddTokenArguments,
        #[command(flatten)]
        configured: Configured,
    },
    /// Lists all tokens there ever were, newest first.
    Ls(Listed),
    /// Ends a token; within 5 seconds the hub refuses it.
    Revoke {
        /// Its name.
        name: String,
        #[command(flatten)]
        configured: Configured,
    },
}

#[derive(Subcommand)]
enum ApartCommand {
    /// Lists them, oldest first.
    Ls(Listed),
    /// Writes one into a file, as its node sealed it.
    Save {
        /// Its number in the list.
        id: i64,
        /// File, which must not exist.
        file: PathBuf,
        #[command(flatten)]
        listed: Listed,
    },
}

#[derive(Subcommand)]
enum EndpointsCommand {
    /// Lists them.
    Ls(Listed),
    /// Makes a new list; each node has its own order among them.
    Set {
        /// HOST:PORT or NAME=HOST:PORT of each.
        #[arg(required = true, value_name = "HOST:PORT")]
        hubs: Vec<String>,
        #[command(flatten)]
        configured: Configured,
    },
}

#[derive(Subcommand)]
enum TrustCommand {
    /// Adds the authorities of a file to the list.
    Add {
        /// Certificates in PEM, as `authority/certificate.pem` of another hub.
        file: PathBuf,
        #[command(flatten)]
        configured: Configured,
    },
    /// Lists them.
    Ls(Listed),
    /// Takes one out of the list; nodes under its certificates are refused from then on.
    Remove {
        /// Its id, as in the list.
        id: String,
        #[command(flatten)]
        configured: Configured,
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
    /// Says which missions a node may send for.
    Missions {
        /// Its name.
        name: String,
        /// The missions, as `hub.toml` names them.
        #[arg(required_unless_present = "all", conflicts_with = "all")]
        missions: Vec<String>,
        /// All of them, also those to come.
        #[arg(long)]
        all: bool,
        #[command(flatten)]
        configured: Configured,
    },
    /// Takes a node's right to forward away.
    Revoke {
        /// Its name.
        name: String,
        /// Why, as the hub's events say it.
        #[arg(long)]
        reason: Option<String>,
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
        /// Mission the node may send for, once for each; all when absent.
        #[arg(long = "mission", value_name = "MISSION")]
        missions: Vec<String>,
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
        Command::AlarmRules { command } => command.run(DocumentKind::AlarmRules).await?,
        Command::DetectionRules { command } => command.run(DocumentKind::DetectionRules).await?,
        Command::ApiToken { command: ApiTokenCommand::Add { arguments, configured } } => {
            access::add_token(&HubConfig::read(&configured.config)?, arguments).await?;
        }
        Command::ApiToken { command: ApiTokenCommand::Ls(listed) } => {
            access::list_tokens(&HubConfig::read(&listed.configured.config)?, listed.json).await?;
        }
        Command::ApiToken { command: ApiTokenCommand::Revoke { name, configured } } => {
            access::revoke_token(&HubConfig::read(&configured.config)?, &name).await?;
        }
        Command::Apart { command: ApartCommand::Ls(listed) } => {
            evidence::list_apart(&HubConfig::read(&listed.configured.config)?, listed.json).await?;
        }
        Command::Apart { command: ApartCommand::Save { id, file, listed } } => {
            let config = HubConfig::read(&listed.configured.config)?;
            evidence::save_apart(&config, id, &file, listed.json).await?;
        }
        Command::Archive { command, configured } => {
            let config = HubConfig::read(&configured.config)?;
            return archive::run(&configured.config, &config, command).await;
        }
        Command::Completeness { arguments, configured } => {
            completeness::run(&HubConfig::read(&configured.config)?, arguments).await?;
        }
        Command::Db { command } => return command.run().await,
        Command::Decode(arguments) => arguments.run(service::clock::now())?,
        Command::Dictionary { command: DictionaryCommand::Inspect(command) } => command.run()?,
        Command::Dictionary { command: DictionaryCommand::Import { arguments, configured } } => {
            documents::import_dictionary(&HubConfig::read(&configured.config)?, arguments).await?;
        }
        Command::Dictionary { command: DictionaryCommand::Ls { mission, configured } } => {
            let config = HubConfig::read(&configured.config)?;
            documents::list(&config, &mission, DocumentKind::Dictionary).await?;
        }
        Command::Elements { command } => command.run().await?,
        Command::Place { command } => command.run().await?,
        Command::Endpoints { command: EndpointsCommand::Ls(listed) } => {
            lists::list_endpoints(&HubConfig::read(&listed.configured.config)?, listed.json).await?;
        }
        Command::Endpoints { command: EndpointsCommand::Set { hubs, configured } } => {
            lists::set_endpoints(&HubConfig::read(&configured.config)?, &hubs).await?;
        }
        Command::Events { count, listed } => {
            evidence::list_events(&HubConfig::read(&listed.configured.config)?, count, listed.json).await?;
        }
        Command::Export { arguments, configured } => {
            export::run(&HubConfig::read(&configured.config)?, arguments).await?;
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
        Command::LoginCode { arguments, configured } => {
            access::login_code(&HubConfig::read(&configured.config)?, arguments).await?;
        }
        Command::Model { command } => command.run().await?,
        Command::Node { command: NodeCommand::Ls(configured) } => {
            commands::list_nodes(&HubConfig::read(&configured.config)?).await?;
        }
        Command::Node { command: NodeCommand::Missions { name, missions, all, configured } } => {
            let config = HubConfig::read(&configured.config)?;
            nodes::set_missions(&config, &name, (!all).then_some(missions)).await?;
        }
        Command::Node { command: NodeCommand::Revoke { name, reason, configured } } => {
            commands::revoke_node(&HubConfig::read(&configured.config)?, &name, reason.as_deref()).await?;
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
            let config = HubConfig::read(&configured.config)?;
            return Box::pin(cloud_hub::run::run(&configured.config, config)).await;
        }
        Command::Token {
            command: TokenCommand::Create { configured, node, site, missions, hours, output },
        } => {
            let config = HubConfig::read(&configured.config)?;
            let valid = Duration::from_secs(u64::from(hours) * 3_600);
            let missions = (!missions.is_empty()).then_some(missions);
            let wish = TokenWish { node, site, valid, missions };
            commands::create_token(&config, wish, output.as_deref()).await?;
        }
        Command::Trust { command: TrustCommand::Add { file, configured } } => {
            lists::add_trust(&HubConfig::read(&configured.config)?, &file).await?;
        }
        Command::Trust { command: TrustCommand::Ls(listed) } => {
            lists::list_trust(&HubConfig::read(&listed.configured.config)?, listed.json).await?;
        }
        Command::Trust { command: TrustCommand::Remove { id, configured } } => {
            lists::remove_trust(&HubConfig::read(&configured.config)?, &id).await?;
        }
    }
    Ok(true)
}
