//! The engine sled 0.34, used as decision D4 measured it has to be.
//!
//! sled's `flush()` writes and calls `sync_file_range`, which keeps neither the file's length nor the disk's
//! cache safe. So every commit is `flush()` and then our own sync of sled's files ([`SledFiles`]).

use std::fs::File;
use std::ops::RangeInclusive;
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use delivery::{Lane, StoreId};

use super::sled_files::{self, SledFiles};
use super::store::{Store, Stored, fact};
use super::{BatchLog, JournalError, LogOptions};

/// More makes memory grow with the backlog: nothing is evicted below the limit (measured).
const CACHE_BYTES: u64 = 8 << 20;
/// Removals put into one write.
const REMOVED_AT_ONCE: usize = 256;
/// Marks keys of notes; they lie in the log's tree, so that one write keeps a batch with its note.
const NOTE: u8 = 0x80;
/// The journal's id once more, for the day on which sled cannot open its file.
const ID_FILE: &str = "store-id";
/// A closed sled gives up its lock a moment later: threads of its own still hold the file (seen under load).
const LOCK_WAIT: Duration = Duration::from_secs(1);
const LOCK_TRIED_EVERY: Duration = Duration::from_millis(10);

/// A journal in sled, in a directory of its own.
pub type SledJournal = BatchLog<SledStore>;

/// The engine.
pub struct SledStore {
    directory: PathBuf,
    /// Begins its keys.
    lane: Lane,
    /// Keeps the database open; the trees refer to it.
    database: sled::Db,
    log: sled::Tree,
    meta: sled::Tree,
    /// sled's files, opened once more to sync them.
    files: SledFiles,
}

fn number_of(key: &[u8]) -> Option<u64> {
    Some(u64::from_be_bytes(key.get(1..)?.try_into().ok()?))
}

impl BatchLog<SledStore> {
    /// Opens the journal in a directory, or begins a new one.
    ///
    /// [`JournalError::Corrupt`] says that sled cannot make sense of its files. Whatever else goes wrong (a full disk,
    /// a file of another user, a wrong key) is another error: the data are sound, and mending the cause brings them back.
    pub fn open(directory: &Path, options: LogOptions) -> Result<Self, JournalError> {
        // After some power cuts sled finds a tree without one of its pages, and panics where it should return an error
        // (one cut in several hundred, by our power cut test). Nothing of what panicked is used any further.
        let opening = AssertUnwindSafe(|| Self::recover(SledStore::open(directory, options.lane)?, options));
        std::panic::catch_unwind(opening).unwrap_or_else(|panic| {
            let said = panic.downcast_ref::<String>().map_or("sled panicked", String::as_str);
            Err(JournalError::Corrupt(said.into()))
        })
    }
}

impl SledStore {
    pub(super) fn open(directory: &Path, lane: Lane) -> Result<Self, JournalError> {
        sled_files::prepare(directory).map_err(JournalError::io("get the journal's directory ready"))?;
        let database = open_database(directory)?;
        let log = database.open_tree("log").map_err(failed("open the log"))?;
        let meta = database.open_tree("meta").map_err(failed("open the log's state"))?;
        let files = SledFiles::open(directory).map_err(JournalError::io("sync sled's files"))?;
        let mut store = Self { directory: directory.to_owned(), lane, database, log, meta, files };
        if let (Some(id), false) = (store.fact(fact::STORE_ID)?, directory.join(ID_FILE).exists()) {
            store.write_id(&id)?;
        }
        Ok(store)
    }

    fn write_id(&mut self, id: &[u8]) -> Result<(), JournalError> {
        File::create(self.directory.join(ID_FILE))
            .and_then(|mut file| {
                std::io::Write::write_all(&mut file, id)?;
                file.sync_all()
            })
            .map_err(JournalError::io("name the journal"))?;
        sync_directory(&self.directory)
    }

    fn key(&self, number: u64) -> [u8; 9] {
        let mut key = [self.lane as u8; 9];
        key[1..].copy_from_slice(&number.to_be_bytes());
        key
    }

