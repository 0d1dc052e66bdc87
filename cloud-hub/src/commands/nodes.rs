//! `node missions`: what a node may send for.

use anyhow::bail;

use super::documents::check_mission;
use super::{check_not_own, database, ready};
use crate::archive::Registry;
use crate::config::HubConfig;

/// Says which missions a node may send for; `None`: all. The running hub knows within a second or two.
pub async fn set_missions(
    config: &HubConfig,
    name: &str,
    missions: Option<Vec<String>>,
) -> anyhow::Result<()> {
    missions.iter().flatten().try_for_each(|mission| check_mission(config, mission))?;
    let database = database(config, &ready(config)?)?;
    check_not_own(&database, name).await?;
    if !Registry::new(database).set_missions(name, missions.as_deref()).await? {
        bail!(
            "error[STO-NODE-UNKNOWN]: there is no node {name:?}\n  Nothing was changed.\n  → cloud-hub node ls"
        );
    }
    match missions {
        Some(missions) => println!("{name} may send for {}", missions.join(", ")),
        None => println!("{name} may send for all missions"),
    }
    println!("What it sends for others is kept apart: cloud-hub apart ls");
    Ok(())
}
