//! The packets of the spacecraft: what each kind carries, in the order of the dictionary
//! (`demo/demo-spacecraft.xml`), and how often it is made.

use super::{
    body::Body,
    computer::Event,
    fields::*,
    labels::*,
    payload::STORAGE_KIB,
    power::UNDERVOLTAGE_V,
    thermal::{BATTERY_SETPOINTS_C, Node},
};

/// A kind of packet that is made regularly.
pub(super) struct Kind {
    /// Space system and container of the dictionary.
    pub(super) container: &'static str,
    pub(super) apid: u16,
    /// In steps of the simulation, 250 ms each.
    pub(super) period: u64,
    /// The step of the period it is made in: spreads the packets over the seconds.
    pub(super) phase: u64,
    pub(super) fill: fn(&Body, &mut Fields),
}

/// The event packet, made when something happens.
pub(super) const EVENT_CONTAINER: &str = "Computer/Event";
pub(super) const EVENT_APID: u16 = 142;

/// Every kind but the event, in the order they are made within a step.
pub(super) const KINDS: [Kind; 13] = [
    Kind { container: "Power/PowerBus", apid: 100, period: 4, phase: 0, fill: power_bus },
    Kind { container: "Power/BatteryCells", apid: 101, period: 20, phase: 2, fill: battery_cells },
    Kind { container: "Attitude/AttitudeState", apid: 110, period: 1, phase: 0, fill: attitude_state },
    Kind { container: "Attitude/WheelState", apid: 111, period: 4, phase: 1, fill: wheel_state },
    Kind { container: "Attitude/AttitudeSensors", apid: 112, period: 4, phase: 3, fill: attitude_sensors },
    Kind { container: "Attitude/Navigation", apid: 113, period: 4, phase: 2, fill: navigation },
    Kind { container: "Thermal/Temperatures", apid: 120, period: 20, phase: 5, fill: temperatures },
    Kind { container: "Thermal/Heaters", apid: 121, period: 40, phase: 9, fill: heaters },
    Kind { container: "Communications/Transponder", apid: 130, period: 4, phase: 1, fill: transponder },
    Kind { container: "Computer/ComputerHealth", apid: 140, period: 4, phase: 2, fill: computer_health },
    Kind { container: "Computer/Counters", apid: 141, period: 20, phase: 11, fill: counters },
    Kind { container: "Payload/DetectorPage", apid: 150, period: 8, phase: 3, fill: detector_page },
    Kind { container: "Payload/StoragePage", apid: 150, period: 8, phase: 7, fill: storage_page },
];

