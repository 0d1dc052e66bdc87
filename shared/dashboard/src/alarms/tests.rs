use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use delivery::NodeId;
use futures_util::FutureExt;
use processing::alarm::{
    ActRefused, AlarmId, AlarmRules, AlarmSeverity, AlarmState, Board, Cause, EntryId, History, NoStep,
    Observation, Piece, Place, Request, State, Subject, Terms, Written,
};
use space_packet::{GenerationTime, TaiTime};
use tokio::sync::Semaphore;
use tokio::sync::broadcast::error::TryRecvError;

use super::{ActError, AlarmBook, AlarmPlace, Answer, Asked, CLOSED_MAX, Describer, Keeper};
use crate::ProblemResponse;
use crate::contract::{AlarmEscalation, AlarmFact};

const SECOND: i64 = 1_000_000_000;
const NODE: Place = Place::Node(NodeId([7; 16]));

/// Keeps entries in memory, as a store does on disk.
pub(crate) struct MemoryKeeper {
    alarms: Mutex<BTreeMap<AlarmId, History>>,
    /// How often something was kept.
    pub(crate) keeps: AtomicUsize,
    pub(crate) fails: AtomicBool,
    /// One is taken for each keeping.
    pub(crate) turns: Semaphore,
}

impl Default for MemoryKeeper {
    fn default() -> Self {
        Self {
            alarms: Mutex::default(),
            keeps: AtomicUsize::new(0),
            fails: AtomicBool::new(false),
            turns: Semaphore::new(Semaphore::MAX_PERMITS),
        }
    }
}

impl MemoryKeeper {
    pub(crate) fn store(&self, piece: &Piece) {
        let history = History::try_from(piece.clone()).expect("sound");
        let mut alarms = self.alarms.lock().expect("not poisoned");
        match alarms.get_mut(&piece.alarm()) {
            Some(known) => drop(known.merge(&history)),
            None => drop(alarms.insert(piece.alarm(), history)),
        }
    }

    fn answer<T: Send + 'static>(&self, found: T) -> Answer<'_, T> {
        let fails = self.fails.load(Ordering::Relaxed);
        let answer = if fails { Err(ProblemResponse::unavailable("no disk; try again")) } else { Ok(found) };
        async move { answer }.boxed()
    }
}

impl Keeper for MemoryKeeper {
    fn keep(&self, piece: Piece) -> Answer<'_, ()> {
        async move {
            self.turns.acquire().await.expect("open").forget();
            self.answer(()).await?;
            self.keeps.fetch_add(1, Ordering::Relaxed);
            self.store(&piece);
            Ok(())
        }
        .boxed()
    }

    fn kept<'a>(&'a self, _: &'a str, alarm: AlarmId) -> Answer<'a, Option<History>> {
        self.answer(self.alarms.lock().expect("not poisoned").get(&alarm).cloned())
    }

    fn closed_before<'a>(&'a self, _: &'a str, before: AlarmPlace, count: usize) -> Answer<'a, Vec<History>> {
        let alarms = self.alarms.lock().expect("not poisoned");
        let place = |history: &History| (history.first(), history.alarm());
        let is_wanted = |history: &&History| {
            place(history) < before && AlarmState::of(history, at(1_000_000)).is_closed()
        };
        let mut found: Vec<History> = alarms.values().filter(is_wanted).cloned().collect();
        found.sort_by_key(|history| std::cmp::Reverse(place(history)));
        found.truncate(count);
        self.answer(found)
    }
}

/// Seconds after a moment that does not matter.
pub(crate) fn at(second: i64) -> TaiTime {
    TaiTime(1_000_000 * SECOND + second * SECOND)
}

/// What a node's board writes of an alarm that is raised; one of late data is closed from the beginning.
pub(crate) fn raised(parameter: &str, second: i64, severity: AlarmSeverity, live: bool) -> Piece {
    raised_at(NODE, parameter, second, severity, live)
}

