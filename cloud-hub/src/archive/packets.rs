//! What lies in the ledger, record by record: packets in lists and one by one, packets as they were received, and what
//! nodes had to say.
//!
//! The ledger is read in the order in which the last record of each batch was received, some batches at a time, so a
//! question needs the same memory however long the answer is.

use std::ops::Range;

use dashboard::contract::{
    EventDetail, EventKind, EventSeverity, NodeEvent, Order, PacketSummary, Provenance,
};
use dashboard::records::{EventFilter, FoundPacket, PacketFilter, Page, Place, RecordId, Slice};
use dashboard::rfc3339;
use delivery::{Content, Event, OpenBatch, Record, SealedBatch, Severity, Way};
use processing::{MissionDecoder, QUARANTINED, quarantine_cause, verdicts_in};
use space_packet::{PRIMARY_HEADER_BYTES, PrimaryHeader, TaiTime};
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;
use tracing::warn;
use uuid::Uuid;

use super::{Archive, ArchiveError, Database};

/// Batches read in one go: 4 MiB sealed at most.
const BATCHES_AT_ONCE: i64 = 32;
/// Batches read for one page. What is looked for may be rare; the page then ends early and says where it goes on.
const BATCHES_OF_PAGE: usize = 1_024;
/// A batch is sealed within seconds of its first record. One whose records lie further apart, because the station's
/// clock was set, is found by the times of its last ones.
const BATCH_SPAN_MAX: i64 = 60_000_000_000;
const COLUMNS: &str = "last_reception, ledger_id, node_id, node.name, epoch, lane, sequence, way, sealed";

/// A row of a list and its place there.
pub(super) type Placed<T> = (Place, T);

/// A batch of the ledger.
struct LedgerBatch {
    /// Time and row by which batches are ordered.
    order: (i64, i64),
    node: Uuid,
    node_name: String,
    epoch: u32,
    lane: u8,
    sequence: u64,
    way: i16,
    sealed: Vec<u8>,
}

impl LedgerBatch {
    fn of(row: &Row) -> Self {
        Self {
            order: (row.get(0), row.get(1)),
            node: row.get(2),
            node_name: row.get(3),
            epoch: row.get::<_, i32>(4).cast_unsigned(),
            lane: row.get::<_, i16>(5) as u8,
            sequence: row.get::<_, i64>(6).cast_unsigned(),
            way: row.get(7),
            sealed: row.get(8),
        }
    }

    fn open(&mut self) -> Result<OpenedBatch<'_>, ArchiveError> {
        let damaged = |source| ArchiveError::Damaged { what: "batch", source };
        let sealed = SealedBatch::parse(std::mem::take(&mut self.sealed));
        let sealed = sealed.map_err(|error| damaged(error.into()))?;
        let open = sealed.open().map_err(|error| damaged(error.into()))?;
        Ok(OpenedBatch { link: sealed.header.link, open, of: self })
    }

    /// Behind every record of it.
    fn end(&self, order: Order) -> Place {
        let index = match order {
            Order::Asc => i64::MAX,
            Order::Desc => i64::MIN,
        };
        [self.order.0, self.order.1, index]
    }
}

struct OpenedBatch<'b> {
    link: String,
    open: OpenBatch,
    of: &'b LedgerBatch,
}

impl OpenedBatch<'_> {
    fn id(&self, index: usize) -> RecordId {
        let LedgerBatch { node, epoch, lane, sequence, .. } = *self.of;
        RecordId { node: node.into_bytes(), epoch, lane, sequence, index: index as u32 }
    }

    fn place(&self, index: usize) -> Place {
        [self.of.order.0, self.of.order.1, index as i64]
    }

    fn summary(&self, index: usize, record: &Record<'_>, decoder: &MissionDecoder) -> PacketSummary {
        let header = PrimaryHeader::parse(record.bytes).ok();
        let quarantine = quarantine_cause(record.verdicts).map(|cause| cause.code().to_owned());
        PacketSummary {
            id: self.id(index).to_string(),
            reception_time: rfc3339(record.reception.0),
            generation_time: decoder.generation(record.bytes).map(|time| rfc3339(time.0)),
            apid: header.map(|header| header.apid.value()),
            sequence_count: header.map(|header| header.sequence_count.value()),
            bytes: record.bytes.len(),
            node: self.of.node_name.clone(),
            link: self.link.clone(),
            provenance: provenance(self.of.way),
            quarantine,
            verdicts: verdicts_in(record.verdicts).map(|verdict| verdict.code().to_owned()).collect(),
        }
    }
}

