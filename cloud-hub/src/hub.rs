//! Where the hub's components meet, start and stop: those that every hub has, whether it leads or follows. What a leader
//! has besides is in [`crate::lead`].
//!
//! Stopping goes reception → committing → decoding → pages → database.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use anyhow::Context;
use dashboard::EventLog;
use link::Clock;
use notify::Notifier;
use provisioning::Authority;
use service::logging::chain;
use service::metric::MetricsPage;
use service::mission::LoadedMission;
use service::ready::ReadyFile;
use service::tasks::{OnEnd, TaskGroup, watch_signals};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};
use uuid::Uuid;

use crate::administration::{Acts, HubAdministration};
use crate::alarms::HubAlarms;
use crate::archive::{
    self, Address, Archive, ClusterConfig, Database, Durability, FanOut, Follower, Lead, Lease,
    NodeDocuments, PostgresSessions, PrivateCluster, Registry, Seal,
};
use crate::backend::HubBackend;
use crate::config::{HubConfig, notifier};
use crate::direct;
use crate::fleet::Fleet;
use crate::identity::HubIdentity;
use crate::lead::{HEAD_FACTOR, Leader};
use crate::missions::Missions;
use crate::role::HubRole;
use crate::told::Told;

/// Name of the database in a private cluster.
pub const DATABASE: &str = "sto";
/// Each step of stopping gets this long.
pub(crate) const STEP_DEADLINE: Duration = Duration::from_secs(10);
const PROBE_INTERVAL: Duration = Duration::from_secs(1);
/// How often a hub that follows looks whether it may lead.
const LEASE_INTERVAL: Duration = Duration::from_secs(1);

/// What `ready.json` says.
#[derive(Clone, serde::Deserialize, serde::Serialize)]
pub struct Ready {
    /// Dashboard and API.
    pub http: String,
    /// Where nodes connect; absent while another hub leads.
    pub reception: Option<String>,
    /// Address of each link of the hub's own, by name; none while another hub leads.
    #[serde(default)]
    pub links: BTreeMap<String, String>,
    /// Process.
    pub pid: u32,
    /// Where the database is, for the hub's own commands.
    pub database: Address,
}

/// What every hub has.
#[derive(Clone)]
pub(crate) struct Hub {
    /// Its number.
    pub(crate) id: Uuid,
    pub(crate) config: Arc<HubConfig>,
    pub(crate) clock: Clock,
    pub(crate) authority: Arc<Authority>,
    pub(crate) database: Database,
    pub(crate) registry: Registry,
    pub(crate) fleet: Arc<Fleet>,
    pub(crate) told: Arc<Told>,
    pub(crate) missions: Arc<Missions>,
    pub(crate) archive: Arc<Archive>,
    pub(crate) alarms: Arc<HubAlarms>,
    pub(crate) notifier: Arc<Notifier>,
    /// To other hubs, where a Redis is configured.
    pub(crate) fan_out: Option<FanOut>,
    pub(crate) role: HubRole,
    pub(crate) database_answers: Arc<AtomicBool>,
    /// Where it receives, once it leads.
    pub(crate) listening: Arc<OnceLock<SocketAddr>>,
    /// Missions as they were opened.
    pub(crate) loaded: Arc<[LoadedMission]>,
}

