//! Versions of a mission's dictionary: listed, given out, imported.

use std::time::Duration;

use dashboard::ProblemResponse;
use dashboard::administration::{DictionaryText, NewDictionary};
use dashboard::contract::{DictionaryDocument, DictionaryImport, DictionaryOutcome};
use dashboard::{dictionary_changes, rfc3339};
use mission_database::{Dictionary, MissionDatabase};
use service::documents::{DocumentKind, MissionDocument};

use super::{HubAdministration, not_answered};
use crate::archive::{Documents, Imported};
use crate::missions::{self, ImportError};

/// How long an import waits for this hub to use what was imported, which it looks for every second.
const IN_FORCE_WITHIN: Duration = Duration::from_secs(5);

fn unusable(error: &ImportError) -> ProblemResponse {
    match error {
        ImportError::Archive(error) => not_answered(error),
        ImportError::Document(error) => {
            ProblemResponse::dictionary(format!("{error}; nothing was changed: the versions in force stay"))
        }
    }
}

impl HubAdministration {
    /// All versions, newest first.
    pub(super) async fn dictionary_documents(
        &self,
        mission: &str,
    ) -> Result<Vec<DictionaryDocument>, ProblemResponse> {
        let rows = self.documents().list(mission, DocumentKind::Dictionary).await;
        let rows = rows.map_err(|error| not_answered(&error))?;
        let database = self.mission_database(mission)?;
        let in_force = database.at(service::clock::now()).version.0;
        let document = |row: crate::archive::DocumentRow| {
            let document = row.document;
            let version = database.versions().iter().find(|version| version.number.0 == document.number);
            let dictionary = version.map(|version| &version.dictionary);
            DictionaryDocument {
                number: document.number,
                name: dictionary.map(|dictionary| dictionary.name().to_owned()),
                version: dictionary.and_then(|dictionary| dictionary.version().map(str::to_owned)),
                effective_from: document.effective_from.map(rfc3339),
                in_force: document.number == in_force,
                parameter_count: dictionary.map(|dictionary| dictionary.parameters().len()),
                bytes: row.bytes,
                file_name: document.file_name,
                imported_at: rfc3339(space_packet::TaiTime(row.imported_at)),
                author: document.author,
                reason: document.reason,
            }
        };
        Ok(rows.into_iter().rev().map(document).collect())
    }

    /// The text of one version.
    pub(super) async fn dictionary_text(
        &self,
        mission: &str,
        number: u32,
    ) -> Result<Option<DictionaryText>, ProblemResponse> {
        let found = self.documents().one(mission, DocumentKind::Dictionary, number).await;
        let found = found.map_err(|error| not_answered(&error))?;
        Ok(found.map(|(found, _)| DictionaryText { file_name: found.file_name, text: found.content }))
    }

    /// Imports a version, or says what it would change. That goes on when nobody waits for it any more. It is in force
    /// here when this returns, unless that takes longer than [`IN_FORCE_WITHIN`].
    pub(super) async fn import(
        &self,
        mission: &str,
        new: NewDictionary,
    ) -> Result<DictionaryImport, ProblemResponse> {
        let (documents, name) = (self.documents(), mission.to_owned());
        let before = self.mission_database(mission)?;
        // Compiling takes seconds of a large one.
        let (runtime, work) =
            (tokio::runtime::Handle::current(), async move { import(&documents, &name, &before, new).await });
        let mut changes = self.missions.changes();
        changes.mark_unchanged();
        let done = tokio::task::spawn_blocking(move || runtime.block_on(work)).await;
        let ended = |_| ProblemResponse::internal("the import ended unexpectedly; report this");
        let done = done.map_err(ended)??;
        if done.outcome == DictionaryOutcome::Imported {
            // What another import changed meanwhile ends the wait as well: it is to look right, and no promise.
            let _ = tokio::time::timeout(IN_FORCE_WITHIN, changes.changed()).await;
        }
        Ok(done)
    }

    fn mission_database(&self, mission: &str) -> Result<MissionDatabase, ProblemResponse> {
        let found = self.archive.missions().iter().find(|known| known.live.name() == mission);
        let found = found.ok_or_else(|| ProblemResponse::unknown_mission("the mission is not configured"))?;
        Ok(found.live.database())
    }
}

async fn import(
    documents: &Documents,
    mission: &str,
    before: &MissionDatabase,
    new: NewDictionary,
) -> Result<DictionaryImport, ProblemResponse> {
    let compiled = Dictionary::from_xtce(&new.file_name, &new.text).map_err(|error| {
        ProblemResponse::dictionary(format!("{error}; nothing was changed: the versions in force stay"))
    })?;
    let newest = before.versions().last().map(|version| &version.dictionary);
    let changes = dictionary_changes(newest, &compiled);
    let document = MissionDocument {
        kind: DocumentKind::Dictionary,
        number: 0,
        effective_from: new.effective_from,
        effective_to: None,
        file_name: new.file_name,
        bounds: None,
        author: Some(new.author),
        reason: new.reason,
        content: new.text,
    };
    let (would_import, imported) = if new.is_dry_run {
        (true, missions::try_import(documents, mission, &document).await)
    } else {
        (false, missions::import(documents, mission, &document).await)
    };
    let (outcome, number, from) = match imported.map_err(|error| unusable(&error))? {
        Imported::As(number, from) if would_import => (DictionaryOutcome::WouldImport, number, from),
        Imported::As(number, from) => (DictionaryOutcome::Imported, number, from),
        Imported::Known(number) => (DictionaryOutcome::Known, number, None),
    };
    Ok(DictionaryImport { outcome, number, effective_from: from.map(rfc3339), changes })
}
