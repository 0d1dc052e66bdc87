//! What detectors learned, and up to where in the journal: one file, written whole or not at all.
//!
//! ```text
//! "STOWATC1"
//! u32 LE  CRC-32C of what follows
//!         postcard: store 16 bytes, sequence u64, missions: (name text, state bytes)
//! ```

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use delivery::StoreId;
use processing::watch::STATE_BYTES_MAX;
use serde::{Deserialize, Serialize};

const MAGIC: [u8; 8] = *b"STOWATC1";
const HEAD_BYTES: usize = 12;
/// A mission's state has a bound of its own; the file is no longer than that of eight.
const FILE_BYTES_MAX: u64 = 8 * STATE_BYTES_MAX as u64;

/// A place in the journal, and what was learned up to and with it.
#[derive(Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(super) struct SavedWatches {
    pub(super) store: [u8; 16],
    pub(super) sequence: u64,
    pub(super) missions: Vec<(String, Vec<u8>)>,
}

pub(super) struct StateFile(PathBuf);

impl StateFile {
    pub(super) fn new(path: PathBuf) -> Self {
        Self(path)
    }

    /// What is in the file; `None` when there is none, an error when it cannot be used.
    pub(super) fn read(&self) -> io::Result<Option<SavedWatches>> {
        let length = match fs::metadata(&self.0) {
            Ok(metadata) => metadata.len(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let damaged = || io::Error::new(io::ErrorKind::InvalidData, "it is damaged, or of another version");
        if length > FILE_BYTES_MAX {
            return Err(damaged());
        }
        let bytes = fs::read(&self.0)?;
        let (head, body) = bytes.split_at_checked(HEAD_BYTES).ok_or_else(damaged)?;
        if head[..8] != MAGIC || head[8..] != crc32c::crc32c(body).to_le_bytes() {
            return Err(damaged());
        }
        postcard::from_bytes(body).map(Some).map_err(|_| damaged())
    }

    pub(super) fn write(&self, saved: &SavedWatches) -> io::Result<()> {
        let mut bytes = postcard::to_extend(saved, vec![0; HEAD_BYTES]).map_err(io::Error::other)?;
        let crc = crc32c::crc32c(&bytes[HEAD_BYTES..]);
        bytes[..8].copy_from_slice(&MAGIC);
        bytes[8..HEAD_BYTES].copy_from_slice(&crc.to_le_bytes());
        let unfinished = self.0.with_extension("unfinished");
        let mut file = File::create(&unfinished)?;
        file.write_all(&bytes)?;
        file.sync_all()?;
        fs::rename(&unfinished, &self.0)?;
        File::open(self.0.parent().unwrap_or(Path::new(".")))?.sync_all()
    }
}

impl SavedWatches {
    /// Of which journal it is.
    pub(super) fn store(&self) -> StoreId {
        StoreId(self.store)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_what_is_damaged_is_not() {
        let folder = tempfile::tempdir().expect("a directory");
        let path = folder.path().join("watch.state");
        let file = StateFile::new(path.clone());
        assert_eq!(file.read().expect("is not there"), None);
        let missions = vec![("demo".to_owned(), vec![1, 2, 3])];
        let saved = SavedWatches { store: [7; 16], sequence: 300, missions };
        file.write(&saved).expect("written");
        assert_eq!(file.read().expect("reads"), Some(saved));
        let bytes = fs::read(&path).expect("reads");
        for at in 0..bytes.len() {
            let mut altered = bytes.clone();
            altered[at] ^= 1;
            fs::write(&path, altered).expect("written");
            assert!(file.read().is_err(), "byte {at}");
            fs::write(&path, &bytes[..at]).expect("written");
            assert!(file.read().is_err(), "{at} bytes");
        }
    }
}
