//! The 18 features of a segment that OPSSAT-AD defines, and their log form.
//!
//! A segment is a stretch of one channel, from 2 to [`SEGMENT_SAMPLES_MAX`] samples.

mod peaks;

use peaks::{moving_average, peak_count};

/// The longest segment that is taken.
pub const SEGMENT_SAMPLES_MAX: usize = 65_536;
/// How many features there are.
pub const FEATURES: usize = 18;
/// Their names, in the order of [`SegmentFeatures::values`].
pub const FEATURE_NAMES: [&str; FEATURES] = [
    "duration",
    "len",
    "mean",
    "var",
    "std",
    "kurtosis",
    "skew",
    "n_peaks",
    "smooth10_n_peaks",
    "smooth20_n_peaks",
    "diff_peaks",
    "diff2_peaks",
    "diff_var",
    "diff2_var",
    "gaps_squared",
    "len_weighted",
    "var_div_duration",
    "var_div_len",
];

/// A peak counts when it stands out by this part of the range.
const PROMINENCE: f64 = 0.1;
/// Below this times the mean, a deviation is rounding, and nothing can be said about its shape.
const RESOLUTION: f64 = 1e-15;

/// Why no features can be computed.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum SegmentError {
    /// A value or a time is NaN or infinite.
    #[error("sample {index} of the segment is not a finite number")]
    NotFinite {
        /// Counted from 0.
        index: usize,
    },
    /// Times go backwards or stand still.
    #[error("sample {index} of the segment is not later than the one before it")]
    Order {
        /// Counted from 0.
        index: usize,
    },
    /// The two lists differ in length, or are too short or too long.
    #[error("a segment of {times} times and {values} values: 2 to {SEGMENT_SAMPLES_MAX} of each are wanted")]
    Length {
        /// How many times were given.
        times: usize,
        /// How many values.
        values: usize,
    },
    /// The interval between samples is not a positive number.
    #[error("a sampling interval of {interval_s} s: a positive number is wanted")]
    Sampling {
        /// As given, in seconds.
        interval_s: f64,
    },
}

/// The features of one segment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SegmentFeatures {
    /// One each, in the order of [`FEATURE_NAMES`]. Times are in seconds, values in the channel's unit. Kurtosis and
    /// skew of a constant segment are NaN, as the definition has it. Values beyond 1e150 overflow in their squares.
    pub values: [f64; FEATURES],
}

impl SegmentFeatures {
    /// Of samples at `seconds` with `values`, taken every `interval_s` seconds when none is missing.
    ///
    /// Counts are of peaks that stand out by a tenth of the range; variances divide by the number of values.
    ///
    /// # Errors
    /// [`SegmentError`] when the samples are no segment.
    pub fn of(seconds: &[f64], values: &[f64], interval_s: f64) -> Result<Self, SegmentError> {
        check(seconds, values, interval_s)?;
        let length = values.len() as f64;
        let duration = seconds[seconds.len() - 1] - seconds[0];
        let (mean, variance) = mean_and_variance(values);
        let (kurtosis, skew) = shape(values, mean);
        let steps = differences(values);
        let turns = differences(&steps);
        let gaps_squared = differences(seconds).iter().map(|gap| gap * gap).sum();
        let features = [
            duration,
            length,
            mean,
            variance,
            variance.sqrt(),
            kurtosis,
            skew,
            peaks_of(values),
            peaks_of(&moving_average(values, 10)),
            peaks_of(&moving_average(values, 20)),
            peaks_of(&steps),
            peaks_of(&turns),
            mean_and_variance(&steps).1,
            mean_and_variance(&turns).1,
            gaps_squared,
            interval_s * length,
            variance / duration,
            variance / length,
        ];
        Ok(Self { values: features })
    }

    /// In the form classifiers see: logarithms of what is spread over decades, no NaN and no infinity.
    ///
    /// Quantities in the square of a unit can be as small as 1e-14 and keep their differences; lengths and counts
    /// become `ln(1 + x)`; mean, kurtosis and skew keep their sign. NaN becomes 0, which says "no shape".
    pub fn log_form(&self) -> [f64; FEATURES] {
        let mut form = self.values;
        for (value, kind) in form.iter_mut().zip(FORMS) {
            *value = match kind {
                Form::Count => (1.0 + value.max(0.0)).ln(),
                Form::Signed { unit } => (*value / unit).asinh(),
                Form::Spread => (value.max(0.0) + SMALLEST).ln(),
            };
            if !value.is_finite() {
                *value = 0.0;
            }
        }
        form
    }
}

/// What a spread is when it is 0: below any that a sensor delivers, and not so far below that it outweighs all else.
const SMALLEST: f64 = 1e-18;

#[derive(Clone, Copy)]
enum Form {
    Count,
    Signed { unit: f64 },
    Spread,
}

const SHAPE: Form = Form::Signed { unit: 1.0 };
const FORMS: [Form; FEATURES] = [
    Form::Count,
    Form::Count,
    Form::Signed { unit: 1e-5 },
    Form::Spread,
    Form::Spread,
    SHAPE,
    SHAPE,
    Form::Count,
    Form::Count,
    Form::Count,
    Form::Count,
    Form::Count,
    Form::Spread,
    Form::Spread,
    Form::Count,
    Form::Count,
    Form::Spread,
    Form::Spread,
];

fn check(seconds: &[f64], values: &[f64], interval_s: f64) -> Result<(), SegmentError> {
    if seconds.len() != values.len() || !(2..=SEGMENT_SAMPLES_MAX).contains(&values.len()) {
        return Err(SegmentError::Length { times: seconds.len(), values: values.len() });
    }
    if !interval_s.is_finite() || interval_s <= 0.0 {
        return Err(SegmentError::Sampling { interval_s });
    }
    let finite = |(time, value): (&f64, &f64)| time.is_finite() && value.is_finite();
    if let Some(index) = seconds.iter().zip(values).position(|sample| !finite(sample)) {
        return Err(SegmentError::NotFinite { index });
    }
    match seconds.windows(2).position(|pair| pair[1] <= pair[0]) {
        Some(before) => Err(SegmentError::Order { index: before + 1 }),
        None => Ok(()),
    }
}

fn peaks_of(values: &[f64]) -> f64 {
    peak_count(values, PROMINENCE) as f64
}

fn differences(values: &[f64]) -> Vec<f64> {
    values.windows(2).map(|pair| pair[1] - pair[0]).collect()
}

fn mean_and_variance(values: &[f64]) -> (f64, f64) {
    if values.is_empty() {
        return (0.0, 0.0);
    }
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    (mean, values.iter().map(|value| (value - mean) * (value - mean) / count).sum())
}

/// Excess kurtosis and skew, both biased.
fn shape(values: &[f64], mean: f64) -> (f64, f64) {
    let count = values.len() as f64;
    let moment = |power| values.iter().map(|value| (value - mean).powi(power)).sum::<f64>() / count;
    let second = moment(2);
    if second <= (RESOLUTION * mean) * (RESOLUTION * mean) {
        return (f64::NAN, f64::NAN);
    }
    (moment(4) / (second * second) - 3.0, moment(3) / second.powf(1.5))
}

#[cfg(test)]
mod tests;
