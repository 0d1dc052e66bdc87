//! Cutting: writes the frozen part of the head into segments, in the transaction that says up to where the ledger
//! is in segments. After a crash the head begins behind that, so nothing is in both and nothing in neither.

use std::sync::Arc;
use std::time::Duration;

use bytes::{BufMut, BytesMut};
use futures_util::SinkExt;
use processing::Series;
use service::metric::Metric;
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use super::head::{Frozen, SeriesKey};
use super::{Archive, ArchiveError, Database, columns};

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
                archive.on_segmented(frozen.generation);
                Metric::HubArchiveSegments.add(segments);
                debug!(segments, generation = frozen.generation, "head was cut into segments");
            }
            Err(error) => {
                warn!(%error, "segments could not be written, the samples stay in memory and in the ledger");
                wait = RETRY_INTERVAL;
            }
        }
    }
}

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
    // A COMMIT whose answer was lost shows here: the generation is there, and nothing is written twice.
    let moved = transaction
        .execute(
            "UPDATE segmented SET ledger_id = $1, generation = $2 WHERE generation = $2 - 1",
            &[&frozen.ledger_id, &frozen.generation],
        )
        .await?;
    if moved == 0 {
        return Ok(0);
    }
    let sink = transaction.copy_in("COPY segment FROM STDIN BINARY").await?;
    tokio::pin!(sink);
    sink.send(rows.freeze()).await?;
    sink.finish().await?;
    transaction.commit().await?;
    Ok(frozen.series.len() as u64)
}

fn rows(archive: &Archive, frozen: &Frozen) -> BytesMut {
    let mut out = BytesMut::new();
    out.put_slice(b"PGCOPY\n\xff\r\n\0");
    out.put_i64(0);
    for (key, series) in frozen.series.iter() {
        row(&mut out, archive, frozen.generation, key, series);
    }
    out.put_i16(-1);
    out
}

fn row(out: &mut BytesMut, archive: &Archive, generation: i64, key: &SeriesKey, series: &Series) {
    let mission = &archive.missions()[key.mission];
    let (first, last) = series
        .generation()
        .iter()
        .fold((i64::MAX, i64::MIN), |(first, last), &time| (first.min(time), last.max(time)));
    let extremes = (0..series.len())
        .filter_map(|index| series.number(index).filter(|number| number.is_finite()))
        .fold(None, |extremes: Option<(f64, f64)>, number| {
            let (least, most) = extremes.unwrap_or((number, number));
            Some((least.min(number), most.max(number)))
        });
    out.put_i16(10);
    let mut put = |field: Option<&[u8]>| match field {
        Some(field) => {
            out.put_i32(field.len() as i32);
            out.put_slice(field);
        }
        None => out.put_i32(-1),
    };
    put(Some(&mission.mission_id.to_be_bytes()));
    put(Some(&mission.parameter_ids[key.parameter.0 as usize].to_be_bytes()));
    put(Some(key.node.as_bytes()));
    put(Some(&generation.to_be_bytes()));
    put(Some(&first.to_be_bytes()));
    put(Some(&last.to_be_bytes()));
    put(Some(&(series.len() as i32).to_be_bytes()));
    put(extremes.map(|(least, _)| least.to_be_bytes()).as_ref().map(<[u8; 8]>::as_slice));
    put(extremes.map(|(_, most)| most.to_be_bytes()).as_ref().map(<[u8; 8]>::as_slice));
    put(Some(&columns::encode(series)));
}
