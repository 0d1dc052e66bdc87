//! A forecast from the values before and the commands in effect, by ridge regression on what was learned once.

use serde::{Deserialize, Serialize};

use super::forecast::Lags;
use super::linear::Symmetric;
use super::residual::{ResidualRule, ResidualStage};
use super::{Judgement, Lesson, Method, Step};

/// How a forecast is fitted and its residuals are judged.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct AutoregressionRule {
    /// Values before that are used, 1 to 64.
    pub order: u32,
    /// Inputs that are used, 0 to [`INPUTS_MAX`](super::INPUTS_MAX).
    pub inputs: u32,
    /// What is added to each variance of 1: larger is smoother.
    pub ridge: f64,
    /// How residuals are smoothed and judged.
    pub residual: ResidualRule,
}

impl Default for AutoregressionRule {
    fn default() -> Self {
        Self { order: 32, inputs: 0, ridge: 0.1, residual: ResidualRule::default() }
    }
}

/// Weights for features, and what comes out when all are 0.
#[derive(Clone, Debug, Deserialize, Serialize)]
struct Weights {
    weights: Vec<f64>,
    bias: f64,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Autoregression {
    ridge: f64,
    lags: Lags,
    /// Sums of products of features, 1 and the value; only while there is something to fit.
    products: Option<Symmetric>,
    weights: Option<Weights>,
    stage: ResidualStage,
}

impl Autoregression {
    pub(super) fn new(rule: AutoregressionRule) -> Self {
        let lags = Lags::new(rule.order, rule.inputs);
        let products = Some(Symmetric::zero(lags.width() + 2));
        let stage = ResidualStage::new(rule.residual);
        Self { ridge: rule.ridge.max(1e-9), lags, products, weights: None, stage }
    }
}

impl Method for Autoregression {
    fn judge(&mut self, step: &Step) -> Option<Judgement> {
        let weights = self.weights.as_ref()?;
        let features = self.lags.features(step)?;
        let sum: f64 = features.zip(&weights.weights).map(|(feature, weight)| feature * weight).sum();
        let expected = self.lags.unshifted(sum + weights.bias);
        self.stage.on_residual((step.value - expected).abs(), expected)
    }

    fn absorb(&mut self, step: &Step, lesson: Lesson) {
        if let (Lesson::Fit, Some(products)) = (lesson, &mut self.products)
            && let Some(features) = self.lags.features(step)
        {
            let mut row: Vec<f64> = features.collect();
            row.extend([1.0, self.lags.shifted(step.value)]);
            products.add_product(&row);
        }
        if lesson != Lesson::Calibrate || self.weights.is_some() {
            self.stage.absorb(step.value, lesson);
        }
        self.lags.push(step.value);
    }

    fn on_fitted(&mut self) {
        self.weights = self.products.take().and_then(|products| fit(&products, self.ridge));
        self.lags.clear();
    }

    fn on_calibrated(&mut self) {
        if self.weights.is_some() {
            self.stage.on_calibrated();
        }
    }

    fn on_interrupted(&mut self) {
        self.lags.clear();
        self.stage.on_interrupted();
    }
}

/// Ridge regression of the last column on those before the column of ones.
fn fit(products: &Symmetric, ridge: f64) -> Option<Weights> {
    let (ones, value) = (products.size() - 2, products.size() - 1);
    let count = products.at(ones, ones);
    if count < 2.0 {
        return None;
    }
    let mean = |column| products.at(column, ones) / count;
    let covariance = |a, b| products.at(a, b) / count - mean(a) * mean(b);
    // What varies by less than rounding errors does not vary.
    let scale = |column| {
        let variance: f64 = covariance(column, column);
        let noise = 1e-12 * products.at(column, column) / count;
        if variance > noise { variance.sqrt() } else { 0.0 }
    };
    let scales: Vec<f64> = (0..ones).map(scale).collect();
    let scaled =
        |a: usize, b: usize, product: f64| if product > 0.0 { covariance(a, b) / product } else { 0.0 };
    let mut system = Symmetric::zero(ones);
    for (row, a) in scales.iter().enumerate() {
        for (column, b) in scales.iter().enumerate().take(row) {
            system.set(row, column, scaled(row, column, a * b));
        }
        system.set(row, row, 1.0 + ridge);
    }
    let value_scale = scale(value);
    let wanted: Vec<f64> =
        scales.iter().enumerate().map(|(row, a)| scaled(row, value, a * value_scale)).collect();
    let standard = system.cholesky()?.solve(&wanted);
    let weights: Vec<f64> = standard
        .iter()
        .zip(&scales)
        .map(|(weight, scale)| if *scale > 0.0 { weight * value_scale / scale } else { 0.0 })
        .collect();
    let explained: f64 = weights.iter().enumerate().map(|(column, weight)| weight * mean(column)).sum();
    let bias = mean(value) - explained;
    (bias.is_finite() && weights.iter().all(|weight| weight.is_finite())).then_some(Weights { weights, bias })
}
