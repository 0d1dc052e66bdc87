//! The hub's own events and those that people post, as they are written down by this process or any other, for whoever
//! watches.

use std::sync::Arc;
use std::time::Duration;

use dashboard::contract::EventEntry;
use dashboard::{EventLog, LoggedEvent};
use service::logging::chain;
use space_packet::TaiTime;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::posted::NewlyPosted;
use super::{Archive, ArchiveError, Database};

const LOOK_INTERVAL: Duration = Duration::from_secs(1);
/// A number is given out before its row is committed: a row this old has none before it that is still to come.
const SETTLED_NANOS: i64 = 500_000_000;
/// Rows of one look, and what is shown of the time before the start.
const ROWS_MAX: i64 = 200;

/// Tells what is new in the tables of events until shutdown. While the database does not answer nothing is told; of the
/// hub's own all is told afterwards, of what people posted the newest.
pub async fn follow(
    database: Database,
    archive: Arc<Archive>,
    log: Arc<EventLog>,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    let (mut position, mut posted) = (None, NewlyPosted::default());
    let mut is_well = true;
    loop {
        let looked = async {
            look(&database, &log, &mut position).await?;
            posted.look(&database, &archive).await
        };
        match looked.await {
            Ok(()) => is_well = true,
            Err(error) if is_well => {
                warn!(error = chain(&error), "events could not be looked for, trying again");
                is_well = false;
            }
            Err(_) => {}
        }
        tokio::select! {
            () = shutdown.cancelled() => return Ok(()),
            () = tokio::time::sleep(LOOK_INTERVAL) => {}
        }
    }
}

async fn look(database: &Database, log: &EventLog, position: &mut Option<i64>) -> Result<(), ArchiveError> {
    let client = database.borrow().await?;
    let after = match *position {
        Some(position) => position,
        None => {
            let newest = client.query_one("SELECT coalesce(max(event_id), 0) FROM hub_event", &[]).await?;
            newest.get::<_, i64>(0) - ROWS_MAX
        }
    };
    let rows = client
        .query(
            "SELECT event_id, at, name, code, text FROM hub_event LEFT JOIN node USING (node_id)
             WHERE event_id > $1 ORDER BY event_id LIMIT $2",
            &[&after, &ROWS_MAX],
        )
        .await?;
    let now = service::clock::now();
    let settled = now.plus_nanos(-SETTLED_NANOS);
    for row in &rows {
        let at = TaiTime(row.get(1));
        // One from a clock that was ahead is not waited for.
        if at > settled && at <= now {
            break;
        }
        let entry = EventEntry {
            at: dashboard::rfc3339(at),
            node: row.get(2),
            author: None,
            code: row.get(3),
            severity: None,
            text: row.get(4),
            details: Vec::new(),
        };
        *position = Some(row.get(0));
        log.publish(LoggedEvent { position: row.get(0), entry });
    }
    // What comes next is behind what there was at the start, even when that was nothing.
    position.get_or_insert(after);
    Ok(())
}
