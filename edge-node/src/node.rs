//! Where the node's components meet, start and stop.
//!
//! Stopping goes intake → sealing → journal → forwarding, so that everything a producer was told about is on disk
//! and, if the hub is there, on its way.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use dashboard::access::Gate;
use delivery::{BootId, DocumentSignature, Lane, NodeId, Packer, Position, Severity};
use intake::doors::{DoorContext, Doors};
use intake::http::idempotency::KnownRequests;
use intake::link::Queues;
use intake::pipeline::Pipeline;
use link::Clock;
use processing::alarm::Place;
use provisioning::Identity;
use service::logging::chain;
use service::metric::MetricsPage;
use service::mission;
use service::ready::ReadyFile;
use service::supervisor;
use service::tasks::{OnEnd, TaskGroup, watch_signals};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::alarms::{NodeAlarms, RuleFiles, Watching};
use crate::config::EdgeConfig;
use crate::dashboards::NodeDashboards;
use crate::desk::{self, Desk, Readers};
use crate::documents::NodeDocuments;
use crate::events::event;
use crate::forwarding::{Credentials, Forwarder, Linger, Steering, update_backlog};
use crate::history::History;
use crate::journal::{self, JournalHandle, JournalLimits, JournalOptions, Opening};
use crate::recording::{EventLog, JournalSink, Links, NodeOwner};
use crate::sessions::FileSessions;
use crate::status::{HubLink, NodeStatus};
use crate::trust::Trust;
use crate::view::{self, Enrolled, View};

/// Each step of stopping gets this long.
const STEP_DEADLINE: Duration = Duration::from_secs(10);
/// Events of the journal that wait to be recorded: more come only from a disk that fails all the time.
const JOURNAL_EVENTS_MAX: usize = 64;
const STATUS_INTERVAL: Duration = Duration::from_secs(1);

#[derive(serde::Serialize)]
struct Ready {
    http: String,
    links: BTreeMap<String, String>,
    pid: u32,
}

