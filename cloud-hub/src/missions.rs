//! The hub's missions: their documents in the database, in force here and known to nodes.
//!
//! The configured file is how a mission's first dictionary comes in. After that the database has the documents:
//! whoever imports one writes it there, and the running hub finds it within a second.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use anyhow::Context;
use processing::MissionDecoder;
use service::documents::{self, DocumentError, DocumentKind, MissionDocument};
use service::logging::chain;
use service::mission::{self, LoadedMission, MissionConfig};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use crate::archive::{Archive, ArchiveError, Database, Documents, Imported, ReadingTable};

const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// All missions and their documents.
pub struct Missions {
    documents: Documents,
    readings: ReadingTable,
    /// The same of whoever leads.
    led_readings: OnceLock<ReadingTable>,
    database: Database,
    known: Vec<KnownMission>,
    changes: watch::Sender<i64>,
}

struct KnownMission {
    name: String,
    documents: Mutex<Arc<[MissionDocument]>>,
    /// Why the configured dictionary is not in use.
    problem: Option<String>,
}

impl KnownMission {
    fn documents(&self) -> MutexGuard<'_, Arc<[MissionDocument]>> {
        self.documents.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why an import is refused. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// PostgreSQL.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// The document does not fit.
    #[error(transparent)]
    Document(#[from] DocumentError),
}

/// Another version was made after the one that somebody knew.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Overtaken {
    /// The newest; `None`: there is none.
    pub newest: Option<u32>,
}

/// Whether the newest version of a kind is still the one that a change was thought of with.
pub fn check_basis(
    known: &[MissionDocument],
    kind: DocumentKind,
    based_on: Option<u32>,
) -> Result<(), Overtaken> {
    let of_kind = known.iter().filter(|document| document.kind == kind);
    let newest = of_kind.map(|document| document.number).max();
    if newest == based_on { Ok(()) } else { Err(Overtaken { newest }) }
}

/// Adds a document to a mission, after it was read together with those that are there.
pub async fn import(
    documents: &Documents,
    mission: &str,
    new: &MissionDocument,
) -> Result<Imported, ImportError> {
    documents.import(mission, new, false, check).await
}

/// Says what would become of a document that is imported. Nothing is changed.
pub async fn try_import(
    documents: &Documents,
    mission: &str,
    new: &MissionDocument,
) -> Result<Imported, ImportError> {
    documents.import(mission, new, true, check).await
}

fn check(known: &[MissionDocument], numbered: &MissionDocument) -> Result<(), ImportError> {
    if !numbered.kind.is_of_database() {
        // What is no part of the database may come before the first dictionary does.
        return Ok(documents::check_watching(numbered)?);
    }
    let mut all = known.to_vec();
    all.push(numbered.clone());
    Ok(documents::database(&all).map(drop)?)
}

impl Missions {
    /// Opens the configured missions: takes in a configured file that is new, and reads what the database has.
    pub async fn open(
        database: &Database,
        config_file: &Path,
        configs: &[MissionConfig],
    ) -> anyhow::Result<(Self, Vec<LoadedMission>)> {
        let documents = Documents::new(database.clone());
        let (mut known, mut loaded) = (Vec::new(), Vec::new());
        let count = documents.count().await?;
        for config in configs {
            config.check_name()?;
            let (found, mission) = open_one(&documents, config_file, config).await?;
            known.push(KnownMission {
                name: config.name.clone(),
                documents: Mutex::new(found.into()),
                problem: mission.problem.clone(),
            });
            loaded.push(mission);
        }
        let readings = ReadingTable::new(database.clone());
        let missions = Self {
            documents,
            readings,
            led_readings: OnceLock::new(),
            database: database.clone(),
            known,
            changes: watch::channel(count).0,
        };
        Ok((missions, loaded))
    }

    /// The documents of a mission that is configured here.
    pub fn documents_of(&self, mission: &str) -> Option<Arc<[MissionDocument]>> {
        let known = self.known.iter().find(|known| known.name == mission)?;
        Some(Arc::clone(&known.documents()))
    }

    /// Changes whenever a mission has new documents.
    pub fn changes(&self) -> watch::Receiver<i64> {
        self.changes.subscribe()
    }

    /// This hub leads: from now on it tells readings what they wait for.
    pub fn lead(&self, database: &Database) {
        // A hub leads once.
        let _ = self.led_readings.set(ReadingTable::new(database.clone()));
    }

    /// Looks for what was imported, asked for and switched to, until shutdown.
    pub async fn run(
        self: Arc<Self>,
        archive: Arc<Archive>,
        shutdown: CancellationToken,
    ) -> anyhow::Result<()> {
        let mut switched = self.readings.switched().await.unwrap_or(0);
        loop {
            if let Err(error) = self.look(&archive, &mut switched).await {
                warn!(error = chain(&error), "imports could not be looked for, trying again");
            }
            tokio::select! {
                () = shutdown.cancelled() => return Ok(()),
                () = tokio::time::sleep(LOOK_INTERVAL) => {}
            }
        }
    }

