//! Messages about alarms in the database: what is to be sent to whom, and what became of it. A message is written down
//! before it is sent, and claimed by the hub that leads before each attempt: one that slept through its lease sends
//! nothing new.

mod listing;

use dashboard::contract::DeliveryState;
use notify::Address;
use processing::alarm::{AlarmId, DueStep, EntryId, StepId};
use space_packet::TaiTime;
use tokio_postgres::Row;

use super::{ArchiveError, Database};

/// Messages that wait for one contact; further ones are due all the same and are written down when there is room.
pub const WAITING_MAX: i64 = 1_000;
/// Messages to one contact in [`RATE_SPAN`], tests among them: faster nobody reads. The others wait.
pub const RATE_MAX: i64 = 30;
const RATE_SPAN: i64 = 60 * 1_000_000_000;
/// Messages that wait behind nothing, each to another contact, in one look.
const READY_MAX: i64 = 256;
/// A test whose hub ended is over after this.
const TEST_SPAN: i64 = 600 * 1_000_000_000;

/// A message that is due.
#[derive(Clone, Debug)]
pub struct NewNotice {
    /// Its id, and to whom.
    pub step: DueStep,
    /// What it tells of.
    pub alarm: AlarmId,
    /// The entry that nobody has acknowledged.
    pub entry: EntryId,
    /// What it tells, JSON.
    pub message: String,
}

/// A message whose time for an attempt has come.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ReadyNotice {
    /// Its id.
    pub id: StepId,
    /// Of which mission.
    pub mission: String,
    /// To whom.
    pub contact: String,
    /// How.
    pub address: Address,
    /// Attempts before.
    pub attempts: u32,
}

/// What became of an attempt.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Outcome {
    /// The receiver has it.
    Delivered,
    /// It is not tried again.
    GivenUp,
    /// It is tried again then.
    Later(TaiTime),
}

/// What the newest message to a contact came to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct LastOutcome {
    /// Whether it was delivered; otherwise it was given up.
    pub is_delivered: bool,
    /// When.
    pub at: TaiTime,
}

/// What waits.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Waiting {
    /// Messages.
    pub count: u64,
    /// When the next attempt is due, behind the time that was asked for.
    pub next_attempt: Option<TaiTime>,
}

/// The table of messages. Whoever writes with it leads, or is alone.
#[derive(Clone)]
pub struct NoticeTable {
    database: Database,
}

impl NoticeTable {
    /// The table in a database, of whoever leads.
    pub fn new(database: Database) -> Self {
        Self { database }
    }

