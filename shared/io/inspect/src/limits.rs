//! Limits from a file of their own, in place of those of the dictionary.

use std::fs;
use std::path::Path;

use mission_database::{BoundMeaning, Dictionary, LimitsOverlay, ParameterLimits};
use space_packet::TaiTime;

use crate::InspectError;

/// The same dictionary, judging by those limits of a file that are in force at one moment. `bounds` says what a value
/// is that equals a bound, where the file does not.
pub fn with_limits_file(
    dictionary: &Dictionary,
    file: &Path,
    bounds: Option<BoundMeaning>,
    at: TaiTime,
) -> Result<Dictionary, InspectError> {
    let text = fs::read_to_string(file)
        .map_err(|reason| InspectError::LimitsFile { path: file.to_owned(), reason })?;
    let name = file.file_name().map_or_else(|| "limits".into(), |name| name.to_string_lossy());
    let refused = |error: mission_database::LimitsError| InspectError::Limits { reason: error.to_string() };
    let overlay = LimitsOverlay::parse(&name, &text, bounds).map_err(refused)?;
    let in_force: Vec<&ParameterLimits> = overlay.rows.iter().filter(|row| row.effective.holds(at)).collect();
    dictionary.with_limits(&in_force).map_err(refused)
}
