//! One segment file: what is in it, found by reading the heads of its records.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use delivery::{BatchError, StoreId};

use super::record::{FILE_HEAD_BYTES, HEAD_BYTES, Kind, MAGIC, RECORD_BYTES_MAX, Record, store_of};
use crate::journal::JournalError;
use crate::journal::store::Stored;

const EXTENSION: &str = "segment";
/// Read at once when the next sound record is looked for.
const WINDOW_BYTES: usize = 256 << 10;
const NOTE_BIT: u32 = 1 << 31;

/// A segment, as far as it is kept in memory.
#[derive(Debug)]
pub(super) struct Segment {
    /// The sequence in its name.
    pub(super) first: u64,
    /// Sound bytes.
    pub(super) length: u64,
    /// Its batches in order.
    pub(super) entries: Vec<Entry>,
}

/// Where a batch is: eight bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    /// Its sequence, counted from the segment's first.
    pub(super) delta: u32,
    place: u32,
}

impl Entry {
    pub(super) fn new(delta: u32, place: u32, has_note: bool) -> Self {
        Self { delta, place: if has_note { place | NOTE_BIT } else { place } }
    }

    /// Where its note begins, or the batch when there is none.
    fn place(self) -> u64 {
        u64::from(self.place & !NOTE_BIT)
    }

    pub(super) fn has_note(self) -> bool {
        self.place & NOTE_BIT != 0
    }
}

impl Segment {
    pub(super) fn last(&self) -> Option<u64> {
        Some(self.first + u64::from(self.entries.last()?.delta))
    }

    fn index_from(&self, number: u64) -> usize {
        self.entries.partition_point(|entry| self.first + u64::from(entry.delta) < number)
    }

    pub(super) fn next_from(&self, number: u64) -> Option<u64> {
        Some(self.first + u64::from(self.entries.get(self.index_from(number))?.delta))
    }

    pub(super) fn entry(&self, number: u64) -> Option<Entry> {
        let entry = self.entries.get(self.index_from(number))?;
        (self.first + u64::from(entry.delta) == number).then_some(*entry)
    }

    /// Where the batch after a number begins.
    pub(super) fn end_of(&self, number: u64) -> u64 {
        self.entries.get(self.index_from(number + 1)).map_or(self.length, |entry| entry.place())
    }

    pub(super) fn forget(&mut self, number: u64) {
        self.entries.retain(|entry| self.first + u64::from(entry.delta) != number);
    }

    /// Forgets a number and all behind it; its bytes stay.
    pub(super) fn forget_from(&mut self, number: u64) {
        self.entries.truncate(self.index_from(number));
    }

    /// Forgets batches behind a number; the length that is left when there were any.
    pub(super) fn cut_after(&mut self, number: u64) -> Option<u64> {
        let index = self.index_from(number + 1);
        let place = self.entries.get(index)?.place();
        self.entries.truncate(index);
        self.length = place;
        Some(place)
    }

    pub(super) fn has_notes(&self) -> bool {
        self.entries.iter().any(|entry| entry.has_note())
    }

    pub(super) fn has_room_for(&self, number: u64, bytes: u64, limit: u64) -> bool {
        let fits = self.entries.is_empty() || self.length + bytes <= limit;
        fits && u32::try_from(number - self.first).is_ok()
    }
}

pub(super) fn segment_path(directory: &Path, first: u64) -> PathBuf {
    directory.join(format!("{first:020}.{EXTENSION}"))
}

/// The segments in a directory, by their first sequence, in order.
pub(super) fn list(directory: &Path) -> Result<Vec<u64>, JournalError> {
    let mut firsts = Vec::new();
    for entry in std::fs::read_dir(directory).map_err(JournalError::io("list the segments"))? {
        let path = entry.map_err(JournalError::io("list the segments"))?.path();
        let number = path.file_stem().and_then(|stem| stem.to_str()?.parse().ok());
        // Only names as we write them: what people put beside is not ours.
        firsts.extend(number.filter(|&first| segment_path(directory, first) == path));
    }
    firsts.sort_unstable();
    Ok(firsts)
}

/// Whose journal a file belongs to, when that can be read.
pub(super) fn store_in(path: &Path) -> Option<StoreId> {
    let mut head = [0; FILE_HEAD_BYTES];
    File::open(path).ok()?.read_exact_at(&mut head, 0).ok()?;
    store_of(&head)
}

