//! Integers and floats: their codings, their byte orders, and what is made of them.

use super::Choices;
use super::fields::{Kind, element};
use crate::EngineeringValue;

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Coding {
    Decimal,
    OnesComplement,
    SignMagnitude,
    TwosComplement,
    Unsigned,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Meaning {
    Boolean,
    Enumeration,
    Float,
    /// `slope` and `intercept` of a line, in one of three forms.
    Line(LineForm, i32, i32),
    Same,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum LineForm {
    Math,
    Polynomial,
    Spline,
}

const LABELS: [(i64, i64, &str); 3] = [(0, 3, "LOW"), (-5, -1, "NEGATIVE"), (4, 200, "HIGH")];

pub(super) fn significance(choices: &mut Choices<'_>, bits: u32) -> Vec<usize> {
    if !bits.is_multiple_of(8) || bits == 8 {
        return Vec::new();
    }
    let bytes = bits as usize / 8;
    let mut places: Vec<usize> = (0..bytes).collect();
    match choices.below(3) {
        0 => return Vec::new(),
        1 => {}
        _ => (1..bytes).rev().for_each(|place| places.swap(place, choices.below(place + 1))),
    }
    places
}

pub(super) fn order(significance: &[usize]) -> String {
    if significance.is_empty() {
        return String::new();
    }
    if significance.is_sorted() {
        return "byteOrder='leastSignificantByteFirst'".to_owned();
    }
    let listed: Vec<_> = significance.iter().map(usize::to_string).collect();
    format!("byteOrder='{}'", listed.join(","))
}

pub(super) fn integer(choices: &mut Choices<'_>) -> Kind {
    use Coding::{Decimal, OnesComplement, SignMagnitude, TwosComplement, Unsigned};
    let coding = [Unsigned, TwosComplement, SignMagnitude, OnesComplement, Decimal][choices.below(5)];
    let bits = match coding {
        Decimal => 4 * (1 + choices.below(16) as u32),
        _ if choices.flag() => 8 * (1 + choices.below(8) as u32),
        _ => 1 + choices.below(64) as u32,
    };
    let (slope, intercept) = (choices.below(9) as i32 - 4, choices.below(100) as i32 - 50);
    let meaning = match choices.below(8) {
        0 => Meaning::Boolean,
        1 => Meaning::Enumeration,
        2 => Meaning::Float,
        3 => Meaning::Line(LineForm::Polynomial, slope, intercept),
        4 => Meaning::Line(LineForm::Spline, slope, intercept),
        5 => Meaning::Line(LineForm::Math, slope, intercept),
        _ => Meaning::Same,
    };
    Kind::Integer { bits, coding, significance: significance(choices, bits), meaning }
}

/// The bits of an integer, and the integer.
pub(super) fn integer_value(choices: &mut Choices<'_>, bits: u32, coding: Coding) -> (u64, i128) {
    let range = 1_i128 << bits;
    let chosen = i128::from(choices.bits(bits));
    let half = range / 2;
    let (pattern, value) = match coding {
        Coding::Unsigned => (chosen, chosen),
        Coding::TwosComplement => {
            let value = chosen - half;
            ((value + range) % range, value)
        }
        // Both have two zeros; only one is written here.
        Coding::OnesComplement | Coding::SignMagnitude => {
            let value = (chosen - half).max(1 - half);
            let negative = if coding == Coding::OnesComplement { range - 1 + value } else { half - value };
            (if value < 0 { negative } else { value }, value)
        }
        Coding::Decimal => {
            let digits = (0..bits / 4).map(|_| choices.below(10) as i128);
            digits.fold((0, 0), |(pattern, value), digit| (pattern * 16 + digit, value * 10 + digit))
        }
    };
    (pattern as u64, value)
}

impl Meaning {
    pub(super) fn written(self, name: &str, attributes: &str) -> String {
        let plain = format!("<IntegerDataEncoding {attributes}/>");
        let calibrated = |calibrator: String| {
            format!(
                "<IntegerDataEncoding {attributes}><DefaultCalibrator>{calibrator}</DefaultCalibrator></IntegerDataEncoding>"
            )
        };
        match self {
            Meaning::Boolean => element("BooleanParameterType", name, &plain),
            Meaning::Enumeration => {
                let label = |(first, last, label): (i64, i64, &str)| {
                    format!("<Enumeration value='{first}' maxValue='{last}' label='{label}'/>")
                };
                let list =
                    format!("{plain}<EnumerationList>{}</EnumerationList>", LABELS.map(label).concat());
                element("EnumeratedParameterType", name, &list)
            }
            Meaning::Float => element("FloatParameterType", name, &plain),
            Meaning::Line(form, slope, intercept) => {
                let calibrator = match form {
                    LineForm::Math => format!(
                        "<MathOperationCalibrator><ThisParameterOperand/><ValueOperand>{slope}</ValueOperand><Operator>*\
                         </Operator><ValueOperand>{intercept}</ValueOperand><Operator>+</Operator></MathOperationCalibrator>"
                    ),
                    LineForm::Polynomial => format!(
                        "<PolynomialCalibrator><Term coefficient='{slope}' exponent='1'/><Term coefficient='{intercept}' \
                         exponent='0'/></PolynomialCalibrator>"
                    ),
                    LineForm::Spline => format!(
                        "<SplineCalibrator order='1' extrapolate='true'><SplinePoint raw='0' calibrated='{intercept}'/>\
                         <SplinePoint raw='1' calibrated='{}'/></SplineCalibrator>",
                        intercept + slope
                    ),
                };
                element("IntegerParameterType", name, &calibrated(calibrator))
            }
            Meaning::Same => element("IntegerParameterType", name, &plain),
        }
    }

    pub(super) fn engineering(self, value: i128, is_signed: bool) -> EngineeringValue<'static> {
        match self {
            Meaning::Boolean => EngineeringValue::Boolean(value != 0),
            Meaning::Enumeration => {
                let is_in = |(first, last, _): &(i64, i64, &str)| {
                    (i128::from(*first)..=i128::from(*last)).contains(&value)
                };
                let found = LABELS.iter().position(is_in);
                found.map_or(EngineeringValue::None, |place| EngineeringValue::Label(place as u32))
            }
            Meaning::Float => EngineeringValue::Float(value as f64),
            Meaning::Line(_, slope, intercept) => {
                EngineeringValue::Float((value * i128::from(slope) + i128::from(intercept)) as f64)
            }
            Meaning::Same if is_signed => EngineeringValue::Signed(value as i64),
            Meaning::Same => EngineeringValue::Unsigned(value as u64),
        }
    }
}

pub(super) fn float(choices: &mut Choices<'_>) -> Kind {
    let (bits, is_1750a) = [(32, false), (64, false), (16, false), (32, true), (48, true)][choices.below(5)];
    Kind::Float { bits, is_1750a, significance: significance(choices, bits) }
}

/// The bits of a float, and the float.
pub(super) fn float_value(choices: &mut Choices<'_>, bits: u32, is_1750a: bool) -> (u64, f64) {
    let pattern = choices.bits(bits);
    match (is_1750a, bits) {
        (false, 64) => (pattern, f64::from_bits(pattern)),
        (false, 32) => (pattern, f64::from(f32::from_bits(pattern as u32))),
        (false, _) => {
            // 1,024 to 2,047 times a power of two, so none below the normal ones.
            let (fraction, exponent) = (choices.below(256) as u64 * 4, 1 + choices.below(30) as u64);
            let value = (1_024 + fraction) as f64 * 2_f64.powi(exponent as i32 - 25);
            (exponent << 10 | fraction, value)
        }
        (true, _) => {
            let fraction_bits = bits - 8;
            let fraction = i128::from(choices.bits(fraction_bits)) - (1 << (fraction_bits - 1));
            let exponent = choices.byte() as i8;
            let value = fraction as f64 * 2_f64.powi(i32::from(exponent) - (fraction_bits as i32 - 1));
            let unsigned = (fraction + (1 << fraction_bits)) % (1 << fraction_bits);
            let behind = 1 << (bits - 32);
            let exponent = i128::from(exponent.cast_unsigned());
            (((unsigned / behind * 256 + exponent) * behind + unsigned % behind) as u64, value)
        }
    }
}
