//! A batch, sealed once: the same bytes lie in the journal, cross the link and are kept in the ledger.
//!
//! ```text
//! u16 LE  length of the header
//!         header   postcard of `BatchHeader`
//!         body     records in columns, zstd-1 when that is smaller
//! 16 B    chain    the hash of the batch before (of the store's id for the first)
//! 16 B    hash     BLAKE3 of everything before, truncated
//! u32 LE  CRC-32C of everything before
//! ```
//! Every length is checked against a bound before anything is allocated by it.

mod columns;

use serde::{Deserialize, Serialize};
use space_packet::{PACKET_BYTES_MAX, ReceptionTime, TaiTime};

use crate::{BatchSequence, Lane, StoreId};

/// Most records in a batch.
pub const RECORDS_MAX: usize = 1_024;
/// Most bytes of a sealed batch: below sled's 128 KiB, past which it writes files it never syncs (decision D4).
pub const BATCH_BYTES_MAX: usize = 120 * 1_024;
/// Packet bytes past which a batch is full.
const PACKET_BYTES_FULL: usize = 96 * 1_024;
/// What a body may unpack to: a full batch of packets, their times and the columns' own overhead.
const RAW_BYTES_MAX: usize = PACKET_BYTES_FULL + PACKET_BYTES_MAX + RECORDS_MAX * 32;
const HEADER_BYTES_MAX: usize = 512;
const NAME_BYTES_MAX: usize = 40;
const TRAILER_BYTES: usize = 16 + 16 + 4;
const VERSION: u8 = 1;
/// zstd level 1: measured, level 3 is never worth it here.
const ZSTD_LEVEL: i32 = 1;

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

    /// What the first batch after a gap is chained to: the hash of the batch before it is lost. `last_missing` is
    /// the newest sequence of the gap.
    pub fn after_gap(store: StoreId, lane: Lane, last_missing: BatchSequence) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(b"sto-gap-1").update(&store.0).update(&[lane as u8]);
        hasher.update(&last_missing.0.to_le_bytes());
        Self::truncated(&hasher.finalize())
    }

    fn truncated(hash: &blake3::Hash) -> Self {
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
    /// Number of records.
    pub records: u32,
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
}

/// Why bytes are not a batch, or records do not make one.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum BatchError {
    /// The check sum or the hash does not fit the bytes.
    #[error("the batch is damaged: its {check} does not fit its {bytes} bytes")]
    Damaged {
        /// Which check failed.
        check: &'static str,
        /// Length of the batch.
        bytes: usize,
    },
    /// A field of the header or the body cannot be.
    #[error("the batch is malformed: {what}")]
    Malformed {
        /// What cannot be.
        what: &'static str,
    },
    /// The version is not one we read.
    #[error("the batch has format version {found}; this software reads version {VERSION}")]
    Version {
        /// The version found.
        found: u8,
    },
}

const fn malformed(what: &'static str) -> BatchError {
    BatchError::Malformed { what }
}

/// Whether text is the name of a mission or a link: 1 to 40 ASCII letters, digits, dashes and underscores. What is
/// a name here is one in paths, in rows and in metrics too.
pub fn is_name(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    (1..=NAME_BYTES_MAX).contains(&text.len()) && text.bytes().all(fits)
}

/// Collects packets of one mission and link until they make a batch.
#[derive(Debug)]
pub struct BatchBuilder {
    mission: String,
    link: String,
    times: Vec<i64>,
    ends: Vec<u32>,
    packets: Vec<u8>,
}

impl BatchBuilder {
    /// An empty builder. Both names satisfy [`is_name`], or the batch will be refused where it arrives.
    pub fn new(mission: &str, link: &str) -> Self {
        Self {
            mission: mission.to_owned(),
            link: link.to_owned(),
            times: Vec::new(),
            ends: Vec::new(),
            packets: Vec::new(),
        }
    }

    /// Records collected.
    pub fn records(&self) -> usize {
        self.times.len()
    }

    /// Whether `packet_bytes` more still fit.
    pub fn has_room_for(&self, packet_bytes: usize) -> bool {
        self.times.len() < RECORDS_MAX
            && (self.times.is_empty() || self.packets.len() + packet_bytes <= PACKET_BYTES_FULL)
    }

