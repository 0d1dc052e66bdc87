//! Texts that say their size themselves, in front or at their end.

use super::{U8, container, decoded, document, entry, load, refusal};
use crate::Dictionary;

/// `FLAG` of some bits, a text as it is written, and a number behind it.
fn around(flag_bits: u32, encoding: &str) -> Dictionary {
    load(&written(flag_bits, encoding))
}

fn written(flag_bits: u32, encoding: &str) -> String {
    let types = format!(
        "{U8}<IntegerParameterType name='Flag'><IntegerDataEncoding sizeInBits='{flag_bits}'/></IntegerParameterType>\
         <StringParameterType name='Text'>{encoding}</StringParameterType>"
    );
    let parameters = [("FLAG", "Flag"), ("TEXT", "Text"), ("AFTER", "U8")];
    let entries: String = ["FLAG", "TEXT", "AFTER"].map(entry).concat();
    document(&types, &parameters, &container("C", &entries))
}

fn check(dictionary: &Dictionary, cases: &[(&[u8], &str)]) {
    for (packet, expected) in cases {
        assert_eq!(decoded(dictionary, packet), format!("/S/C FLAG={expected}"), "{packet:02x?}");
    }
}

fn variable(most_bits: u32, parts: &str) -> String {
    format!(
        "<StringDataEncoding><Variable maxSizeInBits='{most_bits}'>{parts}</Variable></StringDataEncoding>"
    )
}

/// What the schema asks for beside a leading size; it refers to nothing.
const UNUSED: &str = "<DynamicValue><ParameterInstanceRef parameterRef='_ignored'/></DynamicValue>";

#[test]
fn a_leading_size_counts_the_bytes_behind_it() {
    let leading = |bits: u32| format!("{UNUSED}<LeadingSize sizeInBitsOfSizeTag='{bits}'/>");
    check(
        &around(8, &variable(800, &leading(8))),
        &[
            (&[7, 2, b'h', b'i', 9], "7 TEXT=\"hi\" AFTER=9"),
            (&[7, 0, 9], "7 TEXT=\"\" AFTER=9"),
            (&[7, 3, b'h', b'i'], "7 (packet is too short for /S/TEXT: it needs 40 bits, there are 32)"),
            (&[7, 90], "7 (packet is too short for /S/TEXT: it needs 736 bits, there are 16)"),
        ],
    );
    check(
        &around(8, &variable(800, &leading(16))),
        &[
            (&[7, 0, 2, b'h', b'i', 9], "7 TEXT=\"hi\" AFTER=9"),
            (&[7, 0], "7 (packet is too short for /S/TEXT: it needs 24 bits, there are 16)"),
            // Longer than its type allows is a lie, however long the packet is.
            (&[7, 0xFF, 0xFF, b'h'], "7 (/S/TEXT would be 524296 bits long)"),
        ],
    );
    check(&around(8, &variable(800, &leading(32))), &[(&[7, 0, 0, 0, 1, b'!', 9], "7 TEXT=\"!\" AFTER=9")]);
    check(
        &around(4, &variable(800, &leading(8))),
        &[(&[0x70, 0x26, 0x86, 0x90, 0x90], "7 TEXT=\"hi\" AFTER=9")],
    );
}

#[test]
fn a_leading_size_in_a_buffer_says_how_much_of_it_is_text() {
    let encoding = "<StringDataEncoding><SizeInBits><Fixed><FixedValue>32</FixedValue></Fixed>\
                    <LeadingSize sizeInBitsOfSizeTag='8'/></SizeInBits></StringDataEncoding>";
    check(
        &around(8, encoding),
        &[
            (&[7, 2, b'h', b'i', b'x', 9], "7 TEXT=\"hi\" AFTER=9"),
            (&[7, 9, b'h', b'i', b'x', 9], "7 TEXT=\"hix\" AFTER=9"),
            (&[7, 0, b'h', b'i', b'x', 9], "7 TEXT=\"\" AFTER=9"),
        ],
    );
}

