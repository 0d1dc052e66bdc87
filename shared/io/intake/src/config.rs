//! `[[link]]`: where telemetry comes in, and what is expected of it.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use processing::ValidationSettings;
use serde::Deserialize;
use service::config::{Bytes, Span};
use space_packet::Apid;

use crate::framing::StreamFraming;

/// Name of the link that a node's own events come by. No configured link may have it.
pub const NODE_LINK: &str = "node";

/// One link.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct LinkConfig {
    /// Name, as in records and metrics.
    pub name: String,
    /// What it speaks.
    #[serde(default)]
    pub door: Door,
    /// Where to listen. HTTP, WebSocket and gRPC links may share an address: they are told apart by their mission.
    pub listen: SocketAddr,
    /// Mission its records belong to.
    pub mission: String,
    /// Antenna or equipment behind it, for people.
    pub station: Option<String>,
    /// How packets stand in a TCP stream.
    #[serde(default)]
    pub framing: StreamFraming,
    /// What producers are told on a TCP connection.
    #[serde(default)]
    pub acknowledgement: Acknowledgement,
    /// Every packet ends in a CRC-16, whatever the dictionary says.
    #[serde(default)]
    pub crc: bool,
    /// APIDs that may come; others are kept in quarantine. All when absent.
    pub apids: Option<Vec<Apid>>,
    /// Age from which a record is marked as stale; never when absent.
    pub stale_after: Option<Span>,
    /// How far a record may lie in the future before it is marked.
    #[serde(default = "time_ahead_max")]
    pub time_ahead_max: Span,
    /// Packets of one APID, and samples of one parameter, a second, beyond which they are marked.
    pub rate_expected_max_per_s: Option<f64>,
    /// Records a second, beyond which the link is made to wait.
    pub rate_max_per_s: Option<u32>,
    /// Longest packet taken; a longer one is rejected as oversized.
    #[serde(default = "packet_bytes_max")]
    pub packet_bytes_max: usize,
    /// Seconds a packet may take from its first byte to its last.
    #[serde(default = "packet_timeout_s")]
    pub packet_timeout_s: u64,
    /// Connections at once; further ones are closed and counted.
    #[serde(default = "connections_max")]
    pub connections_max: usize,
    /// File with the token that producers of an HTTP, WebSocket or gRPC link must show.
    pub token_file: Option<PathBuf>,
    /// Longest body or message of an HTTP, WebSocket or gRPC link, unpacked.
    #[serde(default = "body_max")]
    pub body_max: Bytes,
}

/// What a link speaks.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, Hash, PartialEq)]
#[serde(rename_all = "lowercase")]
pub enum Door {
    /// gRPC, client streaming.
    Grpc,
    /// `POST /api/v1/ingest/{mission}`.
    Http,
    /// A stream of packets.
    #[default]
    Tcp,
    /// Datagrams of packets.
    Udp,
    /// `/api/v1/ingest/{mission}/stream`.
    WebSocket,
}

impl Door {
    /// Its name in the configuration.
    pub fn word(self) -> &'static str {
        match self {
            Self::Grpc => "grpc",
            Self::Http => "http",
            Self::Tcp => "tcp",
            Self::Udp => "udp",
            Self::WebSocket => "websocket",
        }
    }

    /// Whether its producers make HTTP requests.
    pub fn is_http(self) -> bool {
        matches!(self, Self::Grpc | Self::Http | Self::WebSocket)
    }
}

/// What a producer is told on its own connection.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub enum Acknowledgement {
    /// After each commit: how many packets of this connection are durable, 8 bytes big-endian, cumulative.
    Count,
    /// Nothing, as most equipment expects.
    #[default]
    None,
}

fn packet_bytes_max() -> usize {
    space_packet::PACKET_BYTES_MAX
}

/// A packet at 64 bit/s still makes it; a client that sends a byte a second does not.
fn packet_timeout_s() -> u64 {
    30
}

fn connections_max() -> usize {
    256
}

/// A thousand packets of the largest common size, with room.
fn body_max() -> Bytes {
    Bytes(8 << 20)
}

/// Clocks of ground equipment differ by less.
fn time_ahead_max() -> Span {
    Span(Duration::from_secs(300))
}

