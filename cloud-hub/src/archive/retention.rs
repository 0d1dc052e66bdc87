//! How long a mission's data are kept: whole months are dropped with their partitions, so that nothing is deleted row by
//! row but what has no month of its own.

use std::sync::Arc;
use std::time::Duration;

use service::logging::chain;
use space_packet::TaiTime;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::alarms::drop_closed;
use super::months::Month;
use super::{Archive, ArchiveError, Database};

const LOOK_INTERVAL: Duration = Duration::from_secs(3_600);
const NANOS_PER_DAY: i64 = 86_400_000_000_000;

/// What can be kept for a time of its own.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kept {
    /// Batches as they came, by when they were committed. What is gone cannot be read again by another dictionary.
    Ledger,
    /// Roll-ups, by generation time, and closed alarms, by when anything was last heard of them.
    RollUps,
    /// Samples, by generation time.
    Samples,
}

impl Kept {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Ledger, Self::Samples, Self::RollUps];

    fn table(self) -> &'static str {
        match self {
            Self::Ledger => "ledger",
            Self::RollUps => "rollup",
            Self::Samples => "segment",
        }
    }

    fn column(self) -> &'static str {
        match self {
            Self::Ledger => "keep_ledger_days",
            Self::RollUps => "keep_rollups_days",
            Self::Samples => "keep_samples_days",
        }
    }
}

/// How long everything of a mission is kept, in days; absent: for ever.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Retention {
    /// Batches.
    pub ledger_days: Option<u32>,
    /// Samples.
    pub samples_days: Option<u32>,
    /// Roll-ups.
    pub rollups_days: Option<u32>,
}

/// Reads how long a mission's data are kept; `None` when there is no such mission.
pub async fn retention_of(database: &Database, mission: &str) -> Result<Option<Retention>, ArchiveError> {
    let client = database.borrow().await?;
    let sql = "SELECT keep_ledger_days, keep_samples_days, keep_rollups_days FROM mission WHERE name = $1";
    let row = client.query_opt(sql, &[&mission]).await?;
    let days = |row: &tokio_postgres::Row, column| row.get::<_, Option<i32>>(column).map(i32::cast_unsigned);
    Ok(row.map(|row| Retention {
        ledger_days: days(&row, 0),
        samples_days: days(&row, 1),
        rollups_days: days(&row, 2),
    }))
}

/// Says how long a kind of a mission's data is kept from now on; false when there is no such mission.
pub async fn keep(
    database: &Database,
    mission: &str,
    kept: Kept,
    days: Option<u32>,
) -> Result<bool, ArchiveError> {
    let client = database.borrow().await?;
    let days = days.map(|days| i32::try_from(days).unwrap_or(i32::MAX));
    let sql = format!("UPDATE mission SET {} = $2 WHERE name = $1", kept.column());
    Ok(client.execute(&sql, &[&mission, &days]).await? > 0)
}

/// Drops what is too old, now and every hour until shutdown.
pub async fn run(
    archive: Arc<Archive>,
    database: Database,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    loop {
        for mission in archive.missions() {
            let name = mission.live.name();
            match drop_old(&database, name, mission.mission_id, service::clock::now()).await {
                Ok(dropped) => {
                    dropped.iter().for_each(|table| info!(mission = name, table, "old data were dropped"));
                }
                Err(error @ ArchiveError::Fenced) => return Err(error.into()),
                Err(error) => warn!(
                    error = chain(&error),
                    mission = name,
                    "old data could not be dropped, trying again in an hour"
                ),
            }
        }
        tokio::select! {
            () = shutdown.cancelled() => return Ok(()),
            () = tokio::time::sleep(LOOK_INTERVAL) => {}
        }
    }
}

/// Drops the months of a mission that are over for as long as they were to be kept; returns their tables.
pub async fn drop_old(
    database: &Database,
    mission: &str,
    mission_id: i32,
    now: TaiTime,
) -> Result<Vec<String>, ArchiveError> {
    let Some(retention) = retention_of(database, mission).await? else { return Ok(Vec::new()) };
    let mut client = database.borrow().await?;
    let mut dropped = Vec::new();
    for kept in Kept::ALL {
        let (days, label) = match kept {
            Kept::Ledger => (retention.ledger_days, mission.to_owned()),
            Kept::Samples => (retention.samples_days, mission_id.to_string()),
            Kept::RollUps => (retention.rollups_days, mission_id.to_string()),
        };
        let Some(days) = days else { continue };
        let cutoff = Month::of(now.0.saturating_sub(i64::from(days).saturating_mul(NANOS_PER_DAY)));
        let sql = "SELECT dropped FROM drop_months($1, $2, $3) AS dropped";
        let transaction = client.transaction().await?;
        database.lead().check(&*transaction).await?;
        let rows = transaction.query(sql, &[&kept.table(), &label, &cutoff.0]).await?;
        transaction.commit().await?;
        dropped.extend(rows.iter().map(|row| row.get::<_, String>(0)));
    }
    if let Some(days) = retention.rollups_days {
        let before = TaiTime(now.0.saturating_sub(i64::from(days).saturating_mul(NANOS_PER_DAY)));
        let transaction = client.transaction().await?;
        database.lead().check(&*transaction).await?;
        let alarms = drop_closed(&*transaction, mission, before).await?;
        transaction.commit().await?;
        if alarms > 0 {
            info!(mission, alarms, "closed alarms were dropped with the roll-ups of their time");
        }
    }
    Ok(dropped)
}
