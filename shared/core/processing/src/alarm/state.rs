//! Where an alarm stands: computed from its history and the time, never stored.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use space_packet::{GenerationTime, TaiTime};

use super::acts::SHELF_MAX;
use super::entry::{Action, AlarmSeverity, Change, Entry, Suppression, Usefulness};
use super::form;
use super::history::History;
use super::identity::EntryId;

/// By how much clocks of nodes and hub may differ, in nanoseconds: a shelving of so far in the future counts already.
pub const CLOCK_TOLERANCE: i64 = 600 * 1_000_000_000;

/// The states of ISA-18.2, with latching.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// It stands, and somebody has seen it.
    ActiveAcknowledged,
    /// It stands, and nobody has seen it.
    ActiveUnacknowledged,
    /// It is over, and nobody has seen it.
    ClearedUnacknowledged,
    /// It is over and somebody has seen it, and its rule keeps it until somebody resets it.
    Latched,
    /// There is nothing to deal with.
    Normal,
    /// What it watches is under maintenance.
    OutOfService,
    /// Somebody wants it silent for a time.
    Shelved,
    /// It is not to be expected by design.
    SuppressedByDesign,
}

impl State {
    /// Whether somebody is to be told.
    pub fn rings(self) -> bool {
        matches!(self, Self::ActiveUnacknowledged | Self::ClearedUnacknowledged)
    }
}

/// An entry that asks for somebody's acknowledgement.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Notice {
    /// The raised or worsened entry.
    pub entry: EntryId,
    /// How bad it was.
    pub severity: AlarmSeverity,
    /// Generation time of the sample that showed it.
    #[serde(with = "form::generation")]
    pub generation: GenerationTime,
}

/// Where an alarm stands.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct AlarmState {
    /// What counts.
    pub state: State,
    /// What it would be if nobody had shelved or suppressed it.
    pub process: State,
    /// How bad it is now; `None` when it is over.
    pub severity: Option<AlarmSeverity>,
    /// The worst it has been, in late data too.
    pub worst: Option<AlarmSeverity>,
    /// How often it began, in live data.
    pub occurrences: u32,
    /// How often it came back within the rule's window and was not raised anew.
    pub recurrences: u32,
    /// Whether all that is known of it comes from late data.
    pub is_retrospective: bool,
    /// What nobody has acknowledged yet, oldest first.
    pub unacknowledged: Vec<Notice>,
    /// Cleared entries that wait for a reset.
    pub latches: Vec<EntryId>,
    /// Until when it is shelved.
    #[serde(with = "form::moment_option")]
    pub shelved_until: Option<TaiTime>,
    /// Why it is suppressed.
    pub suppression: Option<Suppression>,
    /// Whose it is to deal with; two, when two were named who did not know of each other.
    pub owners: BTreeSet<String>,
    /// What people said of it.
    pub usefulness: BTreeSet<Usefulness>,
    /// When to look again, if no entry comes: the end of a shelving or suppression.
    #[serde(with = "form::moment_option")]
    pub next_change: Option<TaiTime>,
}

impl AlarmState {
    /// Where an alarm stands at a moment.
    pub fn of(history: &History, now: TaiTime) -> Self {
        let process = Process::of(history);
        let shelf = Shelf::of(history, now).filter(|shelf| {
            let worst =
                process.unacknowledged.iter().map(|notice| notice.severity).chain(process.severity).max();
            worst.is_none_or(|worst| worst <= shelf.severity)
        });
        let suppressed = Suppressed::of(history, now);
        let until =
            [shelf.as_ref().map(|shelf| shelf.until), suppressed.as_ref().and_then(|found| found.until)];
        let own = process.state();
        let state = match (&suppressed, &shelf) {
            (Some(Suppressed { kind: Suppression::ByDesign, .. }), _) => State::SuppressedByDesign,
            (Some(Suppressed { kind: Suppression::OutOfService, .. }), _) => State::OutOfService,
            (None, Some(_)) => State::Shelved,
            (None, None) => own,
        };
        let owners = standing(history, is_assignment).into_iter().filter_map(|(_, action)| match action {
            Action::Assign { to, .. } => to.clone(),
            _ => None,
        });
        let usefulness = standing(history, is_judgement).into_iter().filter_map(|(_, action)| match action {
            Action::Judge { usefulness, .. } => Some(*usefulness),
            _ => None,
        });
        Self {
            state,
            process: own,
            severity: process.severity,
            worst: process.worst,
            occurrences: process.occurrences,
            recurrences: process.recurrences,
            is_retrospective: process.occurrences == 0,
            owners: owners.collect(),
            usefulness: usefulness.collect(),
            shelved_until: shelf.map(|shelf| shelf.until),
            suppression: suppressed.map(|suppressed| suppressed.kind),
            next_change: until.into_iter().flatten().min(),
            unacknowledged: process.unacknowledged,
            latches: process.latches,
        }
    }

    /// Whether nothing is left to do about it, and nothing hides that.
    pub fn is_closed(&self) -> bool {
        self.state == State::Normal
    }
}

