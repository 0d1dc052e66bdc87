//! Samples of parameters that come together: times once for all of them, and a column each.
//!
//! A packet of one kind has the same parameters each time. Kept together they share their times, of which each sample
//! alone would need more room than its value does.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher};
use std::ops::Range;
use std::sync::Arc;

use mission_database::{Derivation, MissionDatabase, ParameterIndex, VersionNumber};

use crate::column::{Column, ConvertedColumn, Quality, RawColumn, SeriesView};
use crate::{Converted, Provenance, Raw, Sample};

/// What kind of raw values a column holds.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum RawKind {
    /// Bytes.
    Binary = 0,
    /// Floating-point numbers.
    Float = 1,
    /// Signed integers.
    Signed = 2,
    /// Texts.
    Text = 3,
    /// Unsigned integers.
    Unsigned = 4,
}

/// What kind of converted values a column holds beside them.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum ConvertedKind {
    /// None: they are the raw ones, or follow from them.
    None = 0,
    /// Numbers.
    Number = 1,
    /// Moments.
    Time = 2,
}

impl From<Option<Converted>> for ConvertedKind {
    fn from(converted: Option<Converted>) -> Self {
        match converted {
            None => Self::None,
            Some(Converted::Number(_)) => Self::Number,
            Some(Converted::Time(_)) => Self::Time,
        }
    }
}

/// One column of a layout.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct LayoutEntry {
    /// Whose values.
    pub parameter: ParameterIndex,
    /// Of which kind as transmitted.
    pub raw: RawKind,
    /// Of which kind as converted.
    pub converted: ConvertedKind,
}

impl LayoutEntry {
    /// One number for both kinds, as the archive keeps it.
    pub fn kinds(self) -> u8 {
        self.raw as u8 | (self.converted as u8) << 4
    }
}

impl From<&Raw> for RawKind {
    fn from(raw: &Raw) -> Self {
        match raw {
            Raw::Binary(_) => Self::Binary,
            Raw::Float(_) => Self::Float,
            Raw::Signed(_) => Self::Signed,
            Raw::Text(_) => Self::Text,
            Raw::Unsigned(_) => Self::Unsigned,
        }
    }
}

/// Which parameters come together, in which order and of which kinds. A parameter may be there several times: a packet
/// that repeats it has as many values of it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Layout {
    entries: Box<[LayoutEntry]>,
}

impl Layout {
    /// Of these columns.
    pub fn new(entries: Vec<LayoutEntry>) -> Self {
        Self { entries: entries.into() }
    }

    /// Its columns.
    pub fn entries(&self) -> &[LayoutEntry] {
        &self.entries
    }

    /// Places of the columns of a parameter.
    pub fn places(&self, parameter: ParameterIndex) -> impl Iterator<Item = usize> {
        let entries = self.entries.iter().enumerate();
        entries.filter(move |(_, entry)| entry.parameter == parameter).map(|(place, _)| place)
    }
}

/// How engineering values of a mission follow from raw ones, found once for each version and parameter.
#[derive(Clone, Debug, Default)]
pub struct Derivations {
    by_version: HashMap<VersionNumber, Arc<[Option<Derivation>]>>,
}

impl Derivations {
    /// Those of all versions of a mission's dictionary.
    pub fn of(database: &MissionDatabase) -> Self {
        let parameters = database.parameters().len() as u32;
        let by_version = database.versions().iter().map(|version| {
            let all = (0..parameters).map(|index| database.derivation(version.number, ParameterIndex(index)));
            (version.number, all.collect())
        });
        Self { by_version: by_version.collect() }
    }

    /// Of one parameter as one version has it.
    pub fn get(&self, version: VersionNumber, parameter: ParameterIndex) -> Option<&Derivation> {
        self.by_version.get(&version)?.get(parameter.0 as usize)?.as_ref()
    }

    fn of_version(&self, version: VersionNumber) -> &[Option<Derivation>] {
        self.by_version.get(&version).map_or(&[], |all| all)
    }
}

/// What of a sample's converted value must be kept: nothing where the raw one leads to it, to the bit.
fn kept(sample: &Sample, derivations: &[Option<Derivation>]) -> Option<Converted> {
    let Some(Converted::Number(number)) = sample.converted else { return sample.converted };
    let raw = match sample.raw {
        Raw::Float(raw) => raw,
        Raw::Signed(raw) => raw as f64,
        Raw::Unsigned(raw) => raw as f64,
        Raw::Binary(_) | Raw::Text(_) => return sample.converted,
    };
    let derivation = derivations.get(sample.parameter.0 as usize).and_then(Option::as_ref);
    let Some(derivation) = derivation else { return sample.converted };
    let derived = derivation.apply(raw);
    let is_same = derived.to_bits() == number.to_bits() || derived.is_nan() && number.is_nan();
    (!is_same).then_some(Converted::Number(number))
}

