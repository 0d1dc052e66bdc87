//! When two values are the same: whole numbers exactly, floats and times nearly, what is composed part by part.

use serde_json::Value;
use space_packet::UtcTime;

/// How far a float may be off, relative to what is expected.
const RELATIVE_MAX: f64 = 1e-9;

/// How far a time may be off.
#[derive(Clone, Copy)]
pub(super) struct Tolerance {
    nanoseconds: u64,
}

impl Tolerance {
    /// Of a parameter. Seconds since J2000 in a double are 0.1 us apart, and were rounded on the way there.
    pub(super) fn of(parameter: &str) -> Self {
        let microseconds = if parameter.ends_with("T_J2000") { 2 } else { 1 };
        Self { nanoseconds: microseconds * 1_000 }
    }
}

/// How many values were compared, all found as expected.
pub(super) fn same_value(found: &Value, expected: &Value, tolerance: Tolerance) -> Result<usize, String> {
    match (found, expected) {
        (Value::Array(found), Value::Array(expected)) if found.len() == expected.len() => {
            found.iter().zip(expected).map(|(found, expected)| same_value(found, expected, tolerance)).sum()
        }
        (Value::Object(found), Value::Object(expected)) if found.keys().eq(expected.keys()) => {
            let pairs = found.values().zip(expected.values());
            pairs.map(|(found, expected)| same_value(found, expected, tolerance)).sum()
        }
        _ if is_same(found, expected, tolerance) => Ok(1),
        _ => Err(format!("{found} instead of {expected}")),
    }
}

fn is_same(found: &Value, expected: &Value, tolerance: Tolerance) -> bool {
    if found == expected {
        return true;
    }
    if let (Some(near), Some(wanted)) = (found.as_f64(), expected.as_f64()) {
        return !(is_whole(found) && is_whole(expected)) && is_near(near, wanted, RELATIVE_MAX);
    }
    let moment =
        |value: &Value| value.as_str().and_then(|text| UtcTime::parse(text).ok()).map(UtcTime::to_tai);
    moment(found).zip(moment(expected)).is_some_and(|(a, b)| a.0.abs_diff(b.0) <= tolerance.nanoseconds)
}

/// Whole numbers, of which two that differ are never the same.
fn is_whole(number: &Value) -> bool {
    number.is_i64() || number.is_u64()
}

/// Whether a number is another one but for rounding.
pub(super) fn is_near(found: f64, expected: f64, relative: f64) -> bool {
    found == expected || (found - expected).abs() <= relative * expected.abs()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_compared_as_the_cases_ask_for() {
        let check = |found: Value, expected: Value, is_good: bool| {
            let result = same_value(&found, &expected, Tolerance::of("P"));
            assert_eq!(result.is_ok(), is_good, "{found} and {expected}");
        };
        check(json!(7), json!(7.0), true);
        check(json!(u64::MAX), json!(u64::MAX), true);
        check(json!(u64::MAX), json!(u64::MAX - 1), false);
        check(json!(1_000_000_000_000_i64), json!(1_000_000_000_001_i64), false);
        check(json!(0.1), json!(0.100_000_000_01), true);
        check(json!(0.1), json!(0.100_000_1), false);
        check(json!("NaN"), json!("NaN"), true);
        check(json!({"x": [1.0, 2.0]}), json!({"x": [1, 2]}), true);
        check(json!({"x": [1]}), json!({"x": [1, 2]}), false);
        check(json!({"x": 1}), json!({"y": 1}), false);
        check(json!("2026-11-22T00:00:00.000001Z"), json!("2026-11-22T00:00:00.000002Z"), true);
        check(json!("2026-11-22T00:00:00.000001Z"), json!("2026-11-22T00:00:00.000003Z"), false);
        check(json!(true), json!(1), false);
    }
}
