//! Questions about ranges, what the archive needs to begin with, and what a restart finds.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use dashboard::LiveMission;
use futures_util::TryStreamExt;
use mission_database::{MissionDatabase, VersionNumber};
use processing::{
    Derivations, Layout, RangeAnswer, RangeQuery, RangeScan, Resolution, Sample, SeriesView, Table, Wanted,
};
use service::mission::LoadedMission;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, GenericClient, Row, RowStream};
use tracing::warn;
use uuid::Uuid;

use super::columns::{Axis, ColumnsError};
use super::head::Reads;
use super::layouts::Layouts;
use super::months::Month;
use super::question::Question;
use super::readings::Readings;
use super::segments::{RESOLUTIONS, seconds};
use super::{Archive, ArchiveError, ArchivedMission, Database, columns, follow, sql};

/// How often a question is asked again because segments were merged that were newer than it knew.
const ATTEMPTS: usize = 50;
const ATTEMPT_WAIT: Duration = Duration::from_millis(20);
/// Segments decoded in one go.
const SEGMENTS_AT_ONCE: usize = 32;

impl Archive {
    /// Gives missions and parameters their numbers, and reads back what is committed and not in segments: these are
    /// written where the head would hold more than `samples_max`.
    pub async fn open(
        database: &Database,
        missions: &[LoadedMission],
        node_names: HashMap<Uuid, String>,
        samples_max: usize,
    ) -> Result<Arc<Self>, ArchiveError> {
        let archive = Self::of_segments(database, missions, node_names).await?;
        archive.rebuild(database, samples_max).await?;
        Ok(archive)
    }

    /// As [`Archive::open`], but nothing is read yet of what is committed and not in segments.
    pub async fn of_segments(
        database: &Database,
        missions: &[LoadedMission],
        node_names: HashMap<Uuid, String>,
    ) -> Result<Arc<Self>, ArchiveError> {
        let mut client = database.connect().await?;
        let mut archived = Vec::with_capacity(missions.len());
        for mission in missions {
            archived.push(register(&client, mission).await?);
        }
        let (segmented, account) = follow::segmented(&mut client).await?;
        let archive = Arc::new(Self::new(archived, node_names, segmented, account));
        archive.refresh_latest(database).await?;
        Ok(archive)
    }

    /// From now on a mission's packets are read with these dictionaries and limits.
    pub async fn replace(
        &self,
        database: &Database,
        mission: usize,
        dictionaries: MissionDatabase,
        problem: Option<String>,
    ) -> Result<(), ArchiveError> {
        let archived = &self.missions()[mission];
        let client = database.borrow().await?;
        let parameter_ids = parameter_ids(&**client, archived.mission_id, &dictionaries).await?;
        // The screens first: no sample may come to them whose parameter they do not know.
        archived.live.replace(dictionaries.clone(), problem);
        sql::describe(&**client, archived.mission_id, &dictionaries, &parameter_ids).await?;
        archived.layouts.load(&**client, archived.mission_id, &parameter_ids).await?;
        let mut reads = archived.reads.write().unwrap_or_else(PoisonError::into_inner);
        *reads = Reads::new(reads.decoder.with_database(dictionaries), parameter_ids);
        Ok(())
    }

    /// Something is wrong with what was imported for a mission; what is in force stays.
    pub fn note_problem(&self, mission: usize, problem: &str) {
        let live = &self.missions()[mission].live;
        live.replace(live.database(), Some(problem.to_owned()));
    }

    /// Latest values as the archive is read now, after a reading was switched to.
    pub async fn refresh_latest(&self, database: &Database) -> Result<(), ArchiveError> {
        let client = database.borrow().await?;
        for index in 0..self.missions().len() {
            self.restore_latest(&**client, index).await?;
        }
        Ok(())
    }

