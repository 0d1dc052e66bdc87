//! Time from an instrument's or a spacecraft's own clock, by points at which both are known.
//!
//! Such a clock counts from when it was switched on, or from an epoch it keeps to only roughly, and runs too fast
//! or too slow. What it says is kept beside every time derived from it.

use std::num::NonZeroU64;
use std::ops::RangeInclusive;
use std::time::Duration;

use super::{NANOS_PER_SECOND, TaiTime};

/// How a clock stands in bytes: seconds, then ticks of the second, both big-endian.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Clock {
    coarse_bytes: u8,
    fine_bytes: u8,
    ticks_per_second: NonZeroU64,
}

/// Bytes that are no reading of a clock, or numbers that describe none.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ClockError {
    /// More ticks than the second has.
    #[error("{fine} ticks are a second or more: there are {ticks_per_second} in one")]
    FineOutOfRange {
        /// The field.
        fine: u64,
        /// Ticks in a second.
        ticks_per_second: NonZeroU64,
    },
    /// No such clock.
    #[error(
        "{coarse_bytes} bytes of seconds and {fine_bytes} of ticks are out of range: 1 to 7, and 8 in all"
    )]
    LayoutOutOfRange {
        /// Bytes of seconds.
        coarse_bytes: u8,
        /// Bytes of ticks.
        fine_bytes: u8,
    },
    /// More ticks in a second than its bytes can count.
    #[error("{ticks_per_second} ticks a second do not fit into {fine_bytes} bytes")]
    RateOutOfRange {
        /// Bytes of ticks.
        fine_bytes: u8,
        /// Ticks in a second.
        ticks_per_second: NonZeroU64,
    },
    /// Too few bytes.
    #[error("{found_bytes} bytes are too few for a clock of {wanted_bytes}")]
    Truncated {
        /// Bytes there were.
        found_bytes: usize,
        /// Bytes the clock takes.
        wanted_bytes: usize,
    },
}

impl Clock {
    /// A clock of 1 to 7 bytes of seconds and so many of ticks, 8 together; a second has 256 ticks for one byte,
    /// 65,536 for two and so on, unless `ticks_per_second` says fewer.
    pub fn new(
        coarse_bytes: u8,
        fine_bytes: u8,
        ticks_per_second: Option<NonZeroU64>,
    ) -> Result<Self, ClockError> {
        if !(1..=7).contains(&coarse_bytes) || fine_bytes > 8 - coarse_bytes {
            return Err(ClockError::LayoutOutOfRange { coarse_bytes, fine_bytes });
        }
        let full = NonZeroU64::new(1 << (8 * fine_bytes)).expect("at most 56 bits, checked above");
        let ticks_per_second = ticks_per_second.unwrap_or(full);
        if ticks_per_second > full {
            return Err(ClockError::RateOutOfRange { fine_bytes, ticks_per_second });
        }
        Ok(Self { coarse_bytes, fine_bytes, ticks_per_second })
    }

    /// Ticks in a second.
    pub fn ticks_per_second(self) -> NonZeroU64 {
        self.ticks_per_second
    }

    /// Reads the clock at the beginning of `bytes`, in ticks.
    pub fn ticks(self, bytes: &[u8]) -> Result<u64, ClockError> {
        let wanted_bytes = usize::from(self.coarse_bytes + self.fine_bytes);
        let Some(field) = bytes.get(..wanted_bytes) else {
            return Err(ClockError::Truncated { found_bytes: bytes.len(), wanted_bytes });
        };
        let (coarse, fine) = field.split_at(usize::from(self.coarse_bytes));
        let big_endian = |bytes: &[u8]| bytes.iter().fold(0, |value, &byte| value << 8 | u64::from(byte));
        let (fine, ticks_per_second) = (big_endian(fine), self.ticks_per_second);
        if fine >= ticks_per_second.get() {
            return Err(ClockError::FineOutOfRange { fine, ticks_per_second });
        }
        // 8 bytes in all, and never more ticks a second than the fine ones can count.
        Ok(big_endian(coarse) * ticks_per_second.get() + fine)
    }
}

/// A moment at which both the clock and the time were known.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ReferencePoint {
    /// What the clock said, in ticks.
    pub ticks: u64,
    /// When.
    pub time: TaiTime,
}

/// What makes a derived time doubtful; nothing does unless it is set.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Limits {
    /// How far the reference points may lie off the line through them.
    pub residual_max: Option<Duration>,
    /// How far before the first and after the last reference point the line holds.
    pub extrapolation_max: Option<Duration>,
    /// In which a time can be at all.
    pub plausible: Option<RangeInclusive<TaiTime>>,
}

/// Reference points that make no line.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum CorrelationError {
    /// There is none.
    #[error("a clock needs at least one reference point")]
    NoPoints,
    /// Several points at one reading of the clock only.
    #[error("all {points} reference points are at {ticks} ticks")]
    NoSpan {
        /// How many.
        points: usize,
        /// The reading.
        ticks: u64,
    },
    /// The later the clock, the earlier the time.
    #[error("by its reference points the clock runs backwards")]
    RunsBackwards,
}

/// A time that was derived, beside what it was derived from.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct CorrelatedTime {
    /// What the clock said.
    pub ticks: u64,
    /// What time that is; held at the ends of the range.
    pub time: TaiTime,
    /// Whether to believe it.
    pub quality: Quality,
}

/// Whether a derived time is to be believed: of several doubts, the one that stands first here.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Quality {
    /// It lies outside of what the caller calls possible.
    Implausible,
    /// It lies too far from the reference points.
    Extrapolated {
        /// How far.
        by: Duration,
    },
    /// The reference points contradict each other.
    Inaccurate {
        /// How far the worst of them lies off the line.
        residual: Duration,
    },
    /// There is no doubt.
    Good,
}

