//! A page of samples that begins at the end of a range and goes back in time.

use std::collections::BTreeMap;

use space_packet::TaiTime;

use super::TIES_FACTOR;
use crate::Sample;

/// The latest samples of a range, collected in any order.
#[derive(Debug)]
pub(super) struct BackwardsPage {
    by_time: BTreeMap<i64, Vec<(u32, Sample)>>,
    count: usize,
    limit: usize,
    /// Whether earlier samples were left out.
    is_cut: bool,
    /// Where a page was ended, though it was not full.
    ended_at: Option<TaiTime>,
}

impl BackwardsPage {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            by_time: BTreeMap::new(),
            count: 0,
            limit: limit.clamp(1, 100_000),
            is_cut: false,
            ended_at: None,
        }
    }

    /// Takes a sample of the range, which is only made if it comes into the page.
    pub(super) fn add(&mut self, time: i64, sample: impl FnOnce() -> (u32, Sample)) {
        if self.is_full_from(time + 1) {
            return;
        }
        let moment = self.by_time.entry(time).or_default();
        if moment.len() < self.limit * TIES_FACTOR {
            moment.push(sample());
            self.count += 1;
        }
        // Whole moments leave at the beginning, so that the next page can end before a moment.
        while let Some(first) = self.by_time.first_entry() {
            if self.count - first.get().len() < self.limit {
                break;
            }
            self.count -= first.remove().len();
            self.is_cut = true;
        }
    }

    /// Whether the page is full with what lies at `time` or later, so that nothing before it can come into it.
    pub(super) fn is_full_from(&self, time: i64) -> bool {
        self.is_cut && self.by_time.first_key_value().is_some_and(|(&first, _)| first >= time)
    }

    /// Ends the page at `time`, included, because not all that lies before was read.
    pub(super) fn end_at(&mut self, time: TaiTime) {
        if self.is_full_from(time.0) {
            return;
        }
        self.by_time = self.by_time.split_off(&time.0);
        self.ended_at = Some(time);
    }

    /// Samples and sources, the latest first, and where the next page ends, excluded.
    pub(super) fn finish(self) -> (Vec<(u32, Sample)>, Option<TaiTime>) {
        let at_first =
            || self.by_time.first_key_value().map(|(&first, _)| TaiTime(first)).filter(|_| self.is_cut);
        let next = self.ended_at.or_else(at_first);
        (self.by_time.into_values().rev().flatten().collect(), next)
    }
}

#[cfg(test)]
mod tests {
    use mission_database::ParameterIndex;
    use proptest::prelude::*;
    use space_packet::{GenerationTime, ReceptionTime};

    use super::*;
    use crate::scan::tests::series;
    use crate::{RangeAnswer, RangeQuery, RangeScan, Raw, Wanted};

    fn sample(time: i64) -> Sample {
        Sample {
            parameter: ParameterIndex(0),
            generation: GenerationTime(TaiTime(time)),
            reception: ReceptionTime::default(),
            raw: Raw::Signed(time),
            converted: None,
            validity: Default::default(),
            monitoring: Default::default(),
            version: Default::default(),
            provenance: Default::default(),
        }
    }

    #[test]
    fn a_page_that_is_ended_early_goes_on_where_it_ended() {
        for (times, ended, expected, expected_next) in [
            (&[1, 5, 9][..], 5, &[9, 5][..], Some(5)),
            (&[1, 2, 3, 4], 0, &[4, 3, 2], Some(2)),
            (&[1], 5, &[], Some(5)),
        ] {
            let mut page = BackwardsPage::new(3);
            times.iter().for_each(|&time| page.add(time, || (0, sample(time))));
            page.end_at(TaiTime(ended));
            let (samples, next) = page.finish();
            let found: Vec<i64> = samples.iter().map(|(_, sample)| sample.generation.0.0).collect();
            assert_eq!((found.as_slice(), next), (expected, expected_next.map(TaiTime)));
        }
    }

    proptest! {
        #[test]
        fn pages_one_before_the_other_hold_every_sample_once(
            parts in proptest::collection::vec(proptest::collection::vec(0i64..60, 0..40), 0..5),
            limit in 1usize..20,
        ) {
            let (mut seen, mut to) = (Vec::new(), TaiTime(50));
            loop {
                let wanted = Wanted::PageBackwards { limit };
                let query =
                    RangeQuery { parameter: ParameterIndex(0), from: TaiTime(5), to, wanted, reading: None };
                let mut scan = RangeScan::new(query);
                for (source, part) in (0u32..).zip(&parts) {
                    if let Some(series) = series(part) {
                        scan.add(source, series.view());
                    }
                }
                let RangeAnswer::PageBackwards { samples, next } = scan.finish() else {
                    panic!("a page was asked for")
                };
                prop_assert!(next.is_none() || samples.len() >= limit);
                seen.extend(samples.into_iter().map(|(source, sample)| (sample.generation.0.0, source)));
                match next {
                    Some(next) => to = next,
                    None => break,
                }
            }
            prop_assert!(seen.is_sorted_by(|(a, _), (b, _)| a >= b));
            let mut expected: Vec<_> = (0u32..)
                .zip(&parts)
                .flat_map(|(source, part)| part.iter().map(move |&time| (time, source)))
                .filter(|(time, _)| (5..50).contains(time))
                .collect();
            seen.sort_unstable();
            expected.sort_unstable();
            prop_assert_eq!(seen, expected);
        }
    }
}
