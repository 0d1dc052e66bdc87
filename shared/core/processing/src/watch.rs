//! What a mission's samples come to as observations of alarms: violations of limits, and what detectors find. The same
//! at a node, for its links, and at a hub, for its own.
//!
//! Pure and replayable: the same records give the same observations again, with the times of their samples.
//!
//! - **Limits** are watched of every parameter that has some, by persistence, hysteresis and deadband.
//! - **Detectors** run on the numeric parameters that a mission's [`DetectionRules`] name. A trained forecaster stands in
//!   for the forecast that a suite learns itself ([`Watch::use_models`]).
//! - **Silence** of a parameter is measured against the mission's other parameters, and from the moment on from which
//!   the mission was heard without a gap: where nothing is heard at all, between two passes, nothing is stale.
//! - **Late** is a sample that the intake calls so, and one older than the newest of its parameter. Limits make
//!   retrospective observations of it; detectors, which judge in order, pass over what is older.
//! - Only changes are said, and once more after a restart: what detectors learned is [saved](Watch::encode), not what
//!   was said.

mod choice;
mod detector;
mod forecasts;
mod limit;
mod rules;
mod saved;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use delivery::Verdicts;
use mission_database::{
    DecodedPacket, DecodedValue, MissionDatabase, MonitoringResult, ParameterIndex, Reading,
};
use serde::{Deserialize, Serialize};
use space_packet::GenerationTime;

use crate::alarm::{AlarmRules, AlarmSeverity, Cause, Observation, Subject};
use crate::{Sample, Verdict};
use detector::{DetectorTrack, Moment};
use forecasts::Forecasts;
use limit::LimitTrack;

pub use forecasts::{ModelProblem, UnusedModel};
pub use rules::{DetectionRule, DetectionRules};
pub use saved::STATE_BYTES_MAX;

/// Parameters of a mission that detectors run on: 10 MB of memory with the default suite and one mode. What rules name
/// beyond is not watched; [`Watch::unwatched`] counts it.
pub const SUITES_MAX: usize = 1_024;
/// What limits are called as a detector.
pub const LIMITS: &str = "limits";

/// How far a spacecraft's clock may run ahead of a station's and still be believed.
const AHEAD_MAX: i64 = 60_000_000_000;
/// A parameter that was never seen is late where it is so much older than what was heard of the mission.
const BEHIND_MAX: i64 = 60_000_000_000;
/// Without any sample for so long, by the spacecraft's clock, hearing begins anew.
const HEARING_GAP: i64 = 60_000_000_000;
/// How often silence is looked for, by the spacecraft's clock.
const SILENCE_STEP: i64 = 1_000_000_000;

/// Verdicts by which a sample is late, whatever its time.
const LATE: [Verdict; 2] = [Verdict::SequenceLate, Verdict::Stale];
/// Verdicts on times that are not to be believed.
const WRONG_TIME: [Verdict; 3] = [Verdict::TimeAhead, Verdict::TimeBeforeFix, Verdict::TimeUnreadable];
/// Verdicts on values: detectors judge them, and don't learn from them.
const DOUBTFUL: [Verdict; 3] = [Verdict::Rate, Verdict::TypeRange, Verdict::ValidRange];

/// Samples of one record, in the order in which it holds them.
#[derive(Clone, Copy, Debug)]
pub struct Arrival<'a> {
    /// The samples.
    pub samples: &'a [Sample],
    /// The packet that they are of, where they are of one: hysteresis is judged with what stands beside a value.
    pub packet: Option<&'a DecodedPacket<'a>>,
    /// What intake found out about the record.
    pub verdicts: Verdicts,
}

