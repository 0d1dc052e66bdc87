//! How the records of the hub's own links are read: by the documents that are in force at the hub.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};

use intake::Readers;
use processing::MissionDecoder;
use service::documents;
use service::mission::LoadedMission;
use tokio::sync::watch;
use tracing::error;

use crate::missions::Missions;

/// What reads each mission's records.
pub(super) struct HubReaders {
    missions: Vec<Reader>,
}

struct Reader {
    name: String,
    /// Replaced when documents are imported, and counted.
    decoder: RwLock<(u64, MissionDecoder)>,
    documents: AtomicU64,
}

impl HubReaders {
    pub(super) fn new(loaded: &[LoadedMission]) -> Self {
        let reader = |mission: &LoadedMission| Reader {
            name: mission.name.clone(),
            decoder: RwLock::new((0, mission.decoder.clone())),
            documents: AtomicU64::default(),
        };
        Self { missions: loaded.iter().map(reader).collect() }
    }

    /// Takes over what is imported since `changes` began, until nothing can be imported any more.
    pub(super) async fn follow(&self, missions: &Missions, mut changes: watch::Receiver<i64>) {
        while changes.changed().await.is_ok() {
            for reader in &self.missions {
                reader.read_by(missions);
            }
        }
    }
}

impl Reader {
    fn read_by(&self, missions: &Missions) {
        let Some(found) = missions.documents_of(&self.name) else { return };
        match documents::database(&found) {
            Ok(database) => {
                let mut decoder = self.decoder.write().unwrap_or_else(PoisonError::into_inner);
                let (number, known) = &*decoder;
                *decoder = (number + 1, known.with_database(database));
                self.documents.store(decoder.0, Ordering::Release);
            }
            Err(error) => {
                error!(mission = self.name, %error, "imported documents cannot be read, links judge by those before");
            }
        }
    }
}

impl Readers for HubReaders {
    fn documents(&self, mission: usize) -> u64 {
        self.missions[mission].documents.load(Ordering::Acquire)
    }

    fn decoder(&self, mission: usize) -> (u64, MissionDecoder) {
        self.missions[mission].decoder.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
