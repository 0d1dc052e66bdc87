//! Samples of one parameter from one source, in columns.

use std::ops::Range;

use space_packet::{GenerationTime, ReceptionTime, TaiTime};

use crate::{Raw, Sample};
use mission_database::ParameterIndex;

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

    fn push(&mut self, raw: Raw) -> bool {
        match (self, raw) {
            (Self::Binary(column), Raw::Binary(bytes)) => column.push(bytes),
            (Self::Float(column), Raw::Float(number)) => column.push(number),
            (Self::Signed(column), Raw::Signed(number)) => column.push(number),
            (Self::Text(column), Raw::Text(text)) => column.push(text),
            (Self::Unsigned(column), Raw::Unsigned(number)) => column.push(number),
            _ => return false,
        }
        true
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

/// Samples of one parameter from one source, in the order they came. All columns have one length.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    generation: Vec<i64>,
    reception: Vec<i64>,
    raw: RawColumn,
    calibrated: Option<Vec<f64>>,
}

impl Series {
    /// A series that begins with a sample.
    pub fn starting_with(sample: Sample) -> Self {
        Self {
            generation: vec![sample.generation.0.0],
            reception: vec![sample.reception.0.0],
            raw: RawColumn::starting_with(sample.raw),
            calibrated: sample.calibrated.map(|number| vec![number]),
        }
    }

    /// A series of columns as they were stored; `None` when their lengths differ.
    pub fn from_columns(
        generation: Vec<i64>,
        reception: Vec<i64>,
        raw: RawColumn,
        calibrated: Option<Vec<f64>>,
    ) -> Option<Self> {
        let length = generation.len();
        let equal = reception.len() == length
            && raw.len() == length
            && calibrated.as_ref().is_none_or(|column| column.len() == length);
        equal.then_some(Self { generation, reception, raw, calibrated })
    }

    /// Adds a sample; false when its kind is not the series' (the dictionary changed in between).
    pub fn push(&mut self, sample: Sample) -> bool {
        if self.calibrated.is_some() != sample.calibrated.is_some() || !self.raw.push(sample.raw) {
            return false;
        }
        self.generation.push(sample.generation.0.0);
        self.reception.push(sample.reception.0.0);
        if let (Some(column), Some(number)) = (&mut self.calibrated, sample.calibrated) {
            column.push(number);
        }
        true
    }

    /// Forgets the oldest samples.
    pub fn drop_first(&mut self, count: usize) {
        let count = count.min(self.len());
        self.generation.drain(..count);
        self.reception.drain(..count);
        self.raw.drop_first(count);
        if let Some(column) = &mut self.calibrated {
            column.drain(..count);
        }
    }

    /// A part of the series; the range lies within it.
    pub fn part(&self, range: Range<usize>) -> Self {
        let raw = match &self.raw {
            RawColumn::Binary(column) => RawColumn::Binary(column[range.clone()].to_vec()),
            RawColumn::Float(column) => RawColumn::Float(column[range.clone()].to_vec()),
            RawColumn::Signed(column) => RawColumn::Signed(column[range.clone()].to_vec()),
            RawColumn::Text(column) => RawColumn::Text(column[range.clone()].to_vec()),
            RawColumn::Unsigned(column) => RawColumn::Unsigned(column[range.clone()].to_vec()),
        };
        Self {
            generation: self.generation[range.clone()].to_vec(),
            reception: self.reception[range.clone()].to_vec(),
            raw,
            calibrated: self.calibrated.as_ref().map(|column| column[range].to_vec()),
        }
    }

    /// Bytes of the raw value at `index`: 8 for a number.
    pub fn raw_bytes(&self, index: usize) -> usize {
        match &self.raw {
            RawColumn::Binary(column) => column[index].len(),
            RawColumn::Text(column) => column[index].len(),
            RawColumn::Float(_) | RawColumn::Signed(_) | RawColumn::Unsigned(_) => 8,
        }
    }

    /// Number of samples.
    pub fn len(&self) -> usize {
        self.generation.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.generation.is_empty()
    }

    /// Generation times, TAI nanoseconds.
    pub fn generation(&self) -> &[i64] {
        &self.generation
    }

    /// Reception times, TAI nanoseconds.
    pub fn reception(&self) -> &[i64] {
        &self.reception
    }

    /// Raw values.
    pub fn raw(&self) -> &RawColumn {
        &self.raw
    }

    /// Calibrated values, where there is a calibrator.
    pub fn calibrated(&self) -> Option<&[f64]> {
        self.calibrated.as_deref()
    }

    /// The number a plot shows at `index`.
    pub fn number(&self, index: usize) -> Option<f64> {
        self.calibrated.as_ref().map_or_else(|| self.raw.number(index), |column| Some(column[index]))
    }

    /// The sample at `index`.
    pub fn sample(&self, parameter: ParameterIndex, index: usize) -> Sample {
        Sample {
            parameter,
            generation: GenerationTime(TaiTime(self.generation[index])),
            reception: ReceptionTime(TaiTime(self.reception[index])),
            raw: self.raw.at(index),
            calibrated: self.calibrated.as_ref().map(|column| column[index]),
        }
    }
}
