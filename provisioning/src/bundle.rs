//! The cryptography of bundles and receipts: sealed for the hub, signed by the node; and signed by the authority.
//!
//! X25519 between a key made for one file and the hub's, HKDF-SHA256 over it, ChaCha20-Poly1305 for each chunk with
//! its number as nonce: no key ever seals two files. Signatures are ECDSA P-256, as everywhere here.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use aws_lc_rs::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::agreement::{self, PrivateKey, UnparsedPublicKey, X25519};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use aws_lc_rs::signature::{self, ECDSA_P256_SHA256_ASN1};
use delivery::{
    Bundle, BundleError, BundleReader, BundleSource, Cipher, CryptoRefused, HubReceipt, NodeId, Signer,
    UncheckedReceipt, Verifier,
};
use link::NodeCertificate;
use rcgen::{KeyPair, SigningKey};
use uuid::Uuid;

use crate::{Authority, Identity};

const SALT: &[u8] = b"sto-bundle-1";
/// OID of ecdsa-with-SHA256 (RFC 5758, 3.2): the only signature the authority makes.
const ECDSA_WITH_SHA256: &str = "1.2.840.10045.4.3.2";

/// Why the hub gives back a bundle, or a node a receipt.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum NotForUs {
    /// The certificate in it is not one that the authority gave to this node.
    #[error("the certificate in it was not issued to its node by this hub's authority: {reason}")]
    Certificate {
        /// What is wrong.
        reason: &'static str,
    },
    /// The file itself.
    #[error(transparent)]
    File(#[from] BundleError),
    /// It is sealed for another hub, or signed by one.
    #[error("it is of another hub")]
    OtherHub,
    /// It is for another node.
    #[error("it is for node {node}, and this is node {ours}")]
    OtherNode {
        /// The node it is for.
        node: Uuid,
        /// The node here.
        ours: Uuid,
    },
}

/// A bundle on a disk. Blocks; a place that the disk does not give is left out.
#[derive(Debug)]
pub struct BundleFile {
    file: File,
    length: u64,
}

impl BundleFile {
    /// Opens it to be read; a directory or a device is refused.
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let about = file.metadata()?;
        if !about.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a file"));
        }
        Ok(Self { file, length: about.len() })
    }
}

impl BundleSource for BundleFile {
    fn length(&self) -> u64 {
        self.length
    }

    fn read(&self, at: u64, bytes: usize) -> Option<Vec<u8>> {
        let mut read = vec![0; bytes];
        self.file.read_exact_at(&mut read, at).ok().map(|()| read)
    }
}

/// The key of one file.
#[derive(Debug)]
pub struct FileCipher(LessSafeKey);

impl FileCipher {
    /// A new file's key for a hub, and what the file's header must say so that the hub finds it again.
    pub fn for_hub(hub_key: &[u8; 32]) -> Result<(Self, [u8; 32]), CryptoRefused> {
        let ours = PrivateKey::generate(&X25519).map_err(refused)?;
        let file_key = public(&ours)?;
        Ok((Self::agreed(&ours, hub_key, &file_key, hub_key)?, file_key))
    }

    fn agreed(
        ours: &PrivateKey,
        theirs: &[u8; 32],
        file_key: &[u8; 32],
        hub_key: &[u8; 32],
    ) -> Result<Self, CryptoRefused> {
        let theirs = UnparsedPublicKey::new(&X25519, theirs);
        agreement::agree(ours, theirs, Unspecified, |shared| {
            let secret = Salt::new(HKDF_SHA256, SALT).extract(shared);
            let both: [&[u8]; 2] = [file_key, hub_key];
            let key = UnboundKey::from(secret.expand(&both, &CHACHA20_POLY1305)?);
            Ok(Self(LessSafeKey::new(key)))
        })
        .map_err(refused)
    }
}

impl Cipher for FileCipher {
    fn seal(&self, chunk: u32, associated: &[u8], bytes: &mut Vec<u8>) -> Result<(), CryptoRefused> {
        let associated = Aad::from(bound(chunk, associated));
        self.0.seal_in_place_append_tag(nonce(chunk), associated, bytes).map_err(refused)
    }

    fn open(&self, chunk: u32, associated: &[u8], bytes: &mut Vec<u8>) -> Result<(), CryptoRefused> {
        let associated = Aad::from(bound(chunk, associated));
        let length = self.0.open_in_place(nonce(chunk), associated, bytes).map_err(refused)?.len();
        bytes.truncate(length);
        Ok(())
    }
}

fn nonce(chunk: u32) -> Nonce {
    let mut bytes = [0; NONCE_LEN];
    bytes[..4].copy_from_slice(&chunk.to_le_bytes());
    Nonce::assume_unique_for_key(bytes)
}

fn bound(chunk: u32, associated: &[u8]) -> Vec<u8> {
    [&chunk.to_le_bytes(), associated].concat()
}

fn refused(_: Unspecified) -> CryptoRefused {
    CryptoRefused
}

fn public(key: &PrivateKey) -> Result<[u8; 32], CryptoRefused> {
    let public = key.compute_public_key().map_err(refused)?;
    public.as_ref().try_into().map_err(|_| CryptoRefused)
}

/// Signs as the node whose identity it was taken from.
#[derive(Debug)]
pub struct NodeSigner(KeyPair);

impl Signer for NodeSigner {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, CryptoRefused> {
        self.0.sign(message).map_err(|_| CryptoRefused)
    }
}

