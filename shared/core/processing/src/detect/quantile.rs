//! Quantiles of a stream: any one by five markers (P², Jain and Chlamtac 1985), and the far end exactly.

use serde::{Deserialize, Serialize};

/// One quantile of all numbers so far, estimated by five markers whose heights follow a parabola.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub(super) struct P2Quantile {
    quantile: f64,
    count: u64,
    heights: [f64; 5],
    positions: [f64; 5],
}

impl P2Quantile {
    pub(super) fn new(quantile: f64) -> Self {
        Self { quantile, count: 0, heights: [0.0; 5], positions: [1.0, 2.0, 3.0, 4.0, 5.0] }
    }

    pub(super) fn push(&mut self, value: f64) {
        if self.count < 5 {
            self.heights[self.count as usize] = value;
            self.count += 1;
            if self.count == 5 {
                self.heights.sort_by(f64::total_cmp);
            }
            return;
        }
        self.count += 1;
        self.heights[0] = self.heights[0].min(value);
        self.heights[4] = self.heights[4].max(value);
        for marker in 1..5 {
            if value < self.heights[marker] || marker == 4 {
                self.positions[marker] += 1.0;
            }
        }
        for marker in 1..4 {
            self.adjust(marker);
        }
    }

    /// `None` before the fifth number.
    pub(super) fn value(&self) -> Option<f64> {
        (self.count >= 5).then_some(self.heights[2])
    }

    /// Moves a marker by one place when it is a whole place from where it should be.
    fn adjust(&mut self, marker: usize) {
        let share = [0.0, self.quantile / 2.0, self.quantile, (1.0 + self.quantile) / 2.0, 1.0][marker];
        let wanted = 1.0 + (self.count - 1) as f64 * share;
        let (place, behind, ahead) =
            (self.positions[marker], self.positions[marker - 1], self.positions[marker + 1]);
        let off = wanted - place;
        let step = match () {
            () if off >= 1.0 && ahead - place > 1.0 => 1.0,
            () if off <= -1.0 && behind - place < -1.0 => -1.0,
            () => return,
        };
        let (height, low, high) = (self.heights[marker], self.heights[marker - 1], self.heights[marker + 1]);
        let parabola = height
            + step / (ahead - behind)
                * ((place - behind + step) * (high - height) / (ahead - place)
                    + (ahead - place - step) * (height - low) / (place - behind));
        self.heights[marker] = if low < parabola && parabola < high {
            parabola
        } else if step > 0.0 {
            height + (high - height) / (ahead - place)
        } else {
            height - (low - height) / (behind - place)
        };
        self.positions[marker] += step;
    }
}

/// Numbers of the far end that are kept.
const LARGEST_KEPT: usize = 32;

/// The largest numbers of a stream: its 99.9 % quantile, exact up to 32,000 numbers; above, a little too large.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(super) struct Largest {
    count: u64,
    /// Descending.
    kept: Vec<f64>,
}

impl Largest {
    pub(super) fn push(&mut self, value: f64) {
        self.count += 1;
        if self.kept.len() >= LARGEST_KEPT && self.kept.last().is_some_and(|least| *least >= value) {
            return;
        }
        let place = self.kept.partition_point(|kept| *kept >= value);
        self.kept.insert(place, value);
        self.kept.truncate(LARGEST_KEPT);
    }

    /// `None` when there is nothing.
    pub(super) fn quantile_999(&self) -> Option<f64> {
        let above = (self.count / 1000) as usize;
        self.kept.get(above).or(self.kept.last()).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers without pattern, 0 to 1.
    fn shuffled(count: u32) -> impl Iterator<Item = f64> {
        (0..count).map(|place| f64::from(place.wrapping_mul(2_654_435_761) >> 8) / f64::from(1 << 24))
    }

    #[test]
    fn five_markers_find_a_quantile_of_even_numbers_to_a_hundredth() {
        for wanted in [0.05, 0.25, 0.5, 0.75, 0.95] {
            let mut quantile = P2Quantile::new(wanted);
            shuffled(20_000).for_each(|value| quantile.push(value));
            let found = quantile.value().unwrap();
            assert!((found - wanted).abs() < 0.01, "{wanted}: {found}");
        }
    }

    #[test]
    fn a_constant_stream_has_its_constant_as_every_quantile() {
        let mut quantile = P2Quantile::new(0.25);
        (0..100).for_each(|_| quantile.push(3.5));
        assert_eq!(quantile.value(), Some(3.5));
    }

    #[test]
    fn the_far_end_is_exact() {
        let mut largest = Largest::default();
        assert_eq!(largest.quantile_999(), None);
        for value in 0..10_000 {
            largest.push(f64::from((value * 7) % 10_000));
        }
        assert_eq!(largest.quantile_999(), Some(9_989.0));
    }
}
