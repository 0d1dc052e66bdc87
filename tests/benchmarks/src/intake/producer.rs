//! Producers of our own, one a door: they send what was made beforehand and read what is acknowledged.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, bail};
use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

/// Longest answer of an HTTP door that is looked at.
const ANSWER_BYTES_MAX: usize = 64 * 1_024;
/// An acknowledgement that takes longer never comes.
const PATIENCE: Duration = Duration::from_secs(60);

/// One connection of a producer. Requests are acknowledged in the order they were sent.
pub(super) trait Producer: Send + 'static {
    /// Sends packets that lie one after the other.
    fn send(&mut self, request: &[u8], packets: usize) -> impl Future<Output = anyhow::Result<()>> + Send;

    /// Waits until more is durable; all packets of this connection that are. It may be dropped half-way.
    fn durable(&mut self) -> impl Future<Output = anyhow::Result<u64>> + Send;
}

/// `durable`, but not for ever.
pub(super) async fn durable_in_time(producer: &mut impl Producer) -> anyhow::Result<u64> {
    tokio::time::timeout(PATIENCE, producer.durable()).await.context("nothing is acknowledged any more")?
}

/// A stream of packets, bare or behind their lengths; the node writes cumulative counts of 8 bytes.
pub(super) struct TcpProducer {
    stream: TcpStream,
    unread: Vec<u8>,
}

impl TcpProducer {
    /// Connects.
    pub(super) async fn connect(address: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, unread: Vec::new() })
    }
}

impl Producer for TcpProducer {
    async fn send(&mut self, request: &[u8], _packets: usize) -> anyhow::Result<()> {
        Ok(self.stream.write_all(request).await?)
    }

    async fn durable(&mut self) -> anyhow::Result<u64> {
        while self.unread.len() < 8 {
            if self.stream.read_buf(&mut self.unread).await? == 0 {
                bail!("the node closed the connection");
            }
        }
        // Each count replaces the ones before.
        let whole = self.unread.len() / 8 * 8;
        let newest = *self.unread[..whole].last_chunk().context("a count has 8 bytes")?;
        self.unread.drain(..whole);
        Ok(u64::from_be_bytes(newest))
    }
}

/// `POST /api/v1/ingest/{mission}` on a connection that is kept; the answer to a request is its acknowledgement.
pub(super) struct HttpProducer {
    stream: TcpStream,
    address: SocketAddr,
    unread: Vec<u8>,
    waiting: VecDeque<usize>,
    durable: u64,
}

impl HttpProducer {
    /// Connects.
    pub(super) async fn connect(address: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, address, unread: Vec::new(), waiting: VecDeque::new(), durable: 0 })
    }
}

impl Producer for HttpProducer {
    async fn send(&mut self, request: &[u8], packets: usize) -> anyhow::Result<()> {
        let head = format!(
            "POST /api/v1/ingest/load HTTP/1.1\r\nhost: {}\r\ncontent-type: application/octet-stream\r\n\
             content-length: {}\r\n\r\n",
            self.address,
            request.len()
        );
        self.waiting.push_back(packets);
        self.stream.write_all(&[head.as_bytes(), request].concat()).await?;
        Ok(())
    }

    async fn durable(&mut self) -> anyhow::Result<u64> {
        loop {
            if let Some(answer_bytes) = whole_answer(&self.unread)? {
                let is_ok = self.unread.starts_with(b"HTTP/1.1 2");
                if !is_ok {
                    bail!("the node refused: {}", String::from_utf8_lossy(&self.unread[..answer_bytes]));
                }
                self.unread.drain(..answer_bytes);
                let packets = self.waiting.pop_front().context("an answer that nobody asked for")?;
                self.durable += packets as u64;
                return Ok(self.durable);
            }
            if self.stream.read_buf(&mut self.unread).await? == 0 {
                bail!("the node closed the connection");
            }
        }
    }
}

/// Length of the answer at the beginning, if all of it is there.
fn whole_answer(bytes: &[u8]) -> anyhow::Result<Option<usize>> {
    let Some(head) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else {
        if bytes.len() > ANSWER_BYTES_MAX {
            bail!("an answer without an end");
        }
        return Ok(None);
    };
    let lines = std::str::from_utf8(&bytes[..head])?.lines();
    let length = lines
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .map_or(Ok(0), |(_, value)| value.trim().parse::<usize>())?;
    let whole = head + 4 + length;
    Ok((bytes.len() >= whole).then_some(whole))
}

/// Binary messages of packets; the node answers with texts that count.
pub(super) struct WebSocketProducer {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    durable: u64,
}

impl WebSocketProducer {
    /// Connects.
    pub(super) async fn connect(address: SocketAddr) -> anyhow::Result<Self> {
        let url = format!("ws://{address}/api/v1/ingest/load/stream");
        let (socket, _) = tokio_tungstenite::connect_async(url).await?;
        Ok(Self { socket, durable: 0 })
    }
}

impl Producer for WebSocketProducer {
    async fn send(&mut self, request: &[u8], _packets: usize) -> anyhow::Result<()> {
        Ok(self.socket.send(Message::binary(request.to_vec())).await?)
    }

    async fn durable(&mut self) -> anyhow::Result<u64> {
        loop {
            let message = self.socket.next().await.context("the node closed the connection")??;
            let Message::Text(text) = message else { continue };
            let told: Value = serde_json::from_str(&text)?;
            if told["kind"] != "ack" {
                bail!("the node answered {text}");
            }
            let records = told["records"].as_u64().context("an acknowledgement counts records")?;
            self.durable = self.durable.max(records);
            return Ok(self.durable);
        }
    }
}

/// Datagrams, which nobody acknowledges.
pub(super) struct UdpProducer {
    socket: UdpSocket,
}

impl UdpProducer {
    /// Binds a socket of its own and names whom it sends to.
    pub(super) async fn connect(address: SocketAddr) -> anyhow::Result<Self> {
        let socket = UdpSocket::bind((address.ip(), 0)).await?;
        socket.connect(address).await?;
        Ok(Self { socket })
    }

    /// Sends one datagram.
    pub(super) async fn send(&self, datagram: &[u8]) -> anyhow::Result<()> {
        self.socket.send(datagram).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_whole_with_the_last_byte_of_its_body() {
        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}HTTP/1.1 200";
        assert_eq!(whole_answer(answer).expect("it reads"), Some(answer.len() - 12));
        for end in 0..answer.len() - 12 {
            assert_eq!(whole_answer(&answer[..end]).expect("it reads"), None);
        }
    }
}
