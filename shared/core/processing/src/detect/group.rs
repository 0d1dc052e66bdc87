//! Several parameters that belong together: how unusual their values are beside each other (Hotelling's T²).

use serde::{Deserialize, Serialize};

use super::linear::{Cholesky, Symmetric};
use super::{Judgement, VALUE_MAX};

/// How a group is learned and judged.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct GroupRule {
    /// Rows that are learned from before anything is judged.
    pub training: u32,
    /// Rows over which T² is smoothed (EWMA with weight 2 / (span + 1)).
    pub span: u32,
    /// What is added to each correlation of 1, so that parameters may follow from each other.
    pub ridge: f64,
    /// The threshold, in T² of the number of parameters.
    pub threshold: f64,
}

impl Default for GroupRule {
    fn default() -> Self {
        Self { training: 400, span: 15, ridge: 1e-3, threshold: 3.0 }
    }
}

/// Parameters that a group may have.
const MEMBERS_MAX: usize = 64;

/// A group of parameters that are sampled together. It learns once, from its first rows.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Group {
    rule: GroupRule,
    /// The first row: large offsets would cost precision.
    offsets: Vec<f64>,
    /// Sums of products of 1 and the values, while there is something to learn.
    products: Symmetric,
    learned: Option<Learned>,
    smoothed: f64,
    rows: u32,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
struct Learned {
    means: Vec<f64>,
    scales: Vec<f64>,
    correlations: Cholesky,
}

impl Group {
    /// A group of at most 64 parameters; further ones are passed over.
    pub fn new(rule: GroupRule, members: usize) -> Self {
        let members = members.min(MEMBERS_MAX);
        Self {
            rule,
            offsets: Vec::with_capacity(members),
            products: Symmetric::zero(members + 1),
            learned: None,
            smoothed: 0.0,
            rows: 0,
        }
    }

    /// Judges a row of values in the order of the parameters, or learns from it. A row with a value that is not
    /// finite, or with too few, is passed over.
    pub fn on_row(&mut self, values: &[f64]) -> Option<Judgement> {
        let members = self.products.size().saturating_sub(1);
        let values = values.get(..members).filter(|values| values.iter().all(|value| value.is_finite()))?;
        if self.offsets.is_empty() {
            self.offsets = values.to_vec();
        }
        let bounded = |(value, offset): (&f64, &f64)| (value - offset).clamp(-VALUE_MAX, VALUE_MAX);
        let mut row: Vec<f64> = values.iter().zip(&self.offsets).map(bounded).collect();
        let Some(learned) = &self.learned else {
            row.push(1.0);
            self.products.add_product(&row);
            self.rows += 1;
            if self.rows >= self.rule.training.max(2) {
                self.learned = learn(&self.products, self.rule.ridge.max(1e-9));
            }
            return None;
        };
        let most = 1e3 * self.rule.threshold.max(1.0);
        let distance = (learned.distance(&row) / members.max(1) as f64).min(most);
        self.smoothed += 2.0 / (f64::from(self.rule.span.max(1)) + 1.0) * (distance - self.smoothed);
        let threshold = self.rule.threshold.clamp(0.0, VALUE_MAX);
        Some(Judgement { score: self.smoothed, threshold, expected: None, samples: self.rule.span.max(1) })
    }
}

impl Learned {
    fn distance(&self, row: &[f64]) -> f64 {
        let standard =
            |((value, mean), scale): ((&f64, &f64), &f64)| ((value - mean) / scale).clamp(-1e6, 1e6);
        let standard: Vec<f64> = row.iter().zip(&self.means).zip(&self.scales).map(standard).collect();
        self.correlations.mahalanobis(&standard)
    }
}

fn learn(products: &Symmetric, ridge: f64) -> Option<Learned> {
    let members = products.size() - 1;
    let count = products.at(members, members);
    let means: Vec<f64> = (0..members).map(|member| products.at(member, members) / count).collect();
    let covariance = |a: usize, b: usize| products.at(a, b) / count - means[a] * means[b];
    // What was constant counts as varying a little, so that a change of it is seen.
    let scales: Vec<f64> = (0..members)
        .map(|member| {
            let least = 1e-6 * means[member].abs().max(1e-3);
            covariance(member, member).max(0.0).sqrt().max(least)
        })
        .collect();
    let mut correlations = Symmetric::zero(members);
    for a in 0..members {
        for b in 0..a {
            correlations.set(a, b, covariance(a, b) / (scales[a] * scales[b]));
        }
        correlations.set(a, a, 1.0 + ridge);
    }
    Some(Learned { correlations: correlations.cholesky()?, means, scales })
}