/// Power bus, solar arrays and switches.
fn power_bus(body: &Body, fields: &mut Fields) {
    let (power, computer) = (&body.power, &body.computer);
    fields.measured("battery_voltage", VOLTAGE, power.battery_voltage_v, 0.004);
    fields.measured("battery_current", SIGNED_CURRENT, power.battery_current_a, 0.008);
    fields.measured("battery_charge", PERCENTAGE, power.charge * 100.0, 0.0);
    fields.measured("bus_voltage", VOLTAGE, power.bus_voltage_v, 0.006);
    fields.measured("bus_current", CURRENT, power.bus_current_a, 0.006);
    fields.measured("bus_power", POWER, power.load_w, 0.05);
    fields.measured("array_1_voltage", VOLTAGE, power.array_voltage_v[0], 0.01);
    fields.measured("array_1_current", CURRENT, power.array_current_a[0], 0.004);
    fields.measured("array_2_voltage", VOLTAGE, power.array_voltage_v[1], 0.01);
    fields.measured("array_2_current", CURRENT, power.array_current_a[1], 0.004);
    fields.measured("panel_current_x_plus", CURRENT, power.panel_current_a[0], 0.002);
    fields.measured("panel_current_x_minus", CURRENT, power.panel_current_a[1], 0.002);
    fields.measured("panel_current_y_plus", CURRENT, power.panel_current_a[2], 0.002);
    fields.measured("panel_current_y_minus", CURRENT, power.panel_current_a[3], 0.002);
    fields.measured("panel_current_z_plus", CURRENT, power.panel_current_a[4], 0.002);
    fields.measured("panel_current_z_minus", CURRENT, power.panel_current_a[5], 0.002);
    fields.measured("regulator_5v_voltage", VOLTAGE, 5.02, 0.003);
    fields.measured("regulator_5v_current", CURRENT, 0.62 + 0.5 * computer.processor_load, 0.004);
    fields.measured("regulator_3v3_voltage", VOLTAGE, 3.31, 0.002);
    fields.measured("regulator_3v3_current", CURRENT, 0.44 + 0.3 * computer.processor_load, 0.004);
    fields.flag("sunlit", body.surroundings.sunlit);
    fields.flag("shunt", power.shunt);
    fields.flag("load_shed", power.load_shed);
    fields.flag("undervoltage", power.battery_voltage_v < UNDERVOLTAGE_V);
    fields.label("charge_state", 4, power.state);
    fields.flag("payload_switch", body.payload.state != PayloadState::Off);
    fields.flag("transmitter_switch", body.communications.transmitter != TransmitterState::Off);
    fields.flag("receiver_switch", true);
    fields.flag("wheels_switch", true);
    fields.flag(
        "star_tracker_switch",
        body.attitude.mode != AttitudeMode::SunPointing || body.mode != SpacecraftMode::Safe,
    );
    fields.flag("navigation_receiver_switch", true);
    fields.flag("battery_heaters_switch", body.thermal.heaters[0].on || body.thermal.heaters[1].on);
    fields.flag("payload_heater_switch", body.thermal.heaters[2].on);
}

/// Every cell of the battery.
fn battery_cells(body: &Body, fields: &mut Fields) {
    let power = &body.power;
    fields.measured("cell_voltage_1", VOLTAGE, power.cell_voltage_v[0], 0.002);
    fields.measured("cell_voltage_2", VOLTAGE, power.cell_voltage_v[1], 0.002);
    fields.measured("cell_voltage_3", VOLTAGE, power.cell_voltage_v[2], 0.002);
    fields.measured("cell_voltage_4", VOLTAGE, power.cell_voltage_v[3], 0.002);
    fields.measured("cell_voltage_5", VOLTAGE, power.cell_voltage_v[4], 0.002);
    fields.measured("cell_voltage_6", VOLTAGE, power.cell_voltage_v[5], 0.002);
    fields.measured("cell_voltage_7", VOLTAGE, power.cell_voltage_v[6], 0.002);
    fields.measured("cell_voltage_8", VOLTAGE, power.cell_voltage_v[7], 0.002);
    fields.temperature("cell_temperature_1", power.cell_temperature(&body.thermal, 0), 0.06);
    fields.temperature("cell_temperature_2", power.cell_temperature(&body.thermal, 1), 0.06);
    fields.temperature("cell_temperature_3", power.cell_temperature(&body.thermal, 2), 0.06);
    fields.temperature("cell_temperature_4", power.cell_temperature(&body.thermal, 3), 0.06);
    fields.temperature("cell_temperature_5", power.cell_temperature(&body.thermal, 4), 0.06);
    fields.temperature("cell_temperature_6", power.cell_temperature(&body.thermal, 5), 0.06);
    fields.temperature("cell_temperature_7", power.cell_temperature(&body.thermal, 6), 0.06);
    fields.temperature("cell_temperature_8", power.cell_temperature(&body.thermal, 7), 0.06);
    fields.count("battery_health", 8, power.health_percent());
    fields.count("charge_cycles", 16, power.cycles);
    fields.count("balancing_mask", 8, power.balancing_mask());
}

