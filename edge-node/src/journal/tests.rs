//! What every engine of the journal must do.

use std::sync::Arc;

use delivery::{BatchBuilder, Lane};
use proptest::prelude::*;
use space_packet::{ReceptionTime, TaiTime};

use super::*;

const STORE: StoreId = StoreId([5; 16]);

fn body(number: u64) -> SealedBody {
    let mut builder = BatchBuilder::new("demo", "antenna");
    builder.push(ReceptionTime(TaiTime(number as i64)), &number.to_be_bytes());
    builder.pack().expect("one record")
}

fn append(journal: &mut impl Journal, count: u64) {
    for _ in 0..count {
        let number = journal.head().number() + 1;
        let batch = journal.append(body(number)).expect("appended");
        assert_eq!(batch.header.sequence, BatchSequence(number));
    }
}

fn numbers(journal: &impl Journal) -> Vec<u64> {
    (1..=journal.head().number())
        .filter(|&number| journal.read(BatchSequence(number)).expect("reads").is_some())
        .collect()
}

/// The conformance suite: `open` opens the engine in a directory.
fn check_engine<J: Journal>(open: impl Fn(&std::path::Path, StoreId) -> J) {
    let folder = tempfile::tempdir().expect("a directory");
    let path = folder.path().join("journal");
    let mut journal = open(&path, STORE);
    assert_eq!((journal.store(), journal.head().number(), journal.tail()), (STORE, 0, None));
    assert_eq!(journal.hash_at(None).expect("reads"), Some(ChainHash::of_store(STORE, Lane::Telemetry)));
    append(&mut journal, 10);
    journal.remember_acknowledged(BatchSequence(4)).expect("remembered");
    journal.commit().expect("committed");
    let head = journal.head();
    drop(journal);

    // A journal keeps its name, its batches and its chain over a restart.
    let mut journal = open(&path, StoreId([9; 16]));
    assert_eq!(
        (journal.store(), journal.head(), journal.acknowledged()),
        (STORE, head, Some(BatchSequence(4)))
    );
    append(&mut journal, 2);
    assert_eq!(numbers(&journal), (1..=12).collect::<Vec<_>>());
    let retained = journal.retained_bytes();

    journal.prune(BatchSequence(5)).expect("pruned");
    assert_eq!((journal.tail(), numbers(&journal)), (Some(BatchSequence(6)), (6..=12).collect()));
    assert!(journal.retained_bytes() < retained);

    // The newest batch stays, whatever is pruned, so that the next one can be chained to it.
    journal.prune(BatchSequence(100)).expect("pruned");
    journal.commit().expect("committed");
    let head = journal.head();
    drop(journal);
    let mut journal = open(&path, StoreId([9; 16]));
    assert_eq!((journal.head(), journal.tail()), (head, Some(BatchSequence(12))));
    append(&mut journal, 1);
    assert_eq!(journal.read(BatchSequence(13)).expect("reads").expect("is there").previous, head.hash);
}

fn open_sled(path: &std::path::Path, store: StoreId) -> SledJournal {
    SledJournal::open(path, store).expect("opens")
}

#[test]
fn the_sled_engine_keeps_the_contract() {
    check_engine(open_sled);
}

/// A journal with batches, committed and closed.
fn closed_journal(batches: u64) -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().expect("a directory");
    let path = folder.path().join("journal");
    let mut journal = open_sled(&path, STORE);
    append(&mut journal, batches);
    journal.commit().expect("committed");
    (folder, path)
}

fn damage(path: &std::path::Path, number: usize) {
    let database = sled::open(path).expect("opens");
    let log = database.open_tree("log").expect("opens");
    let (key, value) = log.iter().nth(number - 1).expect("is there").expect("reads");
    let mut damaged = value.to_vec();
    damaged[20] ^= 1;
    log.insert(key, damaged).expect("written");
}

#[test]
fn a_damaged_end_is_set_aside_and_what_is_before_it_stays() {
    let (_folder, path) = closed_journal(5);
    damage(&path, 4);
    damage(&path, 5);
    let mut journal = open_sled(&path, STORE);
    assert_eq!(numbers(&journal), [1, 2, 3]);
    append(&mut journal, 1);
    drop(journal);
    let aside = sled::open(&path).expect("opens").open_tree("damaged").expect("opens");
    assert_eq!(aside.len(), 2);
}

