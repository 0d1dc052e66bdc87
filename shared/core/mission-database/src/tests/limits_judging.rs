//! What the document says about good and bad values.

use super::{U8, container, document, entry, load, one_field, refusal};
use crate::{AlarmRule, DecodedPacket, DecodedValue, Dictionary, MonitoringResult, ParameterIndex, Validity};

/// `NAME=monitoring` of each value that is judged, with its validity where that is not valid.
fn judged(dictionary: &Dictionary, packet: &[u8]) -> String {
    let mut into = DecodedPacket::default();
    dictionary.decode(packet, &mut into).expect("the packet is long enough");
    let part = |value: &DecodedValue<'_>| {
        let name = &dictionary.parameter(value.parameter).short_name;
        match (value.validity, value.monitoring) {
            (Validity::Valid, MonitoringResult::NotMonitored) => None,
            (Validity::Valid, monitoring) => Some(format!("{name}={monitoring:?}")),
            (invalid, monitoring) => Some(format!("{name}={monitoring:?} {invalid:?}")),
        }
    };
    into.values.iter().filter_map(part).collect::<Vec<_>>().join(" ")
}

fn float(more: &str) -> String {
    format!("<FloatParameterType name='T'><FloatDataEncoding sizeInBits='32'/>{more}</FloatParameterType>")
}

fn check(its_type: &str, cases: &[(f32, &str)]) {
    let dictionary = one_field(0, its_type);
    for (value, expected) in cases {
        assert_eq!(
            judged(&dictionary, &value.to_be_bytes()),
            format!("P={expected}"),
            "{value} of {its_type}"
        );
    }
}

fn alarm(form: &str, ranges: &str) -> String {
    format!("<DefaultAlarm><StaticAlarmRanges {form}>{ranges}</StaticAlarmRanges></DefaultAlarm>")
}

const FIVE: &str = "<WatchRange minInclusive='-10' maxExclusive='10'/><WarningRange minInclusive='-20' maxInclusive='20'/>\
    <DistressRange minExclusive='-30' maxInclusive='30'/><CriticalRange maxInclusive='40'/><SevereRange minInclusive='-50' \
    maxInclusive='50'/>";

#[test]
fn ranges_outside_hold_the_good_values_and_the_worst_violation_counts() {
    for form in ["", "rangeForm='outside'"] {
        check(
            &float(&alarm(form, FIVE)),
            &[
                (0.0, "Normal"),
                (-10.0, "Normal"),
                (10.0, "Watch"),
                (20.0, "Watch"),
                (20.5, "Warning"),
                (-20.0, "Watch"),
                (-20.5, "Warning"),
                (30.0, "Warning"),
                (-30.0, "Distress"),
                (40.0, "Distress"),
                (40.5, "Critical"),
                (-50.0, "Distress"),
                (-50.5, "Severe"),
                (50.5, "Severe"),
                (f32::INFINITY, "Severe"),
                (f32::NEG_INFINITY, "Severe"),
                (f32::NAN, "NotMonitored NotANumber"),
            ],
        );
    }
}

#[test]
fn ranges_inside_hold_the_bad_values() {
    let ranges = "<WarningRange minInclusive='10' maxExclusive='20'/><CriticalRange minInclusive='20'/>";
    check(
        &float(&alarm("rangeForm='inside'", ranges)),
        &[
            (9.5, "Normal"),
            (10.0, "Warning"),
            (19.5, "Warning"),
            (20.0, "Critical"),
            (f32::INFINITY, "Critical"),
            (f32::NEG_INFINITY, "Normal"),
            (f32::NAN, "NotMonitored NotANumber"),
        ],
    );
}

#[test]
fn an_end_that_is_absent_does_not_limit() {
    let low = float(&alarm("", "<WarningRange minInclusive='0'/>"));
    check(
        &low,
        &[(f32::INFINITY, "Normal"), (0.0, "Normal"), (-0.5, "Warning"), (f32::NEG_INFINITY, "Warning")],
    );
    let high = float(&alarm("", "<WarningRange maxExclusive='0'/>"));
    check(
        &high,
        &[(f32::INFINITY, "Warning"), (0.0, "Warning"), (-0.5, "Normal"), (f32::NEG_INFINITY, "Normal")],
    );
}

#[test]
fn calibrated_integers_are_judged_by_their_engineering_value() {
    let its_type = "<IntegerParameterType name='T'><IntegerDataEncoding sizeInBits='8'><DefaultCalibrator>\
                    <PolynomialCalibrator><Term coefficient='0.5' exponent='1'/></PolynomialCalibrator></DefaultCalibrator>\
                    </IntegerDataEncoding><DefaultAlarm><StaticAlarmRanges><WarningRange maxInclusive='10'/>\
                    </StaticAlarmRanges></DefaultAlarm></IntegerParameterType>";
    let dictionary = one_field(0, its_type);
    assert_eq!(judged(&dictionary, &[20]), "P=Normal");
    assert_eq!(judged(&dictionary, &[21]), "P=Warning");
}

