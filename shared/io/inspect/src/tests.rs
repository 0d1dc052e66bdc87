//! Whole commands over small dictionaries and packets of our own.

use std::io::{self, Write};
use std::path::Path;

use mission_database::Dictionary;
use space_packet::{TaiTime, crc};

use crate::{
    DecodeOptions, InspectError, Names, OutputFormat, PacketsOptions, check, decode_recording,
    read_dictionary, show, summarise_recording, with_limits_file,
};

/// A packet has a mode, a temperature twice, a vector of three numbers, as many samples as it says, and text.
const XTCE: &str = r#"<SpaceSystem name="Sat"><Header version="7" date="2026-11-22"/><TelemetryMetaData>
<ParameterTypeSet>
<IntegerParameterType name="u8"><IntegerDataEncoding sizeInBits="8"/></IntegerParameterType>
<IntegerParameterType name="u48"><IntegerDataEncoding sizeInBits="48"/></IntegerParameterType>
<EnumeratedParameterType name="mode"><IntegerDataEncoding sizeInBits="8"/><EnumerationList>
<Enumeration value="0" label="SAFE"/><Enumeration value="2" maxValue="3" label="NOMINAL"/></EnumerationList></EnumeratedParameterType>
<FloatParameterType name="temperature"><UnitSet><Unit>degC</Unit></UnitSet><IntegerDataEncoding sizeInBits="8"><DefaultCalibrator>
<PolynomialCalibrator><Term coefficient="-10" exponent="0"/><Term coefficient="0.5" exponent="1"/></PolynomialCalibrator>
</DefaultCalibrator></IntegerDataEncoding></FloatParameterType>
<AggregateParameterType name="vector"><MemberList><Member name="x" typeRef="u8"/><Member name="y" typeRef="temperature"/></MemberList></AggregateParameterType>
<ArrayParameterType name="samples" arrayTypeRef="vector"><DimensionList><Dimension><StartingIndex><FixedValue>0</FixedValue></StartingIndex>
<EndingIndex><DynamicValue><ParameterInstanceRef parameterRef="COUNT"/><LinearAdjustment intercept="-1"/></DynamicValue></EndingIndex></Dimension></DimensionList></ArrayParameterType>
</ParameterTypeSet>
<ParameterSet><Parameter name="HEADER" parameterTypeRef="u48"/><Parameter name="MODE" parameterTypeRef="mode" shortDescription="What it does, &quot;now&quot;"/>
<Parameter name="TEMP" parameterTypeRef="temperature"/><Parameter name="COUNT" parameterTypeRef="u8"/>
<Parameter name="TRACK" parameterTypeRef="samples"/><Parameter name="END" parameterTypeRef="u8"/></ParameterSet>
<ContainerSet><SequenceContainer name="Packet" abstract="true"><EntryList><ParameterRefEntry parameterRef="HEADER"/></EntryList></SequenceContainer>
<SequenceContainer name="HK"><EntryList><ParameterRefEntry parameterRef="MODE"/><ParameterRefEntry parameterRef="TEMP"/>
<ParameterRefEntry parameterRef="TEMP"/><ParameterRefEntry parameterRef="COUNT"/><ParameterRefEntry parameterRef="TRACK"/>
<ParameterRefEntry parameterRef="END"/></EntryList><BaseContainer containerRef="Packet"><RestrictionCriteria>
<Comparison parameterRef="HEADER" comparisonOperator="&gt;=" value="1"/></RestrictionCriteria></BaseContainer></SequenceContainer>
</ContainerSet></TelemetryMetaData></SpaceSystem>"#;

fn dictionary() -> Dictionary {
    Dictionary::from_xtce("sat.xml", XTCE).unwrap_or_else(|error| panic!("{error}"))
}

/// A telemetry packet of APID 1.
fn packet(count: u8, data: &[u8]) -> Vec<u8> {
    let length = u8::try_from(data.len() - 1).expect("a short packet");
    [&[0x08, 0x01, 0xC0, count, 0x00, length], data].concat()
}

