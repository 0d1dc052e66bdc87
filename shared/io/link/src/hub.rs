//! The hub's end: one port, many handshakes at once, finished connections one after another.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use aws_lc_rs::hmac::{self, HMAC_SHA256};
use quinn::crypto::rustls::HandshakeData;
use quinn::{Endpoint, EndpointConfig, Incoming, VarInt};
use quinn_proto::HashedConnectionIdGenerator;
use rustls::pki_types::CertificateDer;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;
use tracing::{debug, error};

use crate::certificate::NodeCertificate;
use crate::clock::Clock;
use crate::connection::{Connection, canonical};
use crate::datagram::DatagramSocket;
use crate::error::{BindError, Closed};
use crate::profile::LinkOptions;
use crate::socket::{LinkSocket, SocketBuffers, SocketWatch};
use crate::tls::{
    self, Alpn, CLOSE_CERTIFICATE_REQUIRED, CLOSE_CERTIFICATE_UNACCEPTABLE, CLOSE_DONE, ServerIdentity,
};
use crate::verify::NodeVerifier;

/// More at once only make each slower (measured: 1,000 took 31 s where 200 at a time took 1 s).
const HANDSHAKES_MAX: usize = 200;
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// Who waits for a handshake slot: a whole fleet after a restart. Beyond it nodes are told to come back.
const WAITING_MAX: usize = 1024;
/// What an unknown peer may have buffered here before its handshake starts.
const INCOMING_BUFFER: u64 = 16 * 1024;
/// Between two resets of forgotten connections. With quinn's 20 ms the last of a thousand nodes would learn 20 s late that
/// a killed hub is back; a reset is shorter than the packet it answers, so it helps nobody to drown a third.
const RESET_INTERVAL: Duration = Duration::from_micros(200);
/// Finished connections the caller has not taken yet; when full, handshakes keep their slot and wait.
const FINISHED_MAX: usize = 64;

/// What a hub needs to listen.
#[derive(Clone, Debug)]
pub struct HubOptions {
    /// What the hub shows.
    pub identity: ServerIdentity,
    /// DER certificates of the authorities that sign nodes.
    pub roots: Vec<Vec<u8>>,
    /// How the links of most nodes are used; each node's own profile decides the idle timeout.
    pub link: LinkOptions,
    /// The time certificates are checked against.
    pub clock: Clock,
    /// TLS session tickets handed out: 0, or a revoked node comes back in unseen; tests show it.
    pub tickets: usize,
    /// Handshakes at once.
    pub handshakes_max: usize,
    /// How long one handshake may take; half of it is the longest wait for its turn.
    pub handshake_timeout: Duration,
    /// The same secret after a restart lets the hub tell nodes at once that it forgot their connections; without it
    /// they notice by their idle timeout.
    pub restart_secret: Option<[u8; 32]>,
}

impl HubOptions {
    /// A hub with the machine's clock and every limit as it should be.
    pub fn new(identity: ServerIdentity, roots: Vec<Vec<u8>>, link: impl Into<LinkOptions>) -> Self {
        Self {
            identity,
            roots,
            link: link.into(),
            clock: Clock::system(),
            tickets: 0,
            handshakes_max: HANDSHAKES_MAX,
            handshake_timeout: HANDSHAKE_TIMEOUT,
            restart_secret: None,
        }
    }
}

/// A connection whose handshake is done; whether its node is still welcome is for the caller to look up.
#[derive(Clone, Debug)]
pub struct Accepted {
    /// What it is for.
    pub alpn: Alpn,
    /// Who it is: always there for [`Alpn::Session`].
    pub peer: Option<NodeCertificate>,
    /// The connection itself.
    pub connection: Connection,
    /// Where it came from.
    pub remote: SocketAddr,
}

/// How handshakes went since the endpoint was bound.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct HandshakeCounts {
    /// Node certificates the verifier found good; a resumed connection would not be among them.
    pub certificates_verified: u64,
    /// Handshakes that failed, whatever the reason.
    pub failed: u64,
    /// Peers told to come back because too many were waiting.
    pub refused_busy: u64,
}

#[derive(Debug, Default)]
struct Counters {
    verified: Arc<AtomicU64>,
    failed: AtomicU64,
    refused_busy: AtomicU64,
}

/// Listens for nodes. Dropping it closes every connection it accepted.
#[derive(Debug)]
pub struct HubEndpoint {
    endpoint: Endpoint,
    options: HubOptions,
    socket: SocketWatch,
    counters: Arc<Counters>,
    finished: mpsc::Receiver<Accepted>,
    admitting: JoinHandle<()>,
}

