//! Sample by sample: how many were right.

use super::{f_score, share};

/// How samples, or segments, were told apart.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct PointCounts {
    /// Anomalous and said to be.
    pub true_positives: u64,
    /// Said to be anomalous and not.
    pub false_positives: u64,
    /// Anomalous and not said to be.
    pub false_negatives: u64,
    /// Neither.
    pub true_negatives: u64,
}

/// Compares what was said of each sample with what it was.
pub fn count_points(labels: &[bool], said: &[bool]) -> PointCounts {
    let mut counts = PointCounts::default();
    for (is, said) in labels.iter().zip(said) {
        *match (is, said) {
            (true, true) => &mut counts.true_positives,
            (false, true) => &mut counts.false_positives,
            (true, false) => &mut counts.false_negatives,
            (false, false) => &mut counts.true_negatives,
        } += 1;
    }
    counts
}

impl PointCounts {
    /// Both together.
    pub fn plus(self, other: Self) -> Self {
        Self {
            true_positives: self.true_positives + other.true_positives,
            false_positives: self.false_positives + other.false_positives,
            false_negatives: self.false_negatives + other.false_negatives,
            true_negatives: self.true_negatives + other.true_negatives,
        }
    }

    /// Share of all that were right.
    pub fn accuracy(&self) -> f64 {
        let right = self.true_positives + self.true_negatives;
        share(right as f64, (right + self.false_positives + self.false_negatives) as f64)
    }

    /// Share of what was said to be anomalous that was.
    pub fn precision(&self) -> f64 {
        share(self.true_positives as f64, (self.true_positives + self.false_positives) as f64)
    }

    /// Share of what was anomalous that was said to be.
    pub fn recall(&self) -> f64 {
        share(self.true_positives as f64, (self.true_positives + self.false_negatives) as f64)
    }

    /// Harmonic mean of precision and recall.
    pub fn f1(&self) -> f64 {
        f_score(self.precision(), self.recall(), 1.0)
    }

    /// Share of what was not anomalous that was said to be.
    pub fn false_positive_rate(&self) -> f64 {
        share(self.false_positives as f64, (self.false_positives + self.true_negatives) as f64)
    }

    /// Matthews' correlation coefficient, -1 to 1.
    pub fn matthews(&self) -> f64 {
        let [tp, fp, fn_, tn] =
            [self.true_positives, self.false_positives, self.false_negatives, self.true_negatives]
                .map(|count| count as f64);
        share(tp * tn - fp * fn_, ((tp + fp) * (tp + fn_) * (tn + fp) * (tn + fn_)).sqrt())
    }
}

/// Wilson's 95 % interval of a share of `count` that was met `part` times.
pub fn wilson(part: u64, count: u64) -> (f64, f64) {
    const Z: f64 = 1.959_963_984_540_054;
    if count == 0 {
        return (0.0, 1.0);
    }
    let (share, count) = (part as f64 / count as f64, count as f64);
    let middle = share + Z * Z / (2.0 * count);
    let half = Z * (share * (1.0 - share) / count + Z * Z / (4.0 * count * count)).sqrt();
    let whole = 1.0 + Z * Z / count;
    (((middle - half) / whole).max(0.0), ((middle + half) / whole).min(1.0))
}
