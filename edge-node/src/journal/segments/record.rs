//! A record of a segment file.
//!
//! ```text
//! "ST"    u8 kind   u8 version
//! u32 LE  length of the content
//! u64 LE  sequence
//!         content
//! u32 LE  CRC-32C of everything before
//! ```

use delivery::{BATCH_BYTES_MAX, RECORDS_MAX, StoreId};

use crate::journal::envelope::OVERHEAD_BYTES;

pub(super) const HEAD_BYTES: usize = 16;
pub(super) const CRC_BYTES: usize = 4;
/// How a record begins; its kind follows.
pub(super) const MAGIC: [u8; 2] = *b"ST";
const VERSION: u8 = 1;
/// How a file begins.
const FILE_MAGIC: [u8; 8] = *b"STOSEG01";
pub(super) const FILE_HEAD_BYTES: usize = FILE_MAGIC.len() + 16 + CRC_BYTES;
/// The longest record there can be.
pub(super) const RECORD_BYTES_MAX: usize = HEAD_BYTES + BATCH_BYTES_MAX + OVERHEAD_BYTES + CRC_BYTES;

/// What a record is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    /// The hub has batches up to the sequence.
    Acknowledged,
    /// A batch, as the envelope left it.
    Batch,
    /// The note of the batch that follows.
    Note,
    /// Batches below the sequence are pruned.
    Pruned,
}

impl Kind {
    fn code(self) -> u8 {
        match self {
            Self::Acknowledged => b'A',
            Self::Batch => b'B',
            Self::Note => b'N',
            Self::Pruned => b'P',
        }
    }

    fn of(code: u8) -> Option<Self> {
        [Self::Acknowledged, Self::Batch, Self::Note, Self::Pruned]
            .into_iter()
            .find(|kind| kind.code() == code)
    }

    fn content_bytes_max(self) -> usize {
        match self {
            Self::Acknowledged | Self::Pruned => 0,
            Self::Batch => BATCH_BYTES_MAX + OVERHEAD_BYTES,
            Self::Note => 1 + 20 * RECORDS_MAX,
        }
    }
}

/// A record's head; its lengths are within bounds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Record {
    pub(super) kind: Kind,
    pub(super) number: u64,
    pub(super) content_bytes: usize,
}

impl Record {
    /// A whole record.
    pub(super) fn encode(kind: Kind, number: u64, content: &[u8]) -> Vec<u8> {
        assert!(content.len() <= kind.content_bytes_max(), "a record's content is bounded where it is made");
        let mut bytes = Vec::with_capacity(HEAD_BYTES + content.len() + CRC_BYTES);
        bytes.extend_from_slice(&[MAGIC[0], MAGIC[1], kind.code(), VERSION]);
        bytes.extend_from_slice(&(content.len() as u32).to_le_bytes());
        bytes.extend_from_slice(&number.to_le_bytes());
        bytes.extend_from_slice(content);
        bytes.extend_from_slice(&crc32c::crc32c(&bytes).to_le_bytes());
        bytes
    }

    /// Reads a head; the content is not looked at.
    pub(super) fn parse(head: &[u8]) -> Option<Self> {
        let head = head.first_chunk::<HEAD_BYTES>()?;
        let kind = Kind::of(head[2])?;
        let content_bytes = u32::from_le_bytes(head[4..8].try_into().ok()?) as usize;
        let number = u64::from_le_bytes(head[8..].try_into().ok()?);
        let fits = head[..2] == MAGIC
            && head[3] == VERSION
            && content_bytes <= kind.content_bytes_max()
            && number < u64::MAX;
        fits.then_some(Self { kind, number, content_bytes })
    }

    /// Its length with head and check sum.
    pub(super) fn total_bytes(&self) -> usize {
        HEAD_BYTES + self.content_bytes + CRC_BYTES
    }

    /// The content of a whole record whose check sum fits.
    pub(super) fn content(mut bytes: Vec<u8>) -> Option<Vec<u8>> {
        let end = bytes.len().checked_sub(CRC_BYTES)?;
        let (checked, crc) = bytes.split_at(end);
        if crc32c::crc32c(checked).to_le_bytes() != *crc {
            return None;
        }
        bytes.truncate(end);
        bytes.drain(..HEAD_BYTES);
        Some(bytes)
    }
}

/// How a segment file of a journal begins.
pub(super) fn file_head(store: StoreId) -> Vec<u8> {
    let mut bytes = FILE_MAGIC.to_vec();
    bytes.extend_from_slice(&store.0);
    bytes.extend_from_slice(&crc32c::crc32c(&bytes).to_le_bytes());
    bytes
}

/// Whose journal a file belongs to, when its head is sound.
pub(super) fn store_of(file_head: &[u8]) -> Option<StoreId> {
    let store = StoreId(file_head.get(8..24)?.try_into().ok()?);
    (self::file_head(store) == file_head).then_some(store)
}