/// What watches one mission.
#[derive(Debug)]
pub struct Watch {
    mission: String,
    detection: Arc<DetectionRules>,
    alarms: Arc<AlarmRules>,
    forecasts: Forecasts,
    slots: Vec<Slot>,
    suites: usize,
    unwatched: usize,
    /// Subjects that are to be said once more, by parameter and detector.
    unsaid: BTreeMap<String, BTreeSet<String>>,
    /// Numbers of parameters that are modes, as they were seen last.
    modes: HashMap<ParameterIndex, u32>,
    hearing: Option<Hearing>,
    arrivals: u64,
}

/// Since when the mission is heard without a gap, and until when, by its own clock.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
struct Hearing {
    since: GenerationTime,
    newest: GenerationTime,
    /// When silence was looked for last.
    looked: GenerationTime,
}

/// What is known of a parameter.
#[derive(Debug)]
enum Slot {
    Undecided,
    Nothing,
    Mode,
    Watched(Box<Track>),
}

/// What watches one parameter.
#[derive(Debug, Default)]
struct Track {
    /// Whether its number is a mode of others.
    is_mode: bool,
    limits: LimitTrack,
    detectors: Option<DetectorTrack>,
}

/// A sample, and what is needed to judge it.
struct Read<'a> {
    reading: &'a Reading,
    sample: &'a Sample,
    /// The values of its packet up to it; empty for what came without one.
    beside: &'a [DecodedValue<'a>],
}

/// A sample in its place.
#[derive(Clone, Copy)]
struct Placed {
    time: GenerationTime,
    number: Option<f64>,
    is_late: bool,
    is_doubtful: bool,
    arrival: u64,
}

/// What is said of a parameter by one detector: a change.
#[derive(Clone, Debug, PartialEq)]
struct Said {
    detector: &'static str,
    severity: Option<AlarmSeverity>,
    /// What it was before: a rule is found by severity.
    before: Option<AlarmSeverity>,
    generation: GenerationTime,
    live: bool,
    cause: Cause,
}

impl Watch {
    /// What watches a mission, and has seen nothing.
    pub fn new(mission: &str, detection: Arc<DetectionRules>, alarms: Arc<AlarmRules>) -> Self {
        Self {
            mission: mission.to_owned(),
            detection,
            alarms,
            forecasts: Forecasts::default(),
            slots: Vec::new(),
            suites: 0,
            unwatched: 0,
            unsaid: BTreeMap::new(),
            modes: HashMap::new(),
            hearing: None,
            arrivals: 0,
        }
    }

    /// Other alarm rules count from now on: for what is raised from now on.
    pub fn use_alarm_rules(&mut self, alarms: Arc<AlarmRules>) {
        self.alarms = alarms;
    }

    /// What stands at the caller's place and is to be said once more, with the parameter's next sample: an alarm that
    /// ended while nobody watched, or whose rule is gone, finds its end so.
    pub fn say_again(&mut self, parameter: &str, detector: &str) {
        self.unsaid.entry(parameter.to_owned()).or_default().insert(detector.to_owned());
    }

    /// Parameters that rules name and that are not watched, since [`SUITES_MAX`] are.
    pub fn unwatched(&self) -> usize {
        self.unwatched
    }

    /// Parameters that detectors run on.
    pub fn watched(&self) -> usize {
        self.suites
    }

    /// What came was not what came next: some is missing that was never watched.
    pub fn on_interrupted(&mut self) {
        for slot in &mut self.slots {
            if let Slot::Watched(track) = slot
                && let Some(detectors) = &mut track.detectors
            {
                detectors.on_interrupted();
            }
        }
    }

