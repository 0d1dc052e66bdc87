//! What the journal's thread promises producers, readers and operators.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use delivery::SealedBody;

use super::super::tests::{STORE, body};
use super::super::{
    DurableCount, Engine, Found, GapReason, GapRecord, JournalOptions, Receipt, WhenFull, open,
};
use super::*;

fn limits(directory: &std::path::Path) -> JournalLimits {
    JournalLimits {
        directory: directory.to_owned(),
        retained_bytes_max: 1 << 20,
        acknowledged_bytes_max: 1 << 20,
        free_bytes_min: 0,
        ballast_bytes: 0,
        when_full: WhenFull::Refuse,
    }
}

fn opener(data: &std::path::Path, engine: Engine) -> Opener {
    let data = data.to_owned();
    let options = JournalOptions { engine, ..JournalOptions::default() };
    let mut next = STORE;
    Box::new(move |opening| {
        open(&data, &options, opening, &mut || {
            next.0[0] += 1;
            next
        })
    })
}

struct Started {
    handle: JournalHandle,
    end: oneshot::Receiver<Result<(), JournalError>>,
    events: mpsc::Receiver<Event>,
}

fn start_with(disk: Disk, mut opener: Opener, limits: JournalLimits) -> Started {
    let opened = opener(Opening::Again).expect("opens");
    let (sender, events) = mpsc::channel(64);
    let (handle, end) = start_on(disk, opened, opener, limits, sender).expect("starts");
    Started { handle, end, events }
}

fn endless() -> Disk {
    Disk::with(|| u64::MAX)
}

async fn here(handle: &JournalHandle, from: u64) -> Vec<SealedBatch> {
    match handle.read(BatchSequence(from), usize::MAX).await.expect("reads") {
        Batches::Here(batches) => batches,
        other => panic!("{other:?}"),
    }
}

async fn record(handle: &JournalHandle, bodies: impl Iterator<Item = SealedBody>) -> Arc<DurableCount> {
    let durable = Arc::new(DurableCount::default());
    for body in bodies {
        handle.append(body, vec![(Arc::clone(&durable), 1)], Vec::new()).await.expect("queued");
    }
    durable
}

async fn until(durable: &Arc<DurableCount>, packets: u64) {
    while durable.packets() < packets {
        durable.changed().await;
    }
}

async fn event_of(events: &mut mpsc::Receiver<Event>, code: &str) -> Event {
    loop {
        let event = events.recv().await.expect("the journal runs");
        if event.code == code {
            return event;
        }
    }
}

#[tokio::test]
async fn a_producer_is_told_only_what_a_restart_still_finds() {
    for engine in [Engine::Segments, Engine::Sled] {
        let folder = tempfile::tempdir().expect("a directory");
        let Started { handle, end, .. } =
            start_with(endless(), opener(folder.path(), engine), limits(folder.path()));
        let durable = record(&handle, (0..100).map(body)).await;
        until(&durable, 100).await;
        let batches = here(&handle, 40).await;
        assert_eq!((batches.len(), batches[0].header.sequence), (61, BatchSequence(40)));
        drop(handle);
        end.await.expect("ends").expect("without an error");
        let reopened = opener(folder.path(), engine)(Opening::Again).expect("opens").journal;
        assert_eq!(reopened.head().number(), 100);
    }
}

#[tokio::test]
async fn a_full_journal_makes_producers_wait_and_goes_on_when_the_hub_has_taken_something() {
    let folder = tempfile::tempdir().expect("a directory");
    let limits =
        JournalLimits { retained_bytes_max: 3_000, acknowledged_bytes_max: 0, ..limits(folder.path()) };
    let Started { handle, mut events, .. } =
        start_with(endless(), opener(folder.path(), Engine::Sled), limits);
    let mut state = handle.state();
    let producer = {
        let handle = handle.clone();
        tokio::spawn(async move { drop(record(&handle, (0..500).map(body)).await) })
    };
    state.wait_for(|state| state.is_full).await.expect("fills");
    event_of(&mut events, "STO-JOURNAL-FULL").await;
    let held = state.borrow().head.number();
    assert!(!producer.is_finished() && held < 200, "{held} batches held");
    while !producer.is_finished() {
        let newest = state.borrow().head.sequence.expect("not empty");
        handle.acknowledged(newest, newest).await.expect("heard");
        tokio::task::yield_now().await;
    }
    producer.await.expect("all were taken");
    event_of(&mut events, "STO-JOURNAL-ROOM").await;
}