/// Runs the node until a signal or a failure; true when it ended as it should.
pub async fn run(config_file: &Path, config: EdgeConfig) -> anyhow::Result<bool> {
    supervisor::raise_open_files();
    let data = config.data_directory.clone();
    std::fs::create_dir_all(&data)
        .with_context(|| format!("cannot make the data directory {}", data.display()))?;
    ReadyFile::clear(&data).context("cannot clear ready.json")?;
    let metrics = MetricsPage::start();
    let identity = Identity::load(&data).context("cannot read the node's identity")?;
    let trust = Arc::new(Trust::open(&data, identity.as_ref()));
    let verify = |message: &[u8], signature: &DocumentSignature| trust.verify(message, signature);
    let missions = config
        .missions
        .iter()
        .map(|mission| mission::load(config_file, mission, &data, &verify))
        .collect::<Result<Vec<_>, _>>()?;

    // A signal stops intake first; the rest follows step by step below.
    let stop_intake = CancellationToken::new();
    let stop_serving = CancellationToken::new();
    let stop_forwarding = CancellationToken::new();

    let journal_options = config.journal.options().context("the journal's key cannot be used")?;
    let mut opener = journal::opener(&data, journal_options.clone());
    let opened = opener(Opening::Again)?;
    let (journal_head, acknowledged) = (opened.journal.head(), opened.journal.acknowledged());
    let start = Position::start(opened.journal.store(), Lane::Telemetry);
    let (journal_events, mut journal_told) = mpsc::channel(JOURNAL_EVENTS_MAX);
    let (journal, journal_end) =
        journal::start(opened, opener, config.journal.limits(&data), journal_events.clone())?;
    let mut opener = journal::opener(&data, JournalOptions::of_alarms(journal_options.key.clone()));
    let (alarms, alarms_end) =
        journal::start(opener(Opening::Again)?, opener, JournalLimits::of_alarms(&data), journal_events)?;

    let (name, site) = match &identity {
        Some(identity) => (identity.name.clone(), identity.site.clone()),
        None => ("this node".to_owned(), "not enrolled".to_owned()),
    };
    let hub = match &identity {
        Some(_) => HubLink::Disconnected { since: service::clock::now(), problem: "starting".to_owned() },
        None => HubLink::NotEnrolled,
    };
    let certificate_ends = identity.as_ref().map(|identity| identity.certificate.not_after);
    let status = Arc::new(NodeStatus::new(&name, &site, certificate_ends, hub, journal_head, start));
    let known = acknowledged.map_or(0, |sequence| sequence.0);
    let missing = (known < journal_head.number()).then_some((known + 1, journal_head.number()));
    if let Err(error) = update_backlog(&journal, &status, missing.as_slice()).await {
        warn!(error = chain(&error), "backlog cannot be told exactly, recording goes on");
    }

    let steering = Arc::new(Steering::open(&data));
    let linger = Arc::new(Linger::default());
    let gate = Gate::new(FileSessions::open(&data).context("cannot open the store of sessions")?);
    let history = Arc::new(History::open(&data.join("history"), &config.history, &missions, journal.clone()));
    // What is raised before the machine is a node of some hub belongs to none, and stays here.
    let node = identity.as_ref().map_or(NodeId([0; 16]), |identity| NodeId(*identity.node_id.as_bytes()));
    let rules =
        config.missions.iter().map(|mission| (mission.name.clone(), RuleFiles::new(config_file, mission)));
    let (node_alarms, alarms_damage) = NodeAlarms::open(&data, Place::Node(node), rules.collect())
        .context("cannot open the log of alarms; nothing was started, look at the disk and at `alarms/`")?;
    let view = View::new(&name, &missions, Arc::clone(&history), gate, Arc::clone(&status), metrics);
    let view = view.with_alarms(Arc::clone(&node_alarms)).with_dashboards(NodeDashboards::open(&data));
    let view = Arc::new(view);
    let documents = identity.as_ref().map(|identity| {
        let received = config.links.iter().map(|link| link.mission.as_str());
        let (status, trust) = (Arc::clone(&status), Arc::clone(&trust));
        let documents = NodeDocuments::open(&data, received, Arc::clone(&view), status, trust);
        view.tell_enrolled(Enrolled { node_id: identity.node_id, holds: documents.holds() });
        Arc::new(documents)
    });
    let rules_sent = documents.as_ref().map(|documents| documents.watching());
    // What was learned by rules of the hub goes on with them.
    if let Some(sent) = &rules_sent {
        node_alarms.use_documents(&sent.borrow());
    }
    let journal_at_start = {
        let state = journal.state();
        let state = state.borrow();
        (state.store, state.head.number())
    };
    let watching = Watching::open(Arc::clone(&node_alarms), &data, &missions, journal_at_start);
    let history_end = crate::history::start(
        history,
        Some(watching),
        {
            let view = Arc::clone(&view);
            move |mission, samples| view.restore(mission, samples)
        },
        stop_forwarding.clone(),
    )?;
    let (to_view, viewed) = mpsc::channel(view::VIEWED_MAX);
    let showing = std::thread::Builder::new().name("view".to_owned()).spawn({
        let view = Arc::clone(&view);
        move || view.show(viewed)
    })?;

    let queues = Arc::new(Queues::default());
    let pipeline = Pipeline {
        queues: Arc::clone(&queues),
        readers: Arc::clone(&view) as Arc<dyn intake::Readers>,
        sink: JournalSink {
            journal: journal.clone(),
            view: Arc::clone(&view),
            viewer: to_view,
            linger: Arc::clone(&linger),
        },
        packer: Packer::default(),
        runtime: tokio::runtime::Handle::current(),
        stopping: stop_intake.clone(),
    };
    let (sealed, mut all_sealed) = oneshot::channel();
    std::thread::Builder::new().name("intake".to_owned()).spawn(move || {
        pipeline.run();
        // Nobody waits for it when the process is ending anyway.
        let _ = sealed.send(());
    })?;
    let names: Vec<String> = missions.iter().map(|mission| mission.name.clone()).collect();
    let (events, recorder) = EventLog::new(names.clone(), alarms.clone());
    let events = Arc::new(events);
    if let Some(damage) = alarms_damage {
        warn!(damage, "STO-ALARM-STORE: the log of alarms was damaged");
        events.tell(None, &event("STO-ALARM-STORE", Severity::Error, damage, &[]));
    }
    let mut watching = TaskGroup::new(stop_intake.clone());
    let told = Arc::clone(&events);
    watching.spawn("journal events", OnEnd::Continue, async move {
        while let Some(event) = journal_told.recv().await {
            told.tell(None, &event);
        }
        Ok(())
    });
    let mut doors = Doors::new(DoorContext {
        queues: Arc::clone(&queues),
        missions: names,
        readers: Arc::clone(&view) as Arc<dyn intake::Readers>,
        known: Arc::new(KnownRequests::new(journal.receipts_at_open().await?)),
        owner: Arc::new(NodeOwner { events: Arc::clone(&events), status: Arc::clone(&status) }),
    });
    for link in &config.links {
        doors.open(link).await?;
    }
    let addresses = doors.addresses();
    let mut receiving = TaskGroup::new(stop_intake.clone());
    let links = Links { doors, events: Arc::clone(&events), status: Arc::clone(&status) };
    receiving.spawn(
        "doors",
        OnEnd::Shutdown,
        links.run(config_file.to_owned(), config.clone(), stop_intake.clone()),
    );

    let http = TcpListener::bind(config.http.listen).await.with_context(|| {
        format!("cannot listen on {}; change `http.listen` in edge.toml", config.http.listen)
    })?;
    let http_address = http.local_addr()?;
    let mut serving = TaskGroup::new(stop_serving.clone());
    let token = desk::client::write_token(&data).context("cannot write the token of local commands")?;
    let desk = Arc::new(Desk {
        journal: journal.clone(),
        alarms: alarms.clone(),
        readers: Readers::Running(Arc::clone(&view)),
        events: Some(Arc::clone(&events)),
        steering: Some(Arc::clone(&steering)),
        data: data.clone(),
    });
    let router = dashboard::router(Arc::clone(&view) as Arc<dyn dashboard::Backend>, stop_serving.clone())
        .nest(desk::routes::PREFIX, desk::routes::router(desk, token));
    serving.spawn("http", OnEnd::Shutdown, service::http::serve(http, router, stop_serving.clone()));
    if let Some(interval) = supervisor::watchdog_interval() {
        let watched = watchdog(journal.clone(), interval, stop_serving.clone());
        serving.spawn("watchdog", OnEnd::Continue, watched);
    }
    serving.spawn(
        "status",
        OnEnd::Continue,
        write_status(
            Arc::clone(&status),
            journal.clone(),
            Arc::clone(&steering),
            data.clone(),
            stop_serving.clone(),
        ),
    );
    watching.spawn("signals", OnEnd::Continue, watch_signals(stop_intake.clone()));
    for (name, end) in [("journal", journal_end), ("journal of events", alarms_end)] {
        watching.spawn(name, OnEnd::Shutdown, async move {
            match end.await {
                Ok(Err(error)) => {
                    Err(anyhow::Error::new(error).context("the journal failed; nothing acknowledged is lost"))
                }
                Ok(Ok(())) | Err(_) => Ok(()),
            }
        });
    }
    let mut forwarding = TaskGroup::new(stop_forwarding.clone());
    forwarding.spawn("history", OnEnd::Continue, async move {
        // It ends with its thread, whether or not that said so.
        let _ = history_end.await;
        Ok(())
    });
    forwarding.spawn("alarms", OnEnd::Shutdown, Arc::clone(&node_alarms).run(stop_forwarding.clone()));
    // Events tell of how the node stops, too.
    forwarding.spawn("events", OnEnd::Continue, recorder.run(stop_forwarding.clone()));
    if let Some(mut sent) = rules_sent {
        let node_alarms = Arc::clone(&node_alarms);
        forwarding.spawn("rules", OnEnd::Continue, async move {
            while sent.changed().await.is_ok() {
                node_alarms.use_documents(&sent.borrow_and_update());
            }
            Ok(())
        });
    }
    if let (Some(identity), Some(documents)) = (identity, documents) {
        let floor = identity.hub_time_unix;
        let clock = Clock::with_floor(move || floor);
        let options = identity.client_options(config.forwarding.link(), clock.clone());
        let configured = config.forwarding.hub.clone();
        let credentials =
            Credentials::new(data.clone(), identity, clock, trust, Arc::clone(&status), configured);
        let forwarder = Forwarder {
            options: credentials.trusted(options),
            credentials: Arc::new(credentials),
            journal: journal.clone(),
            status: Arc::clone(&status),
            documents,
            missions: config.missions.iter().map(|mission| mission.name.clone()).collect(),
            key: journal_options.key,
            boot: BootId(*uuid::Uuid::new_v4().as_bytes()),
            alarms: alarms.clone(),
            node_alarms: Arc::clone(&node_alarms),
            schedule: config.forwarding.schedule(),
            steering,
            linger,
        };
        let entries = node_alarms.forward(alarms.clone(), stop_forwarding.clone());
        forwarding.spawn("alarms to their lane", OnEnd::Continue, entries);
        forwarding.spawn("forwarding", OnEnd::Continue, forwarder.run(stop_forwarding.clone()));
    } else {
        warn!(
            "not enrolled: telemetry is recorded and shown here, and forwarded after `edge-node enroll` and a restart"
        );
    }
    // From here on only tasks hold the journals; they end when those have.
    drop((journal, alarms));

    let ready = ReadyFile::write(
        &data,
        &Ready { http: http_address.to_string(), links: addresses, pid: std::process::id() },
    )?;
    supervisor::ready();
    info!(node = name, http = %http_address, "node is ready");
    let ended_well = tokio::select! {
        ended_well = receiving.run() => ended_well,
        ended_well = watching.run() => ended_well,
        _ = &mut all_sealed => false,
        _ = forwarding.run() => false,
        _ = serving.run() => false,
    };
    supervisor::stopping();
    info!("stopping: intake, sealing, journal, forwarding");
    drop(ready);
    stop_intake.cancel();
    // Each connection hands on what it read; then the pipeline seals it and gives up the journal.
    receiving.drain(STEP_DEADLINE).await;
    queues.close();
    if !all_sealed.is_terminated() && tokio::time::timeout(STEP_DEADLINE, all_sealed).await.is_err() {
        warn!("sealing was cut off, nothing acknowledged is lost");
    }
    stop_forwarding.cancel();
    forwarding.drain(STEP_DEADLINE).await;
    stop_serving.cancel();
    serving.drain(STEP_DEADLINE).await;
    watching.drain(STEP_DEADLINE).await;
    // The thread that shows ends with its last sender; it holds nothing that must be kept.
    if showing.is_finished() {
        let _ = showing.join();
    }
    info!("stopped");
    Ok(ended_well)
}

