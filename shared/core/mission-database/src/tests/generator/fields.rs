//! Types of single values: how they are written in a document, and what bits a value of them has.

use space_packet::TaiTime;

use super::Choices;
use super::numbers::{self, Coding, Meaning};
use super::texts::{self, Charset, TextEnd};
use crate::{EngineeringValue, RawValue};

/// A value in a packet.
pub(super) struct Encoded {
    pub(super) bits: Vec<bool>,
    pub(super) raw: RawValue<'static>,
    pub(super) engineering: EngineeringValue<'static>,
}

#[derive(Clone, Debug)]
pub(super) struct Field {
    pub(super) kind: Kind,
    pub(super) size: FieldSize,
}

#[derive(Clone, Debug)]
pub(super) enum FieldSize {
    /// Of texts and binaries: so many bytes, said by a parameter.
    Counted { count: usize, parameter: String },
    /// By the type.
    Own,
}

#[derive(Clone, Debug)]
pub(super) enum Kind {
    Binary {
        bits: usize,
    },
    /// Always the same number.
    Counter(u64),
    Float {
        bits: u32,
        is_1750a: bool,
        significance: Vec<usize>,
    },
    Integer {
        bits: u32,
        coding: Coding,
        significance: Vec<usize>,
        meaning: Meaning,
    },
    Text {
        charset: Charset,
        end: TextEnd,
        text: String,
    },
    Time,
}

impl Field {
    pub(super) fn counter(value: u64) -> Self {
        Field { kind: Kind::Counter(value), size: FieldSize::Own }
    }

    pub(super) fn random(choices: &mut Choices<'_>) -> Self {
        let kind = match choices.below(8) {
            0..=3 => numbers::integer(choices),
            4 => numbers::float(choices),
            5 => return texts::text(choices),
            6 => return binary(choices),
            _ => Kind::Time,
        };
        Field { kind, size: FieldSize::Own }
    }

    /// The element that declares it.
    pub(super) fn written(&self, name: &str) -> String {
        match &self.kind {
            Kind::Binary { bits } => {
                let size = match &self.size {
                    FieldSize::Counted { parameter, .. } => dynamic(parameter),
                    FieldSize::Own => format!("<FixedValue>{bits}</FixedValue>"),
                };
                let encoding =
                    format!("<BinaryDataEncoding><SizeInBits>{size}</SizeInBits></BinaryDataEncoding>");
                element("BinaryParameterType", name, &encoding)
            }
            Kind::Counter(_) => {
                element("IntegerParameterType", name, "<IntegerDataEncoding sizeInBits='8'/>")
            }
            Kind::Float { bits, is_1750a, significance } => {
                let coding = if *is_1750a { "MILSTD_1750A" } else { "IEEE754_1985" };
                let order = numbers::order(significance);
                let encoding =
                    format!("<FloatDataEncoding sizeInBits='{bits}' encoding='{coding}' {order}/>");
                element("FloatParameterType", name, &encoding)
            }
            Kind::Integer { bits, coding, significance, meaning } => {
                let coding = match coding {
                    Coding::Decimal => "BCD",
                    Coding::OnesComplement => "onesComplement",
                    Coding::SignMagnitude => "signMagnitude",
                    Coding::TwosComplement => "twosComplement",
                    Coding::Unsigned => "unsigned",
                };
                let attributes =
                    format!("sizeInBits='{bits}' encoding='{coding}' {}", numbers::order(significance));
                meaning.written(name, &attributes)
            }
            Kind::Text { charset, end, text } => {
                let encoding = texts::text_encoding(*charset, *end, charset.bytes(text).len(), &self.size);
                element("StringParameterType", name, &encoding)
            }
            Kind::Time => {
                let encoding = "<Encoding scale='0.001'><IntegerDataEncoding sizeInBits='48'/></Encoding>\
                                <ReferenceTime><Epoch>UNIX</Epoch></ReferenceTime>";
                element("AbsoluteTimeParameterType", name, encoding)
            }
        }
    }

    pub(super) fn value(&self, choices: &mut Choices<'_>) -> Encoded {
        match &self.kind {
            Kind::Binary { bits } => {
                let bits: Vec<bool> = (0..*bits).map(|_| choices.flag()).collect();
                let bytes: Vec<u8> = bits.chunks(8).map(|byte| joined(byte) << (8 - byte.len())).collect();
                let raw = RawValue::Binary(bytes.clone().into());
                Encoded { bits, raw, engineering: EngineeringValue::Binary(bytes.into()) }
            }
            Kind::Counter(value) => Encoded {
                bits: split(*value, 8),
                raw: RawValue::Unsigned(*value),
                engineering: EngineeringValue::Unsigned(*value),
            },
            Kind::Float { bits, is_1750a, significance } => {
                let (pattern, value) = numbers::float_value(choices, *bits, *is_1750a);
                let bits = ordered(split(pattern, *bits), significance);
                Encoded { bits, raw: RawValue::Float(value), engineering: EngineeringValue::Float(value) }
            }
            Kind::Integer { bits, coding, significance, meaning } => {
                let (pattern, value) = numbers::integer_value(choices, *bits, *coding);
                let is_signed = !matches!(coding, Coding::Decimal | Coding::Unsigned);
                let raw =
                    if is_signed { RawValue::Signed(value as i64) } else { RawValue::Unsigned(value as u64) };
                let engineering = meaning.engineering(value, is_signed);
                Encoded { bits: ordered(split(pattern, *bits), significance), raw, engineering }
            }
            Kind::Text { charset, end, text } => {
                let bytes = texts::framed(*charset, *end, text, choices);
                let bits = bytes.iter().flat_map(|byte| split(u64::from(*byte), 8)).collect();
                let raw = RawValue::Text(text.clone().into());
                Encoded { bits, raw, engineering: EngineeringValue::Text(text.clone().into()) }
            }
            Kind::Time => {
                let millis = choices.bits(41);
                let time = TaiTime::from_unix_nanos(millis as i64 * 1_000_000);
                Encoded {
                    bits: split(millis, 48),
                    raw: RawValue::Unsigned(millis),
                    engineering: EngineeringValue::Time(time),
                }
            }
        }
    }
}

pub(super) fn element(kind: &str, name: &str, inner: &str) -> String {
    format!("<{kind} name='{name}'>{inner}</{kind}>\n")
}

pub(super) fn dynamic(parameter: &str) -> String {
    format!(
        "<DynamicValue><ParameterInstanceRef parameterRef='{parameter}'/><LinearAdjustment slope='8'/></DynamicValue>"
    )
}

fn joined(bits: &[bool]) -> u8 {
    bits.iter().fold(0, |joined, bit| joined << 1 | u8::from(*bit))
}

/// The most significant bit first.
fn split(value: u64, bits: u32) -> Vec<bool> {
    (0..bits).rev().map(|place| value >> place & 1 == 1).collect()
}

/// Bytes as their significance says; none is said for the usual order.
fn ordered(bits: Vec<bool>, significance: &[usize]) -> Vec<bool> {
    if significance.is_empty() {
        return bits;
    }
    let bytes: Vec<&[bool]> = bits.chunks(8).rev().collect();
    significance.iter().flat_map(|place| bytes[*place].to_vec()).collect()
}

fn binary(choices: &mut Choices<'_>) -> Field {
    if choices.flag() {
        let count = choices.below(6);
        let size = FieldSize::Counted { count, parameter: String::new() };
        return Field { kind: Kind::Binary { bits: count * 8 }, size };
    }
    Field { kind: Kind::Binary { bits: choices.below(70) }, size: FieldSize::Own }
}
