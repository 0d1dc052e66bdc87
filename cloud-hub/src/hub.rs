//! Where the hub's components meet, start and stop.
//!
//! Stopping goes reception → committing → decoding → pages → database.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context;
use dashboard::EventLog;
use link::{Clock, HubEndpoint, HubOptions};
use provisioning::{Authority, EnrolmentDesk};
use service::metric::MetricsPage;
use service::ready::ReadyFile;
use service::tasks::{OnEnd, TaskGroup, watch_signals};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::archive::{
    self, Address, Archive, Certificates, ClusterConfig, Database, Durability, Evidence, NodeDocuments,
    PrivateCluster, Registry,
};
use crate::backend::HubBackend;
use crate::carrying::Carrying;
use crate::config::HubConfig;
use crate::direct::{self, Direct, DirectContext};
use crate::fleet::Fleet;
use crate::missions::Missions;
use crate::reception::committer::{Committer, DECODE_GROUPS_MAX, SUBMISSIONS_MAX};
use crate::reception::import::Importer;
use crate::reception::{Reception, Renewals, Settings};
use crate::told::Told;

/// Name of the database in a private cluster.
pub const DATABASE: &str = "sto";
/// Each step of stopping gets this long.
const STEP_DEADLINE: Duration = Duration::from_secs(10);
/// How far the head may outgrow the size it is cut at before reception waits for the cutter.
const HEAD_FACTOR: usize = 4;
/// The same for the backlog, which leaves the rest to what comes live.
const HEAD_FACTOR_BACKLOG: usize = 2;
const PROBE_INTERVAL: Duration = Duration::from_secs(1);

/// What `ready.json` says.
#[derive(serde::Deserialize, serde::Serialize)]
pub struct Ready {
    /// Dashboard and API.
    pub http: String,
    /// Where nodes connect.
    pub reception: String,
    /// Address of each link of the hub's own, by name.
    #[serde(default)]
    pub links: BTreeMap<String, String>,
    /// Process.
    pub pid: u32,
    /// Where the database is, for the hub's own commands.
    pub database: Address,
}