/// Mode 2, 5 and 10 degrees, and as many elements in the track as `elements` has pairs.
fn housekeeping(count: u8, elements: &[u8]) -> Vec<u8> {
    packet(count, &[&[2, 30, 40, elements.len() as u8 / 2], elements, &[255]].concat())
}

fn options(output: OutputFormat) -> DecodeOptions {
    DecodeOptions {
        path: "pass.bin".into(),
        skip_header_bytes: 0,
        root_container: None,
        names: Names::Short,
        output,
    }
}

/// Output and notes.
fn decoded(recording: &[u8], options: &DecodeOptions) -> (String, String) {
    let (mut output, mut notes) = (Vec::new(), Vec::new());
    decode_recording(&dictionary(), recording, options, &mut output, &mut notes)
        .unwrap_or_else(|error| panic!("{error}"));
    let text = |bytes| String::from_utf8(bytes).expect("it is text");
    (text(output), text(notes))
}

#[test]
fn a_packet_becomes_a_line_of_json_with_what_is_composed_made_whole() {
    let recording = [housekeeping(0, &[1, 20, 2, 21]), housekeeping(1, &[])].concat();
    let (lines, notes) = decoded(&recording, &options(OutputFormat::Jsonl));
    let first = r#"{"n":0,"off":0,"len":15,"container":"/Sat/HK","eng":{"HEADER":8803609214984,"MODE":"NOMINAL","TEMP":[5.0,10.0],"COUNT":2,"TRACK":[{"x":1,"y":0.0},{"x":2,"y":0.5}],"END":255},"raw":{"MODE":2,"TEMP":[30,40],"TRACK":[{"x":1,"y":20},{"x":2,"y":21}]},"bits":120}"#;
    let second = r#"{"n":1,"off":15,"len":11,"container":"/Sat/HK","eng":{"HEADER":8803609280516,"MODE":"NOMINAL","TEMP":[5.0,10.0],"COUNT":0,"TRACK":[],"END":255},"raw":{"MODE":2,"TEMP":[30,40]},"bits":88}"#;
    assert_eq!(lines, format!("{first}\n{second}\n"));
    assert_eq!(notes, "");
}

#[test]
fn a_packet_that_is_too_short_is_shown_as_far_as_it_goes_and_marked() {
    let mut cut = packet(0, &[3, 30, 40, 2, 7, 20]);
    let (lines, notes) = decoded(&cut, &options(OutputFormat::Jsonl));
    let expected = r#"{"n":0,"off":0,"len":12,"container":"/Sat/HK","eng":{"HEADER":8803609214981,"MODE":"NOMINAL","TEMP":[5.0,10.0],"COUNT":2,"TRACK":[{"x":7,"y":0.0}]},"raw":{"MODE":3,"TEMP":[30,40],"TRACK":[{"x":7,"y":20}]},"bits":96,"error":"packet is too short for /Sat/TRACK/x: it needs 104 bits, there are 96"}"#;
    assert_eq!(lines, format!("{expected}\n"));
    let expected = "note: not decoded to their end: 1 of 1 packets; first packet 0 at byte 0: packet is too short \
                    for /Sat/TRACK/x: it needs 104 bits, there are 96\n";
    assert_eq!(notes, expected);
    // Nor does any other end harm.
    for bytes in 7..cut.len() {
        cut[5] = u8::try_from(bytes - 7).expect("a short packet");
        let (lines, _) = decoded(&cut[..bytes], &options(OutputFormat::Jsonl));
        assert_eq!(lines.lines().count(), 1, "{bytes} bytes");
    }
}

#[test]
fn what_is_odd_about_a_whole_recording_is_said_beside_the_output() {
    let check = |recording: &[u8], expected: &str| {
        assert_eq!(decoded(recording, &options(OutputFormat::Csv)).1, expected);
    };
    let whole = housekeeping(0, &[]);
    check(&whole, "");
    check(&[], "note: there is no whole packet in this recording\n");
    check(
        &[&whole[..], &whole[..4]].concat(),
        "note: the recording ends inside a packet: its last 4 bytes, from byte 11 on, are left out\n",
    );
    check(
        &[0x20, 0, 0, 0, 0, 0, 1],
        "note: not decoded to their end: 1 of 1 packets; first packet 0 at byte 0: packet is too short for \
         /Sat/TEMP: it needs 64 bits, there are 56\n\
         note: with a version number other than 0: 1 of 1 packets, first at byte 0; if the values make no sense, \
         look at --skip-header-bytes\n",
    );
}

