//! Alarms: where they stand, and what happened to them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{AlarmRung, AlarmSuppression, AlarmUsefulness};

/// How bad an alarm is: the five levels of limits, the least first.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AlarmSeverity {
    /// Worth a look.
    Watch,
    /// Out of the usual.
    Warning,
    /// Getting serious.
    Distress,
    /// Somebody must act.
    Critical,
    /// Somebody must act at once.
    Severe,
}

/// Where an alarm stands: the states of ISA-18.2, with latching.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AlarmState {
    /// It stands, and somebody has seen it.
    ActiveAcknowledged,
    /// It stands, and nobody has seen it.
    ActiveUnacknowledged,
    /// It is over, and nobody has seen it.
    ClearedUnacknowledged,
    /// It is over and somebody has seen it; its rule keeps it until somebody resets it.
    Latched,
    /// There is nothing to deal with: closed.
    Normal,
    /// What it watches is under maintenance.
    OutOfService,
    /// Somebody wants it silent for a time.
    Shelved,
    /// It is not to be expected by design.
    SuppressedByDesign,
}

/// Answer of `GET /api/v1/missions/{mission}/alarms`.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct Alarms {
    /// Alarms, by their first occurrence, newest first.
    pub alarms: Vec<Alarm>,
    /// Pass as `cursor` to go on; absent at the end. A page may be short, or empty, and still have a next one.
    pub next: Option<String>,
    /// How many are open, whatever was asked for.
    pub open: usize,
    /// Open alarms that this list does not have because there were too many for the server's memory, since its start.
    pub left_out: u64,
}

/// Where an alarm stands.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct Alarm {
    /// Its name for ever, at nodes and hub alike: 32 hexadecimal digits.
    pub id: String,
    /// What detects it, for example `limits`.
    pub detector: String,
    /// Full name of the parameter.
    pub parameter: String,
    /// The node that it is about; absent for what a spacecraft sends.
    pub node: Option<String>,
    /// Generation time of the first occurrence.
    pub first: String,
    /// Since when this server knows that there is something to acknowledge, by its own clock.
    pub since: Option<String>,
    /// What counts.
    pub state: AlarmState,
    /// What it would be if nobody had shelved or suppressed it.
    pub process: AlarmState,
    /// Whether somebody is to be told.
    pub rings: bool,
    /// How bad it is now; absent when it is over.
    pub severity: Option<AlarmSeverity>,
    /// The worst it has been.
    pub worst: Option<AlarmSeverity>,
    /// The rule under which it was raised last; empty for the built-in one.
    pub rule: String,
    /// What speaks for it: of the newest entry that raised or worsened it.
    pub cause: Option<AlarmCause>,
    /// The value that was furthest beyond its limit since it was raised, or had the detector's highest score; absent where
    /// no number broke anything, and from servers that do not know it.
    #[serde(default)]
    pub worst_value: Option<AlarmWorstValue>,
    /// How often it began, in live data.
    pub occurrences: u32,
    /// How often it came back within the rule's window and was not raised anew.
    pub recurrences: u32,
    /// Whether all that is known of it comes from late data.
    pub is_retrospective: bool,
    /// What nobody has acknowledged yet, oldest first.
    pub unacknowledged: Vec<AlarmNotice>,
    /// Until when it is shelved.
    pub shelved_until: Option<String>,
    /// Why it is suppressed.
    pub suppression: Option<AlarmSuppression>,
    /// Whose it is to deal with; two, when two were named who did not know of each other.
    pub owners: Vec<String>,
    /// What people said of it.
    pub usefulness: Vec<AlarmUsefulness>,
    /// The alarms that it belongs to; absent when it is alone, or closed.
    pub group: Option<AlarmGroup>,
}

/// An entry that asks for somebody's acknowledgement.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct AlarmNotice {
    /// The entry: what an acknowledgement names.
    pub entry: String,
    /// How bad it was.
    pub severity: AlarmSeverity,
    /// Generation time of the sample that showed it.
    pub generation_time: String,
}

/// What holds a group of alarms together.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AlarmGroupKind {
    /// Many came at once, and rules relate them to nothing.
    Flood,
    /// Their rules name the same relation.
    Related,
}

/// Alarms that belong together.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct AlarmGroup {
    /// What holds them together.
    pub kind: AlarmGroupKind,
    /// The relation that their rules name; absent of a flood.
    pub relation: Option<String>,
    /// The one whose sample was made first: where to begin looking.
    pub first_out: String,
    /// How many there are.
    pub members: usize,
    /// The worst of them.
    pub severity: AlarmSeverity,
}

