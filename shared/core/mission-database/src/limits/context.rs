//! Contexts as people write them: `MODE=SAFE; GAIN>=4`, all of which must hold.

use super::{ContextTerm, LimitsError, Located, Source, TermOperator};

/// Longer signs first: `>=` begins like `>`.
const OPERATORS: [(&str, TermOperator); 7] = [
    ("==", TermOperator::Equal),
    ("!=", TermOperator::NotEqual),
    (">=", TermOperator::GreaterOrEqual),
    ("<=", TermOperator::LessOrEqual),
    ("=", TermOperator::Equal),
    (">", TermOperator::Greater),
    ("<", TermOperator::Less),
];
const SIGNS: [char; 4] = ['=', '!', '<', '>'];

/// The terms of a context that is not empty.
pub(super) fn parse(source: &Source<'_>, cell: Located<&str>) -> Result<Vec<ContextTerm>, LimitsError> {
    cell.value.split(';').map(|text| term(source, Located { value: text.trim(), at: cell.at })).collect()
}

fn term(source: &Source<'_>, text: Located<&str>) -> Result<ContextTerm, LimitsError> {
    let refused = || {
        let shown: String = text.value.chars().take(64).collect();
        let expected =
            "expected a comparison such as MODE=SAFE, with one of = != < <= > >=, several divided by ;";
        source.error(text.at, format!("context {shown:?} does not compare; {expected}"))
    };
    let (parameter, comparison) = text.value.split_at(text.value.find(SIGNS).ok_or_else(refused)?);
    let (value, operator) = OPERATORS
        .iter()
        .find_map(|(sign, operator)| Some((comparison.strip_prefix(sign)?, *operator)))
        .ok_or_else(refused)?;
    let (parameter, value) = (parameter.trim(), value.trim());
    // `=<` and `=>` are slips for `<=` and `>=`, not values that begin with a sign.
    if parameter.is_empty() || value.is_empty() || value.starts_with(SIGNS) {
        return Err(refused());
    }
    Ok(ContextTerm { parameter: parameter.to_owned(), operator, value: value.to_owned() })
}
