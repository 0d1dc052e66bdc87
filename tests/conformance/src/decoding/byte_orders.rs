//! Arrays of 80 whole numbers in every byte order, with the numbers as a table of one row a packet.

use std::path::Path;

use serde_json::Value;

use super::decoded;
use crate::{Counts, read, same, text};

/// Runs one order.
pub(super) fn run(case_dir: &Path, part: &Value) -> Result<Counts, String> {
    let packets = decoded(case_dir, part)?;
    let table =
        String::from_utf8(read(case_dir, text(part, "expected_csv")?)?).map_err(|error| error.to_string())?;
    same("packets", &packets.len(), &table.lines().count())?;
    let mut comparisons = 0;
    for (packet, row) in packets.iter().zip(table.lines()) {
        let expected: Result<Vec<u64>, _> = row.split(',').map(|cell| cell.trim().parse()).collect();
        let expected = expected.map_err(|error| format!("{row}: {error}"))?;
        let body = packet.eng.get("BODY").and_then(Value::as_array).ok_or("the packet has no list BODY")?;
        let found: Option<Vec<u64>> = body.iter().map(Value::as_u64).collect();
        same("BODY", &found, &Some(expected))?;
        comparisons += body.len();
    }
    Ok(Counts { packets: packets.len(), comparisons })
}
