//! Limits: how a value stands to the ranges that are allowed for it.

use crate::condition::{Condition, Register, Scope};
use crate::{AlarmRule, EngineeringValue, MonitoringResult, Validity};

/// What is watched about each parameter. Belongs to a dictionary and changes with its limits, not with its layout.
#[derive(Clone, Debug, Default)]
pub(crate) struct Judging {
    /// One for each parameter.
    pub(crate) watches: Vec<Watch>,
    pub(crate) monitors: Vec<Monitor>,
    pub(crate) valid_ranges: Vec<ValidRange>,
    /// How many registers there are.
    pub(crate) registers: u16,
}

/// Indices into the tables of [`Judging`]; `NOTHING` where there is nothing.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Watch {
    pub(crate) monitor: u32,
    pub(crate) valid_range: u32,
    pub(crate) register: Register,
}

impl Watch {
    pub(crate) const NOTHING: u32 = u32::MAX;
}

impl Default for Watch {
    fn default() -> Self {
        Self { monitor: Self::NOTHING, valid_range: Self::NOTHING, register: Register::NONE }
    }
}

/// The limits of a parameter: those of the first context that holds, else the default ones.
#[derive(Clone, Debug)]
pub(crate) struct Monitor {
    pub(crate) contexts: Box<[(Condition, Levels)]>,
    pub(crate) default: Option<Levels>,
    pub(crate) rule: AlarmRule,
}

#[derive(Clone, Debug)]
pub(crate) enum Levels {
    /// By label, and for all others.
    Labels {
        of_label: Box<[MonitoringResult]>,
        otherwise: MonitoringResult,
    },
    Ranges(Ranges),
}

