//! Watches what comes to the hub's own links, at the hub that leads: committed batches, each once and in their order,
//! become observations, and these entries of alarms.
//!
//! What detectors learned is saved with the number of the batch up to which they did. The next leader reads on from there:
//! what was judged before is judged again, with the same result, and what is known of it is passed over.

use std::sync::Arc;
use std::time::{Duration, Instant};

use delivery::{BatchError, Content, SealedBatch};
use mission_database::{DecodedPacket, MissionDatabase};
use model::ModelDocument;
use processing::MissionDecoder;
use processing::alarm::{AlarmRules, Board, Entry, History, Observation, Piece, Place, Written};
use processing::watch::{Arrival, DetectionRules, Watch};
use service::documents::Watching;
use service::logging::chain;
use space_packet::TaiTime;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tracing::{debug, error, info, warn};

use super::HubAlarms;
use crate::archive::{AlarmTable, Archive, ArchiveError, Database, Newest, OwnStation, WatchState};
use crate::missions::Missions;

/// Batches read at once: 96 KiB each at most.
const BATCHES: i64 = 64;
/// How often there is a look when nothing was committed: alarms end by time, too.
const TICK: Duration = Duration::from_secs(1);
/// Between two looks. What nodes send is committed hundreds of times a second, and a look is a statement.
const REST: Duration = Duration::from_millis(50);
const RETRY_WAIT: Duration = Duration::from_secs(1);
/// By how much less than that clocks of hubs differ.
const A_DAY: i64 = 86_400_000_000_000;
/// How often what was learned is saved: so much is judged again by the next leader.
const SAVE_INTERVAL: Duration = Duration::from_secs(60);
/// Alarms that are looked at when watching begins: the newest, and closed ones with them, of which the same may be said again.
const ALARMS_MAX: usize = 10_000;
/// How much later than others its thread runs: live data are decoded on the same cores.
const NICE: i32 = 5;

/// What watches the hub's own links.
pub struct OwnLinks {
    alarms: Arc<HubAlarms>,
    archive: Arc<Archive>,
    missions: Arc<Missions>,
    /// Imports since the rules were read.
    changes: watch::Receiver<i64>,
    station: OwnStation,
    table: AlarmTable,
    watched: Vec<WatchedMission>,
    /// The newest batch that was judged.
    reached: u64,
    /// Batches up to this one may have been judged before the start.
    read_again_up_to: u64,
    /// What is behind it was committed then, or later.
    since: TaiTime,
    saved: (u64, Instant),
}

struct WatchedMission {
    name: String,
    decoder: MissionDecoder,
    board: Board,
    watch: Watch,
    /// What could not be kept yet.
    unkept: Vec<Piece>,
}

impl OwnLinks {
    /// Takes up what was learned, and where the alarms of the links stand. `database` is the leader's.
    ///
    /// Without a state that can be used it begins behind the newest batch.
    pub async fn open(
        alarms: Arc<HubAlarms>,
        archive: Arc<Archive>,
        missions: Arc<Missions>,
        database: &Database,
    ) -> Result<Self, ArchiveError> {
        let changes = missions.changes();
        let (station, table) = (OwnStation::new(database.clone()), AlarmTable::new(database.clone()));
        let newest = station.newest().await?;
        let mut states = table.watch_states().await?;
        // The database may have been set back.
        states.retain(|saved| saved.sequence <= newest);
        let reached = states.iter().map(|saved| saved.sequence).max().unwrap_or(newest);
        let mut watched = Vec::new();
        for (book, _) in &alarms.books {
            let Some(decoder) = archive.decoder(book.mission()) else { continue };
            let (alarm_rules, detection, models) = rules(&missions, book.mission());
            let mut watch = Watch::new(book.mission(), detection, alarm_rules);
            use_models(&mut watch, book.mission(), &models, decoder.database());
            // One that stopped being saved, because its mission was not configured, goes on elsewhere than the others.
            let is_its = |saved: &&WatchState| saved.mission == book.mission() && saved.sequence == reached;
            if let Some(saved) = states.iter().find(is_its)
                && let Err(problem) = watch.restore(&saved.state, decoder.database())
            {
                warn!(mission = book.mission(), %problem, "detectors of the hub's own links learn anew");
            }
            let mut board = Board::new(Place::Hub);
            // What cannot be looked up is closed.
            let known = book.page(None, ALARMS_MAX, true, |_| true).await;
            for known in known.map(|page| page.alarms).unwrap_or_else(|_| book.open()) {
                let is_ours = |entry: &&Entry| entry.place == Place::Hub && entry.condition().is_some();
                let state = known.state(service::clock::now());
                if state.is_retrospective || !known.history.entries().iter().any(is_ours) {
                    continue;
                }
                if state.severity.is_some() {
                    // What is open finds its end, though what watched it is gone.
                    let subject = known.history.subject();
                    watch.say_again(&subject.parameter, &subject.detector);
                }
                board.restore(known.history.clone());
            }
            let name = book.mission().to_owned();
            watched.push(WatchedMission { name, decoder, board, watch, unkept: Vec::new() });
        }
        info!(reached, newest, "watching of the hub's own links goes on");
        // Only what is behind the newest batch need not be looked for in all months.
        let is_behind_all = reached == newest;
        let since = if is_behind_all { service::clock::now().plus_nanos(-A_DAY) } else { TaiTime(0) };
        let saved = (reached, Instant::now());
        let is_first = states.is_empty();
        let mut own = Self {
            alarms,
            archive,
            missions,
            changes,
            station,
            table,
            watched,
            reached,
            read_again_up_to: newest,
            since,
            saved,
        };
        if is_first {
            // Where it began: what is committed before the next time is not passed over by who comes after a crash.
            own.save(true).await?;
        }
        Ok(own)
    }

