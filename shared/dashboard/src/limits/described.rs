//! Limits as answers have them.

use std::collections::BTreeMap;

use mission_database::{
    AlarmRule, AllowedRange, BoundMeaning, ContextTerm, DescribedContext, DescribedLevels, Dictionary,
    MissionDatabase, MonitoringResult, ParameterLimits as Row,
};
use space_packet::TaiTime;

use crate::contract::{
    AlarmSeverity, LabelSeverity, LimitBounds, LimitRange, LimitsInContext, LimitsSource, ParameterLimits,
};
use crate::rfc3339;

const SEVERITIES: [AlarmSeverity; 5] = [
    AlarmSeverity::Watch,
    AlarmSeverity::Warning,
    AlarmSeverity::Distress,
    AlarmSeverity::Critical,
    AlarmSeverity::Severe,
];

/// All parameters that have limits at a moment, by name.
pub(crate) fn in_force(database: &MissionDatabase, at: TaiTime) -> Vec<ParameterLimits> {
    let reading = database.at(at);
    let overlay = database.limits().iter().find(|version| Some(version.number) == reading.limits);
    let rows = overlay.iter().flat_map(|version| &version.overlay.rows);
    let rows: Vec<&Row> = rows.filter(|row| row.effective.holds(at)).collect();
    let mut limits = of_rows(&reading.dictionary, &rows);
    let version = database.versions().iter().find(|version| version.number == reading.version);
    if let Some(version) = version {
        for (name, of_dictionary) in of_dictionary(&version.dictionary) {
            limits.entry(name).or_insert(of_dictionary);
        }
    }
    limits.into_values().collect()
}

/// What a value is that equals a bound of the limits in force at a moment.
pub(crate) fn bounds_now(database: &MissionDatabase, at: TaiTime) -> LimitBounds {
    let number = database.at(at).limits;
    let overlay = database.limits().iter().find(|version| Some(version.number) == number);
    overlay.map_or(LimitBounds::Good, |version| bounds_of(&version.overlay.rows))
}

fn bounds_of(rows: &[Row]) -> LimitBounds {
    let mut bounds =
        rows.iter().flat_map(|row| row.ranges).flat_map(|range| [range.low, range.high]).flatten();
    // A document has one meaning for all of its bounds.
    match bounds.next().map(|bound| bound.meaning) {
        Some(BoundMeaning::Violation) => LimitBounds::Violation,
        Some(BoundMeaning::Good) | None => LimitBounds::Good,
    }
}

/// What the rows of a document say of each parameter, by name; and what a value is that equals a bound of theirs.
pub fn described_rows(dictionary: &Dictionary, rows: &[Row]) -> (Vec<ParameterLimits>, LimitBounds) {
    let all: Vec<&Row> = rows.iter().collect();
    (of_rows(dictionary, &all).into_values().collect(), bounds_of(rows))
}

fn of_rows(dictionary: &Dictionary, rows: &[&Row]) -> BTreeMap<String, ParameterLimits> {
    let mut found: BTreeMap<String, ParameterLimits> = BTreeMap::new();
    for row in rows {
        let name = dictionary.full_name(&row.parameter).to_owned();
        let limits =
            found.entry(name).or_insert_with_key(|name| of_parameter(name, LimitsSource::Overlay, row.rule));
        limits.contexts.push(LimitsInContext {
            context: (!row.context.is_empty()).then(|| context_text(&row.context)),
            ranges: ranges(&row.ranges, false),
            labels: Vec::new(),
            effective_from: row.effective.from.map(rfc3339),
            effective_to: row.effective.to.map(rfc3339),
            author: row.author.clone(),
            reason: row.reason.clone(),
        });
    }
    found
}

fn of_dictionary(dictionary: &Dictionary) -> impl Iterator<Item = (String, ParameterLimits)> {
    dictionary.limited().map(|(index, described)| {
        let name = dictionary.parameter(index).name.clone();
        let mut limits = of_parameter(&name, LimitsSource::Dictionary, described.rule);
        limits.contexts = described.contexts.into_iter().map(in_context).collect();
        (name, limits)
    })
}

fn of_parameter(name: &str, source: LimitsSource, rule: AlarmRule) -> ParameterLimits {
    ParameterLimits {
        parameter: name.to_owned(),
        source,
        contexts: Vec::new(),
        persistence: rule.persistence,
        hysteresis: rule.hysteresis,
        deadband: rule.deadband,
    }
}

fn in_context(described: DescribedContext) -> LimitsInContext {
    let (ranges, labels) = match described.levels {
        DescribedLevels::Labels(labels) => (Vec::new(), labels.into_iter().filter_map(label).collect()),
        DescribedLevels::Ranges { are_of_bad_values, ranges: found } => {
            (ranges(&found, are_of_bad_values), Vec::new())
        }
    };
    LimitsInContext {
        context: described.context,
        ranges,
        labels,
        effective_from: None,
        effective_to: None,
        author: None,
        reason: None,
    }
}

fn label((label, level): (String, MonitoringResult)) -> Option<LabelSeverity> {
    Some(LabelSeverity { label, severity: severity(level)? })
}

/// How bad a violation is; `None` for what is none.
fn severity(level: MonitoringResult) -> Option<AlarmSeverity> {
    match level {
        MonitoringResult::NotMonitored | MonitoringResult::Normal => None,
        MonitoringResult::Watch => Some(AlarmSeverity::Watch),
        MonitoringResult::Warning => Some(AlarmSeverity::Warning),
        MonitoringResult::Distress => Some(AlarmSeverity::Distress),
        MonitoringResult::Critical => Some(AlarmSeverity::Critical),
        MonitoringResult::Severe => Some(AlarmSeverity::Severe),
    }
}

fn ranges(ranges: &[AllowedRange; 5], is_of_bad_values: bool) -> Vec<LimitRange> {
    let limited = SEVERITIES.into_iter().zip(ranges);
    let limited = limited.filter(|(_, range)| range.low.is_some() || range.high.is_some());
    limited
        .map(|(severity, AllowedRange { low, high })| {
            let holds = |bound: &Option<mission_database::Bound>| {
                bound.is_none_or(|bound| bound.meaning == BoundMeaning::Good)
            };
            // JSON has no infinity, and a range that ends there does not end.
            let end = |bound: &Option<mission_database::Bound>| {
                bound.map(|bound| bound.value).filter(|value| value.is_finite())
            };
            LimitRange {
                severity,
                low: end(low),
                high: end(high),
                holds_low: holds(low),
                holds_high: holds(high),
                is_of_bad_values,
            }
        })
        .collect()
}

fn context_text(terms: &[ContextTerm]) -> String {
    terms.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}
