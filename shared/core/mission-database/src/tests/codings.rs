//! Rare encodings of numbers, byte orders, and types that are based on others.

use super::{decoded, document, load, one_field, refusal, shown};
use crate::{DecodedPacket, EngineeringValue, RawValue, Validity};

fn check(offset: usize, its_type: &str, packet: &[u8], expected: &str) {
    let found = decoded(&one_field(offset, its_type), packet);
    assert_eq!(found, format!("/S/C P={expected}"), "{its_type} at {offset} of {packet:02x?}");
}

fn integer(bits: u32, more: &str) -> String {
    format!(
        "<IntegerParameterType name='T'><IntegerDataEncoding sizeInBits='{bits}' {more}/></IntegerParameterType>"
    )
}

#[test]
fn binary_coded_decimals_are_read_digit_by_digit() {
    let cases: [(usize, u32, &str, &[u8], &str); 6] = [
        (0, 16, "BCD", &[0x12, 0x34], "1234"),
        (0, 8, "packedBCD", &[0x09], "9"),
        (4, 12, "BCD", &[0xF9, 0x87], "987"),
        (0, 64, "BCD", &[0x99; 8], "9999999999999999"),
        (0, 6, "BCD", &[0x94], "25"),
        (0, 16, "BCD' byteOrder='leastSignificantByteFirst", &[0x34, 0x12], "1234"),
    ];
    for (offset, bits, coding, packet, expected) in cases {
        check(offset, &integer(bits, &format!("encoding='{coding}'")), packet, expected);
    }
}

#[test]
fn decimal_digits_that_are_none_are_kept_and_are_no_number() {
    let encoding = "<IntegerDataEncoding sizeInBits='12' encoding='BCD'/>";
    let calibrated = "<IntegerDataEncoding sizeInBits='12' encoding='BCD'><DefaultCalibrator><PolynomialCalibrator>\
                      <Term coefficient='2' exponent='1'/></PolynomialCalibrator></DefaultCalibrator></IntegerDataEncoding>";
    let types = [
        format!("<IntegerParameterType name='T'>{encoding}</IntegerParameterType>"),
        format!("<FloatParameterType name='T'>{encoding}</FloatParameterType>"),
        format!("<FloatParameterType name='T'>{calibrated}</FloatParameterType>"),
        format!("<BooleanParameterType name='T'>{encoding}</BooleanParameterType>"),
    ];
    for its_type in types {
        let dictionary = one_field(4, &its_type);
        let mut packet = DecodedPacket::default();
        dictionary.decode(&[0x01, 0xA3], &mut packet).expect("two bytes are enough");
        let value = &packet.values[0];
        assert_eq!(value.raw, RawValue::Binary(vec![0x1A, 0x30].into()), "{its_type}");
        let found = (&value.engineering, value.validity);
        assert_eq!(found, (&EngineeringValue::None, Validity::NotANumber), "{its_type}");
    }
}

#[test]
fn floats_of_mil_std_1750a_have_their_exponent_in_the_middle() {
    let float = |bits| {
        format!(
            "<FloatParameterType name='T'><FloatDataEncoding sizeInBits='{bits}' encoding='MILSTD_1750A'/>\
             </FloatParameterType>"
        )
    };
    let short: [(u32, f64); 9] = [
        (0x0000_0000, 0.0),
        (0x4000_0000, 0.5),
        (0x5000_0003, 5.0),
        (0x8000_0000, -1.0),
        (0xA000_0003, -6.0),
        (0x4000_0001, 1.0),
        (0x4000_0080, 0.5 * 2_f64.powi(-128)),
        (0x7FFF_FF7F, (1.0 - 2_f64.powi(-23)) * 2_f64.powi(127)),
        (0x8000_007F, -(2_f64.powi(127))),
    ];
    for (bits, expected) in short {
        check(0, &float(32), &bits.to_be_bytes(), &format!("{expected:?}"));
    }
    let long: [(u64, f64); 6] = [
        (0x4000_0000_0000, 0.5),
        (0x8000_0000_0000, -1.0),
        (0xA000_00FF_0000, -0.375),
        (0x4000_007F_0000, 0.5 * 2_f64.powi(127)),
        (0x4000_0000_0001, 0.5 + 2_f64.powi(-39)),
        (0xFFFF_FF00_FFFF, -(2_f64.powi(-39))),
    ];
    for (bits, expected) in long {
        check(0, &float(48), &bits.to_be_bytes()[2..], &format!("{expected:?}"));
    }
    let wrong = refusal(&document(&float(64), &[("P", "T")], ""));
    assert_eq!(wrong, "sizeInBits=\"64\" was found; expected 32 or 48");
}

