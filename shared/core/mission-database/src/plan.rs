//! The compiled dictionary: flat tables, indices instead of names, bit positions where they never move.
//!
//! The loader made every index for the table it points into and refused cycles of bases, types and included
//! containers, so the decoder follows them without checks and always ends.

use std::ops::Range;

use crate::bits::{ByteOrder, FloatCoding, IntegerCoding};
use crate::calibration::{Calibrator, ContextCalibrators};
use crate::condition::{Condition, Register, Subject};
use crate::text::TextFormat;
use crate::times::TimeScale;
use crate::{CompositeIndex, ContainerIndex, EnumerationLabel, ParameterIndex};

#[derive(Debug, Default)]
pub(crate) struct Plan {
    pub(crate) root: Option<ContainerIndex>,
    /// Whether packets end in a CRC-16.
    pub(crate) has_error_control: bool,
    pub(crate) containers: Vec<ContainerPlan>,
    pub(crate) steps: Vec<Step>,
    /// What blocks are made up of.
    pub(crate) numbers: Vec<NumberStep>,
    pub(crate) children: Vec<Child>,
    pub(crate) conditions: Vec<Condition>,
    pub(crate) quantities: Vec<Quantity>,
    pub(crate) calibrators: Vec<Calibrator>,
    pub(crate) context_calibrators: Vec<ContextCalibrators>,
    pub(crate) enumerations: Vec<EnumerationTable>,
    pub(crate) text_formats: Vec<TextFormat>,
    pub(crate) time_scales: Vec<TimeScale>,
    /// Names of elements at which decoding cannot go on.
    pub(crate) stops: Vec<String>,
}

/// What one container adds to its base.
#[derive(Clone, Debug, Default)]
pub(crate) struct ContainerPlan {
    pub(crate) steps: Range<usize>,
    pub(crate) children: Range<usize>,
    pub(crate) is_abstract: bool,
}

/// A container to go on with when its condition holds.
#[derive(Debug)]
pub(crate) struct Child {
    pub(crate) container: ContainerIndex,
    pub(crate) condition: Condition,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    /// Numbers at places that never vary.
    Block(Block),
    /// The values of an aggregate or an array follow.
    Composite(CompositeIndex),
    /// Without the condition, an index into `conditions`, the next `skipped` steps are passed over.
    If {
        condition: u32,
        skipped: u32,
    },
    /// Moves on by so many bits, an index into `quantities`, from a position.
    Locate {
        position: Position,
        quantity: u32,
        parameter: ParameterIndex,
    },
    /// Remembers where an included container starts.
    Mark {
        slot: u32,
        position: Position,
    },
    Read(ReadStep),
    /// The next `body` steps, as often as a quantity says.
    Repeat(Repeat),
    /// An element that cannot be read, an index into `stops`.
    Stop(u32),
}

/// Numbers one after the other in `numbers`, nearly all of what packets hold. Where they stand is known, so that a
/// packet is compared with the end of the block once, and not with the end of each number.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Block {
    pub(crate) first: u32,
    pub(crate) count: u32,
    /// The last bit that any of them needs, and one.
    pub(crate) end_bits: u32,
}

/// A number in a block, most significant byte first.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NumberStep {
    pub(crate) parameter: ParameterIndex,
    pub(crate) start_bits: u32,
    pub(crate) bits: u8,
    pub(crate) coding: NumberCoding,
    pub(crate) conversion: Conversion,
}

/// The codings that nearly all numbers have.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum NumberCoding {
    Double,
    Float,
    TwosComplement,
    Unsigned,
}

impl NumberStep {
    /// `None` when a field is of another kind, which is read by a step of its own.
    pub(crate) fn new(parameter: ParameterIndex, start_bits: u32, field: Field) -> Option<Self> {
        let (bits, coding) = match field.read {
            Read::Float {
                bits: 32,
                coding: FloatCoding::Ieee754,
                order: ByteOrder::MostSignificantFirst,
            } => (32, NumberCoding::Float),
            Read::Float {
                bits: 64,
                coding: FloatCoding::Ieee754,
                order: ByteOrder::MostSignificantFirst,
            } => (64, NumberCoding::Double),
            Read::Integer {
                bits,
                coding: IntegerCoding::Unsigned,
                order: ByteOrder::MostSignificantFirst,
            } => (bits, NumberCoding::Unsigned),
            Read::Integer {
                bits,
                coding: IntegerCoding::TwosComplement,
                order: ByteOrder::MostSignificantFirst,
            } => (bits, NumberCoding::TwosComplement),
            _ => return None,
        };
        Some(NumberStep { parameter, start_bits, bits, coding, conversion: field.conversion })
    }

