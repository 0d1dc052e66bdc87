//! What the archive has done with the ledger, and what its tables take on disk.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use tokio_postgres::Client;

const LOOK_EVERY: Duration = Duration::from_millis(100);
/// Background work that has not changed anything for so many looks is done.
const CALM_LOOKS: u32 = 50;

/// The hub's database.
pub(crate) struct Stored {
    database: Client,
}

/// Bytes of a table with its partitions and indexes, and of the encoded columns in it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Size {
    pub(super) relation_bytes: i64,
    pub(super) columns_bytes: i64,
    pub(super) rows: i64,
}

impl Stored {
    pub(crate) async fn of(ground: &Path) -> anyhow::Result<Self> {
        Ok(Self { database: crate::database::connect(ground).await? })
    }

    pub(crate) fn database(&self) -> &Client {
        &self.database
    }

    /// Waits until segments and roll-ups are merged as far as they will be; returns how long that took.
    pub(crate) async fn merged(&self, patience: Duration) -> anyhow::Result<Duration> {
        let begun = Instant::now();
        let (mut before, mut calm, mut changed) = (None, 0, begun);
        while calm < CALM_LOOKS {
            let now = self.generations().await?;
            if before.replace(now) == Some(now) {
                calm += 1;
            } else {
                (calm, changed) = (0, Instant::now());
            }
            ensure!(begun.elapsed() < patience, "segments are still being merged after {patience:?}");
            tokio::time::sleep(LOOK_EVERY).await;
        }
        Ok(changed - begun)
    }

    /// Records of the ledger that are in no segment yet.
    pub(super) async fn not_in_segments(&self) -> anyhow::Result<i64> {
        let sql = "SELECT coalesce(sum(records), 0)::bigint FROM ledger, segmented
                   WHERE ledger_id > least(live_ledger_id, backlog_ledger_id)";
        Ok(self.database.query_one(sql, &[]).await?.get(0))
    }

    async fn generations(&self) -> anyhow::Result<[i64; 4]> {
        let row = self
            .database
            .query_one(
                "SELECT (SELECT count(*) FROM segment), (SELECT coalesce(max(generation), 0) FROM segment),
                        (SELECT count(*) FROM rollup), (SELECT coalesce(max(generation), 0) FROM rollup)",
                &[],
            )
            .await?;
        Ok([row.get(0), row.get(1), row.get(2), row.get(3)])
    }

    /// What a table takes; `columns` is the field with what was encoded.
    pub(super) async fn size(&self, table: &str, columns: Option<&str>) -> anyhow::Result<Size> {
        let encoded =
            columns.map_or("0".to_owned(), |columns| format!("coalesce(sum(length({columns})), 0)"));
        let sql = format!(
            "SELECT (SELECT sum(pg_total_relation_size(oid))::bigint FROM pg_class
                     WHERE oid = $1::text::regclass
                        OR oid IN (SELECT relid FROM pg_partition_tree($1::text::regclass) WHERE isleaf)),
                    ({encoded})::bigint, count(*) FROM {table}"
        );
        let row = self.database.query_one(&sql, &[&table]).await.with_context(|| sql.clone())?;
        Ok(Size { relation_bytes: row.get(0), columns_bytes: row.get(1), rows: row.get(2) })
    }

    /// Clears up behind merges and gives the planner its figures, as PostgreSQL's own daemon does sooner or later.
    pub(super) async fn vacuum(&self, table: &str) -> anyhow::Result<()> {
        Ok(self.database.batch_execute(&format!("VACUUM (ANALYZE) {table}")).await?)
    }
}
