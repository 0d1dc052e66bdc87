//! Attitude control: the body follows the Earth, the Sun or a station; four wheels store the momentum that
//! disturbances leave, and magnetic torquers take it out again.

use super::{
    body::{STEP_S, Surroundings},
    fault::{Fault, Faults},
    labels::{AttitudeMode, SpacecraftMode, StarTrackerState},
    rotation::{self, Quaternion},
};
use crate::orbit::{Vector, cross, dot, norm, scale, subtract, unit};

const TURN_RATE_MAX_DEG_S: f64 = 0.5;
/// How eagerly an error is turned away, and how quickly the body takes up a commanded rate.
const ERROR_GAIN_PER_S: f64 = 0.08;
const RATE_TIME_CONSTANT_S: f64 = 3.0;
const BODY_INERTIA_KG_M2: Vector = [9.0, 11.0, 8.0];
const WHEEL_INERTIA_KG_M2: f64 = 7e-4;
/// Wheels never stand still: this speed is in all four and cancels out.
const WHEEL_BIAS_RPM: f64 = 900.0;
const DISTURBANCE_NM: f64 = 5e-5;
const TORQUERS_NM: f64 = 6e-4;
const MOMENTUM_FULL_NMS: f64 = 0.24;
const MOMENTUM_EMPTY_NMS: f64 = 0.03;
/// The Earth's dipole at the equator on the ground.
const DIPOLE_FIELD_UT: f64 = 31.0;
const FRICTION_NOTICED_AT: f64 = 0.35;

/// One reaction wheel.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wheel {
    pub(super) speed_rpm: f64,
    pub(super) torque_nm: f64,
    pub(super) current_a: f64,
}

pub(super) struct Attitude {
    pub(super) quaternion: Quaternion,
    pub(super) rate_deg_s: Vector,
    pub(super) pointing_error_deg: f64,
    pub(super) mode: AttitudeMode,
    pub(super) wheels: [Wheel; 4],
    pub(super) dipole_am2: Vector,
    pub(super) desaturating: bool,
    pub(super) desaturations: u32,
    pub(super) desaturation_started: bool,
    pub(super) desaturation_ended: bool,
    pub(super) friction_noticed: bool,
    pub(super) sun_body: Vector,
    pub(super) field_ut: Vector,
    pub(super) stars: u32,
    pub(super) star_tracker: StarTrackerState,
    target: Quaternion,
    /// What disturbances have left, inertial.
    momentum: Vector,
    friction_reported: bool,
}

impl Wheel {
    pub(super) fn heat_w(self) -> f64 {
        self.current_a * 6.0
    }
}

impl Attitude {
    pub(super) fn new(surroundings: &Surroundings) -> Self {
        let mode = AttitudeMode::NadirPointing;
        let target = target(surroundings, mode);
        Self {
            quaternion: target,
            rate_deg_s: [0.0; 3],
            pointing_error_deg: 0.0,
            mode,
            wheels: [Wheel { speed_rpm: WHEEL_BIAS_RPM, torque_nm: 0.0, current_a: 0.1 }; 4],
            dipole_am2: [0.0; 3],
            desaturating: false,
            desaturations: 0,
            desaturation_started: false,
            desaturation_ended: false,
            friction_noticed: false,
            sun_body: rotation::rotate(target, surroundings.sun),
            field_ut: [0.0; 3],
            stars: 0,
            star_tracker: StarTrackerState::Acquiring,
            target,
            momentum: [0.05, -0.03, 0.02],
            friction_reported: false,
        }
    }

    pub(super) fn step(&mut self, surroundings: &Surroundings, mode: SpacecraftMode, faults: &Faults) {
        self.mode = match mode {
            SpacecraftMode::Downlink | SpacecraftMode::Science => AttitudeMode::NadirPointing,
            SpacecraftMode::Nominal if !surroundings.sunlit => AttitudeMode::NadirPointing,
            SpacecraftMode::Nominal | SpacecraftMode::Safe => AttitudeMode::SunPointing,
        };
        let rate_before = self.rate_deg_s;
        self.turn(target(surroundings, self.mode));
        self.store_momentum();
        self.drive_wheels(rate_before, faults.severity(Fault::WheelFriction));
        self.sense(surroundings);
    }

    /// Angular momentum in the wheels.
    pub(super) fn momentum_nms(&self) -> f64 {
        norm(self.momentum)
    }

    /// Direction of the Sun in body axes; nothing in eclipse.
    pub(super) fn sun_sensor(&self, sunlit: bool) -> Vector {
        if sunlit { self.sun_body } else { [0.0; 3] }
    }

    pub(super) fn power_w(&self) -> f64 {
        let torquers = if self.desaturating { 2.5 } else { 0.0 };
        self.wheels.iter().map(|wheel| wheel.current_a * 12.0).sum::<f64>() + torquers
    }

    fn turn(&mut self, target: Quaternion) {
        let moved = rotation::to_vector(rotation::multiply(target, rotation::inverse(self.target)));
        // A jump of the target is a new target, not a movement to keep up with.
        let ahead = if norm(moved) < 0.02 { scale(moved, -1.0 / STEP_S) } else { [0.0; 3] };
        let error = rotation::to_vector(rotation::multiply(target, rotation::inverse(self.quaternion)));
        let correction = scale(error, -ERROR_GAIN_PER_S);
        let limit = TURN_RATE_MAX_DEG_S.to_radians() / norm(correction).max(f64::MIN_POSITIVE);
        let correction = scale(correction, limit.min(1.0));
        for axis in 0..3 {
            let wanted = (ahead[axis] + correction[axis]).to_degrees();
            self.rate_deg_s[axis] += (wanted - self.rate_deg_s[axis]) * STEP_S / RATE_TIME_CONSTANT_S;
        }
        let turned = scale(self.rate_deg_s.map(f64::to_radians), -STEP_S);
        self.quaternion =
            rotation::normalised(rotation::multiply(rotation::from_vector(turned), self.quaternion));
        self.target = target;
        self.pointing_error_deg = norm(error).to_degrees();
    }

