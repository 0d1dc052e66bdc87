//! All that is known of one node.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{HubEvent, Node};

/// Answer of `GET /api/v1/nodes/{node}`. Of other missions than the reader may know of it says nothing.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct NodeDetail {
    /// The server's time.
    pub at: String,
    /// As in the list of nodes: site, standing, and in its report version, clock, backlog and links.
    pub node: Node,
    /// All else.
    #[serde(flatten)]
    pub known: NodeKnowledge,
}

/// What a server knows of a node beyond the list of nodes. A node itself knows less of it than the hub does.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
pub struct NodeKnowledge {
    /// It is the hub's own station: it has no certificate, and nobody can revoke it.
    pub is_built_in: bool,
    /// Missions it may send for; null: all.
    pub missions: Option<Vec<String>>,
    /// When its machine was enrolled.
    pub enrolled_at: Option<String>,
    /// What that machine calls itself.
    pub enrolled_host: Option<String>,
    /// When its certificate ends, of several that are valid the last.
    pub certificate_ends: Option<String>,
    /// Whole days until then; negative when it has ended.
    pub certificate_days: Option<i64>,
    /// Documents it should hold and those it holds, by mission and kind.
    pub documents: Vec<NodeDocumentStanding>,
    /// Its lanes, those of the newest journal first, at most 100.
    pub logs: Vec<NodeLog>,
    /// Its last sessions since the server started, newest first, at most 10.
    pub sessions: Vec<NodeSession>,
    /// What the hub had to say of it, newest first, at most 50; null for readers of some missions, because events speak
    /// of all.
    pub events: Option<Vec<HubEvent>>,
}

/// What a document is.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DocumentKind {
    /// Alarm rules.
    AlarmRules,
    /// Which parameters detectors watch, and how.
    DetectionRules,
    /// A dictionary.
    Dictionary,
    /// The hubs a node may turn to.
    Endpoints,
    /// Limits beside the dictionary.
    Limits,
    /// A trained model.
    Model,
    /// The authorities a node trusts.
    Trust,
}

/// How a node stands to the documents of a mission and kind.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct NodeDocumentStanding {
    /// The mission; null for what is about the node itself (`endpoints`, `trust`).
    pub mission: Option<String>,
    /// What it is.
    pub kind: DocumentKind,
    /// Number of the newest version it should hold; null when the hub has none for it.
    pub wanted: Option<u32>,
    /// Number of the newest version it holds; null when it holds none.
    pub held: Option<u32>,
    /// Numbers of versions that it should hold and does not, or holds with another text; at most 100.
    pub missing: Vec<u32>,
    /// Whether it holds what it should.
    pub state: ConfigurationState,
    /// Since when the first of the missing ones is there to be held.
    pub since: Option<String>,
}

/// Whether a node holds the documents it should.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ConfigurationState {
    /// Some are missing.
    Behind,
    /// All are there.
    Current,
    /// It has not said since the server started, or says it to another hub.
    Unknown,
}

/// How far a lane of a node's journal is committed.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct NodeLog {
    /// Which of its journals; the greatest is the one in use.
    pub epoch: u32,
    /// `telemetry`, or `alarm` for the journal of events.
    pub lane: String,
    /// Batches up to this number are all committed.
    pub watermark: u64,
    /// Batches beyond it that are committed.
    pub committed_beyond: u64,
    /// Newest batch that the node named when a session began.
    pub head: u64,
    /// Batches up to that one which are not committed.
    pub waiting: u64,
    /// Records committed.
    pub records: u64,
    /// Stretches of batches that the node declared lost.
    pub gaps: u64,
    /// Batches kept apart because their number is known with other content.
    pub forks: u64,
    /// Batches kept apart for any cause.
    pub apart: u64,
}

/// A session of a node.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct NodeSession {
    /// Its number.
    pub number: u64,
    /// When it began.
    pub since: String,
    /// When it ended; null while it stands.
    pub until: Option<String>,
    /// Why it ended; null while it stands, and for readers of some missions.
    pub reason: Option<String>,
}

/// Body of `POST /api/v1/nodes/{node}/revoke`.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NodeRevocation {
    /// Why; 1 to 1,024 bytes. It stands in the event.
    pub reason: String,
}

/// Body of `PUT /api/v1/nodes/{node}/missions`.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NodeMissions {
    /// Missions it may send for from now on, none at all if the list is empty; null: all, also those to come.
    #[serde(deserialize_with = "Option::deserialize")]
    #[schema(required = true)]
    pub missions: Option<Vec<String>>,
}
