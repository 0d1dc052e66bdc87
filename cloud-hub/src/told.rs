//! What nodes are told about their hubs: the newest list of hubs and of authorities, found within a second.
//!
//! Both were signed by the hub's own authority when they were made. A list that another one signed is not given out
//! and does not count here: whoever can only write to the database cannot bring in an authority.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use delivery::DocumentKind;
use provisioning::{Authorities, Authority, IssueError};
use service::logging::chain;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::archive::{ArchiveError, NodeDocument, NodeDocuments};
use crate::fleet::Fleet;

const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// Why a list was not made. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum MakeError {
    /// PostgreSQL.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// The authority cannot sign.
    #[error(transparent)]
    Sign(#[from] IssueError),
}

/// Makes a version, signed by the hub's authority; the running hub finds it.
pub async fn make(
    table: &NodeDocuments,
    authority: &Authority,
    kind: DocumentKind,
    content: &str,
) -> Result<NodeDocument, MakeError> {
    table
        .add(kind, content, |head| {
            let bytes = authority.sign(&head.signed_bytes())?;
            Ok(delivery::DocumentSignature { authority: authority.spki_sha256(), bytes })
        })
        .await
}

/// The authorities of the newest list, or the hub's own alone; a list that does not count is told.
pub fn authorities_in(documents: &[NodeDocument], authority: &Authority) -> (Authorities, Option<String>) {
    let own = own_alone(authority);
    let Some(document) = documents.iter().find(|document| document.kind == DocumentKind::Trust) else {
        return (own, None);
    };
    let read = checked(document, &own)
        .and_then(|()| Authorities::from_pem(&document.content).map_err(|error| error.to_string()))
        .and_then(|found| {
            let holds_own = found.contains(authority.spki_sha256());
            if holds_own { Ok(found) } else { Err("it leaves the hub's own authority out".to_owned()) }
        });
    match read {
        Ok(found) => (found, None),
        Err(reason) => (own, Some(format!("trust list {} does not count: {reason}", document.number))),
    }
}

fn own_alone(authority: &Authority) -> Authorities {
    Authorities::from_der(&[authority.certificate_der().to_vec()])
        .expect("an authority's own certificate was read when it was opened")
}

fn checked(document: &NodeDocument, own: &Authorities) -> Result<(), String> {
    let signature = &document.signature;
    own.verify(&document.head().signed_bytes(), signature.authority, &signature.bytes)
        .map_err(|error| format!("STO-DOCUMENT-SIGNATURE: {error}"))
}

#[derive(Clone, Default)]
struct Current {
    found: Vec<NodeDocument>,
    /// Those of them that the hub's own authority signed.
    signed: Arc<[NodeDocument]>,
}

/// The newest lists.
pub struct Told {
    table: NodeDocuments,
    authority: Arc<Authority>,
    fleet: Arc<Fleet>,
    current: Mutex<Current>,
    changes: watch::Sender<Vec<Vec<u8>>>,
}

impl Told {
    /// Reads what the database has.
    pub async fn open(
        table: NodeDocuments,
        authority: Arc<Authority>,
        fleet: Arc<Fleet>,
    ) -> Result<Self, ArchiveError> {
        let told = Self {
            changes: watch::channel(vec![authority.certificate_der().to_vec()]).0,
            table,
            authority,
            fleet,
            current: Mutex::default(),
        };
        told.look().await?;
        Ok(told)
    }

    fn current(&self) -> MutexGuard<'_, Current> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The lists that nodes are given: those that the hub's own authority signed.
    pub fn signed(&self) -> Arc<[NodeDocument]> {
        Arc::clone(&self.current().signed)
    }

    /// The newest list of each kind, whether it counts or not.
    pub fn newest(&self) -> Vec<NodeDocument> {
        self.current().found.clone()
    }

    /// Certificates of the authorities that count, DER; changes whenever a list does.
    pub fn trusted(&self) -> watch::Receiver<Vec<Vec<u8>>> {
        self.changes.subscribe()
    }

    /// Looks for new lists until shutdown.
    pub async fn run(self: Arc<Self>, shutdown: CancellationToken) -> anyhow::Result<()> {
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return Ok(()),
                () = tokio::time::sleep(LOOK_INTERVAL) => {}
            }
            if let Err(error) = self.look().await {
                warn!(error = chain(&error), "lists for nodes could not be looked for, trying again");
            }
        }
    }

    async fn look(&self) -> Result<(), ArchiveError> {
        let found = self.table.newest().await?;
        if self.current().found == found {
            return Ok(());
        }
        let (authorities, problem) = authorities_in(&found, &self.authority);
        if let Some(problem) = &problem {
            warn!(
                problem,
                "the hub's own authority alone is trusted; make the list again: cloud-hub trust add"
            );
        }
        self.fleet.trust(authorities.ids());
        info!(lists = found.len(), authorities = authorities.ids().len(), "lists for nodes are in force");
        let own = own_alone(&self.authority);
        let signed = found.iter().filter(|document| checked(document, &own).is_ok()).cloned().collect();
        *self.current() = Current { found, signed };
        self.changes.send_replace(authorities.certificates());
        Ok(())
    }
}
