//! `place` and `elements`: where sites are, and how spacecraft fly.

use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use dashboard::contract::SitePlace;
use dashboard::orbits::{PlacedSite, Spacecraft, check_place, read_elements};
use dashboard::{ProblemResponse, rfc3339};
use serde_json::json;

use super::{Configured, database, documents, print_json, ready};
use crate::archive::OrbitTable;
use crate::config::HubConfig;

/// Who is written down for what was said here.
const AUTHOR: &str = "cloud-hub";
/// A file of elements that is read to be refused.
const FILE_BYTES_MAX: u64 = 1_024 * 1_024;

/// What is done with places.
#[derive(Subcommand)]
pub enum PlaceCommand {
    /// Says where a site is.
    Set {
        #[command(flatten)]
        arguments: PlaceArguments,
        #[command(flatten)]
        configured: Configured,
    },
    /// Lists the sites that have a place.
    Ls {
        /// As JSON, for programs.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        configured: Configured,
    },
}

/// Where a site is.
#[derive(Args)]
pub struct PlaceArguments {
    /// The site, as nodes have it (`cloud-hub node ls`).
    site: String,
    /// Geodetic latitude (WGS 84), degrees, north positive.
    #[arg(long, value_name = "DEGREES", allow_negative_numbers = true)]
    latitude: f64,
    /// Longitude, degrees, east positive.
    #[arg(long, value_name = "DEGREES", allow_negative_numbers = true)]
    longitude: f64,
    /// Height above the ellipsoid.
    #[arg(long, value_name = "METRES", default_value_t = 0.0, allow_negative_numbers = true)]
    height: f64,
    /// Elevation below which nothing is heard there.
    #[arg(long, value_name = "DEGREES", default_value_t = 5.0)]
    mask: f64,
    /// Who says so.
    #[arg(long, default_value = AUTHOR)]
    author: String,
}

/// What is done with elements.
#[derive(Subcommand)]
pub enum ElementsCommand {
    /// Imports TLE, or OMM as JSON: all sets of a file or none. Every version is kept.
    Import {
        #[command(flatten)]
        arguments: ElementsArguments,
        #[command(flatten)]
        configured: Configured,
    },
    /// Lists, of each spacecraft, the elements that count now.
    Ls {
        /// Mission, as `hub.toml` names it.
        mission: String,
        /// As JSON, for programs.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        configured: Configured,
    },
}

/// Which elements.
#[derive(Args)]
pub struct ElementsArguments {
    /// Mission, as `hub.toml` names it.
    mission: String,
    /// File with them.
    file: PathBuf,
    /// Name of the spacecraft in this mission; as the file names it when absent.
    #[arg(long, value_name = "NAME")]
    spacecraft: Option<String>,
    /// Who imports them.
    #[arg(long, default_value = AUTHOR)]
    author: String,
}

impl PlaceCommand {
    /// Does it.
    pub async fn run(self) -> anyhow::Result<()> {
        match self {
            Self::Set { arguments, configured } => {
                set_place(&HubConfig::read(&configured.config)?, arguments).await
            }
            Self::Ls { json, configured } => list_places(&HubConfig::read(&configured.config)?, json).await,
        }
    }
}

impl ElementsCommand {
    /// Does it.
    pub async fn run(self) -> anyhow::Result<()> {
        match self {
            Self::Import { arguments, configured } => {
                import_elements(&HubConfig::read(&configured.config)?, arguments).await
            }
            Self::Ls { mission, json, configured } => {
                list_elements(&HubConfig::read(&configured.config)?, &mission, json).await
            }
        }
    }
}

async fn set_place(config: &HubConfig, arguments: PlaceArguments) -> anyhow::Result<()> {
    let PlaceArguments { site, latitude, longitude, height, mask, author } = arguments;
    let place =
        SitePlace { latitude_deg: latitude, longitude_deg: longitude, height_m: height, mask_deg: mask };
    check_place(&site, &place).map_err(|problem| refused(&problem))?;
    let placed = PlacedSite { site, place, set_at: service::clock::now(), set_by: author };
    table(config)?.put_place(&placed).await?;
    println!("{} is at {latitude}, {longitude}, {height} m; it hears from {mask} degrees on.", placed.site);
    Ok(())
}

async fn list_places(config: &HubConfig, is_json: bool) -> anyhow::Result<()> {
    let placed = table(config)?.places().await?;
    if is_json {
        let described = placed.iter().map(|placed| {
            json!({
                "site": placed.site, "place": placed.place,
                "set_at": rfc3339(placed.set_at), "set_by": placed.set_by,
            })
        });
        return print_json(&described.collect());
    }
    for PlacedSite { site, place, set_at, set_by } in placed {
        let SitePlace { latitude_deg, longitude_deg, height_m, mask_deg } = place;
        println!(
            "{site:<24} {latitude_deg:>9.4} {longitude_deg:>10.4} {height_m:>7.0} m  from {mask_deg} degrees  {} by {set_by}",
            rfc3339(set_at)
        );
    }
    Ok(())
}

async fn import_elements(config: &HubConfig, arguments: ElementsArguments) -> anyhow::Result<()> {
    let ElementsArguments { mission, file, spacecraft, author } = arguments;
    documents::check_mission(config, &mission)?;
    let unread =
        || format!("error[STO-ORBIT-ELEMENTS]: {} cannot be read\n  Nothing was imported.", file.display());
    if std::fs::metadata(&file).with_context(unread)?.len() > FILE_BYTES_MAX {
        bail!("{}\n  → it is larger than 1 MiB: split it", unread());
    }
    let text = std::fs::read_to_string(&file).with_context(unread)?;
    let new = read_elements(&text, spacecraft.as_deref()).map_err(|problem| refused(&problem))?;
    let kept = table(config)?.put_elements(&mission, &new, &author).await?;
    for one in &new {
        println!("{}: epoch {}", one.spacecraft, rfc3339(one.epoch));
    }
    println!("{} sets of elements read, {kept} of them new.", new.len());
    Ok(())
}

async fn list_elements(config: &HubConfig, mission: &str, is_json: bool) -> anyhow::Result<()> {
    documents::check_mission(config, mission)?;
    let now = service::clock::now();
    let stored = table(config)?.elements(mission, now..now.plus_nanos(1)).await?;
    let (spacecraft, unread) = Spacecraft::of(stored);
    let described: Vec<_> = spacecraft.iter().map(|spacecraft| spacecraft.describe(now)).collect();
    if is_json {
        return print_json(&json!(described));
    }
    for one in described {
        let warning = one.warning.map(|warning| format!("  WARNING {warning}")).unwrap_or_default();
        println!(
            "{:<24} {:>6}  epoch {}  {} versions{warning}",
            one.spacecraft, one.catalog_number, one.epoch, one.versions
        );
    }
    for name in unread {
        println!(
            "{name:<24} WARNING this version of the software cannot read its elements; import them again"
        );
    }
    Ok(())
}

fn table(config: &HubConfig) -> anyhow::Result<OrbitTable> {
    Ok(OrbitTable::new(database(config, &ready(config)?)?))
}

fn refused(problem: &ProblemResponse) -> anyhow::Error {
    anyhow::anyhow!("error[{}]: {}", problem.code(), problem.detail())
}
