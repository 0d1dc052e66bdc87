//! The hub's commands beside `run`: they talk to the running hub's database.

pub mod access;
pub mod archive;
pub mod carrying;
pub mod completeness;
pub mod database;
pub mod documents;
pub mod evidence;
pub mod export;
pub mod lists;
pub mod model;
pub mod nodes;
pub mod orbits;
pub mod reprocess;

use std::io::Write;
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;
use provisioning::{Authority, Standing};

pub use crate::administration::TokenWish;
use crate::administration::{Acts, Refused};
use crate::archive::{Address, Database, Registry};
use crate::config::HubConfig;
use crate::run::{DATABASE, Ready};

/// Who does what is done here, as the hub's events say it: whoever may run commands on the machine.
const BY: &str = "the hub's command line";

/// Which hub is meant.
#[derive(Args)]
pub struct Configured {
    /// Configuration file.
    #[arg(long, default_value = "/etc/cloud-hub/hub.toml")]
    pub config: PathBuf,
}

fn ready(config: &HubConfig) -> anyhow::Result<Ready> {
    let file = config.data_directory.join("ready.json");
    let text = std::fs::read(&file).with_context(|| {
        format!("error[STO-HUB-NOT-RUNNING]: {} is not there: the hub is not running\n  → start it with `cloud-hub run`", file.display())
    })?;
    Ok(serde_json::from_slice(&text)?)
}

fn database(config: &HubConfig, ready: &Ready) -> anyhow::Result<Database> {
    match (&ready.database, &config.database.url) {
        (Address::Private { socket_directory, port, user }, _) => {
            Ok(Database::in_cluster(socket_directory, *port, user, DATABASE))
        }
        (Address::Yours, Some(url)) => Ok(Database::at_url(url.reveal())?),
        (Address::Yours, None) => {
            bail!("the running hub uses a database that this configuration does not name")
        }
    }
}

/// Makes a token and writes it to `output`, or prints it.
pub async fn create_token(config: &HubConfig, wish: TokenWish, output: Option<&Path>) -> anyhow::Result<()> {
    let ready = ready(config)?;
    let addresses = config.advertised(listening(config, &ready)?);
    let hours = wish.valid.as_secs() / 3_600;
    let acts = acts(config, &ready)?;
    let made = acts.make_token(wish, addresses, &authority(config)?, BY).await;
    let (token, record) = made.map_err(refused)?;
    let Some(path) = output else {
        println!("{}", token.to_text());
        return Ok(());
    };
    let mut file =
        std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).with_context(
            || format!("cannot write the token to {} (an existing file is never replaced)", path.display()),
        )?;
    writeln!(file, "{}", token.to_text())?;
    println!("token for {:?} written to {}, good once and for {hours} h", record.node_name, path.display());
    println!("Next, on the node: edge-node enroll --token-file FILE");
    Ok(())
}

/// Lists nodes.
pub async fn list_nodes(config: &HubConfig) -> anyhow::Result<()> {
    let ready = ready(config)?;
    for node in Registry::new(database(config, &ready)?).nodes().await? {
        let standing = match node.standing {
            Standing::Active => "active",
            Standing::Revoked => "REVOKED",
        };
        let missions = node.missions.map_or("all missions".to_owned(), |missions| missions.join(","));
        println!("{:<24} {:<24} {standing:<8} {missions:<24} {} packets", node.name, node.site, node.records);
    }
    Ok(())
}

/// Revokes a node: the running hub closes its session within a second or two.
pub async fn revoke_node(config: &HubConfig, name: &str, reason: Option<&str>) -> anyhow::Result<()> {
    let acts = acts(config, &ready(config)?)?;
    acts.revoke(name, reason.unwrap_or("no reason given"), BY).await.map_err(refused)?;
    println!(
        "{name} is revoked: it cannot forward any more, and goes on recording. A new token makes it a node again."
    );
    Ok(())
}

/// What can be done in the running hub's database.
fn acts(config: &HubConfig, ready: &Ready) -> anyhow::Result<Acts> {
    let missions = config.missions.iter().map(|mission| mission.name.clone());
    Ok(Acts::new(&database(config, ready)?, missions))
}

/// What a person reads of an act that was not done.
fn refused(refused: Refused) -> anyhow::Error {
    let (code, next) = match &refused {
        Refused::Archive(_) | Refused::Token(_) => return refused.into(),
        Refused::BuiltIn(_) => ("STO-NODE-BUILT-IN", "choose another name, or change the links in hub.toml"),
        Refused::PersonName(_) => ("STO-ADMIN-TEXT", "give another name"),
        Refused::TokenExists(_) => {
            ("STO-API-TOKEN-EXISTS", "take another name, or `cloud-hub api-token revoke` the old one first")
        }
        Refused::TokenName(_) => ("STO-API-TOKEN-NAME", "give another name"),
        Refused::TokenOver(_) => ("STO-ADMIN-TOKEN-OVER", "cloud-hub node ls"),
        Refused::UnknownMission { .. } => ("STO-MISSION-UNKNOWN", "add it to hub.toml, or mend its name"),
        Refused::UnknownNode(_) => ("STO-NODE-UNKNOWN", "cloud-hub node ls"),
        Refused::UnknownPerson(_) => ("STO-API-UNKNOWN-PERSON", "look at the dashboard who is logged in"),
        Refused::UnknownToken(_) => ("STO-API-TOKEN-UNKNOWN", "cloud-hub api-token ls"),
        Refused::UnknownTokenId(_) => ("STO-ADMIN-TOKEN-UNKNOWN", "look at the dashboard for its id"),
    };
    anyhow::anyhow!("error[{code}]: {refused}\n  Nothing was changed.\n  → {next}")
}

/// Where the hub receives, or would if it led.
fn listening(config: &HubConfig, ready: &Ready) -> anyhow::Result<SocketAddr> {
    ready.reception.as_ref().map_or(Ok(config.reception.listen), |reception| Ok(reception.parse()?))
}

fn authority(config: &HubConfig) -> anyhow::Result<Authority> {
    Ok(Authority::open_or_create(&config.authority_directory(), unix_now())?)
}

/// Prints what a program reads.
fn print_json(value: &serde_json::Value) -> anyhow::Result<()> {
    println!("{}", serde_json::to_string_pretty(value)?);
    Ok(())
}

fn unix_now() -> u64 {
    link::Clock::system().now_unix()
}
