use mission_database::{Dictionary, MonitoringResult, ParameterIndex, Validity, VersionNumber};
use parquet::file::metadata::RowGroupMetaData;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::RowAccessor;
use processing::{Converted, Raw};
use space_packet::{GenerationTime, ReceptionTime, UtcTime};

use super::*;

const XTCE: &str = r#"<SpaceSystem name="S"><TelemetryMetaData><ParameterTypeSet>
    <IntegerParameterType name="N"><IntegerDataEncoding sizeInBits="64"/></IntegerParameterType>
    <BooleanParameterType name="B"><IntegerDataEncoding sizeInBits="8"/></BooleanParameterType>
    <EnumeratedParameterType name="E"><IntegerDataEncoding sizeInBits="8"/><EnumerationList>
      <Enumeration value="1" label="ON, or so"/></EnumerationList></EnumeratedParameterType>
    </ParameterTypeSet><ParameterSet><Parameter name="number" parameterTypeRef="N"/>
    <Parameter name="switch" parameterTypeRef="B"/><Parameter name="mode" parameterTypeRef="E"/></ParameterSet>
    <ContainerSet><SequenceContainer name="C"><EntryList>
    <ParameterRefEntry parameterRef="number"/><ParameterRefEntry parameterRef="switch"/>
    <ParameterRefEntry parameterRef="mode"/></EntryList></SequenceContainer></ContainerSet>
    </TelemetryMetaData></SpaceSystem>"#;

fn database() -> MissionDatabase {
    MissionDatabase::new(VersionNumber(1), Dictionary::from_xtce("s.xml", XTCE).expect("loads"))
}

fn sample(parameter: u32, at: &str, raw: Raw) -> Sample {
    let time = UtcTime::parse(at).expect("a time").to_tai();
    Sample {
        parameter: ParameterIndex(parameter),
        generation: GenerationTime(time),
        reception: ReceptionTime(time),
        raw,
        converted: None,
        validity: Validity::Valid,
        monitoring: MonitoringResult::Normal,
        version: VersionNumber(1),
        provenance: processing::Provenance::Live,
    }
}

const NOON: &str = "2026-11-22T12:00:00Z";

/// One of each kind of value, the last during a leap second.
fn samples() -> Vec<Sample> {
    let no_number = Sample {
        converted: Some(Converted::Number(f64::NAN)),
        validity: Validity::OutsideCalibration,
        monitoring: MonitoringResult::NotMonitored,
        ..sample(0, NOON, Raw::Float(0.1))
    };
    let label = Sample { validity: Validity::UnknownLabel, ..sample(2, NOON, Raw::Unsigned(9)) };
    vec![
        sample(0, NOON, Raw::Signed(-5)),
        sample(0, NOON, Raw::Unsigned(u64::MAX)),
        sample(0, NOON, Raw::Float(f64::NEG_INFINITY)),
        sample(0, NOON, Raw::Float(1e300)),
        no_number,
        sample(0, NOON, Raw::Text("a \"b\"\nc".into())),
        sample(0, NOON, Raw::Binary([0xAB, 1].as_slice().into())),
        sample(1, NOON, Raw::Unsigned(1)),
        sample(2, NOON, Raw::Unsigned(1)),
        label,
        sample(0, "2016-12-31T23:59:60.5Z", Raw::Unsigned(7)),
    ]
}

fn file(format: Format, samples: &[Sample]) -> Vec<u8> {
    let (database, mut encoder) = (database(), Encoder::new(format).expect("begins"));
    let mut bytes = Vec::new();
    for sample in samples {
        encoder.push(&Row { database: &database, sample, node: "gs-1" }).expect("encodes");
        bytes.extend(encoder.take().expect("gives up what is finished"));
    }
    bytes.extend(encoder.finish().expect("ends"));
    bytes
}

#[test]
fn a_table_has_a_head_and_a_row_for_each_sample() {
    let text = String::from_utf8(file(Format::Csv, &samples())).expect("text");
    let rest = "valid,normal,gs-1,1,live";
    let at = "2026-11-22T12:00:00Z,2026-11-22T12:00:00Z";
    assert_eq!(
        text,
        format!(
            "generation_time,reception_time,parameter,raw,engineering,validity,monitoring,node,dictionary_version,provenance\n\
             {at},/S/number,-5,-5,{rest}\n\
             {at},/S/number,18446744073709551615,18446744073709551615,{rest}\n\
             {at},/S/number,-Infinity,-Infinity,{rest}\n\
             {at},/S/number,1e300,1e300,{rest}\n\
             {at},/S/number,0.1,,outside-calibration,not-monitored,gs-1,1,live\n\
             {at},/S/number,\"a \"\"b\"\"\nc\",\"a \"\"b\"\"\nc\",{rest}\n\
             {at},/S/number,hex:ab01,,{rest}\n\
             {at},/S/switch,1,true,{rest}\n\
             {at},/S/mode,1,\"ON, or so\",{rest}\n\
             {at},/S/mode,9,,unknown-label,normal,gs-1,1,live\n\
             2016-12-31T23:59:60.500Z,2016-12-31T23:59:60.500Z,/S/number,7,7,{rest}\n"
        )
    );
    assert_eq!(file(Format::Csv, &[]).iter().filter(|byte| **byte == b'\n').count(), 1, "the head alone");
}