    /// Writes down messages that are not there yet, and lets dropped ones wait again. Returns those that are there then:
    /// one is left out where its contact has too many waiting, or where an earlier round of the same step still waits.
    pub async fn write(
        &self,
        mission: &str,
        new: &[NewNotice],
        now: TaiTime,
    ) -> Result<Vec<StepId>, ArchiveError> {
        let mut client = self.database.borrow().await?;
        let transaction = client.transaction().await?;
        self.database.lead().check(&*transaction).await?;
        let statement = transaction
            .prepare_cached(
                "INSERT INTO alarm_notice AS there (notice_id, mission, alarm_id, entry_id, contact, channel, address,
                     ladder, step, round, due, made, next_attempt, message)
                 SELECT $1, $2::text, $3::bytea, $4::bytea, $5::text, $6, $7, $8::text, $9::integer, $10::integer, $11,
                     $12::bigint, $12::bigint, $13
                 WHERE (SELECT count(*) FROM alarm_notice
                        WHERE mission = $2 AND contact = $5 AND state = 'waiting') < $14
                   AND NOT EXISTS (SELECT FROM alarm_notice
                                   WHERE (mission, alarm_id, entry_id, contact) = ($2, $3, $4, $5)
                                     AND (ladder, step, state) = ($8, $9, 'waiting') AND round < $10)
                 ON CONFLICT (notice_id) DO UPDATE
                     SET state = 'waiting', attempts = 0, next_attempt = excluded.next_attempt, finished = NULL, said = NULL
                     WHERE there.state = 'dropped'",
            )
            .await?;
        for NewNotice { step, alarm, entry, message } in new {
            let (channel, address) = parts(&step.address);
            let (number, round) = (step.step.cast_signed(), step.round.cast_signed());
            transaction
                .execute(
                    &statement,
                    &[
                        &step.id.0.as_slice(),
                        &mission,
                        &alarm.0.as_slice(),
                        &entry.0.as_slice(),
                        &step.contact,
                        &channel,
                        &address,
                        &step.ladder,
                        &number,
                        &round,
                        &step.due.0,
                        &now.0,
                        message,
                        &WAITING_MAX,
                    ],
                )
                .await?;
        }
        let ids: Vec<&[u8]> = new.iter().map(|new| new.step.id.0.as_slice()).collect();
        let sql = "SELECT notice_id FROM alarm_notice WHERE notice_id = ANY($1) AND state <> 'dropped'";
        let rows = transaction.query(sql, &[&ids]).await?;
        transaction.commit().await?;
        rows.iter().map(|row| id(row, 0).map(StepId)).collect()
    }

    /// Alarms, and their entries, for which messages of a mission wait.
    pub async fn waiting_for(&self, mission: &str) -> Result<Vec<(AlarmId, EntryId)>, ArchiveError> {
        let client = self.database.borrow().await?;
        let sql = "SELECT DISTINCT alarm_id, entry_id FROM alarm_notice
                   WHERE mission = $1 AND state = 'waiting' AND alarm_id IS NOT NULL";
        let rows = client.query(sql, &[&mission]).await?;
        rows.iter().map(|row| Ok((AlarmId(id(row, 0)?), EntryId(id(row, 1)?)))).collect()
    }

    /// Drops what waits for an entry that nobody needs to be told of any more; returns what that was.
    pub async fn drop_waiting(
        &self,
        mission: &str,
        (alarm, entry): (AlarmId, EntryId),
        why: &str,
        now: TaiTime,
    ) -> Result<Vec<StepId>, ArchiveError> {
        let mut client = self.database.borrow().await?;
        let transaction = client.transaction().await?;
        self.database.lead().check(&*transaction).await?;
        let sql = "UPDATE alarm_notice SET state = 'dropped', finished = $5, said = $4
                   WHERE (mission, alarm_id, entry_id, state) = ($1, $2, $3, 'waiting') RETURNING notice_id";
        let values: [&(dyn tokio_postgres::types::ToSql + Sync); 5] =
            [&mission, &alarm.0.as_slice(), &entry.0.as_slice(), &why, &now.0];
        let rows = transaction.query(sql, &values).await?;
        transaction.commit().await?;
        rows.iter().map(|row| id(row, 0).map(StepId)).collect()
    }

    /// The oldest message to each contact whose time has come, of contacts that were not told too much of late.
    pub async fn ready(&self, now: TaiTime) -> Result<Vec<ReadyNotice>, ArchiveError> {
        let client = self.database.borrow().await?;
        let rows = client
            .query(
                "SELECT notice_id, mission, contact, channel, address, attempts
                 FROM (SELECT DISTINCT ON (mission, contact) notice_id, mission, contact, channel, address, attempts, due
                       FROM alarm_notice
                       WHERE state = 'waiting' AND alarm_id IS NOT NULL AND next_attempt <= $1
                       ORDER BY mission, contact, due, number) AS first
                 WHERE (SELECT count(*) FROM alarm_notice AS told
                        WHERE (told.mission, told.contact) = (first.mission, first.contact)
                          AND told.last_attempt > $2) < $3
                 ORDER BY due LIMIT $4",
                &[&now.0, &now.plus_nanos(-RATE_SPAN).0, &RATE_MAX, &READY_MAX],
            )
            .await?;
        rows.iter()
            .map(|row| {
                Ok(ReadyNotice {
                    id: StepId(id(row, 0)?),
                    mission: row.get(1),
                    contact: row.get(2),
                    address: address(row, 3)?,
                    attempts: row.get::<_, i32>(5).cast_unsigned(),
                })
            })
            .collect()
    }

    /// Whether a contact was told too much of late to be told more.
    pub async fn is_told_enough(
        &self,
        mission: &str,
        contact: &str,
        now: TaiTime,
    ) -> Result<bool, ArchiveError> {
        let client = self.database.borrow().await?;
        let sql =
            "SELECT count(*) FROM alarm_notice WHERE mission = $1 AND contact = $2 AND last_attempt > $3";
        let row = client.query_one(sql, &[&mission, &contact, &now.plus_nanos(-RATE_SPAN).0]).await?;
        Ok(row.get::<_, i64>(0) >= RATE_MAX)
    }

    /// Takes a message for an attempt, which counts from now on; `next` is when there is another one should this hub end
    /// before it knows what became of it. `None`: it is not to be sent any more, or was tried meanwhile.
    pub async fn claim(
        &self,
        notice: &ReadyNotice,
        now: TaiTime,
        next: TaiTime,
    ) -> Result<Option<String>, ArchiveError> {
        let mut client = self.database.borrow().await?;
        let transaction = client.transaction().await?;
        self.database.lead().check(&*transaction).await?;
        let sql = "UPDATE alarm_notice SET attempts = attempts + 1, last_attempt = $3, next_attempt = $4
                   WHERE notice_id = $1 AND state = 'waiting' AND attempts = $2 RETURNING message";
        let attempts = notice.attempts.cast_signed();
        let values: [&(dyn tokio_postgres::types::ToSql + Sync); 4] =
            [&notice.id.0.as_slice(), &attempts, &now.0, &next.0];
        let row = transaction.query_opt(sql, &values).await?;
        transaction.commit().await?;
        Ok(row.map(|row| row.get(0)))
    }

    /// Writes down what became of an attempt. What was dropped while it was under way stays so, unless it was delivered.
    pub async fn finish(
        &self,
        notice: StepId,
        outcome: &Outcome,
        said: &str,
        now: TaiTime,
    ) -> Result<(), ArchiveError> {
        let mut client = self.database.borrow().await?;
        let transaction = client.transaction().await?;
        self.database.lead().check(&*transaction).await?;
        let (state, next) = match outcome {
            Outcome::Delivered => ("delivered", None),
            Outcome::GivenUp => ("given-up", None),
            Outcome::Later(next) => ("waiting", Some(next.0)),
        };
        let sql = "UPDATE alarm_notice SET state = $2, said = $3, next_attempt = coalesce($4, next_attempt),
                       finished = CASE WHEN $2 <> 'waiting' THEN $5::bigint END
                   WHERE notice_id = $1 AND (state = 'waiting' OR (state, $2) = ('dropped', 'delivered'))";
        // PostgreSQL keeps no text with a zero byte.
        let said = said.replace('\0', " ");
        transaction.execute(sql, &[&notice.0.as_slice(), &state, &said, &next, &now.0]).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// How many messages wait, and when the next one behind a time is due.
    pub async fn waiting(&self, now: TaiTime) -> Result<Waiting, ArchiveError> {
        let client = self.database.borrow().await?;
        let sql = "SELECT count(*), min(next_attempt) FILTER (WHERE next_attempt > $1) FROM alarm_notice
                   WHERE state = 'waiting' AND alarm_id IS NOT NULL";
        let row = client.query_one(sql, &[&now.0]).await?;
        let next_attempt = row.get::<_, Option<i64>>(1).map(TaiTime);
        Ok(Waiting { count: row.get::<_, i64>(0).cast_unsigned(), next_attempt })
    }

    /// What the newest message to each of some contacts came to. A test that failed says nothing: whoever asked for it
    /// knows.
    pub async fn last_outcomes(
        &self,
        mission: &str,
        contacts: &[&str],
    ) -> Result<Vec<(String, LastOutcome)>, ArchiveError> {
        let client = self.database.borrow().await?;
        let sql = "SELECT asked, state = 'delivered', finished
                   FROM unnest($2::text[]) AS asked CROSS JOIN LATERAL (
                       SELECT state, finished FROM alarm_notice
                       WHERE mission = $1 AND contact = asked AND state IN ('delivered', 'given-up')
                         AND (state = 'delivered' OR alarm_id IS NOT NULL)
                       ORDER BY finished DESC, number DESC LIMIT 1) AS newest";
        let rows = client.query(sql, &[&mission, &contacts]).await?;
        let outcome = |row: &Row| LastOutcome { is_delivered: row.get(1), at: TaiTime(row.get(2)) };
        Ok(rows.iter().map(|row| (row.get(0), outcome(row))).collect())
    }

    /// Writes down a test that is sent at once.
    pub async fn begin_test(
        &self,
        mission: &str,
        step: &DueStep,
        message: &str,
        now: TaiTime,
    ) -> Result<(), ArchiveError> {
        let mut client = self.database.borrow().await?;
        let transaction = client.transaction().await?;
        self.database.lead().check(&*transaction).await?;
        let (channel, address) = parts(&step.address);
        let sql = "INSERT INTO alarm_notice (notice_id, mission, contact, channel, address, due, made, next_attempt,
                       last_attempt, attempts, message)
                   VALUES ($1, $2, $3, $4, $5, $6, $6, $6, $6, 1, $7)";
        let values: [&(dyn tokio_postgres::types::ToSql + Sync); 7] =
            [&step.id.0.as_slice(), &mission, &step.contact, &channel, &address, &now.0, &message];
        transaction.execute(sql, &values).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Forgets what was over before a time, and gives up tests whose hub ended. Returns how many were forgotten.
    pub async fn drop_old(&self, before: TaiTime, now: TaiTime) -> Result<u64, ArchiveError> {
        let mut client = self.database.borrow().await?;
        let transaction = client.transaction().await?;
        self.database.lead().check(&*transaction).await?;
        let sql = "UPDATE alarm_notice
                   SET state = 'given-up', finished = $2, said = 'the hub ended before it knew what became of it'
                   WHERE state = 'waiting' AND alarm_id IS NULL AND made < $1";
        transaction.execute(sql, &[&now.plus_nanos(-TEST_SPAN).0, &now.0]).await?;
        let dropped =
            transaction.execute("DELETE FROM alarm_notice WHERE finished < $1", &[&before.0]).await?;
        transaction.commit().await?;
        Ok(dropped)
    }
}

