//! Journals from before: set aside because they were damaged, or left by another engine. What the hub lacks of them is
//! forwarded under their own identity, then they go.

use std::collections::VecDeque;
use std::path::PathBuf;

use service::logging::chain;
use tokio::sync::{mpsc, watch};
use tracing::{error, info, warn};

use crate::journal::{JournalError, JournalHandle, JournalKey, JournalLimits, Opened, open_older, start};

/// Those that wait.
pub(super) struct OlderJournals {
    found: watch::Receiver<Vec<PathBuf>>,
    waiting: VecDeque<PathBuf>,
    seen: Vec<PathBuf>,
    open: Option<OlderJournal>,
    key: Option<JournalKey>,
}

/// One that is being forwarded.
pub(super) struct OlderJournal {
    directory: PathBuf,
    pub(super) handle: JournalHandle,
    pub(super) standing: Standing,
}

/// What becomes of an older journal.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Standing {
    /// The hub has all of it.
    Drained,
    /// It cannot be forwarded in this run; it stays on the disk.
    PassedOver,
    /// Its batches are on their way.
    Waiting,
}

impl OlderJournals {
    pub(super) fn new(mut found: watch::Receiver<Vec<PathBuf>>, key: Option<JournalKey>) -> Self {
        found.mark_changed();
        Self { found, waiting: VecDeque::new(), seen: Vec::new(), open: None, key }
    }

    /// The one to forward now, if there is one.
    pub(super) async fn next(&mut self) -> Option<&mut OlderJournal> {
        if self.found.has_changed().unwrap_or(false) {
            for directory in self.found.borrow_and_update().iter() {
                if !self.seen.contains(directory) {
                    self.seen.push(directory.clone());
                    self.waiting.push_back(directory.clone());
                }
            }
        }
        match self.open.as_ref().map(|journal| journal.standing) {
            Some(Standing::Drained) => self.remove_drained(),
            Some(Standing::PassedOver) => self.open = None,
            Some(Standing::Waiting) | None => {}
        }
        while self.open.is_none() {
            let directory = self.waiting.pop_front()?;
            match open(directory.clone(), self.key.clone()).await {
                Ok(handle) => {
                    info!(directory = %directory.display(), "an older journal is forwarded first");
                    self.open = Some(OlderJournal { directory, handle, standing: Standing::Waiting });
                }
                // It stays where it is, and is tried again at the next start.
                Err(problem) => {
                    let text = chain(&problem);
                    error!(directory = %directory.display(), error = text, "an older journal cannot be forwarded");
                }
            }
        }
        self.open.as_mut()
    }

    fn remove_drained(&mut self) {
        let Some(OlderJournal { directory, handle, .. }) = self.open.take() else { return };
        drop(handle);
        match std::fs::remove_dir_all(&directory) {
            Ok(()) => {
                info!(directory = %directory.display(), "an older journal is at the hub, it was removed");
            }
            // The hub recognises what it has, so forwarding it again after the next start doubles nothing.
            Err(problem) => warn!(directory = %directory.display(), %problem, "an older journal stays"),
        }
    }
}

/// Opens a journal on its own thread; it takes nothing new.
async fn open(directory: PathBuf, key: Option<JournalKey>) -> Result<JournalHandle, JournalError> {
    let opening = tokio::task::spawn_blocking(move || {
        let journal = open_older(&directory, key)?;
        let limits = JournalLimits::none(&directory);
        let opened = Opened { journal, salvaged: Vec::new(), events: Vec::new() };
        // What fails once is tried again with the next start.
        let opener = Box::new(|_| Err(JournalError::Closed));
        let (events, _) = mpsc::channel(1);
        let (handle, _) = start(opened, opener, limits, events)
            .map_err(JournalError::io("start the older journal's thread"))?;
        Ok(handle)
    });
    opening.await.unwrap_or(Err(JournalError::Closed))
}
