//! The ledger: many nodes' batches and their lanes' watermarks in one transaction, or none of them.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use bytes::{BufMut, BytesMut};
use delivery::{ChainHash, LaneChange, Ranges, SealedBatch, SessionNumber, Span, Way};
use futures_util::{SinkExt, TryStreamExt};
use service::metric::Metric;
use space_packet::TaiTime;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, GenericClient, RowStream};
use uuid::Uuid;

use super::alarms::AlarmBatches;
use super::follow::{self, Told};
use super::head::{Place, Reached};
use super::months::Month;
use super::segments::make_partition;
use super::{ArchiveError, Committed, ConnectFailure, Database, Lead};

/// Of a span in a lane's row.
const SPAN_BYTES: usize = 48;

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

/// Why a batch is not put into the archive.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ApartCause {
    /// Its number is known with another content, or it does not continue what is here.
    Fork,
    /// Its node may not send for its mission.
    Mission,
    /// Its records cannot be unpacked.
    Unreadable,
}

impl ApartCause {
    /// One word for it, as in the database.
    pub fn word(self) -> &'static str {
        match self {
            Self::Fork => "fork",
            Self::Mission => "mission",
            Self::Unreadable => "unreadable",
        }
    }
}

/// A batch that waits to be committed.
#[derive(Clone, Debug)]
pub struct Received {
    /// Its lane.
    pub lane: LaneKey,
    /// The session it came through.
    pub session: SessionNumber,
    /// How it came.
    pub way: Way,
    /// The batch.
    pub batch: SealedBatch,
    /// It is kept apart instead: its number counts all the same.
    pub apart: Option<ApartCause>,
}

/// Batches to be committed together, each with the number it gets in the ledger, and how their lanes change by it
/// ([`delivery::judge_group`]).
pub struct CommitGroup<'a> {
    /// Number and batch.
    pub batches: &'a [(i64, Received)],
    /// Of each lane, and what its node may forget then.
    pub lanes: &'a HashMap<LaneKey, (LaneChange, u64)>,
    /// What the rows say.
    pub committed_at: TaiTime,
    /// What the batches have of alarms.
    pub alarms: AlarmBatches,
}

/// The one writer's connection.
pub struct Ledger {
    client: Client,
    lead: Lead,
    /// Partitions that are known to be there.
    partitions: HashSet<(String, Month)>,
}

impl Ledger {
    /// Takes the writer's place, as [`Database::connect_as_writer`]; fails where another hub leads.
    pub async fn open(database: &Database, wait: Duration) -> Result<Self, ConnectFailure> {
        let (opened, lead) = (database.connect_as_writer(wait).await, database.lead());
        if let Err(ConnectFailure::InUse) = &opened {
            // By whom is known when it is another leader.
            lead.check(&**database.borrow().await?).await?;
        }
        let client = opened?;
        lead.check(&client).await?;
        Ok(Self { client, lead, partitions: HashSet::new() })
    }

    /// The newest row that there is or was.
    pub async fn newest(&self) -> Result<Place, ArchiveError> {
        Self::newest_of(&self.client).await
    }

