//! How many standard deviations a value lies from the mean of those before it.

use serde::{Deserialize, Serialize};

use super::window::Window;
use super::{Judgement, Lesson, Method, Step};

/// How far from the mean is too far.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct ZScoreRule {
    /// Usual values that mean and deviation are of, at most 100,000.
    pub window: u32,
    /// Standard deviations.
    pub threshold: f64,
    /// The deviation is no lower than this, in the value's unit.
    pub deviation_min: f64,
}

impl Default for ZScoreRule {
    fn default() -> Self {
        Self { window: 300, threshold: 6.0, deviation_min: 0.0 }
    }
}

#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct ZScore {
    rule: ZScoreRule,
    offset: Option<f64>,
    usual: Window,
}

impl ZScore {
    pub(super) fn new(rule: ZScoreRule) -> Self {
        Self { rule, offset: None, usual: Window::new(rule.window.clamp(2, 100_000)) }
    }
}

impl Method for ZScore {
    fn judge(&mut self, step: &Step) -> Option<Judgement> {
        let offset = *self.offset.get_or_insert(step.value);
        if !self.usual.is_full() {
            return None;
        }
        let deviation = self.usual.deviation().max(self.rule.deviation_min);
        let expected = offset + self.usual.mean();
        // In the value's unit, so that a deviation of 0 needs no exception.
        let threshold = (deviation * self.rule.threshold).clamp(0.0, super::VALUE_MAX);
        let samples = self.usual.len() as u32;
        Some(Judgement { score: (step.value - expected).abs(), threshold, expected: Some(expected), samples })
    }

    fn absorb(&mut self, step: &Step, lesson: Lesson) {
        if lesson.is_usual() {
            self.usual.push(step.value - self.offset.unwrap_or(step.value));
        }
    }
}
