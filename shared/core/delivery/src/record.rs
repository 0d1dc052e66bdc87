//! What a batch holds: packets and samples as received, bytes in which no packet was found, and what a node has to
//! say of itself. Each has its bytes here; a batch puts those into columns, whatever they are.

use serde::{Deserialize, Serialize};
use space_packet::{GenerationTime, TaiTime};

use crate::batch::BatchError;

/// The longest piece of an alarm's history, in bytes.
pub const ALARM_PIECE_BYTES_MAX: usize = 64 * 1_024;
/// Longest text of an event, in bytes.
pub const EVENT_TEXT_BYTES_MAX: usize = 1_024;
/// Longest name of a parameter, cause or event, in bytes.
pub const RECORD_NAME_BYTES_MAX: usize = 512;

/// What all records of one batch are.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(try_from = "u8", into = "u8")]
#[repr(u8)]
pub enum Content {
    /// Some of an alarm's history, as `processing::alarm` writes pieces of one: at most [`ALARM_PIECE_BYTES_MAX`] each.
    Alarms = 5,
    /// What the node has to say: [`Event`].
    Events = 3,
    /// Space packets as received.
    Packets = 1,
    /// Samples as received: [`SampleRecord`].
    Samples = 2,
    /// Bytes in which no packet was found: [`Unframed`].
    Unframed = 4,
}

impl TryFrom<u8> for Content {
    type Error = &'static str;

    fn try_from(number: u8) -> Result<Self, Self::Error> {
        match number {
            1 => Ok(Self::Packets),
            2 => Ok(Self::Samples),
            3 => Ok(Self::Events),
            4 => Ok(Self::Unframed),
            5 => Ok(Self::Alarms),
            _ => Err("not a kind of record"),
        }
    }
}

impl From<Content> for u8 {
    fn from(content: Content) -> u8 {
        content as u8
    }
}

/// What intake found out about a record: one bit each. What a bit means is decided where records are judged; here it
/// only travels.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct Verdicts(pub u32);

impl Verdicts {
    /// Nothing was found.
    pub const NONE: Self = Self(0);

    /// Whether nothing was found.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// What either says.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether all of `other` was found.
    pub fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether any of `other` was found.
    pub fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

/// A value that came without a packet.
#[derive(Clone, Debug, PartialEq)]
pub enum Scalar {
    /// Bytes.
    Binary(Vec<u8>),
    /// A boolean.
    Boolean(bool),
    /// A floating-point number.
    Float(f64),
    /// A signed integer.
    Signed(i64),
    /// Text: of a text parameter, the label of an enumeration, or a time.
    Text(String),
    /// An unsigned integer.
    Unsigned(u64),
}

/// Which reading of a parameter a value is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ReadingKind {
    /// As people read it.
    Engineering,
    /// As transmitted: calibration is still to come.
    Raw,
}

/// One sample as its producer sent it.
#[derive(Clone, Debug, PartialEq)]
pub struct SampleRecord {
    /// Name of the parameter, as the producer wrote it.
    pub parameter: String,
    /// When it was made; the reception time stands in when the producer did not say.
    pub generation: Option<GenerationTime>,
    /// Which reading the value is.
    pub reading: ReadingKind,
    /// The value.
    pub value: Scalar,
}

/// Bytes in which no packet was found, and why.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Unframed<'a> {
    /// Stable code of the cause.
    pub cause: &'a str,
    /// The bytes, or as many of the first ones as are kept.
    pub bytes: &'a [u8],
}

/// How much an event matters.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Severity {
    /// Data are lost or somebody must act.
    Error,
    /// Worth telling.
    Info,
    /// Unexpected, and handled.
    Warning,
}

/// What a node has to say: a link that lost datagrams, a journal that began anew, a packet that can be decoded now.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Event {
    /// When it was noticed.
    pub at: TaiTime,
    /// Stable code.
    pub code: String,
    /// How much it matters.
    pub severity: Severity,
    /// One sentence.
    pub text: String,
    /// Values that the sentence speaks of.
    pub details: Vec<(String, String)>,
}

const fn malformed(what: &'static str) -> BatchError {
    BatchError::Malformed { what }
}

const RAW_FLAG: u8 = 0x80;
const GENERATION_FLAG: u8 = 0x40;

impl SampleRecord {
    /// Its bytes: what seldom changes between two samples of one parameter has a fixed place.
    ///
    /// ```text
    /// u8       kind of value, 0x40 with a generation time, 0x80 a raw reading
    /// u8       length of the name, low 8 bits
    /// u8       length of the name, high 8 bits
    /// i64 LE   generation time, TAI nanoseconds          (only with one)
    ///          value: 8 bytes LE, 1 byte of a boolean, nothing of text and bytes
    ///          name
    ///          text or bytes, to the end
    /// ```
    pub fn encode(&self) -> Vec<u8> {
        let (kind, fixed, tail): (u8, &[u8], &[u8]) = match &self.value {
            Scalar::Binary(bytes) => (0, &[], bytes),
            Scalar::Boolean(value) => (1, &[u8::from(*value)], &[]),
            Scalar::Float(value) => (2, &value.to_le_bytes(), &[]),
            Scalar::Signed(value) => (3, &value.to_le_bytes(), &[]),
            Scalar::Text(text) => (4, &[], text.as_bytes()),
            Scalar::Unsigned(value) => (5, &value.to_le_bytes(), &[]),
        };
        let mut flags = kind;
        if self.reading == ReadingKind::Raw {
            flags |= RAW_FLAG;
        }
        if self.generation.is_some() {
            flags |= GENERATION_FLAG;
        }
        let mut out = Vec::with_capacity(20 + self.parameter.len() + tail.len());
        out.push(flags);
        out.extend_from_slice(&(self.parameter.len() as u16).to_le_bytes());
        if let Some(generation) = self.generation {
            out.extend_from_slice(&generation.0.0.to_le_bytes());
        }
        out.extend_from_slice(fixed);
        out.extend_from_slice(self.parameter.as_bytes());
        out.extend_from_slice(tail);
        out
    }

