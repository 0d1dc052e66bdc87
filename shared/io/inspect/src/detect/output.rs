//! One row of output for each row of input.

use std::io::Write;

use processing::detect::Detection;

use crate::InspectError;

/// The first row.
const HEAD: [&str; 13] = [
    "row",
    "time",
    "score",
    "anomalous",
    "raised",
    "parameter",
    "detector",
    "detector_score",
    "threshold",
    "expected",
    "seen",
    "samples",
    "model",
];

pub(super) struct Table<'o> {
    rows: csv::Writer<&'o mut dyn Write>,
}

/// What is said of a moment.
pub(super) struct OutputRow {
    number: u64,
    time: String,
    score: f64,
    is_anomalous: bool,
    raised: u32,
    /// Of the detections that begin here, the clearest.
    clearest: Option<Raised>,
}

/// A detection that begins, in words.
pub(super) struct Raised {
    parameter: String,
    detector: String,
    score: f64,
    threshold: f64,
    expected: Option<f64>,
    seen: Option<f64>,
    samples: u32,
    /// The number of the model that said so.
    model: Option<u32>,
}

impl Raised {
    pub(super) fn of_suite(parameter: &str, detection: &Detection) -> Self {
        Self {
            parameter: parameter.to_owned(),
            detector: detection.detector.name().to_owned(),
            score: detection.score,
            threshold: detection.threshold,
            expected: detection.expected,
            seen: Some(detection.seen),
            samples: detection.window.samples,
            model: detection.model.map(|model| model.0),
        }
    }

    pub(super) fn of_group(score: f64, samples: u32, model: Option<u32>) -> Self {
        Self {
            parameter: "group".to_owned(),
            detector: "group".to_owned(),
            score,
            threshold: 1.0,
            expected: None,
            seen: None,
            samples,
            model,
        }
    }

    fn ratio(&self) -> f64 {
        self.score / self.threshold.max(f64::MIN_POSITIVE)
    }
}

impl OutputRow {
    pub(super) fn new(number: u64, time: &str) -> Self {
        Self { number, time: time.to_owned(), score: 0.0, is_anomalous: false, raised: 0, clearest: None }
    }

    /// Adds what the detectors of one column say.
    pub(super) fn add(&mut self, score: f64, is_anomalous: bool, raised: Option<Raised>) {
        self.score = self.score.max(score);
        self.is_anomalous |= is_anomalous;
        if let Some(raised) = raised {
            self.raised += 1;
            if self.clearest.as_ref().is_none_or(|clearest| raised.ratio() > clearest.ratio()) {
                self.clearest = Some(raised);
            }
        }
    }

    fn cells(&self) -> [String; HEAD.len()] {
        let optional = |value: Option<f64>| value.map_or(String::new(), |value| value.to_string());
        let of = |part: fn(&Raised) -> String| self.clearest.as_ref().map_or(String::new(), part);
        [
            self.number.to_string(),
            self.time.clone(),
            self.score.to_string(),
            u8::from(self.is_anomalous).to_string(),
            self.raised.to_string(),
            of(|raised| raised.parameter.clone()),
            of(|raised| raised.detector.clone()),
            of(|raised| raised.score.to_string()),
            of(|raised| raised.threshold.to_string()),
            optional(self.clearest.as_ref().and_then(|raised| raised.expected)),
            optional(self.clearest.as_ref().and_then(|raised| raised.seen)),
            of(|raised| raised.samples.to_string()),
            of(|raised| raised.model.map_or(String::new(), |model| model.to_string())),
        ]
    }
}

impl<'o> Table<'o> {
    pub(super) fn begin(output: &'o mut dyn Write) -> Result<Self, InspectError> {
        let mut rows = csv::Writer::from_writer(output);
        rows.write_record(HEAD).map_err(InspectError::table)?;
        Ok(Self { rows })
    }

    pub(super) fn write(&mut self, row: &OutputRow) -> Result<(), InspectError> {
        self.rows.write_record(row.cells()).map_err(InspectError::table)
    }

    pub(super) fn finish(mut self) -> Result<(), InspectError> {
        self.rows.flush().map_err(InspectError::output)
    }
}
