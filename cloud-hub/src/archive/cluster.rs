//! The private PostgreSQL cluster that a hub without a configured database runs in its own directory.
//!
//! It listens on a Unix socket only, outlives a hub that was killed, and is taken over again by the next one.

use std::fs::{self, OpenOptions, Permissions};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

pub use self::backup::{BackupError, restore};
pub use self::checksums::{Pages, PagesError, check_pages, enable_checksums};
use self::place::{
    Account, account_for, directory_error, find_binaries, prepare_directory, private_directory,
    socket_directory_for,
};
use self::process::{command, last_lines, passes_by_itself, remove_stale_locks, running_postmaster};
use self::settings::{HBA, settings};

mod backup;
mod checksums;
mod place;
mod process;
mod roles;
mod settings;

/// The socket directory is private, so the usual port can never collide.
const PORT: u16 = 5432;
/// Owner of the hub's database. No superuser; it owns the ledger above row-level security, because COPY needs that.
const USER: &str = "sto";
/// Makes databases and roles, and backups. Only who may enter the socket directory can be it.
pub const SUPERUSER: &str = "postgres";
/// The archive needs multiranges.
const OLDEST_MAJOR: u32 = 14;
/// Recovery replays at most `max_wal_size`: a minute or two on a slow disk.
const START_DEADLINE: Duration = Duration::from_secs(300);
/// How often a running postmaster is looked at; a restart takes longer than this anyway.
const LOOK_EVERY: Duration = Duration::from_millis(100);
const BACKOFF_FIRST: Duration = Duration::from_millis(200);
const BACKOFF_MAX: Duration = Duration::from_secs(15);
const LOG_BYTES_MAX: u64 = 16 << 20;
/// How often the log of a running PostgreSQL is measured.
const MEASURE_LOG_EVERY: Duration = Duration::from_secs(60);

/// How much a commit may be trusted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Durability {
    /// Committed means on disk.
    Full,
    /// Nothing is synced: for tests, which throw the directory away.
    TestOnly,
}

/// Where the cluster lives and what runs it.
#[derive(Clone, Debug)]
pub struct ClusterConfig {
    /// Holds the data, the socket and PostgreSQL's log; made when absent.
    pub directory: PathBuf,
    /// Folder with `initdb` and `postgres`; looked for in the usual places when absent.
    pub binaries: Option<PathBuf>,
    /// What a commit promises.
    pub durability: Durability,
}

/// What kept the private cluster from doing what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    #[error(
        "PostgreSQL refuses to run as root, and neither a user `postgres` nor `nobody` exists: create one, \
         or start the hub as an unprivileged user"
    )]
    Account,
    #[error(
        "no usable PostgreSQL (version {OLDEST_MAJOR} or newer, `initdb` and `postgres` side by side) was found: \
         install the package `postgresql`, or name its folder in `database.binaries`; tried: {tried}"
    )]
    Binaries { tried: String },
    #[error(
        "{user} cannot enter {directory} (mode {mode:03o}), but PostgreSQL runs as {user}: \
         open that folder to it (chmod o+x), or move the database with `database.directory`"
    )]
    CannotEnter { user: String, directory: PathBuf, mode: u32 },
    #[error("failed to create database {name}")]
    CreateDatabase { name: String, source: tokio_postgres::Error },
    #[error("failed to prepare {path}")]
    Directory { path: PathBuf, source: io::Error },
    #[error("PostgreSQL ended instead of starting; see {path}, its last lines:\n{log}")]
    Ended { path: PathBuf, log: String },
    #[error("failed to initialise the database in {path}:\n{output}")]
    Initialise { path: PathBuf, output: String },
    #[error("failed to make the roles of the private PostgreSQL")]
    Roles(#[source] tokio_postgres::Error),
    #[error("PostgreSQL did not accept connections within {seconds} s; see {path}, its last lines:\n{log}")]
    NotReady { seconds: u64, path: PathBuf, log: String },
    #[error("failed to run {program}")]
    Spawn { program: PathBuf, source: io::Error },
    #[error("PostgreSQL (process {pid}) did not stop: end it by hand before the next start")]
    Stop { pid: i32 },
}

