//! Alarms after ISA-18.2: what is wrong, who has dealt with it, and whom to tell when nobody has.
//!
//! An alarm is its [`History`]: a set of [`Entry`]s, of the condition and of people's acts. Its [`AlarmState`] is
//! computed from them. Histories that were written at a disconnected node and at the hub are merged by union, so the
//! order in which they come makes no difference and no act is lost (decision D40).
//!
//! Pure: the caller passes moments and the random ids of acts, stores entries before it tells anybody of them, and
//! sends what is due.

mod acts;
mod board;
mod entry;
mod escalation;
mod form;
mod furthest;
mod groups;
mod history;
mod identity;
mod pieces;
mod rules;
mod state;

#[cfg(test)]
mod tests;

pub use acts::{ActRefused, Author, Request, SHELF_MAX, SHELF_WITHOUT_NOTE_MAX};
pub use board::{Board, Observation, Written};
pub use entry::{
    Act, Action, AlarmSeverity, Cause, Change, Condition, Entry, EntryError, Fact, NAME_BYTES_MAX,
    NOTE_BYTES_MAX, Place, REPLACED_MAX, Rung, Suppression, Terms, UnknownSeverity, Usefulness,
};
pub use escalation::{
    Climb, ContactAddress, Due, DueStep, Escalation, Ladder, LocalHours, NextStep, NoStep, OnCall, Quiet,
    Repeat, Shift, Step, StepId, Target, Trigger,
};
pub use furthest::{REACHED_MAX, WorstValue};
pub use groups::{Brief, Group, GroupKind, GroupSettings, groups};
pub use history::{ACTS_MAX, CONDITIONS_MAX, History};
pub use identity::{AlarmId, EntryId, Subject};
pub use pieces::{FORMAT_VERSION, PIECE_BYTES_MAX, PIECE_ENTRIES_MAX, Piece, PieceError};
pub(crate) use rules::Pattern;
pub use rules::{AlarmRules, Resolved, RuleProblem};
pub use state::{AlarmState, CLOCK_TOLERANCE, Notice, State};
