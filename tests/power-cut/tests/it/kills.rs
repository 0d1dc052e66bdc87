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
/// From the start of the process, or in every other round from its first acknowledgement: some kills meet it while it
/// opens, others while it writes.
const ALIVE_MS: std::ops::Range<u64> = 5..400;
const ACKNOWLEDGED_WITHIN: Duration = Duration::from_secs(20);

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
        let child = torturer.start(root.path(), chance.random())?;
        let said = killed_after(alive, round % 2 == 1, child)?;
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
    ensure!(acknowledged >= rounds / 2, "only {acknowledged} were acknowledged");
    root.disable_cleanup(false);
    Ok(())
}

/// Kills it, and returns what it had said until then. The time it lives may count from its first word.
fn killed_after(alive: Duration, from_first_word: bool, mut child: Child) -> anyhow::Result<String> {
    let (first_word, said) = listen(child.stdout.take().context("it has a standard output")?);
    let (_, complaints) = listen(child.stderr.take().context("it has a standard error")?);
    if from_first_word {
        first_word.recv_timeout(ACKNOWLEDGED_WITHIN).context("it acknowledges nothing")?;
    }
    // A moment is what is wanted here, not a state.
    thread::sleep(alive);
    let ended = child.try_wait()?;
    child.kill()?;
    child.wait()?;
    ensure!(ended.is_none(), "it ended by itself: {ended:?} {}", complaints.recv()?);
    Ok(said.recv()?)
}

/// Reads to the end, so that nobody waits for room in a pipe; tells when something came, and what all was.
fn listen(mut pipe: impl Read + Send + 'static) -> (Receiver<()>, Receiver<String>) {
    let ((began, first), (heard, all)) = (mpsc::channel(), mpsc::channel());
    thread::spawn(move || {
        let mut bytes = vec![0];
        // A pipe that fails has said what it said, and not everybody listens.
        match pipe.read_exact(&mut bytes) {
            Ok(()) => drop(began.send(())),
            Err(_) => bytes.clear(),
        }
        let _ = pipe.read_to_end(&mut bytes);
        let _ = heard.send(String::from_utf8_lossy(&bytes).into_owned());
    });
    (first, all)
}