impl HubEndpoint {
    /// Binds and starts taking handshakes; what finished waits for [`accept`](Self::accept). Needs a running tokio.
    pub fn bind(address: SocketAddr, options: HubOptions) -> Result<Self, BindError> {
        let socket = LinkSocket::bind(address).map_err(|source| BindError::Socket { address, source })?;
        let config = options.restart_secret.map_or_else(EndpointConfig::default, endpoint_config);
        Self::over(socket, address, config, options)
    }

    /// A hub on a simulated network; [`Client::on_socket`](crate::Client::on_socket) says what the seed does.
    pub fn on_socket(
        socket: Arc<dyn DatagramSocket>,
        options: HubOptions,
        seed: [u8; 32],
    ) -> Result<Self, BindError> {
        let mut config = options.restart_secret.map_or_else(EndpointConfig::default, endpoint_config);
        config.rng_seed(Some(seed));
        let address = socket.local_addr();
        Self::over(LinkSocket::simulated(socket), address, config, options)
    }

    fn over(
        socket: LinkSocket,
        address: SocketAddr,
        config: EndpointConfig,
        options: HubOptions,
    ) -> Result<Self, BindError> {
        let counters = Arc::new(Counters::default());
        let server = server_config(&options, &counters)?;
        let bound = socket.into_endpoint(config, Some(server));
        let (endpoint, socket) = bound.map_err(|source| BindError::Socket { address, source })?;
        let (sender, finished) = mpsc::channel(FINISHED_MAX);
        let gate = Gate {
            slots: Arc::new(Semaphore::new(options.handshakes_max)),
            slots_max: options.handshakes_max,
            handshake_timeout: options.handshake_timeout,
            counters: Arc::clone(&counters),
            finished: sender,
        };
        let admitting = tokio::spawn(admit_all(endpoint.clone(), Arc::new(gate)));
        Ok(Self { endpoint, options, socket, counters, finished, admitting })
    }

    /// The next finished connection, or `None` once the endpoint is closed. Dropping the future loses nothing.
    pub async fn accept(&mut self) -> Option<Accepted> {
        self.finished.recv().await
    }

    /// Shows another certificate, or trusts other authorities, from the next handshake on.
    pub fn replace_trust(&mut self, identity: ServerIdentity, roots: Vec<Vec<u8>>) -> Result<(), BindError> {
        let options = HubOptions { identity, roots, ..self.options.clone() };
        self.endpoint.set_server_config(Some(server_config(&options, &self.counters)?));
        self.options = options;
        Ok(())
    }

    /// Where it listens, with the port the system chose.
    pub fn local_addr(&self) -> std::io::Result<SocketAddr> {
        self.endpoint.local_addr()
    }

    /// What the kernel gave the socket, for a warning.
    pub fn socket_buffers(&self) -> SocketBuffers {
        self.socket.buffers
    }

    /// Datagrams the kernel dropped because the socket's buffer was full; `None` where it does not tell. Reads a file.
    pub fn datagrams_dropped(&self) -> Option<u64> {
        self.socket.dropped()
    }

    /// Counters for metrics.
    pub fn handshake_counts(&self) -> HandshakeCounts {
        HandshakeCounts {
            certificates_verified: self.counters.verified.load(Ordering::Relaxed),
            failed: self.counters.failed.load(Ordering::Relaxed),
            refused_busy: self.counters.refused_busy.load(Ordering::Relaxed),
        }
    }

    /// Closes every connection and takes no more.
    pub fn close(&self, code: u32, reason: &str) {
        self.endpoint.close(VarInt::from_u32(code), reason.as_bytes());
    }

    /// Waits until every peer was told of the close.
    pub async fn wait_idle(&self) {
        self.endpoint.wait_idle().await;
    }
}

impl Drop for HubEndpoint {
    fn drop(&mut self) {
        self.admitting.abort();
        self.close(CLOSE_DONE, "the hub stopped");
    }
}

fn server_config(options: &HubOptions, counters: &Counters) -> Result<quinn::ServerConfig, BindError> {
    let verifier = Arc::new(NodeVerifier::new(&options.roots, Arc::clone(&counters.verified))?);
    let tls = tls::server(&options.identity, verifier, &options.clock, options.tickets)?;
    let mut config = quinn::ServerConfig::with_crypto(Arc::new(tls));
    config
        .transport_config(Arc::new(options.link.hub_transport()))
        .max_incoming(WAITING_MAX)
        .incoming_buffer_size(INCOMING_BUFFER)
        .incoming_buffer_size_total(INCOMING_BUFFER * WAITING_MAX as u64);
    Ok(config)
}

