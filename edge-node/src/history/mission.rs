//! The history of one mission: newest samples and growing roll-ups in memory, finished ones on disk.
//!
//! Seconds are made of samples, minutes of blocks of seconds, hours of blocks of minutes; each block says up to where
//! it was made of what, so a start makes again what was in memory only.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use mission_database::{MissionDatabase, ParameterIndex};
use processing::{Resolution, RollUp, RollUps, Sample};
use tracing::{error, warn};

use super::block::BlockHeader;
use super::files::{GroupReader, Level, LevelLimits};
use super::names::ParameterNames;
use super::recent::Recent;
use super::runs::{AHEAD_MAX_NANOS, BatchRuns};

/// How long roll-ups of each resolution gather before they are written, by reception: a power cut takes seconds of
/// this long from memory (the journal gives them back), and a question about a year reads a block a day.
const GATHERED_NANOS: [i64; 3] = [60_000_000_000, 900_000_000_000, 86_400_000_000_000];
/// The same for seconds by the node's own clock, when nothing more is received.
const GATHERED_MAX: Duration = Duration::from_secs(60);
/// Roll-ups of a resolution in memory, 88 bytes each; two a parameter for missions that have more.
const OPEN_MIN: usize = 64 * 1_024;
/// Runs of batches that a block names at most.
const RUNS_MAX: usize = 4_096;
/// Batches of other missions after which the position is written though nothing else was received.
const SILENT_BATCHES_MAX: u64 = 65_536;
/// Roll-ups leave the journal this much of the disk and more: it stops at 64 MiB.
const FREE_BYTES_MIN: u64 = 128 << 20;
/// A disk that refused is asked again after this long.
const RETRY_AFTER: Duration = Duration::from_secs(10);

/// The journal that is read, as it is at a start.
#[derive(Clone, Copy, Debug)]
pub(crate) struct JournalAtStart {
    /// Which.
    pub(crate) store: [u8; 16],
    /// Newest batch, 0 without any.
    pub(crate) head: u64,
    /// Oldest batch, 0 without any.
    pub(crate) tail: u64,
}

/// What a mission's history may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MissionLimits {
    /// How long roll-ups of each resolution stay.
    pub(crate) keep_nanos: [i64; 3],
    /// Disk for all of them.
    pub(crate) quota_bytes: u64,
    /// Newest samples in memory.
    pub(crate) samples_max: usize,
}

impl MissionLimits {
    fn of(&self, resolution: Resolution) -> LevelLimits {
        let file_bytes_max = (self.quota_bytes / 16).clamp(64 << 10, 64 << 20);
        LevelLimits { file_bytes_max, keep_nanos: self.keep_nanos[resolution as usize] }
    }
}

/// Everything that changes with a batch.
#[derive(Debug)]
pub(crate) struct MissionState {
    recent: Recent,
    /// Where in the journal samples of a time are.
    pub(crate) runs: BatchRuns,
    /// Numbers on disk.
    pub(crate) names: ParameterNames,
    /// Growing roll-ups: of seconds by the mission's own numbers, of minutes and hours by those on disk.
    pub(crate) open: [RollUps; 3],
    /// Files.
    pub(crate) levels: [Level; 3],
    directory: PathBuf,
    limits: MissionLimits,
    store: [u8; 16],
    sequence: u64,
    written_sequence: u64,
    made_of: [u64; 3],
    receptions: [Option<(i64, i64)>; 3],
    gathering_since: Option<Instant>,
    retry_at: Option<Instant>,
}

/// A batch of the mission, as far as its history needs to know it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BatchPlace {
    /// Place in the journal.
    pub(crate) sequence: u64,
    /// Earliest reception.
    pub(crate) first_reception: i64,
    /// Latest reception.
    pub(crate) last_reception: i64,
}

