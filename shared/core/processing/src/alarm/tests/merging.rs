//! Histories of one alarm from two places, and how they travel.

use proptest::prelude::*;

use super::*;

use AlarmSeverity::{Critical, Warning};

#[test]
fn what_two_people_did_without_knowing_of_each_other_stands_side_by_side() {
    let (_, mut node) = raised(Warning);
    let mut hub = node.clone();
    let acknowledge = Request::Acknowledge { notices: None };
    node.act(&acknowledge, None, author("kari", NODE, 10, 1)).expect("it is unacknowledged");
    hub.act(&acknowledge, None, author("tom", Place::Hub, 20, 2)).expect("it is unacknowledged");
    let assign = |to: &str| Request::Assign { to: Some(to.to_owned()) };
    node.act(&assign("kari"), None, author("kari", NODE, 11, 3)).expect("she takes it");
    hub.act(&assign("tom"), None, author("tom", Place::Hub, 21, 4)).expect("he takes it");
    hub.merge(&node);
    let found = state(&hub, 30);
    assert_eq!(found.state, State::ActiveAcknowledged);
    assert_eq!(found.owners.into_iter().collect::<Vec<_>>(), ["kari", "tom"]);
    assert_eq!(hub.entries().iter().filter(|entry| entry.act().is_some()).count(), 4);
}

#[test]
fn an_acknowledgement_at_the_hub_covers_nothing_that_only_the_node_had_seen() {
    let (mut board, at_start) = raised(Warning);
    let mut hub = at_start.clone();
    board.on_observation(&seen(5, Some(Critical)), at(5));
    let acknowledge = Request::Acknowledge { notices: None };
    hub.act(&acknowledge, None, author("tom", Place::Hub, 60, 1)).expect("it is unacknowledged");
    hub.merge(board.alarms().next().expect("it stands"));
    let found = state(&hub, 70);
    assert_eq!((found.state, found.unacknowledged.len()), (State::ActiveUnacknowledged, 1));
    assert_eq!(found.unacknowledged[0].severity, Critical);
}

#[test]
fn of_two_shelvings_that_did_not_see_each_other_the_shorter_counts_and_an_unshelving_before_both() {
    let (_, mut node) = raised(Critical);
    let mut hub = node.clone();
    let shelve = |minutes: i64| Request::Shelve { until: at(minutes * 60) };
    node.act(&shelve(30), None, author("kari", NODE, 10, 1)).expect("within the hour");
    hub.act(&shelve(50), None, author("tom", Place::Hub, 10, 2)).expect("within the hour");
    let mut both = hub.clone();
    both.merge(&node);
    assert_eq!(state(&both, 20).shelved_until, Some(at(30 * 60)));
    assert_eq!(state(&both, 31 * 60).state, State::ActiveUnacknowledged);
    hub.act(&Request::Unshelve {}, None, author("tom", Place::Hub, 40, 3)).expect("he had shelved it");
    hub.merge(&node);
    assert_eq!(state(&hub, 41).state, State::ActiveUnacknowledged);
}

#[test]
fn a_shelving_by_a_clock_of_another_year_silences_nobody() {
    let (_, mut node) = raised(Critical);
    let century = 36_525 * 86_400;
    let until = Request::Shelve { until: at(century + 3_600) };
    node.act(&until, None, author("kari", NODE, century, 1)).expect("an hour, by that clock");
    assert_eq!(state(&node, 10).state, State::ActiveUnacknowledged);
    assert_eq!(state(&node, century + 10).state, State::Shelved);
    assert_eq!(state(&node, century + 3_600).state, State::ActiveUnacknowledged);
}

#[test]
fn an_alarm_has_one_name_at_node_and_hub() {
    let (_, at_node) = raised(Warning);
    let mut hub = Board::new(Place::Hub);
    hub.on_observation(&seen(0, Some(Warning)), at(900));
    let at_hub = hub.alarms().next().expect("it was raised").clone();
    let mut both = at_hub.clone();
    both.merge(&at_node);
    assert_eq!((at_hub.alarm(), both.len()), (at_node.alarm(), 1), "and what it did is told once");
    let (one, other) = (subject("/SAT/A"), subject("/SAT/B"));
    assert_ne!(one.alarm(generation(0)), other.alarm(generation(0)));
    assert_ne!(one.alarm(generation(0)), one.alarm(generation(1)));
    let of_node = Subject { node: Some(delivery::NodeId([0; 16])), ..one.clone() };
    assert_ne!(one.alarm(generation(0)), of_node.alarm(generation(0)));
}

