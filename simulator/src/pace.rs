//! Decides how many packets of a steady stream are due. The schedule never waits for the sender: what it was
//! too slow for stays due, so that a stall shows as latency instead of vanishing (no coordinated omission).

use std::time::Duration;

/// How often a paced sender wakes: short enough to be even, long enough to send several packets at once.
pub(crate) const BURST_INTERVAL: Duration = Duration::from_millis(2);

/// A steady schedule.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    packets_per_second: f64,
}

impl Pace {
    /// `packets_per_second` is above zero.
    pub(crate) fn new(packets_per_second: f64) -> Self {
        Self { packets_per_second }
    }

    /// Packets due in the first `elapsed` of the schedule.
    pub(crate) fn due(self, elapsed: Duration) -> u64 {
        (elapsed.as_secs_f64() * self.packets_per_second) as u64
    }

    /// When in the schedule a packet is due, counted from 0.
    pub(crate) fn due_at(self, packet: u64) -> Duration {
        Duration::from_secs_f64((packet + 1) as f64 / self.packets_per_second)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_stall_kept_back_stays_due() {
        let pace = Pace::new(1_000.0);
        assert_eq!(pace.due(Duration::from_millis(2)), 2);
        assert_eq!(pace.due(Duration::from_secs(3)), 3_000);
    }

    #[test]
    fn a_packet_is_due_when_the_schedule_reaches_it() {
        let pace = Pace::new(250.0);
        assert_eq!(pace.due_at(0), Duration::from_millis(4));
        assert_eq!(pace.due(pace.due_at(99)), 100);
    }
}
