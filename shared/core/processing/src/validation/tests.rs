use std::time::Duration;

use delivery::{ReadingKind, SampleRecord, Scalar};
use mission_database::{Dictionary, MissionDatabase, VersionNumber};
use proptest::prelude::*;
use space_packet::{SequenceCount, UtcTime, build_packet, crc};

use super::*;
use crate::{PacketConventions, PacketTime, QUARANTINED, verdicts_in};

/// CDS time behind the header, an enumeration, a number with a valid range and a calibrated float: APID 5. Other APIDs
/// only fit the abstract root.
const DEMO: &str = r#"
<SpaceSystem name="Demo"><TelemetryMetaData>
  <ParameterTypeSet>
    <IntegerParameterType name="U11"><IntegerDataEncoding sizeInBits="11"/></IntegerParameterType>
    <EnumeratedParameterType name="Mode"><IntegerDataEncoding sizeInBits="8"/><EnumerationList>
      <Enumeration value="0" label="OFF"/><Enumeration value="1" label="ON"/></EnumerationList></EnumeratedParameterType>
    <IntegerParameterType name="Level"><IntegerDataEncoding sizeInBits="8"/>
      <ValidRange maxInclusive="100"/></IntegerParameterType>
    <FloatParameterType name="Volts"><IntegerDataEncoding sizeInBits="8"><DefaultCalibrator><PolynomialCalibrator>
      <Term coefficient="0.5" exponent="1"/></PolynomialCalibrator></DefaultCalibrator></IntegerDataEncoding>
      </FloatParameterType>
  </ParameterTypeSet>
  <ParameterSet>
    <Parameter name="apid" parameterTypeRef="U11"/><Parameter name="mode" parameterTypeRef="Mode"/>
    <Parameter name="level" parameterTypeRef="Level"/><Parameter name="volts" parameterTypeRef="Volts"/>
  </ParameterSet>
  <ContainerSet>
    <SequenceContainer name="Packet" abstract="true"><EntryList>
      <ParameterRefEntry parameterRef="apid"><LocationInContainerInBits referenceLocation="containerStart"><FixedValue>5</FixedValue></LocationInContainerInBits>
      </ParameterRefEntry></EntryList></SequenceContainer>
    <SequenceContainer name="Power"><EntryList>
      <ParameterRefEntry parameterRef="mode"><LocationInContainerInBits referenceLocation="containerStart"><FixedValue>96</FixedValue></LocationInContainerInBits>
      </ParameterRefEntry>
      <ParameterRefEntry parameterRef="level"/><ParameterRefEntry parameterRef="volts"/></EntryList>
      <BaseContainer containerRef="Packet"><RestrictionCriteria><Comparison parameterRef="apid" value="5"/>
      </RestrictionCriteria></BaseContainer></SequenceContainer>
  </ContainerSet>
</TelemetryMetaData></SpaceSystem>"#;

fn decoder() -> MissionDecoder {
    let dictionary = Dictionary::from_xtce("demo.xml", DEMO).expect("loads");
    let time = toml_time("code = \"cds\"\noffset_bytes = 6");
    let conventions = PacketConventions { time, has_error_control: false };
    MissionDecoder::new(MissionDatabase::new(VersionNumber(1), dictionary), conventions)
}

fn toml_time(text: &str) -> PacketTime {
    toml::from_str(text).expect("a packet time")
}

fn at(text: &str) -> ReceptionTime {
    ReceptionTime(UtcTime::parse(text).expect("a time").to_tai())
}

const NOON: &str = "2026-11-22T12:00:00Z";
/// Of 2026-11-22T12:00:00, in CDS: days since 1958, milliseconds.
const NOON_CDS: [u8; 6] = cds(25_162, 12 * 3_600_000);

const fn cds(day: u16, milliseconds: u32) -> [u8; 6] {
    let ([d0, d1], [m0, m1, m2, m3]) = (day.to_be_bytes(), milliseconds.to_be_bytes());
    [d0, d1, m0, m1, m2, m3]
}

/// A packet of APID 5 made at noon, with a mode, a level and a voltage.
fn packet(count: u16, values: &[u8]) -> Vec<u8> {
    packet_of(5, count, &[&NOON_CDS, values].concat())
}

fn packet_of(apid: u16, count: u16, data: &[u8]) -> Vec<u8> {
    let apid = Apid::try_from(apid).expect("in range");
    let count = SequenceCount::try_from(count).expect("in range");
    build_packet(apid, count, true, data).expect("fits")
}

/// Codes of the verdicts on packets received one after the other, and samples of the last.
struct Link {
    validator: Validator,
    samples: Vec<Sample>,
}

