//! Where the components meet that every hub has, whether it leads or follows. What a leader has besides is in
//! [`crate::lead`], and when what starts and stops in [`crate::run`].

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
use service::metric::MetricsPage;
use service::mission::LoadedMission;
use service::tasks::{OnEnd, TaskGroup};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use uuid::Uuid;

use crate::administration::{Acts, HubAdministration};
use crate::alarms::HubAlarms;
use crate::archive::{self, Archive, Database, FanOut, NodeDocuments, PostgresSessions, Registry, Seal};
use crate::backend::HubBackend;
use crate::config::{HubConfig, notifier};
use crate::direct;
use crate::fleet::Fleet;
use crate::missions::Missions;
use crate::role::HubRole;
use crate::told::Told;

const PROBE_INTERVAL: Duration = Duration::from_secs(1);
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

impl Hub {
    /// Opens what every hub has; of the ledger nothing is read yet.
    pub(crate) async fn open(
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
    pub(crate) async fn serve(
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
