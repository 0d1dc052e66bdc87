//! Real QUIC over loopback, between ends whose certificates are made here.

mod identity;
mod restart;
mod resumption;
mod simulated;
mod stalled;
mod streams;

use std::future::Future;
use std::net::{Ipv4Addr, SocketAddr};
use std::slice;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, SanType, SignatureAlgorithm,
};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::dial::Dialler;
use crate::socket::LinkSocket;
use crate::tls::{self, ClientTls};
use crate::verify::HubVerifier;
use crate::*;

const PATIENCE: Duration = Duration::from_secs(20);

/// Every wait in these tests is for a state, with this deadline.
async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.expect("the state was not reached in time")
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

fn loopback() -> SocketAddr {
    (Ipv4Addr::LOCALHOST, 0).into()
}

struct Authority {
    algorithm: &'static SignatureAlgorithm,
    issuer: Issuer<'static, KeyPair>,
    der: Vec<u8>,
}

impl Authority {
    fn new() -> Self {
        Self::with_keys(&PKCS_ECDSA_P256_SHA256)
    }

    /// For itself and for all it signs.
    fn with_keys(algorithm: &'static SignatureAlgorithm) -> Self {
        let key = KeyPair::generate_for(algorithm).unwrap();
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, "test authority");
        let der = params.self_signed(&key).unwrap().der().to_vec();
        Self { algorithm, issuer: Issuer::new(params, key), der }
    }

    fn pin(&self) -> [u8; 32] {
        spki_sha256(&self.der).unwrap()
    }

    /// A leaf, then the authority; `change` makes it what the test needs.
    fn leaf(&self, change: impl FnOnce(&mut CertificateParams)) -> (Vec<Vec<u8>>, KeyPkcs8) {
        let key = KeyPair::generate_for(self.algorithm).unwrap();
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        params.not_before = OffsetDateTime::from_unix_timestamp(now() as i64 - 600).unwrap();
        params.not_after = OffsetDateTime::from_unix_timestamp(now() as i64 + 86_400).unwrap();
        change(&mut params);
        let leaf = params.signed_by(&key, &self.issuer).unwrap();
        (vec![leaf.der().to_vec(), self.der.clone()], KeyPkcs8::new(key.serialize_der()))
    }

    fn hub(&self) -> ServerIdentity {
        let (certificate_chain, key_pkcs8) = self.leaf(|params| {
            params.subject_alt_names = vec![SanType::DnsName(HUB_NAME.try_into().unwrap())];
            params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        });
        ServerIdentity { certificate_chain, key_pkcs8 }
    }

    fn node(&self, node_id: Uuid) -> NodeIdentity {
        self.node_but(node_id, |_| {})
    }

    fn node_but(&self, node_id: Uuid, change: impl FnOnce(&mut CertificateParams)) -> NodeIdentity {
        let (certificate_chain, key_pkcs8) = self.leaf(|params| {
            let uri = format!("spiffe://sto-test/node/{node_id}");
            params.subject_alt_names = vec![SanType::URI(uri.try_into().unwrap())];
            params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
            change(params);
        });
        NodeIdentity { certificate_chain, key_pkcs8 }
    }

    fn options(&self) -> HubOptions {
        HubOptions::new(self.hub(), vec![self.der.clone()], Profile::Terrestrial)
    }

    fn client_options(&self, identity: NodeIdentity) -> ClientOptions {
        ClientOptions::new(vec![self.der.clone()], identity, Profile::Terrestrial)
    }
}

fn bind(options: HubOptions) -> (HubEndpoint, Vec<SocketAddr>) {
    let hub = HubEndpoint::bind(loopback(), options).unwrap();
    let address = hub.local_addr().unwrap();
    (hub, vec![address])
}

fn bind_error(options: HubOptions) -> Option<BindError> {
    HubEndpoint::bind(loopback(), options).err()
}

fn client_endpoint() -> quinn::Endpoint {
    let socket = LinkSocket::bind_any().unwrap();
    socket.into_endpoint(quinn::EndpointConfig::default(), None).unwrap().0
}

/// A client that shows whatever it likes, as a stranger would.
async fn connect_as(
    alpn: Alpn,
    identity: Option<&NodeIdentity>,
    authority: &Authority,
    addresses: &[SocketAddr],
) -> Result<Connection, ConnectError> {
    let verifier = Arc::new(HubVerifier::trusting(slice::from_ref(&authority.der)).unwrap());
    let clock = Clock::system();
    let tls = ClientTls { alpn, identity, verifier, clock: &clock };
    let dialler = Dialler::new(tls, Profile::Terrestrial.into()).unwrap();
    dialler.dial_any(&client_endpoint(), addresses, PATIENCE).await
}
