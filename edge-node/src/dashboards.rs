//! Dashboards that people keep at this node: a file of each, `dashboards/MISSION/ID.dashboard`, written whole or not at
//! all. What lists say of them is in memory.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use dashboard::ProblemResponse;
use dashboard::dashboards::{Answer, DashboardStore, Edit, Edited};
use futures_util::FutureExt;
use operator_state::{DOCUMENT_BYTES_MAX, DashboardDocument, Facts};
use service::logging::chain;
use tracing::warn;

use crate::sessions::write_private;

const DIRECTORY: &str = "dashboards";
const ENDING: &str = "dashboard";
/// All of them together: a station's disk is for telemetry.
const BYTES_MAX: u64 = 64 * 1_024 * 1_024;

/// What is known of a file.
struct Kept {
    /// Absent: it cannot be read, and is left as it is.
    facts: Option<Facts>,
    bytes: u64,
}

/// Files by mission and id. Whoever writes one holds them all: people at one station do not wait for each other.
type Files = BTreeMap<(String, String), Kept>;

struct Folder {
    directory: PathBuf,
    files: Mutex<Files>,
}

/// The dashboards of this node.
#[derive(Clone)]
pub struct NodeDashboards(Arc<Folder>);

impl NodeDashboards {
    /// Opens those in the data directory. What cannot be read is left as it is: a station records without it.
    pub fn open(data_directory: &Path) -> Self {
        let directory = data_directory.join(DIRECTORY);
        if let Err(error) = std::fs::create_dir_all(&directory) {
            unread(&directory, &error);
        }
        let mut files = Files::new();
        for mission in entries(&directory) {
            for path in entries(&mission) {
                // What was not finished is written again when somebody sends it again.
                if path.extension().is_none_or(|ending| ending != ENDING) {
                    continue;
                }
                let name = |part: Option<&OsStr>| part.unwrap_or_default().to_string_lossy().into_owned();
                files.insert((name(mission.file_name()), name(path.file_stem())), read_at_start(&path));
            }
        }
        Self(Arc::new(Folder { directory, files: Mutex::new(files) }))
    }

    async fn aside<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Folder) -> Result<T, ProblemResponse> + Send + 'static,
    ) -> Result<T, ProblemResponse> {
        let folder = Arc::clone(&self.0);
        let worked = tokio::task::spawn_blocking(move || work(&folder)).await;
        worked.map_err(|_| ProblemResponse::internal("a dashboard could not be changed; it is as it was"))?
    }
}

/// What lies in a folder; nothing where there is none.
fn entries(folder: &Path) -> Vec<PathBuf> {
    let listed = std::fs::read_dir(folder).and_then(Iterator::collect::<std::io::Result<Vec<_>>>);
    match listed {
        Ok(entries) => entries.iter().map(std::fs::DirEntry::path).collect(),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Vec::new(),
        Err(error) => {
            unread(folder, &error);
            Vec::new()
        }
    }
}

fn unread(path: &Path, error: &dyn std::error::Error) {
    let said = "dashboards could not be read; they are left as they are, recording goes on";
    warn!(path = %path.display(), error = chain(error), "{said}");
}

fn read_at_start(path: &Path) -> Kept {
    let document = match read(path) {
        Ok(document) => document.unwrap_or_default(),
        Err(error) => {
            unread(path, &error);
            return Kept { facts: None, bytes: 0 };
        }
    };
    let bytes = document.len() as u64;
    let document = DashboardDocument::load(document).inspect_err(|error| unread(path, error));
    Kept { facts: document.ok().map(|document| document.content().facts()), bytes }
}

/// A file, as far as a document may be long and a byte more.
fn read(path: &Path) -> std::io::Result<Option<Vec<u8>>> {
    let file = match File::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        other => other?,
    };
    let mut bytes = Vec::new();
    file.take(DOCUMENT_BYTES_MAX as u64 + 1).read_to_end(&mut bytes)?;
    Ok(Some(bytes))
}

fn failed(error: &std::io::Error) -> ProblemResponse {
    warn!(error = chain(error), "a dashboard could not be read or written");
    let detail =
        format!("the dashboard could not be read or written: {error}; what was kept before is as it was");
    ProblemResponse::unavailable(detail)
}

impl Folder {
    fn files(&self) -> MutexGuard<'_, Files> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn path(&self, (mission, id): &(String, String)) -> PathBuf {
        self.directory.join(mission).join(format!("{id}.{ENDING}"))
    }

    fn edit(
        &self,
        place: (String, String),
        edit: Edit,
    ) -> Result<Option<DashboardDocument>, ProblemResponse> {
        let mut files = self.files();
        let path = self.path(&place);
        let document = read(&path).map_err(|error| failed(&error))?;
        let count = files.keys().filter(|(mission, _)| *mission == place.0).count();
        match edit(document, count)? {
            Edited::Leave(document) => Ok(Some(document)),
            Edited::Keep(document) => {
                let bytes = document.bytes().len() as u64;
                let others = files.iter().filter(|(other, _)| **other != place).map(|(_, kept)| kept.bytes);
                if others.sum::<u64>() + bytes > BYTES_MAX {
                    let detail = format!(
                        "the dashboards of a station have at most {BYTES_MAX} bytes together; it is as it was"
                    );
                    return Err(ProblemResponse::dashboard_full(detail));
                }
                write(&path, document.bytes()).map_err(|error| failed(&error))?;
                files.insert(place, Kept { facts: Some(document.content().facts()), bytes });
                Ok(Some(document))
            }
            Edited::Remove => {
                std::fs::remove_file(&path)
                    .and_then(|()| sync_parent(&path))
                    .map_err(|error| failed(&error))?;
                files.remove(&place);
                Ok(None)
            }
        }
    }
}

/// Writes a file so that a power cut leaves the old one or the new one.
fn write(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    if let Some(folder) = path.parent()
        && !folder.exists()
    {
        std::fs::create_dir_all(folder)?;
        sync_parent(folder)?;
    }
    write_private(path, bytes)?;
    sync_parent(path)
}

fn sync_parent(path: &Path) -> std::io::Result<()> {
    path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}

impl DashboardStore for NodeDashboards {
    fn list<'a>(&'a self, mission: &'a str) -> Answer<'a, Vec<(String, Facts)>> {
        let mission = mission.to_owned();
        // Whoever writes one holds them meanwhile.
        let listed = self.aside(move |folder| {
            let files = folder.files();
            let of_mission = files.iter().filter(|((of, _), _)| *of == mission);
            let facts = of_mission.filter_map(|((_, id), kept)| Some((id.clone(), kept.facts.clone()?)));
            Ok(facts.collect())
        });
        listed.boxed()
    }

    fn find<'a>(&'a self, mission: &'a str, id: &'a str) -> Answer<'a, Option<Vec<u8>>> {
        let place = (mission.to_owned(), id.to_owned());
        self.aside(move |folder| read(&folder.path(&place)).map_err(|error| failed(&error))).boxed()
    }

    fn edit<'a>(
        &'a self,
        mission: &'a str,
        id: &'a str,
        edit: Edit,
    ) -> Answer<'a, Option<DashboardDocument>> {
        let place = (mission.to_owned(), id.to_owned());
        self.aside(move |folder| folder.edit(place, edit)).boxed()
    }
}

#[cfg(test)]
mod tests;