/// Tells systemd that the node is alive as long as its journal answers: a node that cannot record is not.
async fn watchdog(
    journal: JournalHandle,
    interval: Duration,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    loop {
        if journal.gaps().await.is_ok() {
            supervisor::alive();
        }
        tokio::select! {
            () = shutdown.cancelled() => return Ok(()),
            () = tokio::time::sleep(interval) => {}
        }
    }
}

async fn write_status(
    status: Arc<NodeStatus>,
    journal: JournalHandle,
    steering: Arc<Steering>,
    data: std::path::PathBuf,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    let (journal_state, salvaged) = (journal.state(), journal.salvaged());
    // Only the watches are kept: this task must not keep the journal open.
    drop(journal);
    loop {
        let state = *journal_state.borrow();
        status.on_journal(state.store);
        status.on_head(state.head);
        if let Some(bytes) = state.room_bytes {
            status.on_room(bytes);
        }
        status.on_full(state.is_full);
        status.on_paused(steering.decision().is_paused);
        // Those that the hub has are removed from the disk, and only from there.
        let waiting = salvaged.borrow().iter().filter(|directory| directory.path.exists()).count();
        status.on_older_journals(waiting);
        if let Err(error) = status.write(&data) {
            warn!(error = chain(&error), "status file could not be written");
        }
        tokio::select! {
            () = shutdown.cancelled() => return Ok(()),
            () = tokio::time::sleep(STATUS_INTERVAL) => {}
        }
    }
}
