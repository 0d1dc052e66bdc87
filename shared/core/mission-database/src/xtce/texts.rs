//! Text and binary encodings: character sets, and what says how long a field is.

use roxmltree::Node;

use super::PACKET_BITS_MAX;
use super::criteria::Place;
use super::document::{elements, local};
use super::quantities::Bounds;
use crate::XtceError;
use crate::plan::{Plan, Quantity, Read, Size};
use crate::text::{Charset, Termination, TextFormat};

const SIZE: Bounds<'_> = Bounds { least: 0, most: PACKET_BITS_MAX, what: "a number of bits" };
const HARMLESS: [&str; 3] =
    ["ErrorDetectCorrect", "FromBinaryTransformAlgorithm", "ToBinaryTransformAlgorithm"];

/// What the elements of a text's size say.
#[derive(Default)]
struct TextSize<'a, 'i> {
    buffer: Option<Node<'a, 'i>>,
    leading: Option<Node<'a, 'i>>,
    termination: Option<Node<'a, 'i>>,
    bits_max: Option<u32>,
}

impl Place<'_, '_, '_, '_> {
    pub(super) fn binary(&self, node: Node<'_, '_>, plan: &mut Plan) -> Result<Read, XtceError> {
        let mut size = None;
        for child in elements(node) {
            match local(child) {
                "SizeInBits" => size = Some(self.quantity(child, &SIZE)?),
                _ => self.source.pass_over_if(child, &HARMLESS, "SizeInBits")?,
            }
        }
        let Some(size) = size else {
            let message = "no size was found; expected SizeInBits with FixedValue or DynamicValue";
            return Err(self.source.error(node, message));
        };
        Ok(Read::Binary { size: plan.size(size) })
    }

    pub(super) fn text(&self, node: Node<'_, '_>, plan: &mut Plan) -> Result<Read, XtceError> {
        let charset = self.charset(node)?;
        let written = self.text_size(node)?;
        let termination = written.termination.map(|mark| self.termination(mark, charset)).transpose()?;
        let leading_bits = written.leading.map(|node| self.leading_bits(node)).transpose()?;
        let bits_max = written.bits_max.unwrap_or(PACKET_BITS_MAX as u32);
        let says_its_size = leading_bits.is_some() || termination.is_some();
        let size = match written.buffer {
            // Beside a leading size, a variable buffer is only what the schema asks for; it may even refer to a
            // parameter that does not exist (F Prime).
            Some(buffer) if !(leading_bits.is_some() && is_variable(buffer)) => {
                self.buffer_size(buffer, plan)?
            }
            _ if says_its_size => Size::OfText,
            _ => {
                let message = "no size was found; expected SizeInBits or Variable that says one";
                return Err(self.source.error(node, message));
            }
        };
        let Ok(format) = u16::try_from(plan.text_formats.len()) else {
            return Err(self.source.error(node, "too many text types were found; expected at most 65,536"));
        };
        plan.text_formats.push(TextFormat { charset, termination, leading_bits, bits_max });
        Ok(Read::Text { size, format })
    }

    /// `SizeInBits` and `Variable`, which XTCE 1.2 has beside each other and 1.1 within each other.
    fn text_size<'a, 'i>(&self, node: Node<'a, 'i>) -> Result<TextSize<'a, 'i>, XtceError> {
        let mut size = TextSize::default();
        for outer in elements(node) {
            if !["SizeInBits", "Variable"].contains(&local(outer)) {
                self.source.pass_over_if(outer, &HARMLESS, "SizeInBits or Variable")?;
                continue;
            }
            if let Some(bits) = self.source.attribute(outer, "maxSizeInBits", "a number of bits")? {
                size.bits_max = Some(bits);
            }
            for part in elements(outer) {
                let place = match local(part) {
                    "Fixed" | "DynamicValue" | "DiscreteLookupList" | "FixedValue" => &mut size.buffer,
                    "LeadingSize" => &mut size.leading,
                    "TerminationChar" => &mut size.termination,
                    _ => {
                        let expected = "Fixed, DynamicValue, LeadingSize or TerminationChar";
                        return Err(self.source.unsupported(part, expected));
                    }
                };
                if place.replace(part).is_some() {
                    return Err(self.source.error(part, "a second size was found; expected one"));
                }
            }
        }
        Ok(size)
    }

