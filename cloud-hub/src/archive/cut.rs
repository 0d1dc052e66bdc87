//! Cutting: writes the frozen part of the head into segments, in the transaction that says up to where the ledger
//! is in segments. After a crash the head begins behind that, so nothing is in both and nothing in neither.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use bytes::{BufMut, BytesMut};
use futures_util::SinkExt;
use processing::Series;
use service::logging::chain;
use service::metric::Metric;
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use super::head::{Frozen, SeriesKey};
use super::{Archive, ArchiveError, Database, columns};

/// A question decodes whole segments, so they stay small enough to be decoded in a millisecond or so.
const SEGMENT_SAMPLES_MAX: usize = 64 * 1_024;
/// Far below what reading a column back allows.
const SEGMENT_BYTES_MAX: usize = 16 << 20;
/// Rows gathered into one message to PostgreSQL, which takes less than 1 GiB.
const MESSAGE_BYTES: usize = 4 << 20;
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
            "UPDATE segmented SET ledger_id = $1, generation = $2 WHERE generation = $3",
            &[&frozen.ledger_id, &frozen.generation, &(frozen.generation - 1)],
        )
        .await?;
    if moved == 0 {
        // Either our own COMMIT went through and only its answer was lost, or somebody else writes here.
        let row = transaction.query_one("SELECT ledger_id, generation FROM segmented", &[]).await?;
        let is_ours = (row.get::<_, i64>(0), row.get::<_, i64>(1)) == (frozen.ledger_id, frozen.generation);
        return if is_ours { Ok(0) } else { Err(ArchiveError::Foreign) };
    }
    let sink = transaction.copy_in("COPY segment FROM STDIN BINARY").await?;
    tokio::pin!(sink);
    let mut segments = 0;
    for piece in rows {
        segments += piece.segments;
        sink.send(piece.bytes.freeze()).await?;
    }
    sink.finish().await?;
    transaction.commit().await?;
    Ok(segments)
}

/// Rows that go to PostgreSQL in one message.
#[derive(Default)]
struct Piece {
    bytes: BytesMut,
    segments: u64,
}

fn rows(archive: &Archive, frozen: &Frozen) -> Vec<Piece> {
    let mut pieces = vec![Piece::default()];
    pieces[0].bytes.put_slice(b"PGCOPY\n\xff\r\n\0");
    pieces[0].bytes.put_i64(0);
    for (key, series) in frozen.series.iter() {
        for part in parts(series) {
            if pieces.last().is_some_and(|piece| piece.bytes.len() > MESSAGE_BYTES) {
                pieces.push(Piece::default());
            }
            let piece = pieces.last_mut().expect("there is always one");
            let part = if part.len() == series.len() { None } else { Some(series.part(part)) };
            row(&mut piece.bytes, archive, frozen.generation, key, part.as_ref().unwrap_or(series));
            piece.segments += 1;
        }
    }
    pieces.last_mut().expect("there is always one").bytes.put_i16(-1);
    pieces
}

/// Cuts a series where a segment would hold too many samples or too many bytes.
fn parts(series: &Series) -> Vec<Range<usize>> {
    let (mut parts, mut start, mut bytes) = (Vec::new(), 0, 0);
    for index in 0..series.len() {
        bytes += series.raw_bytes(index);
        if index + 1 - start >= SEGMENT_SAMPLES_MAX || bytes >= SEGMENT_BYTES_MAX {
            parts.push(start..index + 1);
            (start, bytes) = (index + 1, 0);
        }
    }
    if start < series.len() {
        parts.push(start..series.len());
    }
    parts
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
