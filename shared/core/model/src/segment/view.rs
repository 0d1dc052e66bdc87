//! What a classifier sees of a segment: its features in one scale, and which channel it is of.

use serde::{Deserialize, Serialize};

use super::Example;
use crate::features::{FEATURES, SegmentFeatures};

/// A number moves no further from the middle than this many deviations: finite whatever came in.
const DEVIATIONS_MAX: f64 = 100.0;
/// Ratios of two features that say more than either, as places of the log form: how rough a segment is against how
/// far it spreads, how much it turns against how rough it is, how often it turns, how much of it is missing, and how
/// far apart its samples are.
const RATIOS: [(usize, usize); 5] = [(12, 3), (13, 12), (11, 1), (14, 15), (15, 1)];
const NUMBERS: usize = FEATURES + RATIOS.len();

/// Means and deviations of the log form over the segments that were learnt from.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub(super) struct View {
    channels: u16,
    mean: [f64; NUMBERS],
    deviation: [f64; NUMBERS],
}

impl View {
    pub(super) fn fit(examples: &[Example], channels: usize) -> Self {
        let (mut mean, mut deviation) = ([0.0; NUMBERS], [0.0; NUMBERS]);
        let count = examples.len().max(1) as f64;
        let forms: Vec<[f64; NUMBERS]> = examples.iter().map(|example| numbers(&example.features)).collect();
        for place in 0..NUMBERS {
            mean[place] = forms.iter().map(|form| form[place]).sum::<f64>() / count;
            let square = |form: &[f64; NUMBERS]| (form[place] - mean[place]).powi(2);
            let spread = (forms.iter().map(square).sum::<f64>() / count).sqrt();
            // A feature that never differed says nothing by its scale, and something when it differs at last.
            deviation[place] = if spread > 1e-9 { spread } else { 1.0 };
        }
        Self { channels: channels as u16, mean, deviation }
    }

    pub(super) fn channels(&self) -> usize {
        usize::from(self.channels)
    }

    /// How many numbers [`Self::row`] gives.
    pub(super) fn width(&self) -> usize {
        NUMBERS + self.channels()
    }

    /// Deviations from the mean of each number, then a 1 for the segment's channel and a 0 for every other.
    pub(super) fn row(&self, channel: usize, features: &SegmentFeatures) -> Vec<f64> {
        let mut row = self.deviations(features).to_vec();
        row.extend((0..self.channels()).map(|other| f64::from(u8::from(other == channel))));
        row
    }

    /// Of the 18 features in log form, in deviations from their means.
    pub(super) fn deviations(&self, features: &SegmentFeatures) -> [f64; NUMBERS] {
        let mut form = numbers(features);
        for (place, number) in form.iter_mut().enumerate() {
            let deviations = (*number - self.mean[place]) / self.deviation[place];
            *number = deviations.clamp(-DEVIATIONS_MAX, DEVIATIONS_MAX);
        }
        form
    }

    pub(super) fn is_sound(&self) -> bool {
        let finite = self.mean.iter().all(|mean| mean.is_finite());
        finite && self.deviation.iter().all(|deviation| deviation.is_finite() && *deviation > 0.0)
    }
}

fn numbers(features: &SegmentFeatures) -> [f64; NUMBERS] {
    let form = features.log_form();
    let mut numbers = [0.0; NUMBERS];
    numbers[..FEATURES].copy_from_slice(&form);
    for (number, (above, below)) in numbers[FEATURES..].iter_mut().zip(RATIOS) {
        *number = form[above] - form[below];
    }
    numbers
}
