//! Messages of one WebSocket: bytes that begin like JSON are a text, others packets; an odd first byte of all wants the
//! good records of bad messages.
#![no_main]

use std::sync::LazyLock;

use bytes::Bytes;
use intake::http::parse::{Format, Rules, read};
use libfuzzer_sys::fuzz_target;
use mission_database::{Dictionary, MissionDatabase, VersionNumber};
use processing::SampleFormat;

static DATABASE: LazyLock<MissionDatabase> = LazyLock::new(|| {
    let text = include_str!("../seeds/dictionary/small.xml");
    let dictionary = Dictionary::from_xtce("small.xml", text).expect("it is a good one");
    MissionDatabase::new(VersionNumber(1), dictionary)
});

fuzz_target!(|bytes: &[u8]| {
    let Some((&first, rest)) = bytes.split_first() else { return };
    let is_partial = first & 1 == 1;
    let rules = Rules { mission: "fuzz", packet_bytes_max: 65_542, database: &DATABASE, is_partial };
    for message in rest.split(|&byte| byte == 0xFE).take(64) {
        let is_text = message.first().is_some_and(|byte| matches!(byte, b'{' | b'['));
        let format = if is_text { Format::Samples(SampleFormat::Json) } else { Format::Packets };
        if let Ok(parsed) = read(format, &Bytes::copy_from_slice(message), &rules) {
            assert!(parsed.records > 0);
            assert!(is_partial || parsed.refused_count == 0);
        }
    }
});
