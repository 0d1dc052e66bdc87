//! Documents of missions on their way to nodes: what a node lacks, one after another, each on a stream of its own.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use delivery::{DOCUMENT_PART_BYTES_MAX, DocumentHash, Frame, HeldDocument, Holds, MissionHolds, pack_text};
use link::{Closed, Connection, FrameError};
use service::documents::MissionDocument;
use service::logging::chain;
use service::metric::Metric;
use tokio::sync::{Semaphore, watch};
use tokio::task::spawn_blocking;
use tracing::{info, warn};
use uuid::Uuid;

use crate::missions::Missions;

/// Below acknowledgements, which have what streams start with: a dictionary can fill a thin link for minutes.
const PRIORITY: i32 = -1;
/// Hashing and packing go one after another: of a new version every node wants the same in the same second.
const PREPARED_AT_ONCE: usize = 1;

/// The documents of all missions, as sessions send them.
pub(super) struct Shelf {
    missions: Arc<Missions>,
    turn: Semaphore,
    shelved: Mutex<HashMap<String, Arc<Shelved>>>,
    /// Packed texts, as long as some session sends them.
    packed: Mutex<HashMap<DocumentHash, Weak<Vec<u8>>>>,
}

/// A mission's documents, and how nodes name them.
struct Shelved {
    documents: Arc<[MissionDocument]>,
    held: Vec<HeldDocument>,
}

/// A document that a node lacks.
struct Missing {
    mission: String,
    shelved: Arc<Shelved>,
    place: usize,
}

/// Why a document did not leave.
#[derive(Debug, thiserror::Error)]
enum SendError {
    #[error("the stream broke")]
    Stream(#[from] FrameError),
    #[error("it is longer than the protocol allows")]
    TooLong,
}

impl From<Closed> for SendError {
    fn from(closed: Closed) -> Self {
        Self::Stream(FrameError::Lost(closed))
    }
}

impl Missing {
    fn document(&self) -> &MissionDocument {
        &self.shelved.documents[self.place]
    }

    fn held(&self) -> HeldDocument {
        self.shelved.held[self.place]
    }
}

impl Shelf {
    pub(super) fn new(missions: Arc<Missions>) -> Self {
        let turn = Semaphore::new(PREPARED_AT_ONCE);
        Self { missions, turn, shelved: Mutex::default(), packed: Mutex::default() }
    }

    /// Sends a node what it lacks, now and whenever there is more, until the connection ends.
    pub(super) async fn supply(
        self: Arc<Self>,
        connection: Connection,
        node: Uuid,
        mut holds: watch::Receiver<Holds>,
    ) {
        let mut changes = self.missions.changes();
        // Never twice in a session: a node that refuses a document would get it without end.
        let mut sent = HashSet::new();
        loop {
            changes.mark_unchanged();
            let said = holds.borrow_and_update().clone();
            for missing in self.missing(&said, &sent).await {
                let (document, mission) = (missing.document(), &missing.mission);
                let (kind, number) = (document.kind.word(), document.number);
                match self.send(&connection, &missing).await {
                    Ok(()) => {
                        Metric::HubDocumentsSent.add(1);
                        info!(%node, mission, kind, number, "document was sent");
                    }
                    Err(SendError::Stream(FrameError::Lost(_))) => return,
                    Err(error) => {
                        warn!(%node, mission, kind, number, error = chain(&error), "document was not taken");
                    }
                }
                sent.insert((missing.mission.clone(), missing.held()));
            }
            let is_over = tokio::select! {
                changed = holds.changed() => changed.is_err(),
                changed = changes.changed() => changed.is_err(),
            };
            if is_over {
                return;
            }
        }
    }

