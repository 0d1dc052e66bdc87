//! From the core's types to the contract of gRPC, and back.

use mission_database::{MonitoringResult, Validity};
use processing::{Engineering, Raw, Sample};
use prost_types::Timestamp;
use proto::v1::live_update::Update;
use proto::v1::subscribe_request::Of;
use proto::v1::value::Kind;
use proto::v1::{self, TelemetrySample, Value};
use space_packet::{PacketType, PrimaryHeader, TaiTime, UtcTime};
use tonic::Status;

use super::alarms;
use crate::contract::{self, EventEntry, LiveSubject, Node, NodeState, ParameterDescription, ParameterKind};
use crate::live::{LiveUpdate, SeenPacket, SeenSample, UpdateBody};
use crate::{LiveMission, ProblemResponse};

const NANOS_PER_SECOND: i64 = 1_000_000_000;

/// Within a leap second, the second before.
fn timestamp(time: TaiTime) -> Timestamp {
    let nanos = time.to_unix_nanos();
    Timestamp {
        seconds: nanos.div_euclid(NANOS_PER_SECOND),
        nanos: nanos.rem_euclid(NANOS_PER_SECOND) as i32,
    }
}

/// A time as the API writes it.
pub(super) fn written(text: &str) -> Option<Timestamp> {
    UtcTime::parse(text).ok().map(|time| timestamp(time.to_tai()))
}

/// An end of a range.
pub(super) fn tai(field: &str, time: Option<Timestamp>) -> Result<TaiTime, ProblemResponse> {
    let problem = |what: &str| ProblemResponse::bad_request(format!("`{field}` {what}"));
    let Timestamp { seconds, nanos } = time.ok_or_else(|| problem("is missing"))?;
    if !(0..NANOS_PER_SECOND).contains(&i64::from(nanos)) {
        return Err(problem("has nanoseconds beyond a second"));
    }
    let nanos = seconds.checked_mul(NANOS_PER_SECOND).and_then(|whole| whole.checked_add(i64::from(nanos)));
    // Leap seconds are added on the way to TAI: the last minute that can be counted is left out.
    let nanos = nanos.filter(|nanos| *nanos <= i64::MAX - 60 * NANOS_PER_SECOND);
    nanos.map(TaiTime::from_unix_nanos).ok_or_else(|| problem("is beyond the times that are kept"))
}

pub(super) fn mission(mission: contract::Mission) -> v1::Mission {
    v1::Mission {
        name: mission.name,
        title: mission.title,
        parameter_count: mission.parameter_count as u64,
        dictionary_version: mission.dictionary_version,
        dictionary_problem: mission.dictionary_problem.unwrap_or_default(),
    }
}

pub(super) fn parameter(parameter: ParameterDescription) -> v1::Parameter {
    let kind = match parameter.kind {
        ParameterKind::Binary => v1::ParameterKind::Binary,
        ParameterKind::Boolean => v1::ParameterKind::Boolean,
        ParameterKind::Enumeration => v1::ParameterKind::Enumeration,
        ParameterKind::Float => v1::ParameterKind::Float,
        ParameterKind::Integer => v1::ParameterKind::Integer,
        ParameterKind::String => v1::ParameterKind::String,
        ParameterKind::Time => v1::ParameterKind::Time,
    };
    let label = |label: contract::Label| v1::Label { value: label.value, label: label.label };
    v1::Parameter {
        name: parameter.name,
        short_name: parameter.short_name,
        description: parameter.description.unwrap_or_default(),
        unit: parameter.unit.unwrap_or_default(),
        kind: kind.into(),
        labels: parameter.labels.into_iter().map(label).collect(),
    }
}

pub(super) fn samples(mission: &LiveMission, seen: &[SeenSample]) -> Vec<TelemetrySample> {
    let database = mission.database();
    let describe = |seen: &SeenSample| TelemetrySample {
        parameter: database.parameter(seen.sample.parameter).name.clone(),
        generation_time: Some(timestamp(seen.sample.generation.0)),
        reception_time: Some(timestamp(seen.sample.reception.0)),
        raw: Some(Value { kind: Some(raw(&seen.sample)) }),
        engineering: Some(Value { kind: engineering(seen.sample.engineering(&database)) }),
        node: mission.source_name(seen.source),
        validity: validity(seen.sample.validity).into(),
        monitoring: monitoring(seen.sample.monitoring).into(),
        dictionary_version: seen.sample.version.0,
    };
    seen.iter().map(describe).collect()
}

fn raw(sample: &Sample) -> Kind {
    match &sample.raw {
        Raw::Binary(bytes) => Kind::Binary(bytes.to_vec()),
        Raw::Float(number) => Kind::Float(*number),
        Raw::Signed(number) => Kind::Signed(*number),
        Raw::Text(text) => Kind::Text(text.to_string()),
        Raw::Unsigned(number) => Kind::Unsigned(*number),
    }
}

fn engineering(value: Engineering<'_>) -> Option<Kind> {
    Some(match value {
        Engineering::Binary(bytes) => Kind::Binary(bytes.to_vec()),
        Engineering::Boolean(value) => Kind::Boolean(value),
        Engineering::Float(number) => Kind::Float(number),
        Engineering::Label(text) | Engineering::Text(text) => Kind::Text(text.to_owned()),
        Engineering::None => return None,
        Engineering::Signed(number) => Kind::Signed(number),
        Engineering::Time(time) => Kind::Text(crate::convert::rfc3339(time)),
        Engineering::Unsigned(number) => Kind::Unsigned(number),
    })
}

