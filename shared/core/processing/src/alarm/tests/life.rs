//! What happens to one alarm, step by step.

use super::*;

use AlarmSeverity::{Critical, Severe, Warning};

/// A board with one alarm, and the acts of one person.
struct Desk {
    board: Board,
    acts: u8,
}

impl Desk {
    fn new() -> Self {
        Self { board: Board::new(NODE), acts: 0 }
    }

    fn see(&mut self, second: i64, severity: Option<AlarmSeverity>) -> Vec<Written> {
        self.board.on_observation(&seen(second, severity), at(second))
    }

    fn see_with(&mut self, second: i64, severity: Option<AlarmSeverity>, terms: Terms) {
        self.board.on_observation(&Observation { terms, ..seen(second, severity) }, at(second));
    }

    fn act(&mut self, second: i64, request: &Request) -> Result<Entry, ActRefused> {
        self.noted(second, request, None)
    }

    fn noted(&mut self, second: i64, request: &Request, note: Option<&str>) -> Result<Entry, ActRefused> {
        self.acts += 1;
        let alarm = self.history().alarm();
        let author = author("kari", NODE, second, self.acts);
        let history = self.board.alarm_mut(alarm).expect("it is on the board");
        history.act(request, note.map(str::to_owned), author)
    }

    fn history(&self) -> &History {
        self.board.alarms().next().expect("there is an alarm")
    }

    fn state(&self, second: i64) -> AlarmState {
        state(self.history(), second)
    }

    #[track_caller]
    fn check(&self, second: i64, expected: State) {
        assert_eq!(self.state(second).state, expected);
    }
}

const ALL: Request = Request::Acknowledge { notices: None };

#[test]
fn an_alarm_goes_its_way_through_the_states_of_isa_18_2() {
    let mut desk = Desk::new();
    desk.see(0, Some(Warning));
    desk.check(0, State::ActiveUnacknowledged);
    desk.see(10, None);
    desk.check(69, State::ActiveUnacknowledged);
    assert_eq!(desk.board.next_wakeup(), Some(at(70)));
    desk.board.on_time(at(70));
    desk.check(70, State::ClearedUnacknowledged);
    desk.act(80, &ALL).expect("there is something to acknowledge");
    desk.check(80, State::Normal);
    desk.board.on_time(at(81));
    assert_eq!(desk.board.alarms().count(), 0, "what is closed leaves the board");
}

#[test]
fn an_acknowledged_alarm_is_closed_when_it_is_over() {
    let mut desk = Desk::new();
    desk.see(0, Some(Warning));
    desk.act(5, &ALL).expect("it is unacknowledged");
    desk.check(5, State::ActiveAcknowledged);
    desk.see(10, None);
    desk.board.on_time(at(70));
    assert_eq!(desk.board.alarms().count(), 0);
}

#[test]
fn an_alarm_that_gets_worse_must_be_acknowledged_again_and_one_that_gets_better_need_not() {
    let mut desk = Desk::new();
    desk.see(0, Some(Warning));
    desk.act(1, &ALL).expect("it is unacknowledged");
    desk.see(2, Some(Critical));
    desk.check(2, State::ActiveUnacknowledged);
    desk.act(3, &ALL).expect("it is unacknowledged");
    desk.see(4, Some(Warning));
    desk.board.on_time(at(64));
    assert_eq!(desk.state(64).severity, Some(Warning), "better, once that has lasted");
    desk.see(65, Some(Critical));
    desk.check(65, State::ActiveAcknowledged);
    assert_eq!((desk.state(65).severity, desk.state(65).worst), (Some(Critical), Some(Critical)));
}

#[test]
fn what_comes_back_within_the_window_is_the_same_occurrence() {
    let mut desk = Desk::new();
    desk.see(0, Some(Warning));
    desk.act(1, &ALL).expect("it is unacknowledged");
    for second in (10..200).step_by(20) {
        assert_eq!(desk.see(second, None), []);
        assert_eq!(desk.see(second + 10, Some(Warning)), []);
    }
    desk.check(200, State::ActiveAcknowledged);
    desk.see(210, None);
    let written = desk.board.on_time(at(270));
    let cleared = written[0].entry.condition().expect("it is a condition");
    assert_eq!(cleared.change, Change::Cleared { latched: false, recurrences: 10 });
    assert_eq!(cleared.generation, generation(210), "it was over when the sample says so");
}

