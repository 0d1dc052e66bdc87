//! Limits of parameters: what is in force, its versions, and changes that somebody wants or tries.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::AlarmSeverity;

/// Answer of `GET /api/v1/missions/{mission}/limits`.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct Limits {
    /// The server's time, for which this counts.
    pub at: String,
    /// Number of the version in force; absent when the dictionary's own limits count alone.
    pub in_force: Option<u32>,
    /// Number of the newest version, in force or not: what changes are based on. Absent when there is none.
    pub newest: Option<u32>,
    /// What a value is that equals a bound of changed limits: as the version in force says it.
    pub bounds: LimitBounds,
    /// All parameters that have limits now, by name.
    pub limits: Vec<ParameterLimits>,
    /// All versions, newest first.
    pub versions: Vec<LimitsVersion>,
}

/// What a value is that equals a bound.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LimitBounds {
    /// Still good.
    #[default]
    Good,
    /// A violation already.
    Violation,
}

/// A version of the limits that a mission keeps beside its dictionary.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct LimitsVersion {
    /// Counted from 1. Of several in force at one moment the highest counts.
    pub number: u32,
    /// From which generation time on it is in force; absent: from the beginning.
    pub effective_from: Option<String>,
    /// Until when; absent: until a higher number counts.
    pub effective_to: Option<String>,
    /// When it was imported; absent at a node, which does not know.
    pub imported_at: Option<String>,
    /// By whom; absent when the import did not say, and at a node.
    pub author: Option<String>,
    /// Why.
    pub note: Option<String>,
}

/// Where limits come from.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LimitsSource {
    /// The mission's dictionary.
    Dictionary,
    /// The document beside it, which replaces all that the dictionary says of the parameter.
    Overlay,
}

/// The limits of one parameter.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct ParameterLimits {
    /// Full name.
    pub parameter: String,
    /// Where they come from.
    pub source: LimitsSource,
    /// In the order in which they are tried: the first whose context holds counts.
    pub contexts: Vec<LimitsInContext>,
    /// Successive violations before an alarm is raised.
    pub persistence: u32,
    /// How far within its range a value must come back before an alarm is over, in the parameter's unit.
    pub hysteresis: f64,
    /// Smaller changes than this are not judged anew, in the parameter's unit.
    pub deadband: f64,
}

/// Limits that count while something holds.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct LimitsInContext {
    /// What must hold, as `MODE=SAFE; GAIN>=4` in a document and `MODE == SAFE and GAIN >= 4` in a dictionary; absent:
    /// nothing.
    pub context: Option<String>,
    /// Ranges of a number, the least severe first. Empty: every value is good.
    pub ranges: Vec<LimitRange>,
    /// Labels of an enumeration that are violations.
    pub labels: Vec<LabelSeverity>,
    /// Generation time from which on this row of a document is in force; absent: as long as the document.
    pub effective_from: Option<String>,
    /// Until when; absent: as long as the document.
    pub effective_to: Option<String>,
    /// Who set it, where its row says so.
    pub author: Option<String>,
    /// Why, where its row says so.
    pub reason: Option<String>,
}

/// A range and what lies on its wrong side.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct LimitRange {
    /// How bad that is.
    pub severity: AlarmSeverity,
    /// Lower end; absent: not limited.
    pub low: Option<f64>,
    /// Upper end; absent: not limited.
    pub high: Option<f64>,
    /// Whether a value that equals the lower end lies in the range.
    pub holds_low: bool,
    /// Whether a value that equals the upper end lies in the range.
    pub holds_high: bool,
    /// `true`: values in it are the bad ones, as only dictionaries say.
    pub is_of_bad_values: bool,
}

/// How bad a label is.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct LabelSeverity {
    /// The label.
    pub label: String,
    /// How bad.
    pub severity: AlarmSeverity,
}

/// Answer of `GET /api/v1/missions/{mission}/limits/{number}`.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct LimitsDocument {
    /// Which version.
    pub version: LimitsVersion,
    /// Name of its file; TOML when it ends in `.toml`, else CSV.
    pub file_name: String,
    /// What it says of a value that equals a bound.
    pub bounds: LimitBounds,
    /// Its text.
    pub text: String,
    /// What it says of each parameter it names, by name, whenever its rows are in force.
    pub limits: Vec<ParameterLimits>,
}

/// Body of `PUT /api/v1/missions/{mission}/limits`.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewLimits {
    /// `newest` as it was when the change was thought of; absent when there was none. Refused when there is a newer one.
    pub based_on: Option<u32>,
    /// From which generation time on it is to be in force; from now on when absent.
    #[serde(default)]
    pub effective_from: Option<String>,
    /// Why; 1 to 4,096 bytes.
    pub note: String,
    /// What is to be.
    pub content: LimitsContent,
}

