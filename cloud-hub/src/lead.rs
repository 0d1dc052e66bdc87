//! What a hub does only while it leads: reception, its own links, committing, decoding of what is committed here, cutting, merging,
//! retention, imports.
//!
//! It stops in the order reception → committing → decoding, and lets the lease go when nothing more is written.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::Context;
use link::{HubEndpoint, HubOptions};
use provisioning::EnrolmentDesk;
use service::logging::chain;
use service::tasks::{OnEnd, TaskGroup};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::alarms::{Escalator, OwnLinks, Units};
use crate::archive::{
    self, Archive, Certificates, CommittedGroup, Database, Evidence, Follower, Lead, Lease, Newest,
};
use crate::backfill::OpenRequests;
use crate::carrying::Carrying;
use crate::direct::{Direct, DirectContext};
use crate::hub::Hub;
use crate::reception::committer::{Committer, DECODE_GROUPS_MAX, Load, SUBMISSIONS_MAX, Submission};
use crate::reception::import::Importer;
use crate::reception::{Reception, Renewals, Settings};

/// Each step of stopping gets this long.
pub(crate) const STEP_DEADLINE: Duration = Duration::from_secs(10);
/// How far the head may outgrow the size it is cut at before reception waits for the cutter.
pub(crate) const HEAD_FACTOR: usize = 4;
/// The same for the backlog, which leaves the rest to what comes live.
const HEAD_FACTOR_BACKLOG: usize = 2;

/// A hub that has the lease and the ledger, and whose archive is complete; nothing is received yet.
pub(crate) struct Leader {
    hub: Hub,
    lease: Lease,
    lead: Lead,
    /// What shows the lease in its transactions.
    database: Database,
    committer: Committer,
    decode_queue: mpsc::Receiver<CommittedGroup>,
    endpoint: HubEndpoint,
    tasks: TaskGroup,
    stop: CancellationToken,
    /// Where it receives.
    pub(crate) address: SocketAddr,
}

/// A leader at work.
pub(crate) struct Leading {
    tasks: TaskGroup,
    committing: TaskGroup,
    /// Threads that end with the committer.
    decoding: Vec<JoinHandle<()>>,
    lease: Lease,
    lead: Lead,
    /// Address of each link of the hub's own.
    pub(crate) links: BTreeMap<String, String>,
}

impl Leader {
    /// Takes the ledger, and reads what is neither in segments nor in the head. What somebody may be waiting for on a
    /// screen is read by the `follower` that read what is before it.
    pub(crate) async fn open(
        hub: &Hub,
        (lease, lead): (&Lease, Lead),
        follower: Option<&mut Follower>,
        stop: &CancellationToken,
    ) -> anyhow::Result<Self> {
        // From here on: a long ledger takes longer to read than the lease lasts.
        let mut tasks = TaskGroup::new(stop.clone());
        tasks.spawn("lease", OnEnd::Shutdown, lease.clone().keep(lead, stop.clone()));
        let database = hub.database.led(lead);
        let (to_decode, decode_queue) = mpsc::channel(DECODE_GROUPS_MAX);
        // The writer first: once it has the ledger nothing is added behind our back while the head is read.
        let committer = Committer::open(database.clone(), Arc::clone(&hub.fleet), to_decode).await?;
        if let Some(follower) = follower {
            follower.catch_up().await.context("the archive cannot be read")?;
        }
        let samples_max = hub.config.archive.head_samples_max;
        hub.archive.rebuild(&database, samples_max).await.context("the archive cannot be read")?;
        let endpoint = bind_endpoint(hub)?;
        let address = endpoint.local_addr()?;
        let (hub, lease, stop) = (hub.clone(), lease.clone(), stop.clone());
        Ok(Self { hub, lease, lead, database, committer, decode_queue, endpoint, tasks, stop, address })
    }

