//! Batches that were carried by hand go the way of all others: a session without a network, the one committer, the
//! same checks. Imported twice they write nothing.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use delivery::{
    BatchSequence, BootId, BundleLog, BundledBatch, Credit, Inbox, InboxVerdict, LogHead, LogNumber,
    SealedBatch, Violation, Way,
};
use tokio::sync::{Notify, mpsc};
use tracing::warn;
use uuid::Uuid;

use super::committer::{Progress, SessionLane, Submission};
use crate::archive::{ApartCause, ArchiveError, Evidence, LaneKey, OpenRefused, Received, Registry};
use crate::fleet::Fleet;

/// The node's own session has been in the way so often: then somebody should decide which of both goes on.
const TRIES_MAX: u32 = 30;
const TRY_AGAIN_AFTER: Duration = Duration::from_secs(1);

/// Why an import went no further. What was committed before stays; the rest can be imported again.
#[derive(Debug, thiserror::Error)]
pub enum ImportEnd {
    /// Too many batches of the node are kept apart.
    #[error("too many batches of this node are kept apart; look at them first")]
    ApartFull,
    /// The hub stops.
    #[error("the hub stops; import again when it runs")]
    CommitterStopped,
    /// The database.
    #[error("the database does not answer; import again when it does")]
    Database(#[from] ArchiveError),
    /// The node forwards at the same time and always takes its logs back.
    #[error("the node is connected and forwards itself; it will send what is missing, or import again later")]
    Fenced,
    /// No session could be opened.
    #[error(transparent)]
    Refused(#[from] OpenRefused),
    /// Parts before this one are missing.
    #[error("it cannot be taken in this order: {0}; import the parts before it first")]
    Violation(#[from] Violation),
}

/// What became of batches.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, serde::Deserialize, serde::Serialize)]
pub struct Imported {
    /// Committed now.
    pub new: u64,
    /// Here already, the same.
    pub known: u64,
    /// Kept apart: known with another content, of a mission that the node may not send for, or unreadable.
    pub apart: u64,
}

/// Where imported batches go.
#[derive(Clone)]
pub struct Importer {
    /// Where nodes are recorded.
    pub registry: Registry,
    /// Where what is kept apart goes.
    pub evidence: Evidence,
    /// What nodes may send.
    pub fleet: Arc<Fleet>,
    /// Where batches go.
    pub committer: mpsc::Sender<Submission>,
}

struct OpenLog {
    key: LaneKey,
    lane: Arc<SessionLane>,
}

struct Session {
    number: delivery::SessionNumber,
    logs: Vec<OpenLog>,
    inbox: Inbox,
    news: Arc<Notify>,
}

/// One bundle on its way into the archive.
pub struct Import {
    importer: Importer,
    node: Uuid,
    logs: Vec<BundleLog>,
    session: Option<Session>,
    /// What became of the batches so far.
    pub imported: Imported,
}

impl Importer {
    /// Begins to import batches of these logs of a node, whose places number them.
    pub fn begin(&self, node: Uuid, logs: &[BundleLog]) -> Import {
        let (importer, logs) = (self.clone(), logs.to_vec());
        Import { importer, node, logs, session: None, imported: Imported::default() }
    }
}

impl Import {
    /// Takes batches in, and returns when they are committed. Should the node connect meanwhile, both take turns.
    pub async fn take(&mut self, batches: &[BundledBatch]) -> Result<(), ImportEnd> {
        // Of them what was submitted before a session of the node came in between is new, though it is here then.
        let mut submitted = BTreeSet::new();
        for _ in 0..TRIES_MAX {
            let mut imported = Imported::default();
            match self.try_take(batches, &mut submitted, &mut imported).await {
                Err(ImportEnd::Fenced) => {
                    self.session = None;
                    tokio::time::sleep(TRY_AGAIN_AFTER).await;
                }
                taken => {
                    taken?;
                    self.imported.new += imported.new;
                    self.imported.known += imported.known;
                    self.imported.apart += imported.apart;
                    return Ok(());
                }
            }
        }
        Err(ImportEnd::Fenced)
    }

    async fn try_take(
        &mut self,
        batches: &[BundledBatch],
        submitted: &mut BTreeSet<(u8, u64)>,
        imported: &mut Imported,
    ) -> Result<(), ImportEnd> {
        let mut session = match self.session.take() {
            Some(session) => session,
            None => self.open().await?,
        };
        for found in batches {
            let (log, batch) = (LogNumber(found.log), &found.batch);
            let place = (found.log, batch.header.sequence.0);
            let key = session.logs[usize::from(found.log)].key;
            match session.inbox.on_batch(log, Way::Import, batch) {
                Ok(InboxVerdict::Commit) => {
                    let is_apart = self.submit(&session, found).await?;
                    submitted.insert(place);
                    *(if is_apart { &mut imported.apart } else { &mut imported.new }) += 1;
                }
                Ok(InboxVerdict::Duplicate) => imported.known += 1,
                Ok(InboxVerdict::Compare) if self.is_in_ledger(key, batch).await? => {
                    let count =
                        if submitted.contains(&place) { &mut imported.new } else { &mut imported.known };
                    *count += 1;
                }
                // What only partly continues what is here is as good as another content.
                Ok(InboxVerdict::Compare | InboxVerdict::Fork | InboxVerdict::KeepApart)
                | Err(Violation::Overlap { .. }) => {
                    if !self.importer.evidence.keep_apart(key, batch, ApartCause::Fork).await? {
                        return Err(ImportEnd::ApartFull);
                    }
                    imported.apart += 1;
                }
                Err(violation) => return Err(violation.into()),
            }
        }
        self.settle(&mut session).await?;
        self.session = Some(session);
        Ok(())
    }

    /// Opens a session as the node's own run of its process would, so that the node is not taken for a second machine.
    async fn open(&self) -> Result<Session, ImportEnd> {
        let registry = &self.importer.registry;
        let boot = registry.boot(self.node).await?.unwrap_or(BootId(*Uuid::new_v4().as_bytes()));
        let mut heads = Vec::with_capacity(self.logs.len());
        for log in &self.logs {
            // An older bundle ends before what is committed by now, which makes it no fork.
            let known = registry.position(self.node, log.store, log.lane).await?;
            let end = known.map_or(0, |(committed, _)| committed.end()).max(log.last);
            let head = Some(BatchSequence(end));
            heads.push(LogHead { lane: log.lane, store: log.store, head, is_forked: false });
        }
        let opened = registry.open_session(self.node, boot, &heads).await??;
        let news = Arc::new(Notify::new());
        let logs = opened.logs.iter().map(|(key, log)| OpenLog {
            key: *key,
            lane: Arc::new(SessionLane::new(log, Duration::ZERO, Arc::clone(&news))),
        });
        let logs = logs.collect();
        // The file is read no faster than it is committed, so nothing else bounds what is under way.
        let credit = Credit { alarm_bytes: u64::MAX, telemetry_bytes: u64::MAX, linger_ms: 0 };
        let inbox = Inbox::new(heads.into_iter().zip(opened.logs.into_iter().map(|(_, log)| log)), credit);
        Ok(Session { number: opened.session, logs, inbox, news })
    }

    /// Hands a batch to the committer; whether it goes apart.
    async fn submit(&self, session: &Session, found: &BundledBatch) -> Result<bool, ImportEnd> {
        let open = &session.logs[usize::from(found.log)];
        let apart = if !self.importer.fleet.may_send(self.node, &found.batch.header.mission) {
            Some(ApartCause::Mission)
        } else if found.batch.open().is_err() {
            Some(ApartCause::Unreadable)
        } else {
            None
        };
        if let Some(cause) = apart {
            warn!(node = %self.node, batch = found.batch.header.sequence.0, ?cause, "a batch carried by hand is kept apart");
        }
        let received = Received {
            lane: open.key,
            session: session.number,
            way: Way::Import,
            batch: found.batch.clone(),
            apart,
        };
        let submission = Submission { received, lane: Arc::clone(&open.lane) };
        self.importer.committer.send(submission).await.map_err(|_| ImportEnd::CommitterStopped)?;
        Ok(apart.is_some())
    }

    /// Waits until everything submitted is committed.
    async fn settle(&self, session: &mut Session) -> Result<(), ImportEnd> {
        while session.inbox.pending() > 0 {
            tokio::select! {
                () = session.news.notified() => {}
                () = self.importer.committer.closed() => return Err(ImportEnd::CommitterStopped),
            }
            for (index, open) in session.logs.iter().enumerate() {
                match open.lane.take_news() {
                    Some(Progress::Committed(ranges)) => {
                        let safe = open.lane.safe();
                        session.inbox.on_committed(LogNumber(index as u8), ranges, safe);
                    }
                    Some(Progress::Fenced) => return Err(ImportEnd::Fenced),
                    None => {}
                }
            }
        }
        Ok(())
    }

    async fn is_in_ledger(&self, lane: LaneKey, batch: &SealedBatch) -> Result<bool, ArchiveError> {
        let known = self.importer.registry.chain_in_ledger(lane, batch.header.sequence).await?;
        Ok(known == Some(batch.position().hash))
    }
}
