//! Channels that move together: T² says how far they moved along with each other, Q how far against it.
//!
//! A principal component model of nominal rows; both statistics are smoothed by an exponential average, and compared
//! with what they stayed below in the data learnt from. Meant for the hub, which sees all channels.

mod components;

use serde::{Deserialize, Serialize};

use crate::bounded::bounded;
use crate::document::{Trained, TrainingError};
use crate::evaluation::quantile;
use components::principal_components;

/// The most channels of a group.
pub const GROUP_CHANNELS_MAX: usize = 64;
/// The most rows one training takes.
pub const GROUP_ROWS_MAX: usize = 1_000_000;

const NUMBERS_MAX: usize = GROUP_CHANNELS_MAX * GROUP_CHANNELS_MAX;
/// Fewer rows per channel give components that are chance.
const ROWS_PER_CHANNEL_MIN: usize = 10;
/// No deviation counts as more than this, so that every statistic stays finite.
const DEVIATIONS_MAX: f64 = 1e6;
/// A component that explains less than this part of the largest is rounding.
const VARIANCE_MIN: f64 = 1e-9;

/// What a training may choose.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GroupOptions {
    /// Part of the variance that the components explain, between 0 and 1.
    pub explained: f64,
    /// Samples over which statistics are averaged: the weight of a new one is `2 / (smoothing + 1)`.
    pub smoothing: f64,
    /// Part of the rows learnt from that stay below the limits divided by `margin`, between 0 and 1.
    pub below_limits: f64,
    /// How much further than those rows a row may go: the limits are so many times higher; above 0.
    pub margin: f64,
}

impl Default for GroupOptions {
    /// 99 % of the variance, 15 samples, 1.75 times what 99.5 % of the rows stay below.
    fn default() -> Self {
        Self { explained: 0.99, smoothing: 15.0, below_limits: 0.995, margin: 1.75 }
    }
}

/// A group of channels.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct CorrelatedGroup {
    #[serde(deserialize_with = "bounded::<_, _, GROUP_CHANNELS_MAX>")]
    mean: Vec<f64>,
    /// 1 over the standard deviation; 0 for a channel that never changed, which says nothing here.
    #[serde(deserialize_with = "bounded::<_, _, GROUP_CHANNELS_MAX>")]
    weight: Vec<f64>,
    /// Of the components that are kept, the greatest first.
    #[serde(deserialize_with = "bounded::<_, _, GROUP_CHANNELS_MAX>")]
    variance: Vec<f64>,
    /// A row for each component.
    #[serde(deserialize_with = "bounded::<_, _, NUMBERS_MAX>")]
    loadings: Vec<f64>,
    /// Of T² and Q.
    limits: [f64; 2],
    smoothing: f64,
}

/// The averages of T² and Q so far.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct GroupState {
    averages: Option<[f64; 2]>,
}

/// What a group says of a row.
#[derive(Clone, Debug, PartialEq)]
pub struct GroupScore {
    /// T², averaged, in parts of its limit.
    pub along: f64,
    /// Q, averaged, in parts of its limit.
    pub against: f64,
    /// What each channel contributes to Q in this row, not averaged; they add up to Q.
    pub contributions: Vec<f64>,
}

impl GroupScore {
    /// The greater of both: above 1, a limit is passed.
    pub fn score(&self) -> f64 {
        self.along.max(self.against)
    }
}

/// What a training showed.
#[derive(Clone, Debug, PartialEq)]
pub struct GroupReport {
    /// Rows that were learnt from.
    pub rows: usize,
    /// Components that were kept.
    pub components: usize,
    /// Part of the variance that they explain.
    pub explained: f64,
    /// Places of channels that never changed: the group does not watch them.
    pub constant: Vec<usize>,
}

