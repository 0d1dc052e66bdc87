//! What a trained model expected, beside what came: the residual stage behind a forecaster of `model`.

use serde::{Deserialize, Serialize};

use super::residual::{ResidualRule, ResidualStage};
use super::{Judgement, Lesson, Method, Step};

/// How residuals are judged. It stays silent in [`Suite::on_sample`](super::Suite::on_sample): there is no forecast.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct ForecastRule {
    /// How residuals are smoothed and judged.
    pub residual: ResidualRule,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Forecast {
    stage: ResidualStage,
}

impl Forecast {
    pub(super) fn new(rule: ForecastRule) -> Self {
        Self { stage: ResidualStage::new(rule.residual) }
    }
}

impl Method for Forecast {
    fn judge(&mut self, step: &Step) -> Option<Judgement> {
        let expected = step.forecast?;
        self.stage.on_residual((step.value - expected).abs(), expected)
    }

    fn absorb(&mut self, step: &Step, lesson: Lesson) {
        // Without forecasts nothing says how far off they usually are.
        if lesson != Lesson::Calibrate || step.forecast.is_some() {
            self.stage.absorb(step.value, lesson);
        }
    }

    fn on_calibrated(&mut self) {
        self.stage.on_calibrated();
    }

    fn on_interrupted(&mut self) {
        self.stage.on_interrupted();
    }
}
