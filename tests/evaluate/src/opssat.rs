//! How good the segment classifiers are on OPSSAT-AD (features of segments that somebody cut out by hand).
//!
//! Without a test file, by cross validation over the folds that the training file names (stratified by channel and
//! label), or 5 of our own. With one, models learn from the training file and are judged on the test file once.
//! Thresholds are part of the models, and no figure chooses anything.

mod data;
mod report;

use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::Args;
use model::{
    Example, FEATURE_NAMES, Model, ModelDocument, Outcome, SegmentModel, TrainingData, TrainingError,
    cross_validated, fit_labelled, fit_unlabelled, folds,
};

use crate::run::processor_seconds;
use data::Segment;

/// Other segments than the shared ones.
#[derive(Args)]
pub struct Options {
    /// OPSSAT-AD: segments to learn from; else train.csv.gz of the shared data.
    #[arg(long, value_name = "CSV")]
    train: Option<PathBuf>,
    /// OPSSAT-AD: segments to judge; else a cross validation on those of the training.
    #[arg(long, value_name = "CSV")]
    test: Option<PathBuf>,
    /// OPSSAT-AD: what chance follows from.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// A segment, and what a model said of it.
type Judged = (Segment, Outcome);

type Fit = fn(&[Example], usize, u64) -> Result<SegmentModel, TrainingError>;

/// Prints the tables.
pub fn run(folder: &Path, options: &Options) -> Result<()> {
    let train = options.train.clone().unwrap_or_else(|| folder.join("train.csv.gz"));
    let learnt = data::read(&train)?;
    let test = options.test.as_deref().map(data::read).transpose()?;
    println!("{}", report::protocol(&learnt, test.as_deref(), options.seed));
    let ways: [(&str, Fit); 2] = [("with labels", fit_labelled), ("without labels", fit_unlabelled)];
    for (name, fit) in ways {
        let judged = judge(&learnt, test.as_deref(), fit, options.seed)?;
        println!("{}", report::tables(name, &judged));
        let (bytes, seconds) = size_and_cost(&learnt, fit, options.seed)?;
        println!(
            "A model of all {} segments: a document of {bytes} bytes, {:.0} µs for a judgement.\n",
            learnt.len(),
            1e6 * seconds
        );
    }
    println!("{}", report::published());
    Ok(())
}

/// What a model of all segments takes when it is sent, and each judgement of it in seconds.
fn size_and_cost(learnt: &[Segment], fit: Fit, seed: u64) -> Result<(usize, f64)> {
    let channels = data::channels(learnt);
    let examples: Vec<Example> =
        learnt.iter().map(|segment| segment.example(&channels)).collect::<Result<_>>()?;
    let data = TrainingData {
        description: "OPSSAT-AD".to_owned(),
        span: None,
        examples: examples.len() as u64,
        anomalous: examples.iter().filter(|example| example.anomalous).count() as u64,
        sha256: [0; 32],
    };
    let model = fit(&examples, channels.len(), seed)?;
    let begin = processor_seconds();
    for example in &examples {
        model.judge(example.channel, &example.features)?;
    }
    let seconds = (processor_seconds() - begin) / examples.len() as f64;
    let model = Model::Segments(Box::new(model));
    let inputs = FEATURE_NAMES.map(str::to_owned).to_vec();
    let document = ModelDocument { number: 1, channels, inputs, data, seed, model };
    Ok((document.encode()?.len(), seconds))
}

fn judge(learnt: &[Segment], test: Option<&[Segment]>, fit: Fit, seed: u64) -> Result<Vec<Judged>> {
    let channels = data::channels(learnt);
    let examples: Vec<Example> =
        learnt.iter().map(|segment| segment.example(&channels)).collect::<Result<_>>()?;
    let fitted = |examples: &[Example]| fit(examples, channels.len(), seed);
    let outcomes = match test {
        Some(test) => {
            let model = fitted(&examples)?;
            let outcome = |segment: &Segment| Ok(model.outcome(&segment.example(&channels)?)?);
            test.iter().map(outcome).collect::<Result<Vec<Outcome>>>()?
        }
        None => {
            let named: Option<Vec<usize>> = learnt.iter().map(|segment| segment.fold).collect();
            let folds = named.unwrap_or_else(|| folds(&examples, 5, seed));
            cross_validated(&examples, &folds, fitted)?
        }
    };
    Ok(test.unwrap_or(learnt).iter().cloned().zip(outcomes).collect())
}
