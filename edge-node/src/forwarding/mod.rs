//! Forwarding: drives [`delivery::Outbox`] over one QUIC connection to the hub, and comes back when it is lost.
//!
//! Nothing here decides what is sent: the outbox does. Nothing here owns data: the journals do.

mod backlog;
mod cap;
mod documents;
mod linger;
mod logs;
mod older;
mod reading;
mod renewal;
mod session;
mod steering;
mod wanted_first;
mod ways;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use delivery::{Backoff, BootId, Outbox, RateSchedule};
use link::{Client, ClientOptions, Closed, ConnectError};
use provisioning::NotAllowed;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::alarms::NodeAlarms;
use crate::documents::NodeDocuments;
use crate::journal::{JournalHandle, JournalKey, ReadFailed};
use crate::status::{HubLink, NodeStatus};
use cap::LinkCap;
use logs::Logs;
use older::OlderJournals;
use session::{SessionEnd, SessionError, Standing};

pub use backlog::update_backlog;
pub use linger::Linger;
pub(crate) use reading::{Missing, declared_gap};
pub use renewal::Credentials;
pub use steering::{Decision, Steering};

/// An address that does not answer within this is tried again later.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// What a goodbye gets to leave this machine.
const FAREWELL: Duration = Duration::from_millis(300);

/// What a forwarder needs.
pub struct Forwarder {
    /// TLS identity, authorities, profile.
    pub options: ClientOptions,
    /// Who this node is, whom it believes, and where its hubs are.
    pub credentials: Arc<Credentials>,
    /// This run of the process.
    pub boot: BootId,
    /// What was received.
    pub journal: JournalHandle,
    /// The node's events, which never wait behind that.
    pub alarms: JournalHandle,
    /// What entries of alarms go into that, and where the hub's go.
    pub node_alarms: Arc<NodeAlarms>,
    /// What the link may carry, and when.
    pub schedule: RateSchedule,
    /// What operators decide.
    pub steering: Arc<Steering>,
    /// Where the pipeline learns how long it may wait.
    pub linger: Arc<Linger>,
    /// Where people look.
    pub status: Arc<NodeStatus>,
    /// Where documents from the hub go.
    pub documents: Arc<NodeDocuments>,
    /// Missions received here.
    pub missions: Vec<String>,
    /// What older journals may be encrypted with.
    pub key: Option<JournalKey>,
}

impl Forwarder {
    /// Forwards until shutdown; then sends what it can in a moment, and says goodbye.
    pub async fn run(self, shutdown: CancellationToken) -> anyhow::Result<()> {
        let mut client = Client::new(self.options.clone())?;
        if let Some(advice) = client.socket_buffers().advice() {
            warn!(advice, "STO-LINK-BUFFERS: socket buffers are smaller than wanted");
        }
        let began = Instant::now();
        let mut outbox = Outbox::default();
        let found = vec![self.journal.salvaged(), self.alarms.salvaged()];
        let older = OlderJournals::new(found, self.key.clone());
        let mut logs = Logs::new(vec![self.alarms.clone(), self.journal.clone()], older);
        let mut backoff = Backoff::default();
        let mut cap = LinkCap::new(self.schedule.clone());
        // Where a hub that stopped sent its nodes; tried first, once.
        let mut others: Vec<String> = Vec::new();
        while !shutdown.is_cancelled() {
            logs.renew(&mut outbox).await;
            self.credentials.apply(&mut client).await;
            let names: Vec<String> = others.drain(..).chain(self.credentials.addresses().await).collect();
            let attempt = async { client.connect(&resolve(&names).await, CONNECT_TIMEOUT).await };
            let connection = tokio::select! {
                () = shutdown.cancelled() => break,
                connection = attempt => connection,
            };
            let end = match connection {
                Ok(connection) => {
                    let standing = Standing {
                        forwarder: &self,
                        client: &client,
                        outbox: &mut outbox,
                        logs: &mut logs,
                        backoff: &mut backoff,
                        cap: &mut cap,
                        began,
                    };
                    let end = session::run(&connection, standing, &shutdown).await;
                    outbox.on_session_lost();
                    self.linger.set(None);
                    let reason =
                        if end.is_ok() { "the node ends the session" } else { "the session failed here" };
                    connection.close(link::CLOSE_DONE, reason);
                    end
                }
                Err(error) => Err(SessionError::Connect(error)),
            };
            match end {
                Ok(SessionEnd::Shutdown) => break,
                Ok(SessionEnd::OtherJournals) => backoff.succeeded(),
                Ok(SessionEnd::Goodbye { reason, retry_after, hubs }) => {
                    self.lost(&reason);
                    backoff.not_before(retry_after);
                    others = hubs;
                }
                Err(SessionError::Journal(ReadFailed::Stopped(_))) => break,
                Err(error) => {
                    if let SessionError::Rejected { retry_after, .. } = &error {
                        backoff.not_before(*retry_after);
                    }
                    let problem = self.credentials.expired().await.unwrap_or_else(|| describe(&error));
                    self.lost(&problem);
                }
            }
            let wait = backoff.next_wait(rand::random());
            tokio::select! {
                () = shutdown.cancelled() => break,
                () = tokio::time::sleep(wait) => {}
            }
        }
        // An attempt that was dropped half-way would keep the socket for seconds; nobody waits for its farewell.
        let _ = tokio::time::timeout(FAREWELL, client.wait_idle()).await;
        Ok(())
    }

    fn lost(&self, problem: &str) {
        // Links get lost: one line a change, not one a try.
        if self
            .status
            .on_hub(HubLink::Disconnected { since: service::clock::now(), problem: problem.to_owned() })
        {
            info!(problem, "hub not connected, recording goes on");
        }
    }
}

async fn resolve(names: &[String]) -> Vec<SocketAddr> {
    let mut addresses = Vec::new();
    for name in names {
        match tokio::net::lookup_host(name).await {
            Ok(found) => addresses.extend(found),
            Err(error) => tracing::debug!(name, %error, "hub address could not be resolved"),
        }
    }
    addresses
}

/// What people read; the chain of causes in one line.
fn describe(error: &SessionError) -> String {
    let closed = match error {
        SessionError::Connect(ConnectError::Refused { closed, .. }) => Some(closed),
        SessionError::Lost(closed) => Some(closed),
        _ => None,
    };
    if let Some(Closed::ByPeer { code, .. }) = closed
        && let Some(refusal) = NotAllowed::from_close_code(*code)
    {
        return format!("{}: {refusal}; recording goes on, ask mission control", refusal.code());
    }
    service::logging::chain(error)
}