/// The line that leads from a clock's ticks to time.
///
/// Through one point it has the clock's nominal rate. Through several it is the one with the least squares of
/// distances in time. Only the drift against the nominal rate is fitted in floating point, relative to the first
/// point: that is small, so the result is exact to the nanosecond while the drift is below 100 days.
#[derive(Clone, Debug, PartialEq)]
pub struct Correlation {
    origin: ReferencePoint,
    ticks_per_second: NonZeroU64,
    drift: Drift,
    /// Readings of the clock between which the points lie.
    span: RangeInclusive<u64>,
    residual: Duration,
    limits: Limits,
}

/// Nanoseconds by which the time is ahead of the nominal rate: a line through (`ticks`, `nanos`).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Drift {
    ticks: f64,
    nanos: f64,
    nanos_per_tick: f64,
}

impl Correlation {
    /// The line through reference points, in any order, of a clock with a nominal rate.
    pub fn new(
        points: &[ReferencePoint],
        ticks_per_second: NonZeroU64,
        limits: Limits,
    ) -> Result<Self, CorrelationError> {
        let origin = *points.first().ok_or(CorrelationError::NoPoints)?;
        let readings = points.iter().map(|point| point.ticks);
        let (first, last) =
            readings.fold((u64::MAX, 0), |(low, high), ticks| (low.min(ticks), high.max(ticks)));
        let drifts: Vec<(f64, f64)> = points
            .iter()
            .map(|point| {
                let ticks = i128::from(point.ticks) - i128::from(origin.ticks);
                let elapsed = i128::from(point.time.0) - i128::from(origin.time.0);
                (ticks as f64, (elapsed - nominal_nanos(ticks, ticks_per_second)) as f64)
            })
            .collect();
        let drift = match points {
            [_] => Drift::default(),
            _ if first == last => {
                return Err(CorrelationError::NoSpan { points: points.len(), ticks: first });
            }
            _ => Drift::fitted(&drifts),
        };
        if NANOS_PER_SECOND as f64 / ticks_per_second.get() as f64 + drift.nanos_per_tick <= 0.0 {
            return Err(CorrelationError::RunsBackwards);
        }
        let off = drifts.iter().map(|&(ticks, nanos)| (nanos - drift.at(ticks)).abs());
        let residual = Duration::from_nanos(off.fold(0.0, f64::max).round() as u64);
        Ok(Self { origin, ticks_per_second, drift, span: first..=last, residual, limits })
    }

    /// How far the worst reference point lies off the line.
    pub fn residual(&self) -> Duration {
        self.residual
    }

    /// The time at which the clock said so many ticks.
    pub fn time_of(&self, ticks: u64) -> CorrelatedTime {
        let since_origin = i128::from(ticks) - i128::from(self.origin.ticks);
        // A steep line leads out of every range: held there, it is told below.
        let drift = self.drift.at(since_origin as f64).round() as i128;
        let elapsed = nominal_nanos(since_origin, self.ticks_per_second).saturating_add(drift);
        let nanos = elapsed.saturating_add(i128::from(self.origin.time.0));
        let held = nanos.clamp(i128::from(i64::MIN), i128::from(i64::MAX));
        let time = TaiTime(held as i64);
        let quality = if held == nanos { self.quality(ticks, time) } else { Quality::Implausible };
        CorrelatedTime { ticks, time, quality }
    }

    fn quality(&self, ticks: u64, time: TaiTime) -> Quality {
        let Limits { residual_max, extrapolation_max, plausible } = &self.limits;
        if plausible.as_ref().is_some_and(|plausible| !plausible.contains(&time)) {
            return Quality::Implausible;
        }
        let beyond = self.span.start().saturating_sub(ticks).max(ticks.saturating_sub(*self.span.end()));
        let by = nominal_nanos(i128::from(beyond), self.ticks_per_second);
        let by = Duration::from_nanos(u64::try_from(by).unwrap_or(u64::MAX));
        if extrapolation_max.is_some_and(|most| by > most) {
            return Quality::Extrapolated { by };
        }
        if residual_max.is_some_and(|most| self.residual > most) {
            return Quality::Inaccurate { residual: self.residual };
        }
        Quality::Good
    }
}

impl Drift {
    /// Least squares, each sum about the mean so that nothing is lost of what differs.
    fn fitted(points: &[(f64, f64)]) -> Self {
        let count = points.len() as f64;
        let ticks = points.iter().map(|(ticks, _)| ticks).sum::<f64>() / count;
        let nanos = points.iter().map(|(_, nanos)| nanos).sum::<f64>() / count;
        let products: f64 = points.iter().map(|point| (point.0 - ticks) * (point.1 - nanos)).sum();
        let squares: f64 = points.iter().map(|point| (point.0 - ticks).powi(2)).sum();
        Self { ticks, nanos, nanos_per_tick: products / squares }
    }

    fn at(self, ticks: f64) -> f64 {
        self.nanos + self.nanos_per_tick * (ticks - self.ticks)
    }
}

/// What ticks take at the nominal rate, cut to nanoseconds. 65 bits of ticks and 30 of nanoseconds fit into 128.
fn nominal_nanos(ticks: i128, ticks_per_second: NonZeroU64) -> i128 {
    (ticks * i128::from(NANOS_PER_SECOND)).div_euclid(i128::from(ticks_per_second.get()))
}

#[cfg(test)]
mod tests;