    /// Adds a packet; the caller asked `has_room_for` before.
    pub fn push(&mut self, reception: ReceptionTime, packet: &[u8]) {
        self.packets.extend_from_slice(packet);
        self.ends.push(self.packets.len() as u32);
        self.times.push(reception.0.0);
    }

    /// Packs what was collected and begins anew; nothing when nothing was collected.
    pub fn pack(&mut self) -> Option<SealedBody> {
        let (first, last) = (self.times.iter().min().copied()?, self.times.iter().max().copied()?);
        let plain = columns::encode(&self.times, &self.ends, &self.packets);
        let raw_bytes = plain.len() as u32;
        // Compression of a buffer in memory only fails when it cannot allocate; plain is always right.
        let (codec, bytes) = match zstd::bulk::compress(&plain, ZSTD_LEVEL) {
            Ok(packed) if packed.len() < plain.len() => (Codec::Zstd, packed),
            _ => (Codec::Plain, plain),
        };
        let body = SealedBody {
            mission: self.mission.clone(),
            link: self.link.clone(),
            records: self.times.len() as u32,
            codec,
            raw_bytes,
            bytes,
            first_reception: ReceptionTime(TaiTime(first)),
            last_reception: ReceptionTime(TaiTime(last)),
        };
        self.times.clear();
        self.ends.clear();
        self.packets.clear();
        Some(body)
    }
}

/// A packed body, not yet placed in a lane.
#[derive(Clone, Debug)]
pub struct SealedBody {
    mission: String,
    link: String,
    records: u32,
    codec: Codec,
    raw_bytes: u32,
    bytes: Vec<u8>,
    first_reception: ReceptionTime,
    last_reception: ReceptionTime,
}

impl SealedBody {
    /// Number of records.
    pub fn records(&self) -> u32 {
        self.records
    }

    /// Bytes the sealed batch will have at most.
    pub fn sealed_bytes_max(&self) -> usize {
        2 + HEADER_BYTES_MAX + self.bytes.len() + TRAILER_BYTES
    }

    /// Gives the body its place after `previous` and seals the batch.
    pub fn seal(self, lane: Lane, previous: &Position) -> SealedBatch {
        let header = BatchHeader {
            version: VERSION,
            lane,
            sequence: previous.sequence.map_or(BatchSequence::FIRST, BatchSequence::next),
            mission: self.mission,
            link: self.link,
            records: self.records,
            records_before: previous.records,
            bytes_before: previous.bytes,
            codec: self.codec,
            raw_bytes: self.raw_bytes,
            body_bytes: self.bytes.len() as u32,
            first_reception: self.first_reception,
            last_reception: self.last_reception,
        };
        let encoded =
            postcard::to_stdvec(&header).expect("a header of numbers and short names always encodes");
        let mut bytes = Vec::with_capacity(2 + encoded.len() + self.bytes.len() + TRAILER_BYTES);
        bytes.extend_from_slice(&(encoded.len() as u16).to_le_bytes());
        bytes.extend_from_slice(&encoded);
        bytes.extend_from_slice(&self.bytes);
        bytes.extend_from_slice(&previous.hash.0);
        let hash = ChainHash::truncated(&blake3::hash(&bytes));
        bytes.extend_from_slice(&hash.0);
        bytes.extend_from_slice(&crc32c::crc32c(&bytes).to_le_bytes());
        SealedBatch { header, previous: previous.hash, hash, bytes }
    }
}

/// Where a lane stands after a batch: what the next one is chained to and counted from.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Position {
    /// The batch; absent before the first.
    pub sequence: Option<BatchSequence>,
    /// Its hash, or the store's before the first.
    pub hash: ChainHash,
    /// Records up to and including it.
    pub records: u64,
    /// Sealed bytes up to and including it.
    pub bytes: u64,
}

impl Position {
    /// Before the first batch of a lane.
    pub fn start(store: StoreId, lane: Lane) -> Self {
        Self { sequence: None, hash: ChainHash::of_store(store, lane), records: 0, bytes: 0 }
    }

    /// The sequence as a number, 0 before the first batch.
    pub fn number(&self) -> u64 {
        self.sequence.map_or(0, |sequence| sequence.0)
    }
}