/// The public key out of a certificate.
#[derive(Debug)]
pub struct CertifiedKey(Vec<u8>);

impl CertifiedKey {
    fn of(certificate_der: &[u8]) -> Option<Self> {
        let (_, parsed) = x509_parser::parse_x509_certificate(certificate_der).ok()?;
        Some(Self(parsed.public_key().subject_public_key.data.to_vec()))
    }
}

impl Verifier for CertifiedKey {
    fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        signature::UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, &self.0).verify(message, signature).is_ok()
    }
}

/// A bundle that was made for this hub, by a node that this authority has certified.
#[derive(Debug)]
pub struct ImportedBundle<S> {
    /// The file.
    pub bundle: Bundle<S>,
    /// What opens its chunks.
    pub cipher: FileCipher,
    /// Who made it. Whether it is revoked, superseded or expired is not looked at here.
    pub certificate: NodeCertificate,
}

impl Authority {
    /// The X25519 key that bundles for all hubs of this authority are sealed for. Its private half follows from the
    /// authority's own key, so that there is nothing more to keep, to back up or to lose.
    pub fn bundle_key(&self) -> Result<[u8; 32], CryptoRefused> {
        public(&self.bundle_private_key()?)
    }

    fn bundle_private_key(&self) -> Result<PrivateKey, CryptoRefused> {
        let secret = self.derived_secret(b"sto bundle key 1");
        PrivateKey::from_private_key(&X25519, &secret).map_err(|_| CryptoRefused)
    }

    /// Looks whether a bundle is for this hub and from a node of its own, and gets it ready to be read.
    pub fn open_bundle<S: BundleSource>(
        &self,
        reader: BundleReader<S>,
    ) -> Result<ImportedBundle<S>, NotForUs> {
        let header = reader.header();
        let ours = self.bundle_private_key().and_then(|key| Ok((public(&key)?, key)));
        let (hub_key, private) = ours.map_err(|_| NotForUs::OtherHub)?;
        if header.authority != self.spki_sha256() || header.hub_key != hub_key {
            return Err(NotForUs::OtherHub);
        }
        let leaf = header.certificates.first().ok_or(NotForUs::Certificate { reason: "there is none" })?;
        let (certificate, key) = self.certified(leaf).map_err(|reason| NotForUs::Certificate { reason })?;
        if header.node != NodeId(certificate.node_id.into_bytes()) {
            return Err(NotForUs::Certificate { reason: "it names another node" });
        }
        let cipher = FileCipher::agreed(&private, &header.file_key, &header.file_key, &hub_key)
            .map_err(|_| BundleError::Malformed { what: "its key is none" })?;
        Ok(ImportedBundle { bundle: reader.verify(&key)?, cipher, certificate })
    }

    /// A node's certificate, if this authority signed it.
    fn certified(&self, der: &[u8]) -> Result<(NodeCertificate, CertifiedKey), &'static str> {
        let certificate = NodeCertificate::from_der(der).map_err(|_| "it is not a node's certificate")?;
        if certificate.authority_id != self.authority_id() {
            return Err("it is of another authority");
        }
        let (_, parsed) = x509_parser::parse_x509_certificate(der).map_err(|_| "it cannot be read")?;
        let authority = CertifiedKey::of(self.certificate_der()).ok_or("the authority cannot be read")?;
        let is_signed = parsed.signature_algorithm.algorithm.to_id_string() == ECDSA_WITH_SHA256
            && authority.verifies(parsed.tbs_certificate.as_ref(), &parsed.signature_value.data);
        if !is_signed {
            return Err("the authority did not sign it");
        }
        let key = CertifiedKey(parsed.public_key().subject_public_key.data.to_vec());
        Ok((certificate, key))
    }
}

impl Signer for Authority {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, CryptoRefused> {
        self.key().sign(message).map_err(|_| CryptoRefused)
    }
}

impl Identity {
    /// What signs this node's bundles.
    pub fn signer(&self) -> Result<NodeSigner, CryptoRefused> {
        KeyPair::try_from(self.node.key_pkcs8.expose()).map(NodeSigner).map_err(|_| CryptoRefused)
    }

    /// What this node's own bundles are held against.
    pub fn verifier(&self) -> Option<CertifiedKey> {
        CertifiedKey::of(self.node.certificate_chain.first()?)
    }

    /// SHA-256 of the public key of the authority that certified this node.
    pub fn authority_spki_sha256(&self) -> Option<[u8; 32]> {
        let hashes = self.authorities.iter().filter_map(|der| link::spki_sha256(der).ok());
        hashes.into_iter().find(|hash| crate::authority::authority_id(*hash) == self.certificate.authority_id)
    }

    /// A receipt, if a hub of this node's signed it for this node.
    pub fn check_receipt(&self, file: &[u8]) -> Result<HubReceipt, NotForUs> {
        let unchecked = UncheckedReceipt::parse(file)?;
        let ours =
            |der: &&Vec<u8>| link::spki_sha256(der).is_ok_and(|hash| hash == unchecked.receipt().authority);
        let authority = self.authorities.iter().find(ours).ok_or(NotForUs::OtherHub)?;
        let key = CertifiedKey::of(authority).ok_or(NotForUs::OtherHub)?;
        let receipt = unchecked.verify(&key)?;
        let node = Uuid::from_bytes(receipt.node.0);
        if node != self.node_id {
            return Err(NotForUs::OtherNode { node, ours: self.node_id });
        }
        Ok(receipt)
    }
}

#[cfg(test)]
mod tests;
