//! Text in the character sets telemetry uses.

use std::borrow::Cow;
use std::ops::Range;

/// A character set and what ends a text in it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TextFormat {
    pub(crate) charset: Charset,
    pub(crate) termination: Option<Termination>,
    /// Bits of a length in front of the text, which counts its bytes.
    pub(crate) leading_bits: Option<u8>,
    /// How large a buffer may be whose size the text itself says, in bits.
    pub(crate) bits_max: u32,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Charset {
    Ascii,
    Latin1,
    Utf16BigEndian,
    Utf16LittleEndian,
    Utf8,
}

/// One character as it stands in the packet, 1 to 4 bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Termination {
    bytes: [u8; 4],
    length: u8,
}

impl Termination {
    /// `None` when there are no bytes, or more than a character can have.
    pub(crate) fn new(from: &[u8]) -> Option<Self> {
        let mut bytes = [0; 4];
        bytes.get_mut(..from.len())?.copy_from_slice(from);
        (!from.is_empty()).then_some(Termination { bytes, length: from.len() as u8 })
    }
}

impl Charset {
    /// Bytes that a code unit has, the step in which a termination character is searched.
    pub(crate) fn unit_bytes(self) -> usize {
        match self {
            Charset::Ascii | Charset::Latin1 | Charset::Utf8 => 1,
            Charset::Utf16BigEndian | Charset::Utf16LittleEndian => 2,
        }
    }
}

impl TextFormat {
    /// The text in a buffer. Borrowed when the bytes are valid UTF-8 already.
    pub(crate) fn decode<'p>(&self, buffer: Cow<'p, [u8]>) -> Cow<'p, str> {
        let content = self.content(&buffer);
        match buffer {
            Cow::Borrowed(bytes) => self.decode_bytes(&bytes[content]),
            Cow::Owned(bytes) => Cow::Owned(self.decode_bytes(&bytes[content]).into_owned()),
        }
    }

    /// Where in a buffer the text stands: behind its length, up to the character that ends it.
    fn content(&self, buffer: &[u8]) -> Range<usize> {
        let start = usize::from(self.leading_bits.unwrap_or(0)) / 8;
        let Some((tag, rest)) = buffer.split_at_checked(start) else { return 0..0 };
        let said = tag.iter().fold(0_usize, |length, byte| length.saturating_mul(256) + usize::from(*byte));
        let length = if start == 0 { rest.len() } else { said.min(rest.len()) };
        start..start + self.terminated(&rest[..length]).unwrap_or(length)
    }

    /// Bytes of the buffer at the beginning of `rest` whose text says its own size, `None` when they are not there.
    pub(crate) fn buffer_length(&self, rest: &[u8]) -> Option<usize> {
        if let Some(bits) = self.leading_bits {
            let tag = rest.get(..usize::from(bits) / 8)?;
            let said =
                tag.iter().fold(0_usize, |length, byte| length.saturating_mul(256) + usize::from(*byte));
            return Some(said.saturating_add(tag.len()));
        }
        let room = &rest[..rest.len().min(self.bits_max as usize / 8)];
        let mark = self.termination.map_or(0, |termination| usize::from(termination.length));
        Some(self.terminated(room).map_or(room.len(), |length| length + mark))
    }

    /// Bytes in front of the character that ends the text, `None` without one.
    fn terminated(&self, buffer: &[u8]) -> Option<usize> {
        let termination = self.termination.as_ref()?;
        let mark = &termination.bytes[..usize::from(termination.length)];
        let mut starts = (0..buffer.len()).step_by(self.charset.unit_bytes());
        starts.find(|start| buffer[*start..].starts_with(mark))
    }

    fn decode_bytes<'p>(&self, bytes: &'p [u8]) -> Cow<'p, str> {
        match self.charset {
            Charset::Ascii | Charset::Utf8 => String::from_utf8_lossy(bytes),
            Charset::Latin1 => match str::from_utf8(bytes) {
                Ok(text) if text.is_ascii() => Cow::Borrowed(text),
                _ => Cow::Owned(bytes.iter().map(|byte| char::from(*byte)).collect()),
            },
            Charset::Utf16BigEndian => Cow::Owned(decode_utf16(bytes, u16::from_be_bytes)),
            Charset::Utf16LittleEndian => Cow::Owned(decode_utf16(bytes, u16::from_le_bytes)),
        }
    }
}

fn decode_utf16(bytes: &[u8], join: impl Fn([u8; 2]) -> u16) -> String {
    let pairs = bytes.chunks_exact(2);
    let is_broken = !pairs.remainder().is_empty();
    let units = pairs.map(|pair| join([pair[0], pair[1]]));
    let characters = char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER));
    characters.chain(is_broken.then_some(char::REPLACEMENT_CHARACTER)).collect()
}
