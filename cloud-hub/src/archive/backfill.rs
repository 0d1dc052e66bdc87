//! Requests for backfill, as the database has them.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use delivery::SendFirst;
use space_packet::TaiTime;
use tokio_postgres::Row;
use uuid::Uuid;

use super::{ArchiveError, Database};

const NANOS_PER_DAY: i64 = 86_400_000_000_000;
/// How long a request is repeated.
const OPEN_FOR: i64 = NANOS_PER_DAY;
/// How long it is shown.
const SHOWN_FOR: i64 = 30 * NANOS_PER_DAY;
const LISTED_MAX: i64 = 1_000;
/// Open requests of a node: as many as it keeps in mind.
const OPEN_MAX: i64 = 8;

/// The requests of all missions.
#[derive(Clone)]
pub struct BackfillTable {
    database: Database,
}

/// A request.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct BackfillRow {
    /// Its number.
    pub number: i64,
    /// Which node.
    pub node: Uuid,
    /// What that is called.
    pub node_name: String,
    /// Which reception times.
    pub span: Range<TaiTime>,
    /// Who asked.
    pub asked_by: String,
    /// When.
    pub asked_at: TaiTime,
    /// How it stands.
    pub standing: BackfillStanding,
    /// Batches that waited at the node when it last said so.
    pub batches: Option<u64>,
    /// When the node last said so, else when somebody asked.
    pub changed_at: TaiTime,
}

/// How a request stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum BackfillStanding {
    /// The node has not answered.
    Asked,
    /// It was open for a day.
    Expired,
    /// Nothing of it waited when the node was asked.
    NothingWaits,
    /// Nothing of it waits any more.
    Served,
    /// It is coming.
    UnderWay,
}

/// What became of a request.
#[derive(Debug)]
pub enum Asked {
    /// It is open.
    Open(BackfillRow),
    /// The node has as many open requests as it may.
    TooMany,
}

const COLUMNS: &str =
    "request_id, node_id, node.name, received_from, received_to, asked_by, asked_at, state, batches,
                       changed_at";
const IS_OPEN: &str = "state IN ('asked', 'under-way')";

impl BackfillTable {
    /// The requests of a database.
    pub fn new(database: Database) -> Self {
        Self { database }
    }

