//! What can be said of a range in numbers, cell by cell: how many samples, their extremes, mean and spread, and how long
//! the value was outside its limits.

use mission_database::MonitoringResult;
use space_packet::TaiTime;

/// Cells of one answer.
const CELLS_MAX: i128 = 10_000;
/// Slices that a range has at least: how finely time outside limits is told.
const SLICES_MIN: usize = 4_096;

/// Cells of one width, the first of which begins where the range does.
#[derive(Clone, Debug, PartialEq)]
pub struct Statistics {
    /// Beginning of the first cell.
    pub from: TaiTime,
    /// Width of a cell in nanoseconds; the last one ends with the range.
    pub width_nanos: i64,
    /// The cells that hold samples, with their places.
    pub cells: Vec<(usize, CellStatistics)>,
    /// All of them together.
    pub total: CellStatistics,
}

/// What is said of the samples of one cell. Only finite numbers of valid samples count as numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct CellStatistics {
    /// Samples.
    pub count: u64,
    /// Of them, those that are numbers.
    pub numbers: u64,
    /// Smallest number.
    pub minimum: Option<f64>,
    /// Largest number.
    pub maximum: Option<f64>,
    /// Their sum, from which the mean of whole numbers comes out whole.
    sum: f64,
    /// Their mean, also where the sum is more than a number can hold.
    middle: Option<f64>,
    /// Sum of the squares of their distances from the mean.
    squares: f64,
    /// The first number and its time, TAI nanoseconds. Of two of one moment the smaller.
    pub first: Option<(i64, f64)>,
    /// The last number and its time. Of two of one moment the larger.
    pub last: Option<(i64, f64)>,
    /// Samples that were compared with limits.
    pub monitored: u64,
    /// Of them, those outside a limit.
    pub outside: u64,
    /// How long the value was compared with limits, from the first of such samples to the last; each counts until the
    /// next.
    pub monitored_nanos: i64,
    /// Of that, how long it was outside a limit; right within two slices (1 / 4,096 of the range, or less) for each change.
    pub outside_nanos: i64,
}

impl CellStatistics {
    /// Mean of the numbers.
    pub fn mean(&self) -> Option<f64> {
        let mean = self.sum / self.numbers as f64;
        self.middle.map(|middle| if mean.is_finite() { mean } else { middle })
    }

    /// Standard deviation of the numbers as a whole population; 0 of one number.
    pub fn deviation(&self) -> Option<f64> {
        self.middle.map(|_| (self.squares / self.numbers as f64).sqrt())
    }

    fn add(&mut self, time: i64, number: Option<f64>) {
        self.count += 1;
        let Some(number) = number.filter(|number| number.is_finite()) else { return };
        self.merge_numbers(&Self {
            numbers: 1,
            minimum: Some(number),
            maximum: Some(number),
            sum: number,
            middle: Some(number),
            first: Some((time, number)),
            last: Some((time, number)),
            ..Self::default()
        });
    }

    fn merge(&mut self, other: &Self) {
        self.count += other.count;
        self.monitored += other.monitored;
        self.outside += other.outside;
        self.monitored_nanos = self.monitored_nanos.saturating_add(other.monitored_nanos);
        self.outside_nanos = self.outside_nanos.saturating_add(other.outside_nanos);
        self.merge_numbers(other);
    }

    fn merge_numbers(&mut self, other: &Self) {
        let Some(other_mean) = other.middle else { return };
        let Some(mean) = self.middle else {
            (self.numbers, self.middle, self.squares) = (other.numbers, other.middle, other.squares);
            self.sum = other.sum;
            (self.minimum, self.maximum) = (other.minimum, other.maximum);
            (self.first, self.last) = (other.first, other.last);
            return;
        };
        let (ours, theirs) = (self.numbers as f64, other.numbers as f64);
        let share = theirs / (ours + theirs);
        // Sums of squares would lose what small deviations from a large mean are.
        self.squares += other.squares + (other_mean - mean).powi(2) * ours * share;
        // Not `mean + (other - mean) * share`: their distance may be more than a number can hold.
        self.middle = Some(mean * (1.0 - share) + other_mean * share);
        self.sum += other.sum;
        self.numbers += other.numbers;
        self.minimum = self.minimum.into_iter().chain(other.minimum).reduce(f64::min);
        self.maximum = self.maximum.into_iter().chain(other.maximum).reduce(f64::max);
        let order = |a: &(i64, f64), b: &(i64, f64)| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1));
        self.first = self.first.into_iter().chain(other.first).min_by(order);
        self.last = self.last.into_iter().chain(other.last).max_by(order);
    }
}

