//! All samples of a body: what stands around them, how many there are, and where each is.

use std::fmt;

use delivery::SampleRecord;
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::sample::{Draft, Key};
use super::{BodyError, RefusedSample, SampleBody, SampleCause, SampleField, SampleLimits, SampleProblem};

type Check<'c> = &'c dyn Fn(&SampleRecord) -> Result<(), SampleProblem>;

/// Bytes on both sides of an error that are shown.
const EXCERPT_BYTES: usize = 24;

/// Reads one object, an array of objects, or `{"samples": [...]}`.
pub(super) fn read_json(
    body: &[u8],
    limits: SampleLimits,
    check: Check<'_>,
) -> Result<SampleBody, BodyError> {
    let mut intake = Intake::new(limits, check);
    let mut json = serde_json::Deserializer::from_slice(body);
    let is_structure = matches!(body.trim_ascii_start().first(), Some(b'[' | b'{'));
    let result = if is_structure {
        json.deserialize_any(Root { intake: &mut intake })
    } else {
        IgnoredAny::deserialize(&mut json).and_then(|_| Err(intake.stop_at_shape("a value by itself")))
    };
    match result.and_then(|()| json.end()) {
        Ok(()) => Ok(intake.body),
        Err(error) => Err(intake.body_error(body, &error)),
    }
}

/// Reads one object a line.
pub(super) fn read_lines(
    body: &[u8],
    limits: SampleLimits,
    check: Check<'_>,
) -> Result<SampleBody, BodyError> {
    let mut intake = Intake::new(limits, check);
    for (line, number) in body.split(|byte| *byte == b'\n').zip(1..) {
        if line.trim_ascii().is_empty() {
            continue;
        }
        if intake.is_full() {
            let (cause, message) = intake.too_many();
            return Err(BodyError { cause, message, line: number, column: 0, excerpt: excerpt(line, 0) });
        }
        let mut json = serde_json::Deserializer::from_slice(line);
        let read = Element { limits: &intake.limits }.deserialize(&mut json);
        let draft = read.and_then(|draft| json.end().map(|()| draft));
        let sample = draft.map_err(|error| syntax_problem(line, &error)).and_then(Draft::finish);
        intake.take(sample, Place { line: Some(number), is_item: false, is_wrapped: false });
    }
    Ok(intake.body)
}

fn syntax_problem(line: &[u8], error: &serde_json::Error) -> SampleProblem {
    let (message, column) = (without_place(error), error.column());
    let around = excerpt(line, column);
    SampleProblem {
        field: SampleField::Whole,
        cause: SampleCause::JsonSyntax,
        message: format!("{message}, at column {column}: {around}"),
    }
}

/// What was read so far.
struct Intake<'c> {
    limits: SampleLimits,
    check: Check<'c>,
    body: SampleBody,
    count: usize,
    /// Why reading was ended, where it was not for syntax.
    stopped: Option<(SampleCause, String)>,
}

/// Where a sample stands.
#[derive(Clone, Copy)]
struct Place {
    line: Option<usize>,
    /// In an array.
    is_item: bool,
    /// In that of `{"samples": [...]}`.
    is_wrapped: bool,
}

impl<'c> Intake<'c> {
    fn new(limits: SampleLimits, check: Check<'c>) -> Self {
        Self { limits, check, body: SampleBody::default(), count: 0, stopped: None }
    }

    fn is_full(&self) -> bool {
        self.count >= self.limits.samples_max
    }

    fn too_many(&self) -> (SampleCause, String) {
        let message = format!("the body holds more than {} samples", self.limits.samples_max);
        (SampleCause::TooManySamples, message)
    }

    #[cold]
    fn stop<E: serde::de::Error>(&mut self, (cause, message): (SampleCause, String)) -> E {
        let error = E::custom(&message);
        self.stopped.get_or_insert((cause, message));
        error
    }

    fn stop_at_shape<E: serde::de::Error>(&mut self, found: &str) -> E {
        let message =
            format!("{found} was found; expected an object, an array of objects, or {{\"samples\": [...]}}");
        self.stop((SampleCause::JsonShape, message))
    }

    fn take(&mut self, sample: Result<SampleRecord, SampleProblem>, place: Place) {
        let index = self.count;
        self.count += 1;
        let checked = sample.and_then(|sample| (self.check)(&sample).map(|()| sample));
        match checked {
            Ok(sample) => self.body.samples.push(sample),
            Err(problem) => self.refuse(index, problem, place),
        }
    }

    #[cold]
    fn refuse(&mut self, index: usize, problem: SampleProblem, place: Place) {
        self.body.refused_count += 1;
        if self.body.refused.len() >= self.limits.refused_listed_max {
            return;
        }
        let field = problem.field.pointer();
        let path = match place {
            Place { is_wrapped: true, .. } => format!("/samples/{index}{field}"),
            Place { is_item: true, .. } => format!("/{index}{field}"),
            Place { .. } => field,
        };
        let SampleProblem { cause, message, .. } = problem;
        self.body.refused.push(RefusedSample { index, path, line: place.line, cause, message });
    }

