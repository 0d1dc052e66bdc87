//! The one thread that owns the journal: group commit, reading for forwarding, pruning, quota.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use delivery::{BatchSequence, ChainHash, Position, SealedBatch, SealedBody, StoreId};
use service::metric::Metric;
use tokio::sync::{Notify, mpsc, oneshot, watch};
use tracing::{error, info, warn};

use super::{Journal, JournalError};

/// Bodies that wait to be committed: with full batches 3 MiB; then intake waits, and its sockets with it.
const APPENDS_MAX: usize = 64;
/// Bodies put into one commit: what gathers while the disk syncs, but no more than a link would wait for.
const APPENDS_PER_COMMIT: usize = 64;
/// Requests of the forwarder: it has one or two under way.
const REQUESTS_MAX: usize = 16;
/// Newest batches kept in memory, so that live forwarding does not read the disk.
const RECENT_BYTES_MAX: usize = 2 << 20;
/// Free space the journal leaves on the disk: sled must never meet a full one.
const FREE_BYTES_MIN: u64 = 64 << 20;

/// Packets of one producer that are durable.
#[derive(Debug, Default)]
pub struct DurableCount {
    packets: AtomicU64,
    is_closed: AtomicBool,
    changed: Notify,
}

impl DurableCount {
    /// Packets made durable so far.
    pub fn packets(&self) -> u64 {
        self.packets.load(Ordering::Acquire)
    }

    /// The producer sends no more; whoever waits for changes is told.
    pub fn close(&self) {
        self.is_closed.store(true, Ordering::Release);
        self.changed.notify_one();
    }

    /// Whether the producer sends no more.
    pub fn is_closed(&self) -> bool {
        self.is_closed.load(Ordering::Acquire)
    }

    /// Waits for the next change after the last wait.
    pub async fn changed(&self) {
        self.changed.notified().await;
    }

    fn add(&self, packets: u64) {
        self.packets.fetch_add(packets, Ordering::AcqRel);
        self.changed.notify_one();
    }
}

struct Append {
    body: SealedBody,
    producers: Vec<(Arc<DurableCount>, u64)>,
}

enum Request {
    Acknowledged {
        watermark: BatchSequence,
        safe: BatchSequence,
    },
    HashAt(Option<BatchSequence>, oneshot::Sender<Result<Option<ChainHash>, JournalError>>),
    Read {
        from: BatchSequence,
        bytes: usize,
        answer: oneshot::Sender<Result<Vec<SealedBatch>, JournalError>>,
    },
}

/// How much the journal may hold.
#[derive(Clone, Debug)]
pub struct JournalLimits {
    /// Directory whose disk is watched.
    pub directory: PathBuf,
    /// Sealed bytes held at most; sled's files take up to twice that.
    pub retained_bytes_max: u64,
    /// Sealed bytes of batches the hub has, kept for local history.
    pub acknowledged_bytes_max: u64,
}

/// The journal as others see it.
#[derive(Clone, Copy, Debug)]
pub struct JournalState {
    /// Which journal.
    pub store: StoreId,
    /// Newest durable batch.
    pub head: Position,
    /// Oldest batch that was not forgotten.
    pub tail: Option<BatchSequence>,
    /// What the hub had committed when the journal was opened.
    pub acknowledged_at_open: Option<BatchSequence>,
    /// Whether it takes nothing more until the hub has taken something.
    pub is_full: bool,
}

/// Talks to the journal's thread. Cheap to clone.
#[derive(Clone)]
pub struct JournalHandle {
    appends: mpsc::Sender<Append>,
    requests: mpsc::Sender<Request>,
    state: watch::Receiver<JournalState>,
}

/// The journal's thread is gone: it failed, and said so in the log.
#[derive(Debug, thiserror::Error)]
#[error("the journal has stopped")]
pub struct JournalStopped;

impl JournalHandle {
    /// Queues a body; waits while the queue is full. `producers` are told when it is durable.
    pub async fn append(
        &self,
        body: SealedBody,
        producers: Vec<(Arc<DurableCount>, u64)>,
    ) -> Result<(), JournalStopped> {
        self.appends.send(Append { body, producers }).await.map_err(|_| JournalStopped)
    }

