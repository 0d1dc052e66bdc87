//! The table form.

use super::{check_bounds, read};
use crate::BoundMeaning::{Good, Violation};

#[test]
fn a_table_says_everything_a_row_can() {
    let text = "\u{FEFF}# limits of the power unit\r\n\
        reason,parameter,Watch_Low,warningLow,CRITICAL_HIGH,severe_high,context,persistence,hysteresis,deadband,\
        effective_from,effective_to,author\r\n\
        \"too \"\"warm\"\",\nsaid Ada\",/P/T, 10 , 5,90,1e2,MODE=SAFE; GAIN >= 4,3,0.5,0.1,2026-01-01T00:00:00Z,\
        2026-02-01T00:00:00Z,Ada\r\n\
        \r\n\
        # and one without a word\r\n\
        ,BATT,,,,,,,,,,,\r\n\
        ,,,,,,,,,,,,\r\n";
    let expected = "3:/P/T MODEEqualSAFE GAINGreaterOrEqual4 watch 10.. warning 5.. critical ..90 severe ..100 \
        3x ~0.5 -0.1 from 2026-01-01T00:00:00Z to 2026-02-01T00:00:00Z by Ada because too \"warm\",\nsaid Ada | \
        7:BATT";
    assert_eq!(read("p.csv", text), expected);
}

#[test]
fn red_and_yellow_are_critical_and_warning() {
    let cygnss = "parameter,redLow,yellowLow,yellowHigh,redHigh\nVBUS,22,24,32,34\n";
    assert_eq!(read("LIMITS.csv", cygnss), "2:VBUS warning 24..32 critical 22..34");
    let cosmos = "PARAMETER,RED_LOW,YELLOW_LOW,YELLOW_HIGH,RED_HIGH\nVBUS,22,24,32,34";
    assert_eq!(read("LIMITS.csv", cosmos), "2:VBUS warning 24..32 critical 22..34");
}

#[test]
fn a_context_compares_in_six_ways() {
    let text = "parameter,context\nT,A=1;B==x y;C != -2;D<3;E<=4;F>5;F>=6\n";
    let expected = "2:T AEqual1 BEqualx y CNotEqual-2 DLess3 ELessOrEqual4 FGreater5 FGreaterOrEqual6";
    assert_eq!(read("c.csv", text), expected);
}

#[test]
fn whether_a_bound_is_good_must_be_said_once_or_twice_alike() {
    let header = "parameter,warning_low\nT,1\n";
    let good = format!("# Bounds: good\n{header}");
    let wrong_word = format!("# bounds: inclusive\n{header}");
    let twice = format!("# bounds: good\n# bounds: violation\n{header}");
    let late = format!("{header}# bounds: good\n");
    check_bounds(
        "b.csv",
        &[
            (header, Some(Violation), "violation"),
            (&good, None, "good"),
            (&good, Some(Good), "good"),
            (header, None, "b.csv:1:1: nothing says whether a value that equals a bound is good"),
            (&good, Some(Violation), "b.csv:1:1: bounds are \"good\" here, the import says \"violation\""),
            (&wrong_word, None, "b.csv:1:1: bounds are \"inclusive\"; expected \"good\" or \"violation\""),
            (&twice, None, "b.csv:2:1: bounds are \"violation\" here, an earlier line says \"good\""),
            (&late, Some(Good), "b.csv:3:1: bounds are said too late"),
        ],
    );
}

