//! A suite over a recording, in one pass.

use std::time::Instant;

use processing::detect::{Detection, Observation, Suite};
use space_packet::{GenerationTime, TaiTime};

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
    /// What judging took, in seconds.
    pub seconds: f64,
}

impl Recording {
    /// Goes through it once.
    pub fn judged_by(&self, suite: &mut Suite) -> Said {
        let mut said = Said::default();
        let begin = Instant::now();
        for (place, value) in self.values.iter().enumerate() {
            let outcome = suite.on_sample(&Observation {
                time: GenerationTime(TaiTime(place as i64 * 1_000_000_000)),
                value: *value,
                inputs: self.inputs.get(place).map_or(&[], Vec::as_slice),
                mode: 0,
                is_flagged: false,
            });
            said.scores.push(outcome.score);
            said.is_anomalous.push(outcome.is_anomalous);
            said.detections.extend(outcome.raised.map(|detection| (place, detection)));
        }
        said.seconds = begin.elapsed().as_secs_f64();
        said
    }

    /// Learns from it: once what is usual, once how far from it the usual is. Then the suite is ready to judge.
    pub fn teach(&self, suite: &mut Suite) {
        for _ in 0..2 {
            self.judged_by(suite);
            suite.end_phase();
            suite.on_interrupted();
        }
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
