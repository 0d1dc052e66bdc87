//! What must outlive a restart so that a request with a key is never taken twice: of each batch that holds records of
//! such requests, which requests, written down before the committer has it. Whether the batch was committed the
//! ledger says.
//!
//! Two files take turns, so that neither grows without bound and nothing is rewritten while links are open.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use delivery::BatchHeader;
use intake::Receipt;

/// Folder in the data directory.
const FOLDER: &str = "link-receipts";
const FILES: [&str; 2] = ["0", "1"];
/// Promises of a file, after which the other one is begun anew: as many as keys that are remembered. 3 MiB.
const PROMISES_MAX: usize = 65_536;
const PROMISE_BYTES: usize = 48;

/// Of a request, so many records are committed if a batch is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Promise {
    pub(super) receipt: Receipt,
    pub(super) batch: BatchPlace,
}

/// A batch of the station's log. Its number alone would not do: what was not committed before a crash gave it back.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) struct BatchPlace {
    /// Its number.
    pub(super) sequence: u64,
    /// Reception of its first record, TAI nanoseconds.
    pub(super) first_reception: i64,
    /// Reception of its last record.
    pub(super) last_reception: i64,
}

impl BatchPlace {
    pub(super) fn of(header: &BatchHeader) -> Self {
        let (first, last) = (header.first_reception.0, header.last_reception.0);
        Self { sequence: header.sequence.0, first_reception: first.0, last_reception: last.0 }
    }
}

impl Promise {
    fn encode(&self) -> [u8; PROMISE_BYTES] {
        let mut bytes = [0; PROMISE_BYTES];
        bytes[..16].copy_from_slice(&self.receipt.key);
        bytes[16..20].copy_from_slice(&self.receipt.records.to_le_bytes());
        bytes[20..28].copy_from_slice(&self.batch.sequence.to_le_bytes());
        bytes[28..36].copy_from_slice(&self.batch.first_reception.to_le_bytes());
        bytes[36..44].copy_from_slice(&self.batch.last_reception.to_le_bytes());
        let sum = crc32c::crc32c(&bytes[..44]);
        bytes[44..].copy_from_slice(&sum.to_le_bytes());
        bytes
    }

    /// Nothing when a power cut left only part of it.
    fn decode(bytes: &[u8; PROMISE_BYTES]) -> Option<Self> {
        let number = |from: usize| Some(u64::from_le_bytes(bytes[from..from + 8].try_into().ok()?));
        let short = |from: usize| Some(u32::from_le_bytes(bytes[from..from + 4].try_into().ok()?));
        if short(44)? != crc32c::crc32c(&bytes[..44]) {
            return None;
        }
        let receipt = Receipt { key: bytes[..16].try_into().ok()?, records: short(16)? };
        let batch = BatchPlace {
            sequence: number(20)?,
            first_reception: number(28)?.cast_signed(),
            last_reception: number(36)?.cast_signed(),
        };
        Some(Self { receipt, batch })
    }
}

/// The files, open for more.
#[derive(Debug)]
pub(super) struct Receipts {
    folder: PathBuf,
    turn: usize,
    file: File,
    written: usize,
}

