//! The cell of an LSTM: a step forward, and the way back through many.

use serde::{Deserialize, Serialize};

use super::UNITS;
use crate::bounded::bounded;
use crate::matrix::dot;

const UNITS_MAX: usize = *UNITS.end();

/// What goes from one step to the next.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub(super) struct Memory {
    #[serde(deserialize_with = "bounded::<_, _, UNITS_MAX>")]
    pub(super) hidden: Vec<f64>,
    #[serde(deserialize_with = "bounded::<_, _, UNITS_MAX>")]
    pub(super) cell: Vec<f64>,
}

impl Memory {
    pub(super) fn new(units: usize) -> Self {
        Self { hidden: vec![0.0; units], cell: vec![0.0; units] }
    }

    /// Begins anew when it is of another model, or holds what no step leaves behind.
    pub(super) fn fit_to(&mut self, units: usize) {
        let finite =
            |numbers: &[f64]| numbers.len() == units && numbers.iter().all(|number| number.is_finite());
        if !finite(&self.hidden) || !finite(&self.cell) {
            *self = Self::new(units);
        }
    }
}

/// What a step leaves for the way back.
pub(super) struct Step {
    /// Inputs, then the hidden units before the step.
    seen: Vec<f64>,
    /// Gates of each unit: in, forget, candidate, out.
    gates: Vec<[f64; 4]>,
    cell_before: Vec<f64>,
    /// tanh of the cells after it.
    bent: Vec<f64>,
}

/// One step forward. The gates' weights lie at the front of `parameters`: four rows a unit.
pub(super) fn advance(parameters: &[f64], input: &[f64], memory: &mut Memory) -> Step {
    let units = memory.hidden.len();
    let seen: Vec<f64> = input.iter().chain(&memory.hidden).copied().collect();
    let width = seen.len() + 1;
    let mut step = Step {
        gates: Vec::with_capacity(units),
        cell_before: memory.cell.clone(),
        bent: Vec::with_capacity(units),
        seen,
    };
    for (unit, rows) in parameters[..4 * units * width].chunks_exact(4 * width).enumerate() {
        let sum = |gate: usize| {
            let row = &rows[gate * width..(gate + 1) * width];
            dot(&row[..width - 1], &step.seen) + row[width - 1]
        };
        let gates = [logistic(sum(0)), logistic(sum(1)), sum(2).tanh(), logistic(sum(3))];
        memory.cell[unit] = gates[1] * memory.cell[unit] + gates[0] * gates[2];
        let bent = memory.cell[unit].tanh();
        memory.hidden[unit] = gates[3] * bent;
        step.gates.push(gates);
        step.bent.push(bent);
    }
    step
}

/// One step back: adds the slopes of the weights to `gradient`, and turns `at` from the slopes at the memory after the
/// step into those at the memory before it.
pub(super) fn retreat(parameters: &[f64], step: &Step, at: &mut Memory, gradient: &mut [f64]) {
    let units = at.hidden.len();
    let width = step.seen.len() + 1;
    let inputs = step.seen.len() - units;
    let mut hidden_before = vec![0.0; units];
    for unit in 0..units {
        let ([enter, forget, candidate, out], bent) = (step.gates[unit], step.bent[unit]);
        let at_cell = at.cell[unit] + at.hidden[unit] * out * (1.0 - bent * bent);
        let at_sums = [
            at_cell * candidate * enter * (1.0 - enter),
            at_cell * step.cell_before[unit] * forget * (1.0 - forget),
            at_cell * enter * (1.0 - candidate * candidate),
            at.hidden[unit] * bent * out * (1.0 - out),
        ];
        at.cell[unit] = at_cell * forget;
        for (gate, slope) in at_sums.into_iter().enumerate() {
            let row = (4 * unit + gate) * width;
            for (weight, seen) in gradient[row..row + width - 1].iter_mut().zip(&step.seen) {
                *weight += slope * seen;
            }
            gradient[row + width - 1] += slope;
            let weights = &parameters[row + inputs..row + width - 1];
            hidden_before.iter_mut().zip(weights).for_each(|(before, weight)| *before += slope * weight);
        }
    }
    at.hidden = hidden_before;
}

fn logistic(sum: f64) -> f64 {
    1.0 / (1.0 + (-sum).exp())
}
