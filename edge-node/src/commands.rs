//! Commands for somebody at the machine: the journal, the quarantine, a test of the way in.

mod alarms;
pub mod carrying;
mod exit;
mod forward;
mod looking;
mod send;

use std::path::Path;
use std::process::ExitCode;

use clap::{Subcommand, ValueEnum};
use delivery::Lane;

use crate::config::EdgeConfig;
use crate::desk::RecordId;
use crate::desk::client::Reach;

pub use alarms::AlarmsCommand;
pub use exit::{EXIT_CODES, exit_code};
pub use forward::ForwardCommand;
pub use send::SendArguments;

/// How a command answers.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
pub enum Output {
    /// For scripts.
    Json,
    /// For people.
    #[default]
    Text,
}

/// `edge-node journal`.
#[derive(Debug, Subcommand)]
pub enum JournalCommand {
    /// Lists batches, the newest ones unless told otherwise.
    Ls {
        /// Number of the first batch.
        #[arg(long)]
        from: Option<u64>,
        /// How many.
        #[arg(long, default_value_t = 20)]
        count: usize,
        /// Of the node's events, instead of telemetry.
        #[arg(long)]
        alarm: bool,
        /// Output format.
        #[arg(long, value_enum, default_value_t)]
        output: Output,
    },
    /// Reads everything in the journal and says whether it is sound. Exit code 7 when it is not.
    Verify {
        /// That of the node's events, instead of telemetry.
        #[arg(long)]
        alarm: bool,
        /// Output format.
        #[arg(long, value_enum, default_value_t)]
        output: Output,
    },
}

/// `edge-node quarantine`.
#[derive(Debug, Subcommand)]
pub enum QuarantineCommand {
    /// Lists records in quarantine, oldest first.
    Ls {
        /// Of this mission only.
        #[arg(long)]
        mission: Option<String>,
        /// With this cause only.
        #[arg(long)]
        cause: Option<String>,
        /// How many.
        #[arg(long, default_value_t = 100)]
        count: usize,
        /// Output format.
        #[arg(long, value_enum, default_value_t)]
        output: Output,
    },
    /// Tries records again by the dictionary in force: those named, or all.
    Retry {
        /// Records, as `ls` names them.
        ids: Vec<RecordId>,
        /// Of this mission only.
        #[arg(long)]
        mission: Option<String>,
        /// Output format.
        #[arg(long, value_enum, default_value_t)]
        output: Output,
    },
    /// Shows one record: its bytes, what was found wrong, and what the dictionary in force makes of it.
    Show {
        /// The record, as `ls` names it.
        id: RecordId,
        /// Output format.
        #[arg(long, value_enum, default_value_t)]
        output: Output,
    },
}

fn lane(is_alarm: bool) -> Lane {
    if is_alarm { Lane::Alarm } else { Lane::Telemetry }
}

impl JournalCommand {
    /// Runs it on the node of a configuration file.
    pub async fn run(self, config_file: &Path) -> anyhow::Result<ExitCode> {
        let desk = Reach::of(config_file, &EdgeConfig::read(config_file)?).await?;
        match self {
            Self::Ls { from, count, alarm, output } => {
                looking::print(output, &desk.list(lane(alarm), from, count).await?, looking::listing)?;
                Ok(ExitCode::SUCCESS)
            }
            Self::Verify { alarm, output } => {
                let found = desk.verify(lane(alarm)).await?;
                looking::print(output, &found, looking::verification)?;
                let is_sound = found.problems.is_empty();
                Ok(if is_sound { ExitCode::SUCCESS } else { ExitCode::from(exit::INTEGRITY) })
            }
        }
    }
}

impl QuarantineCommand {
    /// Runs it on the node of a configuration file.
    pub async fn run(self, config_file: &Path) -> anyhow::Result<ExitCode> {
        let desk = Reach::of(config_file, &EdgeConfig::read(config_file)?).await?;
        match self {
            Self::Ls { mission, cause, count, output } => {
                let rows = desk.quarantine(mission.as_deref(), cause.as_deref(), count).await?;
                looking::print(output, &rows, |rows| looking::quarantine(rows))?;
            }
            Self::Retry { ids, mission, output } => {
                looking::print(output, &desk.retry(ids, mission).await?, looking::retried)?;
            }
            Self::Show { id, output } => {
                looking::print(output, &desk.quarantined(id).await?, looking::quarantined)?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}
