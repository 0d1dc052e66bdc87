use proptest::prelude::*;
use space_packet::UtcTime;

use super::*;

const NAMED: &str = "VANGUARD 1\n\
    1 00005U 58002B   00179.78495062  .00000023  00000-0  28098-4 0  4753\n\
    2 00005  34.2682 348.7242 1859667 331.7664  19.3264 10.82419157413667\n";

const MESSAGE: &str = r#"{
  "OBJECT_NAME": "VANGUARD 1",
  "OBJECT_ID": "1958-002B",
  "EPOCH": "2000-06-27T18:50:19.733568",
  "MEAN_MOTION": 10.82419157,
  "ECCENTRICITY": 0.1859667,
  "INCLINATION": 34.2682,
  "RA_OF_ASC_NODE": 348.7242,
  "ARG_OF_PERICENTER": 331.7664,
  "MEAN_ANOMALY": 19.3264,
  "EPHEMERIS_TYPE": 0,
  "CLASSIFICATION_TYPE": "U",
  "NORAD_CAT_ID": 5,
  "ELEMENT_SET_NO": 475,
  "REV_AT_EPOCH": 41366,
  "BSTAR": 2.8098e-5,
  "MEAN_MOTION_DOT": 2.3e-7,
  "MEAN_MOTION_DDOT": 0
}"#;

fn one(text: &str) -> ElementSet {
    let mut sets = ElementSet::parse(text).expect("they can be read");
    assert_eq!(sets.len(), 1);
    sets.remove(0)
}

fn problem(text: &str) -> UnreadableElements {
    ElementSet::parse(text).expect_err(text)
}

#[test]
fn two_lines_are_read_with_and_without_a_name() {
    let set = one(NAMED);
    assert_eq!(set.name.as_deref(), Some("VANGUARD 1"));
    assert_eq!((set.catalog_number, set.designator.as_deref()), (5, Some("1958-002B")));
    let epoch = UtcTime::parse("2000-06-27T18:50:19.733568Z").expect("a time").to_tai();
    assert!((set.epoch.0 - epoch.0).abs() < 1_000, "{}", set.epoch);
    assert_eq!((set.format, set.text.as_str()), (Format::Tle, NAMED.trim_end()));
    let (_, lines) = NAMED.split_once('\n').expect("three lines");
    let nameless = one(lines);
    assert_eq!((nameless.name, nameless.epoch), (None, set.epoch));
    assert_eq!(one(&format!("0 {NAMED}")).name.as_deref(), Some("VANGUARD 1"));
    // As Windows writes lines, with blanks behind and empty lines between.
    let windows = NAMED.replace('\n', "  \r\n\r\n");
    assert_eq!(one(&windows).text, set.text);
    assert_eq!(ElementSet::parse(&format!("{NAMED}{lines}{NAMED}")).expect("they can be read").len(), 3);
}

#[test]
fn a_message_says_the_same_as_two_lines() {
    let (message, lines) = (one(MESSAGE), one(NAMED));
    assert_eq!(message.format, Format::Omm);
    assert_eq!(message.text, MESSAGE);
    assert_eq!(
        (&message.name, message.catalog_number, &message.designator),
        (&lines.name, lines.catalog_number, &lines.designator)
    );
    assert!((message.epoch.0 - lines.epoch.0).abs() < 1_000);
    let list = format!("[{MESSAGE},\n {MESSAGE}]");
    let sets = ElementSet::parse(&list).expect("they can be read");
    assert!(sets.len() == 2 && sets.iter().all(|set| *set == message));
    // Space-Track writes numbers as text and says more of the message.
    let quoted = MESSAGE
        .replace("10.82419157", "\"10.82419157\"")
        .replace("\"OBJECT_ID\"", "\"CENTER_NAME\":\"EARTH\",\"MEAN_ELEMENT_THEORY\":\"SGP4\",\"OBJECT_ID\"");
    assert_eq!(one(&quoted).epoch, message.epoch);
}

