//! The TCP door: space packets one after the other, bare or each behind its length, split anywhere.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use space_packet::ReceptionTime;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use super::framing::{Framer, Framing, Lost};
use super::{Link, Producer, Records, Submission};
use crate::config::Acknowledgement;

/// Bytes taken from a socket at once. With the connections a link takes at most, 4 MiB.
const READ_BYTES: usize = 16 * 1_024;
/// Bytes of unfinished packets of all connections together. Past it, who holds much gives up its packet.
const UNFINISHED_BYTES_MAX: usize = 8 << 20;
const UNFINISHED_BYTES_FAIR: usize = 4 * 1_024;
/// What a stopping program gives a full sink to take what was read already.
const STOP_WAIT: Duration = Duration::from_secs(2);
/// How long a closed connection waits for its last packets to become durable, to say so.
const LAST_ACKNOWLEDGEMENT: Duration = Duration::from_secs(10);

/// A link's listener.
pub struct TcpIntake {
    listener: TcpListener,
    link: Arc<Link>,
    unfinished_bytes: Arc<AtomicUsize>,
}

impl TcpIntake {
    /// Binds the link's address. `unfinished_bytes` is shared by all links.
    pub async fn bind(link: Link, unfinished_bytes: Arc<AtomicUsize>) -> io::Result<Self> {
        let listener = TcpListener::bind(link.statistics().config.listen).await?;
        link.statistics().on_listening(&listener.local_addr()?.to_string());
        Ok(Self { listener, link: Arc::new(link), unfinished_bytes })
    }

    /// Where it listens.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Takes connections until shutdown; then each one hands on what it has read and ends.
    pub async fn run(self, shutdown: CancellationToken) -> anyhow::Result<()> {
        let statistics = Arc::clone(self.link.statistics());
        let room = Arc::new(Semaphore::new(statistics.config.connections_max));
        let mut connections = JoinSet::new();
        loop {
            let (stream, remote) = tokio::select! {
                () = shutdown.cancelled() => break,
                accepted = self.listener.accept() => match accepted {
                    Ok(accepted) => accepted,
                    Err(error) => {
                        warn!(link = statistics.config.name, %error, "connection could not be accepted");
                        tokio::time::sleep(Duration::from_millis(100)).await;
                        continue;
                    }
                },
            };
            while connections.try_join_next().is_some() {}
            let Ok(permit) = Arc::clone(&room).try_acquire_owned() else {
                statistics.rejected("connection-limit", 0);
                // A crowd that is refused must not keep those that are served from their turns.
                tokio::task::yield_now().await;
                continue;
            };
            let connection = Connection {
                framer: Framer::new(statistics.config.framing, statistics.config.packet_bytes_max),
                link: Arc::clone(&self.link),
                unfinished_bytes: Arc::clone(&self.unfinished_bytes),
                unfinished: 0,
                producer: None,
            };
            let shutdown = shutdown.clone();
            let client = statistics.client();
            connections.spawn(async move {
                connection.run(stream, remote, shutdown).await;
                drop((client, permit));
            });
        }
        while connections.join_next().await.is_some() {}
        Ok(())
    }
}

struct Connection {
    framer: Framer,
    link: Arc<Link>,
    unfinished_bytes: Arc<AtomicUsize>,
    /// This connection's share of `unfinished_bytes`.
    unfinished: usize,
    producer: Option<Arc<Producer>>,
}

enum End {
    ByPeer,
    Lost(Lost),
    Overloaded,
    Shutdown,
    Stopped,
}

impl Connection {
    async fn run(mut self, stream: TcpStream, remote: SocketAddr, shutdown: CancellationToken) {
        let config = self.link.statistics().config.clone();
        let link = config.name.as_str();
        debug!(link, %remote, "connection opened");
        // Acknowledgements are tiny and wanted at once.
        let _ = stream.set_nodelay(true);
        let (mut read, write) = stream.into_split();
        let sent = Arc::new(AtomicU64::new(0));
        let mut acknowledging = None;
        if config.acknowledgement == Acknowledgement::Count {
            let producer = Arc::new(Producer::default());
            acknowledging = Some(tokio::spawn(acknowledge(write, Arc::clone(&producer), Arc::clone(&sent))));
            self.producer = Some(producer);
        }
        let end = self.receive(&mut read, &shutdown, &sent).await;
        // What stands whole behind a header that lied about its length was received like the rest.
        while self.framer.pending_bytes() > 0 {
            let found = self.framer.give_up();
            if !self.hand_on(found, &sent, &shutdown).await {
                break;
            }
        }
        self.account_unfinished(0);
        if let (Some(task), Some(producer)) = (acknowledging, &self.producer) {
            producer.durable.close();
            let stop = task.abort_handle();
            let waits = matches!(end, End::ByPeer | End::Lost(_) | End::Shutdown);
            if !waits || timeout(LAST_ACKNOWLEDGEMENT, task).await.is_err() {
                stop.abort();
            }
        }
        match end {
            End::Overloaded => {
                info!(link, %remote, "connection closed: unfinished packets take too much memory");
            }
            End::Lost(lost) => {
                info!(link, %remote, reason = %lost, "connection closed: where the next packet begins is not known");
            }
            End::ByPeer | End::Shutdown | End::Stopped => {}
        }
        debug!(link, %remote, records = sent.load(Ordering::Acquire), "connection closed");
    }

