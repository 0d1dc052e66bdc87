//! Samples as producers send them: JSON and NDJSON bodies become [`SampleRecord`]s, and each sample that does not is
//! refused by its place, with a cause and a sentence.
//!
//! ```json
//! {"parameter": "/Demo/Power/volts", "time": "2026-11-22T17:31:02.125Z", "raw": 2048}
//! {"parameter": "/Demo/Power/mode", "value": "ON"}
//! {"parameter": "/Demo/Memory/dump", "value": {"hex": "00ff"}}
//! ```
//!
//! Exactly one of `value` (as people read it) and `raw` (as transmitted). A sample without `time` is as old as its
//! reception. Integers keep 64 bits, larger ones become floats.

use std::fmt;

use delivery::{RECORD_NAME_BYTES_MAX, SampleRecord};

pub use check::check_against;

/// How samples are written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SampleFormat {
    /// One object, an array of objects, or `{"samples": [...]}`.
    Json,
    /// One object a line; blank lines are passed over.
    NdJson,
}

/// How much one body may hold.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct SampleLimits {
    /// Samples, refused ones included.
    pub samples_max: usize,
    /// Refused samples that are listed; all are counted.
    pub refused_listed_max: usize,
    /// Bytes of a text, or that hexadecimal digits stand for.
    pub text_bytes_max: usize,
    /// Bytes of a parameter's name; no more than a record holds, [`RECORD_NAME_BYTES_MAX`].
    pub name_bytes_max: usize,
}

impl Default for SampleLimits {
    fn default() -> Self {
        Self {
            // One every 0.1 ms, for a producer that sends once a second.
            samples_max: 10_000,
            // What somebody may still read.
            refused_listed_max: 100,
            // With its name, half of what a sealed batch may hold.
            text_bytes_max: 64 * 1024,
            name_bytes_max: RECORD_NAME_BYTES_MAX,
        }
    }
}

/// Why a sample, or a whole body, is refused.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum SampleCause {
    /// Neither `value` nor `raw`, or no `parameter`.
    FieldMissing,
    /// A field stands there twice.
    FieldRepeated,
    /// A field holds another kind of JSON than it should.
    FieldType,
    /// A field that samples do not have.
    FieldUnknown,
    /// `hex` holds something else than pairs of hexadecimal digits.
    HexMalformed,
    /// Not an object, an array of objects or `{"samples": [...]}`.
    JsonShape,
    /// Not JSON.
    JsonSyntax,
    /// The parameter's name is empty or longer than is kept.
    NameLength,
    /// Several parameters have the short name.
    ParameterAmbiguous,
    /// No parameter has the name.
    ParameterUnknown,
    /// Text or bytes are longer than is taken.
    TextLength,
    /// `time` is not RFC 3339 in UTC.
    TimeMalformed,
    /// The body holds more samples than are taken at once.
    TooManySamples,
    /// Both `value` and `raw`.
    ValueAndRaw,
    /// The value cannot be one of its parameter.
    ValueUnfit,
}

impl SampleCause {
    /// All.
    pub const ALL: [Self; 15] = [
        Self::FieldMissing,
        Self::FieldRepeated,
        Self::FieldType,
        Self::FieldUnknown,
        Self::HexMalformed,
        Self::JsonShape,
        Self::JsonSyntax,
        Self::NameLength,
        Self::ParameterAmbiguous,
        Self::ParameterUnknown,
        Self::TextLength,
        Self::TimeMalformed,
        Self::TooManySamples,
        Self::ValueAndRaw,
        Self::ValueUnfit,
    ];

    /// Stable name, as answers have it.
    pub const fn code(self) -> &'static str {
        match self {
            Self::FieldMissing => "field-missing",
            Self::FieldRepeated => "field-repeated",
            Self::FieldType => "field-type",
            Self::FieldUnknown => "field-unknown",
            Self::HexMalformed => "hex-malformed",
            Self::JsonShape => "json-shape",
            Self::JsonSyntax => "json-syntax",
            Self::NameLength => "name-length",
            Self::ParameterAmbiguous => "parameter-ambiguous",
            Self::ParameterUnknown => "parameter-unknown",
            Self::TextLength => "text-length",
            Self::TimeMalformed => "time-malformed",
            Self::TooManySamples => "too-many-samples",
            Self::ValueAndRaw => "value-and-raw",
            Self::ValueUnfit => "value-unfit",
        }
    }
}

impl fmt::Display for SampleCause {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.code())
    }
}

/// Which part of a sample is at fault.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum SampleField {
    /// A field that samples do not have, by its name, cut short.
    Other(String),
    /// `parameter`.
    Parameter,
    /// `raw`.
    Raw,
    /// `time`.
    Time,
    /// `value`.
    Value,
    /// The sample as a whole.
    Whole,
}

impl SampleField {
    /// Its JSON pointer within the sample.
    fn pointer(&self) -> String {
        match self {
            Self::Other(name) => format!("/{}", name.replace('~', "~0").replace('/', "~1")),
            Self::Parameter => "/parameter".to_owned(),
            Self::Raw => "/raw".to_owned(),
            Self::Time => "/time".to_owned(),
            Self::Value => "/value".to_owned(),
            Self::Whole => String::new(),
        }
    }
}

/// What is wrong with one sample.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct SampleProblem {
    /// Where.
    pub field: SampleField,
    /// What.
    pub cause: SampleCause,
    /// A sentence for whoever sent it.
    pub message: String,
}

/// A sample that was not taken.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RefusedSample {
    /// Its place among all samples of the body, from 0.
    pub index: usize,
    /// JSON pointer of what is at fault, from the root of the body, or of the line.
    pub path: String,
    /// The line it stands on, counted from 1; only of bodies that have one a line.
    pub line: Option<usize>,
    /// Why.
    pub cause: SampleCause,
    /// A sentence for whoever sent it.
    pub message: String,
}

/// What a body held.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SampleBody {
    /// Samples that can be taken, in their order.
    pub samples: Vec<SampleRecord>,
    /// The first of those that cannot.
    pub refused: Vec<RefusedSample>,
    /// How many cannot.
    pub refused_count: usize,
}

/// Why a body as a whole is not taken: no sample in it counts.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{message}, at line {line}, column {column}")]
pub struct BodyError {
    /// Why.
    pub cause: SampleCause,
    /// What was found, without its place.
    pub message: String,
    /// Line, counted from 1.
    pub line: usize,
    /// Byte within that line, counted from 1; 0 before its first.
    pub column: usize,
    /// What stands around there, bytes that are no text replaced.
    pub excerpt: String,
}

/// Reads the samples of a body, and asks `check` about each that is well formed. Whether all are refused when one is, is
/// for the caller to say.
///
/// In NDJSON a line that is no JSON is refused by itself; in JSON it ends the body.
pub fn read_samples(
    format: SampleFormat,
    body: &[u8],
    limits: SampleLimits,
    check: impl Fn(&SampleRecord) -> Result<(), SampleProblem>,
) -> Result<SampleBody, BodyError> {
    match format {
        SampleFormat::Json => body::read_json(body, limits, &check),
        SampleFormat::NdJson => body::read_lines(body, limits, &check),
    }
}

mod body;
mod check;
mod sample;
#[cfg(test)]
mod tests;
