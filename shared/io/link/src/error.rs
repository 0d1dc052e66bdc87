//! What can go wrong on a link, split by what the caller does next.

use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use quinn::{ConnectionError, ReadError, WriteError};

use crate::frame::FRAME_LENGTH_MAX;

pub(crate) type BoxError = Box<dyn Error + Send + Sync>;

/// Why an endpoint could not be made.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// An authority's certificate cannot be read, or there is none.
    #[error("failed to use the authorities' certificates")]
    Authorities(#[source] BoxError),
    /// The own certificate or key cannot be read, or they do not belong together.
    #[error("failed to use the own certificate and key")]
    Identity(#[source] BoxError),
    /// The address is taken, not ours, or not allowed.
    #[error("failed to bind {address}")]
    Socket {
        /// The address asked for.
        address: SocketAddr,
        /// The system's answer.
        source: io::Error,
    },
}

/// Why no connection to any of the hub's addresses came about: the most telling reason of all that were tried.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ConnectError {
    /// The hub has too many handshakes going on; come back later, with jitter.
    #[error("the hub at {address} is busy")]
    Busy {
        /// The address tried.
        address: SocketAddr,
    },
    /// The other end's certificate is not one our authority gave to a hub.
    #[error("the certificate shown at {address} is not the hub's: {reason}")]
    HubCertificate {
        /// The address tried.
        address: SocketAddr,
        /// What the verifier found.
        reason: String,
    },
    /// The hub's certificate is not valid at this machine's time; more often the clock is wrong than the certificate.
    #[error("the hub's certificate at {address} is not valid at this machine's time: {reason}")]
    HubCertificateTime {
        /// The address tried.
        address: SocketAddr,
        /// What the verifier found.
        reason: String,
    },
    /// There was nothing to try.
    #[error("no address to connect to")]
    NoAddress,
    /// The other end does not hold the authority that was pinned; nothing was sent to it.
    #[error("{address} showed another authority than the pinned one")]
    PinMismatch {
        /// The address tried.
        address: SocketAddr,
        /// SHA-256 of the pinned authority's public key.
        expected: [u8; 32],
        /// SHA-256 of the public key of the last certificate shown.
        seen: [u8; 32],
    },
    /// The hub ended the handshake.
    #[error("the hub at {address} refused the connection")]
    Refused {
        /// The address tried.
        address: SocketAddr,
        /// How it said so.
        #[source]
        closed: Closed,
    },
    /// Nothing, or not enough, came back in time.
    #[error("no answer from {address} within {after:?}")]
    TimedOut {
        /// The address tried.
        address: SocketAddr,
        /// The time allowed.
        after: Duration,
    },
    /// This machine cannot send to that address at all.
    #[error("cannot send to {address}: {reason}")]
    Unreachable {
        /// The address tried.
        address: SocketAddr,
        /// The system's answer.
        reason: String,
    },
}

impl ConnectError {
    /// Of several failures the one that says most about what to do is reported.
    pub(crate) fn weight(&self) -> u8 {
        match self {
            Self::NoAddress => 0,
            Self::Unreachable { .. } => 1,
            Self::TimedOut { .. } => 2,
            Self::Busy { .. } => 3,
            Self::Refused { .. } => 4,
            Self::HubCertificate { .. } => 5,
            Self::HubCertificateTime { .. } => 6,
            Self::PinMismatch { .. } => 7,
        }
    }
}

/// How a connection ended.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Closed {
    /// The hub takes no more handshakes at the moment.
    #[error("the peer takes no more connections now")]
    Busy,
    /// The peer closed it on purpose.
    #[error("closed by the peer with code {code}: {reason}")]
    ByPeer {
        /// The peer's code.
        code: u64,
        /// The peer's words, shortened and without control characters.
        reason: String,
    },
    /// The peer's TLS refused us, as a hub does with a certificate it does not trust.
    #[error("refused by the peer's TLS with alert {alert}: {reason}")]
    ByPeerTls {
        /// The TLS alert (42 bad certificate, 45 expired, 48 unknown authority, 120 no common protocol).
        alert: u8,
        /// The peer's words, shortened and without control characters.
        reason: String,
    },
    /// Nothing arrived for as long as the idle timeout.
    #[error("nothing arrived within the idle timeout")]
    Idle,
    /// This side closed it.
    #[error("closed on this side")]
    Locally,
    /// The peer does not know this connection any more, usually because it restarted.
    #[error("the peer does not know this connection any more")]
    Reset,
    /// The protocol failed on either side.
    #[error("the transport failed: {reason}")]
    Transport {
        /// What quinn says.
        reason: String,
    },
}

impl From<ConnectionError> for Closed {
    fn from(error: ConnectionError) -> Self {
        match error {
            ConnectionError::ApplicationClosed(close) => {
                Self::ByPeer { code: close.error_code.into_inner(), reason: printable(&close.reason) }
            }
            ConnectionError::ConnectionClosed(close) => {
                let reason = printable(&close.reason);
                match u64::from(close.error_code) {
                    2 => Self::Busy, // CONNECTION_REFUSED, RFC 9000 section 20.1
                    code @ 0x100..0x200 => Self::ByPeerTls { alert: (code & 0xff) as u8, reason },
                    code => Self::Transport { reason: format!("code {code}: {reason}") },
                }
            }
            ConnectionError::LocallyClosed => Self::Locally,
            ConnectionError::Reset => Self::Reset,
            ConnectionError::TimedOut => Self::Idle,
            other => Self::Transport { reason: other.to_string() },
        }
    }
}

/// The peer may be anyone: what it says ends up in terminals and logs.
pub(crate) fn printable(text: &[u8]) -> String {
    String::from_utf8_lossy(text).chars().filter(|c| !c.is_control()).take(256).collect()
}

/// Why a frame could not be read or written.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum FrameError {
    /// A frame of length 0 has no type.
    #[error("a frame without a type")]
    Empty,
    /// The connection ended.
    #[error("the connection was lost")]
    Lost(#[from] Closed),
    /// The sender gave the stream up.
    #[error("the peer reset the stream with code {code}")]
    Reset {
        /// The peer's code.
        code: u64,
    },
    /// The receiver wants no more.
    #[error("the peer stopped the stream with code {code}")]
    Stopped {
        /// The peer's code.
        code: u64,
    },
    /// The stream was finished or reset on this side.
    #[error("the stream is closed on this side")]
    StreamClosed,
    /// The length is more than this stream allows; nothing was allocated for it.
    #[error("a frame of {length} bytes, the limit is {limit}")]
    TooLong {
        /// Length of type and body.
        length: usize,
        /// What was allowed, at most [`FRAME_LENGTH_MAX`].
        limit: usize,
    },
    /// The stream ended within a frame.
    #[error("the stream ended within a frame")]
    Truncated,
}

impl FrameError {
    pub(crate) fn too_long(length: usize) -> Self {
        Self::TooLong { length, limit: FRAME_LENGTH_MAX }
    }
}

impl From<ReadError> for FrameError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::ConnectionLost(lost) => Self::Lost(lost.into()),
            ReadError::Reset(code) => Self::Reset { code: code.into_inner() },
            ReadError::ClosedStream | ReadError::IllegalOrderedRead | ReadError::ZeroRttRejected => {
                Self::StreamClosed
            }
        }
    }
}

impl From<WriteError> for FrameError {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::ConnectionLost(lost) => Self::Lost(lost.into()),
            WriteError::Stopped(code) => Self::Stopped { code: code.into_inner() },
            WriteError::ClosedStream | WriteError::ZeroRttRejected => Self::StreamClosed,
        }
    }
}
