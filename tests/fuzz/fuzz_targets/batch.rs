//! Sealed batches, as they come from a disk or a node.
#![no_main]

use delivery::SealedBatch;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(batch) = SealedBatch::parse(bytes.to_vec()) {
        if let Ok(open) = batch.open() {
            assert_eq!(open.len(), batch.header.records as usize);
        }
    }
});
