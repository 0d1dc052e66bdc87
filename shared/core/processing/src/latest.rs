//! The newest sample of each parameter, and how often it usually changes.

use mission_database::ParameterIndex;

use crate::Sample;

/// Weight of the newest interval in the usual one.
const INTERVAL_WEIGHT: f64 = 0.2;

/// The newest sample of a parameter.
#[derive(Clone, Debug, PartialEq)]
pub struct LatestValue {
    /// The sample.
    pub sample: Sample,
    /// Who received it: an index that the owner of the table gives meaning to.
    pub source: u32,
    /// Usual seconds between two samples, once two were seen.
    pub interval_s: Option<f64>,
}

/// Latest values by parameter. Newest is by generation time: late data never replaces what is newer.
#[derive(Clone, Debug, Default)]
pub struct LatestValues {
    values: Vec<Option<LatestValue>>,
}

impl LatestValues {
    /// A table for a dictionary of `parameters`.
    pub fn new(parameters: usize) -> Self {
        Self { values: vec![None; parameters] }
    }

    /// Takes a sample if it is the newest of its parameter.
    pub fn on_sample(&mut self, sample: &Sample, source: u32) {
        let Some(place) = self.values.get_mut(sample.parameter.0 as usize) else { return };
        let Some(latest) = place else {
            *place = Some(LatestValue { sample: sample.clone(), source, interval_s: None });
            return;
        };
        let interval_s = sample.generation.0.seconds_since(latest.sample.generation.0);
        if interval_s < 0.0 {
            return;
        }
        // The same sample through a second station says nothing about how often it is made.
        if interval_s > 0.0 {
            let usual = latest.interval_s.unwrap_or(interval_s);
            // One long silence must not hide the next: an interval counts at most ten times the usual.
            let seen = interval_s.min(usual * 10.0);
            latest.interval_s = Some(usual + INTERVAL_WEIGHT * (seen - usual));
        }
        latest.sample = sample.clone();
        latest.source = source;
    }

    /// The newest sample of a parameter.
    pub fn of(&self, parameter: ParameterIndex) -> Option<&LatestValue> {
        self.values.get(parameter.0 as usize)?.as_ref()
    }

    /// All newest samples, in the dictionary's order.
    pub fn all(&self) -> impl Iterator<Item = &LatestValue> {
        self.values.iter().flatten()
    }
}

#[cfg(test)]
mod tests {
    use space_packet::{GenerationTime, ReceptionTime, TaiTime};

    use super::*;
    use crate::Raw;

    fn at(seconds: i64) -> Sample {
        Sample {
            parameter: ParameterIndex(0),
            generation: GenerationTime(TaiTime(seconds * 1_000_000_000)),
            reception: ReceptionTime::default(),
            raw: Raw::Signed(seconds),
            calibrated: None,
        }
    }

    fn check(seconds: &[i64], newest: i64, interval_s: Option<f64>) {
        let mut latest = LatestValues::new(1);
        seconds.iter().for_each(|&second| latest.on_sample(&at(second), 0));
        let value = latest.of(ParameterIndex(0)).expect("a sample came");
        assert_eq!(value.sample, at(newest));
        assert_eq!(value.interval_s, interval_s);
    }

    #[test]
    fn late_data_never_replaces_what_is_newer() {
        check(&[10, 20, 15, 3], 20, Some(10.0));
    }

    #[test]
    fn the_usual_interval_is_learnt_and_a_repetition_does_not_count() {
        check(&[1], 1, None);
        check(&[1, 2, 2, 3, 4, 4], 4, Some(1.0));
    }

    #[test]
    fn a_long_silence_counts_at_most_ten_intervals() {
        check(&[1, 2, 1_000], 1_000, Some(1.0 + 0.2 * 9.0));
    }
}