impl Receipts {
    /// What earlier runs promised, oldest first.
    pub(super) fn promised(data: &Path) -> io::Result<Vec<Promise>> {
        let folder = data.join(FOLDER);
        let mut files = Vec::new();
        for name in FILES {
            match std::fs::read(folder.join(name)) {
                Ok(bytes) => files.push(bytes),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        let mut all: Vec<Promise> = files
            .iter()
            .flat_map(|bytes| bytes.as_chunks::<PROMISE_BYTES>().0.iter().filter_map(Promise::decode))
            .collect();
        all.sort_by_key(|promise| promise.batch.sequence);
        Ok(all)
    }

    /// Begins anew with those of earlier promises that were kept.
    pub(super) fn begin(data: &Path, kept: &[Promise]) -> io::Result<Self> {
        let folder = data.join(FOLDER);
        std::fs::create_dir_all(&folder)?;
        let unfinished = folder.join("unfinished");
        let mut file = File::create(&unfinished)?;
        let kept = &kept[kept.len().saturating_sub(PROMISES_MAX)..];
        file.write_all(&kept.iter().flat_map(Promise::encode).collect::<Vec<u8>>())?;
        file.sync_all()?;
        std::fs::rename(&unfinished, folder.join(FILES[0]))?;
        // What is in the other one is in the first by now, or was not kept.
        File::create(folder.join(FILES[1]))?.sync_all()?;
        File::open(&folder)?.sync_all()?;
        let file = appending(&folder.join(FILES[0]))?;
        Ok(Self { folder, turn: 0, file, written: kept.len() })
    }

    /// Writes promises down; when this returns they survive a power cut.
    pub(super) fn promise(&mut self, promises: &[Promise]) -> io::Result<()> {
        if self.written + promises.len() > PROMISES_MAX {
            let other = 1 - self.turn;
            self.file = appending(&self.folder.join(FILES[other]))?;
            self.file.set_len(0)?;
            (self.turn, self.written) = (other, 0);
        }
        let bytes: Vec<u8> = promises.iter().flat_map(Promise::encode).collect();
        if let Err(error) = self.file.write_all(&bytes).and_then(|()| self.file.sync_data()) {
            // Half a promise would hide all behind it.
            self.file.set_len((self.written * PROMISE_BYTES) as u64)?;
            return Err(error);
        }
        self.written += promises.len();
        Ok(())
    }
}

fn appending(file: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).open(file)
}

/// How many records of each request are committed, by promises that were kept, oldest first.
pub(super) fn known(kept: &[Promise]) -> HashMap<[u8; 16], u32> {
    let mut known = HashMap::new();
    for Promise { receipt, .. } in kept {
        let records: &mut u32 = known.entry(receipt.key).or_default();
        *records = receipt.records.max(*records);
    }
    known
}

#[cfg(test)]
mod tests {
    use super::*;

    fn promise(number: u64) -> Promise {
        let mut key = [0; 16];
        key[..8].copy_from_slice(&number.to_le_bytes());
        let at = -5 + number.cast_signed();
        let batch = BatchPlace { sequence: number, first_reception: at, last_reception: at + 1 };
        Promise { receipt: Receipt { key, records: 7 }, batch }
    }

    fn numbers(promises: &[Promise]) -> Vec<u64> {
        promises.iter().map(|promise| promise.batch.sequence).collect()
    }

    #[test]
    fn what_was_promised_is_found_again_and_what_was_cut_off_is_not() {
        let folder = tempfile::tempdir().expect("a directory");
        assert_eq!(Receipts::promised(folder.path()).expect("reads"), []);
        let mut receipts = Receipts::begin(folder.path(), &[]).expect("begins");
        receipts.promise(&[promise(1), promise(2)]).expect("written");
        receipts.promise(&[promise(3)]).expect("written");
        assert_eq!(Receipts::promised(folder.path()).expect("reads"), [promise(1), promise(2), promise(3)]);
        let file = folder.path().join(FOLDER).join(FILES[0]);
        let bytes = std::fs::read(&file).expect("reads");
        std::fs::write(&file, &bytes[..bytes.len() - 3]).expect("cut");
        assert_eq!(numbers(&Receipts::promised(folder.path()).expect("reads")), [1, 2]);
        let mut again = Receipts::begin(folder.path(), &[promise(2)]).expect("begins");
        again.promise(&[promise(9)]).expect("written");
        assert_eq!(numbers(&Receipts::promised(folder.path()).expect("reads")), [2, 9]);
    }

    #[test]
    fn the_newest_are_kept_and_the_files_stay_small() {
        let folder = tempfile::tempdir().expect("a directory");
        let mut receipts = Receipts::begin(folder.path(), &[]).expect("begins");
        let all: Vec<Promise> = (1..=3 * PROMISES_MAX as u64 + 10).map(promise).collect();
        for some in all.chunks(8_192) {
            receipts.promise(some).expect("written");
        }
        let found = Receipts::promised(folder.path()).expect("reads");
        assert!((PROMISES_MAX..=2 * PROMISES_MAX).contains(&found.len()), "{}", found.len());
        assert_eq!(found, all[all.len() - found.len()..]);
        Receipts::begin(folder.path(), &found).expect("begins");
        let kept = Receipts::promised(folder.path()).expect("reads");
        assert_eq!(kept, all[all.len() - PROMISES_MAX..]);
    }

    #[test]
    fn of_a_request_the_newest_count_holds() {
        let part = |records, sequence| Promise {
            receipt: Receipt { key: [1; 16], records },
            batch: BatchPlace { sequence, first_reception: 0, last_reception: 0 },
        };
        assert_eq!(known(&[part(512, 3), part(900, 4)]), HashMap::from([([1; 16], 900)]));
    }
}
