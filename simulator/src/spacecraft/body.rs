//! The whole spacecraft in steps of 250 ms: surroundings, mode, and one module for each subsystem.

use space_packet::TaiTime;

use super::{
    attitude::{Attitude, Wheel},
    communications::Communications,
    computer::{Computer, Event},
    fault::Faults,
    labels::{EventIdentifier, EventSeverity, Label, PayloadState, SpacecraftMode as Mode, StationInView},
    payload::Payload,
    power::Power,
    thermal::{Inputs, Thermal},
};
use crate::{
    noise::Noise,
    orbit::{Orbit, OrbitState, Place, Vector, sun_direction},
    passes::{AWARUA, Look, SVALBARD, Station},
};

/// One step of the simulation.
pub(super) const STEP_S: f64 = 0.25;
/// Science needs at least this much charge; below `LOAD_SHED_CHARGE` it stops.
const SCIENCE_CHARGE: f64 = 0.75;
/// The spectrometer looks at land between these latitudes.
const SCIENCE_LATITUDE_DEG: f64 = 58.0;

/// What is outside.
pub(super) struct Surroundings {
    pub(super) orbit: OrbitState,
    pub(super) place: Place,
    /// Unit vector, inertial.
    pub(super) sun: Vector,
    pub(super) sunlit: bool,
    pub(super) beta_deg: f64,
    pub(super) station: StationInView,
    /// Of the station in view.
    pub(super) look: Option<Look>,
}

/// The spacecraft.
pub(super) struct Body {
    pub(super) tick: u64,
    pub(super) noise: Noise,
    pub(super) faults: Faults,
    pub(super) surroundings: Surroundings,
    pub(super) mode: Mode,
    pub(super) attitude: Attitude,
    pub(super) power: Power,
    pub(super) thermal: Thermal,
    pub(super) communications: Communications,
    pub(super) computer: Computer,
    pub(super) payload: Payload,
    orbit: Orbit,
    /// Events of this step.
    events: Vec<Event>,
}

impl Surroundings {
    fn at(orbit: &Orbit, time: TaiTime) -> Self {
        let state = orbit.state_at(time);
        let seen = |station: Station, label| {
            let look = station.look(&state);
            (look.elevation_deg > station.mask_deg).then_some((label, look))
        };
        let station = seen(SVALBARD, StationInView::Svalbard).or_else(|| seen(AWARUA, StationInView::Awarua));
        Self {
            place: state.place(),
            sun: sun_direction(time),
            sunlit: state.is_sunlit(),
            beta_deg: state.beta_deg(),
            station: station.map_or(StationInView::None, |(label, _)| label),
            look: station.map(|(_, look)| look),
            orbit: state,
        }
    }
}

impl Body {
    pub(super) fn new(seed: u64, time: TaiTime) -> Self {
        let orbit = Orbit::demo();
        let noise = Noise::new(seed);
        let surroundings = Surroundings::at(&orbit, time);
        Self {
            tick: 0,
            noise,
            faults: Faults::default(),
            mode: Mode::Nominal,
            attitude: Attitude::new(&surroundings),
            power: Power::new(noise),
            thermal: Thermal::new(surroundings.sunlit),
            communications: Communications::new(),
            computer: Computer::new(noise),
            payload: Payload::new(),
            surroundings,
            orbit,
            events: Vec::new(),
        }
    }

    /// Lives through one step that ends at `time`.
    pub(super) fn step(&mut self, time: TaiTime) {
        self.tick += 1;
        let before = std::mem::replace(&mut self.surroundings, Surroundings::at(&self.orbit, time));
        self.report_surroundings(&before);
        self.choose_mode();
        self.payload.step(self.mode, self.power.load_shed, self.noise, self.tick);
        self.communications.step(&self.surroundings, self.mode, &self.faults, self.noise, self.tick);
        self.attitude.step(&self.surroundings, self.mode, &self.faults);
        self.step_power_and_heat();
        self.computer.step(self.mode, self.payload.state, self.noise, self.tick);
        self.report_equipment();
    }

