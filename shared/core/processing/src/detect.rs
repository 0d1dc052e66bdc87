//! Streaming detectors: what is unusual about one parameter, told sample by sample, and why.
//!
//! Each detector looks for one thing, in bounded memory and with a bounded number of operations a sample. A
//! [`Suite`] runs several over one parameter, with a baseline of its own for each mode, and makes one [`Detection`]
//! of what they say. Nothing here takes a clock or chance, and a state can be [saved](Suite::encode): the same
//! samples give the same detections again. Limits are judged elsewhere (`MissionDecoder`, [`AlarmRaising`]).
//!
//! Whatever comes has a defined result, and no score is ever NaN or infinite:
//! - NaN and infinite values are neither judged nor learned; they interrupt nothing.
//! - Values beyond ±1e30 count as ±1e30.
//! - Samples that are not newer than the newest one seen are not judged. After [`LATE_MAX`] of them in a row, each
//!   newer than the one before, the clock counts as set back and judging goes on from there.
//! - After a gap longer than the rule's `gap_max_s`, a clock set back, and at each change of mode, what was learned
//!   is kept and what leads up to a sample (lags, runs, smoothed errors) begins anew.
//! - A channel that is constant while it is learned has an allowed band no wider than its rule's floor: `0` means
//!   that any other value is a detection.
//!
//! [`AlarmRaising`]: crate::AlarmRaising

mod autoregression;
mod bank;
mod change;
mod dynamic_threshold;
mod flat_line;
mod forecast;
mod hampel;
mod likelihood;
mod linear;
mod method;
mod quantile;
mod range;
mod rate_of_change;
mod recursive;
mod residual;
mod saved;
mod seasonal;
mod spread;
mod stale;
mod suite;
mod trained_forecast;
mod window;
mod z_score;

use serde::{Deserialize, Serialize};
use space_packet::GenerationTime;

pub use autoregression::AutoregressionRule;
pub use change::ChangeRule;
pub use dynamic_threshold::{DynamicThreshold, DynamicThresholdRule};
pub use flat_line::FlatLineRule;
pub use hampel::HampelRule;
pub use likelihood::LikelihoodRule;
pub use method::{DetectorKind, MethodRule};
pub use range::RangeRule;
pub use rate_of_change::RateOfChangeRule;
pub use recursive::RecursiveRule;
pub use residual::{ResidualRule, ResidualStage};
pub use saved::SavedStateError;
pub use seasonal::SeasonalRule;
pub use spread::SpreadRule;
pub use stale::StaleRule;
pub use suite::{DetectorRule, LATE_MAX, MODES_MAX, Outcome, Phase, Suite, SuiteRule, Training};
pub use trained_forecast::ForecastRule;
pub use z_score::ZScoreRule;

/// Ratios of score to threshold are no larger, so that a threshold of 0 has a defined one.
pub const RATIO_MAX: f64 = 1e6;

/// Values are no larger: their squares, and the sums of those, stay finite.
const VALUE_MAX: f64 = 1e30;

/// One number of a parameter, and what is known of the moment it was taken.
#[derive(Clone, Copy, Debug)]
pub struct Observation<'a> {
    /// When the spacecraft took it.
    pub time: GenerationTime,
    /// Its engineering value.
    pub value: f64,
    /// Commands and other inputs in effect, always in the same order; 0 and 1 for those that are on or off. At most
    /// [`INPUTS_MAX`]; further ones are passed over, missing ones count as 0.
    pub inputs: &'a [f64],
    /// Which mode the spacecraft is in; each has a baseline of its own.
    pub mode: u32,
    /// Whether something else found fault with it (limits, a verdict): it is judged, and never learned.
    pub is_flagged: bool,
}

/// Inputs that a detector takes into account.
pub const INPUTS_MAX: usize = 64;

/// What one detector says of a sample.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Judgement {
    /// How unusual it is, in the detector's own unit; 0 or more, finite.
    pub score: f64,
    /// What the score may be, in the same unit; 0 or more, finite.
    pub threshold: f64,
    /// The value that would have been usual, where the detector has an idea.
    pub expected: Option<f64>,
    /// Samples up to this one that the score is made of; at least 1.
    pub samples: u32,
}

