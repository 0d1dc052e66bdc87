//! The one thread that owns the journal: group commit, reading for forwarding, pruning, quota.
//!
//! Nobody sees a batch before it is committed: producers are told, and readers let in, by what was published after
//! the commit. So a number that was never committed was never sent.

mod recovery;
mod room;

use std::collections::VecDeque;
use std::path::Path;

use delivery::{BatchHeader, BatchSequence, Event, Lane, Position, SealedBatch, StoreId};
use service::metric::Metric;
use tokio::sync::{mpsc, oneshot, watch};
use tracing::{info_span, warn};

use super::ballast::Ballast;
use super::handle::{Append, Batches, JournalHandle, JournalLimits, JournalState, Request};
use super::open::{JournalOptions, Opened, Opening, open};
use super::{Found, Journal, JournalError, OlderDirectory};
use room::Disk;
pub(crate) use room::free_bytes;

/// Bodies that wait to be committed: with full batches 3 MiB; then intake waits, and its sockets with it.
const APPENDS_MAX: usize = 64;
/// Bodies put into one commit: what gathers while the disk syncs, but no more than a link would wait for.
const APPENDS_PER_COMMIT: usize = 64;
/// Requests of the forwarder and the API: each has one or two under way; then they wait.
const REQUESTS_MAX: usize = 16;
/// Newest batches kept in memory, so that live forwarding does not read the disk.
const RECENT_BYTES_MAX: usize = 2 << 20;

/// Opens the journal after it failed, as it is or anew.
pub type Opener = Box<dyn FnMut(Opening) -> Result<Opened, JournalError> + Send>;

/// Opens a journal of a data directory; a new one gets a name by chance.
pub fn opener(data: &Path, options: JournalOptions) -> Opener {
    let data = data.to_owned();
    Box::new(move |opening| {
        let new_store = &mut || StoreId(*uuid::Uuid::new_v4().as_bytes());
        open(&data, &options, opening, new_store)
    })
}

/// Starts the thread. It ends when all handles are gone, after committing what was queued; the receiver then
/// gets its result. A journal that fails is opened again by `opener`. What happens to the journal goes to `events`;
/// when that is full or nobody listens, it is only in the log.
pub fn start(
    opened: Opened,
    opener: Opener,
    limits: JournalLimits,
    events: mpsc::Sender<Event>,
) -> std::io::Result<(JournalHandle, oneshot::Receiver<Result<(), JournalError>>)> {
    let disk = Disk::of(&limits.directory);
    start_on(disk, opened, opener, limits, events)
}

fn start_on(
    disk: Disk,
    opened: Opened,
    opener: Opener,
    limits: JournalLimits,
    events: mpsc::Sender<Event>,
) -> std::io::Result<(JournalHandle, oneshot::Receiver<Result<(), JournalError>>)> {
    let (appends, append_queue) = mpsc::channel(APPENDS_MAX);
    let (requests, request_queue) = mpsc::channel(REQUESTS_MAX);
    let Opened { journal, salvaged, events: met } = opened;
    let (lane, state) = (journal.lane(), state_of(&*journal));
    let (publish, published) = watch::channel(state);
    let (publish_salvaged, salvaged) = watch::channel(salvaged);
    let (ended, end) = oneshot::channel();
    let mut writer = Writer {
        lane,
        committed: state.head,
        store: state.store,
        safe: state.acknowledged_at_open.unwrap_or(BatchSequence(0)),
        journal: Some(journal),
        opener,
        ballast: Ballast::find(&limits.directory, limits.ballast_bytes),
        disk,
        limits,
        pending: Vec::with_capacity(APPENDS_PER_COMMIT),
        recent: VecDeque::new(),
        recent_bytes: 0,
        publish,
        publish_salvaged,
        events,
        full_failures: 0,
        closed_ticks: 0,
        closed_wait: 1,
    };
    writer.tell(met);
    writer.tell_of_journal();
    // A runtime of its own on a thread of its own: it waits on two queues and blocks on the disk in between.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
    std::thread::Builder::new().name(word(lane).to_owned()).spawn(move || {
        // Its lines in the log say of which journal they speak.
        let _span = info_span!("thread", name = word(lane)).entered();
        let result = runtime.block_on(writer.run(append_queue, request_queue));
        // Nobody waits for it when the process is ending anyway.
        let _ = ended.send(result);
    })?;
    Ok((JournalHandle { lane, appends, requests, state: published, salvaged }, end))
}

fn word(lane: Lane) -> &'static str {
    match lane {
        Lane::Alarm => "journal-alarm",
        Lane::Telemetry => "journal",
    }
}

