//! Calibrators that hold in a context, and the conditions that contexts are made of.

use super::{U8, container, decoded, document, entry, load};
use crate::Dictionary;

const MODE: &str = "<EnumeratedParameterType name='Mode'><IntegerDataEncoding sizeInBits='8'/><EnumerationList>\
    <Enumeration value='1' label='LOW'/><Enumeration value='2' label='HIGH'/></EnumerationList></EnumeratedParameterType>";

fn times(factor: &str) -> String {
    format!("<PolynomialCalibrator><Term coefficient='{factor}' exponent='1'/></PolynomialCalibrator>")
}

fn context(condition: &str, factor: &str) -> String {
    let (match_, calibrator) = (condition, times(factor));
    format!(
        "<ContextCalibrator><ContextMatch>{match_}</ContextMatch><Calibrator>{calibrator}</Calibrator></ContextCalibrator>"
    )
}

fn comparison(parameter: &str, more: &str) -> String {
    format!("<Comparison parameterRef='{parameter}' {more}/>")
}

/// `MODE`, then `V` with the contexts and the default given.
fn with_contexts(contexts: &[String], default: &str) -> Dictionary {
    let types = format!(
        "{U8}{MODE}<FloatParameterType name='T'><IntegerDataEncoding sizeInBits='8'>{default}<ContextCalibratorList>{}\
         </ContextCalibratorList></IntegerDataEncoding></FloatParameterType>",
        contexts.concat()
    );
    // Twice, and to be warned of once.
    let entries = [entry("MODE"), entry("V"), entry("V")].concat();
    load(&document(&types, &[("MODE", "Mode"), ("V", "T"), ("ABSENT", "U8")], &container("C", &entries)))
}

fn check(dictionary: &Dictionary, cases: &[([u8; 2], &str)]) {
    for (packet, expected) in cases {
        let found = decoded(dictionary, &[packet[0], packet[1], packet[1]]);
        assert!(found.ends_with(&format!(" V={expected}")), "{packet:?} gave {found}, expected {expected}");
    }
}

#[test]
fn the_first_context_that_holds_chooses_the_calibrator() {
    let contexts = [
        context(&comparison("MODE", "value='HIGH'"), "100"),
        context(&comparison("MODE", "value='0' comparisonOperator='>' useCalibratedValue='false'"), "10"),
        context(&comparison("MODE", "value='LOW'"), "1000"),
    ];
    let default = format!("<DefaultCalibrator>{}</DefaultCalibrator>", times("2"));
    let with_default = with_contexts(&contexts, &default);
    check(&with_default, &[([2, 3], "300.0"), ([1, 3], "30.0"), ([9, 3], "30.0"), ([0, 3], "6.0")]);
    // Without a default one, a value that no context is for stays as it is.
    check(&with_contexts(&contexts, ""), &[([2, 3], "300.0"), ([1, 3], "30.0"), ([0, 3], "3.0")]);
}

#[test]
fn a_piecewise_calibrator_looks_at_the_raw_value_that_is_being_calibrated() {
    for calibrated in ["true", "false"] {
        let own = |more: &str| comparison("V", &format!("{more} useCalibratedValue='{calibrated}'"));
        let middle = format!(
            "<ComparisonList>{}{}</ComparisonList>",
            own("value='10' comparisonOperator='>='"),
            own("value='20' comparisonOperator='&lt;'")
        );
        let contexts = [context(&own("value='10' comparisonOperator='&lt;'"), "2"), context(&middle, "3")];
        let cases = [([0, 9], "18.0"), ([0, 10], "30.0"), ([0, 19], "57.0"), ([0, 20], "20.0")];
        check(&with_contexts(&contexts, ""), &cases);
    }
}

#[test]
fn a_context_that_is_not_in_the_packet_never_holds_and_is_warned_of() {
    let contexts =
        [context(&comparison("ABSENT", "value='0'"), "2"), context(&comparison("MODE", "value='LOW'"), "3")];
    let dictionary = with_contexts(&contexts, "");
    check(&dictionary, &[([1, 5], "15.0"), ([0, 5], "5.0")]);
    let warnings: Vec<_> = dictionary.warnings().iter().map(|warning| warning.message.as_str()).collect();
    let expected = "a calibrator of /S/V depends on /S/ABSENT, which is not decoded before it in /S/C: there it never \
                    counts";
    assert_eq!(warnings, [expected]);
}

fn condition(left: &str, operator: &str, right: &str) -> String {
    let reference =
        |name: &str| format!("<ParameterInstanceRef parameterRef='{name}' useCalibratedValue='false'/>");
    let right = match right.strip_prefix('$') {
        Some(name) => reference(name),
        None => format!("<Value>{right}</Value>"),
    };
    let operator = operator.replace('<', "&lt;");
    format!(
        "<Condition>{}<ComparisonOperator>{operator}</ComparisonOperator>{right}</Condition>",
        reference(left)
    )
}

#[test]
fn boolean_expressions_nest_and_compare_parameters_with_each_other() {
    let all = |parts: &[String]| format!("<ANDedConditions>{}</ANDedConditions>", parts.concat());
    let any = |parts: &[String]| format!("<ORedConditions>{}</ORedConditions>", parts.concat());
    let (low, high) = (condition("MODE", "==", "1"), condition("MODE", "==", "2"));
    let (small, equal) = (condition("V", "<", "10"), condition("V", "==", "$MODE"));
    let cases = [
        (equal.clone(), vec![([3, 3], true), ([3, 4], false)]),
        (condition("V", ">", "$MODE"), vec![([3, 4], true), ([3, 3], false)]),
        (condition("V", "!=", "$MODE"), vec![([3, 4], true), ([3, 3], false)]),
        (condition("V", "==", "$ABSENT"), vec![([0, 0], false)]),
        (condition("V", "!=", "$ABSENT"), vec![([0, 1], false)]),
        (all(&[low.clone(), small.clone()]), vec![([1, 9], true), ([1, 10], false), ([2, 9], false)]),
        (any(&[low.clone(), small.clone()]), vec![([1, 10], true), ([2, 9], true), ([2, 10], false)]),
        (
            all(&[any(&[low, high]), any(&[small, all(&[equal])])]),
            vec![([1, 9], true), ([2, 9], true), ([3, 9], false), ([2, 10], false)],
        ),
    ];
    for (expression, packets) in cases {
        let expression = format!("<BooleanExpression>{expression}</BooleanExpression>");
        let dictionary = with_contexts(&[context(&expression, "100")], "");
        for (packet, holds) in packets {
            let factor = if holds { 100.0 } else { 1.0 };
            check(&dictionary, &[(packet, &format!("{:?}", f64::from(packet[1]) * factor))]);
        }
    }
}
