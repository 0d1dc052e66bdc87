//! What decoding gives: values as they were sent, values as they are meant, and the packet that holds them.

use std::borrow::Cow;

use crate::{ContainerIndex, ParameterIndex};

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
    /// Of an integer parameter with an unsigned encoding.
    Unsigned(u64),
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
