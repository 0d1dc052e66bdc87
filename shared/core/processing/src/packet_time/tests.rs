use space_packet::{Apid, SequenceCount, build_packet};

use super::*;

fn configured(text: &str) -> Result<PacketTime, toml::de::Error> {
    toml::from_str(text)
}

/// The generation time of a packet with these bytes behind its primary header.
fn read(config: &str, data: &[u8]) -> Option<String> {
    let apid = Apid::try_from(5).expect("in range");
    let packet = build_packet(apid, SequenceCount::default(), true, data).expect("fits");
    let header = PrimaryHeader::parse(&packet).expect("a packet");
    let time = configured(config).unwrap_or_else(|error| panic!("{config}: {error}"));
    time.read(&header, &packet).map(|time| time.0.to_string())
}

fn check(config: &str, data: &[u8], expected: Option<&str>) {
    assert_eq!(read(config, data).as_deref(), expected, "{config} {data:02x?}");
}

#[test]
fn a_cds_time_is_read_as_configured_or_as_its_p_field_says() {
    let cds = "code = \"cds\"\noffset_bytes = 6";
    check(cds, &[0, 1, 0, 0, 0, 5], Some("1958-01-02T00:00:00.005Z"));
    let with = |more: &str| format!("{cds}\n{more}");
    check(&with("day_bits = 24"), &[0, 0, 1, 0, 0, 0, 5], Some("1958-01-02T00:00:00.005Z"));
    let epoch = with("epoch = \"2000-01-01T00:00:00Z\"");
    check(&epoch, &[0, 1, 0, 0, 0, 5], Some("2000-01-02T00:00:00.005Z"));
    let p_field = format!("{epoch}\np_field = true");
    check(&p_field, &[0x48, 0, 1, 0, 0, 0, 5], Some("2000-01-02T00:00:00.005Z"));
    check(&p_field, &[0x41, 0, 1, 0, 0, 0, 5, 0, 7], Some("1958-01-02T00:00:00.005007Z"));
    check(&p_field, &[0x1C, 0, 0, 0, 11], None);
    check(&p_field, &[0x48, 0, 1], None);
}

#[test]
fn a_cuc_time_is_read_as_configured_or_as_its_p_field_says() {
    let cuc = "code = \"cuc\"\noffset_bytes = 7\ncoarse_bytes = 4\nfine_bytes = 2";
    check(cuc, &[9, 0, 0, 0, 11, 0x80, 0], Some("1958-01-01T00:00:01.500Z"));
    check(&format!("{cuc}\nepoch = \"1958-TAI\""), &[9, 0, 0, 0, 11, 0, 0], Some("1958-01-01T00:00:01Z"));
    let epoch = "epoch = \"2000-01-01T00:00:00Z\"";
    check(&format!("{cuc}\n{epoch}"), &[9, 0, 0, 0, 11, 0, 0], Some("2000-01-01T00:00:11Z"));
    let p_field = format!("code = \"cuc\"\noffset_bytes = 6\np_field = true\n{epoch}");
    check(&p_field, &[0x2C, 0, 0, 0, 11], Some("2000-01-01T00:00:11Z"));
    check(&p_field, &[0x1C, 0, 0, 0, 11], Some("1958-01-01T00:00:01Z"));
    check(&p_field, &[0x40, 0, 1, 0, 0, 0, 5], None);
    check(cuc, &[9, 0, 0], None);
}

#[test]
fn a_clock_is_read_by_its_reference_points_and_left_aside_where_it_is_implausible() {
    let clock = "code = \"clock\"\noffset_bytes = 6\ncoarse_bytes = 4\nfine_bytes = 2";
    let one = "reference = [{ raw_seconds = 100, utc = \"2010-01-01T00:00:00Z\" }]";
    check(&format!("{clock}\n{one}"), &[0, 0, 0, 101, 0x80, 0], Some("2010-01-01T00:00:01.500Z"));
    let rate = format!("{clock}\nfine_ticks_per_second = 50_000\n{one}");
    check(&rate, &[0, 0, 0, 101, 0, 50], Some("2010-01-01T00:00:01.001Z"));
    check(&rate, &[0, 0, 0, 101, 0xFF, 0xFF], None);
    let two = "reference = [{ raw_seconds = 100.5, utc = \"2010-01-01T00:00:00Z\" }, \
               { raw_seconds = 200.5, utc = \"2010-01-01T00:01:50Z\" }]";
    check(&format!("{clock}\n{two}"), &[0, 0, 0, 150, 0x80, 0], Some("2010-01-01T00:00:55Z"));
    let window = "plausible_from = \"2010-01-01T00:00:00Z\"\nplausible_until = \"2011-01-01T00:00:00Z\"";
    let window = format!("{clock}\n{window}\n{one}");
    check(&window, &[0, 0, 0, 101, 0, 0], Some("2010-01-01T00:00:01Z"));
    check(&window, &[0, 0, 0, 99, 0, 0], None);
    check(&window, &[0xFF, 0, 0, 0, 0, 0], None);
}

#[test]
fn what_a_clock_said_stays_beside_its_time() {
    let config = "code = \"clock\"\noffset_bytes = 0\ncoarse_bytes = 2\n\
                  reference = [{ raw_seconds = 0, utc = \"2010-01-01T00:00:00Z\" }]";
    let Ok(PacketTime::Clock(clock)) = configured(config) else { panic!("a clock") };
    assert_eq!(clock.read(&[1, 2]).map(|read| read.ticks), Some(258));
    assert_eq!(clock.read(&[1]), None);
}

#[test]
fn without_a_secondary_header_there_is_no_time() {
    let packet = [0, 5, 0xC0, 0, 0, 5, 0, 1, 0, 0, 0, 5];
    let header = PrimaryHeader::parse(&packet).expect("a packet");
    let time = configured("code = \"cds\"\noffset_bytes = 6").expect("a time");
    assert_eq!(time.read(&header, &packet), None);
}

#[test]
fn what_cannot_be_read_is_refused_with_its_reason() {
    let check = |config: &str, expected: &str| {
        let error = configured(config).expect_err(config).to_string();
        assert!(error.contains(expected), "{config}: {error}");
    };
    let cuc = "code = \"cuc\"\noffset_bytes = 6";
    check(cuc, "coarse_bytes is missing");
    check(&format!("{cuc}\ncoarse_bytes = 8"), "8 bytes of seconds");
    check(&format!("{cuc}\np_field = true\nfine_bytes = 2"), "do not go with p_field");
    check(&format!("{cuc}\ncoarse_bytes = 4\nepoch = \"1970\""), "or 1958-TAI");
    check(&format!("{cuc}\ncoarse_bytes = 4\nday_bits = 16"), "unknown field `day_bits`");
    check("code = \"cds\"\noffset_bytes = 6\nepoch = \"2000-01-01T12:00:00Z\"", "not midnight");
    check("code = \"cds\"\noffset_bytes = 6\ncoarse_bytes = 4", "unknown field `coarse_bytes`");
    let clock = "code = \"clock\"\noffset_bytes = 6\ncoarse_bytes = 4";
    check(clock, "missing field `reference`");
    check(&format!("{clock}\nreference = []"), "at least one reference point");
    let early = "reference = [{ raw_seconds = -1.5, utc = \"2010-01-01T00:00:00Z\" }]";
    check(&format!("{clock}\n{early}"), "raw_seconds = -1.5");
    check(&format!("{clock}\nreference = [{{ raw_seconds = 1, utc = \"2010\" }}]"), "RFC 3339");
}
