//! How often a subscription sends.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// At most once in an interval; what is held back meanwhile is asked for again when it is over.
pub(super) struct Pace {
    interval: Duration,
    due: Instant,
    is_held_back: bool,
}

impl Pace {
    /// The first may be sent at once.
    pub(super) fn new(interval: Duration) -> Self {
        Self { interval, due: Instant::now(), is_held_back: false }
    }

    /// Whether something may be sent now; if not, [`Pace::over`] says when.
    pub(super) fn allows(&mut self) -> bool {
        self.is_held_back = Instant::now() < self.due;
        !self.is_held_back
    }

    /// An interval begins.
    pub(super) fn begin(&mut self) {
        self.due = Instant::now() + self.interval;
    }

    /// Waits until what was held back may be sent, without end if nothing was. It ends once for each time: whoever cannot
    /// send then is not called without pause. It may be dropped half-way.
    pub(super) async fn over(&mut self) {
        if !self.is_held_back {
            return std::future::pending().await;
        }
        sleep_until(self.due).await;
        self.is_held_back = false;
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::{advance, timeout};

    use super::*;

    const INTERVAL: Duration = Duration::from_millis(200);

    #[tokio::test(start_paused = true)]
    async fn what_was_held_back_is_told_once_also_when_the_interval_ended_before_somebody_waited() {
        let mut pace = Pace::new(INTERVAL);
        for between in [Duration::ZERO, INTERVAL / 2, INTERVAL, INTERVAL * 10] {
            assert!(pace.allows());
            assert!(timeout(INTERVAL * 10, pace.over()).await.is_err(), "nothing is held back");
            pace.begin();
            assert!(!pace.allows());
            advance(between).await;
            timeout(INTERVAL, pace.over()).await.expect("is over");
            assert!(timeout(INTERVAL * 10, pace.over()).await.is_err(), "it was told");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_that_is_given_up_forgets_nothing() {
        let mut pace = Pace::new(INTERVAL);
        pace.begin();
        assert!(!pace.allows());
        assert!(timeout(INTERVAL / 2, pace.over()).await.is_err());
        timeout(INTERVAL, pace.over()).await.expect("is over");
        assert!(pace.allows());
    }
}
