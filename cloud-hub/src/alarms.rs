//! Alarms at this hub: a book for each mission, kept up to date with what nodes sent, what people did here and what they
//! did at other hubs. A notification with each entry says that there is something to read, and looking once a second makes
//! up for one that is lost: only the numbers in the table count.

mod deliveries;
mod escalation;
mod own_links;
mod rules;
mod sending;
mod telling;
mod told;
mod undelivered;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use dashboard::ProblemResponse;
use dashboard::alarms::{
    AlarmBook, AlarmPlace, Alarms, Answer, CLOSED_MAX, Keeper, RulesKind, RulesText, WantedRules,
};
use dashboard::contract::{AlarmDelivery, DetectionModel, RulesVersion};
use dashboard::records::{Page, Slice};
use futures_util::FutureExt;
use processing::alarm::{AlarmId, History, Piece, Place};
use processing::watch::DetectionRules;
use service::logging::chain;
use service::metric::Metric;
use space_packet::TaiTime;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::TryRecvError;
use tokio::sync::{Mutex, Notify};
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use crate::archive::problem;
use crate::archive::{AlarmTable, ArchiveError, Client, Database, Documents, KnownEntry};
use deliveries::Deliveries;
use rules::InForce;

pub use escalation::{Escalator, Units};
pub use own_links::OwnLinks;
pub use telling::{Bells, Telling};

const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// The tables, as a book keeps acts in them.
struct HubKeeper(AlarmTable);

fn not_answered(error: &ArchiveError) -> ProblemResponse {
    warn!(error = chain(error), "alarms could not be kept or read");
    problem(error)
}

impl Keeper for HubKeeper {
    fn keep(&self, piece: Piece) -> Answer<'_, ()> {
        async move {
            let kept = self.0.keep(&piece, service::clock::now()).await;
            kept.map_err(|error| not_answered(&error))
        }
        .boxed()
    }

    fn kept<'a>(&'a self, mission: &'a str, alarm: AlarmId) -> Answer<'a, Option<History>> {
        async move { self.0.history(mission, alarm).await.map_err(|error| not_answered(&error)) }.boxed()
    }

    fn closed_before<'a>(
        &'a self,
        mission: &'a str,
        before: AlarmPlace,
        count: usize,
    ) -> Answer<'a, Vec<History>> {
        async move {
            let found = self.0.closed_before(mission, before, count).await;
            found.map_err(|error| not_answered(&error))
        }
        .boxed()
    }
}

/// A mission's book, and what is to be looked at in it.
struct Watched {
    book: Arc<AlarmBook>,
    changes: Receiver<AlarmId>,
    /// Whether these are closed by now is to be written down.
    touched: BTreeSet<AlarmId>,
}

/// How far the tables are read.
struct Reader {
    /// Up to which number entries are in the books.
    entries: i64,
    /// Up to which number sessions were woken.
    told: i64,
    missions: Vec<Watched>,
}

/// The alarms of all missions.
pub struct HubAlarms {
    table: AlarmTable,
    documents: Documents,
    /// Of each mission, with what else is in force.
    books: Vec<(Arc<AlarmBook>, InForce)>,
    reader: Mutex<Reader>,
    news: Arc<Notify>,
    bells: Arc<Bells>,
    deliveries: Deliveries,
}

impl HubAlarms {
    /// Those of missions, of which nothing is read yet.
    pub fn new<'a>(database: &Database, missions: impl Iterator<Item = &'a str>) -> Self {
        let table = AlarmTable::new(database.clone());
        let keeper: Arc<dyn Keeper> = Arc::new(HubKeeper(table.clone()));
        let book = |mission| AlarmBook::new(mission, Place::Hub, Arc::clone(&keeper));
        let books: Vec<_> = missions.map(|mission| (book(mission), InForce::default())).collect();
        let watched = books.iter().map(|(book, _)| Watched {
            book: Arc::clone(book),
            changes: book.subscribe(),
            touched: BTreeSet::new(),
        });
        let reader = Mutex::new(Reader { entries: 0, told: 0, missions: watched.collect() });
        let documents = Documents::new(database.clone());
        let deliveries = Deliveries::new(database.clone());
        let (news, bells) = Default::default();
        Self { table, documents, books, reader, news, bells, deliveries }
    }

    fn of(&self, mission: &str) -> Option<&(Arc<AlarmBook>, InForce)> {
        self.books.iter().find(|(book, _)| book.mission() == mission)
    }

    /// Reads all alarms that are open, and the newest closed ones.
    pub async fn load(&self) -> Result<(), ArchiveError> {
        let mut reader = self.reader.lock().await;
        let mut numbers = Vec::new();
        for watched in &mut reader.missions {
            let start = self.table.start(watched.book.mission(), CLOSED_MAX).await?;
            numbers.push(start.number);
            for KnownEntry { piece, known, .. } in start.entries {
                watched.book.take(&piece, known);
                watched.touched.insert(piece.alarm());
            }
        }
        // What came in while they were read one after another is read again.
        reader.entries = numbers.into_iter().min().unwrap_or(0);
        reader.told = reader.entries;
        Ok(())
    }

    /// What sessions tell nodes with.
    pub fn telling(&self) -> Telling {
        Telling::new(self.table.clone(), Arc::clone(&self.bells))
    }

    /// Keeps the books up to date until shutdown.
    pub async fn run(self: Arc<Self>, shutdown: CancellationToken) -> anyhow::Result<()> {
        let mut listening: Option<Client> = None;
        let mut is_well = true;
        loop {
            if listening.as_ref().is_none_or(Client::is_closed) {
                let news = Arc::clone(&self.news);
                listening = self.table.listen(move || news.notify_one()).await.ok();
            }
            match self.look(service::clock::now()).await {
                Ok(()) => is_well = true,
                Err(error) if is_well => {
                    warn!(error = chain(&error), "alarms could not be read, trying again");
                    is_well = false;
                }
                Err(error) => debug!(error = chain(&error), "alarms could not be read, trying again"),
            }
            tokio::select! {
                () = shutdown.cancelled() => return Ok(()),
                () = self.news.notified() => {}
                () = tokio::time::sleep(LOOK_INTERVAL) => {}
            }
        }
    }

    /// Takes what was written since the last look, and writes down which alarms are closed since.
    pub async fn look(&self, now: TaiTime) -> Result<(), ArchiveError> {
        let mut reader = self.reader.lock().await;
        reader.read_on(&self.table).await?;
        let (nodes, told) = self.table.nodes_to_tell(reader.told).await?;
        reader.told = told;
        self.bells.ring(&nodes);
        let read = reader.entries;
        let open: usize = self.books.iter().map(|(book, _)| book.open().len()).sum();
        Metric::HubAlarmsOpen.set(open as f64);
        for watched in &mut reader.missions {
            watched.note_closed(&self.table, read, now).await?;
        }
        Ok(())
    }
}

