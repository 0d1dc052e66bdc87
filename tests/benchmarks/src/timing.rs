//! Processor time, and what repeated measurements say together.

use rustix::time::{ClockId, clock_gettime};

/// What some work gives, and the seconds of this thread's processor time it took: what others do on the machine
/// meanwhile does not count, except for the caches they share with us.
pub fn processor_seconds<T>(work: impl FnOnce() -> T) -> (T, f64) {
    let before = processor_time();
    let result = work();
    (result, processor_time() - before)
}

fn processor_time() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

/// What several measurements of one thing say.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// Half of them are smaller.
    pub median: f64,
    /// The smallest.
    pub min: f64,
    /// The largest.
    pub max: f64,
    /// How many there were.
    pub repetitions: usize,
}

impl Spread {
    /// Of at least one measurement.
    pub fn of(measurements: impl IntoIterator<Item = f64>) -> Self {
        let mut sorted: Vec<f64> = measurements.into_iter().collect();
        sorted.sort_by(f64::total_cmp);
        let at = |place: usize| sorted.get(place).copied().unwrap_or(f64::NAN);
        let last = sorted.len().saturating_sub(1);
        let median = (at(last / 2) + at(last.div_ceil(2))) / 2.0;
        Self { median, min: at(0), max: at(last), repetitions: sorted.len() }
    }

    /// Of something done so many times in the seconds that each measurement took: times a second.
    pub fn of_rate(count: usize, seconds: &[f64]) -> Self {
        Self::of(seconds.iter().map(|seconds| count as f64 / seconds))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_one_or_between_the_two_in_the_middle() {
        assert_eq!(Spread::of([3.0, 1.0, 2.0]), Spread { median: 2.0, min: 1.0, max: 3.0, repetitions: 3 });
        assert_eq!(
            Spread::of([4.0, 1.0, 2.0, 3.0]),
            Spread { median: 2.5, min: 1.0, max: 4.0, repetitions: 4 }
        );
    }
}
