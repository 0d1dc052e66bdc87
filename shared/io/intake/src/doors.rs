//! The links that are open, and how they change when others are wanted.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use anyhow::Context;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing::{error, info};

use super::http::idempotency::KnownRequests;
use super::http::{HttpContext, HttpDoors};
use super::link::Queues;
use super::tcp::TcpIntake;
use super::udp::UdpIntake;
use super::{Door, Link, LinkConfig, LinkStatistics, Owner, Readers};

/// What doors need.
pub struct DoorContext {
    /// Where records go.
    pub queues: Arc<Queues>,
    /// Names of the missions, by index.
    pub missions: Vec<String>,
    /// How missions' records are read.
    pub readers: Arc<dyn Readers>,
    /// What is known of requests that may come again.
    pub known: Arc<KnownRequests>,
    /// Who runs the links.
    pub owner: Arc<dyn Owner>,
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
        let http = HttpDoors::new(HttpContext {
            readers: Arc::clone(&context.readers),
            known: Arc::clone(&context.known),
            owner: Arc::clone(&context.owner),
        });
        Self { context, unfinished_bytes: Arc::default(), http, open: BTreeMap::new(), closed: Vec::new() }
    }

    /// Opens a link; an error says what to change.
    pub async fn open(&mut self, config: &LinkConfig) -> anyhow::Result<()> {
        let wording = self.context.owner.wording();
        let mission = self.context.missions.iter().position(|name| *name == config.mission);
        let mission = mission.with_context(|| {
            format!(
                "link {:?} names mission {:?}, which {} took in no part of at its start: restart it",
                config.name, config.mission, wording.owner
            )
        })?;
        let statistics = Arc::new(LinkStatistics::new(config.clone(), &wording.metrics));
        let link = Link::open(&self.context.queues, Arc::clone(&statistics), mission);
        let stop = CancellationToken::new();
        let cannot_listen = || {
            let (name, listen, file) = (&config.name, config.listen, wording.file);
            format!("link {name:?} cannot listen on {listen}; change `listen` in {file}")
        };
        let (address, task) = match config.door {
            Door::Tcp => {
                let unfinished_bytes = Arc::clone(&self.unfinished_bytes);
                let door = TcpIntake::bind(link, unfinished_bytes).await.with_context(cannot_listen)?;
                (door.local_addr()?, tokio::spawn(door.run(stop.clone())))
            }
            Door::Udp => {
                let owner = Arc::clone(&self.context.owner);
                let door = UdpIntake::bind(link, owner).with_context(cannot_listen)?;
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

    /// Closes links that are gone or changed, and opens those that are new or changed. What could not be opened is tried
    /// again by [`Doors::retry`]; returns why, or nothing when all are open.
    pub async fn apply(&mut self, wanted: &[LinkConfig]) -> Option<String> {
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
        let problem = self.retry().await;
        self.report();
        problem
    }

    /// Tries again to open what could not be opened; returns why it still cannot.
    pub async fn retry(&mut self) -> Option<String> {
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
        (!problems.is_empty()).then(|| problems.join("; "))
    }

    /// Every link hands on what it has read, and ends.
    pub async fn end(self) {
        for link in self.open.values() {
            link.stop.cancel();
        }
        for (name, link) in self.open {
            link.end(&name).await;
        }
    }

    fn report(&self) {
        self.context.owner.on_links(self.open.values().map(|link| Arc::clone(&link.statistics)).collect());
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