/// Who runs PostgreSQL for us at the moment.
enum Postmaster {
    /// Started by an earlier hub: not our child, so it is known by its pid file.
    Adopted,
    Child(Child),
    Stopped,
}

impl Postmaster {
    fn has_ended(&mut self, data: &Path) -> bool {
        match self {
            Self::Adopted => running_postmaster(data).is_none(),
            Self::Child(child) => !matches!(child.try_wait(), Ok(None)),
            Self::Stopped => true,
        }
    }
}

enum Readiness {
    Ended,
    Late,
    Ready,
}

/// A running PostgreSQL of our own.
///
/// Dropping it leaves PostgreSQL running, as a killed hub would: only [`stop`](Self::stop) ends it.
pub struct PrivateCluster {
    directory: PathBuf,
    socket_directory: PathBuf,
    binaries: PathBuf,
    run_as: Option<Account>,
    durability: Durability,
    settings: Vec<String>,
    postmaster: Mutex<Postmaster>,
}

impl PrivateCluster {
    /// Initialises the cluster on first use, takes over a postmaster that an earlier hub left behind or starts
    /// one, and returns when it accepts connections.
    pub async fn start(config: ClusterConfig) -> Result<Self, ClusterError> {
        let run_as = account_for(&config.directory)?;
        let directory = prepare_directory(&config.directory, run_as.as_ref())?;
        let socket_directory = socket_directory_for(&directory);
        private_directory(&socket_directory, run_as.as_ref())?;
        let wanted = fs::read_to_string(directory.join("cluster/PG_VERSION")).ok();
        let binaries =
            find_binaries(config.binaries.as_deref(), wanted.as_deref().map(str::trim), run_as.as_ref())
                .await?;
        let mut cluster = Self {
            directory,
            socket_directory,
            binaries,
            run_as,
            durability: config.durability,
            settings: Vec::new(),
            postmaster: Mutex::new(Postmaster::Stopped),
        };
        if wanted.is_none() {
            cluster.initialise(SUPERUSER).await?;
        }
        let lz4 = cluster.accepts_setting("wal_compression=lz4").await?;
        cluster.settings = settings(cluster.durability, lz4);
        if let Err(failed) = cluster.launch().await {
            if let Err(unstopped) = cluster.stop().await {
                warn!(error = %unstopped, "database was left behind");
            }
            return Err(failed);
        }
        if let Err(failed) = cluster.prepare_roles().await {
            // One that ran before is somebody else's to end.
            if !cluster.was_running()
                && let Err(unstopped) = cluster.stop().await
            {
                warn!(error = %unstopped, "database was left behind");
            }
            return Err(ClusterError::Roles(failed));
        }
        Ok(cluster)
    }

    /// Whether it ran before, started by somebody else who goes on using it.
    pub fn was_running(&self) -> bool {
        matches!(*self.postmaster(), Postmaster::Adopted)
    }

    /// Folder of the Unix socket, only for the user that PostgreSQL runs as (and root).
    pub fn socket_directory(&self) -> &Path {
        &self.socket_directory
    }

    /// Port number that names the socket.
    pub fn port(&self) -> u16 {
        PORT
    }

    /// Database user that owns the hub's database.
    pub fn user(&self) -> &str {
        USER
    }

    /// Folder of the data itself, with PostgreSQL's own `postmaster.pid`.
    pub fn data_directory(&self) -> PathBuf {
        self.directory.join("cluster")
    }

    /// Restarts PostgreSQL whenever it dies, until `shutdown`. Call [`stop`](Self::stop) after it returned.
    pub async fn supervise(&self, shutdown: CancellationToken) {
        loop {
            tokio::select! {
                biased;
                () = shutdown.cancelled() => return,
                () = self.keep_log_short() => continue,
                () = self.ended() => warn!("database ended by itself, restarting it"),
            }
            tokio::select! {
                biased;
                // What `launch` had spawned by then is already in `self.postmaster`, where `stop` finds it.
                () = shutdown.cancelled() => return,
                () = self.relaunch() => info!("database restarted"),
            }
        }
    }

