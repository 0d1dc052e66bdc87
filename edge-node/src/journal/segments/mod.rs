//! The engine of plain segment files: append, sync, delete whole files from the front.
//!
//! ```text
//! journal-segments/
//!   00000000000000000001.segment   batches from that sequence on, about 32 MiB
//!   state                          id, reserved numbers, gaps: replaced whole
//!   lock                           held while open
//!   damaged/                       what was set aside
//! ```
//! Of each batch eight bytes are kept in memory; no batch is.

mod file;
mod record;
mod state;

use std::collections::VecDeque;
use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use delivery::StoreId;
use tracing::error;

use self::file::{Entry, Segment, segment_path};
use self::record::{Kind, Record};
use self::state::State;
use super::sled_engine::sync_directory;
use super::store::{Store, Stored, fact, number_in};
use super::{BatchLog, JournalError, LogOptions};

/// What a segment holds about. A whole file goes at once, so this is what may be kept too long; more files would
/// take longer to list at a start.
pub const SEGMENT_BYTES: u64 = 32 << 20;
/// A segment is worth deleting early when it holds this share of a full one and nothing that is wanted.
const SPENT_SHARE: u64 = 8;
/// Places in a segment are 31 bits.
const SEGMENT_BYTES_MAX: u64 = 1 << 30;

/// A journal in segment files, in a directory of its own.
pub type SegmentJournal = BatchLog<SegmentStore>;

/// The engine.
pub struct SegmentStore {
    directory: PathBuf,
    /// Its lock ends with it.
    _lock: File,
    segment_bytes: u64,
    state: State,
    segments: VecDeque<Segment>,
    /// The last segment, open for writing.
    active: Option<File>,
    /// The segment read last, by its first sequence.
    reading: Option<(u64, File)>,
    /// Numbers below are pruned, though their file may still be here.
    pruned: u64,
    acknowledged: Option<u64>,
    unwritten_marks: Vec<u8>,
    is_directory_dirty: bool,
    was_end_torn: bool,
}

impl BatchLog<SegmentStore> {
    /// Opens the journal in a directory, or begins a new one; `segment_bytes` is what a file holds about.
    pub fn open(directory: &Path, options: LogOptions, segment_bytes: u64) -> Result<Self, JournalError> {
        Self::recover(SegmentStore::open(directory, segment_bytes)?, options)
    }
}

impl SegmentStore {
    pub(super) fn open(directory: &Path, segment_bytes: u64) -> Result<Self, JournalError> {
        std::fs::create_dir_all(directory).map_err(JournalError::io("make the journal's directory"))?;
        // It may be new, and a power cut would take its name away with all that is in it.
        directory.parent().map_or(Ok(()), sync_directory)?;
        let lock = lock(directory)?;
        let state = State::read(directory)?;
        let mut store = Self {
            directory: directory.to_owned(),
            _lock: lock,
            segment_bytes: segment_bytes.clamp(1, SEGMENT_BYTES_MAX),
            state,
            segments: VecDeque::new(),
            active: None,
            reading: None,
            pruned: 0,
            acknowledged: None,
            unwritten_marks: Vec::new(),
            is_directory_dirty: true,
            was_end_torn: false,
        };
        store.scan()?;
        Ok(store)
    }

    fn scan(&mut self) -> Result<(), JournalError> {
        let firsts = file::list(&self.directory)?;
        for (index, &first) in firsts.iter().enumerate() {
            let path = segment_path(&self.directory, first);
            let scan = file::scan(&path, first).map_err(JournalError::io("read a segment"))?;
            if let Some(id) = scan.store {
                self.state.suggest_id(id);
            }
            self.pruned = self.pruned.max(scan.pruned);
            self.acknowledged = self.acknowledged.max(scan.acknowledged);
            if scan.torn_from.is_some() && index + 1 == firsts.len() {
                self.was_end_torn = true;
                self.cut_end(&path, first, &scan.segment)?;
            }
            // A crash may leave a batch in the file it was moved from, too.
            if let Some(moved) = scan.segment.next_from(0) {
                self.segments.iter_mut().for_each(|earlier| earlier.forget_from(moved));
            }
            self.segments.push_back(scan.segment);
        }
        self.drop_pruned()?;
        // A file that was made and never written to.
        while self.segments.back().is_some_and(|last| last.length == 0) {
            self.drop_last()?;
        }
        if let Some(last) = self.segments.back() {
            self.active = Some(self.open_for_writing(last.first)?);
        }
        Ok(())
    }

