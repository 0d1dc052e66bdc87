//! Power: two wings that follow the Sun about one axis, six body panels, eight lithium-ion cells in series.

use super::{
    body::STEP_S,
    fault::{Fault, Faults},
    labels::ChargeState,
    thermal::{Node, Thermal},
};
use crate::{noise::Noise, orbit::Vector};

/// Below this the battery counts as empty.
pub(super) const UNDERVOLTAGE_V: f64 = 27.0;
const CELLS: usize = 8;
const WEAK_CELL: usize = 2;
const CAPACITY_AS: f64 = 6.0 * 3_600.0;
const CELL_RESISTANCE_OHM: f64 = 0.012;
const WING_CURRENT_A: f64 = 2.3;
const PANEL_CURRENT_A: f64 = 0.42;
const BUS_V: f64 = 28.1;
/// Above this charge the regulator lets the current taper.
const TAPER_CHARGE: f64 = 0.92;
const SHED_BELOW: f64 = 0.35;
const RESTORE_ABOVE: f64 = 0.6;
const WEAK_CELL_V: f64 = 3.4;

pub(super) struct Power {
    pub(super) charge: f64,
    pub(super) cell_voltage_v: [f64; CELLS],
    pub(super) battery_voltage_v: f64,
    /// Positive while it is charged.
    pub(super) battery_current_a: f64,
    pub(super) battery_heat_w: f64,
    pub(super) bus_voltage_v: f64,
    pub(super) bus_current_a: f64,
    pub(super) load_w: f64,
    pub(super) array_voltage_v: [f64; 2],
    pub(super) array_current_a: [f64; 2],
    pub(super) panel_current_a: [f64; 6],
    pub(super) state: ChargeState,
    pub(super) shunt: bool,
    pub(super) load_shed: bool,
    pub(super) shed_started: bool,
    pub(super) shed_ended: bool,
    pub(super) weak_cell_noticed: bool,
    pub(super) cycles: u32,
    /// Cells are not quite alike: volts each differs from the mean.
    cell_spread_v: [f64; CELLS],
    weak_cell_reported: bool,
}

impl Power {
    pub(super) fn new(noise: Noise) -> Self {
        let mut power = Self {
            charge: 0.9,
            cell_voltage_v: [0.0; CELLS],
            battery_voltage_v: 0.0,
            battery_current_a: 0.0,
            battery_heat_w: 0.0,
            bus_voltage_v: BUS_V,
            bus_current_a: 0.0,
            load_w: 30.0,
            array_voltage_v: [0.0; 2],
            array_current_a: [0.0; 2],
            panel_current_a: [0.0; 6],
            state: ChargeState::Balanced,
            shunt: false,
            load_shed: false,
            shed_started: false,
            shed_ended: false,
            weak_cell_noticed: false,
            cycles: 3_140,
            cell_spread_v: std::array::from_fn(|cell| 0.006 * noise.gaussian(1, cell as u64)),
            weak_cell_reported: false,
        };
        power.settle_cells(0.0);
        power
    }

    pub(super) fn step(
        &mut self,
        load_w: f64,
        sun_body: Vector,
        sunlit: bool,
        array_celsius: [f64; 2],
        faults: &Faults,
    ) {
        self.load_w = if self.load_shed { load_w * 0.8 } else { load_w };
        self.bus_voltage_v = BUS_V - 0.002 * self.load_w;
        self.bus_current_a = self.load_w / self.bus_voltage_v;
        self.collect(sun_body, sunlit, array_celsius);
        self.charge_battery(faults.severity(Fault::BatteryCell));
        self.shed_load();
    }

    /// Temperature of a cell: four sit in each half of the battery.
    pub(super) fn cell_temperature(&self, thermal: &Thermal, cell: usize) -> f64 {
        let half = if cell < CELLS / 2 { Node::Battery1 } else { Node::Battery2 };
        let weak = if cell == WEAK_CELL { 4.0 * (self.cell_sag() / 0.55) } else { 0.0 };
        thermal.reading(half) + 0.15 * (cell % 4) as f64 + weak
    }

    pub(super) fn health_percent(&self) -> u32 {
        if self.cell_sag() > 0.1 { 81 } else { 94 }
    }

    /// Balancing works on cells above the mean near the end of the charge.
    pub(super) fn balancing_mask(&self) -> u32 {
        if self.state != ChargeState::Taper {
            return 0;
        }
        let mean = self.battery_voltage_v / CELLS as f64;
        (0..CELLS).filter(|&cell| self.cell_voltage_v[cell] > mean + 0.004).map(|cell| 1 << cell).sum()
    }

