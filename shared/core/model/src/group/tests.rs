use super::components::principal_components;
use super::*;
use crate::random::Random;

/// Three channels that follow one cause, and one that never changes.
fn rows(count: usize, seed: u64) -> Vec<f64> {
    let mut random = Random::new(seed);
    let mut row = || {
        let cause = random.within(1.0);
        [cause, 10.0 + 2.0 * cause + random.within(0.02), -cause + random.within(0.02), 5.0]
    };
    (0..count).flat_map(|_| row()).collect()
}

fn trained() -> Trained<CorrelatedGroup, GroupReport> {
    CorrelatedGroup::fit(&rows(500, 1), 4, &GroupOptions::default()).unwrap()
}

fn last_score(group: &CorrelatedGroup, row: &[f64]) -> GroupScore {
    let mut state = GroupState::default();
    (0..30).filter_map(|_| group.next_score(&mut state, row)).last().unwrap()
}

#[test]
fn one_cause_is_one_component_and_a_constant_channel_is_named() {
    let report = trained().report;
    assert_eq!((report.rows, report.components, report.constant), (500, 1, vec![3]));
    assert!(report.explained > 0.99 && report.explained <= 1.0);
}

#[test]
fn rows_like_those_learnt_from_stay_below_the_limits() {
    let (group, mut state) = (trained().model, GroupState::default());
    let rows = rows(1_000, 2);
    let scores = rows.chunks_exact(4).filter_map(|row| group.next_score(&mut state, row));
    assert!(scores.filter(|score| score.score() > 1.0).count() < 30);
}

#[test]
fn moving_too_far_together_shows_along_and_moving_apart_shows_against() {
    let group = trained().model;
    let together = last_score(&group, &[4.0, 18.0, -4.0, 5.0]);
    assert!(together.along > 2.0 && together.against < 1.0, "{together:?}");
    let apart = last_score(&group, &[0.5, 11.0, 0.5, 5.0]);
    assert!(apart.along < 1.0 && apart.against > 2.0, "{apart:?}");
    let most = apart.contributions.iter().copied().fold(0.0, f64::max);
    assert_eq!((apart.contributions[2], apart.contributions[3]), (most, 0.0));
}

#[test]
fn a_row_that_cannot_be_judged_is_passed_over() {
    let (group, mut state) = (trained().model, GroupState::default());
    group.next_score(&mut state, &[0.0, 10.0, 0.0, 5.0]).unwrap();
    let before = state;
    assert_eq!(group.next_score(&mut state, &[0.0, f64::NAN, 0.0, 5.0]), None);
    assert_eq!(group.next_score(&mut state, &[0.0, 10.0]), None);
    assert_eq!(state, before);
}

#[test]
fn a_jump_of_any_height_has_a_finite_score() {
    for jump in [1e6, -1e30, f64::MAX, f64::MIN] {
        let score = last_score(&trained().model, &[jump, 10.0, 0.0, 5.0]);
        assert!(score.score().is_finite() && score.score() > 1e3, "{jump}: {score:?}");
    }
}

#[test]
fn averages_that_are_no_numbers_are_begun_anew() {
    let mut state = GroupState { averages: Some([f64::NAN, 1.0]) };
    assert!(trained().model.next_score(&mut state, &[0.0, 10.0, 0.0, 5.0]).unwrap().score().is_finite());
}

#[test]
fn what_cannot_be_learnt_from_is_refused() {
    let check = |rows: &[f64], channels, expected| {
        let refused = CorrelatedGroup::fit(rows, channels, &GroupOptions::default()).unwrap_err();
        assert_eq!(refused, expected);
    };
    check(&[0.0; 100], 1, TrainingError::Amount { given: 1, least: 2, most: GROUP_CHANNELS_MAX });
    check(&[0.0; 30], 2, TrainingError::Amount { given: 15, least: 20, most: GROUP_ROWS_MAX });
    check(&[0.0; 101], 2, TrainingError::Shape { given: 101, wanted: 100 });
    check(&[1.0; 100], 2, TrainingError::Constant);
    let mut broken = rows(100, 1);
    broken[9] = f64::INFINITY;
    check(&broken, 4, TrainingError::NotFinite { index: 9 });
}

#[test]
fn components_are_orthogonal_and_rebuild_the_matrix() {
    let (size, mut random) = (12, Random::new(6));
    let mut matrix = vec![0.0; size * size];
    for row in 0..size {
        for column in 0..=row {
            let entry = random.within(3.0);
            (matrix[row * size + column], matrix[column * size + row]) = (entry, entry);
        }
    }
    // Made positive, as correlations are.
    (0..size).for_each(|place| matrix[place * (size + 1)] += 60.0);
    let found = principal_components(&matrix, size);
    assert!(found.windows(2).all(|pair| pair[0].0 >= pair[1].0));
    for row in 0..size {
        for column in 0..size {
            let dot: f64 = (0..size).map(|place| found[row].1[place] * found[column].1[place]).sum();
            assert!((dot - f64::from(u8::from(row == column))).abs() < 1e-9, "{row} {column} {dot}");
            let entry: f64 = found.iter().map(|(variance, of)| variance * of[row] * of[column]).sum();
            assert!((entry - matrix[row * size + column]).abs() < 1e-9, "{row} {column} {entry}");
        }
    }
}
