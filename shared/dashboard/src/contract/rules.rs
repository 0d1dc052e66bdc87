//! Documents of rules, of alarms and of detection: versions, texts, what is wrong with them, and what is detected.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{AlarmSeverity, Value};

/// Answer of `GET /api/v1/missions/{mission}/alarm-rules/{number}` and of `…/detection-rules/{number}`.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct RulesDocument {
    /// Which version.
    pub version: RulesVersion,
    /// The TOML text.
    pub text: String,
}

/// Body of `PUT /api/v1/missions/{mission}/alarm-rules` and of `…/detection-rules`.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewRules {
    /// Number of the newest version as it was when the text was thought of; absent when there was none. Refused when
    /// there is a newer one that says something else.
    pub based_on: Option<u32>,
    /// The TOML text: of at most 1 MiB for alarms, 256 KiB for detection.
    pub text: String,
    /// Why; 1 to 4,096 bytes.
    pub reason: String,
}

/// Body of `POST /api/v1/missions/{mission}/alarm-rules/check` and of `…/detection-rules/check`.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RulesToCheck {
    /// The TOML text, as in [`NewRules`].
    pub text: String,
}

/// A version of a mission's rules document.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct RulesVersion {
    /// Its number among the versions of the mission, from 1.
    pub number: u32,
    /// The version that the document says of itself; that of alarm rules stands in the history of each alarm raised under it.
    pub document_version: u32,
    /// Who brought it into force.
    pub author: String,
    /// Why.
    pub reason: String,
    /// When it came into force here.
    pub imported_at: String,
    /// What is wrong with it. These parts are left out, all others count.
    pub problems: Vec<RulesProblem>,
}

/// What is wrong with a part of a rules document.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct RulesProblem {
    /// Line, counted from 1.
    pub line: u32,
    /// Character within that line, counted from 1.
    pub column: u32,
    /// What was found, and what was expected instead.
    pub message: String,
}

/// Answer of `GET /api/v1/missions/{mission}/detection-rules`.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct DetectionRules {
    /// What counts at this server now.
    pub in_force: DetectionRulesInForce,
    /// All versions of the document that this server knows, newest first.
    pub versions: Vec<RulesVersion>,
}

/// Detection rules that count.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct DetectionRulesInForce {
    /// The version that the document says of itself; 0 when it says none, or when there is none.
    pub document_version: u32,
    /// In the order in which they are tried: the first that names a parameter counts.
    pub rules: Vec<DetectionRule>,
    /// What is wrong with the document. These parts are left out, all others count.
    pub problems: Vec<RulesProblem>,
}

/// Which detectors watch some parameters.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct DetectionRule {
    /// Where it begins in the document; lines are counted from 1.
    pub line: u32,
    /// Full names of parameters, `*` for any run of characters.
    pub parameters: Vec<String>,
    /// How bad is what is found.
    pub severity: AlarmSeverity,
    /// Full name of the parameter whose number is the mode; each has a baseline of its own.
    pub mode: Option<String>,
    /// Usual samples from which is learned what is usual.
    pub training_fit: u32,
    /// Usual samples after those, from which is learned how far from it the usual is.
    pub training_calibrate: u32,
    /// After a longer gap, what led up to it does not count; absent: it always does.
    pub gap_max_s: Option<f64>,
    /// Anomalous samples so near to each other are one detection.
    pub merge_within: u32,
    /// Samples after the last anomalous one that count as anomalous too.
    pub linger: u32,
    /// What one of them finds counts.
    pub detectors: Vec<RuleDetector>,
}

/// A detector of a rule.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct RuleDetector {
    /// Which, for example `range`.
    pub detector: String,
    /// Its settings by name, those that the document leaves out with their defaults: `residual.span` is `span` of `residual`.
    pub settings: BTreeMap<String, Value>,
    /// Anomalous samples in a row before it counts.
    pub persistence: u32,
    /// Samples for which it then counts; 0: for as long as they are anomalous.
    pub hold: u32,
    /// Usual samples in a row before it is raised again.
    pub rearm: u32,
}
