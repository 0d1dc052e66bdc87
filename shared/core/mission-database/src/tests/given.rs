//! Values that come without a packet.

use space_packet::UtcTime;

use super::{document, load, one_field};
use crate::{
    DecodedPacket, Dictionary, EngineeringValue, GivenValue, MonitoringResult, ParameterIndex, Validity,
};
use GivenValue::{Binary, Boolean, Float, Signed, Text, Unsigned};
use proptest::prelude::*;

const P: ParameterIndex = ParameterIndex(0);

fn integer(attributes: &str, inside: &str) -> String {
    format!(
        "<IntegerParameterType name='T'><IntegerDataEncoding {attributes}>{inside}</IntegerDataEncoding></IntegerParameterType>"
    )
}

const POLYNOMIAL: &str = "<DefaultCalibrator><PolynomialCalibrator><Term coefficient='1' exponent='0'/>\
     <Term coefficient='0.5' exponent='1'/></PolynomialCalibrator></DefaultCalibrator>";
const SWITCH: &str = "<EnumeratedParameterType name='T'><IntegerDataEncoding sizeInBits='8'/><EnumerationList>\
     <Enumeration value='3' label='ON'/><Enumeration value='0' maxValue='9' label='OFF'/></EnumerationList>\
     </EnumeratedParameterType>";
const FLAG: &str = "<BooleanParameterType name='T' oneStringValue='OPEN' zeroStringValue='SHUT'><IntegerDataEncoding sizeInBits='1'/></BooleanParameterType>";
const TEXT: &str = "<StringParameterType name='T'><StringDataEncoding><SizeInBits><Fixed><FixedValue>32</FixedValue></Fixed></SizeInBits></StringDataEncoding></StringParameterType>";
const BYTES: &str = "<BinaryParameterType name='T'><BinaryDataEncoding><SizeInBits><FixedValue>32</FixedValue></SizeInBits></BinaryDataEncoding></BinaryParameterType>";
const NUMBER: &str = "<FloatParameterType name='T'><FloatDataEncoding sizeInBits='64'/></FloatParameterType>";
const FROM_INTEGER: &str =
    "<FloatParameterType name='T'><IntegerDataEncoding sizeInBits='8'/></FloatParameterType>";

fn time(encoding: &str, epoch: &str) -> String {
    format!(
        "<AbsoluteTimeParameterType name='T'><Encoding {encoding}><IntegerDataEncoding sizeInBits='32'/></Encoding>\
         <ReferenceTime><Epoch>{epoch}</Epoch></ReferenceTime></AbsoluteTimeParameterType>"
    )
}

/// Both readings of a value, or why it does not fit.
fn shown(result: Result<crate::DecodedValue<'_>, crate::UnfitValue>) -> String {
    match result {
        Ok(value) => format!("{:?} {:?} {:?}", value.raw, value.engineering, value.validity),
        Err(error) => error.to_string(),
    }
}

fn check_raw(its_type: &str, given: GivenValue<'_>, expected: &str) {
    assert_eq!(shown(one_field(0, its_type).read_raw(P, given)), expected, "{its_type} {given:?}");
}

fn check_engineering(its_type: &str, given: GivenValue<'_>, expected: &str) {
    assert_eq!(shown(one_field(0, its_type).read_engineering(P, given)), expected, "{its_type} {given:?}");
}

#[test]
fn a_raw_value_is_converted_as_in_a_packet() {
    check_raw(&integer("sizeInBits='8'", POLYNOMIAL), Unsigned(7), "Unsigned(7) Float(4.5) Valid");
    check_raw(SWITCH, Signed(3), "Unsigned(3) Label(0) Valid");
    check_raw(SWITCH, Unsigned(10), "Unsigned(10) None UnknownLabel");
    check_raw(FLAG, Unsigned(1), "Unsigned(1) Boolean(true) Valid");
    check_raw(TEXT, Text("boot"), "Text(\"boot\") Text(\"boot\") Valid");
    check_raw(BYTES, Binary(&[1, 2]), "Binary([1, 2]) Binary([1, 2]) Valid");
    check_raw(NUMBER, Unsigned(5), "Float(5.0) Float(5.0) Valid");
    check_raw(NUMBER, Float(f64::NAN), "Float(NaN) Float(NaN) NotANumber");
    check_raw(&integer("sizeInBits='8'", ""), Float(5.0), "Unsigned(5) Unsigned(5) Valid");
}

