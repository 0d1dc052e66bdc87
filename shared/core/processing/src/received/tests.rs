use delivery::{ReadingKind, Scalar};
use mission_database::{Dictionary, MissionDatabase, VersionNumber};
use proptest::prelude::*;
use space_packet::{GenerationTime, UtcTime};

use super::*;

fn read(format: SampleFormat, body: &str) -> Result<SampleBody, BodyError> {
    read_samples(format, body.as_bytes(), SampleLimits::default(), |_| Ok(()))
}

fn record(parameter: &str, time: Option<&str>, reading: ReadingKind, value: Scalar) -> SampleRecord {
    let generation = time.map(|time| GenerationTime(UtcTime::parse(time).expect("a time").to_tai()));
    SampleRecord { parameter: parameter.to_owned(), generation, reading, value }
}

/// The only value of a body of one sample.
fn value_of(field: &str) -> Scalar {
    let body = format!("{{\"parameter\":\"p\",{field}}}");
    let read = read(SampleFormat::Json, &body).unwrap_or_else(|error| panic!("{error}: {body}"));
    assert_eq!(read.refused, [], "{body}");
    read.samples.into_iter().next().expect("one sample").value
}

/// `path cause` of each refused sample.
fn refusals(format: SampleFormat, body: &str) -> String {
    let read = read(format, body).unwrap_or_else(|error| panic!("{error:?}: {body}"));
    let shown = read.refused.iter().map(|refused| match refused.line {
        Some(line) => format!("{line}:{} {}", refused.path, refused.cause),
        None => format!("{} {}", refused.path, refused.cause),
    });
    shown.collect::<Vec<_>>().join(", ")
}

#[test]
fn one_sample_an_array_a_wrapper_and_lines_say_the_same() {
    let (first, second) = (
        r#"{"parameter":"/D/a","time":"2026-11-22T17:31:02.125Z","raw":7}"#,
        r#"{"value":"ON","parameter":"b"}"#,
    );
    let a = record("/D/a", Some("2026-11-22T17:31:02.125Z"), ReadingKind::Raw, Scalar::Unsigned(7));
    let b = record("b", None, ReadingKind::Engineering, Scalar::Text("ON".to_owned()));
    let check = |format, body: &str, expected: &[&SampleRecord]| {
        let read = read(format, body).unwrap_or_else(|error| panic!("{error}: {body}"));
        assert_eq!(
            (read.samples.iter().collect::<Vec<_>>(), read.refused_count),
            (expected.to_vec(), 0),
            "{body}"
        );
    };
    check(SampleFormat::Json, first, &[&a]);
    check(SampleFormat::Json, &format!(" [{first},\n{second}] "), &[&a, &b]);
    check(SampleFormat::Json, &format!("{{\"samples\":[{first},{second}]}}"), &[&a, &b]);
    check(SampleFormat::NdJson, &format!("\r\n{first}\r\n\n  \n{second}"), &[&a, &b]);
    check(SampleFormat::Json, "[]", &[]);
    check(SampleFormat::NdJson, "", &[]);
}

#[test]
fn values_keep_their_kind_and_integers_all_their_bits() {
    let check = |field: &str, expected: Scalar| assert_eq!(value_of(field), expected, "{field}");
    check("\"raw\":18446744073709551615", Scalar::Unsigned(u64::MAX));
    check("\"raw\":-9223372036854775808", Scalar::Signed(i64::MIN));
    check("\"raw\":18446744073709551616", Scalar::Float(18_446_744_073_709_551_616.0));
    check("\"value\":0.1", Scalar::Float(0.1));
    check("\"value\":5.0", Scalar::Float(5.0));
    check("\"value\":true", Scalar::Boolean(true));
    check("\"value\":\"a\\u00e9\"", Scalar::Text("aé".to_owned()));
    check("\"value\":{\"hex\":\"00fF\"}", Scalar::Binary(vec![0, 0xFF]));
    check("\"raw\":{\"hex\":\"\"}", Scalar::Binary(Vec::new()));
    check("\"raw\":1,\"time\":null", Scalar::Unsigned(1));
}

