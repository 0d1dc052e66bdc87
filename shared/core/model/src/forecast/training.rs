//! Learns a forecaster from a stretch of nominal values, and measures it on the end of the stretch.

use super::cell::{Memory, Step, advance, retreat};
use super::{COMMANDS_MAX, Forecaster, Scale, UNITS, parameters};
use crate::descent::{Descent, clip};
use crate::document::{Trained, TrainingError};
use crate::random::Random;

/// The most samples one training takes.
pub const FORECAST_SAMPLES_MAX: usize = 1_000_000;
const SAMPLES_MIN: usize = 100;
/// Stretches that are learnt from side by side, each with a memory of its own.
const LANES: usize = 8;
/// Steps that a slope goes back.
const STEPS: usize = 48;
const RATE: f64 = 5e-3;
/// The longest gradient that is followed as it is.
const GRADIENT_MAX: f64 = 1.0;
/// One sample in five, the last ones, is kept to measure by.
const KEPT_APART: usize = 5;

/// What a training may choose.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ForecastOptions {
    /// One of [`UNITS`].
    pub units: usize,
    /// How often all samples are seen.
    pub epochs: usize,
    /// What chance follows from.
    pub seed: u64,
}

impl Default for ForecastOptions {
    /// 32 units, 30 epochs, seed 1.
    fn default() -> Self {
        Self { units: 32, epochs: 30, seed: 1 }
    }
}

/// What a training showed, on the last fifth of the samples, which it did not learn from.
#[derive(Clone, Debug, PartialEq)]
pub struct ForecastReport {
    /// Samples that were learnt from.
    pub learnt_from: usize,
    /// Samples that were kept apart.
    pub kept_apart: usize,
    /// The epoch whose parameters were kept, counted from 1: the best on what was kept apart.
    pub best_epoch: usize,
    /// Root mean square error of its forecasts, in the channel's unit.
    pub error: f64,
    /// The same for forecasting that nothing changes.
    pub error_of_no_change: f64,
}

/// Values in deviations, each with its commands behind it.
pub(super) struct Inputs {
    pub(super) width: usize,
    pub(super) numbers: Vec<f64>,
}

impl Inputs {
    fn at(&self, place: usize) -> &[f64] {
        &self.numbers[place * self.width..(place + 1) * self.width]
    }

    fn len(&self) -> usize {
        self.numbers.len() / self.width
    }
}

impl Forecaster {
    /// Learns from `values` in their order; `commands` has `inputs` numbers for each value, one behind the other.
    ///
    /// The same values, commands and options give the same model. It takes as much memory again as values and commands
    /// do, and less than 1 MB beside.
    ///
    /// # Errors
    /// [`TrainingError`] when there are fewer than 100 values, something is not finite, nothing changes, or the lists
    /// or units are not as wanted.
    pub fn fit(
        values: &[f64],
        commands: &[f64],
        inputs: usize,
        options: &ForecastOptions,
    ) -> Result<Trained<Self, ForecastReport>, TrainingError> {
        check(values, commands, inputs, options)?;
        let learnt_from = values.len() - values.len() / KEPT_APART;
        let column = |place| commands.iter().skip(place).step_by(inputs.max(1)).copied();
        let mut random = Random::new(options.seed);
        let mut model = Self {
            units: options.units as u16,
            target: Scale::of(values[..learnt_from].iter().copied()),
            commands: (0..inputs).map(|place| Scale::of_command(column(place).take(learnt_from))).collect(),
            parameters: first_parameters(inputs + 1, options.units, &mut random),
        };
        let numbers = values.iter().enumerate();
        let seen = Inputs {
            width: inputs + 1,
            numbers: numbers
                .flat_map(|(place, value)| {
                    model.input(*value, &commands[place * inputs..(place + 1) * inputs])
                })
                .collect(),
        };
        let mut best = (f64::INFINITY, 0, model.parameters.clone());
        let mut descent = Descent::new(model.parameters.len(), 0.0);
        for epoch in 0..options.epochs.max(1) {
            let rate =
                RATE * 0.5 * (1.0 + (std::f64::consts::PI * epoch as f64 / options.epochs as f64).cos());
            model.learn_once(&seen, learnt_from, rate, &mut descent);
            let error = model.error(&seen, learnt_from);
            if error < best.0 {
                best = (error, epoch + 1, model.parameters.clone());
            }
        }
        model.parameters = best.2;
        let report = ForecastReport {
            learnt_from,
            kept_apart: values.len() - learnt_from,
            best_epoch: best.1,
            error: best.0 * model.target.deviation,
            error_of_no_change: no_change(&seen, learnt_from) * model.target.deviation,
        };
        Ok(Trained { model, report })
    }

