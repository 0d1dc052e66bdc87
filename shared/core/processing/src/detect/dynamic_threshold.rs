//! A threshold for errors that follows them: the nonparametric dynamic threshold of Hundman et al. (KDD 2018), with
//! an absolute floor.
//!
//! Of the thresholds "mean plus z standard deviations" it takes the one above which the errors would leave mean and
//! deviation of the window lowest for how few they are. It prunes what stands out from the rest by less than a share.
//! Without the floor it finds something in every window of noise.

use serde::{Deserialize, Serialize};

use super::Judgement;
use super::window::Window;

/// How a dynamic threshold is found.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct DynamicThresholdRule {
    /// Errors that are looked at.
    pub window: u32,
    /// After how many samples above the floor the threshold is found anew, at the latest.
    pub step: u32,
    /// By which share the highest error of a run must stand out from the next lower one.
    pub pruning: f64,
}

impl Default for DynamicThresholdRule {
    fn default() -> Self {
        Self { window: 2100, step: 70, pruning: 0.13 }
    }
}

/// Errors within so many samples of each other are one run.
const RUN_GAP: usize = 100;
/// More runs than these in one window are not anomalies but what the errors are like.
const RUNS_MAX: usize = 5;
/// The thresholds that are tried, in standard deviations above the mean: 2.5, 3, … 12.
const DEVIATIONS: std::ops::RangeInclusive<u8> = 5..=24;
/// An error that grew by this since the threshold was found is looked at anew.
const GROWTH: f64 = 1.1;

/// Judges errors by the window they are in.
///
/// An error at or below the floor is never anomalous, and costs a few operations. Above the floor the window is gone
/// through when the floor is crossed, when the error has grown by a tenth, and every `step` samples.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct DynamicThreshold {
    rule: DynamicThresholdRule,
    floor: f64,
    errors: Window,
    /// Above the floor now: what was found, at which error, and how many samples ago.
    found: Option<Found>,
}

#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
struct Found {
    threshold: f64,
    at_error: f64,
    age: u32,
}

/// A run of errors above a threshold.
#[derive(Clone, Copy, Debug)]
struct Run {
    highest: f64,
    last: usize,
}

impl DynamicThreshold {
    /// Errors at or below `floor`, in their own unit, are never anomalous.
    pub fn new(rule: DynamicThresholdRule, floor: f64) -> Self {
        Self { rule, floor, errors: Window::new(rule.window.min(100_000)), found: None }
    }

    /// The floor, in the errors' unit.
    pub fn floor(&self) -> f64 {
        self.floor
    }

    /// Judges the next error, which is 0 or more and finite.
    pub fn on_error(&mut self, error: f64) -> Judgement {
        self.errors.push(error);
        if error <= self.floor {
            self.found = None;
            return Judgement { score: error, threshold: self.floor, expected: None, samples: 1 };
        }
        let found = match self.found {
            Some(found) if found.age < self.rule.step && error <= found.at_error * GROWTH => {
                Found { age: found.age + 1, ..found }
            }
            _ => Found { threshold: self.find(error), at_error: error, age: 1 },
        };
        self.found = Some(found);
        Judgement { score: error, threshold: found.threshold, expected: None, samples: found.age }
    }

    /// Forgets the errors and keeps the floor.
    pub fn clear(&mut self) {
        self.errors.clear();
        self.found = None;
    }

    /// The threshold for the newest error: at least the floor, and not below an error that is pruned.
    fn find(&self, newest: f64) -> f64 {
        let (mean, deviation) = (self.errors.mean(), self.errors.deviation());
        let least = mean + f64::from(*DEVIATIONS.start()) / 2.0 * deviation;
        let high: Vec<(usize, f64)> =
            self.errors.iter().enumerate().filter(|(_, error)| *error > least).collect();
        let mut best: (f64, f64) = (0.0, mean + f64::from(*DEVIATIONS.end()) / 2.0 * deviation);
        for halves in DEVIATIONS {
            let threshold = mean + f64::from(halves) / 2.0 * deviation;
            let gain = self.gain(&high, threshold);
            if gain > best.0 {
                best = (gain, threshold);
            }
        }
        let threshold = best.1.max(self.floor);
        if newest > threshold && !self.stands_out(&high, threshold) { newest } else { threshold }
    }

