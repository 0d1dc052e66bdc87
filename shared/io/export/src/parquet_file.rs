//! A Parquet file, written a group of rows at a time. What it says of all groups stands at its end, so that grows with
//! their number: 1.2 KB each.

use std::sync::Arc;

use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::data_type::{ByteArray, ByteArrayType, DataType, DoubleType, Int32Type, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::parser::parse_message_type;
use parquet::schema::types::ColumnPath;

use crate::cell::{Cell, monitoring, provenance, validity};
use crate::{ExportError, Format, Row};

/// Rows of a group, and bytes of text in one: what is held back, and what a reader has to unpack at once.
const GROUP_ROWS_MAX: usize = 65_536;
const GROUP_TEXT_BYTES_MAX: usize = 16 << 20;
/// Groups of a file: 537 million rows, and 10 MB at its end.
const GROUPS_MAX: usize = 8_192;

/// `generation_tai` keeps what the timestamps cannot say: they count UTC as Unix does, so that a leap second has the
/// numbers of the second after it.
const SCHEMA: &str = "message samples {
    required int64 generation_time (TIMESTAMP(NANOS,true));
    required int64 generation_tai;
    required int64 reception_time (TIMESTAMP(NANOS,true));
    required byte_array parameter (STRING);
    optional double raw;
    optional byte_array raw_text (STRING);
    optional double engineering;
    optional byte_array engineering_text (STRING);
    required byte_array validity (STRING);
    required byte_array monitoring (STRING);
    required byte_array node (STRING);
    required int32 dictionary_version;
    required byte_array provenance (STRING);
}";
/// Times of a series follow each other closely.
const TIMES: [&str; 3] = ["generation_time", "generation_tai", "reception_time"];

pub(crate) struct ParquetFile {
    writer: SerializedFileWriter<Vec<u8>>,
    group: Group,
    groups: usize,
}

/// The columns of a group that is not written yet.
#[derive(Default)]
struct Group {
    rows: usize,
    text_bytes: usize,
    generation_time: Vec<i64>,
    generation_tai: Vec<i64>,
    reception_time: Vec<i64>,
    parameter: Words,
    raw: Optional<f64>,
    raw_text: Optional<ByteArray>,
    engineering: Optional<f64>,
    engineering_text: Optional<ByteArray>,
    validity: Words,
    monitoring: Words,
    node: Words,
    dictionary_version: Vec<i32>,
    provenance: Words,
}

/// A column that has no value in some rows.
struct Optional<T> {
    values: Vec<T>,
    /// 1 in each row that has one.
    levels: Vec<i16>,
}

impl<T> Default for Optional<T> {
    fn default() -> Self {
        Self { values: Vec::new(), levels: Vec::new() }
    }
}

impl<T> Optional<T> {
    fn push(&mut self, value: Option<T>) {
        self.levels.push(i16::from(value.is_some()));
        self.values.extend(value);
    }
}

/// A column whose rows mostly have the text of the row before: they share its memory.
#[derive(Default)]
struct Words(Vec<ByteArray>);

impl Words {
    fn push(&mut self, text: &str) {
        let same = self.0.last().filter(|last| last.data() == text.as_bytes()).cloned();
        self.0.push(same.unwrap_or_else(|| bytes(text)));
    }
}

fn bytes(text: &str) -> ByteArray {
    ByteArray::from(text.as_bytes().to_vec())
}

impl Group {
    fn push(&mut self, row: &Row<'_>) {
        let sample = row.sample;
        let (raw, engineering) = (Cell::raw(sample), Cell::engineering(row.database, sample));
        self.rows += 1;
        self.generation_time.push(sample.generation.0.to_unix_nanos());
        self.generation_tai.push(sample.generation.0.0);
        self.reception_time.push(sample.reception.0.to_unix_nanos());
        self.parameter.push(row.parameter());
        self.raw.push(raw.number());
        self.engineering.push(engineering.number());
        for (cell, column) in [(&raw, &mut self.raw_text), (&engineering, &mut self.engineering_text)] {
            let text = cell.beside_number();
            self.text_bytes += text.as_ref().map_or(0, |text| text.len());
            column.push(text.map(|text| bytes(&text)));
        }
        self.validity.push(validity(sample.validity));
        self.monitoring.push(monitoring(sample.monitoring));
        self.node.push(row.node);
        self.dictionary_version.push(sample.version.0.cast_signed());
        self.provenance.push(provenance(sample.provenance));
    }

