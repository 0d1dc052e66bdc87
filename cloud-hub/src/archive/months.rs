//! Months, by which partitions are made and dropped: counted from January 1970, on TAI's own calendar, which runs some
//! ten seconds ahead of UTC's.

use std::ops::Range;

const NANOS_PER_DAY: i64 = 86_400_000_000_000;
const DAYS_PER_ERA: i64 = 146_097;
const YEARS_PER_ERA: i64 = 400;
/// From 1 March of the year 0, where leap days are at a year's end, to 1 January 1970.
const DAYS_BEFORE_1970: i64 = 719_468;

/// A month.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(super) struct Month(pub(super) i32);

impl Month {
    /// The month a moment lies in; TAI nanoseconds.
    pub(super) fn of(time: i64) -> Self {
        let days = time.div_euclid(NANOS_PER_DAY) + DAYS_BEFORE_1970;
        let (era, day_of_era) = (days.div_euclid(DAYS_PER_ERA), days.rem_euclid(DAYS_PER_ERA));
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        // Counted from March; each five months have 153 days.
        let month = (5 * day_of_year + 2) / 153;
        let months = (era * YEARS_PER_ERA + year_of_era) * 12 + month + 2;
        Self((months - 1_970 * 12) as i32)
    }

    /// Where it begins.
    pub(super) fn begin(self) -> i64 {
        let months = i64::from(self.0) + 1_970 * 12 - 2;
        let (year, month) = (months.div_euclid(12), months.rem_euclid(12));
        let (era, year_of_era) = (year.div_euclid(YEARS_PER_ERA), year.rem_euclid(YEARS_PER_ERA));
        let day_of_year = (153 * month + 2) / 5;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        let days = era * DAYS_PER_ERA + day_of_era - DAYS_BEFORE_1970;
        days.saturating_mul(NANOS_PER_DAY)
    }

    /// Its moments.
    pub(super) fn times(self) -> Range<i64> {
        self.begin()..Self(self.0 + 1).begin()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn months_begin_where_calendars_say() {
        let day = |days: i64| days * NANOS_PER_DAY;
        assert_eq!(Month::of(0), Month(0));
        assert_eq!(Month::of(-1), Month(-1));
        assert_eq!(Month(1).begin(), day(31));
        assert_eq!(Month(2).begin(), day(59));
        // 29 February 2000, and 1 March.
        assert_eq!(Month::of(day(11_016)), Month(30 * 12 + 1));
        assert_eq!(Month::of(day(11_017)), Month(30 * 12 + 2));
    }

    proptest! {
        #[test]
        fn every_moment_lies_in_its_month(time in any::<i64>()) {
            let times = Month::of(time).times();
            prop_assert!(times.start <= time);
            prop_assert!(time < times.end || times.end == i64::MAX);
            prop_assert_eq!(Month::of(times.start.max(i64::MIN + 1)), Month::of(time));
        }
    }
}
