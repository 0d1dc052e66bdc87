//! How long dictionaries take to load.

use std::io::Read;
use std::path::Path;

use anyhow::Context;
use flate2::read::GzDecoder;
use mission_database::Dictionary;
use serde_json::json;

use super::BENCH;
use super::missions::{Extent, Mission};
use crate::figures::print_spread;
use crate::timing::{Spread, processor_seconds};

const GENERATED: Extent = Extent { kinds: 40, parameters: 250 };
const REAL: [(&str, &str); 2] = [("Libera", "libera_pec.xml.gz"), ("IMAP ULTRA", "imap_ultra.xml.gz")];

/// Measures a generated dictionary, and two of missions where they are there.
pub(super) fn run(repetitions: usize, shared: Option<&Path>) -> anyhow::Result<()> {
    measure("generated", &Mission::of_extent(GENERATED, 0).xtce, repetitions)?;
    for (name, file) in REAL {
        let Some(path) = shared.map(|cases| cases.join("dictionaries").join(file)) else { continue };
        let Ok(packed) = std::fs::read(&path) else { continue };
        let mut xtce = String::new();
        GzDecoder::new(packed.as_slice()).read_to_string(&mut xtce).with_context(|| file.to_owned())?;
        measure(name, &xtce, repetitions)?;
    }
    Ok(())
}

fn measure(name: &str, xtce: &str, repetitions: usize) -> anyhow::Result<()> {
    let mut parameters = 0;
    let mut milliseconds = Vec::new();
    for _ in 0..repetitions {
        let (dictionary, seconds) = processor_seconds(|| Dictionary::from_xtce(name, xtce));
        milliseconds.push(seconds * 1e3);
        parameters = dictionary?.parameters().len();
    }
    let context = json!({ "dictionary": name, "parameters": parameters, "xtce_bytes": xtce.len() });
    print_spread(BENCH, "load_time", Spread::of(milliseconds), "ms", &context);
    Ok(())
}
