//! Journals that were set aside: their folders' names, and how a journal becomes one of them.
//!
//! ```text
//! *.damaged-N/committed    newest batch anybody was told about, when that was known: u64 BE, hash
//! ```

use std::error::Error;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use delivery::{Event, Lane, Position, Severity};
use tracing::{error, warn};

use super::ALARM_FOLDER;
use crate::events::event;
use crate::journal::JournalError;
use crate::journal::sled_engine::sync_directory;

pub(super) const COMMITTED_FILE: &str = "committed";
const DAMAGED: &str = "damaged-";
const FORKED: &str = "forked-";
const SALVAGED: &str = "salvaged-";

/// Of which lane a journal's folder is, wherever it was moved.
pub(super) fn lane_of(directory: &Path) -> Lane {
    match directory.file_stem() {
        Some(stem) if stem == ALARM_FOLDER => Lane::Alarm,
        _ => Lane::Telemetry,
    }
}

/// The number of a folder `….damaged-N`, `….forked-N` or `….salvaged-N`.
fn number_of(path: &Path, what: &str) -> Option<u64> {
    path.extension()?.to_str()?.strip_prefix(what)?.parse().ok()
}

/// Folders of a kind and a lane, by their number.
fn folders(data: &Path, lane: Lane, what: &str) -> Vec<(u64, PathBuf)> {
    let Ok(entries) = std::fs::read_dir(data) else { return Vec::new() };
    let paths = entries.flatten().map(|entry| entry.path());
    let paths = paths.filter(|path| path.is_dir() && lane_of(path) == lane);
    let mut found: Vec<_> = paths.filter_map(|path| Some((number_of(&path, what)?, path))).collect();
    found.sort();
    found
}

fn paths(data: &Path, lane: Lane, what: &str) -> Vec<PathBuf> {
    folders(data, lane, what).into_iter().map(|(_, path)| path).collect()
}

/// The damaged journals of a lane, oldest first.
pub(super) fn damaged_in(data: &Path, lane: Lane) -> Vec<PathBuf> {
    paths(data, lane, DAMAGED)
}

/// The forked journals of a lane, oldest first.
pub(super) fn forked_in(data: &Path, lane: Lane) -> Vec<PathBuf> {
    paths(data, lane, FORKED)
}

/// The salvaged journals of a lane, oldest first.
pub(super) fn salvaged_in(data: &Path, lane: Lane) -> Vec<PathBuf> {
    paths(data, lane, SALVAGED)
}

/// Where what is sound in a damaged journal goes: its number says of which one it is, whatever engine kept that.
pub(super) fn salvaged_of(damaged: &Path, lane: Lane) -> PathBuf {
    let stem = match lane {
        Lane::Alarm => ALARM_FOLDER,
        Lane::Telemetry => "journal",
    };
    let number = number_of(damaged, DAMAGED).unwrap_or_default();
    damaged.with_file_name(format!("{stem}.{SALVAGED}{number}"))
}

/// Renames a journal to a name that was never used: one number for all kinds of folder.
fn rename_aside(data: &Path, directory: &Path, what: &str) -> Result<PathBuf, JournalError> {
    let lane = lane_of(directory);
    let used = [DAMAGED, FORKED, SALVAGED].into_iter().flat_map(|kind| folders(data, lane, kind));
    let number = used.map(|(number, _)| number).max().unwrap_or(0).saturating_add(1);
    let aside = directory.with_extension(format!("{what}{number}"));
    std::fs::rename(directory, &aside).map_err(JournalError::io("set the journal aside"))?;
    sync_directory(data)?;
    Ok(aside)
}

/// Renames a damaged journal. `committed` is what of it anybody was told about, when that is known.
pub(super) fn set_aside_damaged(
    data: &Path,
    directory: &Path,
    cause: &(dyn Error + 'static),
    committed: Option<Position>,
    events: &mut Vec<Event>,
) -> Result<(), JournalError> {
    if let Some(committed) = committed {
        let bytes = [&committed.number().to_be_bytes()[..], &committed.hash.0].concat();
        if let Err(error) = write_durably(&directory.join(COMMITTED_FILE), &bytes) {
            warn!(%error, "how far the damaged journal was committed could not be noted");
        }
    }
    let aside = rename_aside(data, directory, DAMAGED)?;
    error!(%cause, kept_in = %aside.display(), "journal cannot be read, it was set aside and a new one begins");
    events.push(event(
        "STO-JOURNAL-SET-ASIDE",
        Severity::Error,
        "The journal could not be read; it was set aside whole, and a new one begins.",
        &[("kept_in", aside.display().to_string()), ("cause", cause.to_string())],
    ));
    Ok(())
}

/// Renames a sound journal by whose name the hub knows another one.
pub(super) fn set_aside_forked(
    data: &Path,
    directory: &Path,
    events: &mut Vec<Event>,
) -> Result<(), JournalError> {
    let aside = rename_aside(data, directory, FORKED)?;
    warn!(kept_in = %aside.display(), "the hub knows another journal by this one's name, a new one begins");
    events.push(event(
        "STO-JOURNAL-FORKED",
        Severity::Warning,
        "The hub knows another journal by this one's name; it was set aside whole to be forwarded, and a new one begins.",
        &[("kept_in", aside.display().to_string())],
    ));
    Ok(())
}

/// Writes a small file; it is on the disk when this returns.
pub(super) fn write_durably(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}
