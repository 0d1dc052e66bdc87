//! Runs the plan over a packet.

use std::borrow::Cow;
use std::cmp::Ordering;

use crate::bits::{self, ByteOrder, IntegerCoding};
use crate::plan::{
    Child, Comparison, ContainerPlan, Conversion, DynamicSize, Operand, Operator, Plan, Position, Read, Size,
    Step,
};
use crate::{
    DecodeError, DecodedPacket, DecodedValue, Dictionary, EngineeringValue, ParameterIndex, RawValue,
};

pub(crate) fn decode<'p>(
    dictionary: &Dictionary,
    packet: &'p [u8],
    into: &mut DecodedPacket<'p>,
) -> Result<(), DecodeError> {
    into.clear();
    let plan = &dictionary.plan;
    let mut container = plan.root.ok_or(DecodeError::NoContainer)?;
    let decoder = Decoder { dictionary, plan, packet, packet_bits: packet.len() * 8 };
    // Each turn goes from a base to a container derived from it; the loader refused cycles.
    loop {
        let current = &plan.containers[container.0 as usize];
        into.container = Some(container);
        decoder.run_steps(current, into)?;
        let Some(child) = plan.matching_child(current, &into.values) else {
            into.unresolved = current.is_abstract;
            return Ok(());
        };
        container = child.container;
    }
}

struct Decoder<'d, 'p> {
    dictionary: &'d Dictionary,
    plan: &'d Plan,
    packet: &'p [u8],
    packet_bits: usize,
}

impl<'p> Decoder<'_, 'p> {
    fn run_steps(&self, container: &ContainerPlan, into: &mut DecodedPacket<'p>) -> Result<(), DecodeError> {
        let steps = &self.plan.steps[container.steps.clone()];
        into.values.reserve(steps.len());
        for step in steps {
            let start = self.start(step, into.bits)?;
            let size = self.size(step, &into.values)?;
            let end = start.saturating_add(size);
            if end > self.packet_bits {
                return Err(self.too_short(step, end));
            }
            let raw = self.read(step, start, size);
            let engineering = self.plan.engineering_value(&raw, step.field.conversion);
            into.values.push(DecodedValue { parameter: step.parameter, raw, engineering });
            into.bits = end;
        }
        Ok(())
    }

    #[inline]
    fn start(&self, step: &Step, cursor: usize) -> Result<usize, DecodeError> {
        match step.position {
            Position::Absolute(start) => Ok(start as usize),
            Position::Relative(distance) => cursor.checked_add_signed(distance as isize).ok_or_else(|| {
                let before_start_bits = distance.unsigned_abs() as usize - cursor;
                DecodeError::PositionOutOfRange { parameter: self.name(step.parameter), before_start_bits }
            }),
        }
    }

    /// How many bits the field has in this packet.
    #[inline]
    fn size(&self, step: &Step, values: &[DecodedValue<'p>]) -> Result<usize, DecodeError> {
        match step.field.read {
            Read::Float { bits, .. } | Read::Integer { bits, .. } => Ok(bits as usize),
            Read::Binary { size: Size::Fixed(bits) } | Read::Text { size: Size::Fixed(bits), .. } => {
                Ok(bits as usize)
            }
            Read::Binary { size: Size::Dynamic(index) } => self.dynamic_size(step, index, 1.0, values),
            Read::Text { size: Size::Dynamic(index), .. } => self.dynamic_size(step, index, 8.0, values),
        }
    }

    /// The raw value of a field that lies within the packet.
    #[inline]
    fn read(&self, step: &Step, start: usize, size: usize) -> RawValue<'p> {
        match step.field.read {
            Read::Integer { bits, sign: IntegerCoding::Unsigned, order } => {
                RawValue::Unsigned(self.number(start, bits, order))
            }
            Read::Integer { bits, sign, order } => {
                RawValue::Signed(bits::signed(self.number(start, bits, order), bits, sign))
            }
            Read::Float { bits, order } => {
                RawValue::Float(bits::float(self.number(start, bits, order), bits))
            }
            Read::Binary { .. } => RawValue::Binary(self.bytes(start, size)),
            Read::Text { format, .. } => {
                RawValue::Text(self.plan.text_formats[format].decode(self.bytes(start, size)))
            }
        }
    }

    #[inline]
    fn number(&self, start: usize, bits: u32, order: ByteOrder) -> u64 {
        bits::reorder(bits::read(self.packet, start, bits), bits, order)
    }

    fn bytes(&self, start: usize, size: usize) -> Cow<'p, [u8]> {
        if start.is_multiple_of(8) && size.is_multiple_of(8) {
            return Cow::Borrowed(&self.packet[start / 8..(start + size) / 8]);
        }
        Cow::Owned(bits::bytes(self.packet, start, size))
    }

    fn dynamic_size(
        &self,
        step: &Step,
        index: usize,
        multiple_of: f64,
        values: &[DecodedValue<'p>],
    ) -> Result<usize, DecodeError> {
        let size_bits = self.plan.dynamic_sizes[index].evaluate(values);
        if size_bits.is_finite() && size_bits >= 0.0 && size_bits % multiple_of == 0.0 {
            // Saturates, which is then too long for any packet.
            return Ok(size_bits as usize);
        }
        Err(DecodeError::SizeOutOfRange { parameter: self.name(step.parameter), size_bits })
    }

    #[cold]
    fn too_short(&self, step: &Step, needed_bits: usize) -> DecodeError {
        let parameter = self.name(step.parameter);
        DecodeError::TooShort { parameter, needed_bits, available_bits: self.packet_bits }
    }

    fn name(&self, parameter: ParameterIndex) -> String {
        self.dictionary.parameter(parameter).name.clone()
    }
}

