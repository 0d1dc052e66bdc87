//! From packet to values.

use std::borrow::Cow;

use super::{decoded, document, load, one_field};
use crate::{DecodedPacket, EngineeringValue, RawValue};

fn check_field(offset: usize, its_type: &str, packet: &[u8], expected: &str) {
    let dictionary = one_field(offset, its_type);
    assert_eq!(
        decoded(&dictionary, packet),
        format!("/S/C P={expected}"),
        "{its_type} at {offset} of {packet:02x?}"
    );
}

#[test]
fn integers_stand_at_any_bit_with_any_sign_and_byte_order() {
    let integer = |bits, more: &str| {
        let encoding = format!("<IntegerDataEncoding sizeInBits=\"{bits}\" {more}/>");
        format!("<IntegerParameterType name=\"T\">{encoding}</IntegerParameterType>")
    };
    let cases: [(usize, u32, &str, &[u8], &str); 26] = [
        (0, 8, "", &[0xFE], "254"),
        (3, 1, "", &[0b0001_0000], "1"),
        (4, 12, "", &[0xF1, 0x23], "291"),
        (0, 16, "", &[0x12, 0x34], "4660"),
        (8, 24, "", &[0xFF, 0x01, 0x02, 0x03], "66051"),
        (0, 32, "", &[0xFF, 0xFF, 0xFF, 0xFF], "4294967295"),
        (0, 64, "", &[0xFF; 8], "18446744073709551615"),
        (7, 64, "", &[0x01, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFE], "18446744073709551615"),
        (1, 63, "", &[0x80, 0, 0, 0, 0, 0, 0, 5], "5"),
        (5, 3, "", &[0b1111_1010, 0, 0, 0, 0, 0, 0, 0, 0], "2"),
        (0, 8, "encoding='twosComplement'", &[0x80], "-128"),
        (4, 4, "encoding='signed'", &[0x0F], "-1"),
        (0, 33, "encoding='twosComplement'", &[0x80, 0, 0, 0, 0], "-4294967296"),
        (0, 64, "encoding='twosComplement'", &[0x80, 0, 0, 0, 0, 0, 0, 0], "-9223372036854775808"),
        (0, 1, "encoding='twosComplement'", &[0x80], "-1"),
        (0, 8, "encoding='signMagnitude'", &[0x85], "-5"),
        (0, 8, "encoding='signMagnitude'", &[0x80], "0"),
        (0, 64, "encoding='signMagnitude'", &[0xFF; 8], "-9223372036854775807"),
        (0, 8, "encoding='onesComplement'", &[0xFA], "-5"),
        (0, 8, "encoding='onesComplement'", &[0xFF], "0"),
        (0, 16, "encoding='onesComplement'", &[0x80, 0x00], "-32767"),
        (0, 16, "byteOrder='leastSignificantByteFirst'", &[0x34, 0x12], "4660"),
        (4, 16, "byteOrder='leastSignificantByteFirst'", &[0x03, 0x41, 0x20], "4660"),
        (0, 24, "encoding='twosComplement' byteOrder='leastSignificantByteFirst'", &[0xFE, 0xFF, 0xFF], "-2"),
        (0, 32, "byteOrder='1,0,3,2'", &[0x03, 0x04, 0x01, 0x02], "16909060"),
        (0, 32, "byteOrder='2,3,0,1'", &[0x02, 0x01, 0x04, 0x03], "16909060"),
    ];
    for (offset, bits, more, packet, expected) in cases {
        // XTCE's list counts significance: 1,0,3,2 puts the low half first.
        check_field(offset, &integer(bits, more), packet, expected);
    }
}

