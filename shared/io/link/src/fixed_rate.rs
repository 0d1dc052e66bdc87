//! Congestion control for a link whose rate is bought or licensed: the rate is known, so nothing has to be found out
//! by losing packets.

use std::any::Any;
use std::sync::Arc;
use std::time::{Duration, Instant};

use quinn::congestion::{Controller, ControllerFactory};
use quinn_proto::RttEstimator;

/// One datagram on its way and one about to leave: with less, every datagram would wait for the one before.
const DATAGRAMS_MIN: u64 = 2;

/// Makes a [`FixedRate`] for each connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FixedRateConfig {
    pub(crate) bits_per_s: u64,
    /// The round trip until one was measured.
    pub(crate) initial_round_trip: Duration,
}

impl ControllerFactory for FixedRateConfig {
    fn build(self: Arc<Self>, _now: Instant, current_mtu: u16) -> Box<dyn Controller> {
        Box::new(FixedRate { config: *self, round_trip: self.initial_round_trip, mtu: current_mtu })
    }
}

/// Lets as much be in flight as the rate carries in one round trip, whatever is lost.
///
/// Quinn paces a window over the smoothed round trip, so the window has to follow the round trip for the rate to stay
/// the same. A queue that builds up, because the link carries less than its contract says, makes it grow at most twofold.
#[derive(Clone, Debug)]
pub(crate) struct FixedRate {
    config: FixedRateConfig,
    round_trip: Duration,
    mtu: u16,
}

impl FixedRate {
    fn window_over(&self, round_trip: Duration) -> u64 {
        let bits = u128::from(self.config.bits_per_s).saturating_mul(round_trip.as_nanos()) / 1_000_000_000;
        let bytes = u64::try_from(bits / 8).unwrap_or(u64::MAX);
        bytes.max(DATAGRAMS_MIN * u64::from(self.mtu))
    }
}

impl Controller for FixedRate {
    fn on_ack(&mut self, _now: Instant, _sent: Instant, _bytes: u64, _app_limited: bool, rtt: &RttEstimator) {
        self.round_trip = rtt.get().min(rtt.min() * 2);
    }

    fn on_congestion_event(&mut self, _now: Instant, _sent: Instant, _is_persistent: bool, _lost_bytes: u64) {
    }

    fn on_mtu_update(&mut self, new_mtu: u16) {
        self.mtu = new_mtu;
    }

    fn window(&self) -> u64 {
        self.window_over(self.round_trip)
    }

    fn clone_box(&self) -> Box<dyn Controller> {
        Box::new(self.clone())
    }

    fn initial_window(&self) -> u64 {
        self.window_over(self.config.initial_round_trip)
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn controller(bits_per_s: u64, initial_round_trip: Duration) -> Box<dyn Controller> {
        Arc::new(FixedRateConfig { bits_per_s, initial_round_trip }).build(Instant::now(), 1_200)
    }

    #[test]
    fn the_window_holds_what_the_rate_carries_in_a_round_trip() {
        assert_eq!(controller(2_000_000, Duration::from_millis(600)).window(), 150_000);
        assert_eq!(controller(2_000_000, Duration::from_millis(600)).initial_window(), 150_000);
    }

    #[test]
    fn losses_change_nothing() {
        let mut controller = controller(2_000_000, Duration::from_millis(600));
        let now = Instant::now();
        controller.on_congestion_event(now, now, true, 1_000_000);
        assert_eq!(controller.window(), 150_000);
    }

    #[test]
    fn the_slowest_link_still_has_two_datagrams_under_way() {
        let mut controller = controller(300, Duration::from_millis(600));
        assert_eq!(controller.window(), 2_400);
        controller.on_mtu_update(1_452);
        assert_eq!(controller.window(), 2_904);
    }

    #[test]
    fn a_rate_beyond_all_links_does_not_overflow() {
        assert_eq!(controller(u64::MAX, Duration::MAX).window(), u64::MAX);
    }
}