/// Connection ids and reset tokens that the next process will recognise as its own: without the former it would take
/// the packets of forgotten connections for noise, without the latter nodes would not believe its resets.
fn endpoint_config(restart_secret: [u8; 32]) -> EndpointConfig {
    let key = hmac::Key::new(HMAC_SHA256, &restart_secret);
    let tag = hmac::sign(&key, b"connection ids");
    let seed = tag.as_ref().first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes));
    let mut config = EndpointConfig::new(Arc::new(key));
    config
        .cid_generator(move || Box::new(HashedConnectionIdGenerator::from_key(seed)))
        .min_reset_interval(RESET_INTERVAL);
    config
}

/// Decides who may start a handshake.
struct Gate {
    slots: Arc<Semaphore>,
    slots_max: usize,
    handshake_timeout: Duration,
    counters: Arc<Counters>,
    finished: mpsc::Sender<Accepted>,
}

async fn admit_all(endpoint: Endpoint, gate: Arc<Gate>) {
    let mut handshakes = JoinSet::new();
    loop {
        tokio::select! {
            // Finished handshakes make room for the next; in a fixed order, so that a simulation can be repeated.
            biased;
            Some(ended) = handshakes.join_next(), if !handshakes.is_empty() => {
                if let Err(failure) = ended {
                    error!(%failure, "a handshake task panicked");
                }
            }
            incoming = endpoint.accept() => match incoming {
                Some(incoming) => gate.admit(incoming, &mut handshakes),
                None => return,
            },
        }
    }
}

impl Gate {
    fn admit(self: &Arc<Self>, incoming: Incoming, handshakes: &mut JoinSet<()>) {
        if handshakes.len() >= self.slots_max + WAITING_MAX {
            self.refuse(incoming);
        } else if self.is_crowded() && !incoming.remote_address_validated() && incoming.may_retry() {
            // Costs an honest node a round trip, and whoever forges addresses everything.
            let _ = incoming.retry();
        } else {
            handshakes.spawn(Arc::clone(self).finish(incoming));
        }
    }

    fn is_crowded(&self) -> bool {
        self.slots.available_permits() * 2 < self.slots_max
    }

    fn refuse(&self, incoming: Incoming) {
        self.counters.refused_busy.fetch_add(1, Ordering::Relaxed);
        incoming.refuse();
    }

    async fn finish(self: Arc<Self>, incoming: Incoming) {
        let remote = canonical(incoming.remote_address());
        let Ok(Ok(_slot)) = timeout(self.handshake_timeout / 2, self.slots.acquire()).await else {
            return self.refuse(incoming);
        };
        let reason = match timeout(self.handshake_timeout, handshake(incoming)).await {
            Ok(Ok(accepted)) => {
                // Fails only when the endpoint is gone, and the connection goes with it.
                let _ = self.finished.send(accepted).await;
                return;
            }
            Ok(Err(closed)) => closed.to_string(),
            Err(_) => format!("not finished within {:?}", self.handshake_timeout),
        };
        self.counters.failed.fetch_add(1, Ordering::Relaxed);
        debug!(%remote, reason, "handshake failed");
    }
}

async fn handshake(incoming: Incoming) -> Result<Accepted, Closed> {
    let connection = Connection::new(incoming.accept()?.await?);
    let remote = connection.remote_address();
    let refuse = |code: u32, reason: &str| {
        connection.close(code, reason);
        Closed::Transport { reason: reason.to_owned() }
    };
    let alpn = negotiated(&connection)
        .ok_or_else(|| refuse(CLOSE_CERTIFICATE_UNACCEPTABLE, "no protocol was agreed on"))?;
    let peer = match leaf(&connection) {
        None => None,
        // Verified already, except on a resumed connection: a form we would refuse today may come from an old ticket.
        Some(leaf) => Some(
            NodeCertificate::from_der(&leaf)
                .map_err(|error| refuse(CLOSE_CERTIFICATE_UNACCEPTABLE, &error.to_string()))?,
        ),
    };
    if alpn == Alpn::Session && peer.is_none() {
        return Err(refuse(CLOSE_CERTIFICATE_REQUIRED, "a session needs a node's certificate"));
    }
    Ok(Accepted { alpn, peer, connection, remote })
}

fn negotiated(connection: &Connection) -> Option<Alpn> {
    let data = connection.quinn().handshake_data()?.downcast::<HandshakeData>().ok()?;
    Alpn::from_wire(data.protocol.as_deref()?)
}

fn leaf(connection: &Connection) -> Option<CertificateDer<'static>> {
    let chain = connection.quinn().peer_identity()?.downcast::<Vec<CertificateDer<'static>>>().ok()?;
    chain.into_iter().next()
}
