//! Finds sealed batches in the bytes of damaged files, whatever engine wrote them.
//!
//! A batch proves itself: its CRC-32C and hash fit, or the check sum of its envelope. So nothing of the engine's own
//! structure has to be understood.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use delivery::{BATCH_BYTES_MAX, ChainHash, Lane, SealedBatch};

use super::envelope::{self, Envelope, OVERHEAD_BYTES};

/// Looked through at once.
const WINDOW_BYTES: usize = 4 << 20;
/// What the longest value needs.
const VALUE_BYTES_MAX: usize = BATCH_BYTES_MAX + OVERHEAD_BYTES;
/// More versions than will be.
const VERSION_MAX: u8 = 15;

/// Where a value was found.
#[derive(Clone, Copy, Debug)]
struct Place {
    file: usize,
    start: u64,
    length: usize,
    /// Its own hash and the one before; not to be read in an envelope.
    hashes: Option<(ChainHash, ChainHash)>,
}

/// The newest batch that was committed: what lies behind it nobody was told about.
#[derive(Clone, Copy, Debug)]
pub(super) struct Newest {
    pub(super) number: u64,
    pub(super) hash: ChainHash,
}

/// A value that begins somewhere.
struct Value {
    number: u64,
    length: usize,
    hashes: Option<(ChainHash, ChainHash)>,
}

/// The values found in some files, by sequence.
pub(super) struct Carved {
    lane: Lane,
    files: Vec<PathBuf>,
    /// One of each number after all, more while they are looked for: a number that was never committed may have been
    /// used again.
    places: BTreeMap<u64, Vec<Place>>,
}

impl Carved {
    /// Looks through all files of a directory and of its folders, for sequences of a lane behind `acknowledged` up to
    /// the newest that was committed, where that is known. What the disk cannot read is passed over.
    pub(super) fn from_directory(
        directory: &Path,
        lane: Lane,
        acknowledged: u64,
        committed: Option<Newest>,
    ) -> Self {
        let mut files = Vec::new();
        list_files(directory, 1, &mut files);
        let mut carved = Self { lane, files: Vec::new(), places: BTreeMap::new() };
        for (index, path) in files.iter().enumerate() {
            if let Ok(file) = File::open(path) {
                carved.look_through(&file, index);
            }
        }
        carved.files = files;
        carved.places = carved.places.split_off(&acknowledged.saturating_add(1));
        if let Some(committed) = committed {
            carved.places.retain(|&number, _| number <= committed.number);
        }
        carved.choose(committed);
        carved
    }

    /// Of several values of one number keeps the one that the next batch is chained to.
    fn choose(&mut self, committed: Option<Newest>) {
        let mut next: Option<(u64, ChainHash)> = None;
        for (&number, places) in self.places.iter_mut().rev() {
            let newest = committed.filter(|newest| newest.number == number).map(|newest| newest.hash);
            let wanted = newest.or(next.filter(|(behind, _)| *behind == number + 1).map(|(_, hash)| hash));
            let is_wanted = |place: &Place| place.hashes.is_some_and(|(hash, _)| Some(hash) == wanted);
            let index = places.iter().position(is_wanted).unwrap_or(0);
            places.swap(0, index);
            places.truncate(1);
            next = places[0].hashes.map(|(_, previous)| (number, previous));
        }
    }

    /// The sequences found, in order.
    pub(super) fn numbers(&self) -> impl Iterator<Item = u64> {
        self.places.keys().copied()
    }

    /// Each value with its sequence, in order of sequence.
    pub(super) fn values(&self) -> impl Iterator<Item = io::Result<(u64, Vec<u8>)>> {
        self.places.iter().flat_map(|(&number, places)| Some((number, places.first()?))).map(
            |(number, place)| {
                let mut value = vec![0; place.length];
                File::open(&self.files[place.file])?.read_exact_at(&mut value, place.start)?;
                Ok((number, value))
            },
        )
    }

    fn look_through(&mut self, file: &File, index: usize) {
        let Ok(length) = file.metadata().map(|metadata| metadata.len()) else { return };
        let mut window = vec![0; WINDOW_BYTES.min(length as usize)];
        let mut start = 0;
        while start < length {
            let size = window.len().min((length - start) as usize);
            let is_last = start + size as u64 == length;
            let step = if is_last { size } else { size - VALUE_BYTES_MAX };
            if file.read_exact_at(&mut window[..size], start).is_ok() {
                self.take_from(&window[..size], step, |offset| Place {
                    file: index,
                    start: start + offset as u64,
                    length: 0,
                    hashes: None,
                });
            }
            start += step as u64;
        }
    }

    /// Takes the values that begin in the first `step` bytes of a window.
    fn take_from(&mut self, window: &[u8], step: usize, place: impl Fn(usize) -> Place) {
        let mut offset = 0;
        while offset < step {
            match value_at(&window[offset..], self.lane) {
                Some(Value { number, length, hashes }) => {
                    // A later copy is the same; of envelopes that cannot be told, and the first one found stays.
                    let known = self.places.entry(number).or_default();
                    if known.iter().all(|other| other.hashes != hashes) {
                        known.push(Place { length, hashes, ..place(offset) });
                    }
                    offset += length;
                }
                None => offset += 1,
            }
        }
    }
}

