//! Everything that hostile clients can think of, at once, on every door of a node.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, ensure};
use flate2::{Compress, Compression, FlushCompress};
use rustix::process::{Resource, getrlimit, setrlimit};
use simulator::abuse::{self, Answers, Outcome, Post, Repeated};
use tokio::time::{Instant, sleep};

use super::Targets;

/// Longer than the 10 s that a request's headers, or a body that brings nothing, may take: what is slow is seen to end.
const ATTACK: Duration = Duration::from_secs(12);
/// Where requests go.
pub(super) const INGEST: &str = "/api/v1/ingest/load";
/// Where messages go.
const STREAM: &str = "/api/v1/ingest/load/stream";
/// What is slow or large has its connections before the crowd takes the rest.
const CROWD_AFTER: Duration = Duration::from_secs(1);
const SLOW: usize = 200;
const SILENT_HTTP2: usize = 50;
const BOMBS: usize = 10;
const CROWD: usize = 10_000;
const HALF_PACKETS: usize = 100;
const DEAF_WEBSOCKETS: usize = 10;
/// Of a message that is refused and one that is taken, sent every 50 ms.
const DEAF_PAIRS: usize = 5;
const LONG_WEBSOCKETS: usize = 10;
const LONG_MESSAGE_BYTES: u64 = 1 << 40;
const GRPC_CALLERS: usize = 5;
const WRONG_LENGTHS_EVERY: Duration = Duration::from_millis(50);
const NOISE_PER_SECOND: u32 = 2_000;
const SEED: u64 = 0x4e4f_4953;
/// What else the test has open, the other attackers included.
const DESCRIPTORS_RESERVED: u64 = 1_500;
/// What a compressor is fed at once, and what is then sent again and again.
const ZEROS_BYTES: usize = 1 << 20;

/// What became of it all.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) slow_headers: Outcome,
    pub(super) silent_http2: Outcome,
    pub(super) slow_bodies: Answers,
    pub(super) gzip: Answers,
    pub(super) zstd: Answers,
    pub(super) grpc: Answers,
    pub(super) crowd_tcp: Outcome,
    pub(super) crowd_http: Outcome,
    /// Rounds of three connections.
    pub(super) wrong_lengths: u64,
    pub(super) half_packets: Outcome,
    pub(super) deaf_websockets: Outcome,
    pub(super) long_websockets: Outcome,
    pub(super) datagrams: u64,
}

/// Runs all of it, for [`ATTACK`].
pub(super) async fn run(targets: Targets) -> anyhow::Result<Told> {
    let until = Instant::now() + ATTACK;
    let open_max = descriptors_for_one_crowd();
    let Targets { bare, framed, noise, http } = targets;
    let slow_headers = tokio::spawn(async move {
        abuse::slow_headers(http, b"POST /api/v1/ingest/load HTTP/1.1\r\nhost: 127.0.0.1\r\n", SLOW, until)
            .await
    });
    let silent_http2 = tokio::spawn(async move {
        let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
        abuse::slow_headers(http, preface, SILENT_HTTP2, until).await
    });
    let slow_bodies = tokio::spawn(abuse::slow_bodies(http, INGEST, SLOW, until));
    let gzip = tokio::spawn(abuse::post_again_and_again(http, bomb("gzip", gzip_zeros()?), BOMBS, until));
    let zeros = Repeated::zstd_zeros(10 << 30);
    let zstd = tokio::spawn(abuse::post_again_and_again(http, bomb("zstd", zeros), BOMBS, until));
    let grpc = tokio::spawn(abuse::post_again_and_again(http, endless_call(), GRPC_CALLERS, until));
    let deaf_websockets = tokio::spawn(async move {
        let messages = [vec![0xFF], simulator::load::packet(0, 0, 92, simulator::clock::now())];
        let messages: Vec<Vec<u8>> = std::iter::repeat_n(messages, DEAF_PAIRS).flatten().collect();
        abuse::websocket_never_reading(http, STREAM, &messages, DEAF_WEBSOCKETS, until).await
    });
    let long_websockets =
        tokio::spawn(abuse::websocket_too_long(http, STREAM, LONG_MESSAGE_BYTES, LONG_WEBSOCKETS, until));
    let half_packets = tokio::spawn(abuse::half_a_packet(framed, HALF_PACKETS, until));
    let datagrams = tokio::spawn(abuse::noise(noise, NOISE_PER_SECOND, SEED, until));
    let wrong_lengths = tokio::spawn(wrong_lengths(framed, until));
    sleep(CROWD_AFTER).await;
    let crowd_tcp = tokio::spawn(abuse::crowd(bare, CROWD, open_max, until));
    let crowd_http = tokio::spawn(abuse::crowd(http, CROWD, open_max, until));
    Ok(Told {
        slow_headers: slow_headers.await?,
        silent_http2: silent_http2.await?,
        slow_bodies: slow_bodies.await?,
        gzip: gzip.await?,
        zstd: zstd.await?,
        grpc: grpc.await?,
        crowd_tcp: crowd_tcp.await?,
        crowd_http: crowd_http.await?,
        wrong_lengths: wrong_lengths.await?.context("the framed link is there")?,
        half_packets: half_packets.await?,
        deaf_websockets: deaf_websockets.await?,
        long_websockets: long_websockets.await?,
        datagrams: datagrams.await??,
    })
}

/// Goes on for as long as the attack does: each connection is closed by the node, and the next one comes.
async fn wrong_lengths(framed: SocketAddr, until: Instant) -> io::Result<u64> {
    let mut rounds = 0;
    while Instant::now() < until {
        abuse::wrong_lengths(framed).await?;
        rounds += 1;
        sleep(WRONG_LENGTHS_EVERY).await;
    }
    Ok(rounds)
}

fn bomb(encoding: &str, body: Repeated) -> Post {
    let headers = format!("content-type: application/octet-stream\r\ncontent-encoding: {encoding}\r\n");
    Post { path: INGEST.to_owned(), headers, body }
}

/// 1 MiB of gzip that unpacks to almost 1 GiB, the most that its format can: to 10 GiB unpack 10 MiB, which are too many
/// before they are unpacked. (zstd does it in a third of a MiB.)
fn gzip_zeros() -> anyhow::Result<Repeated> {
    let mut again = Vec::with_capacity(8 * 1_024);
    // Flushed to whole bytes, what was made of one piece of zeros can stand behind itself.
    Compress::new(Compression::best(), false).compress_vec(
        &vec![0; ZEROS_BYTES],
        &mut again,
        FlushCompress::Full,
    )?;
    ensure!(again.len() < ZEROS_BYTES / 900, "{} bytes are no bomb", again.len());
    let times = (1 << 20) / again.len();
    Ok(Repeated { first: vec![0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 2, 0xFF], again, times })
}

/// A call whose message says that it has 4 GiB.
fn endless_call() -> Post {
    let body = Repeated { first: vec![0, 0xFF, 0xFF, 0xFF, 0xFF], ..Repeated::default() };
    let headers = "content-type: application/grpc\r\nte: trailers\r\n".to_owned();
    Post { path: "/sto.v1.Intake/Ingest".to_owned(), headers, body }
}

/// How many connections a crowd may have open, with all descriptors that the system lets us have.
fn descriptors_for_one_crowd() -> usize {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    // Without the right to it, there are as many as there were.
    let _ = setrlimit(Resource::Nofile, limit);
    let most = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    let one = usize::try_from(most.saturating_sub(DESCRIPTORS_RESERVED) / 2).unwrap_or(CROWD);
    println!("{most} descriptors: each crowd of {CROWD} may have {} open", one.min(CROWD));
    one.min(CROWD)
}
