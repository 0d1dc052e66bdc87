//! A mission as it changes: its dictionaries, its latest values, and the stream of what is new.

use std::sync::{Arc, PoisonError, RwLock};

use mission_database::{MissionDatabase, ParameterIndex};
use processing::{LatestValues, Sample};
use space_packet::TaiTime;
use tokio::sync::{broadcast, watch};

use crate::contract;
use crate::convert;

/// Batches a subscriber may lag behind before it gets a snapshot instead: a second or more of a busy mission.
const CHANGES_MAX: usize = 512;

/// New samples of one source.
#[derive(Debug)]
pub struct LiveBatch {
    /// Index of the source.
    pub source: u32,
    /// The samples, in the order they came.
    pub samples: Vec<Sample>,
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
    latest: RwLock<LatestValues>,
    sources: RwLock<Vec<String>>,
    changes: broadcast::Sender<Arc<LiveBatch>>,
}

impl LiveMission {
    /// A mission nothing is known of yet.
    pub fn new(name: &str, title: &str, database: MissionDatabase, problem: Option<String>) -> Self {
        Self {
            name: name.to_owned(),
            title: title.to_owned(),
            latest: RwLock::new(LatestValues::new(database.parameters().len())),
            described: watch::channel(Described { database, problem }).0,
            sources: RwLock::default(),
            changes: broadcast::channel(CHANGES_MAX).0,
        }
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
        self.latest.write().unwrap_or_else(PoisonError::into_inner).grow(parameters);
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

    /// Takes new samples into the latest values and hands them to subscribers.
    pub fn publish(&self, batch: LiveBatch) {
        {
            let mut latest = self.latest.write().unwrap_or_else(PoisonError::into_inner);
            batch.samples.iter().for_each(|sample| latest.on_sample(sample, batch.source));
        }
        if self.changes.receiver_count() > 0 {
            // Fails only when the last subscriber left just now.
            let _ = self.changes.send(Arc::new(batch));
        }
    }

    /// Takes samples that are not new: into the latest values where they are newer, to nobody's screen.
    pub fn restore(&self, source: u32, samples: &[Sample]) {
        let mut latest = self.latest.write().unwrap_or_else(PoisonError::into_inner);
        samples.iter().for_each(|sample| latest.on_sample(sample, source));
    }

    pub(crate) fn subscribe(&self) -> broadcast::Receiver<Arc<LiveBatch>> {
        self.changes.subscribe()
    }

    /// Wakes when other dictionaries are there.
    pub(crate) fn subscribe_descriptions(&self) -> DescriptionChanges {
        DescriptionChanges(self.described.subscribe())
    }

    pub(crate) fn describe(&self, now: TaiTime) -> contract::Mission {
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
        let latest = self.latest.read().unwrap_or_else(PoisonError::into_inner);
        let database = self.database();
        let sources = self.sources.read().unwrap_or_else(PoisonError::into_inner);
        latest
            .all()
            .filter(|value| wanted(value.sample.parameter))
            .map(|value| {
                let source = sources.get(value.source as usize).map_or("", String::as_str);
                convert::sample(&database, &value.sample, source, value.interval_s)
            })
            .collect()
    }

    /// Usual time between two samples of a parameter, when it is known.
    pub(crate) fn usual_interval_s(&self, parameter: ParameterIndex) -> Option<f64> {
        let latest = self.latest.read().unwrap_or_else(PoisonError::into_inner);
        latest.of(parameter).and_then(|value| value.interval_s)
    }

    pub(crate) fn describe_samples<'a>(
        &self,
        samples: impl Iterator<Item = (u32, &'a Sample)>,
    ) -> Vec<contract::Sample> {
        let database = self.database();
        let latest = self.latest.read().unwrap_or_else(PoisonError::into_inner);
        let sources = self.sources.read().unwrap_or_else(PoisonError::into_inner);
        samples
            .map(|(source, sample)| {
                let interval_s = latest.of(sample.parameter).and_then(|value| value.interval_s);
                let source = sources.get(source as usize).map_or("", String::as_str);
                convert::sample(&database, sample, source, interval_s)
            })
            .collect()
    }
}
