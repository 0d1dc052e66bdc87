//! Events that people post, and the list of a mission's events, which has them and those of nodes.

use std::collections::HashMap;

use dashboard::contract::{EventEntry, EventKind, EventSeverity, NodeEvent, Order};
use dashboard::records::{EventFilter, Page, Place, PostedEvent, Slice};
use dashboard::rfc3339;
use space_packet::TaiTime;
use tokio_postgres::Row;

use super::listed::one_more;
use super::packets::Placed;
use super::{Archive, ArchiveError, Database};

/// So far behind the last look each one goes, so that an event is found whose row was committed late, or by a hub whose
/// clock is behind.
const LOOK_BACK_NANOS: i64 = 60_000_000_000;
/// So long it is known what was told, also when the clock is set back.
const TOLD_NANOS: i64 = 3_600_000_000_000;
/// Rows of one look at a mission. Of more than so many within a second the oldest stand in the list only.
const LOOK_ROWS_MAX: i64 = 256;

/// The code of all posted events.
const POSTED: &str = "STO-EVENT-POSTED";

/// What became of a posted event.
#[derive(Debug)]
pub enum Posting {
    /// It is kept, or was before.
    Kept(NodeEvent),
    /// Another event has its id.
    Taken,
}

impl Archive {
    /// Keeps an event that somebody posts.
    pub async fn post_event(
        &self,
        database: &Database,
        mission: usize,
        posted: &PostedEvent,
    ) -> Result<Posting, ArchiveError> {
        let mission = self.missions()[mission].live.name();
        let client = database.borrow().await?;
        let PostedEvent { id, severity, text, author } = posted;
        client
            .execute(
                "INSERT INTO posted_event (mission, event_id, at, author, severity, text)
                 VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
                &[&mission, &id.as_slice(), &service::clock::now().0, author, &word(*severity), text],
            )
            .await?;
        let sql = "SELECT at, number, event_id, author, severity, text FROM posted_event
                   WHERE mission = $1 AND event_id = $2";
        let row = client.query_one(sql, &[&mission, &id.as_slice()]).await?;
        let (_, kept) = event(&row)?;
        let is_same =
            kept.author.as_ref() == Some(author) && kept.severity == *severity && kept.text == *text;
        Ok(if is_same { Posting::Kept(kept) } else { Posting::Taken })
    }

    /// What nodes had to say about a mission and what people posted, by when it was recorded.
    pub async fn events(
        &self,
        database: &Database,
        mission: usize,
        (slice, order): (Slice, Order),
        filter: EventFilter,
    ) -> Result<Page<NodeEvent>, ArchiveError> {
        let wants_posted = filter.node.is_none() && filter.code.as_deref().is_none_or(|code| code == POSTED);
        let wants_recorded = filter.code.as_deref() != Some(POSTED);
        let nothing = || Page { rows: Vec::new(), next: None };
        let posted =
            if wants_posted { self.posted(database, mission, &slice, order).await? } else { nothing() };
        let recorded = if wants_recorded {
            self.node_events(database, mission, (slice.clone(), order), filter).await?
        } else {
            nothing()
        };
        Ok(merged(posted, recorded, order, slice.limit))
    }

    async fn posted(
        &self,
        database: &Database,
        mission: usize,
        slice: &Slice,
        order: Order,
    ) -> Result<Page<Placed<NodeEvent>>, ArchiveError> {
        let mission = self.missions()[mission].live.name();
        let question = database.borrow_for_question(mission).await?;
        let (from, to) = (slice.span.start.0, slice.span.end.0);
        let (first, behind, by) = match order {
            Order::Asc => (i64::MIN, ">", "at, number DESC"),
            Order::Desc => (i64::MAX, "<", "at DESC, number"),
        };
        let [time, row, _] = slice.after.unwrap_or([first; 3]);
        let sql = format!(
            "SELECT at, number, event_id, author, severity, text FROM posted_event
             WHERE mission = $1 AND at >= $2 AND at < $3 AND (at, -number) {behind} ($4, $5)
             ORDER BY {by} LIMIT $6"
        );
        let rows = question.query(&sql, &[&mission, &from, &to, &time, &row, &one_more(slice)]).await?;
        question.finish().await?;
        let mut placed = rows.iter().map(event).collect::<Result<Vec<_>, _>>()?;
        let is_more = placed.len() > slice.limit;
        placed.truncate(slice.limit);
        let next = if is_more { placed.last().map(|(place, _)| *place) } else { None };
        Ok(Page { rows: placed, next })
    }
}

