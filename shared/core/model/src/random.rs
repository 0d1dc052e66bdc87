//! Numbers that look random and follow from a seed: the same on every platform, for ever.

/// SplitMix64: 64 bits of state, passes the usual statistical tests, and is a page shorter than what it replaces.
#[derive(Clone, Debug)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A stream of its own for the `number`th part of something, so that parts do not depend on their order.
    pub(crate) fn part(seed: u64, number: usize) -> Self {
        let mut mixed = Self(seed ^ (number as u64).wrapping_mul(0xd1b5_4a32_d192_ed03));
        Self(mixed.bits())
    }

    pub(crate) fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Below `end`, which is not 0. Of the bias nobody notices anything while `end` is below 2^32.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        ((u128::from(self.bits()) * end as u128) >> 64) as usize
    }

    /// At least 0 and less than 1.
    pub(crate) fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Between minus and plus `bound`.
    pub(crate) fn within(&mut self, bound: f64) -> f64 {
        (2.0 * self.unit() - 1.0) * bound
    }

    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }

    /// `count` different numbers below `end`, or all of them when there are fewer; in no order.
    pub(crate) fn sample(&mut self, end: usize, count: usize) -> Vec<usize> {
        let mut numbers: Vec<usize> = (0..end).collect();
        for place in 0..count.min(end) {
            let other = place + self.below(end - place);
            numbers.swap(place, other);
        }
        numbers.truncate(count);
        numbers
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_published_sequence() {
        let mut random = Random::new(1_234_567);
        let expected = [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423];
        assert_eq!([random.bits(), random.bits(), random.bits()], expected);
    }

    #[test]
    fn a_sample_has_no_number_twice() {
        let mut found = Random::new(3).sample(100, 40);
        found.sort_unstable();
        found.dedup();
        assert_eq!((found.len(), found.iter().all(|number| *number < 100)), (40, true));
        assert_eq!(Random::new(3).sample(5, 40).len(), 5);
    }

    #[test]
    fn a_shuffle_keeps_everything_and_moves_something() {
        let mut items: Vec<usize> = (0..50).collect();
        Random::new(9).shuffle(&mut items);
        assert_ne!(items, (0..50).collect::<Vec<_>>());
        items.sort_unstable();
        assert_eq!(items, (0..50).collect::<Vec<_>>());
    }
}
