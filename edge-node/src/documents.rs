//! What the hub sent of missions' dictionaries and limits: kept on disk, in force in the node's own view, and told
//! to the hub, which sends what is missing. Whatever is not signed by an authority that is trusted now changes
//! nothing; lists about the node itself go to [`Trust`].

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use delivery::{
    DocumentHead, DocumentSignature, HELD_DOCUMENTS_MAX, HELD_MISSIONS_MAX, HeldDocument, Holds,
    IncomingDocument, MissionHolds, TransferError,
};
use mission_database::{MissionDatabase, VersionNumber};
use service::documents::{
    DocumentError, DocumentFolder, DocumentKind, FolderContents, MissionDocument, OfNode, Watching,
    with_document,
};
use service::logging::chain;
use tokio::sync::watch;
use tracing::{debug, info, warn};

use crate::status::NodeStatus;
use crate::trust::{ListRefused, Trust};
use crate::view::View;

/// Folder in the data directory, as [`service::mission::load`] reads it.
const FOLDER: &str = "dictionaries";

/// The documents of the missions that this node receives.
pub struct NodeDocuments {
    folder: PathBuf,
    view: Arc<View>,
    status: Arc<NodeStatus>,
    trust: Arc<Trust>,
    /// Locked while a document is checked and written, so that one at a time is: only where blocking is allowed.
    missions: Mutex<BTreeMap<String, Known>>,
    holds: watch::Sender<Holds>,
    watching: watch::Sender<BTreeMap<String, Arc<Watching>>>,
}

#[derive(Default)]
struct Known {
    held: BTreeSet<HeldDocument>,
    /// Those of them that say how the mission is watched.
    watching: Vec<MissionDocument>,
    /// Why the hub's documents are not in force, by kind and number; of those whose signature does not say that they
    /// are the hub's, the last alone.
    refused: BTreeMap<Option<(delivery::DocumentKind, u32)>, String>,
}

impl Known {
    fn problem(&self) -> Option<String> {
        self.refused.values().next().cloned()
    }
}

/// What is in force with a document that was taken.
struct Taken {
    database: MissionDatabase,
    /// The document, when it says how the mission is watched.
    watching: Option<MissionDocument>,
}