#[test]
fn a_text_may_end_where_its_termination_character_stands() {
    let terminated = |most_bits: u32, mark: &str| {
        variable(most_bits, &format!("{UNUSED}<TerminationChar>{mark}</TerminationChar>")).replace(UNUSED, "")
    };
    check(
        &around(8, &terminated(800, "00")),
        &[
            (&[7, b'h', b'i', 0, 9], "7 TEXT=\"hi\" AFTER=9"),
            (&[7, 0, 9], "7 TEXT=\"\" AFTER=9"),
            (
                &[7, b'h', b'i'],
                "7 TEXT=\"hi\" (packet is too short for /S/AFTER: it needs 32 bits, there are 24)",
            ),
            (&[7], "7 TEXT=\"\" (packet is too short for /S/AFTER: it needs 16 bits, there are 8)"),
        ],
    );
    // Without the character, the text is as long as its type allows.
    check(&around(8, &terminated(16, "0A")), &[(&[7, b'h', b'i', 9], "7 TEXT=\"hi\" AFTER=9")]);
    let wide =
        terminated(800, "0000").replace("<StringDataEncoding>", "<StringDataEncoding encoding='UTF-16BE'>");
    check(&around(8, &wide), &[(&[7, 1, 0, 0, b'b', 0, 0, 9], "7 TEXT=\"Āb\" AFTER=9")]);
    let shifted: Vec<u8> = [&[0x76][..], &[0x86; 200][..], &[0x80, 0x00, 0x90]].concat();
    let long = "h".repeat(201);
    check(&around(4, &terminated(8_000, "00")), &[(&shifted, &format!("7 TEXT=\"{long}\" AFTER=9"))]);
}

#[test]
fn bytes_that_are_no_character_are_shown_as_such() {
    let encoding = |charset: &str| {
        format!(
            "<StringDataEncoding encoding='{charset}'><SizeInBits><Fixed><FixedValue>16</FixedValue></Fixed></SizeInBits>\
             </StringDataEncoding>"
        )
    };
    let cases: [(&str, &str); 5] = [
        ("US-ASCII", "a\u{FFFD}"),
        ("UTF-8", "a\u{FFFD}"),
        ("ISO-8859-1", "aÿ"),
        ("UTF-16BE", "\u{61FF}"),
        ("UTF-16LE", "\u{FF61}"),
    ];
    for (charset, expected) in cases {
        let expected = format!("7 TEXT={expected:?} AFTER=9");
        check(&around(8, &encoding(charset)), &[(&[7, b'a', 0xFF, 9], &expected)]);
    }
}

#[test]
fn a_text_that_says_no_size_or_two_is_refused() {
    let leading = |bits: &str| format!("<LeadingSize sizeInBitsOfSizeTag='{bits}'/>");
    let fixed = "<Fixed><FixedValue>12</FixedValue></Fixed>";
    let cases = [
        (variable(8, ""), "no size was found; expected SizeInBits or Variable that says one"),
        (variable(8, UNUSED), "parameter \"_ignored\" is not defined"),
        (variable(8, &leading("12")), "sizeInBitsOfSizeTag=\"12\" was found; expected 8, 16, 24 or 32"),
        (variable(8, &leading("-8")), "expected 8, 16, 24 or 32"),
        (variable(8, &leading("8").repeat(2)), "a second size was found; expected one"),
        (variable(8, fixed), "\"12\" bits were found; expected a whole number of bytes"),
        (
            variable(8, "<TerminationChar>0</TerminationChar>"),
            "expected one character as pairs of hexadecimal digits",
        ),
        (variable(8, "<TerminationChar/>"), "expected one character as pairs of hexadecimal digits"),
        (variable(8, "<TerminationChar>0000000000</TerminationChar>"), "expected one character"),
        (variable(8, "<Length/>"), "Length is not supported here yet"),
        (
            variable(8, "").replace("<StringDataEncoding>", "<StringDataEncoding encoding='EBCDIC'>"),
            "expected UTF-8",
        ),
    ];
    for (encoding, expected) in cases {
        let found = refusal(&written(8, &encoding));
        assert!(found.contains(expected), "{encoding}\nis refused by: {found}");
    }
}
