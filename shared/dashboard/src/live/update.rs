//! What a subscription sends next, before it is put into the words of a transport.

use std::sync::Arc;

use processing::{Sample, verdicts_in};
use space_packet::{PrimaryHeader, ReceptionTime};

use crate::LiveMission;
use crate::contract::{Alarm, EventEntry, LiveEvent, LivePacket, Node};
use crate::convert::{packet_header, rfc3339};

/// What a subscription sends next.
pub(crate) struct LiveUpdate {
    /// The subscription; absent for the one without a name.
    pub(crate) id: Option<String>,
    pub(crate) body: UpdateBody,
    pub(crate) dropped: u64,
    pub(crate) cursor: Option<String>,
}

pub(crate) enum UpdateBody {
    Alarms(AlarmsTold),
    Dictionary(Arc<LiveMission>, u32),
    Events(Vec<EventEntry>),
    Nodes(Vec<Node>),
    Opened { resumed: bool, reason: Option<String> },
    Packets(Arc<LiveMission>, Vec<SeenPacket>),
    Snapshot(Arc<LiveMission>, Vec<SeenSample>),
    Values(Arc<LiveMission>, Vec<SeenSample>),
}

/// Alarms of a mission, as they are now.
pub(crate) struct AlarmsTold {
    pub(crate) mission: String,
    pub(crate) alarms: Vec<Alarm>,
    pub(crate) snapshot: Option<SnapshotPart>,
}

/// Which part of a snapshot something is.
#[derive(Clone, Copy)]
pub(crate) struct SnapshotPart {
    pub(crate) is_first: bool,
    pub(crate) more: bool,
}

/// A sample and who received it.
pub(crate) struct SeenSample {
    /// Index of the source among the mission's.
    pub(crate) source: u32,
    pub(crate) sample: Sample,
    /// Usual seconds between two of its parameter, once two were seen.
    pub(crate) interval_s: Option<f64>,
}

/// A packet and who received it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SeenPacket {
    pub(crate) node: Arc<str>,
    pub(crate) reception: ReceptionTime,
    pub(crate) verdicts: delivery::Verdicts,
    pub(crate) bytes: Box<[u8]>,
}

impl SeenPacket {
    pub(crate) fn header(&self) -> Option<PrimaryHeader> {
        PrimaryHeader::parse(&self.bytes).ok()
    }

    /// What intake found wrong with it, as stable words.
    pub(crate) fn verdict_codes(&self) -> Vec<String> {
        verdicts_in(self.verdicts).map(|verdict| verdict.code().to_owned()).collect()
    }

    fn describe(&self) -> LivePacket {
        LivePacket {
            node: self.node.to_string(),
            reception_time: rfc3339(self.reception.0),
            header: self.header().as_ref().map(packet_header),
            verdicts: self.verdict_codes(),
            hex: data_encoding::HEXLOWER.encode(&self.bytes),
        }
    }
}

impl LiveUpdate {
    /// As it goes over a WebSocket.
    pub(crate) fn into_event(self) -> LiveEvent {
        let Self { id, body, dropped, cursor } = self;
        let named = |id: Option<String>| id.unwrap_or_default();
        let name = |mission: &LiveMission| mission.name().to_owned();
        match body {
            UpdateBody::Alarms(AlarmsTold { mission, alarms, snapshot: None }) => {
                LiveEvent::Alarms { id: named(id), mission, alarms }
            }
            UpdateBody::Alarms(AlarmsTold { mission, alarms, snapshot: Some(part) }) => {
                let SnapshotPart { is_first, more } = part;
                LiveEvent::AlarmsSnapshot { id: named(id), mission, alarms, is_first, more, dropped }
            }
            UpdateBody::Dictionary(mission, dictionary_version) => {
                LiveEvent::Dictionary { id, mission: name(&mission), dictionary_version }
            }
            UpdateBody::Events(events) => LiveEvent::Events { id: named(id), events, dropped, cursor },
            UpdateBody::Nodes(nodes) => {
                LiveEvent::Nodes { id: named(id), at: rfc3339(service::clock::now()), nodes }
            }
            UpdateBody::Opened { resumed, reason } => {
                LiveEvent::Opened { id: named(id), resumed, reason, cursor }
            }
            UpdateBody::Packets(mission, packets) => {
                let packets = packets.iter().map(SeenPacket::describe).collect();
                LiveEvent::Packets { id: named(id), mission: name(&mission), packets, dropped, cursor }
            }
            UpdateBody::Snapshot(mission, samples) => {
                let samples = mission.describe_seen(&samples);
                LiveEvent::Snapshot { id, mission: name(&mission), samples, dropped, cursor }
            }
            UpdateBody::Values(mission, samples) => {
                let samples = mission.describe_seen(&samples);
                LiveEvent::Values { id, mission: name(&mission), samples, dropped, cursor }
            }
        }
    }
}