impl Link {
    fn new(settings: &ValidationSettings) -> Self {
        Self { validator: Validator::new(decoder(), settings), samples: Vec::new() }
    }

    fn judge_at(&mut self, reception: &str, packet: &[u8]) -> String {
        self.samples.clear();
        let mut scratch = DecodedPacket::default();
        let verdicts = self.validator.judge_packet(at(reception), packet, &mut scratch, &mut self.samples);
        codes(verdicts)
    }

    fn judge(&mut self, packet: &[u8]) -> String {
        self.judge_at(NOON, packet)
    }
}

fn codes(verdicts: Verdicts) -> String {
    verdicts_in(verdicts).map(Verdict::code).collect::<Vec<_>>().join(" ")
}

/// What one packet is found to be on a link that has received nothing.
fn check(settings: &ValidationSettings, packet: &[u8], expected: &str) {
    assert_eq!(Link::new(settings).judge(packet), expected, "{packet:02x?}");
}

#[test]
fn a_packet_as_it_should_be_has_no_verdict_and_all_its_samples() {
    let mut link = Link::new(&ValidationSettings::default());
    assert_eq!(link.judge(&packet(1, &[1, 100, 9])), "");
    assert_eq!(link.samples.len(), 4);
    assert_eq!(link.samples[3].number(), Some(4.5));
    assert_eq!(link.samples[3].generation.0, at(NOON).0);
}

#[test]
fn what_is_no_whole_packet_of_the_link_is_quarantined_without_samples() {
    let settings = ValidationSettings {
        apids: Some(vec![Apid::try_from(5).expect("in range"), Apid::try_from(64).expect("in range")]),
        ..ValidationSettings::default()
    };
    let whole = packet(1, &[1, 2, 3]);
    let with_version = [&[whole[0] | 0x20], &whole[1..]].concat();
    let cases: [(&[u8], &str); 6] = [
        (&whole, ""),
        (&[], "not-a-packet"),
        (&with_version, "not-a-packet"),
        (&whole[..whole.len() - 1], "length-mismatch"),
        (&[&whole[..], &[0]].concat(), "length-mismatch"),
        (&packet_of(6, 1, &[0; 9]), "apid-unknown"),
    ];
    for (packet, expected) in cases {
        let mut link = Link::new(&settings);
        assert_eq!(link.judge(packet), expected, "{packet:02x?}");
        assert_eq!(link.samples.is_empty(), !expected.is_empty());
        assert_eq!(
            link.validator.counts().count(),
            usize::from(expected.is_empty()),
            "foreign counts say nothing"
        );
    }
}

#[test]
fn a_link_that_says_so_has_its_packets_checked_against_their_crc() {
    let settings = ValidationSettings { link_crc: true, ..ValidationSettings::default() };
    let mut with_code = packet(1, &[1, 2, 3, 0, 0]);
    let code = crc::compute(&with_code[..with_code.len() - 2]).to_be_bytes();
    let end = with_code.len() - 2;
    with_code[end..].copy_from_slice(&code);
    check(&settings, &with_code, "");
    check(&settings, &packet(1, &[1, 2, 3, 0, 0]), "crc-mismatch");
    check(&ValidationSettings::default(), &packet(1, &[1, 2, 3, 0, 0]), "");
}

#[test]
fn packets_that_the_dictionary_does_not_reach_are_quarantined_with_what_was_decoded() {
    let mut link = Link::new(&ValidationSettings::default());
    assert_eq!(link.judge(&packet_of(6, 1, &[&NOON_CDS[..], &[0]].concat())), "container-unknown");
    assert_eq!(link.samples.len(), 1);
    assert_eq!(link.judge(&packet(1, &[1])), "undecodable");
    assert_eq!(link.samples.len(), 2);
    assert!(QUARANTINED.contains(Verdict::Undecodable.into()));
}

#[test]
fn idle_packets_are_counted_and_otherwise_nothing() {
    let settings = ValidationSettings { apids: Some(Vec::new()), ..ValidationSettings::default() };
    let mut link = Link::new(&settings);
    for count in [1, 1, 9] {
        assert_eq!(link.judge(&packet_of(0x7FF, count, &[0])), "");
    }
    assert_eq!((link.validator.idle_packets(), link.samples.len()), (3, 0));
    assert_eq!(link.validator.counts().count(), 0);
}

#[test]
fn sequence_counts_are_judged_for_each_apid() {
    let mut link = Link::new(&ValidationSettings::default());
    let values = [1, 2, 3];
    for (count, expected) in [
        (10, ""),
        (11, ""),
        (11, "sequence-duplicate"),
        (14, "sequence-gap"),
        (12, "sequence-late"),
        (15, ""),
        (5_000, "sequence-gap"),
        (0, "sequence-late"),
        (1, "sequence-late"),
        (2, "sequence-reset"),
    ] {
        assert_eq!(link.judge(&packet(count, &values)), expected, "count {count}");
        assert!(!link.samples.is_empty(), "what is out of sequence is decoded as well");
    }
    let (_, apid, counts) = link.validator.counts().next().expect("heard");
    assert_eq!((apid.value(), counts.received, counts.resets), (5, 10, 1));
}

