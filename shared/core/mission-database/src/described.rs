//! The limits of a dictionary in words and numbers, for people who look at them.

use crate::limits::{AllowedRange, Bound, BoundMeaning};
use crate::monitoring::{End, Levels, Range, RangeForm, SEVERITIES};
use crate::{AlarmRule, Dictionary, MonitoringResult, ParameterIndex, ParameterKind};

/// What a parameter is judged by.
#[derive(Clone, Debug, PartialEq)]
pub struct DescribedLimits {
    /// In the order in which they are tried: the first whose context holds counts.
    pub contexts: Vec<DescribedContext>,
    /// What must happen before a violation is raised.
    pub rule: AlarmRule,
}

/// What a parameter is judged by while something holds.
#[derive(Clone, Debug, PartialEq)]
pub struct DescribedContext {
    /// What must hold, such as `MODE == SAFE and GAIN >= 4`; `None`: nothing.
    pub context: Option<String>,
    /// How bad which values are.
    pub levels: DescribedLevels,
}

/// How bad which values are.
#[derive(Clone, Debug, PartialEq)]
pub enum DescribedLevels {
    /// Labels that are violations, in the order of the type.
    Labels(Vec<(String, MonitoringResult)>),
    /// Ranges of numbers: watch, warning, distress, critical, severe.
    Ranges {
        /// Whether the ranges hold the bad values, not the good ones.
        are_of_bad_values: bool,
        /// The ranges; a bound that means [`BoundMeaning::Good`] belongs to its range, whichever values that holds.
        ranges: [AllowedRange; 5],
    },
}

impl Dictionary {
    /// What a parameter is judged by; `None` when it has no limits. The index must come from this dictionary.
    pub fn described_limits(&self, parameter: ParameterIndex) -> Option<DescribedLimits> {
        let watch = self.judging.watches[parameter.0 as usize];
        let monitor = self.judging.monitors.get(watch.monitor as usize)?;
        let in_context = monitor.contexts.iter().map(|(condition, levels)| DescribedContext {
            context: Some(self.condition_text(condition)),
            levels: self.levels(parameter, levels),
        });
        let default = monitor.default.iter();
        let default =
            default.map(|levels| DescribedContext { context: None, levels: self.levels(parameter, levels) });
        Some(DescribedLimits { contexts: in_context.chain(default).collect(), rule: monitor.rule })
    }

    /// All parameters that have limits, with them, in document order.
    pub fn limited(&self) -> impl Iterator<Item = (ParameterIndex, DescribedLimits)> {
        let all = (0..self.parameters().len() as u32).map(ParameterIndex);
        all.filter_map(|index| Some((index, self.described_limits(index)?)))
    }

    /// Full name of what a full name, or a short one that only one parameter has, means; any other is given back.
    pub fn full_name<'n>(&'n self, name: &'n str) -> &'n str {
        let found = self.find(name).or(match self.find_short(name) {
            [only] => Some(*only),
            _ => None,
        });
        found.map_or(name, |index| &self.parameter(index).name)
    }

    /// The parameters that the contexts of a parameter's limits ask for, without itself.
    pub fn context_parameters(&self, parameter: ParameterIndex) -> Vec<ParameterIndex> {
        let watch = self.judging.watches[parameter.0 as usize];
        let monitor = self.judging.monitors.get(watch.monitor as usize);
        let mut registers = Vec::new();
        for (condition, _) in monitor.iter().flat_map(|monitor| &monitor.contexts) {
            condition.registers(&mut registers);
        }
        let mut asked: Vec<_> =
            registers.into_iter().filter_map(|register| self.registered(register)).collect();
        asked.retain(|index| *index != parameter);
        asked.sort_unstable();
        asked.dedup();
        asked
    }

    fn levels(&self, parameter: ParameterIndex, levels: &Levels) -> DescribedLevels {
        match levels {
            Levels::Labels { of_label, .. } => {
                let labels = match &self.parameter(parameter).kind {
                    ParameterKind::Enumeration(labels) => labels.as_slice(),
                    _ => &[],
                };
                let judged = labels.iter().zip(of_label).filter(|(_, level)| SEVERITIES.contains(level));
                DescribedLevels::Labels(judged.map(|(label, level)| (label.label.clone(), *level)).collect())
            }
            Levels::Ranges(ranges) => DescribedLevels::Ranges {
                are_of_bad_values: ranges.form == RangeForm::Inside,
                ranges: ranges.ranges.map(allowed),
            },
        }
    }
}

fn allowed(range: Option<Range>) -> AllowedRange {
    let bound = |end: End| Bound {
        value: end.value,
        meaning: if end.is_inclusive { BoundMeaning::Good } else { BoundMeaning::Violation },
    };
    let ends = range.map(|range| AllowedRange { low: range.low.map(bound), high: range.high.map(bound) });
    ends.unwrap_or_default()
}
