//! The newest samples in memory: those of the newest batches, of all parameters alike.
//!
//! Two halves: when the newer one is full the older one is forgotten, so that what is here is always whole batches.

use std::collections::HashMap;

use mission_database::ParameterIndex;
use processing::{Raw, Sample, Series};

/// What a series costs beside its samples, in samples: most parameters of a large mission have few of them here.
const SERIES_COST: usize = 16;
/// Bytes of a sample in columns.
const SAMPLE_BYTES: usize = 32;

/// Samples of the newest batches.
#[derive(Debug)]
pub(crate) struct Recent {
    older: Half,
    newer: Half,
    /// The newest batch that is here.
    reached: u64,
    half_samples_max: usize,
}

#[derive(Debug, Default)]
struct Half {
    /// Holds the batches behind this one.
    behind: u64,
    series: HashMap<ParameterIndex, Vec<Series>>,
    cost: usize,
}

impl Recent {
    /// Nothing yet; what comes will be batches behind `sequence`.
    pub(crate) fn new(behind: u64, samples_max: usize) -> Self {
        let half = || Half { behind, ..Half::default() };
        Self { older: half(), newer: half(), reached: behind, half_samples_max: samples_max / 2 }
    }

    /// The newest batch that is here.
    pub(crate) fn reached(&self) -> u64 {
        self.reached
    }

    /// A batch without samples.
    pub(crate) fn pass_by(&mut self, sequence: u64) {
        self.reached = self.reached.max(sequence);
    }

    /// All samples of batches behind this one are here, up to the one that was reached.
    pub(crate) fn behind(&self) -> u64 {
        self.older.behind
    }

    /// Takes the samples of a batch.
    pub(crate) fn on_batch(&mut self, sequence: u64, samples: Vec<Sample>) {
        self.pass_by(sequence);
        for sample in samples {
            self.newer.take(sample);
        }
        if self.newer.cost > self.half_samples_max {
            let empty = Half { behind: sequence, ..Half::default() };
            self.older = std::mem::replace(&mut self.newer, empty);
        }
    }

    /// The samples of a parameter.
    pub(crate) fn of(&self, parameter: ParameterIndex) -> impl Iterator<Item = &Series> {
        let halves = [&self.older, &self.newer].into_iter();
        halves.flat_map(move |half| half.series.get(&parameter).into_iter().flatten())
    }
}

impl Half {
    fn take(&mut self, sample: Sample) {
        self.cost += 1 + match &sample.raw {
            Raw::Binary(bytes) => bytes.len() / SAMPLE_BYTES,
            Raw::Text(text) => text.len() / SAMPLE_BYTES,
            Raw::Float(_) | Raw::Signed(_) | Raw::Unsigned(_) => 0,
        };
        let kept = self.series.entry(sample.parameter).or_default();
        // Packets made before and after a version begins may come by turns.
        if let Some(series) = kept.iter_mut().find(|series| series.fits(&sample)) {
            series.push(sample);
        } else {
            self.cost += SERIES_COST;
            kept.push(Series::starting_with(sample));
        }
    }
}
