//! The node's alarms: raised of what its links receive, kept on its disk, dealt with here or at the hub.
//!
//! A thread follows the journal ([`Watching`], on the history's thread) and judges each record once. What a board then
//! writes becomes durable in the log of alarms, is shown in the mission's book, and goes into the alarm lane from there
//! ([`NodeAlarms::forward`]). What people do at the hub comes back in the session ([`NodeAlarms::on_entries`]).

mod forwarding;
mod keeping;
mod rules;
mod state_file;
mod store;
mod watching;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use dashboard::ProblemResponse;
use dashboard::alarms::{AlarmBook, Alarms, Answer, CLOSED_MAX, RulesKind, RulesText, models_in_force};
use dashboard::contract::{DetectionModel, RulesVersion};
use futures_util::FutureExt;
use processing::alarm::{AlarmState, Board, History, Piece, Place, Written};
use processing::watch::DetectionRules;
use service::metric::Metric;
use space_packet::TaiTime;
use tokio_util::sync::CancellationToken;
use tracing::{error, warn};

use keeping::{MissionKeeper, SharedStore};
use rules::Rules;
use store::{Origin, Store};

pub use rules::RuleFiles;
pub use watching::Watching;

/// How often time passes for boards and books.
const TICK: Duration = Duration::from_secs(1);
/// Pieces of a mission that wait for a disk that refuses. Of more the oldest are given up: they stay in the book.
const UNKEPT_MAX: usize = 4_096;
/// The directory beneath the node's.
const FOLDER: &str = "alarms";

/// The alarms of all missions.
pub struct NodeAlarms {
    place: Place,
    store: Arc<SharedStore>,
    missions: Vec<MissionAlarms>,
}

struct MissionAlarms {
    book: Arc<AlarmBook>,
    board: Arc<Mutex<Board>>,
    rules: Rules,
    /// What the disk refused, to be tried again.
    unkept: Mutex<Vec<Piece>>,
}

impl MissionAlarms {
    fn board(&self) -> MutexGuard<'_, Board> {
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl NodeAlarms {
    /// Opens the log in a data directory; `place` is the node, `missions` their rules. What is damaged of the log stands
    /// beside it. Blocks.
    pub fn open(
        data: &Path,
        place: Place,
        missions: Vec<(String, RuleFiles)>,
    ) -> std::io::Result<(Arc<Self>, Option<String>)> {
        let (store, damage) = Store::open(&data.join(FOLDER))?;
        let now = service::clock::now();
        let store = Arc::new(SharedStore::new(store));
        let missions = missions.into_iter().map(|(name, files)| {
            let board = Arc::new(Mutex::new(Board::new(place)));
            let keeper = MissionKeeper { store: Arc::clone(&store), board: Arc::clone(&board) };
            let book = AlarmBook::new(&name, place, Arc::new(keeper));
            let rules = Rules::read(&name, files);
            book.set_rules(rules.alarms());
            MissionAlarms { book, board, rules, unkept: Mutex::default() }
        });
        let alarms = Self { place, missions: missions.collect(), store };
        alarms.restore(now)?;
        Ok((Arc::new(alarms), damage))
    }

    fn mission(&self, mission: &str) -> Option<&MissionAlarms> {
        self.missions.iter().find(|known| known.book.mission() == mission)
    }

    /// Takes up what is stored: what is open onto board and book, and into the book what closed last.
    fn restore(&self, now: TaiTime) -> std::io::Result<()> {
        let store = self.store.lock();
        let places: Vec<_> = store.places().collect();
        for mission in &self.missions {
            let mut closed = 0;
            for (_, alarm) in &places {
                let is_of_mission = store.mission_of(*alarm) == Some(mission.book.mission());
                let found = if is_of_mission { store.history(*alarm)? } else { None };
                let Some((history, known)) = found else { continue };
                let state = AlarmState::of(&history, now);
                closed += usize::from(state.is_closed());
                if state.is_closed() && closed > CLOSED_MAX {
                    continue;
                }
                for piece in history.pieces() {
                    mission.book.take(&piece, known);
                }
                // Closed ones too: what is said of them again is of before.
                if !state.is_retrospective {
                    mission.board().restore(history);
                }
            }
        }
        Ok(())
    }

    /// Keeps and shows what a board wrote. What the disk refuses is shown all the same, and tried again: an alarm that
    /// nobody sees does more harm than one that a power cut takes.
    fn record(&self, mission: &MissionAlarms, written: Vec<Written>, now: TaiTime) {
        if written.is_empty() && self.unkept(mission).is_empty() {
            return;
        }
        let notices = written.iter().filter(|written| is_raised(written)).count();
        Metric::EdgeAlarmsRaised.add(notices as u64);
        let pieces: Vec<Piece> = written.into_iter().map(piece).collect();
        let mut unkept = self.unkept(mission);
        // One that no form can hold, of a parameter with too long a name, would keep all others from the disk.
        let (sound, unsound): (Vec<_>, Vec<_>) =
            pieces.iter().cloned().partition(|piece| piece.encode().is_ok());
        for piece in unsound {
            warn!(
                parameter = piece.subject.parameter,
                "an alarm cannot be kept: it is shown until the node stops"
            );
        }
        unkept.extend(sound);
        match self.store.keep(&unkept, Origin::Here, now) {
            Ok(()) => unkept.clear(),
            Err(failure) => {
                let is_news = !pieces.is_empty();
                let excess = unkept.len().saturating_sub(UNKEPT_MAX);
                unkept.drain(..excess);
                if is_news {
                    let waiting = unkept.len();
                    error!(%failure, waiting, "STO-ALARM-STORE: alarms cannot be written, they are shown and tried again");
                }
            }
        }
        drop(unkept);
        for piece in &pieces {
            mission.book.take(piece, now);
        }
    }

    fn unkept<'a>(&self, mission: &'a MissionAlarms) -> MutexGuard<'a, Vec<Piece>> {
        mission.unkept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets time pass until shutdown: what is over for long enough is over, shelves end, changed rules count.
    pub async fn run(self: Arc<Self>, shutdown: CancellationToken) -> anyhow::Result<()> {
        loop {
            let alarms = Arc::clone(&self);
            // It waits for the disk.
            tokio::task::spawn_blocking(move || alarms.on_time(service::clock::now())).await?;
            tokio::select! {
                () = shutdown.cancelled() => return Ok(()),
                () = tokio::time::sleep(TICK) => {}
            }
        }
    }