/// Finds events that were posted, at this hub or another one, and tells each once.
#[derive(Default)]
pub(super) struct NewlyPosted {
    /// When each was posted, by its number.
    told: HashMap<i64, i64>,
    /// When the database answered last.
    looked: Option<TaiTime>,
}

impl NewlyPosted {
    pub(super) async fn look(&mut self, database: &Database, archive: &Archive) -> Result<(), ArchiveError> {
        let missions: Vec<_> = archive.missions().iter().map(|mission| &mission.live).collect();
        let names: Vec<&str> = missions.iter().map(|mission| mission.name()).collect();
        let now = service::clock::now();
        let since = self.looked.map_or(now, |looked| looked.min(now)).plus_nanos(-LOOK_BACK_NANOS);
        let client = database.borrow().await?;
        // Of each mission by itself: much that is posted in one takes nothing from another.
        let sql = "SELECT at, number, event_id, author, severity, text, name
                   FROM unnest($1::text[]) AS name CROSS JOIN LATERAL (
                       SELECT * FROM posted_event WHERE mission = name AND at > $2
                       ORDER BY at DESC, number DESC LIMIT $3) AS newest
                   ORDER BY at, number";
        let rows = client.query(sql, &[&names, &since.0, &LOOK_ROWS_MAX]).await?;
        for row in &rows {
            let (at, number, name): (i64, i64, &str) = (row.get(0), row.get(1), row.get(6));
            if self.told.insert(number, at).is_some() {
                continue;
            }
            if let Some(mission) = missions.iter().find(|mission| mission.name() == name) {
                mission.publish_posted(entry(event(row)?.1));
            }
        }
        self.told.retain(|_, at| *at > now.0 - TOLD_NANOS);
        self.looked = Some(now);
        Ok(())
    }
}

fn entry(event: NodeEvent) -> EventEntry {
    let NodeEvent { at, node, author, code, severity, text, details, .. } = event;
    EventEntry { at, node, author, code, severity: Some(severity), text, details }
}

/// Two lists as one, by place: only up to where both are known.
fn merged(
    one: Page<Placed<NodeEvent>>,
    other: Page<Placed<NodeEvent>>,
    order: Order,
    limit: usize,
) -> Page<NodeEvent> {
    let compared = |one: &Place, other: &Place| match order {
        Order::Asc => one.cmp(other),
        Order::Desc => other.cmp(one),
    };
    let known_until = one.next.into_iter().chain(other.next).min_by(compared);
    let mut rows: Vec<Placed<NodeEvent>> = one.rows.into_iter().chain(other.rows).collect();
    rows.retain(|(place, _)| known_until.is_none_or(|until| compared(place, &until).is_le()));
    rows.sort_by(|(one, _), (other, _)| compared(one, other));
    let is_cut = rows.len() > limit;
    rows.truncate(limit);
    let next = if is_cut { rows.last().map(|(place, _)| *place) } else { known_until };
    Page { rows: rows.into_iter().map(|(_, event)| event).collect(), next }
}

/// A posted event and its place. Rows of the ledger have numbers above 0, so that no place is of both.
fn event(row: &Row) -> Result<(Place, NodeEvent), ArchiveError> {
    let (at, number): (i64, i64) = (row.get(0), row.get(1));
    let time = rfc3339(TaiTime(at));
    let id: [u8; 16] = row.get::<_, &[u8]>(2).try_into().map_err(|_| damaged("its id has not 16 bytes"))?;
    let event = NodeEvent {
        kind: EventKind::Posted,
        id: format!("{:032x}", u128::from_be_bytes(id)),
        at: time.clone(),
        reception_time: time,
        node: None,
        author: Some(row.get(3)),
        code: POSTED.to_owned(),
        severity: severity(row.get(4))?,
        text: row.get(5),
        details: Vec::new(),
    };
    Ok(([at, -number, 0], event))
}

fn damaged(how: &str) -> ArchiveError {
    ArchiveError::Damaged { what: "posted event", source: how.into() }
}

const SEVERITIES: [EventSeverity; 3] = [EventSeverity::Error, EventSeverity::Info, EventSeverity::Warning];

fn word(severity: EventSeverity) -> &'static str {
    match severity {
        EventSeverity::Error => "error",
        EventSeverity::Info => "info",
        EventSeverity::Warning => "warning",
    }
}

fn severity(text: &str) -> Result<EventSeverity, ArchiveError> {
    let found = SEVERITIES.into_iter().find(|severity| word(*severity) == text);
    found.ok_or_else(|| damaged("its severity is none"))
}
