use std::sync::LazyLock;

use proptest::prelude::*;

use super::*;
use crate::features::SegmentFeatures;
use crate::forecast::{ForecastOptions, ForecastState};
use crate::group::{GroupOptions, GroupState};
use crate::random::Random;
use crate::segment::{Example, fit_labelled, fit_unlabelled};

fn examples() -> Vec<Example> {
    let mut random = Random::new(1);
    let seconds: Vec<f64> = (0..20).map(f64::from).collect();
    let mut example = |number: usize| {
        let values: Vec<f64> = seconds.iter().map(|_| random.within(1.0 + (number % 3) as f64)).collect();
        let features = SegmentFeatures::of(&seconds, &values, 1.0).unwrap();
        Example { channel: number % 2, features, anomalous: number.is_multiple_of(3) }
    };
    (0..90).map(&mut example).collect()
}

fn document(model: Model, channels: &[&str], inputs: &[&str]) -> ModelDocument {
    let owned = |names: &[&str]| names.iter().map(ToString::to_string).collect();
    let data = TrainingData {
        description: "waves made for a test".to_owned(),
        span: Some((TaiTime(1), TaiTime(2))),
        examples: 90,
        anomalous: 30,
        sha256: [7; 32],
    };
    ModelDocument { number: 3, channels: owned(channels), inputs: owned(inputs), data, seed: 1, model }
}

fn group() -> ModelDocument {
    let mut random = Random::new(2);
    let rows: Vec<f64> = (0..90).map(|_| random.unit()).collect();
    let trained = CorrelatedGroup::fit(&rows, 3, &GroupOptions::default()).unwrap();
    document(Model::CorrelatedGroup(trained.model), &["a", "b", "c"], &[])
}

fn all() -> [ModelDocument; 4] {
    let mut random = Random::new(2);
    let values: Vec<f64> = (0..120).map(|_| random.unit()).collect();
    let options = ForecastOptions { units: 16, epochs: 1, seed: 1 };
    let forecaster = Forecaster::fit(&values, &values, 1, &options).unwrap().model;
    let segments = |model| document(Model::Segments(Box::new(model)), &["/A/x", "/A/y"], &FEATURE_NAMES);
    [
        group(),
        document(Model::Forecaster(forecaster), &["/A/x"], &["/A/heater_on"]),
        segments(fit_labelled(&examples(), 2, 1).unwrap()),
        segments(fit_unlabelled(&examples(), 2, 1).unwrap()),
    ]
}

/// A document around a body, as if it had been written so.
fn around(body: &[u8]) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    bytes.extend_from_slice(&MODEL_VERSION.to_le_bytes());
    bytes.extend_from_slice(&(body.len() as u32).to_le_bytes());
    bytes.extend_from_slice(&Sha256::digest(body));
    bytes.extend_from_slice(body);
    bytes
}

/// Whatever a document that was let in holds, using it neither panics nor gives a NaN.
fn use_of(document: &ModelDocument) {
    let features = examples()[0].features;
    match &document.model {
        Model::CorrelatedGroup(group) => {
            let score = group.next_score(&mut GroupState::default(), &vec![1e9; group.channels()]);
            assert!(score.unwrap().score().is_finite());
        }
        Model::Forecaster(model) => {
            let forecast =
                model.next_forecast(&mut ForecastState::default(), 1e9, &vec![1.0; model.inputs()]);
            assert!(forecast.unwrap().is_finite());
        }
        Model::Segments(model) => assert!((0.0..=1.0).contains(&model.score(0, &features).unwrap())),
    }
}

#[test]
fn every_kind_comes_back_as_it_was_written() {
    for document in all() {
        let bytes = document.encode().unwrap();
        let found = ModelDocument::decode(&bytes).unwrap();
        assert_eq!(found, document);
        use_of(&found);
    }
}

#[test]
fn a_document_that_ends_early_is_refused_wherever_it_ends() {
    let bytes = group().encode().unwrap();
    for length in 1..bytes.len() {
        let refused = ModelDocument::decode(&bytes[..length]).unwrap_err();
        assert_eq!(refused.code(), "STO-MODEL-TRUNCATED", "{length}: {refused}");
    }
    assert_eq!(ModelDocument::decode(&[]), Err(ModelError::NotAModel));
}

