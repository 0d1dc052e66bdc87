//! What a catalogue would publish of the demo spacecraft: two-line elements of its orbit, with an epoch of today.

use space_packet::{TaiTime, UtcTime};

use crate::orbit::{DEMO_TLE, Orbit, OrbitState, Vector, cross, dot, norm};

const J2: f64 = 1.082_63e-3;
const EARTH_RADIUS_KM: f64 = 6_378.137;
const GRAVITY_KM3_S2: f64 = 398_600.5;
const SECONDS_PER_DAY: f64 = 86_400.0;
/// Rounds in which node and anomaly are mended: what is left after these is a rounded digit.
const ROUNDS: usize = 4;

/// Mean elements that change with the epoch, degrees.
#[derive(Clone, Copy)]
struct Turned {
    node: f64,
    perigee: f64,
    anomaly: f64,
}

/// Two lines that describe the demo spacecraft's orbit as it is at a moment, to the second.
pub fn demo_elements(time: TaiTime) -> [String; 2] {
    let second = UtcTime { nanoseconds: 0, ..time.to_utc() };
    let time = second.to_tai();
    let true_state = Orbit::demo().state_at(time);
    let mut turned = drifted(time);
    for _ in 0..ROUNDS {
        let [first, second] = lines(time, turned);
        let found = Orbit::of([&first, &second]).state_at(time);
        turned.node += turn_of_nodes_deg(&found, &true_state);
        let normal = cross(true_state.position_km, true_state.velocity_km_s);
        turned.anomaly += turn_deg(found.position_km, true_state.position_km, normal);
    }
    lines(time, turned)
}

/// What the Earth's flattening makes of the published elements: its first term, good to some degrees after a year.
fn drifted(time: TaiTime) -> Turned {
    let read = |from: usize, to: usize| {
        let number = DEMO_TLE[1][from..to].trim().parse::<f64>();
        number.expect("the elements are a constant, which every test reads")
    };
    let (inclination, eccentricity) = (read(8, 16).to_radians(), read(26, 33) * 1e-7);
    let revolutions_a_day = read(52, 63);
    let motion_rad_s = revolutions_a_day * std::f64::consts::TAU / SECONDS_PER_DAY;
    let axis_km = (GRAVITY_KM3_S2 / (motion_rad_s * motion_rad_s)).cbrt();
    let parameter = axis_km * (1.0 - eccentricity * eccentricity) / EARTH_RADIUS_KM;
    let rate_deg_day = 1.5 * J2 * revolutions_a_day * 360.0 / (parameter * parameter);
    let published_at = UtcTime::parse("2026-01-01T00:00:00Z").expect("a time").to_tai();
    let days = time.seconds_since(published_at) / SECONDS_PER_DAY;
    Turned {
        node: read(17, 25) - rate_deg_day * inclination.cos() * days,
        perigee: read(34, 42) + rate_deg_day * (2.0 - 2.5 * inclination.sin().powi(2)) * days,
        anomaly: read(43, 51) + revolutions_a_day * 360.0 * days,
    }
}

/// By how much the ascending node of one orbit lies east of another's.
fn turn_of_nodes_deg(from: &OrbitState, to: &OrbitState) -> f64 {
    let node = |state: &OrbitState| {
        let [x, y, _] = cross(state.position_km, state.velocity_km_s);
        [-y, x, 0.0]
    };
    turn_deg(node(from), node(to), [0.0, 0.0, 1.0])
}

/// The angle from one direction to another about an axis.
fn turn_deg(from: Vector, to: Vector, axis: Vector) -> f64 {
    (dot(cross(from, to), axis) / norm(axis)).atan2(dot(from, to)).to_degrees()
}

fn lines(epoch: TaiTime, turned: Turned) -> [String; 2] {
    let utc = epoch.to_utc();
    let text = utc.to_string();
    let year = &text[..4];
    let first = UtcTime::parse(&format!("{year}-01-01T00:00:00Z")).expect("the first of January is a day");
    let day = (utc.unix_seconds - first.unix_seconds) as f64 / SECONDS_PER_DAY + 1.0;
    let angle = |degrees: f64| {
        let text = format!("{:8.4}", degrees.rem_euclid(360.0));
        if text.trim() == "360.0000" { "  0.0000".to_owned() } else { text }
    };
    let Turned { node, perigee, anomaly } = turned;
    let [one, two] = DEMO_TLE;
    [
        with_checksum(&format!("{}{}{day:012.8}{}", &one[..18], &year[2..], &one[32..68])),
        with_checksum(&format!(
            "{}{}{}{} {} {}",
            &two[..17],
            angle(node),
            &two[25..34],
            angle(perigee),
            angle(anomaly),
            &two[52..68]
        )),
    ]
}

fn with_checksum(line: &str) -> String {
    let of_byte = |byte: u8| match byte {
        b'0'..=b'9' => u32::from(byte - b'0'),
        b'-' => 1,
        _ => 0,
    };
    let sum = line.bytes().map(of_byte).sum::<u32>() % 10;
    format!("{line}{sum}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::orbit::subtract;

    #[test]
    fn elements_of_any_day_describe_the_orbit_that_is_flown() {
        let flown = Orbit::demo();
        for text in
            ["2026-01-01T00:00:00Z", "2026-11-23T18:48:06Z", "2027-12-31T23:59:59.5Z", "2031-06-30T12:00:00Z"]
        {
            let epoch = UtcTime::parse(text).expect("a time").to_tai();
            let [first, second] = demo_elements(epoch);
            assert_eq!((first.len(), second.len()), (69, 69), "{first}\n{second}");
            let published = Orbit::of([&first, &second]);
            let apart_km = |days: i64| {
                let time = epoch.plus_nanos(days * 86_400_000_000_000);
                norm(subtract(published.state_at(time).position_km, flown.state_at(time).position_km))
            };
            assert!(apart_km(0) < 1.0, "{} km at the epoch of {text}", apart_km(0));
            assert!(apart_km(3) < 5.0, "{} km three days after {text}", apart_km(3));
        }
    }
}
