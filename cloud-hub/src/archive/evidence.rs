//! What the hub refused, and batches it keeps apart from the archive.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use delivery::SealedBatch;
use space_packet::TaiTime;
use tokio_postgres::GenericClient;
use uuid::Uuid;

use super::ledger::keep_apart;
use super::{ApartCause, ArchiveError, Database, LaneKey};

/// Events kept; older ones go.
const EVENTS_MAX: i64 = 10_000;
/// Of one node so many are kept, so that it cannot push out what is known of others.
const NODE_EVENTS_MAX: i64 = 500;
/// The same code about the same node is written down once in this time, with how often it happened before.
const REPEATED_AFTER: Duration = Duration::from_secs(1);
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
    /// What was written down last, by node and code: as many as there are nodes that did something wrong.
    newest: Arc<Mutex<HashMap<(Uuid, &'static str), Written>>>,
}

/// An event that was written down, and what of its kind came too soon after it.
struct Written {
    at: Instant,
    left_out: u64,
}

impl Evidence {
    /// The evidence of a database.
    pub fn new(database: Database) -> Self {
        Self { database, newest: Arc::default() }
    }

    pub(super) fn database(&self) -> &Database {
        &self.database
    }

    /// Writes down what a node did. What repeats within a second is counted, and told of with the next.
    pub async fn note(&self, node: Uuid, code: &'static str, text: &str) -> Result<(), ArchiveError> {
        match self.left_out(node, code, Instant::now()) {
            None => Ok(()),
            Some(0) => self.record(Some(node), code, text).await,
            Some(left_out) => {
                self.record(Some(node), code, &format!("{text} ({left_out} more before)")).await
            }
        }
    }

    /// Writes an event down.
    pub async fn record(&self, node: Option<Uuid>, code: &str, text: &str) -> Result<(), ArchiveError> {
        let client = self.database.borrow().await?;
        record_in(&**client, node, code, text).await
    }

    /// How many of a kind were not written down before this one; absent when this one is not either.
    fn left_out(&self, node: Uuid, code: &'static str, now: Instant) -> Option<u64> {
        let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        match newest.entry((node, code)) {
            Entry::Occupied(known) if now.duration_since(known.get().at) < REPEATED_AFTER => {
                known.into_mut().left_out += 1;
                None
            }
            Entry::Occupied(mut known) => {
                Some(std::mem::replace(known.get_mut(), Written { at: now, left_out: 0 }).left_out)
            }
            Entry::Vacant(place) => {
                place.insert(Written { at: now, left_out: 0 });
                Some(0)
            }
        }
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

/// Writes an event down, and lets the oldest go: with what it tells of, when `client` is a transaction.
pub(super) async fn record_in(
    client: &impl GenericClient,
    node: Option<Uuid>,
    code: &str,
    text: &str,
) -> Result<(), ArchiveError> {
    let now = service::clock::now();
    client
        .execute(
            "WITH added AS (INSERT INTO hub_event (at, node_id, code, text) VALUES ($1, $2, $3, $4)
                            RETURNING event_id)
             DELETE FROM hub_event WHERE event_id <= (SELECT event_id FROM added) - $5
                OR event_id <= (SELECT event_id FROM hub_event WHERE node_id = $2
                                ORDER BY event_id DESC OFFSET $6 LIMIT 1) AND node_id = $2",
            &[&now.0, &node, &code, &text, &EVENTS_MAX, &NODE_EVENTS_MAX],
        )
        .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_node_repeats_within_a_second_is_counted_by_node_and_code() {
        let database = Database::at_url("postgresql://nobody@localhost/none").expect("an address");
        let evidence = Evidence::new(database);
        let (one, other, began) = (Uuid::from_u128(1), Uuid::from_u128(2), Instant::now());
        let check = |node, code, after_ms, expected| {
            let at = began + Duration::from_millis(after_ms);
            assert_eq!(evidence.left_out(node, code, at), expected, "{code} after {after_ms} ms");
        };
        check(one, "STO-A", 0, Some(0));
        check(one, "STO-A", 10, None);
        check(one, "STO-A", 999, None);
        check(one, "STO-B", 999, Some(0));
        check(other, "STO-A", 999, Some(0));
        check(one, "STO-A", 1_000, Some(2));
        check(one, "STO-A", 3_000, Some(0));
    }
}