fn state_of(journal: &dyn Journal) -> JournalState {
    JournalState {
        store: journal.store(),
        head: journal.head(),
        tail: journal.tail(),
        acknowledged_at_open: journal.acknowledged(),
        acknowledged: journal.acknowledged(),
        is_full: false,
        room_bytes: None,
    }
}

struct Writer {
    /// Absent while it cannot be opened again after a failure.
    journal: Option<Box<dyn Journal>>,
    lane: Lane,
    store: StoreId,
    /// Newest batch that is durable; what lies behind it nobody has seen.
    committed: Position,
    opener: Opener,
    limits: JournalLimits,
    disk: Disk,
    ballast: Ballast,
    /// Taken from the queue and not yet durable: tried again after a failure.
    pending: Vec<Append>,
    recent: VecDeque<SealedBatch>,
    recent_bytes: usize,
    safe: BatchSequence,
    publish: watch::Sender<JournalState>,
    publish_salvaged: watch::Sender<Vec<OlderDirectory>>,
    events: mpsc::Sender<Event>,
    /// Times the disk was full in a row.
    full_failures: u32,
    /// Seconds since the journal was last tried to be opened, and after how many it is tried next.
    closed_ticks: u32,
    closed_wait: u32,
}

impl Writer {
    async fn run(
        mut self,
        mut appends: mpsc::Receiver<Append>,
        mut requests: mpsc::Receiver<Request>,
    ) -> Result<(), JournalError> {
        let mut received = Vec::with_capacity(APPENDS_PER_COMMIT);
        let mut watch_disk = tokio::time::interval(std::time::Duration::from_secs(1));
        // The reserve is taken before anything else needs the disk.
        self.make_room();
        loop {
            let takes = self.pending.is_empty() && self.journal.is_some() && !self.publish.borrow().is_full;
            tokio::select! {
                // Whichever is ready: many questions must not keep batches from being committed.
                Some(request) = requests.recv() => self.answer(request),
                count = appends.recv_many(&mut received, APPENDS_PER_COMMIT), if takes => {
                    if count == 0 {
                        return self.finish(requests);
                    }
                    self.pending.append(&mut received);
                    self.commit_pending();
                    self.make_room();
                }
                _ = watch_disk.tick() => {
                    self.tick();
                    if !takes && appends.is_closed() {
                        warn!("journal takes nothing and the node stops: what producers were not told about is given up");
                        return self.finish(requests);
                    }
                }
            }
        }
    }

    fn finish(mut self, mut requests: mpsc::Receiver<Request>) -> Result<(), JournalError> {
        // What the hub acknowledged last may wait there.
        while let Ok(request) = requests.try_recv() {
            self.answer(request);
        }
        self.journal.as_mut().map_or(Ok(()), |journal| journal.commit())
    }

    /// Every second: looks at the disk, and tries again what failed.
    fn tick(&mut self) {
        if self.journal.is_none() {
            self.try_to_open();
        }
        // What waits may use what was held in reserve: a commit may be what lets the engine give space back.
        self.commit_pending();
        self.make_room();
    }

    fn commit_pending(&mut self) {
        if self.pending.is_empty() || self.journal.is_none() {
            return;
        }
        match self.try_commit() {
            Ok(batches) => self.on_committed(batches),
            Err(error) => self.on_failure(&error),
        }
        self.tell_of_journal();
    }

    fn try_commit(&mut self) -> Result<Vec<SealedBatch>, JournalError> {
        let journal = self.journal.as_mut().ok_or(JournalError::Closed)?;
        let mut batches = Vec::with_capacity(self.pending.len());
        for append in &self.pending {
            // Kept until it is durable, so that a failure loses nothing.
            batches.push(journal.append(append.body.clone(), &append.receipts)?);
        }
        journal.commit()?;
        self.committed = journal.head();
        Ok(batches)
    }

    fn on_committed(&mut self, batches: Vec<SealedBatch>) {
        Metric::EdgeJournalCommits.add(1);
        for batch in batches {
            self.recent_bytes += batch.bytes().len();
            self.recent.push_back(batch);
        }
        while self.recent_bytes > RECENT_BYTES_MAX {
            let Some(oldest) = self.recent.pop_front() else { break };
            self.recent_bytes -= oldest.bytes().len();
        }
        self.closed_wait = 1;
        self.full_failures = 0;
        // Only now: what follows tells the forwarder and producers that it is durable.
        let head = self.committed;
        self.publish.send_modify(|state| state.head = head);
        for append in self.pending.drain(..) {
            append.producers.iter().for_each(|(producer, packets)| producer.add(*packets));
        }
    }

