//! What a live client missed while it was away: rows of the ledger behind its cursor, decoded once more. What came late
//! has no position on the live stream, which it passes in no order: who wants that asks for history.

use dashboard::access::hash;
use dashboard::{LiveBatch, MissedExtent, MissedPage, MissedQuery};
use delivery::SealedBatch;
use futures_util::TryStreamExt;
use mission_database::DecodedPacket;
use processing::{MissionDecoder, Sample};
use space_packet::TaiTime;
use tracing::warn;
use uuid::Uuid;

use super::{Archive, ArchiveError, Database};

/// Records read at once: a full batch has half as many.
const PAGE_RECORDS: u64 = 1_024;
/// Rows of a page, however few records they have.
const PAGE_ROWS: i64 = 256;

/// Names the database that ledger numbers belong to: another one in another cluster, in another database of it, and
/// after the cluster was promoted or set back to a moment, because numbers may then be given out again.
pub async fn archive_id(database: &Database) -> Result<[u8; 8], ArchiveError> {
    let client = database.borrow().await?;
    let row = client
        .query_one(
            "SELECT concat_ws('/', (SELECT system_identifier FROM pg_control_system()),
                              left(pg_walfile_name(pg_current_wal_lsn()), 8),
                              (SELECT oid FROM pg_database WHERE datname = current_database()))",
            &[],
        )
        .await?;
    let mut id = [0; 8];
    id.copy_from_slice(&hash(row.get(0))[..8]);
    Ok(id)
}

struct Row {
    ledger_id: i64,
    source: u32,
    sealed: Vec<u8>,
}

impl Archive {
    /// Says to live subscribers how far the ledger was read before anything comes. Call it before anything is ingested.
    pub fn begin_live(&self) {
        let newest = self.reached().live.ledger_id;
        self.missions().iter().for_each(|mission| mission.live.start_at(newest));
    }

    /// How much was committed for a mission behind `after`, up to `until`.
    pub async fn missed_extent(
        &self,
        database: &Database,
        mission: &str,
        after: i64,
        until: i64,
    ) -> Result<MissedExtent, ArchiveError> {
        let question = database.borrow_for_question(mission).await?;
        let row = question
            .query_one(
                "SELECT coalesce(sum(records), 0), min(committed_at) FROM ledger
                 WHERE ledger_id > $1 AND ledger_id <= $2 AND mission = $3 AND way <= 2",
                &[&after, &until, &mission],
            )
            .await?;
        question.finish().await?;
        let (records, since): (i64, Option<i64>) = (row.get(0), row.get(1));
        Ok(MissedExtent { records: records as u64, since: since.map(TaiTime) })
    }

    /// The beginning of what was committed for a mission. Decoding happens away from the tasks that answer nodes.
    pub async fn missed(
        &self,
        database: &Database,
        mission: usize,
        query: MissedQuery,
    ) -> Result<MissedPage, ArchiveError> {
        let archived = &self.missions()[mission];
        let name = archived.live.name();
        let question = database.borrow_for_question(name).await?;
        let parameters: [&(dyn tokio_postgres::types::ToSql + Sync); 4] =
            [&query.after, &query.until, &name, &PAGE_ROWS];
        let rows = question
            .query_raw(
                "SELECT ledger_id, node_id, records, sealed FROM ledger
                 WHERE ledger_id > $1 AND ledger_id <= $2 AND mission = $3 AND way <= 2
                 ORDER BY ledger_id LIMIT $4",
                parameters,
            )
            .await?;
        tokio::pin!(rows);
        let (mut page, mut found) = (MissedPage { up_to: query.until, ..MissedPage::default() }, Vec::new());
        while let Some(row) = rows.try_next().await? {
            let (ledger_id, node, records): (i64, Uuid, i32) = (row.get(0), row.get(1), row.get(2));
            found.push(Row { ledger_id, source: self.source(mission, node), sealed: row.get(3) });
            page.records += records as u64;
            if page.records >= PAGE_RECORDS || found.len() as i64 == PAGE_ROWS {
                page.up_to = ledger_id;
                break;
            }
        }
        let decoder = archived.reads().decoder;
        let decoded = tokio::task::spawn_blocking(move || {
            found.into_iter().map(|row| decode(&decoder, row, &query)).collect()
        });
        page.batches = decoded
            .await
            .map_err(|error| ArchiveError::Damaged { what: "batch", source: Box::new(error) })?;
        Ok(page)
    }
}

/// What does not open was passed over when it came, and is again.
fn decode(decoder: &MissionDecoder, row: Row, query: &MissedQuery) -> LiveBatch {
    let Row { ledger_id, source, sealed } = row;
    let opened = SealedBatch::parse(sealed).and_then(|batch| batch.open());
    let opened = opened
        .inspect_err(|error| warn!(%error, ledger_id, "batch does not open, passed over for a live client"))
        .ok();
    let mut samples: Vec<Sample> = Vec::new();
    if let Some(open) = opened.as_ref().filter(|_| !query.parameters.is_empty()) {
        let mut scratch = DecodedPacket::default();
        for record in open.records() {
            decoder.decode_record(open.content(), record, &mut scratch, &mut samples);
        }
        samples.retain(|sample| query.parameters.contains(sample.parameter));
    }
    let records = opened.filter(|_| query.records);
    LiveBatch { source, position: Some(ledger_id), samples, records }
}
