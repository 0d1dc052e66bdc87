//! A series as bytes: each column by pco, which finds what numbers have in common; text and bytes by zstd; quality
//! by runs of what is the same.
//!
//! ```text
//! u8 version, u8 kind of raw column, u8 kind of converted column, u32 LE version of the dictionary
//! u32 LE length and bytes of: generation times, reception − generation, raw values, converted values (0 when none),
//!     quality (for each run of one quality: u32 LE samples, u8 quality)
//! u32 LE CRC-32C of everything before
//! ```
//! Version 1 had neither the kind of the converted column, which held numbers or nothing, nor the dictionary's
//! version, nor quality.

use mission_database::VersionNumber;
use pco::ChunkConfig;
use pco::standalone::{DecompressorItem, FileDecompressor, simple_compress};
use processing::{Columns, ConvertedColumn, Quality, RawColumn, Series};

const VERSION: u8 = 2;
/// What wrote it read everything by the one dictionary a mission had, and judged nothing.
const VERSION_BEFORE_QUALITY: u8 = 1;
/// pco's level 4 costs half of its default and loses under a tenth (measured).
const PCO_LEVEL: usize = 4;
const ZSTD_LEVEL: i32 = 1;
/// Samples of one segment; a bound for what damaged bytes could make us allocate.
const SAMPLES_MAX: usize = 16 << 20;
const TEXT_BYTES_MAX: usize = 256 << 20;
/// A run of one quality: how many samples, and which.
const RUN_BYTES: usize = 5;

/// Bytes that are no columns.
#[derive(Debug, thiserror::Error)]
pub enum ColumnsError {
    /// The check sum does not fit.
    #[error("the check sum does not fit")]
    CheckSum,
    /// A column cannot be read.
    #[error("the column of {column} cannot be read")]
    Column {
        /// Which.
        column: &'static str,
    },
    /// Written by another version.
    #[error("version {found} is not one this software reads")]
    Version {
        /// Which.
        found: u8,
    },
}

/// Writes a series.
pub fn encode(series: &Series) -> Vec<u8> {
    let columns = series.columns();
    let times = columns.reception.iter().zip(&columns.generation);
    let lateness: Vec<i64> = times.map(|(&at, &made)| at.wrapping_sub(made)).collect();
    let (raw_kind, raw) = match &columns.raw {
        RawColumn::Binary(column) => (0, pack(column.iter().map(AsRef::as_ref))),
        RawColumn::Float(column) => (1, compress(column)),
        RawColumn::Signed(column) => (2, compress(column)),
        RawColumn::Text(column) => (3, pack(column.iter().map(|text| text.as_bytes()))),
        RawColumn::Unsigned(column) => (4, compress(column)),
    };
    let (converted_kind, converted) = match &columns.converted {
        ConvertedColumn::None => (0, Vec::new()),
        ConvertedColumn::Numbers(column) => (1, compress(column)),
        ConvertedColumn::Times(column) => (2, compress(column)),
    };
    let quality = runs(&columns.quality);
    let mut out = vec![VERSION, raw_kind, converted_kind];
    out.extend_from_slice(&columns.version.0.to_le_bytes());
    for column in [compress(&columns.generation), compress(&lateness), raw, converted, quality] {
        out.extend_from_slice(&(column.len() as u32).to_le_bytes());
        out.extend_from_slice(&column);
    }
    out.extend_from_slice(&crc32c::crc32c(&out).to_le_bytes());
    out
}

/// Reads a series.
pub fn decode(bytes: &[u8]) -> Result<Series, ColumnsError> {
    let (checked, crc) = bytes.split_last_chunk::<4>().ok_or(ColumnsError::CheckSum)?;
    if crc32c::crc32c(checked).to_le_bytes() != *crc {
        return Err(ColumnsError::CheckSum);
    }
    let (&[version, raw_kind], rest) = checked.split_first_chunk::<2>().ok_or(ColumnsError::CheckSum)?;
    match version {
        VERSION_BEFORE_QUALITY => decode_before_quality(raw_kind, Reader { rest }),
        VERSION => decode_newest(raw_kind, Reader { rest }),
        found => Err(ColumnsError::Version { found }),
    }
}

