//! Data encodings: how many bits, in which order, what they mean, and the calibrator that stands with them.

use roxmltree::Node;

use super::PACKET_BITS_MAX;
use super::declarations::{Declarations, Declared};
use super::document::{Source, elements, local};
use crate::bits::{ByteOrder, IntegerCoding};
use crate::plan::{Conversion, DynamicSize, Plan, Read, Size};
use crate::text::{Charset, Termination, TextFormat};
use crate::{ParameterIndex, XtceError};

pub(super) struct Encoding {
    pub(super) read: Read,
    /// A default calibrator, when there is one.
    pub(super) polynomial: Option<Conversion>,
}

/// Higher powers overflow for any real reading; it also bounds the table of coefficients.
const EXPONENT_MAX: usize = 32;

pub(super) fn compile(
    source: &Source<'_>,
    declarations: &Declarations<'_, '_>,
    declared: &Declared<'_, '_>,
    node: Node<'_, '_>,
    plan: &mut Plan,
) -> Result<Encoding, XtceError> {
    if let Some(order @ "leastSignificantBitFirst") = node.attribute("bitOrder") {
        let message = format!("bitOrder=\"{order}\" is not supported yet; expected mostSignificantBitFirst");
        return Err(source.error(node, message));
    }
    match local(node) {
        "BinaryDataEncoding" => {
            let size = size(source, declarations, declared, node, plan)?;
            Ok(Encoding { read: Read::Binary { size }, polynomial: None })
        }
        "FloatDataEncoding" => float(source, node, plan),
        "IntegerDataEncoding" => integer(source, node, plan),
        "StringDataEncoding" => {
            let format = text_format(source, node)?;
            let size = size(source, declarations, declared, node, plan)?;
            plan.text_formats.push(format);
            Ok(Encoding { read: Read::Text { size, format: plan.text_formats.len() - 1 }, polynomial: None })
        }
        _ => Err(source.unsupported(node, "Binary-, Float-, Integer- or StringDataEncoding")),
    }
}

fn integer(source: &Source<'_>, node: Node<'_, '_>, plan: &mut Plan) -> Result<Encoding, XtceError> {
    let bits = number_size(source, node, 8)?;
    if !(1..=64).contains(&bits) {
        return Err(source.error(node, format!("sizeInBits=\"{bits}\" was found; expected 1 to 64")));
    }
    // The last spellings of each line are not in the schema; flight dictionaries have them.
    let sign = match node.attribute("encoding").unwrap_or("unsigned") {
        "unsigned" => IntegerCoding::Unsigned,
        "twosComplement" | "twosCompliment" | "signed" => IntegerCoding::TwosComplement,
        "signMagnitude" => IntegerCoding::SignMagnitude,
        "onesComplement" | "onesCompliment" => IntegerCoding::OnesComplement,
        other => {
            let message = format!(
                "encoding=\"{other}\" is not supported yet; expected unsigned, twosComplement, signMagnitude or \
                 onesComplement"
            );
            return Err(source.error(node, message));
        }
    };
    let order = byte_order(source, node, bits)?;
    Ok(Encoding {
        read: Read::Integer { bits, sign, order },
        polynomial: default_calibrator(source, node, plan)?,
    })
}

fn float(source: &Source<'_>, node: Node<'_, '_>, plan: &mut Plan) -> Result<Encoding, XtceError> {
    let bits = number_size(source, node, 32)?;
    if ![16, 32, 64].contains(&bits) {
        return Err(source.error(node, format!("sizeInBits=\"{bits}\" was found; expected 16, 32 or 64")));
    }
    let encoding = node.attribute("encoding").unwrap_or("IEEE754_1985");
    if !["IEEE754_1985", "IEEE754", "IEEE-754", "IEEE754_2008"].contains(&encoding) {
        let message = format!("encoding=\"{encoding}\" is not supported yet; expected IEEE754_1985");
        return Err(source.error(node, message));
    }
    let order = byte_order(source, node, bits)?;
    Ok(Encoding { read: Read::Float { bits, order }, polynomial: default_calibrator(source, node, plan)? })
}

fn number_size(source: &Source<'_>, node: Node<'_, '_>, default: u32) -> Result<u32, XtceError> {
    Ok(source.attribute(node, "sizeInBits", "a number of bits")?.unwrap_or(default))
}

