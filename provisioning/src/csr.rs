//! What a node may ask for: a certificate for a key it holds, and nothing else.

use aws_lc_rs::digest::{SHA256, digest};
use rcgen::{CertificateSigningRequestParams, PKCS_ECDSA_P256_SHA256, PublicKey, PublicKeyData};

const CSR_MAX: usize = 4 * 1024;
/// 0x04 and two coordinates.
const P256_POINT: usize = 65;

/// Why no certificate was issued.
#[derive(Debug, thiserror::Error)]
pub enum IssueError {
    /// The request is too long, malformed, or not signed by the key it names.
    #[error("not a certificate request signed by its own key")]
    Request,
    /// The key is not ECDSA P-256.
    #[error("the key is not ECDSA P-256")]
    Key,
    /// The time is outside what certificates can say.
    #[error("the time {unix} cannot be written into a certificate")]
    Time {
        /// Unix seconds.
        unix: u64,
    },
    /// No randomness for a serial number.
    #[error("failed to draw a serial number")]
    Serial,
    /// Signing failed.
    #[error("failed to sign the certificate")]
    Sign(#[from] rcgen::Error),
    /// What was signed is not what the link accepts; a fault of ours.
    #[error("issued a certificate the link does not accept")]
    Unacceptable(#[from] link::CertificateError),
}

/// A checked request, reduced to the only thing taken from it: the public key.
#[derive(Clone, Debug)]
pub struct CertificateRequest {
    public_key: PublicKey,
}

impl CertificateRequest {
    /// Checks that the request is signed by the key in it, and forgets everything else it says: names, usages and
    /// being an authority are not for the asker to choose.
    pub fn from_der(der: &[u8]) -> Result<Self, IssueError> {
        if der.len() > CSR_MAX {
            return Err(IssueError::Request);
        }
        let parsed =
            CertificateSigningRequestParams::from_der(&der.into()).map_err(|_| IssueError::Request)?;
        let public_key = parsed.public_key;
        // Rcgen takes the algorithm from the signature, not from the key: the length tells the curve.
        let point = public_key.der_bytes();
        let is_p256 = PublicKeyData::algorithm(&public_key) == &PKCS_ECDSA_P256_SHA256
            && point.len() == P256_POINT
            && point[0] == 4;
        if is_p256 { Ok(Self { public_key }) } else { Err(IssueError::Key) }
    }

    /// SHA-256 of the public point: two requests with the same one come from the same machine.
    pub fn key_sha256(&self) -> [u8; 32] {
        sha256(self.public_key.der_bytes())
    }

    pub(crate) fn public_key(&self) -> &PublicKey {
        &self.public_key
    }
}

pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, bytes).as_ref());
    hash
}