impl MissionState {
    /// Reads what is on disk, and makes the coarser roll-ups again that were in memory only.
    pub(crate) fn open(
        directory: &Path,
        limits: MissionLimits,
        journal: JournalAtStart,
    ) -> std::io::Result<Self> {
        std::fs::create_dir_all(directory)?;
        let names = ParameterNames::open(directory)?;
        let mut found =
            Found { journal, runs: Vec::new(), forgotten: i64::MIN, sequence: 0, is_damaged: false };
        let mut open = |resolution: Resolution| {
            Level::open(directory, resolution, limits.of(resolution), |header| found.on_header(header))
        };
        let [second, minute, hour] = Resolution::ALL;
        let levels = [open(second)?, open(minute)?, open(hour)?];
        found.is_damaged = levels.iter().any(Level::is_damaged);
        let mut state = Self::assemble(directory, limits, (names, levels), found);
        state.fold_behind(Resolution::Minute)?;
        state.fold_behind(Resolution::Hour)?;
        Ok(state)
    }

    /// A history in memory, because its directory cannot be used. Writing fails, and is tried again and again.
    pub(crate) fn without_disk(directory: &Path, limits: MissionLimits, journal: JournalAtStart) -> Self {
        let found = Found { journal, runs: Vec::new(), forgotten: i64::MIN, sequence: 0, is_damaged: false };
        let level = |resolution| Level::without_disk(directory, resolution, limits.of(resolution));
        Self::assemble(
            directory,
            limits,
            (ParameterNames::empty(directory), Resolution::ALL.map(level)),
            found,
        )
    }

    fn assemble(
        directory: &Path,
        limits: MissionLimits,
        (names, levels): (ParameterNames, [Level; 3]),
        found: Found,
    ) -> Self {
        let sequence = found.sequence.min(found.journal.head);
        Self {
            store: found.journal.store,
            recent: Recent::new(sequence, limits.samples_max),
            runs: found.into_runs(sequence),
            names,
            open: Resolution::ALL.map(RollUps::new),
            made_of: [0, 1, 2].map(|level: usize| levels[level].newest().map_or(0, |newest| newest.made_of)),
            levels,
            directory: directory.to_owned(),
            limits,
            sequence,
            written_sequence: sequence,
            receptions: [None; 3],
            gathering_since: None,
            retry_at: None,
        }
    }

    /// Another journal began: what gathered is written, and numbers mean its batches from now on. Samples of the old
    /// one nobody can read any more.
    pub(crate) fn begin_journal(&mut self, database: &MissionDatabase, store: [u8; 16]) {
        self.flush(database, true);
        self.runs.close();
        self.runs.forget_before(u64::MAX);
        (self.store, self.sequence, self.written_sequence) = (store, 0, 0);
        self.read_from_behind(0);
    }

    /// The newest batch that is in the roll-ups.
    pub(crate) fn sequence(&self) -> u64 {
        self.sequence
    }

    /// What is read from now on are batches behind this one, again or for the first time.
    pub(crate) fn read_from_behind(&mut self, sequence: u64) {
        self.recent = Recent::new(sequence, self.limits.samples_max);
    }

    /// A batch of another mission, or one that cannot be read, passed by.
    pub(crate) fn on_other(&mut self, sequence: u64) {
        self.sequence = self.sequence.max(sequence);
        self.recent.pass_by(sequence);
    }

    /// The newest samples in memory, unless they are still being read at a start.
    pub(crate) fn memory(&self) -> Option<&Recent> {
        Some(&self.recent).filter(|recent| recent.reached() >= self.sequence)
    }

    /// Samples of later batches are in memory.
    pub(crate) fn in_memory_behind(&self) -> u64 {
        self.memory().map_or(self.sequence, Recent::behind)
    }

    /// Takes the samples of a batch. One that was rolled up before only comes into memory.
    pub(crate) fn on_batch(&mut self, place: BatchPlace, samples: Vec<Sample>) {
        if place.sequence > self.sequence {
            self.sequence = place.sequence;
            let mut times: Option<(i64, i64, i64)> = None;
            for sample in &samples {
                self.open[0].on_sample(sample);
                let (made, received) = (sample.generation.0.0, sample.reception.0.0);
                let plausible = made.min(received.saturating_add(AHEAD_MAX_NANOS));
                let (earliest, latest, last) = times.unwrap_or((made, made, plausible));
                times = Some((earliest.min(made), latest.max(made), last.max(plausible)));
            }
            self.runs.on_batch(place.sequence, samples.len() as u64, times);
            widen(&mut self.receptions[0], place.first_reception, place.last_reception);
            self.gathering_since.get_or_insert_with(Instant::now);
        }
        self.recent.on_batch(place.sequence, samples);
    }

