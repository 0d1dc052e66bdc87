//! Reading the ledger again, with the versions in force now. Until the switch at the end nothing is shown of it.

use std::ops::Range;
use std::time::Duration;

use delivery::SealedBatch;
use futures_util::TryStreamExt;
use mission_database::DecodedPacket;
use processing::{MissionDecoder, Sample, Series};
use space_packet::TaiTime;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Row};
use uuid::Uuid;

use super::head::{SeriesKey, SeriesMap, weight};
use super::query::parameter_ids;
use super::readings::{self, ReadingTable};
use super::segments::{SegmentPlace, SegmentRows};
use super::{ArchiveError, Database};

/// How long the running hub may take to write its head into segments.
const CUT_WAIT: Duration = Duration::from_secs(60);
const CUT_LOOK: Duration = Duration::from_millis(200);
/// Samples gathered before they are written, as in the head.
const GATHERED_MAX: usize = 1_000_000;

/// What is to be read again.
pub struct ReprocessRequest {
    /// Name of the mission.
    pub mission: String,
    /// How its packets are read now.
    pub decoder: MissionDecoder,
    /// Of which generation times: the end is excluded.
    pub span: Range<TaiTime>,
}

/// How far a reading is.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct ReprocessProgress {
    /// Its number.
    pub reading_id: i32,
    /// Batches in the ledger.
    pub batches_of: i64,
    /// Batches read.
    pub batches: i64,
    /// Packets decoded.
    pub packets: i64,
    /// Samples within the span.
    pub samples: i64,
}

/// Why a ledger was not read again. Nothing that is shown has changed.
#[derive(Debug, thiserror::Error)]
pub enum ReprocessError {
    /// PostgreSQL.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// Somebody else is at it.
    #[error("another reprocessing is at work")]
    Busy,
    /// The hub did not write its head into segments.
    #[error("the running hub did not write what it holds in memory into segments within a minute")]
    NotCut,
}

impl From<tokio_postgres::Error> for ReprocessError {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Archive(error.into())
    }
}

/// Reads again and switches.
pub async fn reprocess(
    database: &Database,
    request: ReprocessRequest,
    mut tell: impl FnMut(ReprocessProgress),
) -> Result<ReprocessProgress, ReprocessError> {
    let mut client = ReadingTable::new(database.clone()).lock().await?.ok_or(ReprocessError::Busy)?;
    readings::abandon_unfinished(&client, service::clock::now().0).await?;
    let sql = "SELECT mission_id FROM mission WHERE name = $1";
    let mission_id: i32 = client.query_one(sql, &[&request.mission]).await?.get(0);
    let span = request.span.start.0..request.span.end.0;
    let reading_id = readings::request(&client, mission_id, span, service::clock::now().0).await?;
    let (ledger_id, generation) = wait_for_cut(&client, mission_id, reading_id).await?;
    let parameter_ids = parameter_ids(&client, mission_id, request.decoder.database()).await?;
    let place = |key: &SeriesKey| SegmentPlace {
        mission_id,
        parameter_id: parameter_ids[key.parameter.0 as usize],
        node: key.node,
        generation,
        reading_id,
    };

    let reader = database.connect().await?;
    let mut progress = ReprocessProgress { reading_id, ..ReprocessProgress::default() };
    let sql = "SELECT count(*) FROM ledger WHERE mission = $1 AND ledger_id <= $2";
    progress.batches_of = reader.query_one(sql, &[&request.mission, &ledger_id]).await?.get(0);
    let parameters: [&(dyn ToSql + Sync); 2] = [&request.mission, &ledger_id];
    let rows = reader
        .query_raw(
            "SELECT node_id, sealed FROM ledger WHERE mission = $1 AND ledger_id <= $2 ORDER BY ledger_id",
            parameters,
        )
        .await?;
    let mut rows = std::pin::pin!(rows);
    let mut gathered = Gathered::default();
    while let Some(row) = rows.try_next().await? {
        tokio::task::block_in_place(|| gathered.add(&row, &request, &mut progress))?;
        if gathered.weight > GATHERED_MAX {
            gathered.write(&mut client, &progress, (mission_id, &place)).await?;
            tell(progress);
        }
    }
    gathered.write(&mut client, &progress, (mission_id, &place)).await?;
    tell(progress);
    readings::switch(&client, mission_id, reading_id, service::clock::now().0).await?;
    Ok(progress)
}

async fn wait_for_cut(
    client: &Client,
    mission_id: i32,
    reading_id: i32,
) -> Result<(i64, i64), ReprocessError> {
    let give_up_at = tokio::time::Instant::now() + CUT_WAIT;
    loop {
        if let Some(covers) = readings::begin(client, mission_id, reading_id).await? {
            return Ok(covers);
        }
        if tokio::time::Instant::now() >= give_up_at {
            return Err(ReprocessError::NotCut);
        }
        tokio::time::sleep(CUT_LOOK).await;
    }
}

/// Samples that are not written yet.
#[derive(Default)]
struct Gathered {
    series: SeriesMap,
    weight: usize,
}

impl Gathered {
    fn add(
        &mut self,
        row: &Row,
        request: &ReprocessRequest,
        progress: &mut ReprocessProgress,
    ) -> Result<(), ArchiveError> {
        let damaged = |source: Box<dyn std::error::Error + Send + Sync>| ArchiveError::Damaged {
            what: "batch",
            source,
        };
        let node: Uuid = row.get(0);
        let batch = SealedBatch::parse(row.get(1)).map_err(|error| damaged(Box::new(error)))?;
        progress.batches += 1;
        // One that does not open had no samples the first time either, and stays in the ledger.
        let Ok(open) = batch.open() else { return Ok(()) };
        let (mut scratch, mut samples) = (DecodedPacket::default(), Vec::new());
        for record in open.records() {
            request.decoder.decode_record(open.content(), record, &mut scratch, &mut samples);
            progress.packets += 1;
        }
        samples.retain(|sample| request.span.contains(&sample.generation.0));
        progress.samples += samples.len() as i64;
        samples.into_iter().for_each(|sample| self.push(node, sample));
        Ok(())
    }

    fn push(&mut self, node: Uuid, sample: Sample) {
        self.weight += weight(&sample);
        let key = SeriesKey::of(0, node, &sample);
        match self.series.get_mut(&key) {
            None => drop(self.series.insert(key, Series::starting_with(sample))),
            Some(series) => {
                let is_taken = series.push(sample);
                debug_assert!(is_taken, "the key says version and kind");
            }
        }
    }

    async fn write(
        &mut self,
        client: &mut Client,
        progress: &ReprocessProgress,
        (mission_id, place): (i32, &impl Fn(&SeriesKey) -> SegmentPlace),
    ) -> Result<(), ArchiveError> {
        let rows = tokio::task::block_in_place(|| {
            let mut rows = SegmentRows::new();
            self.series.iter().for_each(|(key, series)| rows.add(&place(key), series));
            rows
        });
        self.series.clear();
        self.weight = 0;
        let transaction = client.transaction().await?;
        rows.copy(&transaction).await?;
        let ReprocessProgress { reading_id, batches, packets, samples, .. } = progress;
        transaction
            .execute(
                "UPDATE reading SET batches = $3, packets = $4, samples = $5
                 WHERE mission_id = $1 AND reading_id = $2",
                &[&mission_id, reading_id, batches, packets, samples],
            )
            .await?;
        transaction.commit().await?;
        Ok(())
    }
}