impl DynamicSize {
    /// NaN when the parameter has no numeric value.
    fn evaluate(&self, values: &[DecodedValue<'_>]) -> f64 {
        let decoded = values.iter().rev().find(|value| value.parameter == self.parameter);
        let value = decoded.and_then(|value| match self.is_calibrated {
            true => value.engineering.as_f64(),
            false => value.raw.as_f64(),
        });
        value.map_or(f64::NAN, |value| self.slope * value + self.intercept)
    }
}

impl Plan {
    #[inline]
    fn engineering_value<'p>(&self, raw: &RawValue<'p>, conversion: Conversion) -> EngineeringValue<'p> {
        match conversion {
            Conversion::Boolean => EngineeringValue::Boolean(raw.as_f64() != Some(0.0)),
            Conversion::Enumeration(table) => {
                let label = integer(raw).and_then(|value| self.enumerations[table].label(value));
                label.map_or(EngineeringValue::None, EngineeringValue::Label)
            }
            Conversion::Float => raw.as_f64().map_or(EngineeringValue::None, EngineeringValue::Float),
            Conversion::Polynomial { first, count } => {
                let coefficients = &self.coefficients[first..first + count];
                let value = raw.as_f64().map(|x| evaluate_polynomial(coefficients, x));
                value.map_or(EngineeringValue::None, EngineeringValue::Float)
            }
            Conversion::Same => match raw {
                RawValue::Binary(bytes) => EngineeringValue::Binary(bytes.clone()),
                RawValue::Float(value) => EngineeringValue::Float(*value),
                RawValue::Signed(value) => EngineeringValue::Signed(*value),
                RawValue::Text(text) => EngineeringValue::Text(text.clone()),
                RawValue::Unsigned(value) => EngineeringValue::Unsigned(*value),
            },
        }
    }

    fn matching_child(&self, container: &ContainerPlan, values: &[DecodedValue<'_>]) -> Option<&Child> {
        let holds = |comparison: &Comparison| comparison.holds(values);
        let children = &self.children[container.children.clone()];
        children.iter().find(|child| self.comparisons[child.comparisons.clone()].iter().all(holds))
    }
}

/// Horner's rule, from the highest term down.
fn evaluate_polynomial(coefficients: &[f64], x: f64) -> f64 {
    let Some((highest, lower)) = coefficients.split_last() else { return 0.0 };
    lower.iter().rev().fold(*highest, |sum, coefficient| sum * x + coefficient)
}

/// `None` beyond what an enumeration can name.
fn integer(raw: &RawValue<'_>) -> Option<i64> {
    match raw {
        RawValue::Signed(value) => Some(*value),
        RawValue::Unsigned(value) => i64::try_from(*value).ok(),
        RawValue::Binary(_) | RawValue::Float(_) | RawValue::Text(_) => None,
    }
}

impl Comparison {
    fn holds(&self, values: &[DecodedValue<'_>]) -> bool {
        let Some(value) = values.get(self.value_index) else { return false };
        debug_assert_eq!(value.parameter, self.parameter);
        match self.is_calibrated {
            true => self.engineering_value_holds(&value.engineering),
            false => self.raw_value_holds(&value.raw),
        }
    }

    // An engineering value that is not of the operand's type has no label: it differs from all of them.
    fn engineering_value_holds(&self, value: &EngineeringValue<'_>) -> bool {
        let ordering = match (value, &self.operand) {
            (EngineeringValue::Boolean(value), Operand::Boolean(operand)) => Some(value.cmp(operand)),
            (EngineeringValue::Float(value), Operand::Float(operand)) => value.partial_cmp(operand),
            (EngineeringValue::Label(value), Operand::Labels(operand)) if operand.contains(value) => {
                Some(Ordering::Equal)
            }
            (EngineeringValue::Signed(value), Operand::Integer(operand)) => {
                Some(i128::from(*value).cmp(operand))
            }
            (EngineeringValue::Text(value), Operand::Text(operand)) => Some((**value).cmp(&**operand)),
            (EngineeringValue::Unsigned(value), Operand::Integer(operand)) => {
                Some(i128::from(*value).cmp(operand))
            }
            _ => None,
        };
        self.operator.accepts(ordering)
    }

    fn raw_value_holds(&self, value: &RawValue<'_>) -> bool {
        let ordering = match (value, &self.operand) {
            (RawValue::Float(value), Operand::Float(operand)) => value.partial_cmp(operand),
            (RawValue::Signed(value), Operand::Integer(operand)) => Some(i128::from(*value).cmp(operand)),
            (RawValue::Text(value), Operand::Text(operand)) => Some((**value).cmp(&**operand)),
            (RawValue::Unsigned(value), Operand::Integer(operand)) => Some(i128::from(*value).cmp(operand)),
            _ => None,
        };
        self.operator.accepts(ordering)
    }
}

impl Operator {
    /// `None` is what has no order, such as NaN: it is unequal and nothing else.
    fn accepts(self, ordering: Option<Ordering>) -> bool {
        match self {
            Operator::Equal => ordering == Some(Ordering::Equal),
            Operator::Greater => ordering == Some(Ordering::Greater),
            Operator::GreaterOrEqual => ordering.is_some_and(Ordering::is_ge),
            Operator::Less => ordering == Some(Ordering::Less),
            Operator::LessOrEqual => ordering.is_some_and(Ordering::is_le),
            Operator::NotEqual => ordering != Some(Ordering::Equal),
        }
    }
}