    /// Asks for a span. An open request that wants the same is the one.
    pub async fn ask(
        &self,
        mission: &str,
        node: Uuid,
        span: Range<TaiTime>,
        by: &str,
    ) -> Result<Asked, ArchiveError> {
        let now = service::clock::now().0;
        let mut client = self.database.borrow().await?;
        let transaction = client.transaction().await?;
        // Who asks the same node at once waits.
        transaction.execute("SELECT FROM node WHERE node_id = $1 FOR UPDATE", &[&node]).await?;
        let old = now - SHOWN_FOR;
        transaction.execute("DELETE FROM backfill_request WHERE asked_at < $1", &[&old]).await?;
        let sql = format!(
            "SELECT {COLUMNS} FROM backfill_request JOIN node USING (node_id)
             WHERE node_id = $1 AND asked_at > $2 AND {IS_OPEN}"
        );
        let open = transaction.query(&sql, &[&node, &(now - OPEN_FOR)]).await?;
        let open = open.iter().map(|row| request(row, now)).collect::<Result<Vec<_>, _>>()?;
        let of_mission = "SELECT request_id FROM backfill_request
                          WHERE mission = $1 AND node_id = $2 AND received_from = $3 AND received_to = $4
                            AND request_id = ANY ($5)";
        let numbers: Vec<i64> = open.iter().map(|row| row.number).collect();
        let same = transaction
            .query_opt(of_mission, &[&mission, &node, &span.start.0, &span.end.0, &numbers])
            .await?;
        if let Some(number) = same.map(|row| row.get::<_, i64>(0))
            && let Some(found) = open.iter().find(|row| row.number == number)
        {
            return Ok(Asked::Open(found.clone()));
        }
        if open.len() as i64 >= OPEN_MAX {
            return Ok(Asked::TooMany);
        }
        let sql = format!(
            "WITH made AS (
                 INSERT INTO backfill_request (mission, node_id, received_from, received_to, asked_by, asked_at, changed_at)
                 VALUES ($1, $2, $3, $4, $5, $6, $6) RETURNING *)
             SELECT {COLUMNS} FROM made JOIN node USING (node_id)"
        );
        let row =
            transaction.query_one(&sql, &[&mission, &node, &span.start.0, &span.end.0, &by, &now]).await?;
        let made = request(&row, now)?;
        transaction.commit().await?;
        Ok(Asked::Open(made))
    }

    /// Requests about a mission, newest first.
    pub async fn list(&self, mission: &str) -> Result<Vec<BackfillRow>, ArchiveError> {
        let now = service::clock::now().0;
        let question = self.database.borrow_for_question(mission).await?;
        let sql = format!(
            "SELECT {COLUMNS} FROM backfill_request JOIN node USING (node_id)
             WHERE mission = $1 AND asked_at > $2 ORDER BY request_id DESC LIMIT $3"
        );
        let rows = question.query(&sql, &[&mission, &(now - SHOWN_FOR), &LISTED_MAX]).await?;
        question.finish().await?;
        rows.iter().map(|row| request(row, now)).collect()
    }

    /// What nodes are to be asked, by node.
    pub async fn open(&self) -> Result<HashMap<Uuid, Vec<SendFirst>>, ArchiveError> {
        let since = service::clock::now().0 - OPEN_FOR;
        let client = self.database.borrow().await?;
        let sql = format!(
            "SELECT node_id, request_id, received_from, received_to FROM backfill_request
             WHERE asked_at > $1 AND {IS_OPEN} ORDER BY request_id"
        );
        let mut open: HashMap<Uuid, Vec<SendFirst>> = HashMap::new();
        for row in client.query(&client.prepare_cached(&sql).await?, &[&since]).await? {
            let (from, to) = (TaiTime(row.get(2)), TaiTime(row.get(3)));
            let request = row.get::<_, i64>(1).cast_unsigned();
            open.entry(row.get(0)).or_default().push(SendFirst { request, from, to });
        }
        Ok(open)
    }

    /// A node said how much of each request still waits with it.
    pub async fn answered(&self, node: Uuid, waiting: &BTreeMap<u64, u64>) -> Result<(), ArchiveError> {
        let numbers: Vec<i64> = waiting.keys().map(|number| number.cast_signed()).collect();
        let batches: Vec<i64> =
            waiting.values().map(|batches| i64::try_from(*batches).unwrap_or(i64::MAX)).collect();
        let client = self.database.borrow().await?;
        let sql = format!(
            "UPDATE backfill_request SET changed_at = $4, batches = said.batches, state = CASE
                 WHEN said.batches > 0 THEN 'under-way'
                 WHEN state = 'under-way' THEN 'served' ELSE 'nothing-waits' END
             FROM unnest($2::bigint[], $3::bigint[]) AS said (number, batches)
             WHERE node_id = $1 AND request_id = said.number AND {IS_OPEN}"
        );
        client.execute(&sql, &[&node, &numbers, &batches, &service::clock::now().0]).await?;
        Ok(())
    }
}

fn request(row: &Row, now: i64) -> Result<BackfillRow, ArchiveError> {
    let asked_at: i64 = row.get(6);
    let is_old = asked_at <= now - OPEN_FOR;
    let standing = match (row.get::<_, &str>(7), is_old) {
        ("nothing-waits", _) => BackfillStanding::NothingWaits,
        ("served", _) => BackfillStanding::Served,
        ("asked" | "under-way", true) => BackfillStanding::Expired,
        ("asked", false) => BackfillStanding::Asked,
        ("under-way", false) => BackfillStanding::UnderWay,
        _ => {
            let source = "its state is none".into();
            return Err(ArchiveError::Damaged { what: "request for backfill", source });
        }
    };
    Ok(BackfillRow {
        number: row.get(0),
        node: row.get(1),
        node_name: row.get(2),
        span: TaiTime(row.get(3))..TaiTime(row.get(4)),
        asked_by: row.get(5),
        asked_at: TaiTime(asked_at),
        standing,
        batches: row.get::<_, Option<i64>>(8).map(i64::cast_unsigned),
        changed_at: TaiTime(row.get(9)),
    })
}
