//! Clients that come in numbers, and the worst that can be said on a link of length-prefixed packets or datagrams.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rand::{Rng, RngExt, SeedableRng, rngs::SmallRng};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpStream, UdpSocket};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{Instant, interval, sleep_until, timeout_at};

use super::{Outcome, drain, plain_packet, send};

/// Connections opened in a burst: 2,000 a second. All in one would measure how long we take to open them, as whoever
/// attacks and whoever is attacked may share a machine here.
const CROWD_BURST: usize = 10;
/// Datagrams are sent in bursts, and connections opened, as a timer wakes no more often.
const BURST_EVERY: Duration = Duration::from_millis(5);
const NOISE_BYTES_MAX: usize = 400;

/// Opens `connections` that say nothing, some every few milliseconds, and keeps those that the node does not close until
/// `until`. At most `open_max` are open on our side: the next waits for one that the node has refused.
pub async fn crowd(node: SocketAddr, connections: usize, open_max: usize, until: Instant) -> Outcome {
    let room = Arc::new(Semaphore::new(open_max));
    let mut all = JoinSet::new();
    let mut bursts = interval(BURST_EVERY);
    for number in 0..connections {
        if number % CROWD_BURST == 0 {
            bursts.tick().await;
        }
        let Ok(Ok(place)) = timeout_at(until, Arc::clone(&room).acquire_owned()).await else { break };
        all.spawn(async move {
            let Ok(Ok(mut stream)) = timeout_at(until, TcpStream::connect(node)).await else {
                return Outcome::default();
            };
            let closed = timeout_at(until, drain(&mut stream)).await.is_ok();
            drop(place);
            Outcome { connections: 1, closed_by_node: usize::from(closed), bytes: 0 }
        });
    }
    Outcome::sum(all).await
}

/// To a link of length-prefixed packets: a length of 0, the greatest there is, and one that is not its packet's.
pub async fn wrong_lengths(node: SocketAddr) -> io::Result<Outcome> {
    let packet = plain_packet(0);
    let mut lying = prefixed(&packet);
    // The header's length, not the one in front.
    lying[9] ^= 1;
    let mut outcome = Outcome::default();
    for bytes in [&[0; 4][..], &[0xFF; 4], &lying] {
        outcome.add(send(node, bytes, Duration::ZERO).await?);
    }
    Ok(outcome)
}

/// To a link of length-prefixed packets: half a packet on each connection, then neither a word nor a read until `until`.
/// Who does not read does not see that the node has closed.
pub async fn half_a_packet(node: SocketAddr, connections: usize, until: Instant) -> Outcome {
    let packet = prefixed(&plain_packet(0));
    let mut all = JoinSet::new();
    for _ in 0..connections {
        let half = packet[..packet.len() / 2].to_vec();
        all.spawn(async move {
            let Ok(mut stream) = TcpStream::connect(node).await else { return Outcome::default() };
            let sent = stream.write_all(&half).await.is_ok();
            sleep_until(until).await;
            drop(stream);
            Outcome { connections: 1, closed_by_node: 0, bytes: if sent { half.len() as u64 } else { 0 } }
        });
    }
    Outcome::sum(all).await
}

fn prefixed(packet: &[u8]) -> Vec<u8> {
    [&(packet.len() as u32).to_be_bytes(), packet].concat()
}

/// Sends datagrams that mean nothing until `until`, the same for the same seed. Returns how many.
pub async fn noise(
    node: SocketAddr,
    datagrams_per_second: u32,
    seed: u64,
    until: Instant,
) -> io::Result<u64> {
    let socket = UdpSocket::bind("127.0.0.1:0").await?;
    let mut random = SmallRng::seed_from_u64(seed);
    let burst = (f64::from(datagrams_per_second) * BURST_EVERY.as_secs_f64()).ceil() as usize;
    let mut bursts = interval(BURST_EVERY);
    let mut sent = 0;
    while bursts.tick().await < until {
        for _ in 0..burst {
            let mut datagram = vec![0; random.random_range(1..=NOISE_BYTES_MAX)];
            random.fill_bytes(&mut datagram);
            // Versions 1 to 7, so that none is a packet by chance.
            datagram[0] |= 0x20;
            sent += u64::from(socket.send_to(&datagram, node).await.is_ok());
        }
    }
    Ok(sent)
}