impl CorrelatedGroup {
    /// Learns from nominal `rows` of `channels` values each, one behind the other. Needs memory for the square of the
    /// channels and two numbers a row.
    ///
    /// # Errors
    /// [`TrainingError`] when there are fewer than 2 channels or 10 rows a channel, something is not finite, or fewer
    /// than 2 channels ever change.
    pub fn fit(
        rows: &[f64],
        channels: usize,
        options: &GroupOptions,
    ) -> Result<Trained<Self, GroupReport>, TrainingError> {
        check(rows, channels)?;
        let (mean, weight) = standard(rows, channels);
        let constant: Vec<usize> = (0..channels).filter(|place| weight[*place] == 0.0).collect();
        if channels - constant.len() < 2 {
            return Err(TrainingError::Constant);
        }
        let found = principal_components(&correlations(rows, &mean, &weight), channels);
        let total: f64 = found.iter().map(|(variance, _)| variance).sum();
        let (mut variance, mut loadings, mut explained) = (Vec::new(), Vec::new(), 0.0);
        for (of_component, direction) in found {
            if explained >= options.explained * total || of_component < VARIANCE_MIN * total {
                break;
            }
            explained += of_component;
            variance.push(of_component);
            loadings.extend(direction);
        }
        let weight_of_new = 2.0 / (options.smoothing.max(1.0) + 1.0);
        let mut group = Self { mean, weight, variance, loadings, limits: [1.0; 2], smoothing: weight_of_new };
        group.limits = group.limits_from(rows, options.below_limits).map(|limit| limit * options.margin);
        let report = GroupReport {
            rows: rows.len() / channels,
            components: group.variance.len(),
            explained: explained / total,
            constant,
        };
        Ok(Trained { model: group, report })
    }

    /// How many channels it has.
    pub fn channels(&self) -> usize {
        self.mean.len()
    }

    /// Rows over which scores are averaged.
    pub fn smoothing_rows(&self) -> u32 {
        (2.0 / self.smoothing - 1.0).clamp(1.0, f64::from(u32::MAX)).round() as u32
    }

    /// Judges the next row. A row with a value that is not finite, or not of this many values, is passed over: no
    /// score, and the averages stay as they are.
    pub fn next_score(&self, state: &mut GroupState, row: &[f64]) -> Option<GroupScore> {
        let (statistics, contributions) = self.statistics(row)?;
        let averages = self.averaged(state, statistics);
        let [along, against] = [0, 1].map(|which| averages[which] / self.limits[which]);
        Some(GroupScore { along, against, contributions })
    }

    pub(crate) fn is_sound(&self) -> bool {
        let (channels, kept) = (self.mean.len(), self.variance.len());
        let lengths =
            channels >= 2 && self.weight.len() == channels && self.loadings.len() == kept * channels;
        let finite = |numbers: &[f64]| numbers.iter().all(|number| number.is_finite());
        let positive = |numbers: &[f64]| numbers.iter().all(|number| *number > 1e-12 && number.is_finite());
        lengths
            && kept <= channels
            && finite(&self.mean)
            && self.weight.iter().all(|weight| *weight >= 0.0 && weight.is_finite())
            && self.loadings.iter().all(|loading| (-1.001..=1.001).contains(loading))
            && positive(&self.variance)
            && positive(&self.limits)
            && self.smoothing > 0.0
            && self.smoothing <= 1.0
    }

    /// T² and Q of a row, and what each channel adds to Q.
    fn statistics(&self, row: &[f64]) -> Option<([f64; 2], Vec<f64>)> {
        if row.len() != self.channels() || !row.iter().all(|value| value.is_finite()) {
            return None;
        }
        let scaled = |(place, value): (usize, &f64)| match self.weight[place] {
            0.0 => 0.0,
            weight => ((value - self.mean[place]) * weight).clamp(-DEVIATIONS_MAX, DEVIATIONS_MAX),
        };
        let mut rest: Vec<f64> = row.iter().enumerate().map(scaled).collect();
        let mut along = 0.0;
        for (direction, variance) in self.loadings.chunks_exact(row.len()).zip(&self.variance) {
            let moved: f64 = direction.iter().zip(&rest).map(|(loading, value)| loading * value).sum();
            along += moved * moved / variance;
            rest.iter_mut().zip(direction).for_each(|(value, loading)| *value -= moved * loading);
        }
        rest.iter_mut().for_each(|value| *value *= *value);
        Some(([along, rest.iter().sum()], rest))
    }

