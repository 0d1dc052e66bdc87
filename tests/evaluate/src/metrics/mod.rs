//! How good detections are. Point-adjusted F1 is not among these: alarms at random reach .95 with it.

mod affiliation;
mod events;
mod nab;
mod points;
mod ranking;
mod volume;

use std::ops::Range;

pub use affiliation::{Affiliation, affiliation};
pub use events::{EventCounts, count_events, median, runs};
pub use nab::{NabProfile, nab_probation, nab_raw, nab_score};
pub use points::{PointCounts, count_points, wilson};
pub use ranking::{average_precision, roc_area};
pub use volume::{Volume, volume_under_surface};

/// Labels of every sample from events, each a half-open range of places.
pub fn labels(events: &[Range<usize>], samples: usize) -> Vec<bool> {
    let mut labels = vec![false; samples];
    for event in events {
        if let Some(marked) = labels.get_mut(event.start..event.end.min(samples)) {
            marked.fill(true);
        }
    }
    labels
}

/// `part / whole`; 0 where there is nothing.
fn share(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 0.0 }
}

/// The weighted harmonic mean of precision and recall: recall counts `beta` times as much.
fn f_score(precision: f64, recall: f64, beta: f64) -> f64 {
    let weight = beta * beta;
    share((1.0 + weight) * precision * recall, weight * precision + recall)
}
