//! What travels over `/api/v1/live`.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Alarm, EventDetail, EventSeverity, Node, PacketHeader, Sample};

/// What a client sends over `/api/v1/live`.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum LiveRequest {
    /// Ends a subscription. One that is not there is no error: it may have been replaced meanwhile.
    Close {
        /// The name it was opened with.
        id: String,
    },
    /// Opens a subscription beside the others, or in place of the one of this name.
    Open {
        /// The client's name for it, of 1 to 64 bytes; every event of the subscription carries it.
        id: String,
        /// What it is about.
        of: LiveSubject,
        /// `cursor` of the last event received of such a subscription: what was missed since is sent first, when it is
        /// not too much.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        resume: Option<String>,
    },
    /// Replaces the subscription without a name: a snapshot follows, then changes.
    Subscribe {
        /// Mission the parameters belong to.
        mission: String,
        /// Full paths; empty subscribes to none.
        parameters: Vec<String>,
    },
}

/// What a live subscription is about.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum LiveSubject {
    /// Alarms of a mission: all that are open, then each that changes, within 0.2 s.
    Alarms {
        /// The mission.
        mission: String,
    },
    /// What nodes had to say of a mission, or the server of itself and its nodes.
    Events {
        /// The mission; absent: the server's own.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        mission: Option<String>,
    },
    /// How the nodes stand, whenever that changes, at most once a second.
    Nodes,
    /// Space packets of a mission, header and bytes.
    Packets {
        /// The mission.
        mission: String,
        /// Only of these APIDs; absent: all.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        apids: Option<Vec<u16>>,
    },
    /// Samples of parameters of a mission.
    Parameters {
        /// The mission.
        mission: String,
        /// Full paths.
        parameters: Vec<String>,
        /// Events a second at most; each then holds the newest sample of each parameter that changed. Absent: every
        /// sample is sent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        rate_max_per_s: Option<f64>,
    },
}

/// What `/api/v1/live` sends. `id` names the subscription; it is absent for the one without a name.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum LiveEvent {
    /// Alarms that changed, as they are now: some may be closed.
    Alarms {
        /// The subscription.
        id: String,
        /// Mission.
        mission: String,
        /// The alarms.
        alarms: Vec<Alarm>,
    },
    /// All open alarms of a mission, in parts of at most 100: at the beginning, and whenever the connection fell too far
    /// behind.
    AlarmsSnapshot {
        /// The subscription.
        id: String,
        /// Mission.
        mission: String,
        /// Some of the alarms, the oldest first.
        alarms: Vec<Alarm>,
        /// Whether the snapshot begins here: alarms of a snapshot before are to be forgotten.
        is_first: bool,
        /// Whether more of the snapshot follows.
        more: bool,
        /// Changes left out because this connection was too slow: the snapshot has what came of them.
        dropped: u64,
    },
    /// The mission subscribed to has other dictionaries or limits: read its descriptions again.
    Dictionary {
        /// The subscription.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<String>,
        /// Mission.
        mission: String,
        /// Number of the version that is in force now.
        dictionary_version: u32,
    },
    /// What nodes or the server had to say, oldest first. The first one of a subscription holds the newest ones that
    /// are known.
    Events {
        /// The subscription.
        id: String,
        /// The events.
        events: Vec<EventEntry>,
        /// Events left out since the last one of this subscription because the connection was too slow.
        dropped: u64,
        /// Where to resume.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cursor: Option<String>,
    },
    /// Once a second, whatever else happens: the connection is alive, and this is how the nodes stand.
    Heartbeat {
        /// The server's time.
        at: String,
        /// All nodes.
        nodes: Vec<Node>,
    },
    /// How the nodes stand; sent when it changed.
    Nodes {
        /// The subscription.
        id: String,
        /// The server's time.
        at: String,
        /// All nodes.
        nodes: Vec<Node>,
    },
    /// The subscription stands.
    Opened {
        /// The subscription.
        id: String,
        /// Whether it goes on where `resume` said: what was missed follows. Else a snapshot does.
        resumed: bool,
        /// Why it does not, when that was asked for.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
        /// Where to resume.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cursor: Option<String>,
    },
    /// Packets as received, in the order of the journals they came from.
    Packets {
        /// The subscription.
        id: String,
        /// Mission.
        mission: String,
        /// The packets.
        packets: Vec<LivePacket>,
        /// Packets left out since the last event of this subscription because the connection was too slow: the oldest
        /// go. Where whole batches were left out, each counts as one.
        dropped: u64,
        /// Where to resume.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cursor: Option<String>,
    },
    /// A message was refused; subscriptions stay as they were.
    Refused {
        /// The subscription that was asked for.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<String>,
        /// Stable code, as in problem answers.
        code: String,
        /// What and why.
        detail: String,
    },
    /// Latest value of subscribed parameters: of each that has one at the beginning; of each that changed whenever the
    /// connection fell behind, in place of what was dropped.
    Snapshot {
        /// The subscription.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<String>,
        /// Mission.
        mission: String,
        /// The values.
        samples: Vec<Sample>,
        /// Samples left out because this connection was too slow. Where whole batches were left out, each counts as
        /// one.
        dropped: u64,
        /// Where to resume.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cursor: Option<String>,
    },
    /// New samples of subscribed parameters, oldest first.
    Values {
        /// The subscription.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<String>,
        /// Mission.
        mission: String,
        /// The samples.
        samples: Vec<Sample>,
        /// Samples left out because one batch held more than 64 of a parameter: of each stretch the first, the last and
        /// the extremes are here.
        #[serde(default, skip_serializing_if = "is_zero")]
        dropped: u64,
        /// Where to resume.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cursor: Option<String>,
    },
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl LiveEvent {
    /// The event as it goes on the wire.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("events hold only numbers and text")
    }
}

/// A packet as a station received it.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct LivePacket {
    /// Which node received it.
    pub node: String,
    /// When the station received it.
    pub reception_time: String,
    /// Its primary header; absent when the bytes do not begin with one.
    pub header: Option<PacketHeader>,
    /// What intake found wrong with it, as stable words.
    pub verdicts: Vec<String>,
    /// Its bytes, header included, in hexadecimal.
    pub hex: String,
}

/// What a node or the server had to say.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct EventEntry {
    /// When it was noticed.
    pub at: String,
    /// The node that says it, or that it is about.
    pub node: Option<String>,
    /// Who posted it; absent of what nodes and the hub say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    /// Stable code.
    pub code: String,
    /// How much it matters, where that is known.
    pub severity: Option<EventSeverity>,
    /// One sentence.
    pub text: String,
    /// Values that the sentence speaks of.
    pub details: Vec<EventDetail>,
}
