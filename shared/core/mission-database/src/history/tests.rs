use proptest::prelude::*;

use super::*;
use crate::MonitoringResult;

/// A dictionary whose parameters are bytes one after the other.
fn bytes(names: &[&str], unit: &str) -> Dictionary {
    let parameters: String =
        names.iter().map(|name| format!("<Parameter name='{name}' parameterTypeRef='T'/>")).collect();
    let entries: String =
        names.iter().map(|name| format!("<ParameterRefEntry parameterRef='{name}'/>")).collect();
    let xml = format!(
        "<SpaceSystem name='S'><TelemetryMetaData><ParameterTypeSet><IntegerParameterType name='T'><UnitSet><Unit>{unit}\
         </Unit></UnitSet><IntegerDataEncoding sizeInBits='8'/></IntegerParameterType></ParameterTypeSet><ParameterSet>\
         {parameters}</ParameterSet><ContainerSet><SequenceContainer name='C'><EntryList>{entries}</EntryList>\
         </SequenceContainer></ContainerSet></TelemetryMetaData></SpaceSystem>"
    );
    Dictionary::from_xtce("bytes.xml", &xml).expect("it loads")
}

fn limits(number: u32, effective: EffectiveSpan, text: &str) -> LimitsVersion {
    let overlay =
        LimitsOverlay::parse("limits.csv", text, Some(crate::BoundMeaning::Good)).expect("it reads");
    LimitsVersion { number, effective, overlay }
}

#[test]
fn a_packet_is_read_by_the_version_in_force_when_it_was_made() {
    let database = MissionDatabase::new(VersionNumber(1), bytes(&["A", "B"], "V"))
        .with_version(VersionNumber(2), TaiTime(100), bytes(&["B", "NEW", "A"], "mV"))
        .expect("there are no limits");
    assert_eq!(database.at(TaiTime(99)).version, VersionNumber(1));
    assert_eq!(database.at(TaiTime(100)).version, VersionNumber(2));
    let names: Vec<_> = database.parameters().iter().map(|it| it.short_name.as_str()).collect();
    assert_eq!(names, ["A", "B", "NEW"], "numbers of the first version stay");
    let index = |name: &str| database.find(&format!("/S/{name}")).expect("it is there");
    let reading = database.at(TaiTime(100));
    let found: Vec<_> = (0..3).map(|local| reading.mission_index(ParameterIndex(local))).collect();
    assert_eq!(found, [index("B"), index("NEW"), index("A")]);
    let unit = |version| database.described(VersionNumber(version), index("A")).unit.as_deref();
    assert_eq!((unit(1), unit(2)), (Some("V"), Some("mV")));
    assert_eq!(database.parameter(index("A")).unit.as_deref(), Some("mV"));
    assert_eq!(database.described(VersionNumber(1), index("NEW")).short_name, "NEW");
}

#[test]
fn an_earlier_version_that_comes_late_does_not_change_what_parameters_are_called_now() {
    let database = MissionDatabase::new(VersionNumber(1), bytes(&["A"], "V"))
        .with_version(VersionNumber(3), TaiTime(200), bytes(&["A"], "mV"))
        .and_then(|database| database.with_version(VersionNumber(2), TaiTime(100), bytes(&["A"], "kV")))
        .expect("there are no limits");
    assert_eq!(database.parameter(ParameterIndex(0)).unit.as_deref(), Some("mV"));
    let versions: Vec<_> = [50, 150, 250].map(|time| database.at(TaiTime(time)).version.0).to_vec();
    assert_eq!(versions, [1, 2, 3]);
}

#[test]
fn limits_count_while_they_are_in_force_and_the_newest_of_them_first() {
    let from = |from| EffectiveSpan { from: Some(TaiTime(from)), to: None };
    let between = EffectiveSpan { from: Some(TaiTime(200)), to: Some(TaiTime(300)) };
    let database = MissionDatabase::new(VersionNumber(1), bytes(&["A"], "V"))
        .with_limits(limits(1, from(100), "parameter,warning_high\nA,10\n"))
        .and_then(|database| database.with_limits(limits(2, between, "parameter,critical_high\n/S/A,5\n")))
        .expect("both fit");
    let monitored = |time| {
        let mut packet = crate::DecodedPacket::default();
        let reading = database.at(TaiTime(time));
        reading.dictionary.decode(&[11], &mut packet).expect("a byte is enough");
        (reading.limits, packet.values[0].monitoring)
    };
    assert_eq!(monitored(50), (None, MonitoringResult::NotMonitored));
    assert_eq!(monitored(100), (Some(1), MonitoringResult::Warning));
    assert_eq!(monitored(250), (Some(2), MonitoringResult::Critical));
    assert_eq!(monitored(300), (Some(1), MonitoringResult::Warning));
}

#[test]
fn limits_of_a_parameter_that_another_version_has_wait_and_those_of_none_are_refused() {
    let one = MissionDatabase::new(VersionNumber(1), bytes(&["A"], "V"));
    let two = one.with_version(VersionNumber(2), TaiTime(100), bytes(&["B"], "V")).expect("no limits");
    let unknown = |name: &str| {
        let text = format!("parameter,warning_high\n{name},10\n");
        limits(1, EffectiveSpan::default(), &text)
    };
    for database in [&one, &two] {
        let refused = database.with_limits(unknown("C")).expect_err("there is no C");
        assert_eq!((refused.source_name.as_str(), refused.line), ("limits.csv", 2));
    }
    assert!(one.with_limits(unknown("B")).is_err());
    let limited = two.with_limits(unknown("B")).expect("version 2 has it");
    assert!(limited.at(TaiTime(100)).dictionary.alarm_rule(ParameterIndex(0)).is_some());
}

#[test]
fn a_context_that_only_another_version_knows_does_not_keep_a_version_out() {
    let row = "parameter,context,warning_high\nA,MODE=1,10\n";
    let database = MissionDatabase::new(VersionNumber(1), bytes(&["A", "MODE"], "V"))
        .with_limits(limits(1, EffectiveSpan::default(), row))
        .expect("both are there");
    assert!(database.with_version(VersionNumber(2), TaiTime(100), bytes(&["A"], "V")).is_ok());
}

proptest! {
    #[test]
    fn the_version_in_force_is_the_one_a_look_at_all_of_them_finds(
        starts in prop::collection::vec(-20_i64..20, 0..6),
        times in prop::collection::vec(-25_i64..25, 1..20),
    ) {
        let mut database = MissionDatabase::new(VersionNumber(1), bytes(&["A"], "V"));
        for (number, start) in (2..).zip(&starts) {
            database = database.with_version(VersionNumber(number), TaiTime(*start), bytes(&["A"], "V")).expect("no limits");
        }
        for time in times {
            let latest = (2_u32..).zip(&starts).filter(|(_, start)| **start <= time).max_by_key(|(number, start)| (**start, *number));
            let expected = latest.map_or(1, |(number, _)| number);
            prop_assert_eq!(database.at(TaiTime(time)).version.0, expected);
        }
    }
}
