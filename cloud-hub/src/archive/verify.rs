//! Proof that segments hold what the ledger holds: both are read, and what comes of each sample is summed up in an order
//! that does not matter. Memory grows with parameters, nodes and months, not with samples.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use delivery::{SealedBatch, Way};
use futures_util::TryStreamExt;
use processing::{Derivations, MissionDecoder, Provenance, Raw, Sample, Table};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Row, Transaction};
use uuid::Uuid;

use super::columns::{self, ColumnsError};
use super::head::Records;
use super::layouts::Layouts;
use super::months::Month;
use super::query::{parameter_ids, parts, stored_table};
use super::segments::{RESOLUTIONS, seconds};
use super::{ArchiveError, Database};

/// Told how far it is after so many batches or segments.
const TOLD_EVERY: u64 = 1_000;

/// What was found.
#[derive(Clone, Debug, Default)]
pub struct Verified {
    /// Batches of the ledger that were read.
    pub batches: u64,
    /// Segments that were read.
    pub segments: u64,
    /// Samples in the ledger's batches.
    pub ledger_samples: u64,
    /// Samples in segments.
    pub segment_samples: u64,
    /// Samples that roll-ups of each resolution count.
    pub rollup_samples: Vec<(u32, u64)>,
    /// What differs, a sentence each; the first hundred.
    pub differences: Vec<String>,
    /// How many differ.
    pub difference_count: u64,
}

impl Verified {
    fn differs(&mut self, what: String) {
        self.difference_count += 1;
        if self.differences.len() < 100 {
            self.differences.push(what);
        }
    }
}

/// Samples of one node and month, each counted once and hashed with all that a segment must not change.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
struct Sum {
    samples: u64,
    hash: u64,
}

impl Sum {
    fn add(&mut self, sample: &Sample, parameter_id: i32) {
        let mut hasher = DefaultHasher::new();
        parameter_id.hash(&mut hasher);
        (sample.generation.0.0, sample.reception.0.0, sample.provenance as u8).hash(&mut hasher);
        match &sample.raw {
            Raw::Binary(bytes) => (0, bytes).hash(&mut hasher),
            Raw::Float(number) => (1, number.to_bits()).hash(&mut hasher),
            Raw::Signed(number) => (2, number).hash(&mut hasher),
            Raw::Text(text) => (3, text).hash(&mut hasher),
            Raw::Unsigned(number) => (4, number).hash(&mut hasher),
        }
        self.samples += 1;
        self.hash = self.hash.wrapping_add(hasher.finish());
    }
}

type Sums = BTreeMap<(Uuid, i32, i32), Sum>;

/// Reads a mission's ledger, segments and roll-ups as they are at one moment, and compares them. Only what was decoded as
/// it came is compared: a reading of another dictionary differs on purpose.
///
/// Rows of the ledger that are not in segments yet, or were dropped for their age, are no differences.
pub async fn verify(
    database: &Database,
    mission: &str,
    decoder: &MissionDecoder,
    mut tell: impl FnMut(&Verified),
) -> Result<Option<Verified>, ArchiveError> {
    let mut client = database.connect().await?;
    let sql = "SELECT mission_id FROM mission WHERE name = $1";
    let Some(row) = client.query_opt(sql, &[&mission]).await? else { return Ok(None) };
    let mission_id: i32 = row.get(0);
    let parameter_ids = parameter_ids(&client, mission_id, decoder.database()).await?;
    let layouts = Layouts::default();
    layouts.load(&client, mission_id, &parameter_ids).await?;
    let mut verified = Verified::default();
    let snapshot = client
        .build_transaction()
        .isolation_level(tokio_postgres::IsolationLevel::RepeatableRead)
        .read_only(true)
        .start()
        .await?;
    let (in_ledger, first_month) =
        sum_ledger(&snapshot, mission, decoder, &parameter_ids, &mut verified, &mut tell).await?;
    let read = Segments { mission_id, layouts: &layouts, parameter_ids: &parameter_ids };
    let in_segments = read.sum(&snapshot, &mut verified, &mut tell).await?;
    for resolution in RESOLUTIONS {
        let counted = read.count_rollups(&snapshot, seconds(resolution), &mut verified).await?;
        verified.rollup_samples.push((seconds(resolution).cast_unsigned().into(), counted));
    }
    snapshot.commit().await?;
    compare(&client, &in_ledger, &in_segments, first_month, &mut verified).await?;
    Ok(Some(verified))
}

