//! A series short enough to be counted by hand.

use std::ops::Range;

use evaluate::metrics::{
    NabProfile, affiliation, average_precision, count_events, count_points, labels, nab_raw, nab_score,
    roc_area, runs, volume_under_surface, wilson,
};

const SAMPLES: usize = 20;

fn events() -> Vec<Range<usize>> {
    vec![5..10, 15..18]
}

/// One alarm within the first event, one between both.
fn said() -> Vec<bool> {
    (0..SAMPLES).map(|place| place == 7 || place == 12).collect()
}

#[track_caller]
fn check(ours: f64, wanted: f64) {
    assert!((ours - wanted).abs() < 1e-6, "{ours}, not {wanted}");
}

#[test]
fn points_and_events_are_counted() {
    let points = count_points(&labels(&events(), SAMPLES), &said());
    check(points.precision(), 0.5);
    check(points.recall(), 0.125);
    check(points.accuracy(), 0.6);
    check(points.false_positive_rate(), 1.0 / 12.0);
    let counts = count_events(&events(), &said(), 0);
    assert_eq!((counts.found, counts.missed, counts.false_alarms, counts.alarms), (1, 1, 1, 2));
    assert_eq!(counts.delays, [2]);
    check(counts.corrected_precision(points.false_positive_rate()), 0.5 * 11.0 / 12.0);
    check(counts.corrected_f05(1.0), 0.0);
}

#[test]
fn alarms_with_at_most_the_gap_between_them_are_one() {
    assert_eq!(runs(&said(), 3), [7..8, 12..13]);
    assert_eq!(runs(&said(), 4), vec![7..13; 1]);
}

#[test]
fn ranking_counts_equal_scores_half() {
    let scores: Vec<f64> = said().iter().map(|said| f64::from(u8::from(*said))).collect();
    let labels = labels(&events(), SAMPLES);
    check(roc_area(&labels, &scores), 0.520_833_333);
    check(average_precision(&labels, &scores), 0.4125);
}

#[test]
fn nearness_is_beside_chance_in_the_zone_of_each_event() {
    let near = affiliation(&events(), &said());
    check(near.precision, (1.0 + 0.125) / 2.0);
    check(near.recall, (0.8 + 0.25 / 3.0) / 2.0);
    assert_eq!(affiliation(&events(), &[false; SAMPLES]).recall, 0.0);
}

#[test]
fn perfect_scores_have_the_whole_volume_and_chance_has_half() {
    let perfect: Vec<f64> =
        labels(&events(), SAMPLES).iter().map(|label| f64::from(u8::from(*label))).collect();
    let volume = volume_under_surface(&events(), &perfect, 0, SAMPLES);
    check(volume.roc, 1.0);
    check(volume.precision_recall, 1.0);
    check(volume_under_surface(&events(), &[0.0; SAMPLES], 0, SAMPLES).roc, 0.5);
    check(volume_under_surface(&[], &perfect, 4, SAMPLES).roc, 0.0);
}

#[test]
fn an_early_alarm_is_worth_more_and_a_false_one_costs() {
    let (raw, windows) = nab_raw(&events(), &said(), NabProfile::STANDARD);
    assert_eq!(windows, 2);
    check(raw, 0.917_429 - 1.0 - 0.11 * 0.954_045);
    check(nab_score(2.0, 2, NabProfile::STANDARD), 100.0);
    check(nab_score(-2.0, 2, NabProfile::STANDARD), 0.0);
}

#[test]
fn a_share_that_was_never_met_has_an_interval_above_nothing() {
    let (low, high) = wilson(0, 289);
    check(low, 0.0);
    check(high, 0.013_118);
}
