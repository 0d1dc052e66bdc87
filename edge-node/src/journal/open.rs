//! Opening the journal of a data directory: whatever the disk holds, the node records afterwards.
//!
//! ```text
//! journal/              sled
//! journal-segments/     segment files
//! journal.damaged-N/    set aside whole, never written to again
//! journal.salvaged-N/   what was sound in it, as a journal of segments under its old id, to be forwarded
//! ```

use std::path::{Path, PathBuf};

use delivery::{Event, Severity, StoreId};
use serde::Deserialize;
use tracing::{error, warn};

use super::carve::Carved;
use super::envelope::JournalKey;
use super::events::event;
use super::gaps::Gaps;
use super::segments::{self, SEGMENT_BYTES, SegmentStore};
use super::sled_engine;
use super::store::{Store, fact};
use super::{GapReason, Journal, JournalError, SegmentJournal, SledJournal};

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

/// How a journal is opened after it failed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Opening {
    /// As it is.
    Again,
    /// Set aside, and a new one begun.
    Anew,
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
        Opening::Again => open_engine(&directory, options, new_store()),
        Opening::Anew => Err(JournalError::Corrupt("it failed again after it was opened again".into())),
    };
    let journal = match opened {
        Err(JournalError::Corrupt(cause)) => {
            set_aside(data, &directory, cause.as_ref(), new_store(), &mut events)?;
            open_engine(&directory, options, new_store())?
        }
        other => other?,
    };
    let salvaged = waiting(data, options, new_store, &mut events);
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

/// Older journals that hold what the hub may lack. One that cannot be looked into is named too, so that it is not
/// forgotten.
fn waiting(
    data: &Path,
    options: &JournalOptions,
    new_store: &mut dyn FnMut() -> StoreId,
    events: &mut Vec<Event>,
) -> Vec<PathBuf> {
    let other = data.join(options.engine.other().folder());
    let mut older = salvaged_in(data);
    if other.exists() {
        match open_older(&other, options.key.clone()) {
            Err(JournalError::Corrupt(cause)) => {
                if let Err(error) = set_aside(data, &other, cause.as_ref(), new_store(), events) {
                    warn!(%error, directory = %other.display(), "older journal could not be set aside");
                }
                older = salvaged_in(data);
            }
            // Closed again before it is looked at below.
            opened => {
                drop(opened);
                older.push(other);
            }
        }
    }
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

fn salvaged_in(data: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(data) else { return Vec::new() };
    let is_salvaged = |path: &PathBuf| {
        path.is_dir()
            && path.extension().is_some_and(|end| {
                end.to_str()
                    .and_then(|end| end.strip_prefix("salvaged-"))
                    .is_some_and(|number| number.parse::<u32>().is_ok())
            })
    };
    let mut found: Vec<_> = entries.flatten().map(|entry| entry.path()).filter(is_salvaged).collect();
    found.sort();
    found
}

/// A name that is free: `journal.damaged-1`, `journal.damaged-2`, …
fn free_name(directory: &Path, what: &str) -> PathBuf {
    (1..)
        .map(|number: u64| directory.with_extension(format!("{what}-{number}")))
        .find(|path| !path.exists())
        .expect("numbers do not run out")
}

/// Renames a damaged journal and salvages what is sound in it. Only the renaming can fail: whatever becomes of the
/// salvage, recording goes on.
fn set_aside(
    data: &Path,
    directory: &Path,
    cause: &(dyn std::error::Error + 'static),
    new_store: StoreId,
    events: &mut Vec<Event>,
) -> Result<(), JournalError> {
    let aside = free_name(directory, "damaged");
    std::fs::rename(directory, &aside).map_err(JournalError::io("set the damaged journal aside"))?;
    sled_engine::sync_directory(data)?;
    error!(%cause, kept_in = %aside.display(), "journal cannot be read, it was set aside and a new one begins");
    events.push(event(
        "STO-JOURNAL-SET-ASIDE",
        Severity::Error,
        "The journal could not be read; it was set aside whole, and a new one begins.",
        &[("kept_in", aside.display().to_string()), ("cause", cause.to_string())],
    ));
    let salvaged = free_name(&data.join("journal"), "salvaged");
    let known = sled_engine::id_in(&aside).or_else(|| segments::id_in(&aside));
    match salvage(&aside, &salvaged, known.unwrap_or(new_store)) {
        Ok(0) => {}
        Ok(batches) => events.push(event(
            "STO-JOURNAL-SALVAGED",
            Severity::Warning,
            "Sound batches were found in the damaged journal; they wait to be forwarded.",
            &[("batches", batches.to_string()), ("id_known", known.is_some().to_string())],
        )),
        Err(error) => {
            // A part would look like the whole at the next start.
            drop(std::fs::remove_dir_all(&salvaged));
            let cause = service::logging::chain(&error);
            error!(cause, "nothing could be salvaged from the damaged journal");
            events.push(event(
                "STO-JOURNAL-NOT-SALVAGED",
                Severity::Error,
                "The damaged journal was kept, but nothing could be salvaged from it.",
                &[("cause", cause)],
            ));
        }
    }
    Ok(())
}

/// Copies what is sound into a journal of segments, as it was stored; says how many batches.
fn salvage(damaged: &Path, salvaged: &Path, id: StoreId) -> Result<u64, JournalError> {
    let acknowledged = segments::acknowledged_in(damaged).unwrap_or(0);
    let carved = Carved::from_directory(damaged, acknowledged);
    if carved.numbers().next().is_none() {
        return Ok(0);
    }
    // Written beside and renamed: a crash half-way leaves nothing that looks whole.
    let unfinished = salvaged.with_extension("salvaging");
    if unfinished.exists() {
        std::fs::remove_dir_all(&unfinished).map_err(JournalError::io("begin the salvage anew"))?;
    }
    let batches = copy(&carved, &unfinished, id)?;
    std::fs::rename(&unfinished, salvaged).map_err(JournalError::io("finish the salvage"))?;
    sled_engine::sync_directory(salvaged.parent().unwrap_or(salvaged))?;
    Ok(batches)
}

fn copy(carved: &Carved, directory: &Path, id: StoreId) -> Result<u64, JournalError> {
    let mut store = SegmentStore::open(directory, SEGMENT_BYTES)?;
    store.set_fact(fact::STORE_ID, &id.0)?;
    let (mut batches, mut gaps, mut newest) = (0, Gaps::default(), None);
    for value in carved.values() {
        let (number, value) = value.map_err(JournalError::io("read a salvaged batch"))?;
        if let Some(newest) = newest.filter(|newest| newest + 1 < number) {
            gaps.insert(newest + 1, number - 1, GapReason::Damaged);
        }
        store.put(number, &value, None)?;
        newest = Some(number);
        batches += 1;
    }
    store.set_fact(fact::GAPS, &gaps.encode())?;
    store.flush()?;
    Ok(batches)
}

#[cfg(test)]
mod tests;
