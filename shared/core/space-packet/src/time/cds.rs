//! CCSDS day segmented time code, CDS (301.0-B-4, 3.3), level 1: days since 1958-01-01 UTC, milliseconds of
//! the day, microseconds of the millisecond. The P-field is implicit: the mission says which form it uses.

use serde::{Deserialize, Serialize};

use super::{NANOS_PER_SECOND, TaiTime, UtcTime, leap};

/// Days from 1958-01-01 to 1970-01-01.
const EPOCH_DAYS_BEFORE_UNIX: i64 = 4_383;
const NANOS_PER_MILLISECOND: i64 = 1_000_000;

/// Width of the day field.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub enum DayField {
    /// 16 bits: until 2137.
    #[default]
    #[serde(rename = "16")]
    Bits16,
    /// 24 bits.
    #[serde(rename = "24")]
    Bits24,
}

/// What follows the milliseconds.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Submilliseconds {
    /// 16 bits of microseconds.
    Microseconds,
    /// Nothing.
    #[default]
    None,
    /// 32 bits of picoseconds.
    Picoseconds,
}

/// Which of the forms a mission uses.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Layout {
    /// Width of the day field.
    pub day: DayField,
    /// What follows the milliseconds.
    pub submilliseconds: Submilliseconds,
}

/// Bytes that are no time.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum CdsError {
    /// More milliseconds than the day has.
    #[error("{milliseconds} ms are more than the day has")]
    MillisecondsOutOfRange {
        /// The field.
        milliseconds: u32,
    },
    /// The field below the millisecond holds a millisecond or more.
    #[error("the submillisecond field {field} holds a millisecond or more")]
    SubmillisecondsOutOfRange {
        /// The field.
        field: u32,
    },
    /// Too few bytes.
    #[error("{found_bytes} bytes are too few for a CDS time of {wanted_bytes}")]
    Truncated {
        /// Bytes there were.
        found_bytes: usize,
        /// Bytes the layout needs.
        wanted_bytes: usize,
    },
}

impl Layout {
    /// Bytes of the time code.
    pub fn bytes(self) -> usize {
        let day = if self.day == DayField::Bits16 { 2 } else { 3 };
        let submilliseconds = match self.submilliseconds {
            Submilliseconds::None => 0,
            Submilliseconds::Microseconds => 2,
            Submilliseconds::Picoseconds => 4,
        };
        day + 4 + submilliseconds
    }

    /// Reads the time at the beginning of `bytes`.
    pub fn decode(self, bytes: &[u8]) -> Result<TaiTime, CdsError> {
        let wanted_bytes = self.bytes();
        let Some(field) = bytes.get(..wanted_bytes) else {
            return Err(CdsError::Truncated { found_bytes: bytes.len(), wanted_bytes });
        };
        let (day, rest) = field.split_at(if self.day == DayField::Bits16 { 2 } else { 3 });
        let (milliseconds, below) = rest.split_at(4);
        let day = big_endian(day) as i64 - EPOCH_DAYS_BEFORE_UNIX;
        let milliseconds = big_endian(milliseconds);
        let below = big_endian(below);
        let (below_limit, nanos_below) = match self.submilliseconds {
            Submilliseconds::None => (1, 0),
            Submilliseconds::Microseconds => (1_000, i64::from(below) * 1_000),
            Submilliseconds::Picoseconds => (1_000_000_000, i64::from(below) / 1_000),
        };
        if below >= below_limit {
            return Err(CdsError::SubmillisecondsOutOfRange { field: below });
        }
        let leap_second = milliseconds >= 86_400_000;
        if leap_second && (milliseconds >= 86_401_000 || !leap::day_has_leap_second(day)) {
            return Err(CdsError::MillisecondsOutOfRange { milliseconds });
        }
        let milliseconds = i64::from(milliseconds) - i64::from(leap_second) * 1_000;
        let utc = UtcTime {
            unix_seconds: day * 86_400 + milliseconds / 1_000,
            is_leap_second: leap_second,
            nanoseconds: (milliseconds % 1_000 * NANOS_PER_MILLISECOND + nanos_below) as u32,
        };
        Ok(utc.to_tai())
    }
}

fn big_endian(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0, |value, &byte| value << 8 | u32::from(byte))
}

/// Writes the form with a 16-bit day and microseconds; days outside 1958 to 2137 are held at the ends.
pub fn encode(time: TaiTime) -> [u8; 8] {
    let utc = time.to_utc();
    let day = utc.unix_seconds.div_euclid(86_400) + EPOCH_DAYS_BEFORE_UNIX;
    let second = utc.unix_seconds.rem_euclid(86_400) + i64::from(utc.is_leap_second);
    let nanos = second * NANOS_PER_SECOND + i64::from(utc.nanoseconds);
    let milliseconds = (nanos / NANOS_PER_MILLISECOND) as u32;
    let microseconds = (nanos % NANOS_PER_MILLISECOND / 1_000) as u16;
    let mut bytes = [0; 8];
    bytes[..2].copy_from_slice(&(day.clamp(0, i64::from(u16::MAX)) as u16).to_be_bytes());
    bytes[2..6].copy_from_slice(&milliseconds.to_be_bytes());
    bytes[6..].copy_from_slice(&microseconds.to_be_bytes());
    bytes
}
