//! How fast a backlog goes: as fast as live data can bear.

use std::time::Duration;

use crate::BATCH_BYTES_MAX;

/// What live acknowledgements may take beyond a round trip before the backlog steps back.
const LATENCY_BEYOND_ROUND_TRIP: Duration = Duration::from_millis(25);
/// Never less than a batch: a backlog always moves.
const WINDOW_MIN: u64 = BATCH_BYTES_MAX as u64;
const WINDOW_START: u64 = 4 * WINDOW_MIN;
/// Live data that nobody heard of for so long hold nothing back.
const LIVE_FORGOTTEN: Duration = Duration::from_secs(1);

/// Bytes of backlog that may be under way: more with each batch that live data did not notice, half when they did.
#[derive(Debug)]
pub(super) struct Pace {
    window: u64,
    round_trip: Duration,
    /// What live acknowledgements take where the backlog is not to blame: learned while there is little of it.
    usual: Option<Duration>,
    /// No second step back before this.
    patient_until: Duration,
    live_heard: Option<Duration>,
    /// What operators allow, bytes a second.
    limit: Option<u64>,
    /// When the next batch may go under that limit.
    ready_at: Duration,
}

impl Pace {
    pub(super) fn new(limit: Option<u64>) -> Self {
        Self {
            window: WINDOW_START,
            round_trip: Duration::from_millis(50),
            usual: None,
            patient_until: Duration::ZERO,
            live_heard: None,
            limit,
            ready_at: Duration::ZERO,
        }
    }

    pub(super) fn set_limit(&mut self, bytes_per_s: Option<u64>, now: Duration) {
        self.limit = bytes_per_s;
        self.ready_at = self.ready_at.min(now + Duration::from_secs(1));
    }

    pub(super) fn set_round_trip(&mut self, round_trip: Duration) {
        self.round_trip = round_trip;
    }

    /// Bytes that may be under way.
    pub(super) fn window(&self) -> u64 {
        self.window
    }

    /// When the next batch may go.
    pub(super) fn ready_at(&self) -> Duration {
        self.ready_at
    }

    pub(super) fn on_sent(&mut self, bytes: u64, now: Duration) {
        if let Some(limit) = self.limit {
            let takes = Duration::from_nanos(bytes.saturating_mul(1_000_000_000) / limit.max(1));
            self.ready_at = self.ready_at.max(now).saturating_add(takes);
        }
    }

    /// A live batch was acknowledged so long after it was sent; `in_flight` bytes of backlog are under way.
    pub(super) fn on_live_acknowledged(&mut self, latency: Duration, in_flight: u64, now: Duration) {
        self.live_heard = Some(now);
        if self.window < 2 * WINDOW_MIN || in_flight == 0 {
            // A slow disk at the hub, a loaded machine: stepping back further would not help.
            self.usual = Some(self.usual.map_or(latency, |usual| (usual * 7 + latency) / 8));
        }
        let usual = self.usual.unwrap_or_default().max(self.round_trip);
        if latency > usual + usual / 2 + LATENCY_BEYOND_ROUND_TRIP && now >= self.patient_until {
            self.window = (self.window / 2).max(WINDOW_MIN);
            self.patient_until = now + latency;
        }
    }

    /// Backlog was acknowledged; `window_max` is what credit leaves for it.
    pub(super) fn on_backlog_acknowledged(&mut self, bytes: u64, window_max: u64, now: Duration) {
        let is_alone = self.live_heard.is_none_or(|heard| now >= heard + LIVE_FORGOTTEN);
        if !is_alone && now < self.patient_until {
            return;
        }
        let more = if is_alone {
            bytes
        } else {
            // A batch more for each window that went through.
            WINDOW_MIN * bytes.min(self.window) / self.window
        };
        self.window = (self.window + more).clamp(WINDOW_MIN, window_max.max(WINDOW_MIN));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn live_data_that_wait_halve_the_window_once_a_round() {
        let mut pace = Pace::new(None);
        pace.on_live_acknowledged(200 * MS, 1, 1_000 * MS);
        pace.on_live_acknowledged(200 * MS, 1, 1_100 * MS);
        assert_eq!(pace.window(), WINDOW_START / 2);
        pace.on_live_acknowledged(200 * MS, 1, 1_300 * MS);
        assert_eq!(pace.window(), WINDOW_START / 4);
        (0..10).for_each(|step| pace.on_live_acknowledged(200 * MS, 1, (2_000 + step * 300) * MS));
        assert_eq!(pace.window(), WINDOW_MIN);
    }

    #[test]
    fn latency_that_the_backlog_does_not_cause_does_not_hold_it_back_for_long() {
        let mut pace = Pace::new(None);
        for step in 0..400 {
            let now = (1_000 + step * 100) * MS;
            pace.on_live_acknowledged(200 * MS, WINDOW_MIN, now);
            pace.on_backlog_acknowledged(WINDOW_MIN, u64::MAX, now);
        }
        assert!(pace.window() > 4 * WINDOW_MIN, "{}", pace.window());
    }

    #[test]
    fn beside_live_data_a_window_brings_one_batch_more_and_alone_it_doubles() {
        let mut pace = Pace::new(None);
        pace.on_live_acknowledged(MS, 1, 1_000 * MS);
        pace.on_backlog_acknowledged(WINDOW_START, u64::MAX, 1_001 * MS);
        assert_eq!(pace.window(), WINDOW_START + WINDOW_MIN);
        pace.on_backlog_acknowledged(WINDOW_START, u64::MAX, 2_500 * MS);
        assert_eq!(pace.window(), 2 * WINDOW_START + WINDOW_MIN);
        pace.on_backlog_acknowledged(WINDOW_START, WINDOW_START, 2_600 * MS);
        assert_eq!(pace.window(), WINDOW_START);
    }

    proptest! {
        #[test]
        fn an_operators_limit_is_kept_over_any_time(
            limit in 1_000u64..1_000_000,
            sizes in proptest::collection::vec(1u64..120_000, 1..100),
        ) {
            let mut pace = Pace::new(Some(limit));
            let mut now = Duration::from_secs(5);
            let (start, mut sent) = (now, 0);
            for size in &sizes {
                now = now.max(pace.ready_at());
                let allowed = (now - start).as_nanos() as u64 / 1_000 * limit / 1_000_000 + limit / 500 + 1;
                prop_assert!(sent <= allowed, "{sent} bytes where {allowed} were allowed");
                pace.on_sent(*size, now);
                sent += size;
            }
        }
    }
}