#[test]
fn floats_keep_infinities_nan_and_negative_zero() {
    let float = |bits, more: &str| {
        let encoding = format!("<FloatDataEncoding sizeInBits='{bits}' {more}/>");
        format!("<FloatParameterType name='T'>{encoding}</FloatParameterType>")
    };
    let cases: [(usize, u32, &str, &[u8], &str); 13] = [
        (0, 32, "", &[0x3F, 0x80, 0, 0], "1.0"),
        (4, 32, "encoding='IEEE-754'", &[0x03, 0xF8, 0, 0, 0], "1.0"),
        (0, 32, "encoding='IEEE754'", &[0xFF, 0x80, 0, 0], "-inf"),
        (0, 32, "", &[0x7F, 0xC0, 0, 0], "NaN"),
        (0, 32, "", &[0x80, 0, 0, 0], "-0.0"),
        (0, 32, "byteOrder='leastSignificantByteFirst'", &[0, 0, 0x80, 0x3F], "1.0"),
        (0, 64, "", &[0x40, 0x09, 0x21, 0xFB, 0x54, 0x44, 0x2D, 0x18], "3.141592653589793"),
        (0, 16, "", &[0x3C, 0x00], "1.0"),
        (0, 16, "", &[0xC5, 0x60], "-5.375"),
        (0, 16, "", &[0x00, 0x01], "5.960464477539063e-8"),
        (0, 16, "", &[0x7B, 0xFF], "65504.0"),
        (0, 16, "", &[0xFC, 0x00], "-inf"),
        (0, 16, "", &[0x7C, 0x01], "NaN"),
    ];
    for (offset, bits, more, packet, expected) in cases {
        check_field(offset, &float(bits, more), packet, expected);
    }
}

#[test]
fn polynomials_calibrate_integers_and_floats() {
    let calibrated = |its_type: &str, encoding: &str, terms: &[(&str, u32)]| {
        let terms: String = terms
            .iter()
            .map(|(value, power)| format!("<Term coefficient='{value}' exponent='{power}'/>"))
            .collect();
        format!(
            "<{its_type} name='T'><{encoding}><DefaultCalibrator><PolynomialCalibrator>{terms}</PolynomialCalibrator>\
             </DefaultCalibrator></{}></{its_type}>",
            encoding.split(' ').next().unwrap_or_default()
        )
    };
    let (integer, float) = ("IntegerDataEncoding sizeInBits='8'", "FloatDataEncoding sizeInBits='32'");
    type Terms = &'static [(&'static str, u32)];
    let cases: [(&str, &str, Terms, &[u8], &str); 7] = [
        ("FloatParameterType", integer, &[("-10", 0), ("0.5", 1)], &[30], "5.0"),
        ("FloatParameterType", integer, &[("1", 2)], &[12], "144.0"),
        ("FloatParameterType", integer, &[("7", 0)], &[12], "7.0"),
        ("IntegerParameterType", integer, &[("0.5", 1)], &[3], "1.5"),
        ("FloatParameterType", float, &[("2", 1), ("1", 0)], &[0x3F, 0x80, 0, 0], "3.0"),
        ("FloatParameterType", float, &[("2", 1)], &[0x7F, 0x80, 0, 0], "inf"),
        ("FloatParameterType", integer, &[("INF", 0), ("-INF", 1)], &[3], "NaN"),
    ];
    for (its_type, encoding, terms, packet, expected) in cases {
        check_field(0, &calibrated(its_type, encoding, terms), packet, expected);
    }
}

#[test]
fn a_float_type_of_an_integer_keeps_the_raw_integer() {
    let dictionary = one_field(
        0,
        "<FloatParameterType name='T'><IntegerDataEncoding sizeInBits='16'/></FloatParameterType>",
    );
    let mut packet = DecodedPacket::default();
    dictionary.decode(&[0x5A, 0x45], &mut packet).expect("two bytes are enough");
    assert_eq!(packet.values[0].raw, RawValue::Unsigned(23109));
    assert_eq!(packet.values[0].engineering, EngineeringValue::Float(23109.0));
    assert!(dictionary.parameters()[0].calibrated);
}

