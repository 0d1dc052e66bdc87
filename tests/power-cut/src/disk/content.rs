//! What a file holds: durable bytes, and the changes since.

use std::collections::BTreeMap;
use std::ops::Range;

use rand::RngExt;
use rand::rngs::SmallRng;

use super::Unsynced;

#[derive(Clone, Copy)]
enum Change<'a> {
    Allocate { end: u64 },
    Resize { length: u64 },
    Write { offset: u64, data: &'a [u8] },
}

/// A file's bytes.
#[derive(Default)]
pub(super) struct Content<'a> {
    durable: Vec<u8>,
    /// Changes that no sync covered, each with the number of its operation.
    changes: Vec<(usize, Change<'a>)>,
}

impl<'a> Content<'a> {
    pub(super) fn durable(bytes: Vec<u8>) -> Self {
        Self { durable: bytes, changes: Vec::new() }
    }

    pub(super) fn allocate(&mut self, number: usize, end: u64) {
        self.changes.push((number, Change::Allocate { end }));
    }

    pub(super) fn resize(&mut self, number: usize, length: u64) {
        self.changes.push((number, Change::Resize { length }));
    }

    pub(super) fn write(&mut self, number: usize, offset: u64, data: &'a [u8]) {
        self.changes.push((number, Change::Write { offset, data }));
    }

    /// Makes changes durable that were made before operation `covers`.
    pub(super) fn sync(&mut self, covers: usize) {
        let covered = self.changes.partition_point(|(number, _)| *number < covers);
        for (_, change) in self.changes.drain(..covered) {
            apply(&mut self.durable, change);
        }
    }

    pub(super) fn as_seen(&self) -> Vec<u8> {
        let mut bytes = self.durable.clone();
        self.changes.iter().for_each(|(_, change)| apply(&mut bytes, *change));
        bytes
    }

    pub(super) fn after_power_cut(&self, unsynced: Unsynced, chance: &mut SmallRng) -> Vec<u8> {
        match unsynced {
            Unsynced::Kept => self.as_seen(),
            Unsynced::Lost => self.durable.clone(),
            Unsynced::Torn { sector_bytes, newest } => self.torn(sector_bytes, newest, chance),
        }
    }

    /// The length is that of some moment; each sector that was written to is that of a moment of its own.
    fn torn(&self, sector_bytes: usize, newest: f64, chance: &mut SmallRng) -> Vec<u8> {
        let mut bytes = self.durable.clone();
        let lengths = self.lengths();
        let (kept_changes, length) = lengths[chance.random_range(0..lengths.len())];
        let mut writes_left = self.writes_by_sector(sector_bytes);
        for writes in writes_left.values_mut() {
            if !chance.random_bool(newest) {
                *writes = chance.random_range(0..=*writes);
            }
        }
        for (index, (_, change)) in self.changes.iter().enumerate() {
            match *change {
                Change::Write { offset, data } => {
                    write_sectors(&mut bytes, offset, data, sector_bytes, &mut writes_left);
                }
                _ if index < kept_changes => apply(&mut bytes, *change),
                // A file that did not shrink has its old blocks: what was written later went to others.
                Change::Resize { length } if length < bytes.len() as u64 => break,
                Change::Allocate { .. } | Change::Resize { .. } => {}
            }
        }
        bytes.resize(length as usize, 0);
        bytes
    }

    /// The lengths that the file had since it was synced, each behind so many changes; the first is the durable one.
    fn lengths(&self) -> Vec<(usize, u64)> {
        let mut before = self.durable.len() as u64;
        let mut lengths = vec![(0, before)];
        for (index, (_, change)) in self.changes.iter().enumerate() {
            let after = match change {
                Change::Allocate { end } => before.max(*end),
                Change::Resize { length } => *length,
                Change::Write { offset, data } => before.max(offset + data.len() as u64),
            };
            if after != before {
                lengths.push((index + 1, after));
                before = after;
            }
        }
        lengths
    }

    fn writes_by_sector(&self, sector_bytes: usize) -> BTreeMap<u64, usize> {
        let mut writes = BTreeMap::new();
        for (_, change) in &self.changes {
            if let Change::Write { offset, data } = change {
                for sector in sectors(*offset, data.len(), sector_bytes) {
                    *writes.entry(sector).or_default() += 1;
                }
            }
        }
        writes
    }
}

/// Writes those sectors whose moment has not passed yet.
fn write_sectors(
    bytes: &mut Vec<u8>,
    offset: u64,
    data: &[u8],
    sector_bytes: usize,
    writes_left: &mut BTreeMap<u64, usize>,
) {
    let end = offset + data.len() as u64;
    for sector in sectors(offset, data.len(), sector_bytes) {
        let left = writes_left.entry(sector).or_default();
        if *left == 0 {
            continue;
        }
        *left -= 1;
        let from = offset.max(sector * sector_bytes as u64);
        let to = end.min((sector + 1) * sector_bytes as u64);
        let part = &data[(from - offset) as usize..(to - offset) as usize];
        apply(bytes, Change::Write { offset: from, data: part });
    }
}

fn sectors(offset: u64, length: usize, sector_bytes: usize) -> Range<u64> {
    let sector_bytes = sector_bytes as u64;
    offset / sector_bytes..(offset + length as u64).div_ceil(sector_bytes)
}

fn apply(bytes: &mut Vec<u8>, change: Change<'_>) {
    match change {
        Change::Allocate { end } => bytes.resize(bytes.len().max(end as usize), 0),
        Change::Resize { length } => bytes.resize(length as usize, 0),
        Change::Write { offset, data } => {
            let (begin, end) = (offset as usize, offset as usize + data.len());
            bytes.resize(bytes.len().max(end), 0);
            bytes[begin..end].copy_from_slice(data);
        }
    }
}
