//! The range that was met while learning, and a margin.

use serde::{Deserialize, Serialize};

use super::{Judgement, Lesson, Method, Step};

/// How far outside the learned range a value may lie.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct RangeRule {
    /// As a share of the range.
    pub margin: f64,
    /// At least, in the value's unit.
    pub margin_min: f64,
}

impl Default for RangeRule {
    fn default() -> Self {
        Self { margin: 0.1, margin_min: 0.0 }
    }
}

#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Range {
    rule: RangeRule,
    met: Option<(f64, f64)>,
    is_calibrated: bool,
}

impl Range {
    pub(super) fn new(rule: RangeRule) -> Self {
        Self { rule, met: None, is_calibrated: false }
    }
}

impl Method for Range {
    fn judge(&mut self, step: &Step) -> Option<Judgement> {
        let (low, high) = self.met.filter(|_| self.is_calibrated)?;
        let threshold =
            ((high - low) * self.rule.margin).max(self.rule.margin_min).clamp(0.0, super::VALUE_MAX);
        let expected = step.value.clamp(low, high);
        Some(Judgement {
            score: (step.value - expected).abs(),
            threshold,
            expected: Some(expected),
            samples: 1,
        })
    }

    fn absorb(&mut self, step: &Step, lesson: Lesson) {
        if matches!(lesson, Lesson::Fit | Lesson::Calibrate) {
            let (low, high) = self.met.unwrap_or((step.value, step.value));
            self.met = Some((low.min(step.value), high.max(step.value)));
        }
    }

    fn on_calibrated(&mut self) {
        self.is_calibrated = true;
    }
}