/// Why a document of the hub is neither kept nor used.
#[derive(Debug, thiserror::Error)]
enum Refused {
    #[error(transparent)]
    Document(#[from] DocumentError),
    #[error("it cannot be written")]
    Keep(#[source] std::io::Error),
    #[error(transparent)]
    List(#[from] ListRefused),
    #[error("the hub's dictionary 1 is not here")]
    NoFirst,
    #[error(transparent)]
    OfNode(#[from] OfNode),
    #[error("STO-DOCUMENT-SIGNATURE: {0}")]
    Signature(String),
    #[error(transparent)]
    Transfer(#[from] TransferError),
}

impl NodeDocuments {
    /// Reads what is kept of the missions that links receive. Blocks.
    pub fn open<'m>(
        data_directory: &Path,
        received: impl Iterator<Item = &'m str>,
        view: Arc<View>,
        status: Arc<NodeStatus>,
        trust: Arc<Trust>,
    ) -> Self {
        let folder = data_directory.join(FOLDER);
        let names: BTreeSet<&str> = received.collect();
        if names.len() > HELD_MISSIONS_MAX {
            warn!(
                missions = names.len(),
                taken = HELD_MISSIONS_MAX,
                "the hub's documents are asked for some missions only"
            );
        }
        let known = |name: &str| {
            let verify = |message: &[u8], signature: &DocumentSignature| trust.verify(message, signature);
            let contents = DocumentFolder::new(&folder, name).read(&verify);
            let held = in_force(&contents);
            let watching = contents.documents.into_iter().filter(|document| !document.kind.is_of_database());
            (name.to_owned(), Known { held, watching: watching.collect(), refused: BTreeMap::new() })
        };
        let missions: BTreeMap<_, _> = names.into_iter().take(HELD_MISSIONS_MAX).map(known).collect();
        let holds = watch::channel(holds(&missions, &trust)).0;
        let watching = watch::channel(watching(&missions)).0;
        let documents = Self { folder, view, status, trust, missions: Mutex::new(missions), holds, watching };
        if documents.trust.problem().is_some() {
            documents.tell(&documents.missions());
        }
        documents
    }

    fn missions(&self) -> MutexGuard<'_, BTreeMap<String, Known>> {
        self.missions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the hub is told; it changes with each document that is kept.
    pub fn holds(&self) -> watch::Receiver<Holds> {
        self.holds.subscribe()
    }

    /// What says how missions are watched, of those that the hub sent something for.
    pub fn watching(&self) -> watch::Receiver<BTreeMap<String, Arc<Watching>>> {
        self.watching.subscribe()
    }

    /// Whether the hub was asked for documents of a mission; of the node (absent) it always is.
    pub fn wants(&self, mission: Option<&str>) -> bool {
        mission
            .is_none_or(|mission| self.holds.borrow().missions.iter().any(|wanted| wanted.mission == mission))
    }

    /// A document came whole. It is kept and used when it fits to what is there. Blocks.
    pub fn on_received(&self, document: IncomingDocument) {
        let head = document.head().clone();
        let mut missions = self.missions();
        let Some(mission) = &head.mission else { return self.take_list(document, &mut missions) };
        let (Some(known), Some(in_force)) = (missions.get_mut(mission), self.view.database(mission)) else {
            return;
        };
        match self.take(document, &in_force, known) {
            Ok(Taken { database, watching: taken }) => {
                known.watching.extend(taken);
                known.held.retain(|held| (held.kind, held.number) != (head.kind, head.number));
                known.held.insert(head.held());
                known.refused.remove(&Some((head.kind, head.number)));
                known.refused.remove(&None);
                self.show(mission, database, &missions);
                self.holds.send_replace(holds(&missions, &self.trust));
                self.watching.send_replace(watching(&missions));
                info!(mission, kind = ?head.kind, number = head.number, "document of the hub is in force");
            }
            Err(Refused::Transfer(error @ TransferError::Cut { .. })) => {
                // A session that ends takes what it was sending with it.
                debug!(mission, number = head.number, %error, "a document did not arrive whole");
            }
            Err(error) => {
                let is_signed = !matches!(error, Refused::Signature(_));
                self.refuse(&head, is_signed, &chain(&error), &mut missions, in_force);
            }
        }
    }

    /// A list about the node came whole. Documents of missions that only an authority has signed which is trusted no
    /// more are asked for again, to be signed by another one: until then they stay in force.
    fn take_list(&self, document: IncomingDocument, missions: &mut BTreeMap<String, Known>) {
        let head = document.head().clone();
        let taken = verified(document, &self.trust)
            .and_then(|(head, text)| self.trust.take(&head, text).map_err(Refused::from));
        match taken {
            Ok(()) => {
                for (name, known) in &mut *missions {
                    let kept = kept(&self.folder, name, &self.trust);
                    known.held.retain(|held| kept.contains(held));
                }
                self.holds.send_replace(holds(missions, &self.trust));
            }
            Err(Refused::Transfer(error @ TransferError::Cut { .. })) => {
                debug!(number = head.number, %error, "a list did not arrive whole");
            }
            Err(error) => self.trust.refuse(&head, &chain(&error)),
        }
        self.tell(missions);
    }

    /// A document came that is not what its head said.
    pub fn on_damaged(&self, head: &DocumentHead, error: &TransferError) {
        let mut missions = self.missions();
        let Some(mission) = &head.mission else {
            self.trust.refuse(head, &error.to_string());
            return self.tell(&missions);
        };
        if let Some(in_force) = self.view.database(mission) {
            self.refuse(head, false, &error.to_string(), &mut missions, in_force);
        }
    }

    fn take(
        &self,
        document: IncomingDocument,
        in_force: &MissionDatabase,
        known: &Known,
    ) -> Result<Taken, Refused> {
        let (head, text) = verified(document, &self.trust)?;
        let folder = DocumentFolder::new(&self.folder, head.scope());
        let signature = head.signature.clone();
        let document = MissionDocument::received(head, text)?;
        let is_first = document.kind == DocumentKind::Dictionary && document.number == 1;
        // Until then the configured file stands in for it, which a later start would not know.
        if !is_first && !known.held.iter().any(is_first_dictionary) {
            return Err(Refused::NoFirst);
        }
        // Upon what is in force, and not all anew: parameters must keep their numbers while the node runs.
        let database = with_document(in_force, &document)?;
        folder.keep(&document, &signature).map_err(Refused::Keep)?;
        Ok(Taken { database, watching: (!document.kind.is_of_database()).then_some(document) })
    }

    fn refuse(
        &self,
        head: &DocumentHead,
        is_signed: bool,
        reason: &str,
        missions: &mut BTreeMap<String, Known>,
        in_force: MissionDatabase,
    ) {
        let (mission, kind, number) = (head.scope(), head.kind, head.number);
        warn!(mission, ?kind, number, reason, "document of the hub cannot be used, what was in force stays");
        if let Some(known) = missions.get_mut(mission) {
            let word = DocumentKind::try_from(kind).map_or("document", DocumentKind::word);
            let problem = format!("{word} {number} of the hub is not in force here: {reason}");
            known.refused.insert(is_signed.then_some((kind, number)), problem);
        }
        self.show(mission, in_force, missions);
    }

    /// Uses a database. What was wrong before the hub sent anything counts no longer.
    fn show(&self, mission: &str, database: MissionDatabase, missions: &BTreeMap<String, Known>) {
        let problem = missions.get(mission).and_then(Known::problem);
        self.view.use_documents(mission, database, problem);
        self.tell(missions);
    }

    /// What people are told at the node's own page.
    fn tell(&self, missions: &BTreeMap<String, Known>) {
        let of_mission =
            |(name, known): (&String, &Known)| Some(format!("mission {name}: {}", known.problem()?));
        self.status.on_documents(self.trust.problem().or_else(|| missions.iter().find_map(of_mission)));
    }
}

/// The text of a document that an authority has signed which is trusted now: nothing else is even unpacked.
fn verified(document: IncomingDocument, trust: &Trust) -> Result<(DocumentHead, String), Refused> {
    let head = document.head();
    trust.verify(&head.signed_bytes(), &head.signature).map_err(Refused::Signature)?;
    Ok(document.finish()?)
}

/// What is kept of a mission and in force, as far as it is signed.
fn kept(folder: &Path, mission: &str, trust: &Trust) -> BTreeSet<HeldDocument> {
    let verify = |message: &[u8], signature: &DocumentSignature| trust.verify(message, signature);
    in_force(&DocumentFolder::new(folder, mission).read(&verify))
}

fn is_first_dictionary(held: &HeldDocument) -> bool {
    held.kind == delivery::DocumentKind::Dictionary && held.number == 1
}

/// What of a folder is in force. The rest counts as missing, so that the hub sends it again: then it fits, or the
/// reason why not is shown. Without the first dictionary nothing has its place in time.
fn in_force(contents: &FolderContents) -> BTreeSet<HeldDocument> {
    let Some(database) = &contents.database else { return BTreeSet::new() };
    let is_in_force = |document: &&MissionDocument| match document.kind {
        DocumentKind::Dictionary => {
            database.versions().iter().any(|version| version.number == VersionNumber(document.number))
        }
        DocumentKind::Limits => database.limits().iter().any(|limits| limits.number == document.number),
        DocumentKind::AlarmRules | DocumentKind::DetectionRules | DocumentKind::Model => true,
    };
    let held: BTreeSet<_> =
        contents.documents.iter().filter(is_in_force).map(MissionDocument::held).collect();
    if held.iter().any(is_first_dictionary) { held } else { BTreeSet::new() }
}

fn watching(missions: &BTreeMap<String, Known>) -> BTreeMap<String, Arc<Watching>> {
    let of_mission = |(name, known): (&String, &Known)| {
        let said = (!known.watching.is_empty()).then(|| Arc::new(Watching::of(&known.watching)))?;
        Some((name.clone(), said))
    };
    missions.iter().filter_map(of_mission).collect()
}

/// What goes into one frame. Documents beyond its bound are sent again in each session, which does no harm.
fn holds(missions: &BTreeMap<String, Known>, trust: &Trust) -> Holds {
    let mut room = HELD_DOCUMENTS_MAX;
    let of_mission = |(name, known): (&String, &Known)| {
        let documents: Vec<_> = known.held.iter().copied().take(room).collect();
        room -= documents.len();
        MissionHolds { mission: name.clone(), documents }
    };
    Holds { node: trust.holds(), missions: missions.iter().map(of_mission).collect() }
}

#[cfg(test)]
pub(crate) mod tests;
