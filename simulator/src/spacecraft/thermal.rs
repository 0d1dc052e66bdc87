//! Temperatures: every node approaches, with its own time constant, what sunlight and dissipation make of it.

use super::{
    body::STEP_S,
    fault::{Fault, Faults},
};
use crate::orbit::Vector;

/// The battery heaters go on below the first and off above the second.
pub(super) const BATTERY_SETPOINTS_C: (i32, i32) = (12, 15);
const HEATER_W: f64 = 5.0;
const HEATERS: usize = 4;
const NODES: usize = 24;

/// What has a temperature.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Node {
    PanelXPlus,
    PanelXMinus,
    PanelYPlus,
    PanelYMinus,
    PanelZPlus,
    PanelZMinus,
    Array1,
    Array2,
    Battery1,
    Battery2,
    Computer,
    PowerUnit,
    Transmitter,
    Receiver,
    PayloadElectronics,
    StarTracker,
    NavigationReceiver,
    Structure1,
    Structure2,
    Radiator,
    Wheel1,
    Wheel2,
    Wheel3,
    Wheel4,
}

impl Node {
    pub(super) fn wheel(index: usize) -> Self {
        [Self::Wheel1, Self::Wheel2, Self::Wheel3, Self::Wheel4][index]
    }
}

/// One heater and its thermostat.
#[derive(Clone, Copy, Debug)]
pub(super) struct Heater {
    pub(super) on: bool,
    node: Node,
    low_c: f64,
    high_c: f64,
    duty: f64,
}

/// What the other subsystems do to temperatures.
pub(super) struct Inputs {
    pub(super) sunlit: bool,
    pub(super) sun_body: Vector,
    pub(super) processor_load: f64,
    pub(super) transmitter_w: f64,
    pub(super) payload_w: f64,
    pub(super) battery_heat_w: f64,
    pub(super) wheel_heat_w: [f64; 4],
    pub(super) load_w: f64,
}

pub(super) struct Thermal {
    pub(super) heaters: [Heater; HEATERS],
    celsius: [f64; NODES],
    /// What the stuck thermistor shows.
    stuck_c: Option<f64>,
}

impl Heater {
    fn new(node: Node, low_c: f64, high_c: f64) -> Self {
        Self { on: false, node, low_c, high_c, duty: 0.0 }
    }

    pub(super) fn current_a(&self) -> f64 {
        if self.on { HEATER_W / 28.0 } else { 0.0 }
    }

    /// Over about the last ten minutes.
    pub(super) fn duty_percent(&self) -> u32 {
        (self.duty * 100.0).round() as u32
    }
}

impl Thermal {
    pub(super) fn new(sunlit: bool) -> Self {
        let mut celsius = [14.0; NODES];
        celsius[..6].fill(if sunlit { 5.0 } else { -15.0 });
        celsius[Node::Array1 as usize] = if sunlit { 52.0 } else { -45.0 };
        celsius[Node::Array2 as usize] = celsius[Node::Array1 as usize];
        celsius[Node::Computer as usize] = 24.0;
        celsius[Node::Radiator as usize] = -12.0;
        let (low, high) = (f64::from(BATTERY_SETPOINTS_C.0), f64::from(BATTERY_SETPOINTS_C.1));
        Self {
            heaters: [
                Heater::new(Node::Battery1, low, high),
                Heater::new(Node::Battery2, low, high),
                Heater::new(Node::PayloadElectronics, 8.0, 11.0),
                Heater::new(Node::StarTracker, 6.0, 9.0),
            ],
            celsius,
            stuck_c: None,
        }
    }

    /// What the thermistor of a node shows, without noise.
    pub(super) fn reading(&self, node: Node) -> f64 {
        match self.stuck_c {
            Some(celsius) if node == Node::Array1 => celsius,
            _ => self.celsius[node as usize],
        }
    }

    /// True temperatures of the two wings.
    pub(super) fn array_celsius(&self) -> [f64; 2] {
        [self.celsius[Node::Array1 as usize], self.celsius[Node::Array2 as usize]]
    }

    pub(super) fn heater_power_w(&self) -> f64 {
        HEATER_W * self.heaters.iter().filter(|heater| heater.on).count() as f64
    }

