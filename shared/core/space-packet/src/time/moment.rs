//! Moments as people write them in a question: a date, a day of the year, or so long before now.

use super::{NANOS_PER_SECOND, TaiTime, UtcTime, utc};

/// Text that names no moment.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error(
    "{found:?} is not a time; expected RFC 3339 in UTC (2026-11-22T17:31:02.125Z), a day of the year \
     (2026-326T17:31:02Z), `now`, or so long from now (`now-1h`, `-15m`, with ms, s, m, h, d or w)"
)]
pub struct MomentParseError {
    /// The text, cut to 64 characters.
    pub found: String,
}

/// Reads a moment: RFC 3339 in UTC, `YYYY-DDDTHH:MM:SS[.fraction]Z`, `now`, `now` and a signed duration, or a signed
/// duration from now. A duration is a whole number and one of `ms`, `s`, `m`, `h`, `d` (86,400 s), `w`; a blank counts
/// as `+`, which it was before an URL was read.
pub fn parse_moment(text: &str, now: TaiTime) -> Result<TaiTime, MomentParseError> {
    UtcTime::parse(text)
        .ok()
        .or_else(|| utc::parse_day_of_year(text))
        .map(UtcTime::to_tai)
        .or_else(|| relative(text, now))
        .ok_or_else(|| MomentParseError { found: text.chars().take(64).collect() })
}

/// Reads a duration, for example `90s` or `15m`, as nanoseconds: what stands behind the sign of a relative moment.
pub fn parse_duration(text: &str) -> Option<i64> {
    let digits = text.find(|character: char| !character.is_ascii_digit())?;
    let (number, unit) = text.split_at(digits);
    let unit = match unit {
        "ms" => NANOS_PER_SECOND / 1_000,
        "s" => NANOS_PER_SECOND,
        "m" => 60 * NANOS_PER_SECOND,
        "h" => 3_600 * NANOS_PER_SECOND,
        "d" => 86_400 * NANOS_PER_SECOND,
        "w" => 604_800 * NANOS_PER_SECOND,
        _ => return None,
    };
    number.parse::<i64>().ok()?.checked_mul(unit)
}

fn relative(text: &str, now: TaiTime) -> Option<TaiTime> {
    let offset = text.strip_prefix("now").unwrap_or(text);
    if offset.is_empty() {
        return (!text.is_empty()).then_some(now);
    }
    let nanos = match offset.split_at_checked(1)? {
        ("-", duration) => -parse_duration(duration)?,
        ("+" | " ", duration) => parse_duration(duration)?,
        _ => return None,
    };
    now.0.checked_add(nanos).map(TaiTime)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: TaiTime = TaiTime(1_795_305_637_000_000_000);

    #[test]
    fn moments_are_read_as_people_write_them() {
        let hour = 3_600 * NANOS_PER_SECOND;
        for (text, expected) in [
            ("2026-11-22T00:00:00Z", NOW.0),
            ("2026-326T00:00:00Z", NOW.0),
            ("2026-326T00:00:00.5Z", NOW.0 + NANOS_PER_SECOND / 2),
            ("2026-327T01:00:00+00:00", NOW.0 + 25 * hour),
            ("2024-366T00:00:00Z", 1_735_603_237_000_000_000),
            ("2016-366T23:59:60Z", 1_483_228_836_000_000_000),
            ("now", NOW.0),
            ("now-1h", NOW.0 - hour),
            ("now+250ms", NOW.0 + NANOS_PER_SECOND / 4),
            ("now 2d", NOW.0 + 48 * hour),
            ("-15m", NOW.0 - hour / 4),
            ("+1w", NOW.0 + 168 * hour),
        ] {
            assert_eq!(parse_moment(text, NOW), Ok(TaiTime(expected)), "{text}");
        }
    }

    #[test]
    fn what_is_no_moment_is_refused_by_its_text() {
        for text in [
            "",
            "-",
            "-1",
            "15m",
            "now-",
            "now-1y",
            "now--1h",
            "nowish",
            "-1.5h",
            "-9999999999999999999s",
            "-300000d",
            "2025-366T00:00:00Z",
            "2026-000T00:00:00Z",
            "2026-1T00:00:00Z",
            "2026-326",
            "yesterday",
            "é",
        ] {
            let found = parse_moment(text, NOW).expect_err(text).found;
            assert_eq!(found, text);
        }
    }

    proptest! {
        #[test]
        fn a_moment_that_is_written_in_any_way_is_read_as_itself(nanos in any::<i64>(), milliseconds in 0i64..1 << 40) {
            let time = TaiTime(nanos);
            let text = time.to_string();
            prop_assert_eq!(parse_moment(&text, NOW), Ok(time));
            let days = (time.to_utc().unix_seconds.div_euclid(86_400)) as i32;
            let year: i32 = text[..4].parse().expect("a year");
            let first = UtcTime::parse(&format!("{year:04}-01-01T00:00:00Z")).expect("a day").unix_seconds / 86_400;
            let day = i64::from(days) - first + 1;
            prop_assert_eq!(parse_moment(&format!("{year:04}-{day:03}{}", &text[10..]), NOW), Ok(time));
            let ago = format!("-{milliseconds}ms");
            prop_assert_eq!(parse_moment(&ago, NOW), Ok(NOW.plus_nanos(-milliseconds * 1_000_000)));
            prop_assert_eq!(parse_moment(&format!("now{ago}"), NOW), parse_moment(&ago, NOW));
        }

        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,40}", relative in "(now)?[-+ ]?[0-9]{0,25}(ms|[smhdwy])?") {
            let _ = (parse_moment(&text, NOW), parse_moment(&relative, NOW));
        }
    }
}
