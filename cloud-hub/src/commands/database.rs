//! `db`: how the database is, its backups, and who else may read it.

use std::io::BufRead;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Subcommand;
use serde_json::json;
use uuid::Uuid;

use super::{Configured, database, print_json, ready};
use crate::archive::{
    Address, BackupError, Client, ClusterConfig, Database, Durability, Inventory, Pages, PagesError,
    PrivateCluster, ReaderName, ReaderRefused, SUPERUSER, admit_reader, check_pages, enable_checksums,
    has_reader, restore,
};
use crate::config::HubConfig;
use crate::run::{DATABASE, private_cluster};

/// `cloud-hub db …`.
#[derive(Subcommand)]
pub enum DatabaseCommand {
    /// Makes a verified backup of the private database, whether the hub runs or not.
    Backup {
        /// A folder that is not there yet, or a file that ends in .tar.zst.
        to: PathBuf,
        #[command(flatten)]
        configured: Configured,
    },
    /// Looks for damage: while the hub runs what PostgreSQL met, while it is stopped every page of the private database.
    Check {
        /// Writes check sums into the pages of a private database that has none; the hub must be stopped.
        #[arg(long)]
        enable_checksums: bool,
        #[command(flatten)]
        configured: Configured,
    },
    /// Lets a person or program read a mission's rows with psql, Grafana or the like.
    Reader {
        /// Its name; made where it is not there.
        name: ReaderName,
        /// The mission it may see; again for another one.
        #[arg(long)]
        mission: String,
        /// Reads its password from standard input, where one is made and printed otherwise.
        #[arg(long)]
        password_stdin: bool,
        #[command(flatten)]
        configured: Configured,
    },
    /// Restores a backup into a data directory that has no database.
    Restore {
        /// What `db backup` made.
        backup: PathBuf,
        /// The hub's `data_directory`.
        #[arg(long, value_name = "DATA_DIRECTORY")]
        into: PathBuf,
        /// Folder with PostgreSQL's programs; searched for when absent.
        #[arg(long)]
        binaries: Option<PathBuf>,
    },
    /// Says how large the database is, from when to when, and who replicates it.
    Status {
        /// As JSON, for programs.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        configured: Configured,
    },
}

impl DatabaseCommand {
    /// Does it; true when all is well.
    pub async fn run(self) -> anyhow::Result<bool> {
        match self {
            Self::Backup { to, configured } => back_up(&HubConfig::read(&configured.config)?, &to).await?,
            Self::Check { enable_checksums, configured } => {
                return check(&HubConfig::read(&configured.config)?, enable_checksums).await;
            }
            Self::Reader { name, mission, password_stdin, configured } => {
                admit(&HubConfig::read(&configured.config)?, &name, &mission, password_stdin).await?;
            }
            Self::Restore { backup, into, binaries } => restore_into(&backup, &into, binaries).await?,
            Self::Status { json, configured } => {
                status(&HubConfig::read(&configured.config)?, json).await?;
            }
        }
        Ok(true)
    }
}

async fn back_up(config: &HubConfig, to: &Path) -> anyhow::Result<()> {
    if config.database.url.is_some() {
        bail!(
            "error[STO-DATABASE-YOURS]: `database.url` names a PostgreSQL of yours\n  Nothing was written.\n  \
             → back it up with its own tools: pg_basebackup, pg_dump, or what its provider has"
        );
    }
    let config_of_cluster = private_cluster(config);
    if !config_of_cluster.directory.join("cluster/PG_VERSION").exists() {
        bail!(
            "error[STO-DATABASE-BACKUP]: there is no database in {}\n  Nothing was written.\n  \
             → name the hub's configuration with --config",
            config_of_cluster.directory.display()
        );
    }
    let cluster = PrivateCluster::start(config_of_cluster).await?;
    let made = cluster.back_up(to).await;
    // Whoever had it running goes on with it.
    if !cluster.was_running() {
        cluster.stop().await?;
    }
    let bytes = made.map_err(refused)?;
    println!("backup verified and written to {}: {}", to.display(), size(bytes as i64));
    println!(
        "The authority is not in it: keep a copy of {} too",
        config.data_directory.join("authority").display()
    );
    Ok(())
}

