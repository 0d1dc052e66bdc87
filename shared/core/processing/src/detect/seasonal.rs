//! What is usual at this time of the orbit or of the day.

use serde::{Deserialize, Serialize};

use super::{Judgement, Lesson, Method, Step};

/// The period, and how far from its profile is too far.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct SeasonalRule {
    /// Seconds in a period: an orbit or a day.
    pub period_s: f64,
    /// Parts of the period that have a mean and a deviation of their own, 1 to 1,440.
    pub bins: u32,
    /// Standard deviations.
    pub threshold: f64,
    /// The deviation is no lower than this, in the value's unit.
    pub deviation_min: f64,
    /// Usual values a part must have before it judges.
    pub samples_min: u32,
    /// Weight of a usual value in the profile once it has as many as `samples_min`.
    pub weight: f64,
}

impl Default for SeasonalRule {
    fn default() -> Self {
        Self {
            period_s: 86_400.0,
            bins: 96,
            threshold: 6.0,
            deviation_min: 0.0,
            samples_min: 20,
            weight: 0.02,
        }
    }
}

/// A part of the period.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
struct Bin {
    samples: u32,
    mean: f64,
    variance: f64,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Seasonal {
    rule: SeasonalRule,
    bins: Vec<Bin>,
}

impl Seasonal {
    pub(super) fn new(rule: SeasonalRule) -> Self {
        let period_s = if rule.period_s >= 1.0 { rule.period_s.min(1e9) } else { 1.0 };
        Self {
            rule: SeasonalRule { period_s, ..rule },
            bins: vec![Bin::default(); rule.bins.clamp(1, 1440) as usize],
        }
    }

    fn place(&self, step: &Step) -> usize {
        let period = (self.rule.period_s * 1e9) as i64;
        let phase = step.time.0.0.rem_euclid(period.max(1)) as f64 / period as f64;
        ((phase * self.bins.len() as f64) as usize).min(self.bins.len().saturating_sub(1))
    }
}

impl Method for Seasonal {
    fn judge(&mut self, step: &Step) -> Option<Judgement> {
        let bin =
            self.bins.get(self.place(step)).filter(|bin| bin.samples >= self.rule.samples_min.max(2))?;
        let deviation = bin.variance.max(0.0).sqrt().max(self.rule.deviation_min);
        let threshold = (deviation * self.rule.threshold).clamp(0.0, super::VALUE_MAX);
        let score = (step.value - bin.mean).abs();
        Some(Judgement { score, threshold, expected: Some(bin.mean), samples: 1 })
    }

    fn absorb(&mut self, step: &Step, lesson: Lesson) {
        let place = self.place(step);
        let Some(bin) = self.bins.get_mut(place).filter(|_| lesson.is_usual()) else { return };
        bin.samples = bin.samples.saturating_add(1);
        let weight = (1.0 / f64::from(bin.samples)).max(self.rule.weight.clamp(0.0, 1.0));
        let off = step.value - bin.mean;
        bin.mean += weight * off;
        bin.variance = (1.0 - weight) * (bin.variance + weight * off * off);
    }
}
