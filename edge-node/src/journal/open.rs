//! Opening the journal of a data directory: whatever the disk holds, the node records afterwards.
//!
//! ```text
//! journal/              sled
//! journal-segments/     segment files
//! journal.damaged-N/    set aside whole, never written to again
//! journal.salvaged-N/   what was sound in it, as a journal of segments under its old id, to be forwarded
//! ```

mod salvage;

use std::path::{Path, PathBuf};

use delivery::{Event, Position, Severity, StoreId};
use serde::Deserialize;
use tracing::warn;

use super::envelope::JournalKey;
use super::events::event;
use super::segments::SEGMENT_BYTES;
use super::{Journal, JournalError, SegmentJournal, SledJournal};
use salvage::{salvage_unfinished, salvaged_in, set_aside};

/// What keeps the journal on the disk.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub enum Engine {
    /// Plain segment files.
    Segments,
    /// sled (decision D4).
    #[default]
    Sled,
}

impl Engine {
    fn folder(self) -> &'static str {
        match self {
            Self::Segments => "journal-segments",
            Self::Sled => "journal",
        }
    }

    fn other(self) -> Self {
        match self {
            Self::Segments => Self::Sled,
            Self::Sled => Self::Segments,
        }
    }
}

/// How the journal is kept.
#[derive(Clone, Debug)]
pub struct JournalOptions {
    /// What keeps it.
    pub engine: Engine,
    /// What batches are encrypted with on the disk; plain without one.
    pub key: Option<JournalKey>,
    /// What a segment file holds about.
    pub segment_bytes: u64,
}

impl Default for JournalOptions {
    fn default() -> Self {
        Self { engine: Engine::default(), key: None, segment_bytes: SEGMENT_BYTES }
    }
}

/// A journal, and what opening it met.
pub struct Opened {
    /// The journal, ready to record.
    pub journal: Box<dyn Journal>,
    /// Older journals with batches the hub may lack: [`open_older`] opens them to be forwarded.
    pub salvaged: Vec<PathBuf>,
    /// What happened, to be recorded.
    pub events: Vec<Event>,
}

/// How a journal is opened.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Opening {
    /// As it is, after it failed while the node runs.
    After {
        /// Newest batch that anybody was told about: what lies behind it comes again, and must not be salvaged too.
        committed: Position,
    },
    /// As it is, at a start.
    Again,
    /// Set aside, and a new one begun.
    Anew {
        /// As above.
        committed: Position,
    },
}

impl Opening {
    fn committed(self) -> Option<Position> {
        match self {
            Self::After { committed } | Self::Anew { committed } => Some(committed),
            Self::Again => None,
        }
    }
}

/// Opens the journal of a data directory.
///
/// A journal whose files are corrupt is set aside whole, never deleted; what is sound in it waits to be forwarded, and
/// a new one begins: a station that cannot record is worse than one that starts a new epoch. What is wrong otherwise (in
/// use, a full disk, another user's file, a wrong key) is an error: the data are sound. `new_store` names new journals.
pub fn open(
    data: &Path,
    options: &JournalOptions,
    opening: Opening,
    new_store: &mut dyn FnMut() -> StoreId,
) -> Result<Opened, JournalError> {
    let directory = data.join(options.engine.folder());
    let mut events = Vec::new();
    let opened = match opening {
        Opening::After { .. } | Opening::Again => open_engine(&directory, options, new_store()),
        Opening::Anew { .. } => {
            Err(JournalError::Corrupt("it failed again after it was opened again".into()))
        }
    };
    let journal = match opened {
        Err(JournalError::Corrupt(cause)) => {
            set_aside(data, &directory, cause.as_ref(), opening.committed(), &mut events)?;
            open_engine(&directory, options, new_store())?
        }
        other => other?,
    };
    let other = other_engines(data, options, &mut events);
    salvage_unfinished(data, new_store, &mut events);
    let salvaged = waiting(data, other, options, &mut events);
    Ok(Opened { journal, salvaged, events })
}

fn open_engine(
    directory: &Path,
    options: &JournalOptions,
    new_store: StoreId,
) -> Result<Box<dyn Journal>, JournalError> {
    let key = options.key.clone();
    Ok(match options.engine {
        Engine::Segments => Box::new(SegmentJournal::open(directory, new_store, key, options.segment_bytes)?),
        Engine::Sled => Box::new(SledJournal::open(directory, new_store, key)?),
    })
}

/// Opens a journal that only waits to be forwarded; it takes nothing new.
pub fn open_older(directory: &Path, key: Option<JournalKey>) -> Result<Box<dyn Journal>, JournalError> {
    if directory.join("db").exists() {
        return Ok(Box::new(SledJournal::open(directory, StoreId([0; 16]), key)?.into_read_only()));
    }
    let journal = SegmentJournal::open(directory, StoreId([0; 16]), key, SEGMENT_BYTES)?;
    Ok(Box::new(journal.into_read_only()))
}

/// The journal of the engine that is not used, when there is one. A corrupt one is set aside.
fn other_engines(data: &Path, options: &JournalOptions, events: &mut Vec<Event>) -> Option<PathBuf> {
    let other = data.join(options.engine.other().folder());
    if !other.exists() {
        return None;
    }
    // Closed again before it is looked at once more.
    let Err(JournalError::Corrupt(cause)) = open_older(&other, options.key.clone()).map(drop) else {
        return Some(other);
    };
    if let Err(error) = set_aside(data, &other, cause.as_ref(), None, events) {
        warn!(%error, directory = %other.display(), "older journal could not be set aside");
    }
    None
}

/// Older journals that hold what the hub may lack. One that cannot be looked into is named too, so that it is not
/// forgotten.
fn waiting(
    data: &Path,
    other: Option<PathBuf>,
    options: &JournalOptions,
    events: &mut Vec<Event>,
) -> Vec<PathBuf> {
    let mut older = salvaged_in(data);
    older.extend(other);
    older.retain(|directory| match open_older(directory, options.key.clone()) {
        Ok(journal) => {
            journal.tail().is_some() && journal.head().number() > journal.acknowledged().map_or(0, |last| last.0)
        }
        Err(error) => {
            let cause = service::logging::chain(&error);
            warn!(directory = %directory.display(), cause, "older journal cannot be opened, it was left alone");
            events.push(event(
                "STO-JOURNAL-OLDER-UNREADABLE",
                Severity::Error,
                "An older journal that may wait to be forwarded cannot be opened.",
                &[("directory", directory.display().to_string()), ("cause", cause)],
            ));
            true
        }
    });
    older
}

#[cfg(test)]
mod tests;
