//! A history beside a real journal: what it answers is what all samples say, wherever the answer comes from.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use delivery::{BatchBuilder, BatchSequence};
use mission_database::ParameterIndex;
use processing::{Buckets, PacketTime, RangeAnswer, RangeQuery, RangeScan, Series, Wanted};
use service::config::{Bytes, Span};
use service::mission::{MissionConfig, PacketErrorControl};
use space_packet::{Apid, ReceptionTime, SequenceCount, TaiTime, build_packet};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use super::names::ParameterNames;
use super::plan::Plan;
use super::*;
use crate::journal::{self, JournalLimits, JournalOptions, Opening};

/// 2026-01-01T00:00:00Z.
const BEGIN_UNIX_MS: i64 = 1_767_225_600_000;
const DAY_MS: i64 = 86_400_000;
const SECOND: i64 = 1_000_000_000;
/// The first byte behind the time.
const VALUE: usize = 12;

struct World {
    folder: tempfile::TempDir,
    mission: LoadedMission,
    config: HistoryConfig,
    truth: Vec<Sample>,
    /// Packets that an earlier journal had.
    packets_before: usize,
    now_ms: i64,
}

struct Node {
    journal: JournalHandle,
    history: Arc<History>,
    stop: CancellationToken,
    end: oneshot::Receiver<()>,
}

