//! Where the node's alarms become durable: an append-only log of pieces of their histories, with a check sum each.
//!
//! `docs/data-on-disk.md` has it byte for byte. A record that is damaged is told and passed by, a torn end is cut off.
//! Beyond [`STORE_BYTES_MAX`] the log is written anew with half of that at most: what is closed goes, the oldest first.

mod record;

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use dashboard::alarms::AlarmPlace;
use delivery::RECORDS_MAX;
use processing::alarm::{AlarmId, AlarmState, History, Piece};
use space_packet::{GenerationTime, TaiTime};

use record::{FILE_HEAD, Found, Record, records};

/// Bytes of the log. A history of a few entries takes 1 kB, so it holds the alarms of years.
pub(super) const STORE_BYTES_MAX: u64 = 64 << 20;
/// How much longer the log gets before it is tried again to write it anew.
const RETRY_BYTES: u64 = 1 << 20;
/// What a node sends in one batch of its alarm lane.
const BATCH_BYTES: usize = 96 << 10;

/// All alarms of the node, on disk; in memory is where their pieces lie.
pub(super) struct Store {
    path: PathBuf,
    file: File,
    length: u64,
    bytes_max: u64,
    /// Longer than this it is written anew: more than `bytes_max` after that failed.
    rewrite_beyond: u64,
    alarms: HashMap<AlarmId, Stored>,
    places: BTreeSet<AlarmPlace>,
    /// Records that were written here and are not in the alarm lane: number and place in the file.
    waiting: VecDeque<(u64, u64)>,
    /// The newest number that was given to a record written here.
    newest: u64,
    /// Up to which number of the hub's its entries are here.
    kept: u64,
}

struct Stored {
    mission: String,
    first: GenerationTime,
    /// When something of it was stored first.
    known: TaiTime,
    /// Where its pieces lie.
    pieces: Vec<u64>,
}

/// Where entries come from.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Origin {
    /// From the hub, up to this number of its own.
    Hub(u64),
    /// They were written here, and go to the hub.
    Here,
}

impl Store {
    /// Opens the log in a directory; what was damaged of it stands beside it, in a sentence.
    pub(super) fn open(directory: &Path) -> io::Result<(Self, Option<String>)> {
        Self::open_with(directory, STORE_BYTES_MAX)
    }

