//! Runs seeds, one or thousands.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::checks::{Counts, Failure};
use crate::plan::Fault;
use crate::world::World;

/// How a seed went.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The seed.
    pub seed: u64,
    /// Of its whole story.
    pub hash: u64,
    /// Virtual time.
    pub lasted: Duration,
    /// What was broken, if anything was.
    pub failure: Option<Failure>,
    counts: Counts,
    injected: BTreeMap<Fault, u64>,
}

/// Runs one seed; `is_told` prints its story.
pub fn run_seed(seed: u64, is_told: bool) -> Outcome {
    // What a panic has to say is in the outcome.
    std::panic::set_hook(Box::new(|_| {}));
    let mut world = World::new(seed, is_told);
    // A machine that finds itself in a state that cannot be stops with a panic, and that is a finding too.
    let ended = catch_unwind(AssertUnwindSafe(|| world.run()));
    let context = &world.context;
    let mut failure = context.checks.failure.clone();
    if let Err(panic) = &ended {
        let what = panic.downcast_ref::<String>().cloned();
        let what = what.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        failure = Some(Failure { invariant: "assertion", what: what.unwrap_or_default() });
    }
    Outcome {
        seed,
        hash: context.trace.hash(),
        lasted: context.now,
        failure,
        counts: ended.unwrap_or_default(),
        injected: context.injected.clone(),
    }
}

/// How many seeds went.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// How many.
    pub seeds: u64,
    /// Of all stories, in order.
    pub hash: u64,
    /// Virtual time of all.
    pub lasted: Duration,
    /// The seeds that broke something.
    pub failures: Vec<Outcome>,
    counts: Counts,
    injected: BTreeMap<Fault, u64>,
}

/// Every so many seeds one is run a second time, to compare the stories.
const AGAIN_EVERY: u64 = 50;

/// Runs seeds on two threads; `on_seed` hears of each.
pub fn run_many(first: u64, count: u64, on_seed: impl Fn(&Outcome) + Sync) -> Summary {
    let next = AtomicU64::new(first);
    let outcomes = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= first + count {
                        return;
                    }
                    let outcome = run_checked(seed);
                    on_seed(&outcome);
                    outcomes.lock().unwrap_or_else(PoisonError::into_inner).push(outcome);
                }
            });
        }
    });
    let mut outcomes = outcomes.into_inner().unwrap_or_else(PoisonError::into_inner);
    outcomes.sort_by_key(|outcome| outcome.seed);
    let mut summary = Summary::default();
    for outcome in outcomes {
        summary.seeds += 1;
        summary.hash = summary.hash.rotate_left(5) ^ outcome.hash;
        summary.lasted += outcome.lasted;
        summary.counts.add(&outcome.counts);
        for (fault, times) in &outcome.injected {
            *summary.injected.entry(*fault).or_default() += times;
        }
        if outcome.failure.is_some() {
            summary.failures.push(outcome);
        }
    }
    summary
}

fn run_checked(seed: u64) -> Outcome {
    let mut outcome = run_seed(seed, false);
    if seed.is_multiple_of(AGAIN_EVERY) && outcome.failure.is_none() {
        let again = run_seed(seed, false);
        if again.hash != outcome.hash {
            let what = format!("two runs differ: {:016x} and {:016x}", outcome.hash, again.hash);
            outcome.failure = Some(Failure { invariant: "I12", what });
        }
    }
    outcome
}

impl Summary {
    /// One line of JSON.
    pub fn json(&self) -> String {
        let faults: Vec<String> =
            self.injected.iter().map(|(fault, times)| format!("\"{}\":{times}", fault.word())).collect();
        let counts = self.counts;
        format!(
            "{{\"seeds\":{},\"virtual_s\":{},\"records\":{},\"archived\":{},\"apart\":{},\"declared\":{},\
             \"lost_with_disk\":{},\"waiting\":{},\"faults\":{{{}}},\"failures\":{},\"trace_hash\":\"{:016x}\"}}",
            self.seeds,
            self.lasted.as_secs(),
            counts.produced,
            counts.archived,
            counts.apart,
            counts.declared,
            counts.excused,
            counts.waiting,
            faults.join(","),
            self.failures.len(),
            self.hash,
        )
    }
}

/// The first seed that finds a bug, and by what; two threads look.
#[cfg(feature = "mutations")]
pub fn find(bug: crate::mutation::Bug, seeds: u64) -> Option<(u64, Failure)> {
    let (next, found) = (AtomicU64::new(0), Mutex::new(None::<(u64, Failure)>));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                crate::mutation::Bug::activate(Some(bug));
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    let known =
                        found.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map(|found| found.0);
                    if seed >= seeds || known.is_some_and(|known| known < seed) {
                        return;
                    }
                    let Some(failure) = run_seed(seed, false).failure else { continue };
                    let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
                    if found.as_ref().is_none_or(|(known, _)| seed < *known) {
                        *found = Some((seed, failure));
                    }
                }
            });
        }
    });
    found.into_inner().unwrap_or_else(PoisonError::into_inner)
}