#[test]
fn a_document_with_any_bit_changed_is_refused() {
    let bytes = group().encode().unwrap();
    for place in 0..bytes.len() {
        let mut altered = bytes.clone();
        altered[place] ^= 1 << (place % 8);
        let refused = ModelDocument::decode(&altered).unwrap_err();
        let expected: &[&str] = match place {
            0..8 => &["STO-MODEL-UNREADABLE"],
            8..10 => &["STO-MODEL-VERSION"],
            10..14 => &["STO-MODEL-ALTERED", "STO-MODEL-SIZE", "STO-MODEL-TRUNCATED"],
            _ => &["STO-MODEL-ALTERED"],
        };
        assert!(expected.contains(&refused.code()), "{place}: {refused}");
    }
    let longer = [bytes.as_slice(), &[0]].concat();
    assert_eq!(ModelDocument::decode(&longer), Err(ModelError::Altered));
}

#[test]
fn a_document_of_a_later_version_says_so() {
    let mut bytes = group().encode().unwrap();
    bytes[8] = 2;
    let refused = ModelDocument::decode(&bytes).unwrap_err();
    assert_eq!((refused.code(), &refused), ("STO-MODEL-VERSION", &ModelError::Version { found: 2 }));
}

#[test]
fn a_document_of_another_channel_says_whose_it_is() {
    let document = group();
    assert_eq!(document.channel("b"), Ok(1));
    let refused = document.channel("d").unwrap_err();
    assert_eq!(refused.code(), "STO-MODEL-CHANNEL");
    assert_eq!(
        refused.to_string(),
        "the model is for a, b, c, not for d; train one for it, or choose another"
    );
}

#[test]
fn what_does_not_go_together_is_neither_written_nor_read() {
    let [_, _, labelled, _] = all();
    let check = |change: &dyn Fn(&mut ModelDocument), code| {
        let mut document = labelled.clone();
        change(&mut document);
        assert_eq!(document.encode().unwrap_err().code(), code);
        let bytes = around(&postcard::to_stdvec(&document).unwrap());
        assert_eq!(ModelDocument::decode(&bytes).unwrap_err().code(), code);
    };
    check(&|document| document.channels.push("/A/z".to_owned()), "STO-MODEL-UNREADABLE");
    check(&|document| document.channels[0].clear(), "STO-MODEL-UNREADABLE");
    check(&|document| document.channels[0] = "x".repeat(NAME_BYTES_MAX + 1), "STO-MODEL-UNREADABLE");
    check(&|document| document.data.description = "x".repeat(NAME_BYTES_MAX + 1), "STO-MODEL-UNREADABLE");
    check(&|document| document.inputs.swap(0, 1), "STO-MODEL-FEATURES");
    check(&|document| document.model = group().model, "STO-MODEL-UNREADABLE");
}

#[test]
fn lists_longer_than_they_may_be_and_bytes_behind_the_model_are_refused() {
    let document = ModelDocument { channels: vec!["x".to_owned(); CHANNELS_MAX + 1], ..group() };
    let unreadable = |body: &[u8]| ModelDocument::decode(&around(body)).unwrap_err().code();
    assert_eq!(unreadable(&postcard::to_stdvec(&document).unwrap()), "STO-MODEL-UNREADABLE");
    let followed = [postcard::to_stdvec(&group()).unwrap(), vec![0]].concat();
    assert_eq!(unreadable(&followed), "STO-MODEL-UNREADABLE");
    // The number, then a list that announces 2^60 channels.
    assert_eq!(
        unreadable(&[1, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10]),
        "STO-MODEL-UNREADABLE"
    );
    let large = vec![0; MODEL_BYTES_MAX + 1];
    assert_eq!(ModelDocument::decode(&around(&large)).unwrap_err().code(), "STO-MODEL-SIZE");
}

proptest! {
    #[test]
    fn a_body_with_any_byte_changed_is_refused_or_can_be_used(
        kind in 0_usize..4,
        places in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
    ) {
        static BODIES: LazyLock<[Vec<u8>; 4]> =
            LazyLock::new(|| all().map(|document| postcard::to_stdvec(&document).unwrap()));
        let mut body = BODIES[kind].clone();
        for (place, byte) in places {
            let at = place.index(body.len());
            body[at] = byte;
        }
        if let Ok(document) = ModelDocument::decode(&around(&body)) {
            use_of(&document);
            prop_assert_eq!(ModelDocument::decode(&document.encode().unwrap()), Ok(document));
        }
    }

    #[test]
    fn any_bytes_at_all_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(ModelDocument::decode(&bytes).is_err());
    }
}
