//! What both binaries answer over HTTP and WebSocket, and what the web app's types are generated from.
//!
//! Times are RFC 3339 UTC strings with nanoseconds, except in plot columns, which are Unix milliseconds
//! (what the browser's chart wants). Every union carries a `kind`.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One value as it travels in JSON.
///
/// JSON has no NaN and browsers have no 64-bit integers: `NaN`, `Infinity`, `-Infinity` and integers beyond
/// 2^53 travel as strings; binary as `hex:` text.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
#[serde(untagged)]
pub enum Value {
    /// A boolean.
    Boolean(bool),
    /// An integer that a double holds exactly.
    Integer(i64),
    /// A finite floating-point number.
    Float(f64),
    /// Text, an enumeration's label, a number JSON cannot hold, or `hex:` binary.
    Text(String),
    /// No label fits the raw value, or the value could not be derived.
    None(()),
}

/// Who serves this page.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ServerKind {
    /// A node at a ground station, showing what it received itself.
    Edge,
    /// The hub, showing what every node forwarded and the database committed.
    Hub,
}

/// The server's identity, part of every session answer.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct Server {
    /// Hub or edge.
    pub kind: ServerKind,
    /// The node's name, or `hub`.
    pub name: String,
    /// Version of the software.
    pub version: String,
    /// Names this run of the process: it changes when the server restarted.
    pub boot_id: String,
}

/// Answer of `GET /api/v1/session`.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct Session {
    /// Who is logged in.
    pub principal: String,
    /// When the session ends, RFC 3339.
    pub expires: String,
    /// Who answers.
    pub server: Server,
}

/// Body of `POST /api/v1/session`.
#[derive(Clone, Deserialize, Serialize, ToSchema)]
pub struct Login {
    /// The one-time code, as printed by `./dev up`, `cloud-hub login-code` or `edge-node console`.
    pub code: String,
}

/// Answer of `GET /api/v1/missions`.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct Missions {
    /// Missions the principal may see, by name.
    pub missions: Vec<Mission>,
}

/// A mission.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct Mission {
    /// Short name, as in paths.
    pub name: String,
    /// Name for people.
    pub title: String,
    /// Parameters that any version of its dictionary has.
    pub parameter_count: usize,
    /// Why the configured dictionary is not the one in use, if so (the last good one is).
    pub dictionary_problem: Option<String>,
    /// Number of the version of its dictionary that is in force now.
    pub dictionary_version: u32,
    /// From which generation time on that is; absent for the first.
    pub dictionary_effective_from: Option<String>,
    /// Version of the limits that is in force now; absent when those of the dictionary count.
    pub limits_version: Option<u32>,
    /// All versions of its dictionary, by number.
    pub dictionary_versions: Vec<DictionaryVersion>,
}

/// A version of a mission's dictionary.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct DictionaryVersion {
    /// Counted from 1.
    pub number: u32,
    /// From which generation time on it is in force; absent for the first.
    pub effective_from: Option<String>,
    /// Name of the document's root.
    pub name: String,
    /// What the document says its version is.
    pub version: Option<String>,
}

/// Answer of `GET /api/v1/missions/{mission}/parameters`.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct Parameters {
    /// All parameters of the mission, in the order in which its dictionaries brought them.
    pub parameters: Vec<ParameterDescription>,
}

/// What kind of values a parameter has.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ParameterKind {
    /// Bytes.
    Binary,
    /// True or false.
    Boolean,
    /// A label.
    Enumeration,
    /// A floating-point number.
    Float,
    /// A whole number.
    Integer,
    /// Text.
    String,
    /// A moment.
    Time,
}

/// A parameter as its dictionary describes it.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct ParameterDescription {
    /// Full path, `/system/subsystem/name`.
    pub name: String,
    /// Last part of the path.
    pub short_name: String,
    /// What it is, from the dictionary.
    pub description: Option<String>,
    /// Engineering unit.
    pub unit: Option<String>,
    /// Kind of the engineering value.
    pub kind: ParameterKind,
    /// Labels of an enumeration, by raw value.
    pub labels: Vec<Label>,
}

