//! Values that came without a packet: what a dictionary makes of a number, a text or bytes of one parameter.
//!
//! Such a value is brought into the form in which a packet would carry it, then takes the way of all others through
//! conversion and limits. What no packet could have carried is refused.

use std::borrow::Cow;

use space_packet::{TaiTime, UtcTime};

use crate::bits::IntegerCoding;
use crate::decode::decode_alone;
use crate::operand::boolean;
use crate::plan::{Conversion, Field, Read};
use crate::{
    DecodedValue, Dictionary, EngineeringValue, EnumerationLabel, ParameterIndex, ParameterKind, RawValue,
};

/// Characters of a text, and labels, that an error shows.
const SHOWN_CHARACTERS_MAX: usize = 64;
const SHOWN_LABELS_MAX: usize = 8;

/// A value of one parameter, as its producer sent it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum GivenValue<'v> {
    /// Bytes.
    Binary(&'v [u8]),
    /// A boolean.
    Boolean(bool),
    /// A floating-point number.
    Float(f64),
    /// A signed integer.
    Signed(i64),
    /// Text, a label, a boolean's word, or a time as RFC 3339.
    Text(&'v str),
    /// An unsigned integer.
    Unsigned(u64),
}

/// Why a value cannot be one of its parameter. Each message is a whole sentence for whoever sent it.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum UnfitValue {
    /// An engineering value, of which the raw one cannot be told.
    #[error("{parameter} is calibrated: send raw")]
    Calibrated {
        /// Full name.
        parameter: String,
    },
    /// It is of another kind than the parameter.
    #[error("{parameter} takes {expected}; {found} was sent")]
    Kind {
        /// Full name.
        parameter: String,
        /// What would fit.
        expected: String,
        /// What was sent.
        found: &'static str,
    },
    /// The enumeration has no such label.
    #[error("{parameter} has no label {found:?}; labels are {known}")]
    Label {
        /// Full name.
        parameter: String,
        /// What was sent, cut short.
        found: String,
        /// The first labels there are.
        known: String,
    },
    /// Its type has no encoding, so that no packet holds it.
    #[error("{parameter} has no encoding in the dictionary, so that it can have no value")]
    NoEncoding {
        /// Full name.
        parameter: String,
    },
    /// The parameter's bits cannot hold it.
    #[error("{parameter} has {bits} bits, for {low} to {high}; {found} was sent")]
    OutOfRange {
        /// Full name.
        parameter: String,
        /// Bits of its encoding.
        bits: u8,
        /// The lowest raw value.
        low: i128,
        /// The highest raw value.
        high: i128,
        /// The raw value that was sent, or that the value sent would have.
        found: i128,
    },
    /// The text is no moment that we can tell.
    #[error("{parameter}: {found:?} is not a time; expected RFC 3339 in UTC, like 2026-11-22T17:31:02.125Z")]
    Time {
        /// Full name.
        parameter: String,
        /// What was sent, cut short.
        found: String,
    },
    /// The parameter's clock counts from the time of another parameter.
    #[error("{parameter} counts from the time of another parameter: send raw")]
    TimeNotTold {
        /// Full name.
        parameter: String,
    },
}

impl Dictionary {
    /// What a raw value becomes that came without a packet. Calibrators and limits that depend on other parameters
    /// see none, so that the default ones count.
    pub fn read_raw<'v>(
        &self,
        parameter: ParameterIndex,
        given: GivenValue<'v>,
    ) -> Result<DecodedValue<'v>, UnfitValue> {
        let lone = self.lone(parameter)?;
        let raw = lone.encoded(given)?;
        Ok(decode_alone(self, parameter, lone.field, raw))
    }

    /// What an engineering value becomes that came without a packet. Its raw value must follow from it: labels,
    /// words of booleans, times, and whatever is not calibrated.
    ///
    /// A time is kept as it was sent; its raw value is the nearest that the parameter's clock can say.
    pub fn read_engineering<'v>(
        &self,
        parameter: ParameterIndex,
        given: GivenValue<'v>,
    ) -> Result<DecodedValue<'v>, UnfitValue> {
        let lone = self.lone(parameter)?;
        let raw = match lone.field.conversion {
            Conversion::Calibrator(_) | Conversion::ContextCalibrators(_) => {
                return Err(UnfitValue::Calibrated { parameter: lone.name() });
            }
            Conversion::Boolean => lone.boolean(given)?,
            Conversion::Enumeration(index) => lone.label(index, given)?,
            Conversion::Float | Conversion::Same => lone.encoded(given)?,
            Conversion::Time(index) => {
                let (raw, time) = lone.time(index, given)?;
                let value = decode_alone(self, parameter, lone.field, raw);
                return Ok(DecodedValue { engineering: EngineeringValue::Time(time), ..value });
            }
        };
        Ok(decode_alone(self, parameter, lone.field, raw))
    }

    fn lone(&self, parameter: ParameterIndex) -> Result<Lone<'_>, UnfitValue> {
        match self.compiled.lone_fields.field(parameter) {
            Some(field) => Ok(Lone { dictionary: self, parameter, field }),
            None => Err(UnfitValue::NoEncoding { parameter: self.parameter(parameter).name.clone() }),
        }
    }
}