    fn answer(&mut self, request: Request) {
        // An asker that is gone wants no answer.
        match request {
            // Sequences of a journal that was lost meanwhile mean nothing here.
            Request::Acknowledged { store, .. } if store != self.store => {}
            Request::Acknowledged { watermark, safe, .. } => self.on_acknowledged(watermark, safe),
            Request::BeginAnew(store, answer) if store != self.store => drop(answer.send(Ok(()))),
            Request::BeginAnew(_, answer) => drop(answer.send(self.leave_fork())),
            Request::ChainAt(number, answer) => {
                drop(answer.send(self.insist(|writer| writer.open()?.chain_at(number))));
            }
            Request::FirstFrom(number, answer) => {
                drop(answer.send(self.insist(|writer| writer.first_from(number))));
            }
            Request::Gaps(answer) => drop(answer.send(self.open().map(|journal| journal.gaps()))),
            Request::Quarantined { from, max, answer } => {
                drop(answer.send(self.open().map(|journal| journal.quarantined(from, max))));
            }
            Request::Read { from, bytes, answer } => {
                drop(answer.send(self.insist(|writer| writer.read(from, bytes))));
            }
            Request::Receipts(answer) => {
                drop(answer.send(self.open().map(Journal::receipts_at_open)));
            }
        }
        self.tell_of_journal();
    }

    fn open(&mut self) -> Result<&mut dyn Journal, JournalError> {
        match &mut self.journal {
            Some(journal) => Ok(&mut **journal),
            None => Err(JournalError::Closed),
        }
    }

    fn on_acknowledged(&mut self, watermark: BatchSequence, safe: BatchSequence) {
        // Sequences of a journal that was lost meanwhile mean nothing here.
        if watermark.0 > self.committed.number() {
            return;
        }
        self.safe = self.safe.max(safe);
        // Nobody waits for this, so nobody is woken for it.
        self.publish.send_if_modified(|state| {
            state.acknowledged = state.acknowledged.max(Some(watermark));
            false
        });
        // While it is closed the hub will say so again in the next session.
        if let Some(Err(error)) =
            self.journal.as_mut().map(|journal| journal.remember_acknowledged(watermark))
        {
            self.on_failure(&error);
        }
        self.make_room();
    }

    fn read(&mut self, from: BatchSequence, bytes: usize) -> Result<Batches, JournalError> {
        let (mut batches, mut total, mut next) = (Vec::new(), 0, from);
        while next.0 <= self.committed.number() && (batches.is_empty() || total < bytes) {
            let batch = match self.recent(next) {
                Some(batch) => batch.clone(),
                None => match self.open()?.read(next) {
                    Ok(Found::Batch(batch)) => *batch,
                    // What lies before is sound and wanted.
                    _ if !batches.is_empty() => break,
                    Ok(Found::Absent) => break,
                    Ok(Found::Missing { until, reason }) => return Ok(Batches::Missing { until, reason }),
                    Err(error) => return Err(error),
                },
            };
            total += batch.bytes().len();
            batches.push(batch);
            next = next.next();
        }
        Ok(if batches.is_empty() { Batches::Absent } else { Batches::Here(batches) })
    }

    fn first_from(&mut self, number: u64) -> Result<Option<BatchHeader>, JournalError> {
        let tail = self.open()?.tail().unwrap_or(BatchSequence::FIRST);
        let mut next = BatchSequence(number).max(tail);
        while next.0 <= self.committed.number() {
            if let Some(batch) = self.recent(next) {
                return Ok(Some(batch.header.clone()));
            }
            next = match self.open()?.read(next)? {
                Found::Batch(batch) => return Ok(Some(batch.header)),
                Found::Missing { until, .. } => until.next(),
                Found::Absent => next.next(),
            };
        }
        Ok(None)
    }

    fn recent(&self, sequence: BatchSequence) -> Option<&SealedBatch> {
        let index = self.recent.partition_point(|batch| batch.header.sequence < sequence);
        self.recent.get(index).filter(|batch| batch.header.sequence == sequence)
    }

    fn tell_of_journal(&mut self) {
        let met = self.journal.as_mut().map(|journal| journal.take_events()).unwrap_or_default();
        self.tell(met);
    }

    /// Never waits: whoever takes the events may be waiting for this thread. They are in the log too.
    fn tell(&mut self, events: Vec<Event>) {
        for mut event in events {
            if self.lane == Lane::Alarm {
                event.details.push(("journal".to_owned(), word(self.lane).to_owned()));
            }
            if let Err(mpsc::error::TrySendError::Full(event)) = self.events.try_send(event) {
                warn!(code = event.code, "event of the journal was not recorded, too many wait");
            }
        }
    }
}

#[cfg(test)]
mod tests;