#[test]
fn times_that_cannot_be_believed_are_flagged_and_kept() {
    let settings =
        ValidationSettings { stale_after: Some(Duration::from_secs(3_600)), ..ValidationSettings::default() };
    let check = |reception, data: &[u8], expected| {
        let mut link = Link::new(&settings);
        let data = [data, &[1, 2, 3]].concat();
        assert_eq!(link.judge_at(reception, &packet_of(5, 1, &data)), expected, "{reception} {data:02x?}");
        link.samples.last().map(|sample| sample.generation.0.to_string())
    };
    check("2026-11-22T11:55:00Z", &NOON_CDS, "");
    check("2026-11-22T11:54:59.999Z", &NOON_CDS, "time-ahead");
    check("2026-11-22T13:00:00Z", &NOON_CDS, "");
    check("2026-11-22T13:00:00.001Z", &NOON_CDS, "stale");
    let day_1980 = cds(8_040, 0);
    assert_eq!(check(NOON, &day_1980, "time-before-fix").as_deref(), Some("1980-01-06T00:00:00Z"));
    check(NOON, &cds(11_687, 86_399_999), "time-before-fix");
    check(NOON, &cds(11_688, 0), "stale");
    let unreadable = cds(25_162, 90_000_000);
    let generation = check(NOON, &unreadable, "time-unreadable");
    assert_eq!(generation.as_deref(), Some(NOON), "the reception stands in");
    // A station whose own clock was never set can tell nothing about another.
    check("1970-01-01T00:01:00Z", &NOON_CDS, "");
    check("1970-01-01T00:01:00Z", &unreadable, "time-unreadable time-before-fix");
}

#[test]
fn values_that_their_type_or_the_dictionary_does_not_allow_are_flagged_and_kept() {
    let settings = ValidationSettings::default();
    check(&settings, &packet(1, &[2, 100, 0]), "type-range");
    check(&settings, &packet(1, &[1, 101, 0]), "valid-range");
    check(&settings, &packet(1, &[2, 101, 0]), "type-range valid-range");
}

#[test]
fn packets_above_the_rate_are_flagged_for_each_apid() {
    let settings = ValidationSettings { rate_max_per_s: Some(2.0), ..ValidationSettings::default() };
    let mut link = Link::new(&settings);
    let verdicts: Vec<_> = (1..=4).map(|count| link.judge(&packet(count, &[1, 2, 3]))).collect();
    assert_eq!(verdicts, ["", "", "rate", "rate"]);
    assert_eq!(link.judge(&packet_of(6, 1, &[&NOON_CDS[..], &[0]].concat())), "container-unknown");
    assert_eq!(link.judge_at("2026-11-22T12:00:00.500Z", &packet(5, &[1, 2, 3])), "");
}

#[test]
fn another_dictionary_leaves_sequences_and_rates_as_they_were() {
    let settings = ValidationSettings { rate_max_per_s: Some(1.0), ..ValidationSettings::default() };
    let mut link = Link::new(&settings);
    link.judge(&packet(1, &[1, 2, 3]));
    link.validator.set_decoder(decoder());
    assert_eq!(link.judge(&packet(3, &[1, 2, 3])), "sequence-gap rate");
}

fn record(parameter: &str, reading: ReadingKind, value: Scalar) -> SampleRecord {
    let generation = Some(GenerationTime(at(NOON).0));
    SampleRecord { parameter: parameter.to_owned(), generation, reading, value }
}

#[test]
fn a_sample_without_a_packet_is_judged_by_the_same_rules() {
    let check = |parameter: &str, reading, value: Scalar, expected: &str| {
        let mut link = Link::new(&ValidationSettings::default());
        let record = record(parameter, reading, value);
        let verdicts = link.validator.judge_sample(at(NOON), &record, &mut link.samples);
        assert_eq!(codes(verdicts), expected, "{record:?}");
        assert_eq!(link.samples.is_empty(), verdicts.intersects(QUARANTINED));
        link.samples
    };
    use ReadingKind::{Engineering, Raw};
    let samples = check("/Demo/volts", Raw, Scalar::Unsigned(9), "");
    assert_eq!(samples[0].number(), Some(4.5));
    check("volts", Raw, Scalar::Unsigned(9), "");
    check("mode", Engineering, Scalar::Text("ON".to_owned()), "");
    check("mode", Raw, Scalar::Unsigned(7), "type-range");
    check("level", Engineering, Scalar::Unsigned(101), "valid-range");
    check("/Demo/current", Raw, Scalar::Unsigned(9), "parameter-unknown");
    check("volts", Engineering, Scalar::Float(4.5), "value-unfit");
    check("mode", Engineering, Scalar::Text("OPEN".to_owned()), "value-unfit");
}

