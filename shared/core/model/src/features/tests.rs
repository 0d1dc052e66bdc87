use proptest::prelude::*;

use super::*;

fn every_second(values: &[f64]) -> SegmentFeatures {
    let seconds: Vec<f64> = (0..values.len()).map(|second| second as f64).collect();
    SegmentFeatures::of(&seconds, values, 1.0).unwrap()
}

fn named(features: &SegmentFeatures, name: &str) -> f64 {
    features.values[FEATURE_NAMES.iter().position(|known| *known == name).unwrap()]
}

#[test]
fn small_segments_have_the_features_computed_by_hand() {
    let check = |values: &[f64], expected: &[(&str, f64)]| {
        let features = every_second(values);
        for (name, value) in expected {
            let found = named(&features, name);
            assert!((found - value).abs() < 1e-12, "{name} of {values:?}: {found}, not {value}");
        }
    };
    let up_down = [
        ("len", 5.0),
        ("duration", 4.0),
        ("mean", 0.8),
        ("var", 0.56),
        ("n_peaks", 1.0),
        ("diff_var", 1.0),
        ("gaps_squared", 4.0),
        ("len_weighted", 5.0),
        ("var_div_duration", 0.14),
        ("var_div_len", 0.112),
    ];
    check(&[0.0, 1.0, 2.0, 1.0, 0.0], &up_down);
    check(&[0.0, 1.0, 1.0, 1.0, 0.0], &[("n_peaks", 1.0)]);
    check(&[1.0, 0.0, 0.0, 1.0], &[("n_peaks", 0.0), ("skew", 0.0), ("kurtosis", -2.0)]);
    // The small maximum stands out by 0.05 of a range of 1, which is not enough; by 0.1 it is.
    check(&[0.0, 1.0, 0.5, 0.55, 0.5, 0.0], &[("n_peaks", 1.0)]);
    check(&[0.0, 1.0, 0.5, 0.625, 0.5, 0.0], &[("n_peaks", 2.0)]);
    check(&[0.0, 4.0], &[("mean", 2.0), ("var", 4.0), ("diff_var", 0.0), ("diff2_var", 0.0)]);
}

#[test]
fn missing_samples_show_in_the_squared_gaps_only() {
    let features = SegmentFeatures::of(&[0.0, 5.0, 20.0], &[1.0, 2.0, 1.0], 5.0).unwrap();
    assert_eq!(named(&features, "gaps_squared"), 250.0);
    assert_eq!(named(&features, "len_weighted"), 15.0);
}

#[test]
fn a_constant_segment_has_no_shape_and_a_finite_log_form() {
    let features = every_second(&[7.0; 30]);
    assert!(named(&features, "kurtosis").is_nan() && named(&features, "skew").is_nan());
    assert_eq!((named(&features, "var"), named(&features, "n_peaks")), (0.0, 0.0));
    assert!(features.log_form().iter().all(|value| value.is_finite()));
}

#[test]
fn what_is_no_segment_is_refused() {
    let check = |seconds: &[f64], values: &[f64], interval, expected| {
        assert_eq!(SegmentFeatures::of(seconds, values, interval), Err(expected));
    };
    check(&[0.0], &[0.0], 1.0, SegmentError::Length { times: 1, values: 1 });
    check(&[0.0, 1.0], &[0.0], 1.0, SegmentError::Length { times: 2, values: 1 });
    check(&[0.0, 1.0], &[0.0, f64::NAN], 1.0, SegmentError::NotFinite { index: 1 });
    check(&[0.0, f64::INFINITY], &[0.0, 1.0], 1.0, SegmentError::NotFinite { index: 1 });
    check(&[0.0, 1.0, 1.0], &[0.0; 3], 1.0, SegmentError::Order { index: 2 });
    check(&[0.0, 1.0], &[0.0; 2], 0.0, SegmentError::Sampling { interval_s: 0.0 });
    let long = vec![0.0; SEGMENT_SAMPLES_MAX + 1];
    check(&long, &long, 1.0, SegmentError::Length { times: long.len(), values: long.len() });
}

/// By walking from each maximum, as the definition reads.
fn peaks_by_walking(values: &[f64], part: f64) -> usize {
    let range =
        values.iter().copied().fold(f64::MIN, f64::max) - values.iter().copied().fold(f64::MAX, f64::min);
    let lowest_until_higher = |height: f64, side: &mut dyn Iterator<Item = &f64>| {
        side.take_while(|value| **value <= height).copied().fold(height, f64::min)
    };
    let mut count = 0;
    for start in 1..values.len() {
        let height = values[start];
        let end = start + values[start..].iter().take_while(|value| **value == height).count();
        if values[start - 1] >= height || end == values.len() || values[end] > height {
            continue;
        }
        let left = lowest_until_higher(height, &mut values[..start].iter().rev());
        let right = lowest_until_higher(height, &mut values[end..].iter());
        count += usize::from(height - left.max(right) >= part * range);
    }
    count
}

proptest! {
    #[test]
    fn peaks_are_those_that_walking_finds(steps in prop::collection::vec(0_u8..6, 2..80), part in 0.0..1.0) {
        let values: Vec<f64> = steps.iter().map(|step| f64::from(*step)).collect();
        prop_assert_eq!(peak_count(&values, part), peaks_by_walking(&values, part));
    }

    #[test]
    fn the_log_form_of_any_finite_segment_is_finite(values in prop::collection::vec(-1e300..1e300, 2..60)) {
        prop_assert!(every_second(&values).log_form().iter().all(|value| value.is_finite()));
    }

    #[test]
    fn moving_averages_are_sums_with_zeros_beyond_the_ends(values in prop::collection::vec(-9.0..9.0, 10..60)) {
        for (place, average) in moving_average(&values, 10).into_iter().enumerate() {
            let at = |offset: usize| values.get((place + offset).wrapping_sub(5)).copied().unwrap_or(0.0);
            prop_assert!((average - (0..10).map(at).sum::<f64>() / 10.0).abs() < 1e-9);
        }
    }
}
