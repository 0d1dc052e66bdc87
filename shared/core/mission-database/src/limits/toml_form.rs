//! Limits as TOML: one `[[limits]]` table for a parameter in a context.

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use super::column::{self, Column};
use super::draft::Draft;
use super::rows::Rows;
use super::{BoundMeaning, LimitsError, Located, ParameterLimits, Source, StatedBounds, bound_meaning};

/// Building the tree takes up to 300 bytes for a value, so what can make one is counted before: `=`, `,` and `[`.
/// 200,000 rows of as many values as 16 MiB hold fit.
const MARKS_MAX: usize = 2_500_000;

type Key<'a> = Spanned<DeString<'a>>;
type Value<'a> = Spanned<DeValue<'a>>;

pub(super) fn parse(
    source: &Source<'_>,
    caller_says: Option<BoundMeaning>,
) -> Result<Vec<ParameterLimits>, LimitsError> {
    if source.text.bytes().filter(|byte| b"=,[".contains(byte)).count() > MARKS_MAX {
        return Err(source.error(0, format!("the document has more than {MARKS_MAX} of `=`, `,` and `[`")));
    }
    let document = DeTable::parse(source.text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        source.error(at, format!("{}; expected TOML", error.message().trim()))
    })?;
    let mut stated = StatedBounds::by_caller(caller_says);
    let mut tables: &[Value<'_>] = &[];
    for (key, value) in document.get_ref() {
        match key.get_ref().as_ref() {
            "bounds" => {
                let word = Located { value: text_of(source, "bounds", value)?, at: value.span().start };
                stated.by_document(source, Located { value: bound_meaning(source, word)?, at: word.at })?;
            }
            "limits" => tables = array_of(source, value)?,
            other => {
                let shown: String = other.chars().take(64).collect();
                let message = format!("unknown key {shown:?}; expected `bounds` and `[[limits]]` tables");
                return Err(source.error(key.span().start, message));
            }
        }
    }
    let meaning = stated.meaning(source, 0, "`bounds = \"good\"` or `bounds = \"violation\"` at the top")?;
    let mut found = Rows::new(source);
    for table in tables {
        found.push(row(source, table, meaning)?)?;
    }
    found.finish()
}

fn array_of<'t, 'a>(source: &Source<'_>, value: &'t Value<'a>) -> Result<&'t [Value<'a>], LimitsError> {
    match value.get_ref() {
        DeValue::Array(tables) => Ok(tables),
        _ => Err(source.error(value.span().start, "`limits` is not an array; expected `[[limits]]` tables")),
    }
}

fn row(
    source: &Source<'_>,
    value: &Value<'_>,
    meaning: BoundMeaning,
) -> Result<ParameterLimits, LimitsError> {
    let at = value.span().start;
    let DeValue::Table(table) = value.get_ref() else {
        return Err(source.error(at, "expected a table with `parameter` and its limits"));
    };
    let mut draft = Draft::at(source, at);
    let mut levels = [false; 5];
    for (key, value) in table {
        if let Some(level) = column::level(key.get_ref()) {
            if std::mem::replace(&mut levels[level], true) {
                let message = format!("{} stands here twice", column::LEVELS[level]);
                return Err(source.error(key.span().start, message));
            }
            set_range(source, &mut draft, level, value)?;
        } else {
            let column = known_key(source, key)?;
            set(source, &mut draft, column, value)?;
        }
    }
    draft.finish(source, meaning)
}

/// The column of a key, written exactly: only the names of levels have aliases here.
fn known_key(source: &Source<'_>, key: &Key<'_>) -> Result<Column, LimitsError> {
    let name = key.get_ref().as_ref();
    Column::named(name).filter(|column| column.name() == name && !is_bound(*column)).ok_or_else(|| {
        let levels = "and watch, warning, distress, critical, severe as { low = NUMBER, high = NUMBER }";
        column::unknown(source, Located { value: name, at: key.span().start }, "key", levels)
    })
}

fn is_bound(column: Column) -> bool {
    matches!(column, Column::High(_) | Column::Low(_))
}

fn set_range(
    source: &Source<'_>,
    draft: &mut Draft,
    level: usize,
    value: &Value<'_>,
) -> Result<(), LimitsError> {
    let name = column::LEVELS[level];
    let DeValue::Table(ends) = value.get_ref() else {
        let message = format!("{name} is not a range; expected {{ low = NUMBER, high = NUMBER }}");
        return Err(source.error(value.span().start, message));
    };
    for (key, value) in ends {
        let column = match key.get_ref().as_ref() {
            "high" => Column::High(level),
            "low" => Column::Low(level),
            other => {
                let shown: String = other.chars().take(64).collect();
                let message = format!("unknown key {shown:?} in {name}; expected `low` and `high`");
                return Err(source.error(key.span().start, message));
            }
        };
        set(source, draft, column, value)?;
    }
    Ok(())
}

fn set(source: &Source<'_>, draft: &mut Draft, column: Column, value: &Value<'_>) -> Result<(), LimitsError> {
    let at = value.span().start;
    let written = match column {
        Column::Deadband | Column::High(_) | Column::Hysteresis | Column::Low(_) | Column::Persistence => {
            number_of(source, column, value)?.to_owned()
        }
        Column::EffectiveFrom | Column::EffectiveTo => match value.get_ref() {
            DeValue::Datetime(time) => time.to_string(),
            _ => text_of(source, &column.name(), value)?.to_owned(),
        },
        Column::Author | Column::Context | Column::Parameter | Column::Reason => {
            text_of(source, &column.name(), value)?.to_owned()
        }
    };
    draft.set(source, column, Located { value: &written, at })
}

fn number_of<'t>(source: &Source<'_>, column: Column, value: &'t Value<'_>) -> Result<&'t str, LimitsError> {
    match value.get_ref() {
        DeValue::Float(number) => Ok(number.as_str()),
        DeValue::Integer(number) if number.radix() == 10 => Ok(number.as_str()),
        _ => Err(source.error(value.span().start, format!("{} is not a decimal number", column.name()))),
    }
}

fn text_of<'t>(source: &Source<'_>, name: &str, value: &'t Value<'_>) -> Result<&'t str, LimitsError> {
    match value.get_ref() {
        DeValue::String(text) => Ok(text),
        _ => Err(source.error(value.span().start, format!("{name} is not text; expected \"…\""))),
    }
}