    /// Writes what has gathered for long enough, or all of it.
    pub(crate) fn flush(&mut self, database: &MissionDatabase, is_last: bool) {
        let is_due = is_last
            || self.is_full(Resolution::Second)
            || self.has_gathered(Resolution::Second)
            || self.gathering_since.is_some_and(|since| since.elapsed() >= GATHERED_MAX)
            || self.runs.unwritten().len() >= RUNS_MAX
            || self.sequence - self.written_sequence >= SILENT_BATCHES_MAX;
        let is_waiting = !is_last && self.retry_at.is_some_and(|at| Instant::now() < at);
        if !is_due || is_waiting || self.sequence == self.written_sequence {
            return;
        }
        self.retry_at = None;
        if let Err(error) = self.write_seconds(database).and_then(|()| self.write_coarser()) {
            let retry_after_s = RETRY_AFTER.as_secs();
            warn!(%error, retry_after_s, "roll-ups could not be written, they stay in memory and are tried again");
            self.retry_at = Some(Instant::now() + RETRY_AFTER);
            self.give_up_what_is_too_much();
        }
        self.forget_old();
    }

    fn is_full(&self, resolution: Resolution) -> bool {
        let parameters = self.names.len();
        self.open[resolution as usize].len() >= OPEN_MIN.max(2 * parameters)
    }

    fn has_gathered(&self, resolution: Resolution) -> bool {
        let level = resolution as usize;
        self.receptions[level]
            .is_some_and(|(first, last)| last.saturating_sub(first) >= GATHERED_NANOS[level])
    }

    fn write_seconds(&mut self, database: &MissionDatabase) -> std::io::Result<()> {
        self.runs.close();
        let taken = self.open[0].take();
        let result = self.try_write_seconds(database, &taken);
        if result.is_err() {
            taken.iter().for_each(|(parameter, rollup)| self.open[0].add(*parameter, rollup));
        }
        result
    }

    fn try_write_seconds(
        &mut self,
        database: &MissionDatabase,
        taken: &[(ParameterIndex, RollUp)],
    ) -> std::io::Result<()> {
        // Ordered by parameter, so that each comes once.
        let parameters = taken.chunk_by(|(one, _), (next, _)| one == next).map(|buckets| buckets[0].0);
        self.names.number(database, parameters)?;
        let known = |(parameter, rollup): &(ParameterIndex, RollUp)| {
            Some((self.names.known(database, *parameter)?, *rollup))
        };
        let mut rollups: Vec<(u32, RollUp)> = taken.iter().filter_map(known).collect();
        rollups.sort_by_key(|(parameter, rollup)| (*parameter, rollup.first_at));
        self.append(Resolution::Second, &rollups)?;
        self.runs.on_written();
        self.written_sequence = self.sequence;
        self.gathering_since = None;
        Ok(())
    }

    fn write_coarser(&mut self) -> std::io::Result<()> {
        for resolution in [Resolution::Minute, Resolution::Hour] {
            if !self.has_gathered(resolution) && !self.is_full(resolution) {
                continue;
            }
            let level = resolution as usize;
            let taken = self.open[level].take();
            let rollups: Vec<(u32, RollUp)> =
                taken.iter().map(|(parameter, rollup)| (parameter.0, *rollup)).collect();
            if let Err(error) = self.append(resolution, &rollups) {
                taken.iter().for_each(|(parameter, rollup)| self.open[level].add(*parameter, rollup));
                return Err(error);
            }
        }
        Ok(())
    }

    /// Writes a block, and takes it into what the next coarser one is made of.
    fn append(&mut self, resolution: Resolution, rollups: &[(u32, RollUp)]) -> std::io::Result<()> {
        let free_bytes = crate::journal::free_bytes(&self.directory);
        if free_bytes < FREE_BYTES_MIN {
            return Err(std::io::Error::other(format!("the disk has {free_bytes} bytes left")));
        }
        let level = resolution as usize;
        let number = self.levels[level].newest().map_or(self.made_of_next(level), |newest| newest.number) + 1;
        let previous = self.levels[level].newest().map_or(0, |newest| newest.last_reception);
        let (first_reception, last_reception) = self.receptions[level].unwrap_or((previous, previous));
        let runs = if level == 0 { self.runs.unwritten().to_vec() } else { Vec::new() };
        let header = BlockHeader {
            number,
            made_of: self.made_of[level],
            store: self.store,
            sequence: if level == 0 { self.sequence } else { self.written_sequence },
            first_reception,
            last_reception,
            forgotten: self.runs.forgotten(0),
            runs,
            ..BlockHeader::default()
        };
        self.levels[level].append(header, rollups)?;
        self.receptions[level] = None;
        if level + 1 < self.open.len() {
            self.fold(level + 1, number, (first_reception, last_reception), rollups);
        }
        Ok(())
    }

