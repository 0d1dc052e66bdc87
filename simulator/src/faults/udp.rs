//! Datagrams: every client gets a socket towards the upstream, as behind a NAT, and a task that holds what waits.

use std::{
    collections::{BTreeMap, HashMap, btree_map::OccupiedEntry},
    future, io,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use socket2::{Domain, Protocol, Socket, Type};
use tokio::{
    net::UdpSocket,
    sync::{OwnedSemaphorePermit, mpsc, watch},
    task::JoinSet,
    time::{Instant, sleep, sleep_until},
};
use tracing::warn;

use super::{
    Direction,
    path::{Fate, Path},
    proxy::{ClientCount, Settings, Shared},
    statistics::Cause,
};

/// Four times a fleet of a thousand. What comes from one more is dropped.
const CLIENTS_MAX: usize = 4_096;
/// Between the listening task and a client's, which only sorts datagrams in; beyond that they are dropped.
const HANDED_OVER_MAX: usize = 1_024;
const DATAGRAM_BYTES_MAX: usize = 65_535;
/// A mapping that its client did not use for so long is forgotten: as long as the longest blackout that is tested.
const IDLE_TIMEOUT: Duration = Duration::from_secs(300);
/// What the kernel may hold while we are busy, so that it loses nothing that nobody asked for.
const BUFFER_BYTES: usize = 8 << 20;
/// A socket that fails again and again is not asked more often.
const ERROR_PAUSE: Duration = Duration::from_millis(100);

/// A client's way to its task.
struct Mapping {
    to_task: mpsc::Sender<Datagram>,
    cuts: u64,
}

/// Bytes that wait, with their share of the bound.
struct Datagram {
    bytes: Vec<u8>,
    _room: OwnedSemaphorePermit,
}

/// What waits in one direction, by due time and then by order of arrival.
struct Line {
    path: Path,
    waiting: BTreeMap<(Duration, u64), Datagram>,
    serial: u64,
}

struct Client {
    address: SocketAddr,
    listen: Arc<UdpSocket>,
    upstream: UdpSocket,
    to_client: Line,
    to_upstream: Line,
    settings: watch::Receiver<Settings>,
    shared: Arc<Shared>,
    _count: ClientCount,
}

/// A socket with large buffers.
pub(super) fn bind(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    // The kernel gives what it may.
    let _ = socket.set_recv_buffer_size(BUFFER_BYTES);
    let _ = socket.set_send_buffer_size(BUFFER_BYTES);
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    UdpSocket::from_std(socket.into())
}

/// Takes datagrams in and hands them to their client's task.
pub(super) async fn run(listen: UdpSocket, shared: Arc<Shared>) {
    let (listen, settings) = (Arc::new(listen), shared.settings());
    let (mut mappings, mut tasks) = (HashMap::new(), JoinSet::new());
    let mut buffer = vec![0; DATAGRAM_BYTES_MAX];
    loop {
        let (length, address) = tokio::select! {
            received = listen.recv_from(&mut buffer) => match received {
                Ok(received) => received,
                Err(error) => {
                    warn!(%error, "failed to receive from clients");
                    sleep(ERROR_PAUSE).await;
                    continue;
                }
            },
            Some(_) = tasks.join_next() => continue,
        };
        shared.count(Direction::ToUpstream, |figures| figures.received += 1);
        let cuts = settings.borrow().cuts;
        let open = mappings.get(&address).is_some_and(|mapping: &Mapping| mapping.is_open(cuts));
        if !open {
            if mappings.len() >= CLIENTS_MAX {
                mappings.retain(|_, mapping| mapping.is_open(cuts));
            }
            let client = if mappings.len() < CLIENTS_MAX {
                Client::new(address, listen.clone(), shared.clone()).await
            } else {
                Err(io::Error::from(io::ErrorKind::QuotaExceeded))
            };
            match client {
                Ok(client) => {
                    let (to_task, datagrams) = mpsc::channel(HANDED_OVER_MAX);
                    tasks.spawn(client.run(datagrams, cuts));
                    mappings.insert(address, Mapping { to_task, cuts });
                }
                Err(error) => warn!(%address, %error, "failed to take a client in"),
            }
        }
        let datagram = shared.try_room(length).map(|room| Datagram::new(&buffer[..length], room));
        let handed_over = datagram
            .zip(mappings.get(&address))
            .is_some_and(|(datagram, mapping)| mapping.to_task.try_send(datagram).is_ok());
        if !handed_over {
            shared.count(Direction::ToUpstream, |figures| figures.drop_one(Cause::ProxyFull));
        }
    }
}

impl Mapping {
    fn is_open(&self, cuts: u64) -> bool {
        self.cuts == cuts && !self.to_task.is_closed()
    }
}

impl Datagram {
    fn new(bytes: &[u8], room: OwnedSemaphorePermit) -> Self {
        Self { bytes: bytes.to_vec(), _room: room }
    }
}

impl Line {
    fn new(path: Path) -> Self {
        Self { path, waiting: BTreeMap::new(), serial: 0 }
    }

    fn push(&mut self, due: Duration, datagram: Datagram) {
        self.serial += 1;
        self.waiting.insert((due, self.serial), datagram);
    }

    fn pop_due(&mut self, now: Duration) -> Option<Datagram> {
        self.waiting.first_entry().filter(|first| first.key().0 <= now).map(OccupiedEntry::remove)
    }

    fn next_due(&self) -> Option<Duration> {
        self.waiting.keys().next().map(|(due, _)| *due)
    }
}

impl Client {
    async fn new(address: SocketAddr, listen: Arc<UdpSocket>, shared: Arc<Shared>) -> io::Result<Self> {
        let any_port: SocketAddr = match shared.upstream {
            SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
            SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
        };
        let upstream = bind(any_port)?;
        // Only the upstream may answer.
        upstream.connect(shared.upstream).await?;
        let count = shared.new_client();
        let line = |direction| Line::new(Path::new(shared.seed, count.number, direction));
        Ok(Self {
            address,
            listen,
            upstream,
            to_client: line(Direction::ToClient),
            to_upstream: line(Direction::ToUpstream),
            settings: shared.settings(),
            _count: count,
            shared,
        })
    }

    /// Relays until the client is idle or cut off.
    async fn run(mut self, mut from_client: mpsc::Receiver<Datagram>, cuts: u64) {
        let mut buffer = vec![0; DATAGRAM_BYTES_MAX];
        let mut idle_at = Instant::now() + IDLE_TIMEOUT;
        while self.settings.borrow_and_update().cuts == cuts {
            self.deliver().await;
            let due = self.to_client.next_due().into_iter().chain(self.to_upstream.next_due()).min();
            let due = due.map(|due| self.shared.instant(due));
            tokio::select! {
                Some(datagram) = from_client.recv() => {
                    idle_at = Instant::now() + IDLE_TIMEOUT;
                    self.take(Direction::ToUpstream, datagram);
                }
                received = self.upstream.recv(&mut buffer) => {
                    // An upstream that is not there says so by an error, which is no reason to forget the client.
                    let Ok(length) = received else { continue };
                    self.shared.count(Direction::ToClient, |figures| figures.received += 1);
                    match self.shared.try_room(length) {
                        Some(room) => self.take(Direction::ToClient, Datagram::new(&buffer[..length], room)),
                        None => self.drop_one(Direction::ToClient, Cause::ProxyFull),
                    }
                }
                () = until(due) => {}
                changed = self.settings.changed() => if changed.is_err() { return },
                () = sleep_until(idle_at) => return,
            }
        }
    }

    fn line(&mut self, direction: Direction) -> &mut Line {
        match direction {
            Direction::ToClient => &mut self.to_client,
            Direction::ToUpstream => &mut self.to_upstream,
        }
    }

    fn drop_one(&self, direction: Direction, cause: Cause) {
        self.shared.count(direction, |figures| figures.drop_one(cause));
    }

    /// Sorts a datagram in, or drops it.
    fn take(&mut self, direction: Direction, mut datagram: Datagram) {
        let (now, settings) = (self.shared.now(), self.settings.clone());
        let settings = settings.borrow();
        let fate = match settings.blocks(direction) {
            Some(cause) => Fate::Dropped(cause),
            None => {
                let (faults, length) = (settings.profile.direction(direction), datagram.bytes.len());
                self.line(direction).path.on_datagram(faults, length, now)
            }
        };
        let passage = match fate {
            Fate::Dropped(cause) => return self.drop_one(direction, cause),
            Fate::Passed(passage) => passage,
        };
        if let Some(bit) = passage.flipped_bit {
            datagram.bytes[bit / 8] ^= 1 << (bit % 8);
        }
        let room = passage.copy_due.and_then(|due| Some((due, self.shared.try_room(datagram.bytes.len())?)));
        let copy = room.map(|(due, room)| (due, Datagram::new(&datagram.bytes, room)));
        self.shared.count(direction, |figures| {
            figures.delayed += u64::from(passage.due > now);
            figures.duplicated += u64::from(copy.is_some());
            figures.held_back += u64::from(passage.held_back);
            figures.corrupted += u64::from(passage.flipped_bit.is_some());
        });
        let line = self.line(direction);
        line.push(passage.due, datagram);
        if let Some((due, copy)) = copy {
            line.push(due, copy);
        }
    }

    /// Sends what is due. What is on its way when a link goes dark is lost as well.
    async fn deliver(&mut self) {
        let now = self.shared.now();
        for direction in Direction::ALL {
            while let Some(datagram) = self.line(direction).pop_due(now) {
                let blocked = self.settings.borrow().blocks(direction);
                if let Some(cause) = blocked {
                    self.drop_one(direction, cause);
                    continue;
                }
                let sent = match direction {
                    Direction::ToClient => self.listen.send_to(&datagram.bytes, self.address).await,
                    Direction::ToUpstream => self.upstream.send(&datagram.bytes).await,
                };
                match sent {
                    Ok(length) => self.shared.count(direction, |figures| {
                        figures.forwarded += 1;
                        figures.forwarded_bytes += length as u64;
                    }),
                    Err(_) => self.drop_one(direction, Cause::Refused),
                }
            }
        }
    }
}

/// Sleeps for ever without a moment.
async fn until(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => future::pending().await,
    }
}
