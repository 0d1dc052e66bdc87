//! Suites of one detector and of all, over series of our own.

use proptest::prelude::*;
use space_packet::TaiTime;

use super::*;

const SECOND: i64 = 1_000_000_000;

fn at(seconds: i64) -> GenerationTime {
    GenerationTime(TaiTime(seconds * SECOND))
}

fn observation(seconds: i64, value: f64) -> Observation<'static> {
    Observation { time: at(seconds), value, inputs: &[], mode: 0, is_flagged: false }
}

/// A wave with a little noise that never repeats.
fn wave(place: i64) -> f64 {
    let noise = (place.wrapping_mul(2_654_435_761) >> 7 & 1023) as f64 / 1023.0 - 0.5;
    (place as f64 / 9.0).sin() + 0.05 * noise
}

fn suite_of(method: MethodRule) -> Suite {
    let training = Training { fit: 600, calibrate: 300 };
    Suite::new(SuiteRule { training, linger: 0, detectors: vec![method.into()], ..SuiteRule::default() })
}

fn every_method() -> Vec<DetectorRule> {
    vec![
        MethodRule::Autoregression(AutoregressionRule { order: 8, inputs: 2, ..Default::default() }).into(),
        MethodRule::Change(ChangeRule::default()).into(),
        MethodRule::FlatLine(FlatLineRule::default()).into(),
        MethodRule::Forecast(ForecastRule::default()).into(),
        MethodRule::Hampel(HampelRule::default()).into(),
        MethodRule::Likelihood(LikelihoodRule { samples_min: 10, long: 50, ..Default::default() }).into(),
        DetectorRule { method: MethodRule::Range(RangeRule::default()), persistence: 3, hold: 5, rearm: 2 },
        MethodRule::RateOfChange(RateOfChangeRule::default()).into(),
        MethodRule::Recursive(RecursiveRule { order: 4, inputs: 2, ..Default::default() }).into(),
        MethodRule::Seasonal(SeasonalRule { period_s: 60.0, bins: 6, samples_min: 3, ..Default::default() })
            .into(),
        MethodRule::Spread(SpreadRule { samples_min: 20, ..Default::default() }).into(),
        MethodRule::Stale(StaleRule::default()).into(),
        MethodRule::ZScore(ZScoreRule { window: 30, ..Default::default() }).into(),
    ]
}

/// Teaches a suite the wave, then says the detections of what follows, with their places from there.
fn detections(suite: &mut Suite, series: impl IntoIterator<Item = f64>) -> Vec<(usize, Detection)> {
    for place in 0..3_000 {
        suite.on_sample(&observation(place, wave(place)));
    }
    assert_eq!(suite.phase(), Some(Phase::Judging));
    let judged = series.into_iter().enumerate().filter_map(|(place, value)| {
        let outcome = suite.on_sample(&observation(3_000 + place as i64, value));
        outcome.raised.map(|detection| (place, detection))
    });
    judged.collect()
}

fn goes_on() -> impl Iterator<Item = f64> {
    (3_000..).map(wave)
}

#[test]
fn each_detector_finds_its_fault_and_says_what_it_expected() {
    let spike = || goes_on().take(100).chain([4.0; 5]);
    let stuck = || goes_on().take(100).chain([0.25; 100]);
    let noisy = || goes_on().take(100).chain((0..40).map(|place| if place % 2 == 0 { 0.9 } else { -0.9 }));
    let mut faults: Vec<(MethodRule, Box<dyn Iterator<Item = f64>>, usize)> = vec![
        (MethodRule::Autoregression(AutoregressionRule::default()), Box::new(noisy()), 5),
        (MethodRule::Change(ChangeRule::default()), Box::new(noisy()), 5),
        (MethodRule::FlatLine(FlatLineRule::default()), Box::new(stuck()), 35),
        (MethodRule::Hampel(HampelRule { threshold: 3.0, ..Default::default() }), Box::new(spike()), 0),
        (MethodRule::Likelihood(LikelihoodRule::default()), Box::new(noisy()), 3),
        (MethodRule::Range(RangeRule::default()), Box::new(spike()), 0),
        (MethodRule::RateOfChange(RateOfChangeRule::default()), Box::new(spike()), 0),
        (MethodRule::Recursive(RecursiveRule::default()), Box::new(noisy()), 5),
        (MethodRule::Spread(SpreadRule { fence: 1.0, ..Default::default() }), Box::new(spike()), 0),
        (MethodRule::ZScore(ZScoreRule { threshold: 4.0, ..Default::default() }), Box::new(spike()), 0),
    ];
    for (method, series, delay_max) in &mut faults {
        let found = detections(&mut suite_of(*method), series);
        let [(place, detection)] = found.as_slice() else { panic!("{method:?}: {found:#?}") };
        assert!((100..=100 + *delay_max).contains(place), "{method:?} at {place}");
        assert_eq!(detection.detector, method.kind());
        assert!(detection.score > detection.threshold);
        assert_eq!(detection.window.last, at(3_000 + *place as i64));
        let has_idea = method.kind() != DetectorKind::FlatLine;
        assert_eq!(detection.expected.is_some(), has_idea, "{method:?}");
    }
}

