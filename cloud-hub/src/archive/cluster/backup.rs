//! Backups of a private cluster: PostgreSQL's own base backup with its manifest and the log it needs, as a folder or as
//! one file.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::thread::JoinHandle;

use super::place::{Account, account_for, find_binaries, prepare_directory, private_directory};
use super::process::{command, last_lines, tool};
use super::{ClusterConfig, ClusterError, Durability, PORT, PrivateCluster, SUPERUSER, directory_error};

/// A backup with such a name is one file: the folder as tar, compressed, with a check sum of its own.
const FILE_ENDING: &str = ".tar.zst";
/// Sealed batches and segments are compressed already; the rest shrinks at any level.
const COMPRESSION_LEVEL: i32 = 1;
const SAID_BYTES_MAX: u64 = 64 << 10;

/// A backup that was not made, or not restored.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The cluster, or a program of PostgreSQL.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// It does not fit its manifest, or cannot be unpacked.
    #[error("{path} is not an intact backup:\n{said}")]
    Damaged {
        /// The backup.
        path: PathBuf,
        /// What was found.
        said: String,
    },
    /// A file could not be read or written.
    #[error("failed to read or write {path}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A program refused.
    #[error("{program} refused:\n{output}")]
    Refused {
        /// Its name.
        program: &'static str,
        /// Its last lines.
        output: String,
    },
    /// Something is where it should go.
    #[error("{0} is there already")]
    Taken(PathBuf),
}

impl PrivateCluster {
    /// Makes a backup and verifies it; returns its bytes. A target that ends in `.tar.zst` becomes one file, any other a
    /// folder. Nothing that is there already is replaced.
    pub async fn back_up(&self, target: &Path) -> Result<u64, BackupError> {
        if is_taken(target)? {
            return Err(BackupError::Taken(target.to_owned()));
        }
        let is_file = target.to_string_lossy().ends_with(FILE_ENDING);
        let folder = if is_file { beside(target, ".folder") } else { target.to_owned() };
        if is_file {
            remove_left_behind(&folder)?;
        }
        let made = self.copy_to(&folder).await;
        if made.is_err() || is_file {
            let packed = match made {
                Ok(()) => pack(folder.clone(), target.to_owned()).await,
                Err(failed) => Err(failed),
            };
            remove_left_behind(&folder)?;
            packed?;
        }
        bytes_of(target).map_err(file_error(target))
    }

    async fn copy_to(&self, folder: &Path) -> Result<(), BackupError> {
        let folder = prepare_directory(folder, self.run_as.as_ref())?;
        let program = tool(&self.binaries, "pg_basebackup");
        let mut copying = command(&program, &self.directory, self.run_as.as_ref());
        copying.arg("-D").arg(&folder).arg("-h").arg(&self.socket_directory).args(["-p", &PORT.to_string()]);
        copying.args(["-U", SUPERUSER, "--no-password", "--checkpoint=fast", "--wal-method=stream"]);
        if self.durability == Durability::TestOnly {
            copying.arg("--no-sync");
        }
        let done = copying.output().await.map_err(|source| ClusterError::Spawn { program, source })?;
        if !done.status.success() {
            let output = last_lines(&[done.stdout, done.stderr].concat());
            return Err(BackupError::Refused { program: "pg_basebackup", output });
        }
        verify(&folder, &self.binaries, self.run_as.as_ref()).await
    }
}

/// Restores a backup into a directory that has no cluster yet, and starts it once: what comes back runs.
pub async fn restore(backup: &Path, config: ClusterConfig) -> Result<PrivateCluster, BackupError> {
    let data = config.directory.join("cluster");
    if data.symlink_metadata().is_ok() {
        return Err(BackupError::Taken(data));
    }
    File::open(backup).map_err(file_error(backup))?;
    let run_as = account_for(&config.directory)?;
    let directory = prepare_directory(&config.directory, run_as.as_ref())?;
    // Beside its final place, so that a cluster that exists is always a complete one.
    let unfinished = directory.join("cluster.restored");
    remove_left_behind(&unfinished)?;
    private_directory(&unfinished, run_as.as_ref())?;
    let unpacked = unpack_verified(backup, &unfinished, run_as, &config).await;
    if let Err(failed) = unpacked {
        remove_left_behind(&unfinished)?;
        return Err(failed);
    }
    fs::rename(&unfinished, &data).map_err(directory_error(&data))?;
    File::open(&directory).and_then(|folder| folder.sync_all()).map_err(file_error(&directory))?;
    match PrivateCluster::start(config).await {
        Ok(cluster) => Ok(cluster),
        Err(failed) => {
            remove_left_behind(&data)?;
            Err(failed.into())
        }
    }
}

