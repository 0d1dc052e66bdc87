//! The completeness account in PostgreSQL: written in the transaction that says up to where the ledger is counted, and
//! read together with what is only in memory yet.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

use delivery::{Epoch, Lane, NodeId, OpenBatch};
use processing::{Account, AccountChanges, AccountKey, Counts, Feed, Hour, JournalLane, LaneState, Receipt};
use space_packet::{Apid, TaiTime};
use tokio_postgres::types::ToSql;
use tokio_postgres::{GenericClient, Row, Transaction};
use uuid::Uuid;

use super::{Archive, ArchiveError, Committed, Database};

/// Rows of one statement.
const ROWS_AT_ONCE: usize = 4_096;
/// How often a question begins again because rows moved from memory to the database meanwhile; another hub's
/// are known here within a second.
const ATTEMPTS: usize = 64;
const ATTEMPT_WAIT: Duration = Duration::from_millis(20);

const COUNTS: &str = "received_live, backfilled, quarantined, duplicates, not_received, damaged, evicted, forgotten, never_issued";

/// How the account stands: its rows of some hours, and up to which commit it counts.
#[derive(Clone, Debug, Default)]
pub struct AccountRows {
    /// Each once.
    pub rows: Vec<(AccountKey, Counts)>,
    /// When the newest batch that is counted was committed; absent when there is none.
    pub counted_at: Option<TaiTime>,
}

/// What the hub knows of a node that its account does not hold.
#[derive(Clone, Debug)]
pub struct StationRow {
    /// The node.
    pub node: NodeId,
    /// Its name.
    pub name: String,
    /// What it last reported, JSON.
    pub report: Option<String>,
    /// Batches that it said it has, in journals it has still, and that are not committed.
    pub waiting_batches: i64,
    /// The same of journals that it has no more.
    pub presumed_lost_batches: i64,
    /// Records in those, as many as in the committed batches of each journal on average.
    pub presumed_lost_records: i64,
}

/// What a committed batch brings to the account.
pub(super) fn receipt(committed: &Committed, open: Option<&OpenBatch>) -> Receipt {
    Receipt::of((node_id(committed.node), Epoch(committed.epoch), committed.way), &committed.batch, open)
}

fn node_id(node: Uuid) -> NodeId {
    NodeId(*node.as_bytes())
}

/// The account of what is in segments.
pub(super) async fn restore(client: &impl GenericClient) -> Result<Account, ArchiveError> {
    let rows = client.query("SELECT node_id, epoch, lane, state FROM completeness_lane", &[]).await?;
    let lanes = rows.iter().map(lane_state).collect::<Result<Vec<_>, _>>()?;
    Ok(Account::restore(lanes))
}

fn lane_state(row: &Row) -> Result<(JournalLane, LaneState), ArchiveError> {
    let damaged = |source| ArchiveError::Damaged { what: "state of an account's lane", source };
    let lane = u8::try_from(row.get::<_, i16>(2)).ok().and_then(|lane| Lane::try_from(lane).ok());
    let lane = JournalLane {
        node: node_id(row.get(0)),
        epoch: Epoch(row.get::<_, i32>(1) as u32),
        lane: lane.ok_or_else(|| damaged("no lane has this number".into()))?,
    };
    let state = postcard::from_bytes(row.get(3)).map_err(|error| damaged(error.into()))?;
    Ok((lane, state))
}

/// Writes what changed. The caller moves `segmented` in the same transaction.
pub(super) async fn write(
    transaction: &Transaction<'_>,
    changes: &AccountChanges,
) -> Result<(), ArchiveError> {
    let rows: Vec<_> = changes.rows.iter().collect();
    for rows in rows.chunks(ROWS_AT_ONCE) {
        write_rows(transaction, rows).await?;
    }
    for (lane, state) in &changes.lanes {
        let state = postcard::to_stdvec(state).expect("a state of numbers and short names always encodes");
        transaction
            .execute(
                "INSERT INTO completeness_lane (node_id, epoch, lane, state) VALUES ($1, $2, $3, $4)
                 ON CONFLICT (node_id, epoch, lane) DO UPDATE SET state = excluded.state",
                &[
                    &Uuid::from_bytes(lane.node.0),
                    &(lane.epoch.0 as i32),
                    &i16::from(u8::from(lane.lane)),
                    &state,
                ],
            )
            .await?;
    }
    Ok(())
}

