//! Pieces of alarms' histories, and alarm rules.
#![no_main]

use libfuzzer_sys::fuzz_target;
use processing::alarm::{AlarmRules, AlarmSeverity, Piece};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(piece) = Piece::decode(bytes) {
        let again = piece.encode().expect("what was read can be written");
        assert_eq!(Piece::decode(&again), Ok(piece));
    }
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let rules = AlarmRules::parse("fuzz.toml", text);
    let resolved = rules.resolve("/SAT/EPS/BATT_T", "limits", AlarmSeverity::Warning);
    assert!(
        resolved.ladder.is_none_or(|name| rules.escalation.ladders.iter().any(|ladder| ladder.name == name))
    );
});
