//! A session's batches in any order, with any number and chain, on any way: what is held stays whole, the credit only
//! grows, and what an inbox takes a committer takes too.
#![no_main]

use std::collections::BTreeSet;
use std::sync::LazyLock;

use delivery::{
    BatchBuilder, BatchSequence, ChainHash, CommitVerdict, Credit, Inbox, InboxVerdict, Lane, LogHead,
    LogNumber, OpenedLog, Position, RANGES_MAX, Ranges, SealedBatch, SessionNumber, StoreId, Way,
    judge_group,
};
use libfuzzer_sys::fuzz_target;
use space_packet::{ReceptionTime, TaiTime};

const STORE: StoreId = StoreId([7; 16]);
const WAYS: [Way; 5] = [Way::Alarm, Way::Live, Way::Backfill, Way::Bulk, Way::Import];
const CREDIT: Credit = Credit { alarm_bytes: 4_096, telemetry_bytes: 16_384, linger_ms: 2 };

/// What the node's journal has.
static CHAIN: LazyLock<Vec<SealedBatch>> = LazyLock::new(|| {
    let mut position = Position::start(STORE, Lane::Telemetry);
    (1..=u8::MAX)
        .map(|number| {
            let batch = sealed(&position, number, 0);
            position = batch.position();
            batch
        })
        .collect()
});

fn sealed(position: &Position, number: u8, variant: u8) -> SealedBatch {
    let mut builder = BatchBuilder::new("demo", "antenna");
    builder.push(ReceptionTime(TaiTime(i64::from(number))), &[variant; 8]);
    builder.pack().expect("one record").seal(Lane::Telemetry, position)
}

/// Where the journal stands behind a number.
fn position(number: u8) -> Position {
    let before = usize::from(number).checked_sub(1).map(|place| CHAIN[place].position());
    before.unwrap_or_else(|| Position::start(STORE, Lane::Telemetry))
}

/// A batch of this number: the journal's own, or one with another content or another chain.
fn batch(number: u8, variant: u8, is_chained: bool) -> SealedBatch {
    let before = position(number - 1);
    let hash = if is_chained { before.hash } else { ChainHash([variant; 16]) };
    sealed(&Position { hash, ..before }, number, variant)
}

fuzz_target!(|bytes: &[u8]| {
    let Some((&[role, watermark], steps)) = bytes.split_first_chunk::<2>() else { return };
    let is_forked = role & 1 == 1;
    let head = LogHead {
        lane: Lane::Telemetry,
        store: STORE,
        head: (role >> 1 > 0).then_some(BatchSequence(u64::from(role >> 1))),
        is_forked,
    };
    let held = Ranges::up_to(u64::from(watermark), position(watermark).hash);
    let opened = OpenedLog::judge(&head, held, 0);
    let mut committed = opened.committed.clone();
    let mut inbox = Inbox::new([(head, opened)], CREDIT);
    let (mut granted, mut taken) = (inbox.credit(), BTreeSet::new());
    for &[number, variant, how] in steps.as_chunks::<3>().0 {
        let batch = batch(number.max(1), variant & 3, how & 0x10 == 0);
        let way = WAYS[usize::from(how & 7) % WAYS.len()];
        let log = LogNumber(u8::from(how & 0x80 != 0));
        let Ok(verdict) = inbox.on_batch(log, way, &batch) else { return };
        match verdict {
            InboxVerdict::Commit => {
                assert!(taken.insert(batch.header.sequence), "a number is taken once");
                let group = [((), SessionNumber(1), &batch)];
                let judged = judge_group(&group, |(), _| committed.clone());
                assert_eq!(judged.verdicts, [CommitVerdict::Commit]);
                committed = judged.lanes[&()].after.clone();
                let ack = inbox.on_committed(log, committed.clone(), committed.watermark());
                let ack = ack.expect("the log is open");
                assert!(ack.safe <= ack.watermark && ack.ranges.len() <= RANGES_MAX);
            }
            InboxVerdict::KeepApart => {
                assert!(is_forked);
                inbox.on_kept(log, &batch, 0).expect("the log is open");
            }
            InboxVerdict::Compare | InboxVerdict::Duplicate | InboxVerdict::Fork => assert!(!is_forked),
        }
        inbox.on_done(way, batch.bytes().len() as u64);
        let credit = inbox.credit();
        assert!(
            credit.alarm_bytes >= granted.alarm_bytes && credit.telemetry_bytes >= granted.telemetry_bytes
        );
        granted = credit;
        assert_eq!(inbox.pending(), 0);
        let spans = committed.spans().to_vec();
        let restored = Ranges::restore(committed.watermark(), committed.hash(), spans);
        assert_eq!(restored.as_ref(), Some(&committed));
    }
});
