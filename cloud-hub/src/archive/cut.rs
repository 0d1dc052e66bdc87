//! Cutting: writes the frozen part of the head into segments, in the transaction that says up to where the ledger
//! is in segments, and counts it in the account. After a crash the head begins behind that, so nothing is in both and
//! nothing in neither.

use std::sync::Arc;
use std::time::Duration;

use service::logging::chain;
use service::metric::Metric;
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use super::head::{ArchivedMission, Frozen};
use super::segments::{SegmentPlace, SegmentRows};
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
    let mut wait = LOOK_INTERVAL;
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return Ok(()),
            () = tokio::time::sleep(wait) => {}
        }
        wait = LOOK_INTERVAL;
        let Some(frozen) = archive.freeze(samples_max, age_max) else { continue };
        match write(&archive, &database, &frozen).await {
            Ok(segments) => {
                archive.on_segmented(&frozen);
                // What came meanwhile may be due already, and commits wait for it.
                wait = Duration::ZERO;
                Metric::HubArchiveSegments.add(segments);
                debug!(segments, generation = frozen.generation, "head was cut into segments");
            }
            Err(error @ ArchiveError::Foreign) => return Err(error.into()),
            Err(error) => {
                warn!(
                    error = chain(&error),
                    "segments could not be written, the samples stay in memory and in the ledger"
                );
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
) -> Result<u64, ArchiveError> {
    // Encoding takes a core for a moment; the tasks that answer nodes must not wait for it.
    let rows = {
        let (archive, frozen) = (Arc::clone(archive), Arc::clone(frozen));
        tokio::task::spawn_blocking(move || rows(&archive, &frozen))
            .await
            .map_err(|error| ArchiveError::Damaged { what: "head", source: Box::new(error) })?
    };
    let mut client = database.borrow().await?;
    let transaction = client.transaction().await?;
    let moved = transaction
        .execute(
            "UPDATE segmented SET ledger_id = $1, accounted = $1, generation = $2 WHERE generation = $3",
            &[&frozen.ledger_id, &frozen.generation, &(frozen.generation - 1)],
        )
        .await?;
    if moved == 0 {
        // Either our own COMMIT went through and only its answer was lost, or somebody else writes here.
        let row = transaction.query_one("SELECT ledger_id, generation FROM segmented", &[]).await?;
        let is_ours = (row.get::<_, i64>(0), row.get::<_, i64>(1)) == (frozen.ledger_id, frozen.generation);
        return if is_ours { Ok(0) } else { Err(ArchiveError::Foreign) };
    }
    let segments = rows.copy(&transaction).await?;
    account::write(&transaction, &frozen.account).await?;
    transaction.commit().await?;
    Ok(segments)
}

fn rows(archive: &Archive, frozen: &Frozen) -> SegmentRows {
    let mut rows = SegmentRows::new();
    let reads: Vec<_> = archive.missions().iter().map(ArchivedMission::reads).collect();
    for (key, series) in frozen.series.iter() {
        let place = SegmentPlace {
            mission_id: archive.missions()[key.mission].mission_id,
            parameter_id: reads[key.mission].parameter_ids[key.parameter.0 as usize],
            node: key.node,
            generation: frozen.generation,
            reading_id: 0,
        };
        rows.add(&place, series);
    }
    rows
}