#[test]
fn byte_orders_may_be_listed_as_elements() {
    let listed = |significances: &[&str]| {
        let bytes: String =
            significances.iter().map(|place| format!("<Byte byteSignificance='{place}'/>")).collect();
        format!(
            "<IntegerParameterType name='T'><IntegerDataEncoding sizeInBits='{}'><ByteOrderList>{bytes}</ByteOrderList>\
             </IntegerDataEncoding></IntegerParameterType>",
            significances.len() * 8
        )
    };
    let cases: [(&[&str], &[u8]); 4] = [
        (&["3", "2", "1", "0"], &[1, 2, 3, 4]),
        (&["0", "1", "2", "3"], &[4, 3, 2, 1]),
        (&["1", "0", "3", "2"], &[3, 4, 1, 2]),
        (&["2", "3", "0", "1"], &[2, 1, 4, 3]),
    ];
    for (significances, packet) in cases {
        check(0, &listed(significances), packet, "16909060");
    }
    check(0, &listed(&["0", "2", "1"]), &[3, 1, 2], "66051");
    for wrong in [&["0", "0"], &["0", "2"], &["0", "x"]] {
        let found = refusal(&document(&listed(wrong), &[("P", "T")], ""));
        assert!(found.contains("was found; expected"), "{wrong:?} is refused by: {found}");
    }
}

#[test]
fn a_type_has_what_the_type_has_that_it_is_based_on() {
    let types = "<IntegerParameterType name='Grand'><UnitSet><Unit>V</Unit></UnitSet>\
                 <IntegerDataEncoding sizeInBits='4'/><DefaultAlarm><StaticAlarmRanges><WarningRange maxInclusive='9'/>\
                 </StaticAlarmRanges></DefaultAlarm></IntegerParameterType>\
                 <IntegerParameterType name='Base' baseType='Grand'><UnitSet><Unit>mV</Unit></UnitSet></IntegerParameterType>\
                 <IntegerParameterType name='T' baseType='/S/Base'/>\
                 <IntegerParameterType name='Wide' baseType='Base'><IntegerDataEncoding sizeInBits='12'/></IntegerParameterType>\
                 <EnumeratedParameterType name='Words'><IntegerDataEncoding sizeInBits='8'/><EnumerationList>\
                 <Enumeration value='1' label='ONE'/></EnumerationList></EnumeratedParameterType>\
                 <EnumeratedParameterType name='More' baseType='Words'/>\
                 <BooleanParameterType name='Flag' oneStringValue='UP'><IntegerDataEncoding sizeInBits='8'/></BooleanParameterType>\
                 <BooleanParameterType name='Turned' baseType='Flag' zeroStringValue='DOWN'/>";
    let parameters = [("P", "T"), ("Q", "Wide"), ("R", "More"), ("S", "Turned")];
    let entries: String = parameters.iter().map(|(name, _)| super::entry(name)).collect();
    let dictionary = load(&document(types, &parameters, &super::container("C", &entries)));
    let bytes = [0xA1, 0x23, 1, 0];
    assert_eq!(decoded(&dictionary, &bytes), "/S/C P=10 Q=291 R=ONE S=DOWN");
    let mut packet = DecodedPacket::default();
    dictionary.decode(&bytes, &mut packet).expect("four bytes are enough");
    let monitored: Vec<_> = packet.values.iter().map(|value| value.monitoring.is_violation()).collect();
    assert_eq!(monitored, [true, true, false, false]);
    let units: Vec<_> = dictionary.parameters().iter().map(|parameter| parameter.unit.as_deref()).collect();
    assert_eq!(units, [Some("mV"), Some("mV"), None, None]);
    assert_eq!(shown(&dictionary, &packet.values[3]), "DOWN");
}

#[test]
fn types_that_are_based_on_each_other_are_refused_by_name() {
    let based = |name: &str, base: &str| format!("<IntegerParameterType name='{name}' baseType='{base}'/>");
    let cases = [
        (based("A", "A"), "types are based on each other: /S/A -> /S/A; expected a base that ends"),
        (
            based("A", "B") + &based("B", "C") + &based("C", "B"),
            "types are based on each other: /S/B -> /S/C -> /S/B; expected a base that ends",
        ),
        (
            based("A", "Z"),
            "parameter type \"Z\" is not defined; expected one of /S or above, or an absolute path",
        ),
    ];
    for (types, expected) in cases {
        assert_eq!(refusal(&document(&types, &[], "")), expected);
    }
}
