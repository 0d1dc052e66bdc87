//! The hub's own station: it seals what the pipeline packed, hands it to the committer as a session would, and tells
//! producers when it is committed.

use std::collections::{HashMap, HashSet, VecDeque};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use dashboard::contract::{Backlog, Drain, LinkReport, NodeReport};
use dashboard::{node_report_json, rfc3339};
use delivery::{BatchSequence, BootId, Lane, LogHead, OpenedLog, Position, SealedBatch, SessionNumber, Way};
use intake::queue::Stopped;
use intake::{DurableCount, Owner, Packed, Sink};
use service::logging::chain;
use tokio::sync::{Notify, mpsc};
use tokio::time::{MissedTickBehavior, interval, sleep};
use tracing::{debug, error, info, warn};
use uuid::Uuid;

use super::owner::HubOwner;
use super::receipts::{self, BatchPlace, Promise, Receipts};
use crate::archive::{ArchiveError, LaneKey, OWN_STATION, OWN_STORE, OwnStation, Received, Registry};
use crate::fleet::Fleet;
use crate::reception::committer::{Load, Progress, SessionLane, Submission};

/// Batches that were packed or sealed and are not committed: at most 96 KiB each, and as many again on their way here.
/// Beyond, the pipeline waits, and every link's queue fills.
pub(super) const WAITING_MAX: usize = 64;
/// How often the station says how it is, as nodes do.
const REPORT_INTERVAL: Duration = Duration::from_secs(1);
const RETRY_WAIT: Duration = Duration::from_secs(1);

/// Where the pipeline's batches go.
pub(super) struct DatabaseSink {
    pub(super) appends: mpsc::Sender<Packed>,
    pub(super) load: Arc<Load>,
}

impl Sink for DatabaseSink {
    async fn append(&mut self, packed: Packed) -> Result<(), Stopped> {
        self.appends.send(packed).await.map_err(|_| Stopped)
    }

    fn linger(&self) -> Duration {
        Duration::from_millis(u64::from(self.load.linger_ms()))
    }
}

/// What the station works with.
pub(super) struct StationParts {
    /// Where receipts are kept.
    pub(super) data: PathBuf,
    pub(super) registry: Registry,
    pub(super) table: OwnStation,
    pub(super) fleet: Arc<Fleet>,
    /// Where batches go.
    pub(super) committer: mpsc::Sender<Submission>,
    /// Where they come from.
    pub(super) packed: mpsc::Receiver<Packed>,
    pub(super) owner: Arc<HubOwner>,
}

pub(super) struct Station {
    parts: StationParts,
    receipts: Arc<Mutex<Receipts>>,
    session: Session,
    /// Behind what was sealed last.
    position: Position,
    /// Sealed and not committed, in order.
    waiting: VecDeque<Waiting>,
}

/// The station's log in the hands of this run of the hub.
struct Session {
    number: SessionNumber,
    key: LaneKey,
    lane: Arc<SessionLane>,
    news: Arc<Notify>,
}

struct Waiting {
    batch: SealedBatch,
    producers: Vec<(Arc<DurableCount>, u64)>,
}

impl Station {
    /// Takes the station's log over from earlier runs, and goes on behind what is committed of it. Also returns how many
    /// records of each request with a key are.
    pub(super) async fn open(parts: StationParts) -> anyhow::Result<(Self, HashMap<[u8; 16], u32>)> {
        let (session, opened) = open_session(&parts.registry).await?;
        let committed = opened.committed;
        let position = parts.table.position(session.key, committed.watermark(), committed.hash()).await?;
        let kept = kept_promises(&parts, session.key, committed.watermark()).await?;
        let receipts = Receipts::begin(&parts.data, &kept).context("receipts of requests cannot be kept")?;
        parts.fleet.on_session(OWN_STATION, session.number, service::clock::now());
        let (committed, receipts) = (committed.watermark(), Arc::new(Mutex::new(receipts)));
        info!(committed, "the hub's own links go on behind what is committed of them");
        let station = Self { parts, receipts, session, position, waiting: VecDeque::new() };
        Ok((station, receipts::known(&kept)))
    }