#[test]
fn a_raw_value_that_no_packet_could_carry_is_refused_with_the_reason() {
    let unsigned = integer("sizeInBits='8'", "");
    check_raw(&unsigned, Unsigned(256), "/S/P has 8 bits, for 0 to 255; 256 was sent");
    check_raw(&unsigned, Signed(-1), "/S/P has 8 bits, for 0 to 255; -1 was sent");
    check_raw(&unsigned, Float(1.5), "/S/P takes a whole number; a number with a fraction was sent");
    check_raw(
        &unsigned,
        Float(f64::INFINITY),
        "/S/P takes a whole number; a number that is not finite was sent",
    );
    check_raw(&unsigned, Text("5"), "/S/P takes a whole number; text was sent");
    check_raw(NUMBER, Boolean(true), "/S/P takes a number; a boolean was sent");
    check_raw(TEXT, Unsigned(1), "/S/P takes text; a whole number was sent");
    check_raw(BYTES, Text("ff"), "/S/P takes bytes; text was sent");
    let signed = |encoding: &str| integer(&format!("sizeInBits='8' encoding='{encoding}'"), "");
    check_raw(&signed("twosComplement"), Signed(-128), "Signed(-128) Signed(-128) Valid");
    check_raw(&signed("signMagnitude"), Signed(-128), "/S/P has 8 bits, for -127 to 127; -128 was sent");
    check_raw(&signed("BCD"), Unsigned(100), "/S/P has 8 bits, for 0 to 99; 100 was sent");
}

#[test]
fn an_engineering_value_counts_where_its_raw_value_follows_from_it() {
    check_engineering(&integer("sizeInBits='16'", ""), Unsigned(500), "Unsigned(500) Unsigned(500) Valid");
    check_engineering(FROM_INTEGER, Float(12.0), "Unsigned(12) Float(12.0) Valid");
    check_engineering(SWITCH, Text("ON"), "Unsigned(3) Label(0) Valid");
    check_engineering(SWITCH, Text("OFF"), "Unsigned(0) Label(1) Valid");
    check_engineering(FLAG, Boolean(true), "Unsigned(1) Boolean(true) Valid");
    check_engineering(FLAG, Text("SHUT"), "Unsigned(0) Boolean(false) Valid");
    check_engineering(TEXT, Text("boot"), "Text(\"boot\") Text(\"boot\") Valid");
    check_engineering(BYTES, Binary(&[1]), "Binary([1]) Binary([1]) Valid");
    check_engineering(NUMBER, Float(0.25), "Float(0.25) Float(0.25) Valid");
}

#[test]
fn an_engineering_value_whose_raw_value_cannot_be_told_is_refused_with_the_reason() {
    let calibrated = integer("sizeInBits='8'", POLYNOMIAL);
    check_engineering(&calibrated, Float(4.5), "/S/P is calibrated: send raw");
    check_engineering(SWITCH, Text("ONN"), "/S/P has no label \"ONN\"; labels are ON, OFF");
    check_engineering(SWITCH, Unsigned(3), "/S/P takes a label: one of ON, OFF; a whole number was sent");
    check_engineering(FLAG, Text("AJAR"), "/S/P takes true, false, \"OPEN\" or \"SHUT\"; text was sent");
    check_engineering(
        FROM_INTEGER,
        Float(0.5),
        "/S/P takes a whole number; a number with a fraction was sent",
    );
    let hours_ago =
        "/S/P: \"5 h ago\" is not a time; expected RFC 3339 in UTC, like 2026-11-22T17:31:02.125Z";
    check_engineering(&time("", "TAI"), Text("5 h ago"), hours_ago);
    check_engineering(
        &time("", "TAI"),
        Unsigned(5),
        "/S/P takes a time as RFC 3339 in UTC; a whole number was sent",
    );
}