#[test]
fn a_table_that_is_not_one_is_refused_with_its_place() {
    let cases = [
        ("", "1:1: the document is empty"),
        ("# bounds: good\n\n", "1:1: the document is empty"),
        ("watch_low\n1\n", "1:1: the header has no column `parameter`"),
        (
            "parameter,limit\n",
            "1:11: unknown column \"limit\"; expected one of parameter, context, persistence, hysteresis, deadband, \
             effective_from, effective_to, author, reason, and LEVEL_low and LEVEL_high",
        ),
        ("parameter;redLow\n", "1:1: unknown column \"parameter;redLow\""),
        ("parameter,redLow,critical_low\n", "1:18: column critical_low stands here twice"),
        ("parameter,redLow\nT\n", "2:1: the row has 1 cells; expected 2"),
        ("parameter,redLow\nT,1,2\n", "2:1: the row has 3 cells; expected 2"),
        ("parameter,redLow\n,1\n", "2:1: the row names no parameter"),
        ("parameter,reason\nT,\"x\n\nU,y\n", "2:3: the quotation that begins here never ends"),
        ("parameter,reason\nT,a \"word\"\n", "2:5: quotation mark inside a bare cell"),
        ("parameter,reason\nT,\"word\" more\n", "2:10: text behind a closing quotation mark"),
    ];
    for (text, expected) in cases {
        let outcome = read("t.csv", text);
        assert!(outcome.starts_with(&format!("t.csv:{expected}")), "{text:?}: {outcome}");
    }
    assert!(read("t.csv", &",".repeat(1_000_000)).starts_with("t.csv:1:65: the row has more than 64 cells"));
}

#[test]
fn a_cell_that_means_nothing_is_refused_with_its_place() {
    let number = "expected a finite number with a decimal point";
    let count = "expected a whole number from 1 to 10000";
    let comparison = "does not compare; expected a comparison such as MODE=SAFE";
    let cases = [
        ("watch_low", "abc", number),
        ("watch_low", "NaN", number),
        ("watch_low", "inf", number),
        ("watch_low", "1e999", number),
        ("watch_low", "\"3,5\"", number),
        ("hysteresis", "-0.5", "hysteresis is \"-0.5\"; expected 0 or more"),
        ("deadband", "inf", number),
        ("persistence", "0", count),
        ("persistence", "10001", count),
        ("persistence", "1.5", count),
        (
            "effective_from",
            "2026-01-01",
            "effective_from: \"2026-01-01\" is not a time; expected RFC 3339 in UTC",
        ),
        ("effective_to", "2026-01-01T00:00:00+02:00", "is not a time"),
        ("context", "SAFE", comparison),
        ("context", "=SAFE", comparison),
        ("context", "MODE=", comparison),
        ("context", "MODE=<4", comparison),
        ("context", "MODE!4", comparison),
        ("context", "MODE=SAFE;", comparison),
    ];
    for (column, cell, expected) in cases {
        let outcome = read("t.csv", &format!("parameter,{column}\nÄÖ,{cell}\n"));
        assert!(
            outcome.starts_with("t.csv:2:4: ") && outcome.contains(expected),
            "{column} {cell}: {outcome}"
        );
    }
    for cell in ["x".repeat(4097), format!("\"{}\"", "x".repeat(4097)), "\"".repeat(8196)] {
        let outcome = read("t.csv", &format!("parameter,reason\nT,{cell}\n"));
        assert!(outcome.starts_with("t.csv:2:3: "), "{outcome}");
    }
}

