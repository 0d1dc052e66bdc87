//! The journal as the rest of the node sees it: a handle that hides the thread and its two queues.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use delivery::{BatchHeader, BatchSequence, ChainHash, Lane, Position, SealedBatch, SealedBody, StoreId};
use tokio::sync::{mpsc, oneshot, watch};

use super::{DurableCount, GapReason, GapRecord, JournalError, OlderDirectory, Receipt};

/// What becomes of new batches when the journal holds all it may.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WhenFull {
    /// The oldest are given up before the hub has them, and the gap is declared.
    EvictOldest,
    /// Intake waits until the hub has taken something.
    #[default]
    Refuse,
}

/// How much the journal may hold.
#[derive(Clone, Debug)]
pub struct JournalLimits {
    /// Directory whose disk is watched, and where the ballast lies.
    pub directory: PathBuf,
    /// Sealed bytes held at most; sled's files take up to twice that.
    pub retained_bytes_max: u64,
    /// Sealed bytes of batches the hub has, kept for local history.
    pub acknowledged_bytes_max: u64,
    /// Free space the journal leaves on the disk: sled must never meet a full one.
    pub free_bytes_min: u64,
    /// Disk that a sealed byte may take in the engine's files.
    pub disk_bytes_per_byte: u64,
    /// Disk held in reserve for the day it is full; 0 for none.
    pub ballast_bytes: u64,
    /// What happens then.
    pub when_full: WhenFull,
}

impl JournalLimits {
    /// Free space left by default.
    pub const FREE_BYTES_MIN: u64 = 64 << 20;
    /// Reserve by default.
    pub const BALLAST_BYTES: u64 = 64 << 20;
    /// Sealed bytes of events held at most: some 50,000 events that come one by one.
    pub const ALARM_BYTES_MAX: u64 = 16 << 20;

    /// What the journal of events may hold. It never makes anybody wait: what the hub has goes first, then the oldest.
    /// Of the disk it leaves next to nothing free, since what it records is often that the disk is full.
    pub fn of_alarms(directory: &Path) -> Self {
        Self {
            retained_bytes_max: Self::ALARM_BYTES_MAX,
            acknowledged_bytes_max: Self::ALARM_BYTES_MAX / 2,
            free_bytes_min: 1 << 20,
            when_full: WhenFull::EvictOldest,
            ..Self::none(directory)
        }
    }

    /// As much as the disk takes, without a reserve.
    pub fn none(directory: &Path) -> Self {
        Self {
            directory: directory.to_owned(),
            retained_bytes_max: u64::MAX,
            acknowledged_bytes_max: u64::MAX,
            free_bytes_min: 0,
            disk_bytes_per_byte: 1,
            ballast_bytes: 0,
            when_full: WhenFull::Refuse,
        }
    }
}

/// The journal as others see it.
#[derive(Clone, Copy, Debug)]
pub struct JournalState {
    /// Which journal. Another one begins when this one is lost.
    pub store: StoreId,
    /// Newest durable batch, or the end of the gap behind it.
    pub head: Position,
    /// Oldest batch that was not forgotten.
    pub tail: Option<BatchSequence>,
    /// What the hub had committed when the journal was opened.
    pub acknowledged_at_open: Option<BatchSequence>,
    /// What the hub has committed, as far as the journal was told.
    pub acknowledged: Option<BatchSequence>,
    /// Whether it takes nothing more: it is full, or being opened again after a failure.
    pub is_full: bool,
    /// Sealed bytes it takes before it is full, if the hub took nothing more; absent before it was looked at.
    pub room_bytes: Option<u64>,
}

/// Batches read from a sequence on.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Batches {
    /// Pruned because the hub has them, or not written yet.
    Absent,
    /// At least one; what follows a gap is asked for anew.
    Here(Vec<SealedBatch>),
    /// The first of them will never be here.
    Missing {
        /// The newest batch that is missing with it: reading goes on behind it.
        until: BatchSequence,
        /// Why.
        reason: GapReason,
    },
}

pub(super) struct Append {
    pub(super) body: SealedBody,
    pub(super) producers: Vec<(Arc<DurableCount>, u64)>,
    pub(super) receipts: Vec<Receipt>,
}

type Answer<T> = oneshot::Sender<Result<T, JournalError>>;

pub(super) enum Request {
    Acknowledged { store: StoreId, watermark: BatchSequence, safe: BatchSequence },
    BeginAnew(StoreId, Answer<()>),
    ChainAt(u64, Answer<Option<ChainHash>>),
    FirstFrom(u64, Answer<Option<BatchHeader>>),
    Gaps(Answer<Vec<GapRecord>>),
    Quarantined { from: BatchSequence, max: usize, answer: Answer<Vec<BatchSequence>> },
    Read { from: BatchSequence, bytes: usize, answer: Answer<Batches> },
    Receipts(Answer<HashMap<[u8; 16], u32>>),
}

