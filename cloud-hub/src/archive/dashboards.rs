//! Dashboards in the database: a document of each, and what lists say of it. A change locks the dashboard's row, so that
//! it does not matter at which hub somebody makes it.

use dashboard::ProblemResponse;
use dashboard::dashboards::{Answer, DashboardStore, Edit, Edited};
use futures_util::FutureExt;
use operator_state::{Audience, DashboardDocument, Facts, Signature};
use service::logging::chain;
use space_packet::TaiTime;
use tokio_postgres::{Row, Transaction};
use tracing::warn;

use super::problem;
use super::{ArchiveError, Database};

/// The table of dashboards.
pub struct DashboardTable {
    database: Database,
}

/// Why an edit came to nothing.
enum NotEdited {
    Refused(ProblemResponse),
    Archive(ArchiveError),
}

impl From<tokio_postgres::Error> for NotEdited {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Archive(error.into())
    }
}

fn not_answered(error: &ArchiveError) -> ProblemResponse {
    warn!(error = chain(error), "dashboards could not be kept or read");
    problem(error)
}

fn facts(row: &Row) -> Result<(String, Facts), ArchiveError> {
    let audience = Audience::of(row.get(3)).ok_or_else(|| ArchiveError::Damaged {
        what: "dashboard",
        source: format!("its audience is {:?}", row.get::<_, &str>(3)).into(),
    })?;
    let facts = Facts {
        title: row.get(1),
        author: row.get(2),
        audience,
        changed: Signature { author: row.get(5), at: TaiTime(row.get(4)) },
        widgets: row.get::<_, i32>(6).unsigned_abs() as usize,
        conflicts: row.get::<_, i32>(7).unsigned_abs() as usize,
    };
    Ok((row.get(0), facts))
}

impl DashboardTable {
    /// The table of a database.
    pub fn new(database: Database) -> Self {
        Self { database }
    }

    async fn listed(&self, mission: &str) -> Result<Vec<(String, Facts)>, ArchiveError> {
        let question = self.database.borrow_for_question(mission).await?;
        let sql = "SELECT dashboard_id, title, author, audience, changed_at, changed_by, widgets, conflicts
                   FROM dashboard WHERE mission = $1";
        let rows = question.query(sql, &[&mission]).await?;
        question.finish().await?;
        rows.iter().map(facts).collect()
    }

    async fn found(&self, mission: &str, id: &str) -> Result<Option<Vec<u8>>, ArchiveError> {
        let question = self.database.borrow_for_question(mission).await?;
        let sql = "SELECT document FROM dashboard WHERE mission = $1 AND dashboard_id = $2";
        let row = question.query_opt(sql, &[&mission, &id]).await?;
        question.finish().await?;
        Ok(row.map(|row| row.get(0)))
    }

    async fn edited(
        &self,
        mission: &str,
        id: &str,
        edit: Edit,
    ) -> Result<Option<DashboardDocument>, NotEdited> {
        let mut client = self.database.borrow().await.map_err(NotEdited::Archive)?;
        let transaction = client.transaction().await?;
        let (document, count) = locked(&transaction, mission, id).await?;
        let edited = tokio::task::spawn_blocking(move || edit(document, count)).await;
        let failed = |_| ProblemResponse::internal("a dashboard could not be changed; it is as it was");
        let edited = edited.map_err(failed).and_then(|edited| edited).map_err(NotEdited::Refused)?;
        let left = match edited {
            Edited::Keep(document) => {
                keep(&transaction, mission, id, &document).await?;
                Some(document)
            }
            Edited::Leave(document) => Some(document),
            Edited::Remove => {
                let sql = "DELETE FROM dashboard WHERE mission = $1 AND dashboard_id = $2";
                transaction.execute(sql, &[&mission, &id]).await?;
                None
            }
        };
        transaction.commit().await?;
        Ok(left)
    }
}

/// A dashboard that nobody else changes until the transaction ends, and how many its mission has, if it is none of them.
async fn locked(
    transaction: &Transaction<'_>,
    mission: &str,
    id: &str,
) -> Result<(Option<Vec<u8>>, usize), tokio_postgres::Error> {
    let sql = "SELECT document FROM dashboard WHERE mission = $1 AND dashboard_id = $2 FOR UPDATE";
    if let Some(row) = transaction.query_opt(sql, &[&mission, &id]).await? {
        return Ok((Some(row.get(0)), 0));
    }
    // There is no row to lock: new dashboards of a mission are made one after the other.
    let alone = "SELECT pg_advisory_xact_lock(hashtextextended('dashboard ' || $1, 0))";
    transaction.execute(alone, &[&mission]).await?;
    let made_meanwhile = transaction.query_opt(sql, &[&mission, &id]).await?;
    let count = "SELECT count(*) FROM dashboard WHERE mission = $1";
    let count: i64 = transaction.query_one(count, &[&mission]).await?.get(0);
    Ok((made_meanwhile.map(|row| row.get(0)), usize::try_from(count).unwrap_or_default()))
}

async fn keep(
    transaction: &Transaction<'_>,
    mission: &str,
    id: &str,
    document: &DashboardDocument,
) -> Result<(), tokio_postgres::Error> {
    let Facts { title, author, audience, changed, widgets, conflicts } = document.content().facts();
    let count = |count: usize| i32::try_from(count).unwrap_or(i32::MAX);
    let (widgets, conflicts) = (count(widgets), count(conflicts));
    let sql = "INSERT INTO dashboard (mission, dashboard_id, title, author, audience, changed_at, changed_by, widgets,
                                      conflicts, document)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
               ON CONFLICT (mission, dashboard_id) DO UPDATE
                   SET title = excluded.title, audience = excluded.audience, changed_at = excluded.changed_at,
                       changed_by = excluded.changed_by, widgets = excluded.widgets, conflicts = excluded.conflicts,
                       document = excluded.document";
    let (audience, at, by) = (audience.word(), changed.at.0, &changed.author);
    let bytes = document.bytes();
    transaction
        .execute(sql, &[&mission, &id, &title, &author, &audience, &at, by, &widgets, &conflicts, &bytes])
        .await?;
    Ok(())
}

impl DashboardStore for DashboardTable {
    fn list<'a>(&'a self, mission: &'a str) -> Answer<'a, Vec<(String, Facts)>> {
        async move { self.listed(mission).await.map_err(|error| not_answered(&error)) }.boxed()
    }

    fn find<'a>(&'a self, mission: &'a str, id: &'a str) -> Answer<'a, Option<Vec<u8>>> {
        async move { self.found(mission, id).await.map_err(|error| not_answered(&error)) }.boxed()
    }

    fn edit<'a>(
        &'a self,
        mission: &'a str,
        id: &'a str,
        edit: Edit,
    ) -> Answer<'a, Option<DashboardDocument>> {
        async move {
            self.edited(mission, id, edit).await.map_err(|not_edited| match not_edited {
                NotEdited::Refused(problem) => problem,
                NotEdited::Archive(error) => not_answered(&error),
            })
        }
        .boxed()
    }
}