#[test]
fn a_time_keeps_what_was_sent_and_gets_the_nearest_raw_value() {
    let check = |its_type: &str, text: &str, raw: &str| {
        let tai = UtcTime::parse(text).expect("a time").to_tai();
        check_engineering(its_type, Text(text), &format!("Unsigned({raw}) Time({tai:?}) Valid"));
    };
    check(&time("", "UNIX"), "2026-11-22T17:31:02Z", "1795368662");
    check(&time("", "UNIX"), "2026-11-22T17:31:02.6Z", "1795368663");
    check(&time("scale='0.001'", "2026-11-22"), "2026-11-22T17:31:02.125Z", "63062125");
    check(&time("", "GPS"), "1980-01-06T00:00:10Z", "10");
    check_engineering(
        &time("", "UNIX"),
        Text("2262-01-01T00:00:00Z"),
        "/S/P has 32 bits, for 0 to 4294967295; 9214646400 was sent",
    );
}

#[test]
fn a_parameter_without_an_encoding_takes_nothing() {
    let types = format!("{}<IntegerParameterType name='T'/>", super::U8);
    let containers = super::container("C", &super::entry("MODE"));
    let dictionary = load(&document(&types, &[("P", "T"), ("MODE", "U8")], &containers));
    let expected = "/S/P has no encoding in the dictionary, so that it can have no value";
    assert_eq!(shown(dictionary.read_raw(P, Unsigned(1))), expected);
    assert_eq!(shown(dictionary.read_engineering(P, Unsigned(1))), expected);
}

/// A voltage in warning above 10 while the mode is 1, and above 20 otherwise.
fn watched() -> Dictionary {
    let alarm =
        |high: u32| format!("<StaticAlarmRanges><WarningRange maxInclusive='{high}'/></StaticAlarmRanges>");
    let types = format!(
        "{}<IntegerParameterType name='T'><IntegerDataEncoding sizeInBits='8'/>\
         <ValidRange maxInclusive='200'/><DefaultAlarm>{}</DefaultAlarm><ContextAlarmList><ContextAlarm>{}<ContextMatch>\
         <Comparison parameterRef='MODE' value='1'/></ContextMatch></ContextAlarm></ContextAlarmList></IntegerParameterType>",
        super::U8,
        alarm(20),
        alarm(10)
    );
    let container = super::container("C", &(super::entry("MODE") + &super::entry("P")));
    load(&document(&types, &[("P", "T"), ("MODE", "U8")], &container))
}

#[test]
fn limits_are_judged_as_in_a_packet_that_holds_nothing_else() {
    let dictionary = watched();
    let check = |number, monitoring, validity| {
        let value = dictionary.read_raw(P, Unsigned(number)).expect("fits");
        assert_eq!((value.monitoring, value.validity), (monitoring, validity), "{number}");
    };
    check(15, MonitoringResult::Normal, Validity::Valid);
    check(21, MonitoringResult::Warning, Validity::Valid);
    check(201, MonitoringResult::NotMonitored, Validity::OutsideValidRange);
}

proptest! {
    #[test]
    fn a_raw_number_is_read_alone_as_it_is_read_in_a_packet(byte in any::<u8>(), mode in 2_u8..) {
        let dictionary = watched();
        let mut packet = DecodedPacket::default();
        let bytes = [mode, byte];
        dictionary.decode(&bytes, &mut packet).expect("two bytes");
        let alone = dictionary.read_raw(P, Unsigned(u64::from(byte))).expect("fits");
        prop_assert_eq!(Some(&alone), packet.latest(P));
    }

    #[test]
    fn whatever_is_sent_nothing_panics(number in any::<f64>(), signed in any::<i64>(), text in ".{0,30}") {
        let types = [SWITCH, FLAG, TEXT, BYTES, NUMBER, FROM_INTEGER].map(str::to_owned);
        for its_type in types.into_iter().chain([time("scale='1e-12'", "J2000"), integer("sizeInBits='64'", "")]) {
            let dictionary = one_field(0, &its_type);
            for given in [Float(number), Signed(signed), Text(&text), Boolean(true), Binary(text.as_bytes())] {
                let _ = dictionary.read_raw(P, given);
                if let Ok(value) = dictionary.read_engineering(P, given) {
                    prop_assert!(value.engineering != EngineeringValue::None || value.validity != Validity::Valid);
                }
            }
        }
    }
}