/// Estimated attitude and rates.
fn attitude_state(body: &Body, fields: &mut Fields) {
    let attitude = &body.attitude;
    fields.float("attitude_quaternion_1", attitude.quaternion[0], 2e-05);
    fields.float("attitude_quaternion_2", attitude.quaternion[1], 2e-05);
    fields.float("attitude_quaternion_3", attitude.quaternion[2], 2e-05);
    fields.float("attitude_quaternion_4", attitude.quaternion[3], 2e-05);
    fields.float("body_rate_x", attitude.rate_deg_s[0], 0.001);
    fields.float("body_rate_y", attitude.rate_deg_s[1], 0.001);
    fields.float("body_rate_z", attitude.rate_deg_s[2], 0.001);
    fields.measured("pointing_error", POINTING_ERROR, attitude.pointing_error_deg, 0.002);
    fields.label("attitude_mode", 4, attitude.mode);
    fields.flag("attitude_valid", attitude.pointing_error_deg < 90.0);
    fields.flag("desaturating", attitude.desaturating);
    fields.flag("in_eclipse", !body.surroundings.sunlit);
    fields.flag("slewing", attitude.pointing_error_deg > 2.0);
}

/// Reaction wheels and magnetic torquers.
fn wheel_state(body: &Body, fields: &mut Fields) {
    let attitude = &body.attitude;
    fields.measured("wheel_speed_1", WHEEL_SPEED, attitude.wheels[0].speed_rpm, 0.4);
    fields.measured("wheel_speed_2", WHEEL_SPEED, attitude.wheels[1].speed_rpm, 0.4);
    fields.measured("wheel_speed_3", WHEEL_SPEED, attitude.wheels[2].speed_rpm, 0.4);
    fields.measured("wheel_speed_4", WHEEL_SPEED, attitude.wheels[3].speed_rpm, 0.4);
    fields.measured("wheel_torque_1", WHEEL_TORQUE, attitude.wheels[0].torque_nm, 2e-05);
    fields.measured("wheel_torque_2", WHEEL_TORQUE, attitude.wheels[1].torque_nm, 2e-05);
    fields.measured("wheel_torque_3", WHEEL_TORQUE, attitude.wheels[2].torque_nm, 2e-05);
    fields.measured("wheel_torque_4", WHEEL_TORQUE, attitude.wheels[3].torque_nm, 2e-05);
    fields.measured("wheel_current_1", CURRENT, attitude.wheels[0].current_a, 0.003);
    fields.measured("wheel_current_2", CURRENT, attitude.wheels[1].current_a, 0.003);
    fields.measured("wheel_current_3", CURRENT, attitude.wheels[2].current_a, 0.003);
    fields.measured("wheel_current_4", CURRENT, attitude.wheels[3].current_a, 0.003);
    fields.temperature("wheel_temperature_1", body.thermal.reading(Node::wheel(0)), 0.05);
    fields.temperature("wheel_temperature_2", body.thermal.reading(Node::wheel(1)), 0.05);
    fields.temperature("wheel_temperature_3", body.thermal.reading(Node::wheel(2)), 0.05);
    fields.temperature("wheel_temperature_4", body.thermal.reading(Node::wheel(3)), 0.05);
    fields.measured("total_momentum", MOMENTUM, attitude.momentum_nms(), 0.0002);
    fields.measured("torquer_dipole_x", DIPOLE, attitude.dipole_am2[0], 0.01);
    fields.measured("torquer_dipole_y", DIPOLE, attitude.dipole_am2[1], 0.01);
    fields.measured("torquer_dipole_z", DIPOLE, attitude.dipole_am2[2], 0.01);
}

