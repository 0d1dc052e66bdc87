//! What lies in the ledger and beside it, as the router asks for it: packets, events, gaps, batches kept apart, exports.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;
use mission_database::ParameterIndex;
use processing::DissectedPacket;
use space_packet::{Apid, TaiTime};

use crate::contract::{ApartBatch, DeclaredGap, EventSeverity, HubEvent, NodeEvent, Order, PacketSummary};
use crate::{LiveMission, ProblemResponse};

/// Where a page ended, in the order of its list: what a cursor says.
pub type Place = [i64; 3];

/// Some of a list.
#[derive(Clone, Debug)]
pub struct Page<T> {
    /// The rows.
    pub rows: Vec<T>,
    /// Where it goes on, if there may be more. A page may be short, or empty, and still have a next one.
    pub next: Option<Place>,
}

/// What part of a list is asked for.
#[derive(Clone, Debug)]
pub struct Slice {
    /// Of which times.
    pub span: Range<TaiTime>,
    /// How many rows at most.
    pub limit: usize,
    /// Behind which place.
    pub after: Option<Place>,
}

/// Which packets are asked for.
#[derive(Clone, Debug, Default)]
pub struct PacketFilter {
    /// Of this APID only.
    pub apid: Option<Apid>,
    /// Of the node with this name only.
    pub node: Option<String>,
    /// That came in on this link only.
    pub link: Option<String>,
    /// In quarantine only.
    pub is_quarantined: bool,
}

/// Which events are asked for.
#[derive(Clone, Debug, Default)]
pub struct EventFilter {
    /// With this code only.
    pub code: Option<String>,
    /// Of, or about, the node with this name only.
    pub node: Option<String>,
}

/// An event that somebody posts.
#[derive(Clone, Debug)]
pub struct PostedEvent {
    /// Its name, which whoever posts it made at random.
    pub id: [u8; 16],
    /// How much it matters.
    pub severity: EventSeverity,
    /// 1 to 2,000 characters.
    pub text: String,
    /// Who posts it.
    pub author: String,
}

/// Names a record for ever: as text `NODE.EPOCH.LANE.SEQUENCE.INDEX`, the node by its 32 hexadecimal digits.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct RecordId {
    /// The node.
    pub node: [u8; 16],
    /// Which of its journals.
    pub epoch: u32,
    /// Which lane.
    pub lane: u8,
    /// Number of the batch in the lane.
    pub sequence: u64,
    /// Place in the batch, from 0.
    pub index: u32,
}

impl fmt::Display for RecordId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let node = data_encoding::HEXLOWER.encode(&self.node);
        write!(formatter, "{node}.{}.{}.{}.{}", self.epoch, self.lane, self.sequence, self.index)
    }
}

/// Text that names no record.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{0:?} names no record; they look like 00112233445566778899aabbccddeeff.1.2.4711.0")]
pub struct NoRecordId(pub String);

impl FromStr for RecordId {
    type Err = NoRecordId;

    fn from_str(text: &str) -> Result<Self, NoRecordId> {
        let read = || {
            let mut parts = text.split('.');
            let node = data_encoding::HEXLOWER.decode(parts.next()?.as_bytes()).ok()?;
            let id = Self {
                node: node.try_into().ok()?,
                epoch: parts.next()?.parse().ok()?,
                lane: parts.next()?.parse().ok()?,
                sequence: parts.next()?.parse().ok()?,
                index: parts.next()?.parse().ok()?,
            };
            // Numbers are written in one way only: no signs, no zeros ahead.
            parts.next().is_none().then_some(id).filter(|id| id.to_string() == text)
        };
        read().ok_or_else(|| NoRecordId(text.chars().take(100).collect()))
    }
}

/// A packet that was looked up.
#[derive(Debug)]
pub struct FoundPacket {
    /// As in a list.
    pub summary: PacketSummary,
    /// As received.
    pub bytes: Vec<u8>,
    /// Decoded again, by the version of its time.
    pub dissected: DissectedPacket,
}

/// What an export holds.
#[derive(Clone, Debug)]
pub enum Exported {
    /// Space packets as received, one behind the other.
    Packets(PacketFilter),
    /// Samples.
    Samples {
        /// How they are written.
        format: SampleFormat,
        /// Of which parameters, in this order.
        parameters: Vec<ParameterIndex>,
        /// The archive as it was read up to this reading; absent: as it is read now.
        reading: Option<u32>,
    },
}