    /// Ends PostgreSQL: connections are cut, what was committed is kept, a checkpoint is written.
    pub async fn stop(&self) -> Result<(), ClusterError> {
        let data = self.data_directory();
        let mut postmaster = std::mem::replace(&mut *self.postmaster(), Postmaster::Stopped);
        let pid = match &postmaster {
            Postmaster::Adopted => running_postmaster(&data),
            Postmaster::Child(child) => child.id().and_then(|id| Pid::from_raw(id.cast_signed())),
            Postmaster::Stopped => None,
        };
        let Some(pid) = pid else { return Ok(()) };
        // Fast shutdown, then immediate (recovery at the next start loses nothing), then the hard way.
        for (signal, patience_s) in [(Signal::INT, 30), (Signal::QUIT, 10), (Signal::KILL, 5)] {
            let deadline = Instant::now() + Duration::from_secs(patience_s);
            // An error means that it is gone, which the loop sees.
            let _ = kill_process(pid, signal);
            while Instant::now() < deadline {
                if postmaster.has_ended(&data) {
                    return Ok(());
                }
                sleep(Duration::from_millis(10)).await;
            }
            warn!(pid = pid.as_raw_nonzero(), ?signal, patience_s, "database did not stop when asked");
        }
        Err(ClusterError::Stop { pid: pid.as_raw_nonzero().get() })
    }

    async fn ended(&self) {
        let data = self.data_directory();
        while !self.postmaster().has_ended(&data) {
            sleep(LOOK_EVERY).await;
        }
    }

    /// Returns when PostgreSQL runs again; each failure is logged here, where it is handled.
    async fn relaunch(&self) {
        let mut pause = BACKOFF_FIRST;
        while let Err(failed) = self.launch().await {
            error!(error = %failed, retry_in = ?pause, "database cannot be restarted");
            sleep(pause).await;
            pause = (pause * 2).min(BACKOFF_MAX);
        }
    }

    async fn launch(&self) -> Result<(), ClusterError> {
        let deadline = Instant::now() + START_DEADLINE;
        let mut pause = BACKOFF_FIRST;
        loop {
            let log_from = self.roll_log()?;
            let adopted = running_postmaster(&self.data_directory()).is_some();
            *self.postmaster() = if adopted { Postmaster::Adopted } else { self.spawn()? };
            match self.until_ready(deadline).await {
                Readiness::Ready if adopted => {
                    info!("database that an earlier hub had started was taken over");
                    return Ok(());
                }
                Readiness::Ready => return Ok(()),
                Readiness::Late => {
                    let (path, log) = self.log_since(log_from);
                    return Err(ClusterError::NotReady { seconds: START_DEADLINE.as_secs(), path, log });
                }
                Readiness::Ended => {
                    let (path, log) = self.log_since(log_from);
                    // One that was taken over while it shut down says nothing: the next round starts anew.
                    if !(adopted || passes_by_itself(&log)) || Instant::now() > deadline {
                        return Err(ClusterError::Ended { path, log });
                    }
                }
            }
            sleep(pause).await;
            pause = (pause * 2).min(Duration::from_secs(1));
        }
    }

    async fn until_ready(&self, deadline: Instant) -> Readiness {
        let data = self.data_directory();
        loop {
            if self.postmaster().has_ended(&data) {
                return Readiness::Ended;
            }
            if self.answers().await {
                return Readiness::Ready;
            }
            if Instant::now() > deadline {
                return Readiness::Late;
            }
            sleep(Duration::from_millis(20)).await;
        }
    }

    fn spawn(&self) -> Result<Postmaster, ClusterError> {
        let data = self.data_directory();
        remove_stale_locks(&data, &self.socket_directory);
        let path = self.log_path();
        let log = OpenOptions::new().create(true).append(true).open(&path).map_err(directory_error(&path))?;
        let again = log.try_clone().map_err(directory_error(&path))?;
        let mut command = self.command("postgres");
        command.arg("-D").arg(&data).arg("-k").arg(&self.socket_directory).arg("-p").arg(PORT.to_string());
        let rules = self.directory.join("pg_hba.conf");
        // The one before may be another user's: who runs PostgreSQL can change over time.
        let _ = fs::remove_file(&rules);
        fs::write(&rules, HBA).map_err(directory_error(&rules))?;
        fs::set_permissions(&rules, Permissions::from_mode(0o644)).map_err(directory_error(&rules))?;
        command.arg("-c").arg(format!("hba_file={}", rules.display()));
        for setting in &self.settings {
            command.arg("-c").arg(setting);
        }
        let spawned = command.stdout(log).stderr(again).spawn();
        let program = self.binaries.join("postgres");
        spawned.map(Postmaster::Child).map_err(|source| ClusterError::Spawn { program, source })
    }

