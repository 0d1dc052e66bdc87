//! What a damaged disk does to each engine: nothing sound is lost, reading ends nowhere, no number comes twice.

use super::*;

/// Flips a bit of a stored batch, past its record's head.
fn damage(engine: Engine, path: &Path, number: u64) {
    match engine {
        Engine::Sled => {
            let database = open_raw(path);
            let log = database.open_tree("log").expect("opens");
            let key = [&[engine.lane() as u8][..], &number.to_be_bytes()].concat();
            let mut value = log.get(&key).expect("reads").expect("is there").to_vec();
            value[20] ^= 1;
            log.insert(key, value).expect("written");
        }
        Engine::Alarms | Engine::Segments => {
            for (file, bytes) in segments(path) {
                if let Some(place) = record_of(&bytes, number) {
                    let mut bytes = bytes;
                    bytes[place + 36] ^= 1;
                    std::fs::write(file, bytes).expect("written");
                    return;
                }
            }
            panic!("batch {number} is in no segment");
        }
    }
}

/// sled gives up its lock a moment after it is dropped: threads of its own still hold the file.
fn open_raw(path: &Path) -> sled::Db {
    for _ in 0..500 {
        if let Ok(database) = sled::Config::new().path(path).flush_every_ms(None).open() {
            return database;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    panic!("the lock stays");
}

fn segments(path: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(path)
        .expect("lists")
        .map(|entry| entry.expect("reads").path())
        .filter(|path| path.extension().is_some_and(|end| end == "segment"))
        .collect();
    files.sort();
    files.into_iter().map(|file| (file.clone(), std::fs::read(file).expect("reads"))).collect()
}

/// Where the record of a batch begins.
fn record_of(bytes: &[u8], number: u64) -> Option<usize> {
    let head = |window: &[u8]| window[..4] == *b"STB\x01" && window[8..] == number.to_le_bytes();
    bytes.windows(16).position(head)
}

fn a_damaged_end_is_set_aside_and_recording_goes_on_behind_what_was_reserved(engine: Engine) {
    let (_folder, path) = closed_journal(engine, 5);
    damage(engine, &path, 4);
    damage(engine, &path, 5);
    let mut journal = engine.open(&path);
    assert_eq!(numbers(&mut *journal), [1, 2, 3]);
    let reserved = journal.head().number();
    assert!(reserved > 5, "{reserved}");
    assert_eq!(gaps(&*journal), [(4, reserved, GapReason::Damaged)]);
    let missing = Found::Missing { until: BatchSequence(reserved), reason: GapReason::Damaged };
    assert_eq!(journal.read(BatchSequence(4)).expect("reads"), missing);
    assert!(!journal.take_events().is_empty());
    drop(journal);

    // The next start finds the same, and no new damage.
    let mut journal = engine.open(&path);
    assert_eq!((journal.head().number(), journal.take_events()), (reserved, Vec::new()));
    append(&mut *journal, 2);
    journal.commit().expect("committed");
    let after_gap = ChainHash::after_gap(STORE, engine.lane(), BatchSequence(reserved));
    assert_eq!(batch(&mut *journal, reserved + 1).previous, after_gap);
    assert_eq!(journal.chain_at(reserved).expect("reads"), Some(after_gap));
    drop(journal);
    let mut journal = engine.open(&path);
    assert_eq!(numbers(&mut *journal), [1, 2, 3, reserved + 1, reserved + 2]);
    assert_eq!(gaps(&*journal), [(4, reserved, GapReason::Damaged)]);
    drop(journal);
    assert_eq!(kept_aside(engine, &path), 2);
}

fn kept_aside(engine: Engine, path: &Path) -> usize {
    match engine {
        Engine::Sled => open_raw(path).open_tree("damaged").expect("opens").len(),
        Engine::Alarms | Engine::Segments => std::fs::read_dir(path.join("damaged")).expect("lists").count(),
    }
}

fn damage_in_the_middle_or_at_the_beginning_takes_nothing_else_away(engine: Engine) {
    // More than are checked at a start, so that some damage is met when it is read.
    let (_folder, path) = closed_journal(engine, 100);
    for number in [1, 2, 4, 90] {
        damage(engine, &path, number);
    }
    for round in 0..2 {
        let mut journal = engine.open(&path);
        assert_eq!(journal.head().number(), 100);
        let mut next = 1;
        let mut read = 0;
        while next <= 100 {
            match journal.read(BatchSequence(next)).expect("reads") {
                Found::Absent => panic!("batch {next} was never acknowledged"),
                Found::Batch(_) => (next, read) = (next + 1, read + 1),
                Found::Missing { until, reason } => {
                    assert_eq!(reason, GapReason::Damaged);
                    next = until.0 + 1;
                }
            }
        }
        assert_eq!(read, 96);
        let damaged = [(1, 2), (4, 4), (90, 90)].map(|(first, last)| (first, last, GapReason::Damaged));
        assert_eq!(gaps(&*journal), damaged);
        assert_eq!(journal.take_events().is_empty(), round == 1);
        journal.commit().expect("committed");
    }
    assert_eq!(kept_aside(engine, &path), 4);
    let mut journal = engine.open(&path);
    journal.prune(BatchSequence(3)).expect("recording goes on");
    append(&mut *journal, 1);
    journal.commit().expect("committed");
    assert_eq!(batch(&mut *journal, 101).header.sequence, BatchSequence(101));
}

fn a_missing_end_is_noticed_and_its_numbers_are_not_used_again(engine: Engine) {
    let (_folder, path) = closed_journal(engine, 40);
    match engine {
        Engine::Sled => {
            let log = open_raw(&path).open_tree("log").expect("opens");
            for number in 38..=40u64 {
                let key = [&[engine.lane() as u8][..], &number.to_be_bytes()].concat();
                log.remove(key).expect("removed");
            }
        }
        Engine::Alarms | Engine::Segments => {
            let (last, _) = segments(&path).pop().expect("several");
            std::fs::remove_file(last).expect("removed");
        }
    }
    let mut journal = engine.open(&path);
    let there = numbers(&mut *journal);
    let newest = *there.last().expect("some");
    assert!(newest < 40 && there.len() as u64 == newest);
    assert!(journal.head().number() > 40);
    assert_eq!(gaps(&*journal), [(newest + 1, journal.head().number(), GapReason::Damaged)]);
}

macro_rules! for_each_engine {
    ($($rule:ident),* $(,)?) => {
        mod sled_engine {
            use super::*;
            $(#[test] fn $rule() { super::$rule(Engine::Sled); })*
        }
        mod alarm_lane {
            use super::*;
            $(#[test] fn $rule() { super::$rule(Engine::Alarms); })*
        }
        mod segment_engine {
            use super::*;
            $(#[test] fn $rule() { super::$rule(Engine::Segments); })*
        }
    };
}

for_each_engine!(
    a_damaged_end_is_set_aside_and_recording_goes_on_behind_what_was_reserved,
    damage_in_the_middle_or_at_the_beginning_takes_nothing_else_away,
    a_missing_end_is_noticed_and_its_numbers_are_not_used_again,
);

#[test]
fn an_unfinished_snapshot_of_sled_is_passed_over() {
    let (_folder, path) = closed_journal(Engine::Sled, 3);
    std::fs::write(path.join("snap.0000000000000000.generating"), b"half").expect("written");
    let mut journal = Engine::Sled.open(&path);
    assert_eq!(numbers(&mut *journal), [1, 2, 3]);
    assert!(!path.join("snap.0000000000000000.generating").exists());
}

#[test]
fn a_sled_journal_whose_name_cannot_be_read_is_known_by_the_file_beside_it() {
    let (_folder, path) = closed_journal(Engine::Sled, 3);
    open_raw(&path).open_tree("meta").expect("opens").insert("store-id", b"damaged").expect("written");
    let mut journal = Engine::Sled.try_open(&path, StoreId([9; 16]), None).expect("opens");
    assert_eq!((journal.store(), numbers(&mut *journal).len()), (STORE, 3));
}

#[test]
fn a_sled_file_that_cannot_be_read_is_corrupt_and_left_in_place() {
    let (_folder, path) = closed_journal(Engine::Sled, 3);
    std::fs::write(path.join("conf"), b"not what sled wrote").expect("written");
    assert!(matches!(Engine::Sled.try_open(&path, STORE, None), Err(JournalError::Corrupt(_))));
    assert_eq!(super::super::sled_engine::id_in(&path), Some(STORE));
}

/// Changes the segments of a journal of 60 batches, opens it, and says what was found.
fn check_segments(change: impl Fn(&mut Vec<(PathBuf, Vec<u8>)>)) -> (Vec<u64>, u64) {
    let (_folder, path) = closed_journal(Engine::Segments, 60);
    let before = segments(&path);
    let mut after = before.clone();
    change(&mut after);
    for (file, bytes) in &after {
        std::fs::write(file, bytes).expect("written");
    }
    for (file, _) in before.iter().filter(|(file, _)| after.iter().all(|(other, _)| other != file)) {
        std::fs::remove_file(file).expect("removed");
    }
    let mut journal = Engine::Segments.open(&path);
    let found = numbers(&mut *journal);
    let head = journal.head().number();
    append(&mut *journal, 1);
    journal.commit().expect("committed");
    drop(journal);
    let mut journal = Engine::Segments.open(&path);
    assert_eq!(numbers(&mut *journal).len(), found.len() + 1, "the next start finds the same");
    assert_eq!(journal.store(), STORE);
    (found, head)
}

#[test]
fn a_deleted_segment_in_the_middle_is_a_gap() {
    let (found, head) = check_segments(|segments| drop(segments.remove(1)));
    assert!(head == 60 && (40..60).contains(&found.len()), "{found:?}");
}

#[test]
fn a_truncated_end_loses_only_what_was_cut_off() {
    for cut in [1, 10, 21, 150] {
        let (found, head) = check_segments(|segments| {
            let (_, last) = segments.last_mut().expect("several");
            last.truncate(last.len() - cut);
        });
        assert!(head > 60 && found.len() >= 58 && found.is_sorted(), "{cut}: {found:?}");
    }
}

#[test]
fn an_empty_file_at_the_end_is_nothing() {
    let (found, head) = check_segments(|segments| {
        let next = segments[0].0.with_file_name(format!("{:020}.segment", 61));
        segments.push((next, Vec::new()));
    });
    assert_eq!((found.len(), head), (60, 60));
}

#[test]
fn garbage_behind_the_end_is_set_aside_and_no_batch_is_lost() {
    for garbage in [vec![0; 5_000], b"STB\x01 no record".repeat(50)] {
        let (found, head) =
            check_segments(|segments| segments.last_mut().expect("several").1.extend_from_slice(&garbage));
        assert!(found.len() == 60 && head > 60);
    }
}

#[test]
fn wherever_a_bit_flips_at_most_one_batch_is_lost() {
    let (_folder, path) = closed_journal(Engine::Segments, 60);
    let length = segments(&path)[1].1.len();
    for place in (0..length).step_by(7) {
        let (found, head) = check_segments(|segments| segments[1].1[place] ^= 4);
        assert!(found.len() >= 59 && head == 60, "byte {place}: {} batches, head {head}", found.len());
    }
}

#[test]
fn a_state_that_cannot_be_read_is_made_anew_from_the_segments() {
    let (_folder, path) = closed_journal(Engine::Segments, 10);
    std::fs::write(path.join("state"), b"not what was written").expect("written");
    let mut journal = Engine::Segments.try_open(&path, StoreId([9; 16]), None).expect("opens");
    assert_eq!((journal.store(), numbers(&mut *journal).len()), (STORE, 10));
    assert!(path.join("damaged").join("state").exists());
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]
    #[test]
    fn whatever_a_segment_holds_the_journal_opens_and_records(
        bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..400),
        place in 0usize..3_000,
    ) {
        let (_folder, path) = closed_journal(Engine::Segments, 40);
        let (file, mut content) = segments(&path).remove(1);
        let place = place.min(content.len());
        content.splice(place..(place + bytes.len()).min(content.len()), bytes);
        std::fs::write(file, content).expect("written");
        let mut journal = Engine::Segments.open(&path);
        append(&mut *journal, 3);
        journal.commit().expect("committed");
        proptest::prop_assert!(numbers(&mut *journal).len() >= 20);
    }
}

#[test]
fn twenty_thousand_batches_open_without_being_read() {
    let folder = tempfile::tempdir().expect("a directory");
    let path = folder.path().join("journal");
    let open =
        || SegmentJournal::open(&path, telemetry(), super::super::segments::SEGMENT_BYTES).expect("opens");
    let mut journal = open();
    append(&mut journal, 20_000);
    journal.commit().expect("committed");
    drop(journal);
    let mut journal = open();
    assert_eq!(journal.head().number(), 20_000);
    assert_eq!(batch(&mut journal, 12_345).header.sequence, BatchSequence(12_345));
}

#[test]
fn when_all_is_pruned_the_disk_has_the_space_back_even_if_the_node_stops_half_way() {
    let folder = tempfile::tempdir().expect("a directory");
    let path = folder.path().join("journal");
    let open = || SegmentJournal::open(&path, telemetry(), 20_000).expect("opens");
    let mut journal = open();
    append(&mut journal, 80);
    journal.append(body(81), &[Receipt { key: [1; 16], records: 1 }]).expect("appended");
    journal.commit().expect("committed");
    let before = segments(&path);
    journal.prune(BatchSequence(81)).expect("pruned");
    assert_eq!(segments(&path).len(), 1);
    assert!(segments(&path)[0].1.len() < 500, "only the newest batch is there");
    assert_eq!(batch(&mut journal, 81).header.sequence, BatchSequence(81));
    drop(journal);

    // As if the old file had not been deleted yet.
    std::fs::write(&before[0].0, &before[0].1).expect("written");
    let mut journal = open();
    assert_eq!((journal.tail(), journal.head().number()), (Some(BatchSequence(81)), 81));
    assert_eq!(journal.receipts_at_open().len(), 1);
    append(&mut journal, 2);
    assert_eq!(numbers(&mut journal), [81, 82, 83]);
}

#[test]
fn the_name_of_a_lost_sled_store_is_not_taken_for_an_empty_one() {
    let (_folder, path) = closed_journal(Engine::Sled, 3);
    let name = std::fs::read(path.join("store-id")).expect("reads");
    drop(open_raw(&path));
    std::fs::remove_dir_all(&path).expect("removed");
    std::fs::create_dir(&path).expect("made");
    std::fs::write(path.join("store-id"), name).expect("written");
    let new = StoreId([9; 16]);
    let journal = Engine::Sled.try_open(&path, new, None).expect("opens");
    assert_eq!((journal.store(), journal.head().number()), (new, 0));
    drop(journal);
    assert_eq!(super::super::sled_engine::id_in(&path), Some(new));
}

#[test]
fn a_lost_beginning_that_the_hub_does_not_have_is_a_gap() {
    let (_folder, path) = closed_journal(Engine::Segments, 60);
    std::fs::remove_file(&segments(&path)[0].0).expect("removed");
    let mut journal = Engine::Segments.open(&path);
    let tail = journal.tail().expect("not empty");
    assert!(tail.0 > 1);
    let (before, behind) = (tail.0 - 1, batch(&mut *journal, tail.0).previous);
    assert_eq!(journal.chain_at(before).expect("reads"), Some(behind));
    assert_eq!(journal.chain_at(before - 1).expect("reads"), None);
    assert!(journal.gaps().is_empty(), "asking for the chain declares nothing lost");
    let missing = Found::Missing { until: BatchSequence(before), reason: GapReason::Damaged };
    assert_eq!(journal.read(BatchSequence(1)).expect("reads"), missing);
    assert_eq!(journal.chain_at(before).expect("reads"), Some(behind), "as forwarding declares the gap");
}
