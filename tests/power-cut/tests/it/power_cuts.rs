//! Power cuts at any moment of a recorded run.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context, ensure};
use power_cut::check::LOST;
use power_cut::cut::{Remains, cut};
use power_cut::disk::{Disk, NameRule, Unsynced};
use power_cut::engine::{ENGINES, Engine};
use power_cut::record::{self, Operation};
use power_cut::run::{Blind, Torturer};
use power_cut::tree::Tree;
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};

use crate::{rounds, seed, torturer};

/// No engine is given what only some file systems do.
const RULE: NameRule = NameRule::DirectorySync;
const USUAL_ROUNDS: u64 = 40;
/// Cuts of one recording; then another one is made.
const ROUNDS_PER_RECORDING: u64 = 40;
const COMMITS: u64 = 150;
/// Power cuts one after the other, each on what the last one left.
const GENERATIONS: u64 = 4;
const COMMITS_PER_GENERATION: u64 = 20;
/// Operations in which a journal opens.
const OPENING: usize = 40;
const CHECKS_AT_ONCE: usize = 2;

/// A run, and the files that it began with.
struct Recording {
    base: Tree,
    record: Vec<u8>,
}

impl Recording {
    /// Records a run on these files. A program that writes past the recorder is found out.
    fn make(torturer: &Torturer, base: Tree, seed: u64, commits: u64, blind: Blind) -> anyhow::Result<Self> {
        let root = tempfile::tempdir()?;
        base.write(root.path())?;
        let record = torturer.record(root.path(), seed, commits, blind)?;
        let recording = Self { base, record };
        let mut disk = Disk::new(&recording.base, RULE)?;
        disk.apply(&recording.operations()?)?;
        let replayed = disk.after_power_cut(Unsynced::Kept, &mut SmallRng::seed_from_u64(0));
        let same = replayed == Tree::read(root.path())?;
        ensure!(same, "a replayed record is not what the program left: the recorder misses something");
        Ok(recording)
    }

    fn operations(&self) -> anyhow::Result<Vec<Operation<'_>>> {
        record::read(&self.record)
    }
}

/// The journal that a cut left holds what had been acknowledged.
fn check(torturer: &Torturer, remains: &Remains) -> anyhow::Result<Duration> {
    let root = tempfile::tempdir()?;
    remains.tree.write(root.path())?;
    torturer.check(root.path(), &remains.ledger)
}

/// Keeps what a cut left for a look, as it was found and not as a check left it.
fn kept(remains: &Remains) -> anyhow::Result<String> {
    let root = tempfile::Builder::new().prefix("sto-power-cut-").tempdir()?.keep();
    remains.tree.write(&root)?;
    Ok(format!("what the cut left is in {}", root.display()))
}

/// Cuts of one recording.
struct Cuts<'a> {
    torturer: &'a Torturer,
    recording: &'a Recording,
    /// Whether failures are a surprise, and are kept.
    must_hold: bool,
}

impl Cuts<'_> {
    /// One cut, at a moment and with a fate that follow from the seed.
    fn one(&self, seed: u64) -> anyhow::Result<Duration> {
        let mut chance = SmallRng::seed_from_u64(seed);
        let operations = self.recording.operations()?;
        let moment = chance.random_range(0..=operations.len());
        let unsynced = Unsynced::choose(&mut chance);
        let remains = cut(&self.recording.base, &operations[..moment], RULE, unsynced, &mut chance)?;
        let checked = check(self.torturer, &remains);
        let kept = if checked.is_err() && self.must_hold { kept(&remains)? } else { String::new() };
        checked.with_context(|| {
            let (name, all) = (self.torturer.engine.name, operations.len());
            format!("{name}, seed {seed}, behind {moment} of {all} operations, {unsynced:?}; {kept}")
        })
    }

    /// One for each seed, on both cores: what went wrong, and the longest opening.
    fn each(&self, seeds: Range<u64>) -> (Vec<anyhow::Error>, Duration) {
        let next = AtomicU64::new(seeds.start);
        let work = || {
            let (mut failures, mut longest) = (Vec::new(), Duration::ZERO);
            loop {
                let seed = next.fetch_add(1, Ordering::Relaxed);
                if seed >= seeds.end {
                    return (failures, longest);
                }
                match self.one(seed) {
                    Ok(took) => longest = longest.max(took),
                    Err(failed) => failures.push(failed),
                }
            }
        };
        std::thread::scope(|scope| {
            let workers: Vec<_> = (0..CHECKS_AT_ONCE).map(|_| scope.spawn(work)).collect();
            workers.into_iter().fold((Vec::new(), Duration::ZERO), |(mut failures, longest), worker| {
                let (more, took) = worker.join().expect("a worker returns its failures");
                failures.extend(more);
                (failures, longest.max(took))
            })
        })
    }
}