/// Samples of one layout, read by one version of the dictionary: a row for each moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// What its columns are.
    pub layout: Arc<Layout>,
    /// The version that read them.
    pub version: VersionNumber,
    /// Generation times, TAI nanoseconds.
    pub generation: Vec<i64>,
    /// Reception times, TAI nanoseconds.
    pub reception: Vec<i64>,
    /// How each row came.
    pub provenance: Vec<Provenance>,
    /// One column for each entry of the layout.
    pub columns: Vec<Column>,
}

impl Table {
    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.generation.len()
    }

    /// Number of values.
    pub fn cells(&self) -> usize {
        self.rows() * self.columns.len()
    }

    /// Samples of the column at `place`.
    pub fn series<'a>(&'a self, place: usize, derivations: &'a Derivations) -> SeriesView<'a> {
        SeriesView {
            version: self.version,
            generation: &self.generation,
            reception: &self.reception,
            provenance: &self.provenance,
            column: &self.columns[place],
            derivation: derivations.get(self.version, self.layout.entries()[place].parameter),
        }
    }

    /// A part of its rows; the range lies within it.
    pub fn part(&self, range: Range<usize>) -> Self {
        Self {
            layout: Arc::clone(&self.layout),
            version: self.version,
            generation: self.generation[range.clone()].to_vec(),
            reception: self.reception[range.clone()].to_vec(),
            provenance: self.provenance[range.clone()].to_vec(),
            columns: self.columns.iter().map(|column| column.part(range.clone())).collect(),
        }
    }

    /// Adds the rows of a table of the same columns; false when it has others.
    pub fn append(&mut self, other: Self) -> bool {
        if self.columns.len() != other.columns.len() || self.version != other.version {
            return false;
        }
        self.generation.extend(other.generation);
        self.reception.extend(other.reception);
        self.provenance.extend(other.provenance);
        self.columns.iter_mut().zip(other.columns).all(|(column, other)| column.append(other))
    }

    /// Puts its rows in the order of their generation times; rows of one moment stay as they are.
    #[must_use]
    pub fn sorted(self) -> Self {
        if self.generation.is_sorted() {
            return self;
        }
        let mut rows: Vec<u32> = (0..self.rows() as u32).collect();
        rows.sort_by_key(|&row| self.generation[row as usize]);
        let times = |times: &[i64]| rows.iter().map(|&row| times[row as usize]).collect();
        Self {
            generation: times(&self.generation),
            reception: times(&self.reception),
            provenance: rows.iter().map(|&row| self.provenance[row as usize]).collect(),
            columns: self.columns.iter().map(|column| column.gather(&rows)).collect(),
            layout: self.layout,
            version: self.version,
        }
    }
}

/// Tables that grow, found by what their rows look like.
#[derive(Clone, Debug, Default)]
pub struct Tables {
    tables: Vec<Table>,
    /// By a hash of version and layout; two that share one follow each other.
    by_shape: HashMap<u64, Vec<u32>, Plain>,
    cells: usize,
    /// Only saves allocations.
    scratch: Vec<Cell>,
}

/// Where a value of a row belongs, and what is kept of it beside the raw one.
type Cell = (LayoutEntry, Option<Converted>);

/// The hash is one already.
#[derive(Clone, Debug, Default)]
struct Plain;

struct PlainHasher(u64);

impl BuildHasher for Plain {
    type Hasher = PlainHasher;

    fn build_hasher(&self) -> PlainHasher {
        PlainHasher(0)
    }
}

impl Hasher for PlainHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _: &[u8]) {}

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

/// A row costs as much memory as so many values, for its times.
const ROW_CELLS: usize = 2;
/// Text and bytes count as many values as would take their place.
const CELL_BYTES: usize = 16;
/// Layouts of several columns; beyond, each parameter is kept by itself. Packets that end anywhere would make one for
/// each length.
const LAYOUTS_MAX: usize = 4_096;

impl Tables {
    /// All tables.
    pub fn all(&self) -> &[Table] {
        &self.tables
    }

    /// What they weigh, in values: text and bytes count as many as would take their place.
    pub fn weight(&self) -> usize {
        self.cells
    }