impl Judgement {
    /// Whether the score is above the threshold.
    pub fn is_anomalous(&self) -> bool {
        self.score > self.threshold
    }

    /// The score in thresholds, 0 to [`RATIO_MAX`]: above 1 exactly if it is anomalous.
    pub fn ratio(&self) -> f64 {
        match () {
            // Also where there is no threshold.
            () if self.score <= 0.0 => 0.0,
            () if !self.is_anomalous() => (self.score / self.threshold).min(1.0),
            // The next number after 1, where the division rounds down to it.
            () => (self.score / self.threshold).clamp(1.0 + f64::EPSILON, RATIO_MAX),
        }
    }
}

/// Samples of one parameter by their generation times.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct SampleSpan {
    /// The first of them.
    pub first: GenerationTime,
    /// The last of them.
    pub last: GenerationTime,
    /// How many.
    pub samples: u32,
}

/// The number of a model's document, among those of the same parameter and kind: with those two it names one model.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub struct ModelVersion(pub u32);

/// Something unusual about a parameter, and why it is thought to be.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Detection {
    /// Which detector saw it most clearly.
    pub detector: DetectorKind,
    /// That detector's score at the worst sample so far, in its own unit.
    pub score: f64,
    /// What the score might have been.
    pub threshold: f64,
    /// The value that would have been usual there, where the detector has an idea.
    pub expected: Option<f64>,
    /// The value that was there.
    pub seen: f64,
    /// The samples that speak for it.
    pub window: SampleSpan,
    /// The trained model whose forecast it was, where it was one.
    pub model: Option<ModelVersion>,
}

/// What a detector may take from a sample.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Lesson {
    /// Nothing of what is usual: a detector finds it anomalous. It may be counted among all there was.
    Anomalous,
    /// Nothing: something else found fault with it, or learning is frozen.
    Nothing,
    /// What is usual.
    Fit,
    /// How far from usual the usual is.
    Calibrate,
    /// That things have moved on a little.
    Adapt,
}

impl Lesson {
    /// Whether the sample is one of those that baselines are made of.
    fn is_usual(self) -> bool {
        !matches!(self, Self::Anomalous | Self::Nothing)
    }
}

/// A sample on its way through the detectors: its value is finite and bounded, and it is newer than the previous.
#[derive(Clone, Copy, Debug)]
struct Step<'a> {
    time: GenerationTime,
    value: f64,
    inputs: &'a [f64],
    /// The sample before, unless there was an interruption.
    previous: Option<Previous>,
    /// What a trained model expected, where there is one.
    forecast: Option<f64>,
}

/// The sample before another.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
struct Previous {
    time: GenerationTime,
    value: f64,
}

impl Step<'_> {
    /// Seconds since the sample before.
    fn elapsed_s(&self) -> Option<f64> {
        self.previous.map(|previous| seconds_between(previous.time, self.time))
    }

    /// How much the value changed since the sample before.
    fn change(&self) -> Option<f64> {
        self.previous.map(|previous| self.value - previous.value)
    }
}

fn seconds_between(from: GenerationTime, to: GenerationTime) -> f64 {
    to.0.0.saturating_sub(from.0.0) as f64 * 1e-9
}

/// What looks for one kind of unusual thing.
trait Method {
    /// Judges a sample by what was before it; `None` while it knows too little.
    fn judge(&mut self, step: &Step) -> Option<Judgement>;

    /// Takes the sample that was just judged for the one before the next, and learns from it what it may.
    fn absorb(&mut self, step: &Step, lesson: Lesson);

    /// What [`Lesson::Fit`] brought is all there is before calibration.
    fn on_fitted(&mut self) {}

    /// What [`Lesson::Calibrate`] brought is all there is before judging.
    fn on_calibrated(&mut self) {}

    /// What comes next does not follow what was before.
    fn on_interrupted(&mut self) {}
}

#[cfg(test)]
mod tests;
