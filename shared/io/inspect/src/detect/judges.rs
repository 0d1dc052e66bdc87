//! Judges rows of samples: a suite for each column, or all columns together.

use std::io::{self, Read, Write};
use std::path::Path;

use model::{Forecaster, Model, ModelDocument};
use processing::detect::{ModelVersion, Observation, Outcome, Suite, SuiteRule, Training};

use super::config::DetectConfig;
use super::group::Group;
use super::input::{Columns, Row};
use super::output::{OutputRow, Raised, Table};
use super::{open, unreadable};
use crate::InspectError;

/// The detectors of all columns.
pub(super) struct Judges {
    suites: Vec<Judge>,
    group: Option<Group>,
}

/// The detectors of one column.
struct Judge {
    channel: String,
    suite: Suite,
    forecaster: Option<Forecaster>,
}

impl Judges {
    pub(super) fn new(
        config: &DetectConfig,
        document: Option<(&Path, ModelDocument)>,
    ) -> Result<Self, InspectError> {
        let alone = Self { suites: Vec::new(), group: None };
        let Some((path, document)) = document else {
            return Ok(match config.group {
                Some(group) => Self { group: Some(Group::learning(group, config)), ..alone },
                None => Self { suites: suites(config, &rule(config)), ..alone },
            });
        };
        let mismatch = |reason: String| InspectError::DetectModel { path: path.to_owned(), reason };
        let channels = config.input.channels();
        let place_of = |wanted: &String| {
            channels.iter().position(|channel| channel == wanted).ok_or_else(|| InspectError::Model {
                path: path.to_owned(),
                reason: model::ModelError::Channel {
                    wanted: channels.join(", "),
                    channels: document.channels.clone(),
                },
            })
        };
        let places = document.channels.iter().map(place_of).collect::<Result<Vec<usize>, _>>()?;
        match document.model {
            Model::CorrelatedGroup(_) if config.training_file.is_some() => Err(mismatch(
                "a group is judged as it was trained, and the configuration has a training_file".to_owned(),
            )),
            Model::CorrelatedGroup(group) => {
                Ok(Self { group: Some(Group::trained(group, places, document.number)), ..alone })
            }
            Model::Forecaster(forecaster) => {
                let inputs = config.input.input_names();
                if document.inputs != inputs {
                    return Err(mismatch(format!(
                        "it looks at {}, and the configuration has {}",
                        named(&document.inputs),
                        named(&inputs)
                    )));
                }
                let mut suites = suites(config, &rule(config));
                let forecasting = rule(config).with_trained_forecast().ok_or_else(|| {
                    mismatch(
                        "no detector of the suite judges forecasts (autoregression, forecast)".to_owned(),
                    )
                })?;
                if let Some(judge) = places.first().and_then(|place| suites.get_mut(*place)) {
                    judge.suite = Suite::new(forecasting);
                    judge.suite.set_model(Some(ModelVersion(document.number)));
                    judge.forecaster = Some(forecaster);
                }
                Ok(Self { suites, ..alone })
            }
            Model::Segments(_) => Err(mismatch("it judges segments".to_owned())),
        }
    }

    /// Goes through a table twice: what is usual, then how far from it the usual is.
    pub(super) fn teach(&mut self, config: &DetectConfig, path: &Path) -> Result<(), InspectError> {
        for _ in 0..2 {
            self.judge(config, path, open(path)?, &mut io::sink())?;
            for judge in &mut self.suites {
                judge.suite.end_phase();
                judge.suite.on_interrupted();
            }
        }
        Ok(())
    }

    pub(super) fn judge(
        &mut self,
        config: &DetectConfig,
        path: &Path,
        input: impl Read,
        output: &mut dyn Write,
    ) -> Result<(), InspectError> {
        let mut rows = csv::Reader::from_reader(input);
        let head = rows.headers().map_err(|error| unreadable(path, error))?;
        let columns = Columns::find(&config.input, head, path)?;
        let mut table = Table::begin(output)?;
        let mut record = csv::StringRecord::new();
        let mut number = 0;
        while rows.read_record(&mut record).map_err(|error| unreadable(path, error))? {
            let row = columns.read(&record, number);
            let judged = self
                .on_row(number, &row)
                .map_err(|reason| InspectError::Training { path: path.to_owned(), reason })?;
            table.write(&judged)?;
            number += 1;
        }
        table.finish()
    }

    fn on_row(&mut self, number: u64, row: &Row<'_>) -> Result<OutputRow, model::TrainingError> {
        let mut judged = OutputRow::new(number, row.time_text);
        for (judge, value) in self.suites.iter_mut().zip(&row.values) {
            let observation = Observation {
                time: row.time,
                value: *value,
                inputs: &row.inputs,
                mode: row.mode,
                is_flagged: false,
            };
            let Outcome { score, is_anomalous, raised } = match &judge.forecaster {
                Some(forecaster) => judge.suite.on_sample_with(forecaster, &observation),
                None => judge.suite.on_sample(&observation),
            };
            let raised = raised.map(|detection| Raised::of_suite(&judge.channel, &detection));
            judged.add(score, is_anomalous, raised);
        }
        if let Some(group) = &mut self.group {
            group.on_row(&row.values, &mut judged)?;
        }
        Ok(judged)
    }
}

fn rule(config: &DetectConfig) -> SuiteRule {
    // What learns from a file of its own does not learn from the recording first.
    let training = match config.training_file {
        Some(_) => Training::BY_HAND,
        None => config.suite.training,
    };
    SuiteRule { training, ..config.suite.clone() }
}

fn suites(config: &DetectConfig, rule: &SuiteRule) -> Vec<Judge> {
    let judge = |channel: &String| Judge {
        channel: channel.clone(),
        suite: Suite::new(rule.clone()),
        forecaster: None,
    };
    config.input.channels().iter().map(judge).collect()
}

fn named(inputs: &[String]) -> String {
    match inputs {
        [] => "no inputs".to_owned(),
        [only] => only.clone(),
        [first, .., last] => format!("{} inputs, {first} to {last}", inputs.len()),
    }
}
