//! What a start does with what it finds.

use std::path::Path;

use delivery::{BatchSequence, ChainHash};

use super::super::tests::{STORE, append, body};
use super::super::{Found, GapReason, Receipt};
use super::*;

const NEW_STORE: StoreId = StoreId([6; 16]);
/// Behind everything.
const END: Position = position(1_000);

const fn position(number: u64) -> Position {
    Position { sequence: Some(BatchSequence(number)), hash: ChainHash([0; 16]), records: 0, bytes: 0 }
}

fn options(engine: Engine, key: Option<JournalKey>) -> JournalOptions {
    JournalOptions { engine, key, segment_bytes: 4_000, ..JournalOptions::default() }
}

fn open_as(data: &Path, options: &JournalOptions, store: StoreId) -> Opened {
    open(data, options, Opening::Again, &mut || store).expect("opens")
}

/// A data directory with a closed journal of 50 batches, 10 of which the hub has.
fn recorded(options: &JournalOptions) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a directory");
    let mut journal = open_as(folder.path(), options, STORE).journal;
    append(&mut *journal, 49);
    journal.append(body(50), &[Receipt { key: [1; 16], records: 1 }]).expect("appended");
    journal.remember_acknowledged(BatchSequence(10)).expect("remembered");
    journal.commit().expect("committed");
    folder
}

/// Reads an older journal to its end: the numbers of its batches.
fn drain(directory: &Path, key: Option<JournalKey>) -> Vec<u64> {
    let mut journal = open_older(directory, key).expect("opens");
    assert_eq!(journal.store(), STORE);
    assert!(matches!(journal.append(body(1), &[]), Err(JournalError::ReadOnly)));
    let mut found = Vec::new();
    let mut next = journal.tail().expect("not empty");
    while next.0 <= journal.head().number() {
        next = match journal.read(next).expect("reads") {
            Found::Absent => panic!("{next:?} was never acknowledged"),
            Found::Batch(batch) => {
                found.push(next.0);
                batch.header.sequence.next()
            }
            Found::Missing { until, .. } => until.next(),
        };
    }
    journal.remember_acknowledged(BatchSequence(journal.head().number())).expect("remembered");
    journal.commit().expect("committed");
    found
}

fn codes(opened: &Opened) -> Vec<&str> {
    opened.events.iter().map(|event| event.code.as_str()).collect()
}

/// Opens a journal anew, and says what was salvaged of the old one; afterwards nothing waits any more.
fn check_salvage(options: &JournalOptions, break_it: impl Fn(&Path)) -> Vec<u64> {
    let data = recorded(options);
    break_it(data.path());
    let mut opened = open_as(data.path(), options, NEW_STORE);
    assert_eq!((opened.journal.store(), opened.journal.head().number()), (NEW_STORE, 0));
    assert_eq!(codes(&opened), ["STO-JOURNAL-SET-ASIDE", "STO-JOURNAL-SALVAGED"]);
    append(&mut *opened.journal, 3);
    opened.journal.commit().expect("recording goes on");
    let [salvaged]: [OlderDirectory; 1] = opened.salvaged.try_into().expect("one older journal");
    assert!(!salvaged.is_forked);
    let found = drain(&salvaged.path, options.key.clone());
    drop(opened.journal);
    let opened = open_as(data.path(), options, NEW_STORE);
    assert_eq!((opened.journal.head().number(), opened.salvaged.len(), opened.events.len()), (3, 0, 0));
    found
}

fn break_sled(data: &Path) {
    std::fs::write(data.join("journal").join("conf"), b"not what sled wrote").expect("written");
}

#[test]
fn what_is_sound_in_a_sled_file_that_cannot_be_opened_is_salvaged() {
    let found = check_salvage(&options(Engine::Sled, None), break_sled);
    assert_eq!(found, (1..=50).collect::<Vec<_>>());
}

#[test]
fn encrypted_batches_are_salvaged_as_they_are() {
    let key = Some(JournalKey::new(&[3; 32]));
    let found = check_salvage(&options(Engine::Sled, key), break_sled);
    assert_eq!(found, (1..=50).collect::<Vec<_>>());
}

#[test]
fn a_damaged_part_of_a_sled_file_costs_only_what_lay_in_it() {
    let found = check_salvage(&options(Engine::Sled, None), |data| {
        break_sled(data);
        let file = data.join("journal").join("db");
        let mut bytes = std::fs::read(&file).expect("reads");
        let middle = bytes.windows(8).position(|bytes| bytes == 25u64.to_be_bytes()).expect("a packet");
        bytes[middle..middle + 40].fill(0xff);
        std::fs::write(file, bytes).expect("written");
    });
    assert!(found.len() >= 47 && found.is_sorted(), "{found:?}");
}