    /// Answers a question from segments and head. Decoding happens away from the tasks that answer nodes.
    pub async fn range(
        self: &Arc<Self>,
        database: &Database,
        mission: usize,
        query: RangeQuery,
    ) -> Result<RangeAnswer, ArchiveError> {
        for _ in 0..ATTEMPTS {
            if let Some(answer) = self.range_once(database, mission, query).await? {
                return Ok(answer);
            }
            tokio::time::sleep(ATTEMPT_WAIT).await;
        }
        Err(ArchiveError::Damaged { what: "archive", source: "its segments do not hold still".into() })
    }

    /// `None` when segments were merged meanwhile that the question may not read.
    async fn range_once(
        self: &Arc<Self>,
        database: &Database,
        mission: usize,
        query: RangeQuery,
    ) -> Result<Option<RangeAnswer>, ArchiveError> {
        let archived = &self.missions()[mission];
        let derivations = archived.reads().derivations;
        let plan = Plan::of(&query);
        let mut scan = plan.scan(query);
        let generation = self.snapshot(mission, query.parameter, &derivations, &mut scan);
        let (layouts, places) = archived.layouts.places(query.parameter);
        if layouts.is_empty() {
            return Ok(Some(scan.finish()));
        }
        let question = database.borrow_for_question(archived.live.name()).await?;
        // Before the segments: a switch in between is then simply not seen yet.
        let readings =
            Arc::new(Readings::of(&*question, archived.mission_id, generation, query.reading).await?);
        let asked = Asked {
            mission_id: archived.mission_id,
            generation,
            layouts,
            places,
            readings: Arc::clone(&readings),
        };
        let reader = Reader { archive: Arc::clone(self), mission, query, derivations, readings };
        let Plan { rolled, samples } = plan.beside(&asked.readings);
        if let Some(Rolled { resolution, from, to, left_out }) = rolled {
            let rows = asked.rollups(&question, resolution, from, to).await?;
            let is_asked =
                move |time| (from..to).contains(&time) && !left_out.contains(&resolution.start_of(time));
            let add = move |reader: &Reader, scan: &mut RangeScan, row: &Row| {
                reader.add_rollups(scan, row, &is_asked)
            };
            scan = reader.add(scan, rows, add).await?;
        }
        for (from, to) in samples.into_iter().filter(|(from, to)| from < to) {
            let rows = asked.segments(&question, from, to).await?;
            scan = reader
                .add(scan, rows, move |reader, scan, row| reader.add_samples(scan, row, (from, to)))
                .await?;
        }
        let statement = question.prepared("SELECT merged_generation FROM segmented").await?;
        let merged: i64 = question.query_one(&statement, &[]).await?.get(0);
        question.finish().await?;
        Ok((merged <= generation).then(|| scan.finish()))
    }

    /// The newest samples of each parameter that are in segments; what is in the ledger only follows after.
    pub(crate) async fn restore_latest(
        &self,
        client: &impl GenericClient,
        index: usize,
    ) -> Result<(), ArchiveError> {
        let mission = &self.missions()[index];
        let reads = mission.reads();
        let readings = Readings::of(client, mission.mission_id, i64::MAX, None).await?;
        let rows = client
            .query(
                "SELECT layout_id, node_id, reading_id, generation, dictionary_version, moments, ends, columns
                 FROM latest WHERE mission_id = $1 AND reading_id = ANY($2)",
                &[&mission.mission_id, &readings.shown()],
            )
            .await?;
        for row in rows {
            let Some(layout) = mission.layouts.get(row.get(0)) else { continue };
            let (reading_id, generation) = (row.get(2), row.get(3));
            let table = match stored_table(&row, 4, &layout) {
                Ok(table) => table,
                Err(error) => {
                    warn!(%error, layout_id = row.get::<_, i32>(0), "segment is damaged, its latest values are not shown");
                    continue;
                }
            };
            let is_shown = |row: &usize| readings.show(reading_id, generation, table.generation[*row]);
            let newest: Vec<usize> = (0..table.rows()).filter(is_shown).collect();
            let source = self.source(index, row.get(1));
            for (place, entry) in layout.entries().iter().enumerate() {
                if reads.parameter_ids.get(entry.parameter.0 as usize).is_none() {
                    continue;
                }
                let series = table.series(place, &reads.derivations);
                let samples: Vec<Sample> =
                    newest.iter().map(|&row| series.sample(entry.parameter, row)).collect();
                mission.live.restore(source, &samples);
            }
        }
        Ok(())
    }
}