/// Ranges of the five severities, the mildest first.
#[derive(Clone, Debug)]
pub(crate) struct Ranges {
    pub(crate) form: RangeForm,
    pub(crate) ranges: [Option<Range>; 5],
    /// Strictly between these, everything is normal; saves the five comparisons nearly always.
    normal: (f64, f64),
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum RangeForm {
    /// Ranges hold the bad values.
    Inside,
    /// Ranges hold the good values.
    Outside,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Range {
    pub(crate) low: Option<End>,
    pub(crate) high: Option<End>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct End {
    pub(crate) value: f64,
    /// Whether the range holds its own end.
    pub(crate) is_inclusive: bool,
}

/// XTCE `ValidRange`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ValidRange {
    pub(crate) range: Range,
    pub(crate) applies_to_calibrated: bool,
}

impl Judging {
    #[inline]
    pub(crate) fn validity(&self, watch: Watch, raw: f64, engineering: Option<f64>) -> Validity {
        let valid = &self.valid_ranges[watch.valid_range as usize];
        let number = if valid.applies_to_calibrated { engineering } else { Some(raw) };
        match number {
            Some(number) if !valid.range.holds(number, 0.0) => Validity::OutsideValidRange,
            _ => Validity::Valid,
        }
    }

    /// How a valid number stands to limits that hold in every context; `NotMonitored` where there are contexts, which
    /// [`Judging::judge`] looks at when the value has its place.
    #[inline]
    pub(crate) fn judge_number(&self, watch: Watch, value: f64) -> MonitoringResult {
        match self.monitors.get(watch.monitor as usize) {
            Some(Monitor { contexts, default: Some(Levels::Ranges(ranges)), .. }) if contexts.is_empty() => {
                ranges.judge(value, 0.0)
            }
            _ => MonitoringResult::NotMonitored,
        }
    }

    /// How a valid value stands to its limits.
    pub(crate) fn judge(
        &self,
        watch: Watch,
        value: &EngineeringValue<'_>,
        margin: f64,
        scope: &Scope<'_, '_>,
    ) -> MonitoringResult {
        let levels = self.levels(watch, scope);
        levels.map_or(MonitoringResult::NotMonitored, |levels| levels.judge(value, margin))
    }

    /// The end of a range that makes a number the violation it is; `None` where it is none.
    pub(crate) fn broken(&self, watch: Watch, number: f64, scope: &Scope<'_, '_>) -> Option<f64> {
        match self.levels(watch, scope)? {
            Levels::Labels { .. } => None,
            Levels::Ranges(ranges) => ranges.broken(number),
        }
    }

    fn levels(&self, watch: Watch, scope: &Scope<'_, '_>) -> Option<&Levels> {
        let monitor = self.monitors.get(watch.monitor as usize)?;
        let found = monitor.contexts.iter().find(|(context, _)| context.holds(scope));
        found.map(|(_, levels)| levels).or(monitor.default.as_ref())
    }
}

impl Levels {
    fn judge(&self, value: &EngineeringValue<'_>, margin: f64) -> MonitoringResult {
        match (self, value) {
            (Levels::Labels { of_label, otherwise }, EngineeringValue::Label(label)) => {
                of_label.get(*label as usize).copied().unwrap_or(*otherwise)
            }
            (Levels::Labels { .. }, _) => MonitoringResult::NotMonitored,
            (Levels::Ranges(ranges), value) => {
                value.as_f64().map_or(MonitoringResult::NotMonitored, |number| ranges.judge(number, margin))
            }
        }
    }
}

/// The severities, in the order of a type's ranges.
pub(crate) const SEVERITIES: [MonitoringResult; 5] = [
    MonitoringResult::Watch,
    MonitoringResult::Warning,
    MonitoringResult::Distress,
    MonitoringResult::Critical,
    MonitoringResult::Severe,
];

impl Ranges {
    pub(crate) fn new(form: RangeForm, ranges: [Option<Range>; 5]) -> Self {
        let mut normal = (f64::NEG_INFINITY, f64::INFINITY);
        for range in ranges.iter().flatten() {
            match form {
                // Nothing is certainly normal; the ranges themselves decide.
                RangeForm::Inside => normal = (f64::INFINITY, f64::NEG_INFINITY),
                RangeForm::Outside => {
                    normal.0 = range.low.map_or(normal.0, |end| end.value.max(normal.0));
                    normal.1 = range.high.map_or(normal.1, |end| end.value.min(normal.1));
                }
            }
        }
        Ranges { form, ranges, normal }
    }

    #[inline]
    fn judge(&self, value: f64, margin: f64) -> MonitoringResult {
        if self.normal.0 + margin < value && value < self.normal.1 - margin {
            return MonitoringResult::Normal;
        }
        self.judge_around(value, margin)
    }

    /// As [`Ranges::judge`], for what is not certainly normal.
    fn judge_around(&self, value: f64, margin: f64) -> MonitoringResult {
        self.violated(value, margin).map_or(MonitoringResult::Normal, |(level, _)| level)
    }

    /// The worst level that a value violates, and its range.
    fn violated(&self, value: f64, margin: f64) -> Option<(MonitoringResult, &Range)> {
        let is_violated = |range: &Range| match self.form {
            RangeForm::Inside => range.holds(value, -margin),
            RangeForm::Outside => !range.holds(value, margin),
        };
        let levels = SEVERITIES.into_iter().zip(&self.ranges).rev();
        let mut violated = levels.filter_map(|(level, range)| Some((level, range.as_ref()?)));
        violated.find(|(_, range)| is_violated(range))
    }

    /// The end of that range that the value went past: the nearer one.
    fn broken(&self, value: f64) -> Option<f64> {
        let (_, range) = self.violated(value, 0.0)?;
        let ends = [range.low, range.high].into_iter().flatten().map(|end| end.value);
        ends.min_by(|one, other| (value - one).abs().total_cmp(&(value - other).abs()))
    }
}

impl Range {
    /// Whether a value lies in the range made narrower by `margin` at both ends.
    pub(crate) fn holds(&self, value: f64, margin: f64) -> bool {
        let above = |end: End| {
            let low = end.value + margin;
            value > low || end.is_inclusive && value == low
        };
        let below = |end: End| {
            let high = end.value - margin;
            value < high || end.is_inclusive && value == high
        };
        self.low.is_none_or(above) && self.high.is_none_or(below)
    }
}
