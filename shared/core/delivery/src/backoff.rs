//! How long a node waits before its next try: longer each time, never the same for two nodes.

use std::time::Duration;

const SHORTEST: Duration = Duration::from_millis(250);
const LONGEST: Duration = Duration::from_secs(15);
/// Whatever a hub asks for.
const PATIENCE_MAX: Duration = Duration::from_secs(300);

/// Decorrelated jitter: each wait is random between the shortest and three times the last.
#[derive(Debug, Default)]
pub struct Backoff {
    last: Option<Duration>,
    not_before: Duration,
}

impl Backoff {
    /// A session stood: the next loss is a new one.
    pub fn succeeded(&mut self) {
        self.last = None;
    }

    /// The hub asked for at least this much patience, once; it gets 300 s at most.
    pub fn not_before(&mut self, wait: Duration) {
        self.not_before = wait.min(PATIENCE_MAX);
    }

    /// How long to wait now. `random` is drawn evenly from 0 to 1.
    pub fn next_wait(&mut self, random: f64) -> Duration {
        let longest = self.last.map_or(SHORTEST * 2, |last| (last * 3).clamp(SHORTEST * 2, LONGEST));
        let wait = SHORTEST + (longest - SHORTEST).mul_f64(random.clamp(0.0, 1.0));
        self.last = Some(wait);
        wait.max(std::mem::take(&mut self.not_before))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn waits_stay_within_their_limits_and_begin_anew_after_a_session(
            draws in proptest::collection::vec(0.0..=1.0f64, 2..50),
        ) {
            let mut backoff = Backoff::default();
            let mut longest = SHORTEST * 2;
            for draw in &draws {
                let wait = backoff.next_wait(*draw);
                prop_assert!((SHORTEST..=longest).contains(&wait), "{wait:?}");
                longest = (wait * 3).clamp(SHORTEST * 2, LONGEST);
            }
            backoff.succeeded();
            prop_assert!(backoff.next_wait(draws[0]) <= SHORTEST * 2);
        }
    }

    #[test]
    fn waits_of_the_unlucky_grow_to_the_limit() {
        let mut backoff = Backoff::default();
        let waits: Vec<f64> = (0..6).map(|_| backoff.next_wait(1.0).as_secs_f64()).collect();
        assert_eq!(waits, [0.5, 1.5, 4.5, 13.5, 15.0, 15.0]);
    }

    #[test]
    fn a_hub_that_asks_for_patience_gets_it_once() {
        let mut backoff = Backoff::default();
        backoff.not_before(Duration::from_secs(60));
        assert_eq!(backoff.next_wait(0.5), Duration::from_secs(60));
        assert!(backoff.next_wait(0.5) <= LONGEST);
    }
}