#[test]
fn a_sample_that_is_wrong_is_refused_by_its_place_and_the_others_are_taken() {
    let good = r#"{"parameter":"p","raw":1}"#;
    let check = |sample: &str, expected: &str| {
        let body = format!("{{\"samples\":[{good},{sample},{good}]}}");
        assert_eq!(refusals(SampleFormat::Json, &body), expected, "{sample}");
        assert_eq!(read(SampleFormat::Json, &body).expect("read above").samples.len(), 2);
    };
    check(r#"{"parameter":"p"}"#, "/samples/1 field-missing");
    check(r#"{"raw":1}"#, "/samples/1 field-missing");
    check(r#"{"parameter":"p","raw":1,"value":1}"#, "/samples/1/value value-and-raw");
    check(r#"{"parameter":"p","raw":1,"raw":2}"#, "/samples/1/raw field-repeated");
    check(r#"{"parameter":"p","raw":1,"a/b~":[{}]}"#, "/samples/1/a~1b~0 field-unknown");
    check(r#"{"parameter":"p","raw":1,"samples":[]}"#, "/samples/1/samples field-unknown");
    check(r#"{"parameter":5,"raw":1}"#, "/samples/1/parameter field-type");
    check(r#"{"parameter":"","raw":1}"#, "/samples/1/parameter name-length");
    check(r#"{"parameter":"p","raw":null}"#, "/samples/1/raw field-type");
    check(r#"{"parameter":"p","value":[1,[2]]}"#, "/samples/1/value field-type");
    check(r#"{"parameter":"p","value":{"float":"nan"}}"#, "/samples/1/value field-type");
    check(r#"{"parameter":"p","value":{"hex":"00","x":1}}"#, "/samples/1/value field-type");
    check(r#"{"parameter":"p","value":{"hex":"0"}}"#, "/samples/1/value hex-malformed");
    check(r#"{"parameter":"p","value":{"hex":"0g"}}"#, "/samples/1/value hex-malformed");
    check(r#"{"parameter":"p","value":{"hex":1}}"#, "/samples/1/value hex-malformed");
    check(r#"{"parameter":"p","raw":1,"time":"yesterday"}"#, "/samples/1/time time-malformed");
    check(r#"{"parameter":"p","raw":1,"time":"9999-01-01T00:00:00Z"}"#, "/samples/1/time time-malformed");
    check(r#"{"parameter":"p","raw":1,"time":1795368662}"#, "/samples/1/time field-type");
    for other in ["1", "-1", "0.5", "true", "null", "\"p\"", "[1,[]]"] {
        check(other, "/samples/1 json-shape");
    }
}

#[test]
fn the_path_begins_where_the_sample_stands() {
    let bad = r#"{"parameter":"p","raw":null}"#;
    assert_eq!(refusals(SampleFormat::Json, bad), "/raw field-type");
    assert_eq!(refusals(SampleFormat::Json, &format!("[{bad}]")), "/0/raw field-type");
    let lines = format!("\n{bad}\n{{\"parameter\":\"p\",\"raw\":1}}\n{bad}");
    assert_eq!(refusals(SampleFormat::NdJson, &lines), "2:/raw field-type, 4:/raw field-type");
}

#[test]
fn a_line_that_is_no_json_is_refused_by_itself() {
    let body =
        "{\"parameter\":\"p\",\"raw\":1}\n{\"parameter\":\"p\",\n{} {}\nNaN\n{\"parameter\":\"p\",\"raw\":2}";
    let read = read(SampleFormat::NdJson, body).expect("lines stand by themselves");
    assert_eq!(read.samples.len(), 2);
    assert_eq!(refusals(SampleFormat::NdJson, body), "2: json-syntax, 3: json-syntax, 4: json-syntax");
    assert_eq!(read.refused[1].message, "trailing characters, at column 4: {} {}");
    assert_eq!(read.refused.iter().map(|refused| refused.index).collect::<Vec<_>>(), [1, 2, 3]);
}

#[test]
fn a_body_that_is_no_json_is_refused_with_the_place_and_what_stands_there() {
    let check = |body: &str, cause: SampleCause, place: (usize, usize), excerpt: &str| {
        let error = read(SampleFormat::Json, body).expect_err(body);
        assert_eq!((error.cause, (error.line, error.column)), (cause, place), "{error} {body}");
        assert_eq!(error.excerpt, excerpt, "{error}");
    };
    use SampleCause::{JsonShape, JsonSyntax};
    check("", JsonSyntax, (1, 0), "");
    check("[\n{\"parameter\": p}]", JsonSyntax, (2, 15), "[ {\"parameter\": p}]");
    check("{\"parameter\":\"p\",\"raw\":NaN}", JsonSyntax, (1, 24), "{\"parameter\":\"p\",\"raw\":NaN}");
    check("{\"parameter\":\"p\",\"raw\":1}\n{}", JsonSyntax, (2, 1), "arameter\":\"p\",\"raw\":1} {}");
    check("[{}", JsonSyntax, (1, 3), "[{}");
    check("5", JsonShape, (1, 0), "5");
    check("{\"samples\":5}", JsonShape, (1, 12), "{\"samples\":5}");
    check("{\"samples\":[],\"x\":1}", JsonShape, (1, 20), "{\"samples\":[],\"x\":1}");
    check("{\"samples\":[],\"samples\":[]}", JsonShape, (1, 23), "{\"samples\":[],\"samples\":[]}");
    let deep = "[".repeat(100_000);
    assert_eq!(read(SampleFormat::Json, &deep).expect_err("too deep").cause, JsonSyntax);
}

#[test]
fn bounds_hold_for_samples_names_texts_and_the_list_of_refusals() {
    let limits = SampleLimits { samples_max: 3, refused_listed_max: 1, text_bytes_max: 4, name_bytes_max: 2 };
    let read = |format, body: &str| read_samples(format, body.as_bytes(), limits, |_| Ok(()));
    let one = r#"{"parameter":"p","raw":1}"#;
    for (format, body) in [
        (SampleFormat::Json, format!("[{}]", [one; 4].join(","))),
        (SampleFormat::NdJson, [one; 4].join("\n")),
    ] {
        let error = read(format, &body).expect_err("four");
        assert_eq!(error.cause, SampleCause::TooManySamples);
        assert_eq!(error.message, "the body holds more than 3 samples");
    }
    let long = r#"[{"parameter":"pqr","raw":1},{"parameter":"p","raw":"12345"},{"parameter":"p","raw":{"hex":"0011223344"}}]"#;
    let body = read(SampleFormat::Json, long).expect("three");
    assert_eq!((body.refused_count, body.refused.len()), (3, 1));
    assert_eq!(body.refused[0].message, "the name has 3 bytes; expected 1 to 2");
    let fits = r#"[{"parameter":"pq","raw":"1234"},{"parameter":"p","raw":{"hex":"00112233"}}]"#;
    assert_eq!(read(SampleFormat::Json, fits).expect("two").samples.len(), 2);
}

#[test]
fn every_cause_has_a_code_of_its_own() {
    let codes: std::collections::BTreeSet<_> = SampleCause::ALL.iter().map(|cause| cause.code()).collect();
    assert_eq!(codes.len(), SampleCause::ALL.len());
}

const DEMO: &str = r#"
<SpaceSystem name="Demo"><TelemetryMetaData>
  <ParameterTypeSet><IntegerParameterType name="U8"><IntegerDataEncoding sizeInBits="8"/></IntegerParameterType>
    <FloatParameterType name="Volts"><IntegerDataEncoding sizeInBits="8"><DefaultCalibrator><PolynomialCalibrator>
      <Term coefficient="0.5" exponent="1"/></PolynomialCalibrator></DefaultCalibrator></IntegerDataEncoding>
      </FloatParameterType></ParameterTypeSet>
  <ParameterSet><Parameter name="count" parameterTypeRef="U8"/></ParameterSet></TelemetryMetaData>
  <SpaceSystem name="Power"><TelemetryMetaData><ParameterSet>
    <Parameter name="volts" parameterTypeRef="Volts"/><Parameter name="count" parameterTypeRef="U8"/>
  </ParameterSet></TelemetryMetaData></SpaceSystem>
</SpaceSystem>"#;

#[test]
fn a_door_that_knows_the_dictionary_says_what_was_probably_meant() {
    let dictionary = Dictionary::from_xtce("demo.xml", DEMO).unwrap_or_else(|error| panic!("{error}"));
    let database = MissionDatabase::new(VersionNumber(1), dictionary);
    let check = |parameter: &str, reading, value: Scalar, expected: Result<(), (&str, &str)>| {
        let found = check_against(&database, &record(parameter, None, reading, value));
        let shown = found.as_ref().map_err(|problem| (problem.cause.code(), problem.message.as_str()));
        assert_eq!(shown.copied(), expected, "{parameter}");
    };
    use ReadingKind::{Engineering, Raw};
    let one = || Scalar::Unsigned(1);
    check("/Demo/Power/volts", Raw, one(), Ok(()));
    check("volts", Raw, one(), Ok(()));
    check("/Demo/count", Engineering, one(), Ok(()));
    let unknown = |message| Err(("parameter-unknown", message));
    let volts = "no parameter is called \"/Demo/Power/voltz\"; did you mean /Demo/Power/volts?";
    check("/Demo/Power/voltz", Raw, one(), unknown(volts));
    let volts = "no parameter is called \"/Demo/volts\"; did you mean /Demo/Power/volts?";
    check("/Demo/volts", Raw, one(), unknown(volts));
    check("VOLTS", Raw, one(), unknown("no parameter is called \"VOLTS\"; did you mean /Demo/Power/volts?"));
    check("humidity", Raw, one(), unknown("no parameter is called \"humidity\""));
    let both = "several parameters are called count: send a full name, like /Demo/count or /Demo/Power/count";
    check("count", Raw, one(), Err(("parameter-ambiguous", both)));
    check("volts", Engineering, one(), Err(("value-unfit", "/Demo/Power/volts is calibrated: send raw")));
    let large = "/Demo/count has 8 bits, for 0 to 255; 256 was sent";
    check("/Demo/count", Raw, Scalar::Unsigned(256), Err(("value-unfit", large)));
}

#[test]
fn what_the_check_says_is_refused_at_the_field_it_names() {
    let dictionary = Dictionary::from_xtce("demo.xml", DEMO).unwrap_or_else(|error| panic!("{error}"));
    let database = MissionDatabase::new(VersionNumber(1), dictionary);
    let body =
        br#"[{"parameter":"volts","raw":1},{"parameter":"volts","value":1},{"parameter":"amps","raw":1}]"#;
    let check = |sample: &SampleRecord| check_against(&database, sample);
    let read = read_samples(SampleFormat::Json, body, SampleLimits::default(), check).expect("JSON");
    let paths: Vec<_> = read.refused.iter().map(|refused| refused.path.as_str()).collect();
    assert_eq!((read.samples.len(), paths), (1, vec!["/1/value", "/2/parameter"]));
}

fn written(sample: &SampleRecord) -> String {
    let value = match &sample.value {
        Scalar::Binary(bytes) => {
            let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            serde_json::json!({ "hex": digits })
        }
        Scalar::Boolean(value) => (*value).into(),
        Scalar::Float(number) => (*number).into(),
        Scalar::Signed(number) => (*number).into(),
        Scalar::Text(text) => text.as_str().into(),
        Scalar::Unsigned(number) => (*number).into(),
    };
    let reading = if sample.reading == ReadingKind::Raw { "raw" } else { "value" };
    let mut object = serde_json::json!({ "parameter": sample.parameter, reading: value });
    if let Some(generation) = sample.generation {
        object["time"] = generation.0.to_string().into();
    }
    object.to_string()
}

fn samples() -> impl Strategy<Value = Vec<SampleRecord>> {
    let scalar = prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..9).prop_map(Scalar::Binary),
        any::<bool>().prop_map(Scalar::Boolean),
        (i64::MIN..0).prop_map(Scalar::Signed),
        ".{0,20}".prop_map(Scalar::Text),
        any::<u64>().prop_map(Scalar::Unsigned),
        (-1e300..1e300_f64).prop_map(|number| Scalar::Float(number + 0.5)),
    ];
    let times = proptest::option::of(-9_000_000_000_000_000_000..9_000_000_000_000_000_000_i64);
    let sample =
        ("[ -~]{1,30}", times, any::<bool>(), scalar).prop_map(|(parameter, time, is_raw, value)| {
            let reading = if is_raw { ReadingKind::Raw } else { ReadingKind::Engineering };
            let generation = time.map(|time| GenerationTime(space_packet::TaiTime(time)));
            SampleRecord { parameter, generation, reading, value }
        });
    proptest::collection::vec(sample, 0..5)
}

proptest! {
    #[test]
    fn what_was_written_is_read_in_every_form(samples in samples()) {
        let each: Vec<_> = samples.iter().map(written).collect();
        let array = format!("[{}]", each.join(","));
        let wrapper = format!("{{\"samples\":{array}}}");
        let forms =
            [(SampleFormat::Json, array), (SampleFormat::Json, wrapper), (SampleFormat::NdJson, each.join("\n"))];
        for (format, body) in forms {
            let read = read(format, &body).expect("well formed");
            prop_assert_eq!(read.refused, vec![]);
            let near = |a: &Scalar, b: &Scalar| match (a, b) {
                // The workspace's JSON reader is fast, and may be one digit of the last place off.
                (Scalar::Float(a), Scalar::Float(b)) => (a - b).abs() <= a.abs() * 4.0 * f64::EPSILON,
                (a, b) => a == b,
            };
            prop_assert_eq!(read.samples.len(), samples.len());
            for (found, sent) in read.samples.iter().zip(&samples) {
                prop_assert!(near(&found.value, &sent.value), "{found:?} {sent:?}");
                let others = |sample: &SampleRecord| (sample.parameter.clone(), sample.generation, sample.reading);
                prop_assert_eq!(others(found), others(sent));
            }
        }
    }

    #[test]
    fn whatever_the_bytes_nothing_panics(bytes in any::<Vec<u8>>()) {
        let _ = read_samples(SampleFormat::Json, &bytes, SampleLimits::default(), |_| Ok(()));
        let _ = read_samples(SampleFormat::NdJson, &bytes, SampleLimits::default(), |_| Ok(()));
    }

    #[test]
    fn whatever_the_json_every_sample_is_taken_or_refused(text in r#"[\[\]{}",:a0.\n -]{0,40}|(\{"(raw|parameter|x)":("p"|1|\{\})?,?\},?){0,4}"#) {
        for format in [SampleFormat::Json, SampleFormat::NdJson] {
            if let Ok(body) = read(format, &text) {
                prop_assert_eq!(body.refused.len(), body.refused_count);
            }
        }
    }
}
