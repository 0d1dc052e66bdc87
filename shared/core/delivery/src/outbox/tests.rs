use proptest::prelude::*;
use space_packet::TaiTime;

use super::*;
use crate::{Epoch, LogPosition, SessionNumber, Span};

const STORE: StoreId = StoreId([1; 16]);
const LOG: LogNumber = LogNumber(0);
const NOW: Duration = Duration::from_secs(1);

fn outbox(head: u64) -> Outbox {
    let mut outbox = Outbox::default();
    assert!(outbox.add_log(
        STORE,
        Lane::Telemetry,
        LogRole::Current,
        (head > 0).then_some(BatchSequence(head)),
        None
    ));
    outbox
}

fn ok(watermark: u64, ranges: &[(u64, u64)], telemetry_bytes: u64) -> HelloOk {
    let hash = ChainHash([0; 16]);
    let spans = ranges.iter().map(|&(first, last)| Span { first, last, previous: hash, hash }).collect();
    let position = LogPosition { epoch: Epoch(1), is_fork: false, watermark, safe: watermark, hash, spans };
    HelloOk {
        session: SessionNumber(1),
        logs: vec![position],
        credit: Credit { alarm_bytes: 1 << 20, telemetry_bytes, linger_ms: 2 },
        backfill_after_ms: 0,
        hub_time: TaiTime(0),
    }
}

/// Sends one batch at a time as long as something is wanted.
fn send_all(outbox: &mut Outbox, bytes: u64) -> Vec<(u64, Way)> {
    let mut sent = Vec::new();
    while let Next::Send(wanted) = outbox.next(NOW) {
        outbox.on_sent(&wanted, wanted.first, bytes, NOW);
        sent.push((wanted.first.0, wanted.way));
    }
    sent
}

fn numbers(sent: &[(u64, Way)], way: Way) -> Vec<u64> {
    sent.iter().filter(|(_, other)| *other == way).map(|(number, _)| *number).collect()
}

#[test]
fn live_data_go_before_the_backlog_and_both_go_once() {
    let mut outbox = outbox(5);
    assert_eq!(outbox.next(NOW), Next::Nothing);
    let proofs = outbox.on_hello_ok(&ok(2, &[(4, 4)], 1 << 20), NOW).expect("the log is named");
    assert_eq!(
        proofs.iter().map(|proof| proof.sequence.map(|sequence| sequence.0)).collect::<Vec<_>>(),
        [Some(2), Some(4)]
    );
    outbox.on_appended(STORE, Some(BatchSequence(7)));
    let sent = send_all(&mut outbox, 10);
    assert_eq!(sent, [(6, Way::Live), (7, Way::Live), (3, Way::Backfill), (5, Way::Backfill)]);
    outbox.on_appended(STORE, Some(BatchSequence(8)));
    assert_eq!(send_all(&mut outbox, 10), [(8, Way::Live)]);
}

#[test]
fn what_was_not_acknowledged_goes_again_on_the_next_session() {
    let mut outbox = outbox(3);
    outbox.on_hello_ok(&ok(0, &[], 1 << 20), NOW).expect("the log is named");
    assert_eq!(send_all(&mut outbox, 10).len(), 3);
    let ack = Ack { log: LOG, watermark: 1, safe: 1, ranges: vec![(3, 3)] };
    assert!(outbox.on_ack(&ack, NOW));
    assert!(!outbox.on_ack(&ack, NOW));
    assert_eq!(outbox.missing(STORE), [(2, 2)]);
    outbox.on_session_lost();
    outbox.on_hello_ok(&ok(1, &[(3, 3)], 1 << 20), NOW).expect("the log is named");
    assert_eq!(send_all(&mut outbox, 10), [(2, Way::Backfill)]);
}

#[test]
fn a_hub_that_was_set_back_gets_everything_behind_its_watermark_again() {
    let mut outbox = outbox(9);
    outbox.on_hello_ok(&ok(9, &[], 1 << 20), NOW).expect("the log is named");
    assert_eq!((outbox.watermark(STORE), outbox.safe(STORE)), (9, 9));
    outbox.on_session_lost();
    outbox.on_hello_ok(&ok(7, &[], 1 << 20), NOW).expect("the log is named");
    assert_eq!((outbox.watermark(STORE), outbox.safe(STORE)), (7, 7));
    assert_eq!(send_all(&mut outbox, 10), [(8, Way::Backfill), (9, Way::Backfill)]);
}

