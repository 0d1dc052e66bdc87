//! Certificates of nodes that ask for a new one.

use provisioning::CertificateRecord;
use tokio_postgres::GenericClient;

use super::{ArchiveError, Database};

/// Certificates of a node at once: one that asks so often is broken, or not alone.
const CERTIFICATES_MAX: i64 = 32;

/// Why a certificate is not recorded, and so not given out. Nothing was changed.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum RenewalRefused {
    /// The node was revoked, or its machine replaced, a moment ago.
    #[error("the node was revoked, or this machine was replaced by another")]
    NotAllowed,
    /// Too many certificates of the node are valid.
    #[error("{CERTIFICATES_MAX} certificates of this node are valid already")]
    TooMany,
}

/// The table of certificates.
#[derive(Clone)]
pub struct Certificates {
    database: Database,
}

impl Certificates {
    /// The certificates of a database.
    pub fn new(database: Database) -> Self {
        Self { database }
    }

    /// Records the next certificate of a node that showed the one with serial number `shown`, and forgets those that
    /// have ended. An enrolment of the same node at the same moment comes before or after it, never between.
    pub async fn renew(
        &self,
        record: &CertificateRecord,
        shown: &[u8],
        now_unix: u64,
    ) -> Result<Result<(), RenewalRefused>, ArchiveError> {
        let mut client = self.database.borrow().await?;
        let transaction = client.transaction().await?;
        // The row first, and then what an enrolment that held it may have superseded.
        let active = transaction
            .query_opt(
                "SELECT FROM node WHERE node_id = $1 AND standing = 'active' FOR UPDATE",
                &[&record.node_id],
            )
            .await?;
        let superseded = transaction
            .query_opt("SELECT FROM node_certificate WHERE serial = $1 AND superseded", &[&shown])
            .await?;
        if active.is_none() || superseded.is_some() {
            return Ok(Err(RenewalRefused::NotAllowed));
        }
        transaction
            .execute(
                "DELETE FROM node_certificate WHERE node_id = $1 AND not_after_unix < $2 AND serial <> $3",
                &[&record.node_id, &(now_unix as i64), &shown],
            )
            .await?;
        let valid = transaction
            .query_one("SELECT count(*) FROM node_certificate WHERE node_id = $1", &[&record.node_id])
            .await?;
        if valid.get::<_, i64>(0) >= CERTIFICATES_MAX {
            return Ok(Err(RenewalRefused::TooMany));
        }
        insert_certificate(&*transaction, record).await?;
        transaction.commit().await?;
        Ok(Ok(()))
    }
}

/// Writes a certificate down.
pub(super) async fn insert_certificate(
    client: &impl GenericClient,
    record: &CertificateRecord,
) -> Result<(), ArchiveError> {
    client
        .execute(
            "INSERT INTO node_certificate (serial, node_id, key_sha256, not_before_unix, not_after_unix)
             VALUES ($1, $2, $3, $4, $5)",
            &[
                &record.serial,
                &record.node_id,
                &record.key_sha256.as_slice(),
                &(record.not_before as i64),
                &(record.not_after as i64),
            ],
        )
        .await?;
    Ok(())
}