    /// Goes through the first `end` samples once, in lanes side by side.
    fn learn_once(&mut self, seen: &Inputs, end: usize, rate: f64, descent: &mut Descent) {
        let lanes = LANES.min(end / (2 * STEPS)).max(1);
        let length = (end - 1) / lanes;
        let mut memories = vec![Memory::new(self.units()); lanes];
        let mut gradient = vec![0.0; self.parameters.len()];
        for start in (0..length).step_by(STEPS) {
            gradient.fill(0.0);
            let steps = STEPS.min(length - start);
            for (lane, memory) in memories.iter_mut().enumerate() {
                let first = lane * length + start;
                self.slopes(seen, first, steps, memory, &mut gradient);
            }
            let samples = (steps * lanes) as f64;
            gradient.iter_mut().for_each(|slope| *slope /= samples);
            clip(&mut gradient, GRADIENT_MAX);
            descent.step(&mut self.parameters, &gradient, rate);
        }
    }

    /// Adds the slopes of half the squared errors over `steps` forecasts to `gradient`; `memory` goes on to their end.
    /// The error itself comes back.
    pub(super) fn slopes(
        &self,
        seen: &Inputs,
        first: usize,
        steps: usize,
        memory: &mut Memory,
        gradient: &mut [f64],
    ) -> f64 {
        let units = self.units();
        let output = self.parameters.len() - units - 1;
        let (mut kept, mut error): (Vec<(Step, Vec<f64>, f64)>, f64) = (Vec::with_capacity(steps), 0.0);
        for place in first..first + steps {
            let step = advance(&self.parameters, seen.at(place), memory);
            let off = seen.at(place)[0] + self.change(&memory.hidden) - seen.at(place + 1)[0];
            error += 0.5 * off * off;
            kept.push((step, memory.hidden.clone(), off));
        }
        let mut at = Memory::new(units);
        for (step, hidden, off) in kept.iter().rev() {
            for unit in 0..units {
                gradient[output + unit] += off * hidden[unit];
                at.hidden[unit] += off * self.parameters[output + unit];
            }
            gradient[output + units] += off;
            retreat(&self.parameters, step, &mut at, gradient);
        }
        error
    }

    /// Root mean square error, in deviations, from `first` on; what lies before fills the memory.
    fn error(&self, seen: &Inputs, first: usize) -> f64 {
        let (mut memory, mut squares) = (Memory::new(self.units()), 0.0);
        for place in 0..seen.len() - 1 {
            advance(&self.parameters, seen.at(place), &mut memory);
            if place + 1 >= first {
                squares += (seen.at(place)[0] + self.change(&memory.hidden) - seen.at(place + 1)[0]).powi(2);
            }
        }
        (squares / (seen.len() - first) as f64).sqrt()
    }
}

fn no_change(seen: &Inputs, first: usize) -> f64 {
    let squares = (first..seen.len()).map(|place| (seen.at(place)[0] - seen.at(place - 1)[0]).powi(2));
    (squares.sum::<f64>() / (seen.len() - first) as f64).sqrt()
}

/// Small and random; each cell remembers at first, and the forecast is that nothing changes.
fn first_parameters(inputs: usize, units: usize, random: &mut Random) -> Vec<f64> {
    let width = inputs + units + 1;
    let bound = 1.0 / (units as f64).sqrt();
    let mut numbers = vec![0.0; parameters(inputs, units)];
    for (number, weight) in numbers[..4 * units * width].iter_mut().enumerate() {
        let added = number % width == width - 1;
        let forgets = number / width % 4 == 1;
        *weight = if added { f64::from(u8::from(forgets)) } else { random.within(bound) };
    }
    numbers
}

fn check(
    values: &[f64],
    commands: &[f64],
    inputs: usize,
    options: &ForecastOptions,
) -> Result<(), TrainingError> {
    let amount = |given, least, most| Err(TrainingError::Amount { given, least, most });
    if !(SAMPLES_MIN..=FORECAST_SAMPLES_MAX).contains(&values.len()) {
        return amount(values.len(), SAMPLES_MIN, FORECAST_SAMPLES_MAX);
    }
    if !UNITS.contains(&options.units) {
        return amount(options.units, *UNITS.start(), *UNITS.end());
    }
    if inputs > COMMANDS_MAX {
        return amount(inputs, 0, COMMANDS_MAX);
    }
    if commands.len() != values.len() * inputs {
        return Err(TrainingError::Shape { given: commands.len(), wanted: values.len() * inputs });
    }
    if let Some(index) = values.iter().position(|value| !value.is_finite()) {
        return Err(TrainingError::NotFinite { index });
    }
    if let Some(place) = commands.iter().position(|command| !command.is_finite()) {
        return Err(TrainingError::NotFinite { index: place / inputs });
    }
    let learnt_from = values.len() - values.len() / KEPT_APART;
    match values[..learnt_from].iter().any(|value| *value != values[0]) {
        true => Ok(()),
        false => Err(TrainingError::Constant),
    }
}
