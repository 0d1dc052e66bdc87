use delivery::{BatchBuilder, BatchSequence, ChainHash, Gap, Position, StoreId};
use proptest::prelude::*;
use space_packet::{SequenceCount, build_packet};

use super::*;

const NODE: NodeId = NodeId([7; 16]);
const STORE: StoreId = StoreId([1; 16]);
/// 2026-11-22T00:00:00Z.
const BEGINNING: i64 = 1_795_305_637_000_000_000;
const SECOND: i64 = 1_000_000_000;

/// A journal in the making.
struct Journal {
    position: Position,
    batches: Vec<(Way, SealedBatch)>,
}

impl Journal {
    fn new() -> Self {
        Self { position: Position::start(STORE, Lane::Telemetry), batches: Vec::new() }
    }

    fn push(&mut self, way: Way, batch: SealedBatch) {
        self.position = batch.position();
        self.batches.push((way, batch));
    }

    /// A batch of packets: APID, count, and the second they were received in.
    fn packets(&mut self, way: Way, link: &str, packets: &[(u16, u16, i64)]) {
        let mut builder = BatchBuilder::new("demo", link);
        for &(apid, count, second) in packets {
            let count = SequenceCount::try_from(count % SequenceCount::MODULUS).expect("14 bits");
            let apid = Apid::try_from(apid).expect("11 bits");
            let packet = build_packet(apid, count, false, &[0; 4]).expect("fits");
            builder.push(ReceptionTime(TaiTime(BEGINNING + second * SECOND)), &packet);
        }
        let body = builder.pack().expect("some packets");
        self.push(way, body.seal(Lane::Telemetry, &self.position));
    }

    fn gap(&mut self, numbers: u64, reason: GapReason, records: u64) {
        let first = BatchSequence(self.position.number() + 1);
        let last = BatchSequence(self.position.number() + numbers);
        let continues = ChainHash::after_gap(STORE, Lane::Telemetry, last);
        let gap = Gap { first, reason, records, continues };
        let noticed = ReceptionTime(TaiTime(BEGINNING));
        let batch =
            SealedBatch::seal_gap(Lane::Telemetry, &self.position, last, gap, ("demo", "antenna"), noticed);
        self.push(Way::Live, batch);
    }

    fn receipt(&self, index: usize) -> Receipt {
        let (way, batch) = &self.batches[index];
        let open = batch.open().expect("opens");
        Receipt::of((NODE, Epoch(1), *way), batch, Some(&open))
    }

    /// The account after batches came in an order.
    fn account(&self, order: &[usize]) -> AccountChanges {
        let mut account = Account::default();
        order.iter().for_each(|&index| account.add(self.receipt(index)));
        account.take()
    }
}

fn total(changes: &AccountChanges) -> Counts {
    let mut total = Counts::default();
    changes.rows.values().for_each(|counts| total += *counts);
    total
}

#[test]
fn what_seemed_apart_is_whole_once_the_backlog_has_come() {
    let mut journal = Journal::new();
    journal.packets(Way::Live, "antenna", &[(5, 1, 0), (5, 2, 1)]);
    journal.packets(Way::Backfill, "antenna", &[(5, 3, 2), (5, 5, 3)]);
    journal.packets(Way::Live, "antenna", &[(5, 6, 4), (5, 7, 5)]);
    let outage = total(&journal.account(&[0, 2]));
    assert_eq!(outage, Counts { received_live: 4, ..Counts::default() }, "what waits is not missing");
    let all = total(&journal.account(&[0, 2, 1]));
    assert_eq!(all, Counts { received_live: 4, backfilled: 2, not_received: 1, ..Counts::default() });
}

#[test]
fn a_packet_in_the_next_batch_that_came_late_closes_the_gap_before_it() {
    let mut journal = Journal::new();
    journal.packets(Way::Live, "antenna", &[(5, 1, 0), (5, 3, 1)]);
    journal.packets(Way::Live, "antenna", &[(5, 2, 2), (5, 4, 3)]);
    assert_eq!(total(&journal.account(&[0])).not_received, 1);
    assert_eq!(total(&journal.account(&[0, 1])).not_received, 0);
    assert_eq!(total(&journal.account(&[1, 0])).not_received, 0);
}

