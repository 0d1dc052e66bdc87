mod models;

use delivery::{Content, ReadingKind, Record, SampleRecord, Scalar};
use mission_database::{Dictionary, LimitsOverlay, LimitsVersion, VersionNumber};
use proptest::prelude::*;
use space_packet::{ReceptionTime, TaiTime};

use super::*;
use crate::alarm::{Board, Place};
use crate::{MissionDecoder, PacketConventions};

const SECOND: i64 = 1_000_000_000;
const XTCE: &str = r#"<SpaceSystem name="S"><TelemetryMetaData>
    <ParameterTypeSet><IntegerParameterType name="T"><IntegerDataEncoding sizeInBits="8"/></IntegerParameterType>
    </ParameterTypeSet><ParameterSet><Parameter name="A" parameterTypeRef="T"/><Parameter name="B" parameterTypeRef="T"/>
    <Parameter name="MODE" parameterTypeRef="T"/></ParameterSet>
    <ContainerSet><SequenceContainer name="C"><EntryList><ParameterRefEntry parameterRef="A"/></EntryList>
    </SequenceContainer></ContainerSet></TelemetryMetaData></SpaceSystem>"#;
const LIMITS_OF_A: &str =
    "# bounds: good\nparameter,yellow_high,red_high,persistence,hysteresis\nA,100,200,2,10\n";
/// Ten samples teach what B usually is.
const RANGE_OF_B: &str = "[[watch]]\nparameters = [\"/S/B\"]\nseverity = \"distress\"\nmode = \"/S/MODE\"\n\
    [watch.suite]\ntraining = { fit = 10, calibrate = 0 }\nmerge_within = 0\nlinger = 0\n\
    [[watch.suite.detectors]]\nmethod.range = { margin = 0.1 }\n\
    [[watch.suite.detectors]]\nmethod.stale = { after_s = 30 }\n";

fn at(second: i64) -> TaiTime {
    TaiTime(1_000_000_000 * SECOND + second * SECOND)
}

fn database() -> MissionDatabase {
    let dictionary = Dictionary::from_xtce("s.xml", XTCE).expect("loads");
    let overlay = LimitsOverlay::parse("limits.csv", LIMITS_OF_A, None).expect("reads");
    let limits = LimitsVersion { number: 1, effective: Default::default(), overlay };
    MissionDatabase::new(VersionNumber(1), dictionary).with_limits(limits).expect("they fit")
}

struct World {
    database: MissionDatabase,
    watch: Watch,
}

impl World {
    fn new(rules: &str) -> Self {
        let detection = DetectionRules::parse("detection.toml", rules);
        assert_eq!(detection.problems, []);
        let watch = Watch::new("demo", Arc::new(detection), Arc::new(AlarmRules::built_in()));
        Self { database: database(), watch }
    }

    fn observe(&mut self, parameter: &str, second: i64, value: u64, verdicts: Verdicts) -> Vec<Observation> {
        let sample = SampleRecord {
            parameter: parameter.to_owned(),
            generation: Some(GenerationTime(at(second))),
            reading: ReadingKind::Raw,
            value: Scalar::Unsigned(value),
        };
        let decoder = MissionDecoder::new(self.database.clone(), PacketConventions::default());
        let bytes = sample.encode();
        // Late data are received when the newest are.
        let record = Record { reception: ReceptionTime(at(second.max(0) + 1_000)), verdicts, bytes: &bytes };
        let mut samples = Vec::new();
        decoder.decode_record(Content::Samples, record, &mut DecodedPacket::default(), &mut samples);
        assert_eq!(samples.len(), 1, "{parameter}");
        self.watch.on_arrival(&self.database, &Arrival { samples: &samples, packet: None, verdicts })
    }

    /// What is said of one sample, as `detector severity @second`, `late` where it is.
    fn say(&mut self, parameter: &str, second: i64, value: u64) -> Vec<String> {
        self.observe(parameter, second, value, Verdicts::NONE).iter().map(shown).collect()
    }

    fn restarted(&self, rules: &str) -> Self {
        let (bytes, left_out) = self.watch.encode(&self.database);
        assert_eq!(left_out, 0);
        let mut world = Self::new(rules);
        world.watch.restore(&bytes, &world.database).expect("reads");
        world
    }

    fn taught(rules: &str) -> Self {
        let mut world = Self::new(rules);
        for second in 0..10 {
            assert_eq!(world.say("/S/B", second, 50 + second as u64 % 2), [""; 0]);
        }
        world
    }
}

fn shown(seen: &Observation) -> String {
    let severity = seen.severity.map_or("over", AlarmSeverity::name);
    let second = (seen.generation.0.0 - at(0).0) / SECOND;
    let late = if seen.live { "" } else { " late" };
    format!("{} {severity} @{second}{late}", seen.subject.detector)
}

