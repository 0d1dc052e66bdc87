//! Ground stations and when the spacecraft stands high enough above them to be heard.

use std::time::Duration;

use space_packet::TaiTime;

use crate::orbit::{Orbit, OrbitState, Place, dot, norm, scale, subtract};

/// How far apart the moments are that a search for passes looks at; a pass shorter than this may be missed.
const SEARCH_STEP_NANOS: i64 = 10_000_000_000;
/// Rise and set are found to this.
const PRECISION_NANOS: i64 = 1_000_000;

/// A ground station.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Station {
    /// As the command line names it.
    pub name: &'static str,
    /// Where it is.
    pub place: Place,
    /// Below this elevation hills and noise win.
    pub mask_deg: f64,
}

/// On Spitsbergen: hears a polar orbit on most of its revolutions.
pub const SVALBARD: Station = Station {
    name: "svalbard",
    place: Place { latitude_deg: 78.23, longitude_deg: 15.39, altitude_km: 0.45 },
    mask_deg: 5.0,
};

/// In the south of New Zealand.
pub const AWARUA: Station = Station {
    name: "awarua",
    place: Place { latitude_deg: -46.53, longitude_deg: 168.38, altitude_km: 0.01 },
    mask_deg: 5.0,
};

/// Every station there is.
pub const STATIONS: [Station; 2] = [AWARUA, SVALBARD];

/// The spacecraft as seen from a station.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Look {
    /// Above the horizon.
    pub elevation_deg: f64,
    /// Distance.
    pub range_km: f64,
    /// Positive while it goes away.
    pub range_rate_km_s: f64,
}

/// A time above a station's mask.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pass {
    /// It comes above the mask.
    pub rise: TaiTime,
    /// It stands highest.
    pub highest: TaiTime,
    /// It goes below the mask.
    pub set: TaiTime,
    /// Elevation at `highest`.
    pub elevation_max_deg: f64,
}

/// The station of a name.
pub fn station(name: &str) -> Option<Station> {
    STATIONS.into_iter().find(|station| station.name == name)
}

impl Station {
    /// How the spacecraft is seen from here.
    pub fn look(&self, state: &OrbitState) -> Look {
        let line = subtract(state.earth_fixed_km(), self.place.earth_fixed_km());
        let range_km = norm(line);
        let direction = scale(line, 1.0 / range_km);
        Look {
            elevation_deg: dot(direction, self.place.zenith()).clamp(-1.0, 1.0).asin().to_degrees(),
            range_km,
            range_rate_km_s: dot(state.earth_fixed_velocity_km_s(), direction),
        }
    }

    /// Whether the spacecraft stands above the mask.
    pub fn hears(&self, state: &OrbitState) -> bool {
        self.look(state).elevation_deg > self.mask_deg
    }
}

/// The pass that is going on at `after`, or else the next one that begins `within` a time.
pub fn next_pass(orbit: &Orbit, station: &Station, after: TaiTime, within: Duration) -> Option<Pass> {
    let hears = |time: TaiTime| station.hears(&orbit.state_at(time));
    let end = after.plus_nanos(i64::try_from(within.as_nanos()).unwrap_or(i64::MAX));
    let mut before = after;
    while hears(before) {
        before = before.plus_nanos(-SEARCH_STEP_NANOS);
    }
    let mut inside = before;
    while !hears(inside) {
        if inside > end {
            return None;
        }
        before = inside;
        inside = inside.plus_nanos(SEARCH_STEP_NANOS);
    }
    let mut beyond = inside;
    while hears(beyond) {
        beyond = beyond.plus_nanos(SEARCH_STEP_NANOS);
    }
    let rise = boundary(before, inside, &hears);
    let set = boundary(beyond, beyond.plus_nanos(-SEARCH_STEP_NANOS), &hears);
    let elevation = |time: TaiTime| station.look(&orbit.state_at(time)).elevation_deg;
    let highest = culmination(rise, set, &elevation);
    Some(Pass { rise, highest, set, elevation_max_deg: elevation(highest) })
}