#[test]
fn a_value_out_of_season_is_found() {
    let rule = SeasonalRule { period_s: 100.0, bins: 20, samples_min: 50, ..Default::default() };
    let mut suite = suite_of(MethodRule::Seasonal(rule));
    // By day 1, by night 0.
    let value = |place: i64| f64::from(u8::from(place % 100 < 50)) + 0.1 * wave(place);
    for place in 0..3_000 {
        assert_eq!(suite.on_sample(&observation(place, value(place))).raised, None, "{place}");
    }
    let detection = suite.on_sample(&observation(3_000, value(3_060))).raised.unwrap();
    assert!((detection.expected.unwrap() - 1.0).abs() < 0.2, "{detection:?}");
}

#[test]
fn a_silence_longer_than_any_before_is_raised_once() {
    let mut suite = suite_of(MethodRule::Stale(StaleRule::default()));
    detections(&mut suite, []);
    let last = 2_999;
    assert_eq!(suite.on_silence(at(last + 3)), None);
    let detection = suite.on_silence(at(last + 4)).unwrap();
    assert_eq!((detection.score, detection.threshold), (4.0, 3.0));
    assert_eq!(suite.on_silence(at(last + 5)), None);
    suite.on_sample(&observation(last + 10, 0.0));
    assert!(suite.on_silence(at(last + 20)).is_some());
}

#[test]
fn persistence_waits_and_hold_keeps_on() {
    let range =
        DetectorRule { method: MethodRule::Range(RangeRule::default()), persistence: 4, hold: 6, rearm: 3 };
    let training = Training { fit: 600, calibrate: 300 };
    let mut suite =
        Suite::new(SuiteRule { training, linger: 0, detectors: vec![range], ..SuiteRule::default() });
    assert_eq!(detections(&mut suite, [9.0; 3]), []);
    let mut said = Vec::new();
    for (place, value) in [9.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0].into_iter().enumerate() {
        said.push(suite.on_sample(&observation(3_003 + place as i64, value)).is_anomalous);
    }
    assert_eq!(said, [true, true, true, true, true, true, false]);
    assert_eq!(suite.standing().unwrap().window.samples, 4);
}

#[test]
fn an_alarm_lingers_so_that_it_is_not_in_pieces() {
    let training = Training { fit: 600, calibrate: 300 };
    let detectors = vec![MethodRule::Range(RangeRule::default()).into()];
    let mut suite = Suite::new(SuiteRule { training, linger: 2, detectors, ..SuiteRule::default() });
    detections(&mut suite, []);
    let series = [9.0, 0.0, 9.0, 0.0, 0.0, 0.0].into_iter().enumerate();
    let said: Vec<bool> = series
        .map(|(place, value)| suite.on_sample(&observation(3_000 + place as i64, value)).is_anomalous)
        .collect();
    assert_eq!(said, [true, true, true, true, true, false]);
}

#[test]
fn what_goes_on_after_it_has_held_was_told_until_it_is_over() {
    let range = DetectorRule { hold: 5, rearm: 3, ..MethodRule::Range(RangeRule::default()).into() };
    let training = Training { fit: 600, calibrate: 300 };
    let mut suite =
        Suite::new(SuiteRule { training, merge_within: 0, detectors: vec![range], ..SuiteRule::default() });
    let series = [9.0; 20].into_iter().chain([0.0; 2]).chain([9.0; 4]).chain([0.0; 3]).chain([9.0]);
    let places: Vec<usize> = detections(&mut suite, series).into_iter().map(|(place, _)| place).collect();
    assert_eq!(places, [0, 29]);
}