    async fn receive(
        &mut self,
        stream: &mut OwnedReadHalf,
        shutdown: &CancellationToken,
        sent: &AtomicU64,
    ) -> End {
        let packet_timeout = self.link.statistics().config.packet_timeout();
        let mut buffer = vec![0; READ_BYTES];
        let mut packet_due: Option<Instant> = None;
        loop {
            let read = tokio::select! {
                () = shutdown.cancelled() => return End::Shutdown,
                () = due(packet_due) => {
                    let found = self.framer.give_up();
                    let lost = found.lost;
                    if !self.hand_on(found, sent, shutdown).await {
                        return End::Stopped;
                    }
                    if let Some(lost) = lost {
                        return End::Lost(lost);
                    }
                    self.account_unfinished(self.framer.pending_bytes());
                    let waiting = self.framer.pending_bytes() > 0;
                    packet_due = waiting.then(|| Instant::now() + packet_timeout);
                    continue;
                }
                read = stream.read(&mut buffer) => match read {
                    Ok(0) | Err(_) => return End::ByPeer,
                    Ok(read) => read,
                },
            };
            let found = self.framer.frame(&buffer[..read]);
            let (progressed, lost) = (found.has_records(), found.lost);
            if !self.hand_on(found, sent, shutdown).await {
                return End::Stopped;
            }
            if let Some(lost) = lost {
                return End::Lost(lost);
            }
            if self.framer.pending_bytes() == 0 {
                packet_due = None;
            } else if progressed || packet_due.is_none() {
                packet_due = Some(Instant::now() + packet_timeout);
            }
            self.account_unfinished(self.framer.pending_bytes());
            let all = self.unfinished_bytes.load(Ordering::Relaxed);
            if all > UNFINISHED_BYTES_MAX && self.unfinished > UNFINISHED_BYTES_FAIR {
                self.link.statistics().rejected("memory", self.unfinished as u64);
                return End::Overloaded;
            }
        }
    }

    /// Hands records to the pipeline, in order; false when nobody takes them any more.
    async fn hand_on(&self, found: Framing, sent: &AtomicU64, shutdown: &CancellationToken) -> bool {
        let reception = ReceptionTime(service::clock::now());
        for (cause, bytes) in found.rejected {
            self.link.statistics().rejected(cause, bytes);
        }
        for records in found.records {
            // Of bare packets a producer counts those it sent, not the noise between them; behind lengths, whatever came
            // whole.
            let is_counted = match &records {
                Records::Unframed { cause, .. } => self.framer.counts(cause),
                _ => true,
            };
            let producer = self.producer.clone().filter(|_| is_counted);
            if is_counted {
                sent.fetch_add(records.count() as u64, Ordering::AcqRel);
            }
            let submission = Submission { reception, records, producer, request: None };
            // A full sink makes this wait; what stops waits only a moment longer.
            let is_taken = tokio::select! {
                taken = self.link.submit(submission) => taken.is_ok(),
                () = async { shutdown.cancelled().await; tokio::time::sleep(STOP_WAIT).await } => false,
            };
            if !is_taken {
                return false;
            }
        }
        true
    }

    fn account_unfinished(&mut self, bytes: usize) {
        self.unfinished_bytes.fetch_add(bytes, Ordering::Relaxed);
        self.unfinished_bytes.fetch_sub(self.unfinished, Ordering::Relaxed);
        self.unfinished = bytes;
    }
}

async fn due(at: Option<Instant>) {
    match at {
        Some(at) => sleep_until(at).await,
        None => std::future::pending().await,
    }
}

/// Writes the newest count whenever it has changed, until the producer has closed and been told everything. A
/// producer that does not read blocks only this.
async fn acknowledge(mut write: OwnedWriteHalf, producer: Arc<Producer>, sent: Arc<AtomicU64>) {
    let mut told = 0;
    loop {
        let durable = producer.durable.packets();
        if durable != told {
            told = durable;
            if write.write_all(&durable.to_be_bytes()).await.is_err() {
                return;
            }
        }
        if producer.durable.is_closed() && told >= sent.load(Ordering::Acquire) {
            return;
        }
        producer.durable.changed().await;
    }
}
