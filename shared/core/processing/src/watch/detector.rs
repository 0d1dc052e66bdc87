//! A parameter's detectors: what they said, and what they say now.

use std::sync::Arc;

use mission_database::ParameterIndex;
use space_packet::GenerationTime;

use super::forecasts::TrainedForecast;
use super::{Placed, Said};
use crate::alarm::{AlarmSeverity, Cause};
use crate::detect::{Detection, DetectorKind, ModelVersion, Observation, Suite, SuiteRule};

/// What is known of one parameter.
#[derive(Clone, Debug)]
pub(super) struct DetectorTrack {
    /// How bad what they find is.
    pub(super) severity: AlarmSeverity,
    /// The parameter whose number is the mode.
    pub(super) mode: Option<ParameterIndex>,
    /// The trained forecaster whose forecasts the suite judges.
    pub(super) forecast: Option<Arc<TrainedForecast>>,
    pub(super) suite: Suite,
    /// The detector that was clearest when what stands began: the alarm's name for as long as it stands.
    pub(super) raised: Option<DetectorKind>,
    pub(super) is_silent: bool,
}

/// What is known of the moment that a sample was taken at.
#[derive(Debug)]
pub(super) struct Moment {
    /// Numbers that the trained forecaster looks at.
    pub(super) inputs: Vec<f64>,
    pub(super) mode: u32,
    /// Whether something else found fault with the sample.
    pub(super) is_flagged: bool,
}

impl DetectorTrack {
    /// Detectors that have seen nothing.
    pub(super) fn new(rule: SuiteRule, model: Option<ModelVersion>) -> Self {
        let mut suite = Suite::new(rule);
        suite.set_model(model);
        Self {
            severity: AlarmSeverity::Watch,
            mode: None,
            forecast: None,
            suite,
            raised: None,
            is_silent: false,
        }
    }

    /// Whether they learned by these rules, and beside this model.
    pub(super) fn is_of(&self, rule: &SuiteRule, model: Option<ModelVersion>) -> bool {
        self.suite.rule() == rule && self.suite.model() == model
    }

    pub(super) fn newest(&self) -> Option<GenerationTime> {
        self.suite.newest()
    }

    /// What stands, by name.
    pub(super) fn standing(&self) -> impl Iterator<Item = &'static str> + use<> {
        let silence = self.is_silent.then_some(DetectorKind::Stale);
        self.raised.into_iter().chain(silence).map(DetectorKind::name)
    }

    pub(super) fn severity_of(&self, detector: &str) -> Option<AlarmSeverity> {
        self.standing().any(|name| name == detector).then_some(self.severity)
    }

    pub(super) fn on_interrupted(&mut self) {
        self.suite.on_gap();
    }

    pub(super) fn on_sample(&mut self, placed: Placed, moment: &Moment, said: &mut Vec<Said>) {
        let Some(value) = placed.number.filter(|number| number.is_finite()) else { return };
        // Detectors judge in order; what is late in it was never part of what led up to the newest.
        if self.suite.newest().is_some_and(|newest| placed.time <= newest) {
            return;
        }
        let Moment { inputs, mode, is_flagged } = moment;
        let observation =
            Observation { time: placed.time, value, inputs, mode: *mode, is_flagged: *is_flagged };
        let before = self.suite.standing().map(|standing| (standing.detector, standing.score));
        let outcome = match &self.forecast {
            Some(trained) => self.suite.on_sample_with(&trained.forecaster, &observation),
            None => self.suite.on_sample(&observation),
        };
        let live = !placed.is_late;
        if std::mem::take(&mut self.is_silent) {
            said.push(self.over(DetectorKind::Stale, placed, live));
        }
        match (self.raised, outcome.is_anomalous) {
            (None, true) => {
                let Some(detection) = outcome.raised.as_ref().or(self.suite.standing()) else { return };
                let raised = self.found(detection, placed.time, live);
                self.raised = Some(detection.detector);
                said.push(raised);
            }
            (Some(detector), false) => {
                self.raised = None;
                said.push(self.over(detector, placed, live));
            }
            (Some(detector), true) => {
                // Scores of another detector are on another scale.
                let is_further = |standing: &&Detection| {
                    let same = before.filter(|(kind, _)| *kind == standing.detector);
                    standing.detector == detector && same.is_none_or(|(_, score)| standing.score > score)
                };
                let further = self.suite.standing().filter(is_further);
                said.extend(further.map(|standing| self.found(standing, placed.time, live)));
            }
            (None, false) => {}
        }
    }

    /// The mission was heard from `since` to `newest`: how long of that was nothing of this parameter?
    pub(super) fn on_silence(&mut self, since: GenerationTime, newest: GenerationTime) -> Option<Said> {
        let last = self.suite.newest()?;
        let heard = newest.0.0.saturating_sub(last.max(since).0.0).max(0);
        let detection = self.suite.on_silence(GenerationTime(last.0.plus_nanos(heard)))?;
        self.is_silent = true;
        Some(self.found(&detection, newest, true))
    }

    fn found(&self, detection: &Detection, generation: GenerationTime, live: bool) -> Said {
        Said {
            detector: detection.detector.name(),
            severity: Some(self.severity),
            before: None,
            generation,
            live,
            cause: Cause {
                seen: Some(detection.seen),
                expected: detection.expected,
                score: Some(detection.score),
                threshold: Some(detection.threshold),
                model: detection.model.map(|version| format!("forecaster {}", version.0)),
            },
        }
    }

    fn over(&self, detector: DetectorKind, placed: Placed, live: bool) -> Said {
        Said {
            detector: detector.name(),
            severity: None,
            before: Some(self.severity),
            generation: placed.time,
            live,
            cause: Cause { seen: placed.number, ..Cause::default() },
        }
    }
}

/// A detector's name, where there is such a one.
pub(super) fn name_of(detector: &str) -> Option<&'static str> {
    DetectorKind::ALL.iter().map(|kind| kind.name()).find(|name| *name == detector)
}