fn observation(parameter: &str, second: i64, severity: AlarmSeverity, live: bool) -> Observation {
    Observation {
        subject: Subject {
            mission: "demo".to_owned(),
            node: None,
            detector: "limits".to_owned(),
            parameter: parameter.to_owned(),
        },
        severity: Some(severity),
        generation: GenerationTime(at(second)),
        live,
        terms: Terms { rule: "gauges".to_owned(), version: 3, merge_window_s: 60, ..Terms::default() },
        cause: Cause { seen: Some(47.5), threshold: Some(45.0), ..Cause::default() },
    }
}

fn raised_at(place: Place, parameter: &str, second: i64, severity: AlarmSeverity, live: bool) -> Piece {
    let seen = observation(parameter, second, severity, live);
    let mut written = Board::new(place).on_observation(&seen, at(second));
    let Written { subject, first, entry, .. } = written.pop().expect("it was raised");
    Piece { subject, first, entries: vec![entry] }
}

pub(crate) fn acknowledge(id: u8) -> Asked {
    asked(Request::Acknowledge { notices: None }, id)
}

fn asked(request: Request, id: u8) -> Asked {
    Asked { request, note: None, id: Some(EntryId([id; 16])) }
}

fn book() -> (Arc<AlarmBook>, Arc<MemoryKeeper>) {
    let keeper = Arc::new(MemoryKeeper::default());
    (AlarmBook::new("demo", Place::Hub, Arc::clone(&keeper) as Arc<dyn Keeper>), keeper)
}

/// Puts an alarm where it is kept and into the book.
fn enter(book: &AlarmBook, keeper: &MemoryKeeper, piece: &Piece) -> AlarmId {
    keeper.store(piece);
    book.take(piece, at(0));
    piece.alarm()
}

#[tokio::test]
async fn an_act_that_could_not_be_kept_is_shown_to_nobody() {
    let (book, keeper) = book();
    let alarm = enter(&book, &keeper, &raised("/A", 0, AlarmSeverity::Warning, true));
    let mut changes = book.subscribe();
    keeper.fails.store(true, Ordering::Relaxed);
    let refused = book.act(alarm, acknowledge(1), "kari", at(1)).await.expect_err("not kept");
    assert!(
        matches!(&refused, ActError::Kept(problem) if problem.code() == "STO-API-UNAVAILABLE"),
        "{refused}"
    );
    assert_eq!(book.known(alarm).expect("there").state(at(1)).state, State::ActiveUnacknowledged);
    assert_eq!(changes.try_recv(), Err(TryRecvError::Empty));

    keeper.fails.store(false, Ordering::Relaxed);
    let done = book.act(alarm, acknowledge(1), "kari", at(2)).await.expect("kept");
    assert_eq!(done.state(at(2)).state, State::ActiveAcknowledged);
    assert_eq!(book.known(alarm), Some(done));
    assert_eq!(changes.try_recv(), Ok(alarm));
}

#[tokio::test]
async fn an_act_sent_again_is_one_act_and_an_id_belongs_to_who_used_it() {
    let (book, keeper) = book();
    let alarm = enter(&book, &keeper, &raised("/A", 0, AlarmSeverity::Warning, true));
    let first = book.act(alarm, acknowledge(1), "kari", at(1)).await.expect("done");
    let again = book.act(alarm, acknowledge(1), "kari", at(9)).await.expect("done before");
    assert_eq!(first, again);
    assert_eq!(keeper.keeps.load(Ordering::Relaxed), 1);
    let other = book.act(alarm, acknowledge(1), "ola", at(9)).await.expect_err("kari's");
    assert!(matches!(other, ActError::IdTaken), "{other}");
    let condition = first.history.entries()[0].id;
    let of_condition = Asked { request: Request::Unshelve {}, note: None, id: Some(condition) };
    let refused = book.act(alarm, of_condition, "kari", at(9)).await.expect_err("a condition's");
    assert!(matches!(refused, ActError::IdTaken), "{refused}");
    let pointless = book.act(alarm, acknowledge(2), "ola", at(9)).await.expect_err("nothing is left");
    assert!(matches!(pointless, ActError::Refused(ActRefused::Pointless(_))), "{pointless}");
    let nowhere = book.act(AlarmId([9; 16]), acknowledge(3), "ola", at(9)).await.expect_err("nowhere");
    assert!(matches!(nowhere, ActError::Unknown), "{nowhere}");
}