    fn buffer_size(&self, part: Node<'_, '_>, plan: &mut Plan) -> Result<Size, XtceError> {
        let outer = part.parent_element().unwrap_or(part);
        let quantity = match local(part) {
            "Fixed" => self.quantity(part, &SIZE)?,
            "DynamicValue" => self.linear(part)?,
            // The others are quantities in their parent, beside which nothing else is one.
            _ => self.quantity_among(outer)?,
        };
        if let Quantity::Fixed(bits) = quantity
            && bits % 8 != 0
        {
            let message = format!("\"{bits}\" bits were found; expected a whole number of bytes");
            return Err(self.source.error(part, message));
        }
        Ok(plan.size(quantity))
    }

    /// The quantity in an element that holds other parts too.
    fn quantity_among(&self, outer: Node<'_, '_>) -> Result<Quantity, XtceError> {
        let is_only = elements(outer).count() == 1;
        if is_only {
            return self.quantity(outer, &SIZE);
        }
        Err(self.source.error(outer, "a lookup beside other parts was found; expected it alone"))
    }

    fn leading_bits(&self, node: Node<'_, '_>) -> Result<u8, XtceError> {
        let bits = self.source.attribute(node, "sizeInBitsOfSizeTag", "8, 16, 24 or 32")?.unwrap_or(16);
        if ![8, 16, 24, 32].contains(&bits) {
            let message = format!("sizeInBitsOfSizeTag=\"{bits}\" was found; expected 8, 16, 24 or 32");
            return Err(self.source.error(node, message));
        }
        Ok(bits)
    }

    fn charset(&self, node: Node<'_, '_>) -> Result<Charset, XtceError> {
        Ok(match node.attribute("encoding").unwrap_or("UTF-8") {
            "ISO-8859-1" => Charset::Latin1,
            "US-ASCII" => Charset::Ascii,
            "UTF-16" | "UTF-16BE" => Charset::Utf16BigEndian,
            "UTF-16LE" => Charset::Utf16LittleEndian,
            "UTF-8" => Charset::Utf8,
            other => {
                let message = format!(
                    "encoding=\"{other}\" is not supported yet; expected UTF-8, US-ASCII, ISO-8859-1, UTF-16BE or \
                     UTF-16LE"
                );
                return Err(self.source.error(node, message));
            }
        })
    }

    fn termination(&self, node: Node<'_, '_>, charset: Charset) -> Result<Termination, XtceError> {
        let text = node.text().unwrap_or("").trim();
        let digits: Option<Vec<u8>> =
            text.chars().map(|digit| digit.to_digit(16).map(|value| value as u8)).collect();
        let digits = digits.filter(|digits| digits.len() % (2 * charset.unit_bytes()) == 0);
        let bytes: Option<Vec<u8>> =
            digits.map(|digits| digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect());
        bytes.and_then(|bytes| Termination::new(&bytes)).ok_or_else(|| {
            let message =
                format!("\"{text}\" was found; expected one character as pairs of hexadecimal digits");
            self.source.error(node, message)
        })
    }
}

/// Whether a size is anything but fixed.
fn is_variable(part: Node<'_, '_>) -> bool {
    !matches!(local(part), "Fixed" | "FixedValue")
}

impl Plan {
    /// A quantity as a size: fixed ones need no table.
    pub(super) fn size(&mut self, quantity: Quantity) -> Size {
        match quantity {
            Quantity::Fixed(bits) => Size::Fixed(bits as u32),
            other => {
                self.quantities.push(other);
                Size::Quantity(self.quantities.len() as u32 - 1)
            }
        }
    }
}
