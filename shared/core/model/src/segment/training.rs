//! Learns classifiers of segments, and says by cross validation how good they are.

use std::collections::{BTreeMap, BTreeSet};

use super::extra_trees::ExtraTrees;
use super::isolation::IsolationForest;
use super::neighbours::Neighbours;
use super::network::Network;
use super::view::View;
use super::{Band, CHANNELS_MAX, Example, Labelled, Method, SegmentModel, Unlabelled};
use crate::document::{Trained, TrainingError};
use crate::evaluation::{Metrics, Outcome, quantile};
use crate::random::Random;

/// The most examples one training takes: 65,536 rows of 22 numbers and 64 channels are 45 MB.
pub const EXAMPLES_MAX: usize = 65_536;
/// Fewer say nothing.
const EXAMPLES_MIN: usize = 50;
/// Of the rarer kind, when there are labels: two in each fold.
const RARER_MIN: usize = 10;
/// Parts of a cross validation.
const FOLDS: usize = 5;

const TREES: usize = 400;
const NETWORKS: usize = 5;
const ISOLATION_TREES: usize = 200;
/// Of the nominal segments, how many score below the band's bounds: one in twenty is doubtful, one in a hundred would
/// be a false alarm, one in a thousand is one.
const NOMINAL_BELOW: [f64; 3] = [0.95, 0.99, 0.999];

/// What a training showed.
#[derive(Clone, Debug, PartialEq)]
pub struct SegmentReport {
    /// Segments that were learnt from.
    pub segments: usize,
    /// How many of them are anomalous; without labels those that were left out.
    pub anomalous: usize,
    /// On segments that the model in question had not seen: 5 folds, stratified by channel and label.
    pub cross_validated: Metrics,
}

/// Learns from labels, with a report by cross validation; it takes 6 times what [`fit_labelled`] does.
///
/// # Errors
/// [`TrainingError`] when the examples do not suffice.
pub fn train_labelled(
    examples: &[Example],
    channels: usize,
    seed: u64,
) -> Result<Trained<SegmentModel, SegmentReport>, TrainingError> {
    train(examples, channels, seed, fit_labelled)
}

/// Learns what nominal segments look like, with a report by cross validation.
///
/// # Errors
/// [`TrainingError`] when the examples do not suffice.
pub fn train_unlabelled(
    examples: &[Example],
    channels: usize,
    seed: u64,
) -> Result<Trained<SegmentModel, SegmentReport>, TrainingError> {
    train(examples, channels, seed, fit_unlabelled)
}

/// Learns from labels: 400 trees and 5 networks. The same examples and seed give the same model.
///
/// # Errors
/// [`TrainingError`] when there are fewer than 50 examples or 10 of either kind, or more than [`EXAMPLES_MAX`].
pub fn fit_labelled(examples: &[Example], channels: usize, seed: u64) -> Result<SegmentModel, TrainingError> {
    check(examples, channels)?;
    let anomalous: Vec<bool> = examples.iter().map(|example| example.anomalous).collect();
    let found = anomalous.iter().filter(|anomalous| **anomalous).count();
    let rarer = found.min(examples.len() - found);
    if rarer < RARER_MIN {
        return Err(TrainingError::OneSided { rarer, wanted: RARER_MIN });
    }
    let view = View::fit(examples, channels);
    let rows = rows_of(&view, examples);
    let networks =
        (0..NETWORKS).map(|number| Network::fit(&rows, &anomalous, Random::part(seed, number).bits()));
    let labelled =
        Labelled { trees: ExtraTrees::fit(&rows, &anomalous, TREES, seed), networks: networks.collect() };
    Ok(SegmentModel { view, band: Band::OF_PROBABILITIES, method: Method::Labelled(labelled) })
}

/// Learns from the examples that are not anomalous, as far as anybody knows. The same examples and seed give the same
/// model.
///
/// # Errors
/// [`TrainingError`] when there are fewer than 50 such examples, or more than [`EXAMPLES_MAX`] in all.
pub fn fit_unlabelled(
    examples: &[Example],
    channels: usize,
    seed: u64,
) -> Result<SegmentModel, TrainingError> {
    let nominal: Vec<Example> = examples.iter().filter(|example| !example.anomalous).copied().collect();
    check(&nominal, channels)?;
    let view = View::fit(&nominal, channels);
    let rows = rows_of(&view, &nominal);
    let neighbours = Neighbours::fit(&rows, seed);
    let mut distances = neighbours.own_distances();
    distances.sort_by(f64::total_cmp);
    let forest = IsolationForest::fit(&rows, ISOLATION_TREES, seed);
    let usual_distance = quantile(&distances, 0.5).max(1e-6);
    let unlabelled = Unlabelled { neighbours, forest, usual_distance };
    let mut scores = own_scores(&unlabelled, &rows);
    scores.sort_by(f64::total_cmp);
    let [low, threshold, high] = NOMINAL_BELOW.map(|part| quantile(&scores, part));
    Ok(SegmentModel { view, band: Band { low, threshold, high }, method: Method::Unlabelled(unlabelled) })
}

