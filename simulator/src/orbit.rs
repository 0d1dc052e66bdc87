//! Where the demo spacecraft is: an invented Sun-synchronous orbit through SGP4, the Sun, the Earth's shadow
//! and the Earth's rotation. Accurate enough for passes and eclipses to the second, not for astronomy.

use space_packet::TaiTime;

/// A direction or position in three coordinates.
pub type Vector = [f64; 3];

/// An invented object: 97 minutes, 97.9 degrees, descending node near half past ten. Without drag, so that it
/// flies for as many years as anyone simulates.
pub(crate) const DEMO_TLE: [&str; 2] = [
    "1 99001U 26001A   26001.00000000  .00000000  00000-0  00000-0 0  9997",
    "2 99001  97.8600 258.7000 0011000  90.0000 270.0000 14.84500000    16",
];
const EARTH_RADIUS_KM: f64 = 6_378.137;
const EARTH_FLATTENING: f64 = 1.0 / 298.257_223_563;
const EARTH_ROTATION_RAD_S: f64 = 7.292_115_9e-5;
const SECONDS_PER_DAY: f64 = 86_400.0;
/// 2000-01-01T12:00:00 UTC as a Unix second.
const J2000_UNIX_S: f64 = 946_728_000.0;

/// An orbit that can be asked for any moment.
#[derive(Clone, Debug)]
pub struct Orbit {
    constants: sgp4::Constants,
    epoch_unix_s: f64,
}

/// Position and velocity in the true equator, mean equinox frame of date.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OrbitState {
    /// When.
    pub time: TaiTime,
    /// From the centre of the Earth.
    pub position_km: Vector,
    /// Relative to inertial space.
    pub velocity_km_s: Vector,
}

/// A point by its place over the WGS 84 ellipsoid.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Place {
    /// Geodetic, north positive.
    pub latitude_deg: f64,
    /// East positive, -180 to 180.
    pub longitude_deg: f64,
    /// Height above the ellipsoid.
    pub altitude_km: f64,
}

impl Orbit {
    /// The orbit of the demo spacecraft.
    pub fn demo() -> Self {
        Self::of(DEMO_TLE)
    }

    /// The orbit of two lines that this program wrote.
    pub(crate) fn of([first, second]: [&str; 2]) -> Self {
        let elements = sgp4::Elements::from_tle(None, first.as_bytes(), second.as_bytes())
            .expect("the elements are ours, which tests read");
        let constants =
            sgp4::Constants::from_elements(&elements).expect("the elements are ours, which tests propagate");
        Self { constants, epoch_unix_s: elements.datetime.and_utc().timestamp_millis() as f64 / 1e3 }
    }

    /// Where the spacecraft is at a moment.
    pub fn state_at(&self, time: TaiTime) -> OrbitState {
        let minutes = (unix_seconds(time) - self.epoch_unix_s) / 60.0;
        let prediction = self
            .constants
            .propagate(sgp4::MinutesSinceEpoch(minutes))
            .expect("an almost circular orbit without drag neither decays nor opens");
        OrbitState { time, position_km: prediction.position, velocity_km_s: prediction.velocity }
    }
}

impl OrbitState {
    /// Whether the Sun shines on the spacecraft: the Earth's shadow taken as a cylinder.
    pub fn is_sunlit(&self) -> bool {
        let sun = sun_direction(self.time);
        let along = dot(self.position_km, sun);
        if along >= 0.0 {
            return true;
        }
        let beside = subtract(self.position_km, scale(sun, along));
        norm(beside) > EARTH_RADIUS_KM
    }

    /// Position in the frame that turns with the Earth.
    pub fn earth_fixed_km(&self) -> Vector {
        turn_about_z(self.position_km, sidereal_angle_rad(self.time))
    }

