//! Answers a question about a range of one parameter from any number of series, given in any order.

mod backwards;
mod statistics;

use std::collections::BTreeMap;

use mission_database::ParameterIndex;
use space_packet::TaiTime;

pub use statistics::{CellStatistics, Statistics};

use self::backwards::BackwardsPage;
use self::statistics::StatisticsScan;
use crate::{Buckets, Reducer, RollUp, Sample, SeriesView};

/// How a page may outgrow its limit because samples of one moment are never torn apart.
const TIES_FACTOR: usize = 10;

/// A question about `from ≤ generation time < to`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct RangeQuery {
    /// The parameter.
    pub parameter: ParameterIndex,
    /// Beginning of the range, included.
    pub from: TaiTime,
    /// End of the range, excluded.
    pub to: TaiTime,
    /// What is wanted of it.
    pub wanted: Wanted,
    /// The archive as it was read up to this reading; absent: as it is read now.
    pub reading: Option<u32>,
}

/// What is wanted of a range.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Wanted {
    /// The samples themselves, the earliest ones first.
    Page {
        /// How many; more when the last ones share their time.
        limit: usize,
    },
    /// The samples themselves, the latest ones first.
    PageBackwards {
        /// How many; more when the last ones share their time.
        limit: usize,
    },
    /// At most so many buckets.
    Pixels {
        /// How many.
        points: usize,
    },
    /// Cells of one width that begin where the range does, and all of them together.
    Statistics {
        /// Nanoseconds of a cell; held so that there are 10,000 cells at most.
        width_nanos: i64,
    },
}

/// The answer.
#[derive(Clone, Debug, PartialEq)]
pub enum RangeAnswer {
    /// To [`Wanted::Page`]: samples with their sources by generation time, and where the next page begins.
    Page {
        /// Samples and sources.
        samples: Vec<(u32, Sample)>,
        /// Beginning of the next page, if there is more.
        next: Option<TaiTime>,
    },
    /// To [`Wanted::PageBackwards`]: samples with their sources, the latest first, and where the next page ends.
    PageBackwards {
        /// Samples and sources.
        samples: Vec<(u32, Sample)>,
        /// End of the next page, excluded, if there is more.
        next: Option<TaiTime>,
    },
    /// To [`Wanted::Pixels`].
    Pixels(Buckets),
    /// To [`Wanted::Statistics`].
    Statistics(Statistics),
}

/// Collects the answer while series are handed in.
#[derive(Debug)]
pub struct RangeScan {
    query: RangeQuery,
    collected: Collected,
    /// What a page was ended before, though it was not full.
    ended_before: Option<TaiTime>,
}

#[derive(Debug)]
enum Collected {
    Page { by_time: BTreeMap<i64, Vec<(u32, Sample)>>, count: usize, limit: usize, cut: bool },
    PageBackwards(BackwardsPage),
    Pixels(Reducer),
    Statistics(StatisticsScan),
}

impl RangeScan {
    /// An empty scan.
    pub fn new(query: RangeQuery) -> Self {
        let collected = match query.wanted {
            Wanted::Page { limit } => Collected::Page {
                by_time: BTreeMap::new(),
                count: 0,
                limit: limit.clamp(1, 100_000),
                cut: false,
            },
            Wanted::PageBackwards { limit } => Collected::PageBackwards(BackwardsPage::new(limit)),
            Wanted::Pixels { points } => Collected::Pixels(Reducer::new(query.from, query.to, points)),
            Wanted::Statistics { width_nanos } => {
                Collected::Statistics(StatisticsScan::new(query.from, query.to, width_nanos))
            }
        };
        Self { query, collected, ended_before: None }
    }