/// One label of an enumeration.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct Label {
    /// Raw value.
    pub value: i64,
    /// Its name.
    pub label: String,
}

/// Answer of `GET /api/v1/missions/{mission}/latest`.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct Latest {
    /// The server's time.
    pub at: String,
    /// The newest sample of each parameter that has one.
    pub values: Vec<Sample>,
}

/// One sample of one parameter.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct Sample {
    /// Full path of the parameter.
    pub parameter: String,
    /// When the spacecraft made it.
    pub generation_time: String,
    /// When the station received it.
    pub reception_time: String,
    /// As transmitted.
    pub raw: Value,
    /// Calibrated or labelled; a moment as RFC 3339 text.
    pub engineering: Value,
    /// Node that received it.
    pub node: String,
    /// Usual time between two samples of this parameter, when it is known: past three of them a value is stale.
    pub interval_ms: Option<f64>,
    /// Whether the engineering value may be trusted as a measurement.
    pub validity: Validity,
    /// How it stood to its limits when it was decoded; a value that is not valid is not monitored.
    pub monitoring: Monitoring,
    /// Number of the version of the dictionary that read it.
    pub dictionary_version: u32,
}

/// Whether an engineering value may be trusted as a measurement, and if not, why.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Validity {
    /// It is not a number.
    NotANumber,
    /// The calibrator has no result for the raw value.
    OutsideCalibration,
    /// It lies outside the range the dictionary calls valid.
    OutsideValidRange,
    /// The raw value of an enumeration has no label.
    UnknownLabel,
    /// It may.
    Valid,
}

/// How a value stood to its limits: the alarm levels of XTCE, in the order of their severity.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Monitoring {
    /// There are no limits for it, or the value is not valid.
    NotMonitored,
    /// Within all limits.
    Normal,
    /// Outside the watch range only.
    Watch,
    /// Outside the warning range.
    Warning,
    /// Outside the distress range.
    Distress,
    /// Outside the critical range.
    Critical,
    /// Outside the severe range.
    Severe,
}

/// Answer of `GET /api/v1/missions/{mission}/samples`.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Samples {
    /// Asked with `points`: at most that many columns, each with its extremes.
    Buckets(Buckets),
    /// Asked without: a page of samples as they are.
    Page(Page),
}

/// A range reduced to pixels: parallel columns, one entry a bucket that holds samples.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
pub struct Buckets {
    /// Full path of the parameter.
    pub parameter: String,
    /// Samples in the range.
    pub count: u64,
    /// Width of a bucket; 0 when every sample is its own bucket.
    pub bucket_ms: f64,
    /// Unix milliseconds of the bucket's first sample.
    pub times: Vec<f64>,
    /// Smallest engineering value (enumerations: raw value); null where nothing finite is in the bucket.
    pub min: Vec<Option<f64>>,
    /// Largest.
    pub max: Vec<Option<f64>>,
    /// First in time.
    pub first: Vec<Option<f64>>,
    /// Last in time.
    pub last: Vec<Option<f64>>,
}

/// Samples as they are, in order of generation time.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct Page {
    /// Full path of the parameter.
    pub parameter: String,
    /// At most `limit` of them.
    pub samples: Vec<Sample>,
    /// Pass as `cursor` to go on; absent at the end.
    pub next: Option<String>,
}

/// Answer of `GET /api/v1/nodes`.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct Nodes {
    /// The server's time.
    pub at: String,
    /// All nodes, by name.
    pub nodes: Vec<Node>,
}

/// How a node stands to the hub.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum NodeState {
    /// A session is open: the hub's HELLO was read.
    Connected,
    /// No session at the moment.
    Disconnected,
    /// Never had a session.
    NeverConnected,
    /// Not enrolled with any hub (a node's own view of itself).
    NotEnrolled,
    /// Its right to forward was withdrawn.
    Revoked,
}

