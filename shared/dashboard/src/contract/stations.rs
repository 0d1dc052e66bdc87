//! How nodes are: what they report, and how the hub sees them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

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
    /// Its identity, a UUID, by which alarms name it; null before it is enrolled.
    pub id: Option<String>,
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
