//! How a command asks the running hub to import: a request in a directory, an answer beside it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use service::logging::chain;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::{Carrying, FileReport};

/// How often the hub looks for requests, and a command for its answer.
pub const INTERVAL: Duration = Duration::from_secs(1);
/// Most bytes of a request that are read.
const REQUEST_BYTES_MAX: u64 = 1 << 20;

/// What a command asks.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct ImportRequest {
    /// Account that asks.
    pub who: String,
    /// Files, by absolute paths.
    pub files: Vec<PathBuf>,
}

/// Where requests lie.
pub fn directory(data: &Path) -> PathBuf {
    data.join("import")
}

/// Writes a request; returns where the answer will be.
pub fn ask(data: &Path, id: &str, request: &ImportRequest) -> std::io::Result<PathBuf> {
    let directory = directory(data);
    std::fs::create_dir_all(&directory)?;
    put(&directory.join(format!("{id}.request")), &serde_json::to_vec(request)?)?;
    Ok(directory.join(format!("{id}.result")))
}

/// In one step, so that whoever looks sees nothing or all of it.
fn put(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let staged = path.with_extension("new");
    std::fs::write(&staged, bytes)?;
    std::fs::rename(staged, path)
}

impl Carrying {
    /// Works requests off, one after another. One that a stop cuts off is done at the next start; what it had
    /// committed by then is known already.
    pub async fn run(self, data: PathBuf, shutdown: CancellationToken) -> anyhow::Result<()> {
        let directory = directory(&data);
        std::fs::create_dir_all(&directory)?;
        loop {
            for path in requests(&directory) {
                let worked = tokio::select! {
                    () = shutdown.cancelled() => return Ok(()),
                    reports = self.work(&path) => reports,
                };
                let answer = serde_json::to_vec(&worked)?;
                let answered = put(&path.with_extension("result"), &answer);
                if let Err(error) = answered.and_then(|()| std::fs::remove_file(&path)) {
                    warn!(error = chain(&error), path = %path.display(), "an import could not be answered");
                }
            }
            tokio::select! {
                () = shutdown.cancelled() => return Ok(()),
                () = tokio::time::sleep(INTERVAL) => {}
            }
        }
    }

    async fn work(&self, path: &Path) -> Vec<FileReport> {
        let is_short = std::fs::metadata(path).is_ok_and(|about| about.len() <= REQUEST_BYTES_MAX);
        let request = is_short.then(|| std::fs::read(path).ok()).flatten();
        let request: Option<ImportRequest> = request.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        let Some(request) = request else {
            warn!(path = %path.display(), "a request to import cannot be read, it is dropped");
            return Vec::new();
        };
        let mut reports = Vec::with_capacity(request.files.len());
        for file in &request.files {
            reports.push(self.import(file, &request.who).await);
        }
        reports
    }
}

fn requests(directory: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(directory) else { return Vec::new() };
    let paths = entries.flatten().map(|entry| entry.path());
    let mut requests: Vec<_> =
        paths.filter(|path| path.extension().is_some_and(|extension| extension == "request")).collect();
    requests.sort();
    requests
}