    /// Beside its final place, so that a cluster that exists is always a complete one.
    async fn initialise(&self, superuser: &str) -> Result<(), ClusterError> {
        let (data, unfinished) = (self.data_directory(), self.directory.join("cluster.new"));
        match fs::remove_dir_all(&unfinished) {
            Err(failed) if failed.kind() != io::ErrorKind::NotFound => {
                return Err(ClusterError::Directory { path: unfinished, source: failed });
            }
            _ => {}
        }
        let mut command = self.command("initdb");
        command.arg("-D").arg(&unfinished).args(["--username", superuser, "--encoding", "UTF8"]);
        command.args(["--locale", "C.UTF-8", "--auth-local", "peer", "--auth-host", "reject"]);
        command.arg("--data-checksums");
        if self.durability == Durability::TestOnly {
            command.arg("--no-sync");
        }
        let done = self.run(command, "initdb").await?;
        if !done.status.success() {
            let output = last_lines(&[done.stdout, done.stderr].concat());
            return Err(ClusterError::Initialise { path: data, output });
        }
        fs::rename(&unfinished, &data).map_err(directory_error(&data))?;
        fs::File::open(&self.directory).and_then(|folder| folder.sync_all()).map_err(directory_error(&data))
    }

    /// Whether this build of PostgreSQL knows a setting's value: lz4 is a choice of who compiled it.
    async fn accepts_setting(&self, setting: &str) -> Result<bool, ClusterError> {
        let name = setting.split('=').next().unwrap_or(setting);
        let mut command = self.command("postgres");
        command.arg("-D").arg(self.data_directory()).args(["-c", setting, "-C", name]);
        Ok(self.run(command, "postgres").await?.status.success())
    }

    fn command(&self, program: &str) -> Command {
        command(&self.binaries.join(program), &self.directory, self.run_as.as_ref())
    }

    async fn run(&self, mut command: Command, program: &str) -> Result<std::process::Output, ClusterError> {
        let program = self.binaries.join(program);
        command.output().await.map_err(|source| ClusterError::Spawn { program, source })
    }

    fn postmaster(&self) -> MutexGuard<'_, Postmaster> {
        self.postmaster.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn log_path(&self) -> PathBuf {
        self.directory.join("postgres.log")
    }

    /// Keeps one older log beside the current one; returns how long the current one is. It is emptied and not renamed,
    /// because a running PostgreSQL goes on writing at the end of the file it has open.
    fn roll_log(&self) -> Result<u64, ClusterError> {
        let path = self.log_path();
        let length = fs::metadata(&path).map_or(0, |found| found.len());
        if length <= LOG_BYTES_MAX {
            return Ok(length);
        }
        fs::copy(&path, path.with_extension("log.1")).map_err(directory_error(&path))?;
        let emptied = OpenOptions::new().write(true).open(&path).and_then(|log| log.set_len(0));
        emptied.map_err(directory_error(&path))?;
        Ok(0)
    }

    async fn keep_log_short(&self) {
        sleep(MEASURE_LOG_EVERY).await;
        if let Err(failed) = self.roll_log() {
            warn!(error = %failed, "log of the database could not be rolled, it grows");
        }
    }

    fn log_since(&self, offset: u64) -> (PathBuf, String) {
        let path = self.log_path();
        let mut text = Vec::new();
        if let Ok(mut file) = fs::File::open(&path) {
            let length = file.metadata().map_or(0, |found| found.len());
            let from = offset.max(length.saturating_sub(8192));
            if file.seek(SeekFrom::Start(from)).is_ok() {
                // What cannot be read is missing from an error text, nothing more.
                let _ = file.take(8192).read_to_end(&mut text);
            }
        }
        (path, last_lines(&text))
    }
}

#[cfg(test)]
mod tests;
