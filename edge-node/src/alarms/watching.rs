//! Judges what the journal has committed, each batch once and in its order, on the thread that follows the journal.
//!
//! What detectors learned is saved with its place in the journal, every minute and at the end. A restart reads on from
//! there: what was judged already is judged again, with the same result, and what is known of it is passed over.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use delivery::StoreId;
use mission_database::MissionDatabase;
use processing::alarm::{AlarmState, Observation};
use processing::watch::{Arrival, Watch};
use service::documents::Watching as Documents;
use service::mission::LoadedMission;
use tracing::{info, warn};

use super::rules::InForce;
use super::state_file::{SavedWatches, StateFile};
use super::{FOLDER, MissionAlarms, NodeAlarms};

/// How often what was learned is saved: so much is judged again after a crash.
const SAVE_INTERVAL: Duration = Duration::from_secs(60);

/// What watches all missions of the node.
pub struct Watching {
    alarms: Arc<NodeAlarms>,
    file: StateFile,
    missions: Vec<WatchedMission>,
    store: StoreId,
    /// The newest batch that was judged.
    sequence: u64,
    /// Batches up to this one may have been judged before the start.
    read_again_up_to: u64,
    saved: (u64, Instant),
}

struct WatchedMission {
    name: String,
    database: MissionDatabase,
    watch: Watch,
    /// Which rules and models it uses.
    rules: u32,
}

impl Watching {
    /// Takes up what was learned. `journal` is the one that will be read, with its newest batch. Blocks.
    ///
    /// Without a state that can be used it begins behind the newest batch: what is older was never watched, and what
    /// was found in it stands in the log of alarms.
    pub fn open(
        alarms: Arc<NodeAlarms>,
        data: &Path,
        missions: &[LoadedMission],
        journal: (StoreId, u64),
    ) -> Self {
        let (store, head) = journal;
        let file = StateFile::new(data.join(FOLDER).join("watch.state"));
        let saved = file.read().unwrap_or_else(|failure| {
            warn!(%failure, "what detectors learned cannot be read, they learn anew");
            None
        });
        let saved = saved.filter(|saved| saved.store() == store && saved.sequence <= head);
        let sequence = saved.as_ref().map_or(head, |saved| saved.sequence);
        let missions = missions.iter().filter_map(|mission| {
            let known = alarms.mission(&mission.name)?;
            let database = mission.decoder.database().clone();
            let InForce { number: rules, alarms: alarm_rules, detection, sent } = known.rules.in_force();
            let mut watch = Watch::new(&mission.name, detection, alarm_rules);
            use_models(&mut watch, &mission.name, &sent, &database);
            let state = saved.iter().flat_map(|saved| &saved.missions);
            if let Some((_, state)) = state.into_iter().find(|(name, _)| *name == mission.name)
                && let Err(problem) = watch.restore(state, &database)
            {
                warn!(mission = mission.name, %problem, "detectors learn anew");
            }
            for history in known.board().alarms() {
                // What is open finds its end, though what watched it is gone.
                if AlarmState::of(history, service::clock::now()).severity.is_some() {
                    watch.say_again(&history.subject().parameter, &history.subject().detector);
                }
            }
            Some(WatchedMission { name: mission.name.clone(), database, watch, rules })
        });
        let missions = missions.collect();
        info!(sequence, head, "watching goes on in the journal");
        let saved_at = (sequence, Instant::now());
        let mut watching =
            Self { alarms, file, missions, store, sequence, read_again_up_to: head, saved: saved_at };
        if saved.is_none() {
            // What comes before the first minute is over is judged again after a crash, too.
            watching.save(true);
        }
        watching
    }

    /// Where reading must begin: the first batch that was not judged.
    pub fn next(&self) -> u64 {
        self.sequence + 1
    }

    /// Another journal began, whose numbers count from one.
    pub fn begin_journal(&mut self, store: StoreId) {
        (self.store, self.sequence, self.read_again_up_to) = (store, 0, 0);
        // The state on disk is of the old one.
        self.save(true);
    }

