//! Numbers of 64 bits: one value where all are alike, runs where few change, and pco's bins for the rest.
//!
//! ```text
//! block     varint length, u8 encoding
//! 0         u64: the value of all rows
//! 1         of each run a varint, how many rows, and a u64, their value
//! 2 3 4 5   pco's wrapped format (header, meta of the chunk, its one page) of u64, i64, f64, f32
//! ```
//! pco is asked for its classic mode and differences of a fixed order only, so that readers other than its own are
//! short. Which order is found here, on the numbers' own bits: pco would try several and take their sizes.

use pco::data_types::Number;
use pco::wrapped::{FileCompressor, FileDecompressor};
use pco::{ChunkConfig, DeltaSpec, ModeSpec};

use super::ColumnsError;
use super::reader::{Reader, put_block, put_varint};

const CONSTANT: u8 = 0;
const RUNS: u8 = 1;
const UNSIGNED: u8 = 2;
const SIGNED: u8 = 3;
const FLOAT: u8 = 4;
const SINGLE: u8 = 5;
/// pco's level 4 costs half of its default and loses under a tenth (measured).
const PCO_LEVEL: usize = 4;
/// A run takes about as much room as so many packed numbers.
const ROWS_A_RUN: usize = 12;
/// Numbers looked at to find the order of differences.
const LOOKED_AT_MAX: usize = 512;

pub(super) fn write_unsigned(out: &mut Vec<u8>, numbers: &[u64]) {
    put_block(out, |out| {
        if !write_few(out, numbers.iter().copied()) {
            write_packed(out, UNSIGNED, numbers, |number| number);
        }
    });
}

pub(super) fn write_signed(out: &mut Vec<u8>, numbers: &[i64]) {
    put_block(out, |out| {
        if !write_few(out, numbers.iter().map(|number| number.cast_unsigned())) {
            write_packed(out, SIGNED, numbers, |number| number.cast_unsigned() ^ 1 << 63);
        }
    });
}

pub(super) fn write_float(out: &mut Vec<u8>, numbers: &[f64]) {
    put_block(out, |out| {
        if write_few(out, numbers.iter().map(|number| number.to_bits())) {
            return;
        }
        // Spacecraft send single precision: half of each number says nothing.
        let is_single = numbers.iter().all(|&number| f64::from(number as f32).to_bits() == number.to_bits());
        if is_single {
            let numbers: Vec<f32> = numbers.iter().map(|&number| number as f32).collect();
            write_packed(out, SINGLE, &numbers, |number| {
                let bits = number.to_bits();
                u64::from(if bits >> 31 == 1 { !bits } else { bits | 1 << 31 })
            });
        } else {
            write_packed(out, FLOAT, numbers, |number| {
                let bits = number.to_bits();
                if bits >> 63 == 1 { !bits } else { bits | 1 << 63 }
            });
        }
    });
}

/// Writes one value or a few runs; false when there are too many of them.
fn write_few(out: &mut Vec<u8>, bits: impl ExactSizeIterator<Item = u64> + Clone) -> bool {
    let rows = bits.len();
    let changes = || bits.clone().zip(bits.clone().skip(1)).filter(|(one, next)| one != next);
    let runs_max = rows / ROWS_A_RUN;
    if changes().take(runs_max + 1).count() > runs_max {
        return false;
    }
    let mut bits = bits;
    let Some(mut value) = bits.next() else {
        out.push(RUNS);
        return true;
    };
    let (mut runs, mut length) = (Vec::new(), 1_u64);
    for next in bits {
        if next == value {
            length += 1;
        } else {
            runs.push((length, value));
            (length, value) = (1, next);
        }
    }
    if runs.is_empty() {
        out.push(CONSTANT);
        out.extend_from_slice(&value.to_le_bytes());
        return true;
    }
    runs.push((length, value));
    out.push(RUNS);
    for (length, value) in runs {
        put_varint(out, length);
        out.extend_from_slice(&value.to_le_bytes());
    }
    true
}

