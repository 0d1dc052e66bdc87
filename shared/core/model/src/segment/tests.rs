use super::*;
use crate::document::{Trained, TrainingError};
use crate::random::Random;

/// Waves of two channels; every fifth has a burst of noise in it.
pub(crate) fn examples(count: usize, seed: u64) -> Vec<Example> {
    let mut random = Random::new(seed);
    let seconds: Vec<f64> = (0..60).map(f64::from).collect();
    let mut segment = |number: usize| {
        let (channel, anomalous) = (number % 2, number.is_multiple_of(5));
        let (height, phase) = (1.0 + channel as f64, random.within(3.0));
        let noise = if anomalous { 0.5 } else { 0.02 };
        let value = |second: &f64| height * (second * 0.2 + phase).sin() + random.within(noise);
        let values: Vec<f64> = seconds.iter().map(value).collect();
        Example { channel, features: SegmentFeatures::of(&seconds, &values, 1.0).unwrap(), anomalous }
    };
    (0..count).map(&mut segment).collect()
}

#[test]
fn noise_is_found_with_labels_and_without() {
    let check = |trained: Trained<SegmentModel, SegmentReport>, labels| {
        let report = trained.report;
        assert_eq!((report.segments, report.anomalous, trained.model.has_labels()), (150, 30, labels));
        assert!(report.cross_validated.area > 0.99, "{report:?}");
        let new = examples(50, 9);
        let judged =
            new.iter().map(|example| trained.model.judge(example.channel, &example.features).unwrap());
        let right = judged.zip(&new).filter(|(judgement, example)| judgement.anomalous == example.anomalous);
        assert!(right.count() >= 48);
    };
    check(train_labelled(&examples(150, 1), 2, 1).unwrap(), true);
    check(train_unlabelled(&examples(150, 1), 2, 1).unwrap(), false);
}

#[test]
fn the_same_seed_gives_the_same_classifier_and_another_another() {
    let examples = examples(100, 2);
    assert_eq!(fit_labelled(&examples, 2, 1), fit_labelled(&examples, 2, 1));
    assert_ne!(fit_labelled(&examples, 2, 1), fit_labelled(&examples, 2, 2));
    let unlabelled = |seed| fit_unlabelled(&examples, 2, seed);
    assert_eq!(unlabelled(1), unlabelled(1));
    assert_ne!(unlabelled(1), unlabelled(2));
}

#[test]
fn a_judgement_says_which_features_speak_for_it() {
    let model = fit_labelled(&examples(150, 1), 2, 1).unwrap();
    let noisy = examples(1, 4)[0];
    let judgement = model.judge(0, &noisy.features).unwrap();
    assert!(judgement.anomalous);
    let named: Vec<&str> = judgement.evidence.iter().map(|evidence| evidence.feature).collect();
    assert!(named.iter().any(|name| name.starts_with("diff")), "{named:?}");
    assert!(judgement.evidence[0].deviations.abs() >= judgement.evidence[1].deviations.abs());
}

#[test]
fn the_band_hands_what_lies_between_to_a_person() {
    let band = Band::OF_PROBABILITIES;
    let verdicts = [0.0, 0.0999, 0.1, 0.5, 0.9, 0.9001].map(|score| band.verdict(score));
    use Verdict::{Anomalous, Doubtful, Nominal};
    assert_eq!(verdicts, [Nominal, Nominal, Doubtful, Doubtful, Doubtful, Anomalous]);
}

#[test]
fn a_channel_that_was_not_trained_is_refused() {
    let model = fit_unlabelled(&examples(100, 1), 2, 1).unwrap();
    let refused = model.judge(2, &examples(1, 1)[0].features);
    assert_eq!(refused, Err(ModelError::UnknownChannel { place: 2, channels: 2 }));
}

#[test]
fn segments_without_shape_or_beyond_all_measure_have_a_score() {
    let examples = examples(100, 1);
    let models = [fit_labelled(&examples, 2, 1).unwrap(), fit_unlabelled(&examples, 2, 1).unwrap()];
    let seconds: Vec<f64> = (0..30).map(f64::from).collect();
    for value in [0.0, 7.0, 1e6, -1e300] {
        for step in [0.0, value] {
            let values: Vec<f64> = seconds.iter().map(|second| value + step * (second % 2.0)).collect();
            let features = SegmentFeatures::of(&seconds, &values, 1.0).unwrap();
            for model in &models {
                let score = model.score(0, &features).unwrap();
                assert!((0.0..=1.0).contains(&score), "{value} {step}: {score}");
            }
        }
    }
}

#[test]
fn too_few_too_many_and_one_sided_examples_are_refused() {
    let amount = |given| TrainingError::Amount { given, least: 50, most: EXAMPLES_MAX };
    assert_eq!(fit_labelled(&examples(49, 1), 2, 1), Err(amount(49)));
    assert_eq!(fit_unlabelled(&examples(50, 1), 2, 1), Err(amount(40)));
    let many = vec![examples(2, 1)[1]; EXAMPLES_MAX + 1];
    assert_eq!(fit_unlabelled(&many, 2, 1), Err(amount(EXAMPLES_MAX + 1)));
    let nominal: Vec<Example> = examples(200, 1).into_iter().filter(|example| !example.anomalous).collect();
    assert_eq!(fit_labelled(&nominal, 2, 1), Err(TrainingError::OneSided { rarer: 0, wanted: 10 }));
    assert_eq!(fit_labelled(&examples(60, 1), 1, 1), Err(TrainingError::Channel { place: 1, channels: 1 }));
}

#[test]
fn folds_share_out_every_channel_and_label() {
    let examples = examples(500, 1);
    let folds = folds(&examples, 5, 3);
    for fold in 0..5 {
        for (channel, anomalous, expected) in [(0, true, 10), (1, true, 10), (0, false, 40), (1, false, 40)] {
            let counted = examples.iter().zip(&folds).filter(|(example, of)| {
                (**of, example.channel, example.anomalous) == (fold, channel, anomalous)
            });
            assert_eq!(counted.count(), expected, "{fold} {channel} {anomalous}");
        }
    }
}

#[test]
fn cross_validation_judges_each_example_once_by_a_model_that_did_not_see_it() {
    let examples = examples(100, 1);
    let folds = folds(&examples, 5, 1);
    let outcomes = cross_validated(&examples, &folds, |others| {
        assert_eq!(others.len(), 80);
        fit_unlabelled(others, 2, 1)
    });
    for ((example, outcome), fold) in examples.iter().zip(outcomes.unwrap()).zip(&folds) {
        let seen = examples.iter().zip(&folds).filter(|(_, of)| *of != fold).map(|(example, _)| *example);
        let model = fit_unlabelled(&seen.collect::<Vec<_>>(), 2, 1).unwrap();
        assert_eq!(outcome, model.outcome(example).unwrap());
    }
}
