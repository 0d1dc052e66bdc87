//! What the private cluster's superuser does: roles, and databases for them. Nothing else connects as it, but backups.

use std::time::Duration;

use tokio::time::timeout;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Config, Error, NoTls};
use tracing::info;

use super::{ClusterError, PORT, PrivateCluster, SUPERUSER, USER};
use crate::archive::roles::{self, INGEST, INTERACTIVE, unless_there};

/// Where an older hub's superuser is put away: it was called `sto` and cannot be removed.
const FORMER_SUPERUSER: &str = "sto_former";
const DEFAULT_DATABASE: &str = "postgres";

impl PrivateCluster {
    /// Makes sure that a database of this name exists, and that the hub's user owns it.
    pub async fn create_database(&self, name: &str) -> Result<(), ClusterError> {
        let failed = |source| ClusterError::CreateDatabase { name: name.to_owned(), source };
        let created = format!("CREATE DATABASE {} OWNER {USER}", quoted(name));
        match self.execute(&created).await {
            Err(there) if there.code() == Some(&SqlState::DUPLICATE_DATABASE) => {
                self.hand_over(name).await.map_err(failed)
            }
            done => done.map_err(failed),
        }
    }

    /// Makes the roles that are missing.
    pub(super) async fn prepare_roles(&self) -> Result<(), Error> {
        if self.execute("SELECT 1").await.is_err_and(|failed| is_unknown_role(&failed)) {
            // Made by an older hub, whose own user was the superuser.
            let sql = format!("CREATE ROLE {SUPERUSER} SUPERUSER REPLICATION LOGIN");
            self.session(USER, DEFAULT_DATABASE, async |client| client.batch_execute(&sql).await).await?;
        }
        self.session(SUPERUSER, DEFAULT_DATABASE, async |client| {
            let sql = "SELECT rolsuper FROM pg_roles WHERE rolname = $1";
            let is_superuser = client.query_opt(sql, &[&USER]).await?.map(|row| row.get::<_, bool>(0));
            if is_superuser == Some(true) {
                info!("the hub's database user ceases to be the superuser");
                let sql = format!(
                    "ALTER ROLE {USER} RENAME TO {FORMER_SUPERUSER}; ALTER ROLE {FORMER_SUPERUSER} NOLOGIN"
                );
                client.batch_execute(&sql).await?;
            }
            if is_superuser != Some(false) {
                let sql = format!("CREATE ROLE {USER} LOGIN BYPASSRLS");
                unless_there(client.batch_execute(&sql).await)?;
            }
            roles::create(client).await?;
            unless_there(client.batch_execute(&format!("GRANT {INGEST}, {INTERACTIVE} TO {USER}")).await)
        })
        .await
    }

    /// Gives a database that belongs to somebody else, and its tables, to the hub's user.
    async fn hand_over(&self, name: &str) -> Result<(), Error> {
        self.session(SUPERUSER, name, async |client| {
            let sql = "SELECT rolname = $1 FROM pg_database JOIN pg_roles ON pg_roles.oid = datdba
                       WHERE datname = current_database()";
            if client.query_one(sql, &[&USER]).await?.get(0) {
                return Ok(());
            }
            let tables = format!(
                "DO $$ DECLARE relation regclass; BEGIN
                     FOR relation IN SELECT oid FROM pg_class
                         WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v')
                     LOOP EXECUTE format('ALTER TABLE %s OWNER TO {USER}', relation); END LOOP;
                 END $$"
            );
            // Several statements in one message are one transaction.
            client.batch_execute(&format!("{tables}; ALTER DATABASE {} OWNER TO {USER}", quoted(name))).await
        })
        .await
    }

    /// Whether connections are accepted; an older hub's cluster does not know the superuser yet.
    pub(super) async fn answers(&self) -> bool {
        self.execute("SELECT 1").await.map_or_else(|failed| is_unknown_role(&failed), |()| true)
    }

    pub(super) async fn execute(&self, statement: &str) -> Result<(), Error> {
        self.session(SUPERUSER, DEFAULT_DATABASE, async |client| client.batch_execute(statement).await).await
    }

    pub(super) async fn session<T>(
        &self,
        user: &str,
        database: &str,
        work: impl AsyncFnOnce(&Client) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let mut config = Config::new();
        config.host_path(&self.socket_directory).port(PORT).user(user).dbname(database);
        config.connect_timeout(Duration::from_secs(5));
        let (client, connection) = config.connect(NoTls).await?;
        let work = async move {
            let done = work(&client).await;
            drop(client);
            done
        };
        // The connection ends when `work` drops its client; its error is the client's as well.
        let (result, _) = tokio::join!(work, timeout(Duration::from_secs(60), connection));
        result
    }
}

fn is_unknown_role(failed: &Error) -> bool {
    failed.code() == Some(&SqlState::INVALID_AUTHORIZATION_SPECIFICATION)
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
