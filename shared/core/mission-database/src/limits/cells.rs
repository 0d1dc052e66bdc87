//! CSV as RFC 4180 has it, cut into cells that know where they stand.
//!
//! Stricter than the usual readers, because a limit that is lost in a broken quotation is an alarm that never
//! comes: a quotation mark inside a bare cell, text behind a closing one, and a quotation that never ends are
//! errors. Blank lines and lines that begin with `#` are no rows. Spaces around a cell do not count.

use std::borrow::Cow;

use super::draft::CELL_BYTES_MAX;
use super::{LimitsError, Located, Source};

/// More cells than there are columns, and few enough that a row of commas stays small.
const CELLS_MAX: usize = 64;
const BLANK: [char; 3] = [' ', '\t', '\r'];

/// A cell without its quotation marks.
pub(super) type CsvCell<'a> = Located<Cow<'a, str>>;

/// What the lines of a document are.
pub(super) enum CsvLine<'a> {
    /// The text behind `#`, which stands at its place.
    Comment(Located<&'a str>),
    /// One row; a cell in quotation marks may go on over several lines.
    Row(Vec<CsvCell<'a>>),
}

/// Walks over a document.
pub(super) struct CsvLines<'s, 'a> {
    source: &'s Source<'a>,
    at: usize,
}

impl<'s, 'a> CsvLines<'s, 'a> {
    pub(super) fn new(source: &'s Source<'a>) -> Self {
        // Spreadsheets put a byte order mark in front.
        let at = if source.text.starts_with('\u{FEFF}') { '\u{FEFF}'.len_utf8() } else { 0 };
        CsvLines { source, at }
    }

    /// The next line that says something; `None` at the end.
    pub(super) fn next_line(&mut self) -> Result<Option<CsvLine<'a>>, LimitsError> {
        loop {
            self.pass_blanks();
            let rest = self.rest();
            if rest.is_empty() {
                return Ok(None);
            }
            if rest.starts_with('\n') {
                self.at += 1;
            } else if let Some(comment) = rest.strip_prefix('#') {
                let comment = comment.split('\n').next().unwrap_or_default();
                let at = self.at;
                self.at += 1 + comment.len();
                return Ok(Some(CsvLine::Comment(Located { value: comment.trim(), at })));
            } else {
                return self.row().map(|cells| Some(CsvLine::Row(cells)));
            }
        }
    }

    fn rest(&self) -> &'a str {
        &self.source.text[self.at..]
    }

    fn pass_blanks(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches(BLANK).len();
    }

    fn row(&mut self) -> Result<Vec<CsvCell<'a>>, LimitsError> {
        let mut cells = Vec::new();
        loop {
            self.pass_blanks();
            if cells.len() == CELLS_MAX {
                return Err(self.source.error(self.at, format!("the row has more than {CELLS_MAX} cells")));
            }
            let cell = if self.rest().starts_with('"') { self.quoted()? } else { self.bare()? };
            cells.push(cell);
            if !self.rest().starts_with(',') {
                return Ok(cells);
            }
            self.at += 1;
        }
    }

    fn bare(&mut self) -> Result<CsvCell<'a>, LimitsError> {
        let (rest, at) = (self.rest(), self.at);
        let text = &rest[..rest.find([',', '\n']).unwrap_or(rest.len())];
        if let Some(mark) = text.find('"') {
            let message = "quotation mark inside a bare cell; expected the whole cell in quotation marks, and \
                           this one written twice";
            return Err(self.source.error(at + mark, message));
        }
        self.at += text.len();
        Ok(Located { value: Cow::Borrowed(text.trim()), at })
    }

    fn quoted(&mut self) -> Result<CsvCell<'a>, LimitsError> {
        let at = self.at;
        let mut value = Cow::Borrowed("");
        loop {
            // At an opening mark, or at the second one of a pair.
            self.at += 1;
            let rest = self.rest();
            let Some(end) = rest.find('"') else {
                return Err(self.source.error(at, "the quotation that begins here never ends"));
            };
            if value.len() + end > CELL_BYTES_MAX {
                let message = format!("the quotation that begins here is longer than {CELL_BYTES_MAX} bytes");
                return Err(self.source.error(at, message));
            }
            value += &rest[..end];
            self.at += end + 1;
            if !self.rest().starts_with('"') {
                break;
            }
            value += "\"";
        }
        self.pass_blanks();
        if !(self.rest().is_empty() || self.rest().starts_with([',', '\n'])) {
            let message = "text behind a closing quotation mark; expected a comma, or the mark written twice";
            return Err(self.source.error(self.at, message));
        }
        Ok(Located { value, at })
    }
}