    /// Batches up to this one will not come.
    pub fn pass_by(&mut self, sequence: u64) {
        if sequence > self.sequence {
            self.sequence = sequence;
            self.missions.iter_mut().for_each(|mission| mission.watch.on_interrupted());
        }
    }

    /// Whether a batch is still to be judged.
    pub fn is_new(&self, sequence: u64) -> bool {
        sequence > self.sequence
    }

    /// Takes a record of a batch that is to be judged.
    pub fn on_arrival(
        &mut self,
        mission: &str,
        sequence: u64,
        database: &MissionDatabase,
        arrival: &Arrival<'_>,
    ) {
        let Some(watched) = self.missions.iter_mut().find(|watched| watched.name == mission) else { return };
        let Some(known) = self.alarms.mission(mission) else { return };
        let seen = watched.watch.on_arrival(database, arrival);
        if !seen.is_empty() {
            let is_again = sequence <= self.read_again_up_to;
            self.alarms.on_observations(known, &seen, is_again);
        }
    }

    /// A batch was judged, or was of no mission or of none that can be read.
    pub fn on_judged(&mut self, sequence: u64) {
        self.sequence = self.sequence.max(sequence);
    }

    /// Other rules count, and other documents describe parameters.
    pub fn on_batch(&mut self, mission: &str, database: &MissionDatabase) {
        let Some(watched) = self.missions.iter_mut().find(|watched| watched.name == mission) else { return };
        let has_other_parameters = watched.database.parameters().len() != database.parameters().len();
        watched.database = database.clone();
        let Some(known) = self.alarms.mission(mission) else { return };
        let InForce { number, alarms, detection, sent } = known.rules.in_force();
        if number != watched.rules || has_other_parameters {
            watched.rules = number;
            watched.watch.use_alarm_rules(alarms);
            watched.watch.use_detection_rules(detection, database);
            use_models(&mut watched.watch, mission, &sent, database);
        }
    }

    /// Saves what was learned, if that is due or it is the last time.
    pub fn save(&mut self, is_last: bool) {
        let (sequence, at) = self.saved;
        if (sequence == self.sequence || at.elapsed() < SAVE_INTERVAL) && !is_last {
            return;
        }
        let states = self.missions.iter().map(|mission| {
            let (state, left_out) = mission.watch.encode(&mission.database);
            if left_out > 0 {
                warn!(
                    mission = mission.name,
                    left_out, "what detectors learned of some parameters is not saved"
                );
            }
            (mission.name.clone(), state)
        });
        let saved = SavedWatches { store: self.store.0, sequence: self.sequence, missions: states.collect() };
        if let Err(failure) = self.file.write(&saved) {
            warn!(%failure, "what detectors learned cannot be saved, a restart goes on from an older state");
        }
        // Tried again in a minute, whatever came of it.
        self.saved = (self.sequence, Instant::now());
    }
}

/// Brings the models that the hub sent into force, as far as they can be run.
fn use_models(watch: &mut Watch, mission: &str, sent: &Documents, database: &MissionDatabase) {
    for unused in watch.use_models(&sent.models, database) {
        warn!(mission, "{unused}");
    }
}

impl NodeAlarms {
    /// Takes what a watch says. What is read again and older than what the board knows was said before the restart.
    fn on_observations(&self, mission: &MissionAlarms, seen: &[Observation], is_again: bool) {
        let now = service::clock::now();
        let mut board = mission.board();
        let is_known = |seen: &Observation, newest: Option<space_packet::GenerationTime>| {
            is_again && seen.live && newest.is_some_and(|newest| seen.generation < newest)
        };
        let mut written = Vec::new();
        for seen in seen {
            if !is_known(seen, board.newest(&seen.subject)) {
                written.extend(board.on_observation(seen, now));
            }
        }
        drop(board);
        self.record(mission, written, now);
    }
}
