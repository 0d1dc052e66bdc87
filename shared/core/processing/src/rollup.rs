//! What is kept of many samples in little room: how many there were, their extremes, the first and the last one, and
//! how they stood to their limits, for each second, minute or hour.
//!
//! Merging is commutative: any order and any split of samples gives the same roll-up (sums but for rounding), so late
//! samples make one more roll-up of the same bucket, and whoever reads merges them.

use mission_database::{MonitoringResult, ParameterIndex};

use crate::Sample;

const NANOS_PER_SECOND: i64 = 1_000_000_000;
/// No bucket.
const NONE: u32 = u32::MAX;
/// Live and replayed data of a parameter come by turns; each goes on in its own bucket.
const BUCKETS_TRIED: usize = 3;

/// How long a bucket is. Buckets begin at whole multiples of it in TAI.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Resolution {
    /// One second.
    Second,
    /// 60 seconds.
    Minute,
    /// 3,600 seconds.
    Hour,
}

impl Resolution {
    /// From the finest to the coarsest.
    pub const ALL: [Self; 3] = [Self::Second, Self::Minute, Self::Hour];

    /// Length of a bucket.
    pub fn width_nanos(self) -> i64 {
        match self {
            Self::Second => NANOS_PER_SECOND,
            Self::Minute => 60 * NANOS_PER_SECOND,
            Self::Hour => 3_600 * NANOS_PER_SECOND,
        }
    }

    /// Beginning of the bucket that a time lies in.
    pub fn start_of(self, time: i64) -> i64 {
        time.div_euclid(self.width_nanos()).saturating_mul(self.width_nanos())
    }
}

/// Samples of one parameter, rolled up. A number is NaN where there is none.
#[derive(Clone, Copy, Debug)]
pub struct RollUp {
    /// Samples.
    pub count: u32,
    /// Of them, those without a number: invalid ones, text, bytes and times.
    pub without_number: u32,
    /// Of them, those outside a limit.
    pub violations: u32,
    /// How the worst one stood to its limits.
    pub worst: MonitoringResult,
    /// Generation time of the first one, TAI nanoseconds.
    pub first_at: i64,
    /// Generation time of the last one.
    pub last_at: i64,
    /// The first one.
    pub first: f64,
    /// The last one.
    pub last: f64,
    /// The smallest one.
    pub minimum: f64,
    /// The largest one.
    pub maximum: f64,
    /// All of them together, for the mean.
    pub sum: f64,
}

impl RollUp {
    /// Of one sample that nothing is known of but its time and number. NaN and infinities count as no number.
    #[inline]
    pub fn of(time: i64, number: Option<f64>) -> Self {
        // Adding 0 makes -0 an ordinary 0: which of two zeros is the smaller must not depend on their order.
        let number = number.filter(|number| number.is_finite()).map_or(f64::NAN, |number| number + 0.0);
        Self {
            count: 1,
            without_number: u32::from(number.is_nan()),
            violations: 0,
            worst: MonitoringResult::NotMonitored,
            first_at: time,
            last_at: time,
            first: number,
            last: number,
            minimum: number,
            maximum: number,
            sum: if number.is_nan() { 0.0 } else { number },
        }
    }

    /// Of one sample.
    pub fn of_sample(sample: &Sample) -> Self {
        Self {
            violations: u32::from(sample.monitoring > MonitoringResult::Normal),
            worst: sample.monitoring,
            ..Self::of(sample.generation.0.0, sample.number())
        }
    }

    /// Adds what another one holds.
    #[inline]
    pub fn merge(&mut self, other: &Self) {
        self.count = self.count.saturating_add(other.count);
        self.without_number = self.without_number.saturating_add(other.without_number);
        self.violations = self.violations.saturating_add(other.violations);
        self.worst = self.worst.max(other.worst);
        // Of two samples of one moment the smaller number is the first and the larger the last, whatever came first;
        // `min` and `max` pass over NaN.
        if other.first_at <= self.first_at {
            let is_tie = other.first_at == self.first_at;
            self.first = if is_tie { self.first.min(other.first) } else { other.first };
            self.first_at = other.first_at;
        }
        if other.last_at >= self.last_at {
            let is_tie = other.last_at == self.last_at;
            self.last = if is_tie { self.last.max(other.last) } else { other.last };
            self.last_at = other.last_at;
        }
        self.minimum = self.minimum.min(other.minimum);
        self.maximum = self.maximum.max(other.maximum);
        self.sum += other.sum;
    }
}

/// Roll-ups that still grow, of all parameters of a mission, at one resolution.
#[derive(Debug)]
pub struct RollUps {
    resolution: Resolution,
    /// Place of each parameter's newest bucket.
    newest: Vec<u32>,
    open: Vec<Open>,
}

#[derive(Debug)]
struct Open {
    parameter: ParameterIndex,
    /// Place of the parameter's bucket before this one.
    previous: u32,
    start: i64,
    rollup: RollUp,
}

impl RollUps {
    /// None yet.
    pub fn new(resolution: Resolution) -> Self {
        Self { resolution, newest: Vec::new(), open: Vec::new() }
    }

    /// How long a bucket is.
    pub fn resolution(&self) -> Resolution {
        self.resolution
    }

    /// Number of buckets.
    pub fn len(&self) -> usize {
        self.open.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// Takes a sample.
    #[inline]
    pub fn on_sample(&mut self, sample: &Sample) {
        self.add(sample.parameter, &RollUp::of_sample(sample));
    }

    /// Takes a roll-up of a bucket that is no longer than these.
    pub fn add(&mut self, parameter: ParameterIndex, rollup: &RollUp) {
        let place = parameter.0 as usize;
        if place >= self.newest.len() {
            self.newest.resize(place + 1, NONE);
        }
        let newest = self.newest[place];
        let mut next = newest;
        for _ in 0..BUCKETS_TRIED {
            let Some(open) = self.open.get_mut(next as usize) else { break };
            let offset = rollup.first_at.wrapping_sub(open.start);
            if (0..self.resolution.width_nanos()).contains(&offset) {
                open.rollup.merge(rollup);
                return;
            }
            next = open.previous;
        }
        let start = self.resolution.start_of(rollup.first_at);
        self.newest[place] = self.open.len() as u32;
        self.open.push(Open { parameter, previous: newest, start, rollup: *rollup });
    }

    /// The buckets of a parameter, the newest first; two may be of one time.
    pub fn of(&self, parameter: ParameterIndex) -> impl Iterator<Item = &RollUp> {
        let mut next = self.newest.get(parameter.0 as usize).copied().unwrap_or(NONE);
        std::iter::from_fn(move || {
            let open = self.open.get(next as usize)?;
            next = open.previous;
            Some(&open.rollup)
        })
    }

    /// Takes all buckets out, ordered by parameter and time, each time of a parameter once.
    pub fn take(&mut self) -> Vec<(ParameterIndex, RollUp)> {
        let mut open = std::mem::take(&mut self.open);
        self.newest.clear();
        open.sort_by_key(|open| (open.parameter, open.start));
        let mut taken: Vec<(ParameterIndex, RollUp)> = Vec::with_capacity(open.len());
        for one in open {
            let start = |rollup: &RollUp| self.resolution.start_of(rollup.first_at);
            match taken.last_mut() {
                Some((parameter, last)) if *parameter == one.parameter && start(last) == one.start => {
                    last.merge(&one.rollup);
                }
                _ => taken.push((one.parameter, one.rollup)),
            }
        }
        taken
    }
}

#[cfg(test)]
mod tests;