async fn restore_into(backup: &Path, into: &Path, binaries: Option<PathBuf>) -> anyhow::Result<()> {
    let config = ClusterConfig { directory: into.join("database"), binaries, durability: Durability::Full };
    let cluster = restore(backup, config).await.map_err(refused)?;
    let looked = look_into(&cluster).await;
    cluster.stop().await?;
    let inventory = looked.context("the backup was restored and starts, but it holds no archive of a hub")?;
    println!(
        "restored into {}, started once and stopped: {}",
        into.join("database").display(),
        size(inventory.bytes)
    );
    match inventory.newest {
        Some(newest) => println!("the last batch in it was committed at {newest}"),
        None => println!("no batch is in it"),
    }
    println!(
        "Next:\n\
         1. Bring `authority/` of the lost hub into {} as well; without it every node has to be enrolled again.\n\
         2. Start the hub: cloud-hub run. Nodes send again what they still hold; what they hold no longer they declare\n   \
            as a gap, and `cloud-hub completeness` counts it.\n\
         3. Nodes that were enrolled after the backup need new tokens: cloud-hub token create",
        into.display()
    );
    Ok(())
}

async fn look_into(cluster: &PrivateCluster) -> anyhow::Result<Inventory> {
    let database = Database::in_cluster(cluster.socket_directory(), cluster.port(), SUPERUSER, DATABASE);
    Ok(Inventory::take(&database.connect().await?).await?)
}

/// What a person reads of a backup that was not made or not restored.
fn refused(failed: BackupError) -> anyhow::Error {
    match failed {
        BackupError::Damaged { .. } => anyhow::anyhow!(
            "error[STO-DATABASE-DAMAGED]: {failed}\n  Nothing was kept of it.\n  → use another backup; for a new one, \
             `cloud-hub db check` says whether the database itself is damaged"
        ),
        BackupError::Taken(path) => anyhow::anyhow!(
            "error[STO-DATABASE-TAKEN]: {} is there already\n  Nothing was changed.\n  → move it away, or name another \
             place",
            path.display()
        ),
        failed => anyhow::Error::from(failed).context("error[STO-DATABASE-BACKUP]: nothing was kept"),
    }
}

/// A connection that may know everything: the private database's superuser, or whom your URL names.
async fn connect(config: &HubConfig) -> anyhow::Result<Client> {
    let ready = ready(config)?;
    let database = match &ready.database {
        Address::Private { socket_directory, port, .. } => {
            Database::in_cluster(socket_directory, *port, SUPERUSER, DATABASE)
        }
        Address::Yours => database(config, &ready)?,
    };
    Ok(database.connect().await?)
}

async fn status(config: &HubConfig, is_json: bool) -> anyhow::Result<()> {
    let inventory = Inventory::take(&connect(config).await?).await?;
    if is_json {
        return print_json(&json!({
            "version": inventory.version,
            "bytes": inventory.bytes,
            "oldest": inventory.oldest.map(dashboard::rfc3339),
            "newest": inventory.newest.map(dashboard::rfc3339),
            "has_checksums": inventory.has_checksums,
            "checksum_failures": inventory.checksum_failures,
            "is_standby": inventory.is_standby,
            "tables": inventory.tables,
            "replicas": inventory.replicas,
        }));
    }
    let role = if inventory.is_standby { ", a standby" } else { "" };
    println!("PostgreSQL {}{role}, {}", inventory.version, size(inventory.bytes));
    println!("check sums  {}", checksums(&inventory));
    match (inventory.oldest, inventory.newest) {
        (Some(oldest), Some(newest)) => println!("ledger      {oldest} to {newest}"),
        _ => println!("ledger      empty"),
    }
    for replica in &inventory.replicas {
        let state = replica.state.as_deref().unwrap_or("unknown");
        let behind = replica.behind_bytes.map_or("unknown".to_owned(), size);
        println!("replica     {} {state}, {behind} behind", replica.name);
    }
    for table in &inventory.tables {
        let partitions = match table.partitions {
            0 => String::new(),
            count => format!("  in {count} partitions"),
        };
        println!("{:>12}  {}{partitions}", size(table.bytes), table.name);
    }
    Ok(())
}

fn checksums(inventory: &Inventory) -> String {
    match inventory.checksum_failures {
        _ if !inventory.has_checksums => "off".to_owned(),
        None | Some(0) => "on, no page was found damaged".to_owned(),
        Some(failures) => format!("on, {failures} TIMES A PAGE WAS FOUND DAMAGED"),
    }
}

