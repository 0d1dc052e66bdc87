//! A mission as it changes: its dictionaries, its latest values, and the stream of what is new. What is made of that
//! for one connection is in the modules below.

mod alarms_feed;
mod catch_up;
mod cursor;
mod entry;
mod event_log;
mod mission_feed;
mod pace;
mod parameter_set;
mod stream;
mod update;
mod waiting;

use std::collections::VecDeque;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use delivery::OpenBatch;
use mission_database::{MissionDatabase, ParameterIndex};
use processing::{LatestValue, LatestValues, Sample};
use space_packet::TaiTime;
use tokio::sync::{broadcast, watch};

use crate::contract::{self, EventEntry};
use crate::convert;

pub(crate) use catch_up::CATCH_UPS_MAX;
pub use catch_up::{MissedExtent, MissedPage, MissedQuery};
pub use event_log::{EventLog, LoggedEvent};
pub use parameter_set::ParameterSet;
pub(crate) use stream::LiveStream;
pub(crate) use update::{AlarmsTold, LiveUpdate, SeenPacket, SeenSample, UpdateBody};

/// Batches a subscriber may lag behind before it gets a snapshot instead: a second or more of a busy mission.
const CHANGES_MAX: usize = 512;
/// Newest events of a mission that are kept for who subscribes.
const EVENTS_KEPT: usize = 100;

/// What is new from one source.
#[derive(Clone, Debug)]
pub struct LiveBatch {
    /// Index of the source.
    pub source: u32,
    /// Its number in the ledger, where it is in one: positions of a mission only grow, and a client resumes by them.
    pub position: Option<i64>,
    /// The samples, in the order they came.
    pub samples: Vec<Sample>,
    /// The records it came in, where they are at hand: for who subscribed to packets or events.
    pub records: Option<OpenBatch>,
}

/// What subscribers of a mission are told of.
pub(crate) enum Change {
    Batch(LiveBatch),
    /// An event that somebody posted.
    Posted(EventEntry),
}

/// What reads a mission's packets.
struct Described {
    database: MissionDatabase,
    /// Why the configured dictionary is not the one in use, if so.
    problem: Option<String>,
}

/// Tells when a mission's dictionaries were replaced. What happened while nobody listened counts as one change.
pub(crate) struct DescriptionChanges(watch::Receiver<Described>);

impl DescriptionChanges {
    /// Waits for a change; it may be dropped half-way.
    pub(crate) async fn next(&mut self) {
        if self.0.changed().await.is_err() {
            // The mission is gone, and nothing of it will change.
            std::future::pending::<()>().await;
        }
    }
}

/// A mission with its latest values.
pub struct LiveMission {
    name: String,
    title: String,
    /// Who subscribed hears of a new one however much else there was to hear.
    described: watch::Sender<Described>,
    shown: RwLock<Shown>,
    sources: RwLock<Vec<String>>,
    changes: broadcast::Sender<Arc<Change>>,
    /// Held by each subscriber that wants records: nobody else keeps them in memory.
    records_wanted: Arc<()>,
}

/// What whoever joins is shown first. Changed and handed on under one lock, so that there is no seam.
struct Shown {
    latest: LatestValues,
    events: VecDeque<EventEntry>,
    /// Of the newest batch in here.
    position: Option<i64>,
}

impl Shown {
    fn add(&mut self, events: impl IntoIterator<Item = EventEntry>) {
        self.events.extend(events);
        let too_many = self.events.len().saturating_sub(EVENTS_KEPT);
        self.events.drain(..too_many);
    }
}

/// What a subscriber wants of a mission.
#[derive(Clone, Copy)]
pub(crate) enum Interest<'a> {
    Events,
    Packets,
    Samples(&'a ParameterSet),
}

/// A place in a mission's stream: what stood there, and what changes behind it.
pub(crate) struct Joined {
    pub(crate) position: Option<i64>,
    pub(crate) samples: Vec<SeenSample>,
    pub(crate) events: Vec<EventEntry>,
    pub(crate) changes: broadcast::Receiver<Arc<Change>>,
    /// Kept as long as records are wanted.
    pub(crate) records: Option<Arc<()>>,
}