#[test]
fn a_table_has_a_row_for_each_value_and_quotes_what_must_be() {
    let (table, _) = decoded(&housekeeping(0, &[1, 20]), &options(OutputFormat::Csv));
    let expected = "\
n,container,parameter,raw,engineering,unit,validity,monitoring
0,/Sat/HK,HEADER,8803609214982,8803609214982,,valid,not-monitored
0,/Sat/HK,MODE,2,NOMINAL,,valid,not-monitored
0,/Sat/HK,TEMP,30,5.0,degC,valid,not-monitored
0,/Sat/HK,TEMP,40,10.0,degC,valid,not-monitored
0,/Sat/HK,COUNT,1,1,,valid,not-monitored
0,/Sat/HK,TRACK/x,1,1,,valid,not-monitored
0,/Sat/HK,TRACK/y,20,0.0,degC,valid,not-monitored
0,/Sat/HK,END,255,255,,valid,not-monitored
";
    assert_eq!(table, expected);
    let qualified = DecodeOptions { names: Names::Qualified, ..options(OutputFormat::Csv) };
    assert!(decoded(&housekeeping(0, &[1, 20]), &qualified).0.contains("\n0,/Sat/HK,/Sat/TRACK/y,20,"));
    let quoted = XTCE.replace("<Unit>degC</Unit>", "<Unit>deg \"C\", or so</Unit>");
    let quoted = Dictionary::from_xtce("sat.xml", &quoted).unwrap_or_else(|error| panic!("{error}"));
    let mut output = Vec::new();
    let recording = housekeeping(0, &[]);
    decode_recording(&quoted, &*recording, &options(OutputFormat::Csv), &mut output, &mut io::sink())
        .unwrap_or_else(|error| panic!("{error}"));
    let table = String::from_utf8(output).expect("it is text");
    assert!(table.contains("\n0,/Sat/HK,TEMP,30,5.0,\"deg \"\"C\"\", or so\",valid,"), "{table}");
}

