//! Questions about ranges, what the archive needs to begin with, and what a restart finds.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use dashboard::LiveMission;
use futures_util::TryStreamExt;
use mission_database::{MissionDatabase, ParameterIndex};
use processing::{RangeAnswer, RangeQuery, RangeScan, Sample};
use service::mission::LoadedMission;
use tokio_postgres::{Client, GenericClient};
use tracing::{info, warn};
use uuid::Uuid;

use super::head::Reads;
use super::readings::Readings;
use super::{Archive, ArchiveError, ArchivedMission, Database, Ledger, account, columns};

/// Segments decoded in one go.
const SEGMENTS_AT_ONCE: usize = 32;

impl Archive {
    /// Gives missions and parameters their numbers, and reads back what is committed and not in segments.
    pub async fn open(
        database: &Database,
        missions: &[LoadedMission],
        node_names: HashMap<Uuid, String>,
    ) -> Result<Self, ArchiveError> {
        let client = database.connect().await?;
        let mut archived = Vec::with_capacity(missions.len());
        for mission in missions {
            archived.push(register(&client, mission).await?);
        }
        let row = client.query_one("SELECT ledger_id, generation FROM segmented", &[]).await?;
        let (ledger_id, generation): (i64, i64) = (row.get(0), row.get(1));
        let (accounted, mut account) = account::restore(&client).await?;
        let mut rows = Ledger::read_behind(&client, accounted.min(ledger_id)).await?;
        let mut next = rows.next().await?;
        while let Some(committed) = next.take_if(|committed| committed.ledger_id <= ledger_id) {
            next = rows.next().await?;
            let is_last = next.as_ref().is_none_or(|next| next.ledger_id > ledger_id);
            account::catch_up(database, &mut account, &committed, is_last).await?;
        }
        let archive = Self::new(archived, node_names, (ledger_id, generation), account);
        archive.refresh_latest(database).await?;
        let mut batches = 0_u64;
        while let Some(committed) = next {
            tokio::task::block_in_place(|| archive.restore(&committed));
            batches += 1;
            next = rows.next().await?;
        }
        info!(batches, behind = ledger_id, "head was rebuilt from the ledger");
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
        let mut reads = archived.reads.write().unwrap_or_else(PoisonError::into_inner);
        *reads = Reads { decoder: reads.decoder.with_database(dictionaries), parameter_ids };
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
        let mut scan = RangeScan::new(query);
        let generation = self.snapshot(mission, query.parameter, &mut scan);
        let archived = &self.missions()[mission];
        // A parameter that was imported this moment has no number yet, and so no segments.
        let parameter_id = archived.reads().parameter_ids.get(query.parameter.0 as usize).copied();
        let Some(parameter_id) = parameter_id else { return Ok(scan.finish()) };
        let question = database.borrow_for_question(archived.live.name()).await?;
        // Before the segments: a switch in between is then simply not seen yet.
        let readings =
            Arc::new(Readings::of(&*question, archived.mission_id, generation, query.reading).await?);
        let rows = question
            .query_raw(
                "SELECT node_id, columns, reading_id, generation FROM segment
                 WHERE parameter_id = $1 AND last_time >= $2 AND first_time < $3 AND generation <= $4
                   AND reading_id = ANY($5)
                 ORDER BY first_time",
                [
                    &parameter_id as &(dyn tokio_postgres::types::ToSql + Sync),
                    &query.from.0,
                    &query.to.0,
                    &generation,
                    &readings.shown(),
                ],
            )
            .await?;
        let mut rows = std::pin::pin!(rows.try_chunks(SEGMENTS_AT_ONCE));
        while let Some(some) = rows.try_next().await.map_err(|error| ArchiveError::from(error.1))? {
            let (archive, readings) = (Arc::clone(self), Arc::clone(&readings));
            let decoded = tokio::task::spawn_blocking(move || {
                for row in some {
                    let series = columns::decode(row.get(1)).map_err(|error| ArchiveError::Damaged {
                        what: "segment",
                        source: Box::new(error),
                    })?;
                    let (reading_id, generation) = (row.get(2), row.get(3));
                    scan.add_shown(archive.source(mission, row.get(0)), &series, |time| {
                        readings.show(reading_id, generation, time)
                    });
                }
                Ok::<_, ArchiveError>(scan)
            });
            scan = decoded
                .await
                .map_err(|error| ArchiveError::Damaged { what: "segment", source: Box::new(error) })??;
        }
        question.finish().await?;
        Ok(scan.finish())
    }

    /// The newest sample of each parameter that is in segments; what is in the ledger only follows after.
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
                "SELECT parameter_id, newest.node_id, newest.columns, newest.reading_id, newest.generation FROM parameter
                 JOIN LATERAL (SELECT node_id, columns, reading_id, generation FROM segment
                               WHERE segment.parameter_id = parameter.parameter_id AND reading_id = ANY($2)
                               ORDER BY last_time DESC, reading_id DESC LIMIT 1) AS newest ON true
                 WHERE mission_id = $1",
                &[&mission.mission_id, &readings.shown()],
            )
            .await?;
        for row in rows {
            let parameter_id: i32 = row.get(0);
            let Some(place) = reads.parameter_ids.iter().position(|&id| id == parameter_id) else {
                continue;
            };
            let parameter = ParameterIndex(place as u32);
            let series = match columns::decode(row.get(2)) {
                Ok(series) => series,
                Err(error) => {
                    warn!(%error, parameter_id, "segment is damaged, its latest value is not shown");
                    continue;
                }
            };
            // A few, so that the usual interval is known again; late ones may stand at the end.
            let (reading_id, generation) = (row.get(3), row.get(4));
            let is_shown = |index: &usize| readings.show(reading_id, generation, series.generation()[*index]);
            let mut newest: Vec<usize> = (0..series.len()).filter(is_shown).collect();
            newest.sort_by_key(|&index| series.generation()[index]);
            let samples: Vec<Sample> = newest[newest.len().saturating_sub(8)..]
                .iter()
                .map(|&index| series.sample(parameter, index))
                .collect();
            mission.live.restore(self.source(index, row.get(1)), &samples);
        }
        Ok(())
    }
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
    let reads = Reads { decoder: mission.decoder.clone(), parameter_ids };
    Ok(ArchivedMission { mission_id, live: Arc::new(live), reads: RwLock::new(reads) })
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
