//! The TCP door: bare space packets, one after the other, split anywhere.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use service::metric::Metric;
use space_packet::{PacketFramer, ReceptionTime, Rejection};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::OwnedWriteHalf;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use super::{Chunk, LinkStatistics};
use crate::config::Acknowledgement;
use crate::journal::DurableCount;

/// Bytes taken from a socket at once. With the connections a link takes at most, 4 MiB.
const READ_BYTES: usize = 16 * 1_024;
/// Bytes of unfinished packets of all connections together. Past it, who holds much gives up its packet.
const UNFINISHED_BYTES_MAX: usize = 8 << 20;
const UNFINISHED_BYTES_FAIR: usize = 4 * 1_024;
/// What a stopping node gives a full journal to take what was read already.
const STOP_WAIT: Duration = Duration::from_secs(2);
/// How long a closed connection waits for its last packets to become durable, to say so.
const LAST_ACKNOWLEDGEMENT: Duration = Duration::from_secs(10);

/// A link's listener.
pub struct TcpIntake {
    listener: TcpListener,
    statistics: Arc<LinkStatistics>,
    mission: usize,
    sealer: mpsc::Sender<Arc<Chunk>>,
    viewer: mpsc::Sender<Arc<Chunk>>,
    unfinished_bytes: Arc<AtomicUsize>,
}

impl TcpIntake {
    /// Binds the link's address. `mission` is the index of its mission; `unfinished_bytes` is shared by all links.
    pub async fn bind(
        statistics: Arc<LinkStatistics>,
        mission: usize,
        sealer: mpsc::Sender<Arc<Chunk>>,
        viewer: mpsc::Sender<Arc<Chunk>>,
        unfinished_bytes: Arc<AtomicUsize>,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind(statistics.config.listen).await?;
        let address = listener.local_addr()?;
        *statistics.listen.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = address.to_string();
        Ok(Self { listener, statistics, mission, sealer, viewer, unfinished_bytes })
    }

    /// Where it listens.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Takes connections until shutdown; then each one hands on what it has read and ends.
    pub async fn run(self, shutdown: CancellationToken) -> anyhow::Result<()> {
        let room = Arc::new(Semaphore::new(self.statistics.config.connections_max));
        let mut connections = JoinSet::new();
        loop {
            let (stream, remote) = tokio::select! {
                () = shutdown.cancelled() => break,
                accepted = self.listener.accept() => match accepted {
                    Ok(accepted) => accepted,
                    Err(error) => {
                        warn!(link = self.statistics.config.name, %error, "connection could not be accepted");
                        tokio::time::sleep(Duration::from_millis(100)).await;
                        continue;
                    }
                },
            };
            while connections.try_join_next().is_some() {}
            let Ok(permit) = Arc::clone(&room).try_acquire_owned() else {
                self.statistics.rejected("connection-limit", 0);
                continue;
            };
            let connection = Connection {
                framer: PacketFramer::new(self.statistics.config.packet_bytes_max),
                statistics: Arc::clone(&self.statistics),
                mission: self.mission,
                sealer: self.sealer.clone(),
                viewer: self.viewer.clone(),
                unfinished_bytes: Arc::clone(&self.unfinished_bytes),
                unfinished: 0,
                producer: None,
            };
            let shutdown = shutdown.clone();
            connections.spawn(async move {
                connection.statistics.clients.fetch_add(1, Ordering::Relaxed);
                let statistics = Arc::clone(&connection.statistics);
                connection.run(stream, remote, shutdown).await;
                statistics.clients.fetch_sub(1, Ordering::Relaxed);
                drop(permit);
            });
        }
        while connections.join_next().await.is_some() {}
        Ok(())
    }
}

struct Connection {
    framer: PacketFramer,
    statistics: Arc<LinkStatistics>,
    mission: usize,
    sealer: mpsc::Sender<Arc<Chunk>>,
    viewer: mpsc::Sender<Arc<Chunk>>,
    unfinished_bytes: Arc<AtomicUsize>,
    /// This connection's share of `unfinished_bytes`.
    unfinished: usize,
    producer: Option<Arc<DurableCount>>,
}

enum End {
    ByPeer,
    Overloaded,
    Shutdown,
    Stopped,
}

impl Connection {
    async fn run(mut self, stream: TcpStream, remote: SocketAddr, shutdown: CancellationToken) {
        let link = self.statistics.config.name.clone();
        debug!(link, %remote, "connection opened");
        // Acknowledgements are tiny and wanted at once.
        let _ = stream.set_nodelay(true);
        let (mut read, write) = stream.into_split();
        let sent = Arc::new(AtomicU64::new(0));
        let mut acknowledging = None;
        if self.statistics.config.acknowledgement == Acknowledgement::Count {
            let producer = Arc::new(DurableCount::default());
            acknowledging = Some(tokio::spawn(acknowledge(write, Arc::clone(&producer), Arc::clone(&sent))));
            self.producer = Some(producer);
        }
        let end = self.receive(&mut read, &shutdown, &sent).await;
        // What stands whole behind a header that lied about its length was received like the rest.
        while self.framer.pending_bytes() > 0 {
            let chunk = self.give_up();
            if !self.hand_on(chunk, &sent, &shutdown).await {
                break;
            }
        }
        self.account_unfinished(0);
        if let (Some(task), Some(producer)) = (acknowledging, &self.producer) {
            producer.close();
            let stop = task.abort_handle();
            let waits = matches!(end, End::ByPeer | End::Shutdown);
            if !waits || timeout(LAST_ACKNOWLEDGEMENT, task).await.is_err() {
                stop.abort();
            }
        }
        if matches!(end, End::Overloaded) {
            info!(link, %remote, "connection closed: unfinished packets take too much memory");
        }
        debug!(link, %remote, packets = sent.load(Ordering::Acquire), "connection closed");
    }

