//! Samples that stay away for longer than they usually do.

use serde::{Deserialize, Serialize};

use super::{Judgement, Lesson, Method, Step};

/// How long no sample may come.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct StaleRule {
    /// In seconds; absent: what was met while learning, times the factor.
    pub after_s: Option<f64>,
    /// In longest intervals met while learning.
    pub factor: f64,
}

impl Default for StaleRule {
    fn default() -> Self {
        Self { after_s: None, factor: 3.0 }
    }
}

#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Stale {
    rule: StaleRule,
    longest_s: f64,
    is_calibrated: bool,
}

impl Stale {
    pub(super) fn new(rule: StaleRule) -> Self {
        Self { rule, longest_s: 0.0, is_calibrated: false }
    }

    /// Judges that nothing came for so many seconds.
    pub(super) fn judge_silence(&self, elapsed_s: f64) -> Option<Judgement> {
        let learned =
            (self.is_calibrated && self.longest_s > 0.0).then_some(self.longest_s * self.rule.factor);
        let threshold = self.rule.after_s.or(learned)?.clamp(0.0, f64::MAX);
        Some(Judgement { score: elapsed_s.max(0.0), threshold, expected: None, samples: 1 })
    }
}

impl Method for Stale {
    /// A sample ends the silence: it is never stale itself.
    fn judge(&mut self, _: &Step) -> Option<Judgement> {
        None
    }

    fn absorb(&mut self, step: &Step, lesson: Lesson) {
        if matches!(lesson, Lesson::Fit | Lesson::Calibrate) {
            self.longest_s = self.longest_s.max(step.elapsed_s().unwrap_or(0.0));
        }
    }

    fn on_calibrated(&mut self) {
        self.is_calibrated = true;
    }
}
