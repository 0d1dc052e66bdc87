//! Limits that come beside the document.

use super::{U8, container, document, entry, load};
use crate::{
    AlarmRule, AllowedRange, Bound, BoundMeaning, ContextTerm, DecodedPacket, Dictionary, EffectiveSpan,
    MonitoringResult, ParameterLimits, TermOperator,
};

/// `MODE`, `V` with a warning above 10, `W` without limits, and another `W` in a system within.
fn dictionary() -> Dictionary {
    let types = format!(
        "{U8}<EnumeratedParameterType name='Mode'><IntegerDataEncoding sizeInBits='8'/><EnumerationList>\
         <Enumeration value='1' label='SAFE'/></EnumerationList></EnumeratedParameterType>\
         <IntegerParameterType name='Limited'><IntegerDataEncoding sizeInBits='8'/><DefaultAlarm minViolations='4'>\
         <StaticAlarmRanges><WarningRange maxInclusive='10'/></StaticAlarmRanges></DefaultAlarm></IntegerParameterType>"
    );
    let inner = "<SpaceSystem name='INNER'><TelemetryMetaData><ParameterSet><Parameter name='W' parameterTypeRef='U8'/>\
                 </ParameterSet></TelemetryMetaData></SpaceSystem></SpaceSystem>";
    let entries: String = ["MODE", "V", "W"].map(entry).concat();
    let xml = document(&types, &[("MODE", "Mode"), ("V", "Limited"), ("W", "U8")], &container("C", &entries));
    load(&xml.replace("</SpaceSystem>", inner))
}

/// A range at the level of a warning.
fn row(parameter: &str, low: Option<f64>, high: Option<f64>, meaning: BoundMeaning) -> ParameterLimits {
    let bound = |value: f64| Bound { value, meaning };
    let mut ranges = [AllowedRange::default(); 5];
    ranges[1] = AllowedRange { low: low.map(bound), high: high.map(bound) };
    ParameterLimits {
        parameter: parameter.to_owned(),
        context: Vec::new(),
        ranges,
        rule: AlarmRule { persistence: 2, hysteresis: 0.5, deadband: 0.25 },
        effective: EffectiveSpan::default(),
        author: None,
        reason: None,
        line: 7,
    }
}

fn when(parameter: &str, operator: TermOperator, value: &str) -> ContextTerm {
    ContextTerm { parameter: parameter.to_owned(), operator, value: value.to_owned() }
}

fn in_context(row: ParameterLimits, context: Vec<ContextTerm>) -> ParameterLimits {
    ParameterLimits { context, ..row }
}

/// How `V` and `W` are judged.
fn judged(rows: &[ParameterLimits], packet: [u8; 3]) -> [MonitoringResult; 2] {
    let limited = dictionary().with_limits(&rows.iter().collect::<Vec<_>>()).expect("the limits fit");
    let mut into = DecodedPacket::default();
    limited.decode(&packet, &mut into).expect("three bytes are enough");
    // What is judged again without a margin is judged the same.
    for (place, value) in into.values.iter().enumerate() {
        assert_eq!(limited.monitoring_within(&into.values, place, 0.0), value.monitoring);
    }
    [into.values[1].monitoring, into.values[2].monitoring]
}

use BoundMeaning::{Good, Violation};
use MonitoringResult::{Normal, NotMonitored, Severe, Warning};

#[test]
fn a_row_replaces_the_limits_of_the_document_and_leaves_the_others() {
    let v = row("/S/V", None, Some(20.0), Good);
    let w = row("/S/W", Some(5.0), None, Good);
    assert_eq!(judged(&[], [0, 11, 0]), [Warning, NotMonitored]);
    assert_eq!(judged(std::slice::from_ref(&v), [0, 11, 0]), [Normal, NotMonitored]);
    assert_eq!(judged(std::slice::from_ref(&w), [0, 11, 4]), [Warning, Warning]);
    assert_eq!(judged(&[v.clone(), w], [0, 21, 5]), [Warning, Normal]);
    // The first row of several without a context is the one.
    assert_eq!(judged(&[v, row("V", None, Some(5.0), Good)], [0, 11, 0]), [Normal, NotMonitored]);
}

