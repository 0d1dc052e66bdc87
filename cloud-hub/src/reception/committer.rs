//! The committer: gathers batches of all sessions, commits them together, and never guesses.
//!
//! After a failure it is unknown whether the transaction was carried out. A new connection first waits until the
//! old one is really over; then the ledger itself says whether the group is in it.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use delivery::{CommitVerdict, LaneChange, OpenedLog, Ranges, SafeTrail, SessionNumber, judge_group};
use service::logging::chain;
use service::metric::Metric;
use space_packet::TaiTime;
use tokio::sync::{Notify, mpsc, watch};
use tracing::{error, info, warn};
use uuid::Uuid;

use crate::archive::{
    ArchiveError, CommitGroup, Committed, CommittedGroup, ConnectFailure, Database, Evidence, LaneKey,
    Ledger, Newest, PieceRefused, Place, Publisher, Received, Stream,
};
use crate::fleet::Fleet;

/// Batches that wait to be committed: beyond, sessions wait, and QUIC tells the nodes.
pub const SUBMISSIONS_MAX: usize = 1_024;
const GROUP_BATCHES_MAX: usize = 1_024;
const GROUP_BYTES_MAX: usize = 8 << 20;
/// What the writer's lock may take to come free after its holder was killed.
const LOCK_WAIT: Duration = Duration::from_secs(20);
const RETRY_WAIT: Duration = Duration::from_millis(250);
/// What nodes wait at least, and at most when the hub is loaded.
const LINGER_MS_MIN: u16 = 2;
const LINGER_MS_MAX: u16 = 100;
/// Batches a second that do not trouble the hub, and those at which nodes shall gather as long as they may. A batch
/// costs the hub about 42 us, whatever its size.
const BATCHES_AT_EASE: f64 = 2_000.0;
const BATCHES_LOADED: f64 = 12_000.0;
const RATE_WINDOW: Duration = Duration::from_millis(500);
/// Committed groups that wait to be decoded; beyond, commits wait.
pub const DECODE_GROUPS_MAX: usize = 16;

/// How a lane's commits stand, as its session sees them.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Progress {
    /// So much is committed.
    Committed(Ranges),
    /// Another session has the lane.
    Fenced,
}

/// A lane in the hands of a session. What it says to be committed is what the lane's row has, as long as no other
/// session took the lane.
pub struct SessionLane {
    standing: Mutex<Standing>,
    began: Instant,
    /// Wakes the session.
    news: Arc<Notify>,
}

struct Standing {
    progress: Progress,
    is_news: bool,
    safe: SafeTrail,
}

impl SessionLane {
    /// A lane just opened; what is committed is safe after `delay`. `news` is told when it changes.
    pub fn new(opened: &OpenedLog, delay: Duration, news: Arc<Notify>) -> Self {
        let committed = opened.committed.clone();
        let safe = SafeTrail::new(delay, committed.watermark(), opened.safe, Duration::ZERO);
        let standing = Standing { progress: Progress::Committed(committed), is_news: false, safe };
        Self { standing: Mutex::new(standing), began: Instant::now(), news }
    }

    fn standing(&self) -> MutexGuard<'_, Standing> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How it stands, if that has changed since the last call.
    pub fn take_news(&self) -> Option<Progress> {
        let mut standing = self.standing();
        std::mem::take(&mut standing.is_news).then(|| standing.progress.clone())
    }

    /// A batch of a journal that is another one is kept apart; returns what of those the node may forget.
    pub fn on_kept(&self, sequence: u64) -> u64 {
        self.standing().safe.on_committed(sequence, self.began.elapsed());
        self.safe()
    }

    /// What the node may forget now.
    pub fn safe(&self) -> u64 {
        self.standing().safe.safe(self.began.elapsed())
    }

    fn committed(&self) -> Option<Ranges> {
        match &self.standing().progress {
            Progress::Committed(ranges) => Some(ranges.clone()),
            Progress::Fenced => None,
        }
    }

    fn on_committed(&self, ranges: Ranges) {
        self.standing().safe.on_committed(ranges.watermark(), self.began.elapsed());
        self.set(Progress::Committed(ranges));
    }

    fn set(&self, progress: Progress) {
        let mut standing = self.standing();
        (standing.progress, standing.is_news) = (progress, true);
        drop(standing);
        self.news.notify_one();
    }
}

/// A batch and whom to tell.
pub struct Submission {
    /// The batch.
    pub received: Received,
    /// Its lane.
    pub lane: Arc<SessionLane>,
}

/// How busy the committer is, as sessions tell their nodes.
#[derive(Debug, Default)]
pub struct Load {
    linger_ms: AtomicU16,
}

impl Load {
    /// How long nodes may wait for more records before they seal a batch: batches cost the hub more than their bytes.
    pub fn linger_ms(&self) -> u16 {
        self.linger_ms.load(Ordering::Relaxed).max(LINGER_MS_MIN)
    }

