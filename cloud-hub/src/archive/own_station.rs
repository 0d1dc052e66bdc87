//! The hub's own station: what comes to the links of `hub.toml` is committed as this node's.
//!
//! Its row is written when links are first configured. It has no certificate, so nobody can connect as it, and no
//! token makes another machine of it.

use std::collections::HashSet;

use delivery::{BatchSequence, ChainHash, Lane, Position, SealedBatch, StoreId};
use space_packet::TaiTime;
use uuid::Uuid;

use super::months::Month;
use super::{ArchiveError, Database, LaneKey};

/// Its identity, in every database the same.
pub const OWN_STATION: Uuid = Uuid::from_u128(0x5ed0_6f2c_41b7_4c0e_9a3d_7b1f_0c6e_8d25);
/// Names its one log: what comes in is numbered on from what is committed, over every restart and whichever hub writes.
pub const OWN_STORE: StoreId = StoreId(*b"links of the hub");
/// What it is called: the first that no enrolled node has.
const NAMES: [&str; 3] = ["hub", "hub-links", "hub-own-links"];

/// The row of the hub's own station.
#[derive(Clone)]
pub struct OwnStation {
    database: Database,
}

impl OwnStation {
    /// The row in a database.
    pub fn new(database: Database) -> Self {
        Self { database }
    }

    /// Writes the row if it is not there; false when enrolled nodes have all its names.
    pub async fn establish(&self) -> Result<bool, ArchiveError> {
        let client = self.database.borrow().await?;
        client
            .execute(
                "INSERT INTO node (node_id, name, site)
                 SELECT $1, name, 'hub' FROM unnest($2::text[]) WITH ORDINALITY AS proposed (name, place)
                 WHERE NOT EXISTS (SELECT FROM node WHERE node.node_id = $1 OR node.name = proposed.name)
                 ORDER BY place LIMIT 1",
                &[&OWN_STATION, &NAMES.as_slice()],
            )
            .await?;
        let there = client.query_opt("SELECT FROM node WHERE node_id = $1", &[&OWN_STATION]).await?;
        Ok(there.is_some())
    }

    /// Whether a name is its.
    pub async fn is_called(&self, name: &str) -> Result<bool, ArchiveError> {
        let client = self.database.borrow().await?;
        let statement = "SELECT FROM node WHERE node_id = $1 AND name = $2";
        Ok(client.query_opt(statement, &[&OWN_STATION, &name]).await?.is_some())
    }

    /// Where its log stands at the newest number committed: what the next batch is chained to and counted from.
    pub async fn position(
        &self,
        lane: LaneKey,
        newest: u64,
        hash: ChainHash,
    ) -> Result<Position, ArchiveError> {
        let (epoch, number) = (lane.epoch as i32, i16::from(lane.lane));
        let client = self.database.borrow().await?;
        let row = client
            .query_one(
                "SELECT records, (SELECT sealed FROM ledger
                                  WHERE ledger.node_id = lane.node_id AND ledger.epoch = lane.epoch
                                    AND ledger.lane = lane.lane AND sequence = $4)
                 FROM lane WHERE node_id = $1 AND epoch = $2 AND lane = $3",
                &[&lane.node, &epoch, &number, &(newest as i64)],
            )
            .await?;
        let Some(sealed) = row.get::<_, Option<Vec<u8>>>(1) else {
            // Nothing is committed, or it is so old that its partition is gone: only the count of bytes begins anew.
            let sequence = (newest > 0).then_some(BatchSequence(newest));
            return Ok(Position { sequence, hash, records: row.get::<_, i64>(0) as u64, bytes: 0 });
        };
        let batch = SealedBatch::parse(sealed);
        let batch =
            batch.map_err(|error| ArchiveError::Damaged { what: "batch", source: Box::new(error) })?;
        Ok(batch.position())
    }

    /// The number of the newest batch that is committed of its log; 0 when there is none.
    pub async fn newest(&self) -> Result<u64, ArchiveError> {
        let client = self.database.borrow().await?;
        let sql = "SELECT coalesce(max(watermark), 0) FROM lane JOIN node_epoch USING (node_id, epoch)
                   WHERE node_id = $1 AND store_id = $2 AND lane = $3";
        let lane = i16::from(u8::from(Lane::Telemetry));
        let row = client.query_one(sql, &[&OWN_STATION, &OWN_STORE.0.as_slice(), &lane]).await?;
        Ok(row.get::<_, i64>(0).cast_unsigned())
    }

    /// Batches of its log behind a number, in order, at most so many: of those committed in the month of a time and
    /// since. With them, when the newest was committed.
    pub async fn behind(
        &self,
        sequence: u64,
        since: TaiTime,
        count: i64,
    ) -> Result<(Vec<SealedBatch>, TaiTime), ArchiveError> {
        let client = self.database.borrow().await?;
        let statement = client
            .prepare_cached(
                "SELECT sealed, committed_at FROM ledger JOIN node_epoch USING (node_id, epoch)
                 WHERE node_id = $1 AND store_id = $2 AND lane = $3 AND sequence > $4 AND month >= $5
                 ORDER BY sequence LIMIT $6",
            )
            .await?;
        let (lane, month) = (i16::from(u8::from(Lane::Telemetry)), Month::of(since.0).0);
        let rows = client
            .query(
                &statement,
                &[&OWN_STATION, &OWN_STORE.0.as_slice(), &lane, &sequence.cast_signed(), &month, &count],
            )
            .await?;
        let parse = |row: &tokio_postgres::Row| SealedBatch::parse(row.get(0));
        let batches = rows.iter().map(parse).collect::<Result<_, _>>();
        let batches =
            batches.map_err(|error| ArchiveError::Damaged { what: "batch", source: Box::new(error) })?;
        Ok((batches, rows.last().map_or(since, |row| TaiTime(row.get(1)))))
    }

    /// Of numbers of its log, first and last reception of the batches that the ledger has under them.
    pub async fn receptions(
        &self,
        lane: LaneKey,
        sequences: &[i64],
    ) -> Result<HashSet<(u64, i64, i64)>, ArchiveError> {
        let (epoch, number) = (lane.epoch as i32, i16::from(lane.lane));
        let client = self.database.borrow().await?;
        let rows = client
            .query(
                "SELECT sequence, first_reception, last_reception FROM ledger
                 WHERE node_id = $1 AND epoch = $2 AND lane = $3 AND sequence = ANY($4)",
                &[&lane.node, &epoch, &number, &sequences],
            )
            .await?;
        Ok(rows.iter().map(|row| (row.get::<_, i64>(0) as u64, row.get(1), row.get(2))).collect())
    }
}
