//! Calibrators: splines, calculations, and what they refuse.

use super::{U8, container, document, entry, load, one_field, refusal, shown};
use crate::{DecodedPacket, Dictionary};

fn type_with(calibrator: &str) -> String {
    format!(
        "<FloatParameterType name='T'><IntegerDataEncoding sizeInBits='8' encoding='twosComplement'>\
         <DefaultCalibrator>{calibrator}</DefaultCalibrator></IntegerDataEncoding></FloatParameterType>"
    )
}

/// The last value of a packet and whether it may be trusted.
fn outcome(dictionary: &Dictionary, packet: &[u8]) -> String {
    let mut into = DecodedPacket::default();
    dictionary.decode(packet, &mut into).expect("the packet is long enough");
    let value = into.values.last().expect("there is a value");
    format!("{} {:?}", shown(dictionary, value), value.validity)
}

fn check(calibrator: &str, cases: &[(i8, &str)]) {
    let dictionary = one_field(0, &type_with(calibrator));
    for (raw, expected) in cases {
        assert_eq!(outcome(&dictionary, &[*raw as u8]), *expected, "{raw} by {calibrator}");
    }
}

fn check_refused(calibrator: &str, expected: &str) {
    let found = refusal(&document(&type_with(calibrator), &[("P", "T")], ""));
    assert!(found.contains(expected), "{calibrator}\nis refused by: {found}");
}

/// The points are out of order on purpose.
fn spline(attributes: &str) -> String {
    format!(
        "<SplineCalibrator {attributes}><SplinePoint raw='20' calibrated='140'/><SplinePoint raw='-10' calibrated='0'/>\
         <SplinePoint raw='0' calibrated='100'/></SplineCalibrator>"
    )
}

#[test]
fn a_spline_of_order_1_draws_lines_between_its_points() {
    let inside = [
        (-10, "0.0 Valid"),
        (-5, "50.0 Valid"),
        (0, "100.0 Valid"),
        (10, "120.0 Valid"),
        (20, "140.0 Valid"),
    ];
    let nothing = "? OutsideCalibration";
    for attributes in ["", "order='1'", "order='1' extrapolate='false'"] {
        check(&spline(attributes), &inside);
        check(&spline(attributes), &[(-11, nothing), (21, nothing), (127, nothing)]);
    }
    check(&spline("extrapolate='true'"), &inside);
    check(
        &spline("extrapolate='true'"),
        &[(-11, "-10.0 Valid"), (21, "142.0 Valid"), (-128, "-1180.0 Valid")],
    );
}

#[test]
fn a_spline_of_order_0_keeps_the_value_of_the_point_below() {
    let inside =
        [(-10, "0.0 Valid"), (-1, "0.0 Valid"), (0, "100.0 Valid"), (19, "100.0 Valid"), (20, "140.0 Valid")];
    let nothing = "? OutsideCalibration";
    check(&spline("order='0'"), &inside);
    check(&spline("order='0'"), &[(-11, nothing), (21, nothing)]);
    check(&spline("order='0' extrapolate='true'"), &inside);
    check(&spline("order='0' extrapolate='true'"), &[(-11, "0.0 Valid"), (21, "140.0 Valid")]);
}

#[test]
fn a_spline_of_one_point_knows_that_point() {
    let single = |attributes: &str| {
        format!("<SplineCalibrator {attributes}><SplinePoint raw='5' calibrated='7.5'/></SplineCalibrator>")
    };
    for order in ["order='0'", "order='1'"] {
        check(&single(order), &[(4, "? OutsideCalibration"), (5, "7.5 Valid"), (6, "? OutsideCalibration")]);
        let wide = format!("{order} extrapolate='1'");
        check(&single(&wide), &[(4, "7.5 Valid"), (5, "7.5 Valid"), (6, "7.5 Valid")]);
    }
}

#[test]
fn a_spline_that_is_no_function_is_refused() {
    let points = |points: &str| format!("<SplineCalibrator>{points}</SplineCalibrator>");
    let twice = "<SplinePoint raw='1' calibrated='1'/><SplinePoint raw='1' calibrated='2'/>";
    let cases = [
        (spline("order='2'"), "order=\"2\" is not supported yet; expected 0 or 1"),
        (spline("extrapolate='maybe'"), "expected true or false"),
        (points(twice), "two points have raw=\"1\"; expected each raw value once"),
        (points("<SplinePoint raw='INF' calibrated='1'/>"), "expected finite numbers"),
        (points("<SplinePoint raw='NaN' calibrated='1'/>"), "expected finite numbers"),
        (points("<SplinePoint raw='1'/>"), "attribute calibrated is missing"),
        (points(""), "no SplinePoint was found"),
        (spline("") + &spline(""), "a second calibrator was found; expected one"),
        ("<FrequencyCalibrator/>".to_owned(), "FrequencyCalibrator is not supported here yet"),
    ];
    for (calibrator, expected) in cases {
        check_refused(&calibrator, expected);
    }
}