/// A station's node.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct Node {
    /// Name, unique at the hub.
    pub name: String,
    /// Where it stands.
    pub site: String,
    /// How it stands to the hub.
    pub state: NodeState,
    /// Since when, RFC 3339.
    pub since: Option<String>,
    /// When the hub last heard of it.
    pub last_contact: Option<String>,
    /// Why the last session ended or could not begin.
    pub problem: Option<String>,
    /// What the node last reported of itself; as old as `last_contact`.
    pub report: Option<NodeReport>,
    /// Packets of this node that are committed at the hub.
    pub archived_packets: u64,
}

/// What a node says of itself, every second while a session is open.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct NodeReport {
    /// Version of its software.
    pub version: String,
    /// When it was written, by the node's clock.
    pub at: String,
    /// Packets accepted since the node started.
    pub packets_received: u64,
    /// What waits for the hub.
    pub backlog: Backlog,
    /// How far its clock is from the hub's; absent before the two were compared.
    #[serde(default)]
    pub clock: Option<ClockReport>,
    /// Links with their counts.
    pub links: Vec<LinkReport>,
    /// Days until the node's certificate ends.
    pub certificate_days: Option<i64>,
}

/// A node's clock beside the hub's. Nothing is corrected by it.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct ClockReport {
    /// What to add to the node's clock to have the hub's, milliseconds.
    pub offset_ms: f64,
    /// That is right within so much, milliseconds.
    pub error_ms: f64,
}

/// What waits in a node's journal.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct Backlog {
    /// Batches the hub has not committed.
    pub batches: u64,
    /// Packets in them.
    pub packets: u64,
    /// Their sealed bytes.
    pub bytes: u64,
    /// Reception time of the oldest.
    pub oldest: Option<String>,
    /// What was measured over the last seconds; absent before 3 of them were seen.
    #[serde(default)]
    pub rates: Option<BacklogRates>,
    /// When nothing waits any more.
    #[serde(default)]
    pub drain: Drain,
    /// Sealed bytes that the journal takes before it is full; absent from nodes that do not say.
    #[serde(default)]
    pub room_bytes: Option<u64>,
    /// Seconds until it is full, if the rates stay; absent when that is not known and when the backlog does not grow.
    #[serde(default)]
    pub full_in_s: Option<f64>,
    /// Journals from before that wait to be forwarded; what is in them is not counted here.
    #[serde(default)]
    pub older_journals: u64,
}

/// How fast a backlog comes and goes: measured over at most 30 seconds.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct BacklogRates {
    /// Into the journal, packets and other records a second.
    pub packets_in_per_s: f64,
    /// Into the journal, sealed bytes a second.
    pub bytes_in_per_s: f64,
    /// Committed at the hub, packets and other records a second.
    pub packets_out_per_s: f64,
    /// Committed at the hub, sealed bytes a second.
    pub bytes_out_per_s: f64,
}

/// When nothing waits at a node any more.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Drain {
    /// After so many seconds, if the rates stay.
    After {
        /// Seconds.
        seconds: f64,
    },
    /// Nothing goes out: there is no session.
    Disconnected,
    /// Nothing waits.
    Empty,
    /// No more waits than what came in within the last 5 seconds.
    KeepsUp,
    /// As much comes in as goes out, or more.
    Never,
    /// Nothing goes out: somebody holds the backlog back.
    Paused,
    /// Not measured yet, or said in a way that this software does not know.
    #[default]
    #[serde(other)]
    Unknown,
}

