//! One row while it is read: what its cells say, then whether they go together.

use std::str::FromStr;

use space_packet::UtcTime;

use super::column::{Column, LEVELS};
use super::{
    AlarmRule, AllowedRange, Bound, BoundMeaning, EffectiveSpan, LimitsError, Located, ParameterLimits,
    Source, context,
};

/// What a cell may hold at most. A longer one is a lost quotation mark, not a reason.
pub(super) const CELL_BYTES_MAX: usize = 4 * 1024;
/// More successive violations than this is a way to say "never".
const PERSISTENCE_MAX: u32 = 10_000;
const NUMBER_EXPECTED: &str = "expected a finite number with a decimal point, such as -12.5";

/// A row as far as it was read.
pub(super) struct Draft {
    at: usize,
    low: [Option<Located<f64>>; 5],
    high: [Option<Located<f64>>; 5],
    effective_from: Option<Located<UtcTime>>,
    effective_to: Option<Located<UtcTime>>,
    hysteresis_at: usize,
    row: ParameterLimits,
}

/// Which end of a range.
#[derive(Clone, Copy)]
enum End {
    High,
    Low,
}

impl End {
    fn column(self, level: usize) -> Column {
        match self {
            Self::High => Column::High(level),
            Self::Low => Column::Low(level),
        }
    }

    /// Whether an end lies on the good side of another.
    fn is_within(self, value: f64, other: f64) -> bool {
        match self {
            Self::High => value < other,
            Self::Low => value > other,
        }
    }

    fn inward(self) -> &'static str {
        match self {
            Self::High => "below",
            Self::Low => "above",
        }
    }
}

impl Draft {
    /// An empty row that begins at this byte.
    pub(super) fn at(source: &Source<'_>, at: usize) -> Self {
        let row = ParameterLimits {
            parameter: String::new(),
            context: Vec::new(),
            ranges: [AllowedRange::default(); 5],
            rule: AlarmRule::default(),
            effective: EffectiveSpan::default(),
            author: None,
            reason: None,
            line: source.line(at),
        };
        Draft {
            at,
            low: [None; 5],
            high: [None; 5],
            effective_from: None,
            effective_to: None,
            hysteresis_at: at,
            row,
        }
    }

    /// Takes what a cell says; an empty one says nothing.
    pub(super) fn set(
        &mut self,
        source: &Source<'_>,
        column: Column,
        cell: Located<&str>,
    ) -> Result<(), LimitsError> {
        if cell.value.len() > CELL_BYTES_MAX {
            let length = cell.value.len();
            let message = format!("{} has {length} bytes; at most {CELL_BYTES_MAX} fit", column.name());
            return Err(source.error(cell.at, message));
        }
        let text = cell.value.trim();
        if text.is_empty() {
            return Ok(());
        }
        let at = cell.at;
        match column {
            Column::Author => self.row.author = Some(text.to_owned()),
            Column::Context => self.row.context = context::parse(source, cell)?,
            Column::Deadband => self.row.rule.deadband = width(source, column, at, text)?,
            Column::EffectiveFrom => self.effective_from = Some(time(source, column, at, text)?),
            Column::EffectiveTo => self.effective_to = Some(time(source, column, at, text)?),
            Column::High(level) => {
                self.high[level] = Some(Located { value: number(source, column, at, text)?, at });
            }
            Column::Hysteresis => {
                self.row.rule.hysteresis = width(source, column, at, text)?;
                self.hysteresis_at = at;
            }
            Column::Low(level) => {
                self.low[level] = Some(Located { value: number(source, column, at, text)?, at });
            }
            Column::Parameter => self.row.parameter = text.to_owned(),
            Column::Persistence => self.row.rule.persistence = count(source, column, at, text)?,
            Column::Reason => self.row.reason = Some(text.to_owned()),
        }
        Ok(())
    }

    /// The row, when all that it says goes together.
    pub(super) fn finish(
        mut self,
        source: &Source<'_>,
        meaning: BoundMeaning,
    ) -> Result<ParameterLimits, LimitsError> {
        if self.row.parameter.is_empty() {
            return Err(source.error(self.at, "the row names no parameter; expected its name"));
        }
        self.check_ranges(source, meaning)?;
        self.check_nesting(source, End::Low)?;
        self.check_nesting(source, End::High)?;
        self.check_innermost(source, meaning)?;
        self.row.effective = self.effective_span(source)?;
        let bound = |found: Option<Located<f64>>| found.map(|found| Bound { value: found.value, meaning });
        for (range, (low, high)) in self.row.ranges.iter_mut().zip(self.low.iter().zip(&self.high)) {
            *range = AllowedRange { low: bound(*low), high: bound(*high) };
        }
        Ok(self.row)
    }

    fn check_ranges(&self, source: &Source<'_>, meaning: BoundMeaning) -> Result<(), LimitsError> {
        for level in 0..LEVELS.len() {
            self.check_room(source, meaning, level, level)?;
        }
        Ok(())
    }

