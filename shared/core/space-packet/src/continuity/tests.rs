use proptest::prelude::*;

use super::*;
use crate::SequenceFlags;

const APID: u16 = 100;

fn header(packet_type: PacketType, apid: u16, count: u16) -> PrimaryHeader {
    PrimaryHeader {
        packet_type,
        secondary_header: false,
        apid: Apid::try_from(apid).expect("in range"),
        sequence_flags: SequenceFlags::Unsegmented,
        sequence_count: sequence_count(count),
        data_length_field: 0,
    }
}

fn sequence_count(count: u16) -> SequenceCount {
    SequenceCount::try_from(count % SequenceCount::MODULUS).expect("in range")
}

/// Verdicts on counts of one APID, and what was counted.
fn judged(counts: impl IntoIterator<Item = u16>) -> (Vec<Continuity>, ContinuityCounts) {
    let mut tracker = ContinuityTracker::default();
    let telemetry = |count| header(PacketType::Telemetry, APID, count);
    let verdicts = counts.into_iter().map(|count| tracker.on_packet(&telemetry(count))).collect();
    let counted = tracker.counts(PacketType::Telemetry, telemetry(0).apid);
    (verdicts, counted.unwrap_or_default())
}

fn gap(missing: u16) -> Continuity {
    Continuity::Gap { missing, may_be_reset: false }
}

fn late(behind: u16) -> Continuity {
    Continuity::Late { behind, may_be_reset: false }
}

#[test]
fn every_count_gets_the_verdict_of_the_half_window_rule() {
    use Continuity::{Duplicate, First, InOrder};
    let check = |counts: &[u16], expected: &[Continuity]| {
        assert_eq!(judged(counts.iter().copied()).0, expected, "{counts:?}");
    };
    check(&[7, 8, 9], &[First, InOrder, InOrder]);
    check(&[16_382, 16_383, 0, 1], &[First, InOrder, InOrder, InOrder]);
    check(&[7, 7, 8], &[First, Duplicate, InOrder]);
    check(&[7, 9, 8, 10], &[First, gap(1), late(1), InOrder]);
    check(&[16_380, 3, 4], &[First, gap(6), InOrder]);
    check(&[100, 100 + 8_192], &[First, gap(8_191)]);
    check(&[100, 100 + 8_193], &[First, late(8_191)]);
    check(&[3, 16_380, 4], &[First, late(7), InOrder]);
}

#[test]
fn what_is_missing_doubled_or_late_is_counted_and_what_comes_late_stays_counted_as_missing() {
    let (_, counts) = judged([5, 6, 6, 9, 8, 10, 20]);
    let expected =
        ContinuityCounts { received: 7, missing: 11, gaps: 2, duplicates: 1, late: 1, ..Default::default() };
    assert_eq!(counts, expected);
}

#[test]
fn apids_and_packet_types_are_judged_apart() {
    let mut tracker = ContinuityTracker::default();
    for (packet_type, apid) in
        [(PacketType::Telemetry, 1), (PacketType::Telecommand, 1), (PacketType::Telemetry, 2)]
    {
        assert_eq!(tracker.on_packet(&header(packet_type, apid, 500)), Continuity::First);
        assert_eq!(tracker.on_packet(&header(packet_type, apid, 501)), Continuity::InOrder);
    }
    let heard: Vec<_> = tracker.all_counts().map(|(kind, apid, _)| (kind, apid.value())).collect();
    let expected = [(PacketType::Telemetry, 1), (PacketType::Telemetry, 2), (PacketType::Telecommand, 1)];
    assert_eq!(heard, expected);
}

#[test]
fn a_counter_that_begins_anew_is_late_until_two_successors_confirm_the_reset() {
    let (verdicts, counts) = judged([5_000, 5_001, 0, 1, 2, 3]);
    let doubted = |behind| Continuity::Late { behind, may_be_reset: true };
    assert_eq!(verdicts[2..4], [doubted(5_001), doubted(5_000)]);
    let withdrawn = Withdrawn::Late { packets: 2 };
    let reset = Continuity::Reset { restarted_at: sequence_count(0), packets: 3, withdrawn };
    assert_eq!(verdicts[4..], [reset, Continuity::InOrder]);
    assert_eq!(counts, ContinuityCounts { received: 6, resets: 1, ..Default::default() });
}