#[test]
fn a_sample_without_a_time_is_as_old_as_its_reception() {
    let mut link = Link::new(&ValidationSettings::default());
    let sample = SampleRecord { generation: None, ..record("level", ReadingKind::Raw, Scalar::Unsigned(1)) };
    assert_eq!(link.validator.judge_sample(at(NOON), &sample, &mut link.samples), Verdicts::NONE);
    assert_eq!(link.samples[0].generation.0, at(NOON).0);
    let early = at("2026-11-22T11:00:00Z");
    let sample = record("level", ReadingKind::Raw, Scalar::Unsigned(1));
    assert_eq!(codes(link.validator.judge_sample(early, &sample, &mut link.samples)), "time-ahead");
}

#[test]
fn a_sample_is_read_by_the_version_in_force_when_it_was_made() {
    let with_heat = DEMO.replace(
        "<Parameter name=\"apid\"",
        "<Parameter name=\"heat\" parameterTypeRef=\"Level\"/><Parameter name=\"apid\"",
    );
    let newer = Dictionary::from_xtce("demo.xml", &with_heat).expect("loads");
    let from = at("2026-11-22T12:00:01Z").0;
    let both = decoder().database().with_version(VersionNumber(2), from, newer).expect("no limits to refuse");
    let mut link = Link::new(&ValidationSettings::default());
    link.validator.set_decoder(decoder().with_database(both));
    for (name, reception, expected) in [
        ("/Demo/heat", NOON, "parameter-unknown"),
        ("heat", NOON, "parameter-unknown"),
        ("/Demo/heat", "2026-11-22T12:00:01Z", ""),
        ("heat", "2026-11-22T12:00:01Z", ""),
    ] {
        let sample = SampleRecord { generation: None, ..record(name, ReadingKind::Raw, Scalar::Unsigned(1)) };
        let verdicts = link.validator.judge_sample(at(reception), &sample, &mut link.samples);
        assert_eq!(codes(verdicts), expected, "{name} {reception}");
    }
    let mission_names = link
        .samples
        .iter()
        .map(|sample| link.validator.decoder().database().parameter(sample.parameter).name.as_str());
    assert_eq!(mission_names.collect::<Vec<_>>(), ["/Demo/heat", "/Demo/heat"]);
}

#[test]
fn samples_above_the_rate_are_flagged_for_each_parameter() {
    let settings = ValidationSettings { rate_max_per_s: Some(1.0), ..ValidationSettings::default() };
    let mut link = Link::new(&settings);
    for (name, expected) in [("level", ""), ("level", "rate"), ("volts", ""), ("/Demo/level", "rate")] {
        let sample = record(name, ReadingKind::Raw, Scalar::Unsigned(1));
        let verdicts = link.validator.judge_sample(at(NOON), &sample, &mut link.samples);
        assert_eq!(codes(verdicts), expected, "{name}");
    }
    assert_eq!(link.samples.len(), 4, "flagged, not dropped");
}

proptest! {
    #[test]
    fn a_packet_has_the_same_samples_with_and_without_verdicts(values in proptest::collection::vec(any::<u8>(), 3..9)) {
        let packet = packet(1, &values);
        let mut link = Link::new(&ValidationSettings::default());
        link.judge(&packet);
        let (mut scratch, mut samples) = (DecodedPacket::default(), Vec::new());
        decoder().decode(at(NOON), &packet, &mut scratch, &mut samples);
        prop_assert_eq!(link.samples, samples);
    }

    #[test]
    fn whatever_comes_nothing_panics_and_a_quarantine_has_one_cause(
        packets in any::<Vec<Vec<u8>>>(),
        reception in any::<i64>(),
        link_crc in any::<bool>(),
        rate_max_per_s in proptest::option::of(any::<f64>()),
    ) {
        let settings = ValidationSettings { link_crc, rate_max_per_s, ..ValidationSettings::default() };
        let mut validator = Validator::new(decoder(), &settings);
        let mut samples = Vec::new();
        for packet in &packets {
            let mut scratch = DecodedPacket::default();
            let reception = ReceptionTime(TaiTime(reception));
            let verdicts = validator.judge_packet(reception, packet, &mut scratch, &mut samples);
            prop_assert!(verdicts_in(verdicts).filter(|verdict| verdict.is_quarantining()).count() <= 1);
        }
    }
}
