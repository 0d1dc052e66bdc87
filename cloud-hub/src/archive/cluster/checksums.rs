//! Check sums of a private cluster's pages, while it is stopped: PostgreSQL's own programs read and write them.

use std::path::PathBuf;

use super::place::{account_for, find_binaries};
use super::process::{command, last_lines, running_postmaster, tool};
use super::{ClusterConfig, ClusterError};

/// What the pages of a stopped cluster are like.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Pages {
    /// Some do not fit their check sum, or are missing: what the program said.
    Damaged(String),
    /// All fit their check sums.
    Intact,
    /// They carry none.
    WithoutChecksums,
}

/// Pages that could not be looked at, or changed.
#[derive(Debug, thiserror::Error)]
pub enum PagesError {
    /// The programs cannot be run.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// One of them refused.
    #[error("{program} refused:\n{output}")]
    Refused {
        /// Its name.
        program: &'static str,
        /// Its last lines.
        output: String,
    },
    /// PostgreSQL runs.
    #[error("PostgreSQL runs in {0}")]
    Running(PathBuf),
}

/// Reads every page of a stopped cluster.
pub async fn check_pages(config: &ClusterConfig) -> Result<Pages, PagesError> {
    let stopped = Stopped::open(config).await?;
    let (_, control) = stopped.run("pg_controldata", &[]).await?;
    let version = control.lines().find_map(|line| line.strip_prefix("Data page checksum version:"));
    let Some(version) = version else {
        return Err(PagesError::Refused {
            program: "pg_controldata",
            output: last_lines(control.as_bytes()),
        });
    };
    if version.trim() == "0" {
        return Ok(Pages::WithoutChecksums);
    }
    let (is_done, output) = stopped.run("pg_checksums", &["--check"]).await?;
    if is_done {
        Ok(Pages::Intact)
    } else if output.contains("checksum verification failed") {
        Ok(Pages::Damaged(last_lines(output.as_bytes())))
    } else {
        Err(PagesError::Refused { program: "pg_checksums", output: last_lines(output.as_bytes()) })
    }
}

/// Writes a check sum into every page of a stopped cluster. Cut off, it is begun anew: until its end the cluster counts
/// as one without.
pub async fn enable_checksums(config: &ClusterConfig) -> Result<(), PagesError> {
    let (is_done, output) = Stopped::open(config).await?.run("pg_checksums", &["--enable"]).await?;
    if is_done {
        return Ok(());
    }
    Err(PagesError::Refused { program: "pg_checksums", output: last_lines(output.as_bytes()) })
}

struct Stopped<'a> {
    config: &'a ClusterConfig,
    data: PathBuf,
    binaries: PathBuf,
}

impl<'a> Stopped<'a> {
    async fn open(config: &'a ClusterConfig) -> Result<Self, PagesError> {
        let data = config.directory.join("cluster");
        // The processes of PostgreSQL know their folder by its real path.
        let data = data.canonicalize().map_err(super::directory_error(&data))?;
        if running_postmaster(&data).is_some() {
            return Err(PagesError::Running(data));
        }
        let version =
            std::fs::read_to_string(data.join("PG_VERSION")).map_err(super::directory_error(&data))?;
        let run_as = account_for(&config.directory)?;
        let binaries =
            find_binaries(config.binaries.as_deref(), Some(version.trim()), run_as.as_ref()).await?;
        Ok(Self { config, data, binaries })
    }

    /// Whether a program ended well, and all it said.
    async fn run(&self, program: &'static str, arguments: &[&str]) -> Result<(bool, String), ClusterError> {
        let path = tool(&self.binaries, program);
        let run_as = account_for(&self.config.directory)?;
        let mut command = command(&path, &self.data, run_as.as_ref());
        let done = command.args(arguments).arg("-D").arg(&self.data).output().await;
        let done = done.map_err(|source| ClusterError::Spawn { program: path, source })?;
        let said = [done.stdout, done.stderr].concat();
        Ok((done.status.success(), String::from_utf8_lossy(&said).into_owned()))
    }
}