    fn on_rate(&self, batches_per_s: f64) {
        let share = ((batches_per_s - BATCHES_AT_EASE) / (BATCHES_LOADED - BATCHES_AT_EASE)).clamp(0.0, 1.0);
        let range = f64::from(LINGER_MS_MAX - LINGER_MS_MIN);
        self.linger_ms.store(LINGER_MS_MIN + (range * share) as u16, Ordering::Relaxed);
    }
}

/// Why nothing more can be committed.
#[derive(Clone, Copy, Debug, thiserror::Error)]
enum Ended {
    /// Another hub took the lease.
    #[error(
        "STO-HUB-FENCED: another hub leads; what this one was about to commit its nodes send there. Start the hub again: it follows"
    )]
    Fenced,
    /// What is in memory of the archive is more than the database has: only a start mends that.
    #[error(
        "STO-DATABASE-SET-BACK: the database lacks what this hub committed, an older one took over; nodes send again what they were not told to be safe. Start the hub again"
    )]
    SetBack,
}

/// The one writer of the ledger.
pub struct Committer {
    database: Database,
    evidence: Evidence,
    ledger: Option<Ledger>,
    next_ledger_id: i64,
    fleet: Arc<Fleet>,
    decode: mpsc::Sender<CommittedGroup>,
    publisher: Option<Publisher>,
    newest: watch::Sender<Newest>,
    load: Arc<Load>,
    counted: (Instant, u64),
    /// Why it cannot go on.
    ended: Option<Ended>,
}

impl Committer {
    /// Takes the writer's place. Waits for an earlier writer's connection to be over.
    pub async fn open(
        database: Database,
        fleet: Arc<Fleet>,
        decode: mpsc::Sender<CommittedGroup>,
    ) -> Result<Self, ConnectFailure> {
        let ledger = Ledger::open(&database, LOCK_WAIT).await?;
        let newest = ledger.newest().await?;
        let next_ledger_id = newest.ledger_id + 1;
        // Whether some of it came late and is not decoded is seen by looking.
        let newest = watch::channel(Newest { any: newest, backlog_id: newest.ledger_id }).0;
        let (load, counted) = (Arc::default(), (Instant::now(), 0));
        let evidence = Evidence::new(database.clone());
        Ok(Self {
            database,
            evidence,
            ledger: Some(ledger),
            next_ledger_id,
            fleet,
            decode,
            publisher: None,
            newest,
            load,
            counted,
            ended: None,
        })
    }

    /// What is committed is handed over to other hubs too.
    pub fn with_publisher(mut self, publisher: Publisher) -> Self {
        self.publisher = Some(publisher);
        self
    }

    /// Tells how far the ledger is committed.
    pub fn newest(&self) -> watch::Receiver<Newest> {
        self.newest.subscribe()
    }