#[test]
fn what_comes_back_after_the_window_is_another_occurrence_of_an_open_alarm_and_another_alarm_of_a_closed_one()
{
    let mut desk = Desk::new();
    desk.see(0, Some(Warning));
    desk.see(10, None);
    desk.board.on_time(at(70));
    let first = desk.history().alarm();
    desk.see(100, Some(Warning));
    assert_eq!((desk.history().alarm(), desk.state(100).occurrences), (first, 2));
    desk.act(101, &ALL).expect("it is unacknowledged");
    desk.see(110, None);
    desk.board.on_time(at(170));
    desk.see(200, Some(Warning));
    assert_ne!(desk.history().alarm(), first);
    desk.check(200, State::ActiveUnacknowledged);
}

#[test]
fn a_latched_alarm_stays_until_it_is_acknowledged_and_reset() {
    let mut desk = Desk::new();
    let latch = || Terms { latch: true, merge_window_s: 0, ..terms() };
    desk.see_with(0, Some(Critical), latch());
    desk.see_with(10, None, latch());
    desk.check(10, State::ClearedUnacknowledged);
    assert!(matches!(desk.act(11, &Request::Reset {}), Err(ActRefused::Pointless(_))));
    desk.act(12, &ALL).expect("it is unacknowledged");
    desk.check(12, State::Latched);
    desk.act(13, &Request::Reset {}).expect("it is latched");
    desk.check(13, State::Normal);
}

#[test]
fn an_occurrence_that_is_over_needs_nobody_where_the_rule_says_so() {
    let mut desk = Desk::new();
    let auto = || Terms { auto_acknowledge: true, merge_window_s: 0, ..terms() };
    desk.see_with(0, Some(Warning), auto());
    desk.check(0, State::ActiveUnacknowledged);
    desk.see_with(10, None, auto());
    desk.check(10, State::Normal);
}

#[test]
fn a_shelved_alarm_is_silent_until_then_and_rings_when_it_gets_worse() {
    let mut desk = Desk::new();
    desk.see(0, Some(Warning));
    let hour = 3_600;
    desk.act(10, &Request::Shelve { until: at(hour) }).expect("an hour at most");
    desk.check(11, State::Shelved);
    assert_eq!(desk.state(11).next_change, Some(at(hour)));
    desk.check(hour, State::ActiveUnacknowledged);
    desk.see(20, Some(Critical));
    desk.check(20, State::ActiveUnacknowledged);
    desk.act(21, &ALL).expect("it is unacknowledged");
    desk.act(22, &Request::Shelve { until: at(hour) }).expect("shelved again, as bad as it is");
    desk.act(23, &Request::Unshelve {}).expect("it is shelved");
    desk.check(23, State::ActiveAcknowledged);
}

#[test]
fn shelving_is_for_eight_hours_at_most_and_says_why_beyond_one() {
    let mut desk = Desk::new();
    desk.see(0, Some(Warning));
    let shelve = |until: i64| Request::Shelve { until: at(until) };
    for until in [-1, 0, 8 * 3_600 + 1] {
        assert_eq!(desk.noted(0, &shelve(until), Some("why")), Err(ActRefused::Shelf), "{until}");
    }
    assert_eq!(desk.act(0, &shelve(3_601)), Err(ActRefused::NoNote));
    assert!(desk.noted(0, &shelve(8 * 3_600), Some("heater test, order 12")).is_ok());
    assert_eq!(desk.noted(0, &Request::Comment {}, Some(" ")), Err(ActRefused::NoNote));
}

#[test]
fn what_is_out_of_service_is_silent_until_it_is_restored() {
    let mut desk = Desk::new();
    desk.see(0, Some(Critical));
    let suppress = |kind, until: Option<i64>| Request::Suppress {
        kind,
        until: until.map(at),
        order: "WO-12".to_owned(),
    };
    assert_eq!(desk.act(1, &suppress(Suppression::OutOfService, Some(1))), Err(ActRefused::Suppression));
    desk.act(1, &suppress(Suppression::OutOfService, None)).expect("by an order");
    desk.check(1_000_000, State::OutOfService);
    assert_eq!(desk.state(5).process, State::ActiveUnacknowledged);
    desk.act(6, &Request::Restore {}).expect("it is out of service");
    desk.check(6, State::ActiveUnacknowledged);
    assert!(matches!(desk.act(7, &Request::Restore {}), Err(ActRefused::Pointless(_))));
    desk.act(8, &suppress(Suppression::ByDesign, Some(20))).expect("in safe mode");
    desk.check(19, State::SuppressedByDesign);
    desk.check(20, State::ActiveUnacknowledged);
}

