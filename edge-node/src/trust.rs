//! Whom this node believes, and where its hubs are: as it was enrolled, and as signed lists of the hub have changed
//! that since.
//!
//! Lists of authorities are kept one after another: each counts because one that was trusted before it has signed
//! it, so a start checks them all again from the enrolment on. A list that was altered on the disk ends nothing: what
//! was in force without it stays.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use delivery::{DocumentHead, DocumentKind, DocumentSignature, HeldDocument};
use provisioning::{
    Authorities, HubList, HubListError, Identity, IdentityError, SignatureError, TrustChangeError,
    changed_trust,
};
use serde::{Deserialize, Serialize};
use tracing::{info, warn};

/// Folder in the data directory.
const FOLDER: &str = "hub-lists";

/// The authorities and hubs in force.
pub struct Trust {
    folder: PathBuf,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Absent until the node is enrolled: then nothing is believed.
    authorities: Option<Authorities>,
    trust: Option<HeldDocument>,
    endpoints: Option<(HeldDocument, HubList)>,
    /// Why a list of the hub is not in force.
    problem: Option<String>,
}

/// Why a list of the hub is neither kept nor used.
#[derive(Debug, thiserror::Error)]
pub enum ListRefused {
    /// Its authorities.
    #[error(transparent)]
    Authorities(#[from] TrustChangeError),
    /// Its hubs.
    #[error(transparent)]
    Hubs(#[from] HubListError),
    /// The disk.
    #[error("it cannot be written")]
    Keep(#[source] std::io::Error),
    /// It was replaced before.
    #[error("STO-DOCUMENT-OLD: number {held} is in force here, and was made after it")]
    Old {
        /// The number in force.
        held: u32,
    },
    /// It is a document of a mission.
    #[error("it is not about a node")]
    OfMission,
    /// Nobody who counts signed it.
    #[error("STO-DOCUMENT-SIGNATURE: {0}")]
    Signature(String),
}

/// A list as it is kept.
#[derive(Deserialize, Serialize)]
struct KeptList {
    head: DocumentHead,
    text: String,
}

impl Trust {
    /// What an identity and the lists beside it in the data directory say. Blocks.
    pub fn open(data_directory: &Path, identity: Option<&Identity>) -> Self {
        let authorities = identity.and_then(|identity| match Authorities::from_der(&identity.authorities) {
            Ok(authorities) => Some(authorities),
            Err(error) => {
                warn!(%error, "the authorities of the enrolment cannot be read, documents of the hub are not used");
                None
            }
        });
        Self::of(data_directory, authorities)
    }

    /// What these authorities and the lists in the data directory say. Blocks.
    pub fn of(data_directory: &Path, authorities: Option<Authorities>) -> Self {
        let trust = Self {
            folder: data_directory.join(FOLDER),
            state: Mutex::new(State { authorities, ..State::default() }),
        };
        let mut kept = trust.kept();
        // Numbers grow with the time they were made at, whatever the kind.
        kept.sort_by_key(|(_, list)| (list.head.number, list.head.kind));
        for (path, KeptList { head, text }) in kept {
            match trust.check(&head, &text) {
                Ok(checked) => trust.apply(&head, checked),
                Err(reason) => trust.refuse(&head, &format!("{}: {reason}", path.display())),
            }
        }
        trust
    }

    /// As [`open`](Self::open), for commands beside a node that does not run.
    pub fn of_directory(data_directory: &Path) -> Result<Self, IdentityError> {
        Ok(Self::open(data_directory, Identity::load(data_directory)?.as_ref()))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether an authority that is trusted now has signed a message.
    pub fn verify(&self, message: &[u8], signature: &DocumentSignature) -> Result<(), String> {
        let state = self.state();
        let authorities = state.authorities.as_ref().ok_or("this node is not enrolled")?;
        let verified = authorities.verify(message, signature.authority, &signature.bytes);
        verified.map_err(|error: SignatureError| error.to_string())
    }

    /// A list came whole: it is kept, and in force from the next connection on. Blocks.
    pub fn take(&self, head: &DocumentHead, text: String) -> Result<(), ListRefused> {
        let is_held = self.holds().contains(&head.held());
        if is_held {
            return Ok(());
        }
        let checked = self.check(head, &text)?;
        self.keep(&KeptList { head: head.clone(), text }).map_err(ListRefused::Keep)?;
        self.apply(head, checked);
        self.state().problem = None;
        info!(kind = ?head.kind, number = head.number, "list of the hub is in force");
        Ok(())
    }

    /// A list that is not in force, and why; told until the next one is.
    pub fn refuse(&self, head: &DocumentHead, reason: &str) {
        let (kind, number) = (head.kind.word(), head.number);
        warn!(kind, number, reason, "list of the hub cannot be used, what was in force stays");
        self.state().problem = Some(format!("{kind} {number} of the hub is not in force here: {reason}"));
    }

    /// Why a list is not in force.
    pub fn problem(&self) -> Option<String> {
        self.state().problem.clone()
    }

    /// What the hub is told.
    pub fn holds(&self) -> Vec<HeldDocument> {
        let state = self.state();
        state.endpoints.iter().map(|(held, _)| *held).chain(state.trust).collect()
    }

    /// Certificates of the authorities whose hubs are believed, DER; those of the identity when it has no others.
    pub fn certificates(&self) -> Vec<Vec<u8>> {
        self.state().authorities.as_ref().map(Authorities::certificates).unwrap_or_default()
    }

    /// Addresses of the hubs in the list; empty without one.
    pub fn hubs(&self) -> Vec<String> {
        let state = self.state();
        let hubs = state.endpoints.iter().flat_map(|(_, list)| &list.hubs);
        hubs.map(|hub| hub.address.clone()).collect()
    }

    /// Everything that must be right before a list is kept, its signature first.
    fn check(&self, head: &DocumentHead, text: &str) -> Result<Checked, ListRefused> {
        self.verify(&head.signed_bytes(), &head.signature).map_err(ListRefused::Signature)?;
        if delivery::DocumentHash::of(text) != head.hash {
            return Err(ListRefused::Signature("its text has another hash than was signed".to_owned()));
        }
        let held = self.holds().into_iter().find(|held| held.kind == head.kind);
        if let Some(held) = held.filter(|held| held.number >= head.number) {
            return Err(ListRefused::Old { held: held.number });
        }
        match head.kind {
            DocumentKind::Endpoints => Ok(Checked::Endpoints(HubList::from_text(text)?)),
            DocumentKind::Trust => Ok(Checked::Trust(changed_trust(text, head.signature.authority)?)),
            DocumentKind::AlarmRules
            | DocumentKind::DetectionRules
            | DocumentKind::Dictionary
            | DocumentKind::Limits
            | DocumentKind::Model => Err(ListRefused::OfMission),
        }
    }

    fn apply(&self, head: &DocumentHead, checked: Checked) {
        let mut state = self.state();
        match checked {
            Checked::Endpoints(list) => state.endpoints = Some((head.held(), list)),
            Checked::Trust(authorities) => {
                (state.authorities, state.trust) = (Some(authorities), Some(head.held()));
            }
        }
    }

    /// Whole when the power goes: written beside, synced, renamed.
    fn keep(&self, list: &KeptList) -> std::io::Result<()> {
        std::fs::create_dir_all(&self.folder)?;
        let path = self.folder.join(format!("{}-{}.json", list.head.kind.word(), list.head.number));
        let unfinished = path.with_extension("unfinished");
        let mut file = std::fs::File::create(&unfinished)?;
        file.write_all(&serde_json::to_vec_pretty(list).map_err(std::io::Error::other)?)?;
        file.sync_all()?;
        std::fs::rename(unfinished, path)?;
        std::fs::File::open(&self.folder)?.sync_all()
    }

    fn kept(&self) -> Vec<(PathBuf, KeptList)> {
        let entries = std::fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let paths = entries.map(|entry| entry.path());
        let paths = paths.filter(|path| path.extension().is_some_and(|ending| ending == "json"));
        let read = |path: PathBuf| {
            let list = std::fs::read(&path).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
            if list.is_none() {
                warn!(path = %path.display(), "a kept list of the hub cannot be read and is not used");
                self.state().problem = Some(format!("{} cannot be read and is not used", path.display()));
            }
            Some((path, list?))
        };
        paths.filter_map(read).collect()
    }
}

/// A list that may be used.
enum Checked {
    Endpoints(HubList),
    Trust(Authorities),
}

#[cfg(test)]
mod tests;
