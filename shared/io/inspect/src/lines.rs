//! One JSON object a packet and line.

use std::io::Write;

use mission_database::{DecodedPacket, Dictionary, MonitoringResult, ParameterIndex};
use serde::Serialize;

use crate::InspectError;
use crate::decode::PacketPlace;
use crate::json::Json;
use crate::names::DisplayNames;
use crate::raised::RaisedAlarms;
use crate::rebuilt::{self, Key};

/// A line; what is absent says that nothing is to be said.
#[derive(Serialize)]
struct Line<'p> {
    n: u64,
    off: u64,
    len: usize,
    container: Option<&'p str>,
    eng: Json<'p>,
    /// Only where it is not the same as `eng`.
    #[serde(skip_serializing_if = "Json::is_empty_object")]
    raw: Json<'p>,
    bits: usize,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    unresolved: bool,
    #[serde(skip_serializing_if = "Json::is_empty_object")]
    alarm: Json<'p>,
    /// Only of limits that need several violations in a row.
    #[serde(skip_serializing_if = "Json::is_empty_object")]
    raised: Json<'p>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'p str>,
}

/// The lines of a recording.
pub(crate) struct Lines<'o> {
    dictionary: &'o Dictionary,
    names: &'o DisplayNames,
    raised: RaisedAlarms,
    output: &'o mut dyn Write,
}

impl<'o> Lines<'o> {
    pub(crate) fn new(
        dictionary: &'o Dictionary,
        names: &'o DisplayNames,
        output: &'o mut dyn Write,
    ) -> Self {
        Self { dictionary, names, raised: RaisedAlarms::default(), output }
    }

    /// Writes the packet's line.
    pub(crate) fn write(
        &mut self,
        place: PacketPlace<'_>,
        packet: &DecodedPacket<'_>,
    ) -> Result<(), InspectError> {
        let entries = rebuilt::entries(self.dictionary, packet);
        let (mut engineering, mut raw) = (Vec::with_capacity(entries.len()), Vec::new());
        for (key, values) in &entries {
            let name = match key {
                Key::Composite(index) => self.names.composites[index.0 as usize].as_str(),
                Key::Parameter(index) => self.names.parameters[index.0 as usize].as_str(),
            };
            let (meant, sent) = (Json::engineering(self.dictionary, values), Json::raw(values));
            if meant != sent {
                raw.push((name, sent));
            }
            engineering.push((name, meant));
        }
        let raised = self.raised.on_packet(place.number, self.dictionary, packet);
        let named = |(index, is_raised): (ParameterIndex, bool)| {
            (self.names.parameters[index.0 as usize].as_str(), Json::Boolean(is_raised))
        };
        let line = Line {
            n: place.number,
            off: place.offset,
            len: place.bytes,
            container: packet.container.map(|index| self.dictionary.container(index).name.as_str()),
            eng: Json::Object(engineering),
            raw: Json::Object(raw),
            bits: packet.bits,
            unresolved: packet.unresolved,
            alarm: alarms(self.names, packet),
            raised: Json::Object(raised.into_iter().map(named).collect()),
            error: place.error,
        };
        serde_json::to_writer(&mut *self.output, &line).map_err(InspectError::output)?;
        self.output.write_all(b"\n").map_err(InspectError::output)
    }
}

/// How the values with limits stand to them, by the names of the parameters themselves.
fn alarms<'p>(names: &'p DisplayNames, packet: &DecodedPacket<'_>) -> Json<'p> {
    let mut found: Vec<(&str, Json<'p>)> = Vec::new();
    for value in packet.values.iter().filter(|value| value.monitoring != MonitoringResult::NotMonitored) {
        let name = names.parameters[value.parameter.0 as usize].as_str();
        let result = Json::Text(monitoring_word(value.monitoring).into());
        match found.iter_mut().find(|(known, _)| *known == name) {
            None => found.push((name, result)),
            Some((_, Json::List(results))) => results.push(result),
            Some((_, first)) => *first = Json::List(vec![first.clone(), result]),
        }
    }
    Json::Object(found)
}

/// The word of a monitoring result in outputs.
pub(crate) fn monitoring_word(result: MonitoringResult) -> &'static str {
    match result {
        MonitoringResult::NotMonitored => "not-monitored",
        MonitoringResult::Normal => "normal",
        MonitoringResult::Watch => "watch",
        MonitoringResult::Warning => "warning",
        MonitoringResult::Distress => "distress",
        MonitoringResult::Critical => "critical",
        MonitoringResult::Severe => "severe",
    }
}
