//! The records of a batch once it is unpacked.

use space_packet::{ReceptionTime, TaiTime};

use crate::{Content, Verdicts};

/// The records of a batch, in the order they were received.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct OpenBatch {
    pub(super) content: Content,
    pub(super) times: Vec<i64>,
    /// As many as records, or none.
    pub(super) verdicts: Vec<u32>,
    pub(super) ends: Vec<u32>,
    pub(super) bytes: Vec<u8>,
}

impl Default for OpenBatch {
    fn default() -> Self {
        let (times, verdicts, ends, bytes) = Default::default();
        Self { content: Content::Packets, times, verdicts, ends, bytes }
    }
}

/// One record of a batch.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Record<'a> {
    /// When the station received it.
    pub reception: ReceptionTime,
    /// What intake found out about it.
    pub verdicts: Verdicts,
    /// A packet as received, or the bytes of what [`OpenBatch::content`] says.
    pub bytes: &'a [u8],
}

impl OpenBatch {
    /// Number of records.
    pub fn len(&self) -> usize {
        self.times.len()
    }

    /// Whether there are none; only a gap has none.
    pub fn is_empty(&self) -> bool {
        self.times.is_empty()
    }

    /// What the records are.
    pub fn content(&self) -> Content {
        self.content
    }

    /// Each record.
    pub fn records(&self) -> impl Iterator<Item = Record<'_>> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        let spans = starts.zip(&self.ends);
        self.times.iter().zip(spans).enumerate().map(|(index, (&time, (start, &end)))| Record {
            reception: ReceptionTime(TaiTime(time)),
            verdicts: Verdicts(self.verdicts.get(index).copied().unwrap_or(0)),
            bytes: &self.bytes[start as usize..end as usize],
        })
    }

    /// Each packet with its reception time; nothing when the records are not packets.
    pub fn packets(&self) -> impl Iterator<Item = (ReceptionTime, &[u8])> {
        let are_packets = self.content == Content::Packets;
        self.records().filter(move |_| are_packets).map(|record| (record.reception, record.bytes))
    }
}