    /// An end must not lie within the range of a less severe level. One that is absent does not limit, so it says
    /// nothing about the others.
    fn check_nesting(&self, source: &Source<'_>, end: End) -> Result<(), LimitsError> {
        let ends = match end {
            End::High => &self.high,
            End::Low => &self.low,
        };
        let mut less_severe: Option<(usize, f64)> = None;
        for (level, place) in ends.iter().enumerate() {
            let Some(place) = place else { continue };
            if let Some((inner_level, inner)) = less_severe
                && end.is_within(place.value, inner)
            {
                let (name, inner_name) = (end.column(level).name(), end.column(inner_level).name());
                let (value, side) = (place.value, end.inward());
                let message = format!(
                    "{name} ({value}) lies {side} {inner_name} ({inner}); the range of a more severe level must \
                     contain that of a less severe one"
                );
                return Err(source.error(place.at, message));
            }
            less_severe = Some((level, place.value));
        }
        Ok(())
    }

    /// Ends of different levels must leave room too: `watch_low` 10 with `critical_high` 5 allows no value. And the
    /// hysteresis must leave some of it, or an alarm would never be over.
    fn check_innermost(&self, source: &Source<'_>, meaning: BoundMeaning) -> Result<(), LimitsError> {
        let innermost = |ends: &[Option<Located<f64>>; 5]| {
            ends.iter().enumerate().find_map(|(level, end)| Some((level, end.as_ref()?.value)))
        };
        let (Some((low_level, low)), Some((high_level, high))) =
            (innermost(&self.low), innermost(&self.high))
        else {
            return Ok(());
        };
        self.check_room(source, meaning, low_level, high_level)?;
        let hysteresis = self.row.rule.hysteresis;
        if hysteresis > 0.0 && low + hysteresis >= high - hysteresis {
            let message = format!(
                "hysteresis ({hysteresis}) leaves nothing between {} ({low}) and {} ({high}): an alarm would \
                 never be over",
                Column::Low(low_level).name(),
                Column::High(high_level).name()
            );
            return Err(source.error(self.hysteresis_at, message));
        }
        Ok(())
    }

    fn check_room(
        &self,
        source: &Source<'_>,
        meaning: BoundMeaning,
        low_level: usize,
        high_level: usize,
    ) -> Result<(), LimitsError> {
        let (Some(low), Some(high)) = (self.low[low_level], self.high[high_level]) else { return Ok(()) };
        let (low_name, high_name) = (Column::Low(low_level).name(), Column::High(high_level).name());
        if low.value > high.value {
            let message = format!(
                "{low_name} ({}) lies above {high_name} ({}); expected low <= high",
                low.value, high.value
            );
            return Err(source.error(low.at.max(high.at), message));
        }
        if low.value == high.value && meaning == BoundMeaning::Violation {
            let message = format!(
                "{low_name} and {high_name} are both {}, and a value that equals a bound is a violation: no value \
                 would be good",
                low.value
            );
            return Err(source.error(low.at.max(high.at), message));
        }
        Ok(())
    }

    fn effective_span(&self, source: &Source<'_>) -> Result<EffectiveSpan, LimitsError> {
        let from = self.effective_from.map(|from| from.value.to_tai());
        let to = self.effective_to.map(|to| to.value.to_tai());
        if let (Some(begin), Some(end), Some(place)) = (from, to, self.effective_to)
            && begin >= end
        {
            let message = format!("effective_to ({end}) is not after effective_from ({begin})");
            return Err(source.error(place.at, message));
        }
        Ok(EffectiveSpan { from, to })
    }
}

fn number(source: &Source<'_>, column: Column, at: usize, text: &str) -> Result<f64, LimitsError> {
    match f64::from_str(text) {
        Ok(value) if value.is_finite() => Ok(value),
        _ => Err(refused(source, column, at, text, NUMBER_EXPECTED)),
    }
}

fn width(source: &Source<'_>, column: Column, at: usize, text: &str) -> Result<f64, LimitsError> {
    match number(source, column, at, text)? {
        value if value >= 0.0 => Ok(value),
        _ => Err(refused(source, column, at, text, "expected 0 or more")),
    }
}

fn count(source: &Source<'_>, column: Column, at: usize, text: &str) -> Result<u32, LimitsError> {
    match u32::from_str(text) {
        Ok(value) if (1..=PERSISTENCE_MAX).contains(&value) => Ok(value),
        _ => {
            let expected = format!("expected a whole number from 1 to {PERSISTENCE_MAX}");
            Err(refused(source, column, at, text, &expected))
        }
    }
}

fn time(source: &Source<'_>, column: Column, at: usize, text: &str) -> Result<Located<UtcTime>, LimitsError> {
    UtcTime::parse(text)
        .map(|value| Located { value, at })
        .map_err(|error| source.error(at, format!("{}: {error}", column.name())))
}

fn refused(source: &Source<'_>, column: Column, at: usize, text: &str, expected: &str) -> LimitsError {
    let shown: String = text.chars().take(64).collect();
    source.error(at, format!("{} is {shown:?}; {expected}", column.name()))
}
