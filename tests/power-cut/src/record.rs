//! Reads what `recorder.c` wrote: operations on files, in the order in which they happened.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};

/// Bytes before an operation's paths and data: four words of 4 bytes, four of 8.
const HEAD_BYTES: usize = 48;
const CREATED: u32 = 1;
const TRUNCATED: u32 = 2;

/// Something that was done to the files, and succeeded. Paths are relative to the recorded directory.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Operation<'a> {
    /// Made the file at least so long.
    Allocate {
        /// Which file.
        inode: u64,
        /// Its length afterwards, unless it was longer.
        end: u64,
    },
    /// Made a directory.
    MakeDirectory {
        /// Where.
        path: PathBuf,
        /// What is known by this number from now on.
        inode: u64,
    },
    /// Opened a file or a directory.
    Open {
        /// Where.
        path: PathBuf,
        /// What is known by this number from now on.
        inode: u64,
        /// Whether the file was not there before.
        created: bool,
        /// Whether it was there, and emptied.
        truncated: bool,
    },
    /// Removed a file or an empty directory.
    Remove {
        /// Where.
        path: PathBuf,
    },
    /// Renamed, replacing what was there.
    Rename {
        /// From where.
        from: PathBuf,
        /// To where.
        to: PathBuf,
    },
    /// Changed a file's length.
    Resize {
        /// Which file.
        inode: u64,
        /// Its length now.
        length: u64,
    },
    /// Ended an `fsync` or `fdatasync`.
    Sync {
        /// Which file or directory.
        inode: u64,
        /// Operations recorded when it began: those it covers.
        covers: usize,
    },
    /// Ended a `sync_file_range`, which promises nothing.
    SyncRange {
        /// Which file.
        inode: u64,
    },
    /// Wrote.
    Write {
        /// Which file.
        inode: u64,
        /// From which byte on.
        offset: u64,
        /// What.
        data: &'a [u8],
    },
}

/// Reads a record. An operation that is cut off at its end, by a kill, did not happen.
pub fn read(mut record: &[u8]) -> anyhow::Result<Vec<Operation<'_>>> {
    let mut operations = Vec::new();
    while let Some((operation, rest)) =
        next(record).with_context(|| format!("operation {}", operations.len()))?
    {
        operations.push(operation);
        record = rest;
    }
    Ok(operations)
}

struct Head {
    operation: u32,
    flags: u32,
    inode: u64,
    offset: u64,
    length: u64,
    path_bytes: usize,
    other_path_bytes: usize,
    data_bytes: usize,
}

fn head(bytes: &[u8; HEAD_BYTES]) -> anyhow::Result<Head> {
    let word = |at: usize| u64::from_ne_bytes(std::array::from_fn(|index| bytes[at + index]));
    let short = |at: usize| u32::from_ne_bytes(std::array::from_fn(|index| bytes[at + index]));
    Ok(Head {
        operation: short(0),
        flags: short(4),
        inode: word(8),
        offset: word(16),
        length: word(24),
        path_bytes: short(32) as usize,
        other_path_bytes: short(36) as usize,
        data_bytes: usize::try_from(word(40))?,
    })
}

fn next(record: &[u8]) -> anyhow::Result<Option<(Operation<'_>, &[u8])>> {
    let Some((head_bytes, rest)) = record.split_first_chunk::<HEAD_BYTES>() else { return Ok(None) };
    let head = head(head_bytes)?;
    let Some((path, rest)) = rest.split_at_checked(head.path_bytes) else { return Ok(None) };
    let Some((other_path, rest)) = rest.split_at_checked(head.other_path_bytes) else { return Ok(None) };
    let Some((data, rest)) = rest.split_at_checked(head.data_bytes) else { return Ok(None) };
    let (path, other_path) = (path_of(path)?, path_of(other_path)?);
    let Head { inode, offset, length, flags, .. } = head;
    let operation = match head.operation {
        1 => {
            let (created, truncated) = (flags & CREATED != 0, flags & TRUNCATED != 0);
            Operation::Open { path, inode, created, truncated }
        }
        2 => {
            ensure!(offset.checked_add(data.len() as u64).is_some(), "a write beyond all numbers");
            Operation::Write { inode, offset, data }
        }
        3 => Operation::Resize { inode, length },
        4 => Operation::Allocate { inode, end: offset.checked_add(length).context("allocated too much")? },
        5 => Operation::Rename { from: path, to: other_path },
        6 => Operation::Remove { path },
        7 => Operation::MakeDirectory { path, inode },
        8 => Operation::Sync { inode, covers: usize::try_from(offset)? },
        9 => Operation::SyncRange { inode },
        number => bail!("the program did what is not modelled (operation {number}, {})", path.display()),
    };
    Ok(Some((operation, rest)))
}

fn path_of(bytes: &[u8]) -> anyhow::Result<PathBuf> {
    Ok(Path::new(std::str::from_utf8(bytes)?).to_path_buf())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recorded(operation: u32, offset: u64, path: &str, data: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        [operation, CREATED].iter().for_each(|word| bytes.extend(word.to_ne_bytes()));
        [7, offset, 0].iter().for_each(|word: &u64| bytes.extend(word.to_ne_bytes()));
        [path.len() as u32, 0].iter().for_each(|word| bytes.extend(word.to_ne_bytes()));
        bytes.extend((data.len() as u64).to_ne_bytes());
        bytes.extend(path.as_bytes());
        bytes.extend(data);
        bytes
    }

    #[test]
    fn a_record_that_a_kill_cut_off_ends_before_the_cut() {
        let mut record = recorded(1, 0, "a/b", b"");
        let first = record.len();
        record.extend(recorded(2, 5, "", b"bytes"));
        let opened =
            Operation::Open { path: PathBuf::from("a/b"), inode: 7, created: true, truncated: false };
        let written = Operation::Write { inode: 7, offset: 5, data: b"bytes" };
        assert_eq!(read(&record).expect("reads"), [opened.clone(), written]);
        for length in first..record.len() {
            assert_eq!(read(&record[..length]).expect("reads"), std::slice::from_ref(&opened), "{length}");
        }
    }

    #[test]
    fn what_is_not_modelled_is_an_error_and_not_ignored() {
        let failed = read(&recorded(10, 0, "a/b", b"")).expect_err("an unknown operation");
        assert!(format!("{failed:#}").contains("not modelled"), "{failed:#}");
        assert!(read(&recorded(2, u64::MAX, "", b"x")).is_err());
    }
}
