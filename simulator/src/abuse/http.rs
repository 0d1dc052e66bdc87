//! What hostile clients do to the doors that speak HTTP: slow ones, bombs, and WebSockets that never listen.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{Instant, interval, timeout_at};

use super::{BYTE_INTERVAL, Outcome, drain};

/// Between two rounds of a WebSocket's messages.
const ROUND_EVERY: Duration = Duration::from_millis(50);
/// Between two requests of a connection.
const POST_EVERY: Duration = Duration::from_secs(1);
/// Written at once.
const CHUNK_BYTES: usize = 16 * 1_024;
/// What a slow body says it will have.
const SLOW_BODY_BYTES: usize = 1 << 20;
/// No answer's head is longer.
const HEAD_BYTES_MAX: usize = 16 * 1_024;
/// So small that a node which talks to somebody who does not listen soon finds out.
const UNREAD_BYTES: u32 = 4 * 1_024;
/// zstd: magic number, no content size, a window of 8 MiB.
const ZSTD_BEGINNING: [u8; 6] = [0x28, 0xB5, 0x2F, 0xFD, 0x00, 0x68];
/// A block that says "128 KiB of zeros", and that another one follows (RFC 8878, 3.1.1.2).
const ZSTD_ZEROS: [u8; 4] = [0x02, 0x00, 0x10, 0x00];
const ZSTD_ZEROS_BYTES: u64 = 128 * 1_024;

/// Bytes that are made while they are sent: a beginning, and a piece that comes again and again.
#[derive(Clone, Debug, Default)]
pub struct Repeated {
    /// What stands in front.
    pub first: Vec<u8>,
    /// What comes again.
    pub again: Vec<u8>,
    /// How often.
    pub times: usize,
}

impl Repeated {
    /// zstd that unpacks to so many zeros, rounded up, and never ends properly.
    pub fn zstd_zeros(unpacked_bytes: u64) -> Self {
        let times = unpacked_bytes.div_ceil(ZSTD_ZEROS_BYTES) as usize;
        Self { first: ZSTD_BEGINNING.to_vec(), again: ZSTD_ZEROS.to_vec(), times }
    }

    /// How long it is.
    pub fn bytes(&self) -> usize {
        self.first.len() + self.again.len() * self.times
    }

    async fn send(&self, to: &mut TcpStream) -> io::Result<()> {
        to.write_all(&self.first).await?;
        let together = (CHUNK_BYTES / self.again.len().max(1)).max(1);
        let chunk = self.again.repeat(together);
        let mut left = self.again.len() * self.times;
        while left > 0 {
            let now = left.min(chunk.len());
            to.write_all(&chunk[..now]).await?;
            left -= now;
        }
        Ok(())
    }
}

/// A request that is made again and again.
#[derive(Clone, Debug)]
pub struct Post {
    /// Path at the node.
    pub path: String,
    /// Headers beside the length, each with its line's end.
    pub headers: String,
    /// Body.
    pub body: Repeated,
}

/// What a node answered.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Answers {
    /// How often which status.
    pub by_status: BTreeMap<u16, u64>,
    /// Connections that were refused, or closed without an answer.
    pub unanswered: u64,
}

impl Answers {
    /// How often a status came.
    pub fn count(&self, status: u16) -> u64 {
        self.by_status.get(&status).copied().unwrap_or_default()
    }

    fn add(&mut self, other: Self) {
        other
            .by_status
            .into_iter()
            .for_each(|(status, count)| *self.by_status.entry(status).or_default() += count);
        self.unanswered += other.unanswered;
    }

    fn add_answer(&mut self, status: Option<u16>) {
        match status {
            Some(status) => *self.by_status.entry(status).or_default() += 1,
            None => self.unanswered += 1,
        }
    }
}

