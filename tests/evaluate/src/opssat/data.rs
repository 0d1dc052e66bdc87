//! The segments of OPSSAT-AD, as their features: a CSV, packed with gzip or not.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use anyhow::{Context, Result, bail};
use flate2::read::GzDecoder;
use model::{Example, FEATURE_NAMES, SegmentFeatures};

/// A segment, and what figures are broken down by.
#[derive(Clone)]
pub(crate) struct Segment {
    pub(crate) channel: String,
    /// Seconds between samples: 1 or 5.
    pub(crate) sampling: u32,
    /// Of the cross validation, when the file shares segments out.
    pub(crate) fold: Option<usize>,
    pub(crate) features: SegmentFeatures,
    pub(crate) anomalous: bool,
}

impl Segment {
    pub(crate) fn example(&self, channels: &[String]) -> Result<Example> {
        let place = channels.iter().position(|channel| *channel == self.channel);
        let channel = place.with_context(|| format!("{} was not trained", self.channel))?;
        Ok(Example { channel, features: self.features, anomalous: self.anomalous })
    }
}

pub(crate) fn channels(segments: &[Segment]) -> Vec<String> {
    let names: BTreeSet<&String> = segments.iter().map(|segment| &segment.channel).collect();
    names.into_iter().cloned().collect()
}

pub(crate) fn read(path: &Path) -> Result<Vec<Segment>> {
    let file = File::open(path).with_context(|| format!("{} cannot be opened", path.display()))?;
    let packed = path.extension().is_some_and(|ending| ending == "gz");
    let input: Box<dyn Read> = if packed { Box::new(GzDecoder::new(file)) } else { Box::new(file) };
    let mut rows = csv::Reader::from_reader(input);
    let header = rows.headers()?.clone();
    let mut segments = Vec::new();
    for row in rows.records() {
        let row = row?;
        let line = row.position().map_or(0, csv::Position::line);
        let cell = |name: &str| {
            let place = header.iter().position(|column| column == name);
            place.and_then(|place| row.get(place)).with_context(|| format!("line {line} has no {name}"))
        };
        let number = |name: &str| -> Result<f64> {
            let text = cell(name)?;
            // The official files leave a cell empty where a shape is not defined.
            if text.is_empty() {
                Ok(f64::NAN)
            } else {
                text.parse().with_context(|| format!("line {line}, {name}: {text}"))
            }
        };
        let mut values = [0.0; FEATURE_NAMES.len()];
        for (value, name) in values.iter_mut().zip(FEATURE_NAMES) {
            *value = number(name)?;
        }
        segments.push(Segment {
            channel: cell("channel")?.to_owned(),
            sampling: number("sampling")? as u32,
            fold: cell("fold").ok().map(str::parse).transpose()?,
            features: SegmentFeatures { values },
            anomalous: number("anomaly")? != 0.0,
        });
    }
    if segments.is_empty() {
        bail!("{} has no segments", path.display());
    }
    Ok(segments)
}
