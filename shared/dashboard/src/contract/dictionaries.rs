//! Versions of a mission's dictionary, and what a new one would change.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::ParameterKind;

/// Answer of `GET /api/v1/missions/{mission}/dictionary`.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct DictionaryDocuments {
    /// All versions, newest first.
    pub versions: Vec<DictionaryDocument>,
}

/// A version of a mission's dictionary, as it was imported.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct DictionaryDocument {
    /// Counted from 1.
    pub number: u32,
    /// Name of the document's root; null for the second that this hub needs to take in what another one imported.
    pub name: Option<String>,
    /// What the document says its version is.
    pub version: Option<String>,
    /// From which generation time on it is in force; null for the first.
    pub effective_from: Option<String>,
    /// Whether it is in force for what is made now.
    pub in_force: bool,
    /// Parameters it has; null as `name` is.
    pub parameter_count: Option<usize>,
    /// Length of its text.
    pub bytes: u64,
    /// What its file is called.
    pub file_name: String,
    /// When it was imported.
    pub imported_at: String,
    /// Who imported it; null when nobody said.
    pub author: Option<String>,
    /// Why; null when nobody said.
    pub reason: Option<String>,
}

/// Answer of `PUT /api/v1/missions/{mission}/dictionary`.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct DictionaryImport {
    /// What became of it.
    pub outcome: DictionaryOutcome,
    /// Number of the version: the one it got, would get, or is known by.
    pub number: u32,
    /// From which generation time on it is, or would be, in force; null: from the beginning.
    pub effective_from: Option<String>,
    /// Against the newest version before.
    pub changes: DictionaryChanges,
}

/// What became of a dictionary that was sent.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DictionaryOutcome {
    /// It is a new version now. The hub and the mission's nodes take it within seconds.
    Imported,
    /// The newest version says the same; nothing was changed.
    Known,
    /// It could be imported; nothing was changed.
    WouldImport,
}

/// What a version of a dictionary changes.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct DictionaryChanges {
    /// Parameters before.
    pub parameters_before: usize,
    /// Parameters after.
    pub parameters_after: usize,
    /// Full names of parameters that are new; the first 1,000 in the order of the alphabet.
    pub added: Vec<String>,
    /// How many are new.
    pub added_count: usize,
    /// Full names of parameters that are gone; the first 1,000. What was received of them stays.
    pub removed: Vec<String>,
    /// How many are gone.
    pub removed_count: usize,
    /// Parameters of another kind or unit than before; the first 1,000.
    pub changed: Vec<ParameterChange>,
    /// How many are of another kind or unit.
    pub changed_count: usize,
}

/// A parameter that a version changes.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct ParameterChange {
    /// Full name.
    pub name: String,
    /// Kind before.
    pub kind_before: ParameterKind,
    /// Kind after.
    pub kind_after: ParameterKind,
    /// Unit before.
    pub unit_before: Option<String>,
    /// Unit after.
    pub unit_after: Option<String>,
}
