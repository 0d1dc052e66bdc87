//! A series as bytes: each column by pco, which finds what numbers have in common; text and bytes by zstd.
//!
//! ```text
//! u8 version, u8 kind of raw column
//! u32 LE length and bytes of: generation times, reception − generation, raw values, calibrated values (0 when none)
//! u32 LE CRC-32C of everything before
//! ```

use pco::ChunkConfig;
use pco::standalone::{simple_compress, simple_decompress};
use processing::{RawColumn, Series};

const VERSION: u8 = 1;
/// pco's level 4 costs half of its default and loses under a tenth (measured).
const PCO_LEVEL: usize = 4;
const ZSTD_LEVEL: i32 = 1;
/// Samples of one segment; a bound for what damaged bytes could make us allocate.
const SAMPLES_MAX: usize = 16 << 20;
const TEXT_BYTES_MAX: usize = 256 << 20;

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
    let lateness: Vec<i64> = series
        .reception()
        .iter()
        .zip(series.generation())
        .map(|(&at, &made)| at.wrapping_sub(made))
        .collect();
    let (kind, raw) = match series.raw() {
        RawColumn::Binary(column) => (0, pack(column.iter().map(AsRef::as_ref))),
        RawColumn::Float(column) => (1, compress(column)),
        RawColumn::Signed(column) => (2, compress(column)),
        RawColumn::Text(column) => (3, pack(column.iter().map(|text| text.as_bytes()))),
        RawColumn::Unsigned(column) => (4, compress(column)),
    };
    let calibrated = series.calibrated().map(compress).unwrap_or_default();
    let mut out = vec![VERSION, kind];
    for column in [compress(series.generation()), compress(&lateness), raw, calibrated] {
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
    let (&[version, kind], mut rest) = checked.split_first_chunk::<2>().ok_or(ColumnsError::CheckSum)?;
    if version != VERSION {
        return Err(ColumnsError::Version { found: version });
    }
    let mut column = |column: &'static str| {
        let missing = ColumnsError::Column { column };
        let Some((length, after)) = rest.split_first_chunk::<4>() else { return Err(missing) };
        let length = u32::from_le_bytes(*length) as usize;
        if length > after.len() {
            return Err(missing);
        }
        let (found, after) = after.split_at(length);
        rest = after;
        Ok(found)
    };
    let generation: Vec<i64> = decompress(column("generation times")?, "generation times")?;
    let lateness: Vec<i64> = decompress(column("reception times")?, "reception times")?;
    let raw = column("raw values")?;
    let raw = match kind {
        0 => RawColumn::Binary(unpack(raw)?.into_iter().map(Vec::into_boxed_slice).collect()),
        1 => RawColumn::Float(decompress(raw, "raw values")?),
        2 => RawColumn::Signed(decompress(raw, "raw values")?),
        3 => RawColumn::Text(
            unpack(raw)?
                .into_iter()
                .map(|text| String::from_utf8(text).map(String::into_boxed_str))
                .collect::<Result<_, _>>()
                .map_err(|_| ColumnsError::Column { column: "raw values" })?,
        ),
        4 => RawColumn::Unsigned(decompress(raw, "raw values")?),
        _ => return Err(ColumnsError::Column { column: "raw values" }),
    };
    let calibrated = match column("calibrated values")? {
        [] => None,
        bytes => Some(decompress(bytes, "calibrated values")?),
    };
    let reception = generation.iter().zip(&lateness).map(|(&made, &late)| made.wrapping_add(late)).collect();
    Series::from_columns(generation, reception, raw, calibrated)
        .ok_or(ColumnsError::Column { column: "lengths that differ" })
}

fn compress<T: pco::data_types::Number>(numbers: &[T]) -> Vec<u8> {
    simple_compress(numbers, &ChunkConfig::default().with_compression_level(PCO_LEVEL))
        .expect("the configuration is valid and memory is the only thing written to")
}

fn decompress<T: pco::data_types::Number>(
    bytes: &[u8],
    column: &'static str,
) -> Result<Vec<T>, ColumnsError> {
    // The check sum vouches for the bytes being what `encode` wrote, and segments are cut far below the bound.
    let numbers: Vec<T> = simple_decompress(bytes).map_err(|_| ColumnsError::Column { column })?;
    if numbers.len() > SAMPLES_MAX { Err(ColumnsError::Column { column }) } else { Ok(numbers) }
}

fn pack<'a>(values: impl Iterator<Item = &'a [u8]>) -> Vec<u8> {
    let values: Vec<&[u8]> = values.collect();
    let plain = postcard::to_stdvec(&values).expect("a list of bytes always encodes");
    zstd::bulk::compress(&plain, ZSTD_LEVEL).expect("memory is the only thing written to")
}

fn unpack(bytes: &[u8]) -> Result<Vec<Vec<u8>>, ColumnsError> {
    let unreadable = || ColumnsError::Column { column: "raw values" };
    let length = zstd::bulk::Decompressor::upper_bound(bytes).filter(|&length| length <= TEXT_BYTES_MAX);
    let plain = zstd::bulk::decompress(bytes, length.ok_or_else(unreadable)?).map_err(|_| unreadable())?;
    postcard::from_bytes(&plain).map_err(|_| unreadable())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn raw(kind: u8, numbers: &[u64]) -> RawColumn {
        match kind {
            0 => RawColumn::Binary(numbers.iter().map(|number| number.to_be_bytes().into()).collect()),
            1 => RawColumn::Float(numbers.iter().map(|&number| f64::from_bits(number)).collect()),
            2 => RawColumn::Signed(numbers.iter().map(|&number| number as i64).collect()),
            3 => RawColumn::Text(numbers.iter().map(|number| number.to_string().into()).collect()),
            _ => RawColumn::Unsigned(numbers.to_vec()),
        }
    }

    fn bits(series: &Series) -> Vec<u64> {
        series.calibrated().unwrap_or_default().iter().map(|number| number.to_bits()).collect()
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_bit_for_bit(
            samples in proptest::collection::vec((any::<i64>(), any::<i64>(), any::<u64>()), 1..300),
            kind in 0u8..5,
            has_calibrated in any::<bool>(),
        ) {
            let generation: Vec<i64> = samples.iter().map(|sample| sample.0).collect();
            let reception = samples.iter().map(|sample| sample.1).collect();
            let numbers: Vec<u64> = samples.iter().map(|sample| sample.2).collect();
            let calibrated = has_calibrated.then(|| numbers.iter().map(|&number| f64::from_bits(!number)).collect());
            let series = Series::from_columns(generation, reception, raw(kind, &numbers), calibrated).expect("equal lengths");
            let read = decode(&encode(&series)).expect("reads");
            // NaN differs from itself, so floating-point columns are compared by their bits.
            prop_assert_eq!(bits(&read), bits(&series));
            prop_assert_eq!((read.generation(), read.reception()), (series.generation(), series.reception()));
            prop_assert_eq!(format!("{:?}", read.raw()), format!("{:?}", series.raw()));
        }

        #[test]
        fn damaged_bytes_are_refused(at in any::<proptest::sample::Index>(), bit in 0u8..8) {
            let series = Series::from_columns(vec![1, 2], vec![1, 3], raw(4, &[7, 8]), None).expect("equal lengths");
            let mut bytes = encode(&series);
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
            prop_assert!(decode(&bytes).is_err());
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = decode(&bytes);
        }
    }
}
