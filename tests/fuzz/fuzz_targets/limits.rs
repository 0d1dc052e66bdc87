//! Limits overlays in both forms.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mission_database::{BoundMeaning, LimitsOverlay};

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    for name in ["fuzz.csv", "fuzz.toml"] {
        let said_by_document = LimitsOverlay::parse(name, text, None);
        let said_by_import = LimitsOverlay::parse(name, text, Some(BoundMeaning::Good));
        // What the document says alone, it says with an import that agrees or stays silent.
        assert!(said_by_document.is_err() || said_by_import.is_err() || said_by_document == said_by_import);
    }
});
