//! A batch, sealed once: the same bytes lie in the journal, cross the link and are kept in the ledger.
//!
//! ```text
//! u16 LE  length of the header
//!         header   postcard of `BatchHeader`
//!         body     records in columns, through zstd when that is smaller: a small body with a dictionary
//! 16 B    chain    the hash of the batch before (of the store's id for the first; of the last batch that is
//!                  missing, behind a gap)
//! 16 B    hash     BLAKE3 of everything before, truncated
//! u32 LE  CRC-32C of everything before
//! ```
//! Every length is checked against a bound before anything is allocated by it.

mod columns;
mod dictionary;
mod header;
mod open;
mod packer;

use space_packet::{PACKET_BYTES_MAX, ReceptionTime, TaiTime};

use crate::{BatchSequence, Content, Lane, StoreId, Verdicts};
use columns::{Layout, Rows};

pub use header::{BatchHeader, ChainHash, Codec, Gap, GapReason};
pub use open::{OpenBatch, Record};
pub use packer::Packer;

/// Most records in a batch.
pub const RECORDS_MAX: usize = 1_024;
/// Most bytes of a sealed batch: below sled's 128 KiB, past which it writes files it never syncs (decision D4).
pub const BATCH_BYTES_MAX: usize = 120 * 1_024;
/// Record bytes past which a batch is full.
const RECORD_BYTES_FULL: usize = 96 * 1_024;
/// What a body may unpack to: a full batch of packets, their times and the columns' own overhead.
const RAW_BYTES_MAX: usize = RECORD_BYTES_FULL + PACKET_BYTES_MAX + RECORDS_MAX * 40;
const HEADER_BYTES_MAX: usize = 512;
const NAME_BYTES_MAX: usize = 40;
const TRAILER_BYTES: usize = 16 + 16 + 4;
/// Version 1 had packets only, without verdicts; version 2 had neither dictionaries nor differences in its columns.
const VERSION: u8 = 3;

/// Why bytes are not a batch, or records do not make one.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum BatchError {
    /// It was packed with a dictionary that newer software brings along.
    #[error("the batch is packed with dictionary {number}, which this software does not have: update it")]
    Dictionary {
        /// Number of the dictionary.
        number: u8,
    },
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
    #[error("the batch has format version {found}; this software reads versions 1 to {VERSION}")]
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

/// Collects records of one kind, mission and link until they make a batch.
#[derive(Debug)]
pub struct BatchBuilder {
    mission: String,
    link: String,
    content: Content,
    times: Vec<i64>,
    verdicts: Vec<u32>,
    has_verdicts: bool,
    quarantined: u32,
    ends: Vec<u32>,
    bytes: Vec<u8>,
}

impl BatchBuilder {
    /// An empty builder of packets. Both names satisfy [`is_name`], or the batch will be refused where it arrives.
    pub fn new(mission: &str, link: &str) -> Self {
        Self::of(Content::Packets, mission, link)
    }

    /// An empty builder of any kind of record.
    pub fn of(content: Content, mission: &str, link: &str) -> Self {
        Self {
            mission: mission.to_owned(),
            link: link.to_owned(),
            content,
            times: Vec::new(),
            verdicts: Vec::new(),
            has_verdicts: false,
            quarantined: 0,
            ends: Vec::new(),
            bytes: Vec::new(),
        }
    }

    /// Records collected.
    pub fn records(&self) -> usize {
        self.times.len()
    }

    /// Whether `record_bytes` more still fit.
    pub fn has_room_for(&self, record_bytes: usize) -> bool {
        self.times.len() < RECORDS_MAX
            && (self.times.is_empty() || self.bytes.len() + record_bytes <= RECORD_BYTES_FULL)
    }

    /// Adds a record nothing was found wrong with; the caller asked `has_room_for` before.
    pub fn push(&mut self, reception: ReceptionTime, record: &[u8]) {
        self.push_judged(reception, Verdicts::NONE, false, record);
    }

    /// Adds a record with what was found out about it, and whether it is in quarantine for that.
    pub fn push_judged(
        &mut self,
        reception: ReceptionTime,
        verdicts: Verdicts,
        is_quarantined: bool,
        record: &[u8],
    ) {
        self.bytes.extend_from_slice(record);
        self.ends.push(self.bytes.len() as u32);
        self.times.push(reception.0.0);
        self.verdicts.push(verdicts.0);
        self.has_verdicts |= !verdicts.is_empty();
        self.quarantined += u32::from(is_quarantined);
    }

    /// Packs what was collected and begins anew; nothing when nothing was collected.
    pub fn pack(&mut self) -> Option<SealedBody> {
        self.pack_with(&mut Packer::default())
    }

    /// The same; `packer` only saves time.
    pub fn pack_with(&mut self, packer: &mut Packer) -> Option<SealedBody> {
        let (first, last) = (self.times.iter().min().copied()?, self.times.iter().max().copied()?);
        let verdicts: &[u32] = if self.has_verdicts { &self.verdicts } else { &[] };
        let rows = Rows { since: first, times: &self.times, verdicts, ends: &self.ends, bytes: &self.bytes };
        let (codec, raw_bytes, bytes) = packer.pack(|plain| columns::encode(plain, &rows));
        let body = SealedBody {
            mission: self.mission.clone(),
            link: self.link.clone(),
            content: self.content,
            records: self.times.len() as u32,
            quarantined: std::mem::take(&mut self.quarantined),
            has_verdicts: std::mem::take(&mut self.has_verdicts),
            codec,
            raw_bytes,
            bytes,
            first_reception: ReceptionTime(TaiTime(first)),
            last_reception: ReceptionTime(TaiTime(last)),
        };
        self.times.clear();
        self.verdicts.clear();
        self.ends.clear();
        self.bytes.clear();
        Some(body)
    }
}