#[test]
fn a_value_on_the_bound_is_what_the_bound_says() {
    for (meaning, on_bound) in [(Good, Normal), (Violation, Warning)] {
        let rows = [row("V", Some(3.0), Some(9.0), meaning)];
        for (value, expected) in
            [(2, Warning), (3, on_bound), (4, Normal), (8, Normal), (9, on_bound), (10, Warning)]
        {
            assert_eq!(judged(&rows, [0, value, 0])[0], expected, "{value} with {meaning:?}");
        }
    }
}

#[test]
fn the_first_row_whose_context_holds_counts() {
    let mut severe = row("V", None, Some(1.0), Good);
    severe.ranges.swap(1, 4);
    let rows = [
        in_context(row("V", None, Some(100.0), Good), vec![when("MODE", TermOperator::Equal, "SAFE")]),
        in_context(
            severe,
            vec![when("/S/MODE", TermOperator::NotEqual, "SAFE"), when("V", TermOperator::Greater, "50")],
        ),
        row("V", None, Some(40.0), Good),
    ];
    let cases = [
        ([1, 60, 0], Normal),
        ([1, 101, 0], Warning),
        ([2, 51, 0], Severe),
        ([2, 50, 0], Warning),
        ([2, 40, 0], Normal),
    ];
    for (packet, expected) in cases {
        assert_eq!(judged(&rows, packet)[0], expected, "{packet:?}");
    }
    // Without a row for all other cases there are no limits in them, not those of the document.
    assert_eq!(judged(&rows[..1], [2, 60, 0])[0], NotMonitored);
    let number =
        in_context(row("V", None, Some(1.0), Good), vec![when("MODE", TermOperator::GreaterOrEqual, "2")]);
    assert_eq!(judged(std::slice::from_ref(&number), [2, 5, 0])[0], Warning);
    assert_eq!(judged(std::slice::from_ref(&number), [1, 5, 0])[0], NotMonitored);
}

#[test]
fn the_rule_comes_with_the_row() {
    let rows = [row("V", None, Some(20.0), Good)];
    let plain = dictionary();
    let limited = plain.with_limits(&rows.iter().collect::<Vec<_>>()).expect("the limits fit");
    let (v, w) = (plain.find("/S/V").expect("V is there"), plain.find("/S/W").expect("W is there"));
    assert_eq!(plain.alarm_rule(v).map(|rule| rule.persistence), Some(4));
    assert_eq!(limited.alarm_rule(v), Some(rows[0].rule));
    assert_eq!(limited.alarm_rule(w), None);
    // A parameter has one rule, in whatever context.
    let patient = AlarmRule { persistence: 9, ..rows[0].rule };
    let context = vec![when("MODE", TermOperator::Equal, "SAFE")];
    let other = in_context(ParameterLimits { rule: patient, ..rows[0].clone() }, context);
    let error = plain.with_limits(&[&other, &rows[0]]).expect_err("there are two");
    assert!(error.message.ends_with("expected the same in all rows of a parameter"), "{error}");
    let alone = plain.with_limits(&[&other]).expect("the limits fit");
    assert_eq!(alone.alarm_rule(v), Some(patient));
}

fn check_refused(row: &ParameterLimits, expected: &str) {
    let error = dictionary().with_limits(&[row]).expect_err("it does not fit");
    assert_eq!(error.to_string(), format!("limits:7:1: {expected}"));
}

#[test]
fn limits_that_fit_no_parameter_are_refused_with_their_line() {
    let named = |name: &str| row(name, None, Some(1.0), Good);
    let within = |term| in_context(named("V"), vec![term]);
    let cases = [
        (named("X"), "parameter \"X\" is not in the dictionary; expected one that is"),
        (named("/S/INNER/V"), "parameter \"/S/INNER/V\" is not in the dictionary; expected one that is"),
        (named("W"), "\"W\" means /S/W and /S/INNER/W, and perhaps more; expected a full name"),
        (named("MODE"), "/S/MODE is no number; expected one that is"),
        (
            within(when("X", TermOperator::Equal, "1")),
            "parameter \"X\" is not in the dictionary; expected one that is",
        ),
        (
            within(when("MODE", TermOperator::Equal, "FAST")),
            "\"FAST\" was found for parameter /S/MODE; expected one of SAFE, or a whole number",
        ),
        (
            within(when("V", TermOperator::Equal, "many")),
            "\"many\" was found for parameter /S/V; expected a whole number",
        ),
        (
            within(when("MODE", TermOperator::Less, "SAFE")),
            "/S/MODE has labels, which are equal or not; expected = or !=",
        ),
    ];
    for (row, expected) in cases {
        check_refused(&row, expected);
    }
}
