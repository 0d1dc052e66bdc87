//! Limits that come beside the document: matched to parameters by name, judged like the document's own.

use std::collections::HashMap;

use crate::condition::{Comparison, Condition, Operator, Register, Subject};
use crate::limits::{AllowedRange, BoundMeaning, ContextTerm};
use crate::monitoring::{End, Judging, Levels, Monitor, Range, RangeForm, Ranges};
use crate::operand;
use crate::{Dictionary, LimitsError, ParameterIndex, ParameterKind, ParameterLimits};

/// What is watched when these limits count.
pub(crate) fn apply(dictionary: &Dictionary, limits: &[&ParameterLimits]) -> Result<Judging, LimitsError> {
    let mut matching = Matching { dictionary, judging: (*dictionary.judging).clone() };
    let mut monitors: HashMap<ParameterIndex, Vec<&ParameterLimits>> = HashMap::new();
    let mut order = Vec::new();
    for row in limits.iter().copied() {
        let parameter = matching.limited(row)?;
        let rows = monitors.entry(parameter).or_insert_with(|| {
            order.push(parameter);
            Vec::new()
        });
        rows.push(row);
    }
    for parameter in order {
        let monitor = matching.monitor(&monitors[&parameter])?;
        let judging = &mut matching.judging;
        judging.watches[parameter.0 as usize].monitor = judging.monitors.len() as u32;
        judging.monitors.push(monitor);
    }
    Ok(matching.judging)
}

struct Matching<'d> {
    dictionary: &'d Dictionary,
    judging: Judging,
}

impl Matching<'_> {
    /// The parameter that a row is for, which must be a number.
    fn limited(&self, row: &ParameterLimits) -> Result<ParameterIndex, LimitsError> {
        let parameter = self.find(&row.parameter, row.line)?;
        let described = self.dictionary.parameter(parameter);
        match described.kind {
            ParameterKind::Float | ParameterKind::Integer => Ok(parameter),
            _ => Err(refusal(row.line, format!("{} is no number; expected one that is", described.name))),
        }
    }

    /// By full name, or by a short name that only one parameter has.
    fn find(&self, name: &str, line: u32) -> Result<ParameterIndex, LimitsError> {
        if let Some(found) = self.dictionary.find(name) {
            return Ok(found);
        }
        match self.dictionary.find_short(name) {
            [found] => Ok(*found),
            [] => {
                let message = format!("parameter \"{name}\" is not in the dictionary; expected one that is");
                Err(refusal(line, message))
            }
            [first, second, ..] => {
                let (first, second) = (self.dictionary.parameter(*first), self.dictionary.parameter(*second));
                let message = format!(
                    "\"{name}\" means {} and {}, and perhaps more; expected a full name",
                    first.name, second.name
                );
                Err(refusal(line, message))
            }
        }
    }

    /// Rows of one parameter: in their order, those in a context, and the first one without.
    fn monitor(&mut self, rows: &[&ParameterLimits]) -> Result<Monitor, LimitsError> {
        let (mut contexts, mut default) = (Vec::new(), None);
        let rule = rows[0].rule;
        if let Some(other) = rows.iter().find(|row| row.rule != rule) {
            let message = format!(
                "persistence, hysteresis and deadband differ from those in line {}; expected the same in all rows of a \
                 parameter",
                rows[0].line
            );
            return Err(refusal(other.line, message));
        }
        for row in rows {
            let levels = Levels::Ranges(Ranges::new(RangeForm::Outside, row.ranges.map(range)));
            if row.context.is_empty() {
                default = Some(levels);
                // What stands behind it would never count.
                break;
            }
            let terms: Result<Vec<_>, _> = row.context.iter().map(|term| self.term(term, row.line)).collect();
            contexts.push((Condition::All(terms?.into()), levels));
        }
        Ok(Monitor { contexts: contexts.into(), default, rule })
    }

    fn term(&mut self, term: &ContextTerm, line: u32) -> Result<Condition, LimitsError> {
        let parameter = self.find(&term.parameter, line)?;
        let described = self.dictionary.parameter(parameter);
        let raw = self.dictionary.compiled.raw_kinds[parameter.0 as usize];
        let typed = operand::typed(described, raw, &term.value, true).map_err(|expected| {
            let (value, name) = (&term.value, &described.name);
            refusal(line, format!("\"{value}\" was found for parameter {name}; expected {expected}"))
        })?;
        let operator = term.operator;
        if !operand::has_order(&typed.operand) && !matches!(operator, Operator::Equal | Operator::NotEqual) {
            let message = format!("{} has labels, which are equal or not; expected = or !=", described.name);
            return Err(refusal(line, message));
        }
        let register = self.register(parameter, line)?;
        let subject = Subject { register, is_calibrated: typed.is_calibrated };
        Ok(Condition::Comparison(Comparison { subject, operator, operand: typed.operand }))
    }

    fn register(&mut self, parameter: ParameterIndex, line: u32) -> Result<Register, LimitsError> {
        let watch = &mut self.judging.watches[parameter.0 as usize];
        if watch.register == Register::NONE {
            if self.judging.registers == Register::NONE.0 {
                return Err(refusal(line, "contexts refer to too many parameters".to_owned()));
            }
            watch.register = Register(self.judging.registers);
            self.judging.registers += 1;
        }
        Ok(watch.register)
    }
}

/// Names of files are the caller's: it knows which file a row came from.
fn refusal(line: u32, message: String) -> LimitsError {
    LimitsError { source_name: "limits".to_owned(), line, column: 1, message }
}

fn range(range: AllowedRange) -> Option<Range> {
    let end = |bound: crate::limits::Bound| End {
        value: bound.value,
        is_inclusive: bound.meaning == BoundMeaning::Good,
    };
    let is_limited = range.low.is_some() || range.high.is_some();
    is_limited.then(|| Range { low: range.low.map(end), high: range.high.map(end) })
}
