//! The journal in sled 0.34, used as decision D4 measured it has to be.
//!
//! sled's `flush()` writes and calls `sync_file_range`, which keeps neither the file's length nor the disk's
//! cache safe. So every commit is `flush()` and then our own sync of sled's files ([`SledFiles`]).

use std::path::{Path, PathBuf};

use delivery::{BATCH_BYTES_MAX, BatchSequence, Lane, Position, SealedBatch, SealedBody, StoreId};
use tracing::{error, warn};

use super::sled_files::{self, SledFiles};
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
    /// sled's files, opened once more to sync them.
    files: SledFiles,
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
    /// A journal whose files are corrupt is set aside whole, never deleted, and a new one begins: a station that
    /// cannot record is worse than one that starts a new epoch. Whatever else goes wrong (a full disk, a file of
    /// another user) is an error: the data are sound, and mending the cause brings them back. `new_store` names the
    /// new journal.
    pub fn open(directory: &Path, new_store: StoreId) -> Result<Self, JournalError> {
        match Self::try_open(directory, new_store) {
            Err(JournalError::Corrupt(cause)) => {
                let aside = set_aside(directory)?;
                error!(
                    %cause,
                    kept_in = %aside.display(),
                    "journal cannot be read, it was set aside and a new one begins"
                );
                Self::try_open(directory, new_store)
            }
            other => other,
        }
    }

    fn try_open(directory: &Path, new_store: StoreId) -> Result<Self, JournalError> {
        sled_files::prepare(directory).map_err(JournalError::engine("get the journal's directory ready"))?;
        let database = sled::Config::new()
            .path(directory)
            .cache_capacity(CACHE_BYTES)
            .flush_every_ms(None)
            .open()
            .map_err(|source| match &source {
                sled::Error::Io(io) if is_lock(io) => {
                    JournalError::Locked { path: directory.display().to_string() }
                }
                _ => failed("open the journal")(source),
            })?;
        let log = database.open_tree("log").map_err(failed("open the log"))?;
        let meta = database.open_tree("meta").map_err(failed("open the log's state"))?;
        let files = SledFiles::open(directory).map_err(JournalError::engine("sync sled's files"))?;
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
            files,
            store,
            tail: None,
            bytes_before_tail: 0,
            acknowledged,
        };
        journal.set_damaged_end_aside()?;
        journal.find_ends()?;
        journal.commit()?;
        Ok(journal)
    }

    /// A power cut may leave a torn end that no producer was told about: batches at the end that are unsound, with
    /// nothing sound behind them, are moved out of the way, into a tree of their own. Damage further in is left where
    /// it is: what lies behind it is sound.
    fn set_damaged_end_aside(&mut self) -> Result<(), JournalError> {
        let mut unsound = Vec::new();
        for entry in self.log.iter().rev().take(CHECKED_AT_OPEN) {
            let (key, value) = entry.map_err(failed("read the log's end"))?;
            let is_sound = SealedBatch::parse(value.to_vec())
                .is_ok_and(|batch| sequence_of(&key) == Some(batch.header.sequence));
            if is_sound {
                break;
            }
            unsound.push((key, value));
        }
        if unsound.is_empty() {
            return Ok(());
        }
        error!(batches = unsound.len(), "the log's end is damaged, its last batches were set aside");
        let aside = self.database.open_tree("damaged").map_err(failed("set the log's end aside"))?;
        for (key, value) in unsound {
            aside.insert(&key, value).map_err(failed("set the log's end aside"))?;
            self.log.remove(&key).map_err(failed("set the log's end aside"))?;
        }
        Ok(())
    }

    fn find_ends(&mut self) -> Result<(), JournalError> {
        let mut entries = self.log.iter();
        let (Some(first), Some(last)) = (entries.next(), self.log.iter().next_back()) else { return Ok(()) };
        let (first, first_value) = first.map_err(failed("read the log's ends"))?;
        let (_, last_value) = last.map_err(failed("read the log's ends"))?;
        let parse = |value: sled::IVec| SealedBatch::parse(value.to_vec());
        // The end was checked just now.
        self.head = parse(last_value).map_err(JournalError::engine("read the log's ends"))?.position();
        self.tail = sequence_of(&first);
        self.bytes_before_tail = parse(first_value).map_or_else(
            |_| {
                // The oldest batch is damaged: the first sound one after it knows almost as well.
                let sound = entries.flatten().find_map(|(_, value)| SealedBatch::parse(value.to_vec()).ok());
                sound.map_or(self.head.bytes, |batch| batch.header.bytes_before)
            },
            |batch| batch.header.bytes_before,
        );
        Ok(())
    }
}

/// sled's own damage is one thing, everything else another.
fn failed(operation: &'static str) -> impl FnOnce(sled::Error) -> JournalError {
    move |source| match source {
        sled::Error::Corruption { .. } | sled::Error::ReportableBug(_) => {
            JournalError::Corrupt(Box::new(source))
        }
        other => JournalError::Engine { operation, source: Box::new(other) },
    }
}

fn is_lock(error: &std::io::Error) -> bool {
    error.to_string().contains("could not acquire lock")
}

fn read_array<const N: usize>(tree: &sled::Tree, key: &[u8]) -> Result<Option<[u8; N]>, JournalError> {
    let value = tree.get(key).map_err(failed("read the log's state"))?;
    Ok(value.and_then(|bytes| bytes.as_ref().try_into().ok()))
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

    fn reusable_bytes(&self) -> u64 {
        // A file that cannot be measured is taken to hold nothing free. Twice what is retained is sled's own need.
        self.files.log_bytes().map_or(0, |bytes| bytes.saturating_sub(2 * self.retained_bytes()))
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
        self.files.sync().map_err(JournalError::engine("sync the log to disk"))
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
        match self.read(kept) {
            Ok(Some(batch)) => self.bytes_before_tail = batch.header.bytes_before,
            // The count stays behind by a little until the next prune; recording must not stop for it.
            Ok(None) | Err(JournalError::Damaged { .. }) => {
                warn!(sequence = kept.0, "oldest batch that stays is damaged or missing");
            }
            Err(error) => return Err(error),
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
