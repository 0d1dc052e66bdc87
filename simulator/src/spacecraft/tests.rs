use std::collections::{BTreeMap, BTreeSet};

use mission_database::{
    DecodedPacket, Dictionary, EngineeringValue, LimitsOverlay, MonitoringResult, ParameterKind,
};
use proptest::prelude::*;
use space_packet::{PrimaryHeader, UtcTime};

use super::*;

fn epoch() -> TaiTime {
    UtcTime::parse("2026-11-22T12:00:00Z").expect("a time").to_tai()
}

fn after_s(seconds: i64) -> TaiTime {
    epoch().plus_nanos(seconds * 1_000_000_000)
}

/// The packets of the last `listen_s` of the first `until_s` seconds.
fn heard(spacecraft: &mut Spacecraft, until_s: i64, listen_s: i64) -> Vec<SpacecraftPacket> {
    spacecraft.advance_to(after_s(until_s - listen_s));
    spacecraft.telemetry_due(after_s(until_s))
}

/// Every measurement of a name in some packets.
fn numbers(packets: &[SpacecraftPacket], name: &str) -> Vec<f64> {
    let fields = packets.iter().flat_map(|packet| &packet.fields).filter(|field| field.name == name);
    fields
        .filter_map(|field| match field.value {
            FieldValue::Number { value, .. } => Some(value),
            _ => None,
        })
        .collect()
}

fn mean(values: &[f64]) -> f64 {
    assert!(!values.is_empty());
    values.iter().sum::<f64>() / values.len() as f64
}

fn mean_of(packets: &[SpacecraftPacket], name: &str) -> f64 {
    mean(&numbers(packets, name))
}

fn deviation_of(packets: &[SpacecraftPacket], name: &str) -> f64 {
    let values = numbers(packets, name);
    let mean = mean(&values);
    mean_square(&values, mean).sqrt()
}

fn mean_square(values: &[f64], from: f64) -> f64 {
    mean(&values.iter().map(|value| (value - from).powi(2)).collect::<Vec<_>>())
}

/// The same time, up to 50 minutes after the epoch, of a healthy spacecraft and of one with a fault since the
/// tenth minute.
fn with_and_without(fault: Fault, listen_s: i64) -> [Vec<SpacecraftPacket>; 2] {
    let mut healthy = Spacecraft::new(5, epoch());
    let mut faulty = Spacecraft::new(5, epoch());
    faulty.inject(fault, after_s(600));
    [heard(&mut healthy, 3_000, listen_s), heard(&mut faulty, 3_000, listen_s)]
}

#[test]
fn every_packet_decodes_with_the_dictionary_to_what_was_put_in() {
    let dictionary = Dictionary::from_xtce("demo-spacecraft.xml", DICTIONARY).expect("the dictionary loads");
    let mut spacecraft = Spacecraft::new(11, epoch());
    spacecraft.inject(Fault::SensorNoise, after_s(3_000));
    let mut containers = BTreeSet::new();
    for packet in spacecraft.telemetry_due(after_s(6_000)) {
        let mut decoded = DecodedPacket::default();
        dictionary.decode(&packet.bytes, &mut decoded).expect("it decodes");
        let container = dictionary.container(decoded.container.expect("a container"));
        assert!(!decoded.unresolved);
        assert_eq!(container.name, format!("/Demo/{}", packet.container));
        assert_eq!(decoded.bits, packet.bytes.len() * 8, "{} has bits left over", packet.container);
        let system = packet.container.split('/').next().expect("a space system");
        // Ten parameters of the two headers come first.
        assert_eq!(decoded.values.len(), packet.fields.len() + 10);
        for (value, field) in decoded.values[10..].iter().zip(&packet.fields) {
            let parameter = dictionary.parameter(value.parameter);
            assert_eq!(parameter.name, format!("/Demo/{system}/{}", field.name));
            check(&parameter.kind, &value.engineering, field);
        }
        containers.insert(packet.container);
    }
    assert_eq!(containers.len(), KINDS.len() + 1, "every kind of packet was made: {containers:?}");
}

