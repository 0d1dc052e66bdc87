//! Mean elements as they are handed around: two lines (TLE), or an orbit mean-elements message (OMM, CCSDS 502.0-B) as JSON.

use serde::Deserialize;
use serde_json::value::RawValue;
use space_packet::TaiTime;

use crate::tle;

/// More of them in one text is no import but a catalogue.
const SETS_MAX: usize = 1_000;
const NAME_CHARS_MAX: usize = 100;

/// How elements were written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Format {
    /// Orbit mean-elements message, JSON.
    Omm,
    /// Two-line elements.
    Tle,
}

/// Mean elements of one spacecraft.
#[derive(Clone, Debug, PartialEq)]
pub struct ElementSet {
    /// Its name, where the text has one.
    pub name: Option<String>,
    /// Its number in the catalogue.
    pub catalog_number: u64,
    /// Its international designator, as `1998-067A`.
    pub designator: Option<String>,
    /// The moment at which the elements hold best.
    pub epoch: TaiTime,
    /// How they were written.
    pub format: Format,
    /// As they were written.
    pub text: String,
    elements: sgp4::Elements,
}

/// A text that holds no elements, or one of which something is wrong.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("line {line}, column {column}: {why}")]
pub struct UnreadableElements {
    /// Counted from 1.
    pub line: usize,
    /// Characters, counted from 1.
    pub column: usize,
    /// What was expected there.
    pub why: String,
}

impl UnreadableElements {
    pub(crate) fn new(line: usize, column: usize, why: impl Into<String>) -> Self {
        Self { line, column, why: why.into() }
    }
}

impl ElementSet {
    /// All sets of a text: two-line elements with or without a line of a name before them, or OMM as JSON, one object or a
    /// list of them. At least one, at most 1,000.
    pub fn parse(text: &str) -> Result<Vec<Self>, UnreadableElements> {
        let sets = match text.trim_start().as_bytes().first() {
            None => {
                return Err(UnreadableElements::new(1, 1, "the text is empty; put in TLE or OMM as JSON"));
            }
            Some(b'[' | b'{') => messages(text)?,
            Some(_) => tle::parse(text)?,
        };
        match sets.len() {
            0 => Err(UnreadableElements::new(1, 1, "the list is empty")),
            1..=SETS_MAX => Ok(sets),
            more => Err(UnreadableElements::new(
                1,
                1,
                format!("{more} sets of elements; at most {SETS_MAX} are taken at once"),
            )),
        }
    }

    /// Elements that were read, if they can be those of an orbit around the Earth.
    pub(crate) fn new(elements: sgp4::Elements, format: Format, text: String) -> Result<Self, String> {
        let within = |name: &str, value: f64, range: std::ops::RangeInclusive<f64>| {
            let (least, most) = (range.start(), range.end());
            let told = || format!("{name} is {value}; it lies from {least} to {most}");
            if range.contains(&value) { Ok(()) } else { Err(told()) }
        };
        within("the inclination", elements.inclination, 0.0..=180.0)?;
        within("the right ascension of the ascending node", elements.right_ascension, -360.0..=360.0)?;
        within("the eccentricity", elements.eccentricity, 0.0..=0.999_999_9)?;
        within("the argument of perigee", elements.argument_of_perigee, -360.0..=360.0)?;
        within("the mean anomaly", elements.mean_anomaly, -360.0..=360.0)?;
        within("the mean motion, in revolutions a day,", elements.mean_motion, 0.01..=18.0)?;
        within("the drag term, in reciprocal radii of the Earth,", elements.drag_term, -10.0..=10.0)?;
        let unix_nanos = elements
            .datetime
            .and_utc()
            .timestamp_nanos_opt()
            .ok_or_else(|| "the epoch is not between the years 1678 and 2262".to_owned())?;
        let name = elements.object_name.as_deref().map(str::trim).filter(|name| !name.is_empty());
        if name.is_some_and(|name| name.chars().count() > NAME_CHARS_MAX) {
            return Err(format!("the name is longer than {NAME_CHARS_MAX} characters"));
        }
        Ok(Self {
            name: name.map(str::to_owned),
            catalog_number: elements.norad_id,
            designator: elements.international_designator.clone(),
            epoch: TaiTime::from_unix_nanos(unix_nanos),
            format,
            text,
            elements,
        })
    }

    pub(crate) fn elements(&self) -> &sgp4::Elements {
        &self.elements
    }
}

/// What a message says of itself. Where it says nothing, elements for SGP4 are meant.
#[derive(Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
struct Metadata {
    center_name: Option<String>,
    ref_frame: Option<String>,
    time_system: Option<String>,
    mean_element_theory: Option<String>,
}

fn messages(text: &str) -> Result<Vec<ElementSet>, UnreadableElements> {
    let told =
        |error: &serde_json::Error| UnreadableElements::new(error.line(), error.column(), plain(error));
    let raw: Vec<&RawValue> = if text.trim_start().starts_with('[') {
        serde_json::from_str(text).map_err(|error| told(&error))?
    } else {
        vec![serde_json::from_str(text).map_err(|error| told(&error))?]
    };
    raw.into_iter().map(|one| message(text, one.get())).collect()
}

/// One message, a part of a text.
fn message(text: &str, part: &str) -> Result<ElementSet, UnreadableElements> {
    let (lines, columns) = place_of(text, part);
    let told = |error: &serde_json::Error| {
        let column = if error.line() == 1 { columns + error.column() } else { error.column() };
        UnreadableElements::new(lines + error.line(), column, plain(error))
    };
    let here = |why: String| UnreadableElements::new(lines + 1, columns + 1, why);
    let metadata: Metadata = serde_json::from_str(part).map_err(|error| told(&error))?;
    for (name, said, expected) in [
        ("CENTER_NAME", metadata.center_name, "EARTH"),
        ("REF_FRAME", metadata.ref_frame, "TEME"),
        ("TIME_SYSTEM", metadata.time_system, "UTC"),
        ("MEAN_ELEMENT_THEORY", metadata.mean_element_theory, "SGP4"),
    ] {
        if let Some(said) = said.filter(|said| !said.trim().eq_ignore_ascii_case(expected)) {
            return Err(here(format!("{name} is {said:?}; only {expected} can be propagated")));
        }
    }
    let elements: sgp4::Elements = serde_json::from_str(part).map_err(|error| told(&error))?;
    ElementSet::new(elements, Format::Omm, part.to_owned()).map_err(here)
}

/// How many lines and, in its line, characters are before a part of a text.
fn place_of(text: &str, part: &str) -> (usize, usize) {
    let before = text.len().min((part.as_ptr() as usize).saturating_sub(text.as_ptr() as usize));
    let before = &text[..before];
    let line = before.rsplit('\n').next().unwrap_or_default();
    (before.matches('\n').count(), line.chars().count())
}

/// What is wrong, without the place, which is told anyway and here is that of the part.
fn plain(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.rsplit_once(" at line ").map_or(text.clone(), |(why, _)| why.to_owned())
}

#[cfg(test)]
mod tests;