#[test]
fn a_line_of_json_is_a_sample_as_the_api_writes_it() {
    let text = String::from_utf8(file(Format::JsonLines, &samples())).expect("text");
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), samples().len());
    assert_eq!(
        lines[4],
        r#"{"parameter":"/S/number","generation_time":"2026-11-22T12:00:00Z","reception_time":"2026-11-22T12:00:00Z","raw":0.1,"engineering":null,"node":"gs-1","validity":"outside-calibration","monitoring":"not-monitored","dictionary_version":1,"provenance":"live"}"#
    );
    let raw = |line: &str| serde_json::from_str::<serde_json::Value>(line).expect("JSON")["raw"].clone();
    assert_eq!(raw(lines[0]), serde_json::json!(-5));
    assert_eq!(raw(lines[1]), serde_json::json!("18446744073709551615"));
    assert_eq!(raw(lines[2]), serde_json::json!("-Infinity"));
    assert_eq!(raw(lines[5]), serde_json::json!("a \"b\"\nc"));
}

/// The rows of a Parquet file: times, raw number and text, engineering number and text.
fn rows(bytes: Vec<u8>) -> Vec<(i64, i64, String)> {
    let reader = SerializedFileReader::new(bytes_of(bytes)).expect("a file");
    let rows = reader.get_row_iter(None).expect("rows");
    let row = |row: parquet::record::Row| {
        let text = |index| row.get_string(index).map_or("-", String::as_str).to_owned();
        let number = |index| row.get_double(index).map_or("-".to_owned(), |number| format!("{number:?}"));
        let cells = [text(3), number(4), text(5), number(6), text(7), text(8), text(9), text(10)];
        let nanoseconds = row.get_long(0).expect("a time");
        (nanoseconds, row.get_long(1).expect("a number"), cells.join("|"))
    };
    rows.map(|found| row(found.expect("a row"))).collect()
}

fn bytes_of(bytes: Vec<u8>) -> bytes::Bytes {
    bytes.into()
}

#[test]
fn a_parquet_file_has_every_value_as_a_number_or_as_text_or_both() {
    let found = rows(file(Format::Parquet, &samples()));
    let cells: Vec<&str> = found.iter().map(|(_, _, cells)| cells.as_str()).collect();
    let rest = "valid|normal|gs-1";
    assert_eq!(
        cells,
        [
            format!("/S/number|-5.0|-|-5.0|-|{rest}"),
            format!(
                "/S/number|1.8446744073709552e19|18446744073709551615|1.8446744073709552e19|18446744073709551615|{rest}"
            ),
            format!("/S/number|-inf|-|-inf|-|{rest}"),
            format!("/S/number|1e300|-|1e300|-|{rest}"),
            "/S/number|0.1|-|-|-|outside-calibration|not-monitored|gs-1".to_owned(),
            format!("/S/number|-|a \"b\"\nc|-|a \"b\"\nc|{rest}"),
            format!("/S/number|-|hex:ab01|-|-|{rest}"),
            format!("/S/switch|1.0|-|1.0|true|{rest}"),
            format!("/S/mode|1.0|-|-|ON, or so|{rest}"),
            "/S/mode|9.0|-|-|-|unknown-label|normal|gs-1".to_owned(),
            format!("/S/number|7.0|-|7.0|-|{rest}"),
        ]
    );
}

#[test]
fn a_leap_second_in_parquet_has_the_numbers_of_the_second_after_it_and_tai_tells_them_apart() {
    let times = ["2016-12-31T23:59:60.5Z", "2017-01-01T00:00:00.5Z"];
    let found = rows(file(Format::Parquet, &times.map(|at| sample(0, at, Raw::Unsigned(7)))));
    assert_eq!(found[0].0, 1_483_228_800_500_000_000);
    assert_eq!(found[0].0, found[1].0);
    assert_eq!(found[1].1 - found[0].1, 1_000_000_000);
}

#[test]
fn a_long_parquet_file_is_given_up_group_by_group_and_read_as_one() {
    let (database, mut encoder) = (database(), Encoder::new(Format::Parquet).expect("begins"));
    let sample = sample(0, NOON, Raw::Unsigned(7));
    let row = Row { database: &database, sample: &sample, node: "gs-1" };
    let (mut bytes, mut parts) = (encoder.take().expect("its beginning"), 0);
    for _ in 0..70_000 {
        encoder.push(&row).expect("encodes");
        let part = encoder.take().expect("what is finished");
        parts += usize::from(!part.is_empty());
        bytes.extend(part);
    }
    bytes.extend(encoder.finish().expect("ends"));
    let reader = SerializedFileReader::new(bytes_of(bytes)).expect("a file");
    let groups: Vec<i64> = reader.metadata().row_groups().iter().map(RowGroupMetaData::num_rows).collect();
    assert_eq!((parts, groups), (1, vec![65_536, 70_000 - 65_536]));
}

#[test]
fn a_format_is_known_by_its_word() {
    for format in Format::ALL {
        assert_eq!(format.word().parse(), Ok(format));
    }
    let refused = "xlsx".parse::<Format>().expect_err("is none");
    assert!(refused.to_string().contains("`csv`, `jsonl` or `parquet`"), "{refused}");
}

#[test]
fn words_are_those_of_the_dictionary() {
    let of_validity = Validity::ALL.map(cell::validity);
    let of_monitoring = MonitoringResult::ALL.map(cell::monitoring);
    assert_eq!(serde_json::json!(of_validity), serde_json::json!(Validity::ALL));
    assert_eq!(serde_json::json!(of_monitoring), serde_json::json!(MonitoringResult::ALL));
}