#[test]
fn what_is_near_in_time_is_one_detection_with_the_worst_of_it() {
    let mut suite = suite_of(MethodRule::Range(RangeRule::default()));
    let calm = || goes_on().take(80);
    let found = detections(&mut suite, [3.0].into_iter().chain(calm()).chain([7.0]).chain(calm()));
    assert_eq!(found.len(), 1);
    let standing = suite.standing().unwrap();
    assert_eq!((standing.seen, standing.window.samples), (7.0, 82));
    assert_eq!(standing.window.first, at(3_000));
    assert_eq!(standing.window.last, at(3_081));
    for (place, value) in goes_on().take(30).enumerate() {
        suite.on_sample(&observation(3_162 + place as i64, value));
    }
    assert_eq!(suite.standing(), None);
}

#[test]
fn anomalous_flagged_and_frozen_samples_are_not_learned() {
    let mut suite = suite_of(MethodRule::ZScore(ZScoreRule { window: 100, ..Default::default() }));
    detections(&mut suite, []);
    let expected = |suite: &mut Suite, seconds| {
        let mut probe = suite.clone();
        probe.on_interrupted();
        probe.on_sample(&observation(seconds, 1e6)).raised.and_then(|detection| detection.expected).unwrap()
    };
    let before = expected(&mut suite, 10_000);
    for place in 0..500 {
        suite.on_sample(&observation(10_000 + place, 50.0));
        suite.on_sample(&Observation { is_flagged: true, ..observation(11_000 + place, 1.0) });
    }
    suite.freeze();
    for place in 0..500 {
        suite.on_sample(&observation(12_000 + place, 1.0));
    }
    assert_eq!(expected(&mut suite, 20_000), before);
    suite.thaw();
    for place in 0..50 {
        suite.on_sample(&observation(20_000 + place, 1.0));
    }
    assert!(expected(&mut suite, 30_000) > before + 0.1);
}

#[test]
fn each_mode_has_a_baseline_of_its_own() {
    let mut suite = suite_of(MethodRule::Range(RangeRule::default()));
    let in_mode = |place: i64, mode: u32, value: f64| Observation { mode, ..observation(place, value) };
    for place in 0..4_000 {
        let mode = (place / 100 % 2) as u32;
        let outcome = suite.on_sample(&in_mode(place, mode, wave(place) + 100.0 * f64::from(mode)));
        assert_eq!(outcome.raised, None);
    }
    assert!(suite.on_sample(&in_mode(4_001, 0, 100.0)).is_anomalous);
    assert!(!suite.on_sample(&in_mode(4_002, 1, 100.0)).is_anomalous);
    suite.forget(0);
    assert!(!suite.on_sample(&in_mode(4_003, 0, 100.0)).is_anomalous, "it is learned anew");
}

#[test]
fn states_stay_bounded_however_many_modes_there_are() {
    let mut suite = suite_of(MethodRule::Hampel(HampelRule::default()));
    let mut sizes = Vec::new();
    for mode in 0..200 {
        for place in 0..60 {
            let time = i64::from(mode) * 100 + place;
            suite.on_sample(&Observation { mode, ..observation(time, wave(time)) });
        }
        sizes.push(suite.encode().len());
    }
    let full = sizes[MODES_MAX];
    assert!(sizes[MODES_MAX..].iter().all(|size| *size < full + full / 10), "{sizes:?}");
}

#[test]
fn late_and_doubled_samples_are_not_judged_until_the_clock_counts_as_set_back() {
    let mut suite = suite_of(MethodRule::Range(RangeRule::default()));
    detections(&mut suite, []);
    let mut score = |seconds| suite.on_sample(&observation(seconds, 50.0)).score;
    assert_eq!(score(2_999), 0.0);
    assert_eq!(score(10), 0.0);
    let late: Vec<bool> = (100..115).map(|seconds| score(seconds) > 0.0).collect();
    // The sample at 10 s was the first of the late ones in a row.
    assert_eq!(late.iter().position(|is_judged| *is_judged), Some(LATE_MAX as usize - 2));
    assert!(late[LATE_MAX as usize..].iter().all(|is_judged| *is_judged));
}