    /// Velocity relative to the ground, in the frame that turns with the Earth.
    pub fn earth_fixed_velocity_km_s(&self) -> Vector {
        let [x, y, _] = self.position_km;
        let [vx, vy, vz] = self.velocity_km_s;
        let relative = [vx + EARTH_ROTATION_RAD_S * y, vy - EARTH_ROTATION_RAD_S * x, vz];
        turn_about_z(relative, sidereal_angle_rad(self.time))
    }

    /// The point of the Earth below, and the height above it.
    pub fn place(&self) -> Place {
        let [x, y, z] = self.earth_fixed_km();
        let eccentricity_squared = EARTH_FLATTENING * (2.0 - EARTH_FLATTENING);
        let equatorial = x.hypot(y);
        let mut latitude = z.atan2(equatorial);
        let mut curvature_km = EARTH_RADIUS_KM;
        // Each round gains about five digits at this height.
        for _ in 0..4 {
            curvature_km = EARTH_RADIUS_KM / (1.0 - eccentricity_squared * latitude.sin().powi(2)).sqrt();
            latitude = (z + curvature_km * eccentricity_squared * latitude.sin()).atan2(equatorial);
        }
        let altitude_km =
            equatorial * latitude.cos() + z * latitude.sin() - EARTH_RADIUS_KM.powi(2) / curvature_km;
        Place { latitude_deg: latitude.to_degrees(), longitude_deg: y.atan2(x).to_degrees(), altitude_km }
    }

    /// Angle between the Sun and the plane of the orbit.
    pub fn beta_deg(&self) -> f64 {
        let normal = unit(cross(self.position_km, self.velocity_km_s));
        dot(normal, sun_direction(self.time)).clamp(-1.0, 1.0).asin().to_degrees()
    }
}

impl Place {
    /// Position in the frame that turns with the Earth.
    pub fn earth_fixed_km(&self) -> Vector {
        let (sin_latitude, cos_latitude) = self.latitude_deg.to_radians().sin_cos();
        let (sin_longitude, cos_longitude) = self.longitude_deg.to_radians().sin_cos();
        let eccentricity_squared = EARTH_FLATTENING * (2.0 - EARTH_FLATTENING);
        let curvature_km = EARTH_RADIUS_KM / (1.0 - eccentricity_squared * sin_latitude.powi(2)).sqrt();
        let equatorial = (curvature_km + self.altitude_km) * cos_latitude;
        let polar = (curvature_km * (1.0 - eccentricity_squared) + self.altitude_km) * sin_latitude;
        [equatorial * cos_longitude, equatorial * sin_longitude, polar]
    }

    /// The local vertical in the frame that turns with the Earth.
    pub fn zenith(&self) -> Vector {
        let (sin_latitude, cos_latitude) = self.latitude_deg.to_radians().sin_cos();
        let (sin_longitude, cos_longitude) = self.longitude_deg.to_radians().sin_cos();
        [cos_latitude * cos_longitude, cos_latitude * sin_longitude, sin_latitude]
    }
}

/// Direction of the Sun from the Earth, good to a hundredth of a degree (the almanac's low-precision series).
pub fn sun_direction(time: TaiTime) -> Vector {
    let days = (unix_seconds(time) - J2000_UNIX_S) / SECONDS_PER_DAY;
    let mean_longitude = 280.460 + 0.985_647_4 * days;
    let mean_anomaly = (357.528 + 0.985_600_3 * days).to_radians();
    let longitude = mean_longitude + 1.915 * mean_anomaly.sin() + 0.020 * (2.0 * mean_anomaly).sin();
    let (sin_longitude, cos_longitude) = longitude.to_radians().sin_cos();
    let (sin_obliquity, cos_obliquity) = (23.439 - 4e-7 * days).to_radians().sin_cos();
    [cos_longitude, cos_obliquity * sin_longitude, sin_obliquity * sin_longitude]
}

