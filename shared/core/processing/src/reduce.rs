//! A range reduced to pixels: per bucket the first, last, smallest and largest value, so that no extreme and
//! no gap disappears however wide the range is.

use space_packet::TaiTime;

/// Reduces samples of a range, given in any order, to at most so many buckets.
#[derive(Debug)]
pub struct Reducer {
    from: i64,
    to: i64,
    buckets: Vec<Option<Bucket>>,
    /// The samples themselves while they are no more than the buckets: then they are the better answer.
    few: Vec<(i64, Option<f64>)>,
    count: u64,
}

#[derive(Clone, Copy, Debug)]
struct Bucket {
    first_at: i64,
    last_at: i64,
    first: Option<f64>,
    last: Option<f64>,
    extremes: Option<(f64, f64)>,
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
        Self {
            from: from.0,
            to: to.0.max(from.0.saturating_add(1)),
            buckets: vec![None; points.clamp(1, 10_000)],
            few: Vec::new(),
            count: 0,
        }
    }

    /// Takes a sample if it lies in the range. NaN and infinities count as no number.
    pub fn add(&mut self, time: i64, number: Option<f64>) {
        if time < self.from || time >= self.to {
            return;
        }
        self.count += 1;
        if self.few.len() <= self.buckets.len() {
            self.few.push((time, number.filter(|number| number.is_finite())));
        }
        let number = number.filter(|number| number.is_finite());
        let span = i128::from(self.to) - i128::from(self.from);
        let offset = i128::from(time) - i128::from(self.from);
        let index = (offset * self.buckets.len() as i128 / span) as usize;
        let bucket = self.buckets[index].get_or_insert(Bucket {
            first_at: time,
            last_at: time,
            first: number,
            last: number,
            extremes: None,
        });
        if time < bucket.first_at {
            (bucket.first_at, bucket.first) = (time, number);
        }
        if time >= bucket.last_at {
            (bucket.last_at, bucket.last) = (time, number);
        }
        if let Some(number) = number {
            let (min, max) = bucket.extremes.unwrap_or((number, number));
            bucket.extremes = Some((min.min(number), max.max(number)));
        }
    }

    /// The columns.
    pub fn finish(mut self) -> Buckets {
        let mut out = Buckets { count: self.count, ..Buckets::default() };
        if self.few.len() <= self.buckets.len() {
            self.few.sort_by_key(|&(time, _)| time);
            for (time, number) in self.few {
                out.push(time, number, number, number, number);
            }
            return out;
        }
        let span = i128::from(self.to) - i128::from(self.from);
        out.width_nanos = i64::try_from(span / self.buckets.len() as i128).unwrap_or(i64::MAX);
        for bucket in self.buckets.into_iter().flatten() {
            let (min, max) = bucket.extremes.unzip();
            out.push(bucket.first_at, min, max, bucket.first, bucket.last);
        }
        out
    }
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
    use proptest::prelude::*;

    use super::*;

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

    proptest! {
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
