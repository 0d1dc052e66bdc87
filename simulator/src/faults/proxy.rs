//! A running proxy, and what its tasks share: settings, figures, and the bound on what they hold.

use std::{
    future, io,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    net::TcpListener,
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    task::JoinSet,
    time::{Instant, sleep_until},
};

use super::{
    Direction, FaultProfile,
    outages::{Outage, OutageKind},
    statistics::{Cause, DirectionStatistics, FaultStatistics},
    tcp, udp,
};

/// What all clients of a proxy may have waiting in it: a second of 1 Gbit/s. When it is reached, datagrams are dropped
/// (and counted as [`Cause::ProxyFull`]) and streams are not read.
const WAITING_BYTES_MAX: usize = 128 << 20;

/// A bad link between clients and one upstream address. Dropping it stops it.
pub struct FaultProxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    // Dropped with the proxy, and its tasks with it.
    _tasks: JoinSet<()>,
}

/// What is set at the moment.
#[derive(Clone, Debug, Default)]
pub(super) struct Settings {
    pub(super) profile: FaultProfile,
    /// Each change ends every connection and mapping of before.
    pub(super) cuts: u64,
    blackhole: bool,
    /// A blackhole that the profile made.
    outage: bool,
    half_open_to_client: bool,
    half_open_to_upstream: bool,
}

/// What the tasks of a proxy share.
pub(super) struct Shared {
    pub(super) upstream: SocketAddr,
    pub(super) seed: u64,
    begun: Instant,
    settings: watch::Sender<Settings>,
    statistics: Mutex<FaultStatistics>,
    waiting: Arc<Semaphore>,
}

/// Counts a client for as long as it lives.
pub(super) struct ClientCount {
    /// How many came before.
    pub(super) number: u64,
    shared: Arc<Shared>,
}

impl FaultProxy {
    /// A proxy for datagrams: each client's come from a socket of its own. Port 0 of `listen` means any.
    ///
    /// Congestion marks (ECN) do not pass.
    ///
    /// # Errors
    /// `listen` cannot be bound.
    pub async fn udp(
        listen: SocketAddr,
        upstream: SocketAddr,
        seed: u64,
        profile: FaultProfile,
    ) -> io::Result<Self> {
        let socket = udp::bind(listen)?;
        let address = socket.local_addr()?;
        Ok(Self::start(address, Shared::new(upstream, seed, profile), |shared| udp::run(socket, shared)))
    }

    /// A proxy for connections. Port 0 of `listen` means any.
    ///
    /// It accepts at once, whatever the link: only what follows is delayed, or waits for the end of a blackhole.
    ///
    /// # Errors
    /// `listen` cannot be bound.
    pub async fn tcp(
        listen: SocketAddr,
        upstream: SocketAddr,
        seed: u64,
        profile: FaultProfile,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind(listen).await?;
        let address = listener.local_addr()?;
        Ok(Self::start(address, Shared::new(upstream, seed, profile), |shared| tcp::run(listener, shared)))
    }

    fn start<R>(address: SocketAddr, shared: Shared, run: impl FnOnce(Arc<Shared>) -> R) -> Self
    where
        R: Future<Output = ()> + Send + 'static,
    {
        let shared = Arc::new(shared);
        let mut tasks = JoinSet::new();
        tasks.spawn(run(shared.clone()));
        tasks.spawn(make_outages(shared.clone()));
        Self { address, shared, _tasks: tasks }
    }

    /// Where clients send to.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Changes what the link does to all that comes from now on; what waits keeps its time. Ends an outage that the
    /// former profile made, not a blackhole by command.
    pub fn set(&self, profile: FaultProfile) {
        self.shared.settings.send_modify(|settings| {
            settings.profile = profile;
            settings.outage = false;
        });
    }

    /// Lets nothing pass in either direction, or lets it pass again. Datagrams are lost meanwhile, streams wait.
    pub fn blackhole(&self, on: bool) {
        self.shared.settings.send_modify(|settings| settings.blackhole = on);
    }

    /// Lets nothing pass in one direction, or lets it pass again. Datagrams are lost meanwhile, streams wait.
    pub fn half_open(&self, direction: Direction, on: bool) {
        self.shared.settings.send_modify(|settings| match direction {
            Direction::ToClient => settings.half_open_to_client = on,
            Direction::ToUpstream => settings.half_open_to_upstream = on,
        });
    }

