//! Samples of one parameter from one source, in columns.

use mission_database::VersionNumber;

use crate::column::{Column, Quality};
use crate::{Sample, SeriesView};

/// Samples of one parameter from one source, read by one version of the dictionary, in the order they came.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    version: VersionNumber,
    generation: Vec<i64>,
    reception: Vec<i64>,
    column: Column,
}

impl Series {
    /// A series that begins with a sample.
    pub fn starting_with(sample: Sample) -> Self {
        let quality = Quality::new(sample.validity, sample.monitoring);
        Self {
            version: sample.version,
            generation: vec![sample.generation.0.0],
            reception: vec![sample.reception.0.0],
            column: Column::starting_with(sample.raw, sample.converted, quality),
        }
    }

    /// Whether a sample belongs here: read by the same version of the dictionary, and of the same kind.
    pub fn fits(&self, sample: &Sample) -> bool {
        self.version == sample.version && self.column.fits(&sample.raw, sample.converted)
    }

    /// Adds a sample; false when another version of the dictionary read it, or its kind is not the series' (a number
    /// that could not be read as one).
    pub fn push(&mut self, sample: Sample) -> bool {
        if !self.fits(&sample) {
            return false;
        }
        self.generation.push(sample.generation.0.0);
        self.reception.push(sample.reception.0.0);
        let quality = Quality::new(sample.validity, sample.monitoring);
        self.column.push(sample.raw, sample.converted, quality);
        true
    }

    /// Forgets the oldest samples.
    pub fn drop_first(&mut self, count: usize) {
        let count = count.min(self.len());
        self.generation.drain(..count);
        self.reception.drain(..count);
        self.column.drop_first(count);
    }

    /// Number of samples.
    pub fn len(&self) -> usize {
        self.generation.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.generation.is_empty()
    }

    /// Its samples.
    pub fn view(&self) -> SeriesView<'_> {
        SeriesView {
            version: self.version,
            generation: &self.generation,
            reception: &self.reception,
            provenance: &[],
            column: &self.column,
            derivation: None,
        }
    }
}
