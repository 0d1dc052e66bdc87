//! Without a threshold: whether what is anomalous has the higher scores.

use super::share;

/// Scores descending, with their labels; equal scores together as (anomalous, usual).
fn groups(labels: &[bool], scores: &[f64]) -> Vec<(f64, f64)> {
    let mut pairs: Vec<(f64, bool)> = scores.iter().copied().zip(labels.iter().copied()).collect();
    pairs.sort_by(|a, b| b.0.total_cmp(&a.0));
    pairs
        .chunk_by(|a, b| a.0 == b.0)
        .map(|equal| {
            let anomalous = equal.iter().filter(|(_, is)| *is).count() as f64;
            (anomalous, equal.len() as f64 - anomalous)
        })
        .collect()
}

/// Area under the receiver operating characteristic: how often an anomalous sample has a higher score than a usual
/// one, equal ones counted half.
pub fn roc_area(labels: &[bool], scores: &[f64]) -> f64 {
    let (mut found, mut area, mut usual) = (0.0, 0.0, 0.0);
    for (anomalous, others) in groups(labels, scores) {
        area += others * (found + anomalous / 2.0);
        found += anomalous;
        usual += others;
    }
    share(area, found * usual)
}

/// Precision at each score, weighted by what recall it adds.
pub fn average_precision(labels: &[bool], scores: &[f64]) -> f64 {
    let (mut found, mut seen, mut sum) = (0.0, 0.0, 0.0);
    for (anomalous, others) in groups(labels, scores) {
        found += anomalous;
        seen += anomalous + others;
        sum += anomalous * found / seen;
    }
    share(sum, found)
}
