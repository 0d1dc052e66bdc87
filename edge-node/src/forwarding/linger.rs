//! How long the pipeline waits for more records before it seals a batch, as a loaded hub asks for it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// What a record waits for company when nobody asks for more.
const DEFAULT: Duration = Duration::from_millis(2);
/// More than this is not granted.
const LONGEST: Duration = Duration::from_millis(100);

/// The time, shared by whoever learns and whoever obeys.
#[derive(Debug)]
pub struct Linger(AtomicU64);

impl Default for Linger {
    fn default() -> Self {
        Self(AtomicU64::new(DEFAULT.as_micros() as u64))
    }
}

impl Linger {
    /// The hub asks for this; nothing without a session.
    pub fn set(&self, asked: Option<Duration>) {
        let granted = asked.map_or(DEFAULT, |asked| asked.clamp(DEFAULT, LONGEST));
        self.0.store(granted.as_micros() as u64, Ordering::Relaxed);
    }

    /// How long a record waits now.
    pub fn get(&self) -> Duration {
        Duration::from_micros(self.0.load(Ordering::Relaxed))
    }
}
