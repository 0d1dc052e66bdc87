//! Appending, pruning, counting, receipts, locks: what holds while nothing is damaged.

use proptest::prelude::*;

use super::*;
use crate::journal::segments::SegmentStore;
use crate::journal::sled_engine::SledStore;
use crate::journal::store::{Note, Store, fact};

fn a_journal_keeps_its_name_its_batches_and_its_chain_over_a_restart(engine: Engine) {
    let folder = tempfile::tempdir().expect("a directory");
    let path = folder.path().join("journal");
    let mut journal = engine.open(&path);
    assert_eq!((journal.store(), journal.head().number(), journal.tail()), (STORE, 0, None));
    assert_eq!(journal.lane(), engine.lane());
    append(&mut *journal, 10);
    journal.remember_acknowledged(BatchSequence(4)).expect("remembered");
    journal.commit().expect("committed");
    let (head, retained) = (journal.head(), journal.retained_bytes());
    drop(journal);

    let mut journal = engine.try_open(&path, StoreId([9; 16]), None).expect("opens");
    assert_eq!((journal.store(), journal.head(), journal.retained_bytes()), (STORE, head, retained));
    assert_eq!(journal.acknowledged(), Some(BatchSequence(4)));
    append(&mut *journal, 2);
    assert_eq!(batch(&mut *journal, 11).previous, head.hash);
    assert_eq!(numbers(&mut *journal), (1..=12).collect::<Vec<_>>());
    assert_eq!(journal.read(BatchSequence(13)).expect("reads"), Found::Absent);
    assert_eq!((gaps(&*journal), journal.take_events()), (Vec::new(), Vec::new()));
}

fn the_newest_batch_stays_whatever_is_pruned(engine: Engine) {
    let (_folder, path) = closed_journal(engine, 30);
    let mut journal = engine.open(&path);
    let retained = journal.retained_bytes();
    journal.remember_acknowledged(BatchSequence(5)).expect("remembered");
    journal.prune(BatchSequence(5)).expect("pruned");
    assert_eq!(
        (journal.tail(), numbers(&mut *journal)),
        (Some(BatchSequence(6)), (6..=30).collect::<Vec<_>>())
    );
    assert!(journal.retained_bytes() < retained);
    journal.commit().expect("committed");
    drop(journal);

    let mut journal = engine.open(&path);
    assert_eq!(
        (journal.tail(), journal.read(BatchSequence(5)).expect("reads")),
        (Some(BatchSequence(6)), Found::Absent)
    );
    journal.prune(BatchSequence(100)).expect("pruned");
    journal.commit().expect("committed");
    let (head, retained) = (journal.head(), journal.retained_bytes());
    drop(journal);
    let mut journal = engine.open(&path);
    assert_eq!((journal.head(), journal.tail()), (head, Some(BatchSequence(30))));
    assert_eq!(journal.retained_bytes(), retained);
    append(&mut *journal, 1);
    assert_eq!(batch(&mut *journal, 31).previous, head.hash);
}

fn what_was_not_committed_can_be_forgotten_and_its_numbers_used_again(engine: Engine) {
    let (_folder, path) = closed_journal(engine, 20);
    let mut journal = engine.open(&path);
    let committed = journal.head();
    for discarded in [1, 40] {
        append(&mut *journal, discarded);
        journal.discard_after(&committed).expect("discarded");
        assert_eq!((journal.head(), numbers(&mut *journal).len()), (committed, 20));
    }
    append(&mut *journal, 3);
    journal.commit().expect("committed");
    drop(journal);
    let mut journal = engine.open(&path);
    assert_eq!(numbers(&mut *journal), (1..=23).collect::<Vec<_>>());
    assert_eq!(batch(&mut *journal, 21).previous, committed.hash);
}

