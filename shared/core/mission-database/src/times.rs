//! Absolute times: from a counter in the packet to a moment.

use space_packet::{TaiTime, UtcTime};

use crate::condition::{Register, Scope};
use crate::{EngineeringValue, RawValue};

const NANOS_PER_SECOND: f64 = 1e9;
/// 1980-01-06T00:00:00 UTC, where GPS time begins, in seconds of [`TaiTime`].
const GPS_EPOCH_TAI_S: i64 = 315_964_800 + 19;
/// 1958-01-01T00:00:00 TAI, likewise.
const TAI_EPOCH_TAI_S: i64 = -4_383 * 86_400;
/// 2000-01-01T12:00:00 TT, which is 32.184 s ahead of TAI, in nanoseconds of [`TaiTime`].
const J2000_TAI_NANOS: i64 = (946_728_000 - 32) * 1_000_000_000 - 184_000_000;

/// XTCE `AbsoluteTimeParameterType`: raw · scale + offset, counted from somewhere.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TimeScale {
    pub(crate) origin: Origin,
    /// Seconds of one tick.
    pub(crate) scale_s: f64,
    pub(crate) offset_s: f64,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Origin {
    /// From a moment, through leap seconds.
    Continuous(TaiTime),
    /// From a calendar date as clocks do that know no leap seconds; Unix seconds of that date.
    LeapSecondsSkipped { unix_seconds: i64 },
    /// From the time of another parameter.
    Parameter(Register),
}

impl Origin {
    pub(crate) const GPS: Self = Self::Continuous(TaiTime(GPS_EPOCH_TAI_S * 1_000_000_000));
    pub(crate) const J2000: Self = Self::Continuous(TaiTime(J2000_TAI_NANOS));
    pub(crate) const TAI: Self = Self::Continuous(TaiTime(TAI_EPOCH_TAI_S * 1_000_000_000));
    pub(crate) const UNIX: Self = Self::LeapSecondsSkipped { unix_seconds: 0 };

    /// What an `Epoch` element names: one of the words, or a date with or without a time, in UTC.
    pub(crate) fn named(text: &str) -> Option<Self> {
        match text {
            "GPS" => Some(Self::GPS),
            "J2000" => Some(Self::J2000),
            "TAI" => Some(Self::TAI),
            "UNIX" | "POSIX" => Some(Self::UNIX),
            date => {
                let date = date.strip_suffix('Z').unwrap_or(date);
                let clock = if date.contains('T') { "Z" } else { "T00:00:00Z" };
                let utc = UtcTime::parse(&format!("{date}{clock}")).ok()?;
                Some(Self::LeapSecondsSkipped { unix_seconds: utc.unix_seconds })
            }
        }
    }
}

impl TimeScale {
    /// `None` when the raw value is no number, or so large that it is no time.
    pub(crate) fn apply(&self, raw: &RawValue<'_>, scope: &Scope<'_, '_>) -> Option<TaiTime> {
        let elapsed = self.elapsed_nanos(raw)?;
        match self.origin {
            Origin::Continuous(start) => start.0.checked_add(elapsed).map(TaiTime),
            Origin::LeapSecondsSkipped { unix_seconds } => {
                let start = unix_seconds.checked_mul(1_000_000_000)?;
                start.checked_add(elapsed).map(TaiTime::from_unix_nanos)
            }
            Origin::Parameter(register) => match scope.engineering(register)? {
                EngineeringValue::Time(start) => start.0.checked_add(elapsed).map(TaiTime),
                _ => None,
            },
        }
    }

    /// The raw value of a moment, the other way round: the nearest whole one, and the exact one. `None` where another
    /// parameter tells where it counts from, or nothing does.
    pub(crate) fn ticks(&self, time: TaiTime) -> Option<(i128, f64)> {
        let since_origin = match self.origin {
            Origin::Continuous(start) => i128::from(time.0) - i128::from(start.0),
            Origin::LeapSecondsSkipped { unix_seconds } => {
                i128::from(time.to_unix_nanos()) - i128::from(unix_seconds) * 1_000_000_000
            }
            Origin::Parameter(_) => return None,
        };
        let elapsed = since_origin - i128::from(rounded(self.offset_s * NANOS_PER_SECOND)?);
        let tick_nanos = self.scale_s * NANOS_PER_SECOND;
        let exact = elapsed as f64 / tick_nanos;
        let nearest = match rounded(tick_nanos) {
            Some(tick) if tick > 0 && is_whole(tick_nanos) => {
                (elapsed + i128::from(tick / 2)).div_euclid(i128::from(tick))
            }
            // Saturates, which is then outside of any field.
            _ => exact.round() as i128,
        };
        exact.is_finite().then_some((nearest, exact))
    }

    /// Exact where a tick is a whole number of nanoseconds.
    fn elapsed_nanos(&self, raw: &RawValue<'_>) -> Option<i64> {
        let tick_nanos = self.scale_s * NANOS_PER_SECOND;
        let offset_nanos = rounded(self.offset_s * NANOS_PER_SECOND)?;
        let integer = match raw {
            RawValue::Signed(value) => Some(i128::from(*value)),
            RawValue::Unsigned(value) => Some(i128::from(*value)),
            _ => None,
        };
        let nanos = match integer {
            Some(ticks) if is_whole(tick_nanos) => {
                i64::try_from(ticks.checked_mul(i128::from(rounded(tick_nanos)?))?).ok()?
            }
            _ => rounded(raw.as_f64()? * tick_nanos)?,
        };
        nanos.checked_add(offset_nanos)
    }
}

/// Whether it is a whole number but for what a decimal fraction loses in an `f64`.
fn is_whole(tick_nanos: f64) -> bool {
    (tick_nanos - tick_nanos.round()).abs() <= tick_nanos.abs() * 1e-12
}

fn rounded(nanos: f64) -> Option<i64> {
    // Beyond this an `i64` cannot hold it.
    (nanos.abs() < 9.2e18).then(|| nanos.round() as i64)
}
