//! CCSDS day segmented time code, CDS (301.0-B-4, 3.3): days of UTC since an epoch, milliseconds of the day, and
//! microseconds or picoseconds of the millisecond. Which form is used says the mission, or a P-field in front
//! ([`super::p_field`]).

use serde::{Deserialize, Serialize};

use super::{NANOS_PER_SECOND, TaiTime, UtcTime, leap};

/// Days from 1958-01-01 to 1970-01-01.
const EPOCH_DAYS_BEFORE_UNIX: i64 = 4_383;
const NANOS_PER_MILLISECOND: i64 = 1_000_000;
const SECONDS_PER_DAY: i64 = 86_400;

/// Whole days since 1970 that [`TaiTime`] can hold.
const DAYS: std::ops::Range<i64> =
    i64::MIN / NANOS_PER_SECOND / SECONDS_PER_DAY + 1..i64::MAX / NANOS_PER_SECOND / SECONDS_PER_DAY - 1;

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

/// The day that has number 0, at whose beginning in UTC the count starts.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct EpochDay {
    days_since_unix: i64,
}

impl EpochDay {
    /// 1958-01-01, the epoch of level 1 (3.3.2).
    pub const CCSDS: Self = Self { days_since_unix: -EPOCH_DAYS_BEFORE_UNIX };
}

impl Default for EpochDay {
    fn default() -> Self {
        Self::CCSDS
    }
}

impl TryFrom<TaiTime> for EpochDay {
    type Error = CdsError;

    /// An agency's epoch (level 2), which must be the beginning of a day of UTC.
    fn try_from(epoch: TaiTime) -> Result<Self, CdsError> {
        let utc = epoch.to_utc();
        if utc.unix_seconds.rem_euclid(SECONDS_PER_DAY) != 0 || utc.nanoseconds != 0 || utc.is_leap_second {
            return Err(CdsError::EpochNotMidnight { epoch });
        }
        Ok(Self { days_since_unix: utc.unix_seconds / SECONDS_PER_DAY })
    }
}

/// Which of the forms a mission uses.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Layout {
    /// Width of the day field.
    pub day: DayField,
    /// What follows the milliseconds.
    pub submilliseconds: Submilliseconds,
}

/// Bytes that are no time, or a time that has no such bytes.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum CdsError {
    /// A day so far away that [`TaiTime`] or the day field cannot hold it.
    #[error("day {days} since the epoch is out of range")]
    DayOutOfRange {
        /// Days since the epoch.
        days: i64,
    },
    /// An epoch inside a day.
    #[error("{epoch} is no epoch of days: it is not midnight in UTC")]
    EpochNotMidnight {
        /// The epoch.
        epoch: TaiTime,
    },
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
        let submilliseconds = match self.submilliseconds {
            Submilliseconds::None => 0,
            Submilliseconds::Microseconds => 2,
            Submilliseconds::Picoseconds => 4,
        };
        self.day.bytes() + 4 + submilliseconds
    }

    /// Reads the time at the beginning of `bytes`, in days since 1958.
    pub fn decode(self, bytes: &[u8]) -> Result<TaiTime, CdsError> {
        self.decode_since(EpochDay::CCSDS, bytes)
    }

    /// Reads the time at the beginning of `bytes`, in days since `epoch`; picoseconds are cut to nanoseconds.
    pub fn decode_since(self, epoch: EpochDay, bytes: &[u8]) -> Result<TaiTime, CdsError> {
        let wanted_bytes = self.bytes();
        let Some(field) = bytes.get(..wanted_bytes) else {
            return Err(CdsError::Truncated { found_bytes: bytes.len(), wanted_bytes });
        };
        let (day, rest) = field.split_at(self.day.bytes());
        let (milliseconds, below) = rest.split_at(4);
        let days = i64::from(big_endian(day));
        let day = days + epoch.days_since_unix;
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
        if !DAYS.contains(&day) {
            return Err(CdsError::DayOutOfRange { days });
        }
        let milliseconds = i64::from(milliseconds) - i64::from(leap_second) * 1_000;
        let utc = UtcTime {
            unix_seconds: day * SECONDS_PER_DAY + milliseconds / 1_000,
            is_leap_second: leap_second,
            nanoseconds: (milliseconds % 1_000 * NANOS_PER_MILLISECOND + nanos_below) as u32,
        };
        Ok(utc.to_tai())
    }

    /// Writes a time, cut to what the form can say.
    pub fn encode_since(self, epoch: EpochDay, time: TaiTime) -> Result<Vec<u8>, CdsError> {
        let (day, nanos) = day_and_nanos(time);
        let days = day - epoch.days_since_unix;
        let field = u32::try_from(days).ok().filter(|days| days >> (8 * self.day.bytes()) == 0);
        let day = field.ok_or(CdsError::DayOutOfRange { days })?.to_be_bytes();
        let mut bytes = day[day.len() - self.day.bytes()..].to_vec();
        bytes.extend(((nanos / NANOS_PER_MILLISECOND) as u32).to_be_bytes());
        let below = nanos % NANOS_PER_MILLISECOND;
        match self.submilliseconds {
            Submilliseconds::None => {}
            Submilliseconds::Microseconds => bytes.extend(((below / 1_000) as u16).to_be_bytes()),
            Submilliseconds::Picoseconds => bytes.extend(((below * 1_000) as u32).to_be_bytes()),
        }
        Ok(bytes)
    }
}

impl DayField {
    fn bytes(self) -> usize {
        match self {
            Self::Bits16 => 2,
            Self::Bits24 => 3,
        }
    }
}

/// Day of UTC since 1970, and nanoseconds of that day.
fn day_and_nanos(time: TaiTime) -> (i64, i64) {
    let utc = time.to_utc();
    let second = utc.unix_seconds.rem_euclid(SECONDS_PER_DAY) + i64::from(utc.is_leap_second);
    let nanos = second * NANOS_PER_SECOND + i64::from(utc.nanoseconds);
    (utc.unix_seconds.div_euclid(SECONDS_PER_DAY), nanos)
}

fn big_endian(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0, |value, &byte| value << 8 | u32::from(byte))
}

/// Writes the form with a 16-bit day and microseconds; days outside 1958 to 2137 are held at the ends.
pub fn encode(time: TaiTime) -> [u8; 8] {
    let (day, nanos) = day_and_nanos(time);
    let day = day + EPOCH_DAYS_BEFORE_UNIX;
    let milliseconds = (nanos / NANOS_PER_MILLISECOND) as u32;
    let microseconds = (nanos % NANOS_PER_MILLISECOND / 1_000) as u16;
    let mut bytes = [0; 8];
    bytes[..2].copy_from_slice(&(day.clamp(0, i64::from(u16::MAX)) as u16).to_be_bytes());
    bytes[2..6].copy_from_slice(&milliseconds.to_be_bytes());
    bytes[6..].copy_from_slice(&microseconds.to_be_bytes());
    bytes
}