    /// The events of the last step.
    pub(super) fn take_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
    }

    fn step_power_and_heat(&mut self) {
        let load_w = 21.0
            + 7.0 * self.computer.processor_load
            + self.payload.power_w()
            + self.communications.power_w()
            + self.attitude.power_w()
            + self.thermal.heater_power_w();
        let array_celsius = self.thermal.array_celsius();
        let sun_body = self.attitude.sun_body;
        self.power.step(load_w, sun_body, self.surroundings.sunlit, array_celsius, &self.faults);
        let switched = self.thermal.step(&self.thermal_inputs(), &self.faults);
        for heater in switched {
            self.report(EventIdentifier::HeaterSwitched, EventSeverity::Information, heater as i32);
        }
    }

    fn thermal_inputs(&self) -> Inputs {
        Inputs {
            sunlit: self.surroundings.sunlit,
            sun_body: self.attitude.sun_body,
            processor_load: self.computer.processor_load,
            transmitter_w: self.communications.power_w(),
            payload_w: self.payload.power_w(),
            battery_heat_w: self.power.battery_heat_w,
            wheel_heat_w: self.attitude.wheels.map(Wheel::heat_w),
            load_w: self.power.load_w,
        }
    }

    fn choose_mode(&mut self) {
        let latitude = self.surroundings.place.latitude_deg.abs();
        let mode = if self.power.load_shed {
            Mode::Safe
        } else if self.surroundings.look.is_some() {
            Mode::Downlink
        } else if self.surroundings.sunlit
            && latitude < SCIENCE_LATITUDE_DEG
            && self.power.charge > SCIENCE_CHARGE
            && self.payload.has_room()
        {
            Mode::Science
        } else {
            Mode::Nominal
        };
        if mode != self.mode {
            self.mode = mode;
            self.computer.mode_changes += 1;
            let severity =
                if mode == Mode::Safe { EventSeverity::Warning } else { EventSeverity::Information };
            self.report(EventIdentifier::ModeChanged, severity, mode.raw() as i32);
        }
    }

    fn report_surroundings(&mut self, before: &Surroundings) {
        let information = EventSeverity::Information;
        if before.sunlit && !self.surroundings.sunlit {
            self.computer.eclipses += 1;
            self.report(EventIdentifier::EclipseEntered, information, 0);
        } else if !before.sunlit && self.surroundings.sunlit {
            self.report(EventIdentifier::EclipseLeft, information, 0);
        }
        if before.orbit.position_km[2] < 0.0 && self.surroundings.orbit.position_km[2] >= 0.0 {
            self.computer.orbits += 1;
        }
        if before.station != self.surroundings.station {
            if before.station != StationInView::None {
                self.report(EventIdentifier::StationLost, information, before.station.raw() as i32);
            }
            if self.surroundings.station != StationInView::None {
                let station = self.surroundings.station.raw() as i32;
                self.report(EventIdentifier::StationAcquired, information, station);
            }
        }
    }

    /// Reports each change that a subsystem noticed in this step, once.
    fn report_equipment(&mut self) {
        use EventIdentifier as Identifier;
        let found = [
            (
                self.attitude.desaturation_started,
                Identifier::DesaturationStarted,
                EventSeverity::Information,
                0,
            ),
            (self.attitude.desaturation_ended, Identifier::DesaturationEnded, EventSeverity::Information, 0),
            (self.attitude.friction_noticed, Identifier::WheelFrictionHigh, EventSeverity::Warning, 2),
            (self.power.shed_started, Identifier::LoadShed, EventSeverity::Error, 0),
            (self.power.shed_ended, Identifier::LoadRestored, EventSeverity::Information, 0),
            (self.power.weak_cell_noticed, Identifier::BatteryCellLow, EventSeverity::Error, 3),
            (self.communications.lock_lost, Identifier::ReceiverLockLost, EventSeverity::Warning, 0),
            (
                self.payload.changed_to(PayloadState::Observing),
                Identifier::ObservationStarted,
                EventSeverity::Information,
                0,
            ),
            (self.payload.observation_ended, Identifier::ObservationEnded, EventSeverity::Information, 0),
        ];
        for (happened, identifier, severity, argument) in found {
            if happened {
                self.report(identifier, severity, argument);
            }
        }
    }

    fn report(&mut self, identifier: EventIdentifier, severity: EventSeverity, argument: i32) {
        self.computer.events += 1;
        self.events.push(Event { number: self.computer.events, identifier, severity, argument });
    }
}
