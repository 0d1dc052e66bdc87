//! A table as bytes: its times once, then each column by itself, so that a question reads only what it asks for.
//!
//! ```text
//! axis     u8 version, numbers of generation times, numbers of reception − generation, runs of provenance, CRC-32C
//! column   u8 version, u8 kinds (raw kind, converted kind in the upper half), raw values, converted values if there
//!          are any, runs of quality, CRC-32C
//! numbers  a block ([`numbers`]); values and texts and bytes likewise ([`texts`])
//! runs     varint length, then of each run a varint, how many rows, and a byte, their value
//! CRC-32C  u32 LE of everything before in this part
//! ```
//! Varints are LEB128. Bits of numbers are little-endian.

mod numbers;
mod reader;
mod rolled;
mod texts;

use processing::{Column, ConvertedColumn, ConvertedKind, Provenance, Quality, RawColumn, RawKind, Table};

use self::reader::{Reader, put_varint};
pub use self::rolled::{decode_rolled_axis, decode_rolled_column, encode_rolled};

const VERSION: u8 = 3;
/// Rows of one segment; a bound for what damaged bytes could make us allocate.
const ROWS_MAX: usize = 1 << 18;

/// Bytes that are no columns.
#[derive(Debug, thiserror::Error)]
pub enum ColumnsError {
    /// The check sum does not fit.
    #[error("the check sum does not fit")]
    CheckSum,
    /// Something in it cannot be read.
    #[error("{0} cannot be read")]
    Unreadable(&'static str),
    /// Written by a later version of this program.
    #[error("it has the unknown version {0}")]
    Version(u8),
}

/// Times of a table's rows, and how these came.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Axis {
    /// Generation times, TAI nanoseconds.
    pub generation: Vec<i64>,
    /// Reception times, TAI nanoseconds.
    pub reception: Vec<i64>,
    /// How each row came.
    pub provenance: Vec<Provenance>,
}

/// A table's parts one after the other, and where each ends: the axis, then every column.
pub fn encode(table: &Table) -> (Vec<u8>, Vec<i32>) {
    let (mut out, mut ends) = (Vec::new(), Vec::with_capacity(table.columns.len() + 1));
    begin(&mut out, |out| {
        numbers::write_signed(out, &table.generation);
        let pairs = table.generation.iter().zip(&table.reception);
        let lateness: Vec<i64> = pairs.map(|(&made, &received)| received.wrapping_sub(made)).collect();
        numbers::write_signed(out, &lateness);
        write_runs(out, &table.provenance, |provenance| *provenance as u8);
    });
    ends.push(out.len() as i32);
    for (entry, column) in table.layout.entries().iter().zip(&table.columns) {
        begin(&mut out, |out| write_column(out, entry.kinds(), column));
        ends.push(out.len() as i32);
    }
    (out, ends)
}

/// Writes a part with its version before and its check sum behind.
fn begin(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.push(VERSION);
    write(out);
    let sum = crc32c::crc32c(&out[start..]);
    out.extend_from_slice(&sum.to_le_bytes());
}

/// What begins with a version and ends in its check sum.
fn open(bytes: &[u8]) -> Result<Reader<'_>, ColumnsError> {
    let (body, sum) = bytes.split_last_chunk::<4>().ok_or(ColumnsError::CheckSum)?;
    if crc32c::crc32c(body) != u32::from_le_bytes(*sum) {
        return Err(ColumnsError::CheckSum);
    }
    let mut reader = Reader::new(body);
    match reader.byte("the version")? {
        VERSION => Ok(reader),
        version => Err(ColumnsError::Version(version)),
    }
}

/// Reads the axis of a table that has so many rows.
pub fn decode_axis(bytes: &[u8], rows: usize) -> Result<Axis, ColumnsError> {
    if rows > ROWS_MAX {
        return Err(ColumnsError::Unreadable("the number of rows"));
    }
    let mut reader = open(bytes)?;
    let generation = numbers::read_signed(&mut reader, rows, "generation times")?;
    let lateness = numbers::read_signed(&mut reader, rows, "reception times")?;
    let pairs = generation.iter().zip(lateness);
    let reception = pairs.map(|(&made, late)| made.wrapping_add(late)).collect();
    let provenance = read_runs(&mut reader, rows, "provenance", Provenance::from_number)?;
    Ok(Axis { generation, reception, provenance })
}