    /// Watches until the committer is gone. Blocks.
    pub fn run(mut self, runtime: &Handle, mut newest: watch::Receiver<Newest>) {
        // Where the system does not allow it, it runs like the others.
        let _ = rustix::process::nice(NICE);
        let mut is_over = false;
        loop {
            match runtime.block_on(self.look(is_over)) {
                Ok(()) if is_over => return,
                Ok(()) => std::thread::sleep(REST),
                Err(error @ ArchiveError::Fenced) => {
                    error!(error = chain(&error), "the hub's own links are watched by another hub");
                    return;
                }
                Err(error) if is_over => {
                    warn!(error = chain(&error), "the next leader goes on watching from an older state");
                    return;
                }
                Err(error) => {
                    debug!(error = chain(&error), "the hub's own links could not be watched, trying again");
                    std::thread::sleep(RETRY_WAIT);
                }
            }
            let changed = async { tokio::time::timeout(TICK, newest.changed()).await };
            is_over = matches!(runtime.block_on(changed), Ok(Err(_)));
        }
    }

    /// Judges what is committed by now, and saves what was learned, if that is due or it is the last time.
    pub async fn look(&mut self, is_last: bool) -> Result<(), ArchiveError> {
        self.use_documents();
        for mission in &mut self.watched {
            mission.hear(&self.alarms);
        }
        self.keep().await?;
        loop {
            let (batches, committed_at) = self.station.behind(self.reached, self.since, BATCHES).await?;
            self.since = committed_at;
            batches.iter().for_each(|batch| self.judge(batch));
            self.keep().await?;
            if batches.is_empty() {
                break;
            }
        }
        let now = service::clock::now();
        for mission in &mut self.watched {
            let written = mission.board.on_time(now);
            mission.unkept.extend(written.into_iter().map(piece));
        }
        self.keep().await?;
        self.save(is_last).await
    }

    fn use_documents(&mut self) {
        // An error: there are no missions any more.
        if !self.changes.has_changed().unwrap_or(false) {
            return;
        }
        self.changes.mark_unchanged();
        for mission in &mut self.watched {
            if let Some(decoder) = self.archive.decoder(&mission.name) {
                mission.decoder = decoder;
            }
            let (alarm_rules, detection, models) = rules(&self.missions, &mission.name);
            mission.watch.use_alarm_rules(alarm_rules);
            mission.watch.use_detection_rules(detection, mission.decoder.database());
            use_models(&mut mission.watch, &mission.name, &models, mission.decoder.database());
        }
    }

    fn judge(&mut self, batch: &SealedBatch) {
        let header = &batch.header;
        if header.sequence.0 != self.reached + 1 {
            self.watched.iter_mut().for_each(|mission| mission.watch.on_interrupted());
        }
        self.reached = header.sequence.0;
        let Some(mission) = self.watched.iter_mut().find(|mission| mission.name == header.mission) else {
            return;
        };
        let is_again = header.sequence.0 <= self.read_again_up_to;
        if let Err(error) = mission.judge(batch, is_again, service::clock::now()) {
            warn!(%error, sequence = header.sequence.0, "a batch of the hub's own links does not open and is not watched");
        }
    }