    fn is_full(&self) -> bool {
        self.rows >= GROUP_ROWS_MAX || self.text_bytes >= GROUP_TEXT_BYTES_MAX
    }

    /// In the order of the schema.
    fn write(&self, out: &mut SerializedRowGroupWriter<'_, Vec<u8>>) -> Result<(), ParquetError> {
        column::<Int64Type>(out, &self.generation_time, None)?;
        column::<Int64Type>(out, &self.generation_tai, None)?;
        column::<Int64Type>(out, &self.reception_time, None)?;
        column::<ByteArrayType>(out, &self.parameter.0, None)?;
        column::<DoubleType>(out, &self.raw.values, Some(&self.raw.levels))?;
        column::<ByteArrayType>(out, &self.raw_text.values, Some(&self.raw_text.levels))?;
        column::<DoubleType>(out, &self.engineering.values, Some(&self.engineering.levels))?;
        let text = &self.engineering_text;
        column::<ByteArrayType>(out, &text.values, Some(&text.levels))?;
        column::<ByteArrayType>(out, &self.validity.0, None)?;
        column::<ByteArrayType>(out, &self.monitoring.0, None)?;
        column::<ByteArrayType>(out, &self.node.0, None)?;
        column::<Int32Type>(out, &self.dictionary_version, None)?;
        column::<ByteArrayType>(out, &self.provenance.0, None)
    }
}

fn column<T: DataType>(
    out: &mut SerializedRowGroupWriter<'_, Vec<u8>>,
    values: &[T::T],
    levels: Option<&[i16]>,
) -> Result<(), ParquetError> {
    let next = out.next_column()?;
    let mut column = next.ok_or_else(|| ParquetError::General("the schema has fewer columns".to_owned()))?;
    column.typed::<T>().write_batch(values, levels, None)?;
    column.close()
}

impl ParquetFile {
    pub(crate) fn begin() -> Result<Self, ExportError> {
        Self::open().map_err(failed)
    }

    fn open() -> Result<Self, ParquetError> {
        let schema = Arc::new(parse_message_type(SCHEMA)?);
        let mut properties = WriterProperties::builder()
            .set_created_by(format!("space-telemetry-operations {}", env!("CARGO_PKG_VERSION")))
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            // Extremes of each page would make the end of a long file several times longer.
            .set_statistics_enabled(EnabledStatistics::Chunk)
            .set_offset_index_disabled(true);
        for times in TIMES {
            let times = ColumnPath::from(times);
            properties = properties
                .set_column_dictionary_enabled(times.clone(), false)
                .set_column_encoding(times, Encoding::DELTA_BINARY_PACKED);
        }
        let writer = SerializedFileWriter::new(Vec::new(), schema, Arc::new(properties.build()))?;
        Ok(Self { writer, group: Group::default(), groups: 0 })
    }

    pub(crate) fn push(&mut self, row: &Row<'_>) -> Result<(), ExportError> {
        self.group.push(row);
        if self.group.is_full() { self.write_group() } else { Ok(()) }
    }

    fn write_group(&mut self) -> Result<(), ExportError> {
        if self.group.rows == 0 {
            return Ok(());
        }
        if self.groups == GROUPS_MAX {
            return Err(ExportError::TooManyGroups { groups_max: GROUPS_MAX });
        }
        self.groups += 1;
        let group = std::mem::take(&mut self.group);
        let mut out = self.writer.next_row_group().map_err(failed)?;
        group.write(&mut out).map_err(failed)?;
        out.close().map_err(failed)?;
        Ok(())
    }

    pub(crate) fn take(&mut self) -> Result<Vec<u8>, ExportError> {
        self.writer.flush().map_err(|error| failed(error.into()))?;
        Ok(std::mem::take(self.writer.inner_mut()))
    }

    pub(crate) fn finish(mut self) -> Result<Vec<u8>, ExportError> {
        self.write_group()?;
        self.writer.into_inner().map_err(failed)
    }
}

fn failed(error: ParquetError) -> ExportError {
    ExportError::Encode { format: Format::Parquet, source: Box::new(error) }
}