/// A parameter outside of any packet.
struct Lone<'d> {
    dictionary: &'d Dictionary,
    parameter: ParameterIndex,
    field: Field,
}

impl Lone<'_> {
    fn name(&self) -> String {
        self.dictionary.parameter(self.parameter).name.clone()
    }

    fn kind(&self) -> &ParameterKind {
        &self.dictionary.parameter(self.parameter).kind
    }

    #[cold]
    fn unfit(&self, expected: impl Into<String>, given: GivenValue<'_>) -> UnfitValue {
        UnfitValue::Kind { parameter: self.name(), expected: expected.into(), found: described(given) }
    }

    /// A value in the form in which a packet would carry it.
    fn encoded<'v>(&self, given: GivenValue<'v>) -> Result<RawValue<'v>, UnfitValue> {
        match (self.field.read, given) {
            (Read::Binary { .. }, GivenValue::Binary(bytes)) => Ok(RawValue::Binary(Cow::Borrowed(bytes))),
            (Read::Float { .. }, GivenValue::Float(number)) => Ok(RawValue::Float(number)),
            (Read::Float { .. }, GivenValue::Signed(number)) => Ok(RawValue::Float(number as f64)),
            (Read::Float { .. }, GivenValue::Unsigned(number)) => Ok(RawValue::Float(number as f64)),
            (Read::Integer { .. }, GivenValue::Signed(number)) => self.integer(i128::from(number)),
            (Read::Integer { .. }, GivenValue::Unsigned(number)) => self.integer(i128::from(number)),
            // Some writers of JSON put a fraction behind every number.
            (Read::Integer { .. }, GivenValue::Float(number)) if number.fract() == 0.0 => {
                self.integer(number as i128)
            }
            (Read::Text { .. }, GivenValue::Text(text)) => Ok(RawValue::Text(Cow::Borrowed(text))),
            (Read::Binary { .. }, _) => Err(self.unfit("bytes", given)),
            (Read::Float { .. }, _) => Err(self.unfit("a number", given)),
            (Read::Integer { .. }, _) => Err(self.unfit("a whole number", given)),
            (Read::Text { .. }, _) => Err(self.unfit("text", given)),
        }
    }

    fn integer<'v>(&self, number: i128) -> Result<RawValue<'v>, UnfitValue> {
        let Read::Integer { bits, coding, .. } = self.field.read else {
            // Booleans, labels and whole times have integer encodings only: the loader refuses others.
            return Err(UnfitValue::NoEncoding { parameter: self.name() });
        };
        let (low, high) = integers(bits, coding);
        let refused = || UnfitValue::OutOfRange { parameter: self.name(), bits, low, high, found: number };
        if !(low..=high).contains(&number) {
            return Err(refused());
        }
        match coding {
            IntegerCoding::BinaryCodedDecimal | IntegerCoding::Unsigned => {
                u64::try_from(number).map(RawValue::Unsigned).map_err(|_| refused())
            }
            IntegerCoding::OnesComplement | IntegerCoding::SignMagnitude | IntegerCoding::TwosComplement => {
                i64::try_from(number).map(RawValue::Signed).map_err(|_| refused())
            }
        }
    }

    fn boolean<'v>(&self, given: GivenValue<'v>) -> Result<RawValue<'v>, UnfitValue> {
        let ParameterKind::Boolean { zero, one } = self.kind() else { return self.encoded(given) };
        let value = match given {
            GivenValue::Boolean(value) => Some(value),
            GivenValue::Text(word) => boolean(zero, one, word),
            _ => None,
        };
        match value {
            Some(value) => self.integer(self.written_boolean(value)),
            None => Err(self.unfit(format!("true, false, {one:?} or {zero:?}"), given)),
        }
    }

    /// One bit of two's complement has no 1; all its bits set also are true.
    fn written_boolean(&self, value: bool) -> i128 {
        match self.field.read {
            Read::Integer { bits: 1, coding: IntegerCoding::TwosComplement, .. } => -i128::from(value),
            _ => i128::from(value),
        }
    }

    fn label<'v>(&self, table: u32, given: GivenValue<'v>) -> Result<RawValue<'v>, UnfitValue> {
        let ParameterKind::Enumeration(labels) = self.kind() else { return self.encoded(given) };
        let GivenValue::Text(text) = given else {
            return Err(self.unfit(format!("a label: one of {}", shown_labels(labels)), given));
        };
        let table = &self.dictionary.compiled.plan.enumerations[table as usize];
        // Where ranges overlap, a raw value may read as the label of an earlier one.
        let reads_so = |raw: i64| table.label(raw).is_some_and(|index| labels[index as usize].label == text);
        let same = labels.iter().filter(|label| label.label == text);
        let raw = same.flat_map(|label| [label.first, label.last]).find(|raw| reads_so(*raw));
        match raw {
            Some(raw) => self.integer(i128::from(raw)),
            None => Err(UnfitValue::Label {
                parameter: self.name(),
                found: cut_short(text),
                known: shown_labels(labels),
            }),
        }
    }

    fn time<'v>(&self, scale: u32, given: GivenValue<'v>) -> Result<(RawValue<'v>, TaiTime), UnfitValue> {
        let GivenValue::Text(text) = given else {
            return Err(self.unfit("a time as RFC 3339 in UTC", given));
        };
        let utc = UtcTime::parse(text).ok();
        // Years that nanoseconds cannot count do not come back the same.
        let time = utc.map(UtcTime::to_tai).filter(|time| Some(time.to_utc()) == utc);
        let time = time.ok_or_else(|| UnfitValue::Time { parameter: self.name(), found: cut_short(text) })?;
        let scale = &self.dictionary.compiled.plan.time_scales[scale as usize];
        let ticks = scale.ticks(time);
        let (nearest, exact) = ticks.ok_or_else(|| UnfitValue::TimeNotTold { parameter: self.name() })?;
        let raw = match self.field.read {
            Read::Float { .. } => RawValue::Float(exact),
            _ => self.integer(nearest)?,
        };
        Ok((raw, time))
    }
}