#[test]
fn enumerations_show_a_label_and_unknown_values_show_none() {
    let labels = "<EnumerationList><Enumeration value='-1' label='NEG'/><Enumeration value='0' label='OFF'/>\
                  <Enumeration value='2' maxValue='4' label='ON'/><Enumeration value='4' label='LATE'/></EnumerationList>";
    let its_type = format!(
        "<EnumeratedParameterType name='T'><IntegerDataEncoding sizeInBits='8' encoding='twosComplement'/>{labels}\
         </EnumeratedParameterType>"
    );
    let cases = [(0xFF, "NEG"), (0, "OFF"), (1, "?"), (2, "ON"), (3, "ON"), (4, "ON"), (5, "?"), (0x80, "?")];
    for (byte, expected) in cases {
        check_field(0, &its_type, &[byte], expected);
    }
    let dictionary = one_field(0, &its_type);
    let parameter = dictionary.find("/S/P").expect("it is defined");
    assert_eq!(dictionary.label(parameter, 3), Some("ON"));
    assert_eq!(dictionary.label(parameter, 1), None);
}

#[test]
fn sparse_and_overlapping_enumerations_find_the_first_label_in_the_document() {
    let enumeration = |labels: &str| {
        format!(
            "<EnumeratedParameterType name='T'><IntegerDataEncoding sizeInBits='64'/><EnumerationList>{labels}\
             </EnumerationList></EnumeratedParameterType>"
        )
    };
    let sparse = enumeration(
        "<Enumeration value='1000000' maxValue='2000000' label='HIGH'/><Enumeration value='1' label='LOW'/>",
    );
    let overlapping = enumeration(
        "<Enumeration value='5' maxValue='2000000' label='A'/><Enumeration value='1' maxValue='9' label='B'/>",
    );
    let cases = [
        (&sparse, 1, "LOW"),
        (&sparse, 2, "?"),
        (&sparse, 1_000_000, "HIGH"),
        (&sparse, 2_000_001, "?"),
        (&sparse, u64::MAX, "?"),
        (&overlapping, 4, "B"),
        (&overlapping, 5, "A"),
        (&overlapping, 2_000_001, "?"),
    ];
    for (its_type, raw, expected) in cases {
        check_field(0, its_type, &raw.to_be_bytes(), expected);
    }
}

#[test]
fn booleans_show_the_words_of_the_mission() {
    let words = "<BooleanParameterType name='T' zeroStringValue='SHUT' oneStringValue='OPEN'>\
                 <IntegerDataEncoding sizeInBits='2'/></BooleanParameterType>";
    let plain = "<BooleanParameterType name='T'><IntegerDataEncoding sizeInBits='1'/></BooleanParameterType>";
    for (its_type, byte, expected) in
        [(words, 0, "SHUT"), (words, 0x80, "OPEN"), (plain, 0, "False"), (plain, 0x80, "True")]
    {
        check_field(0, its_type, &[byte], expected);
    }
}

#[test]
fn texts_end_at_their_termination_character() {
    let text = |bits, charset, more: &str| {
        format!(
            "<StringParameterType name='T'><StringDataEncoding encoding='{charset}'><SizeInBits><Fixed><FixedValue>\
             {bits}</FixedValue></Fixed>{more}</SizeInBits></StringDataEncoding></StringParameterType>"
        )
    };
    let end = |mark| format!("<TerminationChar>{mark}</TerminationChar>");
    let cases: [(usize, String, &[u8], &str); 9] = [
        (0, text(24, "US-ASCII", ""), b"abc", "\"abc\""),
        (0, text(32, "UTF-8", &end("00")), b"ab\0x", "\"ab\""),
        (0, text(24, "UTF-8", &end("00")), b"abc", "\"abc\""),
        (4, text(16, "UTF-8", ""), &[0x06, 0x16, 0x20], "\"ab\""),
        (0, text(16, "UTF-8", ""), &[b'a', 0xFF], "\"a\u{FFFD}\""),
        (0, text(16, "ISO-8859-1", ""), &[b'a', 0xE9], "\"aé\""),
        (0, text(64, "UTF-16BE", &end("0000")), &[0x01, 0x00, 0, b'b', 0, 0, 0, b'x'], "\"Āb\""),
        (0, text(32, "UTF-16LE", ""), &[b'a', 0, 0, 0xD8], "\"a\u{FFFD}\""),
        (0, text(0, "UTF-8", ""), &[], "\"\""),
    ];
    for (offset, its_type, packet, expected) in cases {
        check_field(offset, &its_type, packet, expected);
    }
}

