//! Whether a packet follows the one before it, per link and APID (sequence counts modulo 16,384).

use std::collections::HashMap;

use crate::{Apid, SequenceCount};

/// How a packet stands to the newest one of its APID.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Continuity {
    /// The first packet of this APID.
    First,
    /// The next count.
    InOrder,
    /// The same count again.
    Duplicate,
    /// This many counts were skipped.
    Gap(u16),
    /// This many counts behind the newest: late, or the source began again.
    Late(u16),
}

/// Follows the sequence counts of one link; at most 2,048 APIDs exist, so its memory is bounded.
#[derive(Debug, Default)]
pub struct ContinuityTracker {
    newest: HashMap<Apid, SequenceCount>,
}

impl ContinuityTracker {
    /// Classifies the packet and remembers its count if it is the newest.
    pub fn on_packet(&mut self, apid: Apid, count: SequenceCount) -> Continuity {
        let Some(newest) = self.newest.get_mut(&apid) else {
            self.newest.insert(apid, count);
            return Continuity::First;
        };
        // Half-window rule: less than half the counts ahead is newer, the rest is older.
        match count.distance_from(*newest) {
            0 => Continuity::Duplicate,
            ahead if ahead < SequenceCount::MODULUS / 2 => {
                *newest = count;
                if ahead == 1 { Continuity::InOrder } else { Continuity::Gap(ahead - 1) }
            }
            ahead => Continuity::Late(SequenceCount::MODULUS - ahead),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(counts: &[u16], expected: &[Continuity]) {
        let apid = Apid::try_from(5).expect("in range");
        let mut tracker = ContinuityTracker::default();
        let seen: Vec<_> = counts
            .iter()
            .map(|&count| tracker.on_packet(apid, SequenceCount::try_from(count).expect("in range")))
            .collect();
        assert_eq!(seen, expected);
    }

    #[test]
    fn counts_that_wrap_are_in_order() {
        check(
            &[16_382, 16_383, 0, 1],
            &[Continuity::First, Continuity::InOrder, Continuity::InOrder, Continuity::InOrder],
        );
    }

    #[test]
    fn gaps_duplicates_and_late_packets_are_told_apart() {
        check(
            &[10, 14, 14, 12, 15],
            &[
                Continuity::First,
                Continuity::Gap(3),
                Continuity::Duplicate,
                Continuity::Late(2),
                Continuity::InOrder,
            ],
        );
    }
}
