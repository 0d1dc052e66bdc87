//! What decoding gives: values as they were sent, values as they are meant, and the packet that holds them.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use space_packet::TaiTime;

use crate::{CompositeIndex, ContainerIndex, ParameterIndex};

/// A value as the packet carries it, before calibration.
#[derive(Clone, Debug, PartialEq)]
pub enum RawValue<'p> {
    /// Bytes of the packet, owned only when they do not start on a byte. A last broken byte ends in zero
    /// bits.
    Binary(Cow<'p, [u8]>),
    /// An IEEE 754 number of 16, 32 or 64 bits, widened without loss.
    Float(f64),
    /// An integer in one of the signed encodings.
    Signed(i64),
    /// Text up to its termination character; bytes that fit no character are replaced by U+FFFD.
    Text(Cow<'p, str>),
    /// An unsigned integer.
    Unsigned(u64),
}

/// A value as people mean it, after calibration.
#[derive(Clone, Debug, PartialEq)]
pub enum EngineeringValue<'p> {
    /// Bytes, the same as the raw value.
    Binary(Cow<'p, [u8]>),
    /// Of a boolean parameter; its words are in `ParameterKind::Boolean`.
    Boolean(bool),
    /// Of a float parameter or a calibrated integer; may be NaN or infinite.
    Float(f64),
    /// Of an enumeration: an index into the labels of `ParameterKind::Enumeration`.
    Label(u32),
    /// Of an enumeration whose raw value has no label.
    None,
    /// Of an integer parameter with a signed encoding.
    Signed(i64),
    /// Text, the same as the raw value.
    Text(Cow<'p, str>),
    /// Of an absolute time parameter.
    Time(TaiTime),
    /// Of an integer parameter with an unsigned encoding.
    Unsigned(u64),
}

/// Whether an engineering value may be trusted as a measurement. An invalid value is kept and shown, but never
/// judged against limits: what is not a measurement is neither in nor out of them.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
#[repr(u8)]
pub enum Validity {
    /// It may.
    #[default]
    Valid = 0,
    /// It is not a number (NaN).
    NotANumber = 1,
    /// The raw value lies outside the points of a spline that must not be extrapolated, or a calibrator has no
    /// result for it.
    OutsideCalibration = 2,
    /// The value lies outside the range the dictionary calls valid (XTCE `ValidRange`).
    OutsideValidRange = 3,
    /// The raw value of an enumeration has no label.
    UnknownLabel = 4,
}

/// How a value stands to its limits (XTCE 1.2 alarm levels, in the order of their severity).
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
#[repr(u8)]
pub enum MonitoringResult {
    /// There are no limits for it, or the value is invalid.
    #[default]
    NotMonitored = 0,
    /// Within all limits.
    Normal = 1,
    /// Outside the watch range only.
    Watch = 2,
    /// Outside the warning range.
    Warning = 3,
    /// Outside the distress range.
    Distress = 4,
    /// Outside the critical range.
    Critical = 5,
    /// Outside the severe range.
    Severe = 6,
}

impl Validity {
    /// All, by number.
    pub const ALL: [Self; 5] = [
        Self::Valid,
        Self::NotANumber,
        Self::OutsideCalibration,
        Self::OutsideValidRange,
        Self::UnknownLabel,
    ];

    /// The one with a number, as it stands in the archive.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }
}

impl MonitoringResult {
    /// All, by number and by severity.
    pub const ALL: [Self; 7] = [
        Self::NotMonitored,
        Self::Normal,
        Self::Watch,
        Self::Warning,
        Self::Distress,
        Self::Critical,
        Self::Severe,
    ];

    /// The one with a number, as it stands in the archive.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }

    /// Whether a limit is violated.
    pub fn is_violation(self) -> bool {
        self > Self::Normal
    }
}

/// One parameter of one packet.
#[derive(Clone, Debug, PartialEq)]
pub struct DecodedValue<'p> {
    /// Which parameter it is.
    pub parameter: ParameterIndex,
    /// As it was sent.
    pub raw: RawValue<'p>,
    /// As it is meant.
    pub engineering: EngineeringValue<'p>,
    /// Whether it may be trusted.
    pub validity: Validity,
    /// How it stands to its limits.
    pub monitoring: MonitoringResult,
}

/// Where a value stands in its packet.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct BitSpan {
    /// Its first bit, counted from the first one of the packet.
    pub start: usize,
    /// How many bits it has.
    pub bits: usize,
}

/// Where the values of an aggregate or an array stand: those of its leaves, one after the other, as
/// `Dictionary::composite` gives its shape.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct DecodedComposite {
    /// Which one it is.
    pub composite: CompositeIndex,
    /// Place of its first value. An array without elements has none: then the next parameter's stands there.
    pub first_value: u32,
    /// Place of its first array length.
    pub first_length: u32,
}

/// All parameters of one packet, in the order of their entries; keep one and decode many packets into it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DecodedPacket<'p> {
    /// The most specific container that matched.
    pub container: Option<ContainerIndex>,
    /// Whether that container is abstract, so that the packet is of no kind the dictionary knows.
    pub unresolved: bool,
    /// Bit position at which decoding ended.
    pub bits: usize,
    /// A parameter may occur more than once.
    pub values: Vec<DecodedValue<'p>>,
    /// Aggregates and arrays, each with the place of its first value in `values`.
    pub composites: Vec<DecodedComposite>,
    /// Lengths of the arrays in `composites`, in the order in which a walk over their shapes meets them.
    pub lengths: Vec<u32>,
    /// Where the latest values of the parameters stand that something refers to.
    pub(crate) registers: Vec<u32>,
    /// Where included containers start.
    pub(crate) marks: Vec<usize>,
}

impl RawValue<'_> {
    /// The value as a number, where it is one (integers beyond 2^53 are rounded).
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            RawValue::Binary(_) | RawValue::Text(_) => None,
            RawValue::Float(value) => Some(*value),
            RawValue::Signed(value) => Some(*value as f64),
            RawValue::Unsigned(value) => Some(*value as f64),
        }
    }
}

impl EngineeringValue<'_> {
    /// The value as a number, where it is one (integers beyond 2^53 are rounded).
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            EngineeringValue::Float(value) => Some(*value),
            EngineeringValue::Signed(value) => Some(*value as f64),
            EngineeringValue::Unsigned(value) => Some(*value as f64),
            _ => None,
        }
    }
}

impl<'p> DecodedPacket<'p> {
    /// Forgets the packet and keeps the memory.
    pub fn clear(&mut self) {
        self.container = None;
        self.unresolved = false;
        self.bits = 0;
        self.values.clear();
        self.composites.clear();
        self.lengths.clear();
        self.registers.clear();
        self.marks.clear();
    }

    /// The same memory, emptied, for packets of another lifetime: a receive buffer that is written again.
    pub fn recycled<'q>(mut self) -> DecodedPacket<'q> {
        self.values.clear();
        // Collecting in place keeps the allocation: both element types have one layout.
        let values = self.values.into_iter().map_while(|_| None).collect();
        DecodedPacket { values, ..DecodedPacket::default() }
    }

    /// The value of a parameter, the last one when it occurs more than once.
    pub fn latest(&self, parameter: ParameterIndex) -> Option<&DecodedValue<'p>> {
        self.values.iter().rev().find(|value| value.parameter == parameter)
    }
}
