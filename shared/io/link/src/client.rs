//! The node's end: connects to the hub at whichever of its addresses answers.

use std::net::{Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use quinn::{ConnectionError, Endpoint, EndpointConfig, TokioRuntime};
use tokio::time::timeout;

use crate::clock::Clock;
use crate::connection::Connection;
use crate::error::{BindError, Closed, ConnectError};
use crate::profile::Profile;
use crate::socket::{self, SocketBuffers};
use crate::tls::{self, Alpn, ClientTls, HUB_NAME, NodeIdentity};
use crate::verify::{HubRefusal, HubVerifier};

/// What a node needs to open sessions.
#[derive(Clone, Debug)]
pub struct ClientOptions {
    /// DER certificates of the authorities whose hubs are believed.
    pub authorities: Vec<Vec<u8>>,
    /// What this node shows.
    pub identity: NodeIdentity,
    /// The kind of link.
    pub profile: Profile,
    /// The time certificates are checked against.
    pub clock: Clock,
    /// How many TLS sessions to keep for resumption: 0, because hubs hand none out; tests show why.
    pub sessions_kept: usize,
}

impl ClientOptions {
    /// A node on a link of its kind, with the machine's clock.
    pub fn new(authorities: Vec<Vec<u8>>, identity: NodeIdentity, profile: Profile) -> Self {
        Self { authorities, identity, profile, clock: Clock::system(), sessions_kept: 0 }
    }
}

/// Opens sessions to the hub, again and again, from one socket.
#[derive(Debug)]
pub struct Client {
    endpoint: Endpoint,
    buffers: SocketBuffers,
    dialler: Dialler,
    options: ClientOptions,
}

impl Client {
    /// Binds a socket; nothing is sent yet. Needs a running tokio.
    pub fn new(options: ClientOptions) -> Result<Self, BindError> {
        let dialler = Dialler::for_sessions(&options)?;
        let (endpoint, buffers) = bind_endpoint()?;
        Ok(Self { endpoint, buffers, dialler, options })
    }

    /// Connects to the first address that answers, trying each for up to `timeout`.
    ///
    /// The hub judges this node's certificate only after this has returned: a refusal shows as [`Closed`] on first
    /// use. A node is connected when the hub's first frame was read, not before.
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
        self.dialler = Dialler::for_sessions(&options)?;
        self.options = options;
        Ok(())
    }

    /// What the kernel gave the socket, for a warning.
    pub fn socket_buffers(&self) -> SocketBuffers {
        self.buffers
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
    let dialler = Dialler::for_enrolment(spki_sha256, profile, clock).map_err(unusable)?;
    let (endpoint, _) = bind_endpoint().map_err(unusable)?;
    dialler.dial_any(&endpoint, addresses, timeout).await
}

fn bind_endpoint() -> Result<(Endpoint, SocketBuffers), BindError> {
    let address = (Ipv6Addr::UNSPECIFIED, 0).into();
    let failed = |source| BindError::Socket { address, source };
    let (socket, buffers) = socket::bind_any().map_err(failed)?;
    let endpoint = Endpoint::new(EndpointConfig::default(), None, socket, Arc::new(TokioRuntime));
    Ok((endpoint.map_err(failed)?, buffers))
}

#[derive(Debug)]
pub(crate) struct Dialler {
    config: quinn::ClientConfig,
    verifier: Arc<HubVerifier>,
}

impl Dialler {
    fn for_sessions(options: &ClientOptions) -> Result<Self, BindError> {
        let verifier = Arc::new(HubVerifier::trusting(&options.authorities)?);
        let tls = ClientTls {
            alpn: Alpn::Session,
            identity: Some(&options.identity),
            verifier,
            clock: &options.clock,
            sessions_kept: options.sessions_kept,
        };
        Self::new(tls, options.profile)
    }

    fn for_enrolment(pin: [u8; 32], profile: Profile, clock: &Clock) -> Result<Self, BindError> {
        let verifier = Arc::new(HubVerifier::pinned(pin));
        Self::new(
            ClientTls { alpn: Alpn::Enroll, identity: None, verifier, clock, sessions_kept: 0 },
            profile,
        )
    }

    pub(crate) fn new(tls: ClientTls<'_>, profile: Profile) -> Result<Self, BindError> {
        let verifier = Arc::clone(&tls.verifier);
        let mut config = quinn::ClientConfig::new(Arc::new(tls::client(tls)?));
        config.transport_config(Arc::new(profile.node_transport()));
        Ok(Self { config, verifier })
    }

    pub(crate) async fn dial_any(
        &self,
        endpoint: &Endpoint,
        addresses: &[SocketAddr],
        allowed: Duration,
    ) -> Result<Connection, ConnectError> {
        let mut worst = ConnectError::NoAddress;
        for address in addresses {
            match self.dial(endpoint, *address, allowed).await {
                Ok(connection) => return Ok(connection),
                Err(error) if error.weight() > worst.weight() => worst = error,
                Err(_) => {}
            }
        }
        Err(worst)
    }

    async fn dial(
        &self,
        endpoint: &Endpoint,
        address: SocketAddr,
        allowed: Duration,
    ) -> Result<Connection, ConnectError> {
        let connecting = endpoint
            .connect_with(self.config.clone(), address, HUB_NAME)
            .map_err(|error| ConnectError::Unreachable { address, reason: error.to_string() })?;
        match timeout(allowed, connecting).await {
            Err(_) | Ok(Err(ConnectionError::TimedOut)) => {
                Err(ConnectError::TimedOut { address, after: allowed })
            }
            Ok(Err(error)) => Err(self.explain(address, error)),
            Ok(Ok(connection)) => Ok(Connection::new(connection)),
        }
    }

    fn explain(&self, address: SocketAddr, error: ConnectionError) -> ConnectError {
        match (self.verifier.take_refusal(), Closed::from(error)) {
            (Some(HubRefusal::Certificate { reason }), _) => ConnectError::HubCertificate { address, reason },
            (Some(HubRefusal::Pin { expected, seen }), _) => {
                ConnectError::PinMismatch { address, expected, seen }
            }
            (Some(HubRefusal::Time { reason }), _) => ConnectError::HubCertificateTime { address, reason },
            (None, Closed::Busy) => ConnectError::Busy { address },
            (None, closed) => ConnectError::Refused { address, closed },
        }
    }
}