/// An address as the table has it.
fn parts(address: &Address) -> (&'static str, &str) {
    match address {
        Address::Email(to) => ("email", to),
        Address::Slack(name) => ("slack", name),
        Address::Webhook(name) => ("webhook", name),
    }
}

fn address(row: &Row, column: usize) -> Result<Address, ArchiveError> {
    let text = row.get(column + 1);
    match row.get(column) {
        "email" => Ok(Address::Email(text)),
        "slack" => Ok(Address::Slack(text)),
        "webhook" => Ok(Address::Webhook(text)),
        _ => Err(damaged("it has an unknown channel")),
    }
}

fn id(row: &Row, column: usize) -> Result<[u8; 16], ArchiveError> {
    row.get::<_, &[u8]>(column).try_into().map_err(|_| damaged("an id is not of 16 bytes"))
}

fn state(word: &str) -> Result<DeliveryState, ArchiveError> {
    match word {
        "delivered" => Ok(DeliveryState::Sent),
        "dropped" => Ok(DeliveryState::Dropped),
        "given-up" => Ok(DeliveryState::Failed),
        "waiting" => Ok(DeliveryState::Waiting),
        _ => Err(damaged("it is in an unknown state")),
    }
}

fn damaged(how: &'static str) -> ArchiveError {
    ArchiveError::Damaged { what: "message about an alarm", source: how.into() }
}
