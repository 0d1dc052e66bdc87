//! Orbital elements from elsewhere, TLE and OMM: read, and propagated where they can be.
#![no_main]

use libfuzzer_sys::fuzz_target;
use orbit::{ElementSet, Orbit};

fuzz_target!(|text: &str| {
    let Ok(sets) = ElementSet::parse(text) else { return };
    for orbit in sets.iter().filter_map(|set| Orbit::new(set).ok()) {
        // Elements that can be taken may decay at once; that is told, and nothing else happens.
        let _ = orbit.state_at(orbit.epoch());
        let _ = orbit.state_at(orbit.epoch().plus_nanos(86_400_000_000_000));
    }
});
