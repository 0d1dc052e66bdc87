//! Learns models from tables: what `cloud-hub model train` does, whether the table is a file or comes from the archive.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::Args;
use model::{
    CorrelatedGroup, Example, FEATURE_NAMES, ForecastOptions, Forecaster, GroupOptions, Metrics, Model,
    ModelDocument, TrainingData, TrainingError, train_labelled, train_unlabelled,
};
use sha2::{Digest, Sha256};
use space_packet::TaiTime;

use crate::InspectError;
use crate::detect::{Columns, DetectConfig, InputConfig, unreadable, write_whole};
use crate::segments::{Segment, for_each_segment};

/// What a training may choose.
#[derive(Args, Clone, Debug)]
pub struct TrainingOptions {
    /// The model's number among those of the same channels and kind.
    #[arg(long, default_value_t = 1)]
    pub number: u32,
    /// What chance follows from: the same data and seed give the same document.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Learn what nominal segments look like, and from labels only which those are.
    #[arg(long)]
    pub without_labels: bool,
    /// Units of a forecaster, 16 to 64.
    #[arg(long, default_value_t = 32)]
    pub units: usize,
    /// How often a forecaster sees all samples.
    #[arg(long, default_value_t = 30)]
    pub epochs: usize,
}

/// What a table holds, and so which kind of model is learnt from it.
#[derive(Debug)]
pub enum TableKind {
    /// Columns that belong together; a [`CorrelatedGroup`].
    Group(TableColumns),
    /// Segments, by their features or sample by sample; a classifier.
    Segments,
    /// One column; a [`Forecaster`].
    Series(TableColumns),
}

/// What the columns of a table mean.
#[derive(Debug)]
pub struct TableColumns(InputConfig);

impl TableColumns {
    /// As a configuration of `detect` says.
    ///
    /// # Errors
    /// [`InspectError::DetectConfig`] when it cannot be read, or says something it must not.
    pub fn of_config(path: &Path) -> Result<Self, InspectError> {
        Ok(Self(DetectConfig::read(path)?.input))
    }

    /// Of a table as the hub exports it, with the samples of one parameter.
    pub fn of_archived(parameter: String) -> Self {
        Self(InputConfig::of_archived(parameter))
    }
}

/// A table to learn from.
#[derive(Debug)]
pub struct TrainingTable {
    /// What errors and the document call it.
    pub path: PathBuf,
    /// CSV with a head, all of it.
    pub text: Vec<u8>,
    /// What it holds.
    pub kind: TableKind,
    /// The generation times its samples lie between, if they are known.
    pub span: Option<(TaiTime, TaiTime)>,
}

/// A model that was learnt.
#[derive(Debug)]
pub struct Learnt {
    /// Its document, as bytes.
    pub document: Vec<u8>,
    /// What the training showed, a line each.
    pub report: Vec<String>,
}

impl Learnt {
    /// Writes the document. What has that name already is replaced when all is written.
    ///
    /// # Errors
    /// [`InspectError::Output`].
    pub fn write(&self, path: &Path) -> Result<(), InspectError> {
        write_whole(path, |output| output.write_all(&self.document).map_err(InspectError::output))
    }
}

/// What is learnt before it is a document.
struct Parts {
    channels: Vec<String>,
    inputs: Vec<String>,
    examples: usize,
    anomalous: usize,
    model: Model,
    report: Vec<String>,
}

impl TrainingTable {
    /// The table of a file, whole.
    ///
    /// # Errors
    /// [`InspectError::Recording`] when it cannot be read.
    pub fn read(path: &Path, kind: TableKind) -> Result<Self, InspectError> {
        let text = std::fs::read(path)
            .map_err(|reason| InspectError::Recording { path: path.to_owned(), reason })?;
        Ok(Self { path: path.to_owned(), text, kind, span: None })
    }

    /// Learns from it. Memory grows with the table, by at most 65,536 segments or a million samples.
    ///
    /// # Errors
    /// [`InspectError`] when the table cannot be read as what it should hold, or nothing can be learnt from it.
    pub fn learn(&self, options: &TrainingOptions) -> Result<Learnt, InspectError> {
        let parts = match &self.kind {
            TableKind::Group(columns) => self.learn_group(columns)?,
            TableKind::Segments => self.learn_segments(options)?,
            TableKind::Series(columns) => self.learn_series(columns, options)?,
        };
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        let data = TrainingData {
            description: name.chars().take(60).collect(),
            span: self.span,
            examples: parts.examples as u64,
            anomalous: parts.anomalous as u64,
            sha256: Sha256::digest(&self.text).into(),
        };
        let document = ModelDocument {
            number: options.number,
            channels: parts.channels,
            inputs: parts.inputs,
            data,
            seed: options.seed,
            model: parts.model,
        };
        let document =
            document.encode().map_err(|reason| InspectError::Model { path: self.path.clone(), reason })?;
        Ok(Learnt { document, report: parts.report })
    }

