//! Whether things move more than they have for long: the mean of the newest changes beside mean and deviation of many.

use serde::{Deserialize, Serialize};

use super::window::Window;
use super::{Judgement, Lesson, Method, Step};

/// How much more is too much.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct LikelihoodRule {
    /// Newest changes, whose mean is judged.
    pub short: u32,
    /// Changes it is compared with, at most 100,000.
    pub long: u32,
    /// Changes there must be before anything is judged.
    pub samples_min: u32,
    /// Standard deviations.
    pub threshold: f64,
    /// Whether the many are all changes there were, anomalous ones too, unless they are flagged or learning is frozen:
    /// for series that come to stay at another level of activity, and nobody to say so.
    pub follows_all: bool,
}

impl Default for LikelihoodRule {
    fn default() -> Self {
        Self { short: 5, long: 1500, samples_min: 100, threshold: 2.5, follows_all: false }
    }
}

#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Likelihood {
    rule: LikelihoodRule,
    short: Window,
    long: Window,
}

impl Likelihood {
    pub(super) fn new(rule: LikelihoodRule) -> Self {
        let short = Window::new(rule.short.clamp(1, 1_000));
        Self { rule, short, long: Window::new(rule.long.clamp(2, 100_000)) }
    }
}

impl Method for Likelihood {
    fn judge(&mut self, step: &Step) -> Option<Judgement> {
        self.short.push(step.change()?.abs());
        if !self.short.is_full() || self.long.len() < self.rule.samples_min.max(2) as usize {
            return None;
        }
        // In the value's unit, so that a deviation of 0 needs no exception.
        let score = (self.short.mean() - self.long.mean()).max(0.0);
        let threshold = (self.long.deviation() * self.rule.threshold).clamp(0.0, super::VALUE_MAX);
        let expected = step.previous.map(|previous| previous.value);
        Some(Judgement { score, threshold, expected, samples: self.short.len() as u32 + 1 })
    }

    fn absorb(&mut self, step: &Step, lesson: Lesson) {
        let is_counted = self.rule.follows_all && lesson == Lesson::Anomalous;
        if let Some(change) = step.change().filter(|_| lesson.is_usual() || is_counted) {
            self.long.push(change.abs());
        }
    }

    fn on_interrupted(&mut self) {
        self.short.clear();
    }
}
