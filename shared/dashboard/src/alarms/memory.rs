//! The alarms of a mission that are in memory: all that are open, and the newest closed ones, within bounds.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use processing::alarm::{AlarmId, AlarmState, Change, Entry, EntryId, History, Piece};
use space_packet::TaiTime;

use super::AlarmPlace;

/// Closed alarms of a mission in memory: some pages of a list. Older ones are read from where they are kept.
pub const CLOSED_MAX: usize = 1_000;
/// What the alarms of a mission may take. Beyond, closed ones leave first, and then open ones, each time the oldest: an
/// open alarm in the store is found there by its id, but is in no list until somebody wrote into it again.
pub const MEMORY_BYTES_MAX: usize = 32 * 1_024 * 1_024;
/// What an entry takes beside its note.
const ENTRY_BYTES: usize = 512;

/// An alarm, and since when this server knows what of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Known {
    /// All that is known of it.
    pub history: History,
    /// When this server first stored each notice, by its own clock; nothing of an alarm that was only read for a list.
    pub known: BTreeMap<EntryId, TaiTime>,
}

impl Known {
    /// An alarm of which everything was stored by a moment.
    pub fn new(history: History, known: TaiTime) -> Self {
        let notices = history.entries().into_iter().filter(|entry| is_notice(entry));
        let known = notices.map(|entry| (entry.id, known)).collect();
        Self { history, known }
    }

    /// Where the alarm stands at a moment.
    pub fn state(&self, now: TaiTime) -> AlarmState {
        AlarmState::of(&self.history, now)
    }

    /// Its place in lists.
    pub fn place(&self) -> AlarmPlace {
        (self.history.first(), self.history.alarm())
    }

    /// Since when there is something to acknowledge; of one without notices, since its first entry was made.
    pub fn since(&self) -> Option<TaiTime> {
        let recorded = || self.history.entries().first().map(|entry| entry.recorded);
        self.known.values().min().copied().or_else(recorded)
    }

    fn bytes(&self) -> usize {
        let note = |entry: &&Entry| entry.act().and_then(|act| act.note.as_ref()).map_or(0, String::len);
        let notes: usize = self.history.entries().iter().map(note).sum();
        self.history.len() * ENTRY_BYTES + notes
    }

    /// Takes what another one knows; whether that changed anything.
    pub(super) fn merge(&mut self, other: &Self) -> bool {
        for (entry, since) in &other.known {
            let known = self.known.entry(*entry).or_insert(*since);
            *known = (*known).min(*since);
        }
        self.history.merge(&other.history)
    }
}

/// Whether an entry asks for somebody's acknowledgement.
fn is_notice(entry: &Entry) -> bool {
    entry.condition().is_some_and(|condition| {
        condition.live && matches!(condition.change, Change::Raised { .. } | Change::Worsened { .. })
    })
}

struct Held {
    alarm: Arc<Known>,
    bytes: usize,
    is_open: bool,
    /// When it changes by itself.
    due: Option<TaiTime>,
}

#[derive(Default)]
pub(super) struct Memory {
    /// The latest moment there was: alarms are open or closed as of then.
    moment: Option<TaiTime>,
    held: BTreeMap<AlarmId, Held>,
    open: BTreeSet<AlarmPlace>,
    closed: BTreeSet<AlarmPlace>,
    bytes: usize,
    /// Open alarms that had to leave.
    left_out: u64,
    /// Counts changes.
    version: u64,
}

impl Memory {
    pub(super) fn get(&self, alarm: AlarmId) -> Option<Arc<Known>> {
        self.held.get(&alarm).map(|held| Arc::clone(&held.alarm))
    }

    /// Open alarms, the oldest first.
    pub(super) fn open(&self) -> Vec<Arc<Known>> {
        self.open.iter().filter_map(|(_, alarm)| self.get(*alarm)).collect()
    }

    /// All alarms, in no order.
    pub(super) fn all(&self) -> Vec<Arc<Known>> {
        self.held.values().map(|held| Arc::clone(&held.alarm)).collect()
    }

    /// The oldest closed alarm: older ones may be where they are kept.
    pub(super) fn oldest_closed(&self) -> Option<AlarmPlace> {
        self.closed.first().copied()
    }

    /// Another one after each change.
    pub(super) fn version(&self) -> u64 {
        self.version
    }

    pub(super) fn left_out(&self) -> u64 {
        self.left_out
    }

    /// Takes entries; whether they change anything.
    pub(super) fn take(&mut self, piece: &Piece, known: TaiTime) -> bool {
        let is_known =
            |held: &Held| piece.entries.iter().all(|entry| held.alarm.history.entry(entry.id) == Some(entry));
        if piece.entries.is_empty() || self.held.get(&piece.alarm()).is_some_and(is_known) {
            return false;
        }
        History::try_from(piece.clone()).is_ok_and(|history| self.put(Known::new(history, known), known))
    }

    /// Takes an alarm; whether that changes anything.
    pub(super) fn put(&mut self, alarm: Known, now: TaiTime) -> bool {
        let (id, place) = (alarm.history.alarm(), alarm.place());
        let changed = match self.held.get_mut(&id) {
            Some(held) => Arc::make_mut(&mut held.alarm).merge(&alarm),
            None => {
                let held = Held { alarm: Arc::new(alarm), bytes: 0, is_open: false, due: None };
                self.held.insert(id, held);
                true
            }
        };
        self.moment = self.moment.max(Some(now));
        self.sort_in(place);
        self.make_room();
        changed
    }

    /// Alarms that have changed by themselves by now.
    pub(super) fn on_time(&mut self, now: TaiTime) -> Vec<AlarmId> {
        self.moment = self.moment.max(Some(now));
        let is_due = |held: &&Held| held.due.is_some_and(|due| due <= now);
        let due: Vec<_> = self.held.values().filter(is_due).map(|held| held.alarm.place()).collect();
        due.iter().for_each(|place| self.sort_in(*place));
        self.make_room();
        due.into_iter().map(|(_, alarm)| alarm).collect()
    }

    fn sort_in(&mut self, place: AlarmPlace) {
        let (Some(held), Some(moment)) = (self.held.get_mut(&place.1), self.moment) else { return };
        self.version += 1;
        let state = held.alarm.state(moment);
        (held.is_open, held.due) = (!state.is_closed(), state.next_change);
        let before = std::mem::replace(&mut held.bytes, held.alarm.bytes());
        self.bytes = self.bytes - before + held.bytes;
        let (to, from) = if held.is_open {
            (&mut self.open, &mut self.closed)
        } else {
            (&mut self.closed, &mut self.open)
        };
        from.remove(&place);
        to.insert(place);
    }

    fn make_room(&mut self) {
        while self.closed.len() > CLOSED_MAX || self.bytes > MEMORY_BYTES_MAX {
            let closed = self.closed.pop_first();
            self.left_out += u64::from(closed.is_none());
            let Some((_, alarm)) = closed.or_else(|| self.open.pop_first()) else { return };
            self.bytes -= self.held.remove(&alarm).map_or(0, |held| held.bytes);
        }
    }
}
