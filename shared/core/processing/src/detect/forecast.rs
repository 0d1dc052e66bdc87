//! What linear forecasts are made of: the values before, newest first, and the inputs of the moment.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::{INPUTS_MAX, Step};

/// The values before a sample, as differences from the first value ever seen: large offsets would cost precision.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Lags {
    order: u32,
    inputs: u32,
    offset: Option<f64>,
    /// Newest first.
    values: VecDeque<f64>,
}

impl Lags {
    pub(super) fn new(order: u32, inputs: u32) -> Self {
        let inputs = inputs.min(INPUTS_MAX as u32);
        Self { order: order.clamp(1, 64), inputs, offset: None, values: VecDeque::new() }
    }

    /// Numbers in a row of features.
    pub(super) fn width(&self) -> usize {
        (self.order + self.inputs) as usize
    }

    pub(super) fn push(&mut self, value: f64) {
        let offset = *self.offset.get_or_insert(value);
        self.values.truncate(self.order as usize - 1);
        self.values.push_front(value - offset);
    }

    pub(super) fn clear(&mut self) {
        self.values.clear();
    }

    /// A value as features have it.
    pub(super) fn shifted(&self, value: f64) -> f64 {
        value - self.offset.unwrap_or(0.0)
    }

    /// The value that features say.
    pub(super) fn unshifted(&self, shifted: f64) -> f64 {
        (shifted + self.offset.unwrap_or(0.0)).clamp(-super::VALUE_MAX, super::VALUE_MAX)
    }

    /// The features of a sample: values before it, then inputs; `None` before there are enough.
    pub(super) fn features<'a>(&'a self, step: &Step<'a>) -> Option<impl Iterator<Item = f64> + 'a> {
        let inputs = step.inputs.iter().copied().map(finite).chain(std::iter::repeat(0.0));
        (self.values.len() >= self.order as usize)
            .then(|| self.values.iter().copied().chain(inputs.take(self.inputs as usize)))
    }
}

/// Inputs are switches and set points; what is no number is off.
fn finite(input: f64) -> f64 {
    if input.is_finite() { input.clamp(-1e6, 1e6) } else { 0.0 }
}