    /// Takes the samples of a record, in the order of arrival, and says what changed.
    pub fn on_arrival(&mut self, database: &MissionDatabase, arrival: &Arrival<'_>) -> Vec<Observation> {
        self.arrivals += 1;
        let packet = arrival.packet.filter(|packet| packet.values.len() == arrival.samples.len());
        let any = |verdicts: &[Verdict]| {
            verdicts.iter().any(|verdict| arrival.verdicts.contains((*verdict).into()))
        };
        let (is_late, has_wrong_time, is_doubtful) = (any(&LATE), any(&WRONG_TIME), any(&DOUBTFUL));
        let mut observations = Vec::new();
        let mut reading: Option<(GenerationTime, &Reading)> = None;
        for (index, sample) in arrival.samples.iter().enumerate() {
            let reading = match reading {
                Some((time, reading)) if time == sample.generation => reading,
                _ => reading.insert((sample.generation, database.at(sample.generation.0))).1,
            };
            let placed = Placed {
                time: place(sample, has_wrong_time),
                number: sample.number(),
                is_late,
                is_doubtful,
                arrival: self.arrivals,
            };
            let beside = packet.map_or(&[][..], |packet| &packet.values[..=index]);
            for said in self.on_sample(database, &Read { reading, sample, beside }, placed) {
                observations.push(self.observation(&database.parameter(sample.parameter).name, said));
            }
        }
        let newest = arrival.samples.iter().map(|sample| place(sample, has_wrong_time)).max();
        if let Some(newest) = newest.filter(|_| !is_late) {
            self.listen(database, newest, &mut observations);
        }
        observations
    }

    fn on_sample(&mut self, database: &MissionDatabase, read: &Read<'_>, placed: Placed) -> Vec<Said> {
        let sample = read.sample;
        let is_monitored = sample.monitoring != MonitoringResult::NotMonitored;
        let floor = self.hearing.map(|hearing| hearing.newest.0.plus_nanos(-BEHIND_MAX));
        let floor = floor.map(GenerationTime);
        if matches!(self.slot(sample.parameter, database), Slot::Undecided) {
            let decided = self.decide(sample.parameter, database);
            *self.slot(sample.parameter, database) = decided;
        }
        if is_monitored && matches!(self.slot(sample.parameter, database), Slot::Mode | Slot::Nothing) {
            let is_mode = matches!(self.slot(sample.parameter, database), Slot::Mode);
            *self.slot(sample.parameter, database) =
                Slot::Watched(Box::new(Track { is_mode, ..Track::default() }));
        }
        let Self { slots, modes, unsaid, forecasts, .. } = self;
        if let Some(number) = placed.number.filter(|_| !placed.is_late) {
            forecasts.on_number(sample.parameter, number);
        }
        let mut keep_mode = || {
            if let Some(number) = placed.number.filter(|_| !placed.is_late) {
                modes.insert(sample.parameter, number as u32);
            }
        };
        let track = match &mut slots[sample.parameter.0 as usize] {
            Slot::Watched(track) => track,
            Slot::Mode => {
                keep_mode();
                return Vec::new();
            }
            Slot::Nothing | Slot::Undecided => return Vec::new(),
        };
        if track.is_mode {
            keep_mode();
        }
        let mut said = Vec::new();
        if is_monitored {
            said.extend(track.limits.on_sample(read, placed, floor));
        }
        if let Some(detectors) = &mut track.detectors {
            let is_flagged =
                placed.is_doubtful || track.limits.is_raised() || sample.monitoring.is_violation();
            let mode = detectors.mode.and_then(|mode| modes.get(&mode)).copied().unwrap_or(0);
            let inputs =
                detectors.forecast.as_ref().map_or_else(Vec::new, |trained| forecasts.inputs_of(trained));
            detectors.on_sample(placed, &Moment { inputs, mode, is_flagged }, &mut said);
        }
        if !unsaid.is_empty() && !placed.is_late && track.is_newest(placed.time) {
            let name = &database.parameter(sample.parameter).name;
            let due = unsaid.remove(name).unwrap_or_default();
            for detector in due {
                // What has just been said need not be said again.
                if !said.iter().any(|said| said.detector == detector) {
                    said.extend(track.again(&detector, placed, is_monitored));
                }
            }
        }
        said
    }

    fn slot(&mut self, parameter: ParameterIndex, database: &MissionDatabase) -> &mut Slot {
        let count = database.parameters().len().max(parameter.0 as usize + 1);
        if self.slots.len() < count {
            self.slots.resize_with(count, || Slot::Undecided);
        }
        &mut self.slots[parameter.0 as usize]
    }

