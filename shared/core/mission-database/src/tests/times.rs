//! Absolute and relative times.

use super::{container, decoded, document, entry, load, one_field, refusal};
use crate::{DecodedPacket, EngineeringValue, ParameterKind, Validity};

fn absolute(encoding: &str, data: &str, reference: &str) -> String {
    let reference = match reference {
        "" => String::new(),
        some => format!("<ReferenceTime>{some}</ReferenceTime>"),
    };
    format!(
        "<AbsoluteTimeParameterType name='T'><Encoding {encoding}>{data}</Encoding>{reference}</AbsoluteTimeParameterType>"
    )
}

fn integer(bits: u32) -> String {
    format!("<IntegerDataEncoding sizeInBits='{bits}' encoding='twosComplement'/>")
}

fn epoch(text: &str) -> String {
    format!("<Epoch>{text}</Epoch>")
}

fn check(its_type: &str, raw: &[u8], expected: &str) {
    let found = decoded(&one_field(0, its_type), raw);
    assert_eq!(found, format!("/S/C P={expected}"), "{its_type}");
}

#[test]
fn every_epoch_is_where_its_name_says() {
    // A day after the epoch, in seconds; leap seconds are counted by the first three only.
    let cases = [
        ("TAI", 0, "1957-12-31T23:59:50Z"),
        ("TAI", 86_400 * 365, "1958-12-31T23:59:50Z"),
        ("GPS", 0, "1980-01-06T00:00:00Z"),
        ("GPS", 1_000_000_000, "2011-09-14T01:46:25Z"),
        ("J2000", 0, "2000-01-01T11:58:55.816Z"),
        ("UNIX", 0, "1970-01-01T00:00:00Z"),
        ("UNIX", 1_000_000_000, "2001-09-09T01:46:40Z"),
        ("POSIX", -1, "1969-12-31T23:59:59Z"),
        ("2010-01-01T00:00:00", 86_400, "2010-01-02T00:00:00Z"),
        ("2010-01-01", 0, "2010-01-01T00:00:00Z"),
        (" 2010-01-01T12:30:00Z ", 30, "2010-01-01T12:30:30Z"),
        // 2016 had 366 days and a leap second, which such a clock does not count.
        ("2016-01-01T00:00:00", 86_400 * 366, "2017-01-01T00:00:00Z"),
    ];
    for (name, seconds, expected) in cases {
        let its_type = absolute("", &integer(64), &epoch(name));
        check(&its_type, &i64::to_be_bytes(seconds), expected);
    }
    check(&absolute("", &integer(64), ""), &i64::to_be_bytes(0), "1957-12-31T23:59:50Z");
}

#[test]
fn clocks_from_tai_show_the_leap_second() {
    // 2016-12-31T23:59:60 is 1,861,920,036 s after the TAI epoch.
    let its_type = absolute("", &integer(64), &epoch("TAI"));
    let cases = [
        (1_861_920_035, "2016-12-31T23:59:59Z"),
        (1_861_920_036, "2016-12-31T23:59:60Z"),
        (1_861_920_037, "2017-01-01T00:00:00Z"),
    ];
    for (seconds, expected) in cases {
        check(&its_type, &i64::to_be_bytes(seconds), expected);
    }
}

#[test]
fn scale_and_offset_count_in_the_unit_of_the_encoding() {
    let cases = [
        ("scale='0.001'", 1_500, "1970-01-01T00:00:01.500Z"),
        ("scale='0.001' offset='60'", 1_500, "1970-01-01T00:01:01.500Z"),
        ("units='days'", 10_957, "2000-01-01T00:00:00Z"),
        ("units='days' scale='0.5' offset='1'", 2, "1970-01-03T00:00:00Z"),
        ("units='picoSeconds' scale='1000'", 1_000_000_000, "1970-01-01T00:00:01Z"),
        ("units='seconds' scale='-1'", 1, "1969-12-31T23:59:59Z"),
    ];
    for (encoding, raw, expected) in cases {
        check(&absolute(encoding, &integer(64), &epoch("UNIX")), &i64::to_be_bytes(raw), expected);
    }
    let float = "<FloatDataEncoding sizeInBits='64'/>";
    check(&absolute("", float, &epoch("UNIX")), &f64::to_be_bytes(1.25), "1970-01-01T00:00:01.250Z");
}

