//! Forwarding: drives [`delivery::Outbox`] over one QUIC connection to the hub, and comes back when it is lost.
//!
//! Nothing here decides what is sent: the outbox does. Nothing here owns data: the journal does.

mod backoff;
mod documents;
mod older;
mod session;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use delivery::{BatchSequence, Lane, Outbox, Position, RejectCode, ResumeError};
use link::{Client, ClientOptions, Closed, ConnectError, Connection};
use provisioning::NotAllowed;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use crate::documents::NodeDocuments;
use crate::journal::{Batches, JournalHandle, JournalKey, JournalState, ReadFailed};
use crate::status::{HubLink, NodeStatus};
use backoff::Backoff;
use older::{OlderJournal, OlderJournals, Standing};
use session::{SessionEnd, SessionError, Until};

/// An address that does not answer within this is tried again later.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// What passes before a session is tried again that somebody must look at first.
const LOOK_AFTER: Duration = Duration::from_secs(60);
/// What a goodbye gets to leave this machine.
const FAREWELL: Duration = Duration::from_millis(300);

/// What a forwarder needs.
pub struct Forwarder {
    /// TLS identity, authorities, profile.
    pub options: ClientOptions,
    /// The hub's addresses, `host:port`.
    pub hub_addresses: Vec<String>,
    /// The journal.
    pub journal: JournalHandle,
    /// Where people look.
    pub status: Arc<NodeStatus>,
    /// Where documents from the hub go.
    pub documents: Arc<NodeDocuments>,
    /// Missions received here.
    pub missions: Vec<String>,
    /// What older journals may be encrypted with.
    pub key: Option<JournalKey>,
    /// Whether the journal is one from before, which the status does not speak of.
    pub is_older: bool,
}

impl Forwarder {
    /// Forwards until shutdown; then sends what it can in a moment, and says goodbye.
    pub async fn run(self, shutdown: CancellationToken) -> anyhow::Result<()> {
        let mut client = Client::new(self.options.clone())?;
        let buffers = client.socket_buffers();
        if buffers.are_short() {
            warn!(?buffers, "socket buffers are smaller than wanted, raise net.core.rmem_max and wmem_max");
        }
        let mut outbox = outbox_of(&self.journal.state().borrow());
        let mut backoff = Backoff::default();
        let mut older = OlderJournals::new(self.journal.salvaged(), self.key.clone());
        while !shutdown.is_cancelled() {
            let state = *self.journal.state().borrow();
            if state.store != outbox.store() {
                // The old journal was lost, and its numbers with it.
                outbox = outbox_of(&state);
            }
            let attempt = async {
                let addresses = resolve(&self.hub_addresses).await;
                client.connect(&addresses, CONNECT_TIMEOUT).await
            };
            let connection = tokio::select! {
                () = shutdown.cancelled() => break,
                connection = attempt => connection,
            };
            let end = match connection {
                Ok(connection) => {
                    let end = match older.next().await {
                        // What was received first goes first.
                        Some(journal) => self.drain(journal, &connection, &mut backoff, &shutdown).await,
                        None => {
                            let until = Until::Shutdown;
                            let end =
                                session::run(&connection, &mut outbox, &self, &mut backoff, &shutdown, until)
                                    .await;
                            outbox.on_session_lost();
                            end
                        }
                    };
                    let reason =
                        if end.is_ok() { "the node stops" } else { "the session failed on this side" };
                    connection.close(link::CLOSE_DONE, reason);
                    end
                }
                Err(error) => Err(SessionError::Connect(error)),
            };
            match end {
                Ok(SessionEnd::Shutdown) => break,
                Ok(SessionEnd::Goodbye { reason, retry_after }) => {
                    self.lost(&reason);
                    backoff.not_before(retry_after);
                }
                Err(SessionError::Journal(ReadFailed::Stopped(_))) => break,
                Err(error) => {
                    match &error {
                        SessionError::Rejected { retry_after, .. } => backoff.not_before(*retry_after),
                        // Coming back changes nothing, and each HELLO ends the session of the node's true twin.
                        SessionError::Fork | SessionError::Resume(_) => backoff.not_before(LOOK_AFTER),
                        _ => {}
                    }
                    self.lost(&describe(&error));
                }
            }
            let wait = backoff.next_wait();
            tokio::select! {
                () = shutdown.cancelled() => break,
                () = tokio::time::sleep(wait) => {}
            }
        }
        // An attempt that was dropped half-way would keep the socket for seconds; nobody waits for its farewell.
        let _ = tokio::time::timeout(FAREWELL, client.wait_idle()).await;
        Ok(())
    }

