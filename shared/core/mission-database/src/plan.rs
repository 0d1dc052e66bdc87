//! The compiled dictionary: flat tables, indices instead of names, bit positions where they never move.
//!
//! The loader made every index for the table it points into and refused cycles of bases, so the decoder
//! follows them without checks and always ends.

use std::ops::Range;

use crate::bits::{ByteOrder, IntegerCoding};
use crate::text::TextFormat;
use crate::{ContainerIndex, EnumerationLabel, ParameterIndex};

#[derive(Debug, Default)]
pub(crate) struct Plan {
    pub(crate) root: Option<ContainerIndex>,
    pub(crate) containers: Vec<ContainerPlan>,
    pub(crate) steps: Vec<Step>,
    pub(crate) children: Vec<Child>,
    pub(crate) comparisons: Vec<Comparison>,
    pub(crate) coefficients: Vec<f64>,
    pub(crate) enumerations: Vec<EnumerationTable>,
    pub(crate) dynamic_sizes: Vec<DynamicSize>,
    pub(crate) text_formats: Vec<TextFormat>,
}

/// What one container adds to its base.
#[derive(Clone, Debug, Default)]
pub(crate) struct ContainerPlan {
    pub(crate) steps: Range<usize>,
    pub(crate) children: Range<usize>,
    pub(crate) is_abstract: bool,
}

/// A container to go on with when all its comparisons hold.
#[derive(Debug)]
pub(crate) struct Child {
    pub(crate) container: ContainerIndex,
    pub(crate) comparisons: Range<usize>,
}

/// One parameter to read. An entry that is conditional or repeated will be a second kind of step.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Step {
    pub(crate) parameter: ParameterIndex,
    pub(crate) position: Position,
    pub(crate) field: Field,
}

/// Where a field starts, in bits.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Position {
    /// From the start of the packet.
    Absolute(u32),
    /// From the end of the step before.
    Relative(i32),
}

/// How to read a parameter and what to make of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Field {
    pub(crate) read: Read,
    pub(crate) conversion: Conversion,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Read {
    Binary { size: Size },
    Float { bits: u32, order: ByteOrder },
    Integer { bits: u32, sign: IntegerCoding, order: ByteOrder },
    Text { size: Size, format: usize },
}

/// How many bits a text or a binary field has.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Size {
    /// An index into `dynamic_sizes`.
    Dynamic(usize),
    Fixed(u32),
}

/// A size that another parameter of the same packet gives: `slope` · value + `intercept` bits.
#[derive(Debug)]
pub(crate) struct DynamicSize {
    pub(crate) parameter: ParameterIndex,
    pub(crate) is_calibrated: bool,
    pub(crate) slope: f64,
    pub(crate) intercept: f64,
}

/// From the raw to the engineering value.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Conversion {
    Boolean,
    /// An index into `enumerations`.
    Enumeration(usize),
    Float,
    /// Coefficients, that of the constant term first.
    Polynomial {
        first: usize,
        count: usize,
    },
    Same,
}

#[derive(Debug)]
pub(crate) struct Comparison {
    pub(crate) parameter: ParameterIndex,
    /// Where among the decoded values the parameter stands, which is known as long as every entry gives one
    /// value.
    pub(crate) value_index: usize,
    pub(crate) is_calibrated: bool,
    pub(crate) operator: Operator,
    pub(crate) operand: Operand,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Operator {
    Equal,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
    NotEqual,
}

/// What a value is compared with, in the type that the parameter has.
#[derive(Debug)]
pub(crate) enum Operand {
    Boolean(bool),
    Float(f64),
    Integer(i128),
    /// Indices of all labels that read the same.
    Labels(Box<[u32]>),
    Text(Box<str>),
}

/// From raw value to label index; where ranges overlap, the first in document order counts.
#[derive(Debug)]
pub(crate) enum EnumerationTable {
    /// One place for each value from `first` on.
    Dense { first: i64, labels: Box<[Option<u32>]> },
    /// Ranges that overlap, in document order.
    Overlapping(Box<[LabelRange]>),
    /// Ranges that do not overlap, by value.
    Sorted(Box<[LabelRange]>),
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct LabelRange {
    first: i64,
    last: i64,
    label: u32,
}

/// A table of this many places is smaller than searching is slow.
const DENSE_PLACES_MAX: i128 = 1024;

impl EnumerationTable {
    pub(crate) fn new(labels: &[EnumerationLabel]) -> Self {
        let ranges: Vec<_> = (0..).zip(labels).map(LabelRange::new).collect();
        let first = ranges.iter().map(|range| range.first).min().unwrap_or(0);
        let last = ranges.iter().map(|range| range.last).max().unwrap_or(0);
        let places = i128::from(last) - i128::from(first) + 1;
        if places <= DENSE_PLACES_MAX {
            let label = |value| ranges.iter().find(|range| range.holds(value)).map(|range| range.label);
            return EnumerationTable::Dense { first, labels: (first..=last).map(label).collect() };
        }
        let mut sorted = ranges.clone();
        sorted.sort_by_key(|range| range.first);
        if sorted.is_sorted_by(|before, after| before.last < after.first) {
            return EnumerationTable::Sorted(sorted.into());
        }
        EnumerationTable::Overlapping(ranges.into())
    }

    pub(crate) fn label(&self, value: i64) -> Option<u32> {
        match self {
            EnumerationTable::Dense { first, labels } => {
                let place = usize::try_from(value.checked_sub(*first)?).ok()?;
                labels.get(place).copied().flatten()
            }
            EnumerationTable::Overlapping(ranges) => {
                ranges.iter().find(|range| range.holds(value)).map(|range| range.label)
            }
            EnumerationTable::Sorted(ranges) => {
                let after = ranges.partition_point(|range| range.first <= value);
                let range = ranges[..after].last()?;
                range.holds(value).then_some(range.label)
            }
        }
    }
}

impl LabelRange {
    fn new((label, range): (u32, &EnumerationLabel)) -> Self {
        LabelRange { first: range.first, last: range.last, label }
    }

    fn holds(&self, value: i64) -> bool {
        self.first <= value && value <= self.last
    }
}
