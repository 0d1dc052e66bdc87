//! A range reduced to pixels: per bucket the first, last, smallest and largest value, so that no extreme and
//! no gap disappears however wide the range is.

use space_packet::TaiTime;

use crate::RollUp;

/// Reduces samples and roll-ups of a range, given in any order, to at most so many buckets.
#[derive(Debug)]
pub struct Reducer {
    from: i64,
    to: i64,
    /// Where the first bucket begins and the last one ends.
    grid: (i128, i128),
    buckets: Vec<Option<RollUp>>,
    /// The samples themselves while they are no more than the buckets: then they are the better answer.
    few: Vec<(i64, Option<f64>)>,
    /// Whether there were roll-ups of several samples, which nobody can take apart.
    is_rolled_up: bool,
    count: u64,
}

/// Parallel columns, one entry a bucket that holds samples.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Buckets {
    /// Samples in the range.
    pub count: u64,
    /// Nanoseconds a bucket covers; 0 when every sample is its own.
    pub width_nanos: i64,
    /// Time of the bucket's first sample, TAI nanoseconds.
    pub times: Vec<i64>,
    /// Smallest value; none where no number is in the bucket.
    pub min: Vec<Option<f64>>,
    /// Largest value.
    pub max: Vec<Option<f64>>,
    /// First in time.
    pub first: Vec<Option<f64>>,
    /// Last in time.
    pub last: Vec<Option<f64>>,
}

impl Reducer {
    /// Buckets for `from ≤ time < to`; `points` is held between 1 and 10,000.
    pub fn new(from: TaiTime, to: TaiTime, points: usize) -> Self {
        let (from, to) = (from.0, to.0.max(from.0.saturating_add(1)));
        let grid = (i128::from(from), i128::from(to));
        Self::with_grid(from, to, grid, points.clamp(1, 10_000))
    }

    /// Buckets that begin and end where roll-ups do, so that each roll-up lies in one: at whole multiples of `unit`
    /// nanoseconds.
    pub fn aligned(from: TaiTime, to: TaiTime, points: usize, unit: i64) -> Self {
        let (from, to) = (from.0, to.0.max(from.0.saturating_add(1)));
        let (unit, points) = (i128::from(unit.max(1)), points.clamp(1, 10_000));
        let first = i128::from(from).div_euclid(unit);
        let units = i128::from(to - 1).div_euclid(unit) - first + 1;
        let each = (units - 1) / points as i128 + 1;
        let buckets = ((units - 1) / each + 1) as usize;
        let grid = (first * unit, (first + each * buckets as i128) * unit);
        Self::with_grid(from, to, grid, buckets)
    }

    fn with_grid(from: i64, to: i64, grid: (i128, i128), buckets: usize) -> Self {
        let (few, count) = (Vec::new(), 0);
        Self { from, to, grid, buckets: vec![None; buckets], few, is_rolled_up: false, count }
    }

    /// Takes a sample if it lies in the range. NaN and infinities count as no number.
    pub fn add(&mut self, time: i64, number: Option<f64>) {
        self.add_rollup(&RollUp::of(time, number));
    }

    /// Takes a roll-up whose first sample lies in the range. It counts where that lies, as a whole.
    pub fn add_rollup(&mut self, rollup: &RollUp) {
        let time = rollup.first_at;
        if time < self.from || time >= self.to {
            return;
        }
        self.count += u64::from(rollup.count);
        self.is_rolled_up |= rollup.count > 1;
        if !self.is_rolled_up && self.few.len() <= self.buckets.len() {
            self.few.push((time, number(rollup.first)));
        }
        let (begin, end) = self.grid;
        let offset = i128::from(time) - begin;
        let index = (offset * self.buckets.len() as i128 / (end - begin)) as usize;
        match &mut self.buckets[index] {
            Some(bucket) => bucket.merge(rollup),
            empty => *empty = Some(*rollup),
        }
    }

    /// The columns.
    pub fn finish(mut self) -> Buckets {
        let mut out = Buckets { count: self.count, ..Buckets::default() };
        if !self.is_rolled_up && self.few.len() <= self.buckets.len() {
            self.few.sort_by_key(|&(time, _)| time);
            for (time, number) in self.few {
                out.push(time, number, number, number, number);
            }
            return out;
        }
        let (begin, end) = self.grid;
        out.width_nanos = i64::try_from((end - begin) / self.buckets.len() as i128).unwrap_or(i64::MAX);
        for bucket in self.buckets.into_iter().flatten() {
            let [min, max] = [bucket.minimum, bucket.maximum].map(number);
            out.push(bucket.first_at, min, max, number(bucket.first), number(bucket.last));
        }
        out
    }
}

/// What a roll-up has as a number, if it has one.
fn number(of_rollup: f64) -> Option<f64> {
    (!of_rollup.is_nan()).then_some(of_rollup)
}

impl Buckets {
    fn push(&mut self, time: i64, min: Option<f64>, max: Option<f64>, first: Option<f64>, last: Option<f64>) {
        self.times.push(time);
        self.min.push(min);
        self.max.push(max);
        self.first.push(first);
        self.last.push(last);
    }
}