fn decode_newest(raw_kind: u8, mut reader: Reader<'_>) -> Result<Series, ColumnsError> {
    let [converted_kind] = reader.bytes("kinds")?;
    let version = VersionNumber(u32::from_le_bytes(reader.bytes("dictionary version")?));
    let times = Times::read(&mut reader)?;
    let samples = times.generation.len();
    let raw = read_raw(raw_kind, reader.column("raw values")?, samples)?;
    let converted = read_converted(converted_kind, reader.column("converted values")?, samples)?;
    let quality = read_runs(reader.column("quality")?, samples)?;
    times.with(version, raw, converted, quality)
}

fn decode_before_quality(raw_kind: u8, mut reader: Reader<'_>) -> Result<Series, ColumnsError> {
    let times = Times::read(&mut reader)?;
    let samples = times.generation.len();
    let raw = read_raw(raw_kind, reader.column("raw values")?, samples)?;
    let converted = reader.column("converted values")?;
    let converted = read_converted(u8::from(!converted.is_empty()), converted, samples)?;
    times.with(VersionNumber(1), raw, converted, vec![Quality::default(); samples])
}

/// What is left to read.
struct Reader<'b> {
    rest: &'b [u8],
}

impl<'b> Reader<'b> {
    fn bytes<const LENGTH: usize>(&mut self, column: &'static str) -> Result<[u8; LENGTH], ColumnsError> {
        let (found, rest) = self.rest.split_first_chunk().ok_or(ColumnsError::Column { column })?;
        self.rest = rest;
        Ok(*found)
    }

    fn column(&mut self, column: &'static str) -> Result<&'b [u8], ColumnsError> {
        let length = u32::from_le_bytes(self.bytes(column)?) as usize;
        let (found, rest) = self.rest.split_at_checked(length).ok_or(ColumnsError::Column { column })?;
        self.rest = rest;
        Ok(found)
    }
}

/// The two columns that say how many samples there are.
struct Times {
    generation: Vec<i64>,
    reception: Vec<i64>,
}

impl Times {
    fn read(reader: &mut Reader<'_>) -> Result<Self, ColumnsError> {
        let column = reader.column("generation times")?;
        let generation: Vec<i64> = decompress(column, SAMPLES_MAX, "generation times")?;
        let column = reader.column("reception times")?;
        let lateness: Vec<i64> = decompress(column, generation.len(), "reception times")?;
        let pairs = generation.iter().zip(&lateness);
        Ok(Self { reception: pairs.map(|(&made, &late)| made.wrapping_add(late)).collect(), generation })
    }

