//! `model`: trains models on archived data or on tables; `docs/models.md` says what they are for.

use std::path::{Path, PathBuf};

use anyhow::bail;
use clap::{Args, Subcommand};
use inspect::{Judged, TableColumns, TableKind, TrainingOptions, TrainingTable, cut_segments};
use processing::alarm::{AlarmState, Change, History, Usefulness};
use service::documents::DocumentKind;
use space_packet::TaiTime;

use super::documents::{VersionsCommand, moment};
use super::export::samples;
use super::{Configured, database, ready};
use crate::archive::AlarmTable;
use crate::config::HubConfig;

/// Of one parameter: a million samples are about half of it.
const TABLE_BYTES_MAX: usize = 256 << 20;

/// Alarms of one parameter that are looked at for what people said of them, the newest.
const JUDGED_MAX: usize = 10_000;
/// So many anomalous segments a training with labels needs; with fewer they are only left out of what is nominal.
const ANOMALOUS_MIN: usize = 10;

/// What is done with models.
#[derive(Subcommand)]
pub enum ModelCommand {
    /// Learns a model and writes its document: from a table, or from what the running hub has archived.
    Train(Box<TrainArguments>),
    /// Versions that nodes have.
    #[command(flatten)]
    Versions(VersionsCommand),
}

/// What is learnt, and from what.
#[derive(Args)]
#[command(group = clap::ArgGroup::new("source").required(true))]
pub struct TrainArguments {
    /// Table of segments (CSV): a classifier is learnt.
    #[arg(long, value_name = "CSV", group = "source")]
    segments: Option<PathBuf>,
    /// Table of samples of one parameter (CSV): a forecaster is learnt.
    #[arg(long, value_name = "CSV", group = "source", requires = "columns")]
    series: Option<PathBuf>,
    /// Table of samples of parameters that belong together (CSV): T² and Q are learnt.
    #[arg(long, value_name = "CSV", group = "source", requires = "columns")]
    group: Option<PathBuf>,
    /// What the columns of the table mean: the configuration of `edge-node detect` (TOML).
    #[arg(long, value_name = "TOML")]
    columns: Option<PathBuf>,
    /// Archived samples of this mission: of one parameter a forecaster, with --segment-samples a classifier.
    #[arg(long, group = "source", requires_all = ["parameters", "from", "to"])]
    mission: Option<String>,
    /// Full path of a parameter, once for each.
    #[arg(long = "parameter", value_name = "PATH", requires = "mission")]
    parameters: Vec<String>,
    /// Beginning of the span of generation times, as in 2026-11-22T17:31:02Z.
    #[arg(long, value_parser = moment, value_name = "TIME", requires = "mission")]
    from: Option<TaiTime>,
    /// Its end, excluded.
    #[arg(long, value_parser = moment, value_name = "TIME", requires = "mission")]
    to: Option<TaiTime>,
    /// Cut what is archived into segments of so many samples.
    #[arg(long, value_name = "N", requires = "mission", value_parser = clap::value_parser!(u32).range(2..=65_536))]
    segment_samples: Option<u32>,
    /// A longer time between two samples ends a segment, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 60.0)]
    gap_max_s: f64,
    #[command(flatten)]
    options: TrainingOptions,
    /// File for the document; what has that name already is replaced.
    #[arg(long)]
    output: PathBuf,
    #[command(flatten)]
    configured: Configured,
}

impl ModelCommand {
    /// Does it.
    pub async fn run(self) -> anyhow::Result<()> {
        let arguments = match self {
            Self::Versions(command) => return command.run(DocumentKind::Model).await,
            Self::Train(arguments) => arguments,
        };
        let mut options = arguments.options.clone();
        let table = arguments.table(&mut options).await?;
        let learnt = tokio::task::block_in_place(|| table.learn(&options))?;
        learnt.write(&arguments.output)?;
        learnt.report.iter().for_each(|line| println!("{line}"));
        println!(
            "model {} written to {}, {} bytes",
            options.number,
            arguments.output.display(),
            learnt.document.len()
        );
        Ok(())
    }
}

impl TrainArguments {
    async fn table(&self, options: &mut TrainingOptions) -> anyhow::Result<TrainingTable> {
        let columns = |path: &Path| TableColumns::of_config(path);
        let read = match (&self.segments, &self.series, &self.group, &self.columns) {
            (Some(file), ..) => TrainingTable::read(file, TableKind::Segments),
            (_, Some(file), _, Some(path)) => TrainingTable::read(file, TableKind::Series(columns(path)?)),
            (_, _, Some(file), Some(path)) => TrainingTable::read(file, TableKind::Group(columns(path)?)),
            _ => return self.archived(options).await,
        };
        Ok(read?)
    }

    async fn archived(&self, options: &mut TrainingOptions) -> anyhow::Result<TrainingTable> {
        let (Some(mission), Some(from), Some(to)) = (&self.mission, self.from, self.to) else {
            bail!("there is nothing to learn from: --mission, --from and --to go together");
        };
        let config = HubConfig::read(&self.configured.config)?;
        let mut text = Vec::new();
        let kind = match (self.segment_samples, self.parameters.as_slice()) {
            (Some(count), parameters) => {
                let mut anomalous = 0;
                for parameter in parameters {
                    let archived = samples(&config, mission, parameter, (from, to), TABLE_BYTES_MAX).await?;
                    let judged = judged(&config, mission, parameter, to).await?;
                    anomalous += cut_segments(&archived, count as usize, self.gap_max_s, &judged, &mut text)?;
                }
                println!("{anomalous} segments are of alarms that people called right");
                options.without_labels |= anomalous < ANOMALOUS_MIN;
                TableKind::Segments
            }
            (None, [parameter]) => {
                text = samples(&config, mission, parameter, (from, to), TABLE_BYTES_MAX).await?;
                TableKind::Series(TableColumns::of_archived(parameter.clone()))
            }
            (None, _) => bail!(
                "error[STO-MODEL-TRAINING]: a forecaster is of one parameter, and {} are named\n  Nothing was written.\n  → name one, or give --segment-samples",
                self.parameters.len()
            ),
        };
        Ok(TrainingTable { path: mission.into(), text, kind, span: Some((from, to)) })
    }
}

/// What people said of a parameter's alarms.
async fn judged(
    config: &HubConfig,
    mission: &str,
    parameter: &str,
    to: TaiTime,
) -> anyhow::Result<Vec<Judged>> {
    let alarms = AlarmTable::new(database(config, &ready(config)?)?);
    let found = alarms.of_parameter(mission, parameter, to, JUDGED_MAX).await?;
    Ok(found.iter().filter_map(judgement).collect())
}

/// From an alarm's first occurrence to its last end. What everybody knew of is neither nominal nor worth finding, and
/// where people disagree nobody knows.
fn judgement(history: &History) -> Option<Judged> {
    let said = AlarmState::of(history, service::clock::now()).usefulness;
    let is_anomalous = match said.iter().collect::<Vec<_>>().as_slice() {
        [] => return None,
        [Usefulness::True] => Some(true),
        [Usefulness::False] => Some(false),
        _ => None,
    };
    let conditions = history.entries().into_iter().filter_map(|entry| entry.condition());
    let last = conditions.max_by_key(|condition| condition.number)?;
    let is_over = matches!(last.change, Change::Cleared { .. });
    let to = if is_over { last.generation.0 } else { TaiTime(i64::MAX) };
    Some(Judged { from: history.first().0, to, is_anomalous })
}
