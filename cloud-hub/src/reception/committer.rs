//! The committer: gathers batches of all sessions, commits them together, and never guesses.
//!
//! After a failure it is unknown whether the transaction was carried out. A new connection first waits until the
//! old one is really over; then the ledger itself says whether the group is in it.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use delivery::{BatchSequence, CommitVerdict, judge_group};
use service::logging::chain;
use service::metric::Metric;
use tokio::sync::{mpsc, watch};
use tracing::{error, info, warn};

use crate::archive::{
    Archive, ArchiveError, CommitGroup, Committed, ConnectFailure, Database, LaneKey, Ledger, Received,
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
            while waiting.len() < GROUP_BATCHES_MAX
                && let Ok(more) = submissions.try_recv()
            {
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

    async fn commit(&mut self, group: Vec<Submission>) {
        let mut groups = VecDeque::from([judge(group)]);
        while let Some(group) = groups.pop_front() {
            if group.is_empty() {
                continue;
            }
            let committed_at = service::clock::now();
            let numbered: Vec<(i64, Received)> = (self.next_ledger_id..)
                .zip(&group)
                .map(|(number, submission)| (number, submission.received.clone()))
                .collect();
            let asked = CommitGroup { batches: &numbered, committed_at };
            let attempt = match &mut self.ledger {
                Some(ledger) => ledger.commit(&asked).await,
                None => Err(ArchiveError::Connect("not connected".into())),
            };
            match attempt {
                Ok(fenced) if fenced.is_empty() => self.on_committed(&group, numbered).await,
                Ok(fenced) => {
                    let (fenced, rest) =
                        group.into_iter().partition(|submission| fenced.contains(&submission.received.lane));
                    fence(fenced);
                    groups.push_front(rest);
                }
                Err(failure) => {
                    if self.is_committed(&failure, &asked).await {
                        self.on_committed(&group, numbered).await;
                    } else if failure.refuses_data() {
                        isolate(&failure, group, &mut groups);
                    } else {
                        groups.push_front(group);
                    }
                }
            }
        }
    }

    /// Connects anew, however long it takes, and finds out whether the transaction was carried out.
    async fn is_committed(&mut self, failure: &ArchiveError, asked: &CommitGroup<'_>) -> bool {
        Metric::HubIngestRetries.add(1);
        warn!(error = chain(failure), "commit did not go through, nodes keep what is not acknowledged");
        self.ledger = None;
        loop {
            tokio::time::sleep(RETRY_WAIT).await;
            match self.reconnect(asked).await {
                Ok(is_committed) => {
                    info!(is_committed, "database is back");
                    return is_committed;
                }
                Err(error) => tracing::debug!(error = chain(&error), "database is still away"),
            }
        }
    }

    async fn reconnect(&mut self, asked: &CommitGroup<'_>) -> Result<bool, ConnectFailure> {
        let ledger = Ledger::new(self.database.connect_as_writer(LOCK_WAIT).await?);
        let is_committed = ledger.holds(asked).await?;
        if !is_committed {
            self.next_ledger_id = ledger.newest().await? + 1;
        }
        self.ledger = Some(ledger);
        Ok(is_committed)
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

/// Ends the sessions of what may not go into a transaction; returns the rest.
fn judge(group: Vec<Submission>) -> Vec<Submission> {
    let verdicts = {
        let batches: Vec<_> = group
            .iter()
            .map(|Submission { received, .. }| (received.lane, received.session, &received.batch))
            .collect();
        judge_group(&batches)
    };
    let (fit, unfit): (Vec<_>, Vec<_>) =
        group.into_iter().zip(verdicts).partition(|(_, verdict)| *verdict == CommitVerdict::Commit);
    fence(unfit.into_iter().map(|(submission, _)| submission).collect());
    fit.into_iter().map(|(submission, _)| submission).collect()
}

/// Something in the group can never be committed: each lane is tried by itself, and the one at fault loses its
/// session, so that it cannot hold up the others.
fn isolate(failure: &ArchiveError, group: Vec<Submission>, groups: &mut VecDeque<Vec<Submission>>) {
    let mut by_lane: HashMap<LaneKey, Vec<Submission>> = HashMap::new();
    for submission in group {
        by_lane.entry(submission.received.lane).or_default().push(submission);
    }
    if by_lane.len() > 1 {
        by_lane.into_values().for_each(|lane| groups.push_front(lane));
        return;
    }
    for (lane, submissions) in by_lane {
        error!(node = %lane.node, error = chain(failure), "PostgreSQL refuses a node's batch, its session ends");
        fence(submissions);
    }
}

fn fence(submissions: Vec<Submission>) {
    for submission in submissions {
        submission.progress.send_replace(Progress::Fenced);
    }
}

/// Decodes committed groups until the committer is gone. Blocks: run it on its own thread, apart from the QUIC
/// driver, whose acknowledgements it would delay (measured).
///
/// While the head holds more than `samples_max` it waits for the cutter, and commits and nodes wait with it.
pub fn decode(archive: &Archive, mut groups: mpsc::Receiver<Vec<Committed>>, samples_max: usize) {
    while let Some(group) = groups.blocking_recv() {
        if archive.is_over(samples_max) {
            warn!("segments are written too slowly, commits wait and nodes keep their data");
        }
        while archive.is_over(samples_max) && !groups.is_closed() {
            std::thread::sleep(RETRY_WAIT / 50);
        }
        archive.ingest(&group);
    }
}
