//! Texts in all character sets, and the ways in which they say where they end.

use super::Choices;
use super::fields::{Field, FieldSize, Kind, dynamic};

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Charset {
    Ascii,
    Latin1,
    Utf16,
    Utf16LittleEndian,
    Utf8,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum TextEnd {
    /// The text fills its buffer.
    Full,
    Leading,
    /// In a buffer of so many bytes more, a mark and whatever was there before.
    Marked(usize),
    Unbounded,
}

pub(super) fn text(choices: &mut Choices<'_>) -> Field {
    use Charset::{Ascii, Latin1, Utf8, Utf16, Utf16LittleEndian};
    let charset = [Ascii, Utf8, Latin1, Utf16, Utf16LittleEndian][choices.below(5)];
    let characters: &[char] = match charset {
        Ascii => &['a', 'Z', ' ', '~'],
        Latin1 => &['a', 'é', 'ÿ'],
        Utf8 | Utf16 | Utf16LittleEndian => &['a', 'é', 'Ā', '語', '🛰'],
    };
    let text: String = (0..choices.below(6)).map(|_| characters[choices.below(characters.len())]).collect();
    let end = match choices.below(5) {
        0 => TextEnd::Full,
        1 => TextEnd::Leading,
        2 => TextEnd::Unbounded,
        _ => TextEnd::Marked(choices.below(3) * 2),
    };
    let size = match end {
        TextEnd::Full if choices.flag() => {
            FieldSize::Counted { count: charset.bytes(&text).len(), parameter: String::new() }
        }
        _ => FieldSize::Own,
    };
    Field { kind: Kind::Text { charset, end, text }, size }
}

impl Charset {
    pub(super) fn bytes(self, text: &str) -> Vec<u8> {
        match self {
            Charset::Ascii | Charset::Utf8 => text.as_bytes().to_vec(),
            Charset::Latin1 => text.chars().map(|character| character as u8).collect(),
            Charset::Utf16 => text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
            Charset::Utf16LittleEndian => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        }
    }

    pub(super) fn mark(self) -> &'static [u8] {
        match self {
            Charset::Utf16 | Charset::Utf16LittleEndian => &[0, 0],
            _ => &[0],
        }
    }
}

pub(super) fn text_encoding(charset: Charset, end: TextEnd, bytes: usize, size: &FieldSize) -> String {
    let name = match charset {
        Charset::Ascii => "US-ASCII",
        Charset::Latin1 => "ISO-8859-1",
        Charset::Utf16 => "UTF-16BE",
        Charset::Utf16LittleEndian => "UTF-16LE",
        Charset::Utf8 => "UTF-8",
    };
    let mark = format!("<TerminationChar>{}</TerminationChar>", "00".repeat(charset.mark().len()));
    let fixed = |bytes: usize| format!("<Fixed><FixedValue>{}</FixedValue></Fixed>", bytes * 8);
    let size = match (end, size) {
        (TextEnd::Leading, _) => {
            "<Variable maxSizeInBits='8000'><LeadingSize sizeInBitsOfSizeTag='16'/></Variable>".to_owned()
        }
        (TextEnd::Unbounded, _) => format!("<Variable maxSizeInBits='8000'>{mark}</Variable>"),
        (TextEnd::Marked(spare), _) => {
            format!("<SizeInBits>{}{mark}</SizeInBits>", fixed(bytes + charset.mark().len() + spare))
        }
        (TextEnd::Full, FieldSize::Counted { parameter, .. }) => {
            format!("<Variable maxSizeInBits='8000'>{}</Variable>", dynamic(parameter))
        }
        (TextEnd::Full, FieldSize::Own) => format!("<SizeInBits>{}</SizeInBits>", fixed(bytes)),
    };
    format!("<StringDataEncoding encoding='{name}'>{size}</StringDataEncoding>")
}

/// A text with what stands around it.
pub(super) fn framed(charset: Charset, end: TextEnd, text: &str, choices: &mut Choices<'_>) -> Vec<u8> {
    let bytes = charset.bytes(text);
    match end {
        TextEnd::Full => bytes,
        TextEnd::Leading => [&(bytes.len() as u16).to_be_bytes()[..], &bytes].concat(),
        TextEnd::Marked(spare) => {
            let junk: Vec<u8> = (0..spare).map(|_| choices.byte()).collect();
            [&bytes, charset.mark(), &junk].concat()
        }
        TextEnd::Unbounded => [&bytes, charset.mark()].concat(),
    }
}
