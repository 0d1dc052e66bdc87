//! A link's cap: how many records a second it may bring.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Records that may come at once after a pause, in seconds of the rate.
const BURST_S: f64 = 1.0;

/// A bucket that fills at the rate and is emptied by records. It may be overdrawn by one request, which then waits.
#[derive(Debug)]
pub(super) struct RateCap {
    per_second: f64,
    state: Mutex<(f64, Instant)>,
}

impl RateCap {
    pub(super) fn new(per_second: u32, now: Instant) -> Self {
        let per_second = f64::from(per_second);
        Self { per_second, state: Mutex::new((per_second * BURST_S, now)) }
    }

    /// Takes records; how long to wait first when the bucket is empty (nothing is taken then).
    pub(super) fn take(&self, records: usize, now: Instant) -> Result<(), Duration> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (level, at) = *state;
        let filled = level + now.saturating_duration_since(at).as_secs_f64() * self.per_second;
        let level = filled.min(self.per_second * BURST_S);
        if level <= 0.0 {
            *state = (level, now);
            return Err(Duration::from_secs_f64((1.0 - level) / self.per_second));
        }
        *state = (level - records as f64, now);
        Ok(())
    }

    /// Records that were taken from the bucket did not come in after all.
    pub(super) fn give_back(&self, records: usize) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.0 += records as f64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn over_time_no_more_comes_than_the_rate_and_one_burst() {
        let start = Instant::now();
        let cap = RateCap::new(100, start);
        let (mut now, mut taken) = (start, 0);
        while now < start + Duration::from_secs(10) {
            match cap.take(30, now) {
                Ok(()) => taken += 30,
                Err(wait) => now += wait,
            }
        }
        assert!((1_000..=1_160).contains(&taken), "{taken} in 10 s at 100/s with a burst of 100");
    }
}
