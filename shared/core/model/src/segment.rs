//! Says of a segment whether it is anomalous, from its 18 features and its channel.
//!
//! Two ways, one answer. Without labels: the distance to the nearest segments that are held to be nominal, and an
//! isolation forest. With labels: extremely randomised trees and small networks, averaged. Scores between the bounds
//! of a band are handed to a person.

mod extra_trees;
mod isolation;
mod neighbours;
mod network;
mod training;
mod tree;
mod view;

use serde::{Deserialize, Serialize};

use crate::bounded::bounded;
use crate::document::ModelError;
use crate::evaluation::Outcome;
use crate::features::{FEATURE_NAMES, FEATURES, SegmentFeatures};
use extra_trees::ExtraTrees;
use isolation::IsolationForest;
use neighbours::Neighbours;
use network::Network;
pub use training::{
    EXAMPLES_MAX, SegmentReport, cross_validated, fit_labelled, fit_unlabelled, folds, train_labelled,
    train_unlabelled,
};
use view::View;

/// Channels of one classifier.
pub const CHANNELS_MAX: usize = 64;
/// The most networks that are averaged.
const NETWORKS_MAX: usize = 16;
/// Features that are named as speaking for a judgement.
const EVIDENCE: usize = 3;

/// A segment to learn from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Example {
    /// The place of its channel among the model's, counted from 0.
    pub channel: usize,
    /// What it looks like.
    pub features: SegmentFeatures,
    /// What somebody found it to be; training without labels takes those that are not.
    pub anomalous: bool,
}

/// What becomes of a segment.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// Raises an alarm.
    Anomalous,
    /// A person decides.
    Doubtful,
    /// Is let pass.
    Nominal,
}

/// The scores at which verdicts change: `low` <= `threshold` <= `high`, all between 0 and 1.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
pub struct Band {
    /// Below it a segment is nominal.
    pub low: f64,
    /// Above it a segment is anomalous, if nobody is there to ask.
    pub threshold: f64,
    /// Above it a segment is anomalous without asking.
    pub high: f64,
}

impl Band {
    /// Of probabilities.
    pub const OF_PROBABILITIES: Self = Self { low: 0.1, threshold: 0.5, high: 0.9 };

    fn verdict(&self, score: f64) -> Verdict {
        match score {
            score if score < self.low => Verdict::Nominal,
            score if score > self.high => Verdict::Anomalous,
            _ => Verdict::Doubtful,
        }
    }

    fn is_sound(&self) -> bool {
        0.0 <= self.low && self.low <= self.threshold && self.threshold <= self.high && self.high <= 1.0
    }
}

/// What a model says of a segment.
#[derive(Clone, Debug, PartialEq)]
pub struct Judgement {
    /// From 0 to 1. With labels a probability, on which nobody should bet before it was calibrated.
    pub score: f64,
    /// With the band's doubt.
    pub verdict: Verdict,
    /// Without: whether the score is above the band's threshold.
    pub anomalous: bool,
    /// The features that differ most from what was learnt, most first.
    pub evidence: [Evidence; EVIDENCE],
}

/// How a feature of a segment differs from those that were learnt from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Evidence {
    /// Its name, one of [`FEATURE_NAMES`].
    pub feature: &'static str,
    /// Its value, in its own unit.
    pub seen: f64,
    /// How many standard deviations its log form is above the mean; negative below.
    pub deviations: f64,
}

/// A classifier of segments.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct SegmentModel {
    view: View,
    band: Band,
    method: Method,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
enum Method {
    Labelled(Labelled),
    Unlabelled(Unlabelled),
}

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
struct Labelled {
    trees: ExtraTrees,
    #[serde(deserialize_with = "bounded::<_, _, NETWORKS_MAX>")]
    networks: Vec<Network>,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
struct Unlabelled {
    neighbours: Neighbours,
    forest: IsolationForest,
    /// The distance that half of the nominal segments stay below.
    usual_distance: f64,
}

impl Labelled {
    /// The share of the trees in the score: alone they are the better of the two, and together they are better still.
    const TREES: f64 = 2.0 / 3.0;

