//! Parts of a segment and of a roll-up, as they come from the database: the first byte says how many rows there are.
#![no_main]

use cloud_hub::archive::{decode_axis, decode_column, decode_rolled_axis, decode_rolled_column};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Some((&rows, part)) = bytes.split_first() else { return };
    let rows = usize::from(rows) * 8;
    // Check sums would stop nearly everything: what is behind them is looked for, too.
    let sealed = [part, &crc32c::crc32c(part).to_le_bytes()].concat();
    for part in [part, &sealed] {
        let _ = decode_axis(part, rows);
        let _ = decode_column(part, rows);
        let _ = decode_rolled_axis(part, rows);
        let _ = decode_rolled_column(part, rows);
    }
});
