//! What the desk asks of the hub's database.

use std::future::Future;

use uuid::Uuid;

use crate::text::Minute;
use crate::token::TokenId;

/// Somebody presents a token.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Redemption {
    /// Which token.
    pub token_id: TokenId,
    /// Hash of the secret presented.
    pub secret_sha256: [u8; 32],
    /// Hash of the key the certificate is for: whoever comes back with the same one is the same machine.
    pub key_sha256: [u8; 32],
    /// What the machine calls itself; its own claim, for people only.
    pub hostname: String,
    /// The hub's time, Unix seconds.
    pub now_unix: u64,
}

/// The node a token was for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Redeemed {
    /// Its identity, new or, when a machine is replaced, the one before.
    pub node_id: Uuid,
    /// What it is called.
    pub name: String,
    /// Where it stands.
    pub site: String,
}

/// A certificate that was issued, for the record and for revocation.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CertificateRecord {
    /// Whose.
    pub node_id: Uuid,
    /// Serial number, as [`link::NodeCertificate::serial`] shows it.
    pub serial: Vec<u8>,
    /// Hash of its key.
    pub key_sha256: [u8; 32],
    /// Unix seconds.
    pub not_before: u64,
    /// Unix seconds.
    pub not_after: u64,
}

/// Why a token was not redeemed.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// Too late.
    #[error("this token expired on {}", Minute(*expired_unix))]
    Expired {
        /// Unix seconds.
        expired_unix: u64,
    },
    /// The book cannot be reached; the token is as good as before.
    #[error("the hub cannot reach its database at the moment")]
    Unavailable,
    /// There is no such token, or the secret is not its secret: a stranger must not learn which.
    #[error("the hub does not know this token")]
    Unknown,
    /// Used, and not by this machine.
    #[error("this token was used on {} by node \"{node_name}\" (host {hostname})", Minute(*used_unix))]
    Used {
        /// By which node.
        node_name: String,
        /// On which host, by its own account.
        hostname: String,
        /// When, in Unix seconds.
        used_unix: u64,
    },
}

impl Refusal {
    /// The stable code nodes show.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Expired { .. } => "STO-TOKEN-EXPIRED",
            Self::Unavailable => "STO-HUB-UNAVAILABLE",
            Self::Unknown => "STO-TOKEN-UNKNOWN",
            Self::Used { .. } => "STO-TOKEN-USED",
        }
    }
}

/// The book did not answer.
#[derive(Debug, thiserror::Error)]
#[error("the enrolment book is not available")]
pub struct BookUnavailable;

/// Tokens and nodes as the hub records them, in PostgreSQL.
pub trait EnrolmentBook: Send + Sync {
    /// Redeems a token, in **one atomic step**: of two machines presenting it at once exactly one may win.
    ///
    /// Compare the hashes of secrets, and answer [`Refusal::Unknown`] for a wrong one before saying anything else
    /// about the token. A token already redeemed **with the same `key_sha256`** is redeemed again with the same
    /// answer, expired or not: the first answer was lost on the way, and the machine is the same.
    fn redeem(&self, redemption: Redemption) -> impl Future<Output = Result<Redeemed, Refusal>> + Send;

    /// Records a certificate before its node gets it.
    fn record_certificate(
        &self,
        record: CertificateRecord,
    ) -> impl Future<Output = Result<(), BookUnavailable>> + Send;
}