fn provenance(way: i16) -> Provenance {
    match u8::try_from(way).ok().and_then(|way| Way::try_from(way).ok()) {
        Some(Way::Backfill | Way::Bulk) => Provenance::Backfilled,
        Some(Way::Import) => Provenance::Imported,
        Some(Way::Alarm | Way::Live) | None => Provenance::Live,
    }
}

/// Which batches are read, and up to where that has got.
struct LedgerScan {
    mission: String,
    node: Option<String>,
    span: Range<TaiTime>,
    /// Written as it stands into the statement, so that the planner can compare it with those of its indices.
    only: &'static str,
    order: Order,
    /// Batches from here on, this one included.
    at: (i64, i64),
}

const PACKETS: &str = "content = 1";
const QUARANTINED_PACKETS: &str = "content = 1 AND quarantined > 0";
const EVENTS: &str = "content = 3 AND gap_first IS NULL";

impl LedgerScan {
    fn new(mission: &str, only: &'static str, node: Option<String>, span: Range<TaiTime>) -> Self {
        let at = (i64::MIN, i64::MIN);
        Self { mission: mission.to_owned(), node, span, only, order: Order::Asc, at }
    }

    fn in_order(self, order: Order) -> Self {
        let at = match order {
            Order::Asc => (i64::MIN, i64::MIN),
            Order::Desc => (i64::MAX, i64::MAX),
        };
        Self { order, at, ..self }
    }

    /// The next batches; fewer than [`BATCHES_AT_ONCE`] at the end.
    async fn next(&mut self, database: &Database) -> Result<Vec<LedgerBatch>, ArchiveError> {
        let question = database.borrow_for_question(&self.mission).await?;
        let Range { start: TaiTime(from), end: TaiTime(to) } = self.span;
        let last = to.saturating_add(BATCH_SPAN_MAX);
        // The index is entered where the page before ended.
        let (from_row, until_row, behind, order) = match self.order {
            Order::Asc => (from.max(self.at.0), last, ">=", "last_reception, ledger_id"),
            Order::Desc => {
                (from, last.min(self.at.0.saturating_add(1)), "<=", "last_reception DESC, ledger_id DESC")
            }
        };
        let mut values: Vec<&(dyn ToSql + Sync)> =
            vec![&self.mission, &from_row, &until_row, &to, &self.at.0, &self.at.1, &BATCHES_AT_ONCE];
        let of_node = if self.node.is_some() { "AND node.name = $8" } else { "" };
        values.extend(self.node.as_ref().map(|node| node as &(dyn ToSql + Sync)));
        let sql = format!(
            "SELECT {COLUMNS} FROM ledger JOIN node USING (node_id)
             WHERE mission = $1 AND last_reception >= $2 AND last_reception < $3 AND first_reception < $4
               AND (last_reception, ledger_id) {behind} ($5, $6) AND {} {of_node}
             ORDER BY {order} LIMIT $7",
            self.only
        );
        let batches: Vec<LedgerBatch> =
            question.query(&sql, &values).await?.iter().map(LedgerBatch::of).collect();
        question.finish().await?;
        if let Some(batch) = batches.last() {
            self.at = match self.order {
                Order::Asc => (batch.order.0, batch.order.1.saturating_add(1)),
                Order::Desc => (batch.order.0, batch.order.1.saturating_sub(1)),
            };
        }
        Ok(batches)
    }