fn validity(validity: Validity) -> v1::Validity {
    match validity {
        Validity::NotANumber => v1::Validity::NotANumber,
        Validity::OutsideCalibration => v1::Validity::OutsideCalibration,
        Validity::OutsideValidRange => v1::Validity::OutsideValidRange,
        Validity::UnknownLabel => v1::Validity::UnknownLabel,
        Validity::Valid => v1::Validity::Valid,
    }
}

fn monitoring(result: MonitoringResult) -> v1::Monitoring {
    match result {
        MonitoringResult::NotMonitored => v1::Monitoring::NotMonitored,
        MonitoringResult::Normal => v1::Monitoring::Normal,
        MonitoringResult::Watch => v1::Monitoring::Watch,
        MonitoringResult::Warning => v1::Monitoring::Warning,
        MonitoringResult::Distress => v1::Monitoring::Distress,
        MonitoringResult::Critical => v1::Monitoring::Critical,
        MonitoringResult::Severe => v1::Monitoring::Severe,
    }
}

/// What a call subscribes to.
pub(super) fn subject(of: Option<Of>) -> Result<LiveSubject, Status> {
    let Some(of) = of else {
        return Err(ProblemResponse::bad_request("nothing is subscribed to: `of` is missing").into());
    };
    Ok(match of {
        Of::Alarms(v1::AlarmsSubject { mission }) => LiveSubject::Alarms { mission },
        Of::Events(v1::EventsSubject { mission }) => {
            LiveSubject::Events { mission: (!mission.is_empty()).then_some(mission) }
        }
        Of::Nodes(v1::NodesSubject {}) => LiveSubject::Nodes,
        Of::Packets(v1::PacketsSubject { mission, apids }) => {
            let unknown = |_| ProblemResponse::bad_request("an APID has 11 bits, 0 to 2047");
            let apids =
                apids.into_iter().map(u16::try_from).collect::<Result<Vec<_>, _>>().map_err(unknown)?;
            LiveSubject::Packets { mission, apids: (!apids.is_empty()).then_some(apids) }
        }
        Of::Parameters(v1::ParametersSubject { mission, parameters, rate_max_per_s }) => {
            let rate_max_per_s = (rate_max_per_s != 0.0).then_some(rate_max_per_s);
            LiveSubject::Parameters { mission, parameters, rate_max_per_s }
        }
    })
}

pub(super) fn update(update: LiveUpdate) -> v1::LiveUpdate {
    let LiveUpdate { body, dropped, cursor, .. } = update;
    let body = match body {
        UpdateBody::Alarms(told) => Update::Alarms(alarms::update(told)),
        UpdateBody::Dictionary(_, dictionary_version) => {
            Update::Dictionary(v1::DictionaryChanged { dictionary_version })
        }
        UpdateBody::Events(events) => {
            Update::Events(v1::Events { events: events.into_iter().map(event).collect() })
        }
        UpdateBody::Nodes(nodes) => Update::Nodes(v1::Nodes { nodes: nodes.into_iter().map(node).collect() }),
        UpdateBody::Opened { resumed, reason } => {
            Update::Opened(v1::Opened { resumed, reason: reason.unwrap_or_default() })
        }
        UpdateBody::Packets(_, packets) => {
            Update::Packets(v1::Packets { packets: packets.into_iter().map(packet).collect() })
        }
        UpdateBody::Snapshot(mission, seen) => {
            Update::Snapshot(v1::Samples { samples: samples(&mission, &seen) })
        }
        UpdateBody::Values(mission, seen) => {
            Update::Values(v1::Samples { samples: samples(&mission, &seen) })
        }
    };
    v1::LiveUpdate { update: Some(body), dropped, cursor: cursor.unwrap_or_default() }
}

fn packet(packet: SeenPacket) -> v1::Packet {
    v1::Packet {
        node: packet.node.to_string(),
        reception_time: Some(timestamp(packet.reception.0)),
        header: packet.header().map(header),
        verdicts: packet.verdict_codes(),
        data: packet.bytes.into_vec(),
    }
}

fn header(header: PrimaryHeader) -> v1::PacketHeader {
    v1::PacketHeader {
        apid: header.apid.value().into(),
        sequence_count: header.sequence_count.value().into(),
        is_telecommand: header.packet_type == PacketType::Telecommand,
        // In the order of the standard, which is that of its two bits.
        sequence_flags: header.sequence_flags as u32,
        secondary_header: header.secondary_header,
        length_bytes: header.packet_bytes() as u32,
    }
}

fn event(event: EventEntry) -> v1::Event {
    let severity = event.severity.map(|severity| match severity {
        contract::EventSeverity::Error => "error",
        contract::EventSeverity::Info => "info",
        contract::EventSeverity::Warning => "warning",
    });
    v1::Event {
        at: written(&event.at),
        node: event.node.unwrap_or_default(),
        code: event.code,
        severity: severity.unwrap_or_default().to_owned(),
        text: event.text,
        author: event.author.unwrap_or_default(),
        details: event.details.into_iter().map(|detail| (detail.name, detail.value)).collect(),
    }
}

fn node(node: Node) -> v1::Node {
    let state = match node.state {
        NodeState::Connected => "connected",
        NodeState::Disconnected => "disconnected",
        NodeState::NeverConnected => "never-connected",
        NodeState::NotEnrolled => "not-enrolled",
        NodeState::Revoked => "revoked",
    };
    v1::Node {
        json: serde_json::to_string(&node).expect("a node holds only numbers and text"),
        name: node.name,
        state: state.to_owned(),
        archived_packets: node.archived_packets,
        last_contact: node.last_contact.as_deref().and_then(written),
        problem: node.problem.unwrap_or_default(),
    }
}
