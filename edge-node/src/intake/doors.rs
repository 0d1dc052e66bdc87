//! The links that are open, and how they change when `edge.toml` does.
//!
//! A file that cannot be used changes nothing: the links stay as they are, and the status says which key is wrong.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::{Duration, SystemTime};

use anyhow::Context;
use delivery::Severity;
use service::logging::chain;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use super::events::EventLog;
use super::http::{HttpContext, HttpDoors};
use super::link::Queues;
use super::tcp::TcpIntake;
use super::udp::UdpIntake;
use super::{Link, LinkStatistics};
use crate::config::{Door, EdgeConfig, LinkConfig};
use crate::events::event;
use crate::status::NodeStatus;

/// How often the file is looked at.
const WATCH_INTERVAL: Duration = Duration::from_secs(1);
/// When a link that could not listen tries again.
const RETRY_INTERVAL: Duration = Duration::from_secs(5);

/// What doors need.
pub struct DoorContext {
    /// Where records go.
    pub queues: Arc<Queues>,
    /// Names of the missions, by index.
    pub missions: Vec<String>,
    /// Where events are told.
    pub events: Arc<EventLog>,
    /// Where people look.
    pub status: Arc<NodeStatus>,
    /// What doors that speak HTTP need.
    pub http: HttpContext,
}

/// All open links.
pub struct Doors {
    context: DoorContext,
    unfinished_bytes: Arc<AtomicUsize>,
    http: HttpDoors,
    open: BTreeMap<String, OpenLink>,
    /// Links that could not be opened yet, and why.
    closed: Vec<(LinkConfig, String)>,
}

struct OpenLink {
    statistics: Arc<LinkStatistics>,
    address: String,
    stop: CancellationToken,
    task: JoinHandle<anyhow::Result<()>>,
}

impl Doors {
    /// No link is open yet.
    pub fn new(context: DoorContext) -> Self {
        let http = HttpDoors::new(context.http.clone());
        Self { context, unfinished_bytes: Arc::default(), http, open: BTreeMap::new(), closed: Vec::new() }
    }

    /// Opens a link; an error says what to change.
    pub async fn open(&mut self, config: &LinkConfig) -> anyhow::Result<()> {
        let mission = self.context.missions.iter().position(|name| *name == config.mission);
        let mission = mission.with_context(|| {
            format!(
                "link {:?} names mission {:?}, which this node took in no part of at its start: restart it",
                config.name, config.mission
            )
        })?;
        let statistics = Arc::new(LinkStatistics::new(config.clone()));
        let link = Link::open(&self.context.queues, Arc::clone(&statistics), mission);
        let stop = CancellationToken::new();
        let cannot_listen = || {
            format!("link {:?} cannot listen on {}; change `listen` in edge.toml", config.name, config.listen)
        };
        let (address, task) = match config.door {
            Door::Tcp => {
                let unfinished_bytes = Arc::clone(&self.unfinished_bytes);
                let door = TcpIntake::bind(link, unfinished_bytes).await.with_context(cannot_listen)?;
                (door.local_addr()?, tokio::spawn(door.run(stop.clone())))
            }
            Door::Udp => {
                let events = Arc::clone(&self.context.events);
                let door = UdpIntake::bind(link, events).with_context(cannot_listen)?;
                (door.local_addr()?, tokio::spawn(door.run(stop.clone())))
            }
            Door::Grpc | Door::Http | Door::WebSocket => self.http.open(link, stop.clone()).await?,
        };
        info!(link = config.name, door = config.door.word(), %address, "link opened");
        let address = address.to_string();
        self.open.insert(config.name.clone(), OpenLink { statistics, address, stop, task });
        self.report();
        Ok(())
    }

    async fn close(&mut self, name: &str) {
        if let Some(link) = self.open.remove(name) {
            link.end(name).await;
        }
    }

    /// Address of each open link.
    pub fn addresses(&self) -> BTreeMap<String, String> {
        self.open.iter().map(|(name, link)| (name.clone(), link.address.clone())).collect()
    }

