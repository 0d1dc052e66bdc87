//! What the counts of one APID's packets say when the packets are looked at in the order of the journal.
//!
//! The verdict on a packet depends only on the 64 packets before it and the 64 behind it. So two stretches of a
//! journal can be judged apart, and what changes where they meet is found from their edges alone.

use std::collections::BTreeSet;
use std::ops::Range;

use serde::{Deserialize, Serialize};
use space_packet::SequenceCount;

use super::Hour;

/// Packets that a verdict looks back over, and ahead over: disorder on the way stays well below.
const WINDOW: usize = 64;
/// Packets at an end of a stretch that can matter to what it is joined with.
pub(super) const EDGE_PACKETS: usize = 2 * WINDOW;
/// Half of the counts: what lies further ahead than this is behind.
const HALF: u16 = SequenceCount::MODULUS / 2;
/// A counter that passed its end, skipped many counts and stands this low has rather begun anew.
const LOW_COUNTS: u16 = 64;
const SKIPPED_MIN: u16 = 1_024;

/// A packet: its sequence count, and in which hour it was received.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Heard {
    pub(super) count: u16,
    pub(super) hour: Hour,
}

/// What a packet's count says.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Finding {
    /// It has the count of one shortly before it.
    Duplicate,
    /// So many packets before it did not come, not even shortly behind it.
    Missing(u16),
}

/// How far a count lies ahead of another, modulo 16,384.
fn ahead(count: u16, of: u16) -> u16 {
    count.wrapping_sub(of) % SequenceCount::MODULUS
}

/// Judges some packets of a sequence, and tells of each that is not simply the next one.
pub(super) fn judge(heard: &[Heard], judged: Range<usize>, mut tell: impl FnMut(Hour, Finding)) {
    let begin = judged.start.saturating_sub(WINDOW);
    // Since where the packets are one after the other.
    let mut in_order_since = begin;
    for place in begin..judged.end {
        if place > begin && ahead(heard[place].count, heard[place - 1].count) != 1 {
            in_order_since = place;
        }
        let before = place.saturating_sub(WINDOW);
        if place >= judged.start
            && in_order_since > before
            && let Some(finding) = judge_one(&heard[before..place], heard[place].count, &heard[place + 1..])
        {
            tell(heard[place].hour, finding);
        }
    }
}

fn judge_one(before: &[Heard], count: u16, behind: &[Heard]) -> Option<Finding> {
    if before.iter().any(|other| other.count == count) {
        return Some(Finding::Duplicate);
    }
    // A late one opens no gap: the newer packet before it did.
    if before.iter().any(|other| ahead(other.count, count) < HALF) {
        return None;
    }
    let nearest = before.iter().map(|other| other.count).min_by_key(|&other| ahead(count, other))?;
    let skipped = ahead(count, nearest) - 1;
    let has_begun_anew = count < nearest && count < LOW_COUNTS && skipped >= SKIPPED_MIN;
    if skipped == 0 || skipped >= HALF || has_begun_anew {
        return None;
    }
    let in_gap = |other: &u16| (1..=skipped).contains(&ahead(*other, nearest));
    let late: BTreeSet<u16> = behind.iter().take(WINDOW).map(|other| other.count).filter(in_gap).collect();
    match skipped - late.len() as u16 {
        0 => None,
        missing => Some(Finding::Missing(missing)),
    }
}

/// What changes where `left` and `right`, judged apart until now, turn out to be neighbours: tells of each finding
/// whether it is taken back.
pub(super) fn judge_seam(left: &[Heard], right: &[Heard], mut tell: impl FnMut(Hour, Finding, bool)) {
    let (last, first) = (left.len().saturating_sub(WINDOW), right.len().min(WINDOW));
    judge(left, last..left.len(), |hour, finding| tell(hour, finding, true));
    judge(right, 0..first, |hour, finding| tell(hour, finding, true));
    let joined = [left, right].concat();
    judge(&joined, last..left.len() + first, |hour, finding| tell(hour, finding, false));
}

/// The first or the last packets of a sequence, 128 at most: usually a single stretch.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub(super) struct Edge(Vec<Stretch>);

/// Packets one after the other, received within an hour.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
struct Stretch {
    first: u16,
    packets: u16,
    hour: Hour,
}

impl Edge {
    pub(super) fn of(heard: &[Heard]) -> Self {
        let mut edge = Self::default();
        for &Heard { count, hour } in heard {
            match edge.0.last_mut() {
                Some(last) if last.hour == hour && ahead(count, last.first) == last.packets => {
                    last.packets += 1;
                }
                _ => edge.0.push(Stretch { first: count, packets: 1, hour }),
            }
        }
        edge
    }

    pub(super) fn of_first(heard: &[Heard]) -> Self {
        Self::of(&heard[..heard.len().min(EDGE_PACKETS)])
    }

    pub(super) fn of_last(heard: &[Heard]) -> Self {
        Self::of(&heard[heard.len().saturating_sub(EDGE_PACKETS)..])
    }

    pub(super) fn heard(&self) -> Vec<Heard> {
        let packets = self.0.iter().flat_map(|stretch| {
            let count = move |ahead: u16| stretch.first.wrapping_add(ahead) % SequenceCount::MODULUS;
            (0..stretch.packets).map(move |ahead| Heard { count: count(ahead), hour: stretch.hour })
        });
        packets.take(EDGE_PACKETS).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(counts: &[u16], missing_expected: u64, duplicates_expected: u64) {
        let heard: Vec<Heard> = counts.iter().map(|&count| Heard { count, hour: Hour(0) }).collect();
        let (mut missing, mut duplicates) = (0, 0);
        judge(&heard, 0..heard.len(), |_, finding| match finding {
            Finding::Duplicate => duplicates += 1,
            Finding::Missing(packets) => missing += u64::from(packets),
        });
        assert_eq!((missing, duplicates), (missing_expected, duplicates_expected), "{counts:?}");
        assert_eq!(Edge::of(&heard).heard(), heard[..heard.len().min(EDGE_PACKETS)]);
    }

    #[test]
    fn packets_that_did_not_come_are_missing_and_those_that_came_late_are_not() {
        check(&[1, 2, 3], 0, 0);
        check(&[1, 2, 5, 6], 2, 0);
        check(&[1, 2, 5, 3, 6], 1, 0);
        check(&[1, 2, 6, 4, 7], 2, 0);
        check(&[1, 2, 4, 3, 5], 0, 0);
        check(&[16_382, 16_383, 0, 2], 1, 0);
    }

    #[test]
    fn packets_that_came_twice_are_duplicates() {
        check(&[1, 1, 2, 2, 2], 0, 3);
        check(&[1, 2, 3, 1, 2, 3, 4], 0, 3);
    }

    #[test]
    fn a_counter_that_begins_anew_loses_nothing() {
        check(&[8_000, 8_001, 0, 1, 2, 3], 0, 0);
        check(&[12_000, 12_001, 0, 1, 2, 3], 0, 0);
        check(&[12_000, 12_001, 12_900], 898, 0);
    }

    #[test]
    fn a_stray_packet_opens_no_gap_on_the_way_back() {
        check(&[5_000, 200, 5_001, 5_002], 0, 0);
    }
}
