//! The rows of a document together: how many there are, and whether two of them are in each other's way.

use std::collections::BTreeMap;

use super::{ContextTerm, EffectiveSpan, LimitsError, ParameterLimits, Source};

/// Twice the parameters of the largest mission we know of, in ten contexts each.
const ROWS_MAX: usize = 200_000;

/// Rows as they are found.
pub(super) struct Rows<'s, 'a> {
    source: &'s Source<'a>,
    found: Vec<ParameterLimits>,
}

/// Spans of rows that do not overlap: by beginning, the end and the line of the row.
type Spans = BTreeMap<i64, (i64, u32)>;

/// The context of a row, in an order that does not depend on how it was written.
type Context<'r> = Vec<&'r ContextTerm>;

impl<'s, 'a> Rows<'s, 'a> {
    pub(super) fn new(source: &'s Source<'a>) -> Self {
        Rows { source, found: Vec::new() }
    }

    pub(super) fn push(&mut self, row: ParameterLimits) -> Result<(), LimitsError> {
        if self.found.len() == ROWS_MAX {
            return Err(self.at_row(row.line, format!("the document has more than {ROWS_MAX} rows")));
        }
        self.found.push(row);
        Ok(())
    }

    /// All rows, when each of them can count.
    pub(super) fn finish(self) -> Result<Vec<ParameterLimits>, LimitsError> {
        let mut taken: BTreeMap<(&str, Context<'_>), Spans> = BTreeMap::new();
        for row in &self.found {
            let mut context: Context<'_> = row.context.iter().collect();
            context.sort_unstable();
            let (from, to) = ends(row.effective);
            // The first row whose context holds counts, and one without a context always holds.
            let always = taken.get(&(row.parameter.as_str(), Context::new()));
            if let Some(line) = always.and_then(|spans| containing(spans, from, to))
                && !context.is_empty()
            {
                let message = format!(
                    "this row of {} never counts: line {line} comes first and holds in every context; put it last",
                    row.parameter
                );
                return Err(self.at_row(row.line, message));
            }
            let spans = taken.entry((row.parameter.as_str(), context)).or_default();
            if let Some(line) = overlapping(spans, from, to) {
                let message = format!(
                    "lines {line} and {} both limit {} in the same context at the same time",
                    row.line, row.parameter
                );
                return Err(self.at_row(row.line, message));
            }
            spans.insert(from, (to, row.line));
        }
        drop(taken);
        Ok(self.found)
    }

    fn at_row(&self, line: u32, message: String) -> LimitsError {
        LimitsError { line, column: 1, ..self.source.error(0, message) }
    }
}

/// Both ends of a span in TAI nanoseconds: the first moment in it, and the first behind it.
fn ends(span: EffectiveSpan) -> (i64, i64) {
    (span.from.map_or(i64::MIN, |from| from.0), span.to.map_or(i64::MAX, |to| to.0))
}

/// Line of a row that is in force during all of a span.
fn containing(spans: &Spans, from: i64, to: i64) -> Option<u32> {
    let (_, (end, line)) = spans.range(..=from).next_back()?;
    (*end >= to).then_some(*line)
}

/// Line of a row that is in force during a part of a span.
fn overlapping(spans: &Spans, from: i64, to: i64) -> Option<u32> {
    let before = spans.range(..=from).next_back().filter(|(_, (end, _))| *end > from);
    let after = || spans.range(from..).next().filter(|(begin, _)| **begin < to);
    before.or_else(after).map(|(_, (_, line))| *line)
}
