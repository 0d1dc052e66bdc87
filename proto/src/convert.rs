//! Samples of the contract become records, and the other way round.

use delivery::{RECORD_NAME_BYTES_MAX, ReadingKind, SampleRecord, Scalar};
use prost_types::Timestamp;
use space_packet::{GenerationTime, TaiTime};

use crate::v1::sample::Reading;
use crate::v1::value::Kind;
use crate::v1::{Sample, Value};

const NANOS_PER_SECOND: i64 = 1_000_000_000;
/// Longest text or bytes of a value: with its name, half of what a sealed batch may hold.
const TEXT_BYTES_MAX: usize = 64 * 1_024;

/// What is wrong with a sample.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SampleErrorKind {
    /// A field that must be there is not.
    FieldMissing,
    /// The name is empty or too long.
    NameLength,
    /// Text or bytes are too long.
    TextLength,
    /// The time is not one that can be kept.
    TimeMalformed,
}

/// Why a sample is no record.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct SampleError {
    /// The field at fault.
    pub field: &'static str,
    /// What is wrong with it.
    pub kind: SampleErrorKind,
    /// A sentence for whoever sent it.
    pub message: String,
}

fn error(field: &'static str, kind: SampleErrorKind, message: impl Into<String>) -> SampleError {
    SampleError { field, kind, message: message.into() }
}

/// The record of a sample.
pub fn to_record(sample: Sample) -> Result<SampleRecord, SampleError> {
    let Sample { parameter, time, reading } = sample;
    if parameter.is_empty() || parameter.len() > RECORD_NAME_BYTES_MAX {
        let found = parameter.len();
        let message = format!("the name has {found} bytes; 1 to {RECORD_NAME_BYTES_MAX} are taken");
        return Err(error("parameter", SampleErrorKind::NameLength, message));
    }
    let generation = time.map(generation_time).transpose()?;
    let (field, reading, value) = match reading {
        Some(Reading::Raw(value)) => ("raw", ReadingKind::Raw, value),
        Some(Reading::Value(value)) => ("value", ReadingKind::Engineering, value),
        None => {
            let message = "neither `value` nor `raw` is there";
            return Err(error("value", SampleErrorKind::FieldMissing, message));
        }
    };
    Ok(SampleRecord { parameter, generation, reading, value: scalar(field, value)? })
}

fn scalar(field: &'static str, value: Value) -> Result<Scalar, SampleError> {
    let checked = |bytes: usize| {
        let message = || format!("{bytes} bytes of text or bytes; {TEXT_BYTES_MAX} are taken");
        (bytes <= TEXT_BYTES_MAX)
            .then_some(())
            .ok_or_else(|| error(field, SampleErrorKind::TextLength, message()))
    };
    Ok(match value.kind {
        Some(Kind::Binary(bytes)) => {
            checked(bytes.len())?;
            Scalar::Binary(bytes)
        }
        Some(Kind::Boolean(value)) => Scalar::Boolean(value),
        Some(Kind::Float(value)) => Scalar::Float(value),
        Some(Kind::Signed(value)) => Scalar::Signed(value),
        Some(Kind::Text(text)) => {
            checked(text.len())?;
            Scalar::Text(text)
        }
        Some(Kind::Unsigned(value)) => Scalar::Unsigned(value),
        None => return Err(error(field, SampleErrorKind::FieldMissing, "the value has no kind")),
    })
}

fn generation_time(time: Timestamp) -> Result<GenerationTime, SampleError> {
    let problem = |message: String| error("time", SampleErrorKind::TimeMalformed, message);
    let nanos = i64::from(time.nanos);
    if !(0..NANOS_PER_SECOND).contains(&nanos) {
        return Err(problem(format!("{nanos} nanoseconds; 0 to 999999999 stand behind whole seconds")));
    }
    let unix_nanos =
        time.seconds.checked_mul(NANOS_PER_SECOND).and_then(|seconds| seconds.checked_add(nanos));
    // Leap seconds are added on the way to TAI: the last minute that can be counted is left out.
    let unix_nanos = unix_nanos.filter(|nanos| *nanos <= i64::MAX - 60 * NANOS_PER_SECOND);
    let unix_nanos = unix_nanos
        .ok_or_else(|| problem(format!("{} s is beyond the times that can be kept", time.seconds)))?;
    Ok(GenerationTime(TaiTime::from_unix_nanos(unix_nanos)))
}

