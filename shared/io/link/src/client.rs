//! The node's end: connects to the hub at whichever of its addresses answers.

use std::io;
use std::net::{Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use quinn::{Endpoint, EndpointConfig};

use crate::clock::Clock;
use crate::connection::Connection;
use crate::datagram::DatagramSocket;
use crate::dial::Dialler;
use crate::error::{BindError, ConnectError};
use crate::profile::{LinkOptions, Profile};
use crate::socket::{LinkSocket, SocketBuffers, SocketWatch};
use crate::tls::{Alpn, ClientTls, NodeIdentity};
use crate::verify::HubVerifier;

/// What a node needs to open sessions.
#[derive(Clone, Debug)]
pub struct ClientOptions {
    /// DER certificates of the authorities whose hubs are believed.
    pub authorities: Vec<Vec<u8>>,
    /// What this node shows.
    pub identity: NodeIdentity,
    /// How the link is used.
    pub link: LinkOptions,
    /// The time certificates are checked against.
    pub clock: Clock,
}

impl ClientOptions {
    /// A node on a link of its kind, with the machine's clock.
    pub fn new(authorities: Vec<Vec<u8>>, identity: NodeIdentity, link: impl Into<LinkOptions>) -> Self {
        Self { authorities, identity, link: link.into(), clock: Clock::system() }
    }
}

/// Opens sessions to the hub, again and again, from one socket.
#[derive(Debug)]
pub struct Client {
    endpoint: Endpoint,
    socket: SocketWatch,
    dialler: Dialler,
    options: ClientOptions,
}

impl Client {
    /// Binds a socket; nothing is sent yet. Needs a running tokio.
    pub fn new(options: ClientOptions) -> Result<Self, BindError> {
        let socket = LinkSocket::bind_any().map_err(cannot_bind)?;
        Self::over(socket, EndpointConfig::default(), options)
    }

    /// A node on a simulated network. The same seed leads to packets of the same sizes at the same times, as long as
    /// time and network are the same too and congestion control leaves nothing to chance: BBR does, so take a contracted rate
    /// in its place.
    pub fn on_socket(
        socket: Arc<dyn DatagramSocket>,
        options: ClientOptions,
        seed: [u8; 32],
    ) -> Result<Self, BindError> {
        let mut config = EndpointConfig::default();
        config.rng_seed(Some(seed));
        Self::over(LinkSocket::simulated(socket), config, options)
    }

    fn over(socket: LinkSocket, config: EndpointConfig, options: ClientOptions) -> Result<Self, BindError> {
        let dialler = dialler_for_sessions(&options)?;
        let (endpoint, socket) = socket.into_endpoint(config, None).map_err(cannot_bind)?;
        Ok(Self { endpoint, socket, dialler, options })
    }

    /// Connects to the first address that answers; each has up to `timeout`, four of them at once.
    ///
    /// The order is that of preference: an address has a head start ([`Profile::head_start`]) before the next is tried
    /// beside it. The hub judges this node's certificate only after this has returned: a refusal shows as
    /// [`Closed`](crate::Closed) on first use. A node is connected when the hub's first frame was read, not before.
    pub async fn connect(
        &mut self,
        addresses: &[SocketAddr],
        timeout: Duration,
    ) -> Result<Connection, ConnectError> {
        self.dialler.dial_any(&self.endpoint, addresses, timeout).await
    }

    /// Shows a renewed certificate from the next connection on.
    pub fn replace_identity(&mut self, identity: NodeIdentity) -> Result<(), BindError> {
        let options = ClientOptions { identity, ..self.options.clone() };
        self.dialler = dialler_for_sessions(&options)?;
        self.options = options;
        Ok(())
    }

    /// Believes the hubs of these authorities, DER, from the next connection on, and no others.
    pub fn replace_authorities(&mut self, authorities: Vec<Vec<u8>>) -> Result<(), BindError> {
        let options = ClientOptions { authorities, ..self.options.clone() };
        self.dialler = dialler_for_sessions(&options)?;
        self.options = options;
        Ok(())
    }

    /// What the kernel gave the socket, for a warning.
    pub fn socket_buffers(&self) -> SocketBuffers {
        self.socket.buffers
    }

    /// Datagrams the kernel dropped because the socket's buffer was full; `None` where it does not tell. Reads a file.
    pub fn datagrams_dropped(&self) -> Option<u64> {
        self.socket.dropped()
    }

    /// Waits until closed connections have said goodbye; a process that exits without it leaves the hub guessing.
    pub async fn wait_idle(&self) {
        self.endpoint.wait_idle().await;
    }
}

/// Connects for enrolment to a hub that is known only by the hash of its authority's public key.
///
/// Nothing but the handshake is sent before the pin was found, in the chain the hub shows, as the self-signed
/// certificate that signed the hub's own.
pub async fn connect_pinned(
    addresses: &[SocketAddr],
    spki_sha256: [u8; 32],
    profile: Profile,
    clock: &Clock,
    timeout: Duration,
) -> Result<Connection, ConnectError> {
    let unusable = |error: BindError| ConnectError::Unreachable {
        address: addresses.first().copied().unwrap_or((Ipv6Addr::UNSPECIFIED, 0).into()),
        reason: error.to_string(),
    };
    let dialler = dialler_for_enrolment(spki_sha256, profile, clock).map_err(unusable)?;
    let socket = LinkSocket::bind_any().map_err(cannot_bind).map_err(unusable)?;
    let bound = socket.into_endpoint(EndpointConfig::default(), None);
    let (endpoint, _) = bound.map_err(cannot_bind).map_err(unusable)?;
    dialler.dial_any(&endpoint, addresses, timeout).await
}

fn cannot_bind(source: io::Error) -> BindError {
    BindError::Socket { address: (Ipv6Addr::UNSPECIFIED, 0).into(), source }
}

fn dialler_for_sessions(options: &ClientOptions) -> Result<Dialler, BindError> {
    let verifier = Arc::new(HubVerifier::trusting(&options.authorities)?);
    let tls =
        ClientTls { alpn: Alpn::Session, identity: Some(&options.identity), verifier, clock: &options.clock };
    Dialler::new(tls, options.link)
}

fn dialler_for_enrolment(pin: [u8; 32], profile: Profile, clock: &Clock) -> Result<Dialler, BindError> {
    let verifier = Arc::new(HubVerifier::pinned(pin));
    let tls = ClientTls { alpn: Alpn::Enroll, identity: None, verifier, clock };
    Dialler::new(tls, profile.into())
}