/// Measurements the attitude estimate is made of.
fn attitude_sensors(body: &Body, fields: &mut Fields) {
    let attitude = &body.attitude;
    fields.measured("sun_direction_x", COSINE, attitude.sun_sensor(body.surroundings.sunlit)[0], 0.0008);
    fields.measured("sun_direction_y", COSINE, attitude.sun_sensor(body.surroundings.sunlit)[1], 0.0008);
    fields.measured("sun_direction_z", COSINE, attitude.sun_sensor(body.surroundings.sunlit)[2], 0.0008);
    fields.measured("magnetic_field_x", MAGNETIC_FIELD, attitude.field_ut[0], 0.02);
    fields.measured("magnetic_field_y", MAGNETIC_FIELD, attitude.field_ut[1], 0.02);
    fields.measured("magnetic_field_z", MAGNETIC_FIELD, attitude.field_ut[2], 0.02);
    fields.measured("gyro_rate_x", GYRO_RATE, attitude.rate_deg_s[0], 0.0006);
    fields.measured("gyro_rate_y", GYRO_RATE, attitude.rate_deg_s[1], 0.0006);
    fields.measured("gyro_rate_z", GYRO_RATE, attitude.rate_deg_s[2], 0.0006);
    fields.temperature("gyro_temperature", body.thermal.reading(Node::Computer) - 2.0, 0.05);
    fields.count("stars_tracked", 6, attitude.stars);
    fields.label("star_tracker_state", 3, attitude.star_tracker);
    fields.label("gyro_selection", 2, GyroSelection::UnitA);
    fields.flag("sun_in_view", body.surroundings.sunlit);
}

/// Orbit solution of the navigation receiver.
fn navigation(body: &Body, fields: &mut Fields) {
    let (orbit, place) = (&body.surroundings.orbit, &body.surroundings.place);
    fields.float("position_x", orbit.position_km[0], 0.003);
    fields.float("position_y", orbit.position_km[1], 0.003);
    fields.float("position_z", orbit.position_km[2], 0.003);
    fields.float("velocity_x", orbit.velocity_km_s[0], 5e-06);
    fields.float("velocity_y", orbit.velocity_km_s[1], 5e-06);
    fields.float("velocity_z", orbit.velocity_km_s[2], 5e-06);
    fields.measured("latitude", GEOGRAPHIC_ANGLE, place.latitude_deg, 0.0);
    fields.measured("longitude", GEOGRAPHIC_ANGLE, place.longitude_deg, 0.0);
    fields.measured("altitude", ALTITUDE, place.altitude_km, 0.003);
    fields.measured("solar_beta_angle", ANGLE, body.surroundings.beta_deg, 0.0);
    fields.count("satellites_used", 5, 9 + (body.tick / 600 % 4) as u32);
    fields.label("navigation_fix", 3, NavigationFix::ThreeDimensional);
}

/// Thermistors all over the spacecraft.
fn temperatures(body: &Body, fields: &mut Fields) {
    let thermal = &body.thermal;
    fields.temperature("panel_temperature_x_plus", thermal.reading(Node::PanelXPlus), 0.05);
    fields.temperature("panel_temperature_x_minus", thermal.reading(Node::PanelXMinus), 0.05);
    fields.temperature("panel_temperature_y_plus", thermal.reading(Node::PanelYPlus), 0.05);
    fields.temperature("panel_temperature_y_minus", thermal.reading(Node::PanelYMinus), 0.05);
    fields.temperature("panel_temperature_z_plus", thermal.reading(Node::PanelZPlus), 0.05);
    fields.temperature("panel_temperature_z_minus", thermal.reading(Node::PanelZMinus), 0.05);
    fields.temperature("array_temperature_1", thermal.reading(Node::Array1), 0.05);
    fields.temperature("array_temperature_2", thermal.reading(Node::Array2), 0.05);
    fields.temperature("battery_temperature_1", thermal.reading(Node::Battery1), 0.05);
    fields.temperature("battery_temperature_2", thermal.reading(Node::Battery2), 0.05);
    fields.temperature("computer_temperature", thermal.reading(Node::Computer), 0.05);
    fields.temperature("power_unit_temperature", thermal.reading(Node::PowerUnit), 0.05);
    fields.temperature("transmitter_temperature", thermal.reading(Node::Transmitter), 0.05);
    fields.temperature("receiver_temperature", thermal.reading(Node::Receiver), 0.05);
    fields.temperature("payload_electronics_temperature", thermal.reading(Node::PayloadElectronics), 0.05);
    fields.temperature("star_tracker_temperature", thermal.reading(Node::StarTracker), 0.05);
    fields.temperature("navigation_receiver_temperature", thermal.reading(Node::NavigationReceiver), 0.05);
    fields.temperature("structure_temperature_1", thermal.reading(Node::Structure1), 0.05);
    fields.temperature("structure_temperature_2", thermal.reading(Node::Structure2), 0.05);
    fields.temperature("radiator_temperature", thermal.reading(Node::Radiator), 0.05);
}