    /// Starts everything.
    pub(crate) async fn start(self) -> anyhow::Result<Leading> {
        let Self {
            hub,
            lease,
            lead,
            database,
            mut committer,
            decode_queue,
            endpoint,
            mut tasks,
            stop,
            address,
        } = self;
        if let Some(fan_out) = &hub.fan_out {
            let (publisher, publishing) = fan_out.publisher(Arc::clone(&hub.archive));
            committer = committer.with_publisher(publisher);
            tasks.spawn("redis", OnEnd::Continue, publishing.run(stop.clone()));
        }
        let mut decoding = decode(&hub, &database, decode_queue, committer.newest())?;
        if !hub.config.links.is_empty() {
            decoding.push(Box::pin(watch_own_links(&hub, &database, committer.newest())).await?);
        }
        let load = committer.load();
        let (to_committer, submissions) = mpsc::channel(SUBMISSIONS_MAX);
        let mut committing = TaskGroup::new(CancellationToken::new());
        committing.spawn("committer", OnEnd::Shutdown, committer.run(submissions));

        let carrying = carrying(&hub, to_committer.clone());
        let data = hub.config.data_directory.clone();
        tasks.spawn("imports", OnEnd::Shutdown, carrying.run(data, stop.clone()));
        let links = match &hub.config.links[..] {
            [] => BTreeMap::new(),
            configured => {
                let context = direct(&hub, to_committer.clone(), Arc::clone(&load));
                let direct = Direct::open(configured, &hub.loaded, context).await?;
                let addresses = direct.addresses();
                tasks.spawn("links", OnEnd::Shutdown, direct.run(stop.clone()));
                addresses
            }
        };
        let reception = reception(&hub, (endpoint, address), to_committer, load);
        let requests = Arc::clone(&reception.requests);
        tasks.spawn("backfill", OnEnd::Shutdown, requests.run(stop.clone()));
        tasks.spawn("reception", OnEnd::Shutdown, reception.run(stop.clone()));
        let archive = || Arc::clone(&hub.archive);
        let age_max = Duration::from_secs(hub.config.archive.head_age_max_s);
        let samples_max = hub.config.archive.head_samples_max;
        // Ends before the committer gives the ledger up: whoever writes next must be the only one that cuts.
        let cutter = archive::run_cutter(archive(), database.clone(), samples_max, age_max, stop.clone());
        tasks.spawn("cutter", OnEnd::Shutdown, cutter);
        let merger = archive::run_merger(archive(), database.clone(), stop.clone());
        tasks.spawn("merger", OnEnd::Shutdown, merger);
        let retention = archive::run_retention(archive(), database.clone(), stop.clone());
        tasks.spawn("retention", OnEnd::Shutdown, retention);
        let escalator = Escalator::new(&hub.alarms, &database, Arc::clone(&hub.notifier), units(archive()));
        tasks.spawn("messages", OnEnd::Shutdown, escalator.run(stop));
        hub.missions.lead(&database);
        hub.role.lead();
        Ok(Leading { tasks, committing, decoding, lease, lead, links })
    }
}

impl Leading {
    /// Waits until shutdown was asked for or something ended that must not; true when all was well.
    pub(crate) async fn run(&mut self) -> bool {
        tokio::select! {
            // A signal ends reception, and that the committer: the first of them says whether it was in order.
            biased;
            ended_well = self.tasks.run() => ended_well,
            _ = self.committing.run() => false,
        }
    }

    /// Stops, and lets the next hub lead.
    pub(crate) async fn stop(self) {
        let Self { tasks, committing, decoding, lease, lead, .. } = self;
        tasks.drain(STEP_DEADLINE).await;
        // The committer ends when its last session is gone, the decoding threads when the committer is.
        committing.drain(STEP_DEADLINE).await;
        let decoded = tokio::task::spawn_blocking(move || {
            decoding.into_iter().map(JoinHandle::join).for_each(drop);
        });
        let _ = tokio::time::timeout(STEP_DEADLINE, decoded).await;
        match lease.let_go(lead).await {
            Ok(()) => info!("lease was let go"),
            Err(error) => warn!(error = chain(&error), "lease was not let go, it is over by itself"),
        }
    }
}

fn decode(
    hub: &Hub,
    database: &Database,
    groups: mpsc::Receiver<CommittedGroup>,
    newest: watch::Receiver<Newest>,
) -> std::io::Result<Vec<JoinHandle<()>>> {
    let samples_max = hub.config.archive.head_samples_max;
    let live = std::thread::Builder::new().name("decode".to_owned()).spawn({
        let archive = Arc::clone(&hub.archive);
        move || archive::decode_live(&archive, groups, samples_max.saturating_mul(HEAD_FACTOR))
    })?;
    let backlog = std::thread::Builder::new().name("decode-backlog".to_owned()).spawn({
        let (archive, database) = (Arc::clone(&hub.archive), database.clone());
        let runtime = tokio::runtime::Handle::current();
        let samples_max = samples_max.saturating_mul(HEAD_FACTOR_BACKLOG);
        move || archive::decode_backlog(&archive, &database, (&runtime, newest), samples_max)
    })?;
    Ok(vec![live, backlog])
}

