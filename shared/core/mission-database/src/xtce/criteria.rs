//! Comparisons: the value that stands in the text, in the type of the parameter it is compared with.

use roxmltree::Node;

use super::document::Source;
use super::encodings::refuse_other_instance;
use crate::plan::{Comparison, Field, Operand, Operator, Read};
use crate::{EnumerationLabel, Parameter, ParameterIndex, ParameterKind, XtceError};

/// A parameter that the base container decodes, and where its value will stand.
pub(super) struct Compared<'d> {
    pub(super) index: ParameterIndex,
    pub(super) value_index: usize,
    pub(super) parameter: &'d Parameter,
    pub(super) field: Field,
}

pub(super) fn compile(
    source: &Source<'_>,
    node: Node<'_, '_>,
    compared: &Compared<'_>,
) -> Result<Comparison, XtceError> {
    refuse_other_instance(source, node)?;
    let text = source.required(node, "value")?;
    let is_calibrated = source.flag(node, "useCalibratedValue", true)?;
    let operator = operator(source, node)?;
    let engineering = is_calibrated.then(|| engineering_operand(compared, text)).flatten();
    // A number may stand where a label should: then it is the raw value.
    let is_enumeration = matches!(compared.parameter.kind, ParameterKind::Enumeration(_));
    let compares_engineering = is_calibrated && !(is_enumeration && engineering.is_none());
    let operand = if compares_engineering { engineering } else { raw_operand(compared.field, text) };
    let operand = operand.ok_or_else(|| {
        let expected = expected(compared, is_calibrated);
        let name = &compared.parameter.short_name;
        source
            .error(node, format!("value=\"{text}\" was found for parameter \"{name}\"; expected {expected}"))
    })?;
    let is_ordered = !matches!(operand, Operand::Boolean(_) | Operand::Labels(_));
    if !is_ordered && !matches!(operator, Operator::Equal | Operator::NotEqual) {
        let found = node.attribute("comparisonOperator").unwrap_or("==");
        let message = format!("comparisonOperator=\"{found}\" was found with a label; expected == or !=");
        return Err(source.error(node, message));
    }
    let Compared { index, value_index, .. } = *compared;
    Ok(Comparison { parameter: index, value_index, is_calibrated: compares_engineering, operator, operand })
}

fn operator(source: &Source<'_>, node: Node<'_, '_>) -> Result<Operator, XtceError> {
    match node.attribute("comparisonOperator").unwrap_or("==").trim() {
        "==" => Ok(Operator::Equal),
        ">" => Ok(Operator::Greater),
        ">=" => Ok(Operator::GreaterOrEqual),
        "<" => Ok(Operator::Less),
        "<=" => Ok(Operator::LessOrEqual),
        "!=" => Ok(Operator::NotEqual),
        other => {
            let message =
                format!("comparisonOperator=\"{other}\" was found; expected ==, !=, <, <=, > or >=");
            Err(source.error(node, message))
        }
    }
}

fn engineering_operand(compared: &Compared<'_>, text: &str) -> Option<Operand> {
    match &compared.parameter.kind {
        ParameterKind::Binary => None,
        ParameterKind::Boolean { zero, one } => boolean(zero, one, text).map(Operand::Boolean),
        ParameterKind::Enumeration(labels) => labels_reading(labels, text).map(Operand::Labels),
        ParameterKind::Float => text.trim().parse().ok().map(Operand::Float),
        ParameterKind::Integer => text.trim().parse().ok().map(Operand::Integer),
        ParameterKind::String => Some(Operand::Text(text.into())),
    }
}

fn raw_operand(field: Field, text: &str) -> Option<Operand> {
    match field.read {
        Read::Binary { .. } => None,
        Read::Float { .. } => text.trim().parse().ok().map(Operand::Float),
        Read::Integer { .. } => text.trim().parse().ok().map(Operand::Integer),
        Read::Text { .. } => Some(Operand::Text(text.into())),
    }
}

fn boolean(zero: &str, one: &str, text: &str) -> Option<bool> {
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

fn expected(compared: &Compared<'_>, is_calibrated: bool) -> String {
    match (&compared.parameter.kind, compared.field.read) {
        (_, Read::Binary { .. }) => "a parameter that is not binary".to_owned(),
        (ParameterKind::Boolean { zero, one }, _) if is_calibrated => format!("{zero} or {one}"),
        (ParameterKind::Enumeration(labels), _) if is_calibrated => {
            let shown: Vec<_> = labels.iter().take(5).map(|label| label.label.as_str()).collect();
            let more = if labels.len() > shown.len() { ", …" } else { "" };
            format!("one of {}{more}, or a whole number", shown.join(", "))
        }
        (ParameterKind::Float, _) if is_calibrated => "a number".to_owned(),
        (_, Read::Float { .. }) => "a number".to_owned(),
        _ => "a whole number".to_owned(),
    }
}