    /// The same, for whoever does not write.
    pub(super) async fn newest_of(client: &Client) -> Result<Place, ArchiveError> {
        let row = client
            .query_one(
                "SELECT * FROM (
                     (SELECT ledger_id, committed_at FROM ledger ORDER BY ledger_id DESC LIMIT 1)
                     UNION ALL SELECT greatest(live_ledger_id, backlog_ledger_id), committed_at FROM segmented
                 ) AS known ORDER BY ledger_id DESC LIMIT 1",
                &[],
            )
            .await?;
        Ok(Place { ledger_id: row.get(0), committed_at: TaiTime(row.get(1)) })
    }

    /// Commits a group; returns the lanes that were fenced off by a newer session. When there are some, nothing is
    /// committed: ask again without them. Nor is it where another hub leads. After any other error it is unknown what was committed: ask [`Ledger::holds`] on a
    /// new connection.
    pub async fn commit(&mut self, group: &CommitGroup<'_>) -> Result<Vec<LaneKey>, ArchiveError> {
        let has_lane = |received: &Received| group.lanes.contains_key(&received.lane);
        assert!(group.batches.iter().all(|(_, received)| has_lane(received)), "every batch moves its lane");
        self.make_partitions(group).await?;
        let transaction = self.client.transaction().await?;
        let sink = transaction.copy_in("COPY ledger FROM STDIN BINARY").await?;
        tokio::pin!(sink);
        sink.send(rows(group).freeze()).await?;
        sink.finish().await?;
        for (_, received) in group.batches {
            if let Some(cause) = received.apart {
                keep_apart(&transaction, received.lane, &received.batch, cause, group.committed_at).await?;
            }
        }

        let mut keys: Vec<_> = group.lanes.keys().copied().collect();
        // One order for everybody, so that two writers could never wait for each other.
        keys.sort_unstable();
        let change = |key: &LaneKey| &group.lanes[key].0;
        let nodes: Vec<Uuid> = keys.iter().map(|key| key.node).collect();
        let epochs: Vec<i32> = keys.iter().map(|key| key.epoch as i32).collect();
        let numbers: Vec<i16> = keys.iter().map(|key| i16::from(key.lane)).collect();
        let sessions: Vec<i64> = keys.iter().map(|key| change(key).session.0 as i64).collect();
        let expected: Vec<i64> = keys.iter().map(|key| change(key).before.watermark() as i64).collect();
        let expected_spans: Vec<Vec<u8>> =
            keys.iter().map(|key| encode_spans(change(key).before.spans())).collect();
        let watermarks: Vec<i64> = keys.iter().map(|key| change(key).after.watermark() as i64).collect();
        let hashes: Vec<Vec<u8>> = keys.iter().map(|key| change(key).after.hash().0.to_vec()).collect();
        let ranges: Vec<String> = keys.iter().map(|key| multirange(change(key).after.spans())).collect();
        let spans: Vec<Vec<u8>> = keys.iter().map(|key| encode_spans(change(key).after.spans())).collect();
        let safe: Vec<i64> = keys.iter().map(|key| group.lanes[key].1 as i64).collect();
        let records: Vec<i64> = keys.iter().map(|key| group.records_of(*key)).collect();
        let parameters: [&(dyn ToSql + Sync); 12] = [
            &nodes,
            &epochs,
            &numbers,
            &sessions,
            &expected,
            &expected_spans,
            &watermarks,
            &hashes,
            &ranges,
            &spans,
            &safe,
            &records,
        ];
        let newest = group.batches.iter().rfind(|(_, received)| received.apart.is_none());
        let told = async {
            self.lead.check(&transaction).await?;
            match newest {
                Some((ledger_id, _)) => follow::tell(&transaction, Told::Rows(*ledger_id)).await,
                None => Ok(()),
            }
        };
        let moved = async {
            let sql = "UPDATE lane SET watermark = new.watermark, hash = new.hash, ranges = new.ranges::int8multirange,
                                 spans = new.spans, safe = greatest(lane.safe, new.safe),
                                 records = lane.records + new.records
                 FROM unnest($1::uuid[], $2::int[], $3::smallint[], $4::bigint[], $5::bigint[], $6::bytea[],
                             $7::bigint[], $8::bytea[], $9::text[], $10::bytea[], $11::bigint[], $12::bigint[])
                      AS new (node_id, epoch, lane, session_number, expected, expected_spans, watermark, hash,
                              ranges, spans, safe, records)
                 WHERE lane.node_id = new.node_id AND lane.epoch = new.epoch AND lane.lane = new.lane
                   AND lane.session_number = new.session_number AND lane.watermark = new.expected
                   AND lane.spans = new.expected_spans
                 RETURNING lane.node_id, lane.epoch, lane.lane";
            transaction.query(sql, &parameters).await.map_err(ArchiveError::from)
        };
        let ((), moved) = tokio::try_join!(told, moved)?;
        if moved.len() == keys.len() {
            // Last: acts at other hubs wait from here on.
            let entries = group.alarms.entries.store(&transaction, group.committed_at).await?;
            transaction.commit().await?;
            Metric::HubAlarmEntries.add(entries);
            return Ok(Vec::new());
        }
        transaction.rollback().await?;
        let moved: Vec<LaneKey> = moved.iter().map(lane_key).collect();
        Ok(keys.into_iter().filter(|key| !moved.contains(key)).collect())
    }

    /// Whether a group was committed: the truth after an error. Its transaction was carried out as a whole or not at
    /// all, and nobody else gives out the same numbers with the same time; where all of it is kept apart, its lanes
    /// speak for it.
    pub async fn holds(&self, group: &CommitGroup<'_>) -> Result<bool, ArchiveError> {
        if let Some((first, _)) = group.batches.iter().find(|(_, received)| received.apart.is_none()) {
            let row = self
                .client
                .query_opt(
                    "SELECT FROM ledger WHERE ledger_id = $1 AND committed_at = $2",
                    &[first, &group.committed_at.0],
                )
                .await?;
            return Ok(row.is_some());
        }
        let Some((key, (change, _))) = group.lanes.iter().next() else { return Ok(true) };
        let row = self
            .client
            .query_opt(
                "SELECT FROM lane WHERE node_id = $1 AND epoch = $2 AND lane = $3 AND watermark = $4 AND spans = $5",
                &[
                    &key.node,
                    &(key.epoch as i32),
                    &i16::from(key.lane),
                    &(change.after.watermark() as i64),
                    &encode_spans(change.after.spans()),
                ],
            )
            .await?;
        Ok(row.is_some())
    }

    /// Rows behind what is reached of each stream, in order; at most `limit`.
    pub async fn read_behind(
        client: &Client,
        reached: &Reached,
        limit: i64,
    ) -> Result<LedgerRows, ArchiveError> {
        let month = Month::of(reached.committed_at().0).0;
        let parameters: [&(dyn ToSql + Sync); 5] =
            [&reached.live.ledger_id, &reached.backlog.ledger_id, &reached.both(), &month, &limit];
        let rows = client
            .query_raw(
                "SELECT ledger_id, node_id, epoch, way, sealed, committed_at FROM ledger
                 WHERE ledger_id > $3 AND month >= $4
                   AND CASE WHEN way <= 2 THEN ledger_id > $1 ELSE ledger_id > $2 END
                 ORDER BY ledger_id LIMIT $5",
                parameters,
            )
            .await?;
        Ok(LedgerRows { rows: Box::pin(rows) })
    }

    /// Makes the partitions that a group needs, once each.
    async fn make_partitions(&mut self, group: &CommitGroup<'_>) -> Result<(), ArchiveError> {
        let month = Month::of(group.committed_at.0);
        for (_, received) in group.batches {
            let mission = &received.batch.header.mission;
            if received.apart.is_some() || self.partitions.contains(&(mission.clone(), month)) {
                continue;
            }
            make_partition(&self.client, "ledger", mission, month).await?;
            self.partitions.insert((mission.clone(), month));
        }
        Ok(())
    }
}