/// Runs the hub until a signal or a failure; true when it ended as it should.
pub async fn run(config_file: &Path, config: HubConfig) -> anyhow::Result<bool> {
    let data = config.data_directory.clone();
    std::fs::create_dir_all(&data)
        .with_context(|| format!("cannot make the data directory {}", data.display()))?;
    let identity = HubIdentity::open(&data)?;
    ReadyFile::clear(&data).context("cannot clear ready.json")?;
    let metrics = MetricsPage::start();
    let (stop, stop_serving, stop_database) =
        (CancellationToken::new(), CancellationToken::new(), CancellationToken::new());

    let (database, address, cluster) = open_database(&config).await?;
    let database = database.of_hub(identity.hub);
    database.migrate().await.context("the database cannot be used")?;
    let mut database_tasks = TaskGroup::new(stop_database.clone());
    if let Some(cluster) = &cluster {
        let (cluster, stop_database) = (Arc::clone(cluster), stop_database.clone());
        database_tasks.spawn("postgresql", OnEnd::Continue, async move {
            cluster.supervise(stop_database).await;
            Ok(())
        });
    }

    let machine = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let lease = Lease::new(database.clone(), identity.hub, machine);
    // Before the segments are looked at: a leader finds them as they stay.
    let lead = lease.take().await?;
    let hub = Hub::open(config_file, config, database, identity.hub).await?;
    let head_max = hub.config.archive.head_samples_max.saturating_mul(HEAD_FACTOR);
    let mut follower = Follower::new(Arc::clone(&hub.archive), hub.database.clone(), head_max);
    let mut leader = match lead {
        Some(lead) => Some(Leader::open(&hub, (&lease, lead), None, &stop).await?),
        None => {
            if let Some(fan_out) = &hub.fan_out {
                follower = follower.with_fan_out(fan_out);
            }
            follower.catch_up().await.context("the archive cannot be read")?;
            None
        }
    };

    let http = TcpListener::bind(hub.config.http.listen).await.with_context(|| {
        format!("cannot listen on {}; change `http.listen` in hub.toml", hub.config.http.listen)
    })?;
    let ready = Ready {
        http: http.local_addr()?.to_string(),
        reception: None,
        links: BTreeMap::new(),
        pid: std::process::id(),
        database: address,
    };
    let serving = hub.serve(http, metrics, &stop_serving).await?;
    let mut signals = TaskGroup::new(stop.clone());
    signals.spawn("signals", OnEnd::Continue, watch_signals(stop.clone()));
    let mut served = Served { hub, lease, stop, serving, ready, ready_file: None };
    if leader.is_none() {
        leader = served.follow(&mut follower).await?;
    }
    drop(follower);
    let ended_well = match leader {
        Some(leader) => Box::pin(served.lead(leader)).await?,
        // A signal while it followed is in order.
        None => served.stop.is_cancelled(),
    };
    service::supervisor::stopping();
    let Served { hub, stop, serving, ready_file, .. } = served;
    drop(ready_file);
    stop.cancel();
    signals.drain(STEP_DEADLINE).await;
    hub.fleet.remember(&hub.registry).await;
    stop_serving.cancel();
    serving.drain(STEP_DEADLINE).await;
    hub.database.close();
    stop_database.cancel();
    database_tasks.drain(STEP_DEADLINE).await;
    if let Some(cluster) = cluster {
        cluster.stop().await.context("the private PostgreSQL did not stop")?;
    }
    info!("stopped");
    Ok(ended_well)
}

/// A hub whose pages answer.
struct Served {
    hub: Hub,
    lease: Lease,
    stop: CancellationToken,
    serving: TaskGroup,
    ready: Ready,
    ready_file: Option<ReadyFile>,
}

impl Served {
    /// Follows until this hub may lead; `None` when it is to stop.
    async fn follow(&mut self, follower: &mut Follower) -> anyhow::Result<Option<Leader>> {
        self.tell_ready()?;
        info!(http = self.ready.http, "hub is ready, it follows another one");
        let lead = tokio::select! {
            biased;
            () = self.stop.cancelled() => return Ok(None),
            _ = self.serving.run() => return Ok(None),
            lead = follow(&self.lease, follower) => lead,
        };
        info!("the lease was free, this hub leads from now on");
        Ok(Some(Leader::open(&self.hub, (&self.lease, lead), Some(follower), &self.stop).await?))
    }

    /// Leads until it is to stop; true when that was in order.
    async fn lead(&mut self, leader: Leader) -> anyhow::Result<bool> {
        self.ready.reception = Some(leader.address.to_string());
        // A hub leads once.
        let _ = self.hub.listening.set(leader.address);
        let mut leading = leader.start().await?;
        self.ready.links = leading.links.clone();
        self.tell_ready()?;
        info!(http = self.ready.http, reception = self.ready.reception, "hub is ready, it leads");
        let ended_well = tokio::select! {
            biased;
            ended_well = leading.run() => ended_well,
            _ = self.serving.run() => false,
        };
        service::supervisor::stopping();
        info!("stopping: reception, committing, pages, database");
        self.ready_file = None;
        self.stop.cancel();
        leading.stop().await;
        Ok(ended_well)
    }

