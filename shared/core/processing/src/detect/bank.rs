//! The detectors of one mode of one parameter, and how far they have learned.

use serde::{Deserialize, Serialize};

use super::method::AnyMethod;
use super::suite::{DetectorRule, Phase, Training};
use super::{DetectorKind, Judgement, Lesson, Method, Step};

/// One detector with its persistence and hold-off.
#[derive(Clone, Debug, Deserialize, Serialize)]
struct Slot {
    method: AnyMethod,
    persistence: u32,
    hold: u32,
    rearm: u32,
    /// Anomalous samples in a row.
    run: u32,
    /// Usual samples in a row.
    calm: u32,
    /// Samples for which it still holds.
    held: u32,
    /// It held for this already, and it is not over.
    is_told: bool,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Bank {
    pub(super) mode: u32,
    slots: Vec<Slot>,
    phase: Phase,
    /// Samples learned from in this phase.
    learned: u32,
}

/// What the detectors of a bank say of a sample together.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Verdict {
    /// The largest ratio of score to threshold; of a detector that waits or has told it already, at most 1.
    pub(super) ratio: f64,
    /// Which detector is clearest that this sample is anomalous.
    pub(super) crossing: Option<(DetectorKind, Judgement)>,
    /// Whether a detector still holds for an earlier sample.
    pub(super) is_held: bool,
    /// Whether any detector finds it anomalous, be it one that waits or has told it already.
    pub(super) is_suspect: bool,
}

impl Bank {
    pub(super) fn new(mode: u32, rules: &[DetectorRule], training: Training) -> Self {
        let slot = |rule: &DetectorRule| Slot {
            method: rule.method.start(),
            persistence: rule.persistence.max(1),
            hold: rule.hold,
            rearm: rule.rearm,
            run: 0,
            calm: 0,
            held: 0,
            is_told: false,
        };
        let mut bank =
            Self { mode, slots: rules.iter().map(slot).collect(), phase: Phase::Fitting, learned: 0 };
        bank.move_on(training);
        bank
    }

    pub(super) fn phase(&self) -> Phase {
        self.phase
    }

    pub(super) fn judge(&mut self, step: &Step) -> Verdict {
        let mut verdict = Verdict::default();
        for slot in &mut self.slots {
            slot.held = slot.held.saturating_sub(1);
            let is_sound = |judged: &Judgement| {
                judged.score.is_finite() && judged.threshold.is_finite() && judged.score >= 0.0
            };
            if let Some(judged) = slot.method.judge(step).filter(is_sound) {
                verdict.is_suspect |= judged.is_anomalous();
                verdict.take(slot.weigh(judged), slot.method.kind());
            }
            verdict.is_held |= slot.held > 0;
        }
        verdict
    }

    /// Learns what it may: nothing of an anomalous sample, nothing when it must not.
    pub(super) fn absorb(&mut self, step: &Step, is_anomalous: bool, may_learn: bool, training: Training) {
        let lesson = match self.phase {
            _ if !may_learn => Lesson::Nothing,
            _ if is_anomalous => Lesson::Anomalous,
            Phase::Fitting => Lesson::Fit,
            Phase::Calibrating => Lesson::Calibrate,
            Phase::Judging => Lesson::Adapt,
        };
        self.slots.iter_mut().for_each(|slot| slot.method.absorb(step, lesson));
        if lesson.is_usual() && self.phase != Phase::Judging {
            self.learned = self.learned.saturating_add(1);
            self.move_on(training);
        }
    }

    /// Judges that nothing came for so many seconds.
    pub(super) fn judge_silence(&self, elapsed_s: f64) -> Option<Judgement> {
        let judged = self.slots.iter().filter_map(|slot| match &slot.method {
            AnyMethod::Stale(stale) => stale.judge_silence(elapsed_s),
            _ => None,
        });
        judged.filter(Judgement::is_anomalous).max_by(|a, b| a.ratio().total_cmp(&b.ratio()))
    }

    pub(super) fn on_interrupted(&mut self) {
        for slot in &mut self.slots {
            slot.run = 0;
            slot.calm = 0;
            slot.held = 0;
            slot.is_told = false;
            slot.method.on_interrupted();
        }
    }

    /// Ends the phase it is in, whatever was learned.
    pub(super) fn end_phase(&mut self) {
        match self.phase {
            Phase::Fitting => {
                self.slots.iter_mut().for_each(|slot| slot.method.on_fitted());
                self.phase = Phase::Calibrating;
            }
            Phase::Calibrating => {
                self.slots.iter_mut().for_each(|slot| slot.method.on_calibrated());
                self.phase = Phase::Judging;
            }
            Phase::Judging => {}
        }
        self.learned = 0;
    }

    fn move_on(&mut self, training: Training) {
        if self.phase == Phase::Fitting && self.learned >= training.fit {
            self.end_phase();
        }
        if self.phase == Phase::Calibrating && self.learned >= training.calibrate {
            self.end_phase();
        }
    }
}

impl Slot {
    /// A judgement that is anomalous only after the persistence, and, with a hold, only until it has held.
    fn weigh(&mut self, judged: Judgement) -> Judgement {
        if !judged.is_anomalous() {
            self.run = 0;
            self.calm = self.calm.saturating_add(1);
            self.is_told &= self.held > 0 || self.calm < self.rearm;
            return judged;
        }
        self.calm = 0;
        self.run = self.run.saturating_add(1);
        let is_over = self.is_told && self.held == 0;
        if self.run < self.persistence || is_over {
            return Judgement { score: judged.threshold, ..judged };
        }
        if self.hold > 0 && !self.is_told {
            self.held = self.hold;
            self.is_told = true;
        }
        Judgement { samples: judged.samples.max(self.persistence), ..judged }
    }
}

impl Verdict {
    fn take(&mut self, judged: Judgement, kind: DetectorKind) {
        let ratio = judged.ratio();
        if judged.is_anomalous() && self.crossing.is_none_or(|(_, best)| ratio > best.ratio()) {
            self.crossing = Some((kind, judged));
        }
        self.ratio = self.ratio.max(ratio);
    }
}
