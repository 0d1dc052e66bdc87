//! SGP4: from mean elements to position and velocity.

use sgp4::{Constants, MinutesSinceEpoch, WGS72};
use space_packet::TaiTime;

use crate::earth::{Geodetic, ROTATION_RAD_S, sidereal_angle_rad};
use crate::elements::ElementSet;
use crate::sun;
use crate::vector::{Vector, in_frame_turned, norm};

/// How far from their epoch elements are propagated, days: as far as the cases they were verified with go. Long before that they
/// say nothing of a low orbit; and of a resonant one every 12 hours from the epoch on are integrated anew for each moment.
pub const FARTHEST_DAYS: f64 = 1_300.0;
const NANOS_PER_MINUTE: f64 = 60e9;
const MINUTES_PER_DAY: f64 = 1_440.0;
/// Moments between which an orbit is looked at for passes: so many a revolution on a circle at its lowest height.
const LOOKS_A_REVOLUTION: f64 = 90.0;
const LOOK_EVERY_S: std::ops::RangeInclusive<f64> = 20.0..=300.0;

/// Elements that cannot be propagated at all.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("the elements cannot be propagated: {0}")]
pub struct UnusableElements(pub(crate) String);

/// Why there is no position at a moment.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum PropagationError {
    /// The orbit leads into the Earth.
    #[error("by its elements the spacecraft has come down: at {time} its orbit lies below the ground")]
    Decayed {
        /// The moment.
        time: TaiTime,
    },
    /// What is propagated is no orbit any more, as after a long time with much drag.
    #[error("the elements cannot be propagated to {time}: {why}")]
    Diverged {
        /// The moment.
        time: TaiTime,
        /// What is out of its range.
        why: String,
    },
    /// So far from the epoch that elements say nothing.
    #[error(
        "{time} is {days:.0} days from the epoch of the elements; they are propagated at most {FARTHEST_DAYS} days"
    )]
    TooFar {
        /// The moment.
        time: TaiTime,
        /// Its distance.
        days: f64,
    },
}

/// An orbit that can be asked for any moment.
#[derive(Clone, Debug)]
pub struct Orbit {
    constants: Constants,
    epoch: TaiTime,
    look_every_s: f64,
}

/// Where a spacecraft is at a moment, in SGP4's frame (TEME): true equator, mean equinox of date.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct State {
    /// When.
    pub time: TaiTime,
    /// From the centre of the Earth, kilometres.
    pub position_km: Vector,
    /// Relative to inertial space, kilometres a second.
    pub velocity_km_s: Vector,
}

impl Orbit {
    /// The orbit that elements describe.
    pub fn new(set: &ElementSet) -> Result<Self, UnusableElements> {
        let elements = set.elements();
        let of_degrees = f64::to_radians;
        let mean_motion_rad_min = of_degrees(elements.mean_motion * 360.0) / MINUTES_PER_DAY;
        let mean = sgp4::Orbit::from_kozai_elements(
            &WGS72,
            of_degrees(elements.inclination),
            of_degrees(elements.right_ascension),
            elements.eccentricity,
            of_degrees(elements.argument_of_perigee),
            of_degrees(elements.mean_anomaly),
            mean_motion_rad_min,
        )
        .map_err(|error| UnusableElements(error.to_string()))?;
        let epoch_years = elements.epoch();
        let constants =
            Constants::new(WGS72, sgp4::iau_epoch_to_sidereal_time, epoch_years, elements.drag_term, mean)
                .map_err(|error| UnusableElements(error.to_string()))?;
        // Kepler's third law: a revolution on a circle through the perigee takes (1 - e)^1.5 of the orbit's.
        let lowest_s = 86_400.0 / elements.mean_motion * (1.0 - elements.eccentricity).powf(1.5);
        let look_every_s = (lowest_s / LOOKS_A_REVOLUTION).clamp(*LOOK_EVERY_S.start(), *LOOK_EVERY_S.end());
        Ok(Self { constants, epoch: set.epoch, look_every_s })
    }

    /// The moment at which its elements hold best.
    pub fn epoch(&self) -> TaiTime {
        self.epoch
    }

    /// Where the spacecraft is at a moment.
    pub fn state_at(&self, time: TaiTime) -> Result<State, PropagationError> {
        let minutes = self.epoch_to(time) / NANOS_PER_MINUTE;
        let days = minutes.abs() / MINUTES_PER_DAY;
        if days > FARTHEST_DAYS {
            return Err(PropagationError::TooFar { time, days });
        }
        let found = self
            .constants
            .propagate(MinutesSinceEpoch(minutes))
            .map_err(|error| PropagationError::Diverged { time, why: error.to_string() })?;
        let distance_km = norm(found.position);
        if !distance_km.is_finite() {
            return Err(PropagationError::Diverged { time, why: "its position is no number".to_owned() });
        }
        if distance_km < WGS72.ae {
            return Err(PropagationError::Decayed { time });
        }
        Ok(State { time, position_km: found.position, velocity_km_s: found.velocity })
    }

    /// How far apart moments may be, seconds, so that a station's elevation has one extreme at most between three of them.
    pub(crate) fn look_every_s(&self) -> f64 {
        self.look_every_s
    }

    fn epoch_to(&self, time: TaiTime) -> f64 {
        (i128::from(time.0) - i128::from(self.epoch.0)) as f64
    }
}

impl State {
    /// Position (kilometres) and velocity relative to the ground (kilometres a second) in the frame that turns with the
    /// Earth: x to latitude 0 and longitude 0, z north.
    pub fn earth_fixed(&self) -> (Vector, Vector) {
        let angle = sidereal_angle_rad(self.time);
        let [x, y, _] = self.position_km;
        let [vx, vy, vz] = self.velocity_km_s;
        let over_ground = [vx + ROTATION_RAD_S * y, vy - ROTATION_RAD_S * x, vz];
        (in_frame_turned(self.position_km, angle), in_frame_turned(over_ground, angle))
    }

    /// Position in the frame that turns with the Earth, kilometres.
    pub fn earth_fixed_km(&self) -> Vector {
        in_frame_turned(self.position_km, sidereal_angle_rad(self.time))
    }

    /// The point of the Earth below, and the height above it.
    pub fn place(&self) -> Geodetic {
        Geodetic::of_earth_fixed(self.earth_fixed_km())
    }

    /// Whether the Sun shines on it.
    pub fn is_sunlit(&self) -> bool {
        sun::shines_on(self.position_km, self.time)
    }
}

#[cfg(test)]
mod tests;
