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
pub mod reprocess;

use std::io::Write;
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use clap::Args;
use provisioning::{Authority, NewToken, Standing, Token};

use crate::archive::{Address, Database, OwnStation, Registry};
use crate::config::HubConfig;
use crate::hub::{DATABASE, Ready, advertised};

/// Which hub is meant.
#[derive(Args)]
pub struct Configured {
    /// Configuration file.
    #[arg(long, default_value = "/etc/cloud-hub/hub.toml")]
    pub config: PathBuf,
}

/// What a token is called, made for, and good for.
pub struct TokenWish {
    /// The node's name.
    pub node: String,
    /// The node's site.
    pub site: String,
    /// How long it can be used.
    pub valid: Duration,
    /// Missions it may send for; none named: all.
    pub missions: Vec<String>,
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
    wish.missions.iter().try_for_each(|mission| documents::check_mission(config, mission))?;
    let ready = ready(config)?;
    let authority = authority(config)?;
    let wanted = NewToken {
        hub_addresses: advertised(config, listening(config, &ready)?),
        node_name: wish.node,
        site: wish.site,
        expires_unix: unix_now() + wish.valid.as_secs(),
        missions: (!wish.missions.is_empty()).then_some(wish.missions),
    };
    let database = database(config, &ready)?;
    check_not_own(&database, &wanted.node_name).await?;
    let (token, record) = Token::issue(wanted, authority.spki_sha256())?;
    Registry::new(database).insert_token(&record).await?;
    let Some(path) = output else {
        println!("{}", token.to_text());
        return Ok(());
    };
    let mut file =
        std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).with_context(
            || format!("cannot write the token to {} (an existing file is never replaced)", path.display()),
        )?;
    writeln!(file, "{}", token.to_text())?;
    println!(
        "token for {:?} written to {}, good once and for {} h",
        record.node_name,
        path.display(),
        wish.valid.as_secs() / 3_600
    );
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
pub async fn revoke_node(config: &HubConfig, name: &str) -> anyhow::Result<()> {
    let database = database(config, &ready(config)?)?;
    check_not_own(&database, name).await?;
    if !Registry::new(database).revoke(name).await? {
        bail!(
            "error[STO-NODE-UNKNOWN]: there is no node {name:?}\n  Nothing was changed.\n  → cloud-hub node ls"
        );
    }
    println!(
        "{name} is revoked: it cannot forward any more, and goes on recording. A new token makes it a node again."
    );
    Ok(())
}

/// Where the hub receives, or would if it led.
fn listening(config: &HubConfig, ready: &Ready) -> anyhow::Result<SocketAddr> {
    ready.reception.as_ref().map_or(Ok(config.reception.listen), |reception| Ok(reception.parse()?))
}

/// Refuses what would change the hub's own station: it is no machine that could be enrolled or lose its right.
async fn check_not_own(database: &Database, name: &str) -> anyhow::Result<()> {
    if OwnStation::new(database.clone()).is_called(name).await? {
        bail!(
            "error[STO-NODE-BUILT-IN]: {name:?} is the hub's own station, which takes what comes to the links of hub.toml\n  Nothing was changed.\n  → choose another name, or change the links in hub.toml"
        );
    }
    Ok(())
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
