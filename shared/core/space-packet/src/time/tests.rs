use proptest::prelude::*;

use super::cds::{CdsError, DayField, EpochDay, Layout, Submilliseconds};
use super::*;

const MICROSECONDS: Layout = Layout { day: DayField::Bits16, submilliseconds: Submilliseconds::Microseconds };

fn utc(text: &str) -> TaiTime {
    UtcTime::parse(text).expect("a time").to_tai()
}

#[test]
fn the_leap_second_of_2016_is_passed_both_ways() {
    let before = utc("2016-12-31T23:59:59Z");
    for (seconds, text) in [
        (0, "2016-12-31T23:59:59Z"),
        (1, "2016-12-31T23:59:60Z"),
        (2, "2017-01-01T00:00:00Z"),
        (-36, "2016-12-31T23:59:23Z"),
    ] {
        let moment = before.plus_nanos(seconds * NANOS_PER_SECOND);
        assert_eq!(moment.to_string(), text);
        assert_eq!(utc(text), moment);
    }
}

#[test]
fn tai_is_37_seconds_ahead_of_unix_today() {
    let unix = 1_795_368_662 * NANOS_PER_SECOND;
    assert_eq!(TaiTime::from_unix_nanos(unix).0 - unix, 37 * NANOS_PER_SECOND);
    assert_eq!(TaiTime::from_unix_nanos(unix).to_unix_nanos(), unix);
}

#[test]
fn text_that_is_no_time_is_refused_with_what_was_expected() {
    for text in [
        "",
        "2026-02-29T00:00:00Z",
        "2026-11-22T24:00:00Z",
        "2026-11-22T17:31:02",
        "2026-06-30T23:59:60Z",
        "26-0011-022T17:31:02Z",
        "2026-011-22T17:31:02Z",
        "2026-11-0022T17:31:02Z",
        "2026-11-22T017:31:02Z",
        "2026-11-22T17:0031:02Z",
        "2026-11-22T17:31:002Z",
        "2026-11-22-01T17:31:02Z",
        "x",
    ] {
        let error = UtcTime::parse(text).expect_err(text);
        assert!(error.to_string().contains("RFC 3339"), "{error}");
    }
}

#[test]
fn a_flight_packets_cds_time_reads_as_its_moment() {
    // JPSS-1: day 23109, 7 ms, 137 us.
    let bytes = [0x5A, 0x45, 0, 0, 0, 7, 0, 137];
    let time = MICROSECONDS.decode(&bytes).expect("a time");
    assert_eq!(time.to_string(), "2021-04-09T00:00:00.007137Z");
    assert_eq!(cds::encode(time), bytes);
}

#[test]
fn the_86401st_second_exists_only_on_days_that_have_it() {
    let milliseconds = 86_400_500_u32.to_be_bytes();
    let at = |day: u16| {
        let mut bytes = [0; 8];
        bytes[..2].copy_from_slice(&day.to_be_bytes());
        bytes[2..6].copy_from_slice(&milliseconds);
        MICROSECONDS.decode(&bytes)
    };
    // 2016-12-31 is day 21549 since 1958.
    assert_eq!(at(21_549).expect("a leap second").to_string(), "2016-12-31T23:59:60.500Z");
    assert_eq!(at(21_550), Err(CdsError::MillisecondsOutOfRange { milliseconds: 86_400_500 }));
}

#[test]
fn a_day_that_no_field_or_no_time_can_hold_is_refused() {
    let form = Layout { day: DayField::Bits24, submilliseconds: Submilliseconds::None };
    let far = form.decode(&[0xFF, 0xFF, 0xFF, 0, 0, 0, 0]);
    assert_eq!(far, Err(CdsError::DayOutOfRange { days: 0xFF_FFFF }));
    let epoch = EpochDay::try_from(utc("2000-01-01T00:00:00Z")).expect("midnight");
    let encoded = |text| MICROSECONDS.encode_since(epoch, utc(text));
    assert_eq!(encoded("1999-12-31T23:59:59Z"), Err(CdsError::DayOutOfRange { days: -1 }));
    assert_eq!(encoded("2180-01-01T00:00:00Z"), Err(CdsError::DayOutOfRange { days: 65_744 }));
    assert_eq!(encoded("2000-01-02T00:00:00.001002Z"), Ok(vec![0, 1, 0, 0, 0, 1, 0, 2]));
}

proptest! {
    #[test]
    fn what_is_written_as_text_reads_as_the_same_moment(nanos in -2_000_000_000_000_000_000i64..4_000_000_000_000_000_000) {
        let moment = TaiTime(nanos);
        prop_assert_eq!(utc(&moment.to_string()), moment);
    }

    #[test]
    fn any_bytes_are_a_time_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..12)) {
        for day in [DayField::Bits16, DayField::Bits24] {
            for submilliseconds in [Submilliseconds::None, Submilliseconds::Microseconds, Submilliseconds::Picoseconds] {
                let _ = Layout { day, submilliseconds }.decode(&bytes);
            }
        }
    }
}
