//! How good a classifier of segments is: figures that are honest when few segments are anomalous.

/// What was said of a segment, and what it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outcome {
    /// The higher, the more anomalous; finite.
    pub score: f64,
    /// Whether it was called anomalous.
    pub found: bool,
    /// Whether a person would have been asked instead.
    pub doubtful: bool,
    /// Whether it is anomalous.
    pub anomalous: bool,
}

/// Counts, and what follows from them. A figure that has nothing to divide by is 0; areas are then NaN.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Metrics {
    /// Anomalous and found.
    pub true_positives: usize,
    /// Nominal and found.
    pub false_positives: usize,
    /// Nominal and not found.
    pub true_negatives: usize,
    /// Anomalous and not found.
    pub false_negatives: usize,
    /// Area under the receiver's characteristic: how likely an anomalous segment has a higher score than a nominal
    /// one. Equal scores count half.
    pub area: f64,
    /// Average precision: the sum over scores of precision times the recall gained there.
    pub average_precision: f64,
}

/// Two-sided 95 %.
const WILSON_Z: f64 = 1.959_963_984_540_054;

impl Metrics {
    /// Of any number of outcomes.
    pub fn of(outcomes: &[Outcome]) -> Self {
        let count = |found, anomalous| {
            outcomes.iter().filter(|outcome| (outcome.found, outcome.anomalous) == (found, anomalous)).count()
        };
        let (area, average_precision) = areas(outcomes);
        Self {
            true_positives: count(true, true),
            false_positives: count(true, false),
            true_negatives: count(false, false),
            false_negatives: count(false, true),
            area,
            average_precision,
        }
    }

    /// How many outcomes there were.
    pub fn count(&self) -> usize {
        self.true_positives + self.false_positives + self.true_negatives + self.false_negatives
    }

    /// Part of all segments that was called what it is.
    pub fn accuracy(&self) -> f64 {
        ratio(self.true_positives + self.true_negatives, self.count())
    }

    /// The accuracy of calling everything nominal.
    pub fn trivial_accuracy(&self) -> f64 {
        ratio(self.true_negatives + self.false_positives, self.count())
    }

    /// Part of what was found that is anomalous.
    pub fn precision(&self) -> f64 {
        ratio(self.true_positives, self.true_positives + self.false_positives)
    }

    /// Part of what is anomalous that was found.
    pub fn recall(&self) -> f64 {
        ratio(self.true_positives, self.true_positives + self.false_negatives)
    }

    /// Harmonic mean of precision and recall.
    pub fn f1(&self) -> f64 {
        ratio(2 * self.true_positives, 2 * self.true_positives + self.false_positives + self.false_negatives)
    }

    /// Matthews' correlation coefficient, from -1 to 1.
    pub fn correlation(&self) -> f64 {
        let [tp, fp, tn, fn_] =
            [self.true_positives, self.false_positives, self.true_negatives, self.false_negatives]
                .map(|count| count as f64);
        let product = (tp + fp) * (tp + fn_) * (tn + fp) * (tn + fn_);
        if product > 0.0 { (tp * tn - fp * fn_) / product.sqrt() } else { 0.0 }
    }

    /// Part of what is nominal that was found.
    pub fn false_positive_rate(&self) -> f64 {
        ratio(self.false_positives, self.false_positives + self.true_negatives)
    }

    /// Wilson's interval around [`Self::false_positive_rate`], 95 %.
    pub fn false_positive_interval(&self) -> (f64, f64) {
        wilson(self.false_positives, self.false_positives + self.true_negatives)
    }

    /// Wilson's interval around [`Self::accuracy`], 95 %.
    pub fn accuracy_interval(&self) -> (f64, f64) {
        wilson(self.true_positives + self.true_negatives, self.count())
    }
}

/// Of sorted numbers: what a part of them, between 0 and 1, does not exceed. Between two, on the line through both.
pub(crate) fn quantile(sorted: &[f64], part: f64) -> f64 {
    let place = part * sorted.len().saturating_sub(1) as f64;
    let (below, above) = (place.floor() as usize, place.ceil() as usize);
    let at = |place: usize| sorted.get(place).copied().unwrap_or(0.0);
    at(below) + (place - place.floor()) * (at(above) - at(below))
}

