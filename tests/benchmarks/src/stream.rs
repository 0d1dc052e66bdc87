//! Packets that are made beforehand, into a station's socket: when they are due, or as fast as they are taken.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use space_packet::TaiTime;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;

/// Written at once at most.
const BURST_BYTES: usize = 256 * 1_024;
const TICK: Duration = Duration::from_millis(2);
const ACKNOWLEDGED_WITHIN: Duration = Duration::from_secs(300);

/// What went through.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Streamed {
    /// Packets, all of which the node has acknowledged.
    pub(crate) packets: u64,
    /// When the last one was due, or was written when none is due.
    pub(crate) last: TaiTime,
    /// From the first write to the last acknowledgement.
    pub(crate) took: Duration,
}

/// Sends for some time at a rate, or without one as fast as the node takes; `append` appends a packet by its number and
/// time. Returns when the node has acknowledged all of them as durable.
pub(crate) async fn send(
    link: SocketAddr,
    packets_per_s: Option<f64>,
    time: Duration,
    first: u64,
    mut append: impl FnMut(u64, TaiTime, &mut Vec<u8>),
) -> anyhow::Result<Streamed> {
    let (mut read, mut write) = TcpStream::connect(link).await?.into_split();
    let (told, mut durable) = watch::channel(0);
    let reading = tokio::spawn(async move {
        // Each count replaces the ones before.
        while let Ok(count) = read.read_u64().await {
            told.send_replace(count);
        }
    });
    let (begun, begun_at) = (Instant::now(), simulator::clock::now());
    let mut burst = Vec::with_capacity(2 * BURST_BYTES);
    let mut ticks = tokio::time::interval(TICK);
    let (mut sent, mut last) = (0, begun_at);
    while begun.elapsed() < time {
        let due = packets_per_s.map(|rate| (begun.elapsed().as_secs_f64() * rate) as u64);
        if due == Some(sent) {
            ticks.tick().await;
            continue;
        }
        burst.clear();
        while burst.len() < BURST_BYTES && due.is_none_or(|due| sent < due) {
            // Stamped with when it was due, not with when we got round to it.
            last = packets_per_s.map_or_else(simulator::clock::now, |rate| {
                begun_at.plus_nanos(((sent + 1) as f64 * 1e9 / rate) as i64)
            });
            append(first + sent, last, &mut burst);
            sent += 1;
        }
        write.write_all(&burst).await.context("the node closed the connection")?;
    }
    let waiting = tokio::time::timeout(ACKNOWLEDGED_WITHIN, durable.wait_for(|count| *count >= sent));
    let is_all = matches!(waiting.await, Ok(Ok(_)));
    let took = begun.elapsed();
    let acknowledged = *durable.borrow();
    reading.abort();
    ensure!(is_all, "of {sent} packets the node acknowledged {acknowledged}");
    Ok(Streamed { packets: sent, last, took })
}
