//! Merging: eight segments of a level become one of the next, with their rows in the order of time, so that a question
//! reads few and they pack well. Roll-ups likewise, where the buckets of one time become one.
//!
//! No row is hidden by it. Old and new change places in one transaction, and what is merged has the newest generation of
//! its parts. A question that knows an older generation would read neither: it sees by `segmented.merged_generation` that
//! this happened, and asks again. Segments are merged only when they are two generations old, so that this is rare.
//!
//! Segments before and after a reading ([`super::readings`]) are never merged with each other, because the reading hides
//! the ones and not the others.

use std::sync::Arc;
use std::time::Duration;

use processing::{Resolution, RolledTable, Table};
use service::logging::chain;
use service::metric::Metric;
use tokio_postgres::{Row, Transaction};
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};
use uuid::Uuid;

use super::columns::{self, ColumnsError};
use super::query::{parts, stored_table};
use super::segments::{RESOLUTIONS, SegmentPlace, SegmentRows, TOP_LEVEL, seconds};
use super::{Archive, ArchiveError, Database};

/// Segments of a level that become one of the next.
pub(super) const MERGED_AT_ONCE: i64 = 8;
/// Generations that are left alone: questions may be under way that know no newer ones.
const GENERATIONS_LEFT: i64 = 2;
/// Levels of roll-ups; at the highest a row has some ten thousand buckets.
const ROLLUP_LEVEL_MAX: i16 = 5;
const LOOK_INTERVAL: Duration = Duration::from_secs(2);
const RETRY_INTERVAL: Duration = Duration::from_secs(10);
/// Families looked up at once.
const FAMILIES: i64 = 64;

/// What can be merged with each other: rows of one layout, node, reading, version, month, level and side of readings.
struct Family {
    mission: usize,
    resolution: Option<Resolution>,
    place: SegmentPlace,
    month: i32,
    readings_before: i64,
}

/// Merges until shutdown.
pub async fn run(
    archive: Arc<Archive>,
    database: Database,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    let mut wait = LOOK_INTERVAL;
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return Ok(()),
            () = tokio::time::sleep(wait) => {}
        }
        wait = match merge_due(&archive, &database, &shutdown).await {
            // There may be more of them.
            Ok(merged) if merged > 0 => Duration::ZERO,
            Ok(_) => LOOK_INTERVAL,
            Err(error @ ArchiveError::Fenced) => return Err(error.into()),
            Err(error) => {
                warn!(
                    error = chain(&error),
                    "segments could not be merged, they stay as they are; trying again"
                );
                RETRY_INTERVAL
            }
        };
    }
}

/// Merges what is due now, some families of each mission and table; returns how many.
pub async fn merge_due(
    archive: &Arc<Archive>,
    database: &Database,
    shutdown: &CancellationToken,
) -> Result<usize, ArchiveError> {
    let mut merged = 0;
    let tables = || RESOLUTIONS.into_iter().map(Some).chain([None]);
    for (mission, resolution) in
        (0..archive.missions().len()).flat_map(|index| tables().map(move |of| (index, of)))
    {
        for family in families(archive, database, mission, resolution).await? {
            if shutdown.is_cancelled() {
                return Ok(merged);
            }
            match merge(archive, database, &family).await {
                Ok(is_merged) => merged += usize::from(is_merged),
                // The others are none the worse for it.
                Err(error @ ArchiveError::Damaged { .. }) => {
                    warn!(
                        error = chain(&error),
                        layout_id = family.place.layout_id,
                        "a segment cannot be merged"
                    );
                }
                Err(error) => return Err(error),
            }
        }
    }
    Ok(merged)
}

async fn families(
    archive: &Archive,
    database: &Database,
    mission: usize,
    resolution: Option<Resolution>,
) -> Result<Vec<Family>, ArchiveError> {
    let client = database.borrow().await?;
    let (table, only) = table(resolution);
    let sql = format!(
        "SELECT layout_id, node_id, reading_id, dictionary_version, month, level,
                (SELECT count(*) FROM reading
                 WHERE reading.mission_id = stored.mission_id AND reading.generation < stored.generation) AS before
         FROM {table} AS stored
         WHERE mission_id = $1 AND level < 9 {only}
           AND generation <= (SELECT generation FROM segmented) - {GENERATIONS_LEFT}
         GROUP BY mission_id, layout_id, node_id, reading_id, dictionary_version, month, level, before
         HAVING count(*) >= {MERGED_AT_ONCE} LIMIT {FAMILIES}"
    );
    let mission_id = archive.missions()[mission].mission_id;
    let family = |row: &Row| Family {
        mission,
        resolution,
        place: SegmentPlace {
            mission_id,
            layout_id: row.get(0),
            node: row.get(1),
            generation: 0,
            reading_id: row.get(2),
            level: row.get(5),
            version: row.get(3),
        },
        month: row.get(4),
        readings_before: row.get(6),
    };
    Ok(client.query(&sql, &[&mission_id]).await?.iter().map(family).collect())
}

fn table(resolution: Option<Resolution>) -> (&'static str, String) {
    match resolution {
        None => ("segment", String::new()),
        Some(resolution) => ("rollup", format!("AND resolution = {}", seconds(resolution))),
    }
}

