use proptest::prelude::*;
use space_packet::UtcTime;

use crate::{ElementSet, Geodetic};

use super::*;

const HOUR: i64 = 3_600 * NANOS_PER_SECOND;
const DAY: i64 = 24 * HOUR;

/// Elements of an orbit: inclination, node, eccentricity, perigee, mean anomaly, revolutions a day.
fn orbit([inclination, node, eccentricity, perigee, anomaly, motion]: [f64; 6]) -> Orbit {
    let message = format!(
        r#"{{"OBJECT_NAME":"A","OBJECT_ID":"2026-001A","EPOCH":"2026-01-01T00:00:00","MEAN_MOTION":{motion},
        "ECCENTRICITY":{eccentricity},"INCLINATION":{inclination},"RA_OF_ASC_NODE":{node},
        "ARG_OF_PERICENTER":{perigee},"MEAN_ANOMALY":{anomaly},"EPHEMERIS_TYPE":0,"CLASSIFICATION_TYPE":"U",
        "NORAD_CAT_ID":99001,"ELEMENT_SET_NO":1,"REV_AT_EPOCH":1,"BSTAR":0,"MEAN_MOTION_DOT":0,"MEAN_MOTION_DDOT":0}}"#
    );
    Orbit::new(&ElementSet::parse(&message).expect("they can be read")[0]).expect("an orbit")
}

fn station(latitude_deg: f64, longitude_deg: f64, mask_deg: f64) -> Station {
    Station::new(Geodetic { latitude_deg, longitude_deg, height_km: 0.1 }, mask_deg)
}

fn start() -> TaiTime {
    UtcTime::parse("2026-01-02T00:00:00Z").expect("a time").to_tai()
}

fn passes(orbit: &Orbit, station: &Station, nanos: i64) -> Vec<Pass> {
    let span = start()..start().plus_nanos(nanos);
    Scan::new(orbit, span).expect("a scan").passes(station)
}

fn elevation(orbit: &Orbit, station: &Station, at: TaiTime) -> f64 {
    station.look(&orbit.state_at(at).expect("a position")).elevation_deg
}