/// What the condition and the acknowledgements say.
#[derive(Default)]
struct Process {
    severity: Option<AlarmSeverity>,
    worst: Option<AlarmSeverity>,
    occurrences: u32,
    recurrences: u32,
    unacknowledged: Vec<Notice>,
    latches: Vec<EntryId>,
}

impl Process {
    fn of(history: &History) -> Self {
        let (mut acknowledged, mut reset) = (BTreeSet::<EntryId>::new(), BTreeSet::<EntryId>::new());
        for act in history.all().filter_map(Entry::act) {
            match &act.action {
                Action::Acknowledge { notices } => acknowledged.extend(notices),
                Action::Reset { cleared } => reset.extend(cleared),
                _ => {}
            }
        }
        let (mut process, mut auto_acknowledge) = (Self::default(), false);
        for (entry, condition) in history.conditions() {
            let severity = condition.change.severity();
            process.worst = process.worst.max(severity);
            if !condition.live {
                continue;
            }
            process.severity = severity;
            match &condition.change {
                Change::Cleared { latched, recurrences } => {
                    process.recurrences = process.recurrences.saturating_add(*recurrences);
                    if auto_acknowledge {
                        process.unacknowledged.clear();
                    }
                    if *latched && !reset.contains(&entry) {
                        process.latches.push(entry);
                    }
                }
                Change::Raised { terms, .. } => {
                    process.occurrences += 1;
                    auto_acknowledge = terms.auto_acknowledge;
                }
                Change::Moved { .. } | Change::Reached { .. } | Change::Worsened { .. } => {}
            }
            if let (Some(severity), true) =
                (severity, condition.is_notice() && !acknowledged.contains(&entry))
            {
                process.unacknowledged.push(Notice { entry, severity, generation: condition.generation });
            }
        }
        process
    }

    fn state(&self) -> State {
        match (self.severity, self.unacknowledged.is_empty(), self.latches.is_empty()) {
            (Some(_), true, _) => State::ActiveAcknowledged,
            (Some(_), false, _) => State::ActiveUnacknowledged,
            (None, false, _) => State::ClearedUnacknowledged,
            (None, true, false) => State::Latched,
            (None, true, true) => State::Normal,
        }
    }
}

/// A shelving that is in force.
struct Shelf {
    until: TaiTime,
    severity: AlarmSeverity,
}

impl Shelf {
    /// Of acts that did not see each other, the one that is over first counts, and an unshelving before all: what
    /// rings too early does less harm than what is silent too long.
    fn of(history: &History, now: TaiTime) -> Option<Self> {
        let shelves = standing(history, is_shelving).into_iter().map(|(entry, action)| match action {
            Action::Shelve { until, severity, .. } => {
                let until = (*until).min(entry.recorded.plus_nanos(SHELF_MAX));
                let begins = entry.recorded.plus_nanos(-CLOCK_TOLERANCE);
                (begins <= now && now < until).then_some(Self { until, severity: *severity })
            }
            _ => None,
        });
        let shelves: Option<Vec<Self>> = shelves.collect();
        shelves?.into_iter().reduce(|first, second| Self {
            until: first.until.min(second.until),
            severity: first.severity.min(second.severity),
        })
    }
}

/// A suppression that is in force.
struct Suppressed {
    kind: Suppression,
    until: Option<TaiTime>,
}

impl Suppressed {
    /// As with shelvings, of acts that did not see each other the one that is over first counts.
    fn of(history: &History, now: TaiTime) -> Option<Self> {
        let suppressions = standing(history, is_suppression).into_iter().map(|(_, action)| match action {
            Action::Suppress { kind, until, .. } => {
                until.is_none_or(|until| now < until).then_some(Self { kind: *kind, until: *until })
            }
            _ => None,
        });
        let suppressions: Option<Vec<Self>> = suppressions.collect();
        suppressions?.into_iter().reduce(|first, second| Self {
            kind: first.kind.max(second.kind),
            until: [first.until, second.until].into_iter().flatten().min(),
        })
    }
}

/// Acts of a sort that no other act of the sort replaces, in the order of their ids.
pub(super) fn standing(history: &History, is_of_sort: fn(&Action) -> bool) -> Vec<(&Entry, &Action)> {
    let acts = history.all().filter_map(|entry| Some((entry, &entry.act()?.action)));
    let acts: Vec<_> = acts.filter(|(_, action)| is_of_sort(action)).collect();
    let replaced: BTreeSet<EntryId> = acts.iter().flat_map(|(_, action)| action.named()).copied().collect();
    acts.into_iter().filter(|(entry, _)| !replaced.contains(&entry.id)).collect()
}

pub(super) fn is_assignment(action: &Action) -> bool {
    matches!(action, Action::Assign { .. })
}

pub(super) fn is_judgement(action: &Action) -> bool {
    matches!(action, Action::Judge { .. })
}

pub(super) fn is_shelving(action: &Action) -> bool {
    matches!(action, Action::Shelve { .. } | Action::Unshelve { .. })
}

pub(super) fn is_suppression(action: &Action) -> bool {
    matches!(action, Action::Restore { .. } | Action::Suppress { .. })
}
