//! What can be known of a batch without unpacking it.

use serde::{Deserialize, Serialize};
use space_packet::ReceptionTime;

use super::{BatchError, RECORDS_MAX, VERSION, is_name, malformed};
use crate::{BatchSequence, Content, Lane, StoreId};

/// BLAKE3 of a batch and everything before it in its lane, truncated to 16 bytes.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct ChainHash(pub [u8; 16]);

impl ChainHash {
    /// What the first batch of a lane is chained to.
    pub fn of_store(store: StoreId, lane: Lane) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(b"sto-lane-1").update(&store.0).update(&[lane as u8]);
        Self::truncated(&hasher.finalize())
    }

    /// What the next batch is chained to where the last one, of this number, is lost or was never issued.
    pub fn after_gap(store: StoreId, lane: Lane, last: BatchSequence) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(b"sto-gap-1").update(&store.0).update(&[lane as u8]).update(&last.0.to_le_bytes());
        Self::truncated(&hasher.finalize())
    }

    pub(super) fn truncated(hash: &blake3::Hash) -> Self {
        let mut truncated = [0; 16];
        truncated.copy_from_slice(&hash.as_bytes()[..16]);
        Self(truncated)
    }
}

/// How a body is packed.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Codec {
    /// The columns as they are.
    Plain,
    /// The columns through zstd.
    Zstd,
}

/// Why batches of a lane are not there.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub enum GapReason {
    /// They could not be read from the node's disk any more.
    Damaged,
    /// The node's operator let old data go rather than stop taking in new ones.
    Evicted,
    /// Their numbers were set aside and never given to a batch.
    NeverIssued,
}

impl GapReason {
    /// One word for it, as reports have it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Damaged => "damaged",
            Self::Evicted => "evicted",
            Self::NeverIssued => "never-issued",
        }
    }
}

/// Batches that are not there and never will be, declared by their node.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Gap {
    /// The first one missing; the last one is the sequence of the batch that declares them.
    pub first: BatchSequence,
    /// Why.
    pub reason: GapReason,
    /// Records in them, as far as the batches around them tell.
    pub records: u64,
    /// What the next batch is chained to.
    pub continues: ChainHash,
}

/// What can be known of a batch without unpacking it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct BatchHeader {
    /// Version of this format.
    pub version: u8,
    /// The lane.
    pub lane: Lane,
    /// Place in the lane.
    pub sequence: BatchSequence,
    /// Mission all records belong to.
    pub mission: String,
    /// Intake link all records came in on.
    pub link: String,
    /// What the records are.
    pub content: Content,
    /// Number of records; 0 only of a gap.
    pub records: u32,
    /// How many of them are in quarantine.
    pub quarantined: u32,
    /// Whether the body says what was found out about each record.
    pub has_verdicts: bool,
    /// Records in all batches of this lane before this one.
    pub records_before: u64,
    /// Sealed bytes of all batches of this lane before this one.
    pub bytes_before: u64,
    /// Packing of the body.
    pub codec: Codec,
    /// Bytes of the body unpacked.
    pub raw_bytes: u32,
    /// Bytes of the body.
    pub body_bytes: u32,
    /// Earliest reception time.
    pub first_reception: ReceptionTime,
    /// Latest reception time.
    pub last_reception: ReceptionTime,
    /// This batch stands in for others that are not there.
    pub gap: Option<Gap>,
}

/// The header of version 1: packets only.
#[derive(Deserialize)]
struct FirstHeader {
    version: u8,
    lane: Lane,
    sequence: BatchSequence,
    mission: String,
    link: String,
    records: u32,
    records_before: u64,
    bytes_before: u64,
    codec: Codec,
    raw_bytes: u32,
    body_bytes: u32,
    first_reception: ReceptionTime,
    last_reception: ReceptionTime,
}

impl From<FirstHeader> for BatchHeader {
    fn from(first: FirstHeader) -> Self {
        Self {
            version: first.version,
            lane: first.lane,
            sequence: first.sequence,
            mission: first.mission,
            link: first.link,
            content: Content::Packets,
            records: first.records,
            quarantined: 0,
            has_verdicts: false,
            records_before: first.records_before,
            bytes_before: first.bytes_before,
            codec: first.codec,
            raw_bytes: first.raw_bytes,
            body_bytes: first.body_bytes,
            first_reception: first.first_reception,
            last_reception: first.last_reception,
            gap: None,
        }
    }
}

impl BatchHeader {
    pub(super) fn decode(bytes: &[u8]) -> Result<Self, BatchError> {
        const UNREADABLE: BatchError = malformed("its header does not decode");
        match bytes.first() {
            Some(1) => {
                let first: FirstHeader = postcard::from_bytes(bytes).map_err(|_| UNREADABLE)?;
                Ok(first.into())
            }
            Some(&VERSION) => postcard::from_bytes(bytes).map_err(|_| UNREADABLE),
            Some(&found) => Err(BatchError::Version { found }),
            None => Err(malformed("its header is empty")),
        }
    }

    /// Whether its fields can stand together.
    pub(super) fn is_plausible(&self) -> bool {
        let records_fit = match &self.gap {
            None => (1..=RECORDS_MAX as u32).contains(&self.records),
            Some(gap) => self.records == 0 && (BatchSequence::FIRST..=self.sequence).contains(&gap.first),
        };
        records_fit
            && self.quarantined <= self.records
            && self.sequence >= BatchSequence::FIRST
            && is_name(&self.mission)
            && is_name(&self.link)
            && self.first_reception <= self.last_reception
    }

    /// The first number this batch speaks for: its own, or the first of a gap.
    pub fn first_sequence(&self) -> BatchSequence {
        self.gap.map_or(self.sequence, |gap| gap.first)
    }
}
