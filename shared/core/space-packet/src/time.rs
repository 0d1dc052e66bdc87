//! Time: TAI nanoseconds inside, UTC only at the borders.
//!
//! [`TaiTime`] counts SI nanoseconds since 1970-01-01T00:00:00 TAI in an `i64` (years 1678 to 2262), without
//! jumps. UTC is derived with our own leap-second table; inside a leap second it reads 23:59:60.
//!
//! Packets carry CCSDS time codes ([`cuc`], [`cds`], either behind a [`p_field`]) or an instrument's own count, which
//! [`correlation`] turns into time.

pub mod cds;
pub mod correlation;
pub mod cuc;
mod leap;
mod moment;
pub mod p_field;
mod utc;

use serde::{Deserialize, Serialize};

pub use moment::{MomentParseError, parse_duration, parse_moment};
pub use utc::{TimeParseError, UtcTime};

const NANOS_PER_SECOND: i64 = 1_000_000_000;

/// A moment: TAI nanoseconds since 1970-01-01T00:00:00 TAI.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub struct TaiTime(pub i64);

impl TaiTime {
    /// From a Unix clock, which counts UTC seconds of 86,400 a day and cannot name a leap second.
    pub fn from_unix_nanos(unix_nanos: i64) -> Self {
        let seconds = unix_nanos.div_euclid(NANOS_PER_SECOND);
        Self(unix_nanos.saturating_add(leap::tai_minus_utc_at_unix(seconds) * NANOS_PER_SECOND))
    }

    /// To a Unix clock; a leap second reads as the second after it, as POSIX has it.
    pub fn to_unix_nanos(self) -> i64 {
        let utc = self.to_utc();
        utc.unix_seconds.saturating_add(i64::from(utc.is_leap_second)).saturating_mul(NANOS_PER_SECOND)
            + i64::from(utc.nanoseconds)
    }

    /// To UTC, leap seconds told apart.
    pub fn to_utc(self) -> UtcTime {
        let seconds = self.0.div_euclid(NANOS_PER_SECOND);
        let nanoseconds = self.0.rem_euclid(NANOS_PER_SECOND) as u32;
        let (offset, is_leap_second) = leap::tai_minus_utc_at_tai(seconds);
        UtcTime { unix_seconds: seconds - offset, is_leap_second, nanoseconds }
    }

    /// Seconds from `earlier` to this moment; negative if it is later.
    pub fn seconds_since(self, earlier: Self) -> f64 {
        self.0.saturating_sub(earlier.0) as f64 / NANOS_PER_SECOND as f64
    }

    /// This moment moved by nanoseconds, held at the ends of the range.
    #[must_use]
    pub fn plus_nanos(self, nanos: i64) -> Self {
        Self(self.0.saturating_add(nanos))
    }
}

impl std::fmt::Display for TaiTime {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.to_utc().fmt(formatter)
    }
}

/// When the spacecraft made a sample, by its own clock.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub struct GenerationTime(pub TaiTime);

/// When a station received a packet, by the node's clock.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
pub struct ReceptionTime(pub TaiTime);

#[cfg(test)]
mod tests;