#[tokio::test]
async fn a_journal_that_may_evict_gives_up_the_oldest_and_declares_the_gap() {
    let folder = tempfile::tempdir().expect("a directory");
    let limits = JournalLimits {
        retained_bytes_max: 3_000,
        when_full: WhenFull::EvictOldest,
        ..limits(folder.path())
    };
    let Started { handle, mut events, .. } =
        start_with(endless(), opener(folder.path(), Engine::Segments), limits);
    until(&record(&handle, (0..500).map(body)).await, 500).await;
    event_of(&mut events, "STO-JOURNAL-EVICTED").await;
    let gaps = handle.gaps().await.expect("answers");
    let [GapRecord { first: BatchSequence(1), last, reason: GapReason::Evicted }] = gaps[..] else {
        panic!("{gaps:?}")
    };
    let missing = Batches::Missing { until: last, reason: GapReason::Evicted };
    assert_eq!(handle.read(BatchSequence(1), 1).await.expect("reads"), missing);
    assert_eq!(here(&handle, last.0 + 1).await.last().expect("some").header.sequence, BatchSequence(500));
}

#[tokio::test]
async fn the_reserve_is_given_back_when_the_disk_fills_and_taken_again_when_there_is_room() {
    const BALLAST: u64 = 64 << 10;
    let folder = tempfile::tempdir().expect("a directory");
    let free = Arc::new(AtomicU64::new(1 << 30));
    let disk = {
        let free = Arc::clone(&free);
        Disk::with(move || free.load(Ordering::Relaxed))
    };
    let limits = JournalLimits { free_bytes_min: 1 << 20, ballast_bytes: BALLAST, ..limits(folder.path()) };
    let ballast = folder.path().join("ballast");
    let Started { handle, mut events, .. } =
        start_with(disk, opener(folder.path(), Engine::Segments), limits);
    let mut state = handle.state();
    until(&record(&handle, (0..3).map(body)).await, 3).await;
    assert_eq!(ballast.metadata().expect("is there").len(), BALLAST);
    free.store((1 << 20) - 1, Ordering::Relaxed);
    event_of(&mut events, "STO-JOURNAL-BALLAST-RELEASED").await;
    state.wait_for(|state| state.is_full).await.expect("stops intake");
    assert!(!ballast.exists());
    // What was given back is not for intake.
    assert_eq!(here(&handle, 1).await.len(), 3);
    free.store(1 << 30, Ordering::Relaxed);
    state.wait_for(|state| !state.is_full).await.expect("goes on");
    assert!(ballast.exists());
}

/// What the next commits answer; then all succeed.
type Script = Arc<Mutex<VecDeque<Option<fn() -> JournalError>>>>;

/// A journal whose commits fail as told.
struct Failing {
    inner: Box<dyn Journal>,
    script: Script,
}

fn failing(data: &std::path::Path, engine: Engine, commits: &[Option<fn() -> JournalError>]) -> Opener {
    let mut opener = opener(data, engine);
    let script: Script = Arc::new(Mutex::new(commits.iter().copied().collect()));
    Box::new(move |opening| {
        let mut opened = opener(opening)?;
        opened.journal = Box::new(Failing { inner: opened.journal, script: Arc::clone(&script) });
        Ok(opened)
    })
}

fn broken() -> JournalError {
    JournalError::io("sync the log to disk")(std::io::Error::other("the disk broke"))
}

fn no_space() -> JournalError {
    JournalError::io("sync the log to disk")(std::io::ErrorKind::StorageFull.into())
}

impl Journal for Failing {
    fn store(&self) -> StoreId {
        self.inner.store()
    }
    fn head(&self) -> Position {
        self.inner.head()
    }
    fn tail(&self) -> Option<BatchSequence> {
        self.inner.tail()
    }
    fn retained_bytes(&self) -> u64 {
        self.inner.retained_bytes()
    }
    fn reusable_bytes(&self) -> u64 {
        self.inner.reusable_bytes()
    }
    fn append(&mut self, body: SealedBody, receipts: &[Receipt]) -> Result<SealedBatch, JournalError> {
        self.inner.append(body, receipts)
    }
    fn commit(&mut self) -> Result<(), JournalError> {
        if let Some(Some(error)) = self.script.lock().expect("no panic before").pop_front() {
            return Err(error());
        }
        self.inner.commit()
    }
    fn discard_after(&mut self, committed: &Position) -> Result<(), JournalError> {
        self.inner.discard_after(committed)
    }
    fn read(&mut self, sequence: BatchSequence) -> Result<Found, JournalError> {
        self.inner.read(sequence)
    }
    fn prune(&mut self, sequence: BatchSequence) -> Result<(), JournalError> {
        self.inner.prune(sequence)
    }
    fn evict(&mut self, up_to: BatchSequence) -> Result<(), JournalError> {
        self.inner.evict(up_to)
    }
    fn remember_acknowledged(&mut self, sequence: BatchSequence) -> Result<(), JournalError> {
        self.inner.remember_acknowledged(sequence)
    }
    fn acknowledged(&self) -> Option<BatchSequence> {
        self.inner.acknowledged()
    }
    fn gaps(&self) -> Vec<GapRecord> {
        self.inner.gaps()
    }
    fn quarantined(&self, from: BatchSequence, max: usize) -> Vec<BatchSequence> {
        self.inner.quarantined(from, max)
    }
    fn receipts_at_open(&mut self) -> std::collections::HashMap<[u8; 16], u32> {
        self.inner.receipts_at_open()
    }
    fn take_events(&mut self) -> Vec<Event> {
        self.inner.take_events()
    }
}