    fn store_momentum(&mut self) {
        let disturbance = [0.8, 0.5, -0.33].map(|share| share * DISTURBANCE_NM * STEP_S);
        self.momentum = subtract(self.momentum, scale(disturbance, -1.0));
        let stored = norm(self.momentum);
        self.desaturation_started = !self.desaturating && stored > MOMENTUM_FULL_NMS;
        self.desaturation_ended = self.desaturating && stored < MOMENTUM_EMPTY_NMS;
        self.desaturations += u32::from(self.desaturation_started);
        self.desaturating = (self.desaturating || self.desaturation_started) && !self.desaturation_ended;
        if self.desaturating {
            self.momentum = scale(self.momentum, 1.0 - TORQUERS_NM * STEP_S / stored);
            let across = cross(rotation::rotate(self.quaternion, self.momentum), unit(self.field_ut));
            self.dipole_am2 = scale(unit(across), 18.0);
        } else {
            self.dipole_am2 = [0.0; 3];
        }
    }

    /// Four wheels in a pyramid of 45 degrees share what the three axes need.
    fn drive_wheels(&mut self, rate_before: Vector, friction: f64) {
        let stored = rotation::rotate(self.quaternion, self.momentum);
        let needs = |rate: Vector| {
            [0, 1, 2].map(|axis| stored[axis] - BODY_INERTIA_KG_M2[axis] * rate[axis].to_radians())
        };
        let share = std::f64::consts::FRAC_1_SQRT_2;
        let split = |[x, y, z]: Vector| {
            let (x, y, z) = (x / (2.0 * share), y / (2.0 * share), z / (4.0 * share));
            [x + z, y + z, z - x, z - y]
        };
        let momenta = split(needs(self.rate_deg_s));
        let momenta_before = split(needs(rate_before));
        for (index, wheel) in self.wheels.iter_mut().enumerate() {
            let bias = if index % 2 == 0 { WHEEL_BIAS_RPM } else { -WHEEL_BIAS_RPM };
            let radians_per_s = momenta[index] / WHEEL_INERTIA_KG_M2;
            wheel.speed_rpm = bias + radians_per_s * 60.0 / std::f64::consts::TAU;
            let wear = if index == 1 { friction } else { 0.0 };
            let drag_nm = (2e-4 + 3e-7 * wheel.speed_rpm.abs()) * (1.0 + 8.0 * wear);
            wheel.torque_nm =
                (momenta[index] - momenta_before[index]) / STEP_S + drag_nm * wheel.speed_rpm.signum();
            wheel.current_a = 0.05 + wheel.torque_nm.abs() * 45.0;
        }
        self.friction_noticed = !self.friction_reported && friction > FRICTION_NOTICED_AT;
        self.friction_reported |= self.friction_noticed;
    }

    fn sense(&mut self, surroundings: &Surroundings) {
        self.sun_body = rotation::rotate(self.quaternion, surroundings.sun);
        self.field_ut = rotation::rotate(self.quaternion, dipole_field_ut(surroundings.orbit.position_km));
        let rate = norm(self.rate_deg_s);
        // The tracker looks along -Y, slightly up.
        let sun_angle_cosine = dot(self.sun_body, unit([0.0, -1.0, -0.3]));
        self.star_tracker = if surroundings.sunlit && sun_angle_cosine > 0.85 {
            StarTrackerState::Blinded
        } else if rate > 0.4 {
            StarTrackerState::Acquiring
        } else {
            StarTrackerState::Tracking
        };
        self.stars = match self.star_tracker {
            StarTrackerState::Tracking => 11 + (self.quaternion[0] * 7.0).abs() as u32,
            StarTrackerState::Acquiring => 3,
            StarTrackerState::Blinded | StarTrackerState::Off => 0,
        };
    }
}

/// Where the body should point: +Z to the Earth, or -Z to the Sun.
fn target(surroundings: &Surroundings, mode: AttitudeMode) -> Quaternion {
    let orbit = &surroundings.orbit;
    let normal = unit(cross(orbit.position_km, orbit.velocity_km_s));
    let (z, y) = match mode {
        AttitudeMode::SunPointing => {
            let z = scale(surroundings.sun, -1.0);
            (z, unit(cross(z, normal)))
        }
        AttitudeMode::Idle | AttitudeMode::NadirPointing | AttitudeMode::StationPointing => {
            (unit(scale(orbit.position_km, -1.0)), scale(normal, -1.0))
        }
    };
    rotation::from_axes([cross(y, z), y, z])
}

/// The Earth's field as a dipole along its axis.
fn dipole_field_ut(position_km: Vector) -> Vector {
    let strength = DIPOLE_FIELD_UT * (6_378.137 / norm(position_km)).powi(3);
    let up = unit(position_km);
    let axis = [0.0, 0.0, -1.0];
    subtract(scale(up, 3.0 * dot(axis, up) * strength), scale(axis, strength))
}
