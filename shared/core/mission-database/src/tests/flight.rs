//! Packets that flew, compared with what the reference decoder made of them; they lie outside the repository.

use std::io::Read;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use crate::{DecodedPacket, DecodedValue, Dictionary, EngineeringValue, ParameterKind, RawValue};

/// `$STO_SHARED_DATA/ccsds`, or `shared/data/ccsds` beside any folder above this crate.
fn shared_cases() -> Option<PathBuf> {
    if let Some(shared) = std::env::var_os("STO_SHARED_DATA") {
        let cases = Path::new(&shared).join("ccsds");
        return cases.is_dir().then_some(cases);
    }
    let above = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    above.map(|folder| folder.join("shared/data/ccsds")).find(|cases| cases.is_dir())
}

/// Decodes every packet of a case and compares every value, returning how many packets there were.
fn check(case: &Path) -> usize {
    let read = |name: &str| std::fs::read(case.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
    let case: Value = serde_json::from_slice(&read("case.json")).expect("case.json is JSON");
    let file = |key: &str| case[key].as_str().unwrap_or_else(|| panic!("case.json names its {key}"));
    let xml = String::from_utf8(read(file("xtce"))).expect("XTCE is UTF-8");
    let dictionary = Dictionary::from_xtce(file("xtce"), &xml).unwrap_or_else(|error| panic!("{error}"));
    let packets = read(file("packets"));
    let mut expected = String::new();
    let stored = read(file("expected"));
    match file("expected").ends_with(".gz") {
        true => flate2::read::GzDecoder::new(&*stored).read_to_string(&mut expected).expect("it is gzip"),
        false => stored.as_slice().read_to_string(&mut expected).expect("it is UTF-8"),
    };
    let mut decoded = DecodedPacket::default();
    for line in expected.lines() {
        let expected: Map<String, Value> = serde_json::from_str(line).expect("a line is JSON");
        let number = |key: &str| expected[key].as_u64().expect("it is a count") as usize;
        let packet = &packets[number("off")..number("off") + number("len")];
        dictionary.decode(packet, &mut decoded).unwrap_or_else(|error| panic!("{line}: {error}"));
        compare(&dictionary, &decoded, &expected, case["names"] == "fully qualified");
    }
    expected.lines().count()
}

fn compare(
    dictionary: &Dictionary,
    decoded: &DecodedPacket<'_>,
    expected: &Map<String, Value>,
    is_qualified: bool,
) {
    let container = decoded.container.map(|index| dictionary.container(index).name.as_str());
    assert_eq!(container, expected["container"].as_str());
    assert_eq!(json!(decoded.unresolved), expected.get("unresolved").cloned().unwrap_or(json!(false)));
    if let Some(bits) = expected.get("bits") {
        assert_eq!(json!(decoded.bits), *bits);
    }
    let engineering = expected["eng"].as_object().expect("eng is an object");
    let no_raw = Map::new();
    let raw = expected.get("raw").and_then(Value::as_object).unwrap_or(&no_raw);
    let count: usize = engineering.values().map(|value| value.as_array().map_or(1, Vec::len)).sum();
    assert_eq!(decoded.values.len(), count);
    let mut occurrences = std::collections::HashMap::new();
    for value in &decoded.values {
        let parameter = dictionary.parameter(value.parameter);
        let name = if is_qualified { &parameter.name } else { &parameter.short_name };
        let occurrence: &mut usize = occurrences.entry(value.parameter).or_default();
        let nth = |value: &Value| value.get(*occurrence).unwrap_or(value).clone();
        let expected = nth(&engineering[name]);
        assert_same(name, &engineering_json(dictionary, value), &expected);
        assert_same(name, &raw_json(&value.raw), &raw.get(name).map_or(expected, nth));
        *occurrence += 1;
    }
}

fn engineering_json(dictionary: &Dictionary, value: &DecodedValue<'_>) -> Value {
    match (&value.engineering, &dictionary.parameter(value.parameter).kind) {
        (EngineeringValue::Binary(bytes), _) => hex(bytes),
        (EngineeringValue::Boolean(value), _) => json!(value),
        (EngineeringValue::Float(value), _) => float(*value),
        (EngineeringValue::Label(label), ParameterKind::Enumeration(labels)) => {
            json!(labels[*label as usize].label)
        }
        (EngineeringValue::Label(_) | EngineeringValue::None, _) => Value::Null,
        (EngineeringValue::Signed(value), _) => json!(value),
        (EngineeringValue::Text(text), _) => json!(text),
        (EngineeringValue::Unsigned(value), _) => json!(value),
    }
}

fn raw_json(value: &RawValue<'_>) -> Value {
    match value {
        RawValue::Binary(bytes) => hex(bytes),
        RawValue::Float(value) => float(*value),
        RawValue::Signed(value) => json!(value),
        RawValue::Text(text) => json!(text),
        RawValue::Unsigned(value) => json!(value),
    }
}

fn float(value: f64) -> Value {
    let word = match value {
        _ if value.is_nan() => "NaN",
        f64::INFINITY => "Infinity",
        f64::NEG_INFINITY => "-Infinity",
        _ => return json!(value),
    };
    json!(word)
}

fn hex(bytes: &[u8]) -> Value {
    let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    json!(format!("hex:{digits}"))
}

/// Integers compare exactly, floats to 1e-9 relative.
fn assert_same(name: &str, found: &Value, expected: &Value) {
    if found == expected {
        return;
    }
    let is_whole = |value: &Value| value.is_i64() || value.is_u64();
    let (Some(a), Some(b)) = (found.as_f64(), expected.as_f64()) else {
        panic!("{name}: {found} instead of {expected}");
    };
    let is_same = (a - b).abs() <= 1e-9 * b.abs() && !(is_whole(found) && is_whole(expected));
    assert!(is_same, "{name}: {found} instead of {expected}");
}

#[test]
fn flight_packets_decode_as_the_reference_decoder_has_them() {
    let Some(cases) = shared_cases() else {
        println!("skipped: no shared/data/ccsds above this crate, and STO_SHARED_DATA does not point to it");
        return;
    };
    let packets = check(&cases.join("jpss1-geolocation"));
    assert_eq!(packets, 7_200);
    // What else the decoder knows enough for; a case that needs more is refused when it loads.
    for case in ["imap-codice-nhk", "imap-mag", "imap-swe", "suda-science", "hs-apid130", "hs-apid895"] {
        assert!(check(&cases.join(case)) > 0, "{case}");
    }
    for case in ["synth-ints", "synth-binary", "synth-byteorder", "synth-enum-bool", "synth-nested-systems"] {
        assert!(check(&cases.join(case)) > 0, "{case}");
    }
}
