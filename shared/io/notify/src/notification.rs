//! What is told: one message about one alarm, or about the worst of a group, to one contact.

use std::fmt::Write as _;

use processing::alarm::{AlarmId, AlarmSeverity, Cause, State, StepId};
use serde::{Deserialize, Serialize};
use space_packet::GenerationTime;

use crate::attempt::one_line;

/// Bytes of a name in a message. Names of alarms have 256 at most; what is longer is not ours.
const NAME_BYTES_MAX: usize = 256;
/// Bytes of a subject line: mail programs show fewer.
const SUBJECT_BYTES_MAX: usize = 200;

/// One message. It is made once; every way and every attempt renders the same one. Stored, it is the JSON of its fields.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Notification {
    /// What names it: a receiver that has seen it leaves the repeat out.
    pub id: StepId,
    /// Whether somebody asked for it to see if it arrives.
    pub is_test: bool,
    /// The mission, by name.
    pub mission: String,
    /// The alarm.
    pub alarm: AlarmId,
    /// How bad it is.
    pub severity: AlarmSeverity,
    /// Where it stands.
    pub state: State,
    /// What detected it.
    pub detector: String,
    /// Full name of the parameter, or of what a node's own alarm is about.
    pub parameter: String,
    /// Unit of the parameter's engineering value.
    pub unit: Option<String>,
    /// What was seen, what was expected, and the threshold.
    pub cause: Cause,
    /// Generation time of the sample that raised it.
    pub first_generation: GenerationTime,
    /// The group it stands for, unless it is alone.
    pub group: Option<GroupTold>,
    /// The step of the ladder that is told; absent in a test.
    pub rung: Option<Rung>,
    /// Path of its page below `dashboard_url`, beginning with `/`.
    pub path: Option<String>,
}

/// A group of alarms that is told as one.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct GroupTold {
    /// The alarm whose sample was made first: where to begin.
    pub first_out: AlarmId,
    /// That alarm's parameter.
    pub first_out_parameter: String,
    /// Alarms in the group, this one counted.
    pub alarms: u32,
}

/// A step of a ladder.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Rung {
    /// The ladder, by name.
    pub ladder: String,
    /// The step, from 1.
    pub step: u32,
    /// 0 for the step itself, then counted up as it repeats.
    pub round: u32,
}

impl Notification {
    /// What it is about, in one line of at most 200 bytes without control characters.
    pub fn subject(&self) -> String {
        let test = if self.is_test { "Test: " } else { "" };
        let more = self.group.as_ref().map_or(0, |group| group.alarms.saturating_sub(1));
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let (severity, mission) = (self.severity.name(), name(&self.mission));
        let line = format!(
            "{test}[{severity}] {mission}{more}: {} ({})",
            name(&self.parameter),
            name(&self.detector)
        );
        one_line(&line, SUBJECT_BYTES_MAX)
    }

    /// All of it as lines of label and value, for people; each is one line without control characters.
    pub(crate) fn facts(&self) -> Vec<(&'static str, String)> {
        let unit = self.unit.as_deref().map_or(String::new(), |unit| format!(" {}", name(unit)));
        let measured = |value: f64| format!("{value}{unit}");
        let mut facts = vec![
            ("Mission", name(&self.mission)),
            ("Parameter", name(&self.parameter)),
            ("Severity", self.severity.name().to_owned()),
            ("State", words(self.state).to_owned()),
            ("Detector", name(&self.detector)),
        ];
        let cause = self.cause.clone().finite();
        facts.extend(cause.seen.map(|value| ("Seen", measured(value))));
        facts.extend(cause.expected.map(|value| ("Expected", measured(value))));
        // Of the value or of the score, so without a unit.
        facts.extend(cause.threshold.map(|value| ("Threshold", value.to_string())));
        facts.extend(cause.model.map(|model| ("Model", name(&model))));
        facts.push(("Generation time", self.first_generation.0.to_string()));
        facts.extend(self.group.as_ref().map(|group| {
            let first = name(&group.first_out_parameter);
            (
                "Group",
                format!(
                    "{} alarms; the first was {first} ({})",
                    group.alarms,
                    hexadecimal(group.first_out.0)
                ),
            )
        }));
        facts.extend(self.rung.as_ref().map(|rung| {
            let again = if rung.round > 0 { format!(", repeated ({})", rung.round) } else { String::new() };
            ("Ladder", format!("{}, step {}{again}", name(&rung.ladder), rung.step))
        }));
        facts.push(("Alarm", hexadecimal(self.alarm.0)));
        facts
    }

    /// All of it as plain text.
    pub(crate) fn text(&self, link: Option<&str>) -> String {
        let mut text = String::from(if self.is_test {
            "This is a test: somebody asked whether messages arrive. Nothing is wrong.\n\n"
        } else {
            "Nobody has acknowledged this alarm yet.\n\n"
        });
        for (label, value) in self.facts() {
            let _ = writeln!(text, "{:<17}{value}", format!("{label}:"));
        }
        if let Some(link) = link {
            let _ = writeln!(text, "\n{link}");
        }
        text
    }

    /// Address of its page.
    pub(crate) fn link(&self, dashboard_url: Option<&str>) -> Option<String> {
        let path = self.path.as_deref().unwrap_or_default();
        let allowed = |letter: &char| letter.is_ascii_graphic() && !"<>\"|\\^`{}".contains(*letter);
        dashboard_url
            .map(|url| url.trim_end_matches('/').chars().chain(path.chars().filter(allowed)).collect())
    }
}

/// A name from outside, in one line.
pub(crate) fn name(text: &str) -> String {
    one_line(text, NAME_BYTES_MAX)
}

/// An id, as answers and logs have it.
pub(crate) fn hexadecimal(id: [u8; 16]) -> String {
    format!("{:032x}", u128::from_be_bytes(id))
}

fn words(state: State) -> &'static str {
    match state {
        State::ActiveAcknowledged => "active, acknowledged",
        State::ActiveUnacknowledged => "active, not acknowledged",
        State::ClearedUnacknowledged => "over, not acknowledged",
        State::Latched => "over, latched",
        State::Normal => "normal",
        State::OutOfService => "out of service",
        State::Shelved => "shelved",
        State::SuppressedByDesign => "suppressed by design",
    }
}
