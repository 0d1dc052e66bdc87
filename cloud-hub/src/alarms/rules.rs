//! What says how missions are watched: versions of alarm rules among a mission's documents, and models in force.

use std::sync::{Arc, Mutex, PoisonError};

use dashboard::ProblemResponse;
use dashboard::alarms::{Answer, RulesText, WantedRules, models_in_force};
use dashboard::contract::{DetectionModel, RulesProblem, RulesVersion};
use dashboard::rfc3339;
use futures_util::FutureExt;
use processing::alarm::AlarmRules;
use service::documents::{DocumentKind, MissionDocument, Watching};
use space_packet::TaiTime;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::{HubAlarms, not_answered};
use crate::archive::Imported;
use crate::missions::{self, ImportError, Missions};

/// What rules are called that somebody sends.
const FILE_NAME: &str = "alarms.toml";

/// The models of a mission, as answers have them.
#[derive(Default)]
pub(super) struct Models(Mutex<Vec<DetectionModel>>);

impl Models {
    pub(super) fn in_force(&self) -> Vec<DetectionModel> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
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
        for (book, models) in &self.books {
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
            *models.0.lock().unwrap_or_else(PoisonError::into_inner) = models_in_force(&watching);
        }
    }

    /// All versions of a mission's alarm rules with their texts, newest first.
    pub(super) fn rules_texts<'a>(&'a self, mission: &'a str) -> Answer<'a, Vec<RulesText>> {
        async move {
            let found = self.documents.versions(mission, DocumentKind::AlarmRules).await;
            let found = found.map_err(|error| not_answered(&error))?;
            Ok(found.into_iter().rev().map(|(document, at)| described(document, at)).collect())
        }
        .boxed()
    }

    /// Imports rules that somebody sent: they are in force at all hubs within a second, and go to the nodes.
    pub(super) fn import_rules<'a>(&'a self, mission: &'a str, new: WantedRules) -> Answer<'a, RulesVersion> {
        let WantedRules { text, author, reason } = new;
        let document = MissionDocument {
            kind: DocumentKind::AlarmRules,
            number: 0,
            effective_from: None,
            effective_to: None,
            file_name: FILE_NAME.to_owned(),
            bounds: None,
            author: Some(author),
            reason: Some(reason),
            content: text,
        };
        async move {
            let imported = missions::import(&self.documents, mission, &document).await;
            let number = match imported.map_err(|error| refused(&error))? {
                Imported::As(number, _) | Imported::Known(number) => number,
            };
            let texts = self.rules_texts(mission).await?;
            let is_it = |text: &RulesText| text.version.number == number;
            texts.into_iter().find(is_it).map(|text| text.version).ok_or_else(|| {
                ProblemResponse::internal("the version that was just imported is not there; report this")
            })
        }
        .boxed()
    }
}

fn refused(error: &ImportError) -> ProblemResponse {
    match error {
        ImportError::Archive(error) => not_answered(error),
        ImportError::Document(problem) => ProblemResponse::bad_request(format!(
            "none of these rules can be used: {problem}; those before stay in force"
        )),
    }
}

fn described(document: MissionDocument, imported_at: TaiTime) -> RulesText {
    let rules = AlarmRules::parse(&document.file_name, &document.content);
    let problems = rules.problems.iter().map(|problem| RulesProblem {
        line: problem.line,
        column: problem.column,
        message: problem.message.clone(),
    });
    let version = RulesVersion {
        number: document.number,
        document_version: rules.version,
        author: document.author.unwrap_or_default(),
        reason: document.reason.unwrap_or_default(),
        imported_at: rfc3339(imported_at),
        problems: problems.collect(),
    };
    RulesText { version, text: document.content }
}
