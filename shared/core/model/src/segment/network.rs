//! A small network: two hidden layers of rectifiers and one logistic output.

use serde::{Deserialize, Serialize};

use crate::bounded::bounded;
use crate::descent::Descent;
use crate::matrix::dot;
use crate::random::Random;

/// Units of the hidden layers.
const HIDDEN: [usize; 2] = [64, 32];
/// The most inputs: 18 features in two forms, and the channels.
const INPUTS_MAX: usize = 128;
const PARAMETERS_MAX: usize = parameters(INPUTS_MAX);
/// No training comes near it, and below it nothing overflows.
const PARAMETER_MAX: f64 = 1e6;
/// Rows in one step of the descent.
const BATCH: usize = 64;
/// Times that all rows are seen.
const EPOCHS: usize = 100;
const RATE: f64 = 2e-3;
/// Decay of weights.
const DECAY: f64 = 1e-1;

/// Three matrices in a row, each with a column more than it has inputs: what is added.
const fn parameters(inputs: usize) -> usize {
    HIDDEN[0] * (inputs + 1) + HIDDEN[1] * (HIDDEN[0] + 1) + HIDDEN[1] + 1
}

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub(super) struct Network {
    #[serde(deserialize_with = "bounded::<_, _, PARAMETERS_MAX>")]
    parameters: Vec<f64>,
}

/// What a pass forward leaves for the pass back.
#[derive(Default)]
struct Pass {
    first: Vec<f64>,
    second: Vec<f64>,
    output: [f64; 1],
}

impl Network {
    pub(super) fn fit(rows: &[Vec<f64>], anomalous: &[bool], seed: u64) -> Self {
        let mut random = Random::new(seed);
        let mut network = Self::random(rows.first().map_or(0, Vec::len), &mut random);
        let mut descent = Descent::new(network.parameters.len(), DECAY);
        let mut gradient = vec![0.0; network.parameters.len()];
        let mut order: Vec<usize> = (0..rows.len()).collect();
        let mut pass = Pass::default();
        for epoch in 0..EPOCHS {
            random.shuffle(&mut order);
            // Falls to nothing along half a cosine, so that the last steps settle.
            let rate = RATE * 0.5 * (1.0 + (std::f64::consts::PI * epoch as f64 / EPOCHS as f64).cos());
            for batch in order.chunks(BATCH) {
                gradient.fill(0.0);
                for row in batch {
                    let target = f64::from(u8::from(anomalous[*row]));
                    network.learn(&rows[*row], target, 1.0 / batch.len() as f64, &mut pass, &mut gradient);
                }
                descent.step(&mut network.parameters, &gradient, rate);
            }
        }
        network
    }

    pub(super) fn probability(&self, row: &[f64]) -> f64 {
        let mut pass = Pass::default();
        self.forward(row, &mut pass);
        logistic(pass.output[0])
    }

    pub(super) fn is_sound(&self, inputs: usize) -> bool {
        inputs <= INPUTS_MAX
            && self.parameters.len() == parameters(inputs)
            && self.parameters.iter().all(|parameter| parameter.abs() < PARAMETER_MAX)
    }

    fn random(inputs: usize, random: &mut Random) -> Self {
        let mut weights = Vec::with_capacity(parameters(inputs));
        for (from, to) in [(inputs, HIDDEN[0]), (HIDDEN[0], HIDDEN[1]), (HIDDEN[1], 1)] {
            let bound = (6.0 / from.max(1) as f64).sqrt();
            for _ in 0..to {
                weights.extend((0..from).map(|_| random.within(bound)));
                weights.push(0.0);
            }
        }
        Self { parameters: weights }
    }

    fn forward(&self, row: &[f64], pass: &mut Pass) {
        let (first, rest) = self.parameters.split_at(HIDDEN[0] * (row.len() + 1));
        let (second, last) = rest.split_at(HIDDEN[1] * (HIDDEN[0] + 1));
        pass.first.clear();
        pass.first.extend(layer(first, row).map(|sum| sum.max(0.0)));
        pass.second.clear();
        pass.second.extend(layer(second, &pass.first).map(|sum| sum.max(0.0)));
        pass.output = [layer(last, &pass.second).sum()];
    }

