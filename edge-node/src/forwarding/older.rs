//! Journals from before: set aside because they were damaged or are not the ones the hub knows, or left by another
//! engine. What the hub lacks of them is forwarded under their own identity, then they go.

use std::path::PathBuf;

use delivery::{LogRole, Outbox, StoreId};
use service::logging::chain;
use tokio::sync::{mpsc, watch};
use tracing::{error, info, warn};

use crate::journal::{
    JournalError, JournalHandle, JournalKey, JournalLimits, OlderDirectory, Opened, open_older, start,
};

/// Open at once: each has a thread and files of its own.
const OPEN_MAX: usize = 4;

/// Those that wait, and those that are on their way.
pub(super) struct OlderJournals {
    found: Vec<watch::Receiver<Vec<OlderDirectory>>>,
    seen: Vec<PathBuf>,
    waiting: Vec<OlderDirectory>,
    open: Vec<OlderJournal>,
    key: Option<JournalKey>,
}

/// One that is being forwarded.
struct OlderJournal {
    directory: PathBuf,
    handle: JournalHandle,
    store: StoreId,
    is_forked: bool,
    is_drained: bool,
}

impl OlderJournals {
    pub(super) fn new(found: Vec<watch::Receiver<Vec<OlderDirectory>>>, key: Option<JournalKey>) -> Self {
        Self { found, seen: Vec::new(), waiting: Vec::new(), open: Vec::new(), key }
    }

    /// Opens what was found, a few at a time; returns all that are open.
    pub(super) async fn open_waiting(&mut self) -> Vec<(JournalHandle, LogRole)> {
        for found in &mut self.found {
            for older in found.borrow_and_update().iter() {
                if !self.seen.contains(&older.path) {
                    self.seen.push(older.path.clone());
                    self.waiting.push(older.clone());
                }
            }
        }
        while self.open.len() < OPEN_MAX && !self.waiting.is_empty() {
            let OlderDirectory { path, is_forked } = self.waiting.remove(0);
            match open(path.clone(), self.key.clone()).await {
                Ok(handle) => {
                    info!(directory = %path.display(), is_forked, "a journal from before is forwarded");
                    let store = handle.state().borrow().store;
                    let journal =
                        OlderJournal { directory: path, handle, store, is_forked, is_drained: false };
                    self.open.push(journal);
                }
                // It stays where it is, and is tried again at the next start.
                Err(problem) => {
                    let text = chain(&problem);
                    error!(directory = %path.display(), error = text, "a journal from before cannot be forwarded");
                }
            }
        }
        let role = |journal: &OlderJournal| {
            if journal.is_forked { LogRole::Forked } else { LogRole::Older }
        };
        self.open.iter().map(|journal| (journal.handle.clone(), role(journal))).collect()
    }

    /// The hub knows another journal of that name.
    pub(super) fn is_forked(&mut self, store: StoreId) {
        if let Some(journal) = self.open.iter_mut().find(|journal| journal.store == store) {
            journal.is_forked = true;
        }
    }

    /// The hub has all of it; says whether that is news.
    pub(super) fn on_drained(&mut self, store: StoreId) -> bool {
        let journal = self.open.iter_mut().find(|journal| journal.store == store);
        journal.is_some_and(|journal| !std::mem::replace(&mut journal.is_drained, true))
    }

    /// Removes those that the hub has.
    pub(super) fn remove_drained(&mut self, outbox: &mut Outbox) {
        for OlderJournal { directory, handle, store, .. } in
            self.open.extract_if(.., |journal| journal.is_drained)
        {
            outbox.remove_log(store);
            drop(handle);
            match std::fs::remove_dir_all(&directory) {
                Ok(()) => {
                    info!(directory = %directory.display(), "a journal from before is at the hub, it was removed");
                }
                // The hub recognises what it has, so forwarding it again after the next start doubles nothing.
                Err(problem) => {
                    warn!(directory = %directory.display(), %problem, "a journal from before stays");
                }
            }
        }
    }

    /// Whether another session would have other journals.
    pub(super) fn has_changed(&self) -> bool {
        let is_drained = self.open.iter().any(|journal| journal.is_drained);
        is_drained || self.found.iter().any(|found| found.has_changed().unwrap_or(false))
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
