//! Values as JSON that keeps its order, whole numbers to 64 bits, and the floats that JSON has no words for.

use std::borrow::Cow;

use mission_database::{DecodedValue, Dictionary, EngineeringValue, ParameterKind, RawValue};
use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};
use space_packet::{TaiTime, UtcTime};

use crate::rebuilt::Rebuilt;

/// A value of JSON.
#[derive(Clone, Debug)]
pub(crate) enum Json<'p> {
    Boolean(bool),
    Float(f64),
    List(Vec<Json<'p>>),
    Null,
    Object(Vec<(&'p str, Json<'p>)>),
    Signed(i64),
    Text(Cow<'p, str>),
    Unsigned(u64),
}

impl<'p> Json<'p> {
    /// What the values under one name mean.
    pub(crate) fn engineering(dictionary: &'p Dictionary, values: &'p [Rebuilt<'p>]) -> Self {
        Self::of_all(values, &|value| engineering(dictionary, value))
    }

    /// What was sent for them.
    pub(crate) fn raw(values: &'p [Rebuilt<'p>]) -> Self {
        Self::of_all(values, &|value| raw(&value.raw))
    }

    fn of_all(values: &'p [Rebuilt<'p>], leaf: &dyn Fn(&'p DecodedValue<'p>) -> Json<'p>) -> Self {
        match values {
            [value] => Self::of(value, leaf),
            values => Self::List(values.iter().map(|value| Self::of(value, leaf)).collect()),
        }
    }

    fn of(value: &'p Rebuilt<'p>, leaf: &dyn Fn(&'p DecodedValue<'p>) -> Json<'p>) -> Self {
        match value {
            Rebuilt::Aggregate(members) => {
                Self::Object(members.iter().map(|(name, member)| (*name, Self::of(member, leaf))).collect())
            }
            Rebuilt::Array(elements) => {
                Self::List(elements.iter().map(|element| Self::of(element, leaf)).collect())
            }
            Rebuilt::Value(value) => leaf(value),
        }
    }

    /// Whether it is an object without members.
    pub(crate) fn is_empty_object(&self) -> bool {
        matches!(self, Self::Object(members) if members.is_empty())
    }
}

/// Same value and same type; a whole number is of another type than a float.
impl PartialEq for Json<'_> {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Boolean(a), Self::Boolean(b)) => a == b,
            // A value that is not a number is shown as the same word again.
            (Self::Float(a), Self::Float(b)) => a == b || (a.is_nan() && b.is_nan()),
            (Self::List(a), Self::List(b)) => a == b,
            (Self::Null, Self::Null) => true,
            (Self::Object(a), Self::Object(b)) => a == b,
            (Self::Signed(a), Self::Signed(b)) => a == b,
            (Self::Signed(a), Self::Unsigned(b)) | (Self::Unsigned(b), Self::Signed(a)) => {
                i128::from(*a) == i128::from(*b)
            }
            (Self::Text(a), Self::Text(b)) => a == b,
            (Self::Unsigned(a), Self::Unsigned(b)) => a == b,
            _ => false,
        }
    }
}

impl Serialize for Json<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Boolean(value) => serializer.serialize_bool(*value),
            Self::Float(value) => match word_for(*value) {
                Some(word) => serializer.serialize_str(word),
                None => serializer.serialize_f64(*value),
            },
            Self::List(elements) => {
                let mut list = serializer.serialize_seq(Some(elements.len()))?;
                elements.iter().try_for_each(|element| list.serialize_element(element))?;
                list.end()
            }
            Self::Null => serializer.serialize_unit(),
            Self::Object(members) => {
                let mut object = serializer.serialize_map(Some(members.len()))?;
                members.iter().try_for_each(|(name, member)| object.serialize_entry(name, member))?;
                object.end()
            }
            Self::Signed(value) => serializer.serialize_i64(*value),
            Self::Text(text) => serializer.serialize_str(text),
            Self::Unsigned(value) => serializer.serialize_u64(*value),
        }
    }
}

/// What a value means.
pub(crate) fn engineering<'p>(dictionary: &'p Dictionary, value: &'p DecodedValue<'p>) -> Json<'p> {
    match (&value.engineering, &dictionary.parameter(value.parameter).kind) {
        (EngineeringValue::Binary(bytes), _) => Json::Text(hexadecimal(bytes).into()),
        (EngineeringValue::Boolean(value), _) => Json::Boolean(*value),
        (EngineeringValue::Float(value), _) => Json::Float(*value),
        (EngineeringValue::Label(label), ParameterKind::Enumeration(labels)) => {
            let label = labels.get(*label as usize);
            label.map_or(Json::Null, |label| Json::Text(label.label.as_str().into()))
        }
        (EngineeringValue::Label(_) | EngineeringValue::None, _) => Json::Null,
        (EngineeringValue::Signed(value), _) => Json::Signed(*value),
        (EngineeringValue::Text(text), _) => Json::Text(Cow::Borrowed(text)),
        (EngineeringValue::Time(time), _) => Json::Text(time_text(*time).into()),
        (EngineeringValue::Unsigned(value), _) => Json::Unsigned(*value),
    }
}

/// What was sent.
pub(crate) fn raw<'p>(value: &'p RawValue<'p>) -> Json<'p> {
    match value {
        RawValue::Binary(bytes) => Json::Text(hexadecimal(bytes).into()),
        RawValue::Float(value) => Json::Float(*value),
        RawValue::Signed(value) => Json::Signed(*value),
        RawValue::Text(text) => Json::Text(Cow::Borrowed(text)),
        RawValue::Unsigned(value) => Json::Unsigned(*value),
    }
}

/// The word for a float that JSON has no number for.
pub(crate) fn word_for(value: f64) -> Option<&'static str> {
    match value {
        _ if value.is_nan() => Some("NaN"),
        f64::INFINITY => Some("Infinity"),
        f64::NEG_INFINITY => Some("-Infinity"),
        _ => None,
    }
}

/// UTC to the microsecond; what is finer is cut off, as clocks do.
fn time_text(time: TaiTime) -> String {
    let utc = time.to_utc();
    let microseconds = utc.nanoseconds / 1_000;
    let whole = UtcTime { nanoseconds: 0, ..utc }.to_string();
    format!("{}.{microseconds:06}Z", whole.trim_end_matches('Z'))
}

fn hexadecimal(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(4 + 2 * bytes.len());
    text.push_str("hex:");
    for byte in bytes {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 0xF)]));
    }
    text
}
