//! Trained forecasters of a mission's parameters, and the numbers that they look at.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use mission_database::{MissionDatabase, ParameterIndex};
use model::{Forecaster, Model, ModelDocument};

use crate::detect::ModelVersion;

/// A trained forecaster of one of the mission's parameters.
#[derive(Debug)]
pub(super) struct TrainedForecast {
    pub(super) version: ModelVersion,
    pub(super) forecaster: Forecaster,
    /// What it looks at, in its order.
    inputs: Vec<ParameterIndex>,
}

/// A trained forecaster that is not used. The detectors of its parameter run as without it.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error(
    "STO-MODEL-UNUSED: forecaster {number} for {channel} is not used: {problem}; the parameter's other detectors run on"
)]
pub struct UnusedModel {
    /// Its number.
    pub number: u32,
    /// What it forecasts.
    pub channel: String,
    /// Why it is not used.
    pub problem: ModelProblem,
}

/// Why a trained forecaster is not used.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ModelProblem {
    /// The mission has no such parameter.
    #[error("the mission has no parameter of this name")]
    Channel,
    /// It looks at what the mission does not have.
    #[error("it looks at {input}, which the mission does not have")]
    Input {
        /// The first of those.
        input: String,
    },
    /// Nothing in the parameter's suite judges forecasts.
    #[error("the parameter's detection rule has neither `autoregression` nor `forecast`")]
    NoForecast,
    /// No detectors run on the parameter.
    #[error("no detection rule names the parameter, or it is no number")]
    NotWatched,
}

/// The trained forecasters of a mission that know all they look at, by parameter.
#[derive(Debug, Default)]
pub(super) struct Forecasts {
    trained: BTreeMap<String, Arc<TrainedForecast>>,
    /// What they look at, as it was seen last.
    numbers: HashMap<ParameterIndex, Option<f64>>,
}

impl Forecasts {
    /// Takes other models, and says which of the forecasters among them cannot be used. What was seen of their inputs is
    /// kept.
    pub(super) fn replace(
        &mut self,
        models: &[ModelDocument],
        database: &MissionDatabase,
    ) -> Vec<UnusedModel> {
        self.trained.clear();
        let mut unused = Vec::new();
        for document in models {
            let (Model::Forecaster(forecaster), [channel]) = (&document.model, &document.channels[..]) else {
                continue;
            };
            match inputs(document, channel, database) {
                Ok(inputs) => {
                    let version = ModelVersion(document.number);
                    let trained = TrainedForecast { version, forecaster: forecaster.clone(), inputs };
                    self.trained.insert(channel.clone(), Arc::new(trained));
                }
                Err(problem) => {
                    unused.push(UnusedModel { number: document.number, channel: channel.clone(), problem });
                }
            }
        }
        let seen = std::mem::take(&mut self.numbers);
        let looked_at = self.trained.values().flat_map(|trained| &trained.inputs);
        self.numbers = looked_at.map(|input| (*input, seen.get(input).copied().flatten())).collect();
        unused
    }

    /// The forecaster of a parameter.
    pub(super) fn of(&self, parameter: &str) -> Option<Arc<TrainedForecast>> {
        self.trained.get(parameter).map(Arc::clone)
    }

    /// All, by parameter.
    pub(super) fn all(&self) -> impl Iterator<Item = (&str, ModelVersion)> {
        self.trained.iter().map(|(channel, trained)| (channel.as_str(), trained.version))
    }

    /// A parameter came, which may be one that a forecaster looks at.
    pub(super) fn on_number(&mut self, parameter: ParameterIndex, number: f64) {
        if let Some(seen) = self.numbers.get_mut(&parameter) {
            *seen = Some(number);
        }
    }

    /// What a forecaster looks at now. NaN for what was never seen: it forecasts nothing until then.
    pub(super) fn inputs_of(&self, trained: &TrainedForecast) -> Vec<f64> {
        let newest = |input| self.numbers.get(input).copied().flatten().unwrap_or(f64::NAN);
        trained.inputs.iter().map(newest).collect()
    }

    /// Numbers that were seen.
    pub(super) fn seen(&self) -> impl Iterator<Item = (ParameterIndex, f64)> {
        self.numbers.iter().filter_map(|(input, number)| Some((*input, (*number)?)))
    }
}

fn inputs(
    document: &ModelDocument,
    channel: &str,
    database: &MissionDatabase,
) -> Result<Vec<ParameterIndex>, ModelProblem> {
    database.find(channel).ok_or(ModelProblem::Channel)?;
    let find =
        |input: &String| database.find(input).ok_or_else(|| ModelProblem::Input { input: input.clone() });
    document.inputs.iter().map(find).collect()
}
