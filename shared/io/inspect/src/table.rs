//! One row a value, for spreadsheets and scripts.

use std::io::Write;

use mission_database::{DecodedPacket, Dictionary, EngineeringValue, ParameterKind, Validity};

use crate::InspectError;
use crate::decode::PacketPlace;
use crate::json::{self, Json};
use crate::lines::monitoring_word;
use crate::names::DisplayNames;

/// The first row.
const HEAD: [&str; 8] =
    ["n", "container", "parameter", "raw", "engineering", "unit", "validity", "monitoring"];

/// Rows of values, quoted where they must be (RFC 4180).
pub(crate) struct Table<'o> {
    rows: csv::Writer<&'o mut dyn Write>,
}

impl<'o> Table<'o> {
    /// With its first row written.
    pub(crate) fn begin(output: &'o mut dyn Write) -> Result<Self, InspectError> {
        let mut rows = csv::Writer::from_writer(output);
        rows.write_record(HEAD).map_err(InspectError::table)?;
        Ok(Self { rows })
    }

    /// A row for each value of a packet, elements of arrays included.
    pub(crate) fn write(
        &mut self,
        dictionary: &Dictionary,
        names: &DisplayNames,
        place: PacketPlace<'_>,
        packet: &DecodedPacket<'_>,
    ) -> Result<(), InspectError> {
        let number = place.number.to_string();
        let container = packet.container.map_or("", |index| &dictionary.container(index).name);
        for value in &packet.values {
            let parameter = dictionary.parameter(value.parameter);
            let engineering = match (&value.engineering, &parameter.kind) {
                (EngineeringValue::Boolean(value), ParameterKind::Boolean { zero, one }) => {
                    if *value {
                        one.clone()
                    } else {
                        zero.clone()
                    }
                }
                _ => cell(&json::engineering(dictionary, value)),
            };
            let cells = [
                &number,
                container,
                &names.parameters[value.parameter.0 as usize],
                &cell(&json::raw(&value.raw)),
                &engineering,
                parameter.unit.as_deref().unwrap_or_default(),
                validity_word(value.validity),
                monitoring_word(value.monitoring),
            ];
            self.rows.write_record(cells).map_err(InspectError::table)?;
        }
        Ok(())
    }

    /// Writes what is still held.
    pub(crate) fn end(mut self) -> Result<(), InspectError> {
        self.rows.flush().map_err(InspectError::output)
    }
}

/// A single value without quotes; empty for what has no value.
fn cell(value: &Json<'_>) -> String {
    match value {
        Json::Boolean(value) => value.to_string(),
        Json::Float(value) => json::word_for(*value).map_or_else(|| format!("{value:?}"), str::to_owned),
        Json::List(_) | Json::Null | Json::Object(_) => String::new(),
        Json::Signed(value) => value.to_string(),
        Json::Text(text) => text.to_string(),
        Json::Unsigned(value) => value.to_string(),
    }
}

fn validity_word(validity: Validity) -> &'static str {
    match validity {
        Validity::NotANumber => "not-a-number",
        Validity::OutsideCalibration => "outside-calibration",
        Validity::OutsideValidRange => "outside-valid-range",
        Validity::UnknownLabel => "unknown-label",
        Validity::Valid => "valid",
    }
}