/// One intake link of a node.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct LinkReport {
    /// Its name in the node's configuration.
    pub name: String,
    /// Mission its packets belong to.
    pub mission: String,
    /// What it speaks: `tcp`, `udp`, `http`, `websocket` or `grpc`.
    #[serde(default)]
    pub door: String,
    /// Antenna or equipment behind it.
    #[serde(default)]
    pub station: Option<String>,
    /// Address it listens on.
    pub listen: String,
    /// Connections open now.
    pub clients: u64,
    /// Packets and other records accepted.
    pub packets: u64,
    /// Of those, how many are safe on the node's disk.
    #[serde(default)]
    pub durable: u64,
    /// Bytes accepted.
    pub bytes: u64,
    /// What was rejected, by cause.
    pub rejected: Vec<Rejected>,
    /// Records accepted that are in quarantine.
    #[serde(default)]
    pub quarantined: u64,
    /// What was found out about records, by verdict.
    #[serde(default)]
    pub found: Vec<Found>,
    /// Reception time of the newest packet.
    pub last_packet: Option<String>,
    /// What the sequence counts of its packets say; absent from nodes that do not look at them.
    #[serde(default)]
    pub continuity: Option<LinkContinuity>,
}

/// What the sequence counts of a link's packets say, all APIDs together.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct LinkContinuity {
    /// Packets that did not arrive.
    pub missing: u64,
    /// Gaps that they make up.
    pub gaps: u64,
    /// Packets that came twice, one right after the other.
    pub duplicates: u64,
    /// Packets that came after newer ones.
    pub late: u64,
    /// Counters that began anew, as after a reboot of the spacecraft.
    pub resets: u64,
    /// Idle packets, which carry nothing and are not decoded.
    pub idle: u64,
}

/// A count of rejections of one cause.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct Rejected {
    /// Stable name of the cause, for example `garbage`.
    pub cause: String,
    /// How often.
    pub count: u64,
    /// Bytes skipped because of it.
    pub bytes: u64,
}

/// What was found out about records of a link.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct Found {
    /// Stable name of the verdict, for example `stale`.
    pub verdict: String,
    /// Records.
    pub count: u64,
}

/// Over how long completeness is summed.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CompletenessBy {
    /// Days of UTC.
    Day,
    /// Hours of UTC.
    Hour,
    /// The whole span.
    #[default]
    Total,
}

/// Answer of `GET /api/v1/missions/{mission}/completeness`: what came of what there was.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct Completeness {
    /// The mission.
    pub mission: String,
    /// Beginning of the span of reception times: that of its first hour.
    pub from: String,
    /// Its end, excluded: that of its last hour.
    pub to: String,
    /// Over how long rows are summed.
    pub by: CompletenessBy,
    /// Up to which commit batches are counted; absent when there are none.
    pub counted_at: Option<String>,
    /// Each station's sum, with what waits there.
    pub stations: Vec<StationCompleteness>,
    /// By time, station, link and APID.
    pub rows: Vec<CompletenessRow>,
}

/// What came of a mission's records at one station.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct StationCompleteness {
    /// The node.
    pub node: String,
    /// Sums over its links and APIDs.
    pub counts: CompletenessCounts,
    /// What the node last said is still to come, of all missions; absent while it has said nothing.
    pub waiting: Option<WaitingAtStation>,
    /// Batches of journals that the node has no more: it said it had them, and they are not committed.
    pub presumed_lost_batches: i64,
    /// Records in those, estimated from the size of each journal's committed batches.
    pub presumed_lost: i64,
    /// Here, of what is known to have been sent, in percent: waiting and presumed lost records are due too. Absent when
    /// nothing is.
    pub percent: Option<f64>,
}

/// What waits at a station, as its node said.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct WaitingAtStation {
    /// Records.
    pub records: u64,
    /// Batches that the node had in its journals when its session began, and that are not committed.
    pub batches: i64,
    /// Reception time of the oldest.
    pub oldest: Option<String>,
    /// When the node said so, by its clock.
    pub reported_at: String,
}

