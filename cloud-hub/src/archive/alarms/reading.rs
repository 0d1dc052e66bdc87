//! What is known of alarms, as hubs read it: all that is open at a start, what is new, and one alarm or a page of them.

use processing::alarm::{AlarmId, History, Piece};
use space_packet::{GenerationTime, TaiTime};
use tokio_postgres::{GenericClient, Row};
use tracing::error;

use super::super::ArchiveError;
use super::AlarmTable;

/// Entries of one look.
const ENTRIES_MAX: i64 = 1_024;

/// An entry that is stored.
#[derive(Clone, Debug)]
pub struct KnownEntry {
    /// Its number.
    pub number: i64,
    /// The entry alone.
    pub piece: Piece,
    /// When a hub first stored it.
    pub known: TaiTime,
}

/// What a hub begins with.
#[derive(Debug)]
pub struct AlarmStart {
    /// Up to which number it has everything that is asked for.
    pub number: i64,
    /// The entries.
    pub entries: Vec<KnownEntry>,
}

impl AlarmTable {
    /// All alarms of a mission that are not known to be closed, and so many that are, the newest.
    pub async fn start(&self, mission: &str, closed_max: usize) -> Result<AlarmStart, ArchiveError> {
        let client = self.database.borrow().await?;
        // Before the entries: what comes in between is read again.
        let number = client.query_one("SELECT number FROM alarm_number", &[]).await?.get(0);
        let rows = client
            .query(
                "SELECT alarm_entry.number, piece, known_at FROM alarm_entry JOIN alarm USING (mission, alarm_id)
                 WHERE mission = $1 AND (NOT is_closed OR alarm_id IN (
                     SELECT alarm_id FROM alarm WHERE mission = $1 AND is_closed
                     ORDER BY first DESC, alarm_id DESC LIMIT $2))",
                &[&mission, &(closed_max as i64)],
            )
            .await?;
        Ok(AlarmStart { number, entries: rows.iter().filter_map(known_entry).collect() })
    }

    /// Entries behind a number in the order of their numbers, and up to which number they are all; it goes on behind that
    /// as long as it grows.
    pub async fn changes(&self, after: i64) -> Result<(Vec<KnownEntry>, i64), ArchiveError> {
        let client = self.database.borrow().await?;
        let statement = client
            .prepare_cached(
                "SELECT number, piece, known_at FROM alarm_entry WHERE number > $1 ORDER BY number LIMIT $2",
            )
            .await?;
        let rows = client.query(&statement, &[&after, &ENTRIES_MAX]).await?;
        let last = rows.last().map_or(after, |row| row.get(0));
        Ok((rows.iter().filter_map(known_entry).collect(), last))
    }

    /// Notes that an alarm is closed, if an entry is still its newest.
    pub async fn close(&self, mission: &str, alarm: AlarmId, newest: i64) -> Result<bool, ArchiveError> {
        let client = self.database.borrow().await?;
        let sql = "UPDATE alarm SET is_closed = true
                   WHERE mission = $1 AND alarm_id = $2 AND number <= $3 AND NOT is_closed";
        Ok(client.execute(sql, &[&mission, &alarm.0.as_slice(), &newest]).await? > 0)
    }

    /// All that is stored of an alarm.
    pub async fn history(&self, mission: &str, alarm: AlarmId) -> Result<Option<History>, ArchiveError> {
        let question = self.database.borrow_for_question(mission).await?;
        let id = alarm.0.as_slice();
        let history = histories(&*question, mission, &[id]).await?.pop();
        question.finish().await?;
        Ok(history)
    }

    /// Alarms of a parameter whose first occurrence is before a time, at most so many, the newest first.
    pub async fn of_parameter(
        &self,
        mission: &str,
        parameter: &str,
        before: TaiTime,
        count: usize,
    ) -> Result<Vec<History>, ArchiveError> {
        let question = self.database.borrow_for_question(mission).await?;
        let sql = "SELECT alarm_id FROM alarm WHERE mission = $1 AND parameter = $2 AND first < $3
                   ORDER BY first DESC, alarm_id DESC LIMIT $4";
        let rows = question.query(sql, &[&mission, &parameter, &before.0, &(count as i64)]).await?;
        let ids: Vec<&[u8]> = rows.iter().map(|row| row.get(0)).collect();
        let found = histories(&*question, mission, &ids).await?;
        question.finish().await?;
        Ok(found)
    }

    /// Closed alarms before a place in the order of their first occurrence and their id, newest first.
    pub async fn closed_before(
        &self,
        mission: &str,
        (first, alarm): (GenerationTime, AlarmId),
        count: usize,
    ) -> Result<Vec<History>, ArchiveError> {
        let question = self.database.borrow_for_question(mission).await?;
        let sql = "SELECT alarm_id FROM alarm
                   WHERE mission = $1 AND is_closed AND (first, alarm_id) < ($2, $3)
                   ORDER BY first DESC, alarm_id DESC LIMIT $4";
        let rows = question.query(sql, &[&mission, &first.0.0, &alarm.0.as_slice(), &(count as i64)]).await?;
        let ids: Vec<&[u8]> = rows.iter().map(|row| row.get(0)).collect();
        let found = histories(&*question, mission, &ids).await?;
        question.finish().await?;
        Ok(found)
    }
}

/// Deletes closed alarms of which nothing has come in since a time; returns how many.
pub(in super::super) async fn drop_closed(
    client: &impl GenericClient,
    mission: &str,
    before: TaiTime,
) -> Result<u64, ArchiveError> {
    let sql = "DELETE FROM alarm WHERE mission = $1 AND is_closed AND NOT EXISTS (
                       SELECT FROM alarm_entry
                       WHERE (mission, alarm_id) = (alarm.mission, alarm.alarm_id) AND known_at >= $2)";
    Ok(client.execute(sql, &[&mission, &before.0]).await?)
}

/// Histories of alarms, newest first.
async fn histories(
    client: &impl GenericClient,
    mission: &str,
    alarms: &[&[u8]],
) -> Result<Vec<History>, ArchiveError> {
    let rows = client
        .query(
            "SELECT alarm_entry.number, piece, known_at FROM alarm_entry JOIN alarm USING (mission, alarm_id)
             WHERE mission = $1 AND alarm_id = ANY($2) ORDER BY first DESC, alarm_id DESC",
            &[&mission, &alarms],
        )
        .await?;
    let mut found: Vec<History> = Vec::with_capacity(alarms.len());
    for KnownEntry { piece, .. } in rows.iter().filter_map(known_entry) {
        // It was read as a piece, which it is only where it makes a history.
        let Ok(history) = History::try_from(piece) else { continue };
        match found.last_mut() {
            Some(last) if last.alarm() == history.alarm() => drop(last.merge(&history)),
            _ => found.push(history),
        }
    }
    Ok(found)
}

/// A stored entry. One that cannot be read is left out, so that it takes no other alarm with it.
fn known_entry(row: &Row) -> Option<KnownEntry> {
    let number = row.get(0);
    match Piece::decode(row.get(1)) {
        Ok(piece) => Some(KnownEntry { number, piece, known: TaiTime(row.get(2)) }),
        Err(reason) => {
            error!(number, %reason, "a stored entry of an alarm is damaged, the alarm is shown without it");
            None
        }
    }
}