#[test]
fn decoding_begins_with_the_container_that_is_named() {
    let named =
        |name: &str| DecodeOptions { root_container: Some(name.to_owned()), ..options(OutputFormat::Jsonl) };
    let recording = housekeeping(0, &[]);
    for name in ["Packet", "/Sat/Packet"] {
        assert!(decoded(&recording, &named(name)).0.contains(r#""container":"/Sat/HK""#), "{name}");
    }
    let refused =
        decode_recording(&dictionary(), &*recording, &named("NONE"), &mut io::sink(), &mut io::sink());
    let refused = refused.map_err(|error| error.to_string());
    assert!(refused.is_err_and(|text| {
        text.starts_with("error[STO-CONTAINER-UNKNOWN]: the dictionary has no containers called")
    }));
}

/// Takes some bytes, then has gone away, as `head` does.
struct Head(usize);

impl Write for Head {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 = self.0.checked_sub(bytes.len()).ok_or(io::ErrorKind::BrokenPipe)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_reader_that_has_seen_enough_is_told_from_a_full_disk() {
    for output in [OutputFormat::Csv, OutputFormat::Jsonl] {
        let recording = housekeeping(0, &[]).repeat(1_000);
        let ended =
            decode_recording(&dictionary(), &*recording, &options(output), &mut Head(1_000), &mut io::sink());
        assert!(ended.is_err_and(|error| error.is_reader_gone()), "{output:?}");
    }
    let full = InspectError::output(io::Error::from(io::ErrorKind::StorageFull));
    assert!(!full.is_reader_gone());
}

fn shown(dictionary: &Dictionary, path: Option<&str>) -> String {
    let mut output = Vec::new();
    match show(dictionary, path, &mut output) {
        Ok(()) => String::from_utf8(output).expect("it is text"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn a_dictionary_is_shown_as_a_tree_and_each_thing_in_it_by_its_name() {
    let check = |path, expected: &str| assert_eq!(shown(&dictionary(), path), expected, "{path:?}");
    check(None, "Sat, version 7\n\n/Sat: 6 parameters, 2 containers\n  Packet  abstract\n  HK\n");
    check(
        Some("HK"),
        "container /Sat/HK\n  kind  concrete\n  base  /Sat/Packet\n  size  varies, bases included\n  when  HEADER >= 1\n\n   \
         bit  bits  entry                       type\n    48     8  MODE                        enumeration: unsigned integer \
         of 8 bits\n    56     8  TEMP                        float: unsigned integer of 8 bits\n    64     8  TEMP                        \
         float: unsigned integer of 8 bits\n    72     8  COUNT                       integer: unsigned integer of 8 bits\n              \
         TRACK                       array, of:\n    80        from 0 to COUNT - 1 times:\n  next     8    TRACK/x                   \
         integer: unsigned integer of 8 bits\n  next     8    TRACK/y                   float: unsigned integer of 8 bits\n  \
         next     8  END                         integer: unsigned integer of 8 bits\n",
    );
    let base = "container /Sat/Packet\n  kind     abstract: a packet that ends here is of no known kind\n  \
                size     48 bits = 6 bytes, bases included\n  base of  /Sat/HK\n\nbit  bits  entry   type\n  \
                0    48  HEADER  integer: unsigned integer of 48 bits\n";
    check(Some("/Sat/Packet"), base);
    let mode = "parameter /Sat/MODE\n  type         enumeration\n  description  What it does, \"now\"\n  \
                encoding     unsigned integer of 8 bits\n  labels       0  SAFE\n               2 to 3  NOMINAL\n";
    check(Some("MODE"), mode);
    check(Some("TRACK"), "parameter /Sat/TRACK\n  array of\n    x       integer\n    y       float, degC\n");
    for name in ["/Sat/TRACK/y", "TRACK/y", "y"] {
        let member = "parameter /Sat/TRACK/y\n  type         float\n  unit         degC\n  encoding     unsigned integer \
                      of 8 bits\n  calibration  -10 + 0.5 x\n";
        check(Some(name), member);
    }
    assert!(shown(&dictionary(), Some("OD")).starts_with("error[STO-UNKNOWN-NAME]"));
}

fn checked(dictionary: &Dictionary) -> String {
    let mut output = Vec::new();
    check(Path::new("folder/sat.xml"), dictionary, &mut output).unwrap_or_else(|error| panic!("{error}"));
    String::from_utf8(output).expect("it is text")
}

#[test]
fn a_dictionary_that_loads_is_summed_up_with_what_is_passed_over() {
    let expected = "\
sat.xml loads
  name        Sat
  version     7
  systems     1
  parameters  6, with members 7: 4 integer, 2 float, 1 enumeration
  containers  2, 1 of them abstract
  entries     7
  largest     /Sat/Packet, 48 bits = 6 bytes (of those with a fixed size)

Everything in it is used.
";
    assert_eq!(checked(&dictionary()), expected);
    let more = XTCE.replace("</TelemetryMetaData>", "</TelemetryMetaData>\n<CommandMetaData/>");
    let more = Dictionary::from_xtce("sat.xml", &more).unwrap_or_else(|error| panic!("{error}"));
    let expected =
        "\nPassed over, since decoding does not need it: 1 element\n  CommandMetaData  1×  sat.xml:23:1\n";
    assert!(checked(&more).ends_with(expected), "{}", checked(&more));
}

#[test]
fn a_dictionary_that_does_not_load_names_its_place_and_what_is_safe() {
    let folder = tempfile::tempdir().expect("a directory");
    let file = folder.path().join("sat.xml");
    std::fs::write(&file, "<SpaceSystem name=\"Sat\">\n  <Telemetry\n</SpaceSystem>").expect("written");
    let refused = read_dictionary(&file).map_err(|error| error.to_string()).err().unwrap_or_default();
    assert!(refused.starts_with("error[STO-DICTIONARY]: sat.xml:3:"), "{refused}");
    assert!(refused.contains("\n  Nothing was changed"), "{refused}");
}

/// The dictionary with a file of limits.
fn limited(limits: &str) -> Dictionary {
    let folder = tempfile::tempdir().expect("a directory");
    let file = folder.path().join("limits.csv");
    std::fs::write(&file, limits).expect("written");
    with_limits_file(&dictionary(), &file, None, TaiTime(0)).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn alarms_and_whether_they_stand_are_shown_where_there_are_limits() {
    let limited = limited("# bounds: good\nparameter,warning_high,persistence\nCOUNT,0,2\n");
    let recording = [housekeeping(0, &[]), housekeeping(1, &[1, 20]), housekeeping(2, &[1, 20])].concat();
    let mut output = Vec::new();
    decode_recording(&limited, &*recording, &options(OutputFormat::Jsonl), &mut output, &mut io::sink())
        .unwrap_or_else(|error| panic!("{error}"));
    let lines = String::from_utf8(output).expect("it is text");
    let alarms: Vec<&str> =
        lines.lines().filter_map(|line| line.split_once("\"alarm\":")).map(|(_, it)| it).collect();
    let expected = [
        r#"{"COUNT":"normal"},"raised":{"COUNT":false}}"#,
        r#"{"COUNT":"warning"},"raised":{"COUNT":false}}"#,
        r#"{"COUNT":"warning"},"raised":{"COUNT":true}}"#,
    ];
    assert_eq!(alarms, expected);
    let rule = "parameter /Sat/COUNT\n  type      integer\n  encoding  unsigned integer of 8 bits\n  limits    Warning \
                outside … to 0\n  alarm     raised by 2 violations in a row\n";
    assert_eq!(shown(&limited, Some("COUNT")), rule);
}

#[test]
fn a_recording_is_summed_up_by_apid() {
    let check = |recording: &[u8], crc, expected: &str| {
        let mut output = Vec::new();
        let options = PacketsOptions { path: "pass.bin".into(), skip_header_bytes: 0, crc };
        summarise_recording(recording, &options, &mut output).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(String::from_utf8(output).expect("it is text"), expected);
    };
    let segment = |flags: u8, count| {
        let mut packet = packet(count, &[0]);
        packet[1..3].copy_from_slice(&[0x02, flags << 6]);
        packet
    };
    let recording = [
        &housekeeping(0, &[])[..],
        &housekeeping(3, &[1, 20]),
        &housekeeping(3, &[1, 20]),
        &[0x07, 0xFF, 0xC0, 0, 0, 0, 0],
        &[0x18, 0x05, 0xC0, 0, 0, 0, 0],
        &segment(1, 0),
        &segment(0, 1),
        &segment(2, 2),
        &segment(1, 3),
        &[0xE0, 1, 2, 3, 0, 0, 5],
        &[1, 2, 3],
    ];
    let expected = "\
10 packets, 86 bytes

APID  kind         packets  bytes  shortest  longest  gaps  missing  duplicates  late  resets  groups whole  groups broken
   1  telemetry          3     37        11       13     1        2           1     0       0             0              0
   2  telemetry          4     28         7        7     0        0           0     0       0             1              1
2047  idle               1      7         7        7     -        -           -     -       -             -              -
   5  telecommand        1      7         7        7     0        0           0     0       0             0              0

1 packet not in the table: version number other than 0, first at byte 79; look at --skip-header-bytes

The recording ends inside a packet: 3 bytes are left over, from byte 86 on.
";
    check(&recording.concat(), false, expected);
    let mut good = packet(0, &[1, 0, 0]);
    let sum = crc::compute(&good[..7]);
    good[7..].copy_from_slice(&sum.to_be_bytes());
    let expected = "\
2 packets, 20 bytes

APID  kind       packets  bytes  shortest  longest  gaps  missing  duplicates  late  resets  groups whole  groups broken  CRC failures
   1  telemetry        2     20         9       11     1        4           0     0       0             0              0             1
";
    check(&[good, housekeeping(5, &[])].concat(), true, expected);
    check(&[], false, "0 packets, 0 bytes\n");
}
