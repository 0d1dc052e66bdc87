//! Batches of a lane that lie side by side in its journal, whatever the order they came in.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::sequence::{Edge, Finding, Heard, judge, judge_seam};
use super::{Feed, Hour};

/// Sequences that a run keeps in view: of more, hostile ones, further ones are counted but not judged.
const SEQUENCES_MAX: usize = 4_096;
/// Runs of a lane. What waits at a node makes 33 at most; what is kept out of the archive can make more.
pub(super) const RUNS_MAX: usize = 64;

/// A sequence of counts: one APID of one link.
type Sequences = BTreeMap<Feed, BTreeMap<u16, Edge>>;

/// What a joining changes: of whom, when, what, and whether it was found or is taken back.
pub(super) struct Change<'a> {
    pub(super) feed: &'a Feed,
    pub(super) apid: u16,
    pub(super) hour: Hour,
    pub(super) finding: Finding,
    pub(super) is_withdrawn: bool,
}

/// Batches without a hole between them.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(super) struct Run {
    pub(super) first: u64,
    pub(super) last: u64,
    /// Packets are lost within it: what is before them says nothing about what is behind them.
    is_parted: bool,
    /// How each sequence begins: until packets are lost, and nothing where the journal begins.
    heads: Sequences,
    /// How each ends, since packets were lost.
    tails: Sequences,
}

impl Run {
    /// A batch that says nothing about sequences.
    pub(super) fn without_packets((first, last): (u64, u64), is_parted: bool) -> Self {
        Self { first, last, is_parted, heads: Sequences::new(), tails: Sequences::new() }
    }

    /// A batch of packets; tells what they say by themselves.
    pub(super) fn of_packets(
        sequence: u64,
        feed: &Feed,
        packets: &BTreeMap<u16, Vec<Heard>>,
        mut tell: impl FnMut(Change<'_>),
    ) -> Self {
        for (&apid, heard) in packets {
            judge(heard, 0..heard.len(), |hour, finding| {
                tell(Change { feed, apid, hour, finding, is_withdrawn: false });
            });
        }
        let edges = |edge: fn(&[Heard]) -> Edge| {
            let edges = packets.iter().map(|(&apid, heard)| (apid, edge(heard))).collect();
            Sequences::from([(feed.clone(), edges)])
        };
        let mut run = Self::without_packets((sequence, sequence), false);
        if run.first > 1 {
            run.heads = edges(Edge::of_first);
        }
        run.tails = edges(Edge::of_last);
        run
    }

    /// Takes in the run that begins right behind this one; tells what that changes.
    fn append(&mut self, next: Self, tell: &mut impl FnMut(Change<'_>)) {
        each(&next.heads, |feed, apid, right| {
            let Some(left) = self.tails.get(feed).and_then(|apids| apids.get(&apid)) else { return };
            judge_seam(&left.heard(), &right.heard(), |hour, finding, is_withdrawn| {
                tell(Change { feed, apid, hour, finding, is_withdrawn });
            });
        });
        if !self.is_parted && self.first > 1 {
            extend(&mut self.heads, &next.heads, Edge::of_first);
        }
        if next.is_parted {
            self.tails = next.tails;
        } else {
            extend(&mut self.tails, &next.tails, Edge::of_last);
        }
        self.is_parted |= next.is_parted;
        self.last = next.last;
    }
}

fn each(sequences: &Sequences, mut with: impl FnMut(&Feed, u16, &Edge)) {
    for (feed, apids) in sequences {
        apids.iter().for_each(|(&apid, edge)| with(feed, apid, edge));
    }
}

/// Adds what comes behind; `cut` keeps of both together what is at the edge.
fn extend(sequences: &mut Sequences, next: &Sequences, cut: fn(&[Heard]) -> Edge) {
    let mut count: usize = sequences.values().map(BTreeMap::len).sum();
    each(next, |feed, apid, edge| match sequences.get_mut(feed).and_then(|apids| apids.get_mut(&apid)) {
        Some(known) => *known = cut(&[known.heard(), edge.heard()].concat()),
        None if count < SEQUENCES_MAX => {
            sequences.entry(feed.clone()).or_default().insert(apid, edge.clone());
            count += 1;
        }
        None => {}
    });
}

/// What of a lane was taken in.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct LaneState {
    /// In order, apart from each other.
    runs: Vec<Run>,
}

impl LaneState {
    pub(super) fn insert(&mut self, run: Run, mut tell: impl FnMut(Change<'_>)) {
        let place = self.runs.partition_point(|known| known.last < run.first);
        // The ledger has each number once; what lies within a run that was closed has its neighbours no more.
        if self.runs.get(place).is_some_and(|next| next.first <= run.last) {
            return;
        }
        self.runs.insert(place, run);
        self.join_with_next(place, &mut tell);
        if place > 0 {
            self.join_with_next(place - 1, &mut tell);
        }
        if self.runs.len() > RUNS_MAX {
            self.close_first();
        }
    }

    #[cfg(test)]
    pub(super) fn runs(&self) -> usize {
        self.runs.len()
    }

    fn join_with_next(&mut self, place: usize, tell: &mut impl FnMut(Change<'_>)) {
        if self.runs.get(place + 1).is_some_and(|next| self.runs[place].last + 1 == next.first) {
            let next = self.runs.remove(place + 1);
            self.runs[place].append(next, tell);
        }
    }

    /// Waits no more for what lies between the first two runs.
    fn close_first(&mut self) {
        let second = self.runs.remove(1);
        let first = &mut self.runs[0];
        (first.last, first.is_parted, first.tails) = (second.last, true, second.tails);
    }
}
