//! The last so many numbers, with their mean and standard deviation kept up to date.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

/// A window of the newest numbers. They are kept in single precision, which halves what a parameter needs; sums are
/// of what is kept, so they never disagree with it.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Window {
    capacity: u32,
    values: VecDeque<f32>,
    sum: f64,
    squares: f64,
    /// Numbers taken since the sums were last added up anew.
    since_exact: u32,
}

impl Window {
    /// Room for at least one number.
    pub(super) fn new(capacity: u32) -> Self {
        let capacity = capacity.max(1);
        Self { capacity, values: VecDeque::new(), sum: 0.0, squares: 0.0, since_exact: 0 }
    }

    /// Takes a number, and gives back the one that leaves.
    pub(super) fn push(&mut self, value: f64) -> Option<f64> {
        let kept = value.clamp(-super::VALUE_MAX, super::VALUE_MAX) as f32;
        let gone = (self.values.len() >= self.capacity as usize).then(|| self.values.pop_front()).flatten();
        self.values.push_back(kept);
        let square = |value: f32| f64::from(value).powi(2);
        self.sum += f64::from(kept) - gone.map_or(0.0, f64::from);
        self.squares += square(kept) - gone.map_or(0.0, square);
        self.since_exact += 1;
        // What is left after a number a thousand times larger has gone is mostly its rounding error.
        let is_blurred = gone.is_some_and(|gone| square(gone) > 1e6 * self.squares.max(0.0));
        if is_blurred || self.since_exact >= self.capacity {
            self.add_up();
        }
        gone.map(f64::from)
    }

    pub(super) fn clear(&mut self) {
        self.values.clear();
        self.add_up();
    }

    pub(super) fn len(&self) -> usize {
        self.values.len()
    }

    pub(super) fn is_full(&self) -> bool {
        self.values.len() >= self.capacity as usize
    }

    /// Oldest first.
    pub(super) fn iter(&self) -> impl ExactSizeIterator<Item = f64> + '_ {
        self.values.iter().copied().map(f64::from)
    }

    /// 0 when there is nothing.
    pub(super) fn mean(&self) -> f64 {
        self.sum / self.count()
    }

    /// Of the population; 0 when there is nothing.
    pub(super) fn deviation(&self) -> f64 {
        let mean = self.mean();
        (self.squares / self.count() - mean * mean).max(0.0).sqrt()
    }

    pub(super) fn sum(&self) -> f64 {
        self.sum
    }

    pub(super) fn squares(&self) -> f64 {
        self.squares
    }

    fn count(&self) -> f64 {
        self.values.len().max(1) as f64
    }

    fn add_up(&mut self) {
        self.since_exact = 0;
        self.sum = self.iter().sum();
        self.squares = self.iter().map(|value| value * value).sum();
    }
}