/// Heaters and their thermostats.
fn heaters(body: &Body, fields: &mut Fields) {
    let thermal = &body.thermal;
    fields.flag("heater_battery_1", thermal.heaters[0].on);
    fields.flag("heater_battery_2", thermal.heaters[1].on);
    fields.flag("heater_payload", thermal.heaters[2].on);
    fields.flag("heater_star_tracker", thermal.heaters[3].on);
    fields.label("heater_mode", 4, HeaterMode::Thermostat);
    fields.measured("heater_battery_1_current", CURRENT, thermal.heaters[0].current_a(), 0.002);
    fields.measured("heater_battery_2_current", CURRENT, thermal.heaters[1].current_a(), 0.002);
    fields.measured("heater_payload_current", CURRENT, thermal.heaters[2].current_a(), 0.002);
    fields.measured("heater_star_tracker_current", CURRENT, thermal.heaters[3].current_a(), 0.002);
    fields.count("heater_battery_1_duty", 8, thermal.heaters[0].duty_percent());
    fields.count("heater_battery_2_duty", 8, thermal.heaters[1].duty_percent());
    fields.count("heater_payload_duty", 8, thermal.heaters[2].duty_percent());
    fields.count("heater_star_tracker_duty", 8, thermal.heaters[3].duty_percent());
    fields.signed("battery_setpoint_low", 8, BATTERY_SETPOINTS_C.0);
    fields.signed("battery_setpoint_high", 8, BATTERY_SETPOINTS_C.1);
}

/// Receiver and transmitter.
fn transponder(body: &Body, fields: &mut Fields) {
    let link = &body.communications;
    fields.flag("receiver_lock", link.locked);
    fields.flag("subcarrier_lock", link.locked);
    fields.flag("bit_lock", link.locked);
    fields.label("transmitter_state", 3, link.transmitter);
    fields.label("station_in_view", 2, link.station);
    fields.measured("receiver_signal_strength", SIGNAL_STRENGTH, link.signal_dbm, 0.15);
    fields.measured("link_margin", DECIBEL, link.margin_db(), 0.1);
    fields.signed("doppler_shift", 24, link.doppler_hz);
    fields.measured("transmitter_power", RADIO_POWER, link.power_w, 0.006);
    fields.measured("transmitter_reflected_power", RADIO_POWER, link.power_w * 0.012, 0.002);
    fields.measured("transmitter_voltage", VOLTAGE, link.supply_v(), 0.005);
    fields.measured("transmitter_current", CURRENT, link.current_a(), 0.004);
    fields.count("downlink_rate", 32, link.rate_bit_s());
    fields.count("frames_transmitted", 32, link.frames);
    fields.count("commands_received", 16, link.commands);
    fields.count("command_frame_errors", 16, link.command_errors);
    fields.label("antenna_selection", 8, AntennaSelection::NadirPatch);
}

