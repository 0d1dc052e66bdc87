//! Trials of limits: what they would have raised from archived samples, read page by page until the time is over.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use dashboard::contract::{
    AlarmSeverity, Excursions, LimitsChange, LimitsTrial, ParameterTrial, TrialOutcome,
};
use dashboard::limits::trial_of;
use dashboard::{ProblemResponse, rfc3339};
use mission_database::{Dictionary, MissionDatabase, ParameterIndex};
use processing::trial::LimitTrial;
use processing::{RangeAnswer, RangeQuery, Sample, Wanted};
use space_packet::{GenerationTime, ReceptionTime, TaiTime};
use tokio::time::Instant;

use super::changed::changed_dictionary;
use super::{blocking, unavailable};
use crate::archive::{Archive, ArchiveError, Database};

/// How long a trial looks; what it has not looked at then it says. The request ends 10 s later.
const LOOK: Duration = Duration::from_secs(20);
/// Samples asked for in one go.
const PAGE_SAMPLES: usize = 16_384;
/// Parameters that the contexts of one parameter's limits may ask for.
const BESIDE_MAX: usize = 16;

const SEVERITIES: [AlarmSeverity; 5] = [
    AlarmSeverity::Watch,
    AlarmSeverity::Warning,
    AlarmSeverity::Distress,
    AlarmSeverity::Critical,
    AlarmSeverity::Severe,
];

type Page = Vec<(u32, Sample)>;
/// What tells a packet from another: when it was made and received, and where.
type PacketKey = (GenerationTime, ReceptionTime, u32);

/// Tries changes of what is in force now, one parameter after the other.
pub(super) async fn run(
    archive: &Arc<Archive>,
    database: &Database,
    mission: usize,
    changes: &[LimitsChange],
    span: Range<TaiTime>,
) -> Result<LimitsTrial, ProblemResponse> {
    let until = Instant::now() + LOOK;
    let dictionaries = archive.missions()[mission].live.database();
    let at = span.end;
    let proposed = {
        let (dictionaries, changes) = (dictionaries.clone(), changes.to_vec());
        blocking(move || changed_dictionary(&dictionaries, at, &changes).map_err(super::Refused::Document))
            .await
    };
    let proposed = proposed.map_err(|refused| match refused {
        super::Refused::Document(message) => {
            ProblemResponse::limits_refused(format!("{message}; nothing was tried"))
        }
        super::Refused::Archive(error) => unavailable(&error),
        super::Refused::Conflict { .. } => ProblemResponse::internal("a trial changes nothing; report this"),
    })?;
    let reading = Looking { archive, database, mission, dictionaries: &dictionaries, at };
    let mut tried = Vec::with_capacity(changes.len());
    for change in changes {
        let one = reading.try_one(change.parameter(), &proposed, span.clone(), until).await;
        tried.push(one.map_err(|error| unavailable(&error))?);
    }
    Ok(trial_of(&span, tried))
}

/// What samples are looked at with.
struct Looking<'a> {
    archive: &'a Arc<Archive>,
    database: &'a Database,
    mission: usize,
    dictionaries: &'a MissionDatabase,
    at: TaiTime,
}

/// Both sets of limits, while they are passed the same samples.
struct Both {
    in_force: LimitTrial,
    proposed: LimitTrial,
    samples: u64,
    last: Option<(GenerationTime, Option<f64>, u32)>,
}

