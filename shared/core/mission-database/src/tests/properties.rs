//! What holds for any bytes and any text.

use proptest::prelude::*;

use super::{document, load, one_field};
use crate::{DecodedPacket, Dictionary, EngineeringValue};

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
