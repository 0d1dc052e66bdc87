//! Documents of rules: versions, texts, and what is wrong with them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Answer of `GET /api/v1/missions/{mission}/alarm-rules/{number}`.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct RulesDocument {
    /// Which version.
    pub version: RulesVersion,
    /// The TOML text.
    pub text: String,
}

/// Body of `PUT /api/v1/missions/{mission}/alarm-rules`.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewRules {
    /// The TOML text, of at most 1 MiB.
    pub text: String,
    /// Why; 1 to 4,096 bytes.
    pub reason: String,
}

/// A version of a mission's rules document.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct RulesVersion {
    /// Its number among the versions of the mission, from 1.
    pub number: u32,
    /// The version that the document says of itself; it stands in the history of each alarm that was raised under it.
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
