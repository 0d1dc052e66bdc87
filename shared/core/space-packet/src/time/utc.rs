//! UTC as people read it: RFC 3339, leap seconds included.

use std::fmt;

use super::{NANOS_PER_SECOND, TaiTime, leap};

/// A moment in UTC.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct UtcTime {
    /// Seconds since 1970-01-01 of 86,400 a day; inside a leap second, the second before it.
    pub unix_seconds: i64,
    /// True inside 23:59:60.
    pub is_leap_second: bool,
    /// Nanoseconds of the second.
    pub nanoseconds: u32,
}

/// Text that is not a moment.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{found:?} is not a time; expected RFC 3339 in UTC, like 2026-11-22T17:31:02.125Z")]
pub struct TimeParseError {
    /// The text, cut to 64 characters.
    pub found: String,
}

impl UtcTime {
    /// To TAI.
    pub fn to_tai(self) -> TaiTime {
        let leap = i64::from(self.is_leap_second);
        let offset = leap::tai_minus_utc_at_unix(self.unix_seconds);
        let seconds = self.unix_seconds.saturating_add(offset + leap);
        TaiTime(seconds.saturating_mul(NANOS_PER_SECOND).saturating_add(i64::from(self.nanoseconds)))
    }

    /// Reads `YYYY-MM-DDTHH:MM:SS[.fraction]Z`; an offset other than `Z` or `+00:00` is refused.
    pub fn parse(text: &str) -> Result<Self, TimeParseError> {
        parse(text).ok_or_else(|| TimeParseError { found: text.chars().take(64).collect() })
    }
}

fn parse(text: &str) -> Option<UtcTime> {
    let (date, clock) = halves(text)?;
    let [year, month, day] = numbers(date, '-', [4, 2, 2])?;
    if !(1..=12).contains(&month) || !(1..=days_in_month(year, month)).contains(&day) {
        return None;
    }
    at(days_from_civil(year, month, day), clock)
}

/// `YYYY-DDDTHH:MM:SS[.fraction]Z`, days counted from 001.
pub(super) fn parse_day_of_year(text: &str) -> Option<UtcTime> {
    let (date, clock) = halves(text)?;
    let [year, day] = numbers(date, '-', [4, 3])?;
    let first = days_from_civil(year, 1, 1);
    let day = first + day - 1;
    (first..days_from_civil(year + 1, 1, 1)).contains(&day).then(|| at(day, clock))?
}

/// Date and clock.
fn halves(text: &str) -> Option<(&str, &str)> {
    text.strip_suffix('Z').or_else(|| text.strip_suffix("+00:00"))?.split_once(['T', ' '])
}

/// The moment at which a clock shows something on a day.
fn at(days: i64, clock: &str) -> Option<UtcTime> {
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    let [hour, minute, second] = numbers(clock, ':', [2, 2, 2])?;
    if hour > 23 || minute > 59 {
        return None;
    }
    let is_leap_second = second == 60;
    if is_leap_second && !(hour == 23 && minute == 59 && leap::day_has_leap_second(days)) || second > 60 {
        return None;
    }
    if fraction.is_empty() || fraction.len() > 18 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let digits = fraction.bytes().chain(std::iter::repeat(b'0')).take(9);
    let nanoseconds = digits.fold(0, |sum, digit| sum * 10 + u32::from(digit - b'0'));
    let second = second - i64::from(is_leap_second);
    Some(UtcTime {
        unix_seconds: days * 86_400 + hour * 3_600 + minute * 60 + second,
        is_leap_second,
        nanoseconds,
    })
}

/// Numbers of exactly so many digits.
fn numbers<const N: usize>(text: &str, separator: char, digits: [usize; N]) -> Option<[i64; N]> {
    let mut parts = text.split(separator);
    let mut found = [0; N];
    for (number, digits) in found.iter_mut().zip(digits) {
        let part = parts.next()?;
        if part.len() != digits || !part.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        *number = part.parse().ok()?;
    }
    parts.next().is_none().then_some(found)
}

fn days_in_month(year: i64, month: i64) -> i64 {
    let leap_year = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 if leap_year => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01 in the proleptic Gregorian calendar; years are counted from March, so that the leap
/// day is the last of its year.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day_of_year - (153 * shifted_month + 2) / 5 + 1)
}

/// RFC 3339 with as many of 0, 3, 6 or 9 fraction digits as the moment needs.
impl fmt::Display for UtcTime {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = civil_from_days(self.unix_seconds.div_euclid(86_400));
        let clock = self.unix_seconds.rem_euclid(86_400);
        let (hour, minute) = (clock / 3_600, clock / 60 % 60);
        let second = clock % 60 + i64::from(self.is_leap_second);
        write!(formatter, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")?;
        match self.nanoseconds {
            0 => {}
            nanos if nanos % 1_000_000 == 0 => write!(formatter, ".{:03}", nanos / 1_000_000)?,
            nanos if nanos % 1_000 == 0 => write!(formatter, ".{:06}", nanos / 1_000)?,
            nanos => write!(formatter, ".{nanos:09}")?,
        }
        formatter.write_str("Z")
    }
}
