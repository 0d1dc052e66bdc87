//! Binary trees that split on one number at a time, in the order in which they are walked.

use serde::{Deserialize, Serialize};

use crate::bounded::bounded;

/// The most nodes of a tree: a child's place takes two bytes.
const NODES_MAX: usize = 1 << 16;
/// The most trees of a forest.
pub(super) const TREES_MAX: usize = 1_024;

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
pub(super) enum Node {
    Leaf(f32),
    /// What is not above the threshold goes to the node that follows, all else to `right`.
    Split {
        input: u8,
        threshold: f32,
        right: u16,
    },
}

/// Nodes stand before their children, so every walk ends.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub(super) struct Tree {
    #[serde(deserialize_with = "bounded::<_, _, NODES_MAX>")]
    nodes: Vec<Node>,
}

impl Tree {
    /// What the leaf says that a row comes to.
    pub(super) fn value(&self, row: &[f64]) -> f64 {
        let mut at = 0;
        loop {
            match self.nodes[at] {
                Node::Leaf(value) => return f64::from(value),
                Node::Split { input, threshold, .. } if row[usize::from(input)] <= f64::from(threshold) => {
                    at += 1;
                }
                Node::Split { right, .. } => at = usize::from(right),
            }
        }
    }

    pub(super) fn is_sound(&self, inputs: usize) -> bool {
        let sound = |(at, node): (usize, &Node)| match *node {
            Node::Leaf(value) => value.is_finite(),
            Node::Split { input, threshold, right } => {
                let right = usize::from(right);
                usize::from(input) < inputs
                    && threshold.is_finite()
                    && at + 1 < right
                    && right < self.nodes.len()
            }
        };
        !self.nodes.is_empty() && self.nodes.iter().enumerate().all(sound)
    }
}

/// How a tree is grown: what a leaf says, and where a node splits. Rows are meant by their numbers.
pub(super) trait Growth {
    /// A threshold that leaves rows on both sides, or none when the node becomes a leaf.
    fn split(&mut self, rows: &[u32], depth: usize) -> Option<(usize, f32)>;
    fn leaf(&self, rows: &[u32], depth: usize) -> f32;
    fn input(&self, row: u32, input: usize) -> f64;

    fn grow(&mut self, mut rows: Vec<u32>) -> Tree
    where
        Self: Sized,
    {
        let mut tree = Tree::default();
        grow_below(self, &mut rows, 0, &mut tree.nodes);
        tree
    }
}

/// Deeper than this no split is sought: recursion stays short whatever the data are.
const DEPTH_MAX: usize = 64;

fn grow_below(growth: &mut impl Growth, rows: &mut [u32], depth: usize, nodes: &mut Vec<Node>) {
    // Two more nodes must have a place, here and in each of the subtrees that are still to come.
    let full = nodes.len() + 2 * DEPTH_MAX >= NODES_MAX;
    let split = if depth < DEPTH_MAX && !full { growth.split(rows, depth) } else { None };
    let Some((input, threshold)) = split else {
        nodes.push(Node::Leaf(growth.leaf(rows, depth)));
        return;
    };
    let mut left = 0;
    for place in 0..rows.len() {
        if growth.input(rows[place], input) <= f64::from(threshold) {
            rows.swap(left, place);
            left += 1;
        }
    }
    let (lower, upper) = rows.split_at_mut(left);
    let at = nodes.len();
    nodes.push(Node::Split { input: input as u8, threshold, right: 0 });
    grow_below(growth, lower, depth + 1, nodes);
    let right = nodes.len() as u16;
    nodes[at] = Node::Split { input: input as u8, threshold, right };
    grow_below(growth, upper, depth + 1, nodes);
}

/// The smallest and the largest number that some rows have at an input.
pub(super) fn range(growth: &impl Growth, rows: &[u32], input: usize) -> (f64, f64) {
    rows.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(lowest, highest), row| {
        let number = growth.input(*row, input);
        (lowest.min(number), highest.max(number))
    })
}

/// A threshold in the range, if single precision has one that leaves something on both sides.
pub(super) fn threshold_within(lowest: f64, highest: f64, part: f64) -> Option<f32> {
    let threshold = (lowest + part * (highest - lowest)) as f32;
    (f64::from(threshold) >= lowest && f64::from(threshold) < highest).then_some(threshold)
}
