//! From the core's types to the contract's.

use mission_database::{
    DictionaryVersion, MissionDatabase, MonitoringResult, Parameter, ParameterKind as Kind, Validity,
};
use processing::{Buckets, CellStatistics, Engineering, Raw, Sample};
use space_packet::{PacketType, PrimaryHeader, SequenceFlags, TaiTime};

use crate::contract::{self, Label, NodeReport, ParameterDescription, ParameterKind, Value};

/// Integers up to this are exact in a browser.
const INTEGER_MAX: u64 = 1 << 53;
const NANOS_PER_MILLISECOND: f64 = 1e6;
const NANOS_PER_SECOND: f64 = 1e9;

/// A moment as the API writes it.
pub fn rfc3339(time: TaiTime) -> String {
    time.to_utc().to_string()
}

impl From<delivery::DocumentKind> for contract::DocumentKind {
    fn from(kind: delivery::DocumentKind) -> Self {
        match kind {
            delivery::DocumentKind::AlarmRules => Self::AlarmRules,
            delivery::DocumentKind::DetectionRules => Self::DetectionRules,
            delivery::DocumentKind::Dictionary => Self::Dictionary,
            delivery::DocumentKind::Endpoints => Self::Endpoints,
            delivery::DocumentKind::Limits => Self::Limits,
            delivery::DocumentKind::Model => Self::Model,
            delivery::DocumentKind::Trust => Self::Trust,
        }
    }
}

/// A node's report as it crosses the session.
pub fn node_report_json(report: &NodeReport) -> Vec<u8> {
    serde_json::to_vec(report).expect("a report holds only numbers and text")
}

pub(crate) fn unix_ms(tai_nanos: i64) -> f64 {
    TaiTime(tai_nanos).to_unix_nanos() as f64 / NANOS_PER_MILLISECOND
}

pub(crate) fn packet_header(header: &PrimaryHeader) -> contract::PacketHeader {
    let packet_type = match header.packet_type {
        PacketType::Telecommand => "telecommand",
        PacketType::Telemetry => "telemetry",
    };
    let sequence_flags = match header.sequence_flags {
        SequenceFlags::Continuation => "continuation",
        SequenceFlags::First => "first",
        SequenceFlags::Last => "last",
        SequenceFlags::Unsegmented => "unsegmented",
    };
    contract::PacketHeader {
        packet_type: packet_type.to_owned(),
        secondary_header: header.secondary_header,
        apid: header.apid.value(),
        sequence_flags: sequence_flags.to_owned(),
        sequence_count: header.sequence_count.value(),
        data_length_field: header.data_length_field,
    }
}

pub(crate) fn sample(
    database: &MissionDatabase,
    sample: &Sample,
    node: &str,
    interval_s: Option<f64>,
) -> contract::Sample {
    contract::Sample {
        parameter: database.parameter(sample.parameter).name.clone(),
        generation_time: rfc3339(sample.generation.0),
        reception_time: rfc3339(sample.reception.0),
        raw: match &sample.raw {
            Raw::Binary(bytes) => hexadecimal(bytes),
            Raw::Float(number) => float(*number),
            Raw::Signed(number) => signed(*number),
            Raw::Text(text) => Value::Text(text.to_string()),
            Raw::Unsigned(number) => unsigned(*number),
        },
        engineering: match sample.engineering(database) {
            Engineering::Binary(bytes) => hexadecimal(bytes),
            Engineering::Boolean(value) => Value::Boolean(value),
            Engineering::Float(number) => float(number),
            Engineering::Label(text) | Engineering::Text(text) => Value::Text(text.to_owned()),
            Engineering::None => Value::None(()),
            Engineering::Signed(number) => signed(number),
            Engineering::Time(time) => Value::Text(rfc3339(time)),
            Engineering::Unsigned(number) => unsigned(number),
        },
        node: node.to_owned(),
        interval_ms: interval_s.map(|seconds| seconds * 1e3),
        validity: validity(sample.validity),
        monitoring: monitoring(sample.monitoring),
        dictionary_version: sample.version.0,
        provenance: provenance(sample.provenance),
    }
}