    fn note_key(&self, number: u64) -> [u8; 9] {
        let mut key = self.key(number);
        key[0] |= NOTE;
        key
    }

    fn batches(&self, numbers: RangeInclusive<u64>) -> sled::Iter {
        self.log.range(self.key(*numbers.start())..=self.key(*numbers.end()))
    }

    fn remove(&mut self, numbers: RangeInclusive<u64>) -> Result<(), JournalError> {
        let numbers: Vec<u64> = self
            .batches(numbers)
            .keys()
            .map(|key| key.map(|key| number_of(&key).unwrap_or_default()).map_err(failed("prune the log")))
            .collect::<Result<_, _>>()?;
        for some in numbers.chunks(REMOVED_AT_ONCE) {
            let mut removals = sled::Batch::default();
            for &number in some {
                removals.remove(&self.key(number));
                removals.remove(&self.note_key(number));
            }
            self.log.apply_batch(removals).map_err(failed("prune the log"))?;
        }
        Ok(())
    }
}

fn open_database(directory: &Path) -> Result<sled::Db, JournalError> {
    let config = sled::Config::new().path(directory).cache_capacity(CACHE_BYTES).flush_every_ms(None);
    let give_up_at = Instant::now() + LOCK_WAIT;
    loop {
        match config.open() {
            Err(sled::Error::Io(io)) if is_lock(&io) => {
                if Instant::now() >= give_up_at {
                    return Err(JournalError::Locked { path: directory.display().to_string() });
                }
                std::thread::sleep(LOCK_TRIED_EVERY);
            }
            other => return other.map_err(failed("open the journal")),
        }
    }
}

/// sled's own damage is one thing, a full disk another, and everything else a third.
fn failed(operation: &'static str) -> impl FnOnce(sled::Error) -> JournalError {
    move |source| match source {
        sled::Error::Corruption { .. } | sled::Error::ReportableBug(_) => {
            JournalError::Corrupt(Box::new(source))
        }
        sled::Error::Io(io) => JournalError::io(operation)(io),
        other => JournalError::Engine { operation, source: Box::new(other) },
    }
}

