//! The worst value of an alarm.

use super::*;

use AlarmSeverity::{Critical, Warning};

/// A board, and all that it wrote into one alarm.
struct Stored {
    board: Board,
    history: Option<History>,
}

impl Stored {
    fn new() -> Self {
        Self { board: Board::new(NODE), history: None }
    }

    fn see(&mut self, second: i64, severity: Option<AlarmSeverity>, cause: Cause) {
        self.see_as(&Observation { cause, ..seen(second, severity) }, second);
    }

    fn see_as(&mut self, seen: &Observation, second: i64) {
        let written = self.board.on_observation(seen, at(second));
        self.store(written);
    }

    fn wait_until(&mut self, second: i64) {
        let written = self.board.on_time(at(second));
        self.store(written);
    }

    fn store(&mut self, written: Vec<Written>) {
        for written in written {
            let new = || History::new(written.subject.clone(), written.first);
            self.history.get_or_insert_with(new).insert(written.entry).expect("as it was written");
        }
    }

    fn history(&self) -> &History {
        self.history.as_ref().expect("there is an alarm")
    }

    /// The worst value, and the second of its sample.
    fn worst(&self) -> Option<(f64, i64)> {
        let worst = self.history().worst_value()?;
        Some((worst.value, (worst.generation.0.0 - at(0).0) / SECOND))
    }

    fn reached(&self) -> usize {
        let is_one = |entry: &&&Entry| {
            entry.condition().is_some_and(|condition| matches!(condition.change, Change::Reached { .. }))
        };
        self.history().entries().iter().filter(is_one).count()
    }
}

#[test]
fn the_value_that_raised_it_is_the_worst_until_another_one_is_further_and_that_has_waited() {
    let mut alarm = Stored::new();
    alarm.see(0, Some(Warning), beyond(46.0, 45.0));
    assert_eq!(alarm.worst(), Some((46.0, 0)));
    alarm.see(1, Some(Warning), beyond(48.0, 45.0));
    alarm.see(2, Some(Warning), beyond(47.0, 45.0));
    alarm.see(3, Some(Warning), beyond(49.0, 45.0));
    assert_eq!(alarm.board.next_wakeup(), Some(at(11)));
    alarm.wait_until(11);
    assert_eq!((alarm.worst(), alarm.reached()), (Some((49.0, 3)), 1), "what lay between is not written");
    alarm.see(12, Some(Warning), beyond(48.5, 45.0));
    alarm.wait_until(1_000);
    assert_eq!(alarm.reached(), 1);
}

#[test]
fn below_a_low_limit_the_lowest_value_is_the_worst_whatever_the_limit_that_it_broke() {
    let mut alarm = Stored::new();
    alarm.see(0, Some(Warning), beyond(22.1, 24.0));
    alarm.see(1, Some(Critical), beyond(21.9, 22.0));
    assert_eq!(alarm.worst(), Some((21.9, 1)), "though it is nearer to its limit");
    alarm.see(2, Some(Critical), beyond(20.0, 22.0));
    alarm.see(3, None, beyond(28.0, 22.0));
    alarm.wait_until(63);
    assert_eq!(alarm.worst(), Some((20.0, 2)), "it is written with the end at the latest");
}

#[test]
fn of_both_sides_the_one_that_exceeds_its_limit_by_more_is_the_worst() {
    let mut alarm = Stored::new();
    alarm.see(0, Some(Warning), beyond(46.0, 45.0));
    alarm.see(1, Some(Warning), beyond(-9.0, -5.0));
    alarm.wait_until(11);
    assert_eq!(alarm.worst(), Some((-9.0, 1)));
    alarm.see(12, Some(Warning), beyond(48.0, 45.0));
    alarm.wait_until(100);
    assert_eq!(alarm.worst(), Some((-9.0, 1)));
    alarm.see(101, Some(Warning), beyond(50.0, 45.0));
    alarm.wait_until(200);
    assert_eq!(alarm.worst(), Some((50.0, 101)));
}

