//! Who is let in and who is believed: the hub's check of nodes, and the node's check of the hub.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, OtherError, RootCertStore,
    SignatureScheme,
};

use crate::certificate::{self, NodeCertificate};
use crate::error::{BindError, printable};
use crate::tls::{provider, root_store};

fn refused(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(error))))
}

fn no_tls12() -> Error {
    Error::General("QUIC has no TLS 1.2".into())
}

/// The hub's check of a node: signed by one of our authorities, and of the one form a node's certificate has.
#[derive(Debug)]
pub(crate) struct NodeVerifier {
    inner: Arc<dyn ClientCertVerifier>,
    verified: Arc<AtomicU64>,
}

impl NodeVerifier {
    pub(crate) fn new(authorities: &[Vec<u8>], verified: Arc<AtomicU64>) -> Result<Self, BindError> {
        let inner = WebPkiClientVerifier::builder_with_provider(root_store(authorities)?, provider())
            .allow_unauthenticated()
            .build()
            .map_err(|error| BindError::Authorities(error.into()))?;
        Ok(Self { inner, verified })
    }
}

impl ClientCertVerifier for NodeVerifier {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.inner.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let verified = self.inner.verify_client_cert(end_entity, intermediates, now)?;
        NodeCertificate::from_der(end_entity).map_err(refused)?;
        self.verified.fetch_add(1, Ordering::Relaxed);
        Ok(verified)
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(no_tls12())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}

/// Why the node did not believe the hub; kept aside because quinn hands on only an alert and a text.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum HubRefusal {
    Certificate { reason: String },
    Pin { expected: [u8; 32], seen: [u8; 32] },
    Time { reason: String },
}

#[derive(Clone, Debug)]
enum Trust {
    Authorities(Arc<WebPkiServerVerifier>),
    Pin([u8; 32]),
}

/// The node's check of the hub, against the authorities it knows or against a pinned one it is shown.
#[derive(Debug)]
pub(crate) struct HubVerifier {
    trust: Trust,
    provider: Arc<CryptoProvider>,
    refusal: Mutex<Option<HubRefusal>>,
}

#[derive(Debug, thiserror::Error)]
#[error("the chain does not hold the pinned authority")]
struct NotPinned;

#[derive(Debug, thiserror::Error)]
#[error("not a certificate for server authentication")]
struct NotForServers;

impl HubVerifier {
    pub(crate) fn trusting(authorities: &[Vec<u8>]) -> Result<Self, BindError> {
        let verifier = webpki(root_store(authorities)?, provider())
            .map_err(|error| BindError::Authorities(error.into()))?;
        Ok(Self::new(Trust::Authorities(verifier)))
    }

    pub(crate) fn pinned(spki_sha256: [u8; 32]) -> Self {
        Self::new(Trust::Pin(spki_sha256))
    }

    fn new(trust: Trust) -> Self {
        Self { trust, provider: provider(), refusal: Mutex::new(None) }
    }

    /// The same check for another handshake.
    pub(crate) fn without_refusal(&self) -> Self {
        let provider = Arc::clone(&self.provider);
        Self { trust: self.trust.clone(), provider, refusal: Mutex::new(None) }
    }

    /// Why the last handshake failed here, once.
    pub(crate) fn take_refusal(&self) -> Option<HubRefusal> {
        self.refusal.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn record(&self, refusal: HubRefusal) {
        *self.refusal.lock().unwrap_or_else(PoisonError::into_inner) = Some(refusal);
    }

    fn check(&self, shown: &Shown<'_>) -> Result<ServerCertVerified, Error> {
        let verified = match &self.trust {
            Trust::Authorities(verifier) => shown.verify(verifier, shown.now)?,
            Trust::Pin(pin) => self.check_pinned(*pin, shown)?,
        };
        // Webpki lets a certificate without any usage pass for every purpose.
        let leaf = certificate::parse(shown.end_entity).map_err(refused)?;
        match leaf.extended_key_usage() {
            Ok(Some(usage)) if usage.value.server_auth => Ok(verified),
            _ => Err(refused(NotForServers)),
        }
    }

    fn check_pinned(&self, pin: [u8; 32], shown: &Shown<'_>) -> Result<ServerCertVerified, Error> {
        let authority = shown.intermediates.iter().find(|der| is_pinned_root(der, pin));
        let Some(authority) = authority else {
            let last = shown.intermediates.last().unwrap_or(shown.end_entity);
            let seen = certificate::spki_sha256(last).map_err(refused)?;
            self.record(HubRefusal::Pin { expected: pin, seen });
            return Err(refused(NotPinned));
        };
        let mut roots = RootCertStore::empty();
        roots.add(authority.clone().into_owned())?;
        let verifier = webpki(Arc::new(roots), Arc::clone(&self.provider)).map_err(refused)?;
        // A machine fresh from the box may think it is 1970. The pin says more about the hub than "not before" could,
        // so only "not after" is held against it.
        let leaf = certificate::parse(shown.end_entity).map_err(refused)?;
        let not_before = certificate::unix(leaf.validity().not_before.timestamp()).map_err(refused)?;
        let now = shown.now.as_secs().max(not_before);
        shown.verify(&verifier, UnixTime::since_unix_epoch(Duration::from_secs(now)))
    }
}

fn webpki(
    roots: Arc<RootCertStore>,
    provider: Arc<CryptoProvider>,
) -> Result<Arc<WebPkiServerVerifier>, rustls::server::VerifierBuilderError> {
    WebPkiServerVerifier::builder_with_provider(roots, provider).build()
}

fn is_pinned_root(der: &CertificateDer<'_>, pin: [u8; 32]) -> bool {
    certificate::parse(der).is_ok_and(|certificate| {
        certificate.subject().as_raw() == certificate.issuer().as_raw()
            && certificate::spki_hash(&certificate) == pin
    })
}

/// What the other end showed.
struct Shown<'a> {
    end_entity: &'a CertificateDer<'a>,
    intermediates: &'a [CertificateDer<'a>],
    server_name: &'a ServerName<'a>,
    ocsp_response: &'a [u8],
    now: UnixTime,
}

impl Shown<'_> {
    fn verify(&self, verifier: &WebPkiServerVerifier, now: UnixTime) -> Result<ServerCertVerified, Error> {
        verifier.verify_server_cert(
            self.end_entity,
            self.intermediates,
            self.server_name,
            self.ocsp_response,
            now,
        )
    }
}

fn classify(error: &Error) -> HubRefusal {
    // It may quote names from the certificate, which may be anyone's.
    let reason = printable(error.to_string().as_bytes());
    match error {
        Error::InvalidCertificate(
            CertificateError::Expired
            | CertificateError::ExpiredContext { .. }
            | CertificateError::NotValidYet
            | CertificateError::NotValidYetContext { .. },
        ) => HubRefusal::Time { reason },
        _ => HubRefusal::Certificate { reason },
    }
}

impl ServerCertVerifier for HubVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.take_refusal();
        let checked = self.check(&Shown { end_entity, intermediates, server_name, ocsp_response, now });
        if let Err(error) = &checked {
            let refusal = self.take_refusal().unwrap_or_else(|| classify(error));
            self.record(refusal);
        }
        checked
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(no_tls12())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
