//! Cases of packets and dictionaries: what a mission's XTCE file makes of its packets, as `decode --output jsonl`
//! prints it.

mod byte_orders;
mod compare;
mod dictionaries;
mod exports;
mod lines;

use std::io::Read;
use std::path::Path;

use flate2::read::GzDecoder;
use inspect::{DecodeOptions, Names, OutputFormat};
use mission_database::Dictionary;
use serde_json::Value;

use crate::{Counts, read, same, text};
use lines::Line;

/// Runs a case of kind `decode`, `decode-many`, `byteorder` or `dictionary`.
pub(crate) fn run(case_dir: &Path, case_json: &Value) -> Result<Counts, String> {
    match text(case_json, "kind")? {
        "byteorder" => all_of(case_json, |part| byte_orders::run(case_dir, part)),
        "decode" => decode(case_dir, case_json),
        "decode-many" => all_of(case_json, |part| decode(case_dir, part)),
        "dictionary" => dictionaries::run(case_dir, case_json),
        other => Err(format!("nothing here knows the kind {other:?}")),
    }
}

/// Runs the parts of a case one after the other.
fn all_of(case_json: &Value, run: impl Fn(&Value) -> Result<Counts, String>) -> Result<Counts, String> {
    let parts =
        case_json["cases"].as_array().filter(|parts| !parts.is_empty()).ok_or("there are no parts")?;
    let mut counts = Counts::default();
    for part in parts {
        let name = part["packets"].as_str().unwrap_or("?");
        let run = run(part).map_err(|reason| format!("{name}: {reason}"))?;
        counts.packets += run.packets;
        counts.comparisons += run.comparisons;
    }
    Ok(counts)
}

/// Decodes a recording and compares all of it: with the reference decoder's values, then with what the mission's own
/// ground software exported.
fn decode(case_dir: &Path, case_json: &Value) -> Result<Counts, String> {
    let found = decoded(case_dir, case_json)?;
    let expected = Line::read_all(&unpacked(case_dir, text(case_json, "expected")?)?)?;
    same("packets", &found.len(), &expected.len())?;
    let mut comparisons = 0;
    for (found, expected) in found.iter().zip(&expected) {
        comparisons +=
            found.same_as(expected).map_err(|reason| format!("packet {}: {reason}", expected.n))?;
    }
    let exports = case_json["independent"].as_array().map_or(&[][..], Vec::as_slice);
    for export in exports.iter().filter_map(Value::as_str) {
        let id = text(case_json, "id")?;
        let packets = read(case_dir, text(case_json, "packets")?)?;
        let compared = exports::compare(case_dir, (id, export), &found, &packets);
        comparisons += compared.map_err(|reason| format!("{export}: {reason}"))?;
    }
    Ok(Counts { packets: found.len(), comparisons })
}

/// What the product prints for a recording.
fn decoded(case_dir: &Path, case_json: &Value) -> Result<Vec<Line>, String> {
    let dictionary = dictionary(case_dir, text(case_json, "xtce")?)?;
    let name = text(case_json, "packets")?;
    let options = DecodeOptions {
        path: name.into(),
        skip_header_bytes: case_json["skip_header_bytes"].as_u64().unwrap_or_default() as usize,
        root_container: case_json["root_container"].as_str().map(str::to_owned),
        names: if case_json["names"] == "fully qualified" { Names::Qualified } else { Names::Short },
        output: OutputFormat::Jsonl,
    };
    let recording = read(case_dir, name)?;
    let (mut output, mut notes) = (Vec::new(), Vec::new());
    inspect::decode_recording(&dictionary, &*recording, &options, &mut output, &mut notes)
        .map_err(|error| error.to_string())?;
    Line::read_all(&output)
}

/// A dictionary of a case; why it does not load is what a case with it fails with.
fn dictionary(case_dir: &Path, name: &str) -> Result<Dictionary, String> {
    let xml = String::from_utf8(unpacked(case_dir, name)?).map_err(|error| format!("{name}: {error}"))?;
    Dictionary::from_xtce(name, &xml).map_err(|error| error.to_string())
}

/// A file of a case, without gzip around it.
fn unpacked(case_dir: &Path, name: &str) -> Result<Vec<u8>, String> {
    let stored = read(case_dir, name)?;
    if !name.ends_with(".gz") {
        return Ok(stored);
    }
    let mut unpacked = Vec::new();
    GzDecoder::new(&*stored).read_to_end(&mut unpacked).map_err(|error| format!("{name}: {error}"))?;
    Ok(unpacked)
}
