//! Finding the one of the hub's addresses that answers: the next is tried before the one before has given up.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use quinn::crypto::rustls::QuicClientConfig;
use quinn::{ConnectionError, Endpoint, TransportConfig};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};
use tracing::error;

use crate::connection::Connection;
use crate::error::{BindError, Closed, ConnectError};
use crate::profile::LinkOptions;
use crate::tls::{self, ClientTls, HUB_NAME};
use crate::verify::{HubRefusal, HubVerifier};

/// Attempts at once: a hub with more addresses than this has a few dead ones at most.
const ATTEMPTS_MAX: usize = 4;

/// What attempts to connect have in common.
#[derive(Debug)]
pub(crate) struct Dialler {
    tls: rustls::ClientConfig,
    verifier: Arc<HubVerifier>,
    transport: Arc<TransportConfig>,
    head_start: Duration,
}

impl Dialler {
    pub(crate) fn new(tls: ClientTls<'_>, link: LinkOptions) -> Result<Self, BindError> {
        Ok(Self {
            verifier: Arc::clone(&tls.verifier),
            tls: tls::client(tls)?,
            transport: Arc::new(link.node_transport()),
            head_start: link.profile.head_start(),
        })
    }

    /// The first connection that is finished; those still under way end with the future.
    ///
    /// An address gets a head start before the next is tried beside it, and none after it failed. When all have
    /// failed, the error that says most about what to do is reported.
    pub(crate) async fn dial_any(
        &self,
        endpoint: &Endpoint,
        addresses: &[SocketAddr],
        allowed: Duration,
    ) -> Result<Connection, ConnectError> {
        let mut untried = addresses.iter().copied();
        let mut attempts: JoinSet<Result<Connection, ConnectError>> = JoinSet::new();
        let mut worst = ConnectError::NoAddress;
        let mut next_at = Instant::now();
        loop {
            tokio::select! {
                // Who is finished wins, even when the next one's time has come.
                biased;
                Some(ended) = attempts.join_next(), if !attempts.is_empty() => match ended {
                    Ok(Ok(connection)) => return Ok(connection),
                    Ok(Err(error)) => {
                        next_at = Instant::now();
                        worst = if error.weight() > worst.weight() { error } else { worst };
                    }
                    Err(failure) => error!(%failure, "an attempt to connect panicked"),
                },
                () = sleep_until(next_at), if untried.len() > 0 && attempts.len() < ATTEMPTS_MAX => {
                    if let Some(address) = untried.next() {
                        attempts.spawn(self.dial(endpoint, address, allowed));
                    }
                    next_at = Instant::now() + self.head_start;
                }
                else => return Err(worst),
            }
        }
    }

    /// One attempt, which begins at once. It has a verifier of its own, so that its refusal is told from others'.
    fn dial(
        &self,
        endpoint: &Endpoint,
        address: SocketAddr,
        allowed: Duration,
    ) -> impl Future<Output = Result<Connection, ConnectError>> + Send + 'static {
        let verifier = Arc::new(self.verifier.without_refusal());
        let connecting = self.config(Arc::clone(&verifier)).and_then(|config| {
            endpoint.connect_with(config, address, HUB_NAME).map_err(|error| error.to_string())
        });
        async move {
            let connecting = connecting.map_err(|reason| ConnectError::Unreachable { address, reason })?;
            match timeout(allowed, connecting).await {
                Err(_) | Ok(Err(ConnectionError::TimedOut)) => {
                    Err(ConnectError::TimedOut { address, after: allowed })
                }
                Ok(Err(error)) => Err(explain(&verifier, address, error)),
                Ok(Ok(connection)) => Ok(Connection::new(connection)),
            }
        }
    }

    fn config(&self, verifier: Arc<HubVerifier>) -> Result<quinn::ClientConfig, String> {
        let mut tls = self.tls.clone();
        tls.dangerous().set_certificate_verifier(verifier);
        let crypto = QuicClientConfig::try_from(tls).map_err(|error| error.to_string())?;
        let mut config = quinn::ClientConfig::new(Arc::new(crypto));
        config.transport_config(Arc::clone(&self.transport));
        Ok(config)
    }
}

fn explain(verifier: &HubVerifier, address: SocketAddr, error: ConnectionError) -> ConnectError {
    match (verifier.take_refusal(), Closed::from(error)) {
        (Some(HubRefusal::Certificate { reason }), _) => ConnectError::HubCertificate { address, reason },
        (Some(HubRefusal::Pin { expected, seen }), _) => {
            ConnectError::PinMismatch { address, expected, seen }
        }
        (Some(HubRefusal::Time { reason }), _) => ConnectError::HubCertificateTime { address, reason },
        (None, Closed::Busy) => ConnectError::Busy { address },
        (None, closed) => ConnectError::Refused { address, closed },
    }
}
