//! What says how a mission is watched: rules of alarms and detection, and trained models.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use model::{MODEL_BYTES_MAX, ModelDocument};
use processing::alarm::AlarmRules;
use processing::watch::DetectionRules;
use space_packet::TaiTime;

use super::{DocumentError, DocumentKind, MissionDocument};

/// What of a mission's documents says how it is watched: of each kind the newest.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Watching {
    /// Rules of alarms.
    pub alarm_rules: Option<MissionDocument>,
    /// Rules of detection.
    pub detection_rules: Option<MissionDocument>,
    /// Models: of one kind for the same channels, the newest.
    pub models: Vec<ModelDocument>,
    /// Since when they are in force, by number.
    pub models_since: BTreeMap<u32, TaiTime>,
}

impl Watching {
    /// Finds them among a mission's documents, whatever their order. What does not read is left out: it was checked
    /// when it came in, so this is an older program than the one that took it.
    pub fn of(documents: &[MissionDocument]) -> Self {
        let newest = |kind| {
            let of_kind = documents.iter().filter(|document| document.kind == kind);
            of_kind.max_by_key(|document| document.number).cloned()
        };
        let mut models: BTreeMap<_, (u32, ModelDocument)> = BTreeMap::new();
        for document in documents.iter().filter(|document| document.kind == DocumentKind::Model) {
            let Ok(mut model) = decode_model(document) else { continue };
            model.number = document.number;
            let known = models.entry(judges(&model)).or_insert_with(|| (document.number, model.clone()));
            if known.0 < document.number {
                *known = (document.number, model);
            }
        }
        let models: Vec<ModelDocument> = models.into_values().map(|(_, model)| model).collect();
        let of_models = documents.iter().filter(|document| document.kind == DocumentKind::Model);
        let models_since = of_models
            .filter(|document| models.iter().any(|model| model.number == document.number))
            .filter_map(|document| Some((document.number, document.effective_from?)));
        Self {
            alarm_rules: newest(DocumentKind::AlarmRules),
            detection_rules: newest(DocumentKind::DetectionRules),
            models_since: models_since.collect(),
            models,
        }
    }

    /// Numbers of documents that nobody needs any more, because a newer one says all that they say.
    pub fn superseded(documents: &[MissionDocument]) -> Vec<(DocumentKind, u32)> {
        let in_use = Self::of(documents);
        let is_newest = |kept: &Option<MissionDocument>, document: &MissionDocument| {
            kept.as_ref().is_some_and(|kept| kept.number == document.number)
        };
        let is_needed = |document: &&MissionDocument| match document.kind {
            DocumentKind::Dictionary | DocumentKind::Limits => true,
            DocumentKind::AlarmRules => is_newest(&in_use.alarm_rules, document),
            DocumentKind::DetectionRules => is_newest(&in_use.detection_rules, document),
            DocumentKind::Model => in_use.models.iter().any(|model| model.number == document.number),
        };
        documents
            .iter()
            .filter(|document| !is_needed(document))
            .map(|document| (document.kind, document.number))
            .collect()
    }
}

/// What a model replaces an earlier one by: its kind and its channels.
fn judges(model: &ModelDocument) -> (&'static str, Vec<String>) {
    (model.model.kind(), model.channels.clone())
}

/// A model document's bytes as a mission document has them.
pub fn encode_model(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

fn decode_model(document: &MissionDocument) -> Result<ModelDocument, DocumentError> {
    let broken = |what: String| DocumentError::Broken(format!("{}: {what}", document.file_name));
    // Four letters stand for three bytes.
    if document.content.len() > MODEL_BYTES_MAX / 3 * 4 + 8 {
        return Err(broken(format!("a model document has at most {MODEL_BYTES_MAX} bytes")));
    }
    let bytes = STANDARD.decode(document.content.trim_end()).map_err(|error| broken(error.to_string()))?;
    ModelDocument::decode(&bytes).map_err(|error| broken(error.to_string()))
}

/// Refuses rules and models that cannot be used at all. Rules some of which are wrong are taken: the others count.
pub fn check(document: &MissionDocument) -> Result<(), DocumentError> {
    match document.kind {
        DocumentKind::AlarmRules => {
            let rules = AlarmRules::parse(&document.file_name, &document.content);
            let says_something = rules.names().next().is_some()
                || !rules.escalation.ladders.is_empty()
                || rules.problems.is_empty();
            match rules.problems.first() {
                Some(problem) if !says_something => Err(DocumentError::Broken(problem.to_string())),
                _ => Ok(()),
            }
        }
        DocumentKind::Model => decode_model(document).map(drop),
        DocumentKind::DetectionRules => {
            let rules = DetectionRules::parse(&document.file_name, &document.content);
            match rules.problems.first() {
                Some(problem) if rules.is_empty() => Err(DocumentError::Broken(problem.to_string())),
                _ => Ok(()),
            }
        }
        DocumentKind::Dictionary | DocumentKind::Limits => Ok(()),
    }
}