#[test]
fn links_and_apids_are_counted_apart_and_hours_are_those_of_utc() {
    let mut journal = Journal::new();
    journal.packets(Way::Live, "antenna", &[(5, 1, 3_599), (6, 9, 3_599), (5, 4, 3_600)]);
    journal.packets(Way::Live, "backup", &[(5, 2, 3_600)]);
    let rows = journal.account(&[0, 1]).rows;
    let first = Hour::of(TaiTime(BEGINNING));
    let found: Vec<_> = rows
        .iter()
        .map(|(key, counts)| {
            let apid = key.apid.map(Apid::value);
            (key.feed.link.as_str(), apid, key.hour.0 - first.0, counts.received(), counts.not_received)
        })
        .collect();
    let expected = [
        ("antenna", Some(5), 0, 1, 0),
        ("antenna", Some(5), 1, 1, 2),
        ("antenna", Some(6), 0, 1, 0),
        ("backup", Some(5), 1, 1, 0),
    ];
    assert_eq!(found, expected);
    assert_eq!(first.start(), TaiTime(BEGINNING));
}

#[test]
fn what_the_station_lost_is_not_called_missing_again() {
    let mut journal = Journal::new();
    journal.packets(Way::Live, "antenna", &[(5, 1, 0)]);
    journal.gap(2, GapReason::Evicted, 40);
    journal.packets(Way::Live, "antenna", &[(5, 42, 1)]);
    journal.gap(1, GapReason::Damaged, 3);
    journal.packets(Way::Live, "antenna", &[(5, 46, 2)]);
    journal.gap(10, GapReason::NeverIssued, 0);
    journal.packets(Way::Live, "antenna", &[(5, 48, 3)]);
    let expected = Counts {
        received_live: 4,
        evicted: 40,
        damaged: 3,
        never_issued: 10,
        not_received: 1,
        ..Counts::default()
    };
    for order in [[0, 1, 2, 3, 4, 5, 6], [6, 5, 4, 3, 2, 1, 0], [2, 6, 4, 0, 3, 1, 5]] {
        assert_eq!(total(&journal.account(&order)), expected, "{order:?}");
    }
}

#[test]
fn packets_that_cannot_be_trusted_say_nothing_of_their_apid() {
    let mut builder = BatchBuilder::new("demo", "antenna");
    let apid = Apid::try_from(5).expect("11 bits");
    for (count, verdicts) in [
        (1, Verdicts::NONE),
        (900, Verdict::CrcMismatch.into()),
        (2, Verdict::ContainerUnknown.into()),
        (3, Verdict::Stale.into()),
    ] {
        let count = SequenceCount::try_from(count).expect("14 bits");
        let packet = build_packet(apid, count, false, &[0; 4]).expect("fits");
        let is_quarantined = verdicts.intersects(QUARANTINED);
        builder.push_judged(ReceptionTime(TaiTime(BEGINNING)), verdicts, is_quarantined, &packet);
    }
    let mut journal = Journal::new();
    let body = builder.pack().expect("some packets");
    journal.push(Way::Import, body.seal(Lane::Telemetry, &journal.position));
    let rows: Vec<_> =
        journal.account(&[0]).rows.into_iter().map(|(key, counts)| (key.apid, counts)).collect();
    let damaged = Counts { backfilled: 1, quarantined: 1, ..Counts::default() };
    let sound = Counts { backfilled: 3, quarantined: 1, ..Counts::default() };
    assert_eq!(rows, [(None, damaged), (Some(apid), sound)]);
}

#[test]
fn a_batch_that_does_not_open_is_counted_by_its_header() {
    let mut journal = Journal::new();
    for count in [1, 2, 9] {
        journal.packets(Way::Live, "antenna", &[(5, count, 0)]);
    }
    let mut account = Account::default();
    account.add(journal.receipt(0));
    account.add(Receipt::of((NODE, Epoch(1), Way::Live), &journal.batches[1].1, None));
    account.add(journal.receipt(2));
    let expected = Counts { received_live: 3, ..Counts::default() };
    assert_eq!(total(&account.take()), expected, "what it held cannot be called missing");
}

#[test]
fn numbers_that_never_come_do_not_fill_the_memory() {
    let mut journal = Journal::new();
    for count in 0..400 {
        journal.packets(Way::Live, "antenna", &[(5, count * 2, 0)]);
    }
    let every_other: Vec<usize> = (0..400).step_by(2).collect();
    let changes = journal.account(&every_other);
    let state = changes.lanes.values().next().expect("one lane");
    assert_eq!(state.runs(), run::RUNS_MAX);
    assert_eq!(total(&changes), Counts { received_live: 200, ..Counts::default() });
}

/// Packets of one of two links: APID, count, second.
type OfLink = (usize, Vec<(u16, u16, i64)>);

