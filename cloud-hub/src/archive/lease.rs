//! The lease: of several hubs on a database one leads. It alone receives, commits, cuts, merges and drops.
//!
//! The lease is held for half a minute at a time, by the database's clock. Its token grows whenever somebody takes it,
//! and each transaction of the leader's asks for the token it knows ([`Lead::check`]): a hub that slept through its lease
//! changes nothing, however late it wakes.

use std::time::Duration;

use service::logging::chain;
use tokio_postgres::GenericClient;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use uuid::Uuid;

use super::{ArchiveError, Database};

/// Of what is led: the ledger and what is made of it.
const NAME: &str = "ledger";
/// How long a hub that says nothing more is waited for.
const TERM: Duration = Duration::from_secs(30);
const RENEW_INTERVAL: Duration = Duration::from_secs(10);

/// What a leader shows the database with each transaction. The default is of no hub: of commands and tests, which are
/// alone, and is not asked for.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Lead {
    token: Option<i64>,
}

impl Lead {
    /// Fails with [`ArchiveError::Fenced`] when another hub leads. Nobody takes the lease until the transaction of
    /// `client` ends.
    pub(super) async fn check(self, client: &impl GenericClient) -> Result<(), ArchiveError> {
        let Some(token) = self.token else { return Ok(()) };
        let sql = "SELECT FROM lease WHERE name = $1 AND token = $2 FOR KEY SHARE";
        let row = client.query_opt(sql, &[&NAME, &token]).await?;
        row.map(drop).ok_or(ArchiveError::Fenced)
    }
}

/// The lease, as one hub sees it.
#[derive(Clone)]
pub struct Lease {
    database: Database,
    hub: Uuid,
    machine: String,
}

impl Lease {
    /// The lease for the hub of a machine. Connections of `database` are known by the hub ([`Database::of_hub`]).
    pub fn new(database: Database, hub: Uuid, machine: String) -> Self {
        Self { database, hub, machine }
    }

    /// Takes the lease when it is over or was this hub's own; `None` while another hub has it. A copy of the hub's data
    /// directory on another machine is another hub.
    ///
    /// The last holder's connections are ended first. It may be stopped in the midst of a transaction, whose locks would
    /// be held for as long.
    pub async fn take(&self) -> Result<Option<Lead>, ArchiveError> {
        let client = self.database.borrow().await?;
        let sql = "SELECT holder, holder_name, until < clock_timestamp() FROM lease WHERE name = $1";
        let held = client.query_opt(sql, &[&NAME]).await?;
        let others = held.filter(|row| (row.get(0), row.get(1)) != (self.hub, self.machine.as_str()));
        if others.as_ref().is_some_and(|row| !row.get::<_, bool>(2)) {
            return Ok(None);
        }
        // Whoever works for the hub may look and renew, only the owner takes.
        let owner = self.database.connect().await?;
        if let Some(row) = others {
            let ended = end_connections(&owner, row.get(0)).await?;
            let holder = row.get::<_, &str>(1);
            info!(holder, connections_ended = ended, "lease of another hub is over");
        }
        let sql = "INSERT INTO lease AS held (name, holder, holder_name, token, until)
                   VALUES ($1, $2, $3, 1, clock_timestamp() + make_interval(secs => $4))
                   ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, holder_name = excluded.holder_name,
                       token = held.token + 1, until = excluded.until
                   WHERE (held.holder, held.holder_name) = (excluded.holder, excluded.holder_name)
                       OR held.until < clock_timestamp()
                   RETURNING token";
        let row = owner.query_opt(sql, &[&NAME, &self.hub, &self.machine, &TERM.as_secs_f64()]).await?;
        Ok(row.map(|row| Lead { token: Some(row.get(0)) }))
    }

    /// Holds the lease for another term, counted from now.
    pub async fn renew(&self, lead: Lead) -> Result<(), ArchiveError> {
        self.hold(lead, TERM).await
    }

    /// Lets go: the next hub may lead at once.
    pub async fn let_go(&self, lead: Lead) -> Result<(), ArchiveError> {
        self.hold(lead, Duration::ZERO).await
    }

    async fn hold(&self, lead: Lead, term: Duration) -> Result<(), ArchiveError> {
        let client = self.database.borrow().await?;
        let sql = "UPDATE lease SET until = clock_timestamp() + make_interval(secs => $3)
                   WHERE name = $1 AND token = $2";
        let held = client.execute(sql, &[&NAME, &lead.token, &term.as_secs_f64()]).await?;
        if held == 0 { Err(ArchiveError::Fenced) } else { Ok(()) }
    }

    /// Renews the lease until shutdown; fails when another hub took it. A database that does not answer takes nothing
    /// away: as long as nobody else has it, the lease is this hub's.
    pub async fn keep(self, lead: Lead, shutdown: CancellationToken) -> anyhow::Result<()> {
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return Ok(()),
                () = tokio::time::sleep(RENEW_INTERVAL) => {}
            }
            match self.renew(lead).await {
                Ok(()) => {}
                Err(error @ ArchiveError::Fenced) => return Err(error.into()),
                Err(error) => warn!(error = chain(&error), "lease could not be renewed, trying again"),
            }
        }
    }
}

/// The machine whose hub leads, or led last; `None` before the first.
pub async fn leader(database: &Database) -> Result<Option<String>, ArchiveError> {
    let client = database.borrow().await?;
    let row = client.query_opt("SELECT holder_name FROM lease WHERE name = $1", &[&NAME]).await?;
    Ok(row.map(|row| row.get(0)))
}

/// Ends all connections of a hub, of the same database user; returns how many there were. Another user's must not be ended.
async fn end_connections(client: &impl GenericClient, hub: Uuid) -> Result<u64, ArchiveError> {
    let sql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
               WHERE application_name = $1 AND usename = session_user AND datname = current_database()
                 AND pid <> pg_backend_pid()";
    Ok(client.execute(sql, &[&Database::name_of(hub)]).await?)
}