    /// Seals and submits until the pipeline has ended and all of it is committed.
    pub(super) async fn run(mut self) -> anyhow::Result<()> {
        let mut report = interval(REPORT_INTERVAL);
        report.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut is_closed, mut packed) = (false, Vec::with_capacity(WAITING_MAX));
        while !is_closed || !self.waiting.is_empty() {
            let room = WAITING_MAX.saturating_sub(self.waiting.len());
            let news = Arc::clone(&self.session.news);
            tokio::select! {
                biased;
                () = news.notified() => self.on_news().await?,
                taken = self.parts.packed.recv_many(&mut packed, room), if room > 0 && !is_closed => {
                    is_closed = taken == 0;
                    self.take(packed.drain(..)).await?;
                }
                _ = report.tick() => self.report(),
            }
        }
        self.report();
        let now = service::clock::now();
        self.parts.fleet.on_session_ended(OWN_STATION, self.session.number, "the hub has stopped", now);
        Ok(())
    }

    /// Seals what is there, and hands it on once it is written down of which requests it is.
    async fn take(&mut self, packed: impl Iterator<Item = Packed>) -> anyhow::Result<()> {
        let mut promises = Vec::new();
        let first = self.waiting.len();
        for Packed { body, producers, receipts } in packed {
            let batch = body.seal(Lane::Telemetry, &self.position);
            self.position = batch.position();
            let place = BatchPlace::of(&batch.header);
            promises.extend(receipts.into_iter().map(|receipt| Promise { receipt, batch: place }));
            self.waiting.push_back(Waiting { batch, producers });
        }
        if !promises.is_empty() {
            self.promise(promises).await;
        }
        self.submit_from(first).await
    }

    /// Without receipts telemetry still comes in; only that a repeated request is known after a restart is lost.
    async fn promise(&self, promises: Vec<Promise>) {
        let receipts = Arc::clone(&self.receipts);
        let writing = tokio::task::spawn_blocking(move || {
            receipts.lock().unwrap_or_else(PoisonError::into_inner).promise(&promises)
        });
        if let Ok(Err(error)) = writing.await {
            error!(%error, "STO-LINK-RECEIPTS: receipts of requests could not be written; repeated after a restart of the hub they are taken twice");
        }
    }

    async fn submit_from(&self, first: usize) -> anyhow::Result<()> {
        for waiting in self.waiting.range(first..) {
            self.submit(waiting.batch.clone()).await?;
        }
        Ok(())
    }

    async fn submit(&self, batch: SealedBatch) -> anyhow::Result<()> {
        let Session { number, key, lane, .. } = &self.session;
        let received = Received { lane: *key, session: *number, way: Way::Live, batch, apart: None };
        let submission = Submission { received, lane: Arc::clone(lane) };
        ensure!(self.parts.committer.send(submission).await.is_ok(), "the committer has stopped");
        Ok(())
    }

    async fn on_news(&mut self) -> anyhow::Result<()> {
        match self.session.lane.take_news() {
            Some(Progress::Committed(ranges)) => {
                self.on_committed(ranges.watermark());
                Ok(())
            }
            Some(Progress::Fenced) => self.take_back().await,
            None => Ok(()),
        }
    }

    /// Tells producers, and only here: their records are committed up to a number.
    fn on_committed(&mut self, watermark: u64) {
        while let Some(first) = self.waiting.pop_front_if(|first| first.batch.header.sequence.0 <= watermark)
        {
            for (told, records) in first.producers {
                told.add(records);
            }
        }
    }

    /// The committer takes nothing more of this session: the next one goes on behind what is committed, with the same
    /// batches.
    async fn take_back(&mut self) -> anyhow::Result<()> {
        warn!("the session of the hub's own links ended, opening another");
        let opened = loop {
            sleep(RETRY_WAIT).await;
            match open_session(&self.parts.registry).await {
                Ok((session, opened)) => {
                    self.session = session;
                    break opened;
                }
                Err(error) => debug!(error = chain(&error), "no session could be opened yet"),
            }
        };
        self.parts.fleet.on_session(OWN_STATION, self.session.number, service::clock::now());
        let committed = opened.committed;
        self.on_committed(committed.watermark());
        match self.waiting.front() {
            Some(first) if first.batch.previous != committed.hash() => {
                bail!("what is committed of the hub's own links is not what this hub sealed: start it again")
            }
            Some(_) => {}
            None => {
                self.position = self
                    .parts
                    .table
                    .position(self.session.key, committed.watermark(), committed.hash())
                    .await?;
            }
        }
        self.submit_from(0).await
    }

    fn report(&self) {
        let now = service::clock::now();
        let links: Vec<LinkReport> = self.parts.owner.counts().into_iter().map(LinkReport::from).collect();
        let headers = || self.waiting.iter().map(|waiting| &waiting.batch.header);
        let backlog = Backlog {
            batches: self.waiting.len() as u64,
            packets: headers().map(|header| u64::from(header.records)).sum(),
            bytes: self.waiting.iter().map(|waiting| waiting.batch.bytes().len() as u64).sum(),
            oldest: headers().next().map(|header| rfc3339(header.first_reception.0)),
            drain: match self.waiting.is_empty() {
                true => Drain::Empty,
                false if self.parts.owner.is_away() => Drain::Unknown,
                false => Drain::KeepsUp,
            },
            ..Backlog::default()
        };
        let report = NodeReport {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            at: rfc3339(now),
            packets_received: links.iter().map(|link| link.packets).sum(),
            backlog,
            links,
            ..NodeReport::default()
        };
        if let Err(refused) = self.parts.fleet.on_report(OWN_STATION, &node_report_json(&report), now) {
            debug!(%refused, "the hub's own links are too many for a report");
        }
    }
}