    /// Resets every TCP connection, forgets every UDP mapping, and loses what waits. New ones may come at once.
    pub fn cut(&self) {
        self.shared.cut();
    }

    /// What it did so far.
    pub fn statistics(&self) -> FaultStatistics {
        self.shared.statistics().clone()
    }
}

impl Settings {
    /// Why nothing passes at the moment, if nothing does.
    pub(super) fn blocks(&self, direction: Direction) -> Option<Cause> {
        let half_open = match direction {
            Direction::ToClient => self.half_open_to_client,
            Direction::ToUpstream => self.half_open_to_upstream,
        };
        if self.is_dark() { Some(Cause::Blackhole) } else { half_open.then_some(Cause::HalfOpen) }
    }

    /// Whether nothing passes in either direction.
    pub(super) fn is_dark(&self) -> bool {
        self.blackhole || self.outage
    }
}

impl Shared {
    fn new(upstream: SocketAddr, seed: u64, profile: FaultProfile) -> Self {
        Self {
            upstream,
            seed,
            begun: Instant::now(),
            settings: watch::Sender::new(Settings { profile, ..Settings::default() }),
            statistics: Mutex::default(),
            waiting: Arc::new(Semaphore::new(WAITING_BYTES_MAX)),
        }
    }

    pub(super) fn settings(&self) -> watch::Receiver<Settings> {
        self.settings.subscribe()
    }

    /// The time since the proxy began, which paths decide by.
    pub(super) fn now(&self) -> Duration {
        self.begun.elapsed()
    }

    /// A moment of that time, to sleep until.
    pub(super) fn instant(&self, since_begun: Duration) -> Instant {
        self.begun + since_begun
    }

    /// Room for so many bytes, if there is some; given back when dropped.
    pub(super) fn try_room(&self, bytes: usize) -> Option<OwnedSemaphorePermit> {
        self.waiting.clone().try_acquire_many_owned(u32::try_from(bytes).ok()?).ok()
    }

    /// The same, once there is some.
    pub(super) async fn room(&self, bytes: u32) -> OwnedSemaphorePermit {
        self.waiting.clone().acquire_many_owned(bytes).await.expect("the semaphore is never closed")
    }

    /// Changes the figures of a direction.
    pub(super) fn count(&self, direction: Direction, change: impl FnOnce(&mut DirectionStatistics)) {
        change(self.statistics().direction_mut(direction));
    }

    pub(super) fn new_client(self: &Arc<Self>) -> ClientCount {
        let mut statistics = self.statistics();
        let number = statistics.clients;
        statistics.clients += 1;
        statistics.clients_now += 1;
        ClientCount { number, shared: self.clone() }
    }

    fn cut(&self) {
        self.statistics().cuts += 1;
        self.settings.send_modify(|settings| settings.cuts += 1);
    }

    fn statistics(&self) -> MutexGuard<'_, FaultStatistics> {
        // Counters are whole at every moment, even if someone panicked beside them.
        self.statistics.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for ClientCount {
    fn drop(&mut self) {
        self.shared.statistics().clients_now -= 1;
    }
}

/// Goes dark and comes back as the profile says; a new profile begins anew.
async fn make_outages(shared: Arc<Shared>) {
    let (mut settings, mut number, mut ended) = (shared.settings(), 0, Instant::now());
    loop {
        let current = settings.borrow_and_update().profile.outages.clone();
        let outage = current.as_ref().map(|outages| outages.outage(shared.seed, number));
        tokio::select! {
            moment = happen(&shared, ended, outage) => (ended, number) = (moment, number + 1),
            changed = settings.wait_for(|settings| settings.profile.outages != current) => {
                if changed.is_err() {
                    return;
                }
                ended = Instant::now();
            }
        }
    }
}

/// Waits for an outage and carries it out; says when it ended. Without one, waits for ever.
async fn happen(shared: &Shared, before: Instant, outage: Option<Outage>) -> Instant {
    let Some(outage) = outage else { return future::pending().await };
    let begin = before + outage.after;
    sleep_until(begin).await;
    match outage.kind {
        OutageKind::Blackhole(lasting) => {
            shared.settings.send_modify(|settings| settings.outage = true);
            sleep_until(begin + lasting).await;
            shared.settings.send_modify(|settings| settings.outage = false);
            begin + lasting
        }
        OutageKind::Cut => {
            shared.cut();
            begin
        }
    }
}
