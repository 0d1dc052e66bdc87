//! A forecast that learns with every usual sample: recursive least squares with forgetting.

use serde::{Deserialize, Serialize};

use super::forecast::Lags;
use super::linear::Symmetric;
use super::residual::{ResidualRule, ResidualStage};
use super::{Judgement, Lesson, Method, Step};

/// How the forecast forgets, and how its residuals are judged.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct RecursiveRule {
    /// Values before that are used, 1 to 64; the cost grows with its square.
    pub order: u32,
    /// Inputs that are used, 0 to [`INPUTS_MAX`](super::INPUTS_MAX).
    pub inputs: u32,
    /// Weight of what was known, with each sample: .999 remembers about a thousand.
    pub memory: f64,
    /// How residuals are smoothed and judged.
    pub residual: ResidualRule,
}

impl Default for RecursiveRule {
    fn default() -> Self {
        Self { order: 8, inputs: 0, memory: 0.999, residual: ResidualRule::default() }
    }
}

/// How little is known of a weight at first, and the most that may be unknown of it later.
const UNKNOWN: f64 = 100.0;
const UNKNOWN_MAX: f64 = 1e9;

#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Recursive {
    memory: f64,
    lags: Lags,
    /// Mean square of what was learned, by which features are scaled.
    power: f64,
    /// The last one stands for a constant.
    weights: Vec<f64>,
    /// The inverse of the features' products.
    inverse: Symmetric,
    stage: ResidualStage,
}

impl Recursive {
    pub(super) fn new(rule: RecursiveRule) -> Self {
        let lags = Lags::new(rule.order, rule.inputs);
        let width = lags.width() + 1;
        Self {
            memory: rule.memory.clamp(0.9, 1.0),
            lags,
            power: 0.0,
            weights: vec![0.0; width],
            inverse: unknown(width),
            stage: ResidualStage::new(rule.residual),
        }
    }

    fn scale(&self) -> f64 {
        if self.power > 0.0 { self.power.sqrt() } else { 1.0 }
    }

    fn learn(&mut self, row: Option<Vec<f64>>, value: f64) {
        let Some(row) = row else { return };
        let width = row.len();
        let error = value - row.iter().zip(&self.weights).map(|(x, weight)| x * weight).sum::<f64>();
        let gain: Vec<f64> = (0..width)
            .map(|a| row.iter().enumerate().map(|(b, x)| self.inverse.at(a, b) * x).sum())
            .collect();
        let spread: f64 = gain.iter().zip(&row).map(|(gain, x)| gain * x).sum::<f64>() + self.memory;
        self.weights.iter_mut().zip(&gain).for_each(|(weight, gain)| *weight += gain / spread * error);
        for a in 0..width {
            for b in 0..=a {
                let less = self.inverse.at(a, b) - gain[a] * gain[b] / spread;
                self.inverse.set(a, b, less / self.memory);
            }
        }
        // Without news the inverse grows for ever, and rounding may leave it of no use: begin anew with the weights.
        let is_sound = |a: usize| (f64::MIN_POSITIVE..UNKNOWN_MAX).contains(&self.inverse.at(a, a));
        if !(0..width).all(is_sound) {
            self.inverse = unknown(width);
        }
        if !self.weights.iter().all(|weight| weight.abs() < UNKNOWN_MAX) {
            self.weights.fill(0.0);
        }
    }
}

impl Method for Recursive {
    fn judge(&mut self, step: &Step) -> Option<Judgement> {
        let features = self.lags.features(step)?;
        let constant = self.scale();
        let sum: f64 = features.chain([constant]).zip(&self.weights).map(|(x, weight)| x * weight).sum();
        let expected = self.lags.unshifted(sum);
        self.stage.on_residual((step.value - expected).abs(), expected)
    }

    fn absorb(&mut self, step: &Step, lesson: Lesson) {
        self.stage.absorb(step.value, lesson);
        if lesson.is_usual() {
            let shifted = self.lags.shifted(step.value);
            self.power += 0.01 * (shifted * shifted - self.power);
            let scale = self.scale();
            let bounded = |x: f64| (x / scale).clamp(-1e3, 1e3);
            let row = self.lags.features(step).map(|features| features.map(bounded).chain([1.0]).collect());
            self.learn(row, bounded(shifted));
        }
        self.lags.push(step.value);
    }

    fn on_calibrated(&mut self) {
        self.stage.on_calibrated();
    }

    fn on_interrupted(&mut self) {
        self.lags.clear();
        self.stage.on_interrupted();
    }
}

fn unknown(width: usize) -> Symmetric {
    let mut inverse = Symmetric::zero(width);
    (0..width).for_each(|place| inverse.set(place, place, UNKNOWN));
    inverse
}
