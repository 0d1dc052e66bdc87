//! Opening a journal of a data directory: whatever the disk holds, the node records afterwards.
//!
//! ```text
//! journal/              telemetry, in sled
//! journal-segments/     telemetry, in segment files
//! journal-alarm/        events, in segment files
//! *.damaged-N/          set aside whole, never written to again
//! *.salvaged-N/         what was sound in it, as a journal of segments under its old id, to be forwarded
//! *.forked-N/           set aside because the hub knows another one by its name, to be forwarded
//! ```

mod aside;
mod salvage;

use std::path::{Path, PathBuf};

use delivery::{Event, Lane, Position, Severity, StoreId};
use serde::Deserialize;
use tracing::warn;

use super::envelope::JournalKey;
use super::segments::SEGMENT_BYTES;
use super::{Journal, JournalError, LogOptions, SegmentJournal, SledJournal};
use crate::events::event;
use aside::{forked_in, lane_of, salvaged_in, set_aside_damaged, set_aside_forked};
use salvage::salvage_unfinished;

/// What a segment file of the alarm lane holds about: a sixteenth of what the lane may take, since whole files go.
const ALARM_SEGMENT_BYTES: u64 = 1 << 20;

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

/// Holds the alarm lane; the folders that were set aside of it begin with it too.
const ALARM_FOLDER: &str = "journal-alarm";

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

/// How a journal is kept.
#[derive(Clone, Debug)]
pub struct JournalOptions {
    /// The lane of its batches.
    pub lane: Lane,
    /// What keeps it.
    pub engine: Engine,
    /// What batches are encrypted with on the disk; plain without one.
    pub key: Option<JournalKey>,
    /// What a segment file holds about.
    pub segment_bytes: u64,
}

impl Default for JournalOptions {
    fn default() -> Self {
        Self { lane: Lane::Telemetry, engine: Engine::default(), key: None, segment_bytes: SEGMENT_BYTES }
    }
}

impl JournalOptions {
    /// The journal of the node's events: few and small, so in segment files whatever keeps the telemetry.
    pub fn of_alarms(key: Option<JournalKey>) -> Self {
        Self { lane: Lane::Alarm, engine: Engine::Segments, key, segment_bytes: ALARM_SEGMENT_BYTES }
    }

    fn folder(&self) -> &'static str {
        match self.lane {
            Lane::Alarm => ALARM_FOLDER,
            Lane::Telemetry => self.engine.folder(),
        }
    }
}

/// A journal from before that waits to be forwarded.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct OlderDirectory {
    /// Where it lies.
    pub path: PathBuf,
    /// Whether the hub knows another journal by its name.
    pub is_forked: bool,
}

/// A journal, and what opening it met.
pub struct Opened {
    /// The journal, ready to record.
    pub journal: Box<dyn Journal>,
    /// Older journals with batches the hub may lack: [`open_older`] opens them to be forwarded.
    pub salvaged: Vec<OlderDirectory>,
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
    /// Set aside as it is, and a new one begun: the hub knows another journal by its name.
    Forked,
}

impl Opening {
    fn committed(self) -> Option<Position> {
        match self {
            Self::After { committed } | Self::Anew { committed } => Some(committed),
            Self::Again | Self::Forked => None,
        }
    }
}

/// Opens a journal of a data directory.
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
    let directory = data.join(options.folder());
    let mut events = Vec::new();
    let opened = match opening {
        Opening::After { .. } | Opening::Again => open_engine(&directory, options, new_store()),
        Opening::Anew { .. } => {
            Err(JournalError::Corrupt("it failed again after it was opened again".into()))
        }
        Opening::Forked => {
            set_aside_forked(data, &directory, &mut events)?;
            open_engine(&directory, options, new_store())
        }
    };
    let journal = match opened {
        Err(JournalError::Corrupt(cause)) => {
            set_aside_damaged(data, &directory, cause.as_ref(), opening.committed(), &mut events)?;
            open_engine(&directory, options, new_store())?
        }
        other => other?,
    };
    let other = other_engines(data, options, &mut events);
    salvage_unfinished(data, options.lane, new_store, &mut events);
    let salvaged = waiting(data, other, options, &mut events);
    Ok(Opened { journal, salvaged, events })
}

fn open_engine(
    directory: &Path,
    options: &JournalOptions,
    new_store: StoreId,
) -> Result<Box<dyn Journal>, JournalError> {
    let log = LogOptions { lane: options.lane, new_store, key: options.key.clone() };
    Ok(match options.engine {
        Engine::Segments => Box::new(SegmentJournal::open(directory, log, options.segment_bytes)?),
        Engine::Sled => Box::new(SledJournal::open(directory, log)?),
    })
}

/// Opens a journal that only waits to be forwarded; it takes nothing new. Its folder's name says of which lane it is.
pub fn open_older(directory: &Path, key: Option<JournalKey>) -> Result<Box<dyn Journal>, JournalError> {
    let log = LogOptions { lane: lane_of(directory), new_store: StoreId([0; 16]), key };
    if directory.join("db").exists() {
        return Ok(Box::new(SledJournal::open(directory, log)?.into_read_only()));
    }
    Ok(Box::new(SegmentJournal::open(directory, log, SEGMENT_BYTES)?.into_read_only()))
}

/// The journal of the engine that is not used, when there is one. A corrupt one is set aside.
fn other_engines(data: &Path, options: &JournalOptions, events: &mut Vec<Event>) -> Option<PathBuf> {
    if options.lane != Lane::Telemetry {
        return None;
    }
    let other = data.join(options.engine.other().folder());
    if !other.exists() {
        return None;
    }
    // Closed again before it is looked at once more.
    let Err(JournalError::Corrupt(cause)) = open_older(&other, options.key.clone()).map(drop) else {
        return Some(other);
    };
    if let Err(error) = set_aside_damaged(data, &other, cause.as_ref(), None, events) {
        warn!(%error, directory = %other.display(), "older journal could not be set aside");
    }
    None
}

/// Older journals that hold what the hub may lack. One that cannot be looked into is named too, so that it is not
/// forgotten. What the hub has of a forked one it cannot say by number, so that one waits until it is removed.
fn waiting(
    data: &Path,
    other: Option<PathBuf>,
    options: &JournalOptions,
    events: &mut Vec<Event>,
) -> Vec<OlderDirectory> {
    let sound = salvaged_in(data, options.lane).into_iter().chain(other);
    let sound = sound.map(|path| OlderDirectory { path, is_forked: false });
    let forked = forked_in(data, options.lane).into_iter();
    let forked = forked.map(|path| OlderDirectory { path, is_forked: true });
    let mut older: Vec<_> = sound.chain(forked).collect();
    older.retain(|older| match open_older(&older.path, options.key.clone()) {
        Ok(journal) => {
            let acknowledged = journal.acknowledged().map_or(0, |last| last.0);
            journal.tail().is_some() && (older.is_forked || journal.head().number() > acknowledged)
        }
        // It is being forwarded.
        Err(JournalError::Locked { .. }) => true,
        Err(error) => {
            let cause = service::logging::chain(&error);
            let directory = older.path.display();
            warn!(%directory, cause, "older journal cannot be opened, it was left alone");
            events.push(event(
                "STO-JOURNAL-OLDER-UNREADABLE",
                Severity::Error,
                "An older journal that may wait to be forwarded cannot be opened.",
                &[("directory", directory.to_string()), ("cause", cause)],
            ));
            true
        }
    });
    older
}

#[cfg(test)]
mod tests;
