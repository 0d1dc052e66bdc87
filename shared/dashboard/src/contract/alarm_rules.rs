//! What decides about alarms: rules, whom was told, models.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{RulesProblem, RulesVersion};

/// Answer of `GET /api/v1/missions/{mission}/alarm-rules`.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct AlarmRules {
    /// What counts at this server now.
    pub in_force: AlarmRulesInForce,
    /// All versions of the document that this server knows, newest first.
    pub versions: Vec<RulesVersion>,
}

/// Alarm rules that count.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct AlarmRulesInForce {
    /// The version that the document says of itself; 0 when it says none, or when there is none.
    pub document_version: u32,
    /// Names of the rules, in the order in which they are tried.
    pub rules: Vec<String>,
    /// What is wrong with the document. These parts are left out, all others count.
    pub problems: Vec<RulesProblem>,
}

/// Body of `POST /api/v1/missions/{mission}/alarm-tests`.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AlarmTest {
    /// A contact of the rules in force.
    pub contact: String,
}

/// What became of a message.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DeliveryState {
    /// It is not sent: somebody dealt with the alarm before.
    Dropped,
    /// It was given up.
    Failed,
    /// The other side took it.
    Sent,
    /// It is sent, or sent again, later.
    Waiting,
}

/// A message about an alarm to one contact.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct AlarmDelivery {
    /// Its name: 32 hexadecimal digits, the same at every replica of a hub.
    pub id: String,
    /// About which alarm; absent for a test.
    pub alarm: Option<String>,
    /// To whom, as in the rules.
    pub contact: String,
    /// How: `email`, `slack` or `webhook`.
    pub channel: String,
    /// When it was to be sent.
    pub due: String,
    /// What became of it.
    pub state: DeliveryState,
    /// How often it was tried.
    pub attempts: u32,
    /// When it was tried last.
    pub last_attempt: Option<String>,
    /// What the other side said when it took it.
    pub answer: Option<String>,
    /// Why the last try failed, or why it is not sent any more.
    pub problem: Option<String>,
}

/// Answer of `GET /api/v1/missions/{mission}/alarm-deliveries`.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct AlarmDeliveries {
    /// Messages, by when they were due, newest first.
    pub deliveries: Vec<AlarmDelivery>,
    /// Pass as `cursor` to go on; absent at the end.
    pub next: Option<String>,
}

/// Answer of `GET /api/v1/missions/{mission}/models`.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct DetectionModels {
    /// Models in force.
    pub models: Vec<DetectionModel>,
}

/// A detection model in force.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct DetectionModel {
    /// What it is, for example `segment-trees`.
    pub kind: String,
    /// Its number among the versions of its kind.
    pub number: u32,
    /// Full names of the parameters it is for.
    pub parameters: Vec<String>,
    /// When it was trained.
    pub trained_at: String,
    /// On what, in words.
    pub trained_on: String,
}
