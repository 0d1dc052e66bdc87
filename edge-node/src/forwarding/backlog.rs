//! What of a journal is not at the hub, counted.

use delivery::{BatchSequence, Position};
use space_packet::TaiTime;

use crate::journal::{Batches, JournalHandle, ReadFailed};
use crate::status::NodeStatus;

/// Tells the status what waits: the runs of batches that the hub does not have.
pub async fn update_backlog(
    journal: &JournalHandle,
    status: &NodeStatus,
    missing: &[(u64, u64)],
) -> Result<(), ReadFailed> {
    let head = journal.state().borrow().head;
    status.on_head(head);
    let (mut batches, mut records, mut bytes, mut oldest) = (0, 0, 0, None);
    for &(first, last) in missing {
        batches += last + 1 - first;
        // Where all of it is lost, only the gap waits to be declared.
        let Some(begin) = position_before(journal, first, last).await? else { continue };
        let end = match position_before(journal, last + 1, head.number()).await? {
            Some(end) => end.position,
            None => head,
        };
        records += end.records.saturating_sub(begin.position.records);
        bytes += end.bytes.saturating_sub(begin.position.bytes);
        oldest = oldest.or(Some(begin.reception));
    }
    // As far as the hub would be, had it the same number without holes.
    let at_hub = Position {
        sequence: head.number().checked_sub(batches).filter(|number| *number > 0).map(BatchSequence),
        hash: head.hash,
        records: head.records.saturating_sub(records),
        bytes: head.bytes.saturating_sub(bytes),
    };
    status.on_acknowledged(at_hub, oldest);
    Ok(())
}

struct Begin {
    position: Position,
    reception: TaiTime,
}

/// Where the first batch from `number` on begins that is here; it knows what lies before it.
async fn position_before(
    journal: &JournalHandle,
    number: u64,
    last: u64,
) -> Result<Option<Begin>, ReadFailed> {
    let mut from = BatchSequence(number);
    while from.0 <= last {
        match journal.read(from, 1).await? {
            Batches::Here(found) => {
                return Ok(found.first().map(|batch| {
                    let header = &batch.header;
                    let position = Position {
                        sequence: None,
                        hash: batch.previous,
                        records: header.records_before,
                        bytes: header.bytes_before,
                    };
                    Begin { position, reception: header.first_reception.0 }
                }));
            }
            Batches::Missing { until, .. } => from = until.next(),
            Batches::Absent => return Ok(None),
        }
    }
    Ok(None)
}
