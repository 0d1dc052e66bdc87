//! Rows of the tables `segment` and `rollup`, gathered into messages that PostgreSQL takes.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use bytes::{BufMut, BytesMut};
use futures_util::SinkExt;
use processing::{Derivations, Resolution, RolledTable, Table};
use tokio_postgres::types::ToSql;
use tokio_postgres::{GenericClient, Transaction};
use uuid::Uuid;

use super::months::Month;
use super::{ArchiveError, columns};

/// A question decodes whole columns of segments, so these stay small enough to be decoded in a millisecond or so.
pub(super) const ROWS_MAX: usize = 64 * 1_024;
/// And wide ones small enough to be merged in memory.
pub(super) const CELLS_MAX: usize = 2 << 20;
/// Far below what a field of PostgreSQL can be.
const BYTES_MAX: usize = 64 << 20;
/// Rows gathered into one message to PostgreSQL, which takes less than 1 GiB.
const MESSAGE_BYTES: usize = 4 << 20;
/// What roll-ups are kept of.
pub(super) const RESOLUTIONS: [Resolution; 2] = [Resolution::Minute, Resolution::Hour];
/// The level at which nothing is merged any more.
pub(super) const TOP_LEVEL: i16 = 9;
/// Months that get a partition of their own: 2000 to 2099. A spacecraft's clock that says another is wrong.
const MONTHS_WITH_PARTITION: Range<i32> = 360..1_560;
/// Moments of each layout kept as its latest: a few, so that the usual interval is known again after a start.
const LATEST_MOMENTS: usize = 8;
/// `int4` in PostgreSQL's catalogue.
const INT4: u32 = 23;

/// Where a table belongs.
#[derive(Clone, Copy, Debug)]
pub(super) struct SegmentPlace {
    pub(super) mission_id: i32,
    pub(super) layout_id: i32,
    pub(super) node: Uuid,
    pub(super) generation: i64,
    /// 0 for what was decoded as it came.
    pub(super) reading_id: i32,
    pub(super) level: i16,
    pub(super) version: i32,
}

/// Segments and their roll-ups on their way to PostgreSQL, in its binary COPY format.
#[derive(Default)]
pub(super) struct SegmentRows {
    segments: CopyRows,
    rollups: CopyRows,
    latest: BTreeMap<LatestKey, LatestRow>,
}

/// Layout, node, reading, version.
type LatestKey = (i32, Uuid, i32, i32);

struct LatestRow {
    mission_id: i32,
    generation: i64,
    last: i64,
    moments: i32,
    ends: Vec<i32>,
    columns: Vec<u8>,
}

