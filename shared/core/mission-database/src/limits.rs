//! The limits overlay: limits that a mission keeps beside its dictionary, in CSV or TOML.
//!
//! Operators change limits more often than dictionaries, and must say why. Each row gives a parameter's allowed
//! ranges at up to five severities, in a context or in all, from one generation time to another.

mod cells;
mod column;
mod context;
mod csv_form;
mod draft;
mod rows;
mod source;
mod toml_form;
mod written;

use space_packet::TaiTime;

use source::{Located, Source};

/// Far more than the limits of any mission; what is larger is another file.
const TEXT_BYTES_MAX: usize = 16 * 1024 * 1024;

/// A file of limits, as read.
#[derive(Clone, Debug, PartialEq)]
pub struct LimitsOverlay {
    /// What the caller called the document, usually its file name.
    pub source_name: String,
    /// The rows, in document order.
    pub rows: Vec<ParameterLimits>,
}

/// The limits of one parameter in one context.
#[derive(Clone, Debug, PartialEq)]
pub struct ParameterLimits {
    /// Full name, `/SYSTEM/NAME`, or a short name that only one parameter has.
    pub parameter: String,
    /// What must hold for the row to count, all of it; empty: always. Values are looked for in the same packet.
    pub context: Vec<ContextTerm>,
    /// Allowed ranges: watch, warning, distress, critical, severe.
    pub ranges: [AllowedRange; 5],
    /// What must happen before a violation is raised.
    pub rule: AlarmRule,
    /// When it is in force, in generation time.
    pub effective: EffectiveSpan,
    /// Who set it.
    pub author: Option<String>,
    /// Why.
    pub reason: Option<String>,
    /// Line of the document, counted from 1.
    pub line: u32,
}

/// A range of good values; an end that is absent does not limit.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct AllowedRange {
    /// Its lower end.
    pub low: Option<Bound>,
    /// Its upper end.
    pub high: Option<Bound>,
}

/// An end of a range, in the unit of the engineering value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bound {
    /// Where it lies.
    pub value: f64,
    /// What a value is that equals it.
    pub meaning: BoundMeaning,
}

/// What a value is that equals a bound. Systems differ, so an import must say it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum BoundMeaning {
    /// Still good, as in XTCE's `minInclusive`.
    Good,
    /// Already a violation, as in COSMOS.
    Violation,
}

/// What must happen before a violation is raised, and before it is over.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AlarmRule {
    /// Successive violations before it is raised (XTCE `minViolations`); at least 1.
    pub persistence: u32,
    /// How far within the allowed range a value must come back before the violation is over, in the unit of the
    /// engineering value.
    pub hysteresis: f64,
    /// Changes smaller than this, since the value that was last judged, are not judged anew.
    pub deadband: f64,
}

impl Default for AlarmRule {
    fn default() -> Self {
        Self { persistence: 1, hysteresis: 0.0, deadband: 0.0 }
    }
}

/// One comparison of a context.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct ContextTerm {
    /// Full name, or a short name that only one parameter has.
    pub parameter: String,
    /// How it is compared.
    pub operator: TermOperator,
    /// With what: a label, a word of a boolean, a text or a number, as in XTCE's `Comparison`.
    pub value: String,
}

impl ContextTerm {
    /// The terms of a context as people write it, `MODE=SAFE; GAIN>=4`; none of one that is blank.
    pub fn parse_all(text: &str) -> Result<Vec<ContextTerm>, LimitsError> {
        if text.trim().is_empty() {
            return Ok(Vec::new());
        }
        context::parse(&Source::new("context", text), Located { value: text, at: 0 })
    }
}

/// How a context compares.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum TermOperator {
    /// `=` or `==`.
    Equal,
    /// `>`.
    Greater,
    /// `>=`.
    GreaterOrEqual,
    /// `<`.
    Less,
    /// `<=`.
    LessOrEqual,
    /// `!=`.
    NotEqual,
}

