//! Public dictionaries that must load, with what is in them counted.

use std::path::Path;

use serde_json::{Value, json};

use super::dictionary;
use crate::{Counts, json as read_json, same, text};

/// Runs the case: every dictionary in it.
pub(super) fn run(case_dir: &Path, case_json: &Value) -> Result<Counts, String> {
    let expected = read_json(case_dir, text(case_json, "expected")?)?;
    let all = expected["dictionaries"].as_array().ok_or("there are no dictionaries")?;
    let mut comparisons = 0;
    let mut failures = Vec::new();
    for expected in all {
        let file = text(expected, "file")?;
        match check(case_dir, file, expected) {
            Ok(compared) => comparisons += compared,
            Err(reason) => failures.push(format!("{file}: {reason}")),
        }
    }
    if failures.is_empty() { Ok(Counts { packets: 0, comparisons }) } else { Err(failures.join("; ")) }
}

fn check(case_dir: &Path, file: &str, expected: &Value) -> Result<usize, String> {
    let dictionary = dictionary(case_dir, file)?;
    let census = dictionary.census();
    let figures = [
        ("space_systems", census.space_systems),
        ("parameter_types", census.parameter_types),
        ("parameters", census.parameters),
        ("containers", census.containers),
        ("entries", census.entries),
    ];
    for (name, found) in figures {
        same(name, &json!(found), &expected[name])?;
    }
    // An entry that refers to nothing is an error to the loader, so that none is left here.
    same("unresolved_entry_refs", &json!([]), &expected["unresolved_entry_refs"])?;
    let sizes = expected["container_bits"].as_object().ok_or("there are no sizes")?;
    same("containers with a size", &dictionary.containers().len(), &sizes.len())?;
    for container in dictionary.containers() {
        // The expected sizes were computed without following `baseType`, which F Prime's types have.
        if file == "fprime.xml" && sizes.get(&container.name) == Some(&Value::Null) {
            continue;
        }
        same(&container.name, &json!(container.fixed_bits), &sizes[&container.name])?;
    }
    Ok(figures.len() + 1 + sizes.len())
}