fn receipts_are_found_with_their_batches_and_go_with_them(engine: Engine) {
    let folder = tempfile::tempdir().expect("a directory");
    let path = folder.path().join("journal");
    let mut journal = engine.open(&path);
    for number in 1..=6u8 {
        let receipts =
            [Receipt { key: [number; 16], records: 1 }, Receipt { key: [9; 16], records: number.into() }];
        journal.append(body(number.into()), &receipts[..usize::from(number % 3)]).expect("appended");
    }
    journal.commit().expect("committed");
    drop(journal);
    let mut journal = engine.open(&path);
    let expected = [([1; 16], 1), ([2; 16], 1), ([4; 16], 1), ([5; 16], 1), ([9; 16], 5)];
    assert_eq!(journal.receipts_at_open(), HashMap::from(expected));
    assert!(journal.receipts_at_open().is_empty());
    journal.prune(BatchSequence(4)).expect("pruned");
    journal.commit().expect("committed");
    drop(journal);
    let receipts = engine.open(&path).receipts_at_open();
    assert_eq!(receipts, HashMap::from([([5; 16], 1), ([9; 16], 5)]));
}

fn what_is_given_up_is_a_gap_until_the_hub_has_passed_it(engine: Engine) {
    let (_folder, path) = closed_journal(engine, 20);
    let mut journal = engine.open(&path);
    journal.remember_acknowledged(BatchSequence(2)).expect("remembered");
    journal.evict(BatchSequence(5)).expect("evicted");
    journal.evict(BatchSequence(8)).expect("evicted");
    journal.commit().expect("committed");
    drop(journal);
    let mut journal = engine.open(&path);
    assert_eq!(gaps(&*journal), [(3, 8, GapReason::Evicted)]);
    let missing = Found::Missing { until: BatchSequence(8), reason: GapReason::Evicted };
    assert_eq!(journal.read(BatchSequence(4)).expect("reads"), missing);
    assert_eq!(journal.read(BatchSequence(2)).expect("reads"), Found::Absent);
    assert_eq!(
        (journal.tail(), numbers(&mut *journal)),
        (Some(BatchSequence(9)), (9..=20).collect::<Vec<_>>())
    );
    journal.remember_acknowledged(BatchSequence(12)).expect("remembered");
    journal.prune(BatchSequence(10)).expect("pruned");
    assert!(journal.gaps().is_empty());
}

/// Batches 9 to 12 and 17 to 20, and behind them a gap that is open to its end; the hub has 2.
fn with_gaps(engine: Engine) -> (tempfile::TempDir, PathBuf) {
    let (folder, path) = closed_journal(engine, 20);
    let mut journal = engine.open(&path);
    journal.remember_acknowledged(BatchSequence(2)).expect("remembered");
    journal.evict(BatchSequence(8)).expect("evicted");
    journal.commit().expect("committed");
    drop(journal);
    let gaps = [(3, 8, GapReason::Evicted), (13, 14, GapReason::Damaged), (15, 16, GapReason::NeverIssued)];
    let gaps = gaps.into_iter().chain([(21, 25, GapReason::Damaged)]);
    let gaps: Vec<_> = gaps
        .map(|(first, last, reason)| GapRecord {
            first: BatchSequence(first),
            last: BatchSequence(last),
            reason,
        })
        .collect();
    let gaps = postcard::to_stdvec(&gaps).expect("encodes");
    match engine {
        Engine::Alarms | Engine::Segments => {
            note_gaps(SegmentStore::open(&path, SEGMENT_BYTES).expect("opens"), &gaps);
        }
        Engine::Sled => note_gaps(SledStore::open(&path, engine.lane()).expect("opens"), &gaps),
    }
    (folder, path)
}

fn note_gaps(mut store: impl Store, gaps: &[u8]) {
    store.set_fact(fact::GAPS, gaps).expect("kept");
    store.flush().expect("flushed");
}

/// What is expected of the chain at a number.
#[derive(Clone, Copy, Debug)]
enum Chain {
    AfterGap,
    Begins,
    HashOf(u64),
    PreviousOf(u64),
    Unknown,
}