/// Greenwich mean sidereal time as an angle; UTC stands in for UT1, less than a second away.
pub fn sidereal_angle_rad(time: TaiTime) -> f64 {
    let julian_years = (unix_seconds(time) - J2000_UNIX_S) / (365.25 * SECONDS_PER_DAY);
    sgp4::iau_epoch_to_sidereal_time(julian_years)
}

fn unix_seconds(time: TaiTime) -> f64 {
    time.to_unix_nanos() as f64 / 1e9
}

fn turn_about_z([x, y, z]: Vector, angle_rad: f64) -> Vector {
    let (sin, cos) = angle_rad.sin_cos();
    [cos * x + sin * y, cos * y - sin * x, z]
}

/// Sum of the products of coordinates.
pub fn dot(a: Vector, b: Vector) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

/// Vector at right angles to both.
pub fn cross(a: Vector, b: Vector) -> Vector {
    [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
}

/// Coordinate by coordinate.
pub fn subtract(a: Vector, b: Vector) -> Vector {
    [a[0] - b[0], a[1] - b[1], a[2] - b[2]]
}

/// Longer or shorter by a factor.
pub fn scale(a: Vector, factor: f64) -> Vector {
    a.map(|coordinate| coordinate * factor)
}

/// Length.
pub fn norm(a: Vector) -> f64 {
    dot(a, a).sqrt()
}

/// Same direction, length one; a vector without length stays as it is.
pub fn unit(a: Vector) -> Vector {
    let length = norm(a);
    if length > 0.0 { scale(a, 1.0 / length) } else { a }
}

#[cfg(test)]
mod tests {
    use space_packet::UtcTime;

    use super::*;

    fn at(text: &str) -> TaiTime {
        UtcTime::parse(text).expect("a time").to_tai()
    }

    #[test]
    fn the_sun_stands_over_the_equator_at_an_equinox_and_over_a_tropic_at_a_solstice() {
        assert!(sun_direction(at("2026-03-20T14:46:00Z"))[2].abs() < 1e-3);
        let north = sun_direction(at("2026-06-21T08:24:00Z"))[2];
        assert!((north.asin().to_degrees() - 23.44).abs() < 0.02);
    }

    #[test]
    fn the_orbit_takes_97_minutes_and_a_third_of_it_is_in_shadow() {
        let orbit = Orbit::demo();
        let start = at("2026-11-22T12:00:00Z");
        let states: Vec<_> =
            (0..97 * 60).map(|second| orbit.state_at(start.plus_nanos(second * 1_000_000_000))).collect();
        let sunlit = states.iter().filter(|state| state.is_sunlit()).count() as f64 / states.len() as f64;
        assert!((0.6..0.7).contains(&sunlit), "{sunlit} of the orbit is sunlit");
        let back = subtract(states[0].position_km, states[97 * 60 - 1].position_km);
        assert!(norm(back) < 100.0, "after one period it is {back:?} km from where it was");
    }

    #[test]
    fn the_plane_keeps_its_angle_to_the_sun_through_the_year() {
        let orbit = Orbit::demo();
        let beta = |month: u32| orbit.state_at(at(&format!("2027-{month:02}-01T00:00:00Z"))).beta_deg();
        for month in 1..=12 {
            assert!((12.0..35.0).contains(&beta(month).abs()), "{} in month {month}", beta(month));
        }
    }

    #[test]
    fn a_place_on_the_ground_comes_back_from_its_coordinates() {
        let place = Place { latitude_deg: -46.53, longitude_deg: 168.38, altitude_km: 600.0 };
        let time = at("2026-11-22T12:00:00Z");
        let position_km = turn_about_z(place.earth_fixed_km(), -sidereal_angle_rad(time));
        let back = OrbitState { time, position_km, velocity_km_s: [0.0; 3] }.place();
        assert!((back.latitude_deg - place.latitude_deg).abs() < 1e-6);
        assert!((back.longitude_deg - place.longitude_deg).abs() < 1e-6);
        assert!((back.altitude_km - place.altitude_km).abs() < 1e-4);
    }
}
