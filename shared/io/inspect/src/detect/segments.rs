//! Judges segments by a trained classifier: a row for each.

use std::io::{Read, Write};
use std::path::Path;

use model::{ModelDocument, SegmentModel, Verdict};

use crate::InspectError;
use crate::segments::{Segment, for_each_segment};

/// The first row; the features that speak for a judgement come three times, the clearest first.
const HEAD: [&str; 16] = [
    "segment",
    "channel",
    "score",
    "threshold",
    "anomalous",
    "doubtful",
    "feature_1",
    "seen_1",
    "deviations_1",
    "feature_2",
    "seen_2",
    "deviations_2",
    "feature_3",
    "seen_3",
    "deviations_3",
    "note",
];

/// A classifier with the document it comes from.
pub(super) struct Classifier<'d> {
    pub(super) path: &'d Path,
    pub(super) document: &'d ModelDocument,
    pub(super) segments: &'d SegmentModel,
}

impl Classifier<'_> {
    pub(super) fn judge_all(
        &self,
        path: &Path,
        input: impl Read,
        output: &mut dyn Write,
    ) -> Result<(), InspectError> {
        let mut rows = csv::Writer::from_writer(output);
        rows.write_record(HEAD).map_err(InspectError::table)?;
        for_each_segment(path, input, |segment| {
            rows.write_record(self.cells(&segment)?).map_err(InspectError::table)
        })?;
        rows.flush().map_err(InspectError::output)
    }

    fn cells(&self, segment: &Segment) -> Result<Vec<String>, InspectError> {
        let unknown = |reason| InspectError::Model { path: self.path.to_owned(), reason };
        let place = self.document.channel(&segment.channel).map_err(unknown)?;
        let mut cells = vec![segment.name.clone(), segment.channel.clone()];
        match &segment.features {
            Ok(features) => {
                let judged = self.segments.judge(place, features).map_err(unknown)?;
                cells.extend([
                    judged.score.to_string(),
                    self.segments.band().threshold.to_string(),
                    u8::from(judged.anomalous).to_string(),
                    u8::from(judged.verdict == Verdict::Doubtful).to_string(),
                ]);
                for evidence in judged.evidence {
                    cells.push(evidence.feature.to_owned());
                    cells.extend([evidence.seen, evidence.deviations].map(number));
                }
            }
            Err(reason) => {
                // Nothing can be said of it, so a person is to look.
                cells.extend(["", "", "0", "1"].map(str::to_owned));
                cells.resize(HEAD.len() - 1, String::new());
                cells.push(reason.to_string());
            }
        }
        cells.resize(HEAD.len(), String::new());
        Ok(cells)
    }
}

/// Empty for what is not defined, such as the shape of a constant segment.
fn number(value: f64) -> String {
    if value.is_finite() { value.to_string() } else { String::new() }
}