    async fn receive(
        &mut self,
        stream: &mut tokio::net::tcp::OwnedReadHalf,
        shutdown: &CancellationToken,
        sent: &AtomicU64,
    ) -> End {
        let mut buffer = vec![0; READ_BYTES];
        let mut packet_due: Option<Instant> = None;
        loop {
            let read = tokio::select! {
                () = shutdown.cancelled() => return End::Shutdown,
                () = due(packet_due) => {
                    let chunk = self.give_up();
                    if !self.hand_on(chunk, sent, shutdown).await {
                        return End::Stopped;
                    }
                    self.account_unfinished(self.framer.pending_bytes());
                    let waiting = self.framer.pending_bytes() > 0;
                    packet_due = waiting.then(|| Instant::now() + self.statistics.config.packet_timeout());
                    continue;
                }
                read = stream.read(&mut buffer) => match read {
                    Ok(0) | Err(_) => return End::ByPeer,
                    Ok(read) => read,
                },
            };
            let reception = ReceptionTime(service::clock::now());
            let chunk = self.frame(&buffer[..read], reception);
            let progressed = !chunk.ends.is_empty();
            if !self.hand_on(chunk, sent, shutdown).await {
                return End::Stopped;
            }
            if self.framer.pending_bytes() == 0 {
                packet_due = None;
            } else if progressed || packet_due.is_none() {
                packet_due = Some(Instant::now() + self.statistics.config.packet_timeout());
            }
            self.account_unfinished(self.framer.pending_bytes());
            let all = self.unfinished_bytes.load(Ordering::Relaxed);
            if all > UNFINISHED_BYTES_MAX && self.unfinished > UNFINISHED_BYTES_FAIR {
                self.statistics.rejected("memory", self.unfinished as u64);
                return End::Overloaded;
            }
        }
    }

    /// Hands packets to the sealer and the local view; false when nobody seals any more.
    async fn hand_on(&self, chunk: Chunk, sent: &AtomicU64, shutdown: &CancellationToken) -> bool {
        if chunk.ends.is_empty() {
            return true;
        }
        sent.fetch_add(chunk.ends.len() as u64, Ordering::AcqRel);
        self.statistics.accepted(&chunk);
        let chunk = Arc::new(chunk);
        // The local view may miss what it is too slow for; the journal misses nothing.
        if self.viewer.try_send(Arc::clone(&chunk)).is_err() {
            Metric::EdgeDecodeSkippedPackets.add(chunk.ends.len() as u64);
        }
        // A full journal makes this wait; a node that stops waits only a moment longer.
        tokio::select! {
            handed_on = self.sealer.send(chunk) => handed_on.is_ok(),
            () = async { shutdown.cancelled().await; tokio::time::sleep(STOP_WAIT).await } => false,
        }
    }

    /// Gives up the packet that is waited for; returns what stands whole behind it.
    fn give_up(&mut self) -> Chunk {
        let statistics = &self.statistics;
        self.framer.give_up(&mut |rejection| reject(statistics, rejection));
        self.frame(&[], ReceptionTime(service::clock::now()))
    }

    fn frame(&mut self, bytes: &[u8], reception: ReceptionTime) -> Chunk {
        let mut chunk = Chunk {
            mission: self.mission,
            reception,
            packets: Vec::with_capacity(bytes.len()),
            ends: Vec::new(),
            producer: self.producer.clone(),
        };
        self.framer.push(bytes);
        let statistics = &self.statistics;
        while let Some(packet) = self.framer.next_packet(&mut |rejection| reject(statistics, rejection)) {
            chunk.packets.extend_from_slice(packet);
            chunk.ends.push(chunk.packets.len() as u32);
        }
        chunk
    }

    fn account_unfinished(&mut self, bytes: usize) {
        self.unfinished_bytes.fetch_add(bytes, Ordering::Relaxed);
        self.unfinished_bytes.fetch_sub(self.unfinished, Ordering::Relaxed);
        self.unfinished = bytes;
    }
}

fn reject(statistics: &LinkStatistics, rejection: Rejection) {
    statistics.rejected(rejection.cause.name(), rejection.bytes);
}

async fn due(at: Option<Instant>) {
    match at {
        Some(at) => sleep_until(at).await,
        None => std::future::pending().await,
    }
}

/// Writes the newest count whenever it has changed, until the producer has closed and been told everything. A
/// producer that does not read blocks only this.
async fn acknowledge(mut write: OwnedWriteHalf, producer: Arc<DurableCount>, sent: Arc<AtomicU64>) {
    let mut told = 0;
    loop {
        let durable = producer.packets();
        if durable != told {
            told = durable;
            if write.write_all(&durable.to_be_bytes()).await.is_err() {
                return;
            }
        }
        if producer.is_closed() && told >= sent.load(Ordering::Acquire) {
            return;
        }
        producer.changed().await;
    }
}
