//! Reading the ledger again, with the versions in force now. Until the switch at the end nothing is shown of it.

use std::collections::HashMap;
use std::ops::Range;
use std::time::Duration;

use delivery::SealedBatch;
use futures_util::TryStreamExt;
use processing::{Derivations, MissionDecoder, Provenance, Tables};
use space_packet::TaiTime;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Row};
use uuid::Uuid;

use super::head::{Reads, Records};
use super::layouts::Layouts;
use super::query::parameter_ids;
use super::readings::{self, Covers, ReadingTable};
use super::segments::{Partitions, SegmentPlace, SegmentRows};
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
    let covers = wait_for_cut(&client, mission_id, reading_id).await?;
    let parameter_ids = parameter_ids(&client, mission_id, request.decoder.database()).await?;
    let reads = Reads::new(request.decoder.clone(), parameter_ids);
    let layouts = Layouts::default();
    layouts.load(&client, mission_id, &reads.parameter_ids).await?;
    let mut writer = Writer {
        mission_id,
        reading_id,
        generation: covers.generation,
        reads,
        layouts,
        partitions: Partitions::new(),
    };

    let reader = database.connect().await?;
    let mut progress = ReprocessProgress { reading_id, ..ReprocessProgress::default() };
    let parameters: [&(dyn ToSql + Sync); 3] = [&request.mission, &covers.live, &covers.backlog];
    let covered = "mission = $1 AND ledger_id <= CASE WHEN way <= 2 THEN $2::bigint ELSE $3::bigint END";
    let sql = format!("SELECT count(*) FROM ledger WHERE {covered}");
    progress.batches_of = reader.query_one(&sql, &parameters).await?.get(0);
    let sql = format!("SELECT node_id, sealed FROM ledger WHERE {covered} ORDER BY ledger_id");
    let rows = reader.query_raw(&sql, parameters).await?;
    let mut rows = std::pin::pin!(rows);
    let mut gathered = Gathered::default();
    while let Some(row) = rows.try_next().await? {
        tokio::task::block_in_place(|| {
            gathered.add(&row, &request, &writer.reads.derivations, &mut progress)
        })?;
        if gathered.weight > GATHERED_MAX {
            gathered.write(&mut client, &progress, &mut writer).await?;
            tell(progress);
        }
    }
    gathered.write(&mut client, &progress, &mut writer).await?;
    tell(progress);
    readings::switch(&client, mission_id, reading_id, service::clock::now().0).await?;
    Ok(progress)
}

async fn wait_for_cut(client: &Client, mission_id: i32, reading_id: i32) -> Result<Covers, ReprocessError> {
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

/// Where a reading's samples go.
struct Writer {
    mission_id: i32,
    reading_id: i32,
    generation: i64,
    reads: Reads,
    layouts: Layouts,
    partitions: Partitions,
}

/// Samples that are not written yet.
#[derive(Default)]
struct Gathered {
    tables: HashMap<Uuid, Tables>,
    weight: usize,
}

impl Gathered {
    fn add(
        &mut self,
        row: &Row,
        request: &ReprocessRequest,
        derivations: &Derivations,
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
        let mut records = Records::default();
        records.decode(&open, &request.decoder, Provenance::Reprocessed);
        let tables = self.tables.entry(node).or_default();
        let before = tables.weight();
        for samples in records.each() {
            progress.packets += 1;
            if samples.first().is_some_and(|first| request.span.contains(&first.generation.0)) {
                progress.samples += samples.len() as i64;
                tables.push(samples, derivations);
            }
        }
        self.weight += tables.weight() - before;
        Ok(())
    }

    async fn write(
        &mut self,
        client: &mut Client,
        progress: &ReprocessProgress,
        writer: &mut Writer,
    ) -> Result<(), ArchiveError> {
        let Writer { mission_id, reading_id, generation, reads, layouts, partitions } = writer;
        let used = self.tables.values().flat_map(Tables::all).map(|table| &table.layout);
        layouts.number(&*client, *mission_id, &reads.parameter_ids, used).await?;
        let rows = tokio::task::block_in_place(|| {
            let mut rows = SegmentRows::default();
            for (&node, tables) in &self.tables {
                for table in tables.all() {
                    let Some(layout_id) = layouts.number_of(&table.layout) else { continue };
                    let place = SegmentPlace {
                        mission_id: *mission_id,
                        layout_id,
                        node,
                        generation: *generation,
                        reading_id: *reading_id,
                        level: 0,
                        version: table.version.0 as i32,
                    };
                    rows.add(&place, table.clone(), &reads.derivations);
                }
            }
            rows
        });
        self.tables.clear();
        self.weight = 0;
        rows.make_partitions(&*client, partitions).await?;
        let transaction = client.transaction().await?;
        rows.copy(&transaction).await?;
        let ReprocessProgress { reading_id, batches, packets, samples, .. } = progress;
        transaction
            .execute(
                "UPDATE reading SET batches = $3, packets = $4, samples = $5
                 WHERE mission_id = $1 AND reading_id = $2",
                &[&writer.mission_id, reading_id, batches, packets, samples],
            )
            .await?;
        transaction.commit().await?;
        Ok(())
    }
}
