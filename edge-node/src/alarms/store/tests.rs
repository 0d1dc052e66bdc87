use delivery::NodeId;
use processing::alarm::{
    AlarmSeverity, Author, Board, Cause, EntryId, Observation, Place, Request, Subject, Terms,
};

use super::*;

const SECOND: i64 = 1_000_000_000;
const PLACE: Place = Place::Node(NodeId([7; 16]));

fn at(second: i64) -> TaiTime {
    TaiTime(1_000_000 * SECOND + second * SECOND)
}

/// What a board writes of an alarm that is raised; one of late data is closed.
fn raised(parameter: &str, second: i64, live: bool) -> Piece {
    let seen = Observation {
        subject: Subject {
            mission: "demo".to_owned(),
            node: None,
            detector: "limits".to_owned(),
            parameter: parameter.to_owned(),
        },
        severity: Some(AlarmSeverity::Warning),
        generation: GenerationTime(at(second)),
        live,
        terms: Terms::default(),
        cause: Cause::default(),
    };
    let written = Board::new(PLACE).on_observation(&seen, at(second)).pop().expect("it was raised");
    Piece { subject: written.subject, first: written.first, entries: vec![written.entry] }
}

fn acknowledged(piece: &Piece, second: i64) -> Piece {
    let mut history = History::try_from(piece.clone()).expect("sound");
    let author = Author { by: "kari".to_owned(), place: PLACE, at: at(second), id: EntryId([9; 16]) };
    let entry = history.act(&Request::Acknowledge { notices: None }, None, author).expect("it rings");
    Piece { entries: vec![entry], ..piece.clone() }
}

fn open(directory: &Path) -> Store {
    let (store, damage) = Store::open(directory).expect("opens");
    assert_eq!(damage, None);
    store
}

#[test]
fn what_is_kept_is_there_after_a_restart_and_waits_until_it_is_in_the_lane() {
    let folder = tempfile::tempdir().expect("a directory");
    let mut store = open(folder.path());
    let alarm = raised("/A", 1, true);
    store.keep(std::slice::from_ref(&alarm), Origin::Here, at(1)).expect("kept");
    store.keep(&[acknowledged(&alarm, 2)], Origin::Here, at(2)).expect("kept");
    store.keep(&[raised("/B", 3, true)], Origin::Hub(41), at(3)).expect("kept");
    let store = open(folder.path());
    let (history, known) = store.history(alarm.alarm()).expect("reads").expect("is there");
    assert_eq!((history.len(), known, store.kept()), (2, at(1), 41));
    assert!(AlarmState::of(&history, at(9)).unacknowledged.is_empty());
    let (last, pieces) = store.waiting().expect("reads").expect("two wait");
    assert_eq!((last, pieces.len(), &pieces[0]), (2, 2, &alarm));
    let mut store = open(folder.path());
    store.on_forwarded(last).expect("kept");
    let mut store = open(folder.path());
    assert_eq!(store.waiting().expect("reads"), None);
    store.keep(&[raised("/C", 4, true)], Origin::Here, at(4)).expect("kept");
    assert_eq!(store.waiting().expect("reads").expect("one waits").0, 3, "numbers go on");
}

#[test]
fn a_torn_end_is_cut_off_and_a_damaged_record_left_out() {
    let folder = tempfile::tempdir().expect("a directory");
    let path = folder.path().join("alarms.log");
    let mut store = open(folder.path());
    for (parameter, second) in [("/A", 1), ("/B", 2), ("/C", 3)] {
        store.keep(&[raised(parameter, second, true)], Origin::Here, at(second)).expect("kept");
    }
    let whole = std::fs::read(&path).expect("reads");
    let ends: Vec<u64> = records(&whole)
        .map(|found| match found {
            Found::Record { end, .. } | Found::Damaged { end } => end,
        })
        .collect();
    for cut in (ends[1] as usize + 1)..whole.len() {
        std::fs::write(&path, &whole[..cut]).expect("written");
        let (store, damage) = Store::open(folder.path()).expect("opens");
        assert_eq!(store.places().count(), 2);
        assert!(damage.expect("is told").contains(&format!("{} bytes", cut as u64 - ends[1])));
        assert_eq!(open(folder.path()).bytes(), ends[1], "it was cut off");
    }
    let mut damaged = whole;
    damaged[ends[0] as usize + 20] ^= 1;
    std::fs::write(&path, &damaged).expect("written");
    let (store, damage) = Store::open(folder.path()).expect("opens");
    assert_eq!((store.places().count(), damage.is_some()), (2, true));
    std::fs::write(&path, b"something else").expect("written");
    let (store, damage) = Store::open(folder.path()).expect("opens");
    assert_eq!((store.places().count(), damage.is_some()), (0, true));
    open(folder.path());
}

#[test]
fn the_oldest_closed_alarms_go_first_and_what_waits_stays() {
    let folder = tempfile::tempdir().expect("a directory");
    let (mut store, _) = Store::open_with(folder.path(), 16 << 10).expect("opens");
    let open_alarm = raised("/OPEN", 0, true);
    store.keep(std::slice::from_ref(&open_alarm), Origin::Hub(5), at(0)).expect("kept");
    let mut waiting = Vec::new();
    for second in 1..400 {
        let piece = raised("/LATE", second, false);
        let is_waiting = second > 390;
        let origin = if is_waiting { Origin::Here } else { Origin::Hub(second as u64) };
        store.keep(std::slice::from_ref(&piece), origin, at(second)).expect("kept");
        waiting.extend(is_waiting.then_some(piece));
        assert!(store.bytes() <= 16 << 10);
    }
    assert_eq!(store.kept(), 390);
    assert!(store.history(open_alarm.alarm()).expect("reads").is_some());
    let mut found = Vec::new();
    while let Some((last, pieces)) = store.waiting().expect("reads") {
        found.extend(pieces);
        store.on_forwarded(last).expect("kept");
    }
    assert_eq!(found, waiting);
    let before = (GenerationTime(TaiTime(i64::MAX)), AlarmId([0xFF; 16]));
    let closed = store.closed_before("demo", before, 1_000, at(999)).expect("reads");
    let times: Vec<_> = closed.iter().map(|history| history.first().0).collect();
    let newest_first: Vec<_> = (400 - closed.len() as i64..400).rev().map(at).collect();
    assert_eq!(times, newest_first);
    assert!(closed.len() > 10 && closed.len() < 390);
    let page =
        store.closed_before("demo", (closed[3].first(), closed[3].alarm()), 2, at(999)).expect("reads");
    assert_eq!(page, closed[4..6]);
    assert!(store.closed_before("other", before, 9, at(999)).expect("reads").is_empty());
}
