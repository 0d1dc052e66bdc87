//! When violations of limits become an alarm, and when it is over: persistence, hysteresis and deadband.
//!
//! The monitoring result says how one value stands to its limits and is never changed by this. An alarm is about
//! many values: it should not be raised by one bad bit, nor come and go while a value trembles around a limit.

use mission_database::{AlarmRule, MonitoringResult};
use serde::{Deserialize, Serialize};
use space_packet::GenerationTime;

/// A sample of a parameter that has limits, as far as its alarm is concerned.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct JudgedSample {
    /// The time by which it takes its place; where a sample's own is not to be believed, the caller says another,
    /// or nothing would ever be newer.
    pub generation: GenerationTime,
    /// How it stands to its limits.
    pub monitoring: MonitoringResult,
    /// How it would stand to them if every allowed range were narrower by the rule's hysteresis
    /// (`Dictionary::monitoring_within`); without hysteresis, the same as `monitoring`.
    pub within: MonitoringResult,
    /// Its engineering value, where that is a number.
    pub number: Option<f64>,
}

/// Where the alarm of a parameter stands.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub enum AlarmStanding {
    /// There is none.
    #[default]
    Calm,
    /// Limits are violated, but not yet by as many successive samples as the rule wants.
    Pending {
        /// The worst that the newest samples were and have not come back from.
        severity: MonitoringResult,
        /// Samples since the violation began.
        violations: u32,
    },
    /// It stands: raised, and not over.
    Raised {
        /// The worst that the newest samples were and have not come back from.
        severity: MonitoringResult,
        /// Samples since the violation began.
        violations: u32,
    },
}

/// Raises the alarm of one parameter and ends it.
///
/// - It is raised with the n-th successive violation, n being the rule's persistence. Violations need not be of
///   one severity.
/// - Once raised it gets worse at once, and better, or over, only as far as the ranges narrowed by the hysteresis
///   allow. What is not raised yet has nothing to hold: one good value ends the count.
/// - A value that differs by less than the deadband from the last one that was judged is taken for it: what
///   counted as a violation then counts as another one now.
/// - Samples that are not monitored change nothing, neither do those older than the newest one seen: late data
///   never raises an alarm as if it were live, nor ends one.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct AlarmRaising {
    standing: AlarmStanding,
    newest: Option<GenerationTime>,
    /// What was judged last; samples within the deadband do not replace it.
    judged: Option<Judged>,
}

#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
struct Judged {
    number: Option<f64>,
    monitoring: MonitoringResult,
    within: MonitoringResult,
}

impl AlarmRaising {
    /// Takes the next sample, in the order of arrival; copies through another station are not to be passed.
    pub fn on_sample(&mut self, sample: &JudgedSample, rule: &AlarmRule) -> AlarmStanding {
        let is_late = self.newest.is_some_and(|newest| sample.generation < newest);
        if is_late || sample.monitoring == MonitoringResult::NotMonitored {
            return self.standing;
        }
        self.newest = Some(sample.generation);
        let kept = self.judged.filter(|judged| judged.stands_for(sample.number, rule.deadband));
        let judged = kept.unwrap_or(Judged {
            number: sample.number,
            monitoring: sample.monitoring,
            within: sample.within,
        });
        self.judged = Some(judged);
        self.standing = self.standing.after(judged, rule.persistence);
        self.standing
    }

    /// Other limits are in force: the next sample is judged by them, however little its value changed. An alarm
    /// that stands goes on until a sample ends it.
    pub fn on_limits_changed(&mut self) {
        self.judged = None;
    }

    /// Where the alarm stands now.
    pub fn standing(&self) -> AlarmStanding {
        self.standing
    }
}

impl Judged {
    /// Whether a value differs so little that it is not judged anew. One that is the same is: it costs nothing, and
    /// the context may have changed.
    fn stands_for(&self, number: Option<f64>, deadband: f64) -> bool {
        self.number.zip(number).is_some_and(|(judged, number)| {
            let change = (number - judged).abs();
            0.0 < change && change < deadband
        })
    }
}

impl AlarmStanding {
    /// How bad it is; normal when there is no alarm.
    pub fn severity(self) -> MonitoringResult {
        match self {
            Self::Calm => MonitoringResult::Normal,
            Self::Pending { severity, .. } | Self::Raised { severity, .. } => severity,
        }
    }

    /// Samples since the violation began.
    pub fn violations(self) -> u32 {
        match self {
            Self::Calm => 0,
            Self::Pending { violations, .. } | Self::Raised { violations, .. } => violations,
        }
    }

    /// Whether the alarm stands.
    pub fn is_raised(self) -> bool {
        matches!(self, Self::Raised { .. })
    }

    fn after(self, judged: Judged, persistence: u32) -> Self {
        let is_held = self.is_raised() && judged.within.is_violation();
        if !(judged.monitoring.is_violation() || is_held) {
            return Self::Calm;
        }
        let severity = judged.monitoring.max(self.severity().min(judged.within));
        let violations = self.violations().saturating_add(1);
        if self.is_raised() || violations >= persistence {
            Self::Raised { severity, violations }
        } else {
            Self::Pending { severity, violations }
        }
    }
}

#[cfg(test)]
mod tests;