fn check(kind: &ParameterKind, found: &EngineeringValue<'_>, field: &Field) {
    let agrees = match (&field.value, found) {
        (FieldValue::Flag(put), EngineeringValue::Boolean(found)) => put == found,
        (FieldValue::Integer(put), EngineeringValue::Unsigned(found)) => i64::try_from(*found) == Ok(*put),
        (FieldValue::Integer(put), EngineeringValue::Signed(found)) => put == found,
        (FieldValue::Label(put), EngineeringValue::Label(index)) => match kind {
            ParameterKind::Enumeration(labels) => labels[*index as usize].label == *put,
            _ => false,
        },
        (FieldValue::Number { value, tolerance }, EngineeringValue::Float(found)) => {
            (value - found).abs() <= *tolerance
        }
        _ => false,
    };
    assert!(agrees, "{field:?} was decoded as {found:?}");
}

#[test]
fn the_dictionary_has_about_two_hundred_parameters_all_described() {
    let dictionary = Dictionary::from_xtce("demo-spacecraft.xml", DICTIONARY).expect("the dictionary loads");
    assert_eq!(dictionary.parameters().len(), 223);
    assert!(dictionary.unused().is_empty(), "{:?}", dictionary.unused());
}

/// The worst that the demo's limits say of each parameter that they watch.
fn judged(packets: &[SpacecraftPacket]) -> BTreeMap<String, MonitoringResult> {
    let limits = include_str!("../../demo/limits.toml");
    let limits = LimitsOverlay::parse("limits.toml", limits, None).expect("the limits are read");
    let rows: Vec<_> = limits.rows.iter().collect();
    let dictionary = Dictionary::from_xtce("demo-spacecraft.xml", DICTIONARY).expect("the dictionary loads");
    let dictionary = dictionary.with_limits(&rows).expect("the limits are those of its parameters");
    let mut worst = BTreeMap::new();
    for packet in packets {
        let mut decoded = DecodedPacket::default();
        dictionary.decode(&packet.bytes, &mut decoded).expect("it decodes");
        for value in decoded.values.iter().filter(|value| value.monitoring != MonitoringResult::NotMonitored)
        {
            let name = dictionary.parameter(value.parameter).name.clone();
            let found = worst.entry(name).or_insert(value.monitoring);
            *found = value.monitoring.max(*found);
        }
    }
    worst
}

#[test]
fn a_healthy_flight_stays_inside_the_limits_of_the_demo_and_a_failing_cell_leaves_them() {
    // Two orbits, with all their eclipses and passes.
    let healthy = judged(&Spacecraft::new(1, epoch()).telemetry_due(after_s(12_000)));
    assert_eq!(healthy.len(), 30, "every parameter that has limits was judged: {healthy:?}");
    let outside: Vec<_> = healthy.iter().filter(|(_, result)| result.is_violation()).collect();
    assert!(outside.is_empty(), "{outside:?}");
    let mut faulty = Spacecraft::new(1, epoch());
    faulty.inject(Fault::BatteryCell, epoch());
    let faulty = judged(&faulty.telemetry_due(after_s(3_000)));
    let left: BTreeMap<&str, _> = faulty
        .iter()
        .filter(|(_, result)| result.is_violation())
        .map(|(name, result)| (name.as_str(), *result))
        .collect();
    assert!(left["/Demo/Power/cell_voltage_3"] >= MonitoringResult::Distress, "{left:?}");
    assert!(!left.contains_key("/Demo/Power/cell_voltage_4"), "{left:?}");
}

#[test]
fn the_rates_are_those_of_the_dictionary() {
    let mut spacecraft = Spacecraft::new(1, epoch());
    let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
    for packet in spacecraft.telemetry_due(after_s(40)) {
        *counts.entry(packet.container).or_default() += 1;
    }
    for (container, expected) in [
        ("Attitude/AttitudeState", 160),
        ("Computer/Counters", 8),
        ("Payload/DetectorPage", 20),
        ("Power/BatteryCells", 8),
        ("Power/PowerBus", 40),
        ("Thermal/Heaters", 4),
    ] {
        assert_eq!(counts[container], expected, "{container}");
    }
}

