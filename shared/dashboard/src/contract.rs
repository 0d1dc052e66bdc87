//! What both binaries answer over HTTP and WebSocket, and what the web app's types are generated from.
//!
//! Times are RFC 3339 UTC strings with nanoseconds, except in plot columns, which are Unix milliseconds
//! (what the browser's chart wants). Every union carries a `kind`.

mod administration;
mod alarm_acts;
mod alarm_rules;
mod alarms;
mod backfill;
mod completeness;
mod dashboards;
mod dictionaries;
mod intake;
mod limits;
mod live;
mod node_detail;
mod orbits;
mod questions;
mod records;
mod rules;
mod stations;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::access::Role;

pub use administration::{
    ApiToken, ApiTokenState, ApiTokens, DatabaseReplica, DatabaseStanding, DatabaseTable, EndpointsStanding,
    EnrolmentToken, EnrolmentTokenState, EnrolmentTokens, HubEndpoint, HubMission, HubReplica, HubStanding,
    LoginCode, LoginSession, MadeApiToken, MadeEnrolmentToken, MadeLoginCode, NewApiToken, NewEnrolmentToken,
    NewLoginCode, People, Person, TrustStanding,
};
pub use alarm_acts::{
    AlarmAcknowledged, AlarmAcknowledgement, AlarmAcknowledgements, AlarmAct, AlarmActRequest, AlarmRefused,
    AlarmRung, AlarmSuppression, AlarmUsefulness,
};
pub use alarm_rules::{
    AlarmDeliveries, AlarmDelivery, AlarmRules, AlarmRulesInForce, AlarmTest, DeliveryState, DetectionModel,
    DetectionModels,
};
pub use alarms::{
    Alarm, AlarmCause, AlarmEntry, AlarmEscalation, AlarmFact, AlarmGroup, AlarmGroupKind, AlarmHistory,
    AlarmNotice, AlarmSeverity, AlarmState, AlarmStep, AlarmWorstValue, Alarms,
};
pub use backfill::{BackfillRequest, BackfillRequests, BackfillState, NewBackfillRequest};
pub use completeness::{
    Completeness, CompletenessBy, CompletenessCounts, CompletenessRow, StationCompleteness, WaitingAtStation,
};
pub use dashboards::{
    Dashboard, DashboardAudience, DashboardChange, DashboardFile, DashboardSummary, DashboardWidget,
    Dashboards, NewDashboard, Widget, WidgetCopy,
};
pub use dictionaries::{
    DictionaryChanges, DictionaryDocument, DictionaryDocuments, DictionaryImport, DictionaryOutcome,
    ParameterChange,
};
pub use limits::{
    Excursions, LabelSeverity, LimitBounds, LimitRange, Limits, LimitsChange, LimitsContent, LimitsDocument,
    LimitsFormat, LimitsInContext, LimitsSource, LimitsTrial, LimitsTrialQuestion, LimitsVersion,
    NewLimitRange, NewLimits, NewLimitsInContext, ParameterLimits, ParameterTrial, TrialOutcome,
};
pub use live::{EventEntry, LiveEvent, LivePacket, LiveRequest, LiveSubject};
pub use node_detail::{
    ConfigurationState, DocumentKind, NodeDetail, NodeDocumentStanding, NodeKnowledge, NodeLog, NodeMissions,
    NodeRevocation, NodeSession,
};
pub use orbits::{
    ElementsFormat, GroundTracks, NewOrbitElements, NoPasses, OrbitElements, Pass, PassMoment, PassPhase,
    PassReceived, PassSample, PassTrack, Passes, Places, Site, SitePlace, SpacecraftElements,
    SpacecraftTrack, SunPoint, TrackPoint,
};
pub use questions::{
    Aligned, AlignedColumn, BucketStatistic, BucketsOrProblem, LatestQuestion, ManyBuckets, NumberAt, Order,
    Silence, SilenceCause, Statistic, Statistics, ValueAt, ValuesAt,
};
pub use records::{
    ApartBatch, ApartBatches, DeclaredGap, EventDetail, EventKind, EventSeverity, Gaps, HubEvent, HubEvents,
    NewEvent, NodeEvent, NodeEvents, Packet, PacketHeader, PacketSummary, PacketValue, Packets, Provenance,
};
pub use rules::{
    DetectionRule, DetectionRules, DetectionRulesInForce, NewRules, RuleDetector, RulesDocument,
    RulesProblem, RulesToCheck, RulesVersion,
};
pub use stations::{
    Backlog, BacklogRates, ClockReport, Drain, Found, LinkContinuity, LinkReport, Node, NodeReport,
    NodeState, Nodes, Rejected,
};

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

/// What a hub does among those of its database.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ServerRole {
    /// It shows what another one commits, and takes over when that one ends.
    Follower,
    /// Nodes forward to it; it commits what they send.
    Leader,
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
    /// Whether a hub leads; absent of a node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<ServerRole>,
}

/// Answer of `GET /api/v1/session`.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct Session {
    /// Who is logged in.
    pub principal: String,
    /// What it may do.
    pub role: Role,
    /// Missions it may know of; absent: all.
    pub missions: Option<Vec<String>>,
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
    /// How it came: what is not live is told to nobody as if it were.
    pub provenance: Provenance,
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
    /// Spans without samples, if asked for with `gaps`: the 1,000 widest ones, in order.
    pub gaps: Option<Vec<Silence>>,
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
