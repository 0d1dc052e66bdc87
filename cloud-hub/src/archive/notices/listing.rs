//! Messages as people see them, page by page.

use dashboard::contract::{AlarmDelivery, DeliveryState};
use dashboard::records::{Page, Slice};
use dashboard::rfc3339;
use processing::alarm::{AlarmId, StepId};
use space_packet::TaiTime;
use tokio_postgres::Row;

use super::super::ArchiveError;
use super::super::listed::{one_more, page};
use super::{NoticeTable, id, state};

/// Columns of a message, behind its place in the list.
const COLUMNS: &str =
    "due, number, notice_id, alarm_id, contact, channel, state, attempts, last_attempt, said";

impl NoticeTable {
    /// Messages of a mission, or about one of its alarms, by when they were due, newest first.
    pub async fn page(
        &self,
        mission: &str,
        alarm: Option<AlarmId>,
        slice: &Slice,
    ) -> Result<Page<AlarmDelivery>, ArchiveError> {
        let question = self.database.borrow_for_question(mission).await?;
        let [due, number, _] = slice.after.unwrap_or([i64::MAX; 3]);
        let alarm = alarm.map(|alarm| alarm.0.to_vec());
        let sql = format!(
            "SELECT {COLUMNS} FROM alarm_notice
             WHERE mission = $1 AND ($2::bytea IS NULL OR alarm_id = $2)
               AND due >= $3 AND due < $4 AND (due, number) < ($5, $6)
             ORDER BY due DESC, number DESC LIMIT $7"
        );
        let (from, to) = (slice.span.start.0, slice.span.end.0);
        let rows =
            question.query(&sql, &[&mission, &alarm, &from, &to, &due, &number, &one_more(slice)]).await?;
        question.finish().await?;
        page(&rows, slice, delivery)
    }

    /// One message; `None` when it is not there.
    pub async fn one(&self, mission: &str, notice: StepId) -> Result<Option<AlarmDelivery>, ArchiveError> {
        let question = self.database.borrow_for_question(mission).await?;
        let sql = format!("SELECT {COLUMNS} FROM alarm_notice WHERE mission = $1 AND notice_id = $2");
        let row = question.query_opt(&sql, &[&mission, &notice.0.as_slice()]).await?;
        question.finish().await?;
        row.as_ref().map(delivery).transpose()
    }
}

fn delivery(row: &Row) -> Result<AlarmDelivery, ArchiveError> {
    let time = |column| row.get::<_, Option<i64>>(column).map(|time| rfc3339(TaiTime(time)));
    let hexadecimal = |id: [u8; 16]| format!("{:032x}", u128::from_be_bytes(id));
    let alarm = row.get::<_, Option<&[u8]>>(3).map(|_| id(row, 3)).transpose()?;
    let (state, said) = (state(row.get(6))?, row.get::<_, Option<String>>(9));
    let (answer, problem) = if state == DeliveryState::Sent { (said, None) } else { (None, said) };
    Ok(AlarmDelivery {
        id: hexadecimal(id(row, 2)?),
        alarm: alarm.map(hexadecimal),
        contact: row.get(4),
        channel: row.get(5),
        due: rfc3339(TaiTime(row.get(0))),
        state,
        attempts: row.get::<_, i32>(7).cast_unsigned(),
        last_attempt: time(8),
        answer,
        problem,
    })
}