/// Opens connections, says `beginning` on each, and then a byte of a header a second, until `until`.
pub async fn slow_headers(node: SocketAddr, beginning: &[u8], connections: usize, until: Instant) -> Outcome {
    let mut all = JoinSet::new();
    for _ in 0..connections {
        let beginning = beginning.to_vec();
        all.spawn(async move {
            let Ok(mut stream) = TcpStream::connect(node).await else { return Outcome::default() };
            let opened = stream.write_all(&beginning).await;
            let (mut read, mut write) = stream.split();
            let dripping = async {
                let mut seconds = interval(BYTE_INTERVAL);
                for byte in b"slow: yes\r\n".iter().cycle() {
                    seconds.tick().await;
                    if write.write_all(&[*byte]).await.is_err() {
                        return;
                    }
                }
            };
            let ended = async {
                tokio::select! {
                    () = dripping => {}
                    () = drain(&mut read) => {}
                }
            };
            let closed = opened.is_err() || timeout_at(until, ended).await.is_ok();
            Outcome { connections: 1, closed_by_node: usize::from(closed), bytes: 0 }
        });
    }
    Outcome::sum(all).await
}

/// Begins a request on each connection and sends a byte of its body a second, until the node answers or `until`.
pub async fn slow_bodies(node: SocketAddr, path: &str, connections: usize, until: Instant) -> Answers {
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/octet-stream\r\n\
         content-length: {SLOW_BODY_BYTES}\r\n\r\n"
    );
    let mut all = JoinSet::new();
    for _ in 0..connections {
        let head = head.clone();
        all.spawn(timeout_at(until, async move {
            let mut stream = TcpStream::connect(node).await?;
            stream.write_all(head.as_bytes()).await?;
            let (mut read, mut write) = stream.split();
            let dripping = async {
                let mut seconds = interval(BYTE_INTERVAL);
                while write.write_all(&[0]).await.is_ok() {
                    seconds.tick().await;
                }
                std::future::pending::<io::Result<u16>>().await
            };
            tokio::select! {
                never = dripping => never,
                status = read_answer(&mut read) => status,
            }
        }));
    }
    let mut answers = Answers::default();
    while let Some(answer) = all.join_next().await {
        answers.add_answer(answer.ok().and_then(Result::ok).and_then(Result::ok));
    }
    answers
}

/// Makes a request on each connection, and again a second later or once it is answered, until `until`. What is under way
/// then is cut off.
pub async fn post_again_and_again(
    node: SocketAddr,
    post: Post,
    connections: usize,
    until: Instant,
) -> Answers {
    let mut all = JoinSet::new();
    for _ in 0..connections {
        let post = post.clone();
        all.spawn(async move {
            let mut answers = Answers::default();
            let posting = async {
                let mut stream = TcpStream::connect(node).await?;
                let mut rounds = interval(POST_EVERY);
                loop {
                    rounds.tick().await;
                    let status = post_once(&mut stream, &post).await?;
                    answers.add_answer(Some(status));
                }
            };
            if let Ok(Err::<(), io::Error>(_)) = timeout_at(until, posting).await {
                answers.add_answer(None);
            }
            answers
        });
    }
    let mut answers = Answers::default();
    while let Some(more) = all.join_next().await {
        answers.add(more.unwrap_or_default());
    }
    answers
}

async fn post_once(stream: &mut TcpStream, post: &Post) -> io::Result<u16> {
    let Post { path, headers, body } = post;
    let length = body.bytes();
    let head =
        format!("POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\n{headers}content-length: {length}\r\n\r\n");
    stream.write_all(head.as_bytes()).await?;
    body.send(stream).await?;
    read_answer(stream).await
}

/// Reads an answer to its end, and says its status.
async fn read_answer(from: &mut (impl AsyncReadExt + Unpin)) -> io::Result<u16> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() > HEAD_BYTES_MAX {
            return Err(io::ErrorKind::InvalidData.into());
        }
        head.push(from.read_u8().await?);
    }
    let head = String::from_utf8_lossy(&head).to_ascii_lowercase();
    let status = head.split(' ').nth(1).and_then(|word| word.parse().ok());
    let length =
        head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse::<u64>().ok());
    tokio::io::copy(&mut from.take(length.unwrap_or(0)), &mut tokio::io::sink()).await?;
    status.ok_or_else(|| io::ErrorKind::InvalidData.into())
}