    /// Bytes at the end that are no record are kept beside, and cut off, so that the next record follows a sound one.
    fn cut_end(&mut self, path: &Path, first: u64, segment: &Segment) -> Result<(), JournalError> {
        let operation = "set the journal's end aside";
        let aside = self.aside(&format!("{first:020}-{}.end", segment.length))?;
        error!(kept_in = %aside.display(), "the journal's end is damaged, it was set aside");
        file::copy_end(path, segment.length, &aside).map_err(JournalError::io(operation))?;
        OpenOptions::new()
            .write(true)
            .open(path)
            .and_then(|file| {
                file.set_len(segment.length)?;
                file.sync_all()
            })
            .map_err(JournalError::io(operation))
    }

    /// A free name among what was set aside.
    fn aside(&self, name: &str) -> Result<PathBuf, JournalError> {
        let folder = self.directory.join("damaged");
        std::fs::create_dir_all(&folder).map_err(JournalError::io("make a place for what is damaged"))?;
        let free = (0..).map(|number| match number {
            0 => folder.join(name),
            _ => folder.join(format!("{name}.{number}")),
        });
        Ok(free.into_iter().find(|path| !path.exists()).expect("names do not run out"))
    }

    fn open_for_writing(&self, first: u64) -> Result<File, JournalError> {
        OpenOptions::new()
            .read(true)
            .write(true)
            .open(segment_path(&self.directory, first))
            .map_err(JournalError::io("open the newest segment"))
    }

    /// Begins a new file: it knows whose it is and what the marks were, so that older ones can go.
    fn begin_segment(&mut self, first: u64) -> Result<(), JournalError> {
        if let Some(active) = self.active.take() {
            active.sync_data().map_err(JournalError::io("sync the log to disk"))?;
        }
        let mut head = record::file_head(self.state.id().unwrap_or(StoreId([0; 16])));
        head.extend(Record::encode(Kind::Pruned, self.pruned, &[]));
        if let Some(acknowledged) = self.acknowledged {
            head.extend(Record::encode(Kind::Acknowledged, acknowledged, &[]));
        }
        let operation = "begin a segment";
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .open(segment_path(&self.directory, first))
            .map_err(JournalError::io(operation))?;
        file.write_all_at(&head, 0).map_err(JournalError::io(operation))?;
        self.is_directory_dirty = true;
        self.segments.push_back(Segment { first, length: head.len() as u64, entries: Vec::new() });
        self.active = Some(file);
        Ok(())
    }

    /// Writes behind the last record; what was written half is cut off again.
    fn write(&mut self, bytes: &[u8]) -> Result<u64, JournalError> {
        let (Some(file), Some(segment)) = (&self.active, self.segments.back_mut()) else {
            return Err(JournalError::Closed);
        };
        let place = segment.length;
        if let Err(error) = file.write_all_at(bytes, place) {
            // When this fails too, the next start cuts it off.
            drop(file.set_len(place));
            return Err(JournalError::io("append a batch")(error));
        }
        segment.length += bytes.len() as u64;
        Ok(place)
    }

    /// When the last file holds nothing but the newest batch that is wanted, that one moves into a file of its own and
    /// the disk has the rest back: a full disk would stay full otherwise.
    fn move_newest(&mut self) -> Result<(), JournalError> {
        let Some(spent) = self.segments.back() else { return Ok(()) };
        let (first, length) = (spent.first, spent.length);
        let newest = spent.last().filter(|&newest| newest <= self.pruned && newest > first);
        let (Some(newest), true) = (newest, length > self.segment_bytes / SPENT_SHARE) else { return Ok(()) };
        let Some(entry) = spent.entry(newest) else { return Ok(()) };
        let operation = "move the newest batch";
        let file = self.file_of(first)?;
        let note = if entry.has_note() { file::read_note(file, entry, newest) } else { Ok(None) };
        let note = note.map_err(JournalError::io(operation))?;
        // A damaged one is met when it is read.
        let Ok(value) = file::read_batch(file, entry, newest).map_err(JournalError::io(operation))? else {
            return Ok(());
        };
        let moved = self.begin_segment(newest).and_then(|()| self.put(newest, &value, note.as_deref()));
        if let Err(error) = moved.and_then(|()| self.flush()) {
            self.segments.retain(|segment| segment.first != newest);
            drop(std::fs::remove_file(segment_path(&self.directory, newest)));
            self.active = Some(self.open_for_writing(first)?);
            return Err(error);
        }
        let spent = self.segments.iter_mut().find(|segment| segment.first == first);
        spent.expect("it was the last one").forget(newest);
        self.drop_pruned()
    }