fn provenance(provenance: processing::Provenance) -> contract::Provenance {
    match provenance {
        processing::Provenance::Live => contract::Provenance::Live,
        processing::Provenance::Backfilled => contract::Provenance::Backfilled,
        processing::Provenance::Imported => contract::Provenance::Imported,
        processing::Provenance::Reprocessed => contract::Provenance::Reprocessed,
    }
}

fn validity(validity: Validity) -> contract::Validity {
    match validity {
        Validity::NotANumber => contract::Validity::NotANumber,
        Validity::OutsideCalibration => contract::Validity::OutsideCalibration,
        Validity::OutsideValidRange => contract::Validity::OutsideValidRange,
        Validity::UnknownLabel => contract::Validity::UnknownLabel,
        Validity::Valid => contract::Validity::Valid,
    }
}

fn monitoring(result: MonitoringResult) -> contract::Monitoring {
    match result {
        MonitoringResult::NotMonitored => contract::Monitoring::NotMonitored,
        MonitoringResult::Normal => contract::Monitoring::Normal,
        MonitoringResult::Watch => contract::Monitoring::Watch,
        MonitoringResult::Warning => contract::Monitoring::Warning,
        MonitoringResult::Distress => contract::Monitoring::Distress,
        MonitoringResult::Critical => contract::Monitoring::Critical,
        MonitoringResult::Severe => contract::Monitoring::Severe,
    }
}

/// The first version has no beginning.
pub(crate) fn dictionary_version(version: &DictionaryVersion) -> contract::DictionaryVersion {
    let from = version.effective_from;
    contract::DictionaryVersion {
        number: version.number.0,
        effective_from: (from != TaiTime(i64::MIN)).then(|| rfc3339(from)),
        name: version.dictionary.name().to_owned(),
        version: version.dictionary.version().map(str::to_owned),
    }
}

fn float(number: f64) -> Value {
    match number {
        number if number.is_finite() => Value::Float(number),
        number if number.is_nan() => Value::Text("NaN".to_owned()),
        number if number > 0.0 => Value::Text("Infinity".to_owned()),
        _ => Value::Text("-Infinity".to_owned()),
    }
}

fn signed(number: i64) -> Value {
    if number.unsigned_abs() <= INTEGER_MAX {
        Value::Integer(number)
    } else {
        Value::Text(number.to_string())
    }
}

fn unsigned(number: u64) -> Value {
    match i64::try_from(number) {
        Ok(small) => signed(small),
        Err(_) => Value::Text(number.to_string()),
    }
}

fn hexadecimal(bytes: &[u8]) -> Value {
    Value::Text(format!("hex:{}", data_encoding::HEXLOWER.encode(bytes)))
}

pub(crate) fn parameter(parameter: &Parameter) -> ParameterDescription {
    let mut labels = Vec::new();
    let kind = match &parameter.kind {
        Kind::Binary => ParameterKind::Binary,
        Kind::Boolean { zero, one } => {
            labels = vec![Label { value: 0, label: zero.clone() }, Label { value: 1, label: one.clone() }];
            ParameterKind::Boolean
        }
        Kind::Enumeration(known) => {
            labels =
                known.iter().map(|entry| Label { value: entry.first, label: entry.label.clone() }).collect();
            ParameterKind::Enumeration
        }
        Kind::Float => ParameterKind::Float,
        Kind::Integer => ParameterKind::Integer,
        Kind::String => ParameterKind::String,
        Kind::Time => ParameterKind::Time,
    };
    ParameterDescription {
        name: parameter.name.clone(),
        short_name: parameter.short_name.clone(),
        description: parameter.description.clone(),
        unit: parameter.unit.clone(),
        kind,
        labels,
    }
}

pub(crate) fn buckets(parameter: &str, buckets: Buckets) -> contract::Buckets {
    contract::Buckets {
        parameter: parameter.to_owned(),
        count: buckets.count,
        bucket_ms: buckets.width_nanos as f64 / NANOS_PER_MILLISECOND,
        times: buckets.times.into_iter().map(unix_ms).collect(),
        min: buckets.min,
        max: buckets.max,
        first: buckets.first,
        last: buckets.last,
        gaps: None,
    }
}