/// How values stood to their limits in a part of a cell.
#[derive(Clone, Copy, Debug)]
struct Slice {
    monitored: u32,
    outside: u32,
    /// Time of the last monitored sample, and whether it was outside.
    last: (i64, bool),
}

/// Collects statistics of samples in any order.
#[derive(Debug)]
pub(super) struct StatisticsScan {
    from: i64,
    to: i64,
    width: i64,
    cells: Vec<CellStatistics>,
    slices: Vec<Slice>,
    slices_each: usize,
}

impl StatisticsScan {
    /// Cells of a width for `from ≤ time < to`; wider ones where these would be more than 10,000.
    pub(super) fn new(from: TaiTime, to: TaiTime, width_nanos: i64) -> Self {
        let (from, to) = (from.0, to.0.max(from.0.saturating_add(1)));
        let length = i128::from(to) - i128::from(from);
        let width = i128::from(width_nanos).max((length - 1) / CELLS_MAX + 1).min(length);
        let count = ((length - 1) / width + 1) as usize;
        let slices_each = SLICES_MIN.div_ceil(count);
        let empty = Slice { monitored: 0, outside: 0, last: (i64::MIN, false) };
        Self {
            from,
            to,
            // Of the whole of time one cell is wider than can be said.
            width: i64::try_from(width).unwrap_or(i64::MAX),
            cells: vec![CellStatistics::default(); count],
            slices: vec![empty; count * slices_each],
            slices_each,
        }
    }

    /// Takes a sample if it lies in the range.
    pub(super) fn add(&mut self, time: i64, number: Option<f64>, monitoring: MonitoringResult) {
        if !(self.from..self.to).contains(&time) {
            return;
        }
        let offset = i128::from(time) - i128::from(self.from);
        let width = i128::from(self.width);
        let cell = ((offset / width) as usize).min(self.cells.len() - 1);
        self.cells[cell].add(time, number);
        if monitoring == MonitoringResult::NotMonitored {
            return;
        }
        let is_outside = monitoring > MonitoringResult::Normal;
        self.cells[cell].monitored += 1;
        self.cells[cell].outside += u64::from(is_outside);
        let part = (offset - cell as i128 * width) * self.slices_each as i128 / width;
        let part = (part as usize).min(self.slices_each - 1);
        let slice = &mut self.slices[cell * self.slices_each + part];
        slice.monitored = slice.monitored.saturating_add(1);
        slice.outside = slice.outside.saturating_add(u32::from(is_outside));
        slice.last = slice.last.max((time, is_outside));
    }

    pub(super) fn finish(mut self) -> Statistics {
        self.tell_time_outside();
        let mut total = CellStatistics::default();
        self.cells.iter().for_each(|cell| total.merge(cell));
        let cells = self.cells.into_iter().enumerate().filter(|(_, cell)| cell.count > 0).collect();
        Statistics { from: TaiTime(self.from), width_nanos: self.width, cells, total }
    }

