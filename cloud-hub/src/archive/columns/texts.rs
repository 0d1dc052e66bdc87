//! Texts and bytes: each different one once, and which one each row has.
//!
//! ```text
//! block   varint length, u8 encoding (6, or 7 where the entries are one zstd frame), varint length and bytes of the
//!         entries, then numbers: the place of each row's entry
//! entries varint how many, of each a varint, its length, and its bytes
//! ```

use std::collections::HashMap;

use super::ColumnsError;
use super::numbers;
use super::reader::{Reader, put_block, put_varint};

const PLAIN: u8 = 6;
const COMPRESSED: u8 = 7;
const ZSTD_LEVEL: i32 = 1;
/// Below, a frame's own bytes cost more than it saves.
const COMPRESSED_FROM: usize = 128;
const ENTRIES_BYTES_MAX: usize = 256 << 20;
/// What rows may become together: few entries can be long and each be many rows'.
const ROWS_BYTES_MAX: usize = 256 << 20;

pub(super) fn write<'a>(out: &mut Vec<u8>, values: impl ExactSizeIterator<Item = &'a [u8]>) {
    let (mut places, mut entries) = (HashMap::new(), Vec::new());
    let rows: Vec<u64> = values
        .map(|value| {
            *places.entry(value).or_insert_with(|| {
                entries.push(value);
                entries.len() as u64 - 1
            })
        })
        .collect();
    let mut plain = Vec::new();
    put_varint(&mut plain, entries.len() as u64);
    for entry in entries {
        put_varint(&mut plain, entry.len() as u64);
        plain.extend_from_slice(entry);
    }
    put_block(out, |out| {
        let compressed = (plain.len() >= COMPRESSED_FROM)
            .then(|| zstd::bulk::compress(&plain, ZSTD_LEVEL).expect("memory is the only thing written to"));
        let compressed = compressed.filter(|compressed| compressed.len() < plain.len());
        out.push(if compressed.is_some() { COMPRESSED } else { PLAIN });
        let entries = compressed.unwrap_or(plain);
        put_varint(out, entries.len() as u64);
        out.extend_from_slice(&entries);
        numbers::write_unsigned(out, &rows);
    });
}

pub(super) fn read(
    reader: &mut Reader<'_>,
    rows: usize,
    what: &'static str,
) -> Result<Vec<Vec<u8>>, ColumnsError> {
    let unreadable = || ColumnsError::Unreadable(what);
    let mut block = reader.block(what)?;
    let encoding = block.byte(what)?;
    let stored = block.block(what)?.rest();
    let decompressed;
    let plain = match encoding {
        PLAIN => stored,
        COMPRESSED => {
            let length = zstd::bulk::Decompressor::upper_bound(stored);
            let length = length.filter(|&length| length <= ENTRIES_BYTES_MAX).ok_or_else(unreadable)?;
            decompressed = zstd::bulk::decompress(stored, length).map_err(|_| unreadable())?;
            &decompressed[..]
        }
        _ => return Err(unreadable()),
    };
    let mut plain = Reader::new(plain);
    let count = plain.varint(what)?;
    if count > rows as u64 {
        return Err(unreadable());
    }
    let mut entries = Vec::with_capacity(count as usize);
    for _ in 0..count {
        let length = plain.varint(what)?;
        entries.push(plain.bytes(length, what)?);
    }
    let places = numbers::read_unsigned(&mut block, rows, what)?;
    let mut room = ROWS_BYTES_MAX;
    let value = |place: u64| {
        let entry =
            usize::try_from(place).ok().and_then(|place| entries.get(place)).ok_or_else(unreadable)?;
        room = room.checked_sub(entry.len()).ok_or_else(unreadable)?;
        Ok(entry.to_vec())
    };
    places.into_iter().map(value).collect()
}