#[test]
fn violations_are_said_when_they_have_lasted_and_when_they_are_over() {
    let mut world = World::new("");
    assert_eq!(world.say("/S/A", 0, 150), [""; 0]);
    assert_eq!(world.say("/S/A", 1, 150), ["limits warning @1"]);
    assert_eq!(world.say("/S/A", 2, 250), ["limits critical @2"]);
    assert_eq!(world.say("/S/A", 3, 250), [""; 0]);
    assert_eq!(world.say("/S/A", 4, 50), ["limits over @4"]);
    let seen = world.observe("/S/A", 5, 150, Verdicts::NONE);
    assert!(seen.is_empty());
    let seen = world.observe("/S/A", 6, 151, Verdicts::NONE);
    let cause = &seen[0].cause;
    assert_eq!((cause.seen, cause.threshold), (Some(151.0), Some(100.0)));
    assert_eq!(seen[0].terms.merge_window_s, 60);
}

#[test]
fn what_is_further_beyond_than_before_is_said_again_until_it_is_over() {
    let mut world = World::new("");
    world.say("/S/A", 0, 150);
    world.say("/S/A", 1, 150);
    assert_eq!(world.say("/S/A", 2, 150), [""; 0]);
    let seen = world.observe("/S/A", 3, 170, Verdicts::NONE);
    assert_eq!(seen.iter().map(shown).collect::<Vec<_>>(), ["limits warning @3"]);
    assert_eq!((seen[0].cause.seen, seen[0].cause.threshold), (Some(170.0), Some(100.0)));
    assert_eq!(world.say("/S/A", 4, 160), [""; 0]);
    assert_eq!(world.say("/S/A", 6, 50), ["limits over @6"]);
    world.say("/S/A", 7, 150);
    assert_eq!(world.say("/S/A", 8, 120), ["limits warning @8"]);
    assert_eq!(world.say("/S/A", 9, 150), ["limits warning @9"], "another occurrence counts anew");
}

#[test]
fn the_first_violation_after_a_restart_is_said_because_it_may_be_the_furthest() {
    let mut world = World::new("");
    world.say("/S/A", 0, 150);
    world.say("/S/A", 1, 150);
    let mut world = world.restarted("");
    let seen = world.observe("/S/A", 2, 170, Verdicts::NONE);
    assert_eq!(seen.iter().map(shown).collect::<Vec<_>>(), ["limits warning @2"]);
    assert_eq!((seen[0].cause.seen, seen[0].cause.threshold), (Some(170.0), Some(100.0)));
    assert_eq!(world.say("/S/A", 3, 170), [""; 0]);
}

#[test]
fn a_higher_score_of_the_detector_that_raised_it_is_said_again() {
    let mut world = World::taught(RANGE_OF_B);
    assert_eq!(world.say("/S/B", 10, 90), ["range distress @10"]);
    let seen = world.observe("/S/B", 11, 120, Verdicts::NONE);
    assert_eq!(seen.iter().map(shown).collect::<Vec<_>>(), ["range distress @11"]);
    assert_eq!(seen[0].cause.seen, Some(120.0));
    assert_eq!(world.say("/S/B", 12, 100), [""; 0]);
}

#[test]
fn hysteresis_is_judged_by_the_packet_a_value_stands_in() {
    let mut world = World::new("");
    let mut say = |second: i64, value: u8| {
        let bytes = [value];
        let mut packet = DecodedPacket::default();
        let reading = world.database.at(at(second));
        reading.dictionary.decode(&bytes, &mut packet).expect("a byte is enough");
        let (generation, reception) = (GenerationTime(at(second)), ReceptionTime(at(second)));
        let sample = Sample::new(reading, &packet.values[0], generation, reception);
        let arrival = Arrival { samples: &[sample], packet: Some(&packet), verdicts: Verdicts::NONE };
        world.watch.on_arrival(&world.database, &arrival).iter().map(shown).collect::<Vec<_>>()
    };
    assert_eq!((say(0, 150), say(1, 150)), (vec![], vec!["limits warning @1".to_owned()]));
    assert_eq!(say(2, 95), [""; 0], "it is not ten below the limit");
    assert_eq!(say(3, 89), ["limits over @3"]);
}

