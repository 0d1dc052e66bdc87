//! Which detectors run on which parameters: what rules name, and trained forecasters in their places.

use std::sync::Arc;

use mission_database::{MissionDatabase, ParameterIndex, ParameterKind};
use model::ModelDocument;

use super::detector::DetectorTrack;
use super::forecasts::{ModelProblem, UnusedModel};
use super::{DetectionRule, DetectionRules, SUITES_MAX, Slot, Track, Watch};

impl Watch {
    /// Other detection rules count from now on. What was learned by a rule that stays is kept; what stands by one that
    /// is gone is over with the parameter's next sample.
    pub fn use_detection_rules(&mut self, detection: Arc<DetectionRules>, database: &MissionDatabase) {
        self.detection = detection;
        self.choose_anew(database);
    }

    /// Other trained models count from now on: of one for the same parameter the last. Call it again when the mission
    /// has other parameters.
    ///
    /// A forecaster takes the place of `autoregression` in its parameter's suite, which then learns anew, as it does
    /// when the model is replaced or taken away. Its inputs are the newest numbers of parameters; until each was seen it
    /// forecasts nothing. Forecasters that are not used are told; models of other kinds are passed over.
    pub fn use_models(&mut self, models: &[ModelDocument], database: &MissionDatabase) -> Vec<UnusedModel> {
        let mut unused = self.forecasts.replace(models, database);
        self.choose_anew(database);
        for (channel, version) in self.forecasts.all() {
            let problem = match database.find(channel).and_then(|index| self.rule_of(index, database)) {
                None => ModelProblem::NotWatched,
                Some(rule) if rule.suite.with_trained_forecast().is_none() => ModelProblem::NoForecast,
                Some(_) => continue,
            };
            unused.push(UnusedModel { number: version.0, channel: channel.to_owned(), problem });
        }
        unused
    }

    /// Chooses for each parameter that was seen. Those that learned something come first to what there is room for.
    fn choose_anew(&mut self, database: &MissionDatabase) {
        let slots = std::mem::take(&mut self.slots).into_iter().enumerate();
        let mut tracks: Vec<(ParameterIndex, Box<Track>)> = slots
            .filter_map(|(index, slot)| match slot {
                Slot::Watched(track) => Some((ParameterIndex(index as u32), track)),
                Slot::Mode | Slot::Nothing | Slot::Undecided => None,
            })
            .collect();
        tracks.sort_by_key(|(_, track)| track.detectors.is_none());
        (self.suites, self.unwatched) = (0, 0);
        for (parameter, mut track) in tracks {
            let name = &database.parameter(parameter).name;
            let learned = track.detectors.take();
            let stood: Vec<_> = learned.iter().flat_map(DetectorTrack::standing).collect();
            track.detectors = self.choose(parameter, learned, database);
            for detector in stood {
                let stands = track.detectors.as_ref().and_then(|detectors| detectors.severity_of(detector));
                if stands.is_none() {
                    self.say_again(name, detector);
                }
            }
            track.is_mode = self.detection.is_mode(name);
            *self.slot(parameter, database) = Slot::Watched(track);
        }
    }

    /// What watches a parameter that is seen for the first time.
    pub(super) fn decide(&mut self, parameter: ParameterIndex, database: &MissionDatabase) -> Slot {
        let name = &database.parameter(parameter).name;
        let is_mode = self.detection.is_mode(name);
        match (self.choose(parameter, None, database), is_mode) {
            (Some(detectors), is_mode) => {
                Slot::Watched(Box::new(Track { is_mode, detectors: Some(detectors), ..Track::default() }))
            }
            (None, true) => Slot::Mode,
            // What rules no longer name may stand from before.
            (None, false) if self.unsaid.contains_key(name) => Slot::Watched(Box::default()),
            (None, false) => Slot::Nothing,
        }
    }

    /// The detectors of one more parameter, while there is room: those that learned by the rule and beside the model
    /// in force, else such that learn anew.
    pub(super) fn choose(
        &mut self,
        parameter: ParameterIndex,
        learned: Option<DetectorTrack>,
        database: &MissionDatabase,
    ) -> Option<DetectorTrack> {
        let DetectionRule { severity, mode, suite, .. } = self.rule_of(parameter, database)?;
        let mode = mode.as_deref().and_then(|mode| database.find(mode));
        let severity = *severity;
        let trained = self.forecasts.of(&database.parameter(parameter).name);
        let (suite, forecast) = match trained.zip(suite.with_trained_forecast()) {
            Some((trained, suite)) => (suite, Some(trained)),
            None => (suite.clone(), None),
        };
        if self.suites == SUITES_MAX {
            self.unwatched += 1;
            return None;
        }
        self.suites += 1;
        let version = forecast.as_ref().map(|trained| trained.version);
        let learned = learned.filter(|learned| learned.is_of(&suite, version));
        let detectors = learned.unwrap_or_else(|| DetectorTrack::new(suite, version));
        Some(DetectorTrack { severity, mode, forecast, ..detectors })
    }

    /// The rule of a parameter that detectors can run on.
    fn rule_of(&self, parameter: ParameterIndex, database: &MissionDatabase) -> Option<&DetectionRule> {
        let described = database.parameter(parameter);
        let is_number = matches!(described.kind, ParameterKind::Float | ParameterKind::Integer);
        self.detection.rule_of(&described.name).filter(|_| is_number)
    }
}
