//! What may be there after a power cut, and what must be.

use std::collections::BTreeSet;
use std::path::PathBuf;

use rand::SeedableRng;

use super::*;

const FILE: u64 = 10;
const FOLDER: u64 = 11;
const TORN: Unsynced = Unsynced::Torn { sector_bytes: 512, newest: 0.5 };

fn open(path: &str, inode: u64, created: bool) -> Operation<'static> {
    Operation::Open { path: PathBuf::from(path), inode, created, truncated: false }
}

fn write(offset: u64, data: &[u8]) -> Operation<'_> {
    Operation::Write { inode: FILE, offset, data }
}

fn sync(inode: u64, covers: usize) -> Operation<'static> {
    Operation::Sync { inode, covers }
}

/// Everything that is found after many cuts behind these operations.
fn found(base: &Tree, rule: NameRule, operations: &[Operation<'_>]) -> BTreeSet<Vec<(PathBuf, Vec<u8>)>> {
    let mut disk = Disk::new(base, rule).expect("a tree");
    disk.apply(operations).expect("they fit together");
    let mut chance = SmallRng::seed_from_u64(1);
    let mut cut = |unsynced| {
        let tree = disk.after_power_cut(unsynced, &mut chance);
        let files = tree.0.into_iter().filter_map(|(path, node)| match node {
            Node::Directory => None,
            Node::File(bytes) => Some((path, bytes)),
        });
        files.collect::<Vec<_>>()
    };
    let mut found: BTreeSet<_> = (0..300).map(|_| cut(TORN)).collect();
    found.insert(cut(Unsynced::Kept));
    found.insert(cut(Unsynced::Lost));
    found
}

fn holding(bytes: &[u8]) -> Tree {
    Tree([(PathBuf::from("a"), Node::File(bytes.to_vec()))].into())
}

/// What the one file may hold.
fn contents(base: &Tree, operations: &[Operation<'_>]) -> BTreeSet<Vec<u8>> {
    let found = found(base, NameRule::FileSync, operations);
    found.into_iter().map(|mut files| files.pop().expect("the file stays").1).collect()
}

#[test]
fn a_sync_keeps_what_was_written_before_it_began() {
    let base = holding(b"");
    let operations = [open("a", FILE, false), write(0, b"one"), write(3, b"two"), sync(FILE, 2)];
    let expected = [b"one".to_vec(), b"onetwo".to_vec(), b"one\0\0\0".to_vec()];
    assert!(contents(&base, &operations).is_subset(&expected.into()));
    let operations = [open("a", FILE, false), write(0, b"one"), write(3, b"two"), sync(FILE, 3)];
    assert_eq!(contents(&base, &operations), [b"onetwo".to_vec()].into());
}

#[test]
fn a_range_sync_keeps_nothing() {
    let operations = [open("a", FILE, false), write(0, b"one"), Operation::SyncRange { inode: FILE }];
    let expected = [b"".to_vec(), b"one".to_vec(), b"\0\0\0".to_vec()];
    assert_eq!(contents(&holding(b""), &operations), expected.into());
}

#[test]
fn every_sector_is_of_a_moment_of_its_own() {
    let (old, new, newer) = ([1_u8; 1024], [2; 1024], [3; 512]);
    let operations = [open("a", FILE, false), write(0, &new), write(512, &newer)];
    let found = contents(&holding(&old), &operations);
    let expected: BTreeSet<Vec<u8>> = [1, 2]
        .into_iter()
        .flat_map(|first| [1, 2, 3].map(|second| [[first; 512], [second; 512]].concat()))
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn a_length_is_of_some_moment_and_nothing_is_written_to_blocks_that_were_given_back() {
    let shrink = Operation::Resize { inode: FILE, length: 2 };
    let operations = [open("a", FILE, false), shrink, write(2, b"xy")];
    let found = contents(&holding(b"abcd"), &operations);
    let expected = [b"abcd".to_vec(), b"ab".to_vec(), b"ab\0\0".to_vec(), b"abxy".to_vec()];
    assert_eq!(found, expected.into());
    let allocate = Operation::Allocate { inode: FILE, end: 6 };
    let found = contents(&holding(b"abcd"), &[open("a", FILE, false), allocate]);
    assert_eq!(found, [b"abcd".to_vec(), b"abcd\0\0".to_vec()].into());
}

#[test]
fn a_new_name_needs_a_sync_of_its_directory_or_of_the_file_as_the_rule_says() {
    let made = Operation::MakeDirectory { path: PathBuf::from("folder"), inode: FOLDER };
    let mut operations = vec![made, open("folder/a", FILE, true), write(0, b"one"), sync(FILE, 3)];
    let there: Vec<_> = vec![(PathBuf::from("folder/a"), b"one".to_vec())];
    let check = |rule, operations: &[Operation<'_>], always: bool| {
        let found = found(&Tree::default(), rule, operations);
        assert!(found.contains(&there), "{rule:?}: {found:?}");
        assert_eq!(found.len() == 1, always, "{rule:?}: {found:?}");
    };
    check(NameRule::FileSync, &operations, true);
    check(NameRule::DirectorySync, &operations, false);
    operations.extend([open("folder", FOLDER, false), sync(FOLDER, 5)]);
    check(NameRule::DirectorySync, &operations, false);
    operations.extend([open("", 12, false), sync(12, 7)]);
    check(NameRule::DirectorySync, &operations, true);
}

#[test]
fn names_change_in_order_and_a_name_that_was_lost_cannot_be_renamed() {
    let path = PathBuf::from;
    let operations = [
        open("b", FILE, true),
        write(0, b"new"),
        sync(FILE, 2),
        Operation::Rename { from: path("b"), to: path("a") },
        Operation::Remove { path: path("a") },
    ];
    let found = found(&holding(b"old"), NameRule::FileSync, &operations);
    let (old, new) = ((path("a"), b"old".to_vec()), b"new".to_vec());
    let expected = [vec![old, (path("b"), new.clone())], vec![(path("a"), new)], vec![]];
    assert_eq!(found, expected.into());
}

#[test]
fn operations_that_do_not_fit_together_are_errors() {
    for operation in [write(0, b"x"), open("nowhere", FILE, false), open("nowhere/a", FILE, true)] {
        let mut disk = Disk::new(&Tree::default(), NameRule::FileSync).expect("a tree");
        assert!(disk.apply(&[operation]).is_err());
    }
}
