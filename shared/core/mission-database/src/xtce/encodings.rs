//! Data encodings: how many bits, in which order, and what they mean.

use roxmltree::Node;

use super::criteria::Place;
use super::document::{elements, local};
use crate::XtceError;
use crate::bits::{ByteOrder, FloatCoding, IntegerCoding};
use crate::plan::Read;

impl Place<'_, '_, '_, '_> {
    pub(super) fn integer(&self, node: Node<'_, '_>) -> Result<Read, XtceError> {
        let bits = self.number_size(node, 8)?;
        if !(1..=64).contains(&bits) {
            let message = format!("sizeInBits=\"{bits}\" was found; expected 1 to 64");
            return Err(self.source.error(node, message));
        }
        // The last spellings of each line are not in the schema; flight dictionaries have them.
        let coding = match node.attribute("encoding").unwrap_or("unsigned") {
            "unsigned" => IntegerCoding::Unsigned,
            "twosComplement" | "twosCompliment" | "signed" => IntegerCoding::TwosComplement,
            "signMagnitude" => IntegerCoding::SignMagnitude,
            "onesComplement" | "onesCompliment" => IntegerCoding::OnesComplement,
            "BCD" | "packedBCD" => IntegerCoding::BinaryCodedDecimal,
            other => {
                let message = format!(
                    "encoding=\"{other}\" is not supported yet; expected unsigned, twosComplement, signMagnitude, \
                     onesComplement or BCD"
                );
                return Err(self.source.error(node, message));
            }
        };
        Ok(Read::Integer { bits: bits as u8, coding, order: self.byte_order(node, bits)? })
    }

    pub(super) fn float(&self, node: Node<'_, '_>) -> Result<Read, XtceError> {
        let bits = self.number_size(node, 32)?;
        let (coding, sizes): (_, &[u32]) = match node.attribute("encoding").unwrap_or("IEEE754_1985") {
            "IEEE754_1985" | "IEEE754" | "IEEE-754" | "IEEE754_2008" => (FloatCoding::Ieee754, &[16, 32, 64]),
            "MILSTD_1750A" | "MIL-1750A" => (FloatCoding::MilStd1750A, &[32, 48]),
            other => {
                let message = format!(
                    "encoding=\"{other}\" is not supported yet; expected IEEE754_1985 or MILSTD_1750A"
                );
                return Err(self.source.error(node, message));
            }
        };
        if !sizes.contains(&bits) {
            let sizes: Vec<_> = sizes.iter().map(u32::to_string).collect();
            let message = format!("sizeInBits=\"{bits}\" was found; expected {}", sizes.join(" or "));
            return Err(self.source.error(node, message));
        }
        Ok(Read::Float { bits: bits as u8, coding, order: self.byte_order(node, bits)? })
    }

    pub(super) fn refuse_reversed_bits(&self, node: Node<'_, '_>) -> Result<(), XtceError> {
        if let Some(order @ "leastSignificantBitFirst") = node.attribute("bitOrder") {
            let message =
                format!("bitOrder=\"{order}\" is not supported yet; expected mostSignificantBitFirst");
            return Err(self.source.error(node, message));
        }
        Ok(())
    }

    fn number_size(&self, node: Node<'_, '_>, default: u32) -> Result<u32, XtceError> {
        Ok(self.source.attribute(node, "sizeInBits", "a number of bits")?.unwrap_or(default))
    }

    fn byte_order(&self, node: Node<'_, '_>, bits: u32) -> Result<ByteOrder, XtceError> {
        let list = elements(node).find(|child| local(*child) == "ByteOrderList");
        let listed = list.map(significance_of_list).transpose();
        let text = match (listed, node.attribute("byteOrder")) {
            (Err(found), _) => {
                let message = format!("byteSignificance=\"{found}\" was found; expected a whole number");
                return Err(self.source.error(list.unwrap_or(node), message));
            }
            (Ok(Some(listed)), _) => listed,
            (Ok(None), None) => return Ok(ByteOrder::MostSignificantFirst),
            (Ok(None), Some(text)) => text.to_owned(),
        };
        if text == "mostSignificantByteFirst" || bits == 8 {
            return Ok(ByteOrder::MostSignificantFirst);
        }
        if !bits.is_multiple_of(8) {
            let message =
                format!("byteOrder=\"{text}\" was found with {bits} bits; expected a whole number of bytes");
            return Err(self.source.error(node, message));
        }
        if text == "leastSignificantByteFirst" {
            return Ok(ByteOrder::LeastSignificantFirst);
        }
        listed_byte_order(&text, bits as usize / 8).ok_or_else(|| {
            let message = format!(
                "byteOrder=\"{text}\" was found; expected mostSignificantByteFirst, leastSignificantByteFirst, or the \
                 significance of each of {} bytes",
                bits / 8
            );
            self.source.error(node, message)
        })
    }
}

/// XTCE 1.1: one `Byte` element for each byte in the order they stand; written as XTCE 1.2 does.
fn significance_of_list(list: Node<'_, '_>) -> Result<String, String> {
    let bytes = elements(list).filter(|child| local(*child) == "Byte").take(9);
    let significance = bytes.map(|byte| {
        let text = byte.attribute("byteSignificance").unwrap_or("");
        text.trim().parse::<u8>().map(|number| number.to_string()).map_err(|_| text.to_owned())
    });
    significance.collect::<Result<Vec<_>, _>>().map(|all| all.join(","))
}

/// XTCE 1.2: `1,0,3,2` is the significance of each byte in the order they stand, 0 for the least.
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
    (count == bytes).then(|| simplified(significance, bytes))
}

/// The two common orders are read faster than a list.
fn simplified(significance: [u8; 8], bytes: usize) -> ByteOrder {
    let given = &significance[..bytes];
    if given.is_sorted() {
        return ByteOrder::LeastSignificantFirst;
    }
    if given.is_sorted_by(|before, after| before > after) {
        return ByteOrder::MostSignificantFirst;
    }
    ByteOrder::Listed(significance)
}
