//! The committer: gathers batches of all sessions, commits them together, and never guesses.
//!
//! After a failure it is unknown whether the transaction was carried out. A new connection first waits until the
//! old one is really over, then the lanes' watermarks say which batches are in the ledger; only the others are
//! written again.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use delivery::BatchSequence;
use service::metric::Metric;
use tokio::sync::{mpsc, watch};
use tracing::{error, info, warn};

use crate::archive::{
    Archive, ArchiveError, CommitGroup, Committed, ConnectFailure, Database, GroupOutcome, LaneKey, Ledger,
    Received,
};
use crate::fleet::Fleet;

/// Batches that wait to be committed: beyond, sessions wait, and QUIC tells the nodes.
pub const SUBMISSIONS_MAX: usize = 1_024;
const GROUP_BATCHES_MAX: usize = 1_024;
const GROUP_BYTES_MAX: usize = 8 << 20;
/// What the writer's lock may take to come free after its holder was killed.
const LOCK_WAIT: Duration = Duration::from_secs(20);
const RETRY_WAIT: Duration = Duration::from_millis(250);
/// Committed groups that wait to be decoded; beyond, commits wait.
pub const DECODE_GROUPS_MAX: usize = 16;

/// How a lane's commits stand, as its session sees them.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Progress {
    /// Everything up to here is committed.
    Committed(Option<BatchSequence>),
    /// Another session has the lane.
    Fenced,
}

/// A batch and whom to tell.
pub struct Submission {
    /// The batch.
    pub received: Received,
    /// The session.
    pub progress: Arc<watch::Sender<Progress>>,
}

/// The one writer of the ledger.
pub struct Committer {
    database: Database,
    ledger: Option<Ledger>,
    next_ledger_id: i64,
    fleet: Arc<Fleet>,
    decode: mpsc::Sender<Vec<Committed>>,
}

impl Committer {
    /// Takes the writer's place. Waits for an earlier writer's connection to be over.
    pub async fn open(
        database: Database,
        fleet: Arc<Fleet>,
        decode: mpsc::Sender<Vec<Committed>>,
    ) -> Result<Self, ConnectFailure> {
        let ledger = Ledger::new(database.connect_as_writer(LOCK_WAIT).await?);
        let next_ledger_id = ledger.newest().await? + 1;
        Ok(Self { database, ledger: Some(ledger), next_ledger_id, fleet, decode })
    }

    /// Commits until all sessions are gone.
    pub async fn run(mut self, mut submissions: mpsc::Receiver<Submission>) -> anyhow::Result<()> {
        let mut waiting = VecDeque::new();
        let mut gathered = Vec::with_capacity(GROUP_BATCHES_MAX);
        loop {
            if waiting.is_empty() {
                if submissions.recv_many(&mut gathered, GROUP_BATCHES_MAX).await == 0 {
                    return Ok(());
                }
                waiting.extend(gathered.drain(..));
            }
            // What came while the last group was committed is the next group; nobody waits on purpose.
            while let (Ok(more), true) = (submissions.try_recv(), waiting.len() < GROUP_BATCHES_MAX) {
                waiting.push_back(more);
            }
            let mut bytes = 0;
            let take = waiting
                .iter()
                .take_while(|submission| {
                    bytes += submission.received.batch.bytes().len();
                    bytes <= GROUP_BYTES_MAX
                })
                .count()
                .max(1);
            let group = waiting.drain(..take).collect();
            self.commit(group).await;
        }
    }

