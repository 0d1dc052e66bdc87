//! What a value is compared with: the text of a dictionary or of limits, in the type of the parameter.

use crate::condition::{Operand, Operator};
use crate::{EnumerationLabel, Parameter, ParameterKind};

/// What an encoding gives before anything is made of it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum RawKind {
    Binary,
    Float,
    Integer,
    Text,
}

/// An operand and whether it is compared with the engineering value.
pub(crate) struct TypedOperand {
    pub(crate) operand: Operand,
    pub(crate) is_calibrated: bool,
}

/// Reads the text that a parameter is compared with; the error says what was expected.
pub(crate) fn typed(
    parameter: &Parameter,
    raw: Option<RawKind>,
    text: &str,
    is_calibrated: bool,
) -> Result<TypedOperand, String> {
    let engineering = is_calibrated.then(|| engineering_operand(&parameter.kind, text)).flatten();
    // A number may stand where a label should: then it is the raw value.
    let is_enumeration = matches!(parameter.kind, ParameterKind::Enumeration(_));
    let compares_engineering = is_calibrated && !(is_enumeration && engineering.is_none());
    let operand = if compares_engineering { engineering } else { raw_operand(raw, text) };
    match operand {
        Some(operand) => Ok(TypedOperand { operand, is_calibrated: compares_engineering }),
        None => Err(expected(&parameter.kind, raw, is_calibrated)),
    }
}

/// Labels and booleans are equal or not, and nothing between.
pub(crate) fn has_order(operand: &Operand) -> bool {
    !matches!(operand, Operand::Boolean(_) | Operand::Labels(_))
}

pub(crate) fn operator(text: &str) -> Option<Operator> {
    match text.trim() {
        "==" => Some(Operator::Equal),
        ">" => Some(Operator::Greater),
        ">=" => Some(Operator::GreaterOrEqual),
        "<" => Some(Operator::Less),
        "<=" => Some(Operator::LessOrEqual),
        "!=" => Some(Operator::NotEqual),
        _ => None,
    }
}

fn engineering_operand(kind: &ParameterKind, text: &str) -> Option<Operand> {
    match kind {
        ParameterKind::Binary | ParameterKind::Time => None,
        ParameterKind::Boolean { zero, one } => boolean(zero, one, text).map(Operand::Boolean),
        ParameterKind::Enumeration(labels) => labels_reading(labels, text).map(Operand::Labels),
        ParameterKind::Float => text.trim().parse().ok().map(Operand::Float),
        ParameterKind::Integer => text.trim().parse().ok().map(Operand::Integer),
        ParameterKind::String => Some(Operand::Text(text.into())),
    }
}

fn raw_operand(raw: Option<RawKind>, text: &str) -> Option<Operand> {
    match raw? {
        RawKind::Binary => None,
        RawKind::Float => text.trim().parse().ok().map(Operand::Float),
        RawKind::Integer => text.trim().parse().ok().map(Operand::Integer),
        RawKind::Text => Some(Operand::Text(text.into())),
    }
}

/// What a word says: one of the parameter's own, or one that everybody knows.
pub(crate) fn boolean(zero: &str, one: &str, text: &str) -> Option<bool> {
    match text {
        _ if text == one => Some(true),
        _ if text == zero => Some(false),
        "1" => Some(true),
        "0" => Some(false),
        _ if text.eq_ignore_ascii_case("true") => Some(true),
        _ if text.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}

fn labels_reading(labels: &[EnumerationLabel], text: &str) -> Option<Box<[u32]>> {
    let same = (0..).zip(labels).filter(|(_, label)| label.label == text).map(|(index, _)| index);
    let indices: Box<[u32]> = same.collect();
    (!indices.is_empty()).then_some(indices)
}

fn expected(kind: &ParameterKind, raw: Option<RawKind>, is_calibrated: bool) -> String {
    match (kind, raw) {
        (_, None) => "a parameter with an encoding".to_owned(),
        (ParameterKind::Time, _) if is_calibrated => "a parameter that is not a time".to_owned(),
        (_, Some(RawKind::Binary)) => "a parameter that is not binary".to_owned(),
        (ParameterKind::Boolean { zero, one }, _) if is_calibrated => format!("{zero} or {one}"),
        (ParameterKind::Enumeration(labels), _) if is_calibrated => {
            let shown: Vec<_> = labels.iter().take(5).map(|label| label.label.as_str()).collect();
            let more = if labels.len() > shown.len() { ", …" } else { "" };
            format!("one of {}{more}, or a whole number", shown.join(", "))
        }
        (ParameterKind::Float, _) if is_calibrated => "a number".to_owned(),
        (_, Some(RawKind::Float)) => "a number".to_owned(),
        _ => "a whole number".to_owned(),
    }
}