#[test]
fn a_hub_that_holds_more_than_the_journal_makes_it_a_fork() {
    for (watermark, ranges) in [(6, vec![]), (2, vec![(4, 6)])] {
        let mut outbox = outbox(5);
        let proofs = outbox.on_hello_ok(&ok(watermark, &ranges, 1 << 20), NOW).expect("the log is named");
        assert_eq!((proofs.len(), outbox.next(NOW)), (0, Next::Nothing));
        assert_eq!(outbox.forks().collect::<Vec<_>>(), [STORE]);
    }
}

#[test]
fn the_newest_go_first_in_blocks_when_operators_want_it() {
    let mut outbox = outbox(200);
    outbox.set_policy(BacklogPolicy { order: Order::NewestFirst, ..BacklogPolicy::default() }, NOW);
    outbox.on_hello_ok(&ok(10, &[], 1 << 30), NOW).expect("the log is named");
    let sent = numbers(&send_all(&mut outbox, 10), Way::Backfill);
    assert_eq!((sent.len(), sent[0], sent[63], sent[64]), (190, 137, 200, 73));
    let mut sorted = sent;
    sorted.sort_unstable();
    assert_eq!(sorted, (11..=200).collect::<Vec<_>>());
}

#[test]
fn what_the_hub_wants_first_goes_before_the_rest_and_nothing_goes_twice() {
    let wants = |outbox: &mut Outbox, first, last| {
        outbox.send_first(STORE, BatchSequence(first), BatchSequence(last))
    };
    for order in [Order::OldestFirst, Order::NewestFirst] {
        let mut outbox = outbox(300);
        outbox.set_policy(BacklogPolicy { order, ..BacklogPolicy::default() }, NOW);
        assert!(!wants(&mut outbox, 1, 2), "without a session there is nobody to want it");
        outbox.on_hello_ok(&ok(10, &[(100, 110)], 1 << 30), NOW).expect("the log is named");
        assert!(wants(&mut outbox, 90, 120) && wants(&mut outbox, 90, 120) && wants(&mut outbox, 5, 12));
        assert!(wants(&mut outbox, 290, 900), "what is not there yet is live data");
        assert_eq!(outbox.count_missing(STORE, BatchSequence(90), BatchSequence(120)), 20);
        outbox.on_appended(STORE, Some(BatchSequence(301)));
        let sent = send_all(&mut outbox, 10);
        assert_eq!(sent[0], (301, Way::Live));
        let backlog = numbers(&sent, Way::Backfill);
        let first: Vec<u64> = (90..100).chain(111..=120).chain(11..=12).chain(290..=300).collect();
        assert_eq!(backlog[..first.len()], first);
        let mut sorted = backlog;
        sorted.sort_unstable();
        assert_eq!(sorted, (11..100).chain(111..=300).collect::<Vec<_>>());
    }
}

#[test]
fn what_the_hub_wants_first_is_bounded_and_forgotten_with_the_session() {
    let mut outbox = outbox(100);
    outbox.on_hello_ok(&ok(0, &[], 1 << 30), NOW).expect("the log is named");
    let wants =
        |outbox: &mut Outbox, number| outbox.send_first(STORE, BatchSequence(number), BatchSequence(number));
    let taken = (1..=12).filter(|number| wants(&mut outbox, number * 5)).count();
    assert_eq!(taken, 8, "each would add a span at the hub");
    let spans: Vec<(u64, u64)> = (1..=12).map(|span| (span * 6, span * 6)).collect();
    outbox.on_ack(&Ack { log: LOG, watermark: 2, safe: 2, ranges: spans }, NOW);
    assert_eq!(numbers(&send_all(&mut outbox, 10), Way::Backfill)[0], 3, "there are spans enough");
    outbox.on_session_lost();
    outbox.on_hello_ok(&ok(0, &[], 1 << 30), NOW).expect("the log is named");
    assert_eq!(numbers(&send_all(&mut outbox, 10), Way::Backfill)[0], 1);
}