#[test]
fn a_journal_that_is_begun_anew_keeps_the_old_one_to_be_forwarded() {
    for engine in [Engine::Sled, Engine::Segments] {
        let options = options(engine, None);
        let data = recorded(&options);
        let opened =
            open(data.path(), &options, Opening::Anew { committed: END }, &mut || NEW_STORE).expect("opens");
        assert_eq!((opened.journal.store(), opened.salvaged.len()), (NEW_STORE, 1));
        let first = if engine == Engine::Segments { 11 } else { 1 };
        assert_eq!(drain(&opened.salvaged[0].path, None), (first..=50).collect::<Vec<_>>());
    }
}

#[test]
fn what_another_engine_recorded_waits_to_be_forwarded() {
    for engine in [Engine::Sled, Engine::Segments] {
        let data = recorded(&options(engine, None));
        let other = options(engine.other(), None);
        let opened = open_as(data.path(), &other, NEW_STORE);
        assert_eq!((opened.journal.store(), opened.salvaged.len()), (NEW_STORE, 1));
        assert_eq!(drain(&opened.salvaged[0].path, None).len(), 50);
        drop(opened);
        assert!(open_as(data.path(), &other, NEW_STORE).salvaged.is_empty());
    }
}

#[test]
fn a_journal_in_use_or_with_another_key_is_an_error_and_stays_where_it_is() {
    for engine in [Engine::Sled, Engine::Segments] {
        let key = |byte: u8| Some(JournalKey::new(&[byte; 32]));
        let mine = options(engine, key(1));
        let data = recorded(&mine);
        let theirs = options(engine, key(2));
        let refused =
            open(data.path(), &theirs, Opening::Again, &mut || NEW_STORE).err().expect("a wrong key");
        assert!(matches!(refused, JournalError::WrongKey { .. }), "{refused}");
        let _open = open_as(data.path(), &mine, NEW_STORE);
        let refused = open(data.path(), &mine, Opening::Again, &mut || NEW_STORE).err().expect("in use");
        assert!(matches!(refused, JournalError::Locked { .. }), "{refused}");
        let entries = std::fs::read_dir(data.path()).expect("lists").count();
        assert_eq!(entries, 1, "nothing was set aside");
    }
}

#[test]
fn what_nobody_was_told_about_is_not_salvaged() {
    for engine in [Engine::Sled, Engine::Segments] {
        let options = options(engine, None);
        let data = recorded(&options);
        let opening = Opening::Anew { committed: position(40) };
        let opened = open(data.path(), &options, opening, &mut || NEW_STORE).expect("opens");
        assert_eq!(drain(&opened.salvaged[0].path, None).last(), Some(&40));
    }
}

#[test]
fn a_salvage_that_was_interrupted_is_made_again_at_the_next_start() {
    for engine in [Engine::Sled, Engine::Segments] {
        let options = options(engine, None);
        let data = recorded(&options);
        let aside = data.path().join(format!("{}.damaged-7", engine.folder()));
        std::fs::rename(data.path().join(engine.folder()), &aside).expect("renamed");
        std::fs::create_dir(data.path().join("journal.salvaging")).expect("half written");
        let opened = open_as(data.path(), &options, NEW_STORE);
        assert_eq!(codes(&opened), ["STO-JOURNAL-SALVAGED"]);
        let salvaged = OlderDirectory { path: data.path().join("journal.salvaged-7"), is_forked: false };
        assert_eq!(opened.salvaged, [salvaged]);
        assert_eq!(drain(&opened.salvaged[0].path, None).last(), Some(&50));
        std::fs::remove_dir_all(&opened.salvaged[0].path).expect("removed when the hub has it");
        drop(opened);
        let opened = open_as(data.path(), &options, NEW_STORE);
        assert!(opened.salvaged.is_empty() && opened.events.is_empty());
    }
}

#[test]
fn a_salvage_that_fails_keeps_nothing_from_recording_and_is_tried_again() {
    let options = options(Engine::Sled, None);
    let data = recorded(&options);
    break_sled(data.path());
    // A file where the copy would be made.
    let in_the_way = data.path().join("journal.salvaging");
    std::fs::write(&in_the_way, b"").expect("written");
    let opened = open_as(data.path(), &options, NEW_STORE);
    assert_eq!(codes(&opened), ["STO-JOURNAL-SET-ASIDE", "STO-JOURNAL-NOT-SALVAGED"]);
    drop(opened);
    std::fs::remove_file(in_the_way).expect("removed");
    let opened = open_as(data.path(), &options, NEW_STORE);
    assert_eq!(codes(&opened), ["STO-JOURNAL-SALVAGED"]);
    assert_eq!(drain(&opened.salvaged[0].path, None).len(), 50);
}

