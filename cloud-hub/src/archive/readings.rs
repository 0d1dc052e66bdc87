//! Readings: what the ledger was decoded to, as it came and again later.
//!
//! Each row of the ledger is shown once. Let a reading cover the rows up to L, all of them in segments of generations
//! up to G when it began. A row up to L is in segments of generation ≤ G, which its switch hides within the reading's
//! span, and in the reading's own segments, which its switch shows. A row behind L is in the head, or in segments of
//! a generation > G, which no switch of this reading hides; and the reading does not hold it. So late data that comes
//! while the ledger is read again is neither lost nor doubled.
//!
//! A question knows the newest generation whose segments it may read, taken together with what it found in the head.
//! A reading that covers a later one is not seen by it yet, or samples that it found in the head would count twice.
//!
//! A row must not be behind L and yet be read by the versions before an import. So the hub itself says which row a
//! reading waits for ([`ReadingTable::prepare`]), after it took in what was imported.

use tokio_postgres::{Client, GenericClient, Row};

use super::{ArchiveError, Database};

/// Held by whoever reads a ledger again: one at a time.
const REPROCESS_LOCK: i64 = 0x5354_4f03;

/// What a reading covers: rows of the ledger, all of which were in segments when it began.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Covers {
    /// The newest row of those that came live.
    pub live: i64,
    /// The newest row of those that came late.
    pub backlog: i64,
    /// The newest generation of segments.
    pub generation: i64,
}

/// A reading as the database has it.
#[derive(Clone, Debug)]
pub struct ReadingRow {
    /// Its number; later ones hide earlier ones.
    pub reading_id: i32,
    /// Beginning of its span of generation time.
    pub from: i64,
    /// End of its span.
    pub to: i64,
    /// When it was asked for.
    pub requested_at: i64,
    /// What it covers: known when it began.
    pub covers: Option<Covers>,
    /// Batches read so far.
    pub batches: i64,
    /// Packets decoded so far.
    pub packets: i64,
    /// Samples written so far.
    pub samples: i64,
    /// Since when it counts.
    pub switched_at: Option<i64>,
    /// Since when it is known to have come to nothing.
    pub abandoned_at: Option<i64>,
}

/// The readings that count, for deciding what is shown.
#[derive(Clone, Debug, Default)]
pub(super) struct Readings {
    switched: Vec<(i32, std::ops::Range<i64>, i64)>,
}

impl Readings {
    /// Those of a mission that were switched to and cover segments up to `generation`, up to the reading `newest` when
    /// that is given: the archive as it was read then.
    pub(super) async fn of(
        client: &impl GenericClient,
        mission_id: i32,
        generation: i64,
        newest: Option<u32>,
    ) -> Result<Self, ArchiveError> {
        let newest = newest.map_or(i32::MAX, |newest| i32::try_from(newest).unwrap_or(i32::MAX));
        let rows = client
            .query(
                "SELECT reading_id, from_time, to_time, generation FROM reading
                 WHERE mission_id = $1 AND switched_at IS NOT NULL AND reading_id <= $2 AND generation <= $3",
                &[&mission_id, &newest, &generation],
            )
            .await?;
        let switched = rows.iter().map(|row| (row.get(0), row.get(1)..row.get(2), row.get(3)));
        Ok(Self { switched: switched.collect() })
    }

    /// Numbers of readings whose segments may be shown.
    pub(super) fn shown(&self) -> Vec<i32> {
        self.switched.iter().map(|(number, ..)| *number).chain([0]).collect()
    }

    /// Moments at which what is shown may change from one reading to another.
    pub(super) fn edges(&self) -> impl Iterator<Item = i64> {
        self.switched.iter().flat_map(|(_, span, _)| [span.start, span.end])
    }

    /// Whether a sample at a generation time is shown, of a segment of a reading and a generation.
    pub(super) fn show(&self, reading_id: i32, generation: i64, time: i64) -> bool {
        let hides = |(number, span, covered): &(i32, std::ops::Range<i64>, i64)| {
            *number > reading_id && span.contains(&time) && generation <= *covered
        };
        !self.switched.iter().any(hides)
    }
}

/// The table of readings.
#[derive(Clone)]
pub struct ReadingTable {
    database: Database,
}

impl ReadingTable {
    /// The readings of a database.
    pub fn new(database: Database) -> Self {
        Self { database }
    }

    /// All readings of a mission, by number.
    pub async fn list(&self, mission_id: i32) -> Result<Vec<ReadingRow>, ArchiveError> {
        let client = self.database.borrow().await?;
        let sql = "SELECT * FROM reading WHERE mission_id = $1 ORDER BY reading_id";
        Ok(client.query(sql, &[&mission_id]).await?.iter().map(reading_row).collect())
    }