#[test]
fn of_a_detector_the_value_with_the_highest_score_is_the_worst() {
    let scored = |value: f64, score: f64| Cause { score: Some(score), ..beyond(value, 4.5) };
    let mut alarm = Stored::new();
    alarm.see(0, Some(Warning), scored(100.0, 5.0));
    alarm.see(1, Some(Warning), scored(3.0, 9.0));
    alarm.see(2, Some(Warning), scored(200.0, 7.0));
    alarm.wait_until(20);
    assert_eq!(alarm.worst(), Some((3.0, 1)));
}

#[test]
fn what_is_no_number_or_breaks_nothing_that_is_known_has_no_worst_value() {
    for cause in [Cause::default(), beyond(f64::NAN, 1.0), Cause { threshold: None, ..beyond(1.0, 0.0) }] {
        let mut alarm = Stored::new();
        alarm.see(0, Some(Warning), cause.clone());
        alarm.see(1, Some(Warning), cause);
        alarm.wait_until(1_000);
        assert_eq!((alarm.worst(), alarm.history().len()), (None, 1));
    }
}

#[test]
fn a_value_that_creeps_away_for_days_fills_no_history_and_its_end_is_exact() {
    let mut alarm = Stored::new();
    let days = 3 * 86_400;
    for second in 0..days {
        alarm.see(second, Some(Warning), beyond(45.0 + second as f64, 45.0));
    }
    assert_eq!(alarm.reached(), REACHED_MAX);
    alarm.see(days, None, beyond(0.0, 45.0));
    alarm.wait_until(days + 60);
    assert_eq!(alarm.worst(), Some((45.0 + (days - 1) as f64, days - 1)));
    let found = state(alarm.history(), days + 60);
    assert_eq!((found.state, found.occurrences), (State::ClearedUnacknowledged, 1), "nothing else is of it");
}

#[test]
fn a_worse_value_asks_for_no_acknowledgement_and_an_end_that_another_station_saw_stays_one() {
    let (mut board, mut history) = raised(Warning);
    let acknowledge = Request::Acknowledge { notices: None };
    history.act(&acknowledge, None, author("kari", NODE, 1, 1)).expect("nobody had seen it");
    let other = history.clone();
    board.on_observation(&Observation { cause: beyond(60.0, 45.0), ..seen(5, Some(Warning)) }, at(5));
    let reached = board.on_time(at(15));
    assert_eq!(reached.len(), 1);
    history.insert(reached[0].entry.clone()).expect("as it was written");
    assert_eq!(state(&history, 20), state(&other, 20));
    let mut elsewhere = Board::new(Place::Hub);
    elsewhere.restore(other);
    elsewhere.on_observation(&seen(3, None), at(3));
    for written in elsewhere.on_time(at(63)) {
        history.insert(written.entry).expect("as it was written");
    }
    assert_eq!(state(&history, 64).state, State::Normal);
}

#[test]
fn a_restart_knows_what_was_the_worst() {
    let mut alarm = Stored::new();
    alarm.see(0, Some(Warning), beyond(46.0, 45.0));
    alarm.see(1, Some(Warning), beyond(49.0, 45.0));
    alarm.wait_until(11);
    alarm.board = Board::new(NODE);
    alarm.board.restore(alarm.history().clone());
    alarm.see(12, Some(Warning), beyond(48.0, 45.0));
    alarm.wait_until(1_000);
    assert_eq!((alarm.worst(), alarm.reached()), (Some((49.0, 1)), 1));
}

#[test]
fn late_data_has_its_worst_value_when_it_is_over() {
    let mut alarm = Stored::new();
    let late = |second, severity, cause| Observation { live: false, cause, ..seen(second, severity) };
    alarm.see_as(&late(-500, Some(Warning), beyond(46.0, 45.0)), 0);
    alarm.see_as(&late(-490, Some(Warning), beyond(52.0, 45.0)), 0);
    alarm.see_as(&late(-480, None, beyond(1.0, 45.0)), 0);
    alarm.wait_until(61);
    assert_eq!(alarm.worst(), Some((52.0, -490)));
    assert!(state(alarm.history(), 61).is_retrospective);
}