    async fn missing(&self, holds: &Holds, sent: &HashSet<(String, HeldDocument)>) -> Vec<Missing> {
        let mut missing = Vec::new();
        for MissionHolds { mission, documents } in &holds.missions {
            // One that is not configured here is not this hub's business.
            let Some(shelved) = self.shelved(mission).await else { continue };
            let known: HashSet<&HeldDocument> = documents.iter().collect();
            let has = |held: &HeldDocument| known.contains(held) || sent.contains(&(mission.clone(), *held));
            let places = lacking(&shelved.held, has);
            let shelved = |place| Missing { mission: mission.clone(), shelved: Arc::clone(&shelved), place };
            missing.extend(places.into_iter().map(shelved));
        }
        missing
    }

    async fn send(&self, connection: &Connection, missing: &Missing) -> Result<(), SendError> {
        let (document, held) = (missing.document(), missing.held());
        let packed = self.packed(missing).await.ok_or(SendError::TooLong)?;
        let head = document.head(&missing.mission, held.hash, packed.len() as u64);
        let mut stream = connection.open_uni().await?;
        stream.set_priority(PRIORITY);
        let (kind, body) = Frame::Document(head).encode();
        stream.write(kind, &[&body]).await?;
        for part in packed.chunks(DOCUMENT_PART_BYTES_MAX) {
            stream.send(Frame::DOCUMENT_PART, &[part]).await?;
        }
        stream.finish().await?;
        Ok(stream.delivered().await?)
    }

    /// A mission's documents with their hashes, worked out once for each change.
    async fn shelved(&self, mission: &str) -> Option<Arc<Shelved>> {
        let documents = self.missions.documents_of(mission)?;
        let _turn = self.turn.acquire().await.ok()?;
        if let Some(known) = locked(&self.shelved).get(mission)
            && Arc::ptr_eq(&known.documents, &documents)
        {
            return Some(Arc::clone(known));
        }
        let shelving = spawn_blocking(move || {
            let held = documents.iter().map(MissionDocument::held).collect();
            Arc::new(Shelved { documents, held })
        });
        let shelved = shelving.await.ok()?;
        locked(&self.shelved).insert(mission.to_owned(), Arc::clone(&shelved));
        Some(shelved)
    }

    /// A document's text as it travels.
    async fn packed(&self, missing: &Missing) -> Option<Arc<Vec<u8>>> {
        let hash = missing.held().hash;
        let _turn = self.turn.acquire().await.ok()?;
        if let Some(packed) = locked(&self.packed).get(&hash).and_then(Weak::upgrade) {
            return Some(packed);
        }
        let (shelved, place) = (Arc::clone(&missing.shelved), missing.place);
        let packing = spawn_blocking(move || pack_text(&shelved.documents[place].content));
        let packed = Arc::new(packing.await.ok().flatten()?);
        let mut all = locked(&self.packed);
        all.retain(|_, packed| packed.strong_count() > 0);
        all.insert(hash, Arc::downgrade(&packed));
        Some(packed)
    }
}

/// Places of what a node lacks, in the order in which it can use it: dictionaries first, each kind by number.
fn lacking(shelved: &[HeldDocument], has: impl Fn(&HeldDocument) -> bool) -> Vec<usize> {
    let mut places: Vec<usize> = (0..shelved.len()).filter(|&place| !has(&shelved[place])).collect();
    places.sort_by_key(|&place| shelved[place]);
    places
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use delivery::DocumentKind::{Dictionary, Limits};

    use super::*;

    #[test]
    fn a_node_gets_what_it_lacks_with_that_hash_and_dictionaries_before_limits() {
        let held = |kind, number, hash| HeldDocument { kind, number, hash: DocumentHash([hash; 32]) };
        let shelved =
            [held(Limits, 1, 1), held(Dictionary, 10, 2), held(Dictionary, 9, 3), held(Limits, 2, 4)];
        let check = |has: &[HeldDocument], expected: &[usize]| {
            assert_eq!(lacking(&shelved, |held| has.contains(held)), expected, "{has:?}");
        };
        check(&[], &[2, 1, 0, 3]);
        check(&[held(Dictionary, 9, 3), held(Limits, 1, 1)], &[1, 3]);
        check(&[held(Dictionary, 9, 7), held(Limits, 9, 3)], &[2, 1, 0, 3]);
        check(&shelved, &[]);
    }
}
