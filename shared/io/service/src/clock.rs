//! The one place that asks the operating system for the time.

use std::time::SystemTime;

use space_packet::TaiTime;

/// The system clock, as TAI.
pub fn now() -> TaiTime {
    let nanos = match SystemTime::now().duration_since(SystemTime::UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_nanos()).unwrap_or(i64::MAX),
        Err(before) => i64::try_from(before.duration().as_nanos()).map_or(i64::MIN, |nanos| -nanos),
    };
    TaiTime::from_unix_nanos(nanos)
}
