//! The journal in sled 0.34, used as DESIGN D4 measured it has to be.
//!
//! sled's `flush()` writes and calls `sync_file_range`, which keeps neither the file's length nor the disk's
//! cache safe. So every commit is `flush()` and then our own `fdatasync` of sled's file. A value is a whole
//! batch, below the size at which sled would write a file of its own that it never syncs.

use std::fs::File;
use std::path::{Path, PathBuf};

use delivery::{BATCH_BYTES_MAX, BatchSequence, Lane, Position, SealedBatch, SealedBody, StoreId};
use tracing::{error, warn};

use super::{Journal, JournalError};

/// More makes memory grow with the backlog: nothing is evicted below the limit (measured).
const CACHE_BYTES: u64 = 8 << 20;
/// Batches checked when the journal is opened. Older ones were checked when they were newest.
const CHECKED_AT_OPEN: usize = 64;
/// Removals put into one write.
const PRUNED_AT_ONCE: usize = 256;

const STORE_ID: &[u8] = b"store-id";
const ACKNOWLEDGED: &[u8] = b"acknowledged";

/// A journal in a directory of its own.
pub struct SledJournal {
    /// Keeps the database open; the trees refer to it.
    database: sled::Db,
    log: sled::Tree,
    meta: sled::Tree,
    /// sled's file, opened once more to sync it.
    file: File,
    store: StoreId,
    head: Position,
    tail: Option<BatchSequence>,
    bytes_before_tail: u64,
    acknowledged: Option<BatchSequence>,
}

fn key(sequence: BatchSequence) -> [u8; 9] {
    let mut key = [Lane::Telemetry as u8; 9];
    key[1..].copy_from_slice(&sequence.0.to_be_bytes());
    key
}

fn sequence_of(key: &[u8]) -> Option<BatchSequence> {
    let (lane, sequence) = key.split_first()?;
    let sequence = u64::from_be_bytes(sequence.try_into().ok()?);
    (*lane == Lane::Telemetry as u8).then_some(BatchSequence(sequence))
}

impl SledJournal {
    /// Opens the journal, or begins a new one.
    ///
    /// A journal that cannot be opened is set aside whole, never deleted, and a new one begins: a station that
    /// cannot record is worse than one that starts a new epoch. `new_store` names the new journal.
    pub fn open(directory: &Path, new_store: StoreId) -> Result<Self, JournalError> {
        match Self::try_open(directory, new_store) {
            Err(JournalError::Engine { operation, source }) => {
                let aside = set_aside(directory)?;
                error!(
                    operation,
                    cause = %source,
                    kept_in = %aside.display(),
                    "journal cannot be opened, it was set aside and a new one begins"
                );
                Self::try_open(directory, new_store)
            }
            other => other,
        }
    }

    fn try_open(directory: &Path, new_store: StoreId) -> Result<Self, JournalError> {
        let database = sled::Config::new()
            .path(directory)
            .cache_capacity(CACHE_BYTES)
            .flush_every_ms(None)
            .open()
            .map_err(|source| match &source {
                sled::Error::Io(io) if io.kind() == std::io::ErrorKind::Other || is_lock(io) => {
                    JournalError::Locked { path: directory.display().to_string() }
                }
                _ => JournalError::Engine { operation: "open the journal", source: Box::new(source) },
            })?;
        let log = database.open_tree("log").map_err(JournalError::engine("open the log"))?;
        let meta = database.open_tree("meta").map_err(JournalError::engine("open the log's state"))?;
        let file = File::open(directory.join("db")).map_err(JournalError::engine("open sled's file"))?;
        let store = match read_array::<16>(&meta, STORE_ID)? {
            Some(id) => StoreId(id),
            None => {
                meta.insert(STORE_ID, &new_store.0).map_err(JournalError::engine("name the journal"))?;
                new_store
            }
        };
        let acknowledged =
            read_array::<8>(&meta, ACKNOWLEDGED)?.map(|bytes| BatchSequence(u64::from_be_bytes(bytes)));
        let mut journal = Self {
            head: Position::start(store, Lane::Telemetry),
            database,
            log,
            meta,
            file,
            store,
            tail: None,
            bytes_before_tail: 0,
            acknowledged,
        };
        journal.cut_damaged_end()?;
        journal.find_ends()?;
        journal.commit()?;
        sync_directory(directory)?;
        Ok(journal)
    }

    /// Whatever was acknowledged was synced, so damage at the end is what no producer was told about. The first
    /// batch that is damaged, missing or not chained to the one before ends the log.
    fn cut_damaged_end(&mut self) -> Result<(), JournalError> {
        let mut newest = Vec::with_capacity(CHECKED_AT_OPEN);
        for entry in self.log.iter().rev().take(CHECKED_AT_OPEN) {
            let (key, value) = entry.map_err(JournalError::engine("read the log's end"))?;
            newest.push((key, SealedBatch::parse(value.to_vec())));
        }
        newest.reverse();
        let sound = newest
            .iter()
            .enumerate()
            .take_while(|(index, (key, batch))| {
                let Ok(batch) = batch else { return false };
                let follows = match index.checked_sub(1).map(|before| &newest[before].1) {
                    Some(Ok(before)) => before.hash == batch.previous,
                    _ => true,
                };
                sequence_of(key) == Some(batch.header.sequence) && follows
            })
            .count();
        if sound == newest.len() {
            return Ok(());
        }
        warn!(
            batches = newest.len() - sound,
            "log's end is damaged, batches no producer was told about were cut off"
        );
        for (key, _) in &newest[sound..] {
            self.log.remove(key).map_err(JournalError::engine("cut the log's end"))?;
        }
        Ok(())
    }

