//! Values of one parameter in columns, as they lie in memory and in the archive.

use std::ops::Range;

use mission_database::{Derivation, MonitoringResult, ParameterIndex, Validity, VersionNumber};
use space_packet::{GenerationTime, ReceptionTime, TaiTime};

use crate::{Converted, Provenance, Raw, Sample};

/// Raw values of one kind.
#[derive(Clone, Debug, PartialEq)]
pub enum RawColumn {
    /// Bytes.
    Binary(Vec<Box<[u8]>>),
    /// Floating-point numbers.
    Float(Vec<f64>),
    /// Signed integers.
    Signed(Vec<i64>),
    /// Texts.
    Text(Vec<Box<str>>),
    /// Unsigned integers.
    Unsigned(Vec<u64>),
}

impl RawColumn {
    pub(crate) fn starting_with(raw: Raw) -> Self {
        match raw {
            Raw::Binary(bytes) => Self::Binary(vec![bytes]),
            Raw::Float(number) => Self::Float(vec![number]),
            Raw::Signed(number) => Self::Signed(vec![number]),
            Raw::Text(text) => Self::Text(vec![text]),
            Raw::Unsigned(number) => Self::Unsigned(vec![number]),
        }
    }

    pub(crate) fn fits(&self, raw: &Raw) -> bool {
        matches!(
            (self, raw),
            (Self::Binary(_), Raw::Binary(_))
                | (Self::Float(_), Raw::Float(_))
                | (Self::Signed(_), Raw::Signed(_))
                | (Self::Text(_), Raw::Text(_))
                | (Self::Unsigned(_), Raw::Unsigned(_))
        )
    }

    pub(crate) fn push(&mut self, raw: Raw) {
        match (self, raw) {
            (Self::Binary(column), Raw::Binary(bytes)) => column.push(bytes),
            (Self::Float(column), Raw::Float(number)) => column.push(number),
            (Self::Signed(column), Raw::Signed(number)) => column.push(number),
            (Self::Text(column), Raw::Text(text)) => column.push(text),
            (Self::Unsigned(column), Raw::Unsigned(number)) => column.push(number),
            // `fits` was asked before.
            _ => {}
        }
    }

