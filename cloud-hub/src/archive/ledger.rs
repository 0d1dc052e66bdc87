//! The ledger: many nodes' batches and their lanes' watermarks in one transaction, or none of them.

use std::collections::HashMap;

use bytes::{BufMut, BytesMut};
use delivery::{BatchSequence, ChainHash, SealedBatch, SessionNumber};
use futures_util::{SinkExt, TryStreamExt};
use space_packet::TaiTime;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, RowStream};
use uuid::Uuid;

use super::ArchiveError;

const NANOS_PER_DAY: i64 = 86_400_000_000_000;

/// A lane of a journal of a node.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct LaneKey {
    /// The node.
    pub node: Uuid,
    /// Its journal.
    pub epoch: u32,
    /// The lane's number.
    pub lane: u8,
}

/// A batch that waits to be committed.
#[derive(Clone, Debug)]
pub struct Received {
    /// Its lane.
    pub lane: LaneKey,
    /// The session it came through.
    pub session: SessionNumber,
    /// The batch.
    pub batch: SealedBatch,
}

/// Batches to be committed together, each with the number it gets in the ledger.
///
/// Of each lane they are one session's and follow each other without a hole ([`delivery::judge_group`]).
pub struct CommitGroup<'a> {
    /// Number and batch.
    pub batches: &'a [(i64, Received)],
    /// What the rows say.
    pub committed_at: TaiTime,
}

struct LaneChange<'a> {
    session: SessionNumber,
    expected: u64,
    last: &'a SealedBatch,
    hash: ChainHash,
    records: u64,
}

impl<'a> CommitGroup<'a> {
    fn lanes(&self) -> HashMap<LaneKey, LaneChange<'a>> {
        let mut lanes: HashMap<LaneKey, LaneChange<'_>> = HashMap::new();
        for (_, received) in self.batches {
            let records = u64::from(received.batch.header.records);
            lanes
                .entry(received.lane)
                .and_modify(|change| {
                    change.last = &received.batch;
                    change.hash = received.batch.position().hash;
                    change.records += records;
                })
                .or_insert(LaneChange {
                    session: received.session,
                    expected: received.batch.header.first_sequence().0 - 1,
                    last: &received.batch,
                    hash: received.batch.position().hash,
                    records,
                });
        }
        lanes
    }
}

/// The one writer's connection.
pub struct Ledger {
    client: Client,
    partition_until: i64,
}

impl Ledger {
    /// Writes through `client`, which holds the writer's lock.
    pub fn new(client: Client) -> Self {
        Self { client, partition_until: i64::MIN }
    }

    /// Number of the newest row; 0 when there is none.
    pub async fn newest(&self) -> Result<i64, ArchiveError> {
        let row = self.client.query_one("SELECT coalesce(max(ledger_id), 0) FROM ledger", &[]).await?;
        let segmented = self.client.query_one("SELECT ledger_id FROM segmented", &[]).await?;
        Ok(row.get::<_, i64>(0).max(segmented.get(0)))
    }

    /// Commits a group; returns the lanes that were fenced off by a newer session. When there are some, nothing is
    /// committed: ask again without them. After an error it is unknown what was committed: ask [`Ledger::holds`] on a
    /// new connection.
    pub async fn commit(&mut self, group: &CommitGroup<'_>) -> Result<Vec<LaneKey>, ArchiveError> {
        self.make_partition(group.committed_at).await?;
        let lanes = group.lanes();
        let transaction = self.client.transaction().await?;
        let sink = transaction.copy_in("COPY ledger FROM STDIN BINARY").await?;
        tokio::pin!(sink);
        sink.send(rows(group).freeze()).await?;
        sink.finish().await?;

        let mut keys: Vec<_> = lanes.keys().copied().collect();
        // One order for everybody, so that two writers could never wait for each other.
        keys.sort_unstable();
        let change = |key: &LaneKey| &lanes[key];
        let nodes: Vec<Uuid> = keys.iter().map(|key| key.node).collect();
        let epochs: Vec<i32> = keys.iter().map(|key| key.epoch as i32).collect();
        let numbers: Vec<i16> = keys.iter().map(|key| i16::from(key.lane)).collect();
        let sessions: Vec<i64> = keys.iter().map(|key| change(key).session.0 as i64).collect();
        let expected: Vec<i64> = keys.iter().map(|key| change(key).expected as i64).collect();
        let watermarks: Vec<i64> = keys.iter().map(|key| change(key).last.header.sequence.0 as i64).collect();
        let hashes: Vec<&[u8]> = keys.iter().map(|key| change(key).hash.0.as_slice()).collect();
        let records: Vec<i64> = keys.iter().map(|key| change(key).records as i64).collect();
        let parameters: [&(dyn ToSql + Sync); 8] =
            [&nodes, &epochs, &numbers, &sessions, &expected, &watermarks, &hashes, &records];
        let moved = transaction
            .query(
                "UPDATE lane SET watermark = new.watermark, hash = new.hash, records = lane.records + new.records
                 FROM unnest($1::uuid[], $2::int[], $3::smallint[], $4::bigint[], $5::bigint[], $6::bigint[],
                             $7::bytea[], $8::bigint[])
                      AS new (node_id, epoch, lane, session_number, expected, watermark, hash, records)
                 WHERE lane.node_id = new.node_id AND lane.epoch = new.epoch AND lane.lane = new.lane
                   AND lane.session_number = new.session_number AND lane.watermark = new.expected
                 RETURNING lane.node_id, lane.epoch, lane.lane",
                &parameters,
            )
            .await?;
        if moved.len() == keys.len() {
            transaction.commit().await?;
            return Ok(Vec::new());
        }
        transaction.rollback().await?;
        let moved: Vec<LaneKey> = moved.iter().map(lane_key).collect();
        Ok(keys.into_iter().filter(|key| !moved.contains(key)).collect())
    }

