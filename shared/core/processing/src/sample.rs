//! One value of one parameter at one moment.

use mission_database::{Dictionary, EngineeringValue, ParameterIndex, ParameterKind, RawValue};
use space_packet::{GenerationTime, ReceptionTime};

/// A value as transmitted, owned.
#[derive(Clone, Debug, PartialEq)]
pub enum Raw {
    /// Bytes.
    Binary(Box<[u8]>),
    /// A floating-point number.
    Float(f64),
    /// A signed integer.
    Signed(i64),
    /// Text.
    Text(Box<str>),
    /// An unsigned integer.
    Unsigned(u64),
}

impl From<&RawValue<'_>> for Raw {
    fn from(value: &RawValue<'_>) -> Self {
        match value {
            RawValue::Binary(bytes) => Self::Binary(bytes.as_ref().into()),
            RawValue::Float(number) => Self::Float(*number),
            RawValue::Signed(number) => Self::Signed(*number),
            RawValue::Text(text) => Self::Text(text.as_ref().into()),
            RawValue::Unsigned(number) => Self::Unsigned(*number),
        }
    }
}

/// A value as people read it. Borrowed from the sample and the dictionary.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Engineering<'a> {
    /// Bytes.
    Binary(&'a [u8]),
    /// A boolean.
    Boolean(bool),
    /// A floating-point number.
    Float(f64),
    /// The label of an enumeration.
    Label(&'a str),
    /// No label fits.
    None,
    /// A signed integer.
    Signed(i64),
    /// Text.
    Text(&'a str),
    /// An unsigned integer.
    Unsigned(u64),
}

/// One value of one parameter at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// Which parameter.
    pub parameter: ParameterIndex,
    /// When the spacecraft made it.
    pub generation: GenerationTime,
    /// When the station received it.
    pub reception: ReceptionTime,
    /// As transmitted.
    pub raw: Raw,
    /// The calibrated value, only where a calibrator makes it differ from the raw one; labels, booleans and
    /// uncalibrated values follow from the raw value and the dictionary.
    pub calibrated: Option<f64>,
}

impl Sample {
    pub(crate) fn calibrated_from(
        value: &EngineeringValue<'_>,
        parameter_is_calibrated: bool,
    ) -> Option<f64> {
        if !parameter_is_calibrated {
            return None;
        }
        match value {
            EngineeringValue::Float(number) => Some(*number),
            EngineeringValue::Signed(number) => Some(*number as f64),
            EngineeringValue::Unsigned(number) => Some(*number as f64),
            _ => None,
        }
    }

    /// The engineering value, by the dictionary the sample was decoded with.
    pub fn engineering<'a>(&'a self, dictionary: &'a Dictionary) -> Engineering<'a> {
        if let Some(number) = self.calibrated {
            return Engineering::Float(number);
        }
        let kind = &dictionary.parameter(self.parameter).kind;
        match (&self.raw, kind) {
            (Raw::Signed(number), ParameterKind::Enumeration(_)) => {
                label(dictionary, self.parameter, Some(*number))
            }
            (Raw::Unsigned(number), ParameterKind::Enumeration(_)) => {
                label(dictionary, self.parameter, i64::try_from(*number).ok())
            }
            (Raw::Signed(number), ParameterKind::Boolean { .. }) => Engineering::Boolean(*number != 0),
            (Raw::Unsigned(number), ParameterKind::Boolean { .. }) => Engineering::Boolean(*number != 0),
            (Raw::Binary(bytes), _) => Engineering::Binary(bytes),
            (Raw::Float(number), _) => Engineering::Float(*number),
            (Raw::Signed(number), _) => Engineering::Signed(*number),
            (Raw::Text(text), _) => Engineering::Text(text),
            (Raw::Unsigned(number), _) => Engineering::Unsigned(*number),
        }
    }

    /// What a plot shows: the calibrated value, else the raw number; nothing for text and bytes.
    pub fn number(&self) -> Option<f64> {
        self.calibrated.or(match self.raw {
            Raw::Binary(_) | Raw::Text(_) => None,
            Raw::Float(number) => Some(number),
            Raw::Signed(number) => Some(number as f64),
            Raw::Unsigned(number) => Some(number as f64),
        })
    }
}

fn label(dictionary: &Dictionary, parameter: ParameterIndex, raw: Option<i64>) -> Engineering<'_> {
    raw.and_then(|raw| dictionary.label(parameter, raw)).map_or(Engineering::None, Engineering::Label)
}