/// Merges the oldest of a family; false when others were quicker.
async fn merge(archive: &Arc<Archive>, database: &Database, family: &Family) -> Result<bool, ArchiveError> {
    let mission = &archive.missions()[family.mission];
    let mut layout = mission.layouts.get(family.place.layout_id);
    let mut client = database.borrow().await?;
    if layout.is_none() {
        // Another hub gave it its number.
        let parameter_ids = mission.reads().parameter_ids;
        mission.layouts.load(&**client, mission.mission_id, &parameter_ids).await?;
        layout = mission.layouts.get(family.place.layout_id);
    }
    let Some(layout) = layout else { return Ok(false) };
    let transaction = client.transaction().await?;
    database.lead().check(&*transaction).await?;
    // What a crash takes back is merged again.
    transaction.batch_execute("SET LOCAL synchronous_commit = off").await?;
    let taken = take(&transaction, family).await?;
    if (taken.len() as i64) < MERGED_AT_ONCE {
        return Ok(false);
    }
    let generation = taken.iter().map(|row| row.get(0)).max().unwrap_or(0);
    let place = SegmentPlace { generation, level: family.place.level + 1, ..family.place };
    let resolution = family.resolution;
    let rows = tokio::task::spawn_blocking(move || {
        let mut rows = SegmentRows::default();
        match resolution {
            None => rows.add_segments(&place, &joined(&taken, &layout)?),
            Some(resolution) => {
                let tables = taken.iter().map(|row| rolled_table(row, resolution, &layout));
                let merged = RolledTable::merged(&tables.collect::<Result<Vec<_>, _>>()?);
                let level = if place.level >= ROLLUP_LEVEL_MAX { TOP_LEVEL } else { place.level };
                let merged = merged.ok_or(ColumnsError::Unreadable("a table without rows"))?;
                rows.add_rolled(&SegmentPlace { level, ..place }, &merged);
            }
        }
        Ok::<_, ColumnsError>(rows)
    });
    let damaged =
        |source: Box<dyn std::error::Error + Send + Sync>| ArchiveError::Damaged { what: "segment", source };
    let rows = rows.await.map_err(|error| damaged(error.into()))?.map_err(|error| damaged(error.into()))?;
    // Its partition is there: what is merged was in it.
    rows.copy(&transaction).await?;
    let sql = "UPDATE segmented SET merged_generation = greatest(merged_generation, $1)";
    transaction.execute(sql, &[&generation]).await?;
    transaction.commit().await?;
    Metric::HubArchiveMerges.add(1);
    debug!(layout_id = place.layout_id, level = place.level, "segments were merged");
    Ok(true)
}

/// Takes the oldest rows of a family out of their table.
async fn take(transaction: &Transaction<'_>, family: &Family) -> Result<Vec<Row>, ArchiveError> {
    let (table, only) = table(family.resolution);
    let place = &family.place;
    let node: Uuid = place.node;
    let sql = format!(
        "DELETE FROM {table} WHERE (tableoid, ctid) IN (
             SELECT tableoid, ctid FROM {table} AS stored
             WHERE mission_id = $1 AND layout_id = $2 AND node_id = $3 AND reading_id = $4
               AND dictionary_version = $5 AND month = $6 AND level = $7 AND level < 9 {only}
               AND generation <= (SELECT generation FROM segmented) - {GENERATIONS_LEFT}
               AND (SELECT count(*) FROM reading
                    WHERE reading.mission_id = stored.mission_id AND reading.generation < stored.generation) = $8
             ORDER BY generation LIMIT {MERGED_AT_ONCE})
         AND mission_id = $1 AND month = $6
         RETURNING generation, dictionary_version, moments, ends, columns"
    );
    let rows = transaction
        .query(
            &sql,
            &[
                &place.mission_id,
                &place.layout_id,
                &node,
                &place.reading_id,
                &place.version,
                &family.month,
                &place.level,
                &family.readings_before,
            ],
        )
        .await?;
    Ok(rows)
}

/// All rows of some segments, in the order of time.
fn joined(rows: &[Row], layout: &Arc<processing::Layout>) -> Result<Table, ColumnsError> {
    let mut tables = rows.iter().map(|row| stored_table(row, 1, layout));
    let first = tables.next().ok_or(ColumnsError::Unreadable("a table without rows"))??;
    let joined = tables.try_fold(first, |mut joined, table| {
        let fits = joined.append(table?);
        if fits { Ok(joined) } else { Err(ColumnsError::Unreadable("a layout that fits")) }
    })?;
    Ok(joined.sorted())
}

fn rolled_table(
    row: &Row,
    resolution: Resolution,
    layout: &Arc<processing::Layout>,
) -> Result<RolledTable, ColumnsError> {
    let rows = usize::try_from(row.get::<_, i32>(2)).unwrap_or(0);
    let (ends, bytes): (Vec<i32>, &[u8]) = (row.get(3), row.get(4));
    let mut parts = parts(&ends, bytes)?.into_iter();
    let axis = parts.next().ok_or(ColumnsError::Unreadable("the axis"))?;
    let buckets = columns::decode_rolled_axis(axis, rows)?;
    let columns =
        parts.map(|part| columns::decode_rolled_column(part, rows)).collect::<Result<Vec<_>, _>>()?;
    if columns.len() != layout.entries().len() {
        return Err(ColumnsError::Unreadable("a layout that fits"));
    }
    Ok(RolledTable { layout: Arc::clone(layout), resolution, buckets, columns })
}
