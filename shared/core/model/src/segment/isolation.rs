//! Isolation forest: what random splits set apart after few of them is unlike the rest.

use serde::{Deserialize, Serialize};

use super::tree::{Growth, TREES_MAX, Tree, range, threshold_within};
use crate::bounded::bounded;
use crate::random::Random;

/// Rows that each tree is grown from.
const SAMPLE: usize = 256;

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub(super) struct IsolationForest {
    #[serde(deserialize_with = "bounded::<_, _, TREES_MAX>")]
    trees: Vec<Tree>,
    /// How many splits it takes on average to isolate one row of a tree's sample.
    usual_depth: f32,
}

impl IsolationForest {
    pub(super) fn fit(rows: &[Vec<f64>], count: usize, seed: u64) -> Self {
        let width = rows.first().map_or(0, Vec::len);
        let sample = SAMPLE.min(rows.len());
        let depth_max = sample.next_power_of_two().ilog2() as usize;
        let trees = (0..count.min(TREES_MAX)).map(|number| {
            let mut random = Random::part(seed, number);
            let drawn = random.sample(rows.len(), sample).into_iter().map(|row| row as u32).collect();
            Isolating { rows, width, depth_max, random }.grow(drawn)
        });
        Self { trees: trees.collect(), usual_depth: usual_depth(sample).max(1.0) as f32 }
    }

    /// Between 0 and 1; what is like the rest has about a half.
    pub(super) fn score(&self, row: &[f64]) -> f64 {
        let depth = self.trees.iter().map(|tree| tree.value(row)).sum::<f64>() / self.trees.len() as f64;
        (-depth / f64::from(self.usual_depth)).exp2()
    }

    pub(super) fn is_sound(&self, inputs: usize) -> bool {
        let usual = self.usual_depth.is_finite() && self.usual_depth >= 1.0;
        usual && !self.trees.is_empty() && self.trees.iter().all(|tree| tree.is_sound(inputs))
    }
}

/// Mean depth of an unsuccessful search in a binary tree of `rows` leaves (Liu, Ting and Zhou 2008).
fn usual_depth(rows: usize) -> f64 {
    let before = rows.saturating_sub(1);
    let harmonic: f64 = (1..=before).map(|number| 1.0 / number as f64).sum();
    if rows < 2 { 0.0 } else { 2.0 * harmonic - 2.0 * before as f64 / rows as f64 }
}

struct Isolating<'a> {
    rows: &'a [Vec<f64>],
    width: usize,
    depth_max: usize,
    random: Random,
}

impl Growth for Isolating<'_> {
    fn split(&mut self, rows: &[u32], depth: usize) -> Option<(usize, f32)> {
        if rows.len() < 2 || depth >= self.depth_max {
            return None;
        }
        let mut inputs: Vec<usize> = (0..self.width).collect();
        self.random.shuffle(&mut inputs);
        let part = self.random.unit();
        inputs.into_iter().find_map(|input| {
            let (lowest, highest) = range(self, rows, input);
            threshold_within(lowest, highest, part).map(|threshold| (input, threshold))
        })
    }

    fn leaf(&self, rows: &[u32], depth: usize) -> f32 {
        (depth as f64 + usual_depth(rows.len())) as f32
    }

    fn input(&self, row: u32, input: usize) -> f64 {
        self.rows[row as usize][input]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_row_that_lies_apart_has_the_highest_score() {
        let mut random = Random::new(5);
        let mut rows: Vec<Vec<f64>> = (0..400).map(|_| vec![random.unit(), random.unit()]).collect();
        rows.push(vec![4.0, -3.0]);
        let forest = IsolationForest::fit(&rows, 100, 1);
        let scores: Vec<f64> = rows.iter().map(|row| forest.score(row)).collect();
        let highest = scores.iter().copied().fold(0.0, f64::max);
        assert_eq!(scores.last(), Some(&highest));
        assert!(highest > 0.6 && scores.iter().all(|score| (0.0..=1.0).contains(score)), "{highest}");
    }

    #[test]
    fn rows_that_are_all_the_same_are_all_as_usual() {
        let forest = IsolationForest::fit(&vec![vec![1.0, 2.0]; 300], 10, 1);
        assert!((forest.score(&[1.0, 2.0]) - 0.5).abs() < 1e-6);
    }

    #[test]
    fn the_usual_depth_is_that_of_the_paper() {
        // The paper has 10.244, with a logarithm for the harmonic number.
        assert!((usual_depth(256) - 10.2487).abs() < 1e-3);
        assert!((usual_depth(3) - 5.0 / 3.0).abs() < 1e-12);
        assert_eq!((usual_depth(1), usual_depth(2)), (0.0, 1.0));
    }
}
