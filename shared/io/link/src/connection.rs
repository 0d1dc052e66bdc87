//! An open connection, as both ends see it.

use std::net::SocketAddr;
use std::time::Duration;

use quinn::VarInt;

use crate::error::Closed;
use crate::stream::{FrameReader, FrameWriter};

/// A QUIC connection whose streams carry frames; cheap to clone, closed when the last clone and stream are gone.
#[derive(Clone, Debug)]
pub struct Connection {
    inner: quinn::Connection,
}

/// What a connection has carried and how the path looks.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct LinkStatistics {
    /// Bytes of UDP payload sent.
    pub sent_bytes: u64,
    /// Bytes of UDP payload received.
    pub received_bytes: u64,
    /// Packets taken for lost.
    pub lost_packets: u64,
    /// What congestion control lets be in flight.
    pub congestion_window_bytes: u64,
    /// The round trip, smoothed.
    pub rtt: Duration,
}

impl Connection {
    pub(crate) fn new(inner: quinn::Connection) -> Self {
        Self { inner }
    }

    /// Opens a stream for both directions; the peer sees it with the first frame.
    pub async fn open_bi(&self) -> Result<(FrameWriter, FrameReader), Closed> {
        let (send, receive) = self.inner.open_bi().await?;
        Ok((FrameWriter::new(send), FrameReader::new(receive)))
    }

    /// Waits for a stream the peer opened for both directions.
    pub async fn accept_bi(&self) -> Result<(FrameWriter, FrameReader), Closed> {
        let (send, receive) = self.inner.accept_bi().await?;
        Ok((FrameWriter::new(send), FrameReader::new(receive)))
    }

    /// Opens a stream for sending; the peer sees it with the first frame.
    pub async fn open_uni(&self) -> Result<FrameWriter, Closed> {
        Ok(FrameWriter::new(self.inner.open_uni().await?))
    }

    /// Waits for a stream the peer opened for sending.
    pub async fn accept_uni(&self) -> Result<FrameReader, Closed> {
        Ok(FrameReader::new(self.inner.accept_uni().await?))
    }

    /// Closes at once; what is not yet delivered is lost.
    pub fn close(&self, code: u32, reason: &str) {
        self.inner.close(VarInt::from_u32(code), reason.as_bytes());
    }

    /// Waits for the end and says how it came.
    pub async fn closed(&self) -> Closed {
        self.inner.closed().await.into()
    }

    /// How the connection ended, if it has.
    pub fn close_reason(&self) -> Option<Closed> {
        self.inner.close_reason().map(Into::into)
    }

    /// Where the peer is now; it may move during a connection.
    pub fn remote_address(&self) -> SocketAddr {
        canonical(self.inner.remote_address())
    }

    /// The round trip, smoothed.
    pub fn rtt(&self) -> Duration {
        self.inner.rtt()
    }

    /// Counters for metrics.
    pub fn statistics(&self) -> LinkStatistics {
        let stats = self.inner.stats();
        LinkStatistics {
            sent_bytes: stats.udp_tx.bytes,
            received_bytes: stats.udp_rx.bytes,
            lost_packets: stats.path.lost_packets,
            congestion_window_bytes: stats.path.cwnd,
            rtt: stats.path.rtt,
        }
    }

    pub(crate) fn quinn(&self) -> &quinn::Connection {
        &self.inner
    }
}

/// An IPv4 peer on a socket for both families, written as people know it.
pub(crate) fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}
