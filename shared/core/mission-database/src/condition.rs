//! Conditions on values that were decoded earlier in the same packet.

use std::cmp::Ordering;

pub(crate) use crate::limits::TermOperator as Operator;
use crate::{DecodedValue, EngineeringValue, RawValue};

/// Where the place of a parameter's latest value is kept while a packet is decoded. Only parameters that something
/// refers to have one.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) struct Register(pub(crate) u16);

impl Register {
    /// Of a parameter that nothing refers to.
    pub(crate) const NONE: Self = Self(u16::MAX);
    /// What a register holds before its parameter was decoded.
    pub(crate) const EMPTY: u32 = u32::MAX;
}

/// Something that holds or not.
#[derive(Clone, Debug)]
pub(crate) enum Condition {
    All(Box<[Condition]>),
    Any(Box<[Condition]>),
    Comparison(Comparison),
}

#[derive(Clone, Debug)]
pub(crate) struct Comparison {
    pub(crate) subject: Subject,
    pub(crate) operator: Operator,
    pub(crate) operand: Operand,
}

/// A value of a parameter.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Subject {
    pub(crate) register: Register,
    pub(crate) is_calibrated: bool,
}

/// What a value is compared with, in the type that the parameter has.
#[derive(Clone, Debug)]
pub(crate) enum Operand {
    Boolean(bool),
    Float(f64),
    Integer(i128),
    /// Indices of all labels that read the same.
    Labels(Box<[u32]>),
    Other(Subject),
    Text(Box<str>),
}

/// What a condition can look at.
#[derive(Clone, Copy)]
pub(crate) struct Scope<'v, 'p> {
    pub(crate) values: &'v [DecodedValue<'p>],
    pub(crate) registers: &'v [u32],
    /// The raw value that is being calibrated and has no place among the values yet.
    pub(crate) own: Option<(Register, &'v RawValue<'p>)>,
}

/// A value or an operand, as they are compared.
enum Scalar<'a> {
    Boolean(bool),
    Float(f64),
    Integer(i128),
    Label(u32),
    Nothing,
    Text(&'a str),
}

impl<'v, 'p> Scope<'v, 'p> {
    fn decoded(&self, register: Register) -> Option<&'v DecodedValue<'p>> {
        self.values.get(*self.registers.get(usize::from(register.0))? as usize)
    }

    fn scalar(&self, subject: Subject) -> Option<Scalar<'v>> {
        if let Some((register, raw)) = self.own
            && register == subject.register
        {
            return Some(Scalar::from(raw));
        }
        let value = self.decoded(subject.register)?;
        Some(if subject.is_calibrated { Scalar::from(&value.engineering) } else { Scalar::from(&value.raw) })
    }

    /// The subject as a number; `None` when it was not decoded or is none.
    pub(crate) fn number(&self, subject: Subject) -> Option<f64> {
        match self.scalar(subject)? {
            Scalar::Float(value) => Some(value),
            Scalar::Integer(value) => Some(value as f64),
            _ => None,
        }
    }

    /// The latest value of the parameter that a register stands for.
    pub(crate) fn engineering(&self, register: Register) -> Option<&'v EngineeringValue<'p>> {
        self.decoded(register).map(|value| &value.engineering)
    }
}

impl Condition {
    /// Nesting is bounded by the loader.
    pub(crate) fn holds(&self, scope: &Scope<'_, '_>) -> bool {
        match self {
            Condition::All(all) => all.iter().all(|condition| condition.holds(scope)),
            Condition::Any(any) => any.iter().any(|condition| condition.holds(scope)),
            Condition::Comparison(comparison) => comparison.holds(scope),
        }
    }
}

impl Condition {
    /// All registers it looks at.
    pub(crate) fn registers(&self, into: &mut Vec<Register>) {
        match self {
            Condition::All(parts) | Condition::Any(parts) => {
                parts.iter().for_each(|part| part.registers(into));
            }
            Condition::Comparison(comparison) => {
                into.push(comparison.subject.register);
                if let Operand::Other(other) = &comparison.operand {
                    into.push(other.register);
                }
            }
        }
    }
}

impl Comparison {
    /// What is not in the packet compares with nothing, not even as unequal.
    fn holds(&self, scope: &Scope<'_, '_>) -> bool {
        let Some(value) = scope.scalar(self.subject) else { return false };
        let ordering = match &self.operand {
            Operand::Other(other) => match scope.scalar(*other) {
                Some(other) => value.compare(&other),
                None => return false,
            },
            Operand::Labels(labels) => match value {
                Scalar::Label(label) if labels.contains(&label) => Some(Ordering::Equal),
                // A value that has another label, or none, is unequal and nothing else.
                _ => None,
            },
            Operand::Boolean(operand) => value.compare(&Scalar::Boolean(*operand)),
            Operand::Float(operand) => value.compare(&Scalar::Float(*operand)),
            Operand::Integer(operand) => value.compare(&Scalar::Integer(*operand)),
            Operand::Text(operand) => value.compare(&Scalar::Text(operand)),
        };
        self.operator.accepts(ordering)
    }
}

impl Scalar<'_> {
    fn compare(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Scalar::Boolean(value), Scalar::Boolean(other)) => Some(value.cmp(other)),
            (Scalar::Float(value), Scalar::Float(other)) => value.partial_cmp(other),
            (Scalar::Float(value), Scalar::Integer(other)) => value.partial_cmp(&(*other as f64)),
            (Scalar::Integer(value), Scalar::Float(other)) => (*value as f64).partial_cmp(other),
            (Scalar::Integer(value), Scalar::Integer(other)) => Some(value.cmp(other)),
            (Scalar::Label(value), Scalar::Label(other)) if value == other => Some(Ordering::Equal),
            (Scalar::Text(value), Scalar::Text(other)) => Some(value.cmp(other)),
            _ => None,
        }
    }
}

impl<'a> From<&'a RawValue<'_>> for Scalar<'a> {
    fn from(value: &'a RawValue<'_>) -> Self {
        match value {
            RawValue::Binary(_) => Scalar::Nothing,
            RawValue::Float(value) => Scalar::Float(*value),
            RawValue::Signed(value) => Scalar::Integer(i128::from(*value)),
            RawValue::Text(text) => Scalar::Text(text),
            RawValue::Unsigned(value) => Scalar::Integer(i128::from(*value)),
        }
    }
}

impl<'a> From<&'a EngineeringValue<'_>> for Scalar<'a> {
    fn from(value: &'a EngineeringValue<'_>) -> Self {
        match value {
            EngineeringValue::Binary(_) | EngineeringValue::None => Scalar::Nothing,
            EngineeringValue::Boolean(value) => Scalar::Boolean(*value),
            EngineeringValue::Float(value) => Scalar::Float(*value),
            EngineeringValue::Label(label) => Scalar::Label(*label),
            EngineeringValue::Signed(value) => Scalar::Integer(i128::from(*value)),
            EngineeringValue::Text(text) => Scalar::Text(text),
            EngineeringValue::Time(time) => Scalar::Integer(i128::from(time.0)),
            EngineeringValue::Unsigned(value) => Scalar::Integer(i128::from(*value)),
        }
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
