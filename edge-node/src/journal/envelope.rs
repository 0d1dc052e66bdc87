//! What an engine keeps of a batch: its sealed bytes as they are, or encrypted.
//!
//! ```text
//! 4 B     "STOE"   never the beginning of a bare batch: as a header's length it is out of range
//! u32 LE  length of everything
//! u64 LE  sequence
//! 8 B     which key
//! 12 B    nonce, random
//!         AES-256-GCM of the batch, bound to the store's id and the sequence
//! 16 B    tag
//! u32 LE  CRC-32C of everything before: tells a damaged envelope from a wrong key
//! ```
//! Each value says which it is, so encryption can be switched on and off and both are read.

mod key;

use std::borrow::Cow;

use aws_lc_rs::aead::{Aad, NONCE_LEN, Nonce};
use delivery::{BATCH_BYTES_MAX, BatchError, StoreId};

use super::JournalError;
pub use key::{JournalKey, KeyError};

/// How an envelope begins.
pub(super) const MAGIC: [u8; 4] = *b"STOE";
const HEAD_BYTES: usize = 36;
const TAG_BYTES: usize = 16;
const CRC_BYTES: usize = 4;
/// What an envelope adds to a batch.
pub(super) const OVERHEAD_BYTES: usize = HEAD_BYTES + TAG_BYTES + CRC_BYTES;

const fn malformed(what: &'static str) -> BatchError {
    BatchError::Malformed { what }
}

fn bound_to(store: StoreId, number: u64) -> Aad<[u8; 24]> {
    let mut bytes = [0; 24];
    bytes[..16].copy_from_slice(&store.0);
    bytes[16..].copy_from_slice(&number.to_le_bytes());
    Aad::from(bytes)
}

/// What is kept of a batch.
pub(super) fn seal<'a>(
    key: Option<&JournalKey>,
    store: StoreId,
    number: u64,
    batch: &'a [u8],
) -> Result<Cow<'a, [u8]>, JournalError> {
    let Some(key) = key else { return Ok(Cow::Borrowed(batch)) };
    let total = batch.len() + OVERHEAD_BYTES;
    let mut encrypted = batch.to_vec();
    let nonce = key
        .cipher()
        .seal_in_place_append_tag(bound_to(store, number), &mut encrypted)
        .map_err(JournalError::engine("encrypt a batch"))?;
    let mut bytes = Vec::with_capacity(total);
    bytes.extend_from_slice(&MAGIC);
    bytes.extend_from_slice(&(total as u32).to_le_bytes());
    bytes.extend_from_slice(&number.to_le_bytes());
    bytes.extend_from_slice(&key.id());
    bytes.extend_from_slice(nonce.as_ref());
    bytes.extend_from_slice(&encrypted);
    bytes.extend_from_slice(&crc32c::crc32c(&bytes).to_le_bytes());
    Ok(Cow::Owned(bytes))
}

/// The batch's bytes of what was kept; the inner error says it is damaged.
pub(super) fn open(
    key: Option<&JournalKey>,
    store: StoreId,
    number: u64,
    stored: Vec<u8>,
) -> Result<Result<Vec<u8>, BatchError>, JournalError> {
    if !stored.starts_with(&MAGIC) {
        return Ok(Ok(stored));
    }
    let envelope = match Envelope::parse(&stored) {
        Ok(envelope) => envelope,
        Err(damage) => return Ok(Err(damage)),
    };
    if envelope.number != number {
        return Ok(Err(malformed("its envelope has another's number")));
    }
    let Some(key) = key.filter(|key| key.id() == envelope.key_id) else {
        return Err(JournalError::WrongKey { sequence: number });
    };
    let mut batch = envelope.encrypted.to_vec();
    let nonce = Nonce::from(envelope.nonce);
    let opened = key.cipher().open_in_place(nonce, bound_to(store, number), &mut batch);
    let Ok(length) = opened.map(|plain| plain.len()) else {
        return Ok(Err(BatchError::Damaged { check: "AES-GCM tag", bytes: stored.len() }));
    };
    batch.truncate(length);
    Ok(Ok(batch))
}

/// An envelope whose length and check sum fit.
pub(super) struct Envelope<'a> {
    /// Sequence of the batch in it.
    pub(super) number: u64,
    key_id: [u8; 8],
    nonce: &'a [u8; NONCE_LEN],
    encrypted: &'a [u8],
}

impl<'a> Envelope<'a> {
    /// The length an envelope that begins here says it has, when it can be one.
    pub(super) fn length_at(bytes: &[u8]) -> Option<usize> {
        let length = bytes.strip_prefix(&MAGIC)?.first_chunk::<4>()?;
        let length = u32::from_le_bytes(*length) as usize;
        (OVERHEAD_BYTES..=BATCH_BYTES_MAX + OVERHEAD_BYTES).contains(&length).then_some(length)
    }

    /// Checks bytes that came from a disk.
    pub(super) fn parse(bytes: &'a [u8]) -> Result<Self, BatchError> {
        if Self::length_at(bytes) != Some(bytes.len()) {
            return Err(malformed("its envelope's length does not fit"));
        }
        let (checked, crc) = bytes.split_at(bytes.len() - CRC_BYTES);
        if crc32c::crc32c(checked).to_le_bytes() != *crc {
            return Err(BatchError::Damaged { check: "envelope's CRC-32C", bytes: bytes.len() });
        }
        let (head, encrypted) =
            checked.split_first_chunk::<HEAD_BYTES>().ok_or(malformed("its envelope is cut off"))?;
        let field = |from: usize| -> [u8; 8] { head[from..from + 8].try_into().expect("8 bytes of 36") };
        let nonce = head[24..].try_into().expect("12 bytes of 36");
        Ok(Self { number: u64::from_le_bytes(field(8)), key_id: field(16), nonce, encrypted })
    }
}

#[cfg(test)]
mod tests;