    fn body_error(self, body: &[u8], error: &serde_json::Error) -> BodyError {
        // What is no syntax has no place.
        let (line, column) = (error.line().max(1), error.column());
        // Elements are taken whatever they are, so that the only wrong kind of JSON is that behind `samples`.
        let cause = if error.is_data() { SampleCause::JsonShape } else { SampleCause::JsonSyntax };
        let (cause, message) = self.stopped.unwrap_or((cause, without_place(error)));
        let before = body.split(|byte| *byte == b'\n').take(line.saturating_sub(1));
        let line_start: usize = before.map(|line| line.len() + 1).sum();
        BodyError { cause, message, line, column, excerpt: excerpt(body, line_start + column) }
    }
}

/// What a parser says, without where: that is told apart.
fn without_place(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.rsplit_once(" at line ").map_or(text.as_str(), |(message, _)| message).to_owned()
}

/// Some bytes on both sides of a place, as text.
fn excerpt(bytes: &[u8], at: usize) -> String {
    let at = at.min(bytes.len());
    let around = &bytes[at.saturating_sub(EXCERPT_BYTES)..bytes.len().min(at + EXCERPT_BYTES)];
    let shown = String::from_utf8_lossy(around);
    shown.chars().map(|character| if character.is_control() { ' ' } else { character }).collect()
}

/// The outermost array or object.
struct Root<'i, 'c> {
    intake: &'i mut Intake<'c>,
}

impl<'de> Visitor<'de> for Root<'_, '_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("samples")
    }

    fn visit_seq<S: SeqAccess<'de>>(self, items: S) -> Result<(), S::Error> {
        read_items(self.intake, items, false)
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<(), M::Error> {
        let Root { intake } = self;
        let mut draft = Draft::default();
        let mut is_wrapper = false;
        while let Some(key) = map.next_key::<Key>()? {
            match key {
                Key::Samples if is_wrapper => return Err(intake.stop_at_shape("samples twice")),
                Key::Samples => {
                    is_wrapper = true;
                    map.next_value_seed(Items { intake: &mut *intake })?;
                }
                Key::Field(field) => draft.read_field(field, &mut map, &intake.limits)?,
            }
            if is_wrapper && !draft.is_empty() {
                return Err(intake.stop_at_shape("samples beside another field"));
            }
        }
        if !is_wrapper {
            if intake.is_full() {
                let too_many = intake.too_many();
                return Err(intake.stop(too_many));
            }
            intake.take(draft.finish(), Place { line: None, is_item: false, is_wrapped: false });
        }
        Ok(())
    }
}

fn read_items<'de, S: SeqAccess<'de>>(
    intake: &mut Intake<'_>,
    mut items: S,
    is_wrapped: bool,
) -> Result<(), S::Error> {
    while let Some(draft) = items.next_element_seed(Element { limits: &intake.limits })? {
        if intake.is_full() {
            let too_many = intake.too_many();
            return Err(intake.stop(too_many));
        }
        intake.take(draft.finish(), Place { line: None, is_item: true, is_wrapped });
    }
    Ok(())
}

/// The array behind `samples`.
struct Items<'i, 'c> {
    intake: &'i mut Intake<'c>,
}

impl<'de> DeserializeSeed<'de> for Items<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Items<'_, '_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an array of samples")
    }

    fn visit_seq<S: SeqAccess<'de>>(self, items: S) -> Result<(), S::Error> {
        read_items(self.intake, items, true)
    }
}

/// What should be an object with the fields of a sample.
struct Element<'l> {
    limits: &'l SampleLimits,
}

impl Element<'_> {
    fn refused<E>(found: &str) -> Result<Draft, E> {
        let mut draft = Draft::default();
        draft.refuse_shape(found);
        Ok(draft)
    }
}

impl<'de> DeserializeSeed<'de> for Element<'_> {
    type Value = Draft;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Draft, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Element<'_> {
    type Value = Draft;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a sample")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Draft, E> {
        Self::refused("a boolean")
    }

    fn visit_i64<E>(self, _: i64) -> Result<Draft, E> {
        Self::refused("a number")
    }

    fn visit_u64<E>(self, _: u64) -> Result<Draft, E> {
        Self::refused("a number")
    }

    fn visit_f64<E>(self, _: f64) -> Result<Draft, E> {
        Self::refused("a number")
    }

    fn visit_str<E>(self, _: &str) -> Result<Draft, E> {
        Self::refused("text")
    }

    fn visit_unit<E>(self) -> Result<Draft, E> {
        Self::refused("null")
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut items: S) -> Result<Draft, S::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Self::refused("an array")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Draft, M::Error> {
        let mut draft = Draft::default();
        while let Some(key) = map.next_key::<Key>()? {
            let field = match key {
                Key::Field(field) => field,
                Key::Samples => SampleField::Other("samples".to_owned()),
            };
            draft.read_field(field, &mut map, self.limits)?;
        }
        Ok(draft)
    }
}
