//! Who this node is to the hub, for as long as it runs: its certificate, renewed within sessions, and whom it
//! believes.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use delivery::{Frame, NodeId, RenewRefused, Renewed, preferred_order};
use link::{Client, ClientOptions, Clock};
use provisioning::{Identity, Renewal};
use service::logging::chain;
use space_packet::TaiTime;
use tokio::sync::Mutex;
use tokio::time::Instant;
use tracing::{info, warn};

use crate::status::NodeStatus;
use crate::trust::Trust;

/// A hub that gave no certificate is asked again after this: there are weeks left.
const ASK_AGAIN_AFTER: Duration = Duration::from_secs(600);

/// The node's identity and whom it believes.
pub struct Credentials {
    data_directory: PathBuf,
    clock: Clock,
    trust: Arc<Trust>,
    status: Arc<NodeStatus>,
    /// Addresses of the configuration, which come before every list.
    configured: Vec<String>,
    standing: Mutex<Standing>,
}

struct Standing {
    identity: Identity,
    under_way: Option<Renewal>,
    asked: Option<Instant>,
    /// What the client uses.
    shown: Option<(Identity, Vec<Vec<u8>>)>,
}

impl Credentials {
    /// Those of an enrolled node. `clock` is what certificates are judged by.
    pub fn new(
        data_directory: PathBuf,
        identity: Identity,
        clock: Clock,
        trust: Arc<Trust>,
        status: Arc<NodeStatus>,
        configured: Vec<String>,
    ) -> Self {
        let standing = Standing { identity, under_way: None, asked: None, shown: None };
        let standing = Mutex::new(standing);
        Self { data_directory, clock, trust, status, configured, standing }
    }

    /// Options for the link, with the authorities that are trusted now.
    pub fn trusted(&self, options: ClientOptions) -> ClientOptions {
        let authorities = self.trust.certificates();
        if authorities.is_empty() { options } else { ClientOptions { authorities, ..options } }
    }

    /// Lets the client show and believe what has changed since the last connection.
    pub(super) async fn apply(&self, client: &mut Client) {
        let mut standing = self.standing.lock().await;
        let current = (standing.identity.clone(), self.trust.certificates());
        if standing.shown.as_ref() == Some(&current) {
            return;
        }
        let replaced = client.replace_identity(current.0.node.clone()).and_then(|()| {
            if current.1.is_empty() { Ok(()) } else { client.replace_authorities(current.1.clone()) }
        });
        match replaced {
            Ok(()) => standing.shown = Some(current),
            Err(error) => warn!(error = chain(&error), "the certificate used before stays in use"),
        }
    }

    /// Where the hub is tried, in this order: as configured; else the hubs of the list in this node's own order, and
    /// behind them what came with the token, so that a list that is wrong shuts nobody out.
    pub async fn addresses(&self) -> Vec<String> {
        if !self.configured.is_empty() {
            return self.configured.clone();
        }
        let identity = &self.standing.lock().await.identity;
        let hubs = self.trust.hubs();
        let node = NodeId(identity.node_id.into_bytes());
        let mut addresses: Vec<String> =
            preferred_order(node, &hubs).into_iter().map(str::to_owned).collect();
        addresses.extend(identity.hub_addresses.iter().filter(|address| !hubs.contains(address)).cloned());
        addresses
    }

    /// A request for the next certificate, when it is time for one.
    pub(super) async fn request(&self) -> Option<Frame> {
        let mut standing = self.standing.lock().await;
        let is_early = standing.asked.is_some_and(|asked| asked.elapsed() < ASK_AGAIN_AFTER);
        if is_early || !standing.identity.renewal_is_due(self.clock.now_unix()) {
            return None;
        }
        standing.asked = Some(Instant::now());
        // Other commands write into it, too: what they wrote must not be lost with the exchange of the folder.
        let data = self.data_directory.clone();
        if let Ok(Ok(Some(on_disk))) = tokio::task::spawn_blocking(move || Identity::load(&data)).await {
            standing.identity = on_disk;
        }
        if !standing.identity.renewal_is_due(self.clock.now_unix()) {
            return None;
        }
        match Renewal::begin(&self.data_directory, standing.identity.clone()).await {
            Ok(renewal) => {
                let request = Frame::Renew(renewal.csr_der.clone());
                standing.under_way = Some(renewal);
                Some(request)
            }
            Err(error) => {
                warn!(error = chain(&error), "no key could be made for the next certificate, trying again");
                None
            }
        }
    }

    /// The next certificate came. The session goes on under the old one; the next connection shows the new.
    pub(super) async fn on_renewed(&self, renewed: Renewed) {
        let mut standing = self.standing.lock().await;
        let Some(renewal) = standing.under_way.take() else { return };
        match renewal.finish(renewed.chain, renewed.hub_time_unix).await {
            Ok(identity) => {
                self.status.on_certificate(identity.certificate.not_after);
                info!(ends_unix = identity.certificate.not_after, "certificate was renewed");
                standing.identity = identity;
            }
            Err(error) => warn!(error = chain(&error), "the new certificate is of no use, the old one stays"),
        }
    }

    /// The hub gives none now.
    pub(super) async fn on_refused(&self, refused: &RenewRefused) {
        self.standing.lock().await.under_way = None;
        let RenewRefused { code, reason } = refused;
        warn!(code, reason, "the hub did not renew this node's certificate, the old one stays until it ends");
    }

    /// Why the hub cannot be reached, if that is because the certificate has ended.
    pub(super) async fn expired(&self) -> Option<String> {
        let ends = self.standing.lock().await.identity.certificate.not_after;
        if self.clock.now_unix() <= ends {
            return None;
        }
        let ended = TaiTime::from_unix_nanos(i64::try_from(ends).ok()?.checked_mul(1_000_000_000)?);
        Some(format!(
            "STO-CERTIFICATE-EXPIRED: this node's certificate ended {ended}, before the hub could renew it; \
             recording goes on and nothing is lost: ask mission control for a token, then run \
             `edge-node enroll --replace`"
        ))
    }
}

#[cfg(test)]
mod tests;
