//! One sample of a body, read in one pass. Whatever is JSON is read to its end, so that what is wrong with one sample
//! leaves those behind it readable.

use std::borrow::Cow;
use std::fmt;

use delivery::{ReadingKind, SampleRecord, Scalar};
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use space_packet::{GenerationTime, UtcTime};

use super::{SampleCause, SampleField, SampleLimits, SampleProblem};

/// Characters of a producer's text that an error shows.
const SHOWN_CHARACTERS_MAX: usize = 64;

/// A sample while its fields are read, in whatever order they come.
#[derive(Default)]
pub(super) struct Draft {
    parameter: Option<String>,
    generation: Option<GenerationTime>,
    value: Option<(ReadingKind, Scalar)>,
    /// Fields that were there, whether they could be read or not: one bit each.
    seen: u8,
    /// The first that was found.
    problem: Option<SampleProblem>,
}

/// Name of a field.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Key {
    Field(SampleField),
    /// Of the object around all samples.
    Samples,
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct KeyVisitor;
        impl Visitor<'_> for KeyVisitor {
            type Value = Key;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("the name of a field")
            }

            fn visit_str<E>(self, name: &str) -> Result<Key, E> {
                Ok(Key::Field(match name {
                    "parameter" => SampleField::Parameter,
                    "raw" => SampleField::Raw,
                    "samples" => return Ok(Key::Samples),
                    "time" => SampleField::Time,
                    "value" => SampleField::Value,
                    other => SampleField::Other(cut_short(other)),
                }))
            }
        }
        deserializer.deserialize_identifier(KeyVisitor)
    }
}

impl Draft {
    /// Whether it had no field at all.
    pub(super) fn is_empty(&self) -> bool {
        self.seen == 0 && self.problem.is_none()
    }

    /// What is not even an object.
    pub(super) fn refuse_shape(&mut self, found: &str) {
        let message = format!("{found} was found; expected an object with parameter and value or raw");
        self.refuse(SampleField::Whole, SampleCause::JsonShape, message);
    }

    #[cold]
    fn refuse(&mut self, field: SampleField, cause: SampleCause, message: impl Into<String>) {
        if self.problem.is_none() {
            self.problem = Some(SampleProblem { field, cause, message: message.into() });
        }
    }

    /// Reads the value behind a key.
    pub(super) fn read_field<'de, M: MapAccess<'de>>(
        &mut self,
        field: SampleField,
        map: &mut M,
        limits: &SampleLimits,
    ) -> Result<(), M::Error> {
        let bit = match field {
            SampleField::Parameter => 1,
            SampleField::Raw => 2,
            SampleField::Time => 4,
            SampleField::Value => 8,
            SampleField::Other(ref name) => {
                let message =
                    format!("{name:?} is no field of a sample; expected parameter, time, value or raw");
                self.refuse(field, SampleCause::FieldUnknown, message);
                return map.next_value::<IgnoredAny>().map(drop);
            }
            SampleField::Whole => 0,
        };
        if self.seen & bit != 0 {
            self.refuse(field.clone(), SampleCause::FieldRepeated, "the field is there twice");
        }
        self.seen |= bit;
        let found = map.next_value_seed(Found { bytes_max: limits.text_bytes_max })?;
        match field {
            SampleField::Parameter => self.take_parameter(found, limits),
            SampleField::Raw => self.take_value(ReadingKind::Raw, found, limits),
            SampleField::Time => self.take_time(&found),
            SampleField::Value => self.take_value(ReadingKind::Engineering, found, limits),
            SampleField::Other(_) | SampleField::Whole => {}
        }
        Ok(())
    }

