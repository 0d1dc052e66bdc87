//! Tables that are shown page by page: declared gaps, what the hub refused, and what it keeps apart.

use dashboard::contract::{ApartBatch, DeclaredGap, HubEvent};
use dashboard::records::{EventFilter, Page, Slice};
use dashboard::rfc3339;
use delivery::{Lane, SealedBatch};
use space_packet::TaiTime;
use tokio_postgres::Row;

use super::{Archive, ArchiveError, Database, Evidence};

/// Rows and where the next page begins, of rows that were asked for with one more than fits.
pub(super) fn page<T>(
    rows: &[Row],
    slice: &Slice,
    row: impl Fn(&Row) -> Result<T, ArchiveError>,
) -> Result<Page<T>, ArchiveError> {
    let shown = &rows[..rows.len().min(slice.limit)];
    let next = (rows.len() > shown.len()).then(|| shown.last()).flatten();
    // Every list here has its order in its first two columns.
    let next = next.map(|last| [last.get(0), last.get(1), 0]);
    Ok(Page { rows: shown.iter().map(row).collect::<Result<_, _>>()?, next })
}

pub(super) fn one_more(slice: &Slice) -> i64 {
    slice.limit as i64 + 1
}

pub(super) fn lane(number: i16) -> String {
    let lane = u8::try_from(number).ok().and_then(|number| Lane::try_from(number).ok());
    match lane {
        Some(Lane::Alarm) => "alarm".to_owned(),
        Some(Lane::Telemetry) => "telemetry".to_owned(),
        None => number.to_string(),
    }
}

impl Archive {
    /// Declared gaps of a mission, in the order in which nodes noticed them. The records around a gap may be of other
    /// missions: a lane is one sequence for all.
    pub async fn gaps(
        &self,
        database: &Database,
        mission: usize,
        slice: &Slice,
    ) -> Result<Page<DeclaredGap>, ArchiveError> {
        let name = self.missions()[mission].live.name();
        let question = database.borrow_for_question(name).await?;
        let [time, row, _] = slice.after.unwrap_or([i64::MIN, i64::MIN, 0]);
        let rows = question
            .query(
                "SELECT gap.last_reception, gap.ledger_id, name, gap.epoch, gap.lane, gap.gap_first, gap.sequence,
                        gap.sealed, before.last_reception, behind.first_reception
                 FROM ledger AS gap JOIN node USING (node_id)
                 LEFT JOIN LATERAL (
                     SELECT last_reception FROM ledger AS near
                     WHERE (near.node_id, near.epoch, near.lane) = (gap.node_id, gap.epoch, gap.lane)
                       AND near.sequence < gap.gap_first AND near.gap_first IS NULL
                     ORDER BY near.sequence DESC LIMIT 1) AS before ON true
                 LEFT JOIN LATERAL (
                     SELECT first_reception FROM ledger AS near
                     WHERE (near.node_id, near.epoch, near.lane) = (gap.node_id, gap.epoch, gap.lane)
                       AND near.sequence > gap.sequence AND near.gap_first IS NULL
                     ORDER BY near.sequence LIMIT 1) AS behind ON true
                 WHERE gap.mission = $1 AND gap.gap_first IS NOT NULL
                   AND gap.last_reception >= $2 AND gap.last_reception < $3
                   AND (gap.last_reception, gap.ledger_id) > ($4, $5)
                 ORDER BY gap.last_reception, gap.ledger_id LIMIT $6",
                &[&name, &slice.span.start.0, &slice.span.end.0, &time, &row, &one_more(slice)],
            )
            .await?;
        question.finish().await?;
        page(&rows, slice, gap)
    }
}

fn gap(row: &Row) -> Result<DeclaredGap, ArchiveError> {
    let damaged = |source| ArchiveError::Damaged { what: "declaration of a gap", source };
    let sealed = SealedBatch::parse(row.get(7)).map_err(|error| damaged(error.into()))?;
    let declared = sealed.header.gap.ok_or_else(|| damaged("it declares none".into()))?;
    let time = |column| row.get::<_, Option<i64>>(column).map(|time| rfc3339(TaiTime(time)));
    Ok(DeclaredGap {
        node: row.get(2),
        epoch: row.get::<_, i32>(3).cast_unsigned(),
        lane: lane(row.get(4)),
        first: row.get::<_, i64>(5).cast_unsigned(),
        last: row.get::<_, i64>(6).cast_unsigned(),
        reason: declared.reason.word().to_owned(),
        records: declared.records,
        noticed_at: rfc3339(TaiTime(row.get(0))),
        received_before: time(8),
        received_after: time(9),
    })
}

impl Evidence {
    /// Events of the hub, newest first.
    pub async fn event_page(
        &self,
        slice: &Slice,
        filter: &EventFilter,
    ) -> Result<Page<HubEvent>, ArchiveError> {
        let client = self.database().borrow().await?;
        let [before, ..] = slice.after.unwrap_or([i64::MAX; 3]);
        let rows = client
            .query(
                "SELECT event_id, 0::bigint, at, name, code, text FROM hub_event LEFT JOIN node USING (node_id)
                 WHERE event_id < $1 AND at >= $2 AND at < $3
                   AND ($4::text IS NULL OR code = $4) AND ($5::text IS NULL OR name = $5)
                 ORDER BY event_id DESC LIMIT $6",
                &[
                    &before,
                    &slice.span.start.0,
                    &slice.span.end.0,
                    &filter.code,
                    &filter.node,
                    &one_more(slice),
                ],
            )
            .await?;
        page(&rows, slice, |row| {
            let at = rfc3339(TaiTime(row.get(2)));
            Ok(HubEvent { at, node: row.get(3), code: row.get(4), text: row.get(5) })
        })
    }

    /// Batches that are kept apart, oldest first.
    pub async fn apart_page(&self, slice: &Slice) -> Result<Page<ApartBatch>, ArchiveError> {
        let client = self.database().borrow().await?;
        let [after, ..] = slice.after.unwrap_or([i64::MIN; 3]);
        let rows = client
            .query(
                "SELECT kept_id, 0::bigint, name, epoch, lane, sequence, cause, kept_at, length(sealed)::bigint
                 FROM kept_apart JOIN node USING (node_id)
                 WHERE kept_id > $1 AND kept_at >= $2 AND kept_at < $3 ORDER BY kept_id LIMIT $4",
                &[&after, &slice.span.start.0, &slice.span.end.0, &one_more(slice)],
            )
            .await?;
        page(&rows, slice, |row| {
            Ok(ApartBatch {
                id: row.get(0),
                node: row.get(2),
                epoch: row.get::<_, i32>(3).cast_unsigned(),
                lane: lane(row.get(4)),
                sequence: row.get::<_, i64>(5).cast_unsigned(),
                cause: row.get(6),
                kept_at: rfc3339(TaiTime(row.get(7))),
                bytes: row.get(8),
            })
        })
    }
}