#[test]
fn an_eclipse_lowers_the_solar_current_to_nothing_and_discharges_the_battery() {
    let mut spacecraft = Spacecraft::new(1, epoch());
    let (mut sunlit, mut eclipsed) = (Vec::new(), Vec::new());
    for second in 1..5_820 {
        let packets = spacecraft.telemetry_due(after_s(second));
        if spacecraft.is_sunlit() { sunlit.extend(packets) } else { eclipsed.extend(packets) }
    }
    assert!(mean_of(&sunlit, "array_1_current") > 0.5);
    assert!(mean_of(&eclipsed, "array_1_current") < 0.05);
    assert!(mean_of(&eclipsed, "battery_current") < -0.5);
    assert!(mean_of(&sunlit, "battery_current") > 0.2);
    assert!(mean_of(&sunlit, "array_temperature_1") > mean_of(&eclipsed, "array_temperature_1") + 20.0);
}

#[test]
fn the_spacecraft_stays_healthy_over_four_orbits() {
    let mut spacecraft = Spacecraft::new(2, epoch());
    let mut modes = BTreeSet::new();
    for minute in 1..=390 {
        let packets = heard(&mut spacecraft, minute * 60, 6);
        for packet in &packets {
            for field in packet.fields.iter().filter(|field| field.name == "spacecraft_mode") {
                modes.insert(format!("{:?}", field.value));
            }
        }
        let within = |name: &str, range: std::ops::Range<f64>| {
            for value in numbers(&packets, name) {
                assert!(range.contains(&value), "{name} was {value} in minute {minute}");
            }
        };
        within("battery_charge", 60.0..100.1);
        within("battery_voltage", 28.0..34.0);
        for number in 1..=2 {
            within(&format!("battery_temperature_{number}"), 8.0..35.0);
            within(&format!("array_temperature_{number}"), -60.0..90.0);
        }
        within("computer_temperature", 5.0..45.0);
        within("transmitter_temperature", 0.0..60.0);
        for wheel in 1..=4 {
            within(&format!("wheel_speed_{wheel}"), -6_000.0..6_000.0);
            within(&format!("wheel_temperature_{wheel}"), 5.0..45.0);
        }
        within("pointing_error", 0.0..181.0);
        within("total_momentum", 0.0..0.26);
    }
    assert_eq!(modes.len(), 3, "nominal, science and downlink: {modes:?}");
}

#[test]
fn a_degraded_cell_lowers_the_voltage_and_raises_the_temperature_of_the_battery() {
    let [healthy, faulty] = with_and_without(Fault::BatteryCell, 600);
    let voltage = |packets: &[SpacecraftPacket]| mean_of(packets, "battery_voltage");
    assert!(voltage(&faulty) < voltage(&healthy) - 0.4);
    assert!(mean_of(&faulty, "cell_voltage_3") < mean_of(&faulty, "cell_voltage_4") - 0.4);
    let temperature = |packets: &[SpacecraftPacket]| mean_of(packets, "battery_temperature_1");
    assert!(temperature(&faulty) > temperature(&healthy) + 2.0);
}

#[test]
fn a_worn_wheel_draws_more_current_and_gets_warmer() {
    let [healthy, faulty] = with_and_without(Fault::WheelFriction, 600);
    for name in ["wheel_current_2", "wheel_temperature_2"] {
        assert!(mean_of(&faulty, name) > mean_of(&healthy, name) * 1.1, "{name}");
    }
    let difference = mean_of(&faulty, "wheel_current_1") - mean_of(&healthy, "wheel_current_1");
    assert!(difference.abs() < 0.01, "the other wheels are well");
}

#[test]
fn a_stuck_thermistor_shows_the_same_for_ever() {
    let [healthy, faulty] = with_and_without(Fault::StuckThermistor, 2_400);
    assert!(deviation_of(&healthy, "array_temperature_1") > 1.0);
    assert!(deviation_of(&faulty, "array_temperature_1") < 0.2);
    assert!(deviation_of(&faulty, "array_temperature_2") > 1.0);
}

