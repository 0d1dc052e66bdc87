//! A stretch of the day on some days of the week, in UTC.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use space_packet::TaiTime;

const MINUTES_PER_DAY: u16 = 24 * 60;
const SECONDS_PER_DAY: i64 = 86_400;
const NANOS_PER_SECOND: i64 = 1_000_000_000;
const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const EVERY_DAY: u8 = 0b111_1111;

/// A time of day in UTC, such as `08:00-18:00`, `22:00-06:00` or `Mon-Fri,Sun 08:00-24:00`.
///
/// The end does not belong to it. One that ends before it begins goes on after midnight, and belongs to the day on
/// which it began; one that ends as it begins takes 24 hours. A leap second belongs to what was before it.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct DayWindow {
    /// Minutes after midnight, below 1,440.
    from: u16,
    /// Minutes after midnight, up to 1,440.
    to: u16,
    /// A bit for each day, Monday lowest; never 0.
    days: u8,
}

/// Text that is not a window.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{found:?} is not a time of day; expected UTC like 08:00-18:00 or Mon-Fri 22:00-06:00")]
pub struct DayWindowError {
    /// The text, cut to 64 characters.
    pub found: String,
}

impl DayWindow {
    /// Whether a moment lies in it.
    pub fn covers(&self, at: TaiTime) -> bool {
        let (day, second) = split(at);
        let (from, to) = (seconds(self.from), seconds(self.to));
        if from < to {
            self.has(day) && (from..to).contains(&second)
        } else {
            self.has(day) && second >= from || self.has(day - 1) && second < to
        }
    }

    /// The next moment behind `after` at which it begins or ends.
    pub fn next_edge(&self, after: TaiTime) -> Option<TaiTime> {
        let (today, _) = split(after);
        let length = if self.from < self.to { 0 } else { SECONDS_PER_DAY };
        // One may have begun yesterday, and the next may be a week away.
        (today - 1..=today + 7)
            .filter(|day| self.has(*day))
            .flat_map(|day| {
                let midnight = day * SECONDS_PER_DAY;
                [midnight + seconds(self.from), midnight + seconds(self.to) + length]
            })
            .map(|second| TaiTime::from_unix_nanos(second.saturating_mul(NANOS_PER_SECOND)))
            .filter(|edge| *edge > after)
            .min()
    }

    fn has(&self, day: i64) -> bool {
        // 1970-01-01 was a Thursday.
        self.days >> (day + 3).rem_euclid(7) & 1 == 1
    }
}

/// Days since 1970-01-01 and seconds of the day.
fn split(at: TaiTime) -> (i64, i64) {
    let unix_seconds = at.to_utc().unix_seconds;
    (unix_seconds.div_euclid(SECONDS_PER_DAY), unix_seconds.rem_euclid(SECONDS_PER_DAY))
}

fn seconds(minutes: u16) -> i64 {
    i64::from(minutes) * 60
}

impl FromStr for DayWindow {
    type Err = DayWindowError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse(text).ok_or_else(|| DayWindowError { found: text.chars().take(64).collect() })
    }
}

fn parse(text: &str) -> Option<DayWindow> {
    let (days, times) = match text.trim().rsplit_once(' ') {
        Some((days, times)) => (parse_days(days)?, times),
        None => (EVERY_DAY, text.trim()),
    };
    let (from, to) = times.split_once('-')?;
    let (from, to) = (parse_minutes(from)?, parse_minutes(to)?);
    (from < MINUTES_PER_DAY).then_some(DayWindow { from, to, days })
}

fn parse_minutes(text: &str) -> Option<u16> {
    let (hours, minutes) = text.split_once(':')?;
    let number = |text: &str| {
        let is_number = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| text.parse::<u16>().ok()).flatten()
    };
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    let total = hours * 60 + minutes;
    (minutes < 60 && total <= MINUTES_PER_DAY).then_some(total)
}

/// Days and ranges of days; a range may go over the end of the week.
fn parse_days(text: &str) -> Option<u8> {
    let number = |name: &str| DAYS.iter().position(|day| day.eq_ignore_ascii_case(name));
    text.split(',').try_fold(0, |days, part| {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (number(first.trim())?, number(last.trim())?);
        let count = (last + 7 - first) % 7;
        Some((first..=first + count).fold(days, |days, day| days | 1 << (day % 7)))
    })
}

impl fmt::Display for DayWindow {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.days != EVERY_DAY {
            let days: Vec<_> = (0..7).filter(|day| self.days >> day & 1 == 1).map(|day| DAYS[day]).collect();
            write!(formatter, "{} ", days.join(","))?;
        }
        let (from, to) = (self.from, self.to);
        write!(formatter, "{:02}:{:02}-{:02}:{:02}", from / 60, from % 60, to / 60, to % 60)
    }
}

impl TryFrom<String> for DayWindow {
    type Error = DayWindowError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<DayWindow> for String {
    fn from(window: DayWindow) -> Self {
        window.to_string()
    }
}
