//! Typed values of a document's tables, and problems that name their places.

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use super::RuleProblem;
use crate::alarm::entry::{AlarmSeverity, NAME_BYTES_MAX};

pub(super) type Value<'d> = Spanned<DeValue<'d>>;
pub(super) type Found<T> = Result<T, RuleProblem>;

/// The document as problems see it.
pub(super) struct Source<'d> {
    pub(super) name: &'d str,
    pub(super) text: &'d str,
}

impl Source<'_> {
    pub(super) fn problem(&self, at: usize, message: impl Into<String>) -> RuleProblem {
        let before = &self.text[..self.text.floor_char_boundary(at)];
        let line_start = before.rfind('\n').map_or(0, |end| end + 1);
        RuleProblem {
            source_name: self.name.to_owned(),
            line: before.matches('\n').count() as u32 + 1,
            column: before[line_start..].chars().count() as u32 + 1,
            message: message.into(),
        }
    }
}

/// A part of the document and the byte at which it begins.
#[derive(Clone, Copy, Debug)]
pub(super) struct Located<T> {
    pub(super) value: T,
    pub(super) at: usize,
}

/// A table whose keys are taken one after the other; those that nobody took are unknown.
pub(super) struct Fields<'d> {
    pub(super) source: &'d Source<'d>,
    table: &'d DeTable<'d>,
    pub(super) at: usize,
    known: Vec<&'static str>,
}

/// Names stand in messages, logs and tables, which take no control characters.
fn is_name(text: &str) -> bool {
    (1..=NAME_BYTES_MAX).contains(&text.len()) && !text.contains(char::is_control)
}

impl<'d> Fields<'d> {
    pub(super) fn of(source: &'d Source<'d>, value: &'d Value<'d>) -> Found<Self> {
        match value.get_ref() {
            DeValue::Table(table) => Ok(Self::of_table(source, table, value.span().start)),
            _ => Err(source.problem(value.span().start, "expected a table of `key = value`")),
        }
    }

    pub(super) fn of_table(source: &'d Source<'d>, table: &'d DeTable<'d>, at: usize) -> Self {
        Self { source, table, at, known: Vec::new() }
    }

    /// The value of a key, if it is there.
    pub(super) fn take(&mut self, key: &'static str) -> Option<&'d Value<'d>> {
        self.known.push(key);
        self.table.get(key)
    }

    pub(super) fn required<T>(&self, key: &str, value: Option<T>) -> Found<T> {
        value.ok_or_else(|| self.source.problem(self.at, format!("`{key}` is missing")))
    }

    /// A name of 1 to 256 bytes without control characters.
    pub(super) fn name(&mut self, key: &'static str) -> Found<Option<Located<&'d str>>> {
        let value = self.take(key);
        value.map(|value| self.name_in(key, value)).transpose()
    }

    fn name_in(&self, key: &str, value: &'d Value<'d>) -> Found<Located<&'d str>> {
        let at = value.span().start;
        match value.get_ref() {
            DeValue::String(text) if is_name(text) => Ok(Located { value: text, at }),
            _ => {
                let message = format!(
                    "`{key}` is not a text of 1 to {NAME_BYTES_MAX} bytes without control characters; expected \"…\""
                );
                Err(self.source.problem(at, message))
            }
        }
    }

    /// An array of at most so many names; an absent one is empty.
    pub(super) fn names(&mut self, key: &'static str, most: usize) -> Found<Vec<Located<&'d str>>> {
        let Some(values) = self.array(key, most)? else { return Ok(Vec::new()) };
        values.iter().map(|value| self.name_in(key, value)).collect()
    }

    /// An array of at most so many values.
    pub(super) fn array(&mut self, key: &'static str, most: usize) -> Found<Option<&'d [Value<'d>]>> {
        let Some(value) = self.take(key) else { return Ok(None) };
        match value.get_ref() {
            DeValue::Array(values) if values.len() <= most => Ok(Some(values)),
            _ => {
                let message = format!("`{key}` is not an array of at most {most}; expected [ … ]");
                Err(self.source.problem(value.span().start, message))
            }
        }
    }

    pub(super) fn flag(&mut self, key: &'static str) -> Found<bool> {
        let Some(value) = self.take(key) else { return Ok(false) };
        match value.get_ref() {
            DeValue::Boolean(flag) => Ok(*flag),
            _ => Err(self.source.problem(value.span().start, format!("`{key}` is not true or false"))),
        }
    }

    /// A whole number within a range.
    pub(super) fn number(
        &mut self,
        key: &'static str,
        range: std::ops::RangeInclusive<u32>,
    ) -> Found<Option<u32>> {
        let Some(value) = self.take(key) else { return Ok(None) };
        let number = match value.get_ref() {
            DeValue::Integer(number) if number.radix() == 10 => number.as_str().parse().ok(),
            _ => None,
        };
        number.filter(|number| range.contains(number)).map(Some).ok_or_else(|| {
            let message = format!("`{key}` is not a whole number from {} to {}", range.start(), range.end());
            self.source.problem(value.span().start, message)
        })
    }

    /// A length of time in seconds, written with its unit, up to so many.
    pub(super) fn seconds(&mut self, key: &'static str, most: u32) -> Found<Option<u32>> {
        let Some(value) = self.take(key) else { return Ok(None) };
        let seconds = match value.get_ref() {
            DeValue::String(text) => parse_seconds(text),
            _ => None,
        };
        seconds.filter(|seconds| *seconds <= most).map(Some).ok_or_else(|| {
            let message = format!(
                "`{key}` is not a length of time of at most {most} s; expected \"60 s\", \"10 min\", \"8 h\" or \"1 d\""
            );
            self.source.problem(value.span().start, message)
        })
    }

    pub(super) fn severity(&mut self, key: &'static str) -> Found<Option<AlarmSeverity>> {
        let Some(name) = self.name(key)? else { return Ok(None) };
        let problem = |unknown| self.source.problem(name.at, format!("`{key}` is {unknown}"));
        name.value.parse().map(Some).map_err(problem)
    }

    /// Fails at a key that nobody took.
    pub(super) fn finish(self) -> Found<()> {
        let is_unknown = |key: &&Spanned<DeString<'_>>| !self.known.contains(&key.get_ref().as_ref());
        let unknown = self.table.keys().filter(is_unknown).min_by_key(|key| key.span().start);
        let Some(key) = unknown else { return Ok(()) };
        let shown: String = key.get_ref().chars().take(64).collect();
        let message = format!("unknown key {shown:?}; expected one of {}", self.known.join(", "));
        Err(self.source.problem(key.span().start, message))
    }
}

/// `"60 s"`, with s, min, h or d, as in configuration files.
fn parse_seconds(text: &str) -> Option<u32> {
    let digits = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    let unit = match text[digits..].trim() {
        "s" => 1,
        "min" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return None,
    };
    text[..digits].parse::<u32>().ok()?.checked_mul(unit)
}
