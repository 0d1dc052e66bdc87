//! Telemetry that comes to the hub itself, for missions without a station of ours: the links of `hub.toml`.
//!
//! The doors and the pipeline are the nodes' own. What they take is sealed as a node would seal it, and committed as
//! one more node's ([`station`]). There is no journal: a producer is told when PostgreSQL has committed,
//! and of requests with keys only what they are is written down before ([`receipts`]).

mod owner;
mod readers;
mod receipts;
mod station;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::{Context, ensure};
use delivery::Packer;
use intake::doors::{DoorContext, Doors};
use intake::http::idempotency::KnownRequests;
use intake::link::Queues;
use intake::pipeline::Pipeline;
use intake::{LinkConfig, Readers};
use service::mission::LoadedMission;
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;

use self::owner::HubOwner;
use self::readers::HubReaders;
use self::station::{DatabaseSink, Station, StationParts, WAITING_MAX};
use crate::archive::{Database, Evidence, OwnStation, Registry};
use crate::fleet::Fleet;
use crate::missions::Missions;
use crate::reception::committer::{Load, Submission};

/// What direct intake works with.
pub struct DirectContext {
    /// Where receipts of requests with keys are kept.
    pub data: PathBuf,
    /// Where the ledger is.
    pub database: Database,
    /// How the hub sees nodes, of which its own station is one.
    pub fleet: Arc<Fleet>,
    /// What writes the ledger.
    pub committer: mpsc::Sender<Submission>,
    /// How busy it is.
    pub load: Arc<Load>,
    /// How missions' records are read from now on.
    pub missions: Arc<Missions>,
    /// Whether the database answers.
    pub database_answers: Arc<AtomicBool>,
}

/// The hub's own links, open.
pub struct Direct {
    doors: Doors,
    queues: Arc<Queues>,
    readers: Arc<HubReaders>,
    missions: Arc<Missions>,
    /// Imports since the readers were made.
    changes: watch::Receiver<i64>,
    station: Station,
    /// The pipeline stops.
    stopping: CancellationToken,
    /// The pipeline has ended.
    ended: oneshot::Receiver<()>,
}

/// Makes the hub's own station a node, if links are configured. Before nodes are read for the first time.
pub async fn establish(links: &[LinkConfig], database: &Database) -> anyhow::Result<()> {
    if links.is_empty() {
        return Ok(());
    }
    ensure!(
        OwnStation::new(database.clone()).establish().await?,
        "the hub's own links have no name: enrolled nodes are called like its station"
    );
    Ok(())
}

impl Direct {
    /// Opens the links; an error says what to change. The ledger must be this hub's to write.
    pub async fn open(
        links: &[LinkConfig],
        loaded: &[LoadedMission],
        context: DirectContext,
    ) -> anyhow::Result<Self> {
        let mut changes = context.missions.changes();
        // A hub that followed before it led may have taken in versions since its missions were opened.
        changes.mark_changed();
        let readers = Arc::new(HubReaders::new(loaded));
        let owner = Arc::new(HubOwner::new(
            Evidence::new(context.database.clone()),
            Arc::clone(&context.database_answers),
        ));
        let (appends, packed) = mpsc::channel(WAITING_MAX);
        let registry = Registry::new(context.database.clone());
        let table = OwnStation::new(context.database);
        let parts = StationParts {
            data: context.data,
            registry,
            table,
            fleet: context.fleet,
            committer: context.committer,
            packed,
            owner: Arc::clone(&owner),
        };
        let (station, receipts) =
            Station::open(parts).await.context("the hub's own links cannot be opened")?;
        let (queues, stopping) = (Arc::new(Queues::default()), CancellationToken::new());
        let pipeline = Pipeline {
            queues: Arc::clone(&queues),
            readers: Arc::clone(&readers) as Arc<dyn Readers>,
            sink: DatabaseSink { appends, load: context.load },
            packer: Packer::default(),
            runtime: tokio::runtime::Handle::current(),
            stopping: stopping.clone(),
        };
        let (end, ended) = oneshot::channel();
        std::thread::Builder::new().name("intake".to_owned()).spawn(move || {
            pipeline.run();
            // Nobody waits for it when the process is ending anyway.
            let _ = end.send(());
        })?;
        let mut doors = Doors::new(DoorContext {
            queues: Arc::clone(&queues),
            missions: loaded.iter().map(|mission| mission.name.clone()).collect(),
            readers: Arc::clone(&readers) as Arc<dyn Readers>,
            known: Arc::new(KnownRequests::new(receipts)),
            owner,
        });
        for link in links {
            doors.open(link).await?;
        }
        Ok(Self { doors, queues, readers, missions: context.missions, changes, station, stopping, ended })
    }

    /// Address of each link.
    pub fn addresses(&self) -> BTreeMap<String, String> {
        self.doors.addresses()
    }

    /// Runs until shutdown; then every link hands on what it has read, and what was read is committed.
    pub async fn run(self, shutdown: CancellationToken) -> anyhow::Result<()> {
        let Self { doors, queues, readers, missions, changes, station, stopping, ended } = self;
        let station = station.run();
        tokio::pin!(station);
        tokio::select! {
            ended = &mut station => return ended,
            () = readers.follow(&missions, changes) => {}
            () = shutdown.cancelled() => {}
        }
        stopping.cancel();
        let ending = async {
            doors.end().await;
            queues.close();
            // It ends with its thread, whether or not that said so.
            let _ = ended.await;
        };
        let ((), committed) = tokio::join!(ending, station);
        committed
    }
}