    /// How much lower mean and deviation would be without the errors above a threshold, for how few those are.
    fn gain(&self, high: &[(usize, f64)], threshold: f64) -> f64 {
        let (mean, deviation) = (self.errors.mean(), self.errors.deviation());
        let above = high.iter().filter(|(_, error)| *error > threshold);
        let (mut count, mut sum, mut squares) = (0_usize, 0.0, 0.0);
        for (_, error) in above {
            count += 1;
            sum += error;
            squares += error * error;
        }
        let left = self.errors.len() - count;
        let runs = runs(high, threshold).len();
        if count == 0 || left * 2 <= self.errors.len() || runs > RUNS_MAX || mean <= 0.0 || deviation <= 0.0 {
            return 0.0;
        }
        let left_mean = (self.errors.sum() - sum) / left as f64;
        let left_variance = (self.errors.squares() - squares) / left as f64 - left_mean * left_mean;
        let decrease = (mean - left_mean) / mean + (deviation - left_variance.max(0.0).sqrt()) / deviation;
        decrease / (runs * runs + count) as f64
    }

    /// Whether the run of the newest error is one of those whose highest errors stand out.
    fn stands_out(&self, high: &[(usize, f64)], threshold: f64) -> bool {
        let mut runs = runs(high, threshold);
        let newest_place = self.errors.len() - 1;
        runs.sort_by(|a, b| b.highest.total_cmp(&a.highest));
        let usual = self.errors.iter().filter(|error| *error <= threshold).fold(0.0, f64::max);
        let after = runs.iter().skip(1).map(|run| run.highest).chain([usual]);
        let decreases: Vec<bool> = runs
            .iter()
            .zip(after)
            .map(|(run, next)| run.highest - next > self.rule.pruning * run.highest)
            .collect();
        // Everything above the last clear step down stands out.
        let kept = decreases.iter().rposition(|is_clear| *is_clear).map_or(0, |place| place + 1);
        runs.iter().take(kept).any(|run| run.last == newest_place)
    }
}

fn runs(high: &[(usize, f64)], threshold: f64) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for &(place, error) in high.iter().filter(|(_, error)| *error > threshold) {
        match runs.last_mut() {
            Some(run) if place - run.last <= RUN_GAP => {
                *run = Run { highest: run.highest.max(error), last: place };
            }
            _ => runs.push(Run { highest: error, last: place }),
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    fn threshold() -> DynamicThreshold {
        DynamicThreshold::new(DynamicThresholdRule::default(), 0.5)
    }

    /// Noise that repeats, 0 to 0.3.
    fn noise(place: usize) -> f64 {
        ((place * 7919) % 100) as f64 / 333.0
    }

    #[test]
    fn noise_below_the_floor_is_never_anomalous() {
        let mut threshold = threshold();
        assert!((0..5_000).all(|place| !threshold.on_error(noise(place)).is_anomalous()));
    }

    #[test]
    fn an_error_that_stands_out_is_anomalous_at_its_first_sample() {
        let mut threshold = threshold();
        assert!((0..2_500).all(|place| !threshold.on_error(noise(place)).is_anomalous()));
        let judged = threshold.on_error(3.0);
        assert!(judged.is_anomalous(), "{judged:?}");
        assert!(judged.threshold >= threshold.floor());
    }

    #[test]
    fn what_happens_all_the_time_is_no_anomaly_even_above_the_floor() {
        let mut threshold = threshold();
        let error = |place: usize| if place.is_multiple_of(150) { 2.0 + noise(place) } else { noise(place) };
        let found =
            (0..4_500).filter(|place| threshold.on_error(error(*place)).is_anomalous() && *place > 2_100);
        assert_eq!(found.count(), 0);
    }
}
