//! `kill -9` at any moment of a journal that writes at full speed, and opening one with a long backlog.

use std::io::Read;
use std::process::Child;
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use anyhow::{Context, ensure};
use power_cut::engine::ENGINES;
use power_cut::ledger::Ledger;
use power_cut::run::Torturer;
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};

use crate::{rounds, seed, torturer};

const USUAL_ROUNDS: u64 = 10;
/// From the start of the process: some kills meet it while it opens.
const ALIVE_MS: std::ops::Range<u64> = 5..400;
/// Less would mean that hardly anything was written between the kills.
const ACKNOWLEDGED_PER_ROUND_MIN: u64 = 4;

#[test]
fn what_was_acknowledged_survives_kills() -> anyhow::Result<()> {
    let seed = seed();
    for engine in ENGINES {
        survives_kills(&torturer(*engine), seed).with_context(|| engine.name)?;
    }
    Ok(())
}

/// One journal is killed again and again. What the check appends in between is of no concern later.
fn survives_kills(torturer: &Torturer, seed: u64) -> anyhow::Result<()> {
    let mut root = tempfile::Builder::new().prefix("sto-kill-").tempdir()?;
    // Whatever fails from here on, a look at the files will be wanted.
    root.disable_cleanup(true);
    let mut chance = SmallRng::seed_from_u64(seed);
    let (mut ledger, mut longest) = (Ledger::default(), Duration::ZERO);
    let rounds = rounds(USUAL_ROUNDS);
    for round in 0..rounds {
        let alive = Duration::from_millis(chance.random_range(ALIVE_MS));
        let said = killed_after(alive, torturer.start(root.path(), chance.random())?)?;
        ledger.read(&said)?;
        let took = torturer.check(root.path(), &ledger).with_context(|| {
            format!("kill {round}, after {alive:?}; what it left is in {}", root.path().display())
        })?;
        longest = longest.max(took);
    }
    let acknowledged = ledger.newest.map_or(0, |newest| newest.0);
    println!(
        "{}: {rounds} kills, {acknowledged} batches acknowledged, opened within {longest:?}",
        torturer.engine.name
    );
    ensure!(acknowledged >= rounds * ACKNOWLEDGED_PER_ROUND_MIN, "only {acknowledged} were acknowledged");
    root.disable_cleanup(false);
    Ok(())
}

/// Kills it, and returns what it had said until then.
fn killed_after(alive: Duration, mut child: Child) -> anyhow::Result<String> {
    let said = listen(child.stdout.take().context("it has a standard output")?);
    let complaints = listen(child.stderr.take().context("it has a standard error")?);
    // A moment is what is wanted here, not a state.
    thread::sleep(alive);
    let ended = child.try_wait()?;
    child.kill()?;
    child.wait()?;
    ensure!(ended.is_none(), "it ended by itself: {ended:?} {}", complaints.recv()?);
    Ok(said.recv()?)
}

/// Reads to the end, so that nobody waits for room in a pipe.
fn listen(mut pipe: impl Read + Send + 'static) -> Receiver<String> {
    let (heard, all) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        // A pipe that fails has said what it said.
        let _ = pipe.read_to_end(&mut bytes);
        let _ = heard.send(String::from_utf8_lossy(&bytes).into_owned());
    });
    all
}
