//! Limits as a table: one row for a parameter in a context, columns in any order.

use super::cells::{CsvCell, CsvLine, CsvLines};
use super::column::{self, Column};
use super::draft::Draft;
use super::rows::Rows;
use super::{BoundMeaning, LimitsError, Located, ParameterLimits, Source, StatedBounds, bound_meaning};

const BOUNDS_HINT: &str = "a line `# bounds: good` or `# bounds: violation` before the header";

/// The header: what each cell of a row says.
struct Header {
    columns: Vec<Column>,
    meaning: BoundMeaning,
}

pub(super) fn parse(
    source: &Source<'_>,
    caller_says: Option<BoundMeaning>,
) -> Result<Vec<ParameterLimits>, LimitsError> {
    let mut lines = CsvLines::new(source);
    let header = header(source, &mut lines, caller_says)?;
    let mut found = Rows::new(source);
    while let Some(line) = lines.next_line()? {
        match line {
            CsvLine::Comment(comment) if stated_bounds(source, comment)?.is_some() => {
                let message = format!("bounds are said too late; expected {BOUNDS_HINT}");
                return Err(source.error(comment.at, message));
            }
            CsvLine::Comment(_) => {}
            // Spreadsheets leave rows of commas behind where rows were deleted.
            CsvLine::Row(cells) if cells.iter().all(|cell| cell.value.trim().is_empty()) => {}
            CsvLine::Row(cells) => found.push(row(source, &header, &cells)?)?,
        }
    }
    found.finish()
}

fn header(
    source: &Source<'_>,
    lines: &mut CsvLines<'_, '_>,
    caller_says: Option<BoundMeaning>,
) -> Result<Header, LimitsError> {
    let mut stated = StatedBounds::by_caller(caller_says);
    loop {
        match lines.next_line()? {
            None => return Err(source.error(0, "the document is empty; expected a header row")),
            Some(CsvLine::Comment(comment)) => {
                if let Some(meaning) = stated_bounds(source, comment)? {
                    stated.by_document(source, Located { value: meaning, at: comment.at })?;
                }
            }
            Some(CsvLine::Row(cells)) => {
                let columns = columns(source, &cells)?;
                let at = cells.first().map_or(0, |cell| cell.at);
                return Ok(Header { columns, meaning: stated.meaning(source, at, BOUNDS_HINT)? });
            }
        }
    }
}

/// What a comment says about bounds, if it speaks of them.
fn stated_bounds(source: &Source<'_>, comment: Located<&str>) -> Result<Option<BoundMeaning>, LimitsError> {
    match comment.value.split_once(':') {
        Some((key, word)) if key.trim().eq_ignore_ascii_case("bounds") => {
            bound_meaning(source, Located { value: word.trim(), at: comment.at }).map(Some)
        }
        _ => Ok(None),
    }
}

fn columns(source: &Source<'_>, cells: &[CsvCell<'_>]) -> Result<Vec<Column>, LimitsError> {
    let mut columns = Vec::with_capacity(cells.len());
    for cell in cells {
        let named = Located { value: cell.value.as_ref(), at: cell.at };
        let Some(column) = Column::named(named.value) else {
            let levels = "and LEVEL_low and LEVEL_high, where LEVEL is watch, warning (or yellow), distress, \
                          critical (or red) or severe; columns are divided by commas";
            return Err(column::unknown(source, named, "column", levels));
        };
        if columns.contains(&column) {
            return Err(source.error(cell.at, format!("column {} stands here twice", column.name())));
        }
        columns.push(column);
    }
    if !columns.contains(&Column::Parameter) {
        let at = cells.first().map_or(0, |cell| cell.at);
        return Err(source.error(at, "the header has no column `parameter`"));
    }
    Ok(columns)
}

fn row(source: &Source<'_>, header: &Header, cells: &[CsvCell<'_>]) -> Result<ParameterLimits, LimitsError> {
    let at = cells.first().map_or(0, |cell| cell.at);
    if cells.len() != header.columns.len() {
        let (found, expected) = (cells.len(), header.columns.len());
        let message = format!("the row has {found} cells; expected {expected}, as many as the header");
        return Err(source.error(at, message));
    }
    let mut draft = Draft::at(source, at);
    for (column, cell) in header.columns.iter().zip(cells) {
        draft.set(source, *column, Located { value: cell.value.as_ref(), at: cell.at })?;
    }
    draft.finish(source, header.meaning)
}
