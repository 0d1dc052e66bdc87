//! What a database says about itself: for `cloud-hub db status` and `db check`.

use serde::Serialize;
use space_packet::TaiTime;
use tokio_postgres::Client;

use super::ArchiveError;

/// A database as it is now.
#[derive(Clone, Debug)]
pub struct Inventory {
    /// PostgreSQL's version, as it says it.
    pub version: String,
    /// Bytes of all of it.
    pub bytes: i64,
    /// When the first row of the ledger was committed, TAI.
    pub oldest: Option<TaiTime>,
    /// When the last one was.
    pub newest: Option<TaiTime>,
    /// Whether pages carry check sums.
    pub has_checksums: bool,
    /// Pages whose check sum did not fit since statistics were reset; absent where pages carry none.
    pub checksum_failures: Option<i64>,
    /// Whether this is a standby.
    pub is_standby: bool,
    /// Tables, the largest first; partitions count as their table.
    pub tables: Vec<TableSize>,
    /// Those who replicate it, as far as this user may know of them.
    pub replicas: Vec<Replica>,
    /// Tables with a mission whose rows are not protected by it. None, unless somebody changed the schema.
    pub unprotected: Vec<String>,
}

/// How large a table is.
#[derive(Clone, Debug, Serialize)]
pub struct TableSize {
    /// Its name.
    pub name: String,
    /// Its partitions; 0 where it has none.
    pub partitions: i64,
    /// Bytes with indexes.
    pub bytes: i64,
}

/// Somebody who replicates the database.
#[derive(Clone, Debug, Serialize)]
pub struct Replica {
    /// What it calls itself.
    pub name: String,
    /// `streaming` when it keeps up.
    pub state: Option<String>,
    /// Bytes it has yet to replay.
    pub behind_bytes: Option<i64>,
}

impl Inventory {
    /// Asks a database.
    pub async fn take(client: &Client) -> Result<Self, ArchiveError> {
        let row = client
            .query_one(
                "SELECT current_setting('server_version'), pg_database_size(current_database()), pg_is_in_recovery(),
                        current_setting('data_checksums') = 'on',
                        (SELECT checksum_failures FROM pg_stat_database WHERE datname = current_database())",
                &[],
            )
            .await?;
        let edge = async |order: &str| {
            let sql = format!("SELECT committed_at FROM ledger ORDER BY ledger_id {order} LIMIT 1");
            let row = client.query_opt(&sql, &[]).await?;
            Ok::<_, ArchiveError>(row.map(|row| TaiTime(row.get(0))))
        };
        Ok(Self {
            version: row.get(0),
            bytes: row.get(1),
            is_standby: row.get(2),
            has_checksums: row.get(3),
            checksum_failures: row.get(4),
            oldest: edge("ASC").await?,
            newest: edge("DESC").await?,
            tables: tables(client).await?,
            replicas: replicas(client).await?,
            unprotected: unprotected(client).await?,
        })
    }
}

async fn tables(client: &Client) -> Result<Vec<TableSize>, ArchiveError> {
    let rows = client
        .query(
            "SELECT relname::text, parts.count,
                    coalesce(parts.bytes, pg_total_relation_size(pg_class.oid)) AS bytes
             FROM pg_class, LATERAL (SELECT count(*) FILTER (WHERE isleaf),
                                            sum(pg_total_relation_size(relid))::bigint AS bytes
                                     FROM pg_partition_tree(pg_class.oid)) AS parts
             WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
             ORDER BY bytes DESC, relname",
            &[],
        )
        .await?;
    let size =
        |row: &tokio_postgres::Row| TableSize { name: row.get(0), partitions: row.get(1), bytes: row.get(2) };
    Ok(rows.iter().map(size).collect())
}

async fn replicas(client: &Client) -> Result<Vec<Replica>, ArchiveError> {
    let rows = client
        .query(
            "SELECT application_name, state,
                    CASE WHEN NOT pg_is_in_recovery()
                         THEN pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn)::bigint END
             FROM pg_stat_replication ORDER BY application_name",
            &[],
        )
        .await?;
    let replica =
        |row: &tokio_postgres::Row| Replica { name: row.get(0), state: row.get(1), behind_bytes: row.get(2) };
    Ok(rows.iter().map(replica).collect())
}

async fn unprotected(client: &Client) -> Result<Vec<String>, ArchiveError> {
    let rows = client
        .query(
            "SELECT DISTINCT relname::text FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid
             WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p') AND NOT attisdropped
               AND attname IN ('mission', 'mission_id')
               AND NOT (relrowsecurity AND relforcerowsecurity
                        AND EXISTS (SELECT FROM pg_policy WHERE polrelid = pg_class.oid))
             ORDER BY 1",
            &[],
        )
        .await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}