/// What speaks for a detection.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct AlarmCause {
    /// The value that was seen, in the unit of the engineering value.
    pub seen: Option<f64>,
    /// What was expected instead.
    pub expected: Option<f64>,
    /// The detector's score.
    pub score: Option<f64>,
    /// The limit or threshold that was broken, in the unit of the value or of the score.
    pub threshold: Option<f64>,
    /// The model that found it, with its version.
    pub model: Option<String>,
}

/// The worst value of an alarm.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct AlarmWorstValue {
    /// The value, in the unit of the engineering value.
    pub value: f64,
    /// Generation time of its sample.
    pub generation_time: String,
}

/// Answer of `GET /api/v1/missions/{mission}/alarms/{alarm}`.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct AlarmHistory {
    /// Where it stands.
    pub alarm: Alarm,
    /// All that happened to it, by when it was recorded, as far as clocks agree.
    pub entries: Vec<AlarmEntry>,
    /// Where it is on its ladder; absent from servers that climb none.
    #[serde(default)]
    pub escalation: Option<AlarmEscalation>,
}

/// Where an alarm is on its ladder. Either there is a next step, or a reason why there is none.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct AlarmEscalation {
    /// Who is told next, if nobody acknowledges before.
    pub next: Option<AlarmStep>,
    /// Why nobody is.
    pub ended: Option<String>,
}

/// The step of a ladder that is due next.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct AlarmStep {
    /// Which: what an act names that does not wait for it.
    pub rung: AlarmRung,
    /// When it is due by itself.
    pub due: String,
    /// The contacts that would be told now.
    pub contacts: Vec<String>,
}

/// An entry of an alarm's history. It never changes.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct AlarmEntry {
    /// What names it: 32 hexadecimal digits.
    pub id: String,
    /// When it was made, by the clock of the place.
    pub recorded: String,
    /// The node at which it was made; absent: at the hub.
    pub node: Option<String>,
    /// Who did it; absent where the condition changed.
    pub by: Option<String>,
    /// What they noted beside it.
    pub note: Option<String>,
    /// What happened.
    pub fact: AlarmFact,
}

/// What an entry tells: five are of the condition, the others are acts.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum AlarmFact {
    /// Somebody has seen these.
    Acknowledged {
        /// The entries.
        notices: Vec<String>,
    },
    /// It is this person's, or nobody's.
    Assigned {
        /// The person.
        to: Option<String>,
    },
    /// The condition is over.
    Cleared {
        /// Generation time of the sample that showed it.
        generation_time: String,
        /// Whether it was found as it happened.
        live: bool,
        /// Whether the alarm stays until somebody resets it.
        latched: bool,
        /// How often it came back within the rule's window.
        recurrences: u32,
    },
    /// Somebody had something to say: the note.
    Commented,
    /// Somebody did not want to wait with a step of the ladder.
    Escalated {
        /// The ladder.
        ladder: String,
        /// The step, from 1.
        step: u32,
        /// 0 for the step itself, then counted up as it repeats.
        round: u32,
    },
    /// Somebody said whether the detection was right.
    Judged {
        /// What they said.
        usefulness: AlarmUsefulness,
    },
    /// The condition became better, or as bad as it had been before.
    Moved {
        /// Generation time of the sample that showed it.
        generation_time: String,
        /// Whether it was found as it happened.
        live: bool,
        /// How bad it is since.
        severity: AlarmSeverity,
    },
    /// The condition began.
    Raised {
        /// Generation time of the sample that showed it.
        generation_time: String,
        /// Whether it was found as it happened.
        live: bool,
        /// How bad it is.
        severity: AlarmSeverity,
        /// The rule; empty for the built-in one.
        rule: String,
        /// Version of the rules document.
        rules_version: u32,
        /// What speaks for it.
        cause: AlarmCause,
    },
    /// The value went further beyond its limit than before; the alarm is no more severe for it.
    Reached {
        /// Generation time of the sample that showed it.
        generation_time: String,
        /// Whether it was found as it happened.
        live: bool,
        /// What was seen.
        cause: AlarmCause,
    },
    /// A latched alarm was let go.
    Reset,
    /// It is in service again.
    Restored,
    /// It is silent for a time.
    Shelved {
        /// When that is over.
        until: String,
        /// What is worse than this rings all the same.
        severity: AlarmSeverity,
    },
    /// It is not to ring.
    Suppressed {
        /// Why.
        suppression: AlarmSuppression,
        /// When that is over; absent: when somebody restores it.
        until: Option<String>,
        /// By which order or rule.
        order: String,
    },
    /// It is loud again.
    Unshelved,
    /// The condition became worse than it had been.
    Worsened {
        /// Generation time of the sample that showed it.
        generation_time: String,
        /// Whether it was found as it happened.
        live: bool,
        /// How bad it is now.
        severity: AlarmSeverity,
        /// What speaks for it.
        cause: AlarmCause,
    },
}
