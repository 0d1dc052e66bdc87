//! The one place where the simulator asks what time it is.

use std::time::SystemTime;

use space_packet::TaiTime;

/// The time of this computer's clock; before 1970 it reads as 1970.
pub fn now() -> TaiTime {
    let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    TaiTime::from_unix_nanos(i64::try_from(since_1970.as_nanos()).unwrap_or(i64::MAX))
}
