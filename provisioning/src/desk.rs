//! The hub's side of enrolment: one request, one decision, one answer.

use std::sync::Arc;
use std::time::Duration;

use link::{CLOSE_DONE, Clock, Closed, Connection, FrameError, FrameWriter};
use tokio::time::timeout;
use tracing::warn;
use uuid::Uuid;

use crate::authority::Authority;
use crate::book::{CertificateRecord, EnrolmentBook, Redeemed, Redemption, Refusal};
use crate::csr::CertificateRequest;
use crate::text::{is_label, printable};
use crate::token::TokenId;
use crate::wire::{self, Granted, Refused, Request};

/// Whoever connects and says nothing is gone after this.
const PATIENCE: Duration = Duration::from_secs(10);
const HOSTNAME_MAX: usize = 255;

/// What came of one enrolment connection.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum EnrolmentOutcome {
    /// A node has its certificate.
    Granted {
        /// Its identity.
        node_id: Uuid,
        /// What it is called.
        name: String,
        /// What its machine calls itself.
        hostname: String,
        /// The certificate's serial number.
        serial: Vec<u8>,
    },
    /// Somebody was sent away; a used token may be worth an alert.
    Refused {
        /// Stable, `STO-…`.
        code: String,
        /// Which token, when one was named.
        token_id: Option<TokenId>,
        /// What the machine calls itself, shortened and without control characters.
        hostname: String,
    },
}

