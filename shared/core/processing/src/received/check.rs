//! Whether a sample fits a mission's dictionary, for doors that can tell its producer.

use delivery::{ReadingKind, SampleRecord};
use mission_database::{Dictionary, MissionDatabase};

use super::{SampleCause, SampleField, SampleProblem};
use crate::validation::{converted, named};

/// Names around the place of an unknown one that are compared with it. A body may be full of unknown names, so not all
/// there are.
const NEIGHBOURS: usize = 8;
/// Letters that may differ for a name to be suggested.
const DISTANCE_MAX: usize = 3;
/// Longer names are not compared: the work grows with the square.
const COMPARED_BYTES_MAX: usize = 96;

/// Whether the dictionary in force when a sample was made has its parameter, and can hold its value. A sample without a
/// time is read by the newest.
pub fn check_against(database: &MissionDatabase, record: &SampleRecord) -> Result<(), SampleProblem> {
    let reading = record.generation.map_or_else(|| database.newest(), |generation| database.at(generation.0));
    let Some(parameter) = named(database, reading, &record.parameter) else {
        return Err(unknown(&reading.dictionary, &record.parameter));
    };
    let field = match record.reading {
        ReadingKind::Engineering => SampleField::Value,
        ReadingKind::Raw => SampleField::Raw,
    };
    match converted(reading, parameter, record) {
        Ok(_) => Ok(()),
        Err(unfit) => {
            Err(SampleProblem { field, cause: SampleCause::ValueUnfit, message: unfit.to_string() })
        }
    }
}

#[cold]
fn unknown(dictionary: &Dictionary, name: &str) -> SampleProblem {
    let full_name = |index| dictionary.parameter(index).name.as_str();
    let (cause, message) = match dictionary.find_short(name) {
        [] => {
            let advice = nearest(dictionary, name).map(|near| format!("; did you mean {near}?"));
            let message = format!("no parameter is called {name:?}{}", advice.unwrap_or_default());
            (SampleCause::ParameterUnknown, message)
        }
        [first, second, ..] => {
            let (first, second) = (full_name(*first), full_name(*second));
            let message =
                format!("several parameters are called {name}: send a full name, like {first} or {second}");
            (SampleCause::ParameterAmbiguous, message)
        }
        // Another version of the dictionary has the full name, and this one a parameter called by that as a whole.
        [one] => (SampleCause::ParameterUnknown, format!("send the full name, {}", full_name(*one))),
    };
    SampleProblem { field: SampleField::Parameter, cause, message }
}

/// The name that was probably meant: the same last part in another place, or a few letters off.
fn nearest<'d>(dictionary: &'d Dictionary, name: &str) -> Option<&'d str> {
    let (path, short) = name.rsplit_once('/').unwrap_or(("", name));
    let candidates = dictionary
        .find_short(short)
        .iter()
        .take(NEIGHBOURS)
        .chain(dictionary.around(name, NEIGHBOURS))
        .chain(dictionary.around_short(short, NEIGHBOURS));
    let rated = candidates.filter_map(|index| {
        let known = dictionary.parameter(*index);
        let letters = match path {
            // Without a path only the last parts can be compared.
            "" => distance(short, &known.short_name)?,
            _ if known.short_name == short => 1,
            _ => distance(name, &known.name)?,
        };
        (letters <= DISTANCE_MAX).then_some((letters, known.name.as_str()))
    });
    rated.min().map(|(_, name)| name)
}

/// Letters to insert, drop or change between two names, whatever their case; `None` where they are too different in
/// length, or too long to compare.
fn distance(a: &str, b: &str) -> Option<usize> {
    if a.len().abs_diff(b.len()) > DISTANCE_MAX || a.len().max(b.len()) > COMPARED_BYTES_MAX {
        return None;
    }
    // What begins and ends alike costs nothing, and most of two full names does.
    let is_same = |(x, y): &(u8, u8)| x.eq_ignore_ascii_case(y);
    let begin = a.bytes().zip(b.bytes()).take_while(is_same).count();
    let (a, b) = (&a.as_bytes()[begin..], &b.as_bytes()[begin..]);
    let end = a.iter().copied().rev().zip(b.iter().copied().rev()).take_while(is_same).count();
    let (a, b) = (&a[..a.len() - end], &b[..b.len() - end]);
    let mut row: [usize; COMPARED_BYTES_MAX + 1] = std::array::from_fn(|place| place);
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.iter().enumerate() {
            let changed = diagonal + usize::from(!x.eq_ignore_ascii_case(y));
            diagonal = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(diagonal + 1);
        }
    }
    Some(row[b.len()])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_as_far_apart_as_letters_differ() {
        let cases = [
            ("", "", Some(0)),
            ("volts", "VOLTS", Some(0)),
            ("volts", "vlots", Some(2)),
            ("volts", "volt", Some(1)),
            ("aa", "aaa", Some(1)),
            ("xvolts", "voltsy", Some(2)),
            ("abc", "xyz", Some(3)),
            ("volts", "temperature", None),
        ];
        for (a, b, expected) in cases {
            assert_eq!((distance(a, b), distance(b, a)), (expected, expected), "{a} {b}");
        }
    }
}
