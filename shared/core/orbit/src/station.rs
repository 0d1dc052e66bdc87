//! A station, and how it sees a spacecraft.

use crate::State;
use crate::earth::Geodetic;
use crate::vector::{Vector, dot, in_frame_turned, norm, subtract};

/// A place from which spacecraft are heard.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Station {
    place: Geodetic,
    mask_deg: f64,
    position_km: Vector,
    zenith: Vector,
}

/// How a spacecraft is seen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Look {
    /// Degrees from north over east, 0 to 360.
    pub azimuth_deg: f64,
    /// Degrees above the horizon.
    pub elevation_deg: f64,
    /// Distance, kilometres.
    pub range_km: f64,
    /// How fast that grows, kilometres a second.
    pub range_rate_km_s: f64,
}

impl Station {
    /// A station at a place, which hears what stands higher than a mask, degrees of elevation.
    pub fn new(place: Geodetic, mask_deg: f64) -> Self {
        Self { place, mask_deg, position_km: place.earth_fixed_km(), zenith: place.zenith() }
    }

    /// Elevation from which it hears, degrees.
    pub fn mask_deg(&self) -> f64 {
        self.mask_deg
    }

    /// How it sees a spacecraft.
    pub fn look(&self, state: &State) -> Look {
        let (position, velocity) = state.earth_fixed();
        let line = subtract(position, self.position_km);
        let range_km = norm(line);
        // Turned so that the station lies at longitude 0, the second axis points east.
        let [out, east, up_the_axis] = in_frame_turned(line, self.place.longitude_deg.to_radians());
        let (sin, cos) = self.place.latitude_deg.to_radians().sin_cos();
        let north = cos * up_the_axis - sin * out;
        Look {
            azimuth_deg: east.atan2(north).to_degrees().rem_euclid(360.0),
            elevation_deg: self.sine_of_elevation(position).asin().to_degrees(),
            range_km,
            range_rate_km_s: dot(line, velocity) / range_km,
        }
    }

    /// Sine of the elevation of a position in the frame that turns with the Earth.
    pub(crate) fn sine_of_elevation(&self, position_km: Vector) -> f64 {
        let line = subtract(position_km, self.position_km);
        (dot(line, self.zenith) / norm(line)).clamp(-1.0, 1.0)
    }

    /// How far a position lies above the plane of the horizon, kilometres.
    pub(crate) fn above_horizon_km(&self, position_km: Vector) -> f64 {
        dot(subtract(position_km, self.position_km), self.zenith)
    }
}