/// The disk did not take what sled wrote: which pages are lost nobody knows.
#[derive(Debug, thiserror::Error)]
#[error("what was written may not be on the disk")]
pub(super) struct Unsynced(#[source] pub(super) std::io::Error);

/// A full disk, or a process that may open no more files, did not lose anything.
fn unsynced(error: std::io::Error) -> JournalError {
    let operation = "sync the log to disk";
    match JournalError::io(operation)(error) {
        JournalError::Engine { source, .. } => match source.downcast::<std::io::Error>() {
            Ok(error) if !is_passing_io(&error) => JournalError::engine(operation)(Unsynced(*error)),
            Ok(source) => JournalError::Engine { operation, source },
            Err(source) => JournalError::Engine { operation, source },
        },
        other => other,
    }
}

/// Whether the cause lies with the system: no more files or memory for this process, or a disk it may not write to.
pub(super) fn is_passing_io(error: &std::io::Error) -> bool {
    use rustix::io::Errno;
    let is_short = matches!(Errno::from_io_error(error), Some(Errno::MFILE | Errno::NFILE | Errno::NOMEM));
    is_short
        || matches!(
            error.kind(),
            std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem
        )
}

fn is_lock(error: &std::io::Error) -> bool {
    error.to_string().contains("could not acquire lock")
}

pub(super) fn sync_directory(directory: &Path) -> Result<(), JournalError> {
    File::open(directory)
        .and_then(|file| file.sync_all())
        .map_err(JournalError::io("sync the journal's directory"))
}

fn end(key: Option<sled::Result<sled::IVec>>) -> Result<Option<u64>, JournalError> {
    let key = key.transpose().map_err(failed("read the log's ends"))?;
    Ok(key.and_then(|key| number_of(&key)))
}

impl Store for SledStore {
    fn first(&self) -> Result<Option<u64>, JournalError> {
        end(self.batches(0..=u64::MAX).keys().next())
    }

    fn last(&self) -> Result<Option<u64>, JournalError> {
        end(self.batches(0..=u64::MAX).keys().next_back())
    }

    fn next_from(&self, number: u64) -> Result<Option<u64>, JournalError> {
        end(self.batches(number..=u64::MAX).keys().next())
    }

    fn get(&mut self, number: u64) -> Result<Option<Stored>, JournalError> {
        let value = self.log.get(self.key(number)).map_err(failed("read a batch"))?;
        Ok(value.map(|bytes| Ok(bytes.to_vec())))
    }

    fn put(&mut self, number: u64, value: &[u8], note: Option<&[u8]>) -> Result<(), JournalError> {
        let Some(note) = note else {
            return self.log.insert(self.key(number), value).map(drop).map_err(failed("append a batch"));
        };
        let mut both = sled::Batch::default();
        both.insert(&self.note_key(number), note);
        both.insert(&self.key(number), value);
        self.log.apply_batch(both).map_err(failed("append a batch"))
    }

    fn flush(&mut self) -> Result<(), JournalError> {
        self.database.flush().map_err(|error| match error {
            sled::Error::Io(io) => unsynced(io),
            other => failed("flush the log")(other),
        })?;
        self.files.sync().map_err(unsynced)
    }

    fn remove_up_to(&mut self, last: u64) -> Result<(), JournalError> {
        self.remove(0..=last)
    }

    fn remove_after(&mut self, kept: u64) -> Result<(), JournalError> {
        self.remove(kept.saturating_add(1)..=u64::MAX)
    }

    fn set_aside(&mut self, number: u64) -> Result<(), JournalError> {
        let aside = self.database.open_tree("damaged").map_err(failed("set a batch aside"))?;
        if let Some(value) = self.log.get(self.key(number)).map_err(failed("set a batch aside"))? {
            aside.insert(self.key(number), value).map_err(failed("set a batch aside"))?;
        }
        self.remove(number..=number)
    }

    fn visit_notes(&mut self, visit: &mut dyn FnMut(u64, &[u8])) -> Result<(), JournalError> {
        for entry in self.log.range(self.note_key(0)..=self.note_key(u64::MAX)).rev() {
            let (key, note) = entry.map_err(failed("read the log's notes"))?;
            visit(number_of(&key).unwrap_or_default(), &note);
        }
        Ok(())
    }

    fn fact(&self, name: &str) -> Result<Option<Vec<u8>>, JournalError> {
        let value = self.meta.get(name).map_err(failed("read the log's state"))?.map(|bytes| bytes.to_vec());
        // Beside an empty store the file is of one that is lost, and its numbers must not be used again.
        let is_empty = self.log.is_empty() && self.meta.is_empty();
        if name == fact::STORE_ID && !is_empty && value.as_ref().is_none_or(|id| id.len() != 16) {
            return Ok(std::fs::read(self.directory.join(ID_FILE)).ok());
        }
        Ok(value)
    }

    fn set_fact(&mut self, name: &'static str, value: &[u8]) -> Result<(), JournalError> {
        if name == fact::STORE_ID {
            self.write_id(value)?;
        }
        self.meta.insert(name, value).map(drop).map_err(failed("write the log's state"))
    }

    fn reusable_bytes(&self, retained_bytes: u64) -> u64 {
        // A file that cannot be measured is taken to hold nothing free. Twice what is retained is sled's own need.
        self.files.log_bytes().map_or(0, |bytes| bytes.saturating_sub(2 * retained_bytes))
    }

    fn was_end_torn(&self) -> bool {
        // sled drops a torn end by itself and does not tell.
        false
    }
}

/// The id of the journal a directory held, as far as it can be read without opening it.
pub(super) fn id_in(directory: &Path) -> Option<StoreId> {
    Some(StoreId(std::fs::read(directory.join(ID_FILE)).ok()?.try_into().ok()?))
}
