//! What the hub brings to the router of limits: versions of the document beside a dictionary, the next one, and trials.

mod changed;
mod trial;

use std::ops::Range;
use std::sync::Arc;

use dashboard::contract::{
    LimitBounds, LimitsChange, LimitsDocument, LimitsFormat, LimitsTrial, LimitsVersion,
};
use dashboard::limits::{Answer, Limits, WantedContent, WantedLimits, described_rows};
use dashboard::{LiveMission, ProblemResponse, rfc3339};
use futures_util::FutureExt;
use mission_database::{BoundMeaning, EffectiveSpan, LimitsOverlay, MissionDatabase};
use service::documents::{self, Bounds, DocumentError, DocumentKind, MissionDocument};
use service::logging::chain;
use space_packet::TaiTime;
use tracing::{info, warn};

use crate::archive::{Archive, ArchiveError, Database, Documents, Imported};
use crate::missions::{Overtaken, check_basis};
use changed::Changed;

/// Parameters that a refusal names; further ones are counted.
const NAMED_MAX: usize = 5;

/// Limits as dashboards see and change them.
pub(crate) struct HubLimits {
    archive: Arc<Archive>,
    database: Database,
    documents: Documents,
}

/// Why limits are not taken. The versions in force stay.
#[derive(Debug)]
enum Refused {
    Archive(ArchiveError),
    Conflict(Overtaken),
    Document(String),
}

impl From<ArchiveError> for Refused {
    fn from(error: ArchiveError) -> Self {
        Self::Archive(error)
    }
}

impl From<DocumentError> for Refused {
    fn from(error: DocumentError) -> Self {
        Self::Document(error.to_string())
    }
}

impl From<Overtaken> for Refused {
    fn from(overtaken: Overtaken) -> Self {
        Self::Conflict(overtaken)
    }
}

impl HubLimits {
    pub(crate) fn new(archive: Arc<Archive>, database: Database) -> Self {
        let documents = Documents::new(database.clone());
        Self { archive, database, documents }
    }

    async fn newest_first(&self, mission: &str) -> Result<Vec<LimitsVersion>, ArchiveError> {
        let rows = self.documents.list(mission, DocumentKind::Limits).await?;
        Ok(rows.into_iter().rev().map(|row| version(row.document, row.imported_at)).collect())
    }

    async fn one(&self, live: &LiveMission, number: u32) -> Result<Option<LimitsDocument>, ArchiveError> {
        let found = self.documents.one(live.name(), DocumentKind::Limits, number).await?;
        let Some((document, imported_at)) = found else { return Ok(None) };
        let database = live.database();
        // What was imported was read then.
        let overlay = overlay(&document)
            .map_err(|error| ArchiveError::Damaged { what: "version of limits", source: error.into() })?;
        let (limits, bounds) = described_rows(&database.newest().dictionary, &overlay.rows);
        let bounds = document.bounds.map_or(bounds, of_bounds);
        let (file_name, text) = (document.file_name.clone(), document.content.clone());
        let version = version(document, imported_at.0);
        Ok(Some(LimitsDocument { version, file_name, bounds, text, limits }))
    }

    async fn make(&self, mission: &str, wanted: WantedLimits) -> Result<LimitsVersion, Refused> {
        let known = self.documents.of(mission).await?;
        let based_on = wanted.based_on;
        check_basis(&known, DocumentKind::Limits, based_on)?;
        let document = match wanted.content {
            WantedContent::Changes(changes) => {
                let at = wanted.effective.from.unwrap_or_else(service::clock::now);
                let new = (wanted.author.clone(), wanted.note.clone());
                // Reading a dictionary takes a core for as long as a second.
                let changed = blocking(move || {
                    let database = documents::database(&known)?;
                    Changed::of(&database, at, &changes, &new).map_err(Refused::Document)
                })
                .await?;
                let effective = EffectiveSpan { to: changed.until, ..wanted.effective };
                document(changed.text, LimitsFormat::Toml, None, effective)
            }
            WantedContent::Document { text, format, bounds } => {
                document(text, format, bounds, wanted.effective)
            }
        };
        let document = MissionDocument { author: Some(wanted.author), reason: Some(wanted.note), ..document };
        let check = move |known: &[MissionDocument], numbered: &MissionDocument| {
            check_basis(known, DocumentKind::Limits, based_on)?;
            let mut all = known.to_vec();
            all.push(numbered.clone());
            documents::database(&all).map(drop).map_err(Refused::from)
        };
        let number = match self.documents.import(mission, &document, false, check).await? {
            Imported::As(number, _) | Imported::Known(number) => number,
        };
        info!(mission, number, author = document.author, "limits were changed over the API");
        let versions = self.newest_first(mission).await?;
        let made = versions.into_iter().find(|version| version.number == number);
        made.ok_or_else(|| {
            Refused::Document("the version that was just made is not there; report this".to_owned())
        })
    }

    /// What somebody is told whose limits are not taken.
    async fn problem(&self, live: &LiveMission, based_on: Option<u32>, refused: Refused) -> ProblemResponse {
        match refused {
            Refused::Archive(error) => unavailable(&error),
            Refused::Document(message) => ProblemResponse::limits_refused(format!(
                "{message}; the limits in force stay as they are: mend the place named, and send them again"
            )),
            Refused::Conflict(Overtaken { newest }) => match self.difference(live, based_on, newest).await {
                Ok(detail) => ProblemResponse::limits_conflict(detail),
                Err(error) => unavailable(&error),
            },
        }
    }

