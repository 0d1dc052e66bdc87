//! The Earth: how far it has turned, and the ellipsoid (WGS 84) that places are told by.

use space_packet::TaiTime;

use crate::vector::Vector;

pub(crate) const RADIUS_KM: f64 = 6_378.137;
pub(crate) const FLATTENING: f64 = 1.0 / 298.257_223_563;
pub(crate) const ROTATION_RAD_S: f64 = 7.292_115_146_7e-5;
const ECCENTRICITY_SQUARED: f64 = FLATTENING * (2.0 - FLATTENING);
const SECONDS_PER_JULIAN_YEAR: f64 = 365.25 * 86_400.0;
/// 2000-01-01T12:00:00 UTC as a Unix second.
const J2000_UNIX_S: f64 = 946_728_000.0;

/// A point by its place over the ellipsoid.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Geodetic {
    /// Degrees, north positive, -90 to 90.
    pub latitude_deg: f64,
    /// Degrees, east positive, -180 to 180.
    pub longitude_deg: f64,
    /// Kilometres above the ellipsoid.
    pub height_km: f64,
}

impl Geodetic {
    /// The place of a point given in the frame that turns with the Earth, kilometres.
    pub fn of_earth_fixed([x, y, z]: Vector) -> Self {
        let equatorial = x.hypot(y);
        let mut latitude = z.atan2(equatorial * (1.0 - ECCENTRICITY_SQUARED));
        let mut curvature = RADIUS_KM;
        // Each round gains more than two digits at any height above the ground.
        for _ in 0..6 {
            let sin = latitude.sin();
            curvature = RADIUS_KM / (1.0 - ECCENTRICITY_SQUARED * sin * sin).sqrt();
            latitude = (z + curvature * ECCENTRICITY_SQUARED * sin).atan2(equatorial);
        }
        let (sin, cos) = latitude.sin_cos();
        Self {
            latitude_deg: latitude.to_degrees(),
            longitude_deg: y.atan2(x).to_degrees(),
            height_km: equatorial * cos + z * sin - RADIUS_KM * RADIUS_KM / curvature,
        }
    }

    /// Position in the frame that turns with the Earth, kilometres: x to latitude 0 and longitude 0, z north.
    pub fn earth_fixed_km(&self) -> Vector {
        let [east_cos, east_sin, north_sin] = self.zenith();
        let curvature = RADIUS_KM / (1.0 - ECCENTRICITY_SQUARED * north_sin * north_sin).sqrt();
        let beside = curvature + self.height_km;
        let polar = curvature * (1.0 - ECCENTRICITY_SQUARED) + self.height_km;
        [beside * east_cos, beside * east_sin, polar * north_sin]
    }

    /// The direction straight up, in the same frame.
    pub(crate) fn zenith(&self) -> Vector {
        let (north_sin, north_cos) = self.latitude_deg.to_radians().sin_cos();
        let (east_sin, east_cos) = self.longitude_deg.to_radians().sin_cos();
        [north_cos * east_cos, north_cos * east_sin, north_sin]
    }
}

/// How far the Earth has turned: Greenwich mean sidereal time (1982) as an angle, 0 to 2π. UTC stands in for UT1.
pub fn sidereal_angle_rad(time: TaiTime) -> f64 {
    sgp4::iau_epoch_to_sidereal_time(seconds_since_2000(time) / SECONDS_PER_JULIAN_YEAR)
}

/// Days of UTC since 2000-01-01T12:00:00.
pub(crate) fn days_since_2000(time: TaiTime) -> f64 {
    seconds_since_2000(time) / 86_400.0
}

fn seconds_since_2000(time: TaiTime) -> f64 {
    time.to_unix_nanos() as f64 / 1e9 - J2000_UNIX_S
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use space_packet::UtcTime;

    use super::*;

    #[test]
    fn the_earth_has_turned_as_the_almanac_says() {
        // Vallado, Fundamentals of Astrodynamics, example 3-5: 1992-08-20T12:14 UT1 is 152.578787886 degrees.
        let time = UtcTime::parse("1992-08-20T12:14:00Z").expect("a time").to_tai();
        let angle = sidereal_angle_rad(time).to_degrees();
        assert!((angle - 152.578_787_886).abs() < 1e-6, "{angle}");
    }

    #[test]
    fn poles_and_the_equator_are_where_they_are() {
        let pole = Geodetic::of_earth_fixed([0.0, 0.0, -(RADIUS_KM * (1.0 - FLATTENING) + 500.0)]);
        assert!((pole.latitude_deg + 90.0).abs() < 1e-9 && (pole.height_km - 500.0).abs() < 1e-9, "{pole:?}");
        let equator = Geodetic::of_earth_fixed([0.0, -RADIUS_KM, 0.0]);
        let expected = Geodetic { latitude_deg: 0.0, longitude_deg: -90.0, height_km: 0.0 };
        assert!((equator.height_km).abs() < 1e-9 && equator.longitude_deg == expected.longitude_deg);
    }

    proptest! {
        #[test]
        fn a_place_comes_back_from_its_coordinates(
            latitude_deg in -90.0..90.0,
            longitude_deg in -180.0..180.0,
            height_km in -1.0..400_000.0,
        ) {
            let place = Geodetic { latitude_deg, longitude_deg, height_km };
            let back = Geodetic::of_earth_fixed(place.earth_fixed_km());
            // A tenth of a metre on the ground.
            prop_assert!((back.latitude_deg - latitude_deg).abs() < 1e-6, "{back:?}");
            prop_assert!((back.height_km - height_km).abs() < 1e-6, "{back:?}");
            let turned = (back.longitude_deg - longitude_deg).to_radians().sin();
            prop_assert!(turned.abs() * latitude_deg.to_radians().cos() < 1e-9, "{back:?}");
        }
    }
}
