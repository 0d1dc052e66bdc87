//! A mission's alarm rules and whom to tell, in TOML: `docs/alarms.md` shows the file.
//!
//! What is wrong is told with its place and left out; what is right counts all the same.

mod document;
mod escalation;
mod fields;
mod pattern;
mod rule;

use super::entry::{AlarmSeverity, Terms};
use super::escalation::Escalation;
use super::groups::GroupSettings;
pub(crate) use pattern::Pattern;

/// What a rule says when no rule of the document fits: a minute of merging, nothing else.
const BUILT_IN_MERGE_WINDOW_S: u32 = 60;

/// A mission's alarm rules, as read.
#[derive(Clone, Debug, PartialEq)]
pub struct AlarmRules {
    /// What the caller called the document, usually its file name.
    pub source_name: String,
    /// The version that the document says; 0 when it says none.
    pub version: u32,
    /// When alarms belong together.
    pub groups: GroupSettings,
    /// Whom to tell.
    pub escalation: Escalation,
    /// What is wrong with the document, in its order. Empty: all of it counts.
    pub problems: Vec<RuleProblem>,
    rules: Vec<Rule>,
}

/// What is wrong with a part of the document, and where: `alarms.toml:12:7: found this; expected that`.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{source_name}:{line}:{column}: {message}")]
pub struct RuleProblem {
    /// What the caller called the document.
    pub source_name: String,
    /// Line, counted from 1.
    pub line: u32,
    /// Character within that line, counted from 1.
    pub column: u32,
    /// What was found, and what was expected instead.
    pub message: String,
}

/// What the rules make of a detection.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Resolved<'a> {
    /// How bad it is.
    pub severity: AlarmSeverity,
    /// What goes into the alarm's history.
    pub terms: Terms,
    /// The name under which it is related to others.
    pub related: Option<&'a str>,
    /// The ladder, where the rule names one.
    pub ladder: Option<&'a str>,
}

#[derive(Clone, Debug, PartialEq)]
struct Rule {
    name: String,
    /// Empty: all.
    parameters: Vec<Pattern>,
    /// Empty: all.
    detectors: Vec<String>,
    at_least: AlarmSeverity,
    severity: Option<AlarmSeverity>,
    latch: bool,
    auto_acknowledge: bool,
    merge_window_s: u32,
    related: Option<String>,
    ladder: Option<String>,
}

impl AlarmRules {
    /// Those that hold without a document: severities as detectors say them, merged within a minute, nobody told.
    pub fn built_in() -> Self {
        Self {
            source_name: String::new(),
            version: 0,
            groups: GroupSettings::default(),
            escalation: Escalation::default(),
            problems: Vec::new(),
            rules: Vec::new(),
        }
    }

    /// Reads a document of at most 1 MiB. It never fails: what cannot be used is in `problems`, and in the end there
    /// are the built-in rules.
    pub fn parse(source_name: &str, text: &str) -> Self {
        document::parse(source_name, text)
    }

    /// What the rules make of a detection: the first rule that fits counts, as among limits.
    pub fn resolve(&self, parameter: &str, detector: &str, severity: AlarmSeverity) -> Resolved<'_> {
        let rule = self.rules.iter().find(|rule| rule.fits(parameter, detector, severity));
        let Some(rule) = rule else {
            let terms =
                Terms { version: self.version, merge_window_s: BUILT_IN_MERGE_WINDOW_S, ..Terms::default() };
            return Resolved { severity, terms, related: None, ladder: None };
        };
        Resolved {
            severity: rule.severity.unwrap_or(severity),
            terms: Terms {
                rule: rule.name.clone(),
                version: self.version,
                latch: rule.latch,
                auto_acknowledge: rule.auto_acknowledge,
                merge_window_s: rule.merge_window_s,
            },
            related: rule.related.as_deref(),
            ladder: rule.ladder.as_deref(),
        }
    }

    /// The ladder that a rule names. Alarms are looked up by the rule that their history names, for a rule may have changed
    /// the severity it fits.
    pub fn ladder_of(&self, rule: &str) -> Option<&str> {
        self.rules.iter().find(|known| known.name == rule)?.ladder.as_deref()
    }

    /// Names of the rules, in the order in which they are tried.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.rules.iter().map(|rule| rule.name.as_str())
    }
}

impl Rule {
    fn fits(&self, parameter: &str, detector: &str, severity: AlarmSeverity) -> bool {
        let any = |patterns: &[Pattern]| patterns.iter().any(|pattern| pattern.matches(parameter));
        severity >= self.at_least
            && (self.parameters.is_empty() || any(&self.parameters))
            && (self.detectors.is_empty() || self.detectors.iter().any(|known| known == detector))
    }
}