/// Which part of a range is answered from what.
struct Plan {
    rolled: Option<Rolled>,
    /// From samples: all of it, or what roll-ups leave.
    samples: Vec<(i64, i64)>,
}

/// What is answered from roll-ups.
struct Rolled {
    resolution: Resolution,
    /// Whole buckets from here to there.
    from: i64,
    to: i64,
    /// Beginnings of buckets that are answered from samples all the same.
    left_out: Vec<i64>,
}

impl Plan {
    /// A plot is answered from roll-ups where a pixel is as wide as a bucket.
    fn of(query: &RangeQuery) -> Self {
        let (from, to) = (query.from.0, query.to.0);
        let all = Self { rolled: None, samples: vec![(from, to)] };
        let Wanted::Pixels { points } = query.wanted else { return all };
        let pixel = (i128::from(to) - i128::from(from)) / points.max(1) as i128;
        let fits = |resolution: &&Resolution| i128::from(resolution.width_nanos()) <= pixel;
        let Some(&resolution) = RESOLUTIONS.iter().rev().find(fits) else { return all };
        let begin = match resolution.start_of(from) {
            start if start == from => from,
            start => start.saturating_add(resolution.width_nanos()),
        };
        let end = resolution.start_of(to);
        if begin >= end {
            return all;
        }
        let rolled = Rolled { resolution, from: begin, to: end, left_out: Vec::new() };
        Self { rolled: Some(rolled), samples: vec![(from, begin), (end, to)] }
    }

    /// A bucket in which one reading ends and another begins is of neither: its samples are.
    fn beside(mut self, readings: &Readings) -> Self {
        let Some(rolled) = &mut self.rolled else { return self };
        let resolution = rolled.resolution;
        let mut buckets: Vec<i64> = readings
            .edges()
            .filter(|&edge| rolled.from < edge && edge < rolled.to && resolution.start_of(edge) != edge)
            .map(|edge| resolution.start_of(edge))
            .collect();
        buckets.sort_unstable();
        buckets.dedup();
        let ranges = buckets.iter().map(|&start| (start, start.saturating_add(resolution.width_nanos())));
        self.samples.extend(ranges);
        rolled.left_out = buckets;
        self
    }

    fn scan(&self, query: RangeQuery) -> RangeScan {
        match &self.rolled {
            Some(rolled) => RangeScan::aligned(query, rolled.resolution.width_nanos()),
            None => RangeScan::new(query),
        }
    }
}

/// What of segments a question may read.
struct Asked {
    mission_id: i32,
    generation: i64,
    layouts: Vec<i32>,
    places: Vec<i32>,
    readings: Arc<Readings>,
}

impl Asked {
    async fn segments(&self, question: &Question, from: i64, to: i64) -> Result<RowStream, ArchiveError> {
        self.ask(question, "segment", "", (from, to)).await
    }

    async fn rollups(
        &self,
        question: &Question,
        resolution: Resolution,
        from: i64,
        to: i64,
    ) -> Result<RowStream, ArchiveError> {
        let only = format!("AND stored.resolution = {}", seconds(resolution));
        self.ask(question, "rollup", &only, (from, to)).await
    }

