//! Nearest neighbours: how far a segment lies from those that are known.

use serde::{Deserialize, Serialize};

use crate::matrix::Matrix;
use crate::random::Random;

/// How many neighbours count.
const NEIGHBOURS: usize = 5;
/// Segments that are remembered; more are drawn from.
const REMEMBERED_MAX: usize = 4_096;

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub(super) struct Neighbours {
    known: Matrix,
}

impl Neighbours {
    pub(super) fn fit(rows: &[Vec<f64>], seed: u64) -> Self {
        let width = rows.first().map_or(0, Vec::len);
        let room = REMEMBERED_MAX.min(Matrix::rows_max(width));
        let mut kept = Random::new(seed).sample(rows.len(), room);
        kept.sort_unstable();
        Self { known: Matrix::of_rows(width, kept.iter().map(|row| rows[*row].as_slice())) }
    }

    /// The mean distance to the nearest five.
    pub(super) fn distance(&self, row: &[f64]) -> f64 {
        self.mean_distance(row, None)
    }

    /// The distance of each remembered row to the others.
    pub(super) fn own_distances(&self) -> Vec<f64> {
        let own = self.known.rows().enumerate().map(|(place, row)| {
            let row: Vec<f64> = row.iter().map(|number| f64::from(*number)).collect();
            self.mean_distance(&row, Some(place))
        });
        own.collect()
    }

    pub(super) fn is_sound(&self, width: usize) -> bool {
        self.known.is_sound(width)
    }

    fn mean_distance(&self, row: &[f64], without: Option<usize>) -> f64 {
        let mut nearest = [f64::INFINITY; NEIGHBOURS];
        for (place, known) in self.known.rows().enumerate() {
            let squared: f64 = known.iter().zip(row).map(|(a, b)| (f64::from(*a) - b).powi(2)).sum();
            if squared < nearest[NEIGHBOURS - 1] && without != Some(place) {
                nearest[NEIGHBOURS - 1] = squared;
                nearest.sort_unstable_by(f64::total_cmp);
            }
        }
        let found: Vec<f64> = nearest.into_iter().filter(|squared| squared.is_finite()).collect();
        found.iter().map(|squared| squared.sqrt()).sum::<f64>() / found.len().max(1) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_distance_is_the_mean_over_the_nearest_five() {
        let rows: Vec<Vec<f64>> = (0..10).map(|place| vec![f64::from(place), 0.0]).collect();
        let neighbours = Neighbours::fit(&rows, 1);
        assert_eq!(neighbours.distance(&[0.0, 0.0]), 2.0);
        assert_eq!(neighbours.distance(&[2.0, 0.0]), 1.2);
        assert_eq!(neighbours.own_distances()[0], 3.0);
    }

    #[test]
    fn fewer_than_five_known_segments_are_all_asked() {
        let neighbours = Neighbours::fit(&[vec![1.0], vec![3.0]], 1);
        assert_eq!(neighbours.distance(&[0.0]), 2.0);
    }
}
