//! Formats of one line a row.

use serde::Serialize;

use crate::cell::{Cell, monitoring, provenance, validity};
use crate::{COLUMNS, ExportError, Format, Row};

/// A table.
pub(crate) struct Csv(csv::Writer<Vec<u8>>);

impl Csv {
    pub(crate) fn begin() -> Result<Self, ExportError> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(COLUMNS).map_err(failed)?;
        Ok(Self(writer))
    }

    pub(crate) fn push(&mut self, row: &Row<'_>) -> Result<(), ExportError> {
        let sample = row.sample;
        let (raw, engineering) = (Cell::raw(sample), Cell::engineering(row.database, sample));
        let fields = [
            &*sample.generation.0.to_utc().to_string(),
            &sample.reception.0.to_utc().to_string(),
            row.parameter(),
            &raw.text(),
            &engineering.text(),
            validity(sample.validity),
            monitoring(sample.monitoring),
            row.node,
            &sample.version.0.to_string(),
            provenance(sample.provenance),
        ];
        self.0.write_record(fields).map_err(failed)
    }

    pub(crate) fn take(&mut self) -> Result<Vec<u8>, ExportError> {
        let fresh = csv::WriterBuilder::new().from_writer(Vec::new());
        let written = std::mem::replace(&mut self.0, fresh);
        written.into_inner().map_err(|error| failed(error.into_error().into()))
    }
}

fn failed(error: csv::Error) -> ExportError {
    ExportError::Encode { format: Format::Csv, source: Box::new(error) }
}

/// An object a line.
#[derive(Default)]
pub(crate) struct JsonLines(Vec<u8>);

/// The fields of the API's samples, in its order, but for the usual interval, which belongs to the parameter.
#[derive(Serialize)]
struct Line<'a> {
    parameter: &'a str,
    generation_time: String,
    reception_time: String,
    raw: Cell<'a>,
    engineering: Cell<'a>,
    node: &'a str,
    validity: &'static str,
    monitoring: &'static str,
    dictionary_version: u32,
    provenance: &'static str,
}

impl JsonLines {
    pub(crate) fn push(&mut self, row: &Row<'_>) -> Result<(), ExportError> {
        let sample = row.sample;
        let line = Line {
            parameter: row.parameter(),
            generation_time: sample.generation.0.to_utc().to_string(),
            reception_time: sample.reception.0.to_utc().to_string(),
            raw: Cell::raw(sample),
            engineering: Cell::engineering(row.database, sample),
            node: row.node,
            validity: validity(sample.validity),
            monitoring: monitoring(sample.monitoring),
            dictionary_version: sample.version.0,
            provenance: provenance(sample.provenance),
        };
        serde_json::to_writer(&mut self.0, &line)
            .map_err(|error| ExportError::Encode { format: Format::JsonLines, source: Box::new(error) })?;
        self.0.push(b'\n');
        Ok(())
    }

    pub(crate) fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.0)
    }
}