#[tokio::test]
async fn of_two_people_who_act_at_once_neither_act_is_lost() {
    let (book, keeper) = book();
    let alarm = enter(&book, &keeper, &raised("/A", 0, AlarmSeverity::Warning, true));
    keeper.turns.forget_permits(Semaphore::MAX_PERMITS);
    let both = async {
        tokio::join!(
            book.act(alarm, acknowledge(1), "kari", at(1)),
            book.act(alarm, asked(Request::Assign { to: Some("ola".to_owned()) }, 2), "ola", at(1)),
            async {
                tokio::task::yield_now().await;
                keeper.turns.add_permits(2);
            }
        )
    };
    let (acknowledged, assigned, ()) = both.await;
    acknowledged.expect("done");
    assigned.expect("done");
    let known = book.known(alarm).expect("there");
    let state = known.state(at(2));
    assert_eq!((state.state, state.owners.len()), (State::ActiveAcknowledged, 1));
    assert_eq!(keeper.kept("demo", alarm).await.expect("answers"), Some(known.history.clone()));
}

#[tokio::test]
async fn an_act_is_shown_even_when_its_author_did_not_wait() {
    let (book, keeper) = book();
    let alarm = enter(&book, &keeper, &raised("/A", 0, AlarmSeverity::Warning, true));
    let mut changes = book.subscribe();
    keeper.turns.forget_permits(Semaphore::MAX_PERMITS);
    let left = book.act(alarm, acknowledge(1), "kari", at(1)).now_or_never();
    assert!(left.is_none(), "it waits for the store");
    keeper.turns.add_permits(1);
    assert_eq!(changes.recv().await, Ok(alarm));
    assert_eq!(book.known(alarm).expect("there").state(at(1)).state, State::ActiveAcknowledged);
}

#[tokio::test]
async fn the_oldest_closed_alarms_leave_memory_and_are_found_in_lists_all_the_same() {
    let (book, keeper) = book();
    let mut expected = BTreeSet::new();
    for second in 0..CLOSED_MAX as i64 + 50 {
        let piece = raised("/Late", second, AlarmSeverity::Watch, false);
        enter(&book, &keeper, &piece);
        expected.insert((piece.first, piece.alarm()));
    }
    let open = raised("/Open", -1_000, AlarmSeverity::Severe, true);
    enter(&book, &keeper, &open);
    expected.insert((open.first, open.alarm()));
    let left = expected.iter().filter(|(_, alarm)| book.known(*alarm).is_none()).count();
    assert_eq!((left, book.open().len(), book.left_out()), (50, 1, 0));
    for limit in [1_000, 333, 49] {
        let (mut before, mut seen) = (None, Vec::new());
        loop {
            let page = book.page(before, limit, true, |_| true).await.expect("answers");
            assert!(page.alarms.len() <= limit);
            seen.extend(page.alarms.iter().map(|known| known.place()));
            before = page.next;
            if before.is_none() {
                break;
            }
        }
        assert!(seen.iter().rev().eq(expected.iter()), "{limit}: {} of {}", seen.len(), expected.len());
    }
    let only_open = book.page(None, 10, false, |_| true).await.expect("answers");
    assert_eq!((only_open.alarms.len(), only_open.next), (1, None));
    let severe = book.page(None, 10, true, |known| known.history.subject().parameter == "/Open").await;
    let mut severe = severe.expect("answers");
    while let (true, Some(before)) = (severe.alarms.is_empty(), severe.next) {
        let wanted = |known: &super::Known| known.history.subject().parameter == "/Open";
        severe = book.page(Some(before), 10, true, wanted).await.expect("answers");
    }
    assert_eq!(severe.alarms.len(), 1, "behind pages without any");
}