/// What models say of examples that they did not see, in the order of the examples: those of a fold are judged by a
/// model that was fitted on all other folds. `folds` has the fold of each example.
///
/// # Errors
/// [`TrainingError`] when the lists differ in length, or a model cannot be fitted on what is left.
pub fn cross_validated(
    examples: &[Example],
    folds: &[usize],
    fit: impl Fn(&[Example]) -> Result<SegmentModel, TrainingError>,
) -> Result<Vec<Outcome>, TrainingError> {
    if folds.len() != examples.len() {
        return Err(TrainingError::Shape { given: folds.len(), wanted: examples.len() });
    }
    let mut outcomes = vec![None; examples.len()];
    for fold in folds.iter().copied().collect::<BTreeSet<usize>>() {
        let others = examples.iter().zip(folds).filter(|(_, of)| **of != fold);
        let model = fit(&others.map(|(example, _)| *example).collect::<Vec<Example>>())?;
        for (place, example) in examples.iter().enumerate().filter(|(place, _)| folds[*place] == fold) {
            let unknown = TrainingError::Channel { place: example.channel, channels: model.channels() };
            outcomes[place] = Some(model.outcome(example).map_err(|_| unknown)?);
        }
    }
    Ok(outcomes.into_iter().flatten().collect())
}

/// A fold for each example: those of one channel and label are dealt out in turn, after a shuffle.
pub fn folds(examples: &[Example], count: usize, seed: u64) -> Vec<usize> {
    let mut strata: BTreeMap<(usize, bool), Vec<usize>> = BTreeMap::new();
    for (place, example) in examples.iter().enumerate() {
        strata.entry((example.channel, example.anomalous)).or_default().push(place);
    }
    let (mut random, mut folds, mut next) = (Random::new(seed), vec![0; examples.len()], 0);
    for places in strata.values_mut() {
        random.shuffle(places);
        for place in places {
            folds[*place] = next % count.max(1);
            next += 1;
        }
    }
    folds
}

fn train(
    examples: &[Example],
    channels: usize,
    seed: u64,
    fit: impl Fn(&[Example], usize, u64) -> Result<SegmentModel, TrainingError>,
) -> Result<Trained<SegmentModel, SegmentReport>, TrainingError> {
    let model = fit(examples, channels, seed)?;
    let folds = folds(examples, FOLDS, seed);
    let outcomes = cross_validated(examples, &folds, |others| fit(others, channels, seed))?;
    let report = SegmentReport {
        segments: examples.len(),
        anomalous: examples.iter().filter(|example| example.anomalous).count(),
        cross_validated: Metrics::of(&outcomes),
    };
    Ok(Trained { model, report })
}

fn check(examples: &[Example], channels: usize) -> Result<(), TrainingError> {
    if !(EXAMPLES_MIN..=EXAMPLES_MAX).contains(&examples.len()) {
        let given = examples.len();
        return Err(TrainingError::Amount { given, least: EXAMPLES_MIN, most: EXAMPLES_MAX });
    }
    if !(1..=CHANNELS_MAX).contains(&channels) {
        return Err(TrainingError::Amount { given: channels, least: 1, most: CHANNELS_MAX });
    }
    match examples.iter().find(|example| example.channel >= channels) {
        Some(example) => Err(TrainingError::Channel { place: example.channel, channels }),
        None => Ok(()),
    }
}

fn rows_of(view: &View, examples: &[Example]) -> Vec<Vec<f64>> {
    examples.iter().map(|example| view.row(example.channel, &example.features)).collect()
}

/// Of what was learnt from, each against the others. (Rows beyond those remembered are scored as if they were new.)
fn own_scores(unlabelled: &Unlabelled, rows: &[Vec<f64>]) -> Vec<f64> {
    let own = unlabelled.neighbours.own_distances();
    if own.len() == rows.len() {
        own.iter().zip(rows).map(|(distance, row)| unlabelled.of_distance(*distance, row)).collect()
    } else {
        rows.iter().map(|row| unlabelled.score(row)).collect()
    }
}