    /// Batches from `from` on, up to about so many bytes.
    pub async fn read(&self, from: BatchSequence, bytes: usize) -> Result<Vec<SealedBatch>, ReadFailed> {
        let (answer, answered) = oneshot::channel();
        self.requests.send(Request::Read { from, bytes, answer }).await.map_err(|_| JournalStopped)?;
        Ok(answered.await.map_err(|_| JournalStopped)??)
    }

    /// Hash of a batch; `None` when it is not here any more.
    pub async fn hash_at(&self, sequence: Option<BatchSequence>) -> Result<Option<ChainHash>, ReadFailed> {
        let (answer, answered) = oneshot::channel();
        self.requests.send(Request::HashAt(sequence, answer)).await.map_err(|_| JournalStopped)?;
        Ok(answered.await.map_err(|_| JournalStopped)??)
    }

    /// The hub committed up to `watermark` and keeps safe up to `safe`.
    pub async fn acknowledged(
        &self,
        watermark: BatchSequence,
        safe: BatchSequence,
    ) -> Result<(), JournalStopped> {
        self.requests.send(Request::Acknowledged { watermark, safe }).await.map_err(|_| JournalStopped)
    }

    /// The journal's state, to look at or to wait for.
    pub fn state(&self) -> watch::Receiver<JournalState> {
        self.state.clone()
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

/// Starts the thread. It ends when all handles are gone, after committing what was queued; the receiver then
/// gets its result.
pub fn start(
    journal: impl Journal,
    limits: JournalLimits,
) -> std::io::Result<(JournalHandle, oneshot::Receiver<Result<(), JournalError>>)> {
    let (appends, append_queue) = mpsc::channel(APPENDS_MAX);
    let (requests, request_queue) = mpsc::channel(REQUESTS_MAX);
    let acknowledged_at_open = journal.acknowledged();
    let state = JournalState {
        store: journal.store(),
        head: journal.head(),
        tail: journal.tail(),
        acknowledged_at_open,
        is_full: false,
    };
    let (publish, state) = watch::channel(state);
    let (ended, end) = oneshot::channel();
    let writer = Writer {
        journal,
        limits,
        recent: VecDeque::new(),
        recent_bytes: 0,
        safe: acknowledged_at_open.unwrap_or(BatchSequence(0)),
        publish,
    };
    // A runtime of its own on a thread of its own: it waits on two queues and blocks on the disk in between.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
    std::thread::Builder::new().name("journal".to_owned()).spawn(move || {
        let result = runtime.block_on(writer.run(append_queue, request_queue));
        // Nobody waits for it when the process is ending anyway.
        let _ = ended.send(result);
    })?;
    Ok((JournalHandle { appends, requests, state }, end))
}

struct Writer<J> {
    journal: J,
    limits: JournalLimits,
    recent: VecDeque<SealedBatch>,
    recent_bytes: usize,
    safe: BatchSequence,
    publish: watch::Sender<JournalState>,
}

impl<J: Journal> Writer<J> {
    async fn run(
        mut self,
        mut appends: mpsc::Receiver<Append>,
        mut requests: mpsc::Receiver<Request>,
    ) -> Result<(), JournalError> {
        let mut group = Vec::with_capacity(APPENDS_PER_COMMIT);
        let mut watch_disk = tokio::time::interval(std::time::Duration::from_secs(1));
        loop {
            let is_full = self.publish.borrow().is_full;
            tokio::select! {
                biased;
                Some(request) = requests.recv() => self.answer(request)?,
                count = appends.recv_many(&mut group, APPENDS_PER_COMMIT), if !is_full => {
                    if count == 0 {
                        return self.journal.commit();
                    }
                    self.commit(&mut group)?;
                    self.make_room()?;
                }
                _ = watch_disk.tick() => {
                    self.make_room()?;
                    if is_full && appends.is_closed() {
                        warn!("journal is full and the node stops: what producers were not told about is given up");
                        return self.journal.commit();
                    }
                }
            }
        }
    }

    fn commit(&mut self, group: &mut Vec<Append>) -> Result<(), JournalError> {
        let mut producers = Vec::new();
        for append in group.drain(..) {
            let batch = self.journal.append(append.body)?;
            self.recent_bytes += batch.bytes().len();
            self.recent.push_back(batch);
            producers.extend(append.producers);
        }
        while self.recent_bytes > RECENT_BYTES_MAX {
            let Some(oldest) = self.recent.pop_front() else { break };
            self.recent_bytes -= oldest.bytes().len();
        }
        self.journal.commit()?;
        Metric::EdgeJournalCommits.add(1);
        // Only now: what follows tells producers and the forwarder that it is durable.
        producers.iter().for_each(|(producer, packets)| producer.add(*packets));
        let (head, tail) = (self.journal.head(), self.journal.tail());
        self.publish.send_modify(|state| (state.head, state.tail) = (head, tail));
        Ok(())
    }

    fn answer(&mut self, request: Request) -> Result<(), JournalError> {
        match request {
            Request::Acknowledged { watermark, safe } => {
                self.safe = self.safe.max(safe);
                self.journal.remember_acknowledged(watermark)?;
                self.make_room()
            }
            // An asker that is gone wants no answer.
            Request::HashAt(sequence, answer) => {
                drop(answer.send(self.journal.hash_at(sequence)));
                Ok(())
            }
            Request::Read { from, bytes, answer } => {
                drop(answer.send(self.read(from, bytes)));
                Ok(())
            }
        }
    }

    fn read(&self, from: BatchSequence, bytes: usize) -> Result<Vec<SealedBatch>, JournalError> {
        let (mut batches, mut total, mut next) = (Vec::new(), 0, from);
        while next.0 <= self.journal.head().number() && (batches.is_empty() || total < bytes) {
            let in_memory = self.recent.front().and_then(|oldest| {
                let index = next.0.checked_sub(oldest.header.sequence.0)?;
                self.recent.get(usize::try_from(index).ok()?)
            });
            let batch = match in_memory {
                Some(batch) => batch.clone(),
                None => match self.journal.read(next) {
                    Ok(Some(batch)) => batch,
                    Ok(None) => break,
                    // What lies before the damage is sound and wanted.
                    Err(_) if !batches.is_empty() => break,
                    Err(error) => return Err(error),
                },
            };
            total += batch.bytes().len();
            batches.push(batch);
            next = next.next();
        }
        Ok(batches)
    }

    /// Prunes what the hub has beyond what local history may keep; says whether there is room for more.
    fn make_room(&mut self) -> Result<(), JournalError> {
        let over = self.journal.retained_bytes() > self.limits.acknowledged_bytes_max;
        if over && self.journal.tail().is_some_and(|tail| tail <= self.safe) {
            self.prune()?;
        }
        let free_bytes = free_bytes(&self.limits.directory).saturating_add(self.journal.reusable_bytes());
        let is_full =
            self.journal.retained_bytes() >= self.limits.retained_bytes_max || free_bytes < FREE_BYTES_MIN;
        let was_full = self.publish.borrow().is_full;
        if is_full != was_full {
            if is_full {
                Metric::EdgeJournalRefused.add(1);
                error!(
                    retained_bytes = self.journal.retained_bytes(),
                    limit_bytes = self.limits.retained_bytes_max,
                    free_bytes,
                    "journal is full of unacknowledged data, intake waits; nothing acknowledged is lost"
                );
            } else {
                info!(free_bytes, "journal has room again, intake goes on");
            }
            self.publish.send_modify(|state| state.is_full = is_full);
        }
        Ok(())
    }

    /// Batches are about as long as each other, so the share of bytes to go is the share of batches.
    fn prune(&mut self) -> Result<(), JournalError> {
        let (Some(tail), head) = (self.journal.tail(), self.journal.head().number()) else { return Ok(()) };
        let batches = head + 1 - tail.0;
        let retained = self.journal.retained_bytes().max(1);
        let excess = retained.saturating_sub(self.limits.acknowledged_bytes_max);
        let count = (u128::from(batches) * u128::from(excess) / u128::from(retained)) as u64;
        let last = (tail.0 + count).min(self.safe.0);
        self.journal.prune(BatchSequence(last))?;
        let tail = self.journal.tail();
        self.publish.send_if_modified(|state| {
            state.tail = tail;
            // Nobody waits for it: who reads batches looks at it then.
            false
        });
        Ok(())
    }
}

/// Free bytes of the disk a directory lies on.
pub(crate) fn free_bytes(directory: &Path) -> u64 {
    // A disk that cannot be asked is not known to be full; its own error will come with the next write.
    rustix::fs::statvfs(directory).map_or(u64::MAX, |disk| disk.f_bavail.saturating_mul(disk.f_frsize))
}