#[test]
fn damage_in_the_middle_or_at_the_beginning_takes_nothing_else_away() {
    let (_folder, path) = closed_journal(6);
    damage(&path, 1);
    damage(&path, 4);
    let mut journal = open_sled(&path, STORE);
    assert_eq!(journal.head().number(), 6);
    assert!(matches!(journal.read(BatchSequence(4)), Err(JournalError::Damaged { sequence: 4, .. })));
    assert!(journal.read(BatchSequence(5)).expect("reads").is_some());
    journal.prune(BatchSequence(3)).expect("recording goes on");
    append(&mut journal, 1);
    journal.commit().expect("committed");
    assert_eq!(journal.tail(), Some(BatchSequence(4)));
}

#[test]
fn a_journal_that_cannot_be_opened_for_another_reason_is_left_alone() {
    let folder = tempfile::tempdir().expect("a directory");
    let path = folder.path().join("journal");
    std::fs::write(&path, b"a file where the directory should be").expect("written");
    assert!(matches!(SledJournal::open(&path, STORE), Err(JournalError::Engine { .. })));
    assert!(path.is_file());
}

#[test]
fn a_journal_that_cannot_be_opened_is_set_aside_and_recording_goes_on() {
    let (folder, path) = closed_journal(3);
    std::fs::write(path.join("conf"), b"not what sled wrote").expect("written");
    let journal = open_sled(&path, StoreId([6; 16]));
    assert_eq!((journal.store(), journal.head().number()), (StoreId([6; 16]), 0));
    assert!(folder.path().join("journal.damaged-1").join("db").exists());
}

#[test]
fn a_journal_in_use_is_refused_and_not_set_aside() {
    let folder = tempfile::tempdir().expect("a directory");
    let path = folder.path().join("journal");
    let _open = open_sled(&path, STORE);
    assert!(matches!(SledJournal::open(&path, STORE), Err(JournalError::Locked { .. })));
}

#[tokio::test]
async fn a_producer_is_told_only_what_a_restart_still_finds() {
    let folder = tempfile::tempdir().expect("a directory");
    let path = folder.path().join("journal");
    let limits = JournalLimits {
        directory: folder.path().to_owned(),
        retained_bytes_max: 1 << 20,
        acknowledged_bytes_max: 1 << 20,
    };
    let (handle, end) = start(open_sled(&path, STORE), limits).expect("starts");
    let durable = Arc::new(DurableCount::default());
    for number in 0..100 {
        handle.append(body(number), vec![(Arc::clone(&durable), 1)], Vec::new()).await.expect("queued");
    }
    while durable.packets() < 100 {
        durable.changed().await;
    }
    let batches = handle.read(BatchSequence(40), usize::MAX).await.expect("reads");
    assert_eq!((batches.len(), batches[0].header.sequence), (61, BatchSequence(40)));
    drop(handle);
    end.await.expect("ends").expect("without an error");
    assert_eq!(numbers(&open_sled(&path, STORE)).len(), 100);
}

#[tokio::test]
async fn a_full_journal_makes_producers_wait_and_goes_on_when_the_hub_has_taken_something() {
    let folder = tempfile::tempdir().expect("a directory");
    let limits = JournalLimits {
        directory: folder.path().to_owned(),
        retained_bytes_max: 3_000,
        acknowledged_bytes_max: 0,
    };
    let (handle, _end) = start(open_sled(&folder.path().join("journal"), STORE), limits).expect("starts");
    let mut state = handle.state();
    let producer = {
        let handle = handle.clone();
        tokio::spawn(async move {
            for number in 0..500 {
                handle.append(body(number), Vec::new(), Vec::new()).await.expect("queued");
            }
        })
    };
    state.wait_for(|state| state.is_full).await.expect("fills");
    let held = state.borrow().head.number();
    assert!(!producer.is_finished() && held < 200, "{held} batches held");
    while !producer.is_finished() {
        let newest = state.borrow().head.sequence.expect("not empty");
        handle.acknowledged(newest, newest).await.expect("heard");
        tokio::task::yield_now().await;
    }
    producer.await.expect("all were taken");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]
    #[test]
    fn whatever_is_appended_and_pruned_the_counts_stay_exact(steps in proptest::collection::vec((1u64..8, 0u64..12), 1..12)) {
        let folder = tempfile::tempdir().expect("a directory");
        let path = folder.path().join("journal");
        let mut journal = open_sled(&path, STORE);
        for (appended, pruned) in steps {
            append(&mut journal, appended);
            journal.prune(BatchSequence(pruned)).expect("pruned");
            let there = numbers(&journal);
            let bytes: usize = there
                .iter()
                .map(|&number| journal.read(BatchSequence(number)).expect("reads").expect("is there").bytes().len())
                .sum();
            prop_assert_eq!(journal.retained_bytes(), bytes as u64);
            prop_assert_eq!(journal.tail().map(|tail| tail.0), there.first().copied());
        }
    }
}