async fn watch_own_links(
    hub: &Hub,
    database: &Database,
    newest: watch::Receiver<Newest>,
) -> anyhow::Result<JoinHandle<()>> {
    let (alarms, archive) = (Arc::clone(&hub.alarms), Arc::clone(&hub.archive));
    let own = OwnLinks::open(alarms, archive, Arc::clone(&hub.missions), database).await;
    let own = own.context("the hub's own links cannot be watched")?;
    let runtime = tokio::runtime::Handle::current();
    let thread = std::thread::Builder::new().name("watch-links".to_owned());
    Ok(thread.spawn(move || own.run(&runtime, newest))?)
}

fn carrying(hub: &Hub, committer: mpsc::Sender<Submission>) -> Carrying {
    let importer = Importer {
        registry: hub.registry.clone(),
        evidence: Evidence::new(hub.database.clone()),
        fleet: Arc::clone(&hub.fleet),
        committer,
    };
    Carrying { authority: Arc::clone(&hub.authority), importer }
}

fn direct(hub: &Hub, committer: mpsc::Sender<Submission>, load: Arc<Load>) -> DirectContext {
    DirectContext {
        data: hub.config.data_directory.clone(),
        database: hub.database.clone(),
        fleet: Arc::clone(&hub.fleet),
        committer,
        load,
        missions: Arc::clone(&hub.missions),
        database_answers: Arc::clone(&hub.database_answers),
    }
}

fn reception(
    hub: &Hub,
    (endpoint, address): (HubEndpoint, SocketAddr),
    committer: mpsc::Sender<Submission>,
    load: Arc<Load>,
) -> Reception {
    let advertised = hub.config.advertised(address);
    Reception {
        endpoint,
        desk: EnrolmentDesk::new(Arc::clone(&hub.authority), advertised, hub.clock.clone()),
        registry: hub.registry.clone(),
        fleet: Arc::clone(&hub.fleet),
        evidence: Evidence::new(hub.database.clone()),
        committer,
        load,
        settings: Arc::new(Settings {
            memory_bytes: hub.config.reception.memory.0,
            safe_delay: Duration::from_secs(hub.config.archive.safe_delay_s),
            others: hub.config.reception.others.clone(),
            started: Instant::now(),
        }),
        missions: Arc::clone(&hub.missions),
        told: Arc::clone(&hub.told),
        alarms: hub.alarms.telling(),
        requests: Arc::new(OpenRequests::new(hub.database.clone())),
        authority: Arc::clone(&hub.authority),
        renewals: Arc::new(Renewals {
            authority: Arc::clone(&hub.authority),
            certificates: Certificates::new(hub.database.clone()),
            fleet: Arc::clone(&hub.fleet),
            evidence: Evidence::new(hub.database.clone()),
        }),
    }
}

/// Units of parameters, as the newest dictionary has them.
fn units(archive: Arc<Archive>) -> Units {
    Box::new(move |mission, parameter| {
        let mission = archive.missions().iter().find(|archived| archived.live.name() == mission)?;
        let database = mission.live.database();
        database.parameter(database.find(parameter)?).unit.clone()
    })
}

fn bind_endpoint(hub: &Hub) -> anyhow::Result<HubEndpoint> {
    let identity = hub.authority.issue_hub(hub.clock.now_unix())?;
    let roots = vec![hub.authority.certificate_der().to_vec()];
    let mut options = HubOptions::new(identity, roots, hub.config.reception.profile);
    // Nodes then learn with their next packet that a killed hub is back, and need not wait for the idle timeout.
    options.restart_secret = Some(hub.authority.restart_secret());
    let listen = hub.config.reception.listen;
    let endpoint = HubEndpoint::bind(listen, options)
        .with_context(|| format!("cannot receive on UDP {listen}; change `reception.listen` in hub.toml"))?;
    if let Some(advice) = endpoint.socket_buffers().advice() {
        warn!(advice, "STO-LINK-BUFFERS: socket buffers are smaller than wanted");
    }
    Ok(endpoint)
}
