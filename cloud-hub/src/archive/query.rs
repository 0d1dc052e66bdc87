//! Questions about ranges, what the archive needs to begin with, and what a restart finds.

use std::collections::HashMap;
use std::sync::Arc;

use dashboard::LiveMission;
use futures_util::TryStreamExt;
use mission_database::ParameterIndex;
use processing::{RangeAnswer, RangeQuery, RangeScan, Sample};
use service::mission::LoadedMission;
use tokio_postgres::Client;
use tracing::{info, warn};
use uuid::Uuid;

use super::head::Committed;
use super::{Archive, ArchiveError, ArchivedMission, Database, Ledger, columns};

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
        let archive = Self::new(archived, node_names, ledger_id, generation);
        for index in 0..archive.missions().len() {
            archive.restore_latest(&client, index).await?;
        }
        let mut rows = Ledger::read_behind(&client, ledger_id).await?;
        let mut batches = 0_u64;
        while let Some((ledger_id, node, batch)) = rows.next().await? {
            tokio::task::block_in_place(|| archive.restore(&Committed { ledger_id, node, batch }));
            batches += 1;
        }
        info!(batches, behind = ledger_id, "head was rebuilt from the ledger");
        Ok(archive)
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
        let parameter_id = self.missions()[mission].parameter_ids[query.parameter.0 as usize];
        let client = database.borrow_for_question().await?;
        let rows = client
            .query_raw(
                "SELECT node_id, columns FROM segment
                 WHERE parameter_id = $1 AND last_time >= $2 AND first_time < $3 AND generation <= $4
                 ORDER BY first_time",
                [
                    &parameter_id as &(dyn tokio_postgres::types::ToSql + Sync),
                    &query.from.0,
                    &query.to.0,
                    &generation,
                ],
            )
            .await?;
        let mut rows = std::pin::pin!(rows.try_chunks(SEGMENTS_AT_ONCE));
        while let Some(some) = rows.try_next().await.map_err(|error| ArchiveError::from(error.1))? {
            let archive = Arc::clone(self);
            let decoded = tokio::task::spawn_blocking(move || {
                for row in some {
                    let series = columns::decode(row.get(1)).map_err(|error| ArchiveError::Damaged {
                        what: "segment",
                        source: Box::new(error),
                    })?;
                    scan.add(archive.source(mission, row.get(0)), &series);
                }
                Ok::<_, ArchiveError>(scan)
            });
            scan = decoded
                .await
                .map_err(|error| ArchiveError::Damaged { what: "segment", source: Box::new(error) })??;
        }
        Ok(scan.finish())
    }

    /// The newest sample of each parameter that is in segments; what is in the ledger only follows after.
    async fn restore_latest(&self, client: &Client, index: usize) -> Result<(), ArchiveError> {
        let mission = &self.missions()[index];
        let rows = client
            .query(
                "SELECT parameter_id, newest.node_id, newest.columns FROM parameter
                 JOIN LATERAL (SELECT node_id, columns FROM segment
                               WHERE segment.parameter_id = parameter.parameter_id
                               ORDER BY last_time DESC LIMIT 1) AS newest ON true
                 WHERE mission_id = $1",
                &[&mission.mission_id],
            )
            .await?;
        for row in rows {
            let parameter_id: i32 = row.get(0);
            let Some(place) = mission.parameter_ids.iter().position(|&id| id == parameter_id) else {
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
            let mut newest: Vec<usize> = (0..series.len()).collect();
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
    let dictionary = mission.decoder.dictionary();
    let mission_id: i32 = client
        .query_one(
            "INSERT INTO mission (name) VALUES ($1) ON CONFLICT (name) DO UPDATE SET name = excluded.name
             RETURNING mission_id",
            &[&mission.name],
        )
        .await?
        .get(0);
    let names: Vec<&str> = dictionary.parameters().iter().map(|parameter| parameter.name.as_str()).collect();
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
    Ok(ArchivedMission {
        mission_id,
        live: Arc::new(LiveMission::new(
            &mission.name,
            &mission.title,
            Arc::clone(dictionary),
            mission.problem.clone(),
        )),
        decoder: mission.decoder.clone(),
        parameter_ids: names.iter().map(|name| ids[name]).collect(),
    })
}
