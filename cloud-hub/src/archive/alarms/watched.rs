//! What watching of the hub's own links wrote and learned, of the hub that leads.

use processing::alarm::Piece;
use space_packet::TaiTime;

use super::super::ArchiveError;
use super::{AlarmTable, NewEntries, PieceRefused};

/// What was learned of a mission, and up to which batch of the hub's own links.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct WatchState {
    /// The mission.
    pub mission: String,
    /// The batch.
    pub sequence: u64,
    /// What was learned, as [`processing::watch::Watch`] writes it.
    pub state: Vec<u8>,
}

impl AlarmTable {
    /// Keeps what was written at the hub that leads; fails with [`ArchiveError::Fenced`] where another one does.
    pub async fn keep_led(&self, pieces: &[Piece], known: TaiTime) -> Result<(), ArchiveError> {
        let mut entries = NewEntries::default();
        let refused = |refused: PieceRefused| ArchiveError::Damaged { what: "alarm", source: refused.into() };
        pieces.iter().try_for_each(|piece| entries.add(piece)).map_err(refused)?;
        let mut client = self.database.borrow().await?;
        let transaction = client.transaction().await?;
        self.database.lead().check(&*transaction).await?;
        entries.store(&*transaction, known).await?;
        Ok(transaction.commit().await?)
    }

    /// What was learned of all missions.
    pub async fn watch_states(&self) -> Result<Vec<WatchState>, ArchiveError> {
        let client = self.database.borrow().await?;
        let rows = client.query("SELECT mission, sequence, state FROM alarm_watch", &[]).await?;
        let state = |row: &tokio_postgres::Row| WatchState {
            mission: row.get(0),
            sequence: row.get::<_, i64>(1).cast_unsigned(),
            state: row.get(2),
        };
        Ok(rows.iter().map(state).collect())
    }

    /// Saves what was learned, in place of what was saved before; fails as [`AlarmTable::keep_led`] does.
    pub async fn save_watch_states(&self, states: &[WatchState]) -> Result<(), ArchiveError> {
        let mut client = self.database.borrow().await?;
        let transaction = client.transaction().await?;
        self.database.lead().check(&*transaction).await?;
        for WatchState { mission, sequence, state } in states {
            transaction
                .execute(
                    "INSERT INTO alarm_watch (mission, sequence, state) VALUES ($1, $2, $3)
                     ON CONFLICT (mission) DO UPDATE SET sequence = excluded.sequence, state = excluded.state",
                    &[&mission, &sequence.cast_signed(), &state],
                )
                .await?;
        }
        Ok(transaction.commit().await?)
    }
}
