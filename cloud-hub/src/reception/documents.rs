//! Documents on their way to nodes: what a node lacks, one after another, each on a stream of its own.
//!
//! What is about the node comes first: whoever signs the rest may have changed. Documents of missions are signed when
//! they are first given out.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use delivery::{
    DOCUMENT_PART_BYTES_MAX, DocumentHash, DocumentHead, DocumentSignature, Frame, HeldDocument, Holds,
    MissionHolds, pack_text,
};
use link::{Closed, Connection, FrameError};
use provisioning::{Authority, IssueError};
use service::documents::{MissionDocument, Watching};
use service::logging::chain;
use service::metric::Metric;
use tokio::sync::{Semaphore, watch};
use tokio::task::spawn_blocking;
use tracing::{info, warn};
use uuid::Uuid;

use crate::archive::NodeDocument;
use crate::fleet::Fleet;
use crate::missions::Missions;
use crate::told::Told;

/// Below acknowledgements, which have what streams start with: a dictionary can fill a thin link for minutes.
const PRIORITY: i32 = -1;
/// Hashing and packing go one after another: of a new version every node wants the same in the same second.
const PREPARED_AT_ONCE: usize = 1;

/// All documents, as sessions send them.
pub(super) struct Shelf {
    missions: Arc<Missions>,
    told: Arc<Told>,
    fleet: Arc<Fleet>,
    authority: Arc<Authority>,
    turn: Semaphore,
    shelved: Mutex<HashMap<String, Arc<Shelved>>>,
    /// Packed texts, as long as some session sends them.
    packed: Mutex<HashMap<DocumentHash, Weak<Vec<u8>>>>,
}

/// Documents of a mission or about nodes, and their heads, signed.
struct Shelved {
    texts: Texts,
    heads: Vec<DocumentHead>,
    /// Places of those that newer ones stand in for: they stay here.
    superseded: HashSet<usize>,
}

/// Where their texts are.
enum Texts {
    Mission(Arc<[MissionDocument]>),
    Node(Vec<NodeDocument>),
}

/// A document that a node lacks.
struct Missing {
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
    fn head(&self) -> &DocumentHead {
        &self.shelved.heads[self.place]
    }

    fn text(&self) -> &str {
        match &self.shelved.texts {
            Texts::Mission(documents) => &documents[self.place].content,
            Texts::Node(documents) => &documents[self.place].content,
        }
    }
}

impl Shelf {
    pub(super) fn new(
        missions: Arc<Missions>,
        told: Arc<Told>,
        fleet: Arc<Fleet>,
        authority: Arc<Authority>,
    ) -> Self {
        let turn = Semaphore::new(PREPARED_AT_ONCE);
        Self { missions, told, fleet, authority, turn, shelved: Mutex::default(), packed: Mutex::default() }
    }

    /// Sends a node what it lacks, now and whenever there is more, until the connection ends.
    pub(super) async fn supply(
        self: Arc<Self>,
        connection: Connection,
        node: Uuid,
        mut holds: watch::Receiver<Holds>,
    ) {
        let (mut changes, mut lists) = (self.missions.changes(), self.told.trusted());
        // Never twice in a session: a node that refuses a document would get it without end.
        let mut sent = HashSet::new();
        loop {
            changes.mark_unchanged();
            lists.mark_unchanged();
            let said = holds.borrow_and_update().clone();
            for missing in self.missing(node, &said, &sent).await {
                let head = missing.head();
                let (mission, kind, number) = (head.scope(), head.kind, head.number);
                match self.send(&connection, &missing).await {
                    Ok(()) => {
                        Metric::HubDocumentsSent.add(1);
                        info!(%node, mission, ?kind, number, "document was sent");
                    }
                    Err(SendError::Stream(FrameError::Lost(_))) => return,
                    Err(error) => {
                        warn!(%node, mission, ?kind, number, error = chain(&error), "document was not taken");
                    }
                }
                sent.insert((head.mission.clone(), head.held()));
            }
            let is_over = tokio::select! {
                changed = holds.changed() => changed.is_err(),
                changed = changes.changed() => changed.is_err(),
                changed = lists.changed() => changed.is_err(),
            };
            if is_over {
                return;
            }
        }
    }

    async fn missing(
        &self,
        node: Uuid,
        holds: &Holds,
        sent: &HashSet<(Option<String>, HeldDocument)>,
    ) -> Vec<Missing> {
        let mut missing = Vec::new();
        let mut lacks = |shelved: Arc<Shelved>, documents: &[HeldDocument]| {
            let known: HashSet<&HeldDocument> = documents.iter().collect();
            let is_due = |head: &DocumentHead| {
                let held = head.held();
                !known.contains(&held) && !sent.contains(&(head.mission.clone(), held))
            };
            let mut places = lacking(&shelved.heads, is_due);
            places.retain(|place| !shelved.superseded.contains(place));
            missing.extend(places.into_iter().map(|place| Missing { shelved: Arc::clone(&shelved), place }));
        };
        // One that a node has a newer version of, of a hub whose database was set back since, it would refuse.
        let newer = |head: &DocumentHead| {
            holds.node.iter().any(|held| held.kind == head.kind && held.number > head.number)
        };
        let lists: Vec<_> = self.told.signed().iter().filter(|list| !newer(&list.head())).cloned().collect();
        let heads = lists.iter().map(NodeDocument::head).collect();
        let superseded = HashSet::new();
        lacks(Arc::new(Shelved { texts: Texts::Node(lists), heads, superseded }), &holds.node);
        for MissionHolds { mission, documents } in &holds.missions {
            if !self.fleet.may_send(node, mission) {
                continue;
            }
            // One that is not configured here is not this hub's business.
            if let Some(shelved) = self.shelved(mission).await {
                lacks(shelved, documents);
            }
        }
        missing
    }