    /// A page of what `row` makes of the records within the span.
    async fn page<T: Send + 'static>(
        mut self,
        database: &Database,
        slice: &Slice,
        row: impl Fn(&OpenedBatch<'_>, usize, &Record<'_>) -> Option<T> + Send + Clone + 'static,
    ) -> Result<Page<T>, ArchiveError> {
        if let Some([time, row, _]) = slice.after {
            self.at = (time, row);
        }
        let (limit, order) = (slice.limit, self.order);
        let mut filling = Filling { rows: Vec::new(), limit, order, next: None, after: slice.after };
        let mut batches_read = 0;
        loop {
            let batches = self.next(database).await?;
            let is_end = (batches.len() as i64) < BATCHES_AT_ONCE;
            batches_read += batches.len();
            let end = batches.last().map(|batch| batch.end(order));
            let (span, row) = (self.span.clone(), row.clone());
            // Unpacking takes a core for milliseconds; the tasks that answer nodes must not wait for it.
            filling = blocking(move || filling.fill(batches, &span, &row)).await?;
            if filling.next.is_some() || is_end {
                return Ok(Page { rows: filling.rows, next: filling.next });
            }
            if batches_read >= BATCHES_OF_PAGE {
                return Ok(Page { rows: filling.rows, next: end });
            }
        }
    }
}

/// A page that is not full yet.
struct Filling<T> {
    rows: Vec<T>,
    limit: usize,
    order: Order,
    /// Where the next page begins: known when this one is full.
    next: Option<Place>,
    /// The record that was the last one of the page before.
    after: Option<Place>,
}

impl<T> Filling<T> {
    fn fill(
        mut self,
        batches: Vec<LedgerBatch>,
        span: &Range<TaiTime>,
        row: &impl Fn(&OpenedBatch<'_>, usize, &Record<'_>) -> Option<T>,
    ) -> Self {
        for mut batch in batches {
            let (time, number) = batch.order;
            let seen = self.after.filter(|after| after[..2] == [time, number]).map(|after| after[2]);
            let opened = match batch.open() {
                Ok(opened) => opened,
                Err(error) => {
                    warn!(
                        error = service::logging::chain(&error),
                        ledger_id = number,
                        "batch left out of a list"
                    );
                    continue;
                }
            };
            let mut records: Vec<_> = opened.open.records().enumerate().collect();
            if self.order == Order::Desc {
                records.reverse();
            }
            for (index, record) in records {
                let is_behind = seen.is_none_or(|seen| match self.order {
                    Order::Asc => index as i64 > seen,
                    Order::Desc => (index as i64) < seen,
                });
                if !is_behind || !span.contains(&record.reception.0) {
                    continue;
                }
                let Some(made) = row(&opened, index, &record) else { continue };
                self.rows.push(made);
                if self.rows.len() == self.limit {
                    self.next = Some([time, number, index as i64]);
                    return self;
                }
            }
        }
        self
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, ArchiveError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| ArchiveError::Damaged { what: "batch", source: Box::new(error) })
}

impl Archive {
    /// Packets of a mission by reception time, batch by batch in the order of their last reception.
    pub async fn packets(
        &self,
        database: &Database,
        mission: usize,
        slice: Slice,
        filter: PacketFilter,
    ) -> Result<Page<PacketSummary>, ArchiveError> {
        let archived = &self.missions()[mission];
        let decoder = archived.reads().decoder;
        let only = if filter.is_quarantined { QUARANTINED_PACKETS } else { PACKETS };
        let scan = LedgerScan::new(archived.live.name(), only, filter.node.clone(), slice.span.clone());
        let row = move |batch: &OpenedBatch<'_>, index, record: &Record<'_>| {
            is_asked(&filter, batch, record).then(|| batch.summary(index, record, &decoder))
        };
        scan.page(database, &slice, row).await
    }

    /// One packet of a mission, decoded again.
    pub async fn packet(
        &self,
        database: &Database,
        mission: usize,
        id: RecordId,
    ) -> Result<Option<FoundPacket>, ArchiveError> {
        let archived = &self.missions()[mission];
        let (Ok(epoch), Ok(sequence)) = (i32::try_from(id.epoch), i64::try_from(id.sequence)) else {
            return Ok(None);
        };
        let question = database.borrow_for_question(archived.live.name()).await?;
        let sql = format!(
            "SELECT {COLUMNS} FROM ledger JOIN node USING (node_id)
             WHERE node_id = $1 AND epoch = $2 AND lane = $3 AND sequence = $4 AND mission = $5 AND content = 1"
        );
        let (node, lane) = (Uuid::from_bytes(id.node), i16::from(id.lane));
        let row = question.query_opt(&sql, &[&node, &epoch, &lane, &sequence, &archived.live.name()]).await?;
        question.finish().await?;
        let Some(row) = row else { return Ok(None) };
        let mut batch = LedgerBatch::of(&row);
        let opened = batch.open()?;
        let Some(record) = opened.open.records().nth(id.index as usize) else { return Ok(None) };
        let decoder = archived.reads().decoder;
        Ok(Some(FoundPacket {
            summary: opened.summary(id.index as usize, &record, &decoder),
            bytes: record.bytes.to_vec(),
            dissected: decoder.dissect(record.reception, record.bytes),
        }))
    }

