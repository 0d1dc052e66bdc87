//! sled's files, synced where sled does not do so itself.
//!
//! Three kinds were found missing after simulated power cuts: the log's newest part (`db`), the settings (`conf`,
//! without which nothing opens), and pages of more than 128 KiB, each in a file of its own in `blobs`. A page is
//! not a value: it holds up to 16 of them, so that values of 8 KiB are enough for a page in a file.

use std::collections::HashSet;
use std::ffi::OsString;
use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

/// A directory may change twice within one tick of the file system's clock: only an older time says that it did not.
const CLOCK_TICK_MAX: Duration = Duration::from_secs(1);

/// Ends the name of a snapshot that sled has not finished. Its own rule for passing over those looks for another one,
/// takes the unfinished one for the newest, and finds the whole database corrupt.
const UNFINISHED: &str = ".generating";
/// How long another user of the database is waited for: one that was closed lets go of its lock a little later.
const LOCK_PATIENCE: Duration = Duration::from_secs(1);
const LOCK_LOOK_EVERY: Duration = Duration::from_millis(5);

/// Gets a directory ready for sled: waits for a lock, and removes what a kill left half written.
///
/// Nothing is removed under a lock that does not go away: sled will say so.
pub(super) fn prepare(directory: &Path) -> io::Result<()> {
    let log = match File::open(directory.join("db")) {
        Ok(log) => log,
        Err(failed) if failed.kind() == ErrorKind::NotFound => return Ok(()),
        Err(failed) => return Err(failed),
    };
    let deadline = Instant::now() + LOCK_PATIENCE;
    while let Err(failed) = log.try_lock() {
        match failed {
            TryLockError::WouldBlock if Instant::now() < deadline => std::thread::sleep(LOCK_LOOK_EVERY),
            TryLockError::WouldBlock => return Ok(()),
            TryLockError::Error(failed) => return Err(failed),
        }
    }
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.to_string_lossy().ends_with(UNFINISHED) {
            fs::remove_file(path)?;
        }
    }
    Ok(())
}

/// The files of a database that sled has opened.
pub(super) struct SledFiles {
    log: File,
    pages: PathBuf,
    synced_pages: HashSet<OsString>,
    /// When the directory of pages was last changed, if it has not been changed since it was listed.
    unchanged_since: Option<SystemTime>,
}

impl SledFiles {
    /// Makes durable what sled made or found when it opened.
    pub(super) fn open(directory: &Path) -> io::Result<Self> {
        let pages = directory.join("blobs");
        let mut files = Self {
            log: File::open(directory.join("db"))?,
            pages,
            synced_pages: HashSet::new(),
            unchanged_since: None,
        };
        File::open(directory.join("conf"))?.sync_all()?;
        files.sync()?;
        File::open(directory)?.sync_all()?;
        // The journal's own directory may be new as well.
        directory.parent().map_or(Ok(()), |parent| File::open(parent)?.sync_all())?;
        Ok(files)
    }

    /// Makes durable what sled has flushed: pages first, then the log that refers to them.
    pub(super) fn sync(&mut self) -> io::Result<()> {
        self.sync_pages()?;
        self.log.sync_data()
    }

    /// Length of the log.
    pub(super) fn log_bytes(&self) -> io::Result<u64> {
        Ok(self.log.metadata()?.len())
    }

    fn sync_pages(&mut self) -> io::Result<()> {
        let changed = fs::metadata(&self.pages)?.modified()?;
        if self.unchanged_since == Some(changed) {
            return Ok(());
        }
        let is_settled = changed.elapsed().is_ok_and(|age| age > CLOCK_TICK_MAX);
        let mut found = HashSet::with_capacity(self.synced_pages.len());
        for entry in fs::read_dir(&self.pages)? {
            let name = entry?.file_name();
            if !self.synced_pages.contains(&name) {
                match File::open(self.pages.join(&name)) {
                    Ok(page) => page.sync_all()?,
                    // Replaced in the meantime.
                    Err(failed) if failed.kind() == ErrorKind::NotFound => continue,
                    Err(failed) => return Err(failed),
                }
            }
            found.insert(name);
        }
        if found != self.synced_pages {
            File::open(&self.pages)?.sync_all()?;
        }
        self.synced_pages = found;
        self.unchanged_since = is_settled.then_some(changed);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unfinished_snapshot_goes_unless_somebody_is_still_writing_it() {
        let folder = tempfile::tempdir().expect("a directory");
        let path = |name: &str| folder.path().join(name);
        prepare(folder.path()).expect("nothing to prepare");
        for name in ["db", "snap.01", "snap.02.generating"] {
            fs::write(path(name), b"").expect("written");
        }
        let user = File::open(path("db")).expect("opens");
        user.lock().expect("locked");
        prepare(folder.path()).expect("left to sled");
        assert!(path("snap.02.generating").exists());
        drop(user);
        prepare(folder.path()).expect("prepared");
        let is_there = ["db", "snap.01", "snap.02.generating"].map(|name| path(name).exists());
        assert_eq!(is_there, [true, true, false]);
    }

    #[test]
    fn pages_in_files_of_their_own_are_synced_once_and_forgotten_when_they_go() {
        let folder = tempfile::tempdir().expect("a directory");
        let pages = folder.path().join("blobs");
        fs::create_dir(&pages).expect("made");
        for name in ["db", "conf", "blobs/1", "blobs/2"] {
            fs::write(folder.path().join(name), b"x").expect("written");
        }
        let mut files = SledFiles::open(folder.path()).expect("opens");
        assert_eq!(files.synced_pages.len(), 2);
        fs::remove_file(pages.join("1")).expect("removed");
        fs::write(pages.join("3"), b"x").expect("written");
        files.sync().expect("synced");
        assert_eq!(files.synced_pages, ["2", "3"].map(OsString::from).into());
    }
}
