//! The doors that speak HTTP: requests, WebSocket and gRPC. All links of one address share a listener, and are told
//! apart by their door and mission.

mod access;
pub mod body;
pub mod cause;
mod grpc;
pub mod idempotency;
mod ingest;
mod meter;
pub mod parse;
mod session;
mod taking;
mod websocket;

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use anyhow::Context;
use arc_swap::ArcSwap;
use axum::Router;
use axum::routing::{any, get, post};
use mission_database::MissionDatabase;
use service::http::Bounds;
use tokio::net::TcpListener;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use self::access::{Shown, Token};
use self::body::Memory;
use self::cause::{Cause, Refusal};
use self::idempotency::KnownRequests;
use self::parse::Rules;
use crate::config::{Door, LinkConfig};
use crate::statistics::ClientGuard;
use crate::{Link, LinkStatistics, Owner, Readers, Wording};

pub use self::taking::{Outcome, Taken};

/// Connections of a listener at once; what comes beyond is closed and counted. With what a connection may send ahead,
/// 128 MiB.
const CONNECTIONS_MAX: usize = 1_024;
/// A body has 60 s, and becoming durable 30 s.
const REQUEST_TIME_MAX: Duration = Duration::from_secs(120);
/// When a client may try again that found too many others.
const RETRY_CLIENTS: Duration = Duration::from_secs(5);

/// What the doors share.
#[derive(Clone)]
pub struct HttpContext {
    /// How missions' records are read.
    pub readers: Arc<dyn Readers>,
    /// What is known of requests that may come again.
    pub known: Arc<KnownRequests>,
    /// Who runs the links.
    pub owner: Arc<dyn Owner>,
}

/// All listeners.
pub struct HttpDoors {
    context: HttpContext,
    fronts: BTreeMap<SocketAddr, Weak<Front>>,
}

/// A link whose producers make requests.
struct HttpLink {
    link: Link,
    token: Option<Token>,
    context: HttpContext,
    clients: Arc<Semaphore>,
    stop: CancellationToken,
    /// What must end before the link has ended.
    tasks: TaskTracker,
}

/// A client of a link, as long as this lives.
struct Client {
    _permit: OwnedSemaphorePermit,
    _guard: ClientGuard,
}

type Table = HashMap<(Door, String), Arc<HttpLink>>;

/// A listener and the links behind it.
struct Front {
    table: ArcSwap<Table>,
    memory: Memory,
    /// For messages of gRPC calls. Apart from bodies, as a call that only announces a message holds room too.
    calls: Memory,
    stop: CancellationToken,
    local_addr: SocketAddr,
    serving: Mutex<Option<JoinHandle<anyhow::Result<()>>>>,
}

impl HttpDoors {
    /// Nothing listens yet.
    pub fn new(context: HttpContext) -> Self {
        Self { context, fronts: BTreeMap::new() }
    }

    /// Opens a link: at the listener of its address, which opens with the first of its links and closes with the last.
    /// The task ends when the link has; cancelling `stop` ends it.
    pub async fn open(
        &mut self,
        link: Link,
        stop: CancellationToken,
    ) -> anyhow::Result<(SocketAddr, JoinHandle<anyhow::Result<()>>)> {
        let config = link.statistics().config.clone();
        let token = config.token_file.as_deref().map(Token::read).transpose()?;
        let front = self.front(&config).await?;
        let key = (config.door, config.mission.clone());
        anyhow::ensure!(
            !front.table.load().contains_key(&key),
            "another link of mission {:?} has this door at {}",
            config.mission,
            config.listen
        );
        link.statistics().on_listening(&front.local_addr.to_string());
        let http_link = Arc::new(HttpLink {
            token,
            context: self.context.clone(),
            clients: Arc::new(Semaphore::new(config.connections_max)),
            stop: stop.clone(),
            tasks: TaskTracker::new(),
            link,
        });
        front.put(&key, &http_link);
        let local_addr = front.local_addr;
        let task = tokio::spawn(async move {
            stop.cancelled().await;
            front.remove(&key);
            http_link.tasks.close();
            // What its clients are told, they are told while the listener still serves.
            http_link.tasks.wait().await;
            front.end_if_unused().await
        });
        Ok((local_addr, task))
    }

