//! The time certificates are checked against, on machines whose clock may have started in 1970.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustls::pki_types::UnixTime;
use rustls::time_provider::TimeProvider;

type UnixSeconds = dyn Fn() -> u64 + Send + Sync;

/// A wall clock in Unix seconds that never shows less than a floor.
///
/// The floor is the latest time somebody trustworthy vouched for: an authenticated hub, or the build.
#[derive(Clone)]
pub struct Clock {
    system: Arc<UnixSeconds>,
    floor: Arc<UnixSeconds>,
}

impl Clock {
    /// The machine's clock, taken as it is.
    pub fn system() -> Self {
        Self::with_floor(|| 0)
    }

    /// The machine's clock, or the floor when that is later.
    pub fn with_floor(floor: impl Fn() -> u64 + Send + Sync + 'static) -> Self {
        Self::new(system_seconds, floor)
    }

    /// Any clock above any floor, for simulations and tests.
    pub fn new(
        system: impl Fn() -> u64 + Send + Sync + 'static,
        floor: impl Fn() -> u64 + Send + Sync + 'static,
    ) -> Self {
        Self { system: Arc::new(system), floor: Arc::new(floor) }
    }

    /// The later of clock and floor, in Unix seconds.
    pub fn now_unix(&self) -> u64 {
        (self.system)().max((self.floor)())
    }
}

fn system_seconds() -> u64 {
    // A clock set before 1970 is as good as one at 1970: the floor decides.
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Clock").field("now_unix", &self.now_unix()).finish_non_exhaustive()
    }
}

impl TimeProvider for Clock {
    fn current_time(&self) -> Option<UnixTime> {
        Some(UnixTime::since_unix_epoch(Duration::from_secs(self.now_unix())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_later_of_clock_and_floor_counts() {
        assert_eq!(Clock::new(|| 0, || 1_700_000_000).now_unix(), 1_700_000_000);
        assert_eq!(Clock::new(|| 1_800_000_000, || 1_700_000_000).now_unix(), 1_800_000_000);
    }
}
