//! Recorded flights: space packets one after the other in a file, sent to a node as they are.

use std::{future::Future, io, path::PathBuf, time::Duration};

use serde::Serialize;
use space_packet::{HeaderError, PRIMARY_HEADER_BYTES, PrimaryHeader};
use tokio::{
    fs::File,
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt, BufReader, BufWriter},
    time::{Instant, sleep, timeout},
};

use crate::{
    connection::{CLOSE_TIMEOUT, Target, close, drain},
    pace::{BURST_INTERVAL, Pace},
};

const FILE_BUFFER_BYTES: usize = 256 * 1024;
/// More than the largest packet, so that a stop never cuts one in two.
const SOCKET_BUFFER_BYTES: usize = 128 * 1024;

/// A recording and where to send it.
#[derive(Clone, Debug)]
pub struct Replay {
    /// The recording.
    pub file: PathBuf,
    /// The node's intake.
    pub target: Target,
    /// Steady rate above zero; `None` sends as fast as the socket takes.
    pub packets_per_second: Option<f64>,
    /// Bytes before each packet's header, which are not sent.
    pub skip_header_bytes: usize,
    /// Start again at the end, until stopped.
    pub repeat: bool,
}

/// What was sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct ReplayReport {
    /// Packets.
    pub packets: u64,
    /// Bytes of packets, without what was skipped.
    pub bytes: u64,
    /// From the first packet to the last.
    pub seconds: f64,
}

/// Why a replay ended early.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// No connection to the node.
    #[error("failed to connect to {target}")]
    Connect {
        /// The node.
        target: Target,
        /// Why.
        source: io::Error,
    },
    /// The recording has no packet.
    #[error("{} has no packet", file.display())]
    Empty {
        /// The recording.
        file: PathBuf,
    },
    /// Bytes that are no packet's header.
    #[error("no packet begins at offset {offset}")]
    Malformed {
        /// Of the header in the file.
        offset: u64,
        /// What is wrong with it.
        source: HeaderError,
    },
    /// The file can't be opened.
    #[error("failed to open {}", file.display())]
    Open {
        /// The recording.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file can't be read.
    #[error("failed to read at offset {offset}")]
    Read {
        /// In the file.
        offset: u64,
        /// Why.
        source: io::Error,
    },
    /// The node no longer takes packets.
    #[error("failed to send after {packets} packets")]
    Send {
        /// Sent before.
        packets: u64,
        /// Why.
        source: io::Error,
    },
    /// The file ends inside a packet.
    #[error(
        "the packet at offset {offset} is cut off: {missing_bytes} of its {packet_bytes} bytes are missing"
    )]
    Truncated {
        /// Of the packet (or what stands before it) in the file.
        offset: u64,
        /// What the file lacks.
        missing_bytes: u64,
        /// What the packet should have, with what stands before it.
        packet_bytes: u64,
    },
}

/// Reads a recording packet by packet, from anything that can be read.
pub struct RecordingReader<R> {
    source: R,
    skip_header_bytes: usize,
    offset: u64,
    packet: Vec<u8>,
}

impl<R: AsyncRead + Unpin> RecordingReader<R> {
    /// A reader at the beginning of a recording.
    pub fn new(source: R, skip_header_bytes: usize) -> Self {
        Self { source, skip_header_bytes, offset: 0, packet: Vec::new() }
    }

    /// The next packet, or `None` at the end.
    pub async fn next_packet(&mut self) -> Result<Option<&[u8]>, ReplayError> {
        let start = self.offset;
        let head = self.skip_header_bytes + PRIMARY_HEADER_BYTES;
        let found = self.read_up_to(head).await?;
        if found == 0 {
            return Ok(None);
        }
        self.check_complete(start, head, found)?;
        let header_at = start + self.skip_header_bytes as u64;
        let header = PrimaryHeader::parse(&self.packet[self.skip_header_bytes..])
            .map_err(|source| ReplayError::Malformed { offset: header_at, source })?;
        let whole = self.skip_header_bytes + header.packet_bytes();
        let found = self.read_up_to(whole).await?;
        self.check_complete(start, whole, found)?;
        let packet = &self.packet[self.skip_header_bytes..];
        self.offset = start + whole as u64;
        Ok(Some(packet))
    }

