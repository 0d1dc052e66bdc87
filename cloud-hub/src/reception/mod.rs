//! Reception: nodes' connections in, commits out, and only then acknowledgements.
//!
//! A session ([`session`]) checks batches, which come on a stream for each way ([`streams`]), and queues them; the one committer ([`committer`]) writes many nodes'
//! batches in one transaction and tells each session how far it got. Beside it go the other way the documents that
//! a node lacks ([`documents`]), what others wrote into its alarms, and its next certificate ([`renewal`]).

mod backfill;
pub mod committer;
mod crowd;
mod documents;
mod greeting;
pub mod import;
mod renewal;
mod session;
mod streams;

use std::sync::Arc;
use std::time::Duration;

use link::{Alpn, HubEndpoint};
use provisioning::{Authority, EnrolmentDesk};
use service::logging::chain;
use service::metric::Metric;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};
use uuid::Uuid;

use crate::alarms::Telling;
use crate::archive::{Evidence, Registry};
use crate::backfill::OpenRequests;
use crate::fleet::Fleet;
use crate::missions::Missions;
use crate::told::Told;
use committer::{Load, Submission};
use crowd::{CONNECTIONS_MAX, Crowd};
pub use renewal::Renewals;
pub use session::Settings;

/// How often the kernel is asked what it dropped.
const LOOK_INTERVAL: Duration = Duration::from_secs(5);

/// What reception needs.
pub struct Reception {
    /// Where nodes connect.
    pub endpoint: HubEndpoint,
    /// Who enrols them.
    pub desk: EnrolmentDesk,
    /// Where they are recorded.
    pub registry: Registry,
    /// How they stand.
    pub fleet: Arc<Fleet>,
    /// Where what they did wrong is written down.
    pub evidence: Evidence,
    /// Where their batches go.
    pub committer: mpsc::Sender<Submission>,
    /// How busy that is.
    pub load: Arc<Load>,
    /// What they are told.
    pub settings: Arc<Settings>,
    /// What they are sent.
    pub missions: Arc<Missions>,
    /// What they are told about their hubs.
    pub told: Arc<Told>,
    /// What they are told of their alarms.
    pub alarms: Telling,
    /// What they are asked to send first.
    pub(crate) requests: Arc<OpenRequests>,
    /// Who signs that.
    pub authority: Arc<Authority>,
    /// Who gives them their next certificates.
    pub renewals: Arc<Renewals>,
}

impl Reception {
    /// Serves nodes until shutdown; then says goodbye to each.
    pub async fn run(mut self, shutdown: CancellationToken) -> anyhow::Result<()> {
        let mut connections = JoinSet::new();
        let crowd = Arc::new(Crowd::default());
        let shelf = documents::Shelf::new(
            Arc::clone(&self.missions),
            Arc::clone(&self.told),
            Arc::clone(&self.fleet),
            Arc::clone(&self.authority),
        );
        let shelf = Arc::new(shelf);
        let mut trusted = self.told.trusted();
        trusted.mark_changed();
        let mut look = tokio::time::interval(LOOK_INTERVAL);
        loop {
            let accepted = tokio::select! {
                () = shutdown.cancelled() => break,
                Ok(()) = trusted.changed() => {
                    let roots = trusted.borrow_and_update().clone();
                    self.trust(roots);
                    continue;
                }
                accepted = self.endpoint.accept() => accepted,
                _ = look.tick() => {
                    if let Some(dropped) = self.endpoint.datagrams_dropped() {
                        Metric::HubReceptionDatagramsDropped.set(dropped as f64);
                    }
                    continue;
                }
            };
            let Some(accepted) = accepted else { anyhow::bail!("the QUIC endpoint ended by itself") };
            while connections.try_join_next().is_some() {}
            match (accepted.alpn, accepted.peer) {
                (Alpn::Enroll, _) => {
                    let (desk, registry, fleet) =
                        (self.desk.clone(), self.registry.clone(), Arc::clone(&self.fleet));
                    connections.spawn(async move {
                        match desk.handle(&accepted.connection, &registry).await {
                            Ok(outcome) => {
                                info!(?outcome, "enrolment answered");
                                // The fleet's own refresh makes up for one that fails here.
                                let _ = fleet.refresh(&registry).await;
                            }
                            Err(error) => debug!(%error, "enrolment came to nothing"),
                        }
                    });
                }
                (Alpn::Session, Some(peer)) => {
                    // Asked for every connection: TLS may have resumed one without looking at the certificate.
                    if let Err(refusal) = self.fleet.allowed().judge(&peer, now_unix()) {
                        Metric::HubSessionsRefused.add(1);
                        info!(node = %peer.node_id, reason = %refusal, "node was refused");
                        self.fleet.on_refused(peer.node_id, &format!("{}: {refusal}", refusal.code()));
                        accepted.connection.close(refusal.close_code(), &refusal.to_string());
                        continue;
                    }
                    let Some(place) = crowd.enter(peer.node_id) else {
                        Metric::HubSessionsRefused.add(1);
                        accepted.connection.close(link::CLOSE_DONE, "this node has too many connections");
                        let evidence = self.evidence.clone();
                        connections.spawn(async move { note_crowd(&evidence, peer.node_id).await });
                        continue;
                    };
                    let session = session::Session {
                        connection: accepted.connection,
                        peer,
                        registry: self.registry.clone(),
                        fleet: Arc::clone(&self.fleet),
                        evidence: self.evidence.clone(),
                        committer: self.committer.clone(),
                        load: Arc::clone(&self.load),
                        settings: Arc::clone(&self.settings),
                        shelf: Arc::clone(&shelf),
                        renewals: Arc::clone(&self.renewals),
                        alarms: self.alarms.clone(),
                        requests: Arc::clone(&self.requests),
                    };
                    let session = session.run(shutdown.clone());
                    connections.spawn(async move {
                        session.await;
                        drop(place);
                    });
                }
                // The link lets no session through without a certificate.
                (Alpn::Session, None) => {
                    accepted.connection.close(link::CLOSE_CERTIFICATE_REQUIRED, "no certificate");
                }
            }
        }
        while connections.join_next().await.is_some() {}
        self.endpoint.close(link::CLOSE_DONE, "the hub stops");
        self.endpoint.wait_idle().await;
        Ok(())
    }

    /// Lets nodes of these authorities in from the next handshake on, and shows a certificate made anew.
    fn trust(&mut self, roots: Vec<Vec<u8>>) {
        let replaced = match self.authority.issue_hub(now_unix()) {
            Ok(identity) => self.endpoint.replace_trust(identity, roots).map_err(|error| chain(&error)),
            Err(error) => Err(chain(&error)),
        };
        if let Err(error) = replaced {
            warn!(error, "the authorities that were trusted before stay");
        }
    }
}

async fn note_crowd(evidence: &Evidence, node: Uuid) {
    let text = format!("STO-SESSION-VIOLATION: it opened more than {CONNECTIONS_MAX} connections at once");
    if let Err(error) = evidence.note(node, "STO-SESSION-VIOLATION", &text).await {
        warn!(error = chain(&error), "what a node did could not be written down");
    }
}

fn now_unix() -> u64 {
    u64::try_from(service::clock::now().to_unix_nanos() / 1_000_000_000).unwrap_or(0)
}
