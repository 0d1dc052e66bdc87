//! Samples of one parameter from one source, in columns.

use std::ops::Range;

use mission_database::{MonitoringResult, ParameterIndex, Validity, VersionNumber};
use space_packet::{GenerationTime, ReceptionTime, TaiTime};

use crate::{Converted, Raw, Sample};

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
    fn starting_with(raw: Raw) -> Self {
        match raw {
            Raw::Binary(bytes) => Self::Binary(vec![bytes]),
            Raw::Float(number) => Self::Float(vec![number]),
            Raw::Signed(number) => Self::Signed(vec![number]),
            Raw::Text(text) => Self::Text(vec![text]),
            Raw::Unsigned(number) => Self::Unsigned(vec![number]),
        }
    }

    fn fits(&self, raw: &Raw) -> bool {
        matches!(
            (self, raw),
            (Self::Binary(_), Raw::Binary(_))
                | (Self::Float(_), Raw::Float(_))
                | (Self::Signed(_), Raw::Signed(_))
                | (Self::Text(_), Raw::Text(_))
                | (Self::Unsigned(_), Raw::Unsigned(_))
        )
    }

    fn push(&mut self, raw: Raw) {
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

    fn number(&self, index: usize) -> Option<f64> {
        match self {
            Self::Binary(_) | Self::Text(_) => None,
            Self::Float(column) => Some(column[index]),
            Self::Signed(column) => Some(column[index] as f64),
            Self::Unsigned(column) => Some(column[index] as f64),
        }
    }

    fn part(&self, range: Range<usize>) -> Self {
        match self {
            Self::Binary(column) => Self::Binary(column[range].to_vec()),
            Self::Float(column) => Self::Float(column[range].to_vec()),
            Self::Signed(column) => Self::Signed(column[range].to_vec()),
            Self::Text(column) => Self::Text(column[range].to_vec()),
            Self::Unsigned(column) => Self::Unsigned(column[range].to_vec()),
        }
    }

    fn drop_first(&mut self, count: usize) {
        match self {
            Self::Binary(column) => drop(column.drain(..count)),
            Self::Float(column) => drop(column.drain(..count)),
            Self::Signed(column) => drop(column.drain(..count)),
            Self::Text(column) => drop(column.drain(..count)),
            Self::Unsigned(column) => drop(column.drain(..count)),
        }
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
    fn starting_with(converted: Option<Converted>) -> Self {
        match converted {
            None => Self::None,
            Some(Converted::Number(number)) => Self::Numbers(vec![number]),
            Some(Converted::Time(time)) => Self::Times(vec![time.0]),
        }
    }

    fn fits(&self, converted: Option<Converted>) -> bool {
        matches!(
            (self, converted),
            (Self::None, None)
                | (Self::Numbers(_), Some(Converted::Number(_)))
                | (Self::Times(_), Some(Converted::Time(_)))
        )
    }

    fn push(&mut self, converted: Option<Converted>) {
        match (self, converted) {
            (Self::Numbers(column), Some(Converted::Number(number))) => column.push(number),
            (Self::Times(column), Some(Converted::Time(time))) => column.push(time.0),
            // `fits` was asked before.
            _ => {}
        }
    }

    /// Number of values, where there are some.
    fn len(&self) -> Option<usize> {
        match self {
            Self::None => None,
            Self::Numbers(column) => Some(column.len()),
            Self::Times(column) => Some(column.len()),
        }
    }

    fn at(&self, index: usize) -> Option<Converted> {
        match self {
            Self::None => None,
            Self::Numbers(column) => Some(Converted::Number(column[index])),
            Self::Times(column) => Some(Converted::Time(TaiTime(column[index]))),
        }
    }

    fn part(&self, range: Range<usize>) -> Self {
        match self {
            Self::None => Self::None,
            Self::Numbers(column) => Self::Numbers(column[range].to_vec()),
            Self::Times(column) => Self::Times(column[range].to_vec()),
        }
    }

    fn drop_first(&mut self, count: usize) {
        match self {
            Self::None => {}
            Self::Numbers(column) => drop(column.drain(..count)),
            Self::Times(column) => drop(column.drain(..count)),
        }
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

    fn validity(self) -> Validity {
        Validity::from_number(self.0 & 0xF).unwrap_or_default()
    }

    fn monitoring(self) -> MonitoringResult {
        MonitoringResult::from_number(self.0 >> 4).unwrap_or_default()
    }
}

/// Whether a number belongs on a plot. That an enumeration has no label for it does not make it wrong.
pub(crate) fn is_plotted(validity: Validity) -> bool {
    matches!(validity, Validity::Valid | Validity::UnknownLabel)
}

/// The columns of a series as they are stored.
#[derive(Clone, Debug, PartialEq)]
pub struct Columns {
    /// The version of the dictionary that read all of its samples.
    pub version: VersionNumber,
    /// Generation times, TAI nanoseconds.
    pub generation: Vec<i64>,
    /// Reception times, TAI nanoseconds.
    pub reception: Vec<i64>,
    /// Raw values.
    pub raw: RawColumn,
    /// Engineering values, where they do not follow from the raw ones.
    pub converted: ConvertedColumn,
    /// Validity and monitoring result.
    pub quality: Vec<Quality>,
}

/// Samples of one parameter from one source, read by one version of the dictionary, in the order they came. All
/// columns have one length.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    columns: Columns,
}

impl Series {
    /// A series that begins with a sample.
    pub fn starting_with(sample: Sample) -> Self {
        Self {
            columns: Columns {
                version: sample.version,
                generation: vec![sample.generation.0.0],
                reception: vec![sample.reception.0.0],
                raw: RawColumn::starting_with(sample.raw),
                converted: ConvertedColumn::starting_with(sample.converted),
                quality: vec![Quality::new(sample.validity, sample.monitoring)],
            },
        }
    }

    /// A series of columns as they were stored; `None` when their lengths differ.
    pub fn from_columns(columns: Columns) -> Option<Self> {
        let length = columns.generation.len();
        let equal = columns.reception.len() == length
            && columns.raw.len() == length
            && columns.quality.len() == length
            && columns.converted.len().is_none_or(|found| found == length);
        equal.then_some(Self { columns })
    }

    /// Whether a sample belongs here: read by the same version of the dictionary, and of the same kind.
    pub fn fits(&self, sample: &Sample) -> bool {
        let columns = &self.columns;
        columns.version == sample.version
            && columns.converted.fits(sample.converted)
            && columns.raw.fits(&sample.raw)
    }

    /// Adds a sample; false when another version of the dictionary read it, or its kind is not the series' (a number
    /// that could not be read as one).
    pub fn push(&mut self, sample: Sample) -> bool {
        if !self.fits(&sample) {
            return false;
        }
        let columns = &mut self.columns;
        columns.raw.push(sample.raw);
        columns.generation.push(sample.generation.0.0);
        columns.reception.push(sample.reception.0.0);
        columns.converted.push(sample.converted);
        columns.quality.push(Quality::new(sample.validity, sample.monitoring));
        true
    }

    /// Forgets the oldest samples.
    pub fn drop_first(&mut self, count: usize) {
        let count = count.min(self.len());
        let columns = &mut self.columns;
        columns.generation.drain(..count);
        columns.reception.drain(..count);
        columns.raw.drop_first(count);
        columns.converted.drop_first(count);
        columns.quality.drain(..count);
    }

    /// A part of the series; the range lies within it.
    pub fn part(&self, range: Range<usize>) -> Self {
        let columns = &self.columns;
        Self {
            columns: Columns {
                version: columns.version,
                generation: columns.generation[range.clone()].to_vec(),
                reception: columns.reception[range.clone()].to_vec(),
                raw: columns.raw.part(range.clone()),
                converted: columns.converted.part(range.clone()),
                quality: columns.quality[range].to_vec(),
            },
        }
    }

    /// Bytes of the raw value at `index`: 8 for a number.
    pub fn raw_bytes(&self, index: usize) -> usize {
        match &self.columns.raw {
            RawColumn::Binary(column) => column[index].len(),
            RawColumn::Text(column) => column[index].len(),
            RawColumn::Float(_) | RawColumn::Signed(_) | RawColumn::Unsigned(_) => 8,
        }
    }

    /// Number of samples.
    pub fn len(&self) -> usize {
        self.columns.generation.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.columns.generation.is_empty()
    }

    /// All columns.
    pub fn columns(&self) -> &Columns {
        &self.columns
    }

    /// Generation times, TAI nanoseconds.
    pub fn generation(&self) -> &[i64] {
        &self.columns.generation
    }

    /// The number a plot shows at `index`; nothing where that would be no measurement.
    pub fn number(&self, index: usize) -> Option<f64> {
        if !is_plotted(self.columns.quality[index].validity()) {
            return None;
        }
        match &self.columns.converted {
            ConvertedColumn::None => self.columns.raw.number(index),
            ConvertedColumn::Numbers(column) => Some(column[index]),
            ConvertedColumn::Times(_) => None,
        }
    }

    /// The sample at `index`.
    pub fn sample(&self, parameter: ParameterIndex, index: usize) -> Sample {
        let columns = &self.columns;
        Sample {
            parameter,
            generation: GenerationTime(TaiTime(columns.generation[index])),
            reception: ReceptionTime(TaiTime(columns.reception[index])),
            raw: columns.raw.at(index),
            converted: columns.converted.at(index),
            validity: columns.quality[index].validity(),
            monitoring: columns.quality[index].monitoring(),
            version: columns.version,
        }
    }
}
