//! VUS (Paparrizos et al., VLDB 2022): areas under the curves, with labels that reach a little beyond the events,
//! over all lengths of that reach.

use std::ops::Range;

/// Volumes under the surfaces.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Volume {
    /// Of the receiver operating characteristic.
    pub roc: f64,
    /// Of precision over recall.
    pub precision_recall: f64,
}

/// Volumes for reaches of 0 to `length` samples (half of it on each side), at `thresholds` scores that are spread
/// evenly over their ranks. Both are 0 without events or scores.
pub fn volume_under_surface(
    events: &[Range<usize>],
    scores: &[f64],
    length: usize,
    thresholds: usize,
) -> Volume {
    let samples = scores.len();
    let events: Vec<Range<usize>> = events
        .iter()
        .map(|event| event.start..event.end.min(samples))
        .filter(|event| !event.is_empty())
        .collect();
    if events.is_empty() || thresholds < 2 {
        return Volume { roc: 0.0, precision_recall: 0.0 };
    }
    let mut sorted = scores.to_vec();
    sorted.sort_by(|a, b| b.total_cmp(a));
    let step = (samples - 1) as f64 / (thresholds - 1) as f64;
    let rank =
        |place: usize| if place + 1 == thresholds { samples - 1 } else { (place as f64 * step) as usize };
    let above = |threshold: f64| sorted.partition_point(|score| *score >= threshold) as f64;
    let chosen: Vec<(f64, f64)> =
        (0..thresholds).map(|place| sorted[rank(place)]).map(|score| (score, above(score))).collect();
    let widest = regions(&events, length / 2, samples);
    let (mut roc, mut precision_recall) = (0.0, 0.0);
    for reach in 0..=length {
        let (area, precision) = areas(&events, &widest, scores, &chosen, reach);
        roc += area;
        precision_recall += precision;
    }
    let reaches = (length + 1) as f64;
    Volume { roc: roc / reaches, precision_recall: precision_recall / reaches }
}

/// Events with so much on each side; those that touch are one. Half-open.
fn regions(events: &[Range<usize>], side: usize, samples: usize) -> Vec<Range<usize>> {
    let mut regions: Vec<Range<usize>> = Vec::new();
    for event in events {
        let region = event.start.saturating_sub(side)..(event.end + side).min(samples);
        match regions.last_mut() {
            Some(last) if last.end > region.start => last.end = region.end,
            _ => regions.push(region),
        }
    }
    regions
}

/// Labels that fade beside the events: the square root of how much of the reach is left.
fn faded(events: &[Range<usize>], reach: usize, samples: usize) -> Vec<f64> {
    let mut labels = vec![0.0_f64; samples];
    for event in events {
        labels[event.clone()].fill(1.0);
    }
    let fade = |distance: usize| (1.0 - distance as f64 / reach as f64).sqrt();
    for event in events {
        let after = event.end..(event.end + reach / 2).min(samples);
        let before = event.start.saturating_sub(reach / 2)..event.start;
        for place in after {
            labels[place] += fade(place + 1 - event.end);
        }
        for place in before {
            labels[place] += fade(event.start - place);
        }
    }
    labels.iter_mut().for_each(|label| *label = label.min(1.0));
    labels
}

/// Areas for one reach; each threshold comes with how many scores reach it.
fn areas(
    events: &[Range<usize>],
    widest: &[Range<usize>],
    scores: &[f64],
    thresholds: &[(f64, f64)],
    reach: usize,
) -> (f64, f64) {
    let samples = scores.len();
    let labels = faded(events, reach, samples);
    let regions = regions(events, reach / 2, samples);
    let anomalous: f64 = events.iter().map(|event| event.len() as f64).sum();
    let is_event = {
        let mut marks = vec![false; samples];
        events.iter().for_each(|event| marks[event.clone()].fill(true));
        marks
    };
    let (mut roc, mut precision_recall) = (0.0, 0.0);
    let (mut last_true, mut last_false) = (0.0, 0.0);
    for &(threshold, all) in thresholds {
        let said = |place: usize| scores[place] >= threshold;
        let met = regions.iter().filter(|region| (*region).clone().any(said)).count() as f64;
        let (mut found, mut weight) = (0.0, 0.0);
        for place in widest.iter().flat_map(Clone::clone) {
            // Beside an event a label counts only where something was said.
            let label = if is_event[place] { 1.0 } else { labels[place] * f64::from(u8::from(said(place))) };
            weight += label;
            found += label * f64::from(u8::from(said(place)));
        }
        let positives = (anomalous + weight) / 2.0;
        let true_rate = (found / positives).min(1.0) * met / regions.len() as f64;
        let false_rate = (all - found) / (samples as f64 - positives);
        roc += (false_rate - last_false) * (true_rate + last_true) / 2.0;
        precision_recall += (true_rate - last_true) * found / all;
        (last_true, last_false) = (true_rate, false_rate);
    }
    roc += (1.0 - last_false) * (1.0 + last_true) / 2.0;
    (roc, precision_recall)
}