    /// How busy it is.
    pub fn load(&self) -> Arc<Load> {
        Arc::clone(&self.load)
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
            if let Some(ended) = self.ended {
                return Err(ended.into());
            }
        }
    }

    async fn commit(&mut self, group: Vec<Submission>) {
        let mut groups = VecDeque::from([group]);
        while let Some(group) = groups.pop_front() {
            if self.ended.is_some() {
                fence(group);
                continue;
            }
            // Judged anew each time: what was committed before it, or fenced, decides.
            let (group, changes) = judge(group);
            if group.is_empty() {
                continue;
            }
            let committed_at = service::clock::now();
            let numbered: Vec<(i64, Received)> = (self.next_ledger_id..)
                .zip(&group)
                .map(|(number, submission)| (number, submission.received.clone()))
                .collect();
            let mut asked = CommitGroup::new(&numbered, &changes, committed_at);
            let refused = std::mem::take(&mut asked.alarms.refused);
            let attempt = match &mut self.ledger {
                Some(ledger) => ledger.commit(&asked).await,
                None => Err(ArchiveError::Connect("not connected".into())),
            };
            match attempt {
                Ok(fenced) if fenced.is_empty() => {
                    self.tell_refused(refused);
                    self.on_committed(&group, numbered, (changes, committed_at)).await;
                }
                Ok(fenced) => {
                    let (fenced, rest) =
                        group.into_iter().partition(|submission| fenced.contains(&submission.received.lane));
                    fence(fenced);
                    groups.push_front(rest);
                }
                Err(ArchiveError::Fenced) => {
                    self.ended = Some(Ended::Fenced);
                    groups.push_front(group);
                }
                Err(failure) => {
                    if self.is_committed(&failure, &asked).await {
                        self.tell_refused(refused);
                        self.on_committed(&group, numbered, (changes, committed_at)).await;
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
                Err(ConnectFailure::Archive(ArchiveError::Fenced)) => {
                    self.ended = Some(Ended::Fenced);
                    return false;
                }
                Err(error) => tracing::debug!(error = chain(&error), "database is still away"),
            }
        }
    }

    async fn reconnect(&mut self, asked: &CommitGroup<'_>) -> Result<bool, ConnectFailure> {
        let ledger = Ledger::open(&self.database, LOCK_WAIT).await?;
        let is_committed = ledger.holds(asked).await?;
        if !is_committed {
            let next = ledger.newest().await?.ledger_id + 1;
            if next < self.next_ledger_id {
                self.ended = Some(Ended::SetBack);
            }
            self.next_ledger_id = next;
        }
        self.ledger = Some(ledger);
        Ok(is_committed)
    }

    async fn on_committed(
        &mut self,
        group: &[Submission],
        numbered: Vec<(i64, Received)>,
        (mut changes, committed_at): (LaneChanges, TaiTime),
    ) {
        // What is kept apart has no row, and gives its number back.
        let newest = numbered.iter().rfind(|(_, received)| received.apart.is_none());
        self.next_ledger_id = newest.map_or(self.next_ledger_id, |(number, _)| number + 1);
        Metric::HubIngestCommits.add(1);
        Metric::HubIngestBatches.add(numbered.len() as u64);
        self.count(numbered.len() as u64);
        for (submission, (_, received)) in group.iter().zip(&numbered) {
            let header = &received.batch.header;
            if received.apart.is_none() {
                Metric::HubIngestRecords.add(u64::from(header.records));
                Metric::HubIngestBytes.add(received.batch.bytes().len() as u64);
                self.fleet.on_committed(received.lane.node, u64::from(header.records));
            }
            // One of a lane's batches speaks for all.
            if let Some((change, _)) = changes.remove(&received.lane) {
                submission.lane.on_committed(change.after);
            }
        }
        let in_ledger = numbered.into_iter().filter(|(_, received)| received.apart.is_none());
        let rows: Vec<Committed> = in_ledger
            .map(|(ledger_id, received)| Committed {
                ledger_id,
                committed_at,
                node: received.lane.node,
                epoch: received.lane.epoch,
                way: received.way,
                batch: received.batch,
            })
            .collect();
        let Some(last) = rows.last() else { return };
        let through = Place { ledger_id: last.ledger_id, committed_at };
        let previous = self.newest.borrow().any.ledger_id;
        if let Some(publisher) = &self.publisher {
            publisher.hand_over(previous, &rows);
        }
        let is_live = |row: &Committed| Stream::of(row.way) == Stream::Live;
        let backlog_id = rows.iter().rfind(|row| !is_live(row)).map(|row| row.ledger_id);
        self.newest.send_modify(|newest| {
            newest.any = through;
            newest.backlog_id = backlog_id.unwrap_or(newest.backlog_id);
        });
        let live = rows.into_iter().filter(is_live).collect();
        if self.decode.send(CommittedGroup { live, through }).await.is_err() {
            error!("the decoding thread is gone; what is committed is shown after a restart");
        }
    }

    /// Pieces of alarms were not taken: mission control is told, and nobody waits for that.
    fn tell_refused(&self, refused: Vec<(Uuid, PieceRefused)>) {
        Metric::HubAlarmPiecesRefused.add(refused.len() as u64);
        // Of each node and cause one speaks for all.
        let by_cause: HashMap<_, _> = refused
            .into_iter()
            .map(|(node, refused)| ((node, refused.code()), refused.to_string()))
            .collect();
        for ((node, code), text) in by_cause {
            warn!(%node, text, "pieces of alarms were refused");
            let evidence = self.evidence.clone();
            tokio::spawn(async move {
                if let Err(error) = evidence.note(node, code, &text).await {
                    warn!(error = chain(&error), "what a node did could not be written down");
                }
            });
        }
    }

    fn count(&mut self, batches: u64) {
        let (since, counted) = &mut self.counted;
        *counted += batches;
        let elapsed = since.elapsed();
        if elapsed >= RATE_WINDOW {
            self.load.on_rate(*counted as f64 / elapsed.as_secs_f64());
            self.counted = (Instant::now(), 0);
        }
    }
}

/// Of each lane how it changes, and what its node may forget.
type LaneChanges = HashMap<LaneKey, (LaneChange, u64)>;

/// Ends the sessions of what may not go into a transaction; returns the rest, and how its lanes change.
fn judge(group: Vec<Submission>) -> (Vec<Submission>, LaneChanges) {
    let lanes: HashMap<(LaneKey, SessionNumber), Arc<SessionLane>> = group
        .iter()
        .map(|Submission { received, lane }| ((received.lane, received.session), Arc::clone(lane)))
        .collect();
    let (known, unknown): (Vec<_>, Vec<_>) =
        group.into_iter().partition(|submission| submission.lane.committed().is_some());
    fence(unknown);
    let judged = {
        let batches: Vec<_> = known
            .iter()
            .map(|Submission { received, .. }| (received.lane, received.session, &received.batch))
            .collect();
        judge_group(&batches, |key, session| {
            lanes[&(key, session)].committed().expect("those that were fenced are not in the group")
        })
    };
    let (fit, unfit): (Vec<_>, Vec<_>) =
        known.into_iter().zip(judged.verdicts).partition(|(_, verdict)| *verdict == CommitVerdict::Commit);
    fence(unfit.into_iter().map(|(submission, _)| submission).collect());
    let changes = judged.lanes.into_iter().map(|(key, change)| {
        let safe = lanes[&(key, change.session)].safe();
        (key, (change, safe))
    });
    (fit.into_iter().map(|(submission, _)| submission).collect(), changes.collect())
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
        submission.lane.set(Progress::Fenced);
    }
}
