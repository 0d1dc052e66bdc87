//! Places in a limits document, and errors that name them.

use std::cell::Cell;

use super::LimitsError;

/// A part of the document and the byte at which it begins.
#[derive(Clone, Copy, Debug)]
pub(super) struct Located<T> {
    pub(super) value: T,
    pub(super) at: usize,
}

/// The document as errors see it.
pub(super) struct Source<'a> {
    pub(super) text: &'a str,
    name: &'a str,
    /// A byte whose line is known, and that line: rows are asked for in their order.
    known: Cell<(usize, u32)>,
}

impl<'a> Source<'a> {
    pub(super) fn new(name: &'a str, text: &'a str) -> Self {
        Source { text, name, known: Cell::new((0, 1)) }
    }

    /// Line of a byte, counted from 1.
    pub(super) fn line(&self, at: usize) -> u32 {
        let at = self.text.floor_char_boundary(at);
        let (from, line) = if self.known.get().0 <= at { self.known.get() } else { (0, 1) };
        let line = line + self.text[from..at].matches('\n').count() as u32;
        self.known.set((at, line));
        line
    }

    pub(super) fn error(&self, at: usize, message: impl Into<String>) -> LimitsError {
        let at = self.text.floor_char_boundary(at);
        let before = &self.text[..at];
        let line_start = before.rfind('\n').map_or(0, |end| end + 1);
        LimitsError {
            source_name: self.name.to_owned(),
            line: self.line(at),
            column: before[line_start..].chars().count() as u32 + 1,
            message: message.into(),
        }
    }
}
