//! The node's own history: newest samples from memory, those of the last days from the journal, and roll-ups of a
//! second, a minute and an hour beyond it, as one answer.
//!
//! It is derived data. A thread of its own ([`follow`]) reads what the journal has committed, so that every packet is
//! in it once, in the journal's order, whatever the page's own decoding left out; a batch's place in the journal says
//! what is in which file. What a power cut takes from memory, at most the last minute, is read from the journal again.

mod answer;
mod block;
mod config;
mod files;
mod follow;
mod mission;
mod names;
mod plan;
mod recent;
mod runs;

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock};

use delivery::{BatchError, Content, SealedBatch};
use mission_database::{DecodedPacket, MissionDatabase};
use processing::watch::Arrival;
use processing::{MissionDecoder, Sample};
use service::config::Span;
use service::metric::Metric;
use service::mission::LoadedMission;
use tracing::error;

use crate::alarms::Watching;
use crate::journal::JournalHandle;
use mission::{BatchPlace, JournalAtStart, MissionLimits, MissionState};

pub use answer::HistoryError;
pub use config::HistoryConfig;
pub use follow::start;

/// Newest samples in memory, of all missions: 32 bytes each, so 8 MiB.
const SAMPLES_MAX: usize = 256 * 1_024;

/// The history of all missions. Answers while [`start`]'s thread follows the journal.
pub struct History {
    missions: Vec<MissionHistory>,
    /// Gone when following ends, so that the journal can end.
    journal: RwLock<Option<JournalHandle>>,
}

struct MissionHistory {
    name: String,
    /// Replaced when the hub sends a document.
    decoder: RwLock<MissionDecoder>,
    state: Mutex<MissionState>,
}

impl History {
    /// Reads what lies in a directory. Where that fails, history is kept in memory only: recording goes on.
    pub fn open(
        directory: &Path,
        config: &HistoryConfig,
        missions: &[LoadedMission],
        journal: JournalHandle,
    ) -> Self {
        let at_start = {
            let state = journal.state();
            let state = state.borrow();
            let tail = state.tail.map_or(0, |tail| tail.0);
            JournalAtStart { store: state.store.0, head: state.head.number(), tail }
        };
        let count = missions.len().max(1);
        let limits = MissionLimits {
            keep_nanos: [config.seconds, config.minutes, config.hours].map(Span::nanos),
            quota_bytes: config.quota.0 / count as u64,
            samples_max: SAMPLES_MAX / count,
        };
        let missions = missions
            .iter()
            .map(|mission| {
                let directory = directory.join(&mission.name);
                let state = MissionState::open(&directory, limits, at_start).unwrap_or_else(|error| {
                    error!(mission = mission.name, %error, "history cannot be read, it begins anew in memory");
                    MissionState::without_disk(&directory, limits, at_start)
                });
                MissionHistory {
                    name: mission.name.clone(),
                    decoder: RwLock::new(mission.decoder.clone()),
                    state: Mutex::new(state),
                }
            })
            .collect();
        Self { missions, journal: RwLock::new(Some(journal)) }
    }

    /// What reads a mission's packets from now on, numbering the known parameters as before. What was rolled up stays
    /// as it was read.
    pub fn use_documents(&self, mission: &str, database: MissionDatabase) {
        let Some(history) = self.missions.iter().find(|history| history.name == mission) else { return };
        let mut decoder = history.decoder.write().unwrap_or_else(PoisonError::into_inner);
        *decoder = decoder.with_database(database);
    }

    /// Takes a batch of the journal; `watching` judges it, unless it did before, and `on_samples` gets what is in it,
    /// with its mission.
    fn on_batch(
        &self,
        batch: &SealedBatch,
        watching: &mut Option<Watching>,
        mut on_samples: impl FnMut(&str, &[Sample]),
    ) {
        let header = &batch.header;
        let place = BatchPlace {
            sequence: header.sequence.0,
            first_reception: header.first_reception.0.0,
            last_reception: header.last_reception.0.0,
        };
        for mission in &self.missions {
            if mission.name != header.mission {
                mission.state().on_other(place.sequence);
                continue;
            }
            let decoder = mission.decoder();
            let mut watching = watching.as_mut().filter(|watching| watching.is_new(place.sequence));
            if let Some(watching) = &mut watching {
                watching.on_batch(&mission.name, decoder.database());
            }
            let judge = |arrival: &Arrival<'_>| {
                if let Some(watching) = &mut watching {
                    watching.on_arrival(&mission.name, place.sequence, decoder.database(), arrival);
                }
            };
            match decode_with(&decoder, batch, judge) {
                Ok(samples) => {
                    on_samples(&mission.name, &samples);
                    mission.state().on_batch(place, samples);
                }
                Err(failure) => {
                    error!(sequence = place.sequence, %failure, "batch cannot be opened, history goes on without it");
                    mission.state().on_other(place.sequence);
                }
            }
        }
        if let Some(watching) = watching {
            watching.on_judged(place.sequence);
        }
    }

    /// A batch that cannot be read is passed by.
    fn pass_by(&self, sequence: u64) {
        self.missions.iter().for_each(|mission| mission.state().on_other(sequence));
    }

    /// Another journal began.
    fn begin_journal(&self, store: [u8; 16]) {
        for mission in &self.missions {
            let database = mission.decoder().database().clone();
            mission.state().begin_journal(&database, store);
        }
    }

    /// Writes what has gathered; all of it when it is the last time.
    fn flush(&self, tail: u64, is_last: bool) {
        let mut bytes = 0;
        for mission in &self.missions {
            let database = mission.decoder().database().clone();
            let mut state = mission.state();
            state.runs.forget_before(tail);
            state.flush(&database, is_last);
            bytes += state.bytes();
        }
        Metric::EdgeHistoryBytes.set(bytes as f64);
    }

    fn journal(&self) -> Option<JournalHandle> {
        self.journal.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl MissionHistory {
    fn state(&self) -> MutexGuard<'_, MissionState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn decoder(&self) -> MissionDecoder {
        self.decoder.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// All samples of a batch. What does not decode is in the journal all the same.
fn decode(decoder: &MissionDecoder, batch: &SealedBatch) -> Result<Vec<Sample>, BatchError> {
    decode_with(decoder, batch, |_| {})
}

/// The same, and tells of each record that has samples.
fn decode_with(
    decoder: &MissionDecoder,
    batch: &SealedBatch,
    mut on_arrival: impl FnMut(&Arrival<'_>),
) -> Result<Vec<Sample>, BatchError> {
    let open = batch.open()?;
    let (mut scratch, mut samples) = (DecodedPacket::default(), Vec::new());
    for record in open.records() {
        let (before, verdicts) = (samples.len(), record.verdicts);
        decoder.decode_record(open.content(), record, &mut scratch, &mut samples);
        if samples.len() > before {
            let packet = (open.content() == Content::Packets).then_some(&scratch);
            on_arrival(&Arrival { samples: &samples[before..], packet, verdicts });
        }
    }
    Ok(samples)
}

#[cfg(test)]
mod tests;
