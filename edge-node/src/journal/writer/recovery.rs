//! What the thread does when the journal fails: the node goes on recording, and nothing acknowledged is lost.

use delivery::{BatchSequence, Severity};
use service::logging::chain;
use tracing::{debug, error, info};

use super::{Opened, Opening, Writer, state_of};
use crate::events::event;
use crate::journal::JournalError;
use crate::journal::sled_engine::{Unsynced, is_passing_io};

/// Longest wait before a journal that does not open is tried again.
const CLOSED_WAIT_MAX_S: u32 = 30;
/// After so many tries on a full disk, a second each, the journal is opened again.
const FULL_FAILURES: u32 = 3;

impl Writer {
    /// A full disk passes: what was not committed is undone and waits. Whatever else fails, the journal is opened again,
    /// and begun anew when that fails or it fails again at once.
    pub(super) fn on_failure(&mut self, error: &JournalError) {
        if matches!(error, JournalError::NoSpace { .. }) {
            self.give_ballast_back();
            self.full_failures += 1;
            let committed = self.committed;
            let undone = self.journal.as_mut().map(|journal| journal.discard_after(&committed));
            // sled never writes again after it met a full disk, but does not say so when there is nothing to undo.
            let is_stuck = self.full_failures.is_multiple_of(FULL_FAILURES);
            if undone.is_some_and(|undone| undone.is_ok()) && !is_stuck {
                self.stop_intake("the disk is full");
                return;
            }
        }
        error!(cause = chain(error), "the journal failed, it is opened again; nothing acknowledged is lost");
        let text = "The journal failed and was opened again.";
        self.tell(vec![event("STO-JOURNAL-FAILED", Severity::Error, text, &[("cause", chain(error))])]);
        // The system may say once that a sync failed, and call lost pages clean from then on.
        if is_unsynced(error) {
            self.begin_anew();
        } else {
            self.open_again();
        }
    }

    /// Does what reads the engine's files. Where they are corrupt the journal is opened again, and begun anew when that
    /// did not help.
    pub(super) fn insist<T>(
        &mut self,
        read: impl Fn(&mut Self) -> Result<T, JournalError>,
    ) -> Result<T, JournalError> {
        let store = self.store;
        let corrupt = match read(self) {
            Err(error @ JournalError::Corrupt(_)) => error,
            other => return other,
        };
        self.on_failure(&corrupt);
        if self.store != store {
            return Err(corrupt);
        }
        let answer = read(self);
        if let Err(error @ JournalError::Corrupt(_)) = &answer {
            error!(cause = chain(error), "the journal was opened again, and is corrupt still");
            self.begin_anew();
        }
        answer
    }

    fn open_again(&mut self) {
        let committed = self.committed;
        if let Err(error) = self.reopen(Opening::After { committed }) {
            error!(cause = chain(&error), "the journal failed again");
            // Nothing is wrong with the files: beginning anew would mend nothing.
            if is_passing(&error) {
                self.close();
            } else {
                self.begin_anew();
            }
        }
    }

    fn begin_anew(&mut self) {
        let committed = self.committed;
        if let Err(error) = self.reopen(Opening::Anew { committed }) {
            error!(cause = chain(&error), "no new journal could be begun");
            self.close();
        }
    }

    /// The hub knows another journal by this one's name: it is set aside as it is, and what waits goes into a new one.
    pub(super) fn leave_fork(&mut self) -> Result<(), JournalError> {
        // Closed after a failure it may hold what was never committed, and will be committed when it is open again.
        self.open()?;
        let left = self.store;
        let Err(error) = self.reopen(Opening::Forked) else { return Ok(()) };
        error!(cause = chain(&error), "the new journal failed, it is opened again");
        // Where the old one could not be moved, recording goes on in it; otherwise the new one is in its place by now.
        self.open_again();
        if self.store == left { Err(error) } else { Ok(()) }
    }

    /// Opens the journal and commits what waits.
    fn reopen(&mut self, opening: Opening) -> Result<(), JournalError> {
        // The old one is closed first: it holds the lock.
        self.journal = None;
        let opened = (self.opener)(opening)?;
        self.install(opened)?;
        match self.try_commit() {
            Ok(batches) => self.on_committed(batches),
            // It is sound: reading, acknowledging and pruning go on, and may be what makes room.
            Err(error @ JournalError::NoSpace { .. }) => {
                let committed = self.committed;
                self.open()?.discard_after(&committed)?;
                debug!(cause = chain(&error), "the disk is still full");
                self.stop_intake("the disk is full");
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }

    fn install(&mut self, opened: Opened) -> Result<(), JournalError> {
        let Opened { mut journal, salvaged, events } = opened;
        self.tell(events);
        self.publish_salvaged.send_modify(|known| {
            let new: Vec<_> = salvaged.into_iter().filter(|older| !known.contains(older)).collect();
            known.extend(new);
        });
        if journal.store() == self.store {
            if journal.head().number() < self.committed.number() {
                return Err(JournalError::Corrupt(
                    "batches that were committed are missing at its end".into(),
                ));
            }
            journal.discard_after(&self.committed)?;
        } else {
            // The old journal's numbers mean nothing any more.
            (self.recent, self.recent_bytes) = Default::default();
            self.safe = journal.acknowledged().unwrap_or(BatchSequence(0));
            self.store = journal.store();
            let text = "A new journal began; the hub will count it as a new epoch.";
            self.tell(vec![event("STO-JOURNAL-NEW-EPOCH", Severity::Warning, text, &[])]);
        }
        let crate::journal::JournalState { is_full, room_bytes, .. } = *self.publish.borrow();
        let state = state_of(&*journal);
        self.committed = state.head;
        self.journal = Some(journal);
        self.publish.send_modify(|published| {
            *published = crate::journal::JournalState { is_full, room_bytes, ..state };
        });
        Ok(())
    }

    fn close(&mut self) {
        self.journal = None;
        self.closed_ticks = 0;
        self.stop_intake("the journal cannot be opened");
    }

    /// Now and then, ever more seldom: the cause may be mended while the node runs.
    pub(super) fn try_to_open(&mut self) {
        self.closed_ticks += 1;
        if self.closed_ticks < self.closed_wait {
            return;
        }
        self.closed_wait = (self.closed_wait * 2).min(CLOSED_WAIT_MAX_S);
        let committed = self.committed;
        match self.reopen(Opening::After { committed }) {
            Ok(()) => info!("the journal is open again"),
            Err(error) => {
                debug!(cause = chain(&error), "the journal still does not open");
                self.close();
            }
        }
    }
}

/// Whether the cause lies outside the journal's files.
fn is_passing(error: &JournalError) -> bool {
    match error {
        JournalError::Locked { .. } | JournalError::NoSpace { .. } | JournalError::WrongKey { .. } => true,
        JournalError::Closed | JournalError::Corrupt(_) | JournalError::ReadOnly => false,
        JournalError::Engine { source, .. } => {
            source.downcast_ref::<std::io::Error>().is_some_and(is_passing_io)
        }
    }
}

fn is_unsynced(error: &JournalError) -> bool {
    matches!(error, JournalError::Engine { source, .. } if source.is::<Unsynced>())
}