/// What was found in a file.
pub(super) struct Scan {
    pub(super) segment: Segment,
    pub(super) store: Option<StoreId>,
    pub(super) acknowledged: Option<u64>,
    pub(super) pruned: u64,
    /// From here to the end nothing is a record.
    pub(super) torn_from: Option<u64>,
}

/// Reads a file's heads.
pub(super) fn scan(path: &Path, first: u64) -> io::Result<Scan> {
    let file = File::open(path)?;
    let length = file.metadata()?.len();
    let segment = Segment { first, length, entries: Vec::new() };
    let store = store_in(path);
    let scan = Scan { segment, store, acknowledged: None, pruned: 0, torn_from: None };
    if length < FILE_HEAD_BYTES as u64 {
        let segment = Segment { length: 0, ..scan.segment };
        return Ok(Scan { segment, ..scan });
    }
    let mut scanner =
        Scanner { file, length, newest: first.saturating_sub(1), scan, unverified: None, note: None };
    let mut place = if store.is_some() { FILE_HEAD_BYTES as u64 } else { 0 };
    loop {
        place = match scanner.step(place)? {
            Some(next) => next,
            None if place >= length || scanner.scan.torn_from.is_some() => break,
            None => match scanner.search(place + 1)? {
                Some(sound) => sound,
                None => {
                    scanner.end_at(place);
                    break;
                }
            },
        };
    }
    let mut scan = scanner.scan;
    scan.segment.entries.shrink_to_fit();
    Ok(scan)
}

struct Scanner {
    file: File,
    length: u64,
    newest: u64,
    scan: Scan,
    /// The record before, whose head was believed.
    unverified: Option<u64>,
    /// The note of the batch that must come next: its place and number.
    note: Option<(u64, u64)>,
}

impl Scanner {
    /// Takes the record at a place; `None` when there is none, or none can be believed.
    ///
    /// A head that continues the sequence is believed without reading the batch. Where something does not fit, the
    /// record before is verified first: when its length was damaged, what follows it was looked for in the wrong place.
    fn step(&mut self, place: u64) -> io::Result<Option<u64>> {
        let record = self.head_at(place)?;
        let continues = record.is_some_and(|record| match record.kind {
            Kind::Batch => record.number == self.newest + 1,
            Kind::Acknowledged | Kind::Note | Kind::Pruned => false,
        });
        if !continues
            && let Some(before) = self.unverified.take()
            && self.content_at(before)?.is_none()
        {
            self.scan.segment.entries.pop();
            self.newest -= 1;
            let sound = self.search(before + 1)?;
            if sound.is_none() {
                self.end_at(before);
            }
            return Ok(sound);
        }
        let Some(record) = record else { return Ok(None) };
        if !continues && self.content_at(place)?.is_none() {
            return Ok(None);
        }
        let entries = self.scan.segment.entries.len();
        self.take(place, record);
        self.unverified = (continues && self.scan.segment.entries.len() > entries).then_some(place);
        Ok(Some(place + record.total_bytes() as u64))
    }

    /// Nothing behind a place is a record.
    fn end_at(&mut self, place: u64) {
        self.scan.torn_from = Some(place);
        self.scan.segment.length = place;
    }

    fn take(&mut self, place: u64, record: Record) {
        let note = self.note.take().filter(|(_, number)| *number == record.number);
        match record.kind {
            Kind::Acknowledged => self.scan.acknowledged = self.scan.acknowledged.max(Some(record.number)),
            Kind::Pruned => self.scan.pruned = self.scan.pruned.max(record.number),
            Kind::Note => self.note = Some((place, record.number)),
            Kind::Batch if record.number > self.newest => {
                let delta = u32::try_from(record.number - self.scan.segment.first);
                let start = note.map_or(place, |(place, _)| place);
                if let (Ok(delta), Ok(start)) = (delta, u32::try_from(start)) {
                    self.newest = record.number;
                    self.scan.segment.entries.push(Entry::new(delta, start, note.is_some()));
                }
            }
            Kind::Batch => {}
        }
    }