/// A batch whose bytes were checked: length, check sum, hash and header.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SealedBatch {
    /// The header.
    pub header: BatchHeader,
    /// Hash of the batch before.
    pub previous: ChainHash,
    /// Its own hash.
    pub hash: ChainHash,
    bytes: Vec<u8>,
}

impl SealedBatch {
    /// Checks bytes that came from a disk or a network.
    pub fn parse(bytes: Vec<u8>) -> Result<Self, BatchError> {
        let length = bytes.len();
        if !(2 + TRAILER_BYTES..=BATCH_BYTES_MAX).contains(&length) {
            return Err(malformed("its length is out of range"));
        }
        let (checked, crc) = bytes.split_at(length - 4);
        if crc32c::crc32c(checked).to_le_bytes() != *crc {
            return Err(BatchError::Damaged { check: "CRC-32C", bytes: length });
        }
        let (hashed, hash) = checked.split_at(length - 20);
        let hash = ChainHash(hash.try_into().map_err(|_| malformed("its trailer is short"))?);
        if ChainHash::truncated(&blake3::hash(hashed)) != hash {
            return Err(BatchError::Damaged { check: "BLAKE3 hash", bytes: length });
        }
        let (content, previous) = hashed.split_at(length - 36);
        let previous = ChainHash(previous.try_into().map_err(|_| malformed("its trailer is short"))?);
        let header_bytes = usize::from(u16::from_le_bytes([content[0], content[1]]));
        let header = content.get(2..2 + header_bytes).ok_or(malformed("its header is cut off"))?;
        match header.first() {
            Some(&VERSION) => {}
            Some(&found) => return Err(BatchError::Version { found }),
            None => return Err(malformed("its header is empty")),
        }
        let header: BatchHeader =
            postcard::from_bytes(header).map_err(|_| malformed("its header does not decode"))?;
        if header.body_bytes as usize != content.len() - 2 - header_bytes
            || header.raw_bytes as usize > RAW_BYTES_MAX
            || !(1..=RECORDS_MAX as u32).contains(&header.records)
            || header.sequence < BatchSequence::FIRST
            || !is_name(&header.mission)
            || !is_name(&header.link)
            || header.first_reception > header.last_reception
        {
            return Err(malformed("a field of its header is out of range"));
        }
        Ok(Self { header, previous, hash, bytes })
    }

    /// The sealed bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The sealed bytes, owned.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// Where the lane stands after this batch.
    pub fn position(&self) -> Position {
        Position {
            sequence: Some(self.header.sequence),
            hash: self.hash,
            records: self.header.records_before.saturating_add(u64::from(self.header.records)),
            bytes: self.header.bytes_before.saturating_add(self.bytes.len() as u64),
        }
    }

    /// Unpacks the records.
    pub fn open(&self) -> Result<OpenBatch, BatchError> {
        let end = self.bytes.len() - TRAILER_BYTES;
        let body = &self.bytes[end - self.header.body_bytes as usize..end];
        let raw_bytes = self.header.raw_bytes as usize;
        let records = self.header.records as usize;
        match self.header.codec {
            Codec::Plain => columns::decode(body, records),
            Codec::Zstd => {
                let plain = zstd::bulk::decompress(body, raw_bytes)
                    .map_err(|_| malformed("its body does not decompress to the stated length"))?;
                columns::decode(&plain, records)
            }
        }
    }
}

/// The records of a batch, in the order they were received.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct OpenBatch {
    times: Vec<i64>,
    ends: Vec<u32>,
    packets: Vec<u8>,
}

impl OpenBatch {
    /// Number of records.
    pub fn len(&self) -> usize {
        self.times.len()
    }

    /// Whether there are none; a sealed batch always has some.
    pub fn is_empty(&self) -> bool {
        self.times.is_empty()
    }

    /// Each record: when the station received it, and the packet as received.
    pub fn records(&self) -> impl Iterator<Item = (ReceptionTime, &[u8])> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        self.times.iter().zip(starts.zip(&self.ends)).map(|(&time, (start, &end))| {
            (ReceptionTime(TaiTime(time)), &self.packets[start as usize..end as usize])
        })
    }
}

#[cfg(test)]
mod tests;