#[test]
fn histories_of_two_alarms_are_never_mixed() {
    let (_, mut one) = raised(Warning);
    let mut board = Board::new(NODE);
    board.on_observation(&Observation { subject: subject("/SAT/OTHER"), ..seen(0, Some(Warning)) }, at(0));
    let before = one.clone();
    assert!(!one.merge(board.alarms().next().expect("it was raised")));
    assert_eq!(one, before);
}

#[test]
fn a_condition_cannot_pretend_to_be_another_one() {
    let (_, history) = raised(Warning);
    let mut forged = history.entries()[0].clone();
    forged.id = EntryId([1; 16]);
    assert_eq!(history.clone().insert(forged), Err(EntryError::Id));
}

#[test]
fn bytes_that_are_no_piece_are_refused_with_what_is_wrong() {
    let (_, history) = raised(Warning);
    let bytes = history.pieces()[0].encode().expect("it fits");
    assert_eq!(Piece::decode(&[]), Err(PieceError::Malformed));
    assert_eq!(Piece::decode(&bytes[..bytes.len() - 1]), Err(PieceError::Malformed));
    assert_eq!(Piece::decode(&[&bytes[..], &[0]].concat()), Err(PieceError::Malformed));
    assert_eq!(Piece::decode(&[&[9], &bytes[1..]].concat()), Err(PieceError::Version(9)));
    assert_eq!(Piece::decode(&vec![FORMAT_VERSION; PIECE_BYTES_MAX + 1]), Err(PieceError::TooLarge));
    let mut nameless = history.pieces()[0].clone();
    nameless.subject.parameter.clear();
    assert_eq!(nameless.encode(), Err(PieceError::Entry(EntryError::Name)));
}

#[test]
fn programs_of_before_read_what_holds_nothing_newer() {
    let (mut board, mut history) = raised(Warning);
    let version = |history: &History| history.pieces()[0].encode().expect("it fits")[0];
    assert_eq!(version(&history), 1);
    let first_byte = |change: &Change| postcard::to_stdvec(change).expect("it is written")[0];
    let worsened = Change::Worsened { severity: Critical, cause: Cause::default() };
    assert_eq!(first_byte(&worsened), 3, "what lies on disks everywhere means what it meant");
    let unshelved = postcard::to_stdvec(&Action::Unshelve { replaces: Vec::new() }).expect("it is written");
    assert_eq!(unshelved[0], 8);
    let rung = Rung { notice: EntryId([1; 16]), ladder: "usual".to_owned(), step: 1, round: 0 };
    let escalate = Request::Escalate { rung: Some(rung) };
    history.act(&escalate, None, author("kari", Place::Hub, 1, 1)).expect("it rings");
    assert_eq!(version(&history), 2);
    board.on_observation(&Observation { cause: beyond(50.0, 45.0), ..seen(1, Some(Warning)) }, at(1));
    let written = board.on_time(at(60));
    let mut reached = History::new(written[0].subject.clone(), written[0].first);
    reached.insert(written[0].entry.clone()).expect("as it was written");
    assert_eq!(version(&reached), 2);
}

#[test]
fn a_long_history_travels_in_pieces() {
    let (_, mut history) = raised(Warning);
    for number in 0..200_u8 {
        let note = Some("x".repeat(NOTE_BYTES_MAX));
        let done = history.act(&Request::Comment {}, note, author("kari", NODE, 1, number));
        done.expect("there is room");
    }
    let pieces = history.pieces();
    assert!(pieces.len() > 10, "{}", pieces.len());
    let mut arrived = History::new(history.subject().clone(), history.first());
    for piece in pieces.iter().rev() {
        let bytes = piece.encode().expect("it keeps to the bounds");
        let read = History::try_from(Piece::decode(&bytes).expect("it was encoded")).expect("it was checked");
        arrived.merge(&read);
    }
    assert_eq!(arrived, history);
}

