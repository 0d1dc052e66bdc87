//! The gaps a journal remembers: runs of batches that will never be there, ordered and merged.

use delivery::BatchSequence;

use super::{GapReason, GapRecord};

/// Most gaps remembered. Past it the oldest is forgotten, and found again as a hole when it is read.
const GAPS_MAX: usize = 4_096;

/// Gaps in order of sequence; they never overlap.
#[derive(Debug, Default)]
pub(super) struct Gaps {
    records: Vec<GapRecord>,
}

impl Gaps {
    /// Reads what [`Gaps::encode`] wrote; bytes that are none of it hold no gap: holes are found again when read.
    pub(super) fn decode(bytes: &[u8]) -> Self {
        let records: Vec<GapRecord> = postcard::from_bytes(bytes).unwrap_or_default();
        let mut gaps = Self::default();
        records
            .into_iter()
            .filter(|gap| gap.first <= gap.last && gap.last.0 < u64::MAX)
            .for_each(|gap| gaps.insert(gap.first.0, gap.last.0, gap.reason));
        gaps
    }

    /// Their bytes.
    pub(super) fn encode(&self) -> Vec<u8> {
        postcard::to_stdvec(&self.records).expect("numbers always encode")
    }

    /// All of them, oldest first.
    pub(super) fn records(&self) -> &[GapRecord] {
        &self.records
    }

    /// The gap a number lies in.
    pub(super) fn at(&self, number: u64) -> Option<&GapRecord> {
        let index = self.records.partition_point(|gap| gap.last.0 < number);
        self.records.get(index).filter(|gap| gap.first.0 <= number)
    }

    /// The first gap behind a number.
    pub(super) fn after(&self, number: u64) -> Option<&GapRecord> {
        self.records.get(self.records.partition_point(|gap| gap.first.0 <= number))
    }

    /// Adds what of a run is no gap yet: why a batch was lost first is why it is missing.
    pub(super) fn insert(&mut self, first: u64, last: u64, reason: GapReason) {
        let mut next = first;
        while next <= last {
            if let Some(gap) = self.at(next) {
                next = gap.last.0 + 1;
                continue;
            }
            let end = self.after(next).map_or(last, |gap| last.min(gap.first.0 - 1));
            let index = self.records.partition_point(|gap| gap.last.0 < next);
            let gap = GapRecord { first: BatchSequence(next), last: BatchSequence(end), reason };
            self.records.insert(index, gap);
            next = end + 1;
        }
        self.records.dedup_by(|later, earlier| {
            let is_joined = earlier.reason == later.reason && earlier.last.0 + 1 == later.first.0;
            if is_joined {
                earlier.last = later.last;
            }
            is_joined
        });
        let excess = self.records.len().saturating_sub(GAPS_MAX);
        self.records.drain(..excess);
    }

    /// Forgets gaps that lie at or below a number; says whether there were any.
    pub(super) fn forget_up_to(&mut self, number: u64) -> bool {
        let count = self.records.partition_point(|gap| gap.last.0 <= number);
        self.records.drain(..count);
        count > 0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn gaps_of_one_reason_that_touch_are_one() {
        let mut gaps = Gaps::default();
        gaps.insert(1, 3, GapReason::Evicted);
        gaps.insert(6, 8, GapReason::Damaged);
        gaps.insert(2, 6, GapReason::Evicted);
        let found: Vec<_> = gaps.records().iter().map(|gap| (gap.first.0, gap.last.0, gap.reason)).collect();
        assert_eq!(found, [(1, 5, GapReason::Evicted), (6, 8, GapReason::Damaged)]);
        assert_eq!(Gaps::decode(&gaps.encode()).records(), gaps.records());
        assert!(gaps.forget_up_to(5) && gaps.at(5).is_none() && gaps.at(7).is_some());
    }

    proptest! {
        #[test]
        fn a_number_is_in_a_gap_exactly_when_it_was_put_into_one(
            runs in proptest::collection::vec((1u64..60, 0u64..9, any::<bool>()), 0..20),
        ) {
            let mut gaps = Gaps::default();
            for &(first, length, is_evicted) in &runs {
                let reason = if is_evicted { GapReason::Evicted } else { GapReason::Damaged };
                gaps.insert(first, first + length, reason);
            }
            for number in 0..80 {
                let expected = runs.iter().find(|(first, length, _)| (*first..=first + length).contains(&number));
                let reason = gaps.at(number).map(|gap| gap.reason == GapReason::Evicted);
                prop_assert_eq!(reason, expected.map(|run| run.2));
            }
            prop_assert!(gaps.records().is_sorted_by(|a, b| a.last < b.first));
        }

        #[test]
        fn whatever_the_bytes_nothing_panics(bytes in any::<Vec<u8>>()) {
            Gaps::decode(&bytes);
        }
    }
}