    /// Lives through one step; returns the numbers, from 1, of the heaters that switched.
    pub(super) fn step(&mut self, inputs: &Inputs, faults: &Faults) -> Vec<usize> {
        self.stuck_c = faults
            .is_on(Fault::StuckThermistor)
            .then(|| self.stuck_c.unwrap_or(self.celsius[Node::Array1 as usize]));
        let light = if inputs.sunlit { 1.0 } else { 0.0 };
        self.step_surfaces(light, inputs.sun_body);
        self.step_inside(light, inputs);
        let mut switched = Vec::new();
        for (index, heater) in self.heaters.iter_mut().enumerate() {
            let celsius = self.celsius[heater.node as usize];
            let on = celsius < heater.low_c || (heater.on && celsius < heater.high_c);
            if on != heater.on {
                switched.push(index + 1);
            }
            heater.on = on;
            heater.duty += (f64::from(u8::from(on)) - heater.duty) * STEP_S / 600.0;
        }
        switched
    }

    fn step_surfaces(&mut self, light: f64, sun_body: Vector) {
        for panel in 0..6 {
            let facing = if panel % 2 == 0 { sun_body[panel / 2] } else { -sun_body[panel / 2] };
            // The side that looks at the Earth never gets as cold.
            let earth = if panel == Node::PanelZPlus as usize { 14.0 } else { 0.0 };
            self.approach_index(panel, -34.0 + earth + light * (12.0 + 78.0 * facing.max(0.0)), 520.0);
        }
        let wing_cosine = (1.0 - sun_body[1].powi(2)).max(0.0).sqrt();
        self.approach(Node::Array1, -58.0 + light * 124.0 * wing_cosine, 260.0);
        self.approach(Node::Array2, -58.0 + light * 122.0 * wing_cosine, 270.0);
    }

    fn step_inside(&mut self, light: f64, inputs: &Inputs) {
        let hull = self.celsius[..6].iter().sum::<f64>() / 6.0;
        self.approach(Node::Structure1, 11.0 + 0.35 * hull, 3_000.0);
        self.approach(Node::Structure2, 9.0 + 0.3 * hull + 0.05 * inputs.payload_w, 3_400.0);
        let structure = self.celsius[Node::Structure1 as usize];
        let heated = |heater: Heater| if heater.on { 3.2 * HEATER_W } else { 0.0 };
        let [battery_1, battery_2, payload, star_tracker] = self.heaters.map(heated);
        self.approach(Node::Battery1, structure - 1.0 + 5.0 * inputs.battery_heat_w + battery_1, 2_600.0);
        self.approach(Node::Battery2, structure - 1.5 + 2.5 * inputs.battery_heat_w + battery_2, 2_800.0);
        self.approach(Node::Computer, structure + 4.0 + 18.0 * inputs.processor_load, 900.0);
        self.approach(Node::PowerUnit, structure + 0.12 * inputs.load_w + 3.0 * light, 1_100.0);
        self.approach(Node::Transmitter, structure - 2.0 + 1.1 * inputs.transmitter_w, 420.0);
        self.approach(Node::Receiver, structure + 5.0, 1_500.0);
        let payload = structure - 6.0 + 0.6 * inputs.payload_w + payload;
        self.approach(Node::PayloadElectronics, payload, 1_300.0);
        self.approach(Node::StarTracker, structure - 7.0 + star_tracker, 1_700.0);
        self.approach(Node::NavigationReceiver, structure + 7.0, 1_200.0);
        self.approach(Node::Radiator, -22.0 + 0.2 * inputs.load_w + 6.0 * light, 1_000.0);
        for (index, heat_w) in inputs.wheel_heat_w.into_iter().enumerate() {
            self.approach(Node::wheel(index), structure + 3.5 * heat_w, 1_000.0);
        }
    }

    fn approach(&mut self, node: Node, celsius: f64, time_constant_s: f64) {
        self.approach_index(node as usize, celsius, time_constant_s);
    }

    fn approach_index(&mut self, index: usize, celsius: f64, time_constant_s: f64) {
        self.celsius[index] += (celsius - self.celsius[index]) * STEP_S / time_constant_s;
    }
}