#[test]
fn people_read_entries_as_json() {
    let (_, mut history) = raised(Warning);
    let request = r#"{"shelve": {"until": "2026-11-23T12:30:00Z"}}"#;
    let request: Request = serde_json::from_str(request).expect("it is a request");
    history.act(&request, None, author("kari", NODE, 60, 0xab)).expect("within the hour");
    let json = serde_json::to_value(&history).expect("it is written");
    assert_eq!(json["alarm"], serde_json::to_value(history.alarm()).expect("it is written"));
    assert_eq!(json["first"], "2026-11-23T12:00:00Z");
    let act = &json["entries"][1];
    assert_eq!((&act["id"], &act["recorded"]), (&"ab".repeat(16).into(), &"2026-11-23T12:01:00Z".into()));
    assert_eq!(act["place"]["node"], "07".repeat(16));
    assert_eq!(act["fact"]["act"]["action"]["shelve"]["until"], "2026-11-23T12:30:00Z");
    for refused in
        [r#"{"shelve": {"until": "for ever"}}"#, r#"{"unshelve": {"why": 1}}"#, r#"{"delete": {}}"#]
    {
        assert!(serde_json::from_str::<Request>(refused).is_err(), "{refused}");
    }
}

fn severity() -> impl Strategy<Value = AlarmSeverity> {
    prop::sample::select(AlarmSeverity::ALL.to_vec())
}

/// Few ids, so that acts name each other and collide.
fn id() -> impl Strategy<Value = EntryId> {
    (0_u8..12).prop_map(|number| EntryId([number; 16]))
}

fn action() -> impl Strategy<Value = Action> {
    let ids = || prop::collection::vec(id(), 0..4);
    let until = || (-10_000_i64..50_000).prop_map(at);
    let name = || prop::option::of("[a-c]{1,3}");
    let usefulness = prop::sample::select(vec![Usefulness::True, Usefulness::False, Usefulness::Known]);
    let kind = prop::sample::select(vec![Suppression::ByDesign, Suppression::OutOfService]);
    prop_oneof![
        ids().prop_map(|notices| Action::Acknowledge { notices }),
        (name(), ids()).prop_map(|(to, replaces)| Action::Assign { to, replaces }),
        Just(Action::Comment),
        (usefulness, ids()).prop_map(|(usefulness, replaces)| Action::Judge { usefulness, replaces }),
        ids().prop_map(|cleared| Action::Reset { cleared }),
        ids().prop_map(|replaces| Action::Restore { replaces }),
        (until(), severity(), ids()).prop_map(|(until, severity, replaces)| Action::Shelve {
            until,
            severity,
            replaces
        }),
        (kind, prop::option::of(until()), ids()).prop_map(|(kind, until, replaces)| Action::Suppress {
            kind,
            until,
            order: "WO".to_owned(),
            replaces
        }),
        ids().prop_map(|replaces| Action::Unshelve { replaces }),
        (id(), 1_u32..4, 0_u32..3).prop_map(|(notice, step, round)| Action::Escalate {
            rung: Rung { notice, ladder: "usual".to_owned(), step, round }
        }),
    ]
}

fn change() -> impl Strategy<Value = Change> {
    // Quarters: JSON takes longer fractions from one float to the next.
    let number = || prop::option::of((-9_000_i32..9_000).prop_map(|number| f64::from(number) / 4.0));
    let cause = || {
        let numbers = (number(), number(), number());
        numbers.prop_map(|(seen, score, threshold)| Cause { seen, score, threshold, ..Cause::default() })
    };
    let terms = (any::<bool>(), any::<bool>()).prop_map(|(latch, auto_acknowledge)| Terms {
        latch,
        auto_acknowledge,
        ..terms()
    });
    prop_oneof![
        (any::<bool>(), 0_u32..9).prop_map(|(latched, recurrences)| Change::Cleared { latched, recurrences }),
        severity().prop_map(|severity| Change::Moved { severity }),
        (severity(), terms, cause()).prop_map(|(severity, terms, cause)| Change::Raised {
            severity,
            terms,
            cause
        }),
        (severity(), cause()).prop_map(|(severity, cause)| Change::Worsened { severity, cause }),
        cause().prop_map(|cause| Change::Reached { cause }),
    ]
}

fn entry() -> impl Strategy<Value = Entry> {
    let place = prop::sample::select(vec![NODE, Place::Hub]);
    let condition =
        (1_u32..6, -9_i64..9, any::<bool>(), change()).prop_map(|(number, second, live, change)| {
            let condition = Condition { number, generation: generation(second), live, change };
            (condition.id_in(alarm()), Fact::Condition(condition))
        });
    let act = (id(), "[a-c]{1,3}", action(), prop::option::of("[a-z]{0,9}"))
        .prop_map(|(id, by, action, note)| (id, Fact::Act(Act { by, action, note })));
    (place, -9_i64..9, prop_oneof![condition, act]).prop_map(|(place, second, (id, fact))| Entry {
        id,
        recorded: at(second),
        place,
        fact,
    })
}

fn alarm() -> AlarmId {
    subject("/SAT/BATT_T").alarm(generation(0))
}

fn history() -> impl Strategy<Value = History> {
    prop::collection::vec(entry(), 0..12).prop_map(|entries| {
        let mut history = History::new(subject("/SAT/BATT_T"), generation(0));
        for entry in entries {
            history.insert(entry).expect("it keeps to the bounds");
        }
        history
    })
}

fn merged(one: &History, other: &History) -> History {
    let mut both = one.clone();
    both.merge(other);
    both
}

proptest! {
    #[test]
    fn any_two_histories_merge_to_the_same_in_either_order(one in history(), other in history(), now in -9_i64..50_000) {
        let both = merged(&one, &other);
        prop_assert_eq!(&both, &merged(&other, &one));
        prop_assert_eq!(state(&both, now), state(&merged(&other, &one), now));
        prop_assert_eq!(both.worst_value(), merged(&other, &one).worst_value());
        let ids = |history: &History| history.all().map(|entry| entry.id).collect::<std::collections::BTreeSet<_>>();
        prop_assert_eq!(ids(&both), ids(&one).union(&ids(&other)).copied().collect(), "no act is lost");
    }

    #[test]
    fn merging_again_or_in_other_groups_makes_no_difference(a in history(), b in history(), c in history()) {
        let all = merged(&merged(&a, &b), &c);
        prop_assert_eq!(&all, &merged(&a, &merged(&b, &c)));
        prop_assert_eq!(&all, &merged(&all, &b));
        prop_assert!(!all.clone().merge(&a));
    }

    #[test]
    fn what_was_acknowledged_stays_so_whatever_is_merged(one in history(), other in history()) {
        let both = merged(&one, &other);
        for act in one.all().filter_map(Entry::act) {
            let Action::Acknowledge { notices } = &act.action else { continue };
            // Only where the act itself came through: of two with one id, one stays.
            let kept = both.all().filter_map(Entry::act).any(|kept| kept == act);
            let open = state(&both, 0).unacknowledged;
            prop_assert!(!kept || open.iter().all(|notice| !notices.contains(&notice.entry)));
        }
    }

    #[test]
    fn nothing_is_shelved_for_ever(history in history()) {
        // Twice the longest shelving after the last act: clocks of the acts are within seconds of each other.
        let found = state(&history, 2 * 8 * 3_600);
        prop_assert_eq!(found.shelved_until, None);
        prop_assert!(found.state != State::Shelved);
    }

    #[test]
    fn what_was_written_is_read_again(history in history()) {
        for piece in history.pieces() {
            let bytes = piece.encode().expect("it keeps to the bounds");
            prop_assert_eq!(Piece::decode(&bytes), Ok(piece));
        }
        for entry in history.entries() {
            let json = serde_json::to_string(entry).expect("it is written");
            let read: Entry = serde_json::from_str(&json).expect("it was written");
            prop_assert_eq!(&read, entry, "{}", json);
        }
    }

    #[test]
    fn any_bytes_are_a_piece_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        for bytes in [bytes.clone(), [vec![FORMAT_VERSION], bytes].concat()] {
            if let Ok(piece) = Piece::decode(&bytes) {
                prop_assert_eq!(Piece::decode(&piece.encode().expect("it was read")), Ok(piece));
            }
        }
    }

    #[test]
    fn a_piece_that_was_changed_on_its_way_is_refused_or_keeps_to_the_bounds(
        history in history(), place in any::<prop::sample::Index>(), value in any::<u8>(),
    ) {
        let mut bytes = history.pieces()[0].encode().expect("it keeps to the bounds");
        let place = place.index(bytes.len());
        bytes[place] = value;
        if let Ok(piece) = Piece::decode(&bytes) {
            prop_assert!(piece.entries.iter().all(|entry| entry.check().is_ok()));
        }
    }
}
