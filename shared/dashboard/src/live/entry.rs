//! The records of a batch, as live subscriptions pass them on.

use std::sync::Arc;

use delivery::{Content, Event, OpenBatch, Severity};
use space_packet::PrimaryHeader;

use super::LiveBatch;
use super::update::SeenPacket;
use crate::contract::{EventDetail, EventEntry, EventSeverity};
use crate::convert::rfc3339;

/// The events in a batch. One that cannot be read is passed over; the ledger has it.
pub(super) fn events_of(batch: &LiveBatch, node: &str) -> Vec<EventEntry> {
    let Some(records) = batch.records.as_ref().filter(|records| records.content() == Content::Events) else {
        return Vec::new();
    };
    let events = records.records().filter_map(|record| Event::decode(record.bytes).ok());
    events.map(|event| describe(event, node)).collect()
}

fn describe(event: Event, node: &str) -> EventEntry {
    EventEntry {
        at: rfc3339(event.at),
        node: Some(node.to_owned()),
        author: None,
        code: event.code,
        severity: Some(match event.severity {
            Severity::Error => EventSeverity::Error,
            Severity::Info => EventSeverity::Info,
            Severity::Warning => EventSeverity::Warning,
        }),
        text: event.text,
        details: event.details.into_iter().map(|(name, value)| EventDetail { name, value }).collect(),
    }
}

/// The packets in a batch, of some APIDs or of all.
pub(super) fn packets_of<'b>(
    batch: &'b LiveBatch,
    node: &str,
    apids: Option<&'b [u16]>,
) -> impl Iterator<Item = SeenPacket> + use<'b> {
    let node: Arc<str> = node.into();
    let records = batch.records.iter().filter(|records| records.content() == Content::Packets);
    records.flat_map(OpenBatch::records).filter_map(move |record| {
        let is_wanted = apids.is_none_or(|apids| {
            PrimaryHeader::parse(record.bytes).is_ok_and(|header| apids.contains(&header.apid.value()))
        });
        is_wanted.then(|| SeenPacket {
            node: Arc::clone(&node),
            reception: record.reception,
            verdicts: record.verdicts,
            bytes: record.bytes.into(),
        })
    })
}
