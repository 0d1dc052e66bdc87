//! A node's next certificate, within the session that its present one has opened.

use std::sync::Arc;
use std::time::Duration;

use delivery::{Frame, RenewRefused, Renewed};
use link::NodeCertificate;
use provisioning::{Authority, CertificateRecord, CertificateRequest};
use service::logging::chain;
use tracing::{info, warn};

use crate::archive::{Certificates, Evidence, RenewalRefused};
use crate::fleet::Fleet;

/// A session that asks again sooner does not keep to the protocol: each answer costs a signature and a row.
pub(super) const INTERVAL_MIN: Duration = Duration::from_secs(60);

/// Answers requests for certificates.
pub struct Renewals {
    /// Who signs.
    pub authority: Arc<Authority>,
    /// Where certificates are recorded.
    pub certificates: Certificates,
    /// Who may ask.
    pub fleet: Arc<Fleet>,
    /// Where refusals are written down.
    pub evidence: Evidence,
}

impl Renewals {
    /// The answer to a request. Of it only the public key is taken, as at enrolment; the present certificate stays
    /// valid until it ends, so that an answer that is lost costs nothing.
    pub async fn answer(&self, peer: &NodeCertificate, request: &[u8], now_unix: u64) -> Frame {
        match self.renew(peer, request, now_unix).await {
            Ok(renewed) => {
                info!(node = %peer.node_id, "certificate was renewed");
                Frame::Renewed(renewed)
            }
            Err((code, reason)) => {
                warn!(node = %peer.node_id, code, reason, "no certificate was issued");
                let text = format!("{code}: no new certificate: {reason}");
                if let Err(error) = self.evidence.record(Some(peer.node_id), code, &text).await {
                    warn!(error = chain(&error), "a refusal could not be written down");
                }
                Frame::RenewRefused(RenewRefused { code: code.to_owned(), reason })
            }
        }
    }

    async fn renew(
        &self,
        peer: &NodeCertificate,
        request: &[u8],
        now_unix: u64,
    ) -> Result<Renewed, (&'static str, String)> {
        let allowed = self.fleet.allowed().judge(peer, now_unix);
        allowed.map_err(|refusal| (refusal.code(), refusal.to_string()))?;
        let request = CertificateRequest::from_der(request);
        let request = request.map_err(|error| ("STO-REQUEST-REJECTED", error.to_string()))?;
        let unavailable = |reason: String| ("STO-HUB-UNAVAILABLE", reason);
        let issued = self.authority.issue_node(&request, peer.node_id, now_unix);
        let issued = issued.map_err(|error| unavailable(chain(&error)))?;
        let record = CertificateRecord {
            node_id: peer.node_id,
            serial: issued.serial,
            key_sha256: request.key_sha256(),
            not_before: issued.not_before,
            not_after: issued.not_after,
        };
        let recorded = self.certificates.renew(&record, &peer.serial, now_unix).await;
        match recorded.map_err(|error| unavailable(error.to_string()))? {
            Ok(()) => Ok(Renewed { chain: issued.chain, hub_time_unix: now_unix }),
            Err(refused @ RenewalRefused::NotAllowed) => Err(("STO-NODE-REVOKED", refused.to_string())),
            Err(refused @ RenewalRefused::TooMany) => Err(("STO-RENEWAL-LIMIT", refused.to_string())),
        }
    }
}