/// Rows of the ledger, read as they are asked for.
pub struct LedgerRows {
    rows: std::pin::Pin<Box<RowStream>>,
}

impl LedgerRows {
    /// The next row.
    pub async fn next(&mut self) -> Result<Option<Committed>, ArchiveError> {
        let Some(row) = self.rows.try_next().await? else { return Ok(None) };
        let damaged = |source| ArchiveError::Damaged { what: "batch", source };
        let batch = SealedBatch::parse(row.get(4)).map_err(|error| damaged(error.into()))?;
        let way = u8::try_from(row.get::<_, i16>(3)).ok().and_then(|way| Way::try_from(way).ok());
        Ok(Some(Committed {
            ledger_id: row.get(0),
            committed_at: TaiTime(row.get(5)),
            node: row.get(1),
            epoch: row.get::<_, i32>(2) as u32,
            way: way.ok_or_else(|| damaged("no way has this number".into()))?,
            batch,
        }))
    }
}

fn lane_key(row: &tokio_postgres::Row) -> LaneKey {
    LaneKey { node: row.get(0), epoch: row.get::<_, i32>(1) as u32, lane: row.get::<_, i16>(2) as u8 }
}

impl<'a> CommitGroup<'a> {
    /// Batches with their numbers, how their lanes change, and when.
    pub fn new(
        batches: &'a [(i64, Received)],
        lanes: &'a HashMap<LaneKey, (LaneChange, u64)>,
        committed_at: TaiTime,
    ) -> Self {
        Self { batches, lanes, committed_at, alarms: AlarmBatches::of(batches) }
    }

