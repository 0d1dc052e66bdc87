//! The doors of a node, and how much goes in by each at once.

use std::net::SocketAddr;

use testkit::configuration::{Acknowledgement, Door, LinkEntry, Mission};

use super::ring::PACKET_BYTES;

/// The longest datagram that IPv4 carries.
const DATAGRAM_BYTES_MAX: usize = 65_507;
const MESSAGES: [usize; 3] = [1, 100, 1_000];
const CONNECTIONS: usize = 4;
const IN_FLIGHT: usize = 8;
/// When a producer of single packets does not wait for each.
const IN_FLIGHT_MANY: usize = 1_024;

/// A door.
#[derive(Clone, Copy, Debug, Eq, PartialEq, clap::ValueEnum)]
pub enum DoorKind {
    /// `POST`.
    Http,
    /// Packets one after the other.
    Tcp,
    /// Packets behind their lengths.
    TcpPrefixed,
    /// Datagrams.
    Udp,
    /// Binary messages.
    Websocket,
}

/// How producers send.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Shape {
    /// Packets of a write, datagram, body or message.
    pub messages: usize,
    /// Connections at once.
    pub connections: usize,
    /// Requests of a connection that are not acknowledged yet.
    pub in_flight: usize,
}

impl DoorKind {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Http, Self::Tcp, Self::TcpPrefixed, Self::Udp, Self::Websocket];

    /// Its name in figures.
    pub fn word(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Tcp => "tcp",
            Self::TcpPrefixed => "tcp-length-prefixed",
            Self::Udp => "udp",
            Self::Websocket => "websocket",
        }
    }

    /// The link of a node that opens it.
    pub fn link(self, mission: &Mission, listen: SocketAddr) -> LinkEntry {
        let door = match self {
            Self::Http => Door::Http,
            Self::Tcp => Door::Tcp,
            Self::TcpPrefixed => Door::TcpLengthPrefixed,
            Self::Udp => Door::Udp,
            Self::Websocket => Door::WebSocket,
        };
        let counts = matches!(self, Self::Tcp | Self::TcpPrefixed);
        let acknowledgement = if counts { Acknowledgement::Count } else { Acknowledgement::None };
        let link = LinkEntry::new("bench", listen, &mission.name, acknowledgement);
        LinkEntry { door, ..link }
    }

    /// Whether packets stand behind their lengths.
    pub fn is_prefixed(self) -> bool {
        self == Self::TcpPrefixed
    }

    /// What is measured: 1, 100 and 1,000 packets a request, eight requests in flight on each connection; of doors
    /// that stream, single packets also with many in flight.
    pub fn shapes(self) -> Vec<Shape> {
        let shape = |messages| self.shape(messages);
        let mut shapes: Vec<Shape> = MESSAGES.into_iter().map(shape).collect();
        match self {
            Self::Http => shapes.insert(1, Shape { connections: 256, ..self.shape(1) }),
            Self::Udp => {}
            Self::Tcp | Self::TcpPrefixed | Self::Websocket => {
                shapes.insert(1, Shape { in_flight: IN_FLIGHT_MANY, ..self.shape(1) });
            }
        }
        shapes
    }

    /// The usual shape for requests of so many packets.
    pub fn shape(self, messages: usize) -> Shape {
        match self {
            // A connection has one request at a time.
            Self::Http => Shape { messages, connections: CONNECTIONS * IN_FLIGHT, in_flight: 1 },
            Self::Udp => {
                let messages = messages.min(DATAGRAM_BYTES_MAX / PACKET_BYTES);
                Shape { messages, connections: 1, in_flight: 0 }
            }
            _ => Shape { messages, connections: CONNECTIONS, in_flight: IN_FLIGHT },
        }
    }
}