    /// Forwards an older journal; when the hub has all of it, its turn is over.
    async fn drain(
        &self,
        journal: &mut OlderJournal,
        connection: &Connection,
        backoff: &mut Backoff,
        shutdown: &CancellationToken,
    ) -> Result<SessionEnd, SessionError> {
        let mut outbox = outbox_of(&journal.handle.state().borrow());
        let forwarder = Self {
            options: self.options.clone(),
            hub_addresses: Vec::new(),
            journal: journal.handle.clone(),
            status: Arc::clone(&self.status),
            documents: Arc::clone(&self.documents),
            missions: self.missions.clone(),
            key: None,
            is_older: true,
        };
        let end = match session::run(connection, &mut outbox, &forwarder, backoff, shutdown, Until::Drained)
            .await
        {
            Err(SessionError::Resume(ResumeError::HubAhead { .. })) => {
                journal.standing = Standing::Drained;
                return Ok(handed_over());
            }
            Err(SessionError::Rejected { code, detail, .. }) if code == RejectCode::Fork.code() => {
                // The hub has more of it than was salvaged, so it has all that was.
                info!(detail, "the hub is ahead of an older journal");
                journal.standing = Standing::Drained;
                return Ok(handed_over());
            }
            Err(error @ (SessionError::Fork | SessionError::Journal(_))) => {
                error!(
                    error = describe(&error),
                    "an older journal cannot be forwarded, it stays where it is"
                );
                journal.standing = Standing::PassedOver;
                return Ok(handed_over());
            }
            other => other?,
        };
        if matches!(end, SessionEnd::Shutdown) && !shutdown.is_cancelled() {
            if outbox.safe() == outbox.appended().number() {
                journal.standing = Standing::Drained;
            }
            return Ok(handed_over());
        }
        Ok(end)
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

fn outbox_of(state: &JournalState) -> Outbox {
    Outbox::new(state.store, Lane::Telemetry, state.head, state.acknowledged_at_open)
}

/// An older journal had its turn; the next session is another journal's.
fn handed_over() -> SessionEnd {
    SessionEnd::Goodbye { reason: "an older journal had its turn".to_owned(), retry_after: Duration::ZERO }
}

/// Tells the status where the backlog begins.
pub async fn update_backlog(
    journal: &JournalHandle,
    status: &NodeStatus,
    acknowledged: u64,
) -> Result<(), ReadFailed> {
    let head = journal.state().borrow().head;
    status.on_head(head);
    if acknowledged >= head.number() {
        status.on_acknowledged(head, None);
        return Ok(());
    }
    // The first batch the hub lacks knows what lies before it, and when it began.
    let mut from = BatchSequence(acknowledged + 1);
    let found = loop {
        match journal.read(from, 1).await? {
            Batches::Missing { until, .. } => from = until.next(),
            found => break found,
        }
    };
    if let Batches::Here(batches) = found
        && let Some(first) = batches.first()
    {
        let header = &first.header;
        let position = Position {
            sequence: (acknowledged > 0).then_some(BatchSequence(acknowledged)),
            hash: first.previous,
            records: header.records_before,
            bytes: header.bytes_before,
        };
        status.on_acknowledged(position, Some(header.first_reception.0));
    }
    Ok(())
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