    /// Tells readings that wait which row they wait for: everything up to it was decoded, everything behind it will be
    /// by what was imported so far. Returns the rows that readings wait for to be in segments, the newest of them.
    pub async fn prepare(&self, ledger_id: i64) -> Result<Option<i64>, ArchiveError> {
        let mut client = self.database.borrow().await?;
        let transaction = client.transaction().await?;
        self.database.lead().check(&*transaction).await?;
        let sql = "UPDATE reading SET wanted_ledger_id = $1 WHERE wanted_ledger_id IS NULL AND abandoned_at IS NULL";
        transaction.execute(sql, &[&ledger_id]).await?;
        transaction.commit().await?;
        let sql =
            "SELECT max(wanted_ledger_id) FROM reading WHERE generation IS NULL AND abandoned_at IS NULL";
        Ok(client.query_one(sql, &[]).await?.get(0))
    }

    /// How many readings were switched to: changes when answers do.
    pub async fn switched(&self) -> Result<i64, ArchiveError> {
        let client = self.database.borrow().await?;
        let sql = "SELECT count(*) FROM reading WHERE switched_at IS NOT NULL";
        Ok(client.query_one(sql, &[]).await?.get(0))
    }

    /// A connection that may read ledgers again, alone; `None` when somebody else does.
    pub async fn lock(&self) -> Result<Option<Client>, ArchiveError> {
        let client = self.database.connect().await?;
        let row = client.query_one("SELECT pg_try_advisory_lock($1)", &[&REPROCESS_LOCK]).await?;
        Ok(row.get::<_, bool>(0).then_some(client))
    }
}

/// Removes what readings left behind that never came to their switch. The caller holds the lock, so none is at work.
pub(super) async fn abandon_unfinished(client: &Client, now: i64) -> Result<(), ArchiveError> {
    client
        .execute(
            "DELETE FROM segment USING reading
             WHERE segment.mission_id = reading.mission_id AND segment.reading_id = reading.reading_id
               AND switched_at IS NULL AND abandoned_at IS NULL",
            &[],
        )
        .await?;
    client
        .execute(
            "DELETE FROM rollup USING reading
             WHERE rollup.mission_id = reading.mission_id AND rollup.reading_id = reading.reading_id
               AND switched_at IS NULL AND abandoned_at IS NULL",
            &[],
        )
        .await?;
    let sql = "UPDATE reading SET abandoned_at = $1 WHERE switched_at IS NULL AND abandoned_at IS NULL";
    client.execute(sql, &[&now]).await?;
    Ok(())
}

/// Asks for a reading; returns its number.
pub(super) async fn request(
    client: &Client,
    mission_id: i32,
    span: std::ops::Range<i64>,
    now: i64,
) -> Result<i32, ArchiveError> {
    let row = client
        .query_one(
            "INSERT INTO reading (mission_id, reading_id, from_time, to_time, requested_at)
             SELECT $1, coalesce(max(reading_id), 0) + 1, $2, $3, $4
             FROM reading WHERE mission_id = $1
             RETURNING reading_id",
            &[&mission_id, &span.start, &span.end, &now],
        )
        .await?;
    Ok(row.get(0))
}

/// Begins a reading when the ledger is in segments as far as it wants: fixes what it covers.
pub(super) async fn begin(
    client: &Client,
    mission_id: i32,
    reading_id: i32,
) -> Result<Option<Covers>, ArchiveError> {
    let row = client
        .query_opt(
            "UPDATE reading SET live_ledger_id = segmented.live_ledger_id, backlog_ledger_id = segmented.backlog_ledger_id,
                    generation = segmented.generation
             FROM segmented
             WHERE mission_id = $1 AND reading_id = $2
               AND least(segmented.live_ledger_id, segmented.backlog_ledger_id) >= wanted_ledger_id
             RETURNING reading.live_ledger_id, reading.backlog_ledger_id, reading.generation",
            &[&mission_id, &reading_id],
        )
        .await?;
    Ok(row.map(|row| Covers { live: row.get(0), backlog: row.get(1), generation: row.get(2) }))
}

/// From now on the reading counts.
pub(super) async fn switch(
    client: &Client,
    mission_id: i32,
    reading_id: i32,
    now: i64,
) -> Result<(), ArchiveError> {
    let sql = "UPDATE reading SET switched_at = $3 WHERE mission_id = $1 AND reading_id = $2";
    client.execute(sql, &[&mission_id, &reading_id, &now]).await?;
    Ok(())
}

fn reading_row(row: &Row) -> ReadingRow {
    let (live, backlog, generation): (Option<i64>, Option<i64>, Option<i64>) =
        (row.get("live_ledger_id"), row.get("backlog_ledger_id"), row.get("generation"));
    ReadingRow {
        reading_id: row.get("reading_id"),
        from: row.get("from_time"),
        to: row.get("to_time"),
        requested_at: row.get("requested_at"),
        covers: live.zip(backlog).zip(generation).map(|((live, backlog), generation)| Covers {
            live,
            backlog,
            generation,
        }),
        batches: row.get("batches"),
        packets: row.get("packets"),
        samples: row.get("samples"),
        switched_at: row.get("switched_at"),
        abandoned_at: row.get("abandoned_at"),
    }
}