    /// Keeps what was written. The books read it as they read what anybody wrote.
    async fn keep(&mut self) -> Result<(), ArchiveError> {
        for mission in self.watched.iter_mut().filter(|mission| !mission.unkept.is_empty()) {
            self.table.keep_led(&mission.unkept, service::clock::now()).await?;
            mission.unkept.clear();
        }
        Ok(())
    }

    async fn save(&mut self, is_last: bool) -> Result<(), ArchiveError> {
        let (sequence, at) = self.saved;
        if (sequence == self.reached || at.elapsed() < SAVE_INTERVAL) && !is_last {
            return Ok(());
        }
        let mut states = Vec::with_capacity(self.watched.len());
        for mission in &self.watched {
            let (state, left_out) = mission.watch.encode(mission.decoder.database());
            if left_out > 0 {
                let mission = &mission.name;
                warn!(mission, left_out, "what detectors learned of some parameters is not saved");
            }
            states.push(WatchState { mission: mission.name.clone(), sequence: self.reached, state });
        }
        // Tried again in a minute, whatever comes of it.
        self.saved = (self.reached, Instant::now());
        self.table.save_watch_states(&states).await
    }
}

impl WatchedMission {
    /// What others wrote into its alarms since.
    fn hear(&mut self, alarms: &HubAlarms) {
        let Some((book, _)) = alarms.of(&self.name) else { return };
        let on_board: Vec<_> = self.board.alarms().map(History::alarm).collect();
        for known in on_board.into_iter().filter_map(|alarm| book.known(alarm)) {
            self.board.on_history(&known.history);
        }
    }

    fn judge(&mut self, batch: &SealedBatch, is_again: bool, now: TaiTime) -> Result<(), BatchError> {
        let open = batch.open()?;
        let (mut scratch, mut samples) = (DecodedPacket::default(), Vec::new());
        for record in open.records() {
            samples.clear();
            let verdicts = record.verdicts;
            self.decoder.decode_record(open.content(), record, &mut scratch, &mut samples);
            if samples.is_empty() {
                continue;
            }
            let packet = (open.content() == Content::Packets).then_some(&scratch);
            let arrival = Arrival { samples: &samples, packet, verdicts };
            for seen in self.watch.on_arrival(self.decoder.database(), &arrival) {
                if !(is_again && self.is_known(&seen)) {
                    let written = self.board.on_observation(&seen, now);
                    self.unkept.extend(written.into_iter().map(piece));
                }
            }
        }
        Ok(())
    }

    /// Whether something was said before the start: what is read again and older than what the board knows.
    fn is_known(&self, seen: &Observation) -> bool {
        seen.live && self.board.newest(&seen.subject).is_some_and(|newest| seen.generation < newest)
    }
}

fn piece(written: Written) -> Piece {
    Piece { subject: written.subject, first: written.first, entries: vec![written.entry] }
}

/// Brings a mission's models into force, as far as they can be run.
fn use_models(watch: &mut Watch, mission: &str, models: &[ModelDocument], database: &MissionDatabase) {
    for unused in watch.use_models(models, database) {
        warn!(mission, "{unused}");
    }
}

/// A mission's rules and models in force.
fn rules(missions: &Missions, mission: &str) -> (Arc<AlarmRules>, Arc<DetectionRules>, Vec<ModelDocument>) {
    let found = missions.documents_of(mission).unwrap_or_default();
    let Watching { alarm_rules, detection_rules, models, .. } = Watching::of(&found);
    let alarm_rules = alarm_rules.map(|document| AlarmRules::parse(&document.file_name, &document.content));
    let detection =
        detection_rules.map(|document| DetectionRules::parse(&document.file_name, &document.content));
    for problem in detection.iter().flat_map(|rules| &rules.problems) {
        warn!(mission, %problem, "STO-ALARM-RULE: part of the detection rules is left out, the rest counts");
    }
    let alarm_rules = alarm_rules.unwrap_or_else(AlarmRules::built_in);
    (Arc::new(alarm_rules), Arc::new(detection.unwrap_or_default()), models)
}
