//! Packets, events, gaps, and batches kept apart.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Monitoring, Validity, Value};

/// How a record came to the hub.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Provenance {
    /// Forwarded later, after an outage.
    Backfilled,
    /// Carried by hand.
    Imported,
    /// Forwarded as it came.
    Live,
    /// Decoded again from the ledger, however it came.
    Reprocessed,
}

/// Answer of `GET /api/v1/missions/{mission}/packets`.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct Packets {
    /// Packets, in the order in which they were received.
    pub packets: Vec<PacketSummary>,
    /// Pass as `cursor` to go on; absent at the end. A page may be short, or empty, and still have a next one.
    pub next: Option<String>,
}

/// What is known of a packet without decoding it.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct PacketSummary {
    /// Its name for ever: `NODE.EPOCH.LANE.SEQUENCE.INDEX`.
    pub id: String,
    /// When the station received it.
    pub reception_time: String,
    /// When the spacecraft made it, as far as the packet says so.
    pub generation_time: Option<String>,
    /// Its APID; absent when the bytes do not begin with a packet's header.
    pub apid: Option<u16>,
    /// Its place in the sequence of its APID.
    pub sequence_count: Option<u16>,
    /// Its length.
    pub bytes: usize,
    /// Node that received it.
    pub node: String,
    /// Link it came in on.
    pub link: String,
    /// How it came to the hub.
    pub provenance: Provenance,
    /// Why it is in quarantine; absent when it is not.
    pub quarantine: Option<String>,
    /// Everything the node found out about it, quarantining or not.
    pub verdicts: Vec<String>,
}

/// Answer of `GET /api/v1/missions/{mission}/packets/{id}`.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct Packet {
    /// As in a list.
    pub summary: PacketSummary,
    /// Its primary header; absent when the bytes do not begin with one.
    pub header: Option<PacketHeader>,
    /// All its bytes, two hexadecimal digits each.
    pub hex: String,
    /// What came of decoding it again: `decoded`, `partial`, `unresolved`, `damaged`, `idle` or `not-a-packet`.
    pub outcome: String,
    /// What stood in the way, in a sentence.
    pub problem: Option<String>,
    /// The most specific container that fits.
    pub container: Option<String>,
    /// Number of the version of the dictionary in force when the packet was made.
    pub dictionary_version: Option<u32>,
    /// Its values, in the order in which they were read.
    pub values: Vec<PacketValue>,
}

/// The primary header of a space packet, CCSDS 133.0-B-2.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct PacketHeader {
    /// `telemetry` or `telecommand`.
    pub packet_type: String,
    /// Whether a secondary header follows.
    pub secondary_header: bool,
    /// The application.
    pub apid: u16,
    /// `continuation`, `first`, `last` or `unsegmented`.
    pub sequence_flags: String,
    /// Place in the APID's sequence.
    pub sequence_count: u16,
    /// Bytes after the header, minus one, as transmitted.
    pub data_length_field: u16,
}

/// A value of a packet, and where it stands.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct PacketValue {
    /// Full path of the parameter.
    pub parameter: String,
    /// Its first bit, counted from the packet's first.
    pub first_bit: usize,
    /// How many bits it has.
    pub bits: usize,
    /// As transmitted.
    pub raw: Value,
    /// Calibrated or labelled; a moment as RFC 3339 text.
    pub engineering: Value,
    /// Engineering unit.
    pub unit: Option<String>,
    /// Whether the engineering value may be trusted as a measurement.
    pub validity: Validity,
    /// How it stands to the limits in force when the packet was made.
    pub monitoring: Monitoring,
}

/// Answer of `GET /api/v1/missions/{mission}/events`.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct NodeEvents {
    /// Events, in the order in which they were recorded.
    pub events: Vec<NodeEvent>,
    /// Pass as `cursor` to go on; absent at the end. A page may be short, or empty, and still have a next one.
    pub next: Option<String>,
}

