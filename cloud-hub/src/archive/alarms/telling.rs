//! What nodes are still to be told: of each alarm that a node wrote into, what others write. Rows go when the node has
//! them on its disk.

use uuid::Uuid;

use super::super::ArchiveError;
use super::AlarmTable;

/// Rows of one look.
const NODES_MAX: i64 = 4_096;

/// Something that a node is to be told.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ToTell {
    /// Its number, by which the node says that it has it.
    pub number: i64,
    /// The mission of the alarm.
    pub mission: String,
    /// An entry alone, encoded.
    pub piece: Vec<u8>,
}

impl AlarmTable {
    /// A node says at the beginning of a session up to which number it has what it was told. One that lost it, or was told
    /// by another database, is told everything again.
    pub async fn begin_telling(&self, node: Uuid, said: i64) -> Result<(), ArchiveError> {
        let client = self.database.borrow().await?;
        client.execute("SELECT begin_alarm_telling($1, $2)", &[&node, &said]).await?;
        Ok(())
    }

    /// A node has what it was told up to a number.
    pub async fn on_kept(&self, node: Uuid, number: i64) -> Result<(), ArchiveError> {
        let client = self.database.borrow().await?;
        client
            .execute(
                "WITH told AS (DELETE FROM alarm_telling WHERE node_id = $1 AND number <= $2)
                 UPDATE alarm_kept SET number = greatest(number, $2) WHERE node_id = $1",
                &[&node, &number],
            )
            .await?;
        Ok(())
    }

    /// What a node is to be told behind a number, in order, at most so much.
    pub async fn to_tell(&self, node: Uuid, after: i64, count: i64) -> Result<Vec<ToTell>, ArchiveError> {
        let client = self.database.borrow().await?;
        let rows = client
            .query(
                "SELECT alarm_telling.number, mission, piece
                 FROM alarm_telling JOIN alarm_entry USING (mission, alarm_id, entry_id)
                 WHERE alarm_telling.node_id = $1 AND alarm_telling.number > $2
                 ORDER BY alarm_telling.number LIMIT $3",
                &[&node, &after, &count],
            )
            .await?;
        Ok(rows
            .iter()
            .map(|row| ToTell { number: row.get(0), mission: row.get(1), piece: row.get(2) })
            .collect())
    }

    /// Nodes for which there is something behind a number, and up to which number these are all.
    pub async fn nodes_to_tell(&self, after: i64) -> Result<(Vec<Uuid>, i64), ArchiveError> {
        let client = self.database.borrow().await?;
        let statement = client
            .prepare_cached(
                "SELECT node_id, number FROM alarm_telling WHERE number > $1 ORDER BY number LIMIT $2",
            )
            .await?;
        let rows = client.query(&statement, &[&after, &NODES_MAX]).await?;
        let last = rows.last().map_or(after, |row| row.get(1));
        Ok((rows.iter().map(|row| row.get(0)).collect(), last))
    }
}
