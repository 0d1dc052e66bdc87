//! What becomes of the difference between forecast and value, whoever made the forecast: smoothed, then judged by a
//! dynamic threshold whose floor was calibrated.

use serde::{Deserialize, Serialize};

use super::dynamic_threshold::{DynamicThreshold, DynamicThresholdRule};
use super::quantile::Largest;
use super::{Judgement, Lesson};

/// How residuals are smoothed and judged.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct ResidualRule {
    /// Samples over which residuals are smoothed (EWMA with weight 2 / (span + 1)).
    pub span: u32,
    /// The floor in 99.9 % quantiles of the smoothed residuals met while calibrating.
    pub floor_factor: f64,
    /// The floor is no lower than this share of the range of values met while learning.
    pub floor_of_range: f64,
    /// The floor is no lower than this, in the parameter's unit.
    pub floor_min: f64,
    /// Residuals count as no larger than so many floors: one enormous value would be felt for long otherwise.
    pub clip: f64,
    /// How the threshold is found.
    pub threshold: DynamicThresholdRule,
}

impl Default for ResidualRule {
    fn default() -> Self {
        Self {
            span: 20,
            floor_factor: 2.0,
            floor_of_range: 0.01,
            floor_min: 0.0,
            clip: 1000.0,
            threshold: DynamicThresholdRule::default(),
        }
    }
}

/// Smooths and judges absolute residuals. It judges nothing before [`ResidualStage::on_calibrated`].
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct ResidualStage {
    rule: ResidualRule,
    smoothed: f64,
    largest: Largest,
    range: Option<(f64, f64)>,
    threshold: Option<DynamicThreshold>,
}

impl ResidualStage {
    /// A stage that was not calibrated yet.
    pub fn new(rule: ResidualRule) -> Self {
        Self { rule, smoothed: 0.0, largest: Largest::default(), range: None, threshold: None }
    }

    /// Judges the next residual, 0 or more and finite, of a value that was expected to be `expected`.
    pub fn on_residual(&mut self, residual: f64, expected: f64) -> Option<Judgement> {
        let floor = self.threshold.as_ref().map(DynamicThreshold::floor);
        let most =
            floor.filter(|floor| *floor > 0.0).map_or(f64::MAX, |floor| floor * self.rule.clip.max(1.0));
        let weight = 2.0 / (f64::from(self.rule.span.max(1)) + 1.0);
        self.smoothed += weight * (residual.min(most) - self.smoothed);
        let judged = self.threshold.as_mut()?.on_error(self.smoothed);
        let samples = judged.samples.max(self.rule.span / 2).max(1);
        Some(Judgement { expected: Some(expected), samples, ..judged })
    }

    /// Takes how far off forecasts of usual data are, and which values there are.
    pub(super) fn absorb(&mut self, value: f64, lesson: Lesson) {
        if matches!(lesson, Lesson::Fit | Lesson::Calibrate) {
            let (low, high) = self.range.unwrap_or((value, value));
            self.range = Some((low.min(value), high.max(value)));
        }
        if lesson == Lesson::Calibrate {
            self.largest.push(self.smoothed);
        }
    }

    /// The floor is found from what was learned; from now on residuals are judged.
    pub fn on_calibrated(&mut self) {
        let Some(largest) = self.largest.quantile_999() else { return };
        let range = self.range.map_or(0.0, |(low, high)| high - low);
        let floor = (largest * self.rule.floor_factor)
            .max(range * self.rule.floor_of_range)
            .max(self.rule.floor_min)
            .clamp(0.0, super::VALUE_MAX);
        self.threshold = Some(DynamicThreshold::new(self.rule.threshold, floor));
        self.smoothed = 0.0;
    }

    /// What comes next does not follow what was before: smoothing begins anew.
    pub fn on_interrupted(&mut self) {
        self.smoothed = 0.0;
    }
}