    async fn front(&mut self, config: &LinkConfig) -> anyhow::Result<Arc<Front>> {
        let known = self.fronts.get(&config.listen).and_then(Weak::upgrade);
        // Port 0 is a port of its own each time.
        let is_shared = |front: &Arc<Front>| config.listen.port() != 0 && !front.stop.is_cancelled();
        if let Some(front) = known.filter(is_shared) {
            return Ok(front);
        }
        let front = Front::listen(config.listen).await.with_context(|| {
            let (name, listen, file) = (&config.name, config.listen, self.context.owner.wording().file);
            format!("link {name:?} cannot listen on {listen}; change `listen` in {file}")
        })?;
        self.fronts.retain(|_, front| front.strong_count() > 0);
        self.fronts.insert(config.listen, Arc::downgrade(&front));
        Ok(front)
    }
}

impl Front {
    async fn listen(address: SocketAddr) -> io::Result<Arc<Self>> {
        let listener = TcpListener::bind(address).await?;
        let front = Arc::new(Self {
            table: ArcSwap::default(),
            memory: Memory::default(),
            calls: Memory::default(),
            stop: CancellationToken::new(),
            local_addr: listener.local_addr()?,
            serving: Mutex::default(),
        });
        let (refusing, waiting) = (Arc::clone(&front), Arc::clone(&front));
        let bounds = Bounds {
            connections_max: CONNECTIONS_MAX,
            request: REQUEST_TIME_MAX,
            on_refused: Arc::new(move || refusing.count_nameless(None, Cause::ConnectionLimit)),
            on_silent: Arc::new(move || waiting.count_nameless(None, Cause::HeadersSlow)),
        };
        let router = router(Arc::clone(&front));
        let serving = service::http::serve_bounded(listener, router, bounds, front.stop.clone());
        *front.serving.lock().unwrap_or_else(PoisonError::into_inner) = Some(tokio::spawn(serving));
        Ok(front)
    }

    fn put(&self, key: &(Door, String), link: &Arc<HttpLink>) {
        self.table.rcu(|table| {
            let mut table = Table::clone(table);
            table.insert(key.clone(), Arc::clone(link));
            table
        });
    }

    fn remove(&self, key: &(Door, String)) {
        self.table.rcu(|table| {
            let mut table = Table::clone(table);
            table.remove(key);
            table
        });
    }

    async fn end_if_unused(&self) -> anyhow::Result<()> {
        if !self.table.load().is_empty() {
            return Ok(());
        }
        self.stop.cancel();
        let serving = self.serving.lock().unwrap_or_else(PoisonError::into_inner).take();
        match serving {
            Some(serving) => serving.await.context("the listener failed")?,
            None => Ok(()),
        }
    }

    /// Counts what cannot be laid to one link: at the first link of its door, if that is known and there is one, or
    /// the first of all. First by name, so that the same cause is always found in the same place.
    fn count_nameless(&self, door: Option<Door>, cause: Cause) {
        let table = self.table.load();
        let links = table.iter().map(|((known, _), link)| (door != Some(*known), &link.config().name, link));
        if let Some((_, _, link)) = links.min_by_key(|(is_other, name, _)| (*is_other, name.as_str())) {
            link.statistics().rejected(cause.code(), 0);
        }
    }