async fn write_rows(
    transaction: &Transaction<'_>,
    rows: &[(&AccountKey, &Counts)],
) -> Result<(), ArchiveError> {
    let missions: Vec<&str> = rows.iter().map(|(key, _)| key.feed.mission.as_str()).collect();
    let hours: Vec<i32> = rows.iter().map(|(key, _)| key.hour.0).collect();
    let nodes: Vec<Uuid> = rows.iter().map(|(key, _)| Uuid::from_bytes(key.node.0)).collect();
    let links: Vec<&str> = rows.iter().map(|(key, _)| key.feed.link.as_str()).collect();
    let apids: Vec<Option<i16>> =
        rows.iter().map(|(key, _)| key.apid.map(|apid| apid.value() as i16)).collect();
    let columns: [Vec<i64>; 9] =
        std::array::from_fn(|column| rows.iter().map(|(_, counts)| fields(counts)[column]).collect());
    let mut parameters: Vec<&(dyn ToSql + Sync)> = vec![&missions, &hours, &nodes, &links, &apids];
    parameters.extend(columns.iter().map(|column| column as &(dyn ToSql + Sync)));
    let added: Vec<String> = COUNTS
        .split(", ")
        .map(|column| format!("{column} = completeness.{column} + excluded.{column}"))
        .collect();
    let statement = format!(
        "INSERT INTO completeness (mission, hour, node_id, link, apid, {COUNTS})
         SELECT * FROM unnest($1::text[], $2::int[], $3::uuid[], $4::text[], $5::smallint[], $6::bigint[],
             $7::bigint[], $8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[],
             $14::bigint[])
         ON CONFLICT (mission, hour, node_id, link, (coalesce(apid, -1))) DO UPDATE SET {}",
        added.join(", ")
    );
    transaction.execute(&statement, &parameters).await?;
    Ok(())
}

/// In the order of [`COUNTS`].
fn fields(counts: &Counts) -> [i64; 9] {
    [
        counts.received_live,
        counts.backfilled,
        counts.quarantined,
        counts.duplicates,
        counts.not_received,
        counts.damaged,
        counts.evicted,
        counts.forgotten,
        counts.never_issued,
    ]
}

fn counts(fields: [i64; 9]) -> Counts {
    let [
        received_live,
        backfilled,
        quarantined,
        duplicates,
        not_received,
        damaged,
        evicted,
        forgotten,
        never_issued,
    ] = fields;
    Counts {
        received_live,
        backfilled,
        quarantined,
        duplicates,
        not_received,
        damaged,
        evicted,
        forgotten,
        never_issued,
    }
}

/// Rows of a mission that the database holds, at most `limit`, summed over `width` hours; and the generation of
/// segments they were written with.
pub async fn rows(
    client: &impl GenericClient,
    mission: &str,
    hours: Range<Hour>,
    width: Width,
    limit: usize,
) -> Result<(AccountRows, i64), ArchiveError> {
    let sums: Vec<String> = COUNTS.split(", ").map(|column| format!("sum({column})::bigint")).collect();
    // One statement, so that rows and generation are of one moment.
    let statement = format!(
        "SELECT segmented.generation,
                (SELECT max(committed_at) FROM ledger
                 WHERE ledger_id IN (segmented.live_ledger_id, segmented.backlog_ledger_id)),
                counted.*
         FROM segmented LEFT JOIN (
             SELECT node_id, link, apid, {} AS bucket, {} FROM completeness
             WHERE mission = $1 AND hour >= $2 AND hour < $3
             GROUP BY node_id, link, apid, bucket ORDER BY bucket, node_id, link, apid LIMIT $4) AS counted ON true",
        width.sql(),
        sums.join(", ")
    );
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let found = client.query(&statement, &[&mission, &hours.start.0, &hours.end.0, &limit]).await?;
    let mut answer = AccountRows::default();
    let mut generation = 0;
    for row in found {
        generation = row.get(0);
        answer.counted_at = row.get::<_, Option<i64>>(1).map(TaiTime);
        let Some(node) = row.get::<_, Option<Uuid>>(2) else { continue };
        let feed = Feed { mission: mission.to_owned(), link: row.get(3) };
        let apid = row.get::<_, Option<i16>>(4).and_then(|apid| Apid::try_from(apid as u16).ok());
        let key = AccountKey { node: node_id(node), feed, apid, hour: Hour(row.get(5)) };
        answer.rows.push((key, counts(std::array::from_fn(|column| row.get(6 + column)))));
    }
    Ok((answer, generation))
}

