//! One entry of an alarm's history: what the condition did, or what a person did about it.

use delivery::NodeId;
use mission_database::MonitoringResult;
use serde::{Deserialize, Serialize};
use space_packet::{GenerationTime, TaiTime};

use super::form;
use super::identity::{AlarmId, EntryId, Hasher};

/// Bytes of a name: of a person, detector, rule, model or order.
pub const NAME_BYTES_MAX: usize = 256;
/// Bytes of a comment, or of the note beside an act.
pub const NOTE_BYTES_MAX: usize = 4_096;
/// Entries that one act may name: no alarm has more notices.
pub const REPLACED_MAX: usize = super::CONDITIONS_MAX;

/// How bad an alarm is: the five levels of limits.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
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

/// A monitoring result that is no violation, or a word that names no severity.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("not a severity; expected one of watch, warning, distress, critical, severe")]
pub struct UnknownSeverity;

impl AlarmSeverity {
    /// All, the least first.
    pub const ALL: [Self; 5] = [Self::Watch, Self::Warning, Self::Distress, Self::Critical, Self::Severe];

    /// Its name, as rules, answers and messages have it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Watch => "watch",
            Self::Warning => "warning",
            Self::Distress => "distress",
            Self::Critical => "critical",
            Self::Severe => "severe",
        }
    }
}

impl std::str::FromStr for AlarmSeverity {
    type Err = UnknownSeverity;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|severity| severity.name() == name).ok_or(UnknownSeverity)
    }
}

impl TryFrom<MonitoringResult> for AlarmSeverity {
    type Error = UnknownSeverity;

    fn try_from(result: MonitoringResult) -> Result<Self, Self::Error> {
        match result {
            MonitoringResult::NotMonitored | MonitoringResult::Normal => Err(UnknownSeverity),
            MonitoringResult::Watch => Ok(Self::Watch),
            MonitoringResult::Warning => Ok(Self::Warning),
            MonitoringResult::Distress => Ok(Self::Distress),
            MonitoringResult::Critical => Ok(Self::Critical),
            MonitoringResult::Severe => Ok(Self::Severe),
        }
    }
}

/// Where an entry was made.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Place {
    /// At the hub.
    Hub,
    /// At a node, perhaps while it had no link.
    Node(#[serde(with = "form::node")] NodeId),
}

/// An entry of an alarm's history. It is never changed once it was made.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Entry {
    /// What names it.
    pub id: EntryId,
    /// When it was made, by the clock of the place.
    #[serde(with = "form::moment")]
    pub recorded: TaiTime,
    /// Where it was made.
    pub place: Place,
    /// What happened.
    pub fact: Fact,
}

/// What an entry tells.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fact {
    /// Somebody did something about the alarm.
    Act(Act),
    /// The condition began, changed or ended.
    Condition(Condition),
}

/// What the condition did.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Condition {
    /// Its place among the alarm's conditions, from 1: order is by this, never by a clock.
    pub number: u32,
    /// Generation time of the sample that showed it.
    #[serde(with = "form::generation")]
    pub generation: GenerationTime,
    /// Whether it was found as it happened. What was found in late data changes no state.
    pub live: bool,
    /// What changed.
    pub change: Change,
}

/// How a condition changes.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Change {
    /// It is over.
    Cleared {
        /// Whether the alarm stays until somebody resets it.
        latched: bool,
        /// How often it came back within the rule's window and was not raised anew for it.
        recurrences: u32,
    },
    /// It became better, or as bad as it had been before in this occurrence.
    Moved {
        /// How bad it is now.
        severity: AlarmSeverity,
    },
    /// It began: an occurrence. Somebody must acknowledge it.
    Raised {
        /// How bad it is.
        severity: AlarmSeverity,
        /// What its rule says of alarms.
        terms: Terms,
        /// What speaks for it.
        cause: Cause,
    },
    /// It became worse than it had been in this occurrence. Somebody must acknowledge it.
    Worsened {
        /// How bad it is now.
        severity: AlarmSeverity,
        /// What speaks for it.
        cause: Cause,
    },
    // Bytes name a variant by its place, so what is new stands last.
    /// It went further beyond its limit than ever before, without being another severity. It tells of the condition
    /// whose number it has, and changes no state.
    Reached {
        /// What was seen.
        cause: Cause,
    },
}

/// What an alarm rule said when an occurrence began. It stays so for the occurrence, whatever becomes of the rule.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Terms {
    /// Name of the rule; empty for the built-in one.
    pub rule: String,
    /// Version of the rules document.
    pub version: u32,
    /// Whether the alarm stays, once it is over, until somebody resets it.
    pub latch: bool,
    /// Whether an occurrence that is over needs nobody to acknowledge it.
    pub auto_acknowledge: bool,
    /// How long it must be better to be taken for better, in seconds: what comes back within is the same occurrence.
    pub merge_window_s: u32,
}