fn mission(directory: &Path) -> LoadedMission {
    let names: Vec<String> = (0..=VALUE).map(|place| format!("BYTE_{place}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    std::fs::write(directory.join("demo.xml"), crate::documents::tests::xtce(&names)).expect("written");
    let config = MissionConfig {
        name: "demo".to_owned(),
        title: None,
        dictionary: "demo.xml".into(),
        alarms: None,
        detection: None,
        packet_time: PacketTime::Cds {
            offset_bytes: 6,
            day_bits: 16,
            submilliseconds: Default::default(),
            p_field: false,
            epoch: None,
        },
        packet_error_control: PacketErrorControl::None,
    };
    service::mission::load(&directory.join("edge.toml"), &config, directory, &|_, _| Ok(())).expect("loads")
}

fn packet(made_ms: i64) -> Vec<u8> {
    // 4,383 days from 1958 to 1970.
    let mut data = ((made_ms / DAY_MS + 4_383) as u16).to_be_bytes().to_vec();
    data.extend_from_slice(&((made_ms % DAY_MS) as u32).to_be_bytes());
    // Neighbours differ, and no minute looks like another.
    data.push((made_ms / 100).wrapping_mul(2_654_435_761).to_be_bytes()[5]);
    let (apid, count) = (Apid::try_from(20).expect("in range"), SequenceCount::default());
    build_packet(apid, count, true, &data).expect("it fits")
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a directory");
        let mission = mission(folder.path());
        let config = HistoryConfig::default();
        Self { folder, mission, config, truth: Vec::new(), packets_before: 0, now_ms: BEGIN_UNIX_MS }
    }

    fn history(&self) -> PathBuf {
        self.folder.path().join("history")
    }

    /// Starts a node. Of what the hub has it keeps little.
    fn start(&self) -> Node {
        let mut opener = journal::opener(self.folder.path(), JournalOptions::default());
        let opened = opener(Opening::Again).expect("opens");
        let limits = JournalLimits {
            retained_bytes_max: 64 << 20,
            acknowledged_bytes_max: 40_000,
            ..JournalLimits::none(self.folder.path())
        };
        let (events, _) = tokio::sync::mpsc::channel(1);
        let (journal, _end) = crate::journal::start(opened, opener, limits, events).expect("starts");
        self.follow(&self.history(), journal)
    }

    fn follow(&self, directory: &Path, journal: JournalHandle) -> Node {
        let history = Arc::new(History::open(
            directory,
            &self.config,
            std::slice::from_ref(&self.mission),
            journal.clone(),
        ));
        let stop = CancellationToken::new();
        let end = start(Arc::clone(&history), None, |_, _| {}, stop.clone()).expect("starts");
        Node { journal, history, stop, end }
    }

    /// Receives for so many seconds, two packets each; every ten minutes comes a minute of an hour ago once more.
    async fn receive(&mut self, node: &Node, seconds: i64) {
        let end_ms = self.now_ms + seconds * 1_000;
        while self.now_ms < end_ms {
            let mut builder = BatchBuilder::new("demo", "antenna");
            for _ in 0..20 {
                self.push(&mut builder, self.now_ms);
                if self.now_ms / 60_000 % 10 == 3 {
                    self.push(&mut builder, self.now_ms - 3_600_050);
                }
                self.now_ms += 500;
            }
            let body = builder.pack().expect("some");
            node.journal.append(body, Vec::new(), Vec::new()).await.expect("taken");
            if self.now_ms / 1_000 % 50 == 0 {
                self.settle(node).await;
            }
        }
        self.settle(node).await;
    }

    fn push(&mut self, builder: &mut BatchBuilder, made_ms: i64) {
        let reception = ReceptionTime(TaiTime::from_unix_nanos(self.now_ms * 1_000_000));
        let packet = packet(made_ms);
        builder.push(reception, &packet);
        let mut scratch = DecodedPacket::default();
        self.mission.decoder.decode(reception, &packet, &mut scratch, &mut self.truth);
    }

    /// Waits until the history has read everything.
    async fn settle(&self, node: &Node) {
        let packets = self.truth.len() / (VALUE + 1) - self.packets_before;
        for _ in 0..20_000 {
            let head = node.journal.state().borrow().head;
            if head.records == packets as u64 && node.history.missions[0].state().sequence() == head.number()
            {
                return;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        panic!("the history never came to the end of the journal");
    }

    /// The hub takes everything, so that the journal keeps its newest batches only.
    async fn acknowledge(&self, node: &Node) {
        let state = *node.journal.state().borrow();
        let head = BatchSequence(state.head.number());
        node.journal.acknowledged(state.store, head, head).await.expect("heard");
        for _ in 0..20_000 {
            if node.journal.state().borrow().tail.is_some_and(|tail| tail.0 > 1) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        panic!("the journal never forgot anything");
    }

    fn value(&self) -> ParameterIndex {
        self.mission.decoder.database().find(&format!("/D/BYTE_{VALUE}")).expect("it is described")
    }

    fn at(&self, seconds: i64) -> i64 {
        TaiTime::from_unix_nanos((BEGIN_UNIX_MS + seconds * 1_000) * 1_000_000).0
    }

    /// What all samples say, in pixels that begin where the history's do.
    fn expected(&self, query: RangeQuery, unit: i64) -> RangeAnswer {
        let mut scan = if unit > 0 { RangeScan::aligned(query, unit) } else { RangeScan::new(query) };
        let mut wanted = self.truth.iter().filter(|sample| sample.parameter == query.parameter).cloned();
        if let Some(first) = wanted.next() {
            let mut series = Series::starting_with(first);
            wanted.for_each(|sample| assert!(series.push(sample)));
            scan.add(0, series.view());
        }
        scan.finish()
    }

    fn query(&self, (from, to): (i64, i64), wanted: Wanted) -> RangeQuery {
        let (from, to) = (TaiTime(from), TaiTime(to));
        RangeQuery { parameter: self.value(), from, to, wanted, reading: None }
    }

    async fn pixels(&self, node: &Node, range: (i64, i64), points: usize) -> (Buckets, Buckets, Plan) {
        let query = self.query(range, Wanted::Pixels { points });
        let tail = node.journal.state().borrow().tail.map_or(0, |tail| tail.0);
        let plan = node.history.missions[0].state().plan(&query, tail);
        let found = node.history.range("demo", 0, query).await.expect("it answers");
        let (RangeAnswer::Pixels(found), RangeAnswer::Pixels(expected)) =
            (found, self.expected(query, plan.unit))
        else {
            panic!("pixels were asked for");
        };
        (found, expected, plan)
    }

    async fn check(&self, node: &Node, range: (i64, i64), points: usize) -> Plan {
        let (found, expected, plan) = self.pixels(node, range, points).await;
        assert_eq!(found, expected, "{range:?} in {points} points by {plan:?}");
        plan
    }
}

impl Node {
    /// Ends the history alone.
    async fn end(self) {
        self.stop.cancel();
        self.end.await.expect("everything is written");
    }

    async fn stop(self) {
        self.stop.cancel();
        self.end.await.expect("everything is written");
        // The engine lets go of its files when its thread ends, which is when the last handle is gone.
        let mut state = self.journal.state();
        drop((self.journal, self.history));
        while state.changed().await.is_ok() {}
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn hours_from_memory_journal_and_roll_ups_are_one_answer_over_restarts() {
    let mut world = World::new();
    let mut node = world.start();
    for _ in 0..3 {
        world.receive(&node, 3_700).await;
        world.acknowledge(&node).await;
        node.stop().await;
        node = world.start();
        world.settle(&node).await;
    }
    world.receive(&node, 1_800).await;
    let hour = 3_600 * SECOND;
    let (begin, end) = (world.at(-4_000), world.at(14_000));
    let mut sources = Vec::new();
    for (range, points) in [
        ((begin, end), 4),
        ((begin, end), 10),
        ((begin, end), 100),
        ((begin, end), 1_000),
        ((begin / hour * hour, end / hour * hour), 3),
        ((world.at(1_234), world.at(9_876)), 70),
        ((world.at(1_234), world.at(9_876)), 2_000),
        ((world.at(12_000), world.at(12_600)), 300),
        ((world.at(12_599), world.at(12_900) + 77), 200),
        ((world.at(12_890), world.at(12_895) + 500), 5),
        ((world.at(12_700) + 250, world.at(13_000) + 250), 50),
    ] {
        let plan = world.check(&node, range, points).await;
        sources.extend(plan.parts.into_iter().map(|part| part.source));
    }
    sources.sort_unstable();
    sources.dedup();
    assert_eq!(sources.len(), 4, "every source had its part: {sources:?}");
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_hold_every_sample_of_the_journal_once() {
    let mut world = World::new();
    let node = world.start();
    world.receive(&node, 5_000).await;
    let (mut from, to) = (world.at(-4_000), world.at(4_000));
    let mut found: Vec<Sample> = Vec::new();
    loop {
        let query = world.query((from, to), Wanted::Page { limit: 700 });
        let answer = node.history.range("demo", 0, query).await.expect("it answers");
        let RangeAnswer::Page { samples, next } = answer else { panic!("a page was asked for") };
        found.extend(samples.into_iter().map(|(_, sample)| sample));
        match next {
            Some(next) => from = next.0,
            None => break,
        }
    }
    let is_wanted = |sample: &&Sample| sample.parameter == world.value() && sample.generation.0.0 < to;
    let mut expected: Vec<&Sample> = world.truth.iter().filter(is_wanted).collect();
    expected.sort_by_key(|sample| sample.generation);
    assert!(found.is_sorted_by_key(|sample| sample.generation));
    assert_eq!(found.iter().collect::<Vec<_>>(), expected);
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_in_memory_only_is_read_from_the_journal_again() {
    let mut world = World::new();
    let node = world.start();
    world.receive(&node, 2_000).await;
    // The files as a power cut leaves them: half a block at the end, and nothing of what would be made of it.
    let copy = world.folder.path().join("copy");
    let written = {
        // Nothing is written meanwhile.
        let state = node.history.missions[0].state();
        copy_folder(&world.history(), &copy);
        state.levels[0].bytes()
    };
    std::fs::remove_dir_all(copy.join("demo/minutes")).expect("removed");
    let seconds = std::fs::read_dir(copy.join("demo/seconds"))
        .expect("listed")
        .next()
        .expect("a file")
        .expect("listed");
    let whole = std::fs::read(seconds.path()).expect("read");
    assert!(written > 0 && whole.len() as u64 == written);
    std::fs::write(seconds.path(), &whole[..whole.len() - 100]).expect("written");
    let again = world.follow(&copy, node.journal.clone());
    world.settle(&again).await;
    for points in [3, 30, 300] {
        let (begin, end) = (world.at(-4_000) / (60 * SECOND) * (60 * SECOND), world.at(3_000));
        world.check(&again, (begin, end), points).await;
    }
    again.end().await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_journal_that_begins_anew_goes_on_where_the_roll_ups_of_the_old_one_end() {
    let mut world = World::new();
    let node = world.start();
    world.receive(&node, 1_100).await;
    node.stop().await;
    std::fs::remove_dir_all(world.folder.path().join("journal")).expect("removed");
    world.packets_before = world.truth.len() / (VALUE + 1);
    let node = world.start();
    world.receive(&node, 900).await;
    for points in [2, 20, 200, 2_000] {
        world.check(&node, (world.at(-4_000), world.at(2_100)), points).await;
    }
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn when_the_journal_is_replaced_while_the_node_runs_batches_count_from_one_again() {
    let mut world = World::new();
    let node = world.start();
    world.receive(&node, 300).await;
    let history = Arc::clone(&node.history);
    node.stop().await;
    history.begin_journal([9; 16]);
    let state = history.missions[0].state();
    assert_eq!((state.sequence(), state.in_memory_behind()), (0, 0));
    assert!(state.runs.unwritten().is_empty());
    assert!(state.runs.forgotten(0) >= world.at(299), "roll-ups answer for what only the old journal holds");
}

#[test]
fn a_parameter_keeps_its_number_whatever_place_a_dictionary_gives_it() {
    let folder = tempfile::tempdir().expect("a directory");
    let load = |names: &[&str]| {
        let dictionary =
            mission_database::Dictionary::from_xtce("x.xml", &crate::documents::tests::xtce(names));
        MissionDatabase::new(mission_database::VersionNumber(1), dictionary.expect("loads"))
    };
    let (first, second) = (load(&["A", "B"]), load(&["C", "B", "A"]));
    let all = |database: &MissionDatabase| (0..database.parameters().len() as u32).map(ParameterIndex);
    let mut names = ParameterNames::open(folder.path()).expect("opens");
    names.number(&first, all(&first)).expect("written");
    // What a power cut left of a line is no name.
    let path = folder.path().join("parameters");
    let text = std::fs::read_to_string(&path).expect("read");
    std::fs::write(&path, format!("{text}/D/C")).expect("written");
    let mut names = ParameterNames::open(folder.path()).expect("opens");
    assert_eq!(names.known(&second, ParameterIndex(0)), None);
    names.number(&second, all(&second)).expect("written");
    let found: Vec<_> = all(&second).map(|parameter| names.known(&second, parameter)).collect();
    assert_eq!((found, names.len()), (vec![Some(2), Some(1), Some(0)], 3));
    assert_eq!(std::fs::read_to_string(&path).expect("read").lines().count(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_block_is_passed_over_and_the_rest_answers() {
    let mut world = World::new();
    let node = world.start();
    world.receive(&node, 3_000).await;
    world.acknowledge(&node).await;
    node.stop().await;
    for file in std::fs::read_dir(world.history().join("demo/seconds")).expect("listed") {
        let path = file.expect("listed").path();
        let mut bytes = std::fs::read(&path).expect("read");
        let middle = bytes.len() / 2;
        bytes[middle..middle + 3_000].fill(0xAA);
        std::fs::write(&path, bytes).expect("written");
    }
    let node = world.start();
    world.settle(&node).await;
    let (begin, end) = (world.at(0), world.at(3_000));
    let (found, expected, plan) = world.pixels(&node, (begin, end), 3_000).await;
    assert!(found.count > expected.count / 2 && found.count < expected.count, "{} {plan:?}", found.count);
    assert!(
        plan.parts
            .iter()
            .any(|part| part.source == super::plan::Source::RollUps(processing::Resolution::Second))
    );
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_no_room_goes_finest_and_oldest_first_and_coarser_answers() {
    let mut world = World::new();
    world.config = HistoryConfig { quota: Bytes(400_000), hours: Span::from_days(1), ..world.config };
    let node = world.start();
    world.receive(&node, 16_000).await;
    world.acknowledge(&node).await;
    {
        let state = node.history.missions[0].state();
        assert!(state.bytes() <= 400_000, "{} bytes", state.bytes());
        assert!(state.levels[0].available_from() > world.at(0), "seconds had to go");
        assert_eq!(state.levels[1].available_from(), i64::MIN, "minutes are all there");
    }
    let minute = 60 * SECOND;
    let (begin, end) = (world.at(-4_000) / minute * minute, world.at(17_000) / minute * minute);
    for points in [10, 100, 2_000] {
        world.check(&node, (begin, end), points).await;
    }
    node.stop().await;
}

fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("made");
    for entry in std::fs::read_dir(from).expect("listed") {
        let entry = entry.expect("listed");
        let target = to.join(entry.file_name());
        if entry.file_type().expect("known").is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).expect("copied");
        }
    }
}
