//! Extremely randomised trees: each node draws a few inputs and one threshold for each, and keeps the best.

use serde::{Deserialize, Serialize};

use super::tree::{Growth, TREES_MAX, Tree, range, threshold_within};
use crate::bounded::bounded;
use crate::random::Random;

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub(super) struct ExtraTrees {
    #[serde(deserialize_with = "bounded::<_, _, TREES_MAX>")]
    trees: Vec<Tree>,
}

impl ExtraTrees {
    /// `rows` and whether each is anomalous; `count` trees.
    pub(super) fn fit(rows: &[Vec<f64>], anomalous: &[bool], count: usize, seed: u64) -> Self {
        let width = rows.first().map_or(0, Vec::len);
        let all: Vec<u32> = (0..rows.len() as u32).collect();
        let drawn = ((2.0 * (width as f64).sqrt()).round() as usize).max(1);
        let trees = (0..count.min(TREES_MAX)).map(|number| {
            let random = Random::part(seed, number);
            Labelled { rows, anomalous, inputs: (0..width).collect(), drawn, random }.grow(all.clone())
        });
        Self { trees: trees.collect() }
    }

    /// The mean over the trees of the anomalous part in the leaf.
    pub(super) fn probability(&self, row: &[f64]) -> f64 {
        self.trees.iter().map(|tree| tree.value(row)).sum::<f64>() / self.trees.len() as f64
    }

    pub(super) fn is_sound(&self, inputs: usize) -> bool {
        !self.trees.is_empty() && self.trees.iter().all(|tree| tree.is_sound(inputs))
    }
}

struct Labelled<'a> {
    rows: &'a [Vec<f64>],
    anomalous: &'a [bool],
    inputs: Vec<usize>,
    drawn: usize,
    random: Random,
}

impl Labelled<'_> {
    fn count(&self, rows: &[u32]) -> usize {
        rows.iter().filter(|row| self.anomalous[**row as usize]).count()
    }

    /// Twice the rows times Gini's impurity, summed over both sides: the less, the better.
    fn impurity(&self, rows: &[u32], input: usize, threshold: f32) -> f64 {
        let (mut below, mut below_anomalous, mut anomalous) = (0.0, 0.0, 0.0);
        for row in rows {
            let is_below = f64::from(u8::from(self.input(*row, input) <= f64::from(threshold)));
            let is_anomalous = f64::from(u8::from(self.anomalous[*row as usize]));
            below += is_below;
            below_anomalous += is_below * is_anomalous;
            anomalous += is_anomalous;
        }
        let above = rows.len() as f64 - below;
        let above_anomalous = anomalous - below_anomalous;
        below_anomalous * (below - below_anomalous) / below
            + above_anomalous * (above - above_anomalous) / above
    }
}

impl Growth for Labelled<'_> {
    fn split(&mut self, rows: &[u32], _: usize) -> Option<(usize, f32)> {
        let anomalous = self.count(rows);
        if rows.len() < 2 || anomalous == 0 || anomalous == rows.len() {
            return None;
        }
        let (mut best, mut drawn) = (None::<(f64, usize, f32)>, 0);
        for place in 0..self.inputs.len() {
            let other = place + self.random.below(self.inputs.len() - place);
            self.inputs.swap(place, other);
            let input = self.inputs[place];
            let (lowest, highest) = range(self, rows, input);
            // An input in which the rows do not differ is no draw.
            let Some(threshold) = threshold_within(lowest, highest, self.random.unit()) else { continue };
            let impurity = self.impurity(rows, input, threshold);
            if best.is_none_or(|(least, _, _)| impurity < least) {
                best = Some((impurity, input, threshold));
            }
            drawn += 1;
            if drawn == self.drawn {
                break;
            }
        }
        best.map(|(_, input, threshold)| (input, threshold))
    }

    fn leaf(&self, rows: &[u32], _: usize) -> f32 {
        self.count(rows) as f32 / rows.len() as f32
    }

    fn input(&self, row: u32, input: usize) -> f64 {
        self.rows[row as usize][input]
    }
}
