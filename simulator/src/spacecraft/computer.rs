//! The on-board computer: loads, counters and events.

use super::{
    body::STEP_S,
    labels::{EventIdentifier, EventSeverity, PayloadState, SpacecraftMode},
};
use crate::noise::Noise;

/// Something that happened, once.
pub(super) struct Event {
    pub(super) number: u32,
    pub(super) identifier: EventIdentifier,
    pub(super) severity: EventSeverity,
    pub(super) argument: i32,
}

pub(super) struct Computer {
    /// 0 to 1.
    pub(super) processor_load: f64,
    /// 0 to 1.
    pub(super) memory_used: f64,
    pub(super) uptime_s: u32,
    pub(super) tasks: u32,
    pub(super) resets: u32,
    pub(super) events: u32,
    pub(super) packets: u32,
    pub(super) scrubs: u32,
    pub(super) eclipses: u32,
    pub(super) orbits: u32,
    pub(super) mode_changes: u32,
    pub(super) bus_errors: u32,
    pub(super) memory_errors: u32,
    uptime_at_start_s: u32,
}

impl Computer {
    pub(super) fn new(noise: Noise) -> Self {
        let uptime_at_start_s = 200_000 + (noise.uniform(3, 0) * 1_000_000.0) as u32;
        Self {
            processor_load: 0.3,
            memory_used: 0.42,
            uptime_s: uptime_at_start_s,
            tasks: 31,
            resets: 4,
            events: 0,
            packets: 0,
            scrubs: uptime_at_start_s / 90,
            eclipses: 0,
            orbits: 4_711,
            mode_changes: 0,
            bus_errors: 0,
            memory_errors: 0,
            uptime_at_start_s,
        }
    }

    pub(super) fn step(&mut self, mode: SpacecraftMode, payload: PayloadState, noise: Noise, tick: u64) {
        let wanted = match mode {
            SpacecraftMode::Safe => 0.15,
            SpacecraftMode::Nominal => 0.28,
            SpacecraftMode::Science => 0.62,
            SpacecraftMode::Downlink => 0.47,
        };
        self.processor_load += (wanted - self.processor_load) * STEP_S / 6.0;
        let memory = if payload == PayloadState::Observing { 0.61 } else { 0.42 };
        self.memory_used += (memory - self.memory_used) * STEP_S / 40.0;
        self.tasks = if payload == PayloadState::Observing { 37 } else { 31 };
        self.uptime_s = self.uptime_at_start_s + (tick as f64 * STEP_S) as u32;
        self.scrubs = self.uptime_s / 90;
        let drawn = noise.uniform(4, tick);
        self.memory_errors += u32::from(drawn < STEP_S / 700.0);
        self.bus_errors += u32::from(drawn > 1.0 - STEP_S / 5_000.0);
    }
}
