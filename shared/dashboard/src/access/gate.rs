//! The door: codes in, sessions out; cookies and tokens told apart.

use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use space_packet::TaiTime;

use super::secret::{looks_like_token, new_session_id};
use super::{Principal, SecretHash, hash, normalise_code};

/// How long a session lasts.
pub const SESSION_DURATION: Duration = Duration::from_secs(12 * 3_600);
/// How long a one-time code is good for.
pub const CODE_DURATION: Duration = Duration::from_secs(3_600);
/// Wrong codes within a minute after which an address waits: a code has 60 random bits, guessing takes for ever.
const WRONG_CODES_PER_MINUTE: usize = 20;
/// Addresses whose wrong codes are counted at once; past it, the one that was quiet longest is forgotten.
const ADDRESSES_MAX: usize = 1_024;

/// Why the store of codes and sessions did not answer.
#[derive(Debug, thiserror::Error)]
#[error("the store of sessions does not answer: {0}")]
pub struct StoreUnavailable(pub String);

/// Whom a session or a token stands for, as kept.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct KnownPrincipal {
    /// Who.
    pub principal: Principal,
    /// Until when.
    pub expires: TaiTime,
}

/// What a request proves with who sent it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Credential {
    /// The value of a browser's session cookie.
    Cookie(String),
    /// A program's API token.
    Token(String),
}

/// Where codes, sessions and tokens are kept: PostgreSQL at the hub, a file at a node.
pub trait SessionStore: Send + Sync + 'static {
    /// Takes a code out, if it is there and not expired; returns whose it was.
    fn redeem_code(
        &self,
        code: SecretHash,
        now: TaiTime,
    ) -> BoxFuture<'_, Result<Option<Principal>, StoreUnavailable>>;
    /// Keeps a session.
    fn insert(&self, id: SecretHash, session: KnownPrincipal) -> BoxFuture<'_, Result<(), StoreUnavailable>>;
    /// Finds a session.
    fn find(&self, id: SecretHash) -> BoxFuture<'_, Result<Option<KnownPrincipal>, StoreUnavailable>>;
    /// Forgets a session.
    fn remove(&self, id: SecretHash) -> BoxFuture<'_, Result<(), StoreUnavailable>>;
    /// Finds an API token that is not revoked. A store without tokens finds none.
    fn find_token(
        &self,
        _token: SecretHash,
    ) -> BoxFuture<'_, Result<Option<KnownPrincipal>, StoreUnavailable>> {
        async { Ok(None) }.boxed()
    }
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
        let id = new_session_id();
        let expires = now.plus_nanos(SESSION_DURATION.as_nanos() as i64);
        self.store.insert(hash(&id), KnownPrincipal { principal, expires }).await?;
        Ok(id)
    }

    /// Whom a credential stands for, and until when.
    pub async fn principal(
        &self,
        credential: &Credential,
        now: TaiTime,
    ) -> Result<Option<KnownPrincipal>, StoreUnavailable> {
        let known = match credential {
            Credential::Cookie(id) => self.store.find(hash(id)).await?,
            Credential::Token(token) if looks_like_token(token) => self.store.find_token(hash(token)).await?,
            Credential::Token(_) => None,
        };
        Ok(known.filter(|known| known.expires > now))
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
    use super::*;

    /// Knows no code and no session.
    struct Empty;

    impl SessionStore for Empty {
        fn redeem_code(
            &self,
            _: SecretHash,
            _: TaiTime,
        ) -> BoxFuture<'_, Result<Option<Principal>, StoreUnavailable>> {
            async { Ok(None) }.boxed()
        }

        fn insert(&self, _: SecretHash, _: KnownPrincipal) -> BoxFuture<'_, Result<(), StoreUnavailable>> {
            async { Ok(()) }.boxed()
        }

        fn find(&self, _: SecretHash) -> BoxFuture<'_, Result<Option<KnownPrincipal>, StoreUnavailable>> {
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
}
