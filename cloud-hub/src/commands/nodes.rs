//! `node missions`: what a node may send for.

use super::{BY, acts, ready, refused};
use crate::config::HubConfig;

/// Says which missions a node may send for; `None`: all. The running hub knows within a second or two.
pub async fn set_missions(
    config: &HubConfig,
    name: &str,
    missions: Option<Vec<String>>,
) -> anyhow::Result<()> {
    let acts = acts(config, &ready(config)?)?;
    acts.set_missions(name, missions.as_deref(), BY).await.map_err(refused)?;
    match missions {
        Some(missions) => println!("{name} may send for {}", missions.join(", ")),
        None => println!("{name} may send for all missions"),
    }
    println!("What it sends for others is kept apart: cloud-hub apart ls");
    Ok(())
}