    /// Fills `packet` up to a length of at most the skipped bytes and one packet; returns its length.
    async fn read_up_to(&mut self, length: usize) -> Result<usize, ReplayError> {
        if length <= self.skip_header_bytes + PRIMARY_HEADER_BYTES {
            self.packet.clear();
        }
        let missing = (length - self.packet.len()) as u64;
        let read = (&mut self.source).take(missing).read_to_end(&mut self.packet).await;
        read.map_err(|source| ReplayError::Read { offset: self.offset, source })?;
        Ok(self.packet.len())
    }

    fn check_complete(&self, offset: u64, wanted: usize, found: usize) -> Result<(), ReplayError> {
        if found == wanted {
            return Ok(());
        }
        let missing_bytes = (wanted - found) as u64;
        Err(ReplayError::Truncated { offset, missing_bytes, packet_bytes: wanted as u64 })
    }
}

impl Replay {
    /// Sends the recording, or what of it `stop` leaves time for.
    pub async fn run(self, stop: impl Future<Output = ()>) -> Result<ReplayReport, ReplayError> {
        // The file first: a wrong name should not depend on a node being there.
        drop(self.open().await?);
        let stream = self
            .target
            .connect()
            .await
            .map_err(|source| ReplayError::Connect { target: self.target.clone(), source })?;
        let (mut read, write) = stream.into_split();
        let mut write = BufWriter::with_capacity(SOCKET_BUFFER_BYTES, write);
        let mut report = ReplayReport::default();
        let started = Instant::now();
        let result = tokio::select! {
            result = self.send_and_flush(&mut write, &mut report, started) => result,
            () = async { drain(&mut read).await; std::future::pending().await } => Ok(()),
            () = stop => Ok(()),
        };
        report.seconds = started.elapsed().as_secs_f64();
        // After a stop a node that takes nothing must not keep us; otherwise nothing is left to flush. One
        // that has closed already has taken what it wanted.
        let _ = timeout(CLOSE_TIMEOUT, write.flush()).await;
        let _ = close(read, write.into_inner()).await;
        result.map(|()| report)
    }

    /// Sends, and flushes also what stood before an error in the recording.
    async fn send_and_flush(
        &self,
        write: &mut (impl AsyncWriteExt + Unpin),
        report: &mut ReplayReport,
        started: Instant,
    ) -> Result<(), ReplayError> {
        let result = self.send(write, report, started).await;
        let packets = report.packets;
        write.flush().await.map_err(|source| ReplayError::Send { packets, source })?;
        result
    }

    async fn open(&self) -> Result<RecordingReader<BufReader<File>>, ReplayError> {
        let file = File::open(&self.file).await;
        let file = file.map_err(|source| ReplayError::Open { file: self.file.clone(), source })?;
        Ok(RecordingReader::new(BufReader::with_capacity(FILE_BUFFER_BYTES, file), self.skip_header_bytes))
    }

    async fn send(
        &self,
        write: &mut (impl AsyncWriteExt + Unpin),
        report: &mut ReplayReport,
        started: Instant,
    ) -> Result<(), ReplayError> {
        let pace = self.packets_per_second.map(Pace::new);
        loop {
            let mut recording = self.open().await?;
            let packets_before = report.packets;
            while let Some(packet) = recording.next_packet().await? {
                let packets = report.packets;
                let failed = |source| ReplayError::Send { packets, source };
                write.write_all(packet).await.map_err(failed)?;
                report.packets += 1;
                report.bytes += packet.len() as u64;
                let ahead = |pace: &Pace| report.packets >= pace.due(started.elapsed());
                if pace.as_ref().is_some_and(ahead) {
                    write.flush().await.map_err(failed)?;
                    while pace.as_ref().is_some_and(ahead) {
                        sleep(BURST_INTERVAL).await;
                    }
                }
            }
            if report.packets == packets_before {
                return Err(ReplayError::Empty { file: self.file.clone() });
            }
            if !self.repeat {
                return Ok(());
            }
        }
    }
}

/// A rate for people: packets and bytes in a second.
impl std::fmt::Display for ReplayReport {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let seconds = Duration::from_secs_f64(self.seconds).max(Duration::from_micros(1)).as_secs_f64();
        write!(
            formatter,
            "{} packets, {} bytes, {:.3} s ({:.0} packets/s, {:.2} MB/s)",
            self.packets,
            self.bytes,
            self.seconds,
            self.packets as f64 / seconds,
            self.bytes as f64 / seconds / 1e6
        )
    }
}

#[cfg(test)]
mod tests;