    /// The link that a request is for, if its producer may use it.
    fn find(&self, door: Door, mission: &str, shown: &Shown) -> Result<Arc<HttpLink>, Refusal> {
        let table = self.table.load();
        if let Some(link) = table.get(&(door, mission.to_owned())) {
            if shown.opens(link.token.as_ref()) {
                return Ok(Arc::clone(link));
            }
            let refusal = shown.refusal([link.token.as_ref()]);
            link.statistics().rejected(refusal.cause.code(), 0);
            return Err(refusal);
        }
        let mut open: Vec<_> =
            table.iter().filter(|(_, link)| shown.opens(link.token.as_ref())).map(|(key, _)| key).collect();
        open.sort_unstable_by_key(|(door, mission)| (mission, door.word()));
        let shown_mission: String = mission.chars().take(80).collect();
        let words: Vec<_> =
            open.iter().map(|(door, mission)| format!("{mission} by {}", door.word())).collect();
        let refusal = if open.is_empty() {
            shown.refusal(table.values().map(|link| link.token.as_ref()))
        } else {
            let is_known = open.iter().any(|(_, known)| known == mission);
            let cause = if is_known { Cause::DoorClosed } else { Cause::MissionUnknown };
            let what = format!("no link here takes mission {shown_mission:?} by {}", door.word());
            Refusal::new(cause, format!("{what}; there is {}", words.join(", ")))
        };
        drop(words);
        self.count_nameless(Some(door), refusal.cause);
        Err(refusal)
    }

    /// Whether a producer may use any link of a door, and the longest message of those.
    fn message_bytes_max(&self, door: Door, shown: &Shown) -> Result<usize, Refusal> {
        let table = self.table.load();
        let of_door = || table.iter().filter(|((known, _), _)| *known == door).map(|(_, link)| link);
        let open = of_door().filter(|link| shown.opens(link.token.as_ref()));
        open.map(|link| link.body_bytes_max()).max().ok_or_else(|| {
            let refusal = shown.refusal(of_door().map(|link| link.token.as_ref()));
            self.count_nameless(Some(door), refusal.cause);
            refusal
        })
    }
}

impl HttpLink {
    fn statistics(&self) -> &Arc<LinkStatistics> {
        self.link.statistics()
    }

    fn config(&self) -> &LinkConfig {
        &self.statistics().config
    }

    fn wording(&self) -> &'static Wording {
        self.context.owner.wording()
    }

    fn body_bytes_max(&self) -> usize {
        usize::try_from(self.config().body_max.0).unwrap_or(usize::MAX)
    }

    /// Lets one more client in, if the link may have one.
    fn admit(&self) -> Result<Client, Refusal> {
        let permit = Arc::clone(&self.clients).try_acquire_owned().map_err(|_| {
            let message =
                format!("the link has {} clients, as many as it may", self.config().connections_max);
            Refusal::later(Cause::ConnectionLimit, RETRY_CLIENTS, message)
        })?;
        Ok(Client { _permit: permit, _guard: self.statistics().client() })
    }

    fn database(&self) -> MissionDatabase {
        self.context.readers.decoder(self.link.mission()).1.database().clone()
    }

    fn rules<'a>(&'a self, database: &'a MissionDatabase, is_partial: bool) -> Rules<'a> {
        let config = self.config();
        Rules { mission: &config.mission, packet_bytes_max: config.packet_bytes_max, database, is_partial }
    }

    /// Counts what was refused.
    fn count(&self, refusal: &Refusal, bytes: usize) {
        self.statistics().rejected(refusal.cause.code(), bytes as u64);
    }

    /// Counts records that were refused while others were taken.
    fn count_records(&self, parsed: &parse::Parsed) {
        let mut bytes = parsed.refused_bytes as u64;
        for record in &parsed.refused {
            self.statistics().rejected(record.cause.code(), std::mem::take(&mut bytes));
        }
        let unlisted = parsed.refused_count - parsed.refused.len();
        if unlisted > 0 {
            self.statistics().rejected_times("refused-unlisted", unlisted as u64, 0);
        }
    }
}

fn router(front: Arc<Front>) -> Router {
    Router::new()
        .route("/api/v1/ingest/{mission}", post(ingest::ingest))
        .route("/api/v1/ingest/{mission}/stream", get(websocket::open))
        .route("/sto.v1.Intake/{method}", any(grpc::call))
        .with_state(front)
}