    /// What a coarser level says it was made of counts, though the files it was made of are gone.
    fn made_of_next(&self, level: usize) -> u64 {
        self.made_of.get(level + 1).copied().unwrap_or_default()
    }

    fn fold(&mut self, level: usize, number: u64, (first, last): (i64, i64), rollups: &[(u32, RollUp)]) {
        for (parameter, rollup) in rollups {
            self.open[level].add(ParameterIndex(*parameter), rollup);
        }
        self.made_of[level] = number;
        if !rollups.is_empty() {
            widen(&mut self.receptions[level], first, last);
        }
    }

    /// Makes roll-ups again of finer blocks that are in none on disk.
    fn fold_behind(&mut self, resolution: Resolution) -> std::io::Result<()> {
        let level = resolution as usize;
        let mut reader = GroupReader::default();
        for block in self.levels[level - 1].blocks_behind(self.made_of[level]) {
            let rollups: Vec<_> = block.groups.iter().flat_map(|place| reader.read(place)).collect();
            self.fold(level, block.number, block.receptions, &rollups);
            if self.is_full(resolution) {
                self.write_coarser()?;
            }
        }
        Ok(())
    }

    fn give_up_what_is_too_much(&mut self) {
        for rollups in &mut self.open {
            if rollups.len() > 4 * OPEN_MIN.max(2 * self.names.len()) {
                let given_up = rollups.take().len();
                error!(
                    given_up,
                    "roll-ups that cannot be written were given up; the journal is not affected"
                );
            }
        }
    }

    fn forget_old(&mut self) {
        let newest = self.levels.iter().filter_map(Level::newest).map(|block| block.last_reception).max();
        for level in &mut self.levels {
            level.forget_old(newest.unwrap_or(i64::MIN));
        }
        while self.bytes() > self.limits.quota_bytes {
            if !self.levels.iter_mut().any(|level| level.forget_oldest("quota")) {
                return;
            }
        }
    }

    /// Bytes on disk.
    pub(crate) fn bytes(&self) -> u64 {
        self.levels.iter().map(Level::bytes).sum()
    }
}

fn widen(range: &mut Option<(i64, i64)>, first: i64, last: i64) {
    let (from, to) = range.unwrap_or((first, last));
    *range = Some((from.min(first), to.max(last)));
}

/// What the headers on disk say.
struct Found {
    journal: JournalAtStart,
    runs: Vec<super::runs::BatchRun>,
    forgotten: i64,
    sequence: u64,
    is_damaged: bool,
}

impl Found {
    fn on_header(&mut self, header: &BlockHeader) {
        self.forgotten = self.forgotten.max(header.forgotten);
        if header.store == self.journal.store {
            self.sequence = self.sequence.max(header.sequence);
            self.runs.extend_from_slice(&header.runs);
        } else {
            // Another journal was here, whose samples nobody can read any more.
            self.forgotten = header.runs.iter().map(|run| run.plausible).fold(self.forgotten, i64::max);
        }
    }

    fn into_runs(mut self, sequence: u64) -> BatchRuns {
        self.runs.retain(|run| run.first <= sequence);
        self.runs.sort_by_key(|run| run.first);
        let known_from = self.runs.first().map_or(sequence + 1, |run| run.first);
        let mut runs = BatchRuns::restored(self.runs, self.forgotten);
        let tail = self.journal.tail.max(1);
        runs.forget_before(tail);
        // What lies between runs is of other missions, or was named by a block that is damaged.
        runs.add_unknown(tail, if self.is_damaged { sequence } else { known_from - 1 });
        runs
    }
}
