//! The newest sample of each parameter, and how often it usually changes.

use mission_database::ParameterIndex;
use space_packet::TaiTime;

use crate::Sample;

/// How far a spacecraft's clock may run ahead of a station's and still be believed.
const AHEAD_MAX_NANOS: i64 = 60_000_000_000;

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
///
/// No spacecraft makes a sample long after it was received: one whose generation lies more than a minute after
/// its reception has a wrong time (a flipped bit of its day is enough) and is ordered by its reception, or
/// nothing would ever be newer.
#[derive(Clone, Debug, Default)]
pub struct LatestValues {
    values: Vec<Option<LatestValue>>,
}

impl LatestValues {
    /// A table for a dictionary of `parameters`.
    pub fn new(parameters: usize) -> Self {
        Self { values: vec![None; parameters] }
    }

    /// Makes room for parameters that a new version of a dictionary brought.
    pub fn grow(&mut self, parameters: usize) {
        if self.values.len() < parameters {
            self.values.resize(parameters, None);
        }
    }

    /// Takes a sample if it is the newest of its parameter.
    pub fn on_sample(&mut self, sample: &Sample, source: u32) {
        let Some(place) = self.values.get_mut(sample.parameter.0 as usize) else { return };
        let Some(latest) = place else {
            *place = Some(LatestValue { sample: sample.clone(), source, interval_s: None });
            return;
        };
        let interval_s = order(sample).seconds_since(order(&latest.sample));
        // A copy through another station is no news: the one that came first stands.
        if interval_s < 0.0 || interval_s == 0.0 && source != latest.source {
            return;
        }
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

/// The time that a sample takes its place by.
fn order(sample: &Sample) -> TaiTime {
    let (generation, reception) = (sample.generation.0, sample.reception.0);
    if generation > reception.plus_nanos(AHEAD_MAX_NANOS) { reception } else { generation }
}

#[cfg(test)]
mod tests {
    use space_packet::{GenerationTime, ReceptionTime};

    use super::*;
    use crate::Raw;

    fn at(seconds: i64) -> Sample {
        Sample {
            parameter: ParameterIndex(0),
            generation: GenerationTime(TaiTime(seconds * 1_000_000_000)),
            reception: ReceptionTime(TaiTime(seconds * 1_000_000_000)),
            raw: Raw::Signed(seconds),
            converted: None,
            validity: Default::default(),
            monitoring: Default::default(),
            version: Default::default(),
            provenance: Default::default(),
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
    fn a_generation_time_far_in_the_future_is_not_the_newest_for_ever() {
        let mut latest = LatestValues::new(1);
        let mut flipped = at(20);
        flipped.generation.0 = flipped.generation.0.plus_nanos((1 << 14) * 86_400 * 1_000_000_000);
        for sample in [&at(10), &flipped, &at(15)] {
            latest.on_sample(sample, 0);
        }
        let newest = |latest: &LatestValues| latest.of(ParameterIndex(0)).expect("a sample came").clone();
        assert_eq!(newest(&latest).sample, flipped, "it is the newest received");
        latest.on_sample(&at(30), 0);
        assert_eq!(newest(&latest).sample, at(30));
        assert_eq!(newest(&latest).interval_s, Some(10.0));
    }

    #[test]
    fn a_clock_that_runs_a_minute_ahead_is_believed() {
        let mut latest = LatestValues::new(1);
        let mut ahead = at(20);
        ahead.generation.0 = ahead.generation.0.plus_nanos(60_000_000_000);
        for sample in [&ahead, &at(79)] {
            latest.on_sample(sample, 0);
        }
        assert_eq!(latest.of(ParameterIndex(0)).expect("a sample came").sample, ahead);
    }

    #[test]
    fn of_two_stations_that_hear_the_same_sample_the_first_one_stands() {
        let mut latest = LatestValues::new(1);
        for (second, source) in [(1, 7), (1, 8), (2, 8), (2, 7)] {
            latest.on_sample(&at(second), source);
        }
        assert_eq!(latest.of(ParameterIndex(0)).map(|value| value.source), Some(8));
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
