//! Changes from sample to sample, smoothed (EWMA), beside what they usually are: spikes, steps, noise that sets in.

use serde::{Deserialize, Serialize};

use super::residual::{ResidualRule, ResidualStage};
use super::{Judgement, Lesson, Method, Step};

/// How changes are judged: a forecast that everything stays as it is.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct ChangeRule {
    /// How changes are smoothed and judged.
    pub residual: ResidualRule,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Change {
    stage: ResidualStage,
}

impl Change {
    pub(super) fn new(rule: ChangeRule) -> Self {
        Self { stage: ResidualStage::new(rule.residual) }
    }
}

impl Method for Change {
    fn judge(&mut self, step: &Step) -> Option<Judgement> {
        let previous = step.previous?;
        self.stage.on_residual((step.value - previous.value).abs(), previous.value)
    }

    fn absorb(&mut self, step: &Step, lesson: Lesson) {
        self.stage.absorb(step.value, lesson);
    }

    fn on_calibrated(&mut self) {
        self.stage.on_calibrated();
    }

    fn on_interrupted(&mut self) {
        self.stage.on_interrupted();
    }
}
