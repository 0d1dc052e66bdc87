//! How far a value lies from the median of those before it, in median absolute deviations (Hampel).

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::{Judgement, Lesson, Method, Step};

/// How far from the median is too far.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct HampelRule {
    /// Usual values that the median is of, 3 to 255.
    pub window: u32,
    /// Median absolute deviations, scaled to standard deviations of a normal distribution.
    pub threshold: f64,
    /// The deviation is no lower than this, in the value's unit.
    pub deviation_min: f64,
}

impl Default for HampelRule {
    fn default() -> Self {
        Self { window: 51, threshold: 8.0, deviation_min: 0.0 }
    }
}

/// Standard deviations of a normal distribution in its median absolute deviation.
const NORMAL: f64 = 1.4826;

#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Hampel {
    rule: HampelRule,
    newest: VecDeque<f64>,
    sorted: Vec<f64>,
}

impl Hampel {
    pub(super) fn new(rule: HampelRule) -> Self {
        let rule = HampelRule { window: rule.window.clamp(3, 255), ..rule };
        Self { rule, newest: VecDeque::new(), sorted: Vec::new() }
    }

    /// Of the distances to the median: it lies where two sorted halves meet.
    fn deviation(&self, middle: usize) -> f64 {
        let Some(median) = self.sorted.get(middle) else { return 0.0 };
        let (mut below, mut above, mut distance) = (middle, middle, 0.0);
        while above - below < self.sorted.len() / 2 {
            let down =
                below.checked_sub(1).and_then(|place| self.sorted.get(place)).map(|value| median - value);
            let up = self.sorted.get(above + 1).map(|value| value - median);
            match (down, up) {
                (Some(down), Some(up)) if down <= up => (below, distance) = (below - 1, down),
                (Some(down), None) => (below, distance) = (below - 1, down),
                (_, Some(up)) => (above, distance) = (above + 1, up),
                (None, None) => break,
            }
        }
        distance
    }
}

impl Method for Hampel {
    fn judge(&mut self, step: &Step) -> Option<Judgement> {
        if self.newest.len() < self.rule.window as usize {
            return None;
        }
        let middle = self.sorted.len() / 2;
        let median = *self.sorted.get(middle)?;
        let deviation = (NORMAL * self.deviation(middle)).max(self.rule.deviation_min);
        let threshold = (deviation * self.rule.threshold).clamp(0.0, super::VALUE_MAX);
        let samples = self.rule.window;
        Some(Judgement { score: (step.value - median).abs(), threshold, expected: Some(median), samples })
    }

    fn absorb(&mut self, step: &Step, lesson: Lesson) {
        if !lesson.is_usual() {
            return;
        }
        if self.newest.len() >= self.rule.window as usize
            && let Some(oldest) = self.newest.pop_front()
        {
            let place = self.sorted.partition_point(|value| *value < oldest);
            if place < self.sorted.len() {
                self.sorted.remove(place);
            }
        }
        self.newest.push_back(step.value);
        let place = self.sorted.partition_point(|value| *value < step.value);
        self.sorted.insert(place, step.value);
    }
}