impl Reader {
    async fn read_on(&mut self, table: &AlarmTable) -> Result<(), ArchiveError> {
        loop {
            let (entries, last) = table.changes(self.entries).await?;
            for KnownEntry { piece, known, .. } in &entries {
                let book = |watched: &&mut Watched| watched.book.mission() == piece.subject.mission;
                let Some(watched) = self.missions.iter_mut().find(book) else { continue };
                if watched.book.merge(piece, *known).await.is_err() {
                    // The reason is logged; from here on all of it is read again.
                    return Ok(());
                }
                watched.touched.insert(piece.alarm());
            }
            if last == self.entries {
                return Ok(());
            }
            self.entries = last;
        }
    }
}

impl Watched {
    /// Notes in the table which alarms are closed, of which nothing newer than `read` is known. What has been written
    /// since is looked at when it was read.
    async fn note_closed(&mut self, table: &AlarmTable, read: i64, now: TaiTime) -> Result<(), ArchiveError> {
        self.book.on_time(now);
        loop {
            match self.changes.try_recv() {
                Ok(alarm) => drop(self.touched.insert(alarm)),
                // Its alarms are touched by their entries; one that closed by itself is found at the next start.
                Err(TryRecvError::Lagged(_)) => {}
                Err(TryRecvError::Empty | TryRecvError::Closed) => break,
            }
        }
        while let Some(alarm) = self.touched.first().copied() {
            if self.book.known(alarm).is_some_and(|known| known.state(now).is_closed()) {
                table.close(self.book.mission(), alarm, read).await?;
            }
            self.touched.remove(&alarm);
        }
        Ok(())
    }
}

impl Alarms for HubAlarms {
    fn book(&self, mission: &str) -> Option<Arc<AlarmBook>> {
        Some(Arc::clone(&self.of(mission)?.0))
    }

    fn detection_rules(&self, mission: &str) -> Arc<DetectionRules> {
        self.of(mission).map(|(_, in_force)| in_force.detection()).unwrap_or_default()
    }

    fn rules<'a>(&'a self, mission: &'a str, kind: RulesKind) -> Answer<'a, Vec<RulesVersion>> {
        self.rules_versions(mission, kind)
    }

    fn rules_text<'a>(
        &'a self,
        mission: &'a str,
        kind: RulesKind,
        number: u32,
    ) -> Answer<'a, Option<RulesText>> {
        self.rules_version(mission, kind, number)
    }

    fn put_rules<'a>(&'a self, mission: &'a str, wanted: WantedRules) -> Answer<'a, RulesVersion> {
        self.import_rules(mission, wanted)
    }

    fn deliveries<'a>(
        &'a self,
        mission: &'a str,
        alarm: Option<AlarmId>,
        slice: Slice,
    ) -> Answer<'a, Page<AlarmDelivery>> {
        async move { self.deliveries.page(mission, alarm, &slice).await }.boxed()
    }

    fn send_test<'a>(&'a self, mission: &'a str, contact: &'a str, by: &'a str) -> Answer<'a, AlarmDelivery> {
        async move {
            let no_book = || ProblemResponse::no_alarms("this hub looks after no alarms of the mission");
            let (book, _) = self.of(mission).ok_or_else(no_book)?;
            info!(mission, contact, by, "test of a contact was asked for");
            self.deliveries.send_test(book, contact).await
        }
        .boxed()
    }

    fn models<'a>(&'a self, mission: &'a str) -> Answer<'a, Vec<DetectionModel>> {
        let models = self.of(mission).map(|(_, in_force)| in_force.models()).unwrap_or_default();
        async move { Ok(models) }.boxed()
    }
}
