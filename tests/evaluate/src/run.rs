//! A suite over a recording, in one pass.

use std::ops::Range;

use model::Forecaster;
use processing::detect::{Detection, Observation, Suite};
use rustix::time::{ClockId, clock_gettime};
use space_packet::{GenerationTime, TaiTime};

use crate::metrics::{average_precision, labels, volume_under_surface};
use crate::report::share;

/// Samples of one parameter, evenly spaced: the sets say places, not times.
#[derive(Clone, Debug, Default)]
pub struct Recording {
    /// Values in order.
    pub values: Vec<f64>,
    /// Inputs beside each value; empty where there are none.
    pub inputs: Vec<Vec<f64>>,
}

/// What a suite said of a recording.
#[derive(Clone, Debug, Default)]
pub struct Said {
    /// The score of each sample, in thresholds.
    pub scores: Vec<f64>,
    /// Whether each sample is anomalous.
    pub is_anomalous: Vec<bool>,
    /// Detections, with the place of the sample that raised each.
    pub detections: Vec<(usize, Detection)>,
    /// What judging took of a processor, in seconds.
    pub seconds: f64,
}

impl Recording {
    /// Goes through it once.
    pub fn judged_by(&self, suite: &mut Suite) -> Said {
        self.judged_with(None, suite)
    }

    /// The same with a trained forecaster, where there is one.
    pub fn judged_with(&self, forecaster: Option<&Forecaster>, suite: &mut Suite) -> Said {
        let mut said = Said::default();
        let begin = processor_seconds();
        for (place, value) in self.values.iter().enumerate() {
            let observation = Observation {
                time: GenerationTime(TaiTime(place as i64 * 1_000_000_000)),
                value: *value,
                inputs: self.inputs.get(place).map_or(&[], Vec::as_slice),
                mode: 0,
                is_flagged: false,
            };
            let outcome = match forecaster {
                Some(forecaster) => suite.on_sample_with(forecaster, &observation),
                None => suite.on_sample(&observation),
            };
            said.scores.push(outcome.score);
            said.is_anomalous.push(outcome.is_anomalous);
            said.detections.extend(outcome.raised.map(|detection| (place, detection)));
        }
        said.seconds = processor_seconds() - begin;
        said
    }

    /// Learns from it: once what is usual, once how far from it the usual is. Then the suite is ready to judge.
    pub fn teach(&self, forecaster: Option<&Forecaster>, suite: &mut Suite) {
        for _ in 0..2 {
            self.judged_with(forecaster, suite);
            suite.end_phase();
            suite.on_interrupted();
        }
    }
}

/// What this thread has had of a processor, in seconds: others at work on the machine do not count.
pub fn processor_seconds() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9
}

/// Beyond what lies this far from an event, half on each side, VUS does not look.
const REACH: usize = 50;

/// How well scores rank samples, without a threshold: means over recordings that have events.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ranked {
    precision: f64,
    volume: f64,
    recordings: usize,
}

impl Ranked {
    /// Of the scores of one recording.
    pub fn of(events: &[Range<usize>], scores: &[f64]) -> Self {
        if events.is_empty() {
            return Self::default();
        }
        Self {
            precision: average_precision(&labels(events, scores.len()), scores),
            volume: volume_under_surface(events, scores, REACH, 100).precision_recall,
            recordings: 1,
        }
    }

    /// Of both together.
    pub fn plus(self, other: Self) -> Self {
        Self {
            precision: self.precision + other.precision,
            volume: self.volume + other.volume,
            recordings: self.recordings + other.recordings,
        }
    }

    /// AUC-PR and VUS-PR, as tables show them.
    pub fn cells(self) -> [String; 2] {
        let mean = |sum: f64| sum / self.recordings.max(1) as f64;
        [share(mean(self.precision)), share(mean(self.volume))]
    }
}

/// The candidate with the best value on all recordings but one, for each of them.
///
/// `counts[candidate][recording]` is what was counted; `value` says how good a sum of counts is.
pub fn leave_one_out<C: Clone>(
    counts: &[Vec<C>],
    sum: impl Fn(&mut dyn Iterator<Item = C>) -> C,
    value: impl Fn(&C) -> f64,
) -> Vec<usize> {
    let recordings = counts.first().map_or(0, Vec::len);
    let others = |candidate: &[C], left: usize| {
        let kept = candidate.iter().enumerate().filter(|(place, _)| *place != left);
        value(&sum(&mut kept.map(|(_, count)| count.clone())))
    };
    let best = |left: usize| {
        let values = counts.iter().map(|candidate| others(candidate, left));
        // Of equal ones the first.
        let best = values.enumerate().fold((0, f64::NEG_INFINITY), |best, (place, value)| {
            if value > best.1 { (place, value) } else { best }
        });
        best.0
    };
    (0..recordings).map(best).collect()
}