#[test]
fn an_act_covers_what_was_shown_and_nothing_else() {
    let mut desk = Desk::new();
    desk.see(0, Some(Warning));
    let shown: Vec<_> = desk.state(0).unacknowledged.iter().map(|notice| notice.entry).collect();
    desk.see(1, Some(Severe));
    desk.act(2, &Request::Acknowledge { notices: Some(shown.clone()) }).expect("the first was shown");
    assert_eq!(desk.state(2).unacknowledged.len(), 1);
    desk.check(2, State::ActiveUnacknowledged);
    let again = desk.act(3, &Request::Acknowledge { notices: Some(shown) });
    assert!(matches!(again, Err(ActRefused::Pointless(_))), "{again:?}");
}

#[test]
fn a_request_that_was_sent_twice_is_one_act() {
    let (_, mut history) = raised(Warning);
    let first = history.act(&ALL, None, author("kari", NODE, 1, 9)).expect("it is unacknowledged");
    let second = history.act(&ALL, None, author("kari", NODE, 2, 9)).expect("it is known");
    assert_eq!((first, history.len()), (second, 2));
}

#[test]
fn owners_and_judgements_are_replaced_by_whoever_saw_them() {
    let mut desk = Desk::new();
    desk.see(0, Some(Warning));
    for to in [Some("kari"), Some("tom"), None] {
        desk.act(1, &Request::Assign { to: to.map(str::to_owned) }).expect("anybody may be named");
        assert_eq!(desk.state(1).owners, to.map(str::to_owned).into_iter().collect());
    }
    for usefulness in [Usefulness::True, Usefulness::False] {
        desk.act(2, &Request::Judge { usefulness }).expect("a judgement");
        assert_eq!(desk.state(2).usefulness, [usefulness].into());
    }
}

#[test]
fn acknowledging_works_when_an_alarm_has_all_the_acts_it_may_have() {
    let (_, mut history) = raised(Warning);
    for number in 0..=ACTS_MAX {
        let mut author = author("kari", NODE, 1, 0);
        author.id.0[..8].copy_from_slice(&(number as u64 + 1).to_le_bytes());
        let done = history.act(&Request::Comment {}, Some("still warm".to_owned()), author);
        assert_eq!(done.is_ok(), number < ACTS_MAX, "{number}");
    }
    assert!(history.act(&ALL, None, author("kari", NODE, 2, 255)).is_ok());
}

#[test]
fn late_data_writes_history_and_rings_for_nobody() {
    let mut desk = Desk::new();
    let late = |second, severity| Observation { live: false, ..seen(second, severity) };
    let written = desk.board.on_observation(&late(-5_000, Some(Severe)), at(0));
    assert_eq!(written.len(), 1);
    assert_eq!(desk.board.alarms().count(), 0);
    let mut history = History::new(written[0].subject.clone(), written[0].first);
    history.insert(written[0].entry.clone()).expect("as it was written");
    desk.board.on_observation(&late(-4_000, None), at(1));
    let written = desk.board.on_time(at(61));
    history.insert(written[0].entry.clone()).expect("as it was written");
    let found = state(&history, 61);
    assert_eq!((found.state, found.is_retrospective, found.worst), (State::Normal, true, Some(Severe)));
    assert!(found.unacknowledged.is_empty());
}

#[test]
fn late_data_about_the_same_sample_does_not_let_a_shelving_hide_more() {
    let mut desk = Desk::new();
    let auto = || Terms { auto_acknowledge: true, merge_window_s: 0, ..terms() };
    desk.see_with(0, Some(Warning), auto());
    desk.see_with(1, None, auto());
    let late = Observation { live: false, ..seen(0, Some(Severe)) };
    let written = desk.board.on_observation(&late, at(2));
    let alarm = desk.board.alarm_mut(written[0].alarm).expect("the sample is the same, and so is the alarm");
    alarm.insert(written[0].entry.clone()).expect("as it was written");
    desk.act(3, &Request::Shelve { until: at(60) }).expect("within the hour");
    desk.see_with(4, Some(Critical), auto());
    desk.check(4, State::ActiveUnacknowledged);
}

