//! The detectors there are, by name.

use serde::{Deserialize, Serialize};

use super::autoregression::{Autoregression, AutoregressionRule};
use super::change::{Change, ChangeRule};
use super::flat_line::{FlatLine, FlatLineRule};
use super::hampel::{Hampel, HampelRule};
use super::likelihood::{Likelihood, LikelihoodRule};
use super::range::{Range, RangeRule};
use super::rate_of_change::{RateOfChange, RateOfChangeRule};
use super::recursive::{Recursive, RecursiveRule};
use super::seasonal::{Seasonal, SeasonalRule};
use super::spread::{Spread, SpreadRule};
use super::stale::{Stale, StaleRule};
use super::trained_forecast::{Forecast, ForecastRule};
use super::z_score::{ZScore, ZScoreRule};
use super::{Judgement, Lesson, Method, Step};

/// One list of the detectors, for their rules, their states and their names.
macro_rules! methods {
    ($($(#[$doc:meta])* $kind:ident($rule:ident),)*) => {
        /// Which detector.
        #[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
        #[serde(rename_all = "snake_case")]
        pub enum DetectorKind { $($(#[$doc])* $kind,)* }

        /// A detector and its rule, as a file of rules names them.
        #[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
        #[serde(rename_all = "snake_case")]
        pub enum MethodRule { $($(#[$doc])* $kind($rule),)* }

        /// A detector with what it has learned.
        #[derive(Clone, Debug, Deserialize, Serialize)]
        pub(super) enum AnyMethod { $($kind(Box<$kind>),)* }

        impl DetectorKind {
            /// All there are, by name.
            pub const ALL: &[Self] = &[$(Self::$kind,)*];
        }

        impl MethodRule {
            /// Which detector it is.
            pub fn kind(&self) -> DetectorKind {
                match self { $(Self::$kind(_) => DetectorKind::$kind,)* }
            }

            pub(super) fn start(&self) -> AnyMethod {
                match self { $(Self::$kind(rule) => AnyMethod::$kind(Box::new($kind::new(*rule))),)* }
            }
        }

        impl AnyMethod {
            pub(super) fn kind(&self) -> DetectorKind {
                match self { $(Self::$kind(_) => DetectorKind::$kind,)* }
            }
        }

        impl Method for AnyMethod {
            fn judge(&mut self, step: &Step) -> Option<Judgement> {
                match self { $(Self::$kind(method) => method.judge(step),)* }
            }

            fn absorb(&mut self, step: &Step, lesson: Lesson) {
                match self { $(Self::$kind(method) => method.absorb(step, lesson),)* }
            }

            fn on_fitted(&mut self) {
                match self { $(Self::$kind(method) => method.on_fitted(),)* }
            }

            fn on_calibrated(&mut self) {
                match self { $(Self::$kind(method) => method.on_calibrated(),)* }
            }

            fn on_interrupted(&mut self) {
                match self { $(Self::$kind(method) => method.on_interrupted(),)* }
            }
        }
    };
}

impl DetectorKind {
    /// As rules and outputs call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Autoregression => "autoregression",
            Self::Change => "change",
            Self::FlatLine => "flat_line",
            Self::Forecast => "forecast",
            Self::Hampel => "hampel",
            Self::Likelihood => "likelihood",
            Self::Range => "range",
            Self::RateOfChange => "rate_of_change",
            Self::Recursive => "recursive",
            Self::Seasonal => "seasonal",
            Self::Spread => "spread",
            Self::Stale => "stale",
            Self::ZScore => "z_score",
        }
    }
}

methods! {
    /// A forecast from the values before and the commands in effect, fitted once.
    Autoregression(AutoregressionRule),
    /// Changes from sample to sample, smoothed.
    Change(ChangeRule),
    /// The same value for longer than ever.
    FlatLine(FlatLineRule),
    /// A forecast that a trained model made.
    Forecast(ForecastRule),
    /// Median absolute deviations from the median of the newest.
    Hampel(HampelRule),
    /// The newest changes beside those of a long time.
    Likelihood(LikelihoodRule),
    /// Outside the range that was learned.
    Range(RangeRule),
    /// Faster than it may change.
    RateOfChange(RateOfChangeRule),
    /// A forecast from the values before that goes on learning.
    Recursive(RecursiveRule),
    /// Away from what is usual at this time of the orbit or day.
    Seasonal(SeasonalRule),
    /// Outside the quartiles by so many interquartile ranges.
    Spread(SpreadRule),
    /// No sample for longer than usual.
    Stale(StaleRule),
    /// Standard deviations from the mean of the newest.
    ZScore(ZScoreRule),
}
