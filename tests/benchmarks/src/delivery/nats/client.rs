//! As much of NATS's text protocol as a publisher needs that wants each message acknowledged.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};

/// Acknowledgements that may be outstanding, as clients of NATS have it by default.
const WINDOW: u64 = 4_000;
/// Written at once.
const BURST: u64 = 500;
const PATIENCE: Duration = Duration::from_secs(60);

/// A connection with one inbox.
pub(super) struct NatsClient {
    reading: BufReader<OwnedReadHalf>,
    writing: OwnedWriteHalf,
    inbox: String,
    line: String,
    payload: Vec<u8>,
}

impl NatsClient {
    /// Connects and subscribes to an inbox. Its name is the connection's alone: subjects cross the link.
    pub(super) async fn connect(address: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (reading, writing) = stream.into_split();
        let reading = BufReader::with_capacity(256 * 1_024, reading);
        let inbox = format!("inbox.{}", address.port());
        let mut client = Self { reading, writing, inbox, line: String::new(), payload: Vec::new() };
        let info = client.line().await?;
        ensure!(info.starts_with("INFO "), "not a NATS server: {info}");
        let options = json!({ "verbose": false, "pedantic": false, "lang": "bench", "version": "1", "protocol": 1,
            "headers": true, "no_responders": true });
        let hello = format!("CONNECT {options}\r\nSUB {} 1\r\nPING\r\n", client.inbox);
        client.writing.write_all(hello.as_bytes()).await?;
        ensure!(client.line().await?.starts_with("PONG"), "the server refused: {}", client.line);
        Ok(client)
    }

    async fn line(&mut self) -> anyhow::Result<&str> {
        self.line.clear();
        let read = tokio::time::timeout(PATIENCE, self.reading.read_line(&mut self.line)).await;
        ensure!(read.context("the server is silent")?? > 0, "the server closed the connection");
        Ok(self.line.trim_end())
    }

    /// The next message to the inbox.
    async fn message(&mut self) -> anyhow::Result<&[u8]> {
        loop {
            let line = self.line().await?;
            let words: Vec<&str> = line.split(' ').collect();
            match words.as_slice() {
                ["MSG" | "HMSG", .., bytes] => {
                    let bytes: usize = bytes.parse().context("a message has a length")?;
                    self.payload.resize(bytes + 2, 0);
                    self.reading.read_exact(&mut self.payload).await?;
                    return Ok(&self.payload[..bytes]);
                }
                ["PING"] => self.writing.write_all(b"PONG\r\n").await?,
                ["PONG" | "+OK", ..] | ["INFO", ..] => {}
                _ => bail!("the server says {line}"),
            }
        }
    }

    /// A request of JetStream's API.
    pub(super) async fn ask(&mut self, subject: &str, body: &Value) -> anyhow::Result<Value> {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let request = format!("PUB {subject} {} {}\r\n{body}\r\n", self.inbox, body.len());
        self.writing.write_all(request.as_bytes()).await?;
        let answer = self.message().await?;
        // Nobody is there to answer: a header says so, and nothing follows it.
        serde_json::from_slice(answer)
            .with_context(|| format!("{subject} answered {:?}", String::from_utf8_lossy(answer)))
    }

    /// Publishes packets that lie one after the other, a message each as its users do, and waits until each is
    /// acknowledged.
    pub(super) async fn publish(
        &mut self,
        subject: &str,
        packets: &[u8],
        packet_bytes: usize,
    ) -> anyhow::Result<()> {
        let head = format!("PUB {subject} {} {packet_bytes}\r\n", self.inbox);
        let (mut sent, mut acknowledged) = (0, 0);
        let mut left = packets.chunks_exact(packet_bytes);
        let all = left.len() as u64;
        let mut burst = Vec::new();
        while acknowledged < all {
            while sent < all && sent - acknowledged <= WINDOW - BURST {
                burst.clear();
                for packet in left.by_ref().take(BURST as usize) {
                    burst.extend_from_slice(head.as_bytes());
                    burst.extend_from_slice(packet);
                    burst.extend_from_slice(b"\r\n");
                    sent += 1;
                }
                self.writing.write_all(&burst).await?;
            }
            let answer = self.message().await?;
            if answer.windows(7).any(|window| window == b"\"error\"") || answer.is_empty() {
                bail!("a packet was refused: {}", String::from_utf8_lossy(answer));
            }
            acknowledged += 1;
        }
        Ok(())
    }
}