    async fn commit(&mut self, mut group: Vec<Submission>) {
        while !group.is_empty() {
            let committed_at = service::clock::now();
            let numbered: Vec<(i64, Received)> = (self.next_ledger_id..)
                .zip(&group)
                .map(|(number, submission)| (number, submission.received.clone()))
                .collect();
            let attempt = match &mut self.ledger {
                Some(ledger) => ledger.commit(&CommitGroup { batches: &numbered, committed_at }).await,
                None => Err(ArchiveError::Connect("not connected".into())),
            };
            match attempt {
                Ok(outcomes) => {
                    let fenced: Vec<LaneKey> = outcomes
                        .iter()
                        .filter(|(_, outcome)| *outcome == GroupOutcome::Fenced)
                        .map(|(lane, _)| *lane)
                        .collect();
                    if fenced.is_empty() {
                        self.on_committed(&group, numbered).await;
                        return;
                    }
                    group.retain(|submission| {
                        let stays = !fenced.contains(&submission.received.lane);
                        if !stays {
                            submission.progress.send_replace(Progress::Fenced);
                        }
                        stays
                    });
                }
                Err(failure) => group = self.resolve(failure, group, numbered).await,
            }
        }
    }

    /// Connects anew and finds out which batches are in the ledger; returns those that are not.
    async fn resolve(
        &mut self,
        failure: ArchiveError,
        group: Vec<Submission>,
        numbered: Vec<(i64, Received)>,
    ) -> Vec<Submission> {
        Metric::HubIngestRetries.add(1);
        let cause = std::error::Error::source(&failure).map(ToString::to_string).unwrap_or_default();
        warn!(error = %failure, cause, "commit did not go through, nodes keep what is not acknowledged");
        self.ledger = None;
        let lanes: Vec<LaneKey> = group.iter().map(|submission| submission.received.lane).collect();
        let watermarks = loop {
            match self.reconnect(&lanes).await {
                Ok(watermarks) => break watermarks,
                Err(error) => {
                    tracing::debug!(%error, "database is still away");
                    tokio::time::sleep(RETRY_WAIT).await;
                }
            }
        };
        info!("database is back");
        let is_in = |received: &Received| {
            watermarks
                .get(&received.lane)
                .is_some_and(|&watermark| received.batch.header.sequence.0 <= watermark)
        };
        let (done, open): (Vec<_>, Vec<_>) =
            group.into_iter().zip(numbered).partition(|(_, (_, received))| is_in(received));
        let (done, numbered): (Vec<_>, Vec<_>) = done.into_iter().unzip();
        if !done.is_empty() {
            self.on_committed(&done, numbered).await;
        }
        open.into_iter().map(|(submission, _)| submission).collect()
    }

    async fn reconnect(&mut self, lanes: &[LaneKey]) -> Result<HashMap<LaneKey, u64>, ConnectFailure> {
        let ledger = Ledger::new(self.database.connect_as_writer(LOCK_WAIT).await?);
        let watermarks = ledger.watermarks(lanes).await?;
        self.ledger = Some(ledger);
        Ok(watermarks)
    }

    async fn on_committed(&mut self, group: &[Submission], numbered: Vec<(i64, Received)>) {
        self.next_ledger_id = numbered.last().map_or(self.next_ledger_id, |(number, _)| number + 1);
        Metric::HubIngestCommits.add(1);
        Metric::HubIngestBatches.add(numbered.len() as u64);
        for (submission, (_, received)) in group.iter().zip(&numbered) {
            let header = &received.batch.header;
            Metric::HubIngestRecords.add(u64::from(header.records));
            Metric::HubIngestBytes.add(received.batch.bytes().len() as u64);
            self.fleet.on_committed(received.lane.node, u64::from(header.records));
            submission.progress.send_replace(Progress::Committed(Some(header.sequence)));
        }
        let committed = numbered
            .into_iter()
            .map(|(ledger_id, received)| Committed {
                ledger_id,
                node: received.lane.node,
                batch: received.batch,
            })
            .collect();
        if self.decode.send(committed).await.is_err() {
            error!("the decoding thread is gone; what is committed is shown after a restart");
        }
    }
}

/// Decodes committed groups until the committer is gone. Blocks: run it on its own thread, apart from the QUIC
/// driver, whose acknowledgements it would delay (measured).
pub fn decode(archive: &Archive, mut groups: mpsc::Receiver<Vec<Committed>>) {
    while let Some(group) = groups.blocking_recv() {
        archive.ingest(&group);
    }
}