const NUMBER: &str =
    "<IntegerParameterType name='U8'><IntegerDataEncoding sizeInBits='8'/></IntegerParameterType>";

fn entry(parameter: &str) -> String {
    format!("<ParameterRefEntry parameterRef='{parameter}'/>")
}

#[test]
fn binary_fields_take_their_size_from_another_parameter() {
    let types = format!(
        "{NUMBER}<BinaryParameterType name='Blob'><BinaryDataEncoding><SizeInBits><DynamicValue>\
         <ParameterInstanceRef parameterRef='N'/><LinearAdjustment slope='8' intercept='-8'/></DynamicValue>\
         </SizeInBits></BinaryDataEncoding></BinaryParameterType>"
    );
    let entries = [entry("N"), entry("BLOB"), entry("AFTER")].concat();
    let container =
        format!("<SequenceContainer name='C'><EntryList>{entries}</EntryList></SequenceContainer>");
    let dictionary = load(&document(&types, &[("N", "U8"), ("BLOB", "Blob"), ("AFTER", "U8")], &container));
    let cases: [(&[u8], &str); 4] = [
        (&[3, 0xAA, 0xBB, 7], "/S/C N=3 BLOB=[aa, bb] AFTER=7"),
        (&[1, 7], "/S/C N=1 BLOB=[] AFTER=7"),
        (&[0, 7], "/S/C N=0 (/S/BLOB would be -8 bits long)"),
        (&[9, 7], "/S/C N=9 (packet is too short for /S/BLOB: it needs 72 bits, there are 16)"),
    ];
    for (packet, expected) in cases {
        assert_eq!(decoded(&dictionary, packet), expected);
    }
}

#[test]
fn binary_fields_are_borrowed_when_they_start_on_a_byte() {
    let blob = "<BinaryParameterType name='T'><BinaryDataEncoding><SizeInBits><FixedValue>12</FixedValue></SizeInBits>\
                </BinaryDataEncoding></BinaryParameterType>";
    check_field(4, blob, &[0x0A, 0xBC], "[ab, c0]");
    let whole = blob.replace("12", "16");
    let dictionary = one_field(8, &whole);
    let mut packet = DecodedPacket::default();
    dictionary.decode(&[1, 2, 3], &mut packet).expect("three bytes are enough");
    assert!(matches!(packet.values[0].raw, RawValue::Binary(Cow::Borrowed([2, 3]))));
}

#[test]
fn entries_stand_where_their_location_says() {
    let at = |name: &str, reference: &str, bits: i32| {
        format!(
            "<ParameterRefEntry parameterRef='{name}'><LocationInContainerInBits {reference}><FixedValue>{bits}\
             </FixedValue></LocationInContainerInBits></ParameterRefEntry>"
        )
    };
    let start = "referenceLocation='containerStart'";
    let part = "<SequenceContainer name='PART'><EntryList>{}</EntryList></SequenceContainer>";
    let part = part.replace("{}", &[entry("E"), at("F", start, 0)].concat());
    let root = format!(
        "<SequenceContainer name='ROOT'><EntryList>{}</EntryList></SequenceContainer>",
        [at("A", start, 8), at("B", "", 8), at("C", "referenceLocation='previousEntry'", -16)].concat()
    );
    let leaf = format!(
        "<SequenceContainer name='LEAF'><EntryList>{}<ContainerRefEntry containerRef='PART'/>{}</EntryList>\
         <BaseContainer containerRef='ROOT'/></SequenceContainer>",
        at("D", start, 0),
        entry("G")
    );
    let parameters = ["A", "B", "C", "D", "E", "F", "G"].map(|name| (name, "U8"));
    let dictionary = load(&document(NUMBER, &parameters, &[root, leaf, part].concat()));
    let packet = [0, 1, 2, 3, 4];
    assert_eq!(decoded(&dictionary, &packet), "/S/LEAF A=1 B=3 C=2 D=0 E=1 F=1 G=2");
}