    /// Reads what [`SampleRecord::encode`] wrote.
    pub fn decode(bytes: &[u8]) -> Result<Self, BatchError> {
        const CUT_OFF: BatchError = malformed("a sample is cut off");
        let (&[flags, low, high], rest) = bytes.split_first_chunk::<3>().ok_or(CUT_OFF)?;
        let name_bytes = usize::from(u16::from_le_bytes([low, high]));
        let (generation, rest) = if flags & GENERATION_FLAG == 0 {
            (None, rest)
        } else {
            let (time, rest) = rest.split_first_chunk().ok_or(CUT_OFF)?;
            (Some(GenerationTime(TaiTime(i64::from_le_bytes(*time)))), rest)
        };
        let kind = flags & !(RAW_FLAG | GENERATION_FLAG);
        let fixed_bytes = match kind {
            0 | 4 => 0,
            1 => 1,
            2 | 3 | 5 => 8,
            _ => return Err(malformed("a sample's kind of value is not known")),
        };
        let (fixed, rest) = rest.split_at_checked(fixed_bytes).ok_or(CUT_OFF)?;
        let (name, tail) = rest.split_at_checked(name_bytes).ok_or(CUT_OFF)?;
        let text = |bytes: &[u8]| {
            std::str::from_utf8(bytes)
                .map(str::to_owned)
                .map_err(|_| malformed("a sample's text is not UTF-8"))
        };
        let eight = || fixed.try_into().expect("eight bytes were split off above");
        let value = match kind {
            0 => Scalar::Binary(tail.to_vec()),
            1 => Scalar::Boolean(fixed[0] != 0),
            2 => Scalar::Float(f64::from_le_bytes(eight())),
            3 => Scalar::Signed(i64::from_le_bytes(eight())),
            4 => Scalar::Text(text(tail)?),
            _ => Scalar::Unsigned(u64::from_le_bytes(eight())),
        };
        if !matches!(kind, 0 | 4) && !tail.is_empty() {
            return Err(malformed("a sample is longer than it says"));
        }
        let reading = if flags & RAW_FLAG == 0 { ReadingKind::Engineering } else { ReadingKind::Raw };
        Ok(Self { parameter: text(name)?, generation, reading, value })
    }
}

impl<'a> Unframed<'a> {
    /// Its bytes: the cause's length, the cause, the bytes.
    pub fn encode(&self) -> Vec<u8> {
        let cause = &self.cause.as_bytes()[..self.cause.len().min(255)];
        [&[cause.len() as u8], cause, self.bytes].concat()
    }

    /// Reads what [`Unframed::encode`] wrote.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, BatchError> {
        const CUT_OFF: BatchError = malformed("a record of bytes without a packet is cut off");
        let (&length, rest) = bytes.split_first().ok_or(CUT_OFF)?;
        let (cause, bytes) = rest.split_at_checked(usize::from(length)).ok_or(CUT_OFF)?;
        let cause = std::str::from_utf8(cause).map_err(|_| malformed("a cause is not UTF-8"))?;
        Ok(Self { cause, bytes })
    }
}

impl Event {
    /// Its bytes.
    pub fn encode(&self) -> Vec<u8> {
        postcard::to_stdvec(self).expect("texts and numbers always encode")
    }

    /// Reads what [`Event::encode`] wrote.
    pub fn decode(bytes: &[u8]) -> Result<Self, BatchError> {
        postcard::from_bytes(bytes).map_err(|_| malformed("an event does not decode"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn scalar() -> impl Strategy<Value = Scalar> {
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
        fn a_sample_is_read_as_it_was_sent(
            parameter in "/[A-Za-z/_]{0,40}",
            time in proptest::option::of(any::<i64>()),
            is_raw in any::<bool>(),
            value in scalar(),
        ) {
            let reading = if is_raw { ReadingKind::Raw } else { ReadingKind::Engineering };
            let generation = time.map(|time| GenerationTime(TaiTime(time)));
            let sample = SampleRecord { parameter, generation, reading, value };
            prop_assert_eq!(SampleRecord::decode(&sample.encode()), Ok(sample));
        }

        #[test]
        fn whatever_the_bytes_nothing_panics(bytes in any::<Vec<u8>>()) {
            let _ = SampleRecord::decode(&bytes);
            let _ = Unframed::decode(&bytes);
            let _ = Event::decode(&bytes);
        }

        #[test]
        fn bytes_without_a_packet_keep_their_cause(cause in "[a-z-]{0,30}", bytes in any::<Vec<u8>>()) {
            let encoded = Unframed { cause: &cause, bytes: &bytes }.encode();
            prop_assert_eq!(Unframed::decode(&encoded), Ok(Unframed { cause: &cause, bytes: &bytes }));
        }
    }
}
