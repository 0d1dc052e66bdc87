//! The score of the Numenta Anomaly Benchmark: the first alarm in a window counts, the earlier the better; every
//! other alarm outside costs.

use std::ops::Range;

/// What is worth how much.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NabProfile {
    /// A window found at its beginning.
    pub found: f64,
    /// An alarm outside.
    pub false_alarm: f64,
    /// A window not found.
    pub missed: f64,
}

impl NabProfile {
    /// The headline.
    pub const STANDARD: Self = Self { found: 1.0, false_alarm: 0.11, missed: 1.0 };
    /// False alarms cost twice as much.
    pub const FEW_FALSE_ALARMS: Self = Self { found: 1.0, false_alarm: 0.22, missed: 1.0 };
    /// What was missed costs twice as much.
    pub const FEW_MISSED: Self = Self { found: 1.0, false_alarm: 0.11, missed: 2.0 };
}

/// Samples at the beginning that are not scored: 15 % of the first 5,000.
pub fn nab_probation(samples: usize) -> usize {
    (0.15 * samples as f64).min(0.15 * 5000.0) as usize
}

/// The unscaled score of one series and the windows that count: those that are not wholly in the probation.
pub fn nab_raw(windows: &[Range<usize>], said: &[bool], profile: NabProfile) -> (f64, usize) {
    let probation = nab_probation(said.len());
    let counted: Vec<&Range<usize>> = windows.iter().filter(|window| window.end > probation).collect();
    let mut raw = 0.0;
    for window in &counted {
        let first = (window.start.max(probation)..window.end).find(|place| said.get(*place) == Some(&true));
        raw += first.map_or(-profile.missed, |place| {
            let position = -((window.end - place) as f64) / window.len() as f64;
            profile.found * sigmoid(position) / sigmoid(-1.0)
        });
    }
    for (place, _) in said.iter().enumerate().skip(probation).filter(|(_, said)| **said) {
        if windows.iter().any(|window| window.contains(&place)) {
            continue;
        }
        let before = windows.iter().rev().find(|window| window.end <= place);
        // Shortly after a window an alarm is only late.
        let worth = before.map_or(-1.0, |window| {
            sigmoid((place + 1 - window.end) as f64 / (window.len().max(2) - 1) as f64)
        });
        raw += profile.false_alarm * worth;
    }
    (raw, counted.len())
}

/// 100 for every window found at its beginning and no false alarm, 0 for silence.
pub fn nab_score(raw: f64, windows: usize, profile: NabProfile) -> f64 {
    let (silent, perfect) = (-profile.missed * windows as f64, profile.found * windows as f64);
    100.0 * (raw - silent) / (perfect - silent)
}

fn sigmoid(position: f64) -> f64 {
    if position > 3.0 { -1.0 } else { 2.0 / (1.0 + (5.0 * position).exp()) - 1.0 }
}
