//! The link to the ground: a receiver that locks and a transmitter that is on while a station is in view.

use super::{
    body::{STEP_S, Surroundings},
    fault::{Fault, Faults},
    labels::{SpacecraftMode, StationInView, TransmitterState},
};
use crate::noise::Noise;

const WARM_UP_S: f64 = 8.0;
const TRANSMIT_W: f64 = 2.1;
const FLOOR_DBM: f64 = -132.0;
const THRESHOLD_DBM: f64 = -117.0;
/// At 1,000 km.
const SIGNAL_DBM: f64 = -88.0;
const UPLINK_HZ: f64 = 2.067e9;
const LIGHT_KM_S: f64 = 299_792.458;
const RATE_BIT_S: u32 = 4_000_000;
const FRAME_BITS: f64 = 8_920.0;
const DROP_EVERY_S: f64 = 60.0;
const DROP_FOR_S: f64 = 20.0;

pub(super) struct Communications {
    pub(super) transmitter: TransmitterState,
    pub(super) station: StationInView,
    pub(super) locked: bool,
    pub(super) lock_lost: bool,
    pub(super) signal_dbm: f64,
    pub(super) doppler_hz: i32,
    pub(super) power_w: f64,
    pub(super) frames: u32,
    pub(super) commands: u32,
    pub(super) command_errors: u32,
    on_for_s: f64,
    frames_part: f64,
}

impl Communications {
    pub(super) fn new() -> Self {
        Self {
            transmitter: TransmitterState::Off,
            station: StationInView::None,
            locked: false,
            lock_lost: false,
            signal_dbm: FLOOR_DBM,
            doppler_hz: 0,
            power_w: 0.0,
            frames: 0,
            commands: 0,
            command_errors: 0,
            on_for_s: 0.0,
            frames_part: 0.0,
        }
    }

    pub(super) fn step(
        &mut self,
        surroundings: &Surroundings,
        mode: SpacecraftMode,
        faults: &Faults,
        noise: Noise,
        tick: u64,
    ) {
        self.station = surroundings.station;
        self.receive(surroundings, faults);
        self.transmit(mode == SpacecraftMode::Downlink);
        if self.locked {
            // A command every 15 s or so; one in two hundred is damaged.
            let drawn = noise.uniform(2, tick);
            self.commands += u32::from(drawn < STEP_S / 15.0);
            self.command_errors += u32::from(drawn > 1.0 - STEP_S / 3_000.0);
        }
    }

    pub(super) fn margin_db(&self) -> f64 {
        self.signal_dbm - THRESHOLD_DBM
    }

    /// Taken from the bus.
    pub(super) fn power_w(&self) -> f64 {
        self.supply_v() * self.current_a()
    }

    pub(super) fn supply_v(&self) -> f64 {
        if self.transmitter == TransmitterState::Off { 0.0 } else { 12.05 }
    }

    pub(super) fn current_a(&self) -> f64 {
        match self.transmitter {
            TransmitterState::Off => 0.0,
            TransmitterState::WarmingUp => 0.6,
            TransmitterState::Transmitting => 1.9,
        }
    }

    pub(super) fn rate_bit_s(&self) -> u32 {
        if self.transmitter == TransmitterState::Transmitting { RATE_BIT_S } else { 0 }
    }

    fn receive(&mut self, surroundings: &Surroundings, faults: &Faults) {
        let dropped =
            faults.seconds(Fault::TransponderDrop).is_some_and(|seconds| seconds % DROP_EVERY_S < DROP_FOR_S);
        let locked_before = self.locked;
        match surroundings.look {
            Some(look) => {
                let path_db = 20.0 * (look.range_km / 1_000.0).log10();
                // Low over the horizon the antenna sees less.
                let horizon_db = 6.0 * (1.0 - look.elevation_deg.to_radians().sin());
                self.signal_dbm = SIGNAL_DBM - path_db - horizon_db - if dropped { 35.0 } else { 0.0 };
                self.doppler_hz = (-look.range_rate_km_s / LIGHT_KM_S * UPLINK_HZ).round() as i32;
            }
            None => {
                self.signal_dbm = FLOOR_DBM;
                self.doppler_hz = 0;
            }
        }
        self.locked = self.signal_dbm > THRESHOLD_DBM;
        self.lock_lost = locked_before && !self.locked && surroundings.look.is_some();
    }

    fn transmit(&mut self, wanted: bool) {
        self.on_for_s = if wanted { self.on_for_s + STEP_S } else { 0.0 };
        self.transmitter = match self.on_for_s {
            0.0 => TransmitterState::Off,
            seconds if seconds < WARM_UP_S => TransmitterState::WarmingUp,
            _ => TransmitterState::Transmitting,
        };
        self.power_w = if self.transmitter == TransmitterState::Transmitting { TRANSMIT_W } else { 0.0 };
        self.frames_part += f64::from(self.rate_bit_s()) * STEP_S / FRAME_BITS;
        self.frames = self.frames.wrapping_add(self.frames_part as u32);
        self.frames_part = self.frames_part.fract();
    }
}