    /// Of what overlaps a range the axis and the one column that is asked for.
    async fn ask(
        &self,
        question: &Question,
        table: &str,
        only: &str,
        (from, to): (i64, i64),
    ) -> Result<RowStream, ArchiveError> {
        let (first_month, last_month) = (Month::of(from).0, Month::of(to.saturating_sub(1)).0);
        let shown = self.readings.shown();
        let parameters: [&(dyn ToSql + Sync); 9] = [
            &self.mission_id,
            &self.layouts,
            &self.places,
            &from,
            &to,
            &first_month,
            &last_month,
            &self.generation,
            &shown,
        ];
        let sql = format!(
            "SELECT stored.node_id, stored.reading_id, stored.generation, stored.dictionary_version, stored.moments,
                    substring(stored.columns FROM 1 FOR stored.ends[1]),
                    substring(stored.columns FROM stored.ends[wanted.place + 1] + 1
                              FOR stored.ends[wanted.place + 2] - stored.ends[wanted.place + 1]),
                    stored.first_time
             FROM unnest($2::integer[], $3::integer[]) AS wanted (layout_id, place)
             JOIN {table} AS stored ON stored.layout_id = wanted.layout_id
             WHERE stored.mission_id = $1 AND stored.last_time >= $4 AND stored.first_time < $5
               AND stored.month BETWEEN $6 AND $7 AND stored.generation <= $8 AND stored.reading_id = ANY($9) {only}
             ORDER BY stored.first_time"
        );
        let statement = question.prepared(&sql).await?;
        Ok(question.query_raw(&statement, parameters).await?)
    }
}

/// Reads what a question asked for into its scan.
#[derive(Clone)]
struct Reader {
    archive: Arc<Archive>,
    mission: usize,
    query: RangeQuery,
    derivations: Arc<Derivations>,
    readings: Arc<Readings>,
}

impl Reader {
    /// Adds rows until there are none or no more can come into the answer.
    async fn add(
        &self,
        mut scan: RangeScan,
        rows: RowStream,
        add: impl Fn(&Self, &mut RangeScan, &Row) -> Result<(), ColumnsError> + Clone + Send + 'static,
    ) -> Result<RangeScan, ArchiveError> {
        let damaged = |source: Box<dyn std::error::Error + Send + Sync>| ArchiveError::Damaged {
            what: "segment",
            source,
        };
        let mut rows = std::pin::pin!(rows.try_chunks(SEGMENTS_AT_ONCE));
        while let Some(some) = rows.try_next().await.map_err(|error| ArchiveError::from(error.1))? {
            if some.first().is_some_and(|row| scan.is_full_before(row.get(7))) {
                break;
            }
            let (reader, add) = (self.clone(), add.clone());
            let decoded = tokio::task::spawn_blocking(move || {
                some.iter().try_for_each(|row| add(&reader, &mut scan, row)).map(|()| scan)
            });
            scan = decoded
                .await
                .map_err(|error| damaged(Box::new(error)))?
                .map_err(|error| damaged(Box::new(error)))?;
        }
        Ok(scan)
    }

    fn add_samples(
        &self,
        scan: &mut RangeScan,
        row: &Row,
        (from, to): (i64, i64),
    ) -> Result<(), ColumnsError> {
        let rows = rows_of(row, 4);
        let axis = columns::decode_axis(row.get(5), rows)?;
        let column = columns::decode_column(row.get(6), rows)?;
        let (reading_id, generation, version) =
            (row.get(1), row.get(2), VersionNumber(row.get::<_, i32>(3) as u32));
        let series = SeriesView {
            version,
            generation: &axis.generation,
            reception: &axis.reception,
            provenance: &axis.provenance,
            column: &column,
            derivation: self.derivations.get(version, self.query.parameter),
        };
        scan.add_shown(self.archive.source(self.mission, row.get(0)), series, |time| {
            (from..to).contains(&time) && self.readings.show(reading_id, generation, time)
        });
        Ok(())
    }

