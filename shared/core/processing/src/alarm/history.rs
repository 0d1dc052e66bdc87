//! The history of one alarm: a set of entries that merges with another one of the same alarm.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry as Place;

use serde::{Serialize, Serializer, ser::SerializeStruct};
use space_packet::{GenerationTime, TaiTime};

use super::entry::{Condition, Entry, EntryError, Fact};
use super::identity::{AlarmId, EntryId, Subject};

/// Conditions that one place writes into a history; then the alarm goes on as another one. A parameter that comes and
/// goes without end fills it in two hours if its rule merges within a minute.
pub const CONDITIONS_MAX: usize = 256;
/// Acts that may be added to a history here. Merging takes more: what somebody did elsewhere is never lost.
pub const ACTS_MAX: usize = 1_000;

/// All that is known of one alarm.
///
/// Equal sets of entries are equal histories. Merging is a union: in any order, grouped in any way, and as often as one
/// likes, the result is the same.
#[derive(Clone, Debug, PartialEq)]
pub struct History {
    alarm: AlarmId,
    subject: Subject,
    first: GenerationTime,
    entries: BTreeMap<EntryId, Entry>,
}

impl History {
    /// An alarm of which nothing is known yet: about a subject, since its first occurrence.
    pub fn new(subject: Subject, first: GenerationTime) -> Self {
        Self { alarm: subject.alarm(first), subject, first, entries: BTreeMap::new() }
    }

    /// Which alarm it is.
    pub fn alarm(&self) -> AlarmId {
        self.alarm
    }

    /// What it is about.
    pub fn subject(&self) -> &Subject {
        &self.subject
    }

    /// Generation time of its first occurrence.
    pub fn first(&self) -> GenerationTime {
        self.first
    }

    /// The entry with an id.
    pub fn entry(&self, id: EntryId) -> Option<&Entry> {
        self.entries.get(&id)
    }

    /// All entries as people read them: by the time at which they were made, as far as clocks agree.
    pub fn entries(&self) -> Vec<&Entry> {
        let mut entries: Vec<&Entry> = self.entries.values().collect();
        entries.sort_by_key(|entry| (entry.recorded, entry.id));
        entries
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether nothing is known of the alarm.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Takes an entry, from here or elsewhere; whether that changed anything.
    ///
    /// Two entries with one id are of one event, seen at two places. Which of them stays depends on nothing but them.
    pub fn insert(&mut self, entry: Entry) -> Result<bool, EntryError> {
        entry.check()?;
        let forged = entry.condition().is_some_and(|condition| condition.id_in(self.alarm) != entry.id);
        if forged {
            return Err(EntryError::Id);
        }
        Ok(match self.entries.entry(entry.id) {
            Place::Vacant(vacant) => {
                vacant.insert(entry);
                true
            }
            Place::Occupied(mut known) => {
                let is_first = rank(&entry) < rank(known.get());
                if is_first {
                    known.insert(entry);
                }
                is_first
            }
        })
    }

    /// Takes all that another history of the same alarm knows; whether that changed anything. One of another alarm
    /// changes nothing.
    pub fn merge(&mut self, other: &Self) -> bool {
        let same = other.alarm == self.alarm;
        let entries = other.entries.values().filter(|_| same);
        // What is in a history was checked when it came in.
        entries.fold(false, |changed, entry| self.insert(entry.clone()).unwrap_or(false) | changed)
    }

    /// What the condition went through, in its order, with the ids of the entries.
    pub(super) fn conditions(&self) -> Vec<(EntryId, &Condition)> {
        let conditions = self.entries.values().filter_map(|entry| Some((entry.id, entry.condition()?)));
        let conditions = conditions.filter(|(_, condition)| condition.change.counts());
        let mut conditions: Vec<_> = conditions.collect();
        conditions.sort_by_key(|(id, condition)| (condition.number, condition.generation, *id));
        conditions
    }

    /// How many entries are acts.
    pub(super) fn acts(&self) -> usize {
        self.entries.values().filter(|entry| matches!(entry.fact, Fact::Act(_))).count()
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Entry> {
        self.entries.values()
    }
}

/// As answers show it, entries in the order of [`History::entries`].
impl Serialize for History {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut history = serializer.serialize_struct("History", 4)?;
        history.serialize_field("alarm", &self.alarm)?;
        history.serialize_field("subject", &self.subject)?;
        history.serialize_field("first", &self.first.0.to_string())?;
        history.serialize_field("entries", &self.entries())?;
        history.end()
    }
}

/// An order of entries with one id that every place finds alike.
fn rank(entry: &Entry) -> (TaiTime, Vec<u8>) {
    (entry.recorded, postcard::to_stdvec(entry).unwrap_or_default())
}