    /// An empty scan whose pixels begin and end at whole multiples of `unit` nanoseconds, where roll-ups do.
    pub fn aligned(query: RangeQuery, unit: i64) -> Self {
        match query.wanted {
            Wanted::Page { .. } | Wanted::PageBackwards { .. } | Wanted::Statistics { .. } => {
                Self::new(query)
            }
            Wanted::Pixels { points } => {
                let reducer = Reducer::aligned(query.from, query.to, points, unit);
                Self { query, collected: Collected::Pixels(reducer), ended_before: None }
            }
        }
    }

    /// Takes a roll-up whose first sample lies in the range. A page holds samples, so it takes none.
    pub fn add_rollup(&mut self, rollup: &RollUp) {
        if let Collected::Pixels(reducer) = &mut self.collected {
            reducer.add_rollup(rollup);
        }
    }

    /// Whether a page is full with what lies before `time`, so that nothing from there on can come into it.
    pub fn is_full_before(&self, time: i64) -> bool {
        let Collected::Page { by_time, cut, .. } = &self.collected else { return false };
        *cut && by_time.last_key_value().is_some_and(|(&last, _)| last < time)
    }

    /// Whether a backwards page is full with what lies at `time` or later, so that nothing before can come into it.
    pub fn is_full_from(&self, time: i64) -> bool {
        matches!(&self.collected, Collected::PageBackwards(page) if page.is_full_from(time))
    }

    /// Ends a backwards page at `time`, because not all that lies before was read: the next page ends there.
    pub fn end_at(&mut self, time: TaiTime) {
        if let Collected::PageBackwards(page) = &mut self.collected {
            page.end_at(time);
        }
    }

    /// Ends a page before `time`, because not all that lies behind was read: the next page begins there.
    pub fn end_before(&mut self, time: TaiTime) {
        if self.is_full_before(time.0) {
            return;
        }
        if let Collected::Page { by_time, .. } = &mut self.collected {
            drop(by_time.split_off(&time.0));
            self.ended_before = Some(time);
        }
    }

    /// Takes what of a series lies in the range.
    pub fn add(&mut self, source: u32, series: SeriesView<'_>) {
        self.add_shown(source, series, |_| true);
    }

    /// Takes what of a series lies in the range and is to be shown, by its generation time.
    pub fn add_shown(&mut self, source: u32, series: SeriesView<'_>, is_shown: impl Fn(i64) -> bool) {
        match &mut self.collected {
            Collected::Pixels(reducer) => {
                for (index, &time) in series.generation.iter().enumerate() {
                    if is_shown(time) {
                        reducer.add(time, series.number(index));
                    }
                }
            }
            Collected::PageBackwards(page) => {
                for (index, &time) in series.generation.iter().enumerate() {
                    if (self.query.from.0..self.query.to.0).contains(&time) && is_shown(time) {
                        page.add(time, || (source, series.sample(self.query.parameter, index)));
                    }
                }
            }
            Collected::Statistics(statistics) => {
                for (index, &time) in series.generation.iter().enumerate() {
                    if is_shown(time) {
                        statistics.add(time, series.number(index), series.monitoring(index));
                    }
                }
            }
            Collected::Page { by_time, count, limit, cut } => {
                for (index, &time) in series.generation.iter().enumerate() {
                    let in_range = (self.query.from.0..self.query.to.0).contains(&time) && is_shown(time);
                    let beyond = *cut && by_time.last_key_value().is_none_or(|(&last, _)| time > last);
                    if !in_range || beyond {
                        continue;
                    }
                    let moment = by_time.entry(time).or_default();
                    if moment.len() < *limit * TIES_FACTOR {
                        moment.push((source, series.sample(self.query.parameter, index)));
                        *count += 1;
                    }
                    // Whole moments leave at the end, so that the next page can begin behind a moment.
                    while let Some(last) = by_time.last_entry() {
                        if *count - last.get().len() < *limit {
                            break;
                        }
                        *count -= last.remove().len();
                        *cut = true;
                    }
                }
            }
        }
    }