fn ratio(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// Between 0 and 1, and all of it when there is nothing to count.
fn wilson(hits: usize, trials: usize) -> (f64, f64) {
    if trials == 0 {
        return (0.0, 1.0);
    }
    let (rate, trials, z2) = (hits as f64 / trials as f64, trials as f64, WILSON_Z * WILSON_Z);
    let middle = rate + z2 / (2.0 * trials);
    let half = WILSON_Z * (rate * (1.0 - rate) / trials + z2 / (4.0 * trials * trials)).sqrt();
    let scale = 1.0 + z2 / trials;
    (((middle - half) / scale).max(0.0), ((middle + half) / scale).min(1.0))
}

/// Area under the characteristic and average precision, in one pass down the scores.
fn areas(outcomes: &[Outcome]) -> (f64, f64) {
    let mut sorted: Vec<&Outcome> = outcomes.iter().collect();
    sorted.sort_by(|a, b| b.score.total_cmp(&a.score));
    let anomalous = outcomes.iter().filter(|outcome| outcome.anomalous).count() as f64;
    let nominal = outcomes.len() as f64 - anomalous;
    let (mut hits, mut misses, mut area, mut precision) = (0.0, 0.0, 0.0, 0.0);
    for tied in sorted.chunk_by(|a, b| a.score == b.score) {
        let more = tied.iter().filter(|outcome| outcome.anomalous).count() as f64;
        let fewer = tied.len() as f64 - more;
        area += fewer * (hits + more / 2.0);
        hits += more;
        misses += fewer;
        precision += more * hits / (hits + misses);
    }
    (area / (anomalous * nominal), precision / anomalous)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcomes(scores: &[(f64, bool)]) -> Vec<Outcome> {
        let outcome = |(score, anomalous): &(f64, bool)| Outcome {
            score: *score,
            found: *score > 0.5,
            doubtful: false,
            anomalous: *anomalous,
        };
        scores.iter().map(outcome).collect()
    }

    #[test]
    fn figures_are_those_computed_by_hand() {
        let given =
            outcomes(&[(0.9, true), (0.8, false), (0.7, true), (0.4, true), (0.3, false), (0.1, false)]);
        let metrics = Metrics::of(&given);
        let counts = (metrics.true_positives, metrics.false_positives, metrics.true_negatives);
        assert_eq!((counts, metrics.false_negatives), ((2, 1, 2), 1));
        let check =
            |name, found: f64, expected: f64| assert!((found - expected).abs() < 1e-12, "{name}: {found}");
        check("accuracy", metrics.accuracy(), 4.0 / 6.0);
        check("trivial", metrics.trivial_accuracy(), 0.5);
        check("precision", metrics.precision(), 2.0 / 3.0);
        check("recall", metrics.recall(), 2.0 / 3.0);
        check("f1", metrics.f1(), 2.0 / 3.0);
        check("correlation", metrics.correlation(), 1.0 / 3.0);
        check("false positives", metrics.false_positive_rate(), 1.0 / 3.0);
        check("area", metrics.area, 7.0 / 9.0);
        check("average precision", metrics.average_precision, (1.0 + 2.0 / 3.0 + 3.0 / 4.0) / 3.0);
    }

    #[test]
    fn equal_scores_count_half() {
        let metrics = Metrics::of(&outcomes(&[(0.5, true), (0.5, false), (0.5, false)]));
        assert_eq!((metrics.area, metrics.average_precision), (0.5, 1.0 / 3.0));
    }

    #[test]
    fn wilson_intervals_are_those_of_the_tables() {
        let (low, high) = wilson(0, 289);
        assert!(low == 0.0 && (high - 0.01312).abs() < 1e-5, "{low} {high}");
        let (low, high) = wilson(517, 529);
        assert!((low - 0.96077).abs() < 1e-5 && (high - 0.98698).abs() < 1e-5, "{low} {high}");
        assert_eq!(wilson(0, 0), (0.0, 1.0));
    }

    #[test]
    fn nothing_at_all_gives_no_figures_and_no_panic() {
        let metrics = Metrics::of(&[]);
        assert_eq!((metrics.accuracy(), metrics.f1(), metrics.correlation()), (0.0, 0.0, 0.0));
        assert!(metrics.area.is_nan());
    }
}