    /// Adds the samples of one record: they share their times, their version and how they came.
    pub fn push(&mut self, samples: &[Sample], derivations: &Derivations) {
        let Some(first) = samples.first() else { return };
        let is_row = |sample: &Sample| {
            (sample.generation, sample.reception, sample.version)
                == (first.generation, first.reception, first.version)
        };
        debug_assert!(samples.iter().all(is_row), "a record has one time");
        let of_version = derivations.of_version(first.version);
        let mut cells = std::mem::take(&mut self.scratch);
        cells.clear();
        let mut hash = Mixer::of(first.version);
        for sample in samples {
            let converted = kept(sample, of_version);
            let entry = LayoutEntry {
                parameter: sample.parameter,
                raw: RawKind::from(&sample.raw),
                converted: ConvertedKind::from(converted),
            };
            hash.add(entry);
            cells.push((entry, converted));
        }
        let known = self.by_shape.get(&hash.0).and_then(|places| {
            let is_of = |place: &&u32| self.tables[**place as usize].is_of(first.version, &cells);
            places.iter().find(is_of).copied()
        });
        let is_new = known.is_none();
        if is_new && samples.len() > 1 && self.tables.len() >= LAYOUTS_MAX {
            self.scratch = cells;
            samples.iter().for_each(|sample| self.push(std::slice::from_ref(sample), derivations));
            return;
        }
        match known {
            Some(place) => self.tables[place as usize].push(samples, &cells),
            None => {
                self.by_shape.entry(hash.0).or_default().push(self.tables.len() as u32);
                self.tables.push(Table::starting_with(samples, &cells));
            }
        }
        self.cells += ROW_CELLS + samples.iter().map(weight).sum::<usize>();
        self.scratch = cells;
    }
}

fn weight(sample: &Sample) -> usize {
    match &sample.raw {
        Raw::Binary(bytes) => 2 + bytes.len() / CELL_BYTES,
        Raw::Text(text) => 2 + text.len() / CELL_BYTES,
        Raw::Float(_) | Raw::Signed(_) | Raw::Unsigned(_) => 1,
    }
}

/// A hash of a few nanoseconds for each entry. Whoever finds two layouts of one hash gains a comparison.
struct Mixer(u64);

impl Mixer {
    fn of(version: VersionNumber) -> Self {
        Self(0x9E37_79B9_7F4A_7C15 ^ u64::from(version.0))
    }

    #[inline]
    fn add(&mut self, entry: LayoutEntry) {
        let word = u64::from(entry.parameter.0) << 8 | u64::from(entry.kinds());
        self.0 = (self.0.rotate_left(5) ^ word).wrapping_mul(0x517C_C1B7_2722_0A95);
    }
}

impl Table {
    fn starting_with(samples: &[Sample], cells: &[Cell]) -> Self {
        let first = &samples[0];
        let column = |(sample, (_, converted)): (&Sample, &Cell)| {
            let quality = Quality::new(sample.validity, sample.monitoring);
            Column::starting_with(sample.raw.clone(), *converted, quality)
        };
        Self {
            layout: Arc::new(Layout::new(cells.iter().map(|(entry, _)| *entry).collect())),
            version: first.version,
            generation: vec![first.generation.0.0],
            reception: vec![first.reception.0.0],
            provenance: vec![first.provenance],
            columns: samples.iter().zip(cells).map(column).collect(),
        }
    }

    fn is_of(&self, version: VersionNumber, cells: &[Cell]) -> bool {
        let entries = self.layout.entries();
        self.version == version
            && entries.len() == cells.len()
            && entries.iter().zip(cells).all(|(known, (entry, _))| known == entry)
    }

    fn push(&mut self, samples: &[Sample], cells: &[Cell]) {
        let first = &samples[0];
        self.generation.push(first.generation.0.0);
        self.reception.push(first.reception.0.0);
        self.provenance.push(first.provenance);
        for ((column, sample), (_, converted)) in self.columns.iter_mut().zip(samples).zip(cells) {
            let quality = Quality::new(sample.validity, sample.monitoring);
            column.push(sample.raw.clone(), *converted, quality);
        }
    }

    /// Rows as the archive has them; `None` when the lengths differ or a column is not of its entry's kind.
    pub fn from_columns(
        layout: Arc<Layout>,
        version: VersionNumber,
        (generation, reception, provenance): (Vec<i64>, Vec<i64>, Vec<Provenance>),
        columns: Vec<Column>,
    ) -> Option<Self> {
        let rows = generation.len();
        let fits = |(entry, column): (&LayoutEntry, &Column)| {
            column.has_rows(rows) && kinds_of(column) == (entry.raw, entry.converted)
        };
        let is_whole = reception.len() == rows
            && provenance.len() == rows
            && columns.len() == layout.entries().len()
            && layout.entries().iter().zip(&columns).all(fits);
        is_whole.then_some(Self { layout, version, generation, reception, provenance, columns })
    }
}

fn kinds_of(column: &Column) -> (RawKind, ConvertedKind) {
    let raw = match &column.raw {
        RawColumn::Binary(_) => RawKind::Binary,
        RawColumn::Float(_) => RawKind::Float,
        RawColumn::Signed(_) => RawKind::Signed,
        RawColumn::Text(_) => RawKind::Text,
        RawColumn::Unsigned(_) => RawKind::Unsigned,
    };
    let converted = match &column.converted {
        ConvertedColumn::None => ConvertedKind::None,
        ConvertedColumn::Numbers(_) => ConvertedKind::Number,
        ConvertedColumn::Times(_) => ConvertedKind::Time,
    };
    (raw, converted)
}

#[cfg(test)]
mod tests;