#[cfg(test)]
mod tests {
    use mission_database::ParameterIndex;
    use proptest::prelude::*;

    use super::*;
    use crate::{Resolution, RollUps};

    fn reduce(samples: &[(i64, f64)], points: usize) -> Buckets {
        let mut reducer = Reducer::new(TaiTime(0), TaiTime(1_000), points);
        samples.iter().for_each(|&(time, number)| reducer.add(time, Some(number)));
        reducer.finish()
    }

    #[test]
    fn few_samples_stay_as_they_are_and_in_order() {
        let buckets = reduce(&[(500, 2.0), (100, 1.0), (2_000, 9.0)], 10);
        assert_eq!((buckets.count, buckets.width_nanos), (2, 0));
        assert_eq!(buckets.times, [100, 500]);
        assert_eq!(buckets.min, [Some(1.0), Some(2.0)]);
    }

    #[test]
    fn a_gap_stays_a_gap() {
        let samples: Vec<_> = (0..100).chain(900..1_000).map(|time| (time, time as f64)).collect();
        let buckets = reduce(&samples, 10);
        assert_eq!(buckets.times, [0, 900]);
    }

    #[test]
    fn what_is_not_a_number_takes_its_place_in_time_but_no_extreme() {
        let samples: Vec<_> = (0..40).map(|time| (time, f64::NAN)).collect();
        let buckets = reduce(&samples, 10);
        assert_eq!((buckets.times.as_slice(), buckets.min.as_slice()), ([0].as_slice(), [None].as_slice()));
    }

    #[test]
    fn the_whole_of_time_is_a_range() {
        for points in [1, 2, 10] {
            let mut reducer = Reducer::new(TaiTime(i64::MIN), TaiTime(i64::MAX), points);
            for time in [i64::MIN, -5, -1, 0, 1, 2, 3, 4, 5, 6, 7, 8, i64::MAX - 1] {
                reducer.add(time, Some(1.0));
            }
            let buckets = reducer.finish();
            let width = u64::MAX / points as u64;
            assert_eq!((buckets.count, buckets.width_nanos), (13, i64::try_from(width).unwrap_or(i64::MAX)));
        }
    }

    #[test]
    fn the_whole_of_time_is_a_range_for_roll_ups_too() {
        for points in [1, 2, 10] {
            let hour = Resolution::Hour;
            let (from, to) = (TaiTime(i64::MIN), TaiTime(i64::MAX));
            let mut reducer = Reducer::aligned(from, to, points, hour.width_nanos());
            for time in [i64::MIN, -1, 0, i64::MAX - 1] {
                reducer.add(time, Some(1.0));
            }
            assert_eq!(reducer.finish().count, 4);
        }
    }

    proptest! {
        #[test]
        fn roll_ups_and_samples_of_a_range_give_what_its_samples_alone_give(
            samples in proptest::collection::vec((0i64..900, -1e6..1e6), 1..400),
            (from, length) in (0i64..400, 60i64..500),
            boundary in 0i64..15,
            points in 1usize..50,
        ) {
            let second = 1_000_000_000;
            let minute = Resolution::Minute;
            let (from, to) = (TaiTime(from / 60 * 60 * second), TaiTime((from + length) / 60 * 60 * second));
            let boundary = boundary * minute.width_nanos();
            let mut expected = Reducer::aligned(from, to, points, minute.width_nanos());
            let mut found = Reducer::aligned(from, to, points, minute.width_nanos());
            let mut rollups = RollUps::new(minute);
            for &(seconds, number) in &samples {
                let time = seconds * second;
                expected.add(time, Some(number));
                if time < boundary {
                    rollups.add(ParameterIndex(0), &RollUp::of(time, Some(number)));
                } else {
                    found.add(time, Some(number));
                }
            }
            for (_, rollup) in rollups.take() {
                found.add_rollup(&rollup);
            }
            let is_rolled_up = found.is_rolled_up;
            // Few samples are answered one by one, which roll-ups cannot be.
            (expected.is_rolled_up, found.is_rolled_up) = (true, true);
            let (expected, found) = (expected.finish(), found.finish());
            prop_assert!(found.times.len() <= points || !is_rolled_up);
            prop_assert_eq!(expected, found);
        }

        #[test]
        fn no_extreme_disappears_and_any_order_gives_the_same(
            mut samples in proptest::collection::vec((0i64..1_000, -1e6..1e6), 1..400),
            points in 1usize..50,
        ) {
            samples.sort_by_key(|&(time, _)| time);
            samples.dedup_by_key(|&mut (time, _)| time);
            let forward = reduce(&samples, points);
            samples.reverse();
            prop_assert_eq!(&forward, &reduce(&samples, points));
            let largest = samples.iter().map(|&(_, number)| number).fold(f64::MIN, f64::max);
            prop_assert!(forward.max.contains(&Some(largest)));
            prop_assert_eq!(forward.count, samples.len() as u64);
        }
    }
}