/// Packets as a bad link delivers them: mostly in order, with holes, disorder, repeats and a counter begun anew.
fn disorderly() -> impl Strategy<Value = Vec<OfLink>> {
    let step = prop_oneof![
        12 => Just(1_i32),
        2 => 2..40_i32,
        2 => -30..1_i32,
        1 => 1_000..9_000_i32,
        1 => -9_000..-1_000_i32,
    ];
    let packet = (0_u16..2, step, 0_i64..4_000);
    let batch = (0_usize..2, proptest::collection::vec(packet, 1..12));
    proptest::collection::vec(batch, 1..24).prop_map(|batches| {
        let mut counts = [[16_300_i32; 2]; 2];
        let next = |link: usize, (apid, step, second): (u16, i32, i64)| {
            let count = &mut counts[link][usize::from(apid)];
            *count = (*count + step).rem_euclid(i32::from(SequenceCount::MODULUS));
            (apid, *count as u16, second)
        };
        let mut next = next;
        batches
            .into_iter()
            .map(|(link, packets)| (link, packets.into_iter().map(|packet| next(link, packet)).collect()))
            .collect()
    })
}

fn journal_of(batches: &[OfLink], gaps: &[(usize, u8)]) -> Journal {
    let mut journal = Journal::new();
    for (index, (link, packets)) in batches.iter().enumerate() {
        for (_, kind) in gaps.iter().filter(|(at, _)| *at == index) {
            let reason = [GapReason::Damaged, GapReason::Forgotten, GapReason::NeverIssued];
            journal.gap(u64::from(*kind) + 1, reason[usize::from(*kind)], 10);
        }
        journal.packets(Way::Live, ["antenna", "backup"][*link], packets);
    }
    journal
}

proptest! {
    #[test]
    fn any_order_of_the_same_batches_gives_the_same_account(
        batches in disorderly(),
        gaps in proptest::collection::vec((0_usize..24, 0_u8..3), 0..3),
        keys in proptest::collection::vec(any::<u64>(), 60),
        kept_at in 0_usize..30,
    ) {
        let journal = journal_of(&batches, &gaps);
        let in_order: Vec<usize> = (0..journal.batches.len()).collect();
        let expected = journal.account(&in_order);
        let mut shuffled = in_order;
        shuffled.sort_by_key(|&index| keys[index]);
        prop_assert_eq!(&journal.account(&shuffled), &expected);

        // And so does an account that is kept half way and goes on from there.
        let (before, behind) = shuffled.split_at(kept_at.min(shuffled.len()));
        let kept = journal.account(before);
        let mut account = Account::restore(kept.lanes.clone());
        behind.iter().for_each(|&index| account.add(journal.receipt(index)));
        let rest = account.take();
        let mut rows = kept.rows;
        rest.rows.into_iter().for_each(|(key, counts)| *rows.entry(key).or_default() += counts);
        rows.retain(|_, counts| !counts.is_zero());
        prop_assert_eq!(rows, expected.rows);
    }

    #[test]
    fn batches_cut_elsewhere_give_the_same_account(batches in disorderly()) {
        let journal = journal_of(&batches, &[]);
        // The same packets, each in a batch of its own.
        let mut single = Journal::new();
        for (link, packets) in &batches {
            for &packet in packets {
                single.packets(Way::Live, ["antenna", "backup"][*link], &[packet]);
            }
        }
        let all = |journal: &Journal| (0..journal.batches.len()).collect::<Vec<_>>();
        prop_assert_eq!(journal.account(&all(&journal)).rows, single.account(&all(&single)).rows);
    }

    #[test]
    fn what_did_not_come_is_what_was_taken_out(
        length in 1_u16..400,
        first in 0_u16..SequenceCount::MODULUS,
        taken in proptest::collection::btree_set(1_u16..399, 0..80),
        swapped in proptest::collection::vec(0_usize..400, 0..10),
        batch in 1_usize..20,
    ) {
        let is_there = |index: &u16| *index == 0 || *index == length || !taken.contains(index);
        let mut counts: Vec<u16> = (0..=length).filter(is_there).collect();
        let expected = i64::from(length) + 1 - counts.len() as i64;
        // The outermost stay where they are: nobody can know of what is beyond.
        for at in swapped {
            if at > 0 && at + 2 < counts.len() {
                counts.swap(at, at + 1);
            }
        }
        let mut journal = Journal::new();
        for some in counts.chunks(batch) {
            let packets: Vec<_> = some.iter().map(|count| (5, first.wrapping_add(*count), 0)).collect();
            journal.packets(Way::Live, "antenna", &packets);
        }
        let backwards: Vec<usize> = (0..journal.batches.len()).rev().collect();
        prop_assert_eq!(total(&journal.account(&backwards)).not_received, expected);
    }
}