async fn compare(
    client: &Client,
    in_ledger: &Sums,
    in_segments: &Sums,
    first_month: Option<i32>,
    verified: &mut Verified,
) -> Result<(), ArchiveError> {
    let names: BTreeMap<i32, String> = client
        .query("SELECT parameter_id, name FROM parameter", &[])
        .await?
        .iter()
        .map(|row| (row.get(0), row.get(1)))
        .collect();
    let mut keys: Vec<_> = in_ledger.keys().chain(in_segments.keys()).copied().collect();
    keys.sort_unstable();
    keys.dedup();
    for key @ (node, parameter_id, month) in keys {
        let (kept, made) = (
            in_ledger.get(&key).copied().unwrap_or_default(),
            in_segments.get(&key).copied().unwrap_or_default(),
        );
        // Its ledger was dropped, wholly or in part; what a dictionary reads otherwise now is told all the same.
        let is_dropped = first_month.is_none_or(|first| month <= first) && kept.samples < made.samples;
        if kept == made || is_dropped {
            continue;
        }
        let name = names.get(&parameter_id).map_or("?", String::as_str);
        let (year, number) = (1_970 + month.div_euclid(12), month.rem_euclid(12) + 1);
        let what = if kept.samples == made.samples {
            format!("{} samples whose values or times differ", kept.samples)
        } else {
            format!("{} samples in the ledger, {} in segments", kept.samples, made.samples)
        };
        verified.differs(format!("{name} of node {node} in {year}-{number:02}: {what}"));
    }
    Ok(())
}

/// Sums up what is in segments according to `segmented`, and says which is the oldest month of commits there is.
async fn sum_ledger(
    snapshot: &Transaction<'_>,
    mission: &str,
    decoder: &MissionDecoder,
    parameter_ids: &[i32],
    verified: &mut Verified,
    tell: &mut impl FnMut(&Verified),
) -> Result<(Sums, Option<i32>), ArchiveError> {
    let mut sums = Sums::new();
    let mut first_month = None;
    let parameters: [&(dyn ToSql + Sync); 1] = [&mission];
    let rows = snapshot
        .query_raw(
            "SELECT ledger.node_id, ledger.sealed, ledger.way, ledger.month FROM ledger, segmented
             WHERE ledger.mission = $1
               AND ledger_id <= CASE WHEN way <= 2 THEN live_ledger_id ELSE backlog_ledger_id END",
            parameters,
        )
        .await?;
    let mut rows = std::pin::pin!(rows);
    while let Some(row) = rows.try_next().await? {
        let node: Uuid = row.get(0);
        let month: i32 = row.get(3);
        first_month = Some(first_month.map_or(month, |first: i32| first.min(month)));
        tokio::task::block_in_place(|| {
            let Ok(batch) = SealedBatch::parse(row.get(1)) else {
                return verified.differs(format!("a batch of node {node} in the ledger is damaged"));
            };
            let way = u8::try_from(row.get::<_, i16>(2)).ok().and_then(|way| Way::try_from(way).ok());
            let Ok(open) = batch.open() else { return };
            let mut records = Records::default();
            records.decode(&open, decoder, way.map_or_else(Provenance::default, Provenance::of));
            for sample in &records.samples {
                let parameter_id = parameter_ids[sample.parameter.0 as usize];
                let month = Month::of(sample.generation.0.0).0;
                sums.entry((node, parameter_id, month)).or_default().add(sample, parameter_id);
            }
            verified.ledger_samples += records.samples.len() as u64;
        });
        verified.batches += 1;
        if verified.batches.is_multiple_of(TOLD_EVERY) {
            tell(verified);
        }
    }
    Ok((sums, first_month))
}

struct Segments<'a> {
    mission_id: i32,
    layouts: &'a Layouts,
    parameter_ids: &'a [i32],
}

