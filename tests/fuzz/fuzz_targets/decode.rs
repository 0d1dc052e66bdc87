//! Packets of any bytes, by a dictionary with something of every feature.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use mission_database::{DecodedPacket, Dictionary, MonitoringResult, Validity};

static DICTIONARY: LazyLock<Dictionary> = LazyLock::new(|| {
    Dictionary::from_xtce("everything.xml", include_str!("../seeds/dictionary/everything.xml"))
        .expect("it is a good one")
});

fuzz_target!(|bytes: &[u8]| {
    let mut packet = DecodedPacket::default();
    let outcome = DICTIONARY.decode(bytes, &mut packet);
    assert!(outcome.is_err() || packet.bits <= bytes.len() * 8);
    let entries = DICTIONARY.census().entries;
    assert!(packet.values.len() <= entries + bytes.len() * 8);
    assert!(packet.composites.len() + packet.lengths.len() <= 2 * (entries + bytes.len() * 8));
    // Judging a value looks at all before it.
    for (place, value) in packet.values.iter().enumerate().take(200) {
        assert_eq!(DICTIONARY.monitoring_within(&packet.values, place, 0.0), value.monitoring);
        let is_judged = value.monitoring != MonitoringResult::NotMonitored;
        assert!(!is_judged || value.validity == Validity::Valid);
    }
});