#[test]
fn a_million_fold_jump_is_over_soon_after_it() {
    let mut suite = Suite::new(SuiteRule {
        training: Training { fit: 600, calibrate: 300 },
        merge_within: 10,
        ..SuiteRule::default()
    });
    let jump = goes_on().take(50).chain([1e6]).chain(goes_on().skip(51).take(300));
    let found = detections(&mut suite, jump);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_eq!(found[0].0, 50);
    let calm = suite.on_sample(&observation(5_000, wave(3_351)));
    assert!(!calm.is_anomalous, "{calm:?}");
}

#[test]
fn any_change_of_a_channel_that_was_constant_is_a_detection() {
    for method in [
        MethodRule::Change(ChangeRule::default()),
        MethodRule::Autoregression(AutoregressionRule::default()),
        MethodRule::Hampel(HampelRule::default()),
        MethodRule::Range(RangeRule::default()),
        MethodRule::Spread(SpreadRule::default()),
        MethodRule::ZScore(ZScoreRule::default()),
    ] {
        let mut suite = suite_of(method);
        for place in 0..2_000 {
            let outcome = suite.on_sample(&observation(place, 28.0));
            assert_eq!((outcome.score, outcome.raised), (0.0, None), "{method:?}");
        }
        let outcome = suite.on_sample(&observation(2_000, 28.5));
        assert!(outcome.is_anomalous && outcome.score > 1.0, "{method:?}: {outcome:?}");
    }
}

#[test]
fn a_forecast_uses_the_commands_in_effect() {
    let rule = AutoregressionRule { order: 4, inputs: 1, ..Default::default() };
    let mut suite = suite_of(MethodRule::Autoregression(rule));
    // A heater draws 5 A while it is on; when, is not to be foreseen.
    let is_on = |place: i64| (place.wrapping_mul(2_654_435_761) >> 9) % 37 < 4;
    let mut sample = |place: i64, commanded: bool, drawn: bool| {
        let inputs = [f64::from(u8::from(commanded))];
        let value = 1.0 + 5.0 * f64::from(u8::from(drawn)) + 0.05 * wave(place);
        suite.on_sample(&Observation { inputs: &inputs, ..observation(place, value) }).is_anomalous
    };
    assert!((0..4_000).all(|place| !sample(place, is_on(place), is_on(place))));
    assert!((4_000..4_010).any(|place| sample(place, false, true)));
}

#[test]
fn a_saved_suite_goes_on_as_if_nothing_had_been() {
    let rule = SuiteRule {
        training: Training { fit: 200, calibrate: 100 },
        detectors: every_method(),
        ..SuiteRule::default()
    };
    let mut suite = Suite::new(rule);
    for place in 0..250 {
        suite.on_sample(&observation(place, wave(place)));
    }
    let mut restored = Suite::decode(&suite.encode()).unwrap();
    for place in 250..1_500 {
        let value = if place > 1_400 { 5.0 } else { wave(place) };
        let sample = observation(place, value);
        assert_eq!(suite.on_sample(&sample), restored.on_sample(&sample));
    }
    assert_eq!(suite.encode(), restored.encode());
}

#[test]
fn a_state_that_is_damaged_or_of_another_format_is_refused() {
    let bytes = suite_of(MethodRule::Range(RangeRule::default())).encode();
    for length in 0..bytes.len() {
        assert!(Suite::decode(&bytes[..length]).is_err(), "{length}");
    }
    for place in 0..bytes.len() {
        let mut altered = bytes.clone();
        altered[place] ^= 0x10;
        let error = Suite::decode(&altered).unwrap_err();
        assert_eq!(matches!(error, SavedStateError::Format { .. }), place < 2, "{place}: {error}");
    }
}

#[test]
fn rules_are_read_from_a_file_and_unknown_words_are_refused() {
    let text = "
        merge_within = 50
        training = { fit = 100, calibrate = 50 }
        [[detectors]]
        method.range = { margin = 0.2 }
        persistence = 10
        [[detectors]]
        method.autoregression = { order = 16, residual = { floor_factor = 2, threshold = { window = 700 } } }
        hold = 200
        [[detectors]]
        method.z_score = {}
    ";
    let rule: SuiteRule = toml::from_str(text).unwrap();
    assert_eq!(rule.detectors[0].persistence, 10);
    assert_eq!(rule.detectors[2].method, MethodRule::ZScore(ZScoreRule::default()));
    let wrong = text.replace("margin", "margni");
    assert!(toml::from_str::<SuiteRule>(&wrong).unwrap_err().to_string().contains("margni"));
}

