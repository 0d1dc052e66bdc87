//! XTCE documents, and packets decoded by those that load.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mission_database::{DecodedPacket, Dictionary};

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(dictionary) = Dictionary::from_xtce("fuzz.xml", text) {
        let mut packet = DecodedPacket::default();
        let _ = dictionary.decode(bytes, &mut packet);
    }
});
