//! What the thread does when the journal fails: the node goes on recording, and nothing acknowledged is lost.

use delivery::{BatchSequence, Severity};
use service::logging::chain;
use tracing::{debug, error, info};

use super::{Opened, Opening, Writer, state_of};
use crate::journal::JournalError;
use crate::journal::events::event;

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
        self.recover();
    }

    fn recover(&mut self) {
        for opening in [Opening::Again, Opening::Anew] {
            match self.reopen(opening) {
                Ok(()) => return,
                Err(error) => {
                    error!(cause = chain(&error), ?opening, "the journal failed again");
                    // Nothing is wrong with the files: beginning anew would mend nothing.
                    if is_passing(&error) {
                        break;
                    }
                }
            }
        }
        self.close();
    }

    /// Opens the journal and commits what waits.
    fn reopen(&mut self, opening: Opening) -> Result<(), JournalError> {
        // The old one is closed first: it holds the lock.
        self.journal = None;
        let opened = (self.opener)(opening)?;
        self.install(opened)?;
        let batches = self.try_commit()?;
        self.on_committed(batches);
        Ok(())
    }

    fn install(&mut self, opened: Opened) -> Result<(), JournalError> {
        let Opened { mut journal, salvaged, events } = opened;
        self.tell(events);
        self.publish_salvaged.send_modify(|known| {
            let new: Vec<_> = salvaged.into_iter().filter(|path| !known.contains(path)).collect();
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
        let is_full = self.publish.borrow().is_full;
        let state = state_of(&*journal);
        self.committed = state.head;
        self.journal = Some(journal);
        self.publish.send_modify(|published| *published = crate::journal::JournalState { is_full, ..state });
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
        match self.reopen(Opening::Again) {
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
        JournalError::Engine { source, .. } => source.downcast_ref::<std::io::Error>().is_some_and(|error| {
            matches!(
                error.kind(),
                std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem
            )
        }),
    }
}
