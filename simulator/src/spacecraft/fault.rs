//! What may go wrong aboard, on request.

use std::{fmt, str::FromStr};

/// A fault that can be switched on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fault {
    /// Battery cell 3 degrades within 20 minutes: its voltage falls, its resistance and temperature rise.
    BatteryCell,
    /// The attitude sensors become forty times as noisy.
    SensorNoise,
    /// The thermistor of solar array 1 shows for ever what it showed at that moment.
    StuckThermistor,
    /// The receiver loses lock and signal strength for 20 seconds of every minute.
    TransponderDrop,
    /// The bearing of reaction wheel 2 wears within 10 minutes: its current and temperature rise.
    WheelFriction,
}

impl Fault {
    /// Every fault there is.
    pub const ALL: [Fault; 5] = [
        Self::BatteryCell,
        Self::SensorNoise,
        Self::StuckThermistor,
        Self::TransponderDrop,
        Self::WheelFriction,
    ];

    /// As the command line names it.
    pub fn name(self) -> &'static str {
        match self {
            Self::BatteryCell => "battery-cell",
            Self::SensorNoise => "sensor-noise",
            Self::StuckThermistor => "stuck-thermistor",
            Self::TransponderDrop => "transponder-drop",
            Self::WheelFriction => "wheel-friction",
        }
    }

    /// Seconds until it has its full effect.
    fn ramp_s(self) -> f64 {
        match self {
            Self::BatteryCell => 1_200.0,
            Self::WheelFriction => 600.0,
            Self::SensorNoise | Self::StuckThermistor | Self::TransponderDrop => 0.0,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// A name that no fault has.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error(
    "no fault is called {found:?}; there are battery-cell, sensor-noise, stuck-thermistor, \
     transponder-drop and wheel-friction"
)]
pub struct UnknownFault {
    /// The name.
    pub found: String,
}

impl FromStr for Fault {
    type Err = UnknownFault;

    fn from_str(name: &str) -> Result<Self, UnknownFault> {
        let found = Self::ALL.into_iter().find(|fault| fault.name() == name);
        found.ok_or_else(|| UnknownFault { found: name.to_owned() })
    }
}

/// Which faults are on, and for how long.
#[derive(Clone, Debug, Default)]
pub(super) struct Faults {
    seconds: [Option<f64>; Fault::ALL.len()],
}

impl Faults {
    /// The fault has been on for this long.
    pub(super) fn on_elapsed(&mut self, fault: Fault, seconds: f64) {
        self.seconds[fault as usize] = Some(seconds);
    }

    pub(super) fn is_on(&self, fault: Fault) -> bool {
        self.seconds[fault as usize].is_some()
    }

    /// Seconds since it began; `None` while all is well.
    pub(super) fn seconds(&self, fault: Fault) -> Option<f64> {
        self.seconds[fault as usize]
    }

    /// 0 while all is well, rising to 1.
    pub(super) fn severity(&self, fault: Fault) -> f64 {
        match self.seconds[fault as usize] {
            Some(seconds) if fault.ramp_s() > 0.0 => (seconds / fault.ramp_s()).min(1.0),
            Some(_) => 1.0,
            None => 0.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_is_found_by_its_name_and_a_wrong_name_lists_them_all() {
        for fault in Fault::ALL {
            assert_eq!(fault.name().parse(), Ok(fault));
        }
        let message = "meteorite".parse::<Fault>().expect_err("no such fault").to_string();
        assert!(Fault::ALL.into_iter().all(|fault| message.contains(fault.name())));
    }
}
