//! What the database knows of one node: how it was enrolled, its certificates, its lanes.

use uuid::Uuid;

use super::listed::lane;
use super::{ArchiveError, Database};

/// Lanes that are told of; a node with more journals has been re-imaged 50 times.
const LANES_MAX: i64 = 100;

/// A node beyond its row in the list of nodes.
#[derive(Clone, Debug)]
pub struct NodeRecord {
    /// When its machine was enrolled, Unix seconds.
    pub enrolled_unix: Option<i64>,
    /// What that machine calls itself.
    pub enrolled_host: Option<String>,
    /// When the last of its valid certificates ends, Unix seconds.
    pub certificate_ends_unix: Option<i64>,
    /// Its lanes, those of the newest journal first.
    pub lanes: Vec<LaneRecord>,
}

/// A lane of a journal.
#[derive(Clone, Debug)]
pub struct LaneRecord {
    /// Which journal.
    pub epoch: u32,
    /// Its word.
    pub lane: String,
    /// Up to which batch all are committed.
    pub watermark: u64,
    /// Batches beyond that which are committed.
    pub committed_beyond: u64,
    /// Newest batch that the node named.
    pub head: u64,
    /// Records committed.
    pub records: u64,
    /// Stretches of batches that were declared lost.
    pub gaps: u64,
    /// Batches kept apart as forks.
    pub forks: u64,
    /// Batches kept apart for any cause.
    pub apart: u64,
}

/// Asks for a node; one that is not there has nothing.
pub async fn node_record(database: &Database, node: Uuid) -> Result<NodeRecord, ArchiveError> {
    let client = database.borrow().await?;
    let enrolled = client
        .query_opt(
            "SELECT used_unix, used_by_hostname FROM enrolment_token WHERE node_id = $1
             ORDER BY used_unix DESC NULLS LAST LIMIT 1",
            &[&node],
        )
        .await?;
    let certificate = client
        .query_one(
            "SELECT max(not_after_unix) FROM node_certificate WHERE node_id = $1 AND NOT superseded",
            &[&node],
        )
        .await?;
    let lanes = client
        .query(
            "SELECT epoch, lane, watermark, head, records,
                    coalesce((SELECT sum(upper(part) - greatest(lower(part), watermark + 1))
                              FROM unnest(ranges) AS part WHERE upper(part) > watermark + 1), 0)::bigint,
                    (SELECT count(*) FROM ledger
                     WHERE (ledger.node_id, ledger.epoch, ledger.lane) = (lane.node_id, lane.epoch, lane.lane)
                       AND gap_first IS NOT NULL),
                    apart.forks, apart.count
             FROM lane, LATERAL (SELECT count(*) AS count, count(*) FILTER (WHERE cause = 'fork') AS forks
                                 FROM kept_apart
                                 WHERE (kept_apart.node_id, kept_apart.epoch, kept_apart.lane)
                                     = (lane.node_id, lane.epoch, lane.lane)) AS apart
             WHERE lane.node_id = $1 ORDER BY epoch DESC, lane LIMIT $2",
            &[&node, &LANES_MAX],
        )
        .await?;
    let lane = |row: &tokio_postgres::Row| {
        let count = |column: usize| row.get::<_, i64>(column).cast_unsigned();
        LaneRecord {
            epoch: row.get::<_, i32>(0).cast_unsigned(),
            lane: lane(row.get(1)),
            watermark: count(2),
            head: count(3),
            records: count(4),
            committed_beyond: count(5),
            gaps: count(6),
            forks: count(7),
            apart: count(8),
        }
    };
    Ok(NodeRecord {
        enrolled_unix: enrolled.as_ref().and_then(|row| row.get(0)),
        enrolled_host: enrolled.and_then(|row| row.get(1)),
        certificate_ends_unix: certificate.get(0),
        lanes: lanes.iter().map(lane).collect(),
    })
}
