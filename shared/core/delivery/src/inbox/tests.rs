use space_packet::{ReceptionTime, TaiTime};

use super::*;
use crate::{BatchBuilder, ChainHash, Epoch, Position, StoreId};

const STORE: StoreId = StoreId([3; 16]);
const LOG: LogNumber = LogNumber(0);

/// A chain of batches whose records begin with a byte.
fn chain(first: u8, count: u8) -> Vec<SealedBatch> {
    let mut position = Position::start(STORE, Lane::Telemetry);
    (0..count)
        .map(|number| {
            let mut builder = BatchBuilder::new("demo", "antenna");
            builder.push(ReceptionTime(TaiTime(i64::from(number))), &[first, number]);
            let batch = builder.pack().expect("one record").seal(Lane::Telemetry, &position);
            position = batch.position();
            batch
        })
        .collect()
}

fn head(number: u64, is_forked: bool) -> LogHead {
    let head = (number > 0).then_some(BatchSequence(number));
    LogHead { lane: Lane::Telemetry, store: STORE, head, is_forked }
}

fn held(batches: &[SealedBatch]) -> Ranges {
    let mut ranges = Ranges::up_to(0, ChainHash::of_store(STORE, Lane::Telemetry));
    batches.iter().for_each(|batch| ranges.insert(Span::of(batch)).expect("fits"));
    ranges
}

fn inbox(committed: &[SealedBatch], telemetry_bytes: u64) -> Inbox {
    let head = head(99, false);
    let credit = Credit { alarm_bytes: 1_000, telemetry_bytes, linger_ms: 2 };
    Inbox::new([(head, OpenedLog::judge(&head, held(committed), 0))], credit)
}

#[test]
fn live_data_and_backlog_are_taken_in_either_order_and_acknowledged_as_ranges() {
    let batches = chain(1, 5);
    let mut inbox = inbox(&batches[..1], 1 << 20);
    for (index, way) in [(3, Way::Live), (1, Way::Backfill), (4, Way::Live)] {
        assert_eq!(inbox.on_batch(LOG, way, &batches[index]), Ok(InboxVerdict::Commit));
    }
    assert_eq!(inbox.pending(), 3);
    let mut committed = held(&batches[..2]);
    committed.insert(Span::of(&batches[3])).expect("fits");
    let ack = inbox.on_committed(LOG, committed, 1).expect("the log is there");
    assert_eq!(ack, Ack { log: LOG, watermark: 2, safe: 1, ranges: vec![(4, 4)] });
    assert_eq!(inbox.pending(), 1);
}

#[test]
fn a_number_that_is_known_is_compared_and_never_just_passed_over() {
    let (batches, others) = (chain(1, 3), chain(2, 3));
    let mut inbox = inbox(&batches[..1], 1 << 20);
    assert_eq!(inbox.on_batch(LOG, Way::Backfill, &batches[0]), Ok(InboxVerdict::Compare));
    assert_eq!(inbox.on_batch(LOG, Way::Backfill, &others[0]), Ok(InboxVerdict::Compare));
    assert_eq!(inbox.on_batch(LOG, Way::Backfill, &others[1]), Ok(InboxVerdict::Fork));
    assert_eq!(inbox.on_batch(LOG, Way::Backfill, &batches[1]), Ok(InboxVerdict::Commit));
    assert_eq!(inbox.on_batch(LOG, Way::Backfill, &batches[1]), Ok(InboxVerdict::Duplicate));
    assert_eq!(inbox.on_batch(LOG, Way::Backfill, &others[1]), Ok(InboxVerdict::Fork));
}

#[test]
fn more_than_credit_allows_is_a_violation_and_what_is_done_gives_it_back() {
    let batches = chain(1, 4);
    let bytes = batches[0].bytes().len() as u64;
    let mut inbox = inbox(&[], bytes + 1);
    assert_eq!(inbox.on_batch(LOG, Way::Live, &batches[0]), Ok(InboxVerdict::Commit));
    assert_eq!(inbox.on_batch(LOG, Way::Live, &batches[1]), Ok(InboxVerdict::Commit));
    let sent = bytes + batches[1].bytes().len() as u64;
    assert_eq!(
        inbox.on_batch(LOG, Way::Live, &batches[2]),
        Err(Violation::Credit { sent, granted: bytes + 1 })
    );
    inbox.on_done(Way::Live, sent);
    assert_eq!(inbox.credit().telemetry_bytes, sent + bytes + 1);
    assert_eq!(inbox.on_batch(LOG, Way::Live, &batches[2]), Ok(InboxVerdict::Commit));
}

#[test]
fn what_a_log_cannot_have_is_a_violation() {
    let batches = chain(1, 1);
    let mut inbox = inbox(&[], 1 << 20);
    assert_eq!(inbox.on_batch(LogNumber(1), Way::Live, &batches[0]), Err(Violation::Log { log: 1 }));
    assert_eq!(inbox.on_batch(LOG, Way::Alarm, &batches[0]), Err(Violation::Lane { lane: 2, way: "alarm" }));
    let many = chain(1, 80);
    let odd = many.iter().skip(1).step_by(2);
    let verdicts: Vec<_> = odd.map(|batch| inbox.on_batch(LOG, Way::Backfill, batch)).collect();
    assert_eq!(verdicts.iter().filter(|verdict| verdict.is_ok()).count(), crate::RANGES_MAX);
    assert_eq!(verdicts.last(), Some(&Err(Violation::Holes)));
}

#[test]
fn a_journal_that_ends_before_what_is_committed_of_it_is_not_opened() {
    let batches = chain(1, 3);
    let head = head(2, false);
    let opened = OpenedLog::judge(&head, held(&batches), 3);
    assert!(opened.is_fork);
    assert!(opened.position(Epoch(1)).is_fork);
    let mut inbox = Inbox::new([(head, opened)], Credit::default());
    assert_eq!(inbox.on_batch(LOG, Way::Live, &batches[0]), Err(Violation::Log { log: 0 }));
}

#[test]
fn a_journal_known_to_be_another_one_is_kept_apart_from_its_beginning() {
    let (batches, others) = (chain(1, 3), chain(2, 2));
    let head = head(2, true);
    let opened = OpenedLog::judge(&head, held(&batches), 3);
    assert_eq!((opened.is_fork, opened.committed.watermark(), opened.safe), (false, 0, 0));
    let credit = Credit { alarm_bytes: 0, telemetry_bytes: 1 << 20, linger_ms: 2 };
    let mut inbox = Inbox::new([(head, opened)], credit);
    for (index, other) in others.iter().enumerate() {
        assert_eq!(inbox.on_batch(LOG, Way::Bulk, other), Ok(InboxVerdict::KeepApart));
        let ack = inbox.on_kept(LOG, other, index as u64 + 1).expect("the log is there");
        assert_eq!((ack.watermark, ack.safe), (index as u64 + 1, index as u64 + 1));
    }
}