/// Talks to the journal's thread. Cheap to clone.
#[derive(Clone)]
pub struct JournalHandle {
    pub(super) lane: Lane,
    pub(super) appends: mpsc::Sender<Append>,
    pub(super) requests: mpsc::Sender<Request>,
    pub(super) state: watch::Receiver<JournalState>,
    pub(super) salvaged: watch::Receiver<Vec<OlderDirectory>>,
}

/// The journal's thread is gone.
#[derive(Debug, thiserror::Error)]
#[error("the journal has stopped")]
pub struct JournalStopped;

impl JournalHandle {
    /// The lane of all its batches.
    pub fn lane(&self) -> Lane {
        self.lane
    }

    /// Queues a body; waits while the queue is full. `producers` are told when it is durable; `receipts` are kept with
    /// the batch or not at all, at most one a record.
    pub async fn append(
        &self,
        body: SealedBody,
        producers: Vec<(Arc<DurableCount>, u64)>,
        receipts: Vec<Receipt>,
    ) -> Result<(), JournalStopped> {
        self.appends.send(Append { body, producers, receipts }).await.map_err(|_| JournalStopped)
    }

    /// Batches from `from` on, up to about so many bytes or the next gap.
    pub async fn read(&self, from: BatchSequence, bytes: usize) -> Result<Batches, ReadFailed> {
        self.ask(|answer| Request::Read { from, bytes, answer }).await
    }

    /// What the chain is at a number; `None` where it is not known any more, or not yet ([`super::Journal::chain_at`]).
    pub async fn chain_at(&self, number: u64) -> Result<Option<ChainHash>, ReadFailed> {
        self.ask(|answer| Request::ChainAt(number, answer)).await
    }

    /// The header of the first batch at or behind a number that is here; `None` when there is none yet.
    pub async fn first_from(&self, number: u64) -> Result<Option<BatchHeader>, ReadFailed> {
        self.ask(|answer| Request::FirstFrom(number, answer)).await
    }

    /// The hub knows another journal by the name `store`: sets this one aside whole, to be forwarded, and begins another
    /// in its place, which takes what waits to be recorded. Changes nothing when that was done already.
    pub async fn begin_anew(&self, store: StoreId) -> Result<(), ReadFailed> {
        self.ask(|answer| Request::BeginAnew(store, answer)).await
    }

    /// Gaps the hub has not acknowledged yet, oldest first.
    pub async fn gaps(&self) -> Result<Vec<GapRecord>, ReadFailed> {
        self.ask(Request::Gaps).await
    }

    /// Batches from `from` on that hold quarantined records, oldest first.
    pub async fn quarantined(
        &self,
        from: BatchSequence,
        max: usize,
    ) -> Result<Vec<BatchSequence>, ReadFailed> {
        self.ask(|answer| Request::Quarantined { from, max, answer }).await
    }

    /// Records the journal held for each of the newest requests when it was opened. The second call finds nothing.
    pub async fn receipts_at_open(&self) -> Result<HashMap<[u8; 16], u32>, ReadFailed> {
        self.ask(Request::Receipts).await
    }

    /// Of the journal `store` the hub committed up to `watermark` and keeps safe up to `safe`.
    pub async fn acknowledged(
        &self,
        store: StoreId,
        watermark: BatchSequence,
        safe: BatchSequence,
    ) -> Result<(), JournalStopped> {
        let request = Request::Acknowledged { store, watermark, safe };
        self.requests.send(request).await.map_err(|_| JournalStopped)
    }

    /// The journal's state, to look at or to wait for.
    /// Copy what is borrowed from it before anything is awaited: the journal waits as long as somebody looks.
    pub fn state(&self) -> watch::Receiver<JournalState> {
        self.state.clone()
    }

    /// Older journals of the lane that wait to be forwarded; more when this one is lost or set aside.
    pub fn salvaged(&self) -> watch::Receiver<Vec<OlderDirectory>> {
        self.salvaged.clone()
    }

    async fn ask<T>(&self, request: impl FnOnce(Answer<T>) -> Request) -> Result<T, ReadFailed> {
        let (answer, answered) = oneshot::channel();
        self.requests.send(request(answer)).await.map_err(|_| JournalStopped)?;
        Ok(answered.await.map_err(|_| JournalStopped)??)
    }
}

/// Why a batch could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadFailed {
    /// The journal failed at it.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The journal is gone.
    #[error(transparent)]
    Stopped(#[from] JournalStopped),
}
