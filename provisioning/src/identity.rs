//! A node's identity on its own disk: made in a directory beside, put in place in one step.

use std::io;
use std::path::{Path, PathBuf};

use link::{ClientOptions, Clock, KeyPkcs8, LinkOptions, NodeCertificate, NodeIdentity};
use rcgen::{CertificateParams, KeyPair, PublicKeyData};
use serde::{Deserialize, Serialize};
use tokio::task;
use uuid::Uuid;

use crate::{durable, pem};

const DIRECTORY: &str = "identity";
/// Holds a key that is not certified yet, so that coming back after a crash is coming back with the same key.
const STAGED_DIRECTORY: &str = "identity.new";
const KEY_FILE: &str = "key.pem";
const CERTIFICATE_FILE: &str = "certificate.pem";
const AUTHORITY_FILE: &str = "authority.pem";
const NODE_FILE: &str = "node.json";

/// Why the identity could not be read or stored.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// A file is there and cannot be right.
    #[error("{path} is damaged: {reason}")]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        reason: &'static str,
    },
    /// No key could be made.
    #[error("failed to make a key")]
    Key(#[from] rcgen::Error),
    /// The certificate is not for this node and key.
    #[error("the certificate received is not for this machine: {reason}")]
    NotOurs {
        /// What is wrong.
        reason: &'static str,
    },
    /// The program is stopping.
    #[error("stopped before the identity was stored")]
    Stopped,
    /// A file could not be read or written.
    #[error("failed to read or write {path}")]
    Storage {
        /// Which file or directory.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
}

/// What `node.json` holds.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) struct NodeFile {
    pub(crate) node_id: Uuid,
    pub(crate) name: String,
    pub(crate) site: String,
    pub(crate) hub_addresses: Vec<String>,
    pub(crate) hub_time_unix: u64,
    /// Absent from files written before there were bundles.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "key_text")]
    pub(crate) bundle_key: Option<[u8; 32]>,
}

/// A key as 64 hexadecimal digits.
mod key_text {
    use data_encoding::HEXLOWER;
    use serde::{Deserialize, Deserializer, Serializer, de};

    pub(super) fn serialize<S: Serializer>(key: &Option<[u8; 32]>, serializer: S) -> Result<S::Ok, S::Error> {
        match key {
            Some(key) => serializer.serialize_str(&HEXLOWER.encode(key)),
            None => serializer.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<[u8; 32]>, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        let decode = |text: String| {
            let bytes = HEXLOWER.decode(text.as_bytes()).ok()?;
            bytes.try_into().ok()
        };
        text.map(|text| decode(text).ok_or(de::Error::custom("not a key of 32 bytes"))).transpose()
    }
}

/// Who this node is, as the hub has granted it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Identity {
    /// Its identity for ever.
    pub node_id: Uuid,
    /// What it is called.
    pub name: String,
    /// Where it stands.
    pub site: String,
    /// Where the hub is, `host:port`.
    pub hub_addresses: Vec<String>,
    /// The hub's time when it last granted a certificate: a floor for this machine's clock.
    pub hub_time_unix: u64,
    /// The X25519 key that bundles for the hub are sealed for, once it is known.
    pub bundle_key: Option<[u8; 32]>,
    /// Its certificate, read.
    pub certificate: NodeCertificate,
    /// Its certificate and key, for the link.
    pub node: NodeIdentity,
    /// DER certificates of the authorities whose hubs it believes.
    pub authorities: Vec<Vec<u8>>,
}

impl Identity {
    /// Reads the identity under `state_dir`; `None` when this machine was never enrolled. Blocks on the disk.
    pub fn load(state_dir: &Path) -> Result<Option<Self>, IdentityError> {
        let directory = state_dir.join(DIRECTORY);
        let Some(node_file) = read(&directory.join(NODE_FILE))? else {
            return Ok(None);
        };
        let read_whole = |file: &str| {
            let path = directory.join(file);
            let bytes = read(&path)?;
            bytes.ok_or(IdentityError::Damaged { path, reason: "it is missing" })
        };
        let key = read_whole(KEY_FILE)?;
        let chain = read_whole(CERTIFICATE_FILE)?;
        let authorities = read_whole(AUTHORITY_FILE)?;
        let damaged = |file: &str, reason| IdentityError::Damaged { path: directory.join(file), reason };
        let node_file: NodeFile =
            serde_json::from_slice(&node_file).map_err(|_| damaged(NODE_FILE, "it is unreadable"))?;
        let key = parse_key(&key).ok_or(damaged(KEY_FILE, "it is unreadable"))?;
        let chain =
            pem::decode(pem::CERTIFICATE, &chain).ok_or(damaged(CERTIFICATE_FILE, "it is unreadable"))?;
        let authorities =
            pem::decode(pem::CERTIFICATE, &authorities).ok_or(damaged(AUTHORITY_FILE, "it is unreadable"))?;
        let certificate =
            leaf_for(&chain, node_file.node_id, &key).map_err(|reason| damaged(CERTIFICATE_FILE, reason))?;
        Ok(Some(Self {
            node_id: node_file.node_id,
            name: node_file.name,
            site: node_file.site,
            hub_addresses: node_file.hub_addresses,
            hub_time_unix: node_file.hub_time_unix,
            bundle_key: node_file.bundle_key,
            certificate,
            node: NodeIdentity { certificate_chain: chain, key_pkcs8: KeyPkcs8::new(key.serialize_der()) },
            authorities,
        }))
    }

