//! A mail server of a test's own: `aiosmtpd`, which knows nothing of us, and keeps what it takes in files.

use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::Context;
use tempfile::TempDir;
use tokio::net::TcpStream;

use crate::ports::Ports;
use crate::process::until;

const SOON: Duration = Duration::from_secs(30);

/// A mail server on loopback. Dropping it kills it.
#[derive(Debug)]
pub struct TestMail {
    address: SocketAddr,
    folder: TempDir,
    server: Child,
    _ports: Ports,
}

impl TestMail {
    /// Starts one and waits until it listens.
    pub async fn start() -> anyhow::Result<Self> {
        let mut ports = Ports::claim()?;
        let (address, folder) = (ports.next_address()?, tempfile::tempdir()?);
        let mut command = Command::new("aiosmtpd");
        command.args(["--nosetuid", "--listen", &address.to_string()]);
        command.args(["--class", "aiosmtpd.handlers.Mailbox"]).arg(folder.path().join("mail"));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let server = command.spawn().context("aiosmtpd did not start; `./dev test` installs it")?;
        let mail = Self { address, folder, server, _ports: ports };
        until("the mail server listens", SOON, async || Ok(TcpStream::connect(address).await.ok().map(drop)))
            .await?;
        Ok(mail)
    }

    /// Where it listens, without TLS.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// All messages that it took, as they came, in no order.
    pub fn messages(&self) -> anyhow::Result<Vec<String>> {
        let folder = self.folder.path().join("mail").join("new");
        if !folder.is_dir() {
            return Ok(Vec::new());
        }
        let read = |entry: std::io::Result<std::fs::DirEntry>| {
            let bytes = std::fs::read(entry?.path())?;
            Ok(String::from_utf8_lossy(&bytes).into_owned())
        };
        std::fs::read_dir(folder)?.map(read).collect()
    }
}

impl Drop for TestMail {
    fn drop(&mut self) {
        // What cannot be killed has ended.
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}