    fn segment_of(&self, number: u64) -> Option<&Segment> {
        let index = self.segments.partition_point(|segment| segment.first <= number);
        self.segments.get(index.checked_sub(1)?)
    }

    fn file_of(&mut self, first: u64) -> Result<&File, JournalError> {
        if self.reading.as_ref().is_none_or(|(open, _)| *open != first) {
            let path = segment_path(&self.directory, first);
            let file = File::open(path).map_err(JournalError::io("open a segment"))?;
            self.reading = Some((first, file));
        }
        let (_, file) = self.reading.as_ref().expect("opened just now");
        Ok(file)
    }

    fn drop_pruned(&mut self) -> Result<(), JournalError> {
        while self.segments.len() > 1 {
            // Judged by its batches, not by the next file's name: the file between may be lost.
            if self.segments[0].last().is_some_and(|last| last >= self.pruned) {
                break;
            }
            let gone = self.segments.pop_front().expect("more than one");
            self.remove_file(gone.first)?;
        }
        Ok(())
    }

    fn drop_last(&mut self) -> Result<(), JournalError> {
        self.active = None;
        let Some(gone) = self.segments.pop_back() else { return Ok(()) };
        self.remove_file(gone.first)
    }

    fn remove_file(&mut self, first: u64) -> Result<(), JournalError> {
        self.reading = None;
        self.is_directory_dirty = true;
        std::fs::remove_file(segment_path(&self.directory, first))
            .map_err(JournalError::io("delete a segment"))
    }

    fn mark(&mut self, kind: Kind, number: u64) {
        self.unwritten_marks.extend(Record::encode(kind, number, &[]));
    }

    fn write_marks(&mut self) -> Result<(), JournalError> {
        if self.unwritten_marks.is_empty() || self.active.is_none() {
            return Ok(());
        }
        let marks = std::mem::take(&mut self.unwritten_marks);
        self.write(&marks).map(drop)
    }
}

fn lock(directory: &Path) -> Result<File, JournalError> {
    let lock = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(directory.join("lock"))
        .map_err(JournalError::io("open the journal's lock"))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(JournalError::Locked { path: directory.display().to_string() }),
        Err(TryLockError::Error(error)) => Err(JournalError::io("lock the journal")(error)),
    }
}

impl Store for SegmentStore {
    fn first(&self) -> Result<Option<u64>, JournalError> {
        self.next_from(0)
    }

    fn last(&self) -> Result<Option<u64>, JournalError> {
        Ok(self.segments.iter().rev().find_map(Segment::last).filter(|&last| last >= self.pruned))
    }

    fn next_from(&self, number: u64) -> Result<Option<u64>, JournalError> {
        let number = number.max(self.pruned);
        let from = self.segments.partition_point(|segment| segment.first <= number).saturating_sub(1);
        Ok(self.segments.range(from..).find_map(|segment| segment.next_from(number)))
    }

    fn get(&mut self, number: u64) -> Result<Option<Stored>, JournalError> {
        if number < self.pruned {
            return Ok(None);
        }
        let Some((first, entry)) =
            self.segment_of(number).and_then(|segment| Some((segment.first, segment.entry(number)?)))
        else {
            return Ok(None);
        };
        file::read_batch(self.file_of(first)?, entry, number)
            .map(Some)
            .map_err(JournalError::io("read a batch"))
    }

    fn put(&mut self, number: u64, value: &[u8], note: Option<&[u8]>) -> Result<(), JournalError> {
        let mut bytes = note.map_or_else(Vec::new, |note| Record::encode(Kind::Note, number, note));
        bytes.extend(Record::encode(Kind::Batch, number, value));
        let has_room = self.segments.back().is_some_and(|segment| {
            segment.has_room_for(number, bytes.len() as u64, self.segment_bytes) && self.active.is_some()
        });
        if !has_room {
            self.begin_segment(number)?;
        }
        let place = self.write(&bytes)?;
        let segment = self.segments.back_mut().expect("written to just now");
        segment.entries.push(Entry::new((number - segment.first) as u32, place as u32, note.is_some()));
        Ok(())
    }