    /// Number of values.
    pub fn len(&self) -> usize {
        match self {
            Self::Binary(column) => column.len(),
            Self::Float(column) => column.len(),
            Self::Signed(column) => column.len(),
            Self::Text(column) => column.len(),
            Self::Unsigned(column) => column.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The value at `index`, which is below `len`.
    pub fn at(&self, index: usize) -> Raw {
        match self {
            Self::Binary(column) => Raw::Binary(column[index].clone()),
            Self::Float(column) => Raw::Float(column[index]),
            Self::Signed(column) => Raw::Signed(column[index]),
            Self::Text(column) => Raw::Text(column[index].clone()),
            Self::Unsigned(column) => Raw::Unsigned(column[index]),
        }
    }

    pub(crate) fn number(&self, index: usize) -> Option<f64> {
        match self {
            Self::Binary(_) | Self::Text(_) => None,
            Self::Float(column) => Some(column[index]),
            Self::Signed(column) => Some(column[index] as f64),
            Self::Unsigned(column) => Some(column[index] as f64),
        }
    }

    pub(crate) fn part(&self, range: Range<usize>) -> Self {
        match self {
            Self::Binary(column) => Self::Binary(column[range].to_vec()),
            Self::Float(column) => Self::Float(column[range].to_vec()),
            Self::Signed(column) => Self::Signed(column[range].to_vec()),
            Self::Text(column) => Self::Text(column[range].to_vec()),
            Self::Unsigned(column) => Self::Unsigned(column[range].to_vec()),
        }
    }

    pub(crate) fn drop_first(&mut self, count: usize) {
        match self {
            Self::Binary(column) => drop(column.drain(..count)),
            Self::Float(column) => drop(column.drain(..count)),
            Self::Signed(column) => drop(column.drain(..count)),
            Self::Text(column) => drop(column.drain(..count)),
            Self::Unsigned(column) => drop(column.drain(..count)),
        }
    }
}

impl RawColumn {
    fn gather(&self, rows: &[u32]) -> Self {
        match self {
            Self::Binary(column) => Self::Binary(gather(column, rows)),
            Self::Float(column) => Self::Float(gather(column, rows)),
            Self::Signed(column) => Self::Signed(gather(column, rows)),
            Self::Text(column) => Self::Text(gather(column, rows)),
            Self::Unsigned(column) => Self::Unsigned(gather(column, rows)),
        }
    }

    fn append(&mut self, other: Self) -> bool {
        match (self, other) {
            (Self::Binary(column), Self::Binary(other)) => column.extend(other),
            (Self::Float(column), Self::Float(other)) => column.extend(other),
            (Self::Signed(column), Self::Signed(other)) => column.extend(other),
            (Self::Text(column), Self::Text(other)) => column.extend(other),
            (Self::Unsigned(column), Self::Unsigned(other)) => column.extend(other),
            _ => return false,
        }
        true
    }
}

/// Converted values of one kind.
#[derive(Clone, Debug, PartialEq)]
pub enum ConvertedColumn {
    /// Engineering values follow from the raw ones.
    None,
    /// Numbers.
    Numbers(Vec<f64>),
    /// Moments, TAI nanoseconds.
    Times(Vec<i64>),
}

impl ConvertedColumn {
    pub(crate) fn starting_with(converted: Option<Converted>) -> Self {
        match converted {
            None => Self::None,
            Some(Converted::Number(number)) => Self::Numbers(vec![number]),
            Some(Converted::Time(time)) => Self::Times(vec![time.0]),
        }
    }

    pub(crate) fn fits(&self, converted: Option<Converted>) -> bool {
        matches!(
            (self, converted),
            (Self::None, None)
                | (Self::Numbers(_), Some(Converted::Number(_)))
                | (Self::Times(_), Some(Converted::Time(_)))
        )
    }

    pub(crate) fn push(&mut self, converted: Option<Converted>) {
        match (self, converted) {
            (Self::Numbers(column), Some(Converted::Number(number))) => column.push(number),
            (Self::Times(column), Some(Converted::Time(time))) => column.push(time.0),
            // `fits` was asked before.
            _ => {}
        }
    }

    /// Number of values, where there are some.
    pub(crate) fn rows(&self) -> Option<usize> {
        match self {
            Self::None => None,
            Self::Numbers(column) => Some(column.len()),
            Self::Times(column) => Some(column.len()),
        }
    }

    pub(crate) fn at(&self, index: usize) -> Option<Converted> {
        match self {
            Self::None => None,
            Self::Numbers(column) => Some(Converted::Number(column[index])),
            Self::Times(column) => Some(Converted::Time(TaiTime(column[index]))),
        }
    }

    pub(crate) fn part(&self, range: Range<usize>) -> Self {
        match self {
            Self::None => Self::None,
            Self::Numbers(column) => Self::Numbers(column[range].to_vec()),
            Self::Times(column) => Self::Times(column[range].to_vec()),
        }
    }

    pub(crate) fn drop_first(&mut self, count: usize) {
        match self {
            Self::None => {}
            Self::Numbers(column) => drop(column.drain(..count)),
            Self::Times(column) => drop(column.drain(..count)),
        }
    }
}

impl ConvertedColumn {
    fn gather(&self, rows: &[u32]) -> Self {
        match self {
            Self::None => Self::None,
            Self::Numbers(column) => Self::Numbers(gather(column, rows)),
            Self::Times(column) => Self::Times(gather(column, rows)),
        }
    }

    fn append(&mut self, other: Self) -> bool {
        match (self, other) {
            (Self::None, Self::None) => {}
            (Self::Numbers(column), Self::Numbers(other)) => column.extend(other),
            (Self::Times(column), Self::Times(other)) => column.extend(other),
            _ => return false,
        }
        true
    }
}

/// Validity and monitoring result of a sample in one byte, as it lies in memory and in the archive.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Quality(u8);

impl Quality {
    /// Of a sample.
    pub fn new(validity: Validity, monitoring: MonitoringResult) -> Self {
        Self(validity as u8 | (monitoring as u8) << 4)
    }

    /// From the archive; `None` when it is none.
    pub fn from_byte(byte: u8) -> Option<Self> {
        let is_known =
            Validity::from_number(byte & 0xF).and(MonitoringResult::from_number(byte >> 4)).is_some();
        is_known.then_some(Self(byte))
    }

    /// For the archive.
    pub fn byte(self) -> u8 {
        self.0
    }

    pub(crate) fn validity(self) -> Validity {
        Validity::from_number(self.0 & 0xF).unwrap_or_default()
    }

    pub(crate) fn monitoring(self) -> MonitoringResult {
        MonitoringResult::from_number(self.0 >> 4).unwrap_or_default()
    }
}

/// Whether a number belongs on a plot. That an enumeration has no label for it does not make it wrong.
pub(crate) fn is_plotted(validity: Validity) -> bool {
    matches!(validity, Validity::Valid | Validity::UnknownLabel)
}

/// Values of one parameter. All columns have one length, but for converted values that are not there.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// Raw values.
    pub raw: RawColumn,
    /// Engineering values, where they do not follow from the raw ones.
    pub converted: ConvertedColumn,
    /// Validity and monitoring result.
    pub quality: Vec<Quality>,
}

impl Column {
    pub(crate) fn starting_with(raw: Raw, converted: Option<Converted>, quality: Quality) -> Self {
        Self {
            raw: RawColumn::starting_with(raw),
            converted: ConvertedColumn::starting_with(converted),
            quality: vec![quality],
        }
    }

