//! What is held of a lane whose batches come in two orders at once: everything up to a watermark, and a few spans
//! beyond it, each with the chain at both of its ends.

use serde::{Deserialize, Serialize};

use crate::mutation::{Mutation, mutated};
use crate::{ChainHash, SealedBatch};

/// Spans beyond a watermark at most. An outage adds one; the node pauses its live cursor before there are more.
pub const RANGES_MAX: usize = 32;

/// An unbroken run of batches and declared gaps.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Span {
    /// Its first number.
    pub first: u64,
    /// Its last number.
    pub last: u64,
    /// What the first one is chained to.
    pub previous: ChainHash,
    /// What the one behind the last is chained to.
    pub hash: ChainHash,
}

impl Span {
    /// What a batch, or a gap, covers.
    pub fn of(batch: &SealedBatch) -> Self {
        Self {
            first: batch.header.first_sequence().0,
            last: batch.header.sequence.0,
            previous: batch.previous,
            hash: batch.position().hash,
        }
    }
}

/// Why a span does not fit in.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Misfit {
    /// All of its numbers are held.
    #[error("all of it is here already")]
    Held,
    /// Some of its numbers are held.
    #[error("it covers some of what is here already")]
    Overlap,
    /// Its chain is another than that of its neighbour.
    #[error("its chain is another one")]
    Fork,
    /// There would be more than [`RANGES_MAX`] spans.
    #[error("there would be more than {RANGES_MAX} spans")]
    TooMany,
}

/// What is held of a lane. Spans are in order, apart from each other and from the watermark.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Ranges {
    watermark: u64,
    hash: ChainHash,
    spans: Vec<Span>,
}

impl Ranges {
    /// Everything up to `watermark`, whose chain is `hash`; of an empty lane 0 and its store's.
    pub fn up_to(watermark: u64, hash: ChainHash) -> Self {
        Self { watermark, hash, spans: Vec::new() }
    }

    /// As written down elsewhere; `None` when it cannot be.
    pub fn restore(watermark: u64, hash: ChainHash, spans: Vec<Span>) -> Option<Self> {
        let mut end = watermark;
        for span in &spans {
            // One that touches what is before it would have been joined with it.
            if span.first <= end.checked_add(1)? || span.last < span.first {
                return None;
            }
            end = span.last;
        }
        (spans.len() <= RANGES_MAX).then_some(Self { watermark, hash, spans })
    }

    /// The number up to which everything is held; 0 when nothing is.
    pub fn watermark(&self) -> u64 {
        self.watermark
    }

    /// The chain at the watermark.
    pub fn hash(&self) -> ChainHash {
        self.hash
    }

    /// What is held beyond.
    pub fn spans(&self) -> &[Span] {
        &self.spans
    }

    /// The highest number that is held; 0 when none is.
    pub fn end(&self) -> u64 {
        self.spans.last().map_or(self.watermark, |span| span.last)
    }

    /// Whether a number is held.
    pub fn holds(&self, number: u64) -> bool {
        (1..=self.watermark).contains(&number)
            || self.spans.iter().any(|span| (span.first..=span.last).contains(&number))
    }

    /// The chain at the end of what is held, where a number ends it.
    pub fn chain_at(&self, number: u64) -> Option<ChainHash> {
        if number == self.watermark {
            return Some(self.hash);
        }
        self.spans.iter().find(|span| span.last == number).map(|span| span.hash)
    }

