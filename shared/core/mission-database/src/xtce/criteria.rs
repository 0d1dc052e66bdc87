//! Conditions as they are written: comparisons, lists of them, and boolean expressions.

use std::collections::HashSet;

use roxmltree::Node;

use super::DEPTH_MAX;
use super::document::{Source, elements, local};
use super::symbols::Symbols;
use crate::condition::{Comparison, Condition, Operand, Operator, Subject};
use crate::operand::{self, RawKind};
use crate::{ParameterIndex, XtceError};

/// Where a condition stands.
pub(super) struct Place<'p, 's, 'a, 'i> {
    pub(super) source: &'p Source<'s>,
    pub(super) symbols: &'p Symbols<'a, 'i>,
    /// Full name of the system around it.
    pub(super) system: &'p str,
    /// Parameters that are decoded before, where that is known.
    pub(super) decoded: Option<&'p HashSet<ParameterIndex>>,
}

impl Place<'_, '_, '_, '_> {
    /// The condition that the children of an element make up: all of them must hold.
    pub(super) fn condition(&self, node: Node<'_, '_>) -> Result<Condition, XtceError> {
        let mut conditions = Vec::new();
        for child in elements(node) {
            match local(child) {
                "BooleanExpression" => conditions.push(self.all(child, 1)?),
                "Comparison" => conditions.push(self.comparison(child)?),
                "ComparisonList" => conditions.push(self.comparison_list(child)?),
                "NextContainer" => self.source.pass_over(child),
                _ => {
                    let expected = "Comparison, ComparisonList or BooleanExpression";
                    return Err(self.source.unsupported(child, expected));
                }
            }
        }
        if conditions.is_empty() && !elements(node).any(|child| local(child) == "NextContainer") {
            let message = "no Comparison was found; expected Comparison, ComparisonList or BooleanExpression";
            return Err(self.source.error(node, message));
        }
        Ok(all(conditions))
    }

    fn comparison_list(&self, node: Node<'_, '_>) -> Result<Condition, XtceError> {
        let comparison = |child: Node<'_, '_>| match local(child) {
            "Comparison" => self.comparison(child),
            _ => Err(self.source.unsupported(child, "Comparison")),
        };
        let comparisons: Result<Vec<_>, _> = elements(node).map(comparison).collect();
        let comparisons = comparisons?;
        if comparisons.is_empty() {
            return Err(self.source.error(node, "no Comparison was found; expected at least one"));
        }
        Ok(all(comparisons))
    }

    fn all(&self, node: Node<'_, '_>, depth: usize) -> Result<Condition, XtceError> {
        Ok(all(self.expressions(node, depth)?))
    }

    /// Recursion is bounded by `DEPTH_MAX`.
    fn expressions(&self, node: Node<'_, '_>, depth: usize) -> Result<Vec<Condition>, XtceError> {
        if depth > DEPTH_MAX {
            let message = format!("conditions nest too deep; expected at most {DEPTH_MAX} levels");
            return Err(self.source.error(node, message));
        }
        let expression = |child: Node<'_, '_>| match local(child) {
            "ANDedConditions" => self.all(child, depth + 1),
            "Condition" => self.expression(child),
            "ORedConditions" => Ok(Condition::Any(self.expressions(child, depth + 1)?.into())),
            _ => Err(self.source.unsupported(child, "Condition, ANDedConditions or ORedConditions")),
        };
        let expressions: Result<Vec<_>, _> = elements(node).map(expression).collect();
        let expressions = expressions?;
        if expressions.is_empty() {
            return Err(self.source.error(node, "no Condition was found; expected at least one"));
        }
        Ok(expressions)
    }

    /// `Condition`: a parameter, an operator, and a value or another parameter.
    fn expression(&self, node: Node<'_, '_>) -> Result<Condition, XtceError> {
        let of = |name: &str| elements(node).find(|child| local(*child) == name);
        let mut instances = elements(node).filter(|child| local(*child) == "ParameterInstanceRef");
        let Some(subject) = instances.next() else {
            return Err(self.source.error(node, "no ParameterInstanceRef was found; expected one"));
        };
        let operator_node = of("ComparisonOperator");
        let operator_text = operator_node.and_then(|node| node.text()).unwrap_or("==");
        let operator = self.operator(operator_node.unwrap_or(node), operator_text)?;
        if let Some(other) = instances.next() {
            let (_, subject) = self.subject(subject)?;
            let operand = Operand::Other(self.subject(other)?.1);
            return Ok(Condition::Comparison(Comparison { subject, operator, operand }));
        }
        let Some(value) = of("Value") else {
            let message = "no Value was found; expected Value or a second ParameterInstanceRef";
            return Err(self.source.error(node, message));
        };
        self.with_value(Written { node: subject, operator, value: value.text().unwrap_or("") })
    }