impl LiveMission {
    /// A mission nothing is known of yet.
    pub fn new(name: &str, title: &str, database: MissionDatabase, problem: Option<String>) -> Self {
        Self {
            name: name.to_owned(),
            title: title.to_owned(),
            shown: RwLock::new(Shown {
                latest: LatestValues::new(database.parameters().len()),
                events: VecDeque::new(),
                position: None,
            }),
            described: watch::channel(Described { database, problem }).0,
            sources: RwLock::default(),
            changes: broadcast::channel(CHANGES_MAX).0,
            records_wanted: Arc::new(()),
        }
    }

    /// Says up to where the ledger was read before anything is published.
    pub fn start_at(&self, position: i64) {
        self.shown_mut().position.get_or_insert(position);
    }

    /// Its short name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// All versions of its dictionary and its limits, as they are now.
    pub fn database(&self) -> MissionDatabase {
        self.described.borrow().database.clone()
    }

    /// Takes other dictionaries, that number the known parameters as these do, and tells subscribers. Call it before
    /// they decode anything: samples of a parameter that is not described yet go to nobody.
    pub fn replace(&self, database: MissionDatabase, problem: Option<String>) {
        let parameters = database.parameters().len();
        self.described.send_replace(Described { database, problem });
        self.shown_mut().latest.grow(parameters);
    }

    /// The index that stands for a source of this mission's samples.
    pub fn source(&self, name: &str) -> u32 {
        let mut sources = self.sources.write().unwrap_or_else(PoisonError::into_inner);
        let index = sources.iter().position(|known| known == name).unwrap_or_else(|| {
            sources.push(name.to_owned());
            sources.len() - 1
        });
        index as u32
    }