    fn flush(&mut self) -> Result<(), JournalError> {
        self.state.write(&self.directory)?;
        self.write_marks()?;
        if let Some(active) = &self.active {
            active.sync_data().map_err(JournalError::io("sync the log to disk"))?;
        }
        if self.is_directory_dirty {
            sync_directory(&self.directory)?;
            self.is_directory_dirty = false;
        }
        Ok(())
    }

    fn remove_up_to(&mut self, last: u64) -> Result<(), JournalError> {
        self.pruned = self.pruned.max(last + 1);
        self.mark(Kind::Pruned, self.pruned);
        self.drop_pruned()?;
        self.move_newest()
    }

    fn remove_after(&mut self, kept: u64) -> Result<(), JournalError> {
        while self.segments.back().is_some_and(|segment| segment.first > kept) {
            self.drop_last()?;
        }
        let Some(segment) = self.segments.back_mut() else { return Ok(()) };
        let (first, cut) = (segment.first, segment.cut_after(kept));
        if cut.is_none() && self.active.is_some() {
            return Ok(());
        }
        let file = self.open_for_writing(first)?;
        if let Some(length) = cut {
            file.set_len(length).map_err(JournalError::io("cut off what was not committed"))?;
            // Marks may have been cut off with it.
            self.mark(Kind::Pruned, self.pruned);
            if let Some(acknowledged) = self.acknowledged {
                self.mark(Kind::Acknowledged, acknowledged);
            }
        }
        self.active = Some(file);
        Ok(())
    }

    fn set_aside(&mut self, number: u64) -> Result<(), JournalError> {
        let Some((first, entry)) =
            self.segment_of(number).and_then(|segment| Some((segment.first, segment.entry(number)?)))
        else {
            return Ok(());
        };
        let aside = self.aside(&format!("{number:020}.batch"))?;
        let limit = self.segment_of(number).map_or(0, |segment| segment.end_of(number));
        let bytes = file::read_raw(self.file_of(first)?, entry, limit);
        bytes
            .and_then(|bytes| std::fs::write(&aside, bytes))
            .map_err(JournalError::io("set a batch aside"))?;
        if self.last()? == Some(number) {
            return self.remove_after(number - 1);
        }
        let segment = self.segments.iter_mut().find(|segment| segment.first == first);
        segment.expect("found just now").forget(number);
        Ok(())
    }

    fn visit_notes(&mut self, visit: &mut dyn FnMut(u64, &[u8])) -> Result<(), JournalError> {
        for segment in self.segments.iter().rev().filter(|segment| segment.has_notes()) {
            let path = segment_path(&self.directory, segment.first);
            let file = File::open(path).map_err(JournalError::io("open a segment"))?;
            for entry in segment.entries.iter().rev().filter(|entry| entry.has_note()) {
                let number = segment.first + u64::from(entry.delta);
                let note = file::read_note(&file, *entry, number).map_err(JournalError::io("read a note"))?;
                if let Some(note) = note {
                    visit(number, &note);
                }
            }
        }
        Ok(())
    }

    fn fact(&self, name: &str) -> Result<Option<Vec<u8>>, JournalError> {
        Ok(match name {
            fact::ACKNOWLEDGED => self.acknowledged.map(|number| number.to_be_bytes().to_vec()),
            _ => self.state.fact(name),
        })
    }

    fn set_fact(&mut self, name: &'static str, value: &[u8]) -> Result<(), JournalError> {
        if name == fact::ACKNOWLEDGED {
            // Often, so it goes with the batches instead of replacing a file.
            self.acknowledged = number_in(Some(value.to_vec()));
            self.mark(Kind::Acknowledged, self.acknowledged.unwrap_or(0));
        } else {
            self.state.set_fact(name, value);
        }
        Ok(())
    }

    fn reusable_bytes(&self, _retained_bytes: u64) -> u64 {
        0
    }

    fn was_end_torn(&self) -> bool {
        self.was_end_torn
    }
}

/// The id of the journal a directory held, as far as it can be read without opening it.
pub(super) fn id_in(directory: &Path) -> Option<StoreId> {
    let mut state = State::peek(directory);
    for first in file::list(directory).ok()? {
        if let Some(id) = file::store_in(&segment_path(directory, first)) {
            state.suggest_id(id);
        }
    }
    state.id()
}

/// How far the hub had acknowledged the journal a directory held, as far as its segments say.
pub(super) fn acknowledged_in(directory: &Path) -> Option<u64> {
    let firsts = file::list(directory).ok()?.into_iter();
    firsts.filter_map(|first| file::scan(&segment_path(directory, first), first).ok()?.acknowledged).max()
}
