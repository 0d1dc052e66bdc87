//! What the hub refused, and batches it keeps apart from the archive.

use delivery::SealedBatch;
use space_packet::TaiTime;
use uuid::Uuid;

use super::ledger::keep_apart;
use super::{ApartCause, ArchiveError, Database, LaneKey};

/// Events kept; older ones go.
const EVENTS_MAX: i64 = 10_000;
/// Batches of one node kept apart: beyond, its session ends and the rest stays with it.
const APART_MAX: i64 = 4_096;

/// Something somebody should know of.
#[derive(Clone, Debug)]
pub struct HubEvent {
    /// When, TAI.
    pub at: TaiTime,
    /// Whom it is about.
    pub node: Option<String>,
    /// Its stable code.
    pub code: String,
    /// What happened.
    pub text: String,
}

/// A batch that is kept apart.
#[derive(Clone, Debug)]
pub struct KeptApart {
    /// Its number here.
    pub kept_id: i64,
    /// The node that sent it.
    pub node: String,
    /// Epoch of its journal.
    pub epoch: i32,
    /// Its lane.
    pub lane: i16,
    /// Its number there.
    pub sequence: i64,
    /// Why it is not in the archive.
    pub cause: String,
    /// Since when, TAI.
    pub kept_at: TaiTime,
    /// Its bytes.
    pub bytes: i64,
}

/// The tables of what was refused.
#[derive(Clone)]
pub struct Evidence {
    database: Database,
}

impl Evidence {
    /// The evidence of a database.
    pub fn new(database: Database) -> Self {
        Self { database }
    }

    /// Writes an event down.
    pub async fn record(&self, node: Option<Uuid>, code: &str, text: &str) -> Result<(), ArchiveError> {
        let client = self.database.borrow().await?;
        let now = service::clock::now();
        client
            .execute(
                "WITH added AS (INSERT INTO hub_event (at, node_id, code, text) VALUES ($1, $2, $3, $4)
                                RETURNING event_id)
                 DELETE FROM hub_event WHERE event_id <= (SELECT event_id FROM added) - $5",
                &[&now.0, &node, &code, &text, &EVENTS_MAX],
            )
            .await?;
        Ok(())
    }

    /// The newest events, newest first.
    pub async fn events(&self, count: i64) -> Result<Vec<HubEvent>, ArchiveError> {
        let client = self.database.borrow().await?;
        let rows = client
            .query(
                "SELECT at, name, code, text FROM hub_event LEFT JOIN node USING (node_id)
                 ORDER BY event_id DESC LIMIT $1",
                &[&count],
            )
            .await?;
        let event = |row: &tokio_postgres::Row| HubEvent {
            at: TaiTime(row.get(0)),
            node: row.get(1),
            code: row.get(2),
            text: row.get(3),
        };
        Ok(rows.iter().map(event).collect())
    }

    /// Keeps a batch out of the archive, once; false when its node has too many of them already.
    pub async fn keep_apart(
        &self,
        lane: LaneKey,
        batch: &SealedBatch,
        cause: ApartCause,
    ) -> Result<bool, ArchiveError> {
        let client = self.database.borrow().await?;
        let count =
            client.query_one("SELECT count(*) FROM kept_apart WHERE node_id = $1", &[&lane.node]).await?;
        if count.get::<_, i64>(0) >= APART_MAX {
            return Ok(false);
        }
        keep_apart(&**client, lane, batch, cause, service::clock::now()).await?;
        Ok(true)
    }

    /// What is kept apart, oldest first.
    pub async fn kept_apart(&self) -> Result<Vec<KeptApart>, ArchiveError> {
        let client = self.database.borrow().await?;
        let rows = client
            .query(
                "SELECT kept_id, name, epoch, lane, sequence, cause, kept_at, length(sealed)::bigint
                 FROM kept_apart JOIN node USING (node_id) ORDER BY kept_id",
                &[],
            )
            .await?;
        let kept = |row: &tokio_postgres::Row| KeptApart {
            kept_id: row.get(0),
            node: row.get(1),
            epoch: row.get(2),
            lane: row.get(3),
            sequence: row.get(4),
            cause: row.get(5),
            kept_at: TaiTime(row.get(6)),
            bytes: row.get(7),
        };
        Ok(rows.iter().map(kept).collect())
    }

    /// The bytes of a batch that is kept apart.
    pub async fn sealed(&self, kept_id: i64) -> Result<Option<Vec<u8>>, ArchiveError> {
        let client = self.database.borrow().await?;
        let row = client.query_opt("SELECT sealed FROM kept_apart WHERE kept_id = $1", &[&kept_id]).await?;
        Ok(row.map(|row| row.get(0)))
    }
}