/// What is true of every pass; and every second from an edge on the station hears, or does not.
fn check(orbit: &Orbit, station: &Station, nanos: i64) -> Result<(), TestCaseError> {
    let found = passes(orbit, station, nanos);
    let end = start().plus_nanos(nanos);
    for pass in &found {
        let top = elevation(orbit, station, pass.culmination);
        prop_assert!(top > station.mask_deg(), "{pass:?}");
        for edge in [pass.aos, pass.los].into_iter().flatten() {
            // A millisecond in which it rises at most a degree and a half a second.
            let off = elevation(orbit, station, edge) - station.mask_deg();
            prop_assert!((0.0..0.002).contains(&off), "{off} degrees at the edge of {pass:?}");
            prop_assert!(elevation(orbit, station, edge) <= top);
        }
        prop_assert!(pass.aos.is_none_or(|aos| aos <= pass.culmination && aos < end), "{pass:?}");
        prop_assert!(pass.los.is_none_or(|los| los >= pass.culmination && los > start()), "{pass:?}");
    }
    for pair in found.windows(2) {
        prop_assert!(pair[0].los < pair[1].aos, "{pair:?}");
    }
    // Every 5 seconds somebody looks whether the spacecraft is there.
    let mut at = start();
    while at < end {
        let hears = elevation(orbit, station, at) > station.mask_deg();
        let told = found
            .iter()
            .any(|pass| pass.aos.is_none_or(|aos| aos <= at) && pass.los.is_none_or(|los| at <= los));
        let is_at_edge = found
            .iter()
            .flat_map(|pass| [pass.aos, pass.los])
            .flatten()
            .any(|edge| (edge.0 - at.0).abs() <= 2 * EDGE_NANOS);
        prop_assert!(
            hears == told || is_at_edge,
            "at {at} it {} heard: {found:?}",
            if hears { "is" } else { "is not" }
        );
        at = at.plus_nanos(5 * NANOS_PER_SECOND);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn no_pass_of_a_low_orbit_is_missed_and_none_is_made_up(
        inclination in 0.0..180.0, node in 0.0..360.0, eccentricity in 0.0..0.02, perigee in 0.0..360.0,
        anomaly in 0.0..360.0, motion in 12.0..15.8,
        latitude in -90.0..90.0, longitude in -180.0..180.0, mask in 0.0..60.0,
    ) {
        check(&orbit([inclination, node, eccentricity, perigee, anomaly, motion]), &station(latitude, longitude, mask), DAY)?;
    }

    #[test]
    fn nor_is_one_of_a_high_or_eccentric_orbit(
        inclination in 0.0..120.0, node in 0.0..360.0, perigee in 0.0..360.0, anomaly in 0.0..360.0,
        perigee_km in 300.0..2_000.0, motion in 0.9..10.0,
        latitude in -90.0..90.0, longitude in -180.0..180.0, mask in 0.0..30.0,
    ) {
        let per_s: f64 = motion * std::f64::consts::TAU / 86_400.0;
        let axis_km = (398_600.8 / (per_s * per_s)).cbrt();
        let eccentricity = f64::max(1.0 - (6_378.0 + perigee_km) / axis_km, 0.0);
        check(&orbit([inclination, node, eccentricity, perigee, anomaly, motion]), &station(latitude, longitude, mask), DAY)?;
    }
}

#[test]
fn a_geostationary_spacecraft_is_always_heard_or_never() {
    let geo = orbit([0.01, 0.0, 0.000_1, 0.0, 100.0, 1.002_737_9]);
    let below = geo.state_at(start()).expect("a position").place().longitude_deg;
    let near = passes(&geo, &station(10.0, below, 5.0), DAY);
    assert!(matches!(near[..], [Pass { aos: None, los: None, .. }]), "{near:?}");
    assert!(passes(&geo, &station(10.0, below + 180.0, 5.0), DAY).is_empty());
    assert!(passes(&geo, &station(85.0, below, 5.0), DAY).is_empty(), "too far north");
}

#[test]
fn a_molniya_orbit_is_heard_for_hours_at_its_apogee_in_the_north() {
    let molniya = orbit([63.4, 60.0, 0.74, 270.0, 0.0, 2.005_6]);
    let found = passes(&molniya, &station(78.23, 15.39, 5.0), 2 * DAY);
    let hours =
        |pass: &Pass| pass.los.expect("an end").seconds_since(pass.aos.expect("a beginning")) / 3_600.0;
    assert!(found.len() >= 4, "{found:?}");
    assert!(found.iter().all(|pass| (8.0..12.0).contains(&hours(pass))), "{found:?}");
}

#[test]
fn a_pass_under_way_at_an_end_of_the_span_is_told_whole() {
    let low = orbit([97.86, 258.7, 0.001_1, 90.0, 270.0, 14.845]);
    let svalbard = station(78.23, 15.39, 5.0);
    let whole = passes(&low, &svalbard, DAY);
    assert!((10..=15).contains(&whole.len()), "{whole:?}");
    for pass in &whole {
        let part = pass.culmination..pass.culmination.plus_nanos(1_000_000);
        let again = Scan::new(&low, part).expect("a scan").passes(&svalbard);
        let [again] = again[..] else { panic!("{again:?}") };
        for (edge, other) in [(pass.aos, again.aos), (pass.los, again.los)] {
            let (edge, other) = (edge.expect("an edge"), other.expect("an edge"));
            assert!((edge.0 - other.0).abs() <= EDGE_NANOS, "{edge} {other}");
        }
        assert!((pass.culmination.0 - again.culmination.0).abs() < NANOS_PER_SECOND);
    }
}

#[test]
fn where_positions_end_passes_do_and_it_is_told() {
    let falling = orbit([51.6, 0.0, 0.000_5, 0.0, 0.0, 16.3]);
    let message = "1 99002U 26001A   26001.00000000  .00000000  00000-0  90000-1 0  9998\n\
        2 99002  51.6000   0.0000 0010000   0.0000 180.0000 16.20000000    14";
    let feather = Orbit::new(&ElementSet::parse(message).expect("they can be read")[0]).expect("an orbit");
    let from = feather.epoch();
    let scan = Scan::new(&feather, from..from.plus_nanos(31 * DAY)).expect("a scan");
    assert!(scan.ended().is_some(), "it comes down");
    assert!(!scan.passes(&station(40.0, 0.0, 0.0)).is_empty(), "before that it was heard");
    let later = from.plus_nanos(60 * DAY)..from.plus_nanos(61 * DAY);
    assert!(matches!(Scan::new(&feather, later), Err(ScanError::NoPosition(_))));
    let long = start()..start().plus_nanos(300 * DAY);
    assert!(matches!(Scan::new(&falling, long), Err(ScanError::TooLong { .. })));
}
