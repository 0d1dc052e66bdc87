//! Forecasts the next value of a channel from its values so far and from commands: a small LSTM.
//!
//! It stands where the ridge model stands: what a residual stage compares with the value that comes next.

mod cell;
mod training;

use serde::{Deserialize, Serialize};

use crate::bounded::bounded;
use crate::matrix::dot;
use cell::Memory;
pub use training::{FORECAST_SAMPLES_MAX, ForecastOptions, ForecastReport};

/// Units of the hidden layer that are allowed.
pub const UNITS: std::ops::RangeInclusive<usize> = 16..=64;
/// The most command inputs.
pub const COMMANDS_MAX: usize = 64;
/// No value counts as further from the mean than this many deviations.
const DEVIATIONS_MAX: f64 = 20.0;
/// No command does by more: a rare one lies 30 deviations off, and would drown the values when it comes.
const COMMAND_DEVIATIONS_MAX: f64 = 4.0;
/// The deviation of a command that never changed: nothing was learnt of it, so it is not to be felt.
const NEVER_CHANGED: f64 = 1e100;
/// Beyond it forecasts might overflow.
const LARGEST: f64 = 1e200;
const PARAMETERS_MAX: usize = parameters(COMMANDS_MAX + 1, 64);

/// Gates with a column for each input, each unit and what is added; then the output.
const fn parameters(inputs: usize, units: usize) -> usize {
    4 * units * (inputs + units + 1) + units + 1
}

/// Where the middle of a series lies, and how far it spreads.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
struct Scale {
    mean: f64,
    deviation: f64,
}

impl Scale {
    /// Of any finite series; a constant one keeps its unit.
    fn of(values: impl Iterator<Item = f64> + Clone) -> Self {
        let count = values.clone().count().max(1) as f64;
        let mean = values.clone().map(|value| value / count).sum::<f64>();
        let deviation = values.map(|value| (value - mean).powi(2) / count).sum::<f64>().sqrt();
        let changes =
            deviation.is_finite() && deviation > 1e-12 * mean.abs() && deviation > f64::MIN_POSITIVE;
        Self { mean, deviation: if changes { deviation } else { 1.0 } }
    }

    fn of_command(values: impl Iterator<Item = f64> + Clone) -> Self {
        let first = values.clone().next();
        let changes = values.clone().any(|value| Some(value) != first);
        let scale = Self::of(values);
        Self { deviation: if changes { scale.deviation } else { NEVER_CHANGED }, ..scale }
    }

    fn apart(&self, value: f64) -> f64 {
        ((value - self.mean) / self.deviation).clamp(-DEVIATIONS_MAX, DEVIATIONS_MAX)
    }

    fn is_sound(&self) -> bool {
        self.mean.abs() < LARGEST && self.deviation > 0.0 && self.deviation < LARGEST
    }
}

/// A trained forecaster of one channel.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Forecaster {
    units: u16,
    /// Of the channel.
    target: Scale,
    /// Of each command input.
    #[serde(deserialize_with = "bounded::<_, _, COMMANDS_MAX>")]
    commands: Vec<Scale>,
    #[serde(deserialize_with = "bounded::<_, _, PARAMETERS_MAX>")]
    parameters: Vec<f64>,
}

/// What a forecaster remembers of the values so far: two numbers a unit.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct ForecastState {
    memory: Memory,
}

impl Forecaster {
    /// How many command inputs it looks at.
    pub fn inputs(&self) -> usize {
        self.commands.len()
    }

    /// How many units it has.
    pub fn units(&self) -> usize {
        usize::from(self.units)
    }

    /// Takes the value that came and the commands in force, and forecasts the value that comes next, in the channel's
    /// unit. Begin with `ForecastState::default()`; a state of another model counts as none.
    ///
    /// A value or a command that is not finite, or commands of another number, are passed over: no forecast, and the
    /// memory stays as it is.
    pub fn next_forecast(&self, state: &mut ForecastState, value: f64, commands: &[f64]) -> Option<f64> {
        let finite = value.is_finite() && commands.iter().all(|command| command.is_finite());
        if !finite || commands.len() != self.inputs() {
            return None;
        }
        state.memory.fit_to(self.units());
        let input = self.input(value, commands);
        cell::advance(&self.parameters, &input, &mut state.memory);
        let change = self.change(&state.memory.hidden);
        Some(self.target.mean + (input[0] + change) * self.target.deviation)
    }

    pub(crate) fn is_sound(&self) -> bool {
        UNITS.contains(&self.units())
            && self.target.is_sound()
            && self.commands.iter().all(Scale::is_sound)
            && self.parameters.len() == parameters(self.inputs() + 1, self.units())
            && self.parameters.iter().all(|parameter| parameter.is_finite() && parameter.abs() < 1e6)
    }

    fn input(&self, value: f64, commands: &[f64]) -> Vec<f64> {
        let bounded = |deviations: f64| deviations.clamp(-COMMAND_DEVIATIONS_MAX, COMMAND_DEVIATIONS_MAX);
        let commands =
            self.commands.iter().zip(commands).map(|(scale, command)| bounded(scale.apart(*command)));
        std::iter::once(self.target.apart(value)).chain(commands).collect()
    }

    /// From the value that came to the one that comes, in deviations.
    fn change(&self, hidden: &[f64]) -> f64 {
        let output = &self.parameters[self.parameters.len() - hidden.len() - 1..];
        dot(&output[..hidden.len()], hidden) + output[hidden.len()]
    }
}

#[cfg(test)]
mod tests;
