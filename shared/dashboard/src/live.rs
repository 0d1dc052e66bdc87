//! A mission as it changes: its latest values, and the stream of what is new.

use std::sync::{Arc, PoisonError, RwLock};

use mission_database::{Dictionary, ParameterIndex};
use processing::{LatestValues, Sample};
use tokio::sync::broadcast;

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

/// A mission with its latest values.
pub struct LiveMission {
    name: String,
    title: String,
    dictionary: Arc<Dictionary>,
    problem: Option<String>,
    latest: RwLock<LatestValues>,
    sources: RwLock<Vec<String>>,
    changes: broadcast::Sender<Arc<LiveBatch>>,
}

impl LiveMission {
    /// A mission nothing is known of yet.
    pub fn new(name: &str, title: &str, dictionary: Arc<Dictionary>, problem: Option<String>) -> Self {
        Self {
            name: name.to_owned(),
            title: title.to_owned(),
            latest: RwLock::new(LatestValues::new(dictionary.parameters().len())),
            dictionary,
            problem,
            sources: RwLock::default(),
            changes: broadcast::channel(CHANGES_MAX).0,
        }
    }

    /// Its short name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its dictionary.
    pub fn dictionary(&self) -> &Arc<Dictionary> {
        &self.dictionary
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

    pub(crate) fn describe(&self) -> contract::Mission {
        contract::Mission {
            name: self.name.clone(),
            title: self.title.clone(),
            parameter_count: self.dictionary.parameters().len(),
            dictionary_problem: self.problem.clone(),
        }
    }

    /// Latest values that `wanted` lets through.
    pub(crate) fn latest(&self, wanted: impl Fn(ParameterIndex) -> bool) -> Vec<contract::Sample> {
        let latest = self.latest.read().unwrap_or_else(PoisonError::into_inner);
        let sources = self.sources.read().unwrap_or_else(PoisonError::into_inner);
        latest
            .all()
            .filter(|value| wanted(value.sample.parameter))
            .map(|value| {
                let source = sources.get(value.source as usize).map_or("", String::as_str);
                convert::sample(&self.dictionary, &value.sample, source, value.interval_s)
            })
            .collect()
    }

    pub(crate) fn describe_samples<'a>(
        &self,
        samples: impl Iterator<Item = (u32, &'a Sample)>,
    ) -> Vec<contract::Sample> {
        let latest = self.latest.read().unwrap_or_else(PoisonError::into_inner);
        let sources = self.sources.read().unwrap_or_else(PoisonError::into_inner);
        samples
            .map(|(source, sample)| {
                let interval_s = latest.of(sample.parameter).and_then(|value| value.interval_s);
                let source = sources.get(source as usize).map_or("", String::as_str);
                convert::sample(&self.dictionary, sample, source, interval_s)
            })
            .collect()
    }
}