    /// What nodes had to say about a mission, by when they recorded it, in either order, and where each stands in the list.
    pub(super) async fn node_events(
        &self,
        database: &Database,
        mission: usize,
        (slice, order): (Slice, Order),
        filter: EventFilter,
    ) -> Result<Page<Placed<NodeEvent>>, ArchiveError> {
        let name = self.missions()[mission].live.name();
        let EventFilter { code, node } = filter;
        let scan = LedgerScan::new(name, EVENTS, node, slice.span.clone()).in_order(order);
        let row = move |batch: &OpenedBatch<'_>, index, record: &Record<'_>| {
            let event = Event::decode(record.bytes).ok()?;
            let is_asked = code.as_ref().is_none_or(|code| *code == event.code);
            let event = NodeEvent {
                kind: EventKind::Node,
                id: batch.id(index).to_string(),
                at: rfc3339(event.at),
                reception_time: rfc3339(record.reception.0),
                node: Some(batch.of.node_name.clone()),
                author: None,
                code: event.code,
                severity: severity(event.severity),
                text: event.text,
                details: event.details.into_iter().map(|(name, value)| EventDetail { name, value }).collect(),
            };
            is_asked.then_some((batch.place(index), event))
        };
        scan.page(database, &slice, row).await
    }

    /// Reads a mission's packets as they were received.
    pub fn raw_packets(&self, mission: usize, span: Range<TaiTime>, filter: PacketFilter) -> RawPackets {
        let name = self.missions()[mission].live.name();
        RawPackets { scan: LedgerScan::new(name, PACKETS, filter.node.clone(), span), filter }
    }
}

fn is_asked(filter: &PacketFilter, batch: &OpenedBatch<'_>, record: &Record<'_>) -> bool {
    let apid = || PrimaryHeader::parse(record.bytes).ok().map(|header| header.apid);
    batch.open.content() == Content::Packets
        && filter.link.as_ref().is_none_or(|link| *link == batch.link)
        && (!filter.is_quarantined || record.verdicts.intersects(QUARANTINED))
        && filter.apid.is_none_or(|wanted| apid() == Some(wanted))
}

fn severity(severity: Severity) -> EventSeverity {
    match severity {
        Severity::Error => EventSeverity::Error,
        Severity::Info => EventSeverity::Info,
        Severity::Warning => EventSeverity::Warning,
    }
}

/// Space packets as they were received, one behind the other, some batches at a time.
pub struct RawPackets {
    scan: LedgerScan,
    filter: PacketFilter,
}

impl RawPackets {
    /// Those of the next batches, which may be none; `None` at the end. What is no space packet of the length it says
    /// is left out: whoever reads the file would lose its place there.
    pub async fn next(&mut self, database: &Database) -> Result<Option<Vec<u8>>, ArchiveError> {
        let batches = self.scan.next(database).await?;
        if batches.is_empty() {
            return Ok(None);
        }
        let (span, filter) = (self.scan.span.clone(), self.filter.clone());
        blocking(move || {
            let mut bytes = Vec::new();
            for mut batch in batches {
                let opened = batch.open()?;
                let records = opened.open.records().filter(|record| {
                    span.contains(&record.reception.0)
                        && is_whole(record.bytes)
                        && is_asked(&filter, &opened, record)
                });
                records.for_each(|record| bytes.extend_from_slice(record.bytes));
            }
            Ok(Some(bytes))
        })
        .await?
    }
}

fn is_whole(packet: &[u8]) -> bool {
    let says = |header: PrimaryHeader| PRIMARY_HEADER_BYTES + 1 + usize::from(header.data_length_field);
    PrimaryHeader::parse(packet).is_ok_and(|header| says(header) == packet.len())
}