    fn records_of(&self, key: LaneKey) -> i64 {
        let of_lane =
            self.batches.iter().filter(|(_, received)| received.lane == key && received.apart.is_none());
        of_lane.map(|(_, received)| i64::from(received.batch.header.records)).sum()
    }
}

/// What is committed of a lane, from its row.
pub(super) fn ranges_of(watermark: i64, hash: &[u8], spans: &[u8]) -> Option<Ranges> {
    let (spans, rest) = spans.as_chunks::<SPAN_BYTES>();
    let number = |bytes: &[u8]| Some(u64::from_be_bytes(bytes.try_into().ok()?));
    let chain = |bytes: &[u8]| Some(ChainHash(bytes.try_into().ok()?));
    let spans = spans.iter().map(|span| {
        Some(Span {
            first: number(&span[..8])?,
            last: number(&span[8..16])?,
            previous: chain(&span[16..32])?,
            hash: chain(&span[32..])?,
        })
    });
    let spans = spans.collect::<Option<Vec<_>>>().filter(|_| rest.is_empty())?;
    Ranges::restore(watermark as u64, chain(hash)?, spans)
}

fn encode_spans(spans: &[Span]) -> Vec<u8> {
    let encoded = spans.iter().flat_map(|span| {
        [&span.first.to_be_bytes()[..], &span.last.to_be_bytes(), &span.previous.0, &span.hash.0].concat()
    });
    encoded.collect()
}

/// The spans' numbers as PostgreSQL writes them.
fn multirange(spans: &[Span]) -> String {
    let ranges: Vec<String> = spans.iter().map(|span| format!("[{},{}]", span.first, span.last)).collect();
    format!("{{{}}}", ranges.join(","))
}

/// Keeps a batch out of the archive, once.
pub(super) async fn keep_apart(
    client: &impl GenericClient,
    lane: LaneKey,
    batch: &SealedBatch,
    cause: ApartCause,
    now: TaiTime,
) -> Result<(), ArchiveError> {
    client
        .execute(
            "INSERT INTO kept_apart (node_id, epoch, lane, sequence, hash, cause, kept_at, sealed)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING",
            &[
                &lane.node,
                &(lane.epoch as i32),
                &i16::from(lane.lane),
                &(batch.header.sequence.0 as i64),
                &batch.hash.0.as_slice(),
                &cause.word(),
                &now.0,
                &batch.bytes(),
            ],
        )
        .await?;
    Ok(())
}

/// PostgreSQL's binary COPY format, written by hand: a `dyn ToSql` for each field costs more than the copying.
fn rows(group: &CommitGroup<'_>) -> BytesMut {
    let sealed: usize = group.batches.iter().map(|(_, received)| received.batch.bytes().len()).sum();
    let mut out = BytesMut::with_capacity(sealed + group.batches.len() * 160 + 32);
    out.put_slice(b"PGCOPY\n\xff\r\n\0");
    out.put_i64(0);
    for (ledger_id, received) in group.batches.iter().filter(|(_, received)| received.apart.is_none()) {
        let header = &received.batch.header;
        out.put_i16(16);
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
        put(&mut out, &i16::from(u8::from(received.way)).to_be_bytes());
        put(&mut out, &Month::of(group.committed_at.0).0.to_be_bytes());
    }
    out.put_i16(-1);
    out
}

fn put(out: &mut BytesMut, field: &[u8]) {
    out.put_i32(field.len() as i32);
    out.put_slice(field);
}
