use crate::ElementSet;
use crate::vector::subtract;

use super::*;

const NANOS_PER_DAY: f64 = 86_400e9;

fn orbit(lines: &str) -> Orbit {
    Orbit::new(&ElementSet::parse(lines).expect("they can be read")[0]).expect("an orbit")
}

fn after(orbit: &Orbit, minutes: f64) -> TaiTime {
    orbit.epoch().plus_nanos((minutes * NANOS_PER_MINUTE) as i64)
}

/// Cases of the verification of Vallado and others (AIAA 2006-6753): minutes from the epoch, kilometres.
#[test]
fn positions_are_those_of_the_reference() {
    let check = |lines: &str, minutes: f64, expected: Vector| {
        let orbit = orbit(lines);
        let state = orbit.state_at(after(&orbit, minutes)).expect("a position");
        let wrong_km = norm(subtract(state.position_km, expected));
        // Micrometres; the moment is a whole nanosecond.
        assert!(wrong_km < 1e-5, "{wrong_km} km at {minutes}");
    };
    let near = "1 00005U 58002B   00179.78495062  .00000023  00000-0  28098-4 0  4753\n\
        2 00005  34.2682 348.7242 1859667 331.7664  19.3264 10.82419157413667";
    check(near, 0.0, [7_022.46529266, -1_400.08296755, 0.03995155]);
    check(near, 4_320.0, [-9_060.47373569, 4_658.70952502, 813.68673153]);
    let molniya = "1 08195U 75081A   06176.33215444  .00000099  00000-0  11873-3 0   813\n\
        2 08195  64.1586 279.0717 6877146 264.7651  20.2257  2.00491383225656";
    check(molniya, 0.0, [2_349.89483350, -14_785.93811562, 0.02119378]);
    check(molniya, 2_880.0, [3_417.20931586, -16_038.79510665, 1_894.74934058]);
}

#[test]
fn an_orbit_that_leads_into_the_earth_is_told_apart_from_one_that_cannot_be_computed() {
    // An orbit whose perigee lies far below the ground, and a spacecraft with more drag than a feather.
    let falling = "1 99002U 26001A   26001.00000000  .00000000  00000-0  00000-0 0  9998\n\
        2 99002  51.6000   0.0000 1000000   0.0000 180.0000 16.00000000    12";
    let orbit_falling = orbit(falling);
    assert!(orbit_falling.state_at(orbit_falling.epoch()).is_ok(), "at its apogee it is above the ground");
    let perigee = orbit_falling.state_at(after(&orbit_falling, 45.0)).expect_err("below the ground");
    assert!(matches!(perigee, PropagationError::Decayed { .. }), "{perigee}");
    let feather = "1 99002U 26001A   26001.00000000  .00000000  00000-0  90000-1 0  9998\n\
        2 99002  51.6000   0.0000 0010000   0.0000 180.0000 16.20000000    14";
    let feather = orbit(feather);
    let gone = feather.state_at(feather.epoch().plus_nanos((60.0 * NANOS_PER_DAY) as i64)).expect_err("gone");
    assert!(!matches!(gone, PropagationError::TooFar { .. }), "{gone}");
    let far = feather.state_at(TaiTime(i64::MAX)).expect_err("far");
    assert!(matches!(far, PropagationError::TooFar { days, .. } if days > 80_000.0), "{far}");
}

#[test]
fn a_geostationary_spacecraft_stays_where_it_is_over_the_ground() {
    let orbit = orbit(
        "1 99003U 26001A   26001.00000000  .00000000  00000-0  00000-0 0  9999\n\
         2 99003   0.0100   0.0000 0001000   0.0000 100.0000  1.00273790    16",
    );
    let place = |hours: f64| orbit.state_at(after(&orbit, hours * 60.0)).expect("a position").place();
    let start = place(0.0);
    assert!((start.height_km - 35_786.0).abs() < 20.0, "{start:?}");
    for hours in 1..24 {
        let turned =
            (place(f64::from(hours)).longitude_deg - start.longitude_deg + 540.0).rem_euclid(360.0) - 180.0;
        assert!(turned.abs() < 0.2, "{turned} degrees after {hours} h");
    }
    let (_, velocity) = orbit.state_at(orbit.epoch()).expect("a position").earth_fixed();
    assert!(norm(velocity) < 0.02, "{velocity:?} km/s over the ground");
}

#[test]
fn velocity_is_what_positions_change_by() {
    let orbit = orbit(
        "1 00005U 58002B   00179.78495062  .00000023  00000-0  28098-4 0  4753\n\
         2 00005  34.2682 348.7242 1859667 331.7664  19.3264 10.82419157413667",
    );
    let fixed =
        |seconds: f64| orbit.state_at(after(&orbit, seconds / 60.0)).expect("a position").earth_fixed();
    let ((before, _), (_, velocity), (behind, _)) = (fixed(99.5), fixed(100.0), fixed(100.5));
    let wrong = norm(subtract(subtract(behind, before), velocity));
    // SGP4's velocities are not the exact derivatives of its positions.
    assert!(wrong < 2e-3, "{wrong} km/s");
}