#[test]
fn noisy_sensors_make_noisy_rates_and_leave_the_power_as_it_was() {
    let [healthy, faulty] = with_and_without(Fault::SensorNoise, 600);
    let spread = |packets: &[SpacecraftPacket]| deviation_of(packets, "magnetic_field_y");
    let steps = |packets: &[SpacecraftPacket]| {
        let values = numbers(packets, "gyro_rate_x");
        mean(&values.windows(2).map(|pair| (pair[1] - pair[0]).abs()).collect::<Vec<_>>())
    };
    assert!(steps(&faulty) > steps(&healthy) * 3.0);
    assert!(spread(&faulty) > 0.0);
    assert_eq!(numbers(&healthy, "battery_voltage"), numbers(&faulty, "battery_voltage"));
}

#[test]
fn a_dropping_transponder_loses_lock_during_a_pass() {
    let pass = crate::passes::next_pass(
        &crate::orbit::Orbit::demo(),
        &crate::passes::SVALBARD,
        epoch(),
        std::time::Duration::from_secs(86_400),
    );
    let pass = pass.expect("a pass in a day");
    let locks = |fault: Option<Fault>| {
        let mut spacecraft = Spacecraft::new(4, epoch());
        if let Some(fault) = fault {
            spacecraft.inject(fault, epoch());
        }
        spacecraft.advance_to(pass.rise);
        let packets = spacecraft.telemetry_due(pass.set.plus_nanos(-1_000_000_000));
        let fields = packets.iter().flat_map(|packet| &packet.fields);
        let locks: BTreeSet<bool> = fields
            .filter(|field| field.name == "receiver_lock")
            .map(|field| field.value == FieldValue::Flag(true))
            .collect();
        locks
    };
    assert_eq!(locks(None), BTreeSet::from([true]));
    assert_eq!(locks(Some(Fault::TransponderDrop)), BTreeSet::from([false, true]));
}

#[test]
fn packets_nobody_heard_show_as_a_gap_in_the_sequence_counts() {
    let mut spacecraft = Spacecraft::new(1, epoch());
    let last = spacecraft.telemetry_due(after_s(10)).pop().expect("packets");
    spacecraft.advance_to(after_s(20));
    let packets = spacecraft.telemetry_due(after_s(30));
    let count = |packet: &SpacecraftPacket| PrimaryHeader::parse(&packet.bytes).expect("a header");
    let (last, first) = (count(&last), &packets[0]);
    assert_eq!(last.apid.value(), 110);
    assert_eq!(count(first).apid.value(), 110);
    assert_eq!(count(first).sequence_count.distance_from(last.sequence_count), 41);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn every_packet_parses_by_its_header_and_follows_the_one_before_it(
        seed: u64, start_s in -100_000_000_i64..300_000_000, length_s in 1..400_i64,
    ) {
        let begin = after_s(start_s);
        let mut spacecraft = Spacecraft::new(seed, begin);
        let mut next: BTreeMap<Apid, SequenceCount> = BTreeMap::new();
        let mut time = begin;
        for packet in spacecraft.telemetry_due(begin.plus_nanos(length_s * 1_000_000_000)) {
            let header = PrimaryHeader::parse(&packet.bytes).expect("a header");
            prop_assert_eq!(header.packet_bytes(), packet.bytes.len());
            prop_assert!(header.secondary_header);
            let expected = next.entry(header.apid).or_default();
            prop_assert_eq!(header.sequence_count, *expected);
            *expected = expected.next();
            prop_assert!(packet.time.0 > time);
            time = packet.time.0;
            prop_assert_eq!(&packet.bytes[6..14], &cds::encode(time)[..]);
        }
    }

    #[test]
    fn the_same_seed_makes_the_same_bytes_however_often_it_is_asked(seed: u64, rounds in 1..40_i64) {
        let bytes = |packets: Vec<SpacecraftPacket>| packets.into_iter().flat_map(|packet| packet.bytes);
        let mut once = Spacecraft::new(seed, epoch());
        let mut often = Spacecraft::new(seed, epoch());
        let at_once: Vec<u8> = bytes(once.telemetry_due(after_s(60))).collect();
        let little_by_little: Vec<u8> = (1..=rounds)
            .flat_map(|round| bytes(often.telemetry_due(after_s(60 * round / rounds))))
            .collect();
        prop_assert!(at_once == little_by_little);
        let other: Vec<u8> = bytes(Spacecraft::new(!seed, epoch()).telemetry_due(after_s(60))).collect();
        prop_assert!(at_once != other);
    }
}