#[test]
fn late_data_never_count_as_live() {
    let mut world = World::new("");
    world.say("/S/A", 100, 50);
    for verdict in [Verdict::Stale, Verdict::SequenceLate] {
        world.observe("/S/A", 200, 150, verdict.into());
        let seen = world.observe("/S/A", 201, 150, verdict.into());
        assert_eq!(seen.iter().map(shown).collect::<Vec<_>>(), ["limits warning @201 late"]);
        world.observe("/S/A", 202, 50, verdict.into());
    }
    // Nobody says so, and they are older than the newest.
    world.say("/S/A", 10, 150);
    assert_eq!(world.say("/S/A", 11, 150), ["limits warning @11 late"]);
    assert_eq!(world.say("/S/A", 12, 50), ["limits over @12 late"]);
    // A parameter that is seen for the first time, in data from long before what was heard.
    assert_eq!(world.say("/S/B", 1_000, 1), [""; 0]);
    let mut world = world.restarted("");
    world.say("/S/A", 20, 150);
    assert_eq!(world.say("/S/A", 21, 150), ["limits warning @21 late"]);
}

#[test]
fn a_copy_that_another_link_brings_is_not_another_violation() {
    let mut world = World::new("");
    assert_eq!(world.say("/S/A", 0, 150), [""; 0]);
    assert_eq!(world.say("/S/A", 0, 150), [""; 0]);
    assert_eq!(world.say("/S/A", 1, 150), ["limits warning @1"]);
}

#[test]
fn a_time_that_cannot_be_is_not_believed() {
    let mut world = World::new("");
    // A year ahead: were it believed, all that follows would be late.
    world.say("/S/A", 0, 50);
    let ahead = Verdict::TimeAhead.into();
    world.observe("/S/A", 1, 150, ahead);
    assert_eq!(world.say("/S/A", 1_001, 150), [""; 0]);
    assert_eq!(world.say("/S/A", 1_002, 150), ["limits warning @1002"]);
}

#[test]
fn detectors_run_on_what_rules_name_and_say_what_speaks_for_it() {
    let mut world = World::taught(RANGE_OF_B);
    let seen = world.observe("/S/B", 10, 90, Verdicts::NONE);
    assert_eq!(seen.iter().map(shown).collect::<Vec<_>>(), ["range distress @10"]);
    assert!(seen[0].cause.score > seen[0].cause.threshold && seen[0].cause.seen == Some(90.0));
    assert_eq!(world.say("/S/B", 11, 89), [""; 0]);
    assert_eq!(world.say("/S/B", 12, 50), ["range over @12"]);
    assert_eq!((world.watch.watched(), world.watch.unwatched()), (1, 0));
    let mut world = World::new("");
    for second in 0..30 {
        assert_eq!(world.say("/S/B", second, if second < 20 { 50 } else { 250 }), [""; 0]);
    }
}

#[test]
fn each_mode_has_a_baseline_of_its_own() {
    let mut world = World::taught(RANGE_OF_B);
    world.say("/S/MODE", 10, 3);
    assert_eq!(world.say("/S/B", 11, 90), [""; 0], "nothing is learned of this mode");
    world.say("/S/MODE", 12, 0);
    assert_eq!(world.say("/S/B", 13, 90), ["range distress @13"]);
}

#[test]
fn what_stays_away_while_others_come_is_stale_until_it_comes() {
    let mut world = World::taught(RANGE_OF_B);
    for second in 10..39 {
        assert_eq!(world.say("/S/A", second, 50), [""; 0]);
    }
    assert_eq!(world.say("/S/A", 40, 50), ["stale distress @40"]);
    assert_eq!(world.say("/S/A", 41, 50), [""; 0]);
    assert_eq!(world.say("/S/B", 42, 50), ["stale over @42"]);
}

#[test]
fn where_nothing_is_heard_nothing_is_stale() {
    let mut world = World::taught(RANGE_OF_B);
    for second in 5_000..5_030 {
        assert_eq!(world.say("/S/A", second, 50), [""; 0], "a pass begins, and A comes before B");
    }
    assert_eq!(world.say("/S/A", 5_031, 50), ["stale distress @5031"]);
}

#[test]
fn a_restart_goes_on_where_it_was_and_says_what_stands_once_more() {
    let mut world = World::taught(RANGE_OF_B);
    world.say("/S/A", 10, 150);
    let mut world = world.restarted(RANGE_OF_B);
    assert_eq!(world.say("/S/A", 11, 150), ["limits warning @11"], "the first violation counts");
    assert_eq!(world.say("/S/B", 12, 90), ["range distress @12"], "what was learned is there");
    let mut world = world.restarted(RANGE_OF_B);
    assert_eq!(world.say("/S/B", 13, 90), ["range distress @13"]);
    assert_eq!(world.say("/S/B", 14, 90), [""; 0]);
    assert_eq!(world.say("/S/A", 15, 50), ["limits over @15"]);
    assert_eq!(world.say("/S/A", 16, 50), [""; 0]);
}

