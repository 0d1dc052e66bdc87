//! Two-line elements: two lines of 69 columns, each with a checksum, after a line with a name or without one.

use crate::elements::{ElementSet, Format, UnreadableElements};

const COLUMNS: usize = 69;
/// Where line 1 has the ephemeris type, counted from 0. Old sets leave it empty.
const EPHEMERIS_TYPE: usize = 62;

/// What stands in columns.
#[derive(Clone, Copy)]
enum Kind {
    /// Five digits, of which the first may be a letter for numbers beyond 99,999.
    Catalogue,
    /// A number without a point: digits, blanks before them.
    Digits,
    /// A number with a point.
    Float,
    /// Nothing.
    Blank,
    /// Digits with a point before them that is not written, then an exponent of one digit.
    PointAssumed,
    /// Anything.
    Text,
}

use Kind::{Blank, Catalogue, Digits, Float, PointAssumed, Text};

/// First and last column counted from 1, what stands there, and its name.
type Field = (usize, usize, Kind, &'static str);

const LINE_1: [Field; 20] = [
    (1, 1, Digits, "the number of the line"),
    (2, 2, Blank, "a blank"),
    (3, 7, Catalogue, "the catalogue number"),
    (8, 8, Text, "the classification"),
    (9, 9, Blank, "a blank"),
    (10, 17, Text, "the international designator"),
    (18, 18, Blank, "a blank"),
    (19, 20, Digits, "the year of the epoch"),
    (21, 32, Float, "the day of the epoch"),
    (33, 33, Blank, "a blank"),
    (34, 43, Float, "the first derivative of the mean motion"),
    (44, 44, Blank, "a blank"),
    (45, 52, PointAssumed, "the second derivative of the mean motion"),
    (53, 53, Blank, "a blank"),
    (54, 61, PointAssumed, "the drag term"),
    (62, 62, Blank, "a blank"),
    (63, 63, Text, "the ephemeris type"),
    (64, 64, Blank, "a blank"),
    (65, 68, Digits, "the number of the element set"),
    (69, 69, Digits, "the checksum"),
];

const LINE_2: [Field; 17] = [
    (1, 1, Digits, "the number of the line"),
    (2, 2, Blank, "a blank"),
    (3, 7, Catalogue, "the catalogue number"),
    (8, 8, Blank, "a blank"),
    (9, 16, Float, "the inclination"),
    (17, 17, Blank, "a blank"),
    (18, 25, Float, "the right ascension of the ascending node"),
    (26, 26, Blank, "a blank"),
    (27, 33, Digits, "the eccentricity"),
    (34, 34, Blank, "a blank"),
    (35, 42, Float, "the argument of perigee"),
    (43, 43, Blank, "a blank"),
    (44, 51, Float, "the mean anomaly"),
    (52, 52, Blank, "a blank"),
    (53, 63, Float, "the mean motion"),
    (64, 68, Digits, "the number of revolutions"),
    (69, 69, Digits, "the checksum"),
];

pub(crate) fn parse(text: &str) -> Result<Vec<ElementSet>, UnreadableElements> {
    let lines = text.lines().enumerate().map(|(index, line)| (index + 1, line.trim_end()));
    let mut lines = lines.filter(|(_, line)| !line.is_empty());
    let mut sets = Vec::new();
    while let Some((number, line)) = lines.next() {
        let (name, first) = if is_element_line(line, '1') {
            (None, (number, line))
        } else if is_element_line(line, '2') {
            return Err(UnreadableElements::new(number, 1, "line 2 of a set of elements without its line 1"));
        } else {
            let why = "expected line 1 of a set of elements, which begins with `1 `";
            let first = lines.next().ok_or_else(|| UnreadableElements::new(number, 1, why))?;
            if !is_element_line(first.1, '1') {
                return Err(UnreadableElements::new(first.0, 1, why));
            }
            (Some((number, line)), first)
        };
        let why = "expected line 2 of the set of elements, which begins with `2 `";
        let second = lines.next().ok_or_else(|| UnreadableElements::new(first.0 + 1, 1, why))?;
        if !is_element_line(second.1, '2') {
            return Err(UnreadableElements::new(second.0, 1, why));
        }
        sets.push(set(name, first, second)?);
    }
    Ok(sets)
}

/// Whether it can only be meant as a line of elements: names are shorter.
fn is_element_line(line: &str, number: char) -> bool {
    let rest = line.strip_prefix(number).and_then(|rest| rest.strip_prefix(' '));
    rest.is_some_and(|rest| rest.len() > 30)
}

fn set(
    name: Option<(usize, &str)>,
    (number_1, line_1): (usize, &str),
    (number_2, line_2): (usize, &str),
) -> Result<ElementSet, UnreadableElements> {
    if let Some((number, name)) = name
        && let Some(index) = name.chars().position(char::is_control)
    {
        return Err(UnreadableElements::new(number, index + 1, "a control character in a name"));
    }
    let name = name.map(|(_, name)| name);
    check(number_1, line_1, &LINE_1)?;
    check(number_2, line_2, &LINE_2)?;
    if line_1[2..7] != line_2[2..7] {
        let why = format!("the catalogue number is not that of line 1, {:?}", &line_1[2..7]);
        return Err(UnreadableElements::new(number_2, 3, why));
    }
    let text = name.into_iter().chain([line_1, line_2]).collect::<Vec<_>>().join("\n");
    let mut line_1 = line_1.as_bytes().to_vec();
    if line_1[EPHEMERIS_TYPE] == b' ' {
        line_1[EPHEMERIS_TYPE] = b'0';
    }
    // The zero stands before names in sets of three lines, and is no part of them.
    let name = name.map(|name| name.strip_prefix("0 ").unwrap_or(name).trim().to_owned());
    let elements = sgp4::Elements::from_tle(name, &line_1, line_2.as_bytes())
        .map_err(|error| UnreadableElements::new(number_1, 1, error.to_string()))?;
    ElementSet::new(elements, Format::Tle, text).map_err(|why| UnreadableElements::new(number_2, 1, why))
}

/// Checks the form of a line, so that what is wrong is told by its column.
fn check(number: usize, line: &str, fields: &[Field]) -> Result<(), UnreadableElements> {
    if let Some(index) = line.chars().position(|character| !(' '..='~').contains(&character)) {
        return Err(UnreadableElements::new(number, index + 1, "a character that elements do not have"));
    }
    if line.len() != COLUMNS {
        let why = format!("the line has {} columns; lines of elements have {COLUMNS}", line.len());
        return Err(UnreadableElements::new(number, line.len().min(COLUMNS) + 1, why));
    }
    for &(first, last, kind, name) in fields {
        let text = &line[first - 1..last];
        if !is_of(kind, text) {
            return Err(UnreadableElements::new(number, first, format!("{text:?} is not {name}")));
        }
    }
    let sum = checksum(&line[..COLUMNS - 1]);
    if !line.ends_with(char::from(b'0' + sum)) {
        let why = format!("the checksum is {sum} by the line, and {:?} is written", &line[COLUMNS - 1..]);
        return Err(UnreadableElements::new(number, COLUMNS, why));
    }
    Ok(())
}

fn is_of(kind: Kind, text: &str) -> bool {
    let trimmed = text.trim_start();
    let all_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match kind {
        Blank => trimmed.is_empty(),
        Catalogue => {
            let letter_first = trimmed.len() == 5 && trimmed.as_bytes()[0].is_ascii_uppercase();
            all_digits(if letter_first { &trimmed[1..] } else { trimmed })
        }
        Digits => all_digits(trimmed),
        Float => {
            let unsigned = trimmed.strip_prefix(['+', '-']).unwrap_or(trimmed);
            let (whole, part) = unsigned.split_once('.').unwrap_or((unsigned, "0"));
            (whole.is_empty() || all_digits(whole)) && all_digits(part)
        }
        PointAssumed => {
            let unsigned = trimmed.strip_prefix(['+', '-']).unwrap_or(trimmed);
            unsigned.split_once(['+', '-']).is_some_and(|(digits, exponent)| {
                all_digits(digits) && all_digits(exponent) && exponent.len() == 1
            })
        }
        Text => true,
    }
}

/// The last digit of the sum of all digits; a minus counts one.
fn checksum(columns: &str) -> u8 {
    let of_byte = |byte: u8| match byte {
        b'0'..=b'9' => u32::from(byte - b'0'),
        b'-' => 1,
        _ => 0,
    };
    (columns.bytes().map(of_byte).sum::<u32>() % 10) as u8
}
