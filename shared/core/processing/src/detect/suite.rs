//! Several detectors over one parameter, and one detection of what they say.

use model::{ForecastState, Forecaster};
use serde::{Deserialize, Serialize};
use space_packet::GenerationTime;

use super::bank::Bank;
use super::{
    AutoregressionRule, Detection, DetectorKind, FlatLineRule, ForecastRule, Judgement, MethodRule,
    ModelVersion, Observation, Previous, RangeRule, SampleSpan, StaleRule, Step, VALUE_MAX, seconds_between,
};

/// Late samples in a row, each newer than the one before, after which the clock counts as set back.
pub const LATE_MAX: u32 = 10;

/// Modes that have a baseline of their own; of more than these the one least recently in effect is forgotten.
pub const MODES_MAX: usize = 16;

/// Usual samples that a baseline is made of, in each mode.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Training {
    /// Samples from which detectors learn what is usual.
    pub fit: u32,
    /// Samples after those, from which they learn how far from it the usual is. Nothing that was learned is judged
    /// before.
    pub calibrate: u32,
}

impl Training {
    /// Ends only by [`Suite::end_phase`]: for recordings that are gone through twice.
    pub const BY_HAND: Self = Self { fit: u32::MAX, calibrate: u32::MAX };
}

impl Default for Training {
    fn default() -> Self {
        Self { fit: 1000, calibrate: 500 }
    }
}

/// One detector of a suite.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct DetectorRule {
    /// Which, and by what rule.
    pub method: MethodRule,
    /// Anomalous samples in a row before it counts; at least 1.
    #[serde(default = "one")]
    pub persistence: u32,
    /// Samples for which it holds once raised, whatever comes. What goes on for longer was told: it is raised again
    /// only after it was over. 0: it is anomalous for as long as its samples are.
    #[serde(default)]
    pub hold: u32,
    /// Usual samples in a row after which what was held for is over; at least 1.
    #[serde(default = "one")]
    pub rearm: u32,
}

fn one() -> u32 {
    1
}

impl From<MethodRule> for DetectorRule {
    fn from(method: MethodRule) -> Self {
        Self { method, persistence: 1, hold: 0, rearm: 1 }
    }
}

/// What a suite is made of.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct SuiteRule {
    /// How long is learned.
    pub training: Training,
    /// Seconds between samples after which what was before does not count; absent: never.
    pub gap_max_s: Option<f64>,
    /// What is anomalous within so many samples of the last anomalous one is the same detection.
    pub merge_within: u32,
    /// Samples after the last anomalous one that count as anomalous too, so that an alarm is not in pieces.
    pub linger: u32,
    /// The detectors; their union counts.
    pub detectors: Vec<DetectorRule>,
}

impl Default for SuiteRule {
    /// What suits most parameters that are sampled evenly; `docs/detect.md` says what each finds.
    fn default() -> Self {
        Self {
            training: Training::default(),
            gap_max_s: None,
            merge_within: 100,
            linger: 20,
            detectors: vec![
                MethodRule::Autoregression(AutoregressionRule::default()).into(),
                DetectorRule {
                    persistence: 50,
                    hold: 100,
                    rearm: 1000,
                    ..MethodRule::Range(RangeRule::default()).into()
                },
                DetectorRule { hold: 100, ..MethodRule::FlatLine(FlatLineRule::default()).into() },
                MethodRule::Stale(StaleRule::default()).into(),
            ],
        }
    }
}

impl SuiteRule {
    /// The rule with a trained forecast in the place of the one that [`MethodRule::Autoregression`] learns, its
    /// residuals judged in the same way; `None` where nothing judges forecasts.
    pub fn with_trained_forecast(&self) -> Option<Self> {
        let judged = |detector: &DetectorRule| match detector.method {
            MethodRule::Autoregression(AutoregressionRule { residual, .. }) => {
                DetectorRule { method: MethodRule::Forecast(ForecastRule { residual }), ..*detector }
            }
            _ => *detector,
        };
        let detectors: Vec<DetectorRule> = self.detectors.iter().map(judged).collect();
        let is_judged = detectors.iter().any(|detector| matches!(detector.method, MethodRule::Forecast(_)));
        is_judged.then(|| Self { detectors, ..self.clone() })
    }
}

/// How far a baseline is.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Phase {
    /// Learning what is usual.
    Fitting,
    /// Learning how far from it the usual is.
    Calibrating,
    /// Learned.
    Judging,
}

/// What a suite says of a sample.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    /// The largest score in thresholds, 0 to [`RATIO_MAX`](super::RATIO_MAX); 0 for what is not judged.
    pub score: f64,
    /// Whether a detector finds it anomalous, still holds for an earlier one, or did within the rule's `linger`.
    pub is_anomalous: bool,
    /// A detection that begins with it.
    pub raised: Option<Detection>,
}