#[test]
fn labels_have_alarm_levels() {
    let its_type = |more: &str, default: &str| {
        format!(
            "<EnumeratedParameterType name='T'><IntegerDataEncoding sizeInBits='8'/><EnumerationList>\
             <Enumeration value='0' label='OFF'/><Enumeration value='1' label='ON'/><Enumeration value='2' label='OFF'/>\
             <Enumeration value='3' label='HOT'/></EnumerationList><DefaultAlarm {default}><EnumerationAlarmList>{more}\
             </EnumerationAlarmList></DefaultAlarm></EnumeratedParameterType>"
        )
    };
    let alarms = "<EnumerationAlarm enumerationLabel='HOT' alarmLevel='severe'/>\
                  <EnumerationAlarm enumerationValue='OFF' alarmLevel='watch'/>";
    let results =
        |its_type: &str| [0_u8, 1, 2, 3, 9].map(|raw| judged(&one_field(0, its_type), &[raw])).join(", ");
    assert_eq!(
        results(&its_type(alarms, "")),
        "P=Watch, P=Normal, P=Watch, P=Severe, P=NotMonitored UnknownLabel"
    );
    assert_eq!(
        results(&its_type(alarms, "defaultAlarmLevel='distress'")),
        "P=Watch, P=Distress, P=Watch, P=Severe, P=NotMonitored UnknownLabel"
    );
    // An alarm without a level has the one of all others.
    let plain = "<EnumerationAlarm enumerationLabel='ON'/>";
    assert_eq!(judged(&one_field(0, &its_type(plain, "defaultAlarmLevel='watch'")), &[1]), "P=Watch");
    let wrong = its_type("<EnumerationAlarm enumerationLabel='COLD' alarmLevel='watch'/>", "");
    let found = refusal(&document(&wrong, &[("P", "T")], ""));
    assert_eq!(found, "label \"COLD\" is not one of the type; expected one that is");
}

#[test]
fn a_context_alarm_replaces_the_default_one_as_a_whole() {
    let context = |mode: &str, ranges: &str| {
        format!(
            "<ContextAlarm><StaticAlarmRanges>{ranges}</StaticAlarmRanges><ContextMatch><Comparison parameterRef='MODE' \
             value='{mode}'/></ContextMatch></ContextAlarm>"
        )
    };
    let contexts = format!(
        "<ContextAlarmList>{}{}{}</ContextAlarmList>",
        context("1", "<WatchRange maxInclusive='100'/>"),
        context("2", "<SevereRange maxInclusive='5'/>"),
        context("2", "<WatchRange maxInclusive='5'/>"),
    );
    let default = alarm("", "<WarningRange maxInclusive='10'/><CriticalRange maxInclusive='50'/>");
    for (default, others) in [(default.as_str(), "V=Warning"), ("", "")] {
        let types = format!(
            "{U8}<IntegerParameterType name='Limited'><IntegerDataEncoding sizeInBits='8'/>{default}{contexts}\
             </IntegerParameterType>"
        );
        let entries = [entry("MODE"), entry("V")].concat();
        let dictionary =
            load(&document(&types, &[("MODE", "U8"), ("V", "Limited")], &container("C", &entries)));
        let cases = [([1, 60], "V=Normal"), ([1, 101], "V=Watch"), ([2, 6], "V=Severe"), ([3, 20], others)];
        for (packet, expected) in cases {
            assert_eq!(judged(&dictionary, &packet), expected, "{packet:?}");
        }
    }
}

#[test]
fn min_violations_become_the_persistence_of_the_alarm() {
    let ranges = "<StaticAlarmRanges><WarningRange maxInclusive='0'/></StaticAlarmRanges>";
    for (attribute, persistence) in [("", 1), ("minViolations='3'", 3), ("minViolations='0'", 1)] {
        let its_type = float(&format!("<DefaultAlarm {attribute}>{ranges}</DefaultAlarm>"));
        let expected = AlarmRule { persistence, hysteresis: 0.0, deadband: 0.0 };
        assert_eq!(one_field(0, &its_type).alarm_rule(ParameterIndex(0)), Some(expected));
        // The result itself is not delayed.
        check(&its_type, &[(1.0, "Warning")]);
    }
    assert_eq!(one_field(0, &float("")).alarm_rule(ParameterIndex(0)), None);
}

