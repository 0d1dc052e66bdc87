//! A hub's life: it starts, follows another hub until it may lead, leads, and stops in the order reception → committing →
//! decoding → pages → database.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use service::logging::chain;
use service::metric::MetricsPage;
use service::ready::ReadyFile;
use service::tasks::{OnEnd, TaskGroup, watch_signals};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tracing::{debug, info};

use crate::archive::{Address, ClusterConfig, Database, Durability, Follower, Lead, Lease, PrivateCluster};
use crate::config::HubConfig;
use crate::hub::Hub;
use crate::identity::HubIdentity;
use crate::lead::{HEAD_FACTOR, Leader, STEP_DEADLINE};

/// Name of the database in a private cluster.
pub const DATABASE: &str = "sto";
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
