//! The project's own certificate authority: made at the hub's first start, then only read.

use std::io;
use std::path::{Path, PathBuf};

use aws_lc_rs::hmac::{self, HMAC_SHA256};
use aws_lc_rs::rand;
use data_encoding::HEXLOWER;
use link::{HUB_NAME, KeyPkcs8, NodeCertificate, ServerIdentity};
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose,
    IsCa, Issuer, KeyPair, KeyUsagePurpose, PublicKeyData, SanType, SerialNumber,
};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::csr::{CertificateRequest, IssueError};
use crate::{durable, pem};

const DAY: u64 = 86_400;
/// Node clocks are allowed to be a little behind the hub's.
const BACKDATED: u64 = 600;
const NODE_LIFE: u64 = 90 * DAY;
const HUB_LIFE: u64 = 365 * DAY;
const AUTHORITY_LIFE: u64 = 20 * 365 * DAY;
const KEY_FILE: &str = "key.pem";
const CERTIFICATE_FILE: &str = "certificate.pem";

/// Why the authority could not be opened or made. Nothing existing is ever overwritten.
#[derive(Debug, thiserror::Error)]
pub enum AuthorityError {
    /// Key and certificate are unreadable or do not belong together.
    #[error("the authority in {path} is damaged: {reason}; restore it from a backup")]
    Damaged {
        /// The authority's directory.
        path: PathBuf,
        /// What is wrong.
        reason: &'static str,
    },
    /// A new authority could not be generated.
    #[error("failed to make an authority")]
    Make(#[from] IssueError),
    /// The directory or a file in it could not be read or written.
    #[error("failed to read or write the authority in {path}")]
    Storage {
        /// The authority's directory.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
}

/// A certificate as handed to a node.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct IssuedCertificate {
    /// DER certificates, leaf first, without the authority.
    pub chain: Vec<Vec<u8>>,
    /// Serial number, as [`NodeCertificate::serial`] shows it.
    pub serial: Vec<u8>,
    /// Unix seconds.
    pub not_before: u64,
    /// Unix seconds.
    pub not_after: u64,
}

/// Signs hubs and nodes; whoever holds its key can be anyone.
#[derive(Debug)]
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate_der: Vec<u8>,
    spki_sha256: [u8; 32],
    id: String,
    not_before: u64,
}