    /// Brings rules and models of the hub into force, by mission.
    pub fn use_documents(&self, sent: &BTreeMap<String, Arc<service::documents::Watching>>) {
        for mission in &self.missions {
            if let Some(sent) = sent.get(mission.book.mission())
                && mission.rules.use_documents(sent)
            {
                mission.book.set_rules(mission.rules.alarms());
            }
        }
    }

    fn on_time(&self, now: TaiTime) {
        let mut open = 0;
        for mission in &self.missions {
            if mission.rules.read_again() {
                mission.book.set_rules(mission.rules.alarms());
            }
            let written = mission.board().on_time(now);
            self.record(mission, written, now);
            mission.book.on_time(now);
            open += mission.book.open().len();
        }
        Metric::EdgeAlarmsOpen.set(open as f64);
        Metric::EdgeAlarmsStoreBytes.set(self.store.lock().bytes() as f64);
    }
}

fn piece(written: Written) -> Piece {
    Piece { subject: written.subject, first: written.first, entries: vec![written.entry] }
}

fn is_raised(written: &Written) -> bool {
    written
        .entry
        .condition()
        .is_some_and(|condition| matches!(condition.change, processing::alarm::Change::Raised { .. }))
}

/// A stored alarm that cannot be read right now.
fn unread(failure: &std::io::Error) -> ProblemResponse {
    warn!(%failure, "STO-ALARM-STORE: the log of alarms could not be read or written");
    ProblemResponse::unavailable(format!(
        "the node's log of alarms could not be read or written: {failure}; nothing was changed, what is shown stays; \
         look at the disk, then try again"
    ))
}

impl Alarms for NodeAlarms {
    fn book(&self, mission: &str) -> Option<Arc<AlarmBook>> {
        Some(Arc::clone(&self.mission(mission)?.book))
    }

    fn detection_rules(&self, mission: &str) -> Arc<DetectionRules> {
        self.mission(mission).map(|mission| mission.rules.in_force().detection).unwrap_or_default()
    }

    fn rules<'a>(&'a self, mission: &'a str, kind: RulesKind) -> Answer<'a, Vec<RulesVersion>> {
        let found = self.mission(mission).and_then(|mission| mission.rules.shown(kind));
        async move { Ok(found.map(|rules| rules.version).into_iter().collect()) }.boxed()
    }

    fn rules_text<'a>(
        &'a self,
        mission: &'a str,
        kind: RulesKind,
        number: u32,
    ) -> Answer<'a, Option<RulesText>> {
        let found = self.mission(mission).and_then(|mission| mission.rules.shown(kind));
        async move { Ok(found.filter(|rules| rules.version.number == number)) }.boxed()
    }

    fn models<'a>(&'a self, mission: &'a str) -> Answer<'a, Vec<DetectionModel>> {
        let found = self.mission(mission).map(|mission| models_in_force(&mission.rules.in_force().sent));
        async move { Ok(found.unwrap_or_default()) }.boxed()
    }
}

/// A history of one piece.
fn history(piece: &Piece) -> Option<History> {
    History::try_from(piece.clone()).ok()
}

#[cfg(test)]
mod tests;
