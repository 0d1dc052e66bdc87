//! Bodies of the HTTP door: the first byte says of which kind, and whether the good records are wanted of bad ones.
#![no_main]

use std::sync::LazyLock;

use bytes::Bytes;
use intake::http::parse::{Format, Rules, read, skip};
use libfuzzer_sys::fuzz_target;
use mission_database::{Dictionary, MissionDatabase, VersionNumber};
use processing::SampleFormat;

static DATABASE: LazyLock<MissionDatabase> = LazyLock::new(|| {
    let text = include_str!("../seeds/dictionary/everything.xml");
    let dictionary = Dictionary::from_xtce("everything.xml", text).expect("it is a good one");
    MissionDatabase::new(VersionNumber(1), dictionary)
});

fuzz_target!(|bytes: &[u8]| {
    let Some((&kind, body)) = bytes.split_first() else { return };
    let format = match kind % 4 {
        0 => Format::Packets,
        1 => Format::Protobuf,
        2 => Format::Samples(SampleFormat::Json),
        _ => Format::Samples(SampleFormat::NdJson),
    };
    let is_partial = kind & 0x80 != 0;
    let rules = Rules { mission: "fuzz", packet_bytes_max: 4_096, database: &DATABASE, is_partial };
    let body = Bytes::copy_from_slice(body);
    match read(format, &body, &rules) {
        Ok(parsed) => {
            let count = |pieces: &[intake::Records]| pieces.iter().map(|piece| piece.count()).sum();
            assert_eq!(parsed.records, count(&parsed.pieces));
            assert!(parsed.refused.len() <= parsed.refused_count);
            // What is left out and what is left are all there is.
            let skipped = usize::from(kind).min(parsed.records);
            let left: usize = count(&skip(parsed.pieces, skipped));
            assert_eq!(left, parsed.records - skipped);
        }
        Err(refusal) => assert!(!refusal.message.is_empty()),
    }
});