fn byte_order(source: &Source<'_>, node: Node<'_, '_>, bits: u32) -> Result<ByteOrder, XtceError> {
    let text = match node.attribute("byteOrder") {
        None | Some("mostSignificantByteFirst") => return Ok(ByteOrder::MostSignificantFirst),
        Some(_) if bits == 8 => return Ok(ByteOrder::MostSignificantFirst),
        Some(text) => text,
    };
    if !bits.is_multiple_of(8) {
        let message =
            format!("byteOrder=\"{text}\" was found with {bits} bits; expected a whole number of bytes");
        return Err(source.error(node, message));
    }
    if text == "leastSignificantByteFirst" {
        return Ok(ByteOrder::LeastSignificantFirst);
    }
    listed_byte_order(text, bits as usize / 8).ok_or_else(|| {
        let message = format!(
            "byteOrder=\"{text}\" was found; expected mostSignificantByteFirst, leastSignificantByteFirst, or the \
             significance of each of {} bytes",
            bits / 8
        );
        source.error(node, message)
    })
}

/// XTCE 1.2: `1,0,3,2` is the significance of each byte in the order they stand.
fn listed_byte_order(text: &str, bytes: usize) -> Option<ByteOrder> {
    let mut significance = [0; 8];
    let mut is_used = [false; 8];
    let mut count = 0;
    for (place, part) in text.split(',').enumerate() {
        let value: u8 = part.trim().parse().ok().filter(|value| usize::from(*value) < bytes)?;
        *significance.get_mut(place)? = value;
        let used = &mut is_used[usize::from(value)];
        if std::mem::replace(used, true) {
            return None;
        }
        count += 1;
    }
    (count == bytes).then_some(ByteOrder::Listed(significance))
}

fn default_calibrator(
    source: &Source<'_>,
    node: Node<'_, '_>,
    plan: &mut Plan,
) -> Result<Option<Conversion>, XtceError> {
    let mut polynomial = None;
    for child in elements(node) {
        match local(child) {
            "ContextCalibratorList" => {
                if let Some(context) = elements(child).next() {
                    return Err(source.unsupported(context, "DefaultCalibrator alone"));
                }
            }
            "DefaultCalibrator" => {
                for calibrator in elements(child) {
                    match local(calibrator) {
                        "PolynomialCalibrator" => {
                            if polynomial.is_some() {
                                return Err(
                                    source.error(calibrator, "a second calibrator was found; expected one")
                                );
                            }
                            polynomial = Some(compile_polynomial(source, calibrator, plan)?);
                        }
                        _ => {
                            source.pass_over_if(calibrator, &["AncillaryDataSet"], "PolynomialCalibrator")?;
                        }
                    }
                }
            }
            _ => source.pass_over_if(child, &["ErrorDetectCorrect"], "DefaultCalibrator")?,
        }
    }
    Ok(polynomial)
}

fn compile_polynomial(
    source: &Source<'_>,
    node: Node<'_, '_>,
    plan: &mut Plan,
) -> Result<Conversion, XtceError> {
    let mut coefficients = Vec::new();
    for term in elements(node) {
        if local(term) != "Term" {
            source.pass_over_if(term, &[], "Term")?;
            continue;
        }
        let expected = format!("a whole number up to {EXPONENT_MAX}");
        let exponent: usize = source.required_attribute(term, "exponent", &expected)?;
        if exponent > EXPONENT_MAX {
            return Err(source.error(term, format!("exponent=\"{exponent}\" was found; expected {expected}")));
        }
        let coefficient: f64 = source.required_attribute(term, "coefficient", "a number")?;
        if coefficients.len() <= exponent {
            coefficients.resize(exponent + 1, None);
        }
        if coefficients[exponent].replace(coefficient).is_some() {
            let message = format!("a second term with exponent {exponent} was found; expected one");
            return Err(source.error(term, message));
        }
    }
    if coefficients.is_empty() {
        return Err(source.error(node, "no Term was found; expected at least one"));
    }
    let (first, count) = (plan.coefficients.len(), coefficients.len());
    plan.coefficients.extend(coefficients.into_iter().map(|coefficient| coefficient.unwrap_or(0.0)));
    Ok(Conversion::Polynomial { first, count })
}

fn text_format(source: &Source<'_>, node: Node<'_, '_>) -> Result<TextFormat, XtceError> {
    let charset = match node.attribute("encoding").unwrap_or("UTF-8") {
        "ISO-8859-1" => Charset::Latin1,
        "US-ASCII" => Charset::Ascii,
        "UTF-16" | "UTF-16BE" => Charset::Utf16BigEndian,
        "UTF-16LE" => Charset::Utf16LittleEndian,
        "UTF-8" => Charset::Utf8,
        other => {
            let message = format!(
                "encoding=\"{other}\" is not supported yet; expected UTF-8, US-ASCII, ISO-8859-1, UTF-16BE or UTF-16LE"
            );
            return Err(source.error(node, message));
        }
    };
    let mark = elements(node).flat_map(elements).find(|child| local(*child) == "TerminationChar");
    let termination = mark.map(|mark| termination(source, mark, charset)).transpose()?;
    Ok(TextFormat { charset, termination })
}

