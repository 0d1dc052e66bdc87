//! Who may do what, and how a browser proves who it is: a one-time code becomes a session cookie.
//!
//! One decision stands in front of every route and socket: [`authorize`]. Secrets are kept as hashes only.

use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use aws_lc_rs::{digest, rand};
use futures_util::future::BoxFuture;
use space_packet::TaiTime;

/// How long a session lasts.
pub const SESSION_DURATION: Duration = Duration::from_secs(12 * 3_600);
/// How long a one-time code is good for.
pub const CODE_DURATION: Duration = Duration::from_secs(3_600);
/// Wrong codes within a minute after which an address waits: a code has 60 random bits, guessing takes for ever.
const WRONG_CODES_PER_MINUTE: usize = 20;
/// Addresses whose wrong codes are counted at once; past it, the one that was quiet longest is forgotten.
const ADDRESSES_MAX: usize = 1_024;

/// Who asks.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Principal {
    /// Name, as in the audit.
    pub name: String,
    /// What it may do.
    pub role: Role,
}

/// What a principal may do. More roles come with users; the one there is may read everything.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Role {
    /// Sees all missions and nodes.
    Operator,
    /// Sees nothing.
    #[cfg(test)]
    Nobody,
}

/// What is asked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Action {
    /// End one's own session.
    EndSession,
    /// Read the server's own events, which speak of all nodes and missions.
    ReadEvents,
    /// Read the metrics page.
    ReadMetrics,
    /// Read the list of missions.
    ReadMissions,
    /// Read how nodes stand.
    ReadNodes,
    /// Read one's own session.
    ReadSession,
    /// Read a mission's parameters and samples.
    ReadTelemetry,
}

/// What it is asked of.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Resource<'a> {
    /// One mission.
    Mission(&'a str),
    /// The server itself.
    Server,
}

/// The answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Decision {
    /// Yes.
    Allow,
    /// No.
    Deny,
}

/// The one decision in front of everything.
pub fn authorize(principal: &Principal, action: Action, resource: Resource<'_>) -> Decision {
    match (principal.role, action, resource) {
        (
            Role::Operator,
            Action::EndSession
            | Action::ReadEvents
            | Action::ReadMetrics
            | Action::ReadMissions
            | Action::ReadNodes
            | Action::ReadSession,
            Resource::Server,
        )
        | (Role::Operator, Action::ReadTelemetry, Resource::Mission(_)) => Decision::Allow,
        (Role::Operator, _, _) => Decision::Deny,
        #[cfg(test)]
        (Role::Nobody, _, _) => Decision::Deny,
    }
}

/// SHA-256 of a secret: all that is kept of it.
pub type SecretHash = [u8; 32];

/// Hashes a secret.
pub fn hash(secret: &str) -> SecretHash {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest::digest(&digest::SHA256, secret.as_bytes()).as_ref());
    hash
}

/// A new one-time code: 12 letters and digits in groups, easy to read over a telephone.
pub fn new_code() -> String {
    // Crockford's alphabet: no I, L, O or U.
    const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    let letters: Vec<u8> = random::<12>().iter().map(|byte| ALPHABET[usize::from(byte & 31)]).collect();
    letters.chunks(4).map(String::from_utf8_lossy).collect::<Vec<_>>().join("-")
}

/// A code as people may type it: any case, with or without dashes.
pub fn normalise_code(text: &str) -> String {
    let letters: Vec<char> = text
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|letter| letter.to_ascii_uppercase())
        .take(64)
        .collect();
    letters.chunks(4).map(|group| group.iter().collect::<String>()).collect::<Vec<_>>().join("-")
}

fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    rand::fill(&mut bytes).expect("the system's random source works, or nothing here is safe");
    bytes
}

/// Why the store of codes and sessions did not answer.
#[derive(Debug, thiserror::Error)]
#[error("the store of sessions does not answer: {0}")]
pub struct StoreUnavailable(pub String);

/// A session as kept.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StoredSession {
    /// Who.
    pub principal: String,
    /// Until when.
    pub expires: TaiTime,
}