    fn score(&self, row: &[f64]) -> f64 {
        let networks = self.networks.iter().map(|network| network.probability(row)).sum::<f64>();
        let networks = networks / self.networks.len() as f64;
        Self::TREES * self.trees.probability(row) + (1.0 - Self::TREES) * networks
    }

    fn is_sound(&self, width: usize) -> bool {
        let networks =
            !self.networks.is_empty() && self.networks.iter().all(|network| network.is_sound(width));
        networks && self.trees.is_sound(width)
    }
}

impl Unlabelled {
    /// The share of the forest in the score: alone it ranks worse, and it goes on rising where all distances are great.
    const FOREST: f64 = 0.1;

    fn score(&self, row: &[f64]) -> f64 {
        self.of_distance(self.neighbours.distance(row), row)
    }

    fn of_distance(&self, distance: f64, row: &[f64]) -> f64 {
        let near = distance / (distance + self.usual_distance);
        (1.0 - Self::FOREST) * near + Self::FOREST * self.forest.score(row)
    }

    fn is_sound(&self, width: usize) -> bool {
        let usual = self.usual_distance.is_finite() && self.usual_distance > 0.0;
        usual && self.neighbours.is_sound(width) && self.forest.is_sound(width)
    }
}

impl SegmentModel {
    /// How many channels it knows.
    pub fn channels(&self) -> usize {
        self.view.channels()
    }

    /// Whether it was trained with labels.
    pub fn has_labels(&self) -> bool {
        matches!(self.method, Method::Labelled(_))
    }

    /// The scores at which its verdicts change.
    pub fn band(&self) -> Band {
        self.band
    }

    /// The score alone, from 0 to 1.
    ///
    /// # Errors
    /// [`ModelError::UnknownChannel`] when the model has no channel at this place.
    pub fn score(&self, channel: usize, features: &SegmentFeatures) -> Result<f64, ModelError> {
        if channel >= self.channels() {
            return Err(ModelError::UnknownChannel { place: channel, channels: self.channels() });
        }
        let row = self.view.row(channel, features);
        let score = match &self.method {
            Method::Labelled(labelled) => labelled.score(&row),
            Method::Unlabelled(unlabelled) => unlabelled.score(&row),
        };
        // A document may hold leaves beyond all measure.
        Ok(score.clamp(0.0, 1.0))
    }

    /// The score, what follows from it, and what speaks for it.
    ///
    /// # Errors
    /// [`ModelError::UnknownChannel`] when the model has no channel at this place.
    pub fn judge(&self, channel: usize, features: &SegmentFeatures) -> Result<Judgement, ModelError> {
        let score = self.score(channel, features)?;
        Ok(Judgement {
            score,
            verdict: self.band.verdict(score),
            anomalous: score > self.band.threshold,
            evidence: self.evidence(features),
        })
    }

    /// What it says of a segment, beside what the segment is.
    ///
    /// # Errors
    /// [`ModelError::UnknownChannel`] when the model has no channel at the example's place.
    pub fn outcome(&self, example: &Example) -> Result<Outcome, ModelError> {
        let score = self.score(example.channel, &example.features)?;
        let doubtful = self.band.verdict(score) == Verdict::Doubtful;
        Ok(Outcome { score, found: score > self.band.threshold, doubtful, anomalous: example.anomalous })
    }

    pub(crate) fn is_sound(&self) -> bool {
        let width = self.view.width();
        let method = match &self.method {
            Method::Labelled(labelled) => labelled.is_sound(width),
            Method::Unlabelled(unlabelled) => unlabelled.is_sound(width),
        };
        (1..=CHANNELS_MAX).contains(&self.channels())
            && self.view.is_sound()
            && self.band.is_sound()
            && method
    }

    fn evidence(&self, features: &SegmentFeatures) -> [Evidence; EVIDENCE] {
        let deviations = self.view.deviations(features);
        let mut places: [usize; FEATURES] = std::array::from_fn(|place| place);
        places.sort_by(|a, b| deviations[*b].abs().total_cmp(&deviations[*a].abs()));
        std::array::from_fn(|rank| Evidence {
            feature: FEATURE_NAMES[places[rank]],
            seen: features.values[places[rank]],
            deviations: deviations[places[rank]],
        })
    }
}

#[cfg(test)]
mod tests;
