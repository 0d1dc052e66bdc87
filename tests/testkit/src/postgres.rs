//! PostgreSQL for tests: one cluster for a run, one database for a test.
//!
//! `with-postgres` starts the cluster of a run and names it in [`VARIABLE`]. A test started without it (in an editor,
//! say) starts one for its own process.

use std::fmt;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context, bail};
use cloud_hub::archive::{ClusterConfig, Durability, PrivateCluster, SUPERUSER};
use tokio::sync::OnceCell;
use tokio_postgres::{Client, Config, NoTls};

use crate::guard::Guard;

/// Names the cluster of this run, as `socket directory:port:user`.
pub const VARIABLE: &str = "STO_TEST_POSTGRES";

/// Where a test cluster is reached.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Server {
    /// Folder of its Unix socket.
    pub socket_directory: PathBuf,
    /// Port that names the socket.
    pub port: u16,
    /// User that owns the databases, as a hub's does.
    pub user: String,
}

impl fmt::Display for Server {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}:{}", self.socket_directory.display(), self.port, self.user)
    }
}

impl FromStr for Server {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        let mut fields = text.rsplitn(3, ':');
        let (Some(user), Some(port), Some(directory)) = (fields.next(), fields.next(), fields.next()) else {
            bail!("{VARIABLE} must be `socket directory:port:user`, not {text:?}");
        };
        let port = port.parse().with_context(|| format!("{VARIABLE} has the port {port:?}"))?;
        Ok(Self { socket_directory: PathBuf::from(directory), port, user: user.to_owned() })
    }
}

/// A throw-away cluster; dropping it ends PostgreSQL and removes its folder.
pub struct TestCluster {
    cluster: PrivateCluster,
    guard: Guard,
}

impl TestCluster {
    /// Starts a cluster in a new folder that PostgreSQL's user can enter.
    pub async fn start() -> anyhow::Result<Self> {
        let open = Permissions::from_mode(0o755);
        let folder = tempfile::Builder::new().prefix("sto-test-").permissions(open).tempdir()?;
        let directory = folder.path().join("database");
        let guard = Guard::over(&directory, Some(folder.path()))?;
        // From here on the guard removes it, after PostgreSQL ended.
        let _ = folder.keep();
        let config = ClusterConfig { directory, binaries: None, durability: Durability::TestOnly };
        Ok(Self { cluster: PrivateCluster::start(config).await?, guard })
    }

    /// Where it is reached.
    pub fn server(&self) -> Server {
        Server {
            socket_directory: self.cluster.socket_directory().to_path_buf(),
            port: self.cluster.port(),
            user: self.cluster.user().to_owned(),
        }
    }

    /// Ends it in order and removes its folder.
    pub async fn stop(self) -> anyhow::Result<()> {
        let stopped = self.cluster.stop().await;
        drop(self.guard);
        Ok(stopped?)
    }
}

/// A database of one test. It is dropped with this value, unless the test failed: then it may be looked at until
/// the run ends.
#[derive(Debug)]
pub struct TestDatabase {
    server: Server,
    name: String,
}

impl TestDatabase {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where its cluster is reached.
    pub fn server(&self) -> &Server {
        &self.server
    }

    /// What a client connects with.
    pub fn config(&self) -> Config {
        client_config(&self.server, &self.server.user, &self.name)
    }

    /// The same as the superuser, for what only the one who runs a cluster may do.
    pub fn superuser_config(&self) -> Config {
        client_config(&self.server, SUPERUSER, &self.name)
    }

    /// The same as text, for a configuration file's `database.url` or for psql.
    pub fn connection_string(&self) -> String {
        let Server { socket_directory, port, user } = &self.server;
        format!("host='{}' port={port} user={user} dbname={}", socket_directory.display(), self.name)
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("kept for a look until the run ends: psql \"{}\"", self.connection_string());
            return;
        }
        let (server, statement) =
            (self.server.clone(), format!("DROP DATABASE \"{}\" WITH (FORCE)", self.name));
        // On a thread of its own, because a test's runtime cannot be blocked on from inside.
        let dropper = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(execute(&server, &statement))
        });
        // The cluster goes with the run anyway.
        let _ = dropper.join();
    }
}

/// A new, empty database.
///
/// # Panics
/// When there is no PostgreSQL, which is what the test then says.
pub async fn database() -> TestDatabase {
    match new_database().await {
        Ok(database) => database,
        Err(failed) => panic!("no database for this test: {failed:#}"),
    }
}

async fn new_database() -> anyhow::Result<TestDatabase> {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    let server = server().await?;
    let name = format!("test_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    execute(&server, &format!("CREATE DATABASE \"{name}\" OWNER \"{}\"", server.user)).await?;
    Ok(TestDatabase { server, name })
}

/// The cluster of this run, or of this process.
pub async fn server() -> anyhow::Result<Server> {
    static OWN: OnceCell<TestCluster> = OnceCell::const_new();
    match std::env::var(VARIABLE) {
        Ok(text) => text.parse(),
        Err(_) => Ok(OWN.get_or_try_init(TestCluster::start).await?.server()),
    }
}

fn client_config(server: &Server, user: &str, database: &str) -> Config {
    let mut config = Config::new();
    config.host_path(&server.socket_directory).port(server.port).user(user).dbname(database);
    config
}

/// A connection; an error is PostgreSQL's.
pub async fn connect(config: &Config) -> Result<Client, tokio_postgres::Error> {
    let (client, connection) = config.connect(NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

async fn execute(server: &Server, statement: &str) -> anyhow::Result<()> {
    let (client, connection) = client_config(server, SUPERUSER, "postgres").connect(NoTls).await?;
    let work = async move { client.batch_execute(statement).await };
    let (result, _) = tokio::join!(work, connection);
    result.with_context(|| format!("failed: {statement}"))
}

/// Ends a PostgreSQL that a killed hub left behind in `cluster`.
pub fn end_left_behind(cluster: &Path) -> std::io::Result<()> {
    Guard::over(cluster, None).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_survives_the_environment() {
        let server = Server { socket_directory: "/tmp/a:b/socket".into(), port: 5432, user: "sto".into() };
        assert_eq!(server.to_string().parse::<Server>().expect("it is our own text"), server);
        for text in ["", "/tmp", "/tmp:sto", "/tmp:many:sto"] {
            assert!(text.parse::<Server>().is_err(), "{text:?}");
        }
    }

    #[tokio::test]
    async fn each_test_has_its_own_database_and_it_goes_with_the_test() {
        let (one, two) = (database().await, database().await);
        assert_ne!(one.name(), two.name());
        let exists = format!("SELECT 1/count(*) FROM pg_database WHERE datname = '{}'", one.name());
        execute(two.server(), &exists).await.expect("it exists");
        let parsed: Config = one.connection_string().parse().expect("it is a connection string");
        assert_eq!(parsed.get_dbname(), Some(one.name()));
        assert_eq!(parsed.get_hosts(), one.config().get_hosts());
        drop(one);
        assert!(execute(two.server(), &exists).await.is_err(), "it was not dropped");
    }
}