/// Records through failures; what the journal then holds, as the packets' numbers, and what started it.
async fn check_failures(
    engine: Engine,
    commits: &[Option<fn() -> JournalError>],
) -> (tempfile::TempDir, Started, Vec<u64>) {
    let folder = tempfile::tempdir().expect("a directory");
    let opener = failing(folder.path(), engine, commits);
    let started = start_with(endless(), opener, limits(folder.path()));
    until(&record(&started.handle, std::iter::once(body(0))).await, 1).await;
    until(&record(&started.handle, (1..20).map(body)).await, 19).await;
    let batches = here(&started.handle, 1).await;
    let packets = batches.iter().flat_map(|batch| {
        let batch = batch.open().expect("opens");
        let packets =
            batch.packets().map(|(_, packet)| u64::from_be_bytes(packet.try_into().expect("8 bytes")));
        packets.collect::<Vec<_>>()
    });
    let packets = packets.collect();
    (folder, started, packets)
}

#[tokio::test]
async fn an_engine_that_fails_once_is_opened_again_and_nothing_is_lost_or_doubled() {
    for engine in [Engine::Segments, Engine::Sled] {
        let (_folder, mut started, packets) = check_failures(engine, &[None, Some(broken)]).await;
        assert_eq!(packets, (0..20).collect::<Vec<_>>());
        event_of(&mut started.events, "STO-JOURNAL-FAILED").await;
        assert!(started.handle.salvaged().borrow().is_empty());
    }
}

#[tokio::test]
async fn an_engine_that_fails_again_at_once_is_set_aside_and_recording_goes_on() {
    for engine in [Engine::Segments, Engine::Sled] {
        let (folder, mut started, packets) =
            check_failures(engine, &[None, Some(broken), Some(broken)]).await;
        // The first one is in the old journal, which waits to be forwarded.
        assert_eq!(packets, (1..20).collect::<Vec<_>>());
        event_of(&mut started.events, "STO-JOURNAL-NEW-EPOCH").await;
        let salvaged = started.handle.salvaged().borrow().clone();
        assert_eq!(salvaged, [folder.path().join("journal.salvaged-1")]);
        let mut older = super::super::open_older(&salvaged[0], None).expect("opens");
        assert_ne!(older.store(), started.handle.state().borrow().store);
        assert!(matches!(older.read(BatchSequence(1)).expect("reads"), Found::Batch(_)));
    }
}

#[tokio::test]
async fn a_disk_that_is_full_for_a_while_ends_nothing() {
    for engine in [Engine::Segments, Engine::Sled] {
        let (_folder, mut started, packets) =
            check_failures(engine, &[None, Some(no_space), Some(no_space)]).await;
        assert_eq!(packets, (0..20).collect::<Vec<_>>());
        event_of(&mut started.events, "STO-JOURNAL-FULL").await;
        event_of(&mut started.events, "STO-JOURNAL-ROOM").await;
    }
}

#[tokio::test]
async fn a_journal_that_does_not_open_is_tried_again_until_it_does() {
    let folder = tempfile::tempdir().expect("a directory");
    let mut opener = failing(folder.path(), Engine::Segments, &[None, Some(broken)]);
    let mut openings = 0;
    let path = folder.path().display().to_string();
    let opener: Opener = Box::new(move |opening| {
        openings += 1;
        match openings {
            // Somebody looks into the files meanwhile.
            2 | 3 => Err(JournalError::Locked { path: path.clone() }),
            _ => opener(opening),
        }
    });
    let started = start_with(endless(), opener, limits(folder.path()));
    until(&record(&started.handle, std::iter::once(body(0))).await, 1).await;
    until(&record(&started.handle, (1..20).map(body)).await, 19).await;
    assert_eq!(started.handle.state().borrow().head.number(), 20);
    assert!(!folder.path().join("journal-segments.damaged-1").exists());
}
