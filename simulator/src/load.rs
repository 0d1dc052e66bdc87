//! Load: unique packets at a steady rate, and a record of which of them the node acknowledged.
//!
//! Written packets are never sent twice: when a connection breaks, the serial goes on. So the report's sets
//! can be compared with what an archive holds: acknowledged within archived within sent, and nothing twice.

mod packet;

use std::{future::Future, io, ops::Range, time::Duration};

use serde::Serialize;
use space_packet::Apid;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
    time::{Instant, MissedTickBehavior, interval, sleep, timeout},
};
use tracing::{info, warn};

use self::packet::append_packet;
pub use self::packet::{PACKET_BYTES_MIN, is_intact, packet, serial_of};
use crate::{
    clock,
    connection::{Backoff, CLOSE_TIMEOUT, Target},
    pace::{BURST_INTERVAL, Pace},
};

/// The dictionary of load packets, as XTCE.
pub const DICTIONARY: &str = include_str!("../demo/load.xml");

/// Bytes written at once at most: what is due beyond waits for the next write, so memory stays bounded.
const BURST_BYTES_MAX: usize = 256 * 1024;
const RECONNECT_FIRST: Duration = Duration::from_millis(20);
const RECONNECT_LONGEST: Duration = Duration::from_millis(500);

/// One stream of load packets.
#[derive(Clone, Debug)]
pub struct Load {
    /// The node's intake.
    pub target: Target,
    /// Tells this run's packets from those of any other.
    pub run_id: u32,
    /// Serial of the first packet; the sequence count is the serial modulo 16,384.
    pub first_serial: u64,
    /// Steady rate while connected, above zero. Nothing is due while there is no connection.
    pub packets_per_second: f64,
    /// Length of each packet, header included; held between [`PACKET_BYTES_MIN`] and the standard's 65,542.
    pub packet_bytes: usize,
    /// APID of every packet.
    pub apid: Apid,
    /// Stop by itself after so many packets.
    pub packets_max: Option<u64>,
    /// After the last packet, wait so long for outstanding acknowledgements. Zero for a link without them.
    pub acknowledgement_timeout: Duration,
}

/// What became of a load.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct LoadReport {
    /// The run.
    pub run_id: u32,
    /// Serials handed to a connection, or begun to be: one range for each connection.
    pub sent: Vec<Range<u64>>,
    /// Serials the node said it had made durable: the beginning of each connection's range.
    pub acknowledged: Vec<Range<u64>>,
    /// Bytes handed to connections.
    pub bytes: u64,
    /// From the first connection to the last packet, or to the acknowledgement that completed a connection.
    pub seconds: f64,
}

impl LoadReport {
    /// Packets sent.
    pub fn sent_packets(&self) -> u64 {
        count(&self.sent)
    }

    /// Packets acknowledged.
    pub fn acknowledged_packets(&self) -> u64 {
        count(&self.acknowledged)
    }
}

fn count(ranges: &[Range<u64>]) -> u64 {
    ranges.iter().map(|range| range.end - range.start).sum()
}

/// How a connection ended.
enum Ended {
    Broken(io::Error),
    Finished,
}

/// What one connection has carried so far.
struct Progress<'a> {
    serial: &'a mut u64,
    report: &'a mut LoadReport,
    stopped: &'a mut watch::Receiver<bool>,
    /// The first connection.
    started: Instant,
}

impl Load {
    /// A load of 92-byte packets of APID 1000 from serial 0 on, without an end.
    pub fn new(target: impl Into<Target>, run_id: u32, packets_per_second: f64) -> Self {
        Self {
            target: target.into(),
            run_id,
            first_serial: 0,
            packets_per_second,
            packet_bytes: 92,
            apid: packet::default_apid(),
            packets_max: None,
            acknowledgement_timeout: Duration::ZERO,
        }
    }

    /// Sends until `stop` completes or `packets_max` is reached, over as many connections as that takes.
    pub async fn run(self, stop: impl Future<Output = ()>) -> LoadReport {
        let (stopping, stopped) = watch::channel(false);
        let sending = self.send_all(stopped);
        tokio::pin!(sending);
        tokio::select! {
            report = &mut sending => return report,
            () = stop => {}
        }
        stopping.send_replace(true);
        sending.await
    }

    async fn send_all(self, mut stopped: watch::Receiver<bool>) -> LoadReport {
        let mut report = LoadReport { run_id: self.run_id, ..LoadReport::default() };
        let mut backoff = Backoff::new(RECONNECT_FIRST, RECONNECT_LONGEST);
        let mut serial = self.first_serial;
        let mut first_connected = None;
        while !*stopped.borrow() && self.packets_left(serial) > 0 {
            let connected = tokio::select! {
                connected = self.target.connect() => connected,
                () = wait_until_true(&mut stopped) => break,
            };
            let first = serial;
            let ended = match connected {
                Ok(stream) => {
                    let started = *first_connected.get_or_insert_with(Instant::now);
                    let (serial, report, stopped) = (&mut serial, &mut report, &mut stopped);
                    let mut progress = Progress { serial, report, stopped, started };
                    self.use_connection(stream, &mut progress).await
                }
                Err(error) => Ended::Broken(error),
            };
            if serial > first {
                backoff.on_connected();
            }
            if let Ended::Broken(error) = ended {
                info!(target = %self.target, %error, "connection was lost or refused");
                tokio::select! {
                    () = sleep(backoff.next_wait()) => {}
                    () = wait_until_true(&mut stopped) => {}
                }
            }
        }
        report
    }

