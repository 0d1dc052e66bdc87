//! The server's own events: the newest ones, and each new one.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::broadcast;

use crate::contract::EventEntry;

/// Newest events that are kept: who subscribes is shown them, and who comes back finds there what it missed.
const KEPT_MAX: usize = 256;

/// An event and its place.
#[derive(Clone, Debug)]
pub struct LoggedEvent {
    /// Its number; later ones have higher ones.
    pub position: i64,
    /// The event.
    pub entry: EventEntry,
}

/// The newest events of a server.
pub struct EventLog {
    kept: Mutex<VecDeque<Arc<LoggedEvent>>>,
    changes: broadcast::Sender<Arc<LoggedEvent>>,
}

impl Default for EventLog {
    fn default() -> Self {
        Self { kept: Mutex::default(), changes: broadcast::channel(KEPT_MAX).0 }
    }
}

/// What stood when somebody joined, and what comes behind it.
pub(super) struct JoinedLog {
    pub(super) events: Vec<Arc<LoggedEvent>>,
    pub(super) changes: broadcast::Receiver<Arc<LoggedEvent>>,
}

impl EventLog {
    /// Adds an event whose position is higher than any before; another one is passed over.
    pub fn publish(&self, event: LoggedEvent) {
        let mut kept = self.kept();
        if kept.back().is_some_and(|newest| newest.position >= event.position) {
            return;
        }
        let event = Arc::new(event);
        kept.push_back(Arc::clone(&event));
        if kept.len() > KEPT_MAX {
            kept.pop_front();
        }
        // Fails only when nobody listens.
        let _ = self.changes.send(event);
    }

    pub(super) fn join(&self) -> JoinedLog {
        let kept = self.kept();
        JoinedLog { events: kept.iter().cloned().collect(), changes: self.changes.subscribe() }
    }

    fn kept(&self) -> MutexGuard<'_, VecDeque<Arc<LoggedEvent>>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