/// The time of a field, in nanoseconds since 1970 on a clock without leap seconds.
fn unix_nanos(encoding: &str, raw: i64) -> Option<i64> {
    let dictionary = one_field(0, &absolute(encoding, &integer(64), &epoch("UNIX")));
    let bytes = raw.to_be_bytes();
    let mut packet = DecodedPacket::default();
    dictionary.decode(&bytes, &mut packet).expect("eight bytes are enough");
    match &packet.values[0].engineering {
        EngineeringValue::Time(time) => Some(time.to_unix_nanos()),
        _ => {
            assert_eq!(packet.values[0].validity, Validity::OutsideCalibration);
            None
        }
    }
}

#[test]
fn a_tick_of_whole_nanoseconds_is_counted_exactly() {
    let cases = [
        ("scale='0.000001'", 1_700_000_000_123_457, Some(1_700_000_000_123_457_000)),
        ("scale='1e-9'", 1_700_000_000_123_456_789, Some(1_700_000_000_123_456_789)),
        ("scale='0.001'", 1_700_000_000_123, Some(1_700_000_000_123_000_000)),
        // No time that fits.
        ("", i64::MAX, None),
        ("scale='1e300'", 1, None),
        ("scale='1e-9' offset='9000000000'", i64::MAX, None),
        // Less than a nanosecond is not nothing.
        ("scale='1e-16'", 1_000_000_000_000_000_000, Some(100_000_000_000)),
        ("scale='0.25e-9'", 8, Some(2)),
    ];
    for (encoding, raw, expected) in cases {
        assert_eq!(unix_nanos(encoding, raw), expected, "{encoding} of {raw}");
    }
}

#[test]
fn a_time_may_count_from_another_one() {
    let fine = absolute("scale='0.001'", &integer(16), "<OffsetFrom parameterRef='COARSE'/>")
        .replace("'T'", "'Fine'");
    let coarse = absolute("", &integer(32), &epoch("UNIX")).replace("'T'", "'Coarse'");
    let parameters = [("COARSE", "Coarse"), ("FINE", "Fine")];
    let with = |order: [&str; 2]| {
        let entries: String = order.map(entry).concat();
        load(&document(&[coarse.as_str(), &fine].concat(), &parameters, &container("C", &entries)))
    };
    let found = decoded(&with(["COARSE", "FINE"]), &[0, 0, 0, 10, 0x00, 0xFA]);
    assert_eq!(found, "/S/C COARSE=1970-01-01T00:00:10Z FINE=1970-01-01T00:00:10.250Z");
    let found = decoded(&with(["FINE", "COARSE"]), &[0x00, 0xFA, 0, 0, 0, 10]);
    assert_eq!(found, "/S/C FINE=? COARSE=1970-01-01T00:00:10Z");
}

#[test]
fn a_relative_time_is_a_number_of_seconds() {
    let its_type = "<RelativeTimeParameterType name='T'><Encoding scale='0.5' offset='10'>\
                    <IntegerDataEncoding sizeInBits='8'/></Encoding></RelativeTimeParameterType>";
    let plain = its_type.replace(" scale='0.5' offset='10'", "");
    check(its_type, &[4], "12.0");
    check(&its_type.replace("scale", "units='days' scale"), &[4], "1036800.0");
    check(&plain, &[4], "4.0");
    let dictionary = one_field(0, its_type);
    let parameter = &dictionary.parameters()[0];
    assert_eq!((&parameter.kind, parameter.unit.as_deref()), (&ParameterKind::Float, Some("s")));
}

#[test]
fn a_time_that_means_nothing_is_refused() {
    let cases = [
        (
            absolute("", &integer(8), &epoch("LAUNCH")),
            "epoch \"LAUNCH\" was found; expected TAI, GPS, J2000, UNIX",
        ),
        (absolute("", &integer(8), &epoch("2010-13-01")), "epoch \"2010-13-01\" was found"),
        (absolute("units='fortnights'", &integer(8), ""), "expected seconds, picoSeconds or days"),
        (absolute("scale='INF'", &integer(8), ""), "scale or offset is infinite; expected finite numbers"),
        (absolute("scale='fast'", &integer(8), ""), "scale=\"fast\" was found; expected a number"),
        (absolute("", &integer(8), "<OffsetFrom parameterRef='Q'/>"), "parameter \"Q\" is not defined"),
        (
            absolute("", &integer(8), "<Noon/>"),
            "Noon is not supported here yet; expected Epoch or OffsetFrom",
        ),
    ];
    for (its_type, expected) in cases {
        let found = refusal(&document(&its_type, &[("P", "T")], ""));
        assert!(found.contains(expected), "{its_type}\nis refused by: {found}");
    }
}