pub(crate) fn statistic(cell: &CellStatistics) -> contract::Statistic {
    let number_at = |(time, value)| contract::NumberAt { generation_time: rfc3339(TaiTime(time)), value };
    contract::Statistic {
        count: cell.count,
        numbers: cell.numbers,
        min: cell.minimum,
        max: cell.maximum,
        mean: cell.mean(),
        deviation: cell.deviation().filter(|deviation| deviation.is_finite()),
        first: cell.first.map(number_at),
        last: cell.last.map(number_at),
        monitored: cell.monitored,
        outside: cell.outside,
        monitored_s: cell.monitored_nanos as f64 / NANOS_PER_SECOND,
        outside_s: cell.outside_nanos as f64 / NANOS_PER_SECOND,
    }
}

#[cfg(test)]
mod tests {
    use mission_database::{Dictionary, ParameterIndex, VersionNumber};
    use processing::Converted;
    use space_packet::{GenerationTime, ReceptionTime};

    use super::*;

    fn described(raw: Raw, converted: Option<Converted>, quality: (Validity, MonitoringResult)) -> String {
        let xtce = r#"<SpaceSystem name="S"><TelemetryMetaData><ParameterTypeSet>
            <IntegerParameterType name="T"><IntegerDataEncoding sizeInBits="8"/></IntegerParameterType>
            </ParameterTypeSet><ParameterSet><Parameter name="P" parameterTypeRef="T"/></ParameterSet>
            <ContainerSet><SequenceContainer name="C"><EntryList><ParameterRefEntry parameterRef="P"/></EntryList>
            </SequenceContainer></ContainerSet></TelemetryMetaData></SpaceSystem>"#;
        let dictionary = Dictionary::from_xtce("s.xml", xtce).expect("loads");
        let database = MissionDatabase::new(VersionNumber(1), dictionary);
        let given = Sample {
            parameter: ParameterIndex(0),
            generation: GenerationTime::default(),
            reception: ReceptionTime::default(),
            raw,
            converted,
            validity: quality.0,
            monitoring: quality.1,
            version: VersionNumber(1),
            provenance: Default::default(),
        };
        let sample = sample(&database, &given, "n", None);
        let words = serde_json::to_string(&(sample.engineering, sample.validity, sample.monitoring));
        words.expect("serialises")
    }

    #[test]
    fn each_validity_and_each_monitoring_result_has_the_word_the_dictionary_has_for_it() {
        assert_eq!(
            serde_json::to_string(&Validity::ALL.map(validity)).expect("serialises"),
            serde_json::to_string(&Validity::ALL).expect("serialises")
        );
        assert_eq!(
            serde_json::to_string(&MonitoringResult::ALL.map(monitoring)).expect("serialises"),
            serde_json::to_string(&MonitoringResult::ALL).expect("serialises")
        );
    }

    #[test]
    fn a_moment_keeps_its_nanoseconds_and_what_has_no_result_is_null() {
        let good = (Validity::Valid, MonitoringResult::Severe);
        let time = Converted::Time(TaiTime(1_500_000_000_123_456_789));
        let text = described(Raw::Unsigned(3), Some(time), good);
        assert_eq!(text, r#"["2017-07-14T02:39:23.123456789Z","valid","severe"]"#);
        let outside = (Validity::OutsideCalibration, MonitoringResult::NotMonitored);
        let text = described(Raw::Unsigned(3), Some(Converted::Number(f64::NAN)), outside);
        assert_eq!(text, r#"[null,"outside-calibration","not-monitored"]"#);
    }

    #[test]
    fn numbers_that_json_or_a_browser_cannot_hold_travel_as_text() {
        let json = |value: Value| serde_json::to_string(&value).expect("serialises");
        assert_eq!(json(float(f64::NAN)), "\"NaN\"");
        assert_eq!(json(float(f64::NEG_INFINITY)), "\"-Infinity\"");
        assert_eq!(json(float(0.1)), "0.1");
        assert_eq!(json(unsigned(u64::MAX)), "\"18446744073709551615\"");
        assert_eq!(json(unsigned(1 << 53)), "9007199254740992");
        assert_eq!(json(Value::None(())), "null");
        assert_eq!(json(hexadecimal(&[0xAB, 1])), "\"hex:ab01\"");
    }
}