    /// What changed between the version that somebody knew and the newest.
    async fn difference(
        &self,
        live: &LiveMission,
        based_on: Option<u32>,
        newest: Option<u32>,
    ) -> Result<String, ArchiveError> {
        let Some(newest) = newest else {
            return Ok("there is no version of the limits; base the change on none".to_owned());
        };
        let limits = async |number: Option<u32>| match number {
            Some(number) => self.one(live, number).await,
            None => Ok(None),
        };
        let (before, now) = (limits(based_on).await?, limits(Some(newest)).await?);
        let (before, now) =
            (before.map(|it| it.limits).unwrap_or_default(), now.map(|it| (it.version, it.limits)));
        let (version, now) = now.ok_or_else(|| ArchiveError::Damaged {
            what: "version of limits",
            source: format!("{newest} is not there").into(),
        })?;
        let gone = before.iter().filter(|limits| now.iter().all(|other| other.parameter != limits.parameter));
        let new = now.iter().filter(|limits| !before.contains(limits));
        let mut changed: Vec<&str> = new.chain(gone).map(|limits| limits.parameter.as_str()).collect();
        changed.sort_unstable();
        let (named, more) = (changed.len().min(NAMED_MAX), changed.len().saturating_sub(NAMED_MAX));
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        Ok(format!(
            "version {newest}, by {} ({}), changed {}{more}; nothing of yours was taken: look at it, then send yours \
             again with `based_on` {newest}",
            version.author.as_deref().unwrap_or("somebody"),
            version.note.as_deref().unwrap_or("no note"),
            if changed.is_empty() { "no parameter".to_owned() } else { changed[..named].join(", ") },
        ))
    }
}

impl Limits for HubLimits {
    fn versions<'a>(&'a self, mission: &'a LiveMission) -> Answer<'a, Vec<LimitsVersion>> {
        async move { self.newest_first(mission.name()).await.map_err(|error| unavailable(&error)) }.boxed()
    }

    fn document<'a>(&'a self, mission: &'a LiveMission, number: u32) -> Answer<'a, Option<LimitsDocument>> {
        async move { self.one(mission, number).await.map_err(|error| unavailable(&error)) }.boxed()
    }

    fn put<'a>(&'a self, mission: &'a LiveMission, wanted: WantedLimits) -> Answer<'a, LimitsVersion> {
        async move {
            let based_on = wanted.based_on;
            match self.make(mission.name(), wanted).await {
                Ok(version) => Ok(version),
                Err(refused) => Err(self.problem(mission, based_on, refused).await),
            }
        }
        .boxed()
    }

    fn trial<'a>(
        &'a self,
        mission: &'a LiveMission,
        changes: Vec<LimitsChange>,
        span: Range<TaiTime>,
    ) -> Answer<'a, LimitsTrial> {
        async move {
            let mut missions = self.archive.missions().iter();
            let index = missions.position(|archived| archived.live.name() == mission.name());
            let index =
                index.ok_or_else(|| ProblemResponse::unknown_mission("the mission is not configured"))?;
            trial::run(&self.archive, &self.database, index, &changes, span).await
        }
        .boxed()
    }
}

fn document(
    content: String,
    format: LimitsFormat,
    bounds: Option<LimitBounds>,
    effective: EffectiveSpan,
) -> MissionDocument {
    MissionDocument {
        kind: DocumentKind::Limits,
        number: 0,
        effective_from: effective.from,
        effective_to: effective.to,
        file_name: match format {
            LimitsFormat::Csv => "limits.csv".to_owned(),
            LimitsFormat::Toml => "limits.toml".to_owned(),
        },
        bounds: bounds.map(|bounds| match bounds {
            LimitBounds::Good => Bounds::Good,
            LimitBounds::Violation => Bounds::Violation,
        }),
        author: None,
        reason: None,
        content,
    }
}

fn overlay(document: &MissionDocument) -> Result<LimitsOverlay, mission_database::LimitsError> {
    let bounds = document.bounds.map(BoundMeaning::from);
    LimitsOverlay::parse(&document.file_name, &document.content, bounds)
}

fn of_bounds(bounds: Bounds) -> LimitBounds {
    match bounds {
        Bounds::Good => LimitBounds::Good,
        Bounds::Violation => LimitBounds::Violation,
    }
}

fn version(document: MissionDocument, imported_at: i64) -> LimitsVersion {
    LimitsVersion {
        number: document.number,
        effective_from: document.effective_from.map(rfc3339),
        effective_to: document.effective_to.map(rfc3339),
        imported_at: Some(rfc3339(TaiTime(imported_at))),
        author: document.author,
        note: document.reason,
    }
}

/// Rows of the version that counts at a moment, and what their bounds mean.
fn rows_at(database: &MissionDatabase, at: TaiTime) -> (Option<&LimitsOverlay>, BoundMeaning) {
    let number = database.at(at).limits;
    let version = database.limits().iter().find(|version| Some(version.number) == number);
    let overlay = version.map(|version| &version.overlay);
    let ranges = overlay.into_iter().flat_map(|overlay| &overlay.rows).flat_map(|row| row.ranges);
    let mut bounds = ranges.flat_map(|range| [range.low, range.high]).flatten();
    (overlay, bounds.next().map_or(BoundMeaning::Good, |bound| bound.meaning))
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Refused> + Send + 'static,
) -> Result<T, Refused> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| ArchiveError::Damaged { what: "version of limits", source: Box::new(error) })?
}

fn unavailable(error: &ArchiveError) -> ProblemResponse {
    warn!(error = chain(error), "question about limits could not be answered");
    crate::archive::problem(error)
}