/// What was promised of batches that are committed, oldest first.
async fn kept_promises(parts: &StationParts, lane: LaneKey, watermark: u64) -> anyhow::Result<Vec<Promise>> {
    let mut promises = Receipts::promised(&parts.data).context("receipts of requests cannot be read")?;
    promises.retain(|promise| promise.batch.sequence <= watermark);
    let sequences: Vec<i64> = promises.iter().map(|promise| promise.batch.sequence as i64).collect();
    let found = parts.table.receptions(lane, &sequences).await?;
    // Another hub may have written under a number since. What the ledger has no more was committed long ago.
    let in_ledger: HashSet<u64> = found.iter().map(|(sequence, ..)| *sequence).collect();
    promises.retain(|Promise { batch, .. }| {
        let BatchPlace { sequence, first_reception, last_reception } = *batch;
        !in_ledger.contains(&sequence) || found.contains(&(sequence, first_reception, last_reception))
    });
    Ok(promises)
}

/// Opens a session as the run of the process that did before, so that no run is taken for a second machine.
async fn open_session(registry: &Registry) -> Result<(Session, OpenedLog), SessionRefused> {
    let boot = registry.boot(OWN_STATION).await?.unwrap_or(BootId(*Uuid::new_v4().as_bytes()));
    let known = registry.position(OWN_STATION, OWN_STORE, Lane::Telemetry).await?;
    let head = known.map(|(committed, _)| committed.end()).filter(|end| *end > 0).map(BatchSequence);
    let log = LogHead { lane: Lane::Telemetry, store: OWN_STORE, head, is_forked: false };
    let mut session = registry.open_session(OWN_STATION, boot, &[log]).await??;
    let (key, opened) = session.logs.pop().ok_or(SessionRefused::NoLog)?;
    let news = Arc::new(Notify::new());
    let lane = Arc::new(SessionLane::new(&opened, Duration::ZERO, Arc::clone(&news)));
    Ok((Session { number: session.session, key, lane, news }, opened))
}

/// Why no session could be opened.
#[derive(Debug, thiserror::Error)]
enum SessionRefused {
    #[error("the database does not answer")]
    Database(#[from] ArchiveError),
    #[error("no log was opened")]
    NoLog,
    #[error(transparent)]
    Refused(#[from] crate::archive::OpenRefused),
}
