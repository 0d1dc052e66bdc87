//! One `[[rule]]`.

use super::fields::{Fields, Found};
use super::pattern::Pattern;
use super::{BUILT_IN_MERGE_WINDOW_S, Rule};
use crate::alarm::entry::AlarmSeverity;

/// Parameters or detectors of one rule.
const NAMES_MAX: usize = 1_000;
/// A day: what comes back later than that is news.
const MERGE_WINDOW_MAX_S: u32 = 86_400;

/// Reads a rule; the place of its ladder's name beside it.
pub(super) fn read(mut fields: Fields<'_>) -> Found<(Rule, usize)> {
    let name = fields.name("name")?;
    let name = fields.required("name", name)?;
    let patterns = fields.names("parameters", NAMES_MAX)?;
    let detectors = fields.names("detectors", NAMES_MAX)?;
    let at_least = fields.severity("at_least")?.unwrap_or(AlarmSeverity::Watch);
    let severity = fields.severity("severity")?;
    let latch = fields.flag("latch")?;
    let auto_acknowledge = fields.flag("auto_acknowledge")?;
    let merge_window_s =
        fields.seconds("merge_window", MERGE_WINDOW_MAX_S)?.unwrap_or(BUILT_IN_MERGE_WINDOW_S);
    let related = fields.name("related")?;
    let ladder = fields.name("ladder")?;
    let at = ladder.map_or(fields.at, |ladder| ladder.at);
    fields.finish()?;
    let rule = Rule {
        name: name.value.to_owned(),
        parameters: patterns.iter().map(|pattern| Pattern::new(pattern.value)).collect(),
        detectors: detectors.iter().map(|detector| detector.value.to_owned()).collect(),
        at_least,
        severity,
        latch,
        auto_acknowledge,
        merge_window_s,
        related: related.map(|related| related.value.to_owned()),
        ladder: ladder.map(|ladder| ladder.value.to_owned()),
    };
    Ok((rule, at))
}
