//! What the journal acknowledged survives power cuts and kills, whichever engine it has.

mod kills;
mod power_cuts;

use std::fmt::Debug;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::{SystemTime, UNIX_EPOCH};

use power_cut::engine::Engine;
use power_cut::run::Torturer;

/// Chooses everything that is left to chance; printed, so that a failure's can be given.
const SEED_VARIABLE: &str = "STO_TEST_SEED";
/// How often something is tried with each engine; recipes ask for more than a usual run.
const ROUNDS_VARIABLE: &str = "STO_TEST_ROUNDS";

fn variable<T: FromStr<Err: Debug>>(name: &str) -> Option<T> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|failed| panic!("{name} must be a number, not {text:?}: {failed:?}")))
}

fn seed() -> u64 {
    let seed = variable(SEED_VARIABLE).unwrap_or_else(|| {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is later than 1970");
        now.subsec_nanos().into()
    });
    println!("{SEED_VARIABLE}={seed}");
    seed
}

fn rounds(usual: u64) -> u64 {
    variable(ROUNDS_VARIABLE).unwrap_or(usual)
}

fn torturer(engine: Engine) -> Torturer {
    Torturer { program: PathBuf::from(env!("CARGO_BIN_EXE_torture")), engine }
}