fn the_chain_is_known_wherever_the_hub_may_ask_for_it(engine: Engine) {
    let (_folder, path) = with_gaps(engine);
    let mut journal = engine.open(&path);
    let before = gaps(&*journal);
    let check = |journal: &mut dyn Journal, expected: &[(u64, Chain)]| {
        for &(number, expected) in expected {
            let hash = match expected {
                Chain::AfterGap => Some(ChainHash::after_gap(STORE, engine.lane(), BatchSequence(number))),
                Chain::Begins => Some(ChainHash::of_store(STORE, engine.lane())),
                Chain::HashOf(batch_number) => Some(batch(journal, batch_number).hash),
                Chain::PreviousOf(behind) => Some(batch(journal, behind).previous),
                Chain::Unknown => None,
            };
            assert_eq!(journal.chain_at(number).expect("reads"), hash, "{number} is {expected:?}");
        }
    };
    check(
        &mut *journal,
        &[
            (0, Chain::Begins),
            (1, Chain::Unknown),
            (2, Chain::Unknown),
            (3, Chain::AfterGap),
            (7, Chain::AfterGap),
            (8, Chain::PreviousOf(9)),
            (9, Chain::HashOf(9)),
            (12, Chain::HashOf(12)),
            (13, Chain::AfterGap),
            // Behind its end lies another gap.
            (14, Chain::AfterGap),
            (15, Chain::AfterGap),
            (16, Chain::PreviousOf(17)),
            (20, Chain::HashOf(20)),
            (21, Chain::AfterGap),
            (25, Chain::AfterGap),
            (26, Chain::Unknown),
            (u64::MAX, Chain::Unknown),
        ],
    );
    append(&mut *journal, 1);
    check(&mut *journal, &[(24, Chain::AfterGap), (25, Chain::PreviousOf(26)), (26, Chain::HashOf(26))]);
    journal.remember_acknowledged(BatchSequence(18)).expect("remembered");
    journal.prune(BatchSequence(17)).expect("pruned");
    let pruned = [(0, Chain::Begins), (8, Chain::Unknown), (16, Chain::Unknown), (17, Chain::PreviousOf(18))];
    check(&mut *journal, &pruned);
    assert!(before.ends_with(&gaps(&*journal)), "asking declares nothing lost");
}

fn quarantined_batches_are_listed_while_they_are_here(engine: Engine) {
    let folder = tempfile::tempdir().expect("a directory");
    let path = folder.path().join("journal");
    match engine {
        Engine::Alarms | Engine::Segments => {
            note_quarantine(SegmentStore::open(&path, SEGMENT_BYTES).expect("opens"), engine.lane());
        }
        Engine::Sled => note_quarantine(SledStore::open(&path, engine.lane()).expect("opens"), engine.lane()),
    }
    let mut journal = engine.open(&path);
    let listed = |journal: &dyn Journal, from, max| {
        journal.quarantined(BatchSequence(from), max).iter().map(|number| number.0).collect::<Vec<_>>()
    };
    assert_eq!(listed(&*journal, 1, 9), [3, 6, 9, 12]);
    assert_eq!(listed(&*journal, 4, 2), [6, 9]);
    journal.prune(BatchSequence(6)).expect("pruned");
    assert_eq!(listed(&*journal, 1, 9), [9, 12]);
    let ninth = batch(&mut *journal, 9).position();
    journal.discard_after(&ninth).expect("discarded");
    assert_eq!(listed(&*journal, 1, 9), [9]);
}

/// Twelve batches, each third with a note that it is quarantined.
fn note_quarantine(mut store: impl Store, lane: Lane) {
    store.set_fact(fact::STORE_ID, &STORE.0).expect("kept");
    let mut position = Position::start(STORE, lane);
    for number in 1..=12 {
        let batch = body(number).seal(lane, &position);
        position = batch.position();
        let note = Note { is_quarantined: number % 3 == 0, receipts: Vec::new() }.encode();
        store.put(number, batch.bytes(), note.as_deref()).expect("kept");
    }
    store.flush().expect("flushed");
}

fn a_journal_in_use_is_refused(engine: Engine) {
    let folder = tempfile::tempdir().expect("a directory");
    let path = folder.path().join("journal");
    let _open = engine.open(&path);
    assert!(matches!(engine.try_open(&path, STORE, None), Err(JournalError::Locked { .. })));
}

