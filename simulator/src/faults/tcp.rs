//! Connections: each is taken apart into two streams of chunks that arrive late, slowly, or only when a fault ends, but whole and
//! in order.

use std::{collections::VecDeque, io, net::SocketAddr, sync::Arc, time::Duration};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::OwnedSemaphorePermit,
    task::JoinSet,
    time::{sleep, sleep_until, timeout},
};
use tracing::{debug, warn};

use super::{
    Direction,
    path::Path,
    proxy::{ClientCount, Shared},
};

/// So many connections can each have room for a chunk in both directions, a quarter of the proxy's bound.
const CONNECTIONS_MAX: usize = 1_024;
/// Read at once, and delayed as one.
const CHUNK_BYTES: u32 = 16 << 10;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// A listener that fails again and again, for want of descriptors, is not asked more often.
const ERROR_PAUSE: Duration = Duration::from_millis(100);

/// Bytes on their way; none at all is the end of the stream.
struct Chunk {
    due: Duration,
    bytes: Vec<u8>,
    _room: Option<OwnedSemaphorePermit>,
}

/// Takes connections in.
pub(super) async fn run(listener: TcpListener, shared: Arc<Shared>) {
    let mut tasks = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept(), if tasks.len() < CONNECTIONS_MAX => match accepted {
                Ok((stream, address)) => {
                    tasks.spawn(connection(stream, address, shared.new_client(), shared.clone()));
                }
                Err(error) => {
                    warn!(%error, "failed to accept a connection");
                    sleep(ERROR_PAUSE).await;
                }
            },
            Some(_) = tasks.join_next() => {}
        }
    }
}

/// Relays a connection until both sides have ended it, or one breaks, or it is cut.
async fn connection(mut client: TcpStream, address: SocketAddr, count: ClientCount, shared: Arc<Shared>) {
    let mut settings = shared.settings();
    let cuts = settings.borrow().cuts;
    let mut upstream = None;
    let whole = async {
        let mut settings = shared.settings();
        // No handshake passes a blackhole.
        let _ = settings.wait_for(|settings| !settings.is_dark()).await;
        let connected = timeout(CONNECT_TIMEOUT, TcpStream::connect(shared.upstream));
        let upstream = upstream.insert(connected.await??);
        client.set_nodelay(true)?;
        upstream.set_nodelay(true)?;
        let (client, upstream) = (client.split(), upstream.split());
        let path = |direction| Path::new(shared.seed, count.number, direction);
        tokio::try_join!(
            relay(client.0, upstream.1, path(Direction::ToUpstream), Direction::ToUpstream, &shared),
            relay(upstream.0, client.1, path(Direction::ToClient), Direction::ToClient, &shared),
        )?;
        io::Result::Ok(())
    };
    let ended = tokio::select! {
        ended = whole => ended,
        _ = settings.wait_for(|settings| settings.cuts != cuts) => {
            Err(io::Error::from(io::ErrorKind::ConnectionAborted))
        }
    };
    let Err(error) = ended else { return };
    debug!(%address, %error, "connection reset");
    for stream in [Some(client), upstream].into_iter().flatten() {
        // Closed as a broken connection is, with a reset; one that is gone already needs none.
        let _ = stream.set_zero_linger();
    }
}

/// Relays one direction of a connection until its end was passed on.
async fn relay(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    mut path: Path,
    direction: Direction,
    shared: &Shared,
) -> io::Result<()> {
    let mut settings = shared.settings();
    let mut waiting: VecDeque<Chunk> = VecDeque::new();
    let (mut ended, mut room) = (false, None);
    let mut buffer = vec![0; CHUNK_BYTES as usize];
    loop {
        let (blocked, faults) = {
            let settings = settings.borrow_and_update();
            (settings.blocks(direction).is_some(), settings.profile.direction(direction).clone())
        };
        let now = shared.now();
        let due = waiting.front().map_or(Duration::ZERO, |chunk| chunk.due);
        let (reads, room_at) = (!blocked && !ended, path.next_room(&faults));
        tokio::select! {
            biased;
            changed = settings.changed() => if changed.is_err() { return Ok(()) },
            () = sleep_until(shared.instant(due)), if !blocked && !waiting.is_empty() => {
                let Some(chunk) = waiting.pop_front() else { continue };
                if chunk.bytes.is_empty() {
                    return to.shutdown().await;
                }
                to.write_all(&chunk.bytes).await?;
                shared.count(direction, |figures| {
                    figures.forwarded += 1;
                    figures.forwarded_bytes += chunk.bytes.len() as u64;
                });
            }
            () = sleep_until(shared.instant(room_at)), if reads && room_at > now => {}
            given = shared.room(CHUNK_BYTES), if reads && room_at <= now && room.is_none() => {
                room = Some(given);
            }
            length = from.read(&mut buffer), if reads && room_at <= now && room.is_some() => {
                let (length, now) = (length?, shared.now());
                let passage = path.on_chunk(&faults, length, now);
                ended = length == 0;
                if !ended {
                    shared.count(direction, |figures| {
                        figures.received += 1;
                        figures.delayed += u64::from(passage.due > now);
                        figures.held_back += u64::from(passage.held_back);
                    });
                }
                // The rest goes back: the next chunk asks again.
                let room = room.take().and_then(|mut room| room.split(length));
                waiting.push_back(Chunk { due: passage.due, bytes: buffer[..length].to_vec(), _room: room });
            }
        }
    }
}
