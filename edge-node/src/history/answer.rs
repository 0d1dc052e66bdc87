//! Answers a question: decides once which part comes from where, takes what is in memory under the same lock, then reads
//! roll-ups from their files and samples from the journal.

use std::sync::Arc;

use delivery::{BatchSequence, SealedBatch};
use mission_database::ParameterIndex;
use processing::{RangeAnswer, RangeQuery, RangeScan, Resolution, RollUp, Series, Wanted};
use tracing::debug;

use super::files::{GroupPlace, GroupReader};
use super::mission::MissionState;
use super::plan::{Availability, Part, Plan, Source, plan};
use super::runs::{BatchRun, Cost};
use super::{History, decode};
use crate::journal::{Batches, JournalHandle, ReadFailed};

/// Read from the journal at once, and decoded in one go.
const READ_BYTES: usize = 512 << 10;
/// Samples for a piece of a second or so at an end of a range.
const EDGE_COST_MAX: Cost = Cost { batches: 512, samples: 1_000_000 };
/// A journal that forgets what a question was about to read is asked anew.
const ATTEMPTS: usize = 4;

/// Why there is no answer now.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// The journal cannot be read.
    #[error("the journal cannot be read")]
    Journal(#[from] ReadFailed),
    /// The node stops.
    #[error("the node is stopping")]
    Stopping,
}

/// A question under way.
struct Question {
    mission: usize,
    source: u32,
    query: RangeQuery,
    plan: Plan,
    scan: RangeScan,
    /// Batches to read, by the earliest time in them.
    runs: Vec<BatchRun>,
    /// Those behind this one were in memory.
    up_to: u64,
}

enum Reading {
    Done(RangeScan),
    /// The journal forgot a batch that should have been read.
    Forgotten,
}

impl History {
    /// Answers a question; samples are those of `source`. Nothing for a mission that is not known.
    pub async fn range(
        self: &Arc<Self>,
        mission: &str,
        source: u32,
        query: RangeQuery,
    ) -> Result<RangeAnswer, HistoryError> {
        let Some(mission) = self.missions.iter().position(|history| history.name == mission) else {
            return Ok(RangeScan::new(query).finish());
        };
        let journal = self.journal().ok_or(HistoryError::Stopping)?;
        for _ in 1..ATTEMPTS {
            let question = self.ask(mission, source, query, &journal).await?;
            if let Reading::Done(scan) = self.read_journal(question, &journal, false).await? {
                return Ok(scan.finish());
            }
        }
        let question = self.ask(mission, source, query, &journal).await?;
        match self.read_journal(question, &journal, true).await? {
            Reading::Done(scan) => Ok(scan.finish()),
            Reading::Forgotten => Err(HistoryError::Stopping),
        }
    }

    async fn ask(
        self: &Arc<Self>,
        mission: usize,
        source: u32,
        query: RangeQuery,
        journal: &JournalHandle,
    ) -> Result<Question, HistoryError> {
        let tail = tail(journal);
        let history = Arc::clone(self);
        let prepared = tokio::task::spawn_blocking(move || history.prepare(mission, source, query, tail));
        prepared.await.map_err(|_| HistoryError::Stopping)
    }

    /// Everything but the journal. Blocks.
    fn prepare(&self, mission: usize, source: u32, query: RangeQuery, tail: u64) -> Question {
        let history = &self.missions[mission];
        let database = history.decoder().database().clone();
        let mut state = history.state();
        state.runs.forget_before(tail);
        let plan = state.plan(&query, tail);
        let mut scan =
            if plan.unit > 0 { RangeScan::aligned(query, plan.unit) } else { RangeScan::new(query) };
        for series in state.memory().into_iter().flat_map(|recent| recent.of(query.parameter)) {
            scan.add_shown(source, series.view(), |time| plan.has(Source::Samples, time));
        }
        let on_disk = state.names.known(&database, query.parameter);
        let mut groups: Vec<(Source, GroupPlace)> = Vec::new();
        for resolution in Resolution::ALL {
            let rolled_up = Source::RollUps(resolution);
            for rollup in state.growing(resolution, query.parameter, on_disk) {
                add(&mut scan, &plan, rolled_up, rollup);
            }
            let Some(on_disk) = on_disk else { continue };
            let is_wanted = |earliest, latest| overlaps(&plan, rolled_up, earliest, latest);
            let found = state.levels[resolution as usize].groups_of(on_disk, is_wanted);
            groups.extend(found.into_iter().map(|place| (rolled_up, place)));
        }
        let up_to = state.in_memory_behind();
        let runs =
            state.runs.of(up_to, |earliest, latest| overlaps(&plan, Source::Samples, earliest, latest));
        drop(state);
        let mut reader = GroupReader::default();
        for (rolled_up, place) in &groups {
            for (parameter, rollup) in reader.read(place) {
                if Some(parameter) == on_disk {
                    add(&mut scan, &plan, *rolled_up, &rollup);
                }
            }
        }
        debug!(parts = ?plan.parts, groups = groups.len(), runs = runs.len(), "history was asked");
        Question { mission, source, query, plan, scan, runs, up_to }
    }