    fn find_ends(&mut self) -> Result<(), JournalError> {
        let ends = [self.log.first(), self.log.last()];
        let [first, last] = ends.map(|end| end.map_err(JournalError::engine("read the log's ends")));
        let (Some((first, first_value)), Some((_, last_value))) = (first?, last?) else { return Ok(()) };
        let parse = |value: sled::IVec| {
            SealedBatch::parse(value.to_vec()).map_err(JournalError::engine("read the log's ends"))
        };
        self.tail = sequence_of(&first);
        self.bytes_before_tail = parse(first_value)?.header.bytes_before;
        self.head = parse(last_value)?.position();
        Ok(())
    }
}

fn is_lock(error: &std::io::Error) -> bool {
    error.to_string().contains("could not acquire lock")
}

fn read_array<const N: usize>(tree: &sled::Tree, key: &[u8]) -> Result<Option<[u8; N]>, JournalError> {
    let value = tree.get(key).map_err(JournalError::engine("read the log's state"))?;
    Ok(value.and_then(|bytes| bytes.as_ref().try_into().ok()))
}

fn sync_directory(directory: &Path) -> Result<(), JournalError> {
    File::open(directory)
        .and_then(|file| file.sync_all())
        .map_err(JournalError::engine("sync the journal's directory"))
}

fn set_aside(directory: &Path) -> Result<PathBuf, JournalError> {
    let mut number = 1;
    loop {
        let aside = directory.with_extension(format!("damaged-{number}"));
        if !aside.exists() {
            std::fs::rename(directory, &aside)
                .map_err(JournalError::engine("set the damaged journal aside"))?;
            return Ok(aside);
        }
        number += 1;
    }
}

impl Journal for SledJournal {
    fn store(&self) -> StoreId {
        self.store
    }

    fn head(&self) -> Position {
        self.head
    }

    fn tail(&self) -> Option<BatchSequence> {
        self.tail
    }

    fn retained_bytes(&self) -> u64 {
        self.head.bytes - self.bytes_before_tail
    }

    fn append(&mut self, body: SealedBody) -> Result<SealedBatch, JournalError> {
        let batch = body.seal(Lane::Telemetry, &self.head);
        assert!(batch.bytes().len() <= BATCH_BYTES_MAX, "the builder keeps batches below a journal value");
        self.log
            .insert(key(batch.header.sequence), batch.bytes())
            .map_err(JournalError::engine("append a batch"))?;
        self.head = batch.position();
        if self.tail.is_none() {
            self.tail = Some(batch.header.sequence);
            self.bytes_before_tail = batch.header.bytes_before;
        }
        Ok(batch)
    }

    fn commit(&mut self) -> Result<(), JournalError> {
        self.database.flush().map_err(JournalError::engine("flush the log"))?;
        self.file.sync_data().map_err(JournalError::engine("sync the log to disk"))
    }

    fn read(&self, sequence: BatchSequence) -> Result<Option<SealedBatch>, JournalError> {
        let value = self.log.get(key(sequence)).map_err(JournalError::engine("read a batch"))?;
        value
            .map(|bytes| {
                SealedBatch::parse(bytes.to_vec())
                    .map_err(|source| JournalError::Damaged { sequence: sequence.0, source })
            })
            .transpose()
    }

    fn prune(&mut self, sequence: BatchSequence) -> Result<(), JournalError> {
        let (Some(tail), Some(newest)) = (self.tail, self.head.sequence) else { return Ok(()) };
        let last = sequence.0.min(newest.0 - 1);
        if last < tail.0 {
            return Ok(());
        }
        // The new tail says how many bytes lie before it, so it is read before anything is removed.
        let kept = BatchSequence(last + 1);
        if let Some(batch) = self.read(kept)? {
            self.bytes_before_tail = batch.header.bytes_before;
        }
        let numbers: Vec<u64> = (tail.0..=last).collect();
        for some in numbers.chunks(PRUNED_AT_ONCE) {
            let mut removals = sled::Batch::default();
            some.iter().for_each(|&number| removals.remove(&key(BatchSequence(number))));
            self.log.apply_batch(removals).map_err(JournalError::engine("prune the log"))?;
        }
        self.tail = Some(kept);
        Ok(())
    }

    fn remember_acknowledged(&mut self, sequence: BatchSequence) -> Result<(), JournalError> {
        self.meta
            .insert(ACKNOWLEDGED, &sequence.0.to_be_bytes())
            .map_err(JournalError::engine("remember the hub's watermark"))?;
        self.acknowledged = Some(sequence);
        Ok(())
    }

    fn acknowledged(&self) -> Option<BatchSequence> {
        self.acknowledged
    }
}