    async fn send(&self, connection: &Connection, missing: &Missing) -> Result<(), SendError> {
        let packed = self.packed(missing).await.ok_or(SendError::TooLong)?;
        let head = DocumentHead { packed_bytes: packed.len() as u64, ..missing.head().clone() };
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

    /// A mission's documents with their signed heads, worked out once for each change.
    async fn shelved(&self, mission: &str) -> Option<Arc<Shelved>> {
        let documents = self.missions.documents_of(mission)?;
        let _turn = self.turn.acquire().await.ok()?;
        if let Some(known) = locked(&self.shelved).get(mission)
            && matches!(&known.texts, Texts::Mission(known) if Arc::ptr_eq(known, &documents))
        {
            return Some(Arc::clone(known));
        }
        let (authority, name) = (Arc::clone(&self.authority), mission.to_owned());
        let shelving = spawn_blocking(move || {
            let signed = documents.iter().map(|document| sign(document, &name, &authority));
            let heads = signed.collect::<Result<Vec<_>, _>>()?;
            let gone = Watching::superseded(&documents);
            let is_gone = |document: &MissionDocument| gone.contains(&(document.kind, document.number));
            let places = documents.iter().enumerate().filter(|(_, document)| is_gone(document));
            let superseded = places.map(|(place, _)| place).collect();
            Ok::<_, IssueError>(Arc::new(Shelved { texts: Texts::Mission(documents), heads, superseded }))
        });
        let shelved = shelving.await.ok()?;
        let shelved = shelved.inspect_err(|error| {
            warn!(mission, error = chain(error), "documents cannot be signed and stay here");
        });
        let shelved = shelved.ok()?;
        locked(&self.shelved).insert(mission.to_owned(), Arc::clone(&shelved));
        Some(shelved)
    }

    /// A document's text as it travels.
    async fn packed(&self, missing: &Missing) -> Option<Arc<Vec<u8>>> {
        let hash = missing.head().hash;
        let _turn = self.turn.acquire().await.ok()?;
        if let Some(packed) = locked(&self.packed).get(&hash).and_then(Weak::upgrade) {
            return Some(packed);
        }
        let missing = Missing { shelved: Arc::clone(&missing.shelved), place: missing.place };
        let packing = spawn_blocking(move || pack_text(missing.text()));
        let packed = Arc::new(packing.await.ok().flatten()?);
        let mut all = locked(&self.packed);
        all.retain(|_, packed| packed.strong_count() > 0);
        all.insert(hash, Arc::downgrade(&packed));
        Some(packed)
    }
}

fn sign(
    document: &MissionDocument,
    mission: &str,
    authority: &Authority,
) -> Result<DocumentHead, IssueError> {
    let mut head = document.head(mission, document.held().hash, DocumentSignature::default());
    let bytes = authority.sign(&head.signed_bytes())?;
    head.signature = DocumentSignature { authority: authority.spki_sha256(), bytes };
    Ok(head)
}

/// Places of what a node lacks, in the order in which it can use it: dictionaries before limits, each kind by number;
/// and of lists the authorities last, so that whoever signed the hubs' list is still trusted.
fn lacking(shelved: &[DocumentHead], is_due: impl Fn(&DocumentHead) -> bool) -> Vec<usize> {
    let mut places: Vec<usize> = (0..shelved.len()).filter(|&place| is_due(&shelved[place])).collect();
    places.sort_by_key(|&place| shelved[place].held());
    places
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use delivery::DocumentKind::{self, Dictionary, Limits};

    use super::*;

    fn head(kind: DocumentKind, number: u32, hash: u8) -> DocumentHead {
        DocumentHead {
            mission: Some("demo".to_owned()),
            kind,
            number,
            effective_from: None,
            effective_to: None,
            file_name: String::new(),
            bounds: None,
            author: None,
            reason: None,
            hash: DocumentHash([hash; 32]),
            text_bytes: 0,
            packed_bytes: 0,
            signature: DocumentSignature::default(),
        }
    }

    #[test]
    fn a_node_gets_what_it_lacks_with_that_hash_and_dictionaries_before_limits() {
        let shelved =
            [head(Limits, 1, 1), head(Dictionary, 10, 2), head(Dictionary, 9, 3), head(Limits, 2, 4)];
        let check = |has: &[DocumentHead], expected: &[usize]| {
            let has: Vec<_> = has.iter().map(DocumentHead::held).collect();
            assert_eq!(lacking(&shelved, |head| !has.contains(&head.held())), expected, "{has:?}");
        };
        check(&[], &[2, 1, 0, 3]);
        check(&[head(Dictionary, 9, 3), head(Limits, 1, 1)], &[1, 3]);
        check(&[head(Dictionary, 9, 7), head(Limits, 9, 3)], &[2, 1, 0, 3]);
        check(&shelved, &[]);
    }
}