/// What speaks for a detection. Numbers are finite or absent.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub struct Cause {
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

impl Cause {
    /// The same with numbers that are not finite left out: neither JSON nor a person can use them.
    #[must_use]
    pub fn finite(self) -> Self {
        let finite = |number: Option<f64>| number.filter(|number| number.is_finite());
        Self {
            seen: finite(self.seen),
            expected: finite(self.expected),
            score: finite(self.score),
            threshold: finite(self.threshold),
            model: self.model,
        }
    }
}

/// What somebody did about an alarm.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Act {
    /// Who: the name they logged in with.
    pub by: String,
    /// What they did.
    pub action: Action,
    /// What they noted beside it.
    pub note: Option<String>,
}

/// What can be done about an alarm.
///
/// What replaces something names what it replaces: the entries its author could see. Two people who did not see each
/// other's act replace nothing of each other, and both acts stand.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// I have seen these: raised or worsened entries. Nothing else is acknowledged by it.
    Acknowledge {
        /// The entries.
        notices: Vec<EntryId>,
    },
    /// It is this person's to deal with, or nobody's.
    Assign {
        /// The person.
        to: Option<String>,
        /// Assignments that were seen.
        replaces: Vec<EntryId>,
    },
    /// Something to say; it is the act's note.
    Comment,
    /// Whether the detection was right.
    Judge {
        /// What they say of it.
        usefulness: Usefulness,
        /// Judgements that were seen.
        replaces: Vec<EntryId>,
    },
    /// Let a latched alarm go.
    Reset {
        /// Cleared entries that were seen.
        cleared: Vec<EntryId>,
    },
    /// In service again.
    Restore {
        /// Suppressions and restorations that were seen.
        replaces: Vec<EntryId>,
    },
    /// Be silent for a time.
    Shelve {
        /// When it is over; never later than [`SHELF_MAX`](super::SHELF_MAX) after the act.
        #[serde(with = "form::moment")]
        until: TaiTime,
        /// How bad it was: what is worse rings all the same.
        severity: AlarmSeverity,
        /// Shelvings and unshelvings that were seen.
        replaces: Vec<EntryId>,
    },
    /// Out of service, or not to be expected by design.
    Suppress {
        /// Which.
        kind: Suppression,
        /// When it is over; `None` until somebody restores it.
        #[serde(with = "form::moment_option")]
        until: Option<TaiTime>,
        /// The maintenance order, or the rule of operation, by which this is allowed.
        order: String,
        /// Suppressions and restorations that were seen.
        replaces: Vec<EntryId>,
    },
    /// Be loud again.
    Unshelve {
        /// Shelvings and unshelvings that were seen.
        replaces: Vec<EntryId>,
    },
    // Bytes name a variant by its place, so what is new stands last.
    /// Do not wait with a step of the ladder. Two who want the same step at once want it once.
    Escalate {
        /// The step.
        rung: Rung,
    },
}

/// A step of the ladder that somebody climbs for a notice.
#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Rung {
    /// What nobody has acknowledged: of this alarm, or of another one of its group.
    pub notice: EntryId,
    /// The ladder.
    pub ladder: String,
    /// The step, from 1.
    pub step: u32,
    /// 0 for the step itself, then counted up as it repeats.
    pub round: u32,
}

/// Why an alarm is not to ring.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Suppression {
    /// It follows from a mode in which it means nothing.
    ByDesign,
    /// What it watches is under maintenance.
    OutOfService,
}

/// What a person says of a detection.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Usefulness {
    /// Nothing was wrong.
    False,
    /// Something was wrong, and everybody knew.
    Known,
    /// Something was wrong.
    True,
}

/// Why bytes or text are not an entry.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum EntryError {
    /// A condition has an id that does not follow from what it says.
    #[error("a condition has another id than follows from it")]
    Id,
    /// A name is empty or too long.
    #[error("a name is empty or longer than {NAME_BYTES_MAX} bytes")]
    Name,
    /// A note is too long.
    #[error("a note is longer than {NOTE_BYTES_MAX} bytes")]
    Note,
    /// A number is not finite.
    #[error("a number is not finite")]
    Number,
    /// An act names too many entries.
    #[error("an act names more than {REPLACED_MAX} entries")]
    Replaced,
}

impl Terms {
    /// The merge window in nanoseconds.
    pub(super) fn merge_window_nanos(&self) -> i64 {
        i64::from(self.merge_window_s) * 1_000_000_000
    }
}