fn termination(source: &Source<'_>, node: Node<'_, '_>, charset: Charset) -> Result<Termination, XtceError> {
    let text = node.text().unwrap_or("").trim();
    let digits: Option<Vec<u8>> =
        text.chars().map(|digit| digit.to_digit(16).map(|value| value as u8)).collect();
    let digits = digits.filter(|digits| digits.len() % (2 * charset.unit_bytes()) == 0);
    let bytes: Option<Vec<u8>> =
        digits.map(|digits| digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect());
    bytes.and_then(|bytes| Termination::new(&bytes)).ok_or_else(|| {
        source.error(
            node,
            format!("\"{text}\" was found; expected one character as pairs of hexadecimal digits"),
        )
    })
}

/// `SizeInBits` of a text or binary encoding.
fn size(
    source: &Source<'_>,
    declarations: &Declarations<'_, '_>,
    declared: &Declared<'_, '_>,
    node: Node<'_, '_>,
    plan: &mut Plan,
) -> Result<Size, XtceError> {
    let mut size = None;
    for child in elements(node) {
        match local(child) {
            "SizeInBits" => {
                let mut parts: Vec<_> = elements(child).collect();
                parts.extend(elements(child).filter(|part| local(*part) == "Fixed").flat_map(elements));
                for part in parts {
                    let found = match local(part) {
                        "Fixed" | "TerminationChar" => continue,
                        "DynamicValue" => dynamic_size(source, declarations, declared, part, plan)?,
                        "FixedValue" => Size::Fixed(fixed_size(source, node, part)?),
                        _ => return Err(source.unsupported(part, "FixedValue or DynamicValue")),
                    };
                    if size.replace(found).is_some() {
                        return Err(source.error(part, "a second size was found; expected one"));
                    }
                }
            }
            _ => source.pass_over_if(
                child,
                &["ErrorDetectCorrect", "ToBinaryTransformAlgorithm"],
                "SizeInBits",
            )?,
        }
    }
    size.ok_or_else(|| {
        source.error(node, "no size was found; expected SizeInBits with FixedValue or DynamicValue")
    })
}

fn fixed_size(source: &Source<'_>, encoding: Node<'_, '_>, node: Node<'_, '_>) -> Result<u32, XtceError> {
    let bits = source.bounded_text(node, (0, PACKET_BITS_MAX), "a number of bits")?;
    if local(encoding) == "StringDataEncoding" && bits % 8 != 0 {
        return Err(
            source.error(node, format!("\"{bits}\" bits were found; expected a whole number of bytes"))
        );
    }
    Ok(bits as u32)
}

fn dynamic_size(
    source: &Source<'_>,
    declarations: &Declarations<'_, '_>,
    declared: &Declared<'_, '_>,
    node: Node<'_, '_>,
    plan: &mut Plan,
) -> Result<Size, XtceError> {
    let mut size = None;
    let (mut slope, mut intercept) = (1.0, 0.0);
    for child in elements(node) {
        match local(child) {
            "LinearAdjustment" => {
                slope = source.attribute(child, "slope", "a number")?.unwrap_or(1.0);
                intercept = source.attribute(child, "intercept", "a number")?.unwrap_or(0.0);
            }
            "ParameterInstanceRef" => {
                refuse_other_instance(source, child)?;
                let parameter =
                    declarations.parameters.resolve(source, child, "parameterRef", &declared.system)?;
                let is_calibrated = source.flag(child, "useCalibratedValue", true)?;
                size = Some((ParameterIndex(parameter as u32), is_calibrated));
            }
            _ => return Err(source.unsupported(child, "ParameterInstanceRef and LinearAdjustment")),
        }
    }
    let Some((parameter, is_calibrated)) = size else {
        return Err(source.error(node, "no ParameterInstanceRef was found; expected one"));
    };
    plan.dynamic_sizes.push(DynamicSize { parameter, is_calibrated, slope, intercept });
    Ok(Size::Dynamic(plan.dynamic_sizes.len() - 1))
}

/// A reference may mean an earlier occurrence of a parameter; only the latest one is known here.
pub(super) fn refuse_other_instance(source: &Source<'_>, node: Node<'_, '_>) -> Result<(), XtceError> {
    match node.attribute("instance") {
        None | Some("0") => Ok(()),
        Some(other) => {
            Err(source.error(node, format!("instance=\"{other}\" is not supported yet; expected 0")))
        }
    }
}
