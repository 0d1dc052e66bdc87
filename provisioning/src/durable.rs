//! Files and directories that are either as before or whole, whenever the power goes.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, chown};
use std::path::{Path, PathBuf};

use aws_lc_rs::rand;
use data_encoding::HEXLOWER;
use rustix::fs::{CWD, RenameFlags, renameat_with};

/// Writes beside the target, syncs, renames, syncs the directory. Readable by the owner only.
pub(crate) fn write_file(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let staged = beside(path, "part")?;
    let written = write_synced(&staged, bytes).and_then(|()| fs::rename(&staged, path));
    if written.is_err() {
        // What is left of the attempt; the error itself says more than failing to clear it up.
        let _ = fs::remove_file(&staged);
    }
    written?;
    sync_directory(parent(path))
}

fn write_synced(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    inherit_owner(path);
    file.sync_all()
}

/// Makes a directory only its owner can enter, and the ones above it if need be.
pub(crate) fn create_private_directory(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    inherit_owner(path);
    sync_directory(parent(path))
}

/// Puts a finished directory where the target is, in one step; the old one, if any, is removed afterwards.
pub(crate) fn replace_directory(finished: &Path, target: &Path) -> io::Result<()> {
    sync_directory(finished)?;
    if !target.exists() {
        fs::rename(finished, target)?;
        return sync_directory(parent(target));
    }
    renameat_with(CWD, finished, CWD, target, RenameFlags::EXCHANGE)?;
    sync_directory(parent(target))?;
    fs::remove_dir_all(finished)
}

/// Puts a finished directory where nothing, or an empty directory, is; `AlreadyExists` when something is there.
pub(crate) fn install_directory(finished: &Path, target: &Path) -> io::Result<()> {
    sync_directory(finished)?;
    match fs::rename(finished, target) {
        Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => {
            Err(io::Error::new(io::ErrorKind::AlreadyExists, error))
        }
        renamed => renamed,
    }?;
    sync_directory(parent(target))
}

/// A name next to `path` that nobody else uses.
pub(crate) fn beside(path: &Path, purpose: &str) -> io::Result<PathBuf> {
    let mut random = [0; 8];
    rand::fill(&mut random).map_err(|_| io::Error::other("no randomness"))?;
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(format!(".{purpose}-{}", HEXLOWER.encode(&random)));
    Ok(path.with_file_name(name))
}

/// The file's bytes, or `None` when there is no such file.
pub(crate) fn read_if_there(path: &Path) -> io::Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn sync_directory(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

fn parent(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// A technician enrols as root for a daemon that is not: what lies in its directory must be its own.
fn inherit_owner(path: &Path) {
    let (Ok(above), Ok(own)) = (fs::metadata(parent(path)), fs::metadata(path)) else { return };
    if own.uid() == 0 && (above.uid(), above.gid()) != (own.uid(), own.gid()) {
        // Fails only without the right to, and then the owner is already whoever runs this.
        let _ = chown(path, Some(above.uid()), Some(above.gid()));
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn files_and_directories_are_for_their_owner_only() {
        let home = tempfile::tempdir().unwrap();
        let directory = home.path().join("a/b");
        create_private_directory(&directory).unwrap();
        write_file(&directory.join("key"), b"1").unwrap();
        write_file(&directory.join("key"), b"2").unwrap();
        assert_eq!((mode(&directory), mode(&directory.join("key"))), (0o700, 0o600));
        assert_eq!(fs::read(directory.join("key")).unwrap(), b"2");
        assert_eq!(fs::read_dir(&directory).unwrap().count(), 1, "nothing is left beside it");
    }

    #[test]
    fn a_directory_is_replaced_as_a_whole() {
        let home = tempfile::tempdir().unwrap();
        let (target, finished) = (home.path().join("identity"), home.path().join("identity.new"));
        for content in [b"old", b"new"] {
            create_private_directory(&finished).unwrap();
            write_file(&finished.join("key"), content).unwrap();
            replace_directory(&finished, &target).unwrap();
            assert_eq!(fs::read(target.join("key")).unwrap(), content);
            assert!(!finished.exists());
        }
    }

    #[test]
    fn a_directory_in_use_is_not_installed_over() {
        let home = tempfile::tempdir().unwrap();
        let (target, finished) = (home.path().join("authority"), home.path().join("authority.new"));
        create_private_directory(&target).unwrap();
        create_private_directory(&finished).unwrap();
        install_directory(&finished, &target).unwrap();
        write_file(&target.join("key"), b"x").unwrap();
        create_private_directory(&finished).unwrap();
        let refused = install_directory(&finished, &target).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::AlreadyExists);
    }
}
