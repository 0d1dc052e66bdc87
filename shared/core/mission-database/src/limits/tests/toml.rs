//! The form with `[[limits]]` tables.

use super::{check_bounds, read};
use crate::BoundMeaning::{Good, Violation};

#[test]
fn a_table_says_everything_a_row_can() {
    let text = "\
        # limits of the power unit\n\
        [[limits]]\n\
        parameter = \"/P/T\"\n\
        context = \"MODE=SAFE; GAIN>=4\"\n\
        watch = { low = 10 }\n\
        yellow = { low = 5.0, high = 8_0 }\n\
        Red = { high = 90 }\n\
        persistence = 3\n\
        hysteresis = 0.5\n\
        deadband = 1e-1\n\
        effective_from = 2026-01-01T00:00:00Z\n\
        effective_to = \"2026-02-01T00:00:00Z\"\n\
        author = \"Ada\"\n\
        reason = \"\"\"too warm,\nsaid Ada\"\"\"\n\
        [[limits]]\n\
        parameter = \"BATT\"\n\
        [limits.critical]\n\
        low = -6\n";
    let expected = "2:/P/T MODEEqualSAFE GAINGreaterOrEqual4 watch 10.. warning 5..80 critical ..90 3x ~0.5 -0.1 \
        from 2026-01-01T00:00:00Z to 2026-02-01T00:00:00Z by Ada because too warm,\nsaid Ada | \
        16:BATT critical -6..";
    assert_eq!(read("p.toml", text), expected);
}

#[test]
fn whether_a_bound_is_good_must_be_said_once_or_twice_alike() {
    let rows = "[[limits]]\nparameter = \"T\"\nwarning = { low = 1 }\n";
    let good = format!("bounds = \"good\"\n{rows}");
    let wrong_word = format!("bounds = \"inclusive\"\n{rows}");
    let number = format!("bounds = 1\n{rows}");
    check_bounds(
        "b.toml",
        &[
            (rows, Some(Violation), "violation"),
            (&good, None, "good"),
            (&good, Some(Good), "good"),
            (rows, None, "b.toml:1:1: nothing says whether a value that equals a bound is good"),
            (&good, Some(Violation), "b.toml:1:10: bounds are \"good\" here, the import says \"violation\""),
            (&wrong_word, None, "b.toml:1:10: bounds are \"inclusive\"; expected \"good\" or \"violation\""),
            (&number, None, "b.toml:1:10: bounds is not text"),
        ],
    );
}

#[test]
fn what_is_no_limit_is_refused_with_its_place() {
    let cases = [
        ("parameter = ", "2:13: string values must be quoted"),
        (
            "parameter = \"T\"\nlimit = 1",
            "3:1: unknown key \"limit\"; expected one of parameter, context, persistence",
        ),
        ("parameter = \"T\"\nwatch_low = 1", "3:1: unknown key \"watch_low\""),
        ("parameter = 1", "2:13: parameter is not text"),
        ("context = \"A=1\"", "1:1: the row names no parameter"),
        ("watch = 1", "2:9: watch is not a range; expected { low = NUMBER, high = NUMBER }"),
        ("watch = { minimum = 1 }", "2:11: unknown key \"minimum\" in watch"),
        ("watch = { low = \"1\" }", "2:17: watch_low is not a decimal number"),
        ("watch = { low = 0x10 }", "2:17: watch_low is not a decimal number"),
        ("watch = { low = nan }", "2:17: watch_low is \"nan\"; expected a finite number"),
        ("red = { low = 1 }\ncritical = { low = 2 }", "2:1: critical stands here twice"),
        ("parameter = \"T\"\nwatch = { low = 2, high = 1 }", "3:27: watch_low (2) lies above watch_high (1)"),
        ("persistence = 0", "2:15: persistence is \"0\""),
        ("persistence = 1.0", "2:15: persistence is \"1.0\""),
        ("effective_from = 2026-01-01", "2:18: effective_from: \"2026-01-01\" is not a time"),
        ("effective_from = true", "2:18: effective_from is not text"),
        ("context = \"SAFE\"", "2:11: context \"SAFE\" does not compare"),
    ];
    for (text, expected) in cases {
        let outcome = read("t.toml", &format!("[[limits]]\n{text}\n"));
        assert!(outcome.starts_with(&format!("t.toml:{expected}")), "{text:?}: {outcome}");
    }
}

#[test]
fn a_document_of_something_else_is_refused_with_its_place() {
    let cases = [
        ("limit = []", "1:1: unknown key \"limit\"; expected `bounds` and `[[limits]]` tables"),
        ("limits = 1", "1:10: `limits` is not an array"),
        ("limits = [1]", "1:11: expected a table with `parameter` and its limits"),
        ("[limits]\nparameter = \"T\"", "1:1: `limits` is not an array"),
    ];
    for (text, expected) in cases {
        let outcome = read("t.toml", text);
        assert!(outcome.starts_with(&format!("t.toml:{expected}")), "{text:?}: {outcome}");
    }
    let text = format!("limits = [{}]", "1,".repeat(2_500_000));
    assert_eq!(read("t.toml", &text), "t.toml:1:1: the document has more than 2500000 of `=`, `,` and `[`");
}

#[test]
fn rows_in_each_others_way_are_refused_with_both_lines() {
    let text = "[[limits]]\nparameter = \"T\"\n\n[[limits]]\nparameter = \"T\"\n";
    assert_eq!(
        read("d.toml", text),
        "d.toml:4:1: lines 1 and 4 both limit T in the same context at the same time"
    );
}