    /// Whether a group is in the ledger: the truth after an error. Its transaction was carried out as a whole or not
    /// at all, and nobody else gives out the same numbers with the same time.
    pub async fn holds(&self, group: &CommitGroup<'_>) -> Result<bool, ArchiveError> {
        let Some((first, _)) = group.batches.first() else { return Ok(true) };
        let row = self
            .client
            .query_opt(
                "SELECT FROM ledger WHERE ledger_id = $1 AND committed_at = $2",
                &[first, &group.committed_at.0],
            )
            .await?;
        Ok(row.is_some())
    }

    /// Rows behind a number, in order: number, node, batch.
    pub async fn read_behind(client: &Client, ledger_id: i64) -> Result<LedgerRows, ArchiveError> {
        let rows = client
            .query_raw(
                "SELECT ledger_id, node_id, sealed FROM ledger WHERE ledger_id > $1 ORDER BY ledger_id",
                [ledger_id],
            )
            .await?;
        Ok(LedgerRows { rows: Box::pin(rows) })
    }

    /// Makes the partition of a day and of the next one, once a day.
    async fn make_partition(&mut self, now: TaiTime) -> Result<(), ArchiveError> {
        if now.0 < self.partition_until {
            return Ok(());
        }
        let today = now.0.div_euclid(NANOS_PER_DAY);
        for day in [today, today + 1] {
            let (from, to) = (day * NANOS_PER_DAY, (day + 1) * NANOS_PER_DAY);
            let statement = format!(
                "CREATE TABLE IF NOT EXISTS ledger_{day} PARTITION OF ledger FOR VALUES FROM ({from}) TO ({to})"
            );
            self.client.batch_execute(&statement).await?;
        }
        self.partition_until = (today + 1) * NANOS_PER_DAY;
        Ok(())
    }
}

/// Rows of the ledger, read as they are asked for.
pub struct LedgerRows {
    rows: std::pin::Pin<Box<RowStream>>,
}

impl LedgerRows {
    /// The next row.
    pub async fn next(&mut self) -> Result<Option<(i64, Uuid, SealedBatch)>, ArchiveError> {
        let Some(row) = self.rows.try_next().await? else { return Ok(None) };
        let batch = SealedBatch::parse(row.get(2))
            .map_err(|error| ArchiveError::Damaged { what: "batch", source: Box::new(error) })?;
        Ok(Some((row.get(0), row.get(1), batch)))
    }
}

fn lane_key(row: &tokio_postgres::Row) -> LaneKey {
    LaneKey { node: row.get(0), epoch: row.get::<_, i32>(1) as u32, lane: row.get::<_, i16>(2) as u8 }
}

/// The sequence and hash of a lane row.
pub(super) fn position(watermark: i64, hash: &[u8]) -> Option<(Option<BatchSequence>, ChainHash)> {
    let hash = ChainHash(hash.try_into().ok()?);
    Some(((watermark > 0).then_some(BatchSequence(watermark as u64)), hash))
}

/// PostgreSQL's binary COPY format, written by hand: a `dyn ToSql` for each field costs more than the copying.
fn rows(group: &CommitGroup<'_>) -> BytesMut {
    let sealed: usize = group.batches.iter().map(|(_, received)| received.batch.bytes().len()).sum();
    let mut out = BytesMut::with_capacity(sealed + group.batches.len() * 160 + 32);
    out.put_slice(b"PGCOPY\n\xff\r\n\0");
    out.put_i64(0);
    for (ledger_id, received) in group.batches {
        let header = &received.batch.header;
        out.put_i16(14);
        put(&mut out, &ledger_id.to_be_bytes());
        put(&mut out, &group.committed_at.0.to_be_bytes());
        put(&mut out, header.mission.as_bytes());
        put(&mut out, received.lane.node.as_bytes());
        put(&mut out, &(received.lane.epoch as i32).to_be_bytes());
        put(&mut out, &i16::from(received.lane.lane).to_be_bytes());
        put(&mut out, &(header.sequence.0 as i64).to_be_bytes());
        put(&mut out, &(header.records as i32).to_be_bytes());
        put(&mut out, &header.first_reception.0.0.to_be_bytes());
        put(&mut out, &header.last_reception.0.0.to_be_bytes());
        put(&mut out, received.batch.bytes());
        put(&mut out, &i16::from(u8::from(header.content)).to_be_bytes());
        put(&mut out, &(header.quarantined as i32).to_be_bytes());
        match header.gap {
            Some(gap) => put(&mut out, &(gap.first.0 as i64).to_be_bytes()),
            // No value.
            None => out.put_i32(-1),
        }
    }
    out.put_i16(-1);
    out
}

fn put(out: &mut BytesMut, field: &[u8]) {
    out.put_i32(field.len() as i32);
    out.put_slice(field);
}
