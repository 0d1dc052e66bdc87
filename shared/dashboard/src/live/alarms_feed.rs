//! A subscription to a mission's alarms: all that are open, then each that changes, as it is then.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use processing::alarm::AlarmId;
use tokio::sync::broadcast::{Receiver, error::RecvError};

use super::mission_feed::Announcement;
use super::pace::Pace;
use super::stream::opened;
use super::update::{AlarmsTold, LiveUpdate, SnapshotPart, UpdateBody};
use crate::alarms::{AlarmBook, AlarmPlace, Describer, Known};

/// Alarms of one event: some 100 KiB, and 4 MiB if each has as many notices as an alarm can have.
const ALARMS_MAX: usize = 100;
/// Changed alarms that wait; beyond, the open ones are told anew. Only their ids wait, 160 KiB of them.
const WAITING_MAX: usize = 10_000;
/// From when all that changed was told to the next change: which alarms belong together is looked up for it, and of an
/// alarm that changes faster than people read only what it is in the end.
const INTERVAL: Duration = Duration::from_millis(200);

/// What is told next.
enum Stage {
    Changes,
    /// The open alarms behind a place, or from the first on.
    Snapshot(Option<AlarmPlace>),
}

pub(super) struct AlarmsFeed {
    announcement: Option<Announcement>,
    book: Arc<AlarmBook>,
    changes: Receiver<AlarmId>,
    stage: Stage,
    changed: BTreeSet<AlarmId>,
    dropped: u64,
    pace: Pace,
}

impl AlarmsFeed {
    pub(super) fn new(book: Arc<AlarmBook>, resume: Option<&str>) -> Self {
        let reason = resume.map(|_| "all open alarms are told at the beginning in any case".to_owned());
        Self {
            announcement: Some(Announcement { resumed: false, reason }),
            // Before the first look at what is open, so that nothing falls between.
            changes: book.subscribe(),
            book,
            stage: Stage::Snapshot(None),
            changed: BTreeSet::new(),
            dropped: 0,
            pace: Pace::new(INTERVAL),
        }
    }

    pub(super) fn next(&mut self, id: &str) -> Option<LiveUpdate> {
        if self.announcement.is_some() {
            return opened(&mut self.announcement, id);
        }
        let (alarms, snapshot) = match self.stage {
            Stage::Snapshot(after) => {
                let (alarms, part) = self.snapshot(after);
                (alarms, Some(part))
            }
            Stage::Changes => (self.take_changed()?, None),
        };
        let describer = Describer::new(&self.book, service::clock::now());
        let alarms = alarms.iter().map(|known| describer.alarm(known)).collect();
        let body =
            UpdateBody::Alarms(AlarmsTold { mission: self.book.mission().to_owned(), alarms, snapshot });
        let dropped = std::mem::take(&mut self.dropped);
        Some(LiveUpdate { id: Some(id.to_owned()), body, dropped, cursor: None })
    }

    fn snapshot(&mut self, after: Option<AlarmPlace>) -> (Vec<Arc<Known>>, SnapshotPart) {
        let mut open = self.book.open();
        open.retain(|known| after.is_none_or(|after| known.place() > after));
        let more = open.len() > ALARMS_MAX;
        open.truncate(ALARMS_MAX);
        let last = open.last().filter(|_| more).map(|known| known.place());
        self.stage = last.map_or(Stage::Changes, |last| Stage::Snapshot(Some(last)));
        (open, SnapshotPart { is_first: after.is_none(), more })
    }

    fn take_changed(&mut self) -> Option<Vec<Arc<Known>>> {
        if self.changed.is_empty() || !self.pace.allows() {
            return None;
        }
        let first: Vec<AlarmId> = self.changed.iter().take(ALARMS_MAX).copied().collect();
        for alarm in &first {
            self.changed.remove(alarm);
        }
        if self.changed.is_empty() {
            self.pace.begin();
        }
        // One that has left memory since was told when it closed, or stays open for whoever knows of it.
        Some(first.into_iter().filter_map(|alarm| self.book.known(alarm)).collect())
    }

    /// Takes in what comes; returns when there may be something to send. It may be dropped half-way.
    pub(super) async fn changed(&mut self) {
        let change = tokio::select! {
            biased;
            () = self.pace.over() => return,
            change = self.changes.recv() => change,
        };
        match change {
            Ok(alarm) => {
                self.changed.insert(alarm);
            }
            Err(RecvError::Lagged(changes)) => self.begin_anew(changes),
            // The mission is gone, and nothing of it will change.
            Err(RecvError::Closed) => return std::future::pending().await,
        }
        if self.changed.len() > WAITING_MAX {
            self.begin_anew(0);
        }
    }

    fn begin_anew(&mut self, missed: u64) {
        self.dropped += missed + self.changed.len() as u64;
        self.changed.clear();
        self.stage = Stage::Snapshot(None);
    }
}