/// How exported samples are written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SampleFormat {
    /// A table, RFC 4180.
    Csv,
    /// One JSON object a line.
    JsonLines,
    /// Apache Parquet.
    Parquet,
}

/// Why an export ended before its end. Whoever receives it must be able to tell: the connection is cut.
#[derive(Debug, thiserror::Error)]
#[error("the export was cut short; the server's log says why")]
pub struct ExportCut;

/// The bytes of an export, made as they are taken.
pub type ExportBody = BoxStream<'static, Result<Bytes, ExportCut>>;

type Answer<'a, T> = BoxFuture<'a, Result<T, ProblemResponse>>;

fn only_the_hub<'a, T: Send + 'a>(what: &'static str) -> Answer<'a, T> {
    let detail = format!("only the hub answers about {what}; ask it");
    async move { Err(ProblemResponse::unknown_path(detail)) }.boxed()
}

/// What lies in the ledger and beside it. A server that does not have something answers that the hub does.
pub trait Records: Send + Sync {
    /// Packets of a mission by reception time, in the order in which they were received.
    fn packets<'a>(
        &'a self,
        _mission: &'a LiveMission,
        _slice: Slice,
        _filter: PacketFilter,
    ) -> Answer<'a, Page<PacketSummary>> {
        only_the_hub("packets")
    }

    /// One packet of a mission; `None` when it has none of this name.
    fn packet<'a>(&'a self, _mission: &'a LiveMission, _id: RecordId) -> Answer<'a, Option<FoundPacket>> {
        only_the_hub("packets")
    }

    /// What nodes had to say about a mission, by reception time.
    fn node_events<'a>(
        &'a self,
        _mission: &'a LiveMission,
        _slice: Slice,
        _order: Order,
        _filter: EventFilter,
    ) -> Answer<'a, Page<NodeEvent>> {
        only_the_hub("a mission's events")
    }

    /// Keeps an event that somebody posts. One that has the id already and says the same is answered as it is.
    fn post_event<'a>(&'a self, _mission: &'a LiveMission, _posted: PostedEvent) -> Answer<'a, NodeEvent> {
        only_the_hub("a mission's events")
    }

    /// Batches that are not there and never will be, by when that was noticed.
    fn gaps<'a>(&'a self, _mission: &'a LiveMission, _slice: Slice) -> Answer<'a, Page<DeclaredGap>> {
        only_the_hub("declared gaps")
    }

    /// What the hub refused or somebody should know of, newest first.
    fn hub_events(&self, _slice: Slice, _filter: EventFilter) -> Answer<'_, Page<HubEvent>> {
        only_the_hub("its own events")
    }

    /// Batches that are kept out of the archive, oldest first, by since when.
    fn apart(&self, _slice: Slice) -> Answer<'_, Page<ApartBatch>> {
        only_the_hub("batches kept apart")
    }

    /// Everything of a span: of packets by reception time, of samples by generation time.
    fn export<'a>(
        &'a self,
        _mission: &'a LiveMission,
        _span: Range<TaiTime>,
        _exported: Exported,
    ) -> Answer<'a, ExportBody> {
        only_the_hub("exports")
    }
}

/// Has nothing of it.
pub(crate) struct NoRecords;

impl Records for NoRecords {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_has_one_name_and_nothing_else_is_one() {
        let id = RecordId { node: [0xAB; 16], epoch: 1, lane: 2, sequence: 4_711, index: 17 };
        let name = id.to_string();
        assert_eq!(name, format!("{}.1.2.4711.17", "ab".repeat(16)));
        assert_eq!(name.parse(), Ok(id));
        let node = "ab".repeat(16);
        for wrong in ["", ".", "ab.1.2.3.4", &format!("{node}.1.2.3"), &format!("{node}.1.2.3.4.5")] {
            assert!(wrong.parse::<RecordId>().is_err(), "{wrong}");
        }
        for wrong in ["+1.2.3.4", "01.2.3.4", "1.256.3.4", "1.2.3.-4", "1.2.18446744073709551616.4"] {
            assert!(format!("{node}.{wrong}").parse::<RecordId>().is_err(), "{wrong}");
        }
        assert!(name.to_uppercase().parse::<RecordId>().is_err());
    }
}