    fn add_rollups(
        &self,
        scan: &mut RangeScan,
        row: &Row,
        is_asked: &impl Fn(i64) -> bool,
    ) -> Result<(), ColumnsError> {
        let rows = rows_of(row, 4);
        let buckets = columns::decode_rolled_axis(row.get(5), rows)?;
        let rolled = columns::decode_rolled_column(row.get(6), rows)?;
        let (reading_id, generation) = (row.get(1), row.get(2));
        for (bucket, rolled) in buckets.iter().zip(&rolled) {
            if is_asked(bucket.first_at) && self.readings.show(reading_id, generation, bucket.first_at) {
                scan.add_rollup(&rolled.rollup(bucket));
            }
        }
        Ok(())
    }
}

/// A table as stored: version, moments, ends and columns, from the column `begin` of the row before them on.
pub(super) fn stored_table(row: &Row, begin: usize, layout: &Arc<Layout>) -> Result<Table, ColumnsError> {
    let version = VersionNumber(row.get::<_, i32>(begin) as u32);
    let rows = rows_of(row, begin + 1);
    let (ends, bytes): (Vec<i32>, &[u8]) = (row.get(begin + 2), row.get(begin + 3));
    let mut parts = parts(&ends, bytes)?.into_iter();
    let axis = parts.next().ok_or(ColumnsError::Unreadable("the axis"))?;
    let Axis { generation, reception, provenance } = columns::decode_axis(axis, rows)?;
    let columns = parts.map(|part| columns::decode_column(part, rows)).collect::<Result<Vec<_>, _>>()?;
    Table::from_columns(Arc::clone(layout), version, (generation, reception, provenance), columns)
        .ok_or(ColumnsError::Unreadable("a layout that fits"))
}

/// The parts of a stored table.
pub(super) fn parts<'b>(ends: &[i32], bytes: &'b [u8]) -> Result<Vec<&'b [u8]>, ColumnsError> {
    let begins = std::iter::once(0).chain(ends.iter().copied());
    let part = |(begin, &end): (i32, &i32)| bytes.get(begin as usize..end as usize);
    begins.zip(ends).map(|places| part(places).ok_or(ColumnsError::Unreadable("where parts end"))).collect()
}

fn rows_of(row: &Row, column: usize) -> usize {
    usize::try_from(row.get::<_, i32>(column)).unwrap_or(0)
}

async fn register(client: &Client, mission: &LoadedMission) -> Result<ArchivedMission, ArchiveError> {
    let database = mission.decoder.database();
    let mission_id: i32 = client
        .query_one(
            "INSERT INTO mission (name) VALUES ($1) ON CONFLICT (name) DO UPDATE SET name = excluded.name
             RETURNING mission_id",
            &[&mission.name],
        )
        .await?
        .get(0);
    let parameter_ids = parameter_ids(client, mission_id, database).await?;
    let live = LiveMission::new(&mission.name, &mission.title, database.clone(), mission.problem.clone());
    sql::describe(client, mission_id, database, &parameter_ids).await?;
    let layouts = Layouts::default();
    layouts.load(client, mission_id, &parameter_ids).await?;
    let reads = Reads::new(mission.decoder.clone(), parameter_ids);
    Ok(ArchivedMission { mission_id, live: Arc::new(live), reads: RwLock::new(reads), layouts })
}

/// Numbers of a mission's parameters in the database, by the mission's own numbers.
pub(super) async fn parameter_ids(
    client: &impl GenericClient,
    mission_id: i32,
    database: &MissionDatabase,
) -> Result<Arc<[i32]>, ArchiveError> {
    let names: Vec<&str> = database.parameters().iter().map(|parameter| parameter.name.as_str()).collect();
    client
        .execute(
            "INSERT INTO parameter (mission_id, name) SELECT $1, name FROM unnest($2::text[]) AS name
             ON CONFLICT (mission_id, name) DO NOTHING",
            &[&mission_id, &names],
        )
        .await?;
    let rows = client
        .query("SELECT name, parameter_id FROM parameter WHERE mission_id = $1", &[&mission_id])
        .await?;
    let ids: HashMap<&str, i32> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    Ok(names.iter().map(|name| ids[name]).collect())
}
