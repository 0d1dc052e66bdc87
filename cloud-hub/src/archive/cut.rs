//! Cutting: writes the frozen part of the head into segments, in the transaction that says up to where the ledger
//! is in segments, and counts it in the account. After a crash the head begins behind that, so nothing is in both and
//! nothing in neither.

use std::sync::Arc;
use std::time::Duration;

use service::logging::chain;
use service::metric::Metric;
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use super::follow::{self, Told};
use super::head::{ArchivedMission, Frozen};
use super::segments::{Partitions, SegmentPlace, SegmentRows};
use super::{Archive, ArchiveError, Database, account};

const LOOK_INTERVAL: Duration = Duration::from_millis(500);
const RETRY_INTERVAL: Duration = Duration::from_secs(2);

/// Cuts until shutdown. What is not cut then is in the ledger, and in the head again after the next start.
pub async fn run(
    archive: Arc<Archive>,
    database: Database,
    samples_max: usize,
    age_max: Duration,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    let (mut wait, mut partitions) = (LOOK_INTERVAL, Partitions::new());
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return Ok(()),
            () = tokio::time::sleep(wait) => {}
        }
        wait = LOOK_INTERVAL;
        let Some(frozen) = archive.freeze(samples_max, age_max) else { continue };
        match write(&archive, &database, &frozen, &mut partitions).await {
            Ok(segments) => {
                archive.on_segmented(&frozen);
                // What came meanwhile may be due already, and commits wait for it.
                wait = Duration::ZERO;
                Metric::HubArchiveSegments.add(segments);
                debug!(segments, generation = frozen.generation, "head was cut into segments");
            }
            Err(error @ (ArchiveError::Fenced | ArchiveError::Foreign)) => return Err(error.into()),
            Err(error) => {
                warn!(
                    error = chain(&error),
                    "segments could not be written, the samples stay in memory and in the ledger"
                );
                // One that was there may have been dropped since.
                partitions.clear();
                wait = RETRY_INTERVAL;
            }
        }
    }
}

/// Returns the number of segments written.
async fn write(
    archive: &Arc<Archive>,
    database: &Database,
    frozen: &Arc<Frozen>,
    partitions: &mut Partitions,
) -> Result<u64, ArchiveError> {
    let reached = &frozen.reached;
    let mut client = database.borrow().await?;
    for (index, mission) in archive.missions().iter().enumerate() {
        let of_mission = frozen.tables.iter().filter(|((of, _), _)| *of == index);
        let layouts = of_mission.flat_map(|(_, tables)| tables.all()).map(|table| &table.layout);
        mission
            .layouts
            .number(&**client, mission.mission_id, &mission.reads().parameter_ids, layouts)
            .await?;
    }
    // Encoding takes a core for a moment; the tasks that answer nodes must not wait for it.
    let rows = {
        let (archive, frozen) = (Arc::clone(archive), Arc::clone(frozen));
        tokio::task::spawn_blocking(move || rows(&archive, &frozen))
            .await
            .map_err(|error| ArchiveError::Damaged { what: "head", source: Box::new(error) })?
    };
    rows.make_partitions(&**client, partitions).await?;
    let transaction = client.transaction().await?;
    database.lead().check(&*transaction).await?;
    let moved = transaction
        .execute(
            "UPDATE segmented SET live_ledger_id = $1, backlog_ledger_id = $2, committed_at = $3, generation = $4::bigint
             WHERE generation = $4::bigint - 1",
            &[
                &reached.live.ledger_id,
                &reached.backlog.ledger_id,
                &reached.committed_at().0,
                &frozen.generation,
            ],
        )
        .await?;
    if moved == 0 {
        // Either our own COMMIT went through and only its answer was lost, or somebody else writes here.
        let sql = "SELECT live_ledger_id, backlog_ledger_id, generation FROM segmented";
        let row = transaction.query_one(sql, &[]).await?;
        let ours = [reached.live.ledger_id, reached.backlog.ledger_id, frozen.generation];
        let is_ours = std::array::from_fn(|column| row.get::<_, i64>(column)) == ours;
        return if is_ours { Ok(0) } else { Err(ArchiveError::Foreign) };
    }
    let segments = rows.copy(&transaction).await?;
    account::write(&transaction, &frozen.account).await?;
    // Who follows may read from segments what it holds.
    follow::tell(&*transaction, Told::Segments).await?;
    transaction.commit().await?;
    Ok(segments)
}

fn rows(archive: &Archive, frozen: &Frozen) -> SegmentRows {
    let mut rows = SegmentRows::default();
    let reads: Vec<_> = archive.missions().iter().map(ArchivedMission::reads).collect();
    for (&(index, node), tables) in &frozen.tables {
        let mission = &archive.missions()[index];
        for table in tables.all() {
            let Some(layout_id) = mission.layouts.number_of(&table.layout) else { continue };
            let place = SegmentPlace {
                mission_id: mission.mission_id,
                layout_id,
                node,
                generation: frozen.generation,
                reading_id: 0,
                level: 0,
                version: table.version.0 as i32,
            };
            rows.add(&place, table.clone(), &reads[index].derivations);
        }
    }
    rows
}

/// Writes what the head holds, whatever its size: where a start finds more in the ledger than memory takes.
pub async fn cut_now(archive: &Arc<Archive>, database: &Database) -> Result<(), ArchiveError> {
    if let Some(frozen) = archive.freeze(0, Duration::ZERO) {
        write(archive, database, &frozen, &mut Partitions::new()).await?;
        archive.on_segmented(&frozen);
    }
    Ok(())
}