async fn check(config: &HubConfig, is_enabling: bool) -> anyhow::Result<bool> {
    let cluster = config.database.url.is_none().then(|| private_cluster(config));
    let Some(cluster) = cluster else {
        if is_enabling {
            bail!(
                "error[STO-DATABASE-YOURS]: `database.url` names a PostgreSQL of yours\n  Nothing was changed.\n  \
                 → stop it and run its pg_checksums --enable"
            );
        }
        return check_running(config).await;
    };
    let checked = if is_enabling {
        enable_checksums(&cluster).await.map(|()| Pages::Intact)
    } else {
        check_pages(&cluster).await
    };
    match checked {
        Ok(Pages::Intact) if is_enabling => println!("every page has a check sum now"),
        Ok(Pages::Intact) => println!("every page of {} fits its check sum", cluster.directory.display()),
        Ok(Pages::WithoutChecksums) => offer_checksums(),
        Ok(Pages::Damaged(said)) => {
            println!("DAMAGED:\n{said}");
            println!(
                "→ move the directory away, do not delete it, and restore a backup: cloud-hub db restore"
            );
            return Ok(false);
        }
        Err(PagesError::Running(_)) if !is_enabling => return check_running(config).await,
        Err(PagesError::Running(data)) => bail!(
            "error[STO-DATABASE-RUNNING]: PostgreSQL runs in {}\n  Nothing was changed.\n  → stop the hub first",
            data.display()
        ),
        Err(failed) => return Err(failed.into()),
    }
    Ok(true)
}

async fn check_running(config: &HubConfig) -> anyhow::Result<bool> {
    let inventory = Inventory::take(&connect(config).await?).await?;
    println!("check sums  {}", checksums(&inventory));
    if !inventory.has_checksums && config.database.url.is_none() {
        offer_checksums();
    }
    if inventory.unprotected.is_empty() {
        println!("missions    every table with a mission is protected by it");
    } else {
        println!("missions    NOT PROTECTED by their mission: {}", inventory.unprotected.join(", "));
    }
    println!("The pages themselves are read only while the hub is stopped.");
    Ok(inventory.unprotected.is_empty() && inventory.checksum_failures.unwrap_or(0) == 0)
}

fn offer_checksums() {
    println!(
        "pages carry no check sums: damage on the disk would go unseen\n\
         → with the hub stopped: cloud-hub db check --enable-checksums (reads and writes all of it once)"
    );
}

async fn admit(
    config: &HubConfig,
    name: &ReaderName,
    mission: &str,
    is_password_given: bool,
) -> anyhow::Result<()> {
    let mut client = connect(config).await?;
    let password = if is_password_given {
        let mut line = String::new();
        std::io::stdin().lock().read_line(&mut line).context("the password cannot be read")?;
        let line = line.trim_end_matches(['\r', '\n']);
        if line.is_empty() {
            bail!(
                "error[STO-DATABASE-READER]: the password on standard input is empty\n  Nothing was changed."
            );
        }
        Some(line.to_owned())
    } else {
        // 122 random bits; one that is there keeps what it has.
        let is_new = !has_reader(&client, name).await?;
        is_new.then(|| Uuid::new_v4().simple().to_string())
    };
    let admitted = admit_reader(&mut client, name, mission, password.as_deref()).await;
    admitted.map_err(|failed| match failed {
        ReaderRefused::Archive(_) => anyhow::Error::from(failed).context(
            "error[STO-DATABASE-READER]: nothing was changed; the user of `database.url` must be allowed to make roles",
        ),
        failed => anyhow::anyhow!("error[STO-DATABASE-READER]: {failed}\n  Nothing was changed."),
    })?;
    println!("{name} may read the rows of mission {mission}");
    if let (Some(password), false) = (password, is_password_given) {
        println!("password, shown only now: {password}");
    }
    Ok(())
}

/// Bytes for people.
fn size(bytes: i64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut value = bytes as f64;
    let mut unit = 0;
    while value >= 1_024.0 && unit + 1 < UNITS.len() {
        value /= 1_024.0;
        unit += 1;
    }
    if unit == 0 { format!("{bytes} B") } else { format!("{value:.1} {}", UNITS[unit]) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_told_in_units_that_people_read() {
        let check = |bytes, expected| assert_eq!(size(bytes), expected);
        check(0, "0 B");
        check(1_023, "1023 B");
        check(1_536, "1.5 KiB");
        check(3 << 40, "3.0 TiB");
        check(i64::MAX, "8388608.0 TiB");
    }
}
