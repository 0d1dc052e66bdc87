//! Packed bodies: no more comes out than is taken.
#![no_main]

use intake::http::body::{Packing, unpack};
use libfuzzer_sys::fuzz_target;

const BYTES_MAX: usize = 1 << 20;

fuzz_target!(|bytes: &[u8]| {
    for packing in [Packing::Gzip, Packing::Zstd] {
        let mut held = 0;
        let unpacked = unpack(bytes, packing, BYTES_MAX, &mut |bytes| {
            held = bytes;
            Ok(())
        });
        assert!(held <= BYTES_MAX);
        assert!(unpacked.is_err() || unpacked.is_ok_and(|unpacked| unpacked.len() == held));
    }
});