/// Processor, memory and mode.
fn computer_health(body: &Body, fields: &mut Fields) {
    let computer = &body.computer;
    fields.label("spacecraft_mode", 4, body.mode);
    fields.label("boot_image", 2, BootImage::Primary);
    fields.flag("watchdog", true);
    fields.flag("time_synchronised", true);
    fields.measured("processor_load", PERCENTAGE, computer.processor_load * 100.0, 0.8);
    fields.measured("memory_used", PERCENTAGE, computer.memory_used * 100.0, 0.05);
    fields.measured("processor_voltage", VOLTAGE, 1.802, 0.002);
    fields.measured("processor_current", CURRENT, 0.35 + 0.9 * computer.processor_load, 0.006);
    fields.count("uptime", 32, computer.uptime_s);
    fields.count("task_count", 8, computer.tasks);
    fields.count("bus_errors", 16, computer.bus_errors);
    fields.count("memory_errors_corrected", 16, computer.memory_errors);
    fields.count("memory_errors_uncorrected", 8, 0u32);
}

/// What the computer counts.
fn counters(body: &Body, fields: &mut Fields) {
    let computer = &body.computer;
    fields.count("commands_accepted", 16, body.communications.commands);
    fields.count("commands_rejected", 16, body.communications.command_errors);
    fields.count("reset_count", 8, computer.resets);
    fields.label("last_reset_cause", 8, ResetCause::Command);
    fields.count("events_issued", 16, computer.events);
    fields.count("packets_made", 32, computer.packets);
    fields.count("scrub_cycles", 32, computer.scrubs);
    fields.count("eclipse_count", 16, computer.eclipses);
    fields.count("orbit_count", 16, computer.orbits);
    fields.count("mode_changes", 16, computer.mode_changes);
    fields.count("desaturation_count", 16, body.attitude.desaturations);
}

/// Something that happened, once.
pub(super) fn event(event: &Event, fields: &mut Fields) {
    fields.count("event_number", 16, event.number);
    fields.label("event_identifier", 8, event.identifier);
    fields.label("event_severity", 8, event.severity);
    fields.signed("event_argument", 32, event.argument);
}

/// What every page of the payload telemetry begins with.
fn payload_status(body: &Body, page: PayloadPage, fields: &mut Fields) {
    let payload = &body.payload;
    fields.label("page", 8, page);
    fields.label("payload_state", 8, payload.state);
}

/// Page 0: the detector.
fn detector_page(body: &Body, fields: &mut Fields) {
    let payload = &body.payload;
    payload_status(body, PayloadPage::Detector, fields);
    fields.measured("detector_temperature", FINE_TEMPERATURE, payload.detector_c, 0.01);
    fields.measured("cooler_power", POWER, payload.cooler_w(), 0.02);
    fields.measured("detector_bias", VOLTAGE, payload.bias_v(), 0.002);
    fields.float("dark_current", payload.dark_current(), 0.02);
    fields.count("channel_counts_1", 24, payload.counts[0]);
    fields.count("channel_counts_2", 24, payload.counts[1]);
    fields.count("channel_counts_3", 24, payload.counts[2]);
    fields.count("channel_counts_4", 24, payload.counts[3]);
    fields.count("exposure_time", 16, payload.exposure_ms());
    fields.count("frame_count", 32, payload.frames);
    fields.label("filter", 7, payload.filter);
    fields.flag("saturated", payload.counts.iter().any(|&counts| counts > 60_000));
}

/// Page 1: supply and storage.
fn storage_page(body: &Body, fields: &mut Fields) {
    let payload = &body.payload;
    payload_status(body, PayloadPage::Storage, fields);
    fields.count("storage_capacity", 32, STORAGE_KIB);
    fields.count("storage_used", 32, payload.stored_kib as u32);
    fields.measured("payload_data_rate", DATA_RATE, payload.rate_mbit_s(), 0.02);
    fields.float("compression_ratio", payload.compression(), 0.005);
    fields.measured("payload_voltage", VOLTAGE, payload.supply_v(), 0.004);
    fields.measured("payload_current", CURRENT, payload.current_a(), 0.004);
    fields.count("files_stored", 16, payload.files);
    fields.count("files_open", 8, u32::from(payload.state == PayloadState::Observing));
}