/// `x` is the value itself, `$NAME` another parameter, the rest numbers and operators.
fn math(postfix: &str) -> String {
    let step = |word: &str| match word.strip_prefix('$') {
        Some(name) => format!("<ParameterInstanceRefOperand parameterRef='{name}'/>"),
        None if word == "x" => "<ThisParameterOperand/>".to_owned(),
        None if word.parse::<f64>().is_ok() => format!("<ValueOperand>{word}</ValueOperand>"),
        None => format!("<Operator>{word}</Operator>"),
    };
    let steps: String = postfix.split_whitespace().map(step).collect();
    format!("<MathOperationCalibrator>{steps}</MathOperationCalibrator>")
}

#[test]
fn calculations_run_in_reverse_polish_notation() {
    let cases = [
        ("x 2 +", "9.0 Valid"),
        ("x 2 -", "5.0 Valid"),
        ("2 x -", "-5.0 Valid"),
        ("x 2 *", "14.0 Valid"),
        ("x 2 /", "3.5 Valid"),
        ("x 4 %", "3.0 Valid"),
        ("x 2 ^", "49.0 Valid"),
        ("2 x y^x", "128.0 Valid"),
        ("4 1/x", "0.25 Valid"),
        ("x dup *", "49.0 Valid"),
        ("x 3 swap -", "-4.0 Valid"),
        ("x 3 drop", "7.0 Valid"),
        ("x 3 over - -", "11.0 Valid"),
        ("x 9 max", "9.0 Valid"),
        ("x 9 min", "7.0 Valid"),
        ("0 x - abs", "7.0 Valid"),
        ("x -2 / int", "-3.0 Valid"),
        ("49 sqrt", "7.0 Valid"),
        ("0 e^x", "1.0 Valid"),
        ("1 ln", "0.0 Valid"),
        ("100 log", "2.0 Valid"),
        ("0 sin 0 cos +", "1.0 Valid"),
        ("0 tan 0 asin + 1 acos +", "0.0 Valid"),
        ("0 atan 0 1 atan2 +", "0.0 Valid"),
        ("0 sinh 0 cosh + 0 tanh +", "1.0 Valid"),
        ("x 0 /", "inf Valid"),
        ("0 0 /", "NaN NotANumber"),
        ("0 x - sqrt", "NaN NotANumber"),
        ("NaN x max", "NaN NotANumber"),
        ("x NaN min", "NaN NotANumber"),
    ];
    for (postfix, expected) in cases {
        check(&math(postfix), &[(7, expected)]);
    }
}

#[test]
fn calculations_use_other_parameters_that_were_decoded() {
    let types = [U8, &type_with(&math("x $SCALE * $LATER +"))].concat();
    let parameters = [("SCALE", "U8"), ("LATER", "U8"), ("P", "T")];
    let cases = [
        (["SCALE", "LATER", "P"], "22.0 Valid"),
        // What is not in the packet gives no result, not a zero.
        (["SCALE", "P", "P"], "? OutsideCalibration"),
    ];
    for (order, expected) in cases {
        let entries: String = order.map(entry).concat();
        let dictionary = load(&document(&types, &parameters, &container("C", &entries)));
        assert_eq!(outcome(&dictionary, &[4, 2, 5]), expected, "{order:?}");
    }
}

#[test]
fn a_calculation_that_cannot_work_is_refused() {
    let many = "1 ".repeat(33);
    let long = format!("x {}", "1 + ".repeat(501));
    let cases = [
        ("x +", "1 values are on the stack; expected 2 for this operator"),
        ("dup", "0 values are on the stack; expected 1 for this operator"),
        ("x over", "1 values are on the stack; expected 2 for this operator"),
        ("x 2", "the calculation ends with 2 values; expected one"),
        ("", "the calculation ends with 0 values; expected one"),
        ("x drop", "the calculation ends with 0 values; expected one"),
        ("x not", "operator \"not\" is not supported yet; expected one of + - * /"),
        ("$NOBODY", "parameter \"NOBODY\" is not defined"),
        (many.as_str(), "the calculation is too long; expected at most 1000 steps and 32 values at once"),
        (long.as_str(), "the calculation is too long"),
    ];
    for (postfix, expected) in cases {
        check_refused(&math(postfix), expected);
    }
    let broken = "<MathOperationCalibrator><ValueOperand>1,5</ValueOperand></MathOperationCalibrator>";
    check_refused(broken, "\"1,5\" was found; expected a number");
}

#[test]
fn a_polynomial_with_two_terms_of_one_power_or_a_huge_one_is_refused() {
    let terms = |powers: [&str; 2]| {
        let terms: String =
            powers.map(|power| format!("<Term coefficient='1' exponent='{power}'/>")).concat();
        format!("<PolynomialCalibrator>{terms}</PolynomialCalibrator>")
    };
    let cases = [
        (["1", "1"], "a second term with exponent 1 was found; expected one"),
        (["1", "33"], "exponent=\"33\" was found; expected a whole number up to 32"),
        (["1", "4000000000"], "expected a whole number up to 32"),
        (["1", "-1"], "expected a whole number up to 32"),
        (["1", "0.5"], "expected a whole number up to 32"),
    ];
    for (powers, expected) in cases {
        check_refused(&terms(powers), expected);
    }
}
