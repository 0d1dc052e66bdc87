//! Where in the journal samples of a time lie: runs of batches with the generation times found in them.

use serde::{Deserialize, Serialize};

/// Batches of one run: what a question about a moment reads at least.
const RUN_BATCHES_MAX: u32 = 256;
/// How far a spacecraft's clock may run ahead of a station's and still be believed, as for latest values.
pub(crate) const AHEAD_MAX_NANOS: i64 = 60_000_000_000;

/// Batches of a mission that follow each other in the journal, perhaps with batches of others in between.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
pub(crate) struct BatchRun {
    /// First sequence.
    pub(crate) first: u64,
    /// Last sequence.
    pub(crate) last: u64,
    /// How many batches are the mission's.
    pub(crate) batches: u32,
    /// How many samples are in them.
    pub(crate) samples: u64,
    /// Earliest generation time, TAI nanoseconds.
    pub(crate) earliest: i64,
    /// Latest generation time.
    pub(crate) latest: i64,
    /// Latest generation time that is not far ahead of its reception: a flipped bit must not make it seem that the
    /// journal forgot the future.
    pub(crate) plausible: i64,
}

/// What reading batches would cost.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Cost {
    /// Batches.
    pub(crate) batches: u64,
    /// Samples in them, of all parameters.
    pub(crate) samples: u64,
}

impl Cost {
    /// What a question reads at most where there is a choice: well under a second of the journal's and a blocking
    /// thread's time.
    pub(crate) const MAX: Self = Self { batches: 2_000, samples: 4_000_000 };

    /// Whether it is within a bound.
    pub(crate) fn is_within(self, bound: Self) -> bool {
        self.batches <= bound.batches && self.samples <= bound.samples
    }

    /// With a run more.
    #[must_use]
    pub(crate) fn plus(self, run: &BatchRun) -> Self {
        Self { batches: self.batches + u64::from(run.batches), samples: self.samples + run.samples }
    }
}

/// All runs of a mission whose batches are in the journal, and what of older ones must be known.
#[derive(Clone, Debug)]
pub(crate) struct BatchRuns {
    closed: Vec<BatchRun>,
    open: Option<BatchRun>,
    /// How many of the closed ones are on disk.
    written: usize,
    /// Newest generation time that the journal forgot samples of.
    forgotten: i64,
}

impl BatchRuns {
    /// Runs as they were found on disk.
    pub(crate) fn restored(closed: Vec<BatchRun>, forgotten: i64) -> Self {
        Self { written: closed.len(), closed, open: None, forgotten }
    }

    /// Of batches `from` to `to` in the journal nobody knows the times where no run names them: whoever asks reads
    /// them.
    pub(crate) fn add_unknown(&mut self, from: u64, to: u64) {
        let known = std::mem::take(&mut self.closed);
        let mut next = from;
        for run in known {
            self.push_unknown(next, run.first.saturating_sub(1).min(to));
            next = next.max(run.last + 1);
            self.closed.push(run);
        }
        self.push_unknown(next, to);
        self.written = self.closed.len();
    }

    fn push_unknown(&mut self, first: u64, last: u64) {
        let unknown = (first..=last).step_by(RUN_BATCHES_MAX as usize).map(|from| BatchRun {
            first: from,
            last: last.min(from + u64::from(RUN_BATCHES_MAX) - 1),
            batches: RUN_BATCHES_MAX,
            samples: 0,
            earliest: i64::MIN,
            latest: i64::MAX,
            plausible: i64::MIN,
        });
        self.closed.extend(unknown);
    }

