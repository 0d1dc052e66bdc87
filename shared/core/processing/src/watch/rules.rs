//! Which parameters of a mission detectors run on, in TOML: `docs/detect.md` shows the file.
//!
//! What is wrong is told with its place and left out, rule by rule; what is right counts all the same.

use serde::Deserialize;
use toml::de::Error;

use crate::alarm::{AlarmSeverity, NAME_BYTES_MAX, Pattern, RuleProblem};
use crate::detect::SuiteRule;

/// Far more than the rules of any mission; what is larger is another file.
const TEXT_BYTES_MAX: usize = 256 * 1_024;
/// Rules of a document.
const RULES_MAX: usize = 1_000;
/// Names of a rule, and its detectors.
const NAMES_MAX: usize = 1_000;
const DETECTORS_MAX: usize = 32;
/// Problems that are told; who mends these will see the others.
const PROBLEMS_MAX: usize = 100;
const HEADING: &str = "[[watch]]";

/// A mission's detection rules, as read. The default has none: nothing is detected that nobody asked for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DetectionRules {
    /// What the caller called the document, usually its file name.
    pub source_name: String,
    /// The version that the document says; 0 when it says none.
    pub version: u32,
    /// What is wrong with the document, in its order. Empty: all of it counts.
    pub problems: Vec<RuleProblem>,
    rules: Vec<DetectionRule>,
}

/// One `[[watch]]`.
#[derive(Clone, Debug, PartialEq)]
pub struct DetectionRule {
    /// Line of its heading, counted from 1.
    pub line: u32,
    /// How bad is what its detectors find.
    pub severity: AlarmSeverity,
    /// Full name of the parameter whose number is the mode: each has a baseline of its own.
    pub mode: Option<String>,
    /// The detectors.
    pub suite: SuiteRule,
    parameters: Vec<Pattern>,
}

/// What stands before the first rule.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    #[serde(default)]
    version: u32,
}

/// One rule with its heading.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Section {
    watch: [WatchTable; 1],
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WatchTable {
    parameters: Vec<String>,
    #[serde(default = "warning")]
    severity: AlarmSeverity,
    mode: Option<String>,
    #[serde(default)]
    suite: SuiteRule,
}

fn warning() -> AlarmSeverity {
    AlarmSeverity::Warning
}

impl DetectionRules {
    /// Reads a document of at most 256 KiB. It never fails: what cannot be used is in `problems`.
    pub fn parse(source_name: &str, text: &str) -> Self {
        let mut rules = Self { source_name: source_name.to_owned(), ..Self::default() };
        if text.len() > TEXT_BYTES_MAX {
            rules.refuse(text, 0, format!("the document has more than {TEXT_BYTES_MAX} bytes"));
            return rules;
        }
        // Each with its line.
        let mut starts: Vec<(usize, u32)> = Vec::new();
        let mut at = 0;
        for (number, line) in (1..).zip(text.split_inclusive('\n')) {
            if line.trim_start().starts_with(HEADING) {
                starts.push((at, number));
            }
            at += line.len();
        }
        let head_end = starts.first().map_or(text.len(), |(start, _)| *start);
        match toml::from_str::<Head>(&text[..head_end]) {
            Ok(head) => rules.version = head.version,
            Err(error) => rules.refuse_toml(text, 0, &error),
        }
        for (place, (start, line)) in starts.iter().copied().enumerate() {
            if place == RULES_MAX {
                rules.refuse(text, start, format!("expected at most {RULES_MAX} rules"));
                break;
            }
            let end = starts.get(place + 1).map_or(text.len(), |(next, _)| *next);
            match toml::from_str::<Section>(&text[start..end]) {
                Ok(Section { watch: [table] }) => match table.check(line) {
                    Ok(rule) => rules.rules.push(rule),
                    Err(message) => rules.refuse(text, start, message.to_owned()),
                },
                Err(error) => rules.refuse_toml(text, start, &error),
            }
        }
        rules
    }

    /// The rule of a parameter: the first that names it.
    pub fn rule_of(&self, parameter: &str) -> Option<&DetectionRule> {
        self.rules.iter().find(|rule| rule.parameters.iter().any(|pattern| pattern.matches(parameter)))
    }

    /// Whether some rule takes a parameter's number for a mode.
    pub(super) fn is_mode(&self, parameter: &str) -> bool {
        self.rules.iter().any(|rule| rule.mode.as_deref() == Some(parameter))
    }

    /// Those that count, in the order in which they are tried.
    pub fn rules(&self) -> &[DetectionRule] {
        &self.rules
    }

    /// Rules that count.
    pub fn len(&self) -> usize {
        self.rules.len()
    }

    /// Whether nothing is detected.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    fn refuse_toml(&mut self, text: &str, start: usize, error: &Error) {
        let at = start + error.span().map_or(0, |span| span.start);
        self.refuse(text, at, error.message().trim().to_owned());
    }

    fn refuse(&mut self, text: &str, at: usize, message: String) {
        if self.problems.len() == PROBLEMS_MAX {
            return;
        }
        let before = &text[..text.floor_char_boundary(at)];
        let line_start = before.rfind('\n').map_or(0, |end| end + 1);
        self.problems.push(RuleProblem {
            source_name: self.source_name.clone(),
            line: before.matches('\n').count() as u32 + 1,
            column: before[line_start..].chars().count() as u32 + 1,
            message,
        });
    }
}

impl DetectionRule {
    /// Names of the parameters, `*` for any run of characters.
    pub fn parameters(&self) -> impl Iterator<Item = &str> {
        self.parameters.iter().map(Pattern::as_str)
    }
}

impl WatchTable {
    fn check(self, line: u32) -> Result<DetectionRule, &'static str> {
        let names = || self.parameters.iter().chain(&self.mode);
        match () {
            () if self.parameters.is_empty() => Err("`parameters` names nothing; expected [\"/SAT/EPS/*\"]"),
            () if self.parameters.len() > NAMES_MAX => Err("`parameters` has more than 1,000 names"),
            () if names().any(|name| !(1..=NAME_BYTES_MAX).contains(&name.len())) => {
                Err("a name is empty or longer than 256 bytes")
            }
            () if self.suite.detectors.is_empty() => Err("`suite.detectors` is empty; expected a detector"),
            () if self.suite.detectors.len() > DETECTORS_MAX => Err("`suite.detectors` has more than 32"),
            () => Ok(DetectionRule {
                line,
                severity: self.severity,
                mode: self.mode,
                suite: self.suite,
                parameters: self.parameters.iter().map(|name| Pattern::new(name)).collect(),
            }),
        }
    }
}
