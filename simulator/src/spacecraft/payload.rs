//! The payload: an imaging spectrometer with a cooled detector, and the storage it fills until a downlink.

use super::{
    body::STEP_S,
    labels::{Filter, PayloadState, SpacecraftMode},
};
use crate::noise::Noise;

/// Room for data.
pub(super) const STORAGE_KIB: u32 = 32 * 1024 * 1024;
const CALIBRATION_S: f64 = 20.0;
const COLD_C: f64 = -40.0;
const WARM_C: f64 = -12.0;
const OBSERVING_MBIT_S: f64 = 80.0;
const DOWNLINK_MBIT_S: f64 = 320.0;
const FILE_KIB: f64 = 65_536.0;

pub(super) struct Payload {
    pub(super) state: PayloadState,
    pub(super) observation_ended: bool,
    pub(super) detector_c: f64,
    pub(super) counts: [u32; 4],
    pub(super) frames: u32,
    pub(super) filter: Filter,
    pub(super) stored_kib: f64,
    pub(super) files: u32,
    before: PayloadState,
    on_for_s: f64,
}

impl Payload {
    pub(super) fn new() -> Self {
        Self {
            state: PayloadState::Standby,
            observation_ended: false,
            detector_c: WARM_C,
            counts: [0; 4],
            frames: 88_000,
            filter: Filter::Open,
            stored_kib: 2_500_000.0,
            files: 0,
            before: PayloadState::Standby,
            on_for_s: 0.0,
        }
    }

    pub(super) fn step(&mut self, mode: SpacecraftMode, load_shed: bool, noise: Noise, tick: u64) {
        self.before = self.state;
        let science = mode == SpacecraftMode::Science;
        self.on_for_s = if science { self.on_for_s + STEP_S } else { 0.0 };
        self.state = match (science, load_shed) {
            (_, true) => PayloadState::Off,
            (true, false) if self.on_for_s < CALIBRATION_S => PayloadState::Calibrating,
            (true, false) => PayloadState::Observing,
            (false, false) => PayloadState::Standby,
        };
        self.observation_ended =
            self.before == PayloadState::Observing && self.state != PayloadState::Observing;
        let wanted_c = if science { COLD_C } else { WARM_C };
        self.detector_c += (wanted_c - self.detector_c) * STEP_S / 90.0;
        self.expose(noise, tick);
        self.store(mode);
    }

    /// Whether the state was entered in this step.
    pub(super) fn changed_to(&self, state: PayloadState) -> bool {
        self.state == state && self.before != state
    }

    pub(super) fn has_room(&self) -> bool {
        self.stored_kib < f64::from(STORAGE_KIB) * 0.98
    }

    /// Taken from the bus.
    pub(super) fn power_w(&self) -> f64 {
        self.supply_v() * self.current_a()
    }

    pub(super) fn supply_v(&self) -> f64 {
        if self.state == PayloadState::Off { 0.0 } else { 24.0 }
    }

    pub(super) fn current_a(&self) -> f64 {
        let electronics = match self.state {
            PayloadState::Off => return 0.0,
            PayloadState::Standby => 0.15,
            PayloadState::Calibrating => 0.8,
            PayloadState::Observing => 1.15,
        };
        electronics + self.cooler_w() / 24.0
    }

    pub(super) fn cooler_w(&self) -> f64 {
        match self.state {
            PayloadState::Calibrating | PayloadState::Observing => 4.0 + 0.35 * (self.detector_c - COLD_C),
            PayloadState::Off | PayloadState::Standby => 0.0,
        }
    }

    pub(super) fn bias_v(&self) -> f64 {
        if self.is_exposing() { 5.4 } else { 0.0 }
    }

    /// Doubles every seven degrees.
    pub(super) fn dark_current(&self) -> f64 {
        4.0 * 2_f64.powf((self.detector_c - COLD_C) / 7.0)
    }

    pub(super) fn exposure_ms(&self) -> u32 {
        if self.is_exposing() { 40 } else { 0 }
    }

    pub(super) fn rate_mbit_s(&self) -> f64 {
        if self.state == PayloadState::Observing { OBSERVING_MBIT_S } else { 0.0 }
    }

    pub(super) fn compression(&self) -> f64 {
        if self.state == PayloadState::Observing { 2.4 } else { 1.0 }
    }

    fn is_exposing(&self) -> bool {
        matches!(self.state, PayloadState::Calibrating | PayloadState::Observing)
    }

    fn expose(&mut self, noise: Noise, tick: u64) {
        if !self.is_exposing() {
            self.counts = [0; 4];
            return;
        }
        self.frames = self.frames.wrapping_add(5);
        let filters = [Filter::Blue, Filter::Green, Filter::Red, Filter::NearInfrared];
        self.filter = filters[(tick / 480 % 4) as usize];
        let calibrating = self.state == PayloadState::Calibrating;
        for channel in 0..4 {
            // The ground below changes over minutes and from channel to channel.
            let along = tick as f64 * STEP_S / (45.0 + 17.0 * channel as f64);
            let scene = if calibrating { 0.5 } else { 0.5 + 0.3 * along.sin() + 0.15 * (2.7 * along).cos() };
            let signal = 52_000.0 * scene + 250.0 * noise.gaussian(10 + channel as u64, tick);
            self.counts[channel] = (signal + 12.0 * self.dark_current()).max(0.0) as u32;
        }
    }

    fn store(&mut self, mode: SpacecraftMode) {
        let kib_per_mbit = 1e6 / 8.0 / 1_024.0;
        self.stored_kib += self.rate_mbit_s() * kib_per_mbit * STEP_S;
        if mode == SpacecraftMode::Downlink {
            self.stored_kib -= DOWNLINK_MBIT_S * kib_per_mbit * STEP_S;
        }
        self.stored_kib = self.stored_kib.clamp(0.0, f64::from(STORAGE_KIB));
        self.files = (self.stored_kib / FILE_KIB).ceil() as u32;
    }
}