    pub(super) fn open_with(directory: &Path, bytes_max: u64) -> io::Result<(Self, Option<String>)> {
        std::fs::create_dir_all(directory)?;
        let path = directory.join("alarms.log");
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path)?;
        let bytes = std::fs::read(&path)?;
        let mut store = Self {
            path,
            file,
            length: 0,
            bytes_max,
            rewrite_beyond: bytes_max,
            alarms: HashMap::new(),
            places: BTreeSet::new(),
            waiting: VecDeque::new(),
            newest: 0,
            kept: 0,
        };
        let head = if bytes.starts_with(&FILE_HEAD) { FILE_HEAD.len() as u64 } else { 0 };
        let (mut damaged, mut end) = (0_u64, head);
        for found in records(&bytes) {
            match found {
                Found::Record { at, end: behind, record } => {
                    store.index(at, &record);
                    end = behind;
                }
                Found::Damaged { end: behind } => (damaged, end) = (damaged + 1, behind),
            }
        }
        let cut = bytes.len() as u64 - end;
        let is_new = bytes.is_empty();
        if end == 0 {
            store.file.set_len(0)?;
            store.file.write_all_at(&FILE_HEAD, 0)?;
            end = FILE_HEAD.len() as u64;
        } else if cut > 0 {
            store.file.set_len(end)?;
        }
        store.file.sync_all()?;
        sync_directory(directory)?;
        store.length = end;
        let is_whole = is_new || (damaged == 0 && cut == 0);
        let told = format!(
            "{damaged} records of alarms are damaged and left out, {cut} bytes at the end were cut off"
        );
        Ok((store, (!is_whole).then_some(told)))
    }

    /// Bytes of the log.
    pub(super) fn bytes(&self) -> u64 {
        self.length
    }

    /// Up to which number of the hub's its entries are here.
    pub(super) fn kept(&self) -> u64 {
        self.kept
    }

    /// The mission of an alarm that is stored.
    pub(super) fn mission_of(&self, alarm: AlarmId) -> Option<&str> {
        self.alarms.get(&alarm).map(|stored| stored.mission.as_str())
    }

    /// All alarms, the newest first.
    pub(super) fn places(&self) -> impl Iterator<Item = AlarmPlace> {
        self.places.iter().rev().copied()
    }

    /// Keeps pieces. They are durable when this returns.
    pub(super) fn keep(&mut self, pieces: &[Piece], origin: Origin, now: TaiTime) -> io::Result<()> {
        let mut numbers = self.newest + 1..;
        let mut kept = Vec::new();
        for piece in pieces {
            let bytes = piece.encode().map_err(io::Error::other)?;
            let number = if origin == Origin::Here { numbers.next().unwrap_or(0) } else { 0 };
            kept.push(Record::Piece { number, known: now, bytes });
        }
        if let Origin::Hub(number) = origin {
            kept.push(Record::Kept(number));
        }
        self.append(&kept)?;
        if self.length > self.rewrite_beyond
            && let Err(failure) = self.rewrite(now)
        {
            // What was to be kept is kept.
            tracing::warn!(%failure, "STO-ALARM-STORE: the log of alarms cannot be written anew, it grows");
            self.rewrite_beyond = self.length + RETRY_BYTES;
        }
        Ok(())
    }

    /// All that is stored of an alarm, and since when.
    pub(super) fn history(&self, alarm: AlarmId) -> io::Result<Option<(History, TaiTime)>> {
        let Some(stored) = self.alarms.get(&alarm) else { return Ok(None) };
        let mut history: Option<History> = None;
        for at in &stored.pieces {
            let part = History::try_from(self.piece_at(*at)?.1).map_err(io::Error::other)?;
            match &mut history {
                Some(history) => drop(history.merge(&part)),
                None => history = Some(part),
            }
        }
        Ok(history.map(|history| (history, stored.known)))
    }

    /// Closed alarms of a mission before a place, the newest first.
    pub(super) fn closed_before(
        &self,
        mission: &str,
        before: AlarmPlace,
        count: usize,
        now: TaiTime,
    ) -> io::Result<Vec<History>> {
        let mut found = Vec::new();
        for (_, alarm) in self.places.range(..before).rev() {
            if found.len() == count {
                break;
            }
            if self.alarms.get(alarm).is_some_and(|stored| stored.mission == mission)
                && let Some((history, _)) = self.history(*alarm)?
                && AlarmState::of(&history, now).is_closed()
            {
                found.push(history);
            }
        }
        Ok(found)
    }

    /// The oldest pieces that are not in the alarm lane yet, of one mission, as many as go into a batch; and the
    /// number of the last of them.
    pub(super) fn waiting(&self) -> io::Result<Option<(u64, Vec<Piece>)>> {
        let (mut pieces, mut last, mut bytes): (Vec<Piece>, u64, usize) = (Vec::new(), 0, 0);
        for (number, at) in &self.waiting {
            let (length, piece) = self.piece_at(*at)?;
            bytes += length;
            let is_other = pieces.first().is_some_and(|first| first.subject.mission != piece.subject.mission);
            let is_full = pieces.len() == RECORDS_MAX || (bytes > BATCH_BYTES && !pieces.is_empty());
            if is_other || is_full {
                break;
            }
            last = *number;
            pieces.push(piece);
        }
        Ok((!pieces.is_empty()).then_some((last, pieces)))
    }

    /// What was written here up to a number is in the alarm lane.
    pub(super) fn on_forwarded(&mut self, number: u64) -> io::Result<()> {
        self.append(&[Record::Forwarded(number)])
    }

    fn append(&mut self, records: &[Record]) -> io::Result<()> {
        let (mut bytes, mut places) = (Vec::new(), Vec::new());
        for record in records {
            places.push(self.length + bytes.len() as u64);
            record.encode(&mut bytes);
        }
        let written = self.file.write_all_at(&bytes, self.length).and_then(|()| self.file.sync_data());
        if let Err(error) = written {
            // What is left of it would be taken for a torn end, or be overwritten.
            self.file.set_len(self.length).ok();
            return Err(error);
        }
        self.length += bytes.len() as u64;
        for (at, record) in places.into_iter().zip(records) {
            self.index(at, record);
        }
        Ok(())
    }

    fn index(&mut self, at: u64, record: &Record) {
        match record {
            Record::Forwarded(up_to) => {
                while self.waiting.pop_front_if(|(number, _)| *number <= *up_to).is_some() {}
                self.newest = self.newest.max(*up_to);
            }
            Record::Kept(number) => self.kept = *number,
            Record::Piece { number, known, bytes } => {
                let Ok(piece) = Piece::decode(bytes) else { return };
                let alarm = piece.alarm();
                let stored = self.alarms.entry(alarm).or_insert_with(|| Stored {
                    mission: piece.subject.mission.clone(),
                    first: piece.first,
                    known: *known,
                    pieces: Vec::new(),
                });
                stored.known = stored.known.min(*known);
                stored.pieces.push(at);
                self.places.insert((stored.first, alarm));
                if *number > 0 {
                    self.waiting.push_back((*number, at));
                    self.newest = self.newest.max(*number);
                }
            }
        }
    }

    /// A piece and its length.
    fn piece_at(&self, at: u64) -> io::Result<(usize, Piece)> {
        let mut head = [0; record::HEAD_BYTES];
        self.file.read_exact_at(&mut head, at)?;
        let mut body = vec![0; record::body_bytes(&head).unwrap_or_default()];
        self.file.read_exact_at(&mut body, at + record::HEAD_BYTES as u64)?;
        match Record::decode(&head, &body) {
            Some(Record::Piece { bytes, .. }) => {
                Ok((bytes.len(), Piece::decode(&bytes).map_err(io::Error::other)?))
            }
            _ => Err(io::Error::other("a record of an alarm cannot be read any more")),
        }
    }

    /// Writes the log anew: what is open or waits first, then what is closed, the newest first, as long as there is room.
    fn rewrite(&mut self, now: TaiTime) -> io::Result<()> {
        let waiting: BTreeMap<u64, u64> = self.waiting.iter().map(|(number, at)| (*at, *number)).collect();
        let (mut first, mut then) = (Vec::new(), Vec::new());
        for (_, alarm) in self.places() {
            let Some((history, known)) = self.history(alarm)? else { continue };
            let pieces = self.alarms.get(&alarm).map_or(&[][..], |stored| &stored.pieces);
            let of_it: Vec<u64> = pieces.iter().filter(|at| waiting.contains_key(at)).copied().collect();
            let is_open = !AlarmState::of(&history, now).is_closed();
            let group = if is_open || !of_it.is_empty() { &mut first } else { &mut then };
            group.push((alarm, known, of_it));
        }
        let mut bytes = FILE_HEAD.to_vec();
        Record::Kept(self.kept).encode(&mut bytes);
        Record::Forwarded(self.newest - self.waiting.len() as u64).encode(&mut bytes);
        let (mut numbered, mut left_out) = (Vec::new(), 0);
        for (alarm, known, of_it) in first.into_iter().chain(then) {
            let Some((history, _)) = self.history(alarm)? else { continue };
            let before = bytes.len();
            for piece in history.pieces() {
                let encoded = piece.encode().map_err(io::Error::other)?;
                Record::Piece { number: 0, known, bytes: encoded }.encode(&mut bytes);
            }
            if bytes.len() as u64 > self.bytes_max / 2 {
                bytes.truncate(before);
                left_out += 1;
                continue;
            }
            for at in of_it {
                let (_, piece) = self.piece_at(at)?;
                let number = waiting.get(&at).copied().unwrap_or_default();
                numbered.push((number, known, piece.encode().map_err(io::Error::other)?));
            }
        }
        numbered.sort_unstable_by_key(|(number, ..)| *number);
        for (number, known, piece) in numbered {
            Record::Piece { number, known, bytes: piece }.encode(&mut bytes);
        }
        let unfinished = self.path.with_extension("unfinished");
        std::fs::write(&unfinished, &bytes)?;
        File::open(&unfinished)?.sync_all()?;
        std::fs::rename(&unfinished, &self.path)?;
        let directory = self.path.parent().unwrap_or(Path::new(".")).to_owned();
        sync_directory(&directory)?;
        tracing::info!(left_out, bytes = bytes.len(), "log of alarms was full, the oldest closed ones went");
        *self = Self::open_with(&directory, self.bytes_max)?.0;
        Ok(())
    }
}

fn sync_directory(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

#[cfg(test)]
mod tests;
