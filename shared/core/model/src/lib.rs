//! Models that are trained on archived data and judge live data: classifiers of segments, a forecaster, and groups of
//! channels that move together; and the documents in which they travel.
//!
//! Pure: no clock, file or chance of its own. Seeds are arguments, and the same data and seed give the same model.
//! `docs/models.md` says what each model is for and how good it is.

mod bounded;
mod descent;
mod document;
mod evaluation;
mod features;
mod forecast;
mod group;
mod matrix;
mod random;
mod segment;

pub use document::{
    MODEL_BYTES_MAX, MODEL_VERSION, Model, ModelDocument, ModelError, NAME_BYTES_MAX, Trained, TrainingData,
    TrainingError,
};
pub use evaluation::{Metrics, Outcome};
pub use features::{FEATURE_NAMES, FEATURES, SEGMENT_SAMPLES_MAX, SegmentError, SegmentFeatures};
pub use forecast::{
    COMMANDS_MAX, FORECAST_SAMPLES_MAX, ForecastOptions, ForecastReport, ForecastState, Forecaster, UNITS,
};
pub use group::{
    CorrelatedGroup, GROUP_CHANNELS_MAX, GROUP_ROWS_MAX, GroupOptions, GroupReport, GroupScore, GroupState,
};
pub use segment::{
    Band, CHANNELS_MAX, EXAMPLES_MAX, Evidence, Example, Judgement, SegmentModel, SegmentReport, Verdict,
    cross_validated, fit_labelled, fit_unlabelled, folds, train_labelled, train_unlabelled,
};