    /// Runs until shutdown, following the file; then every link hands on what it has read, and ends.
    pub async fn run(
        mut self,
        file: PathBuf,
        used: EdgeConfig,
        shutdown: CancellationToken,
    ) -> anyhow::Result<()> {
        // What changed since the file was read is found at the first look.
        let (mut seen, mut used) = (None, used);
        let mut look = tokio::time::interval(WATCH_INTERVAL);
        let mut retry = tokio::time::interval(RETRY_INTERVAL);
        loop {
            tokio::select! {
                () = shutdown.cancelled() => break,
                _ = look.tick() => {
                    let now = modified(&file);
                    if now != seen {
                        seen = now;
                        self.on_changed(&file, &mut used).await;
                    }
                }
                _ = retry.tick() => self.retry().await,
            }
        }
        for link in self.open.values() {
            link.stop.cancel();
        }
        for (name, link) in std::mem::take(&mut self.open) {
            link.end(&name).await;
        }
        Ok(())
    }

    async fn on_changed(&mut self, file: &std::path::Path, used: &mut EdgeConfig) {
        match EdgeConfig::read(file) {
            Ok(config) => {
                self.context.status.on_configuration(None);
                let stays = EdgeConfig { links: config.links.clone(), ..used.clone() };
                if stays != config {
                    warn!("edge.toml changed beyond its links: that takes effect with the next start");
                }
                if config.links != used.links {
                    self.apply(&config.links).await;
                }
                used.links = config.links;
            }
            Err(problem) => {
                let text = chain(&problem);
                error!(error = text, "edge.toml cannot be used, everything stays as it is");
                let told = event("STO-CONFIG", Severity::Warning, text.clone(), &[]);
                self.context.events.tell(None, &told);
                self.context.status.on_configuration(Some(text));
            }
        }
    }

    /// Closes links that are gone or changed, and opens those that are new or changed.
    async fn apply(&mut self, wanted: &[LinkConfig]) {
        let gone: Vec<String> = self
            .open
            .iter()
            .filter(|(_, link)| !wanted.iter().any(|config| link.is_as(config)))
            .map(|(name, _)| name.clone())
            .collect();
        for name in &gone {
            self.close(name).await;
            info!(link = name, "link closed");
        }
        self.closed = wanted
            .iter()
            .filter(|config| !self.open.contains_key(&config.name))
            .map(|config| (config.clone(), String::new()))
            .collect();
        self.retry().await;
        self.report();
    }

    async fn retry(&mut self) {
        for (config, known) in std::mem::take(&mut self.closed) {
            if let Err(problem) = self.open(&config).await {
                let problem = format!("{problem:#}");
                if problem != known {
                    error!(error = problem, "link could not be opened, it is tried again");
                }
                self.closed.push((config, problem));
            }
        }
        let problems: Vec<&str> = self.closed.iter().map(|(_, problem)| problem.as_str()).collect();
        self.context.status.on_links_problem((!problems.is_empty()).then(|| problems.join("; ")));
    }

    fn report(&self) {
        let links = self.open.values().map(|link| Arc::clone(&link.statistics)).collect();
        self.context.status.on_links(links);
    }
}

impl OpenLink {
    /// Whether it is already what a configuration wants. A port 0 became one that was free.
    fn is_as(&self, wanted: &LinkConfig) -> bool {
        let used = &self.statistics.config;
        let bound = LinkConfig { listen: self.address.parse().unwrap_or(used.listen), ..used.clone() };
        used == wanted || bound == *wanted
    }

    async fn end(self, name: &str) {
        self.stop.cancel();
        match self.task.await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => error!(link = name, error = %error, "link ended with an error"),
            Err(failure) => error!(link = name, %failure, "link failed"),
        }
    }
}

/// When a file was changed last, as far as that can be told; its length catches two changes in one instant.
fn modified(file: &std::path::Path) -> Option<(SystemTime, u64)> {
    let metadata = std::fs::metadata(file).ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}
