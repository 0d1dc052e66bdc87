//! Sealed batches, as they come from a disk or a node: as they are, and with a hash and a check sum that fit, so that
//! headers and bodies of every codec are read too.
#![no_main]

use delivery::SealedBatch;
use libfuzzer_sys::fuzz_target;

/// Hash and check sum.
const PROOF_BYTES: usize = 20;

fuzz_target!(|bytes: &[u8]| {
    read(bytes.to_vec());
    if let Some(content) = bytes.len().checked_sub(PROOF_BYTES).map(|end| &bytes[..end]) {
        let mut proven = [content, &blake3::hash(content).as_bytes()[..16]].concat();
        proven.extend_from_slice(&crc32c::crc32c(&proven).to_le_bytes());
        read(proven);
    }
});

fn read(bytes: Vec<u8>) {
    if let Ok(batch) = SealedBatch::parse(bytes) {
        assert_eq!(SealedBatch::length_at(batch.bytes()), Some(batch.bytes().len()));
        if let Ok(open) = batch.open() {
            assert_eq!(open.len(), batch.header.records as usize);
        }
    }
}