#[test]
fn a_sample_older_than_what_the_alarm_knows_is_late_whatever_is_said_of_it() {
    let mut desk = Desk::new();
    desk.see(100, Some(Warning));
    desk.board.on_observation(&seen(50, None), at(101));
    desk.board.on_time(at(1_000));
    desk.check(1_000, State::ActiveUnacknowledged);
    let written = desk.board.on_observation(&seen(51, Some(Severe)), at(1_001));
    assert!(written.iter().all(|written| written.entry.condition().is_some_and(|found| !found.live)));
    assert_eq!(desk.state(1_001).severity, Some(Warning));
}

#[test]
fn an_alarm_under_a_stuck_clock_is_not_taken_for_the_one_before() {
    let mut desk = Desk::new();
    let at_once = || Terms { merge_window_s: 0, ..terms() };
    let mut alarms = std::collections::BTreeSet::new();
    for _ in 0..3 {
        desk.see_with(0, Some(Warning), at_once());
        assert!(alarms.insert(desk.history().alarm()));
        desk.check(0, State::ActiveUnacknowledged);
        desk.act(0, &ALL).expect("it is unacknowledged");
        desk.see_with(0, None, at_once());
        desk.check(0, State::Normal);
    }
}

#[test]
fn a_restart_takes_an_alarm_up_where_it_stood() {
    let (_, history) = raised(Warning);
    let mut board = Board::new(NODE);
    board.restore(history.clone());
    assert_eq!(board.on_observation(&seen(5, Some(Warning)), at(5)), [], "what stands is not raised again");
    board.on_observation(&seen(6, None), at(6));
    board.on_time(at(66));
    let found = board.alarms().next().expect("it is unacknowledged");
    assert_eq!((found.alarm(), state(found, 66).state), (history.alarm(), State::ClearedUnacknowledged));
}

#[test]
fn an_alarm_that_another_place_took_for_over_is_raised_again_by_the_next_sample() {
    let (mut board, history) = raised(Warning);
    let mut elsewhere = Board::new(Place::Hub);
    elsewhere.restore(history);
    elsewhere.on_observation(&seen(5, None), at(5));
    elsewhere.on_time(at(65));
    board.on_history(elsewhere.alarms().next().expect("nobody has seen it"));
    assert_eq!(state(board.alarms().next().expect("it is there"), 70).severity, None);
    board.on_observation(&seen(70, Some(Warning)), at(70));
    assert_eq!(board.on_observation(&seen(71, Some(Warning)), at(71)), []);
    let found = state(board.alarms().next().expect("it is there"), 71);
    assert_eq!((found.severity, found.unacknowledged.len()), (Some(Warning), 2));
}

#[test]
fn an_alarm_that_comes_and_goes_without_end_goes_on_as_another_and_each_waits_for_somebody() {
    let mut desk = Desk::new();
    let at_once = || Terms { merge_window_s: 0, ..terms() };
    let mut stored: std::collections::BTreeMap<AlarmId, History> = Default::default();
    for second in 0..1_000 {
        let severity = [Some(Warning), None][usize::from(second % 2 == 1)];
        let seen = Observation { terms: at_once(), ..seen(second, severity) };
        for written in desk.board.on_observation(&seen, at(second)) {
            let new = || History::new(written.subject.clone(), written.first);
            let history = stored.entry(written.alarm).or_insert_with(new);
            history.insert(written.entry).expect("as it was written");
        }
    }
    assert_eq!(stored.len(), 4);
    assert_eq!(desk.board.alarms().count(), 1);
    for history in stored.values() {
        assert!(history.len() <= CONDITIONS_MAX);
        assert_eq!(state(history, 1_000).state, State::ClearedUnacknowledged);
    }
}

#[test]
fn numbers_that_are_none_do_not_get_into_a_history() {
    let mut board = Board::new(NODE);
    let cause =
        Cause { seen: Some(f64::NAN), score: Some(f64::INFINITY), threshold: Some(3.0), ..Cause::default() };
    let written = board.on_observation(&Observation { cause, ..seen(0, Some(Warning)) }, at(0));
    let Some(Change::Raised { cause, .. }) = written[0].entry.condition().map(|found| &found.change) else {
        panic!("it was not raised: {written:?}");
    };
    assert_eq!((cause.seen, cause.score, cause.threshold), (None, None, Some(3.0)));
}