async fn unpack_verified(
    backup: &Path,
    folder: &Path,
    run_as: Option<Account>,
    config: &ClusterConfig,
) -> Result<(), BackupError> {
    unpack(backup.to_owned(), folder.to_owned(), run_as.clone()).await?;
    let damaged = |said: String| BackupError::Damaged { path: backup.to_owned(), said };
    let version = fs::read_to_string(folder.join("PG_VERSION"));
    let version = version.map_err(|_| damaged("it holds no PostgreSQL cluster".to_owned()))?;
    let binaries = find_binaries(config.binaries.as_deref(), Some(version.trim()), run_as.as_ref()).await?;
    verify(folder, &binaries, run_as.as_ref()).await.map_err(|failed| match failed {
        BackupError::Damaged { said, .. } => damaged(said),
        failed => failed,
    })
}

/// Compares a folder with its manifest, and reads the log it needs.
async fn verify(folder: &Path, binaries: &Path, run_as: Option<&Account>) -> Result<(), BackupError> {
    let program = tool(binaries, "pg_verifybackup");
    let done = command(&program, folder, run_as).arg("--quiet").arg(folder).output().await;
    let done = done.map_err(|source| ClusterError::Spawn { program, source })?;
    if done.status.success() {
        return Ok(());
    }
    let said = last_lines(&[done.stdout, done.stderr].concat());
    Err(BackupError::Damaged { path: folder.to_owned(), said })
}

async fn pack(folder: PathBuf, target: PathBuf) -> Result<(), BackupError> {
    let packing = move || {
        let unfinished = beside(&target, ".part");
        let packed = pack_into(&folder, &unfinished).and_then(|()| {
            fs::rename(&unfinished, &target).map_err(file_error(&target))?;
            let parent = target.parent().filter(|parent| !parent.as_os_str().is_empty());
            let parent = parent.unwrap_or(Path::new("."));
            File::open(parent).and_then(|parent| parent.sync_all()).map_err(file_error(parent))
        });
        if packed.is_err() {
            // It is no backup, and says so by its name.
            let _ = fs::remove_file(&unfinished);
        }
        packed
    };
    blocking(packing).await
}

fn pack_into(folder: &Path, file: &Path) -> Result<(), BackupError> {
    let _ = fs::remove_file(file);
    // The whole archive is in it: nobody else may read it.
    let created = OpenOptions::new().write(true).create_new(true).mode(0o600).open(file);
    let mut created = created.map_err(file_error(file))?;
    let mut tar = Tar::reading(folder)?;
    let mut packed = tar.child.stdout.take().expect("asked for when it was started");
    let copied = zstd::Encoder::new(&mut created, COMPRESSION_LEVEL).and_then(|mut encoder| {
        encoder.include_checksum(true)?;
        io::copy(&mut packed, &mut encoder)?;
        encoder.finish().map(drop)
    });
    drop(packed);
    let read = tar.ended();
    copied.and_then(|()| created.sync_all()).map_err(file_error(file))?;
    read
}

