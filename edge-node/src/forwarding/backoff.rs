//! How long to wait before the next try: longer each time, never the same for two nodes.

use std::time::Duration;

use rand::RngExt;

const SHORTEST: Duration = Duration::from_millis(250);
const LONGEST: Duration = Duration::from_secs(15);

/// Decorrelated jitter: each wait is random between the shortest and three times the last.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    last: Option<Duration>,
    not_before: Duration,
}

impl Backoff {
    /// A session stood: the next loss is a new one.
    pub(super) fn succeeded(&mut self) {
        self.last = None;
    }

    /// The hub asked for at least this much patience.
    pub(super) fn not_before(&mut self, wait: Duration) {
        self.not_before = wait.min(Duration::from_secs(300));
    }

    pub(super) fn next_wait(&mut self) -> Duration {
        let longest = self.last.map_or(SHORTEST * 2, |last| (last * 3).clamp(SHORTEST * 2, LONGEST));
        let wait = rand::rng().random_range(SHORTEST..longest);
        self.last = Some(wait);
        wait.max(std::mem::take(&mut self.not_before))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_a_limit_and_begin_anew_after_a_session() {
        let mut backoff = Backoff::default();
        assert!(backoff.next_wait() <= SHORTEST * 2);
        for _ in 0..100 {
            assert!((SHORTEST..=LONGEST).contains(&backoff.next_wait()));
        }
        backoff.succeeded();
        assert!(backoff.next_wait() <= SHORTEST * 2);
    }

    #[test]
    fn a_hub_that_asks_for_patience_gets_it_once() {
        let mut backoff = Backoff::default();
        backoff.not_before(Duration::from_secs(60));
        assert_eq!(backoff.next_wait(), Duration::from_secs(60));
        assert!(backoff.next_wait() <= LONGEST);
    }
}
