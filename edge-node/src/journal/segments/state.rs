//! The few facts of a journal of segments that change seldom: one small file, replaced whole.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;

use delivery::StoreId;
use tracing::error;

use crate::journal::JournalError;
use crate::journal::sled_engine::sync_directory;
use crate::journal::store::fact;

const FILE: &str = "state";
const MAGIC: [u8; 8] = *b"STOSTAT1";
/// Gaps are the most of it, and they are bounded.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// The facts.
pub(super) struct State {
    facts: BTreeMap<String, Vec<u8>>,
    is_dirty: bool,
}

impl State {
    /// Reads the file. One that cannot be understood is set aside: the segments know the rest.
    pub(super) fn read(directory: &Path) -> Result<Self, JournalError> {
        let path = directory.join(FILE);
        let Some(bytes) = read_file(&path).map_err(JournalError::io("read the journal's state"))? else {
            return Ok(Self { facts: BTreeMap::new(), is_dirty: false });
        };
        if let Some(facts) = decode(&bytes) {
            return Ok(Self { facts, is_dirty: false });
        }
        let aside = directory.join("damaged");
        let moved = std::fs::create_dir_all(&aside).and_then(|()| std::fs::rename(&path, aside.join(FILE)));
        moved.map_err(JournalError::io("set the journal's state aside"))?;
        error!(kept_in = %aside.display(), "the journal's state cannot be read, it was set aside and made anew");
        Ok(Self { facts: BTreeMap::new(), is_dirty: true })
    }

    /// Reads what can be read and changes nothing.
    pub(super) fn peek(directory: &Path) -> Self {
        let bytes = read_file(&directory.join(FILE)).ok().flatten();
        let facts = bytes.and_then(|bytes| decode(&bytes)).unwrap_or_default();
        Self { facts, is_dirty: false }
    }

    pub(super) fn fact(&self, name: &str) -> Option<Vec<u8>> {
        self.facts.get(name).cloned()
    }

    pub(super) fn set_fact(&mut self, name: &str, value: &[u8]) {
        self.facts.insert(name.to_owned(), value.to_vec());
        self.is_dirty = true;
    }

    pub(super) fn id(&self) -> Option<StoreId> {
        Some(StoreId(self.facts.get(fact::STORE_ID)?.as_slice().try_into().ok()?))
    }

    /// What a segment says about whose it is; heard when the file did not say.
    pub(super) fn suggest_id(&mut self, id: StoreId) {
        if self.id().is_none() {
            self.set_fact(fact::STORE_ID, &id.0);
        }
    }

    /// Replaces the file when something changed: a power cut leaves the old one or the new one.
    pub(super) fn write(&mut self, directory: &Path) -> Result<(), JournalError> {
        if !self.is_dirty {
            return Ok(());
        }
        let new = directory.join("state.new");
        let mut bytes = MAGIC.to_vec();
        bytes.extend(postcard::to_stdvec(&self.facts).expect("names and bytes always encode"));
        bytes.extend_from_slice(&crc32c::crc32c(&bytes).to_le_bytes());
        let written = File::create(&new).and_then(|mut file| {
            file.write_all(&bytes)?;
            file.sync_data()?;
            std::fs::rename(&new, directory.join(FILE))
        });
        written.map_err(JournalError::io("write the journal's state"))?;
        sync_directory(directory)?;
        self.is_dirty = false;
        Ok(())
    }
}

fn read_file(path: &Path) -> std::io::Result<Option<Vec<u8>>> {
    let file = match File::open(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        other => other?,
    };
    let mut bytes = Vec::new();
    file.take(FILE_BYTES_MAX).read_to_end(&mut bytes)?;
    Ok(Some(bytes))
}

fn decode(bytes: &[u8]) -> Option<BTreeMap<String, Vec<u8>>> {
    let (checked, crc) = bytes.split_last_chunk::<4>()?;
    let facts = checked.strip_prefix(&MAGIC)?;
    (crc32c::crc32c(checked).to_le_bytes() == *crc).then(|| postcard::from_bytes(facts).ok())?
}