/// Why an enrolment connection came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum DeskError {
    /// The node did not stay for the answer; with the same token and key it may come back.
    #[error("failed to deliver the answer")]
    Answer(#[source] FrameError),
    /// The connection ended before a request.
    #[error("the connection ended before a request came")]
    Closed(#[from] Closed),
    /// What came is no request.
    #[error("failed to read the request")]
    Request(#[source] FrameError),
    /// Nothing came.
    #[error("no request came in time")]
    Silent,
    /// What came is not a request.
    #[error("the request makes no sense")]
    Unreadable,
}

/// Turns tokens into certificates.
#[derive(Clone, Debug)]
pub struct EnrolmentDesk {
    authority: Arc<Authority>,
    hub_addresses: Vec<String>,
    clock: Clock,
    patience: Duration,
}

impl EnrolmentDesk {
    /// A desk that sends its nodes to `hub_addresses` (`host:port`) for their sessions.
    pub fn new(authority: Arc<Authority>, hub_addresses: Vec<String>, clock: Clock) -> Self {
        Self { authority, hub_addresses, clock, patience: PATIENCE }
    }

    /// Waits another time than ten seconds for a request, and for its answer to be taken.
    pub fn with_patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// Serves one connection accepted with [`link::Alpn::Enroll`], and closes it.
    pub async fn handle(
        &self,
        connection: &Connection,
        book: &impl EnrolmentBook,
    ) -> Result<EnrolmentOutcome, DeskError> {
        let outcome = self.serve(connection, book).await;
        connection.close(CLOSE_DONE, if outcome.is_ok() { "answered" } else { "no request was understood" });
        outcome
    }

    async fn serve(
        &self,
        connection: &Connection,
        book: &impl EnrolmentBook,
    ) -> Result<EnrolmentOutcome, DeskError> {
        let (mut answers, request) =
            timeout(self.patience, receive(connection)).await.map_err(|_| DeskError::Silent)??;
        let hostname = printable(&request.hostname, HOSTNAME_MAX);
        let token_id = request.token_id;
        let (frames, outcome) = match self.decide(request, book).await {
            Ok((granted, serial)) => {
                let node_id = Uuid::from_bytes(granted.node_id);
                let name = granted.name.clone();
                let outcome = EnrolmentOutcome::Granted { node_id, name, hostname, serial };
                let mut frames = vec![(wire::GRANTED, wire::encode(&granted))];
                // Without it the node asks for it when it first needs it.
                frames.extend(self.authority.bundle_key().ok().map(|key| (wire::BUNDLE_KEY, key.to_vec())));
                (frames, outcome)
            }
            Err(refused) => {
                let code = refused.code.clone();
                let outcome = EnrolmentOutcome::Refused { code, token_id: Some(token_id), hostname };
                (vec![(wire::REFUSED, wire::encode(&refused))], outcome)
            }
        };
        let delivered = timeout(self.patience, deliver(&mut answers, &frames)).await;
        delivered
            .map_err(|_| DeskError::Answer(FrameError::Lost(Closed::Idle)))?
            .map_err(DeskError::Answer)?;
        Ok(outcome)
    }

    async fn decide(
        &self,
        request: Request,
        book: &impl EnrolmentBook,
    ) -> Result<(Granted, Vec<u8>), Refused> {
        // Everything that can be wrong with the request is found before the token is spent.
        if !is_label(&request.hostname, HOSTNAME_MAX) {
            return Err(refused(
                "STO-REQUEST-REJECTED",
                "the machine's host name is empty, too long or unprintable",
            ));
        }
        let checked = CertificateRequest::from_der(&request.csr_der).map_err(|error| {
            refused("STO-REQUEST-REJECTED", &format!("the hub cannot use the certificate request: {error}"))
        })?;
        let now_unix = self.clock.now_unix();
        let redemption = Redemption {
            token_id: request.token_id,
            secret_sha256: request.secret.sha256(),
            key_sha256: checked.key_sha256(),
            hostname: request.hostname,
            now_unix,
        };
        let node = book.redeem(redemption).await.map_err(|refusal| from_book(&refusal))?;
        self.grant(&checked, node, now_unix, book).await
    }

    async fn grant(
        &self,
        request: &CertificateRequest,
        node: Redeemed,
        now_unix: u64,
        book: &impl EnrolmentBook,
    ) -> Result<(Granted, Vec<u8>), Refused> {
        let issued = self.authority.issue_node(request, node.node_id, now_unix).map_err(|error| {
            warn!(node_id = %node.node_id, %error, "no certificate could be issued");
            refused("STO-HUB-UNAVAILABLE", "the hub could not issue a certificate")
        })?;
        let record = CertificateRecord {
            node_id: node.node_id,
            serial: issued.serial.clone(),
            key_sha256: request.key_sha256(),
            not_before: issued.not_before,
            not_after: issued.not_after,
        };
        book.record_certificate(record).await.map_err(|_| from_book(&Refusal::Unavailable))?;
        let granted = Granted {
            node_id: node.node_id.into_bytes(),
            name: node.name,
            site: node.site,
            certificate_chain: issued.chain,
            authorities: vec![self.authority.certificate_der().to_vec()],
            hub_addresses: self.hub_addresses.clone(),
            hub_time_unix: now_unix,
        };
        Ok((granted, issued.serial))
    }
}

fn refused(code: &str, message: &str) -> Refused {
    Refused { code: code.to_owned(), message: message.to_owned(), used_by: None, used_at_unix: None }
}

fn from_book(refusal: &Refusal) -> Refused {
    let mut answer = refused(refusal.code(), &refusal.to_string());
    if let Refusal::Used { node_name, hostname, used_unix } = refusal {
        answer.used_by = Some(format!("{node_name} (host {hostname})"));
        answer.used_at_unix = Some(*used_unix);
    }
    answer
}

async fn receive(connection: &Connection) -> Result<(FrameWriter, Request), DeskError> {
    let (answers, requests) = connection.accept_bi().await?;
    let mut requests = requests.with_limit(wire::REQUEST_MAX);
    let frame = requests.next().await.map_err(DeskError::Request)?.ok_or(DeskError::Unreadable)?;
    if frame.kind != wire::REQUEST {
        return Err(DeskError::Unreadable);
    }
    let request = wire::decode(&frame.body).ok_or(DeskError::Unreadable)?;
    Ok((answers, request))
}

async fn deliver(answers: &mut FrameWriter, frames: &[(u8, Vec<u8>)]) -> Result<(), FrameError> {
    for (kind, body) in frames {
        answers.send(*kind, &[body]).await?;
    }
    answers.finish().await?;
    match answers.delivered().await {
        // The node closes as soon as it has read the answer, which may overtake its acknowledgement.
        Err(FrameError::Lost(Closed::ByPeer { code, .. })) if code == u64::from(CLOSE_DONE) => Ok(()),
        delivered => delivered,
    }
}
