//! Runs the shared CCSDS and XTCE cases and says of each whether everything came out as expected.
//!
//! The cases lie outside the repository, in `$STO_SHARED_DATA/ccsds` or `shared/data/ccsds` beside any folder above
//! this crate. Where they are not there, there is nothing to compare with, and that is no failure.

mod decoding;
mod streams;
mod time_codes;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use serde_json::Value;

/// Every case there must be.
const CASES: [&str; 31] = [
    "ccsdspy-byte-orders",
    "ccsdspy-variable-length",
    "dictionaries",
    "hs-apid035",
    "hs-apid130",
    "hs-apid895",
    "imap-codice-nhk",
    "imap-hit-grouping",
    "imap-hit-hk",
    "imap-lo",
    "imap-mag",
    "imap-swapi",
    "imap-swe",
    "jpss1-geolocation",
    "suda-science",
    "synth-absolute-time",
    "synth-aggregates-arrays",
    "synth-alarms",
    "synth-binary",
    "synth-byteorder",
    "synth-calibrators",
    "synth-context-calibrators",
    "synth-enum-bool",
    "synth-floats",
    "synth-inheritance",
    "synth-ints",
    "synth-locations",
    "synth-nested-systems",
    "synth-streams",
    "synth-strings",
    "synth-time-codes",
];

/// How much a case that came out as expected has compared.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    /// Packets read.
    pub(crate) packets: usize,
    /// Values, times, groups or figures found equal.
    pub(crate) comparisons: usize,
}

fn main() -> anyhow::Result<ExitCode> {
    let Some(folder) = shared_cases() else {
        println!("no shared cases here (STO_SHARED_DATA, shared/data/ccsds): nothing was run");
        return Ok(ExitCode::SUCCESS);
    };
    let names = case_names(&folder).with_context(|| format!("failed to list {}", folder.display()))?;
    println!("{:<28}{:<14}{:>8}{:>13}  result", "case", "kind", "packets", "comparisons");
    let passed = names.iter().filter(|name| report(name, &folder.join(name))).count();
    println!("{passed} of {} cases passed", names.len());
    Ok(if passed == names.len() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn shared_cases() -> Option<PathBuf> {
    if let Some(shared) = std::env::var_os("STO_SHARED_DATA") {
        let cases = Path::new(&shared).join("ccsds");
        return cases.is_dir().then_some(cases);
    }
    let above = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    above.map(|folder| folder.join("shared/data/ccsds")).find(|cases| cases.is_dir())
}

/// The cases there must be, and any others there are.
fn case_names(folder: &Path) -> std::io::Result<Vec<String>> {
    let mut names: Vec<String> = CASES.map(str::to_owned).to_vec();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.path().join("case.json").is_file() && !names.contains(&name) {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

/// Runs a case, prints its line and says whether it passed.
fn report(name: &str, folder: &Path) -> bool {
    let case = json(folder, "case.json");
    let kind = case.as_ref().map_or("?", |case| case["kind"].as_str().unwrap_or("?")).to_owned();
    let result = case.and_then(|case| match kind.as_str() {
        "stream" => streams::run(folder, &case),
        "timecodes" => time_codes::run(folder, &case),
        _ => decoding::run(folder, &case),
    });
    let counts = result.as_ref().copied().unwrap_or_default();
    let outcome = result.as_ref().map_or_else(|reason| format!("FAILED {reason}"), |_| "ok".to_owned());
    println!("{name:<28}{kind:<14}{:>8}{:>13}  {outcome}", counts.packets, counts.comparisons);
    result.is_ok()
}

/// Reads a file of a case.
pub(crate) fn read(folder: &Path, name: &str) -> Result<Vec<u8>, String> {
    std::fs::read(folder.join(name)).map_err(|error| format!("{name}: {error}"))
}

/// Reads a JSON file of a case.
pub(crate) fn json(folder: &Path, name: &str) -> Result<Value, String> {
    serde_json::from_slice(&read(folder, name)?).map_err(|error| format!("{name}: {error}"))
}

/// Text of a JSON object's member.
pub(crate) fn text<'v>(value: &'v Value, key: &str) -> Result<&'v str, String> {
    value[key].as_str().ok_or_else(|| format!("{key} is no text in {value}"))
}

/// Fails with both sides unless they are equal.
pub(crate) fn same<T: PartialEq + std::fmt::Debug>(
    what: &str,
    found: &T,
    expected: &T,
) -> Result<(), String> {
    if found == expected { Ok(()) } else { Err(format!("{what} is {found:?}, expected {expected:?}")) }
}
