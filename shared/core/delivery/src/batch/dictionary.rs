//! What zstd knows before it sees a small body. A dictionary is one more part of the format: a batch names its number,
//! so it opens by itself, in any order and years later. Its bytes never change once a batch was sealed with it.
//!
//! `just train-dictionary` made it, from generated missions: it knows how columns, primary headers, time codes, samples
//! and events look, and no mission's values.

use std::sync::LazyLock;

use zstd::bulk::{Compressor, Decompressor};
use zstd::dict::{DecoderDictionary, EncoderDictionary};

use super::{BatchError, malformed};

/// The dictionary that batches are sealed with.
pub(super) const NEWEST: u8 = 1;
/// How every frame of zstd begins, which a body packed with a dictionary leaves out.
const MAGIC: [u8; 4] = [0x28, 0xB5, 0x2F, 0xFD];
const LEVEL: i32 = 3;

const DICTIONARY_1: &[u8] = include_bytes!("dictionary-1.zstd");
static ENCODER: LazyLock<EncoderDictionary<'static>> =
    LazyLock::new(|| EncoderDictionary::copy(DICTIONARY_1, LEVEL));
static DECODER: LazyLock<DecoderDictionary<'static>> =
    LazyLock::new(|| DecoderDictionary::copy(DICTIONARY_1));

/// Whether there is a dictionary of this number.
pub(super) fn check(number: u8) -> Result<(), BatchError> {
    if number == NEWEST { Ok(()) } else { Err(BatchError::Dictionary { number }) }
}

/// What packs with the newest dictionary. Length and dictionary stand in the batch's header, not in the frame too.
pub(super) fn compressor() -> std::io::Result<Compressor<'static>> {
    let mut compressor = Compressor::with_prepared_dictionary(&ENCODER)?;
    compressor.include_contentsize(false)?;
    compressor.include_dictid(false)?;
    Ok(compressor)
}

/// The part of a frame that a body keeps.
pub(super) fn without_magic(frame: &[u8]) -> &[u8] {
    frame.strip_prefix(&MAGIC).unwrap_or(frame)
}

/// Unpacks a body that [`compressor`] packed.
pub(super) fn unpack(number: u8, body: &[u8], raw_bytes: usize) -> Result<Vec<u8>, BatchError> {
    check(number)?;
    Decompressor::with_prepared_dictionary(&DECODER)
        .and_then(|mut zstd| zstd.decompress(&[&MAGIC, body].concat(), raw_bytes))
        .map_err(|_| malformed("its body does not decompress to the stated length"))
}
