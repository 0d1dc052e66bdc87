//! What needs the shared data, which lies outside the repository: `$STO_SHARED_DATA`, or `shared/data` beside any
//! folder above this crate.

use std::path::{Path, PathBuf};

use model::{FEATURE_NAMES, SegmentFeatures};

/// Counts, and sums of whole numbers.
const EXACT: [&str; 9] = [
    "duration",
    "len",
    "n_peaks",
    "smooth10_n_peaks",
    "smooth20_n_peaks",
    "diff_peaks",
    "diff2_peaks",
    "gaps_squared",
    "len_weighted",
];

fn shared(path: &str) -> Option<PathBuf> {
    let above = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().map(|folder| folder.join("shared/data"));
    let folders = std::env::var_os("STO_SHARED_DATA").map(PathBuf::from).into_iter().chain(above);
    folders.map(|folder| folder.join(path)).find(|file| file.is_file())
}

#[test]
fn features_are_those_of_the_official_definitions() {
    let Some(file) = shared("anomaly/opssat_ad/feature_golden.json") else {
        println!("skipped: no shared/data/anomaly above this folder, and no STO_SHARED_DATA");
        return;
    };
    let cases: serde_json::Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    let numbers = |list: &serde_json::Value| -> Vec<f64> {
        list.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
    };
    let cases = cases.as_array().unwrap();
    assert_eq!(cases.len(), 7);
    for case in cases {
        let (seconds, values) = (numbers(&case["t_seconds"]), numbers(&case["values"]));
        let found = SegmentFeatures::of(&seconds, &values, case["sampling"].as_f64().unwrap()).unwrap();
        for (name, value) in FEATURE_NAMES.into_iter().zip(found.values) {
            let expected = case["features"][name].as_f64().unwrap();
            let off = if EXACT.contains(&name) { 0.0 } else { 1e-9 * expected.abs().max(1.0) };
            assert!((value - expected).abs() <= off, "{name} of {}: {value}, not {expected}", case["source"]);
        }
    }
}