#[test]
fn what_is_missing_before_the_first_sound_batch_of_a_salvage_is_a_gap() {
    let options = options(Engine::Segments, None);
    let data = recorded(&options);
    let folder = data.path().join("journal-segments");
    let mut files: Vec<_> =
        std::fs::read_dir(&folder).expect("lists").map(|entry| entry.expect("reads").path()).collect();
    files.retain(|path| path.extension().is_some_and(|end| end == "segment"));
    files.sort();
    std::fs::remove_file(&files[0]).expect("removed");
    let opening = Opening::Anew { committed: END };
    let opened = open(data.path(), &options, opening, &mut || NEW_STORE).expect("opens");
    let mut journal = open_older(&opened.salvaged[0].path, None).expect("opens");
    let tail = journal.tail().expect("not empty");
    assert!(tail.0 > 11);
    let missing = Found::Missing { until: BatchSequence(tail.0 - 1), reason: GapReason::Damaged };
    assert_eq!(journal.read(BatchSequence(11)).expect("reads"), missing);
    let Found::Batch(first) = journal.read(tail).expect("reads") else { panic!("it is there") };
    let hash = journal.chain_at(tail.0 - 1).expect("reads");
    assert_eq!(hash, Some(first.previous), "as forwarding declares the gap");
}

#[test]
fn the_lanes_lie_side_by_side_and_neither_takes_the_others_older_journals_for_its_own() {
    let telemetry = options(Engine::Segments, None);
    let alarms = JournalOptions { segment_bytes: 4_000, ..JournalOptions::of_alarms(None) };
    let data = recorded(&telemetry);
    let mut journal = open_as(data.path(), &alarms, NEW_STORE).journal;
    append(&mut *journal, 50);
    journal.commit().expect("committed");
    drop(journal);
    let anew = Opening::Anew { committed: END };
    let mut third = || StoreId([7; 16]);
    let opened = open(data.path(), &alarms, anew, &mut third).expect("opens");
    let path = data.path().join("journal-alarm.salvaged-1");
    assert_eq!(opened.salvaged, [OlderDirectory { path: path.clone(), is_forked: false }]);
    drop(opened);
    let mut older = open_older(&path, None).expect("opens");
    assert_eq!((older.store(), older.lane(), older.head().number()), (NEW_STORE, Lane::Alarm, 50));
    assert!(matches!(older.read(BatchSequence(1)).expect("reads"), Found::Batch(_)));
    drop(older);
    let opened = open_as(data.path(), &telemetry, NEW_STORE);
    let found = (opened.journal.store(), opened.journal.lane(), opened.salvaged.len());
    assert_eq!(found, (STORE, Lane::Telemetry, 0));
}

#[test]
fn a_forked_journal_is_set_aside_whole_and_found_again_whatever_the_hub_had_acknowledged() {
    for options in
        [options(Engine::Sled, None), options(Engine::Segments, None), JournalOptions::of_alarms(None)]
    {
        let data = recorded(&options);
        let mut third = || StoreId([7; 16]);
        let opened = open(data.path(), &options, Opening::Forked, &mut || NEW_STORE).expect("opens");
        let path = data.path().join(format!("{}.forked-1", options.folder()));
        let forked = OlderDirectory { path: path.clone(), is_forked: true };
        assert_eq!((opened.journal.store(), opened.journal.head().number()), (NEW_STORE, 0));
        assert_eq!((codes(&opened), &opened.salvaged), (vec!["STO-JOURNAL-FORKED"], &vec![forked.clone()]));
        drop(opened);
        assert_eq!(drain(&path, None), (1..=50).collect::<Vec<_>>());
        // The next one gets another number, and a restart finds both.
        let opened = open(data.path(), &options, Opening::Forked, &mut third).expect("opens");
        assert_eq!(
            opened.salvaged,
            std::slice::from_ref(&forked),
            "an empty one has nothing to be forwarded"
        );
        assert!(path.with_extension("forked-2").exists());
        drop(opened);
        assert_eq!(open_as(data.path(), &options, NEW_STORE).salvaged, [forked]);
    }
}
