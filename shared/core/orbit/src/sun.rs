//! The Sun: its direction by the low-precision series of the Astronomical Almanac, good to 0.01 degrees from 1950 to 2050, and
//! whether it shines on a spacecraft.

use space_packet::TaiTime;

use crate::earth::{FLATTENING, RADIUS_KM, days_since_2000, sidereal_angle_rad};
use crate::vector::{Vector, dot, in_frame_turned, norm};

/// Direction of the Sun from the Earth, length one, in the frame of [`crate::State`]'s position.
pub fn direction(time: TaiTime) -> Vector {
    let days = days_since_2000(time);
    let mean_longitude_deg = 280.460 + 0.985_647_4 * days;
    let mean_anomaly = (357.528 + 0.985_600_3 * days).to_radians();
    let longitude_deg = mean_longitude_deg + 1.915 * mean_anomaly.sin() + 0.020 * (2.0 * mean_anomaly).sin();
    let (sin_longitude, cos_longitude) = longitude_deg.to_radians().sin_cos();
    let (sin_obliquity, cos_obliquity) = (23.439 - 4e-7 * days).to_radians().sin_cos();
    [cos_longitude, cos_obliquity * sin_longitude, sin_obliquity * sin_longitude]
}

/// Where the Sun stands at the zenith: degrees north, degrees east (-180 to 180). The latitude is geocentric.
pub fn point_below(time: TaiTime) -> [f64; 2] {
    let [x, y, z] = in_frame_turned(direction(time), sidereal_angle_rad(time));
    [z.asin().to_degrees(), y.atan2(x).to_degrees()]
}

/// Whether the Earth leaves the Sun's centre to be seen from a position in the frame of [`crate::State`], kilometres.
pub fn shines_on(position_km: Vector, time: TaiTime) -> bool {
    // Stretched along its axis the Earth is a sphere, and straight lines stay straight.
    let stretched = |[x, y, z]: Vector| [x, y, z / (1.0 - FLATTENING)];
    let (position, sun) = (stretched(position_km), stretched(direction(time)));
    let towards = dot(position, sun) / norm(sun);
    towards >= 0.0 || dot(position, position) - towards * towards > RADIUS_KM * RADIUS_KM
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
        assert!(point_below(at("2026-03-20T14:46:00Z"))[0].abs() < 0.01);
        assert!((point_below(at("2026-06-21T08:24:00Z"))[0] - 23.436).abs() < 0.01);
        // At noon in Greenwich it is as far east as the equation of time says: 14 min before the meridian on 12 February.
        let east = point_below(at("2026-02-12T12:00:00Z"))[1];
        assert!((east - 3.55).abs() < 0.05, "{east}");
    }

    #[test]
    fn behind_the_earth_it_is_dark_and_beside_it_is_not() {
        let time = at("2026-03-20T14:46:00Z");
        let [x, y, z] = direction(time);
        let behind = |distance: f64, beside: f64| [-x * distance, -y * distance, -z * distance + beside];
        assert!(!shines_on(behind(7_000.0, 0.0), time));
        assert!(!shines_on(behind(7_000.0, 6_356.0), time), "just below the pole's edge");
        assert!(shines_on(behind(7_000.0, 6_358.0), time), "the Earth is flatter at its poles");
        assert!(shines_on(behind(-7_000.0, 0.0), time), "between Earth and Sun");
        assert!(shines_on(behind(0.0, 6_357.0), time), "on the terminator");
    }
}