/// Where codes and sessions are kept: PostgreSQL at the hub, a file at a node.
pub trait SessionStore: Send + Sync + 'static {
    /// Takes a code out, if it is there and not expired; returns whose it was.
    fn redeem_code(
        &self,
        code: SecretHash,
        now: TaiTime,
    ) -> BoxFuture<'_, Result<Option<String>, StoreUnavailable>>;
    /// Keeps a session.
    fn insert(&self, id: SecretHash, session: StoredSession) -> BoxFuture<'_, Result<(), StoreUnavailable>>;
    /// Finds a session.
    fn find(&self, id: SecretHash) -> BoxFuture<'_, Result<Option<StoredSession>, StoreUnavailable>>;
    /// Forgets a session.
    fn remove(&self, id: SecretHash) -> BoxFuture<'_, Result<(), StoreUnavailable>>;
}

/// The door: codes in, sessions out.
pub struct Gate {
    store: Box<dyn SessionStore>,
    wrong_codes: Mutex<WrongCodes>,
}

/// When each client sent wrong codes in the last minute. Clients whose address is not known are one.
type WrongCodes = HashMap<Option<IpAddr>, VecDeque<Instant>>;

/// Why somebody is not let in.
#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    /// Too many wrong codes lately.
    #[error("too many wrong codes in the last minute")]
    SlowDown,
    /// The store does not answer.
    #[error(transparent)]
    Store(#[from] StoreUnavailable),
    /// Unknown, used or expired.
    #[error("the code is unknown, used or expired")]
    WrongCode,
}

impl Gate {
    /// A door in front of a store.
    pub fn new(store: impl SessionStore) -> Self {
        Self { store: Box::new(store), wrong_codes: Mutex::default() }
    }

    /// Turns a code into a session, whoever asks; returns the cookie's value.
    pub async fn log_in(&self, code: &str, now: TaiTime) -> Result<String, LoginError> {
        self.log_in_from(None, code, now).await
    }

    /// Turns a code that a client sent into a session; returns the cookie's value.
    pub async fn log_in_from(
        &self,
        client: Option<IpAddr>,
        code: &str,
        now: TaiTime,
    ) -> Result<String, LoginError> {
        let client = client.map(subscriber);
        if self.too_many_wrong_codes(client) {
            return Err(LoginError::SlowDown);
        }
        let Some(principal) = self.store.redeem_code(hash(&normalise_code(code)), now).await? else {
            self.count_wrong_code(client);
            return Err(LoginError::WrongCode);
        };
        let id = data_encoding::BASE64URL_NOPAD.encode(&random::<32>());
        let expires = now.plus_nanos(SESSION_DURATION.as_nanos() as i64);
        self.store.insert(hash(&id), StoredSession { principal, expires }).await?;
        Ok(id)
    }

    /// Who a cookie stands for, and until when.
    pub async fn principal(
        &self,
        cookie: &str,
        now: TaiTime,
    ) -> Result<Option<(Principal, TaiTime)>, StoreUnavailable> {
        let session = self.store.find(hash(cookie)).await?.filter(|session| session.expires > now);
        Ok(session
            .map(|session| (Principal { name: session.principal, role: Role::Operator }, session.expires)))
    }

    /// Ends a session.
    pub async fn log_out(&self, cookie: &str) -> Result<(), StoreUnavailable> {
        self.store.remove(hash(cookie)).await
    }

    fn wrong_codes(&self) -> MutexGuard<'_, WrongCodes> {
        self.wrong_codes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn count_wrong_code(&self, client: Option<IpAddr>) {
        let mut wrong = self.wrong_codes();
        if wrong.len() >= ADDRESSES_MAX && !wrong.contains_key(&client) {
            let quietest = wrong.iter().min_by_key(|(_, times)| times.back().copied()).map(|(at, _)| *at);
            quietest.map(|address| wrong.remove(&address));
        }
        let times = wrong.entry(client).or_default();
        times.push_back(Instant::now());
        // Codes that were asked for at the same time can be more than are allowed.
        while times.len() > WRONG_CODES_PER_MINUTE {
            times.pop_front();
        }
    }

