//! Changes faster than they may be, or ever were.

use serde::{Deserialize, Serialize};

use super::{Judgement, Lesson, Method, Step};

/// How fast a value may change.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct RateOfChangeRule {
    /// In the value's unit, a second; absent: what was met while learning, times the factor.
    pub per_second_max: Option<f64>,
    /// In fastest changes met while learning.
    pub factor: f64,
}

impl Default for RateOfChangeRule {
    fn default() -> Self {
        Self { per_second_max: None, factor: 1.5 }
    }
}

#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct RateOfChange {
    rule: RateOfChangeRule,
    fastest: f64,
    is_calibrated: bool,
}

impl RateOfChange {
    pub(super) fn new(rule: RateOfChangeRule) -> Self {
        Self { rule, fastest: 0.0, is_calibrated: false }
    }
}

/// Units a second. Times of samples differ by a nanosecond at least.
fn rate(step: &Step) -> Option<f64> {
    Some(step.change()?.abs() / step.elapsed_s()?.max(1e-9))
}

impl Method for RateOfChange {
    fn judge(&mut self, step: &Step) -> Option<Judgement> {
        let learned = self.is_calibrated.then_some(self.fastest * self.rule.factor);
        let threshold = self.rule.per_second_max.or(learned)?.clamp(0.0, f64::MAX);
        let expected = step.previous.map(|previous| previous.value);
        Some(Judgement { score: rate(step)?, threshold, expected, samples: 2 })
    }

    fn absorb(&mut self, step: &Step, lesson: Lesson) {
        if matches!(lesson, Lesson::Fit | Lesson::Calibrate) {
            self.fastest = self.fastest.max(rate(step).unwrap_or(0.0));
        }
    }

    fn on_calibrated(&mut self) {
        self.is_calibrated = true;
    }
}