    fn with(
        self,
        version: VersionNumber,
        raw: RawColumn,
        converted: ConvertedColumn,
        quality: Vec<Quality>,
    ) -> Result<Series, ColumnsError> {
        let Self { generation, reception } = self;
        Series::from_columns(Columns { version, generation, reception, raw, converted, quality })
            .ok_or(ColumnsError::Column { column: "lengths that differ" })
    }
}

fn read_raw(kind: u8, bytes: &[u8], samples: usize) -> Result<RawColumn, ColumnsError> {
    let column = "raw values";
    let unreadable = || ColumnsError::Column { column };
    Ok(match kind {
        0 => RawColumn::Binary(unpack(bytes, samples)?.into_iter().map(Vec::into_boxed_slice).collect()),
        1 => RawColumn::Float(decompress(bytes, samples, column)?),
        2 => RawColumn::Signed(decompress(bytes, samples, column)?),
        3 => RawColumn::Text(
            unpack(bytes, samples)?
                .into_iter()
                .map(|text| String::from_utf8(text).map(String::into_boxed_str))
                .collect::<Result<_, _>>()
                .map_err(|_| unreadable())?,
        ),
        4 => RawColumn::Unsigned(decompress(bytes, samples, column)?),
        _ => return Err(unreadable()),
    })
}

fn read_converted(kind: u8, bytes: &[u8], samples: usize) -> Result<ConvertedColumn, ColumnsError> {
    let column = "converted values";
    match kind {
        0 if bytes.is_empty() => Ok(ConvertedColumn::None),
        1 => decompress(bytes, samples, column).map(ConvertedColumn::Numbers),
        2 => decompress(bytes, samples, column).map(ConvertedColumn::Times),
        _ => Err(ColumnsError::Column { column }),
    }
}

fn runs(column: &[Quality]) -> Vec<u8> {
    let mut out = Vec::new();
    for run in column.chunk_by(|one, next| one == next) {
        out.extend_from_slice(&(run.len() as u32).to_le_bytes());
        out.push(run[0].byte());
    }
    out
}

fn read_runs(bytes: &[u8], samples: usize) -> Result<Vec<Quality>, ColumnsError> {
    let unreadable = || ColumnsError::Column { column: "quality" };
    let (runs, rest) = bytes.as_chunks::<RUN_BYTES>();
    if !rest.is_empty() {
        return Err(unreadable());
    }
    let mut column = Vec::with_capacity(samples);
    for &[a, b, c, d, quality] in runs {
        let length = u32::from_le_bytes([a, b, c, d]) as usize;
        if length > samples - column.len() {
            return Err(unreadable());
        }
        let quality = Quality::from_byte(quality).ok_or_else(unreadable)?;
        column.resize(column.len() + length, quality);
    }
    Ok(column)
}

fn compress<T: pco::data_types::Number>(numbers: &[T]) -> Vec<u8> {
    simple_compress(numbers, &ChunkConfig::default().with_compression_level(PCO_LEVEL))
        .expect("the configuration is valid and memory is the only thing written to")
}

fn decompress<T: pco::data_types::Number>(
    bytes: &[u8],
    samples_max: usize,
    column: &'static str,
) -> Result<Vec<T>, ColumnsError> {
    let unreadable = |_| ColumnsError::Column { column };
    let (file, mut rest) = FileDecompressor::new(bytes).map_err(unreadable)?;
    let mut numbers = Vec::new();
    while let DecompressorItem::Chunk(mut chunk) =
        file.chunk_decompressor::<T, _>(rest).map_err(unreadable)?
    {
        let first = numbers.len();
        if chunk.n() > samples_max - first {
            return Err(ColumnsError::Column { column });
        }
        numbers.resize(first + chunk.n(), T::default());
        chunk.read(&mut numbers[first..]).map_err(unreadable)?;
        rest = chunk.into_src();
    }
    Ok(numbers)
}

fn pack<'a>(values: impl Iterator<Item = &'a [u8]>) -> Vec<u8> {
    let values: Vec<&[u8]> = values.collect();
    let plain = postcard::to_stdvec(&values).expect("a list of bytes always encodes");
    zstd::bulk::compress(&plain, ZSTD_LEVEL).expect("memory is the only thing written to")
}

fn unpack(bytes: &[u8], samples: usize) -> Result<Vec<Vec<u8>>, ColumnsError> {
    let unreadable = || ColumnsError::Column { column: "raw values" };
    let length = zstd::bulk::Decompressor::upper_bound(bytes).filter(|&length| length <= TEXT_BYTES_MAX);
    let plain = zstd::bulk::decompress(bytes, length.ok_or_else(unreadable)?).map_err(|_| unreadable())?;
    // An empty value takes a byte there and much more here.
    match postcard::take_from_bytes::<usize>(&plain) {
        Ok((values, _)) if values == samples => postcard::from_bytes(&plain).map_err(|_| unreadable()),
        _ => Err(unreadable()),
    }
}

#[cfg(test)]
mod tests;