/// Partitions that are known to be there: table, mission and month.
pub(super) type Partitions = BTreeSet<(&'static str, i32, Month)>;

/// What one of the tables gets.
#[derive(Default)]
struct CopyRows {
    messages: Vec<BytesMut>,
    rows: u64,
    needed: BTreeSet<(i32, Month)>,
}

impl SegmentRows {
    /// Adds a table, in as many segments as months and its size ask for, and what it comes to rolled up.
    pub(super) fn add(&mut self, place: &SegmentPlace, table: Table, derivations: &Derivations) {
        let table = table.sorted();
        self.add_latest(place, &table);
        for month in by_month(&table.generation) {
            let of_month = if month.len() == table.rows() { table.clone() } else { table.part(month) };
            for resolution in RESOLUTIONS {
                if let Some(rolled) = of_month.rolled_up(resolution, derivations) {
                    self.add_rolled(place, &rolled);
                }
            }
            self.add_segments(place, &of_month);
        }
    }

    fn add_latest(&mut self, place: &SegmentPlace, table: &Table) {
        let newest = table.part(table.rows().saturating_sub(LATEST_MOMENTS)..table.rows());
        let Some(&last) = newest.generation.last() else { return };
        let key = (place.layout_id, place.node, place.reading_id, place.version);
        if self.latest.get(&key).is_some_and(|known| known.last > last) {
            return;
        }
        let (columns, ends) = columns::encode(&newest);
        let (mission_id, generation, moments) = (place.mission_id, place.generation, newest.rows() as i32);
        self.latest.insert(key, LatestRow { mission_id, generation, last, moments, ends, columns });
    }

    /// Adds a table of one month whose rows are in the order of time, in as many segments as its size asks for.
    pub(super) fn add_segments(&mut self, place: &SegmentPlace, table: &Table) {
        for part in parts(table) {
            let part = if part.len() == table.rows() { None } else { Some(table.part(part)) };
            let table = part.as_ref().unwrap_or(table);
            let (columns, ends) = columns::encode(table);
            let times = (table.generation.first(), table.generation.last());
            let (Some(&first), Some(&last)) = times else { continue };
            // What is full is never merged again.
            let is_full = table.rows() >= ROWS_MAX / 2 || table.cells() >= CELLS_MAX / 2;
            let level = if is_full { TOP_LEVEL } else { place.level };
            let row = Row { level, first, last, moments: table.rows(), ends: &ends, columns: &columns };
            self.segments.add(place, &row, None);
        }
    }

    /// Adds roll-ups of one month.
    pub(super) fn add_rolled(&mut self, place: &SegmentPlace, table: &RolledTable) {
        let (columns, ends) = columns::encode_rolled(table);
        let times = (table.buckets.first(), table.buckets.last());
        let (Some(first), Some(last)) = times else { return };
        let row = Row {
            level: place.level,
            first: first.first_at,
            last: last.last_at,
            moments: table.rows(),
            ends: &ends,
            columns: &columns,
        };
        self.rollups.add(place, &row, Some(table.resolution));
    }

    /// Makes the partitions that these rows need, each once: `known` says which are there. Not in the transaction that
    /// writes, which would lock the whole table to its end.
    pub(super) async fn make_partitions(
        &self,
        client: &impl GenericClient,
        known: &mut Partitions,
    ) -> Result<(), ArchiveError> {
        for (whole, rows) in [("segment", &self.segments), ("rollup", &self.rollups)] {
            for &(mission_id, month) in &rows.needed {
                if !known.contains(&(whole, mission_id, month)) {
                    make_partition(client, whole, &mission_id.to_string(), month).await?;
                    // Only now: a database that fails in between has not made it.
                    known.insert((whole, mission_id, month));
                }
            }
        }
        Ok(())
    }

    /// Writes them; returns how many segments there are.
    pub(super) async fn copy(self, transaction: &Transaction<'_>) -> Result<u64, ArchiveError> {
        let fields =
            "mission_id, layout_id, node_id, reading_id, generation, level, dictionary_version, first_time,
                      last_time, moments, ends, columns, month";
        let segments = self.segments.rows;
        // In one order, so that two writers never wait for each other.
        let statement = transaction
            .prepare(
                "INSERT INTO latest (layout_id, node_id, reading_id, dictionary_version, mission_id, generation,
                                     last_time, moments, ends, columns)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
                 ON CONFLICT (mission_id, layout_id, node_id, reading_id, dictionary_version) DO UPDATE
                 SET generation = excluded.generation, last_time = excluded.last_time, moments = excluded.moments,
                     ends = excluded.ends, columns = excluded.columns
                 WHERE latest.last_time <= excluded.last_time",
            )
            .await?;
        let written = self.latest.iter().map(|((layout_id, node, reading_id, version), row)| {
            let LatestRow { mission_id, generation, last, moments, ends, columns } = row;
            let parameters: [&(dyn ToSql + Sync); 10] =
                [layout_id, node, reading_id, version, mission_id, generation, last, moments, ends, columns];
            let (transaction, statement) = (&*transaction, &statement);
            async move { transaction.execute(statement, &parameters).await }
        });
        // They travel together, and are carried out one after the other.
        futures_util::future::try_join_all(written).await?;
        self.segments.copy(transaction, &format!("segment ({fields})")).await?;
        self.rollups.copy(transaction, &format!("rollup ({fields}, resolution)")).await?;
        Ok(segments)
    }
}

/// Makes a mission's partition of a month, if months like it get one, and what it needs around it.
pub(super) async fn make_partition(
    client: &impl GenericClient,
    whole: &str,
    label: &str,
    month: Month,
) -> Result<(), ArchiveError> {
    let month = Some(month.0).filter(|month| MONTHS_WITH_PARTITION.contains(month));
    client.execute("SELECT mission_partition($1, $2, $3)", &[&whole, &label, &month]).await?;
    Ok(())
}