#[test]
fn a_value_outside_its_valid_range_is_kept_and_not_judged() {
    let valid = |more: &str| {
        format!(
            "<IntegerParameterType name='T'><IntegerDataEncoding sizeInBits='8'><DefaultCalibrator><PolynomialCalibrator>\
             <Term coefficient='2' exponent='1'/></PolynomialCalibrator></DefaultCalibrator></IntegerDataEncoding>\
             <ValidRange minInclusive='10' maxInclusive='40' {more}/>{}</IntegerParameterType>",
            alarm("", "<WarningRange maxInclusive='30'/>")
        )
    };
    let results = |more: &str| {
        [4_u8, 5, 15, 20, 21, 40, 41].map(|raw| judged(&one_field(0, &valid(more)), &[raw])).join(", ")
    };
    let outside = "P=NotMonitored OutsideValidRange";
    let calibrated = format!("{outside}, P=Normal, P=Normal, P=Warning, {outside}, {outside}, {outside}");
    assert_eq!(results(""), calibrated);
    assert_eq!(results("validRangeAppliesToCalibrated='true'"), calibrated);
    assert_eq!(
        results("validRangeAppliesToCalibrated='false'"),
        format!("{outside}, {outside}, P=Normal, P=Warning, P=Warning, P=Warning, {outside}")
    );
}

#[test]
fn a_violation_is_over_only_within_the_margin() {
    let dictionary = one_field(0, &float(&alarm("", "<WarningRange minInclusive='0' maxInclusive='100'/>")));
    let result = |value: f32, margin: f64| {
        let bytes = value.to_be_bytes();
        let mut packet = DecodedPacket::default();
        dictionary.decode(&bytes, &mut packet).expect("four bytes are enough");
        dictionary.monitoring_within(&packet.values, 0, margin)
    };
    let (normal, warning) = (MonitoringResult::Normal, MonitoringResult::Warning);
    let cases = [
        (100.0, 0.0, normal),
        (100.0, 5.0, warning),
        (95.5, 5.0, warning),
        (95.0, 5.0, normal),
        (5.0, 5.0, normal),
        (4.5, 5.0, warning),
        (50.0, 50.0, normal),
        (50.0, 51.0, warning),
        (f32::NAN, 0.0, MonitoringResult::NotMonitored),
    ];
    for (value, margin, expected) in cases {
        assert_eq!(result(value, margin), expected, "{value} within {margin}");
    }
    let inside = alarm("rangeForm='inside'", "<WarningRange minInclusive='10' maxInclusive='20'/>");
    let dictionary = one_field(0, &float(&inside));
    let bytes = 21_f32.to_be_bytes();
    let mut packet = DecodedPacket::default();
    dictionary.decode(&bytes, &mut packet).expect("four bytes are enough");
    // What is bad reaches farther, too.
    assert_eq!(dictionary.monitoring_within(&packet.values, 0, 0.5), normal);
    assert_eq!(dictionary.monitoring_within(&packet.values, 0, 1.0), warning);
}

#[test]
fn the_limit_that_is_broken_is_the_nearer_end_of_the_worst_range() {
    let ranges = "<WarningRange minInclusive='0' maxInclusive='100'/><CriticalRange minInclusive='-50'/>";
    let outside = one_field(0, &float(&alarm("", ranges)));
    let inside = alarm("rangeForm='inside'", "<WarningRange minInclusive='10' maxInclusive='20'/>");
    let inside = one_field(0, &float(&inside));
    let broken = |dictionary: &Dictionary, number: f64| {
        let parameter = dictionary.parameters().len() as u32 - 1;
        dictionary.broken_limit(ParameterIndex(parameter), number, &[])
    };
    let cases = [(50.0, None), (101.0, Some(100.0)), (-1.0, Some(0.0)), (-51.0, Some(-50.0))];
    for (number, expected) in cases {
        assert_eq!(broken(&outside, number), expected, "{number}");
    }
    for (number, expected) in [(9.0, None), (11.0, Some(10.0)), (19.0, Some(20.0))] {
        assert_eq!(broken(&inside, number), expected, "{number}");
    }
}

#[test]
fn limits_that_mean_nothing_are_refused() {
    let range = |ends: &str| float(&alarm("", &format!("<WarningRange {ends}/>")));
    let cases = [
        (
            range("minInclusive='2' maxInclusive='1'"),
            "the range runs from 2 to 1; expected it to run upwards",
        ),
        (range("minInclusive='NaN'"), "an end that is not a number was found; expected one"),
        (range("minInclusive='low'"), "minInclusive=\"low\" was found; expected a number"),
        (float(&alarm("rangeForm='around'", "")), "expected inside or outside"),
        (float(&alarm("", "<RedRange/>")), "RedRange is not supported here yet"),
        (float("<DefaultAlarm minViolations='-1'/>"), "expected a whole number from 1 on"),
        (float("<ValidRange minInclusive='2' maxInclusive='1'/>"), "expected it to run upwards"),
    ];
    for (its_type, expected) in cases {
        let found = refusal(&document(&its_type, &[("P", "T")], ""));
        assert!(found.contains(expected), "{its_type}\nis refused by: {found}");
    }
}