/// What a new version says.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
#[serde(deny_unknown_fields, tag = "kind", rename_all = "kebab-case")]
pub enum LimitsContent {
    /// The same as the version in force then, but for some parameters.
    Changes {
        /// 1 to 1,000, one for each parameter.
        changes: Vec<LimitsChange>,
    },
    /// A whole document.
    Document {
        /// Its text, of at most 1 MiB.
        text: String,
        /// How it is written.
        format: LimitsFormat,
        /// What a value is that equals a bound, where the text does not say it.
        #[serde(default)]
        bounds: Option<LimitBounds>,
        /// Until when it is to be in force; for ever when absent.
        #[serde(default)]
        effective_to: Option<String>,
    },
}

/// How a document is written.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LimitsFormat {
    /// A table.
    Csv,
    /// Tables of TOML.
    Toml,
}

/// What is to become of a parameter's limits.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
#[serde(deny_unknown_fields, tag = "kind", rename_all = "kebab-case")]
pub enum LimitsChange {
    /// Those of the dictionary count again.
    Dictionary {
        /// Full name.
        parameter: String,
    },
    /// These count.
    Overlay {
        /// Full name.
        parameter: String,
        /// In the order in which they are tried, 1 to 32; the one without a context last.
        contexts: Vec<NewLimitsInContext>,
        /// 1 when absent.
        #[serde(default)]
        persistence: Option<u32>,
        /// 0 when absent.
        #[serde(default)]
        hysteresis: Option<f64>,
        /// 0 when absent.
        #[serde(default)]
        deadband: Option<f64>,
    },
}

impl LimitsChange {
    /// Full name of the parameter.
    pub fn parameter(&self) -> &str {
        match self {
            Self::Dictionary { parameter } | Self::Overlay { parameter, .. } => parameter,
        }
    }
}

/// Limits that are to count while something holds.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewLimitsInContext {
    /// What must hold, as `MODE=SAFE; GAIN>=4`; absent: nothing.
    #[serde(default)]
    pub context: Option<String>,
    /// At most one for each severity. None: every value is good.
    pub ranges: Vec<NewLimitRange>,
}

/// A range of good values that is to be.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewLimitRange {
    /// How bad a value outside it is.
    pub severity: AlarmSeverity,
    /// Lower end; absent: not limited.
    #[serde(default)]
    pub low: Option<f64>,
    /// Upper end; absent: not limited.
    #[serde(default)]
    pub high: Option<f64>,
}

/// Body of `POST /api/v1/missions/{mission}/limits/trial`.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LimitsTrialQuestion {
    /// 1 to 100, one for each parameter.
    pub changes: Vec<LimitsChange>,
    /// How many days back from now, 1 to 31; 7 when absent.
    #[serde(default)]
    pub days: Option<u32>,
}

/// Answer of `POST /api/v1/missions/{mission}/limits/trial`.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct LimitsTrial {
    /// Beginning of the span of generation time.
    pub from: String,
    /// Its end.
    pub to: String,
    /// What would have been, one for each change, in their order.
    pub parameters: Vec<ParameterTrial>,
    /// Whether the time for the answer was over before all was looked at: then some parameters have a `judged_until`.
    pub is_cut: bool,
}

/// What the limits in force and others make of a parameter's archived samples.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct ParameterTrial {
    /// Full name.
    pub parameter: String,
    /// Samples that were judged.
    pub samples: u64,
    /// Where it was cut: samples from there on were not judged. Absent: all were.
    pub judged_until: Option<String>,
    /// Under those in force now, as if they had been in force all the time.
    pub in_force: TrialOutcome,
    /// Under those that were tried.
    pub proposed: TrialOutcome,
}

/// Alarms that would have been raised.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct TrialOutcome {
    /// How many in all.
    pub raised: u64,
    /// By the worst that each of them was, the least severe first; severities without any are left out.
    pub excursions: Vec<Excursions>,
}

/// Alarms that were at worst of one severity.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct Excursions {
    /// Which.
    pub severity: AlarmSeverity,
    /// How many.
    pub count: u64,
    /// When the first was raised.
    pub first: String,
    /// When the last was raised.
    pub last: String,
    /// How long they stood, all together. One that stands at the end counts up to the last sample.
    pub total_seconds: f64,
    /// The value farthest beyond its limit; absent where it is none that JSON can hold.
    pub worst: Option<f64>,
}
