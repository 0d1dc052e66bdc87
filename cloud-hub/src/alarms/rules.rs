//! What says how missions are watched: versions of rules among a mission's documents, and what is in force.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use dashboard::ProblemResponse;
use dashboard::alarms::{Answer, RulesKind, RulesText, WantedRules, models_in_force};
use dashboard::contract::{DetectionModel, RulesVersion};
use dashboard::rfc3339;
use futures_util::FutureExt;
use processing::alarm::AlarmRules;
use processing::watch::DetectionRules;
use service::documents::{self, DocumentError, MissionDocument, Watching};
use space_packet::TaiTime;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::{HubAlarms, not_answered};
use crate::archive::{ArchiveError, Imported};
use crate::missions::{self, Missions, Overtaken};

/// How a mission is watched, as answers have it. Its alarm rules are its book's.
#[derive(Default)]
pub(super) struct InForce(Mutex<WatchedBy>);

#[derive(Default)]
struct WatchedBy {
    models: Vec<DetectionModel>,
    detection: Arc<DetectionRules>,
}

impl InForce {
    fn lock(&self) -> MutexGuard<'_, WatchedBy> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn models(&self) -> Vec<DetectionModel> {
        self.lock().models.clone()
    }

    pub(super) fn detection(&self) -> Arc<DetectionRules> {
        Arc::clone(&self.lock().detection)
    }

    fn set(&self, watching: &Watching) {
        let rules = watching.detection_rules.as_ref();
        let rules = rules.map(|document| DetectionRules::parse(&document.file_name, &document.content));
        let detection = Arc::new(rules.unwrap_or_default());
        *self.lock() = WatchedBy { models: models_in_force(watching), detection };
    }
}

/// Why rules are not taken. Those before stay in force.
enum Refused {
    Archive(ArchiveError),
    Conflict(Overtaken),
    Document(DocumentError),
}

impl From<ArchiveError> for Refused {
    fn from(error: ArchiveError) -> Self {
        Self::Archive(error)
    }
}

impl From<Overtaken> for Refused {
    fn from(overtaken: Overtaken) -> Self {
        Self::Conflict(overtaken)
    }
}

impl From<DocumentError> for Refused {
    fn from(error: DocumentError) -> Self {
        Self::Document(error)
    }
}

impl HubAlarms {
    /// Brings the newest rules and models of missions into force, now and whenever there are newer ones, until shutdown.
    pub async fn follow_documents(
        self: Arc<Self>,
        missions: Arc<Missions>,
        shutdown: CancellationToken,
    ) -> anyhow::Result<()> {
        let mut changes = missions.changes();
        loop {
            changes.mark_unchanged();
            self.use_documents(&missions);
            tokio::select! {
                () = shutdown.cancelled() => return Ok(()),
                changed = changes.changed() => changed?,
            }
        }
    }

    /// Brings the newest rules and models of missions into force.
    pub fn use_documents(&self, missions: &Missions) {
        for (book, in_force) in &self.books {
            let Some(found) = missions.documents_of(book.mission()) else { continue };
            let watching = Watching::of(&found);
            if let Some(document) = &watching.alarm_rules {
                let rules = AlarmRules::parse(&document.file_name, &document.content);
                if *book.rules() != rules {
                    for problem in &rules.problems {
                        warn!(mission = book.mission(), %problem, "STO-ALARM-RULE: part of the alarm rules is left out, the rest counts");
                    }
                    book.set_rules(Arc::new(rules));
                }
            }
            in_force.set(&watching);
        }
    }

    /// All versions of a mission's rules, newest first.
    pub(super) fn rules_versions<'a>(
        &'a self,
        mission: &'a str,
        kind: RulesKind,
    ) -> Answer<'a, Vec<RulesVersion>> {
        async move {
            let found = self.documents.versions(mission, kind.into()).await;
            let found = found.map_err(|error| not_answered(&error))?;
            // Reading a mission's whole history takes a core for longer than other requests should wait.
            let read = tokio::task::spawn_blocking(move || {
                found.into_iter().rev().map(|(document, at)| described(kind, document, at).version).collect()
            });
            read.await.map_err(|_| ProblemResponse::internal("the versions could not be read; report this"))
        }
        .boxed()
    }

    /// One version of a mission's rules.
    pub(super) fn rules_version<'a>(
        &'a self,
        mission: &'a str,
        kind: RulesKind,
        number: u32,
    ) -> Answer<'a, Option<RulesText>> {
        async move {
            let found = self.documents.one(mission, kind.into(), number).await;
            let found = found.map_err(|error| not_answered(&error))?;
            Ok(found.map(|(document, at)| described(kind, document, at)))
        }
        .boxed()
    }

    /// Imports rules that somebody sent: they are in force at all hubs within a second, and go to the nodes.
    pub(super) fn import_rules<'a>(
        &'a self,
        mission: &'a str,
        wanted: WantedRules,
    ) -> Answer<'a, RulesVersion> {
        let WantedRules { kind, based_on, text, author, reason } = wanted;
        let document = MissionDocument {
            kind: kind.into(),
            number: 0,
            effective_from: None,
            effective_to: None,
            file_name: kind.file_name().to_owned(),
            bounds: None,
            author: Some(author),
            reason: Some(reason),
            content: text,
        };
        let check = move |known: &[MissionDocument], numbered: &MissionDocument| {
            missions::check_basis(known, numbered.kind, based_on)?;
            documents::check_watching(numbered).map_err(Refused::from)
        };
        async move {
            let number = match self.documents.import(mission, &document, false, check).await {
                Ok(Imported::As(number, _) | Imported::Known(number)) => number,
                Err(refused) => return Err(self.problem(mission, kind, refused).await),
            };
            let made = self.rules_version(mission, kind, number).await?;
            made.map(|made| made.version).ok_or_else(|| {
                ProblemResponse::internal("the version that was just imported is not there; report this")
            })
        }
        .boxed()
    }

    /// What somebody is told whose rules are not taken.
    async fn problem(&self, mission: &str, kind: RulesKind, refused: Refused) -> ProblemResponse {
        let newest = match refused {
            Refused::Archive(error) => return not_answered(&error),
            Refused::Conflict(Overtaken { newest }) => newest,
            Refused::Document(problem) => {
                return ProblemResponse::bad_request(format!(
                    "none of these rules can be used: {problem}; those before stay in force"
                ));
            }
        };
        let Some(newest) = newest else {
            let detail = format!("there is no version of the {}; base the text on none", kind.name());
            return ProblemResponse::rules_conflict(detail);
        };
        let version = match self.rules_version(mission, kind, newest).await {
            Ok(found) => found.map(|found| found.version),
            Err(unanswered) => return unanswered,
        };
        let (author, reason) = version.map(|version| (version.author, version.reason)).unwrap_or_default();
        let or = |text: String, absent: &str| if text.is_empty() { absent.to_owned() } else { text };
        ProblemResponse::rules_conflict(format!(
            "version {newest}, by {} ({}), is newer than the one this text is based on; nothing of yours was taken: look \
             at what it changed, then send yours again with `based_on` {newest}",
            or(author, "somebody"),
            or(reason, "no reason"),
        ))
    }
}

fn described(kind: RulesKind, document: MissionDocument, imported_at: TaiTime) -> RulesText {
    let (document_version, problems) = kind.read(&document.file_name, &document.content);
    let version = RulesVersion {
        number: document.number,
        document_version,
        author: document.author.unwrap_or_default(),
        reason: document.reason.unwrap_or_default(),
        imported_at: rfc3339(imported_at),
        problems,
    };
    RulesText { version, text: document.content }
}
