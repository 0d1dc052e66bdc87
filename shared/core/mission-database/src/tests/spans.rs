//! Where values stand in a packet.

use super::{U8, container, derived, document, entry, entry_with, load};
use crate::{DecodedPacket, Dictionary};

/// Each value as `NAME@start+bits`.
fn spans(dictionary: &Dictionary, packet: &[u8]) -> String {
    let mut into = DecodedPacket::default();
    // What was decoded before an error is what has places.
    let _ = dictionary.decode(packet, &mut into);
    let spans = dictionary.bit_spans(packet);
    assert_eq!(spans.len(), into.values.len(), "one place for each value");
    let values = into.values.iter().zip(spans).map(|(value, span)| {
        format!("{}@{}+{}", dictionary.parameter(value.parameter).short_name, span.start, span.bits)
    });
    values.collect::<Vec<_>>().join(" ")
}

fn check(dictionary: &Dictionary, packet: &[u8], expected: &str) {
    assert_eq!(spans(dictionary, packet), expected, "{packet:02x?}");
}

#[test]
fn each_value_has_the_place_it_was_read_from_in_its_container_and_those_derived_from_it() {
    let three =
        "<IntegerParameterType name='U3'><IntegerDataEncoding sizeInBits='3'/></IntegerParameterType>";
    let at_13 = "<LocationInContainerInBits referenceLocation='containerStart'><FixedValue>13</FixedValue>\
        </LocationInContainerInBits>";
    let base = container("Base", &[entry("KIND"), entry("A")].concat());
    let criteria = "<Comparison parameterRef='KIND' value='7'/>";
    let child = derived("Child", "Base", criteria, &[entry_with("B", at_13), entry("C")].concat());
    let parameters = [("KIND", "U8"), ("A", "U3"), ("B", "U3"), ("C", "U8")];
    let dictionary = load(&document(&[U8, three].concat(), &parameters, &[base, child].concat()));
    check(&dictionary, &[7, 0xFF, 0xFF], "KIND@0+8 A@8+3 B@13+3 C@16+8");
    check(&dictionary, &[6, 0xFF, 0xFF], "KIND@0+8 A@8+3");
}

#[test]
fn values_behind_one_of_no_fixed_size_have_the_place_that_this_packet_gives_them() {
    let sized = "<BinaryParameterType name='Sized'><BinaryDataEncoding><SizeInBits><DynamicValue>\
        <ParameterInstanceRef parameterRef='LENGTH'/><LinearAdjustment slope='8'/></DynamicValue></SizeInBits>\
        </BinaryDataEncoding></BinaryParameterType>";
    let entries = [entry("LENGTH"), entry("DATA"), entry("AFTER")].concat();
    let parameters = [("LENGTH", "U8"), ("DATA", "Sized"), ("AFTER", "U8")];
    let dictionary = load(&document(&[U8, sized].concat(), &parameters, &container("C", &entries)));
    check(&dictionary, &[2, 1, 2, 3], "LENGTH@0+8 DATA@8+16 AFTER@24+8");
    check(&dictionary, &[0, 3], "LENGTH@0+8 DATA@8+0 AFTER@8+8");
}

#[test]
fn a_packet_that_ends_early_has_places_for_what_it_held() {
    let entries = [entry("A"), entry("B"), entry("C")].concat();
    let parameters = [("A", "U8"), ("B", "U8"), ("C", "U8")];
    let dictionary = load(&document(U8, &parameters, &container("C", &entries)));
    check(&dictionary, &[1, 2], "A@0+8 B@8+8");
    check(&dictionary, &[], "");
}
