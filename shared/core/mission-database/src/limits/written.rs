//! Limits written as TOML, as [`LimitsOverlay::parse`] reads them.

use std::fmt::{self, Write};

use super::column::LEVELS;
use super::{BoundMeaning, ContextTerm, LimitsOverlay, ParameterLimits, TermOperator};
use crate::AlarmRule;

impl LimitsOverlay {
    /// The document as TOML, a table for each row, in their order. It reads as it was, but for the lines: bounds of all
    /// rows mean what `meaning` says.
    pub fn to_toml(&self, meaning: BoundMeaning) -> String {
        let mut text = format!("bounds = \"{}\"\n", meaning.word());
        for row in &self.rows {
            write_row(&mut text, row).expect("a string takes everything");
        }
        text
    }

    /// The row that a line of [`LimitsOverlay::to_toml`] stands in.
    pub fn row_at(&self, toml: &str, line: u32) -> Option<&ParameterLimits> {
        let before = toml.lines().take(line as usize).filter(|text| *text == TABLE).count();
        self.rows.get(before.checked_sub(1)?)
    }
}

const TABLE: &str = "[[limits]]";

fn write_row(text: &mut String, row: &ParameterLimits) -> fmt::Result {
    write!(text, "\n{TABLE}\nparameter = {}\n", Quoted(&row.parameter))?;
    if !row.context.is_empty() {
        let terms: Vec<String> = row.context.iter().map(ToString::to_string).collect();
        writeln!(text, "context = {}", Quoted(&terms.join("; ")))?;
    }
    for (level, range) in LEVELS.iter().zip(&row.ranges) {
        let end =
            |name, bound: Option<super::Bound>| bound.map(|bound| format!("{name} = {:?}", bound.value));
        let ends: Vec<String> =
            [end("low", range.low), end("high", range.high)].into_iter().flatten().collect();
        if !ends.is_empty() {
            writeln!(text, "{level} = {{ {} }}", ends.join(", "))?;
        }
    }
    let AlarmRule { persistence, hysteresis, deadband } = row.rule;
    if persistence != 1 {
        writeln!(text, "persistence = {persistence}")?;
    }
    for (name, width) in [("hysteresis", hysteresis), ("deadband", deadband)] {
        if width != 0.0 {
            writeln!(text, "{name} = {width:?}")?;
        }
    }
    for (name, time) in [("effective_from", row.effective.from), ("effective_to", row.effective.to)] {
        if let Some(time) = time {
            writeln!(text, "{name} = \"{}\"", time.to_utc())?;
        }
    }
    for (name, words) in [("author", &row.author), ("reason", &row.reason)] {
        if let Some(words) = words {
            writeln!(text, "{name} = {}", Quoted(words))?;
        }
    }
    Ok(())
}

/// A basic string of TOML.
struct Quoted<'a>(&'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_char('"')?;
        for letter in self.0.chars() {
            match letter {
                '"' | '\\' => write!(out, "\\{letter}")?,
                _ if letter.is_control() => write!(out, "\\u{:04X}", u32::from(letter))?,
                _ => out.write_char(letter)?,
            }
        }
        out.write_char('"')
    }
}

/// As in a document: `GAIN>=4`.
impl fmt::Display for ContextTerm {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = match self.operator {
            TermOperator::Equal => "=",
            TermOperator::Greater => ">",
            TermOperator::GreaterOrEqual => ">=",
            TermOperator::Less => "<",
            TermOperator::LessOrEqual => "<=",
            TermOperator::NotEqual => "!=",
        };
        write!(out, "{}{sign}{}", self.parameter, self.value)
    }
}