    /// The mission is heard at a time: whatever is silent since is stale.
    fn listen(
        &mut self,
        database: &MissionDatabase,
        newest: GenerationTime,
        observations: &mut Vec<Observation>,
    ) {
        let hearing = self.hearing.get_or_insert(Hearing { since: newest, newest, looked: newest });
        if newest <= hearing.newest {
            return;
        }
        if newest.0.0.saturating_sub(hearing.newest.0.0) > HEARING_GAP {
            hearing.since = newest;
        }
        hearing.newest = newest;
        if newest.0.0.saturating_sub(hearing.looked.0.0) < SILENCE_STEP {
            return;
        }
        hearing.looked = newest;
        let since = hearing.since;
        let mut silent = Vec::new();
        for (index, slot) in self.slots.iter_mut().enumerate() {
            if let Slot::Watched(track) = slot
                && let Some(detectors) = &mut track.detectors
                && let Some(said) = detectors.on_silence(since, newest)
            {
                silent.push((ParameterIndex(index as u32), said));
            }
        }
        for (parameter, said) in silent {
            observations.push(self.observation(&database.parameter(parameter).name, said));
        }
    }

    fn observation(&self, parameter: &str, said: Said) -> Observation {
        let level = said.severity.or(said.before).unwrap_or(AlarmSeverity::Watch);
        let resolved = self.alarms.resolve(parameter, said.detector, level);
        Observation {
            subject: Subject {
                mission: self.mission.clone(),
                node: None,
                detector: said.detector.to_owned(),
                parameter: parameter.to_owned(),
            },
            severity: said.severity.map(|_| resolved.severity),
            generation: said.generation,
            live: said.live,
            terms: resolved.terms,
            cause: said.cause,
        }
    }
}

impl Read<'_> {
    /// How the sample would stand to limits that are narrower by a margin.
    fn within(&self, margin: f64) -> MonitoringResult {
        match self.beside.len().checked_sub(1) {
            Some(last) => self.reading.dictionary.monitoring_within(self.beside, last, margin),
            None => self.sample.monitoring,
        }
    }

    /// The limit that it breaks.
    fn broken(&self) -> Option<f64> {
        let parameter = self.reading.dictionary_index(self.sample.parameter)?;
        self.reading.dictionary.broken_limit(parameter, self.sample.number()?, self.beside)
    }
}

impl Track {
    /// Whether a sample is the newest there was: only such a one says where the parameter stands.
    fn is_newest(&self, time: GenerationTime) -> bool {
        let detectors = self.detectors.as_ref().and_then(DetectorTrack::newest);
        self.limits.newest().max(detectors).is_none_or(|newest| newest <= time)
    }

    /// What a detector says once more; nothing while limits are not judged, because nothing says that they hold.
    fn again(&self, detector: &str, placed: Placed, is_monitored: bool) -> Option<Said> {
        if detector == LIMITS {
            return is_monitored.then(|| self.limits.again(placed));
        }
        let known = detector::name_of(detector)?;
        let severity = self.detectors.as_ref().and_then(|detectors| detectors.severity_of(known));
        Some(Said {
            detector: known,
            severity,
            before: severity,
            generation: placed.time,
            live: true,
            cause: Cause { seen: placed.number, ..Cause::default() },
        })
    }
}

/// When a sample counts as made: as it says, unless that is not to be believed. No spacecraft makes a sample long after
/// it was received.
fn place(sample: &Sample, has_wrong_time: bool) -> GenerationTime {
    let reception = sample.reception.0;
    let is_ahead = sample.generation.0 > reception.plus_nanos(AHEAD_MAX);
    if has_wrong_time || is_ahead { GenerationTime(reception) } else { sample.generation }
}

#[cfg(test)]
mod tests;
