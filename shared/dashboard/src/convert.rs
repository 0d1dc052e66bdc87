//! From the core's types to the contract's.

use mission_database::{Dictionary, Parameter, ParameterKind as Kind};
use processing::{Buckets, Engineering, Raw, Sample};
use space_packet::TaiTime;

use crate::contract::{self, Label, NodeReport, ParameterDescription, ParameterKind, Value};

/// Integers up to this are exact in a browser.
const INTEGER_MAX: u64 = 1 << 53;
const NANOS_PER_MILLISECOND: f64 = 1e6;

/// A moment as the API writes it.
pub fn rfc3339(time: TaiTime) -> String {
    time.to_utc().to_string()
}

/// A node's report as it crosses the session.
pub fn node_report_json(report: &NodeReport) -> Vec<u8> {
    serde_json::to_vec(report).expect("a report holds only numbers and text")
}

pub(crate) fn unix_ms(tai_nanos: i64) -> f64 {
    TaiTime(tai_nanos).to_unix_nanos() as f64 / NANOS_PER_MILLISECOND
}

pub(crate) fn sample(
    dictionary: &Dictionary,
    sample: &Sample,
    node: &str,
    interval_s: Option<f64>,
) -> contract::Sample {
    contract::Sample {
        parameter: dictionary.parameter(sample.parameter).name.clone(),
        generation_time: rfc3339(sample.generation.0),
        reception_time: rfc3339(sample.reception.0),
        raw: match &sample.raw {
            Raw::Binary(bytes) => hexadecimal(bytes),
            Raw::Float(number) => float(*number),
            Raw::Signed(number) => signed(*number),
            Raw::Text(text) => Value::Text(text.to_string()),
            Raw::Unsigned(number) => unsigned(*number),
        },
        engineering: match sample.engineering(dictionary) {
            Engineering::Binary(bytes) => hexadecimal(bytes),
            Engineering::Boolean(value) => Value::Boolean(value),
            Engineering::Float(number) => float(number),
            Engineering::Label(text) | Engineering::Text(text) => Value::Text(text.to_owned()),
            Engineering::None => Value::None(()),
            Engineering::Signed(number) => signed(number),
            Engineering::Unsigned(number) => unsigned(number),
        },
        node: node.to_owned(),
        interval_ms: interval_s.map(|seconds| seconds * 1e3),
    }
}

fn float(number: f64) -> Value {
    match number {
        number if number.is_finite() => Value::Float(number),
        number if number.is_nan() => Value::Text("NaN".to_owned()),
        number if number > 0.0 => Value::Text("Infinity".to_owned()),
        _ => Value::Text("-Infinity".to_owned()),
    }
}

fn signed(number: i64) -> Value {
    if number.unsigned_abs() <= INTEGER_MAX {
        Value::Integer(number)
    } else {
        Value::Text(number.to_string())
    }
}

fn unsigned(number: u64) -> Value {
    match i64::try_from(number) {
        Ok(small) => signed(small),
        Err(_) => Value::Text(number.to_string()),
    }
}

fn hexadecimal(bytes: &[u8]) -> Value {
    Value::Text(format!("hex:{}", data_encoding::HEXLOWER.encode(bytes)))
}

pub(crate) fn parameter(parameter: &Parameter) -> ParameterDescription {
    let mut labels = Vec::new();
    let kind = match &parameter.kind {
        Kind::Binary => ParameterKind::Binary,
        Kind::Boolean { zero, one } => {
            labels = vec![Label { value: 0, label: zero.clone() }, Label { value: 1, label: one.clone() }];
            ParameterKind::Boolean
        }
        Kind::Enumeration(known) => {
            labels =
                known.iter().map(|entry| Label { value: entry.first, label: entry.label.clone() }).collect();
            ParameterKind::Enumeration
        }
        Kind::Float => ParameterKind::Float,
        Kind::Integer => ParameterKind::Integer,
        Kind::String => ParameterKind::String,
    };
    ParameterDescription {
        name: parameter.name.clone(),
        short_name: parameter.short_name.clone(),
        description: parameter.description.clone(),
        unit: parameter.unit.clone(),
        kind,
        labels,
    }
}

pub(crate) fn buckets(parameter: &str, buckets: Buckets) -> contract::Buckets {
    contract::Buckets {
        parameter: parameter.to_owned(),
        count: buckets.count,
        bucket_ms: buckets.width_nanos as f64 / NANOS_PER_MILLISECOND,
        times: buckets.times.into_iter().map(unix_ms).collect(),
        min: buckets.min,
        max: buckets.max,
        first: buckets.first,
        last: buckets.last,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_json_or_a_browser_cannot_hold_travel_as_text() {
        let json = |value: Value| serde_json::to_string(&value).expect("serialises");
        assert_eq!(json(float(f64::NAN)), "\"NaN\"");
        assert_eq!(json(float(f64::NEG_INFINITY)), "\"-Infinity\"");
        assert_eq!(json(float(0.1)), "0.1");
        assert_eq!(json(unsigned(u64::MAX)), "\"18446744073709551615\"");
        assert_eq!(json(unsigned(1 << 53)), "9007199254740992");
        assert_eq!(json(Value::None(())), "null");
        assert_eq!(json(hexadecimal(&[0xAB, 1])), "\"hex:ab01\"");
    }
}
