//! Compresses bodies, with memory that is kept from one to the next.

use std::borrow::Cow;

use zstd::bulk::Compressor;

use super::{BatchError, Codec, dictionary, malformed};

/// zstd level 1: measured, level 3 is never worth it here.
const ZSTD_LEVEL: i32 = 1;
/// Longest body that goes through the dictionary. Measured: up to here it takes no longer than level 1 without one, and
/// 2 to 12 % of the packets' bytes less; twice as long it takes longer, for 1 %.
const SMALL_BYTES_MAX: usize = 2_048;

/// What packing needs beside the records. Some 350 KiB once both codecs were used (52 with the dictionary): one for all
/// links of a thread is enough.
#[derive(Default)]
pub struct Packer {
    /// Instead of the one that fits the body's length.
    only: Option<Codec>,
    /// Absent until the first use, and when memory for it could not be had.
    zstd: Option<Compressor<'static>>,
    with_dictionary: Option<Compressor<'static>>,
    plain: Vec<u8>,
    packed: Vec<u8>,
}

impl Packer {
    /// A packer that tries this codec only, whatever the length of a body: to measure it, and to train a dictionary.
    /// Of dictionaries it is the newest.
    pub fn only(codec: Codec) -> Self {
        Self { only: Some(codec), ..Self::default() }
    }

    /// What `write` writes, its length, and how it goes into the body: no longer than it must be, for bodies wait.
    pub(super) fn pack(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> (Codec, u32, Vec<u8>) {
        let Self { only, zstd, with_dictionary, plain, packed } = self;
        write(plain);
        packed.clear();
        packed.reserve(zstd::zstd_safe::compress_bound(plain.len()));
        let is_small = plain.len() <= SMALL_BYTES_MAX;
        let codec =
            only.unwrap_or(if is_small { Codec::Dictionary(dictionary::NEWEST) } else { Codec::Zstd });
        // Compression of a buffer in memory only fails when it cannot allocate; plain is always right.
        let (codec, bytes) = match codec {
            Codec::Plain => (codec, None),
            Codec::Zstd => (codec, run(zstd, || Compressor::new(ZSTD_LEVEL), plain, packed)),
            Codec::Dictionary(_) => {
                let frame = run(with_dictionary, dictionary::compressor, plain, packed);
                (Codec::Dictionary(dictionary::NEWEST), frame.map(dictionary::without_magic))
            }
        };
        let (codec, bytes) = match bytes {
            Some(bytes) if bytes.len() < plain.len() => (codec, bytes),
            _ => (Codec::Plain, &plain[..]),
        };
        (codec, plain.len() as u32, bytes.to_vec())
    }
}

/// Compresses with what is kept, or made now.
fn run<'a>(
    kept: &mut Option<Compressor<'static>>,
    make: impl FnOnce() -> std::io::Result<Compressor<'static>>,
    plain: &[u8],
    packed: &'a mut Vec<u8>,
) -> Option<&'a [u8]> {
    if kept.is_none() {
        *kept = make().ok();
    }
    kept.as_mut()?.compress_to_buffer(plain, packed).ok()?;
    Some(packed)
}

/// The columns of a body: at most `raw_bytes` of them, which the caller has checked against a bound.
pub(super) fn unpack(codec: Codec, body: &[u8], raw_bytes: usize) -> Result<Cow<'_, [u8]>, BatchError> {
    match codec {
        Codec::Plain => Ok(Cow::Borrowed(body)),
        Codec::Zstd => zstd::bulk::decompress(body, raw_bytes)
            .map(Cow::Owned)
            .map_err(|_| malformed("its body does not decompress to the stated length")),
        Codec::Dictionary(number) => dictionary::unpack(number, body, raw_bytes).map(Cow::Owned),
    }
}