/// A span of generation time: `from ≤ t < to`; an end that is absent does not limit.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct EffectiveSpan {
    /// Its beginning.
    pub from: Option<TaiTime>,
    /// Its end.
    pub to: Option<TaiTime>,
}

impl EffectiveSpan {
    /// Whether a moment lies in it.
    pub fn holds(&self, time: TaiTime) -> bool {
        self.from.is_none_or(|from| from <= time) && self.to.is_none_or(|to| time < to)
    }
}

/// Why limits were refused, and where: `limits.csv:12:7: found this; expected that`.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{source_name}:{line}:{column}: {message}")]
pub struct LimitsError {
    /// What the caller called the document.
    pub source_name: String,
    /// Line, counted from 1.
    pub line: u32,
    /// Character within that line, counted from 1; 1 where a whole row is meant.
    pub column: u32,
    /// What was found, and what was expected instead.
    pub message: String,
}

impl LimitsOverlay {
    /// Reads a document: TOML when its name ends in `.toml`, else CSV; `docs/limits.md` shows both.
    ///
    /// Whether a value that equals a bound is good must be said: by the caller in `bounds`, or by the document.
    /// Names of parameters are not looked up here; `Dictionary::with_limits` does that.
    pub fn parse(
        source_name: &str,
        text: &str,
        bounds: Option<BoundMeaning>,
    ) -> Result<LimitsOverlay, LimitsError> {
        let source = Source::new(source_name, text);
        if text.len() > TEXT_BYTES_MAX {
            let message = format!("the document has {} bytes; expected at most {TEXT_BYTES_MAX}", text.len());
            return Err(source.error(0, message));
        }
        let is_toml = source_name.to_ascii_lowercase().ends_with(".toml");
        let parse = if is_toml { toml_form::parse } else { csv_form::parse };
        Ok(LimitsOverlay { source_name: source_name.to_owned(), rows: parse(&source, bounds)? })
    }
}

/// What is known so far about values that equal a bound.
struct StatedBounds {
    caller: Option<BoundMeaning>,
    document: Option<BoundMeaning>,
}

impl StatedBounds {
    fn by_caller(caller: Option<BoundMeaning>) -> Self {
        StatedBounds { caller, document: None }
    }

    fn by_document(&mut self, source: &Source<'_>, found: Located<BoundMeaning>) -> Result<(), LimitsError> {
        let earlier = self.caller.map(|meaning| ("the import says", meaning));
        let earlier = earlier.or(self.document.map(|meaning| ("an earlier line says", meaning)));
        if let Some((who, meaning)) = earlier
            && meaning != found.value
        {
            let message = format!(
                "bounds are {:?} here, {who} {:?}; expected one and the same",
                found.value.word(),
                meaning.word()
            );
            return Err(source.error(found.at, message));
        }
        self.document = Some(found.value);
        Ok(())
    }

    fn meaning(&self, source: &Source<'_>, at: usize, hint: &str) -> Result<BoundMeaning, LimitsError> {
        self.caller.or(self.document).ok_or_else(|| {
            source.error(
                at,
                format!(
                    "nothing says whether a value that equals a bound is good (as XTCE's minInclusive) or a \
                     violation (as COSMOS' red and yellow limits); expected {hint}, or the same said by the import"
                ),
            )
        })
    }
}

impl BoundMeaning {
    /// The word for it in documents and commands.
    pub fn word(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Violation => "violation",
        }
    }

    /// The one with a word.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Good, Self::Violation].into_iter().find(|meaning| meaning.word() == word)
    }
}

fn bound_meaning(source: &Source<'_>, word: Located<&str>) -> Result<BoundMeaning, LimitsError> {
    BoundMeaning::from_word(word.value).ok_or_else(|| {
        let shown: String = word.value.chars().take(64).collect();
        source.error(word.at, format!("bounds are {shown:?}; expected \"good\" or \"violation\""))
    })
}

#[cfg(test)]
mod tests;
