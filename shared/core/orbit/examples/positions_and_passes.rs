//! Answers cases of another program as JSON lines, for comparison: `just conformance-orbit`.
//!
//! Input, one case a line: `{"lines": TEXT, "minutes": [..]}` for positions at minutes from the epoch, or `{"lines": TEXT,
//! "from": UNIX_S, "to": UNIX_S, "stations": [[LATITUDE, LONGITUDE, HEIGHT_KM, MASK], ..]}` for passes.

use std::io::{BufRead, stdin};

use orbit::{ElementSet, Geodetic, Orbit, Scan, Station};
use serde_json::{Value, json};
use space_packet::TaiTime;

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    for line in stdin().lock().lines() {
        let case: Value = serde_json::from_str(&line?)?;
        println!("{}", answer(&case).unwrap_or_else(|error| json!({ "error": error.to_string() })));
    }
    Ok(())
}

fn answer(case: &Value) -> Result<Value, Failure> {
    let lines = case["lines"].as_str().ok_or("a case has `lines`")?;
    let set = ElementSet::parse(lines)?.remove(0);
    let orbit = Orbit::new(&set)?;
    match case["minutes"].as_array() {
        Some(minutes) => {
            Ok(minutes.iter().filter_map(Value::as_f64).map(|minutes| position(&orbit, minutes)).collect())
        }
        None => passes(&orbit, case),
    }
}

fn position(orbit: &Orbit, minutes: f64) -> Value {
    match orbit.state_at(orbit.epoch().plus_nanos((minutes * 60e9) as i64)) {
        Ok(state) => json!({ "position_km": state.position_km, "velocity_km_s": state.velocity_km_s }),
        Err(error) => json!({ "error": error.to_string() }),
    }
}

fn passes(orbit: &Orbit, case: &Value) -> Result<Value, Failure> {
    let moment = |name: &str| {
        let seconds = case[name].as_i64().ok_or("a case has whole seconds")?;
        Ok::<_, Failure>(TaiTime::from_unix_nanos(seconds * 1_000_000_000))
    };
    let stations: Vec<[f64; 4]> = serde_json::from_value(case["stations"].clone())?;
    let scan = Scan::new(orbit, moment("from")?..moment("to")?)?;
    let of = |[latitude_deg, longitude_deg, height_km, mask_deg]: [f64; 4]| {
        let station = Station::new(Geodetic { latitude_deg, longitude_deg, height_km }, mask_deg);
        let unix_s = |time: TaiTime| time.to_unix_nanos() as f64 / 1e9;
        let look = |time| orbit.state_at(time).map(|state| (station.look(&state), state.is_sunlit()));
        let told = scan.passes(&station).into_iter().map(|pass| {
            let (top, sunlit) = look(pass.culmination)?;
            Ok(json!({
                "aos": pass.aos.map(unix_s), "top": unix_s(pass.culmination), "los": pass.los.map(unix_s),
                "azimuth_deg": top.azimuth_deg, "elevation_deg": top.elevation_deg, "range_km": top.range_km,
                "range_rate_km_s": top.range_rate_km_s, "sunlit": sunlit,
            }))
        });
        told.collect::<Result<Value, Failure>>()
    };
    stations.into_iter().map(of).collect()
}