#[test]
fn a_counter_that_begins_anew_far_behind_is_a_gap_until_two_successors_confirm_the_reset() {
    let (verdicts, counts) = judged([12_000, 4, 5, 6, 7]);
    assert_eq!(verdicts[1..3], [Continuity::Gap { missing: 4_387, may_be_reset: true }, Continuity::InOrder]);
    let withdrawn = Withdrawn::Gap { missing: 4_387 };
    let reset = Continuity::Reset { restarted_at: sequence_count(4), packets: 3, withdrawn };
    assert_eq!(verdicts[3..], [reset, Continuity::InOrder]);
    assert_eq!(counts, ContinuityCounts { received: 5, resets: 1, ..Default::default() });
}

#[test]
fn a_gap_across_the_end_of_the_counts_stays_one_when_the_old_sequence_is_heard_again() {
    let (verdicts, counts) = judged([12_000, 4, 12_001, 5, 6, 7]);
    assert_eq!(verdicts[2], late(4_387));
    assert_eq!(verdicts[3..], [Continuity::InOrder; 3]);
    assert_eq!((counts.resets, counts.missing, counts.late), (0, 4_387, 1));
}

#[test]
fn packets_played_back_from_a_low_count_are_late_while_the_sequence_goes_on_between_them() {
    let counts = (0..50).flat_map(|nth| [nth, 5_000 + nth]);
    let (verdicts, counts) = judged([4_999].into_iter().chain(counts));
    assert!(verdicts.iter().all(|verdict| !matches!(verdict, Continuity::Reset { .. })), "{verdicts:?}");
    assert_eq!((counts.late, counts.missing), (50, 0));
}

#[test]
fn a_counter_that_goes_on_elsewhere_is_followed_after_64_packets() {
    let (verdicts, counts) = judged([9_000].into_iter().chain(5_000..5_100));
    let withdrawn = Withdrawn::Late { packets: 63 };
    assert_eq!(
        verdicts[64],
        Continuity::Reset { restarted_at: sequence_count(5_000), packets: 64, withdrawn }
    );
    assert_eq!(verdicts[65..], [Continuity::InOrder; 36]);
    assert_eq!((counts.late, counts.missing, counts.resets), (0, 0, 1));
}

proptest! {
    #[test]
    fn every_packet_lost_from_a_sequence_is_counted_as_missing(
        start in 0..SequenceCount::MODULUS,
        losses in proptest::collection::vec(0u16..1_000, 1..200),
    ) {
        let mut at = start;
        let counts = losses.iter().map(|loss| {
            at = (at + loss + 1) % SequenceCount::MODULUS;
            at
        });
        let counted = judged([start].into_iter().chain(counts)).1;
        let expected = ContinuityCounts {
            received: losses.len() as u64 + 1,
            missing: losses.iter().map(|&loss| u64::from(loss)).sum(),
            gaps: losses.iter().filter(|&&loss| loss > 0).count() as u64,
            ..Default::default()
        };
        prop_assert_eq!(counted, expected);
    }

    #[test]
    fn whatever_comes_each_packet_is_one_of_in_order_first_ahead_behind_or_again(
        counts in proptest::collection::vec(prop_oneof![0u16..70, 8_000u16..8_300, 0..SequenceCount::MODULUS], 1..400),
    ) {
        let (verdicts, counted) = judged(counts.iter().copied());
        let resets = verdicts.iter().filter(|verdict| matches!(verdict, Continuity::Reset { .. })).count();
        prop_assert_eq!(counted.resets, resets as u64);
        prop_assert_eq!(counted.received, counts.len() as u64);
        let mut last = counts[0];
        for (verdict, &count) in verdicts.iter().zip(&counts).skip(1) {
            let delta = (16_384 + count - (last + 1) % 16_384) % 16_384;
            let fits = match *verdict {
                Continuity::First => false,
                Continuity::InOrder => delta == 0,
                Continuity::Duplicate => delta == 16_383,
                Continuity::Gap { missing, .. } => delta == missing && (1..8_192).contains(&delta),
                Continuity::Late { behind, .. } => (8_192..16_383).contains(&delta) && behind == 16_383 - delta,
                Continuity::Reset { withdrawn: Withdrawn::Gap { .. }, .. } => delta == 0,
                Continuity::Reset { withdrawn: Withdrawn::Late { .. }, .. } => (8_192..16_383).contains(&delta),
            };
            prop_assert!(fits, "{:?}: {} after {}", verdict, count, last);
            if !matches!(verdict, Continuity::Late { .. }) {
                last = count;
            }
        }
    }
}