    fn head_at(&self, place: u64) -> io::Result<Option<Record>> {
        let mut head = [0; HEAD_BYTES];
        if !read_at(&self.file, &mut head, place)? {
            return Ok(None);
        }
        let fits = |record: &Record| place + record.total_bytes() as u64 <= self.length;
        Ok(Record::parse(&head).filter(fits))
    }

    fn content_at(&self, place: u64) -> io::Result<Option<Vec<u8>>> {
        match self.head_at(place)? {
            Some(record) => verified(&self.file, record, place),
            None => Ok(None),
        }
    }

    /// The next place at which a sound record begins.
    fn search(&self, from: u64) -> io::Result<Option<u64>> {
        let mut window = vec![0; WINDOW_BYTES];
        let mut start = from;
        while start + (HEAD_BYTES as u64) < self.length {
            let size = WINDOW_BYTES.min((self.length - start) as usize);
            if read_at(&self.file, &mut window[..size], start)? {
                let found = window[..size].windows(MAGIC.len()).enumerate();
                for (index, _) in found.filter(|(_, bytes)| *bytes == MAGIC) {
                    let place = start + index as u64;
                    if self.content_at(place)?.is_some() {
                        return Ok(Some(place));
                    }
                }
            }
            start += (size - 1).max(1) as u64;
        }
        Ok(None)
    }
}

/// Reads; false when the bytes are not there or the disk cannot read them any more.
fn read_at(file: &File, bytes: &mut [u8], place: u64) -> io::Result<bool> {
    const INPUT_OUTPUT_ERROR: i32 = 5;
    match file.read_exact_at(bytes, place) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(false),
        Err(error) if error.raw_os_error() == Some(INPUT_OUTPUT_ERROR) => Ok(false),
        Err(error) => Err(error),
    }
}

fn verified(file: &File, record: Record, place: u64) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = vec![0; record.total_bytes()];
    Ok(if read_at(file, &mut bytes, place)? { Record::content(bytes) } else { None })
}

fn record_at(file: &File, place: u64, kind: Kind, number: u64) -> io::Result<Option<Record>> {
    let mut head = [0; HEAD_BYTES];
    let is_read = read_at(file, &mut head, place)?;
    let record = Record::parse(&head).filter(|record| record.kind == kind && record.number == number);
    Ok(record.filter(|_| is_read))
}

/// The batch of an entry.
pub(super) fn read_batch(file: &File, entry: Entry, number: u64) -> io::Result<Stored> {
    const UNREADABLE: BatchError = BatchError::Malformed { what: "its record's head cannot be read" };
    let mut place = entry.place();
    if entry.has_note() {
        let Some(note) = record_at(file, place, Kind::Note, number)? else { return Ok(Err(UNREADABLE)) };
        place += note.total_bytes() as u64;
    }
    let Some(record) = record_at(file, place, Kind::Batch, number)? else { return Ok(Err(UNREADABLE)) };
    let damaged = BatchError::Damaged { check: "record's CRC-32C", bytes: record.content_bytes };
    Ok(verified(file, record, place)?.ok_or(damaged))
}

/// The note of an entry that has one.
pub(super) fn read_note(file: &File, entry: Entry, number: u64) -> io::Result<Option<Vec<u8>>> {
    match record_at(file, entry.place(), Kind::Note, number)? {
        Some(record) => verified(file, record, entry.place()),
        None => Ok(None),
    }
}

/// The bytes of an entry up to `limit`, whatever they are; what the disk cannot read is left out.
pub(super) fn read_raw(file: &File, entry: Entry, limit: u64) -> io::Result<Vec<u8>> {
    let length = limit.saturating_sub(entry.place()).min(2 * RECORD_BYTES_MAX as u64);
    let mut bytes = vec![0; length as usize];
    if !read_at(file, &mut bytes, entry.place())? {
        bytes.clear();
    }
    Ok(bytes)
}

/// Copies what lies behind `from` into a file of its own, durably.
pub(super) fn copy_end(path: &Path, from: u64, aside: &Path) -> io::Result<()> {
    use std::io::{Seek, SeekFrom};
    let mut end = File::open(path)?;
    end.seek(SeekFrom::Start(from))?;
    let mut kept = File::create(aside)?;
    io::copy(&mut end, &mut kept)?;
    kept.sync_all()
}
