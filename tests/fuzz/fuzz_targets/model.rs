//! Model documents, as they come and behind a right hash; what is let in is used.
#![no_main]

use libfuzzer_sys::fuzz_target;
use model::{ForecastState, GroupState, MODEL_VERSION, Model, ModelDocument, SegmentFeatures};
use sha2::{Digest, Sha256};

fn use_of(document: &ModelDocument) {
    match &document.model {
        Model::CorrelatedGroup(group) => {
            let score = group.next_score(&mut GroupState::default(), &vec![1e9; group.channels()]);
            assert!(score.is_some_and(|score| score.score().is_finite()));
        }
        Model::Forecaster(model) => {
            let forecast = model.next_forecast(&mut ForecastState::default(), 1e9, &vec![1.0; model.inputs()]);
            assert!(forecast.is_some_and(f64::is_finite));
        }
        Model::Segments(model) => {
            let features = SegmentFeatures::of(&[0.0, 1.0, 2.0], &[1.0, -4.0, 2.0], 1.0).expect("a segment");
            let score = model.score(0, &features).expect("a model has a channel");
            assert!((0.0..=1.0).contains(&score));
        }
    }
}

fuzz_target!(|bytes: &[u8]| {
    let _ = ModelDocument::decode(bytes);
    let mut document = b"STOMODEL".to_vec();
    document.extend_from_slice(&MODEL_VERSION.to_le_bytes());
    document.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
    document.extend_from_slice(&Sha256::digest(bytes));
    document.extend_from_slice(bytes);
    if let Ok(found) = ModelDocument::decode(&document) {
        use_of(&found);
        let again = found.encode().expect("what was read can be written");
        assert_eq!(ModelDocument::decode(&again).as_ref(), Ok(&found));
    }
});