#[test]
fn a_detectors_name_is_what_rules_call_it() {
    for kind in DetectorKind::ALL {
        assert_eq!(serde_json::to_string(kind).unwrap(), format!("\"{}\"", kind.name()));
    }
}

/// A sample as bad as they come.
fn any_sample() -> impl Strategy<Value = (i64, f64, u32, bool, f64)> {
    let special = prop_oneof![
        Just(f64::NAN),
        Just(f64::INFINITY),
        Just(f64::NEG_INFINITY),
        Just(f64::MAX),
        Just(f64::MIN_POSITIVE),
        Just(-0.0)
    ];
    let value = prop_oneof![8 => -1.0..1.0, 1 => -1e12..1e12, 3 => Just(0.5), 1 => special.clone()];
    let step =
        prop_oneof![9 => Just(SECOND), 1 => Just(0), 1 => any::<i64>(), 1 => -100 * SECOND..100 * SECOND];
    let input = prop_oneof![5 => 0.0..1.0, 1 => special];
    (step, value, 0..3_u32, prop::bool::weighted(0.1), input)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn whatever_comes_scores_are_finite_and_the_same_in_a_replay(
        samples in prop::collection::vec(any_sample(), 1..400),
        cut in 0..400_usize,
    ) {
        let rule = SuiteRule {
            training: Training { fit: 40, calibrate: 20 },
            gap_max_s: Some(1_000.0),
            merge_within: 5,
            linger: 3,
            detectors: every_method(),
        };
        let mut suite = Suite::new(rule.clone());
        let mut again = Suite::new(rule);
        let mut time = 0_i64;
        for (place, (step, value, mode, is_flagged, input)) in samples.into_iter().enumerate() {
            time = time.wrapping_add(step);
            let inputs = [input, 1.0];
            let time = GenerationTime(TaiTime(time));
            let sample = Observation { time, value, inputs: &inputs, mode, is_flagged };
            let outcome = suite.on_sample(&sample);
            prop_assert!((0.0..=RATIO_MAX).contains(&outcome.score));
            if let Some(detection) = &outcome.raised {
                prop_assert!(outcome.is_anomalous && detection.score > detection.threshold);
                prop_assert!(detection.score.is_finite() && detection.threshold >= 0.0);
                prop_assert!(detection.expected.is_none_or(f64::is_finite) && detection.seen.is_finite());
            }
            if place == cut {
                again = Suite::decode(&again.encode()).unwrap();
            }
            prop_assert_eq!(outcome, again.on_sample(&sample));
            prop_assert_eq!(suite.on_silence(time), again.on_silence(time));
        }
        prop_assert!(suite.encode().len() < 400_000);
    }
}

#[test]
fn a_trained_forecast_is_judged_and_the_detection_names_its_model() {
    let values: Vec<f64> = (0..1_000).map(wave).collect();
    let options = model::ForecastOptions { units: 16, epochs: 5, seed: 1 };
    let forecaster = model::Forecaster::fit(&values, &[], 0, &options).unwrap().model;
    let mut suite = suite_of(MethodRule::Forecast(ForecastRule::default()));
    suite.set_model(Some(ModelVersion(7)));
    let mut judge = |place: i64| {
        let value = if place == 2_000 { 9.0 } else { wave(place) };
        suite.on_sample_with(&forecaster, &observation(place, value)).raised
    };
    let raised: Vec<Detection> = (0..2_001).filter_map(&mut judge).collect();
    assert_eq!(raised.len(), 1, "{raised:?}");
    assert_eq!((raised[0].detector, raised[0].model), (DetectorKind::Forecast, Some(ModelVersion(7))));
    assert!((raised[0].expected.unwrap() - wave(2_000)).abs() < 1.0 && raised[0].seen == 9.0, "{raised:?}");
    assert_eq!(raised[0].window.first, at(2_000));
}

#[test]
fn without_its_model_a_trained_forecast_is_silent_and_other_detections_name_no_model() {
    let mut suite = suite_of(MethodRule::Forecast(ForecastRule::default()));
    assert!(detections(&mut suite, [50.0; 20]).is_empty());
    let mut suite = suite_of(MethodRule::Range(RangeRule::default()));
    suite.set_model(Some(ModelVersion(7)));
    assert_eq!(detections(&mut suite, [50.0; 20])[0].1.model, None);
}