/// A detection that later anomalous samples are still added to.
#[derive(Clone, Debug, Deserialize, Serialize)]
struct Standing {
    detection: Detection,
    ratio: f64,
    /// Samples since the last anomalous one.
    quiet: u32,
}

/// The detectors of one parameter.
///
/// Samples are passed in the order of arrival. Baselines learn from samples that nothing finds fault with, until
/// they are [frozen](Self::freeze).
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Suite {
    rule: SuiteRule,
    model: Option<ModelVersion>,
    /// What the trained forecaster remembers of the samples so far, and what it expects next.
    forecaster: ForecastState,
    forecast: Option<f64>,
    /// The one in effect first, then by how recently they were.
    banks: Vec<Bank>,
    previous: Option<Previous>,
    newest: Option<GenerationTime>,
    /// The last of the late samples in a row, and how many.
    late: Option<(GenerationTime, u32)>,
    standing: Option<Standing>,
    is_frozen: bool,
    is_silent: bool,
}

impl Suite {
    /// A suite that has seen nothing.
    pub fn new(rule: SuiteRule) -> Self {
        Self {
            rule,
            model: None,
            forecaster: ForecastState::default(),
            forecast: None,
            banks: Vec::new(),
            previous: None,
            newest: None,
            late: None,
            standing: None,
            is_frozen: false,
            is_silent: false,
        }
    }

    /// What it is made of.
    pub fn rule(&self) -> &SuiteRule {
        &self.rule
    }

    /// The time of the newest sample that was judged.
    pub fn newest(&self) -> Option<GenerationTime> {
        self.newest
    }

    /// Samples are missing before the next one: what led up to it begins anew, what was learned and what stands stays.
    pub fn on_gap(&mut self) {
        self.interrupt_short_memory();
    }

    /// The model that detections by a trained forecast name.
    pub fn model(&self) -> Option<ModelVersion> {
        self.model
    }

    /// Detections by a trained forecast name this model from now on.
    pub fn set_model(&mut self, model: Option<ModelVersion>) {
        self.model = model;
    }

    /// Judges a sample, and learns from it if nothing finds fault with it.
    pub fn on_sample(&mut self, observation: &Observation) -> Outcome {
        self.judge(observation, None)
    }

    /// The same with a trained forecaster, whose forecasts [`MethodRule::Forecast`] judges. Its inputs are the first of
    /// the observation's; where there are fewer it forecasts nothing.
    pub fn on_sample_with(&mut self, forecaster: &Forecaster, observation: &Observation) -> Outcome {
        self.judge(observation, Some(forecaster))
    }

    fn judge(&mut self, observation: &Observation, forecaster: Option<&Forecaster>) -> Outcome {
        if !observation.value.is_finite() || !self.takes_its_place(observation.time) {
            return Outcome::default();
        }
        self.choose_bank(observation.mode);
        let value = observation.value.clamp(-VALUE_MAX, VALUE_MAX);
        let Self { banks, previous, rule, .. } = self;
        let Some(bank) = banks.first_mut() else { return Outcome::default() };
        let step = Step {
            time: observation.time,
            value,
            inputs: observation.inputs,
            previous: *previous,
            forecast: self.forecast.map(|forecast| forecast.clamp(-VALUE_MAX, VALUE_MAX)),
        };
        let verdict = bank.judge(&step);
        let is_anomalous = verdict.crossing.is_some() || verdict.is_held;
        let may_learn = !(observation.is_flagged || self.is_frozen);
        bank.absorb(&step, is_anomalous || verdict.is_suspect, may_learn, rule.training);
        self.previous = Some(Previous { time: observation.time, value });
        self.forecast = forecaster.and_then(|forecaster| {
            let inputs = observation.inputs.get(..forecaster.inputs())?;
            forecaster.next_forecast(&mut self.forecaster, value, inputs)
        });
        self.is_silent = false;
        let raised = self.fuse(verdict.crossing, verdict.is_held, observation.time, value);
        let lingers = self.standing.as_ref().is_some_and(|standing| standing.quiet <= self.rule.linger);
        Outcome { score: verdict.ratio, is_anomalous: is_anomalous || lingers, raised }
    }

    /// Judges that no sample came until `now`, by the spacecraft's clock. A silence is raised once.
    pub fn on_silence(&mut self, now: GenerationTime) -> Option<Detection> {
        let (previous, bank) = (self.previous?, self.banks.first()?);
        let judged = bank.judge_silence(seconds_between(previous.time, now)).filter(|_| !self.is_silent)?;
        self.is_silent = true;
        let kind = DetectorKind::Stale;
        Some(self.detection(kind, judged, SampleSpan::of(previous.time), previous.value))
    }