fn a_journal_that_cannot_be_opened_for_another_reason_is_left_alone(engine: Engine) {
    let folder = tempfile::tempdir().expect("a directory");
    let path = folder.path().join("journal");
    std::fs::write(&path, b"a file where the directory should be").expect("written");
    assert!(matches!(engine.try_open(&path, STORE, None), Err(JournalError::Engine { .. })));
    assert!(path.is_file());
}

fn encryption_can_be_switched_on_and_off_and_a_wrong_key_changes_nothing(engine: Engine) {
    let (_folder, path) = closed_journal(engine, 5);
    let key = |byte: u8| Some(JournalKey::new(&[byte; 32]));
    let mut journal = engine.try_open(&path, STORE, key(1)).expect("opens");
    append(&mut *journal, 80);
    journal.commit().expect("committed");
    drop(journal);
    for wrong in [None, key(2)] {
        let refused = engine.try_open(&path, STORE, wrong).err().expect("another key");
        assert!(matches!(refused, JournalError::WrongKey { .. }), "{refused}");
    }
    let mut journal = engine.try_open(&path, STORE, key(1)).expect("opens");
    assert_eq!((numbers(&mut *journal).len(), journal.head().number()), (85, 85));
    assert_eq!((gaps(&*journal), journal.take_events()), (Vec::new(), Vec::new()));
}

fn check_counts(engine: Engine, steps: Vec<(u64, u64, bool)>) -> Result<(), TestCaseError> {
    let folder = tempfile::tempdir().expect("a directory");
    let path = folder.path().join("journal");
    let mut journal = engine.open(&path);
    for (appended, pruned, is_reopened) in steps {
        append(&mut *journal, appended);
        journal.prune(BatchSequence(pruned)).expect("pruned");
        if is_reopened {
            journal.commit().expect("committed");
            drop(journal);
            journal = engine.open(&path);
        }
        let there = numbers(&mut *journal);
        let bytes: usize = there.iter().map(|&number| batch(&mut *journal, number).bytes().len()).sum();
        prop_assert_eq!(journal.retained_bytes(), bytes as u64);
        prop_assert_eq!(journal.tail().map(|tail| tail.0), there.first().copied());
        prop_assert_eq!(Some(journal.head().number()), there.last().copied());
    }
    Ok(())
}

macro_rules! for_each_engine {
    ($($rule:ident),* $(,)?) => {
        mod sled_engine {
            use super::*;
            $(#[test] fn $rule() { super::$rule(Engine::Sled); })*
            proptest! {
                #![proptest_config(ProptestConfig::with_cases(12))]
                #[test]
                fn whatever_is_appended_and_pruned_the_counts_stay_exact(
                    steps in proptest::collection::vec((1u64..8, 0u64..30, any::<bool>()), 1..10),
                ) {
                    check_counts(Engine::Sled, steps)?;
                }
            }
        }
        mod alarm_lane {
            use super::*;
            $(#[test] fn $rule() { super::$rule(Engine::Alarms); })*
        }
        mod segment_engine {
            use super::*;
            $(#[test] fn $rule() { super::$rule(Engine::Segments); })*
            proptest! {
                #![proptest_config(ProptestConfig::with_cases(24))]
                #[test]
                fn whatever_is_appended_and_pruned_the_counts_stay_exact(
                    steps in proptest::collection::vec((1u64..20, 0u64..90, any::<bool>()), 1..12),
                ) {
                    check_counts(Engine::Segments, steps)?;
                }
            }
        }
    };
}

for_each_engine!(
    a_journal_keeps_its_name_its_batches_and_its_chain_over_a_restart,
    the_newest_batch_stays_whatever_is_pruned,
    what_was_not_committed_can_be_forgotten_and_its_numbers_used_again,
    receipts_are_found_with_their_batches_and_go_with_them,
    what_is_given_up_is_a_gap_until_the_hub_has_passed_it,
    the_chain_is_known_wherever_the_hub_may_ask_for_it,
    quarantined_batches_are_listed_while_they_are_here,
    a_journal_in_use_is_refused,
    a_journal_that_cannot_be_opened_for_another_reason_is_left_alone,
    encryption_can_be_switched_on_and_off_and_a_wrong_key_changes_nothing,
);