    fn averaged(&self, state: &mut GroupState, statistics: [f64; 2]) -> [f64; 2] {
        let before = state.averages.filter(|averages| averages.iter().all(|average| average.is_finite()));
        let before = before.unwrap_or(statistics);
        let averages =
            [0, 1].map(|which| before[which] + self.smoothing * (statistics[which] - before[which]));
        state.averages = Some(averages);
        averages
    }

    fn limits_from(&self, rows: &[f64], below: f64) -> [f64; 2] {
        let mut state = GroupState::default();
        let statistics = rows.chunks_exact(self.channels()).filter_map(|row| self.statistics(row));
        let averages: Vec<[f64; 2]> =
            statistics.map(|(statistics, _)| self.averaged(&mut state, statistics)).collect();
        [0, 1].map(|which| {
            let mut sorted: Vec<f64> = averages.iter().map(|averages| averages[which]).collect();
            sorted.sort_by(f64::total_cmp);
            // Channels that depend on each other exactly leave a Q of rounding errors: no measure for any row.
            quantile(&sorted, below.clamp(0.0, 1.0)).max(1e-6)
        })
    }
}

fn check(rows: &[f64], channels: usize) -> Result<(), TrainingError> {
    if !(2..=GROUP_CHANNELS_MAX).contains(&channels) {
        return Err(TrainingError::Amount { given: channels, least: 2, most: GROUP_CHANNELS_MAX });
    }
    let (given, least) = (rows.len() / channels, ROWS_PER_CHANNEL_MIN * channels);
    if !rows.len().is_multiple_of(channels) {
        return Err(TrainingError::Shape { given: rows.len(), wanted: given * channels });
    }
    if !(least..=GROUP_ROWS_MAX).contains(&given) {
        return Err(TrainingError::Amount { given, least, most: GROUP_ROWS_MAX });
    }
    match rows.iter().position(|value| !value.is_finite()) {
        Some(index) => Err(TrainingError::NotFinite { index }),
        None => Ok(()),
    }
}

/// Means, and 1 over the standard deviations.
fn standard(rows: &[f64], channels: usize) -> (Vec<f64>, Vec<f64>) {
    let count = (rows.len() / channels) as f64;
    let column = |place| rows.iter().skip(place).step_by(channels);
    let means = (0..channels).map(|place| column(place).map(|value| value / count).sum());
    let mean: Vec<f64> = means.collect();
    let weight = (0..channels).map(|place| {
        let square = |value: &f64| (value - mean[place]).powi(2) / count;
        let deviation = column(place).map(square).sum::<f64>().sqrt();
        let weight = 1.0 / deviation;
        if deviation > 1e-12 * mean[place].abs() && weight.is_finite() { weight } else { 0.0 }
    });
    let weight = weight.collect();
    (mean, weight)
}

fn correlations(rows: &[f64], mean: &[f64], weight: &[f64]) -> Vec<f64> {
    let channels = mean.len();
    let count = (rows.len() / channels) as f64;
    let mut matrix = vec![0.0; channels * channels];
    for row in rows.chunks_exact(channels) {
        let scaled: Vec<f64> =
            (0..channels).map(|place| (row[place] - mean[place]) * weight[place]).collect();
        for (place, left) in scaled.iter().enumerate() {
            for (entry, right) in matrix[place * channels..].iter_mut().zip(&scaled) {
                *entry += left * right / count;
            }
        }
    }
    matrix
}

#[cfg(test)]
mod tests;