impl Authority {
    /// Opens the authority in `directory`, or makes one where there is none yet. Blocks on the disk.
    ///
    /// A crash on the way leaves none or a whole one; of two hubs starting at once both end up with the same.
    pub fn open_or_create(directory: &Path, now_unix: u64) -> Result<Self, AuthorityError> {
        let storage = |source| AuthorityError::Storage { path: directory.to_owned(), source };
        if let Some(authority) = Self::open(directory)? {
            return Ok(authority);
        }
        let (key, certificate) = make(now_unix)?;
        let staged = durable::beside(directory, "new").map_err(storage)?;
        durable::create_private_directory(&staged).map_err(storage)?;
        durable::write_file(&staged.join(KEY_FILE), key.serialize_pem().as_bytes()).map_err(storage)?;
        durable::write_file(&staged.join(CERTIFICATE_FILE), certificate.pem().as_bytes()).map_err(storage)?;
        let installed = durable::install_directory(&staged, directory);
        match installed {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                // Another hub was faster: its authority counts, ours was never used.
                std::fs::remove_dir_all(&staged).map_err(storage)?;
            }
            installed => installed.map_err(storage)?,
        }
        let damaged = AuthorityError::Damaged { path: directory.to_owned(), reason: "it vanished" };
        Self::open(directory)?.ok_or(damaged)
    }

    fn open(directory: &Path) -> Result<Option<Self>, AuthorityError> {
        let read = |file| {
            durable::read_if_there(&directory.join(file))
                .map_err(|source| AuthorityError::Storage { path: directory.to_owned(), source })
        };
        match (read(KEY_FILE)?, read(CERTIFICATE_FILE)?) {
            (None, None) => Ok(None),
            (Some(key), Some(certificate)) => Self::from_pem(&key, &certificate).map(Some),
            (None, Some(_)) => Err("the key is missing"),
            (Some(_), None) => Err("the certificate is missing"),
        }
        .map_err(|reason| AuthorityError::Damaged { path: directory.to_owned(), reason })
    }

    fn from_pem(key: &[u8], certificate: &[u8]) -> Result<Self, &'static str> {
        let key = std::str::from_utf8(key).map_err(|_| "the key is not text")?;
        let key = KeyPair::from_pem(key).map_err(|_| "the key is unreadable")?;
        let mut certificates =
            pem::decode(pem::CERTIFICATE, certificate).ok_or("the certificate is unreadable")?;
        let certificate_der = certificates.swap_remove(0);
        let (spki_sha256, not_before) = {
            let (_, parsed) = x509_parser::parse_x509_certificate(&certificate_der)
                .map_err(|_| "the certificate is unreadable")?;
            if parsed.public_key().subject_public_key.data.as_ref() != key.der_bytes() {
                return Err("key and certificate do not belong together");
            }
            if !parsed.is_ca() {
                return Err("the certificate is not an authority's");
            }
            let hash = link::spki_sha256(&certificate_der).map_err(|_| "the certificate is unreadable")?;
            (hash, u64::try_from(parsed.validity().not_before.timestamp()).unwrap_or(0))
        };
        let der = certificate_der.as_slice().into();
        let issuer =
            Issuer::from_ca_cert_der(&der, key).map_err(|_| "the certificate is not an authority's")?;
        Ok(Self { issuer, id: authority_id(spki_sha256), certificate_der, spki_sha256, not_before })
    }

    /// `sto-` and the first half of [`spki_sha256`](Self::spki_sha256): the trust domain in its nodes' names.
    pub fn authority_id(&self) -> &str {
        &self.id
    }

    /// SHA-256 of its public key: what tokens pin.
    pub fn spki_sha256(&self) -> [u8; 32] {
        self.spki_sha256
    }

    /// Its own certificate, DER: what nodes and hubs trust.
    pub fn certificate_der(&self) -> &[u8] {
        &self.certificate_der
    }

    pub(crate) fn issuer(&self) -> &Issuer<'static, KeyPair> {
        &self.issuer
    }

    /// A secret that stays over restarts and is the same for all hubs of this authority, for
    /// [`link::HubOptions::restart_secret`].
    pub fn restart_secret(&self) -> [u8; 32] {
        self.derived_secret(b"sto restart secret 1")
    }

    /// What hubs of one database know each other's messages by that come through somebody else's hands.
    pub fn fan_out_secret(&self) -> [u8; 32] {
        self.derived_secret(b"sto fan-out secret 1")
    }

    /// A secret of its own for each purpose, the same for all hubs of this authority.
    pub(crate) fn derived_secret(&self, purpose: &[u8]) -> [u8; 32] {
        let key = hmac::Key::new(HMAC_SHA256, self.key().serialized_der());
        let mut secret = [0; 32];
        secret.copy_from_slice(hmac::sign(&key, purpose).as_ref());
        secret
    }

    pub(crate) fn key(&self) -> &KeyPair {
        self.issuer.key()
    }

    /// A key and certificate for a hub, to be made at each start and kept in memory: valid for a year from now.
    pub fn issue_hub(&self, now_unix: u64) -> Result<ServerIdentity, IssueError> {
        let key = KeyPair::generate()?;
        let name = SanType::DnsName(HUB_NAME.try_into()?);
        // As old as the authority: a node whose clock starts in 1970 knows only the time of its enrolment, and must
        // still believe a hub that was restarted later.
        let not_before = self.not_before.min(now_unix.saturating_sub(BACKDATED));
        let mut params = leaf(name, not_before, now_unix.saturating_add(HUB_LIFE))?;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let certificate = params.signed_by(&key, &self.issuer)?;
        Ok(ServerIdentity {
            certificate_chain: vec![certificate.der().to_vec(), self.certificate_der.clone()],
            key_pkcs8: KeyPkcs8::new(key.serialize_der()),
        })
    }

    /// A certificate for the key of a checked request; every other field is decided here.
    pub fn issue_node(
        &self,
        request: &CertificateRequest,
        node_id: Uuid,
        now_unix: u64,
    ) -> Result<IssuedCertificate, IssueError> {
        let uri = format!("spiffe://{}/node/{}", self.id, node_id.hyphenated());
        let name = SanType::URI(uri.try_into()?);
        let not_before = now_unix.saturating_sub(BACKDATED);
        let mut params = leaf(name, not_before, now_unix.saturating_add(NODE_LIFE))?;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        let der = params.signed_by(request.public_key(), &self.issuer)?.der().to_vec();
        let issued = NodeCertificate::from_der(&der)?;
        Ok(IssuedCertificate {
            chain: vec![der],
            serial: issued.serial,
            not_before: issued.not_before,
            not_after: issued.not_after,
        })
    }
}

pub(crate) fn authority_id(spki_sha256: [u8; 32]) -> String {
    format!("sto-{}", HEXLOWER.encode(&spki_sha256[..16]))
}

fn make(now_unix: u64) -> Result<(KeyPair, Certificate), IssueError> {
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::default();
    params.not_before = moment(now_unix.saturating_sub(BACKDATED))?;
    params.not_after = moment(now_unix.saturating_add(AUTHORITY_LIFE))?;
    params.serial_number = Some(serial()?);
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, "Space Telemetry Operations authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let certificate = params.self_signed(&key)?;
    Ok((key, certificate))
}

fn leaf(name: SanType, not_before: u64, not_after: u64) -> Result<CertificateParams, IssueError> {
    let mut params = CertificateParams::default();
    params.not_before = moment(not_before)?;
    params.not_after = moment(not_after)?;
    params.serial_number = Some(serial()?);
    params.distinguished_name = DistinguishedName::new();
    params.subject_alt_names = vec![name];
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.use_authority_key_identifier_extension = true;
    Ok(params)
}

fn moment(unix: u64) -> Result<OffsetDateTime, IssueError> {
    let signed = i64::try_from(unix).map_err(|_| IssueError::Time { unix })?;
    OffsetDateTime::from_unix_timestamp(signed).map_err(|_| IssueError::Time { unix })
}

fn serial() -> Result<SerialNumber, IssueError> {
    let mut bytes = [0; 16];
    rand::fill(&mut bytes).map_err(|_| IssueError::Serial)?;
    Ok(SerialNumber::from_slice(&bytes))
}

#[cfg(test)]
mod tests;