    /// A slice with samples is outside for their share of it; one without is as the last sample before it was.
    fn tell_time_outside(&mut self) {
        let is_monitored = |slice: &Slice| slice.monitored > 0;
        let Some(last) = self.slices.iter().rposition(is_monitored) else { return };
        let mut held = None;
        for (place, slice) in self.slices[..=last].iter().enumerate() {
            let share = match (is_monitored(slice), held) {
                (true, _) => {
                    held = Some(slice.last.1);
                    f64::from(slice.outside) / f64::from(slice.monitored)
                }
                (false, Some(is_outside)) => f64::from(u8::from(is_outside)),
                (false, None) => continue,
            };
            let cell = place / self.slices_each;
            let end = |part: usize| {
                let offset = i128::from(self.width) * part as i128 / self.slices_each as i128;
                let in_range =
                    i128::from(self.to) - i128::from(self.from) - i128::from(self.width) * cell as i128;
                offset.min(in_range)
            };
            let part = place % self.slices_each;
            let nanos = i64::try_from(end(part + 1) - end(part)).unwrap_or(i64::MAX);
            let cell = &mut self.cells[cell];
            cell.monitored_nanos = cell.monitored_nanos.saturating_add(nanos);
            cell.outside_nanos = cell.outside_nanos.saturating_add((nanos as f64 * share) as i64);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECOND: i64 = 1_000_000_000;

    fn scan(length: i64, width: i64, samples: &[(i64, f64, MonitoringResult)]) -> Statistics {
        let mut scan = StatisticsScan::new(TaiTime(0), TaiTime(length), width);
        samples.iter().for_each(|&(time, number, result)| scan.add(time, Some(number), result));
        scan.finish()
    }

    #[test]
    fn time_outside_limits_is_counted_from_sample_to_sample() {
        use MonitoringResult::{Normal, NotMonitored, Severe, Warning};
        let day = 86_400 * SECOND;
        let found = scan(
            day,
            day / 4,
            &[
                (SECOND, 1.0, NotMonitored),
                (day / 4, 2.0, Normal),
                (day / 2, 9.0, Warning),
                (day / 4 * 3, 9.0, Severe),
                (day - 1, 2.0, Normal),
            ],
        );
        let slice = day / SLICES_MIN as i64;
        let near =
            |found: i64, expected: i64| assert!((found - expected).abs() <= 2 * slice, "{found} {expected}");
        near(found.total.outside_nanos, day / 2);
        near(found.total.monitored_nanos, day / 4 * 3);
        assert_eq!((found.total.monitored, found.total.outside, found.total.count), (4, 2, 5));
        let outside: Vec<_> = found.cells.iter().map(|(place, cell)| (*place, cell.outside)).collect();
        assert_eq!(outside, [(0, 0), (1, 0), (2, 1), (3, 1)]);
        near(found.cells[2].1.outside_nanos, day / 4);
    }

    #[test]
    fn the_whole_of_time_is_a_range_and_any_width_is_taken() {
        for width in [i64::MIN, 0, 1, SECOND, i64::MAX] {
            let mut scan = StatisticsScan::new(TaiTime(i64::MIN), TaiTime(i64::MAX), width);
            for time in [i64::MIN, -1, 0, i64::MAX - 1, i64::MAX] {
                scan.add(time, Some(f64::MAX), MonitoringResult::Severe);
                scan.add(time, Some(f64::NAN), MonitoringResult::NotMonitored);
            }
            let found = scan.finish();
            assert_eq!((found.total.count, found.total.numbers), (8, 4), "{width}");
            let mean = found.total.mean().expect("numbers");
            assert!((mean / f64::MAX - 1.0).abs() < 1e-12, "{width}: {mean}");
            assert!(found.cells.len() <= 4, "{width}");
        }
    }

    proptest! {
        #[test]
        fn cells_say_what_a_list_of_the_samples_says(
            mut samples in proptest::collection::vec((0i64..1_000, -1e3..1e3), 1..300),
            width in 1i64..1_500,
        ) {
            let given: Vec<_> =
                samples.iter().map(|&(time, number)| (time, number, MonitoringResult::Normal)).collect();
            let found = scan(1_000, width, &given);
            samples.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
            let mut counted = 0;
            let whole = [(usize::MAX, found.total)];
            for (place, cell) in found.cells.iter().chain(&whole) {
                let inside: Vec<(i64, f64)> = samples
                    .iter()
                    .filter(|(time, _)| *place == usize::MAX || (time / width) as usize == *place)
                    .copied()
                    .collect();
                let numbers = || inside.iter().map(|(_, number)| *number);
                let mean = numbers().sum::<f64>() / inside.len() as f64;
                let variance = numbers().map(|number| (number - mean).powi(2)).sum::<f64>() / inside.len() as f64;
                prop_assert_eq!(cell.count, inside.len() as u64);
                prop_assert_eq!(cell.minimum, numbers().reduce(f64::min));
                prop_assert_eq!(cell.maximum, numbers().reduce(f64::max));
                prop_assert_eq!((cell.first, cell.last), (inside.first().copied(), inside.last().copied()));
                prop_assert!((cell.mean().expect("numbers") - mean).abs() < 1e-9);
                prop_assert!((cell.deviation().expect("numbers") - variance.sqrt()).abs() < 1e-6);
                counted += cell.count;
            }
            prop_assert_eq!(counted, 2 * samples.len() as u64);
        }
    }
}