    /// Every end of what is held, with its chain: what a node must have too.
    pub fn ends(&self) -> impl Iterator<Item = (u64, ChainHash)> + '_ {
        let beyond = self.spans.iter().map(|span| (span.last, span.hash));
        std::iter::once((self.watermark, self.hash)).chain(beyond)
    }

    /// Takes a span in; nothing changes when it does not fit.
    pub fn insert(&mut self, span: Span) -> Result<(), Misfit> {
        if span.last <= self.watermark {
            return Err(Misfit::Held);
        }
        if span.first <= self.watermark {
            return Err(Misfit::Overlap);
        }
        // The first span that is not wholly before the new one.
        let place = self.spans.partition_point(|other| other.last < span.first);
        let next = self.spans.get(place);
        if let Some(next) = next
            && next.first <= span.last
        {
            let is_inside = next.first <= span.first && span.last <= next.last;
            return Err(if is_inside { Misfit::Held } else { Misfit::Overlap });
        }
        let (end_before, chain_before) = match place.checked_sub(1) {
            Some(before) => (self.spans[before].last, self.spans[before].hash),
            None => (self.watermark, self.hash),
        };
        let joins_before = end_before + 1 == span.first;
        let joins_next = next.is_some_and(|next| Some(next.first) == span.last.checked_add(1));
        let is_fork = (joins_before && chain_before != span.previous)
            || next.is_some_and(|next| joins_next && next.previous != span.hash);
        if is_fork && !mutated(Mutation::ChainNotCompared) {
            return Err(Misfit::Fork);
        }
        let is_full = self.spans.len() >= RANGES_MAX && !mutated(Mutation::TooManyRanges);
        if !joins_before && !joins_next && is_full {
            return Err(Misfit::TooMany);
        }
        let (last, hash) = if joins_next {
            let next = self.spans.remove(place);
            (next.last, next.hash)
        } else {
            (span.last, span.hash)
        };
        match (joins_before, place) {
            (true, 0) => (self.watermark, self.hash) = (last, hash),
            (true, place) => (self.spans[place - 1].last, self.spans[place - 1].hash) = (last, hash),
            (false, place) => {
                self.spans.insert(place, Span { first: span.first, last, previous: span.previous, hash });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn chain(number: u64) -> ChainHash {
        let mut bytes = [7; 16];
        bytes[..8].copy_from_slice(&number.to_le_bytes());
        ChainHash(bytes)
    }

    fn span(first: u64, last: u64) -> Span {
        Span { first, last, previous: chain(first - 1), hash: chain(last) }
    }

    #[test]
    fn a_span_that_closes_a_hole_joins_both_sides() {
        let mut ranges = Ranges::up_to(0, chain(0));
        for part in [span(3, 4), span(8, 9), span(1, 2), span(5, 7)] {
            ranges.insert(part).unwrap();
        }
        assert_eq!(ranges, Ranges::up_to(9, chain(9)));
    }

    #[test]
    fn another_chain_on_either_side_is_a_fork_and_changes_nothing() {
        let mut ranges = Ranges::up_to(2, chain(2));
        ranges.insert(span(5, 6)).unwrap();
        let before = ranges.clone();
        let foreign = ChainHash([9; 16]);
        for part in [
            Span { previous: foreign, ..span(3, 3) },
            Span { hash: foreign, ..span(4, 4) },
            Span { previous: foreign, ..span(7, 7) },
        ] {
            assert_eq!(ranges.insert(part), Err(Misfit::Fork), "{part:?}");
        }
        assert_eq!(ranges, before);
    }

    #[test]
    fn what_is_held_is_told_from_what_overlaps() {
        let mut ranges = Ranges::up_to(2, chain(2));
        ranges.insert(span(5, 6)).unwrap();
        assert_eq!(ranges.insert(span(1, 2)), Err(Misfit::Held));
        assert_eq!(ranges.insert(span(6, 6)), Err(Misfit::Held));
        assert_eq!(ranges.insert(span(2, 3)), Err(Misfit::Overlap));
        assert_eq!(ranges.insert(span(4, 7)), Err(Misfit::Overlap));
    }

    #[test]
    fn more_spans_than_allowed_are_refused_but_holes_may_be_closed() {
        let mut ranges = Ranges::up_to(0, chain(0));
        for number in 1..=RANGES_MAX as u64 {
            ranges.insert(span(number * 10, number * 10)).unwrap();
        }
        assert_eq!(ranges.insert(span(5, 5)), Err(Misfit::TooMany));
        assert_eq!(ranges.insert(span(1, 1)), Ok(()));
        assert_eq!(ranges.insert(span(11, 19)), Ok(()));
        assert_eq!(ranges.insert(span(5, 5)), Ok(()));
        assert_eq!(ranges.insert(span(u64::MAX, u64::MAX)), Err(Misfit::TooMany));
    }

    #[test]
    fn only_what_can_be_is_restored() {
        assert!(Ranges::restore(2, chain(2), vec![span(4, 5), span(7, 7)]).is_some());
        for spans in
            [vec![span(3, 4)], vec![span(6, 5)], vec![span(4, 5), span(6, 6)], vec![span(9, 9), span(4, 4)]]
        {
            assert_eq!(Ranges::restore(2, chain(2), spans), None);
        }
    }

    proptest! {
        #[test]
        fn whatever_the_order_the_same_numbers_are_held(
            parts in proptest::collection::vec((1u64..60, 1u64..5), 0..80),
        ) {
            let mut ranges = Ranges::up_to(0, chain(0));
            let mut held = BTreeSet::new();
            for (first, length) in parts {
                let part = span(first, first + length - 1);
                let numbers: BTreeSet<u64> = (part.first..=part.last).collect();
                let known = numbers.intersection(&held).count();
                match ranges.insert(part) {
                    Ok(()) => {
                        prop_assert_eq!(known, 0);
                        held.extend(numbers);
                    }
                    Err(Misfit::Held) => prop_assert_eq!(known, numbers.len()),
                    Err(Misfit::Overlap) => prop_assert!(known > 0 && known <= numbers.len()),
                    Err(misfit) => prop_assert!(false, "{misfit}"),
                }
                let spans = ranges.spans().to_vec();
                prop_assert_eq!(Ranges::restore(ranges.watermark(), ranges.hash(), spans), Some(ranges.clone()));
            }
            prop_assert!((1..70).all(|number| ranges.holds(number) == held.contains(&number)));
            prop_assert_eq!(ranges.hash(), chain(ranges.watermark()));
            prop_assert!(ranges.ends().all(|(number, hash)| hash == chain(number)));
        }
    }
}
