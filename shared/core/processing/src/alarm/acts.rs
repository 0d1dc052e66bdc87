//! What people may do about an alarm, and the entries that come of it.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use space_packet::TaiTime;

use super::entry::{
    Act, Action, AlarmSeverity, Entry, EntryError, Fact, Place, REPLACED_MAX, Rung, Suppression, Usefulness,
};
use super::escalation::NoStep;
use super::form;
use super::history::{ACTS_MAX, History};
use super::identity::EntryId;
use super::state::{AlarmState, State, is_assignment, is_judgement, is_shelving, is_suppression, standing};

/// How long an alarm can be shelved at once, in nanoseconds: 8 hours, a shift.
pub const SHELF_MAX: i64 = 8 * 3_600 * 1_000_000_000;
/// How long without saying why, in nanoseconds: an hour.
pub const SHELF_WITHOUT_NOTE_MAX: i64 = 3_600 * 1_000_000_000;

/// Who acts, where and when.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Author {
    /// The name they logged in with.
    pub by: String,
    /// Where they are.
    pub place: Place,
    /// When, by the clock of the place.
    pub at: TaiTime,
    /// A random id for the entry; the same request sent again has the same, and is one act.
    pub id: EntryId,
}

/// What somebody asks for. As JSON: `{"shelve": {"until": "2026-11-23T14:00:00Z"}}`.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub enum Request {
    /// I have seen it.
    Acknowledge {
        /// The notices that were shown; absent: all that are unacknowledged here and now.
        #[serde(default)]
        notices: Option<Vec<EntryId>>,
    },
    /// It is this person's, or nobody's.
    Assign {
        /// The person.
        to: Option<String>,
    },
    /// Something to say: the note.
    Comment {},
    /// Do not wait with the next step of the ladder.
    Escalate {
        /// The step that was shown as the next; absent: whichever is. Whoever climbs the ladder fills it in.
        #[serde(default)]
        rung: Option<Rung>,
    },
    /// Whether the detection was right.
    Judge {
        /// What they say.
        usefulness: Usefulness,
    },
    /// Let a latched alarm go.
    Reset {},
    /// In service again.
    Restore {},
    /// Be silent until then.
    Shelve {
        /// At most [`SHELF_MAX`] from now.
        #[serde(with = "form::moment")]
        until: TaiTime,
    },
    /// Out of service, or not to be expected by design.
    Suppress {
        /// Which.
        kind: Suppression,
        /// Until when; absent: until somebody restores it.
        #[serde(default, with = "form::moment_option")]
        until: Option<TaiTime>,
        /// By which order or rule.
        order: String,
    },
    /// Be loud again.
    Unshelve {},
}

