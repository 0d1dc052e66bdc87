//! What the journal's thread promises producers, readers and operators.

mod forks;

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
        disk_bytes_per_byte: 1,
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
        let (store, head) = (state.borrow().store, state.borrow().head);
        let newest = head.sequence.expect("not empty");
        handle.acknowledged(StoreId([0; 16]), newest, newest).await.expect("of another journal");
        handle.acknowledged(store, newest, newest).await.expect("heard");
        tokio::task::yield_now().await;
    }
    producer.await.expect("all were taken");
    event_of(&mut events, "STO-JOURNAL-ROOM").await;
}

#[tokio::test]
async fn room_is_what_quota_and_disk_still_take_and_comes_back_with_what_the_hub_has() {
    let folder = tempfile::tempdir().expect("a directory");
    let free = Arc::new(AtomicU64::new(1 << 30));
    let disk = {
        let free = Arc::clone(&free);
        Disk::with(move || free.load(Ordering::Relaxed))
    };
    let limits = JournalLimits {
        retained_bytes_max: 50_000,
        acknowledged_bytes_max: 50_000,
        free_bytes_min: 1_000,
        disk_bytes_per_byte: 2,
        ..limits(folder.path())
    };
    let Started { handle, .. } = start_with(disk, opener(folder.path(), Engine::Segments), limits);
    until(&record(&handle, (0..100).map(body)).await, 100).await;
    let state = handle.state();
    let room = async || {
        // Room is made before the next question is answered.
        handle.gaps().await.expect("answers");
        state.borrow().room_bytes.expect("looked at")
    };
    let (store, head) = (state.borrow().store, state.borrow().head);
    assert_eq!(room().await, 50_000 - head.bytes);
    handle.acknowledged(store, BatchSequence(50), BatchSequence(50)).await.expect("heard");
    let half = room().await;
    assert!((half + head.bytes / 2).abs_diff(50_000) < head.bytes / 20, "{half} of 50,000, {head:?}");
    let newest = head.sequence.expect("not empty");
    handle.acknowledged(store, newest, newest).await.expect("heard");
    assert_eq!(room().await, 50_000);
    free.store(2_000, Ordering::Relaxed);
    handle.acknowledged(store, newest, newest).await.expect("heard");
    // What the hub has would make way, and every byte needs two on the disk.
    assert_eq!(room().await, 500 + head.bytes);
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
    is_unreadable: bool,
}

