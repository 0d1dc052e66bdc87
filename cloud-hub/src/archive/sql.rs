//! What SQL must know of dictionaries to show plain rows: calibrations, labels, units (the schema `sto_sql`, `docs/sql.md`).

use mission_database::{Derivation, MissionDatabase, ParameterIndex, ParameterKind, VersionNumber};
use serde_json::{Value, json};
use tokio_postgres::GenericClient;
use tokio_postgres::types::Json;

use super::ArchiveError;

/// Writes down how a mission's raw values read, in all versions of its dictionary; `parameter_ids` are the numbers of
/// its parameters in the database, by index. What is there already and the same is not written again.
pub(super) async fn describe(
    client: &impl GenericClient,
    mission_id: i32,
    database: &MissionDatabase,
    parameter_ids: &[i32],
) -> Result<(), ArchiveError> {
    let (mut calibrations, mut labels) = (Vec::new(), Vec::new());
    for version in database.versions().iter().map(|version| version.number) {
        for (index, &parameter_id) in (0..).map(ParameterIndex).zip(parameter_ids) {
            let about = |mut row: Value| {
                row["parameter_id"] = parameter_id.into();
                row["dictionary_version"] = version.0.into();
                row
            };
            calibrations
                .extend(database.derivation(version, index).and_then(|found| calibration(&found)).map(about));
            labels.extend(words(database, version, index).map(about));
        }
    }
    let versions: Vec<i32> = database.versions().iter().map(|version| version.number.0 as i32).collect();
    client.execute(CALIBRATIONS, &[&mission_id, &Json(calibrations), &versions]).await?;
    client.execute(LABELS, &[&mission_id, &Json(labels), &versions]).await?;
    let parameters = database.parameters();
    let units: Vec<Option<&str>> = parameters.iter().map(|parameter| parameter.unit.as_deref()).collect();
    let descriptions: Vec<Option<&str>> =
        parameters.iter().map(|parameter| parameter.description.as_deref()).collect();
    client.execute(PARAMETERS, &[&parameter_ids, &units, &descriptions]).await?;
    Ok(())
}

/// Rows that a version does not have any more go: until it is imported for good, it may be replaced.
const CALIBRATIONS: &str = "
    WITH told AS (
        SELECT * FROM jsonb_to_recordset($2) AS told (
            parameter_id integer, dictionary_version integer, coefficients double precision[],
            raw_points double precision[], engineering_points double precision[], is_linear boolean,
            extrapolates boolean)
    ), gone AS (
        DELETE FROM calibration WHERE mission_id = $1 AND dictionary_version = ANY ($3)
            AND (parameter_id, dictionary_version) NOT IN (SELECT parameter_id, dictionary_version FROM told)
    )
    INSERT INTO calibration AS known
    SELECT $1, parameter_id, dictionary_version, coefficients, raw_points, engineering_points,
           coalesce(is_linear, false), coalesce(extrapolates, false)
    FROM told
    ON CONFLICT (parameter_id, dictionary_version) DO UPDATE SET
        coefficients = excluded.coefficients, raw_points = excluded.raw_points,
        engineering_points = excluded.engineering_points, is_linear = excluded.is_linear,
        extrapolates = excluded.extrapolates
    WHERE known IS DISTINCT FROM excluded";

const LABELS: &str = "
    WITH told AS (
        SELECT * FROM jsonb_to_recordset($2) AS told (
            parameter_id integer, dictionary_version integer, firsts bigint[], lasts bigint[], labels text[])
    ), gone AS (
        DELETE FROM enumeration_label WHERE mission_id = $1 AND dictionary_version = ANY ($3)
            AND (parameter_id, dictionary_version) NOT IN (SELECT parameter_id, dictionary_version FROM told)
    )
    INSERT INTO enumeration_label AS known
    SELECT $1, parameter_id, dictionary_version, firsts, lasts, labels FROM told
    ON CONFLICT (parameter_id, dictionary_version) DO UPDATE SET
        firsts = excluded.firsts, lasts = excluded.lasts, labels = excluded.labels
    WHERE known IS DISTINCT FROM excluded";

const PARAMETERS: &str = "
    UPDATE parameter SET unit = told.unit, description = told.description
    FROM unnest($1::integer[], $2::text[], $3::text[]) AS told (parameter_id, unit, description)
    WHERE parameter.parameter_id = told.parameter_id
      AND (parameter.unit, parameter.description) IS DISTINCT FROM (told.unit, told.description)";

/// `None` where the engineering value is the raw one.
fn calibration(derivation: &Derivation) -> Option<Value> {
    if let Some(spline) = derivation.points() {
        let (raw, engineering): (Vec<f64>, Vec<f64>) = spline.points.iter().copied().unzip();
        return Some(json!({
            "raw_points": raw,
            "engineering_points": engineering,
            "is_linear": spline.is_linear,
            "extrapolates": spline.extrapolates,
        }));
    }
    let coefficients = derivation.coefficients().filter(|coefficients| *coefficients != [0.0, 1.0])?;
    Some(json!({ "coefficients": coefficients }))
}

/// Words for ranges of raw values; the first that fits counts.
fn words(database: &MissionDatabase, version: VersionNumber, index: ParameterIndex) -> Option<Value> {
    let ranges: Vec<(i64, i64, &str)> = match &database.described(version, index).kind {
        ParameterKind::Boolean { zero, one } => vec![(0, 0, zero), (i64::MIN, i64::MAX, one)],
        ParameterKind::Enumeration(labels) => {
            labels.iter().map(|label| (label.first, label.last, label.label.as_str())).collect()
        }
        ParameterKind::Binary
        | ParameterKind::Float
        | ParameterKind::Integer
        | ParameterKind::String
        | ParameterKind::Time => return None,
    };
    Some(json!({
        "firsts": ranges.iter().map(|range| range.0).collect::<Vec<_>>(),
        "lasts": ranges.iter().map(|range| range.1).collect::<Vec<_>>(),
        "labels": ranges.iter().map(|range| range.2).collect::<Vec<_>>(),
    }))
}

#[cfg(test)]
mod tests;