    /// The names of its sources, by the indices that stand for them.
    pub fn source_names(&self) -> Vec<String> {
        self.sources.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes new samples into the latest values and hands them to subscribers.
    pub fn publish(&self, mut batch: LiveBatch) {
        let events = entry::events_of(&batch, &self.source_name(batch.source));
        let mut shown = self.shown_mut();
        batch.samples.iter().for_each(|sample| shown.latest.on_sample(sample, batch.source));
        shown.add(events);
        shown.position = shown.position.max(batch.position);
        if self.changes.receiver_count() > 0 {
            if Arc::strong_count(&self.records_wanted) == 1 {
                batch.records = None;
            }
            // Fails only when the last subscriber left just now.
            let _ = self.changes.send(Arc::new(Change::Batch(batch)));
        }
    }

    /// Hands an event that somebody posted to subscribers. It has no place in the order of what nodes sent: whoever
    /// resumes is not told of it again.
    pub fn publish_posted(&self, event: EventEntry) {
        let mut shown = self.shown_mut();
        shown.add([event.clone()]);
        // Fails only when nobody listens.
        let _ = self.changes.send(Arc::new(Change::Posted(event)));
    }

    /// Takes samples that are not new: into the latest values where they are newer, to nobody's screen.
    pub fn restore(&self, source: u32, samples: &[Sample]) {
        let mut shown = self.shown_mut();
        samples.iter().for_each(|sample| shown.latest.on_sample(sample, source));
    }

    /// Shows each newest value, in the dictionary's order. New samples wait meanwhile.
    pub fn each_newest(&self, show: impl FnMut(&LatestValue)) {
        self.shown().latest.all().for_each(show);
    }

    /// What stands now, and every change behind it.
    pub(crate) fn join(&self, interest: Interest<'_>) -> Joined {
        let shown = self.shown();
        let (mut samples, mut events, mut records) = (Vec::new(), Vec::new(), None);
        match interest {
            Interest::Events => events.extend(shown.events.iter().cloned()),
            Interest::Packets => {}
            Interest::Samples(wanted) => {
                samples = seen_latest(&shown.latest, |parameter| wanted.contains(parameter));
            }
        }
        if !matches!(interest, Interest::Samples(_)) {
            records = Some(Arc::clone(&self.records_wanted));
        }
        Joined { position: shown.position, samples, events, changes: self.changes.subscribe(), records }
    }

    fn shown(&self) -> RwLockReadGuard<'_, Shown> {
        self.shown.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn shown_mut(&self) -> RwLockWriteGuard<'_, Shown> {
        self.shown.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Name of a source.
    pub(crate) fn source_name(&self, source: u32) -> String {
        let sources = self.sources.read().unwrap_or_else(PoisonError::into_inner);
        sources.get(source as usize).cloned().unwrap_or_default()
    }

    /// Wakes when other dictionaries are there.
    pub(crate) fn subscribe_descriptions(&self) -> DescriptionChanges {
        DescriptionChanges(self.described.subscribe())
    }

    /// What is in force of it at a moment, as answers have it.
    pub fn describe(&self, now: TaiTime) -> contract::Mission {
        let described = self.described.borrow();
        let database = &described.database;
        let reading = database.at(now);
        let versions: Vec<_> = database.versions().iter().map(convert::dictionary_version).collect();
        let in_force = versions.iter().find(|version| version.number == reading.version.0);
        contract::Mission {
            name: self.name.clone(),
            title: self.title.clone(),
            parameter_count: database.parameters().len(),
            dictionary_problem: described.problem.clone(),
            dictionary_version: reading.version.0,
            dictionary_effective_from: in_force.and_then(|version| version.effective_from.clone()),
            limits_version: reading.limits,
            dictionary_versions: versions,
        }
    }

    /// All parameters, as the version in force describes them; the newest one where that does not have them.
    pub(crate) fn describe_parameters(&self, now: TaiTime) -> Vec<contract::ParameterDescription> {
        let database = self.database();
        let version = database.at(now).version;
        let indices = (0..database.parameters().len()).map(|index| ParameterIndex(index as u32));
        indices.map(|index| convert::parameter(database.described(version, index))).collect()
    }

    /// Latest values that `wanted` lets through.
    pub(crate) fn latest(&self, wanted: impl Fn(ParameterIndex) -> bool) -> Vec<contract::Sample> {
        self.describe_seen(&self.latest_seen(wanted))
    }

    /// Usual time between two samples of a parameter, when it is known.
    pub(crate) fn usual_interval_s(&self, parameter: ParameterIndex) -> Option<f64> {
        self.shown().latest.of(parameter).and_then(|value| value.interval_s)
    }

    pub(crate) fn describe_samples<'a>(
        &self,
        samples: impl Iterator<Item = (u32, &'a Sample)>,
    ) -> Vec<contract::Sample> {
        self.describe_seen(&self.seen(samples.map(|(source, sample)| (source, sample.clone()))))
    }

    /// Latest values that `wanted` lets through, as they are.
    pub(crate) fn latest_seen(&self, wanted: impl Fn(ParameterIndex) -> bool) -> Vec<SeenSample> {
        seen_latest(&self.shown().latest, wanted)
    }

    /// Samples with how often their parameters usually change.
    pub(crate) fn seen(&self, samples: impl IntoIterator<Item = (u32, Sample)>) -> Vec<SeenSample> {
        let shown = self.shown();
        let seen = samples.into_iter().map(|(source, sample)| {
            let interval_s = shown.latest.of(sample.parameter).and_then(|value| value.interval_s);
            SeenSample { source, sample, interval_s }
        });
        seen.collect()
    }

    /// Samples as the API writes them.
    pub(crate) fn describe_seen(&self, samples: &[SeenSample]) -> Vec<contract::Sample> {
        let database = self.database();
        let sources = self.sources.read().unwrap_or_else(PoisonError::into_inner);
        let describe = |seen: &SeenSample| {
            let source = sources.get(seen.source as usize).map_or("", String::as_str);
            convert::sample(&database, &seen.sample, source, seen.interval_s)
        };
        samples.iter().map(describe).collect()
    }
}

fn seen_latest(latest: &LatestValues, wanted: impl Fn(ParameterIndex) -> bool) -> Vec<SeenSample> {
    let wanted = latest.all().filter(|value| wanted(value.sample.parameter));
    let seen = wanted.map(|value| SeenSample {
        source: value.source,
        sample: value.sample.clone(),
        interval_s: value.interval_s,
    });
    seen.collect()
}

#[cfg(test)]
pub(crate) fn cursor_of(archive: [u8; 8], mission: &str, position: i64) -> String {
    cursor::Cursor::new(archive, mission, position).encode()
}