    /// The detection that anomalous samples are added to, with the worst of them so far.
    pub fn standing(&self) -> Option<&Detection> {
        self.standing.as_ref().map(|standing| &standing.detection)
    }

    /// What comes next does not follow what was before: another recording, or another pass over it.
    pub fn on_interrupted(&mut self) {
        self.newest = None;
        self.late = None;
        self.standing = None;
        self.interrupt_short_memory();
    }

    /// Nothing is learned any more, in any mode.
    pub fn freeze(&mut self) {
        self.is_frozen = true;
    }

    /// Learning goes on.
    pub fn thaw(&mut self) {
        self.is_frozen = false;
    }

    /// Forgets what is usual in a mode: it is learned anew.
    pub fn forget(&mut self, mode: u32) {
        self.banks.retain(|bank| bank.mode != mode);
    }

    /// How far the baseline of the mode in effect is; `None` before the first sample.
    pub fn phase(&self) -> Option<Phase> {
        self.banks.first().map(Bank::phase)
    }

    /// Ends the phase that each mode is in, with what was learned so far.
    pub fn end_phase(&mut self) {
        self.banks.iter_mut().for_each(Bank::end_phase);
    }

    /// Whether a time is newer than those before; what is not, again and again, sets the clock back.
    fn takes_its_place(&mut self, time: GenerationTime) -> bool {
        if let Some(newest) = self.newest.filter(|newest| time <= *newest) {
            let count = match self.late {
                // What was seen at this very time already says nothing about the clock.
                _ if time == newest => 0,
                Some((before, count)) if before < time => count + 1,
                _ => 1,
            };
            self.late = (count > 0).then_some((time, count));
            if count < LATE_MAX {
                return false;
            }
            self.interrupt_short_memory();
        }
        let elapsed_s = self.newest.map_or(0.0, |newest| seconds_between(newest, time));
        if self.rule.gap_max_s.is_some_and(|most| elapsed_s > most) {
            self.interrupt_short_memory();
        }
        self.newest = Some(time);
        self.late = None;
        true
    }

    fn choose_bank(&mut self, mode: u32) {
        let place = self.banks.iter().position(|bank| bank.mode == mode);
        if place == Some(0) {
            return;
        }
        let bank = match place {
            Some(place) => self.banks.remove(place),
            None => Bank::new(mode, &self.rule.detectors, self.rule.training),
        };
        self.banks.truncate(MODES_MAX - 1);
        self.banks.insert(0, bank);
        self.interrupt_short_memory();
    }

    fn interrupt_short_memory(&mut self) {
        self.previous = None;
        self.forecaster = ForecastState::default();
        self.forecast = None;
        if let Some(bank) = self.banks.first_mut() {
            bank.on_interrupted();
        }
    }

    fn fuse(
        &mut self,
        crossing: Option<(DetectorKind, Judgement)>,
        is_held: bool,
        time: GenerationTime,
        seen: f64,
    ) -> Option<Detection> {
        let Some((kind, judged)) = crossing else {
            if let Some(standing) = &mut self.standing {
                standing.quiet = if is_held { 0 } else { standing.quiet + 1 };
            }
            self.standing.take_if(|standing| standing.quiet > self.rule.merge_within);
            return None;
        };
        let fresh = self.detection(
            kind,
            judged,
            SampleSpan { samples: judged.samples, ..SampleSpan::of(time) },
            seen,
        );
        let Some(standing) = &mut self.standing else {
            self.standing = Some(Standing { detection: fresh.clone(), ratio: judged.ratio(), quiet: 0 });
            return Some(fresh);
        };
        let window = SampleSpan {
            last: time,
            samples: standing.detection.window.samples.saturating_add(standing.quiet + 1),
            ..standing.detection.window
        };
        standing.quiet = 0;
        if judged.ratio() > standing.ratio {
            *standing = Standing { detection: fresh, ratio: judged.ratio(), quiet: 0 };
        }
        standing.detection.window = window;
        None
    }

    fn detection(
        &self,
        detector: DetectorKind,
        judged: Judgement,
        window: SampleSpan,
        seen: f64,
    ) -> Detection {
        Detection {
            detector,
            score: judged.score,
            threshold: judged.threshold,
            expected: judged.expected,
            seen,
            window,
            model: self.model.filter(|_| detector == DetectorKind::Forecast),
        }
    }
}

impl SampleSpan {
    fn of(time: GenerationTime) -> Self {
        Self { first: time, last: time, samples: 1 }
    }
}