#[test]
fn entries_behind_a_variable_field_move_with_it() {
    let types = format!(
        "{NUMBER}<StringParameterType name='Text'><StringDataEncoding><SizeInBits><DynamicValue>\
         <ParameterInstanceRef parameterRef='N' useCalibratedValue='false'/></DynamicValue></SizeInBits>\
         </StringDataEncoding></StringParameterType>"
    );
    let back = "<ParameterRefEntry parameterRef='BACK'><LocationInContainerInBits><FixedValue>-24</FixedValue>\
                </LocationInContainerInBits></ParameterRefEntry>";
    let root = format!(
        "<SequenceContainer name='R'><EntryList>{}{}</EntryList></SequenceContainer>",
        entry("N"),
        entry("TEXT")
    );
    let leaf = format!(
        "<SequenceContainer name='L'><EntryList>{back}</EntryList><BaseContainer containerRef='R'/></SequenceContainer>"
    );
    let dictionary =
        load(&document(&types, &[("N", "U8"), ("TEXT", "Text"), ("BACK", "U8")], &(root + &leaf)));
    let cases: [(&[u8], &str); 3] = [
        (&[16, b'h', b'i'], "/S/L N=16 TEXT=\"hi\" BACK=16"),
        (&[8, b'h', b'i'], "/S/L N=8 TEXT=\"h\" (/S/BACK would start 8 bits before the packet)"),
        (&[7, b'h'], "/S/R N=7 (/S/TEXT would be 7 bits long)"),
    ];
    for (packet, expected) in cases {
        assert_eq!(decoded(&dictionary, packet), expected);
    }
}

/// `ROOT` with `A` and `MODE`, and a child for each criterion, named `0`, `1` and so on.
fn family(is_abstract: bool, criteria: &[&str]) -> crate::Dictionary {
    let types = format!(
        "{NUMBER}<EnumeratedParameterType name='Mode'><IntegerDataEncoding sizeInBits='8'/><EnumerationList>\
         <Enumeration value='1' label='SAFE'/><Enumeration value='2' label='FINE'/></EnumerationList>\
         </EnumeratedParameterType><FloatParameterType name='Half'><IntegerDataEncoding sizeInBits='8'>\
         <DefaultCalibrator><PolynomialCalibrator><Term coefficient='0.5' exponent='1'/></PolynomialCalibrator>\
         </DefaultCalibrator></IntegerDataEncoding></FloatParameterType>"
    );
    let root = format!(
        "<SequenceContainer name='ROOT' abstract='{is_abstract}'><EntryList>{}{}</EntryList></SequenceContainer>",
        entry("A"),
        entry("MODE")
    );
    let child = |(index, criterion): (usize, &&str)| {
        format!(
            "<SequenceContainer name='{index}'><EntryList>{}</EntryList><BaseContainer containerRef='ROOT'>\
             <RestrictionCriteria>{criterion}</RestrictionCriteria></BaseContainer></SequenceContainer>",
            entry("MORE")
        )
    };
    let children: String = criteria.iter().enumerate().map(child).collect();
    load(&document(&types, &[("A", "Half"), ("MODE", "Mode"), ("MORE", "U8")], &(root + &children)))
}

