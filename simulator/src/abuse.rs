//! Bad input on purpose: what a broken, slow or hostile sender does to a node's intake.
//!
//! Each function does its worst to one address and tells how the node took it. An error means that the node
//! could not be reached, which a test should take as a failure: the node must outlive all of this.

mod crowd;
mod http;

use std::{io, net::SocketAddr, time::Duration};

use rand::{Rng, SeedableRng, rngs::SmallRng};
use space_packet::{Apid, SequenceCount, TaiTime, build_packet, time::cds};
use tokio::{
    io::AsyncWriteExt,
    net::TcpStream,
    task::JoinSet,
    time::{Instant, sleep, timeout},
};

use crate::connection::drain;

pub use self::crowd::{crowd, half_a_packet, noise, wrong_lengths};
pub use self::http::{
    Answers, Post, Repeated, post_again_and_again, slow_bodies, slow_headers, websocket_never_reading,
    websocket_too_long,
};

const RANDOM_BYTES: usize = 1_000_000;
const BYTE_INTERVAL: Duration = Duration::from_secs(1);
/// Descriptors are scarce: so many connections are opened at the same moment.
const CONNECTING_AT_ONCE: usize = 200;

/// How the node took it.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Outcome {
    /// Connections the node accepted.
    pub connections: usize,
    /// Connections the node closed before we did.
    pub closed_by_node: usize,
    /// Bytes the node's side took.
    pub bytes: u64,
}

impl Outcome {
    fn add(&mut self, other: Self) {
        self.connections += other.connections;
        self.closed_by_node += other.closed_by_node;
        self.bytes += other.bytes;
    }

    /// All of them together; one that could not be had counts as none.
    async fn sum(mut all: JoinSet<Self>) -> Self {
        let mut sum = Self::default();
        while let Some(outcome) = all.join_next().await {
            sum.add(outcome.unwrap_or_default());
        }
        sum
    }
}

/// Ends the connection in the middle of a packet.
pub async fn truncated(node: SocketAddr) -> io::Result<Outcome> {
    let packet = plain_packet(0);
    send(node, &packet[..packet.len() / 2], Duration::ZERO).await
}

/// Announces the longest packet there is, sends its header only, and stays silent for `patience`.
pub async fn oversized_then_silent(node: SocketAddr, patience: Duration) -> io::Result<Outcome> {
    let mut header = plain_packet(0);
    header.truncate(6);
    header[4..].fill(0xFF);
    send(node, &header, patience).await
}

/// Sends a million bytes that mean nothing; the same for the same seed.
pub async fn random_bytes(node: SocketAddr, seed: u64) -> io::Result<Outcome> {
    let mut bytes = vec![0; RANDOM_BYTES];
    SmallRng::seed_from_u64(seed).fill_bytes(&mut bytes);
    send(node, &bytes, Duration::ZERO).await
}

/// Sends a good packet, one byte a second, for as long as `patience` lasts and the packet does.
pub async fn one_byte_a_second(node: SocketAddr, patience: Duration) -> io::Result<Outcome> {
    let deadline = Instant::now() + patience;
    let (mut read, mut write) = TcpStream::connect(node).await?.into_split();
    let mut outcome = Outcome { connections: 1, ..Outcome::default() };
    let dripping = async {
        for byte in plain_packet(0) {
            if Instant::now() >= deadline || write.write_all(&[byte]).await.is_err() {
                return;
            }
            outcome.bytes += 1;
            sleep(BYTE_INTERVAL).await;
        }
    };
    outcome.closed_by_node = tokio::select! {
        () = dripping => 0,
        () = drain(&mut read) => 1,
    };
    Ok(outcome)
}

/// Opens `count` connections, holds them all open for `hold` once the last is there, and sends one good
/// packet on each. Refused connections are counted by their absence; an error means that none was accepted.
pub async fn many_connections(node: SocketAddr, count: usize, hold: Duration) -> io::Result<Outcome> {
    let mut open = Vec::with_capacity(count);
    let mut refused = None;
    while open.len() < count && refused.is_none() {
        let mut connecting = JoinSet::new();
        for _ in 0..CONNECTING_AT_ONCE.min(count - open.len()) {
            connecting.spawn(TcpStream::connect(node));
        }
        while let Some(connected) = connecting.join_next().await {
            match connected.unwrap_or_else(|error| Err(io::Error::other(error))) {
                Ok(stream) => open.push(stream),
                Err(error) => refused = Some(error),
            }
        }
    }
    if let (true, Some(error)) = (open.is_empty(), refused) {
        return Err(error);
    }
    let mut outcome = Outcome { connections: open.len(), ..Outcome::default() };
    let mut holding = JoinSet::new();
    for (index, stream) in open.into_iter().enumerate() {
        let packet = plain_packet(index);
        holding.spawn(async move { send_on(stream, &packet, hold).await });
    }
    while let Some(held) = holding.join_next().await {
        let held = held.unwrap_or_default();
        outcome.closed_by_node += held.closed_by_node;
        outcome.bytes += held.bytes;
    }
    Ok(outcome)
}

/// Sends packets whose version number is each of the seven there are not, then a good one.
pub async fn wrong_versions(node: SocketAddr) -> io::Result<Outcome> {
    let mut bytes = Vec::new();
    for version in 1..8_u8 {
        let mut packet = plain_packet(usize::from(version));
        packet[0] |= version << 5;
        bytes.extend_from_slice(&packet);
    }
    bytes.extend_from_slice(&plain_packet(8));
    send(node, &bytes, Duration::ZERO).await
}

/// A good packet of APID 2000, which no dictionary of ours knows.
fn plain_packet(place: usize) -> Vec<u8> {
    let apid = Apid::try_from(2_000).expect("2000 is below 2048");
    let count = SequenceCount::try_from((place % 16_384) as u16).expect("a remainder of 16,384");
    let data = [&cds::encode(TaiTime(0))[..], b"nothing that a dictionary knows"].concat();
    build_packet(apid, count, true, &data).expect("forty bytes fit")
}

async fn send(node: SocketAddr, bytes: &[u8], patience: Duration) -> io::Result<Outcome> {
    let outcome = send_on(TcpStream::connect(node).await?, bytes, patience).await;
    Ok(Outcome { connections: 1, ..outcome })
}

/// Sends, stays silent for `patience`, closes. A node that closes first has had enough, which is its right.
async fn send_on(stream: TcpStream, bytes: &[u8], patience: Duration) -> Outcome {
    let (mut read, mut write) = stream.into_split();
    let mut outcome = Outcome::default();
    let sending = async {
        for chunk in bytes.chunks(4_096) {
            if write.write_all(chunk).await.is_err() {
                return;
            }
            outcome.bytes += chunk.len() as u64;
        }
    };
    let closed = tokio::select! {
        () = sending => timeout(patience, drain(&mut read)).await.is_ok(),
        () = drain(&mut read) => true,
    };
    outcome.closed_by_node = usize::from(closed);
    if !closed {
        // Nothing is left to do about a connection that breaks while it is closed.
        let _ = write.shutdown().await;
    }
    outcome
}

#[cfg(test)]
mod tests;