/// The lowest and the highest integer that so many bits hold.
fn integers(bits: u8, coding: IntegerCoding) -> (i128, i128) {
    let bits = u32::from(bits);
    let half = 1_i128 << bits.saturating_sub(1);
    match coding {
        IntegerCoding::BinaryCodedDecimal => (0, 10_i128.pow(bits / 4) - 1),
        IntegerCoding::OnesComplement | IntegerCoding::SignMagnitude => (1 - half, half - 1),
        IntegerCoding::TwosComplement => (-half, half - 1),
        IntegerCoding::Unsigned => (0, (1 << bits) - 1),
    }
}

fn described(given: GivenValue<'_>) -> &'static str {
    match given {
        GivenValue::Binary(_) => "bytes",
        GivenValue::Boolean(_) => "a boolean",
        GivenValue::Float(number) if number.is_finite() => "a number with a fraction",
        GivenValue::Float(_) => "a number that is not finite",
        GivenValue::Signed(_) | GivenValue::Unsigned(_) => "a whole number",
        GivenValue::Text(_) => "text",
    }
}

fn cut_short(text: &str) -> String {
    text.chars().take(SHOWN_CHARACTERS_MAX).collect()
}

fn shown_labels(labels: &[EnumerationLabel]) -> String {
    let mut shown: Vec<_> =
        labels.iter().take(SHOWN_LABELS_MAX).map(|label| cut_short(&label.label)).collect();
    shown.extend((labels.len() > SHOWN_LABELS_MAX).then(|| "…".to_owned()));
    shown.join(", ")
}