    fn learn_segments(&self, options: &TrainingOptions) -> Result<Parts, InspectError> {
        let mut segments: Vec<Segment> = Vec::new();
        for_each_segment(&self.path, self.text.as_slice(), |segment| {
            segments.push(segment);
            Ok(())
        })?;
        let names: BTreeSet<&String> = segments.iter().map(|segment| &segment.channel).collect();
        let channels: Vec<String> = names.into_iter().cloned().collect();
        let example = |segment: &Segment| {
            Some(Example {
                channel: channels.iter().position(|channel| *channel == segment.channel)?,
                features: segment.features.ok()?,
                anomalous: segment.is_anomalous.unwrap_or(false),
            })
        };
        let examples: Vec<Example> = segments.iter().filter_map(example).collect();
        // Where one segment has a label, all are taken to have been looked at.
        let has_labels = segments.iter().any(|segment| segment.is_anomalous.is_some());
        let by_labels = has_labels && !options.without_labels;
        let train = if by_labels { train_labelled } else { train_unlabelled };
        let trained =
            train(&examples, channels.len(), options.seed).map_err(|reason| self.unlearnable(reason))?;
        let anomalous = trained.report.anomalous;
        let how = if by_labels { "with labels" } else { "without labels" };
        let report = vec![
            format!(
                "learnt {how} from {} segments of {} channels, {anomalous} of them anomalous; {} others have no features",
                examples.len(),
                channels.len(),
                segments.len() - examples.len()
            ),
            cross_validation(&trained.report.cross_validated),
        ];
        Ok(Parts {
            channels,
            inputs: FEATURE_NAMES.map(str::to_owned).to_vec(),
            examples: examples.len(),
            anomalous,
            model: Model::Segments(Box::new(trained.model)),
            report,
        })
    }

    fn learn_series(&self, columns: &TableColumns, options: &TrainingOptions) -> Result<Parts, InspectError> {
        let [channel] = columns.0.channels() else {
            let reason = "a forecaster is of one column, and input.values names another number".to_owned();
            return Err(InspectError::DetectConfig { path: self.path.clone(), reason });
        };
        let inputs = columns.0.input_names();
        let (mut values, mut commands) = (Vec::new(), Vec::new());
        self.for_each_row(columns, |row, input| {
            values.extend(row);
            commands.extend(input);
        })?;
        let chosen = ForecastOptions { units: options.units, epochs: options.epochs, seed: options.seed };
        let trained = Forecaster::fit(&values, &commands, inputs.len(), &chosen)
            .map_err(|reason| self.unlearnable(reason))?;
        let seen = &trained.report;
        let report = vec![
            format!("learnt from {} samples of {channel}, {} kept apart", seen.learnt_from, seen.kept_apart),
            format!(
                "root mean square error on those kept apart: {:.6}; forecasting no change: {:.6}; best in round {} of {}",
                seen.error, seen.error_of_no_change, seen.best_epoch, options.epochs
            ),
        ];
        Ok(Parts {
            channels: vec![channel.clone()],
            inputs,
            examples: values.len(),
            anomalous: 0,
            model: Model::Forecaster(trained.model),
            report,
        })
    }

    fn learn_group(&self, columns: &TableColumns) -> Result<Parts, InspectError> {
        let channels = columns.0.channels().to_vec();
        let mut rows = Vec::new();
        self.for_each_row(columns, |row, _| rows.extend(row))?;
        let trained = CorrelatedGroup::fit(&rows, channels.len(), &GroupOptions::default())
            .map_err(|reason| self.unlearnable(reason))?;
        let seen = &trained.report;
        let left_out: Vec<&str> =
            seen.constant.iter().filter_map(|place| channels.get(*place)).map(String::as_str).collect();
        let report = vec![
            format!(
                "learnt from {} rows of {} channels: {} components explain {:.3} of the variance",
                seen.rows,
                channels.len(),
                seen.components,
                seen.explained
            ),
            format!("left out, because they never changed: {}", or_none(&left_out)),
        ];
        Ok(Parts {
            examples: seen.rows,
            channels,
            inputs: Vec::new(),
            anomalous: 0,
            model: Model::CorrelatedGroup(trained.model),
            report,
        })
    }

    /// Values and inputs of each row whose values are numbers; what is no number among the inputs is off.
    fn for_each_row(
        &self,
        columns: &TableColumns,
        mut each: impl FnMut(Vec<f64>, Vec<f64>),
    ) -> Result<(), InspectError> {
        let failed = |error| unreadable(&self.path, error);
        let mut rows = csv::Reader::from_reader(self.text.as_slice());
        let found = Columns::find(&columns.0, rows.headers().map_err(failed)?, &self.path)?;
        let mut record = csv::StringRecord::new();
        while rows.read_record(&mut record).map_err(failed)? {
            let row = found.read(&record, 0);
            if row.values.iter().all(|value| value.is_finite()) {
                let on = |input: f64| if input.is_finite() { input } else { 0.0 };
                let inputs = row.inputs.iter().copied().map(on).collect();
                each(row.values, inputs);
            }
        }
        Ok(())
    }

    fn unlearnable(&self, reason: TrainingError) -> InspectError {
        InspectError::Training { path: self.path.clone(), reason }
    }
}

/// Figures of segments that the model in question had not seen.
fn cross_validation(metrics: &Metrics) -> String {
    let (low, high) = metrics.false_positive_interval();
    let rate = format!("FPR {:.4} (95 %: {low:.4} to {high:.4})", metrics.false_positive_rate());
    if metrics.area.is_nan() {
        return format!(
            "cross validation, 5 folds: {rate}; no segment is anomalous, so nothing says what is found"
        );
    }
    format!(
        "cross validation, 5 folds: accuracy {:.3} (never alarming: {:.3}), P {:.3}, R {:.3}, F1 {:.3}, MCC {:.3}, AUC {:.3}, AP {:.3}, {rate}",
        metrics.accuracy(),
        metrics.trivial_accuracy(),
        metrics.precision(),
        metrics.recall(),
        metrics.f1(),
        metrics.correlation(),
        metrics.area,
        metrics.average_precision
    )
}

fn or_none(names: &[&str]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

#[cfg(test)]
mod tests;