#[tokio::test]
async fn what_has_left_memory_keeps_its_acknowledgements_when_another_station_sends_it() {
    let (book, keeper) = book();
    let piece = raised("/A", -1_000, AlarmSeverity::Warning, true);
    let alarm = enter(&book, &keeper, &piece);
    book.act(alarm, acknowledge(1), "kari", at(1)).await.expect("done");
    let out = Request::Suppress {
        kind: processing::alarm::Suppression::OutOfService,
        until: Some(at(5)),
        order: "WO-1".to_owned(),
    };
    book.act(alarm, asked(out, 2), "kari", at(1)).await.expect("done");
    // A book that was begun anew, as after a restart, with newer closed alarms only.
    let book = AlarmBook::new("demo", Place::Hub, Arc::clone(&keeper) as Arc<dyn Keeper>);
    let elsewhere = raised_at(Place::Node(NodeId([8; 16])), "/A", -1_000, AlarmSeverity::Warning, true);
    assert_eq!(elsewhere.alarm(), alarm);
    keeper.fails.store(true, Ordering::Relaxed);
    book.merge(&elsewhere, at(9)).await.expect_err("not looked up");
    assert!(book.known(alarm).is_none(), "nothing is taken that may not be all");
    keeper.fails.store(false, Ordering::Relaxed);
    assert!(book.merge(&elsewhere, at(9)).await.expect("looked up"));
    assert!(!book.merge(&elsewhere, at(10)).await.expect("in memory"), "it is known");
    let state = book.known(alarm).expect("there").state(at(9));
    assert_eq!(state.state, State::ActiveAcknowledged);
    let foreign = AlarmBook::new("luna", Place::Hub, Arc::clone(&keeper) as Arc<dyn Keeper>);
    assert!(!foreign.merge(&elsewhere, at(9)).await.expect("answers"), "of another mission");
}

const LADDER: &str = r#"
version = 1
contact = [{ name = "room", webhook = "room" }, { name = "kari", webhook = "kari" }]
[[rule]]
name = "gauges"
related = "heat"
[[ladder]]
name = "usual"
at_least = "warning"
steps = [{ to = ["room"] }, { after = "10 min", to = ["kari"] }]
"#;

fn with_ladder(book: &AlarmBook) {
    let rules = AlarmRules::parse("alarms.toml", LADDER);
    assert_eq!(rules.problems, []);
    book.set_rules(Arc::new(rules));
}

fn escalation(book: &AlarmBook, alarm: AlarmId, second: i64) -> AlarmEscalation {
    let known = book.known(alarm).expect("there");
    Describer::new(book, at(second)).history(&known).escalation.expect("the hub climbs")
}

#[tokio::test]
async fn of_two_people_who_escalate_what_they_were_shown_one_step_is_taken() {
    let (book, keeper) = book();
    with_ladder(&book);
    let alarm = enter(&book, &keeper, &raised("/A", 0, AlarmSeverity::Warning, true));
    let shown = escalation(&book, alarm, 1).next.expect("the second step");
    assert_eq!((shown.rung.step, &*shown.contacts), (2, &["kari".to_owned()][..]));
    assert_eq!(shown.due, crate::rfc3339(at(600)));
    let rung = serde_json::to_value(&shown.rung).expect("serialises");
    let request = || Request::Escalate { rung: Some(serde_json::from_value(rung.clone()).expect("reads")) };
    book.act(alarm, asked(request(), 1), "kari", at(2)).await.expect("done");
    book.act(alarm, asked(request(), 1), "kari", at(3)).await.expect("the same act");
    let second = book.act(alarm, asked(request(), 2), "ola", at(3)).await.expect_err("kari was before");
    assert!(matches!(second, ActError::Refused(ActRefused::NoStep(NoStep::AllTold))), "{second}");
    let ended = escalation(&book, alarm, 4);
    assert_eq!((ended.next, ended.ended), (None, Some(NoStep::AllTold.to_string())));
    book.act(alarm, acknowledge(3), "kari", at(5)).await.expect("done");
    assert_eq!(escalation(&book, alarm, 6).ended, Some(NoStep::Silent.to_string()));
}