#[test]
fn a_paused_backlog_waits_and_live_data_go_on() {
    let mut outbox = outbox(5);
    outbox.set_policy(BacklogPolicy { is_paused: true, ..BacklogPolicy::default() }, NOW);
    outbox.on_hello_ok(&ok(0, &[], 1 << 20), NOW).expect("the log is named");
    outbox.on_appended(STORE, Some(BatchSequence(6)));
    assert_eq!(send_all(&mut outbox, 10), [(6, Way::Live)]);
    outbox.set_policy(BacklogPolicy::default(), NOW);
    assert_eq!(send_all(&mut outbox, 10).len(), 5);
}

#[test]
fn a_limited_backlog_says_when_it_goes_on() {
    let mut outbox = outbox(3);
    outbox.set_policy(BacklogPolicy { limit_bytes_per_s: Some(100), ..BacklogPolicy::default() }, NOW);
    outbox.on_hello_ok(&ok(0, &[], 1 << 20), NOW).expect("the log is named");
    assert_eq!(send_all(&mut outbox, 50).len(), 1);
    assert_eq!(outbox.next(NOW), Next::At(NOW + Duration::from_millis(500)));
}

#[test]
fn a_hub_that_wants_live_data_first_is_obeyed() {
    let mut outbox = outbox(3);
    outbox.on_hello_ok(&HelloOk { backfill_after_ms: 400, ..ok(0, &[], 1 << 20) }, NOW).expect("named");
    assert_eq!(outbox.next(NOW), Next::At(NOW + Duration::from_millis(400)));
}

#[test]
fn alarms_have_credit_of_their_own() {
    let mut outbox = outbox(0);
    let alarms = StoreId([2; 16]);
    assert!(outbox.add_log(alarms, Lane::Alarm, LogRole::Current, Some(BatchSequence(1)), None));
    let mut hello_ok = ok(0, &[], 100);
    hello_ok.logs.push(hello_ok.logs[0].clone());
    outbox.on_hello_ok(&hello_ok, NOW).expect("both are named");
    outbox.on_appended(STORE, Some(BatchSequence(9)));
    assert_eq!(send_all(&mut outbox, 60), [(1, Way::Alarm), (1, Way::Live), (2, Way::Live)]);
    outbox.on_appended(alarms, Some(BatchSequence(2)));
    assert_eq!(send_all(&mut outbox, 60), [(2, Way::Alarm)]);
    outbox.on_credit(Credit { alarm_bytes: 0, telemetry_bytes: 180, linger_ms: 9 });
    assert_eq!(send_all(&mut outbox, 60), [(3, Way::Live)]);
    assert_eq!(outbox.linger(), Some(Duration::from_millis(9)));
}

#[test]
fn live_data_that_lag_become_backlog_so_that_what_is_shown_is_fresh() {
    let mut outbox = outbox(0);
    outbox.on_hello_ok(&ok(0, &[], 10), NOW).expect("the log is named");
    outbox.on_appended(STORE, Some(BatchSequence(100)));
    assert_eq!(send_all(&mut outbox, 10), [(1, Way::Live)]);
    // Ten seconds without credit.
    let later = NOW + Duration::from_secs(10);
    outbox.on_credit(Credit { alarm_bytes: 0, telemetry_bytes: 1 << 20, linger_ms: 2 });
    let Next::Send(wanted) = outbox.next(later) else { panic!("something is wanted") };
    assert_eq!((wanted.first.0, wanted.until.0, wanted.way), (2, 100, Way::Backfill));
    outbox.on_appended(STORE, Some(BatchSequence(101)));
    let Next::Send(wanted) = outbox.next(later) else { panic!("something is wanted") };
    assert_eq!((wanted.first.0, wanted.way), (101, Way::Live));
}

#[test]
fn with_many_holes_at_the_hub_live_data_go_on_behind_the_last_one() {
    let ranges: Vec<(u64, u64)> = (1..=28).map(|index| (index * 10, index * 10)).collect();
    let mut outbox = outbox(300);
    outbox.on_hello_ok(&ok(0, &ranges, 1 << 30), NOW).expect("the log is named");
    let Next::Send(wanted) = outbox.next(NOW) else { panic!("something is wanted") };
    assert_eq!((wanted.first.0, wanted.way), (281, Way::Live));
}