/// Over how long rows are summed. Buckets begin at whole multiples of it in UTC.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Width {
    /// 24 hours.
    Day,
    /// One hour.
    Hour,
    /// All of the asked span.
    Total,
}

impl Width {
    /// The first hour of the bucket that an hour lies in; 0 when there is but one.
    pub fn bucket(self, hour: Hour) -> Hour {
        match self {
            Self::Day => Hour(hour.0 - hour.0.rem_euclid(24)),
            Self::Hour => hour,
            Self::Total => Hour(0),
        }
    }

    fn sql(self) -> &'static str {
        match self {
            Self::Day => "hour - ((hour % 24) + 24) % 24",
            Self::Hour => "hour",
            Self::Total => "0",
        }
    }
}

impl Archive {
    /// Rows of a mission in some hours, at most `limit` of the database's: what is committed counts at once.
    pub async fn account(
        &self,
        database: &Database,
        mission: &str,
        hours: Range<Hour>,
        width: Width,
        limit: usize,
    ) -> Result<AccountRows, ArchiveError> {
        let question = database.borrow_for_question(mission).await?;
        for attempt in 0..ATTEMPTS {
            if attempt > 0 {
                tokio::time::sleep(ATTEMPT_WAIT).await;
            }
            let (mut answer, generation) = rows(&*question, mission, hours.clone(), width, limit).await?;
            let Some(fresh) = self.account_behind(generation, mission, &hours) else { continue };
            let mut sums: BTreeMap<AccountKey, Counts> = answer.rows.into_iter().collect();
            for (mut key, counts) in fresh {
                key.hour = width.bucket(key.hour);
                *sums.entry(key).or_default() += counts;
            }
            answer.rows = sums.into_iter().collect();
            answer.counted_at = Some(service::clock::now());
            question.finish().await?;
            return Ok(answer);
        }
        Err(ArchiveError::Damaged { what: "completeness account", source: "it does not hold still".into() })
    }
}

/// What is known of each node besides its account.
pub async fn stations(client: &impl GenericClient) -> Result<Vec<StationRow>, ArchiveError> {
    let rows = client
        .query(
            "WITH held AS (
                 SELECT lane.*, watermark + coalesce((SELECT sum(upper(span) - lower(span)) FROM unnest(ranges) AS span), 0)
                                AS committed FROM lane)
             SELECT node.node_id, name, report,
                    coalesce(sum(greatest(head - committed, 0))
                        FILTER (WHERE held.session_number = node.session_number), 0)::bigint,
                    coalesce(sum(greatest(head - committed, 0))
                        FILTER (WHERE held.session_number < node.session_number), 0)::bigint,
                    coalesce(sum(greatest(head - committed, 0) * records / greatest(committed, 1))
                        FILTER (WHERE held.session_number < node.session_number), 0)::bigint
             FROM node LEFT JOIN held USING (node_id) GROUP BY node.node_id ORDER BY name",
            &[],
        )
        .await?;
    let station = |row: &Row| StationRow {
        node: node_id(row.get(0)),
        name: row.get(1),
        report: row.get(2),
        waiting_batches: row.get(3),
        presumed_lost_batches: row.get(4),
        presumed_lost_records: row.get(5),
    };
    Ok(rows.iter().map(station).collect())
}