fn survives_cuts(engine: Engine, seed: u64) -> anyhow::Result<()> {
    let (torturer, rounds) = (torturer(engine), rounds(USUAL_ROUNDS));
    let mut longest = Duration::ZERO;
    for begin in (0..rounds).step_by(ROUNDS_PER_RECORDING as usize) {
        let (from, to) = (seed + begin, seed + rounds.min(begin + ROUNDS_PER_RECORDING));
        let recording = Recording::make(&torturer, Tree::default(), from, COMMITS, Blind::ToNothing)?;
        let cuts = Cuts { torturer: &torturer, recording: &recording, must_hold: true };
        let (failures, took) = cuts.each(from..to);
        longest = longest.max(took);
        let count = failures.len();
        if let Some(first) = failures.into_iter().next() {
            return Err(first.context(format!("{count} of {} cuts", to - from)));
        }
    }
    println!("{}: {rounds} cuts, opened within {longest:?}", engine.name);
    Ok(())
}

#[test]
fn what_was_acknowledged_survives_a_power_cut_at_any_moment() -> anyhow::Result<()> {
    let seed = seed();
    ENGINES.iter().try_for_each(|engine| survives_cuts(*engine, seed))
}

#[test]
fn what_was_acknowledged_survives_power_cuts_one_after_the_other() -> anyhow::Result<()> {
    let seed = seed();
    for engine in ENGINES {
        let torturer = torturer(*engine);
        for round in 0..rounds(USUAL_ROUNDS).div_ceil(8) {
            let seed = seed + round * GENERATIONS;
            generations(&torturer, seed).with_context(|| format!("{}, seed {seed}", engine.name))?;
        }
    }
    Ok(())
}

/// What the node answers by setting the journal aside.
const CORRUPT: &str = "the journal's files are corrupt";

/// Every other time while the journal still opens: then it is a recovery that is cut.
fn generations(torturer: &Torturer, seed: u64) -> anyhow::Result<()> {
    let mut base = Tree::default();
    for generation in 0..GENERATIONS {
        let mut chance = SmallRng::seed_from_u64(seed + generation);
        let made = Recording::make(torturer, base, chance.random(), COMMITS_PER_GENERATION, Blind::ToNothing);
        let recording = match made {
            // The check of the generation before salvaged it; there is nothing to go on with.
            Err(failed) if generation > 0 && format!("{failed:#}").contains(CORRUPT) => {
                println!("seed {seed} ends with generation {generation}: salvaged");
                return Ok(());
            }
            made => made.with_context(|| format!("generation {generation}"))?,
        };
        let operations = recording.operations()?;
        let last = if chance.random() { operations.len() } else { operations.len().min(OPENING) };
        let (moment, unsynced) = (chance.random_range(0..=last), Unsynced::choose(&mut chance));
        let remains = cut(&recording.base, &operations[..moment], RULE, unsynced, &mut chance)?;
        let checked = check(torturer, &remains);
        let kept = if checked.is_err() { kept(&remains)? } else { String::new() };
        checked.with_context(|| {
            format!(
                "generation {generation}, behind {moment} of {} operations, {unsynced:?}; {kept}",
                operations.len()
            )
        })?;
        base = remains.tree;
    }
    Ok(())
}

#[test]
fn a_journal_that_would_not_sync_is_found_out() -> anyhow::Result<()> {
    let seed = seed();
    for engine in ENGINES {
        let torturer = torturer(*engine);
        for blind in [Blind::ToDataSync, Blind::ToAll] {
            let recording = Recording::make(&torturer, Tree::default(), seed, COMMITS, blind)?;
            let cuts = Cuts { torturer: &torturer, recording: &recording, must_hold: false };
            let (failures, _) = cuts.each(seed..seed + USUAL_ROUNDS / 2);
            let texts: Vec<String> = failures.iter().map(|failed| format!("{failed:#}")).collect();
            let lost = texts.iter().filter(|text| text.contains(LOST)).count();
            println!("{}, {blind:?}: {} failed, {lost} of them by a loss", engine.name, texts.len());
            ensure!(lost > 0, "{} without syncs lost nothing: {texts:?}", engine.name);
        }
    }
    Ok(())
}