/// A packed body, not yet placed in a lane.
#[derive(Clone, Debug)]
pub struct SealedBody {
    mission: String,
    link: String,
    content: Content,
    records: u32,
    quarantined: u32,
    has_verdicts: bool,
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

    /// Earliest reception time.
    pub fn first_reception(&self) -> ReceptionTime {
        self.first_reception
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
            content: self.content,
            records: self.records,
            quarantined: self.quarantined,
            has_verdicts: self.has_verdicts,
            records_before: previous.records,
            bytes_before: previous.bytes,
            codec: self.codec,
            raw_bytes: self.raw_bytes,
            body_bytes: self.bytes.len() as u32,
            first_reception: self.first_reception,
            last_reception: self.last_reception,
            gap: None,
        };
        SealedBatch::seal(header, &self.bytes, previous.hash)
    }
}

/// Where a lane stands after a batch: what the next one is chained to and counted from.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
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
    fn seal(header: BatchHeader, body: &[u8], previous: ChainHash) -> Self {
        let encoded = header.encode();
        let mut bytes = Vec::with_capacity(2 + encoded.len() + body.len() + TRAILER_BYTES);
        bytes.extend_from_slice(&(encoded.len() as u16).to_le_bytes());
        bytes.extend_from_slice(&encoded);
        bytes.extend_from_slice(body);
        bytes.extend_from_slice(&previous.0);
        let hash = ChainHash::truncated(&blake3::hash(&bytes));
        bytes.extend_from_slice(&hash.0);
        bytes.extend_from_slice(&crc32c::crc32c(&bytes).to_le_bytes());
        Self { header, previous, hash, bytes }
    }

    /// What stands in for batches that are not there: all from behind `previous` up to and including `last`. `mission`
    /// and `link` are those of what comes next, `noticed` is when.
    pub fn seal_gap(
        lane: Lane,
        previous: &Position,
        last: BatchSequence,
        gap: Gap,
        (mission, link): (&str, &str),
        noticed: ReceptionTime,
    ) -> Self {
        let header = BatchHeader {
            version: VERSION,
            lane,
            sequence: last,
            mission: mission.to_owned(),
            link: link.to_owned(),
            content: Content::Events,
            records: 0,
            quarantined: 0,
            has_verdicts: false,
            records_before: previous.records,
            bytes_before: previous.bytes,
            codec: Codec::Plain,
            raw_bytes: 0,
            body_bytes: 0,
            first_reception: noticed,
            last_reception: noticed,
            gap: Some(gap),
        };
        Self::seal(header, &[], previous.hash)
    }

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
        let header = BatchHeader::decode(header)?;
        if header.body_bytes as usize != content.len() - 2 - header_bytes
            || header.raw_bytes as usize > RAW_BYTES_MAX
            || !header.is_plausible()
        {
            return Err(malformed("a field of its header is out of range"));
        }
        if let Codec::Dictionary(number) = header.codec {
            dictionary::check(number)?;
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
        let records = self.header.gap.map_or(u64::from(self.header.records), |gap| gap.records);
        Position {
            sequence: Some(self.header.sequence),
            hash: self.header.gap.map_or(self.hash, |gap| gap.continues),
            records: self.header.records_before.saturating_add(records),
            bytes: self.header.bytes_before.saturating_add(self.bytes.len() as u64),
        }
    }

    /// How long the batch is that seems to begin here; whether it is one, only [`SealedBatch::parse`] says.
    pub fn length_at(bytes: &[u8]) -> Option<usize> {
        let (length, rest) = bytes.split_first_chunk()?;
        let header_bytes = usize::from(u16::from_le_bytes(*length));
        let header = BatchHeader::decode(rest.get(..header_bytes)?).ok()?;
        let length = 2 + header_bytes + header.body_bytes as usize + TRAILER_BYTES;
        (length <= BATCH_BYTES_MAX).then_some(length)
    }

    /// The packed body.
    pub fn body(&self) -> &[u8] {
        let end = self.bytes.len() - TRAILER_BYTES;
        &self.bytes[end - self.header.body_bytes as usize..end]
    }

    /// Unpacks the records.
    pub fn open(&self) -> Result<OpenBatch, BatchError> {
        let header = &self.header;
        if header.gap.is_some() {
            return Ok(OpenBatch::default());
        }
        let is_old = header.version < 3;
        let layout = Layout {
            records: header.records as usize,
            has_verdicts: header.has_verdicts,
            since: if is_old { 0 } else { header.first_reception.0.0 },
            differences: !is_old,
        };
        let plain = packer::unpack(header.codec, self.body(), header.raw_bytes as usize)?;
        Ok(OpenBatch { content: header.content, ..columns::decode(&plain, layout)? })
    }
}

#[cfg(test)]
mod tests;