    /// A batch was read; its samples have these generation times (earliest, latest, latest plausible).
    pub(crate) fn on_batch(&mut self, sequence: u64, samples: u64, times: Option<(i64, i64, i64)>) {
        let Some((earliest, latest, plausible)) = times else { return };
        let run = self.open.get_or_insert(BatchRun {
            first: sequence,
            last: sequence,
            batches: 0,
            samples: 0,
            earliest,
            latest,
            plausible,
        });
        run.last = sequence;
        run.batches += 1;
        run.samples += samples;
        run.earliest = run.earliest.min(earliest);
        run.latest = run.latest.max(latest);
        run.plausible = run.plausible.max(plausible);
        if run.batches >= RUN_BATCHES_MAX {
            self.close();
        }
    }

    /// Ends the run that grows.
    pub(crate) fn close(&mut self) {
        self.closed.extend(self.open.take());
    }

    /// Closed runs that are not on disk.
    pub(crate) fn unwritten(&self) -> &[BatchRun] {
        &self.closed[self.written..]
    }

    /// All closed ones are on disk.
    pub(crate) fn on_written(&mut self) {
        self.written = self.closed.len();
    }

    /// The journal begins at `tail` now.
    pub(crate) fn forget_before(&mut self, tail: u64) {
        let gone = self.closed.iter().take_while(|run| run.last < tail).count();
        for run in self.closed.drain(..gone) {
            self.forgotten = self.forgotten.max(run.plausible);
        }
        self.written = self.written.saturating_sub(gone);
    }

    /// Newest generation time that the journal, which begins at `tail`, does not have all samples of.
    pub(crate) fn forgotten(&self, tail: u64) -> i64 {
        let partly = self.all().filter(|run| run.first < tail).map(|run| run.plausible);
        partly.fold(self.forgotten, i64::max)
    }

    /// Runs up to a batch that are wanted by their earliest and latest time, in the order of the former.
    pub(crate) fn of(&self, up_to: u64, is_wanted: impl Fn(i64, i64) -> bool) -> Vec<BatchRun> {
        let wanted = self.all().filter(|run| run.first <= up_to && is_wanted(run.earliest, run.latest));
        let mut runs: Vec<BatchRun> = wanted.copied().collect();
        runs.sort_by_key(|run| (run.earliest, run.first));
        runs
    }

    fn all(&self) -> impl Iterator<Item = &BatchRun> {
        self.closed.iter().chain(&self.open)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_that_no_run_names_are_read_by_every_question() {
        let run = |first: u64, last: u64| BatchRun {
            first,
            last,
            batches: 1,
            samples: 1,
            earliest: 0,
            latest: 0,
            plausible: 0,
        };
        let mut runs = BatchRuns::restored(vec![run(5, 9), run(20, 29)], i64::MIN);
        runs.add_unknown(3, 300);
        let found: Vec<(u64, u64)> = runs.closed.iter().map(|run| (run.first, run.last)).collect();
        assert_eq!(found, [(3, 4), (5, 9), (10, 19), (20, 29), (30, 285), (286, 300)]);
        assert_eq!((runs.of(1_000, |_, latest| latest > 0).len(), runs.unwritten().len()), (4, 0));
    }

    #[test]
    fn what_the_journal_forgets_stays_known_and_an_impossible_time_does_not_count() {
        let mut runs = BatchRuns::restored(Vec::new(), i64::MIN);
        for sequence in 1..=600 {
            let time = sequence as i64 * 10;
            let latest = if sequence == 3 { i64::MAX } else { time };
            runs.on_batch(sequence, 1, Some((time, latest, time)));
        }
        assert_eq!((runs.unwritten().len(), runs.forgotten(1)), (2, i64::MIN));
        runs.on_written();
        runs.forget_before(300);
        assert_eq!(runs.forgotten(300), 5_120, "the second run is only partly there");
        let found =
            |from, to, up_to| runs.of(up_to, |earliest, latest| earliest < to && latest >= from).len();
        assert_eq!((runs.unwritten().len(), found(0, 3_000, 1_000)), (0, 1));
        assert_eq!((found(5_121, 5_131, 500), found(5_121, 5_131, 1_000)), (0, 1));
    }
}
