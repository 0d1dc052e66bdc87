//! The log of alarms as others use it: from threads that may wait for the disk, and from tasks that may not.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use dashboard::alarms::{AlarmPlace, Answer, Keeper};
use futures_util::FutureExt;
use processing::alarm::{AlarmId, Board, History, Piece};
use space_packet::TaiTime;
use tokio::sync::Notify;

use super::store::{Origin, Store};
use super::{history, unread};

/// The log, and a bell for whoever forwards what is written here.
pub(super) struct SharedStore {
    store: Mutex<Store>,
    pub(super) written: Notify,
}

impl SharedStore {
    pub(super) fn new(store: Store) -> Self {
        Self { store: Mutex::new(store), written: Notify::new() }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps pieces durably. Blocks.
    pub(super) fn keep(&self, pieces: &[Piece], origin: Origin, now: TaiTime) -> std::io::Result<()> {
        self.lock().keep(pieces, origin, now)?;
        if origin == Origin::Here {
            self.written.notify_one();
        }
        Ok(())
    }

    /// Does something with the log where it may wait for the disk.
    pub(super) async fn with<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Self) -> std::io::Result<T> + Send + 'static,
    ) -> std::io::Result<T> {
        let shared = Arc::clone(self);
        tokio::task::spawn_blocking(move || work(&shared)).await.map_err(std::io::Error::other)?
    }
}

/// Where acts on a mission's alarms become durable.
pub(super) struct MissionKeeper {
    pub(super) store: Arc<SharedStore>,
    pub(super) board: Arc<Mutex<Board>>,
}

impl Keeper for MissionKeeper {
    fn keep(&self, piece: Piece) -> Answer<'_, ()> {
        async move {
            let kept = piece.clone();
            let keep = |shared: &SharedStore| shared.keep(&[kept], Origin::Here, service::clock::now());
            self.store.with(keep).await.map_err(|failure| unread(&failure))?;
            if let Some(act) = history(&piece) {
                self.board.lock().unwrap_or_else(PoisonError::into_inner).on_history(&act);
            }
            Ok(())
        }
        .boxed()
    }

    fn kept<'a>(&'a self, mission: &'a str, alarm: AlarmId) -> Answer<'a, Option<History>> {
        async move {
            let found = self.store.with(move |shared| shared.lock().history(alarm)).await;
            let found = found.map_err(|failure| unread(&failure))?;
            Ok(found.map(|(history, _)| history).filter(|history| history.subject().mission == mission))
        }
        .boxed()
    }

    fn closed_before<'a>(
        &'a self,
        mission: &'a str,
        before: AlarmPlace,
        count: usize,
    ) -> Answer<'a, Vec<History>> {
        async move {
            let mission = mission.to_owned();
            let now = service::clock::now();
            let found =
                self.store.with(move |shared| shared.lock().closed_before(&mission, before, count, now));
            found.await.map_err(|failure| unread(&failure))
        }
        .boxed()
    }
}
