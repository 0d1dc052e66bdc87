//! TLS for both ends: 1.3 only, one provider, no tickets, no early data.

use std::fmt;
use std::sync::Arc;

use quinn::crypto::rustls::QuicServerConfig;
use rustls::RootCertStore;
use rustls::client::Resumption;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::{NoServerSessionStorage, ServerSessionMemoryCache};
use rustls::version::TLS13;
use rustls::{ClientConfig, ServerConfig};

use crate::clock::Clock;
use crate::error::{BindError, BoxError};
use crate::verify::{HubVerifier, NodeVerifier};

/// The name in the hub's certificate, whatever address it is reached at: only our own authority is trusted, and it
/// gives this name to hubs only.
pub const HUB_NAME: &str = "hub.sto.internal";

/// Closed because everything was said.
pub const CLOSE_DONE: u32 = 0;
/// Closed by the hub: a session needs a certificate.
pub const CLOSE_CERTIFICATE_REQUIRED: u32 = 0x10;
/// Closed by the hub: the certificate does not name a node.
pub const CLOSE_CERTIFICATE_UNACCEPTABLE: u32 = 0x11;

/// Makes aws-lc-rs the process's TLS provider; every `main` calls it first, twice does no harm.
pub fn install_crypto_provider() {
    // Fails only when a provider is installed already.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
}

/// What a connection is for, agreed within the handshake.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Alpn {
    /// `sto-enroll/1`: a node that has no certificate yet asks for one.
    Enroll,
    /// `sto-session/1`: a node forwards.
    Session,
}

impl Alpn {
    /// The protocol's name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Enroll => "sto-enroll/1",
            Self::Session => "sto-session/1",
        }
    }

    pub(crate) fn from_wire(name: &[u8]) -> Option<Self> {
        [Self::Enroll, Self::Session].into_iter().find(|alpn| alpn.as_str().as_bytes() == name)
    }

    fn to_wire(self) -> Vec<u8> {
        self.as_str().as_bytes().to_vec()
    }
}

/// A private key, PKCS#8 in DER, that prints as `***`.
#[derive(Clone, Eq, PartialEq)]
pub struct KeyPkcs8(Vec<u8>);

impl KeyPkcs8 {
    /// Takes the key's bytes; whether they are a key shows when it is used.
    pub fn new(der: Vec<u8>) -> Self {
        Self(der)
    }

    /// The key itself, for whoever stores or uses it.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    fn to_rustls(&self) -> PrivateKeyDer<'static> {
        PrivatePkcs8KeyDer::from(self.0.clone()).into()
    }
}

impl fmt::Debug for KeyPkcs8 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// What a hub shows and proves: leaf first, then up to and including the authority, so that a pin can be found.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ServerIdentity {
    /// DER certificates.
    pub certificate_chain: Vec<Vec<u8>>,
    /// The leaf's key.
    pub key_pkcs8: KeyPkcs8,
}

/// What a node shows and proves.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NodeIdentity {
    /// DER certificates, leaf first.
    pub certificate_chain: Vec<Vec<u8>>,
    /// The leaf's key.
    pub key_pkcs8: KeyPkcs8,
}

pub(crate) fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

pub(crate) fn root_store(authorities: &[Vec<u8>]) -> Result<Arc<RootCertStore>, BindError> {
    let mut roots = RootCertStore::empty();
    for authority in authorities {
        let added = roots.add(CertificateDer::from(authority.clone()));
        added.map_err(|error| BindError::Authorities(error.into()))?;
    }
    Ok(Arc::new(roots))
}

fn chain(certificates: &[Vec<u8>]) -> Vec<CertificateDer<'static>> {
    certificates.iter().cloned().map(CertificateDer::from).collect()
}

fn identity_error(error: impl Into<BoxError>) -> BindError {
    BindError::Identity(error.into())
}

/// The hub's side. A certificate is asked for but not demanded, since enrolment has none: the endpoint demands it.
pub(crate) fn server(
    identity: &ServerIdentity,
    verifier: Arc<NodeVerifier>,
    clock: &Clock,
    tickets: usize,
) -> Result<QuicServerConfig, BindError> {
    let mut config = ServerConfig::builder_with_details(provider(), Arc::new(clock.clone()))
        .with_protocol_versions(&[&TLS13])
        .map_err(identity_error)?
        .with_client_cert_verifier(verifier)
        .with_single_cert(chain(&identity.certificate_chain), identity.key_pkcs8.to_rustls())
        .map_err(identity_error)?;
    config.alpn_protocols = vec![Alpn::Session.to_wire(), Alpn::Enroll.to_wire()];
    config.max_early_data_size = 0;
    // A resumed connection skips the verifier, so a revoked node would come back in with a ticket (measured).
    config.send_tls13_tickets = tickets;
    config.session_storage = match tickets {
        0 => Arc::new(NoServerSessionStorage {}),
        _ => ServerSessionMemoryCache::new(256),
    };
    QuicServerConfig::try_from(config).map_err(identity_error)
}

pub(crate) struct ClientTls<'a> {
    pub(crate) alpn: Alpn,
    pub(crate) identity: Option<&'a NodeIdentity>,
    pub(crate) verifier: Arc<HubVerifier>,
    pub(crate) clock: &'a Clock,
}

/// The node's side.
pub(crate) fn client(tls: ClientTls<'_>) -> Result<ClientConfig, BindError> {
    let builder = ClientConfig::builder_with_details(provider(), Arc::new(tls.clock.clone()))
        .with_protocol_versions(&[&TLS13])
        .map_err(identity_error)?
        .dangerous()
        .with_custom_certificate_verifier(tls.verifier);
    let mut config = match tls.identity {
        None => builder.with_no_client_auth(),
        Some(identity) => builder
            .with_client_auth_cert(chain(&identity.certificate_chain), identity.key_pkcs8.to_rustls())
            .map_err(identity_error)?,
    };
    config.alpn_protocols = vec![tls.alpn.to_wire()];
    config.enable_early_data = false;
    // Hubs hand out no tickets; tests show why.
    config.resumption = Resumption::disabled();
    Ok(config)
}