/// One row: a link and an APID, for an hour, a day or the whole span.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct CompletenessRow {
    /// The node.
    pub node: String,
    /// Its link.
    pub link: String,
    /// Absent of records that are no packets, and of lost batches.
    pub apid: Option<u16>,
    /// Beginning of the hour or day; absent when the whole span is one.
    pub begins: Option<String>,
    /// The counts.
    pub counts: CompletenessCounts,
    /// Here, of what is known to have been sent, in percent; what waits cannot be told by APID.
    pub percent: Option<f64>,
}

/// Numbers of records, unless they say otherwise.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct CompletenessCounts {
    /// Forwarded as they came.
    pub received_live: i64,
    /// Forwarded later, or carried by hand.
    pub backfilled: i64,
    /// Of both, in quarantine.
    pub quarantined: i64,
    /// Of both, with the sequence count of one shortly before.
    pub duplicates: i64,
    /// Skipped by sequence counts: they did not come to the station.
    pub not_received: i64,
    /// Lost at the station because they could not be read any more.
    pub damaged: i64,
    /// Lost at the station because they were given up for new ones.
    pub evicted: i64,
    /// Lost at the hub, which was set back to an older state when the station held them no longer.
    pub forgotten: i64,
    /// Batch numbers that were set aside and never given to a batch: nothing is lost by them.
    pub never_issued: i64,
}

/// What a browser sends over `/api/v1/live`.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum LiveRequest {
    /// Replaces the connection's subscriptions: a snapshot follows, then changes.
    Subscribe {
        /// Mission the parameters belong to.
        mission: String,
        /// Full paths; empty subscribes to none.
        parameters: Vec<String>,
    },
}

/// What `/api/v1/live` sends.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum LiveEvent {
    /// The mission subscribed to has other dictionaries or limits: read its descriptions again.
    Dictionary {
        /// Mission.
        mission: String,
        /// Number of the version that is in force now.
        dictionary_version: u32,
    },
    /// Once a second, whatever else happens: the connection is alive, and this is how the nodes stand.
    Heartbeat {
        /// The server's time.
        at: String,
        /// All nodes.
        nodes: Vec<Node>,
    },
    /// The subscription was refused; the earlier one stays.
    Refused {
        /// Stable code, as in problem answers.
        code: String,
        /// What and why.
        detail: String,
    },
    /// Latest value of each subscribed parameter that has one; sent after `subscribe` and whenever the
    /// connection fell behind, in place of what was dropped.
    Snapshot {
        /// Mission.
        mission: String,
        /// The values.
        samples: Vec<Sample>,
        /// Changes left out because this connection was too slow.
        dropped: u64,
    },
    /// New samples of subscribed parameters, oldest first.
    Values {
        /// Mission.
        mission: String,
        /// The samples.
        samples: Vec<Sample>,
    },
}

impl LiveEvent {
    /// The event as it goes on the wire.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("events hold only numbers and text")
    }
}

/// Error body, RFC 9457.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct Problem {
    /// Link to the error's page, relative to the documentation.
    #[serde(rename = "type")]
    pub kind: String,
    /// What happened, the same for every occurrence.
    pub title: String,
    /// HTTP status.
    pub status: u16,
    /// Stable code, for example `STO-API-UNKNOWN-MISSION`.
    pub code: String,
    /// What happened this time, and what to do next.
    pub detail: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backlog_of_older_software_and_one_of_newer_software_are_read() {
        let old = r#"{"batches":1,"packets":42,"bytes":13300,"oldest":null}"#;
        let read: Backlog = serde_json::from_str(old).expect("reads");
        assert_eq!(read, Backlog { batches: 1, packets: 42, bytes: 13_300, ..Backlog::default() });
        let new = r#"{"batches":0,"packets":0,"bytes":0,"oldest":null,"drain":{"kind":"by-hand","files":3}}"#;
        let read: Backlog = serde_json::from_str(new).expect("reads");
        assert_eq!(read.drain, Drain::Unknown);
    }
}