fn failing(data: &std::path::Path, engine: Engine, commits: &[Option<fn() -> JournalError>]) -> Opener {
    let mut opener = opener(data, engine);
    let script: Script = Arc::new(Mutex::new(commits.iter().copied().collect()));
    Box::new(move |opening| {
        let mut opened = opener(opening)?;
        opened.journal =
            Box::new(Failing { inner: opened.journal, script: Arc::clone(&script), is_unreadable: false });
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
    fn lane(&self) -> Lane {
        self.inner.lane()
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
        if self.is_unreadable {
            return Err(JournalError::Corrupt("a page of the backlog is damaged".into()));
        }
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
        let path = folder.path().join("journal.salvaged-1");
        assert_eq!(salvaged, [OlderDirectory { path, is_forked: false }]);
        let mut older = super::super::open_older(&salvaged[0].path, None).expect("opens");
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

#[tokio::test]
async fn while_the_disk_is_full_for_long_the_journal_is_still_read() {
    for engine in [Engine::Segments, Engine::Sled] {
        let folder = tempfile::tempdir().expect("a directory");
        let script =
            [None, Some(no_space as fn() -> JournalError), Some(no_space), Some(no_space), Some(no_space)];
        let mut started =
            start_with(endless(), failing(folder.path(), engine, &script), limits(folder.path()));
        until(&record(&started.handle, std::iter::once(body(0))).await, 1).await;
        let durable = record(&started.handle, (1..20).map(body)).await;
        event_of(&mut started.events, "STO-JOURNAL-FAILED").await;
        while durable.packets() == 0 {
            assert!(!here(&started.handle, 1).await.is_empty());
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        until(&durable, 19).await;
        assert_eq!(started.handle.state().borrow().head.records, 20);
        assert!(started.handle.salvaged().borrow().is_empty());
    }
}

#[tokio::test]
async fn a_batch_that_stays_unreadable_after_a_reopening_sets_the_journal_aside_and_recording_goes_on() {
    let folder = tempfile::tempdir().expect("a directory");
    let mut inner = opener(folder.path(), Engine::Segments);
    let mut openings = 0;
    let opener: Opener = Box::new(move |opening| {
        openings += 1;
        let mut opened = inner(opening)?;
        if openings <= 2 {
            let (inner, script) = (opened.journal, Script::default());
            opened.journal = Box::new(Failing { inner, script, is_unreadable: true });
        }
        Ok(opened)
    });
    let many = JournalLimits {
        acknowledged_bytes_max: 64 << 20,
        retained_bytes_max: 64 << 20,
        ..limits(folder.path())
    };
    let mut started = start_with(endless(), opener, many);
    // More than is kept in memory.
    let durable = Arc::new(DurableCount::default());
    for number in 0..45 {
        let mut builder = delivery::BatchBuilder::new("demo", "antenna");
        let reception = space_packet::ReceptionTime(space_packet::TaiTime(number));
        builder.push(reception, &noise(number as u32));
        let body = builder.pack().expect("one record");
        started.handle.append(body, vec![(Arc::clone(&durable), 1)], Vec::new()).await.expect("queued");
    }
    until(&durable, 45).await;
    let before = started.handle.state().borrow().store;
    started.handle.read(BatchSequence(1), 1).await.expect_err("it cannot be read");
    event_of(&mut started.events, "STO-JOURNAL-NEW-EPOCH").await;
    assert_ne!(started.handle.state().borrow().store, before);
    let salvaged = started.handle.salvaged().borrow().clone();
    let mut older = super::super::open_older(&salvaged[0].path, None).expect("opens");
    assert_eq!((older.store(), older.head().number()), (before, 45));
    assert!(matches!(older.read(BatchSequence(1)).expect("reads"), Found::Batch(_)));
    until(&record(&started.handle, std::iter::once(body(1))).await, 1).await;
}

/// A packet that does not compress.
fn noise(seed: u32) -> Vec<u8> {
    let mut state = u64::from(seed) + 1;
    let next = |_| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 40) as u8
    };
    (0..60_000).map(next).collect()
}

#[tokio::test]
async fn a_sled_whose_sync_failed_is_set_aside_at_once_and_no_packet_comes_twice() {
    let unsynced: fn() -> JournalError = || {
        let cause = std::io::Error::other("the disk broke");
        JournalError::engine("sync the log to disk")(super::super::sled_engine::Unsynced(cause))
    };
    let (_folder, mut started, packets) = check_failures(Engine::Sled, &[None, Some(unsynced)]).await;
    assert_eq!(packets, (1..20).collect::<Vec<_>>());
    event_of(&mut started.events, "STO-JOURNAL-NEW-EPOCH").await;
    let salvaged = started.handle.salvaged().borrow().clone();
    let older = super::super::open_older(&salvaged[0].path, None).expect("opens");
    assert_eq!(older.head().number(), 1, "what was not committed is in the new journal only");
}

#[test]
fn a_process_that_may_open_no_more_files_says_nothing_against_the_journal() {
    use rustix::io::Errno;
    for errno in [Errno::MFILE, Errno::NFILE, Errno::NOMEM, Errno::ROFS] {
        assert!(super::super::sled_engine::is_passing_io(&errno.into()), "{errno}");
    }
    assert!(!super::super::sled_engine::is_passing_io(&Errno::IO.into()));
}
