//! What can be known of a batch without unpacking it.

use serde::{Deserialize, Serialize};
use space_packet::{ReceptionTime, TaiTime};

use super::{BatchError, RECORDS_MAX, VERSION, is_name, malformed};
use crate::{BatchSequence, Content, Lane, StoreId};

/// The highest number of a batch. Databases count with signed numbers, and name the end of a range by the number behind
/// it; at a million batches a second a lane gets there in 290,000 years.
const SEQUENCE_MAX: BatchSequence = BatchSequence(i64::MAX as u64 - 1);

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
    /// The columns through zstd with the dictionary of this number, from version 3 on.
    Dictionary(u8),
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
    /// The hub had them, was set back to an older state, and the node no longer holds them.
    Forgotten,
}

impl GapReason {
    /// One word for it, as reports have it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Damaged => "damaged",
            Self::Evicted => "evicted",
            Self::NeverIssued => "never-issued",
            Self::Forgotten => "forgotten",
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
#[derive(Clone, Debug, Eq, PartialEq)]
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

/// Which batch it is: how a header of every version begins.
#[derive(Deserialize)]
struct Place {
    version: u8,
    lane: Lane,
    sequence: BatchSequence,
    mission: String,
    link: String,
}

/// What its records are. In version 1 only their number, for all were packets.
#[derive(Deserialize)]
struct Kind {
    content: Content,
    records: u32,
    quarantined: u32,
    has_verdicts: bool,
}

/// What comes before it, and its body.
#[derive(Deserialize)]
struct Extent {
    records_before: u64,
    bytes_before: u64,
    codec: Codec,
    raw_bytes: u32,
    body_bytes: u32,
}

/// Takes the next part of a header: postcard puts nothing around a struct.
fn take<'a, T: Deserialize<'a>>(input: &mut &'a [u8]) -> Result<T, BatchError> {
    let (part, rest) =
        postcard::take_from_bytes(input).map_err(|_| malformed("its header does not decode"))?;
    *input = rest;
    Ok(part)
}

impl BatchHeader {
    /// Its bytes, in the newest version.
    pub(super) fn encode(&self) -> Vec<u8> {
        let span = self.last_reception.0.0.wrapping_sub(self.first_reception.0.0) as u64;
        let place = (self.version, self.lane, self.sequence, &self.mission, &self.link);
        let kind = (self.content, self.records, self.quarantined, self.has_verdicts);
        let extent = (self.records_before, self.bytes_before, self.codec, self.raw_bytes, self.body_bytes);
        postcard::to_stdvec(&(place, kind, extent, self.first_reception, span, self.gap))
            .expect("a header of numbers and short names always encodes")
    }

    /// Reads the header of any version.
    pub(super) fn decode(bytes: &[u8]) -> Result<Self, BatchError> {
        let &version = bytes.first().ok_or(malformed("its header is empty"))?;
        if !(1..=VERSION).contains(&version) {
            return Err(BatchError::Version { found: version });
        }
        let mut input = bytes;
        let place: Place = take(&mut input)?;
        let kind = if version == 1 {
            let records = take(&mut input)?;
            Kind { content: Content::Packets, records, quarantined: 0, has_verdicts: false }
        } else {
            take(&mut input)?
        };
        let extent: Extent = take(&mut input)?;
        let first_reception: ReceptionTime = take(&mut input)?;
        let last_reception = if version < 3 {
            take(&mut input)?
        } else {
            let span: u64 = take(&mut input)?;
            ReceptionTime(TaiTime(first_reception.0.0.wrapping_add(span as i64)))
        };
        let gap = if version == 1 { None } else { take(&mut input)? };
        Ok(Self {
            version: place.version,
            lane: place.lane,
            sequence: place.sequence,
            mission: place.mission,
            link: place.link,
            content: kind.content,
            records: kind.records,
            quarantined: kind.quarantined,
            has_verdicts: kind.has_verdicts,
            records_before: extent.records_before,
            bytes_before: extent.bytes_before,
            codec: extent.codec,
            raw_bytes: extent.raw_bytes,
            body_bytes: extent.body_bytes,
            first_reception,
            last_reception,
            gap,
        })
    }

    /// Whether its fields can stand together.
    pub(super) fn is_plausible(&self) -> bool {
        let records_fit = match &self.gap {
            None => (1..=RECORDS_MAX as u32).contains(&self.records),
            Some(gap) => self.records == 0 && (BatchSequence::FIRST..=self.sequence).contains(&gap.first),
        };
        records_fit
            && self.quarantined <= self.records
            && (BatchSequence::FIRST..=SEQUENCE_MAX).contains(&self.sequence)
            && is_name(&self.mission)
            && is_name(&self.link)
            && self.first_reception <= self.last_reception
    }

    /// The first number this batch speaks for: its own, or the first of a gap.
    pub fn first_sequence(&self) -> BatchSequence {
        self.gap.map_or(self.sequence, |gap| gap.first)
    }
}
