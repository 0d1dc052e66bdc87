//! Connections to PostgreSQL: where it is, one for a purpose, or one of a few for questions.

use std::future::poll_fn;
use std::path::PathBuf;
use std::time::Duration;

use deadpool_postgres::{Manager, ManagerConfig, Object, Pool, RecyclingMethod, Runtime};
use serde::{Deserialize, Serialize};
use tokio_postgres::config::TargetSessionAttrs;
use tokio_postgres::{AsyncMessage, Client, NoTls};
use tracing::debug;
use uuid::Uuid;

use super::question::Question;
use super::{ArchiveError, Lead, roles};

mod embedded {
    refinery::embed_migrations!("migrations");
}

/// Held while the schema is brought up to date, so that two hubs do not do it at once.
const MIGRATION_LOCK: i64 = 0x5354_4f01;
/// Held by the one hub that writes the ledger. Whoever gets it knows that its last holder's transactions are over.
const LEDGER_LOCK: i64 = 0x5354_4f02;
/// Questions of dashboards at once; further ones wait. They can be long, so they have connections of their own.
const QUESTIONS: usize = 6;
/// Short statements at once: sessions opened, nodes read, segments written.
const STATEMENTS: usize = 16;
/// Of each address there is.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const SILENCE_MAX: Duration = Duration::from_secs(10);
/// What a shared connection sets when it is made. The role comes with the connection, so that `RESET ROLE` leads back to
/// it and not to the owner. Statements are cut before whoever waits for them gives up; a lock that does not come is a
/// migration or a partition being dropped; a transaction that nothing happens in belongs to a hub that hangs.
const STATEMENT_SETTINGS: [(&str, &str); 4] = [
    ("role", roles::INGEST),
    ("statement_timeout", "60s"),
    ("lock_timeout", "10s"),
    ("idle_in_transaction_session_timeout", "60s"),
];
/// The same for questions: somebody sits in front of them.
const QUESTION_SETTINGS: [(&str, &str); 4] = [
    ("role", roles::INTERACTIVE),
    ("statement_timeout", "30s"),
    ("lock_timeout", "5s"),
    ("idle_in_transaction_session_timeout", "60s"),
];
/// What a question is about that is about no mission.
const WHOLE_SERVER: &str = "*";

/// Where a PostgreSQL is: in `ready.json`, for the hub's own commands.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum Address {
    /// The hub's private one.
    Private {
        /// Folder of its socket.
        socket_directory: PathBuf,
        /// Number in the socket's name.
        port: u16,
        /// Database user.
        user: String,
    },
    /// Yours: the URL is a secret and stays in the configuration.
    Yours,
}

/// No connection could be made.
#[derive(Debug, thiserror::Error)]
pub enum ConnectFailure {
    /// The URL cannot be read. It is not shown: it holds a password.
    #[error("database.url cannot be read; it looks like postgresql://user:password@host/database")]
    Url,
    /// The schema could not be brought up to date.
    #[error("failed to bring the schema up to date")]
    Migration(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The user cannot work as the roles the hub needs.
    #[error(
        "error[STO-DATABASE-ROLES]: the database user {user} {lacks}\n  Nothing was changed.\n  \
         → as a superuser, once: the statements under \"Your own PostgreSQL\" in docs/database.md"
    )]
    Roles {
        /// Who the hub connects as.
        user: String,
        /// What is missing.
        lacks: String,
    },
    /// Another connection has the ledger, and did not give it up.
    #[error("another hub writes this database, or a connection of one is not over yet")]
    InUse,
    /// PostgreSQL does not answer.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
}

/// A PostgreSQL database. Cheap to clone.
#[derive(Clone)]
pub struct Database {
    config: tokio_postgres::Config,
    statements: Pool,
    questions: Pool,
    lead: Lead,
}

impl Database {
    /// The database at a URL.
    pub fn at_url(url: &str) -> Result<Self, ConnectFailure> {
        let mut config: tokio_postgres::Config = url.parse().map_err(|_| ConnectFailure::Url)?;
        config.application_name("cloud-hub");
        Ok(Self::new(config))
    }

    /// The hub's database in a private cluster.
    pub fn in_cluster(socket_directory: &std::path::Path, port: u16, user: &str, name: &str) -> Self {
        let mut config = tokio_postgres::Config::new();
        config.host_path(socket_directory).port(port).user(user).dbname(name).application_name("cloud-hub");
        Self::new(config)
    }

    fn new(mut config: tokio_postgres::Config) -> Self {
        // A database host that vanishes without a word must not hold the ledger for hours.
        config.connect_timeout(CONNECT_TIMEOUT).tcp_user_timeout(SILENCE_MAX).keepalives_idle(SILENCE_MAX);
        if config.get_hosts().len() > 1 {
            // Of several the hub wants the one that takes commits, whether the URL says so or not.
            config.target_session_attrs(TargetSessionAttrs::ReadWrite);
        }
        let statements = pool(&config, &STATEMENT_SETTINGS, STATEMENTS);
        let questions = pool(&config, &QUESTION_SETTINGS, QUESTIONS);
        Self { config, statements, questions, lead: Lead::default() }
    }

