//! A Redis of a test's own, of the `redis-server` that is installed.

use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::Context;
use redis::aio::MultiplexedConnection;
use tempfile::TempDir;

use crate::ports::Ports;
use crate::process::until;

const SOON: Duration = Duration::from_secs(30);

/// Redis on an address that stays its own while it is down. Dropping it kills it.
#[derive(Debug)]
pub struct TestRedis {
    address: SocketAddr,
    folder: TempDir,
    server: Option<Child>,
    _ports: Ports,
}

impl TestRedis {
    /// Starts one that keeps nothing on the disk, and waits until it answers.
    pub async fn start() -> anyhow::Result<Self> {
        let mut ports = Ports::claim()?;
        let (address, folder) = (ports.next_address()?, tempfile::tempdir()?);
        let mut redis = Self { address, folder, server: None, _ports: ports };
        redis.start_again().await?;
        Ok(redis)
    }

    /// What clients connect to.
    pub fn url(&self) -> String {
        format!("redis://{}/0", self.address)
    }

    /// Starts it, empty, where it was.
    pub async fn start_again(&mut self) -> anyhow::Result<()> {
        self.kill()?;
        let mut command = Command::new("redis-server");
        command.args(["--port", &self.address.port().to_string(), "--bind", "127.0.0.1"]);
        command.args(["--save", "", "--appendonly", "no", "--dir"]).arg(self.folder.path());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        self.server = Some(command.spawn().context("redis-server did not start; `./dev test` installs it")?);
        until("Redis answers", SOON, async || Ok(self.connect().await.ok().map(drop))).await
    }

    /// Ends it as a power cut would.
    pub fn kill(&mut self) -> anyhow::Result<()> {
        if let Some(mut server) = self.server.take() {
            server.kill()?;
            server.wait()?;
        }
        Ok(())
    }

    /// Publishes to a channel; returns how many listen there.
    pub async fn publish(&self, channel: &str, message: &[u8]) -> anyhow::Result<u64> {
        let mut connection = self.connect().await?;
        Ok(redis::cmd("PUBLISH").arg(channel).arg(message).query_async(&mut connection).await?)
    }

    /// Hashes that are there, and how many fields each has.
    pub async fn hashes(&self) -> anyhow::Result<Vec<(String, u64)>> {
        let mut connection = self.connect().await?;
        let keys: Vec<String> = redis::cmd("KEYS").arg("*").query_async(&mut connection).await?;
        let mut hashes = Vec::new();
        for key in keys {
            let fields = redis::cmd("HLEN").arg(&key).query_async(&mut connection).await?;
            hashes.push((key, fields));
        }
        Ok(hashes)
    }

    async fn connect(&self) -> anyhow::Result<MultiplexedConnection> {
        let client = redis::Client::open(self.url())?;
        Ok(client.get_multiplexed_async_connection().await?)
    }
}

impl Drop for TestRedis {
    fn drop(&mut self) {
        // One that has ended already cannot be killed, which is what we wanted.
        let _ = self.kill();
    }
}