#[test]
fn comparisons_choose_the_container() {
    let cases = [
        ("<Comparison parameterRef='A' value='1.5'/>", [3, 1], true),
        ("<Comparison parameterRef='A' value='3'/>", [3, 1], false),
        ("<Comparison parameterRef='A' value='3' useCalibratedValue='false'/>", [3, 1], true),
        ("<Comparison parameterRef='A' value='1.5' comparisonOperator='!='/>", [3, 1], false),
        ("<Comparison parameterRef='A' value='1.5' comparisonOperator='&lt;='/>", [3, 1], true),
        ("<Comparison parameterRef='A' value='1.5' comparisonOperator='&lt;'/>", [3, 1], false),
        ("<Comparison parameterRef='A' value='1' comparisonOperator='>'/>", [3, 1], true),
        ("<Comparison parameterRef='A' value='1.5' comparisonOperator='>='/>", [2, 1], false),
        ("<Comparison parameterRef='MODE' value='SAFE'/>", [0, 1], true),
        ("<Comparison parameterRef='MODE' value='SAFE'/>", [0, 2], false),
        ("<Comparison parameterRef='MODE' value='SAFE' comparisonOperator='!='/>", [0, 9], true),
        ("<Comparison parameterRef='MODE' value='SAFE'/>", [0, 9], false),
        ("<Comparison parameterRef='MODE' value='2'/>", [0, 2], true),
        (
            "<Comparison parameterRef='MODE' value='1' useCalibratedValue='false' comparisonOperator='>'/>",
            [0, 9],
            true,
        ),
        (
            "<ComparisonList><Comparison parameterRef='A' value='0'/><Comparison parameterRef='/S/MODE' value='FINE'/>\
             </ComparisonList>",
            [0, 1],
            false,
        ),
    ];
    for (criterion, [a, mode], matches) in cases {
        let found = decoded(&family(false, &[criterion]), &[a, mode, 5]);
        assert_eq!(found.starts_with("/S/0 "), matches, "{criterion} gave {found}");
    }
}

#[test]
fn the_first_matching_child_in_document_order_wins() {
    let mode = "<Comparison parameterRef='MODE' value='SAFE'/>";
    let any = "<Comparison parameterRef='A' value='0' comparisonOperator='>='/>";
    let dictionary = family(true, &[mode, any, any]);
    assert_eq!(decoded(&dictionary, &[2, 1, 7]), "/S/0 A=1.0 MODE=SAFE MORE=7");
    assert_eq!(decoded(&dictionary, &[2, 2, 7]), "/S/1 A=1.0 MODE=FINE MORE=7");
}

#[test]
fn a_packet_that_ends_in_an_abstract_container_is_unresolved_and_keeps_its_values() {
    let mode = "<Comparison parameterRef='MODE' value='SAFE'/>";
    assert_eq!(decoded(&family(true, &[mode]), &[2, 9]), "/S/ROOT unresolved A=1.0 MODE=?");
    assert_eq!(decoded(&family(false, &[mode]), &[2, 9]), "/S/ROOT A=1.0 MODE=?");
}

#[test]
fn a_packet_that_is_too_short_keeps_what_was_decoded() {
    let dictionary = family(true, &["<Comparison parameterRef='MODE' value='SAFE'/>"]);
    let cases: [(&[u8], &str); 4] = [
        (&[], "/S/ROOT (packet is too short for /S/A: it needs 8 bits, there are 0)"),
        (&[2], "/S/ROOT A=1.0 (packet is too short for /S/MODE: it needs 16 bits, there are 8)"),
        (&[2, 1], "/S/0 A=1.0 MODE=SAFE (packet is too short for /S/MORE: it needs 24 bits, there are 16)"),
        (&[2, 1, 3, 4], "/S/0 A=1.0 MODE=SAFE MORE=3"),
    ];
    for (packet, expected) in cases {
        assert_eq!(decoded(&dictionary, packet), expected);
    }
}

#[test]
fn a_decoded_packet_forgets_the_one_before_and_keeps_its_memory() {
    let dictionary = family(true, &["<Comparison parameterRef='MODE' value='SAFE'/>"]);
    let mut into = DecodedPacket::default();
    dictionary.decode(&[2, 1, 3], &mut into).expect("three bytes are enough");
    assert_eq!((into.values.len(), into.bits), (3, 24));
    let capacity = into.values.capacity();
    let buffer = vec![2, 9];
    let mut into = into.recycled();
    dictionary.decode(&buffer, &mut into).expect("two bytes are enough");
    assert_eq!((into.values.len(), into.bits, into.unresolved), (2, 16, true));
    assert_eq!(into.values.capacity(), capacity);
    let mode = dictionary.find("/S/MODE").expect("it is defined");
    assert_eq!(into.latest(mode).map(|value| &value.raw), Some(&RawValue::Unsigned(9)));
}
