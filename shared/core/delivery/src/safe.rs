//! What nodes may forget: what has been committed for so long that a replica or a backup has it too.

use std::collections::VecDeque;
use std::time::Duration;

/// Steps remembered: with more, neighbours are joined, and nodes keep a little more than they must.
const STEPS_MAX: usize = 256;

/// The watermarks of one log, which become safe after a delay.
#[derive(Debug)]
pub struct SafeTrail {
    delay: Duration,
    safe: u64,
    /// When each watermark was committed, oldest first.
    waiting: VecDeque<(Duration, u64)>,
}

impl SafeTrail {
    /// A log that stands at `watermark` now, and of which `safe` was told before.
    pub fn new(delay: Duration, watermark: u64, safe: u64, now: Duration) -> Self {
        let mut trail = Self { delay, safe: safe.min(watermark), waiting: VecDeque::new() };
        trail.on_committed(watermark, now);
        trail
    }

    /// The watermark moved.
    pub fn on_committed(&mut self, watermark: u64, now: Duration) {
        let newest = self.waiting.back().map_or(self.safe, |&(_, newest)| newest);
        if watermark <= newest {
            return;
        }
        let are_many = self.waiting.len() > 1;
        match self.waiting.back_mut() {
            // Later than it would have to be, never earlier.
            Some(last) if are_many && now.saturating_sub(last.0) < self.delay / STEPS_MAX as u32 => {
                *last = (now, watermark);
            }
            _ => self.waiting.push_back((now, watermark)),
        }
    }

    /// What may be forgotten now.
    pub fn safe(&mut self, now: Duration) -> u64 {
        while let Some(&(at, watermark)) = self.waiting.front()
            && now >= at + self.delay
        {
            self.safe = watermark;
            self.waiting.pop_front();
        }
        self.safe
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn nothing_is_safe_before_its_time_and_all_is_after_twice_that(
            delay in 0u64..100_000,
            steps in proptest::collection::vec((0u64..2_000, 0u64..4), 1..800),
        ) {
            let delay = Duration::from_millis(delay);
            let (mut now, mut watermark) = (Duration::ZERO, 0);
            let mut trail = SafeTrail::new(delay, 0, 0, now);
            let mut committed = vec![(now, 0)];
            for (wait, more) in steps {
                now += Duration::from_millis(wait);
                watermark += more;
                trail.on_committed(watermark, now);
                committed.push((now, watermark));
                let safe = trail.safe(now);
                let at = committed.iter().find(|(_, other)| *other >= safe).expect("was committed").0;
                prop_assert!(safe == 0 || now >= at + delay);
            }
            prop_assert!(trail.waiting.len() <= 2 * STEPS_MAX + 2);
            prop_assert_eq!(trail.safe(now + delay), watermark);
        }
    }

    #[test]
    fn what_was_told_before_stays_safe() {
        let mut trail = SafeTrail::new(Duration::from_secs(60), 9, 7, Duration::from_secs(1));
        assert_eq!(trail.safe(Duration::from_secs(2)), 7);
        assert_eq!(trail.safe(Duration::from_secs(61)), 9);
    }
}