    fn tell_ready(&mut self) -> std::io::Result<()> {
        match &self.ready_file {
            Some(file) => file.rewrite(&self.ready)?,
            None => {
                self.ready_file = Some(ReadyFile::write(&self.hub.config.data_directory, &self.ready)?);
            }
        }
        service::supervisor::ready();
        Ok(())
    }
}

/// Follows until the lease is this hub's.
async fn follow(lease: &Lease, follower: &mut Follower) -> Lead {
    let taken = async {
        loop {
            tokio::time::sleep(LEASE_INTERVAL).await;
            match lease.take().await {
                Ok(Some(lead)) => return lead,
                Ok(None) => {}
                Err(error) => debug!(error = chain(&error), "lease could not be looked at, trying again"),
            }
        }
    };
    tokio::select! {
        lead = taken => lead,
        never = follower.run() => match never {},
    }
}

impl Hub {
    /// Opens what every hub has; of the ledger nothing is read yet.
    async fn open(
        config_file: &Path,
        config: HubConfig,
        database: Database,
        id: Uuid,
    ) -> anyhow::Result<Self> {
        let notifier = Arc::new(notifier(config_file, &config.notify)?);
        let (missions, loaded) = Missions::open(&database, config_file, &config.missions).await?;
        let clock = Clock::system();
        let authority = Authority::open_or_create(&config.authority_directory(), clock.now_unix())?;
        let authority = Arc::new(authority);
        direct::establish(&config.links, &database).await?;
        let registry = Registry::new(database.clone());
        let (role, nodes) = (HubRole::default(), registry.nodes().await?);
        let names = nodes.iter().map(|row| (row.node_id, row.name.clone())).collect();
        let fleet = Fleet::new(authority.authority_id(), nodes, registry.superseded().await?, role.clone());
        let fleet = Arc::new(fleet);
        let table = NodeDocuments::new(database.clone());
        let told = Arc::new(Told::open(table, Arc::clone(&authority), Arc::clone(&fleet)).await?);
        fleet.refresh(&registry).await?;
        let archive = Archive::of_segments(&database, &loaded, names).await;
        let archive = archive.context("the archive cannot be read")?;
        let alarms = HubAlarms::new(&database, loaded.iter().map(|mission| mission.name.as_str()));
        alarms.load().await.context("alarms cannot be read")?;
        // Before anybody asks.
        alarms.use_documents(&missions);
        let alarms = Arc::new(alarms);
        let fan_out = match &config.redis {
            Some(redis) => {
                let seal = Seal::new(&authority.fan_out_secret(), archive::archive_id(&database).await?);
                Some(FanOut::at_url(redis.url.reveal(), seal)?)
            }
            None => None,
        };
        let (config, missions) = (Arc::new(config), Arc::new(missions));
        let database_answers = Arc::new(AtomicBool::new(true));
        let loaded = loaded.into();
        Ok(Self {
            id,
            listening: Arc::default(),
            config,
            clock,
            authority,
            database,
            registry,
            fleet,
            told,
            missions,
            archive,
            alarms,
            notifier,
            fan_out,
            role,
            database_answers,
            loaded,
        })
    }

