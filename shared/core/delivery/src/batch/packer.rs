//! Compresses bodies, with memory that is kept from one to the next.

use super::Codec;

/// zstd level 1: measured, level 3 is never worth it here.
const ZSTD_LEVEL: i32 = 1;

/// What packing needs beside the records. Some 300 KiB once it was used: one for all links of a thread is enough.
#[derive(Default)]
pub struct Packer {
    /// Absent until the first use, and when memory for it could not be had.
    compressor: Option<zstd::bulk::Compressor<'static>>,
    plain: Vec<u8>,
    packed: Vec<u8>,
}

impl Packer {
    /// What `write` writes, its length, and how it goes into the body: no longer than it must be, for bodies wait.
    pub(super) fn pack(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> (Codec, u32, Vec<u8>) {
        let Self { compressor, plain, packed } = self;
        write(plain);
        if compressor.is_none() {
            *compressor = zstd::bulk::Compressor::new(ZSTD_LEVEL).ok();
        }
        packed.clear();
        packed.reserve(zstd::zstd_safe::compress_bound(plain.len()));
        // Compression of a buffer in memory only fails when it cannot allocate; plain is always right.
        let length = compressor.as_mut().and_then(|zstd| zstd.compress_to_buffer(plain, packed).ok());
        let (codec, bytes) = match length {
            Some(length) if length < plain.len() => (Codec::Zstd, &packed[..length]),
            _ => (Codec::Plain, &plain[..]),
        };
        (codec, plain.len() as u32, bytes.to_vec())
    }
}
