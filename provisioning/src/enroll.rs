//! The node's side of enrolment: from a token to an identity on disk.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use link::{CLOSE_DONE, Clock, Connection, Profile, connect_pinned};
use tokio::net::lookup_host;
use tokio::time::timeout;
use uuid::Uuid;

use crate::identity::{Identity, NodeFile, Staged, on_disk};
use crate::report::EnrollError;
use crate::text::{is_label, printable};
use crate::token::{Token, is_address};
use crate::wire::{self, Granted, Refused, Request};

const ANSWER_TIMEOUT: Duration = Duration::from_secs(20);
const LABEL_MAX: usize = 64;
const LIST_MAX: usize = 8;
const MESSAGE_MAX: usize = 512;

/// What enrolment needs to know about this machine.
#[derive(Clone, Debug)]
pub struct EnrollOptions {
    /// Where the node keeps its state; the identity goes into `identity/` in it.
    pub state_dir: PathBuf,
    /// What this machine calls itself, for the people at the hub.
    pub hostname: String,
    /// The kind of link.
    pub profile: Profile,
    /// The time the hub's certificate is checked against.
    pub clock: Clock,
    /// Give up an identity this machine already has.
    pub replace: bool,
    /// How long to wait for each of the hub's addresses.
    pub connect_timeout: Duration,
}

impl EnrollOptions {
    /// A machine that was never enrolled, with its own clock.
    pub fn new(state_dir: PathBuf, hostname: String) -> Self {
        Self {
            state_dir,
            hostname,
            profile: Profile::default(),
            clock: Clock::system(),
            replace: false,
            connect_timeout: Duration::from_secs(10),
        }
    }
}

/// What came of it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Enrolled {
    /// The identity, as stored.
    pub identity: Identity,
    /// The address the hub was reached at.
    pub hub: SocketAddr,
    /// The round trip to it.
    pub rtt: Duration,
}

/// Enrols this machine: recognises the hub by the token's pin, sends token and key request, stores the answer.
///
/// The key is on disk before the token leaves, so after a crash or a lost answer the same token works again on this
/// machine, and on no other.
pub async fn enroll(token_text: &str, options: &EnrollOptions) -> Result<Enrolled, EnrollError> {
    let token = Token::parse(token_text)?;
    let state_dir = options.state_dir.clone();
    let existing = on_disk(move || Identity::load(&state_dir)).await;
    match existing {
        Ok(Some(identity)) if !options.replace => {
            return Err(EnrollError::AlreadyEnrolled { node_id: identity.node_id, name: identity.name });
        }
        // A damaged identity is a reason to replace it.
        Err(_) if options.replace => {}
        existing => drop(existing?),
    }
    let addresses = resolve(&token.hub_addresses, options.connect_timeout).await?;
    let pin = token.authority_spki_sha256;
    let connection =
        connect_pinned(&addresses, pin, options.profile, &options.clock, options.connect_timeout).await?;

    let state_dir = options.state_dir.clone();
    let (staged, csr_der) = on_disk(move || {
        let staged = Staged::prepare(&state_dir)?;
        let csr_der = staged.csr_der()?;
        Ok((staged, csr_der))
    })
    .await?;
    let request = Request {
        token_id: token.id,
        secret: token.secret.clone(),
        csr_der,
        hostname: options.hostname.clone(),
    };
    let answer = timeout(ANSWER_TIMEOUT, ask(&connection, &request)).await;
    let (hub, rtt) = (connection.remote_address(), connection.rtt());
    connection.close(CLOSE_DONE, "enrolment over");
    let (granted, bundle_key) = answer.map_err(|_| EnrollError::NoAnswer { after: ANSWER_TIMEOUT })??;

    let (node, chain, authorities) = checked(granted, &token)?;
    let node = NodeFile { bundle_key, ..node };
    let identity = on_disk(move || staged.commit(&node, &chain, &authorities)).await?;
    Ok(Enrolled { identity, hub, rtt })
}

async fn resolve(hub_addresses: &[String], allowed: Duration) -> Result<Vec<SocketAddr>, EnrollError> {
    let mut addresses = Vec::new();
    for address in hub_addresses {
        // One name of several may be unknown here; all of them may not.
        if let Ok(Ok(found)) = timeout(allowed, lookup_host(address)).await {
            addresses.extend(found);
        }
    }
    if addresses.is_empty() {
        return Err(EnrollError::Names { hub_addresses: hub_addresses.to_vec() });
    }
    Ok(addresses)
}

async fn ask(connection: &Connection, request: &Request) -> Result<(Granted, Option<[u8; 32]>), EnrollError> {
    let (mut requests, answers) =
        connection.open_bi().await.map_err(|closed| EnrollError::Interrupted(closed.into()))?;
    let mut answers = answers.with_limit(wire::ANSWER_MAX);
    requests.send(wire::REQUEST, &[&wire::encode(request)]).await.map_err(EnrollError::Interrupted)?;
    requests.finish().await.map_err(EnrollError::Interrupted)?;
    let frame = answers.next().await.map_err(EnrollError::Interrupted)?;
    let frame = frame.ok_or(EnrollError::Answer { reason: "it is empty" })?;
    match frame.kind {
        wire::GRANTED => {
            let granted =
                wire::decode(&frame.body).ok_or(EnrollError::Answer { reason: "it is unreadable" })?;
            // A hub from before bundles has nothing more to say; and the certificate is worth more than the key.
            let key = answers.next().await.ok().flatten().filter(|frame| frame.kind == wire::BUNDLE_KEY);
            Ok((granted, key.and_then(|frame| <[u8; 32]>::try_from(&*frame.body).ok())))
        }
        wire::REFUSED => {
            let refused: Refused =
                wire::decode(&frame.body).ok_or(EnrollError::Answer { reason: "it is unreadable" })?;
            Err(EnrollError::Refused(Refused {
                code: printable(&refused.code, LABEL_MAX),
                message: printable(&refused.message, MESSAGE_MAX),
                used_by: refused.used_by.map(|by| printable(&by, MESSAGE_MAX)),
                used_at_unix: refused.used_at_unix,
            }))
        }
        _ => Err(EnrollError::Answer { reason: "it is of an unknown kind" }),
    }
}

type Checked = (NodeFile, Vec<Vec<u8>>, Vec<Vec<u8>>);

/// The hub is ours, which makes its answer trustworthy and not necessarily right.
fn checked(granted: Granted, token: &Token) -> Result<Checked, EnrollError> {
    let wrong = |reason| Err(EnrollError::Answer { reason });
    if !is_label(&granted.name, LABEL_MAX) || !is_label(&granted.site, LABEL_MAX) {
        return wrong("name or site cannot be right");
    }
    let pinned = |der: &Vec<u8>| link::spki_sha256(der) == Ok(token.authority_spki_sha256);
    if granted.authorities.len() > LIST_MAX || !granted.authorities.iter().any(pinned) {
        return wrong("the pinned authority is not in it");
    }
    let mut hub_addresses = granted.hub_addresses;
    if hub_addresses.len() > LIST_MAX || !hub_addresses.iter().all(|address| is_address(address)) {
        return wrong("the hub's addresses cannot be right");
    }
    if hub_addresses.is_empty() {
        // The addresses that just worked.
        hub_addresses.clone_from(&token.hub_addresses);
    }
    let node = NodeFile {
        node_id: Uuid::from_bytes(granted.node_id),
        name: granted.name,
        site: granted.site,
        hub_addresses,
        hub_time_unix: granted.hub_time_unix,
        bundle_key: None,
    };
    Ok((node, granted.certificate_chain, granted.authorities))
}