    /// Starts the pages and the API, and what keeps up with the database for them.
    async fn serve(
        &self,
        http: TcpListener,
        metrics: MetricsPage,
        stop: &CancellationToken,
    ) -> anyhow::Result<TaskGroup> {
        let mut serving = TaskGroup::new(stop.clone());
        let server_events = Arc::new(EventLog::default());
        let archive_id = archive::archive_id(&self.database).await?;
        self.archive.begin_live();
        let database_answers = || Arc::clone(&self.database_answers);
        let backend = HubBackend::new(
            Arc::clone(&self.archive),
            self.database.clone(),
            Arc::clone(&self.fleet),
            metrics,
            (database_answers(), self.role.clone()),
        )
        .with_live(archive_id, Arc::clone(&server_events))
        .with_alarms(Arc::clone(&self.alarms));
        let administration = self.administration(backend.sessions());
        let backend = backend.with_administration(administration);
        let router = dashboard::router(Arc::new(backend), stop.clone());
        serving.spawn("http", OnEnd::Shutdown, service::http::serve(http, router, stop.clone()));
        let probe = probe(self.database.clone(), database_answers(), stop.clone());
        serving.spawn("probe", OnEnd::Continue, probe);
        let (archive, database) = (Arc::clone(&self.archive), self.database.clone());
        let events = archive::follow_events(database, archive, server_events, stop.clone());
        serving.spawn("events", OnEnd::Continue, events);
        let documents = Arc::clone(&self.alarms);
        let documents = documents.follow_documents(Arc::clone(&self.missions), stop.clone());
        serving.spawn("alarm rules", OnEnd::Shutdown, documents);
        serving.spawn("alarms", OnEnd::Shutdown, Arc::clone(&self.alarms).run(stop.clone()));
        let missions = Arc::clone(&self.missions).run(Arc::clone(&self.archive), stop.clone());
        serving.spawn("missions", OnEnd::Shutdown, missions);
        serving.spawn("lists for nodes", OnEnd::Shutdown, Arc::clone(&self.told).run(stop.clone()));
        let fleet = Arc::clone(&self.fleet);
        let fleet = fleet.run(self.registry.clone(), Arc::clone(&self.archive), stop.clone());
        serving.spawn("fleet", OnEnd::Shutdown, fleet);
        Ok(serving)
    }
}

impl Hub {
    fn administration(&self, sessions: &PostgresSessions) -> HubAdministration {
        let missions = self.config.missions.iter().map(|mission| mission.name.clone());
        HubAdministration {
            acts: Acts::new(&self.database, missions).with_sessions(sessions.clone()),
            archive: Arc::clone(&self.archive),
            authority: Arc::clone(&self.authority),
            config: Arc::clone(&self.config),
            database: self.database.clone(),
            fleet: Arc::clone(&self.fleet),
            hub: self.id,
            listening: Arc::clone(&self.listening),
            missions: Arc::clone(&self.missions),
            role: self.role.clone(),
            started: service::clock::now(),
            told: Arc::clone(&self.told),
        }
    }
}

async fn open_database(
    config: &HubConfig,
) -> anyhow::Result<(Database, Address, Option<Arc<PrivateCluster>>)> {
    if let Some(url) = &config.database.url {
        return Ok((Database::at_url(url.reveal())?, Address::Yours, None));
    }
    let cluster = PrivateCluster::start(private_cluster(config)).await?;
    cluster.create_database(DATABASE).await?;
    let (socket, port, user) = (cluster.socket_directory(), cluster.port(), cluster.user());
    let database = Database::in_cluster(socket, port, user, DATABASE);
    let address = Address::Private { socket_directory: socket.to_owned(), port, user: user.to_owned() };
    Ok((database, address, Some(Arc::new(cluster))))
}

/// Where the private cluster of a configuration lives, which has no database of yours.
pub fn private_cluster(config: &HubConfig) -> ClusterConfig {
    let directory = config.database.directory.clone();
    ClusterConfig {
        directory: directory.unwrap_or_else(|| config.data_directory.join("database")),
        binaries: config.database.binaries.clone(),
        durability: Durability::Full,
    }
}

async fn probe(
    database: Database,
    answers: Arc<AtomicBool>,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    loop {
        let asked = async {
            database.borrow().await?.simple_query("SELECT 1").await.map_err(archive::ArchiveError::from)
        };
        let answered = matches!(tokio::time::timeout(PROBE_INTERVAL * 2, asked).await, Ok(Ok(_)));
        if answers.swap(answered, Ordering::Relaxed) != answered {
            if answered {
                info!("database answers again");
            } else {
                warn!("database does not answer, nodes keep their data until it does");
            }
        }
        tokio::select! {
            () = shutdown.cancelled() => return Ok(()),
            () = tokio::time::sleep(PROBE_INTERVAL) => {}
        }
    }
}
