//! What the link may carry at a time of day, and during a pass.

use std::time::Duration;

use delivery::{RateLimit, RateSchedule};
use space_packet::TaiTime;

/// What may leave at once: a batch or two, so that a slow link is not silent for long and then busy.
const BURST_BYTES: u64 = 16 * 1_024;

/// The schedule of a link and what it leaves now.
pub(super) struct LinkCap {
    schedule: RateSchedule,
    limit: RateLimit,
    /// When the schedule says something else.
    until: Option<TaiTime>,
}

impl LinkCap {
    pub(super) fn new(schedule: RateSchedule) -> Self {
        Self { schedule, limit: RateLimit::new(None, BURST_BYTES), until: Some(TaiTime(i64::MIN)) }
    }

    /// When the next batch may leave: `now`, or later.
    pub(super) fn ready_at(&mut self, now: Duration, clock: TaiTime) -> Duration {
        if self.until.is_some_and(|until| clock >= until) {
            let cap = self.schedule.cap_at(clock);
            self.limit.set_rate(cap.rate, now);
            self.until = cap.until;
        }
        // What was saved up does not count where nothing may be sent at all.
        let is_shut = self.limit.rate().is_some_and(|rate| rate.bits_per_s == 0);
        let ready = if is_shut { Duration::MAX } else { self.limit.ready_at(BURST_BYTES, now) };
        // Another rate may hold earlier than that.
        match self.until {
            Some(until) if ready > now => {
                let ahead = u64::try_from(until.0.saturating_sub(clock.0)).unwrap_or(0);
                ready.min(now.saturating_add(Duration::from_nanos(ahead)))
            }
            _ => ready,
        }
    }

    pub(super) fn on_sent(&mut self, bytes: u64, now: Duration) {
        self.limit.on_sent(bytes, now);
    }
}

#[cfg(test)]
mod tests {
    use delivery::{BitRate, PassCap};

    use super::*;

    #[test]
    fn outside_a_pass_nothing_leaves_and_within_it_no_more_than_its_rate() {
        const SECOND: i64 = 1_000_000_000;
        let rate = Some(BitRate { bits_per_s: 8 * BURST_BYTES });
        let pass = PassCap { from: TaiTime(100 * SECOND), to: TaiTime(200 * SECOND), rate };
        let schedule = RateSchedule { passes: vec![pass], only_in_passes: true, ..RateSchedule::default() };
        let mut cap = LinkCap::new(schedule);
        let at = |seconds: u64| (Duration::from_secs(seconds), TaiTime(seconds as i64 * SECOND));
        let (now, clock) = at(40);
        cap.on_sent(1, now);
        assert_eq!(cap.ready_at(now, clock), Duration::from_secs(100), "asked again when the pass begins");
        let (now, clock) = at(100);
        cap.ready_at(now, clock);
        cap.on_sent(3 * BURST_BYTES, now);
        assert!(cap.ready_at(now, clock) >= Duration::from_secs(102));
    }
}
