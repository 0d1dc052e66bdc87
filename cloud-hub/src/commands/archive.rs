//! `archive`: how long it is kept, and whether its parts agree.

use anyhow::{Context, bail};
use clap::{Args, Subcommand};

use super::{database, ready};
use crate::archive::{self, Database, Kept, Retention, Verified};
use crate::config::HubConfig;
use crate::missions::Missions;

/// What is asked for.
#[derive(Subcommand)]
pub enum ArchiveCommand {
    /// Says how long a mission's data are kept, or changes it. Whole months are dropped.
    Keep(KeepArguments),
    /// Reads a mission's ledger, segments and roll-ups, and says whether they agree; exit code 1 when they do not.
    Verify {
        /// Name of the mission; all of them when absent.
        mission: Option<String>,
    },
}

/// `archive keep`.
#[derive(Args)]
pub struct KeepArguments {
    /// Name of the mission.
    mission: String,
    /// Days for which batches are kept as they came, or `for-ever`; what is dropped cannot be decoded again.
    #[arg(long, value_name = "DAYS", value_parser = days)]
    ledger: Option<Days>,
    /// Days for which samples are kept, or `for-ever`.
    #[arg(long, value_name = "DAYS", value_parser = days)]
    samples: Option<Days>,
    /// Days for which roll-ups are kept, or `for-ever`.
    #[arg(long, value_name = "DAYS", value_parser = days)]
    rollups: Option<Days>,
}

#[derive(Clone, Copy)]
struct Days(Option<u32>);

fn days(text: &str) -> Result<Days, String> {
    match text {
        "for-ever" => Ok(Days(None)),
        text => match text.parse() {
            Ok(days) if days > 0 => Ok(Days(Some(days))),
            _ => Err("a number of days above 0, or for-ever".to_owned()),
        },
    }
}

/// Carries a command out; true when all is well.
pub async fn run(
    config_file: &std::path::Path,
    config: &HubConfig,
    command: ArchiveCommand,
) -> anyhow::Result<bool> {
    let database = database(config, &ready(config)?)?;
    match command {
        ArchiveCommand::Keep(arguments) => keep(&database, &arguments).await.map(|()| true),
        ArchiveCommand::Verify { mission } => {
            verify(config_file, config, &database, mission.as_deref()).await
        }
    }
}

async fn keep(database: &Database, arguments: &KeepArguments) -> anyhow::Result<()> {
    let mission = &arguments.mission;
    let wanted = [
        (Kept::Ledger, arguments.ledger),
        (Kept::Samples, arguments.samples),
        (Kept::RollUps, arguments.rollups),
    ];
    for (kept, Days(days)) in wanted.into_iter().filter_map(|(kept, days)| Some((kept, days?))) {
        archive::keep(database, mission, kept, days).await?;
    }
    let Some(retention) = archive::retention_of(database, mission).await? else {
        bail!(
            "error[STO-MISSION-UNKNOWN]: there is no mission {mission:?} in this archive\n  → `cloud-hub.toml` names those the hub has"
        )
    };
    let Retention { ledger_days, samples_days, rollups_days } = retention;
    for (what, days) in [("ledger", ledger_days), ("samples", samples_days), ("roll-ups", rollups_days)] {
        println!("{what:<8} {}", days.map_or_else(|| "for ever".to_owned(), |days| format!("{days} days")));
    }
    Ok(())
}

async fn verify(
    config_file: &std::path::Path,
    config: &HubConfig,
    database: &Database,
    only: Option<&str>,
) -> anyhow::Result<bool> {
    if let Some(only) = only
        && !config.missions.iter().any(|mission| mission.name == only)
    {
        bail!("error[STO-MISSION-UNKNOWN]: mission {only:?} is not configured here\n  → name one of hub.toml")
    }
    let (_, loaded) = Missions::open(database, config_file, &config.missions).await?;
    let mut is_sound = true;
    for mission in loaded.iter().filter(|mission| only.is_none_or(|only| mission.name == only)) {
        let tell = |verified: &Verified| {
            eprintln!("{}: {} batches, {} segments read", mission.name, verified.batches, verified.segments);
        };
        let verified = archive::verify(database, &mission.name, &mission.decoder, tell)
            .await?
            .with_context(|| format!("mission {:?} is not in the archive yet", mission.name))?;
        let Verified { batches, segments, ledger_samples, segment_samples, .. } = verified;
        println!(
            "{}: {ledger_samples} samples in {batches} batches, {segment_samples} in {segments} segments",
            mission.name
        );
        for (seconds, samples) in &verified.rollup_samples {
            println!("  roll-ups of {seconds} s count {samples}");
        }
        for difference in &verified.differences {
            println!("  {difference}");
        }
        match verified.difference_count {
            0 => println!("  they agree"),
            count => println!(
                "  {count} differences; segments can be made again: `cloud-hub reprocess {}`",
                mission.name
            ),
        }
        is_sound &= verified.difference_count == 0;
    }
    Ok(is_sound)
}