fn list_files(directory: &Path, depth: u32, files: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(directory) else { return };
    let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        if path.is_file() {
            files.push(path);
        } else if path.is_dir() && depth > 0 {
            list_files(&path, depth - 1, files);
        }
    }
}

/// The sequence and length of the value that begins here, when one does and is sound. An envelope hides its lane.
fn value_at(bytes: &[u8], wanted: Lane) -> Option<Value> {
    if bytes.starts_with(&envelope::MAGIC) {
        let length = Envelope::length_at(bytes)?;
        let envelope = Envelope::parse(bytes.get(..length)?).ok()?;
        return Some(Value { number: envelope.number, length, hashes: None });
    }
    // Length of the header, version, lane: what most places fail.
    let &[_, high, version, lane, ..] = bytes else { return None };
    if high > 2 || lane != wanted as u8 || !(1..=VERSION_MAX).contains(&version) {
        return None;
    }
    let length = SealedBatch::length_at(bytes)?;
    let batch = SealedBatch::parse(bytes.get(..length)?.to_vec()).ok()?;
    let hashes = Some((batch.hash, batch.previous));
    Some(Value { number: batch.header.sequence.0, length, hashes })
}

#[cfg(test)]
mod tests {
    use delivery::{Position, StoreId};
    use proptest::prelude::*;

    use super::*;
    use crate::journal::JournalKey;
    use crate::journal::tests::body;

    const STORE: StoreId = StoreId([5; 16]);

    proptest! {
        #[test]
        fn values_are_found_wherever_they_lie(
            before in proptest::collection::vec(any::<u8>(), 0..300),
            between in proptest::collection::vec(0u8..3, 0..300),
        ) {
            let start = Position::start(STORE, Lane::Telemetry);
            let first = body(1).seal(Lane::Telemetry, &start);
            let second = body(2).seal(Lane::Telemetry, &first.position());
            let key = JournalKey::new(&[1; 32]);
            let second = envelope::seal(Some(&key), STORE, 2, second.bytes()).expect("encrypts");
            let folder = tempfile::tempdir().expect("a directory");
            let bytes = [&before[..], first.bytes(), &between, &second, &between].concat();
            std::fs::write(folder.path().join("db"), bytes).expect("written");
            let carved = Carved::from_directory(folder.path(), Lane::Telemetry, 0, None);
            let values: Vec<_> = carved.values().map(|value| value.expect("reads")).collect();
            prop_assert_eq!(values, [(1, first.bytes().to_vec()), (2, second.to_vec())]);
        }

        #[test]
        fn whatever_the_bytes_nothing_panics(bytes in any::<Vec<u8>>(), version in 0u8..3, high in 0u8..2) {
            let _ = value_at(&bytes, Lane::Telemetry);
            let _ = value_at(&[&[bytes.len() as u8, high, version, 2], &bytes[..]].concat(), Lane::Telemetry);
            let _ = value_at(&[&envelope::MAGIC[..], &bytes].concat(), Lane::Telemetry);
        }
    }

    #[test]
    fn of_two_batches_of_one_number_the_one_that_was_committed_is_taken() {
        let start = Position::start(STORE, Lane::Telemetry);
        let [undone, first] = [1, 2].map(|packet| body(packet).seal(Lane::Telemetry, &start));
        let [never, second] = [3, 4].map(|packet| body(packet).seal(Lane::Telemetry, &first.position()));
        let folder = tempfile::tempdir().expect("a directory");
        let bytes = [&undone, &never, &first, &second].map(SealedBatch::bytes).concat();
        std::fs::write(folder.path().join("db"), bytes).expect("written");
        let check = |committed: &SealedBatch, expected: &[&SealedBatch]| {
            let newest = Newest { number: committed.header.sequence.0, hash: committed.hash };
            let carved = Carved::from_directory(folder.path(), Lane::Telemetry, 0, Some(newest));
            let found: Vec<_> = carved.values().map(|value| value.expect("reads").1).collect();
            assert_eq!(found, expected.iter().map(|batch| batch.bytes().to_vec()).collect::<Vec<_>>());
        };
        check(&second, &[&first, &second]);
        check(&first, &[&first]);
    }

    #[test]
    fn a_value_that_lies_across_two_windows_is_found() {
        let batch = body(1).seal(Lane::Telemetry, &Position::start(STORE, Lane::Telemetry));
        let folder = tempfile::tempdir().expect("a directory");
        for place in [WINDOW_BYTES - VALUE_BYTES_MAX, WINDOW_BYTES - 40, WINDOW_BYTES] {
            let mut bytes = vec![0; place];
            bytes.extend_from_slice(batch.bytes());
            bytes.resize(2 * WINDOW_BYTES, 0);
            std::fs::write(folder.path().join("db"), bytes).expect("written");
            let carved = Carved::from_directory(folder.path(), Lane::Telemetry, 0, None);
            assert_eq!(carved.numbers().collect::<Vec<_>>(), [1], "at {place}");
        }
    }
}
