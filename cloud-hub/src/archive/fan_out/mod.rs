//! Fan-out: the hub that leads hands what it committed to those that follow, by a Redis that may be there or not.
//!
//! Redis is believed in nothing. What comes from it carries a tag that only hubs of one authority can make ([`Seal`]), and
//! is taken where it comes right behind what was read of the ledger; anything else is read there. So a message that is
//! lost, doubled, late or made up costs time at most.

mod latest;
mod message;
mod publish;
mod room;
mod seal;
mod subscribe;

use std::sync::Arc;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, RedisError};
use service::logging::chain;
use tokio::time::Instant;
use tracing::{info, warn};

pub(super) use latest::LatestReader;
pub use latest::{read_value, write_value};
pub use message::HandedOver;
pub use publish::{Publisher, Publishing};
pub use seal::Seal;
pub(super) use subscribe::Subscription;

/// What connecting may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// What an answer may take.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);
/// Before the first attempt after a loss, doubled for each that follows.
const BACKOFF_MIN: Duration = Duration::from_millis(100);
const BACKOFF_MAX: Duration = Duration::from_secs(5);

/// The URL cannot be read. It is not shown: it may hold a password.
#[derive(Debug, thiserror::Error)]
#[error("redis.url cannot be read; it looks like redis://user:password@host:6379/0, or rediss:// for TLS")]
pub struct RedisUrlError;

/// A Redis that hubs of one archive share. Cheap to clone.
#[derive(Clone)]
pub struct FanOut {
    client: Arc<Client>,
    seal: Arc<Seal>,
}

/// Why a connection to Redis is given up.
#[derive(Debug, thiserror::Error)]
enum Lost {
    #[error("Redis closed the connection")]
    Closed,
    #[error("Redis did not do what it was asked for")]
    Refused(#[from] RedisError),
    #[error("Redis did not answer within {} s", ANSWER_TIMEOUT.as_secs())]
    Silent(#[from] tokio::time::error::Elapsed),
}

impl FanOut {
    /// By the Redis at a URL; connects when it is used.
    pub fn at_url(url: &str, seal: Seal) -> Result<Self, RedisUrlError> {
        let client = Client::open(url).map_err(|_| RedisUrlError)?;
        Ok(Self { client: Arc::new(client), seal: Arc::new(seal) })
    }

    /// Whether a URL can be read.
    pub fn check_url(url: &str) -> Result<(), RedisUrlError> {
        Client::open(url).map(drop).map_err(|_| RedisUrlError)
    }

    /// A name in Redis: those of another archive are others.
    fn name(&self, of: &str) -> String {
        format!("sto:{:016x}:{of}", u64::from_be_bytes(self.seal.archive()))
    }

    async fn connect(&self) -> Result<MultiplexedConnection, Lost> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT_TIMEOUT))
            .set_response_timeout(Some(ANSWER_TIMEOUT));
        // Looking up a name has no timeout of its own.
        let connecting = self.client.get_multiplexed_async_connection_with_config(&config);
        Ok(tokio::time::timeout(CONNECT_TIMEOUT * 2, connecting).await??)
    }
}

/// Says once that Redis is away, and once that it is back; and how long to wait before it is tried again.
struct Standing {
    /// What Redis is used for.
    purpose: &'static str,
    is_away: bool,
    since: Instant,
    backoff: Duration,
}

impl Standing {
    fn new(purpose: &'static str) -> Self {
        Self { purpose, is_away: false, since: Instant::now(), backoff: BACKOFF_MIN }
    }

    fn is_back(&mut self) {
        self.since = Instant::now();
        if std::mem::take(&mut self.is_away) {
            info!(purpose = self.purpose, "Redis is back");
        }
    }

    /// Returns what to wait for. A Redis that answers and is gone again at once is waited for longer and longer too.
    fn is_lost(&mut self, lost: &Lost) -> Duration {
        if !std::mem::replace(&mut self.is_away, true) {
            warn!(
                purpose = self.purpose,
                error = chain(lost),
                "STO-REDIS-AWAY: Redis is not used until it is back; hubs that follow read the ledger, nothing is lost"
            );
            if self.since.elapsed() > BACKOFF_MAX {
                self.backoff = BACKOFF_MIN;
            }
        }
        let wait = self.backoff;
        self.backoff = (wait * 2).min(BACKOFF_MAX);
        wait
    }
}
