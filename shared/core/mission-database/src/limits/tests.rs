//! What people write as limits, and what they are told when it does not go together.

mod csv;
mod properties;
mod toml;

use space_packet::{TaiTime, UtcTime};

use super::*;

/// One row in short: only what it says.
fn shown(row: &ParameterLimits) -> String {
    let mut parts = vec![format!("{}:{}", row.line, row.parameter)];
    let terms = row.context.iter().map(|term| format!("{}{:?}{}", term.parameter, term.operator, term.value));
    parts.extend(terms);
    for (level, range) in column::LEVELS.iter().zip(&row.ranges) {
        let end = |bound: Option<Bound>| bound.map_or_else(String::new, |bound| bound.value.to_string());
        if *range != AllowedRange::default() {
            parts.push(format!("{level} {}..{}", end(range.low), end(range.high)));
        }
    }
    if row.rule != AlarmRule::default() {
        parts.push(format!("{}x ~{} -{}", row.rule.persistence, row.rule.hysteresis, row.rule.deadband));
    }
    parts.extend(row.effective.from.map(|time| format!("from {time}")));
    parts.extend(row.effective.to.map(|time| format!("to {time}")));
    parts.extend(row.author.as_ref().map(|author| format!("by {author}")));
    parts.extend(row.reason.as_ref().map(|reason| format!("because {reason}")));
    parts.join(" ")
}

/// What a document comes to when the import says that bounds are good: rows divided by ` | `, or the error.
fn read(source_name: &str, text: &str) -> String {
    match LimitsOverlay::parse(source_name, text, Some(BoundMeaning::Good)) {
        Ok(overlay) => overlay.rows.iter().map(shown).collect::<Vec<_>>().join(" | "),
        Err(error) => error.to_string(),
    }
}

fn time(text: &str) -> TaiTime {
    UtcTime::parse(text).unwrap().to_tai()
}

/// What two documents say about bounds, with an import that says nothing, `good` or `violation`.
fn check_bounds(source_name: &str, cases: &[(&str, Option<BoundMeaning>, &str)]) {
    for (text, said, expected) in cases {
        let outcome = match LimitsOverlay::parse(source_name, text, *said) {
            Ok(overlay) => {
                overlay.rows[0].ranges[1].low.map_or("no bound", |low| low.meaning.word()).to_owned()
            }
            Err(error) => error.to_string(),
        };
        assert!(outcome.contains(expected), "{text:?} with {said:?}: {outcome}");
    }
}

#[test]
fn a_span_holds_from_its_beginning_until_just_before_its_end() {
    let (from, to) = (time("2026-01-01T00:00:00Z"), time("2026-02-01T00:00:00Z"));
    let span = EffectiveSpan { from: Some(from), to: Some(to) };
    assert!(span.holds(from) && span.holds(to.plus_nanos(-1)));
    assert!(!span.holds(from.plus_nanos(-1)) && !span.holds(to));
    assert!(EffectiveSpan::default().holds(TaiTime(i64::MIN)));
}

#[test]
fn the_name_of_the_document_says_its_form() {
    let (csv, toml) = ("parameter,watch_low\nA,1\n", "[[limits]]\nparameter = \"A\"\nwatch = { low = 1 }\n");
    assert_eq!(read("limits.csv", csv), "2:A watch 1..");
    assert_eq!(read("limits", csv), "2:A watch 1..");
    assert_eq!(read("LIMITS.TOML", toml), "1:A watch 1..");
}

#[test]
fn a_document_that_is_too_large_is_not_read() {
    let text = "#".repeat(TEXT_BYTES_MAX + 1);
    let expected = "x:1:1: the document has 16777217 bytes; expected at most 16777216";
    assert_eq!(read("x", &text), expected);
}

#[test]
fn the_handbooks_examples_are_read() {
    let page = include_str!("../../../../../docs/limits.md");
    for (form, rows) in [("csv", 3), ("toml", 2)] {
        let (_, after) = page.split_once(&format!("```{form}\n")).unwrap();
        let (example, _) = after.split_once("```").unwrap();
        let overlay = LimitsOverlay::parse(&format!("example.{form}"), example, None);
        assert_eq!(overlay.map(|overlay| overlay.rows.len()), Ok(rows));
    }
}