impl LinkConfig {
    /// A link for which only this is written down; it listens on a port that is free.
    pub fn with_defaults(name: &str, mission: &str) -> Self {
        Self {
            name: name.to_owned(),
            door: Door::default(),
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            mission: mission.to_owned(),
            station: None,
            framing: StreamFraming::default(),
            acknowledgement: Acknowledgement::default(),
            crc: false,
            apids: None,
            stale_after: None,
            time_ahead_max: time_ahead_max(),
            rate_expected_max_per_s: None,
            rate_max_per_s: None,
            packet_bytes_max: packet_bytes_max(),
            packet_timeout_s: packet_timeout_s(),
            connections_max: connections_max(),
            token_file: None,
            body_max: body_max(),
        }
    }

    /// How long a packet may take from its first byte to its last.
    pub fn packet_timeout(&self) -> Duration {
        Duration::from_secs(self.packet_timeout_s)
    }

    /// What its records are judged by.
    pub fn validation(&self) -> ValidationSettings {
        ValidationSettings {
            apids: self.apids.clone(),
            link_crc: self.crc,
            time_ahead_max: self.time_ahead_max.0,
            stale_after: self.stale_after.map(|Span(age)| age),
            rate_max_per_s: self.rate_expected_max_per_s,
        }
    }

    /// What its types cannot say: the key that is wrong, and why.
    fn problem(&self) -> Option<(&'static str, String)> {
        let (door, is_http) = (self.door.word(), self.door.is_http());
        let only_tcp = || format!("goes with door = \"tcp\", and this link's is \"{door}\"");
        if !delivery::is_name(&self.name) {
            return Some(("name", format!("{:?} is no name: 1 to 40 letters, digits, - and _", self.name)));
        }
        if self.name == NODE_LINK {
            return Some(("name", format!("{NODE_LINK:?} is the name the node's own events come by")));
        }
        if self.door != Door::Tcp && self.framing != StreamFraming::default() {
            return Some(("framing", only_tcp()));
        }
        if self.door != Door::Tcp && self.acknowledgement != Acknowledgement::default() {
            return Some(("acknowledgement", only_tcp()));
        }
        if !is_http && self.token_file.is_some() {
            return Some(("token_file", format!("goes with HTTP, WebSocket and gRPC, not with \"{door}\"")));
        }
        if is_http && self.token_file.is_none() && !self.listen.ip().is_loopback() {
            let message = format!("{} can be reached from other machines: name a token_file", self.listen);
            return Some(("listen", message));
        }
        if !(space_packet::PACKET_BYTES_MIN..=space_packet::PACKET_BYTES_MAX).contains(&self.packet_bytes_max)
        {
            let (least, most) = (space_packet::PACKET_BYTES_MIN, space_packet::PACKET_BYTES_MAX);
            return Some(("packet_bytes_max", format!("must be {least} to {most}, the bounds of a packet")));
        }
        if self.rate_max_per_s == Some(0) {
            return Some(("rate_max_per_s", "0 would let nothing in; leave the link out instead".to_owned()));
        }
        if self.rate_expected_max_per_s.is_some_and(|rate| !(rate.is_finite() && rate > 0.0)) {
            return Some(("rate_expected_max_per_s", "must be a number above 0".to_owned()));
        }
        None
    }
}

/// What does not fit together among links, or with the missions there are: which link, the key, and why.
pub fn problem(links: &[LinkConfig], missions: &[&str]) -> Option<(usize, &'static str, String)> {
    for (index, link) in links.iter().enumerate() {
        let others = &links[..index];
        if let Some((key, message)) = link.problem() {
            return Some((index, key, format!("link {:?}: {key} {message}", link.name)));
        }
        if others.iter().any(|other| other.name == link.name) {
            return Some((index, "name", format!("two links are named {:?}", link.name)));
        }
        if !missions.contains(&link.mission.as_str()) {
            let message =
                format!("link {:?} names mission {:?}, which is not configured", link.name, link.mission);
            return Some((index, "mission", message));
        }
        // Port 0 is a port of its own each time.
        let is_shared = |other: &&LinkConfig| other.listen == link.listen && link.listen.port() != 0;
        let clash = others.iter().filter(is_shared).find(|other| {
            let is_datagram = |door| door == Door::Udp;
            let both_http = other.door.is_http() && link.door.is_http();
            let is_same = other.door == link.door && other.mission == link.mission;
            is_datagram(other.door) == is_datagram(link.door) && (!both_http || is_same)
        });
        if let Some(other) = clash {
            let message = format!("links {:?} and {:?} listen on the same address", other.name, link.name);
            return Some((index, "listen", message));
        }
    }
    None
}