struct Row<'r> {
    level: i16,
    first: i64,
    last: i64,
    moments: usize,
    ends: &'r [i32],
    columns: &'r [u8],
}

impl CopyRows {
    fn add(&mut self, place: &SegmentPlace, row: &Row<'_>, resolution: Option<Resolution>) {
        if self.messages.is_empty() {
            let mut first = BytesMut::new();
            first.put_slice(b"PGCOPY\n\xff\r\n\0");
            first.put_i64(0);
            self.messages.push(first);
        } else if self.messages.last().is_some_and(|message| message.len() > MESSAGE_BYTES) {
            self.messages.push(BytesMut::new());
        }
        let month = Month::of(row.first);
        self.needed.insert((place.mission_id, month));
        self.rows += 1;
        let Some(out) = self.messages.last_mut() else { return };
        out.put_i16(13 + i16::from(resolution.is_some()));
        put(out, &place.mission_id.to_be_bytes());
        put(out, &place.layout_id.to_be_bytes());
        put(out, place.node.as_bytes());
        put(out, &place.reading_id.to_be_bytes());
        put(out, &place.generation.to_be_bytes());
        put(out, &row.level.to_be_bytes());
        put(out, &place.version.to_be_bytes());
        put(out, &row.first.to_be_bytes());
        put(out, &row.last.to_be_bytes());
        put(out, &(row.moments as i32).to_be_bytes());
        out.put_i32(20 + 8 * row.ends.len() as i32);
        // One dimension, no null, its type, its length, counted from 1.
        out.put_i32(1);
        out.put_i32(0);
        out.put_u32(INT4);
        out.put_i32(row.ends.len() as i32);
        out.put_i32(1);
        for end in row.ends {
            put(out, &end.to_be_bytes());
        }
        put(out, row.columns);
        put(out, &month.0.to_be_bytes());
        if let Some(resolution) = resolution {
            put(out, &seconds(resolution).to_be_bytes());
        }
    }

    async fn copy(mut self, transaction: &Transaction<'_>, into: &str) -> Result<(), ArchiveError> {
        let Some(last) = self.messages.last_mut() else { return Ok(()) };
        last.put_i16(-1);
        let sink = transaction.copy_in(&format!("COPY {into} FROM STDIN BINARY")).await?;
        tokio::pin!(sink);
        for message in self.messages {
            sink.send(message.freeze()).await?;
        }
        sink.finish().await?;
        Ok(())
    }
}

fn put(out: &mut BytesMut, field: &[u8]) {
    out.put_i32(field.len() as i32);
    out.put_slice(field);
}

/// A resolution as the table has it.
pub(super) fn seconds(resolution: Resolution) -> i16 {
    (resolution.width_nanos() / 1_000_000_000) as i16
}

/// Stretches of times in order that lie in one month each.
fn by_month(times: &[i64]) -> Vec<Range<usize>> {
    let (mut months, mut begin) = (Vec::new(), 0);
    while begin < times.len() {
        let month = Month::of(times[begin]).times();
        let end = begin + times[begin..].partition_point(|&time| time < month.end || month.end == i64::MAX);
        months.push(begin..end);
        begin = end;
    }
    months
}

/// Cuts a table where a segment would hold too many rows, values or bytes.
fn parts(table: &Table) -> Vec<Range<usize>> {
    let rows_max = (CELLS_MAX / table.columns.len().max(1)).clamp(1, ROWS_MAX);
    let row_bytes = |row| table.columns.iter().map(|column| column.raw_bytes(row)).sum::<usize>();
    let (mut parts, mut start, mut bytes) = (Vec::new(), 0, 0);
    for row in 0..table.rows() {
        bytes += row_bytes(row);
        if row + 1 - start >= rows_max || bytes >= BYTES_MAX {
            parts.push(start..row + 1);
            (start, bytes) = (row + 1, 0);
        }
    }
    if start < table.rows() {
        parts.push(start..table.rows());
    }
    parts
}