impl Looking<'_> {
    async fn try_one(
        &self,
        name: &str,
        proposed: &Dictionary,
        span: Range<TaiTime>,
        until: Instant,
    ) -> Result<ParameterTrial, ArchiveError> {
        let reading = self.dictionaries.at(self.at);
        let in_force = &reading.dictionary;
        let found = in_force.find(name).zip(self.dictionaries.find(name));
        let (own, parameter) = found.ok_or_else(|| ArchiveError::Damaged {
            what: "dictionary",
            source: format!("{name} left it").into(),
        })?;
        let mut beside: Vec<ParameterIndex> =
            [in_force, proposed].iter().flat_map(|judging| judging.context_parameters(own)).collect();
        beside.sort_unstable();
        beside.dedup();
        beside.truncate(BESIDE_MAX);
        let beside: Vec<_> = beside.into_iter().map(|index| reading.mission_index(index)).collect();
        let mut both = Both {
            in_force: LimitTrial::new(in_force.clone(), own),
            proposed: LimitTrial::new(proposed.clone(), own),
            samples: 0,
            last: None,
        };
        let mut from = span.start;
        let mut is_cut = false;
        while from < span.end {
            if Instant::now() >= until {
                is_cut = true;
                break;
            }
            let (pages, next) = self.pages(parameter, &beside, from..span.end).await?;
            let (dictionaries, at) = (self.dictionaries.clone(), self.at);
            both = judged(both, pages, next, dictionaries, at).await?;
            from = next;
        }
        Ok(both.outcome(name, is_cut.then_some(from)))
    }

    /// The next samples of a parameter and of those beside it, and up to where all of them are there.
    async fn pages(
        &self,
        parameter: ParameterIndex,
        beside: &[ParameterIndex],
        span: Range<TaiTime>,
    ) -> Result<(Vec<Page>, TaiTime), ArchiveError> {
        let mut pages = Vec::with_capacity(beside.len() + 1);
        let mut end = span.end;
        for parameter in std::iter::once(parameter).chain(beside.iter().copied()) {
            let wanted = Wanted::Page { limit: PAGE_SAMPLES };
            let query = RangeQuery { parameter, from: span.start, to: end, wanted, reading: None };
            let answer = self.archive.range(self.database, self.mission, query).await?;
            let RangeAnswer::Page { samples, next } = answer else {
                let source = "it answered another question".into();
                return Err(ArchiveError::Damaged { what: "archive", source });
            };
            end = next.unwrap_or(end).min(end);
            pages.push(samples);
        }
        Ok((pages, end))
    }
}

/// Judging takes a core for milliseconds; the tasks that answer nodes must not wait for it.
async fn judged(
    mut both: Both,
    pages: Vec<Page>,
    end: TaiTime,
    dictionaries: MissionDatabase,
    at: TaiTime,
) -> Result<Both, ArchiveError> {
    let done = tokio::task::spawn_blocking(move || {
        both.take(&pages, end, &dictionaries, at);
        both
    });
    done.await.map_err(|error| ArchiveError::Damaged { what: "page of samples", source: Box::new(error) })
}

impl Both {
    fn take(&mut self, pages: &[Page], end: TaiTime, database: &MissionDatabase, at: TaiTime) {
        let Some((own, beside)) = pages.split_first() else { return };
        let reading = database.at(at);
        let key = |source: u32, sample: &Sample| (sample.generation, sample.reception, source);
        let beside: Vec<HashMap<PacketKey, &Sample>> = beside
            .iter()
            .map(|page| page.iter().map(|(source, sample)| (key(*source, sample), sample)).collect())
            .collect();
        for (source, sample) in own.iter().filter(|(_, sample)| sample.generation.0 < end) {
            // A copy that another station received is not a sample more.
            let number = sample.number();
            let is_copy = self.last.is_some_and(|(time, before, from)| {
                time == sample.generation && before == number && from != *source
            });
            let Some(judged) = sample.decoded(database, reading).filter(|_| !is_copy) else { continue };
            self.last = Some((sample.generation, number, *source));
            let in_packet = beside.iter().filter_map(|page| page.get(&key(*source, sample)));
            let mut values: Vec<_> =
                in_packet.filter_map(|sample| sample.decoded(database, reading)).collect();
            values.push(judged);
            self.in_force.on_sample(sample.generation, &values);
            self.proposed.on_sample(sample.generation, &values);
            self.samples += 1;
        }
    }

    fn outcome(self, name: &str, judged_until: Option<TaiTime>) -> ParameterTrial {
        ParameterTrial {
            parameter: name.to_owned(),
            samples: self.samples,
            judged_until: judged_until.map(rfc3339),
            in_force: outcome(self.in_force),
            proposed: outcome(self.proposed),
        }
    }
}

fn outcome(trial: LimitTrial) -> TrialOutcome {
    let found = SEVERITIES.into_iter().zip(trial.finish());
    let excursions: Vec<Excursions> = found
        .filter_map(|(severity, found)| {
            Some(Excursions {
                severity,
                count: found.count,
                first: rfc3339(found.first?.0),
                last: rfc3339(found.last?.0),
                total_seconds: found.total_s,
                worst: found.worst,
            })
        })
        .collect();
    TrialOutcome { raised: excursions.iter().map(|excursions| excursions.count).sum(), excursions }
}