    /// What the link needs to open sessions as this node.
    pub fn client_options(&self, link: impl Into<LinkOptions>, clock: Clock) -> ClientOptions {
        let mut options = ClientOptions::new(self.authorities.clone(), self.node.clone(), link);
        options.clock = clock;
        options
    }

    /// Whether a third of the certificate's life is over: then there are two thirds left for bad links.
    pub fn renewal_is_due(&self, now_unix: u64) -> bool {
        let NodeCertificate { not_before, not_after, .. } = self.certificate;
        now_unix >= not_before + not_after.saturating_sub(not_before) / 3
    }

    pub(crate) fn node_file(&self) -> NodeFile {
        NodeFile {
            node_id: self.node_id,
            name: self.name.clone(),
            site: self.site.clone(),
            hub_addresses: self.hub_addresses.clone(),
            hub_time_unix: self.hub_time_unix,
            bundle_key: self.bundle_key,
        }
    }

    /// Keeps the key that bundles for the hub are sealed for, as a receipt has brought it. Blocks on the disk.
    pub fn keep_bundle_key(&mut self, state_dir: &Path, key: [u8; 32]) -> Result<(), IdentityError> {
        if self.bundle_key == Some(key) {
            return Ok(());
        }
        self.bundle_key = Some(key);
        let path = state_dir.join(DIRECTORY).join(NODE_FILE);
        durable::write_file(&path, &self.node_file().to_json()).map_err(|source| storage(&path, source))
    }
}

impl NodeFile {
    fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec_pretty(self).expect("strings and numbers always become JSON")
    }
}

/// A key on disk that waits for its certificate.
#[derive(Debug)]
pub(crate) struct Staged {
    state_dir: PathBuf,
    key: KeyPair,
}

impl Staged {
    /// Takes the key left by an earlier attempt, or makes one and syncs it to disk.
    pub(crate) fn prepare(state_dir: &Path) -> Result<Self, IdentityError> {
        let directory = state_dir.join(STAGED_DIRECTORY);
        let path = directory.join(KEY_FILE);
        if let Some(key) = read(&path)?.and_then(|pem| parse_key(&pem)) {
            return Ok(Self { state_dir: state_dir.to_owned(), key });
        }
        durable::create_private_directory(&directory).map_err(|source| storage(&directory, source))?;
        let key = KeyPair::generate()?;
        durable::write_file(&path, key.serialize_pem().as_bytes())
            .map_err(|source| storage(&path, source))?;
        Ok(Self { state_dir: state_dir.to_owned(), key })
    }

    /// Asks for nothing but the key's certification, since nothing else would be granted.
    pub(crate) fn csr_der(&self) -> Result<Vec<u8>, IdentityError> {
        let mut params = CertificateParams::default();
        params.distinguished_name = rcgen::DistinguishedName::new();
        Ok(params.serialize_request(&self.key)?.der().to_vec())
    }

    /// Puts the new identity in place of the old one, whole.
    pub(crate) fn commit(
        self,
        node: &NodeFile,
        chain: &[Vec<u8>],
        authorities: &[Vec<u8>],
    ) -> Result<Identity, IdentityError> {
        leaf_for(chain, node.node_id, &self.key).map_err(|reason| IdentityError::NotOurs { reason })?;
        let directory = self.state_dir.join(STAGED_DIRECTORY);
        let write = |file: &str, bytes: &[u8]| {
            let path = directory.join(file);
            durable::write_file(&path, bytes).map_err(|source| storage(&path, source))
        };
        let certificates = |der: &[Vec<u8>]| pem::encode(pem::CERTIFICATE, der.iter().map(Vec::as_slice));
        write(CERTIFICATE_FILE, certificates(chain).as_bytes())?;
        write(AUTHORITY_FILE, certificates(authorities).as_bytes())?;
        write(NODE_FILE, &node.to_json())?;
        let target = self.state_dir.join(DIRECTORY);
        durable::replace_directory(&directory, &target).map_err(|source| storage(&target, source))?;
        let vanished = IdentityError::Damaged { path: target, reason: "it vanished" };
        Identity::load(&self.state_dir)?.ok_or(vanished)
    }
}

/// Runs what blocks on the disk away from the tasks that must not wait.
pub(crate) async fn on_disk<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, IdentityError> + Send + 'static,
) -> Result<T, IdentityError> {
    task::spawn_blocking(work).await.map_err(|_| IdentityError::Stopped)?
}

fn storage(path: &Path, source: io::Error) -> IdentityError {
    IdentityError::Storage { path: path.to_owned(), source }
}

fn read(path: &Path) -> Result<Option<Vec<u8>>, IdentityError> {
    durable::read_if_there(path).map_err(|source| storage(path, source))
}

fn parse_key(text: &[u8]) -> Option<KeyPair> {
    KeyPair::from_pem(std::str::from_utf8(text).ok()?).ok()
}

/// The chain's first certificate, if it is this node's and for this key.
fn leaf_for(chain: &[Vec<u8>], node_id: Uuid, key: &KeyPair) -> Result<NodeCertificate, &'static str> {
    let leaf = chain.first().ok_or("there is no certificate")?;
    let certificate = NodeCertificate::from_der(leaf).map_err(|_| "it is not a node's certificate")?;
    if certificate.node_id != node_id {
        return Err("it names another node");
    }
    let (_, parsed) = x509_parser::parse_x509_certificate(leaf).map_err(|_| "it is unreadable")?;
    if parsed.public_key().subject_public_key.data.as_ref() != key.der_bytes() {
        return Err("it is for another key");
    }
    Ok(certificate)
}