    fn take_parameter(&mut self, found: FoundValue<'_>, limits: &SampleLimits) {
        let length = match found {
            FoundValue::Text(name) if (1..=limits.name_bytes_max).contains(&name.len()) => {
                self.parameter = Some(name.into_owned());
                return;
            }
            FoundValue::Text(name) => name.len(),
            FoundValue::TooLong { bytes } => bytes,
            other => {
                let message = format!("{} was found; expected the name of a parameter", other.described());
                return self.refuse(SampleField::Parameter, SampleCause::FieldType, message);
            }
        };
        let message = format!("the name has {length} bytes; expected 1 to {}", limits.name_bytes_max);
        self.refuse(SampleField::Parameter, SampleCause::NameLength, message);
    }

    fn take_time(&mut self, found: &FoundValue<'_>) {
        let text = match found {
            // Writers that know no absent field say so.
            FoundValue::Null => return,
            FoundValue::Text(text) => text.as_ref(),
            FoundValue::TooLong { .. } => "",
            other => {
                let message = format!("{} was found; expected a time as RFC 3339 in UTC", other.described());
                return self.refuse(SampleField::Time, SampleCause::FieldType, message);
            }
        };
        match UtcTime::parse(text) {
            // Years that nanoseconds cannot count do not come back the same.
            Ok(utc) if utc.to_tai().to_utc() == utc => self.generation = Some(GenerationTime(utc.to_tai())),
            Ok(_) => {
                let message = format!("{text:?} is too far away; expected a year from 1678 to 2261");
                self.refuse(SampleField::Time, SampleCause::TimeMalformed, message);
            }
            Err(error) => self.refuse(SampleField::Time, SampleCause::TimeMalformed, error.to_string()),
        }
    }

    fn take_value(&mut self, reading: ReadingKind, found: FoundValue<'_>, limits: &SampleLimits) {
        let field = if reading == ReadingKind::Raw { SampleField::Raw } else { SampleField::Value };
        let found = match found {
            FoundValue::Text(text) => FoundValue::Scalar(Scalar::Text(text.into_owned())),
            other => other,
        };
        match found {
            FoundValue::Scalar(scalar) => {
                if self.value.replace((reading, scalar)).is_some_and(|(other, _)| other != reading) {
                    let message = "value and raw are both there; expected one of them";
                    self.refuse(field, SampleCause::ValueAndRaw, message);
                }
            }
            FoundValue::HexMalformed => {
                let message = "hex is not pairs of hexadecimal digits";
                self.refuse(field, SampleCause::HexMalformed, message);
            }
            FoundValue::TooLong { bytes } => {
                let message = format!("{bytes} bytes were found; expected at most {}", limits.text_bytes_max);
                self.refuse(field, SampleCause::TextLength, message);
            }
            other => {
                let message = format!(
                    "{} was found; expected a number, a text, true, false, or bytes as {{\"hex\": \"00ff\"}}",
                    other.described()
                );
                self.refuse(field, SampleCause::FieldType, message);
            }
        }
    }

    /// The sample, or the first thing that is wrong with it.
    pub(super) fn finish(self) -> Result<SampleRecord, SampleProblem> {
        if let Some(problem) = self.problem {
            return Err(problem);
        }
        let missing = |message: &str| SampleProblem {
            field: SampleField::Whole,
            cause: SampleCause::FieldMissing,
            message: message.to_owned(),
        };
        let parameter = self.parameter.ok_or_else(|| missing("parameter is missing"))?;
        let (reading, value) =
            self.value.ok_or_else(|| missing("value and raw are both missing; expected one of them"))?;
        Ok(SampleRecord { parameter, generation: self.generation, reading, value })
    }
}

/// Some JSON, as far as samples hold it.
enum FoundValue<'de> {
    Array,
    HexMalformed,
    Null,
    /// Not `{"hex": ...}`.
    Object,
    /// But for text.
    Scalar(Scalar),
    Text(Cow<'de, str>),
    TooLong {
        bytes: usize,
    },
}