    /// The same with connections that PostgreSQL knows by the hub, so that the next leader can end them.
    pub fn of_hub(mut self, hub: Uuid) -> Self {
        self.config.application_name(Self::name_of(hub));
        Self::new(self.config)
    }

    /// What connections of a hub are called.
    pub(super) fn name_of(hub: Uuid) -> String {
        format!("cloud-hub {hub}")
    }

    /// The same for whoever leads: what it writes shows this to PostgreSQL.
    pub fn led(&self, lead: Lead) -> Self {
        Self { lead, ..self.clone() }
    }

    /// What its transactions show.
    pub(super) fn lead(&self) -> Lead {
        self.lead
    }

    /// A connection of the caller's own, as the owner.
    pub async fn connect(&self) -> Result<Client, ArchiveError> {
        let (client, connection) =
            self.config.connect(NoTls).await.map_err(|error| ArchiveError::Connect(Box::new(error)))?;
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                debug!(%error, "database connection ended");
            }
        });
        Ok(client)
    }

    /// A connection that also hears what is told on a channel, which `hear` is called with.
    pub(super) async fn listen(
        &self,
        channel: &str,
        hear: impl Fn(&str) + Send + 'static,
    ) -> Result<Client, ArchiveError> {
        let (client, mut connection) =
            self.config.connect(NoTls).await.map_err(|error| ArchiveError::Connect(Box::new(error)))?;
        tokio::spawn(async move {
            while let Some(Ok(message)) = poll_fn(|context| connection.poll_message(context)).await {
                if let AsyncMessage::Notification(told) = message {
                    hear(told.payload());
                }
            }
        });
        client.batch_execute(&format!("LISTEN {channel}")).await?;
        Ok(client)
    }

    /// A shared connection for a question about a mission: no other mission's rows are there.
    pub async fn borrow_for_question(&self, mission: &str) -> Result<Question, ArchiveError> {
        let client = self.questions.get().await.map_err(|error| ArchiveError::Connect(Box::new(error)))?;
        Question::begin(client, mission).await
    }

    /// A shared connection for a question about the server itself, which sees the rows of all missions.
    pub async fn borrow_for_server(&self) -> Result<Question, ArchiveError> {
        self.borrow_for_question(WHOLE_SERVER).await
    }

    /// A shared connection for a short statement.
    pub async fn borrow(&self) -> Result<Object, ArchiveError> {
        self.statements.get().await.map_err(|error| ArchiveError::Connect(Box::new(error)))
    }

    /// Ends the shared connections, before PostgreSQL itself is ended.
    pub fn close(&self) {
        self.statements.close();
        self.questions.close();
    }

    /// Brings the schema up to date.
    pub async fn migrate(&self) -> Result<(), ConnectFailure> {
        let mut client = self.connect().await?;
        let lock = client.execute("SELECT pg_advisory_lock($1)", &[&MIGRATION_LOCK]).await;
        lock.map_err(ArchiveError::from)?;
        roles::prepare(&client).await?;
        let migrated = embedded::migrations::runner().run_async(&mut client).await;
        // The lock goes with the connection.
        migrated.map(drop).map_err(|error| ConnectFailure::Migration(Box::new(error)))
    }

    /// A connection that writes the ledger, alone. Waits for the last holder's connection to be really over: then
    /// whatever it had begun is committed or undone.
    pub async fn connect_as_writer(&self, wait: Duration) -> Result<Client, ConnectFailure> {
        let client = self.connect().await?;
        let give_up_at = tokio::time::Instant::now() + wait;
        loop {
            let row = client.query_one("SELECT pg_try_advisory_lock($1)", &[&LEDGER_LOCK]).await;
            if row.map_err(ArchiveError::from)?.get(0) {
                // An acknowledgement says durable, whatever a database of yours has as its default.
                let durable = client.batch_execute("SET synchronous_commit = on").await;
                durable.map_err(ArchiveError::from)?;
                return Ok(client);
            }
            if tokio::time::Instant::now() >= give_up_at {
                return Err(ConnectFailure::InUse);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

fn pool(config: &tokio_postgres::Config, settings: &[(&str, &str)], size: usize) -> Pool {
    let mut config = config.clone();
    let given = config.get_options().map(str::to_owned);
    let ours = settings.iter().map(|(name, value)| format!("-c {name}={value}"));
    let options: Vec<String> = given.into_iter().chain(ours).collect();
    config.options(options.join(" "));
    // An address that does not answer must not use up the time of those behind it.
    let addresses = config.get_hosts().len().max(1) as u32;
    let manager =
        Manager::from_config(config, NoTls, ManagerConfig { recycling_method: RecyclingMethod::Fast });
    Pool::builder(manager)
        .max_size(size)
        .runtime(Runtime::Tokio1)
        .wait_timeout(Some(CONNECT_TIMEOUT))
        .create_timeout(Some(CONNECT_TIMEOUT * addresses))
        .build()
        .expect("a pool with a runtime and timeouts always builds")
}