#[test]
fn what_stands_by_a_rule_that_is_gone_finds_its_end() {
    let mut world = World::taught(RANGE_OF_B);
    world.say("/S/B", 10, 90);
    let mut restarted = world.restarted("");
    assert_eq!(restarted.say("/S/B", 11, 90), ["range over @11"]);
    world.watch.use_detection_rules(Arc::default(), &world.database);
    assert_eq!(world.say("/S/B", 11, 90), ["range over @11"]);
    // The caller's store knows more than what was saved.
    let mut world = World::new("");
    world.watch.say_again("/S/B", "hampel");
    assert_eq!(world.say("/S/B", 11, 90), ["hampel over @11"]);
}

#[test]
fn a_state_that_was_altered_or_is_of_another_version_is_refused() {
    let world = World::taught(RANGE_OF_B);
    let (bytes, _) = world.watch.encode(&world.database);
    let restore = |bytes: &[u8]| World::new(RANGE_OF_B).watch.restore(bytes, &world.database);
    assert_eq!(restore(&bytes), Ok(()));
    assert!(restore(&bytes[..bytes.len() - 1]).is_err() && restore(&[]).is_err());
    let mut altered = bytes.clone();
    altered[20] ^= 1;
    assert!(restore(&altered).is_err());
    altered = bytes;
    altered[1] = 9;
    assert!(matches!(restore(&altered), Err(crate::detect::SavedStateError::Format { format: 9 })));
}

#[test]
fn a_rule_that_is_wrong_is_told_with_its_place_and_the_others_count() {
    let good = "[[watch]]\nparameters = [\"/S/B\"]\n";
    for (wrong, line, said) in [
        ("[[watch]]\nparameters = []\n", 4, "names nothing"),
        ("[[watch]]\nparameters = [\"/S/*\"]\nseverity = \"bad\"\n", 6, "unknown variant"),
        ("[[watch]]\nparameters = [\"/S/*\"]\nseverety = \"watch\"\n", 6, "unknown field"),
        ("[[watch]]\nparameters = [\n", 6, ""),
        ("[[watch]]\nparameters = [\"/S/*\"]\n[[watch.suite.detectors]]\nmethod.magic = {}\n", 7, "magic"),
    ] {
        let rules = DetectionRules::parse("detection.toml", &format!("version = 7\n\n\n{wrong}{good}"));
        assert_eq!((rules.version, rules.len(), rules.problems.len()), (7, 1, 1), "{wrong} {rules:?}");
        let problem = &rules.problems[0];
        assert!(problem.message.contains(said), "{problem}");
        assert!(problem.line.abs_diff(line) <= 1, "{problem}");
        assert!(rules.rule_of("/S/B").is_some() && rules.rule_of("/S/A").is_none());
    }
    let rules = DetectionRules::parse("detection.toml", &"x".repeat(300 << 10));
    assert!(rules.is_empty() && rules.problems.len() == 1);
}

proptest! {
    #[test]
    fn the_same_records_give_the_same_observations_over_any_restart(
        samples in proptest::collection::vec((0u8..3, 0i64..4, 0u64..256), 1..120),
        restart in any::<proptest::sample::Index>(),
    ) {
        let (mut straight, mut second) = (World::new(RANGE_OF_B), 0);
        let mut interrupted = World::new(RANGE_OF_B);
        let (mut boards, place) = ([Board::new(Place::Hub), Board::new(Place::Hub)], restart.index(samples.len()));
        for (index, (parameter, step, value)) in samples.iter().enumerate() {
            second += step;
            if index == place {
                // What another link brings of the newest sample is not known for a copy after a restart.
                second += 1;
                interrupted = interrupted.restarted(RANGE_OF_B);
            }
            let name = ["/S/A", "/S/B", "/S/MODE"][usize::from(*parameter)];
            for (world, board) in [&mut straight, &mut interrupted].into_iter().zip(&mut boards) {
                for seen in world.observe(name, second, *value, Verdicts::NONE) {
                    board.on_observation(&seen, at(second));
                }
                board.on_time(at(second));
            }
        }
        let alarms = boards.map(|board| board.alarms().cloned().collect::<Vec<_>>());
        prop_assert_eq!(&alarms[0], &alarms[1]);
    }

    #[test]
    fn whatever_a_document_says_it_is_read(text in "[a-z\\[\\]=\" \n*/.{}0-9]{0,300}") {
        let _ = DetectionRules::parse("detection.toml", &text);
        let _ = DetectionRules::parse("detection.toml", &format!("[[watch]]\n{text}\n[[watch]]\nparameters = [\"/S/B\"]"));
    }

    #[test]
    fn whatever_bytes_a_state_has_it_is_taken_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let world = World::new(RANGE_OF_B);
        let _ = World::new(RANGE_OF_B).watch.restore(&bytes, &world.database);
    }
}
