//! Where packets carry an instrument's own clock, and the points at which its time is known.

use std::num::NonZeroU64;

use serde::Deserialize;
use space_packet::TaiTime;
use space_packet::time::correlation::{
    Clock, ClockError, CorrelatedTime, Correlation, CorrelationError, Limits, Quality, ReferencePoint,
};

use super::Moment;

/// Where packets carry a clock, and how its time is derived.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(try_from = "ClockConfig")]
pub struct ClockTime {
    offset_bytes: usize,
    clock: Clock,
    correlation: Correlation,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClockConfig {
    offset_bytes: usize,
    coarse_bytes: u8,
    #[serde(default)]
    fine_bytes: u8,
    /// As many as the fine bytes can count when absent.
    fine_ticks_per_second: Option<NonZeroU64>,
    /// At least one.
    reference: Vec<ReferenceConfig>,
    /// Before this a derived time is not believed.
    plausible_from: Option<Moment>,
    /// After this a derived time is not believed.
    plausible_until: Option<Moment>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReferenceConfig {
    /// What the clock says, ticks as a fraction.
    raw_seconds: f64,
    /// When it says so.
    utc: Moment,
}

/// Why a configured clock tells no time.
#[derive(Debug, thiserror::Error)]
enum ClockConfigError {
    #[error("{0}")]
    Clock(#[from] ClockError),
    #[error("reference: {0}")]
    Correlation(#[from] CorrelationError),
    #[error("reference: raw_seconds = {raw_seconds} is nothing this clock can say")]
    RawSecondsOutOfRange { raw_seconds: f64 },
}

impl TryFrom<ClockConfig> for ClockTime {
    type Error = ClockConfigError;

    fn try_from(config: ClockConfig) -> Result<Self, ClockConfigError> {
        let clock = Clock::new(config.coarse_bytes, config.fine_bytes, config.fine_ticks_per_second)?;
        let points: Result<Vec<_>, _> = config.reference.iter().map(|point| point.on(clock)).collect();
        let plausible = match (config.plausible_from, config.plausible_until) {
            (None, None) => None,
            (from, until) => Some(
                from.map_or(TaiTime(i64::MIN), |from| from.0)
                    ..=until.map_or(TaiTime(i64::MAX), |until| until.0),
            ),
        };
        let limits = Limits { plausible, ..Limits::default() };
        let correlation = Correlation::new(&points?, clock.ticks_per_second(), limits)?;
        Ok(Self { offset_bytes: config.offset_bytes, clock, correlation })
    }
}

impl ReferenceConfig {
    fn on(&self, clock: Clock) -> Result<ReferencePoint, ClockConfigError> {
        let raw_seconds = self.raw_seconds;
        let ticks = (raw_seconds * clock.ticks_per_second().get() as f64).round();
        if !(0.0..u64::MAX as f64).contains(&ticks) {
            return Err(ClockConfigError::RawSecondsOutOfRange { raw_seconds });
        }
        Ok(ReferencePoint { ticks: ticks as u64, time: self.utc.0 })
    }
}

impl ClockTime {
    /// What a packet's clock says, and the time derived from it; `None` if there is no such clock in the packet.
    pub fn read(&self, packet: &[u8]) -> Option<CorrelatedTime> {
        let ticks = self.clock.ticks(packet.get(self.offset_bytes..)?).ok()?;
        Some(self.correlation.time_of(ticks))
    }

    /// The derived time, unless it is implausible: then the reception time is nearer the truth.
    pub(super) fn generation_time(&self, packet: &[u8]) -> Option<TaiTime> {
        self.read(packet).filter(|read| read.quality != Quality::Implausible).map(|read| read.time)
    }
}
