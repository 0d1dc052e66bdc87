//! A hub as small as it can be: an endpoint, a desk, a book.

use std::collections::HashMap;
use std::future::Future;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use link::{Accepted, Alpn, Clock, HubEndpoint, HubOptions, Profile};
use provisioning::*;
use tokio::sync::{Barrier, mpsc};
use uuid::Uuid;

pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Every wait in these tests is for a state, with this deadline.
pub(crate) async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.expect("the state was not reached in time")
}

struct Entry {
    record: TokenRecord,
    node_id: Uuid,
    used: Option<([u8; 32], String, u64)>,
}

#[derive(Default)]
pub(crate) struct MemoryBook {
    tokens: Mutex<HashMap<TokenId, Entry>>,
    pub(crate) redemptions: Mutex<Vec<Redemption>>,
    pub(crate) certificates: Mutex<Vec<CertificateRecord>>,
    /// How many of the next certificates cannot be recorded.
    pub(crate) outages: AtomicUsize,
    /// Holds redemptions back until so many are there.
    pub(crate) rendezvous: Option<Barrier>,
}

impl EnrolmentBook for MemoryBook {
    async fn redeem(&self, redemption: Redemption) -> Result<Redeemed, Refusal> {
        if let Some(rendezvous) = &self.rendezvous {
            rendezvous.wait().await;
        }
        self.redemptions.lock().unwrap().push(redemption.clone());
        let mut tokens = self.tokens.lock().unwrap();
        let entry = tokens.get_mut(&redemption.token_id).ok_or(Refusal::Unknown)?;
        if !entry.record.secret_matches(&redemption.secret_sha256) {
            return Err(Refusal::Unknown);
        }
        match &entry.used {
            Some((key_sha256, _, _)) if *key_sha256 == redemption.key_sha256 => {}
            Some((_, hostname, used_unix)) => {
                let node_name = entry.record.node_name.clone();
                return Err(Refusal::Used { node_name, hostname: hostname.clone(), used_unix: *used_unix });
            }
            None if redemption.now_unix > entry.record.expires_unix => {
                return Err(Refusal::Expired { expired_unix: entry.record.expires_unix });
            }
            None => {
                entry.used = Some((redemption.key_sha256, redemption.hostname, redemption.now_unix));
            }
        }
        Ok(Redeemed {
            node_id: entry.node_id,
            name: entry.record.node_name.clone(),
            site: entry.record.site.clone(),
        })
    }

    async fn record_certificate(&self, record: CertificateRecord) -> Result<(), BookUnavailable> {
        let out = self.outages.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        if out.is_ok() {
            return Err(BookUnavailable);
        }
        self.certificates.lock().unwrap().push(record);
        Ok(())
    }
}

pub(crate) struct Hub {
    pub(crate) authority: Arc<Authority>,
    pub(crate) book: Arc<MemoryBook>,
    pub(crate) address: SocketAddr,
    pub(crate) outcomes: mpsc::Receiver<Result<EnrolmentOutcome, DeskError>>,
    pub(crate) sessions: mpsc::Receiver<Accepted>,
}

/// How long a client may say nothing: long enough for keys that are written to a busy disk.
const SILENCE_MAX: Duration = Duration::from_secs(5);

impl Hub {
    pub(crate) fn start(home: &Path) -> Self {
        Self::start_with(home, Arc::default())
    }

    pub(crate) fn start_with(home: &Path, book: Arc<MemoryBook>) -> Self {
        let now = Clock::system().now_unix();
        let authority = Arc::new(Authority::open_or_create(&home.join("authority"), now).unwrap());
        let options = HubOptions::new(
            authority.issue_hub(now).unwrap(),
            vec![authority.certificate_der().to_vec()],
            Profile::Terrestrial,
        );
        let mut endpoint = HubEndpoint::bind((Ipv4Addr::LOCALHOST, 0).into(), options).unwrap();
        let address = endpoint.local_addr().unwrap();
        let desk = EnrolmentDesk::new(Arc::clone(&authority), vec![address.to_string()], Clock::system())
            .with_patience(SILENCE_MAX);
        let (outcome, outcomes) = mpsc::channel(16);
        let (session, sessions) = mpsc::channel(16);
        let tokens = Arc::clone(&book);
        tokio::spawn(async move {
            while let Some(accepted) = endpoint.accept().await {
                if accepted.alpn == Alpn::Session {
                    session.send(accepted).await.unwrap();
                    continue;
                }
                let (desk, book, outcome) = (desk.clone(), Arc::clone(&tokens), outcome.clone());
                tokio::spawn(async move {
                    let result = desk.handle(&accepted.connection, &*book).await;
                    outcome.send(result).await.unwrap();
                });
            }
        });
        Self { authority, book, address, outcomes, sessions }
    }

    pub(crate) fn token(&self) -> Token {
        self.token_until(Clock::system().now_unix() + 3600)
    }

    pub(crate) fn token_until(&self, expires_unix: u64) -> Token {
        let new = NewToken {
            hub_addresses: vec![self.address.to_string()],
            node_name: "svalbard-2".into(),
            site: "Svalbard".into(),
            expires_unix,
            missions: None,
        };
        let (token, record) = Token::issue(new, self.authority.spki_sha256()).unwrap();
        let entry = Entry { record: record.clone(), node_id: Uuid::new_v4(), used: None };
        self.book.tokens.lock().unwrap().insert(record.id, entry);
        token
    }
}

pub(crate) fn options(state_dir: &Path, hostname: &str) -> EnrollOptions {
    EnrollOptions::new(state_dir.to_owned(), hostname.to_owned())
}
