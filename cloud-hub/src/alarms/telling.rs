//! What others wrote into a node's alarms, on its way to the node: beside its session, which only writes the frames, so
//! that acknowledgements of batches wait for none of it.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use delivery::AlarmEntries;
use service::logging::chain;
use service::metric::Metric;
use tokio::sync::{Notify, mpsc, watch};
use tokio::time::sleep;
use tracing::{debug, info};
use uuid::Uuid;

use crate::archive::{AlarmTable, ArchiveError, ToTell};

/// Entries read at once; 64 KiB each at most, and mostly some hundred bytes.
const ENTRIES_MAX: i64 = 8;
/// What may be on its way to a node that it has not said to have: more would fill a thin link before its acknowledgements.
const IN_FLIGHT_BYTES_MAX: usize = 16 << 10;
const RETRY_WAIT: Duration = Duration::from_secs(1);

/// Wakes sessions whose nodes are to be told something.
#[derive(Default)]
pub struct Bells(Mutex<HashMap<Uuid, Weak<Notify>>>);

impl Bells {
    /// The bell of a node's newest session.
    fn of(&self, node: Uuid) -> Arc<Notify> {
        let bell = Arc::new(Notify::new());
        let mut bells = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        bells.retain(|_, bell| bell.strong_count() > 0);
        bells.insert(node, Arc::downgrade(&bell));
        bell
    }

    /// Wakes the sessions of nodes, as far as they have one here.
    pub fn ring(&self, nodes: &[Uuid]) {
        let bells = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let ringing = nodes.iter().filter_map(|node| bells.get(node)?.upgrade());
        ringing.for_each(|bell| bell.notify_one());
    }
}

/// What a session tells its node with. Cheap to clone.
#[derive(Clone)]
pub struct Telling {
    table: AlarmTable,
    bells: Arc<Bells>,
}

/// One node's session.
struct Teller {
    table: AlarmTable,
    node: Uuid,
    /// Up to which number it says that it has everything.
    kept: watch::Receiver<Option<u64>>,
    to_session: mpsc::Sender<AlarmEntries>,
    /// Numbers and lengths of what it was sent and has not said to have.
    in_flight: VecDeque<(i64, usize)>,
}

/// The session is over.
struct SessionOver;

impl Telling {
    pub(super) fn new(table: AlarmTable, bells: Arc<Bells>) -> Self {
        Self { table, bells }
    }

    /// Tells a node what it lacks, now and whenever there is more, as soon as it has said what it has in `kept`, until
    /// its session is over. Alarms of missions that it `may_know` nothing of are left out.
    pub async fn tell(
        self,
        node: Uuid,
        kept: watch::Receiver<Option<u64>>,
        to_session: mpsc::Sender<AlarmEntries>,
        may_know: impl Fn(&str) -> bool,
    ) {
        // Before the first look: what comes in between rings it.
        let bell = self.bells.of(node);
        let mut teller = Teller { table: self.table, node, kept, to_session, in_flight: VecDeque::new() };
        // Err: the session is over, which is no news here.
        let _ = teller.run(&bell, may_know).await;
    }
}

impl Teller {
    async fn run(&mut self, bell: &Notify, may_know: impl Fn(&str) -> bool) -> Result<(), SessionOver> {
        let said = loop {
            self.kept.changed().await.map_err(|_| SessionOver)?;
            if let Some(said) = *self.kept.borrow_and_update() {
                break number(said);
            }
        };
        while let Err(error) = self.table.begin_telling(self.node, said).await {
            self.wait_for_database(&error).await;
        }
        let mut told = 0;
        loop {
            let found = match self.table.to_tell(self.node, told, ENTRIES_MAX).await {
                Ok(found) => found,
                Err(error) => {
                    self.wait_for_database(&error).await;
                    continue;
                }
            };
            if found.is_empty() {
                tokio::select! {
                    () = bell.notified() => {}
                    changed = self.kept.changed() => {
                        changed.map_err(|_| SessionOver)?;
                        self.on_kept().await;
                    }
                }
            }
            for entries in found {
                told = entries.number;
                if may_know(&entries.mission) {
                    self.send(entries).await?;
                }
            }
        }
    }

    async fn send(&mut self, entries: ToTell) -> Result<(), SessionOver> {
        let ToTell { number, mission, piece } = entries;
        let is_full = |in_flight: &VecDeque<(i64, usize)>| {
            let bytes: usize = in_flight.iter().map(|(_, bytes)| bytes).sum();
            bytes > 0 && bytes + piece.len() > IN_FLIGHT_BYTES_MAX
        };
        while is_full(&self.in_flight) {
            self.kept.changed().await.map_err(|_| SessionOver)?;
            self.on_kept().await;
        }
        self.in_flight.push_back((number, piece.len()));
        Metric::HubAlarmEntriesTold.add(1);
        let entries = AlarmEntries { mission, number: number.cast_unsigned(), piece };
        self.to_session.send(entries).await.map_err(|_| SessionOver)
    }

    /// What the node has need not be told again. A hub that cannot write that down tells it once more in another session.
    async fn on_kept(&mut self) {
        let Some(kept) = self.kept.borrow_and_update().map(number) else { return };
        self.in_flight.retain(|(number, _)| *number > kept);
        if let Err(error) = self.table.on_kept(self.node, kept).await {
            info!(node = %self.node, error = chain(&error), "what a node has of alarms could not be written down");
        }
    }

    async fn wait_for_database(&self, error: &ArchiveError) {
        debug!(node = %self.node, error = chain(error), "what a node is to be told of alarms could not be read");
        sleep(RETRY_WAIT).await;
    }
}

/// As the table counts. What is beyond its numbers was never given out.
fn number(said: u64) -> i64 {
    i64::try_from(said).unwrap_or(i64::MAX)
}