fn write_packed<T: Number>(out: &mut Vec<u8>, encoding: u8, numbers: &[T], ordered: impl Fn(T) -> u64) {
    out.push(encoding);
    let looked_at: Vec<u64> = numbers.iter().take(LOOKED_AT_MAX).map(|&number| ordered(number)).collect();
    let delta = match order_of_differences(looked_at) {
        0 => DeltaSpec::NoOp,
        order => DeltaSpec::TryConsecutive(order),
    };
    let config = ChunkConfig::default()
        .with_compression_level(PCO_LEVEL)
        .with_mode_spec(ModeSpec::Classic)
        .with_delta_spec(delta);
    let file = FileCompressor::default();
    let written = file.write_header(&mut *out).and_then(|out| {
        let mut chunk = file.chunk_compressor(numbers, &config)?;
        debug_assert_eq!(chunk.n_per_page().len(), 1, "so many rows fit into a page");
        chunk.write_meta(&mut *out)?;
        chunk.write_page(0, &mut *out)
    });
    written.expect("the configuration is valid and memory is the only thing written to");
}

/// How often to take differences so that what is left is smallest, up to twice.
fn order_of_differences(mut numbers: Vec<u64>) -> usize {
    let mut best = (0, cost(numbers.iter().map(|&number| number.wrapping_sub(numbers[0]).cast_signed())));
    for order in 1..=2 {
        numbers = numbers.windows(2).map(|pair| pair[1].wrapping_sub(pair[0])).collect();
        let cost = cost(numbers.iter().map(|&number| number.cast_signed()));
        // Differences of noise are larger than the noise; a little gain is none.
        if cost + cost / 16 < best.1 {
            best = (order, cost);
        }
    }
    best.0
}

fn cost(numbers: impl Iterator<Item = i64>) -> u64 {
    numbers.map(|number| u64::from(64 - (number << 1 ^ number >> 63).leading_zeros())).sum()
}

pub(super) fn read_unsigned(
    reader: &mut Reader<'_>,
    rows: usize,
    what: &'static str,
) -> Result<Vec<u64>, ColumnsError> {
    read(reader, rows, what, UNSIGNED, |bits| bits)
}

pub(super) fn read_signed(
    reader: &mut Reader<'_>,
    rows: usize,
    what: &'static str,
) -> Result<Vec<i64>, ColumnsError> {
    read(reader, rows, what, SIGNED, u64::cast_signed)
}

pub(super) fn read_float(
    reader: &mut Reader<'_>,
    rows: usize,
    what: &'static str,
) -> Result<Vec<f64>, ColumnsError> {
    read(reader, rows, what, FLOAT, f64::from_bits)
}

/// Reads a block whose packed numbers have `packed` as their encoding.
fn read<T: Number + From32>(
    reader: &mut Reader<'_>,
    rows: usize,
    what: &'static str,
    packed: u8,
    of_bits: impl Fn(u64) -> T,
) -> Result<Vec<T>, ColumnsError> {
    let unreadable = || ColumnsError::Unreadable(what);
    let mut block = reader.block(what)?;
    match block.byte(what)? {
        CONSTANT => Ok(vec![of_bits(u64::from_le_bytes(block.array(what)?)); rows]),
        RUNS => {
            let mut numbers = Vec::with_capacity(rows);
            while !block.is_empty() {
                let length = block.varint(what)?;
                let value = of_bits(u64::from_le_bytes(block.array(what)?));
                if length == 0 || length > (rows - numbers.len()) as u64 {
                    return Err(unreadable());
                }
                numbers.resize(numbers.len() + length as usize, value);
            }
            if numbers.len() == rows { Ok(numbers) } else { Err(unreadable()) }
        }
        encoding if encoding == packed => unpack(block.rest(), rows).ok_or_else(unreadable),
        SINGLE if packed == FLOAT => {
            let singles: Vec<f32> = unpack(block.rest(), rows).ok_or_else(unreadable)?;
            Ok(singles.into_iter().map(T::from_single).collect())
        }
        _ => Err(unreadable()),
    }
}

fn unpack<T: Number>(bytes: &[u8], rows: usize) -> Option<Vec<T>> {
    let (file, rest) = FileDecompressor::new(bytes).ok()?;
    let (mut chunk, rest) = file.chunk_decompressor::<T, _>(rest).ok()?;
    let mut page = chunk.page_decompressor(rest, rows).ok()?;
    let mut numbers = vec![T::default(); rows];
    let progress = page.read(&mut numbers).ok()?;
    (progress.n_processed == rows && progress.finished).then_some(numbers)
}

/// Numbers that may have been kept in single precision.
trait From32 {
    fn from_single(number: f32) -> Self;
}

impl From32 for f64 {
    fn from_single(number: f32) -> Self {
        Self::from(number)
    }
}

impl From32 for i64 {
    fn from_single(number: f32) -> Self {
        number as Self
    }
}

impl From32 for u64 {
    fn from_single(number: f32) -> Self {
        number as Self
    }
}