    fn comparison(&self, node: Node<'_, '_>) -> Result<Condition, XtceError> {
        let value = self.source.required(node, "value")?;
        let operator = self.operator(node, node.attribute("comparisonOperator").unwrap_or("=="))?;
        self.with_value(Written { node, operator, value })
    }

    fn operator(&self, node: Node<'_, '_>, text: &str) -> Result<Operator, XtceError> {
        operand::operator(text).ok_or_else(|| {
            let message = format!("operator \"{text}\" was found; expected ==, !=, <, <=, > or >=");
            self.source.error(node, message)
        })
    }

    fn with_value(&self, written: Written<'_, '_, '_>) -> Result<Condition, XtceError> {
        let Written { node, operator, value } = written;
        let (parameter, subject) = self.subject(node)?;
        let described = &self.symbols.parameters[parameter.0 as usize];
        let raw = self.symbols.scalar(parameter).and_then(|scalar| raw_kind(scalar.encoding?));
        let typed = operand::typed(described, raw, value, subject.is_calibrated).map_err(|expected| {
            let name = &described.short_name;
            let message =
                format!("value=\"{value}\" was found for parameter \"{name}\"; expected {expected}");
            self.source.error(node, message)
        })?;
        if !operand::has_order(&typed.operand) && !matches!(operator, Operator::Equal | Operator::NotEqual) {
            let message = "an order was found with a label, which is equal or not; expected == or !=";
            return Err(self.source.error(node, message));
        }
        let subject = Subject { is_calibrated: typed.is_calibrated, ..subject };
        Ok(Condition::Comparison(Comparison { subject, operator, operand: typed.operand }))
    }

    /// What a reference with `parameterRef` and `useCalibratedValue` looks at.
    pub(super) fn subject(&self, node: Node<'_, '_>) -> Result<(ParameterIndex, Subject), XtceError> {
        self.refuse_other_instance(node)?;
        let is_calibrated = self.source.flag(node, "useCalibratedValue", true)?;
        let parameter = self.symbols.resolve_leaf(self.source, node, "parameterRef", self.system)?;
        if self.decoded.is_some_and(|decoded| !decoded.contains(&parameter)) {
            let name = &self.symbols.parameters[parameter.0 as usize].name;
            let message = format!("{name} is not decoded before this point; expected one that is");
            return Err(self.source.error(node, message));
        }
        let Some(register) = self.symbols.register(parameter) else {
            return Err(self.source.error(node, "conditions refer to too many parameters; expected fewer"));
        };
        Ok((parameter, Subject { register, is_calibrated }))
    }

    /// A reference may mean an earlier occurrence of a parameter; only the latest one is known here.
    fn refuse_other_instance(&self, node: Node<'_, '_>) -> Result<(), XtceError> {
        match node.attribute("instance") {
            None | Some("0") => Ok(()),
            Some(other) => {
                let message = format!("instance=\"{other}\" is not supported yet; expected 0");
                Err(self.source.error(node, message))
            }
        }
    }
}

/// One condition needs nothing around it.
fn all(mut conditions: Vec<Condition>) -> Condition {
    match conditions.pop() {
        Some(only) if conditions.is_empty() => only,
        Some(last) => {
            conditions.push(last);
            Condition::All(conditions.into())
        }
        None => Condition::All(Box::default()),
    }
}

/// A comparison with a value, from either way of writing it.
#[derive(Clone, Copy)]
struct Written<'v, 'a, 'i> {
    node: Node<'a, 'i>,
    operator: Operator,
    value: &'v str,
}

/// What an encoding gives.
pub(super) fn raw_kind(encoding: Node<'_, '_>) -> Option<RawKind> {
    match local(encoding) {
        "BinaryDataEncoding" => Some(RawKind::Binary),
        "FloatDataEncoding" => Some(RawKind::Float),
        "IntegerDataEncoding" => Some(RawKind::Integer),
        "StringDataEncoding" => Some(RawKind::Text),
        _ => None,
    }
}