    /// Whether a value is of the kinds that this column holds.
    pub(crate) fn fits(&self, raw: &Raw, converted: Option<Converted>) -> bool {
        self.raw.fits(raw) && self.converted.fits(converted)
    }

    /// Adds a value that fits.
    pub(crate) fn push(&mut self, raw: Raw, converted: Option<Converted>, quality: Quality) {
        self.raw.push(raw);
        self.converted.push(converted);
        self.quality.push(quality);
    }

    pub(crate) fn drop_first(&mut self, count: usize) {
        self.raw.drop_first(count);
        self.converted.drop_first(count);
        self.quality.drain(..count);
    }

    /// Values of a range of rows, which lies within.
    pub fn part(&self, range: Range<usize>) -> Self {
        Self {
            raw: self.raw.part(range.clone()),
            converted: self.converted.part(range.clone()),
            quality: self.quality[range].to_vec(),
        }
    }

    /// Values of these rows, in this order; each lies within.
    pub fn gather(&self, rows: &[u32]) -> Self {
        Self {
            raw: self.raw.gather(rows),
            converted: self.converted.gather(rows),
            quality: gather(&self.quality, rows),
        }
    }

    /// Adds the values of a column of the same kinds; false when it is not.
    pub fn append(&mut self, other: Self) -> bool {
        if !self.raw.append(other.raw) || !self.converted.append(other.converted) {
            return false;
        }
        self.quality.extend(other.quality);
        true
    }

    /// Whether so many rows are in it.
    pub fn has_rows(&self, rows: usize) -> bool {
        let converted = self.converted.rows().unwrap_or(rows);
        self.raw.len() == rows && self.quality.len() == rows && converted == rows
    }

    /// Bytes of the raw value of a row: 8 for a number.
    pub fn raw_bytes(&self, row: usize) -> usize {
        match &self.raw {
            RawColumn::Binary(column) => column[row].len(),
            RawColumn::Text(column) => column[row].len(),
            RawColumn::Float(_) | RawColumn::Signed(_) | RawColumn::Unsigned(_) => 8,
        }
    }
}

fn gather<T: Clone>(values: &[T], rows: &[u32]) -> Vec<T> {
    rows.iter().map(|&row| values[row as usize].clone()).collect()
}

/// Samples of one parameter, wherever its columns lie.
#[derive(Clone, Copy, Debug)]
pub struct SeriesView<'a> {
    /// The version of the dictionary that read them.
    pub version: VersionNumber,
    /// Generation times, TAI nanoseconds.
    pub generation: &'a [i64],
    /// Reception times, TAI nanoseconds.
    pub reception: &'a [i64],
    /// How each came; empty when all of them came live.
    pub provenance: &'a [Provenance],
    /// Values.
    pub column: &'a Column,
    /// How engineering values follow from the raw ones, where they are other numbers and not kept.
    pub derivation: Option<&'a Derivation>,
}

impl SeriesView<'_> {
    /// The number a plot shows; nothing where that would be no measurement.
    pub fn number(&self, row: usize) -> Option<f64> {
        if !is_plotted(self.column.quality[row].validity()) {
            return None;
        }
        match &self.column.converted {
            ConvertedColumn::None => {
                let raw = self.column.raw.number(row)?;
                Some(self.derivation.map_or(raw, |derivation| derivation.apply(raw)))
            }
            ConvertedColumn::Numbers(column) => Some(column[row]),
            ConvertedColumn::Times(_) => None,
        }
    }

    /// How the value of a row stood to its limits.
    pub fn monitoring(&self, row: usize) -> MonitoringResult {
        self.column.quality[row].monitoring()
    }

    /// How the value of a row came.
    pub fn provenance(&self, row: usize) -> Provenance {
        self.provenance.get(row).copied().unwrap_or_default()
    }

    /// The sample of a row.
    pub fn sample(&self, parameter: ParameterIndex, row: usize) -> Sample {
        let quality = self.column.quality[row];
        let derived = || {
            let derivation = self.derivation?;
            Some(Converted::Number(derivation.apply(self.column.raw.number(row)?)))
        };
        Sample {
            parameter,
            generation: GenerationTime(TaiTime(self.generation[row])),
            reception: ReceptionTime(TaiTime(self.reception[row])),
            raw: self.column.raw.at(row),
            converted: self.column.converted.at(row).or_else(derived),
            validity: quality.validity(),
            monitoring: quality.monitoring(),
            version: self.version,
            provenance: self.provenance(row),
        }
    }
}