/// Why an act was not taken. The history is as it was.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ActRefused {
    /// It changes nothing.
    #[error("STO-ALARM-ACT: {0}; nothing was changed")]
    Pointless(&'static str),
    /// Too many acts.
    #[error("STO-ALARM-FULL: the alarm has {ACTS_MAX} acts; nothing was changed, acknowledging still works")]
    Full,
    /// A name or text is not as it must be.
    #[error("STO-ALARM-TEXT: {0}; nothing was changed")]
    Text(#[from] EntryError),
    /// There is no step to escalate to.
    #[error("STO-ALARM-ACT: {0}; nothing was changed")]
    NoStep(NoStep),
    /// A comment says nothing, or a long shelving does not say why.
    #[error("STO-ALARM-NOTE: a comment, and a shelving for more than 1 h, needs a note; nothing was changed")]
    NoNote,
    /// The end of a shelving lies in the past or too far away.
    #[error("STO-ALARM-SHELF: an alarm is shelved until a time within the next 8 h; nothing was changed")]
    Shelf,
    /// The end of a suppression lies in the past.
    #[error("STO-ALARM-SUPPRESSION: a suppression ends in the future or has no end; nothing was changed")]
    Suppression,
}

impl History {
    /// Does what somebody asks for, and returns the entry to be stored and forwarded before they are told. A request
    /// that was taken before, by its id, returns the entry of that time.
    pub fn act(
        &mut self,
        request: &Request,
        note: Option<String>,
        author: Author,
    ) -> Result<Entry, ActRefused> {
        if let Some(known) = self.entry(author.id) {
            return Ok(known.clone());
        }
        let note = note.filter(|note| !note.trim().is_empty());
        let action = self.action(request, note.is_some(), author.at)?;
        // Whoever deals with the alarm must be able to, whatever others have written on it.
        let is_dealing = matches!(action, Action::Acknowledge { .. } | Action::Reset { .. });
        if self.acts() >= ACTS_MAX && !is_dealing {
            return Err(ActRefused::Full);
        }
        let fact = Fact::Act(Act { by: author.by, action, note });
        let entry = Entry { id: author.id, recorded: author.at, place: author.place, fact };
        self.insert(entry.clone())?;
        Ok(entry)
    }

    fn action(&self, request: &Request, has_note: bool, now: TaiTime) -> Result<Action, ActRefused> {
        let state = AlarmState::of(self, now);
        match request {
            Request::Acknowledge { notices } => self.acknowledgement(&state, notices.as_deref()),
            Request::Assign { to } => {
                Ok(Action::Assign { to: to.clone(), replaces: self.ids(is_assignment) })
            }
            Request::Comment {} if has_note => Ok(Action::Comment),
            Request::Comment {} => Err(ActRefused::NoNote),
            Request::Escalate { rung } => self.escalation(&state, rung.as_ref()),
            Request::Judge { usefulness } => {
                Ok(Action::Judge { usefulness: *usefulness, replaces: self.ids(is_judgement) })
            }
            Request::Reset {} if state.process == State::Latched => {
                Ok(Action::Reset { cleared: state.latches })
            }
            Request::Reset {} => {
                Err(ActRefused::Pointless("only an alarm that is over, acknowledged and latched is reset"))
            }
            Request::Restore {} if self.has_standing(is_suppression, is_restoration) => {
                Ok(Action::Restore { replaces: self.ids(is_suppression) })
            }
            Request::Restore {} => Err(ActRefused::Pointless("the alarm is in service")),
            Request::Shelve { until } => self.shelving(&state, *until, has_note, now),
            Request::Suppress { until: Some(until), .. } if *until <= now => Err(ActRefused::Suppression),
            Request::Suppress { kind, until, order } => Ok(Action::Suppress {
                kind: *kind,
                until: *until,
                order: order.clone(),
                replaces: self.ids(is_suppression),
            }),
            Request::Unshelve {} if self.has_standing(is_shelving, is_unshelving) => {
                Ok(Action::Unshelve { replaces: self.ids(is_shelving) })
            }
            Request::Unshelve {} => Err(ActRefused::Pointless("the alarm is not shelved")),
        }
    }

    fn acknowledgement(&self, state: &AlarmState, shown: Option<&[EntryId]>) -> Result<Action, ActRefused> {
        let open = state.unacknowledged.iter().map(|notice| notice.entry);
        let shown = shown.map(|shown| shown.iter().copied().collect::<BTreeSet<_>>());
        let notices: Vec<EntryId> = open
            .filter(|entry| shown.as_ref().is_none_or(|shown| shown.contains(entry)))
            .take(REPLACED_MAX)
            .collect();
        if notices.is_empty() {
            return Err(ActRefused::Pointless("nothing that was shown is unacknowledged"));
        }
        Ok(Action::Acknowledge { notices })
    }

    fn escalation(&self, state: &AlarmState, rung: Option<&Rung>) -> Result<Action, ActRefused> {
        if !state.state.rings() {
            return Err(ActRefused::NoStep(NoStep::Silent));
        }
        let rung =
            rung.ok_or(ActRefused::Pointless("which step is the next is known where the ladder is climbed"))?;
        if self.hastened().any(|(wanted, _)| wanted == rung) {
            return Err(ActRefused::Pointless("this step was wanted at once before"));
        }
        Ok(Action::Escalate { rung: rung.clone() })
    }

    /// Steps that somebody at the hub did not want to wait for, and when that was said.
    pub fn hastened(&self) -> impl Iterator<Item = (&Rung, TaiTime)> {
        // Only the hub climbs ladders, and no clock but its own counts for them.
        self.all().filter(|entry| entry.place == Place::Hub).filter_map(|entry| match &entry.act()?.action {
            Action::Escalate { rung } => Some((rung, entry.recorded)),
            _ => None,
        })
    }

    fn shelving(
        &self,
        state: &AlarmState,
        until: TaiTime,
        has_note: bool,
        now: TaiTime,
    ) -> Result<Action, ActRefused> {
        let length = until.0.saturating_sub(now.0);
        if !(1..=SHELF_MAX).contains(&length) {
            return Err(ActRefused::Shelf);
        }
        if length > SHELF_WITHOUT_NOTE_MAX && !has_note {
            return Err(ActRefused::NoNote);
        }
        let severity = state.unacknowledged.iter().map(|notice| notice.severity).chain(state.severity).max();
        let severity = severity.or_else(|| self.worst_live());
        let severity =
            severity.ok_or(ActRefused::Pointless("the alarm is of late data, which never rings"))?;
        Ok(Action::Shelve { until, severity, replaces: self.ids(is_shelving) })
    }

    fn worst_live(&self) -> Option<AlarmSeverity> {
        let conditions = self.conditions().into_iter().filter(|(_, condition)| condition.live);
        conditions.filter_map(|(_, condition)| condition.change.severity()).max()
    }

    fn ids(&self, is_of_sort: fn(&Action) -> bool) -> Vec<EntryId> {
        standing(self, is_of_sort).into_iter().map(|(entry, _)| entry.id).collect()
    }

    /// Whether an act of a sort stands that is not one which ends the sort.
    fn has_standing(&self, is_of_sort: fn(&Action) -> bool, is_end: fn(&Action) -> bool) -> bool {
        standing(self, is_of_sort).into_iter().any(|(_, action)| !is_end(action))
    }
}

fn is_restoration(action: &Action) -> bool {
    matches!(action, Action::Restore { .. })
}

fn is_unshelving(action: &Action) -> bool {
    matches!(action, Action::Unshelve { .. })
}