/// Opens WebSockets and sends all messages every 50 ms, without ever reading what the node says. (Who sends as fast as
/// the node takes it is held back by the link's rate cap, and is no matter of reading.)
pub async fn websocket_never_reading(
    node: SocketAddr,
    path: &str,
    messages: &[Vec<u8>],
    connections: usize,
    until: Instant,
) -> Outcome {
    let frames: Vec<u8> = messages.iter().flat_map(|message| websocket_frame(message)).collect();
    let mut all = JoinSet::new();
    for _ in 0..connections {
        let (path, frames) = (path.to_owned(), frames.clone());
        all.spawn(async move {
            let mut outcome = Outcome::default();
            let Ok(mut stream) = open_websocket(node, &path).await else { return outcome };
            outcome.connections = 1;
            let talking = async {
                let mut rounds = interval(ROUND_EVERY);
                while stream.write_all(&frames).await.is_ok() {
                    outcome.bytes += frames.len() as u64;
                    rounds.tick().await;
                }
            };
            outcome.closed_by_node = usize::from(timeout_at(until, talking).await.is_ok());
            outcome
        });
    }
    Outcome::sum(all).await
}

/// Opens WebSockets that each announce a message of so many bytes and begin it.
pub async fn websocket_too_long(
    node: SocketAddr,
    path: &str,
    message_bytes: u64,
    connections: usize,
    until: Instant,
) -> Outcome {
    let mut all = JoinSet::new();
    for _ in 0..connections {
        let path = path.to_owned();
        all.spawn(async move {
            let Ok(mut stream) = open_websocket(node, &path).await else { return Outcome::default() };
            let beginning = [&[0x82, 0xFF][..], &message_bytes.to_be_bytes(), &[0; 4], &[0; 1_024]].concat();
            let bytes = if stream.write_all(&beginning).await.is_ok() { beginning.len() as u64 } else { 0 };
            let closed = timeout_at(until, drain(&mut stream)).await.is_ok();
            Outcome { connections: 1, closed_by_node: usize::from(closed), bytes }
        });
    }
    Outcome::sum(all).await
}

async fn open_websocket(node: SocketAddr, path: &str) -> io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.set_recv_buffer_size(UNREAD_BYTES)?;
    let mut stream = socket.connect(node).await?;
    let head = format!(
        "GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
         sec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await?;
    match read_answer(&mut stream).await? {
        101 => Ok(stream),
        status => Err(io::Error::other(format!("a WebSocket was answered with {status}"))),
    }
}

/// A binary message in one frame, masked with zeros, which leave it as it is.
fn websocket_frame(message: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x82];
    match message.len() {
        short @ 0..126 => frame.push(0x80 | short as u8),
        long => {
            frame.push(0xFF);
            frame.extend_from_slice(&(long as u64).to_be_bytes());
        }
    }
    frame.extend_from_slice(&[0; 4]);
    frame.extend_from_slice(message);
    frame
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_gibibytes_of_zeros_are_a_third_of_a_mebibyte_of_zstd() {
        let bomb = Repeated::zstd_zeros(10 << 30);
        assert_eq!((bomb.times, bomb.bytes()), (81_920, 6 + 4 * 81_920));
    }

    #[test]
    fn a_frame_says_how_long_its_message_is() {
        assert_eq!(websocket_frame(&[7; 3]), [0x82, 0x83, 0, 0, 0, 0, 7, 7, 7]);
        let long = websocket_frame(&[7; 300]);
        assert_eq!(long[..10], [0x82, 0xFF, 0, 0, 0, 0, 0, 0, 1, 44]);
        assert_eq!(long.len(), 10 + 4 + 300);
    }

    #[tokio::test]
    async fn an_answer_is_read_to_its_end_and_no_further() {
        let mut bytes = &b"HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nno!HTTP/1.1 200 OK\r\n\r\n"[..];
        assert_eq!(read_answer(&mut bytes).await.expect("an answer"), 413);
        assert_eq!(read_answer(&mut bytes).await.expect("another"), 200);
        assert!(read_answer(&mut bytes).await.is_err());
    }
}
