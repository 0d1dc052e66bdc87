//! Rows of equal width in one piece, and the product of two.

use serde::{Deserialize, Serialize};

use crate::bounded::bounded;

/// The most numbers in a matrix of a document.
const NUMBERS_MAX: usize = 262_144;

#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub(crate) struct Matrix {
    width: u32,
    #[serde(deserialize_with = "bounded::<_, _, NUMBERS_MAX>")]
    numbers: Vec<f32>,
}

impl Matrix {
    pub(crate) fn of_rows<'a>(width: usize, rows: impl Iterator<Item = &'a [f64]>) -> Self {
        let numbers = rows.flat_map(|row| row[..width].iter().map(|number| *number as f32)).collect();
        Self { width: width as u32, numbers }
    }

    pub(crate) fn rows(&self) -> impl ExactSizeIterator<Item = &[f32]> {
        self.numbers.chunks_exact(self.width.max(1) as usize)
    }

    /// Whether it is `width` wide, has a row at least and only whole ones, and finite numbers.
    pub(crate) fn is_sound(&self, width: usize) -> bool {
        let whole = width > 0 && self.width as usize == width && self.numbers.len().is_multiple_of(width);
        whole && !self.numbers.is_empty() && self.numbers.iter().all(|number| number.is_finite())
    }

    pub(crate) fn rows_max(width: usize) -> usize {
        NUMBERS_MAX / width.max(1)
    }
}

/// In four sums, which the processor adds up side by side.
pub(crate) fn dot(a: &[f64], b: &[f64]) -> f64 {
    let (fours_a, fours_b) = (a.chunks_exact(4), b.chunks_exact(4));
    let rest: f64 = fours_a.remainder().iter().zip(fours_b.remainder()).map(|(a, b)| a * b).sum();
    let mut sums = [0.0; 4];
    for (a, b) in fours_a.zip(fours_b) {
        sums.iter_mut().zip(a.iter().zip(b)).for_each(|(sum, (a, b))| *sum += a * b);
    }
    sums.iter().sum::<f64>() + rest
}