/// Runs the hub until a signal or a failure; true when it ended as it should.
pub async fn run(config_file: &Path, config: HubConfig) -> anyhow::Result<bool> {
    let data = config.data_directory.clone();
    std::fs::create_dir_all(&data)
        .with_context(|| format!("cannot make the data directory {}", data.display()))?;
    ReadyFile::clear(&data).context("cannot clear ready.json")?;
    let metrics = MetricsPage::start();
    let stop = CancellationToken::new();
    let (stop_committing, stop_serving, stop_database) =
        (CancellationToken::new(), CancellationToken::new(), CancellationToken::new());

    let (database, address, cluster) = open_database(&config).await?;
    database.migrate().await.context("the database cannot be used")?;
    let mut database_tasks = TaskGroup::new(stop_database.clone());
    if let Some(cluster) = &cluster {
        let (cluster, stop_database) = (Arc::clone(cluster), stop_database.clone());
        database_tasks.spawn("postgresql", OnEnd::Continue, async move {
            cluster.supervise(stop_database).await;
            Ok(())
        });
    }

    let (missions, loaded) = Missions::open(&database, config_file, &config.missions).await?;
    let missions = Arc::new(missions);
    let clock = Clock::system();
    let authority = Arc::new(Authority::open_or_create(&data.join("authority"), clock.now_unix())?);
    direct::establish(&config.links, &database).await?;
    let registry = Registry::new(database.clone());
    let fleet =
        Arc::new(Fleet::new(authority.authority_id(), registry.nodes().await?, registry.superseded().await?));
    let table = NodeDocuments::new(database.clone());
    let told = Arc::new(Told::open(table, Arc::clone(&authority), Arc::clone(&fleet)).await?);
    fleet.refresh(&registry).await?;
    let (to_decode, decode_queue) = mpsc::channel(DECODE_GROUPS_MAX);
    // The writer first: once it has the ledger nothing is added behind our back while the head is rebuilt.
    let committer = Committer::open(database.clone(), Arc::clone(&fleet), to_decode).await?;
    let load = committer.load();
    let names = registry.nodes().await?.into_iter().map(|row| (row.node_id, row.name)).collect();
    let samples_max = config.archive.head_samples_max;
    let archive =
        Archive::open(&database, &loaded, names, samples_max).await.context("the archive cannot be read")?;
    archive.begin_live();
    let server_events = Arc::new(EventLog::default());

    let endpoint = bind_endpoint(&config, &authority, &clock)?;
    let reception_address = endpoint.local_addr()?;
    let advertised = advertised(&config, reception_address);
    let http = TcpListener::bind(config.http.listen).await.with_context(|| {
        format!("cannot listen on {}; change `http.listen` in hub.toml", config.http.listen)
    })?;
    let http_address = http.local_addr()?;

    let decoding_live = std::thread::Builder::new().name("decode".to_owned()).spawn({
        let archive = Arc::clone(&archive);
        let samples_max = samples_max.saturating_mul(HEAD_FACTOR);
        move || archive::decode_live(&archive, decode_queue, samples_max)
    })?;
    let decoding_backlog = std::thread::Builder::new().name("decode-backlog".to_owned()).spawn({
        let (archive, database) = (Arc::clone(&archive), database.clone());
        let (runtime, newest) = (tokio::runtime::Handle::current(), committer.newest());
        let samples_max = samples_max.saturating_mul(HEAD_FACTOR_BACKLOG);
        move || archive::decode_backlog(&archive, &database, (&runtime, newest), samples_max)
    })?;
    let (to_committer, submissions) = mpsc::channel(SUBMISSIONS_MAX);
    let mut committing = TaskGroup::new(stop_committing.clone());
    committing.spawn("committer", OnEnd::Shutdown, committer.run(submissions));

    let mut receiving = TaskGroup::new(stop.clone());
    let carrying = Carrying {
        authority: Arc::clone(&authority),
        importer: Importer {
            registry: registry.clone(),
            evidence: Evidence::new(database.clone()),
            fleet: Arc::clone(&fleet),
            committer: to_committer.clone(),
        },
    };
    receiving.spawn("imports", OnEnd::Shutdown, carrying.run(data.clone(), stop.clone()));
    let database_answers = Arc::new(AtomicBool::new(true));
    let mut links = BTreeMap::new();
    if !config.links.is_empty() {
        let context = DirectContext {
            data: data.clone(),
            database: database.clone(),
            fleet: Arc::clone(&fleet),
            committer: to_committer.clone(),
            load: Arc::clone(&load),
            missions: Arc::clone(&missions),
            database_answers: Arc::clone(&database_answers),
        };
        let direct = Direct::open(&config.links, &loaded, context).await?;
        links = direct.addresses();
        receiving.spawn("links", OnEnd::Shutdown, direct.run(stop.clone()));
    }
    let reception = Reception {
        endpoint,
        desk: EnrolmentDesk::new(Arc::clone(&authority), advertised, clock),
        registry: registry.clone(),
        fleet: Arc::clone(&fleet),
        evidence: Evidence::new(database.clone()),
        committer: to_committer,
        load,
        settings: Arc::new(Settings {
            memory_bytes: config.reception.memory.0,
            safe_delay: Duration::from_secs(config.archive.safe_delay_s),
            others: config.reception.others.clone(),
            started: Instant::now(),
        }),
        missions: Arc::clone(&missions),
        told: Arc::clone(&told),
        authority: Arc::clone(&authority),
        renewals: Arc::new(Renewals {
            authority,
            certificates: Certificates::new(database.clone()),
            fleet: Arc::clone(&fleet),
            evidence: Evidence::new(database.clone()),
        }),
    };
    receiving.spawn("lists for nodes", OnEnd::Shutdown, told.run(stop.clone()));
    receiving.spawn("reception", OnEnd::Shutdown, reception.run(stop.clone()));
    // Ends before the committer gives the ledger up: whoever writes next must be the only one that cuts.
    let age_max = Duration::from_secs(config.archive.head_age_max_s);
    receiving.spawn(
        "cutter",
        OnEnd::Shutdown,
        archive::run_cutter(
            Arc::clone(&archive),
            database.clone(),
            config.archive.head_samples_max,
            age_max,
            stop.clone(),
        ),
    );
    receiving.spawn(
        "merger",
        OnEnd::Shutdown,
        archive::run_merger(Arc::clone(&archive), database.clone(), stop.clone()),
    );
    receiving.spawn(
        "retention",
        OnEnd::Shutdown,
        archive::run_retention(Arc::clone(&archive), database.clone(), stop.clone()),
    );
    receiving.spawn(
        "missions",
        OnEnd::Shutdown,
        Arc::clone(&missions).run(Arc::clone(&archive), stop.clone()),
    );
    receiving.spawn("signals", OnEnd::Continue, watch_signals(stop.clone()));

    let mut serving = TaskGroup::new(stop_serving.clone());
    let backend = HubBackend::new(
        Arc::clone(&archive),
        database.clone(),
        Arc::clone(&fleet),
        metrics,
        Arc::clone(&database_answers),
    )
    .with_live(archive::archive_id(&database).await?, Arc::clone(&server_events));
    let router = dashboard::router(Arc::new(backend), stop_serving.clone());
    serving.spawn("http", OnEnd::Shutdown, service::http::serve(http, router, stop_serving.clone()));
    serving.spawn("probe", OnEnd::Continue, probe(database.clone(), database_answers, stop_serving.clone()));
    serving.spawn(
        "events",
        OnEnd::Continue,
        archive::follow_server_events(database.clone(), server_events, stop_serving.clone()),
    );
    serving.spawn(
        "fleet",
        OnEnd::Shutdown,
        Arc::clone(&fleet).run(registry.clone(), Arc::clone(&archive), stop_serving.clone()),
    );

    let ready = Ready {
        http: http_address.to_string(),
        reception: reception_address.to_string(),
        links,
        pid: std::process::id(),
        database: address,
    };
    let ready = ReadyFile::write(&data, &ready)?;
    service::supervisor::ready();
    info!(http = %http_address, reception = %reception_address, "hub is ready");
    let ended_well = tokio::select! {
        // A signal ends reception, and that the committer: the first of them says whether it was in order.
        biased;
        ended_well = receiving.run() => ended_well,
        _ = committing.run() => false,
        _ = serving.run() => false,
    };
    service::supervisor::stopping();
    info!("stopping: reception, committing, pages, database");
    drop(ready);
    stop.cancel();
    receiving.drain(STEP_DEADLINE).await;
    // The committer ends when its last session is gone, the decoding thread when the committer is.
    committing.drain(STEP_DEADLINE).await;
    let decoded = tokio::task::spawn_blocking(move || (decoding_live.join(), decoding_backlog.join()));
    let _ = tokio::time::timeout(STEP_DEADLINE, decoded).await;
    fleet.remember(&registry).await;
    stop_serving.cancel();
    serving.drain(STEP_DEADLINE).await;
    database.close();
    stop_database.cancel();
    database_tasks.drain(STEP_DEADLINE).await;
    if let Some(cluster) = cluster {
        cluster.stop().await.context("the private PostgreSQL did not stop")?;
    }
    info!("stopped");
    Ok(ended_well)
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

fn bind_endpoint(config: &HubConfig, authority: &Authority, clock: &Clock) -> anyhow::Result<HubEndpoint> {
    let identity = authority.issue_hub(clock.now_unix())?;
    let roots = vec![authority.certificate_der().to_vec()];
    let mut options = HubOptions::new(identity, roots, config.reception.profile);
    // Nodes then learn with their next packet that a killed hub is back, and need not wait for the idle timeout.
    options.restart_secret = Some(authority.restart_secret());
    let listen = config.reception.listen;
    let endpoint = HubEndpoint::bind(listen, options)
        .with_context(|| format!("cannot receive on UDP {listen}; change `reception.listen` in hub.toml"))?;
    if let Some(advice) = endpoint.socket_buffers().advice() {
        warn!(advice, "STO-LINK-BUFFERS: socket buffers are smaller than wanted");
    }
    Ok(endpoint)
}

/// What tokens and enrolled nodes are told.
pub fn advertised(config: &HubConfig, listening: SocketAddr) -> Vec<String> {
    if config.reception.advertised.is_empty() {
        vec![listening.to_string()]
    } else {
        config.reception.advertised.clone()
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
