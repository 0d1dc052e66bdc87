//! What holds for any bytes and any text.

use proptest::prelude::*;

use super::generator::{self, Expected};
use super::{document, load, one_field};
use crate::{DecodedPacket, DecodedValue, Dictionary, EngineeringValue};

/// A document with something of everything.
fn everything() -> String {
    let types = "<IntegerParameterType name='U3'><IntegerDataEncoding sizeInBits='3'/></IntegerParameterType>\n\
        <FloatParameterType name='F'><UnitSet><Unit>V</Unit></UnitSet><FloatDataEncoding sizeInBits='16'><DefaultCalibrator>\
        <PolynomialCalibrator><Term coefficient='0.5' exponent='2'/></PolynomialCalibrator></DefaultCalibrator>\
        </FloatDataEncoding></FloatParameterType>\n\
        <EnumeratedParameterType name='E'><IntegerDataEncoding sizeInBits='5'/><EnumerationList><Enumeration value='1' \
        maxValue='7' label='ON'/></EnumerationList></EnumeratedParameterType>\n\
        <StringParameterType name='S'><StringDataEncoding encoding='UTF-16LE'><SizeInBits><Fixed><FixedValue>32\
        </FixedValue></Fixed><TerminationChar>0000</TerminationChar></SizeInBits></StringDataEncoding></StringParameterType>\n\
        <BinaryParameterType name='B'><BinaryDataEncoding><SizeInBits><DynamicValue><ParameterInstanceRef \
        parameterRef='N'/><LinearAdjustment slope='4' intercept='-4'/></DynamicValue></SizeInBits></BinaryDataEncoding>\
        </BinaryParameterType>";
    let containers = "<SequenceContainer name='PART'><EntryList><ParameterRefEntry parameterRef='TEXT'/></EntryList>\
        </SequenceContainer>\n<SequenceContainer name='LEAF'><EntryList><ContainerRefEntry containerRef='PART'/>\
        <ParameterRefEntry parameterRef='VOLTS'><LocationInContainerInBits referenceLocation='previousEntry'><FixedValue>\
        -9</FixedValue></LocationInContainerInBits></ParameterRefEntry></EntryList><BaseContainer containerRef='ROOT'>\
        <RestrictionCriteria><ComparisonList><Comparison parameterRef='MODE' value='ON'/><Comparison parameterRef='N' \
        comparisonOperator='&lt;' value='6'/></ComparisonList></RestrictionCriteria></BaseContainer></SequenceContainer>";
    let root = "<SequenceContainer name='ROOT' abstract='true'><EntryList><ParameterRefEntry parameterRef='N'/>\
        <ParameterRefEntry parameterRef='MODE'/><ParameterRefEntry parameterRef='BLOB'/></EntryList></SequenceContainer>\n";
    let parameters = [("N", "U3"), ("MODE", "E"), ("BLOB", "B"), ("TEXT", "S"), ("VOLTS", "F")];
    document(types, &parameters, &(root.to_owned() + containers))
}

/// Whether two floats are the same but for what rounding in another order changes.
fn is_close(found: f64, expected: f64) -> bool {
    found.is_nan() && expected.is_nan()
        || found == expected
        || (found - expected).abs() <= expected.abs().max(1.0) * 1e-9
}

fn is_expected(dictionary: &Dictionary, found: &DecodedValue<'_>, expected: &Expected) -> bool {
    let is_raw = found.raw == expected.raw
        || found
            .raw
            .as_f64()
            .zip(expected.raw.as_f64())
            .is_some_and(|(found, expected)| found.is_nan() && expected.is_nan());
    let is_engineering = match (&found.engineering, &expected.engineering) {
        (EngineeringValue::Float(found), EngineeringValue::Float(expected)) => is_close(*found, *expected),
        (found, expected) => found == expected,
    };
    is_raw && is_engineering && dictionary.parameter(found.parameter).name == expected.parameter
}

/// What random dictionaries must have now and then, or the properties below say little.
const FEATURES: [&str; 35] = [
    "BCD",
    "onesComplement",
    "signMagnitude",
    "twosComplement",
    "MILSTD_1750A",
    "sizeInBits='16' encoding='IEEE",
    "leastSignificantByteFirst",
    "byteOrder='0,",
    "BooleanParameterType",
    "EnumeratedParameterType",
    "FloatParameterType",
    "PolynomialCalibrator",
    "SplineCalibrator",
    "MathOperationCalibrator",
    "UTF-16LE",
    "UTF-16BE",
    "ISO-8859-1",
    "US-ASCII",
    "LeadingSize",
    "<Variable maxSizeInBits='8000'><TerminationChar>",
    "<Fixed>",
    "<Variable maxSizeInBits='8000'><DynamicValue>",
    "<BinaryDataEncoding><SizeInBits><DynamicValue>",
    "AbsoluteTimeParameterType",
    "AggregateParameterType",
    "ArrayParameterType",
    "</Dimension><Dimension>",
    "RepeatEntry",
    "<Count><DynamicValue>",
    "IncludeCondition",
    "ContainerRefEntry",
    "containerStart",
    "previousEntry",
    "abstract='true'",
    "RestrictionCriteria",
];

