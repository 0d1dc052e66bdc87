//! What people do about alarms.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Why an alarm is not to ring.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AlarmSuppression {
    /// It follows from a mode in which it means nothing.
    ByDesign,
    /// What it watches is under maintenance.
    OutOfService,
}

/// What a person says of a detection.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AlarmUsefulness {
    /// Nothing was wrong.
    False,
    /// Something was wrong, and everybody knew.
    Known,
    /// Something was wrong.
    True,
}

/// A step of the ladder that is climbed for a notice.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AlarmRung {
    /// The notice that nobody has acknowledged: of the alarm, or of the worst of its group.
    pub notice: String,
    /// The ladder.
    pub ladder: String,
    /// The step, from 1.
    pub step: u32,
    /// 0 for the step itself, then counted up as it repeats.
    pub round: u32,
}

/// An act.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub enum AlarmAct {
    /// I have seen it.
    Acknowledge {
        /// The notices that were shown; absent: all that are unacknowledged now.
        #[serde(default)]
        notices: Option<Vec<String>>,
    },
    /// It is this person's, or nobody's.
    Assign {
        /// The person; absent: nobody.
        to: Option<String>,
    },
    /// Something to say: the note.
    Comment {},
    /// Do not wait with the next step of the ladder: its messages are due at once. Only the hub takes it.
    Escalate {
        /// The step that was shown as the next, so that of two people who press at once only one step is taken; absent:
        /// whichever is the next.
        #[serde(default)]
        rung: Option<AlarmRung>,
    },
    /// Whether the detection was right.
    Judge {
        /// What you say.
        usefulness: AlarmUsefulness,
    },
    /// Let a latched alarm go.
    Reset {},
    /// In service again.
    Restore {},
    /// Be silent until then.
    Shelve {
        /// RFC 3339, at most 8 hours from now.
        until: String,
    },
    /// Out of service, or not to be expected by design.
    Suppress {
        /// Which.
        kind: AlarmSuppression,
        /// RFC 3339; absent: until somebody restores it.
        #[serde(default)]
        until: Option<String>,
        /// By which order or rule.
        order: String,
    },
    /// Be loud again.
    Unshelve {},
}

/// Body of `POST /api/v1/missions/{mission}/alarms/{alarm}/acts`.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AlarmActRequest {
    /// What is to be done.
    pub act: AlarmAct,
    /// Why, or what else is to be known; at most 4 KiB.
    #[serde(default)]
    pub note: Option<String>,
    /// 32 random hexadecimal digits: sent again, it is the same act. Absent: each request is an act of its own.
    #[serde(default)]
    pub id: Option<String>,
}

/// Body of `POST /api/v1/missions/{mission}/alarms/acknowledge`.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AlarmAcknowledgements {
    /// What was seen, of 1 to 1,000 alarms.
    pub alarms: Vec<AlarmAcknowledgement>,
    /// A note for each of them.
    #[serde(default)]
    pub note: Option<String>,
}

/// What of an alarm was seen.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AlarmAcknowledgement {
    /// The alarm.
    pub alarm: String,
    /// The notices that were shown: no others are acknowledged.
    pub notices: Vec<String>,
    /// As with a single act.
    #[serde(default)]
    pub id: Option<String>,
}

/// Answer of `POST /api/v1/missions/{mission}/alarms/acknowledge`.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct AlarmAcknowledged {
    /// Alarms that are acknowledged.
    pub done: Vec<String>,
    /// Alarms that are as they were.
    pub refused: Vec<AlarmRefused>,
}

/// Why an alarm was not acknowledged.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct AlarmRefused {
    /// The alarm.
    pub alarm: String,
    /// Stable code.
    pub code: String,
    /// What happened.
    pub detail: String,
}