#[test]
fn what_stands_before_a_span_of_the_hubs_is_known_for_a_gap_that_ends_there() {
    let mut outbox = outbox(9);
    let mut hello_ok = ok(2, &[(5, 6)], 1 << 20);
    (hello_ok.logs[0].spans[0].previous, hello_ok.logs[0].spans[0].hash) =
        (ChainHash([4; 16]), ChainHash([6; 16]));
    outbox.on_hello_ok(&hello_ok, NOW).expect("the log is named");
    assert_eq!(outbox.chain_at(LOG, 4), Some(ChainHash([4; 16])));
    assert_eq!(outbox.chain_at(LOG, 6), Some(ChainHash([6; 16])));
    assert_eq!(outbox.chain_at(LOG, 5), None);
}

#[test]
fn what_was_acknowledged_once_is_not_safe_until_the_hub_says_so() {
    let mut outbox = Outbox::default();
    let number = Some(BatchSequence(9));
    assert!(outbox.add_log(STORE, Lane::Telemetry, LogRole::Older, number, number));
    assert_eq!((outbox.watermark(STORE), outbox.safe(STORE), outbox.is_drained(STORE)), (9, 0, false));
    outbox.on_hello_ok(&ok(9, &[], 1), NOW).expect("the log is named");
    assert!(outbox.is_drained(STORE));
}

#[test]
fn an_answer_for_other_logs_is_refused() {
    let mut outbox = outbox(1);
    let none = HelloOk { logs: Vec::new(), ..ok(0, &[], 1) };
    assert_eq!(outbox.on_hello_ok(&none, NOW), Err(LogsMissing { asked: 1, found: 0 }));
    assert!(!outbox.is_connected());
}

proptest! {
    #[test]
    fn in_a_session_no_number_goes_twice_and_all_go_at_last(
        watermark in 0u64..30,
        parts in proptest::collection::vec((1u64..6, 1u64..6), 0..8),
        newest_first in any::<bool>(),
        steps in proptest::collection::vec((0u8..4, 1u64..5), 0..60),
    ) {
        let mut ranges = Vec::new();
        let mut end = watermark;
        for (hole, length) in parts {
            ranges.push((end + hole + 1, end + hole + length));
            end += hole + length;
        }
        let mut head = end + 7;
        let mut outbox = outbox(head);
        let order = if newest_first { Order::NewestFirst } else { Order::OldestFirst };
        outbox.set_policy(BacklogPolicy { order, ..BacklogPolicy::default() }, NOW);
        outbox.on_hello_ok(&ok(watermark, &ranges, 1 << 40), NOW).expect("the log is named");
        let mut sent = std::collections::BTreeSet::new();
        let mut now = NOW;
        for (kind, count) in steps {
            now += Duration::from_secs(count);
            match kind {
                0 => { head += count; outbox.on_appended(STORE, Some(BatchSequence(head))); }
                1 if !newest_first => {
                    outbox.set_policy(BacklogPolicy { order: Order::NewestFirst, ..BacklogPolicy::default() }, now);
                }
                _ => {
                    if let Next::Send(wanted) = outbox.next(now) {
                        let last = wanted.until.0.min(wanted.first.0 + count - 1);
                        outbox.on_sent(&wanted, BatchSequence(last), 1, now);
                        for number in wanted.first.0..=last {
                            prop_assert!(sent.insert(number), "{} goes twice", number);
                        }
                    }
                }
            }
        }
        while let Next::Send(wanted) = outbox.next(now) {
            prop_assert!(sent.insert(wanted.first.0), "{} goes twice", wanted.first.0);
            outbox.on_sent(&wanted, wanted.first, 1, now);
        }
        let missing: Vec<u64> = outbox.missing(STORE).into_iter().flat_map(|(first, last)| first..=last).collect();
        prop_assert_eq!(sent.into_iter().collect::<Vec<_>>(), missing);
    }
}