    fn collect(&mut self, sun_body: Vector, sunlit: bool, array_celsius: [f64; 2]) {
        let light = if sunlit { 1.0 } else { 0.0 };
        let wing_cosine = (1.0 - sun_body[1].powi(2)).max(0.0).sqrt();
        for (wing, celsius) in array_celsius.into_iter().enumerate() {
            self.array_current_a[wing] = light * WING_CURRENT_A * wing_cosine * (1.0 - 0.01 * wing as f64);
            self.array_voltage_v[wing] = if sunlit { 34.0 - 0.06 * (celsius - 25.0) } else { 0.3 };
        }
        for panel in 0..6 {
            let facing = if panel % 2 == 0 { sun_body[panel / 2] } else { -sun_body[panel / 2] };
            self.panel_current_a[panel] = light * (PANEL_CURRENT_A * facing.max(0.0) + 0.012);
        }
    }

    fn charge_battery(&mut self, severity: f64) {
        let wings_w: f64 = (0..2).map(|wing| self.array_voltage_v[wing] * self.array_current_a[wing]).sum();
        let panels_w = self.panel_current_a.iter().sum::<f64>() * 8.0;
        let offered_a = (0.94 * (wings_w + panels_w) - self.load_w) / self.battery_voltage_v;
        // The acceptance falls to nothing as the charge nears full.
        let accepted_a = 6.0 * ((1.0 - self.charge) / (1.0 - TAPER_CHARGE)).clamp(0.0, 1.0);
        let discharging_before = self.battery_current_a < -0.05;
        self.shunt = offered_a > accepted_a + 0.02;
        if self.shunt && offered_a > 0.0 {
            // The regulator moves the wings off their best point: less current, not less voltage.
            let used = (self.load_w + accepted_a * self.battery_voltage_v) / (0.94 * (wings_w + panels_w));
            self.array_current_a = self.array_current_a.map(|current| current * used.clamp(0.2, 1.0));
        }
        self.battery_current_a = offered_a.min(accepted_a);
        let leak_a = 0.05 * severity;
        let moved = (self.battery_current_a - leak_a) * STEP_S / CAPACITY_AS;
        self.charge = (self.charge + moved).clamp(0.0, 1.0);
        self.state = match self.battery_current_a {
            current if current < -0.05 => ChargeState::Discharging,
            current if current < 0.05 => ChargeState::Balanced,
            _ if self.charge > TAPER_CHARGE => ChargeState::Taper,
            _ => ChargeState::Charging,
        };
        self.cycles += u32::from(discharging_before && self.battery_current_a > 0.05);
        self.settle_cells(severity);
    }

    fn settle_cells(&mut self, severity: f64) {
        let open_v = 3.28 + 0.72 * self.charge + 0.13 * self.charge.powi(8);
        let current_a = self.battery_current_a;
        for cell in 0..CELLS {
            let severity = if cell == WEAK_CELL { severity } else { 0.0 };
            let resistance = CELL_RESISTANCE_OHM * (1.0 + 5.0 * severity);
            let sag_v = 0.55 * severity;
            self.cell_voltage_v[cell] = open_v + self.cell_spread_v[cell] - sag_v + current_a * resistance;
        }
        self.battery_voltage_v = self.cell_voltage_v.iter().sum();
        let resistance = CELL_RESISTANCE_OHM * (CELLS as f64 + 5.0 * severity);
        self.battery_heat_w = current_a.powi(2) * resistance + 3.0 * severity;
        self.weak_cell_noticed = !self.weak_cell_reported && self.cell_voltage_v[WEAK_CELL] < WEAK_CELL_V;
        self.weak_cell_reported |= self.weak_cell_noticed;
    }

    /// How far the weak cell hangs below its neighbour.
    fn cell_sag(&self) -> f64 {
        let expected = self.cell_voltage_v[WEAK_CELL + 1] - self.cell_spread_v[WEAK_CELL + 1];
        (expected - (self.cell_voltage_v[WEAK_CELL] - self.cell_spread_v[WEAK_CELL])).max(0.0)
    }

    fn shed_load(&mut self) {
        self.shed_started = !self.load_shed && self.charge < SHED_BELOW;
        self.shed_ended = self.load_shed && self.charge > RESTORE_ABOVE;
        self.load_shed = (self.load_shed || self.shed_started) && !self.shed_ended;
    }
}