/// Reads a column of so many rows.
pub fn decode_column(bytes: &[u8], rows: usize) -> Result<Column, ColumnsError> {
    if rows > ROWS_MAX {
        return Err(ColumnsError::Unreadable("the number of rows"));
    }
    let mut reader = open(bytes)?;
    let (raw_kind, converted_kind) = kinds(reader.byte("the kinds of values")?)?;
    let what = "raw values";
    let raw = match raw_kind {
        RawKind::Binary => {
            let values = texts::read(&mut reader, rows, what)?;
            RawColumn::Binary(values.into_iter().map(Vec::into_boxed_slice).collect())
        }
        RawKind::Float => RawColumn::Float(numbers::read_float(&mut reader, rows, what)?),
        RawKind::Signed => RawColumn::Signed(numbers::read_signed(&mut reader, rows, what)?),
        RawKind::Text => {
            let texts = texts::read(&mut reader, rows, what)?.into_iter();
            let texts = texts.map(|text| String::from_utf8(text).map(String::into_boxed_str));
            RawColumn::Text(texts.collect::<Result<_, _>>().map_err(|_| ColumnsError::Unreadable(what))?)
        }
        RawKind::Unsigned => RawColumn::Unsigned(numbers::read_unsigned(&mut reader, rows, what)?),
    };
    let what = "converted values";
    let converted = match converted_kind {
        ConvertedKind::None => ConvertedColumn::None,
        ConvertedKind::Number => ConvertedColumn::Numbers(numbers::read_float(&mut reader, rows, what)?),
        ConvertedKind::Time => ConvertedColumn::Times(numbers::read_signed(&mut reader, rows, what)?),
    };
    let quality = read_runs(&mut reader, rows, "quality", Quality::from_byte)?;
    Ok(Column { raw, converted, quality })
}

fn write_column(out: &mut Vec<u8>, kinds: u8, column: &Column) {
    out.push(kinds);
    match &column.raw {
        RawColumn::Binary(values) => texts::write(out, values.iter().map(AsRef::as_ref)),
        RawColumn::Float(values) => numbers::write_float(out, values),
        RawColumn::Signed(values) => numbers::write_signed(out, values),
        RawColumn::Text(values) => texts::write(out, values.iter().map(|text| text.as_bytes())),
        RawColumn::Unsigned(values) => numbers::write_unsigned(out, values),
    }
    match &column.converted {
        ConvertedColumn::None => {}
        ConvertedColumn::Numbers(values) => numbers::write_float(out, values),
        ConvertedColumn::Times(values) => numbers::write_signed(out, values),
    }
    write_runs(out, &column.quality, |quality| quality.byte());
}

/// Both kinds of a layout's entry from their one number.
pub(super) fn kinds(byte: u8) -> Result<(RawKind, ConvertedKind), ColumnsError> {
    let unknown = ColumnsError::Unreadable("the kinds of values");
    let raw = match byte & 0xF {
        0 => RawKind::Binary,
        1 => RawKind::Float,
        2 => RawKind::Signed,
        3 => RawKind::Text,
        4 => RawKind::Unsigned,
        _ => return Err(unknown),
    };
    let converted = match byte >> 4 {
        0 => ConvertedKind::None,
        1 => ConvertedKind::Number,
        2 => ConvertedKind::Time,
        _ => return Err(unknown),
    };
    Ok((raw, converted))
}

fn write_runs<T: PartialEq>(out: &mut Vec<u8>, values: &[T], byte: impl Fn(&T) -> u8) {
    let mut runs = Vec::new();
    for run in values.chunk_by(|one, next| one == next) {
        put_varint(&mut runs, run.len() as u64);
        runs.push(byte(&run[0]));
    }
    put_varint(out, runs.len() as u64);
    out.extend_from_slice(&runs);
}

fn read_runs<T: Clone>(
    reader: &mut Reader<'_>,
    rows: usize,
    what: &'static str,
    value: impl Fn(u8) -> Option<T>,
) -> Result<Vec<T>, ColumnsError> {
    let mut runs = reader.block(what)?;
    let mut values = Vec::with_capacity(rows);
    while !runs.is_empty() {
        let length = runs.varint(what)?;
        let value = value(runs.byte(what)?).ok_or(ColumnsError::Unreadable(what))?;
        if length == 0 || length > (rows - values.len()) as u64 {
            return Err(ColumnsError::Unreadable(what));
        }
        values.resize(values.len() + length as usize, value);
    }
    if values.len() == rows { Ok(values) } else { Err(ColumnsError::Unreadable(what)) }
}

#[cfg(test)]
mod tests;