    fn too_many_wrong_codes(&self, client: Option<IpAddr>) -> bool {
        let mut wrong = self.wrong_codes();
        let Some(times) = wrong.get_mut(&client) else { return false };
        while times.front().is_some_and(|at| at.elapsed() > Duration::from_secs(60)) {
            times.pop_front();
        }
        let count = times.len();
        if count == 0 {
            wrong.remove(&client);
        }
        count >= WRONG_CODES_PER_MINUTE
    }
}

/// What one client has of its address: all of IPv4, of IPv6 the network, whose other half it chooses itself.
fn subscriber(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX))),
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    /// Knows no code and no session.
    struct Empty;

    impl SessionStore for Empty {
        fn redeem_code(
            &self,
            _: SecretHash,
            _: TaiTime,
        ) -> BoxFuture<'_, Result<Option<String>, StoreUnavailable>> {
            async { Ok(None) }.boxed()
        }

        fn insert(&self, _: SecretHash, _: StoredSession) -> BoxFuture<'_, Result<(), StoreUnavailable>> {
            async { Ok(()) }.boxed()
        }

        fn find(&self, _: SecretHash) -> BoxFuture<'_, Result<Option<StoredSession>, StoreUnavailable>> {
            async { Ok(None) }.boxed()
        }

        fn remove(&self, _: SecretHash) -> BoxFuture<'_, Result<(), StoreUnavailable>> {
            async { Ok(()) }.boxed()
        }
    }

    #[tokio::test]
    async fn who_guesses_codes_locks_out_nobody_else() {
        let gate = Gate::new(Empty);
        let guess = async |client: &str| {
            let client = Some(client.parse().expect("an address"));
            gate.log_in_from(client, "0000", TaiTime::default()).await.expect_err("no code is right")
        };
        for number in 0..WRONG_CODES_PER_MINUTE {
            assert!(matches!(guess("10.0.0.1").await, LoginError::WrongCode));
            assert!(matches!(guess(&format!("2001:db8::{number:x}")).await, LoginError::WrongCode));
        }
        for waits in ["10.0.0.1", "::ffff:10.0.0.1", "2001:db8::cafe"] {
            assert!(matches!(guess(waits).await, LoginError::SlowDown), "{waits}");
        }
        for goes_on in ["10.0.0.2", "2001:db8:0:1::cafe"] {
            assert!(matches!(guess(goes_on).await, LoginError::WrongCode), "{goes_on}");
        }
    }

    #[tokio::test]
    async fn addresses_without_number_take_no_memory_without_bound() {
        let gate = Gate::new(Empty);
        for number in 0..ADDRESSES_MAX as u32 + 100 {
            let client = Some(IpAddr::V4(std::net::Ipv4Addr::from_bits(number)));
            let refused = gate.log_in_from(client, "0000", TaiTime::default()).await;
            assert!(matches!(refused, Err(LoginError::WrongCode)));
        }
        assert_eq!(gate.wrong_codes().len(), ADDRESSES_MAX);
    }

    #[test]
    fn a_code_is_the_same_however_it_is_typed() {
        let code = new_code();
        assert_eq!(code.len(), 14);
        assert_eq!(normalise_code(&code.to_lowercase().replace('-', " ")), code);
        assert_ne!(new_code(), code);
    }

    #[test]
    fn an_operator_reads_and_does_nothing_it_was_not_given() {
        let operator = Principal { name: "op".to_owned(), role: Role::Operator };
        let check = |action, resource| authorize(&operator, action, resource);
        assert_eq!(check(Action::ReadTelemetry, Resource::Mission("demo")), Decision::Allow);
        assert_eq!(check(Action::ReadTelemetry, Resource::Server), Decision::Deny);
        assert_eq!(check(Action::ReadNodes, Resource::Mission("demo")), Decision::Deny);
    }
}
