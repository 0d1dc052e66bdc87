//! How far a value lies outside the quartiles of all usual ones (Tukey's fences), by P² quantiles.

use serde::{Deserialize, Serialize};

use super::quantile::P2Quantile;
use super::{Judgement, Lesson, Method, Step};

/// How far outside the quartiles is too far.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct SpreadRule {
    /// In interquartile ranges.
    pub fence: f64,
    /// The interquartile range is no lower than this, in the value's unit.
    pub range_min: f64,
    /// Usual values before anything is judged.
    pub samples_min: u32,
}

impl Default for SpreadRule {
    fn default() -> Self {
        Self { fence: 3.0, range_min: 0.0, samples_min: 100 }
    }
}

#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Spread {
    rule: SpreadRule,
    samples: u32,
    lower: P2Quantile,
    upper: P2Quantile,
}

impl Spread {
    pub(super) fn new(rule: SpreadRule) -> Self {
        Self { rule, samples: 0, lower: P2Quantile::new(0.25), upper: P2Quantile::new(0.75) }
    }
}

impl Method for Spread {
    fn judge(&mut self, step: &Step) -> Option<Judgement> {
        if self.samples < self.rule.samples_min {
            return None;
        }
        let (lower, upper) = (self.lower.value()?, self.upper.value()?);
        let expected = step.value.max(lower).min(upper);
        let threshold =
            ((upper - lower).max(self.rule.range_min) * self.rule.fence).clamp(0.0, super::VALUE_MAX);
        let score = (step.value - expected).abs();
        Some(Judgement { score, threshold, expected: Some(expected), samples: 1 })
    }

    fn absorb(&mut self, step: &Step, lesson: Lesson) {
        if lesson.is_usual() {
            self.samples = self.samples.saturating_add(1);
            self.lower.push(step.value);
            self.upper.push(step.value);
        }
    }
}