#[test]
fn ranges_that_do_not_go_together_are_refused_and_named() {
    let cases = [
        (
            "watch_low,watch_high",
            "5,4",
            Good,
            "2:5: watch_low (5) lies above watch_high (4); expected low <= high",
        ),
        ("watch_high,watch_low", "4,5", Good, "2:5: watch_low (5) lies above watch_high (4)"),
        ("watch_low,watch_high", "5,5", Good, ""),
        (
            "watch_low,watch_high",
            "5,5",
            Violation,
            "2:5: watch_low and watch_high are both 5, and a value that",
        ),
        (
            "warning_low,critical_low",
            "5,6",
            Good,
            "2:5: critical_low (6) lies above warning_low (5); the range of",
        ),
        (
            "severe_high,watch_high",
            "5,6",
            Good,
            "2:3: severe_high (5) lies below watch_high (6); the range of",
        ),
        ("watch_low,severe_low,warning_low", "5,,6", Good, "2:6: warning_low (6) lies above watch_low (5)"),
        ("redLow,yellowLow,yellowHigh,redHigh", "1,1,2,2", Good, ""),
        ("watch_low,critical_high", "10,5", Good, "2:6: watch_low (10) lies above critical_high (5)"),
        ("critical_low", "5", Good, ""),
        ("watch_low,red_high,hysteresis", "1,3,0.9", Good, ""),
        (
            "watch_low,red_high,hysteresis",
            "1,3,1",
            Good,
            "2:7: hysteresis (1) leaves nothing between watch_low (1)",
        ),
        ("watch_low,hysteresis", "1,100", Good, ""),
    ];
    for (columns, cells, meaning, expected) in cases {
        let text = format!("parameter,{columns}\nT,{cells}\n");
        let outcome = crate::LimitsOverlay::parse("r.csv", &text, Some(meaning));
        let outcome = outcome.map_or_else(|error| error.to_string(), |_| String::new());
        let expected = if expected.is_empty() { String::new() } else { format!("r.csv:{expected}") };
        let fits = if expected.is_empty() { outcome.is_empty() } else { outcome.starts_with(&expected) };
        assert!(fits, "{text:?}: {outcome}");
    }
}

#[test]
fn a_span_that_ends_before_it_begins_is_refused() {
    let text = "parameter,effective_from,effective_to\nT,2026-02-01T00:00:00Z,2026-02-01T00:00:00Z\n";
    let expected =
        "s.csv:2:24: effective_to (2026-02-01T00:00:00Z) is not after effective_from (2026-02-01T00:00:00Z)";
    assert_eq!(read("s.csv", text), expected);
}

#[test]
fn rows_in_each_others_way_are_refused_with_both_lines() {
    let (january, february, march) = ("2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z", "2026-03-01T00:00:00Z");
    let twice = "lines 2 and 3 both limit T in the same context at the same time";
    let never = "this row of T never counts: line 2 comes first and holds in every context; put it last";
    let cases = [
        ("T,,,".to_owned(), "T,,,".to_owned(), twice),
        ("T,A=1;B=2,,".to_owned(), "T,B==2;A = 1,,".to_owned(), twice),
        (format!("T,,{january},{march}"), format!("T,,{february},"), twice),
        (format!("T,,{february},{march}"), format!("T,,{january},"), twice),
        (format!("T,,,{february}"), format!("T,,{january},{march}"), twice),
        (format!("T,,{january},{february}"), format!("T,,{february},{march}"), ""),
        (format!("T,,{february},"), format!("T,,,{february}"), ""),
        ("T,,,".to_owned(), "U,,,".to_owned(), ""),
        ("T,A=1,,".to_owned(), "T,A=2,,".to_owned(), ""),
        ("T,A=1,,".to_owned(), "T,,,".to_owned(), ""),
        ("T,,,".to_owned(), "T,A=1,,".to_owned(), never),
        (format!("T,,{january},"), format!("T,A=1,{february},{march}"), never),
        (format!("T,,{february},"), format!("T,A=1,{january},{march}"), ""),
    ];
    for (first, second, expected) in cases {
        let text = format!("parameter,context,effective_from,effective_to\n{first}\n{second}\n");
        let outcome = crate::LimitsOverlay::parse("d.csv", &text, Some(Good));
        let outcome = outcome.map_or_else(|error| error.to_string(), |_| String::new());
        let expected = if expected.is_empty() { String::new() } else { format!("d.csv:3:1: {expected}") };
        assert_eq!(outcome, expected, "{text:?}");
    }
}

#[test]
fn two_hundred_thousand_rows_are_read_and_one_more_is_refused() {
    let mut text = "parameter\n".to_owned();
    (0..200_000).for_each(|number| text += &format!("{number}\n"));
    assert_eq!(crate::LimitsOverlay::parse("n.csv", &text, Some(Good)).unwrap().rows[199_999].line, 200_001);
    text += "another\n";
    assert_eq!(read("n.csv", &text), "n.csv:200002:1: the document has more than 200000 rows");
}
