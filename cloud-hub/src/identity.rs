//! Which hub this is: a number of its own in its data directory, by which it is known again after a restart.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use uuid::Uuid;

/// What a process that was killed may take to be over.
const LOCK_WAIT: Duration = Duration::from_secs(10);
const LOCK_LOOK: Duration = Duration::from_millis(50);

/// Why a data directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// Another process has it.
    #[error(
        "STO-HUB-RUNNING: another cloud-hub runs in {0}; nothing was changed. Stop it first, or give this one a data directory of its own"
    )]
    Running(PathBuf),
    /// It is there and cannot be read.
    #[error("{0} does not hold the hub's number; move it away, and the hub makes a new one")]
    Damaged(PathBuf),
    /// The file system.
    #[error("cannot keep the hub's number in {path}")]
    File {
        /// Where.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

/// The hub of a data directory, in the one process it has.
pub struct HubIdentity {
    /// Its number.
    pub hub: Uuid,
    // Locked as long as the process lives.
    _file: File,
}

impl HubIdentity {
    /// Opens the number of a data directory, or makes one. Waits for a process that is about to end.
    pub fn open(data_directory: &Path) -> Result<Self, IdentityError> {
        let path = data_directory.join("hub-id");
        let failed = |source| IdentityError::File { path: path.clone(), source };
        let opened = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
        let mut file = opened.map_err(failed)?;
        let give_up_at = Instant::now() + LOCK_WAIT;
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::Error(source)) => return Err(failed(source)),
                Err(TryLockError::WouldBlock) if Instant::now() >= give_up_at => {
                    return Err(IdentityError::Running(data_directory.to_owned()));
                }
                Err(TryLockError::WouldBlock) => std::thread::sleep(LOCK_LOOK),
            }
        }
        let mut text = String::new();
        file.read_to_string(&mut text).map_err(failed)?;
        let hub = if text.is_empty() {
            let hub = Uuid::new_v4();
            writeln!(file, "{hub}").and_then(|()| file.sync_all()).map_err(failed)?;
            hub
        } else {
            text.trim().parse().map_err(|_| IdentityError::Damaged(path.clone()))?
        };
        Ok(Self { hub, _file: file })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hub_keeps_its_number_over_restarts_and_another_directory_has_another() {
        let (home, other) = (tempfile::tempdir().expect("made"), tempfile::tempdir().expect("made"));
        let open = |home: &tempfile::TempDir| HubIdentity::open(home.path()).expect("opens").hub;
        let first = open(&home);
        assert_eq!(open(&home), first);
        assert_ne!(open(&other), first);
        std::fs::write(home.path().join("hub-id"), "7").expect("written");
        assert!(matches!(HubIdentity::open(home.path()), Err(IdentityError::Damaged(_))));
    }
}