#[tokio::test]
async fn an_alarm_of_a_group_is_escalated_on_the_ladder_that_the_worst_of_it_climbs() {
    let (book, keeper) = book();
    with_ladder(&book);
    let mild = enter(&book, &keeper, &raised("/A", 0, AlarmSeverity::Watch, true));
    let bad = enter(&book, &keeper, &raised("/B", 1, AlarmSeverity::Warning, true));
    let shown = escalation(&book, mild, 2).next.expect("the second step of the other");
    assert_eq!(Some(&shown), escalation(&book, bad, 2).next.as_ref());
    book.act(mild, asked(Request::Escalate { rung: None }, 1), "kari", at(3)).await.expect("done");
    assert_eq!(escalation(&book, bad, 4).ended, Some(NoStep::AllTold.to_string()));
}

#[tokio::test]
async fn a_node_climbs_no_ladder_and_says_who_does() {
    let keeper = Arc::new(MemoryKeeper::default());
    let book = AlarmBook::new("demo", NODE, Arc::clone(&keeper) as Arc<dyn Keeper>);
    with_ladder(&book);
    let alarm = enter(&book, &keeper, &raised("/A", 0, AlarmSeverity::Warning, true));
    let known = book.known(alarm).expect("there");
    assert_eq!(Describer::new(&book, at(1)).history(&known).escalation, None);
    let refused = book.act(alarm, asked(Request::Escalate { rung: None }, 1), "kari", at(1)).await;
    let problem = ProblemResponse::from(refused.expect_err("only the hub"));
    assert_eq!(problem.code(), "STO-ALARM-ELSEWHERE");
    assert_eq!(keeper.keeps.load(Ordering::Relaxed), 0);
}

#[test]
fn the_worst_value_is_told_with_its_time_and_the_entry_that_brought_it() {
    let (book, _) = book();
    let mut board = Board::new(NODE);
    let mut see = |second: i64, value: f64| {
        let mut seen = observation("/A", second, AlarmSeverity::Warning, true);
        seen.cause.seen = Some(value);
        let mut written = board.on_observation(&seen, at(second));
        written.extend(board.on_time(at(second)));
        for Written { subject, first, entry, .. } in written {
            book.take(&Piece { subject, first, entries: vec![entry] }, at(second));
        }
    };
    see(0, 46.0);
    see(1, 49.0);
    see(60, 47.0);
    let known = book.open().remove(0);
    let told = Describer::new(&book, at(61)).history(&known);
    let worst = told.alarm.worst_value.expect("a number");
    assert_eq!((worst.value, worst.generation_time), (49.0, crate::rfc3339(at(1))));
    assert_eq!(told.alarm.cause.and_then(|cause| cause.seen), Some(46.0), "what raised it stays");
    let fact = &told.entries.last().expect("two").fact;
    assert!(
        matches!(fact, AlarmFact::Reached { cause, live: true, .. } if cause.seen == Some(49.0)),
        "{fact:?}"
    );
}

#[tokio::test]
async fn an_alarm_whose_shelving_ends_is_told_again() {
    let (book, keeper) = book();
    let alarm = enter(&book, &keeper, &raised("/A", 0, AlarmSeverity::Warning, true));
    let shelve = asked(Request::Shelve { until: at(100) }, 1);
    book.act(alarm, shelve, "kari", at(1)).await.expect("done");
    let mut changes = book.subscribe();
    book.on_time(at(99));
    assert_eq!(changes.try_recv(), Err(TryRecvError::Empty));
    book.on_time(at(100));
    assert_eq!(changes.try_recv(), Ok(alarm));
    book.on_time(at(101));
    assert_eq!(changes.try_recv(), Err(TryRecvError::Empty), "once");
}

#[test]
fn alarms_in_memory_take_no_more_than_their_bound_and_what_leaves_is_counted() {
    let (book, _) = book();
    let bytes = 512;
    let fit = super::MEMORY_BYTES_MAX / bytes;
    for second in 0..fit as i64 + 7 {
        book.take(&raised("/A", second, AlarmSeverity::Warning, true), at(second));
    }
    assert_eq!((book.open().len(), book.left_out()), (fit, 7));
}