#[test]
fn what_is_wrong_is_told_by_its_line_and_column() {
    let check = |text: &str, line: usize, column: usize, why: &str| {
        let problem = problem(text);
        assert_eq!((problem.line, problem.column), (line, column), "{problem}");
        assert!(problem.why.contains(why), "{problem}");
    };
    check(" \n", 1, 1, "the text is empty");
    check("[]", 1, 1, "the list is empty");
    check("VANGUARD 1", 1, 1, "expected line 1");
    check("VANGUARD 1\nVANGUARD 2\n", 2, 1, "expected line 1");
    check(&NAMED[..81], 3, 1, "expected line 2");
    check(&NAMED[81..], 1, 1, "without its line 1");
    check(&NAMED.replace("10.82419157413667", "10.82419157413668"), 3, 69, "the checksum is 7");
    check(&NAMED.replace("348.7242", "348,7242"), 3, 18, "\"348,7242\" is not the right ascension");
    check(&NAMED.replace("2 00005 ", "2 00006 "), 3, 69, "checksum");
    check(&NAMED.replace("2 00005  34.2682", "2 00006  33.2682"), 3, 3, "not that of line 1");
    check(&NAMED.replace("28098-4 0", "28098-4  0"), 2, 70, "70 columns");
    check(&NAMED.replace("  4753\n", "\n"), 2, 64, "63 columns");
    check(&NAMED.replace("VANGUARD 1", "VANGUARD\0 1"), 1, 9, "a control character");
    check(&NAMED.replace("58002B", "58002\u{e9}"), 2, 15, "a character");
    check("{\n \"OBJECT_NAME\": 7\n}", 2, 17, "invalid type");
    check("{", 1, 1, "EOF");
    check(&MESSAGE.replace("10.82419157", "\"fast\""), 5, 23, "invalid float");
    check(&format!("[{MESSAGE},\n  {}]", MESSAGE.replace("34.2682", "nan")), 26, 19, "expected ident");
    check(
        &format!("[{MESSAGE},\n  {}]", MESSAGE.replace("10.82419157", "\"fast\"")),
        24,
        23,
        "invalid float",
    );
    let line = MESSAGE.replace('\n', "");
    check(&format!("[{line}, {{\"OBJECT_NAME\": 7}}]"), 1, line.len() + 20, "invalid type");
    check(&MESSAGE.replace("34.2682", "\"NaN\""), 1, 1, "the inclination is NaN");
    check(&MESSAGE.replace("10.82419157", "1e300"), 1, 1, "the mean motion");
    check(&MESSAGE.replace("0.1859667", "1.5"), 1, 1, "the eccentricity is 1.5");
    check(&MESSAGE.replace("\"VANGUARD 1\"", &format!("{:?}", "v".repeat(101))), 1, 1, "the name is longer");
    let elsewhere = MESSAGE.replace("\"OBJECT_ID\"", "\"CENTER_NAME\":\"MARS\",\"OBJECT_ID\"");
    check(&elsewhere, 1, 1, "CENTER_NAME is \"MARS\"");
    check(&NAMED.repeat(1_001), 1, 1, "1001 sets");
}

proptest! {
    #[test]
    fn whatever_somebody_sends_is_refused_and_never_breaks(text in "(?s)([12] )?.{0,80}(\n[12] .{60,70})?") {
        let _ = ElementSet::parse(&text);
    }

    #[test]
    fn a_changed_digit_is_noticed(place in 0usize..138, by in 1u8..10) {
        let (_, lines) = NAMED.trim_end().split_once('\n').expect("three lines");
        let mut bytes = lines.as_bytes().to_vec();
        let place = place + usize::from(place >= 69);
        prop_assume!(bytes[place].is_ascii_digit());
        bytes[place] = b'0' + (bytes[place] - b'0' + by) % 10;
        let text = String::from_utf8(bytes).expect("ASCII");
        prop_assert!(ElementSet::parse(&text).is_err(), "{text}");
    }
}
