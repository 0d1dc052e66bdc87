//! `model`: trains models on archived data or on tables; `docs/models.md` says what they are for.

use std::path::{Path, PathBuf};

use anyhow::bail;
use clap::{Args, Subcommand};
use inspect::{TableColumns, TableKind, TrainingOptions, TrainingTable, cut_segments};
use space_packet::TaiTime;

use super::Configured;
use super::documents::moment;
use super::export::samples;
use crate::config::HubConfig;

/// Of one parameter: a million samples are about half of it.
const TABLE_BYTES_MAX: usize = 256 << 20;

/// What is done with models.
#[derive(Subcommand)]
pub enum ModelCommand {
    /// Learns a model and writes its document: from a table, or from what the running hub has archived.
    Train(Box<TrainArguments>),
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
        let Self::Train(arguments) = self;
        let table = arguments.table().await?;
        let learnt = tokio::task::block_in_place(|| table.learn(&arguments.options))?;
        learnt.write(&arguments.output)?;
        learnt.report.iter().for_each(|line| println!("{line}"));
        println!(
            "model {} written to {}, {} bytes",
            arguments.options.number,
            arguments.output.display(),
            learnt.document.len()
        );
        Ok(())
    }
}

impl TrainArguments {
    async fn table(&self) -> anyhow::Result<TrainingTable> {
        let columns = |path: &Path| TableColumns::of_config(path);
        let read = match (&self.segments, &self.series, &self.group, &self.columns) {
            (Some(file), ..) => TrainingTable::read(file, TableKind::Segments),
            (_, Some(file), _, Some(path)) => TrainingTable::read(file, TableKind::Series(columns(path)?)),
            (_, _, Some(file), Some(path)) => TrainingTable::read(file, TableKind::Group(columns(path)?)),
            _ => return self.archived().await,
        };
        Ok(read?)
    }

    async fn archived(&self) -> anyhow::Result<TrainingTable> {
        let (Some(mission), Some(from), Some(to)) = (&self.mission, self.from, self.to) else {
            bail!("there is nothing to learn from: --mission, --from and --to go together");
        };
        let config = HubConfig::read(&self.configured.config)?;
        let mut text = Vec::new();
        let kind = match (self.segment_samples, self.parameters.as_slice()) {
            (Some(count), parameters) => {
                for parameter in parameters {
                    let archived = samples(&config, mission, parameter, (from, to), TABLE_BYTES_MAX).await?;
                    cut_segments(&archived, count as usize, self.gap_max_s, &mut text)?;
                }
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