impl Change {
    /// Whether the condition is another one after it.
    pub(super) fn counts(&self) -> bool {
        !matches!(self, Self::Reached { .. })
    }

    /// How bad it is after it; `None` when it is over, and of what says nothing of that.
    pub fn severity(&self) -> Option<AlarmSeverity> {
        match self {
            Self::Cleared { .. } | Self::Reached { .. } => None,
            Self::Moved { severity } | Self::Raised { severity, .. } | Self::Worsened { severity, .. } => {
                Some(*severity)
            }
        }
    }
}

impl Condition {
    /// The id that this has in an alarm: the same wherever it is found.
    pub(super) fn id_in(&self, alarm: AlarmId) -> EntryId {
        let kind = match &self.change {
            Change::Cleared { .. } => 0,
            Change::Moved { .. } => 1,
            Change::Raised { .. } => 2,
            Change::Worsened { .. } => 3,
            Change::Reached { .. } => 4,
        };
        let severity = self.change.severity().map_or(0, |severity| severity as u8 + 1);
        let mut hasher = Hasher::new(b"sto-alarm-condition-1");
        hasher.bytes(&alarm.0);
        hasher.bytes(&self.number.to_le_bytes());
        hasher.bytes(&self.generation.0.0.to_le_bytes());
        hasher.bytes(&[kind, severity, u8::from(self.live)]);
        EntryId(hasher.finish())
    }

    /// Whether it asks for somebody's acknowledgement.
    pub(super) fn is_notice(&self) -> bool {
        self.live && matches!(self.change, Change::Raised { .. } | Change::Worsened { .. })
    }
}

impl Action {
    /// The entries that it names.
    pub(super) fn named(&self) -> &[EntryId] {
        match self {
            Self::Acknowledge { notices: named }
            | Self::Assign { replaces: named, .. }
            | Self::Judge { replaces: named, .. }
            | Self::Reset { cleared: named }
            | Self::Restore { replaces: named }
            | Self::Shelve { replaces: named, .. }
            | Self::Suppress { replaces: named, .. }
            | Self::Unshelve { replaces: named } => named,
            Self::Comment | Self::Escalate { .. } => &[],
        }
    }
}

impl Entry {
    /// Whether all in it keeps to its bounds.
    pub fn check(&self) -> Result<(), EntryError> {
        match &self.fact {
            Fact::Act(act) => act.check(),
            Fact::Condition(condition) => match &condition.change {
                Change::Cleared { .. } | Change::Moved { .. } => Ok(()),
                Change::Raised { terms, cause, .. } => {
                    let fits = terms.rule.len() <= NAME_BYTES_MAX;
                    if fits { cause.check() } else { Err(EntryError::Name) }
                }
                Change::Reached { cause } | Change::Worsened { cause, .. } => cause.check(),
            },
        }
    }

    /// Whether programs that know only the first version of the form cannot read it.
    pub(super) fn is_of_second_version(&self) -> bool {
        match &self.fact {
            Fact::Act(act) => matches!(act.action, Action::Escalate { .. }),
            Fact::Condition(condition) => matches!(condition.change, Change::Reached { .. }),
        }
    }

    /// The condition, where it tells of one.
    pub fn condition(&self) -> Option<&Condition> {
        match &self.fact {
            Fact::Act(_) => None,
            Fact::Condition(condition) => Some(condition),
        }
    }

    /// The act, where it tells of one.
    pub fn act(&self) -> Option<&Act> {
        match &self.fact {
            Fact::Act(act) => Some(act),
            Fact::Condition(_) => None,
        }
    }
}

impl Act {
    fn check(&self) -> Result<(), EntryError> {
        check_name(&self.by)?;
        if self.note.as_ref().is_some_and(|note| note.len() > NOTE_BYTES_MAX) {
            return Err(EntryError::Note);
        }
        if self.action.named().len() > REPLACED_MAX {
            return Err(EntryError::Replaced);
        }
        match &self.action {
            Action::Assign { to: Some(name), .. }
            | Action::Escalate { rung: Rung { ladder: name, .. } }
            | Action::Suppress { order: name, .. } => check_name(name),
            _ => Ok(()),
        }
    }
}

impl Cause {
    fn check(&self) -> Result<(), EntryError> {
        self.model.as_deref().map_or(Ok(()), check_name)?;
        let numbers = [self.seen, self.expected, self.score, self.threshold];
        let finite = numbers.iter().flatten().all(|number| number.is_finite());
        if finite { Ok(()) } else { Err(EntryError::Number) }
    }
}

fn check_name(name: &str) -> Result<(), EntryError> {
    if (1..=NAME_BYTES_MAX).contains(&name.len()) { Ok(()) } else { Err(EntryError::Name) }
}
