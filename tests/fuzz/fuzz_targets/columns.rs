//! Columns of a segment, as they come from the database.
#![no_main]

use cloud_hub::archive::decode_columns;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = decode_columns(bytes);
});
