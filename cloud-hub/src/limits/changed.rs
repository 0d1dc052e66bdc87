//! The document that changes make of limits.

use dashboard::contract::{AlarmSeverity, LimitsChange, NewLimitRange, NewLimitsInContext};
use mission_database::{
    AlarmRule, AllowedRange, Bound, BoundMeaning, ContextTerm, Dictionary, EffectiveSpan, LimitsOverlay,
    LimitsVersion, MissionDatabase, ParameterLimits,
};
use space_packet::TaiTime;

use super::rows_at;

const FILE_NAME: &str = "limits.toml";

/// Limits as changes make them.
pub(super) struct Changed {
    /// The document, TOML.
    pub(super) text: String,
    /// Until when they count: there something else was in force already, or planned.
    pub(super) until: Option<TaiTime>,
}

impl Changed {
    /// Changes the limits that count at a moment; the error names parameter or row.
    pub(super) fn of(
        database: &MissionDatabase,
        at: TaiTime,
        changes: &[LimitsChange],
        by: &(String, String),
    ) -> Result<Self, String> {
        let (overlay, meaning) = changed_rows(database, at, changes, Some(by))?;
        let until = next_limits(database, at);
        let text = overlay.to_toml(meaning);
        let read = LimitsOverlay::parse(FILE_NAME, &text, None);
        let read = read.map_err(|error| named(&overlay, &text, error.line, &error.message))?;
        let number = database.limits().last().map_or(1, |version| version.number + 1);
        let effective = EffectiveSpan { from: Some(at), to: until };
        let version = LimitsVersion { number, effective, overlay: read };
        database.with_limits(version).map_err(|error| named(&overlay, &text, error.line, &error.message))?;
        Ok(Self { text, until })
    }
}

/// The dictionary that counts at a moment, with changed limits.
pub(super) fn changed_dictionary(
    database: &MissionDatabase,
    at: TaiTime,
    changes: &[LimitsChange],
) -> Result<Dictionary, String> {
    let (overlay, meaning) = changed_rows(database, at, changes, None)?;
    let text = overlay.to_toml(meaning);
    let read = LimitsOverlay::parse(FILE_NAME, &text, None);
    let read = read.map_err(|error| named(&overlay, &text, error.line, &error.message))?;
    let version = LimitsVersion { number: u32::MAX, effective: EffectiveSpan::default(), overlay: read };
    let tried =
        database.with_limits(version).map_err(|error| named(&overlay, &text, error.line, &error.message))?;
    Ok(tried.at(at).dictionary.clone())
}

/// The rows that count at a moment, but for those of the changed parameters.
fn changed_rows(
    database: &MissionDatabase,
    at: TaiTime,
    changes: &[LimitsChange],
    by: Option<&(String, String)>,
) -> Result<(LimitsOverlay, BoundMeaning), String> {
    let (overlay, meaning) = rows_at(database, at);
    let dictionary = &database.at(at).dictionary;
    for change in changes {
        let name = change.parameter();
        if dictionary.find(name).is_none() {
            return Err(format!("{name:?} is not a parameter of the dictionary in force then"));
        }
    }
    let is_changed = |row: &&ParameterLimits| {
        let name = dictionary.full_name(&row.parameter);
        changes.iter().any(|change| change.parameter() == name)
    };
    let kept = overlay.into_iter().flat_map(|overlay| &overlay.rows).filter(|row| !is_changed(row));
    let mut rows: Vec<ParameterLimits> = kept.cloned().collect();
    for change in changes {
        let LimitsChange::Overlay { parameter, contexts, persistence, hysteresis, deadband } = change else {
            continue;
        };
        let rule = AlarmRule {
            persistence: persistence.unwrap_or(1),
            hysteresis: hysteresis.unwrap_or(0.0),
            deadband: deadband.unwrap_or(0.0),
        };
        for context in contexts {
            let row = row(parameter, context, rule, meaning)
                .map_err(|message| format!("{parameter}: {message}"))?;
            let (author, reason) = by.cloned().unzip();
            rows.push(ParameterLimits { author, reason, ..row });
        }
    }
    Ok((LimitsOverlay { source_name: FILE_NAME.to_owned(), rows }, meaning))
}

fn row(
    parameter: &str,
    wanted: &NewLimitsInContext,
    rule: AlarmRule,
    meaning: BoundMeaning,
) -> Result<ParameterLimits, String> {
    let mut ranges = [AllowedRange::default(); 5];
    let bound = |value: Option<f64>| value.map(|value| Bound { value, meaning });
    for NewLimitRange { severity, low, high } in &wanted.ranges {
        let range = &mut ranges[place(*severity)];
        if *range != AllowedRange::default() {
            return Err(format!("{severity:?} has two ranges; expected one").to_lowercase());
        }
        *range = AllowedRange { low: bound(*low), high: bound(*high) };
    }
    let context = ContextTerm::parse_all(wanted.context.as_deref().unwrap_or_default());
    Ok(ParameterLimits {
        parameter: parameter.to_owned(),
        context: context.map_err(|error| error.message)?,
        ranges,
        rule,
        effective: EffectiveSpan::default(),
        author: None,
        reason: None,
        line: 0,
    })
}

fn place(severity: AlarmSeverity) -> usize {
    match severity {
        AlarmSeverity::Watch => 0,
        AlarmSeverity::Warning => 1,
        AlarmSeverity::Distress => 2,
        AlarmSeverity::Critical => 3,
        AlarmSeverity::Severe => 4,
    }
}

/// The first moment behind another at which another version counts, or none.
fn next_limits(database: &MissionDatabase, at: TaiTime) -> Option<TaiTime> {
    let now = database.at(at).limits;
    let ends = database.limits().iter().flat_map(|version| [version.effective.from, version.effective.to]);
    let mut ends: Vec<TaiTime> = ends.flatten().filter(|end| *end > at).collect();
    ends.sort_unstable();
    ends.into_iter().find(|end| database.at(*end).limits != now)
}

/// What is wrong, with the parameter whose row it is.
fn named(overlay: &LimitsOverlay, text: &str, line: u32, message: &str) -> String {
    match overlay.row_at(text, line) {
        Some(row) => format!("{}: {message}", row.parameter),
        None => message.to_owned(),
    }
}