    /// One connection from its first packet to its last acknowledgement.
    async fn use_connection(&self, stream: TcpStream, progress: &mut Progress<'_>) -> Ended {
        let first = *progress.serial;
        let (read, mut write) = stream.into_split();
        let (acknowledged, mut durable) = watch::channel(0);
        let reading = read_acknowledgements(read, &acknowledged);
        tokio::pin!(reading);
        let mut ended = tokio::select! {
            () = &mut reading => Ended::Broken(io::ErrorKind::ConnectionAborted.into()),
            ended = self.send_paced(&mut write, progress) => ended,
        };
        let sent = *progress.serial - first;
        progress.report.seconds = progress.started.elapsed().as_secs_f64();
        if matches!(ended, Ended::Finished) {
            let complete = timeout(self.acknowledgement_timeout, durable.wait_for(|count| *count >= sent));
            let closed_by_node = tokio::select! {
                () = &mut reading => true,
                complete = complete => {
                    if matches!(complete, Ok(Ok(_))) {
                        progress.report.seconds = progress.started.elapsed().as_secs_f64();
                    }
                    false
                }
            };
            if !closed_by_node {
                if let Err(error) = write.shutdown().await {
                    ended = Ended::Broken(error);
                }
                let _ = timeout(CLOSE_TIMEOUT, &mut reading).await;
            }
        }
        let durable = *durable.borrow();
        if durable > sent {
            warn!(durable, sent, "more packets were acknowledged than sent");
        }
        if sent > 0 {
            progress.report.sent.push(first..first + sent);
        }
        if durable.min(sent) > 0 {
            progress.report.acknowledged.push(first..first + durable.min(sent));
        }
        ended
    }

    /// Writes what is due, burst after burst.
    async fn send_paced(&self, write: &mut OwnedWriteHalf, progress: &mut Progress<'_>) -> Ended {
        let pace = Pace::new(self.packets_per_second);
        let (started, started_at) = (Instant::now(), clock::now());
        let packets_max = self.packets_left(*progress.serial);
        let burst_max = (BURST_BYTES_MAX / self.packet_bytes.max(1)).max(1) as u64;
        let mut burst = Vec::with_capacity(BURST_BYTES_MAX);
        let mut ticks = interval(BURST_INTERVAL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let mut sent = 0;
        loop {
            if sent >= packets_max || *progress.stopped.borrow() {
                return Ended::Finished;
            }
            let due = pace.due(started.elapsed()).min(packets_max).min(sent + burst_max);
            if due == sent {
                ticks.tick().await;
                continue;
            }
            burst.clear();
            for packet in sent..due {
                // Stamped with when it was due, not with when we got round to it: latency counts from there.
                let due_at = started_at.plus_nanos(pace.due_at(packet).as_nanos() as i64);
                append_packet(
                    &mut burst,
                    self.apid,
                    self.run_id,
                    *progress.serial,
                    self.packet_bytes,
                    due_at,
                );
                *progress.serial += 1;
            }
            sent = due;
            progress.report.bytes += burst.len() as u64;
            let written = tokio::select! {
                written = write.write_all(&burst) => written,
                () = stop_grace(progress.stopped) => Err(io::ErrorKind::TimedOut.into()),
            };
            if let Err(error) = written {
                return Ended::Broken(error);
            }
        }
    }

    fn packets_left(&self, serial: u64) -> u64 {
        self.packets_max.map_or(u64::MAX, |most| most.saturating_sub(serial - self.first_serial))
    }
}

/// Keeps the node's newest cumulative count, until it closes.
async fn read_acknowledgements(mut read: OwnedReadHalf, acknowledged: &watch::Sender<u64>) {
    while let Ok(count) = read.read_u64().await {
        // Each count replaces the one before; one that falls back is a node's mistake and takes nothing away.
        acknowledged.send_if_modified(|highest| {
            let higher = count > *highest;
            *highest = count.max(*highest);
            higher
        });
    }
}

async fn wait_until_true(stopped: &mut watch::Receiver<bool>) {
    // The sender lives as long as the run: an error cannot happen, and would mean that nobody can stop us.
    let _ = stopped.wait_for(|stopped| *stopped).await;
}

/// Completes when a write that is still blocked after the stop has had its chance.
async fn stop_grace(stopped: &mut watch::Receiver<bool>) {
    wait_until_true(stopped).await;
    sleep(CLOSE_TIMEOUT).await;
}

#[cfg(test)]
mod tests;