    /// Adds samples of the batches that are not in memory.
    async fn read_journal(
        self: &Arc<Self>,
        mut question: Question,
        journal: &JournalHandle,
        is_last_attempt: bool,
    ) -> Result<Reading, HistoryError> {
        let is_page = matches!(question.query.wanted, Wanted::Page { .. });
        let is_backwards = matches!(question.query.wanted, Wanted::PageBackwards { .. });
        let mut spent = Cost::default();
        let mut runs = std::mem::take(&mut question.runs);
        if is_backwards {
            runs.sort_by_key(|run| std::cmp::Reverse(run.latest));
        }
        for run in runs {
            if is_page {
                if question.scan.is_full_before(run.earliest) {
                    break;
                }
                // A page ends early rather than read for ever, but never where it began.
                if !spent.plus(&run).is_within(Cost::MAX) && run.earliest > question.query.from.0 {
                    question.scan.end_before(space_packet::TaiTime(run.earliest));
                    break;
                }
            }
            if is_backwards {
                let behind = run.latest.saturating_add(1);
                if question.scan.is_full_from(behind) {
                    break;
                }
                if !spent.plus(&run).is_within(Cost::MAX) && behind < question.query.to.0 {
                    question.scan.end_at(space_packet::TaiTime(behind));
                    break;
                }
            }
            spent = spent.plus(&run);
            let (mut next, last) = (run.first, run.last.min(question.up_to));
            while next <= last {
                let batches = match journal.read(BatchSequence(next), READ_BYTES).await {
                    Ok(Batches::Here(batches)) => batches,
                    Ok(Batches::Absent) => Vec::new(),
                    Ok(Batches::Missing { until, .. }) => {
                        next = until.0 + 1;
                        continue;
                    }
                    Err(failure) => return Err(failure.into()),
                };
                if batches.is_empty() && next < tail(journal) && !is_last_attempt {
                    return Ok(Reading::Forgotten);
                }
                next = batches.last().map_or(next, |last| last.header.sequence.0) + 1;
                question = self.add_batches(question, batches, last).await?;
            }
        }
        Ok(Reading::Done(question.scan))
    }

    async fn add_batches(
        self: &Arc<Self>,
        mut question: Question,
        batches: Vec<SealedBatch>,
        last: u64,
    ) -> Result<Question, HistoryError> {
        let history = Arc::clone(self);
        let added = tokio::task::spawn_blocking(move || {
            let mission = &history.missions[question.mission];
            let decoder = mission.decoder();
            let mut found: Vec<Series> = Vec::new();
            let wanted = batches
                .iter()
                .filter(|batch| batch.header.sequence.0 <= last && batch.header.mission == mission.name);
            // The one that follows the journal has logged what cannot be opened.
            for sample in wanted.filter_map(|batch| decode(&decoder, batch).ok()).flatten() {
                if sample.parameter != question.query.parameter {
                    continue;
                }
                match found.iter_mut().find(|series| series.fits(&sample)) {
                    Some(series) => drop(series.push(sample)),
                    None => found.push(Series::starting_with(sample)),
                }
            }
            let plan = &question.plan;
            for series in &found {
                question
                    .scan
                    .add_shown(question.source, series.view(), |time| plan.has(Source::Samples, time));
            }
            question
        });
        added.await.map_err(|_| HistoryError::Stopping)
    }
}

impl MissionState {
    /// What answers which part of a question, with a journal that begins at `tail`.
    pub(crate) fn plan(&self, query: &RangeQuery, tail: u64) -> Plan {
        let range @ (from, to) = (query.from.0, query.to.0);
        let Wanted::Pixels { points } = query.wanted else {
            return Plan { parts: vec![Part { source: Source::Samples, from, to }], unit: 0 };
        };
        let [seconds, minutes, _] = &self.levels;
        let available = Availability {
            samples: self
                .runs
                .forgotten(tail)
                .saturating_add(i64::from(self.runs.forgotten(tail) != i64::MIN)),
            seconds: seconds.available_from(),
            minutes: minutes.available_from(),
        };
        let cost = |from: i64, to: i64| {
            let runs =
                self.runs.of(self.in_memory_behind(), |earliest, latest| earliest < to && latest >= from);
            runs.iter().fold(Cost::default(), Cost::plus)
        };
        let all = cost(from.max(available.samples), to);
        let pixel_nanos = (i128::from(to) - i128::from(from)) / points.max(1) as i128;
        let coarsest = Resolution::ALL.into_iter().rfind(|one| i128::from(one.width_nanos()) <= pixel_nanos);
        let wanted = match coarsest {
            // Everything is in memory.
            _ if all == Cost::default() && from >= available.samples => Source::Samples,
            Some(resolution) => Source::RollUps(resolution),
            None if all.is_within(Cost::MAX) => Source::Samples,
            None => Source::RollUps(Resolution::Second),
        };
        plan(range, wanted, available, |from, to| cost(from, to).is_within(EDGE_COST_MAX))
    }

    /// Roll-ups of a parameter that are not on disk: those of the resolution, and of each finer one what is not yet in
    /// them.
    fn growing(
        &self,
        resolution: Resolution,
        parameter: ParameterIndex,
        on_disk: Option<u32>,
    ) -> impl Iterator<Item = &RollUp> {
        let coarser = self.open[1..=resolution as usize].iter();
        let on_disk = on_disk.map(ParameterIndex);
        self.open[0]
            .of(parameter)
            .chain(coarser.flat_map(move |open| on_disk.into_iter().flat_map(|number| open.of(number))))
    }
}

fn add(scan: &mut RangeScan, plan: &Plan, source: Source, rollup: &RollUp) {
    if plan.has(source, rollup.first_at) {
        scan.add_rollup(rollup);
    }
}

fn overlaps(plan: &Plan, source: Source, earliest: i64, latest: i64) -> bool {
    plan.parts_of(source).any(|part| earliest < part.to && latest >= part.from)
}

fn tail(journal: &JournalHandle) -> u64 {
    journal.state().borrow().tail.map_or(0, |tail| tail.0)
}