#[test]
fn random_dictionaries_have_every_feature() {
    let mut state = 1_u64;
    let mut byte = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    let cases: Vec<_> =
        (0..200).map(|_| generator::case(&(0..600).map(|_| byte()).collect::<Vec<_>>())).collect();
    for feature in FEATURES {
        let having = cases.iter().filter(|case| case.xml.contains(feature)).count();
        assert!(having >= 5, "{having} of 200 have {feature}");
    }
    let values: usize = cases.iter().map(|case| case.values.len()).sum();
    assert!(values > 200 * 5, "{values} values");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn what_is_encoded_by_a_random_dictionary_decodes_to_the_same_values(
        choices in prop::collection::vec(any::<u8>(), 0..600),
    ) {
        let case = generator::case(&choices);
        let dictionary = load(&case.xml);
        let mut into = DecodedPacket::default();
        let outcome = dictionary.decode(&case.packet, &mut into);
        prop_assert_eq!(outcome, Ok(()), "{}", case.xml);
        let container = into.container.map(|index| dictionary.container(index).name.as_str());
        prop_assert_eq!(container, Some(case.container.as_str()));
        for (found, expected) in into.values.iter().zip(&case.values) {
            prop_assert!(is_expected(&dictionary, found, expected), "{found:?}\n{expected:?}\n{}", case.xml);
        }
        prop_assert_eq!(into.values.len(), case.values.len(), "{}", case.xml);
    }

    #[test]
    fn any_bytes_with_any_dictionary_end_in_values_or_an_error(
        choices in prop::collection::vec(any::<u8>(), 0..600),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8),
        length in any::<prop::sample::Index>(),
    ) {
        let case = generator::case(&choices);
        let dictionary = load(&case.xml);
        let mut packet = case.packet;
        if !packet.is_empty() {
            changes.iter().for_each(|(place, byte)| *place.get_mut(&mut packet) = *byte);
            packet.truncate(length.index(packet.len() + 1));
        }
        let mut into = DecodedPacket::default();
        let outcome = dictionary.decode(&packet, &mut into);
        prop_assert!(into.bits <= packet.len() * 8 || outcome.is_err());
        for (place, value) in into.values.iter().enumerate() {
            prop_assert_eq!(dictionary.monitoring_within(&into.values, place, 0.0), value.monitoring);
        }
        for composite in &into.composites {
            prop_assert!(composite.first_value as usize <= into.values.len());
            prop_assert!(composite.first_length as usize <= into.lengths.len());
        }
    }
}

proptest! {
    #[test]
    fn any_bytes_decode_without_panic(packet in prop::collection::vec(any::<u8>(), 0..24)) {
        let dictionary = load(&everything());
        let mut into = DecodedPacket::default();
        let outcome = dictionary.decode(&packet, &mut into);
        prop_assert!(into.bits <= packet.len() * 8);
        prop_assert!(outcome.is_err() || into.values.len() >= 3);
    }

    #[test]
    fn an_integer_put_at_any_bit_comes_out_again(
        offset in 0_usize..80,
        bits in 1_u32..=64,
        value: u64,
        filler: u8,
        spare_bytes in 0_usize..10,
    ) {
        let value = value >> (64 - bits);
        let mut packet = vec![filler; (offset + bits as usize).div_ceil(8) + spare_bytes];
        for place in 0..bits as usize {
            let bit = (value >> (bits as usize - 1 - place) & 1) as u8;
            let at = offset + place;
            packet[at / 8] = packet[at / 8] & !(0x80 >> (at % 8)) | bit << (7 - at % 8);
        }
        let encoding = format!("<IntegerDataEncoding sizeInBits='{bits}'/>");
        let dictionary = one_field(offset, &format!("<IntegerParameterType name='T'>{encoding}</IntegerParameterType>"));
        let mut into = DecodedPacket::default();
        dictionary.decode(&packet, &mut into).expect("the packet is long enough");
        prop_assert_eq!(&into.values[0].engineering, &EngineeringValue::Unsigned(value));
    }

    #[test]
    fn changed_text_loads_or_is_refused_without_panic(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), 0_usize..6), 1..4),
        packet in prop::collection::vec(any::<u8>(), 0..24),
    ) {
        let mut text: Vec<char> = everything().chars().collect();
        for (from, to, kind) in changes {
            let (from, to) = (from.index(text.len()), to.index(text.len()));
            match kind {
                0 => drop(text.remove(from)),
                1 => text[from] = text[to],
                2 => text.swap(from, to),
                3 => drop(text.drain(from.min(to)..from.max(to).min(from.min(to) + 40))),
                4 => text.insert(from, '9'),
                _ => {
                    let part: Vec<char> = text[to..(to + 60).min(text.len())].to_vec();
                    text.splice(from..from, part);
                }
            }
        }
        let text: String = text.into_iter().collect();
        match Dictionary::from_xtce("changed.xml", &text) {
            Ok(dictionary) => drop(dictionary.decode(&packet, &mut DecodedPacket::default())),
            Err(error) => prop_assert!(error.line >= 1 && error.column >= 1),
        }
    }
}