impl FoundValue<'_> {
    fn described(&self) -> &'static str {
        match self {
            Self::Array => "an array",
            Self::HexMalformed | Self::Scalar(Scalar::Binary(_)) => "bytes",
            Self::Null => "null",
            Self::Object => "an object",
            Self::Scalar(Scalar::Boolean(_)) => "a boolean",
            Self::Scalar(Scalar::Float(_) | Scalar::Signed(_) | Scalar::Unsigned(_)) => "a number",
            Self::Scalar(Scalar::Text(_)) | Self::Text(_) | Self::TooLong { .. } => "text",
        }
    }
}

/// Reads any JSON; never fails but by its syntax.
struct Found {
    bytes_max: usize,
}

impl<'de> DeserializeSeed<'de> for Found {
    type Value = FoundValue<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<FoundValue<'de>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Found {
    type Value = FoundValue<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_bool<E>(self, value: bool) -> Result<FoundValue<'de>, E> {
        Ok(FoundValue::Scalar(Scalar::Boolean(value)))
    }

    fn visit_i64<E>(self, number: i64) -> Result<FoundValue<'de>, E> {
        Ok(FoundValue::Scalar(Scalar::Signed(number)))
    }

    fn visit_u64<E>(self, number: u64) -> Result<FoundValue<'de>, E> {
        Ok(FoundValue::Scalar(Scalar::Unsigned(number)))
    }

    fn visit_f64<E>(self, number: f64) -> Result<FoundValue<'de>, E> {
        Ok(FoundValue::Scalar(Scalar::Float(number)))
    }

    fn visit_str<E>(self, text: &str) -> Result<FoundValue<'de>, E> {
        Ok(match text.len() {
            bytes if bytes > self.bytes_max => FoundValue::TooLong { bytes },
            _ => FoundValue::Text(Cow::Owned(text.to_owned())),
        })
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<FoundValue<'de>, E> {
        Ok(match text.len() {
            bytes if bytes > self.bytes_max => FoundValue::TooLong { bytes },
            _ => FoundValue::Text(Cow::Borrowed(text)),
        })
    }

    fn visit_unit<E>(self) -> Result<FoundValue<'de>, E> {
        Ok(FoundValue::Null)
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut items: S) -> Result<FoundValue<'de>, S::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(FoundValue::Array)
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<FoundValue<'de>, M::Error> {
        let mut hex = None;
        let mut is_other = false;
        while let Some(is_hex) = map.next_key_seed(IsHex)? {
            if is_hex && hex.is_none() {
                // Digits are twice the bytes.
                hex = Some(map.next_value_seed(HexDigits { bytes_max: self.bytes_max })?);
            } else {
                is_other = true;
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(hex.filter(|_| !is_other).unwrap_or(FoundValue::Object))
    }
}

/// Whether a key is `hex`.
struct IsHex;

impl<'de> DeserializeSeed<'de> for IsHex {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl Visitor<'_> for IsHex {
    type Value = bool;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("hex")
    }

    fn visit_str<E>(self, name: &str) -> Result<bool, E> {
        Ok(name == "hex")
    }
}

/// What stands behind `hex`.
struct HexDigits {
    bytes_max: usize,
}

impl<'de> DeserializeSeed<'de> for HexDigits {
    type Value = FoundValue<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<FoundValue<'de>, D::Error> {
        let found = Found { bytes_max: self.bytes_max.saturating_mul(2) }.deserialize(deserializer)?;
        Ok(match found {
            FoundValue::Text(digits) => match hex_bytes(&digits) {
                Some(bytes) => FoundValue::Scalar(Scalar::Binary(bytes)),
                None => FoundValue::HexMalformed,
            },
            FoundValue::TooLong { bytes } => FoundValue::TooLong { bytes: bytes / 2 },
            _ => FoundValue::HexMalformed,
        })
    }
}

fn hex_bytes(digits: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = digits.as_bytes().as_chunks::<2>();
    let digit = |byte: u8| char::from(byte).to_digit(16).map(|digit| digit as u8);
    let bytes = pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect();
    if rest.is_empty() { bytes } else { None }
}

fn cut_short(text: &str) -> String {
    text.chars().take(SHOWN_CHARACTERS_MAX).collect()
}