impl Segments<'_> {
    async fn sum(
        &self,
        snapshot: &Transaction<'_>,
        verified: &mut Verified,
        tell: &mut impl FnMut(&Verified),
    ) -> Result<Sums, ArchiveError> {
        let mut sums = Sums::new();
        let parameters: [&(dyn ToSql + Sync); 1] = [&self.mission_id];
        let rows = snapshot
            .query_raw(
                "SELECT layout_id, node_id, dictionary_version, moments, ends, columns, month FROM segment
                 WHERE mission_id = $1 AND reading_id = 0",
                parameters,
            )
            .await?;
        let mut rows = std::pin::pin!(rows);
        while let Some(row) = rows.try_next().await? {
            tokio::task::block_in_place(|| self.add(&row, &mut sums, verified));
            verified.segments += 1;
            if verified.segments.is_multiple_of(TOLD_EVERY) {
                tell(verified);
            }
        }
        Ok(sums)
    }

    fn add(&self, row: &Row, sums: &mut Sums, verified: &mut Verified) {
        let (layout_id, node): (i32, Uuid) = (row.get(0), row.get(1));
        let Some(layout) = self.layouts.get(layout_id) else {
            return verified.differs(format!("a segment of node {node} has the unknown layout {layout_id}"));
        };
        let table: Table = match stored_table(row, 2, &layout) {
            Ok(table) => table,
            Err(error) => {
                return verified
                    .differs(format!("a segment of node {node}, layout {layout_id}, is damaged: {error}"));
            }
        };
        let month: i32 = row.get(6);
        if table.generation.iter().any(|&time| Month::of(time).0 != month) {
            verified.differs(format!(
                "a segment of node {node}, layout {layout_id}, holds samples of another month"
            ));
        }
        // What is compared is as transmitted: nothing is derived.
        let derivations = Derivations::default();
        for (place, entry) in layout.entries().iter().enumerate() {
            let Some(&parameter_id) = self.parameter_ids.get(entry.parameter.0 as usize) else { continue };
            let series = table.series(place, &derivations);
            let sum = sums.entry((node, parameter_id, month)).or_default();
            (0..table.rows()).for_each(|row| sum.add(&series.sample(entry.parameter, row), parameter_id));
            verified.segment_samples += table.rows() as u64;
        }
    }

    /// Rows that roll-ups of a resolution count, compared with those of segments by layout and month.
    async fn count_rollups(
        &self,
        snapshot: &Transaction<'_>,
        resolution: i16,
        verified: &mut Verified,
    ) -> Result<u64, ArchiveError> {
        let sql = "SELECT layout_id, node_id, reading_id, month, sum(moments)::bigint FROM segment WHERE mission_id = $1
                   GROUP BY layout_id, node_id, reading_id, month";
        let rows = snapshot.query(sql, &[&self.mission_id]).await?;
        let key = |row: &Row| -> (i32, Uuid, i32, i32) { (row.get(0), row.get(1), row.get(2), row.get(3)) };
        let mut moments: BTreeMap<_, i64> = rows.iter().map(|row| (key(row), row.get(4))).collect();
        let mut counted = 0;
        let parameters: [&(dyn ToSql + Sync); 2] = [&self.mission_id, &resolution];
        let rows = snapshot
            .query_raw(
                "SELECT layout_id, node_id, reading_id, month, moments, ends, columns FROM rollup
                 WHERE mission_id = $1 AND resolution = $2",
                parameters,
            )
            .await?;
        let mut rows = std::pin::pin!(rows);
        while let Some(row) = rows.try_next().await? {
            match counts(&row) {
                Ok(count) => {
                    *moments.entry(key(&row)).or_default() -= count;
                    let columns = self.layouts.get(row.get(0)).map_or(0, |layout| layout.entries().len());
                    counted += count.cast_unsigned() * columns as u64;
                }
                Err(error) => verified
                    .differs(format!("a roll-up of layout {} is damaged: {error}", row.get::<_, i32>(0))),
            }
        }
        for ((layout, node, reading, _), left) in moments.into_iter().filter(|(_, left)| *left != 0) {
            verified.differs(format!(
                "roll-ups of {resolution} s of node {node}, layout {layout}, reading {reading}, lack {left} rows of its segments"
            ));
        }
        Ok(counted)
    }
}

fn counts(row: &Row) -> Result<i64, ColumnsError> {
    let rows = usize::try_from(row.get::<_, i32>(4)).unwrap_or(0);
    let (ends, bytes): (Vec<i32>, &[u8]) = (row.get(5), row.get(6));
    let parts = parts(&ends, bytes)?;
    let axis = parts.first().ok_or(ColumnsError::Unreadable("the axis"))?;
    let buckets = columns::decode_rolled_axis(axis, rows)?;
    Ok(buckets.iter().map(|bucket| i64::from(bucket.count)).sum())
}