/// The sample of a record. Within a leap second its time is that of the second before.
pub fn from_record(record: SampleRecord) -> Sample {
    let kind = match record.value {
        Scalar::Binary(bytes) => Kind::Binary(bytes),
        Scalar::Boolean(value) => Kind::Boolean(value),
        Scalar::Float(value) => Kind::Float(value),
        Scalar::Signed(value) => Kind::Signed(value),
        Scalar::Text(text) => Kind::Text(text),
        Scalar::Unsigned(value) => Kind::Unsigned(value),
    };
    let value = Value { kind: Some(kind) };
    let reading = match record.reading {
        ReadingKind::Engineering => Reading::Value(value),
        ReadingKind::Raw => Reading::Raw(value),
    };
    let time = record.generation.map(|GenerationTime(time)| {
        let nanos = time.to_unix_nanos();
        let (seconds, nanos) = (nanos.div_euclid(NANOS_PER_SECOND), nanos.rem_euclid(NANOS_PER_SECOND));
        Timestamp { seconds, nanos: nanos as i32 }
    });
    Sample { parameter: record.parameter, time, reading: Some(reading) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn value() -> impl Strategy<Value = Scalar> {
        prop_oneof![
            any::<Vec<u8>>().prop_map(Scalar::Binary),
            any::<bool>().prop_map(Scalar::Boolean),
            any::<f64>().prop_filter("comparable", |value| !value.is_nan()).prop_map(Scalar::Float),
            any::<i64>().prop_map(Scalar::Signed),
            ".{0,20}".prop_map(Scalar::Text),
            any::<u64>().prop_map(Scalar::Unsigned),
        ]
    }

    proptest! {
        #[test]
        fn a_record_comes_back_as_it_was(
            parameter in "/[A-Za-z/_]{0,40}",
            unix_nanos in proptest::option::of(-4_000_000_000_000_000_000_i64..4_000_000_000_000_000_000),
            is_raw in any::<bool>(),
            value in value(),
        ) {
            let reading = if is_raw { ReadingKind::Raw } else { ReadingKind::Engineering };
            let generation = unix_nanos.map(|nanos| GenerationTime(TaiTime::from_unix_nanos(nanos)));
            let record = SampleRecord { parameter, generation, reading, value };
            prop_assert_eq!(to_record(from_record(record.clone())), Ok(record));
        }

        #[test]
        fn whatever_the_time_nothing_overflows(seconds in any::<i64>(), nanos in any::<i32>()) {
            let _ = generation_time(Timestamp { seconds, nanos });
        }
    }

    #[test]
    fn a_sample_that_is_no_record_is_told_by_its_field() {
        let good = || {
            from_record(SampleRecord {
                parameter: "volts".to_owned(),
                generation: None,
                reading: ReadingKind::Raw,
                value: Scalar::Unsigned(7),
            })
        };
        let nameless = Sample { parameter: String::new(), ..good() };
        let valueless = Sample { reading: None, ..good() };
        let kindless = Sample { reading: Some(Reading::Raw(Value { kind: None })), ..good() };
        let long = Value { kind: Some(Kind::Text("x".repeat(TEXT_BYTES_MAX + 1))) };
        let long = Sample { reading: Some(Reading::Value(long)), ..good() };
        let timeless = Sample { time: Some(Timestamp { seconds: i64::MAX, nanos: 0 }), ..good() };
        for (sample, field, kind) in [
            (nameless, "parameter", SampleErrorKind::NameLength),
            (valueless, "value", SampleErrorKind::FieldMissing),
            (kindless, "raw", SampleErrorKind::FieldMissing),
            (long, "value", SampleErrorKind::TextLength),
            (timeless, "time", SampleErrorKind::TimeMalformed),
        ] {
            let error = to_record(sample).expect_err("it is wrong");
            assert_eq!((error.field, error.kind), (field, kind));
        }
    }
}