/// Unpacks a file, or copies a folder, as the user that PostgreSQL runs as.
async fn unpack(backup: PathBuf, folder: PathBuf, run_as: Option<Account>) -> Result<(), BackupError> {
    let unpacking = move || {
        let mut into = Tar::writing(&folder, run_as.as_ref())?;
        let mut from_folder = None;
        let mut from: Box<dyn Read> = if backup.is_dir() {
            let tar = from_folder.insert(Tar::reading(&backup)?);
            Box::new(tar.child.stdout.take().expect("asked for when it was started"))
        } else {
            let opened = File::open(&backup).and_then(zstd::Decoder::new);
            Box::new(opened.map_err(file_error(&backup))?)
        };
        let mut stdin = into.child.stdin.take().expect("asked for when it was started");
        let copied = match io::copy(&mut from, &mut stdin) {
            // `tar` gave up: on rubbish if the check sum at the end of the backup does not fit, else on its disk.
            Err(failed) if failed.kind() == io::ErrorKind::BrokenPipe => io::copy(&mut from, &mut io::sink()),
            copied => copied,
        };
        drop((from, stdin));
        let written = into.ended();
        let read = from_folder.map_or(Ok(()), Tar::ended);
        match copied {
            Err(failed) => Err(BackupError::Damaged { path: backup.clone(), said: failed.to_string() }),
            Ok(_) => written.and(read),
        }
    };
    blocking(unpacking).await
}

/// A running `tar`. What it says is read while it runs: for a full disk it may be more than a pipe holds.
struct Tar {
    child: Child,
    said: JoinHandle<Vec<u8>>,
}

impl Tar {
    fn reading(folder: &Path) -> Result<Self, BackupError> {
        let mut tar = std::process::Command::new("tar");
        tar.arg("-C").arg(folder).args(["-c", "-f", "-", "."]).stdin(Stdio::null()).stdout(Stdio::piped());
        Self::start(&mut tar)
    }

    fn writing(folder: &Path, run_as: Option<&Account>) -> Result<Self, BackupError> {
        let mut tar = command(Path::new("tar"), folder, run_as);
        tar.args(["-x", "-f", "-"]).stdin(Stdio::piped()).stdout(Stdio::null());
        Self::start(tar.as_std_mut())
    }

    fn start(tar: &mut std::process::Command) -> Result<Self, BackupError> {
        let mut child = tar.stderr(Stdio::piped()).spawn().map_err(file_error(Path::new("tar")))?;
        let mut stderr = child.stderr.take().expect("asked for when it was started");
        let said = std::thread::spawn(move || {
            let mut said = Vec::new();
            // What cannot be read is missing from an error text, nothing more.
            let _ = stderr.by_ref().take(SAID_BYTES_MAX).read_to_end(&mut said);
            let _ = io::copy(&mut stderr, &mut io::sink());
            said
        });
        Ok(Self { child, said })
    }

    fn ended(mut self) -> Result<(), BackupError> {
        let status = self.child.wait().map_err(file_error(Path::new("tar")))?;
        if status.success() {
            return Ok(());
        }
        let said = self.said.join().unwrap_or_default();
        Err(BackupError::Refused { program: "tar", output: last_lines(&said) })
    }
}

async fn blocking(
    work: impl FnOnce() -> Result<(), BackupError> + Send + 'static,
) -> Result<(), BackupError> {
    let joined = tokio::task::spawn_blocking(work).await;
    joined.unwrap_or_else(|failed| Err(file_error(Path::new("tar"))(io::Error::other(failed))))
}

/// Whether something is there; an empty folder is nothing.
fn is_taken(target: &Path) -> Result<bool, BackupError> {
    match fs::symlink_metadata(target) {
        Err(absent) if absent.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(failed) => Err(file_error(target)(failed)),
        Ok(found) if found.is_dir() => Ok(fs::read_dir(target).map_err(file_error(target))?.next().is_some()),
        Ok(_) => Ok(true),
    }
}

fn remove_left_behind(folder: &Path) -> Result<(), BackupError> {
    match fs::remove_dir_all(folder) {
        Err(failed) if failed.kind() != io::ErrorKind::NotFound => Err(file_error(folder)(failed)),
        _ => Ok(()),
    }
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

fn bytes_of(path: &Path) -> io::Result<u64> {
    let found = fs::symlink_metadata(path)?;
    if !found.is_dir() {
        return Ok(found.len());
    }
    fs::read_dir(path)?.map(|entry| bytes_of(&entry?.path())).sum()
}

fn file_error(path: &Path) -> impl FnOnce(io::Error) -> BackupError {
    let path = path.to_path_buf();
    move |source| BackupError::File { path, source }
}
