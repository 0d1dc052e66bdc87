//! One value in one place of a file.

use std::borrow::Cow;
use std::fmt::Write;

use mission_database::{MissionDatabase, MonitoringResult, Validity};
use processing::{Engineering, Provenance, Raw, Sample};
use serde::{Serialize, Serializer};

/// Integers up to this are exact in a double, and so in what reads JSON.
const INTEGER_MAX: u64 = 1 << 53;

/// A value, raw or as people read it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Cell<'a> {
    Boolean(bool),
    Float(f64),
    None,
    Signed(i64),
    /// Text, a label, a moment, or bytes as `hex:`.
    Text(Cow<'a, str>),
    Unsigned(u64),
}

impl<'a> Cell<'a> {
    pub(crate) fn raw(sample: &'a Sample) -> Self {
        match &sample.raw {
            Raw::Binary(bytes) => Self::Text(hexadecimal(bytes).into()),
            Raw::Float(number) => Self::Float(*number),
            Raw::Signed(number) => Self::Signed(*number),
            Raw::Text(text) => Self::Text(Cow::Borrowed(text)),
            Raw::Unsigned(number) => Self::Unsigned(*number),
        }
    }

    pub(crate) fn engineering(database: &'a MissionDatabase, sample: &'a Sample) -> Self {
        match sample.engineering(database) {
            Engineering::Binary(bytes) => Self::Text(hexadecimal(bytes).into()),
            Engineering::Boolean(value) => Self::Boolean(value),
            Engineering::Float(number) => Self::Float(number),
            Engineering::Label(text) | Engineering::Text(text) => Self::Text(Cow::Borrowed(text)),
            Engineering::None => Self::None,
            Engineering::Signed(number) => Self::Signed(number),
            Engineering::Time(time) => Self::Text(time.to_utc().to_string().into()),
            Engineering::Unsigned(number) => Self::Unsigned(number),
        }
    }

    /// As a table of text has it; nothing where there is no value.
    pub(crate) fn text(&self) -> Cow<'_, str> {
        match self {
            Self::Boolean(value) => if *value { "true" } else { "false" }.into(),
            Self::Float(number) => match word_for(*number) {
                Some(word) => word.into(),
                // Not `{}`, which writes 1e300 with all its digits.
                None => format!("{number:?}").into(),
            },
            Self::None => "".into(),
            Self::Signed(number) => number.to_string().into(),
            Self::Text(text) => Cow::Borrowed(text),
            Self::Unsigned(number) => number.to_string().into(),
        }
    }

    /// As a double, where it is a number; integers beyond 2^53 are rounded.
    pub(crate) fn number(&self) -> Option<f64> {
        match self {
            Self::Boolean(value) => Some(f64::from(u8::from(*value))),
            Self::Float(number) => Some(*number),
            Self::None | Self::Text(_) => None,
            Self::Signed(number) => Some(*number as f64),
            Self::Unsigned(number) => Some(*number as f64),
        }
    }

    /// What [`Cell::number`] does not say, or not exactly.
    pub(crate) fn beside_number(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::Float(_) | Self::None => None,
            Self::Signed(number) if number.unsigned_abs() <= INTEGER_MAX => None,
            Self::Unsigned(number) if *number <= INTEGER_MAX => None,
            Self::Boolean(_) | Self::Signed(_) | Self::Text(_) | Self::Unsigned(_) => Some(self.text()),
        }
    }
}

/// As the API writes values: what JSON or a browser cannot hold is text.
impl Serialize for Cell<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Boolean(value) => serializer.serialize_bool(*value),
            Self::Float(number) if number.is_finite() => serializer.serialize_f64(*number),
            Self::None => serializer.serialize_unit(),
            Self::Signed(number) if number.unsigned_abs() <= INTEGER_MAX => serializer.serialize_i64(*number),
            Self::Unsigned(number) if *number <= INTEGER_MAX => serializer.serialize_u64(*number),
            other => serializer.serialize_str(&other.text()),
        }
    }
}

/// The word for a float that is none of the numbers.
fn word_for(number: f64) -> Option<&'static str> {
    match number {
        number if number.is_nan() => Some("NaN"),
        f64::INFINITY => Some("Infinity"),
        f64::NEG_INFINITY => Some("-Infinity"),
        _ => None,
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(4 + 2 * bytes.len());
    text.push_str("hex:");
    for byte in bytes {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// The word for whether a value may be trusted, as the API has it.
pub(crate) fn validity(validity: Validity) -> &'static str {
    match validity {
        Validity::NotANumber => "not-a-number",
        Validity::OutsideCalibration => "outside-calibration",
        Validity::OutsideValidRange => "outside-valid-range",
        Validity::UnknownLabel => "unknown-label",
        Validity::Valid => "valid",
    }
}

/// The word for how a value stands to its limits, as the API has it.
pub(crate) fn monitoring(result: MonitoringResult) -> &'static str {
    match result {
        MonitoringResult::NotMonitored => "not-monitored",
        MonitoringResult::Normal => "normal",
        MonitoringResult::Watch => "watch",
        MonitoringResult::Warning => "warning",
        MonitoringResult::Distress => "distress",
        MonitoringResult::Critical => "critical",
        MonitoringResult::Severe => "severe",
    }
}

/// The word for how a sample came, as the API has it.
pub(crate) fn provenance(provenance: Provenance) -> &'static str {
    match provenance {
        Provenance::Backfilled => "backfilled",
        Provenance::Imported => "imported",
        Provenance::Live => "live",
        Provenance::Reprocessed => "reprocessed",
    }
}
