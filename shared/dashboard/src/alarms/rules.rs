//! Rules of alarms and of detection, as answers have them.

use std::collections::BTreeMap;

use processing::alarm::{AlarmRules, RuleProblem};
use processing::detect::DetectorRule;
use processing::watch;
use serde_json::Value as Json;
use service::documents::DocumentKind;

use super::severity_word;
use crate::contract::{
    AlarmRulesInForce, DetectionRule, DetectionRulesInForce, RuleDetector, RulesProblem, RulesVersion, Value,
};

/// Which of a mission's rules.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum RulesKind {
    /// What becomes of detections, and who is told.
    Alarms,
    /// What detectors watch.
    Detection,
}

/// A rules document that somebody wants in force.
#[derive(Clone, Debug)]
pub struct WantedRules {
    /// Which rules.
    pub kind: RulesKind,
    /// Number of the newest version as its author knew it; `None`: there was none.
    pub based_on: Option<u32>,
    /// The TOML text, of at most 1 MiB.
    pub text: String,
    /// Who wants it.
    pub author: String,
    /// Why.
    pub reason: String,
}

/// A version of a rules document and its text.
#[derive(Clone, Debug)]
pub struct RulesText {
    /// Which version.
    pub version: RulesVersion,
    /// The TOML text.
    pub text: String,
}

impl RulesKind {
    /// What they are called in sentences.
    pub fn name(self) -> &'static str {
        match self {
            Self::Alarms => "alarm rules",
            Self::Detection => "detection rules",
        }
    }

    /// What a document is called that came without a file.
    pub fn file_name(self) -> &'static str {
        match self {
            Self::Alarms => "alarms.toml",
            Self::Detection => "detection.toml",
        }
    }

    /// The version that a document says of itself, and what is wrong with it.
    pub fn read(self, source_name: &str, text: &str) -> (u32, Vec<RulesProblem>) {
        match self {
            Self::Alarms => {
                let rules = AlarmRules::parse(source_name, text);
                (rules.version, problems(&rules.problems))
            }
            Self::Detection => {
                let rules = watch::DetectionRules::parse(source_name, text);
                (rules.version, problems(&rules.problems))
            }
        }
    }
}

impl From<RulesKind> for DocumentKind {
    fn from(kind: RulesKind) -> Self {
        match kind {
            RulesKind::Alarms => Self::AlarmRules,
            RulesKind::Detection => Self::DetectionRules,
        }
    }
}

impl From<&AlarmRules> for AlarmRulesInForce {
    fn from(rules: &AlarmRules) -> Self {
        Self {
            document_version: rules.version,
            rules: rules.names().map(str::to_owned).collect(),
            problems: problems(&rules.problems),
        }
    }
}

impl From<&watch::DetectionRules> for DetectionRulesInForce {
    fn from(rules: &watch::DetectionRules) -> Self {
        Self {
            document_version: rules.version,
            rules: rules.rules().iter().map(detection_rule).collect(),
            problems: problems(&rules.problems),
        }
    }
}

/// What is wrong with a document, as answers have it.
pub fn problems(found: &[RuleProblem]) -> Vec<RulesProblem> {
    let problems = found.iter().map(|problem| RulesProblem {
        line: problem.line,
        column: problem.column,
        message: problem.message.clone(),
    });
    problems.collect()
}

fn detection_rule(rule: &watch::DetectionRule) -> DetectionRule {
    let suite = &rule.suite;
    DetectionRule {
        line: rule.line,
        parameters: rule.parameters().map(str::to_owned).collect(),
        severity: severity_word(rule.severity),
        mode: rule.mode.clone(),
        training_fit: suite.training.fit,
        training_calibrate: suite.training.calibrate,
        gap_max_s: suite.gap_max_s,
        merge_within: suite.merge_within,
        linger: suite.linger,
        detectors: suite.detectors.iter().map(detector).collect(),
    }
}

fn detector(rule: &DetectorRule) -> RuleDetector {
    let detector = rule.method.kind().name();
    let mut settings = BTreeMap::new();
    // Written as documents write it: the detector's name with its table.
    let written = serde_json::to_value(rule.method).unwrap_or_default();
    collect(written.get(detector).unwrap_or(&Json::Null), String::new(), &mut settings);
    let DetectorRule { persistence, hold, rearm, .. } = *rule;
    RuleDetector { detector: detector.to_owned(), settings, persistence, hold, rearm }
}

/// Tables within tables by names with dots; what is absent is left out.
fn collect(written: &Json, name: String, settings: &mut BTreeMap<String, Value>) {
    let value = match written {
        Json::Object(table) => {
            for (key, value) in table {
                let inner = if name.is_empty() { key.clone() } else { format!("{name}.{key}") };
                collect(value, inner, settings);
            }
            return;
        }
        Json::Null | Json::Array(_) => return,
        Json::Bool(value) => Value::Boolean(*value),
        Json::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(integer), _) => Value::Integer(integer),
            (None, Some(float)) => Value::Float(float),
            (None, None) => return,
        },
        Json::String(text) => Value::Text(text.clone()),
    };
    settings.insert(name, value);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_detector_is_described_with_every_setting_also_those_that_the_document_leaves_out() {
        let text = "version = 4\n\n[[watch]]\nparameters = [\"/SAT/*\"]\nmode = \"/SAT/mode\"\n\n\
            [[watch.suite.detectors]]\nmethod.range = { margin = 0.25 }\npersistence = 5\n\n\
            [[watch.suite.detectors]]\nmethod.autoregression = { order = 8 }\n";
        let rules = DetectionRulesInForce::from(&watch::DetectionRules::parse("detection.toml", text));
        assert_eq!((rules.document_version, rules.problems.as_slice()), (4, [].as_slice()));
        let rule = &rules.rules[0];
        assert_eq!((rule.line, rule.parameters.as_slice()), (3, ["/SAT/*".to_owned()].as_slice()));
        assert_eq!((rule.mode.as_deref(), rule.training_fit), (Some("/SAT/mode"), 1000));
        let [range, forecast] = rule.detectors.as_slice() else { panic!("two detectors: {rule:?}") };
        let settings = [("margin", Value::Float(0.25)), ("margin_min", Value::Float(0.0))];
        let settings = settings.map(|(name, value)| (name.to_owned(), value)).into();
        assert_eq!((range.detector.as_str(), &range.settings, range.persistence), ("range", &settings, 5));
        assert_eq!(forecast.settings["order"], Value::Integer(8));
        assert_eq!(forecast.settings["residual.threshold.window"], Value::Integer(2100));
    }

    #[test]
    fn each_detector_is_written_under_its_name() {
        for kind in processing::detect::DetectorKind::ALL {
            let text = format!(
                "[[watch]]\nparameters = [\"/P\"]\n[[watch.suite.detectors]]\nmethod.{} = {{}}\n",
                kind.name()
            );
            let rules = DetectionRulesInForce::from(&watch::DetectionRules::parse("detection.toml", &text));
            assert_eq!(rules.problems, [], "{text}");
            let detector = &rules.rules[0].detectors[0];
            assert_eq!(detector.detector, kind.name());
            assert!(!detector.settings.is_empty(), "{text}");
        }
    }
}