    async fn look(&self, archive: &Archive, switched: &mut i64) -> Result<(), ArchiveError> {
        self.look_for_imports(archive).await?;
        // Behind the imports: what readings wait for must be decoded by them.
        if let Some(readings) = self.led_readings.get()
            && let Some(ledger_id) = readings.prepare(archive.reached().newest()).await?
        {
            archive.want_cut(ledger_id);
        }
        let now_switched = self.readings.switched().await?;
        if now_switched != *switched {
            archive.refresh_latest(&self.database).await?;
            *switched = now_switched;
            info!("another reading of the ledger counts from now on");
        }
        Ok(())
    }

    async fn look_for_imports(&self, archive: &Archive) -> Result<(), ArchiveError> {
        let count = self.documents.count().await?;
        if count == *self.changes.borrow() {
            return Ok(());
        }
        for (index, known) in self.known.iter().enumerate() {
            let found = self.documents.of(&known.name).await?;
            let before = Arc::clone(&known.documents());
            if found.len() == before.len() {
                continue;
            }
            if of_database(&found) == of_database(&before) {
                info!(mission = known.name, "imported rules or models are in force");
                *known.documents() = found.into();
                continue;
            }
            match documents::database(&found) {
                Ok(dictionaries) => {
                    let version = dictionaries.newest().version.0;
                    let problem = known.problem.clone();
                    archive.replace(&self.database, index, dictionaries, problem).await?;
                    info!(mission = known.name, version, "imported documents are in force");
                }
                // The import checked them, so this is a hub older than the one that imported.
                Err(error) => {
                    error!(mission = known.name, %error, "imported documents cannot be read here");
                    archive.note_problem(index, &format!("an imported document cannot be read: {error}"));
                }
            }
            *known.documents() = found.into();
        }
        self.changes.send_replace(count);
        Ok(())
    }
}

/// How many of them make the mission's database; none is ever taken away.
fn of_database(documents: &[MissionDocument]) -> usize {
    documents.iter().filter(|document| document.kind.is_of_database()).count()
}

async fn open_one(
    documents: &Documents,
    config_file: &Path,
    config: &MissionConfig,
) -> anyhow::Result<(Vec<MissionDocument>, LoadedMission)> {
    let name = &config.name;
    let file = service::config::resolve(config_file, &config.dictionary);
    let stored = documents.of(name).await.with_context(|| format!("documents of mission {name:?}"))?;
    let mut problem = None;
    let found = match mission::read(&file) {
        Ok((_, content)) => {
            take_in(documents, name, DocumentKind::Dictionary, &file, content, &stored).await?;
            take_in_rules(documents, config_file, config, &stored).await?;
            documents.of(name).await?
        }
        Err(reason) if stored.iter().any(|document| document.kind == DocumentKind::Dictionary) => {
            error!(
                mission = name,
                reason, "configured dictionary did not load, the imported ones stay in force"
            );
            problem = Some(reason);
            stored
        }
        Err(reason) => {
            return Err(mission::MissionError::NoDictionary { mission: name.clone(), reason }.into());
        }
    };
    let database = documents::database(&found).with_context(|| format!("documents of mission {name:?}"))?;
    let loaded = LoadedMission {
        name: name.clone(),
        title: config.shown_title(),
        decoder: MissionDecoder::new(database, config.conventions()),
        problem,
    };
    Ok((found, loaded))
}

/// A configured file becomes a version when its text is new: the first dictionary from the beginning of time, anything
/// else from now on.
async fn take_in(
    documents: &Documents,
    mission: &str,
    kind: DocumentKind,
    file: &Path,
    content: String,
    stored: &[MissionDocument],
) -> Result<(), ImportError> {
    if stored.iter().any(|document| document.kind == kind && document.content == content) {
        return Ok(());
    }
    let file_name = file.file_name().map_or_else(|| kind.word().into(), |name| name.to_string_lossy());
    let new = MissionDocument {
        kind,
        number: 0,
        effective_from: None,
        effective_to: None,
        file_name: file_name.into_owned(),
        bounds: None,
        author: None,
        reason: Some("the configured file".to_owned()),
        content,
    };
    if let Imported::As(number, _) = import(documents, mission, &new).await? {
        info!(mission, number, kind = kind.word(), "configured file was taken in");
    }
    Ok(())
}

/// The configured rules become versions when their texts are new. What cannot be used is told and left out: a mission
/// is received without them.
async fn take_in_rules(
    documents: &Documents,
    config_file: &Path,
    config: &MissionConfig,
    stored: &[MissionDocument],
) -> Result<(), ArchiveError> {
    let configured =
        [(DocumentKind::AlarmRules, &config.alarms), (DocumentKind::DetectionRules, &config.detection)];
    for (kind, file) in configured {
        let Some(file) = file else { continue };
        let (mission, file) = (&config.name, service::config::resolve(config_file, file));
        let taken = match std::fs::read_to_string(&file) {
            Ok(content) => take_in(documents, mission, kind, &file, content, stored).await,
            Err(problem) => {
                error!(mission, file = %file.display(), %problem, "configured rules cannot be read, those before stay");
                continue;
            }
        };
        match taken {
            Err(ImportError::Archive(error)) => return Err(error),
            Err(ImportError::Document(problem)) => {
                error!(mission, file = %file.display(), %problem, "configured rules cannot be used, those before stay");
            }
            Ok(()) => {}
        }
    }
    Ok(())
}