    /// Adds the slope of `weight` times the cross entropy of one row to `gradient`.
    fn learn(&self, row: &[f64], target: f64, weight: f64, pass: &mut Pass, gradient: &mut [f64]) {
        self.forward(row, pass);
        let at_output = [(logistic(pass.output[0]) - target) * weight];
        let (first, rest) = gradient.split_at_mut(HIDDEN[0] * (row.len() + 1));
        let (second, last) = rest.split_at_mut(HIDDEN[1] * (HIDDEN[0] + 1));
        let weights = &self.parameters[first.len()..];
        let (second_weights, last_weights) = weights.split_at(second.len());
        add_slopes(last, &at_output, &pass.second);
        let at_second = slopes_before(last_weights, &at_output, &pass.second);
        add_slopes(second, &at_second, &pass.first);
        let at_first = slopes_before(second_weights, &at_second, &pass.first);
        add_slopes(first, &at_first, row);
    }
}

fn logistic(sum: f64) -> f64 {
    1.0 / (1.0 + (-sum).exp())
}

fn layer<'a>(weights: &'a [f64], inputs: &'a [f64]) -> impl Iterator<Item = f64> + 'a {
    weights.chunks_exact(inputs.len() + 1).map(|unit| {
        let (weights, bias) = unit.split_at(inputs.len());
        bias[0] + dot(weights, inputs)
    })
}

/// Of a layer's weights, given the slopes at its sums.
fn add_slopes(gradient: &mut [f64], at_sums: &[f64], inputs: &[f64]) {
    for (unit, slope) in gradient.chunks_exact_mut(inputs.len() + 1).zip(at_sums) {
        if *slope == 0.0 {
            continue;
        }
        for (weight, input) in unit.iter_mut().zip(inputs) {
            *weight += slope * input;
        }
        unit[inputs.len()] += slope;
    }
}

/// Of the sums of the layer before: through the weights, and only where its rectifiers let something pass.
fn slopes_before(weights: &[f64], at_sums: &[f64], rectified: &[f64]) -> Vec<f64> {
    let mut before = vec![0.0; rectified.len()];
    for (unit, slope) in weights.chunks_exact(rectified.len() + 1).zip(at_sums) {
        for (sum, weight) in before.iter_mut().zip(unit) {
            *sum += slope * weight;
        }
    }
    before
        .iter_mut()
        .zip(rectified)
        .filter(|(_, passed)| **passed <= 0.0)
        .for_each(|(slope, _)| *slope = 0.0);
    before
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Exclusive or: nothing that a single layer could learn.
    fn crossed() -> (Vec<Vec<f64>>, Vec<bool>) {
        let mut random = Random::new(8);
        let rows: Vec<Vec<f64>> = (0..300).map(|_| vec![random.within(1.0), random.within(1.0)]).collect();
        let anomalous = rows.iter().map(|row| (row[0] > 0.0) != (row[1] > 0.0)).collect();
        (rows, anomalous)
    }

    #[test]
    fn the_slopes_are_those_of_finite_differences() {
        let mut random = Random::new(4);
        let network = Network::random(5, &mut random);
        let row: Vec<f64> = (0..5).map(|_| random.within(2.0)).collect();
        let loss = |parameters: &[f64]| {
            let probability = Network { parameters: parameters.to_vec() }.probability(&row);
            -probability.ln()
        };
        let mut gradient = vec![0.0; network.parameters.len()];
        network.learn(&row, 1.0, 1.0, &mut Pass::default(), &mut gradient);
        for place in 0..gradient.len() {
            let (mut above, mut below) = (network.parameters.clone(), network.parameters.clone());
            above[place] += 1e-6;
            below[place] -= 1e-6;
            let slope = (loss(&above) - loss(&below)) / 2e-6;
            assert!((slope - gradient[place]).abs() < 1e-6, "{place}: {slope}, not {}", gradient[place]);
        }
        assert!(gradient.iter().filter(|slope| **slope != 0.0).count() > gradient.len() / 8);
    }

    #[test]
    fn exclusive_or_is_learnt() {
        let (rows, anomalous) = crossed();
        let network = Network::fit(&rows, &anomalous, 1);
        let right = |(row, anomalous): (&Vec<f64>, &bool)| (network.probability(row) > 0.5) == *anomalous;
        assert!(rows.iter().zip(&anomalous).filter(|row| right(*row)).count() > 290);
    }

    #[test]
    fn the_same_seed_gives_the_same_network_and_another_another() {
        let (rows, anomalous) = crossed();
        let fit = |seed| Network::fit(&rows[..64], &anomalous[..64], seed);
        assert_eq!(fit(1), fit(1));
        assert_ne!(fit(1), fit(2));
    }
}