/// The moment between one that is outside a pass and one that is inside, on the inner side.
fn boundary(outside: TaiTime, inside: TaiTime, hears: &impl Fn(TaiTime) -> bool) -> TaiTime {
    let (mut outside, mut inside) = (outside.0, inside.0);
    while (inside - outside).abs() > PRECISION_NANOS {
        let middle = outside.midpoint(inside);
        if hears(TaiTime(middle)) {
            inside = middle;
        } else {
            outside = middle;
        }
    }
    TaiTime(inside)
}

/// The highest moment, by thirds: elevation has one maximum in a pass.
fn culmination(rise: TaiTime, set: TaiTime, elevation: &impl Fn(TaiTime) -> f64) -> TaiTime {
    let (mut low, mut high) = (rise.0, set.0);
    while high - low > PRECISION_NANOS {
        let third = (high - low) / 3;
        if elevation(TaiTime(low + third)) < elevation(TaiTime(high - third)) {
            low += third;
        } else {
            high -= third;
        }
    }
    TaiTime(low.midpoint(high))
}

#[cfg(test)]
mod tests {
    use space_packet::UtcTime;

    use super::*;

    const DAY: Duration = Duration::from_secs(86_400);

    fn start() -> TaiTime {
        UtcTime::parse("2026-11-22T12:00:00Z").expect("a time").to_tai()
    }

    fn passes_of_a_day(station: &Station) -> Vec<Pass> {
        let orbit = Orbit::demo();
        let mut passes = Vec::new();
        let mut after = start();
        while let Some(pass) = next_pass(&orbit, station, after, DAY) {
            if pass.rise.seconds_since(start()) > DAY.as_secs_f64() {
                break;
            }
            after = pass.set.plus_nanos(SEARCH_STEP_NANOS);
            passes.push(pass);
        }
        passes
    }

    #[test]
    fn a_pass_begins_and_ends_at_the_mask_and_stands_highest_between() {
        let orbit = Orbit::demo();
        for station in STATIONS {
            for pass in passes_of_a_day(&station) {
                let elevation = |time| station.look(&orbit.state_at(time)).elevation_deg;
                assert!((elevation(pass.rise) - station.mask_deg).abs() < 0.01);
                assert!((elevation(pass.set) - station.mask_deg).abs() < 0.01);
                assert!(pass.rise <= pass.highest && pass.highest <= pass.set);
                assert!(pass.elevation_max_deg >= station.mask_deg);
                assert!(pass.set.seconds_since(pass.rise) < 15.0 * 60.0);
            }
        }
    }

    #[test]
    fn the_northern_station_hears_most_revolutions_and_the_southern_one_some() {
        let north = passes_of_a_day(&SVALBARD).len();
        let south = passes_of_a_day(&AWARUA).len();
        assert!((10..=15).contains(&north), "{north} passes over svalbard");
        assert!((3..=7).contains(&south), "{south} passes over awarua");
    }

    #[test]
    fn a_pass_that_is_going_on_is_the_next_pass() {
        let orbit = Orbit::demo();
        let pass = next_pass(&orbit, &SVALBARD, start(), DAY).expect("a pass in a day");
        let again = next_pass(&orbit, &SVALBARD, pass.highest, DAY).expect("the same pass");
        assert!(again.rise.seconds_since(pass.rise).abs() < 0.01);
        assert_eq!(
            next_pass(&orbit, &SVALBARD, pass.set.plus_nanos(SEARCH_STEP_NANOS), Duration::ZERO),
            None
        );
    }

    #[test]
    fn the_range_shrinks_before_the_highest_point_and_grows_after_it() {
        let orbit = Orbit::demo();
        let pass = next_pass(&orbit, &SVALBARD, start(), DAY).expect("a pass in a day");
        assert!(SVALBARD.look(&orbit.state_at(pass.rise)).range_rate_km_s < -1.0);
        assert!(SVALBARD.look(&orbit.state_at(pass.set)).range_rate_km_s > 1.0);
    }
}