    /// The same as a field.
    pub(crate) fn field(&self) -> Field {
        let (bits, order) = (self.bits, ByteOrder::MostSignificantFirst);
        let read = match self.coding {
            NumberCoding::Double | NumberCoding::Float => {
                Read::Float { bits, coding: FloatCoding::Ieee754, order }
            }
            NumberCoding::TwosComplement => {
                Read::Integer { bits, coding: IntegerCoding::TwosComplement, order }
            }
            NumberCoding::Unsigned => Read::Integer { bits, coding: IntegerCoding::Unsigned, order },
        };
        Field { read, conversion: self.conversion }
    }

    pub(crate) fn end_bits(&self) -> u32 {
        self.start_bits + u32::from(self.bits)
    }
}

/// One parameter to read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ReadStep {
    pub(crate) parameter: ParameterIndex,
    pub(crate) position: Position,
    pub(crate) field: Field,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Repeat {
    /// How many steps are repeated.
    pub(crate) body: u32,
    /// How often, an index into `quantities`.
    pub(crate) count: u32,
    /// Bits between one and the next.
    pub(crate) gap_bits: i32,
    /// Whether the count is the length of an array.
    pub(crate) is_array: bool,
    /// Whose count it is, for errors.
    pub(crate) parameter: ParameterIndex,
    /// Where the first one starts.
    pub(crate) position: Position,
}

/// Where a field starts, in bits.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Position {
    /// From the start of the packet.
    Absolute(u32),
    /// From a place that was remembered.
    Marked { slot: u8, distance: i32 },
    /// From the end of the step before.
    Relative(i32),
}

/// How to read a parameter and what to make of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Field {
    pub(crate) read: Read,
    pub(crate) conversion: Conversion,
}

/// The field of each parameter, for values that come without a packet. Many parameters share a type.
#[derive(Debug)]
pub(crate) struct LoneFields {
    /// Absent where a type has no encoding.
    pub(crate) of_type: Vec<Option<Field>>,
    /// One for each parameter, an index into `of_type`.
    pub(crate) type_of: Vec<u32>,
}

impl LoneFields {
    pub(crate) fn field(&self, parameter: ParameterIndex) -> Option<Field> {
        self.of_type[self.type_of[parameter.0 as usize] as usize]
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Read {
    Binary { size: Size },
    Float { bits: u8, coding: FloatCoding, order: ByteOrder },
    Integer { bits: u8, coding: IntegerCoding, order: ByteOrder },
    Text { size: Size, format: u16 },
}

/// How many bits a text or a binary field has.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Size {
    Fixed(u32),
    /// What the text itself says: a length in front of it, or a character that ends it.
    OfText,
    /// An index into `quantities`.
    Quantity(u32),
}

/// A whole number that the dictionary gives, or the packet.
#[derive(Clone, Debug)]
pub(crate) enum Quantity {
    Fixed(i64),
    /// `slope` · value + `intercept`.
    Linear {
        subject: Subject,
        slope: f64,
        intercept: f64,
    },
    /// The value of the first condition that holds.
    Lookup(Box<[(Condition, i64)]>),
    /// The last index of an array's dimension less its first one, and one.
    Span {
        first: Box<Quantity>,
        last: Box<Quantity>,
    },
}

impl Quantity {
    /// All registers it looks at.
    pub(crate) fn registers(&self, into: &mut Vec<Register>) {
        match self {
            Quantity::Fixed(_) => {}
            Quantity::Linear { subject, .. } => into.push(subject.register),
            Quantity::Lookup(cases) => cases.iter().for_each(|(condition, _)| condition.registers(into)),
            Quantity::Span { first, last } => {
                first.registers(into);
                last.registers(into);
            }
        }
    }
}

/// From the raw to the engineering value.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Conversion {
    Boolean,
    /// An index into `calibrators`.
    Calibrator(u32),
    /// An index into `context_calibrators`.
    ContextCalibrators(u32),
    /// An index into `enumerations`.
    Enumeration(u32),
    Float,
    Same,
    /// An index into `time_scales`.
    Time(u32),
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