    /// The answer.
    pub fn finish(self) -> RangeAnswer {
        match self.collected {
            Collected::PageBackwards(page) => {
                let (samples, next) = page.finish();
                RangeAnswer::PageBackwards { samples, next }
            }
            Collected::Pixels(reducer) => RangeAnswer::Pixels(reducer.finish()),
            Collected::Statistics(statistics) => RangeAnswer::Statistics(statistics.finish()),
            Collected::Page { by_time, cut, .. } => {
                let behind_last =
                    || by_time.last_key_value().map(|(&last, _)| TaiTime(last + 1)).filter(|_| cut);
                let next = self.ended_before.or_else(behind_last);
                RangeAnswer::Page { samples: by_time.into_values().flatten().collect(), next }
            }
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;
    use space_packet::{GenerationTime, ReceptionTime};

    use super::*;
    use crate::{Raw, Series};

    pub(crate) fn series(times: &[i64]) -> Option<Series> {
        let mut samples = times.iter().map(|&time| Sample {
            parameter: ParameterIndex(0),
            generation: GenerationTime(TaiTime(time)),
            reception: ReceptionTime::default(),
            raw: Raw::Signed(time),
            converted: None,
            validity: Default::default(),
            monitoring: Default::default(),
            version: Default::default(),
            provenance: Default::default(),
        });
        let mut series = Series::starting_with(samples.next()?);
        samples.for_each(|sample| assert!(series.push(sample)));
        Some(series)
    }

    #[test]
    fn a_page_that_is_ended_early_goes_on_where_it_ended() {
        let query = RangeQuery {
            parameter: ParameterIndex(0),
            from: TaiTime(0),
            to: TaiTime(50),
            wanted: Wanted::Page { limit: 3 },
            reading: None,
        };
        for (times, ended, expected, expected_next) in [
            (&[1, 5, 9][..], 5, &[1][..], Some(5)),
            (&[1, 2, 3, 4], 10, &[1, 2, 3], Some(4)),
            (&[7], 5, &[], Some(5)),
        ] {
            let mut scan = RangeScan::new(query);
            scan.add(0, series(times).expect("some").view());
            scan.end_before(TaiTime(ended));
            let RangeAnswer::Page { samples, next } = scan.finish() else { panic!("a page was asked for") };
            let found: Vec<i64> = samples.iter().map(|(_, sample)| sample.generation.0.0).collect();
            assert_eq!((found.as_slice(), next), (expected, expected_next.map(TaiTime)));
        }
    }

    proptest! {
        #[test]
        fn pages_one_after_the_other_hold_every_sample_once(
            parts in proptest::collection::vec(proptest::collection::vec(0i64..60, 0..40), 0..5),
            limit in 1usize..20,
        ) {
            let (mut seen, mut from) = (Vec::new(), TaiTime(0));
            loop {
                let query = RangeQuery { parameter: ParameterIndex(0), from, to: TaiTime(50), wanted: Wanted::Page { limit }, reading: None };
                let mut scan = RangeScan::new(query);
                for (source, part) in (0u32..).zip(&parts) {
                    if let Some(series) = series(part) {
                        scan.add(source, series.view());
                    }
                }
                let RangeAnswer::Page { samples, next } = scan.finish() else { panic!("a page was asked for") };
                prop_assert!(next.is_none() || samples.len() >= limit);
                seen.extend(samples.into_iter().map(|(source, sample)| (sample.generation.0.0, source)));
                match next {
                    Some(next) => from = next,
                    None => break,
                }
            }
            let mut expected: Vec<_> = (0u32..)
                .zip(&parts)
                .flat_map(|(source, part)| part.iter().filter(|&&time| time < 50).map(move |&time| (time, source)))
                .collect();
            expected.sort_unstable();
            prop_assert!(seen.is_sorted_by_key(|&(time, _)| time));
            seen.sort_unstable();
            prop_assert_eq!(seen, expected);
        }
    }
}
