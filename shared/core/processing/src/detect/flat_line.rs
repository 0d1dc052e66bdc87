//! A sensor that is stuck: the same value for longer than it ever was.

use serde::{Deserialize, Serialize};

use super::{Judgement, Lesson, Method, Step};

/// How long a value may stay.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct FlatLineRule {
    /// In longest runs met while learning.
    pub factor: f64,
    /// Shorter runs, in samples, are never judged.
    pub samples_min: u32,
    /// A value that differs by no more, in its unit, is the same.
    pub tolerance: f64,
}

impl Default for FlatLineRule {
    fn default() -> Self {
        Self { factor: 2.0, samples_min: 30, tolerance: 0.0 }
    }
}

#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct FlatLine {
    rule: FlatLineRule,
    /// Where the run began, and its samples up to now.
    run: Option<(f64, u32)>,
    longest: u32,
    is_calibrated: bool,
}

impl FlatLine {
    pub(super) fn new(rule: FlatLineRule) -> Self {
        Self { rule, run: None, longest: 0, is_calibrated: false }
    }
}

impl Method for FlatLine {
    fn judge(&mut self, step: &Step) -> Option<Judgement> {
        let (value, samples) = match self.run {
            Some((value, samples)) if (step.value - value).abs() <= self.rule.tolerance => {
                (value, samples.saturating_add(1))
            }
            _ => (step.value, 1),
        };
        self.run = Some((value, samples));
        let threshold = (f64::from(self.longest) * self.rule.factor).max(f64::from(self.rule.samples_min));
        self.is_calibrated.then_some(Judgement {
            score: f64::from(samples),
            threshold: threshold.clamp(0.0, f64::from(u32::MAX)),
            expected: None,
            samples,
        })
    }

    fn absorb(&mut self, _: &Step, lesson: Lesson) {
        if matches!(lesson, Lesson::Fit | Lesson::Calibrate) {
            self.longest = self.longest.max(self.run.map_or(0, |(_, samples)| samples));
        }
    }

    fn on_calibrated(&mut self) {
        self.is_calibrated = true;
        self.run = None;
    }

    fn on_interrupted(&mut self) {
        self.run = None;
    }
}