/// How much an event matters.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum EventSeverity {
    /// Data are lost or somebody must act.
    Error,
    /// Worth telling.
    Info,
    /// Unexpected, and handled.
    Warning,
}

/// Who tells an event.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum EventKind {
    /// A node recorded it.
    Node,
    /// A person posted it at the hub.
    Posted,
}

/// Body of `POST /api/v1/missions/{mission}/events`.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewEvent {
    /// 32 random hexadecimal digits, lower case: sent again, it is the same event.
    pub id: String,
    /// How much it matters.
    pub severity: EventSeverity,
    /// What there is to say, 1 to 2,000 characters.
    pub text: String,
}

/// What a node had to say, or a person.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct NodeEvent {
    /// Who tells it.
    pub kind: EventKind,
    /// Its name for ever: `NODE.EPOCH.LANE.SEQUENCE.INDEX` of a node's, 32 hexadecimal digits of a posted one.
    pub id: String,
    /// When it was noticed, by the node's clock; when it was posted, by the hub's.
    pub at: String,
    /// When the node recorded it; when it was posted.
    pub reception_time: String,
    /// The node; absent when it was posted.
    pub node: Option<String>,
    /// Who posted it; absent of a node's.
    pub author: Option<String>,
    /// Stable code; `STO-EVENT-POSTED` of all that were posted.
    pub code: String,
    /// How much it matters.
    pub severity: EventSeverity,
    /// One sentence.
    pub text: String,
    /// Values that the sentence speaks of.
    pub details: Vec<EventDetail>,
}

/// A value that an event speaks of.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct EventDetail {
    /// What it is.
    pub name: String,
    /// The value.
    pub value: String,
}

/// Answer of `GET /api/v1/events`.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct HubEvents {
    /// Events, newest first.
    pub events: Vec<HubEvent>,
    /// Pass as `cursor` to go on; absent at the end.
    pub next: Option<String>,
}

/// What the hub refused, or somebody should know of.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct HubEvent {
    /// When.
    pub at: String,
    /// The node it is about.
    pub node: Option<String>,
    /// Stable code.
    pub code: String,
    /// What happened.
    pub text: String,
}

/// Answer of `GET /api/v1/missions/{mission}/gaps`.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct Gaps {
    /// Gaps, in the order in which they were noticed.
    pub gaps: Vec<DeclaredGap>,
    /// Pass as `cursor` to go on; absent at the end.
    pub next: Option<String>,
}

/// Batches that are not there and never will be, as their node declared.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct DeclaredGap {
    /// The node.
    pub node: String,
    /// Which of its journals.
    pub epoch: u32,
    /// `telemetry`, or `alarm` for the journal of events.
    pub lane: String,
    /// Number of the first batch that is missing.
    pub first: u64,
    /// Number of the last one.
    pub last: u64,
    /// `damaged`, `evicted`, `forgotten` or `never-issued`, of which the last is no loss.
    pub reason: String,
    /// Records in them, as far as the batches around them tell.
    pub records: u64,
    /// When the node noticed.
    pub noticed_at: String,
    /// When the last record before them was received; absent when none is here.
    pub received_before: Option<String>,
    /// When the first record behind them was received; absent when none is here yet.
    pub received_after: Option<String>,
}

/// Answer of `GET /api/v1/apart`.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct ApartBatches {
    /// Batches, oldest first.
    pub batches: Vec<ApartBatch>,
    /// Pass as `cursor` to go on; absent at the end.
    pub next: Option<String>,
}

/// A batch that is kept out of the archive, but was not thrown away either.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct ApartBatch {
    /// Its number here, by which `cloud-hub apart save` writes it into a file.
    pub id: i64,
    /// The node that sent it.
    pub node: String,
    /// Which of its journals.
    pub epoch: u32,
    /// `telemetry` or `alarm`.
    pub lane: String,
    /// Its number in the lane.
    pub sequence: u64,
    /// Why: `fork`, `mission` or `unreadable`.
    pub cause: String,
    /// Since when.
    pub kept_at: String,
    /// Its bytes.
    pub bytes: i64,
}
