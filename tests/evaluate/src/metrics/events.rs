//! Event by event: an event is found if any alarm overlaps it, an alarm without an event is false.

use std::ops::Range;

use super::{f_score, share};

/// Events found, missed and made up.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct EventCounts {
    /// Events with an alarm.
    pub found: usize,
    /// Events without.
    pub missed: usize,
    /// Alarms without an event.
    pub false_alarms: usize,
    /// All alarms.
    pub alarms: usize,
    /// Samples from the beginning of each found event to the first alarm in it.
    pub delays: Vec<usize>,
}

/// Half-open ranges of places that were said to be anomalous; those with at most `merge_gap` places between the
/// end of one and the start of the next are one.
pub fn runs(said: &[bool], merge_gap: usize) -> Vec<Range<usize>> {
    let mut runs: Vec<Range<usize>> = Vec::new();
    for (place, _) in said.iter().enumerate().filter(|(_, said)| **said) {
        match runs.last_mut() {
            Some(run) if place <= run.end + merge_gap => run.end = place + 1,
            _ => runs.push(place..place + 1),
        }
    }
    runs
}

/// Compares alarms with events, each a half-open range of places.
pub fn count_events(events: &[Range<usize>], said: &[bool], merge_gap: usize) -> EventCounts {
    let alarms = runs(said, merge_gap);
    let overlap = |a: &Range<usize>, b: &Range<usize>| a.start < b.end && b.start < a.end;
    let first_in = |event: &Range<usize>| {
        let alarm = alarms.iter().find(|alarm| overlap(alarm, event))?;
        Some(alarm.start.max(event.start) - event.start)
    };
    let delays: Vec<usize> = events.iter().filter_map(first_in).collect();
    let is_false = |alarm: &&Range<usize>| !events.iter().any(|event| overlap(alarm, event));
    EventCounts {
        found: delays.len(),
        missed: events.len() - delays.len(),
        false_alarms: alarms.iter().filter(is_false).count(),
        alarms: alarms.len(),
        delays,
    }
}

impl EventCounts {
    /// Both together.
    pub fn plus(mut self, other: Self) -> Self {
        self.delays.extend(other.delays);
        Self {
            found: self.found + other.found,
            missed: self.missed + other.missed,
            false_alarms: self.false_alarms + other.false_alarms,
            alarms: self.alarms + other.alarms,
            delays: self.delays,
        }
    }

    /// Found events beside false alarms.
    pub fn precision(&self) -> f64 {
        share(self.found as f64, (self.found + self.false_alarms) as f64)
    }

    /// Share of the events that were found.
    pub fn recall(&self) -> f64 {
        share(self.found as f64, (self.found + self.missed) as f64)
    }

    /// F score of precision and recall.
    pub fn f_score(&self, beta: f64) -> f64 {
        f_score(self.precision(), self.recall(), beta)
    }

    /// Precision times the share of usual samples without alarm, so that one endless alarm is worth nothing.
    pub fn corrected_precision(&self, false_positive_rate: f64) -> f64 {
        self.precision() * (1.0 - false_positive_rate)
    }

    /// F0.5 of [`corrected_precision`](Self::corrected_precision) and recall.
    pub fn corrected_f05(&self, false_positive_rate: f64) -> f64 {
        f_score(self.corrected_precision(false_positive_rate), self.recall(), 0.5)
    }

    /// The middle delay, in samples; `None` where nothing was found.
    pub fn median_delay(&self) -> Option<usize> {
        median(&self.delays)
    }
}

/// The middle of some numbers, the greater one of two.
pub fn median(numbers: &[usize]) -> Option<usize> {
    let mut sorted = numbers.to_vec();
    sorted.sort_unstable();
    sorted.get(sorted.len() / 2).copied()
}
